"""Calendar files, rule by rule: what calendars punish is asserted on the bytes."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from conference.core.calendar import Attendee, BrokenRule, Entry, Mailbox, feed, invitation, single
from conference.core.walltime import UnknownZone
from tests.core import itip

STAMP = datetime(2023, 4, 18, 8, 15, 30, tzinfo=UTC)
CHANGED = datetime(2023, 4, 17, 12, 0, 0, tzinfo=UTC)
OFFICE = Mailbox("Agentur für Arbeit Herford", "konferenz@agentur.example")
GUEST = Attendee("Dr. Anke Brinkmann", "anke.brinkmann@bw-ravensberg.example")
JUNE = Entry(
    uid="1.9f8e7d6c5b4a@folgetermin.example",
    sequence=0,
    title="Bildungsträgerkonferenz",
    starts_at=datetime(2023, 6, 6, 7, 30, tzinfo=UTC),
    ends_at=datetime(2023, 6, 6, 13, 0, tzinfo=UTC),
    zone="Europe/Berlin",
    location="Großer Saal, Agentur für Arbeit, Hansastraße 33, Herford",
    description="Dienstag, 06.06.2023, 09:30–15:00 Uhr\nAntwort bis 26.05.2023",
    url="https://folgetermin.example/conferences/1",
    status="CONFIRMED",
    updated_at=CHANGED,
)
ZONE = """\
BEGIN:VTIMEZONE
TZID:Europe/Berlin
BEGIN:DAYLIGHT
DTSTART:19700329T020000
RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3
TZNAME:CEST
TZOFFSETFROM:+0100
TZOFFSETTO:+0200
END:DAYLIGHT
BEGIN:STANDARD
DTSTART:19701025T030000
RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10
TZNAME:CET
TZOFFSETFROM:+0200
TZOFFSETTO:+0100
END:STANDARD
END:VTIMEZONE
"""
INVITATION = f"""\
BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//Folgetermin//Folgetermin//DE
CALSCALE:GREGORIAN
METHOD:REQUEST
{ZONE}BEGIN:VEVENT
SUMMARY:Bildungsträgerkonferenz
DTSTART;TZID=Europe/Berlin:20230606T093000
DTEND;TZID=Europe/Berlin:20230606T150000
DTSTAMP:20230418T081530Z
UID:1.9f8e7d6c5b4a@folgetermin.example
SEQUENCE:0
ATTENDEE;CN="Dr. Anke Brinkmann";CUTYPE=INDIVIDUAL;PARTSTAT=NEEDS-ACTION;R
 OLE=REQ-PARTICIPANT;RSVP=TRUE:mailto:anke.brinkmann@bw-ravensberg.example
DESCRIPTION:Dienstag\\, 06.06.2023\\, 09:30–15:00 Uhr\\nAntwort bis 26.05.2
 023
LAST-MODIFIED:20230417T120000Z
LOCATION:Großer Saal\\, Agentur für Arbeit\\, Hansastraße 33\\, Herford
ORGANIZER;CN="Agentur für Arbeit Herford":mailto:konferenz@agentur.exampl
 e
STATUS:CONFIRMED
TRANSP:OPAQUE
URL:https://folgetermin.example/conferences/1
END:VEVENT
END:VCALENDAR
"""
FEED = f"""\
BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//Folgetermin//Folgetermin//DE
CALSCALE:GREGORIAN
NAME:Bildungsträgerkonferenz\\, Herford
X-WR-CALNAME:Bildungsträgerkonferenz\\, Herford
REFRESH-INTERVAL;VALUE=DURATION:PT1H
X-PUBLISHED-TTL:PT1H
{ZONE}BEGIN:VEVENT
SUMMARY:Bildungsträgerkonferenz
DTSTART;TZID=Europe/Berlin:20230606T093000
DTEND;TZID=Europe/Berlin:20230606T150000
DTSTAMP:20230417T120000Z
UID:1.9f8e7d6c5b4a@folgetermin.example
SEQUENCE:0
LAST-MODIFIED:20230417T120000Z
STATUS:CONFIRMED
TRANSP:OPAQUE
END:VEVENT
END:VCALENDAR
"""


def written(entry=JUNE, method="REQUEST", attendee=GUEST, organiser=OFFICE, stamp=STAMP):
    return invitation(entry, method=method, organiser=organiser, attendee=attendee, stamp=stamp)


def event_of(raw):
    [event] = itip.read(raw).all("VEVENT")
    return event


def test_an_invitation_is_exactly_this_file():
    assert written().decode() == INVITATION.replace("\n", "\r\n")


def test_a_feed_is_exactly_this_file():
    bare = replace(JUNE, location="", description="", url="")
    assert feed("Bildungsträgerkonferenz, Herford", [bare]).decode() == FEED.replace("\n", "\r\n")


@pytest.mark.parametrize(
    "raw",
    [
        written(),
        written(replace(JUNE, sequence=3), attendee=replace(GUEST, partstat="ACCEPTED")),
        written(replace(JUNE, sequence=1), method="CANCEL"),
        feed("Tagesordnung", [JUNE, replace(JUNE, uid="2@x.example", status="CANCELLED", sequence=1)]),
        feed("Leer", []),
        single(JUNE),
        single(replace(JUNE, starts_at=date(2023, 6, 6), ends_at=date(2023, 6, 6))),
        single(replace(JUNE, zone="America/New_York")),
    ],
    ids=["invitation", "update", "cancel", "feed", "empty feed", "single", "all day", "other zone"],
)
def test_no_file_breaks_a_rule(raw):
    assert itip.problems(raw) == []


def test_the_checker_itself_sees_what_it_is_for():
    bad = written().replace(b"METHOD:REQUEST\r\n", b"").replace(b"TZID:Europe/Berlin", b"TZID:Europe/Paris")
    assert itip.problems(bad) == [
        "DTSTART has a TZID without VTIMEZONE",
        "DTEND has a TZID without VTIMEZONE",
        "a published entry names people (ORGANIZER)",
        "a published entry names people (ATTENDEE)",
    ]


def test_the_method_comes_before_every_component():
    names = itip.read(written()).names()
    assert names == ["VERSION", "PRODID", "CALSCALE", "METHOD"]


def test_the_guest_keeps_the_answer_that_is_known():
    updated = written(replace(JUNE, sequence=2), attendee=replace(GUEST, partstat="ACCEPTED"))
    assert event_of(updated).line("ATTENDEE").params == {
        "CN": "Dr. Anke Brinkmann",
        "CUTYPE": "INDIVIDUAL",
        "ROLE": "REQ-PARTICIPANT",
        "PARTSTAT": "ACCEPTED",
        "RSVP": "TRUE",
    }


def test_without_a_mailbox_nobody_is_asked_to_reply():
    assert event_of(written(attendee=replace(GUEST, rsvp=False))).line("ATTENDEE").params["RSVP"] == "FALSE"


def test_a_cancellation_takes_the_same_entry_back():
    invited, cancelled = event_of(written()), event_of(written(replace(JUNE, sequence=1), method="CANCEL"))
    assert cancelled.value("UID") == invited.value("UID")
    assert (cancelled.value("SEQUENCE"), cancelled.value("STATUS")) == ("1", "CANCELLED")
    assert cancelled.line("ATTENDEE").params["RSVP"] == "FALSE"


def test_the_stamp_of_a_mail_is_when_it_was_made_and_that_of_a_feed_is_the_last_change():
    assert event_of(written()).value("DTSTAMP") == "20230418T081530Z"
    assert event_of(single(JUNE)).value("DTSTAMP") == "20230417T120000Z"


def test_a_feed_gives_the_same_bytes_whatever_the_order_of_its_entries():
    entries = [replace(JUNE, uid=f"{number}@x.example") for number in range(5)]
    assert feed("Tagesordnung", entries) == feed("Tagesordnung", reversed(entries))


def test_a_cancelled_entry_stays_in_the_feed():
    cancelled = replace(JUNE, sequence=4, status="CANCELLED")
    event = event_of(feed("Tagesordnung", [cancelled]))
    assert (event.value("STATUS"), event.value("SEQUENCE")) == ("CANCELLED", "4")


def test_a_feed_says_how_often_to_look():
    calendar = itip.read(feed("Tagesordnung", [JUNE], refresh=timedelta(minutes=15)))
    assert calendar.line("REFRESH-INTERVAL") == itip.Line("REFRESH-INTERVAL", {"VALUE": "DURATION"}, "PT15M")
    assert calendar.value("X-PUBLISHED-TTL") == "PT15M"


def test_whole_days_end_on_the_day_after_and_block_nobody():
    event = event_of(single(replace(JUNE, starts_at=date(2023, 6, 6), ends_at=date(2023, 6, 7))))
    assert event.line("DTSTART") == itip.Line("DTSTART", {"VALUE": "DATE"}, "20230606")
    assert event.line("DTEND") == itip.Line("DTEND", {"VALUE": "DATE"}, "20230608")
    assert event.value("TRANSP") == "TRANSPARENT"


def test_whole_days_need_no_time_zone():
    assert (
        itip.read(single(replace(JUNE, starts_at=date(2023, 6, 6), ends_at=date(2023, 6, 6)))).all(
            "VTIMEZONE"
        )
        == []
    )


def test_an_entry_without_length_has_no_end():
    assert "DTEND" not in event_of(single(replace(JUNE, ends_at=JUNE.starts_at))).names()


def test_a_zone_with_other_rules_is_written_in_utc():
    calendar = itip.read(single(replace(JUNE, zone="America/New_York")))
    assert calendar.all("VTIMEZONE") == []
    assert calendar.blocks[0].line("DTSTART") == itip.Line("DTSTART", {}, "20230606T073000Z")


def test_the_hour_that_comes_again_in_autumn_is_told_in_utc():
    night = replace(
        JUNE,
        starts_at=datetime(2023, 10, 29, 0, 30, tzinfo=UTC),  # the first 02:30
        ends_at=datetime(2023, 10, 29, 1, 30, tzinfo=UTC),  # the second
    )
    event = event_of(single(night))
    assert event.line("DTSTART") == itip.Line("DTSTART", {"TZID": "Europe/Berlin"}, "20231029T023000")
    assert event.line("DTEND") == itip.Line("DTEND", {}, "20231029T013000Z")


def test_a_feed_holds_each_zone_once():
    entries = [
        replace(JUNE, uid=f"{zone}@x.example", zone=zone) for zone in ("Europe/Berlin", "Europe/Vienna")
    ]
    entries.append(replace(JUNE, uid="again@x.example"))
    zones = itip.read(feed("Tagesordnung", entries)).all("VTIMEZONE")
    assert [zone.value("TZID") for zone in zones] == ["Europe/Berlin", "Europe/Vienna"]


@pytest.mark.parametrize(
    ("code", "make"),
    [
        ("cancelled_request", lambda: written(replace(JUNE, status="CANCELLED", sequence=1))),
        ("cancel_without_sequence", lambda: written(method="CANCEL")),
        ("naive_time", lambda: written(stamp=datetime(2023, 4, 18, 8))),
        ("naive_time", lambda: replace(JUNE, starts_at=datetime(2023, 6, 6, 9, 30))),
        ("naive_time", lambda: replace(JUNE, updated_at=datetime(2023, 6, 6, 9, 30))),
        ("mixed_times", lambda: replace(JUNE, ends_at=date(2023, 6, 6))),
        ("ends_before_start", lambda: replace(JUNE, ends_at=JUNE.starts_at - timedelta(minutes=1))),
        ("same_uid_twice", lambda: feed("Tagesordnung", [JUNE, JUNE])),
    ],
)
def test_what_calendars_would_misread_is_refused(code, make):
    with pytest.raises(BrokenRule) as refusal:
        make()
    assert refusal.value.code == code


def test_a_zone_that_does_not_exist_is_refused():
    with pytest.raises(UnknownZone):
        single(replace(JUNE, zone="Europe/Herford"))
