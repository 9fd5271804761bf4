"""The best of the seatings with the same number of moves: newcomers, and people who move anyway, sit where it does most good.

They go to other groups and change places with each other; and instead of somebody who moves, another one of the same
group may move there. No step breaks a rule or adds a move; the best step is taken until none makes the goals better.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from .compiled import Compiled, Seats
from .fewest import GONE, NEW, Wheres
from .flow import CLOSED, Numbers
from .objective import Objective, Weights

CHUNK, MOST_STEPS, PASSES = 200, 400, 2


def polished(compiled: Compiled, goals: Objective, before: Wheres, wheres: Wheres) -> Wheres:
    """The same seats, or better ones with as many moves."""
    if not goals.levels:
        return wheres
    rounds = [where.copy() for where in wheres]
    weights = goals.strict()
    for _ in range(PASSES):
        was = [where.copy() for where in rounds]
        for number in range(len(rounds)):
            for some in _chunks(compiled, number, before[number], rounds[number]):
                _Round(compiled, goals, weights, number, before, rounds, some).run()
        if all((one == other).all() for one, other in zip(was, rounds, strict=True)):
            break
    return tuple(rounds)


def _chunks(compiled: Compiled, number: int, before: Numbers, where: Numbers) -> Iterator[Numbers]:
    free = np.flatnonzero((where >= 0) & (where != before) & _loose(compiled, number))
    for start in range(0, len(free), CHUNK):
        yield free[start : start + CHUNK]


def _loose(compiled: Compiled, number: int) -> Numbers:
    """True for everybody who is tied to nobody and to no other round."""
    one = compiled.rounds[number]
    loose = np.array([unit >= 0 and len(one.units[unit]) == 1 for unit in one.unit_of], dtype=bool)
    for person, rounds in compiled.stays:
        if number in rounds and len(rounds) > 1:
            loose[person] = False
    return loose


class _Round:
    """Steps of some people in one round; `costs[i, person]` is what the i-th of them costs at one table with each person."""

    def __init__(
        self,
        compiled: Compiled,
        goals: Objective,
        weights: Weights,
        number: int,
        before: Wheres,
        wheres: list[Numbers],
        some: Numbers,
    ) -> None:
        self.compiled, self.goals, self.weights, self.number = compiled, goals, weights, number
        self.before, self.wheres, self.where = before[number], wheres, wheres[number]
        homes = sorted(set(self.before[some].tolist()) - {GONE, NEW})
        at_home = np.isin(self.where, homes) & (self.where == self.before) & _loose(compiled, number)
        self.free = len(some)
        self.people = np.concatenate([some, np.flatnonzero(at_home)])[: self.free + 2 * CHUNK]
        self.costs = self._pair_costs()
        self.company = np.stack(
            [self.costs[:, self.where == group].sum(axis=1) for group in range(compiled.groups)], axis=1
        )
        self.lone = self._lone_costs()
        self.moved = self._moved()
        one = compiled.rounds[number]
        self.least = np.array([counter.least for counter in one.counters]).T
        self.most = np.array([counter.most for counter in one.counters]).T
        parts: Numbers = np.array([counter.part for counter in one.counters]).T.reshape(-1, len(one.counters))
        there = np.flatnonzero(self.where >= 0)
        self.counts = np.zeros_like(self.least)
        units = np.array(one.unit_of)
        firsts = there[[one.units[units[person]][0] == person for person in there]]
        np.add.at(self.counts, self.where[firsts], parts[units[firsts]])
        self.parts = parts[units[self.people]]

    def _pair_costs(self) -> Numbers:
        costs = np.zeros((len(self.people), self.compiled.people), dtype=np.int64)
        for level, weight in zip(self.goals.levels, self.weights.levels, strict=True):
            for labels in level.labels:
                kinds = np.array(labels)
                alike = kinds[self.people][:, None] == kinds[None, :]
                costs += (level.price * weight) * (alike & (kinds[None, :] >= 0))
            for pair, value in level.values.items():
                self._add(costs, pair, value * weight)
            if level.kind == "repeats":
                costs += weight * self._met_elsewhere()
        one = self.compiled.rounds[self.number]
        for index, person in enumerate(self.people.tolist()):
            foes = [other for foe in one.apart[one.unit_of[person]] for other in one.units[foe]]
            costs[index, foes] += self.weights.rule
        costs[np.arange(len(self.people)), self.people] = 0
        return costs

    def _add(self, costs: Numbers, pair: tuple[int, int], price: int) -> None:
        for one, other in (pair, pair[::-1]):
            costs[self.people == one, other] += price

    def _met_elsewhere(self) -> Numbers:
        """[i, person]: 1 where they meet in another round or have met before."""
        met = np.zeros((len(self.people), self.compiled.people), dtype=np.int64)
        for pair in self.goals.met:
            self._add(met, pair, 1)
        for index, where in enumerate(self.wheres):
            if index != self.number:
                met += (where[self.people][:, None] == where[None, :]) & (where[None, :] >= 0)
        return np.minimum(met, 1)

    def _lone_costs(self) -> Numbers:
        """[i, group]: wishes, and groups that the person may not take."""
        one = self.compiled.rounds[self.number]
        wishes = np.array(self.goals.wishes, dtype=np.int64).reshape(self.compiled.people, -1)
        sums, over = (self.weights.of(self.goals, kind) for kind in ("sum", "worst"))
        costs = np.zeros((len(self.people), self.compiled.groups), dtype=np.int64)
        if sums or over:
            totals = np.zeros(self.compiled.people, dtype=np.int64)
            for where in self.wheres:
                there = np.flatnonzero(where >= 0)
                totals[there] += wishes[there, where[there]]
            bound = next((level.bound or 0 for level in self.goals.levels if level.kind == "worst"), 0)
            worst = max(bound, int(totals.max(initial=0)) - 1)
            mine = wishes[self.people]
            others = (totals - wishes[np.arange(len(totals)), np.maximum(self.where, 0)])[self.people]
            costs += sums * mine + over * np.maximum(others[:, None] + mine - worst, 0)
        allowed = np.array([one.allowed[one.unit_of[person]] for person in self.people.tolist()])
        costs[~allowed.reshape(costs.shape)] = self.weights.rule
        return costs

    def _moved(self) -> Numbers:
        """[i, group]: 1 where the person would have moved."""
        before = self.before[self.people]
        groups = np.arange(self.compiled.groups)
        moved: Numbers = ((before[:, None] != NEW) & (before[:, None] != groups[None, :])).astype(np.int64)
        return moved

    def run(self) -> None:
        """Take the best step as long as it makes something better."""
        for _ in range(MOST_STEPS):
            go, swap = self._transfers(), self._swaps()
            least, other = int(go.min(initial=0)), int(swap.min(initial=0))
            if min(least, other) >= 0:
                return
            if least <= other:
                index, group = divmod(int(go.argmin()), self.compiled.groups)
                self._move(index, group)
            else:
                index, partner = divmod(int(swap.argmin()), len(self.people))
                here, there = (int(self.where[self.people[one]]) for one in (index, partner))
                self._move(index, there)
                self._move(partner, here)

    def _move(self, index: int, group: int) -> None:
        person = int(self.people[index])
        now = int(self.where[person])
        self.where[person] = group
        mine = self._column(person)
        self.company[:, now] -= mine
        self.company[:, group] += mine
        self.counts[now] -= self.parts[index]
        self.counts[group] += self.parts[index]

    def _column(self, person: int) -> Numbers:
        column: Numbers = self.costs[:, person]
        return column

    def _transfers(self) -> Numbers:
        """[i, group]: what changes if one of the free goes there."""
        rows = np.arange(self.free)
        now = self.where[self.people[: self.free]]
        price = (self.company + self.lone)[: self.free]
        change: Numbers = price - price[rows, now][:, None]
        moved = self.moved[: self.free]
        parts = self.parts[: self.free]
        leaves = (self.counts[now] - parts >= self.least[now]).all(axis=1)
        comes = (self.counts[None, :, :] + parts[:, None, :] <= self.most[None, :, :]).all(axis=2)
        fine = leaves[:, None] & comes & (moved <= moved[rows, now][:, None])
        change[~fine] = CLOSED
        change[rows, now] = CLOSED
        return change

    def _swaps(self) -> Numbers:
        """[i, j]: what changes if one of the free changes places with any of the people."""
        rows, every = np.arange(self.free), np.arange(len(self.people))
        now = self.where[self.people]
        price = self.company + self.lone
        mine, goal = now[: self.free], now
        change: Numbers = price[: self.free][:, goal] - price[rows, mine][:, None]
        change += price[:, mine].T - price[every, goal][None, :]
        change -= 2 * self.costs[: self.free][:, self.people]
        moves = self.moved[: self.free][:, goal] - self.moved[rows, mine][:, None]
        moves += self.moved[:, mine].T - self.moved[every, goal][None, :]
        parts = self.parts[None, :, :] - self.parts[: self.free][:, None, :]
        here, there = self.counts[mine][:, None, :] + parts, self.counts[goal][None, :, :] - parts
        fine = (here >= self.least[mine][:, None, :]) & (here <= self.most[mine][:, None, :])
        fine &= (there >= self.least[goal][None, :, :]) & (there <= self.most[goal][None, :, :])
        change[~fine.all(axis=2) | (moves > 0) | (mine[:, None] == goal[None, :])] = CLOSED
        return change


def seats_of(compiled: Compiled, wheres: Sequence[Numbers]) -> Seats:
    """The seats by unit."""
    return [
        [max(0, int(where[people[0]])) for people in one.units]
        for one, where in zip(compiled.rounds, wheres, strict=True)
    ]
