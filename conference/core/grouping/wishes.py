"""How well wishes can be granted: seats that do it, and what nobody can beat.

One round is a flow: exact. Over several rounds everybody may cost at most so much in all (`most`), which no flow knows.
Seats then have prices (a Lagrangian relaxation; Fisher 1981): each person alone takes the cheapest groups of all rounds
within that limit, by dynamic programming over what is spent, and what all of them pay less what the seats are worth is a
bound. Subgradients raise it. Seats for everybody come round by round from flows in which a group costs what it leads to,
and then from going through the rounds again. All numbers are whole, so that every machine counts the same.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from .compiled import Compiled, Seats, compile_problem, seating_of
from .flow import CLOSED, Numbers, assign, prices
from .model import Problem
from .violations import violations

GRAIN = 1_000
"""Prices of seats count in thousandths of a wish."""
TOO_MUCH = 10**9
"""What going over one's limit costs: more than all wishes together."""
NONE = 2**50
LONGEST = 40
"""Nobody counts further than this: with longer lists and more rounds the simple bounds must do."""
WORK = 250_000_000
"""About so many numbers may be looked at for the bounds of several rounds."""
PASSES = 6
FLOWS = 6_000_000
"""About so many costs may go through flows, and a few more."""

Beat = Callable[[], None]
Limits = tuple[Numbers, Numbers]


@dataclass(frozen=True)
class Granted:
    """`worst` and `total` are proven: nobody can do better. `seats` None where no flow finds any.

    `total` holds for all seatings, `fair_total` for those in which nobody is worse off than in `seats`. With one round
    `worst` and `fair_total` are reached where sizes, fixed and forbidden groups are the only rules.
    """

    worst: int
    total: int
    fair_total: int
    seats: Seats | None
    is_proven: bool = False
    """True where the seats break no rule, so that nobody need be worse off."""


class _Same:
    """A problem as a key: it cannot be hashed by what is in it, and need not be."""

    def __init__(self, problem: Problem, beat: Beat) -> None:
        self.problem, self.beat = problem, beat

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and self.problem is other.problem

    def __hash__(self) -> int:
        return id(self.problem)


def quietly() -> None:
    """Nobody wants to know."""


def granted(problem: Problem, beat: Beat = quietly) -> Granted:
    """As `grant` for the problem with its own rules, counted once. What `beat` raises ends it."""
    return _granted(_Same(problem, beat))


@lru_cache(maxsize=4)
def _granted(key: _Same) -> Granted:
    beat, key.beat = key.beat, quietly
    compiled = compile_problem(key.problem, key.problem.rules)
    best = grant(compiled, beat)
    is_proven = best.seats is not None and not violations(key.problem, seating_of(compiled, best.seats))
    return replace(best, is_proven=is_proven)


def wish_costs(problem: Problem) -> Numbers:
    """[person, group]: what a seat in the group costs the person."""
    columns: dict[str, list[int]] = {}
    for index, group in enumerate(problem.groups):
        for name in {group.id, group.topic} - {None}:
            columns.setdefault(str(name), []).append(index)
    costs = np.zeros((len(problem.people), len(problem.groups)), dtype=np.int64)
    for row, person in zip(costs, problem.people, strict=True):
        row[:] = len(person.wishes)
        for place in reversed(range(len(person.wishes))):
            row[columns.get(person.wishes[place], [])] = place
    return costs


def grant(compiled: Compiled, beat: Beat = quietly) -> Granted:
    """The best worst total and the best sum of costs, where a wish costs its place in the person's list."""
    return _Granting(compiled, beat).run()


def grant_alone(problem: Problem) -> Granted:
    """What each person could have at best, alone in the world: quick, and never wrong."""
    granting = _Granting(compile_problem(problem, problem.rules), quietly)
    worst, total = granting.by_person()
    return Granted(worst, total, total, None)


class _Granting:
    """`costs[r][p, g]`, CLOSED where a person may not sit; `there[r]` says who is there."""

    def __init__(self, compiled: Compiled, beat: Beat) -> None:
        self.compiled, self.beat = compiled, beat
        self.flows = max(12, min(200, FLOWS // max(1, compiled.people * compiled.groups)))
        self.guess: list[Numbers | None] = [None] * len(compiled.rounds)
        plain = wish_costs(compiled.problem)
        self.there = np.array([one.unit_of for one in compiled.rounds], dtype=np.int64) >= 0
        self.costs, self.limits = [], []
        for number, one in enumerate(compiled.rounds):
            allowed = np.array(one.allowed, dtype=bool).reshape(len(one.units), compiled.groups)
            costs = np.full_like(plain, CLOSED)
            who = np.flatnonzero(self.there[number])
            costs[who] = np.where(allowed[np.array(one.unit_of, dtype=np.int64)[who]], plain[who], CLOSED)
            self.costs.append(costs)
            seats = one.counters[0]
            self.limits.append((np.array(seats.least, dtype=np.int64), np.array(seats.most, dtype=np.int64)))

    def run(self) -> Granted:
        worst, total = self.by_person()
        alone: list[Numbers] = []
        bottlenecks = [0]
        for number in range(len(self.costs)):
            before = self._as_before(number)
            where = alone[before] if before is not None else self._assign(number, self.costs[number])
            if where is None:
                return Granted(worst, total, total, None)
            alone.append(where)
            if before is None:
                bottlenecks.append(self._bottleneck(number))
        total = sum(self._sum(number, where) for number, where in enumerate(alone))
        worst = max(worst, -(-total // max(1, self.compiled.people)), *bottlenecks)
        if len(self.costs) == 1:
            return self._one_round(worst, total)
        return self._several(worst, total, alone)

    def _as_before(self, number: int) -> int | None:
        """An earlier round with the same people and limits."""
        return next(
            (
                other
                for other in range(number)
                if (self.costs[other] == self.costs[number]).all()
                and all((a == b).all() for a, b in zip(self.limits[other], self.limits[number], strict=True))
            ),
            None,
        )

    def by_person(self) -> tuple[int, int]:
        """What each person could have at best, alone in the world."""
        totals = np.zeros(self.compiled.people, dtype=np.int64)
        for costs, there in zip(self.costs, self.there, strict=True):
            if costs.size:
                best = costs.min(axis=1)
                totals += np.where(there & (best < CLOSED), best, 0)
        return int(totals.max(initial=0)), int(totals.sum())

    def _assign(self, number: int, costs: Numbers) -> Numbers | None:
        """A group for everybody who is there (by person; -1: away)."""
        who = np.flatnonzero(self.there[number])
        self.flows -= 1
        found = assign(costs[who], *self.limits[number], self.beat, self.guess[number])
        if found is None:
            return None
        where = np.full(self.compiled.people, -1, dtype=np.int64)
        where[who] = found
        return where

    def _sum(self, number: int, where: Numbers) -> int:
        return int(self._spent(number, where).sum())

    def _spent(self, number: int, where: Numbers) -> Numbers:
        """What each person pays in this round."""
        return np.where(where >= 0, self.costs[number][np.arange(len(where)), np.maximum(where, 0)], 0)

    def _bottleneck(self, number: int) -> int:
        """The least cost that somebody must bear in this round."""
        costs = self.costs[number][self.there[number]]
        if not costs.size:
            return 0
        first = int(costs.min(axis=1).max())
        choices = [int(cost) for cost in np.unique(costs) if first <= cost < CLOSED]
        low, high = 0, len(choices) - 1
        while low < high:
            middle = (low + high) // 2
            limited = np.where(self.costs[number] <= choices[middle], 0, CLOSED)
            if self._assign(number, limited) is not None:
                high = middle
            else:
                low = middle + 1
        return choices[low] if choices else first

    def _one_round(self, worst: int, total: int) -> Granted:
        limited = np.where(self.costs[0] <= worst, self.costs[0], CLOSED)
        where = self._assign(0, limited)
        assert where is not None, "the bottleneck can be kept"
        return Granted(worst, total, self._sum(0, where), self._seats([where]))

    # -- several rounds ------------------------------------------------------------------------------------------------

    def _several(self, worst: int, total: int, alone: list[Numbers]) -> Granted:
        """From the least limit on that is not proven to be too small: bounds, and the best seats within it."""
        best = self._improved(self._fair() or alone, None)
        highest = int(self._totals(best).max(initial=0))
        fair_total = total
        limit = worst
        while limit <= min(highest, LONGEST):
            pricing = _Pricing(self, limit)
            bound, wheres = pricing.run(alone)
            if bound is None:
                worst = limit = limit + 1
                continue
            if wheres is not None:
                best, highest, fair_total = wheres, limit, max(total, bound)
                break
            limit += 1
        else:
            best = self._improved(best, highest)
            if worst <= highest <= LONGEST:
                fair_total = max(total, _Pricing(self, highest).run(alone)[0] or 0)
        return Granted(worst, total, fair_total, self._seats(best))

    def _totals(self, wheres: list[Numbers]) -> Numbers:
        totals: Numbers = np.sum(
            [self._spent(number, where) for number, where in enumerate(wheres)], axis=0, dtype=np.int64
        )
        return totals

    def _fair(self) -> list[Numbers] | None:
        """Round by round, and a cost weighs the more the worse off somebody is already."""
        totals = np.zeros(self.compiled.people, dtype=np.int64)
        wheres = []
        for number, costs in enumerate(self.costs):
            before = totals[:, None]
            weighed = np.where(costs >= CLOSED, CLOSED, (before + costs) ** 2 - before**2)
            where = self._assign(number, weighed)
            if where is None:
                return None
            totals += self._spent(number, where)
            wheres.append(where)
        return wheres

    def _improved(self, wheres: list[Numbers], limit: int | None) -> list[Numbers]:
        """Each round again and again the best that it can be while the others stay: nobody over the limit, least sum."""
        wheres = list(wheres)
        totals = self._totals(wheres)
        for _ in range(PASSES):
            before = self.badness(totals, limit)
            if self.flows < len(self.costs):
                break
            for number, costs in enumerate(self.costs):
                others = totals - self._spent(number, wheres[number])
                most = int(totals.max(initial=0)) - 1 if limit is None else limit
                over = np.maximum(others[:, None] + costs - most, 0) * TOO_MUCH
                priced = costs * GRAIN + np.minimum(over, 100 * TOO_MUCH)
                where = self._assign(number, np.where(costs >= CLOSED, CLOSED, priced))
                if where is None:
                    return wheres
                wheres[number] = where
                totals = others + self._spent(number, where)
            if self.badness(totals, limit) >= before:
                break
        return wheres

    def badness(self, totals: Numbers, limit: int | None) -> tuple[int, int]:
        """How far people are over the limit (without one: the worst off), then the sum."""
        worst = int(totals.max(initial=0)) if limit is None else int(np.maximum(totals - limit, 0).sum())
        return worst, int(totals.sum())

    def within(self, wheres: list[Numbers], limit: int) -> list[Numbers] | None:
        """The seats after improvement, if nobody is over the limit."""
        wheres = self._improved(wheres, limit)
        return wheres if int(self._totals(wheres).max(initial=0)) <= limit else None

    def total_of(self, wheres: list[Numbers]) -> int:
        """What all pay together."""
        return int(self._totals(wheres).sum())

    def _seats(self, wheres: list[Numbers]) -> Seats | None:
        """The seats by unit; None where people of one unit would sit apart."""
        seats = []
        for one, where in zip(self.compiled.rounds, wheres, strict=True):
            groups = where.tolist()
            if any(len({groups[person] for person in unit}) > 1 for unit in one.units):
                return None
            seats.append([groups[unit[0]] for unit in one.units])
        return seats


class _Pricing:
    """Prices of the seats `price[r, g]` under which each person alone chooses groups that cost at most `limit` in all."""

    def __init__(self, granting: _Granting, limit: int) -> None:
        self.granting, self.limit = granting, limit
        self.people = granting.compiled.people
        self.rounds = len(granting.costs)
        self.groups = granting.compiled.groups
        self.least = np.array([least for least, _ in granting.limits])
        self.most = np.array([most for _, most in granting.limits])
        self.stretches = [self._stretches(costs) for costs in granting.costs]
        work = self.people * self.rounds * (self.groups + 4 * (limit + 1) ** 2)
        self.turns = max(4, min(120, WORK // max(1, work)))

    def _stretches(self, costs: Numbers) -> tuple[Numbers, Numbers, Numbers]:
        """(groups, starts, cells): the groups that cost a person the same lie side by side."""
        person, group = np.nonzero(costs <= self.limit)
        cell = person * (self.limit + 1) + costs[person, group]
        order = np.argsort(cell, kind="stable")
        cells, starts = np.unique(cell[order], return_index=True)
        return group[order], starts, cells

    def run(self, alone: list[Numbers]) -> tuple[int | None, list[Numbers] | None]:
        """(what all pay at least, None if the limit is too small for everybody; the best seats found within it)."""
        price = np.array(
            [
                prices(costs[there], limits, where[there]) * GRAIN
                for costs, limits, there, where in zip(
                    self.granting.costs, self.granting.limits, self.granting.there, alone, strict=True
                )
            ]
        )
        best, step, stale = -NONE, GRAIN, 0
        best_price, found, known = price.copy(), None, NONE
        most = self.limit * self.people * GRAIN
        for turn in range(self.turns):
            self.granting.beat()
            value, counts = self._choose(price)
            if value is None or value > most:
                return None, None
            if value > best:
                best, best_price, stale = value, price.copy(), 0
            else:
                stale += 1
            if turn % 40 == 39 or turn == self.turns - 1:
                wheres = self._guided(best_price) if self.granting.flows >= self.rounds else None
                if wheres is not None and self.granting.total_of(wheres) < known:
                    found, known = wheres, self.granting.total_of(wheres)
            bound = -(-best // GRAIN)
            if known <= bound:
                break
            if stale >= 4:
                step, stale, price = max(1, step * 2 // 3), 0, best_price.copy()
                _, counts = self._choose(price)
            price = price + step * self._slope(price, counts)
        return -(-best // GRAIN), found

    def _slope(self, price: Numbers, counts: Numbers) -> Numbers:
        """Where too many come seats get dearer, where too few come cheaper."""
        over, under = counts - self.most, counts - self.least
        slope = np.where(
            price > 0, over, np.where(price < 0, under, np.maximum(over, 0) + np.minimum(under, 0))
        )
        limited: Numbers = np.clip(slope, -3, 3)
        return limited

    def _least_prices(self, price: Numbers, number: int) -> tuple[Numbers, Numbers]:
        """[person, cost]: the cheapest group of this cost, and its price."""
        groups, starts, cells = self.stretches[number]
        least = np.full(self.people * (self.limit + 1), NONE * 1, dtype=np.int64)
        which = np.zeros_like(least)
        if len(cells):
            keys = np.minimum.reduceat(price[number][groups] * self.groups + groups, starts)
            least[cells], which[cells] = keys // self.groups, keys % self.groups
        shape = (self.people, self.limit + 1)
        least, which = least.reshape(shape), which.reshape(shape)
        least[~self.granting.there[number], 0] = 0
        return least, which

    def _ahead(self, price: Numbers) -> tuple[list[Numbers], list[Numbers]]:
        """ahead[r][p, w]: the least that the rounds from r on cost a person who may still spend w; and the groups by cost."""
        spent = np.arange(self.limit + 1) * GRAIN
        ahead = [np.zeros((self.people, self.limit + 1), dtype=np.int64)]
        chosen: list[Numbers] = []
        for number in reversed(range(self.rounds)):
            least, which = self._least_prices(price, number)
            least = least + spent
            best = np.full_like(ahead[0], NONE)
            for cost in range(self.limit + 1):
                ways = least[:, cost : cost + 1] + ahead[0][:, : self.limit + 1 - cost]
                np.minimum(best[:, cost:], ways, out=best[:, cost:])
            ahead.insert(0, np.minimum(best, NONE))
            chosen.insert(0, np.stack([least, which]))
        return ahead, chosen

    def _choose(self, price: Numbers) -> tuple[int | None, Numbers]:
        """What everybody pays, less what the seats are worth; and how many choose each group."""
        ahead, chosen = self._ahead(price)
        left = np.full(self.people, self.limit, dtype=np.int64)
        value = ahead[0][:, self.limit]
        counts = np.zeros((self.rounds, self.groups), dtype=np.int64)
        if (value >= NONE // 2).any():
            return None, counts
        everybody = np.arange(self.people)
        for number in range(self.rounds):
            least, which = chosen[number]
            budget = left[:, None] - np.arange(self.limit + 1)[None, :]
            ways = least + np.where(
                budget >= 0, ahead[number + 1][everybody[:, None], np.maximum(budget, 0)], NONE
            )
            cost = ways.argmin(axis=1)
            there = self.granting.there[number]
            counts[number] = np.bincount(which[everybody, cost][there], minlength=self.groups)
            left -= cost
        worth = np.where(price > 0, price * self.most, price * self.least).sum()
        return int(value.sum() - worth), counts

    def _guided(self, price: Numbers) -> list[Numbers] | None:
        """Round by round the flow in which a group costs itself and what the rounds after it will."""
        ahead, _ = self._ahead(price)
        self.granting.guess = list(price)
        left = np.full(self.people, self.limit, dtype=np.int64)
        wheres = []
        everybody = np.arange(self.people)
        for number, costs in enumerate(self.granting.costs):
            budget = left[:, None] - costs
            then = ahead[number + 1][everybody[:, None], np.maximum(budget, 0)]
            over = np.minimum(np.maximum(-budget, 0), 100) * TOO_MUCH
            then = np.where(then >= NONE // 2, 50 * TOO_MUCH, then)
            weighed = np.where(costs >= CLOSED, CLOSED, np.minimum(costs * GRAIN + then + over, CLOSED // 4))
            where = self.granting._assign(number, weighed)
            if where is None:
                return None
            left = np.maximum(left - self.granting._spent(number, where), 0)
            wheres.append(where)
        return self.granting.within(wheres, self.limit)
