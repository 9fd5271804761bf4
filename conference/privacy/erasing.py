"""Taking a person out of everything, so that no table keeps name, address or telephone number.

What is released (minutes) stays, it is a record. Rows that others need stay too, without the person; what only concerns the
person goes. Free texts that name the person by full name, or with Mr or Ms, or by address, get a pseudonym in its place.
"""

import re
import secrets
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import JSON, String, Table, delete, or_, select, update
from sqlalchemy.engine import Connection
from sqlalchemy.sql.sqltypes import Enum

from ..conferences.models import Conference
from ..core.salutation import full_name
from ..groups.models import Concern, RulePerson, Seat
from ..invitations.models import Invitation, ListImport, PersonalLink
from ..kit import audit
from ..kit.audit import AuditEntry, AuditText
from ..kit.db import db, found, one_locked
from ..outbox import operations as outbox
from ..providers import operations as providers
from ..providers.models import Contact
from ..registrations import operations as registrations
from ..registrations.models import Attendance, Consent, Registration, SeatOffer, Wish
from ..sheets.models import SheetState
from ..upkeep import erasures
from ..voting.models import Voter
from .models import AccessLink, PrivacyRequest

UNTOUCHED = {
    "release": "released minutes are records",
    "audit_entry": "holds references only",
    "audit_text": "is deleted where it names the person",
    "erasure": "holds digests only",
    "mail": "is blanked as a whole where it goes to the person",
}
HONORIFICS = r"(?:Frau|Herrn?|Ms\.?|Mrs\.?|Mr\.?)"


def erase(contact: Contact, *, at: datetime, remember: bool = True) -> str:
    """Take a person out of everything; gives the pseudonym that stands where they stood.

    What lies before a conference is deleted as if it had never been, and the seat goes to who waits. `remember`: note it
    in the list of erasures, which a restored backup is measured against.
    """
    contact = found(one_locked(select(Contact).where(Contact.id == contact.id)))
    pseudonym = f"P-{secrets.token_hex(3).upper()}"
    names = _names(contact)
    key = contact.email_key
    for conference in _conferences_of(contact):
        if at < conference.starts_at:
            _leave_before(conference, contact, at)
        else:
            _leave_after(conference, contact, pseudonym)
    _forget_everywhere(contact, pseudonym)
    connection = db.session.connection()
    if key:
        outbox.erase(connection, lambda other: other == key, at)
        if remember:
            erasures.note(erasures.ADDRESS, key, at=at)
    providers.blank(contact, pseudonym)
    db.session.flush()
    _rename_everywhere(connection, names, pseudonym)
    _forget_record(connection, contact.id, names)
    db.session.expire_all()
    if not _is_needed(contact.id):
        db.session.execute(delete(Contact).where(Contact.id == contact.id))
    return pseudonym


def _names(contact: Contact) -> list[str]:
    """As what the person may stand in texts, longest first."""
    first, last = contact.first_name, contact.last_name
    said = {
        full_name(contact.title, first, last),
        full_name("", first, last),
        f"{last}, {first}",
        contact.email or "",
    }
    given = select(Registration.name).where(Registration.contact_id == contact.id)
    said |= set(db.session.scalars(given))
    # A last name alone may be a word of the language, or somebody else's.
    said -= {last, first, ""}
    return sorted((name for name in said if len(name) > 2), key=len, reverse=True)


def _conferences_of(contact: Contact) -> list[Conference]:
    ids = select(Invitation.conference_id).where(Invitation.contact_id == contact.id)
    also = select(Registration.conference_id).where(Registration.contact_id == contact.id)
    there = select(Attendance.conference_id).where(Attendance.contact_id == contact.id)
    query = select(Conference).where(
        or_(Conference.id.in_(ids), Conference.id.in_(also), Conference.id.in_(there))
    )
    return list(db.session.scalars(query.order_by(Conference.id)))


def _leave_before(conference: Conference, contact: Contact, at: datetime) -> None:
    registration = _registration(conference, contact)
    if registration is not None:
        registrations.free_seat(registration, at=at)
        _forget_registration(registration)
        db.session.delete(registration)
    for model in (Attendance, Invitation):
        db.session.execute(
            delete(model).where(model.conference_id == conference.id, model.contact_id == contact.id)
        )
    db.session.flush()


def _leave_after(conference: Conference, contact: Contact, pseudonym: str) -> None:
    registration = _registration(conference, contact)
    if registration is not None:
        _forget_registration(registration)
        registration.name, registration.diet, registration.access_needs = pseudonym, "", ""
        registration.version += 1
    values = {"decline_reason": "", "version": Invitation.version + 1}
    here = (Invitation.conference_id == conference.id, Invitation.contact_id == contact.id)
    db.session.execute(update(Invitation).where(*here).values(values))
    times = {"arrived_at": None, "left_at": None}
    there = (Attendance.conference_id == conference.id, Attendance.contact_id == contact.id)
    db.session.execute(update(Attendance).where(*there).values(times))


def _registration(conference: Conference, contact: Contact) -> Registration | None:
    return db.session.scalar(
        select(Registration).where(
            Registration.conference_id == conference.id, Registration.contact_id == contact.id
        )
    )


def _forget_registration(registration: Registration) -> None:
    for model in (Consent, SeatOffer, Wish):
        db.session.execute(delete(model).where(model.registration_id == registration.id))


def _forget_everywhere(contact: Contact, pseudonym: str) -> None:
    """What knows the person by id and is of no use without them, wherever it is."""
    mine = contact.id
    models: list[Any] = [PersonalLink, AccessLink, RulePerson]
    if not _conferences_of(contact):
        models += [Seat, Voter]
    for model in models:
        db.session.execute(delete(model).where(model.contact_id == mine))
    db.session.execute(update(Concern).where(Concern.contact_id == mine).values(contact_id=None))
    written = update(SheetState).where(SheetState.contact_id == mine)
    db.session.execute(written.values(contact_id=None, writer=pseudonym))
    db.session.execute(update(PrivacyRequest).where(PrivacyRequest.contact_id == mine).values(words=""))
    # Lists that were uploaded and not yet taken over: nobody knows who is in them.
    db.session.execute(update(ListImport).where(ListImport.content.is_not(None)).values(content=None))


# -- free texts --------------------------------------------------------


def with_honorifics(names: list[str]) -> re.Pattern[str] | None:
    """What finds a person in texts: the names as they are, and the last part of the full ones behind Mr or Ms."""
    lasts = {re.escape(name.rsplit(" ", 1)[-1]) for name in names if " " in name and "," not in name}
    parts = [re.escape(name) for name in names]
    parts += [rf"{HONORIFICS}\s+(?:Prof\.\s+)?(?:Dr\.\s+)?{last}" for last in sorted(lasts)]
    return re.compile(rf"(?<!\w)(?:{'|'.join(parts)})(?!\w)", re.IGNORECASE) if parts else None


def _rename_everywhere(connection: Connection, names: list[str], pseudonym: str) -> None:
    pattern = with_honorifics(names)
    if pattern is None:
        return
    for table in db.metadata.sorted_tables:
        if table.name not in UNTOUCHED:
            _rename_in(connection, table, pattern, pseudonym)
    _rename_in(connection, db.metadata.tables["mail"], pattern, pseudonym)


def _columns(table: Table) -> list[Any]:
    return [
        column
        for column in table.columns
        if isinstance(column.type, String | JSON)
        and not isinstance(column.type, Enum)
        and not column.primary_key
        and not column.foreign_keys
    ]


def _rename_in(connection: Connection, table: Table, pattern: re.Pattern[str], pseudonym: str) -> None:
    columns = _columns(table)
    if not columns:
        return
    keys = list(table.primary_key.columns)
    for row in connection.execute(select(*keys, *columns)).all():
        old = row[len(keys) :]
        new = [_renamed(value, pattern, pseudonym) for value in old]
        if list(old) != new:
            here = [key == value for key, value in zip(keys, row, strict=False)]
            values = dict(zip((column.name for column in columns), new, strict=True))
            connection.execute(update(table).where(*here).values(values))


def _renamed(value: Any, pattern: re.Pattern[str], pseudonym: str) -> Any:
    if isinstance(value, str):
        return pattern.sub(pseudonym, value)
    if isinstance(value, list):
        return [_renamed(one, pattern, pseudonym) for one in value]
    if isinstance(value, dict):
        return {key: _renamed(one, pattern, pseudonym) for key, one in value.items()}
    return value


def _forget_record(connection: Connection, contact_id: int, names: list[str]) -> None:
    """The texts beside the record that are about the person or name them; the chain itself holds references only."""
    about = set(connection.scalars(select(AuditEntry.number).where(AuditEntry.contact_id == contact_id)))
    pattern = with_honorifics(names)
    if pattern is not None:
        rows = connection.execute(select(AuditText.number, AuditText.before, AuditText.after))
        about |= {row.number for row in rows if pattern.search(f"{row.before}\n{row.after}")}
    audit.forget_texts(connection, about)


def _is_needed(contact_id: int) -> bool:
    """Whether any row still refers to the person; those that let go by themselves do not count."""
    connection = db.session.connection()
    return any(
        connection.execute(select(column).where(column == contact_id).limit(1)).first() is not None
        for column in _references()
    )


def _references() -> Iterator[Any]:
    for table in db.metadata.sorted_tables:
        for column in table.columns:
            for key in column.foreign_keys:
                if key.column.table.name == "contact" and key.ondelete is None:
                    yield column
