"""The whole way of a letter, with a real mail server and real mailboxes: out by Postfix, read by IMAP, answered, read by us.

Nothing here writes what a mail server would write: reports and heads are Postfix's own.
"""

import email
import imaplib
import smtplib
import time
from datetime import timedelta
from email import policy
from email.header import decode_header, make_header
from email.message import EmailMessage

import icalendar
import pytest

from conference.inbox import operations as inbox
from conference.inbox.models import InboundMail, Outcome
from conference.invitations import operations as invitations
from conference.invitations.models import Invitation, Reply
from conference.kit.db import db
from conference.outbox import operations as outbox
from conference.outbox.models import DeadAddress, Mail, MailState
from conference.registrations.models import Registration, Standing

from .. import dovecot, postfix
from ..builders import NOW, a_conference, an_account, an_invitation

GUEST, OURS = "ada.muster@traeger.example", "konferenz@folgetermin.example"
LATER = NOW + timedelta(hours=1)


@pytest.fixture(scope="module")
def servers():
    with dovecot.running() as box, postfix.running(box) as office:
        yield box, office


@pytest.fixture
def office(servers):
    box, office = servers
    box.clear()
    return office


@pytest.fixture
def settings(servers):
    box, office = servers
    return {
        "MAIL_SERVER": "127.0.0.1", "MAIL_PORT": office.port, "MAIL_TIMEOUT": 30, "IMAP_SERVER": "127.0.0.1",
        "IMAP_PORT": box.port, "IMAP_SECURITY": "none", "IMAP_USERNAME": dovecot.OURS, "IMAP_PASSWORD": dovecot.PASSWORD,
        "CLOCK_START": NOW,
    }  # fmt: skip


@pytest.fixture
def guest(app, in_house):
    return invited(app, in_house, GUEST)


def invited(app, in_house, address):
    with in_house():
        june = a_conference(an_account())
        guest = an_invitation(june, first_name="Ada", last_name="Müller-Lüdenscheidt", email=address)
        invitations.send_invitations(june, [guest], at=NOW)
    assert sent(app).sent == 1
    return guest


def sent(app, at=NOW):
    with app.app_context():
        return outbox.drain(lambda: at)


def of(app, model):
    with app.app_context():
        found = list(db.session.scalars(db.select(model).order_by(model.id)))
        db.session.expunge_all()
        return found


def mailbox_of(servers, name, number):
    """What a mail client finds in this mailbox, once so many mails are there."""
    for _attempt in range(600):
        with imaplib.IMAP4("127.0.0.1", servers[0].port, timeout=30) as client:
            client.login(name, dovecot.PASSWORD)
            client.select("INBOX", readonly=True)
            uids = client.uid("SEARCH", "ALL")[1][0].split()
            if len(uids) >= number:
                fetched = [client.uid("FETCH", uid, "(BODY.PEEK[])")[1][0][1] for uid in uids]
                return [email.message_from_bytes(raw, policy=policy.default) for raw in fetched]
        time.sleep(0.05)
    raise AssertionError((servers[1].folder / "log").read_text())


def look(app, servers, number):
    """Let Folgetermin read its mailbox, once so many mails are there."""
    mailbox_of(servers, dovecot.OURS, number)
    with app.app_context():
        inbox.look(lambda: LATER)
    return [row.outcome for row in of(app, InboundMail)]


def answer_of(letter, partstat):
    """What a mail client writes when somebody presses a button: the entry as it came, with the answer (RFC 6047)."""
    [part] = [part for part in letter.walk() if part.get_content_type() == "text/calendar"]
    [event] = icalendar.Calendar.from_ical(part.get_content()).walk("VEVENT")
    attendee = event["ATTENDEE"]
    attendee.params["PARTSTAT"] = partstat
    attendee.params.pop("RSVP", None)
    reply, back = icalendar.Calendar(), icalendar.Event()
    for name, value in {"VERSION": "2.0", "PRODID": "-//Example//Client//DE", "METHOD": "REPLY"}.items():
        reply.add(name, value)
    for name in ("UID", "SEQUENCE", "DTSTART", "DTEND", "ORGANIZER"):
        back[name] = event[name]
    back["ATTENDEE"] = attendee
    back.add("DTSTAMP", LATER)
    reply.add_component(back)
    message = EmailMessage()
    message["From"], message["To"] = f"Ada <{GUEST}>", event["ORGANIZER"].lower().removeprefix("mailto:")
    message["Subject"], message["In-Reply-To"] = f"Re: {letter['Subject']}", letter["Message-ID"]
    message["Message-ID"] = f"<answer-{partstat.lower()}@traeger.example>"
    message.set_content("Ada hat geantwortet.\n")
    message.add_alternative(
        reply.to_ical(), maintype="text", subtype="calendar", params={"method": "REPLY", "charset": "utf-8"}
    )
    return message


def test_t37_the_letter_as_it_lies_in_the_mailbox(app, servers, office, guest):
    [letter] = mailbox_of(servers, "ada.muster", 1)
    [mail] = of(app, Mail)
    added_on_the_way = {"Return-Path", "X-Original-To", "Delivered-To", "Received"}
    heads = {name: str(value) for name, value in letter.items() if name not in added_on_the_way}
    assert heads.pop("Content-Type").startswith("multipart/mixed; boundary=")
    assert heads == {
        "From": f"Folgetermin <{OURS}>",
        "To": f"Ada Müller-Lüdenscheidt <{GUEST}>",
        "Reply-To": "Nora Beispiel <konferenz@agentur.example>",
        "Subject": mail.subject,
        "Date": "Tue, 02 May 2023 08:00:00 +0000",
        "Message-ID": mail.message_id,
        "Content-Language": "de",
        "Auto-Submitted": "auto-generated",
        "X-Auto-Response-Suppress": "OOF, AutoReply",
        "Precedence": "bulk",
        "MIME-Version": "1.0",
    }
    assert letter["Return-Path"] == f"<{OURS}>", "what cannot be delivered comes back to where we read"
    assert letter["Delivered-To"] == GUEST
    [calendar] = [part for part in letter.walk() if part.get_content_type() == "text/calendar"]
    assert calendar.get_content_disposition() is None
    assert calendar.get_payload(decode=True) == mail.calendar, "byte for byte, with its own line ends"
    assert not any(part.defects for part in letter.walk())


def test_accept_in_a_mail_client_is_the_answer_here(app, servers, office, guest):
    [letter] = mailbox_of(servers, "ada.muster", 1)
    reply = answer_of(letter, "ACCEPTED")
    assert reply["To"] == OURS
    office.post(GUEST, reply["To"], reply.as_bytes(policy=policy.SMTP))
    assert look(app, servers, 1) == [Outcome.ACCEPTED]
    [registration] = of(app, Registration)
    assert registration.standing is Standing.CONFIRMED
    assert sent(app, LATER).sent == 1, "the confirmation"
    [_first, confirmation] = mailbox_of(servers, "ada.muster", 2)
    assert confirmation["Message-ID"] != letter["Message-ID"]
    assert confirmation["In-Reply-To"] == confirmation["References"] == letter["Message-ID"], (
        "one conversation"
    )
    office.post(GUEST, OURS, answer_of(letter, "DECLINED").as_bytes(policy=policy.SMTP))
    assert look(app, servers, 2)[1] is Outcome.DECLINED
    assert of(app, Invitation)[0].reply is Reply.DECLINED


@pytest.mark.parametrize(
    ("sender", "heads"),
    [
        ("", "Auto-Submitted: auto-replied\n"),
        ("", ""),
        (GUEST, "Auto-Submitted: auto-replied; owner-email=ada@traeger.example\n"),
        (GUEST, "X-Autoreply: yes\n"),
        (GUEST, "Precedence: bulk\n"),
    ],
)
def test_t37_out_of_office_by_a_real_server_changes_nothing(app, servers, office, guest, sender, heads):
    """Also where the only sign is the empty envelope, which the server writes down as Return-Path."""
    [letter] = mailbox_of(servers, "ada.muster", 1)
    away = f"From: {GUEST}\nTo: {OURS}\nSubject: Abwesend: {letter['Message-ID']}\n{heads}\nIch bin ab 12.06. wieder da.\n"
    office.post(sender, OURS, away.encode())
    assert look(app, servers, 1) == [Outcome.AUTOMATIC]
    assert of(app, Invitation)[0].reply is Reply.OPEN
    assert sent(app, LATER).sent == 0, "nothing is answered"


def test_a_report_of_a_real_server_marks_the_address(app, servers, office, in_house):
    nobody = "niemand@traeger.example"
    invited(app, in_house, nobody)
    assert of(app, Mail)[0].state is MailState.SENT, "the server took it"
    assert look(app, servers, 1) == [Outcome.BOUNCED]
    [letter] = of(app, Mail)
    assert letter.state is MailState.BOUNCED
    assert letter.error == '5.1.1 unknown user: "niemand@traeger.example"'
    assert [dead.address_key for dead in of(app, DeadAddress)] == [nobody]
    with in_house():
        invitations.send_reminders(db.session.get(Invitation, 1).conference, at=NOW + timedelta(days=2))
    assert sent(app, NOW + timedelta(days=3)).failed == 1, "nothing more goes there"


def test_f05_a_real_server_that_refuses_at_once_marks_the_address(app, servers, office, in_house):
    app.config["MAIL_PORT"] = office.strict_port
    with in_house():
        june = a_conference(an_account())
        guests = [an_invitation(june, email=address) for address in ("niemand@traeger.example", GUEST)]
        invitations.send_invitations(june, guests, at=NOW)
    result = sent(app)
    assert (result.sent, result.failed) == (1, 1), "one refused recipient stops no other"
    refused = of(app, Mail)[0]
    assert refused.state is MailState.FAILED and refused.error.startswith("550 5.1.1 ")
    assert [dead.address_key for dead in of(app, DeadAddress)] == ["niemand@traeger.example"]


def test_f04_what_is_sent_again_is_the_same_letter(app, servers, office, guest):
    """The worker died after the server had taken it: what comes a second time can be seen to be the same."""
    with app.app_context(), outbox.unit.writing():
        row = db.session.get(Mail, 1)
        row.state, row.sent_at, row.lease_until = MailState.SENDING, None, NOW
    assert sent(app, LATER).sent == 1
    first, second = mailbox_of(servers, "ada.muster", 2)
    assert first["Message-ID"] == second["Message-ID"]


def test_t37_the_button_of_the_mail_program_ends_reminders(app, servers, office, guest, in_house):
    with in_house():
        invitations.send_reminders(
            db.session.get(Invitation, guest.id).conference, at=NOW + timedelta(days=2)
        )
    assert sent(app, NOW + timedelta(days=2)).sent == 1
    reminder = mailbox_of(servers, "ada.muster", 2)[1]
    address = str(reminder["List-Unsubscribe"])
    assert address.startswith("<https://folgetermin.example/reminders/") and "=?" not in address
    assert reminder["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    client, path = app.test_client(), address.strip("<>").removeprefix("https://folgetermin.example")
    assert client.get(path).status_code == client.head(path).status_code == 200
    assert of(app, Invitation)[0].no_reminders_at is None, "looking ends nothing"
    assert client.post(path, data={"List-Unsubscribe": "One-Click"}).status_code == 200
    assert of(app, Invitation)[0].no_reminders_at is not None


def test_our_names_and_subjects_arrive_as_they_are_written(app, servers, office, in_house):
    """Long, with umlauts, signs of other scripts and those that mean something in a head: read by a mail client as meant."""
    name, title = "Nguyễn Thị Hồng, Øster-Ærø (d’Angelo)", "Bildungsträger: „Übergang“ & Ausbildung; " * 3
    with in_house():
        june = a_conference(an_account(), title=title.strip())
        guest = an_invitation(june, first_name="Оксана", last_name=name, email="kim.yilmaz@traeger.example")
        invitations.send_invitations(june, [guest], at=NOW)
    assert sent(app).sent == 1
    [letter] = mailbox_of(servers, "kim.yilmaz", 1)
    assert [address.addr_spec for address in letter["To"].addresses] == ["kim.yilmaz@traeger.example"]
    # Python 3.11 puts a space between two encoded words of a name; its older reader does as RFC 2047 says.
    as_written = email.message_from_bytes(letter.as_bytes(), policy=policy.compat32)["To"]
    assert str(make_header(decode_header(as_written))).startswith(f"Оксана {name} <")
    assert letter["Subject"] == of(app, Mail)[0].subject
    assert title.strip() in letter["Subject"]


def test_the_way_is_closed_to_everywhere_else(servers):
    """Of the test itself: nothing of it ever leaves this machine."""
    with smtplib.SMTP("127.0.0.1", servers[1].strict_port, timeout=30) as client:
        client.ehlo()
        client.mail(OURS)
        code, _words = client.rcpt("somebody@elsewhere.example")
        assert code in {250, 451, 454, 550, 554}
        client.rset()
    config = (servers[1].folder / "main.cf").read_text()
    assert "default_transport = error:" in config and "inet_interfaces = 127.0.0.1" in config
