"""Decisions and actions, with where they came from."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Select, func, select, union
from sqlalchemy.orm import joinedload

from ..agenda.queries import item_of
from ..conferences.models import Conference
from ..conferences.queries import earlier_ids
from ..core.discretion import Discretion, Named
from ..ideas.queries import cluster_of, idea_of
from ..invitations.models import Invitation
from ..kit.db import db
from ..providers.models import Contact
from ..registrations.models import Attendance
from .models import ASSIGNED, ENDED, Action, ActionReminder, Decision, Report


def people_around(conference: Conference) -> list[Named]:
    """Everybody who was invited to the conference or to one before it, was there, or is responsible for something."""
    ids = [conference.id, *earlier_ids(conference)]
    known = union(
        select(Invitation.contact_id).where(Invitation.conference_id.in_(ids)),
        select(Attendance.contact_id).where(Attendance.conference_id.in_(ids)),
        select(Action.responsible_id).where(Action.conference_id.in_(ids)),
    )
    query = (
        select(Contact).options(joinedload(Contact.provider)).where(Contact.id.in_(select(known.subquery())))
    )
    return [
        Named(contact.first_name, contact.last_name, contact.provider.name)
        for contact in db.session.scalars(query.order_by(Contact.id))
    ]


def reader_of(conference: Conference, *, with_names: bool) -> Callable[[str], str]:
    """What somebody reads of a text about the conference: the text, or the text without the people in it."""
    return str if with_names else Discretion(people_around(conference))


def decisions_of(conference: Conference) -> list[Decision]:
    """All decisions in their order, with their sources."""
    query = (
        select(Decision)
        .options(joinedload(Decision.idea), joinedload(Decision.cluster), joinedload(Decision.agenda_item))
        .where(Decision.conference_id == conference.id)
        .order_by(Decision.number)
    )
    return list(db.session.scalars(query))


def decision_of(conference: Conference, decision_id: int) -> Decision | None:
    return db.session.scalar(
        select(Decision).where(Decision.conference_id == conference.id, Decision.id == decision_id)
    )


def _with_sources() -> Select[Action]:
    return select(Action).options(
        joinedload(Action.responsible).joinedload(Contact.provider),
        joinedload(Action.conference),
        joinedload(Action.decision),
        joinedload(Action.idea),
        joinedload(Action.cluster),
        joinedload(Action.agenda_item),
    )


def actions_of(conference: Conference) -> list[Action]:
    """All actions in their order, with responsible and source."""
    return list(
        db.session.scalars(
            _with_sources().where(Action.conference_id == conference.id).order_by(Action.number)
        )
    )


def action_of(conference: Conference, action_id: int) -> Action | None:
    return db.session.scalar(
        _with_sources().where(Action.conference_id == conference.id, Action.id == action_id)
    )


def actions_for(conference: Conference, contact_id: int) -> list[Action]:
    """The actions of one responsible person, open ones first."""
    query = _with_sources().where(Action.conference_id == conference.id, Action.responsible_id == contact_id)
    return sorted(
        db.session.scalars(query), key=lambda action: (action.status in ENDED, action.due_on, action.number)
    )


def actions_before(conference: Conference) -> list[Action]:
    """All actions of the earlier conferences in the chain: the records themselves, no copies."""
    earlier = earlier_ids(conference)
    if not earlier:
        return []
    query = _with_sources().where(Action.conference_id.in_(earlier)).order_by(Action.due_on, Action.id)
    return list(db.session.scalars(query))


def open_actions_before(conference: Conference) -> list[Action]:
    """The actions of earlier conferences that are neither done nor dropped, by date."""
    return [action for action in actions_before(conference) if action.status not in ENDED]


@dataclass(frozen=True)
class Followed:
    """What was made from an idea, a cluster or an agenda item."""

    decisions: Sequence[Decision]
    actions: Sequence[Action]


def what_followed(conference: Conference, kind: str, source_id: int) -> Followed:
    """The decisions from it, and the actions from it or from one of these decisions."""
    column = {"idea": "idea_id", "cluster": "cluster_id", "agenda": "agenda_item_id"}[kind]
    decisions = [one for one in decisions_of(conference) if getattr(one, column) == source_id]
    ids = {decision.id for decision in decisions}
    actions = [
        action
        for action in actions_of(conference)
        if getattr(action, column) == source_id or action.decision_id in ids
    ]
    return Followed(decisions, actions)


def history_of(action: Action) -> list[Report]:
    """All reports, newest first."""
    query = select(Report).where(Report.action_id == action.id).order_by(Report.number.desc())
    return list(db.session.scalars(query))


def latest_reports(actions: Iterable[Action]) -> dict[int, Report]:
    """The newest report with words, by action id, in one query."""
    ids = [action.id for action in actions]
    query = select(Report).where(Report.action_id.in_(ids), Report.text != "").order_by(Report.number)
    return {report.action_id: report for report in db.session.scalars(query)}


def histories(actions: Iterable[Action]) -> dict[int, list[Report]]:
    """All reports of several actions by action id, oldest first, in one query."""
    found: dict[int, list[Report]] = defaultdict(list)
    query = (
        select(Report).where(Report.action_id.in_([action.id for action in actions])).order_by(Report.number)
    )
    for report in db.session.scalars(query):
        found[report.action_id].append(report)
    return found


def unfinished_actions(contact_id: int | None = None) -> list[Action]:
    """Every action (of one responsible person) that is neither done nor dropped, for the reminders."""
    query = _with_sources().where(Action.status.not_in(ENDED)).order_by(Action.id)
    if contact_id is not None:
        query = query.where(Action.responsible_id == contact_id)
    return list(db.session.scalars(query))


def responsible_ids() -> list[int]:
    """Who is responsible for something that is neither done nor dropped."""
    query = select(Action.responsible_id).where(Action.status.not_in(ENDED)).distinct()
    return list(db.session.scalars(query.order_by(Action.responsible_id)))


def sent_reminders(actions: Iterable[Action]) -> set[tuple[int, str, date]]:
    """(action id, kind, due date) of the letters that went out."""
    query = select(ActionReminder).where(ActionReminder.action_id.in_([action.id for action in actions]))
    return {(reminder.action_id, reminder.kind, reminder.due_on) for reminder in db.session.scalars(query)}


def last_reminders() -> dict[int, datetime]:
    """When each person was reminded last, by contact id."""
    query = (
        select(Action.responsible_id, func.max(ActionReminder.sent_at))
        .join(Action, Action.id == ActionReminder.action_id)
        .where(ActionReminder.kind.not_like(f"{ASSIGNED}-%"))
        .group_by(Action.responsible_id)
    )
    return {row[0]: row[1] for row in db.session.execute(query)}


def source_exists(conference: Conference, kind: str, source_id: int) -> bool:
    """True when the idea, cluster, agenda item or decision belongs to the conference."""
    finders = {"idea": idea_of, "cluster": cluster_of, "agenda": item_of, "decision": decision_of}
    return kind in finders and finders[kind](conference, source_id) is not None
