"""Group problems for tests: the files of the scenario, small ones by hand, random ones, and every seating of tiny ones."""

import json
from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from conference.core.grouping import (
    Apart,
    Balance,
    Colleagues,
    Diversity,
    EachGroupHas,
    Fixed,
    Goal,
    GoalScore,
    Group,
    NotIn,
    Person,
    Problem,
    Repeats,
    Rule,
    Seating,
    Stays,
    Together,
    Wishes,
    parse_problem,
    violations,
)

DATA = Path(__file__).parents[2] / "data"


def a_file(name: str) -> Any:
    """The decoded JSON of a scenario file."""
    return json.loads((DATA / f"groups-{name}.json").read_text(encoding="utf-8"))


def a_scenario(name: str) -> Problem:
    return parse_problem(a_file(name))


def a_long_june(rounds: int) -> Problem:
    """The June conference with more rounds than it has."""
    june = a_scenario("june")
    return replace(june, rounds=rounds, people=tuple(replace(person, rounds=None) for person in june.people))


def a_problem(people: int = 6, groups: int | tuple[Group, ...] = 2, rounds: int = 1, **over: Any) -> Problem:
    """People p0, p1, … in these groups, or so many groups A, B, … that any number of them may join."""
    if isinstance(groups, int):
        groups = tuple(Group(chr(ord("A") + index), 0, people) for index in range(groups))
    return replace(Problem(rounds, groups, tuple(Person(f"p{index}") for index in range(people))), **over)


def a_seating(*rounds: str) -> Seating:
    """From "01 23" (a round with p0 and p1 in group A, p2 and p3 in B)."""
    return tuple(
        {
            chr(ord("A") + index): tuple(f"p{digit}" for digit in table.strip("-"))
            for index, table in enumerate(one.split())
        }
        for one in rounds
    )


def all_seatings(problem: Problem) -> Iterator[Seating]:
    """Every seating that breaks nothing; only for a handful of people."""
    places = [
        (number, person.id)
        for number in range(problem.rounds)
        for person in problem.people
        if person.is_there(number + 1)
    ]
    for groups in product([group.id for group in problem.groups], repeat=len(places)):
        tables: list[dict[str, list[str]]] = [
            {group.id: [] for group in problem.groups} for _ in range(problem.rounds)
        ]
        for (number, person), group in zip(places, groups, strict=True):
            tables[number][group].append(person)
        seating = tuple({group: tuple(people) for group, people in one.items()} for one in tables)
        if not violations(problem, seating):
            yield seating


def is_possible(problem: Problem) -> bool:
    return next(all_seatings(problem), None) is not None


def rank(scores: tuple[GoalScore, ...]) -> tuple[Any, ...]:
    """The values in their order, the smaller the better."""
    return tuple(-score.value if score.goal == "diversity" else score.value for score in scores)


VALUES = ("x", "y", None)


@st.composite
def problems(draw: st.DrawFn, most_people: int = 9, most_groups: int = 3, most_rounds: int = 3) -> Problem:
    """Problems of all kinds, some without a solution."""
    rounds = draw(st.integers(1, most_rounds))
    groups = draw(_groups(most_groups, rounds))
    names = [f"p{index}" for index in range(draw(st.integers(2, most_people)))]
    people = tuple(draw(_person(name, groups, rounds)) for name in names)
    rules = draw(st.lists(_rule(names, groups, rounds), max_size=5))
    pairs = st.lists(st.sampled_from(names), min_size=2, max_size=2, unique=True)
    met = draw(st.lists(pairs.map(frozenset), max_size=4))
    goals = draw(st.lists(_goal(pairs), max_size=4))
    return Problem(rounds, groups, people, tuple(rules), frozenset(met), tuple(goals))


@st.composite
def _groups(draw: st.DrawFn, most: int, rounds: int) -> tuple[Group, ...]:
    count = draw(st.integers(1, most))
    sizes = st.tuples(st.integers(0, 2), st.integers(0, 4)).map(lambda pair: (pair[0], sum(pair)))
    topics = st.sampled_from(["red", "blue", None])
    overrides = st.dictionaries(st.integers(1, rounds), sizes | st.just((0, 0)), max_size=1)
    return tuple(Group(f"g{index}", *draw(sizes), draw(topics), draw(overrides)) for index in range(count))


@st.composite
def _person(draw: st.DrawFn, name: str, groups: tuple[Group, ...], rounds: int) -> Person:
    choices = sorted({group.id for group in groups} | {group.topic for group in groups if group.topic})
    return Person(
        name,
        draw(st.sampled_from(["o1", "o2", None])),
        {"side": draw(st.sampled_from(VALUES)), "team": draw(st.sampled_from(VALUES))},
        tuple(draw(st.lists(st.sampled_from(choices), max_size=2, unique=True))),
        draw(st.none() | st.frozensets(st.integers(1, rounds))),
    )


@st.composite
def _rule(draw: st.DrawFn, names: list[str], groups: tuple[Group, ...], rounds: int) -> Rule:
    where = draw(st.none() | st.frozensets(st.integers(1, rounds), min_size=1))
    some = tuple(draw(st.lists(st.sampled_from(names), min_size=2, max_size=3, unique=True)))
    group = draw(st.sampled_from(groups)).id
    least = draw(st.integers(0, 1))
    rules: list[Rule] = [
        Together(some, where),
        Apart(some, where),
        Fixed(some[0], group, where),
        NotIn(some[0], group, where),
        Stays(some[0], where),
        EachGroupHas("side", "x", least, draw(st.none() | st.integers(least, 3)), where),
    ]
    return draw(st.sampled_from(rules))


@st.composite
def _goal(draw: st.DrawFn, pairs: st.SearchStrategy[list[str]]) -> Goal:
    values = draw(st.lists(st.tuples(pairs, st.integers(-3, 5)), max_size=5))
    goals: list[Goal] = [
        Colleagues(draw(st.sampled_from([{}, {"side": "x"}]))),
        Repeats(),
        Balance(draw(st.sampled_from([("side",), ("side", "team")]))),
        Wishes(),
        Diversity(tuple((one, other, value) for (one, other), value in values)),
    ]
    return draw(st.sampled_from(goals))
