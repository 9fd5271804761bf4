"""How good a seating is, counted plainly from its definition: the judge of the search, which counts in its own way."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from itertools import combinations
from math import fsum

import numpy as np

from .bounds import Bound, bounds, plain, shown
from .model import (
    GOAL_NAMES,
    Balance,
    Colleagues,
    Diversity,
    Goal,
    GoalScore,
    Number,
    Problem,
    Repeats,
    Seating,
    Value,
)


def evaluate(
    problem: Problem, seating: Seating, known: Sequence[Bound] | None = None
) -> tuple[GoalScore, ...]:
    """Value and proven bound of every goal, in the problem's order; the bounds are counted unless they are `known`."""
    least = bounds(problem) if known is None else known
    return tuple(
        GoalScore(GOAL_NAMES[type(goal)], _value(problem, goal, seating), shown(bound))
        for goal, bound in zip(problem.goals, least, strict=True)
    )


def status(scores: Iterable[GoalScore]) -> str:
    """The word "optimal" where every value equals its bound, else "feasible"."""
    return "optimal" if all(score.value == score.bound for score in scores) else "feasible"


def _value(problem: Problem, goal: Goal, seating: Seating) -> Value:
    if isinstance(goal, Colleagues):
        return _colleagues(problem, goal, seating)
    if isinstance(goal, Repeats):
        return _repeats(problem, seating)
    if isinstance(goal, Balance):
        return plain(sum((_imbalance(problem, name, seating) for name in goal.attributes), Fraction(0)))
    if isinstance(goal, Diversity):
        return _diversity(goal, seating)
    return _wishes(problem, seating)


def _tables(seating: Seating) -> Iterator[tuple[str, ...]]:
    return (people for seats in seating for people in seats.values())


def _pairs(seating: Seating) -> Iterator[frozenset[str]]:
    return (frozenset(pair) for people in _tables(seating) for pair in combinations(people, 2))


def _colleagues(problem: Problem, goal: Colleagues, seating: Seating) -> int:
    home = {person.id: person.organisation for person in problem.people if goal.counts(person)}
    tables = (Counter(home[person] for person in people if person in home) for people in _tables(seating))
    return sum(count * (count - 1) // 2 for table in tables for count in table.values())


def _repeats(problem: Problem, seating: Seating) -> int:
    place = {person.id: index for index, person in enumerate(problem.people)}
    meetings = np.zeros((len(place), len(place)), dtype=np.int16)
    for people in _tables(seating):
        table = [place[person] for person in people]
        meetings[np.ix_(table, table)] += 1
    for pair in problem.met:
        one, other = (place[person] for person in pair)
        meetings[one, other] += 1
        meetings[other, one] += 1
    np.fill_diagonal(meetings, 0)
    return int(np.maximum(meetings - 1, 0).sum(dtype=np.int64)) // 2


def _imbalance(problem: Problem, attribute: str, seating: Seating) -> Fraction:
    rounds = enumerate(seating, 1)
    return sum((_round_imbalance(problem, attribute, round, seats) for round, seats in rounds), Fraction(0))


def _round_imbalance(
    problem: Problem, attribute: str, round: int, seats: Mapping[str, tuple[str, ...]]
) -> Fraction:
    has = {person.id: person.attributes.get(attribute) for person in problem.people if person.is_there(round)}
    meeting = [group.id for group in problem.groups if group.meets(round)]
    total = Fraction(0)
    for value, there in Counter(value for value in has.values() if value is not None).items():
        counts = (sum(has.get(person) == value for person in seats.get(group, ())) for group in meeting)
        total += sum((count - Fraction(there, len(meeting))) ** 2 for count in counts)
    return total


def _diversity(goal: Diversity, seating: Seating) -> Number:
    meetings = Counter(_pairs(seating))
    values = [value * meetings[frozenset((one, other))] for one, other, value in goal.pairs]
    return sum(map(int, values)) if all(isinstance(value, int) for value in values) else fsum(values)


def _wishes(problem: Problem, seating: Seating) -> tuple[int, int]:
    people = {person.id: person for person in problem.people}
    groups = {group.id: group for group in problem.groups}
    totals = Counter(dict.fromkeys(people, 0))
    for seats in seating:
        for group, persons in seats.items():
            totals.update({person: people[person].wish_cost(groups[group]) for person in persons})
    return max(totals.values(), default=0), sum(totals.values())
