"""A guest list from a spreadsheet: read it, guess its columns, check every row. Nothing here stores anything."""

from .checking import check_rows
from .fields import (
    FIELDS,
    MAX_FILE,
    REQUIRED,
    BadTable,
    GoodRow,
    Known,
    ListCheck,
    Problem,
    Row,
    SheetReader,
    Sheets,
    Table,
)
from .mapping import guess_mapping, missing_fields
from .reading import read_table
from .sheet_file import read_sheets

__all__ = [
    "FIELDS",
    "MAX_FILE",
    "REQUIRED",
    "BadTable",
    "GoodRow",
    "Known",
    "ListCheck",
    "Problem",
    "Row",
    "SheetReader",
    "Sheets",
    "Table",
    "check_rows",
    "guess_mapping",
    "missing_fields",
    "read_sheets",
    "read_table",
]
