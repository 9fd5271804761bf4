"""Agenda items, notes, the public programme and its calendar."""

from flask import Blueprint

bp = Blueprint("agenda", __name__)

from . import views  # noqa: E402, F401 - the views register themselves on the blueprint
