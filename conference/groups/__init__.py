"""Breakout rounds, groups and who sits where."""

from flask import Blueprint

bp = Blueprint("groups", __name__)

from . import views  # noqa: E402, F401 - the views register themselves on the blueprint
