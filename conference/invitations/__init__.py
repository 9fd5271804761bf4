"""The guest list: import, letters, reminders, personal links."""

from flask import Blueprint, Flask

from ..conferences.queries import conference_here

bp = Blueprint("invitations", __name__)

from . import import_views, views  # noqa: E402, F401 - the views register themselves on the blueprint


def init(app: Flask) -> None:
    """Tell the outbox, which lies upstream, how the conference of its pages is found."""
    app.extensions["outbox_conference"] = conference_here
