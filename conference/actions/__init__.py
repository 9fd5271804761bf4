"""Decisions and actions, and what became of them."""

from datetime import datetime
from functools import partial

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
        people = letters.people_to_remind(now=now)
    return sum(unit.tried(f"reminding contact {one}", partial(_remind, one, now)) for one in people)


def _remind(contact_id: int, now: datetime) -> int:
    with unit.writing():
        return letters.remind_person(contact_id, now=now)
