"""Signature list, name badges and door sheets: what hangs and lies about on the day."""

import re
import subprocess
from datetime import date, time
from io import BytesIO
from typing import Any

import pypdf
import pytest
import segno
from PIL import Image

from conference.kit.pdf import render
from conference.kit.pdf_qr import qr
from tests.kit.pdf_pages import elements, failures, html, june, kinds, opened, read_aloud, text, words

MM = 72 / 25.4
DAY = date(2023, 6, 6)
TITLE = "Bildungsträgerkonferenz Juni 2023"
LONG = "Dr. Maximiliane-Alexandrina Freifrau von und zu Hohenstein-Wittgensteinbergerhausen"
ODD = [
    {
        "name": LONG,
        "organisation": "Institut für berufliche Weiterbildung, Umschulung und Qualifizierung Nordwest e. V.",
    },
    {"name": "W" * 80, "organisation": "M" * 90, "note": "x" * 90, "no_photo": True},
    {"name": "مريم الفارسي", "organisation": "אקדמיה"},
    {"name": "<b>Kim</b> & 😀 {{ 7*7 }}", "organisation": ""},
    {"name": "中文 \u0000\u202e\ue000", "organisation": "Zoë"},
]


def people() -> list[dict[str, Any]]:
    return [
        {
            "name": person.name,
            "organisation": person.organisation,
            "no_photo": number % 7 == 3,
            "note": "Runde 1: A",
        }
        for number, person in enumerate(june().attendance.present)
    ]


def paper(name: str, **context: Any) -> bytes:
    return render(html(name, language="de", conference_title=TITLE, day=DAY, **context))


def sheet(**changes: Any) -> dict[str, Any]:
    rounds = [
        {"number": 1, "begin": time(11, 20), "end": time(12, 5)},
        {"number": 2, "begin": time(12, 50), "end": time(13, 35)},
    ]
    return {
        "letter": "A", "room": "Raum A", "topic": "Vernetzung", "focus_question": june().focus_question, "rounds": rounds,
        "qr": qr("https://folgetermin.example/i/A7K2M"), "address": "folgetermin.example/i", "code": "A7K-2M",
    } | changes  # fmt: skip


@pytest.mark.parametrize("guests", [[], people(), ODD], ids=["nobody", "june", "odd"])
def test_signature_lists_keep_both_standards(guests):
    assert failures(paper("signature_list", people=guests)) == []


def test_a_signature_list_has_a_row_for_each_person_and_for_the_unexpected():
    pdf = paper("signature_list", people=people(), spare=4, place="Großer Saal")
    assert kinds(pdf).count("TR") == 1 + 35 + 4
    said = read_aloud(pdf)
    assert said[:3] == ["Unterschriftenliste", f"{TITLE} · Dienstag, 06.06.2023 · Großer Saal", "Nr."]
    assert said.count("kein Foto") == 5
    assert said[-1] == "39"


def test_an_empty_signature_list_says_so():
    assert "Keine Einträge" in read_aloud(paper("signature_list", people=[]))


@pytest.mark.parametrize("guests", [[], people(), ODD], ids=["nobody", "june", "odd"])
def test_badges_keep_both_standards(guests):
    assert failures(paper("badges", people=guests)) == []


def test_each_badge_says_conference_name_and_organisation():
    pdf = paper("badges", people=people())
    assert len(opened(pdf).pages) == 4
    assert kinds(pdf).count("LI") == 35
    first = people()[0]
    assert read_aloud(pdf)[:4] == [TITLE, first["name"], first["organisation"], "Runde 1: A"]


def test_nobody_is_cut_apart(tmp_path):
    """Every word stands inside one badge of 90 by 54 mm, also the longest names."""
    pdf = paper("badges", people=(ODD * 4)[:20])
    astray = []
    for _page, word, (left, top, right, bottom) in words(pdf, tmp_path):
        column, row = (left - 15 * MM) // (90 * MM), (top - 13.5 * MM) // (54 * MM)
        if (
            (right - 15 * MM) // (90 * MM) != column
            or (bottom - 13.5 * MM) // (54 * MM) != row
            or not 0 <= row <= 4
        ):
            astray.append(word)
    assert astray == []


def test_the_longest_real_name_is_shown_whole(tmp_path):
    drawn = " ".join(word for _page, word, _box in words(paper("badges", people=ODD[:1]), tmp_path))
    assert LONG.replace(" ", "") in drawn.replace(" ", "").replace("\u200b", "")


def test_no_badges_is_said_in_words():
    assert read_aloud(paper("badges", people=[])) == ["Namensschilder", "Noch ist niemand angemeldet."]


@pytest.mark.parametrize(
    "sheets",
    [
        [],
        [sheet()],
        [sheet(letter=letter) for letter in "ABCDE"],
        [sheet(letter="Werkstatt", topic="", focus_question="", room="", rounds=[], qr=None, code="")],
        [
            sheet(
                letter="<b>",
                topic="x" * 200,
                focus_question=LONG * 5,
                room="中文 😀 مريم",
                code="&" * 20,
                address="a" * 90,
            )
        ],
    ],
    ids=["none", "one", "five", "bare", "odd"],
)
def test_door_sheets_keep_both_standards_and_one_page_each(sheets):
    pdf = paper("door_sheet", sheets=sheets)
    assert failures(pdf) == []
    assert len(opened(pdf).pages) == max(1, len(sheets))


def test_a_door_sheet_says_where_when_what_and_how():
    said = read_aloud(paper("door_sheet", sheets=[sheet()]))
    assert said[1] == "Gruppe A"
    assert [
        part
        for part in ("Raum A", "11:20–12:05 Uhr", "12:50–13:35 Uhr", "Vernetzung", "Ideen abgeben")
        if part not in said
    ] == []
    assert any("A7K-2M" in part for part in said) and any("folgetermin.example/i" in part for part in said)


def test_the_qr_code_has_words_and_leads_where_it_should(tmp_path):
    pdf = paper("door_sheet", sheets=[sheet()])
    [figure] = elements(pdf, "Figure")
    assert "folgetermin.example/i" in str(figure.Alt)
    assert _matrix_from(pdf, figure, tmp_path) == _matrix_of("https://folgetermin.example/i/A7K2M")


def _matrix_of(address: str) -> list[list[bool]]:
    return [[bool(cell) for cell in row] for row in segno.make_qr(address, error="m").matrix]


def _matrix_from(pdf: bytes, figure: Any, folder: Any) -> list[list[bool]]:
    """The modules as they come out of a printer of 200 dpi."""
    path = folder / "door.pdf"
    path.write_bytes(pdf)
    subprocess.run(
        ["pdftoppm", "-r", "200", "-png", "-singlefile", str(path), str(folder / "door")], check=True
    )
    picture = Image.open(folder / "door.png").convert("L")
    scale = 200 / 72
    left, bottom, right, _top = (float(number) * scale for number in figure.A.BBox)
    size = qr("https://folgetermin.example/i/A7K2M").size
    module, top = (right - left) / size, picture.height - bottom - (right - left)
    middles = [2.5 + number for number in range(size - 4)]
    return [[picture.getpixel((left + x * module, top + y * module)) < 128 for x in middles] for y in middles]


def test_titles_tell_the_papers_apart(tmp_path):
    titles = [
        pypdf.PdfReader(BytesIO(paper(name, **{key: []}))).metadata.title
        for name, key in (("signature_list", "people"), ("badges", "people"), ("door_sheet", "sheets"))
    ]
    assert titles == [
        f"{word} {TITLE}, 06.06.2023" for word in ("Unterschriftenliste", "Namensschilder", "Türschilder")
    ]


def test_pages_of_a_signature_list_are_counted(tmp_path):
    drawn = text(paper("signature_list", people=people() * 3), tmp_path)
    assert re.findall(r"Seite (\d+) von (\d+)", drawn) == [(str(number), "5") for number in range(1, 6)]


# -- the groups --------------------------------------------------------

EDITION = "Fassung 3 vom 05.06.2023, 09:12 Uhr"
LONG_TOPIC = "Vereinbarkeit von Familie, Pflege und Beruf in der beruflichen Weiterbildung " * 3


def of_groups(name: str, **context: Any) -> bytes:
    return paper(name, edition=EDITION, is_draft=False, **context)


def seats(people: list[dict[str, Any]]) -> dict[str, Any]:
    return {"about": "", "table": {"people": people}}


def seating(people: list[dict[str, Any]], rounds: int, **layout: Any) -> bytes:
    heads = [{"number": number + 1, "time": "11:20–12:05 Uhr"} for number in range(rounds)]
    rows = [
        {
            "name": letter,
            "about": LONG_TOPIC if letter == "B" else "",
            "cells": [seats(people[shift::5])] * rounds,
        }
        for shift, letter in enumerate("ABCDE")
    ]
    listed = [
        {"name": p["name"], "organisation": p["organisation"], "letter": "A", "places": ["A"] * rounds}
        for p in people
    ]
    return of_groups(
        "seating",
        layout={"paper": "a3", "density": "normal", "columns": 4} | layout,
        blocks=[{"rounds": heads, "rows": rows}],
        numbers=list(range(1, rounds + 1)),
        leaves=[listed] if listed else [],
        unseated=[(1, "Muster, Ada")],
    )


def test_forty_people_hang_on_one_page_that_keeps_both_standards():
    pdf = seating((people() * 2)[:40], 3)
    assert failures(pdf) == []
    assert len(opened(pdf).pages) == 1
    assert kinds(pdf).count("Table") == 2 and kinds(pdf).count("TR") == 6 + 41
    said = read_aloud(pdf)
    assert any(EDITION in part for part in said) and "Ohne Gruppe in Runde 1: Muster, Ada" in said


def test_odd_names_on_the_wall_page_keep_both_standards():
    assert failures(seating(ODD, 1, paper="a4", density="huge")) == []


def lead_sheet(people: list[dict[str, Any]], **over: Any) -> dict[str, Any]:
    table = {
        "name": "A", "topic": LONG_TOPIC, "room": "Raum A", "focus_question": june().focus_question, "people": people, "hosts": ["Ada Muster"],
    }  # fmt: skip
    code = {"qr": qr("https://folgetermin.example/i/A7K2M"), "code": "A7K-2M"}
    led = {"facilitators": ["Mona Moderat"], "density": "normal", "table": table}
    return {"round": 1, "time": "11:20–12:05 Uhr"} | led | code | over


def test_facilitator_sheets_keep_both_standards_and_stay_one_page_each():
    sheets = [
        lead_sheet(people()[:10], density="dense"),
        lead_sheet([], qr=None, code=""),
        lead_sheet(ODD, density="tight"),
    ]
    pdf = of_groups("facilitator_sheet", sheets=sheets, address="folgetermin.example/ideas")
    assert failures(pdf) == []
    assert len(opened(pdf).pages) == 3
    said = read_aloud(pdf)
    for expected in ("Gruppe A Runde 1, 11:20–12:05 Uhr", "Ada Muster", "Offene Punkte", "Keine Einträge"):
        assert expected in said, expected


def test_name_cards_and_table_signs_keep_both_standards_and_say_things_once():
    places = [
        {"round": number, "time": "11:20–12:05 Uhr", "table": {"name": "A", "room": "Raum A"}}
        for number in range(1, 10)
    ]
    cards = [person | {"places": places[:number]} for number, person in enumerate(ODD)] + [
        ODD[0] | {"places": places}
    ]
    pdf = of_groups("name_cards", cards=cards, most=8)
    assert failures(pdf) == [] and len(opened(pdf).pages) == 3
    assert "Weitere Runden stehen auf dem Aushang." in read_aloud(pdf)
    signs = [
        {"letter": "A", "room": "Raum A", "topic": "Planung"},
        {"letter": "Werkstatt", "room": "", "topic": LONG_TOPIC},
    ]
    pdf = of_groups("table_sign", signs=signs)
    assert failures(pdf) == [] and len(opened(pdf).pages) == 2
    assert read_aloud(pdf).count("Planung") == 1  # the other half of the fold is for the eye only


@pytest.mark.parametrize(
    ("name", "nothing"), [("facilitator_sheet", "sheets"), ("name_cards", "cards"), ("table_sign", "signs")]
)
def test_papers_without_groups_say_so(name, nothing):
    assert len(read_aloud(of_groups(name, **{nothing: []}))) == 2
