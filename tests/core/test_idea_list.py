"""Ideas from a spreadsheet: every row is checked against the rounds and tables that there are."""

import pytest

from conference.core.idea_list import IdeaProblem, read_ideas

TABLES = {1: ["A", "B"], 2: ["A"]}


def read(*rows: str) -> list[tuple[int | None, str, str]] | list[IdeaProblem]:
    found = read_ideas("\n".join(["Runde;Gruppe;Idee", *rows]).encode(), "ideen.csv", TABLES)
    return list(found.problems) or [(line.round, line.table, line.text) for line in found.lines]


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ("1;B;Laptops", (1, "B", "Laptops")),
        ("1;B;Laptops;;", (1, "B", "Laptops")),
        ('1;B;"Laptops; Beamer"', (1, "B", "Laptops; Beamer")),
        ("Runde 2;a;Laptops", (2, "A", "Laptops")),
        ("2.;A;Laptops", (2, "A", "Laptops")),
        ("Plenum;;Laptops", (None, "", "Laptops")),
        (";;Laptops", (None, "", "Laptops")),
        ("1;B;👩‍👩‍👧‍👦👩‍👩‍👧‍👦👩‍👩‍👧‍👦", (1, "B", "👩‍👩‍👧‍👦👩‍👩‍👧‍👦👩‍👩‍👧‍👦")),
    ],
)
def test_a_good_row_is_read(row: str, expected: tuple[int | None, str, str]) -> None:
    assert read(row) == [expected]


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ("3;A;Laptops", IdeaProblem(2, "unknown_round", "3")),
        ("x;A;Laptops", IdeaProblem(2, "unknown_round", "x")),
        ("1;E;Laptops", IdeaProblem(2, "unknown_table", "E")),
        ("2;b;Laptops", IdeaProblem(2, "not_in_round", "b")),
        ("1;A;👩‍👩‍👧‍👦", IdeaProblem(2, "too_short")),
        ("1;A;", IdeaProblem(2, "too_short")),
        ("1;A;Laptops; Beamer;", IdeaProblem(2, "too_many_cells", "Beamer")),
        ("1;A;" + "x" * 501, IdeaProblem(2, "too_long")),
    ],
)
def test_a_bad_row_is_named_with_line_and_reason(row: str, problem: IdeaProblem) -> None:
    assert read(row) == [problem]


def test_good_rows_beside_bad_ones_are_read_and_empty_rows_passed_over() -> None:
    found = read_ideas(b"Runde;Gruppe;Idee\n1;A;Laptops\n;;\n9;A;Kurse\n", "x.csv", TABLES)
    assert [line.text for line in found.lines] == ["Laptops"]
    assert [(problem.line, problem.code) for problem in found.problems] == [(4, "unknown_round")]
