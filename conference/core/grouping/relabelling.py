"""Who takes which place of a fixed schedule: the repeats stay as they are, all other goals are made as good as possible.

Two people change places in all rounds at once. What pairs cost does not depend on who meets whom elsewhere, since the
schedule already says how often places meet; so one table of costs, person by place, judges every exchange.
"""

from collections.abc import Sequence
from random import Random

import numpy as np

from .compiled import Compiled, Seats
from .objective import Objective, Weights
from .state import FORBIDDEN, Numbers

SMALL = 72
"""With so many people or fewer every exchange is looked at."""
SAMPLE, CHOSEN = 96, 12
TENURE = 12
NEVER = np.iinfo(np.int64).max // 4


class Relabelling:
    """People at the places of a schedule; `cost` is the weighted sum without the repeats of the schedule itself.

    `schedule[r, place]` is a group, `place[p]` where person p is. The numbers beyond the people are of nobody: empty
    places in the last rank, which may go anywhere in that rank without changing how many sit at any table.
    """

    def __init__(
        self,
        compiled: Compiled,
        goals: Objective,
        weights: Weights,
        schedule: Numbers,
        places: Sequence[int],
        rng: Random,
        worst: int,
    ) -> None:
        """Start with person p at `places[p]`."""
        self.compiled, self.goals, self.weights, self.schedule = compiled, goals, weights, schedule
        self.random = rng.random
        self.rounds, self.people = schedule.shape
        self.nobody = self.people - compiled.people
        self.there = np.array([[*one.unit_of, *[-1] * self.nobody] for one in compiled.rounds]) >= 0
        self.place = np.array(places, dtype=np.int64)
        self.pairs = self._pair_costs()
        self.lone = self._lone_costs(worst)
        self.tables = [
            [np.flatnonzero(groups == group) for group in range(compiled.groups)] for groups in schedule
        ]
        self.costs = self._costs()
        self.banned = np.zeros((self.people, self.people), dtype=np.int32)
        self.step = 0
        self.cost = self._cost()
        self.best_cost, self.best = self.cost, self.place.copy()

    # -- counting ----------------------------------------------------------------------------------------------------

    def _pair_costs(self) -> Numbers:
        """What two people cost at one table: goals, earlier meetings, and rules that hold in every round."""
        pairs = np.pad(self.goals.base(self.weights), (0, self.nobody))
        repeat = self.weights.of(self.goals, "repeats")
        for one, other in self.goals.met:
            pairs[one, other] += repeat
            pairs[other, one] += repeat
        share = self.weights.rule // self.rounds
        for part in self.compiled.rounds:
            for unit, foes in enumerate(part.apart):
                for foe in foes:
                    pairs[np.ix_(part.units[unit], part.units[foe])] += share
            for people in part.units:
                if len(people) > 1:
                    pairs[np.ix_(people, people)] -= share
        np.fill_diagonal(pairs, 0)
        return pairs

    def _lone_costs(self, worst: int) -> Numbers:
        """[place, person]: what a place costs a person for its own sake: wishes, groups not allowed, groups to stay in."""
        costs = np.zeros((self.people, self.people), dtype=np.int64)
        for number, one in enumerate(self.compiled.rounds):
            groups = self.schedule[number]
            for unit, people in enumerate(one.units):
                closed = ~np.array(one.allowed[unit])[groups]
                if closed.any():
                    costs[np.ix_(closed, list(people))] += FORBIDDEN * self.weights.rule
        over, wish = (self.weights.of(self.goals, kind) for kind in ("worst", "sum"))
        if over or wish:
            wishes = np.zeros((self.people, self.compiled.groups), dtype=np.int64)
            wishes[: self.compiled.people] = self.goals.wishes
            totals = np.zeros_like(costs)
            for groups, there in zip(self.schedule, self.there, strict=True):
                totals += wishes.T[groups] * there
            costs += wish * totals + over * np.maximum(totals - worst, 0)
        for person, numbers in self.compiled.stays:
            for place, number in enumerate(numbers):
                for other in numbers[:place]:
                    costs[:, person] += self.weights.rule * (self.schedule[number] != self.schedule[other])
        last_rank = self.people - len(self.compiled.rounds[0].open)
        costs[:last_rank, self.compiled.people :] = FORBIDDEN * self.weights.rule
        return costs

    def _costs(self) -> Numbers:
        """[place, person]: what the person would cost there, given where all others are."""
        costs = self.lone.copy()
        for number in range(self.rounds):
            there = self.there[number]
            mine = self.schedule[number][self.place]
            sums = np.array(
                [
                    self.pairs[np.flatnonzero((mine == group) & there)].sum(axis=0)
                    for group in range(self.compiled.groups)
                ]
            )
            costs += (sums * there)[self.schedule[number]]
        return costs

    def _cost(self) -> int:
        everybody = np.arange(self.people)
        both = int(self.costs[self.place, everybody].sum())
        lone = int(self.lone[self.place, everybody].sum())
        return (both - lone) // 2 + lone

    def seats(self, place: Numbers) -> Seats:
        """The seats of people at these places."""
        return [
            [int(self.schedule[number, place[people[0]]]) for people in one.units]
            for number, one in enumerate(self.compiled.rounds)
        ]

    # -- searching ---------------------------------------------------------------------------------------------------

    def run(self, steps: int, target: int) -> int:
        """Exchange people for so many steps, or until the cost is down to the target. Returns the steps taken."""
        for step in range(steps):
            if self.best_cost <= target or self.people < 2:
                return step
            self.step += 1
            self._exchange(*self._best_exchange())
            if self.cost < self.best_cost:
                self.best_cost, self.best = self.cost, self.place.copy()
        return steps

    def _below(self, count: int) -> int:
        return int(self.random() * count)

    def _sample(self) -> Numbers:
        """Of some people those who could gain most by another place."""
        if self.people <= SMALL:
            return np.arange(self.people)
        some = np.array([self._below(self.people) for _ in range(SAMPLE)])
        gain = self.costs[self.place[some], some] - self.costs[:, some].min(axis=0)
        return some[np.argsort(-gain, kind="stable")[:CHOSEN]]

    def _best_exchange(self) -> tuple[int, int, int]:
        """(person, other person, what it costs)."""
        some = self._sample()
        own = self.costs[self.place, np.arange(self.people)]
        costs = self.costs[self.place[None, :], some[:, None]] + self.costs[self.place[some]]
        costs -= own[some][:, None]
        costs -= own[None, :]
        costs -= 2 * self.pairs[some] * self._apart(some)
        closed = self.banned[self.place[None, :], some[:, None]] > self.step
        closed |= self.banned[self.place[some]] > self.step
        closed &= costs >= self.best_cost - self.cost
        closed[np.arange(len(some)), some] = True
        costs[closed] = NEVER
        least = int(costs.min())
        places = np.flatnonzero(costs.ravel() == least)
        row, other = divmod(int(places[self._below(len(places))]), self.people)
        return int(some[row]), other, least

    def _apart(self, some: Numbers) -> Numbers:
        """In how many rounds in which both are there they sit at different tables."""
        times = np.zeros((len(some), self.people), dtype=np.int64)
        for number in range(self.rounds):
            mine = self.schedule[number][self.place]
            there = self.there[number]
            times += (mine[some][:, None] != mine[None, :]) & there[some][:, None] & there[None, :]
        return times

    def _exchange(self, person: int, other: int, cost: int) -> None:
        if cost >= NEVER:
            return
        here, there = int(self.place[person]), int(self.place[other])
        for number in range(self.rounds):
            left, gone = int(self.schedule[number, here]), int(self.schedule[number, there])
            if left != gone:
                change = self.there[number, other] * self.pairs[other]
                change = (change - self.there[number, person] * self.pairs[person]) * self.there[number]
                self.costs[self.tables[number][left]] += change
                self.costs[self.tables[number][gone]] -= change
        self.place[person], self.place[other] = there, here
        self.cost += cost
        self.banned[here, person] = self.step + 4 + self._below(TENURE)
        self.banned[there, other] = self.step + 4 + self._below(TENURE)
