"""Deciding, making actions, reporting on them."""

from dataclasses import dataclass
from datetime import date, datetime

from flask_babel import gettext as _
from sqlalchemy import select

from ..conferences.models import Conference
from ..kit.db import db, found, next_number, one_locked
from ..kit.errors import Refused, check_version
from ..providers.models import Contact
from ..providers.queries import contact_by_id
from . import queries
from .models import Action, ActionStatus, Decision, Report

LINKS = ("decision_id", "idea_id", "cluster_id", "agenda_item_id")
NEEDS_REASON = (ActionStatus.POSTPONED, ActionStatus.DROPPED)


@dataclass(frozen=True)
class Source:
    """Where a decision or action came from: kind is 'idea', 'cluster', 'agenda', 'decision' or None."""

    kind: str | None = None
    id: int | None = None


@dataclass(frozen=True)
class ActionFields:
    """Who does what until when, and why."""

    title: str
    description: str
    responsible_id: int
    supporters: str
    due_on: date
    source: Source = Source()
    decision_id: int | None = None


def _locked(conference: Conference) -> Conference:
    return found(one_locked(select(Conference).where(Conference.id == conference.id)))


def _source_columns(conference: Conference, source: Source) -> dict[str, int | None]:
    columns: dict[str, int | None] = {"idea_id": None, "cluster_id": None, "agenda_item_id": None}
    if source.kind is None or source.id is None:
        return columns
    if not queries.source_exists(conference, source.kind, source.id):
        raise Refused(_("What this came from belongs to another conference or is gone."))
    if source.kind != "decision":
        columns["agenda_item_id" if source.kind == "agenda" else f"{source.kind}_id"] = source.id
    return columns


def decide(conference: Conference, wording: str, manner: str, source: Source, *, at: datetime) -> Decision:
    """Record a decision in its exact words. `manner` is how: 'im Konsens', '30 Ja, 1 Nein'.

    Raises Refused when the source belongs to another conference, or the same words were recorded already.
    """
    _locked(conference)
    if any(decision.wording == wording for decision in queries.decisions_of(conference)):
        raise Refused(_("This decision has been recorded already."))
    decision = Decision(
        conference_id=conference.id,
        number=next_number(Decision.number, Decision.conference_id == conference.id),
        wording=wording,
        manner=manner,
        decided_at=at,
        **_source_columns(conference, source),
    )
    db.session.add(decision)
    db.session.flush()  # actions refer to the id
    return decision


def change_decision(
    decision: Decision, wording: str, manner: str, version: int | None, source: Source | None = None
) -> None:
    """Correct the words, and with `source` what it was made from; the same again changes nothing.

    Raises Stale when somebody else did, Refused when the source belongs to another conference.
    """
    conference = found(db.session.get(Conference, decision.conference_id))
    decision = found(one_locked(select(Decision).where(Decision.id == decision.id)))
    values: dict[str, object] = {"wording": wording, "manner": manner}
    if source is not None and source != source_of(decision):
        values |= _source_columns(conference, source)
    if all(getattr(decision, name) == value for name, value in values.items()):
        return
    mine, theirs = (
        "\n".join(filter(None, both)) for both in ((wording, manner), (decision.wording, decision.manner))
    )
    check_version(version, decision.version, mine=mine, theirs=theirs)
    for name, value in values.items():
        setattr(decision, name, value)
    decision.version += 1


def create_action(conference: Conference, fields: ActionFields, *, at: datetime) -> Action:
    """Make an action with one responsible person and one date; its history begins with 'open'.

    Raises Refused when the date is before the conference, the person or source unknown, or the same one exists already.
    """
    _locked(conference)
    responsible = _checked(conference, fields)
    if any(_is_same(action, fields) for action in queries.actions_of(conference)):
        raise Refused(_("This action has been recorded already."))
    action = Action(
        conference_id=conference.id,
        number=next_number(Action.number, Action.conference_id == conference.id),
        created_at=at,
        **_plain(conference, fields),
    )
    db.session.add(action)
    action.responsible = responsible
    db.session.flush()  # the first report needs the id
    _note(action, ActionStatus.OPEN, fields.due_on, "", responsible.name, at)
    return action


def change_action(
    conference: Conference, action: Action, fields: ActionFields, version: int | None, *, at: datetime
) -> None:
    """Correct title, description, responsible, supporters or source. The same again changes nothing.

    The date moves by a report, with a reason: another date here is Refused. Raises Stale when somebody else changed the action.
    """
    _lock(action)
    values = _plain(conference, fields)
    if fields.source == source_of(action):
        values = {name: value for name, value in values.items() if name not in LINKS}
    if all(getattr(action, name) == value for name, value in values.items()):
        return
    check_version(version, action.version, mine=_told(fields), theirs=_told(action))
    if fields.due_on != action.due_on:
        raise Refused(_("To move the date, report on the action and say why."))
    responsible = _checked(conference, fields)
    moved = responsible.id != action.responsible_id
    for name, value in values.items():
        setattr(action, name, value)
    action.responsible = responsible
    action.version += 1
    if moved:
        text = _("Responsible is now %(name)s.", name=responsible.name)
        _note(action, action.status, action.due_on, text, responsible.name, at)


def _told(action: Action | ActionFields) -> str:
    """What two people may have changed at once, for the comparison."""
    person = contact_by_id(action.responsible_id)
    lines = [action.title, person.name if person else "", action.supporters, action.description]
    return "\n".join(filter(None, lines))


def source_of(thing: Action | Decision) -> Source:
    """Where it came from, the nearest first: for an action its decision, then cluster, idea or agenda item."""
    for kind, number in (
        ("decision", thing.decision_id if isinstance(thing, Action) else None),
        ("cluster", thing.cluster_id),
        ("idea", thing.idea_id),
        ("agenda", thing.agenda_item_id),
    ):
        if number is not None:
            return Source(kind, number)
    return Source()


def _lock(action: Action) -> None:
    # Its relations are in the identity map already; the row itself is read anew under the lock.
    one_locked(select(Action).where(Action.id == action.id))


def _checked(conference: Conference, fields: ActionFields) -> Contact:
    if fields.due_on < conference.day:
        raise Refused(_("The date must not be before the conference."))
    if fields.decision_id is not None and queries.decision_of(conference, fields.decision_id) is None:
        raise Refused(_("This decision belongs to another conference."))
    responsible = contact_by_id(fields.responsible_id)
    if responsible is None:
        raise Refused(_("Please choose who is responsible."))
    return responsible


def _plain(conference: Conference, fields: ActionFields) -> dict[str, object]:
    plain: dict[str, object] = {
        "responsible_id": fields.responsible_id,
        "title": fields.title,
        "description": fields.description,
        "supporters": fields.supporters,
        "due_on": fields.due_on,
        "decision_id": fields.source.id if fields.source.kind == "decision" else fields.decision_id,
    }
    return plain | _source_columns(conference, fields.source)


def _is_same(action: Action, fields: ActionFields) -> bool:
    return (action.title, action.responsible_id, action.due_on) == (
        fields.title,
        fields.responsible_id,
        fields.due_on,
    )


def report(
    action: Action,
    status: ActionStatus,
    due_on: date,
    text: str,
    author: str,
    version: int | None,
    *,
    at: datetime,
) -> Report:
    """Add a dated entry to the history: status, date, why.

    Postponing, dropping and moving the date need a reason (a stalled action without a reason helps nobody, handbook
    outcomes 4.2). The same report sent twice counts once. Raises Stale when somebody else reported meanwhile, Refused when
    the reason is missing or the date is before the conference.
    """
    _lock(action)
    latest = queries.history_of(action)[0]
    if version != action.version and _says(latest) == (status, due_on, text, author):
        return latest
    check_version(version, action.version, mine=text, theirs=f"{latest.status.label}: {latest.text}")
    if (status in NEEDS_REASON or due_on != action.due_on) and not text:
        raise Refused(_("Please say why: postponing, dropping or a new date needs a reason."))
    if due_on != action.due_on and due_on < action.conference.day:
        raise Refused(_("The date must not be before the conference."))
    action.status, action.due_on = status, due_on
    action.version += 1
    return _note(action, status, due_on, text, author, at)


def _says(entry: Report) -> tuple[ActionStatus, date, str, str]:
    return entry.status, entry.due_on, entry.text, entry.author


def _note(action: Action, status: ActionStatus, due_on: date, text: str, author: str, at: datetime) -> Report:
    number = next_number(Report.number, Report.action_id == action.id)
    entry = Report(
        action_id=action.id,
        number=number,
        status=status,
        due_on=due_on,
        text=text,
        author=author,
        reported_at=at,
    )
    db.session.add(entry)
    db.session.flush()  # the number must be taken
    return entry
