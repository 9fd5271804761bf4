"""Guessing passwords is slow, and locks nobody else out."""

import secrets
import unicodedata
from base64 import urlsafe_b64decode
from datetime import timedelta
from pathlib import Path

import pytest
import time_machine
from flask_babel import force_locale
from limits import parse
from sqlalchemy import select

from conference import create_app
from conference.accounts import operations as accounts
from conference.accounts.models import Role
from conference.invitations.models import LinkPurpose
from conference.invitations.operations import personal_link
from conference.invitations.queries import link_by_token
from conference.kit import guesses, links
from conference.kit import tries as shared
from conference.kit.db import db
from conference.kit.errors import Refused
from conference.kit.limits import limiter
from conference.people import operations as people
from conference.people.models import AccountLink, LinkUse

from ..browser import Browser
from ..builders import NOW, a_conference, an_account, an_invitation
from ..conftest import SETTINGS
from ..servers import Guest, web


@pytest.fixture
def settings(settings):
    return settings | {"RATELIMIT_ENABLED": True, "CLOCK_START": NOW}


def tries(app, email, password, address):
    browser = Browser(app)
    fields = {"csrf_token": browser.csrf_token(), "email": email, "password": password}
    return browser.client.post(
        "/sign-in", data=fields, environ_overrides={"REMOTE_ADDR": address}
    ).status_code


def test_t18_who_guesses_a_password_is_slowed_and_the_right_person_elsewhere_is_not(app, in_house):
    with in_house():
        an_account(email="nora@agentur.example", password="richtig und lang genug 7")
    answers = [tries(app, "nora@agentur.example", f"falsch {number}", "192.0.2.1") for number in range(14)]
    assert answers[:10] == [422] * 10
    assert set(answers[10:]) == {429}
    assert tries(app, "NORA@agentur.example", "richtig und lang genug 7", "192.0.2.1") == 429, (
        "the same account"
    )
    assert tries(app, "other@agentur.example", "falsch", "192.0.2.1") == 422, "another account"
    assert tries(app, "nora@agentur.example", "richtig und lang genug 7", "192.0.2.77") == 303


def changes(browser, current, address="192.0.2.1"):
    fields = {"csrf_token": browser.csrf_token(), "current": current, "password": "ganz neues langes Wort 9"}
    return browser.client.post(
        "/account", data=fields | {"again": fields["password"]}, environ_overrides={"REMOTE_ADDR": address}
    ).status_code


def test_t18_who_sits_down_at_an_open_browser_does_not_try_out_passwords(app, in_house):
    """Changing the password asks for the present one: guessing there is as slow as at the door."""
    app.config["SECOND_FACTOR"] = "nobody"
    with in_house():
        nora = an_account(email="nora@agentur.example", password="richtig und lang genug 7")
    browser = Browser(app).sign_in(nora)
    assert [changes(browser, f"falsch {number}") for number in range(14)] == [409] * 10 + [429] * 4
    assert changes(browser, "richtig und lang genug 7") == 429, "not even by luck"
    assert changes(Browser(app).sign_in(nora), "richtig und lang genug 7", "192.0.2.77") == 303


def link(app, token, address, path="/invitation/"):
    return app.test_client().get(f"{path}{token}", environ_overrides={"REMOTE_ADDR": address})


def test_t05_wrong_links_are_not_found_slowed_by_address_and_no_right_one_is_ever_refused(app, in_house):
    with in_house():
        guest = an_invitation(a_conference())
        right = links.token_of(
            personal_link(guest.conference, guest.contact, LinkPurpose.INVITATION, at=NOW).nonce
        )
    paths = ("/invitation/", "/action/", "/data/", "/password/", "/reminders/")
    tried = [link(app, secrets.token_urlsafe(32), "192.0.2.1", paths[n % 5]) for n in range(60)]
    assert [answer.status_code for answer in tried] == [404] * 20 + [429] * 40
    assert {answer.headers["Content-Security-Policy"] for answer in tried} == {
        tried[0].headers["Content-Security-Policy"]
    }
    assert tried[-1].headers["Retry-After"]
    assert link(app, right, "192.0.2.1").status_code == 200, "an agency behind one address keeps its way in"
    assert link(app, secrets.token_urlsafe(32), "192.0.2.2").status_code == 404, "nobody else is slowed"


def test_t05_very_many_wrong_links_from_anywhere_raise_an_alarm_once(
    app, in_house, browser, monkeypatch, caplog
):
    monkeypatch.setattr(guesses, "ALARM", 30)
    with in_house():
        chief = an_account(Role.ADMIN)
    browser.sign_in(chief).open("/upkeep")
    assert not browser.sees("jemand rät")
    for number in range(40):
        link(app, secrets.token_urlsafe(32), f"192.0.2.{number}")
    said = [entry.message for entry in caplog.records if "guesses personal links" in entry.message]
    assert len(said) == 1, "once, not with each further try"
    assert "30 wrong ones" in said[0]
    figures = (
        app.test_client()
        .get("/metrics", environ_overrides={"REMOTE_ADDR": "127.0.0.1"})
        .get_data(as_text=True)
    )
    assert "folgetermin_wrong_links 40\n" in figures
    assert "folgetermin_wrong_links_alarm 1\n" in figures
    browser.open("/upkeep")
    assert browser.sees("jemand rät")
    browser.open("/")
    assert browser.sees("Jemand rät persönliche Links")


def test_t05_ten_thousand_random_tokens_open_nothing(house):
    """Nor does what is right but for one sign; the right one is of 256 bits, as what it is made of."""
    guest = an_invitation(a_conference())
    link = personal_link(guest.conference, guest.contact, LinkPurpose.INVITATION, at=NOW)
    right = links.token_of(link.nonce)
    assert link_by_token(right, NOW) is link
    assert len(urlsafe_b64decode(f"{right}=")) == len(bytes.fromhex(link.nonce)) == 32
    near = [right[:place] + "AB"[sign == "A"] + right[place + 1 :] for place, sign in enumerate(right)]
    near += [right[:-1], f"{right}A", right.swapcase(), link.nonce, link.token_hash]
    assert [token for token in near if link_by_token(token, NOW)] == []
    assert link.token_hash not in {links.hash_of(secrets.token_urlsafe(32)) for _number in range(10_000)}


def test_t05_a_count_that_cannot_be_kept_stops_nobody_and_is_kept_by_the_process(app):
    Path(app.instance_path, guesses.FILE).mkdir()
    Path(app.instance_path, shared.FILE).mkdir()
    tried = [link(app, "falsch", "192.0.2.1").status_code for _number in range(25)]
    assert tried == [404] * 20 + [429] * 5
    assert [tries(app, "nora@agentur.example", "falsch", "192.0.2.1") for _number in range(12)] == [
        422
    ] * 10 + [429] * 2


class Visitor(Guest):
    """Somebody without a link, at the web processes in turn."""

    def post_in_turn(self, ports, path, fields):
        answers = []
        for port in ports:
            self.port = port
            answers.append(self.call("POST", path, fields)[0])
        return answers


def test_t18_t05_two_web_processes_allow_no_more_tries_than_one(tmp_path):
    create_app(SETTINGS | {"INSTANCE": tmp_path, "DATABASE_URL": ""}).test_cli_runner().invoke(
        args=["prepare"]
    )
    with web(tmp_path, DATABASE_URL="") as one, web(tmp_path, DATABASE_URL="") as other:
        turns = [one.port, other.port]
        visitor = Visitor(one.port, "")
        visitor.call("GET", "/sign-in")
        fields = {"email": "nora@agentur.example", "password": "falsch"}
        assert visitor.post_in_turn(turns * 6, "/sign-in", fields) == [422] * 10 + [429] * 2
        assert not [path for path in tmp_path.iterdir() if b"127.0.0.1" in path.read_bytes()]
        wrong = []
        for number in range(24):
            visitor.port = turns[number % 2]
            wrong.append(visitor.call("GET", f"/invitation/{secrets.token_urlsafe(32)}")[0])
        assert wrong == [404] * 20 + [429] * 4


def test_t18_a_window_ends_by_the_clock_and_what_is_over_is_forgotten(app):
    with time_machine.travel(NOW, tick=False) as clock, app.test_request_context():
        assert [shared.one_more(limiter, parse("1 per hour"), "code", "7") for _number in range(2)] == [
            True,
            False,
        ]
        clock.shift(timedelta(hours=-3))
        assert shared.is_one_left(limiter, parse("1 per hour"), "code", "7"), (
            "a clock that was set back locks nobody out"
        )
        assert shared.one_more(limiter, parse("1 per hour"), "code", "7")
        assert not shared.is_one_left(limiter, parse("1 per hour"), "code", "7")
        assert shared.is_one_left(limiter, parse("1 per hour"), "code", "8")
        clock.shift(timedelta(minutes=61))
        assert shared.is_one_left(limiter, parse("1 per hour"), "code", "7")
        assert (shared.forget(), shared.forget()) == (1, 0)


def test_t18_who_is_right_writes_nothing_anywhere(app, in_house):
    with in_house():
        an_account(email="nora@agentur.example", password="richtig und lang genug 7")
    assert tries(app, "nora@agentur.example", "richtig und lang genug 7", "192.0.2.1") == 303
    assert not Path(app.instance_path, shared.FILE).exists()


def test_t18_a_thousand_wrong_passwords_are_slowed_before_they_cost_much(app, in_house):
    with in_house():
        an_account(email="nora@agentur.example", password="richtig und lang genug 7")
    answers = [tries(app, "nora@agentur.example", f"falsch {number}", "192.0.2.9") for number in range(80)]
    assert answers.count(422) == 10
    assert set(answers[10:]) == {429}


@pytest.mark.parametrize(
    ("password", "words"),
    [
        ("elf Zeichen", "mindestens 12 Zeichen"),
        ("x y" * 400, "höchstens 1024 Zeichen"),
        ("Passw0rt2026!", "Sehr viele"),
        ("sonyericsson", "Sehr viele"),
        ("monkeymonkey!", "Sehr viele"),
        ("abcdefghijk1", "zu leicht"),
        ("ababababababab", "zu leicht"),
        ("NoraBeispiel2026!", "Ihrem Namen"),
        ("nora.beispiel@agentur", "Ihrem Namen"),
        ("Folgetermin-2026", "Ihrem Namen"),
    ],
)
def test_t18_a_password_that_is_tried_first_is_refused_everywhere_with_the_reason(house, password, words):
    about = {"email": "nora.beispiel@agentur.example", "name": "Nora Beispiel"}
    with force_locale("de"), pytest.raises(Refused, match=words):
        an_account(**about, password=password)
    account = an_account(**about, password="Tee am frühen Morgen")
    with force_locale("de"), pytest.raises(Refused, match=words):
        accounts.change_password(account, "Tee am frühen Morgen", password, at=NOW, but="")
    people.send_link(account, LinkUse.RENEWAL, at=NOW)
    with force_locale("de"), pytest.raises(Refused, match=words):
        people.choose_password(db.session.scalars(select(AccountLink)).one(), password, at=NOW)


@pytest.mark.parametrize(
    "password",
    ["Nora mag lila Tee", "correct horse battery", "ßüäö" * 4 + " Wörter", "gut 7!" * 3 + "x" * 900 + "ende"],
)
def test_t18_long_ones_are_taken_whatever_their_signs(house, password):
    account = an_account(email="nora@agentur.example", name="Nora Beispiel", password=password)
    assert accounts.authenticate("nora@agentur.example", password) is account
    other = unicodedata.normalize("NFD", password)
    assert accounts.authenticate("nora@agentur.example", other) is account, "as another keyboard writes it"
    assert accounts.authenticate("nora@agentur.example", password[:-1]) is None
