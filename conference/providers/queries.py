"""The address book."""

from collections.abc import Iterable

from sqlalchemy import func, select
from sqlalchemy.orm import joinedload

from ..core.text import comparison_key
from ..kit.db import db
from .models import Contact, Provider


def provider_names() -> list[str]:
    """Names of all organisations, in order."""
    return list(db.session.scalars(select(Provider.name).order_by(Provider.name)))


def provider_by_name(name: str) -> Provider | None:
    """The organisation with this name, whatever its capitals and blanks."""
    return db.session.scalar(select(Provider).where(Provider.name_key == comparison_key(name)))


def provider_by_id(provider_id: int) -> Provider | None:
    return db.session.get(Provider, provider_id)


def contacts_by_key(keys: Iterable[str]) -> dict[str, Contact]:
    """Contacts by the comparison form of their address (core.text.canonical_email)."""
    query = select(Contact).options(joinedload(Contact.provider)).where(Contact.email_key.in_(list(keys)))
    return {str(contact.email_key): contact for contact in db.session.scalars(query)}


def contact_by_id(contact_id: int) -> Contact | None:
    return db.session.get(Contact, contact_id)


def contacts_of(provider: Provider) -> list[Contact]:
    """The people of an organisation, in German order."""
    people = db.session.scalars(select(Contact).where(Contact.provider_id == provider.id))
    return sorted(people, key=lambda contact: contact.sort_key)


def providers_with_counts() -> list[tuple[Provider, int]]:
    """All organisations with the number of their people, by name."""
    people = func.count(Contact.id)
    query = select(Provider, people).outerjoin(Contact).group_by(Provider.id).order_by(Provider.name)
    return [(provider, count) for provider, count in db.session.execute(query)]


def contact_count(provider: Provider) -> int:
    return db.session.scalar(select(func.count(Contact.id)).where(Contact.provider_id == provider.id)) or 0
