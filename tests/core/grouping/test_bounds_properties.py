"""Bounds against the best of all seatings, level by level, with rules and groups of very different sizes."""

from dataclasses import replace

import pytest
from hypothesis import given, settings

from conference.core.grouping import (
    Balance,
    Colleagues,
    EachGroupHas,
    Fixed,
    Group,
    Person,
    Problem,
    Repeats,
    Wishes,
    evaluate,
    solve,
)

from .cases import a_problem, all_seatings, problems, rank


def is_beaten(bound: object, value: object) -> bool:
    if isinstance(bound, tuple) and isinstance(value, tuple):
        return any(number < least for number, least in zip(value, bound, strict=True))
    assert isinstance(bound, int | float) and isinstance(value, int | float)
    return value < bound - 1e-9


@settings(deadline=None, max_examples=30, derandomize=True)
@given(problems(most_people=5, most_groups=3, most_rounds=2))
def test_no_bound_is_better_than_the_best_seating(problem: Problem) -> None:
    for goals in (problem.goals, tuple(reversed(problem.goals))):
        turned = replace(problem, goals=goals)
        found = (evaluate(turned, seating) for seating in all_seatings(turned))
        best = min(found, key=rank, default=())
        for score in best:
            if score.goal == "diversity":
                assert score.bound >= score.value - 1e-9
            else:
                assert not is_beaten(score.bound, score.value)


def rooms(*sizes: int) -> tuple[Group, ...]:
    return tuple(Group(chr(ord("A") + index), size, size) for index, size in enumerate(sizes))


def test_rooms_of_very_different_sizes_share_as_few_pairs_as_a_table_of_numbers_says() -> None:
    problem = a_problem(60, rooms(20, 12, 8, 8, 6, 6), 2, goals=(Repeats(),))
    assert solve(problem).goals[0].bound == 141 // 3
    assert solve(problem).status == "optimal"


def test_values_are_spread_as_evenly_as_all_sizes_together_allow() -> None:
    people = tuple(Person(f"p{n}", attributes={"side": "xyz"[n % 3]}) for n in range(12))
    problem = Problem(1, rooms(8, 2, 2), people, goals=(Balance(("side",)),))
    assert solve(problem).status == "optimal"


def test_fixed_seats_and_roles_make_the_bound_tighter() -> None:
    people = tuple(Person(f"p{n}", "o1" if n < 4 else None, {"side": "xy"[n % 2]}) for n in range(8))
    rules = (Fixed("p0", "A"), Fixed("p1", "A"), EachGroupHas("side", "x", 0, 3))
    problem = Problem(1, rooms(4, 4), people, rules, goals=(Colleagues(), Balance(("side",))))
    assert solve(problem).status == "optimal"
    assert solve(problem).goals[0].bound == 2


@pytest.mark.parametrize("goals", [(Wishes(),), (Repeats(), Wishes())])
def test_the_sum_of_wishes_is_not_bounded_by_seats_that_other_goals_forbid(goals: tuple[object, ...]) -> None:
    people = tuple(Person(f"p{n}", wishes=("A", "B")) for n in range(4))
    problem = Problem(2, rooms(2, 2), people, goals=goals)
    best = min((evaluate(problem, seating) for seating in all_seatings(problem)), key=rank)
    assert not is_beaten(best[-1].bound, best[-1].value)
