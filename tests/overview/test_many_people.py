"""F23: lists of thousands come in pages with a search over all of them, and the door saves what stands on its page."""

import re

import pytest
from sqlalchemy import func, insert, select, update

from conference.conferences.models import Conference
from conference.invitations.models import Invitation, Reply
from conference.kit import unit
from conference.kit.db import db
from conference.providers.models import Contact, Provider
from conference.registrations import views
from conference.registrations.models import Attendance, Presence, Registration, Standing

from ..builders import NOW, a_conference, an_account

PEOPLE = 1300
SEATS = 1000


@pytest.fixture
def settings():
    return {"CLOCK_START": NOW}


@pytest.fixture
def organiser(in_house):
    with in_house():
        account = an_account()
        conference = a_conference(account, seats=SEATS)
        house = Provider(name="Großes Haus", name_key="grosses haus", created_at=NOW)
        db.session.add(house)
        db.session.flush()
        db.session.execute(insert(Contact), [
            {"provider_id": house.id, "last_name": f"Gast {number:04}", "first_name": "Ada", "version": 1, "created_at": NOW,
             "email": f"g{number}@haus.example", "email_key": f"g{number}@haus.example"}
            for number in range(PEOPLE)
        ])  # fmt: skip
        people = db.session.execute(select(Contact.id, Contact.last_name).order_by(Contact.id)).all()
        db.session.execute(insert(Invitation), [
            {"conference_id": conference.id, "contact_id": one.id, "reply": Reply.ACCEPTED, "calendar_uid": f"u{one.id}",
             "calendar_sequence": 0, "created_at": NOW, "sent_at": NOW, "version": 1, "wave": 1, "decline_reason": ""}
            for one in people
        ])  # fmt: skip
        db.session.execute(insert(Registration), [
            {"conference_id": conference.id, "contact_id": one.id, "name": f"Ada {one.last_name}", "diet": "",
             "access_needs": "", "registered_at": NOW, "notice_version": "x", "version": 1,
             "standing": Standing.CONFIRMED if number < SEATS else Standing.WAITING,
             "queue_number": None if number < SEATS else number}
            for number, one in enumerate(people)
        ])  # fmt: skip
        return account


def names(browser):
    return re.findall(
        r"Gast \d{4}", " ".join(re.findall(r'<th scope="row".*?</th>', browser.html, re.DOTALL))
    )


def test_f23_the_door_saves_its_page_of_a_long_list_and_finds_everybody(browser, in_house, organiser):
    path = "/conferences/june-2023/attendance"
    browser.sign_in(organiser).open(path)
    assert len(names(browser)) == 200 and browser.sees("Seite 1 von 7") and browser.sees("1300")
    assert len(browser.html) < 400_000
    browser.open(f"{path}?page=3")
    assert names(browser)[0] == "Gast 0400"
    fields = dict.fromkeys(re.findall(r'name="((?:was|presence)-\d+)"', browser.html), "")
    assert len(fields) == 400
    first = next(name for name in fields if name.startswith("presence-"))
    browser.submit(f"{path}?page=3", fields | {first: "present"})
    assert names(browser)[0] == "Gast 0400", "back on the same page"
    browser.open(f"{path}?q=gast%201234%20HAUS")
    assert names(browser) == ["Gast 1234"] and browser.sees("1 Eintrag passt")
    browser.open(f"{path}?page=99&q=nobody")
    assert names(browser) == [] and browser.sees("0 Einträge passen")
    with in_house():
        assert db.session.scalar(select(func.count(Attendance.id))) == 1
        assert db.session.scalars(select(Attendance.presence)).one() is Presence.PRESENT
        assert db.session.scalars(select(Conference.seats)).one() == SEATS


def test_f23_some_of_very_many_are_chosen_for_an_invitation_page_by_page(browser, in_house, organiser):
    with in_house():
        db.session.execute(update(Invitation).values(sent_at=None, reply=Reply.OPEN))
    browser.sign_in(organiser).open("/conferences/june-2023/mailing?page=7")
    assert browser.html.count('name="guests"') == 100 and browser.sees("Alle 1300 Personen einladen")
    browser.open("/conferences/june-2023/mailing?q=gast+0815")
    assert browser.html.count('name="guests"') == 1 and browser.sees("Ada Gast 0815")


def test_f23_papers_for_very_many_people_come_in_parts_that_a_pdf_may_hold(
    app, organiser, browser, monkeypatch
):
    monkeypatch.setattr(views, "PRINTED", 300)
    browser.sign_in(organiser).open("/conferences/june-2023/attendance")
    assert browser.sees("Unterschriftenliste (PDF) Teil 4 von 4") and not browser.sees("Teil 5")
    printed = []
    for part in ("", "?part=2", "?part=3", "?part=4"):
        with app.test_request_context(f"/{part}"), unit.reading():
            printed += views._people_to_print(db.session.scalars(select(Conference)).one())
    assert [one["name"] for one in printed] == [f"Ada Gast {number:04}" for number in range(SEATS)]


def test_f23_guests_and_registrations_come_in_pages_and_nobody_is_left_out(browser, organiser):
    browser.sign_in(organiser)
    seen = []
    for page in range(1, 8):
        browser.open(f"/conferences/june-2023/guests?reply=accepted&page={page}")
        seen += names(browser)
    assert seen == [f"Gast {number:04}" for number in range(PEOPLE)]
    browser.open("/conferences/june-2023/guests?q=g77@haus")
    assert names(browser) == ["Gast 0077"]
    browser.open("/conferences/june-2023/registrations?line=2&page=7")
    assert browser.sees("Seite 2 von 2") and browser.sees("Seite 7 von 7")
    assert names(browser) == [f"Gast {number:04}" for number in (*range(1200, 1300), *range(1200, 1300))]
    assert ">201</td>" in browser.html, "the place in line is that of the whole line"
