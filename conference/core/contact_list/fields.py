"""The columns of a guest list and the records that its reading gives."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

FIELDS = (
    "organisation", "salutation", "title", "first_name", "last_name", "email", "function", "side", "team", "postcode", "city",
)  # fmt: skip
REQUIRED = ("organisation", "last_name", "email")
LONGEST = {"email": 254, "title": 60, "postcode": 12}
LONGEST_OTHER = 200

MEGABYTE = 1024 * 1024
MAX_FILE = 5 * MEGABYTE
MAX_UNPACKED = 50 * MEGABYTE
MAX_ROWS = 10_000
MAX_COLUMNS = 60
# Far beyond what a cell of a guest list holds, far below what a page can show.
MAX_CELL = 500

Severity = Literal["error", "question", "warning"]


class BadTable(ValueError):
    """The file as a whole cannot be read. `detail` is a line number, a limit or "".

    Codes: empty, too_big, unpacked_too_big, too_many_rows, too_many_columns, binary (no table at all), encoding,
    unclosed_quote (detail: its line), no_header, old_excel (.xls), protected (with a password), unsupported (another office
    file, a web page), other_ending (content and name do not fit; detail: the ending), damaged.
    """

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(f"{code} {detail}".strip())
        self.code, self.detail = code, detail


@dataclass(frozen=True)
class Row:
    """One row of the file. `line` counts from 1 and is the physical line of a CSV file or the row of a sheet."""

    line: int
    cells: tuple[str, ...]


Sheets = Sequence[tuple[str, Sequence[Row]]]
"""Name and rows of each visible sheet of a workbook."""
SheetReader = Callable[[bytes], Sheets]
"""Gives the sheets of a workbook. Raises BadTable."""


@dataclass(frozen=True)
class Table:
    """A file as text. `encoding` and `delimiter` for CSV, `sheet` for spreadsheets, "" where they do not apply."""

    header: tuple[str, ...]
    rows: tuple[Row, ...]
    header_line: int = 1
    encoding: str = ""
    delimiter: str = ""
    sheet: str = ""


@dataclass(frozen=True)
class GoodRow:
    """One person as it would be stored. `salutation` is ms, mr or none, `side` provider or agency."""

    line: int
    organisation: str
    salutation: str
    title: str
    first_name: str
    last_name: str
    email: str
    email_key: str
    function: str
    side: str
    team: str
    postcode: str
    city: str


@dataclass(frozen=True)
class Known:
    """Somebody in the address book."""

    first_name: str
    last_name: str
    organisation: str

    @property
    def name(self) -> str:
        """First and last name."""
        return f"{self.first_name} {self.last_name}".strip()


@dataclass(frozen=True)
class Problem:
    """What is wrong in one row. `field` is one of FIELDS, or "" for the whole row; `value` is fit for a page.

    Errors (the row is not taken): missing, invalid_email, duplicate_in_file and, for a person of another name,
    address_of_another (detail: first line), already_known (detail: the
    label), formula, too_long (detail: the limit), bad_text (detail: code of BadText), too_many_cells, empty_row (detail: last
    line of a run). Question: lookalike_organisation (detail: the other name). Warnings (the row is taken): unknown_salutation,
    unknown_side, postcode_padded and email_lowercased (detail: the new value), unusual_postcode, known_otherwise (detail: name
    and organisation in the address book, which stay).
    """

    line: int
    field: str
    code: str
    severity: Severity
    value: str = ""
    detail: str = ""


@dataclass(frozen=True)
class ListCheck:
    """The verdict on a list: `good` rows can be taken, `asked` ones after an answer to their question; all by line."""

    good: tuple[GoodRow, ...]
    asked: tuple[GoodRow, ...]
    problems: tuple[Problem, ...]

    @property
    def errors(self) -> tuple[Problem, ...]:
        """Rows that are not taken, and why."""
        return self._of("error")

    @property
    def questions(self) -> tuple[Problem, ...]:
        """What the organiser decides, one for each row in `asked`."""
        return self._of("question")

    @property
    def warnings(self) -> tuple[Problem, ...]:
        """What was put right in rows that are taken."""
        return self._of("warning")

    def _of(self, severity: Severity) -> tuple[Problem, ...]:
        return tuple(problem for problem in self.problems if problem.severity == severity)
