"""What a mail server and a dying worker can do to letters: none is lost, none is doubled without need (F04, F05)."""

import asyncio
import os
import random
import signal
import ssl
import threading
import time
from collections import Counter
from datetime import timedelta
from email import message_from_bytes

import pytest

from conference.core.mail_answers import meaning
from conference.kit.db import db
from conference.outbox import operations, queries
from conference.outbox.models import Mail, MailState
from conference.outbox.operations import Drained, drain

from .. import smtp
from ..builders import NOW
from .test_sending import post, rows, send

smtp_server, fixtures = smtp.smtp_server, (post, send)
LETTERS, KILLS = 300, 30


@pytest.fixture
def settings(smtp_server):
    return {"MAIL_SERVER": smtp_server.host, "MAIL_PORT": smtp_server.port, "MAIL_TIMEOUT": 1}


def a_worker(app, moment):
    """A process of its own that sends what is due; nothing of it survives SIGKILL."""
    child = os.fork()
    if child:
        return child
    try:
        with app.app_context():
            db.engine.dispose(close=False)
            drain(lambda: moment)
    finally:
        os._exit(0)


def test_f04_300_letters_survive_30_kills(app, post, smtp_server):
    post(LETTERS)
    with app.app_context():
        db.session.remove()
        db.engine.dispose()
    chance, moment = random.Random(4), NOW
    take, got = smtp_server.handle_DATA, threading.Semaphore(0)

    async def counted(server, session, envelope):
        answer = await take(server, session, envelope)
        got.release()
        await asyncio.sleep(0.002)  # so that a kill can fall between the letter and the answer
        return answer

    smtp_server.handle_DATA = counted
    for _number in range(KILLS):
        worker = a_worker(app, moment)
        for _letter in range(chance.randrange(1, 10)):
            assert got.acquire(timeout=30)
        time.sleep(chance.random() * 0.006)
        os.kill(worker, signal.SIGKILL)
        os.waitpid(worker, 0)
        moment += operations.LEASE
    smtp_server.handle_DATA = take
    with app.app_context():
        drain(lambda: moment)
    arrived = Counter(str(message_from_bytes(one.content)["Message-ID"]) for one in smtp_server.messages)
    letters = rows(app)
    assert set(arrived) == {mail.message_id for mail in letters}, "a letter is lost"
    assert {mail.state for mail in letters} == {MailState.SENT}
    assert arrived.total() - LETTERS <= KILLS, "more than one duplicate for each kill"


def test_f04_a_letter_at_which_workers_die_harms_no_other(app, post, smtp_server):
    mails = post(3)
    with app.app_context(), operations.unit.writing():
        for mail in mails:
            row = db.session.get(Mail, mail.id)
            row.state, row.lease_until, row.attempts = MailState.SENDING, NOW, operations.SUSPECT
    with app.app_context():
        taken = operations._claim(NOW, 20)
        assert len(taken) == 1
        assert len(operations._claim(NOW, 20)) == 1, (
            "the next one is taken while the first is under its lease"
        )


@pytest.mark.parametrize(
    ("answer", "state", "trouble"),
    [
        ("421 4.3.2 closing", MailState.DEFERRED, "later"),
        ("451 4.3.0 later", MailState.DEFERRED, "later"),
        ("452 4.2.2 mailbox full", MailState.DEFERRED, "full"),
        ("550 5.1.1 User unknown", MailState.FAILED, "no_mailbox"),
        ("554 5.7.1 spam", MailState.FAILED, "refused"),
    ],
)
def test_f05_answers_of_the_server(app, post, smtp_server, send, answer, state, trouble):
    post()
    smtp_server.data_answers = [answer]
    send()
    [mail] = rows(app)
    assert (mail.state, meaning(mail.error)) == (state, trouble)


def test_f05_a_server_that_hangs_after_the_letter_loses_nothing(app, post, smtp_server, send):
    post(2)
    take, told = smtp_server.handle_DATA, []

    async def hanging(server, session, envelope):
        told.append(envelope)
        if len(told) == 1:
            await asyncio.sleep(1.5)
        return await take(server, session, envelope)

    smtp_server.handle_DATA = hanging
    assert send() == Drained(sent=1, deferred=1)
    [late, _sent] = rows(app)
    assert (late.state, meaning(late.error)) == (MailState.DEFERRED, "unreachable")
    assert send(NOW + timedelta(minutes=1)) == Drained(sent=1)
    assert {mail.state for mail in rows(app)} == {MailState.SENT}


def test_f05_a_server_that_drips_cannot_outlast_the_lease(app, post, send):
    """Each byte begins the wait for an answer anew: only the deadline of the letter ends it."""
    import socket

    from conference.kit.mail import Postman, SmtpSettings
    from conference.kit.mail.smtp import SendFailed
    from conference.outbox.operations import letter_of

    post()
    listener = socket.create_server(("127.0.0.1", 0))

    def drip():
        line, _address = listener.accept()
        try:
            for _byte in range(100):
                line.send(b"2")
                time.sleep(0.05)
        except OSError:
            pass

    threading.Thread(target=drip, daemon=True).start()
    settings = SmtpSettings("127.0.0.1", listener.getsockname()[1], timeout=1, deadline=0.3)
    with app.app_context():
        letter = letter_of(db.session.get(Mail, 1), at=NOW)
        db.session.rollback()
        begun = time.monotonic()
        with Postman(settings) as postman, pytest.raises(SendFailed):
            postman.send(letter)
    assert time.monotonic() - begun < 3
    listener.close()


def test_f05_a_line_that_breaks_after_the_250_sends_nothing_twice(app, post, smtp_server, send):
    post(2)
    take = smtp_server.handle_DATA

    async def abrupt(server, session, envelope):
        answer = await take(server, session, envelope)
        await server.push(answer)
        server.transport.close()
        return answer

    smtp_server.handle_DATA = abrupt
    assert send() == Drained(sent=2)
    assert len({message_from_bytes(one.content)["Message-ID"] for one in smtp_server.messages}) == 2
    assert len(smtp_server.messages) == 2


def test_f05_without_tls_nothing_is_sent(app, post, smtp_server, send):
    post(2)
    app.config["MAIL_SECURITY"] = "starttls"
    assert send() == Drained(deferred=2)
    assert smtp_server.messages == []
    assert {meaning(mail.error) for mail in rows(app)} == {"unsafe_line"}


def test_f05_a_wrong_certificate_stops_the_letter(app, post, send, tmp_path):
    from subprocess import run

    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=other.example",
         "-keyout", key, "-out", certificate], check=True, capture_output=True,
    )  # fmt: skip
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    post()
    with smtp.running(tls_context=context) as server:
        app.config.update(MAIL_PORT=server.port, MAIL_SECURITY="starttls")
        assert send() == Drained(deferred=1)
        assert server.messages == []
    [mail] = rows(app)
    assert meaning(mail.error) == "unsafe_line"


def test_t37_nothing_more_goes_to_an_address_that_does_not_exist(app, post, smtp_server, send):
    post(recipient=("Ada", "ada@traeger.example"))
    smtp_server.rcpt_answers = ["550 5.1.1 User unknown"]
    send()
    [second] = post(recipient=("Ada", "Ada@traeger.example"))
    assert send() == Drained(failed=1)
    assert rows(app)[1].error == "550 5.1.1 User unknown"
    assert smtp_server.connections == 1, "the server is not even asked"
    with app.app_context(), operations.unit.writing():
        operations.retry(db.session.get(Mail, second.id), at=NOW)
    assert send() == Drained(sent=1), "whoever tries again says that the address is good"


def test_t02_what_was_delivered_holds_no_link(app, post, smtp_server, send):
    from .test_sending import URL

    post(text=f"Ihr Link:\n{URL}\n", button=("Antworten", URL), kind="reminder")
    smtp_server.data_answers = ["451 later"]
    send()
    assert "~link-" in rows(app)[0].text, "it is still needed"
    send(NOW + timedelta(minutes=1))
    [mail] = rows(app)
    assert mail.state is MailState.SENT
    assert "~link-" not in str(vars(mail))
    assert (mail.kind, mail.about, mail.subject) == ("reminder", "june-2023", "Einladung")


def test_f16_held_and_paused_letters_wait(app, post, smtp_server, send):
    post()
    with app.app_context(), operations.unit.writing():
        operations.pause(at=NOW)
        assert queries.delivery() == "paused"
    assert send() == Drained()
    with app.app_context(), operations.unit.writing():
        assert operations.release(None, at=NOW)
    assert send() == Drained(sent=1)
