"""Mails as rows."""

from datetime import datetime

from flask_babel import lazy_gettext as _l
from sqlalchemy import ForeignKey, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from ..kit.db import Choice, Model


class MailState(Choice):
    """How far a mail has come. Sending is a lease: it runs out when the worker dies."""

    QUEUED = "queued", _l("waiting")
    SENDING = "sending", _l("being sent")
    SENT = "sent", _l("sent")
    DEFERRED = "deferred", _l("will be tried again")
    FAILED = "failed", _l("failed")
    CANCELLED = "cancelled", _l("cancelled")


class Enclosure(Model):
    """A file that goes with mails, kept once however many mails carry it."""

    id: Mapped[int] = mapped_column(primary_key=True)
    sha256: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    media_type: Mapped[str]
    content: Mapped[bytes]


class Mail(Model):
    """One letter to one recipient. `text` is the source; HTML is derived from it. Personal links are marks (kit.links).

    `purpose` is unique: the same letter is never queued twice. `about` names the conference (its slug), `batch` the
    mailing that the letter belongs to.
    """

    id: Mapped[int] = mapped_column(primary_key=True)
    purpose: Mapped[str] = mapped_column(unique=True)
    kind: Mapped[str]
    about: Mapped[str | None] = mapped_column(index=True)
    batch: Mapped[str | None] = mapped_column(index=True)
    state: Mapped[MailState] = mapped_column(default=MailState.QUEUED, index=True)
    language: Mapped[str]
    recipient_name: Mapped[str]
    recipient_address: Mapped[str]
    reply_to_name: Mapped[str | None]
    reply_to_address: Mapped[str | None]
    subject: Mapped[str]
    text: Mapped[str] = mapped_column(Text)
    button_label: Mapped[str | None]
    button_url: Mapped[str | None]
    message_id: Mapped[str] = mapped_column(unique=True)
    in_reply_to: Mapped[str | None]
    calendar: Mapped[bytes | None]
    calendar_method: Mapped[str | None]
    enclosure_id: Mapped[int | None] = mapped_column(ForeignKey("enclosure.id"))
    created_at: Mapped[datetime]
    due_at: Mapped[datetime] = mapped_column(index=True)
    attempts: Mapped[int] = mapped_column(default=0)
    lease_until: Mapped[datetime | None]
    sent_at: Mapped[datetime | None]
    error: Mapped[str | None]

    enclosure: Mapped[Enclosure | None] = relationship()


class Hold(Model):
    """Nothing leaves until somebody confirms: after a restore, letters that wait may have gone out already."""

    id: Mapped[int] = mapped_column(primary_key=True)
    since: Mapped[datetime]
    released_at: Mapped[datetime | None]
    released_by_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"))
