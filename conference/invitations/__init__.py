"""The guest list: import, letters, reminders, personal links."""

from flask import Blueprint, Flask

from ..conferences.models import Conference
from ..conferences.queries import conference_here

bp = Blueprint("invitations", __name__)

from ..kit import clock, jobs, unit  # noqa: E402
from ..outbox.control import when_taken_back  # noqa: E402
from . import import_views, imports, operations, queries, views  # noqa: E402, F401 - the views register themselves on the blueprint


def init(app: Flask) -> None:
    """Tell rooms upstream how the outbox finds a conference, and how many guests have to hear of a change."""
    app.extensions["outbox_conference"] = conference_here
    for kind in ("invitation", "reminder", "update"):
        when_taken_back(app, kind, operations.take_back)
    app.extensions["guests_to_tell"] = _guests_to_tell
    jobs.every_minute(app, "uploads", forget_old_uploads)


def forget_old_uploads() -> int:
    """Forget lists that nobody has confirmed for a week: they hold people's data. Returns how many."""
    at = clock.now()
    with unit.reading():
        if not imports.old_uploads(at):
            return 0
    with unit.writing():
        return imports.forget_old_uploads(at=at)


def _guests_to_tell(conference: Conference) -> int:
    if clock.now() >= conference.ends_at:
        return 0
    return len(queries.outdated(queries.guest_list(conference), conference))
