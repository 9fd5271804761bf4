"""What others do with the same problem: a shuffle, and CP-SAT where OR-Tools is installed (`pip install ortools`)."""

import math
from random import Random
from typing import Any

from conference.core import grouping

GOLFERS = (
    "Good-Enough-Golfers is not available here: it is a web page, and no package registry has it. Run by hand on Node 20 it\n"
    "left 7 repeats for 5-3-7, 11 to 20 for 8-4-9, and took 30 s for 5-8-3."
)


MOST_MEETINGS = 500_000
"""A larger model takes minutes to be built."""


def shuffled(problem: grouping.Problem, seed: int) -> dict[str, Any]:
    """The scores of people dealt out at random, as meeting tools do."""
    random, rounds = Random(seed), []
    for number in range(1, problem.rounds + 1):
        people = [person.id for person in problem.people if person.is_there(number)]
        random.shuffle(people)
        names = [group.id for group in problem.groups]
        rounds.append({name: tuple(people[index :: len(names)]) for index, name in enumerate(names)})
    return {score.goal: score.value for score in grouping.evaluate(problem, tuple(rounds))}


def cp_sat(tables: int, size: int, rounds: int, limit: float) -> str:
    """Whether CP-SAT finds a schedule without repeats in so many seconds."""
    try:
        from ortools.sat.python import cp_model  # noqa: PLC0415 - a peer, not a dependency
    except ImportError:
        return "not installed"
    people = tables * size
    if math.comb(people, 2) * rounds * tables > MOST_MEETINGS:
        return "model too large"
    model = cp_model.CpModel()
    seat = {
        (p, r, t): model.new_bool_var("") for p in range(people) for r in range(rounds) for t in range(tables)
    }
    for r in range(rounds):
        for p in range(people):
            model.add_exactly_one(seat[p, r, t] for t in range(tables))
        for t in range(tables):
            model.add(sum(seat[p, r, t] for p in range(people)) == size)
    for one in range(people):
        for other in range(one):
            meetings = []
            for r in range(rounds):
                for t in range(tables):
                    both = model.new_bool_var("")
                    model.add_bool_or([seat[one, r, t].negated(), seat[other, r, t].negated(), both])
                    meetings.append(both)
            model.add_at_most_one(meetings)
    solver = cp_model.CpSolver()
    solver.parameters.max_time_in_seconds = limit
    solver.parameters.num_workers = 2
    status = solver.solve(model)
    return (
        f"{solver.wall_time:.1f} s"
        if status in (cp_model.OPTIMAL, cp_model.FEASIBLE)
        else f"none in {limit:g} s"
    )
