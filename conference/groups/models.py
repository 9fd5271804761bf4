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
    concern_id: Mapped[int | None] = mapped_column(ForeignKey("concern.id", ondelete="SET NULL"))

    round: Mapped[Round] = relationship()
    topic: Mapped[Topic | None] = relationship()
    room: Mapped[Room | None] = relationship()
    concern: Mapped["Concern | None"] = relationship()

    @property
    def subject(self) -> str:
        """What the group works on: a participant's concern, else a topic of the organisers; empty when neither."""
        return self.concern.title if self.concern else self.topic.title if self.topic else ""


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
    FOUND = "found", _l("proposed")
    DONE = "done", _l("formed")
    STOPPED = "stopped", _l("stopped")
    FAILED = "failed", _l("not possible")


class FormingKind(Choice):
    """What the worker is asked for. A repair is only proposed (found); it is done once somebody has taken it over."""

    FORMING = "forming", _l("forming")
    REPAIR = "repair", _l("repair")


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
    kind: Mapped[FormingKind] = mapped_column(default=FormingKind.FORMING)
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


class RoundTimer(Model):
    """When a round really ends: set by staff on the day. Without a row the agenda says so.

    The end is an instant, so that a reload, a restart or a wrong clock of a phone changes nothing. `last_step` and
    `account_id` tell a button that was pressed twice from two people who press at once.
    """

    id: Mapped[int] = mapped_column(primary_key=True)
    round_id: Mapped[int] = mapped_column(ForeignKey("round.id", ondelete="CASCADE"), unique=True)
    started_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    paused_at: Mapped[datetime | None]
    last_step: Mapped[str]
    account_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"))
    version: Mapped[int] = mapped_column(default=1)


# -- how groups are formed ----------------------------------------------


class Method(Choice):
    """How people come into groups."""

    WORKING_GROUPS = "working_groups", _l("Working groups")
    WORLD_CAFE = "world_cafe", _l("World Café")
    OPEN_SPACE = "open_space", _l("Open Space")
    CHANCE = "chance", _l("Chance")
    WISHES = "wishes", _l("By wish")


class Aim(Choice):
    """What good groups are; the values are the names of the goals of a grouping problem."""

    COLLEAGUES = "colleagues", _l("No colleagues at one table")
    REPEATS = "repeats", _l("Nobody meets twice")
    BALANCE = "balance", _l("Sides and teams spread evenly")
    WISHES = "wishes", _l("Wishes granted, as fairly as possible")


class GroupsSetting(Model):
    """How a conference forms its groups; without a row it is the first method with its own goals.

    `aims` and `spread` None: as the method has it. `spread`: agency people and each team at every table.
    """

    id: Mapped[int] = mapped_column(primary_key=True)
    conference_id: Mapped[int] = mapped_column(ForeignKey("conference.id"), unique=True)
    method: Mapped[Method] = mapped_column(default=Method.WORKING_GROUPS)
    tables: Mapped[int | None]
    aims: Mapped[list[str] | None] = mapped_column(JSON(none_as_null=True))
    spread: Mapped[bool | None]
    version: Mapped[int] = mapped_column(default=1)


class RuleKind(Choice):
    """What a rule of the organisers says."""

    TOGETHER = "together", _l("sit together")
    APART = "apart", _l("do not sit together")
    HOST = "host", _l("hosts a table in all rounds")
    AT = "at", _l("sits at a table")
    NOT_AT = "not_at", _l("does not sit at a table")
    ABSENT = "absent", _l("is not there in a round")
    EVERYWHERE = "everywhere", _l("at least one at every table")


class GroupsRule(Model):
    """A rule of the organisers. `round` None: in all rounds. `attribute`, `value`: whom "at least one" speaks of."""

    id: Mapped[int] = mapped_column(primary_key=True)
    conference_id: Mapped[int] = mapped_column(ForeignKey("conference.id"), index=True)
    kind: Mapped[RuleKind]
    table: Mapped[str] = mapped_column(default="")
    round: Mapped[int | None]
    attribute: Mapped[str] = mapped_column(default="")
    value: Mapped[str] = mapped_column(default="")
    account_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"))
    added_at: Mapped[datetime]

    people: Mapped[list["RulePerson"]] = relationship(
        order_by="RulePerson.position", cascade="all, delete-orphan", passive_deletes=True
    )


class RulePerson(Model):
    """Somebody of whom a rule speaks."""

    __table_args__ = (UniqueConstraint("rule_id", "contact_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    rule_id: Mapped[int] = mapped_column(ForeignKey("groups_rule.id", ondelete="CASCADE"))
    contact_id: Mapped[int] = mapped_column(ForeignKey("contact.id"), index=True)
    position: Mapped[int]

    contact: Mapped[Contact] = relationship()


class Concern(Model):
    """What somebody wants to work on in an Open Space. It lies on the marketplace until it is given a group.

    `contact` has proposed it; without one it was written down by staff. One that was merged is worked on in another.
    """

    id: Mapped[int] = mapped_column(primary_key=True)
    conference_id: Mapped[int] = mapped_column(ForeignKey("conference.id"), index=True)
    title: Mapped[str]
    sentence: Mapped[str] = mapped_column(Text, default="")
    contact_id: Mapped[int | None] = mapped_column(ForeignKey("contact.id"), index=True)
    merged_into_id: Mapped[int | None] = mapped_column(ForeignKey("concern.id", ondelete="SET NULL"))
    proposed_at: Mapped[datetime]

    contact: Mapped[Contact | None] = relationship()
    merged_into: Mapped["Concern | None"] = relationship(remote_side=[id])
