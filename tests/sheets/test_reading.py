"""What staff, the plenary and the minutes see of the groups' sheets."""

import pytest

from conference.core.minutes import plain_text
from conference.groups.models import Group
from conference.ideas.models import Idea
from conference.kit.db import db
from conference.minutes import operations as minutes
from conference.minutes import queries as drafts
from conference.sheets import operations, queries
from conference.sheets.models import SheetIdea

from ..builders import NOW, a_sheet, some_ideas

LIST = "sheets.show_sheets"


@pytest.fixture
def sheets(in_house, day, june):
    """Table A has handed in for the first round, table B has only begun; nobody in the second one."""
    with in_house():
        first = queries.tables_of(june())[0]
        a_sheet(june(), first.tables[0], "Ein <b>Kalender</b>", "IT", "Kurse", open_points="Wer?")
        a_sheet(june(), first.tables[1], "Halb fertig", hand_in=False)


@pytest.fixture
def staff(browser, organiser, sheets):
    return browser.sign_in(organiser)


def test_every_group_of_every_round_is_there_and_what_is_missing_is_missing(staff, day, june):
    staff.open(LIST, slug=day.slug)
    assert (
        staff.sees("1 von 4")
        and staff.sees("angefangen, nicht abgegeben")
        and staff.sees("Ein <b>Kalender</b>")
    )
    assert staff.text.count("Ergebnisblatt nicht abgegeben.") == 2
    staff.open("sheets.show_wall", slug=day.slug)
    assert (
        staff.sees("1 von 2 abgegeben")
        and staff.sees("noch nicht abgegeben")
        and not staff.sees("Halb fertig")
    )
    staff.open(f"/conferences/{day.slug}/sheets/wall?round=1&table=A")
    assert staff.sees("Ein <b>Kalender</b>") and "round=1&table=B" in " ".join(staff.links())
    staff.open(f"/conferences/{day.slug}/sheets/wall?round=1&table=B")
    assert staff.sees("Ergebnisblatt nicht abgegeben.") and not staff.sees("Halb fertig")


def test_a_sheet_outlives_its_group(staff, in_house, day, organiser, june):
    with in_house():
        db.session.query(Group).filter(Group.name == "A").delete()
    staff.open(LIST, slug=day.slug)
    assert staff.sees("diese Gruppe gibt es nicht mehr") and staff.sees("Ein <b>Kalender</b>")
    with in_house():
        assert queries.counts_of(june()).missing == 2


def test_a_result_becomes_an_idea_once(staff, in_house, day, june):
    with in_house():
        table = queries.tables_of(june())[0].tables[0]
        sheet_id, round_id = table.state.sheet_id, table.round.id
    where = {"slug": day.slug, "sheet_id": sheet_id}
    staff.open(LIST, slug=day.slug)
    for _press in range(2):
        staff.submit("sheets.take_over", {"version": "1", "result": "1"}, **where)
    assert staff.sees("ist Idee Nr. 1")
    staff.submit("sheets.take_over", {"version": "1", "result": "4"}, status=409, **where)
    staff.submit(
        "sheets.take_over", {"version": "1", "result": "2"}, status=409, **where
    )  # "IT" is too short
    staff.submit("sheets.take_over", {"version": "7", "result": "3"}, status=409, **where)
    staff.submit("sheets.take_over", {"version": "1", "result": "x"}, status=422, **where)
    with in_house():
        [idea] = db.session.query(Idea)
        [link] = db.session.query(SheetIdea)
        assert (idea.text, idea.table, idea.round_id) == ("Ein <b>Kalender</b>", "A", round_id)
        assert (link.idea_id, link.sheet_id) == (idea.id, sheet_id)


def test_the_minutes_carry_what_was_handed_in_and_name_what_is_missing(in_house, day, sheets, june):
    with in_house():
        draft = drafts.compile_draft(june(), at=NOW)
        [a, b] = draft.rounds[0].tables
        assert a.sheet is not None and a.sheet.results == ("Ein <b>Kalender</b>", "IT", "Kurse")
        assert b.sheet is None
        text, html = plain_text(draft), minutes.html_of(draft)
    assert "1. Ein <b>Kalender</b>\n2. IT\n3. Kurse\nOffene Punkte:\n  Wer?" in text
    assert text.count("Ergebnisblatt nicht abgegeben") == 3
    assert "Ein &lt;b&gt;Kalender&lt;/b&gt;" in html and html.count("Ergebnisblatt nicht abgegeben") == 3
    assert "1 Ergebnisblatt abgegeben" in html and "Halb fertig" not in text + html


def test_what_is_released_stays_when_a_sheet_changes(in_house, day, organiser, sheets, june):
    with in_house():
        minutes.save_frame(
            june(), chair="Vera", moderator="", minute_taker="Nora", summary="", version=None, at=NOW
        )
        draft = drafts.compile_draft(june(), at=NOW)
        document = minutes.as_released(draft, number=1, released_by=organiser.name, at=NOW)
        minutes.release(june(), document, b"%PDF-", organiser, at=NOW)
    with in_house():
        release = drafts.latest_release(june())
        draft = drafts.compile_draft(june(), at=NOW)
        assert minutes.says_the_same(release, draft, june().zone)
        state = queries.tables_of(june())[0].tables[0].state
        operations.reopen(state.sheet, state.number, organiser, at=NOW)
        draft = drafts.compile_draft(june(), at=NOW)
        assert not minutes.says_the_same(release, draft, june().zone)
        assert "Kurse" in release.text and "Kurse" not in plain_text(draft)


def test_the_page_of_results_counts_them_in_one_line(staff, in_house, day, june):
    with in_house():
        some_ideas(june(), "Ein Kalender")
    staff.open("overview.show_results", slug=day.slug)
    assert staff.sees("Abgegebene Ergebnisblätter der Gruppen: 1 von 4.")
    staff.open("minutes.show_minutes", slug=day.slug)
    assert staff.sees("3 Ergebnisblätter der Gruppen fehlen")
