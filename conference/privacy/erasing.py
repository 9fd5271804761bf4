"""Taking a person out of everything, so that no table keeps name, address or telephone number.

What is released (minutes) stays, it is a record. Rows that others need stay too, without the person; what only concerns the
person goes. Texts that name the person get a pseudonym in its place (`core.mentions`); where that may be and who else could be
meant says `naming`. Names and addresses of anybody else are never touched.
"""

import json
import secrets
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import JSON, String, Table, delete, literal, or_, select, type_coerce, update
from sqlalchemy.engine import Connection

from ..conferences.models import Conference
from ..core import mentions
from ..core.text import comparison_key
from ..groups.models import Concern, GroupsRelease, RulePerson, Seat
from ..invitations.models import Invitation, ListImport, PersonalLink
from ..kit import audit, unit
from ..kit.audit import AuditEntry, AuditText
from ..kit.db import db, forget_log, found, one_locked
from ..outbox import operations as outbox
from ..providers import operations as providers
from ..providers.models import Contact, FormerDetails
from ..registrations import operations as registrations
from ..registrations.models import Attendance, Consent, ConsentKind, Registration, SeatOffer, Wish
from ..registrations.queries import registration_of
from ..sheets.models import SheetState
from ..upkeep import erasures
from ..voting.models import Voter
from . import naming
from .models import AccessLink, Feedback, PrivacyRequest
from .naming import Person

Run = Callable[[Any], Any]
"""Executes a statement: the session does, which records it, or after a restore the bare connection."""
PERSON = "person"
"""Kind of a line in the list of erasures: a person known by number and time, because there may be no address."""


def erase(contact: Contact, *, at: datetime, remember: bool = True) -> str:
    """Take a person out of everything; gives the pseudonym that stands where they stood.

    What lies before a conference is deleted as if it had never been, and the seat goes to who waits. `remember`: somebody
    asked for it. It is noted in the list of erasures, which a restored backup is measured against, and no proof of a
    consent to photos is kept, which by its time outlives the contact data.
    """
    contact = found(one_locked(select(Contact).where(Contact.id == contact.id)))
    pseudonym = new_pseudonym()
    connection = db.session.connection()
    person = naming.person(connection, contact.id)
    key, known = contact.email_key, _known_by(contact.id, contact.created_at)
    for conference in _conferences_of(contact):
        if at < conference.starts_at:
            _leave_before(conference, contact, at)
    db.session.flush()
    _blank_rows(db.session.execute, contact.id, pseudonym, is_asked=remember)
    _forget_addresses(connection, person, at)
    if remember:
        erasures.note(PERSON, known, at=at)
        if key and person.has_address(key):
            erasures.note(erasures.ADDRESS, key, at=at)
    db.session.expire_all()
    providers.blank(contact, pseudonym)
    db.session.flush()
    _forget_texts(connection, contact.id, person, pseudonym)
    db.session.expire_all()
    if not _is_needed(connection, contact.id):
        db.session.execute(delete(Contact).where(Contact.id == contact.id))
    if remember:  # a night does it once for all
        unit.after_commit("forget-log", forget_log)
    return pseudonym


def erase_again(connection: Connection, is_erased: Callable[[str], bool], at: datetime) -> int:
    """Take out of a restored backup whoever was erased since, found by address. On a bare connection, without letters."""
    rows = connection.execute(select(Contact.id, Contact.email_key).where(Contact.email_key.is_not(None)))
    return _erase_restored(connection, [row.id for row in rows.all() if is_erased(str(row.email_key))], at)


def erase_known_again(connection: Connection, is_erased: Callable[[str], bool], at: datetime) -> int:
    """The same for who had no address, or has another one in the backup."""
    rows = connection.execute(select(Contact.id, Contact.created_at)).all()
    return _erase_restored(connection, [id_ for id_, when in rows if is_erased(_known_by(id_, when))], at)


def _erase_restored(connection: Connection, ids: list[int], at: datetime) -> int:
    count = 0
    for contact_id in ids:
        # By number, so that restoring twice says the same.
        pseudonym = f"P-{contact_id:06X}"
        known = select(Contact.first_name, Contact.last_name, Contact.email_key)
        first, last, key = connection.execute(known.where(Contact.id == contact_id)).one()
        if last.startswith("P-") and not first and not key:
            continue
        person = naming.person(connection, contact_id)
        _leave_coming(connection, contact_id, at)
        _blank_rows(connection.execute, contact_id, pseudonym, is_asked=True)
        _forget_addresses(connection, person, at)
        providers.blank_row(connection, contact_id, pseudonym)
        _forget_texts(connection, contact_id, person, pseudonym)
        count += 1
    return count


def new_pseudonym() -> str:
    """Stands for a person who is gone; by chance, so that it leads to nobody."""
    return f"P-{secrets.token_hex(3).upper()}"


def _known_by(contact_id: int, created_at: datetime) -> str:
    return f"{contact_id}:{created_at.isoformat()}"


def _conferences_of(contact: Contact) -> list[Conference]:
    ids = select(Invitation.conference_id).where(Invitation.contact_id == contact.id)
    also = select(Registration.conference_id).where(Registration.contact_id == contact.id)
    there = select(Attendance.conference_id).where(Attendance.contact_id == contact.id)
    query = select(Conference).where(
        or_(Conference.id.in_(ids), Conference.id.in_(also), Conference.id.in_(there))
    )
    return list(db.session.scalars(query.order_by(Conference.id)))


def _leave_before(conference: Conference, contact: Contact, at: datetime) -> None:
    registration = registration_of(conference, contact.id)
    if registration is not None:
        registrations.free_seat(registration, at=at)
        for model in (Consent, Wish):
            db.session.execute(delete(model).where(model.registration_id == registration.id))
        db.session.delete(registration)
    for other in (Attendance, Invitation):
        db.session.execute(
            delete(other).where(other.conference_id == conference.id, other.contact_id == contact.id)
        )
    db.session.flush()


# -- rows -------------------------------------------------------------


def _leave_coming(connection: Connection, contact_id: int, at: datetime) -> None:
    """Out of the conferences that have not begun; whoever waits moves up with the next change there."""
    coming = select(Conference.id).where(Conference.starts_at > at)
    mine = select(Registration.id).where(
        Registration.contact_id == contact_id, Registration.conference_id.in_(coming)
    )
    for model in (Consent, SeatOffer, Wish):
        connection.execute(delete(model).where(model.registration_id.in_(mine)))
    for other in (Registration, Attendance, Invitation):
        connection.execute(
            delete(other).where(other.contact_id == contact_id, other.conference_id.in_(coming))
        )


def _blank_rows(run: Run, mine: int, pseudonym: str, *, is_asked: bool) -> None:
    """What knows the person by number: gone where it is of no use without them, else without what they told."""
    _blank_registrations(run, mine, pseudonym, keep_proof=not is_asked)
    asked = update(Invitation).where(Invitation.contact_id == mine)
    run(asked.values(decline_reason="", version=Invitation.version + 1))
    there = update(Attendance).where(Attendance.contact_id == mine)
    run(there.values(arrived_at=None, left_at=None))
    models: list[Any] = [PersonalLink, AccessLink, RulePerson, FormerDetails]
    if not _has_conference(run, mine):
        models += [Seat, Voter]
    for model in models:
        run(delete(model).where(model.contact_id == mine))
    run(update(Concern).where(Concern.contact_id == mine).values(contact_id=None))
    written = update(SheetState).where(SheetState.contact_id == mine)
    run(written.values(contact_id=None, writer=pseudonym))
    run(update(PrivacyRequest).where(PrivacyRequest.contact_id == mine).values(words=""))
    if is_asked:
        # Lists that were uploaded and not yet taken over: nobody knows who is in them.
        run(update(ListImport).where(ListImport.content.is_not(None)).values(content=None))


def _blank_registrations(run: Run, mine: int, pseudonym: str, *, keep_proof: bool) -> None:
    ids = select(Registration.id).where(Registration.contact_id == mine)
    consents = delete(Consent).where(Consent.registration_id.in_(ids))
    if keep_proof:
        consents = consents.where(Consent.kind != ConsentKind.PHOTO)
    run(consents)
    run(delete(Wish).where(Wish.registration_id.in_(ids)))
    blank = {"name": pseudonym, "diet": "", "access_needs": "", "version": Registration.version + 1}
    run(update(Registration).where(Registration.contact_id == mine).values(blank))


def _has_conference(run: Run, contact_id: int) -> bool:
    return any(
        run(select(model.id).where(model.contact_id == contact_id).limit(1)).first()
        for model in (Invitation, Registration, Attendance)
    )


def _forget_addresses(connection: Connection, person: Person, at: datetime) -> None:
    """Rows that know the person by address only, by earlier ones too."""
    outbox.erase_letters(connection, person.has_letter, at)
    outbox.forget_dead(connection, person.has_address)
    reports = connection.execute(select(Feedback.id, Feedback.email).where(Feedback.email != "")).all()
    mine = [row.id for row in reports if person.has_address(comparison_key(row.email))]
    if mine:
        connection.execute(update(Feedback).where(Feedback.id.in_(mine)).values(email=""))


# -- texts --------------------------------------------------------------


def _forget_texts(connection: Connection, contact_id: int, person: Person, pseudonym: str) -> None:
    _forget_reasons(connection, contact_id, person, pseudonym)
    for table, columns, is_free in naming.typed_columns():
        if table.name != "groups_release":
            _rename_in(connection, table, columns, is_free, person, pseudonym)
    _forget_in_plans(connection, contact_id, person, pseudonym)
    _forget_record(connection, contact_id, person)


def _forget_reasons(connection: Connection, contact_id: int, person: Person, pseudonym: str) -> None:
    """Why a request was decided as it was is kept, without the name. It is about this person, whoever else is called so."""
    reasons = select(PrivacyRequest.id, PrivacyRequest.reason).where(
        PrivacyRequest.contact_id == contact_id, PrivacyRequest.reason != ""
    )
    for row in connection.execute(reasons).all():
        finder = mentions.any_word_of(replace(person.names, emails=tuple(person.keys)))
        new = row.reason if finder is None else mentions.forget(row.reason, finder, pseudonym)
        connection.execute(update(PrivacyRequest).where(PrivacyRequest.id == row.id).values(reason=new))


def _rename_in(
    connection: Connection, table: Table, columns: list[Any], is_free: Any, person: Person, pseudonym: str
) -> None:
    keys = list(table.primary_key.columns)
    place = naming.place_of(table)
    for row in connection.execute(select(*keys, place, *map(_as_stored, columns)).where(is_free)).all():
        finder = person.finder(row[len(keys)])
        values = {}
        for column, stored in zip(columns, row[len(keys) + 1 :], strict=True):
            if finder is None or not stored or (isinstance(stored, str) and not finder.may_be_in(stored)):
                continue
            old, is_text = _read(column, stored)
            new = mentions.forget(old, finder, pseudonym)
            if new != old:
                values[column.name] = literal(new, String()) if is_text else new
        if values:
            here = [key == value for key, value in zip(keys, row, strict=False)]
            connection.execute(update(table).where(*here).values(values))


def _as_stored(column: Any) -> Any:
    """JSON as SQLite keeps it, which is any text: one bad value must not keep everybody from being erased."""
    is_json = isinstance(column.type, JSON) and db.engine.dialect.name == "sqlite"
    return type_coerce(column, String()) if is_json else column


def _read(column: Any, stored: Any) -> tuple[Any, bool]:
    """The value, and whether it is text as it stands there: so is what should be JSON and is not."""
    if not isinstance(column.type, JSON) or not isinstance(stored, str) or db.engine.dialect.name != "sqlite":
        return stored, False
    try:
        return json.loads(stored), False
    except ValueError:
        return stored, True


def _forget_in_plans(connection: Connection, contact_id: int, person: Person, pseudonym: str) -> None:
    """Published groups name people beside their numbers: only the name beside this person's number is theirs."""
    column = GroupsRelease.__table__.c.plan
    query = select(GroupsRelease.id, GroupsRelease.conference_id, _as_stored(column))
    for release_id, conference_id, stored in connection.execute(query).all():
        finder = person.finder(conference_id)
        plan, is_text = _read(column, stored)
        entries = plan if isinstance(plan, list) else [plan]
        new = [_without(entry, contact_id, finder, pseudonym) for entry in entries]
        if new != entries:
            value = literal(new[0], String()) if is_text else new
            connection.execute(update(GroupsRelease).where(GroupsRelease.id == release_id).values(plan=value))


def _without(entry: Any, contact_id: int, finder: mentions.Finder | None, pseudonym: str) -> Any:
    ids = entry.get("contact_ids") if isinstance(entry, dict) else None
    if ids is None:
        return entry if finder is None else mentions.forget(entry, finder, pseudonym)
    new: dict[str, Any] = {}
    for key, value in entry.items():
        if key == "people":
            new[key] = [
                pseudonym if one == contact_id else name for one, name in zip(ids, value, strict=True)
            ]
        elif key == "hosts":
            new[key] = {one: pseudonym if one == str(contact_id) else name for one, name in value.items()}
        else:
            new[key] = value if finder is None else mentions.forget(value, finder, pseudonym)
    return new


def _forget_record(connection: Connection, contact_id: int, person: Person) -> None:
    """The texts beside the record that are about the person or name them; the chain itself holds references only."""
    about = set(connection.scalars(select(AuditEntry.number).where(AuditEntry.contact_id == contact_id)))
    texts = select(AuditText.number, AuditText.before, AuditText.after, AuditEntry.conference_id)
    for row in connection.execute(texts.join(AuditEntry, AuditEntry.number == AuditText.number)):
        finder = person.finder(row.conference_id)
        if finder is not None and finder.search(f"{row.before}\n{row.after}"):
            about.add(row.number)
    audit.forget_texts(connection, about)


def _is_needed(connection: Connection, contact_id: int) -> bool:
    """Whether any row still refers to the person; those that let go by themselves do not count."""
    return any(
        connection.execute(select(column).where(column == contact_id).limit(1)).first() is not None
        for column in references()
    )


def references() -> Iterator[Any]:
    """The columns that hold a person against being deleted."""
    for table in db.metadata.sorted_tables:
        for column in table.columns:
            for key in column.foreign_keys:
                if key.column.table.name == "contact" and key.ondelete is None:
                    yield column
