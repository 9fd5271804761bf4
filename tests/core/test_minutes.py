"""The minutes as one value: JSON and back without loss, and a plain text that people can read."""

import json
from dataclasses import replace
from datetime import date, time
from pathlib import Path

import pytest

from conference.core.minutes import (
    ActionLine,
    Attendance,
    ClusterLine,
    DecisionLine,
    GroupRound,
    GroupTable,
    MinutesDocument,
    PersonLine,
    TopicMinutes,
    from_json,
    plain_text,
    to_json,
)
from conference.core.plain import BadShape

JUNE = Path(__file__).parents[1] / "data" / "minutes-june.json"
EMPTY = MinutesDocument("Reihe", "Konferenz", 1, date(2023, 6, 6))


@pytest.fixture
def june() -> MinutesDocument:
    return from_json(JUNE.read_text(encoding="utf-8"))


def test_a_whole_document_survives_json(june):
    assert from_json(to_json(june)) == june


def test_an_empty_document_survives_json():
    assert from_json(to_json(EMPTY)) == EMPTY


def test_the_same_document_gives_the_same_json_and_text(june):
    again = from_json(to_json(june))
    assert (to_json(again), plain_text(again)) == (to_json(june), plain_text(june))


def test_json_keeps_umlauts_and_days_readable(june):
    assert '"due_on": "2023-08-15"' in to_json(june)
    assert "Bildungsträgerkonferenz" in to_json(june)


def _with(june, **changes):
    return json.dumps(json.loads(to_json(june)) | changes)


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"format": "something-else"}, "format"),
        ({"number": "1"}, "number"),
        ({"number": True}, "number"),
        ({"day": "6. Juni"}, "day"),
        ({"day": None}, "day"),
        ({"begin": 930}, "begin"),
        ({"surprise": 1}, "surprise"),
        ({"agenda": {}}, "agenda"),
        ({"agenda": [{"title": "A"}, {"number": "1"}]}, "agenda.1.title"),
        (
            {"actions": [{"number": "M1", "title": "T", "responsible": "R", "supporters": "Kim"}]},
            "actions.0.supporters",
        ),
    ],
)
def test_what_does_not_fit_is_refused_with_the_place(june, change, path):
    with pytest.raises(BadShape) as error:
        from_json(_with(june, **change))
    assert error.value.path == path


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '"text"'])
def test_what_is_no_document_at_all_is_refused(text):
    with pytest.raises(BadShape):
        from_json(text)


def test_ideas_of_the_plenary_count_too(june):
    assert june.ideas == 34


def test_ideas_of_groups_count_where_nothing_is_clustered_yet():
    table = GroupTable("A", ideas=("eine", "zwei"))
    assert replace(EMPTY, rounds=(GroupRound(1, tables=(table,)),)).ideas == 2


def test_the_plain_text_begins_with_title_state_and_facts(june):
    assert plain_text(june).splitlines()[:8] == [
        "Ergebnisprotokoll: Bildungsträgerkonferenz Juni 2023",
        "====================================================",
        "Bildungsträgerkonferenz · 1",
        "Freigegeben am 13.06.2023 durch Verena Tiemann",
        "",
        "Datum: 06.06.2023",
        "Beginn: 09:30 Uhr",
        "Ende: 14:55 Uhr",
    ]


def test_a_draft_says_so_and_a_release_never_does(june):
    draft = plain_text(replace(june, released=False, released_on=None, released_by=""))
    assert draft.splitlines()[3] == "Entwurf – nicht freigegeben"
    assert "Entwurf" not in plain_text(june)


def test_lines_are_short_enough_for_a_mail(june):
    assert max(len(line) for line in plain_text(june).splitlines()) <= 78


def test_every_text_of_the_document_is_in_the_plain_text(june):
    written = " ".join(plain_text(june).split())
    ideas = [idea for one in june.rounds for table in one.tables for idea in table.ideas]
    wordings = [decision.wording for decision in june.decisions]
    titles = [action.title for action in june.actions]
    names = [person.name for person in june.attendance.present + june.attendance.excused]
    texts = [
        june.summary_markdown,
        *ideas,
        *wordings,
        *titles,
        *names,
        *june.parked,
        *june.attachments,
        *june.distribution,
    ]
    assert [text for text in texts if " ".join(text.split()) not in written] == []


def test_an_action_names_who_with_whom_and_until_when():
    action = ActionLine(
        "M1", "Kalender", "Kim Vogt", ("Jo Weiß",), date(2023, 8, 15), "in_progress", "Bündel 1"
    )
    from_decision = replace(action, decision="2", organisation="Akademie")
    written = [
        " ".join(plain_text(replace(EMPTY, actions=(one,))).split("Maßnahmenplan\n-------------")[1].split())
        for one in (action, from_decision)
    ]
    assert written == [
        "M1 Kalender Verantwortlich: Kim Vogt, mit Jo Weiß, bis 15.08.2023, Status: in Arbeit, Bündel 1",
        "M1 Kalender Verantwortlich: Kim Vogt (Akademie), mit Jo Weiß, bis 15.08.2023, Status: in Arbeit, aus Beschluss 2",
    ]


def test_a_late_guest_is_noted():
    person = PersonLine("Kim Vogt", "Akademie", "Leitung", arrived=time(10, 15), left=time(13, 0))
    text = plain_text(replace(EMPTY, attendance=Attendance(present=(person,))))
    assert "- Kim Vogt, Akademie, Leitung, ab 10:15 Uhr, bis 13:00 Uhr" in text.splitlines()


def test_one_dot_is_not_several():
    clusters = (
        ClusterLine(1, "Eins", ("Idee",), dots=1),
        ClusterLine(2, "Zwei", dots=2),
        ClusterLine(3, "Drei"),
    )
    lines = plain_text(replace(EMPTY, clusters=clusters)).splitlines()
    assert [line for line in lines if line[:1] in {"1", "2", "3"}] == [
        "1. Eins (1 Punkt)",
        "2. Zwei (2 Punkte)",
        "3. Drei",
    ]


def test_empty_sections_are_left_out_but_not_decisions_and_actions():
    headings = [
        line
        for line, rule in zip(
            plain_text(EMPTY).splitlines(), plain_text(EMPTY).splitlines()[1:], strict=False
        )
        if rule.startswith("---")
    ]
    assert headings == ["Anwesenheit", "Tagesordnung", "Beschlüsse", "Maßnahmenplan"]
    assert plain_text(EMPTY).count("Keine Einträge") == 4


def test_a_topic_refers_to_its_decisions_and_actions_by_number():
    topic = TopicMinutes(
        "Kalender", "3", result_markdown="Wir *tun* es.", decisions=("B1",), actions=("M1", "M2")
    )
    text = plain_text(replace(EMPTY, agenda=(topic,), decisions=(DecisionLine("B1", "Es gilt."),)))
    assert text.split("Zu den Tagesordnungspunkten")[1].split("Beschlüsse")[0].strip("-\n").splitlines() == [
        "TOP 3 Kalender",
        "Ergebnis:",
        "  Wir *tun* es.",
        "Beschluss: B1",
        "Maßnahme: M1, M2",
    ]


def test_english_minutes_have_english_words(june):
    text = plain_text(replace(june, language="en"))
    assert text.startswith("Minutes: Bildungsträgerkonferenz Juni 2023\n")
    assert "Released on 13.06.2023 by Verena Tiemann" in text


def test_a_word_longer_than_a_line_stays_whole():
    text = plain_text(replace(EMPTY, place="x" * 200))
    assert "x" * 200 in text
