"""Seats from a schedule in which nobody, or as few as possible, meet twice, where the problem is regular enough for one.

Ranks of the schedule never meet, so a rank takes people who should not: those of one organisation, and those of one kind,
of whom every table then gets one. People who stay take the first rank, which keeps its tables.
"""

from collections import Counter
from random import Random

import numpy as np

from .compiled import Compiled
from .designs import Design, design
from .model import Balance, Colleagues, EachGroupHas, Fixed, Problem, Stays
from .state import Numbers


def skeleton(compiled: Compiled) -> tuple[Numbers, bool] | None:
    """[round, place] → group, and whether the places come in ranks; None where no schedule fits these groups."""
    rounds = compiled.rounds
    meeting = {tuple(one.open) for one in rounds}
    if len(meeting) != 1 or compiled.people < 2:
        return None
    groups = np.array(next(iter(meeting)), dtype=np.int64)
    if len(groups) < 2:
        return None
    size = -(-compiled.people // len(groups))
    if not _fits(compiled, size):
        return None
    found = _trimmed(design(len(groups), size, len(rounds)), compiled.people)
    return None if found is None else (groups[found.schedule], found.ranks)


def _fits(compiled: Compiled, size: int) -> bool:
    """All tables may have about this size; where people are away the search moves some later."""
    is_exact = size * len(compiled.rounds[0].open) == compiled.people
    for one in compiled.rounds:
        away = compiled.people - sum(one.counters[0].part)
        for group in one.open:
            least, most = one.counters[0].least[group], one.counters[0].most[group]
            if least > size - (not is_exact) or most < size - (1 if away else 0):
                return False
    return True


def _trimmed(found: Design | None, people: int) -> Design | None:
    """The schedule without the places that nobody needs, at most one from each table of each round if it can be."""
    if found is None:
        return None
    spare = found.schedule.shape[1] - people
    if spare == 0 or found.ranks:
        # The last rank has one place at every table: some of its places may be empty.
        return found
    dropped: list[int] = []
    for place in reversed(range(found.schedule.shape[1])):
        if len(dropped) < spare and not _meets(found.schedule, place, dropped):
            dropped.append(place)
    rest = [place for place in reversed(range(found.schedule.shape[1])) if place not in dropped]
    dropped += rest[: spare - len(dropped)]
    return Design(np.delete(found.schedule, dropped, axis=1), ranks=False)


def _meets(schedule: Numbers, place: int, others: list[int]) -> bool:
    return bool((schedule[:, others] == schedule[:, [place]]).any())


def places(compiled: Compiled, schedule: Numbers, has_ranks: bool, rng: Random, run: int) -> list[int]:
    """A place for everybody: rank by rank those who are alike, in an order that differs from run to run."""
    problem = compiled.problem
    order = _order(problem, rng, run) if has_ranks else _shuffled(list(range(compiled.people)), rng)
    order += range(compiled.people, schedule.shape[1])
    taken = _pinned(compiled, schedule)
    used = set(taken.values())
    free = (place for place in range(schedule.shape[1]) if place not in used)
    result = [0] * len(order)
    for person in order:
        result[person] = taken[person] if person in taken else next(free)
    return result


def _order(problem: Problem, rng: Random, run: int) -> list[int]:
    """People of one kind and one organisation side by side; which of the two comes first changes with the run."""
    names = list(
        dict.fromkeys(
            [rule.attribute for rule in problem.rules if isinstance(rule, EachGroupHas)]
            + [name for goal in problem.goals if isinstance(goal, Balance) for name in goal.attributes]
        )
    )
    homes = next((goal for goal in problem.goals if isinstance(goal, Colleagues)), None)
    often = Counter((name, person.attributes.get(name)) for person in problem.people for name in names)
    lots = {person: rng.random() for person in range(len(problem.people))}
    draw: dict[object, float] = {}

    def lot(key: object) -> float:
        return draw.setdefault(key, rng.random())

    def kind(name: str, value: str | None) -> tuple[float, float]:
        """At first the rare kinds, so that the rank that is not full holds the most frequent one; later any order."""
        return (often[name, value] if run == 0 else 0), lot((name, value))

    def key(index: int) -> tuple[object, ...]:
        person = problem.people[index]
        kinds = tuple(kind(name, person.attributes.get(name)) for name in names)
        home = lot(("home", person.organisation if homes and homes.counts(person) else person.id))
        return (*kinds, home, lots[index]) if run % 2 == 0 else (kinds[:1], home, *kinds[1:], lots[index])

    return sorted(range(len(problem.people)), key=key)


def _shuffled(numbers: list[int], rng: Random) -> list[int]:
    lots = {number: rng.random() for number in numbers}
    return sorted(numbers, key=lots.__getitem__)


def _pinned(compiled: Compiled, schedule: Numbers) -> dict[int, int]:
    """People who stay or are fixed in every round, each at a place that keeps its table; as many as there are places."""
    problem = compiled.problem
    steady = [place for place in range(schedule.shape[1]) if (schedule[:, place] == schedule[0, place]).all()]
    at = {person.id: index for index, person in enumerate(problem.people)}
    group = {one.id: index for index, one in enumerate(problem.groups)}
    wanted: dict[int, int | None] = {}
    for rule in problem.rules:
        if isinstance(rule, Stays):
            wanted.setdefault(at[rule.person], None)
        if isinstance(rule, Fixed) and (rule.rounds is None or len(rule.rounds) == problem.rounds):
            wanted[at[rule.person]] = group[rule.group]
    taken: dict[int, int] = {}
    for person, goal in sorted(wanted.items(), key=lambda item: item[1] is None):
        place = next(
            (p for p in steady if p not in taken.values() and goal in (None, int(schedule[0, p]))), None
        )
        if place is not None:
            taken[person] = place
    return taken
