"""Making, changing and moving agenda items, writing notes, planning the follow-up conference."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from uuid import uuid4

from flask_babel import force_locale
from flask_babel import gettext as _
from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError

from ..accounts.models import Account, Role
from ..conferences import operations as conferences
from ..conferences.models import Conference
from ..conferences.queries import follower_of, powers_of, room_of, rooms_of, topics_of
from ..core import agenda as core
from ..core.walltime import end_of_day
from ..invitations.models import Letter
from ..kit.dates import local, show_date
from ..kit.db import db, found, one_locked
from ..kit.errors import Refused, check_version
from ..registrations import seats
from . import queries
from .models import AgendaItem, CancelledEntry, ItemKind, Note

REVIEW_LENGTH = timedelta(minutes=15)


@dataclass(frozen=True)
class ItemFields:
    """What an organiser says of an agenda item; day and clock time are those of the conference's zone."""

    kind: ItemKind
    title: str
    description: str
    day: date
    clock: time
    duration: timedelta
    room_id: int | None
    person: str
    internal: bool


@dataclass(frozen=True)
class FollowUpFields:
    """What an organiser says of the follow-up conference; the rest is taken over.

    No slug: made from the title. No `answer_by`: as many days before as last time, but not in the past.
    `another`: although there is one already.
    """

    title: str
    slug: str
    day: date
    answer_by: date | None = None
    another: bool = False


class AlreadyPlanned(Refused):
    """There is a follow-up conference already: carries its slug and title, so that the page can lead there."""

    def __init__(self, follower: Conference) -> None:
        super().__init__(_("The follow-up conference is already planned: “%(title)s”.", title=follower.title))
        self.slug, self.title = follower.slug, follower.title


def add_item(conference: Conference, fields: ItemFields, *, at: datetime) -> AgendaItem:
    """A new item. Raises Refused for a time that is not on the day, a foreign room, or when it is there already."""
    _lock(conference)
    starts_at = _placed(conference, fields)
    twin = select(AgendaItem.id).where(
        AgendaItem.conference_id == conference.id,
        AgendaItem.title == fields.title,
        AgendaItem.starts_at == starts_at,
    )
    if db.session.scalar(twin) is not None:
        raise Refused(_("“%(title)s” is already on the agenda at this time.", title=fields.title))
    item = AgendaItem(conference_id=conference.id, starts_at=starts_at, uid=str(uuid4()), updated_at=at)
    _fill(conference, item, fields)
    db.session.add(item)
    db.session.flush()  # moving it and pointing at it need the id
    return item


def change_item(
    item: AgendaItem, fields: ItemFields, version: int | None, *, at: datetime, follow: bool = False
) -> AgendaItem:
    """Change an item; with `follow` everything after it moves by as much as its end does.

    The calendar's sequence grows only with time, duration or room. Nothing changed leaves it all as it is.
    Raises Stale with both texts, Refused as in `add_item`.
    """
    conference = _lock(item.conference)
    item = found(one_locked(select(AgendaItem).where(AgendaItem.id == item.id)))
    check_version(version, item.version, mine=_told(fields), theirs=_told(_fields_of(item)))
    starts_at = _placed(conference, fields)
    if (fields, starts_at) == (_fields_of(item), item.starts_at):
        return item
    old_end, was_internal = item.ends_at, item.internal
    planned = (item.starts_at, item.duration, item.room_id)
    item.starts_at = starts_at
    _fill(conference, item, fields)
    if planned != (item.starts_at, item.duration, item.room_id) or was_internal != item.internal:
        item.sequence += 1
    _tell_calendars(item, was_internal=was_internal, at=at)
    item.version, item.updated_at = item.version + 1, at
    if follow and item.ends_at != old_end:
        others = [slot for slot in queries.slots_of(queries.items_of(conference)) if slot.id != item.id]
        _retime(conference, core.shifted(others, old_end, item.ends_at - old_end), at)
    return item


def remove_item(item: AgendaItem, *, at: datetime) -> None:
    """Take an item off the agenda, with its notes; calendars are told for 30 days. Refused while results refer to it."""
    _conference, item = _fresh(item, None)
    if not item.internal:
        _cancel(item, item.sequence + 1, at)
    try:
        with db.session.begin_nested():
            db.session.delete(item)
            db.session.flush()  # who refers to it must be known here
    except IntegrityError as error:
        reason = _(
            "Decisions or actions refer to “%(title)s”. It must stay, so that they keep their origin.",
            title=item.title,
        )
        raise Refused(reason) from error


def move_item(
    item: AgendaItem, direction: core.Direction, *, at: datetime, version: int | None = None
) -> AgendaItem | None:
    """Let an item change places with its neighbour (rule in core.agenda); returns the neighbour.

    Raises Refused at the edge, and when `version` is given and is not the item's: then it was moved meanwhile.
    """
    conference, item = _fresh(item, version)
    items = queries.items_of(conference)
    try:
        times = core.moved(queries.slots_of(items), item.id, direction)
    except core.BadTime as error:
        raise Refused(_("“%(title)s” has no neighbour to change places with.", title=item.title)) from error
    earlier = {other.id for other in items if other.starts_at < item.starts_at}
    _retime(conference, times, at)
    return next(
        (other for other in items if (other.id in earlier) != (other.starts_at < item.starts_at)), None
    )


def delay_item(
    item: AgendaItem, by: timedelta, *, at: datetime, version: int | None = None, following: bool = False
) -> None:
    """Begin later, or earlier by a negative time; `following` takes along what begins then or later.

    Raises Refused when something would leave the day, or as in `move_item`.
    """
    conference, item = _fresh(item, version)
    times = {item.id: item.starts_at + by}
    if following:
        times = core.shifted(queries.slots_of(queries.items_of(conference)), item.starts_at, by)
    _retime(conference, times, at)


def close_gaps(item: AgendaItem, *, at: datetime) -> int:
    """Let everything after an item follow without a gap; returns how many items have moved."""
    conference, item = _fresh(item, None)
    times = core.without_gaps(queries.slots_of(queries.items_of(conference)), item.id)
    _retime(conference, times, at)
    return len(times)


def move_to_day(conference: Conference, *, at: datetime) -> int:
    """After the conference has got another day: bring the items there at the same times; returns how many have moved."""
    conference = _lock(conference)
    slots = queries.slots_of(queries.items_of(conference))
    astray = [slot for slot in slots if not core.is_on(slot, conference.day, conference.zone)]
    times = {slot.id: slot.starts_at for slot in core.on_day(astray, conference.zone, conference.day)}
    _retime(conference, times, at)
    return len(times)


def _lock(conference: Conference) -> Conference:
    return found(one_locked(select(Conference).where(Conference.id == conference.id)))


def _fresh(item: AgendaItem, version: int | None) -> tuple[Conference, AgendaItem]:
    conference = _lock(item.conference)
    item = found(one_locked(select(AgendaItem).where(AgendaItem.id == item.id)))
    if version is not None and version != item.version:
        raise Refused(
            _("“%(title)s” has been moved or changed meanwhile. This is how it stands now.", title=item.title)
        )
    return conference, item


def _retime(conference: Conference, times: Mapping[int, datetime], at: datetime) -> None:
    for item in queries.items_of(conference):
        if item.id not in times or times[item.id] == item.starts_at:
            continue
        item.starts_at = times[item.id]
        item.sequence, item.version, item.updated_at = item.sequence + 1, item.version + 1, at
        if not core.is_on(queries.slots_of([item])[0], conference.day, conference.zone):
            raise Refused(
                _("“%(title)s” would no longer lie on the day of the conference.", title=item.title)
            )


def _placed(conference: Conference, fields: ItemFields) -> datetime:
    if fields.day != conference.day:
        raise Refused(_("An agenda item must lie on the day of the conference."))
    try:
        return core.placed(fields.day, fields.clock, fields.duration, conference.zone)
    except core.BadTime as error:
        raise Refused(words_for(error)) from error


def words_for(error: core.BadTime) -> str:
    """The sentence for a time at which no item can be."""
    if error.code == "midnight":
        return str(_("An agenda item must end by midnight."))
    return str(_("This time does not exist on that day, because the clocks change."))


def _fill(conference: Conference, item: AgendaItem, fields: ItemFields) -> None:
    room = None if fields.room_id is None else room_of(conference, fields.room_id)
    if fields.room_id is not None and room is None:
        raise Refused(_("This room does not belong to the conference."))
    item.kind, item.title, item.description, item.duration = (
        fields.kind,
        fields.title,
        fields.description,
        fields.duration,
    )
    item.room_id, item.room, item.person, item.internal = fields.room_id, room, fields.person, fields.internal


def _fields_of(item: AgendaItem) -> ItemFields:
    begin = local(item.starts_at, item.conference.zone)
    return ItemFields(
        kind=item.kind,
        title=item.title,
        description=item.description,
        day=begin.date(),
        clock=begin.time(),
        duration=item.duration,
        room_id=item.room_id,
        person=item.person,
        internal=item.internal,
    )


def _told(fields: ItemFields) -> str:
    minutes = int(fields.duration.total_seconds() // 60)
    return "\n".join(
        [fields.title, f"{fields.clock:%H:%M}, {minutes} min", fields.person, fields.description]
    )


def _tell_calendars(item: AgendaItem, *, was_internal: bool, at: datetime) -> None:
    if item.internal and not was_internal:
        _cancel(item, item.sequence, at)
    if was_internal and not item.internal:
        db.session.execute(delete(CancelledEntry).where(CancelledEntry.uid == item.uid))


def _cancel(item: AgendaItem, sequence: int, at: datetime) -> None:
    db.session.execute(
        delete(CancelledEntry).where(CancelledEntry.cancelled_at < at - queries.CANCELLED_STAY)
    )
    entry = CancelledEntry(
        conference_id=item.conference_id,
        uid=item.uid,
        sequence=sequence,
        title=item.title,
        starts_at=item.starts_at,
        duration=item.duration,
        cancelled_at=at,
    )
    db.session.add(entry)


def save_note(
    item: AgendaItem, text: str, started_from: int | None, account: Account | None, *, at: datetime
) -> Note | None:
    """Save a new state of the note; the same text again makes none. None while there is nothing to save.

    `started_from` is the number that the writer saw (0 for none). Raises Stale with both texts when it is not the newest.
    """
    one_locked(select(AgendaItem).where(AgendaItem.id == item.id))
    current = queries.note_of(item)
    stored, number = (current.text, current.number) if current else ("", 0)
    if text == stored:
        return current
    check_version(started_from, number, mine=text, theirs=stored)
    note = Note(agenda_item_id=item.id, number=number + 1, text=text, account=account, saved_at=at)
    db.session.add(note)
    db.session.flush()  # the list of states below the form shows it
    return note


def plan_follow_up(
    conference: Conference, fields: FollowUpFields, account: Account, *, at: datetime
) -> Conference:
    """The next conference of the series: key facts, rooms, topics, letters, how seats are given and agenda, opened by a review.

    Nobody is invited yet, and nothing that people said or wrote is taken over. The planner works on the series.
    Raises AlreadyPlanned, or Refused for a day that is not after this conference or already taken, and as `create_conference`.
    """
    conference = _lock(conference)
    follower = follower_of(conference)
    if follower is not None and not fields.another:
        raise AlreadyPlanned(follower)
    if fields.day <= conference.day:
        raise Refused(
            _("The follow-up conference must be after this one (%(day)s).", day=show_date(conference.day))
        )
    if fields.day in queries.days_in_use(conference):
        raise Refused(
            _("There is already a conference of this series on %(day)s.", day=show_date(fields.day))
        )
    planned = conferences.create_conference(
        conference.series, _next_facts(conference, fields, at), at=at, previous=conference
    )
    if powers_of(account).over(conference.series_id).isdisjoint({"admin", "organiser"}):
        # Who works on one conference only goes on with the next one, and sees no other.
        conferences.give_role(account, Role.ORGANISER, planned, by=account, at=at)
    rooms = {
        room.id: conferences.add_room(planned, room.name, room.capacity).id for room in rooms_of(conference)
    }
    for topic in topics_of(conference):
        conferences.add_topic(planned, topic.title)
    seats.copy_rules(conference, planned)
    _copy_letters(conference, planned, at)
    _copy_agenda(conference, planned, rooms, at)
    return planned


def _next_facts(conference: Conference, fields: FollowUpFields, at: datetime) -> conferences.ConferenceFields:
    as_far_ahead = fields.day - (conference.day - conference.answer_by)
    today = local(at, conference.zone).date()
    return conferences.ConferenceFields(
        title=fields.title,
        slug=fields.slug,
        day=fields.day,
        # Where that day is over already, nobody could answer.
        answer_by=fields.answer_by or max(as_far_ahead, min(today, fields.day)),
        begin=local(conference.starts_at, conference.zone).time(),
        end=local(conference.ends_at, conference.zone).time(),
        focus_question=conference.focus_question,
        venue=conference.venue,
        address=conference.address,
        seats=conference.seats,
        organiser_name=conference.organiser_name,
        organiser_email=conference.organiser_email,
        organiser_phone=conference.organiser_phone,
        zone=conference.zone,
        language=conference.language,
    )


def _copy_letters(conference: Conference, planned: Conference, at: datetime) -> None:
    for letter in db.session.scalars(
        select(Letter).where(Letter.conference_id == conference.id).order_by(Letter.id)
    ):
        copy = Letter(
            conference_id=planned.id,
            kind=letter.kind,
            subject=letter.subject,
            body=letter.body,
            updated_at=at,
        )
        db.session.add(copy)


def _copy_agenda(conference: Conference, planned: Conference, rooms: Mapping[int, int], at: datetime) -> None:
    items = {item.id: item for item in queries.items_of(conference)}
    slots = core.on_day(queries.slots_of(items.values()), conference.zone, planned.day)
    opening = _review_slot(slots, planned)
    for slot in core.opened_with(opening, slots, planned.starts_at, end_of_day(planned.day, planned.zone)):
        source = items.get(slot.id)
        item = AgendaItem(
            conference_id=planned.id,
            kind=ItemKind(slot.kind),
            title=source.title if source else _review_title(conference),
            description=source.description if source else "",
            starts_at=slot.starts_at,
            duration=slot.duration,
            room_id=None if slot.room is None else rooms[slot.room],
            internal=slot.internal,
            uid=str(uuid4()),
            updated_at=at,
        )
        db.session.add(item)
    db.session.flush()  # equal beginnings are told apart by the order of the ids


def _review_slot(slots: list[core.Slot], planned: Conference) -> core.Slot:
    earlier = next((slot for slot in slots if slot.kind == core.REVIEW), None)
    hall = next(
        (
            slot.room
            for slot in slots
            if slot.starts_at >= planned.starts_at and slot.kind in ("plenary", "talk")
        ),
        None,
    )
    return core.Slot(
        id=0,
        starts_at=planned.starts_at,
        duration=earlier.duration if earlier else REVIEW_LENGTH,
        kind=core.REVIEW,
        room=earlier.room if earlier else hall,
    )


def _review_title(conference: Conference) -> str:
    with force_locale(conference.language):
        return str(
            _("What became of the actions of %(day)s", day=show_date(conference.starts_at, conference.zone))
        )
