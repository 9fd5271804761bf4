"""The fewest people in other seats than before so that every rule is kept: branch and bound over exact flows.

In each round a flow (`strata`) seats everybody as cheaply as can be within sizes and counts; one's own seat is free, any
other costs a move. What no flow knows is kept by branching: people and rounds that share one group (`Block`), people kept
apart, and counts of classes that overlap others. Where seats before break such a rule, somebody of it must move whatever is
done (`Cut`): that is added to the bound, and moves of these people are free in the flow instead, so that none counts twice.
Both together are a proven lower bound; seats that keep all rules with so many moves are proven to need the fewest.
"""

from collections import Counter as Tally
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from heapq import heappop, heappush

import numpy as np
from numpy.typing import NDArray

from .compiled import Compiled, Counter
from .feasible import Block, blocks
from .flow import CLOSED, Numbers
from .model import EachGroupHas, applies
from .strata import Layers, Strata

MOVE = 10**9
"""What one move costs; everything that makes one seat better than another stays far below, for all people together."""
GONE, NEW = -2, -1
"""Where somebody sat before whose group is gone, and somebody who had no seat."""

LAYERINGS = 6
"""So many choices of counts that the flow keeps are tried."""

Seat = tuple[int, int]
"""(round, person)."""
Flags = NDArray[np.bool_]
Way = list[tuple[Seat, Flags]]
"""Groups (a flag for each) that are closed for seats."""
Wheres = tuple[Numbers, ...]
"""For each round and person the group, -1: away."""


@dataclass(frozen=True)
class Cut:
    """Of these seats, all taken before, at least `moves` must be left."""

    seats: frozenset[Seat]
    moves: int


@dataclass(frozen=True)
class Fewest:
    """Seats that keep all rules (None: none found) with their moves, and the proven least number of moves.

    `least` None: proven that no seats keep all rules. `nearest`: cheap seats that may break some.
    """

    wheres: Wheres | None
    moves: int
    least: int | None
    nodes: int
    nearest: Wheres = ()


def fewest_moves(compiled: Compiled, before: Wheres, extra: Sequence[Numbers], most_nodes: int) -> Fewest:
    """Seats with the fewest moves. `extra[r][person, group]`: what makes one seat better than another, small numbers.

    Sets of rounds that nobody who stays links are seated one after the other.
    """
    wheres: list[Numbers] = [np.full(compiled.people, -1, dtype=np.int64) for _ in compiled.rounds]
    moves, least, nodes, is_found = 0, 0, 0, True
    for numbers, parts in _linked(compiled):
        search = _Search(compiled, before, extra, numbers, parts)
        bound = search.run(most_nodes)
        nodes += search.nodes
        if bound is None:
            return Fewest(None, 0, None, nodes)
        least += bound
        moves += search.most
        is_found &= search.best is not None
        for number, where in (search.best or search.last).items():
            wheres[number] = where
    return Fewest(tuple(wheres) if is_found else None, moves, least, nodes, tuple(wheres))


def _linked(compiled: Compiled) -> Iterator[tuple[list[int], list[Block]]]:
    shared = [block for block in blocks(compiled) if len(_seats(compiled, block)) > 1]
    home = {number: {number} for number in range(len(compiled.rounds))}
    for block in shared:
        linked = set().union(*(home[number] for number in _rounds(block)))
        home.update(dict.fromkeys(linked, linked))
    for rounds in dict.fromkeys(tuple(sorted(linked)) for linked in home.values()):
        yield list(rounds), [block for block in shared if block.places[0][0] in rounds]


def _rounds(block: Block) -> list[int]:
    return sorted({number for number, _ in block.places})


def _seats(compiled: Compiled, block: Block) -> list[Seat]:
    return [
        (number, person) for number, unit in block.places for person in compiled.rounds[number].units[unit]
    ]


@dataclass(order=True)
class _Node:
    bound: int
    depth: int
    extra: int
    number: int
    flows: dict[int, Strata] = field(compare=False)
    cuts: dict[int, Cut] = field(compare=False)


@dataclass(frozen=True)
class _Bound:
    """How many of `having` each group has. A flow keeps it in groups where its class does not cross a more urgent one."""

    having: Numbers
    counter: Counter


class _Search:
    def __init__(
        self,
        compiled: Compiled,
        before: Wheres,
        extra: Sequence[Numbers],
        numbers: list[int],
        parts: list[Block],
    ) -> None:
        self.compiled, self.before, self.numbers = compiled, before, numbers
        self.there = {number: _there(compiled, number) for number in numbers}
        self.place = {number: _places(compiled.people, there) for number, there in self.there.items()}
        self.parts = [(_seats(compiled, block), block.groups) for block in parts]
        self.foes = {number: _foes(compiled, number) for number in numbers}
        self.classes = {number: _classes(compiled, number, self.there[number]) for number in numbers}
        self.counts = {
            number: [
                _Bound(self.there[number][having], counter)
                for having, counter in zip(classes.having, classes.counters, strict=True)
            ]
            for number, classes in self.classes.items()
        }
        self.full = {number: self._costs(number, extra[number]) for number in numbers}
        self.nodes = 0
        self.best: dict[int, Numbers] | None = None
        self.last: dict[int, Numbers] = {}
        self.most = 0

    def _costs(self, number: int, extra: Numbers) -> Numbers:
        one, before = self.compiled.rounds[number], self.before[number]
        costs = extra.astype(np.int64)
        seated = before != NEW
        costs[seated] += MOVE
        stays = np.flatnonzero(before >= 0)
        costs[stays, before[stays]] = 0
        allowed = np.array(one.allowed, dtype=bool).reshape(len(one.units), self.compiled.groups)
        sizes, most = np.array(one.counters[0].part), np.array(one.counters[0].most)
        allowed &= sizes[:, None] <= most[None, :]
        there = self.there[number]
        costs[there] = np.where(allowed[np.array(one.unit_of, dtype=np.int64)[there]], costs[there], CLOSED)
        for seats, groups in self.parts:
            closed = np.ones(self.compiled.groups, dtype=bool)
            closed[groups] = False
            mine = [person for round, person in seats if round == number]
            costs[np.ix_(np.array(mine, dtype=np.int64), np.flatnonzero(closed))] = CLOSED
        return costs

    # -- branch and bound --------------------------------------------------------------------------------------------

    def run(self, most_nodes: int) -> int | None:
        """Search; gives the proven bound, None where the rules cannot be kept."""
        root = None if any(self.compiled.rounds[number].clash for number in self.numbers) else self._root()
        if root is None:
            return None
        waiting = [root]
        while waiting and self.nodes < most_nodes:
            node = heappop(waiting)
            if self.best is not None and node.bound >= self.most:
                return self.most
            branches = self._branches(node)
            if branches is None:
                return node.bound
            for closed in branches:
                child = self._child(node, closed)
                if child is not None and (self.best is None or child.bound < self.most):
                    heappush(waiting, child)
        bounds = [waiting[0].bound] if waiting else []
        return min([*bounds, *([] if self.best is None else [self.most])], default=None)

    def _cuts(self) -> list[Cut]:
        """Seats before of which some must be left whatever is done, no seat in two cuts."""
        free = {
            (number, person)
            for number in self.numbers
            for person, group in enumerate(self.before[number].tolist())
            if group >= 0 and self.full[number][person, group] < CLOSED
        }
        return [*self._block_cuts(free), *self._foe_cuts(free)]

    def _block_cuts(self, free: set[Seat]) -> Iterator[Cut]:
        for seats, _groups in self.parts:
            taken = free.intersection(seats)
            was = Tally(int(self.before[number][person]) for number, person in taken)
            if len(was) > 1:
                free -= taken
                yield Cut(frozenset(taken), len(taken) - max(was.values()))

    def _foe_cuts(self, free: set[Seat]) -> Iterator[Cut]:
        """Of people who all must be apart and sat at one table, only one can stay."""
        for number, pairs in self.foes.items():
            before = self.before[number]
            met = pairs[before[pairs[:, 0]] == before[pairs[:, 1]]] if len(pairs) else pairs
            foes: dict[int, set[int]] = {}
            for one, other in met.tolist():
                foes.setdefault(one, set()).add(other)
                foes.setdefault(other, set()).add(one)
            for person in sorted(foes, key=lambda person: (-len(foes[person]), person)):
                clique: list[int] = []
                for other in (person, *sorted(foes[person])):
                    if (number, other) in free and all(other in foes[member] for member in clique):
                        clique.append(other)
                if len(clique) > 1 and clique[0] == person:
                    free.difference_update((number, member) for member in clique)
                    yield Cut(frozenset((number, member) for member in clique), len(clique) - 1)

    def _root(self) -> _Node | None:
        cuts = dict(enumerate(self._cuts()))
        flows = {}
        for number in self.numbers:
            costs = self.full[number].copy()
            for cut in cuts.values():
                self._free(costs, [person for round, person in cut.seats if round == number])
            flow = self._first(number, costs[self.there[number]])
            if flow is None:
                return None
            flows[number] = flow
        return self._node(flows, cuts, 0)

    def _first(self, number: int, costs: Numbers) -> Strata | None:
        """The flow of a round. Where it breaks counts that it left out, it is asked again with these in place of others."""
        classes = self.classes[number]
        before = self.before[number]
        ranks = np.zeros((len(classes.counters), self.compiled.groups), dtype=np.int64)
        for one, (bound, counter) in enumerate(zip(self.counts[number], classes.counters, strict=True)):
            was = before[bound.having]
            count = np.bincount(was[was >= 0], minlength=self.compiled.groups)
            ranks[one] = np.minimum(count - counter.least, np.array(counter.most) - count)
        best: tuple[int, int, Strata] | None = None
        for turn in range(LAYERINGS):
            flow = Strata(_layers(self.compiled, number, classes, ranks), costs.copy())
            if (flow.layers.least > flow.layers.most).any() or not flow.settle():
                return None
            wrong = self._wrong(number, flow)
            key = (-(flow.cost // MOVE), len(wrong))
            if best is None or key < best[:2]:
                best = *key, flow
            if not wrong:
                break
            for one, group in wrong:
                ranks[one, group] = -self.compiled.people * (turn + 1)
        return best[2] if best else None

    def _wrong(self, number: int, flow: Strata) -> list[tuple[int, int]]:
        """(class, group) of counts that these seats break."""
        where = self._where(number, flow)
        wrong = []
        for one, bound in enumerate(self.counts[number]):
            count = np.bincount(where[bound.having], minlength=self.compiled.groups)
            bad = (count < bound.counter.least) | (count > bound.counter.most)
            wrong += [(one, int(group)) for group in np.flatnonzero(bad)]
        return wrong

    def _free(self, costs: Numbers, people: list[int]) -> None:
        """Seats of a cut cost nothing to leave: its moves are counted already."""
        rows = costs[people]
        costs[people] = np.where((rows >= MOVE) & (rows < CLOSED), rows - MOVE, rows)

    def _node(self, flows: dict[int, Strata], cuts: dict[int, Cut], depth: int) -> _Node:
        self.nodes += 1
        cost = sum(flow.cost for flow in flows.values()) + MOVE * sum(cut.moves for cut in cuts.values())
        return _Node(cost // MOVE, -depth, cost % MOVE, self.nodes, flows, cuts)

    def _child(self, node: _Node, closed: Way) -> _Node | None:
        """The node with these seats' groups closed (a flag for each group)."""
        flows, cuts = dict(node.flows), dict(node.cuts)
        for number in {seat[0] for seat, _ in closed}:
            flows[number] = flows[number].copy()
        rows: dict[Seat, Numbers] = {}
        for seat, flags in closed:
            number, person = seat
            row = rows.get(seat)
            row = flows[number].costs[self.place[number][person]].copy() if row is None else row
            is_left = self.before[number][person] >= 0 and flags[self.before[number][person]]
            row[flags] = CLOSED
            rows[seat] = row
            if is_left:
                rows.update(self._left(seat, cuts, rows, flows, node))
        for (number, person), row in rows.items():
            if flows[number] is node.flows[number]:
                flows[number] = flows[number].copy()
            if not flows[number].change(int(self.place[number][person]), row):
                return None
        return self._node(flows, cuts, 1 - node.depth)

    def _left(
        self,
        seat: Seat,
        cuts: dict[int, Cut],
        rows: dict[Seat, Numbers],
        flows: dict[int, Strata],
        node: _Node,
    ) -> dict[Seat, Numbers]:
        """A seat of a cut must be left: it counts as a move again, and the cut demands one less."""
        dear: dict[Seat, Numbers] = {}
        for name, cut in list(cuts.items()):
            if seat not in cut.seats:
                continue
            rest = Cut(cut.seats - {seat}, cut.moves - 1)
            ended = [seat]
            if rest.moves > 0:
                cuts[name] = rest
            else:
                del cuts[name]
                ended += sorted(rest.seats)
            for number, person in ended:
                row = rows.get((number, person))
                if row is None:
                    row = flows[number].costs[self.place[number][person]].copy()
                dear[number, person] = np.where(row >= CLOSED, CLOSED, self.full[number][person])
        return dear

    # -- what is broken ------------------------------------------------------------------------------------------------

    def _branches(self, node: _Node) -> list[Way] | None:
        """Ways to go on from a node, one of which must be taken; None: its seats keep all rules with the moves of its bound."""
        wheres = {number: self._where(number, node.flows[number]) for number in self.numbers}
        self.last = wheres
        for broken in (self._split_block, self._foes_met, self._counts_wrong):
            ways = broken(node, wheres)
            if ways is not None:
                return ways
        moves = sum(self._moved(number, where) for number, where in wheres.items())
        if self.best is None or moves < self.most:
            self.best, self.most = wheres, moves
        return None if moves <= node.bound else self._cut_exceeded(node, wheres)

    def _where(self, number: int, flow: Strata) -> Numbers:
        where = np.full(self.compiled.people, -1, dtype=np.int64)
        where[self.there[number]] = flow.where
        return where

    def _moved(self, number: int, where: Numbers) -> int:
        before = self.before[number]
        return int(((before != NEW) & (where >= 0) & (where != before)).sum())

    def _flag(self, group: int) -> Flags:
        flags = np.zeros(self.compiled.groups, dtype=bool)
        flags[group] = True
        return flags

    def _split_block(self, node: _Node, wheres: dict[int, Numbers]) -> list[Way] | None:
        for seats, _groups in self.parts:
            now = [int(wheres[number][person]) for number, person in seats]
            if len(set(now)) > 1:
                was = Tally(int(self.before[number][person]) for number, person in seats)
                here = self._flag(max(sorted(set(now)), key=lambda group: (was[group], now.count(group))))
                return [[(seat, ~here) for seat in seats], [(seat, here) for seat in seats]]
        return None

    def _foes_met(self, node: _Node, wheres: dict[int, Numbers]) -> list[Way] | None:
        for number, pairs in self.foes.items():
            where = wheres[number]
            met = np.flatnonzero(where[pairs[:, 0]] == where[pairs[:, 1]])
            if len(met):
                people = [int(person) for person in pairs[met[0]]]
                here = self._flag(int(where[people[0]]))
                return [[((number, person), here)] for person in people]
        return None

    def _counts_wrong(self, node: _Node, wheres: dict[int, Numbers]) -> list[Way] | None:
        for number, bounds in self.counts.items():
            for bound in bounds:
                where = wheres[number][bound.having]
                count = np.bincount(where, minlength=self.compiled.groups)
                bad = (count < bound.counter.least) | (count > bound.counter.most)
                for group in np.flatnonzero(bad).tolist():
                    if count[group] > bound.counter.most[group]:
                        return self._out_or_in(node, number, bound.having[where == group], group)
                    if count[group] < bound.counter.least[group]:
                        return self._in_or_out(node, number, bound.having[where != group], group)
        return None

    def _out_or_in(self, node: _Node, number: int, people: Numbers, group: int) -> list[Way]:
        """One of these leaves the group, or is settled there; where all are settled, nothing is left to try."""
        costs = node.flows[number].costs[self.place[number][people]]
        costs[:, group] = CLOSED
        return self._either(number, people, costs.min(axis=1), group, is_first=False)

    def _in_or_out(self, node: _Node, number: int, people: Numbers, group: int) -> list[Way]:
        """One of these comes into the group, or never will."""
        costs = node.flows[number].costs[self.place[number][people], group]
        return self._either(number, people, costs, group, is_first=True)

    def _either(
        self, number: int, people: Numbers, costs: Numbers, group: int, *, is_first: bool
    ) -> list[Way]:
        if not len(people) or int(costs.min()) >= CLOSED:
            return []
        seat, here = (number, int(people[int(costs.argmin())])), self._flag(group)
        ways: list[Way] = [[(seat, ~here)], [(seat, here)]]
        return ways if is_first else ways[::-1]

    def _cut_exceeded(self, node: _Node, wheres: dict[int, Numbers]) -> list[Way]:
        """More people of a cut moved than it demands: one of them stays, or counts."""
        for cut in node.cuts.values():
            moved = [(r, p) for r, p in sorted(cut.seats) if wheres[r][p] != self.before[r][p]]
            if len(moved) > cut.moves:
                here = self._flag(int(self.before[moved[0][0]][moved[0][1]]))
                return [[(moved[0], ~here)], [(moved[0], here)]]
        return []


def _there(compiled: Compiled, number: int) -> Numbers:
    return np.flatnonzero(np.array(compiled.rounds[number].unit_of, dtype=np.int64) >= 0)


def _places(people: int, there: Numbers) -> Numbers:
    places = np.full(people, -1, dtype=np.int64)
    places[there] = np.arange(len(there))
    return places


def _foes(compiled: Compiled, number: int) -> Numbers:
    """[pair, 2]: people who may not share a table, one person for each unit."""
    one = compiled.rounds[number]
    pairs = [
        (one.units[unit][0], one.units[foe][0])
        for unit, foes in enumerate(one.apart)
        for foe in foes
        if unit < foe
    ]
    return np.array(pairs, dtype=np.int64).reshape(-1, 2)


@dataclass(frozen=True)
class _Classes:
    """The counted classes of a round, the largest first: who has each (by place in the round), and its counter."""

    having: list[Flags]
    counters: list[Counter]
    home: Numbers
    kinds: list[Numbers]


def _classes(compiled: Compiled, number: int, there: Numbers) -> _Classes:
    problem, one = compiled.problem, compiled.rounds[number]
    rules = [rule for rule in problem.rules if isinstance(rule, EachGroupHas) and applies(rule, number + 1)]
    classes: list[tuple[Flags, Counter]] = []
    for rule, counter in zip(rules, one.counters[1:], strict=True):
        values = (problem.people[person].attributes.get(rule.attribute) for person in there)
        classes.append((np.array([value == rule.value for value in values], dtype=bool), counter))
    classes.sort(key=lambda pair: -int(pair[0].sum()))
    rows = list(zip(*(having.tolist() for having, _ in classes), strict=True)) or [()] * len(there)
    kinds = list(dict.fromkeys(rows))
    names = {kind: place for place, kind in enumerate(kinds)}
    home = np.array([names[row] for row in rows], dtype=np.int64)
    return _Classes(
        [having for having, _ in classes],
        [counter for _, counter in classes],
        home,
        [np.array(kind, dtype=bool) for kind in kinds],
    )


def _layers(compiled: Compiled, number: int, classes: _Classes, ranks: Numbers) -> Layers:
    """In each group a family of classes that a flow can count, those of the lowest rank first."""
    seats = compiled.rounds[number].counters[0]
    count, people = len(classes.counters) + 1, len(classes.home)
    height = count + len(classes.kinds)
    parent = np.zeros((height, compiled.groups), dtype=np.int64)
    least = np.zeros((height, compiled.groups), dtype=np.int64)
    most = np.zeros((height, compiled.groups), dtype=np.int64)
    least[0], most[0], most[count:] = seats.least, seats.most, people
    fits = _nested(classes.having)
    for group in range(compiled.groups):
        chosen: list[int] = []
        for one in sorted(range(count - 1), key=lambda one: (int(ranks[one, group]), one)):
            if all(fits[one][other] for other in chosen):
                chosen.append(one)
        chosen.sort()
        for place, one in enumerate(chosen):
            counter = classes.counters[one]
            least[one + 1, group], most[one + 1, group] = counter.least[group], counter.most[group]
            holders = [other for other in chosen[:place] if fits[one][other] == HELD]
            parent[one + 1, group] = holders[-1] + 1 if holders else 0
        for kind, flags in enumerate(classes.kinds):
            mine = [one for one in chosen if flags[one]]
            parent[count + kind, group] = mine[-1] + 1 if mine else 0
    return Layers(parent, least, most, classes.home + count)


HELD, APART, CROSSED = 2, 1, 0


def _nested(having: list[Flags]) -> list[list[int]]:
    """How the one class lies to the other: held by it (or holding it), apart from it, or crossed."""

    def look(one: Flags, other: Flags) -> int:
        both = one & other
        if not both.any():
            return APART
        return HELD if (both == one).all() or (both == other).all() else CROSSED

    return [[look(one, other) for other in having] for one in having]
