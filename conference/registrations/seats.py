"""Who gets a seat: capacity, limits of organisations, the waiting list and offers.

Everything here happens under the lock of the conference's row. A seat is had by who is confirmed and held for who has an
open offer; what is left goes to the first on the waiting list for whom there is room.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy import select

from ..conferences.models import Conference
from ..invitations.queries import invitation_for
from ..kit.dates import show_day, show_time
from ..kit.db import db, found, next_number, one_locked
from ..kit.errors import Refused, check_version
from ..providers.models import Contact, Provider
from . import letters, queries
from .models import OfferEnd, ProviderLimit, Registration, SeatOffer, SeatRules, Standing

LONGEST_OFFER = 14 * 24
"""Hours."""

USUAL_OFFER = 48
"""Hours that are suggested."""


def locked(conference: Conference) -> Conference:
    """The conference as it is now; whoever takes or gives seats waits here for the others."""
    return found(one_locked(select(Conference).where(Conference.id == conference.id)))


def fresh(conference: Conference, contact_id: int) -> Registration | None:
    """The person's registration as it is now: what was read before the lock may be out of date."""
    query = select(Registration).where(
        Registration.conference_id == conference.id, Registration.contact_id == contact_id
    )
    return one_locked(query)


# -- taking -----------------------------------------------------------


def make_way(conference: Conference, *, at: datetime) -> None:
    """Seats that were held until now go to who is next, before somebody new takes one."""
    if _end_old_offers(conference, at) and at < conference.starts_at:
        move_up(conference, at=at)


def take(conference: Conference, registration: Registration, contact: Contact) -> None:
    """A seat, or the end of the waiting list: who waits and could have the seat goes first."""
    # The new row has no standing yet, so it must not be flushed before the seats are counted.
    with db.session.no_autoflush:
        allotment = queries.allotment_of(conference)
        has_room = allotment.has_room_for(contact)
        is_first = has_room and not queries.to_be_served(conference, allotment)
    if is_first:
        registration.standing, registration.queue_number = Standing.CONFIRMED, None
    else:
        registration.standing = Standing.WAITING
        registration.queue_number = _end_of_line(conference)
    db.session.flush()  # consents and wishes need the id


def _end_of_line(conference: Conference) -> int:
    with db.session.no_autoflush:
        return next_number(Registration.queue_number, Registration.conference_id == conference.id)


def give_up(registration: Registration, *, at: datetime) -> None:
    """The person takes no part: seat, place in line and offer are free. Nobody moves up by this alone."""
    offer = queries.open_offer_of(registration)
    if offer is not None:
        _end(offer, OfferEnd.EXPIRED if not offer.is_open(at) else OfferEnd.DECLINED, at)
    registration.standing, registration.withdrawn_at, registration.queue_number = Standing.WITHDRAWN, at, None
    registration.version += 1
    db.session.flush()  # the freed seat must count for who moves up


# -- the waiting list -------------------------------------------------


def move_up(conference: Conference, *, at: datetime) -> list[Registration]:
    """Give the seats that are left to the waiting list, in its order; each gets a letter. Gives those who were served.

    They have the seat at once, or an offer where the conference makes offers. Raises Refused once the conference has begun.
    """
    conference = locked(conference)
    if at >= conference.starts_at:
        raise Refused(_("The conference has begun; nobody moves up any more."))
    _end_old_offers(conference, at)
    hours = queries.offer_hours(conference)
    served = queries.to_be_served(conference, queries.allotment_of(conference))
    for registration in served:
        if hours and queries.gets_offers(conference, registration.contact):
            _offer(conference, registration, hours, at)
        else:
            _confirm(conference, registration, at)
    db.session.flush()  # counts follow in the same transaction
    return served


def _confirm(conference: Conference, registration: Registration, at: datetime) -> None:
    registration.standing, registration.queue_number = Standing.CONFIRMED, None
    registration.version += 1
    letters.confirm(
        registration, found(invitation_for(conference, registration.contact_id)), at, moved_up=True
    )


def follow(conference: Conference, before: int, *, at: datetime) -> None:
    """After the number of seats was changed: more seats let the waiting list move up.

    Raises Refused when people would lose a seat that they have been promised.
    """
    promised = queries.seat_counts(conference).promised
    if conference.seats < min(before, promised):
        reason = ngettext(
            "%(num)d person has a seat already, or is offered one; there cannot be fewer seats than that.",
            "%(num)d people have a seat already, or are offered one; there cannot be fewer seats than that.",
            promised,
        )
        raise Refused(reason)
    if conference.seats > before and at < conference.starts_at:
        move_up(conference, at=at)


# -- offers -----------------------------------------------------------


def _offer(conference: Conference, registration: Registration, hours: int, at: datetime) -> SeatOffer:
    offer = SeatOffer(
        conference=conference,
        registration=registration,
        made_at=at,
        expires_at=min(at + timedelta(hours=hours), conference.starts_at),
    )
    db.session.add(offer)
    db.session.flush()  # the letter names its id
    letters.offer(offer, at)
    return offer


def _end(offer: SeatOffer, outcome: OfferEnd, at: datetime) -> None:
    offer.ended_at, offer.outcome = at, outcome
    db.session.flush()


def accept_offer(registration: Registration, offer_id: int, *, at: datetime) -> Registration:
    """Take the seat that is held. A second time gives the same answer.

    Raises Missing for an offer to somebody else, Refused for one that was not answered in time, was turned down, or whose
    seat has been given back since: a used offer does not come back to life.
    """
    conference = locked(registration.conference)
    registration = found(fresh(conference, registration.contact_id))
    offer = found(queries.offer_of(registration, offer_id))
    if offer.outcome is OfferEnd.ACCEPTED and registration.standing is Standing.CONFIRMED:
        return registration
    _check_open(offer, at)
    _end(offer, OfferEnd.ACCEPTED, at)
    _confirm(conference, registration, at)
    db.session.flush()
    return registration


def _check_open(offer: SeatOffer, at: datetime) -> None:
    if offer.is_open(at):
        return
    if offer.outcome is OfferEnd.DECLINED:
        raise Refused(_("You have turned this seat down; it is no longer held for you."))
    if offer.outcome is OfferEnd.ACCEPTED:
        raise Refused(_("You have taken this seat before and given it back; it is no longer held for you."))
    if at >= offer.conference.starts_at:
        raise Refused(_("The conference has begun; the seat can no longer be taken here."))
    raise Refused(f"{_was_held(offer)} {_what_now(offer, at)}".rstrip())


def _was_held(offer: SeatOffer) -> str:
    zone = offer.conference.zone
    return _(
        "The seat was held for you until %(day)s, %(time)s; this offer has ended.",
        day=show_day(offer.until, zone),
        time=show_time(offer.until, zone),
    )


def _what_now(offer: SeatOffer, at: datetime) -> str:
    """Where somebody stands who answers an offer that has ended."""
    standing = offer.registration.standing
    if standing is Standing.CONFIRMED:
        return _("You have a seat by now.")
    if standing is Standing.WITHDRAWN:
        return ""
    newer = queries.open_offer_of(offer.registration)
    if newer is not None and newer.is_open(at):
        return _("A seat is held for you once more; please answer that offer.")
    return _("You stay on the waiting list.")


def check_declinable(registration: Registration, offer_id: int, *, at: datetime) -> bool:
    """Whether there is something to turn down; False when it was done before. Raises as `accept_offer`."""
    offer = found(queries.offer_of(registration, offer_id))
    if offer.outcome is OfferEnd.DECLINED and registration.standing is Standing.WITHDRAWN:
        return False
    _check_open(offer, at)
    return True


def offer_again(registration: Registration, *, at: datetime) -> SeatOffer | None:
    """An organiser offers a free seat to somebody who has let offers pass. A second press changes nothing.

    Raises Refused when there is no seat for them, they have one or do not wait, or the conference makes no offers.
    """
    conference = locked(registration.conference)
    registration = found(fresh(conference, registration.contact_id))
    if at < conference.starts_at:
        move_up(conference, at=at)
    current = queries.open_offer_of(registration)
    if current is not None:
        return current
    hours = queries.offer_hours(conference)
    may_be_asked = registration.standing is Standing.WAITING and not registration.contact.is_restricted
    if not may_be_asked or not hours or at >= conference.starts_at:
        raise Refused(_("This person cannot be offered a seat."))
    if not queries.allotment_of(conference).has_room_for(registration.contact):
        raise Refused(_("There is no free seat for this person."))
    return _offer(conference, registration, hours, at)


def _end_old_offers(conference: Conference, at: datetime) -> int:
    """Offers whose time is over end, in the order of the list; who had one goes to its end. Gives how many.

    Whose data are restricted was not reminded, and keeps the place.
    """
    ended = [offer for offer in queries.open_offers(conference).values() if not offer.is_open(at)]
    offers = sorted(ended, key=lambda one: one.registration.queue_number or 0)
    for offer in offers:
        _end(offer, OfferEnd.EXPIRED, at)
        registration = offer.registration
        if not registration.contact.is_restricted:
            registration.queue_number = _end_of_line(conference)
            registration.version += 1
        db.session.flush()  # the next one goes behind
    if offers and at < conference.starts_at:
        silent = queries.silent_ids(conference)
        for offer in offers:  # only now does everybody have the place that the letter tells
            letters.offer_ended(offer, at, is_last=offer.registration_id in silent)
    return len(offers)


def settle(conference: Conference, *, at: datetime) -> None:
    """What the clock asks for: end offers whose time is over, remember those with little time left, serve who is next."""
    conference = locked(conference)
    _end_old_offers(conference, at)
    for offer in queries.open_offers(conference).values():
        if queries.is_to_be_remembered(offer, at):
            offer.reminded_at = at
            letters.offer(offer, at, reminder=True)
    if at < conference.starts_at:
        move_up(conference, at=at)


# -- rules ------------------------------------------------------------


@dataclass(frozen=True)
class Rules:
    """How an organiser wants seats to be given; `reason` says why organisations may have more than that already."""

    per_provider: int | None
    offer_hours: int | None
    reason: str = ""


class NeedsReason(Refused):
    """Some organisation has more seats than the limit; that is possible, but somebody must say why."""

    def __init__(self, names: Iterable[str]) -> None:
        super().__init__(
            _(
                "More seats than that are taken already by: %(names)s. Nobody loses a seat; please say why the limit is "
                "lower.",
                names=", ".join(names),
            )
        )


def set_rules(conference: Conference, rules: Rules, version: int | None, *, at: datetime) -> SeatRules | None:
    """Change how seats are given. Nobody loses a seat or an offer; who could have a seat by it gets one at once.

    Raises Stale when somebody else changed the rules, NeedsReason when organisations have more than the limit.
    """
    conference = locked(conference)
    stored = queries.rules_of(conference)
    now = Rules(stored.per_provider, stored.offer_hours, stored.reason) if stored else Rules(None, None)
    is_same_limit = rules.per_provider == now.per_provider
    if is_same_limit and rules.offer_hours == now.offer_hours and rules.reason in ("", now.reason):
        return stored
    check_version(version, stored.version if stored else 0, mine=told(rules), theirs=told(now))
    if stored is None:
        stored = SeatRules(conference_id=conference.id, version=0)
        db.session.add(stored)
    stored.per_provider, stored.offer_hours = rules.per_provider, rules.offer_hours
    stored.reason = rules.reason or (now.reason if is_same_limit else "")
    stored.version += 1
    db.session.flush()  # the limits are read again
    if not rules.reason and not is_same_limit:
        above = [one for one in queries.provider_seats(conference) if one.is_above and not one.exception]
        if above:
            raise NeedsReason(f"{one.provider.name} ({one.confirmed + one.offered})" for one in above)
    if at < conference.starts_at:
        move_up(conference, at=at)
    return stored


def told(rules: Rules) -> str:
    """The rules in words, for two people who change them at the same time."""
    limit = str(rules.per_provider) if rules.per_provider is not None else _("no limit")
    hours = ngettext("offered for %(num)d hour", "offered for %(num)d hours", rules.offer_hours or 0)
    way = hours if rules.offer_hours else _("given at once")
    return "\n".join(
        [f"{_('Seats of one organisation')}: {limit}", f"{_('Free seats')}: {way}", rules.reason]
    )


def set_exception(
    conference: Conference,
    provider: Provider,
    seats: int | None,
    reason: str,
    version: int | None,
    *,
    at: datetime,
) -> ProviderLimit:
    """Let another limit hold for one organisation (None: no limit), with the reason. Nobody loses a seat.

    Raises Stale when somebody else changed it.
    """
    conference = locked(conference)
    stored = queries.exceptions_of(conference).get(provider.id)
    theirs = _said(stored.seats, stored.reason) if stored else ""
    if stored is not None and (stored.seats, stored.reason) == (seats, reason):
        return stored
    check_version(version, stored.version if stored else 0, mine=_said(seats, reason), theirs=theirs)
    if stored is None:
        stored = ProviderLimit(conference_id=conference.id, provider=provider, version=0)
        db.session.add(stored)
    stored.seats, stored.reason = seats, reason
    stored.version += 1
    db.session.flush()
    if at < conference.starts_at:
        move_up(conference, at=at)
    return stored


def _said(seats: int | None, reason: str) -> str:
    return f"{_('no limit') if seats is None else seats}\n{reason}"


def remove_exception(conference: Conference, provider_id: int, *, at: datetime) -> None:
    """Let the limit for all hold for this organisation again. A second time changes nothing."""
    conference = locked(conference)
    stored = queries.exceptions_of(conference).get(provider_id)
    if stored is None:
        return
    db.session.delete(stored)
    db.session.flush()
    if at < conference.starts_at:
        move_up(conference, at=at)


def copy_rules(conference: Conference, planned: Conference) -> None:
    """The follow-up conference gives its seats in the same way; exceptions belong to the day for which they were made."""
    rules = queries.rules_of(conference)
    if rules is not None:
        db.session.add(
            SeatRules(
                conference_id=planned.id, per_provider=rules.per_provider, offer_hours=rules.offer_hours
            )
        )
