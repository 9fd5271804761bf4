"""Items, their warnings and notes; the public programme, as a page and as a calendar."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import joinedload

from ..conferences.models import Conference, Room, Series
from ..core import calendar
from ..core.agenda import Slot
from ..core.agenda_warnings import AgendaWarning, Frame, warnings
from ..invitations.models import Reply
from ..invitations.queries import reply_counts
from ..kit.db import db
from ..kit.pages import absolute
from ..registrations.queries import seat_counts
from .models import AgendaItem, CancelledEntry, ItemKind, Note

CANCELLED_STAY = timedelta(days=30)


@dataclass(frozen=True)
class ProgrammeItem:
    """A line of the public programme."""

    title: str
    description: str
    kind: ItemKind
    starts_at: datetime
    duration: timedelta
    person: str
    room: str | None

    @property
    def ends_at(self) -> datetime:
        return self.starts_at + self.duration


@dataclass(frozen=True)
class Programme:
    """What anybody may see of a conference."""

    id: int
    slug: str
    title: str
    host: str
    focus_question: str
    starts_at: datetime
    ends_at: datetime
    zone: str
    venue: str
    address: str
    language: str
    items: list[ProgrammeItem]


# Made once and of columns only: this page is opened by everybody in the hall at the same minute.
_CONFERENCE = (
    select(
        Conference.id, Conference.slug, Conference.title, Series.host, Conference.focus_question, Conference.starts_at,
        Conference.ends_at, Conference.zone, Conference.venue, Conference.address, Conference.language,
    )
    .join(Series, Series.id == Conference.series_id)
    .where(Conference.slug == bindparam("slug"))
)  # fmt: skip
_ITEMS = (
    select(
        AgendaItem.title, AgendaItem.description, AgendaItem.kind, AgendaItem.starts_at, AgendaItem.duration,
        AgendaItem.person, Room.name,
    )
    .outerjoin(Room, Room.id == AgendaItem.room_id)
    .where(AgendaItem.conference_id == bindparam("conference_id"), AgendaItem.internal.is_(False))
    .order_by(AgendaItem.starts_at, AgendaItem.id)
)  # fmt: skip


def programme_of(slug: str) -> Programme | None:
    """The public programme, in two queries; None when there is no such conference."""
    found = db.session.execute(_CONFERENCE, {"slug": slug}).one_or_none()
    if found is None:
        return None
    rows = db.session.execute(_ITEMS, {"conference_id": found.id})
    return Programme(**found._asdict(), items=[ProgrammeItem(*row) for row in rows])


def items_of(conference: Conference, internal: bool = True) -> list[AgendaItem]:
    """The items in order, with their rooms; without the internal ones for everything that the public may see."""
    query = (
        select(AgendaItem)
        .options(joinedload(AgendaItem.room))
        .where(AgendaItem.conference_id == conference.id)
    )
    if not internal:
        query = query.where(AgendaItem.internal.is_(False))
    return list(db.session.scalars(query.order_by(AgendaItem.starts_at, AgendaItem.id)))


def item_of(conference: Conference, item_id: int) -> AgendaItem | None:
    return db.session.scalar(
        select(AgendaItem).where(AgendaItem.conference_id == conference.id, AgendaItem.id == item_id)
    )


def breakout_items(conference: Conference) -> list[AgendaItem]:
    """The items in which breakout groups meet, in order."""
    return [item for item in items_of(conference) if item.kind is ItemKind.BREAKOUT]


def slots_of(items: Iterable[AgendaItem]) -> list[Slot]:
    """The items as core sees them."""
    return [
        Slot(
            id=item.id,
            starts_at=item.starts_at,
            duration=item.duration,
            kind=str(item.kind.value),
            room=item.room_id,
            capacity=item.room.capacity if item.room else None,
            person=item.person,
            internal=item.internal,
        )
        for item in items
    ]


def warnings_of(conference: Conference, items: Iterable[AgendaItem] | None = None) -> list[AgendaWarning]:
    """What is odd in the agenda, in its order. Give the items where they are at hand."""
    people = _expected(conference)
    frame = Frame(conference.starts_at, conference.ends_at, conference.day, conference.zone, people)
    return warnings(slots_of(items_of(conference) if items is None else items), frame)


def _expected(conference: Conference) -> int:
    """How many may come: those with a seat and those who can still take one; all seats before anybody is on the list."""
    replies, confirmed = reply_counts(conference), seat_counts(conference).confirmed
    if not any(replies.values()):
        return conference.seats
    return max(confirmed, min(conference.seats, confirmed + replies[Reply.OPEN]))


def current_notes(conference: Conference) -> dict[int, Note]:
    """The newest note of each item that has one, by item id; a note that was emptied is none."""
    newest = (
        select(func.max(Note.id).label("id"))
        .join(AgendaItem, AgendaItem.id == Note.agenda_item_id)
        .where(AgendaItem.conference_id == conference.id)
        .group_by(Note.agenda_item_id)
    )
    query = select(Note).where(Note.id.in_(newest), Note.text != "")
    return {note.agenda_item_id: note for note in db.session.scalars(query)}


def notes_of(item: AgendaItem) -> list[Note]:
    """All saved states of an item's note with who saved them, newest first."""
    query = select(Note).options(joinedload(Note.account)).where(Note.agenda_item_id == item.id)
    return list(db.session.scalars(query.order_by(Note.number.desc())))


def note_of(item: AgendaItem, number: int | None = None) -> Note | None:
    """The newest note of an item, or the one with this number."""
    query = select(Note).where(Note.agenda_item_id == item.id).order_by(Note.number.desc()).limit(1)
    return db.session.scalar(query if number is None else query.where(Note.number == number))


def days_in_use(conference: Conference) -> set[date]:
    """The days on which a conference of the same series is held."""
    query = select(Conference).where(Conference.series_id == conference.series_id)
    return {other.day for other in db.session.scalars(query)}


def feed_of(conference: Conference, *, at: datetime | None = None) -> bytes:
    """The public programme as a calendar. Taken back items stay in it as CANCELLED for 30 days before `at`, else for good."""
    entries = entries_of(conference).values()
    return calendar.feed(conference.title, [*entries, *cancelled_entries(conference, at=at)])


def entries_of(conference: Conference) -> dict[int, calendar.Entry]:
    """The public items as calendar entries, by the item's id."""
    return {item.id: _entry(conference, item) for item in items_of(conference, internal=False)}


def cancelled_entries(conference: Conference, *, at: datetime | None = None) -> list[calendar.Entry]:
    """What was taken back in the 30 days before `at`, or ever."""
    gone = select(CancelledEntry).where(CancelledEntry.conference_id == conference.id)
    if at is not None:
        gone = gone.where(CancelledEntry.cancelled_at > at - CANCELLED_STAY)
    return [_cancelled(conference, entry) for entry in db.session.scalars(gone)]


def _entry(conference: Conference, item: AgendaItem) -> calendar.Entry:
    return calendar.Entry(
        uid=item.uid,
        sequence=item.sequence,
        title=item.title,
        starts_at=item.starts_at,
        ends_at=item.ends_at,
        zone=conference.zone,
        location="\n".join(
            part
            for part in (item.room.name if item.room else "", conference.venue, conference.address)
            if part
        ),
        description="\n\n".join(part for part in (item.person, item.description) if part),
        url=absolute("agenda.show_programme", slug=conference.slug),
        status="CONFIRMED",
        updated_at=item.updated_at,
    )


def _cancelled(conference: Conference, entry: CancelledEntry) -> calendar.Entry:
    return calendar.Entry(
        uid=entry.uid,
        sequence=entry.sequence,
        title=entry.title,
        starts_at=entry.starts_at,
        ends_at=entry.starts_at + entry.duration,
        zone=conference.zone,
        location="",
        description="",
        url=absolute("agenda.show_programme", slug=conference.slug),
        status="CANCELLED",
        updated_at=entry.cancelled_at,
    )
