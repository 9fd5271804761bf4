"""A published seating after something has changed: the fewest moves that keep the rules, everybody else stays.

Each round is a minimum-cost flow in which one's own seat is free and any other one costs a move. Rules that no flow knows
are kept by branching: where the cheapest seats break one, each way not to break it is tried, the cheapest first (best-first
branch and bound). So the first seats that keep all rules are proven to need the fewest moves.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from heapq import heappop, heappush
from itertools import combinations
from random import Random
from typing import Any

import numpy as np

from .checking import check
from .compiled import Compiled, Seats, compile_problem
from .contradiction import contradiction
from .flow import CLOSED, Numbers, assign
from .model import (
    Apart,
    BadProblem,
    EachGroupHas,
    NotFound,
    Problem,
    Seating,
    Solution,
    Stays,
    Together,
    applies,
)
from .objective import Objective, objective
from .scoring import evaluate, status
from .state import State
from .tabu import Tabu
from .violations import violations

MOVE = 10**9
"""What one move costs; everything that makes one seat better than another stays far below."""
MOST_NODES = 400
MENDING = 3_000
MOST_POLISHED = 1_500
"""With more seats the polish would take longer than the repair."""


@dataclass(frozen=True)
class Move:
    """Somebody who was seated in this round sits elsewhere now."""

    person: str
    round: int
    from_group: str
    to_group: str


@dataclass(frozen=True)
class Repair:
    """The repaired seating, who moves, and whether it is proven that fewer moves are impossible."""

    solution: Solution
    moves: tuple[Move, ...]
    is_minimal: bool


Closed = frozenset[tuple[int, int, int]]
"""(round, person, group) that a branch does not allow."""
Wheres = tuple[Numbers, ...]
"""For each round and person the group, -1: away."""


@dataclass(order=True)
class _Node:
    moves: int
    depth: int
    cost: int
    number: int
    closed: Closed = field(compare=False)
    wheres: Wheres = field(compare=False)


def repair(problem: Problem, published: Seating, *, seed: int = 1) -> Repair:
    """Seats for the problem as it is now, with the fewest people in other groups than published.

    `published` may name people and groups that are gone, and have fewer rounds. Only people seated before count as moved.
    Raises BadProblem, Contradiction, NotFound.
    """
    check(problem)
    search = _Search(problem, published)
    node, is_minimal = search.run()
    wheres = search.polished(node.wheres, Random(seed))  # noqa: S311
    seating = search.seating(wheres)
    scores = evaluate(problem, seating)
    solution = Solution(seating, scores, status(scores), seed, search.nodes)
    return Repair(solution, search.moves(wheres), is_minimal)


def published_seating(json_obj: object) -> Seating:
    """The rounds of an earlier output. Raises BadProblem."""
    if not isinstance(json_obj, dict) or not isinstance(json_obj.get("rounds"), list):
        raise BadProblem("published", "the output of an earlier solution needed, with its rounds")
    return tuple(
        _published_round(one, f"published.rounds[{index}]") for index, one in enumerate(json_obj["rounds"])
    )


def _published_round(value: object, path: str) -> Mapping[str, tuple[str, ...]]:
    if not isinstance(value, dict):
        raise BadProblem(path, "an object needed: group → people")
    seats: dict[str, tuple[str, ...]] = {}
    seen: set[str] = set()
    for group, people in value.items():
        if not isinstance(people, list) or not all(isinstance(person, str) for person in people):
            raise BadProblem(f"{path}.{group}", "a list of people needed")
        twice = next((person for person in people if person in seen), None)
        if twice is not None or len(set(people)) < len(people):
            raise BadProblem(f"{path}.{group}", f"{twice or people[0]!r} is there twice")
        seen.update(people)
        seats[group] = tuple(people)
    return seats


def repair_to_json(repaired: Repair) -> list[dict[str, Any]]:
    """The moves in the output of `groups-solve --repair`."""
    return [
        {"person": move.person, "round": move.round, "from": move.from_group, "to": move.to_group}
        for move in repaired.moves
    ]


class _Search:
    def __init__(self, problem: Problem, published: Seating) -> None:
        self.problem = problem
        self.compiled: Compiled = compile_problem(problem, problem.rules)
        self.goals: Objective = objective(self.compiled)
        self.place = {person.id: index for index, person in enumerate(problem.people)}
        self.group = {group.id: index for index, group in enumerate(problem.groups)}
        self.before = self._before(published)
        self.old = [dict(_home(seats)) for seats in published]
        self.costs = [self._round_costs(number) for number in range(problem.rounds)]
        self.nodes = 0

    def _before(self, published: Seating) -> Wheres:
        """Where everybody sat who is there and was seated; -2 for a group that is gone, -1 for newcomers."""
        rounds = []
        for number in range(self.problem.rounds):
            where = np.full(self.compiled.people, -1, dtype=np.int64)
            for group, people in (published[number] if number < len(published) else {}).items():
                for person in people:
                    if person in self.place:
                        where[self.place[person]] = self.group.get(group, -2)
            rounds.append(where)
        return tuple(rounds)

    def _round_costs(self, number: int) -> Numbers:
        """[person, group]: a move for every seat but one's own, and a little for company that is not wanted."""
        one, before = self.compiled.rounds[number], self.before[number]
        costs = self._company(number)
        seated = before != -1
        costs[seated] += MOVE
        stays = np.flatnonzero(before >= 0)
        costs[stays, before[stays]] = 0
        for person in range(self.compiled.people):
            unit = one.unit_of[person]
            if unit >= 0:
                costs[person, ~np.array(one.allowed[unit])] = CLOSED
        return costs

    def _company(self, number: int) -> Numbers:
        """What each group would cost a person on all goals, seen from who sits there now; the first goal weighs most."""
        before = self.before[number]
        total = np.zeros((self.compiled.people, self.compiled.groups), dtype=np.int64)
        weight = 10**6
        for level in self.goals.levels:
            weight = max(1, weight // 100)
            pairs = self._pairs(level, number)
            for group in range(self.compiled.groups):
                company = np.minimum(pairs[:, before == group].sum(axis=1), 90)
                total[:, group] += weight * np.maximum(company, 0)
        return total

    def _pairs(self, level: Any, number: int) -> Numbers:
        people = self.compiled.people
        pairs = np.zeros((people, people), dtype=np.int64)
        for labels in level.labels:
            kinds = np.array(labels, dtype=np.int64)
            pairs += (kinds[:, None] == kinds[None, :]) & (kinds[:, None] >= 0)
        if level.kind == "repeats":
            for one, other in self.goals.met:
                pairs[one, other] = pairs[other, one] = 1
            for index, where in enumerate(self.before):
                if index != number:
                    pairs |= (where[:, None] == where[None, :]) & (where[:, None] >= 0)
        np.fill_diagonal(pairs, 0)
        return pairs

    # -- searching ---------------------------------------------------------------------------------------------------

    def run(self) -> tuple[_Node, bool]:
        root = self._node(frozenset(), None, None)
        if root is None:
            raise contradiction(self.problem) or NotFound(())
        waiting, last = [root], root
        while waiting and self.nodes < MOST_NODES:
            node = heappop(waiting)
            broken = next(self._broken(node.wheres), None)
            if broken is None:
                return node, True
            last = node
            for closed in broken:
                child = self._node(node.closed | closed, node, {number for number, _, _ in closed})
                if child is not None:
                    heappush(waiting, child)
        found = contradiction(self.problem)
        if found:
            raise found
        return replace(last, wheres=self.mended(last.wheres, Random(1))), False  # noqa: S311

    def _node(self, closed: Closed, parent: _Node | None, changed: set[int] | None) -> _Node | None:
        """The cheapest seats that the branch allows: only rounds in which it differs from its parent are counted anew."""
        self.nodes += 1
        wheres: list[Numbers | None] = [*parent.wheres] if parent else [None] * self.problem.rounds
        for number in range(self.problem.rounds):
            if changed is None or number in changed:
                where = self._flow(number, closed)
                if where is None:
                    return None
                wheres[number] = where
        chosen: Wheres = tuple(where for where in wheres if where is not None)
        moves = sum(len(self._moved(number, where)) for number, where in enumerate(chosen))
        cost = sum(self._cost(number, where) for number, where in enumerate(chosen))
        return _Node(moves, -len(closed), cost, self.nodes, closed, chosen)

    def _flow(self, number: int, closed: Closed) -> Numbers | None:
        one = self.compiled.rounds[number]
        there = np.array([unit >= 0 for unit in one.unit_of], dtype=bool)
        costs = self.costs[number]
        mine = [(person, group) for round, person, group in closed if round == number]
        if mine:
            costs = costs.copy()
            costs[tuple(zip(*mine, strict=True))] = CLOSED
        seats = one.counters[0]
        found = assign(costs[there], np.array(seats.least), np.array(seats.most))
        if found is None:
            return None
        where = np.full(self.compiled.people, -1, dtype=np.int64)
        where[there] = found
        return where

    def _moved(self, number: int, where: Numbers) -> list[int]:
        before = self.before[number]
        return [int(person) for person in np.flatnonzero((before != -1) & (where != before) & (where >= 0))]

    def _cost(self, number: int, where: Numbers) -> int:
        there = np.flatnonzero(where >= 0)
        return int(self.costs[number][there, where[there]].sum())

    # -- rules that no flow knows ------------------------------------------------------------------------------------

    def _broken(self, wheres: Wheres) -> Iterator[list[Closed]]:
        """For each broken rule the ways not to break it: each closes seats, and one of them must be taken."""
        for rule in self.problem.rules:
            rounds = [number for number in range(self.problem.rounds) if applies(rule, number + 1)]
            if isinstance(rule, Stays):
                yield from self._strays(self.place[rule.person], rounds, wheres)
            for number in rounds:
                where = wheres[number]
                if isinstance(rule, Apart | Together):
                    yield from self._pairs_broken(rule, number, where)
                if isinstance(rule, EachGroupHas):
                    yield from self._counts_broken(rule, number, where)

    def _strays(self, person: int, rounds: Sequence[int], wheres: Wheres) -> Iterator[list[Closed]]:
        there = [(number, int(wheres[number][person])) for number in rounds if wheres[number][person] >= 0]
        for (one, group), (other, goal) in combinations(there, 2):
            if group != goal:
                yield [frozenset({(one, person, group)}), frozenset({(other, person, goal)})]

    def _pairs_broken(self, rule: Apart | Together, number: int, where: Numbers) -> Iterator[list[Closed]]:
        people = [self.place[person] for person in rule.people if where[self.place[person]] >= 0]
        for one, other in combinations(people, 2):
            if (where[one] == where[other]) == isinstance(rule, Apart):
                yield [
                    frozenset({(number, one, int(where[one]))}),
                    frozenset({(number, other, int(where[other]))}),
                ]

    def _counts_broken(self, rule: EachGroupHas, number: int, where: Numbers) -> Iterator[list[Closed]]:
        has = [
            index
            for index, person in enumerate(self.problem.people)
            if person.attributes.get(rule.attribute) == rule.value and where[index] >= 0
        ]
        for group in self.compiled.rounds[number].open:
            inside = [person for person in has if where[person] == group]
            if rule.max is not None and len(inside) > rule.max:
                yield [frozenset({(number, person, group)}) for person in inside[: rule.max + 1]]
            if len(inside) < (rule.min or 0):
                others = [other for other in range(self.compiled.groups) if other != group]
                yield [
                    frozenset((number, person, other) for other in others)
                    for person in has
                    if where[person] != group
                ]

    # -- the result --------------------------------------------------------------------------------------------------

    def polished(self, wheres: Wheres, rng: Random) -> Wheres:
        """Newcomers, and people who move anyway, change places as long as the goals get better for it."""
        if self.compiled.people * self.problem.rounds > MOST_POLISHED:
            return wheres
        weights = self.goals.strict()
        state = State(self.compiled, self.goals, weights, self._seats(wheres), 0)
        tabu = Tabu(state, rng)
        for number, where in enumerate(wheres):
            free = self._free(number, where)
            for _ in range(len(free) if len(free) > 1 else 0):
                costs = tabu.swaps(number, free)[:, free]
                row, column = divmod(int(costs.argmin()), len(free))
                if costs[row, column] >= 0:
                    break
                state.swap(number, int(free[row]), int(free[column]))
        return tuple(self._people(number, state) for number in range(self.problem.rounds))

    def mended(self, wheres: Wheres, rng: Random) -> Wheres:
        """Seats that keep all rules, near these ones; not proven to be the nearest. Raises NotFound."""
        weights = self.goals.strict()
        state = State(self.compiled, self.goals, weights, self._seats(wheres), 0)
        tabu = Tabu(state, rng)
        tabu.run(MENDING, 0)
        state = State(self.compiled, self.goals, weights, state.seats_of(tabu.best.where), 0)
        found = tuple(self._people(number, state) for number in range(self.problem.rounds))
        wrong = violations(self.problem, self.seating(found))
        if wrong:
            raise NotFound(wrong)
        return found

    def _free(self, number: int, where: Numbers) -> Numbers:
        """Units of one person who is new or moves anyway."""
        newcomers = np.flatnonzero((self.before[number] == -1) & (where >= 0)).tolist()
        one = self.compiled.rounds[number]
        units = [one.unit_of[person] for person in [*newcomers, *self._moved(number, where)]]
        return np.array(sorted(unit for unit in units if len(one.units[unit]) == 1), dtype=np.int64)

    def _seats(self, wheres: Wheres) -> Seats:
        return [
            [max(0, int(where[people[0]])) for people in one.units]
            for one, where in zip(self.compiled.rounds, wheres, strict=True)
        ]

    def _people(self, number: int, state: State) -> Numbers:
        where: Numbers = state.group_of[number].copy()
        return where

    def moves(self, wheres: Wheres) -> tuple[Move, ...]:
        """Who sits elsewhere now, round by round."""
        return tuple(
            Move(
                self.problem.people[person].id,
                number + 1,
                self.old[number][self.problem.people[person].id],
                self.problem.groups[int(where[person])].id,
            )
            for number, where in enumerate(wheres)
            for person in self._moved(number, where)
        )

    def seating(self, wheres: Wheres) -> Seating:
        """The seats by names."""
        return tuple(
            {
                group.id: tuple(self.problem.people[person].id for person in np.flatnonzero(where == index))
                for index, group in enumerate(self.problem.groups)
            }
            for where in wheres
        )


def _home(seats: Mapping[str, tuple[str, ...]]) -> Iterator[tuple[str, str]]:
    return ((person, group) for group, people in seats.items() for person in people)
