"""A participant's own tables in their calendar: as published, only the own seat, and quiet until something changes."""

from datetime import UTC, datetime

import ics
import pytest
from ical.calendar_stream import IcsCalendarStream
from icalendar import Calendar

from conference.agenda import operations as agenda
from conference.agenda.queries import breakout_items, feed_of, item_of
from conference.conferences.queries import conference_by_slug, rooms_of
from conference.groups import operations, queries
from conference.groups.personal_calendar import personal_calendar
from conference.invitations import operations as invitations
from conference.invitations.models import LinkPurpose
from conference.invitations.queries import invitation_for
from conference.kit.db import db
from conference.registrations.queries import participants

from ..builders import NOW, a_small_day

LATER = datetime(2023, 5, 3, 8, 0, tzinfo=UTC)


@pytest.fixture
def settings():
    return {"CLOCK_START": LATER}


def read(raw):
    """Title, place, sequence, uid and status by start, as three readers agree on them."""
    events = {
        event.start: (
            str(event["SUMMARY"]),
            str(event.get("LOCATION", "")),
            event["SEQUENCE"],
            str(event["UID"]),
        )
        for event in Calendar.from_ical(raw).events
    }
    assert {event.dtstart for event in IcsCalendarStream.calendar_from_ics(raw.decode()).events} == set(
        events
    )
    assert {event.begin.datetime for event in ics.Calendar(raw.decode()).events} == set(events)
    return [events[start] for start in sorted(events)]


def test_the_own_table_is_in_the_calendar_from_its_publication_until_the_seat_is_gone(house):
    june = a_small_day(people=4, rounds=1, capacity=10)
    me, *others = participants(june)
    public = feed_of(june, at=NOW)

    def mine(person=me):
        return personal_calendar(june, person.id, at=LATER)

    operations.form_groups(june, 2, None, at=NOW, iterations=20)
    assert mine() == public  # nothing unpublished
    operations.publish(june, None, at=NOW)
    seat = queries.seat_of(queries.rounds_of(june)[0].id, me.id)
    [(title, place, sequence, uid)] = read(mine())
    assert title == f"Runde 1: Gruppe {seat.group.name}"
    assert place.startswith(seat.group.room.name) and june.venue in place
    assert sequence == 1 and mine() == mine()
    assert not [person for person in others if person.last_name.encode() in mine()]
    [(_title, _place, _sequence, public_uid)] = read(public)
    assert uid == public_uid and feed_of(june, at=NOW) == public

    other = others[0]
    operations.move_seat(june, seat.round_id, other.id, None, None, at=NOW)
    before = mine()
    operations.publish(june, None, at=LATER)
    assert mine() == before  # somebody else's seat
    assert read(mine(other)) == [("Runde 1", june.place.replace("\n", ", "), 2, uid)]

    room = next(room for room in rooms_of(june) if room.id != seat.group.room_id)
    operations.change_group(june, seat.group, None, room.id, "Was hilft?")
    assert mine() == before  # not published yet
    operations.publish(june, None, at=LATER)
    [(_title, place, sequence, same)] = read(mine())
    assert (place.startswith(room.name), sequence, same) == (True, 2, uid) and b"Was hilft?" in mine()


def test_a_moved_round_moves_the_entry(house):
    june = a_small_day(people=2, rounds=1)
    [me, _other] = participants(june)
    operations.form_groups(june, 1, None, at=NOW, iterations=20)
    operations.publish(june, None, at=NOW)
    [item] = breakout_items(june)
    [(_title, _place, before, uid)] = read(personal_calendar(june, me.id, at=LATER))
    item.starts_at, item.sequence, item.updated_at = item.starts_at.replace(minute=30), 1, LATER
    db.session.flush()
    [(title, _place, after, same)] = read(personal_calendar(june, me.id, at=LATER))
    assert (same, after) == (uid, before + 1) and title.endswith("Gruppe A")
    agenda.remove_item(item_of(june, item.id), at=LATER)
    [event] = Calendar.from_ical(personal_calendar(june, me.id, at=LATER)).events
    assert (event["STATUS"], event["UID"]) == ("CANCELLED", uid)


def test_the_address_is_made_by_a_button_and_is_good_for_looking_only(
    browser, new_browser, in_house, organiser
):
    with in_house():
        june = a_small_day(organiser, people=2, rounds=1)
        operations.form_groups(june, 1, organiser, at=NOW, iterations=20)
        operations.publish(june, organiser, at=NOW)
        me = participants(june)[0]
        link = invitations.personal_link(june, me, LinkPurpose.INVITATION, at=NOW)
    browser.enter(link).open("groups.my_groups")
    assert not [target for target in browser.links() if target.startswith("webcal://")]
    for _press in range(2):
        browser.submit("groups.make_calendar")
    [address] = [target for target in browser.links() if target.startswith("webcal://")]
    path = address.removeprefix("webcal://folgetermin.example")
    calendar = new_browser()  # no cookie
    answer = calendar.open(path)
    assert (
        answer.mimetype == "text/calendar" and b"Gruppe A" in answer.data and path.encode() not in answer.data
    )
    assert calendar.client.get(path, headers={"If-None-Match": answer.headers["ETag"]}).status_code == 304
    assert browser.open("groups.my_calendar").data == answer.data
    token = path.rpartition("/")[2].removesuffix(".ics")
    calendar.open("registrations.answer_invitation", token=token, status=404)
    calendar.open(f"/calendar/{'A' * 43}.ics", status=404)
    calendar.open("groups.my_calendar", status=404)
    with in_house():
        june = conference_by_slug("june-2023")
        invitations.revoke_links(invitation_for(june, me.id), at=LATER)
    calendar.open(path, status=404)
