"""While a search runs: it tells how good the best seating so far is, and stops when asked, in every phase."""

from dataclasses import replace
from itertools import count
from random import Random

import pytest

from conference.core.grouping import (
    Apart,
    Group,
    Person,
    Problem,
    Progress,
    Repeats,
    Wishes,
    even_groups,
    solve,
    violations,
)

from .cases import a_long_june, rank


def wishers(people: int, tables: int, rounds: int) -> Problem:
    random = Random(1)
    names = [str(number + 1) for number in range(tables)]
    guests = tuple(Person(f"p{number}", wishes=tuple(random.sample(names, 3))) for number in range(people))
    groups = even_groups([Group(name, 0, 0) for name in names], guests, rounds)
    return Problem(rounds, groups, guests, goals=(Wishes(),))


def mixed() -> Problem:
    """Rooms without a schedule, rules, and wishes."""
    guests = wishers(24, 3, 2).people
    groups = tuple(Group(str(number + 1), 2, size) for number, size in enumerate((12, 8, 6)))
    return Problem(2, groups, guests, (Apart(("p1", "p2", "p3")),), goals=(Repeats(), Wishes()))


def test_the_best_so_far_is_told_and_never_gets_worse() -> None:
    told: list[Progress] = []
    solution = solve(a_long_june(4), seed=2, iterations=1_500, on_progress=told.append)
    assert told[0] == Progress(0, 1_500), "heard while the bounds are counted"
    ranks = [rank(progress.goals) for progress in told if progress.goals]
    assert ranks == sorted(ranks, reverse=True)
    assert told[-1] == Progress(solution.iterations, 1_500, solution.goals)
    assert [progress.done for progress in told] == sorted(progress.done for progress in told)


@pytest.mark.parametrize("problem", [a_long_june(4), wishers(30, 5, 3), mixed()])
def test_who_watches_changes_nothing(problem: Problem) -> None:
    told: list[Progress] = []
    watched = solve(problem, iterations=300, on_progress=told.append, deadline=lambda: False)
    assert watched == solve(replace(problem), iterations=300)
    assert len(told) > 10


@pytest.mark.parametrize("problem", [a_long_june(4), wishers(30, 5, 3), mixed()])
@pytest.mark.parametrize("moment", [0, 1, 3, 8, 20])
def test_stopped_at_any_moment_there_is_a_seating_and_it_ends_at_once(problem: Problem, moment: int) -> None:
    asked = count()
    told: list[Progress] = []
    solution = solve(replace(problem), deadline=lambda: next(asked) >= moment, on_progress=told.append)
    assert violations(problem, solution.seating) == ()
    assert solution.iterations <= 50 * moment
    assert next(asked) <= moment + 2, "asked again although the answer was clear"
