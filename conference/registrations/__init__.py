"""Answers, seats, waiting list, attendance on the day."""

from flask import Blueprint, Flask

bp = Blueprint("registrations", __name__)

from . import operations, views  # noqa: E402, F401 - the views register themselves on the blueprint


def init(app: Flask) -> None:
    """Tell the conferences, which lie upstream, what follows when the number of seats changes."""
    app.extensions["seats_changed"] = operations.follow_seats
