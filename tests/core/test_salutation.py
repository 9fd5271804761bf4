import csv
from pathlib import Path

import pytest

from conference.core.salutation import full_name, list_name, salutation_line, sort_key

LIST = Path(__file__).parents[1] / "data" / "einladungsliste.csv"

GERMAN = [
    ("ms", "Dr.", "Kim", "Müller-Lüdenscheidt", "Sehr geehrte Frau Dr. Müller-Lüdenscheidt,"),
    ("ms", "", "Anke", "Brinkmann", "Sehr geehrte Frau Brinkmann,"),
    ("mr", "", "Tom", "Schmidt", "Sehr geehrter Herr Schmidt,"),
    ("ms", "Prof. Dr.", "Eva", "Vogt", "Sehr geehrte Frau Prof. Dr. Vogt,"),
    ("mr", "Prof. Dr.", "Thomas", "Niemöller", "Sehr geehrter Herr Prof. Dr. Niemöller,"),
    ("mr", "", "Peter", "von der Heide", "Sehr geehrter Herr von der Heide,"),
    ("mr", "", "Florian", "d’Angelo", "Sehr geehrter Herr d’Angelo,"),
    ("none", "", "Kim", "Müller", "Guten Tag Kim Müller,"),
    ("none", "Dr.", "Kim", "Müller", "Guten Tag Dr. Kim Müller,"),
    ("none", "", "", "Müller", "Guten Tag Müller,"),
    ("", "", "Kim", "Müller", "Guten Tag Kim Müller,"),
    ("divers", "", "Kim", "Müller", "Guten Tag Kim Müller,"),
    ("ms", "", "Anke", "", "Guten Tag Anke,"),
    ("none", "", "", "", "Sehr geehrte Damen und Herren,"),
    ("ms", "Dr.", "", "", "Sehr geehrte Damen und Herren,"),
    ("ms", " Dr. ", " Anke ", " Brinkmann ", "Sehr geehrte Frau Dr. Brinkmann,"),
]
ENGLISH = [
    ("ms", "", "Anke", "Brinkmann", "Dear Ms Brinkmann,"),
    ("mr", "", "Tom", "Schmidt", "Dear Mr Schmidt,"),
    ("ms", "Dr.", "Anke", "Brinkmann", "Dear Dr Brinkmann,"),
    ("mr", "Prof. Dr.", "Thomas", "Niemöller", "Dear Professor Niemöller,"),
    ("ms", "Dipl.-Ing.", "Anke", "Brinkmann", "Dear Ms Brinkmann,"),
    ("none", "", "Kim", "Müller", "Dear Kim Müller,"),
    ("none", "Dr.", "Kim", "Müller", "Dear Dr Kim Müller,"),
    ("ms", "", "Anke", "", "Dear Anke,"),
    ("none", "", "", "", "Dear Sir or Madam,"),
]


@pytest.mark.parametrize("language", ["de", "de-DE", "de_AT", "DE"])
@pytest.mark.parametrize(("salutation", "title", "first", "last", "line"), GERMAN)
def test_a_german_letter_begins_so(
    language: str, salutation: str, title: str, first: str, last: str, line: str
) -> None:
    assert salutation_line(language, salutation, title, first, last) == line


@pytest.mark.parametrize("language", ["en", "en-GB", "fr"])
@pytest.mark.parametrize(("salutation", "title", "first", "last", "line"), ENGLISH)
def test_an_english_letter_begins_so(
    language: str, salutation: str, title: str, first: str, last: str, line: str
) -> None:
    assert salutation_line(language, salutation, title, first, last) == line


@pytest.mark.parametrize(
    ("title", "first", "last", "name"),
    [
        ("", "Anke", "Brinkmann", "Anke Brinkmann"),
        ("Dr.", "Anke", "Brinkmann", "Dr. Anke Brinkmann"),
        ("", "", "Brinkmann", "Brinkmann"),
        ("", "Anke", "", "Anke"),
        ("", "", "", ""),
    ],
)
def test_a_full_name_has_no_gaps(title: str, first: str, last: str, name: str) -> None:
    assert full_name(title, first, last) == name


@pytest.mark.parametrize(
    ("title", "first", "last", "name"),
    [
        ("Dr.", "Anke", "Brinkmann", "Brinkmann, Dr. Anke"),
        ("", "Peter", "von der Heide", "Heide, Peter von der"),
        ("Dr.", "Karl", "von und zu Stein", "Stein, Dr. Karl von und zu"),
        ("", "Christian", "Meyer zu Hücker", "Meyer zu Hücker, Christian"),
        ("", "Samir", "El Amrani", "El Amrani, Samir"),
        ("", "Jan", "van Dyk", "van Dyk, Jan"),
        ("", "Uta", "Auf der Heide", "Auf der Heide, Uta"),
        ("", "Uta", "auf der Heide", "auf der Heide, Uta"),
        ("", "Uta", "von", "von, Uta"),
        ("", "", "Brinkmann", "Brinkmann"),
    ],
)
def test_a_name_in_a_list_begins_with_what_it_is_ordered_by(
    title: str, first: str, last: str, name: str
) -> None:
    assert list_name(title, first, last) == name


@pytest.mark.parametrize(
    "names",
    [
        ["Ächter", "Aydın", "Böhm", "Bondarenko"],
        ["Muder", "Müller", "Muff", "Mulder"],
        ["Goslar", "Groß", "Grosz"],
        ["d’Angelo", "Demir", "Düring"],
        ["Heck", "von der Heide", "Heitkamp"],
        ["El Amrani", "Elbers"],
        ["Meyer", "Meyer zu Hücker", "Meyerhoff"],
        ["Müller", "Müller-Lüdenscheidt", "Müllersen"],
        ["Øster", "Ostermeier"],
        ["Żak", "Zander", "Zöllner"],
        ["Vogt", "Zander", "Оксана"],
    ],
)
def test_names_are_ordered_as_in_a_german_list(names: list[str]) -> None:
    assert sorted(set(names), key=lambda name: sort_key(name, "")) == names


def test_equal_last_names_are_ordered_by_first_name() -> None:
    people = [("Meyer", "Zoe"), ("Meyer", "Änne"), ("Meyer", "Anton")]
    assert sorted(people, key=lambda person: sort_key(*person)) == [
        ("Meyer", "Änne"),
        ("Meyer", "Anton"),
        ("Meyer", "Zoe"),
    ]


def test_the_real_list_in_german_order() -> None:
    with LIST.open(encoding="utf-8-sig", newline="") as file:
        people = [(row["Nachname"], row["Vorname"]) for row in csv.DictReader(file, delimiter=";")]
    assert [last for last, _first in sorted(people, key=lambda person: sort_key(*person))] == [
        "Ächter", "Aydın", "Böhm", "Bondarenko", "Brinkmann", "d’Angelo", "Demir", "Düring", "El Amrani", "Fels", "Fiedler",
        "Groß", "von der Heide", "Heitkamp", "Ibel", "Kasten", "Kleine-Tebbe", "Kowalczyk", "Lehmann", "Meyer zu Hücker",
        "Müller-Lüdenscheidt", "Niemöller", "Obermann", "Öztürk", "Ostermeier", "Pohlmann", "Quest", "Renner", "Rüter", "Sander",
        "Schäfer", "Strothmann", "Sundermann", "Tiemann", "Vogt", "Weiß", "Wortmann", "Yılmaz",
    ]  # fmt: skip
