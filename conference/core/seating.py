"""How many people sit at which table."""

from collections.abc import Sequence


def even_sizes(people: int, capacities: Sequence[int | None]) -> list[tuple[int, int]] | None:
    """Least and most seats for each table, as even as the rooms allow; None when they are too small together.

    `capacities`: seats in each table's room, None where there is no limit. Where no room limits, sizes differ by at most
    one and every table may be the larger one; a table in a small room is filled, and the rest is spread over the others.

    >>> even_sizes(38, [None] * 5)
    [(7, 8), (7, 8), (7, 8), (7, 8), (7, 8)]
    >>> even_sizes(20, [5, None, None])
    [(5, 5), (7, 8), (7, 8)]
    >>> even_sizes(20, [5, 6, 8])
    """
    full: dict[int, int] = {}
    while len(full) < len(capacities):
        left, tables = people - sum(full.values()), len(capacities) - len(full)
        low, high = left // tables, -(-left // tables)
        small = {
            index: capacity
            for index, capacity in enumerate(capacities)
            if index not in full and capacity is not None and capacity < high
        }
        if not small:
            return [
                (full[index], full[index]) if index in full else (low, high)
                for index in range(len(capacities))
            ]
        # Filling a small room leaves more for the others: only then is it known which of them are too small as well.
        full |= small
    return (
        [(full[index], full[index]) for index in range(len(capacities))]
        if sum(full.values()) == people
        else None
    )
