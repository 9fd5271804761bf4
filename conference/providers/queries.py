"""The address book."""

from collections.abc import Container, Iterable

from sqlalchemy import ColumnElement, and_, func, select
from sqlalchemy.orm import joinedload

from ..core.contact_list import Known
from ..core.text import comparison_key
from ..kit.db import db, portions
from .models import Contact, Provider


def provider_names() -> list[str]:
    """Names of all organisations, in order."""
    return list(db.session.scalars(select(Provider.name).order_by(Provider.name)))


def provider_by_name(name: str) -> Provider | None:
    """The organisation with this name, whatever its capitals and blanks."""
    return db.session.scalar(select(Provider).where(Provider.name_key == comparison_key(name)))


def provider_by_id(provider_id: int) -> Provider | None:
    return db.session.get(Provider, provider_id)


def providers_by_key(keys: Iterable[str]) -> dict[str, Provider]:
    """Organisations by the comparison form of their name."""
    return {
        provider.name_key: provider
        for some in portions(keys)
        for provider in db.session.scalars(select(Provider).where(Provider.name_key.in_(some)))
    }


def contacts_by_key(keys: Iterable[str]) -> dict[str, Contact]:
    """Contacts by the comparison form of their address (core.text.canonical_email)."""
    query = select(Contact).options(joinedload(Contact.provider))
    return {
        str(contact.email_key): contact
        for some in portions(keys)
        for contact in db.session.scalars(query.where(Contact.email_key.in_(some)))
    }


def address_book(without: Container[str]) -> dict[str, Known]:
    """Everybody with an address by its comparison form, but for these."""
    query = select(Contact.email_key, Contact.first_name, Contact.last_name, Provider.name).join(Provider)
    rows = db.session.execute(query.where(Contact.email_key.is_not(None)))
    return {str(key): Known(*names) for key, *names in rows if key not in without}


def contact_by_id(contact_id: int) -> Contact | None:
    return db.session.get(Contact, contact_id)


def contact_seen(contact_id: int, seen: ColumnElement[bool]) -> Contact | None:
    """The person, if it is one of those whom somebody may see."""
    return db.session.scalar(select(Contact).where(Contact.id == contact_id, seen))


def contacts_by_id(ids: Iterable[int]) -> list[Contact]:
    """These people, as far as they are in the address book."""
    return [
        contact
        for some in portions(ids)
        for contact in db.session.scalars(select(Contact).where(Contact.id.in_(some)))
    ]


def providers_without_people(ids: Iterable[int]) -> list[Provider]:
    """Those of these organisations where nobody is."""
    query = select(Provider).where(~select(Contact.id).where(Contact.provider_id == Provider.id).exists())
    return [
        provider
        for some in portions(ids)
        for provider in db.session.scalars(query.where(Provider.id.in_(some)))
    ]


def contacts_of(provider: Provider, seen: ColumnElement[bool]) -> list[Contact]:
    """Those people of an organisation whom somebody may see, in German order."""
    people = db.session.scalars(select(Contact).where(Contact.provider_id == provider.id, seen))
    return sorted(people, key=lambda contact: contact.sort_key)


def providers_with_counts(seen: ColumnElement[bool]) -> list[tuple[Provider, int]]:
    """All organisations with the number of those of their people whom somebody may see, by name."""
    theirs, people = and_(Contact.provider_id == Provider.id, seen), func.count(Contact.id)
    query = select(Provider, people).outerjoin(Contact, theirs).group_by(Provider.id).order_by(Provider.name)
    return [(provider, count) for provider, count in db.session.execute(query)]
