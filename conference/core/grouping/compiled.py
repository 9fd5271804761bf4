"""A problem in numbers, for counting fast: people, groups and rounds from 0, people tied together as one unit."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations

from .model import Apart, EachGroupHas, Fixed, NotIn, Problem, Rule, Seating, Stays, Together, applies

Seats = list[list[int]]
"""For each round and unit its group; -1: none yet."""


@dataclass(frozen=True)
class Counter:
    """What every group needs between `least[g]` and `most[g]` of; unit u brings `part[u]`."""

    least: list[int]
    most: list[int]
    part: list[int]


@dataclass(frozen=True)
class Round:
    """One round: `unit_of[p]` is -1 where the person is away; `counters[0]` counts the seats.

    `clash`: two people must sit both together and apart.
    """

    units: list[tuple[int, ...]]
    unit_of: list[int]
    open: list[int]
    allowed: list[list[bool]]
    counters: list[Counter]
    apart: list[list[int]]
    clash: bool


@dataclass(frozen=True)
class Compiled:
    """`stays`: (person, rounds) in which the person keeps to one group; only rounds in which the person is there."""

    problem: Problem
    rounds: list[Round]
    stays: list[tuple[int, tuple[int, ...]]]

    @property
    def people(self) -> int:
        """How many people there are."""
        return len(self.problem.people)

    @property
    def groups(self) -> int:
        """How many groups there are."""
        return len(self.problem.groups)


def compile_problem(problem: Problem, rules: Sequence[Rule]) -> Compiled:
    """The problem with these rules in place of its own."""
    place = {person.id: index for index, person in enumerate(problem.people)}
    rounds = [
        _round(problem, [rule for rule in rules if applies(rule, number + 1)], number)
        for number in range(problem.rounds)
    ]
    stays = [
        (place[rule.person], _stays(problem, rule, rounds, place))
        for rule in rules
        if isinstance(rule, Stays)
    ]
    return Compiled(problem, rounds, [(person, where) for person, where in stays if len(where) > 1])


def _stays(problem: Problem, rule: Stays, rounds: Sequence[Round], place: dict[str, int]) -> tuple[int, ...]:
    person = place[rule.person]
    return tuple(
        number for number, one in enumerate(rounds) if applies(rule, number + 1) and one.unit_of[person] >= 0
    )


def _round(problem: Problem, rules: Sequence[Rule], number: int) -> Round:
    there = [index for index, person in enumerate(problem.people) if person.is_there(number + 1)]
    place = {problem.people[index].id: index for index in there}
    ties = (
        [place[one] for one in rule.people if one in place] for rule in rules if isinstance(rule, Together)
    )
    units = _tie(there, ties)
    unit_of = [-1] * len(problem.people)
    for unit, people in enumerate(units):
        for person in people:
            unit_of[person] = unit
    where = {name: unit_of[index] for name, index in place.items()}
    apart, clash = _apart(len(units), rules, where)
    open_groups = [index for index, group in enumerate(problem.groups) if group.meets(number + 1)]
    allowed = _allowed(problem, rules, where, open_groups, len(units))
    counters = _counters(problem, rules, number, units)
    return Round(units, unit_of, open_groups, allowed, counters, apart, clash)


def _tie(there: Sequence[int], ties: Iterable[Sequence[int]]) -> list[tuple[int, ...]]:
    """The people in units: whoever is tied to the same person is one unit."""
    unit = {person: [person] for person in there}
    for people in ties:
        for person in people[1:]:
            one, other = unit[people[0]], unit[person]
            if one is not other:
                one.extend(other)
                unit.update(dict.fromkeys(other, one))
    return [tuple(sorted(unit[person])) for person in there if min(unit[person]) == person]


def _apart(count: int, rules: Sequence[Rule], where: dict[str, int]) -> tuple[list[list[int]], bool]:
    foes: list[set[int]] = [set() for _ in range(count)]
    for rule in rules:
        if isinstance(rule, Apart):
            for one, other in combinations((where[person] for person in rule.people if person in where), 2):
                foes[one].add(other)
                foes[other].add(one)
    clash = any(unit in others for unit, others in enumerate(foes))
    return [sorted(others - {unit}) for unit, others in enumerate(foes)], clash


def _allowed(
    problem: Problem, rules: Sequence[Rule], where: dict[str, int], open_groups: Sequence[int], units: int
) -> list[list[bool]]:
    meets = set(open_groups)
    allowed = [
        [group in meets for group in range(len(problem.groups))]
    ] * units  # shared until a rule says otherwise
    for rule in rules:
        if isinstance(rule, Fixed | NotIn) and rule.person in where:
            row = allowed[where[rule.person]] = list(allowed[where[rule.person]])
            for index, group in enumerate(problem.groups):
                row[index] &= (group.id == rule.group) == isinstance(rule, Fixed)
    return allowed


def _counters(
    problem: Problem, rules: Sequence[Rule], number: int, units: Sequence[tuple[int, ...]]
) -> list[Counter]:
    sizes = [group.size(number + 1) for group in problem.groups]
    seats = Counter([least for least, _ in sizes], [most for _, most in sizes], [len(unit) for unit in units])
    return [
        seats,
        *(_counter(problem, rule, sizes, units) for rule in rules if isinstance(rule, EachGroupHas)),
    ]


def _counter(
    problem: Problem, rule: EachGroupHas, sizes: Sequence[tuple[int, int]], units: Sequence[tuple[int, ...]]
) -> Counter:
    has = [person.attributes.get(rule.attribute) == rule.value for person in problem.people]
    limit = len(problem.people) if rule.max is None else rule.max
    return Counter(
        [rule.min or 0 if most else 0 for _, most in sizes],
        [limit if most else 0 for _, most in sizes],
        [sum(has[person] for person in unit) for unit in units],
    )


def seating_of(compiled: Compiled, seats: Seats) -> Seating:
    """The seats as groups with the ids of their people."""
    problem = compiled.problem
    seating = []
    for one, groups in zip(compiled.rounds, seats, strict=True):
        tables: dict[str, list[int]] = {group.id: [] for group in problem.groups}
        for people, group in zip(one.units, groups, strict=True):
            if group >= 0:
                tables[problem.groups[group].id].extend(people)
        seating.append(
            {
                name: tuple(problem.people[person].id for person in sorted(people))
                for name, people in tables.items()
            }
        )
    return tuple(seating)
