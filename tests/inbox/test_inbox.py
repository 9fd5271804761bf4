"""What comes into the mailbox of a real Dovecot: letters that came back, answers by calendar, and everything else."""

from datetime import UTC, datetime, timedelta
from email.message import EmailMessage

import pytest

from conference.core.mail_reading import read_mail
from conference.inbox import operations as inbox
from conference.inbox.models import InboundMail, Outcome
from conference.invitations import operations as invitations
from conference.invitations.models import Invitation, Reply
from conference.kit import outage
from conference.kit.db import db
from conference.outbox import operations as outbox
from conference.outbox.models import DeadAddress, Mail, MailState
from conference.registrations.models import Registration, Standing

from .. import dovecot
from ..builders import NOW, a_conference, a_mail, an_account, an_invitation

GUEST = "ada.muster@traeger.example"


@pytest.fixture(scope="module")
def server():
    with dovecot.running() as box:
        yield box


@pytest.fixture
def box(server):
    server.clear()
    return server


@pytest.fixture
def settings(server):
    return {
        "IMAP_SERVER": "127.0.0.1", "IMAP_PORT": server.port, "IMAP_SECURITY": "none", "IMAP_USERNAME": "folgetermin",
        "IMAP_PASSWORD": "mailbox-of-the-tests", "IMAP_DONE_FOLDER": "",
    }  # fmt: skip


@pytest.fixture
def guest(in_house):
    with in_house():
        june = a_conference(an_account())
        guest = an_invitation(june, email=GUEST)
        invitations.send_invitations(june, [guest], at=NOW)
        return guest


@pytest.fixture
def look(app):
    def read(at=NOW + timedelta(hours=1)):
        with app.app_context():
            inbox.look(lambda: at)
            found = [
                row.outcome for row in db.session.scalars(db.select(InboundMail).order_by(InboundMail.id))
            ]
            db.session.rollback()
            return found

    return read


def of(app, model):
    with app.app_context():
        found = list(db.session.scalars(db.select(model)))
        db.session.expunge_all()
        return found


def a_reply(
    guest,
    partstat="ACCEPTED",
    *,
    sender=GUEST,
    attendee=GUEST,
    sequence=0,
    uid=None,
    stamp="20230502T083000Z",
    method="REPLY",
):
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = (
        f"Ada <{sender}>",
        "konferenz@folgetermin.example",
        "Re: Einladung",
    )
    message.set_content("Ada hat geantwortet.")
    lines = [
        "BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Example//Client//DE", f"METHOD:{method}", "BEGIN:VEVENT",
        f"UID:{uid or guest.calendar_uid}", f"SEQUENCE:{sequence}", f"DTSTAMP:{stamp}", "DTSTART:20230606T073000Z",
        f"ATTENDEE;CN=Ada;PARTSTAT={partstat}:mailto:{attendee}", "COMMENT:Ich bin im Urlaub", "END:VEVENT", "END:VCALENDAR", "",
    ]  # fmt: skip
    message.add_alternative(
        "\r\n".join(lines).encode(), maintype="text", subtype="calendar", params={"method": method}
    )
    return message.as_bytes()


def a_bounce(
    message_id,
    recipient,
    status="5.1.1",
    said="550 5.1.1 <x>: Recipient address rejected: User unknown",
    action="failed",
):
    return (
        "Return-Path: <>\nFrom: MAILER-DAEMON@mail.example (Mail Delivery System)\nTo: konferenz@folgetermin.example\n"
        "Subject: Undelivered Mail Returned to Sender\nAuto-Submitted: auto-replied\nMIME-Version: 1.0\n"
        'Content-Type: multipart/report; report-type=delivery-status;\n\tboundary="B/mail.example"\n\n'
        "--B/mail.example\nContent-Type: text/plain; charset=us-ascii\n\nThis is the mail system at host mail.example.\n\n"
        "--B/mail.example\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; mail.example\n"
        f"X-Postfix-Queue-ID: 4R1\n\nFinal-Recipient: rfc822; {recipient}\nOriginal-Recipient: rfc822;{recipient}\n"
        f"Action: {action}\nStatus: {status}\nDiagnostic-Code: smtp; {said}\n\n"
        "--B/mail.example\nContent-Type: text/rfc822-headers\n\nFrom: konferenz@folgetermin.example\n"
        f"To: {recipient}\nMessage-ID: {message_id}\nSubject: Einladung\n\n--B/mail.example--\n"
    ).encode()


def test_an_acceptance_in_the_calendar_is_the_answer_and_counts_once(app, box, guest, look):
    reply = a_reply(guest)
    box.deliver(reply)
    assert look() == [Outcome.ACCEPTED]
    assert look() == [Outcome.ACCEPTED], "read a second time it changes nothing"
    [registration] = of(app, Registration)
    assert registration.standing is Standing.CONFIRMED
    assert [mail.kind for mail in of(app, Mail)] == ["invitation", "registered"]
    assert len(box.names()) == 1, "nothing is deleted"
    box.deliver(reply)
    assert look() == [Outcome.ACCEPTED], "the same mail delivered twice counts once"


def test_a_refusal_in_the_calendar_is_a_no_with_its_reason(app, box, guest, look):
    box.deliver(a_reply(guest, "DECLINED"))
    assert look() == [Outcome.DECLINED]
    [invitation] = of(app, Invitation)
    assert (invitation.reply, invitation.decline_reason) == (Reply.DECLINED, "Ich bin im Urlaub")


@pytest.mark.parametrize(
    ("over", "outcome"),
    [
        ({"sender": "chef@traeger.example"}, Outcome.FOREIGN),
        ({"sender": "chef@traeger.example", "attendee": "chef@traeger.example"}, Outcome.FOREIGN),
        ({"uid": "other@folgetermin.example"}, Outcome.FOREIGN),
        ({"sequence": 3}, Outcome.OUTDATED),
        ({"method": "REQUEST"}, Outcome.WORDS),
        ({"method": "COUNTER"}, Outcome.WORDS),
        ({"partstat": "TENTATIVE"}, Outcome.TENTATIVE),
        ({"partstat": "NEEDS-ACTION"}, Outcome.FOREIGN),
    ],
)
def test_what_does_not_fit_is_no_answer(app, box, guest, look, over, outcome):
    box.deliver(a_reply(guest, **over))
    assert look() == [outcome]
    assert of(app, Invitation)[0].reply is Reply.OPEN


def test_an_answer_by_link_that_was_given_later_counts(app, box, guest, in_house, look):
    with in_house():
        inbox.registrations.decline(db.session.get(Invitation, guest.id), "", at=NOW + timedelta(hours=2))
    box.deliver(a_reply(guest))
    assert look(NOW + timedelta(hours=3)) == [Outcome.OUTDATED]
    assert of(app, Invitation)[0].reply is Reply.DECLINED


def test_a_no_by_calendar_that_was_given_before_the_yes_by_link_is_outdated(app, box, guest, in_house, look):
    with in_house():
        inbox.registrations.accept_as_known(db.session.get(Invitation, guest.id), at=NOW + timedelta(hours=2))
    box.deliver(a_reply(guest, "DECLINED"))
    assert look(NOW + timedelta(hours=3)) == [Outcome.OUTDATED]
    assert of(app, Invitation)[0].reply is Reply.ACCEPTED


def test_after_the_last_day_a_yes_by_calendar_is_too_late(app, box, guest, look):
    late = datetime(2023, 5, 30, 8, 0, tzinfo=UTC)
    box.deliver(a_reply(guest))
    assert look(late) == [Outcome.REFUSED]
    assert of(app, Registration) == []


def test_t37_out_of_office_changes_nothing(app, box, guest, look):
    box.deliver(
        f"From: {GUEST}\nTo: konferenz@folgetermin.example\nSubject: Abwesend: Einladung\nAuto-Submitted: auto-replied\n\n"
        "Ich bin ab 12.06. wieder da.\n".encode()
    )
    assert look() == [Outcome.AUTOMATIC]
    assert of(app, Invitation)[0].reply is Reply.OPEN
    assert len(of(app, Mail)) == 1, "nothing is answered"


def test_a_bounce_marks_the_letter_and_the_address(app, box, guest, look, in_house):
    [letter] = of(app, Mail)
    box.deliver(a_bounce(letter.message_id, GUEST))
    assert look() == [Outcome.BOUNCED]
    [letter] = of(app, Mail)
    assert letter.state is MailState.BOUNCED and "5.1.1" in letter.error
    assert [dead.address_key for dead in of(app, DeadAddress)] == [GUEST]


@pytest.mark.parametrize(
    ("over", "outcome"),
    [
        ({"recipient": "other@traeger.example"}, Outcome.AUTOMATIC),
        ({"message_id": "<of-somebody-else@folgetermin.example>"}, Outcome.AUTOMATIC),
        ({"action": "delayed"}, Outcome.AUTOMATIC),
    ],
)
def test_a_report_about_something_else_marks_nothing(app, box, guest, look, over, outcome):
    [letter] = of(app, Mail)
    box.deliver(a_bounce(**({"message_id": letter.message_id, "recipient": GUEST} | over)))
    assert look() == [outcome]
    assert of(app, Mail)[0].state is MailState.QUEUED
    assert of(app, DeadAddress) == []


def test_a_report_counts_once_though_it_comes_twice(app, box, guest, look, in_house):
    [letter] = of(app, Mail)
    report = a_bounce(letter.message_id, GUEST)
    box.deliver(report)
    look()
    with in_house():
        outbox.revive(GUEST)
    box.deliver(report)
    assert look() == [Outcome.BOUNCED]
    assert of(app, DeadAddress) == [], "somebody has said since that the address is good"


def test_a_full_mailbox_marks_the_letter_and_not_the_address(app, box, guest, look):
    [letter] = of(app, Mail)
    box.deliver(a_bounce(letter.message_id, GUEST, "5.2.2", "552 5.2.2 Mailbox full"))
    assert look() == [Outcome.BOUNCED]
    assert of(app, DeadAddress) == []


def nested(depth):
    head = "".join(f"Content-Type: multipart/mixed; boundary=b{n}\n\n--b{n}\n" for n in range(depth))
    return f"From: x@evil.example\nMIME-Version: 1.0\n{head}".encode()


HOSTILE = {
    "nested": nested(5000),
    "nested mails": b"Content-Type: message/rfc822\n\n" * 5000,
    "empty": b"",
    "no head": b"\n\n\n",
    "zeros": b"\0" * 5000,
    "charset": b"From: a@b.example\nContent-Type: text/calendar; charset=x-nonsense; method=REPLY\nContent-Transfer-Encoding: base64\n\n@@@@",
    "calendar": b"From: a@b.example\nContent-Type: text/calendar; method=REPLY\n\nBEGIN:VCALENDAR\nMETHOD:REPLY\nBEGIN:VEVENT\n"
    * 300,
    "report": b"Content-Type: multipart/report; report-type=delivery-status; boundary=x\n\n--x\nContent-Type: message/delivery-status\n\n\xff\xfe\n",
    "bytes": bytes(range(256)) * 100,
}


def test_f25_hostile_mails_stop_nobody(app, box, guest, look):
    box.deliver(b"Subject: large\n\n" + b"x" * (2 * 1024 * 1024 + 1))
    for raw in HOSTILE.values():
        box.deliver(raw)
    box.deliver(a_reply(guest))
    outcomes = look()
    assert len(outcomes) == len(HOSTILE) + 2
    assert outcomes.count(Outcome.ACCEPTED) == 1
    assert {Outcome.ACCEPTED, Outcome.UNREADABLE, Outcome.WORDS, Outcome.AUTOMATIC} >= set(outcomes)
    assert len(box.names()) == len(outcomes), "nothing is deleted"
    assert look() == outcomes


@pytest.mark.parametrize("name", HOSTILE)
def test_f25_no_bytes_make_the_reader_fall(name):
    assert read_mail(HOSTILE[name]).kind in {"unreadable", "words", "automatic", "bounce"}


def test_f25_a_mail_with_more_parts_than_people_write_is_not_looked_into():
    assert read_mail(nested(20)).kind == "words"
    assert read_mail(nested(100)).kind == "unreadable"


def test_f04_a_reader_killed_before_the_mark_reads_again_without_harm(app, box, guest, look, monkeypatch):
    box.deliver(a_reply(guest))
    with monkeypatch.context() as patch:
        patch.setattr(inbox.Letterbox, "mark", lambda _box, _found: (_ for _ in ()).throw(SystemExit))
        with pytest.raises(SystemExit):
            look()
    assert look() == [Outcome.ACCEPTED]
    assert [mail.kind for mail in of(app, Mail)] == ["invitation", "registered"]


def test_f09_an_answer_that_met_an_outage_is_read_again_and_holds_up_no_other(
    app, box, guest, look, monkeypatch
):
    box.deliver(a_reply(guest))
    box.deliver(b"From: a@b.example\nSubject: Frage\n\nWann beginnt es?\n")
    with monkeypatch.context() as patch:
        away = outage.Unavailable("another process keeps the turn to write")
        patch.setattr(inbox, "_take_reply", lambda *_what: (_ for _ in ()).throw(away))
        with pytest.raises(outage.Unavailable):
            look()
    assert look() == [Outcome.WORDS, Outcome.ACCEPTED]


def test_read_mails_can_be_moved_and_a_wrong_password_is_no_crash(app, box, guest, look):
    app.config["IMAP_PASSWORD"] = "wrong"
    box.deliver(a_reply(guest))
    assert look() == []
    app.config["IMAP_PASSWORD"] = "mailbox-of-the-tests"
    assert look() == [Outcome.ACCEPTED]


def test_invitations_ask_for_an_answer_only_where_somebody_reads_it(app, guest):
    [letter] = of(app, Mail)
    assert b"RSVP=TRUE" in letter.calendar.replace(b"\r\n ", b"")


def test_administrators_see_what_came(app, box, guest, look, browser, in_house):
    from conference.accounts.models import Role

    box.deliver(a_reply(guest))
    look()
    with in_house():
        admin = an_account(Role.ADMIN)
    browser.sign_in(admin)
    browser.open("inbox.show_inbox")
    assert browser.sees("im Kalender zugesagt")


def test_the_letter_that_came_back_is_named_to_the_organiser(app, box, in_house, look):
    with in_house():
        a_mail(recipient=("Ada", GUEST))
    [letter] = of(app, Mail)
    box.deliver(a_bounce(letter.message_id, GUEST))
    look()
    with app.app_context():
        assert outbox.queries.problems_about("june-2023")[GUEST].state is MailState.BOUNCED
        db.session.rollback()
