"""A real server in processes of its own, and guests who use it from outside, all at the same moment if need be."""

import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager, nullcontext
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlencode

from .conftest import SERVER, SETTINGS

ROOT = Path(__file__).parents[1]


def free_port(host="127.0.0.1"):
    with socket.socket(family_of(host)) as probe:
        probe.bind((host, 0))
        return probe.getsockname()[1]


def answers(port, host="127.0.0.1"):
    with socket.socket(family_of(host)) as probe:
        return probe.connect_ex((host, port)) == 0


def family_of(host):
    return socket.AF_INET6 if ":" in host else socket.AF_INET


def wait_until(reached):
    while not reached():
        time.sleep(0.02)


def wait_for_greeting(port, greeting, log):
    """Until the server says what servers of its kind say first; else what it has written down."""
    for _attempt in range(200):
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=5) as line:
                if line.recv(4) == greeting:
                    return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError(log.read_text() if log.exists() else f"nobody answers at port {port}")


def settings_of(folder, **over):
    """The environment of a process that works on the data in this folder."""
    clean = {key: value for key, value in os.environ.items() if not key.startswith("FOLGETERMIN_")}
    ours = {"INSTANCE": str(folder), "SECRET_KEY": SETTINGS["SECRET_KEY"], "MAIL_HOLD_SECONDS": "0"} | over
    return clean | {f"FOLGETERMIN_{name}": str(value) for name, value in ours.items()}


@contextmanager
def process(words, environment, log, before=()):
    """A process of ours that writes to this log, if there is one; it is stopped at the end, whatever has become of it."""
    with log.open("ab") if log else nullcontext() as out:
        child = subprocess.Popen(
            [*before, sys.executable, "-m", *words],
            cwd=ROOT,
            env=environment,
            stdout=out,
            stderr=out,
            start_new_session=True,
        )
    try:
        yield child
    finally:
        if child.poll() is None:
            child.send_signal(signal.SIGTERM)
        child.wait()


@contextmanager
def web(
    folder,
    log=None,
    *,
    what="wsgi:app",
    before=(),
    begin=(),
    workers=1,
    environment=None,
    host="127.0.0.1",
    **over,
):
    """Gunicorn with eight threads on the data in this folder; gives its port and process."""
    port = free_port(host)
    place = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    settings = settings_of(folder, **({"BASE_URL": f"http://{place}"} | over)) | (environment or {})
    words = [*begin, "gunicorn", what, "--bind", place, "--workers", str(workers), "--threads", "8",
             "--worker-class", "gthread", "--log-level", "warning", "--graceful-timeout", "30"]  # fmt: skip
    with process(words, settings, log, before) as child:
        wait_until(lambda: answers(port, host) or child.poll() is not None)
        assert child.poll() is None, log.read_text() if log else "gunicorn has not started"
        child.port = port
        yield child


@contextmanager
def serving(app, what="wsgi:app", **further):
    """Gunicorn with two processes of eight threads each on the database of the test; gives their port."""
    with web(Path(app.instance_path), what=what, workers=2, DATABASE_URL=SERVER or "", **further) as child:
        yield child.port


class Guest:
    """Somebody with a personal link and a browser of their own."""

    def __init__(self, port, token):
        self.port, self.link, self.cookie, self.csrf = port, f"/invitation/{token}", "", ""
        self.host = "127.0.0.1"

    def exchange(self, method, path, fields=None, **headers):
        """One request on a connection of its own; gives status, headers and page. Remembers cookie and form token."""
        connection = HTTPConnection(self.host, self.port)
        body = urlencode({"csrf_token": self.csrf} | (fields or {})) if method == "POST" else None
        ours = {"Cookie": self.cookie, "Content-Type": "application/x-www-form-urlencoded"}
        connection.request(method, path, body, ours | headers)
        answer = connection.getresponse()
        page = answer.read().decode()
        cookies = re.search(r"folgetermin=[^;]+", answer.headers.get("Set-Cookie") or "")
        connection.close()
        if cookies:
            self.cookie = cookies[0]
        token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page)
        if token:
            self.csrf = token[1]
        return answer.status, answer.headers, page

    def call(self, method, path, fields=None):
        """One request; gives status and Location."""
        status, headers, _page = self.exchange(method, path, fields)
        return status, headers.get("Location")

    def look(self):
        self.call("GET", self.link)
        return self

    def enter(self):
        self.look().call("POST", f"{self.link}/visit")
        self.call("GET", "/my")
        return self


def all_at_once(calls):
    """Do all of it at the same moment; gives the answers in the order of the calls."""
    start, found = threading.Barrier(len(calls)), [None] * len(calls)

    def run(number, call):
        start.wait()
        found[number] = call()

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found
