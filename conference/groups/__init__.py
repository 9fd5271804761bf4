"""Breakout rounds, groups and who sits where."""

from flask import Blueprint, Flask

from ..kit import clock, jobs

bp = Blueprint("groups", __name__)

from . import (  # noqa: E402, F401 - the views register themselves on the blueprint
    calendar_views,
    door,
    facilitator_views,
    forming,
    method_views,
    open_space_views,
    repair_views,
    repairing,
    time_views,
    views,
)

__all__ = [
    "bp",
    "calendar_views",
    "facilitator_views",
    "init",
    "method_views",
    "open_space_views",
    "time_views",
    "views",
]


def init(app: Flask) -> None:
    """Let the worker form what waits each minute, and at once when somebody asked for groups.

    The door, which lies upstream, is told who sits where.
    """
    app.extensions["tables_at_door"] = door.door_of
    jobs.every_minute(app, "groups", _form)


def _form() -> None:
    repairing.propose(clock.now())
    forming.work(clock.now)
