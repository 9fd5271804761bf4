"""Tabu search: again and again the best of many moves, also where it makes things worse, and no way straight back."""

from dataclasses import dataclass
from random import Random

import numpy as np

from .relocation import bundles, relocate
from .state import Numbers, State

SMALL = 64
"""Rounds with so many units or fewer are looked through as a whole."""
SAMPLE = 24
BUNDLE_EVERY = 10
TRANSFERS = 50
"""In short runs sizes change this seldom: a step away from good sizes takes many steps back."""
NEVER = np.iinfo(np.int64).max // 4

Move = tuple[int, int, int, int]
"""(round, unit, the other unit or -1, group to go to)."""


@dataclass
class Best:
    """The cheapest seats seen in a run (as `State.where`) and their cost."""

    cost: int
    where: Numbers


class Tabu:
    """One run from one start. `rng` is asked only by `random()`, whose sequence Python guarantees."""

    def __init__(self, state: State, rng: Random) -> None:
        self.state = state
        self.random = rng.random
        self.numbers = [number for number, one in enumerate(state.compiled.rounds) if one.units]
        self.counts = [len(one.units) for one in state.compiled.rounds]
        self.all = [np.arange(count) for count in self.counts]
        self.banned = np.zeros((state.rounds, state.compiled.groups, state.units), dtype=np.int32)
        self.resting = np.zeros((state.rounds, state.units), dtype=np.int64)
        self.is_bent = [len(kinds) > 2 for kinds in state.kinds]
        self.is_tight = [bool((least == most).all()) for least, most in (limit[:2] for limit in state.limits)]
        # Where every pair has a value of its own, good seats lie close together: people are soon free to move again.
        self.is_short = any(level.values for level in state.goals.levels)
        self.tenure = 4 if self.is_short else 10 if state.compiled.people < 60 else 26
        self.sample = 32 if self.is_short else SAMPLE
        self.order: Numbers = np.zeros(0, dtype=np.int64)
        self.reshuffle = 0
        self.bundles = bundles(state)
        self.step = self.idle = 0
        self.best = Best(state.cost, state.where.copy())

    def run(self, steps: int, target: int) -> int:
        """Search for so many steps, or until the cost is down to the target. Returns the number of steps taken."""
        if not self.numbers:
            return 0
        for step in range(steps):
            self.step += 1
            self.idle += 1
            if self.bundles and self.step % BUNDLE_EVERY == 0:
                relocate(self.state, self.bundles[self._below(len(self.bundles))], self.random)
            else:
                self._step()
            if self.state.cost < self.best.cost:
                self.best = Best(self.state.cost, self.state.where.copy())
                self.idle = 0
                if self.best.cost <= target:
                    return step + 1
        return steps

    def disturb(self, times: int) -> None:
        """Swap some people at random, so that the search starts from somewhere else."""
        for _ in range(times if self.numbers else 0):
            number = self.numbers[self._below(len(self.numbers))]
            kind, where = self.state.kind[number], self.state.where[number]
            allowed = self.state.compiled.rounds[number].allowed
            unit = self._below(self.counts[number])
            others = [
                int(other)
                for other in np.flatnonzero((kind == kind[unit]) & (where != where[unit]) & (where >= 0))
                if allowed[unit][where[other]] and allowed[other][where[unit]]
            ]
            if others:
                self.state.swap(number, unit, others[self._below(len(others))])

    def _below(self, count: int) -> int:
        return int(self.random() * count)

    def _step(self) -> None:
        number = self.numbers[self._below(len(self.numbers))]
        move = self._best_move(number)
        if move is not None:
            self._do(move)

    def _sample(self, number: int) -> Numbers:
        """Some units whose seats cost something; all of them in small rounds."""
        count = self.counts[number]
        if count <= SMALL:
            return self.all[number]
        own = self.state.own(number)[:count]
        least = int(own.min())
        costly = np.flatnonzero(own > least) if least >= 0 else self.all[number]
        if len(costly) <= self.sample:
            return costly if len(costly) else self.all[number][: self.sample]
        return costly[self._block(len(costly))]

    def _block(self, count: int) -> Numbers:
        """Some of so many numbers, all different: a stretch of an order that is shuffled again and again."""
        if self.step >= self.reshuffle or len(self.order) != count + self.sample:
            lots = [self.random() for _ in range(count)]
            self.order = np.array(sorted(range(count), key=lots.__getitem__), dtype=np.int64)
            self.order = np.concatenate([self.order, self.order[: self.sample]])
            self.reshuffle = self.step + count // 4
        start = self._below(count)
        return self.order[start : start + self.sample]

    def _best_move(self, number: int) -> Move | None:
        units = self._sample(number)
        swaps = self.swaps(number, units)
        least = int(swaps.min())
        if not self.is_tight[number] and not (self.is_short and self.step % TRANSFERS):
            transfers = self._transfers(number, units)
            cheapest = int(transfers.min())
            if cheapest < least or (cheapest == least and self.random() < 0.5):
                row, group = self._one_of(transfers, cheapest)
                return (number, int(units[row]), -1, group) if cheapest < NEVER else None
        if least >= NEVER:
            return None
        row, other = self._one_of(swaps, least)
        return number, int(units[row]), other, int(self.state.where[number, other])

    def _one_of(self, costs: Numbers, value: int) -> tuple[int, int]:
        places = np.flatnonzero(costs.ravel() == value)
        row, column = divmod(int(places[self._below(len(places))]), int(costs.shape[1]))
        return row, column

    def swaps(self, number: int, units: Numbers) -> Numbers:
        """What every swap of one of these units with any other would cost; NEVER where it is none or banned."""
        state, count = self.state, self.counts[number]
        where, gain = state.where[number, :count], state.gain[number, :, :count]
        mine = where[units]
        own = gain[where, self.all[number]]
        there = gain[where][:, units].T if len(units) * 2 > count else gain[where[None, :], units[:, None]]
        costs: Numbers = there + gain[mine]
        costs -= own[units][:, None]
        costs -= own[None, :]
        costs -= 2 * state.cross[number, units, :count]
        if self.is_bent[number]:
            change, kind = state.change[number], state.kind[number, :count]
            costs += change[mine[:, None], kind[units][:, None], kind[None, :]]
            costs += change[where[None, :], kind[None, :], kind[units][:, None]]
        if self.is_short:
            resting = self.resting[number, :count] > self.step
            closed = resting[units][:, None] | resting[None, :]
        else:
            banned = self.banned[number, :, :count]
            closed = banned[mine] > self.step
            closed |= banned[where[None, :], units[:, None]] > self.step
        closed &= costs >= self.best.cost - state.cost
        closed |= mine[:, None] == where[None, :]
        costs[closed] = NEVER
        return costs

    def _transfers(self, number: int, units: Numbers) -> Numbers:
        """What every move of one of these units to another group would cost; NEVER where it is none or banned."""
        state = self.state
        where, kind = state.where[number], state.kind[number]
        mine, gain, change = where[units], state.gain[number], state.change[number]
        costs: Numbers = gain[:, units].T + change[:, 0, kind[units]].T
        costs -= (gain[mine, units] - change[mine, kind[units], 0])[:, None]
        closed = (self.step < self.banned[number][:, units].T) & (costs >= self.best.cost - state.cost)
        closed[np.arange(len(units)), mine] = True
        costs[closed] = NEVER
        return costs

    def _do(self, move: Move) -> None:
        number, unit, other, goal = move
        group = int(self.state.where[number, unit])
        if other >= 0:
            self.state.swap(number, unit, other)
            self._ban(number, other, goal)
        else:
            self.state.move(number, unit, goal)
        self._ban(number, unit, group)

    def _ban(self, number: int, unit: int, group: int) -> None:
        if self.is_short:
            self.resting[number, unit] = self.step + 3 + self._below(self.tenure)
        else:
            self.banned[number, group, unit] = self.step + 3 + self._below(self.tenure)
