from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conference.core.contact_list import BadTable, Table, read_table

HEADER = "Organisation;Anrede;Vorname;Nachname;E-Mail"
ANKE = "Bildungswerk Ravensberg;Frau;Anke;Brinkmann;anke@bw.example"
JOERG = "Akademie Wittekind;Herr;Jörg;Heitkamp;joerg@aw.example"
LIST = f"{HEADER}\r\n{ANKE}\r\n{JOERG}\r\n"
FIVE = ("Organisation", "Anrede", "Vorname", "Nachname", "E-Mail")


def read(text: str | bytes, filename: str = "liste.csv") -> Table:
    return read_table(text.encode() if isinstance(text, str) else text, filename)


def refusal(data: str | bytes, filename: str = "liste.csv") -> tuple[str, str]:
    with pytest.raises(BadTable) as refused:
        read(data, filename)
    return refused.value.code, refused.value.detail


def cells(table: Table) -> list[Sequence[str]]:
    return [row.cells for row in table.rows]


def lines(table: Table) -> list[int]:
    return [row.line for row in table.rows]


@pytest.mark.parametrize(
    ("encoding", "named"),
    [
        ("utf-8", "utf-8"),
        ("utf-8-sig", "utf-8-sig"),
        ("utf-16", "utf-16"),
        ("cp1252", "cp1252"),
        ("latin-1", "cp1252"),
        ("cp850", "cp850"),
    ],
)
def test_the_encoding_is_found(encoding: str, named: str) -> None:
    table = read(LIST.encode(encoding))
    assert table.encoding == named
    assert table.header == FIVE
    assert [row[2] for row in cells(table)] == ["Anke", "Jörg"]


def test_utf_16_with_the_other_byte_order_is_read() -> None:
    assert read(b"\xfe\xff" + LIST.encode("utf-16-be")).header == FIVE


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32", "mac_roman"])
def test_less_usual_encodings_keep_every_umlaut(encoding: str) -> None:
    text = "Organisation;Nachname;E-Mail;Ort\nBildungsträger für Süß;Müller;a@x.example;Löhne\n" + (
        "Haus;Babić;b@x.example;Čačak\n" * ("utf" in encoding)
    )
    table = read_table(text.encode(encoding), "x.csv")
    assert table.rows[0].cells == ("Bildungsträger für Süß", "Müller", "a@x.example", "Löhne")
    assert table.encoding == encoding


def test_a_foreign_name_makes_no_macintosh_file() -> None:
    text = "Organisation;Nachname;E-Mail\nHaus;Krešimir;a@x.example\n"
    assert read_table(text.encode("cp1252"), "x.csv").rows[0].cells[1] == "Krešimir"


def test_plain_ascii_is_utf_8() -> None:
    assert read(f"{HEADER}\n{ANKE}").encoding == "utf-8"


@pytest.mark.parametrize(
    "name", ["Jörg Großmann", "Änne", "Müller", "Ölmez", "Weiß", "„Die Brücke“", "Tomáš", "Café"]
)
def test_a_german_excel_file_keeps_every_name(name: str) -> None:
    [row] = cells(read(f"{HEADER}\r\n{name};Frau;A;B;a@x.example".encode("cp1252")))
    assert row[0] == name


@pytest.mark.parametrize("delimiter", [";", ",", "\t", "|"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_delimiter_and_line_ends_are_found(delimiter: str, line_end: str) -> None:
    table = read(LIST.replace(";", delimiter).replace("\r\n", line_end))
    assert table.delimiter == delimiter
    assert table.header == FIVE
    assert lines(table) == [2, 3]
    assert table.rows[1].cells == tuple(JOERG.split(";"))


def test_a_delimiter_within_quotes_does_not_mislead() -> None:
    table = read(
        'Firma,Nachname,E-Mail\n"Meyer; Sohn; Enkel",Meyer,a@x.example\n"A; B; C; D",Vogt,b@x.example\n'
    )
    assert table.delimiter == ","
    assert table.rows[0].cells == ("Meyer; Sohn; Enkel", "Meyer", "a@x.example")


def test_more_commas_than_semicolons_do_not_mislead() -> None:
    table = read("Organisation;Nachname;E-Mail\nA, B, C, D und E, F;Vogt;a@x.example\n")
    assert table.delimiter == ";"


def test_the_line_sep_that_some_programs_write_is_obeyed() -> None:
    table = read(f"sep=,\r\n{LIST.replace(';', ',')}")
    assert (table.delimiter, table.header_line, lines(table)) == (",", 2, [3, 4])


def test_a_single_column_is_a_table() -> None:
    table = read("E-Mail\nanke@x.example\nuwe@x.example\n")
    assert table.header == ("E-Mail",)
    assert cells(table) == [("anke@x.example",), ("uwe@x.example",)]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (f"{ANKE}\n{JOERG}\n", [2, 3]),
        (f"\n{ANKE}\n\n{JOERG}\n", [2, 3, 4, 5]),
        (f';;;;\n{ANKE}\n;;;;\n', [2, 3, 4]),
        (f'"Frauen &\nBeruf";;;;\n{ANKE}\n', [2, 4]),
        (f'"Frauen &\r\n\r\nBeruf";;;;\n"a\nb";;;;\n{ANKE}\n', [2, 5, 7]),
        (f'"sagt ""ja""";;;;\n{ANKE}\n', [2, 3]),
        (f"{ANKE}\n\n\n\n", [2]),
        (f"{ANKE}\n \n", [2, 3]),
        (ANKE, [2]),
        ("", []),
        ("x\u2028y;;;;\nx\x0cy;;;;\n", [2, 3]),
    ],
)  # fmt: skip
def test_rows_know_the_line_on_which_an_editor_shows_them(body: str, expected: list[int]) -> None:
    assert lines(read(f"{HEADER}\n{body}")) == expected


def test_a_quoted_cell_keeps_its_line_ends() -> None:
    table = read(f'{HEADER}\r\n"Frauen\r\n& Beruf";Frau;A;B;a@x.example\r\n')
    assert table.rows[0].cells[0] == "Frauen\r\n& Beruf"


def test_quotes_in_the_middle_of_a_cell_are_letters() -> None:
    assert read(f'{HEADER}\nWerkstatt "Else";;A;B;a@x.example\n').rows[0].cells[0] == 'Werkstatt "Else"'


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (f'{HEADER}\n{ANKE}\n"Akademie;Herr;Jörg;Heitkamp;a@x.example\n{ANKE}\n{ANKE}\n', "3"),
        (f'{HEADER}\n"Akademie;Herr;Jörg;Heitkamp;a@x.example', "2"),
        (f'{HEADER}\n"', "2"),
        (f'"{HEADER}\n{ANKE}\n', "1"),
        (
            f'{HEADER}\n{ANKE}\n"Akademie;Herr;J;H;a@x.example\n{ANKE}\n"Werkstatt ""Else""";Frau;A;B;b@x.example\n',
            "3",
        ),
        (f'{HEADER}\n"{"x" * 200_000}";;;;\n', "2"),
    ],
)
def test_a_quote_that_swallows_rows_is_named_with_its_line(text: str, line: str) -> None:
    assert refusal(text) == ("unclosed_quote", line)


@pytest.mark.parametrize("title", ["Einladungsliste;;;;", "Stand: 02.05.2023", "\n\nListe;;;;\n"])
def test_a_title_above_the_header_row_is_passed_over(title: str) -> None:
    table = read(f"{title}\n{LIST}")
    assert table.header == FIVE
    assert lines(table) == [table.header_line + 1, table.header_line + 2]


def test_an_unknown_header_row_is_taken_as_it_stands() -> None:
    table = read("Spalte A;Spalte B;Spalte C\nx;y;z\n")
    assert (table.header, cells(table)) == (("Spalte A", "Spalte B", "Spalte C"), [("x", "y", "z")])


@pytest.mark.parametrize(
    "text", [f"{ANKE}\n{JOERG}\n", "a@x.example\n", "Meyer;32049;Herford\n", "Verein;Team;a@x.example\n"]
)
def test_a_list_without_header_row_is_refused(text: str) -> None:
    assert refusal(text) == ("no_header", "")


@pytest.mark.parametrize(
    "data", [b"", b" \r\n\t ", b"\xef\xbb\xbf", b"\xff\xfe", b";;;;\r\n;;;;\r\n", b"\x00\x00", b'""']
)
def test_an_empty_file_is_named_so(data: bytes) -> None:
    assert refusal(data) == ("empty", "")


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"%PDF-1.7\n...", "binary"),
        (b"\x89PNG\r\n\x1a\n...", "binary"),
        (b"\xff\xd8\xff\xe0...", "binary"),
        (b"{\\rtf1 Organisation;E-Mail}", "binary"),
        (bytes(range(256)) * 20, "binary"),
        (b"\x00\x01" * 500, "binary"),
        (b"<!DOCTYPE html><table><tr><td>Organisation</td></tr></table>", "unsupported"),
        (b"  <html><body>", "unsupported"),
        (b'<?xml version="1.0"?><Workbook/>', "unsupported"),
        (b"\xef\xbb\xbfOrganisation;E-Mail\n\xff\xff;x", "encoding"),
        (b"\xff\xfe" + LIST.encode("utf-16-le") + b"x", "encoding"),
        (b"Organisation;E-Mail\nM\x8dx;\x9d", "encoding"),
    ],
)
def test_what_is_no_table_of_text_is_refused_with_a_reason(data: bytes, code: str) -> None:
    assert refusal(data)[0] == code


def test_text_that_calls_itself_a_workbook_is_damaged() -> None:
    assert refusal(LIST, "liste.xlsx") == ("damaged", "")
    assert refusal(LIST, "Liste.ODS") == ("damaged", "")
    assert read(LIST, "liste.txt").header == FIVE


@pytest.mark.parametrize(
    ("filename", "ending"), [("liste.xls", "xls"), ("LISTE.PDF", "pdf"), ("a.csv.exe", "exe")]
)
def test_text_with_the_ending_of_something_else_is_refused(filename: str, ending: str) -> None:
    assert refusal(LIST, filename) == ("other_ending", ending)


def test_a_few_control_characters_are_the_business_of_their_row() -> None:
    table = read(f"{HEADER}\nBildungs\x00werk;;A;B;a@x.example\n")
    assert table.rows[0].cells[0] == "Bildungs\x00werk"


def test_a_file_above_five_megabytes_is_refused_unread() -> None:
    assert refusal(b"x" * (5 * 1024 * 1024 + 1)) == ("too_big", "5242880")


def test_ten_thousand_rows_are_read_and_no_more() -> None:
    rows = "".join(f"O;;A;B;a{number}@x.example\n" for number in range(10_000))
    assert len(read(f"{HEADER}\n{rows}").rows) == 10_000
    assert refusal(f"{HEADER}\n{rows}O;;A;B;b@x.example\n") == ("too_many_rows", "10000")


@pytest.mark.parametrize("blank", ["\n", ";;;;\n"])
def test_a_long_tail_of_empty_lines_is_no_list(blank: str) -> None:
    table = read(f"{HEADER}\n{ANKE}\n{blank * 50_000}")
    assert len(table.rows) <= 10_050
    assert table.rows[0].cells == tuple(ANKE.split(";"))


def test_rows_after_a_long_gap_are_not_lost_silently() -> None:
    text = f"{HEADER}\n{ANKE}\n" + "\n" * 20_000 + JOERG
    assert refusal(text) == ("too_many_rows", "10000")


def test_sixty_columns_are_read_and_no_more() -> None:
    wide = ";".join(f"Spalte {number}" for number in range(58))
    assert len(read(f"Organisation;E-Mail;{wide}\n").header) == 60
    assert refusal(f"Organisation;E-Mail;{wide};x\n") == ("too_many_columns", "60")
    assert refusal(f"{HEADER}\n{'x;' * 100}\n") == ("too_many_columns", "60")
    assert read(f"{HEADER}{';' * 300}\n{ANKE}{';' * 300}\n").header == FIVE


def test_a_nameless_column_that_holds_something_stays_a_column() -> None:
    table = read(f"{HEADER};;\n{ANKE};x\n{JOERG};;\n")
    assert table.header == (*FIVE, "")
    assert [len(row.cells) for row in table.rows] == [6, 5]


def test_headings_are_short_single_lines() -> None:
    table = read(f'"Organisation\n(Träger)";E-Mail;Nachname;{"x" * 300}\n')
    assert table.header == ("Organisation (Träger)", "E-Mail", "Nachname", "x" * 100)


@given(st.binary(max_size=400))
def test_any_bytes_are_a_table_or_refused(data: bytes) -> None:
    try:
        table = read_table(data, "liste.csv")
    except BadTable:
        return
    assert table.header


@given(st.text(st.sampled_from('ab;,"\n\r\t @.=ä\x00'), max_size=200))
def test_any_text_below_a_header_row_is_read_with_rising_lines_or_refused(text: str) -> None:
    try:
        table = read(f"{HEADER}\n{text}")
    except BadTable as error:
        assert error.code in {"unclosed_quote", "too_many_columns", "binary"}
        return
    assert lines(table) == sorted(set(lines(table)))


TEXT = st.text(
    st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\ufeff"), min_size=1, max_size=12
)
LIST_ROWS = st.lists(st.lists(TEXT, min_size=3, max_size=3), max_size=10)


@given(LIST_ROWS, st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]))
def test_what_was_written_is_read(rows: list[list[str]], encoding: str) -> None:
    body = "".join(";".join('"' + cell.replace('"', '""') + '"' for cell in row) + "\r\n" for row in rows)
    table = read(f"Organisation;Nachname;E-Mail\r\n{body}".encode(encoding))
    padded = [[*row.cells, "", "", ""][:3] for row in table.rows]
    assert padded == [without_blank_end(row) for row in rows]


def without_blank_end(row: list[str]) -> list[str]:
    return [cell if any(later.strip() for later in row[at:]) else "" for at, cell in enumerate(row)]
