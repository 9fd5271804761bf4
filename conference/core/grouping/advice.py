"""Advice before forming: what a number of tables allows, told at once and without seating anybody.

For n people at k tables of at most s seats in R rounds:

- nobody meets twice *for certain* where a schedule is known: k rounds for s ≤ k where k is a prime power (lines of an affine
  plane); R rounds where a·b is no multiple of k for 0 < a < s and 0 < b < R; what the bank of `designs` holds; one round more
  where the places of a rank can be tables themselves;
- repeats are *certain* where s > k and R > 1, since two who share one of k tables come to the same table again; where
  R · Σ C(size, 2) > C(n, 2), since there are not enough pairs; and for the few shapes that are proven not to exist;
- else nobody knows, and the lower bound says what is left to fear.

Sources: OEIS A107431 (social golfers); Colbourn and Dinitz, Handbook of Combinatorial Designs, 2nd ed.: resolvable group
divisible designs (II.7, IV.5), orthogonal Latin squares (III.3; none of order 6), nets that can be completed and orders
without a projective plane (Bruck 1963; Lam, Thiel, Swiercz 1989).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from itertools import accumulate
from math import comb, gcd

from ..seating import even_sizes
from .checking import MOST_GROUPS
from .design_bank import MATRICES, WIDTHS
from .designs import bank
from .fields import prime_power

SMALLEST, LARGEST = 3, 12
"""Tables at which people can talk."""
EXCLUDED = {
    (4, 3): 4,
    (5, 4): 5,
    (6, 6): 3,
    (10, 10): 8,
    (14, 14): 12,
    (21, 21): 19,
    (22, 22): 20,
}
"""(tables, seats) → most rounds without a repeat, where counting pairs would allow more."""


class Outlook(Enum):
    """Whether nobody need meet twice."""

    POSSIBLE = "possible"
    IMPOSSIBLE = "impossible"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Forecast:
    """What so many rounds mean. `least`: proven, no seating has fewer repeats; `reachable`: a schedule has so many, if known.

    A repeat is a meeting of two people who have met in an earlier round.
    """

    rounds: int
    outlook: Outlook
    least: int
    reachable: int | None


@dataclass(frozen=True)
class Advice:
    """What a number of tables allows.

    `missing_seats`: so many more are needed in these rooms; all else is then told as if the rooms had them.
    `rounds_known`: for so many rounds a schedule without repeats is known; `rounds_at_most`: more are proven impossible.
    `least_colleagues`: the fewest pairs of one organisation at a table, over all rounds; it is reached where sizes
    differ by at most one and no other goal counts more.
    """

    tables: int
    sizes: tuple[int, ...]
    missing_seats: int
    now: Forecast
    one_more: Forecast
    rounds_known: int
    rounds_at_most: int
    least_colleagues: int

    @property
    def keeps_colleagues_apart(self) -> bool:
        """No two of one organisation need share a table."""
        return self.least_colleagues == 0


def advise(
    people: int,
    rounds: int,
    tables: Iterable[int] | None = None,
    organisations: Sequence[int] = (),
    rooms: Sequence[int | None] = (),
) -> tuple[Advice, ...]:
    """What each number of tables allows, the fewest tables first; numbers that leave somebody alone are passed over.

    `tables` None: those with 3 to 12 people each. `organisations`: how many people each of them sends; the others have
    no colleagues. `rooms`: seats of each room that is free, None without limit; the largest are taken first, and
    tables beyond the rooms have no limit.
    """
    counts = sensible_tables(people) if tables is None else tables
    return tuple(
        _advice(people, rounds, count, organisations, rooms)
        for count in sorted(set(counts))
        if 1 <= count <= people // 2
    )


def sensible_tables(people: int) -> range:
    """The numbers of tables with 3 to 12 people each; one table for fewer people."""
    return range(max(1, -(-people // LARGEST)), min(MOST_GROUPS, max(1, people // SMALLEST)) + 1)


def _advice(
    people: int, rounds: int, tables: int, organisations: Sequence[int], rooms: Sequence[int | None]
) -> Advice:
    sizes, missing = _sizes(people, tables, rooms)
    known, at_most = _rounds_known(sizes), _rounds_at_most(sizes)
    return Advice(
        tables=tables,
        sizes=sizes,
        missing_seats=missing,
        now=_forecast(sizes, rounds, known, at_most),
        one_more=_forecast(sizes, rounds + 1, known, at_most),
        rounds_known=known,
        rounds_at_most=at_most,
        least_colleagues=rounds * _colleagues(sizes, organisations),
    )


def _sizes(people: int, tables: int, rooms: Sequence[int | None]) -> tuple[tuple[int, ...], int]:
    """The largest table first, and how many seats are missing."""
    largest = sorted(rooms, key=lambda seats: -1 if seats is None else -seats)
    seats = [*(one for one in largest if one is None), *(one for one in largest if one is not None)]
    within = ([*seats, *[None] * tables])[:tables]
    limits = even_sizes(people, within)
    missing = 0 if limits else people - sum(one or 0 for one in within)
    limits = limits or even_sizes(people, [None] * tables) or []
    spare = people - sum(least for least, _ in limits)
    sizes = []
    for least, most in limits:
        more = min(spare, most - least)
        spare -= more
        sizes.append(least + more)
    return tuple(sorted(sizes, reverse=True)), missing


# -- repeats ---------------------------------------------------------------------------------------------------------


def _forecast(sizes: Sequence[int], rounds: int, known: int, at_most: int) -> Forecast:
    if rounds <= known:
        return Forecast(rounds, Outlook.POSSIBLE, 0, 0)
    least = _least_repeats(sizes, rounds)
    if rounds > at_most:
        return Forecast(rounds, Outlook.IMPOSSIBLE, max(1, least), _reachable(sizes, rounds))
    return Forecast(rounds, Outlook.UNKNOWN, least, None)


def _least_repeats(sizes: Sequence[int], rounds: int) -> int:
    """The larger of two bounds: what every round shares with the one before it, and meetings that find no new pair."""
    shared = sum(_even_pairs(size, len(sizes)) for size in sizes)
    return max((rounds - 1) * shared, rounds * _pairs(sizes) - comb(sum(sizes), 2), 0)


def _rounds_at_most(sizes: Sequence[int]) -> int:
    if sizes[0] > len(sizes):
        return 1
    at_most = comb(sum(sizes), 2) // _pairs(sizes)
    return min(at_most, EXCLUDED.get((len(sizes), sizes[0]), at_most) if sizes[-1] == sizes[0] else at_most)


def _rounds_known(sizes: Sequence[int]) -> int:
    """Rounds of the best schedule that is known for tables of these sizes.

    In the round more a rank is cut into tables; one place of each of them may stay empty.
    """
    tables, size, spare = len(sizes), sizes[0], len(sizes) * sizes[0] - sum(sizes)
    if size > tables or spare >= tables or size - sizes[-1] > 1:
        return 1
    rows = _rows(tables, size)
    has_more = tables % size == 0 and spare <= tables // size
    return max(1, rows + has_more, _banked(tables, size, spare))


@lru_cache(maxsize=4096)
def _rows(tables: int, size: int) -> int:
    """The most rows of a known difference matrix with so many columns: rounds in which a rank never meets itself.

    With one place of a rank empty the rest still fits, so any number of places may stay empty in the last rank.
    """
    if size > tables:
        return 1
    if prime_power(tables) is not None:
        return tables
    cyclic = min((tables // gcd(column, tables) for column in range(1, size)), default=tables)
    stored = [len(matrix) for matrix in MATRICES.get(tables, ()) if len(matrix[0]) >= size]
    found = sum(width >= size for width in WIDTHS.get(tables, ()))
    return max(cyclic, *stored, found + 2 if found else 1)


@lru_cache(maxsize=4096)
def _banked(tables: int, size: int, spare: int) -> int:
    """The most rounds of a stored schedule that lose no more than one place at each table for those who are missing."""
    if size == 2:
        return 2 * tables - 1 if spare <= 1 else 1
    return max((_rounds_with_spare(schedule.T.tolist(), spare) for schedule in bank(tables, size)), default=1)


def _rounds_with_spare(places: Sequence[Sequence[int]], spare: int) -> int:
    """Places that do not meet are left empty one by one, the last first, as `skeleton` does."""
    for rounds in range(len(places[0]), 1, -1):
        dropped: list[Sequence[int]] = []
        for place in reversed(places):
            if len(dropped) < spare and not any(
                one == other for kept in dropped for one, other in zip(place[:rounds], kept, strict=False)
            ):
                dropped.append(place)
        if len(dropped) == spare:
            return rounds
    return 1


def _reachable(sizes: Sequence[int], rounds: int) -> int | None:
    """Repeats of the schedule in which ranks share the columns of the widest matrix: who shares one always meets."""
    tables, size, people = len(sizes), sizes[0], sum(sizes)
    if size <= tables or tables < 2 or size - sizes[-1] > 1:
        return comb(people, 2) * (rounds - 1) if tables == 1 else None
    width = next(width for width in range(tables, 0, -1) if width == 1 or _rows(tables, width) >= rounds)
    if width == 1 and _rows(tables, 1) < rounds:
        return None
    columns = sorted(rank % width for rank in range(size))
    full = [columns.count(column) for column in range(width)]
    spare = tables * size - people
    always = tables * sum(comb(count, 2) for count in full) - spare * (full[columns[-1]] - 1)
    return (rounds - 1) * always


# -- colleagues --------------------------------------------------------------------------------------------------------


def _colleagues(sizes: Sequence[int], organisations: Sequence[int]) -> int:
    """The fewest pairs of colleagues at one table in a round, exact where sizes differ by at most one; else a bound.

    Dealt out one table after the other, every organisation is spread evenly. At tables of other sizes nobody sits beside a
    colleague exactly where the j largest tables never have more seats than there are people to fill them, with at most j of
    an organisation (Gale and Ryser).
    """
    staff = [count for count in organisations if count > 0]
    least = sum(_even_pairs(count, len(sizes)) for count in staff)
    if sizes[0] - sizes[-1] <= 1:
        return least
    with_staff = [sum(count >= number for count in staff) for number in range(1, len(sizes) + 1)]
    alone = max(0, sum(sizes) - sum(staff))
    gaps = [seats - fill for seats, fill in zip(accumulate(sizes), accumulate(with_staff), strict=True)]
    return max(least, max(gaps) - alone)


def _even_pairs(count: int, tables: int) -> int:
    """Pairs at one table if so many people are spread evenly."""
    low, more = divmod(count, tables)
    return tables * comb(low, 2) + more * low


def _pairs(sizes: Iterable[int]) -> int:
    return sum(comb(size, 2) for size in sizes)
