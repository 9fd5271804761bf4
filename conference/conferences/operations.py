"""Making and changing series, conferences, rooms and topics."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

from flask import current_app
from flask_babel import LazyString, force_locale
from flask_babel import gettext as _
from sqlalchemy import select

from ..accounts.models import Account, Role
from ..core.slugs import slugify, unique_slug
from ..core.walltime import NoSuchTime, to_utc
from ..kit.db import db, next_number, one_locked
from ..kit.errors import Refused, check_version
from ..outbox.operations import NewMail, worded
from . import queries
from .models import Conference, Grant, Room, Series, Topic


@dataclass(frozen=True)
class ConferenceFields:
    """What an organiser says of a conference; day and clock times are those of its zone."""

    title: str
    focus_question: str
    day: date
    begin: time
    end: time
    answer_by: date
    venue: str
    address: str
    seats: int
    organiser_name: str
    organiser_email: str
    organiser_phone: str = ""
    zone: str = "Europe/Berlin"
    slug: str = ""
    language: str = "de"


def create_series(account: Account, title: str, host: str, *, at: datetime) -> Series:
    """A new series; whoever makes it works on it."""
    series = Series(
        slug=unique_slug(slugify(title), queries.series_slugs()), title=title, host=host, created_at=at
    )
    db.session.add(series)
    db.session.flush()  # the grant needs the id
    if account.role is not Role.ADMIN:
        give_role(account, Role.ORGANISER, series, by=account, at=at)
    return series


def change_series(series: Series, title: str, host: str, version: int | None) -> Series:
    """Call a series otherwise; its short name stays. Raises Stale when somebody else changed it meanwhile."""
    locked = one_locked(select(Series).where(Series.id == series.id)) or series
    check_version(version, locked.version, mine=f"{title}\n{host}", theirs=f"{locked.title}\n{locked.host}")
    locked.title, locked.host = title, host
    locked.version += 1
    return locked


def give_role(
    account: Account,
    role: Role,
    place: Series | Conference | None,
    *,
    by: Account | None,
    at: datetime,
    expires_at: datetime | None = None,
) -> Grant:
    """Let an account work on a series or a conference (or on all); a second time only the end changes.

    Raises Refused for what is no role in a place: administrators are made for the whole house or for a series.
    """
    if role is Role.COLLEAGUE or (role is Role.ADMIN and not isinstance(place, Series)):
        raise Refused(_("This role cannot be given here."))
    where = {
        "series_id": place.id if isinstance(place, Series) else None,
        "conference_id": place.id if isinstance(place, Conference) else None,
    }
    known = db.session.scalars(select(Grant).filter_by(account_id=account.id, role=role, **where)).first()
    if known is None:
        known = Grant(account_id=account.id, role=role, since=at, **where)
        db.session.add(known)
    known.expires_at, known.granted_by_id = expires_at, None if by is None else by.id
    db.session.flush()
    return known


def add_member(series: Series, account: Account, *, at: datetime | None = None) -> None:
    """Let an account work on a series in the role that it has in the house."""
    give_role(account, account.role, series, by=None, at=at or account.created_at)


def create_conference(
    series: Series, fields: ConferenceFields, *, at: datetime, previous: Conference | None = None
) -> Conference:
    """A new conference in a series.

    Raises Refused when times do not exist or contradict each other, or the short name is taken.
    """
    one_locked(select(Series).where(Series.id == series.id))
    starts_at, ends_at = _instants(fields)
    conference = Conference(
        series=series,
        previous_id=None if previous is None else previous.id,
        number=next_number(Conference.number, Conference.series_id == series.id),
        slug=_free_slug(fields),
        starts_at=starts_at,
        ends_at=ends_at,
        created_at=at,
        updated_at=at,
        **_plain(fields),
    )
    db.session.add(conference)
    db.session.flush()  # rooms and agenda need the id
    return conference


def change_conference(
    conference: Conference, fields: ConferenceFields, version: int | None, *, at: datetime
) -> Conference:
    """Change the key facts. The short name stays: it is in addresses that people have.

    More seats let the waiting list move up. Raises Stale when somebody else changed them, Refused as in
    `create_conference` or for fewer seats than are taken.
    """
    locked = one_locked(select(Conference).where(Conference.id == conference.id)) or conference
    starts_at, ends_at = _instants(fields)
    check_version(version, locked.version, mine=_summary(_plain(fields)), theirs=_summary(vars(locked)))
    if (starts_at, ends_at, fields.venue, fields.address) != (
        locked.starts_at,
        locked.ends_at,
        locked.venue,
        locked.address,
    ):
        locked.calendar_sequence += 1
    seats = locked.seats
    locked.starts_at, locked.ends_at, locked.updated_at = starts_at, ends_at, at
    for name, value in _plain(fields).items():
        setattr(locked, name, value)
    locked.version += 1
    if locked.seats != seats:
        current_app.extensions["seats_changed"](locked, seats, at=at)
    return locked


def _plain(fields: ConferenceFields) -> dict[str, object]:
    kept = set(ConferenceFields.__dataclass_fields__) - {"day", "begin", "end", "slug"}
    return {name: getattr(fields, name) for name in sorted(kept)}


def _summary(values: dict[str, object]) -> str:
    names = ("title", "focus_question", "venue", "address", "seats", "answer_by", "organiser_name")
    return "\n".join(str(values[name]) for name in names)


def _instants(fields: ConferenceFields) -> tuple[datetime, datetime]:
    for sentence in time_problems(
        fields.day, fields.begin, fields.end, fields.answer_by, fields.zone
    ).values():
        raise Refused(sentence)
    return to_utc(fields.day, fields.begin, fields.zone), to_utc(fields.day, fields.end, fields.zone)


def time_problems(day: date, begin: time, end: time, answer_by: date, zone: str) -> dict[str, str]:
    """What is wrong with the times of a conference: the name of the field → the sentence about it."""
    moments, problems = {}, {}
    for name, clock in (("begin", begin), ("end", end)):
        try:
            moments[name] = to_utc(day, clock, zone)
        except NoSuchTime:
            problems[name] = _("This time does not exist on that day, because the clocks change.")
    if not problems and moments["end"] <= moments["begin"]:
        problems["end"] = _("The end must be after the beginning.")
    if answer_by > day:
        problems["answer_by"] = _("The answer-by date must not be after the conference.")
    return problems


def _free_slug(fields: ConferenceFields) -> str:
    if not fields.slug:
        return unique_slug(slugify(fields.title), queries.slugs())
    slug = slugify(fields.slug)
    if slug in queries.slugs():
        raise Refused(_("The short name “%(slug)s” is already taken.", slug=slug))
    return slug


def add_room(conference: Conference, name: str, capacity: int) -> Room:
    """A room at the venue. Raises Refused when the name is taken."""
    one_locked(select(Conference).where(Conference.id == conference.id))
    rooms = queries.rooms_of(conference)
    if any(room.name.casefold() == name.casefold() for room in rooms):
        raise Refused(_("There is already a room “%(name)s”.", name=name))
    room = Room(conference_id=conference.id, name=name, capacity=capacity, position=len(rooms) + 1)
    db.session.add(room)
    db.session.flush()  # the agenda refers to the id
    return room


def change_room(conference: Conference, room: Room, name: str, capacity: int) -> None:
    """Rename a room or correct its capacity. Raises Refused when the name is taken."""
    others = [other for other in queries.rooms_of(conference) if other.id != room.id]
    if any(other.name.casefold() == name.casefold() for other in others):
        raise Refused(_("There is already a room “%(name)s”.", name=name))
    room.name, room.capacity = name, capacity


def remove_room(room: Room) -> None:
    """Take a room off the list. Raises IntegrityError (a 409 page) while agenda or groups use it."""
    db.session.delete(room)
    db.session.flush()  # a room in use must be refused here


def add_topic(conference: Conference, title: str) -> Topic:
    """A topic to wish for. Raises Refused when there is one with this title."""
    one_locked(select(Conference).where(Conference.id == conference.id))
    topics = queries.topics_of(conference)
    if any(topic.title.casefold() == title.casefold() for topic in topics):
        raise Refused(_("There is already a topic “%(title)s”.", title=title))
    topic = Topic(conference_id=conference.id, title=title, position=len(topics) + 1)
    db.session.add(topic)
    db.session.flush()  # wishes refer to the id
    return topic


def change_topic(conference: Conference, topic: Topic, title: str) -> None:
    """Reword a topic. Raises Refused when another one has this title."""
    others = [other for other in queries.topics_of(conference) if other.id != topic.id]
    if any(other.title.casefold() == title.casefold() for other in others):
        raise Refused(_("There is already a topic “%(title)s”.", title=title))
    topic.title = title


def remove_topic(topic: Topic) -> None:
    """Take a topic off the list, together with the wishes for it."""
    db.session.delete(topic)


def letter(
    conference: Conference,
    template: str,
    recipient: tuple[str, str],
    *,
    purpose: str,
    context: Mapping[str, object],
    kind: str | None = None,
    button: tuple[LazyString, str] | None = None,
    **more: Any,
) -> NewMail:
    """A letter of the conference, in its language, with its organiser as who is answered; to be queued.

    `context` is for the template, beside the conference; `kind` is the template's name where nothing else is said; `button`
    is (label, address); `more` goes into the letter as it is.
    """
    subject, text = worded(template, conference.language, conference=conference, **context)
    with force_locale(conference.language):
        shown = (str(button[0]), button[1]) if button else None
    return NewMail(
        purpose=purpose,
        kind=kind or template,
        about=conference.slug,
        language=conference.language,
        recipient=recipient,
        subject=subject,
        text=text,
        button=shown,
        reply_to=(conference.organiser_name, conference.organiser_email),
        **more,
    )
