"""The guest list: import, letters, reminders, personal links."""

from flask import Blueprint, Flask

from ..conferences.models import Conference
from ..conferences.queries import conference_here

bp = Blueprint("invitations", __name__)

from ..kit import clock  # noqa: E402
from . import import_views, queries, views  # noqa: E402, F401 - the views register themselves on the blueprint


def init(app: Flask) -> None:
    """Tell rooms upstream how the outbox finds a conference, and how many guests have to hear of a change."""
    app.extensions["outbox_conference"] = conference_here
    app.extensions["guests_to_tell"] = _guests_to_tell


def _guests_to_tell(conference: Conference) -> int:
    if clock.now() >= conference.ends_at:
        return 0
    return len(queries.outdated(queries.guest_list(conference), conference))
