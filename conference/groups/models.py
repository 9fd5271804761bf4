"""Rounds, groups, seats and their published state."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from ..agenda.models import AgendaItem
from ..conferences.models import Room, Topic
from ..kit.db import Model
from ..providers.models import Contact


class Round(Model):
    """A breakout round; usually held in an agenda item of the kind breakout."""

    __table_args__ = (UniqueConstraint("conference_id", "number"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    conference_id: Mapped[int] = mapped_column(ForeignKey("conference.id"))
    number: Mapped[int]
    agenda_item_id: Mapped[int | None] = mapped_column(ForeignKey("agenda_item.id", ondelete="SET NULL"))
    version: Mapped[int] = mapped_column(default=1)

    agenda_item: Mapped[AgendaItem | None] = relationship()


class Group(Model):
    """A breakout group of one round. Groups of the same name in several rounds share a table and its QR code."""

    __tablename__ = "breakout_group"
    __table_args__ = (UniqueConstraint("round_id", "name"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    round_id: Mapped[int] = mapped_column(ForeignKey("round.id", ondelete="CASCADE"))
    name: Mapped[str]
    topic_id: Mapped[int | None] = mapped_column(ForeignKey("topic.id", ondelete="SET NULL"))
    focus_question: Mapped[str] = mapped_column(Text, default="")
    room_id: Mapped[int | None] = mapped_column(ForeignKey("room.id"))

    round: Mapped[Round] = relationship()
    topic: Mapped[Topic | None] = relationship()
    room: Mapped[Room | None] = relationship()


class Seat(Model):
    """A person in a group: at most one seat a round. A pinned seat is left alone when groups are formed anew."""

    __table_args__ = (UniqueConstraint("round_id", "contact_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    round_id: Mapped[int] = mapped_column(ForeignKey("round.id", ondelete="CASCADE"))
    group_id: Mapped[int] = mapped_column(ForeignKey("breakout_group.id", ondelete="CASCADE"), index=True)
    contact_id: Mapped[int] = mapped_column(ForeignKey("contact.id"), index=True)
    pinned: Mapped[bool] = mapped_column(default=False)

    group: Mapped[Group] = relationship()
    contact: Mapped[Contact] = relationship()


class Forming(Model):
    """One press of the button: the problem as it was given and what came out, with bounds."""

    id: Mapped[int] = mapped_column(primary_key=True)
    conference_id: Mapped[int] = mapped_column(ForeignKey("conference.id"), index=True)
    account_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"))
    formed_at: Mapped[datetime]
    problem: Mapped[dict[str, Any]] = mapped_column(JSON)
    result: Mapped[dict[str, Any]] = mapped_column(JSON)


class GroupsRelease(Model):
    """The groups as published to participants: frozen, numbered; later moves need a new release."""

    __table_args__ = (UniqueConstraint("conference_id", "number"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    conference_id: Mapped[int] = mapped_column(ForeignKey("conference.id"))
    number: Mapped[int]
    account_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"))
    released_at: Mapped[datetime]
    plan: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
