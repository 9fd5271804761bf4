"""The letters about a registration, its seat and offers. Each is a row in the transaction of what it tells."""

from datetime import datetime

from flask_babel import lazy_gettext as _l

from ..conferences.operations import letter
from ..invitations import operations as invitations
from ..invitations.models import Invitation, LinkPurpose
from ..invitations.queries import invitation_for
from ..kit.db import found
from ..outbox.operations import queue
from . import queries
from .models import Registration, SeatOffer, Standing


def confirm(
    registration: Registration, invitation: Invitation, at: datetime, *, moved_up: bool = False
) -> None:
    """The seat with its calendar entry, or the place in line."""
    has_seat = registration.standing is Standing.CONFIRMED
    calendar = (
        invitations.calendar_of(invitation, method="REQUEST", partstat="ACCEPTED", at=at)
        if has_seat
        else None
    )
    context: dict[str, object] = {
        "place_in_line": None,
        "organisation_full": False,
        "moved_up": moved_up,
        "offers": False,
    }
    if not has_seat:
        context["place_in_line"] = queries.place_in_line(registration)
        context["offers"] = queries.gets_offers(registration.conference, registration.contact)
        allotment = queries.allotment_of(registration.conference)
        context["organisation_full"] = allotment.is_full_for(registration.contact)
    purpose = f"registered:{registration.id}:{registration.version}"
    _send("registered", purpose, invitation, at, calendar, "REQUEST" if has_seat else None, **context)


def tell_change(registration: Registration, invitation: Invitation, at: datetime) -> None:
    """The details were changed with the personal link."""
    _send("changed", f"changed:{registration.id}:{registration.version}", invitation, at, None, None)


def cancel_entry(invitation: Invitation, purpose: str, at: datetime) -> None:
    """The person does not take part; what stands in their calendar goes."""
    calendar = None
    if invitation.entry_state is not None:
        calendar = invitations.calendar_of(invitation, method="CANCEL", partstat="DECLINED", at=at)
    may_return = at < invitation.conference.answers_close_at
    method = "CANCEL" if calendar else None
    _send(
        "declined", purpose, invitation, at, calendar, method, had_entry=bool(calendar), may_return=may_return
    )


def offer(seat_offer: SeatOffer, at: datetime, *, reminder: bool = False) -> None:
    """A seat is held for the person; once more, when little time is left."""
    purpose = f"seat-offer-reminder:{seat_offer.id}" if reminder else f"seat-offer:{seat_offer.id}"
    invitation = _invitation(seat_offer)
    label = _l("Take the seat or turn it down")
    context = {
        "until": seat_offer.until,
        "reminder": reminder,
        "again": queries.has_let_pass(seat_offer.registration),
    }
    _send("seat_offer", purpose, invitation, at, None, None, label, **context)


def offer_ended(seat_offer: SeatOffer, at: datetime, *, is_last: bool) -> None:
    """The time of an offer is over; the person is at the end of the waiting list now."""
    invitation = _invitation(seat_offer)
    context = {
        "until": seat_offer.until,
        "place_in_line": queries.place_in_line(seat_offer.registration),
        "is_last": is_last,
    }
    _send("seat_offer_ended", f"seat-offer-ended:{seat_offer.id}", invitation, at, None, None, **context)


def _invitation(seat_offer: SeatOffer) -> Invitation:
    return found(invitation_for(seat_offer.conference, seat_offer.registration.contact_id))


def _send(
    kind: str,
    purpose: str,
    invitation: Invitation,
    at: datetime,
    calendar: bytes | None,
    method: str | None,
    label: object = _l("Open my registration"),
    **context: object,
) -> None:
    conference, contact = invitation.conference, invitation.contact
    if not contact.may_be_written_to:
        return
    link = invitations.personal_link(conference, contact, LinkPurpose.INVITATION, at=at)
    new = letter(
        conference,
        kind,
        (contact.name, str(contact.email)),
        purpose=purpose,
        context={"contact": contact, **context},
        button=(label, invitations.link_url(link)),
        calendar=calendar,
        calendar_method=method,
        in_reply_to=invitation.first_message_id,
    )
    queue(new, at=at)
