"""Reads all rooms: start page, leadership's page, the house's own pages."""

from flask import Blueprint

bp = Blueprint("overview", __name__)

from . import papers, views  # noqa: E402, F401 - the views register themselves on the blueprint
