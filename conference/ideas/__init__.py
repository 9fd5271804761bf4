"""Capture by phone, the wall, clusters."""

from flask import Blueprint

bp = Blueprint("ideas", __name__)

from . import views  # noqa: E402, F401 - the views register themselves on the blueprint
