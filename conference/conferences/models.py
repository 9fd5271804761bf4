"""Series, conferences, rooms and topics."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from sqlalchemy import CheckConstraint, ForeignKey, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from ..accounts.models import Account, Role
from ..core.walltime import end_of_day
from ..kit.db import Model, Zone


class Series(Model):
    """A row of conferences of one host."""

    id: Mapped[int] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(unique=True)
    title: Mapped[str]
    host: Mapped[str]
    created_at: Mapped[datetime]
    version: Mapped[int] = mapped_column(default=1)


class Grant(Model):
    """A role of an account in one series or one conference; without either, in all of them. Administrators need none.

    `with_names`: leadership may read the names of participants in results, which it does not see otherwise.
    """

    __tablename__ = "role_grant"
    __table_args__ = (CheckConstraint("series_id IS NULL OR conference_id IS NULL", name="one_place"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"), index=True)
    role: Mapped[Role]
    series_id: Mapped[int | None] = mapped_column(ForeignKey("series.id"), index=True)
    conference_id: Mapped[int | None] = mapped_column(ForeignKey("conference.id"), index=True)
    granted_by_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"))
    since: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    with_names: Mapped[bool] = mapped_column(default=False)
    version: Mapped[int] = mapped_column(default=1)

    account: Mapped[Account] = relationship(foreign_keys=[account_id])
    granted_by: Mapped[Account | None] = relationship(foreign_keys=[granted_by_id])


class Conference(Model):
    """One conference. Times are instants; `zone` says on whose clocks they are shown."""

    __table_args__ = (UniqueConstraint("series_id", "number"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    series_id: Mapped[int] = mapped_column(ForeignKey("series.id"))
    previous_id: Mapped[int | None] = mapped_column(ForeignKey("conference.id"))
    number: Mapped[int]
    slug: Mapped[str] = mapped_column(unique=True)
    title: Mapped[str]
    focus_question: Mapped[str] = mapped_column(Text, default="")
    zone: Mapped[str] = mapped_column(Zone, default="Europe/Berlin")
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    answer_by: Mapped[date]
    venue: Mapped[str]
    address: Mapped[str] = mapped_column(default="")
    seats: Mapped[int]
    language: Mapped[str] = mapped_column(default="de")
    organiser_name: Mapped[str]
    organiser_email: Mapped[str]
    organiser_phone: Mapped[str] = mapped_column(default="")
    calendar_sequence: Mapped[int] = mapped_column(default=0)
    version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]

    series: Mapped[Series] = relationship()
    previous: Mapped["Conference | None"] = relationship(remote_side=[id])

    @property
    def day(self) -> date:
        """The date on the conference's own calendar."""
        return self.starts_at.astimezone(ZoneInfo(self.zone)).date()

    @property
    def answers_close_at(self) -> datetime:
        """The instant after which no answer is taken: the end of the answer-by day in the conference's zone."""
        return end_of_day(self.answer_by, self.zone).astimezone(UTC)

    @property
    def place(self) -> str:
        """Venue and address in one line."""
        return ", ".join(part for part in (self.venue, self.address) if part)


class Room(Model):
    """A room at the venue."""

    __table_args__ = (UniqueConstraint("conference_id", "name"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    conference_id: Mapped[int] = mapped_column(ForeignKey("conference.id"))
    name: Mapped[str]
    capacity: Mapped[int]
    position: Mapped[int]


class Topic(Model):
    """A topic for breakout groups, offered as a wish with the registration."""

    __table_args__ = (UniqueConstraint("conference_id", "title"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    conference_id: Mapped[int] = mapped_column(ForeignKey("conference.id"))
    title: Mapped[str]
    position: Mapped[int]
