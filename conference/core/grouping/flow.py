"""The cheapest way to give everybody a group within the groups' limits: a minimum-cost flow, exact.

People stand at their cheapest group first; then as many as must go leave overfull groups, one after the other along the
cheapest path through other groups (successive shortest paths; Ahuja, Magnanti, Orlin, Network Flows, chapter 9). A path
moves one person from each of its groups to the next, so only the groups are nodes, however many people there are. One more
node, the pool, stands for seats that may be taken or left free.
"""

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.int64]

CLOSED = 2**40
"""What a group costs that a person may not take."""


def assign(costs: Numbers, least: Numbers, most: Numbers) -> Numbers | None:
    """A group for everybody with the smallest sum of `costs[person, group]`, or None where there is none.

    Every group gets `least` to `most` people; nobody goes where the cost is CLOSED.
    """
    people, groups = costs.shape
    if people == 0:
        return None if least.any() else np.zeros(0, dtype=np.int64)
    if groups == 0 or (costs.min(axis=1) >= CLOSED).any():
        return None
    flow = _Flow(costs, least, most)
    return flow.where if flow.run() else None


class _Flow:
    def __init__(self, costs: Numbers, least: Numbers, most: Numbers) -> None:
        self.costs, self.least, self.most = costs, least, most
        self.people, self.groups = costs.shape
        self.where: Numbers = costs.argmin(axis=1).astype(np.int64)
        self.counts = np.bincount(self.where, minlength=self.groups)
        # arcs[g, h]: the least that moving somebody from g to h costs; the last row and column are the pool.
        self.arcs = np.full((self.groups + 1, self.groups + 1), CLOSED, dtype=np.int64)
        self.mover = np.full((self.groups, self.groups), -1, dtype=np.int64)
        for group in range(self.groups):
            self._price(group)

    def run(self) -> bool:
        while True:
            over = self.counts - self.most
            under = self.least - self.counts
            if over.max() <= 0 and under.max() <= 0:
                return True
            if not self._send(over, under):
                return False

    def _send(self, over: Numbers, under: Numbers) -> bool:
        """One unit along the cheapest path from where there is too much to where there is too little."""
        surplus = int(np.maximum(over, 0).sum()) - int(np.maximum(under, 0).sum())
        sources, sinks = np.flatnonzero(over > 0).tolist(), np.flatnonzero(under > 0).tolist()
        if surplus > 0:
            sinks.append(self.groups)
        elif surplus < 0:
            sources.append(self.groups)
        distance, before = self._distances(sources)
        sink = min(sinks, key=lambda node: (int(distance[node]), int(node)))
        if distance[sink] >= CLOSED // 2:
            return False
        path = [int(sink)]
        while path[-1] not in sources or before[path[-1]] >= 0:
            path.append(int(before[path[-1]]))
        self._move(path[::-1])
        return True

    def _distances(self, sources: list[int]) -> tuple[Numbers, Numbers]:
        """Bellman and Ford: no arc that is open lowers the cost of a cycle, so it ends."""
        distance = np.full(self.groups + 1, CLOSED, dtype=np.int64)
        before = np.full(self.groups + 1, -1, dtype=np.int64)
        distance[sources] = 0
        for _ in range(self.groups + 1):
            ways = distance[:, None] + self.arcs
            nearest = ways.argmin(axis=0)
            best = ways[nearest, np.arange(self.groups + 1)]
            better = best < distance
            if not better.any():
                break
            distance[better] = best[better]
            before[better] = nearest[better]
        return distance, before

    def _move(self, path: list[int]) -> None:
        for now, group in pairwise(path):
            if now < self.groups and group < self.groups:
                self.where[self.mover[now, group]] = group
        for group in {node for node in path if node < self.groups}:
            self._price(group)

    def _price(self, group: int) -> None:
        """Who would leave the group for which other one most cheaply, and whether it may take or give a seat."""
        members = np.flatnonzero(self.where == group)
        if len(members):
            rows = self.costs[members] - self.costs[members, group][:, None]
            nearest = rows.argmin(axis=0)
            self.mover[group] = members[nearest]
            self.arcs[group, : self.groups] = rows[nearest, np.arange(self.groups)]
        else:
            self.arcs[group, : self.groups] = CLOSED
        self.arcs[group, group] = CLOSED
        count = len(members)
        self.counts[group] = count
        may_take = self.least[group] <= count < self.most[group]
        may_give = self.least[group] < count <= self.most[group]
        self.arcs[group, self.groups] = 0 if may_take else CLOSED
        self.arcs[self.groups, group] = 0 if may_give else CLOSED
