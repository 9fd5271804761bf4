"""Tabu search: again and again the best of some moves, also where it makes things worse, and no way straight back."""

from dataclasses import dataclass
from random import Random

from .compiled import Seats
from .relocation import bundles, relocate
from .state import State

SAMPLE = 6
SMALL = 1_000
"""With so many places or fewer all are looked through for people whose seat costs something."""

BUNDLE_EVERY = 10

Move = tuple[int, int, int, int]
"""(round, unit, the other unit or -1, group to go to)."""


@dataclass
class Best:
    """The cheapest seats seen in a run and their cost."""

    cost: int
    seats: Seats


class Tabu:
    """One run from one start. `rng` is asked only by `random()`, whose sequence Python guarantees."""

    def __init__(self, state: State, rng: Random) -> None:
        self.state = state
        self.random = rng.random
        self.places = [
            (number, unit) for number, groups in enumerate(state.seats) for unit in range(len(groups))
        ]
        self.open = [one.open for one in state.compiled.rounds]
        self.banned = [[[0] * state.compiled.groups for _ in groups] for groups in state.seats]
        self.has_negative = any(value < 0 for level in state.goals.levels for value in level.values.values())
        self.tenure = 10 if state.compiled.people < 60 else 26
        self.bundles = bundles(state)
        self.step = self.idle = 0
        self.best = Best(state.cost, [groups[:] for groups in state.seats])

    def run(self, steps: int, target: int) -> int:
        """Search for so many steps, or until the cost is down to the target. Returns the number of steps taken."""
        if not self.places:
            return 0
        for step in range(steps):
            self.step += 1
            self.idle += 1
            if self.bundles and self.step % BUNDLE_EVERY == 0:
                relocate(self.state, self.bundles[int(self.random() * len(self.bundles))], self.random)
            else:
                self._step()
            if self.state.cost < self.best.cost:
                self.best = Best(self.state.cost, [groups[:] for groups in self.state.seats])
                self.idle = 0
                if self.best.cost <= target:
                    return step + 1
        return steps

    def _step(self) -> None:
        move = self._best_move()
        if move is not None:
            self._do(move)

    def disturb(self, times: int) -> None:
        """Swap some people at random, so that the search starts from somewhere else."""
        for _ in range(times if self.places else 0):
            number, unit = self.places[int(self.random() * len(self.places))]
            others = [
                other
                for other, kind in enumerate(self.state.kind[number])
                if kind == self.state.kind[number][unit] and self._may_swap(number, unit, other)
            ]
            if others:
                self.state.swap(number, unit, others[int(self.random() * len(others))])

    def _may_swap(self, number: int, unit: int, other: int) -> bool:
        allowed, seats = self.state.compiled.rounds[number].allowed, self.state.seats[number]
        return allowed[unit][seats[other]] and allowed[other][seats[unit]]

    def _sample(self) -> list[tuple[int, int]]:
        places = self._costly() if len(self.places) <= SMALL else self.places
        if not places:
            places = self.places
        if len(places) <= SAMPLE:
            return places
        return [places[int(self.random() * len(places))] for _ in range(SAMPLE)]

    def _costly(self) -> list[tuple[int, int]]:
        if self.has_negative:
            return self.places
        gain, seats = self.state.gain, self.state.seats
        return [(number, unit) for number, unit in self.places if gain[number][seats[number][unit]][unit] > 0]

    def _best_move(self) -> Move | None:
        best: Move | None = None
        least = 0
        for number, unit in self._sample():
            found = self._best_for(number, unit, best, least)
            if found is not None:
                best, least = found
        return best

    def _best_for(self, number: int, unit: int, best: Move | None, least: int) -> tuple[Move, int] | None:
        """The best swap or transfer of a unit if it is better than the best so far."""
        state, random, step = self.state, self.random, self.step
        gains, members, kinds = state.gain[number], state.members[number], state.kind[number]
        cross, banned = state.cross[number][unit], self.banned[number]
        group, kind = state.seats[number][unit], kinds[unit]
        here, aspire = gains[group], self.best.cost - state.cost
        stay = here[unit]
        found = False
        for goal in self.open[number]:
            if goal == group:
                continue
            there = gains[goal]
            base = there[unit] - stay
            may_go = banned[unit][goal] <= step
            for other in members[goal]:
                cost = base + here[other] - there[other] - 2 * cross[other]
                if kinds[other] != kind:
                    cost += state.change(number, group, kind, kinds[other]) + state.change(
                        number, goal, kinds[other], kind
                    )
                if best is not None and (cost > least or (cost == least and random() < 0.5)):
                    continue
                if cost < aspire or (may_go and banned[other][group] <= step):
                    best, least, found = (number, unit, other, goal), cost, True
            cost = base + state.change(number, group, kind, 0) + state.change(number, goal, 0, kind)
            if best is not None and (cost > least or (cost == least and random() < 0.5)):
                continue
            if cost < aspire or may_go:
                best, least, found = (number, unit, -1, goal), cost, True
        return (best, least) if found and best is not None else None

    def _do(self, move: Move) -> None:
        number, unit, other, goal = move
        group = self.state.seats[number][unit]
        self.state.move(number, unit, goal)
        self._ban(number, unit, group)
        if other >= 0:
            self.state.move(number, other, group)
            self._ban(number, other, goal)

    def _ban(self, number: int, unit: int, group: int) -> None:
        self.banned[number][unit][group] = self.step + 4 + int(self.random() * self.tenure)
