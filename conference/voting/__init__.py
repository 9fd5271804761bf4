"""Votes with dots: one ballot a person, hidden until closed."""

from flask import Blueprint

bp = Blueprint("voting", __name__)

from . import views  # noqa: E402, F401 - the views register themselves on the blueprint
