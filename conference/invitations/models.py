"""Guest list, letters, imports, personal links."""

from datetime import datetime

from flask_babel import lazy_gettext as _l
from sqlalchemy import JSON, ForeignKey, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from ..conferences.models import Conference
from ..kit.db import NEVER_AGAIN, Choice, Model
from ..providers.models import Contact


class Reply(Choice):
    """What a person answered to the invitation."""

    OPEN = "open", _l("no answer yet")
    ACCEPTED = "accepted", _l("accepted")
    DECLINED = "declined", _l("declined")


class Invitation(Model):
    """A person on the guest list of a conference, and the answer. `sent_at` is set when the first letter is queued.

    The calendar entry belongs to the invitation for life: its UID never changes, `calendar_sequence` and `partstat` are
    what was sent last, and `entry_state` is the conference's calendar_sequence at that time, None while the person has
    no entry (never sent, or cancelled). `wave` counts the letters that asked for an answer (invitation, reminders).
    """

    __table_args__ = (UniqueConstraint("conference_id", "contact_id"), NEVER_AGAIN)

    id: Mapped[int] = mapped_column(primary_key=True)
    conference_id: Mapped[int] = mapped_column(ForeignKey("conference.id"))
    contact_id: Mapped[int] = mapped_column(ForeignKey("contact.id"), index=True)
    reply: Mapped[Reply] = mapped_column(default=Reply.OPEN)
    replied_at: Mapped[datetime | None]
    decline_reason: Mapped[str] = mapped_column(default="")
    sent_at: Mapped[datetime | None]
    reminded_at: Mapped[datetime | None]
    no_reminders_at: Mapped[datetime | None]
    wave: Mapped[int] = mapped_column(default=0)
    calendar_uid: Mapped[str] = mapped_column(unique=True)
    calendar_sequence: Mapped[int] = mapped_column(default=0)
    entry_state: Mapped[int | None]
    partstat: Mapped[str] = mapped_column(default="NEEDS-ACTION")
    first_message_id: Mapped[str | None]
    version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime]

    conference: Mapped[Conference] = relationship()
    contact: Mapped[Contact] = relationship()


class LetterKind(Choice):
    """The letters whose words organisers may change."""

    INVITATION = "invitation", _l("Invitation")
    REMINDER = "reminder", _l("Reminder")


class Letter(Model):
    """The words of a letter, with {placeholders}."""

    __table_args__ = (UniqueConstraint("conference_id", "kind"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    conference_id: Mapped[int] = mapped_column(ForeignKey("conference.id"))
    kind: Mapped[LetterKind]
    subject: Mapped[str]
    body: Mapped[str] = mapped_column(Text)
    version: Mapped[int] = mapped_column(default=1)
    updated_at: Mapped[datetime]


class LinkPurpose(Choice):
    """What a personal link is good for."""

    INVITATION = "invitation", _l("Invitation and registration")
    ACTION = "action", _l("Report on an action")
    CALENDAR = "calendar", _l("Calendar to subscribe to")
    REMINDERS = "reminders", _l("End of reminders")


class PersonalLink(Model):
    """A secret link of one person in one conference. Only the hash of the token is here (see kit.links).

    The id is in the cookies of browsers that came by the link.
    """

    __table_args__ = NEVER_AGAIN

    id: Mapped[int] = mapped_column(primary_key=True)
    conference_id: Mapped[int] = mapped_column(ForeignKey("conference.id"))
    contact_id: Mapped[int] = mapped_column(ForeignKey("contact.id"), index=True)
    purpose: Mapped[LinkPurpose]
    nonce: Mapped[str]
    token_hash: Mapped[str] = mapped_column(unique=True)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]

    conference: Mapped[Conference] = relationship()
    contact: Mapped[Contact] = relationship()


class EndedVisit(Model):
    """A browser that came by a link and was signed out: a copy of its cookie opens nothing more.

    Only who leaves is written down, so that coming and looking cost nothing. The row goes with its link: until then the
    cookie could be kept alive.
    """

    __table_args__ = (UniqueConstraint("link_id", "visit_hash"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    link_id: Mapped[int] = mapped_column(ForeignKey("personal_link.id", ondelete="CASCADE"))
    visit_hash: Mapped[str]


class ImportState(Choice):
    """How far an import has come."""

    DRAFT = "draft", _l("waiting for your confirmation")
    CONFIRMED = "confirmed", _l("taken over")
    UNDONE = "undone", _l("undone")


class ListImport(Model):
    """An uploaded guest list. What stands in it is kept, packed, only until it is confirmed or thrown away."""

    id: Mapped[int] = mapped_column(primary_key=True)
    conference_id: Mapped[int] = mapped_column(ForeignKey("conference.id"), index=True)
    account_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"))
    filename: Mapped[str]
    content: Mapped[bytes | None]
    mapping: Mapped[dict[str, int]] = mapped_column(JSON, default=dict)
    state: Mapped[ImportState] = mapped_column(default=ImportState.DRAFT)
    created_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]

    conference: Mapped[Conference] = relationship()


class ImportedRow(Model):
    """What an import made, so that it can be undone."""

    id: Mapped[int] = mapped_column(primary_key=True)
    list_import_id: Mapped[int] = mapped_column(ForeignKey("list_import.id"), index=True)
    invitation_id: Mapped[int | None] = mapped_column(ForeignKey("invitation.id", ondelete="SET NULL"))
    contact_id: Mapped[int | None] = mapped_column(ForeignKey("contact.id", ondelete="SET NULL"))
    provider_id: Mapped[int | None] = mapped_column(ForeignKey("provider.id", ondelete="SET NULL"))
    line: Mapped[int]
