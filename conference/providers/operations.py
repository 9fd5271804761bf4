"""Keeping organisations and people."""

from dataclasses import dataclass
from datetime import datetime

from flask_babel import gettext as _

from ..core.text import canonical_email, comparison_key
from ..kit.db import db
from ..kit.errors import Refused, check_version
from . import queries
from .models import Contact, Provider, Salutation, Side


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
    address, key = canonical_email(fields.email) if fields.email else (None, None)
    other = queries.contacts_by_key([key]).get(key) if key else None
    if other is not None and other.id != contact.id:
        raise Refused(
            _("The address %(address)s belongs to %(name)s.", address=str(address), name=other.name)
        )
    contact.provider, contact.email, contact.email_key = provider, address, key
    for name, value in _plain(fields).items():
        setattr(contact, name, value)
    contact.version += 1


def _plain(fields: ContactFields) -> dict[str, object]:
    return {name: getattr(fields, name) for name in ContactFields.__dataclass_fields__ if name != "email"}


def forget_contact(contact: Contact) -> None:
    """Delete a person whom nothing refers to any more."""
    db.session.delete(contact)
    db.session.flush()  # the organisation may be unused only after that


def forget_provider(provider: Provider) -> None:
    """Delete an organisation without people; one with people stays."""
    if queries.contact_count(provider) == 0:
        db.session.delete(provider)
