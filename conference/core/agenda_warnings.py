"""What is odd in an agenda. Warnings, never walls: the organiser may have a reason."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime

from .agenda import BREAK, BREAKOUT, Slot, in_order, is_on
from .text import comparison_key

ROOM_TAKEN, PERSON_TWICE, AT_THE_SAME_TIME = "room_taken", "person_twice", "at_the_same_time"
ROOM_TOO_SMALL, BEFORE_BEGIN, AFTER_END, OTHER_DAY = (
    "room_too_small",
    "before_begin",
    "after_end",
    "other_day",
)
BETWEEN_NAMES = re.compile(r"[,;/&+]|\b(?:und|and)\b")


@dataclass(frozen=True)
class Frame:
    """Where an agenda belongs: the conference from `begin` to `end` on its `day`, with so many people expected."""

    begin: datetime
    end: datetime
    day: date
    zone: str
    people: int


@dataclass(frozen=True)
class AgendaWarning:
    """One oddity of the item `item_id`, for the two-sided ones with the earlier item `other_id`.

    `code`: room_taken, person_twice, at_the_same_time (these three name the other item), room_too_small (with `seats` and
    `people`), before_begin, after_end, other_day.
    """

    code: str
    item_id: int
    other_id: int | None = None
    seats: int = 0
    people: int = 0


def warnings(slots: Iterable[Slot], frame: Frame) -> list[AgendaWarning]:
    """All oddities, in the order of the agenda."""
    row = in_order(slots)
    place = {slot.id: number for number, slot in enumerate(row)}
    found = [*_pairs(row), *(warning for slot in row for warning in _alone(slot, frame))]
    return sorted(found, key=lambda warning: place[warning.item_id])


def _alone(slot: Slot, frame: Frame) -> Iterator[AgendaWarning]:
    if not is_on(slot, frame.day, frame.zone):
        yield AgendaWarning(OTHER_DAY, slot.id)
    elif not slot.internal:
        # Coffee on arrival comes before the beginning everywhere; what is internal sets up before and clears away after.
        if slot.starts_at < frame.begin and slot.kind != BREAK:
            yield AgendaWarning(BEFORE_BEGIN, slot.id)
        if slot.ends_at > frame.end:
            yield AgendaWarning(AFTER_END, slot.id)
    # In breaks and groups people spread over several rooms; what is internal is for few.
    for_all = slot.kind not in (BREAK, BREAKOUT) and not slot.internal
    if for_all and slot.capacity is not None and slot.capacity < frame.people:
        yield AgendaWarning(ROOM_TOO_SMALL, slot.id, seats=slot.capacity, people=frame.people)


def _pairs(row: list[Slot]) -> Iterator[AgendaWarning]:
    names = {slot.id: people_of(slot.person) for slot in row}
    for number, earlier in enumerate(row):
        for later in row[number + 1 :]:
            if later.starts_at >= earlier.ends_at:
                break
            codes = list(_between(earlier, later, names[earlier.id] & names[later.id]))
            yield from (AgendaWarning(code, later.id, earlier.id) for code in codes)


def _between(earlier: Slot, later: Slot, shared: frozenset[str]) -> Iterator[str]:
    same_room = earlier.room is not None and earlier.room == later.room
    if same_room:
        yield ROOM_TAKEN
    if shared:
        yield PERSON_TWICE
    if not same_room and not shared and not earlier.internal and not later.internal:
        yield AT_THE_SAME_TIME


def people_of(text: str) -> frozenset[str]:
    """The people named in a field such as "Ada Beispiel, Nora Muster und Tim Test", in a form to be compared.

    Of several parts only those of two words and more count, so that "Ada Beispiel, BA" does not make a person of "BA".
    """
    parts = [comparison_key(part) for part in BETWEEN_NAMES.split(text)]
    kept = [part for part in parts if part]
    return frozenset(kept if len(kept) == 1 else (part for part in kept if " " in part))
