"""Programs of other people read our files: the same moments, the same words, and no way to smuggle anything in."""

import io
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import ics
import pytest
from dateutil.tz import tzical
from hypothesis import given
from hypothesis import strategies as st
from ical.calendar_stream import IcsCalendarStream
from icalendar import Calendar

from conference.core.calendar import CENTRAL_EUROPEAN, VTIMEZONE, Attendee, Mailbox, feed, invitation, single
from tests.core import itip
from tests.core.test_calendar import GUEST, JUNE, OFFICE, STAMP

DAYS = [date(2023, 6, 6), date(2023, 8, 22), date(2023, 12, 5)]
# Across the hour that is left out in spring, into the one that comes again in autumn, and out of it.
NIGHTS = [datetime(2027, 3, 28, 0, 30), datetime(2027, 10, 31, 0, 30), datetime(2027, 10, 31, 1, 30)]
ATTACKS = [
    "Konferenz\r\nATTENDEE:mailto:x@evil.test",
    "Konferenz\rMETHOD:PUBLISH",
    "Konferenz\nEND:VEVENT\nBEGIN:VALARM",
    "Konferenz\u2028ATTENDEE:mailto:x@evil.test",
    "\x00\x01\x08\x0b\x0c\x1b\x7f\x85\x9fKonferenz",
    "Bildung, Beruf; Beratung: alles",
    "C:\\neu\\text \\n \\, \\;",
    "\\",
    "👩‍👩‍👧‍👦 🏴󠁧󠁢󠁥󠁮󠁧󠁿 Ä" * 9,
    "ä" * 10_000,
    "x" * 10_000,
    'Anja "die Chefin" d’Angelo',
    "lone \ud800 surrogate",
    "=?utf-8?q?a=0ABcc:_x@evil.test?=",
]
NAMES = [
    "d’Angelo, Ö.",
    "O'Brien",
    'Eva "Evi" Müller; ROLE=CHAIR:mailto:x@evil.test',
    "^'^n^^",
    "Yılmaz\r\nATTENDEE:mailto:x@evil.test",
    "Back\\slash\\",
    "",
    "\x00\x1b",
    "🎓 " * 40,
]


def at_half_past_nine(day):
    starts_at = datetime.combine(day, time(9, 30), ZoneInfo("Europe/Berlin")).astimezone(UTC)
    return replace(JUNE, starts_at=starts_at, ends_at=starts_at + timedelta(hours=5, minutes=30))


def written(entry, attendee=GUEST, organiser=OFFICE):
    return invitation(entry, method="REQUEST", organiser=organiser, attendee=attendee, stamp=STAMP)


def meant(text):
    """The text as it should arrive: the words, without what no calendar may hold."""
    kept = text.replace("\r\n", "\n").replace("\r", "\n").replace("\u2028", "\n")
    return "".join(
        sign for sign in kept if sign == "\n" or not (ord(sign) < 32 or 127 <= ord(sign) < 160)
    ).replace("\ud800", "")


def in_a_night(moment):
    starts_at = moment.replace(tzinfo=UTC)
    return replace(JUNE, starts_at=starts_at, ends_at=starts_at + timedelta(hours=1))


def in_utc(*moments):
    """Python never takes the hour that comes twice for equal to a moment of another zone."""
    return tuple(moment.astimezone(UTC) for moment in moments)


@pytest.mark.parametrize("entry", [*map(at_half_past_nine, DAYS), *map(in_a_night, NIGHTS)])
@pytest.mark.parametrize("make", [written, single, lambda entry: feed("Tagesordnung", [entry])])
def test_three_readers_agree_on_the_moments(make, entry):
    raw = make(entry)
    span = (entry.starts_at, entry.ends_at)
    [by_ical] = IcsCalendarStream.calendar_from_ics(raw.decode()).events
    [by_ics] = ics.Calendar(raw.decode()).events
    [by_icalendar] = Calendar.from_ical(raw).events
    assert in_utc(by_ical.dtstart, by_ical.dtend) == span
    assert in_utc(by_ics.begin.datetime, by_ics.end.datetime) == span
    assert in_utc(by_icalendar.start, by_icalendar.end) == span


@pytest.mark.parametrize("zone", sorted(CENTRAL_EUROPEAN))
def test_the_block_tells_the_time_of_every_zone_that_it_stands_for(zone):
    by_block = tzical(io.StringIO(VTIMEZONE.format(zone=zone))).get(zone)
    moment = datetime(1997, 1, 1, tzinfo=UTC)
    while moment < datetime(2040, 1, 1, tzinfo=UTC):
        wall = moment.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
        assert wall.replace(tzinfo=by_block).utcoffset() == wall.replace(tzinfo=ZoneInfo(zone)).utcoffset(), (
            wall
        )
        moment += timedelta(days=5, hours=7)


@pytest.mark.parametrize("year", range(1997, 2040))
def test_the_block_changes_the_clocks_in_the_same_night(year):
    by_block = tzical(io.StringIO(VTIMEZONE.format(zone="Europe/Berlin"))).get("Europe/Berlin")
    for month in (3, 10):
        for day in range(20, 32):
            wall = datetime(year, month, day, 12)
            assert by_block.utcoffset(wall) == wall.replace(tzinfo=ZoneInfo("Europe/Berlin")).utcoffset()


@pytest.mark.parametrize("day", DAYS)
def test_the_block_in_the_file_gives_the_same_moment_as_the_zone_itself(day):
    raw = written(at_half_past_nine(day)).decode()
    zone = tzical(io.StringIO(raw)).get("Europe/Berlin")
    assert datetime.combine(day, time(9, 30), zone).astimezone(UTC) == at_half_past_nine(day).starts_at


def test_whole_days_are_read_as_such():
    raw = single(replace(JUNE, starts_at=date(2023, 6, 6), ends_at=date(2023, 6, 7))).decode()
    [by_ical] = IcsCalendarStream.calendar_from_ics(raw).events
    [by_ics] = ics.Calendar(raw).events
    assert (by_ical.dtstart, by_ical.dtend) == (date(2023, 6, 6), date(2023, 6, 8))
    assert (by_ics.all_day, by_ics.duration) == (True, timedelta(days=2))


@pytest.mark.parametrize("text", ATTACKS)
def test_hostile_text_arrives_as_text_and_as_nothing_else(text):
    raw = written(replace(JUNE, title=text, location=text, description=text))
    plain = written(JUNE)
    assert itip.problems(raw) == []
    [event], [usual] = itip.read(raw).all("VEVENT"), itip.read(plain).all("VEVENT")
    assert event.names() == usual.names()
    assert itip.unescaped(event.value("DESCRIPTION")) == meant(text)
    assert itip.unescaped(event.value("SUMMARY")) == " ".join(meant(text).split())
    [by_ical] = IcsCalendarStream.calendar_from_ics(raw.decode()).events
    assert by_ical.description == meant(text)


@pytest.mark.parametrize("text", [text for text in ATTACKS if "\\" not in text])
def test_a_second_reader_sees_the_same_words(
    text,
):  # but for backslashes: ics 0.7 reads an escaped one as an escape
    [by_ics] = ics.Calendar(written(replace(JUNE, description=text)).decode()).events
    assert by_ics.description == meant(text)


@pytest.mark.parametrize("text", ATTACKS)
def test_a_hostile_name_of_a_feed_stays_a_name(text):
    raw = feed(text, [JUNE])
    assert itip.problems(raw) == []
    assert itip.read(raw).names() == itip.read(feed("Tagesordnung", [JUNE])).names()
    assert itip.unescaped(itip.read(raw).value("NAME")) == " ".join(meant(text).split())


@pytest.mark.parametrize("name", NAMES)
def test_hostile_names_change_nothing_but_the_name(name):
    raw = written(
        JUNE, attendee=Attendee(name, "gast@bt.example"), organiser=Mailbox(name, "konferenz@agentur.example")
    )
    assert itip.problems(raw) == []
    [event] = itip.read(raw).all("VEVENT")
    assert event.value("ATTENDEE") == "mailto:gast@bt.example"
    assert event.value("ORGANIZER") == "mailto:konferenz@agentur.example"
    assert event.line("ATTENDEE").params["ROLE"] == "REQ-PARTICIPANT"
    [by_icalendar] = Calendar.from_ical(raw).events
    assert by_icalendar["ATTENDEE"].params["CN"] == event.line("ATTENDEE").params["CN"]


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("d’Angelo, Ö.", "d’Angelo, Ö."),
        ("O'Brien", "O'Brien"),
        ('Eva "Evi" Müller; Chefin', "Eva Evi Müller Chefin"),
        ("", "gast@bt.example"),
    ],
)
def test_a_name_keeps_what_every_reader_understands(name, shown):
    [event] = itip.read(written(JUNE, attendee=Attendee(name, "gast@bt.example"))).all("VEVENT")
    assert event.line("ATTENDEE").params["CN"] == shown


@pytest.mark.parametrize(
    ("address", "uri"),
    [
        ("o'brien+konferenz@bt.example", "mailto:o'brien+konferenz@bt.example"),
        ("a?cc=x@evil.test", "mailto:a%3Fcc=x@evil.test"),
        ("a\r\nX: b@bt.example", "mailto:aX:b@bt.example"),
    ],
)
def test_an_address_cannot_become_more_than_an_address(address, uri):
    raw = written(JUNE, attendee=Attendee("Gast", address))
    assert itip.problems(raw) == []
    [event] = itip.read(raw).all("VEVENT")
    assert event.value("ATTENDEE") == uri


def test_a_link_with_line_breaks_stays_one_link():
    [event] = itip.read(single(replace(JUNE, url="https://x.example/a\r\nATTENDEE:b"))).all("VEVENT")
    assert event.value("URL") == "https://x.example/aATTENDEE:b"


@given(text=st.text(max_size=300), name=st.text(max_size=80))
def test_no_text_at_all_breaks_a_file(text, name):
    raw = written(
        replace(JUNE, title=text, location=text, description=text, url=text),
        attendee=Attendee(name, "gast@bt.example"),
    )
    assert itip.problems(raw) == []
    assert len(Calendar.from_ical(raw).events) == 1
