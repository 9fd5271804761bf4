"""The public programme, as a page and as a calendar."""

from datetime import UTC, datetime, timedelta
from importlib import import_module

import pytest
from icalendar import Calendar
from sqlalchemy import select

from conference.agenda import operations, queries
from conference.agenda.models import AgendaItem, CancelledEntry, ItemKind
from conference.conferences.models import Conference
from conference.conferences.operations import add_room
from conference.kit.db import db

from ..builders import NOW, a_conference, an_account, an_item, item_form
from ..core.itip import read

SLUG = "june-2023"
FEED = f"/programme/{SLUG}.ics"
AFTER = NOW + timedelta(days=1)


@pytest.fixture
def june(in_house):
    with in_house():
        conference = a_conference()
        hall = add_room(conference, "Saal", 60)
        an_item(conference, "Begrüßung", "09:30", 15, room_id=hall.id, person="Ada Beispiel")
        an_item(conference, "Arbeitsgruppen, Runde 1", "11:20", 45, kind=ItemKind.BREAKOUT)
        an_item(conference, "Technikprobe", "08:00", 30, internal=True)
        return conference


@pytest.fixture
def house_june(house):
    conference = a_conference()
    an_item(conference, "Begrüßung", "09:30", 15, person="Ada Beispiel")
    return conference


def fields_of(item, **over):
    return operations._fields_of(item).__class__(**(vars(operations._fields_of(item)) | over))


# -- the page ---------------------------------------------------------


def test_anybody_sees_day_place_question_times_and_kinds(browser, june):
    browser.open("agenda.show_programme", slug=SLUG)
    for words in (
        "Bildungsträgerkonferenz Juni 2023", "Dienstag, 06.06.2023, 09:30–15:00 Uhr", "Musterstraße 1, 32049 Herford",
        "Wie können Arbeitsagentur", "09:30 –09:45", "Begrüßung", "Ada Beispiel", "Saal", "Arbeitsgruppen, Runde 1",
    ):  # fmt: skip
        assert browser.sees(words), words
    assert not browser.sees("Technikprobe")


def test_the_programme_leads_to_the_calendar_by_https_and_webcal(browser, june):
    browser.open("agenda.show_programme", slug=SLUG)
    assert FEED in browser.links()
    assert f"webcal://folgetermin.example{FEED}" in browser.links()


@pytest.mark.parametrize("slug", ["nothing", "june-2024", "x" * 300, "..", "june 2023"])
def test_an_unknown_conference_has_no_programme_and_no_calendar(browser, june, slug):
    browser.open(f"/programme/{slug}", status=404)
    browser.open(f"/programme/{slug}.ics", status=404)


def test_a_conference_without_an_agenda_says_that_it_follows(browser, in_house):
    with in_house():
        a_conference()
    browser.open("agenda.show_programme", slug=SLUG)
    assert browser.sees("Das Programm folgt in Kürze.")


def test_the_page_is_small_sets_no_cookie_and_asks_the_database_twice(browser, in_house, june, count_queries):
    with in_house():
        for number in range(10):
            an_item(
                db.session.merge(june),
                f"Ein Vortrag mit einem ordentlich langen Titel {number}",
                f"{12 + number // 2}:{number % 2 * 30:02d}",
                30,
            )
    with count_queries() as seen:
        answer = browser.open("agenda.show_programme", slug=SLUG)
    assert len([s for s in seen if s.startswith("SELECT")]) == 2
    assert len(answer.data) <= 15_000
    assert "Set-Cookie" not in answer.headers


def test_a_browser_that_has_the_page_gets_304_and_staff_see_the_same_page(
    browser, new_browser, in_house, june
):
    with in_house():
        account = an_account()
    first = browser.open("agenda.show_programme", slug=SLUG)
    again = browser.open(
        "agenda.show_programme", status=304, slug=SLUG, headers={"If-None-Match": first.headers["ETag"]}
    )
    assert again.data == b""
    staff = new_browser().sign_in(account).open("agenda.show_programme", slug=SLUG)
    assert staff.data == first.data
    assert {"Cookie", "Accept-Language"} <= {part.strip() for part in first.headers["Vary"].split(",")}
    assert first.headers["Cache-Control"] == "public, max-age=60"


def test_a_message_for_staff_is_not_used_up_by_the_public_page(browser, in_house, june):
    with in_house():
        admin = an_account(
            email="a@agentur.example", role=import_module("conference.accounts.models").Role.ADMIN
        )
    browser.sign_in(admin)
    browser.client.post(
        f"/conferences/{SLUG}/agenda/new", data=item_form() | {"csrf_token": browser.csrf_token()}
    )
    browser.open("agenda.show_programme", slug=SLUG)
    assert not browser.sees("wurde hinzugefügt")
    browser.open("agenda.show_agenda", slug=SLUG)
    assert browser.sees("„mein NOW“ wurde hinzugefügt.")


def test_the_page_speaks_english_on_wish(browser, june):
    browser.open("agenda.show_programme", slug=SLUG, headers={"Accept-Language": "en"})
    assert browser.sees("In your calendar")
    assert browser.page.get("lang") == "en"


# -- the feed ---------------------------------------------------------


def test_the_feed_is_fetched_as_calendars_like_it(browser, june):
    answer = browser.open(FEED)
    assert answer.headers["Content-Type"] == "text/calendar; charset=utf-8"
    assert answer.headers["Cache-Control"] == "private, max-age=900"
    assert "Set-Cookie" not in answer.headers and "Cookie" not in answer.headers.get("Vary", "")
    etag = answer.headers["ETag"]
    assert etag.startswith('"')
    head = browser.client.head(FEED)
    assert (head.status_code, head.data, head.headers["ETag"]) == (200, b"", etag)
    assert head.headers["Content-Length"] == str(len(answer.data))
    assert browser.open(FEED, status=304, headers={"If-None-Match": etag}).data == b""
    assert browser.open(FEED, headers={"If-None-Match": '"other"'}).data == answer.data


def test_two_readers_read_the_same_times(browser, june):
    raw = browser.open(FEED).data
    ours = {event.value("SUMMARY"): event for event in read(raw).all("VEVENT")}
    theirs = {str(event["SUMMARY"]): event for event in Calendar.from_ical(raw).walk("VEVENT")}
    assert set(ours) == {"Begrüßung", "Arbeitsgruppen\\, Runde 1"}
    assert set(theirs) == {"Begrüßung", "Arbeitsgruppen, Runde 1"}
    welcome = theirs["Begrüßung"]
    assert welcome.start.astimezone(UTC) == datetime(2023, 6, 6, 7, 30, tzinfo=UTC)
    assert welcome.end.astimezone(UTC) == datetime(2023, 6, 6, 7, 45, tzinfo=UTC)
    assert str(welcome["LOCATION"]) == "Saal, Agentur für Arbeit, Musterstraße 1, 32049 Herford"
    assert str(welcome["DESCRIPTION"]) == "Ada Beispiel"
    assert str(welcome["URL"]) == f"https://folgetermin.example/programme/{SLUG}"
    assert str(welcome["STATUS"]) == "CONFIRMED"
    assert ours["Begrüßung"].value("DTSTAMP") == f"{NOW:%Y%m%dT%H%M%SZ}"


def test_the_reader_of_home_assistant_agrees(browser, june):
    ical = pytest.importorskip("ical.calendar_stream")
    [calendar] = ical.CalendarStream.from_ics(browser.open(FEED).data.decode()).calendars
    found = {event.summary: event.dtstart.astimezone(UTC) for event in calendar.events}
    assert found["Begrüßung"] == datetime(2023, 6, 6, 7, 30, tzinfo=UTC)
    assert len(found) == 2


def entries(raw):
    return {
        str(event["SUMMARY"]): (str(event["UID"]), int(event["SEQUENCE"]), str(event["STATUS"]))
        for event in Calendar.from_ical(raw).walk("VEVENT")
    }


def item_called(title):
    return db.session.scalars(select(AgendaItem).where(AgendaItem.title == title)).one()


def test_the_same_programme_gives_the_same_bytes(house_june):
    assert queries.feed_of(house_june) == queries.feed_of(house_june, at=AFTER)


def test_uids_stay_and_sequences_grow_with_time_duration_and_room_only(house, house_june):
    [(uid, sequence, _status)] = entries(queries.feed_of(house_june)).values()
    assert sequence == 0
    item = item_called("Begrüßung")
    operations.change_item(
        item, fields_of(item, title="Willkommen", person="", description="Neu"), item.version, at=AFTER
    )
    assert entries(queries.feed_of(house_june)) == {"Willkommen": (uid, 0, "CONFIRMED")}
    operations.change_item(item, fields_of(item, duration=timedelta(minutes=20)), item.version, at=AFTER)
    operations.delay_item(item, timedelta(minutes=5), at=AFTER)
    room = add_room(house_june, "Saal", 60)
    operations.change_item(item, fields_of(item, room_id=room.id), item.version, at=AFTER)
    assert entries(queries.feed_of(house_june)) == {"Willkommen": (uid, 3, "CONFIRMED")}


def test_a_removed_item_stays_cancelled_for_thirty_days(house, house_june):
    [(uid, _sequence, _status)] = entries(queries.feed_of(house_june)).values()
    operations.remove_item(item_called("Begrüßung"), at=AFTER)
    assert entries(queries.feed_of(house_june, at=AFTER + timedelta(days=29))) == {
        "Begrüßung": (uid, 1, "CANCELLED")
    }
    assert entries(queries.feed_of(house_june, at=AFTER + timedelta(days=30))) == {}


def test_what_becomes_internal_is_cancelled_and_what_returns_is_confirmed_under_the_same_uid(
    house, house_june
):
    [(uid, _sequence, _status)] = entries(queries.feed_of(house_june)).values()
    item = item_called("Begrüßung")
    operations.change_item(item, fields_of(item, internal=True), item.version, at=AFTER)
    assert entries(queries.feed_of(house_june, at=AFTER)) == {"Begrüßung": (uid, 1, "CANCELLED")}
    operations.change_item(item, fields_of(item, internal=False), item.version, at=AFTER)
    assert entries(queries.feed_of(house_june, at=AFTER)) == {"Begrüßung": (uid, 2, "CONFIRMED")}


def test_an_internal_item_comes_and_goes_without_any_calendar_hearing_of_it(house, house_june):
    item = an_item(house_june, "Technikprobe", "08:00", internal=True)
    before = queries.feed_of(house_june)
    operations.remove_item(item, at=AFTER)
    assert queries.feed_of(house_june, at=AFTER) == before
    assert db.session.scalars(select(CancelledEntry)).all() == []


def test_old_cancellations_are_cleared_away(house, house_june):
    operations.remove_item(item_called("Begrüßung"), at=AFTER)
    operations.remove_item(an_item(house_june, "Später", "10:00"), at=AFTER + timedelta(days=31))
    assert [entry.title for entry in db.session.scalars(select(CancelledEntry))] == ["Später"]


def test_the_command_writes_the_same_programme(app, browser, june, tmp_path):
    out = tmp_path / "programme.ics"
    result = app.test_cli_runner().invoke(args=["calendar", SLUG, str(out)])
    assert result.exit_code == 0, result.output
    assert out.read_bytes() == browser.open(FEED).data


def test_a_calendar_without_items_is_a_calendar_all_the_same(house):
    raw = queries.feed_of(a_conference())
    assert entries(raw) == {}
    assert read(raw).value("NAME") == "Bildungsträgerkonferenz Juni 2023"
    assert db.session.scalars(select(Conference)).one().slug == SLUG
