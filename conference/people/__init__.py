"""Who works on what: colleagues of a series or conference, accounts of the house, one-time links."""

from flask import Blueprint, Flask

bp = Blueprint("people", __name__)

from ..kit import clock, jobs, unit  # noqa: E402
from . import operations, queries, views  # noqa: E402, F401 - the views register themselves on the blueprint


def init(app: Flask) -> None:
    """Forget what opens nothing any more."""
    jobs.every_minute(app, "account links", forget_old_links)


def forget_old_links() -> int:
    """Forget one-time links that have ended. Returns how many."""
    at = clock.now()
    with unit.reading():
        if not queries.links_ended(at):
            return 0
    with unit.writing():
        return operations.forget_old_links(at=at)
