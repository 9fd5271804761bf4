"""Results sheets: what each group found in each round, handed in by the people at its table."""

from flask import Blueprint

bp = Blueprint("sheets", __name__)

from . import views  # noqa: E402, F401 - the views register themselves on the blueprint
