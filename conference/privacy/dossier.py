"""All that is stored of one person (Article 15 GDPR): plain data for a file to read by machine, the same in words."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import and_, or_, select

from ..actions.models import Action
from ..agenda.models import AgendaItem
from ..groups.models import Concern, Group, Round, Seat
from ..invitations.models import Invitation, PersonalLink
from ..kit.audit import AuditEntry
from ..kit.db import db
from ..minutes.models import Release
from ..outbox.models import Mail
from ..providers.models import Contact
from ..registrations.models import Attendance, Consent, Registration, SeatOffer
from ..registrations.queries import wishes_of_person
from ..sheets.models import SheetState
from ..voting.models import Vote, Voter
from .erasing import with_honorifics
from .models import PrivacyRequest


def of_person(contact: Contact, at: datetime) -> dict[str, Any]:
    """All that is stored of a person, as plain data (Article 15)."""
    mine = contact.id
    return {
        "made_at": at.isoformat(),
        "person": _row(contact) | {"organisation": contact.provider.name},
        "invitations": _rows(Invitation, mine, hide={"calendar_uid", "first_message_id"}),
        "registrations": [_registration(one) for one in _all(Registration, mine)],
        "attendance": _rows(Attendance, mine),
        "personal_links": _rows(PersonalLink, mine, hide={"nonce", "token_hash"}),
        "groups": _groups(mine),
        "concerns": _rows(Concern, mine),
        "results_sheets": _rows(SheetState, mine),
        "votes": [{"vote": title, "has_voted": True} for title in _votes(mine)],
        "actions": [
            _row(one) for one in db.session.scalars(select(Action).where(Action.responsible_id == mine))
        ],
        "minutes": _passages(contact),
        "mails": _mails(contact),
        "requests": _rows(PrivacyRequest, mine),
        "record": [
            {"at": one.at.isoformat(), "verb": one.verb, "kind": one.kind, "via": one.via}
            for one in db.session.scalars(
                select(AuditEntry)
                .where(
                    or_(
                        AuditEntry.contact_id == mine,
                        and_(AuditEntry.actor == "contact", AuditEntry.actor_id == mine),
                    )
                )
                .order_by(AuditEntry.number)
            )
        ],
        "agenda": [
            {"title": item.title, "person": item.person}
            for item in db.session.scalars(select(AgendaItem).where(AgendaItem.person == contact.name))
        ],
    }


def _all(model: Any, contact_id: int) -> list[Any]:
    return list(db.session.scalars(select(model).where(model.contact_id == contact_id).order_by(model.id)))


def _rows(model: Any, contact_id: int, hide: Iterable[str] = ()) -> list[dict[str, Any]]:
    return [_row(one, hide) for one in _all(model, contact_id)]


def _row(thing: Any, hide: Iterable[str] = ()) -> dict[str, Any]:
    left_out = {"id", "version", "email_key", *hide}
    columns = thing.__mapper__.column_attrs
    return {each.key: _plain(getattr(thing, each.key)) for each in columns if each.key not in left_out}


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, str | int | float | bool | list | dict):
        return value
    return value.isoformat() if hasattr(value, "isoformat") else str(getattr(value, "value", value))


def _registration(registration: Registration) -> dict[str, Any]:
    consents = db.session.scalars(select(Consent).where(Consent.registration_id == registration.id))
    offers = db.session.scalars(select(SeatOffer).where(SeatOffer.registration_id == registration.id))
    return _row(registration) | {
        "conference": registration.conference.title,
        "offers": [_row(one) for one in offers],
        "consents": [_row(one) for one in consents],
        "wishes": wishes_of_person(registration),
    }


def _groups(contact_id: int) -> list[dict[str, Any]]:
    query = (
        select(Round.number, Group.name)
        .join(Group, Group.round_id == Round.id)
        .join(Seat, Seat.group_id == Group.id)
        .where(Seat.contact_id == contact_id)
        .order_by(Round.id)
    )
    return [{"round": number, "group": name} for number, name in db.session.execute(query)]


def _votes(contact_id: int) -> list[str]:
    query = select(Vote.title).join(Voter, Voter.vote_id == Vote.id).where(Voter.contact_id == contact_id)
    return list(db.session.scalars(query.order_by(Vote.id)))


def _passages(contact: Contact) -> list[dict[str, Any]]:
    pattern = with_honorifics([contact.name] if " " in contact.name else [])
    if pattern is None:
        return []
    found = []
    for release in db.session.scalars(select(Release).order_by(Release.id)):
        lines = [line.strip() for line in release.text.splitlines() if pattern.search(line)]
        if lines:
            found.append(
                {"release": release.number, "released_at": release.released_at.isoformat(), "lines": lines}
            )
    return found


def _mails(contact: Contact) -> list[dict[str, Any]]:
    if not contact.email:
        return []
    query = select(Mail).where(Mail.recipient_address == contact.email).order_by(Mail.id)
    return [
        {
            "subject": mail.subject,
            "kind": mail.kind,
            "state": mail.state.value,
            "created_at": mail.created_at.isoformat(),
        }
        for mail in db.session.scalars(query)
    ]
