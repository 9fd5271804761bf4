"""The cheapest way to give everybody a group within the groups' limits: a minimum-cost flow, exact.

People stand at their cheapest group first; then as many as must go leave overfull groups along the cheapest paths through
other groups (successive shortest paths; Ahuja, Magnanti, Orlin, Network Flows, chapter 9). A path moves somebody from
each of its groups to the next, so only the groups are nodes, however many people there are. One more node, the pool,
stands for seats that may be taken or left free. People to whom all groups cost the same are of one *kind* and move
together, so that it takes no longer when everybody wants the same.
"""

from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.int64]

CLOSED = 2**40
"""What a group costs that a person may not take."""


def _quietly() -> None:
    """Nobody wants to know."""


def assign(
    costs: Numbers,
    least: Numbers,
    most: Numbers,
    beat: Callable[[], None] = _quietly,
    guess: Numbers | None = None,
) -> Numbers | None:
    """A group for everybody with the smallest sum of `costs[person, group]`, or None where there is none.

    Every group gets `least` to `most` people; nobody goes where the cost is CLOSED. `beat` is called again and again, and
    what it raises ends the search. `guess`: about what a seat in each group is worth, which helps where sizes are fixed.
    """
    people, groups = costs.shape
    if people == 0:
        return None if least.any() else np.zeros(0, dtype=np.int64)
    if groups == 0 or (costs.min(axis=1) >= CLOSED).any():
        return None
    kinds: dict[bytes, list[int]] = {}
    for person, row in enumerate(np.ascontiguousarray(costs)):
        kinds.setdefault(row.tobytes(), []).append(person)
    alike = list(kinds.values())
    if guess is None or (least != most).any():
        guess = np.zeros(groups, dtype=np.int64)
    flow = _Flow(
        costs[[people[0] for people in alike]], [len(people) for people in alike], least, most, guess
    )
    if not flow.run(beat):
        return None
    where = np.zeros(people, dtype=np.int64)
    for those, counts in zip(alike, flow.seated, strict=True):
        groups_of = np.flatnonzero(counts)
        where[those] = np.repeat(groups_of, counts[groups_of])
    return where


def prices(costs: Numbers, limits: tuple[Numbers, Numbers], where: Numbers) -> Numbers:
    """What a seat in each group is worth when everybody sits as cheaply as can be: nobody would rather pay for another.

    Positive only where a group is full, negative only where it has no more than it needs.
    """
    least, most = limits
    flow = _Flow(costs, [0] * len(costs), least, most, np.zeros_like(least))
    flow.seated[np.arange(len(where)), where] = 1
    for group in range(flow.groups):
        flow.recount(group)
    distance, _ = flow.distances(range(flow.groups + 1))
    worth: Numbers = distance[-1] - distance[:-1]
    return worth


class _Flow:
    """`seated[k, g]`: how many people of kind k are in group g."""

    def __init__(
        self, costs: Numbers, people: Sequence[int], least: Numbers, most: Numbers, guess: Numbers
    ) -> None:
        self.costs, self.least, self.most = costs, least, most
        self.kinds, self.groups = costs.shape
        self.seated = self._start(people, guess)
        self.counts = self.seated.sum(axis=0)
        # arcs[g, h]: the least that moving somebody from g to h costs; the last row and column are the pool.
        self.arcs = np.full((self.groups + 1, self.groups + 1), CLOSED, dtype=np.int64)
        self.mover = np.full((self.groups, self.groups), -1, dtype=np.int64)
        for group in range(self.groups):
            self.recount(group)

    def _start(self, people: Sequence[int], guess: Numbers) -> Numbers:
        """Everybody at one of their cheapest groups, and of these where there is room.

        Where all sizes are fixed, any prices of the groups may be added: they change what all seatings cost alike.
        """
        seated = np.zeros((self.kinds, self.groups), dtype=np.int64)
        room = self.most.astype(np.int64)
        priced = self.costs + guess
        cheapest = priced == priced.min(axis=1)[:, None]
        for kind in np.argsort(cheapest.sum(axis=1), kind="stable").tolist():
            groups = np.flatnonzero(cheapest[kind])
            left = people[kind]
            for group in groups[np.argsort(-room[groups], kind="stable")].tolist():
                taken = min(left, max(0, int(room[group])))
                seated[kind, group] = taken
                room[group] -= taken
                left -= taken
                if not left:
                    break
            seated[kind, groups[0]] += left
            room[groups[0]] -= left
        return seated

    def run(self, beat: Callable[[], None]) -> bool:
        while True:
            beat()
            over = self.counts - self.most
            under = self.least - self.counts
            if over.max() <= 0 and under.max() <= 0:
                return True
            if not self._send_all(over, under):
                return False

    def _send_all(self, over: Numbers, under: Numbers) -> bool:
        """What can go along the cheapest paths from where there is too much to where there is too little.

        A path stays cheapest as long as its arcs cost what they did: distances are prices at which no move is a gain.
        """
        lacking = np.append(np.maximum(under, 0), 0)
        surplus = np.append(np.maximum(over, 0), 0)
        difference = int(surplus.sum() - lacking.sum())
        lacking[-1], surplus[-1] = max(0, difference), max(0, -difference)
        distance, before = self.distances(np.flatnonzero(surplus).tolist())
        sinks = sorted(np.flatnonzero(lacking).tolist(), key=lambda node: (int(distance[node]), node))
        if not sinks or distance[sinks[0]] >= CLOSED // 2:
            return False
        for sink in sinks:
            if distance[sink] >= CLOSED // 2:
                break
            path = self._path(sink, before)
            while surplus[path[0]] and lacking[sink] and self._is_cheapest(path, distance):
                amount = self._move(path, int(min(surplus[path[0]], lacking[sink])))
                surplus[path[0]] -= amount
                lacking[sink] -= amount
        return True

    def _path(self, sink: int, before: Numbers) -> list[int]:
        path = [sink]
        while before[path[-1]] >= 0:
            path.append(int(before[path[-1]]))
        return path[::-1]

    def _is_cheapest(self, path: Sequence[int], distance: Numbers) -> bool:
        return all(self.arcs[now, then] == distance[then] - distance[now] for now, then in pairwise(path))

    def distances(self, sources: Sequence[int]) -> tuple[Numbers, Numbers]:
        """Bellman and Ford: no arc that is open lowers the cost of a cycle, so it ends."""
        distance = np.full(self.groups + 1, CLOSED, dtype=np.int64)
        before = np.full(self.groups + 1, -1, dtype=np.int64)
        fresh = np.array(sources, dtype=np.int64)
        distance[fresh] = 0
        while len(fresh):
            ways = distance[fresh][:, None] + self.arcs[fresh]
            nearest = ways.argmin(axis=0)
            best = ways[nearest, np.arange(self.groups + 1)]
            better = best < distance
            distance[better] = best[better]
            before[better] = fresh[nearest[better]]
            fresh = np.flatnonzero(better)
        return distance, before

    def _move(self, path: Sequence[int], amount: int) -> int:
        """As many as may go at once: no more than there are of each kind that moves, and one where the pool has a part."""
        steps = [(now, then) for now, then in pairwise(path) if now < self.groups and then < self.groups]
        if len(steps) < len(path) - 1:
            amount = 1
        for now, then in steps:
            amount = min(amount, int(self.seated[self.mover[now, then], now]))
        for now, then in steps:
            kind = self.mover[now, then]
            self.seated[kind, now] -= amount
            self.seated[kind, then] += amount
        for group in {node for node in path if node < self.groups}:
            self.recount(group)
        return amount

    def recount(self, group: int) -> None:
        """Who would leave the group for which other one most cheaply, and whether it may take or give a seat."""
        column = self.seated[:, group]
        members = np.flatnonzero(column)
        if len(members):
            rows = self.costs[members] - self.costs[members, group][:, None]
            nearest = rows.argmin(axis=0)
            self.mover[group] = members[nearest]
            self.arcs[group, : self.groups] = rows[nearest, np.arange(self.groups)]
        else:
            self.arcs[group, : self.groups] = CLOSED
        self.arcs[group, group] = CLOSED
        count = int(column.sum())
        self.counts[group] = count
        # Of a group with too many or too few the seats within its limits count: were these arcs shut until it is mended, they
        # would open below the price of the paths that mended it, and close a cycle that is walked for ever.
        may_take = max(count, self.least[group]) < self.most[group]
        may_give = min(count, self.most[group]) > self.least[group]
        self.arcs[group, self.groups] = 0 if may_take else CLOSED
        self.arcs[self.groups, group] = 0 if may_give else CLOSED
