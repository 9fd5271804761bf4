"""What the groups look like now that people come and go, rounds begin, and the agenda and the rooms change."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy import select

from ..agenda.models import AgendaItem
from ..agenda.queries import breakout_items
from ..conferences.models import Conference
from ..kit.db import db
from ..providers.models import Contact
from ..registrations.models import Attendance, Presence
from . import method_queries, queries, tasks
from .models import GroupsRule, RoundTimer


@dataclass(frozen=True)
class Missing:
    """Somebody with seats in coming rounds who takes no part.

    `why`: "absent", "excused", "withdrawn", or "away" in these rounds.
    """

    contact: Contact
    why: str
    rounds: tuple[int, ...]


@dataclass(frozen=True)
class Newcomer:
    """Somebody who takes part and has no seat in these coming rounds. `how`: "walk_in", "present" or "accepted"."""

    contact: Contact
    how: str
    rounds: tuple[int, ...]


@dataclass(frozen=True)
class Crowded:
    """A table with more people than its room has seats."""

    round: int
    table: str
    people: int
    seats: int


@dataclass(frozen=True)
class Situation:
    """Rounds by number: to come, begun (over or running), and without an agenda item any more; and what is stale.

    `away`: contact id → rounds for which a rule says that the person is not there. `unformed` are breakout items to come for
    which there are no groups. `mark` changes whenever a repair that was worked
    out before would no longer fit.
    """

    coming: tuple[int, ...]
    begun: tuple[int, ...]
    vanished: tuple[int, ...]
    unformed: tuple[AgendaItem, ...]
    missing: tuple[Missing, ...]
    newcomers: tuple[Newcomer, ...]
    crowded: tuple[Crowded, ...]
    away: Mapping[int, set[int]]
    mark: str

    @property
    def needs_repair(self) -> bool:
        """True when seats of coming rounds do not fit the people or the rooms."""
        return bool(self.missing or self.newcomers or self.crowded)


def situation_of(
    conference: Conference,
    plans: Sequence[queries.RoundPlan],
    people: Sequence[Contact],
    at: datetime,
    rules: Sequence[GroupsRule] | None = None,
) -> Situation:
    """How plans and people fit together at this moment. Give the rules where they are at hand."""
    formed = [plan for plan in plans if plan.groups]
    held = [plan for plan in formed if queries.is_held(plan.round.agenda_item)]
    # Where people choose for themselves nobody is seated, and nothing is to be repaired.
    is_live = method_queries.setting_of(conference).is_live
    begun = _begun(held, at)
    coming = [] if is_live else [plan for plan in held if plan.round.number not in begun]
    last = max((plan.round.number for plan in plans), default=0)
    away = tasks.absences(method_queries.rules_of(conference) if rules is None else rules, last)
    recorded = _recorded(conference)
    taken = {plan.round.agenda_item_id for plan in formed}
    return Situation(
        coming=_numbers(coming),
        begun=begun,
        vanished=_numbers(plan for plan in formed if not queries.is_held(plan.round.agenda_item)),
        unformed=tuple(
            item
            for item in breakout_items(conference)
            if formed and not is_live and item.id not in taken and item.starts_at > at
        ),
        missing=_missing(coming, people, recorded, away),
        newcomers=_newcomers(coming, people, recorded, away),
        crowded=tuple(_crowded(coming, {person.id for person in people})),
        away=away,
        mark=_mark(conference, plans, coming, people),
    )


def _begun(held: Sequence[queries.RoundPlan], at: datetime) -> tuple[int, ...]:
    """Rounds that are over or running: by the agenda, or because staff have started them."""
    ids = [plan.round.id for plan in held]
    query = select(RoundTimer.round_id).where(RoundTimer.round_id.in_(ids), RoundTimer.started_at <= at)
    started = set(db.session.scalars(query)) if ids else set()
    return tuple(
        plan.round.number
        for plan in held
        if plan.round.id in started or (plan.round.agenda_item and plan.round.agenda_item.starts_at <= at)
    )


def _numbers(plans: Iterator[queries.RoundPlan] | Sequence[queries.RoundPlan]) -> tuple[int, ...]:
    return tuple(plan.round.number for plan in plans)


def _recorded(conference: Conference) -> dict[int, tuple[Presence, bool]]:
    query = select(Attendance.contact_id, Attendance.presence, Attendance.walk_in).where(
        Attendance.conference_id == conference.id
    )
    return {contact_id: (presence, walk_in) for contact_id, presence, walk_in in db.session.execute(query)}


def _missing(
    coming: Sequence[queries.RoundPlan],
    people: Sequence[Contact],
    recorded: dict[int, tuple[Presence, bool]],
    away: Mapping[int, set[int]],
) -> tuple[Missing, ...]:
    there = {person.id for person in people}
    seats: dict[int, tuple[Contact, list[int]]] = {}
    for plan in coming:
        for group in plan.groups:
            for seat in group.seats:
                is_away = plan.round.number in away.get(seat.contact_id, ())
                if seat.contact_id not in there or is_away:
                    seats.setdefault(seat.contact_id, (seat.contact, []))[1].append(plan.round.number)
    return tuple(
        Missing(
            contact,
            "away" if contact.id in there else _why(recorded.get(contact.id)),
            tuple(rounds),
        )
        for contact, rounds in sorted(seats.values(), key=lambda found: found[0].sort_key)
    )


def _why(recorded: tuple[Presence, bool] | None) -> str:
    return "withdrawn" if recorded is None else str(recorded[0].value)


def _newcomers(
    coming: Sequence[queries.RoundPlan],
    people: Sequence[Contact],
    recorded: dict[int, tuple[Presence, bool]],
    away: Mapping[int, set[int]],
) -> tuple[Newcomer, ...]:
    seated = [(plan.round.number, plan.seated_ids) for plan in coming]
    without = [(person, _unseated(person.id, seated, away)) for person in people]
    return tuple(
        Newcomer(person, _how(recorded.get(person.id)), rounds) for person, rounds in without if rounds
    )


def _unseated(
    contact_id: int, seated: Sequence[tuple[int, set[int]]], away: Mapping[int, set[int]]
) -> tuple[int, ...]:
    absent = away.get(contact_id, set())
    return tuple(number for number, ids in seated if contact_id not in ids and number not in absent)


def _how(recorded: tuple[Presence, bool] | None) -> str:
    if recorded is None:
        return "accepted"
    return "walk_in" if recorded[1] else "present"


def _crowded(coming: Sequence[queries.RoundPlan], there: set[int]) -> Iterator[Crowded]:
    for plan in coming:
        for group in plan.groups:
            count = sum(seat.contact_id in there for seat in group.seats)
            room = group.group.room
            if room is not None and count > room.capacity:
                yield Crowded(plan.round.number, group.group.name, count, room.capacity)


def _mark(
    conference: Conference,
    plans: Sequence[queries.RoundPlan],
    coming: Sequence[queries.RoundPlan],
    people: Sequence[Contact],
) -> str:
    facts = (
        queries.state_of(conference, list(plans)),
        [(plan.round.number, plan.round.agenda_item_id) for plan in coming],
        sorted(person.id for person in people),
        [
            (group.group.id, group.group.room_id, group.group.room.capacity if group.group.room else None)
            for plan in coming
            for group in plan.groups
        ],
    )
    return hashlib.sha256(repr(facts).encode()).hexdigest()


def in_words(situation: Situation, moves: int | None, closed: int = 0) -> str:
    """One line: who is missing, who has come, what does not fit, and how many moves would mend it, where that is known."""
    missing, newcomers, crowded = (
        len(found) for found in (situation.missing, situation.newcomers, situation.crowded)
    )
    parts = [
        ngettext("%(num)d missing", "%(num)d missing", missing) if missing else "",
        _newcomers_in_words(situation.newcomers) if newcomers else "",
        ngettext("%(num)d room too small", "%(num)d rooms too small", crowded) if crowded else "",
        ngettext("%(num)d table closed", "%(num)d tables closed", closed) if closed else "",
    ]
    said = ", ".join(part for part in parts if part) or _("Everybody has a seat")
    if moves is None:
        return said
    return f"{said}: " + (ngettext("%(num)d move", "%(num)d moves", moves) if moves else _("nobody moves"))


def _newcomers_in_words(newcomers: Sequence[Newcomer]) -> str:
    if any(newcomer.how == "accepted" for newcomer in newcomers):
        return ngettext("%(num)d without a seat", "%(num)d without a seat", len(newcomers))
    return ngettext("%(num)d walk-in", "%(num)d walk-ins", len(newcomers))
