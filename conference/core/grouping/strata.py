"""The cheapest seats within limits on people and on kinds of people: a minimum-cost flow, exact, and quick to change.

As `flow`, but a group also has limits for classes of people. Of any two classes of a group one must hold the other, or they
share nobody (a laminar family); then they are nodes between a person and the group: person → kind in the group → class in
the group → larger class in the group → group → pool. Class 0 is everybody; kinds are people alike in all classes. Limits
that a first seating breaks leave too much at one node and too little at another; each unit of it goes along the cheapest
path (successive shortest paths; Ahuja, Magnanti, Orlin, Network Flows, chapter 9). When a person's costs change, one more
path from that person makes the seats optimal again.
"""

from dataclasses import dataclass

import numpy as np

from .flow import CLOSED, Numbers

HORIZONTAL, UP, DOWN, POOL, PERSON = range(5)
FAR = CLOSED // 2
Node = tuple[int, int]
"""(class, group)."""


@dataclass(frozen=True)
class Layers:
    """Classes, a larger one before all that it holds, and kinds: `home[p]` is a person's kind.

    `parent[c, g]` is the next larger class in group g (of class 0: itself), `least[c, g]` and `most[c, g]` are the limits.
    """

    parent: Numbers
    least: Numbers
    most: Numbers
    home: Numbers


class Strata:
    """Seats `where[p]` with the smallest sum of `costs[p, where[p]]` within the limits, once `settle` has said True."""

    def __init__(self, layers: Layers, costs: Numbers) -> None:
        """`costs[person, group]`; nobody goes where they are CLOSED."""
        self.layers, self.costs = layers, costs
        self.classes, self.groups = layers.least.shape
        self.kinds = sorted(set(layers.home.tolist()))
        self.where: Numbers = costs.argmin(axis=1).astype(np.int64)
        counts = np.zeros((self.classes, self.groups), dtype=np.int64)
        np.add.at(counts, (layers.home, self.where), 1)
        every = self.every = np.arange(self.groups)
        for one in range(self.classes - 1, 0, -1):
            counts[layers.parent[one], every] += counts[one]
        self.flow: Numbers = np.clip(counts, layers.least, layers.most)
        self.excess: Numbers = counts - self.flow
        for one in range(1, self.classes):
            self.excess[layers.parent[one], every] -= counts[one] - self.flow[one]
        self.pool = int((self.flow[0] - counts[0]).sum())
        self.arcs: Numbers = np.full((self.classes, self.groups, self.groups), CLOSED, dtype=np.int64)
        self._price_all()

    def copy(self) -> "Strata":
        """The same seats, to be changed on their own."""
        other: Strata = object.__new__(Strata)
        other.__dict__.update(self.__dict__)
        for name in ("costs", "where", "flow", "excess", "arcs"):
            setattr(other, name, getattr(self, name).copy())
        return other

    @property
    def cost(self) -> int:
        """What all seats cost together."""
        return int(self.costs[np.arange(len(self.where)), self.where].sum())

    def settle(self) -> bool:
        """Bring everything within its limits as cheaply as can be; False where that is impossible."""
        if len(self.where) and bool((self.costs[np.arange(len(self.where)), self.where] >= CLOSED).any()):
            return False
        while (self.excess > 0).any() or self.pool > 0:
            start = np.where(self.excess > 0, 0, CLOSED)
            if not self._send(start, 0 if self.pool > 0 else CLOSED, None):
                return False
        return not (self.excess < 0).any() and self.pool == 0

    def change(self, person: int, row: Numbers) -> bool:
        """Give a settled person other costs, and settle again; False where that is impossible."""
        home, group = int(self.layers.home[person]), int(self.where[person])
        self.costs[person] = row
        self.where[person] = -1
        self._price(home, group)
        self.excess[home, group] -= 1
        start: Numbers = np.full_like(self.excess, CLOSED)
        start[home] = row
        return self._send(start, CLOSED, person)

    # -- one path ------------------------------------------------------------------------------------------------------

    def _send(self, start: Numbers, pool: int, person: int | None) -> bool:
        """One unit from where it is cheapest to the nearest node that lacks one."""
        distance, kind, before, pool, pool_before = self._distances(start, pool)
        lacking = np.where(self.excess < 0, distance, CLOSED)
        place = int(lacking.argmin())
        goal: Node | None = (place // self.groups, place % self.groups)
        nearest = int(lacking.flat[place])
        if self.pool < 0 and pool < nearest:
            goal, nearest = None, pool
        if nearest >= FAR:
            return False
        self._walk(goal, kind, before, pool_before, person)
        return True

    def _distances(self, start: Numbers, pool: int) -> tuple[Numbers, Numbers, Numbers, int, int]:
        """Bellman and Ford over all groups at once. `kind` and `before` tell how each node is reached, -1: it is a start."""
        parent = self.layers.parent
        distance = start.copy()
        kind: Numbers = np.full_like(start, -1)
        before: Numbers = np.full_like(start, -1)
        pool_before = -1
        up, down = self.flow < self.layers.most, self.flow > self.layers.least

        def reach(ones: Numbers | int, ways: Numbers, how: int, origin: Numbers) -> bool:
            better = np.flatnonzero(ways < distance[ones, self.every])
            if not len(better):
                return False
            at = ones[better] if isinstance(ones, np.ndarray) else ones
            distance[at, better] = ways[better]
            kind[at, better] = how
            before[at, better] = origin[better]
            return True

        is_changed = True
        while is_changed:
            is_changed = False
            for one in self.kinds:
                ways = distance[one][:, None] + self.arcs[one]
                nearest = ways.argmin(axis=0)
                is_changed |= reach(one, ways[nearest, self.every], HORIZONTAL, nearest)
            for one in range(self.classes - 1, 0, -1):
                ways = np.where(up[one], distance[one], CLOSED)
                is_changed |= reach(parent[one], ways, UP, np.full(self.groups, one))
            ways = np.where(up[0], distance[0], CLOSED)
            if int(ways.min()) < pool:
                pool, pool_before = int(ways.min()), int(ways.argmin())
                is_changed = True
            is_changed |= reach(0, np.where(down[0], pool, CLOSED), POOL, self.every)
            for one in range(1, self.classes):
                ways = np.where(down[one], distance[parent[one], self.every], CLOSED)
                is_changed |= reach(one, ways, DOWN, self.every)
        return distance, kind, before, pool, pool_before

    def _walk(
        self, goal: Node | None, kind: Numbers, before: Numbers, pool_before: int, person: int | None
    ) -> None:
        """Move along the path, from its end; `person` is who comes in at its beginning."""
        if goal is None:
            self.pool += 1
            self.flow[0, pool_before] += 1
            node = (0, pool_before)
        else:
            node = goal
            self.excess[node] += 1
        changed: set[Node] = set()
        while kind[node] >= 0:
            one, group = node
            if kind[node] == HORIZONTAL:
                origin = int(before[node])
                members = np.flatnonzero((self.where == origin) & (self.layers.home == one))
                prices = self.costs[members, group] - self.costs[members, origin]
                self.where[members[int(prices.argmin())]] = group
                changed |= {node, (one, origin)}
                node = (one, origin)
            elif kind[node] == UP:
                child = int(before[node])
                self.flow[child, group] += 1
                node = (child, group)
            elif kind[node] == DOWN:
                self.flow[one, group] -= 1
                node = (int(self.layers.parent[one, group]), group)
            else:
                self.flow[0, group] -= 1
                if pool_before < 0:
                    self.pool -= 1
                    break
                self.flow[0, pool_before] += 1
                node = (0, pool_before)
        else:
            if person is None:
                self.excess[node] -= 1
            else:
                self.where[person] = node[1]
                changed.add(node)
        for one, group in changed:
            self._price(one, group)

    # -- prices --------------------------------------------------------------------------------------------------------

    def _price_all(self) -> None:
        """arcs[c, g, h]: the least that moving somebody of this smallest class from g to h costs."""
        for one, group in set(zip(self.layers.home.tolist(), self.where.tolist(), strict=True)):
            self._price(one, group)

    def _price(self, one: int, group: int) -> None:
        members = np.flatnonzero((self.where == group) & (self.layers.home == one))
        if len(members):
            rows = self.costs[members]
            self.arcs[one, group] = (rows - rows[:, group][:, None]).min(axis=0)
            self.arcs[one, group, group] = CLOSED
        else:
            self.arcs[one, group] = CLOSED
