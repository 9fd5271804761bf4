"""Answers, seats, waiting list, attendance on the day."""

from flask import Blueprint

bp = Blueprint("registrations", __name__)

from . import views  # noqa: E402, F401 - the views register themselves on the blueprint
