"""Tabu search where all that counts is what pairs at a table are worth: the best of all swaps, step after step.

One round, nobody tied to anybody, no rule but the sizes: the maximally diverse grouping problem. Then what all swaps cost is
one small matrix, and looking through it whole beats looking at a part of it (docs/groups.md).
"""

from random import Random

import numpy as np

from .state import Numbers, State
from .tabu import TRANSFERS, Best

MOST_UNITS = 150
"""With more units a part of the swaps, as `Tabu` looks at, finds more in the same time."""
REST = 4
REST_MORE = 4
"""Who has moved rests for four to seven steps: good seats lie close together where every pair has a value of its own."""
PATIENCE = 1_000
"""After so many steps without anything better some people swap at random."""
SHAKEN = 20


def suits(state: State) -> bool:
    """True when nothing but the worth of pairs and the sizes counts, and the sizes are kept."""
    levels, [one, *others] = state.goals.levels, state.compiled.rounds
    if len(levels) != 1 or not levels[0].values or others or not 1 < len(one.units) <= MOST_UNITS:
        return False
    is_free = state.is_single and not state.has_unary and not any(one.apart) and len(one.counters) == 1
    return is_free and all(map(all, one.allowed)) and not state.broken()


class Exchange:
    """One run from the seats of a state that it suits, which it leaves as it is. `best` and `idle` as with `Tabu`."""

    def __init__(self, state: State, rng: Random) -> None:
        self.state, self.random = state, rng.random
        prices = state.cross[0]
        self.grain = int(np.gcd.reduce(prices, axis=None)) or 1
        prices = prices // self.grain
        [counter] = state.compiled.rounds[0].counters
        self.least, self.most = np.array(counter.least), np.array(counter.most)
        # Half the width, twice the speed, where no sum of prices can become too large for it.
        table = min(int(self.most.max()), len(prices)) + 1
        is_small = 4 * table * int(np.abs(prices).max()) < 2**27
        self.never = 2**28 if is_small else 2**60
        kind = np.int32 if is_small else np.int64
        self.prices = prices.astype(kind)
        self.where: Numbers = state.where[0].copy()
        self.all = np.arange(len(self.where))
        members = (np.arange(state.compiled.groups)[:, None] == self.where[None, :]).astype(np.int64)
        self.gain = (members @ prices).astype(kind)
        self.sizes = members.sum(axis=1)
        self._count()
        self.room: Numbers = np.empty_like(self.gain)
        self.half, self.swaps = np.empty_like(self.prices), np.empty_like(self.prices)
        self.resting: list[tuple[int, int]] = []
        self.step = self.idle = 0
        self.best = self._seen()

    def run(self, steps: int, target: int) -> int:
        """Search for so many steps, or until the cost is down to the target. Returns the number of steps taken."""
        for step in range(steps):
            self.step += 1
            self.idle += 1
            self._step()
            if self.cost * self.grain < self.best.cost:
                self.best = self._seen()
                self.idle = 0
                if self.best.cost <= target:
                    return step + 1
            elif self.idle % PATIENCE == 0:
                self._shake()
        return steps

    def _seen(self) -> Best:
        return Best(self.cost * self.grain, self.where[None, :].copy())

    def _below(self, count: int) -> int:
        return int(self.random() * count)

    def _step(self) -> None:
        room = self._room()
        unit, other = self._best_swap(room)
        change = int(self.swaps[unit, other])
        if self.step % TRANSFERS == 0:
            cheapest, group, mover = self._best_transfer(room)
            if cheapest < min(change, self.never // 2):
                self._move(mover, group)
                self._rest(mover)
                return
        if change < self.never // 2:
            self._swap(unit, other)
            self._rest(unit)
            self._rest(other)

    def _room(self) -> Numbers:
        """What each unit would cost more in each group than where it sits; `never` where it sits, or rests."""
        np.subtract(self.gain, self.own, out=self.room)
        self.room[self.where, self.all] = self.never
        self.resting = [rest for rest in self.resting if rest[0] > self.step]
        if self.resting:
            self.room[:, [unit for _until, unit in self.resting]] = self.never
        return self.room

    def _best_swap(self, room: Numbers) -> tuple[int, int]:
        """The cheapest: each goes to the other's group and does not find the other there any more."""
        room.take(self.where, axis=0, out=self.half, mode="clip")
        np.subtract(self.half, self.prices, out=self.half)
        np.add(self.half, self.half.T, out=self.swaps)
        return divmod(int(self.swaps.argmin()), len(self.where))

    def _best_transfer(self, room: Numbers) -> tuple[int, int, int]:
        """The cheapest move to another group that both sizes allow: its cost, the group and the unit."""
        costs = room.copy()
        costs[self.sizes >= self.most] = self.never
        costs[:, (self.sizes <= self.least)[self.where]] = self.never
        group, unit = divmod(int(costs.argmin()), len(self.where))
        return int(costs[group, unit]), group, unit

    def _rest(self, unit: int) -> None:
        self.resting.append((self.step + REST + self._below(REST_MORE), unit))

    def _swap(self, unit: int, other: int) -> None:
        group, goal = self.where[unit], self.where[other]
        change = self.prices[other] - self.prices[unit]
        self.gain[group] += change
        self.gain[goal] -= change
        self.where[unit], self.where[other] = goal, group
        self._count()

    def _move(self, unit: int, goal: int) -> None:
        group = self.where[unit]
        self.gain[group] -= self.prices[unit]
        self.gain[goal] += self.prices[unit]
        self.sizes[group] -= 1
        self.sizes[goal] += 1
        self.where[unit] = goal
        self._count()

    def _count(self) -> None:
        self.own = self.gain[self.where, self.all]
        self.cost = int(self.own.sum(dtype=np.int64)) // 2

    def _shake(self) -> None:
        for _ in range(SHAKEN):
            unit = self._below(len(self.where))
            others = np.flatnonzero(self.where != self.where[unit])
            if len(others):
                self._swap(unit, int(others[self._below(len(others))]))
