"""Training providers and other organisations, and the people there."""

from flask import Blueprint, Flask

from ..upkeep import erasures

bp = Blueprint("providers", __name__)

from . import operations, views  # noqa: E402, F401 - the views register themselves on the blueprint


def init(app: Flask) -> None:
    """Say how to erase a person again after a restore."""
    erasures.on(app, erasures.ADDRESS, operations.erase_again)
