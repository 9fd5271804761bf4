"""Keeping organisations and people."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import TypeVar

from flask import current_app
from flask_babel import gettext as _
from sqlalchemy import update
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError

from ..accounts.models import Account
from ..core.text import canonical_email, comparison_key
from ..kit.db import db
from ..kit.errors import Refused, check_version
from ..outbox.operations import NewMail, queue, revive, worded
from ..outbox.queries import was_written_to
from . import queries
from .models import Contact, Provider, Salutation, Side

T = TypeVar("T")
# Somebody else may add the same people meanwhile; each time more of them are known.
ATTEMPTS = 3


@dataclass(frozen=True)
class ContactFields:
    """What is known of a person. `email` may be empty only for walk-ins."""

    last_name: str
    email: str
    first_name: str = ""
    salutation: Salutation = Salutation.NONE
    title: str = ""
    function: str = ""
    side: Side = Side.PROVIDER
    team: str = ""


def keep_provider(
    name: str, postcode: str | None, city: str | None, *, at: datetime
) -> tuple[Provider, bool]:
    """The organisation with this name, made if it is new; says whether it is."""
    known = queries.provider_by_name(name)
    if known is not None:
        return known, False
    provider = Provider(
        name=name, name_key=comparison_key(name), postcode=postcode or None, city=city or None, created_at=at
    )
    db.session.add(provider)
    db.session.flush()  # contacts need the id
    return provider, True


@dataclass(frozen=True)
class Entry:
    """A person of a list with their organisation."""

    organisation: str
    postcode: str
    city: str
    person: ContactFields


@dataclass(frozen=True)
class Kept:
    """What became of an entry: the person, and which of the two were not in the address book before."""

    contact: Contact
    is_new_contact: bool
    is_new_provider: bool


def keep_all(entries: Sequence[Entry], *, at: datetime) -> list[Kept]:
    """`keep_provider` and `keep_contact` for a whole list, in a few statements. Every person has an address."""
    named = {comparison_key(entry.organisation): entry for entry in reversed(entries)}
    providers, new_providers = _settled(
        queries.providers_by_key, {key: partial(_provider, entry, key, at) for key, entry in named.items()}
    )
    keys = [canonical_email(entry.person.email)[1] for entry in entries]
    makers = {
        key: partial(_contact, entry.person, providers[comparison_key(entry.organisation)], at)
        for key, entry in zip(reversed(keys), reversed(entries), strict=True)
    }
    contacts, new_contacts = _settled(queries.contacts_by_key, makers)
    return [
        Kept(contacts[key], key in new_contacts, comparison_key(entry.organisation) in new_providers)
        for key, entry in zip(keys, entries, strict=True)
    ]


def _provider(entry: Entry, key: str, at: datetime) -> Provider:
    return Provider(
        name=entry.organisation,
        name_key=key,
        postcode=entry.postcode or None,
        city=entry.city or None,
        created_at=at,
    )


def _contact(person: ContactFields, provider: Provider, at: datetime) -> Contact:
    address, key = canonical_email(person.email)
    return Contact(provider=provider, email=address, email_key=key, created_at=at, **_plain(person))


def _settled(
    find: Callable[[Sequence[str]], dict[str, T]], makers: Mapping[str, Callable[[], T]]
) -> tuple[dict[str, T], set[str]]:
    """What has these keys, made where it is missing, and the keys of what was made.

    In the order of keys, so that two lists at once wait for each other instead of standing in each other's way.
    """
    for attempt in range(ATTEMPTS):
        known = find(list(makers))
        made = {key: makers[key]() for key in sorted(makers.keys() - known.keys())}
        try:
            with db.session.begin_nested():
                db.session.add_all(made.values())
        except IntegrityError:
            if attempt == ATTEMPTS - 1:
                raise
        else:
            break
    return known | made, set(made)


def change_provider(provider: Provider, name: str, postcode: str, city: str) -> None:
    """Correct an organisation. Raises Refused when another one has the name."""
    other = queries.provider_by_name(name)
    if other is not None and other.id != provider.id:
        raise Refused(_("There is already an organisation “%(name)s”.", name=other.name))
    provider.name, provider.name_key = name, comparison_key(name)
    provider.postcode, provider.city = postcode or None, city or None


def keep_contact(provider: Provider, *, at: datetime, **fields: object) -> tuple[Contact, bool]:
    """The person with this address, made if new; says whether it is. `fields` are those of ContactFields."""
    asked = ContactFields(**fields)  # type: ignore[arg-type]
    address, key = canonical_email(asked.email) if asked.email else (None, None)
    known = queries.contacts_by_key([key]).get(key) if key else None
    if known is not None:
        return known, False
    contact = Contact(provider=provider, email=address, email_key=key, created_at=at, **_plain(asked))
    db.session.add(contact)
    db.session.flush()  # invitations need the id
    return contact, True


def change_contact(contact: Contact, provider: Provider, fields: ContactFields, version: int | None) -> None:
    """Correct a person. Raises Stale, or Refused when somebody else has the address."""
    check_version(version, contact.version, mine=fields.email, theirs=contact.email or "")
    address, key = _check_address(contact, fields)
    contact.provider, contact.email, contact.email_key = provider, address, key
    for name, value in _plain(fields).items():
        setattr(contact, name, value)
    contact.version += 1


def _check_address(contact: Contact, fields: ContactFields) -> tuple[str | None, str | None]:
    address, key = canonical_email(fields.email) if fields.email else (None, None)
    other = queries.contacts_by_key([key]).get(key) if key else None
    if other is not None and other.id != contact.id:
        raise Refused(
            _("The address %(address)s belongs to %(name)s.", address=str(address), name=other.name)
        )
    return address, key


def correct_contact(
    contact: Contact,
    provider: Provider,
    fields: ContactFields,
    version: int | None,
    by: Account,
    *,
    at: datetime,
) -> bool:
    """The same, and the old address is told that it counts no longer, if letters have reached it and it still exists.

    Everybody's letters go to the new address. Where the person is known in conferences, too, that the account does not
    organise, the rest is saved, and the address waits for an administrator of the house: True.
    """
    waits = _is_moved(contact, fields) and current_app.extensions["is_known_elsewhere"](by, contact.id)
    if not waits:
        _correct(contact, provider, fields, version, at)
        return False
    _check_address(contact, fields)
    change_contact(contact, provider, replace(fields, email=contact.email or ""), version)
    current_app.extensions["address_waits"](contact, fields.email, by, at=at)
    return True


def saved(waits: bool) -> str:
    """What is said after a correction."""
    if not waits:
        return _("The person has been saved.")
    return _(
        "The person has been saved, but for the address: this person is known in other conferences, too, which you do not "
        "organise. The new address is noted, and an administrator of the house decides it."
    )


def _is_moved(contact: Contact, fields: ContactFields) -> bool:
    return contact.email_key != (canonical_email(fields.email)[1] if fields.email else None)


def readdress(contact: Contact, address: str, by: Account, *, at: datetime) -> None:
    """Another address, and nothing else. Raises Refused when somebody else has it."""
    known = {name: getattr(contact, name) for name in ContactFields.__dataclass_fields__}
    correct_contact(
        contact, contact.provider, ContactFields(**known | {"email": address}), contact.version, by, at=at
    )


def _correct(
    contact: Contact, provider: Provider, fields: ContactFields, version: int | None, at: datetime
) -> None:
    before, name = contact.email, contact.name
    change_contact(contact, provider, fields, version)
    db.session.flush()
    if before and contact.email_key != canonical_email(before)[1] and revive(before):
        return  # nobody is there; and nobody needs to know any more that nobody is
    if before and contact.email_key != canonical_email(before)[1] and was_written_to(before):
        language = str(current_app.config["LANGUAGE"])
        subject, text = worded("address_changed", language, name=name)
        purpose = f"address-changed:{contact.id}:{contact.version}"
        new = NewMail(
            purpose=purpose,
            kind="address_changed",
            about=None,
            language=language,
            recipient=(name, before),
            subject=subject,
            text=text,
        )
        queue(new, at=at)


def _plain(fields: ContactFields) -> dict[str, object]:
    return {name: getattr(fields, name) for name in ContactFields.__dataclass_fields__ if name != "email"}


def forget_contacts(contacts: Iterable[Contact]) -> None:
    """Delete people to whom nothing refers any more. Raises IntegrityError where something does."""
    for contact in contacts:
        if contact.email:
            revive(contact.email)  # that it does not exist is nobody's news any more
        db.session.delete(contact)
    db.session.flush()  # organisations may be unused only after that


def forget_unused(provider_ids: Iterable[int]) -> None:
    """Delete those of the organisations where nobody is."""
    for provider in queries.providers_without_people(provider_ids):
        db.session.delete(provider)


def blank(contact: Contact, pseudonym: str) -> None:
    """Leave nothing of a person but the organisation; the row stays, because others refer to it."""
    for name, value in _blank(pseudonym).items():
        setattr(contact, name, value)
    contact.version += 1


def _blank(name: str) -> dict[str, object]:
    return {
        "salutation": Salutation.NONE, "title": "", "first_name": "", "last_name": name, "email": None, "email_key": None,
        "function": "", "team": "",
    }  # fmt: skip


def blank_row(connection: Connection, contact_id: int, pseudonym: str) -> None:
    """The same on a bare connection, as after a restore."""
    values = _blank(pseudonym) | {"version": Contact.version + 1}
    connection.execute(update(Contact).where(Contact.id == contact_id).values(values))
