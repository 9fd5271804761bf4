"""Texts and minutes without the people in them."""

from datetime import date

import pytest

from conference.core.discretion import Discretion, Named, without_names
from conference.core.minutes import (
    ActionLine,
    Attendance,
    GroupRound,
    GroupTable,
    MinutesDocument,
    PersonLine,
    TopicMinutes,
)

PEOPLE = [
    Named("Ada", "Muster", "Bildungshaus"),
    Named("Bea", "Muster", "Lernwerk"),
    Named("Carl", "von der Heide", "VHS"),
    Named("Jörg", "Groß-Öhm", "IHK"),
    Named("", "Li", "Kolleg"),
]


@pytest.mark.parametrize(
    ("said", "read"),
    [
        ("Ada Muster sagt zu.", "Bildungshaus sagt zu."),
        ("ADA  MUSTER sagt zu.", "Bildungshaus sagt zu."),
        ("Frau Dr. Muster sagt zu.", "Bildungshaus / Lernwerk sagt zu."),
        ("Muster, Bea (VHS)", "Lernwerk (VHS)"),
        ("Bea Musters Vorschlag", "Lernwerk Vorschlag"),
        (
            "Musterfrau und Musterung bleiben, ein muster auch",
            "Musterfrau und Musterung bleiben, ein muster auch",
        ),
        ("Herr von der Heide und Jörg Groß-Öhm", "VHS und IHK"),
        ("Herrn Li fragen; Linie 3", "Kolleg fragen; Linie 3"),
        ("Bitte an a.b@haus.example oder 05221 000-123.", "Bitte an … oder …."),
        ("Am 06.06.2023, 09:30–15:00 Uhr, 32049 Herford, 0,5 Tage, 2023-07-14", None),
    ],
)
def test_a_text_says_nothing_of_people(said, read):
    assert Discretion(PEOPLE)(said) == (said if read is None else read)


def test_without_people_a_text_stays():
    assert Discretion([])("Alle kommen.") == "Alle kommen."


def test_minutes_name_organisations_where_people_stood():
    document = MinutesDocument(
        "Reihe", "Konferenz", 1, date(2023, 6, 6),
        chair="Vera Vorsitz",
        attendance=Attendance(
            present=(PersonLine("Gerd Gast", "Kolleg", "Leitung"), PersonLine("Ada Muster", "Bildungshaus")),
        ),
        agenda=(TopicMinutes("Vortrag", person="Ada Muster", result_markdown="Gast dankt **Ada Muster**."),),
        rounds=(GroupRound(1, tables=(GroupTable("A", people=("Gerd Gast", "Weg Gezogen")),)),),
        actions=(ActionLine("1", "Gerd Gast ruft an", "Ada Muster", ("Bea Muster",), organisation="Bildungshaus"),),
    )  # fmt: skip
    read = without_names(document, PEOPLE)
    assert read.chair == "Vera Vorsitz"
    assert read.attendance.present == (PersonLine("Bildungshaus"), PersonLine("Kolleg"))
    assert (read.agenda[0].person, read.agenda[0].result_markdown) == (
        "Bildungshaus",
        "Kolleg dankt **Bildungshaus**.",
    )
    assert read.rounds[0].tables[0].people == ("Kolleg", "–")
    action = read.actions[0]
    assert (action.title, action.responsible, action.supporters) == (
        "Kolleg ruft an",
        "Bildungshaus",
        ("Lernwerk",),
    )
