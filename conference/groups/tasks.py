"""The grouping problem of a conference: who is there, which rooms, the rules and goals in their order."""

import string
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _
from flask_babel import ngettext

from ..agenda.models import ItemKind
from ..agenda.queries import items_of
from ..conferences.models import Conference, Room, Topic
from ..conferences.queries import rooms_of, topics_of
from ..core import grouping
from ..core.seating import even_sizes
from ..kit.errors import Refused
from ..providers.models import Contact, Side
from ..registrations.queries import participants, wishes_of
from . import queries
from .models import Group

MOST_TABLES = len(string.ascii_uppercase)

Groups = Mapping[tuple[int, str], Group]
"""(round number, table name) → the group that is there already."""
Size = tuple[int, int]
Trouble = dict[str, Any]
"""Why nothing came out: a code, and for rules that contradict each other their places in the problem, with numbers."""


@dataclass(frozen=True)
class Task:
    """A grouping problem with what its ids mean, and the state from which it was made.

    `rooms` and `topics` are for groups that do not exist yet: table name → id.
    """

    problem: grouping.Problem
    rooms: dict[str, int | None]
    topics: dict[str, int | None]
    state: queries.State

    @property
    def setting(self) -> dict[str, Any]:
        """What a row keeps beside the problem."""
        return {"rooms": self.rooms, "topics": self.topics, "state": self.state}

    @classmethod
    def kept(cls, problem: grouping.Problem, setting: Mapping[str, Any]) -> "Task":
        """The task again from what a row keeps."""
        return cls(problem, setting["rooms"], setting["topics"], setting["state"])


def task_of(conference: Conference, tables: int, rounds: int, held: Collection[tuple[int, int]] = ()) -> Task:
    """The problem of a conference; groups that are there keep their rooms and topics.

    Who is pinned, or `held` (round number, contact id), stays. Raises Refused when there are more tables than people,
    or the rooms are too small.
    """
    people = participants(conference)
    if not 1 <= tables <= MOST_TABLES:
        raise Refused(_("Please choose from 1 to %(num)d tables.", num=MOST_TABLES))
    if tables > len(people):
        raise Refused(_too_few(len(people)))
    names = list(string.ascii_uppercase[:tables])
    plans = queries.plan_of(conference)[:rounds]
    there = {(plan.round.number, group.group.name): group.group for plan in plans for group in plan.groups}
    rooms = dict(zip(names, _rooms_for(conference, tables, len(people)), strict=True))
    topics = _topics_for(conference, names)
    sizes = {number: _sizes(number, len(people), rooms, there) for number in range(1, rounds + 1)}
    groups = _groups(names, sizes, {name: _topic_now(there.get((1, name)), topics[name]) for name in names})
    return Task(
        problem_of(conference, people, groups, rounds, plans, held),
        rooms={name: room.id if room else None for name, room in rooms.items()},
        topics={name: topic.id if topic else None for name, topic in topics.items()},
        state=queries.state_of(conference),
    )


def _too_few(people: int) -> str:
    if not people:
        return _("Nobody has accepted or is there yet.")
    return ngettext(
        "There is only %(num)d person to be seated.", "There are only %(num)d people to be seated.", people
    )


def _topics_for(conference: Conference, names: Sequence[str]) -> dict[str, Topic | None]:
    topics = topics_of(conference)
    return {name: topics[index] if index < len(topics) else None for index, name in enumerate(names)}


def _topic_now(group: Group | None, planned: Topic | None) -> str | None:
    topic = planned if group is None else group.topic
    return topic.title if topic else None


def _sizes(number: int, people: int, rooms: Mapping[str, Room | None], there: Groups) -> dict[str, Size]:
    """Least and most people at each table of a round; a group's own room counts, not the planned one."""
    now = {
        name: there[number, name].room if (number, name) in there else room for name, room in rooms.items()
    }
    sizes = even_sizes(people, [room.capacity if room else None for room in now.values()])
    if sizes is None:
        raise Refused(
            _(
                "The rooms have too few seats for %(num)d people at %(tables)d tables.",
                num=people,
                tables=len(rooms),
            )
        )
    return dict(zip(rooms, sizes, strict=True))


def _groups(
    names: Sequence[str], sizes: Mapping[int, Mapping[str, Size]], topics: Mapping[str, str | None]
) -> tuple[grouping.Group, ...]:
    return tuple(
        grouping.Group(
            id=name,
            min=sizes[1][name][0],
            max=sizes[1][name][1],
            topic=topics[name],
            overrides={number: size[name] for number, size in sizes.items() if size[name] != sizes[1][name]},
        )
        for name in names
    )


def problem_of(
    conference: Conference,
    people: Sequence[Contact],
    groups: tuple[grouping.Group, ...],
    rounds: int,
    plans: Sequence[queries.RoundPlan],
    held: Collection[tuple[int, int]] = (),
) -> grouping.Problem:
    """These people at these groups with the rules and goals of the conference; who is pinned or held stays."""
    wishes = wishes_of(conference)
    offered = {group.topic for group in groups}
    ids = {contact.id for contact in people}
    return grouping.Problem(
        rounds=rounds,
        groups=groups,
        people=tuple(
            _person(p, [t.title for t in wishes.get(p.id, []) if t.title in offered]) for p in people
        ),
        rules=(*spread(people, groups, rounds), *_pins(plans, ids, {group.id for group in groups}, held)),
        met=frozenset(frozenset(map(str, pair)) for pair in queries.met_before(conference) if pair <= ids),
        goals=(
            grouping.Colleagues(except_={"side": str(Side.AGENCY.value)}),
            grouping.Repeats(),
            grouping.Balance(attributes=("side", "team")),
            *((grouping.Wishes(),) if any(wishes.values()) else ()),
        ),
    )


def _person(contact: Contact, wishes: Sequence[str]) -> grouping.Person:
    return grouping.Person(
        id=str(contact.id),
        organisation=contact.provider.name,
        attributes={"side": str(contact.side.value), "team": contact.team or None},
        wishes=tuple(wishes),
    )


def spread(people: Sequence[Contact], groups: Sequence[grouping.Group], rounds: int) -> list[grouping.Rule]:
    """Agency people of each team, and the agency as a whole, at every table wherever numbers allow."""
    agency = [contact for contact in people if contact.side is Side.AGENCY]
    teams = Counter(contact.team for contact in agency if contact.team)
    counts = {("team", team): count for team, count in sorted(teams.items())}
    if agency:
        counts = {("side", str(Side.AGENCY.value)): len(agency)} | counts
    return [
        _each(what, count, tables, in_rounds)
        for tables, in_rounds in _meeting(groups, rounds)
        for what, count in counts.items()
    ]


def _meeting(groups: Sequence[grouping.Group], rounds: int) -> list[tuple[int, frozenset[int] | None]]:
    """How many tables meet, and in which rounds: None where it is the same number in all of them."""
    found: dict[int, set[int]] = {}
    for number in range(1, rounds + 1):
        found.setdefault(sum(group.meets(number) for group in groups), set()).add(number)
    in_rounds = {tables: frozenset(numbers) for tables, numbers in found.items() if tables}
    return [(tables, None if len(found) == 1 else numbers) for tables, numbers in in_rounds.items()]


def _each(
    what: tuple[str, str], count: int, tables: int, rounds: frozenset[int] | None
) -> grouping.EachGroupHas:
    return grouping.EachGroupHas(
        attribute=what[0], value=what[1], min=count // tables, max=-(-count // tables), rounds=rounds
    )


def _pins(
    plans: Sequence[queries.RoundPlan],
    people: set[int],
    names: set[str],
    held: Collection[tuple[int, int]],
) -> list[grouping.Rule]:
    return [
        grouping.Fixed(
            person=str(seat.contact_id), group=group.group.name, rounds=frozenset({plan.round.number})
        )
        for plan in plans
        for group in plan.groups
        for seat in group.seats
        if (seat.pinned or (plan.round.number, seat.contact_id) in held)
        and seat.contact_id in people
        and group.group.name in names
    ]


def _rooms_for(conference: Conference, tables: int, people: int) -> list[Room | None]:
    """Rooms that no other item uses: those large enough for an even share, then the next largest; then none."""
    used = {item.room_id for item in items_of(conference) if item.kind is not ItemKind.BREAKOUT}
    free = [room for room in rooms_of(conference) if room.id not in used]
    large = [room for room in free if room.capacity * tables >= people]
    chosen: list[Room | None] = [*large[:tables]]
    if len(chosen) < tables:
        rest = [room for room in free if room not in chosen]
        chosen += sorted(rest, key=lambda room: -room.capacity)[: tables - len(chosen)]
    return chosen + [None] * (tables - len(chosen))


def trouble_of(error: Exception, problem: grouping.Problem) -> Trouble:
    """Why no groups could be formed, as facts that a row can keep; `in_words` makes a sentence of them."""
    if isinstance(error, grouping.Contradiction):
        known = [number for number, rule in enumerate(problem.rules) if rule in error.rules]
        return {"code": error.code, "facts": dict(error.facts), "rules": known}
    return {"code": "not_found" if isinstance(error, grouping.NotFound) else "crashed"}


def in_words(trouble: Trouble, rules: Sequence[grouping.Rule], names: Mapping[str, str]) -> str:
    """Why no groups were formed, with the names of people and groups. `rules`: those that the trouble names."""
    facts = trouble.get("facts", {})
    said = " ".join(_rule_in_words(rule, names) for rule in rules)
    simple = {
        "changed": _("The groups or the agenda have changed meanwhile. Please form the groups once more."),
        "not_found": _("No seating keeps all rules. Take some pins or tables away."),
        "given_up": _("The work stopped several times before it was done. Please form the groups once more."),
    }
    if trouble["code"] in simple:
        return simple[trouble["code"]]
    if trouble["code"] == "seats":
        return _("Round %(round)d has %(people)d people, but only %(seats)d seats.", **facts)
    if trouble["code"] == "people":
        return _("Round %(round)d needs at least %(needed)d people, but only %(people)d are there.", **facts)
    if trouble["code"] == "sizes":
        return _("With tables of this size this cannot be kept: %(rules)s", rules=said)
    if trouble["code"] == "rules":
        return _("This cannot be kept together: %(rules)s", rules=said)
    return _("Something went wrong while the groups were formed. It has been noted; please try again.")


def people_of(rules: Sequence[grouping.Rule]) -> set[int]:
    """The contact ids that rules speak of."""
    return {int(rule.person) for rule in rules if isinstance(rule, grouping.Fixed)}


def _rule_in_words(rule: grouping.Rule, names: Mapping[str, str]) -> str:
    if isinstance(rule, grouping.Fixed):
        number = min(rule.rounds or {1})
        return _(
            "%(name)s is pinned to group %(group)s in round %(number)d.",
            name=names.get(rule.person, "?"),
            group=rule.group,
            number=number,
        )
    assert isinstance(rule, grouping.EachGroupHas), "a conference has no other rules"
    what = str(Side(rule.value).label) if rule.attribute == "side" else rule.value
    return _("%(what)s: %(low)d to %(high)d people in each group.", what=what, low=rule.min, high=rule.max)


def broken_in_words(broken: Sequence[grouping.Violation], names: Mapping[str, str]) -> list[str]:
    """Rules and sizes that moves by hand have broken, a sentence for each. Who is without a seat is shown elsewhere."""
    said = [_broken(one, names) for one in broken if one.code != "missing"]
    return list(dict.fromkeys(sentence for sentence in said if sentence))


def _broken(one: grouping.Violation, names: Mapping[str, str]) -> str:
    count, rule = len(one.people), one.rule
    if isinstance(rule, grouping.Fixed):
        return _rule_in_words(rule, names)
    if one.code not in ("too_few", "too_many"):
        return ""
    where = _("Round %(number)d, group %(group)s", number=one.round, group=one.group)
    if not isinstance(rule, grouping.EachGroupHas):
        return (
            _("%(where)s: fewer people than planned (%(count)d).", where=where, count=count)
            if one.code == "too_few"
            else _("%(where)s: more people than planned (%(count)d).", where=where, count=count)
        )
    what = str(Side(rule.value).label) if rule.attribute == "side" else rule.value
    facts = {"where": where, "what": what, "count": count, "low": rule.min or 0, "high": rule.max or 0}
    if one.code == "too_few":
        return _("%(where)s: %(count)d from “%(what)s”, at least %(low)d would be possible.", **facts)
    return _("%(where)s: %(count)d from “%(what)s”, more than the others need to have.", **facts)
