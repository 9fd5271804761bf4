"""Entry point for Flask's command line and for WSGI servers."""

from conference import create_app

app = create_app()
