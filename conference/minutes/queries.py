"""The draft, compiled anew from the records of all rooms upstream in one reading; and the releases."""

import json
from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from typing import Any

from sqlalchemy import bindparam, func, or_, select
from sqlalchemy.orm import defer
from sqlalchemy.sql.elements import ColumnElement

from ..actions.models import Action, Decision
from ..actions.queries import actions_before, actions_of, decisions_of, people_around
from ..agenda.models import AgendaItem, ItemKind
from ..agenda.queries import current_notes, items_of
from ..conferences.models import Conference
from ..conferences.queries import follower_of
from ..core import discretion
from ..core import minutes as core
from ..core.text import plain_letters
from ..groups.queries import plan_of
from ..ideas.models import Cluster, Idea
from ..ideas.queries import clusters_of, ideas_of
from ..kit.dates import local
from ..kit.db import db
from ..providers.models import Contact
from ..registrations.models import Attendance, Presence
from ..registrations.queries import attendance_of
from ..sheets.models import SheetState
from ..sheets.queries import handed_in
from ..voting.models import Vote
from ..voting.queries import votes_of
from .models import Minutes, Release

LATE = timedelta(minutes=5)


def frame_of(conference: Conference) -> Minutes | None:
    """Chair, facilitator, minute taker and summary, when somebody has written them."""
    return db.session.scalar(select(Minutes).where(Minutes.conference_id == conference.id))


def releases_of(conference: Conference) -> list[Release]:
    """All releases, newest first, without the frozen texts and PDFs: those are read when somebody asks for one."""
    frozen = (defer(Release.document), defer(Release.text), defer(Release.pdf))
    query = select(Release).options(*frozen).where(Release.conference_id == conference.id)
    return list(db.session.scalars(query.order_by(Release.number.desc())))


def release_of(conference: Conference, number: int) -> Release | None:
    return db.session.scalar(
        select(Release).where(Release.conference_id == conference.id, Release.number == number)
    )


def latest_release(conference: Conference) -> Release | None:
    """The newest release, with its text and PDF."""
    query = select(Release).where(Release.conference_id == conference.id).order_by(Release.number.desc())
    return db.session.scalars(query.limit(1)).first()


@dataclass(frozen=True)
class DraftCounts:
    """What the page says of the draft: its number and how much there is. The same numbers as in the compiled draft."""

    version: int
    present: int
    guests: int
    ideas: int
    decisions: int
    actions: int


def _how_many(column: Any, *conditions: ColumnElement[bool]) -> Any:
    return select(func.count()).where(column == bindparam("conference_id"), *conditions).scalar_subquery()


def _not_among(column: Any, ids: Any) -> ColumnElement[bool]:
    return or_(column.is_(None), column.not_in(ids))


_THERE = Attendance.presence == Presence.PRESENT
_INTERNAL_ITEMS = select(AgendaItem.id).where(AgendaItem.internal)
_INTERNAL_DECISIONS = select(Decision.id).where(Decision.agenda_item_id.in_(_INTERNAL_ITEMS))
_COUNTS = select(
    1 + _how_many(Release.conference_id),
    _how_many(Attendance.conference_id, _THERE, Attendance.walk_in.is_(False)),
    _how_many(Attendance.conference_id, _THERE, Attendance.walk_in.is_(True)),
    _how_many(Idea.conference_id, Idea.hidden_at.is_(None)),
    _how_many(Decision.conference_id, _not_among(Decision.agenda_item_id, _INTERNAL_ITEMS)),
    _how_many(
        Action.conference_id,
        _not_among(Action.agenda_item_id, _INTERNAL_ITEMS),
        _not_among(Action.decision_id, _INTERNAL_DECISIONS),
    ),
)


def draft_counts(conference: Conference) -> DraftCounts:
    """The numbers of the draft in one query, without compiling it."""
    return DraftCounts(*db.session.execute(_COUNTS, {"conference_id": conference.id}).one())


def compile_draft(conference: Conference, *, at: datetime) -> core.MinutesDocument:
    """The minutes as they stand now: everything by reference, attendance as recorded, internal items left out."""
    frame = frame_of(conference)
    items = items_of(conference, internal=False)
    decisions = [decision for decision in decisions_of(conference) if not _is_internal(decision)]
    actions = [action for action in actions_of(conference) if not _is_internal(action)]
    votes = [vote for vote in votes_of(conference) if vote.result is not None]
    ideas = ideas_of(conference)
    newest = db.session.scalar(select(func.max(Release.number)).where(Release.conference_id == conference.id))
    return core.MinutesDocument(
        series_title=conference.series.title,
        conference_title=conference.title,
        number=conference.number,
        day=conference.day,
        language=conference.language,
        version=(newest or 0) + 1,
        focus_question=conference.focus_question,
        host=conference.series.host,
        place=conference.place,
        begin=_clock(conference.starts_at, conference),
        end=_clock(conference.ends_at, conference),
        chair=frame.chair if frame else "",
        moderator=frame.moderator if frame else "",
        minute_taker=frame.minute_taker if frame else "",
        summary_markdown=frame.summary if frame else "",
        attendance=_attendance(conference),
        agenda=_topics(conference, items, decisions, actions),
        rounds=_rounds(conference, items, ideas),
        clusters=_clusters(clusters_of(conference), ideas, votes),
        parked=tuple(idea.text for idea in ideas if idea.cluster_id is None),
        votes=tuple(_vote(vote) for vote in votes),
        decisions=tuple(_decision(decision, actions) for decision in decisions),
        actions=tuple(_action(action) for action in actions),
        earlier=tuple(_earlier(action) for action in actions_before(conference) if not _is_internal(action)),
        next_appointment=_next(conference),
        distribution=_distribution(conference),
        signatures=_signatures(frame),
    )


def _clock(moment: datetime, conference: Conference) -> time:
    return local(moment, conference.zone).time().replace(tzinfo=None)


def _attendance(conference: Conference) -> core.Attendance:
    groups: dict[str, list[core.PersonLine]] = defaultdict(list)
    people = sorted(attendance_of(conference).values(), key=lambda entry: entry.contact.sort_key)
    for entry in people:
        key = "guests" if entry.walk_in and entry.presence is Presence.PRESENT else str(entry.presence.value)
        groups[key].append(_person(entry, conference))
    return core.Attendance(**{name: tuple(lines) for name, lines in groups.items()})


def _name(contact: Contact) -> str:
    """Who it was; the organisation where the data of the person may not be used."""
    return contact.provider.name if contact.is_restricted else contact.name


def _person(entry: Attendance, conference: Conference) -> core.PersonLine:
    if entry.contact.is_restricted:
        return core.PersonLine(_name(entry.contact))
    late = entry.arrived_at is not None and entry.arrived_at > conference.starts_at + LATE
    early = entry.left_at is not None and entry.left_at < conference.ends_at - LATE
    return core.PersonLine(
        name=entry.contact.name,
        organisation=entry.contact.provider.name,
        function=entry.contact.function,
        arrived=_clock(entry.arrived_at, conference) if late and entry.arrived_at else None,
        left=_clock(entry.left_at, conference) if early and entry.left_at else None,
    )


def _is_internal(thing: Decision | Action) -> bool:
    """True when it was made from an item that stays with the team: then so does what was decided there."""
    if isinstance(thing, Action) and thing.decision is not None and _is_internal(thing.decision):
        return True
    return thing.agenda_item is not None and thing.agenda_item.internal


def _numbers(items: list[AgendaItem]) -> dict[int, str]:
    """The numbers of the agenda items by id; breaks have none."""
    counted = [item for item in items if item.kind is not ItemKind.BREAK]
    return {item.id: str(number) for number, item in enumerate(counted, start=1)}


def _topics(
    conference: Conference, items: list[AgendaItem], decisions: list[Decision], actions: list[Action]
) -> tuple[core.TopicMinutes, ...]:
    notes, numbers = current_notes(conference), _numbers(items)
    return tuple(
        core.TopicMinutes(
            title=item.title,
            number=numbers.get(item.id, ""),
            begin=_clock(item.starts_at, conference),
            kind=str(item.kind.value),
            person=item.person,
            subject=item.description,
            result_markdown=notes[item.id].text if item.id in notes else "",
            decisions=tuple(str(d.number) for d in decisions if d.agenda_item_id == item.id),
            actions=tuple(str(a.number) for a in actions if a.agenda_item_id == item.id),
        )
        for item in items
    )


def _missed(conference: Conference) -> set[int]:
    """Who was not there, by contact id: a seat in a group is a plan, the door says who came."""
    recorded = attendance_of(conference).items()
    return {contact_id for contact_id, entry in recorded if entry.presence is not Presence.PRESENT}


def _rounds(
    conference: Conference, items: list[AgendaItem], ideas: list[Idea]
) -> tuple[core.GroupRound, ...]:
    missed, numbers = _missed(conference), _numbers(items)
    by_table: dict[tuple[int | None, str], list[str]] = defaultdict(list)
    for idea in ideas:
        by_table[idea.round_id, idea.table].append(idea.text)
    sheets, rounds = handed_in(conference), []
    for plan in plan_of(conference):
        item = plan.round.agenda_item
        if item is not None and item.internal:
            continue
        tables = [
            core.GroupTable(
                name=group.group.name,
                topic=group.group.subject,
                room=group.group.room.name if group.group.room else "",
                people=tuple(_name(seat.contact) for seat in group.seats if seat.contact.id not in missed),
                ideas=tuple(by_table[plan.round.id, group.group.name]),
                sheet=_sheet(sheets.get((plan.round.id, group.group.name))),
            )
            for group in plan.groups
        ]
        rounds.append(
            core.GroupRound(
                number=plan.round.number,
                begin=_clock(item.starts_at, conference) if item else None,
                end=_clock(item.ends_at, conference) if item else None,
                topic=numbers.get(item.id, "") if item else "",
                tables=tuple(tables),
            )
        )
    return tuple(rounds)


def _sheet(state: SheetState | None) -> core.GroupResults | None:
    if state is None:
        return None
    sheet = state.content
    return core.GroupResults(sheet.question, sheet.results, sheet.open_points, sheet.proposal)


def _clusters(clusters: list[Cluster], ideas: list[Idea], votes: list[Vote]) -> tuple[core.ClusterLine, ...]:
    dots: dict[int, int] = {}
    for vote in votes:
        for row in _rows(vote):
            if row.get("cluster") is not None:
                dots[row["cluster"]] = dots.get(row["cluster"], 0) + row["dots"]
    return tuple(
        core.ClusterLine(
            number=cluster.number,
            heading=cluster.heading,
            ideas=tuple(idea.text for idea in ideas if idea.cluster_id == cluster.id),
            dots=dots.get(cluster.id),
        )
        for cluster in clusters
    )


def _rows(vote: Vote) -> list[dict[str, Any]]:
    return list(vote.result["rows"]) if vote.result else []


def _vote(vote: Vote) -> core.VoteResult:
    result = vote.result or {"entitled": 0, "voted": 0}
    rows = tuple(core.VoteRow(row["rank"], row["wording"], row["dots"], row["voters"]) for row in _rows(vote))
    return core.VoteResult(vote.title, vote.dots, result["entitled"], result["voted"], rows)


def _decision(decision: Decision, actions: list[Action]) -> core.DecisionLine:
    carried_out = tuple(str(action.number) for action in actions if action.decision_id == decision.id)
    return core.DecisionLine(
        str(decision.number), decision.wording, decision.manner, _source(decision), carried_out
    )


def _action(action: Action) -> core.ActionLine:
    supporters = tuple(part.strip() for part in action.supporters.split(",") if part.strip())
    return core.ActionLine(
        number=str(action.number),
        title=action.title,
        responsible=_name(action.responsible),
        organisation="" if action.responsible.is_restricted else action.responsible.provider.name,
        supporters=supporters,
        due_on=action.due_on,
        status=str(action.status.value),
        decision=str(action.decision.number) if action.decision else "",
        source=_source(action),
    )


def _earlier(action: Action) -> core.ActionLine:
    return replace(_action(action), decision="", source=action.conference.title)


def _source(thing: Decision | Action) -> str:
    if thing.cluster is not None:
        return thing.cluster.heading
    if thing.idea is not None:
        return thing.idea.text[:80] if thing.idea.hidden_at is None else ""
    return thing.agenda_item.title if thing.agenda_item is not None else ""


def _next(conference: Conference) -> core.Appointment | None:
    after = follower_of(conference)
    if after is None:
        return None
    return core.Appointment(
        after.day, _clock(after.starts_at, after), _clock(after.ends_at, after), after.place, after.title
    )


def without_names(conference: Conference, release: Release) -> core.MinutesDocument:
    """A release for those who read no names: its frozen document with organisations where people stood."""
    document = core.from_json(json.dumps(release.document))
    return discretion.without_names(document, people_around(conference))


def readers_of(conference: Conference) -> list[Attendance]:
    """Who gets the minutes: everybody who was there, guests too, and who was excused."""
    return [entry for entry in attendance_of(conference).values() if entry.presence is not Presence.ABSENT]


def _distribution(conference: Conference) -> tuple[str, ...]:
    names = {entry.contact.provider.name for entry in readers_of(conference)}
    return tuple(sorted(names, key=plain_letters))


def _signatures(frame: Minutes | None) -> tuple[core.PersonLine, ...]:
    if frame is None:
        return ()
    both = ((frame.chair, "chair"), (frame.minute_taker, "minute_taker"))
    return tuple(core.PersonLine(name, function=code) for name, code in both if name)
