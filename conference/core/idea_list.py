"""A list of ideas from a spreadsheet with the columns Runde, Gruppe, Idee: read it and check every row."""

import hashlib
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from .contact_list import BadTable, Row, SheetReader, Table, read_sheets, read_table
from .text import BadText, clean_text, comparison_key, length_of

SHORTEST, LONGEST = 3, 500
HEADINGS = {
    "round": ("runde", "round"),
    "table": ("gruppe", "tisch", "group", "table"),
    "idea": ("idee", "lösungsansatz", "idea"),
}
PLENARY = ("", "plenum", "plenary")


@dataclass(frozen=True)
class IdeaLine:
    """One good row. `round` is None and `table` "" for the plenary; `key` is the same whenever the same file is read."""

    round: int | None
    table: str
    text: str
    key: str = ""


@dataclass(frozen=True)
class IdeaProblem:
    """What is wrong in one row of the file (counted from 1); `value` is fit for a page.

    Codes: empty, too_big, unreadable, no_column, nothing (all for the file); unknown_round, unknown_table, not_in_round,
    too_many_cells, too_long, bad_text, too_short.
    """

    line: int
    code: str
    value: str = ""


@dataclass(frozen=True)
class IdeaList:
    """The good rows and the problems of the others."""

    lines: tuple[IdeaLine, ...] = ()
    problems: tuple[IdeaProblem, ...] = ()


class _BadRow(ValueError):
    def __init__(self, code: str, value: str = "") -> None:
        super().__init__(code)
        self.code, self.value = code, value


def read_ideas(
    data: bytes, filename: str, tables: Mapping[int, Collection[str]], sheets: SheetReader = read_sheets
) -> IdeaList:
    """The ideas of a file. `tables` are the names by round; a round or table that is not there is a problem. Raises nothing."""
    try:
        table = read_table(data, filename, sheets)
    except BadTable as error:
        return _all_bad(1, _verdict(error))
    columns = _columns(table.header)
    if "idea" not in columns:
        return _all_bad(table.header_line, "no_column")
    checked = _checked(table, columns, tables)
    return checked if checked.lines or checked.problems else _all_bad(table.header_line, "nothing")


def _verdict(error: BadTable) -> str:
    if error.code.startswith("too_"):
        return "too_big"
    return "empty" if error.code == "empty" else "unreadable"


def _all_bad(line: int, code: str) -> IdeaList:
    return IdeaList(problems=(IdeaProblem(line, code),))


def _columns(header: Sequence[str]) -> dict[str, int]:
    keys = [comparison_key(cell) for cell in header]
    return {name: keys.index(key) for name, known in HEADINGS.items() for key in known if key in keys}


def _checked(table: Table, columns: Mapping[str, int], tables: Mapping[int, Collection[str]]) -> IdeaList:
    seen: Counter[IdeaLine] = Counter()
    lines: list[IdeaLine] = []
    problems: list[IdeaProblem] = []
    for row in table.rows:
        if not any(cell.strip() for cell in row.cells):
            continue
        try:
            _refuse_surplus(row, table)
            line = _line(_cells(row, columns), tables)
        except _BadRow as error:
            problems.append(IdeaProblem(row.line, error.code, error.value))
            continue
        seen[line] += 1
        lines.append(IdeaLine(line.round, line.table, line.text, _key(line, seen[line])))
    return IdeaList(tuple(lines), tuple(problems))


def _refuse_surplus(row: Row, table: Table) -> None:
    # An idea with a separator in it and no quotes around it would lose its end without a word.
    headed = {at for at, heading in enumerate(table.header) if heading.strip()}
    surplus = [cell.strip() for at, cell in enumerate(row.cells) if cell.strip() and at not in headed]
    if surplus:
        raise _BadRow("too_many_cells", _short(surplus[0]))


def _cells(row: Row, columns: Mapping[str, int]) -> dict[str, str]:
    return {name: row.cells[at].strip() if at < len(row.cells) else "" for name, at in columns.items()}


def _line(cells: Mapping[str, str], tables: Mapping[int, Collection[str]]) -> IdeaLine:
    round_ = _round(cells.get("round", ""), tables)
    return IdeaLine(round_, _table(cells.get("table", ""), round_, tables), _text(cells["idea"]))


def _round(typed: str, known: Collection[int]) -> int | None:
    numbers: dict[str, int | None] = {str(number): number for number in known} | dict.fromkeys(PLENARY)
    key = comparison_key(typed).removeprefix("runde").removeprefix("round").strip(" .")
    if key not in numbers:
        raise _BadRow("unknown_round", _short(typed))
    return numbers[key]


def _table(typed: str, round_: int | None, tables: Mapping[int, Collection[str]]) -> str:
    names = {comparison_key(name): name for known in tables.values() for name in known}
    name = (names | dict.fromkeys(PLENARY, "")).get(comparison_key(typed))
    if name is None:
        raise _BadRow("unknown_table", _short(typed))
    if name and round_ is not None and name not in tables[round_]:
        raise _BadRow("not_in_round", _short(typed))
    return name


def _text(typed: str) -> str:
    try:
        text = clean_text(typed, multiline=True, max_length=LONGEST)
    except BadText as error:
        raise _BadRow({"too_long": "too_long", "blank": "too_short"}.get(error.code, "bad_text")) from error
    if length_of(text) < SHORTEST:
        raise _BadRow("too_short")
    return text


def _short(text: str) -> str:
    return "".join(character if character.isprintable() else "\ufffd" for character in text[:40])


def _key(line: IdeaLine, occurrence: int) -> str:
    parts = (str(line.round or ""), line.table, line.text, str(occurrence))
    return "file:" + hashlib.sha256("\x1f".join(parts).encode()).hexdigest()
