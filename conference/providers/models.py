"""Organisations and the people there."""

import re
from datetime import datetime
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import ForeignKey, event, insert, inspect
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Mapped, Mapper, mapped_column, relationship

from ..core import salutation as words
from ..kit.db import NEVER_AGAIN, Choice, Model


class Side(Choice):
    """On which side of the table a person sits."""

    PROVIDER = "provider", _l("Training provider")
    AGENCY = "agency", _l("Agency")


class Salutation(Choice):
    """How a person wants to be addressed; never guessed."""

    NONE = "none", _l("no salutation")
    MS = "ms", _l("Ms")
    MR = "mr", _l("Mr")


class Provider(Model):
    """A training provider, or the agency itself. `name_key` is the comparison form of the name."""

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    name_key: Mapped[str] = mapped_column(unique=True)
    postcode: Mapped[str | None]
    city: Mapped[str | None]
    created_at: Mapped[datetime]


class Contact(Model):
    """A person at a provider. The address may be missing only for walk-ins on the day.

    `restricted_at`: the data are kept but no longer used (Article 18 GDPR): no mailing, no export, no list.
    """

    __table_args__ = NEVER_AGAIN

    id: Mapped[int] = mapped_column(primary_key=True)
    provider_id: Mapped[int] = mapped_column(ForeignKey("provider.id"), index=True)
    salutation: Mapped[Salutation] = mapped_column(default=Salutation.NONE)
    title: Mapped[str] = mapped_column(default="")
    first_name: Mapped[str] = mapped_column(default="", active_history=True)
    last_name: Mapped[str] = mapped_column(active_history=True)
    email: Mapped[str | None] = mapped_column(active_history=True)
    email_key: Mapped[str | None] = mapped_column(unique=True)
    function: Mapped[str] = mapped_column(default="")
    side: Mapped[Side] = mapped_column(default=Side.PROVIDER)
    team: Mapped[str] = mapped_column(default="")
    restricted_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime]

    provider: Mapped[Provider] = relationship()

    @property
    def is_restricted(self) -> bool:
        """True while the data are kept but not used: no letter, no list, no paper, no export."""
        return self.restricted_at is not None

    @property
    def may_be_written_to(self) -> bool:
        """True with an address whose use is not restricted."""
        return bool(self.email) and not self.is_restricted

    @property
    def name(self) -> str:
        """Title, first and last name."""
        return words.full_name(self.title, self.first_name, self.last_name)

    def greeting(self, language: str) -> str:
        """'Sehr geehrte Frau Dr. Brinkmann,' – or 'Guten Tag Kim Müller,' where no salutation is known."""
        return words.salutation_line(
            language, self.salutation.value, self.title, self.first_name, self.last_name
        )

    @property
    def sort_key(self) -> tuple[str, str]:
        """German order by last name."""
        return words.sort_key(self.last_name, self.first_name)


class FormerDetails(Model):
    """As what a person was known before a name or an address was changed. It goes with the person.

    Letters and texts from then are theirs too, for an answer to them and for an erasure.
    """

    id: Mapped[int] = mapped_column(primary_key=True)
    contact_id: Mapped[int] = mapped_column(ForeignKey("contact.id", ondelete="CASCADE"), index=True)
    first_name: Mapped[str]
    last_name: Mapped[str]
    email: Mapped[str | None]


FORMER = ("first_name", "last_name", "email")
NOBODY = re.compile(r"P-[0-9A-F]{6}")
"""The pseudonym of a person who was erased: what they were called before must not be kept."""


@event.listens_for(Contact, "before_update")
def _keep_former(_mapper: Mapper[Any], connection: Connection, contact: Contact) -> None:
    before = {}
    for name in FORMER:
        history = inspect(contact).attrs[name].history
        before[name] = history.deleted[0] if history.deleted else getattr(contact, name)
    is_erased = NOBODY.fullmatch(contact.last_name) and contact.email is None
    if not is_erased and before != {name: getattr(contact, name) for name in FORMER}:
        connection.execute(insert(FormerDetails).values(contact_id=contact.id, **before))
