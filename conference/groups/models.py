"""Rounds, groups, seats and their published state."""

from datetime import datetime
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import JSON, ForeignKey, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from ..accounts.models import Account
from ..agenda.models import AgendaItem
from ..conferences.models import Conference, Room, Topic
from ..kit.db import Choice, Model
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


class FormingState(Choice):
    """How far a forming has come. Running is a lease: it runs out when the worker dies."""

    WAITING = "waiting", _l("waiting")
    RUNNING = "running", _l("being formed")
    DONE = "done", _l("formed")
    STOPPED = "stopped", _l("stopped")
    FAILED = "failed", _l("not possible")


class Forming(Model):
    """One press of the button: the problem as it was given, how far the worker is, and what came out, with bounds.

    `setting` is what the problem does not say and the seats need (see `tasks.Task`). `attempts` counts the workers that
    took it; only the last of them may write. `best`: the goals of the best seating while it works. `trouble` says why
    nothing came out, as facts: words are made when shown.
    """

    id: Mapped[int] = mapped_column(primary_key=True)
    conference_id: Mapped[int] = mapped_column(ForeignKey("conference.id"), index=True)
    account_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"))
    asked_at: Mapped[datetime]
    state: Mapped[FormingState] = mapped_column(default=FormingState.WAITING, index=True)
    seed: Mapped[int] = mapped_column(default=1)
    tables: Mapped[int]
    problem: Mapped[dict[str, Any]] = mapped_column(JSON)
    setting: Mapped[dict[str, Any]] = mapped_column(JSON)
    steps_done: Mapped[int] = mapped_column(default=0)
    steps_planned: Mapped[int]
    attempts: Mapped[int] = mapped_column(default=0)
    lease_until: Mapped[datetime | None]
    cancelled_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    best: Mapped[list[dict[str, Any]] | None] = mapped_column(JSON(none_as_null=True))
    result: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    trouble: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))

    conference: Mapped[Conference] = relationship()
    account: Mapped[Account | None] = relationship()

    @property
    def is_active(self) -> bool:
        """True while it waits for a worker or is being worked on."""
        return self.state in (FormingState.WAITING, FormingState.RUNNING)


class SeatingChange(Model):
    """What was before a change of the seating, so that it can be undone: rounds with their groups and seats."""

    id: Mapped[int] = mapped_column(primary_key=True)
    conference_id: Mapped[int] = mapped_column(ForeignKey("conference.id"), index=True)
    account_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"))
    changed_at: Mapped[datetime]
    kind: Mapped[str]
    about: Mapped[dict[str, Any]] = mapped_column(JSON)
    before: Mapped[list[dict[str, Any]]] = mapped_column(JSON)


class GroupsRelease(Model):
    """The groups as published to participants: frozen, numbered; later moves need a new release."""

    __table_args__ = (UniqueConstraint("conference_id", "number"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    conference_id: Mapped[int] = mapped_column(ForeignKey("conference.id"))
    number: Mapped[int]
    account_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"))
    released_at: Mapped[datetime]
    plan: Mapped[list[dict[str, Any]]] = mapped_column(JSON)

    account: Mapped[Account | None] = relationship()
