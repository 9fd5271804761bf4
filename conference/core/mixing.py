"""What a seating means for people: who meets again, where colleagues sit together, whose wishes come true."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

from .grouping import Colleagues, GoalScore, Problem, Seating, Value, Violation, evaluate, violations


@dataclass(frozen=True)
class Again:
    """Two people who meet more than once. `before`: they also met at an earlier conference."""

    people: tuple[str, str]
    rounds: tuple[int, ...]
    before: bool


@dataclass(frozen=True)
class Beside:
    """Colleagues of one organisation at one table."""

    round: int
    table: str
    people: tuple[str, ...]


@dataclass(frozen=True)
class Granted:
    """How many seats hold people at a wish of this rank (1 is the first); rank None: at none of their wishes."""

    rank: int | None
    seats: int


@dataclass(frozen=True)
class Judgement:
    """Everything that can be said about a seating: goals with bounds, broken rules, and what hurts, person by person."""

    scores: tuple[GoalScore, ...]
    broken: tuple[Violation, ...]
    again: tuple[Again, ...]
    beside: tuple[Beside, ...]
    granted: tuple[Granted, ...]


def judge(problem: Problem, seating: Seating, bounds: Sequence[Value] | None = None) -> Judgement:
    """All of it. People in the seating whom the problem does not know must have been left out.

    `bounds` of the goals, where they have been proven before; else they are proven now, which may take seconds.
    """
    return Judgement(
        evaluate(problem, seating, bounds),
        violations(problem, seating),
        tuple(_again(problem, seating)),
        tuple(_beside(problem, seating)),
        tuple(_granted(problem, seating)),
    )


def _again(problem: Problem, seating: Seating) -> Iterator[Again]:
    rounds: dict[tuple[str, str], list[int]] = defaultdict(list)
    for number, tables in enumerate(seating, 1):
        for people in tables.values():
            for pair in combinations(sorted(people), 2):
                rounds[pair].append(number)
    for pair, met in sorted(rounds.items()):
        before = frozenset(pair) in problem.met
        if len(met) + before > 1:
            yield Again(pair, tuple(met), before)


def _beside(problem: Problem, seating: Seating) -> Iterator[Beside]:
    goal = next((goal for goal in problem.goals if isinstance(goal, Colleagues)), None)
    if goal is None:
        return
    home = {person.id: person.organisation for person in problem.people if goal.counts(person)}
    for number, tables in enumerate(seating, 1):
        for table, people in tables.items():
            for same in _alike(people, home):
                yield Beside(number, table, same)


def _alike(people: Iterable[str], home: dict[str, str | None]) -> list[tuple[str, ...]]:
    houses: dict[str | None, list[str]] = defaultdict(list)
    for person in people:
        if person in home:
            houses[home[person]].append(person)
    return [tuple(same) for same in houses.values() if len(same) > 1]


def _granted(problem: Problem, seating: Seating) -> list[Granted]:
    """Only people who wished for something are counted; nothing at all when nobody did."""
    wishes = {person.id: person.wishes for person in problem.people if person.wishes}
    groups = {group.id: group for group in problem.groups}
    ranks: Counter[int | None] = Counter()
    for tables in seating:
        for table, people in tables.items():
            names = (groups[table].id, groups[table].topic) if table in groups else (table,)
            ranks.update(_rank(wishes[person], names) for person in people if person in wishes)
    known = sorted(rank for rank in ranks if rank is not None)
    last: Sequence[int | None] = [None] if None in ranks else []
    return [Granted(rank, ranks[rank]) for rank in [*known, *last]]


def _rank(wishes: Sequence[str], names: Sequence[str | None]) -> int | None:
    return next((place for place, wish in enumerate(wishes, 1) if wish in names), None)
