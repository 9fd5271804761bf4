"""The programme as one participant's calendar: where the groups meet stands the own table, as published.

The entry of the agenda item stays the same entry (UID); a table, a room or a topic that changes raises its SEQUENCE, and
so does a seat that is gone: then the entry says again what everybody's says. Nobody else's name is in it.
"""

from dataclasses import replace
from datetime import datetime

from flask_babel import force_locale
from flask_babel import gettext as _
from sqlalchemy import select

from ..agenda.queries import cancelled_entries, entries_of
from ..conferences.models import Conference
from ..core import calendar
from ..core.seating import Entry, OwnSeat, own_seats
from ..kit.db import db
from . import queries
from .models import GroupsRelease


def personal_calendar(conference: Conference, contact_id: int, *, at: datetime) -> bytes:
    """The participant's calendar; without a published seat the same as the public one."""
    entries = entries_of(conference)
    releases = _releases(conference)
    seats = {seat.round: seat for seat in own_seats([release.plan for release in releases], contact_id)}
    for round_ in queries.rounds_of(conference) if seats else ():
        seat, item_id = seats.get(round_.number), round_.agenda_item_id
        if seat is not None and item_id in entries:
            changed_at = releases[seat.changed].released_at
            entries[item_id] = _with_seat(conference, entries[item_id], seat, changed_at)
    return calendar.feed(conference.title, [*entries.values(), *cancelled_entries(conference, at=at)])


def _releases(conference: Conference) -> list[GroupsRelease]:
    query = select(GroupsRelease).where(GroupsRelease.conference_id == conference.id)
    return list(db.session.scalars(query.order_by(GroupsRelease.number)))


def _with_seat(
    conference: Conference, entry: calendar.Entry, seat: OwnSeat, changed_at: datetime
) -> calendar.Entry:
    entry = replace(
        entry, sequence=entry.sequence + seat.changes, updated_at=max(entry.updated_at, changed_at)
    )
    if seat.entry is None:
        return entry
    own = seat.entry
    with force_locale(conference.language):
        table = _("Group %(name)s", name=own["group"])
    room = [own["room"], conference.venue, conference.address]
    return replace(
        entry,
        title=f"{entry.title}: {table}",
        location="\n".join(part for part in room if part) if own["room"] else entry.location,
        description="\n\n".join(part for part in (_about(own), entry.description) if part),
    )


def _about(own: Entry) -> str:
    return "\n\n".join(own[key] for key in ("topic", "focus_question") if own[key])
