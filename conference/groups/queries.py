"""Rounds, groups, who sits where; what was published."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import defer, joinedload

from ..agenda.models import AgendaItem, ItemKind
from ..agenda.queries import breakout_items
from ..conferences.models import Conference
from ..conferences.queries import earlier_ids
from ..core.seating import seat_changes
from ..kit.db import db, portions
from ..providers.models import Contact
from ..registrations.models import Standing
from ..registrations.queries import participant_ids, participants, registration_of, restricted_ids
from . import method_queries
from .models import (
    Forming,
    FormingKind,
    FormingState,
    Group,
    GroupsRelease,
    GroupsRule,
    Round,
    Seat,
    SeatingChange,
)


@dataclass(frozen=True)
class GroupPlan:
    """A group with its seats in German order."""

    group: Group
    seats: list[Seat]


@dataclass(frozen=True)
class RoundPlan:
    """A round with its groups."""

    round: Round
    groups: list[GroupPlan]

    @property
    def seated_ids(self) -> set[int]:
        """Contact ids of everybody who has a seat in this round."""
        return {seat.contact_id for group in self.groups for seat in group.seats}


State = str
"""A mark of all rounds (their ids, their versions, who is pinned where), of the setting and of the rules."""


def is_live(conference: Conference) -> bool:
    """True where participants choose their groups themselves, so that nothing is published."""
    return method_queries.setting_of(conference).is_live


def rounds_of(conference: Conference) -> list[Round]:
    """The rounds in order, with their agenda items."""
    query = (
        select(Round)
        .options(joinedload(Round.agenda_item))
        .where(Round.conference_id == conference.id)
        .order_by(Round.number)
    )
    return list(db.session.scalars(query))


def round_of(conference: Conference, round_id: int) -> Round | None:
    return db.session.scalar(select(Round).where(Round.conference_id == conference.id, Round.id == round_id))


def groups_of(round_: Round) -> list[Group]:
    query = (
        select(Group)
        .options(joinedload(Group.room), joinedload(Group.topic), joinedload(Group.concern))
        .where(Group.round_id == round_.id)
    )
    return list(db.session.scalars(query.order_by(Group.name)))


def group_of(conference: Conference, group_id: int) -> Group | None:
    query = select(Group).join(Round).where(Round.conference_id == conference.id, Group.id == group_id)
    return db.session.scalar(query)


def plan_of(conference: Conference) -> list[RoundPlan]:
    """All rounds with groups and seats, in three queries."""
    rounds = rounds_of(conference)
    if not rounds:
        return []
    ids = [round_.id for round_ in rounds]
    groups = db.session.scalars(
        select(Group)
        .options(joinedload(Group.room), joinedload(Group.topic), joinedload(Group.concern))
        .where(Group.round_id.in_(ids))
        .order_by(Group.name)
    ).all()
    seats: dict[int, list[Seat]] = {group.id: [] for group in groups}
    for seat in _seats(ids):
        seats[seat.group_id].append(seat)
    return [
        RoundPlan(r, [GroupPlan(group, seats[group.id]) for group in groups if group.round_id == r.id])
        for r in rounds
    ]


def state_of(conference: Conference, plans: list[RoundPlan] | None = None) -> State:
    """What must not change while groups are being formed: no round, no move, no pin, no rule.

    Give the plans where they are at hand.
    """
    facts: list[tuple[object, ...]] = [
        (
            plan.round.id,
            plan.round.version,
            sorted((s.contact_id, g.group.name) for g in plan.groups for s in g.seats if s.pinned),
        )
        for plan in (plan_of(conference) if plans is None else plans)
    ]
    facts += method_queries.marks_of(conference)
    return hashlib.sha256(repr(facts).encode()).hexdigest()


def _seats(round_ids: list[int]) -> list[Seat]:
    query = (
        select(Seat)
        .options(joinedload(Seat.contact).joinedload(Contact.provider))
        .where(Seat.round_id.in_(round_ids))
    )
    return sorted(db.session.scalars(query), key=lambda seat: seat.contact.sort_key)


def seat_of(round_id: int, contact_id: int) -> Seat | None:
    return db.session.scalar(select(Seat).where(Seat.round_id == round_id, Seat.contact_id == contact_id))


def table_names(conference: Conference) -> list[str]:
    """The names of the tables, whatever the round: A, B, C …"""
    query = (
        select(Group.name)
        .join(Round)
        .where(Round.conference_id == conference.id)
        .distinct()
        .order_by(Group.name)
    )
    return list(db.session.scalars(query))


def tables_by_round(conference: Conference) -> dict[int, list[str]]:
    """The names of the tables by number of the round; a round without groups has none."""
    query = (
        select(Round.number, Group.name)
        .outerjoin(Group, Group.round_id == Round.id)
        .where(Round.conference_id == conference.id)
        .order_by(Round.number, Group.name)
    )
    tables: dict[int, list[str]] = {}
    for number, name in db.session.execute(query):
        tables.setdefault(number, []).extend([name] if name is not None else [])
    return tables


def met_before(conference: Conference) -> set[frozenset[int]]:
    """Pairs of contact ids who sat together at an earlier conference of the chain."""
    earlier = earlier_ids(conference)
    if not earlier:
        return set()
    query = (
        select(Seat.group_id, Seat.contact_id)
        .join(Round, Round.id == Seat.round_id)
        .where(Round.conference_id.in_(earlier))
    )
    tables: dict[int, list[int]] = {}
    for group_id, contact_id in db.session.execute(query):
        tables.setdefault(group_id, []).append(contact_id)
    return {
        frozenset((one, other))
        for people in tables.values()
        for one in people
        for other in people
        if one < other
    }


def snapshot(conference: Conference, round_ids: Iterable[int]) -> list[dict[str, Any]]:
    """These rounds with their groups and seats in a form that can be restored."""
    wanted = set(round_ids)
    return [
        {
            "round": plan.round.id,
            "groups": [
                {
                    "name": g.group.name,
                    "room": g.group.room_id,
                    "topic": g.group.topic_id,
                    "question": g.group.focus_question,
                    "seats": [[seat.contact_id, seat.pinned] for seat in g.seats],
                }
                for g in plan.groups
            ],
        }
        for plan in plan_of(conference)
        if plan.round.id in wanted
    ]


def still_there(ids: Iterable[int]) -> set[int]:
    """Those of the people who still exist."""
    return {
        found
        for some in portions(ids)
        for found in db.session.scalars(select(Contact.id).where(Contact.id.in_(some)))
    }


def last_change(conference: Conference) -> SeatingChange | None:
    """The change that would be undone next."""
    query = select(SeatingChange).where(SeatingChange.conference_id == conference.id)
    return db.session.scalars(query.order_by(SeatingChange.id.desc()).limit(1)).first()


def moved_by_hand(
    conference: Conference, formed: Forming | None = None, plans: list[RoundPlan] | None = None
) -> set[tuple[int, int]]:
    """(round number, contact id) of everybody who sits elsewhere than the last forming put them.

    Give the latest forming and the plans where they are at hand.
    """
    formed = formed or latest_forming(conference)
    if formed is None or formed.result is None:
        return set()
    put = {
        (number, int(person)): table
        for number, tables in enumerate(formed.result["rounds"], 1)
        for table, people in tables.items()
        for person in people
    }
    return {
        (plan.round.number, seat.contact_id)
        for plan in (plan_of(conference) if plans is None else plans)
        for group in plan.groups
        for seat in group.seats
        if put.get((plan.round.number, seat.contact_id)) != group.group.name
    }


def latest_forming(conference: Conference) -> Forming | None:
    """The forming whose groups are the ones that stand, before moves by hand."""
    return _newest(Forming.conference_id == conference.id, Forming.state == FormingState.DONE)


def newest_forming(conference: Conference) -> Forming | None:
    """What was asked for last, whatever became of it."""
    return _newest(Forming.conference_id == conference.id)


def newest_repair(conference: Conference) -> Forming | None:
    """The repair that was asked for last, whatever became of it; its problem is loaded when it is looked at."""
    query = (
        select(Forming)
        .options(joinedload(Forming.account), defer(Forming.problem))
        .where(Forming.conference_id == conference.id, Forming.kind == FormingKind.REPAIR)
    )
    return db.session.scalars(query.order_by(Forming.id.desc()).limit(1)).first()


def active_forming(conference: Conference) -> Forming | None:
    """The forming that waits or is being worked on."""
    active = Forming.state.in_((FormingState.WAITING, FormingState.RUNNING))
    return _newest(Forming.conference_id == conference.id, active)


def forming_of(conference: Conference, forming_id: int) -> Forming | None:
    """One forming of this conference."""
    return _newest(Forming.conference_id == conference.id, Forming.id == forming_id)


def _newest(*conditions: ColumnElement[bool]) -> Forming | None:
    query = select(Forming).options(joinedload(Forming.account)).where(*conditions)
    return db.session.scalars(query.order_by(Forming.id.desc()).limit(1)).first()


def names_in(ids: Iterable[int]) -> dict[str, str]:
    """The names of these people by their ids in a grouping problem."""
    people = {}
    for some in portions(ids):
        for contact in db.session.scalars(select(Contact).where(Contact.id.in_(some))):
            people[str(contact.id)] = contact.name
    return people


def latest_release(conference: Conference) -> GroupsRelease | None:
    """The groups as participants see them now."""
    query = (
        select(GroupsRelease)
        .where(GroupsRelease.conference_id == conference.id)
        .order_by(GroupsRelease.number.desc())
    )
    return db.session.scalars(query.limit(1)).first()


def releases_of(conference: Conference) -> list[GroupsRelease]:
    """All published versions, newest first."""
    query = (
        select(GroupsRelease)
        .options(joinedload(GroupsRelease.account), defer(GroupsRelease.plan))
        .where(GroupsRelease.conference_id == conference.id)
    )
    return list(db.session.scalars(query.order_by(GroupsRelease.number.desc())))


def release_numbered(conference: Conference, number: int) -> GroupsRelease | None:
    """One published version."""
    return db.session.scalar(
        select(GroupsRelease).where(
            GroupsRelease.conference_id == conference.id, GroupsRelease.number == number
        )
    )


def to_be_told(conference: Conference, release: GroupsRelease) -> list[Contact]:
    """Participants with an address whose table, room or time is another one than in the version before."""
    before = release_numbered(conference, release.number - 1)
    return touched(conference, before.plan if before else [], release.plan)


def touched(
    conference: Conference, before: list[dict[str, Any]], after: list[dict[str, Any]]
) -> list[Contact]:
    """Participants with an address for whom something differs between two plans."""
    ids = {change.contact_id for change in seat_changes(before, after)}
    return [contact for contact in participants(conference) if contact.id in ids and contact.email]


def published_for(conference: Conference, contact_id: int) -> list[dict[str, Any]]:
    """What one participant sees: per round the own group with its people; empty before publication.

    Where people choose for themselves there is nothing to publish: they see what stands. Rounds that the agenda no longer
    has are left out, the times are those of the agenda now. Whoever takes no part any more is not named to others, only
    counted (`gone`), and sees nobody.
    """
    plan = _public_plan(conference)
    if not plan or not takes_part(conference, contact_id):
        return []
    there = participant_ids(conference)
    there -= restricted_ids(there)
    items = {item.id: item for item in breakout_items(conference)}
    return [
        _as_seen(entry, items[entry["item"]], there)
        for entry in plan
        if contact_id in entry["contact_ids"] and entry["item"] in items
    ]


def _public_plan(conference: Conference) -> list[dict[str, Any]]:
    if is_live(conference):
        return plan_as_published(conference)
    release = latest_release(conference)
    return release.plan if release else []


def takes_part(conference: Conference, contact_id: int) -> bool:
    """True for whoever has a seat at the conference, though they may be late, or is there."""
    registration = registration_of(conference, contact_id)
    is_confirmed = registration is not None and registration.standing is Standing.CONFIRMED
    return is_confirmed or contact_id in participant_ids(conference)


def _as_seen(entry: dict[str, Any], item: AgendaItem, there: set[int]) -> dict[str, Any]:
    named = zip(entry["contact_ids"], entry["people"], strict=True)
    seen = [(person, name) for person, name in named if person in there]
    return entry | {
        "contact_ids": [person for person, _name in seen],
        "people": [name for _person, name in seen],
        "gone": len(entry["people"]) - len(seen),
        "starts_at": item.starts_at.isoformat(),
        "ends_at": item.ends_at.isoformat(),
    }


def is_held(item: AgendaItem | None) -> bool:
    """True while the agenda has breakout groups there."""
    return item is not None and item.kind is ItemKind.BREAKOUT


def plan_as_published(
    conference: Conference,
    plans: list[RoundPlan] | None = None,
    rules: Sequence[GroupsRule] | None = None,
) -> list[dict[str, Any]]:
    """The present plan in the form that a release freezes: one entry per group, names as they are now.

    Rounds that the agenda no longer has, and people whose data are restricted, are left out. Give the plans and rules where
    they are at hand.
    """
    entries, hosts = [], method_queries.hosts_of(conference, rules)
    for plan in plan_of(conference) if plans is None else plans:
        item = plan.round.agenda_item
        if item is None or not is_held(item):
            continue
        for group in plan.groups:
            seats = [seat for seat in group.seats if not seat.contact.is_restricted]
            entries.append(
                {
                    "round": plan.round.number,
                    "item": item.id,
                    "starts_at": item.starts_at.isoformat(),
                    "ends_at": item.ends_at.isoformat(),
                    "group": group.group.name,
                    "topic": group.group.subject,
                    "focus_question": group.group.focus_question,
                    "room": group.group.room.name if group.group.room else "",
                    "contact_ids": [seat.contact_id for seat in seats],
                    "people": [f"{seat.contact.name}, {seat.contact.provider.name}" for seat in seats],
                    "hosts": {
                        str(seat.contact_id): f"{seat.contact.name}, {seat.contact.provider.name}"
                        for seat in seats
                        if hosts.get(seat.contact_id) == group.group.name
                    },
                }
            )
    return entries
