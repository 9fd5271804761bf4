"""Looks through a spreadsheet before a library lays it out in memory.

The reader (calamine) allocates a full rectangle and a copy of the text for each cell: one cell at XFD1048576, one repeated
cell of ODS, or one long shared string used half a million times ends the whole process. So positions, repetitions and text
are added up here first, with a streaming parser and without a memory of the content.
"""

import posixpath
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


Place = tuple[int, int]
"""Row and column, from 1."""


def check_workbook(parts: Mapping[str, bytes]) -> dict[str, set[Place]]:
    """Where formulas stand, by the name of the sheet.

    Refuses an XLSX whose cells lie too far out or hold too much text in all: raises BadTable.
    """
    strings = _SharedStrings()
    for name, content in parts.items():
        if name.lower().endswith("sharedstrings.xml"):
            _run(strings, content)
    cells = _Cells(strings.lengths)
    formulas: dict[str, set[Place]] = {}
    for name, content in parts.items():
        cells.formulas = formulas[f"/{name}".lower()] = set()
        _run(cells, content)
    return {sheet: formulas[part] for sheet, part in _sheets(parts).items() if formulas.get(part)}


def _sheets(parts: Mapping[str, bytes]) -> dict[str, str]:
    """The part of the archive in which each sheet stands."""
    targets, sheets = _Relationships(), _SheetNames()
    _run(targets, parts.get("xl/_rels/workbook.xml.rels", b"<none/>"))
    _run(sheets, parts["xl/workbook.xml"])
    return {
        name: posixpath.normpath(posixpath.join("/xl", targets.found[key])).lower()
        for name, key in sheets.found.items()
        if key in targets.found
    }


def check_document(content: bytes) -> dict[str, set[Place]]:
    """The same for an ODS (its content.xml), in which cells may also repeat too often."""
    cells = _RepeatedCells()
    _run(cells, content)
    return cells.formulas


class _Scan:
    """What the three kinds of look have in common: where they are and how much text there was."""

    def __init__(self) -> None:
        self.length = self.total = self.elements = self.computed_cells = 0

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

    def add_formulas(self, number: int) -> None:
        """Count cells whose place is remembered."""
        self.computed_cells += number
        if self.computed_cells > MAX_ROWS * MAX_COLUMNS:
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


class _Relationships(_Scan):
    """Which part each id stands for."""

    def __init__(self) -> None:
        super().__init__()
        self.found: dict[str, str] = {}

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        if name == "Relationship":
            self.found[attributes.get("Id", "")] = attributes.get("Target", "")


class _SheetNames(_Relationships):
    """Which id each sheet has."""

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        if name == "sheet":
            self.found[attributes.get("name", "")] = attributes.get("id", "")


class _Cells(_Scan):
    """Cells of worksheets; a row or cell without a position follows the one before."""

    def __init__(self, lengths: list[int]) -> None:
        super().__init__()
        self.lengths = lengths
        self.row = self.column = 0
        self.in_cell = self.shared = self.computed = self.is_text = False
        self.number = ""
        self.formulas: set[Place] = set()

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        if name == "sheetData":
            self.row = 0
        elif name == "row":
            self.row, self.column = _number(attributes.get("r"), self.row + 1), 0
        elif name == "c":
            self._place(attributes.get("r"))
            self.in_cell, self.computed = True, False
            self.shared, self.is_text = attributes.get("t") == "s", attributes.get("t") == "str"
        elif self.in_cell:
            self.number, self.length = "", 0
            self.computed = self.computed or name == "f"
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
            self._note_formula()
            self.in_cell = False
        elif name == "v" and self.in_cell:
            self.add(self._shared_length() if self.shared else self.length)

    def _note_formula(self) -> None:
        """A formula whose result is known to be an empty text is an empty cell: whole columns are filled with such."""
        if self.computed and not (self.is_text and self.length == 0):
            self.add_formulas(1)
            self.formulas.add((self.row, self.column))

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
        self.in_cell = self.filled = self.computed = self.is_text = False
        self.formulas: dict[str, set[Place]] = {}
        self.sheet: set[Place] = set()

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        if name == "table":
            self.row = 0
            self.sheet = self.formulas.setdefault(attributes.get("name", ""), set())
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
        self.computed, self.is_text = "formula" in attributes, attributes.get("value-type") == "string"

    def end(self, name: str) -> None:
        if name in ("table-cell", "covered-table-cell"):
            self.in_cell = False
            self.column += self.columns
            if self.filled or self.computed:
                _refuse_far(self.row + self.rows, self.column)
                self.add(self.length * self.rows * self.columns)
                self._note_formula()
        elif name == "table-row":
            self.row += self.rows

    def _note_formula(self) -> None:
        if self.computed and not (self.is_text and self.length == 0):
            self.add_formulas(self.rows * self.columns)
            rows = range(self.row + 1, self.row + self.rows + 1)
            columns = range(self.column - self.columns + 1, self.column + 1)
            self.sheet.update((row, column) for row in rows for column in columns)


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
