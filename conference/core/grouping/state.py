"""A seating under change: what every move would cost is always known, and each move updates it.

`gain[r][g][u]` is what unit u costs (or would cost) in group g of round r, given where all others sit; `cross[r][u][v]`
is what u and v cost at one table. Both take the other rounds into account, so a meeting in one round changes the rows of
the others. A broken rule costs so much that it is left as soon as possible; a group that is not allowed, far more.
"""

from collections.abc import Iterator, Sequence
from itertools import combinations

from .compiled import Compiled, Seats
from .objective import Objective, Weights

FORBIDDEN = 1_000_000
"""A seat that is not allowed costs this many broken rules."""


class State:
    """The seats with all that is counted about them; `cost` is the weighted sum of goals and broken rules."""

    def __init__(
        self, compiled: Compiled, goals: Objective, weights: Weights, seats: Seats, worst: int
    ) -> None:
        """Start from seats in which everybody has a group; wishes count as hard from a total of `worst` on."""
        self.compiled, self.goals, self.weights, self.worst = compiled, goals, weights, worst
        by_kind = dict.fromkeys(("repeats", "worst", "sum"), 0)
        for level, weight in zip(goals.levels, weights.levels, strict=True):
            if level.kind in by_kind:
                by_kind[level.kind] += weight
        self.repeat, self.over, self.wish = by_kind["repeats"], by_kind["worst"], by_kind["sum"]
        self.has_unary = bool(self.over or self.wish or compiled.stays)
        self.seats = [[-1] * len(groups) for groups in seats]
        self.members: list[list[list[int]]] = [[[] for _ in range(compiled.groups)] for _ in seats]
        self.group_of = [[-1] * compiled.people for _ in seats]
        self.meetings = [[0] * compiled.people for _ in range(compiled.people)]
        for one, other in self._settled():
            self.meetings[one][other] += 1
            self.meetings[other][one] += 1
        self.totals = [0] * compiled.people
        self.stays: list[list[tuple[int, ...]]] = [[] for _ in range(compiled.people)]
        for person, rounds in compiled.stays:
            self.stays[person].append(rounds)
        self.cross = self._cross()
        self.gain = [[[0] * len(groups) for _ in range(compiled.groups)] for groups in seats]
        self.unary = [[[0] * compiled.groups for _ in groups] for groups in seats]
        self._count_parts()
        self.cost = weights.rule * sum(
            sum(counter.least) for one in compiled.rounds for counter in one.counters
        )
        for number, groups in enumerate(seats):
            for unit in range(len(groups)):
                self._refresh(number, unit)
        for number, groups in enumerate(seats):
            for unit, group in enumerate(groups):
                self._enter(number, unit, group)

    def _cross(self) -> list[list[list[int]]]:
        base = self._base()
        return [self._cross_in(number, base) for number in range(len(self.seats))]

    def _base(self) -> list[list[int]]:
        """What each pair of people costs at a table, whatever the other rounds are."""
        people = self.compiled.people
        base = [[0] * people for _ in range(people)]
        for level, weight in zip(self.goals.levels, self.weights.levels, strict=True):
            for labels in level.labels:
                price = level.price * weight
                for one, label in enumerate(labels):
                    if label >= 0:
                        base[one] = [
                            cost + price if label == other else cost
                            for cost, other in zip(base[one], labels, strict=True)
                        ]
            for (one, other), value in level.values.items():
                base[one][other] += value * weight
                base[other][one] += value * weight
        for one, other in set(self._settled()):
            base[one][other] += self.repeat
            base[other][one] += self.repeat
        return base

    def _settled(self) -> Iterator[tuple[int, int]]:
        """The meetings that no move can change: earlier ones, and those of people who are one unit."""
        yield from self.goals.met
        for one in self.compiled.rounds:
            for people in one.units:
                yield from combinations(people, 2)

    def _cross_in(self, number: int, base: Sequence[Sequence[int]]) -> list[list[int]]:
        one = self.compiled.rounds[number]
        rows = []
        for unit, people in enumerate(one.units):
            costs = _sum_rows([base[person] for person in people])
            row = [
                costs[others[0]] if len(others) == 1 else sum(costs[person] for person in others)
                for others in one.units
            ]
            row[unit] = 0
            for foe in one.apart[unit]:
                row[foe] += self.weights.rule
            rows.append(row)
        return rows

    def _count_parts(self) -> None:
        """Units that bring the same parts are of one kind; kind 0 brings nothing."""
        self.counts = [[[0] * self.compiled.groups for _ in one.counters] for one in self.compiled.rounds]
        self.kinds: list[list[tuple[int, ...]]] = []
        self.kind: list[list[int]] = []
        for one in self.compiled.rounds:
            parts = list(zip(*(counter.part for counter in one.counters), strict=True))
            kinds = list(dict.fromkeys([(0,) * len(one.counters), *parts]))
            numbers = {part: number for number, part in enumerate(kinds)}
            self.kinds.append(kinds)
            self.kind.append([numbers[part] for part in parts])
        self.known: list[list[dict[tuple[int, int], int]]] = [
            [{} for _ in range(self.compiled.groups)] for _ in self.seats
        ]

    def change(self, number: int, group: int, out: int, into: int) -> int:
        """What broken sizes and counts of a group cost more if a unit of one kind leaves and one of another comes."""
        known = self.known[number][group]
        cost = known.get((out, into))
        if cost is None:
            cost = known[out, into] = self._change(number, group, out, into)
        return cost

    def _change(self, number: int, group: int, out: int, into: int) -> int:
        cost = 0
        going, coming = self.kinds[number][out], self.kinds[number][into]
        for index, counter in enumerate(self.compiled.rounds[number].counters):
            count, least, most = self.counts[number][index][group], counter.least[group], counter.most[group]
            after = count + coming[index] - going[index]
            cost += max(0, least - after, after - most) - max(0, least - count, count - most)
        return cost * self.weights.rule

    def move_cost(self, number: int, unit: int, group: int) -> int:
        """What the cost would change by if the unit went to this group."""
        now, kind, gain = self.seats[number][unit], self.kind[number][unit], self.gain[number]
        return (
            gain[group][unit]
            - gain[now][unit]
            + self.change(number, now, kind, 0)
            + self.change(number, group, 0, kind)
        )

    def move(self, number: int, unit: int, group: int) -> None:
        """Put the unit into another group."""
        self._leave(number, unit)
        self._enter(number, unit, group)

    def swap(self, number: int, unit: int, other: int) -> None:
        """Let two units change places."""
        group, goal = self.seats[number][unit], self.seats[number][other]
        self.move(number, unit, goal)
        self.move(number, other, group)

    def broken(self) -> int:
        """How many rules are broken, counting every missing or surplus seat."""
        rules = 0
        for number, one in enumerate(self.compiled.rounds):
            groups = self.seats[number]
            rules += sum(groups[foe] == groups[unit] for unit, foes in enumerate(one.apart) for foe in foes)
            rules += sum(not one.allowed[unit][group] for unit, group in enumerate(groups))
            for counter, counts in zip(one.counters, self.counts[number], strict=True):
                limits = zip(counter.least, counts, counter.most, strict=True)
                rules += sum(max(0, least - count, count - most) for least, count, most in limits)
        for person, rounds in self.compiled.stays:
            rules += len({self.group_of[number][person] for number in rounds}) - 1
        return rules

    def _leave(self, number: int, unit: int) -> None:
        group = self.seats[number][unit]
        kind = self.kind[number][unit]
        self.cost += self.change(number, group, kind, 0) - self.gain[number][group][unit]
        row = self.cross[number][unit]
        self.gain[number][group] = [
            cost - pair for cost, pair in zip(self.gain[number][group], row, strict=True)
        ]
        self.members[number][group].remove(unit)
        self._seat(number, unit, -1, group, -1)
        if self.repeat and len(self.seats) > 1:
            self._part(number, unit, group)
        if self.has_unary:
            self._refresh_people(number, unit)

    def _enter(self, number: int, unit: int, group: int) -> None:
        kind = self.kind[number][unit]
        self.cost += self.change(number, group, 0, kind) + self.gain[number][group][unit]
        row = self.cross[number][unit]
        self.gain[number][group] = [
            cost + pair for cost, pair in zip(self.gain[number][group], row, strict=True)
        ]
        if self.repeat and len(self.seats) > 1:
            self._meet(number, unit, group)
        self.members[number][group].append(unit)
        self._seat(number, unit, group, group, 1)
        if self.has_unary:
            self._refresh_people(number, unit)

    def _seat(self, number: int, unit: int, group: int, counted: int, sign: int) -> None:
        self.seats[number][unit] = group
        self.known[number][counted] = {}
        for part, counts in zip(
            self.kinds[number][self.kind[number][unit]], self.counts[number], strict=True
        ):
            counts[counted] += sign * part
        for person in self.compiled.rounds[number].units[unit]:
            self.group_of[number][person] = group
            self.totals[person] += sign * self.goals.wishes[person][counted]

    def _company(self, number: int, unit: int, group: int) -> Iterator[tuple[int, int]]:
        units = self.compiled.rounds[number].units
        others = [person for member in self.members[number][group] for person in units[member]]
        return ((person, other) for person in units[unit] for other in others)

    def _part(self, number: int, unit: int, group: int) -> None:
        """One meeting less: where it was the only one outside another round, a meeting in that round is no repeat."""
        meetings = self.meetings
        for one, other in self._company(number, unit, group):
            left = meetings[one][other] - 1
            meetings[one][other] = meetings[other][one] = left
            if left < 2:
                self._reprice(number, one, other, left, -self.repeat)

    def _meet(self, number: int, unit: int, group: int) -> None:
        """One meeting more: where it is the first one outside another round, a meeting in that round is a repeat."""
        meetings = self.meetings
        for one, other in self._company(number, unit, group):
            before = meetings[one][other]
            meetings[one][other] = meetings[other][one] = before + 1
            if before < 2:
                self._reprice(number, one, other, before, self.repeat)

    def _reprice(self, number: int, one: int, other: int, rest: int, price: int) -> None:
        """Change what two people cost in each other round in which all the rest of their meetings lie."""
        for index, groups in enumerate(self.group_of):
            if index == number:
                continue
            group, goal = groups[one], groups[other]
            if (group == goal and group >= 0) != bool(rest):
                continue
            unit_of = self.compiled.rounds[index].unit_of
            unit, company = unit_of[one], unit_of[other]
            if unit < 0 or company < 0 or unit == company:
                continue
            self.cross[index][unit][company] += price
            self.cross[index][company][unit] += price
            if goal >= 0:
                self.gain[index][goal][unit] += price
            if group >= 0:
                self.gain[index][group][company] += price

    def _refresh_people(self, number: int, unit: int) -> None:
        for person in self.compiled.rounds[number].units[unit]:
            for index, one in enumerate(self.compiled.rounds):
                if index != number and one.unit_of[person] >= 0:
                    self._refresh(index, one.unit_of[person])

    def _refresh(self, number: int, unit: int) -> None:
        """Count anew what the unit costs in each group for its own sake: wishes, staying, groups not allowed."""
        fresh = [self._own_cost(number, unit, group) for group in range(self.compiled.groups)]
        for gain, new, old in zip(self.gain[number], fresh, self.unary[number][unit], strict=True):
            gain[unit] += new - old
        self.unary[number][unit] = fresh

    def _own_cost(self, number: int, unit: int, group: int) -> int:
        one = self.compiled.rounds[number]
        cost = 0 if one.allowed[unit][group] else FORBIDDEN * self.weights.rule
        for person in one.units[unit]:
            cost += self._wish_cost(number, person, group) + self.weights.rule * self._strays(
                number, person, group
            )
        return cost

    def _wish_cost(self, number: int, person: int, group: int) -> int:
        here, now = self.goals.wishes[person], self.group_of[number][person]
        others = self.totals[person] - (here[now] if now >= 0 else 0)
        over = max(0, others + here[group] - self.worst) - max(0, others - self.worst)
        return self.over * over + self.wish * here[group]

    def _strays(self, number: int, person: int, group: int) -> int:
        return sum(
            self.group_of[index][person] not in (group, -1)
            for rounds in self.stays[person]
            if number in rounds
            for index in rounds
            if index != number
        )


def _sum_rows(rows: Sequence[Sequence[int]]) -> Sequence[int]:
    return rows[0] if len(rows) == 1 else [sum(column) for column in zip(*rows, strict=True)]
