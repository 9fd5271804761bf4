"""Privacy by machine: how long what is kept, and what people can ask for. Lies at the river's mouth and sees all rooms."""

from flask import Blueprint, Flask

from ..kit import clock, jobs
from ..upkeep import erasures

bp = Blueprint("privacy", __name__)

from . import erasing, operations, queries, views  # noqa: E402, F401 - the views register themselves on the blueprint


def init(app: Flask) -> None:
    """Each night throw away whose time is over; soon after an erasure the last letter about it; after a restore erase again."""
    app.jinja_env.globals.update(own_statement=queries.own_statement, kept_for=operations.kept_for)
    # Letters lie upstream; they ask for the periods that hold.
    app.extensions["retention_words"] = operations.retention_words
    app.extensions["letters_kept"] = operations.letters_kept
    app.extensions["periods_list"] = operations.periods_list
    # So does the house, which wants to know whether the nights do their work.
    app.extensions["retention_state"] = queries.retention_state
    app.extensions["people_seen_by"] = queries.seen_by
    app.extensions["is_known_elsewhere"] = queries.is_known_elsewhere
    app.extensions["address_waits"] = operations.note_address
    erasures.on(app, erasures.ADDRESS, erasing.erase_again)
    erasures.on(app, erasing.PERSON, erasing.erase_known_again)
    jobs.every_minute(app, "retention", lambda: operations.keep_schedule(at=clock.now()))
