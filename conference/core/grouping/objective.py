"""The goals as one number, so that a move can be judged by its difference.

All goals but wishes are sums over pairs at a table: colleagues by their meaning, balance because the sum of squared
counts is twice the pairs with one value plus a constant, diversity with its sign turned. Repeats add what a pair's
meeting costs in view of the other rounds; wishes belong to single people.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import combinations, groupby
from math import comb

import numpy as np
from numpy.typing import NDArray

from .bounds import Bound, bounds, even_squares, shown
from .compiled import Compiled, Seats
from .model import GOAL_NAMES, Balance, Colleagues, Diversity, Goal, GoalScore, Problem, Value, Wishes
from .wishes import wish_costs

GRAIN = 1_000_000
"""Diversity counts in millionths, so that all sums are whole numbers and the same on every machine."""

MOST_WORTH = 10**9
"""The largest value of a pair in the search: values that would become larger are counted in coarser parts."""
LARGEST_RULE = 2**48
LARGEST = 2**44
"""Weights stay below this, so that sums of costs stay below 2⁶³."""

Labels = list[int]
"""For each person the number of their kind; -1: counts for nothing."""


@dataclass(frozen=True)
class Level:
    """One thing to be made small. `kind`: "pairs", "repeats", "worst" or "sum"; `most` is never exceeded.

    Pairs cost `price` for each of the `labels` that they share, and what stands in `values`.
    """

    kind: str
    most: int
    bound: int | None
    labels: list[Labels] = field(default_factory=list)
    price: int = 1
    values: dict[tuple[int, int], int] = field(default_factory=dict)

    @property
    def step(self) -> int:
        """The most that one pair at a table costs on this level."""
        return max((self.price * max(1, len(self.labels)), *map(abs, self.values.values())))


@dataclass(frozen=True)
class Weights:
    """What one unit of each level costs, and what a broken rule costs."""

    levels: tuple[int, ...]
    rule: int

    def of(self, goals: "Objective", kind: str) -> int:
        """What one unit costs on all levels of this kind."""
        pairs = zip(goals.levels, self.levels, strict=True)
        return sum(weight for level, weight in pairs if level.kind == kind)


@dataclass(frozen=True)
class Objective:
    """The levels in order, who has met before, and what each person's groups cost (`wishes[p, g]`)."""

    compiled: Compiled
    levels: list[Level]
    met: set[tuple[int, int]]
    wishes: NDArray[np.int64]
    bounds: tuple[Bound, ...]

    def strict(self) -> Weights:
        """A level counts for more than all levels below it together, as far as the numbers stay below LARGEST.

        Where the worst cases would need larger numbers, one step on a level counts for as many on the next as there is
        room for: far more than a single move can change.
        """
        most = [level.most + 1 for level in self.levels]
        cap = max((1, *most))
        while cap > 2 and _product([min(number, cap) for number in most]) > LARGEST:
            cap = cap * 3 // 4
        levels, rule = self._ratios(most, cap)
        while self._swing(levels) > LARGEST_RULE and cap > 2:
            cap = cap * 3 // 4
            levels, rule = self._ratios(most, cap)
        return Weights(tuple(levels), min(max(rule, self._swing(levels)), LARGEST_RULE))

    def _ratios(self, most: Sequence[int], cap: int) -> tuple[list[int], int]:
        weights = [1]
        for number in reversed(most):
            weights.append(weights[-1] * min(number, cap))
        *levels, rule = weights
        return levels[::-1], rule

    def _swing(self, levels: Sequence[int]) -> int:
        """More than any single move can save on all levels together."""
        table = max((most for one in self.compiled.rounds for most in one.counters[0].most), default=0)
        table = min(table, self.compiled.people) + 1
        return 1 + sum(
            weight * (table * 4 * level.step if level.kind in ("pairs", "repeats") else level.most)
            for weight, level in zip(levels, self.levels, strict=True)
        )

    def base(self, weights: Weights) -> NDArray[np.int64]:
        """What each pair of people costs at a table, whatever the other rounds are."""
        people = self.compiled.people
        base = np.zeros((people, people), dtype=np.int64)
        for level, weight in zip(self.levels, weights.levels, strict=True):
            for labels in level.labels:
                kinds = np.array(labels, dtype=np.int64)
                base += (level.price * weight) * ((kinds[:, None] == kinds[None, :]) & (kinds[:, None] >= 0))
            if level.values:
                pairs = np.array(list(level.values), dtype=np.int64)
                costs = np.array(list(level.values.values()), dtype=np.int64) * weight
                base[pairs[:, 0], pairs[:, 1]] += costs
                base[pairs[:, 1], pairs[:, 0]] += costs
        np.fill_diagonal(base, 0)
        return base

    def even(self, slope: Fraction) -> Weights:
        """A pair costs on each level only `slope` times what it costs on the next one.

        A search with such weights may step down on one level to climb on another; where all levels can be good together
        it gets there sooner than with the strict ones.
        """
        prices = [level.step for level in self.levels]
        scale = 1_000 * max((1, *prices))
        ranks = reversed(range(len(prices)))
        levels = [int(scale // price * slope**rank) for price, rank in zip(prices, ranks, strict=True)]
        return Weights(tuple(levels), 20 * max((1, *map(int.__mul__, levels, prices))))

    def key(self, seats: Seats) -> tuple[int, ...]:
        """The value of every level; the smaller tuple is the better seating."""
        return tuple(self._value(level, seats) for level in self.levels)

    def is_best(self, key: Sequence[int]) -> bool:
        """Every level has reached its bound: nothing better exists."""
        return all(
            level.bound is not None and value <= level.bound
            for value, level in zip(key, self.levels, strict=True)
        )

    def _value(self, level: Level, seats: Seats) -> int:
        if level.kind == "pairs":
            return sum(_pair_cost(level, table) for tables in self._tables(seats) for table in tables)
        if level.kind == "repeats":
            return self._repeats(seats)
        totals = self.totals(seats)
        return int(totals.max(initial=0)) if level.kind == "worst" else int(totals.sum())

    def _repeats(self, seats: Seats) -> int:
        meetings = np.zeros((self.compiled.people, self.compiled.people), dtype=np.int16)
        for tables in self._tables(seats):
            for table in tables:
                meetings[np.ix_(table, table)] += 1
        for one, other in self.met:
            meetings[one, other] += 1
            meetings[other, one] += 1
        np.fill_diagonal(meetings, 0)
        return int(np.maximum(meetings - 1, 0).sum(dtype=np.int64)) // 2

    def totals(self, seats: Seats) -> NDArray[np.int64]:
        """What the seats cost each person over all rounds."""
        totals = np.zeros(len(self.wishes), dtype=np.int64)
        for one, groups in zip(self.compiled.rounds, seats, strict=True):
            unit_of = np.array(one.unit_of, dtype=np.int64)
            who = np.flatnonzero(unit_of >= 0)
            totals[who] += self.wishes[who, np.array(groups, dtype=np.int64)[unit_of[who]]]
        return totals

    def scores(self, key: Sequence[int]) -> tuple[GoalScore, ...]:
        """The values of all levels as those of the goals, with their bounds."""
        values = iter(key)
        return tuple(
            GoalScore(GOAL_NAMES[type(goal)], self._score(goal, next(values), values), shown(bound))
            for goal, bound in zip(self.compiled.problem.goals, self.bounds, strict=True)
        )

    def _score(self, goal: Goal, value: int, others: Iterator[int]) -> Value:
        problem = self.compiled.problem
        if isinstance(goal, Wishes):
            return value, next(others)
        if isinstance(goal, Balance):
            return shown(value + seats_with_values(problem, goal) - even_squares(problem, goal))
        return -value / _grain(goal) if isinstance(goal, Diversity) else value

    def _tables(self, seats: Seats) -> Iterator[list[list[int]]]:
        for one, groups in zip(self.compiled.rounds, seats, strict=True):
            seated = sorted(
                (group, person) for people, group in zip(one.units, groups, strict=True) for person in people
            )
            yield [[person for _, person in table] for _, table in groupby(seated, key=lambda seat: seat[0])]


def objective(compiled: Compiled, known: tuple[Bound, ...] | None = None) -> Objective:
    """The goals of the problem; their bounds are counted unless they are `known`."""
    problem = compiled.problem
    least = bounds(problem) if known is None else known
    place = {person.id: index for index, person in enumerate(problem.people)}
    met = {(min(pair), max(pair)) for pair in ([place[name] for name in names] for names in problem.met)}
    levels = [
        level
        for goal, bound in zip(problem.goals, least, strict=True)
        for level in _levels(problem, goal, place, bound)
    ]
    return Objective(compiled, levels, met, wish_costs(problem), least)


def _pair_cost(level: Level, table: Sequence[int]) -> int:
    alike = sum(
        comb(count, 2)
        for labels in level.labels
        for label, count in Counter(labels[person] for person in table).items()
        if label >= 0
    )
    special = sum(level.values.get(pair, 0) for pair in combinations(table, 2)) if level.values else 0
    return alike * level.price + special


def _levels(problem: Problem, goal: Goal, place: dict[str, int], bound: Bound) -> list[Level]:
    if isinstance(goal, Diversity):
        return [_diversity(problem, goal, place)]
    if isinstance(bound, tuple):
        return _wishes(problem, *bound)
    if isinstance(goal, Balance):
        return [_balance(problem, goal, bound)]
    if isinstance(goal, Colleagues):
        return [_colleagues(problem, goal, int(bound))]
    return [Level("repeats", comb(len(problem.people), 2) * problem.rounds, int(bound))]


def _colleagues(problem: Problem, goal: Colleagues, bound: int) -> Level:
    labels = _labels([person.organisation if goal.counts(person) else None for person in problem.people])
    return Level("pairs", problem.rounds * _alike([labels]), bound, [labels])


def _balance(problem: Problem, goal: Balance, bound: Fraction | float) -> Level:
    labels = [_labels([person.attributes.get(name) for person in problem.people]) for name in goal.attributes]
    squares = bound + even_squares(problem, goal) - seats_with_values(problem, goal)
    return Level("pairs", 2 * problem.rounds * _alike(labels), int(squares), labels, 2)


def seats_with_values(problem: Problem, goal: Balance) -> int:
    """What the sum of squared counts is more than twice the pairs with one value."""
    return sum(
        sum(person.attributes.get(name) is not None for name in goal.attributes)
        * (problem.rounds if person.rounds is None else len(person.rounds))
        for person in problem.people
    )


def _diversity(problem: Problem, goal: Diversity, place: dict[str, int]) -> Level:
    values: dict[tuple[int, int], int] = defaultdict(int)
    grain = _grain(goal)
    for one, other, value in goal.pairs:
        pair = place[one], place[other]
        values[min(pair), max(pair)] -= round(value * grain)
    return Level("pairs", 2 * problem.rounds * sum(map(abs, values.values())), None, values=dict(values))


def _grain(goal: Diversity) -> float:
    largest = max((abs(value) for _, _, value in goal.pairs), default=0)
    return min(GRAIN, MOST_WORTH / largest) if largest else GRAIN


def _wishes(problem: Problem, worst: int, total: int) -> list[Level]:
    most = problem.rounds * sum(len(person.wishes) for person in problem.people)
    return [Level("worst", most, worst), Level("sum", most, total)]


def _labels(kinds: Sequence[str | None]) -> Labels:
    numbers = {kind: number for number, kind in enumerate(dict.fromkeys(kinds))}
    return [-1 if kind is None else numbers[kind] for kind in kinds]


def _alike(labels: Sequence[Labels]) -> int:
    return sum(comb(count, 2) for one in labels for label, count in Counter(one).items() if label >= 0)


def _product(numbers: Sequence[int]) -> int:
    product = 1
    for number in numbers:
        product *= number
    return product
