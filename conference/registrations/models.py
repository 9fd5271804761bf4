"""Registrations, how seats are given, offers, consents, wishes, attendance."""

from datetime import datetime, timedelta

from flask_babel import lazy_gettext as _l
from sqlalchemy import CheckConstraint, ForeignKey, Index, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from ..conferences.models import Conference, Topic
from ..kit.db import NEVER_AGAIN, Choice, Model
from ..providers.models import Contact, Provider

SHORT_OFFER = timedelta(hours=12)
_open_offer = text("ended_at IS NULL")


class Standing(Choice):
    """Whether a registered person has a seat."""

    CONFIRMED = "confirmed", _l("has a seat")
    WAITING = "waiting", _l("on the waiting list")
    WITHDRAWN = "withdrawn", _l("withdrawn")


class Registration(Model):
    """One person's registration; withdrawing keeps the row. `queue_number` orders the waiting list, never reused.

    Who has an offer is still waiting, with their number, until they take the seat. `notice_version` says which
    words of the first letter, with the notice of Article 14 GDPR, were in force.
    """

    __table_args__ = (
        UniqueConstraint("conference_id", "contact_id"),
        UniqueConstraint("conference_id", "queue_number"),
        NEVER_AGAIN,
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


class SeatRules(Model):
    """How the seats of a conference are given. Without a row: no limit for an organisation, and who waits moves up at once.

    `per_provider` is how many people of one organisation get a seat, `offer_hours` how long a free seat is offered to who
    is next, `reason` why the limit is below what an organisation has already.
    """

    __table_args__ = (
        CheckConstraint("per_provider > 0", name="some_seats"),
        CheckConstraint("offer_hours > 0", name="some_hours"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    conference_id: Mapped[int] = mapped_column(ForeignKey("conference.id"), unique=True)
    per_provider: Mapped[int | None]
    offer_hours: Mapped[int | None]
    reason: Mapped[str] = mapped_column(Text, default="")
    version: Mapped[int] = mapped_column(default=1)


class ProviderLimit(Model):
    """One organisation for which another limit holds, and why; `seats` is None where there is none."""

    __table_args__ = (
        UniqueConstraint("conference_id", "provider_id"),
        CheckConstraint("seats >= 0", name="no_negative_seats"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    conference_id: Mapped[int] = mapped_column(ForeignKey("conference.id"))
    provider_id: Mapped[int] = mapped_column(ForeignKey("provider.id", ondelete="CASCADE"), index=True)
    seats: Mapped[int | None]
    reason: Mapped[str] = mapped_column(Text)
    version: Mapped[int] = mapped_column(default=1)

    provider: Mapped[Provider] = relationship()


class OfferEnd(Choice):
    """What became of an offer. None of it is ever taken back: a used offer does not come back to life."""

    ACCEPTED = "accepted", _l("seat taken")
    DECLINED = "declined", _l("turned down")
    EXPIRED = "expired", _l("not answered in time")


class SeatOffer(Model):
    """A free seat that is held for somebody on the waiting list until they answer, at most until the conference begins."""

    __table_args__ = (
        # Whoever writes: nobody has two offers at a time.
        Index(
            "uq_seat_offer_open",
            "registration_id",
            unique=True,
            sqlite_where=_open_offer,
            postgresql_where=_open_offer,
        ),
        NEVER_AGAIN,
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    conference_id: Mapped[int] = mapped_column(ForeignKey("conference.id"), index=True)
    registration_id: Mapped[int] = mapped_column(
        ForeignKey("registration.id", ondelete="CASCADE"), index=True
    )
    made_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    reminded_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    outcome: Mapped[OfferEnd | None]

    conference: Mapped[Conference] = relationship()
    registration: Mapped[Registration] = relationship()

    @property
    def until(self) -> datetime:
        """The last moment: a conference that was moved to an earlier day begins before what was said."""
        return min(self.expires_at, self.conference.starts_at)

    @property
    def remind_at(self) -> datetime | None:
        """When a quarter of the time is left; None for a time so short that a reminder would only disturb."""
        time = self.until - self.made_at
        return self.until - time / 4 if time >= SHORT_OFFER else None

    def is_open(self, at: datetime) -> bool:
        """Whether the seat can still be taken, also where the job that ends offers has not come by yet."""
        return self.ended_at is None and at < self.until


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
