"""From the bytes of an upload to a table of text: what kind of file it is and where its header row stands."""

import re
from collections.abc import Sequence
from dataclasses import replace

from ..text import BadText, canonical_email
from .csv_file import read_csv
from .fields import MAX_COLUMNS, MAX_FILE, MAX_ROWS, BadTable, Row, SheetReader, Sheets, Table
from .mapping import guess_mapping
from .sheet_file import read_sheets

ZIP = b"PK\x03\x04"
OLE = bytes.fromhex("d0cf11e0a1b11ae1")
ENCRYPTED_PACKAGE = "EncryptedPackage".encode("utf-16-le")
OTHER_FILES = (
    b"%PDF",
    b"\x89PNG",
    b"\xff\xd8\xff",
    b"GIF8",
    b"{\\rtf",
    b"RIFF",
    b"\x1f\x8b",
    b"7z\xbc\xaf",
    b"Rar!",
    b"PK",
)
WORKBOOKS, TEXTS = {"xlsx", "xlsm", "ods"}, {"csv", "tsv", "txt"}
ENDING = re.compile(r"\.([a-z][a-z0-9]{1,4})\Z")
NOTHING = b"\x00\t\n\r \xef\xbb\xbf\xfe\xff"
# A list may begin with a title, a date and a blank line.
HEADER_WITHIN = 10
LONGEST_HEADING = 100


def read_table(data: bytes, filename: str, sheets: SheetReader = read_sheets) -> Table:
    """The table in a CSV, XLSX or ODS file. What the file is, its content says; a name with another ending is refused.

    Reads at most 5 MB, 50 MB unpacked, 10,000 rows and 60 columns. `sheets` opens workbooks. Raises BadTable.
    """
    if not data.strip(NOTHING):
        raise BadTable("empty")
    if len(data) > MAX_FILE:
        raise BadTable("too_big", str(MAX_FILE))
    if data.startswith(OLE):
        raise BadTable("protected" if ENCRYPTED_PACKAGE in data else "old_excel")
    if data.startswith(ZIP):
        _must_be_named(filename, WORKBOOKS)
        return _best_sheet(sheets(data))
    if data.startswith(OTHER_FILES):
        raise BadTable("binary")
    if filename.lower().endswith((".xlsx", ".ods")):
        raise BadTable("damaged")
    _must_be_named(filename, TEXTS)
    found = read_csv(data)
    return replace(_table(found.rows), encoding=found.encoding, delimiter=found.delimiter)


def _must_be_named(filename: str, endings: set[str]) -> None:
    """A name without an ending claims nothing, and may be that of a pipe."""
    ending = ENDING.search(filename.lower())
    if ending is not None and ending[1] not in endings:
        raise BadTable("other_ending", ending[1])


def _best_sheet(sheets: Sheets) -> Table:
    """The sheet whose header row says most: workbooks often begin with a cover sheet."""
    if not sheets:
        raise BadTable("empty")
    name, rows = max(sheets, key=lambda sheet: max(map(_headings, sheet[1][:HEADER_WITHIN])))
    return replace(_table(rows), sheet=name)


def _table(rows: Sequence[Row]) -> Table:
    """Rows below the header row, which is the first of ten with two known headings, else the first with anything in it."""
    short = [Row(row.line, _without_blank_end(row.cells)) for row in rows]
    if any(len(row.cells) > MAX_COLUMNS for row in short):
        raise BadTable("too_many_columns", str(MAX_COLUMNS))
    filled = [row for row in short if row.cells]
    if not filled:
        raise BadTable("empty")
    header = next((row for row in filled[:HEADER_WITHIN] if _headings(row) >= 2), filled[0])
    if any(_looks_like_data(cell) for cell in header.cells):
        raise BadTable("no_header")
    below = tuple(row for row in short if row.line > header.line)
    if sum(bool(row.cells) for row in below) > MAX_ROWS:
        raise BadTable("too_many_rows", str(MAX_ROWS))
    physical = next(len(row.cells) for row in rows if row.line == header.line)
    return Table(_names(header, below, physical), below, header.line)


def _without_blank_end(cells: Sequence[str]) -> tuple[str, ...]:
    filled = [at for at, cell in enumerate(cells) if cell.strip()]
    return tuple(cells[: filled[-1] + 1]) if filled else ()


def _headings(row: Row) -> int:
    return (
        0
        if any(_looks_like_data(cell) for cell in row.cells)
        else len(guess_mapping(row.cells[:MAX_COLUMNS]))
    )


def _looks_like_data(cell: str) -> bool:
    if re.fullmatch(r"\s*[0-9]{4,5}\s*", cell):
        return True
    try:
        return bool(canonical_email(cell))
    except BadText:
        return False


def _names(header: Row, below: Sequence[Row], physical: int) -> tuple[str, ...]:
    """The headings, with "" for nameless columns that hold something and for which the file's header row has a place."""
    used = max((len(row.cells) for row in below), default=0)
    nameless = max(0, min(used, physical) - len(header.cells))
    return tuple(" ".join(cell.split())[:LONGEST_HEADING] for cell in header.cells) + ("",) * nameless
