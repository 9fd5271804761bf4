"""How many people sit at which table, and what differs between two published plans."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Entry = Mapping[str, Any]
"""A group as a release freezes it."""


@dataclass(frozen=True)
class SeatChange:
    """One person's round in two plans; None: no seat there."""

    contact_id: int
    round: int
    before: Entry | None
    after: Entry | None

    @property
    def is_move(self) -> bool:
        """True when the table differs, not only its room or time."""
        return (self.before or {}).get("group") != (self.after or {}).get("group")


def seat_changes(before: Iterable[Entry], after: Iterable[Entry]) -> list[SeatChange]:
    """Everybody whose table, room or time differs between two plans, by round."""
    old, new = _places(before), _places(after)
    return [
        SeatChange(contact_id, round, old.get((round, contact_id)), new.get((round, contact_id)))
        for round, contact_id in sorted(old.keys() | new.keys())
        if _facts(old.get((round, contact_id))) != _facts(new.get((round, contact_id)))
    ]


def _places(plan: Iterable[Entry]) -> dict[tuple[int, int], Entry]:
    return {(entry["round"], contact_id): entry for entry in plan for contact_id in entry["contact_ids"]}


def _facts(entry: Entry | None) -> tuple[object, ...] | None:
    return None if entry is None else tuple(entry[key] for key in ("group", "room", "starts_at", "ends_at"))


@dataclass(frozen=True)
class OwnSeat:
    """One person's round through all published plans: where they sit now (None: nowhere), and how often that has changed.

    `changed` is the number of the published version, counted from 0, that changed it last.
    """

    round: int
    entry: Entry | None
    changes: int
    changed: int


def own_seats(plans: Sequence[Iterable[Entry]], contact_id: int) -> list[OwnSeat]:
    """The rounds in which a person has or had a seat, by the published plans from the first to the newest.

    What counts as a change is what stands in a calendar: table, room, topic and question; the time is the agenda's.
    """
    seats: dict[int, OwnSeat] = {}
    for version, plan in enumerate(plans):
        own = {entry["round"]: entry for entry in plan if contact_id in entry["contact_ids"]}
        for round in own.keys() | seats.keys():
            before, now = seats.get(round), own.get(round)
            if before is None or _shown(before.entry) != _shown(now):
                changes = before.changes + 1 if before is not None else 1
                seats[round] = OwnSeat(round, now, changes, version)
    return [seats[round] for round in sorted(seats)]


def _shown(entry: Entry | None) -> tuple[object, ...] | None:
    return (
        None if entry is None else tuple(entry[key] for key in ("group", "room", "topic", "focus_question"))
    )


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


def sizes_after(
    people: int, capacities: Sequence[int | None], before: Sequence[int]
) -> list[tuple[int, int]] | None:
    """Least and most seats for each table after people have come or gone, `before` of whom sat at it; None as above.

    The tables become as even as `even_sizes` makes them, but a table that was smaller or larger on purpose may stay so.

    >>> sizes_after(21, [None, None, None], [8, 8, 8])
    [(7, 7), (7, 7), (7, 7)]
    >>> sizes_after(20, [None, None, None], [3, 9, 9])
    [(3, 7), (6, 9), (6, 9)]
    """
    now, then = even_sizes(people, capacities), even_sizes(sum(before), capacities)
    if now is None:
        return None
    then = then or [(0, count) for count in before]
    return [
        (
            low if count >= then_low else min(low, count),
            high if count <= then_high else max(high, count if room is None else min(count, room)),
        )
        for (low, high), (then_low, then_high), count, room in zip(now, then, before, capacities, strict=True)
    ]
