"""A complete search for a seating that keeps all rules: finds one, proves that there is none, or gives up.

It places blocks one after the other, those with the least freedom first, and steps back where nothing fits. A block is a
unit in one round, or units of several rounds that somebody who stays holds in one group. Groups that are alike and
still empty count as one.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import compress

from .compiled import Compiled, Seats

Order = Callable[[int, int, Sequence[int], Seats], Sequence[int]]
"""(round, unit, possible groups, seats so far) → the groups, the best first."""

Place = tuple[int, int]
"""(round, unit)."""


class Answer(Enum):
    """What the search says."""

    FOUND = "found"
    IMPOSSIBLE = "impossible"
    UNKNOWN = "unknown"


@dataclass
class Block:
    """Places that share one group, and the groups that every one of them may take."""

    places: list[Place]
    groups: list[int]


def find(compiled: Compiled, most_steps: int, order: Order | None = None) -> tuple[Answer, Seats]:
    """Look for a seating in at most so many steps for each set of linked rounds.

    Where the answer is not FOUND, the seats are those of the deepest try; some are -1.
    """
    seats = [[-1] * len(one.units) for one in compiled.rounds]
    parts = _components(compiled)
    answers = [_Search(compiled, *part, seats, order).run(most_steps) for part in parts]
    for answer in (Answer.IMPOSSIBLE, Answer.UNKNOWN):
        if answer in answers:
            return answer, seats
    return Answer.FOUND, seats


def _components(compiled: Compiled) -> list[tuple[list[int], list[Block]]]:
    """Rounds with their blocks: sets that nothing links can be seated one after the other."""
    every = blocks(compiled)
    home = {number: {number} for number in range(len(compiled.rounds))}
    for block in every:
        linked = set().union(*(home[number] for number, _ in block.places))
        home.update(dict.fromkeys(linked, linked))
    parts = dict.fromkeys(tuple(sorted(rounds)) for _, rounds in sorted(home.items()))
    return [(list(part), [block for block in every if block.places[0][0] in part]) for part in parts]


def blocks(compiled: Compiled) -> list[Block]:
    """Every unit of every round, those that somebody who stays holds in one group bound together."""
    bunch: dict[Place, list[Place]] = {
        (number, unit): [(number, unit)]
        for number, one in enumerate(compiled.rounds)
        for unit in range(len(one.units))
    }
    for person, rounds in compiled.stays:
        first, *others = [(number, compiled.rounds[number].unit_of[person]) for number in rounds]
        for place in others:
            one, other = bunch[first], bunch[place]
            if one is not other:
                one.extend(other)
                bunch.update(dict.fromkeys(other, one))
    return [Block(places, _groups(compiled, places)) for place, places in bunch.items() if places[0] == place]


def _groups(compiled: Compiled, places: Sequence[Place]) -> list[int]:
    rows = [compiled.rounds[number].allowed[unit] for number, unit in places]
    every = range(compiled.groups)
    return list(compress(every, rows[0] if len(rows) == 1 else map(all, zip(*rows, strict=True))))


class _Search:
    """One set of linked rounds; writes into the seats that it is given."""

    def __init__(
        self, compiled: Compiled, numbers: list[int], blocks: list[Block], seats: Seats, order: Order | None
    ) -> None:
        self.numbers = numbers
        self.compiled = compiled
        self.seats = seats
        self.order = order
        self.blocks = sorted(blocks, key=self._freedom)
        self.counts = [[[0] * compiled.groups for _ in one.counters] for one in compiled.rounds]
        self.left = [[sum(counter.part) for counter in one.counters] for one in compiled.rounds]
        self.lacking = [[sum(counter.least) for counter in one.counters] for one in compiled.rounds]
        self.kind = self._kinds()

    def _freedom(self, block: Block) -> tuple[int, int, int, int]:
        rounds = self.compiled.rounds
        size = sum(len(rounds[number].units[unit]) for number, unit in block.places)
        foes = sum(len(rounds[number].apart[unit]) for number, unit in block.places)
        counted = sum(
            counter.part[unit] for number, unit in block.places for counter in rounds[number].counters[1:]
        )
        return len(block.groups) - foes - 2 * counted, -len(block.places), -size, block.places[0][0]

    def _kinds(self) -> list[int]:
        """Groups with the same number can stand in for each other as long as they are empty."""
        rounds = [self.compiled.rounds[number] for number in self.numbers]
        looks = [
            tuple(
                (
                    one.counters[0].least[group],
                    one.counters[0].most[group],
                    *(row[group] for row in one.allowed),
                )
                for one in rounds
            )
            for group in range(self.compiled.groups)
        ]
        names = {look: number for number, look in enumerate(dict.fromkeys(looks))}
        return [names[look] for look in looks]

    def run(self, most_steps: int) -> Answer:
        """Depth first, with a stack of our own: a thousand people are deeper than Python's."""
        if not self._adds_up():
            return Answer.IMPOSSIBLE
        best: list[tuple[Block, int]] = []
        taken: list[tuple[Block, int]] = []
        choices: list[Iterator[int]] = []
        for _ in range(most_steps):
            if len(taken) == len(self.blocks):
                return Answer.FOUND
            if len(choices) == len(taken):
                choices.append(iter(self._choices(self.blocks[len(taken)])))
            group = next(choices[-1], None)
            if group is not None:
                self._place(self.blocks[len(taken)], group, 1)
                taken.append((self.blocks[len(taken)], group))
                continue
            choices.pop()
            if not taken:
                return Answer.IMPOSSIBLE
            if len(taken) > len(best):
                best = taken[:]
            self._place(*taken.pop(), -1)
        self._show(taken, max(best, taken, key=len))
        return Answer.FOUND if len(taken) == len(self.blocks) else Answer.UNKNOWN

    def _adds_up(self) -> bool:
        """Nobody apart from themselves, enough people for every least number, and enough seats for all people."""
        return not any(self.compiled.rounds[number].clash for number in self.numbers) and all(
            self.lacking[number][index] <= self.left[number][index] <= sum(counter.most)
            for number in self.numbers
            for index, counter in enumerate(self.compiled.rounds[number].counters)
        )

    def _show(self, taken: Sequence[tuple[Block, int]], best: Sequence[tuple[Block, int]]) -> None:
        for block, group in reversed(taken):
            self._place(block, group, -1)
        for block, group in best:
            self._place(block, group, 1)

    def _choices(self, block: Block) -> Sequence[int]:
        fresh: dict[int, int] = {}
        groups = [
            group
            for group in block.groups
            if not (self._is_empty(group) and fresh.setdefault(self.kind[group], group) != group)
            and self._fits(block, group)
        ]
        if self.order is None or len(groups) < 2:
            return groups
        number, unit = block.places[0]
        return self.order(number, unit, groups, self.seats)

    def _is_empty(self, group: int) -> bool:
        return not any(self.counts[number][0][group] for number in self.numbers)

    def _fits(self, block: Block, group: int) -> bool:
        """No foe at the table, nothing over its limit, and enough left for what the groups still lack."""
        for number, unit in block.places:
            one, seats = self.compiled.rounds[number], self.seats[number]
            if any(seats[foe] == group for foe in one.apart[unit]):
                return False
        if len(block.places) > 1:
            return self._fits_after(block, group)
        number, unit = block.places[0]
        return all(
            self._counter_fits(number, index, counter.part[unit], group)
            for index, counter in enumerate(self.compiled.rounds[number].counters)
        )

    def _fits_after(self, block: Block, group: int) -> bool:
        """The same for a block of several places, two of which may lie in one round: put it there and look."""
        rounds = self.compiled.rounds
        if any(
            (number, foe) in block.places
            for number, unit in block.places
            for foe in rounds[number].apart[unit]
        ):
            return False
        self._place(block, group, 1)
        fits = all(
            self._counter_fits(number, index, 0, group)
            for number in {number for number, _ in block.places}
            for index in range(len(rounds[number].counters))
        )
        self._place(block, group, -1)
        return fits

    def _counter_fits(self, number: int, index: int, part: int, group: int) -> bool:
        counter = self.compiled.rounds[number].counters[index]
        count = self.counts[number][index][group]
        useful = min(part, max(0, counter.least[group] - count))
        spare = self.left[number][index] - self.lacking[number][index]
        return count + part <= counter.most[group] and spare >= part - useful

    def _place(self, block: Block, group: int, sign: int) -> None:
        """Seat the block (1) or take it away again (-1)."""
        for number, unit in block.places:
            self.seats[number][unit] = group if sign > 0 else -1
            for index, counter in enumerate(self.compiled.rounds[number].counters):
                part, counts = counter.part[unit] * sign, self.counts[number][index]
                before = max(0, counter.least[group] - counts[group])
                counts[group] += part
                self.lacking[number][index] += max(0, counter.least[group] - counts[group]) - before
                self.left[number][index] -= part
