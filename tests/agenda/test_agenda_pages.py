"""The agenda in the browser: adding, changing, moving, warnings, removal."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from conference.accounts.models import Role
from conference.agenda import queries
from conference.agenda.models import AgendaItem, CancelledEntry, ItemKind
from conference.conferences.operations import add_member, add_room
from conference.kit.db import db

from ..bad_input import BAD_LINE_IDS, BAD_LINES, BLANKS, HARMLESS
from ..builders import NOW, a_conference, a_series, an_account, an_item, conference_form, item_form

SLUG = "june-2023"


@pytest.fixture
def june(in_house, organiser):
    with in_house():
        return a_conference(organiser)


@pytest.fixture
def agenda(in_house, june):
    """Welcome 09:30–09:45, talk 09:45–10:15 in the hall, groups 10:30–11:15; their ids by title."""
    with in_house():
        conference = db.session.merge(june)
        hall = add_room(conference, "Saal", 60)
        items = [
            an_item(conference, "Begrüßung", "09:30", 15, room_id=hall.id),
            an_item(
                conference,
                "mein NOW",
                "09:45",
                30,
                kind=ItemKind.TALK,
                room_id=hall.id,
                person="Meike Beispiel",
            ),
            an_item(conference, "Runde 1", "10:30", 45, kind=ItemKind.BREAKOUT),
        ]
        return {item.title: item.id for item in items}


@pytest.fixture
def signed_in(browser, organiser):
    return browser.sign_in(organiser)


def times(in_house, slug=SLUG):
    """["09:30 Begrüßung", …] in the order of the agenda, by UTC + 2."""
    with in_house():
        query = select(AgendaItem).order_by(AgendaItem.starts_at, AgendaItem.id)
        return [f"{queries_local(item)} {item.title}" for item in db.session.scalars(query)]


def queries_local(item):
    from conference.kit.dates import show_clock

    return show_clock(item.starts_at, "Europe/Berlin")


def item_of(in_house, item_id):
    with in_house():
        item = db.session.get(AgendaItem, item_id)
        assert item is None or item.room is None or item.room.name
        return item


# -- looking ----------------------------------------------------------


def test_an_empty_agenda_says_what_comes_next(signed_in, june):
    signed_in.open("agenda.show_agenda", slug=SLUG)
    assert signed_in.sees("Noch keine Tagesordnung")
    assert f"/conferences/{SLUG}/agenda/new" in signed_in.links()


def test_the_timetable_shows_times_kinds_rooms_people_and_gaps(signed_in, agenda):
    signed_in.open("agenda.show_agenda", slug=SLUG)
    for words in (
        "09:30 –09:45",
        "Begrüßung",
        "mein NOW",
        "Vortrag",
        "Saal",
        "Meike Beispiel",
        "45 Minuten",
        "15 Minuten frei",
    ):
        assert signed_in.sees(words), words
    assert signed_in.sees("Nichts überschneidet sich")


def test_moderators_see_the_agenda_without_buttons_that_change_it(browser, in_house, june, agenda):
    with in_house():
        moderator = an_account(Role.MODERATOR)
        add_member(db.session.merge(june).series, moderator)
    browser.sign_in(moderator).open("agenda.show_agenda", slug=SLUG)
    assert browser.sees("mein NOW")
    assert not any("/agenda/new" in link or link.endswith("/times") for link in browser.links())
    assert "/position" not in browser.html
    browser.open("agenda.new_item", status=404, slug=SLUG)
    browser.submit("agenda.move_item", {"direction": "up"}, status=404, slug=SLUG, item_id=agenda["mein NOW"])


def test_leadership_and_strangers_find_no_agenda(browser, new_browser, in_house, june, agenda):
    with in_house():
        leader, stranger = an_account(Role.LEADERSHIP), an_account()
        add_member(db.session.merge(june).series, leader)
    for visitor in (browser.sign_in(leader), new_browser().sign_in(stranger)):
        visitor.open("agenda.show_agenda", status=404, slug=SLUG)
        visitor.open("agenda.edit_item", status=404, slug=SLUG, item_id=agenda["mein NOW"])


@pytest.mark.parametrize("count", [1, 3, 30])
def test_the_timetable_runs_a_constant_number_of_queries(signed_in, in_house, june, count_queries, count):
    with in_house():
        conference = db.session.merge(june)
        room = add_room(conference, "Saal", 60)
        for number in range(count):
            an_item(
                conference,
                f"Punkt {number}",
                f"{8 + number // 3:02d}:{number % 3 * 20:02d}",
                20,
                room_id=room.id,
            )
    with count_queries() as seen:
        signed_in.open("agenda.show_agenda", slug=SLUG)
    assert len([s for s in seen if s.startswith("SELECT")]) == 7


# -- adding and changing ----------------------------------------------


def test_an_organiser_adds_an_item(signed_in, in_house, june):
    signed_in.submit("agenda.new_item", item_form(person="Meike Beispiel"), slug=SLUG)
    assert signed_in.sees("„mein NOW“ wurde hinzugefügt.")
    with in_house():
        [item] = db.session.scalars(select(AgendaItem))
        assert (
            item.kind,
            item.starts_at,
            item.duration.total_seconds(),
            item.person,
            item.sequence,
            item.version,
        ) == (
            ItemKind.TALK,
            datetime(2023, 6, 6, 7, 45, tzinfo=UTC),
            1800,
            "Meike Beispiel",
            0,
            1,
        )


def test_the_form_begins_where_the_last_item_ends(signed_in, agenda):
    signed_in.open("agenda.new_item", slug=SLUG)
    assert (signed_in.value_of("clock"), signed_in.value_of("duration")) == ("11:15", "30")


def test_an_item_sent_twice_is_there_once(signed_in, in_house, june):
    signed_in.submit("agenda.new_item", item_form(), slug=SLUG)
    signed_in.submit("agenda.new_item", item_form(), status=409, slug=SLUG)
    assert signed_in.sees("steht um diese Zeit schon auf der Tagesordnung")
    assert times(in_house) == ["09:45 mein NOW"]


@pytest.mark.parametrize("field", ["title", "person", "description"])
@pytest.mark.parametrize("bad", BAD_LINES, ids=BAD_LINE_IDS)
def test_bad_text_is_refused_with_the_input_kept(signed_in, in_house, june, field, bad):
    signed_in.submit("agenda.new_item", item_form(**{field: bad}), status=422, slug=SLUG)
    assert signed_in.sees("Es gibt ein Problem")
    assert signed_in.value_of("clock") == "09:45"
    assert times(in_house) == []


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("title", BLANKS[0]), ("title", BLANKS[1]), ("title", BLANKS[2]), ("title", BLANKS[3]), ("title", "x" * 161),
        ("kind", ""), ("kind", "party"), ("clock", ""), ("clock", "25:00"), ("clock", "9 Uhr"), ("clock", "09:60"),
        ("duration", ""), ("duration", "0"), ("duration", "-5"), ("duration", "721"), ("duration", "1e2"), ("duration", "9" * 30),
        ("room", "999"), ("room", "x"), ("room", "-1"),
    ],
)  # fmt: skip
def test_wrong_values_are_refused(signed_in, in_house, june, field, value):
    signed_in.submit("agenda.new_item", item_form(**{field: value}), status=422, slug=SLUG)
    assert times(in_house) == []


def test_an_item_must_end_by_midnight(signed_in, in_house, june):
    signed_in.submit("agenda.new_item", item_form(clock="23:31", duration="30"), status=422, slug=SLUG)
    assert signed_in.sees("bis Mitternacht enden")
    signed_in.submit("agenda.new_item", item_form(clock="23:30", duration="30"), slug=SLUG)
    assert times(in_house) == ["23:30 mein NOW"]


def test_a_time_that_the_clock_change_skips_is_refused_with_words(signed_in, in_house, organiser):
    with in_house():
        from datetime import date

        a_conference(
            series=a_series(organiser), slug="spring", day=date(2023, 3, 26), answer_by=date(2023, 3, 1)
        )
    signed_in.submit("agenda.new_item", item_form(clock="02:30"), status=422, slug="spring")
    assert signed_in.sees("weil die Uhren umgestellt werden") or signed_in.sees("Zeitumstellung")
    assert signed_in.value_of("clock") == "02:30"
    signed_in.submit("agenda.new_item", item_form(clock="03:00"), slug="spring")
    assert times(in_house) == ["03:00 mein NOW"]


@pytest.mark.parametrize("title", HARMLESS)
def test_odd_but_harmless_titles_are_shown_as_they_are(signed_in, june, title):
    signed_in.submit("agenda.new_item", item_form(title=title), slug=SLUG)
    assert signed_in.sees(title)
    signed_in.open("agenda.show_programme", slug=SLUG)
    assert signed_in.sees(title)


def test_an_item_is_changed_and_the_calendar_hears_of_times_only(signed_in, in_house, agenda):
    item_id = agenda["mein NOW"]
    signed_in.open("agenda.edit_item", slug=SLUG, item_id=item_id)
    assert (signed_in.value_of("clock"), signed_in.value_of("duration"), signed_in.value_of("version")) == (
        "09:45",
        "30",
        "1",
    )
    assert signed_in.value_of("kind") == "talk"
    room = signed_in.value_of("room")
    signed_in.submit(
        "agenda.edit_item", item_form(title="Neu", room=room, version="1"), slug=SLUG, item_id=item_id
    )
    item = item_of(in_house, item_id)
    assert (item.title, item.sequence, item.version, item.updated_at > NOW) == ("Neu", 0, 2, True)
    signed_in.submit(
        "agenda.edit_item",
        item_form(title="Neu", room=room, duration="25", version="2"),
        slug=SLUG,
        item_id=item_id,
    )
    assert item_of(in_house, item_id).sequence == 1
    signed_in.submit(
        "agenda.edit_item",
        item_form(title="Neu", room="", duration="25", version="3"),
        slug=SLUG,
        item_id=item_id,
    )
    assert item_of(in_house, item_id).sequence == 2


def test_saving_without_a_change_changes_nothing(signed_in, in_house, agenda):
    item_id = agenda["Runde 1"]
    same = item_form(kind="breakout", title="Runde 1", clock="10:30", duration="45", version="1")
    signed_in.submit("agenda.edit_item", same, slug=SLUG, item_id=item_id)
    item = item_of(in_house, item_id)
    assert (item.version, item.sequence, item.updated_at) == (1, 0, NOW)


def test_what_comes_after_moves_along_when_wished(signed_in, in_house, agenda):
    longer = item_form(duration="40", version="1", follow="y")
    signed_in.submit("agenda.edit_item", longer, slug=SLUG, item_id=agenda["mein NOW"])
    assert times(in_house) == ["09:30 Begrüßung", "09:45 mein NOW", "10:40 Runde 1"]


def test_a_stale_form_comes_back_with_both_texts(signed_in, in_house, agenda):
    item_id = agenda["mein NOW"]
    signed_in.submit("agenda.edit_item", item_form(title="Erste", version="1"), slug=SLUG, item_id=item_id)
    signed_in.submit(
        "agenda.edit_item", item_form(title="Zweite", version="1"), status=409, slug=SLUG, item_id=item_id
    )
    assert signed_in.sees("Erste") and signed_in.sees("Zweite")
    assert (signed_in.value_of("title"), signed_in.value_of("version")) == ("Zweite", "2")
    assert item_of(in_house, item_id).title == "Erste"
    signed_in.submit("agenda.edit_item", item_form(title="Zweite", version="2"), slug=SLUG, item_id=item_id)
    assert item_of(in_house, item_id).title == "Zweite"


@pytest.mark.parametrize("version", ["", "x", "99"])
def test_a_form_without_a_good_version_overwrites_nothing(signed_in, in_house, agenda, version):
    form = item_form(title="Neu", version=version)
    signed_in.submit("agenda.edit_item", form, status=409, slug=SLUG, item_id=agenda["mein NOW"])
    assert item_of(in_house, agenda["mein NOW"]).title == "mein NOW"


def test_an_item_of_another_conference_is_not_found(signed_in, in_house, organiser, agenda):
    with in_house():
        a_conference(series=a_series(organiser, title="Andere Reihe"), slug="other")
    item_id = agenda["mein NOW"]
    for page in ("edit_item", "remove_item", "show_times", "edit_note"):
        signed_in.open(f"agenda.{page}", status=404, slug="other", item_id=item_id)
    for post, data in (
        ("move_item", {"direction": "up", "version": "1"}), ("delay_item", {"minutes": "5", "version": "1"}), ("close_gaps", {}),
        ("remove_item", {}), ("edit_note", {"text": "x", "version": "0"}),
    ):  # fmt: skip
        signed_in.submit(f"agenda.{post}", data, status=404, slug="other", item_id=item_id)
    assert len(times(in_house)) == 3


def test_a_room_of_another_conference_is_no_choice(signed_in, in_house, organiser, june):
    with in_house():
        other = a_conference(series=a_series(organiser, title="Andere Reihe"), slug="other")
        room = add_room(other, "Fremd", 10)
    signed_in.submit("agenda.new_item", item_form(room=str(room.id)), status=422, slug=SLUG)
    assert times(in_house) == []


# -- moving -----------------------------------------------------------


def test_moving_up_says_what_moved_and_the_opposite_button_undoes_it(signed_in, in_house, agenda):
    item_id = agenda["mein NOW"]
    signed_in.submit("agenda.move_item", {"direction": "up", "version": "1"}, slug=SLUG, item_id=item_id)
    assert signed_in.sees("„mein NOW“ kommt jetzt vor „Begrüßung“ und beginnt um 09:30 Uhr.")
    assert times(in_house) == ["09:30 mein NOW", "10:00 Begrüßung", "10:30 Runde 1"]
    signed_in.submit("agenda.move_item", {"direction": "down", "version": "2"}, slug=SLUG, item_id=item_id)
    assert signed_in.sees("„mein NOW“ kommt jetzt nach „Begrüßung“ und beginnt um 09:45 Uhr.")
    assert times(in_house) == ["09:30 Begrüßung", "09:45 mein NOW", "10:30 Runde 1"]


def test_after_a_move_the_same_button_has_the_focus_again(signed_in, agenda):
    signed_in.submit(
        "agenda.move_item", {"direction": "up", "version": "1"}, slug=SLUG, item_id=agenda["Runde 1"]
    )
    [button] = [node for node in signed_in.page.iter() if node.get("autofocus") is not None]
    assert "Nach oben: Runde 1" in "".join(button.itertext())


def test_at_the_top_the_focus_goes_to_the_button_that_still_works(signed_in, agenda):
    signed_in.submit(
        "agenda.move_item", {"direction": "up", "version": "1"}, slug=SLUG, item_id=agenda["mein NOW"]
    )
    [button] = [node for node in signed_in.page.iter() if node.get("autofocus") is not None]
    assert "Nach unten: mein NOW" in "".join(button.itertext())


def test_a_move_sent_twice_moves_once(signed_in, in_house, agenda):
    item_id = agenda["Runde 1"]
    signed_in.submit("agenda.move_item", {"direction": "up", "version": "1"}, slug=SLUG, item_id=item_id)
    signed_in.submit(
        "agenda.move_item", {"direction": "up", "version": "1"}, status=409, slug=SLUG, item_id=item_id
    )
    assert signed_in.sees("wurde inzwischen verschoben oder geändert")
    assert times(in_house) == ["09:30 Begrüßung", "09:45 Runde 1", "10:45 mein NOW"]


def test_the_first_item_cannot_go_further_up(signed_in, in_house, agenda):
    signed_in.submit(
        "agenda.move_item",
        {"direction": "up", "version": "1"},
        status=409,
        slug=SLUG,
        item_id=agenda["Begrüßung"],
    )
    assert times(in_house)[0] == "09:30 Begrüßung"


@pytest.mark.parametrize("direction", ["", "sideways", "UP"])
def test_there_are_two_directions(signed_in, in_house, agenda, direction):
    data = {"direction": direction, "version": "1"}
    signed_in.submit("agenda.move_item", data, status=422, slug=SLUG, item_id=agenda["mein NOW"])
    assert times(in_house)[0] == "09:30 Begrüßung"


def test_five_minutes_later_and_earlier_again(signed_in, in_house, agenda):
    item_id = agenda["Runde 1"]
    signed_in.submit("agenda.delay_item", {"minutes": "5", "version": "1"}, slug=SLUG, item_id=item_id)
    assert signed_in.sees("„Runde 1“ beginnt jetzt um 10:35 Uhr.")
    assert item_of(in_house, item_id).sequence == 1
    signed_in.submit("agenda.delay_item", {"minutes": "-5", "version": "2"}, slug=SLUG, item_id=item_id)
    assert times(in_house)[-1] == "10:30 Runde 1"


@pytest.mark.parametrize("minutes", ["", "five", "721", "9" * 30])
def test_minutes_are_a_number(signed_in, in_house, agenda, minutes):
    data = {"minutes": minutes, "version": "1"}
    signed_in.submit("agenda.delay_item", data, status=422, slug=SLUG, item_id=agenda["Runde 1"])
    assert times(in_house)[-1] == "10:30 Runde 1"


def test_nothing_can_be_moved_out_of_the_day(signed_in, in_house, june):
    with in_house():
        late = an_item(db.session.merge(june), "Nachtmusik", "23:00", 60)
    signed_in.submit(
        "agenda.delay_item", {"minutes": "5", "version": "1"}, status=409, slug=SLUG, item_id=late.id
    )
    assert signed_in.sees("nicht mehr am Tag der Konferenz")
    assert times(in_house) == ["23:00 Nachtmusik"]


def test_everything_from_an_item_on_moves_together(signed_in, in_house, agenda):
    signed_in.open("agenda.show_times", slug=SLUG, item_id=agenda["mein NOW"])
    assert signed_in.value_of("minutes") == "5"
    signed_in.submit(
        "agenda.show_times", {"minutes": "10", "version": "1"}, slug=SLUG, item_id=agenda["mein NOW"]
    )
    assert times(in_house) == ["09:30 Begrüßung", "09:55 mein NOW", "10:40 Runde 1"]


def test_closing_gaps_shows_the_new_times_first(signed_in, in_house, agenda):
    signed_in.open("agenda.show_times", slug=SLUG, item_id=agenda["Begrüßung"])
    assert signed_in.sees("Runde 1 10:30 10:15")
    signed_in.submit("agenda.close_gaps", slug=SLUG, item_id=agenda["Begrüßung"])
    assert signed_in.sees("1 Punkt hat eine neue Zeit.")
    assert times(in_house) == ["09:30 Begrüßung", "09:45 mein NOW", "10:15 Runde 1"]
    signed_in.submit("agenda.close_gaps", slug=SLUG, item_id=agenda["Begrüßung"])
    assert signed_in.sees("0 Punkte haben neue Zeiten.")
    signed_in.open("agenda.show_times", slug=SLUG, item_id=agenda["Begrüßung"])
    assert signed_in.sees("Nach diesem Punkt gibt es keine Lücken.")


def test_a_conference_on_another_day_takes_its_agenda_along_at_a_button(signed_in, in_house, agenda):
    moved = conference_form(version="1", day="2023-12-05")
    signed_in.submit("conferences.edit_conference", moved, slug=SLUG)
    signed_in.open("agenda.show_agenda", slug=SLUG)
    assert signed_in.sees("ihre Tagesordnung nicht")
    signed_in.submit("agenda.move_to_day", slug=SLUG)
    assert not signed_in.sees("ihre Tagesordnung nicht")
    assert times(in_house) == ["09:30 Begrüßung", "09:45 mein NOW", "10:30 Runde 1"]
    assert item_of(in_house, agenda["Begrüßung"]).starts_at == datetime(2023, 12, 5, 8, 30, tzinfo=UTC)


# -- warnings ---------------------------------------------------------


def test_warnings_are_shown_at_their_item_and_stop_nobody(signed_in, in_house, june, agenda):
    with in_house():
        room = queries.item_of(db.session.merge(june), agenda["mein NOW"]).room_id
    clash = item_form(title="Dazwischen", clock="10:00", room=str(room), person="Meike Beispiel, Tim Test")
    signed_in.submit("agenda.new_item", clash, slug=SLUG)
    assert signed_in.sees("Der Raum ist um diese Zeit durch „mein NOW“ belegt.")
    assert signed_in.sees("Dieselbe Person ist um diese Zeit auch bei „mein NOW“ eingetragen.")


def test_a_hall_that_is_too_small_is_told_with_numbers(signed_in, in_house, june):
    with in_house():
        conference = db.session.merge(june)
        an_item(conference, room_id=add_room(conference, "Kammer", 12).id)
    signed_in.open("agenda.show_agenda", slug=SLUG)
    assert signed_in.sees("Der Raum hat 12 Plätze, erwartet werden 60 Personen.")


def test_as_long_as_people_can_still_accept_the_hall_must_hold_them_too(house):
    from conference.registrations import operations as registrations

    from ..builders import an_answer, an_invitation

    conference = a_conference()
    an_item(conference, room_id=add_room(conference, "Kammer", 2).id)
    guests = [an_invitation(conference) for _ in range(4)]
    registrations.accept(guests[0], an_answer(), at=NOW)
    [warning] = queries.warnings_of(conference)
    assert (warning.code, warning.seats, warning.people) == ("room_too_small", 2, 4)
    for guest in guests[1:3]:
        registrations.decline(guest, "", at=NOW)
    assert queries.warnings_of(conference) == []


def test_what_ends_after_the_conference_is_told(signed_in, june):
    signed_in.submit("agenda.new_item", item_form(clock="14:50"), slug=SLUG)
    assert signed_in.sees("Endet nach der Konferenz.")


# -- removal ----------------------------------------------------------


def test_removal_asks_first_and_tells_the_calendars(signed_in, in_house, agenda):
    item_id = agenda["mein NOW"]
    signed_in.open("agenda.remove_item", slug=SLUG, item_id=item_id)
    assert signed_in.sees("„mein NOW“ (09:45 Uhr) wird von der Tagesordnung genommen.")
    signed_in.submit("agenda.remove_item", slug=SLUG, item_id=item_id)
    assert signed_in.sees("„mein NOW“ wurde entfernt.")
    signed_in.submit("agenda.remove_item", status=404, slug=SLUG, item_id=item_id)
    with in_house():
        [entry] = db.session.scalars(select(CancelledEntry))
        assert (entry.title, entry.sequence) == ("mein NOW", 1)
    assert times(in_house) == ["09:30 Begrüßung", "10:30 Runde 1"]


def test_removal_says_that_the_note_goes_too(signed_in, agenda):
    item_id = agenda["mein NOW"]
    signed_in.submit(
        "agenda.edit_note", {"text": "Viele Fragen.", "version": "0"}, slug=SLUG, item_id=item_id
    )
    signed_in.open("agenda.remove_item", slug=SLUG, item_id=item_id)
    assert signed_in.sees("Auch die Mitschrift mit allen früheren Ständen wird gelöscht.")
    signed_in.submit("agenda.remove_item", slug=SLUG, item_id=item_id)
    assert not signed_in.sees("mein NOW Vortrag")


def test_an_item_from_which_a_decision_came_stays(signed_in, in_house, june, agenda):
    from conference.actions import operations as actions

    item_id = agenda["mein NOW"]
    with in_house():
        actions.decide(
            db.session.merge(june), "Wir machen das.", "", actions.Source("agenda", item_id), at=NOW
        )
    signed_in.submit("agenda.remove_item", status=409, slug=SLUG, item_id=item_id)
    assert signed_in.sees("damit ihre Herkunft erkennbar ist")
    with in_house():
        assert db.session.scalars(select(CancelledEntry)).all() == []
    assert len(times(in_house)) == 3


def test_a_round_outlives_its_agenda_item(signed_in, in_house, june, agenda):
    from conference.groups import operations as groups
    from conference.groups.models import Round

    with in_house():
        groups.prepare_rounds(db.session.merge(june))
    signed_in.submit("agenda.remove_item", slug=SLUG, item_id=agenda["Runde 1"])
    with in_house():
        [round_] = db.session.scalars(select(Round))
        assert round_.agenda_item_id is None
