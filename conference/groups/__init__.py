"""Breakout rounds, groups and who sits where."""

from flask import Blueprint, Flask

from ..kit import clock, jobs

bp = Blueprint("groups", __name__)

from . import calendar_views, forming, views  # noqa: E402 - the views register themselves on the blueprint

__all__ = ["bp", "calendar_views", "init", "views"]


def init(app: Flask) -> None:
    """Let the worker form what waits each minute, and at once when somebody asked for groups."""
    jobs.every_minute(app, "groups", _form)


def _form() -> None:
    forming.work(clock.now)
