"""Who has a seat, who waits, who was there."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import and_, exists, func, or_, select
from sqlalchemy.orm import joinedload

from ..conferences.models import Conference, Topic
from ..core.salutation import sort_key
from ..invitations.models import Invitation
from ..kit.db import db, portions
from ..providers.models import Contact, Provider, Side
from .models import (
    Attendance,
    Consent,
    ConsentKind,
    OfferEnd,
    Presence,
    ProviderLimit,
    Registration,
    SeatOffer,
    SeatRules,
    Standing,
    Wish,
)

MOST_OFFERS = 2
"""So many offers that somebody lets pass; after that only an organiser offers them a seat again."""


@dataclass(frozen=True)
class SeatCounts:
    """Seats of a conference and who has or wants them; `waiting` are those who have no offer."""

    seats: int
    confirmed: int
    waiting: int
    offered: int = 0

    @property
    def promised(self) -> int:
        """Seats that somebody has, or may still take."""
        return self.confirmed + self.offered

    @property
    def free(self) -> int:
        """Seats that nobody has and that are held for nobody; never below 0."""
        return max(0, self.seats - self.promised)


@dataclass(frozen=True)
class Limits:
    """How many seats each organisation may have: a default, and exceptions by its id (None there: no limit)."""

    default: int | None
    exceptions: Mapping[int, int | None]

    def of(self, provider_id: int, side: Side = Side.PROVIDER) -> int | None:
        """The limit for people of this organisation; None where there is none. The agency itself has no default."""
        if provider_id in self.exceptions:
            return self.exceptions[provider_id]
        return self.default if side is Side.PROVIDER else None


class Allotment:
    """The seats that are left to give: in all, and of each organisation. Read it under the lock of the conference."""

    def __init__(self, free: int, limits: Limits, taken: Mapping[int, int]) -> None:
        self.free = free
        self.limits = limits
        self.taken = Counter(taken)

    def is_full_for(self, contact: Contact) -> bool:
        """Whether the person's organisation has all the seats that it may have."""
        limit = self.limits.of(contact.provider_id, contact.side)
        return limit is not None and self.taken[contact.provider_id] >= limit

    def has_room_for(self, contact: Contact) -> bool:
        """Whether there is a seat for the person."""
        return self.free > 0 and not self.is_full_for(contact)

    def take(self, contact: Contact) -> None:
        """Count a seat as given to the person."""
        self.free -= 1
        self.taken[contact.provider_id] += 1


@dataclass(frozen=True)
class ProviderSeats:
    """One organisation in numbers."""

    provider: Provider
    invited: int
    confirmed: int
    offered: int
    waiting: int
    limit: int | None
    exception: ProviderLimit | None

    @property
    def is_above(self) -> bool:
        """Whether it has more than its limit, because that was lowered."""
        return self.limit is not None and self.confirmed + self.offered > self.limit


@dataclass(frozen=True)
class PlaceInLine:
    """Somebody on the waiting list: the place, and the offer that holds a seat for them."""

    number: int
    offer: SeatOffer | None


def place_of_guest(conference: Conference, contact_id: int) -> PlaceInLine | None:
    """Where the person waits; None for who does not wait."""
    registration = registration_of(conference, contact_id)
    if registration is None or registration.standing is not Standing.WAITING:
        return None
    return PlaceInLine(place_in_line(registration), open_offer_of(registration))


def standings_in_line(conference: Conference) -> dict[int, str]:
    """What to call those on the waiting list, by contact id: who has an offer is not said to wait."""
    query = select(Registration.contact_id, _HAS_OFFER).where(
        Registration.conference_id == conference.id, Registration.standing == Standing.WAITING
    )
    waits, offered = str(Standing.WAITING.label), _("has an offer")
    return {
        contact_id: offered if has_offer else waits for contact_id, has_offer in db.session.execute(query)
    }


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
    """Seats, confirmed, waiting and offered, in one query."""
    query = (
        select(Registration.standing, _HAS_OFFER, func.count(Registration.id))
        .where(Registration.conference_id == conference.id)
        .group_by(Registration.standing, _HAS_OFFER)
    )
    counts = {
        (standing, bool(has_offer)): number for standing, has_offer, number in db.session.execute(query)
    }
    return SeatCounts(
        conference.seats,
        counts.get((Standing.CONFIRMED, False), 0),
        counts.get((Standing.WAITING, False), 0),
        counts.get((Standing.WAITING, True), 0),
    )


# -- how seats are given ----------------------------------------------

_HAS_OFFER = (
    exists()
    .where(SeatOffer.registration_id == Registration.id, SeatOffer.ended_at.is_(None))
    .label("has_offer")
)


def rules_of(conference: Conference) -> SeatRules | None:
    """How seats are given; None while nobody has said anything."""
    return db.session.scalar(select(SeatRules).where(SeatRules.conference_id == conference.id))


def exceptions_of(conference: Conference) -> dict[int, ProviderLimit]:
    """Organisations for which another limit holds, by id."""
    query = (
        select(ProviderLimit)
        .options(joinedload(ProviderLimit.provider))
        .where(ProviderLimit.conference_id == conference.id)
    )
    return {limit.provider_id: limit for limit in db.session.scalars(query)}


def limits_of(conference: Conference) -> Limits:
    """How many seats each organisation may have."""
    return _limits(conference, exceptions_of(conference))


def _limits(conference: Conference, exceptions: Mapping[int, ProviderLimit]) -> Limits:
    rules = rules_of(conference)
    return Limits(
        rules.per_provider if rules else None, {key: limit.seats for key, limit in exceptions.items()}
    )


def offer_hours(conference: Conference) -> int | None:
    """How long a seat is offered; None where who is next gets it at once."""
    rules = rules_of(conference)
    return rules.offer_hours if rules else None


def gets_offers(conference: Conference, contact: Contact) -> bool:
    """Whether the person is offered a seat; else they have it at once, as an offer could not reach them."""
    return bool(offer_hours(conference) and contact.email)


def _taken_by_provider(conference: Conference) -> dict[int, int]:
    query = (
        select(Contact.provider_id, func.count(Registration.id).label("taken"))
        .join(Contact, Contact.id == Registration.contact_id)
        .where(
            Registration.conference_id == conference.id,
            or_(
                Registration.standing == Standing.CONFIRMED,
                and_(Registration.standing == Standing.WAITING, _HAS_OFFER),
            ),
        )
        .group_by(Contact.provider_id)
    )
    return {row.provider_id: row.taken for row in db.session.execute(query)}


def allotment_of(conference: Conference, counts: SeatCounts | None = None) -> Allotment:
    """What is left to give; `counts`, where they are known already."""
    limits = limits_of(conference)
    is_limited = limits.default is not None or bool(limits.exceptions)
    taken = _taken_by_provider(conference) if is_limited else {}
    return Allotment((counts or seat_counts(conference)).free, limits, taken)


def provider_seats(conference: Conference) -> list[ProviderSeats]:
    """Every organisation on the guest list in numbers, by name, and those with an exception."""
    exceptions = exceptions_of(conference)
    limits = _limits(conference, exceptions)
    counts: dict[int, Counter[str]] = defaultdict(Counter)
    sides: dict[int, set[Side]] = defaultdict(set)
    providers = {key: one.provider for key, one in exceptions.items()}
    for provider, side, standing, has_offer, people in db.session.execute(_provider_counts(conference)):
        providers[provider.id] = provider
        sides[provider.id].add(side)
        counts[provider.id]["invited"] += people
        counts[provider.id]["offered" if has_offer else str(standing and standing.value)] += people
    found = []
    for key, provider in providers.items():
        side = Side.AGENCY if sides[key] == {Side.AGENCY} else Side.PROVIDER
        number = counts[key]
        found.append(
            ProviderSeats(
                provider=provider,
                invited=number["invited"],
                confirmed=number["confirmed"],
                offered=number["offered"],
                waiting=number["waiting"],
                limit=limits.of(key, side),
                exception=exceptions.get(key),
            )
        )
    return sorted(found, key=lambda seats: seats.provider.name_key)


def _provider_counts(conference: Conference) -> Any:
    here = and_(
        Registration.conference_id == Invitation.conference_id,
        Registration.contact_id == Invitation.contact_id,
    )
    return (
        select(Provider, Contact.side, Registration.standing, _HAS_OFFER, func.count(Invitation.id))
        .select_from(Invitation)
        .join(Contact, Contact.id == Invitation.contact_id)
        .join(Provider, Provider.id == Contact.provider_id)
        .outerjoin(Registration, here)
        .where(Invitation.conference_id == conference.id)
        .group_by(Provider.id, Contact.side, Registration.standing, _HAS_OFFER)
    )


def provider_here(conference: Conference, provider_id: int) -> Provider | None:
    """An organisation of which somebody is on the guest list, or that has an exception."""
    exception = exceptions_of(conference).get(provider_id)
    if exception is not None:
        return exception.provider
    query = (
        select(Provider)
        .join(Contact, Contact.provider_id == Provider.id)
        .join(Invitation, Invitation.contact_id == Contact.id)
        .where(Invitation.conference_id == conference.id, Provider.id == provider_id)
    )
    return db.session.scalars(query.limit(1)).first()


# -- offers -----------------------------------------------------------


def open_offers(conference: Conference) -> dict[int, SeatOffer]:
    """Offers that hold a seat, by registration id; those whose time has just run out are among them until they are ended."""
    query = (
        select(SeatOffer)
        .options(joinedload(SeatOffer.conference))
        .where(SeatOffer.conference_id == conference.id, SeatOffer.ended_at.is_(None))
        .order_by(SeatOffer.id)
    )
    return {offer.registration_id: offer for offer in db.session.scalars(query)}


def open_offer_of(registration: Registration) -> SeatOffer | None:
    """The offer that holds a seat for the person."""
    query = select(SeatOffer).where(
        SeatOffer.registration_id == registration.id, SeatOffer.ended_at.is_(None)
    )
    return db.session.scalar(query)


def offer_of(registration: Registration, offer_id: int) -> SeatOffer | None:
    query = select(SeatOffer).where(SeatOffer.registration_id == registration.id, SeatOffer.id == offer_id)
    return db.session.scalar(query.execution_options(populate_existing=True))


def last_offer_of(registration: Registration) -> SeatOffer | None:
    """The newest offer to the person since they registered, whatever became of it."""
    query = (
        select(SeatOffer)
        .where(SeatOffer.registration_id == registration.id, SeatOffer.made_at >= registration.registered_at)
        .order_by(SeatOffer.id.desc())
    )
    return db.session.scalars(query.limit(1)).first()


def unanswered_offers(conference: Conference) -> dict[int, int]:
    """How many offers people have let pass since they registered, by registration id."""
    query = (
        select(SeatOffer.registration_id, func.count(SeatOffer.id).label("passed"))
        .join(Registration, Registration.id == SeatOffer.registration_id)
        .where(
            SeatOffer.conference_id == conference.id,
            SeatOffer.outcome == OfferEnd.EXPIRED,
            SeatOffer.made_at >= Registration.registered_at,
        )
        .group_by(SeatOffer.registration_id)
    )
    return {row.registration_id: row.passed for row in db.session.execute(query)}


def has_let_pass(registration: Registration) -> bool:
    """Whether the person has let an offer pass since they registered."""
    query = select(SeatOffer.id).where(
        SeatOffer.registration_id == registration.id,
        SeatOffer.outcome == OfferEnd.EXPIRED,
        SeatOffer.made_at >= registration.registered_at,
    )
    return db.session.scalars(query.limit(1)).first() is not None


def silent_ids(conference: Conference) -> set[int]:
    """Registrations that get no more offers by themselves: nobody answered so many of them."""
    return {key for key, passed in unanswered_offers(conference).items() if passed >= MOST_OFFERS}


def to_be_served(conference: Conference, allotment: Allotment) -> list[Registration]:
    """Who on the waiting list gets a seat that is left, in order; the seats are taken from the allotment.

    Passed over are those whose organisation has all its seats, who have an offer, or who have let offers pass. Whoever asked
    that nothing is done with their data keeps the place in line, and hears nothing.
    """
    if allotment.free <= 0:
        return []
    line, offers = waiting_line(conference), open_offers(conference)
    silent = silent_ids(conference) if line and offer_hours(conference) else set()
    served = []
    for registration in line:
        is_passed_over = (
            registration.id in offers or registration.id in silent or registration.contact.is_restricted
        )
        if not is_passed_over and allotment.has_room_for(registration.contact):
            allotment.take(registration.contact)
            served.append(registration)
    return served


def outlook(conference: Conference, contact: Contact) -> str:
    """What a yes would bring now: "seat", "full" where all seats are taken, "organisation" where those of theirs are."""
    allotment = allotment_of(conference)
    if allotment.is_full_for(contact):
        return "organisation"
    has_room = allotment.has_room_for(contact)
    return "seat" if has_room and not to_be_served(conference, allotment) else "full"


def ids_to_look_at(at: datetime) -> list[int]:
    """The conferences in which somebody waits or has an offer."""
    waits = exists().where(
        Registration.conference_id == Conference.id, Registration.standing == Standing.WAITING
    )
    holds = exists().where(SeatOffer.conference_id == Conference.id, SeatOffer.ended_at.is_(None))
    query = select(Conference.id).where(or_(and_(Conference.starts_at > at, waits), holds))
    return list(db.session.scalars(query.order_by(Conference.id)))


def conference_to_settle(conference_id: int, at: datetime) -> Conference | None:
    """The conference, where an offer has run out or is to be remembered, or somebody waits and there is a seat for them."""
    conference = db.session.get(Conference, conference_id)
    return conference if conference is not None and _is_due(conference, at) else None


def _is_due(conference: Conference, at: datetime) -> bool:
    for offer in open_offers(conference).values():
        if not offer.is_open(at) or is_to_be_remembered(offer, at):
            return True
    return at < conference.starts_at and bool(to_be_served(conference, allotment_of(conference)))


def is_to_be_remembered(offer: SeatOffer, at: datetime) -> bool:
    """Whether it is time for the one reminder of an offer."""
    remind_at = offer.remind_at
    return offer.reminded_at is None and remind_at is not None and remind_at <= at and offer.is_open(at)


def attendance_of(conference: Conference) -> dict[int, Attendance]:
    """Recorded attendance by contact id, with person and organisation."""
    query = (
        select(Attendance)
        .options(joinedload(Attendance.contact).joinedload(Contact.provider))
        .where(Attendance.conference_id == conference.id)
    )
    return {attendance.contact_id: attendance for attendance in db.session.scalars(query)}


def present_ids(conference: Conference) -> set[int]:
    """Contact ids of those recorded as present."""
    query = select(Attendance.contact_id).where(
        Attendance.conference_id == conference.id, Attendance.presence == Presence.PRESENT
    )
    return set(db.session.scalars(query))


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
