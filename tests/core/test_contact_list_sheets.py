import io
import zipfile
from datetime import date, datetime
from datetime import time as clock_time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl import Workbook
from openpyxl.styles import Font
from openpyxl.worksheet.worksheet import Worksheet

from conference.core.contact_list import BadTable, Table, check_rows, guess_mapping, read_table
from tests.core.workbooks import (
    ANKE,
    DENIZ,
    HEADER,
    ods,
    ods_cell,
    ods_row,
    saved,
    unzipped,
    with_sheet,
    xlsx,
    zipped,
)


def read(data: bytes, filename: str = "liste.xlsx") -> Table:
    return read_table(data, filename)


def refusal(data: bytes) -> str:
    with pytest.raises(BadTable) as refused:
        read(data)
    return refused.value.code


def test_a_workbook_is_read_with_the_row_numbers_of_excel() -> None:
    table = read(xlsx([HEADER, ANKE, [], DENIZ]))
    assert table.header == tuple(HEADER)
    assert (table.sheet, table.encoding, table.delimiter) == ("Sheet", "", "")
    assert [row.line for row in table.rows] == [2, 3, 4]
    assert table.rows[0].cells == (*ANKE[:8], "", "32049", "Herford")
    assert table.rows[1].cells == ()


@pytest.mark.parametrize("filename", ["liste.xlsx", "Liste vom 12.06", "liste", "LISTE.XLSM"])
def test_the_content_says_what_the_file_is(filename: str) -> None:
    assert read(xlsx([HEADER, ANKE]), filename).header == tuple(HEADER)


@pytest.mark.parametrize("filename", ["liste.csv", "LISTE.TXT", "liste.xlsx.pdf"])
def test_a_workbook_that_calls_itself_something_else_is_refused(filename: str) -> None:
    with pytest.raises(BadTable) as refused:
        read(xlsx([HEADER, ANKE]), filename)
    assert refused.value.code == "other_ending"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1067, "1067"),
        (1067.0, "1067"),
        (1.5, "1.5"),
        (0.1 + 0.2, "0.3"),
        (-3, "-3"),
        (True, "true"),
        (date(2023, 6, 6), "2023-06-06"),
        (datetime(2023, 6, 6, 9, 30), "2023-06-06 09:30"),
        (clock_time(9, 30), "09:30:00"),
        ("01067", "01067"),
        ("'01067", "'01067"),
        ("Zeile 1\nZeile 2", "Zeile 1\nZeile 2"),
        ("d’Angelo 😀", "d’Angelo 😀"),
        ("", ""),
        (None, ""),
    ],
)
def test_every_kind_of_cell_becomes_text(value: object, text: str) -> None:
    assert read(xlsx([["Organisation", "E-Mail", "Ort"], ["x", value, "y"]])).rows[0].cells == (
        "x",
        text,
        "y",
    )


def test_a_number_beyond_all_postcodes_is_text_too() -> None:
    assert read(xlsx([["Organisation", "E-Mail"], ["x", 1e300]])).rows[0].cells == ("x", "1e+300")


def test_a_postcode_that_lost_its_zero_is_put_right_with_a_warning() -> None:
    table = read(xlsx([HEADER, DENIZ]))
    check = check_rows(table, guess_mapping(table.header), {}, [])
    assert [person.postcode for person in check.good] == ["01067"]
    assert [(problem.line, problem.code, problem.value, problem.detail) for problem in check.problems] == [
        (2, "postcode_padded", "1067", "01067")
    ]


def test_a_formula_without_stored_result_is_named_as_a_formula() -> None:
    table = read(xlsx([["Organisation", "E-Mail", "Ort"], ["=1+1", "a@x.example", "y"]]))
    [problem] = check_rows(table, {"organisation": 0, "last_name": 2, "email": 1}, {}, []).problems
    assert (problem.line, problem.field, problem.code) == (2, "organisation", "formula")


def with_formulas(*cells: str) -> bytes:
    """A sheet whose second row holds these cells, as other programs write them."""
    names = "".join(
        f'<c t="inlineStr"><is><t>{name}</t></is></c>' for name in ("Organisation", "Nachname", "E-Mail")
    )
    row = "".join(cells)
    return with_sheet(f"<row>{names}</row><row>{row}</row>")


NAME = '<c t="inlineStr"><is><t>Muster</t></is></c>'
ADDRESS = '<c t="inlineStr"><is><t>a@x.example</t></is></c>'


@pytest.mark.parametrize(
    "cell",
    [
        '<c t="str"><f>HYPERLINK("http://boese.example","Haus")</f><v>Haus</v></c>',
        '<c><f t="shared" si="0"/><v>7</v></c>',
        "<c><f>1+1</f></c>",
        '<c t="e"><f>1/0</f><v>#DIV/0!</v></c>',
    ],
)
def test_a_formula_is_named_whatever_its_last_result(cell: str) -> None:
    table = read(with_formulas(cell, NAME, ADDRESS))
    [problem] = check_rows(table, guess_mapping(table.header), {}, []).problems
    assert (problem.line, problem.field, problem.code) == (2, "organisation", "formula")


def test_a_formula_whose_result_is_an_empty_text_is_an_empty_cell() -> None:
    empty = '<c t="str"><f>IF(A1="","","x")</f><v></v></c>'
    assert read(with_formulas(empty, NAME, ADDRESS)).rows[0].cells == ("", "Muster", "a@x.example")


def test_a_formula_of_an_opendocument_table_is_named() -> None:
    formula = '<table:table-cell table:formula="of:=1+1" office:value-type="float" office:value="2"><text:p>2</text:p></table:table-cell>'
    row = f"<table:table-row>{formula}{ods_cell('Muster')}{ods_cell('a@x.example')}</table:table-row>"
    table = read(ods(ods_row("Organisation", "Nachname", "E-Mail") + row), "x.ods")
    [problem] = check_rows(table, guess_mapping(table.header), {}, []).problems
    assert (problem.line, problem.field, problem.code) == (2, "organisation", "formula")


def test_formulas_that_repeat_without_end_are_refused() -> None:
    formula = '<table:table-cell table:formula="of:=1" table:number-columns-repeated="60" office:value-type="float"/>'
    rows = f'<table:table-row table:number-rows-repeated="10000">{formula}</table:table-row>'
    assert refusal(ods(f'{rows}</table:table><table:table table:name="b">{rows}')) == "unpacked_too_big"


def test_a_text_that_begins_as_a_formula_is_an_error_of_its_row() -> None:
    def as_text(sheet: Worksheet) -> None:
        sheet["A2"].value = '=HYPERLINK("http://boese.example")'
        sheet["A2"].data_type = "s"

    table = read(xlsx([HEADER, ANKE], as_text))
    [problem] = check_rows(table, guess_mapping(table.header), {}, []).problems
    assert (problem.line, problem.field, problem.code) == (2, "organisation", "formula")


def test_a_cell_merged_over_several_rows_counts_for_each() -> None:
    table = read(xlsx([HEADER, ANKE, ["", *DENIZ[1:]], ANKE], lambda sheet: sheet.merge_cells("A2:A3")))
    assert [row.cells[0] for row in table.rows] == ["Bildungswerk Ravensberg"] * 3


def test_a_cell_merged_over_several_columns_counts_for_the_first() -> None:
    table = read(
        xlsx(
            [HEADER, ["O", "", "", "Anke Brinkmann", "", "a@x.example"]],
            lambda sheet: sheet.merge_cells("D2:E2"),
        )
    )
    assert table.rows[0].cells[3:5] == ("Anke Brinkmann", "")


def test_a_merged_title_and_empty_rows_above_the_header_are_passed_over() -> None:
    rows = [["Einladungsliste Juni 2023"], [], HEADER, ANKE]
    table = read(xlsx(rows, lambda sheet: sheet.merge_cells("A1:K1")))
    assert (table.header_line, [row.line for row in table.rows]) == (3, [4])


def test_a_list_may_begin_far_from_the_corner() -> None:
    table = read(xlsx([[]] * 20 + [["", "", *HEADER], ["", "", *ANKE]]))
    assert (table.header_line, table.header[:3]) == (21, ("", "", "Organisation"))
    assert guess_mapping(table.header)["email"] == 7
    assert table.rows[0].cells[2] == "Bildungswerk Ravensberg"


def test_the_sheet_with_the_best_header_row_is_taken() -> None:
    workbook = Workbook()
    workbook.active.title = "Deckblatt"
    workbook.active.append(["Bildungsträgerkonferenz", "Herford"])
    people = workbook.create_sheet("Gäste")
    people.append(HEADER)
    people.append(ANKE)
    workbook.create_sheet("Notizen").append(["PLZ", "Ort"])
    assert read(saved(workbook)).sheet == "Gäste"


def test_hidden_sheets_are_not_read() -> None:
    workbook = Workbook()
    workbook.active.append(["Name", "Notiz"])
    hidden = workbook.create_sheet("Alt")
    hidden.append(HEADER)
    hidden.sheet_state = "hidden"
    assert read(saved(workbook)).header == ("Name", "Notiz")


def test_cells_that_only_look_different_do_not_make_the_sheet_long() -> None:
    def bold_far_down(sheet: Worksheet) -> None:
        sheet["A50000"].font = Font(bold=True)
        sheet["ZZ3"].font = Font(bold=True)

    assert len(read(xlsx([HEADER, ANKE], bold_far_down)).rows) == 1


@pytest.mark.parametrize("data", [saved(Workbook()), xlsx([["", None, " "]]), ods(""), ods(ods_row("", ""))])
def test_a_workbook_without_content_is_empty(data: bytes) -> None:
    assert refusal(data) == "empty"


def test_a_sheet_without_header_row_is_refused() -> None:
    assert refusal(xlsx([ANKE, DENIZ])) == "no_header"


def test_ten_thousand_rows_of_a_sheet_are_read_and_no_more() -> None:
    rows = [["Organisation", "E-Mail"]] + [["O", f"a{number}@x.example"] for number in range(10_000)]
    assert len(read(xlsx(rows)).rows) == 10_000
    assert refusal(xlsx([*rows, ["O", "b@x.example"]])) == "too_many_rows"


def test_sixty_columns_of_a_sheet_are_read_and_no_more() -> None:
    header = ["Organisation", "E-Mail", *(f"Spalte {number}" for number in range(58))]
    assert len(read(xlsx([header, header])).header) == 60
    assert refusal(xlsx([[*header, "x"]])) == "too_many_columns"


def test_a_cell_is_cut_before_it_grows_over_the_page() -> None:
    table = read(xlsx([HEADER, ["x" * 30_000, *ANKE[1:]]]))
    assert table.rows[0].cells[0] == "x" * 501
    [problem] = check_rows(table, guess_mapping(table.header), {}, []).problems
    assert (problem.code, problem.field, problem.detail, len(problem.value)) == (
        "too_long",
        "organisation",
        "200",
        80,
    )


def test_an_opendocument_table_is_read() -> None:
    table = read(
        ods(
            ods_row("Organisation", "Nachname", "E-Mail", "PLZ")
            + ods_row("", "", "", "", repeated=2)
            + ods_row("Frauen &amp; Beruf", "d’Angelo", "a@x.example", 1067)
            + ods_row(*[""] * 4, repeated=1_048_572)
        ),
        "liste.ods",
    )
    assert (table.sheet, table.header) == ("Liste", ("Organisation", "Nachname", "E-Mail", "PLZ"))
    assert [row.line for row in table.rows if row.cells] == [4]
    assert table.rows[-1].cells == ("Frauen & Beruf", "d’Angelo", "a@x.example", "1067")


def test_an_opendocument_table_with_fillers_to_the_last_column_is_read() -> None:
    filler = ods_cell("", repeated=16_380)
    row = f"<table:table-row>{ods_cell('Organisation')}{ods_cell('E-Mail')}{filler}</table:table-row>"
    assert read(ods(row * 3_000)).header == ("Organisation", "E-Mail")


HOSTILE = {
    "a cell in the last corner": (
        with_sheet('<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'),
        "too_many_rows",
    ),
    "a cell in the last column": (
        with_sheet('<row r="1"><c r="XFD1"><v>1</v></c></row>'),
        "too_many_columns",
    ),
    "a far row without cell addresses": (
        with_sheet('<row r="1048576"><c><v>1</v></c></row>'),
        "too_many_rows",
    ),
    "rows without numbers": (with_sheet("<row><c><v>1</v></c></row>" * 10_100), "too_many_rows"),
    "cells without addresses": (with_sheet(f'<row r="1">{"<c><v>1</v></c>" * 61}</row>'), "too_many_columns"),
    "a cell of another row": (with_sheet('<row r="1"><c r="A999999"><v>1</v></c></row>'), "too_many_rows"),
    "small letters": (with_sheet('<row r="1"><c r="xfd1"><v>1</v></c></row>'), "too_many_columns"),
    "a nonsensical address": (with_sheet('<row r="1"><c r="1A"><v>1</v></c></row>'), "damaged"),
    "a nonsensical row": (with_sheet('<row r="-1"><c><v>1</v></c></row>'), "damaged"),
    "a row beyond all numbers": (with_sheet('<row r="99999999999"><c><v>1</v></c></row>'), "damaged"),
    "a long string used often": (
        with_sheet('<row><c t="s"><v>0</v></c></row>' * 6_000, ["x" * 10_000]),
        "unpacked_too_big",
    ),
    "a repeated cell": (
        ods(f"<table:table-row>{ods_cell('x', repeated=16_384)}</table:table-row>"),
        "too_many_columns",
    ),
    "a repeated row": (ods(ods_row("x", repeated=1_048_576)), "too_many_rows"),
    "a far row of a document": (ods(ods_row("", repeated=1_048_000) + ods_row("x")), "too_many_rows"),
    "a far column of a document": (
        ods(f"<table:table-row>{ods_cell('', repeated=16_000)}{ods_cell('x')}</table:table-row>"),
        "too_many_columns",
    ),
    "a thousand empty cells in each row": (
        ods(f"<table:table-row>{ods_cell('', repeated=16_000) * 2}</table:table-row>" * 200),
        "too_many_columns",
    ),
    "millions of cells without content": (with_sheet(f"<row>{'<c/>' * 3_000_001}</row>"), "unpacked_too_big"),
    "a thousand million spaces": (
        ods(ods_row("<text:s text:c='999999999'/>")),
        "unpacked_too_big",
    ),
    "a sheet in another part": (
        zipped(
            {
                name.replace("sheet1.xml", "sheet1.rels"): content.replace(b"sheet1.xml", b"sheet1.rels")
                for name, content in unzipped(with_sheet('<row r="1"><c r="XFD1"><v>1</v></c></row>')).items()
            }
        ),
        "too_many_columns",
    ),
    "a long text repeated": (ods(ods_row("x" * 6_000, repeated=10_000)), "unpacked_too_big"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_t15_a_hostile_sheet_is_refused_before_it_is_laid_out(name: str) -> None:
    data, code = HOSTILE[name]
    assert refusal(data) == code


def test_t15_entities_are_refused() -> None:
    parts = dict(unzipped(xlsx([HEADER])))
    bomb = b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>'
    parts["xl/worksheets/sheet1.xml"] = bomb + parts["xl/worksheets/sheet1.xml"]
    assert refusal(zipped(parts)) == "damaged"


def test_t15_an_archive_that_unpacks_to_more_than_fifty_megabytes_is_refused() -> None:
    parts: dict[str, str | bytes] = dict(unzipped(xlsx([HEADER])))
    assert refusal(zipped(parts | {"xl/media/film.bin": b"\x00" * (51 * 1024 * 1024)})) == "unpacked_too_big"


def test_a_part_that_is_larger_than_the_directory_says_is_refused() -> None:
    parts: dict[str, str | bytes] = dict(unzipped(xlsx([HEADER])))
    space = b" " * 2_000_000
    data = zipped(parts | {"xl/styles.xml": bytes(parts["xl/styles.xml"]) + space})  # type: ignore[arg-type]
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        size = archive.getinfo("xl/styles.xml").file_size
    lying = data.replace(size.to_bytes(4, "little"), (1_000).to_bytes(4, "little"))
    assert refusal(lying) == "damaged"


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_unusual_compression_is_refused(method: int) -> None:
    assert refusal(zipped(dict(unzipped(xlsx([HEADER]))), method)) == "damaged"


def test_two_parts_of_one_name_are_refused() -> None:
    parts: dict[str, str | bytes] = dict(unzipped(xlsx([HEADER])))
    assert refusal(zipped(parts | {"XL/Workbook.xml": b"<x/>"})) == "damaged"


def test_more_parts_than_any_workbook_has_are_refused() -> None:
    parts: dict[str, str | bytes] = dict(unzipped(xlsx([HEADER])))
    assert refusal(zipped(parts | {f"xl/{number}.xml": b"" for number in range(1_000)})) == "damaged"


@pytest.mark.parametrize(
    "parts",
    [
        {"word/document.xml": "<x/>"},
        {"xl/workbook.bin": "x"},
        {"mimetype": "application/vnd.oasis.opendocument.text", "content.xml": "<x/>"},
        {"content.xml": "<x/>"},
        {"a.txt": "Organisation;E-Mail"},
    ],
)
def test_another_office_file_is_not_supported(parts: dict[str, str | bytes]) -> None:
    assert refusal(zipped(parts)) == "unsupported"


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (bytes.fromhex("d0cf11e0a1b11ae1") + b"\x00" * 512 + "Workbook".encode("utf-16-le"), "old_excel"),
        (
            bytes.fromhex("d0cf11e0a1b11ae1") + b"\x00" * 512 + "EncryptedPackage".encode("utf-16-le"),
            "protected",
        ),
        (b"PK\x03\x04", "damaged"),
        (b"PK\x03\x04" + b"x" * 1000, "damaged"),
        (b"PK\x05\x06" + b"\x00" * 18, "binary"),
        (xlsx([HEADER, ANKE])[:-100], "damaged"),
        (xlsx([HEADER, ANKE])[:500], "damaged"),
        (zipped({"xl/workbook.xml": "<workbook/>"}), "damaged"),
        (zipped({"xl/workbook.xml": "no xml"}), "damaged"),
        (zipped({"xl/workbook.xml": ""}), "damaged"),
    ],
)
def test_a_broken_or_closed_file_is_named_so(data: bytes, code: str) -> None:
    assert refusal(data) == code


def test_an_encrypted_archive_is_protected() -> None:
    data = bytearray(xlsx([HEADER]))
    for start in (data.index(b"PK\x03\x04") + 6, data.index(b"PK\x01\x02") + 8):
        data[start] |= 1
    assert refusal(bytes(data)) == "protected"


SHARED = '<row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1" t="s"><v>1</v></c></row><row r="2"><c r="B2" t="s"><v>2</v></c></row>'
GOOD = with_sheet(SHARED, ["Organisation", "E-Mail", "anke@x.example"])
PARTS = unzipped(GOOD)


def test_shared_strings_are_read_as_excel_writes_them() -> None:
    table = read(GOOD)
    assert (table.header, [row.cells for row in table.rows]) == (
        ("Organisation", "E-Mail"),
        [("", "anke@x.example")],
    )


def test_parts_of_another_kind_of_file_are_left_out() -> None:
    bomb = unzipped(ods(ods_row("x", repeated=1_048_576)))
    assert read(zipped({**bomb, **PARTS})).header == ("Organisation", "E-Mail")
    assert refusal(zipped({**bomb, "xl/workbook.xml": "<workbook/>"})) == "damaged"


@settings(suppress_health_check=[HealthCheck.too_slow], max_examples=150)
@given(st.data())
def test_a_workbook_with_damaged_bytes_is_read_or_refused(data: st.DataObject) -> None:
    broken = bytearray(GOOD)
    for _ in range(data.draw(st.integers(1, 6))):
        broken[data.draw(st.integers(0, len(GOOD) - 1))] = data.draw(st.integers(0, 255))
    try:
        read(bytes(broken))
    except BadTable:
        return


@settings(suppress_health_check=[HealthCheck.too_slow], max_examples=200)
@given(st.data())
def test_a_workbook_with_damaged_parts_is_read_or_refused(data: st.DataObject) -> None:
    name = data.draw(
        st.sampled_from(
            ["xl/worksheets/sheet1.xml", "xl/workbook.xml", "xl/sharedStrings.xml", "xl/styles.xml"]
        )
    )
    content = bytearray(PARTS[name])
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(content) - 1))
        content[at : at + data.draw(st.integers(0, 8))] = data.draw(
            st.sampled_from([b"", b"9", b"99999", b'"', b"<", b">", b"/", b"s", b"\xff", b"-", b"&#0;"])
        )
    try:
        read(zipped({**PARTS, name: bytes(content)}))
    except BadTable:
        return


def test_the_real_list_as_a_workbook_gives_the_same_people() -> None:
    path = Path(__file__).parents[1] / "data" / "einladungsliste.csv"
    csv_table = read_table(path.read_bytes(), path.name)
    rows = [[int(cell) if cell.isdigit() else cell for cell in row.cells] for row in csv_table.rows]
    table = read(xlsx([csv_table.header, *rows]))
    mapping = guess_mapping(table.header)
    check = check_rows(table, mapping, {}, [])
    assert check.good == check_rows(csv_table, mapping, {}, []).good
    assert {problem.code for problem in check.problems} == {"postcode_padded"}
