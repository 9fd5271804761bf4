"""Decisions and actions, and what became of them."""

from flask import Blueprint, Flask

from ..kit import clock, jobs, unit

bp = Blueprint("actions", __name__)

from . import letters, views  # noqa: E402, F401 - the views register themselves on the blueprint


def init(app: Flask) -> None:
    """Let the worker look for due reminders each minute; it takes the write lock only when there are some."""
    jobs.every_minute(app, "reminders", send_due_reminders)


def send_due_reminders() -> int:
    """Send what is due now; returns the number of letters."""
    now = clock.now()
    with unit.reading():
        if not letters.due_reminders(now=now):
            return 0
    with unit.writing():
        return letters.remind(now=now)
