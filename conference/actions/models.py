"""Decisions, actions and their dated history."""

from datetime import date, datetime

from flask_babel import lazy_gettext as _l
from sqlalchemy import ForeignKey, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from ..agenda.models import AgendaItem
from ..conferences.models import Conference
from ..ideas.models import Cluster, Idea
from ..kit.db import Choice, Model
from ..providers.models import Contact


class Decision(Model):
    """A decision in its exact words, with where it came from (at most one of idea, cluster, agenda item)."""

    __table_args__ = (UniqueConstraint("conference_id", "number"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    conference_id: Mapped[int] = mapped_column(ForeignKey("conference.id"))
    number: Mapped[int]
    wording: Mapped[str] = mapped_column(Text)
    manner: Mapped[str] = mapped_column(default="")
    idea_id: Mapped[int | None] = mapped_column(ForeignKey("idea.id"))
    cluster_id: Mapped[int | None] = mapped_column(ForeignKey("cluster.id"))
    agenda_item_id: Mapped[int | None] = mapped_column(ForeignKey("agenda_item.id"))
    decided_at: Mapped[datetime]
    version: Mapped[int] = mapped_column(default=1)

    idea: Mapped[Idea | None] = relationship()
    cluster: Mapped[Cluster | None] = relationship()
    agenda_item: Mapped[AgendaItem | None] = relationship()


class ActionStatus(Choice):
    """How far an action is. Overdue is computed, never stored."""

    OPEN = "open", _l("open")
    IN_PROGRESS = "in_progress", _l("in progress")
    DONE = "done", _l("done")
    POSTPONED = "postponed", _l("postponed")
    DROPPED = "dropped", _l("dropped")


ENDED = (ActionStatus.DONE, ActionStatus.DROPPED)
ASSIGNED = "assigned"


class Action(Model):
    """Who does what until when. `status` is that of the newest report; the reports are its dated history."""

    __table_args__ = (UniqueConstraint("conference_id", "number"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    conference_id: Mapped[int] = mapped_column(ForeignKey("conference.id"))
    number: Mapped[int]
    title: Mapped[str]
    description: Mapped[str] = mapped_column(Text, default="")
    responsible_id: Mapped[int] = mapped_column(ForeignKey("contact.id"), index=True)
    supporters: Mapped[str] = mapped_column(default="")
    due_on: Mapped[date]
    status: Mapped[ActionStatus] = mapped_column(default=ActionStatus.OPEN)
    decision_id: Mapped[int | None] = mapped_column(ForeignKey("decision.id"))
    idea_id: Mapped[int | None] = mapped_column(ForeignKey("idea.id"))
    cluster_id: Mapped[int | None] = mapped_column(ForeignKey("cluster.id"))
    agenda_item_id: Mapped[int | None] = mapped_column(ForeignKey("agenda_item.id"))
    created_at: Mapped[datetime]
    version: Mapped[int] = mapped_column(default=1)

    conference: Mapped[Conference] = relationship()
    responsible: Mapped[Contact] = relationship()
    decision: Mapped[Decision | None] = relationship()
    idea: Mapped[Idea | None] = relationship()
    cluster: Mapped[Cluster | None] = relationship()
    agenda_item: Mapped[AgendaItem | None] = relationship()

    def is_overdue(self, today: date) -> bool:
        """Past its date and neither done nor dropped."""
        return self.due_on < today and self.status not in ENDED


class Report(Model):
    """One dated entry in the history of an action: status, date and why. `author` is frozen as a name."""

    __table_args__ = (UniqueConstraint("action_id", "number"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    action_id: Mapped[int] = mapped_column(ForeignKey("action.id"))
    number: Mapped[int]
    status: Mapped[ActionStatus]
    due_on: Mapped[date]
    text: Mapped[str] = mapped_column(Text, default="")
    author: Mapped[str]
    reported_at: Mapped[datetime]


class ActionReminder(Model):
    """A letter that went out: once per action, kind and date, whatever runs twice.

    `kind` is that of core.actions.reminder_kind, or 'assigned-<contact id>' for the first letter with the personal link.
    """

    __table_args__ = (UniqueConstraint("action_id", "kind", "due_on"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    action_id: Mapped[int] = mapped_column(ForeignKey("action.id"))
    kind: Mapped[str]
    due_on: Mapped[date]
    sent_at: Mapped[datetime]
