"""Repair: people miss or come, a table or room is lost, somebody must sit elsewhere; the fewest others move.

Rounds that have begun are history. The worker proposes (a `Forming` of the kind repair), somebody looks at it and takes it
over; a proposal that no longer fits is never applied.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from flask import current_app
from flask_babel import gettext as _
from sqlalchemy import select

from ..accounts.models import Account
from ..conferences.models import Conference
from ..core import grouping
from ..core.seating import sizes_after
from ..kit import jobs, unit
from ..kit.db import db, found, one_locked
from ..kit.errors import Refused, Stale
from ..providers.models import Contact, Side
from ..registrations.queries import participants
from . import method_queries, queries, tasks
from .models import Forming, FormingKind, FormingState, GroupsRelease, Round, Seat
from .operations import remember
from .standing import Situation, in_words, situation_of

Seats = list[dict[str, list[str]]]
Pin = tuple[int, int, str]
"""(round number, contact id, table)"""


@dataclass(frozen=True)
class Wanted:
    """What somebody says beyond people who come and go: tables that are lost, people who must sit elsewhere."""

    closed: tuple[str, ...] = ()
    pins: tuple[Pin, ...] = ()

    @classmethod
    def kept(cls, setting: Mapping[str, Any]) -> "Wanted":
        """As a row keeps it."""
        pins = ((number, contact_id, table) for number, contact_id, table in setting["pins"])
        return cls(tuple(setting["closed"]), tuple(pins))


@dataclass(frozen=True)
class Now:
    """Everything that a repair starts from, read at one moment."""

    plans: list[queries.RoundPlan]
    people: list[Contact]
    situation: Situation

    @property
    def coming(self) -> list[queries.RoundPlan]:
        """The rounds that can still be changed."""
        return [plan for plan in self.plans if plan.round.number in self.situation.coming]


@dataclass(frozen=True)
class Step:
    """One person in one round of a proposal. No `before`: newly seated; no `after`: taken out."""

    round: int
    contact: Contact
    before: str | None
    after: str | None


@dataclass(frozen=True)
class Proposal:
    """What the worker proposes, while it still fits."""

    moves: tuple[Step, ...]
    seated: tuple[Step, ...]
    freed: tuple[Step, ...]
    is_minimal: bool

    @property
    def told(self) -> list[Contact]:
        """Everybody whose table changes and who takes part."""
        people = {step.contact.id: step.contact for step in (*self.moves, *self.seated)}
        return sorted(people.values(), key=lambda contact: contact.sort_key)


def now_of(conference: Conference, at: datetime, plans: list[queries.RoundPlan] | None = None) -> Now:
    """Plans, people and how they fit together. Give the plans where they are at hand."""
    plans, people = queries.plan_of(conference) if plans is None else plans, participants(conference)
    return Now(plans, people, situation_of(conference, plans, people, at))


# -- the problem ------------------------------------------------------


def problem_now(conference: Conference, now: Now, wanted: Wanted) -> tuple[grouping.Problem, tuple[str, ...]]:
    """The problem of the conference as it is now, for the groups that are there; rounds that have begun keep any size.

    Also gives where each rule comes from (see `tasks.Task`).
    """
    rounds = max(plan.round.number for plan in now.plans if plan.groups)
    groups = _groups(now, wanted, rounds)
    problem, sources = tasks.problem_of(conference, now.people, groups, rounds, now.plans)
    coming = frozenset(now.situation.coming)
    pins = _pins(now.plans, wanted, {group.id: group for group in groups})
    rules = [
        (_loosened(rule, now.coming) if source == tasks.SPREAD else rule, source)
        for rule, source in zip(problem.rules, sources, strict=True)
        if source != tasks.PIN or rule not in pins
    ]
    kept = [*_only(rules, coming, groups), *((rule, tasks.PIN) for rule in _wanted(wanted))]
    people = tuple(replace(person, rounds=_rounds(person, now, coming)) for person in problem.people)
    return (
        replace(problem, people=people, rules=tuple(rule for rule, _source in kept)),
        tuple(source for _rule, source in kept),
    )


def _groups(now: Now, wanted: Wanted, rounds: int) -> tuple[grouping.Group, ...]:
    sizes: dict[str, dict[int, tuple[int, int]]] = {}
    topics: dict[str, str | None] = {}
    for plan in sorted(now.plans, key=lambda plan: plan.round.number not in now.situation.coming):
        for name, size in _sizes(plan, now, wanted).items():
            sizes.setdefault(name, {})[plan.round.number] = size
        for group in plan.groups:
            topics.setdefault(group.group.name, group.group.topic.title if group.group.topic else None)
    numbers = range(1, rounds + 1)
    return tuple(
        grouping.Group(
            id=name,
            min=0,
            max=0,
            topic=topics[name],
            overrides={number: size[number] for number in numbers if size.get(number, (0, 0)) != (0, 0)},
        )
        for name, size in sorted(sizes.items())
    )


def _sizes(plan: queries.RoundPlan, now: Now, wanted: Wanted) -> dict[str, tuple[int, int]]:
    """Least and most people at the tables of a round; too small rooms are left for the proof that they are."""
    if plan.round.number in now.situation.begun:
        return {group.group.name: (0, max(1, len(group.seats))) for group in plan.groups}
    if plan.round.number not in now.situation.coming:
        return {}
    groups = [group for group in plan.groups if group.group.name not in wanted.closed]
    capacities = [group.group.room.capacity if group.group.room else None for group in groups]
    away = now.situation.away
    there = sum(plan.round.number not in away.get(person.id, ()) for person in now.people)
    sizes = sizes_after(there, capacities, [len(group.seats) for group in groups])
    if sizes is None:
        sizes = [(0, there if room is None else room) for room in capacities]
    return {group.group.name: size for group, size in zip(groups, sizes, strict=True)}


def _rounds(person: grouping.Person, now: Now, coming: frozenset[int]) -> frozenset[int]:
    allowed = coming if person.rounds is None else coming & person.rounds
    return allowed | {
        plan.round.number
        for plan in now.plans
        if plan.round.number in now.situation.begun and int(person.id) in plan.seated_ids
    }


def _pins(
    plans: Sequence[queries.RoundPlan], wanted: Wanted, groups: Mapping[str, grouping.Group]
) -> set[grouping.Rule]:
    """Pins that hold no longer: at tables that are closed, or of people who shall sit elsewhere."""
    elsewhere = {(number, contact_id) for number, contact_id, _table in wanted.pins}
    return {
        grouping.Fixed(str(seat.contact_id), group.group.name, frozenset({plan.round.number}))
        for plan in plans
        for group in plan.groups
        for seat in group.seats
        if seat.pinned
        and (
            (plan.round.number, seat.contact_id) in elsewhere
            or group.group.name not in groups
            or not groups[group.group.name].meets(plan.round.number)
        )
    }


def _wanted(wanted: Wanted) -> list[grouping.Rule]:
    return [
        grouping.Fixed(str(contact_id), table, frozenset({number}))
        for number, contact_id, table in wanted.pins
    ]


def _only(
    rules: Iterable[tuple[grouping.Rule, str]], coming: frozenset[int], groups: Sequence[grouping.Group]
) -> Iterable[tuple[grouping.Rule, str]]:
    """The rules as they hold in the rounds to come. Whoever hosts a table that is closed is free to sit elsewhere."""
    tables = {group.id: group for group in groups}
    for rule, source in rules:
        if isinstance(rule, grouping.Stays):  # the table where they were so far counts
            yield rule, source
            continue
        rounds = coming if rule.rounds is None else rule.rounds & coming
        if isinstance(rule, grouping.Fixed):
            rounds = frozenset(number for number in rounds if tables[rule.group].meets(number))
        if rounds:
            yield replace(rule, rounds=rounds), source


def _loosened(rule: grouping.Rule, coming: Sequence[queries.RoundPlan]) -> grouping.Rule:
    """The even spread asks for no more where somebody has spread people otherwise by hand."""
    assert isinstance(rule, grouping.EachGroupHas), "only these are made by us"
    low, high = rule.min or 0, rule.max or 0
    for plan in coming:
        if rule.rounds is not None and plan.round.number not in rule.rounds:
            continue
        counts = [sum(_has(seat.contact, rule) for seat in group.seats) for group in plan.groups]
        if min(counts) < sum(counts) // len(counts):
            low = min(low, *counts)
        if max(counts) > -(-sum(counts) // len(counts)):
            high = max(high, *counts)
    return replace(rule, min=low, max=high)


def _has(contact: Contact, rule: grouping.EachGroupHas) -> bool:
    if rule.attribute == "side":
        return str(contact.side.value) == rule.value
    return contact.side is Side.AGENCY and contact.team == rule.value


def _seats(now: Now, rounds: int) -> Seats:
    """Who sits where in each round; in a round that the agenda no longer has nobody has met anybody."""
    held = {*now.situation.coming, *now.situation.begun}
    by_number = {plan.round.number: plan for plan in now.plans if plan.round.number in held}
    return [
        {
            group.group.name: [str(seat.contact_id) for seat in group.seats]
            for group in (by_number[number].groups if number in by_number else ())
        }
        for number in range(1, rounds + 1)
    ]


# -- asking -----------------------------------------------------------


def ask(
    conference: Conference, account: Account | None, wanted: Wanted | None = None, *, at: datetime
) -> Forming:
    """Ask the worker for the fewest moves. Asked twice for the same, it is done once; older proposals are forgotten.

    Raises Refused when groups are being formed, no round is left to be repaired, or what is wanted makes no sense.
    """
    wanted = wanted or Wanted()
    found(one_locked(select(Conference).where(Conference.id == conference.id)))
    active = queries.active_forming(conference)
    if active is not None and active.kind is FormingKind.FORMING:
        raise Refused(_("Groups are being formed right now. Wait until they are there, then repair them."))
    now = now_of(conference, at)
    check(now, wanted)
    problem, sources = problem_now(conference, now, wanted)
    setting = {
        "rooms": {},
        "topics": {},
        "state": queries.state_of(conference, now.plans),
        "sources": list(sources),
        "rules": [rule.id for rule in method_queries.rules_of(conference)],
        "mark": now.situation.mark,
        "closed": list(wanted.closed),
        "pins": [list(pin) for pin in wanted.pins],
        "begun": [n for n in range(1, problem.rounds + 1) if n not in now.situation.coming],
        "seats": _seats(now, problem.rounds),
    }
    asked = _plain(problem)
    newest = queries.newest_repair(conference)
    if newest is not None and _is_same(newest, asked, setting):
        return newest
    forget(conference)
    row = Forming(
        conference=conference,
        account=account,
        asked_at=at,
        kind=FormingKind.REPAIR,
        tables=sum(any(group.meets(number) for number in now.situation.coming) for group in problem.groups),
        problem=asked,
        setting=setting,
        steps_planned=1,
    )
    db.session.add(row)
    db.session.flush()  # the proposal is known by its id
    app = current_app._get_current_object()  # type: ignore[attr-defined]
    unit.after_commit("groups", lambda: jobs.wake(app, "groups"))
    return row


def _is_same(newest: Forming, problem: dict[str, Any], setting: dict[str, Any]) -> bool:
    waits = newest.is_active or newest.state is FormingState.FOUND
    return waits and (newest.problem, newest.setting) == (problem, setting)


def check(now: Now, wanted: Wanted) -> None:
    """Raise Refused where what is wanted cannot be meant: no round left, no table left, a table that is not there."""
    if not now.situation.coming:
        raise Refused(
            _("No round is left that could be repaired: they are over or running, or there is none.")
        )
    tables = {
        plan.round.number: {group.group.name for group in plan.groups} - set(wanted.closed)
        for plan in now.coming
    }
    if not all(tables.values()):
        raise Refused(_("At least one table must stay open."))
    ids = {person.id for person in now.people}
    for number, contact_id, table in wanted.pins:
        if contact_id not in ids:
            raise Refused(_("This person takes no part in the conference."))
        if table not in tables.get(number, ()):
            raise Refused(_("Group %(group)s does not meet in round %(number)d.", group=table, number=number))


def forget(conference: Conference) -> None:
    """Drop proposals that nobody has taken over; a worker that is at one of them finds out."""
    query = select(Forming).where(
        Forming.conference_id == conference.id,
        Forming.kind == FormingKind.REPAIR,
        Forming.state != FormingState.DONE,
    )
    for row in db.session.scalars(query):
        db.session.delete(row)
    db.session.flush()


def propose(at: datetime) -> int:
    """Ask by ourselves wherever published groups do not fit any more; gives how many. Opens its own transactions."""
    count = 0
    with unit.reading():
        released = select(GroupsRelease.conference_id).distinct()
        query = select(Conference).where(Conference.ends_at > at, Conference.id.in_(released))
        running = db.session.scalars(query.order_by(Conference.id))
        due = [conference.id for conference in running if _is_due(conference, at)]
    for conference_id in due:
        try:
            with unit.writing():
                conference = db.session.get(Conference, conference_id)
                if conference is not None and _is_due(conference, at):
                    ask(conference, None, _still_wanted(conference, at), at=at)
                    count += 1
        except Exception:  # one conference must not stop the others, nor what people have asked for
            current_app.logger.exception("no repair could be asked for conference %s", conference_id)
    return count


def _is_due(conference: Conference, at: datetime) -> bool:
    if queries.active_forming(conference) is not None:
        return False
    situation = now_of(conference, at).situation
    newest = queries.newest_repair(conference)
    return situation.needs_repair and (newest is None or newest.setting["mark"] != situation.mark)


def _still_wanted(conference: Conference, at: datetime) -> Wanted:
    """What was wanted last and not taken over yet, as far as it still makes sense."""
    newest = queries.newest_repair(conference)
    if newest is None or newest.state is FormingState.DONE:
        return Wanted()
    wanted = Wanted.kept(newest.setting)
    try:
        check(now_of(conference, at), wanted)
    except Refused:
        return Wanted()
    return wanted


# -- looking ----------------------------------------------------------


def proposal_of(row: Forming | None, now: Now) -> Proposal | None:
    """What a repair proposes; None while there is nothing, or when it does not fit any more."""
    if row is None or row.state is not FormingState.FOUND or row.result is None:
        return None
    if row.setting["mark"] != now.situation.mark:
        return None
    steps = list(_steps(row.result["rounds"], now))
    return Proposal(
        moves=tuple(step for step in steps if step.before and step.after),
        seated=tuple(step for step in steps if not step.before),
        freed=tuple(step for step in steps if not step.after),
        is_minimal=row.result["is_minimal"],
    )


def line_of(row: Forming | None, now: Now) -> str:
    """The situation in one line, with the moves while a proposal fits."""
    proposal = proposal_of(row, now)
    if row is None or proposal is None:
        return in_words(now.situation, None)
    return in_words(now.situation, len(proposal.moves), len(row.setting["closed"]))


def _steps(rounds: Sequence[Mapping[str, Sequence[str]]], now: Now) -> Iterable[Step]:
    people = {person.id: person for person in now.people}
    for plan in now.coming:
        seats = rounds[plan.round.number - 1] if plan.round.number <= len(rounds) else {}
        after = {int(person): table for table, found in seats.items() for person in found}
        before = {s.contact_id: group.group.name for group in plan.groups for s in group.seats}
        contacts = {s.contact_id: s.contact for group in plan.groups for s in group.seats} | people
        steps = (
            Step(plan.round.number, contacts[contact_id], before.get(contact_id), after.get(contact_id))
            for contact_id in before.keys() | after.keys()
            if before.get(contact_id) != after.get(contact_id)
        )
        yield from sorted(steps, key=lambda step: step.contact.sort_key)


# -- taking over ------------------------------------------------------


def apply(conference: Conference, row_id: int | None, account: Account | None, *, at: datetime) -> Forming:
    """Seat everybody as proposed, in all rounds that have not begun. Sent twice, it happens once.

    Raises Stale when there is another proposal by now, Refused when seats, people, rooms, rules or the agenda have changed
    since it was worked out.
    """
    conference = found(one_locked(select(Conference).where(Conference.id == conference.id)))
    # A move by hand locks its round only.
    locked = select(Round).where(Round.conference_id == conference.id).order_by(Round.id).with_for_update()
    db.session.execute(locked.execution_options(populate_existing=True))
    row = queries.newest_repair(conference)
    if row is None or row.id != row_id:
        raise Stale("", "", version=row.id if row else 0, message=_outdated())
    now = now_of(conference, at)
    if row.state is FormingState.DONE and not list(_steps(_result(row), now)):
        return row
    wanted = Wanted.kept(row.setting)
    if proposal_of(row, now) is None or row.problem != _asked_now(conference, now, wanted):
        raise Refused(_outdated())
    rounds = [plan.round for plan in now.coming]
    remember(conference, rounds, "repair", {"repair": row.id}, account, at=at)
    pins = {(number, contact_id) for number, contact_id, _table in wanted.pins}
    for plan in now.coming:
        _seat(plan, _result(row)[plan.round.number - 1], wanted, pins)
    row.state, row.ended_at = FormingState.DONE, at
    # Seats of rounds that have begun stand as they are: nobody has moved them by hand.
    begun = _seats(now, len(_result(row)))
    row.result = {**(row.result or {}), "rounds": _joined(_result(row), begun, now.situation.coming)}
    db.session.flush()
    return row


def _outdated() -> str:
    return _(
        "People, seats, rooms or the agenda have changed since this was worked out. Nothing has been moved; "
        "please look at the new proposal."
    )


def _result(row: Forming) -> list[dict[str, list[str]]]:
    return row.result["rounds"] if row.result else []


def _asked_now(conference: Conference, now: Now, wanted: Wanted) -> dict[str, Any] | None:
    try:
        check(now, wanted)
    except Refused:
        return None
    return _plain(problem_now(conference, now, wanted)[0])


def _plain(problem: grouping.Problem) -> dict[str, Any]:
    """As a row gives it back, so that both can be compared."""
    plain: dict[str, Any] = json.loads(json.dumps(grouping.problem_to_json(problem)))
    return plain


def _joined(after: Seats, before: Seats, coming: Sequence[int]) -> Seats:
    return [
        new if number in coming else old
        for number, (new, old) in enumerate(zip(after, before, strict=True), 1)
    ]


def _seat(
    plan: queries.RoundPlan,
    wanted_seats: Mapping[str, Sequence[str]],
    wanted: Wanted,
    pins: set[tuple[int, int]],
) -> None:
    groups = {group.group.name: group.group for group in plan.groups}
    homes = {int(person): groups[table] for table, people in wanted_seats.items() for person in people}
    seats = {seat.contact_id: seat for group in plan.groups for seat in group.seats}
    for contact_id in seats.keys() - homes.keys():
        db.session.delete(seats[contact_id])
    for contact_id, group in homes.items():
        seat = seats.get(contact_id)
        if seat is None:
            seat = Seat(round_id=plan.round.id, contact_id=contact_id, group=group)
            db.session.add(seat)
        elif seat.group_id != group.id:
            seat.group, seat.pinned = group, False
        seat.pinned = seat.pinned or (plan.round.number, contact_id) in pins
    db.session.flush()  # a table must be empty before it goes
    for name in wanted.closed:
        if name in groups:
            db.session.delete(groups[name])
    plan.round.version += 1


def clear_round(conference: Conference, round_id: int, account: Account | None, *, at: datetime) -> None:
    """Take the groups of a round away that the agenda no longer has; it can be undone. Twice, it happens once.

    Raises Refused while the agenda has the round.
    """
    conference = found(one_locked(select(Conference).where(Conference.id == conference.id)))
    round_ = found(queries.round_of(conference, round_id))
    if queries.is_held(round_.agenda_item):
        raise Refused(_("The agenda has this round; its groups stay."))
    groups = queries.groups_of(round_)
    if groups:
        remember(conference, [round_], "clearance", {}, account, at=at)
        for group in groups:
            db.session.delete(group)
        round_.version += 1
    db.session.flush()
