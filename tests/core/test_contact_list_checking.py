from dataclasses import asdict
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conference.core.contact_list import (
    FIELDS,
    GoodRow,
    Known,
    ListCheck,
    Problem,
    Row,
    Table,
    check_rows,
    guess_mapping,
    read_table,
)

DATA = Path(__file__).parents[1] / "data"
COLUMNS = {field: column for column, field in enumerate(FIELDS)}
ANKE = {
    "organisation": "Bildungswerk Ravensberg", "salutation": "Frau", "title": "Dr.", "first_name": "Anke",
    "last_name": "Brinkmann", "email": "anke@bw.example", "function": "Leitung", "side": "Bildungsträger", "team": "",
    "postcode": "32049", "city": "Herford",
}  # fmt: skip


def person(**over: str) -> tuple[str, ...]:
    return tuple((ANKE | over).values())


def table(*rows: tuple[str, ...]) -> Table:
    return Table(FIELDS, tuple(Row(line, cells) for line, cells in enumerate(rows, start=2)))


def checked(
    *rows: tuple[str, ...], known: dict[str, str] | None = None, organisations: tuple[str, ...] = ()
) -> ListCheck:
    return check_rows(table(*rows), COLUMNS, known or {}, organisations)


def said(check: ListCheck) -> list[tuple[int, str, str]]:
    return [(problem.line, problem.field, problem.code) for problem in check.problems]


def only(field: str, value: str) -> GoodRow:
    """The person of a list of one, in which one field has this value."""
    [good] = checked(person(**{field: value})).good
    return good


def error(field: str, value: str) -> Problem:
    """The one problem of a list of one, for which the person is not taken."""
    check = checked(person(**{field: value}))
    [problem] = check.problems
    assert (check.good, check.asked, problem.severity) == ((), (), "error")
    assert (problem.line, problem.field) == (2, field)
    return problem


def warning(field: str, value: str) -> tuple[str, str, str]:
    """Code and detail of the one warning, and the value that is stored."""
    check = checked(person(**{field: value}))
    [problem] = check.problems
    assert problem.severity == "warning"
    assert (problem.line, problem.field, problem.value) == (2, field, value)
    return problem.code, problem.detail, asdict(check.good[0])[field]


def from_file(name: str) -> ListCheck:
    read = read_table((DATA / name).read_bytes(), name)
    return check_rows(read, guess_mapping(read.header), {}, [])


def test_the_clean_list_gives_38_people_and_nothing_to_say() -> None:
    check = from_file("einladungsliste.csv")
    assert (len(check.good), check.asked, check.problems) == (38, (), ())
    assert [person.line for person in check.good] == list(range(2, 40))
    assert check.good[0] == GoodRow(
        2, "Bildungswerk Ravensberg", "ms", "Dr.", "Anke", "Brinkmann", "anke.brinkmann@bw-ravensberg.example",
        "anke.brinkmann@bw-ravensberg.example", "Leitung", "provider", "", "32049", "Herford",
    )  # fmt: skip
    assert [sum(person.side == side for person in check.good) for side in ("provider", "agency")] == [30, 8]
    assert [person.last_name for person in check.good if person.salutation == "none"] == [
        "Müller-Lüdenscheidt",
        "Sander",
    ]
    assert check.good[22].postcode == "01067"


def test_the_list_from_excel_gives_the_same_38_people_a_question_and_every_fault() -> None:
    check = from_file("einladungsliste_excel_export.csv")
    clean = from_file("einladungsliste.csv")
    assert [good.email for good in check.good] == [good.email for good in clean.good]
    assert len(check.good) == 38
    assert check.asked == (
        GoodRow(
            45, "Technikzentrum Buende", "mr", "", "Falsch", "Geschrieben", "f.geschrieben@tz-buende.example",
            "f.geschrieben@tz-buende.example", "", "provider", "", "01067", "Dresden",
        ),
    )  # fmt: skip
    ewa, maren = "ewa.kowalczyk@akademie-wittekind.example", "maren.quest@lernwerkstatt-enger.example"
    capitals, small = "JOERG.HEITKAMP@AKADEMIE-WITTEKIND.EXAMPLE", "joerg.heitkamp@akademie-wittekind.example"
    assert check.problems == (
        Problem(5, "email", "email_lowercased", "warning", capitals, small),
        Problem(8, "email", "duplicate_in_file", "error", ewa, "4"),
        Problem(41, "email", "duplicate_in_file", "error", maren, "12"),
        Problem(42, "email", "missing", "error"),
        Problem(43, "email", "invalid_email", "error", "max.falschmail(at)digitalschule-owl.example"),
        Problem(44, "organisation", "missing", "error"),
        Problem(
            45,
            "organisation",
            "lookalike_organisation",
            "question",
            "Technikzentrum Buende",
            "Technikzentrum Bünde",
        ),
        Problem(45, "postcode", "postcode_padded", "warning", "1067", "01067"),
        Problem(46, "organisation", "formula", "error", '=HYPERLINK("http://boese.example")'),
        Problem(47, "", "empty_row", "error"),
    )
    assert len(check.errors) == 7
    assert [question.line for question in check.questions] == [45]
    assert [warned.line for warned in check.warnings] == [5, 45]


def test_a_list_that_was_taken_before_is_known_row_by_row() -> None:
    first = from_file("einladungsliste.csv")
    known = {good.email_key: f"{good.first_name} {good.last_name}" for good in first.good}
    read = read_table((DATA / "einladungsliste.csv").read_bytes(), "einladungsliste.csv")
    check = check_rows(
        read, guess_mapping(read.header), known, sorted({good.organisation for good in first.good})
    )
    assert (check.good, check.asked) == ((), ())
    assert {problem.code for problem in check.problems} == {"already_known"}
    assert check.problems[0].detail == "Anke Brinkmann"


@pytest.mark.parametrize("field", ["organisation", "last_name", "email"])
@pytest.mark.parametrize("value", ["", " ", "\u00a0", "\u200b", "-", "–", "--"])
def test_a_required_field_without_content_is_missing(field: str, value: str) -> None:
    assert error(field, value).code == "missing"


@pytest.mark.parametrize(
    "field", [field for field in FIELDS if field not in ("organisation", "last_name", "email")]
)
@pytest.mark.parametrize("value", ["", "  ", "-", "—"])
def test_other_fields_may_be_empty(field: str, value: str) -> None:
    expected = {"salutation": "none", "side": "provider"}.get(field, "")
    assert asdict(only(field, value))[field] == expected


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize(
    "value",
    [
        "=1+1",
        "+1",
        "-1+1",
        "@SUM(A1)",
        "  =1",
        "＝1",
        "＋1",
        "－1",
        "＠x",
        "\u200b=1",
        "\tx",
        "\rx",
        "=" + "x" * 900,
    ],
)
def test_t15_a_formula_in_any_field_refuses_the_row(field: str, value: str) -> None:
    assert error(field, value).code == "formula"


@pytest.mark.parametrize("field", [field for field in FIELDS if field != "email"])
@pytest.mark.parametrize(
    ("value", "detail"),
    [("a\x00b", "control"), ("a\x1bb", "control"), ("a\u202eb", "bidi"), ("a\u2066b", "bidi"), ("a\ud800b", "surrogate"), ("a\ufffeb", "control")],
)  # fmt: skip
def test_bad_text_in_any_field_refuses_the_row(field: str, value: str, detail: str) -> None:
    problem = error(field, value)
    assert (problem.code, problem.detail, problem.value) == ("bad_text", detail, "a\ufffdb")


@pytest.mark.parametrize(
    ("field", "limit"),
    [
        ("organisation", 200),
        ("first_name", 200),
        ("last_name", 200),
        ("city", 200),
        ("title", 60),
        ("postcode", 12),
        ("email", 254),
    ],
)
def test_a_long_value_refuses_the_row_and_names_the_limit(field: str, limit: int) -> None:
    problem = error(field, "x" * (limit + 1))
    assert (problem.code, problem.detail, len(problem.value)) == ("too_long", str(limit), min(limit + 1, 80))


@pytest.mark.parametrize(
    "value",
    [
        "anke",
        "anke@",
        "a(at)x.example",
        "a@x.example, b@y.example",
        "a@x.example b@y.example",
        "a@x.example\nb@y.example",
        "Anke <a@x.example>",
        "jörg@x.example",
    ],
)
def test_a_wrong_address_refuses_the_row(value: str) -> None:
    assert error("email", value).code == "invalid_email"


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        (" anke@x.example ", "anke@x.example"),
        ("Anke.Brinkmann@X.example", "Anke.Brinkmann@x.example"),
        ("\u200banke@x.example", "anke@x.example"),
        ("a@müller.example", "a@xn--mller-kva.example"),
    ],
)
def test_an_address_is_stored_in_its_canonical_form_without_a_word(typed: str, stored: str) -> None:
    good = only("email", typed)
    assert (good.email, good.email_key) == (stored, stored.lower())


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("Bildungswerk  Ravensberg ", "Bildungswerk Ravensberg"),
        ("Frauen &\nBeruf e. V.", "Frauen & Beruf e. V."),
        ("Frauen\u00a0& Beruf", "Frauen & Beruf"),
        ("Werkstatt „Else“", "Werkstatt „Else“"),
        ("<b>Werk</b>", "<b>Werk</b>"),
        ("👍🏽 Werk", "👍🏽 Werk"),
    ],
)
def test_spaces_and_line_ends_in_a_cell_become_one_space(typed: str, stored: str) -> None:
    assert only("organisation", typed).organisation == stored


@pytest.mark.parametrize(
    "name",
    [
        "d’Angelo",
        "Müller-Lüdenscheidt",
        "Yılmaz",
        "von der Heide",
        "El Amrani",
        "Nguyễn Thị",
        "O'Neill",
        "李",
        "مريم",
    ],
)
def test_legitimate_names_are_taken_unchanged(name: str) -> None:
    assert only("last_name", name).last_name == name


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("Frau", "ms"), ("frau", "ms"), ("FRAU ", "ms"), ("Fr.", "ms"), ("Ms", "ms"), ("Mrs.", "ms"), ("w", "ms"),
        ("Herr", "mr"), ("Herrn", "mr"), ("Hr.", "mr"), ("Mr", "mr"), ("Mr.", "mr"), ("m", "mr"), ("männlich", "mr"),
        ("", "none"), ("divers", "none"), ("d", "none"), ("keine", "none"), ("keine Angabe", "none"), ("k. A.", "none"), ("-", "none"),
    ],
)  # fmt: skip
def test_a_salutation_is_understood(typed: str, stored: str) -> None:
    assert only("salutation", typed).salutation == stored


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("Frau Dr.", "ms"),
        ("Herrn Prof.", "mr"),
        ("Dame", "none"),
        ("Familie", "none"),
        ("?", "none"),
    ],
)
def test_an_unknown_salutation_is_a_warning(typed: str, stored: str) -> None:
    assert warning("salutation", typed) == ("unknown_salutation", stored, stored)


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("Agentur", "agency"), ("AGENTUR", "agency"), ("Agentur für Arbeit", "agency"), ("agency", "agency"),
        ("Bildungsträger", "provider"), ("", "provider"), ("Träger", "provider"), ("provider", "provider"),
    ],
)  # fmt: skip
def test_a_side_is_understood(typed: str, stored: str) -> None:
    assert only("side", typed).side == stored


def test_an_unknown_side_is_a_warning() -> None:
    assert warning("side", "Jobcenter") == ("unknown_side", "provider", "provider")


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("32049", "32049"),
        ("01067", "01067"),
        ("D-32049", "32049"),
        ("DE 32049", "32049"),
        ("32049.0", "32049"),
        ("", ""),
    ],
)
def test_a_postcode_of_five_digits_is_taken(typed: str, stored: str) -> None:
    assert only("postcode", typed).postcode == stored


@pytest.mark.parametrize(
    ("typed", "stored"),
    [("1067", "01067"), ("1067.0", "01067"), ("1067,00", "01067"), ("D-1067", "01067"), ("9111", "09111")],
)
def test_a_postcode_that_lost_its_zero_gets_it_back(typed: str, stored: str) -> None:
    assert warning("postcode", typed) == ("postcode_padded", stored, stored)


@pytest.mark.parametrize("typed", ["1012 AB", "SW1A 1AA", "123", "320490", "٣٢٠٤٩", "A-1010", "Herford"])
def test_another_postcode_is_kept_with_a_warning(typed: str) -> None:
    assert warning("postcode", typed) == ("unusual_postcode", "", typed)


def test_an_address_in_capitals_is_a_warning() -> None:
    assert warning("email", "ANKE@BW.EXAMPLE") == ("email_lowercased", "anke@bw.example", "anke@bw.example")


def test_all_errors_of_a_row_are_named_in_the_order_of_the_fields() -> None:
    check = checked(person(organisation="", last_name="a\x00b", email="x", city="=1", postcode="1067"))
    assert said(check) == [
        (2, "organisation", "missing"),
        (2, "last_name", "bad_text"),
        (2, "email", "invalid_email"),
        (2, "city", "formula"),
    ]


def test_an_address_is_taken_once_whatever_its_case() -> None:
    check = checked(
        person(), person(email="ANKE@bw.example", first_name="ANKE"), person(email="b@bw.example")
    )
    assert [good.line for good in check.good] == [2, 4]
    assert check.problems == (Problem(3, "email", "duplicate_in_file", "error", "ANKE@bw.example", "2"),)


def test_a_row_with_an_error_does_not_make_the_next_a_duplicate() -> None:
    check = checked(person(organisation=""), person())
    assert [good.line for good in check.good] == [3]
    assert said(check) == [(2, "organisation", "missing")]


def test_one_address_for_two_people_is_named_so() -> None:
    table = read_table(
        b"Organisation;Vorname;Nachname;E-Mail\nHaus;Ada;Muster;info@x.example\nHaus;Bo;Muster;INFO@x.example\n",
        "x.csv",
    )
    [problem] = check_rows(table, guess_mapping(table.header), {}, []).problems
    assert (problem.line, problem.field, problem.code, problem.detail) == (
        3,
        "email",
        "address_of_another",
        "2",
    )


@pytest.mark.parametrize(
    ("first_name", "organisation", "said"),
    [("Ada", "Haus", False), ("Bo", "Haus", True), ("Ada", "Hof", True)],
)
def test_who_is_known_under_another_name_is_pointed_out(
    first_name: str, organisation: str, said: bool
) -> None:
    table = read_table(b"Organisation;Vorname;Nachname;E-Mail\nhaus;ada;Muster;info@x.example\n", "x.csv")
    known = {"info@x.example": Known(first_name, "Muster", organisation)}
    check = check_rows(table, guess_mapping(table.header), {}, ["Haus"], known)
    assert len(check.good) == 1
    assert [problem.detail for problem in check.warnings] == [f"{first_name} Muster, {organisation}"] * said


def test_a_known_address_is_named_with_its_person() -> None:
    check = checked(person(email="Anke@BW.example"), known={"anke@bw.example": "Anke Brinkmann"})
    assert check.problems == (
        Problem(2, "email", "already_known", "error", "Anke@bw.example", "Anke Brinkmann"),
    )


def test_a_row_that_is_not_taken_has_no_warnings() -> None:
    check = checked(person(), person(postcode="1067"), person(postcode="1067", email=""))
    assert said(check) == [(3, "email", "duplicate_in_file"), (4, "email", "missing")]


def test_empty_rows_are_named_by_their_runs() -> None:
    empty, blanks = (), ("", " ", "\u00a0")
    check = checked(empty, person(), empty, blanks, empty, person(email="b@bw.example"), empty)
    assert [(problem.line, problem.code, problem.detail) for problem in check.problems] == [
        (2, "empty_row", ""),
        (4, "empty_row", "6"),
        (8, "empty_row", ""),
    ]
    assert len(check.good) == 2


def test_a_row_with_more_cells_than_headings_is_refused() -> None:
    check = checked((*person(), "", "mehr"), (*person(email="b@bw.example"), "", " "))
    assert check.problems == (Problem(2, "", "too_many_cells", "error", "", "11"),)
    assert [good.line for good in check.good] == [3]


def test_a_row_with_fewer_cells_is_filled_up() -> None:
    [good] = checked(person()[:6]).good
    assert (good.function, good.side, good.city) == ("", "provider", "")


def test_another_spelling_of_a_known_organisation_is_a_question() -> None:
    check = checked(
        person(organisation="Bildungswerk Ravensburg"),
        organisations=("Akademie Wittekind", "Bildungswerk Ravensberg"),
    )
    assert [asked.organisation for asked in check.asked] == ["Bildungswerk Ravensburg"]
    assert check.problems == (
        Problem(
            2,
            "organisation",
            "lookalike_organisation",
            "question",
            "Bildungswerk Ravensburg",
            "Bildungswerk Ravensberg",
        ),
    )


def test_each_row_of_a_doubtful_organisation_is_asked_about() -> None:
    names = [
        "Technikzentrum Bünde",
        "Technikzentrum Buende",
        "Technikzentrum Buende",
        "Technikzentrum Bünde",
        "Technikzentrum Bünde",
    ]
    check = checked(*(person(organisation=name, email=f"a{at}@x.example") for at, name in enumerate(names)))
    assert [asked.line for asked in check.asked] == [3, 4]
    assert [good.line for good in check.good] == [2, 5, 6]


def test_an_organisation_in_other_case_is_the_same() -> None:
    check = checked(
        person(organisation="BILDUNGSWERK RAVENSBERG"), organisations=("Bildungswerk Ravensberg",)
    )
    assert (len(check.good), check.problems) == (1, ())


@pytest.mark.parametrize("mapping", [{}, {"email": 5}, {"email": 99}, {"email": -1}])
def test_a_field_without_column_is_empty_in_each_row(mapping: dict[str, int]) -> None:
    codes = {problem.field: problem.code for problem in check_rows(table(person()), mapping, {}, []).problems}
    missing = {"organisation": "missing", "last_name": "missing", "email": "missing"}
    assert codes == (
        {"organisation": "missing", "last_name": "missing"} if mapping == {"email": 5} else missing
    )


def test_columns_may_be_chosen_otherwise_than_guessed() -> None:
    mapping = {"organisation": 2, "last_name": 0, "email": 1}
    rows = Table(("A", "B", "C"), (Row(7, ("Brinkmann", "a@x.example", "Werk")),))
    [good] = check_rows(rows, mapping, {}, []).good
    assert (good.line, good.last_name, good.organisation) == (7, "Brinkmann", "Werk")


CELLS = st.one_of(
    st.text(st.characters(codec=None), max_size=20),
    st.sampled_from(["Frau", "a@x.example", "A@X.EXAMPLE", "Werk", "Werke", "1067", "=1", "", "-"]),
)
ROWS = st.lists(st.lists(CELLS, max_size=12).map(tuple), max_size=8)


@given(ROWS)
def test_every_row_is_taken_asked_about_or_named_and_nothing_breaks(rows: list[tuple[str, ...]]) -> None:
    check = checked(*rows)
    taken, asked = {good.line for good in check.good}, {row.line for row in check.asked}
    refused = {problem.line for problem in check.errors if problem.code != "empty_row"}
    empty = {line for line, cells in enumerate(rows, start=2) if not any(cell.strip() for cell in cells)}
    assert not taken & asked
    assert not (taken | asked) & refused
    assert taken | asked | refused | empty == set(range(2, len(rows) + 2))
    assert {question.line for question in check.questions} == asked
    assert list(check.problems) == sorted(check.problems, key=lambda problem: problem.line)
    for problem in check.problems:
        problem.value.encode()
        assert "\x00" not in problem.value
        assert len(problem.value) <= 80
    keys = [row.email_key for row in check.good + check.asked]
    assert len(set(keys)) == len(keys)


def test_ten_thousand_rows_are_checked() -> None:
    rows = [
        person(email=f"a{number}@x.example", organisation=f"Träger Nummer {number % 700}")
        for number in range(10_000)
    ]
    assert len(checked(*rows).good) == 10_000
