"""The record of all changes, for people to read: on each object, and as a whole for administrators."""

from functools import partial

from flask import Blueprint, Flask

from ..kit import clock, jobs
from ..upkeep import erasures

bp = Blueprint("record", __name__)

from . import operations, queries, views  # noqa: E402, F401 - the views register themselves on the blueprint


def init(app: Flask) -> None:
    """Let pages show the history of what they are about, and keep the head of the chain outside of the database."""
    app.jinja_env.globals.update(
        history_of=queries.history_of,
        history_of_rounds=queries.history_of_rounds,
        history_here=queries.history_here,
    )
    # Erasers run when a backup has been restored: the chain is then as short as it was, and heads noted since say nothing.
    erasures.on(app, erasures.ADDRESS, partial(operations.after_restore, app))
    jobs.every_minute(app, "audit-head", lambda: operations.keep_head(app, at=clock.now()))
