"""Notes on agenda items: each changed text is kept, nobody's text is lost."""

import pytest
from sqlalchemy import select

from conference.accounts.models import Role
from conference.agenda import operations, queries
from conference.agenda.models import AgendaItem, Note
from conference.conferences.operations import add_member
from conference.kit.db import db
from conference.kit.errors import Stale

from ..bad_input import BAD_LINE_IDS, BAD_LINES
from ..builders import NOW, a_conference, an_account, an_item

SLUG = "june-2023"


@pytest.fixture
def taker(in_house):
    with in_house():
        return an_account(Role.MINUTE_TAKER, name="Mira Mitschrift")


@pytest.fixture
def item(in_house, taker):
    with in_house():
        conference = a_conference()
        add_member(conference.series, taker)
        return an_item(conference, "mein NOW", "09:45", 30)


@pytest.fixture
def writer(browser, taker):
    return browser.sign_in(taker)


def save(writer, item, text, version, status=303):
    return writer.submit(
        "agenda.edit_note", {"text": text, "version": str(version)}, status=status, slug=SLUG, item_id=item.id
    )


def saved(in_house):
    with in_house():
        return [(note.number, note.text) for note in db.session.scalars(select(Note).order_by(Note.number))]


def test_a_minute_taker_writes_a_note(writer, in_house, item):
    writer.open("agenda.edit_note", slug=SLUG, item_id=item.id)
    assert (writer.value_of("text"), writer.value_of("version")) == ("", "0")
    save(writer, item, "Viele Fragen.\r\n- zum Zugang\r\n- zum **Datenschutz**", 0)
    assert writer.sees("Die Mitschrift wurde gespeichert.")
    assert saved(in_house) == [(1, "Viele Fragen.\n- zum Zugang\n- zum **Datenschutz**")]
    assert writer.value_of("version") == "1"
    assert "<strong>Datenschutz</strong>" in writer.html
    assert writer.sees("Mira Mitschrift")
    writer.open("agenda.show_agenda", slug=SLUG)
    assert writer.sees("mit Mitschrift")


def test_identical_text_makes_no_new_state(writer, in_house, item):
    save(writer, item, "Viele Fragen.", 0)
    save(writer, item, "Viele Fragen.", 0)
    save(writer, item, "  Viele Fragen.\n", 1)
    assert saved(in_house) == [(1, "Viele Fragen.")]


def test_an_empty_note_is_none(writer, in_house, item):
    save(writer, item, "", 0)
    assert saved(in_house) == []


def test_a_stale_note_comes_back_with_both_texts_and_counts_when_sent_again(writer, in_house, item):
    save(writer, item, "Erste Fassung", 0)
    save(writer, item, "Meine <b>Fassung</b>", 0, status=409)
    assert writer.sees("Erste Fassung") and writer.sees("Meine <b>Fassung</b>")
    assert "<b>Fassung" not in writer.html
    assert (writer.value_of("text"), writer.value_of("version")) == ("Meine <b>Fassung</b>", "1")
    assert saved(in_house) == [(1, "Erste Fassung")]
    save(writer, item, "Meine Fassung", 1)
    assert saved(in_house) == [(1, "Erste Fassung"), (2, "Meine Fassung")]


@pytest.mark.parametrize("version", ["", "x", "-1", "7"])
def test_a_form_without_a_good_number_overwrites_nothing(writer, in_house, item, version):
    save(writer, item, "Erste Fassung", 0)
    save(writer, item, "Andere", version, status=409)
    assert saved(in_house) == [(1, "Erste Fassung")]


@pytest.mark.parametrize(
    "bad",
    [line for line in BAD_LINES if len(line) < 10_000] + ["x" * 20_001],
    ids=[*(i for i in BAD_LINE_IDS if "10000" not in i), "20001-characters"],
)
def test_bad_text_is_refused(writer, in_house, item, bad):
    save(writer, item, bad, 0, status=422)
    assert writer.sees("Es gibt ein Problem")
    assert saved(in_house) == []


def test_a_long_note_is_taken_whole(writer, in_house, item):
    save(writer, item, "ä" * 20_000, 0)
    assert saved(in_house) == [(1, "ä" * 20_000)]


def test_earlier_states_can_be_read(writer, item):
    save(writer, item, "Erste *Fassung*", 0)
    save(writer, item, "Zweite Fassung", 1)
    assert f"/conferences/{SLUG}/agenda/{item.id}/note/1" in writer.links()
    writer.open("agenda.show_note", slug=SLUG, item_id=item.id, number=1)
    assert "<em>Fassung</em>" in writer.html
    writer.open("agenda.show_note", status=404, slug=SLUG, item_id=item.id, number=3)


def test_an_emptied_note_is_a_state_but_no_note_any_more(writer, in_house, item):
    save(writer, item, "Versehen", 0)
    save(writer, item, "", 1)
    assert saved(in_house) == [(1, "Versehen"), (2, "")]
    with in_house():
        conference = db.session.get(AgendaItem, item.id).conference
        assert queries.current_notes(conference) == {}


def test_current_notes_are_the_newest_of_each_item(house):
    conference = a_conference()
    first, second = an_item(conference, "Erster"), an_item(conference, "Zweiter", "10:00")
    for item, text, number in ((first, "alt", 0), (second, "anderer", 0), (first, "neu", 1)):
        operations.save_note(item, text, number, None, at=NOW)
    an_item(a_conference(slug="other"), "Fremd")
    assert {item_id: note.text for item_id, note in queries.current_notes(conference).items()} == {
        first.id: "neu",
        second.id: "anderer",
    }


def test_saving_from_an_old_state_is_refused_with_both_texts(house):
    item = an_item(a_conference())
    operations.save_note(item, "Erste", 0, None, at=NOW)
    with pytest.raises(Stale) as error:
        operations.save_note(item, "Zweite", 0, None, at=NOW)
    assert (error.value.mine, error.value.theirs, error.value.version) == ("Zweite", "Erste", 1)


def test_the_same_text_from_an_old_state_is_no_conflict(house):
    item = an_item(a_conference())
    note = operations.save_note(item, "Erste", 0, None, at=NOW)
    assert operations.save_note(item, "Erste", 0, None, at=NOW) is note
