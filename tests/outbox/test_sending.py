"""Sending what waits: to a real server, once, with plain reasons when it fails."""

import asyncio
import threading
from collections import Counter
from datetime import timedelta
from email import message_from_bytes, policy

import pytest

from conference.core.calendar import Attendee, Entry, Mailbox, invitation
from conference.kit import links, unit
from conference.kit.db import db
from conference.outbox import operations
from conference.outbox.models import Mail, MailState
from conference.outbox.operations import Drained, drain
from conference.outbox.queries import progress

from .. import smtp
from ..builders import NOW, a_mail

smtp_server = smtp.smtp_server
NONCE = "ab" * 32
URL = f"https://folgetermin.example/invitation/{links.mark_of(NONCE)}"


@pytest.fixture
def settings(smtp_server):
    return {"MAIL_SERVER": smtp_server.host, "MAIL_PORT": smtp_server.port}


@pytest.fixture
def post(app, in_house):
    """Queue letters, committed."""

    def write(number=1, **over):
        with in_house():
            return [a_mail(**over) for _number in range(number)]

    return write


@pytest.fixture
def send(app):
    def run(at=NOW, limit=None):
        with app.app_context():
            return drain(lambda: at, limit)

    return run


def rows(app):
    with app.app_context():
        found = list(db.session.scalars(db.select(Mail).order_by(Mail.id)))
        db.session.expunge_all()
        return found


def an_entry():
    entry = Entry(
        "june.1@folgetermin.example", 0, "Konferenz", NOW, NOW + timedelta(hours=5), "Europe/Berlin", "Herford", "", "",
        "CONFIRMED", NOW,
    )  # fmt: skip
    sender = Mailbox("Folgetermin", "konferenz@folgetermin.example")
    attendee = Attendee("Ada", "ada@traeger.example", rsvp=False)
    return invitation(entry, method="REQUEST", organiser=sender, attendee=attendee, stamp=NOW)


def test_a_letter_arrives_as_it_was_meant(app, in_house, smtp_server, send):
    with in_house():
        enclosure = operations.enclose("protokoll.pdf", "application/pdf", b"%PDF-1.7 test")
        a_mail(
            recipient=("Ada Müller", "ada@traeger.example"),
            subject="Einladung: Bildungsträgerkonferenz",
            text=f"Guten Tag Ada Müller,\n\nIhr Link:\n{URL}\n",
            button=("Antworten", URL),
            reply_to=("Nora Beispiel", "konferenz@agentur.example"),
            calendar=an_entry(),
            calendar_method="REQUEST",
            in_reply_to="<first@folgetermin.example>",
            enclosure=enclosure,
        )
    assert send() == Drained(sent=1)
    [envelope] = smtp_server.messages
    assert (envelope.mail_from, envelope.rcpt_tos) == (
        "konferenz@folgetermin.example",
        ["ada@traeger.example"],
    )
    message = message_from_bytes(envelope.content, policy=policy.default)
    [mail] = rows(app)
    heads = ["Subject", "To", "Reply-To", "Message-ID", "In-Reply-To", "Content-Language", "Auto-Submitted"]
    assert {name: str(message[name]) for name in heads} == {
        "Subject": "Einladung: Bildungsträgerkonferenz",
        "To": "Ada Müller <ada@traeger.example>",
        "Reply-To": "Nora Beispiel <konferenz@agentur.example>",
        "Message-ID": mail.message_id,
        "In-Reply-To": "<first@folgetermin.example>",
        "Content-Language": "de",
        "Auto-Submitted": "auto-generated",
    }
    assert [part.get_content_type() for part in message.walk()] == [
        "multipart/mixed", "multipart/alternative", "text/plain", "text/html", "text/calendar", "application/ics",
        "application/pdf",
    ]  # fmt: skip
    assert (mail.state, mail.sent_at, mail.error, mail.attempts) == (MailState.SENT, NOW, None, 1)


def test_the_link_is_complete_in_the_mail_and_never_in_the_database(app, in_house, smtp_server, send):
    with in_house():
        a_mail(text=f"Ihr Link:\n{URL}\n", button=("Antworten", URL))
    send()
    message = message_from_bytes(smtp_server.messages[0].content, policy=policy.default)
    with app.app_context():
        token = links.token_of(NONCE)
    address = f"https://folgetermin.example/invitation/{token}"
    plain, html = (message.get_body((kind,)).get_content() for kind in ("plain", "html"))
    assert address in plain
    assert html.count(f'href="{address}"') == 2
    assert token not in str([vars(mail) for mail in rows(app)])


def test_the_address_of_the_button_is_spelled_out_in_the_text(app, post, smtp_server, send):
    post(text="Danke für Ihre Zusage.\n", button=("Meine Anmeldung", URL))
    send()
    message = message_from_bytes(smtp_server.messages[0].content, policy=policy.default)
    with app.app_context():
        address = links.reveal(URL)
    assert (
        message.get_body(("plain",)).get_content().split()
        == f"Danke für Ihre Zusage. Meine Anmeldung: {address}".split()
    )


def test_everything_is_sent_over_few_connections(app, post, smtp_server, send):
    post(45)
    assert send() == Drained(sent=45)
    assert smtp_server.connections == 1
    assert len({str(message_from_bytes(e.content)["Message-ID"]) for e in smtp_server.messages}) == 45


def test_f17_two_workers_at_once_send_every_letter_once(app, post, smtp_server):
    post(60)
    results = []

    def work():
        with app.app_context():
            results.append(drain(lambda: NOW))

    threads = [threading.Thread(target=work) for _number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    received = Counter(message_from_bytes(envelope.content)["To"] for envelope in smtp_server.messages)
    assert (len(received), set(received.values())) == (60, {1})
    assert sum(result.sent for result in results) == 60
    assert {mail.state for mail in rows(app)} == {MailState.SENT}


def test_a_second_run_sends_nothing(post, smtp_server, send):
    post(3)
    send()
    assert send() == Drained()
    assert len(smtp_server.messages) == 3


def test_the_same_purpose_is_one_letter(app, in_house, smtp_server, send):
    with in_house():
        first = a_mail(purpose="invitation:1:1")
        assert a_mail(purpose="invitation:1:1", text="anders") is first
    with in_house():
        a_mail(purpose="invitation:1:1")
    assert send() == Drained(sent=1)
    assert len(rows(app)) == 1


def test_a_refused_address_fails_with_the_servers_words_and_the_others_go(app, post, smtp_server, send):
    post(3)
    smtp_server.rcpt_answers = [None, "550 5.1.1 User unknown", None]
    assert send() == Drained(sent=2, failed=1)
    assert [mail.state for mail in rows(app)] == [MailState.SENT, MailState.FAILED, MailState.SENT]
    assert rows(app)[1].error == "550 5.1.1 User unknown"


def test_a_busy_server_gets_the_letter_again_after_growing_waits(app, post, smtp_server, send):
    post()
    smtp_server.data_answers = ["451 4.3.0 later"] * 3
    moment, waits = NOW, []
    for _attempt in range(3):
        assert send(moment) == Drained(deferred=1)
        [mail] = rows(app)
        assert (mail.state, mail.error) == (MailState.DEFERRED, "451 4.3.0 later")
        waits.append((mail.due_at - moment).total_seconds())
        assert send(mail.due_at - timedelta(seconds=1)) == Drained()
        moment = mail.due_at
    assert waits == [60, 120, 240]
    assert send(moment) == Drained(sent=1)
    assert rows(app)[0].error is None


def test_after_three_days_of_refusals_a_letter_has_failed(app, post, smtp_server, send):
    post()
    smtp_server.data_answers = ["451 4.3.0 later"] * 100
    moment, result = NOW, Drained(deferred=1)
    while result == Drained(deferred=1):
        result = send(moment)
        moment = rows(app)[0].due_at
    assert result == Drained(failed=1)
    assert timedelta(days=2.5) < moment - NOW < timedelta(days=3.5)


def test_no_server_puts_the_whole_batch_off_with_one_connection(app, post, send):
    post(5)
    app.config["MAIL_PORT"] = 1
    assert send() == Drained(deferred=5)
    assert {(mail.state, "refused" in mail.error) for mail in rows(app)} == {(MailState.DEFERRED, True)}


def test_a_refused_password_puts_the_whole_batch_off(app, post, send):
    def never(_server, _session, _envelope, _mechanism, _data):
        return smtp_refusal

    from aiosmtpd.smtp import AuthResult

    smtp_refusal = AuthResult(
        success=False, handled=False, message="535 5.7.8 Authentication credentials invalid"
    )
    post(4)
    with smtp.running(authenticator=never, auth_require_tls=False) as server:
        app.config.update(MAIL_PORT=server.port, MAIL_USERNAME="folgetermin", MAIL_PASSWORD="wrong")
        assert send() == Drained(deferred=4)
        assert server.messages == []
    assert {mail.error for mail in rows(app)} == {"535 5.7.8 Authentication credentials invalid"}


def test_a_broken_connection_loses_no_letter(app, post, smtp_server, send):
    post(3)
    smtp_server.data_answers = [None, smtp.DISCONNECT, None]
    assert send() == Drained(sent=2, deferred=1)
    assert send(NOW + timedelta(minutes=1)) == Drained(sent=1)


def test_f04_a_dead_workers_letters_are_sent_again_with_the_same_message_id(app, post, smtp_server, send):
    [mail] = post()
    with app.app_context(), unit.writing():
        row = db.session.get(Mail, mail.id)
        row.state, row.lease_until, row.attempts = MailState.SENDING, NOW + operations.LEASE, 1
    assert send(NOW + timedelta(minutes=1)) == Drained()
    assert send(NOW + timedelta(minutes=2)) == Drained(sent=1)
    assert message_from_bytes(smtp_server.messages[0].content)["Message-ID"] == mail.message_id


def test_a_letter_at_which_every_worker_dies_is_given_up(app, post, smtp_server, send):
    [mail] = post()
    with app.app_context(), unit.writing():
        row = db.session.get(Mail, mail.id)
        row.state, row.lease_until, row.attempts = MailState.SENDING, NOW, operations.ATTEMPTS
    assert send() == Drained(failed=1)
    assert smtp_server.messages == []


def test_f25_a_letter_that_cannot_be_written_does_not_stop_the_others(app, post, smtp_server, send):
    post(button=("Antworten", "javascript:alert(1)"))
    post(recipient=("Ada", "ada@traeger.example\r\nBcc: x@evil.example"))
    post()
    assert send() == Drained(sent=1, failed=2)
    assert [mail.error for mail in rows(app)] == [
        "cannot be written: ValueError",
        "not sent: unsafe address",
        None,
    ]


def test_t21_an_encoded_word_in_name_or_subject_adds_no_recipient(post, smtp_server, send):
    trick = "=?utf-8?q?a=0D=0ABcc:_x@evil.example?="
    post(subject=trick, recipient=(trick, "ada@traeger.example"))
    assert send() == Drained(sent=1)
    [envelope] = smtp_server.messages
    assert envelope.rcpt_tos == ["ada@traeger.example"]
    assert message_from_bytes(envelope.content, policy=policy.default)["Bcc"] is None


def test_f05_no_transaction_is_open_while_the_server_is_asked(app, post, smtp_server, send):
    post(2)
    others = []
    take = smtp_server.handle_DATA

    async def slow(server, session, envelope):
        def write():
            with app.app_context(), unit.writing():
                db.session.execute(db.text("UPDATE mail SET kind = 'other' WHERE id = 1"))
            others.append("written")

        thread = threading.Thread(target=write)
        thread.start()
        thread.join(10)
        return await take(server, session, envelope)

    smtp_server.handle_DATA = slow
    assert send() == Drained(sent=2)
    assert others == ["written", "written"]


def test_a_limit_leaves_the_rest_waiting(post, smtp_server, send):
    post(5)
    assert send(limit=2) == Drained(sent=2)
    assert send(limit=0) == Drained()
    assert len(smtp_server.messages) == 2


def test_t37_the_worker_sends_no_more_per_minute_than_allowed(app, post, send):
    app.config["MAIL_PER_MINUTE"] = 3
    post(5)
    with app.app_context():
        limit = operations.per_minute()
    assert [send(NOW + timedelta(seconds=one), limit).sent for one in (0, 30, 61)] == [3, 0, 2]


def test_t37_workers_that_begin_at_once_share_what_a_minute_allows(app, post, smtp_server):
    """One more begins while another one has taken letters and sent none of them yet."""
    app.config["MAIL_PER_MINUTE"] = 5
    post(30)
    others, take = [], smtp_server.handle_DATA

    def work():
        with app.app_context():
            return drain(lambda: NOW, operations.per_minute())

    async def slow(server, session, envelope):
        if not others:
            others.append(None)
            others[:] = [await asyncio.get_running_loop().run_in_executor(None, work)]
        return await take(server, session, envelope)

    smtp_server.handle_DATA = slow
    assert work() == Drained(sent=5)
    assert others == [Drained()]


def test_letters_wait_while_no_server_is_set(app, post, send):
    post(2)
    app.config["MAIL_SERVER"] = ""
    assert send() == Drained()
    assert {(mail.state, mail.attempts) for mail in rows(app)} == {(MailState.QUEUED, 0)}


def test_in_demo_mode_letters_count_as_sent_without_a_server(app, post, smtp_server, send):
    post(2)
    app.config.update(DEMO=True, MAIL_SERVER="")
    assert send() == Drained(sent=2)
    assert smtp_server.messages == []


def test_the_demos_story_delivers_each_letter_when_it_was_written(app, post):
    post(2)
    later = NOW + timedelta(days=60)
    with app.app_context():
        operations.deliver_demo_mail(later)
    assert {(mail.state, mail.sent_at) for mail in rows(app)} == {(MailState.SENT, NOW)}


def test_progress_counts_what_waits_went_and_failed(app, post, smtp_server, send):
    post(4, batch="b")
    post(2, batch="other")
    smtp_server.rcpt_answers = [None, "550 no", "451 later"]
    send()
    with app.app_context():
        found = progress("b")
    assert (found.sent, found.failed, found.waiting, found.total, found.is_running) == (2, 1, 1, 4, True)


def test_after_the_commit_the_worker_is_woken_and_sends(app, post, smtp_server):
    from conference.kit import jobs

    app.config["CLOCK_START"] = NOW
    post(3)
    worker = jobs.queue(app)
    assert worker.pending_count() == 1
    worker.execute(worker.dequeue())
    assert len(smtp_server.messages) == 3


def test_f07_a_letter_that_was_rolled_back_is_never_sent(app, smtp_server, send):
    from conference.kit import jobs

    with app.app_context(), unit.writing() as end:
        a_mail()
        end(False)
    assert jobs.queue(app).pending_count() == 0
    assert send() == Drained()
