"""Which hard rules a seating breaks: for seatings made by hand, and as the judge of those made by the search."""

from collections import Counter
from collections.abc import Iterator

from .model import (
    RULE_NAMES,
    Apart,
    EachGroupHas,
    Fixed,
    NotIn,
    Problem,
    Rule,
    Seating,
    Stays,
    Together,
    Violation,
    applies,
)

Seats = dict[str, str]
"""In one round: person → group."""


def violations(problem: Problem, seating: Seating) -> tuple[Violation, ...]:
    """Everything that is wrong with this seating; empty if it may stand."""
    return tuple(_violations(problem, seating))


def check_move(
    problem: Problem, seating: Seating, person: str, round: int, group: str
) -> tuple[Violation, ...]:
    """What this move (or first seat) would make wrong or worse; empty if the move is fine."""
    before = {_place(violation): _weight(violation) for violation in violations(problem, seating)}
    after = violations(problem, moved(seating, person, round, group))
    return tuple(one for one in after if _place(one) not in before or _weight(one) > before[_place(one)])


def _place(violation: Violation) -> tuple[object, ...]:
    people = () if violation.code in ("too_few", "too_many") else violation.people
    return violation.code, violation.round, violation.group, violation.rule, people


def _weight(violation: Violation) -> int:
    """A table with fewer people is less crowded, but more deserted."""
    return -len(violation.people) if violation.code == "too_few" else len(violation.people)


def moved(seating: Seating, person: str, round: int, group: str) -> Seating:
    """The seating with this person at the end of that group in that round (counted from 1)."""
    seats = {
        name: tuple(one for one in people if one != person) for name, people in seating[round - 1].items()
    }
    seats[group] = (*seats.get(group, ()), person)
    return (*seating[: round - 1], seats, *seating[round:])


def _violations(problem: Problem, seating: Seating) -> Iterator[Violation]:
    if len(seating) != problem.rounds:
        raise ValueError(f"{problem.rounds} rounds needed, not {len(seating)}")
    for round in range(1, problem.rounds + 1):
        yield from _bad_seats(problem, seating, round)
        yield from _bad_sizes(problem, seating, round)
    where = [{person: group for group, people in seats.items() for person in people} for seats in seating]
    for rule in problem.rules:
        yield from _broken(problem, rule, seating, where)


def _bad_seats(problem: Problem, seating: Seating, round: int) -> Iterator[Violation]:
    seats = seating[round - 1]
    times = Counter(person for people in seats.values() for person in people)
    there = {person.id: person.is_there(round) for person in problem.people}
    for person, is_there in there.items():
        if is_there and not times[person]:
            yield Violation("missing", round, people=(person,))
    for person, count in times.items():
        if count > 1:
            yield Violation("twice", round, people=(person,))
        if not there.get(person):
            yield Violation("not_there" if person in there else "unknown", round, people=(person,))


def _bad_sizes(problem: Problem, seating: Seating, round: int) -> Iterator[Violation]:
    seats = seating[round - 1]
    known = {group.id for group in problem.groups}
    for name in seats:
        if name not in known:
            yield Violation("unknown", round, group=name)
    for group in problem.groups:
        people = tuple(seats.get(group.id, ()))
        least, most = group.size(round)
        if not least <= len(people) <= most:
            yield Violation("too_few" if len(people) < least else "too_many", round, group.id, people)


def _broken(problem: Problem, rule: Rule, seating: Seating, where: list[Seats]) -> Iterator[Violation]:
    rounds = [round for round in range(1, problem.rounds + 1) if applies(rule, round)]
    if isinstance(rule, Stays):
        yield from _strays(rule, rounds, where)
    for round in rounds:
        if isinstance(rule, Together | Apart):
            yield from _badly_paired(rule, round, where[round - 1])
        if isinstance(rule, Fixed | NotIn):
            yield from _misplaced(rule, round, where[round - 1])
        if isinstance(rule, EachGroupHas):
            yield from _badly_filled(problem, rule, round, seating)


def _strays(rule: Stays, rounds: list[int], where: list[Seats]) -> Iterator[Violation]:
    groups = {where[round - 1][rule.person] for round in rounds if rule.person in where[round - 1]}
    if len(groups) > 1:
        yield Violation("stays", people=(rule.person,), rule=rule)


def _badly_paired(rule: Together | Apart, round: int, seats: Seats) -> Iterator[Violation]:
    groups = [seats[person] for person in rule.people if person in seats]
    tables = len(set(groups))
    broken = tables > 1 if isinstance(rule, Together) else tables < len(groups)
    if broken:
        yield Violation(RULE_NAMES[type(rule)], round, people=rule.people, rule=rule)


def _misplaced(rule: Fixed | NotIn, round: int, seats: Seats) -> Iterator[Violation]:
    is_there = seats.get(rule.person) == rule.group
    if rule.person in seats and is_there != isinstance(rule, Fixed):
        yield Violation(RULE_NAMES[type(rule)], round, rule.group, (rule.person,), rule)


def _badly_filled(problem: Problem, rule: EachGroupHas, round: int, seating: Seating) -> Iterator[Violation]:
    having = {person.id for person in problem.people if person.attributes.get(rule.attribute) == rule.value}
    for group in problem.groups:
        people = tuple(person for person in seating[round - 1].get(group.id, ()) if person in having)
        if not group.meets(round):
            continue
        if len(people) < (rule.min or 0):
            yield Violation("too_few", round, group.id, people, rule)
        if rule.max is not None and len(people) > rule.max:
            yield Violation("too_many", round, group.id, people, rule)
