"""What people are told about their data follows the schedule, is kept by version, and can be edited (REQ-24)."""

from datetime import timedelta

import pytest
from flask import render_template
from sqlalchemy import select

from conference.accounts.models import Role
from conference.invitations import operations as invitations
from conference.invitations.models import LetterKind
from conference.kit import unit
from conference.kit.db import db
from conference.outbox.models import Mail
from conference.privacy import operations
from conference.registrations import operations as registrations
from conference.registrations.models import Consent, ConsentKind, Notice, Registration

from ..builders import NOW, a_conference, a_personal_link, an_account, an_answer, an_invitation


@pytest.fixture
def settings():
    return {"CLOCK_START": NOW}


def first_mail(conference):
    guest = an_invitation(conference, sent=True)
    return guest, db.session.scalars(select(Mail).order_by(Mail.id.desc())).first().text


def change(**days):
    operations.set_periods({one.name: one.days for one in operations.CLASSES} | days)


def test_page_and_first_mail_name_the_periods_that_hold(app, in_house, browser):
    browser.open("/privacy")
    assert browser.sees("4 Wochen") and browser.sees("6 Monate") and browser.sees("3 Tage")
    with in_house():
        conference = a_conference()
        _guest, text = first_mail(conference)
        assert "löschen wir Ihre Angaben 4 Wochen nach der Konferenz, sonst 6 Monate danach" in text
        change(guests=45, people=365, needs=1)
        _guest, text = first_mail(conference)
        assert "löschen wir Ihre Angaben 45 Tage nach der Konferenz, sonst 12 Monate danach" in text
        assert "{" not in text
    browser.open("/privacy")
    assert browser.sees("45 Tage") and browser.sees("12 Monate") and browser.sees("1 Tag (")


def test_the_notice_is_in_the_first_mail_whatever_organisers_write(house):
    conference = a_conference()
    own = "{greeting}\n\nkommen Sie bitte.\n{link}\n"
    invitations.save_letter(conference, LetterKind.INVITATION, "Einladung", own, 0, at=NOW)
    _guest, text = first_mail(conference)
    assert text.count("Artikel 14 DSGVO") == 1 and "4 Wochen" in text and "BfDI" in text
    named = own + "Hinweis nach Art. 14 DSGVO: wir löschen nach einem Jahr.\n"
    invitations.save_letter(conference, LetterKind.INVITATION, "Einladung", named, 1, at=NOW)
    assert "Artikel 14" not in first_mail(conference)[1]


def test_a_registration_keeps_the_version_that_was_in_force_and_it_can_be_read(
    app, in_house, browser, new_browser
):
    with in_house():
        account = an_account()
        conference = a_conference(account)
        first, second = (an_invitation(conference) for _ in range(2))
        old = registrations.accept(first, an_answer(name=first.contact.name), at=NOW)
        link, number = a_personal_link(first), old.id
        change(guests=45)
        new = registrations.accept(second, an_answer(name=second.contact.name), at=NOW)
        assert old.notice_version != new.notice_version
        registrations.change(new, an_answer(name="Anders"), new.version, at=NOW)
    with app.app_context(), unit.reading():
        assert len(db.session.scalars(select(Notice)).all()) == 2
        assert "4 Wochen" in db.session.scalars(select(Notice.text).order_by(Notice.id)).first()
        assert db.session.get(Registration, number).notice_version
    browser.enter(link).open("/my/data/notice")
    assert "{" not in browser.text and old.notice_version not in browser.text
    assert browser.sees("Hinweis zum Datenschutz (Artikel 14 DSGVO)") and not browser.sees(
        "laden Sie herzlich ein"
    )
    assert browser.sees(f"Schreiben Sie dazu an {conference.organiser_email}")
    assert browser.sees("4 Wochen") and not browser.sees("45 Tage")
    staff = new_browser().sign_in(account)
    staff.open(f"/conferences/{conference.slug}/notices")
    assert staff.sees("4 Wochen") and staff.sees("45 Tage")


def test_statements_have_preview_versions_and_two_languages(in_house, browser, new_browser):
    with in_house():
        admin = an_account(Role.ADMIN)
    staff = new_browser().sign_in(admin)
    address = "/statements/privacy/de"
    staff.submit(
        address, {"text": "Erste **Fassung**\n\n{periods}", "version": "0", "preview": "1"}, status=200
    )
    assert staff.sees("Erste Fassung") and staff.sees("4 Wochen")
    browser.open("/privacy")
    assert not browser.sees("Erste Fassung"), "looking stores nothing"
    staff.submit(address, {"text": "Erste **Fassung**\n\n{periods}", "version": "0"})
    staff.submit(address, {"text": "Zweite <b onclick=x>Fassung</b>", "version": "1"})
    browser.open("/privacy")
    assert browser.sees("Zweite") and "onclick=x>" not in browser.html
    browser.open("/privacy", headers={"Accept-Language": "en"})
    staff.open(f"{address}/1")
    assert staff.sees("Erste Fassung") and staff.sees("4 Wochen")
    staff.open(f"{address}/3", status=404)
    staff.submit(address, {"text": "x" * 20_001, "version": "2"}, status=422)
    assert len(staff.value_of("text")) > 20_000, "the input is kept"
    staff.submit(address, {"text": "Dritte", "version": "x"}, status=409)
    staff.submit("/statements/privacy/en", {"text": "English words", "version": "0"})
    browser.client.get("/language/en")
    browser.open("/privacy")
    assert browser.sees("English words")


def test_statements_have_headings_and_room_and_refuse_what_stands_for_nothing(in_house, browser, new_browser):
    with in_house():
        admin = an_account(Role.ADMIN)
    staff = new_browser().sign_in(admin)
    address, text = "/statements/imprint/de", "## Wer\n\nWir.\n\nFristen: {periods} So lange."
    staff.submit(address, {"text": text + "\n{perods}", "version": "0"}, status=422)
    assert staff.sees("Zeile 6: {perods}") and "{perods}" in staff.value_of("text")
    staff.submit(address, {"text": text, "version": "0"})
    browser.open("/imprint")
    assert "<h2>Wer</h2>" in browser.html and 'class="prose" dir="auto"' in browser.html
    assert "<p>Fristen:</p>" in browser.html and "<p>So lange.</p>" in browser.html


def test_a_consent_stays_bound_to_the_words_that_were_seen(house):
    conference = a_conference()
    guest = an_invitation(conference)
    photo = frozenset({ConsentKind.PHOTO})
    registration = registrations.accept(guest, an_answer(name="Ada Muster", consents=photo), at=NOW)
    conference.series.host = "Jobcenter Herford"
    later = NOW + timedelta(days=1)
    registrations.change_consents(registration, photo | {ConsentKind.LIST}, registration.version, at=later)
    consent = db.session.scalars(select(Consent).where(Consent.kind == ConsentKind.PHOTO)).one()
    assert "Agentur für Arbeit" in consent.wording and consent.given_at == NOW
    assert registrations.consent_wording(ConsentKind.PHOTO, conference) != consent.wording


def test_one_press_withdraws_a_consent_and_it_acts_at_once(app, in_house, browser, new_browser):
    with in_house():
        account = an_account()
        conference = a_conference(account)
        every = frozenset(ConsentKind)
        people = [an_invitation(conference) for _ in range(2)]
        for guest, name in zip(people, ("Ada Alt", "Bea Bald"), strict=True):
            registrations.accept(guest, an_answer(name=name, consents=every), at=NOW)
        first, second = (a_personal_link(guest) for guest in people)
    reader = new_browser().enter(second)
    reader.open("/my/participants")
    assert reader.sees("Ada Alt") and reader.sees("Geöffnet von Ada Muster")
    assert (
        reader.response.headers["X-Robots-Tag"] == "noindex"
        and reader.response.headers["Cache-Control"] == "no-store"
    )
    browser.enter(first).open("/my")
    for kind in ("list", "photo", "list"):
        browser.submit(f"/my/consents/{kind}/withdrawal")
    browser.submit("/my/consents/other/withdrawal", status=404)
    reader.open("/my/participants")
    assert not reader.sees("Ada Alt") and reader.sees("1 weitere Person")
    with app.test_request_context(), unit.reading():
        left = db.session.scalars(select(Consent).where(Consent.withdrawn_at.is_(None))).all()
        assert len(left) == 4
        proof = db.session.scalars(select(Consent).where(Consent.withdrawn_at.is_not(None))).all()
        assert {one.kind for one in proof} == {ConsentKind.PHOTO, ConsentKind.LIST}
        assert {one.withdrawn_by.value for one in proof} == {"page"}
        html = render_template(
            "pdf/badges.html", language="de", conference_title="x", day=NOW.date(), people=printed(conference)
        )
    assert html.count("kein Foto") == 1


def printed(conference):
    from conference.registrations.views import _people_to_print

    return _people_to_print(db.session.merge(conference))
