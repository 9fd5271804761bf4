"""What no seating can beat, counted without seating anybody. Every bound is valid whatever the other goals demand."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from heapq import heapify, heappop, heapreplace
from itertools import combinations

from .model import (
    Balance,
    Colleagues,
    Diversity,
    Goal,
    Group,
    Number,
    Person,
    Problem,
    Repeats,
    Together,
    Value,
    applies,
)
from .wishes import granted


def bound(problem: Problem, goal: Goal) -> Value | None:
    """The least possible value, for diversity an upper bound; None where nobody can say (some group list is empty)."""
    if isinstance(goal, Colleagues):
        return _colleagues(problem, goal)
    if isinstance(goal, Repeats):
        return _repeats(problem)
    if isinstance(goal, Balance):
        return plain(least_squares(problem, goal) - even_squares(problem, goal))
    if isinstance(goal, Diversity):
        return _diversity(problem, goal)
    best = granted(problem)
    return best.worst, best.total


def plain(exact: Fraction) -> Number:
    """A whole number as int, any other as the nearest float."""
    return int(exact) if exact.denominator == 1 else float(exact)


def least_squares(problem: Problem, goal: Balance) -> int:
    """The least possible sum of squared counts over rounds, groups and values."""
    return sum(
        sum(
            count * count
            for count in _even(there, [group.size(round)[1] for group in _meeting(problem, round)])
        )
        for round, there in _value_counts(problem, goal)
    )


def even_squares(problem: Problem, goal: Balance) -> Fraction:
    """The same sum for perfectly even shares: what separates squared counts from squared deviations."""
    counts = ((there, len(_meeting(problem, round))) for round, there in _value_counts(problem, goal))
    return sum((Fraction(there * there, meeting) for there, meeting in counts if meeting), Fraction(0))


def _value_counts(problem: Problem, goal: Balance) -> list[tuple[int, int]]:
    """(round, number of people there) for every value of every attribute."""
    return [
        (round, count)
        for round in _rounds(problem)
        for name in goal.attributes
        for value, count in Counter(person.attributes.get(name) for person in _there(problem, round)).items()
        if value is not None
    ]


def _colleagues(problem: Problem, goal: Colleagues) -> int:
    return sum(_colleagues_in(problem, goal, round) for round in _rounds(problem))


def _colleagues_in(problem: Problem, goal: Colleagues, round: int) -> int:
    home = {person.id: person.organisation for person in _there(problem, round) if goal.counts(person)}
    seats = [group.size(round)[1] for group in _meeting(problem, round)]
    tied = (pair for pair in _tied(problem, round) if home.keys() >= set(pair))
    forced = Counter(home[one] for one, other in tied if home[one] == home[other])
    staff = Counter(home.values())
    return sum(max(_pairs(_even(count, seats)), forced[name]) for name, count in staff.items())


def _repeats(problem: Problem) -> int:
    """The best of three: every round against one other, too few pairs for all meetings, people tied together."""
    return max(_spanning(problem), _pigeonhole(problem), _forced(problem))


def _spanning(problem: Problem) -> int:
    """Add the rounds one by one: each repeats at least what it shares with one before it; Prim picks the worst ones."""
    reached = {1: 0} | dict.fromkeys(range(2, problem.rounds + 1), -1)
    total = 0
    while reached:
        nearest = max(reached, key=lambda round: reached[round])
        total += reached.pop(nearest)
        reached = {round: max(shared, _shared(problem, nearest, round)) for round, shared in reached.items()}
    return total


def _shared(problem: Problem, one: int, other: int) -> int:
    """The least number of pairs that two rounds can have in common."""
    return max(_split(problem, one, other), _split(problem, other, one))


def _split(problem: Problem, before: int, after: int) -> int:
    """Each table of the round `after` gathers people from the tables of `before`: some come from the same one."""
    both = sum(person.is_there(before) for person in _there(problem, after))
    strangers = len(_there(problem, after)) - both
    sources = len(_meeting(problem, before))
    sizes = [group.size(after) for group in _meeting(problem, after)]
    tables = _fill(both, [(max(0, least - strangers), most) for least, most in sizes], sources)
    return sum(_pairs(_even(table, [table] * sources)) for table in tables)


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
