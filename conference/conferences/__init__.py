"""Series, conferences, rooms, topics: what everything else hangs on."""

from flask import Blueprint

bp = Blueprint("conferences", __name__)

from . import views  # noqa: E402, F401 - the views register themselves on the blueprint
