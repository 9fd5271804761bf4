"""What the search counts step by step is what counting anew would give."""

from random import Random

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from conference.core.grouping import Problem
from conference.core.grouping.compiled import Compiled, Seats, compile_problem
from conference.core.grouping.objective import objective
from conference.core.grouping.relocation import bundles, relocate
from conference.core.grouping.state import State

from .cases import problems


def random_seats(compiled: Compiled, random: Random) -> Seats:
    return [[random.randrange(compiled.groups) for _ in one.units] for one in compiled.rounds]


def agrees(state: State, fresh: State) -> bool:
    names = ["gain", "cross", "totals", "unary"]
    if state.repeat and state.rounds > 1:  # otherwise nobody looks at meetings
        names.append("meetings")
    return state.cost == fresh.cost and all(
        np.array_equal(getattr(state, name), getattr(fresh, name)) for name in names
    )


@settings(deadline=None, max_examples=150)
@given(problems(), st.integers(0, 1000))
def test_moves_keep_the_count_right(problem: Problem, seed: int) -> None:
    random = Random(seed)
    compiled = compile_problem(problem, problem.rules)
    goals = objective(compiled)
    state = State(compiled, goals, goals.strict(), random_seats(compiled, random), worst=1)
    places = [(number, unit) for number, groups in enumerate(state.seats) for unit in range(len(groups))]
    for number, unit in random.choices(places, k=12) if places else ():
        group = random.randrange(compiled.groups)
        is_move = group != state.where[number, unit]
        expected = state.cost + (state.move_cost(number, unit, group) if is_move else 0)
        state.move(number, unit, group)
        assert state.cost == expected
    assert agrees(state, State(compiled, goals, goals.strict(), state.seats, worst=1))


@settings(deadline=None, max_examples=100)
@given(problems(), st.integers(0, 1000))
def test_a_relocation_makes_nothing_worse_and_keeps_the_count_right(problem: Problem, seed: int) -> None:
    random = Random(seed)
    compiled = compile_problem(problem, problem.rules)
    goals = objective(compiled)
    state = State(compiled, goals, goals.strict(), random_seats(compiled, random), worst=0)
    before = state.cost
    for bundle in bundles(state):
        relocate(state, bundle, random.random)
    assert state.cost <= before
    assert agrees(state, State(compiled, goals, goals.strict(), state.seats, worst=0))
