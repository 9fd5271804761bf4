"""The search for what pairs are worth alone: it counts right, keeps the sizes, and finds what trying everything finds."""

from dataclasses import replace
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conference.core.grouping import Diversity, Group, Person, Problem, Wishes, solve
from conference.core.grouping.compiled import compile_problem
from conference.core.grouping.exchange import Exchange, suits
from conference.core.grouping.model import Apart, EachGroupHas, Fixed, Together
from conference.core.grouping.objective import objective
from conference.core.grouping.scoring import evaluate
from conference.core.grouping.state import State

from .cases import a_problem, all_seatings

WORTH = st.sampled_from([-7.5, -1.0, 0.0, 0.25, 1.0, 3.0, 12.0]) | st.floats(-1e7, 1e7)


@st.composite
def worths(draw: st.DrawFn, most_people: int = 9) -> Problem:
    """People with a worth for some pairs, at tables whose sizes everybody fits into."""
    count = draw(st.integers(2, most_people))
    sizes = draw(
        st.lists(st.integers(1, 4), min_size=2, max_size=4).filter(lambda sizes: sum(sizes) >= count)
    )
    short = sum(sizes) - count
    groups = tuple(
        Group(f"g{number}", max(0, size - short), size + draw(st.integers(0, 1)))
        for number, size in enumerate(sizes)
    )
    names = [f"p{number}" for number in range(count)]
    pairs = st.tuples(st.sampled_from(names), st.sampled_from(names), WORTH).filter(
        lambda one: one[0] != one[1]
    )
    return Problem(
        1, groups, tuple(map(Person, names)), goals=(Diversity(tuple(draw(st.lists(pairs, max_size=30)))),)
    )


def a_state(problem: Problem) -> State:
    """With the seats that a solution without any step has."""
    compiled = compile_problem(problem, problem.rules)
    goals = objective(compiled)
    [seating] = solve(problem, iterations=0).seating
    at = {person: number for number, names in enumerate(seating.values()) for person in names}
    seats = [[at[problem.people[unit[0]].id] for unit in compiled.rounds[0].units]]
    return State(compiled, goals, goals.strict(), seats, 0)


@settings(deadline=None, max_examples=120)
@given(worths(), st.integers(0, 1000), st.integers(1, 300))
def test_what_it_counts_is_what_counting_anew_gives_and_the_sizes_are_kept(
    problem: Problem, seed: int, steps: int
) -> None:
    state = a_state(problem)
    if not suits(state):
        assert not any(state.goals.levels[0].values.values())
        return
    before = state.where.copy()
    exchange = Exchange(state, Random(seed))
    start = exchange.best.cost
    assert exchange.run(steps, -(10**18)) == steps
    fresh = State(state.compiled, state.goals, state.weights, state.seats_of(exchange.best.where), 0)
    assert exchange.best.cost == fresh.cost <= start
    assert not fresh.broken()
    assert (state.where == before).all()


@settings(deadline=None, max_examples=40)
@given(worths(most_people=7))
def test_it_finds_what_trying_everything_finds(problem: Problem) -> None:
    best = max(evaluate(problem, seating)[0].value for seating in all_seatings(problem))
    assert solve(problem, iterations=1_500).goals[0].value == pytest.approx(best, rel=1e-9, abs=1e-5)


def test_it_is_asked_only_where_nothing_else_counts() -> None:
    worth = Diversity((("p0", "p1", 1.0), ("p2", "p3", 5.0)))
    plain = a_problem(groups=(Group("A", 2, 4), Group("B", 2, 4)), goals=(worth,))
    assert suits(a_state(plain))
    for rule in (
        Apart(("p0", "p1")),
        Together(("p0", "p1")),
        Fixed("p0", "A"),
        EachGroupHas("side", "x", max=3),
    ):
        assert not suits(a_state(replace(plain, rules=(rule,))))
    assert not suits(a_state(replace(plain, goals=(worth, Wishes()))))


def test_large_worths_are_counted_without_overflow() -> None:
    people = tuple(Person(f"p{number}") for number in range(60))
    random = Random(3)
    pairs = tuple(
        (one.id, other.id, random.random() * 1e12) for one in people for other in people if one.id < other.id
    )
    problem = Problem(
        1, tuple(Group(f"g{number}", 10, 20) for number in range(4)), people, goals=(Diversity(pairs),)
    )
    state = a_state(problem)
    exchange = Exchange(state, Random(1))
    exchange.run(400, -(10**18))
    assert (
        State(state.compiled, state.goals, state.weights, state.seats_of(exchange.best.where), 0).cost
        == exchange.best.cost
    )
    assert exchange.best.cost < state.cost
