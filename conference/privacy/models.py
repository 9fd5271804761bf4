"""What people asked for, how long what is kept, what the nights threw away, and the house's own statements."""

from calendar import monthrange
from datetime import date, datetime
from zoneinfo import ZoneInfo

from flask_babel import lazy_gettext as _l
from sqlalchemy import JSON, ForeignKey, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from ..accounts.models import Account
from ..conferences.models import Conference
from ..kit.db import Choice, Model
from ..providers.models import Contact


class RequestKind(Choice):
    """What somebody asks for (articles of the GDPR)."""

    ERASURE = "erasure", _l("Erasure (Article 17)")
    RESTRICTION = "restriction", _l("Restriction (Article 18)")
    OBJECTION = "objection", _l("Objection (Article 21)")
    RECTIFICATION = "rectification", _l("Rectification (Article 16)")

    @property
    def erases(self) -> bool:
        """Whether granting it takes the person out of everything."""
        return self in (RequestKind.ERASURE, RequestKind.OBJECTION)


ASKED = (RequestKind.ERASURE, RequestKind.RESTRICTION, RequestKind.OBJECTION)
"""What people ask for; a new address is put right by staff, and noted where an administrator of the house decides."""


class Outcome(Choice):
    """What became of a request."""

    GRANTED = "granted", _l("granted")
    REFUSED = "refused", _l("refused")
    WITHDRAWN = "withdrawn", _l("withdrawn")


class PrivacyRequest(Model):
    """Somebody asked for something; staff decide, with a reason. Of who is erased it says only that it was so, and why.

    `words`: their own, or the new address where a rectification is asked for.
    """

    id: Mapped[int] = mapped_column(primary_key=True)
    conference_id: Mapped[int] = mapped_column(ForeignKey("conference.id"), index=True)
    contact_id: Mapped[int | None] = mapped_column(ForeignKey("contact.id", ondelete="SET NULL"), index=True)
    kind: Mapped[RequestKind]
    words: Mapped[str] = mapped_column(Text, default="")
    asked_at: Mapped[datetime]
    outcome: Mapped[Outcome | None]
    reason: Mapped[str] = mapped_column(Text, default="")
    decided_at: Mapped[datetime | None]
    account_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"))

    conference: Mapped[Conference] = relationship()
    contact: Mapped[Contact | None] = relationship()
    account: Mapped[Account | None] = relationship()

    @property
    def due_on(self) -> date:
        """The day by which an answer is due: one month after it came in (Article 12 (3) GDPR)."""
        asked = self.asked_at.astimezone(ZoneInfo(self.conference.zone)).date()
        year, month = (asked.year, asked.month + 1) if asked.month < 12 else (asked.year + 1, 1)
        return date(year, month, min(asked.day, monthrange(year, month)[1]))


class AccessLink(Model):
    """A fresh link to everything that is stored of one person: 15 minutes. Only the hash of the token is here."""

    id: Mapped[int] = mapped_column(primary_key=True)
    contact_id: Mapped[int] = mapped_column(ForeignKey("contact.id", ondelete="CASCADE"), index=True)
    conference_id: Mapped[int] = mapped_column(ForeignKey("conference.id"))
    token_hash: Mapped[str] = mapped_column(unique=True)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]

    conference: Mapped[Conference] = relationship()
    contact: Mapped[Contact] = relationship()


class RetentionPeriod(Model):
    """How many days a class of data is kept, where it differs from the default."""

    name: Mapped[str] = mapped_column(primary_key=True)
    days: Mapped[int]


class RetentionRun(Model):
    """A night's work: how much of each class was thrown away. `failed` names those of which something could not be."""

    id: Mapped[int] = mapped_column(primary_key=True)
    ran_at: Mapped[datetime] = mapped_column(index=True)
    counts: Mapped[dict[str, int]] = mapped_column(JSON)
    failed: Mapped[str] = mapped_column(default="")


class ArchiveState(Choice):
    """How far the offer of a conference's records to the archive is (section 5 BArchG)."""

    OFFERED = "offered", _l("offered")
    HANDED_OVER = "handed_over", _l("handed over")
    UNWORTHY = "unworthy", _l("not worth archiving")


class ArchiveStep(Model):
    """Somebody noted where the offer stands; the newest step of a conference counts, none means: not offered yet."""

    id: Mapped[int] = mapped_column(primary_key=True)
    conference_id: Mapped[int] = mapped_column(ForeignKey("conference.id"), index=True)
    state: Mapped[ArchiveState]
    note: Mapped[str] = mapped_column(Text, default="")
    account_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"))
    noted_at: Mapped[datetime]

    account: Mapped[Account | None] = relationship()


class Statement(Model):
    """The operator's own words on one of the house's pages, in one language; each saving is a new version that stays."""

    __table_args__ = (UniqueConstraint("page", "language", "number"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    page: Mapped[str]
    language: Mapped[str]
    number: Mapped[int]
    text: Mapped[str] = mapped_column(Text)
    account_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"))
    saved_at: Mapped[datetime]

    account: Mapped[Account | None] = relationship()


class Feedback(Model):
    """Somebody met a barrier and said so. The address is given only by who wants an answer."""

    id: Mapped[int] = mapped_column(primary_key=True)
    page: Mapped[str]
    text: Mapped[str] = mapped_column(Text)
    email: Mapped[str] = mapped_column(default="")
    sent_at: Mapped[datetime]
    answered_at: Mapped[datetime | None]
    account_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"))
