"""XLSX and ODS: unpacked within limits, looked through, then read; merged cells count for each row that they span."""

import io
import zipfile
import zlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, time, timedelta

from python_calamine import CalamineSheet, CalamineWorkbook, PasswordError, SheetVisibleEnum

from .fields import MAX_CELL, MAX_UNPACKED, BadTable, Row
from .sheet_scan import Place, check_document, check_workbook

Formulas = Mapping[str, Iterable[Place]]
Value = int | float | str | bool | time | date | datetime | timedelta

OPEN_DOCUMENT = ("mimetype", "content.xml", "styles.xml", "meta-inf/manifest.xml")
MAX_PARTS = 1000
ENCRYPTED = 0x1
CHUNK = 65536


def read_sheets(data: bytes) -> list[tuple[str, tuple[Row, ...]]]:
    """Name and rows of each visible sheet that holds something, cells as text cut after 501 characters. Raises BadTable."""
    parts, formulas = _checked(_unpacked(data))
    try:
        return _read(_packed(parts), formulas)
    except (BadTable, KeyboardInterrupt, SystemExit):
        raise
    except PasswordError as error:
        raise BadTable("protected") from error
    except BaseException as error:
        raise BadTable("damaged") from error


def _checked(parts: dict[str, bytes]) -> tuple[dict[str, bytes], Formulas]:
    """The parts of one kind of file, looked through, and where formulas stand.

    With the parts of both kinds the reader would make its own choice.
    """
    if "xl/workbook.xml" in parts:
        workbook = {name: content for name, content in parts.items() if name.lower() not in OPEN_DOCUMENT}
        return workbook, check_workbook(workbook)
    if b"opendocument.spreadsheet" in parts.get("mimetype", b"") and "content.xml" in parts:
        formulas = check_document(parts["content.xml"])
        return {name: content for name, content in parts.items() if name.lower() in OPEN_DOCUMENT}, formulas
    raise BadTable("unsupported")


def _unpacked(data: bytes) -> dict[str, bytes]:
    """The text parts of the archive. Sizes are those of the content, whatever the directory says."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            _check_directory(archive.infolist())
            return {
                entry.filename: _content(archive, entry)
                for entry in archive.infolist()
                if _is_text(entry.filename)
            }
    except BadTable:
        raise
    except (zipfile.BadZipFile, EOFError, NotImplementedError, OSError, ValueError, zlib.error) as error:
        raise BadTable("damaged") from error


def _check_directory(entries: Sequence[zipfile.ZipInfo]) -> None:
    if sum(entry.file_size for entry in entries) > MAX_UNPACKED:
        raise BadTable("unpacked_too_big", str(MAX_UNPACKED))
    if any(entry.flag_bits & ENCRYPTED for entry in entries):
        raise BadTable("protected")
    names = {entry.filename.lower() for entry in entries}
    if len(entries) > MAX_PARTS or len(names) < len(entries):
        raise BadTable("damaged")
    # Other methods unpack without a limit.
    if any(entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) for entry in entries):
        raise BadTable("damaged")


def _is_text(name: str) -> bool:
    return name == "mimetype" or name.lower().endswith((".xml", ".rels"))


def _content(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    """The bytes of one part, in pieces: reading at once would unpack all before it is cut to the promised size."""
    content = io.BytesIO()
    with archive.open(entry) as part:
        while piece := part.read(CHUNK):
            content.write(piece)
    return content.getvalue()


def _packed(parts: dict[str, bytes]) -> io.BytesIO:
    """An archive of what was looked at and nothing else, so that the reader cannot see another content than we did."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    packed.seek(0)
    return packed


def _read(file: io.BytesIO, formulas: Formulas) -> list[tuple[str, tuple[Row, ...]]]:
    with CalamineWorkbook.from_filelike(file) as workbook:
        names = [
            sheet.name for sheet in workbook.sheets_metadata if sheet.visible == SheetVisibleEnum.Visible
        ]
        sheets = [workbook.get_sheet_by_name(name) for name in names]
        return [
            (sheet.name, rows) for sheet in sheets if (rows := _rows(sheet, formulas.get(sheet.name, ())))
        ]


def _rows(sheet: CalamineSheet, formulas: Iterable[Place]) -> tuple[Row, ...]:
    if sheet.start is None:
        return ()
    values = sheet.to_python(skip_empty_area=False)
    cells = [[_as_text(value)[: MAX_CELL + 1] for value in row] for row in values]
    _mark_formulas(cells, formulas)
    _fill_merged(cells, sheet.merged_cell_ranges or [])
    return tuple(Row(line, tuple(row)) for line, row in enumerate(cells, start=1))


def _mark_formulas(cells: list[list[str]], formulas: Iterable[Place]) -> None:
    """Let a formula look like one: the reader gives its last result, or nothing where the file holds none."""
    for row, column in formulas:
        if row <= len(cells) and column <= len(cells[0]):
            cells[row - 1][column - 1] = f"={cells[row - 1][column - 1]}"


def _fill_merged(cells: list[list[str]], ranges: Iterable[tuple[tuple[int, int], tuple[int, int]]]) -> None:
    """Write the value of a cell that spans several rows into each of them. Columns stay: a name is no e-mail address."""
    budget = len(cells) * len(cells[0])
    for (top, column), (bottom, _right) in ranges:
        if top >= len(cells) or column >= len(cells[0]):
            continue
        below = range(top + 1, min(bottom + 1, len(cells)))
        budget -= len(below) + 1
        if budget < 0:
            raise BadTable("damaged")  # ranges that overlap
        for row in below:
            cells[row][column] = cells[top][column]


def _as_text(value: Value) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else format(value, ".15g")
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time() else value.isoformat(" ", "minutes")
    return value.isoformat() if isinstance(value, date | time) else str(value)
