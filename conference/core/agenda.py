"""The times of an agenda: what moves when something moves, how much is free, what a follow-up conference takes over.

Three rules, so that nobody has to guess what a button does:

- Moving. Items that run at the same time, in whole or in part, are one block. A block changes places with the block
  before or after it; all durations and the free time between the two stay, no other item moves, and the opposite move
  puts everything back. Internal items run beside the programme: they are moved among themselves.
- Closing gaps. From an item on, each block begins when the one before it ends; inside a block nothing changes.
- Opening with a review. It takes the beginning of the conference; what begins before (arrival, coffee) stays, and so do
  internal items. Later blocks give way just as far as they must: free time is used up first, then each break gives up
  to a third of its length in steps of five minutes. Where no more room is needed, everything stays at its time.

Intervals are half-open: 09:00–10:00 and 10:00–11:00 do not overlap. Moments are aware datetimes in UTC.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from typing import Literal

from .walltime import NoSuchTime, end_of_day, to_local, to_utc, zone_of

Direction = Literal["up", "down"]
Block = tuple["Slot", ...]
Times = dict[int, datetime]
BREAK, REVIEW, BREAKOUT = "break", "review", "breakout"
FIVE_MINUTES = timedelta(minutes=5)
NOTHING = timedelta()


class BadTime(ValueError):
    """No item can be there. `code`: gap (the clocks jump over it), midnight (not within the day), range, edge (no neighbour)."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True)
class Slot:
    """One agenda item as far as time and place go. `kind` is plenary, talk, breakout, review or break; `room` is an id."""

    id: int
    starts_at: datetime
    duration: timedelta
    kind: str = "plenary"
    room: int | None = None
    capacity: int | None = None
    person: str = ""
    internal: bool = False

    @property
    def ends_at(self) -> datetime:
        """The first moment after it."""
        return self.starts_at + self.duration

    def overlaps(self, other: "Slot") -> bool:
        """True where both run at some moment."""
        return self.starts_at < other.ends_at and other.starts_at < self.ends_at


def placed(day: date, clock: time, duration: timedelta, zone: str) -> datetime:
    """When an item of this length begins. Raises BadTime (gap, range; midnight when it would end after the day)."""
    try:
        starts_at = to_utc(day, clock, zone)
        if starts_at + duration > end_of_day(day, zone):
            raise BadTime("midnight")
    except NoSuchTime as error:
        raise BadTime(error.code) from error
    return starts_at


def is_on(slot: Slot, day: date, zone: str) -> bool:
    """True when the item lies between 00:00 and 24:00 of the day."""
    return to_local(slot.starts_at, zone).date() == day and slot.ends_at <= end_of_day(day, zone)


def in_order(slots: Iterable[Slot]) -> list[Slot]:
    """By beginning; what begins together in the order in which it was added."""
    return sorted(slots, key=lambda slot: (slot.starts_at, slot.id))


def blocks(slots: Iterable[Slot]) -> list[Block]:
    """The items in order, those that overlap (also by way of a third one) together."""
    found: list[list[Slot]] = []
    until = datetime.min.replace(tzinfo=UTC)
    for slot in in_order(slots):
        if not found or slot.starts_at >= until:
            found.append([])
        found[-1].append(slot)
        until = max(until, slot.ends_at)
    return [tuple(block) for block in found]


def end_of(block: Sequence[Slot]) -> datetime:
    """When the last item of a block ends."""
    return max(slot.ends_at for slot in block)


def moved(slots: Iterable[Slot], item_id: int, direction: Direction) -> Times:
    """The new beginnings after a block has changed places with its neighbour. Raises BadTime (edge) where there is none."""
    row = blocks(_beside(slots, item_id))
    here = _place_of(row, item_id)
    first = here - 1 if direction == "up" else here
    if not 0 <= first < len(row) - 1:
        raise BadTime("edge")
    before, after = row[first], row[first + 1]
    back = after[0].starts_at - before[0].starts_at
    on = end_of(after) - end_of(before)
    return _later(after, -back) | _later(before, on)


def shifted(slots: Iterable[Slot], since: datetime, by: timedelta) -> Times:
    """The new beginnings when all items that begin at a moment or later are moved by this much."""
    return _later([slot for slot in slots if slot.starts_at >= since], by)


def without_gaps(slots: Iterable[Slot], item_id: int) -> Times:
    """The new beginnings when, from an item on, each block begins as the one before it ends; only what changes."""
    row = blocks(_beside(slots, item_id))
    here = _place_of(row, item_id)
    free, times = end_of(row[here]), Times()
    for block in row[here + 1 :]:
        back = free - block[0].starts_at
        times |= _later(block, back) if back else {}
        free = end_of(block) + back
    return times


def _beside(slots: Iterable[Slot], item_id: int) -> list[Slot]:
    row = in_order(slots)
    internal = next(slot.internal for slot in row if slot.id == item_id)
    return [slot for slot in row if slot.internal == internal]


def _place_of(row: Sequence[Block], item_id: int) -> int:
    return next(place for place, block in enumerate(row) if any(slot.id == item_id for slot in block))


def _later(slots: Iterable[Slot], by: timedelta) -> Times:
    return {slot.id: slot.starts_at + by for slot in slots}


def movable(slots: Iterable[Slot], direction: Direction) -> set[int]:
    """Ids of the items that `moved` can move in this direction."""
    row = list(slots)
    tracks = (blocks(slot for slot in row if slot.internal == internal) for internal in (False, True))
    inner = (track[1:] if direction == "up" else track[:-1] for track in tracks)
    return {slot.id for track in inner for block in track for slot in block}


def free_before(slots: Iterable[Slot]) -> dict[int, timedelta]:
    """By id of the item after it: the free time between two blocks of the programme; internal items do not fill it."""
    row = blocks(slot for slot in slots if not slot.internal)
    gaps = {after[0].id: after[0].starts_at - end_of(before) for before, after in pairwise(row)}
    return {item_id: gap for item_id, gap in gaps.items() if gap > NOTHING}


def covered(slots: Iterable[Slot], begin: datetime | None = None, end: datetime | None = None) -> timedelta:
    """How much time the programme fills, counted once where items overlap; only from `begin` to `end`, if given."""
    total = NOTHING
    for block in blocks(slot for slot in slots if not slot.internal):
        first = block[0].starts_at if begin is None else max(begin, block[0].starts_at)
        last = end_of(block) if end is None else min(end, end_of(block))
        total += max(NOTHING, last - first)
    return total


def on_day(slots: Iterable[Slot], zone: str, day: date) -> list[Slot]:
    """The same items at the same times on the wall on another day: 09:30 stays 09:30, in summer as in winter.

    A time that the clocks jump over on that day becomes the one that they show instead (02:30 becomes 03:30).
    """
    return [replace(slot, starts_at=_on_day(slot.starts_at, zone, day)) for slot in slots]


def _on_day(moment: datetime, zone: str, day: date) -> datetime:
    clock = to_local(moment, zone).time().replace(fold=0)
    return datetime.combine(day, clock, zone_of(zone)).astimezone(UTC)


def opened_with(review: Slot, slots: Iterable[Slot], begin: datetime, day_end: datetime) -> list[Slot]:
    """The agenda with a review at `begin`, by the rule above; reviews from before are left out, their time is used.

    Where giving way would lead past `day_end`, nothing moves: the warnings then show what overlaps.
    """
    row = [slot for slot in in_order(slots) if slot.kind != REVIEW]
    fixed = [slot for slot in row if slot.internal or slot.starts_at < begin]
    rest = [slot for slot in row if slot not in fixed]
    opening = replace(review, starts_at=begin)
    given_way = _giving_way(blocks(rest), opening.ends_at)
    past_the_day = any(slot.ends_at > day_end for slot in given_way)
    return in_order([*fixed, opening, *(rest if past_the_day else given_way)])


def _giving_way(row: Iterable[Block], free: datetime) -> list[Slot]:
    kept: list[Slot] = []
    for block in row:
        late = max(NOTHING, free - block[0].starts_at)
        block = tuple(replace(slot, starts_at=slot.starts_at + late) for slot in block)
        if len(block) == 1 and block[0].kind == BREAK:
            block = (replace(block[0], duration=block[0].duration - min(late, _spare(block[0].duration))),)
        kept.extend(block)
        free = end_of(block)
    return kept


def _spare(duration: timedelta) -> timedelta:
    return duration // 3 // FIVE_MINUTES * FIVE_MINUTES
