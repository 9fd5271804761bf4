"""Mailings can be stopped before they leave, sent after all, and written anew."""

import re
from datetime import timedelta

import pytest

from conference.invitations import operations as invitations
from conference.invitations.models import Invitation
from conference.invitations.queries import invitations_by_id
from conference.kit.db import db
from conference.outbox import control
from conference.outbox.models import Enclosure, Mail, MailState
from conference.outbox.operations import Drained, enclose

from .. import smtp
from ..builders import NOW, a_conference, a_mail, an_account, an_invitation
from .test_sending import post, rows, send

smtp_server, fixtures = smtp.smtp_server, (post, send)
SLUG = "june-2023"


@pytest.fixture
def settings(smtp_server):
    return {
        "MAIL_SERVER": smtp_server.host,
        "MAIL_PORT": smtp_server.port,
        "MAIL_HOLD_SECONDS": 60,
        "CLOCK_START": NOW,
    }


@pytest.fixture
def staff(browser, in_house):
    with in_house():
        account = an_account()
        june = a_conference(account)
        guests = [an_invitation(june) for _number in range(3)]
        invitations.send_invitations(june, guests, at=NOW)
        browser.guests = [guest.id for guest in guests]
    return browser.sign_in(account)


def press(staff, ending, status=303):
    """Press the one button whose form leads there."""
    [path] = set(re.findall(rf'action="([^"]+/{ending})"', staff.html))
    staff.submit(path, status=status)


def test_a_mailing_waits_a_minute_and_single_letters_do_not(post, smtp_server, send):
    post(2, batch="b")
    post(1)
    assert send(NOW) == Drained(sent=1)
    assert send(NOW + timedelta(seconds=59)) == Drained()
    assert send(NOW + timedelta(seconds=60)) == Drained(sent=2)


def test_a_stopped_invitation_never_leaves_and_can_be_written_anew(app, staff, in_house, smtp_server, send):
    staff.open("invitations.show_mailing", slug=SLUG)
    press(staff, "stop")
    assert staff.sees("3 Schreiben wurden angehalten.")
    assert send(NOW + timedelta(hours=1)) == Drained()
    assert {mail.state for mail in rows(app)} == {MailState.WITHDRAWN}
    with in_house():
        guests = invitations_by_id(staff.guests)
        assert [guest.sent_at for guest in guests] == [None] * 3
        invitations.send_invitations(guests[0].conference, guests, at=NOW)
    assert send(NOW + timedelta(hours=2)) == Drained(sent=3)
    assert len({envelope.rcpt_tos[0] for envelope in smtp_server.messages}) == 3


def test_what_has_left_cannot_be_stopped(staff, send):
    staff.open("outbox.show_outbox", slug=SLUG)
    send(NOW + timedelta(minutes=2))
    press(staff, "stop", status=409)
    assert staff.sees("Alle Schreiben dieses Versands sind bereits hinausgegangen.")


def test_other_mailings_rest_and_go_after_all(app, staff, in_house, smtp_server, send):
    with in_house():
        a_mail(kind="groups", batch="groups:1:1", about=SLUG)
        control.stop_mailing(SLUG, "groups:1:1", at=NOW)
    assert send(NOW + timedelta(hours=1)) == Drained(sent=3)
    staff.open("outbox.show_outbox", slug=SLUG)
    press(staff, "resumption")
    assert send(NOW + timedelta(hours=2)) == Drained(sent=1)


def test_all_that_failed_is_tried_again_with_one_click(app, staff, smtp_server, send):
    smtp_server.rcpt_answers = ["550 5.2.2 full", "451 later"]
    assert send(NOW + timedelta(minutes=1)) == Drained(sent=1, failed=1, deferred=1)
    staff.open("outbox.show_outbox", slug=SLUG)
    assert staff.sees("Das Postfach ist voll.")
    press(staff, "outbox/retry")
    assert send(NOW + timedelta(minutes=1)) == Drained(sent=2)


def test_a_test_letter_comes_to_oneself(staff, smtp_server, send):
    staff.open("outbox.show_outbox", slug=SLUG)
    press(staff, "outbox/test")
    assert send(NOW + timedelta(seconds=30)) == Drained(sent=1)
    [envelope] = smtp_server.messages
    assert envelope.rcpt_tos[0].endswith("@agentur.example")


def test_t02_words_are_forgotten_after_a_week_and_what_it_was_stays(app, in_house, post, smtp_server, send):
    with in_house():
        a_mail(
            enclosure=enclose("a.pdf", "application/pdf", b"%PDF"),
            calendar=b"x",
            calendar_method="CANCEL",
            kind="k",
        )
    with app.app_context():
        db.session.execute(db.update(Mail).values(state=MailState.SENT, sent_at=NOW))
        db.session.commit()
        assert control.forget_texts(at=NOW + timedelta(days=6, hours=23)) == 0
        assert control.forget_texts(at=NOW + timedelta(days=8)) == 1
        assert control.forget_texts(at=NOW + timedelta(days=8)) == 0
        assert db.session.scalar(db.select(db.func.count(Enclosure.id))) == 0
    [mail] = rows(app)
    assert (mail.text, mail.calendar, mail.kind, mail.state) == ("", None, "k", MailState.SENT)


def test_t37_reminders_can_be_ended_with_one_click_by_the_mail_program(
    app, staff, in_house, smtp_server, send
):
    send(NOW + timedelta(minutes=1))
    smtp_server.messages.clear()
    later = NOW + timedelta(days=2)
    with in_house():
        [first, *_rest] = invitations_by_id(staff.guests)
        invitations.send_reminders(first.conference, at=later)
    send(later + timedelta(minutes=1))
    from email import message_from_bytes

    message = message_from_bytes(smtp_server.messages[0].content)
    address = message["List-Unsubscribe"].strip("<>")
    assert address.startswith("https://folgetermin.example/reminders/")
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    path = address.removeprefix("https://folgetermin.example")
    stranger = app.test_client()
    for _scan in range(3):
        assert stranger.get(path).status_code == 200
    assert ended(app) == 0, "looking ends nothing"
    for _twice in range(2):
        assert stranger.post(path, data={"List-Unsubscribe": "One-Click"}).status_code == 200
    assert ended(app) == 1
    with in_house():
        guests = invitations_by_id(staff.guests)
        invitations.send_reminders(guests[0].conference, at=later + timedelta(days=2))
    assert send(later + timedelta(days=3)) == Drained(sent=2)
    assert stranger.get(path[:-1] + "x").status_code == 404


def ended(app):
    with app.app_context():
        query = db.select(db.func.count(Invitation.id)).where(Invitation.no_reminders_at.is_not(None))
        return db.session.scalar(query)
