"""The outbox: every e-mail is a row, sent after the commit."""

from flask import Blueprint, Flask

from ..kit import clock, jobs

bp = Blueprint("outbox", __name__)

from . import operations, views  # noqa: E402, F401 - the views register themselves on the blueprint


def init(app: Flask) -> None:
    """Let the worker send each minute, and at once when something was queued."""
    jobs.every_minute(app, "mail", _send)


def _send() -> None:
    operations.drain(clock.now, operations.allowance(clock.now()))
