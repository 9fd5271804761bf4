"""The inbox: letters that came back and answers by calendar, read from a mailbox where one is configured."""

from flask import Blueprint, Flask

from ..kit import clock, jobs

bp = Blueprint("inbox", __name__)

from . import operations, views  # noqa: E402, F401 - the views register themselves on the blueprint


def init(app: Flask) -> None:
    """Let the worker look into the mailbox each minute."""
    jobs.every_minute(app, "inbox", _look)


def _look() -> None:
    operations.look(clock.now)
