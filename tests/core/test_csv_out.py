import csv
import io
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook, load_workbook

from conference.core.csv_out import to_csv
from conference.core.text import csv_cell, starts_formula

DEFUSED = [
    ("=1+1", "'=1+1"),
    ('=HYPERLINK("http://boese.example")', '\'=HYPERLINK("http://boese.example")'),
    ("+49 5221 985", "'+49 5221 985"),
    ("-1+1", "'-1+1"),
    ("@SUM(A1)", "'@SUM(A1)"),
    ("  =1+1", "'  =1+1"),
    ("\u00a0=1+1", "'\u00a0=1+1"),
    ("\u3000=1+1", "'\u3000=1+1"),
    ("\u200b=1+1", "'\u200b=1+1"),
    ("＝1+1", "'＝1+1"),
    ("＋1", "'＋1"),
    ("－1", "'－1"),
    ("＠SUM", "'＠SUM"),
    ("\t=1+1", "' =1+1"),
    ("\r=1+1", "'\n=1+1"),
    ("\n=1+1", "'\n=1+1"),
    ("\tAnke", "' Anke"),
    ("\x1f\r", "'\n"),
    ("\x00=1+1", "'=1+1"),
    ("\x1b=1+1", "'=1+1"),
    ("\u202e=1+1", "'\u202e=1+1"),
    ("-", "'-"),
    ("- erster Punkt", "'- erster Punkt"),
]
UNCHANGED = [
    "",
    "Anke",
    "d’Angelo",
    "O'Neill",
    "a=b",
    "1+1",
    "5-10",
    "a@x.example",
    "👍🏽",
    "–",
    "Zeile 1\nZeile 2",
    "'=1",
    '"',
    ";",
]


@pytest.mark.parametrize(("value", "cell"), DEFUSED)
def test_t15_a_formula_becomes_text(value: str, cell: str) -> None:
    assert csv_cell(value) == cell


@pytest.mark.parametrize("value", UNCHANGED)
def test_ordinary_text_stays_as_it_is(value: str) -> None:
    assert csv_cell(value) == value


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        (None, ""),
        (0, "0"),
        (-5, "-5"),
        (2.5, "2.5"),
        (date(2023, 6, 6), "2023-06-06"),
        (Decimal("1.5"), "1.5"),
        (Decimal("-1.5"), "'-1.5"),
        ("a\r\nb\rc", "a\nb\nc"),
        ("a\x00b\x1bc\x85d", "abcd"),
        ("a\tb", "a b"),
        ("a\ud800b", "a\ufffdb"),
    ],
)
def test_other_values_become_plain_text(value: object, cell: str) -> None:
    assert csv_cell(value) == cell


@given(st.text(st.characters(codec=None), max_size=30))
def test_t15_no_cell_is_ever_a_formula_or_breaks_the_file(text: str) -> None:
    cell = csv_cell(text)
    assert not starts_formula(cell)
    assert csv_cell(cell) == cell
    cell.encode()


def test_the_file_opens_in_german_excel_by_double_click() -> None:
    data = to_csv(["Name", "Ort"], [["Ächter", "Bünde"], ["a;b", 'sagt "ja"'], ["Zeile 1\nZeile 2", None]])
    assert data == (
        b"\xef\xbb\xbfName;Ort\r\n"
        + "Ächter;Bünde\r\n".encode()
        + b'"a;b";"sagt ""ja"""\r\n"Zeile 1\nZeile 2";\r\n'
    )


def test_a_table_without_rows_is_its_header() -> None:
    assert to_csv(["Name"], []) == b"\xef\xbb\xbfName\r\n"


ROWS = st.lists(st.lists(st.text(max_size=20), min_size=3, max_size=3), max_size=8)


@given(ROWS)
def test_a_reader_gets_back_the_cells_that_were_written(rows: list[list[str]]) -> None:
    text = to_csv(["a", "b", "c"], rows).decode("utf-8-sig")
    read = list(csv.reader(io.StringIO(text, newline=""), delimiter=";"))
    assert read == [["a", "b", "c"]] + [[csv_cell(cell) for cell in row] for row in rows]


def test_t15_a_defused_file_stays_defused_in_a_workbook() -> None:
    text = to_csv(["Organisation"], [[value] for value, _cell in DEFUSED]).decode("utf-8-sig")
    workbook = Workbook()
    for row in csv.reader(io.StringIO(text, newline=""), delimiter=";"):
        workbook.active.append(row)
    file = io.BytesIO()
    workbook.save(file)
    cells = [cell for row in load_workbook(file).active.iter_rows() for cell in row]
    assert [cell.data_type for cell in cells] == ["s"] * (len(DEFUSED) + 1)
