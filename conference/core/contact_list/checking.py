"""All rows of a guest list at once: who can be taken, who after a question, and what is wrong with the rest."""

from collections.abc import Iterator, Mapping, Sequence

from ..text import canonical_email, comparison_key
from .fields import FIELDS, GoodRow, Known, ListCheck, Problem, Row, Table
from .lookalike import spelling_questions
from .values import Checked, check_cell, shown


def check_rows(
    table: Table,
    mapping: Mapping[str, int],
    known_emails: Mapping[str, str],
    known_organisations: Sequence[str],
    address_book: Mapping[str, Known] | None = None,
) -> ListCheck:
    """Check every row; nothing is stored.

    `mapping`: field → column from 0; a field without a column is empty in each row. `known_emails`: key of `canonical_email` →
    label for a person, such as "Anke Brinkmann". `known_organisations`: names as stored. `address_book`: by the same key
    everybody whose name and organisation stay as they are stored.
    """
    problems = [*_empty_rows(table.rows)]
    candidates: list[GoodRow] = []
    warnings: list[Problem] = []
    for row in table.rows:
        if not _is_empty(row):
            person, found = _check_row(row, mapping, len(table.header))
            if person is None:
                problems += found
            else:
                candidates.append(person)
                warnings += found
    taken, repeated = _without_repetitions(candidates, known_emails)
    good, asked, questions = _without_doubtful(taken, known_organisations)
    lines = {person.line for person in taken}
    warnings += _known_otherwise(taken, address_book or {})
    problems += repeated + questions + [warning for warning in warnings if warning.line in lines]
    return ListCheck(tuple(good), tuple(asked), tuple(sorted(problems, key=_place)))


def _place(problem: Problem) -> tuple[int, int]:
    return problem.line, FIELDS.index(problem.field) if problem.field else -1


def _is_empty(row: Row) -> bool:
    return not any(cell.strip() for cell in row.cells)


def _empty_rows(rows: Sequence[Row]) -> Iterator[Problem]:
    """One problem for each run of empty rows, so that a thousand of them do not hide the others."""
    first = last = 0
    for row in [*rows, None]:
        if row is not None and _is_empty(row):
            first, last = first or row.line, row.line
        elif first:
            yield Problem(first, "", "empty_row", "error", detail=str(last) if last > first else "")
            first = 0


def _check_row(row: Row, mapping: Mapping[str, int], width: int) -> tuple[GoodRow | None, list[Problem]]:
    """The person and the warnings, or None and the errors."""
    if any(cell.strip() for cell in row.cells[width:]):
        return None, [Problem(row.line, "", "too_many_cells", "error", shown(row.cells[width]), str(width))]
    raw = {field: _cell(row, mapping.get(field)) for field in FIELDS}
    checked = {field: check_cell(field, raw[field]) for field in FIELDS}
    problems = [
        Problem(row.line, field, found.code, found.severity, shown(raw[field]), found.detail)
        for field in FIELDS
        if (found := checked[field].finding)
    ]
    errors = [problem for problem in problems if problem.severity == "error"]
    return (None, errors) if errors else (_person(row.line, checked), problems)


def _cell(row: Row, column: int | None) -> str:
    return row.cells[column] if column is not None and 0 <= column < len(row.cells) else ""


def _person(line: int, checked: Mapping[str, Checked]) -> GoodRow:
    values = {field: cell.value for field, cell in checked.items()}
    return GoodRow(line=line, email_key=canonical_email(values["email"])[1], **values)


def _without_repetitions(
    people: Sequence[GoodRow], known: Mapping[str, str]
) -> tuple[list[GoodRow], list[Problem]]:
    """Each address once, and not those that are known already."""
    first: dict[str, GoodRow] = {}
    problems = []
    for person in people:
        if person.email_key in known:
            problems.append(_about_email(person, "already_known", known[person.email_key]))
        elif person.email_key in first:
            problems.append(_repeats(person, first[person.email_key]))
        else:
            first[person.email_key] = person
    return list(first.values()), problems


def _repeats(person: GoodRow, earlier: GoodRow) -> Problem:
    is_same = _name_key(person.first_name, person.last_name) == _name_key(
        earlier.first_name, earlier.last_name
    )
    return _about_email(person, "duplicate_in_file" if is_same else "address_of_another", str(earlier.line))


def _name_key(first_name: str, last_name: str) -> str:
    return comparison_key(f"{first_name} {last_name}")


def _known_otherwise(people: Sequence[GoodRow], address_book: Mapping[str, Known]) -> Iterator[Problem]:
    for person in people:
        known = address_book.get(person.email_key)
        if known and not _agree(person, known):
            yield Problem(
                person.line,
                "email",
                "known_otherwise",
                "warning",
                person.email,
                f"{known.name}, {known.organisation}",
            )


def _agree(person: GoodRow, known: Known) -> bool:
    return _name_key(person.first_name, person.last_name) == _name_key(
        known.first_name, known.last_name
    ) and comparison_key(person.organisation) == comparison_key(known.organisation)


def _about_email(person: GoodRow, code: str, detail: str) -> Problem:
    return Problem(person.line, "email", code, "error", person.email, detail)


def _without_doubtful(
    people: Sequence[GoodRow], known: Sequence[str]
) -> tuple[list[GoodRow], list[GoodRow], list[Problem]]:
    """People at organisations that are clear, people at doubtful ones, and the questions about these."""
    meant = spelling_questions([person.organisation for person in people], known)
    asked = [person for person in people if comparison_key(person.organisation) in meant]
    questions = [
        Problem(
            person.line, "organisation", "lookalike_organisation", "question",
            person.organisation, meant[comparison_key(person.organisation)],
        )
        for person in asked
    ]  # fmt: skip
    good = [person for person in people if comparison_key(person.organisation) not in meant]
    return good, asked, questions
