import pytest

from conference.core.contact_list import FIELDS, REQUIRED, guess_mapping, missing_fields

REAL = [
    "Organisation",
    "Anrede",
    "Titel",
    "Vorname",
    "Nachname",
    "E-Mail",
    "Funktion",
    "Seite",
    "Team",
    "PLZ",
    "Ort",
]


def test_the_columns_of_the_real_list_are_all_known() -> None:
    assert guess_mapping(REAL) == {field: column for column, field in enumerate(FIELDS)}


@pytest.mark.parametrize(
    ("heading", "field"),
    [
        ("Organisation", "organisation"),
        ("Organization", "organisation"),
        ("Bildungsträger", "organisation"),
        ("Bildungstraeger", "organisation"),
        ("TRÄGER", "organisation"),
        ("Firma", "organisation"),
        ("Einrichtung", "organisation"),
        ("Name der Einrichtung", "organisation"),
        ("Firma / Organisation", "organisation"),
        ("Anrede", "salutation"),
        ("Salutation", "salutation"),
        ("Titel", "title"),
        ("Akad. Titel", "title"),
        ("Vorname", "first_name"),
        ("First name", "first_name"),
        ("first_name", "first_name"),
        ("Nachname", "last_name"),
        ("Name", "last_name"),
        ("Familienname", "last_name"),
        ("Last Name", "last_name"),
        ("E-Mail", "email"),
        ("Email", "email"),
        ("e-mail:", "email"),
        ("E-Mail *", "email"),
        ("E‑Mail", "email"),
        ("Mail", "email"),
        ("E-Mail-Adresse", "email"),
        ("E-Mail-Adresse (dienstlich)", "email"),
        ("Funktion", "function"),
        ("Position", "function"),
        ("Role", "function"),
        ("Seite", "side"),
        ("Side", "side"),
        ("Team", "team"),
        ("Abteilung", "team"),
        ("PLZ", "postcode"),
        ("Postleitzahl", "postcode"),
        ("Zip", "postcode"),
        ("ZIP code", "postcode"),
        ("Ort", "city"),
        ("Stadt", "city"),
        ("City", "city"),
        ("  Ort  ", "city"),
    ],
)
def test_a_heading_is_recognised(heading: str, field: str) -> None:
    assert guess_mapping(["Spalte A", heading]) == {field: 1}


@pytest.mark.parametrize(
    "heading", ["", " ", "Straße", "Telefon", "Bemerkung", "Nr.", "Vornamensvetter", "Sorte", "Mailand", "😀"]
)
def test_other_headings_are_nothing(heading: str) -> None:
    assert guess_mapping([heading]) == {}


def test_a_name_beside_a_last_name_stays_free() -> None:
    assert guess_mapping(["Name", "Vorname", "Nachname"]) == {"first_name": 1, "last_name": 2}


def test_an_exact_word_wins_over_a_longer_heading() -> None:
    assert guess_mapping(["E-Mail privat", "E-Mail", "Name Firma", "Firma"]) == {
        "organisation": 3,
        "last_name": 2,
        "email": 1,
    }


def test_of_two_equal_headings_the_first_is_taken() -> None:
    assert guess_mapping(["Ort", "Ort"]) == {"city": 0}


def test_no_column_is_used_twice() -> None:
    mapping = guess_mapping(["Name / E-Mail / Ort", "Vorname Nachname", *REAL])
    assert len(set(mapping.values())) == len(mapping)


def test_missing_columns_are_named_in_the_order_of_the_fields() -> None:
    assert missing_fields({}) == REQUIRED == ("organisation", "last_name", "email")
    assert missing_fields({"email": 0, "city": 1}) == ("organisation", "last_name")
    assert missing_fields(guess_mapping(REAL)) == ()
