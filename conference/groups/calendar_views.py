"""A participant's own calendar: an address to subscribe to, and a file."""

from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from ..invitations.models import LinkPurpose
from ..invitations.operations import personal_link, renew_purpose
from ..invitations.queries import link_by_token
from ..kit import access, clock, pages
from ..kit.db import found
from ..kit.errors import Missing
from . import bp
from .personal_calendar import personal_calendar

CALENDAR_FILE = "text/calendar; charset=utf-8"


@bp.post("/my/calendar")
@access.guest
def make_calendar() -> ResponseReturnValue:
    """Make the secret address at which calendars may look; one that is there stays."""
    link = access.link()
    personal_link(link.conference, link.contact, LinkPurpose.CALENDAR, at=clock.now())
    return pages.done("groups.my_groups", _("Your calendar has an address now."), _anchor="calendar")


@bp.post("/my/calendar/renewal")
@access.guest
def renew_calendar() -> ResponseReturnValue:
    """Another secret address; whoever knows the old one sees nothing any more."""
    link = access.link()
    renew_purpose(link.conference, link.contact, LinkPurpose.CALENDAR, at=clock.now())
    message = _("Your calendar has a new address; the old one no longer works. Please subscribe again.")
    return pages.done("groups.my_groups", message, _anchor="calendar")


@bp.get("/my/calendar.ics")
@access.guest
def my_calendar() -> ResponseReturnValue:
    """The same as a file, as it stands now."""
    link = access.link()
    content = personal_calendar(link.conference, link.contact_id, at=clock.now())
    return pages.file(content, CALENDAR_FILE, f"{link.conference.slug}.ics")


@bp.get("/calendar/<token>.ics")
@access.public
def personal_feed(token: str) -> ResponseReturnValue:
    """For calendars, which come again every few hours, without a cookie. Good for looking at, and for nothing else."""
    link = found(link_by_token(token, clock.now()))
    if link.purpose is not LinkPurpose.CALENDAR:
        raise Missing
    content = personal_calendar(link.conference, link.contact_id, at=clock.now())
    response = pages.file(content, CALENDAR_FILE, f"{link.conference.slug}.ics", inline=True)
    return pages.cacheable(response, seconds=900, public=False)
