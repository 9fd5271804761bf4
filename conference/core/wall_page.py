"""How large the letters of the wall page may be: the largest with which everything stands on one sheet (in mm).

The numbers are those of `static/css/pdf.css`, and err on the side of more lines. Where nothing fits on one sheet, people
come on sheets of their own, by letters.
"""

from collections.abc import Sequence
from dataclasses import dataclass

MM_PER_POINT = 0.3528
ONE_LETTER = 0.53
"""Width of an average letter of a bold name, as a part of its height."""
LINE = 1.25
PADDING = 1.55


@dataclass(frozen=True)
class Paper:
    """A sheet: what can be printed on, in millimetres, and how wide the column with the letters of the tables is."""

    name: str
    width: float
    height: float
    letters: float


A4, A3 = Paper("a4", 275, 188, 38), Paper("a3", 396, 272, 52)
SIZES = {"huge": 14.0, "wide": 12.5, "normal": 11.0, "dense": 9.6, "small": 8.6}
"""Height of the letters in points by the name of the style, largest first."""
ON_MANY_SHEETS = "normal"


@dataclass(frozen=True)
class PlanRow:
    """A table over some rounds: what stands under its letter, and for each round what stands above the names, and the names."""

    about: str
    cells: Sequence[tuple[str, Sequence[str]]]


@dataclass(frozen=True)
class Layout:
    """`paper` and `density` for the style sheet; `ends`: where a list of people is cut, empty when all stand on one sheet."""

    paper: str
    density: str
    columns: int
    ends: Sequence[int] = ()


def layout(
    blocks: Sequence[Sequence[PlanRow]],
    people: Sequence[tuple[str, str]],
    rounds: int,
    notes: Sequence[str] = (),
) -> Layout:
    """The layout for tables in blocks of some rounds each, for people (name, organisation), and for notes below the tables.

    A4 is enough where it takes the letters of the middle size; else A3 with the largest that fit.
    """
    columns = 4 if rounds <= 3 else 3 if rounds <= 6 else 2 if rounds <= 12 else 1
    for paper, densities in ((A4, ("huge", "wide", "normal")), (A3, tuple(SIZES))):
        for density in densities:
            size = SIZES[density]
            height = 20 + sum(8 + _block(rows, paper, size) for rows in blocks)
            height += sum(_lines(note, 8.6, paper.width) * 4.5 for note in notes)
            listed = sum(_person(one, paper, size, columns, rounds) for one in people)
            # The last column of a balanced list may be one person longer.
            height += 16 + (listed / columns + 3 * size * MM_PER_POINT if people else 0)
            if height <= paper.height:
                return Layout(paper.name, density, columns)
    return Layout(A3.name, ON_MANY_SHEETS, columns, _cuts(people, columns, rounds))


def _cuts(people: Sequence[tuple[str, str]], columns: int, rounds: int) -> list[int]:
    """Where each sheet of the list of people ends."""
    most, used = (A3.height - 20) * columns * 0.96, 0.0
    ends = []
    for index, one in enumerate(people):
        height = _person(one, A3, SIZES[ON_MANY_SHEETS], columns, rounds)
        if used + height > most:
            ends.append(index)
            used = 0.0
        used += height
    return [*ends, len(people)]


def _lines(text: str, size: float, width: float) -> int:
    return _wrapped([(word, size) for word in text.split()], width)


def _wrapped(words: Sequence[tuple[str, float]], width: float) -> int:
    """Into how many lines words of some sizes are broken; a word that is too long for a line is broken itself."""
    lines, used = 1, 0.0
    for word, size in words:
        letter = size * MM_PER_POINT * ONE_LETTER
        length = len(word) * letter
        if used and used + letter / 2 + length > width:
            lines, used = lines + 1, 0.0
        more = int(length // width)
        lines, used = lines + more, used + letter / 2 + length - more * width
    return lines


def _block(rows: Sequence[PlanRow], paper: Paper, size: float) -> float:
    if not rows:
        return 0
    width = (paper.width - paper.letters) / max(1, len(rows[0].cells)) - 2.5
    return sum(_row(row, paper, size, width) for row in rows)


def _row(row: PlanRow, paper: Paper, size: float, width: float) -> float:
    head = 7.5 + (_lines(row.about, 8.6, paper.letters - 3) * 8.6 * MM_PER_POINT * LINE if row.about else 0)
    return PADDING + max([head, *(_cell(about, names, size, width) for about, names in row.cells)])


def _cell(about: str, names: Sequence[str], size: float, width: float) -> float:
    pairs = [names[start : start + 2] for start in range(0, len(names), 2)]
    lines = sum(max(_lines(name, size, width * 0.48) for name in pair) for pair in pairs)
    above = _lines(about, 8.6, width) * 8.6 if about else 0
    return (lines * size + above) * MM_PER_POINT * LINE


def _person(one: tuple[str, str], paper: Paper, size: float, columns: int, rounds: int) -> float:
    width = (paper.width - 6 * (columns - 1)) / columns - 9.5 * rounds - 2.5
    name, organisation = one
    words = [(word, size) for word in name.split()] + [(word, size * 0.8) for word in organisation.split()]
    return _wrapped(words, width) * size * MM_PER_POINT * LINE + PADDING
