"""Publishing: numbered versions, what differs, who is told."""

from datetime import UTC, datetime

import pytest

from conference.conferences import operations as conferences
from conference.conferences.models import Conference
from conference.groups import operations, queries
from conference.groups.models import GroupsRelease
from conference.kit.db import db
from conference.outbox.models import Mail
from conference.registrations import operations as registrations
from conference.registrations.models import Presence

from ..builders import NOW, a_participant, a_small_day, an_account


@pytest.fixture
def settings():
    return {"CLOCK_START": datetime(2023, 6, 1, 9, 30, tzinfo=UTC)}


@pytest.fixture
def day(in_house, organiser):
    """Six people at two tables, formed."""
    with in_house():
        conference = a_small_day(organiser, people=6)
        operations.form_groups(conference, 2, organiser, at=NOW, iterations=50)
        return conference


@pytest.fixture
def staff(browser, organiser, day):
    return browser.sign_in(organiser)


@pytest.fixture
def letters(in_house):
    """Subject and text by address of the letters about groups, in the order in which they were written."""

    def look():
        with in_house():
            mails = db.session.query(Mail).filter(Mail.kind == "groups").order_by(Mail.id)
            return [(mail.recipient_address, mail.subject, mail.text) for mail in mails]

    return look


@pytest.fixture
def plan(in_house, day):
    def look():
        with in_house():
            return queries.plan_of(db.session.get(Conference, day.id))[0]

    return look


def publish(staff, version, tell=True, status=303):
    data = {"version": version} | ({"tell": "y"} if tell else {})
    return staff.submit("groups.publish_groups", data, slug="june-2023", status=status)


def move(in_house, day, contact_id, name):
    with in_house():
        plan = queries.plan_of(db.session.get(Conference, day.id))[0]
        group = next(g.group for g in plan.groups if g.group.name == name)
        operations.move_seat(day, plan.round.id, contact_id, group.id, None, at=NOW)


def test_the_first_version_is_told_to_everybody_with_a_seat(staff, letters, plan):
    staff.open("groups.publish_groups", slug="june-2023")
    assert staff.sees("An 6 Personen schreiben")
    assert staff.value_of("version") == "0"
    publish(staff, 0)
    assert staff.sees("Fassung 1 der Arbeitsgruppen. 6 Nachrichten gehen hinaus.")
    assert len(letters()) == 6
    address, subject, text = letters()[0]
    assert subject == "Ihre Arbeitsgruppen: Bildungsträgerkonferenz Juni 2023"
    table = next(g.group.name for g in plan().groups if address in {s.contact.email for s in g.seats})
    assert f"- Runde 1, 10:00–10:45 Uhr: Gruppe {table}" in text


def test_only_those_whose_table_changed_are_told_again_and_the_page_says_who(
    staff, in_house, day, letters, plan
):
    publish(staff, 0)
    seat = plan().groups[0].seats[0]
    move(in_house, day, seat.contact_id, "B")
    staff.open("groups.publish_groups", slug="june-2023")
    assert staff.sees("An 1 Person schreiben")
    assert staff.sees(f"{seat.contact.name} 1 Gruppe A Gruppe B")
    publish(staff, 1)
    fresh = letters()[6:]
    assert [address for address, _subject, _text in fresh] == [seat.contact.email]
    assert fresh[0][1].startswith("Geändert: Ihre Arbeitsgruppen")
    assert "Gruppe B" in fresh[0][2]


def test_another_room_is_a_change_for_the_table_another_topic_is_none(staff, in_house, day, letters, plan):
    publish(staff, 0)
    with in_house():
        conference = db.session.get(Conference, day.id)
        room, topic = conferences.add_room(conference, "Saal", 40), conferences.add_topic(conference, "Neues")
        one, other = (g.group for g in queries.plan_of(conference)[0].groups)
        operations.change_group(conference, one, None, room.id, "")
        operations.change_group(conference, other, topic.id, None, "")
    publish(staff, 1)
    told = {address for address, _subject, _text in letters()[6:]}
    assert told == {seat.contact.email for seat in plan().groups[0].seats}


def test_who_is_not_to_be_told_hears_nothing(staff, letters):
    publish(staff, 0, tell=False)
    assert letters() == []


def test_who_is_not_there_any_more_gets_no_letter(staff, in_house, day, letters, plan):
    gone = plan().groups[0].seats[0].contact
    with in_house():
        registrations.record_attendance(db.session.get(Conference, day.id), gone.id, Presence.EXCUSED, at=NOW)
    publish(staff, 0)
    assert gone.email not in {address for address, _subject, _text in letters()}
    assert len(letters()) == 5


def test_who_lost_the_seat_is_told_whom_to_ask(staff, in_house, day, letters, plan):
    publish(staff, 0)
    before = plan()
    with in_house():
        operations.move_seat(day, before.round.id, before.groups[0].seats[0].contact_id, None, None, at=NOW)
    publish(staff, 1)
    assert "zurzeit haben Sie keine Gruppe" in letters()[-1][2]


def test_of_two_organisers_the_second_is_told_that_somebody_was_faster(
    staff, new_browser, in_house, day, plan, letters
):
    with in_house():
        series = db.session.get(Conference, day.id).series
        other = an_account()
        conferences.add_member(series, other)
    second = new_browser().sign_in(other)
    publish(staff, 0)
    publish(second, 0, status=409)
    assert second.sees("Jemand anderes hat das inzwischen geändert")
    assert len(letters()) == 6
    with in_house():
        assert db.session.query(GroupsRelease).count() == 1
    move(in_house, day, plan().groups[0].seats[0].contact_id, "B")
    publish(second, 0, status=409)
    publish(second, 1)
    with in_house():
        assert [release.number for release in queries.releases_of(day)] == [2, 1]


def test_the_same_press_twice_makes_one_version_and_one_letter_each(staff, letters, in_house):
    publish(staff, 0)
    publish(staff, 0)
    assert len(letters()) == 6
    with in_house():
        assert db.session.query(GroupsRelease).count() == 1


@pytest.mark.parametrize("version", ["", "x", "-1", "7", "9" * 30])
def test_a_version_that_nobody_saw_publishes_nothing(staff, in_house, version):
    publish(staff, version, status=409)
    with in_house():
        assert db.session.query(GroupsRelease).count() == 0


def test_without_a_seat_there_is_nothing_to_publish(browser, in_house, organiser):
    with in_house():
        a_small_day(organiser)
    staff = browser.sign_in(organiser)
    staff.open("groups.publish_groups", slug="june-2023")
    assert staff.sees("Noch hat niemand einen Platz")
    publish(staff, 0, status=409)


def test_when_nothing_has_changed_the_page_says_so(staff):
    publish(staff, 0)
    staff.open("groups.publish_groups", slug="june-2023")
    assert staff.sees("Veröffentlicht ist, was gilt")


def test_people_without_an_address_are_left_out(staff, in_house, day, letters):
    with in_house():
        conference = db.session.get(Conference, day.id)
        late = registrations.add_walk_in(conference, "Helga", "Nordmann", "Nachbarkreis", "", at=NOW)
        late_id = late.id
    move(in_house, day, late_id, "A")
    publish(staff, 0)
    assert len(letters()) == 6


def test_the_button_in_the_letter_is_the_personal_link(staff, in_house, letters):
    publish(staff, 0)
    with in_house():
        mail = db.session.query(Mail).filter(Mail.kind == "groups").first()
        assert "/invitation/" in mail.button_url
        assert mail.button_label == "Meine Arbeitsgruppen ansehen"


def test_a_moderator_or_stranger_cannot_publish(new_browser, in_house, day):
    with in_house():
        stranger = an_account()
    browser = new_browser().sign_in(stranger)
    browser.open("groups.publish_groups", slug="june-2023", status=404)
    browser.submit("groups.publish_groups", {"version": 0}, slug="june-2023", status=404)


def test_the_personal_page_shows_table_room_and_time(new_browser, staff, in_house, day):
    with in_house():
        link = a_participant(db.session.get(Conference, day.id))
        link_contact = link.contact_id
    move(in_house, day, link_contact, "A")
    publish(staff, 0)
    guest = new_browser().enter(link)
    guest.open("groups.my_groups")
    assert guest.sees("Runde 1: Gruppe A")
