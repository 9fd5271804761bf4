"""Wishes: with one round exactly the best, and bounds that no seating beats."""

from dataclasses import replace
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conference.core.grouping import Group, Person, Problem, Wishes, evaluate, even_groups, solve
from conference.core.grouping.wishes import granted

from .cases import all_seatings, problems


@settings(deadline=None, max_examples=80)
@given(problems(most_people=5, most_groups=3, most_rounds=2))
def test_no_seating_is_better_than_the_bound(problem):
    problem = replace(problem, goals=(Wishes(),))
    values = [evaluate(problem, seating)[0].value for seating in all_seatings(problem)]
    best = granted(problem)
    assert all(best.worst <= worst and best.total <= total for worst, total in values)


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 10_000))
def test_one_round_is_solved_exactly(seed):
    random = Random(seed)
    groups = tuple(Group(name, random.randint(0, 1), random.randint(2, 4)) for name in "ABC")
    people = tuple(
        Person(f"p{number}", wishes=tuple(random.sample("ABC", random.randint(0, 3)))) for number in range(5)
    )
    problem = Problem(1, groups, people, goals=(Wishes(),))
    best = min(evaluate(problem, seating)[0].value for seating in all_seatings(problem))
    solution = solve(problem, iterations=0)
    assert solution.goals[0].value == best
    assert granted(problem).worst == best[0]
    assert granted(problem).total == best[1]


@pytest.mark.parametrize(("people", "tables"), [(1000, 100), (400, 12)])
def test_large_lists_are_granted_optimally(people, tables):
    random = Random(1)
    names = [str(number + 1) for number in range(tables)]
    guests = tuple(Person(f"p{number}", wishes=tuple(random.sample(names, 3))) for number in range(people))
    groups = even_groups([Group(name, 0, 0) for name in names], guests, 1)
    assert solve(Problem(1, groups, guests, goals=(Wishes(),))).status == "optimal"
