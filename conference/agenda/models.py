"""Agenda items and their notes."""

from datetime import datetime, timedelta

from flask_babel import lazy_gettext as _l
from sqlalchemy import ForeignKey, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from ..accounts.models import Account
from ..conferences.models import Conference, Room
from ..kit.db import Choice, Model


class ItemKind(Choice):
    """What kind of agenda item it is. A review opens with the open actions of the conference before."""

    PLENARY = "plenary", _l("Plenary")
    TALK = "talk", _l("Talk")
    BREAKOUT = "breakout", _l("Breakout groups")
    REVIEW = "review", _l("What became of it")
    BREAK = "break", _l("Break")


class AgendaItem(Model):
    """One item of the agenda. `person` is who leads it or speaks."""

    id: Mapped[int] = mapped_column(primary_key=True)
    conference_id: Mapped[int] = mapped_column(ForeignKey("conference.id"), index=True)
    kind: Mapped[ItemKind]
    title: Mapped[str]
    description: Mapped[str] = mapped_column(Text, default="")
    starts_at: Mapped[datetime]
    duration: Mapped[timedelta]
    room_id: Mapped[int | None] = mapped_column(ForeignKey("room.id"))
    person: Mapped[str] = mapped_column(default="")
    internal: Mapped[bool] = mapped_column(default=False)
    uid: Mapped[str] = mapped_column(unique=True)
    sequence: Mapped[int] = mapped_column(default=0)
    version: Mapped[int] = mapped_column(default=1)
    updated_at: Mapped[datetime]

    conference: Mapped[Conference] = relationship()
    room: Mapped[Room | None] = relationship()

    @property
    def ends_at(self) -> datetime:
        return self.starts_at + self.duration


class CancelledEntry(Model):
    """What calendars must still be told of a deleted agenda item: feeds keep it as CANCELLED for a while."""

    id: Mapped[int] = mapped_column(primary_key=True)
    conference_id: Mapped[int] = mapped_column(ForeignKey("conference.id"), index=True)
    uid: Mapped[str] = mapped_column(unique=True)
    sequence: Mapped[int]
    title: Mapped[str]
    starts_at: Mapped[datetime]
    duration: Mapped[timedelta]
    cancelled_at: Mapped[datetime]


class Note(Model):
    """One saved state of the notes on an agenda item; the highest number is the current one, older ones stay."""

    __table_args__ = (UniqueConstraint("agenda_item_id", "number"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    agenda_item_id: Mapped[int] = mapped_column(ForeignKey("agenda_item.id", ondelete="CASCADE"))
    number: Mapped[int]
    text: Mapped[str] = mapped_column(Text)
    account_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"))
    saved_at: Mapped[datetime]

    account: Mapped[Account | None] = relationship()
