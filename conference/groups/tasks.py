"""The grouping problem of a conference: who is there, which rooms, the rules and goals in their order."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _
from flask_babel import ngettext

from ..agenda.models import ItemKind
from ..agenda.queries import items_of
from ..conferences.models import Conference, Room, Topic
from ..conferences.queries import rooms_of, topics_of
from ..core import grouping
from ..core.grouping.checking import MOST_PAIRS, MOST_PEOPLE
from ..core.seating import even_sizes
from ..kit.errors import Refused
from ..providers.models import Contact, Side
from ..registrations.queries import participants, wishes_of
from . import method_queries, queries
from .method_queries import MOST_TABLES, Setting, table_names
from .models import Aim, Group, GroupsRule, RuleKind

PIN, SPREAD = "pin", "spread"
"""Where a rule of a problem comes from; those of the organisers bring the number of their row."""

Groups = Mapping[tuple[int, str], Group]
"""(round number, table name) → the group that is there already."""
Size = tuple[int, int]
Trouble = dict[str, Any]
"""Why nothing came out: a code, and for rules that contradict each other their places in the problem, with numbers."""


@dataclass(frozen=True)
class Task:
    """A grouping problem with what its ids mean, and the state from which it was made.

    `rooms` and `topics` are for groups that do not exist yet: table name → id. `sources` says of each rule of the problem
    where it comes from: PIN, SPREAD, or the number of the organisers' rule as a text. `rules`: the numbers of all those that
    held then.
    """

    problem: grouping.Problem
    rooms: dict[str, int | None]
    topics: dict[str, int | None]
    state: queries.State
    sources: tuple[str, ...]
    rules: tuple[int, ...]

    @property
    def setting(self) -> dict[str, Any]:
        """What a row keeps beside the problem."""
        return {
            "rooms": self.rooms,
            "topics": self.topics,
            "state": self.state,
            "sources": list(self.sources),
            "rules": list(self.rules),
        }

    @classmethod
    def kept(cls, problem: grouping.Problem, setting: Mapping[str, Any]) -> "Task":
        """The task again from what a row keeps."""
        sources, rules = tuple(setting["sources"]), tuple(setting["rules"])
        return cls(problem, setting["rooms"], setting["topics"], setting["state"], sources, rules)

    def pinned(self, number: int) -> set[str]:
        """The people who are pinned to their seats in this round."""
        return {
            rule.person
            for rule, source in zip(self.problem.rules, self.sources, strict=True)
            if source == PIN and isinstance(rule, grouping.Fixed) and number in (rule.rounds or ())
        }


def task_of(conference: Conference, tables: int, rounds: int, held: Collection[tuple[int, int]] = ()) -> Task:
    """The problem of a conference; groups that are there keep their rooms and topics.

    Who is pinned, or `held` (round number, contact id), stays. Raises Refused when there are more tables than people, the
    rooms are too small, a rule speaks of a table that there is not, or participants choose their groups themselves.
    """
    setting = method_queries.setting_of(conference)
    if setting.is_live:
        raise Refused(
            _("In an Open Space nobody forms the groups: participants choose them on their personal pages.")
        )
    people = participants(conference)
    if not 1 <= tables <= MOST_TABLES:
        raise Refused(_("Please choose from 1 to %(num)d tables.", num=MOST_TABLES))
    if tables > len(people):
        raise Refused(_too_few(len(people)))
    if len(people) > MOST_PEOPLE or len(people) ** 2 * rounds > MOST_PAIRS:
        raise Refused(
            _(
                "%(people)d people in %(rounds)d rounds are too many for one search. Please take fewer rounds.",
                people=len(people),
                rounds=rounds,
            )
        )
    names = table_names(tables)
    rules = method_queries.rules_of(conference)
    _refuse_unknown_tables(rules, names, {contact.id for contact in people})
    plans = queries.plan_of(conference)[:rounds]
    there = {(plan.round.number, group.group.name): group.group for plan in plans for group in plan.groups}
    rooms = dict(zip(names, _rooms_for(conference, tables, len(people)), strict=True))
    topics = _topics_for(conference, names)
    away = absences(rules, rounds)
    counts = {
        number: sum(number not in away.get(contact.id, ()) for contact in people)
        for number in range(1, rounds + 1)
    }
    sizes = {number: _sizes(number, counts[number], rooms, there) for number in range(1, rounds + 1)}
    groups = _groups(names, sizes, {name: _topic_now(there.get((1, name)), topics[name]) for name in names})
    problem, sources = problem_of(conference, people, groups, rounds, plans, held)
    return Task(
        problem,
        rooms={name: room.id if room else None for name, room in rooms.items()},
        topics={name: topic.id if topic else None for name, topic in topics.items()},
        state=queries.state_of(conference),
        sources=sources,
        rules=tuple(rule.id for rule in rules),
    )


def problem_of(
    conference: Conference,
    people: Sequence[Contact],
    groups: tuple[grouping.Group, ...],
    rounds: int,
    plans: Sequence[queries.RoundPlan],
    held: Collection[tuple[int, int]] = (),
) -> tuple[grouping.Problem, tuple[str, ...]]:
    """These people at these groups with the rules and goals of the conference; who is pinned or held stays.

    Also gives where each rule comes from (see `Task.sources`).
    """
    setting, rules = method_queries.setting_of(conference), method_queries.rules_of(conference)
    away, wishes = absences(rules, rounds), wishes_of(conference)
    offered = {group.topic for group in groups}
    everybody = tuple(
        _person(contact, [t.title for t in wishes.get(contact.id, []) if t.title in offered], away, rounds)
        for contact in people
    )
    ids, names = {contact.id for contact in people}, [group.id for group in groups]
    tied = [*organisers_rules(rules, ids, names, rounds), *_pins(plans, ids, set(names), held, away)]
    spread = _spread(everybody, groups, rounds, [rule for rule, _source in tied]) if setting.spread else []
    sourced = [*((rule, SPREAD) for rule in spread), *tied]
    problem = grouping.Problem(
        rounds=rounds,
        groups=groups,
        people=everybody,
        rules=tuple(rule for rule, _source in sourced),
        met=frozenset(frozenset(map(str, pair)) for pair in queries.met_before(conference) if pair <= ids),
        goals=_goals(setting, any(person.wishes for person in everybody)),
    )
    return problem, tuple(source for _rule, source in sourced)


def as_of_now(
    problem: Mapping[str, Any], sources: Sequence[str], rules: Sequence[GroupsRule]
) -> dict[str, Any]:
    """A stored problem with the organisers' rules as they are now; pins and the automatic rule stay as they were.

    Where nobody has noted where the rules come from, they all stay.
    """
    if len(sources) != len(problem["rules"]):
        return dict(problem)
    ids, rounds = {int(person["id"]) for person in problem["people"]}, problem["rounds"]
    names = [group["id"] for group in problem["groups"]]
    kept = [rule for rule, source in zip(problem["rules"], sources, strict=True) if source in (PIN, SPREAD)]
    now = [grouping.rule_to_json(rule) for rule, _source in organisers_rules(rules, ids, names, rounds)]
    away = absences(rules, rounds)
    people = [
        person | {"rounds": sorted(set(range(1, rounds + 1)) - away.get(int(person["id"]), set()))}
        for person in problem["people"]
    ]
    return {**problem, "people": people, "rules": kept + now}


def _refuse_unknown_tables(rules: Sequence[GroupsRule], names: Sequence[str], present: set[int]) -> None:
    for rule in rules:
        people = [one for one in rule.people if one.contact_id in present]
        if rule.kind in (RuleKind.HOST, RuleKind.AT) and rule.table not in names and people:
            raise Refused(
                _(
                    "There is no table %(table)s with so few tables, but a rule says: %(rule)s Please change one of them.",
                    table=rule.table,
                    rule=rule_sentence(rule),
                )
            )


def _goals(setting: Setting, somebody_wishes: bool) -> tuple[grouping.Goal, ...]:
    made: dict[Aim, grouping.Goal] = {
        Aim.COLLEAGUES: grouping.Colleagues(except_={"side": str(Side.AGENCY.value)}),
        Aim.REPEATS: grouping.Repeats(),
        Aim.BALANCE: grouping.Balance(attributes=("side", "team")),
        Aim.WISHES: grouping.Wishes(),
    }
    return tuple(made[aim] for aim in setting.aims if aim is not Aim.WISHES or somebody_wishes)


def absences(rules: Sequence[GroupsRule], rounds: int) -> dict[int, set[int]]:
    """Contact id → the rounds in which this person is not there."""
    away: dict[int, set[int]] = {}
    for rule in rules:
        if rule.kind is RuleKind.ABSENT:
            for one in rule.people:
                away.setdefault(one.contact_id, set()).update(
                    [rule.round] if rule.round else range(1, rounds + 1)
                )
    return away


def organisers_rules(
    rules: Sequence[GroupsRule], present: set[int], names: Sequence[str], rounds: int
) -> list[tuple[grouping.Rule, str]]:
    """The organisers' rules as the problem has them, each with where it comes from. People who are gone are left out."""
    away = absences(rules, rounds)
    made = []
    for rule in rules:
        if rule.round is None or rule.round <= rounds:
            people = [one.contact_id for one in rule.people if one.contact_id in present]
            made += [(one, str(rule.id)) for one in _as_rules(rule, people, names, away, rounds)]
    return made


def _as_rules(
    rule: GroupsRule, people: list[int], names: Sequence[str], away: Mapping[int, set[int]], rounds: int
) -> Iterator[grouping.Rule]:
    when = frozenset({rule.round}) if rule.round else None
    ids = tuple(map(str, people))
    if rule.kind is RuleKind.TOGETHER and len(ids) > 1:
        yield grouping.Together(people=ids, rounds=when)
    elif rule.kind is RuleKind.APART and len(ids) > 1:
        yield grouping.Apart(people=ids, rounds=when)
    elif rule.kind is RuleKind.EVERYWHERE:
        yield grouping.EachGroupHas(attribute=rule.attribute, value=rule.value, min=1, rounds=when)
    elif rule.kind in (RuleKind.HOST, RuleKind.AT, RuleKind.NOT_AT) and rule.table in names:
        make = grouping.NotIn if rule.kind is RuleKind.NOT_AT else grouping.Fixed
        for contact_id in people:
            there = _there(contact_id, when, away, rounds)
            if there is None or there:
                yield make(person=str(contact_id), group=rule.table, rounds=there)


def _there(
    contact_id: int, when: frozenset[int] | None, away: Mapping[int, set[int]], rounds: int
) -> frozenset[int] | None:
    """The rounds of a rule in which the person is there; who is never away keeps "all rounds"."""
    if contact_id not in away:
        return when
    return (when or frozenset(range(1, rounds + 1))) - away[contact_id]


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


def _person(
    contact: Contact, wishes: Sequence[str], away: Mapping[int, set[int]], rounds: int
) -> grouping.Person:
    missing = away.get(contact.id)
    return grouping.Person(
        id=str(contact.id),
        organisation=contact.provider.name,
        attributes={
            "side": str(contact.side.value),
            "team": contact.team or None,
            "function": contact.function or None,
        },
        wishes=tuple(wishes),
        rounds=frozenset(range(1, rounds + 1)) - missing if missing else None,
    )


def _spread(
    people: Sequence[grouping.Person],
    groups: Sequence[grouping.Group],
    rounds: int,
    tied: Sequence[grouping.Rule],
) -> list[grouping.Rule]:
    """Agency people of each team, and the agency as a whole, at every table wherever numbers and other rules allow."""
    agency = str(Side.AGENCY.value)
    staff = [person for person in people if person.attributes["side"] == agency]
    teams = sorted({team for person in staff if (team := person.attributes["team"])})
    counted = {("team", team): [p for p in people if p.attributes["team"] == team] for team in teams}
    if staff:
        counted = {("side", agency): staff} | counted
    tables = {number: sum(group.meets(number) for group in groups) for number in range(1, rounds + 1)}
    blocks = {number: _bound_together(tied, number) for number in tables if tables[number]}
    made: list[grouping.Rule] = []
    for (attribute, value), all_of_them in counted.items():
        ranges: dict[tuple[int, int], set[int]] = {}
        for number, bound in blocks.items():
            there = {person.id for person in all_of_them if person.is_there(number)}
            ranges.setdefault(_even_range(there, tables[number], bound), set()).add(number)
        for (low, high), numbers in ranges.items():
            when = None if len(numbers) == rounds else frozenset(numbers)
            made.append(grouping.EachGroupHas(attribute, value, min=low, max=high, rounds=when))
    return made


def _even_range(people: set[str], tables: int, blocks: Sequence[set[str]]) -> tuple[int, int]:
    """Least and most of these people at a table when they are spread as evenly as those allow who must sit together."""
    loads = [0] * tables
    for count in sorted((len(block & people) for block in blocks), reverse=True):
        loads[loads.index(min(loads))] += count
    for _single in range(len(people) - sum(loads)):
        loads[loads.index(min(loads))] += 1
    return min(loads), max(loads)


def _bound_together(rules: Sequence[grouping.Rule], number: int) -> list[set[str]]:
    """Who must share a table in a round: people tied to each other, or to the same table."""
    blocks: list[set[str]] = []
    seats: dict[str, set[str]] = {}
    for rule in rules:
        if rule.rounds is None or number in rule.rounds:
            if isinstance(rule, grouping.Together):
                blocks.append(set(rule.people))
            elif isinstance(rule, grouping.Fixed):
                seats.setdefault(rule.group, set()).add(rule.person)
    merged: list[set[str]] = []
    for block in [*blocks, *seats.values()]:
        touching = [other for other in merged if other & block]
        merged = [other for other in merged if not other & block]
        merged.append(block.union(*touching))
    return merged


def _pins(
    plans: Sequence[queries.RoundPlan],
    people: set[int],
    names: set[str],
    held: Collection[tuple[int, int]],
    away: Mapping[int, set[int]],
) -> list[tuple[grouping.Rule, str]]:
    return [
        (
            grouping.Fixed(
                person=str(seat.contact_id), group=group.group.name, rounds=frozenset({plan.round.number})
            ),
            PIN,
        )
        for plan in plans
        for group in plan.groups
        for seat in group.seats
        if (seat.pinned or (plan.round.number, seat.contact_id) in held)
        and seat.contact_id in people
        and plan.round.number not in away.get(seat.contact_id, ())
        and group.group.name in names
    ]


def _rooms_for(conference: Conference, tables: int, people: int) -> list[Room | None]:
    """Rooms that no other item uses: those large enough for an even share, then the next largest; then none."""
    free = free_rooms(conference)
    large = [room for room in free if room.capacity * tables >= people]
    chosen: list[Room | None] = [*large[:tables]]
    if len(chosen) < tables:
        rest = [room for room in free if room not in chosen]
        chosen += sorted(rest, key=lambda room: -room.capacity)[: tables - len(chosen)]
    return chosen + [None] * (tables - len(chosen))


def free_rooms(conference: Conference) -> list[Room]:
    """The rooms in which no other item of the agenda takes place."""
    used = {item.room_id for item in items_of(conference) if item.kind is not ItemKind.BREAKOUT}
    return [room for room in rooms_of(conference) if room.id not in used]


def trouble_of(error: Exception, problem: grouping.Problem) -> Trouble:
    """Why no groups could be formed, as facts that a row can keep; `in_words` makes a sentence of them."""
    if isinstance(error, grouping.Contradiction):
        known = [number for number, rule in enumerate(problem.rules) if rule in error.rules]
        return {"code": error.code, "facts": dict(error.facts), "rules": known}
    return {"code": "not_found" if isinstance(error, grouping.NotFound) else "crashed"}


def in_words(
    trouble: Trouble,
    rules: Sequence[grouping.Rule],
    names: Mapping[str, str],
    sources: Sequence[str | None] = (),
) -> str:
    """Why no groups were formed, with the names of people and groups. `rules`: those that the trouble names."""
    facts = trouble.get("facts", {})
    said = " ".join(rules_in_words(rules, names, sources))
    simple = {
        "changed": _(
            "The groups, the rules or the agenda have changed meanwhile. Please form the groups once more."
        ),
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


def rules_in_words(
    rules: Sequence[grouping.Rule], names: Mapping[str, str], sources: Sequence[str | None] = ()
) -> list[str]:
    """A full sentence for each rule of a problem."""
    known = sources or [None] * len(rules)
    return [_rule_in_words(rule, names, source) for rule, source in zip(rules, known, strict=True)]


def people_of(rules: Sequence[grouping.Rule]) -> set[int]:
    """The contact ids that rules speak of."""
    return {int(person) for rule in rules for person in _speaks_of(rule)}


def _speaks_of(rule: grouping.Rule) -> tuple[str, ...]:
    if isinstance(rule, grouping.Together | grouping.Apart):
        return rule.people
    return () if isinstance(rule, grouping.EachGroupHas) else (rule.person,)


def _rule_in_words(rule: grouping.Rule, names: Mapping[str, str], source: str | None = None) -> str:
    """A rule of a problem as a full sentence. `source`: where it comes from, where that is known."""
    when = _when(sorted(rule.rounds) if rule.rounds else [])
    if isinstance(rule, grouping.EachGroupHas):
        return _counted_in_words(rule, when)
    people = _listed([names.get(person, "?") for person in _speaks_of(rule)])
    if isinstance(rule, grouping.Fixed | grouping.NotIn):
        return _seat_in_words(rule, people, when, source)
    if isinstance(rule, grouping.Together):
        return _("%(names)s sit together %(when)s.", names=people, when=when)
    if isinstance(rule, grouping.Apart):
        return _("%(names)s do not sit together %(when)s.", names=people, when=when)
    return _("%(name)s stays at one table %(when)s.", name=people, when=when)


def _seat_in_words(rule: grouping.Fixed | grouping.NotIn, name: str, when: str, source: str | None) -> str:
    facts = {"name": name, "table": rule.group, "when": when}
    if isinstance(rule, grouping.NotIn):
        return _("%(name)s does not sit at table %(table)s %(when)s.", **facts)
    if source != PIN and not (source is None and rule.rounds and len(rule.rounds) == 1):
        return _("%(name)s sits at table %(table)s %(when)s.", **facts)
    number = min(rule.rounds or {1})
    return _(
        "%(name)s is pinned to group %(group)s in round %(number)d.",
        name=name,
        group=rule.group,
        number=number,
    )


def _counted_in_words(rule: grouping.EachGroupHas, when: str) -> str:
    what = kind_of_people(rule.attribute, rule.value)
    if rule.max is None:
        return _("At every table sits at least one from “%(what)s” %(when)s.", what=what, when=when)
    return _(
        "%(what)s: %(low)d to %(high)d people in each group.", what=what, low=rule.min or 0, high=rule.max
    )


def kind_of_people(attribute: str, value: str) -> str:
    """A side of the table by its label, a team by its name."""
    return str(Side(value).label) if attribute == "side" else value


def _when(rounds: Sequence[int]) -> str:
    if not rounds:
        return _("in all rounds")
    if len(rounds) == 1:
        return _("in round %(number)d", number=rounds[0])
    return _("in rounds %(numbers)s", numbers=_listed([str(number) for number in rounds]))


def _listed(words: Sequence[str]) -> str:
    """A, B and C."""
    return (
        words[0]
        if len(words) == 1
        else _("%(first)s and %(last)s", first=", ".join(words[:-1]), last=words[-1])
    )


def rule_sentence(rule: GroupsRule) -> str:
    """A rule of the organisers as a full sentence, with everybody whom it names."""
    names = _listed([one.contact.name for one in rule.people]) if rule.people else ""
    when = _when([rule.round] if rule.round else [])
    facts = {"names": names, "name": names, "table": rule.table, "when": when}
    sentences = {
        RuleKind.TOGETHER: _("%(names)s sit together %(when)s."),
        RuleKind.APART: _("%(names)s do not sit together %(when)s."),
        RuleKind.HOST: _("%(name)s hosts table %(table)s: stays there in all rounds and sums up."),
        RuleKind.AT: _("%(name)s sits at table %(table)s %(when)s."),
        RuleKind.NOT_AT: _("%(name)s does not sit at table %(table)s %(when)s."),
        RuleKind.ABSENT: _("%(name)s is not there %(when)s."),
        RuleKind.EVERYWHERE: _("At every table sits at least one from “%(what)s” %(when)s."),
    }
    if rule.kind is RuleKind.EVERYWHERE:
        facts["what"] = kind_of_people(rule.attribute, rule.value)
    return sentences[rule.kind] % facts


def broken_in_words(broken: Sequence[grouping.Violation], names: Mapping[str, str]) -> list[str]:
    """Rules and sizes that moves by hand have broken, a sentence for each. Who is without a seat is shown elsewhere."""
    said = [_broken(one, names) for one in broken if one.code != "missing"]
    return list(dict.fromkeys(sentence for sentence in said if sentence))


def _broken(one: grouping.Violation, names: Mapping[str, str]) -> str:
    rule = one.rule
    if one.code in ("too_few", "too_many"):
        return _wrong_number(one)
    if one.code == "not_there":
        name = names.get(one.people[0], "?")
        return _("%(name)s is not there in round %(number)d, but has a seat.", name=name, number=one.round)
    if rule is None:
        return ""
    said = _rule_in_words(rule, names)
    if one.round is None or (isinstance(rule, grouping.Fixed) and len(rule.rounds or ()) == 1):
        return said
    return _("Not kept in round %(number)d: %(rule)s", number=one.round, rule=said)


def _wrong_number(one: grouping.Violation) -> str:
    count, rule = len(one.people), one.rule
    where = _("Round %(number)d, group %(group)s", number=one.round, group=one.group)
    if not isinstance(rule, grouping.EachGroupHas):
        return (
            _("%(where)s: fewer people than planned (%(count)d).", where=where, count=count)
            if one.code == "too_few"
            else _("%(where)s: more people than planned (%(count)d).", where=where, count=count)
        )
    what = kind_of_people(rule.attribute, rule.value)
    facts = {"where": where, "what": what, "count": count, "low": rule.min or 0, "high": rule.max or 0}
    if one.code == "too_few":
        return _("%(where)s: %(count)d from “%(what)s”, at least %(low)d would be possible.", **facts)
    return _("%(where)s: %(count)d from “%(what)s”, more than the others need to have.", **facts)
