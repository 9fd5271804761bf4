"""CSV as it comes out of real programs: the encoding and the delimiter are found, lines are counted as an editor does."""

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, islice

from .fields import MAX_COLUMNS, MAX_ROWS, BadTable, Row
from .mapping import guess_mapping

DELIMITERS = ";,\t|"
# In this order: the mark of UTF-32 begins with that of UTF-16.
MARKS = {
    b"\xef\xbb\xbf": "utf-8-sig",
    b"\xff\xfe\x00\x00": "utf-32",
    b"\x00\x00\xfe\xff": "utf-32",
    b"\xff\xfe": "utf-16",
    b"\xfe\xff": "utf-16",
}
MARKUP = re.compile(r"\s*<[a-z!?]", re.IGNORECASE)
"""How pages and drawings begin, and no heading of a list."""
CONTROLS = bytes(set(range(0x20)) - set(b"\t\n\v\f\r"))
# German Excel's "CSV (MS-DOS)": ä, ö, ü of code page 850 within a word. In cp1252 the same bytes are „ and ” and nothing.
MS_DOS = re.compile(rb"[A-Za-z][\x81\x84\x94][a-z]")
# Old Excel for Mac: its ä, ü and ß would be a capital letter or a paragraph sign within a word of cp1252.
MACINTOSH = re.compile(rb"[a-z][\x8a\x9f\xa7][a-z]")
SAMPLE = 20
SAMPLE_BYTES = 2000
SPARE_ROWS = 20
MAX_LINES = 100_000
END = "\ufdd0end"


@dataclass(frozen=True)
class CsvFile:
    """All rows of a file, the header among them."""

    rows: tuple[Row, ...]
    encoding: str
    delimiter: str


def read_csv(data: bytes) -> CsvFile:
    """The rows, their cells as they stand, with trailing empty cells. Raises BadTable."""
    text, encoding = _decoded(data)
    if MARKUP.match(text[:200]):
        raise BadTable("unsupported")
    delimiter = _announced(text) or _sniffed(text)
    rows = _limited(text, delimiter)
    if _announced(text):
        rows = rows[1:]
    while rows and rows[-1].cells == ():
        rows.pop()
    return CsvFile(tuple(rows), encoding, delimiter)


def _decoded(data: bytes) -> tuple[str, str]:
    for mark, encoding in MARKS.items():
        if data.startswith(mark):
            return _decode(data, encoding), encoding
    wide = _unmarked_utf_16(data)
    if wide:
        return _decode(data, wide), wide
    if len(data) - len(data.translate(None, CONTROLS)) > len(data) // 100 + 8:
        raise BadTable("binary")
    try:
        return data.decode(), "utf-8"
    except UnicodeDecodeError:
        encoding = _eight_bits(data)
        return _decode(data, encoding), encoding


def _unmarked_utf_16(data: bytes) -> str:
    """Text of mostly Latin letters has a NUL in every second place; nothing else has."""
    even, odd = data[:SAMPLE_BYTES:2], data[1:SAMPLE_BYTES:2]
    for encoding, high, low in (("utf-16-le", odd, even), ("utf-16-be", even, odd)):
        # The low byte of a foreign letter such as ć may well be a control character.
        if high.count(0) > len(high) * 0.7 and len(low.translate(None, CONTROLS)) > len(low) * 0.9:
            return encoding
    return ""


def _eight_bits(data: bytes) -> str:
    if MS_DOS.search(data):
        return "cp850"
    return "mac_roman" if MACINTOSH.search(data) else "cp1252"


def _decode(data: bytes, encoding: str) -> str:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        raise BadTable("encoding") from error


def _announced(text: str) -> str:
    """The delimiter of a first line "sep=;", which some programs write for Excel."""
    found = re.match(r"sep=([;,\t|])\r?\n", text, re.IGNORECASE)
    return found[1] if found else ""


def _sniffed(text: str) -> str:
    return max(DELIMITERS, key=lambda delimiter: _fitness(text, delimiter))


def _fitness(text: str, delimiter: str) -> tuple[int, int, int]:
    """How well the first rows fall into columns: known headings, rows of the commonest width, that width."""
    try:
        rows = list(islice(_reader(text, delimiter), SAMPLE))
    except csv.Error:
        return (0, 0, 0)
    widths = Counter(len(row) for row in rows if len(row) > 1)
    width, agreeing = widths.most_common(1)[0] if widths else (0, 0)
    return (max((len(guess_mapping(row[:MAX_COLUMNS])) for row in rows), default=0), agreeing, width)


def _reader(text: str, delimiter: str) -> Iterator[list[str]]:
    # newline="" leaves a line end within quotes as it is; the splitting is the same as an editor's (CR, LF, CRLF).
    return csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)


def _limited(text: str, delimiter: str) -> list[Row]:
    rows: list[Row] = []
    for row in _numbered(text, delimiter):
        if len(rows) < MAX_ROWS + SPARE_ROWS:
            rows.append(row)
        elif row.line > MAX_LINES or any(cell.strip() for cell in row.cells):
            raise BadTable("too_many_rows", str(MAX_ROWS))
    return rows


def _numbered(text: str, delimiter: str) -> Iterator[Row]:
    """The rows with the line on which each begins. A last row of our own shows whether a quote is still open at the end."""
    lines = chain(io.StringIO(text, newline=""), ["\n" if not text.endswith(("\n", "\r")) else "", END])
    reader = csv.reader((line for line in lines if line), delimiter=delimiter)
    begins, width = 1, 0
    try:
        for cells in reader:
            if cells == [END]:
                return
            if END in "".join(cells[-1:]) or any(_holds_rows(cell, delimiter, width) for cell in cells):
                break
            yield Row(begins, tuple(cells))
            begins, width = reader.line_num + 1, max(width, len(cells))
    except csv.Error as error:
        raise BadTable("unclosed_quote", str(begins)) from error
    raise BadTable("unclosed_quote", str(begins))


def _holds_rows(cell: str, delimiter: str, width: int) -> bool:
    """True when a cell has swallowed whole rows: a stray quote that only ended at the next one."""
    return ("\n" in cell or "\r" in cell) and cell.count(delimiter) >= max(2, width - 1)
