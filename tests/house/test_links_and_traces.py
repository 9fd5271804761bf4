"""Forwarded mail, shared tablets, calendars in the cloud (T04, T31, T32)."""

import re

import pytest
from sqlalchemy import select

from conference.groups import operations as groups
from conference.invitations import operations as invitations
from conference.invitations.models import LinkPurpose
from conference.kit import links, unit
from conference.kit.db import db
from conference.outbox.models import Mail, MailState
from conference.registrations import operations as registrations
from conference.registrations.queries import participants

from ..builders import (
    NOW,
    a_conference,
    a_contact,
    a_personal_link,
    a_small_day,
    an_account,
    an_answer,
    an_invitation,
    some_ideas,
)


@pytest.fixture
def settings():
    return {"CLOCK_START": NOW}


def mails(app, kind):
    with app.app_context(), unit.reading():
        return [
            (mail.recipient_address, mail.text)
            for mail in db.session.scalars(select(Mail).where(Mail.kind == kind))
        ]


def test_t04_the_old_address_is_told_of_the_new_one_if_a_letter_has_ever_reached_it(app, in_house, browser):
    with in_house():
        account = an_account()
        conference = a_conference(account)
        written, unwritten = (
            an_invitation(
                conference,
                contact=a_contact(first_name="Ada", last_name=last, email=f"{last}@traeger.example"),
                sent=True,
            )
            for last in ("alt", "neu")
        )
        for mail in db.session.scalars(select(Mail).where(Mail.recipient_address == "alt@traeger.example")):
            mail.state, mail.sent_at = MailState.SENT, NOW
        numbers = written.id, unwritten.id
    browser.sign_in(account)
    for number, last in zip(numbers, ("alt", "neu"), strict=True):
        path = f"/conferences/{conference.slug}/guests/{number}/edit"
        browser.open(path)
        fields = {
            "first_name": "Ada", "last_name": last, "email": f"{last}@traeger.example", "organisation": "Bildungshaus",
            "side": "provider", "salutation": "none", "version": browser.value_of("version"),
        }  # fmt: skip
        browser.submit(path, fields)
        assert len(mails(app, "address_changed")) <= 1, "the same address is no news"
        browser.open(path)
        fields |= {"email": f"{last}.anders@traeger.example", "version": browser.value_of("version")}
        browser.submit(path, fields)
    told = mails(app, "address_changed")
    assert [address for address, _text in told] == ["alt@traeger.example"]
    assert "anders@" not in told[0][1], "whoever reads there may be somebody else"


def test_t04_the_owner_is_told_when_name_or_registration_change(app, in_house, browser):
    with in_house():
        conference = a_conference()
        guest = an_invitation(conference, contact=a_contact(first_name="Ada", last_name="Alt"))
        registration = registrations.accept(guest, an_answer(name="Ada Alt"), at=NOW)
        link = a_personal_link(guest)
        registrations.change(
            registration, an_answer(name="Ada Alt", diet="vegan"), registration.version, at=NOW
        )
    assert len(mails(app, "changed")) == 1
    browser.enter(link).open("/my/data")
    browser.submit(
        "/my/data/name", {"first_name": "Ada", "last_name": "Neu", "version": browser.value_of("version")}
    )
    told = mails(app, "privacy_corrected")
    assert len(told) == 1 and "Waren Sie das nicht?" in told[0][1]
    browser.open("/my/data")
    browser.submit(
        "/my/data/name", {"first_name": "Ada", "last_name": "Neu", "version": browser.value_of("version")}
    )
    assert len(mails(app, "privacy_corrected")) == 1, "nothing changed, nothing to tell"


def test_t04_the_page_says_for_whom_a_link_is_and_a_renewed_link_kills_the_old_one(app, in_house, browser):
    with in_house():
        account = an_account()
        conference = a_conference(account)
        guest = an_invitation(conference, contact=a_contact(first_name="Ada", last_name="Alt"), sent=True)
        link = a_personal_link(guest)
        token, number = links.token_of(link.nonce), guest.id
    browser.open(f"/invitation/{token}")
    assert browser.sees("Ada Alt") and browser.sees("Nicht Sie?")
    with in_house():
        registrations.accept(db.session.merge(guest), an_answer(name="Ada Alt"), at=NOW)
    browser.open(f"/invitation/{token}")
    assert browser.sees("A. A.") and browser.sees("Nicht Sie?") and not browser.sees("Ada Alt")
    browser.enter(link).open("/my")
    assert browser.sees("Dies ist die Seite von Ada Alt. Nicht Sie?")
    browser.submit("/sign-out")
    browser.open("/my", status=404)
    with in_house():
        invitations.renew_link(db.session.get(type(guest), number), link.id, at=NOW)
    browser.open(f"/invitation/{token}", status=404)


def test_t31_on_a_shared_tablet_nothing_stays_behind(in_house, browser):
    with in_house():
        conference = a_conference()
        guest = an_invitation(conference, contact=a_contact(first_name="Ada", last_name="Alt"))
        registrations.accept(guest, an_answer(name="Ada Alt"), at=NOW)
        link = a_personal_link(guest)
    answer = browser.enter(link).open("/my")
    assert answer.headers["Cache-Control"] == "no-store" and answer.headers["X-Robots-Tag"] == "noindex"
    gone = browser.client.post("/sign-out", data={"csrf_token": browser.csrf_token()})
    assert "cache" in gone.headers["Clear-Site-Data"]
    browser.open("/my", status=404)


def test_t31_walls_of_ideas_and_results_name_nobody(in_house, browser):
    with in_house():
        account = an_account()
        conference = a_small_day(account, people=4)
        names = [contact.last_name for contact in participants(conference)]
        groups.form_groups(conference, 1, account, at=NOW, iterations=20)
        some_ideas(conference, "Ein Kalender")
    browser.sign_in(account)
    for wall in ("wall", "sheets/wall"):
        browser.open(f"/conferences/{conference.slug}/{wall}")
        assert [name for name in names if browser.sees(name)] == []


def test_t32_a_calendar_token_opens_nothing_else_and_can_be_changed(app, in_house, browser, new_browser):
    with in_house():
        account = an_account()
        conference = a_small_day(account, people=2)
        link = invitations.personal_link(
            conference, participants(conference)[0], LinkPurpose.INVITATION, at=NOW
        )
    browser.enter(link)
    browser.submit("groups.make_calendar")

    def address():
        browser.open("/my/groups")
        [found] = {target for target in browser.links() if target.startswith("webcal://")}
        return found.removeprefix("webcal://folgetermin.example")

    path, stranger = address(), new_browser()
    assert stranger.open(path).mimetype == "text/calendar"
    token = path.rpartition("/")[2].removesuffix(".ics")
    with app.app_context():
        others = [
            rule
            for rule in app.url_map.iter_rules()
            if "token" in rule.arguments and rule.endpoint != "groups.personal_feed"
        ]
    assert len(others) >= 5
    for rule in others:
        for method in rule.methods & {"GET", "POST"}:
            target = re.sub("<token>", token, rule.rule)
            data = {"csrf_token": stranger.csrf_token()} if method == "POST" else None
            assert stranger.client.open(target, method=method, data=data).status_code in (404, 405), (
                method,
                rule.rule,
            )
    assert stranger.client.post(path, data={"csrf_token": stranger.csrf_token()}).status_code == 405
    with app.app_context():
        other = links.token_of(link.nonce)
    stranger.open(f"/calendar/{other}.ics", status=404)
    browser.submit("groups.renew_calendar")
    stranger.open(path, status=404)
    assert address() != path and stranger.open(address()).mimetype == "text/calendar"
