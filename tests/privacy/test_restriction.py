"""Whose data are restricted (Article 18 GDPR) stands on no list and no paper and gets no letter; what is theirs stays theirs."""

import io
from dataclasses import replace
from datetime import timedelta

import pytest
from pypdf import PdfReader
from sqlalchemy import func, select

from conference.accounts.models import Role
from conference.actions import letters as action_letters
from conference.agenda.models import ItemKind
from conference.conferences import operations as conferences
from conference.conferences.queries import conference_by_slug
from conference.groups import operations as groups
from conference.groups.queries import plan_of
from conference.invitations import operations as invitations
from conference.invitations.models import Reply
from conference.invitations.queries import invitation_for
from conference.kit.db import db
from conference.kit.errors import Refused
from conference.minutes import operations as minutes
from conference.minutes import queries as drafts
from conference.outbox.models import Mail, MailState
from conference.outbox.operations import retry
from conference.privacy import operations
from conference.providers.models import Contact
from conference.registrations import operations as registrations
from conference.registrations import seats
from conference.registrations.models import Presence, Standing
from conference.registrations.queries import open_offers, place_in_line, registration_of

from ..builders import (
    JUNE,
    NOW,
    a_conference,
    a_personal_link,
    an_account,
    an_action,
    an_answer,
    an_invitation,
    an_item,
)

SLUG = "june-2023"
BASE = f"/conferences/{SLUG}"
WHO = "Wunderlich"
PAPERS = ["attendance/signature-list.pdf", "badges.pdf"]
PAPERS += ["groups/facilitator-sheets.pdf"]
PAGES = ["attendance", "registrations", "registrations.csv", "groups/wall", "groups/wall?view=names"]


@pytest.fixture
def settings():
    return {"CLOCK_START": NOW}


@pytest.fixture
def june(in_house, organiser):
    """Frieda Wunderlich and three others at one table of a published round; an action is hers; she has been written to."""
    with in_house():
        june = a_conference(organiser, answer_by=JUNE.day)
        conferences.add_room(june, "Raum 1", 10)
        an_item(june, "Runde", "10:00", 45, kind=ItemKind.BREAKOUT)
        who = {"first_name": "Frieda", "last_name": WHO, "email": "frieda@traeger.example"}
        guests = [an_invitation(june, **who), *(an_invitation(june) for _ in range(3))]
        invitations.send_invitations(june, guests, at=NOW)
        for guest in guests:
            registrations.accept(guest, an_answer(name=guest.contact.name), at=NOW)
        groups.form_groups(june, 1, organiser, at=NOW, iterations=20)
        groups.publish(june, organiser, at=NOW)
        an_action(june, responsible=guests[0].contact, at=NOW)
        return {"me": a_personal_link(guests[0]), "other": a_personal_link(guests[1])}


def restrict(in_house, lift=False):
    with in_house():
        contact = db.session.scalars(select(Contact).where(Contact.last_name == WHO)).one()
        operations.lift_restriction(contact, an_account(Role.ADMIN)) if lift else operations.restrict(
            contact, at=NOW
        )


def words_of(answer):
    assert answer.status_code == 200
    if answer.mimetype != "application/pdf":
        return answer.get_data(as_text=True)
    return " ".join(page.extract_text() for page in PdfReader(io.BytesIO(answer.data)).pages)


def letters(in_house, *states):
    with in_house():
        query = select(Mail.kind).where(Mail.recipient_address == "frieda@traeger.example")
        return sorted(db.session.scalars(query.where(Mail.state.in_(states)) if states else query))


def test_req24_who_is_restricted_is_on_no_list_paper_or_wall_until_it_is_lifted(
    in_house, browser, new_browser, organiser, june
):
    browser.sign_in(organiser)
    other, me = new_browser().enter(june["other"]), new_browser().enter(june["me"])

    def where():
        found = {path for path in [*PAPERS, *PAGES] if WHO in words_of(browser.client.get(f"{BASE}/{path}"))}
        other.open("groups.my_groups")
        return found | ({"at the table"} if other.sees(WHO) else set())

    assert where() == {*PAPERS, *PAGES, "at the table"}
    restrict(in_house)
    assert where() == set()
    browser.open("registrations.show_registrations", slug=SLUG)
    assert browser.sees("1 Person ist nicht aufgeführt")
    browser.open("invitations.show_guests", slug=SLUG)
    assert browser.sees("eingeschränkt")
    browser.open("actions.new_action", slug=SLUG)
    assert not browser.sees(WHO)
    me.open("registrations.my_page")
    me.open("groups.my_groups")
    assert me.sees("Raum 1")
    with in_house():
        plan = plan_of(conference_by_slug(SLUG))
        assert sum(len(group.seats) for one in plan for group in one.groups) == 4
        groups.form_groups(conference_by_slug(SLUG), 1, None, at=NOW, iterations=20)
        plan = plan_of(conference_by_slug(SLUG))
        assert sum(len(group.seats) for one in plan for group in one.groups) == 3
    restrict(in_house, lift=True)
    browser.open("registrations.show_attendance", slug=SLUG)
    assert browser.sees(WHO)


def test_req24_who_is_restricted_gets_no_letter_of_any_kind_and_those_that_wait_are_stopped(
    in_house, organiser, june
):
    waiting = letters(in_house, MailState.QUEUED)
    assert "invitation" in waiting
    restrict(in_house)
    assert letters(in_house, MailState.QUEUED, MailState.DEFERRED) == []
    before = letters(in_house)
    with in_house():
        june = conference_by_slug(SLUG)
        mail = db.session.scalars(
            select(Mail).where(Mail.recipient_address == "frieda@traeger.example")
        ).first()
        with pytest.raises(Refused):
            retry(mail, at=NOW)
        fields = replace(JUNE, day=JUNE.day + timedelta(days=1), answer_by=JUNE.day)
        conferences.change_conference(june, fields, june.version, at=NOW)
        invitations.send_updates(june, at=NOW)
        invitations.send_reminders(june, at=NOW)
        release = groups.publish(june, organiser, at=NOW)
        groups.tell(june, release, at=NOW)
        action_letters.notify_responsible(june, at=NOW)
        action_letters.remind(now=NOW + timedelta(days=80))
        guest = invitation_for(
            june, db.session.scalars(select(Contact.id).where(Contact.last_name == WHO)).one()
        )
        guest.reply = Reply.OPEN
        with pytest.raises(Refused):
            invitations.send_again(guest, guest.wave, at=NOW)
    assert letters(in_house) == before
    with in_house():
        kinds = set(db.session.scalars(select(Mail.kind)))
    assert "update" in kinds


def test_req24_minutes_that_are_still_to_come_say_the_organisation_of_who_is_restricted(
    in_house, organiser, june
):
    restrict(in_house)
    with in_house():
        june = conference_by_slug(SLUG)
        for contact in db.session.scalars(select(Contact)):
            registrations.record_attendance(june, contact.id, Presence.PRESENT, at=NOW)
        frame = {"chair": "Vera Vorsitz", "moderator": "", "minute_taker": "Nora Beispiel", "summary": ""}
        minutes.save_frame(june, **frame, version=None, at=NOW)
        draft = drafts.compile_draft(june, at=NOW)
        assert WHO not in minutes.html_of(draft)
        assert len(draft.attendance.present) == 4
        document = minutes.as_released(draft, number=1, released_by="Nora", at=NOW, zone=june.zone)
        minutes.mail_release(minutes.release(june, document, b"%PDF", organiser, at=NOW), at=NOW)
    assert "minutes" not in letters(in_house)


def test_who_is_restricted_keeps_the_place_in_line_and_nobody_moves_them_up(in_house, organiser):
    with in_house():
        june = a_conference(organiser, seats=1)
        first, second, third = (an_invitation(june, sent=True) for _ in range(3))
        for guest in (first, second, third):
            registrations.accept(guest, an_answer(name=guest.contact.name), at=NOW)
        operations.restrict(second.contact, at=NOW)
        registrations.withdraw(first, at=NOW)
        states = [registration_of(june, guest.contact_id).standing for guest in (second, third)]
        assert states == [Standing.WAITING, Standing.CONFIRMED]


def test_req24_who_is_restricted_hears_nothing_of_an_open_offer_and_loses_no_place_by_it(in_house, organiser):
    with in_house():
        june = a_conference(organiser, seats=1)
        seats.set_rules(june, seats.Rules(None, 48), 0, at=NOW)
        first, second, third = (an_invitation(june, sent=True) for _ in range(3))
        for guest in (first, second, third):
            registrations.accept(guest, an_answer(name=guest.contact.name), at=NOW)
        registrations.withdraw(first, at=NOW)
        mine = registration_of(june, second.contact_id)
        operations.restrict(second.contact, at=NOW)
        to_me = select(func.count(Mail.id)).where(Mail.recipient_address == second.contact.email)
        before = db.session.scalar(to_me)
        for hours in (40, 50):
            seats.settle(june, at=NOW + timedelta(hours=hours))
        assert open_offers(june).keys() == {registration_of(june, third.contact_id).id}, "the seat goes on"
        assert place_in_line(mine) == 1
        with pytest.raises(Refused):
            seats.offer_again(mine, at=NOW + timedelta(hours=50))
        registrations.decline(second, "", at=NOW + timedelta(hours=51))
        assert db.session.scalar(to_me) == before
