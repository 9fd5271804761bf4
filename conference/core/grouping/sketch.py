"""Contradictions that counting shows: a look at the rules that takes little time however many people there are.

Only people of whom a rule speaks by name are looked at one by one; all others may go anywhere and are a number. In each
round people tied together are one unit, with the groups that all of them may take. Proven impossible are then: two who must
sit together and apart; a unit without a group that is large enough; more people of a kind tied to a group than it may have,
fewer that can come than it needs; and people who all must be apart with too few groups for them (Hall).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from .flow import Numbers
from .model import Apart, EachGroupHas, Fixed, NotIn, Problem, Rule, Stays, Together, applies

Flags = NDArray[np.bool_]


class Sketcher:
    """The problem without its rules, prepared once for many looks at some of them."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.place = {person.id: index for index, person in enumerate(problem.people)}
        self.group = {group.id: index for index, group in enumerate(problem.groups)}
        self.there = [
            np.array([person.is_there(round) for person in problem.people], dtype=bool)
            for round in range(1, problem.rounds + 1)
        ]
        self.sizes = [
            np.array([group.size(round) for group in problem.groups], dtype=np.int64).reshape(-1, 2)
            for round in range(1, problem.rounds + 1)
        ]
        self.having: dict[tuple[str, str], Flags] = {}

    def is_wrong(self, rules: Sequence[Rule]) -> bool:
        """True if it is proven that these rules cannot all be kept."""
        looks = [_Look(self, number, rules) for number in range(self.problem.rounds)]
        self._bind(looks, [rule for rule in rules if isinstance(rule, Stays)])
        return any(look.is_wrong() for look in looks)

    def _bind(self, looks: "Sequence[_Look]", stays: Iterable[Stays]) -> None:
        """Who stays may only take a group that all these rounds allow; again as long as that tells something new."""
        bundles = []
        for rule in stays:
            person = self.place[rule.person]
            some = [looks[n] for n in range(len(looks)) if applies(rule, n + 1) and self.there[n][person]]
            if len(some) > 1:
                bundles.append((person, some))
        is_new = bool(bundles)
        while is_new:
            is_new = False
            for person, some in bundles:
                rows = [look.row(person) for look in some]
                both = np.logical_and.reduce(rows)
                for row in rows:
                    is_new |= bool((row & ~both).any())
                    row &= both

    def with_value(self, rule: EachGroupHas) -> Flags:
        """Who has the value that the rule counts."""
        key = rule.attribute, rule.value
        if key not in self.having:
            has = [person.attributes.get(rule.attribute) == rule.value for person in self.problem.people]
            self.having[key] = np.array(has, dtype=bool)
        return self.having[key]


@dataclass(frozen=True)
class _Count:
    """What each group needs of some people, and may have."""

    least: Numbers
    most: Numbers
    having: Flags


class _Look:
    """One round with some rules; `rows` are the groups open to units, by one person of each."""

    def __init__(self, sketcher: Sketcher, number: int, rules: Sequence[Rule]) -> None:
        self.sketcher, self.there = sketcher, sketcher.there[number]
        self.least, self.most = sketcher.sizes[number][:, 0], sketcher.sizes[number][:, 1]
        self.open: Flags = self.most > 0
        rules = [rule for rule in rules if applies(rule, number + 1)]
        self.head: dict[int, int] = {}
        self.members: dict[int, list[int]] = {}
        self.rows: dict[int, Flags] = {}
        for rule in rules:
            if isinstance(rule, Together):
                self._tie(self._present(rule))
        for rule in rules:
            if isinstance(rule, Fixed | NotIn) and self.there[sketcher.place[rule.person]]:
                row, group = self.row(sketcher.place[rule.person]), sketcher.group[rule.group]
                is_open = bool(row[group])
                if isinstance(rule, Fixed):
                    row[:] = False
                row[group] = is_open and isinstance(rule, Fixed)
        self.foes: dict[int, set[int]] = {}
        self.has_clash = False
        self.cliques: list[list[int]] = []
        for rule in rules:
            if isinstance(rule, Apart):
                self._part([self._unit(person) for person in self._present(rule)])
        self.counts = [_Count(self.least, self.most, self.there)]
        for rule in rules:
            if isinstance(rule, EachGroupHas):
                limit = len(self.there) if rule.max is None else rule.max
                having = sketcher.with_value(rule) & self.there
                self.counts.append(_Count((rule.min or 0) * self.open, limit * self.open, having))

    def _present(self, rule: Together | Apart) -> list[int]:
        people = (self.sketcher.place[person] for person in rule.people)
        return [person for person in people if self.there[person]]

    def _unit(self, person: int) -> int:
        """The person who stands for the unit."""
        if person not in self.head:
            self.head[person] = person
            self.members[person] = [person]
        return self.head[person]

    def row(self, person: int) -> Flags:
        """The groups that are open to this person's unit, to be changed in place."""
        return self.rows.setdefault(self._unit(person), self.open.copy())

    def _tie(self, people: Sequence[int]) -> None:
        for other in people[1:]:
            one, gone = self._unit(people[0]), self._unit(other)
            if one != gone:
                self.members[one] += self.members.pop(gone)
                self.head.update(dict.fromkeys(self.members[one], one))

    def _part(self, units: Sequence[int]) -> None:
        self.has_clash |= len(set(units)) < len(units)
        if len(set(units)) > 1:
            self.cliques.append(list(dict.fromkeys(units)))
        for one, other in combinations(units, 2):
            self.foes.setdefault(one, set()).add(other)
            self.foes.setdefault(other, set()).add(one)

    # -- what is proven ------------------------------------------------------------------------------------------------

    def is_wrong(self) -> bool:
        return (
            self.has_clash
            or self._is_homeless()
            or any(map(self._is_miscounted, self.counts))
            or self._is_crowded()
        )

    def _is_homeless(self) -> bool:
        sizes = ((len(self.members[unit]), self.rows.get(unit, self.open)) for unit in self.members)
        return any(not (row & (self.most >= size)).any() for size, row in sizes) or (
            bool(self.there.any()) and not self.open.any()
        )

    def _is_miscounted(self, count: _Count) -> bool:
        everybody = int(count.having.sum())
        if not int(count.least.sum()) <= everybody <= int(count.most.sum()):
            return True
        tied = np.zeros_like(count.least)
        can_come: Numbers = np.full_like(count.least, everybody)
        for unit, row in self.rows.items():
            part = int(count.having[self.members[unit]].sum())
            can_come -= part * ~row
            if part and int(row.sum()) == 1:
                tied += part * row
        return bool((tied > count.most).any() or (can_come < count.least)[self.open].any())

    def _is_crowded(self) -> bool:
        """Some people who all must be apart do not find a group each."""
        tables = int(self.open.sum())
        for start in [*self.cliques, *([unit] for unit in self.foes)]:
            if len(start) == 1 and len(self.foes[start[0]]) < min(tables, self._choice(start[0])):
                continue
            clique = list(start)
            near = (
                set.intersection(*(self.foes[unit] for unit in clique))
                if len(clique) > 1
                else self.foes[start[0]]
            )
            for unit in sorted(near, key=lambda unit: (self._choice(unit), -len(self.foes[unit]), unit)):
                if all(unit in self.foes[other] for other in clique):
                    clique.append(unit)
            if self._lacks_groups(clique):
                return True
        return False

    def _choice(self, unit: int) -> int:
        return int(self.rows.get(unit, self.open).sum())

    def _lacks_groups(self, clique: Sequence[int]) -> bool:
        """True unless each of them can have a group of their own (augmenting paths)."""
        if len(clique) <= min(map(self._choice, clique)):
            return False
        owner: dict[int, int] = {}
        return not all(self._settle(unit, owner) for unit in clique)

    def _settle(self, unit: int, owner: dict[int, int]) -> bool:
        came_from: dict[int, int] = {}
        queue = [unit]
        for one in queue:
            for group in np.flatnonzero(self.rows.get(one, self.open)).tolist():
                if group in came_from:
                    continue
                came_from[group] = one
                if group not in owner:
                    self._shift(group, unit, came_from, owner)
                    return True
                queue.append(owner[group])
        return False

    def _shift(self, group: int, unit: int, came_from: dict[int, int], owner: dict[int, int]) -> None:
        held = {one: place for place, one in owner.items()}
        while True:
            one = came_from[group]
            owner[group] = one
            if one == unit:
                return
            group = held[one]
