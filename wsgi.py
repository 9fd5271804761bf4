"""Entry point for Flask's command line and for WSGI servers."""

import click

from conference import create_app

GIVE_UP = 3
"""The exit code at which gunicorn ends, instead of starting the same again and again."""

try:
    app = create_app()
except SystemExit as refusal:
    if isinstance(refusal.code, str) and click.get_current_context(silent=True) is None:
        click.echo(refusal.code, err=True)
        raise SystemExit(GIVE_UP) from None
    raise
