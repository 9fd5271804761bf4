"""How well wishes can be granted: exactly in each round by a flow, and seats that do it."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from .compiled import Compiled, Seats, compile_problem
from .flow import CLOSED, Numbers, assign
from .model import Problem


@dataclass(frozen=True)
class Granted:
    """`worst` and `total` are proven: nobody can do better. `seats` None where no flow finds any.

    With one round both are reached by the seats where sizes, fixed and forbidden groups are the only rules.
    """

    worst: int
    total: int
    seats: Seats | None


class _Same:
    """A problem as a key: it cannot be hashed by what is in it, and need not be."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and self.problem is other.problem

    def __hash__(self) -> int:
        return id(self.problem)


def granted(problem: Problem) -> Granted:
    """As `grant` for the problem with its own rules, counted once."""
    return _granted(_Same(problem))


@lru_cache(maxsize=4)
def _granted(key: _Same) -> Granted:
    return grant(compile_problem(key.problem, key.problem.rules))


def grant(compiled: Compiled) -> Granted:
    """The best worst total and the best sum of costs, where a wish costs its place in the person's list."""
    rounds = [_costs(compiled, number) for number in range(len(compiled.rounds))]
    alone = [_cheapest(costs, limits) for costs, limits in rounds]
    if any(where is None for where in alone):
        return Granted(*_by_person(compiled, rounds), None)
    if len(rounds) == 1:
        return _one_round(compiled, *rounds[0])
    total = sum(
        _sum(costs, where) for (costs, _limits), where in zip(rounds, alone, strict=True) if where is not None
    )
    worst, _least = _by_person(compiled, rounds)
    worst = max(worst, -(-total // max(1, compiled.people)), *(_bottleneck(*one) for one in rounds))
    return Granted(worst, total, _fair(compiled, rounds))


Limits = tuple[Numbers, Numbers]


def _costs(compiled: Compiled, number: int) -> tuple[Numbers, Limits]:
    """[person, group] for those who are there, and least and most seats."""
    one, problem = compiled.rounds[number], compiled.problem
    there = [person for person in range(compiled.people) if one.unit_of[person] >= 0]
    wished = {
        person: [problem.people[person].wish_cost(group) for group in problem.groups] for person in there
    }
    costs = np.array([wished[person] for person in there], dtype=np.int64).reshape(
        len(there), compiled.groups
    )
    allowed = np.array([one.allowed[one.unit_of[person]] for person in there], dtype=bool)
    costs[~allowed.reshape(costs.shape)] = CLOSED
    seats = one.counters[0]
    return costs, (np.array(seats.least, dtype=np.int64), np.array(seats.most, dtype=np.int64))


def _cheapest(costs: Numbers, limits: Limits) -> Numbers | None:
    return assign(costs, *limits)


def _sum(costs: Numbers, where: Numbers) -> int:
    return int(costs[np.arange(len(where)), where].sum())


def _by_person(compiled: Compiled, rounds: list[tuple[Numbers, Limits]]) -> tuple[int, int]:
    """What each person could have at best, alone in the world."""
    totals = np.zeros(compiled.people, dtype=np.int64)
    for one, (costs, _limits) in zip(compiled.rounds, rounds, strict=True):
        there = [person for person in range(compiled.people) if one.unit_of[person] >= 0]
        if costs.size:
            best = costs.min(axis=1)
            totals[there] += np.where(best >= CLOSED, 0, best)
    return int(totals.max(initial=0)), int(totals.sum())


def _bottleneck(costs: Numbers, limits: Limits) -> int:
    """The least cost that somebody must bear in this round."""
    if not costs.size:
        return 0
    first = int(costs.min(axis=1).max())
    for most in (int(cost) for cost in np.unique(costs) if first <= cost < CLOSED):
        if assign(np.where(costs <= most, 0, CLOSED), *limits) is not None:
            return most
    return first


def _one_round(compiled: Compiled, costs: Numbers, limits: Limits) -> Granted:
    worst = _bottleneck(costs, limits)
    where = assign(np.where(costs <= worst, costs, CLOSED), *limits)
    assert where is not None, "the bottleneck can be kept"
    return Granted(worst, _sum(costs, where), _seats(compiled, [where]))


def _fair(compiled: Compiled, rounds: list[tuple[Numbers, Limits]]) -> Seats | None:
    """Round by round, and a cost weighs the more the worse off somebody is already."""
    totals = np.zeros(compiled.people, dtype=np.int64)
    wheres = []
    for one, (costs, limits) in zip(compiled.rounds, rounds, strict=True):
        there = [person for person in range(compiled.people) if one.unit_of[person] >= 0]
        before = totals[there][:, None]
        weighed = np.where(costs >= CLOSED, CLOSED, (before + costs) ** 2 - before**2)
        where = assign(weighed, *limits)
        if where is None:
            return None
        totals[there] += costs[np.arange(len(where)), where]
        wheres.append(where)
    return _seats(compiled, wheres)


def _seats(compiled: Compiled, wheres: list[Numbers]) -> Seats | None:
    """The seats by unit; None where people of one unit would sit apart."""
    seats = []
    for one, where in zip(compiled.rounds, wheres, strict=True):
        there = [person for person in range(compiled.people) if one.unit_of[person] >= 0]
        groups = dict(zip(there, where.tolist(), strict=True))
        if any(len({groups[person] for person in unit}) > 1 for unit in one.units):
            return None
        seats.append([groups[unit[0]] for unit in one.units])
    return seats
