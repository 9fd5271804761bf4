"""Rate limits for guessing: generous per address, because a whole agency may sit behind one."""

from flask import Flask
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address

limiter = Limiter(get_remote_address, default_limits=[])


def init(app: Flask) -> None:
    """Set up Flask-Limiter with its memory (or the configured storage)."""
    limiter.init_app(app)
