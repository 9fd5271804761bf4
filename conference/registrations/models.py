"""Registrations, consents, wishes, attendance."""

from datetime import datetime

from flask_babel import lazy_gettext as _l
from sqlalchemy import ForeignKey, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from ..conferences.models import Conference, Topic
from ..kit.db import Choice, Model
from ..providers.models import Contact


class Standing(Choice):
    """Whether a registered person has a seat."""

    CONFIRMED = "confirmed", _l("has a seat")
    WAITING = "waiting", _l("on the waiting list")
    WITHDRAWN = "withdrawn", _l("withdrawn")


class Registration(Model):
    """One person's registration; withdrawing keeps the row. `queue_number` orders the waiting list, never reused.

    `notice_version` says which words of the first letter, with the notice of Article 14 GDPR, were in force.
    """

    __table_args__ = (
        UniqueConstraint("conference_id", "contact_id"),
        UniqueConstraint("conference_id", "queue_number"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    conference_id: Mapped[int] = mapped_column(ForeignKey("conference.id"))
    contact_id: Mapped[int] = mapped_column(ForeignKey("contact.id"), index=True)
    standing: Mapped[Standing]
    queue_number: Mapped[int | None]
    name: Mapped[str]
    diet: Mapped[str] = mapped_column(Text, default="")
    access_needs: Mapped[str] = mapped_column(Text, default="")
    registered_at: Mapped[datetime]
    notice_version: Mapped[str] = mapped_column(default="")
    withdrawn_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(default=1)

    conference: Mapped[Conference] = relationship()
    contact: Mapped[Contact] = relationship()


class ConsentKind(Choice):
    """What a person may agree to; each on its own, none needed."""

    PHOTO = "photo", _l("Photos")
    LIST = "list", _l("Participant list")
    FUTURE = "future", _l("Further invitations")


class Channel(Choice):
    """By which way somebody told us."""

    PAGE = "page", _l("personal page")
    STAFF = "staff", _l("told to staff")


class Consent(Model):
    """A consent with the words that the person saw and their version, when and how.

    Withdrawing keeps the row as proof; given again, it is another row. Changed words change no consent that was given.
    `name` is there for photos alone: that proof is needed longer than the contact data.
    """

    id: Mapped[int] = mapped_column(primary_key=True)
    registration_id: Mapped[int] = mapped_column(ForeignKey("registration.id"), index=True)
    kind: Mapped[ConsentKind]
    wording: Mapped[str] = mapped_column(Text)
    text_version: Mapped[str]
    channel: Mapped[Channel] = mapped_column(default=Channel.PAGE)
    name: Mapped[str] = mapped_column(default="")
    given_at: Mapped[datetime]
    withdrawn_at: Mapped[datetime | None]
    withdrawn_by: Mapped[Channel | None]


class Notice(Model):
    """The words of the first letter, with the notice of Article 14 GDPR, as somebody who registered had them."""

    __table_args__ = (UniqueConstraint("conference_id", "version"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    conference_id: Mapped[int] = mapped_column(ForeignKey("conference.id"))
    version: Mapped[str]
    text: Mapped[str] = mapped_column(Text)
    since: Mapped[datetime]


class Wish(Model):
    """A topic that a person would like to work on; rank 1 is the first choice."""

    __table_args__ = (
        UniqueConstraint("registration_id", "rank"),
        UniqueConstraint("registration_id", "topic_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    registration_id: Mapped[int] = mapped_column(ForeignKey("registration.id"))
    topic_id: Mapped[int] = mapped_column(ForeignKey("topic.id", ondelete="CASCADE"))
    rank: Mapped[int]

    topic: Mapped[Topic] = relationship()


class Presence(Choice):
    """Who was there. Recorded on the day, never taken from the registration."""

    PRESENT = "present", _l("present")
    EXCUSED = "excused", _l("excused")
    ABSENT = "absent", _l("absent")


class Attendance(Model):
    """One person's attendance; no row means: not recorded yet."""

    __table_args__ = (UniqueConstraint("conference_id", "contact_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    conference_id: Mapped[int] = mapped_column(ForeignKey("conference.id"))
    contact_id: Mapped[int] = mapped_column(ForeignKey("contact.id"), index=True)
    presence: Mapped[Presence]
    walk_in: Mapped[bool] = mapped_column(default=False)
    arrived_at: Mapped[datetime | None]
    left_at: Mapped[datetime | None]
    recorded_at: Mapped[datetime]
    version: Mapped[int] = mapped_column(default=1)

    contact: Mapped[Contact] = relationship()
