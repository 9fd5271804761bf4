"""Gunicorn in production: one process of eight threads for each instance; systemd starts two of them and holds their sockets.

systemd hands over the socket, so that nobody is turned away while an instance restarts.
"""

wsgi_app = "wsgi:app"
worker_class = "gthread"
workers = 1
threads = 8
# Longer than the longest PDF may take; a thread that hangs ends the process, and a new one is started.
timeout = 60
# What is being answered when the service is told to stop may end.
graceful_timeout = 30
# nginx opens a connection for each request; one that says nothing is closed soon.
keepalive = 2
limit_request_line = 4094
limit_request_fields = 60
limit_request_field_size = 8190
worker_tmp_dir = "/dev/shm"  # noqa: S108 - signs of life must not wait for a disk
# The app writes a line for each request itself, without tokens and addresses (FOLGETERMIN_LOG_FORMAT=json).
accesslog = None
errorlog = "-"
loglevel = "warning"
control_socket_disable = True
