"""The minutes as PDF: whole, in order, readable by everybody, whatever people typed."""

import json
import re
from dataclasses import replace
from datetime import date, time
from io import BytesIO
from itertools import combinations, pairwise
from typing import Any

import pypdf
import pytest

from conference.core.minutes import (
    ActionLine,
    Attendance,
    ClusterLine,
    GroupRound,
    GroupTable,
    MinutesDocument,
    PersonLine,
    TopicMinutes,
    VoteResult,
    VoteRow,
    from_json,
    to_json,
)
from conference.kit.pdf import render
from tests.bad_input import HARMLESS, LEGITIMATE_NAMES
from tests.kit.pdf_pages import elements, failures, june, kinds, minutes_html, opened, read_aloud, text, words

DRAFT = "Entwurf – nicht freigegeben"
EMPTY = MinutesDocument("Reihe", "Konferenz", 1, date(2023, 6, 6))
CODES = {
    "format",
    "kind",
    "status",
    "language",
    "day",
    "begin",
    "end",
    "due_on",
    "released_on",
    "arrived",
    "left",
}
HOSTILE = [
    "中文 ไทย \ue000 \u0000\u202e\u2066 Zälgo\u0301\u0302\u0303\u0304\u0305\u0306\u0307 \ufffe",
    "x" * 3000,
    "<b>fett</b> & {{ 7*7 }} %s %(name)s",
    "مريم الفارسي אקדמיה 👩🏽\u200d💻 😀 🏴\u200d☠️ ½ № → ☐ ✓",
    "# Titel\n\n![b](https://b.example/x.png)\n\n[x](javascript:alert(1)) [**y**](https://y.example)\n\n"
    + "> " * 40
    + "tief",
    "a\u2028b\u2029c\u0085d\u00adé\u00a0§ 82 e. V.",
]


@pytest.fixture(scope="module")
def released() -> bytes:
    return render(minutes_html(june()))


@pytest.fixture(scope="module")
def draft() -> bytes:
    return render(minutes_html(replace(june(), released=False, released_on=None, released_by="")))


def test_the_june_minutes_keep_both_standards(released, draft):
    assert (failures(released), failures(draft)) == ([], [])


def test_headings_begin_with_one_and_skip_no_level(released):
    levels = [int(kind[1]) for kind in kinds(released) if re.fullmatch("H[1-6]", kind)]
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))


def test_the_sections_come_in_the_order_of_german_minutes(released):
    outline = pypdf.PdfReader(BytesIO(released)).outline
    sections = [entry.title for entry in outline[1] if not isinstance(entry, list)]
    assert outline[0].title == "Ergebnisprotokoll"
    assert sections == [
        "Anwesenheit", "Tagesordnung", "Zu den Tagesordnungspunkten", "Abstimmungen", "Beschlüsse", "Maßnahmenplan",
        "Nächster Termin", "Anlagen", "Verteiler", "Freigabe", "Anlage\xa01: Ergebnisse der Arbeitsgruppen",
        "Anlage\xa02: Ideen nach Bündeln",
    ]  # fmt: skip


def test_page_numbers_in_the_contents_are_those_of_the_sections(released, tmp_path):
    pages = text(released, tmp_path).split("\f")
    promised = re.findall(r"^(\S.*\S)\s{3,}(\d+)$", pages[0].split("Inhalt")[1], re.MULTILINE)
    assert len(promised) == 12
    assert [
        title
        for title, number in promised
        if not re.search(f"^{title}$", pages[int(number) - 1], re.MULTILINE)
    ] == []


def test_every_page_says_which_it_is_of_how_many(released, tmp_path):
    pages = text(released, tmp_path).split("\f")[:-1]
    assert [re.findall(r"Seite (\d+) von (\d+)", page) for page in pages] == [
        [(str(number), str(len(pages)))] for number in range(1, len(pages) + 1)
    ]


def test_page_furniture_and_watermark_are_never_read_aloud(released, draft):
    assert [
        said
        for said in read_aloud(released) + read_aloud(draft)
        if said.startswith("Seite") or said == "Entwurf"
    ] == []
    assert [said for said in read_aloud(draft) if DRAFT in said] == [
        DRAFT,
        f"1, {DRAFT}",
        f"{DRAFT} Fassung 1.",
    ]


def test_a_draft_says_so_on_every_page(draft, tmp_path):
    pages = text(draft, tmp_path).split("\f")[:-1]
    assert [page.count("freigegeben") >= 1 for page in pages] == [True] * len(pages)
    assert all("/Pattern" in page.Resources for page in opened(draft).pages)
    assert str(opened(draft).docinfo["/Title"]).endswith(f"({DRAFT})")


def test_released_minutes_say_who_released_them_and_nothing_of_a_draft(released, tmp_path):
    drawn = text(released, tmp_path)
    assert "Entwurf" not in drawn and "nicht freigegeben" not in drawn
    assert "Freigegeben am 13.06.2023 durch Verena Tiemann. Fassung 1." in drawn


def test_each_idea_decision_action_and_name_is_read_aloud(released):
    document = june()
    aloud = _words("".join(read_aloud(released)))
    wanted = [idea for one in document.rounds for table in one.tables for idea in table.ideas]
    wanted += [decision.wording for decision in document.decisions]
    wanted += [action.title for action in document.actions]
    wanted += [person.name for person in document.attendance.present]
    assert [one for one in wanted if _words(one) not in aloud] == []


def _words(text: str) -> str:
    """Only letters and digits: spaces, breaks and line ends are the typesetter's."""
    return "".join(filter(str.isalnum, text))


def test_the_chart_says_all_its_numbers_and_the_table_has_them_too(released):
    charts, votes = elements(released, "Figure"), june().votes
    aloud = read_aloud(released)
    assert len(charts) == len(votes) > 0
    for chart, vote in zip(charts, votes, strict=True):
        for row in vote.rows:
            assert f"{row.wording}: {row.dots}" in str(chart.Alt)
            said = aloud.index(row.wording)
            assert aloud[said - 1 : said + 3] == [str(row.rank), row.wording, str(row.dots), str(row.voters)]


def test_the_minutes_of_a_follow_up_list_the_earlier_actions_under_their_item(tmp_path):
    earlier = (
        ActionLine(
            "1", "Tabelle aufsetzen", "Ada Beispiel", due_on=date(2023, 7, 14), source="Konferenz Juni"
        ),
    )
    review = TopicMinutes("Was daraus geworden ist", "1", time(9, 30), "review")
    pdf = render(minutes_html(replace(EMPTY, agenda=(review,), earlier=earlier)))
    drawn = text(pdf, tmp_path)
    assert "Konferenz Juni" in drawn and "Keine Festlegungen" not in drawn and "review" not in drawn
    assert failures(pdf) == []


def test_attendance_and_action_plan_are_each_one_table(released):
    tables = elements(released, "Table")
    heads = [len(table.K) for table in tables]
    assert len(tables) == 8
    assert heads == [1] + [2] * 7


def test_the_same_minutes_give_the_same_bytes(released):
    assert render(minutes_html(june())) == released


def test_minutes_in_english_say_so():
    pdf = render(minutes_html(replace(june(), language="en")))
    assert str(opened(pdf).Root.Lang) == "en-GB"
    assert failures(pdf) == []


def test_a_long_distribution_list_and_many_signatures_cover_nothing(tmp_path):
    """Columns and signature lines make room for themselves: no two words lie on each other."""
    names = tuple(sorted({person.organisation for person in june().attendance.present}))
    signatures = tuple(
        PersonLine(f"Person {number} " + "Lang " * number, function="Leitung") for number in range(5)
    )
    pdf = render(minutes_html(replace(june(), distribution=names, signatures=signatures)))
    pages = words(pdf, tmp_path)
    pairs = [(one, other) for one, other in combinations(pages, 2) if one[0] == other[0]]
    assert [(one[1], other[1]) for one, other in pairs if _overlap(one[2], other[2])] == []
    assert failures(pdf) == []


def _overlap(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    # Line boxes of neighbouring lines may touch.
    across = min(one[2], other[2]) - max(one[0], other[0])
    down = min(one[3], other[3]) - max(one[1], other[1])
    return across > 1 and down > 3


def test_an_empty_conference_still_gives_minutes(tmp_path):
    pdf = render(minutes_html(EMPTY))
    assert failures(pdf) == []
    drawn = text(pdf, tmp_path)
    assert "Inhalt" not in drawn
    assert drawn.count("Keine Einträge") == 3
    assert "Es wurden keine Beschlüsse gefasst." in drawn


def test_the_contents_appear_from_three_pages_on(released):
    short = render(minutes_html(EMPTY))
    assert len(opened(short).pages) <= 2
    assert ("TOC" in kinds(short), "TOC" in kinds(released)) == (False, True)


def test_odd_conferences_give_minutes():
    nobody = VoteResult("Ohne Stimmen", 3, 0, 0)
    tie = VoteResult("Gleichstand", 3, 2, 2, (VoteRow(1, "eins", 0, 0), VoteRow(1, "zwei", 0, 0)))
    odd = replace(
        EMPTY,
        agenda=(
            TopicMinutes(""),
            TopicMinutes("Pause", kind="break"),
            TopicMinutes("Neu", "1", kind="unheard-of"),
        ),
        rounds=(
            GroupRound(1),
            GroupRound(2, begin=time(9, 0), tables=(GroupTable(""), GroupTable("B", ideas=("", "x")))),
        ),
        clusters=(ClusterLine(1, "", dots=0), ClusterLine(2, "Zwei", ("",), dots=0), ClusterLine(3, "Drei")),
        votes=(nobody, tie),
        actions=(ActionLine("", "", "", status="unheard-of"),),
        attendance=Attendance(guests=(PersonLine(""),)),
    )
    assert failures(render(minutes_html(odd))) == []


def test_a_very_large_conference_gives_whole_tables():
    people = tuple(PersonLine(f"Person {number}", f"Träger {number % 60}") for number in range(400))
    actions = tuple(
        ActionLine(f"M{number}", "Etwas tun " * 8, "Kim Vogt", ("Jo Weiß",) * 3) for number in range(120)
    )
    groups = tuple(
        GroupTable(str(number), "Thema", people=("Kim",) * 8, ideas=("Idee",) * 3) for number in range(60)
    )
    large = replace(
        june(), attendance=Attendance(present=people), actions=actions, rounds=(GroupRound(1, tables=groups),)
    )
    pdf = render(minutes_html(large))
    assert failures(pdf) == []
    assert kinds(pdf).count("Table") == 5
    assert [kinds(pdf).count(kind) for kind in ("THead", "H1")] == [4, 1]


def _filled_with(strings: list[str]) -> MinutesDocument:
    """The June minutes, three of everything, with one of the strings added to every text."""
    position = 0

    def fill(value: Any, name: str) -> Any:
        nonlocal position
        if isinstance(value, dict):
            return {key: fill(one, key) for key, one in value.items()}
        if isinstance(value, list):
            return [fill(one, name) for one in value[:3]]
        if not isinstance(value, str) or name in CODES:
            return value
        position += 1
        # Numbers are given by us, names and functions are short by their forms.
        longest = {"number": 30, "name": 300, "function": 300}.get(name)
        return f"{value} {strings[position % len(strings)][:longest]}"

    return from_json(json.dumps(fill(json.loads(to_json(june())), "")))


@pytest.mark.parametrize("strings", [HOSTILE, HARMLESS + LEGITIMATE_NAMES], ids=["hostile", "odd"])
def test_whatever_people_typed_the_file_stays_valid_and_inside_the_page(strings, tmp_path):
    pdf = render(minutes_html(_filled_with(strings)))
    assert failures(pdf) == []
    actions = [one.get("/A", {}) for page in opened(pdf).pages for one in page.get("/Annots", [])]
    assert {str(action.URI) for action in actions if "/URI" in action} <= {
        "https://b.example/x.png",
        "https://y.example",
    }
    assert "/EmbeddedFiles" not in opened(pdf).Root.Names and "/JavaScript" not in opened(pdf).Root.Names
    assert _outside(pdf, tmp_path) == []


def _outside(pdf: bytes, folder: Any) -> list[str]:
    """Words that are drawn outside the margins of the page."""
    drawn = words(pdf, folder)
    return [
        text
        for _page, text, (left, top, right, bottom) in drawn
        if left < 60 or right > 545 or top < 50 or bottom > 820
    ]
