"""Spreadsheets for tests: ordinary ones by openpyxl, hostile ones by hand."""

import io
import zipfile
from collections.abc import Callable, Sequence

from openpyxl import Workbook
from openpyxl.worksheet.worksheet import Worksheet

HEADER = [
    "Organisation",
    "Anrede",
    "Titel",
    "Vorname",
    "Nachname",
    "E-Mail",
    "Funktion",
    "Seite",
    "Team",
    "PLZ",
    "Ort",
]
ANKE = ["Bildungswerk Ravensberg", "Frau", "Dr.", "Anke", "Brinkmann", "anke@bw.example", "Leitung", "Bildungsträger", "", 32049, "Herford"]  # fmt: skip
DENIZ = ["Bildungswerk Ravensberg", "Herr", "", "Deniz", "Yılmaz", "deniz@bw.example", "Kursplanung", "", "", 1067, "Dresden"]  # fmt: skip

SPACES = (
    'xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" '
    'xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0" '
    'xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"'
)


def saved(workbook: Workbook) -> bytes:
    """The file of a workbook."""
    file = io.BytesIO()
    workbook.save(file)
    return file.getvalue()


def xlsx(rows: Sequence[Sequence[object]], change: Callable[[Worksheet], None] | None = None) -> bytes:
    """A workbook with one sheet of these rows, perhaps changed afterwards."""
    workbook = Workbook()
    for row in rows:
        workbook.active.append(row)
    if change:
        change(workbook.active)
    return saved(workbook)


def zipped(parts: dict[str, str | bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    """An archive of these parts."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return file.getvalue()


def unzipped(data: bytes) -> dict[str, bytes]:
    """The parts of an archive."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def ods(table: str) -> bytes:
    """An OpenDocument spreadsheet with one table of this XML."""
    content = (
        f'<?xml version="1.0" encoding="UTF-8"?><office:document-content {SPACES}><office:body><office:spreadsheet>'
        f'<table:table table:name="Liste">{table}</table:table></office:spreadsheet></office:body></office:document-content>'
    )
    manifest = '<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"/>'
    kind = "application/vnd.oasis.opendocument.spreadsheet"
    return zipped({"mimetype": kind, "content.xml": content, "META-INF/manifest.xml": manifest})


def ods_row(*cells: object, repeated: int = 1) -> str:
    """A row of an OpenDocument table; numbers become numbers."""
    return f'<table:table-row table:number-rows-repeated="{repeated}">{"".join(map(ods_cell, cells))}</table:table-row>'


def ods_cell(value: object, repeated: int = 1) -> str:
    """A cell of an OpenDocument table."""
    repetition = f'table:number-columns-repeated="{repeated}"'
    if value == "":
        return f"<table:table-cell {repetition}/>"
    kind = f'"float" office:value="{value}"' if isinstance(value, int | float) else '"string"'
    return (
        f"<table:table-cell {repetition} office:value-type={kind}><text:p>{value}</text:p></table:table-cell>"
    )


def with_sheet(rows: str, strings: Sequence[str] = ()) -> bytes:
    """An XLSX whose first sheet holds these rows of XML, with these shared strings."""
    parts: dict[str, str | bytes] = dict(unzipped(xlsx([["x"]])))
    space = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    parts["xl/worksheets/sheet1.xml"] = f"<worksheet {space}><sheetData>{rows}</sheetData></worksheet>"
    parts["xl/sharedStrings.xml"] = (
        f"<sst {space}>{''.join(f'<si><t>{text}</t></si>' for text in strings)}</sst>"
    )
    return zipped(parts)
