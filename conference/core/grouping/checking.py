"""Whether a problem makes sense at all: known ids, sane sizes. Not whether it can be solved."""

import math
from collections.abc import Iterable, Sequence, Set

from .model import (
    Apart,
    BadProblem,
    Balance,
    Diversity,
    EachGroupHas,
    Fixed,
    Group,
    NotIn,
    Person,
    Problem,
    Rule,
    Stays,
    Together,
)

MOST_ROUNDS = 100
MOST_GROUPS = 1000
MOST_PEOPLE = 2000
MOST_SEATS = 1_000_000
MOST_WORTH = 10**12
"""Larger sizes and values say nothing more, and sums of them would not fit into the numbers that the search counts with."""
MOST_PAIRS = 40_000_000
"""The search keeps a number for every two people in every round; more of them would fill the memory."""


def check(problem: Problem) -> None:
    """Raise BadProblem for the first thing that is wrong, with its path as in the file format."""
    _limit("rounds", problem.rounds, 1, MOST_ROUNDS)
    _limit("groups", len(problem.groups), 1, MOST_GROUPS)
    _limit("people", len(problem.people), 0, MOST_PEOPLE)
    if len(problem.people) ** 2 * problem.rounds > MOST_PAIRS:
        raise BadProblem("rounds", f"{problem.rounds} rounds are too many for {len(problem.people)} people")
    _check_groups(problem)
    _check_people(problem)
    people = {person.id for person in problem.people}
    groups = {group.id for group in problem.groups}
    for index, rule in enumerate(problem.rules):
        _check_rule(rule, f"rules[{index}]", problem.rounds, people, groups)
    for pair in sorted(sorted(pair) for pair in problem.met):
        if len(pair) != 2:
            raise BadProblem("met", f"two different people needed, not {', '.join(pair) or 'nobody'}")
        check_known(pair, "met", people, "person")
    _check_goals(problem, people)


def _limit(path: str, number: int, least: int, most: int) -> None:
    if not least <= number <= most:
        raise BadProblem(path, f"must be {least} to {most}, not {number}")


def _check_groups(problem: Problem) -> None:
    _unique([group.id for group in problem.groups], "groups")
    for index, group in enumerate(problem.groups):
        path = f"groups[{index}]"
        check_size(path, (group.min, group.max))
        for round, size in group.overrides.items():
            _check_rounds([round], f"{path}.overrides", problem.rounds)
            check_size(f"{path}.overrides.{round}", size)


def check_size(path: str, size: tuple[int, int]) -> None:
    """Raise BadProblem unless 0 ≤ least ≤ most."""
    least, most = size
    if least < 0:
        raise BadProblem(f"{path}.min", f"must not be negative, not {least}")
    if most < least:
        raise BadProblem(f"{path}.max", f"must be at least min ({least}), not {most}")
    if most > MOST_SEATS:
        raise BadProblem(f"{path}.max", f"must be at most {MOST_SEATS}")


def _check_people(problem: Problem) -> None:
    _unique([person.id for person in problem.people], "people")
    choices = _choices(problem.groups)
    for index, person in enumerate(problem.people):
        path = f"people[{index}]"
        _check_rounds(person.rounds or (), f"{path}.rounds", problem.rounds)
        _check_wishes(person, f"{path}.wishes", choices)


def _choices(groups: Sequence[Group]) -> set[str]:
    return {group.id for group in groups} | {group.topic for group in groups if group.topic is not None}


def _check_wishes(person: Person, path: str, choices: set[str]) -> None:
    check_known(person.wishes, path, choices, "group or topic")
    _unique(person.wishes, path)


def _check_rule(rule: Rule, path: str, rounds: int, people: set[str], groups: set[str]) -> None:
    _check_rounds(rule.rounds or (), f"{path}.rounds", rounds)
    if isinstance(rule, Together | Apart):
        check_known(rule.people, f"{path}.people", people, "person")
        _unique(rule.people, f"{path}.people")
        if len(rule.people) < 2:
            raise BadProblem(f"{path}.people", "at least two people needed")
    if isinstance(rule, Fixed | NotIn | Stays) and rule.person not in people:
        raise BadProblem(f"{path}.person", f"unknown person {rule.person!r}")
    if isinstance(rule, Fixed | NotIn) and rule.group not in groups:
        raise BadProblem(f"{path}.group", f"unknown group {rule.group!r}")
    if isinstance(rule, EachGroupHas):
        _check_each_group_has(rule, path)


def _check_each_group_has(rule: EachGroupHas, path: str) -> None:
    if rule.min is None and rule.max is None:
        raise BadProblem(path, "min or max needed")
    check_size(path, (rule.min or 0, (rule.min or 0) if rule.max is None else rule.max))


def _check_goals(problem: Problem, people: set[str]) -> None:
    for index, goal in enumerate(problem.goals):
        path = f"goals[{index}]"
        if isinstance(goal, Balance) and not goal.attributes:
            raise BadProblem(f"{path}.attributes", "at least one attribute needed")
        if isinstance(goal, Diversity):
            _check_pairs(goal, f"{path}.pairs", people)


def _check_pairs(goal: Diversity, path: str, people: set[str]) -> None:
    for number, (one, other, value) in enumerate(goal.pairs):
        check_known((one, other), f"{path}[{number}]", people, "person")
        if one == other:
            raise BadProblem(f"{path}[{number}]", "two different people needed")
        if isinstance(value, float) and not math.isfinite(value):
            raise BadProblem(f"{path}[{number}][2]", "a finite number needed")
        if abs(value) > MOST_WORTH:
            raise BadProblem(f"{path}[{number}][2]", f"must be {-MOST_WORTH} to {MOST_WORTH}")


def _check_rounds(rounds: Iterable[int], path: str, most: int) -> None:
    for round in sorted(rounds):
        if not 1 <= round <= most:
            raise BadProblem(path, f"there is no round {round}")


def check_known(ids: Sequence[str], path: str, known: Set[str], what: str) -> None:
    """Raise BadProblem for the first id that is not known."""
    for index, identifier in enumerate(ids):
        if identifier not in known:
            raise BadProblem(f"{path}[{index}]", f"unknown {what} {identifier!r}")


def _unique(ids: Sequence[str], path: str) -> None:
    seen: set[str] = set()
    for index, identifier in enumerate(ids):
        if identifier in seen:
            raise BadProblem(f"{path}[{index}]", f"{identifier!r} is there twice")
        seen.add(identifier)
