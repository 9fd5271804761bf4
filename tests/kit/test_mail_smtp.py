"""Letters on their way: a real server on this machine takes them, or does not."""

import ssl
import subprocess
from dataclasses import replace
from email import message_from_bytes, policy

import pytest
from aiosmtpd.smtp import AuthResult

from conference.core.calendar import Mailbox
from conference.kit.mail import Postman, SendFailed, SmtpSettings
from tests import smtp

from .test_mail import CALENDAR, INJECTION, LETTER, OFFICE


def settings_of(server, **changes):
    return replace(SmtpSettings(server.host, server.port, timeout=5), **changes)


def sent(server):
    return [message_from_bytes(envelope.content, policy=policy.default) for envelope in server.messages]


def failure_of(postman, letter=LETTER):
    with pytest.raises(SendFailed) as failure:
        postman.send(letter)
    return failure.value


def test_a_letter_arrives_with_its_own_envelope(smtp_server):
    with Postman(settings_of(smtp_server)) as postman:
        postman.send(replace(LETTER, calendar=CALENDAR, envelope_from="bounce+tok99@agentur.example"))
    [envelope] = smtp_server.messages
    assert (envelope.mail_from, envelope.rcpt_tos) == (
        "bounce+tok99@agentur.example",
        ["anke.brinkmann@bw-ravensberg.example"],
    )
    [message] = sent(smtp_server)
    assert message["Subject"] == "Einladung zur Bildungsträgerkonferenz am 06.06.2023"
    [calendar] = [part for part in message.walk() if part.get_content_type() == "text/calendar"]
    assert calendar.get_payload(decode=True) == CALENDAR


def test_bounces_come_back_to_the_sender_unless_the_letter_says_otherwise(smtp_server):
    with Postman(settings_of(smtp_server)) as postman:
        postman.send(LETTER)
    assert smtp_server.messages[0].mail_from == OFFICE.address


def test_lines_with_single_dots_survive_the_way(smtp_server):
    with Postman(settings_of(smtp_server)) as postman:
        postman.send(replace(LETTER, text=".\n..\nMAIL FROM:<x@evil.test>\n.\nEnde\n", html=""))
    [message] = sent(smtp_server)
    assert message.get_content() == ".\r\n..\r\nMAIL FROM:<x@evil.test>\r\n.\r\nEnde\r\n"


def test_t21_an_encoded_word_adds_no_recipient(smtp_server):
    with Postman(settings_of(smtp_server)) as postman:
        postman.send(
            replace(LETTER, subject=INJECTION, recipient=Mailbox(INJECTION, LETTER.recipient.address))
        )
    assert smtp_server.messages[0].rcpt_tos == [LETTER.recipient.address]
    assert b"bcc" not in smtp_server.messages[0].content.lower().split(b"\r\n\r\n")[0].replace(b"0abcc", b"")
    [message] = sent(smtp_server)
    assert (message["Bcc"], message["Subject"]) == (None, "= ?utf-8?q?a=0ABcc:_x@evil.test?=")


def test_a_batch_needs_one_connection(smtp_server):
    with Postman(settings_of(smtp_server)) as postman:
        for number in range(3):
            postman.send(replace(LETTER, message_id=f"{number}@folgetermin.example"))
    assert [message["Message-ID"] for message in sent(smtp_server)] == [
        f"<{number}@folgetermin.example>" for number in range(3)
    ]
    assert smtp_server.connections == 1


@pytest.mark.parametrize("moment", ["rcpt_answers", "data_answers"])
@pytest.mark.parametrize(
    ("answer", "permanent", "concerns_server"),
    [
        ("451 4.3.0 Try again later", False, False),
        ("452 4.2.2 Mailbox full", False, False),
        ("550 5.1.1 No such user", True, False),
        ("552 5.3.4 Too big", True, False),
        ("550 5.7.1 Relaying denied", True, True),
        ("530 5.7.0 Sign in first", True, True),
    ],
)
def test_a_refusal_says_whether_to_try_again(smtp_server, moment, answer, permanent, concerns_server):
    getattr(smtp_server, moment).append(answer)
    with Postman(settings_of(smtp_server)) as postman:
        failure = failure_of(postman)
        postman.send(LETTER)
    assert (failure.permanent, failure.concerns_server) == (permanent, concerns_server)
    assert f"{failure.code} {failure.reason}" == answer
    assert len(smtp_server.messages) == 1


@pytest.mark.parametrize("moment", ["rcpt_answers", "data_answers"])
def test_a_broken_connection_is_opened_again_for_the_next_letter(smtp_server, moment):
    getattr(smtp_server, moment).append(smtp.DISCONNECT)
    with Postman(settings_of(smtp_server)) as postman:
        failure = failure_of(postman)
        postman.send(LETTER)
    assert (failure.permanent, failure.code, failure.concerns_server) == (False, 0, False)
    assert (len(smtp_server.messages), smtp_server.connections) == (1, 2)


def test_a_server_that_goes_away_in_the_middle_of_a_batch_is_a_matter_of_the_server():
    with smtp.running() as server:
        postman = Postman(settings_of(server))
        postman.send(LETTER)
    failure = failure_of(postman)
    assert (failure.permanent, failure.concerns_server) == (False, True)


def test_a_server_that_hangs_up_between_two_letters_loses_none(smtp_server):
    with Postman(settings_of(smtp_server)) as postman:
        postman.send(LETTER)
        smtp_server.hang_up()
        postman.send(LETTER)
    assert (len(smtp_server.messages), smtp_server.connections) == (2, 2)


@pytest.mark.parametrize("host", ["", "no-such-host.invalid", "a..b", "x" * 300, "bad host", "host\x00name"])
def test_a_server_that_cannot_be_found_is_a_matter_of_the_server(host):
    failure = failure_of(Postman(SmtpSettings(host, 25, timeout=5)))
    assert (failure.permanent, failure.code, failure.concerns_server) == (False, 0, True)
    assert failure.reason


def test_a_server_that_is_not_there_is_a_matter_of_the_server():
    with smtp.running() as server:
        settings = settings_of(server)
    failure = failure_of(Postman(settings))
    assert (failure.permanent, failure.concerns_server) == (False, True)
    assert "refused" in failure.reason


def test_t21_a_letter_that_is_unsafe_never_reaches_the_server(smtp_server):
    with Postman(settings_of(smtp_server)) as postman:
        failure = failure_of(postman, replace(LETTER, recipient=Mailbox("Gast", "a@b.example, x@evil.test")))
        bad_envelope = failure_of(postman, replace(LETTER, envelope_from="a b"))
    assert (failure.permanent, failure.reason, failure.concerns_server) == (
        True,
        "not sent: unsafe address",
        False,
    )
    assert bad_envelope.permanent
    assert smtp_server.connections == 0


def test_f05_a_server_without_encryption_gets_nothing_where_encryption_is_set(smtp_server):
    with Postman(settings_of(smtp_server, security="starttls")) as postman:
        failure = failure_of(postman)
    assert (failure.permanent, failure.concerns_server) == (False, True)
    assert smtp_server.messages == []


@pytest.fixture
def certificate(tmp_path):
    key, cert = tmp_path / "key.pem", tmp_path / "cert.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", cert, "-days", "2",
         "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"],
        check=True, capture_output=True,
    )  # fmt: skip
    return key, cert


def encrypted(certificate):
    key, cert = certificate
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    return context


def test_f05_a_certificate_that_nobody_vouches_for_is_refused(certificate):
    with smtp.running(tls_context=encrypted(certificate)) as server:
        failure = failure_of(Postman(settings_of(server, security="starttls")))
    assert (failure.permanent, failure.concerns_server) == (False, True)
    assert "CERTIFICATE_VERIFY_FAILED" in failure.reason
    assert server.messages == []


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_letter_travels_encrypted_where_the_certificate_is_good(certificate, monkeypatch, security):
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate[1]))
    context = encrypted(certificate)
    how = (
        {"ssl_context": context} if security == "tls" else {"tls_context": context, "require_starttls": True}
    )
    with smtp.running(**how) as server, Postman(settings_of(server, security=security)) as postman:
        postman.send(LETTER)
    assert len(server.messages) == 1


@pytest.mark.filterwarnings("ignore:Requiring AUTH")
def test_a_password_opens_the_way_and_a_wrong_one_stops_the_batch():
    def authenticate(server, session, envelope, mechanism, data):
        return AuthResult(success=data.password == b"right", handled=False)

    with smtp.running(authenticator=authenticate, auth_required=True, auth_require_tls=False) as server:
        good = settings_of(server, username="konferenz", password="right")
        with Postman(good) as postman:
            postman.send(LETTER)
        failure = failure_of(Postman(replace(good, password="wrong")))
    assert (failure.permanent, failure.code, failure.concerns_server) == (False, 535, True)
    assert len(server.messages) == 1
    assert "wrong" not in failure.reason
