"""Who has a seat, who waits, who was there."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import joinedload

from ..conferences.models import Conference, Topic
from ..core.salutation import sort_key
from ..kit.db import db, portions
from ..providers.models import Contact
from .models import Attendance, Consent, ConsentKind, Presence, Registration, Standing, Wish


@dataclass(frozen=True)
class SeatCounts:
    """Seats of a conference and who has or wants them."""

    seats: int
    confirmed: int
    waiting: int

    @property
    def free(self) -> int:
        """Seats that nobody has; never below 0."""
        return max(0, self.seats - self.confirmed)


def registration_of(conference: Conference, contact_id: int) -> Registration | None:
    query = select(Registration).where(
        Registration.conference_id == conference.id, Registration.contact_id == contact_id
    )
    return db.session.scalar(query)


def registration_here(conference: Conference, registration_id: int) -> Registration | None:
    query = select(Registration).where(
        Registration.conference_id == conference.id, Registration.id == registration_id
    )
    return db.session.scalar(query)


def registrations_of(conference: Conference) -> list[Registration]:
    """All registrations with person and organisation, in German order."""
    query = (
        select(Registration)
        .options(joinedload(Registration.contact).joinedload(Contact.provider))
        .where(Registration.conference_id == conference.id)
    )
    return sorted(db.session.scalars(query), key=lambda registration: registration.contact.sort_key)


def waiting_line(conference: Conference) -> list[Registration]:
    """The waiting list, first come first."""
    query = (
        select(Registration)
        .options(joinedload(Registration.contact).joinedload(Contact.provider))
        .where(Registration.conference_id == conference.id, Registration.standing == Standing.WAITING)
        .order_by(Registration.queue_number)
    )
    return list(db.session.scalars(query))


def place_in_line(registration: Registration) -> int:
    """1 for the first on the waiting list."""
    query = select(func.count(Registration.id)).where(
        Registration.conference_id == registration.conference_id,
        Registration.standing == Standing.WAITING,
        Registration.queue_number <= registration.queue_number,
    )
    return db.session.scalar(query) or 0


def seat_counts(conference: Conference) -> SeatCounts:
    """Seats, confirmed and waiting, in one query."""
    query = (
        select(Registration.standing, func.count(Registration.id))
        .where(Registration.conference_id == conference.id)
        .group_by(Registration.standing)
    )
    counts = {standing: number for standing, number in db.session.execute(query)}  # noqa: C416 - a Result has keys(), dict() would misread it
    return SeatCounts(conference.seats, counts.get(Standing.CONFIRMED, 0), counts.get(Standing.WAITING, 0))


def attendance_of(conference: Conference) -> dict[int, Attendance]:
    """Recorded attendance by contact id, with person and organisation."""
    query = (
        select(Attendance)
        .options(joinedload(Attendance.contact).joinedload(Contact.provider))
        .where(Attendance.conference_id == conference.id)
    )
    return {attendance.contact_id: attendance for attendance in db.session.scalars(query)}


def participants(conference: Conference) -> list[Contact]:
    """Who is expected or there: confirmed people and present walk-ins, without those recorded as not there.

    For lists, papers and groups: nobody whose data are restricted is among them. They may still take part.
    """
    attendance = attendance_of(conference)
    confirmed = [one for one in registrations_of(conference) if one.standing is Standing.CONFIRMED]
    people = {one.contact_id: one.contact for one in confirmed}
    people |= {contact_id: one.contact for contact_id, one in attendance.items()}
    recorded = {contact_id: one.presence for contact_id, one in attendance.items()}
    kept = [people[contact_id] for contact_id in _expected({one.contact_id for one in confirmed}, recorded)]
    return sorted((one for one in kept if not one.is_restricted), key=lambda contact: contact.sort_key)


def restricted_ids(ids: Iterable[int]) -> set[int]:
    """Those of these people whose data may not be used, so that nothing names them."""
    query = select(Contact.id).where(Contact.restricted_at.is_not(None))
    return {one for some in portions(ids) for one in db.session.scalars(query.where(Contact.id.in_(some)))}


def participant_ids(conference: Conference) -> set[int]:
    """Contact ids of the participants, where nobody's name is needed; also of those whose data are restricted."""
    confirmed = select(Registration.contact_id).where(
        Registration.conference_id == conference.id, Registration.standing == Standing.CONFIRMED
    )
    recorded = select(Attendance.contact_id, Attendance.presence).where(
        Attendance.conference_id == conference.id
    )
    rows = db.session.execute(recorded).all()
    presences = {contact_id: presence for contact_id, presence in rows}  # noqa: C416 - rows, not pairs
    return _expected(set(db.session.scalars(confirmed)), presences)


def _expected(confirmed: set[int], recorded: Mapping[int, Presence]) -> set[int]:
    present = {contact_id for contact_id, presence in recorded.items() if presence is Presence.PRESENT}
    return (confirmed - recorded.keys()) | present


def named_participants(conference: Conference) -> list[tuple[str, Contact]]:
    """The participants with the names that they gave themselves, in German order: what is printed about them."""
    given = {
        r.contact_id: r.name for r in registrations_of(conference) if r.standing is not Standing.WITHDRAWN
    }
    people = [(given.get(contact.id, contact.name), contact) for contact in participants(conference)]
    return sorted(people, key=lambda person: _sort_key(*person))


def list_for_participants(conference: Conference) -> tuple[list[tuple[str, Contact]], int]:
    """Who has agreed to be on the list that all get, and how many others there are."""
    consents = consents_of(conference)
    everybody = named_participants(conference)
    named = [
        (name, contact)
        for name, contact in everybody
        if ConsentKind.LIST in consents.get(contact.id, set()) and contact.restricted_at is None
    ]
    return named, len(everybody) - len(named)


def _sort_key(name: str, contact: Contact) -> tuple[str, str]:
    if name == contact.name or name.endswith(contact.last_name):
        return contact.sort_key
    first_name, _blank, last_name = name.rpartition(" ")
    return sort_key(last_name, first_name)


def wishes_of(conference: Conference) -> dict[int, list[Topic]]:
    """Wished topics by contact id, first choice first."""
    query = (
        select(Registration.contact_id, Topic)
        .join(Wish, Wish.registration_id == Registration.id)
        .join(Topic, Topic.id == Wish.topic_id)
        .where(Registration.conference_id == conference.id)
        .order_by(Wish.rank)
    )
    wishes: dict[int, list[Topic]] = defaultdict(list)
    for contact_id, topic in db.session.execute(query):
        wishes[contact_id].append(topic)
    return wishes


def wishes_of_person(registration: Registration) -> list[int]:
    """Wished topic ids of one registration, first choice first."""
    query = select(Wish.topic_id).where(Wish.registration_id == registration.id).order_by(Wish.rank)
    return list(db.session.scalars(query))


def consents_of(conference: Conference) -> dict[int, set[ConsentKind]]:
    """Valid consents by contact id."""
    query = (
        select(Registration.contact_id, Consent.kind)
        .join(Consent, Consent.registration_id == Registration.id)
        .where(Registration.conference_id == conference.id, Consent.withdrawn_at.is_(None))
    )
    consents: dict[int, set[ConsentKind]] = defaultdict(set)
    for contact_id, kind in db.session.execute(query):
        consents[contact_id].add(kind)
    return consents


def valid_consents(registration: Registration) -> dict[ConsentKind, Consent]:
    """Consents of one registration that were not withdrawn."""
    query = select(Consent).where(Consent.registration_id == registration.id, Consent.withdrawn_at.is_(None))
    return {consent.kind: consent for consent in db.session.scalars(query)}
