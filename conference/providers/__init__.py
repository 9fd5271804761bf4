"""Training providers and other organisations, and the people there."""

from flask import Blueprint

bp = Blueprint("providers", __name__)

from . import operations, views  # noqa: E402, F401 - the views register themselves on the blueprint
