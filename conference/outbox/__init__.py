"""The outbox: every e-mail is a row, sent after the commit."""

from flask import Blueprint, Flask

from ..kit import clock, jobs

bp = Blueprint("outbox", __name__)

from ..core.mail_answers import meaning  # noqa: E402
from . import control, operations, views  # noqa: E402, F401 - the views register themselves on the blueprint


def init(app: Flask) -> None:
    """Let the worker send each minute, and at once when something was queued."""
    jobs.every_minute(app, "mail", _send)
    jobs.every_minute(app, "mail-texts", _forget)
    app.jinja_env.filters["mail_trouble"] = meaning


def _send() -> None:
    operations.drain(clock.now, operations.per_minute())


def _forget() -> None:
    control.forget_texts(at=clock.now())
