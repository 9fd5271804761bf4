"""What of a group problem can still be changed while the rounds go by: those that have begun are history."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from itertools import combinations

from .grouping import Fixed, Person, Problem, Rule, Seating, Stays

Homes = tuple[Mapping[str, str], ...]
"""For each round: person → group."""


def later_only(problem: Problem, seating: Seating, begun: Collection[int]) -> Problem:
    """The problem of the rounds that have not begun; the seats of the others are given.

    Whoever shared a table then has met. Whoever must stay at one table stays where they were, if it still meets.
    """
    homes = tuple(
        {person: group for group, people in seats.items() for person in people} for seats in seating
    )
    later = frozenset(range(1, problem.rounds + 1)) - frozenset(begun)
    return replace(
        problem,
        groups=tuple(
            replace(group, overrides={**group.overrides, **dict.fromkeys(sorted(begun), (0, 0))})
            for group in problem.groups
        ),
        people=tuple(_later_person(person, later) for person in problem.people),
        rules=tuple(kept for rule in problem.rules for kept in _later_rules(problem, rule, later, homes)),
        met=problem.met | {pair for number in begun for pair in _pairs(problem, seating, number)},
    )


def merged(problem: Problem, before: Seating, after: Seating, begun: Collection[int]) -> Seating:
    """The seats of the rounds that have begun from `before`, without people whom the problem does not know; the rest new."""
    known = {person.id for person in problem.people}
    return tuple(
        {group: tuple(person for person in people if person in known) for group, people in old.items()}
        if number in begun
        else {group: people for group, people in new.items() if _meets(problem, group, number)}
        for number, (old, new) in enumerate(zip(before, after, strict=True), 1)
    )


def _later_person(person: Person, later: frozenset[int]) -> Person:
    return replace(person, rounds=later if person.rounds is None else person.rounds & later)


def _later_rules(problem: Problem, rule: Rule, later: frozenset[int], homes: Homes) -> Iterator[Rule]:
    rounds = later if rule.rounds is None else rule.rounds & later
    if not rounds:
        return
    if isinstance(rule, Stays):
        spoken = rule.rounds or range(1, problem.rounds + 1)
        seats = [homes[number - 1].get(rule.person) for number in sorted(spoken) if number not in later]
        home = next((group for group in reversed(seats) if group is not None), None)
        if home is not None and all(_meets(problem, home, number) for number in rounds):
            yield Fixed(rule.person, home, rounds)
            return
    yield replace(rule, rounds=rounds)


def _meets(problem: Problem, name: str, number: int) -> bool:
    return any(group.id == name and group.meets(number) for group in problem.groups)


def _pairs(problem: Problem, seating: Seating, number: int) -> Iterator[frozenset[str]]:
    known = {person.id for person in problem.people}
    for people in seating[number - 1].values():
        for pair in combinations(sorted(known & set(people)), 2):
            yield frozenset(pair)
