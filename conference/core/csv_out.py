"""Tables for spreadsheets, in which nothing runs."""

import csv
import io
from collections.abc import Iterable

from .text import csv_cell


def to_csv(header: Iterable[object], rows: Iterable[Iterable[object]]) -> bytes:
    """The table as German Excel opens it by double click: UTF-8 with mark, ";", CRLF; each cell defused by `csv_cell`."""
    lines = io.StringIO(newline="")
    writer = csv.writer(lines, delimiter=";", lineterminator="\r\n")
    writer.writerow([csv_cell(cell) for cell in header])
    writer.writerows([csv_cell(cell) for cell in row] for row in rows)
    return lines.getvalue().encode("utf-8-sig")
