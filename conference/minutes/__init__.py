"""Draft and release of the minutes."""

from flask import Blueprint

bp = Blueprint("minutes", __name__)

from . import views  # noqa: E402, F401 - the views register themselves on the blueprint
