"""Answers, seats, waiting list, attendance on the day."""

from datetime import datetime
from functools import partial

from flask import Blueprint, Flask

from ..kit import clock, jobs, unit

bp = Blueprint("registrations", __name__)

from . import queries, seat_views, seats, views  # noqa: E402, F401 - the views register themselves on the blueprint


def init(app: Flask) -> None:
    """Tell the rooms upstream what follows when the number of seats changes, and who waits; look after offers."""
    app.extensions["seats_changed"] = seats.follow
    app.extensions["place_of_guest"] = queries.place_of_guest
    app.extensions["standings_in_line"] = queries.standings_in_line
    jobs.every_minute(app, "seats", settle_seats)


def settle_seats() -> int:
    """End offers whose time is over, remember the others, and let the waiting list move up. Returns how many conferences."""
    at = clock.now()
    with unit.reading():
        ids = queries.ids_to_look_at(at)
    return sum(unit.tried(f"seats of conference {one}", partial(_settle, one, at)) for one in ids)


def _settle(conference_id: int, at: datetime) -> int:
    with unit.reading():
        conference = queries.conference_to_settle(conference_id, at)
    if conference is not None:
        with unit.writing():
            seats.settle(conference, at=at)
    return int(conference is not None)
