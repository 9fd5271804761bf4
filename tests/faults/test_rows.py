"""One row that an older version or another program left behind never blocks a list, the queue or an export (F25)."""

import pytest
from sqlalchemy import text

from conference.kit.db import db
from conference.outbox.models import Mail, MailState
from conference.outbox.operations import drain, enclose
from conference.registrations import operations as registrations
from conference.registrations.models import ConsentKind

from .. import smtp
from ..builders import NOW, a_conference, a_mail, a_participant, an_answer
from ..privacy.test_privacy import invitation_of

smtp_server = smtp.smtp_server


@pytest.fixture
def settings(smtp_server):
    return {"MAIL_SERVER": smtp_server.host, "MAIL_PORT": smtp_server.port, "CLOCK_START": NOW}


POISONS = {
    "no address": "recipient_address = 'kein @ Postfach, zwei@drei'",
    "no calendar": "calendar = :blob, calendar_method = 'PERHAPS'",
    "unknown language": "language = 'xx'",
    "broken mark": "text = '{{link:abc}} ((( <', button_label = 'x', button_url = 'javascript:alert(1)'",
    "unknown state": "state = 'paused'",
    "unknown kind": "kind = 'telegram'",
    "no media type": "kind = 'minutes'",
}


@pytest.mark.parametrize("name", POISONS)
def test_f25_a_letter_blocks_neither_queue_nor_list(app, in_house, browser, organiser, smtp_server, name):
    with in_house():
        conference = a_conference(organiser)
        broken = enclose("protokoll.pdf", "kein Dateityp", b"%PDF") if name == "no media type" else None
        mails = [a_mail(about=conference.slug, enclosure=broken)]
        mails += [a_mail(about=conference.slug) for _number in range(2)]
        ids = [mail.id for mail in mails]
    with in_house():
        blob = {"blob": b"BEGIN:NOTHING"} if ":blob" in POISONS[name] else {}
        db.session.execute(text(f"UPDATE mail SET {POISONS[name]} WHERE id = :id"), {"id": ids[0]} | blob)
    with app.app_context():
        drain(lambda: NOW)
        db.session.remove()
    with in_house():
        good = db.session.scalars(db.select(Mail.state).where(Mail.id.in_(ids[1:]))).all()
    assert good == [MailState.SENT, MailState.SENT]
    browser.sign_in(organiser)
    browser.open("/conferences/june-2023/outbox")
    browser.open(f"/conferences/june-2023/outbox/{ids[0]}")
    browser.open("/conferences/june-2023")


ROWS = {
    "standing": "UPDATE registration SET standing = 'maybe' WHERE id = 1",
    "consent": "UPDATE consent SET kind = 'video'",
    "salutation": "UPDATE contact SET salutation = 'divers'",
    "reply": "UPDATE invitation SET reply = 'perhaps' WHERE id = 1",
    "presence": "UPDATE attendance SET presence = 'online'",
    "language": "UPDATE conference SET language = 'xx'",
}


@pytest.mark.parametrize("name", ROWS)
def test_f25_a_person_or_a_conference_blocks_no_list_and_no_export(app, in_house, browser, organiser, name):
    with in_house():
        conference = a_conference(organiser)
        for _number in range(2):
            link = a_participant(conference)
            registrations.accept(
                invitation_of(conference, link.contact), an_answer(consents=[ConsentKind.PHOTO]), at=NOW
            )
    with in_house():
        assert db.session.execute(text(ROWS[name])).rowcount > 0
    browser.sign_in(organiser)
    for page in ("", "/guests", "/registrations", "/registrations.csv", "/attendance", "/outbox"):
        browser.open(f"/conferences/june-2023{page}")
    browser.open("/providers")


def test_f25_a_conference_in_a_place_that_is_none_blocks_no_other(app, in_house, browser, organiser):
    with in_house():
        first = a_conference(organiser)
        other = a_conference(organiser, first.series, slug="other", title="Andere")
        db.session.execute(text("UPDATE conference SET zone = 'Mars/Olympus' WHERE slug = 'june-2023'"))
    browser.sign_in(organiser)
    browser.open("/")
    assert browser.sees(other.title)
    browser.open("/conferences/other")
