"""What no seating can beat, counted without seating anybody.

Bounds are valid whatever the other goals demand; only for wishes as the first goal the sum is that of the fairest seats.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import lru_cache
from heapq import heapify, heappop, heapreplace
from itertools import combinations

import numpy as np

from .model import (
    Balance,
    Colleagues,
    Diversity,
    EachGroupHas,
    Fixed,
    Goal,
    Group,
    Number,
    Person,
    Problem,
    Repeats,
    Stays,
    Together,
    Value,
    Wishes,
    applies,
)
from .transport import Numbers, Table, fill
from .wishes import grant_alone, granted, quietly

Bound = Fraction | int | float | tuple[int, int]
MOST_WORK = 10_000_000
"""So many entries of a table may be looked at, unit by unit; larger ones are bounded row by row."""


def bounds(problem: Problem, beat: Callable[[], None] = quietly) -> tuple[Bound, ...]:
    """The bound of every goal of the problem, exactly, counted once. What `beat` raises ends it."""
    return _bounds(_Same(problem, beat))


def quick_bounds(problem: Problem) -> tuple[Bound, ...]:
    """The same, weaker where that would take long."""
    counting = _Counting(problem, quietly, is_quick=True)
    return tuple(counting.bound(goal) for goal in problem.goals)


def bounds_at_once(problem: Problem) -> tuple[Value, ...]:
    """A bound for every goal as it is written, in the problem's order; weaker where a better proof would take long."""
    return tuple(shown(exact) for exact in quick_bounds(problem))


def bound(problem: Problem, goal: Goal) -> Value:
    """The least possible value whatever the other goals demand, for diversity the largest."""
    return shown(_Counting(problem, quietly).bound(goal))


def shown(exact: Bound) -> Value:
    """As the goal's value is written."""
    return plain(exact) if isinstance(exact, Fraction) else exact


class _Same:
    """A problem as a key: it cannot be hashed by what is in it, and need not be."""

    def __init__(self, problem: Problem, beat: Callable[[], None]) -> None:
        self.problem, self.beat = problem, beat

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and self.problem is other.problem

    def __hash__(self) -> int:
        return id(self.problem)


@lru_cache(maxsize=4)
def _bounds(key: _Same) -> tuple[Bound, ...]:
    counting, key.beat = _Counting(key.problem, key.beat), quietly
    found = [counting.bound(goal) for goal in key.problem.goals]
    if isinstance(next(iter(key.problem.goals), None), Wishes):
        found[0] = counting.fairest()
    return tuple(found)


def plain(exact: Fraction) -> Number:
    """A whole number as int, any other as the nearest float."""
    return int(exact) if exact.denominator == 1 else float(exact)


def even_squares(problem: Problem, goal: Balance) -> Fraction:
    """The sum of squared counts for perfectly even shares: what separates squared counts from squared deviations."""
    counts = ((there, len(_meeting(problem, round))) for round, there in _value_counts(problem, goal))
    return sum((Fraction(there * there, meeting) for there, meeting in counts if meeting), Fraction(0))


@dataclass
class _Counting:
    problem: Problem
    beat: Callable[[], None]
    is_quick: bool = False
    known: dict[bytes, int | None] = field(default_factory=dict)

    def bound(self, goal: Goal) -> Bound:
        self.beat()
        if isinstance(goal, Colleagues):
            return sum(self._colleagues(goal, round) for round in _rounds(self.problem))
        if isinstance(goal, Repeats):
            return max(self._spanning(), _pigeonhole(self.problem), _forced(self.problem))
        if isinstance(goal, Balance):
            return self.least_squares(goal) - even_squares(self.problem, goal)
        if isinstance(goal, Diversity):
            return _diversity(self.problem, goal)
        best = grant_alone(self.problem) if self.is_quick else granted(self.problem, self.beat)
        return best.worst, best.total

    def fairest(self) -> tuple[int, int]:
        """For wishes as the first goal: nobody is worse off than the seats prove to be needed, where these break no rule."""
        best = granted(self.problem, self.beat)
        return best.worst, best.fair_total if best.is_proven else best.total

    # -- one round: even spread ----------------------------------------------------------------------------------------

    def least_squares(self, goal: Balance) -> int:
        """The least possible sum of squared counts over rounds, groups and values."""
        return sum(self._squares(name, round) for round in _rounds(self.problem) for name in goal.attributes)

    def _squares(self, name: str, round: int) -> int:
        """2 · (pairs with one value) + people with a value, at the tables of one round."""
        kinds = {person.id: person.attributes.get(name) for person in _there(self.problem, round)}
        seats = [group.size(round)[1] for group in _meeting(self.problem, round)]
        staff = Counter(value for value in kinds.values() if value is not None)
        simple = sum(_pairs(_even(count, seats)) for count in staff.values())
        return 2 * max(simple, self._alike(kinds, round, name) or 0) + sum(staff.values())

    def _colleagues(self, goal: Colleagues, round: int) -> int:
        there = _there(self.problem, round)
        home = {person.id: person.organisation for person in there if goal.counts(person)}
        seats = [group.size(round)[1] for group in _meeting(self.problem, round)]
        tied = (pair for pair in _tied(self.problem, round) if home.keys() >= set(pair))
        forced = Counter(home[one] for one, other in tied if home[one] == home[other])
        staff = Counter(home.values())
        simple = sum(max(_pairs(_even(count, seats)), forced[name]) for name, count in staff.items())
        return max(
            simple, self._alike({person.id: home.get(person.id) for person in there}, round, None) or 0
        )

    def _alike(self, kinds: Mapping[str, str | None], round: int, attribute: str | None) -> int | None:
        """The fewest pairs of one kind when all sizes, fixed seats and numbers of a value are kept; None: not counted."""
        meeting = _meeting(self.problem, round)
        names = [*dict.fromkeys(value for value in kinds.values() if value is not None), None]
        limits = _limits(group.size(round) for group in meeting)
        least = self._fixed(kinds, names, round)
        most = np.full_like(least, len(kinds))
        is_limited = self._limit(least, most, names, round, attribute) or least.any()
        if self.is_quick or (not is_limited and len({group.size(round) for group in meeting}) <= 1):
            return None
        counts = Counter(kinds.values())
        rows = np.array([counts[name] for name in names], dtype=np.int64)
        slopes = np.array([name is not None for name in names], dtype=np.int64)
        return self._least(Table((rows, rows), limits, (least, most), slopes), len(kinds))

    def _limit(
        self, least: Numbers, most: Numbers, names: Sequence[str | None], round: int, attribute: str | None
    ) -> bool:
        """What rules demand of every group; True if they demand anything of these values."""
        rules = [
            rule
            for rule in self.problem.rules
            if isinstance(rule, EachGroupHas)
            and applies(rule, round)
            and rule.attribute == attribute
            and rule.value in names
        ]
        for rule in rules:
            row = names.index(rule.value)
            least[row] = np.maximum(least[row], rule.min or 0)
            if rule.max is not None:
                most[row] = np.minimum(most[row], rule.max)
        return bool(rules)

    def _fixed(self, kinds: Mapping[str, str | None], names: Sequence[str | None], round: int) -> Numbers:
        """[kind, group]: how many have a fixed seat there."""
        least = np.zeros((len(names), len(_meeting(self.problem, round))), dtype=np.int64)
        for person, group in self._seats(round).items():
            if person in kinds:
                least[names.index(kinds[person]), group] += 1
        return least

    def _seats(self, round: int) -> dict[str, int]:
        """Who has a fixed seat in this round: the number of the group among those that meet."""
        place = {group.id: index for index, group in enumerate(_meeting(self.problem, round))}
        return {
            rule.person: place[rule.group]
            for rule in self.problem.rules
            if isinstance(rule, Fixed) and applies(rule, round) and rule.group in place
        }

    def _least(self, table: Table, units: int) -> int | None:
        """The least cost of the table; None where it is too large or cannot be."""
        if not table.size or table.size * units > MOST_WORK:
            return None
        parts = (*table.rows, *table.columns, *table.entries, table.slopes)
        key = b"".join(part.tobytes() for part in parts)
        if key not in self.known:
            entries = fill(table, units, self.beat)
            costs = None if entries is None else table.slopes[:, None] * entries * (entries - 1) // 2
            self.known[key] = None if costs is None else int(costs.sum())
        return self.known[key]

    # -- several rounds: repeats ---------------------------------------------------------------------------------------

    def _spanning(self) -> int:
        """Add the rounds one by one: each repeats at least what it shares with one before it; Prim picks the worst ones."""
        reached = {1: 0} | dict.fromkeys(range(2, self.problem.rounds + 1), -1)
        total = 0
        while reached:
            nearest = max(reached, key=lambda round: reached[round])
            total += reached.pop(nearest)
            reached = {round: max(shared, self._shared(nearest, round)) for round, shared in reached.items()}
        return total

    def _shared(self, one: int, other: int) -> int:
        """The least number of pairs that two rounds can have in common."""
        simple = max(_split(self.problem, one, other), _split(self.problem, other, one))
        return max(simple, self._crossed(one, other) or 0)

    def _crossed(self, one: int, other: int) -> int | None:
        """Rows and columns are the tables of the two rounds, entries the people who go from one to the other."""
        tables = [_meeting(self.problem, round) for round in (one, other)]
        sizes = {
            group.size(round) for round, groups in zip((one, other), tables, strict=True) for group in groups
        }
        entries = np.zeros((len(tables[0]), len(tables[1])), dtype=np.int64)
        seats, then = self._seats(one), self._seats(other)
        staying = self._staying(one, other)
        people = [{person.id for person in _there(self.problem, round)} for round in (one, other)]
        for person in (seats.keys() | then.keys()) & people[0] & people[1]:
            here, there = seats.get(person), then.get(person)
            group = tables[0][here] if here is not None else tables[1][there] if there is not None else None
            if person in staying and group in tables[0] and group in tables[1]:
                here, there = tables[0].index(group), tables[1].index(group)
            if here is not None and there is not None:
                entries[here, there] += 1
        if self.is_quick or (len(sizes) <= 1 and not entries.any()):
            return None
        both = len(people[0] & people[1])
        limits = [
            _limits(
                (max(0, least - len(there) + both), most)
                for least, most in (group.size(round) for group in groups)
            )
            for there, round, groups in zip(people, (one, other), tables, strict=True)
        ]
        slopes = np.ones(len(tables[0]), dtype=np.int64)
        return self._least(Table(limits[0], limits[1], (entries, np.full_like(entries, both)), slopes), both)

    def _staying(self, one: int, other: int) -> set[str]:
        return {
            rule.person
            for rule in self.problem.rules
            if isinstance(rule, Stays) and applies(rule, one) and applies(rule, other)
        }


def _limits(sizes: Iterable[tuple[int, int]]) -> tuple[Numbers, Numbers]:
    pairs = np.array(list(sizes), dtype=np.int64).reshape(-1, 2)
    return pairs[:, 0], pairs[:, 1]


def _value_counts(problem: Problem, goal: Balance) -> list[tuple[int, int]]:
    """(round, number of people there) for every value of every attribute."""
    return [
        (round, count)
        for round in _rounds(problem)
        for name in goal.attributes
        for value, count in Counter(person.attributes.get(name) for person in _there(problem, round)).items()
        if value is not None
    ]


def _split(problem: Problem, before: int, after: int) -> int:
    """Each table of the round `after` gathers people from the tables of `before`: some come from the same one."""
    both = sum(person.is_there(before) for person in _there(problem, after))
    strangers = len(_there(problem, after)) - both
    sources = len(_meeting(problem, before))
    sizes = [group.size(after) for group in _meeting(problem, after)]
    tables = _fill(both, [(max(0, least - strangers), most) for least, most in sizes], sources)
    return sum(times * _least_pairs(table, sources) for table, times in Counter(tables).items())


def _least_pairs(people: int, sources: int) -> int:
    """The fewest pairs that come from one source, of so many."""
    share, rest = divmod(people, max(1, sources))
    return _pairs([share]) * (sources - rest) + _pairs([share + 1]) * rest


def _pigeonhole(problem: Problem) -> int:
    meetings = sum(_fewest_meetings(problem, round) for round in _rounds(problem))
    return max(0, meetings + len(problem.met) - _possible_pairs(problem))


def _fewest_meetings(problem: Problem, round: int) -> int:
    sizes = [group.size(round) for group in _meeting(problem, round)]
    return _pairs(_fill(len(_there(problem, round)), sizes, 1))


def _possible_pairs(problem: Problem) -> int:
    """How many pairs are ever there together or have met before."""
    presence = {person.id: frozenset(filter(person.is_there, _rounds(problem))) for person in problem.people}
    kinds = Counter(presence.values())
    alike = _pairs(count for rounds, count in kinds.items() if rounds)
    mixed = sum(kinds[one] * kinds[other] for one, other in combinations(kinds, 2) if one & other)
    apart = sum(not frozenset.intersection(*(presence[person] for person in pair)) for pair in problem.met)
    return alike + mixed + apart


def _forced(problem: Problem) -> int:
    """Pairs that a rule holds together meet again in each round but their first."""
    times = Counter(frozenset(pair) for round in _rounds(problem) for pair in _tied(problem, round))
    return sum(count - 1 + (pair in problem.met) for pair, count in times.items())


def _diversity(problem: Problem, goal: Diversity) -> float | int:
    """Nobody can do better than the best neighbours that fit at a table; each pair is seen from both sides."""
    values: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    for one, other, value in goal.pairs:
        values[one][other] += value
        values[other][one] += value
    return sum(_best_neighbours(problem, round, values) for round in _rounds(problem)) / 2


def _best_neighbours(problem: Problem, round: int, values: Mapping[str, Mapping[str, float]]) -> float:
    there = [person.id for person in _there(problem, round)]
    seats = max((group.size(round)[1] for group in _meeting(problem, round)), default=1) - 1
    total = 0.0
    for person in there:
        near = values.get(person, {})
        total += sum(
            sorted((max(0.0, near[other]) for other in there if other in near), reverse=True)[:seats]
        )
    return total


def _rounds(problem: Problem) -> range:
    return range(1, problem.rounds + 1)


def _there(problem: Problem, round: int) -> list[Person]:
    return [person for person in problem.people if person.is_there(round)]


def _meeting(problem: Problem, round: int) -> list[Group]:
    return [group for group in problem.groups if group.meets(round)]


def _tied(problem: Problem, round: int) -> list[tuple[str, str]]:
    """Pairs that one rule holds together in this round, each once."""
    there = {person.id for person in _there(problem, round)}
    rules = (rule for rule in problem.rules if isinstance(rule, Together) and applies(rule, round))
    pairs = (pair for rule in rules for pair in combinations(sorted(there.intersection(rule.people)), 2))
    return list(dict.fromkeys(pairs))


def _even(count: int, seats: Sequence[int]) -> list[int]:
    """People spread over tables as evenly as their seats allow."""
    return _fill(count, [(0, most) for most in seats], 1)


def _fill(count: int, sizes: Sequence[tuple[int, int]], sources: int) -> list[int]:
    """Table sizes within (least, most) where as few as possible share one of the `sources` from which they come.

    Each seat costs what it adds, and never less than the seat before it: so taking the cheapest seat each time is best.
    """
    share, rest = divmod(count, max(1, len(sizes)))
    if sizes and all(least <= share and share + (rest > 0) <= most for least, most in sizes):
        return [share + 1] * rest + [share] * (len(sizes) - rest)
    tables = [least for least, _ in sizes]
    free = [
        (table // max(1, sources), index) for index, table in enumerate(tables) if table < sizes[index][1]
    ]
    heapify(free)
    for _ in range(min(count, sum(most for _, most in sizes)) - sum(tables)):
        index = free[0][1]
        tables[index] += 1
        if tables[index] < sizes[index][1]:
            heapreplace(free, (tables[index] // max(1, sources), index))
        else:
            heappop(free)
    return tables


def _pairs(counts: Iterable[int]) -> int:
    return sum(count * (count - 1) // 2 for count in counts)
