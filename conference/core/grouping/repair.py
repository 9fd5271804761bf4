"""A published seating after something has changed: the fewest moves that keep the rules, everybody else stays.

`fewest` proves the number of moves; of the seatings that need no more, `polish` then looks for the best one.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from random import Random
from typing import Any

import numpy as np

from .checking import check
from .compiled import Compiled, compile_problem
from .contradiction import contradiction
from .fewest import GONE, NEW, Wheres, fewest_moves
from .flow import CLOSED, Numbers
from .model import (
    BadProblem,
    Contradiction,
    EachGroupHas,
    Fixed,
    Group,
    NotFound,
    Problem,
    Rule,
    Seating,
    Solution,
    Stays,
    applies,
)
from .objective import Objective, objective
from .polish import polished, seats_of
from .reading import check_letters
from .scoring import evaluate, status
from .state import State
from .tabu import Tabu
from .violations import violations

MENDING = 3_000
COMPANY = 30
"""So many people whom somebody should not meet make a seat as bad as can be."""
STEER = 40_000
"""What makes a seat worse by a rule that the flow does not know; with all goals it stays far below a move."""


@dataclass(frozen=True)
class Move:
    """Somebody who was seated in this round sits elsewhere now."""

    person: str
    round: int
    from_group: str
    to_group: str


@dataclass(frozen=True)
class Repair:
    """The repaired seating, who moves, and whether it is proven that fewer moves are impossible."""

    solution: Solution
    moves: tuple[Move, ...]
    is_minimal: bool


def repair(problem: Problem, published: Seating, *, seed: int = 1, over: Collection[int] = ()) -> Repair:
    """Seats for the problem as it is now, with the fewest people in other groups than published.

    `published` may name people and groups that are gone, and have fewer rounds. Only people seated before count as moved.
    Rounds that are `over` stay as published: nobody moves in them and no rule speaks of them, but who met there has met,
    and who stays keeps to the group of then. Raises BadProblem, Contradiction, NotFound.
    """
    check(problem)
    past = {number for number in over if 1 <= number <= min(problem.rounds, len(published))}
    now, meant = _with_past(problem, published, past)
    search = _Search(now, published, past)
    try:
        wheres, is_minimal = search.run()
    except Contradiction as error:
        rules = tuple(meant.get(rule, rule) for rule in error.rules)
        raise Contradiction(
            rules, error.text, error.code, is_smallest=error.is_smallest, **error.facts
        ) from None
    wheres = polished(search.compiled, search.goals, search.before, wheres)
    seating = search.seating(wheres)
    scores = evaluate(now, seating)
    seating = tuple(
        published[number] if number + 1 in past else seats for number, seats in enumerate(seating)
    )
    solution = Solution(seating, scores, status(scores), seed, search.nodes)
    return Repair(solution, search.moves(wheres), is_minimal)


def _with_past(problem: Problem, published: Seating, past: set[int]) -> tuple[Problem, dict[Rule, Rule]]:
    """The problem with the rounds that are over as they were, and for each of its rules the one that is meant."""
    if not past:
        return problem, {}
    known = {person.id for person in problem.people}
    sat = {
        round: {
            group: [one for one in people if one in known] for group, people in published[round - 1].items()
        }
        for round in past
    }
    gone = {group for seats in sat.values() for group in seats} - {group.id for group in problem.groups}
    groups = (*problem.groups, *(Group(name, 0, 0) for name in sorted(gone)))
    there = {round: {one for people in seats.values() for one in people} for round, seats in sat.items()}
    meant = {}
    for rule in problem.rules:
        rounds = frozenset(round for round in range(1, problem.rounds + 1) if applies(rule, round))
        later = rounds if isinstance(rule, Stays) else rounds - past
        if later:
            meant[rule if later == rounds else replace(rule, rounds=later)] = rule
    return (
        replace(
            problem,
            groups=tuple(
                replace(
                    group,
                    overrides={
                        **group.overrides,
                        **{round: (len(sat[round].get(group.id, [])),) * 2 for round in past},
                    },
                )
                for group in groups
            ),
            people=tuple(
                replace(
                    person,
                    rounds=frozenset(
                        round
                        for round in range(1, problem.rounds + 1)
                        if (person.id in there[round] if round in past else person.is_there(round))
                    ),
                )
                for person in problem.people
            ),
            rules=tuple(meant),
        ),
        meant,
    )


def published_seating(json_obj: object) -> Seating:
    """The rounds of an earlier output. Raises BadProblem."""
    if not isinstance(json_obj, dict) or not isinstance(json_obj.get("rounds"), list):
        raise BadProblem("published", "the output of an earlier solution needed, with its rounds")
    return tuple(
        _published_round(one, f"published.rounds[{index}]") for index, one in enumerate(json_obj["rounds"])
    )


def _published_round(value: object, path: str) -> Mapping[str, tuple[str, ...]]:
    if not isinstance(value, dict):
        raise BadProblem(path, "an object needed: group → people")
    seats: dict[str, tuple[str, ...]] = {}
    seen: set[str] = set()
    for group, people in value.items():
        if not isinstance(people, list) or not all(isinstance(person, str) for person in people):
            raise BadProblem(f"{path}.{group}", "a list of people needed")
        for text in (group, *people):
            check_letters(text, path)
        twice = next((person for person in people if person in seen), None)
        if twice is not None or len(set(people)) < len(people):
            raise BadProblem(f"{path}.{group}", f"{twice or people[0]!r} is there twice")
        seen.update(people)
        seats[group] = tuple(people)
    return seats


def repair_to_json(repaired: Repair) -> list[dict[str, Any]]:
    """The moves in the output of `groups-solve --repair`."""
    return [
        {"person": move.person, "round": move.round, "from": move.from_group, "to": move.to_group}
        for move in repaired.moves
    ]


class _Search:
    def __init__(self, problem: Problem, published: Seating, past: set[int]) -> None:
        self.problem, self.past = problem, past
        self.compiled: Compiled = compile_problem(problem, problem.rules)
        self.goals: Objective = objective(self.compiled)
        self.place = {person.id: index for index, person in enumerate(problem.people)}
        self.group = {group.id: index for index, group in enumerate(problem.groups)}
        self.before = self._before(published)
        self.old = [dict(_home(seats)) for seats in published]
        self.nodes = 0

    def _before(self, published: Seating) -> Wheres:
        """Where everybody sat who is there and was seated."""
        rounds = []
        for number in range(self.problem.rounds):
            where = np.full(self.compiled.people, NEW, dtype=np.int64)
            for group, people in (published[number] if number < len(published) else {}).items():
                for person in people:
                    if person in self.place:
                        where[self.place[person]] = self.group.get(group, GONE)
            rounds.append(where)
        return tuple(rounds)

    def run(self) -> tuple[Wheres, bool]:
        """Seats with the fewest moves, and whether that is proven."""
        extra = [self._extra(number) for number in range(self.problem.rounds)]
        for round in self.past:
            self._hold(extra[round - 1], round - 1)
        most_nodes = max(400, 1_500_000 // max(1, self.compiled.people * self.compiled.groups))
        found = fewest_moves(self.compiled, self.before, extra, min(5_000, most_nodes))
        self.nodes = found.nodes
        if found.wheres is None:
            wrong = contradiction(self.problem, self._facts())
            if wrong or found.least is None:
                raise wrong or NotFound(())
            return self._mended(found.nearest), False
        return found.wheres, found.moves == found.least

    def _hold(self, extra: Numbers, number: int) -> None:
        """Nobody moves in a round that is over."""
        there = np.flatnonzero(self.before[number] >= 0)
        own = extra[there, self.before[number][there]]
        extra[there] = CLOSED
        extra[there, self.before[number][there]] = own

    def _facts(self) -> list[Rule]:
        """Where people who stay sat in rounds that are over."""
        staying = sorted({rule.person for rule in self.problem.rules if isinstance(rule, Stays)})
        return [
            Fixed(person, self.old[round - 1][person], frozenset({round}))
            for round in sorted(self.past)
            for person in staying
            if person in self.old[round - 1]
        ]

    # -- which of two seats is better ----------------------------------------------------------------------------------

    def _extra(self, number: int) -> Numbers:
        """What makes a seat worse: company that the goals do not want, and rules that no flow keeps."""
        total = np.zeros((self.compiled.people, self.compiled.groups), dtype=np.int64)
        weight = COMPANY**2
        for level in self.goals.levels:
            weight = max(1, weight // COMPANY)
            for labels in level.labels:
                kinds = np.array(labels, dtype=np.int64)
                total += weight * self._alike(kinds, number)
            if level.kind == "repeats":
                total += weight * self._met(number)
        self._steer(total, number)
        self._steer_counts(total, number)
        return np.minimum(total, 5 * STEER)

    def _alike(self, kinds: Numbers, number: int) -> Numbers:
        """[person, group]: how many of the same kind sit there now."""
        before = self.before[number]
        seated = np.flatnonzero((before >= 0) & (kinds >= 0))
        counts = np.zeros((int(kinds.max(initial=0)) + 2, self.compiled.groups), dtype=np.int64)
        np.add.at(counts, (kinds[seated], before[seated]), 1)
        alike: Numbers = np.minimum(counts[kinds], COMPANY)
        return alike

    def _met(self, number: int) -> Numbers:
        """[person, group]: how many sit there now whom the person meets in another round or has met before."""
        before = self.before[number]
        met = np.zeros((self.compiled.people, self.compiled.groups), dtype=np.int64)
        for index, where in enumerate(self.before):
            if index != number:
                met += self._alike(np.maximum(where, -1), number)
        for pair in self.goals.met:
            for one, other in (pair, pair[::-1]):
                if before[other] >= 0:
                    met[one, before[other]] += 1
        return np.minimum(met, COMPANY)

    def _steer(self, total: Numbers, number: int) -> None:
        """Who is bound to others had better stay, and nobody go where somebody sits from whom to keep apart."""
        one, before = self.compiled.rounds[number], self.before[number]
        for unit, people in enumerate(one.units):
            foes = [before[person] for foe in one.apart[unit] for person in one.units[foe]]
            for group in {int(group) for group in foes if group >= 0}:
                total[list(people), group] += STEER
            groups = [int(before[person]) for person in people if before[person] >= 0]
            if len(people) > 1:
                total[list(people)] += STEER
                if groups:
                    total[list(people), max(sorted(set(groups)), key=groups.count)] -= STEER
        for person, rounds in self.compiled.stays:
            if number in rounds:
                total[person] += STEER

    def _steer_counts(self, total: Numbers, number: int) -> None:
        """Who is one of few at a table had better stay, and others like them go where some are missing, not too many."""
        before = self.before[number]
        for rule in self.problem.rules:
            if not isinstance(rule, EachGroupHas) or not applies(rule, number + 1):
                continue
            having = np.array(
                [person.attributes.get(rule.attribute) == rule.value for person in self.problem.people]
            )
            count = np.bincount(before[having & (before >= 0)], minlength=self.compiled.groups)
            rare = having & (before >= 0) & (count <= (rule.min or 0))[np.maximum(before, 0)]
            total[rare] += STEER
            total[np.ix_(having, count >= (rule.min or 0))] += STEER // 2
            if rule.max is not None:
                total[np.ix_(having, count >= rule.max)] += STEER

    # -- the result ----------------------------------------------------------------------------------------------------

    def _mended(self, wheres: Wheres) -> Wheres:
        """Seats that keep all rules, near these ones; not proven to be the nearest. Raises NotFound."""
        weights = self.goals.strict()
        seats = seats_of(self.compiled, wheres)
        state = State(self.compiled, self.goals, weights, seats, 0)
        tabu = Tabu(state, Random(1))  # noqa: S311
        tabu.run(MENDING, 0)
        state = State(self.compiled, self.goals, weights, state.seats_of(tabu.best.where), 0)
        found = tuple(state.group_of[number].copy() for number in range(self.problem.rounds))
        wrong = violations(self.problem, self.seating(found))
        if wrong:
            raise NotFound(wrong)
        return found

    def moves(self, wheres: Wheres) -> tuple[Move, ...]:
        """Who sits elsewhere now, round by round."""
        return tuple(
            Move(
                self.problem.people[person].id,
                number + 1,
                self.old[number][self.problem.people[person].id],
                self.problem.groups[int(where[person])].id,
            )
            for number, where in enumerate(wheres)
            for person in np.flatnonzero(
                (self.before[number] != NEW) & (where >= 0) & (where != self.before[number])
            )
        )

    def seating(self, wheres: Wheres) -> Seating:
        """The seats by names."""
        return tuple(
            {
                group.id: tuple(self.problem.people[person].id for person in np.flatnonzero(where == index))
                for index, group in enumerate(self.problem.groups)
            }
            for where in wheres
        )


def _home(seats: Mapping[str, tuple[str, ...]]) -> Iterator[tuple[str, str]]:
    return ((person, group) for group, people in seats.items() for person in people)
