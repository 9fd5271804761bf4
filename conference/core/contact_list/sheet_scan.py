"""Looks through a spreadsheet before a library lays it out in memory.

The reader (calamine) allocates a full rectangle and a copy of the text for each cell: one cell at XFD1048576, one repeated
cell of ODS, or one long shared string used half a million times ends the whole process. So positions, repetitions and text
are added up here first, with a streaming parser and without a memory of the content.
"""

import re
from collections.abc import Mapping
from xml.parsers import expat

from .fields import MAX_COLUMNS, MAX_ROWS, MAX_UNPACKED, BadTable

SPARE_ROWS = 20
# 10,000 rows of 60 cells with a value of three elements each are below; looking at more takes too long.
MAX_ELEMENTS = 3_000_000
# Empty cells before the last one of a row are laid out too; LibreOffice writes a thousand of them for a second cell style.
MAX_EXPANDED = 2_000_000
REFERENCE = re.compile(r"([A-Za-z]{1,3})(\d{1,7})")


def check_workbook(parts: Mapping[str, bytes]) -> None:
    """Refuse an XLSX whose cells lie too far out or hold too much text in all. Raises BadTable."""
    strings = _SharedStrings()
    for name, content in parts.items():
        if name.lower().endswith("sharedstrings.xml"):
            _run(strings, content)
    cells = _Cells(strings.lengths)
    for content in parts.values():
        _run(cells, content)


def check_document(content: bytes) -> None:
    """Refuse an ODS (its content.xml) whose cells lie too far out, repeat too often or hold too much text."""
    _run(_RepeatedCells(), content)


class _Scan:
    """What the three kinds of look have in common: where they are and how much text there was."""

    def __init__(self) -> None:
        self.length = self.total = self.elements = 0

    def begin(self, name: str, attributes: Mapping[str, str]) -> None:
        """An element begins; its name and those of its attributes come with prefixes."""
        self.elements += 1
        if self.elements > MAX_ELEMENTS:
            raise BadTable("unpacked_too_big", str(MAX_UNPACKED))
        self.start(_local(name), {_local(key): value for key, value in attributes.items()})

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        """An element begins."""

    def end(self, name: str) -> None:
        """An element ends."""

    def text(self, data: str) -> None:
        """Text within the current element, perhaps in pieces."""
        self.length += len(data)

    def add(self, length: int) -> None:
        """Count text that will be copied."""
        self.total += length
        if self.total > MAX_UNPACKED:
            raise BadTable("unpacked_too_big", str(MAX_UNPACKED))


class _SharedStrings(_Scan):
    """Lengths of the strings in the order of their numbers."""

    def __init__(self) -> None:
        super().__init__()
        self.lengths: list[int] = []

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        if name == "si":
            self.length = 0

    def end(self, name: str) -> None:
        if name == "si":
            self.lengths.append(self.length)


class _Cells(_Scan):
    """Cells of worksheets; a row or cell without a position follows the one before."""

    def __init__(self, lengths: list[int]) -> None:
        super().__init__()
        self.lengths = lengths
        self.row = self.column = 0
        self.in_cell = self.shared = False
        self.number = ""

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        if name == "sheetData":
            self.row = 0
        elif name == "row":
            self.row, self.column = _number(attributes.get("r"), self.row + 1), 0
        elif name == "c":
            self._place(attributes.get("r"))
            self.in_cell, self.shared, self.length = True, attributes.get("t") == "s", 0
        elif self.in_cell:
            self.number = ""
            _refuse_far(self.row, self.column)

    def _place(self, reference: str | None) -> None:
        self.column += 1
        if reference is None:
            return
        found = REFERENCE.fullmatch(reference)
        if not found:
            raise BadTable("damaged")
        self.row, self.column = max(self.row, int(found[2])), _column_number(found[1])

    def end(self, name: str) -> None:
        if name == "c":
            self.in_cell = False
        elif name == "v" and self.in_cell:
            self.add(self._shared_length() if self.shared else self.length)

    def _shared_length(self) -> int:
        number = _number(self.number.strip(), 0)
        return self.lengths[number] if number < len(self.lengths) else 0

    def text(self, data: str) -> None:
        if self.in_cell:
            self.length += len(data)
            if self.shared and len(self.number) < 20:
                self.number += data


class _RepeatedCells(_Scan):
    """Cells of an OpenDocument table, in which rows and cells may say how often they repeat."""

    def __init__(self) -> None:
        super().__init__()
        self.row = self.column = self.expanded = 0
        self.rows = self.columns = 1
        self.in_cell = self.filled = False

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        if name == "table":
            self.row = 0
        elif name == "table-row":
            self.rows, self.column, self.columns = _number(attributes.get("number-rows-repeated"), 1), 0, 0
        elif name in ("table-cell", "covered-table-cell"):
            self._next_cell(attributes)
        elif self.in_cell:
            self.filled = True
            # <text:s text:c="1000"/> stands for a thousand spaces.
            self.length += _number(attributes.get("c"), 1) if name == "s" else 0

    def _next_cell(self, attributes: Mapping[str, str]) -> None:
        self.expanded += self.columns  # those of the cell before
        if self.expanded > MAX_EXPANDED:
            raise BadTable("too_many_columns", str(MAX_COLUMNS))
        self.columns = _number(attributes.get("number-columns-repeated"), 1)
        self.in_cell, self.filled, self.length = True, "value-type" in attributes, 0

    def end(self, name: str) -> None:
        if name in ("table-cell", "covered-table-cell"):
            self.in_cell = False
            self.column += self.columns
            if self.filled:
                _refuse_far(self.row + self.rows, self.column)
                self.add(self.length * self.rows * self.columns)
        elif name == "table-row":
            self.row += self.rows


def _refuse_far(row: int, column: int) -> None:
    if row > MAX_ROWS + SPARE_ROWS:
        raise BadTable("too_many_rows", str(MAX_ROWS))
    if column > MAX_COLUMNS:
        raise BadTable("too_many_columns", str(MAX_COLUMNS))


def _number(text: str | None, default: int) -> int:
    if text is None:
        return default
    if not re.fullmatch(r"[0-9]{1,9}", text):
        raise BadTable("damaged")
    return int(text)


def _column_number(letters: str) -> int:
    number = 0
    for letter in letters.upper():
        number = number * 26 + ord(letter) - ord("A") + 1
    return number


def _run(scan: _Scan, content: bytes) -> None:
    # The encoding is fixed because the reader knows no other; a document type has no place in an office file.
    parser = expat.ParserCreate("utf-8")
    parser.buffer_text = True
    parser.StartElementHandler = scan.begin
    parser.EndElementHandler = lambda name: scan.end(_local(name))
    parser.CharacterDataHandler = scan.text
    parser.StartDoctypeDeclHandler = _refuse_document_type
    try:
        parser.Parse(content, True)
    except expat.ExpatError as error:
        raise BadTable("damaged") from error


def _local(name: str) -> str:
    return name.rpartition(":")[2]


def _refuse_document_type(*_details: object) -> None:
    raise BadTable("damaged")
