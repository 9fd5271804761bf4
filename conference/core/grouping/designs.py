"""Schedules in which nobody meets twice, made by algebra or taken from a small bank, in no time.

A design says for each round and each place in which group the place is. Most come from a difference matrix: a table
with a row for each round and a column for each *rank*, over a group of as many elements as there are tables, in which any
two rows differ by another element in each column. Place (rank, c) sits in round r at table matrix[r][rank] + c. Two places
of one rank never meet, and two of different ranks meet at most once, since their difference decides the round.

Where there are more seats at a table than tables, ranks must share columns: the people in one column then always meet,
and everybody else at most once, which is the least number of repeats that any seating can have.

Sources: Colbourn and Dinitz, Handbook of Combinatorial Designs (transversal designs, resolvable designs, starters,
quasi-difference matrices); the schedule of 32 people in 10 rounds is Aguado's (2004), as listed in the public-domain
Dagstuhl tables. All other tables were found by our own annealing and are checked by the tests.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from .design_bank import AGUADO, MATRICES, QUASI, STARTERS
from .fields import Field, prime_power

Schedule = NDArray[np.int64]
"""[round, place] → table."""
Matrix = Sequence[Sequence[int]]


@dataclass(frozen=True)
class Design:
    """`schedule[r, place]`; `ranks`: the places come rank by rank, `tables` each, and a rank never meets itself."""

    schedule: Schedule
    ranks: bool


def design(tables: int, size: int, rounds: int) -> Design | None:
    """A schedule for `tables` tables of `size` seats, or None where none is known.

    Up to `tables` seats nobody meets twice; with more seats the repeats are as few as possible.
    """
    if tables < 2 or size < 1 or rounds < 1:
        return None
    if size > tables:
        return _crowded(tables, size, rounds)
    return _from_matrix(tables, size, rounds) or _from_bank(tables, size, rounds)


def repeats(schedule: Schedule) -> int:
    """How often two places meet again: the sum of (meetings − 1) over all pairs that meet."""
    places = schedule.shape[1]
    meetings = np.zeros((places, places), dtype=np.int64)
    for tables in schedule:
        meetings += tables[:, None] == tables[None, :]
    np.fill_diagonal(meetings, 0)
    return int(np.maximum(meetings - 1, 0).sum()) // 2


# -- difference matrices ---------------------------------------------------------------------------------------------


def _from_matrix(tables: int, size: int, rounds: int) -> Design | None:
    """With one round more where ranks themselves can be tables, as a whole or cut into tables."""
    extra = 1 if tables % size == 0 else 0
    matrix = _matrix(tables, size, rounds)
    if matrix is not None:
        return Design(_developed(tables, matrix), ranks=True)
    matrix = _matrix(tables, size, rounds - 1) if extra and rounds > 1 else None
    if matrix is None:
        return None
    return Design(np.vstack([_developed(tables, matrix), np.arange(tables * size) // size]), ranks=False)


def _crowded(tables: int, size: int, rounds: int) -> Design | None:
    """Ranks share the columns of the widest matrix, as evenly as possible."""
    for width in range(tables, 0, -1):
        matrix = _matrix(tables, width, rounds)
        if matrix is not None:
            columns = sorted(rank % width for rank in range(size))
            shared = [[row[column] for column in columns] for row in matrix]
            return Design(_developed(tables, shared), ranks=True)
    return None


def _developed(tables: int, matrix: Matrix) -> Schedule:
    add = _addition(tables)
    rows = [np.concatenate([add[entry] for entry in row]) for row in matrix]
    return np.array(rows, dtype=np.int64)


@cache
def _addition(tables: int) -> NDArray[np.int64]:
    """The table of addition of the group over which the matrices of this order are written."""
    if prime_power(tables) is not None:
        field = Field(tables)
        return np.array([[field.add(a, b) for b in range(tables)] for a in range(tables)], dtype=np.int64)
    numbers = np.arange(tables)
    return (numbers[:, None] + numbers[None, :]) % tables


def _matrix(tables: int, size: int, rounds: int) -> Matrix | None:
    """`rounds` rows of `size` entries, any two of which differ by another element in each column."""
    if rounds == 1:
        return [[0] * size]
    if prime_power(tables) is not None:
        if size > tables or rounds > tables:
            return None
        field = Field(tables)
        return [[field.multiply(row, column) for column in range(size)] for row in range(rounds)]
    return _cyclic(tables, size, rounds) or _stored(tables, size, rounds) or _greedy(tables, size, rounds)


def _cyclic(tables: int, size: int, rounds: int) -> Matrix | None:
    """Products modulo the number of tables, where none of the differences multiply to zero."""
    if any(one * other % tables == 0 for one in range(1, size) for other in range(1, rounds)):
        return None
    return [[row * column % tables for column in range(size)] for row in range(rounds)]


def _stored(tables: int, size: int, rounds: int) -> Matrix | None:
    for matrix in MATRICES.get(tables, ()):
        if len(matrix) >= rounds and len(matrix[0]) >= size:
            return [[(entry - row[0]) % tables for entry in row[:size]] for row in matrix[:rounds]]
    return None


@cache
def _greedy(tables: int, size: int, rounds: int, most: int = 4_000) -> Matrix | None:
    """Column by column and row by row the first entry that fits, stepping back a bounded number of times."""
    if size > tables or rounds > tables:
        return None
    cells = [(row, column) for column in range(1, size) for row in range(1, rounds)]
    matrix = [[0] * size for _ in range(rounds)]
    used = {(one, other): {0} for other in range(rounds) for one in range(other)}
    choice = [0] * len(cells)
    place = steps = 0
    while place < len(cells):
        steps += 1
        if steps > most or place < 0:
            return None
        row, column = cells[place]
        if choice[place]:
            _release(matrix, used, row, column, tables)
        entry = next(
            (e for e in range(choice[place], tables) if _fits(matrix, used, row, column, e, tables)), None
        )
        if entry is None:
            choice[place] = 0
            place -= 1
            continue
        matrix[row][column] = entry
        for other in range(row):
            used[other, row].add((entry - matrix[other][column]) % tables)
        choice[place] = entry + 1
        place += 1
    return matrix


def _fits(
    matrix: list[list[int]],
    used: dict[tuple[int, int], set[int]],
    row: int,
    column: int,
    entry: int,
    tables: int,
) -> bool:
    return all((entry - matrix[other][column]) % tables not in used[other, row] for other in range(row))


def _release(
    matrix: list[list[int]], used: dict[tuple[int, int], set[int]], row: int, column: int, tables: int
) -> None:
    for other in range(row):
        used[other, row].discard((matrix[row][column] - matrix[other][column]) % tables)


# -- the bank ----------------------------------------------------------------------------------------------------------


def _from_bank(tables: int, size: int, rounds: int) -> Design | None:
    for schedule in bank(tables, size):
        if len(schedule) >= rounds:
            return Design(schedule[:rounds], ranks=False)
    return None


def bank(tables: int, size: int) -> list[Schedule]:
    """The stored schedules of this shape, each as long as nobody meets twice."""
    found = []
    if size == 2:
        found.append(_round_robin(tables))
    if (tables, size) in STARTERS:
        found.append(_from_starter(tables, size))
    if (tables, size) == (8, 4):
        found.append(_from_letters(AGUADO))
    if (tables, size) == (10, 10):
        found.append(_from_quasi())
    return found


def _round_robin(tables: int) -> Schedule:
    """Everybody meets everybody in pairs: one stays, the others go round."""
    people = 2 * tables
    rounds = []
    for shift in range(people - 1):
        ring = [people - 1, *((shift + place) % (people - 1) for place in range(people - 1))]
        table = [0] * people
        for pair in range(tables):
            table[ring[pair]] = table[ring[people - 1 - pair]] = pair
        rounds.append(table)
    return np.array(rounds, dtype=np.int64)


def _from_starter(tables: int, size: int) -> Schedule:
    """Base rounds turned: every orbit of `turn` places goes round by one, fixed places stay."""
    orbits, turn, bases = STARTERS[tables, size]
    rounds = []
    for base in bases:
        for shift in range(turn):
            table = [0] * (tables * size)
            for place, point in enumerate(base):
                orbit, rest = divmod(point, turn)
                moved = orbit * turn + (rest + shift) % turn if orbit < orbits else point
                table[moved] = place // size
            rounds.append(table)
    return np.array(rounds, dtype=np.int64)


def _from_letters(rounds: Sequence[str]) -> Schedule:
    letters = sorted(set(rounds[0]) - {" "})
    places = {letter: place for place, letter in enumerate(letters)}
    schedule = np.zeros((len(rounds), len(letters)), dtype=np.int64)
    for number, tables in enumerate(rounds):
        for table, people in enumerate(tables.split()):
            schedule[number, [places[letter] for letter in people]] = table
    return schedule


def _from_quasi() -> Schedule:
    """Ten tables of ten in four rounds: an orthogonal array of order 10 from a quasi-difference matrix over Z₇."""
    columns, infinite = list(zip(*QUASI, strict=True)), {}
    for number in range(4):
        blanks = [place for place, column in enumerate(columns) if column[number] is None]
        infinite.update({(number, place): 7 + index for index, place in enumerate(blanks)})
    rows = [
        [
            infinite[number, place] if entry is None else (entry + shift) % 7
            for number, entry in enumerate(column)
        ]
        for place, column in enumerate(columns)
        for shift in range(7)
    ]
    rows += [[7 + a, 7 + b, 7 + (a + b) % 3, 7 + (a + 2 * b) % 3] for a in range(3) for b in range(3)]
    return np.array(rows, dtype=np.int64).T
