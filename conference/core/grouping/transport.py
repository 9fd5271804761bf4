"""The most even table of numbers: whole entries with given sums of rows and columns and the least convex cost.

How few pairs two rounds can share, and how evenly values can be spread over groups of different sizes, is such a table.
Units are sent one by one along the cheapest path (Minoux 1986: convex costs are many arcs, the cheapest first): exact.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.int64]
Limits = tuple[Numbers, Numbers]

NEED = 10**7
"""What is still lacking counts for so much; costs of entries stay far below."""
NEVER = 2**50


@dataclass(frozen=True)
class Table:
    """Limits (least, most) of the sums of rows, of columns, and of entries; a row's entry x costs slope · x to make larger."""

    rows: Limits
    columns: Limits
    entries: Limits
    slopes: Numbers

    @property
    def size(self) -> int:
        """How many entries there are."""
        return self.entries[0].size


def fill(table: Table, units: int, beat: Callable[[], None]) -> Numbers | None:
    """Entries that sum up to `units` with the least sum of slope · x · (x − 1) / 2; None where the limits allow none."""
    entries = np.zeros(table.entries[0].shape, dtype=np.int64)
    for unit in range(units):
        if unit % 50 == 0:
            beat()
        if not _send(table, entries):
            return None
    (least, most), rows, columns = table.entries, entries.sum(axis=1), entries.sum(axis=0)
    is_good = (
        ((entries >= least) & (entries <= most)).all()
        and (rows >= table.rows[0]).all()
        and (columns >= table.columns[0]).all()
    )
    return entries if is_good else None


def _send(table: Table, entries: Numbers) -> bool:
    """One unit more, along the cheapest path from a row to a column; entries on the way go up and down by turns."""
    least, most = table.entries
    up = table.slopes[:, None] * entries - NEED * (entries < least) + NEVER * (entries >= most)
    down = -table.slopes[:, None] * (entries - 1) + NEED * (entries <= least) + NEVER * (entries <= 0)
    row = _next_unit(entries.sum(axis=1), table.rows)
    column = np.full(entries.shape[1], NEVER, dtype=np.int64)
    to_row = np.full(len(row), -1, dtype=np.int64)
    to_column = np.full(len(column), -1, dtype=np.int64)
    while True:
        ways = row[:, None] + up
        nearest = ways.argmin(axis=0)
        reached = ways[nearest, np.arange(len(column))]
        better = reached < column
        if not better.any():
            break
        column[better], to_column[better] = reached[better], nearest[better]
        ways = column[None, :] + down
        nearest = ways.argmin(axis=1)
        reached = ways[np.arange(len(row)), nearest]
        better = reached < row
        row[better], to_row[better] = reached[better], nearest[better]
    ends = column + _next_unit(entries.sum(axis=0), table.columns)
    end = int(ends.argmin())
    if ends[end] >= NEVER // 2:
        return False
    while end >= 0:
        start = int(to_column[end])
        entries[start, end] += 1
        end = int(to_row[start])
        if end >= 0:
            entries[start, end] -= 1
    return True


def _next_unit(sums: Numbers, limits: Limits) -> Numbers:
    least, most = limits
    costs: Numbers = np.where(sums < least, -NEED, np.where(sums < most, 0, NEVER))
    return costs
