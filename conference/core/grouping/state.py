"""A seating under change: what every move would cost is always known, and each move updates it.

All numbers stand in arrays, so that one line judges thousands of moves; they are whole numbers below 2⁶³, so that every
machine counts the same. Units of a round are numbered as in `Compiled`; rounds with fewer units are padded at the end.
A broken rule costs so much that it is left as soon as possible; a group that is not allowed, far more.
"""

from collections.abc import Sequence
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from .compiled import Compiled, Seats
from .objective import Objective, Weights

FORBIDDEN = 1_000
"""A seat that is not allowed costs this many broken rules."""

Numbers = NDArray[np.int64]
Flags = NDArray[np.bool_]


class State:
    """The seats with all that is counted about them; `cost` is the weighted sum of goals and broken rules.

    `where[r, u]` is the group of unit u, -1 for padding; `gain[r, g, u]` what unit u costs (or would cost) in group g,
    given where all others sit; `cross[r, u, v]` what u and v cost at one table. Both take the other rounds into account:
    a meeting in one round changes what a meeting costs in the others. `meetings[p, q]` counts earlier conferences too.
    """

    def __init__(
        self, compiled: Compiled, goals: Objective, weights: Weights, seats: Seats, worst: int
    ) -> None:
        """Start from seats in which everybody has a group; wishes count as hard from a total of `worst` on."""
        self.compiled, self.goals, self.weights, self.worst = compiled, goals, weights, worst
        self.repeat, self.over, self.wish = (weights.of(goals, kind) for kind in ("repeats", "worst", "sum"))
        self.unit_of = np.array([one.unit_of for one in compiled.rounds], dtype=np.int64)
        self.is_single = all(len(unit) == 1 for one in compiled.rounds for unit in one.units)
        self._seat_all(seats)
        self.base = goals.base(weights)
        self.cross = self._cross()
        self.wishes = np.array(goals.wishes, dtype=np.int64).reshape(compiled.people, compiled.groups)
        self.totals = self._totals()
        self.stays: list[list[tuple[int, ...]]] = [[] for _ in range(compiled.people)]
        for person, rounds in compiled.stays:
            self.stays[person].append(rounds)
        self.has_unary = bool(self.over or self.wish or compiled.stays)
        self.gain = np.zeros((self.rounds, compiled.groups, self.units), dtype=np.int64)
        self._add_up()
        self.unary = np.zeros_like(self.gain)
        for number, one in enumerate(compiled.rounds):
            for unit in range(len(one.units)):
                if self.has_unary or not all(one.allowed[unit]):
                    self._refresh(number, unit)
        self._count_parts()
        self.cost = self._cost()

    @property
    def rounds(self) -> int:
        """How many rounds there are."""
        return len(self.compiled.rounds)

    @property
    def units(self) -> int:
        """The most units of any round."""
        return self.where.shape[1]

    @property
    def seats(self) -> Seats:
        """The seats as lists, without padding."""
        return [
            groups[: len(one.units)].tolist()
            for one, groups in zip(self.compiled.rounds, self.where, strict=True)
        ]

    def seats_of(self, where: Numbers) -> Seats:
        """Kept seats (a copy of `where`) as lists."""
        return [
            groups[: len(one.units)].tolist() for one, groups in zip(self.compiled.rounds, where, strict=True)
        ]

    # -- laying out -------------------------------------------------------------------------------------------------

    def _seat_all(self, seats: Seats) -> None:
        widest = max((len(groups) for groups in seats), default=0)
        self.where = np.full((len(seats), widest), -1, dtype=np.int64)
        for number, groups in enumerate(seats):
            self.where[number, : len(groups)] = groups
        self.group_of = np.full(self.unit_of.shape, -1, dtype=np.int64)
        there = self.unit_of >= 0
        numbers = np.nonzero(there)[0]
        self.group_of[there] = self.where[numbers, self.unit_of[there]]
        self.meetings = np.zeros((self.compiled.people, self.compiled.people), dtype=np.int16)
        for one, other in self.goals.met:
            self.meetings[one, other] += 1
            self.meetings[other, one] += 1
        for groups in self.group_of:
            for table in self._tables(groups):
                self.meetings[np.ix_(table, table)] += 1
        np.fill_diagonal(self.meetings, 0)

    def _tables(self, groups: Numbers) -> list[Numbers]:
        return [np.flatnonzero(groups == group) for group in range(self.compiled.groups)]

    def _cross(self) -> Numbers:
        base = self.base
        cross = np.zeros((self.rounds, self.units, self.units), dtype=np.int64)
        for number, one in enumerate(self.compiled.rounds):
            costs = base
            if self.repeat:
                outside = self.meetings > 0
                for table in self._tables(self.group_of[number]):
                    outside[np.ix_(table, table)] = self.meetings[np.ix_(table, table)] > 1
                costs = np.multiply(outside, self.repeat, dtype=np.int64)
                costs += base
            count = len(one.units)
            if count == self.compiled.people:
                cross[number] = costs
                np.fill_diagonal(cross[number], 0)
            else:
                cross[number, :count, :count] = _of_units(costs, one.units)
            for unit, foes in enumerate(one.apart):
                cross[number, unit, foes] += self.weights.rule
        return cross

    def _add_up(self) -> None:
        for number in range(self.rounds):
            for group in range(self.compiled.groups):
                members = self.members(number, group)
                self.gain[number, group] = self.cross[number][members].sum(axis=0)

    def _totals(self) -> Numbers:
        totals = np.zeros(self.compiled.people, dtype=np.int64)
        for groups in self.group_of:
            there = np.flatnonzero(groups >= 0)
            totals[there] += self.wishes[there, groups[there]]
        return totals

    def _count_parts(self) -> None:
        """Units that bring the same parts are of one kind; kind 0 brings nothing.

        `change[r][g, out, into]`: what broken sizes and counts of group g cost more if a unit of kind `out` leaves and one
        of kind `into` comes.
        """
        self.kind = np.zeros_like(self.where)
        self.kinds: list[Numbers] = []
        self.counts: list[Numbers] = []
        self.change: list[Numbers] = []
        for number, one in enumerate(self.compiled.rounds):
            parts = list(zip(*(counter.part for counter in one.counters), strict=True))
            kinds = list(dict.fromkeys([(0,) * len(one.counters), *parts]))
            numbers = {part: place for place, part in enumerate(kinds)}
            self.kinds.append(np.array(kinds, dtype=np.int64))
            self.kind[number, : len(parts)] = [numbers[part] for part in parts]
            counts = np.zeros((self.compiled.groups, len(one.counters)), dtype=np.int64)
            np.add.at(
                counts,
                self.where[number, : len(parts)],
                np.array(parts, dtype=np.int64).reshape(-1, len(one.counters)),
            )
            self.counts.append(counts)
            self.change.append(np.zeros((self.compiled.groups, len(kinds), len(kinds)), dtype=np.int64))
        self.limits = [
            (
                np.array([counter.least for counter in one.counters], dtype=np.int64).T,
                np.array([counter.most for counter in one.counters], dtype=np.int64).T,
            )
            for one in self.compiled.rounds
        ]
        for number in range(self.rounds):
            for group in range(self.compiled.groups):
                self._judge(number, group)

    def _judge(self, number: int, group: int) -> None:
        counts, kinds = self.counts[number][group], self.kinds[number]
        least, most = self.limits[number][0][group], self.limits[number][1][group]
        after = counts + kinds[None, :, :] - kinds[:, None, :]
        wrong = np.maximum(least - after, 0) + np.maximum(after - most, 0)
        now = (np.maximum(least - counts, 0) + np.maximum(counts - most, 0)).sum()
        self.change[number][group] = (wrong.sum(axis=2) - now) * self.weights.rule

    def _cost(self) -> int:
        """The weighted sum, counted anew."""
        cost = self.weights.rule * self.broken()
        forbidden = sum(
            not one.allowed[unit][group]
            for one, groups in zip(self.compiled.rounds, self.seats, strict=True)
            for unit, group in enumerate(groups)
        )
        cost += forbidden * (FORBIDDEN - 1) * self.weights.rule
        pairs = sum(
            int(self.base[np.ix_(table, table)].sum())
            for groups in self.group_of
            for table in self._tables(groups)
        )
        repeats = int(np.maximum(self.meetings - 1, 0).sum(dtype=np.int64)) // 2
        worst = int(np.maximum(self.totals - self.worst, 0).sum())
        return (
            cost + pairs // 2 + self.repeat * repeats + self.over * worst + self.wish * int(self.totals.sum())
        )

    # -- asking -----------------------------------------------------------------------------------------------------

    def members(self, number: int, group: int) -> Numbers:
        """The units that sit in this group."""
        return np.flatnonzero(self.where[number] == group)

    def own(self, number: int) -> Numbers:
        """What every unit of the round costs where it sits; padding costs what group 0 would."""
        costs: Numbers = self.gain[number][np.maximum(self.where[number], 0), np.arange(self.units)]
        return costs

    def move_cost(self, number: int, unit: int, group: int) -> int:
        """What the cost would change by if the unit went to this other group."""
        now, kind, gain = self.where[number, unit], self.kind[number, unit], self.gain[number]
        change = self.change[number]
        return int(gain[group, unit] - gain[now, unit] + change[now, kind, 0] + change[group, 0, kind])

    def broken(self) -> int:
        """How many rules are broken, counting every missing or surplus seat and every two rounds of a stray."""
        rules = 0
        for number, (one, groups) in enumerate(zip(self.compiled.rounds, self.seats, strict=True)):
            rules += (
                sum(groups[foe] == groups[unit] for unit, foes in enumerate(one.apart) for foe in foes) // 2
            )
            rules += sum(not one.allowed[unit][group] for unit, group in enumerate(groups))
            (least, most), counts = self.limits[number], self.counts[number]
            rules += int(np.maximum(least - counts, 0).sum() + np.maximum(counts - most, 0).sum())
        for person, rounds in self.compiled.stays:
            groups_of = [int(self.group_of[number, person]) for number in rounds]
            rules += sum(one != other for one, other in combinations(groups_of, 2))
        return rules

    # -- moving -----------------------------------------------------------------------------------------------------

    def move(self, number: int, unit: int, group: int) -> None:
        """Put the unit into another group."""
        now = int(self.where[number, unit])
        if now != group:
            self.cost += self.move_cost(number, unit, group)
            self._shift(number, unit, group)
            self._recount(number, unit, now, group)

    def swap(self, number: int, unit: int, other: int) -> None:
        """Let two units of different groups change places."""
        group, goal = int(self.where[number, unit]), int(self.where[number, other])
        if self.kind[number, unit] != self.kind[number, other]:
            self.move(number, unit, goal)
            self.move(number, other, group)
            return
        gain = self.gain[number]
        change = gain[goal, unit] - gain[group, unit] + gain[group, other] - gain[goal, other]
        self.cost += int(change - 2 * self.cross[number, unit, other])
        self._shift(number, unit, goal)
        self._shift(number, other, group)

    def _shift(self, number: int, unit: int, group: int) -> None:
        now = int(self.where[number, unit])
        row, gain = self.cross[number, unit], self.gain[number]
        gain[now] -= row
        gain[group] += row
        people = self.compiled.rounds[number].units[unit]
        if self.repeat and self.rounds > 1:
            self._part_and_meet(number, people, now, group)
        self.where[number, unit] = group
        for person in people:
            self.group_of[number, person] = group
            self.totals[person] += self.wishes[person, group] - self.wishes[person, now]
        if self.has_unary:
            self._refresh_people(number, people)

    def _recount(self, number: int, unit: int, now: int, group: int) -> None:
        parts = self.kinds[number][self.kind[number, unit]]
        self.counts[number][now] -= parts
        self.counts[number][group] += parts
        self._judge(number, now)
        self._judge(number, group)

    def _part_and_meet(self, number: int, people: tuple[int, ...], now: int, group: int) -> None:
        """Meetings lost and won; where one was, or is, the only one outside another round, a meeting there changes its price.

        A meeting costs `repeat` in a round exactly where the two meet outside that round as well.
        """
        groups = self.group_of[number]
        left = np.flatnonzero(groups == now)
        left = left[~np.isin(left, people)] if len(people) > 1 else left[left != people[0]]
        come = np.flatnonzero(groups == group)
        others = np.concatenate([left, come])
        signs = np.ones(len(others), dtype=np.int16)
        signs[: len(left)] = -1
        for person in people:
            self._meet(number, person, others, signs)

    def _meet(self, number: int, person: int, others: Numbers, signs: NDArray[np.int16]) -> None:
        before = self.meetings[person, others]
        after = before + signs
        self.meetings[person, others] = after
        self.meetings[others, person] = after
        rest = np.minimum(before, after)
        groups = self.group_of[:, others]
        mine = self.group_of[:, person][:, None]
        toggles = ((groups == mine) & (mine >= 0)) == rest
        toggles[number] = False
        toggles &= (groups >= 0) & (mine >= 0)
        rounds, places = np.nonzero(toggles)
        if len(rounds):
            self._reprice(person, rounds, others[places], signs[places].astype(np.int64) * self.repeat)

    def _reprice(self, person: int, rounds: Numbers, others: Numbers, prices: Numbers) -> None:
        unit, company = self.unit_of[rounds, person], self.unit_of[rounds, others]
        if not self.is_single:
            apart = unit != company
            rounds, unit, company, prices = rounds[apart], unit[apart], company[apart], prices[apart]
        np.add.at(self.cross, (rounds, unit, company), prices)
        np.add.at(self.cross, (rounds, company, unit), prices)
        np.add.at(self.gain, (rounds, self.where[rounds, company], unit), prices)
        np.add.at(self.gain, (rounds, self.where[rounds, unit], company), prices)

    # -- what a unit costs for its own sake: wishes, staying, groups not allowed -------------------------------------

    def _refresh_people(self, number: int, people: tuple[int, ...]) -> None:
        for person in people:
            for index in range(self.rounds):
                if index != number and self.unit_of[index, person] >= 0:
                    self._refresh(index, int(self.unit_of[index, person]))

    def _refresh(self, number: int, unit: int) -> None:
        fresh = self._own_costs(number, unit)
        self.gain[number, :, unit] += fresh - self.unary[number, :, unit]
        self.unary[number, :, unit] = fresh

    def _own_costs(self, number: int, unit: int) -> Numbers:
        one = self.compiled.rounds[number]
        costs = np.where(one.allowed[unit], 0, FORBIDDEN * self.weights.rule)
        if self.has_unary:
            for person in one.units[unit]:
                costs += self._wish_costs(number, person) + self.weights.rule * self._strays(number, person)
        return costs

    def _wish_costs(self, number: int, person: int) -> Numbers:
        here = self.wishes[person]
        others = self.totals[person] - here[self.group_of[number, person]]
        over = np.maximum(others + here - self.worst, 0) - max(0, int(others) - self.worst)
        costs: Numbers = self.over * over + self.wish * here
        return costs

    def _strays(self, number: int, person: int) -> Numbers:
        strays = np.zeros(self.compiled.groups, dtype=np.int64)
        for rounds in self.stays[person]:
            if number in rounds:
                for index in rounds:
                    if index != number:
                        strays += 1
                        strays[self.group_of[index, person]] -= 1
        return strays


def _of_units(costs: Numbers, units: Sequence[tuple[int, ...]]) -> Numbers:
    """What pairs of units cost, from what pairs of people cost; a unit costs nothing with itself."""
    firsts = [unit[0] for unit in units]
    result = costs[np.ix_(firsts, firsts)].copy()
    several = [(place, unit) for place, unit in enumerate(units) if len(unit) > 1]
    if several:
        rows = costs.copy()
        for _, unit in several:
            rows[unit[0]] = costs[list(unit)].sum(axis=0)
        result = rows[np.ix_(firsts, firsts)].copy()
        for place, unit in several:
            result[:, place] = rows[np.ix_(firsts, list(unit))].sum(axis=1)
    np.fill_diagonal(result, 0)
    return result
