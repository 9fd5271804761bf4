"""Passkeys: made on the page of the account, answered at the sign-in, and not believed where anything is odd."""

from datetime import timedelta

import pytest
import time_machine

from conference.accounts.models import Passkey, RecoveryCode, Role, SpentChallenge
from conference.kit.db import db

from ..authenticator import Key
from ..builders import NOW, an_account
from .conftest import GOOD

PAGE = "accounts.show_own"


def asked(browser, endpoint):
    return browser.open(endpoint).get_json()


def signed_in(browser, email="nora@agentur.example"):
    browser.submit("accounts.sign_in", {"email": email, "password": GOOD})
    return browser


def make(browser, key, name="Laptop", status=200):
    answer = key.make(asked(browser, "accounts.ask_new_passkey"))
    browser.submit("accounts.new_passkey", {"name": name, "credential": answer}, status=status)
    return key


def answer(browser, key):
    return key.answer(asked(browser, "accounts.ask_passkey"))


def enter(browser, key, status=303):
    browser.submit("accounts.enter_passkey", {"credential": answer(browser, key)}, status=status)
    return browser


@pytest.fixture
def key(browser, nora):
    made = make(signed_in(browser), Key())
    browser.submit("accounts.sign_out")
    return made


def test_a_passkey_alone_lets_in_and_says_when_it_was_used(browser, in_house, key):
    enter(browser, key).open(PAGE)
    assert browser.sees("Laptop")
    assert not browser.sees("noch nicht")
    with in_house():
        assert db.session.query(RecoveryCode).count() == 10


def test_a_passkey_is_the_second_step_after_the_password(browser, key):
    signed_in(browser).open(PAGE, status=303)
    key.verifies = False
    options = asked(browser, "accounts.ask_second_passkey")
    assert [one["id"] for one in options["allowCredentials"]], "the browser is told which passkeys are meant"
    browser.submit("accounts.enter_second_passkey", {"credential": key.answer(options)})
    browser.open(PAGE)


def test_a_recovery_code_lets_in_who_has_lost_the_device(browser, new_browser, nora):
    make(signed_in(browser), Key())
    codes = [node.text for node in browser.page.iter("{http://www.w3.org/1999/xhtml}code")]
    other = signed_in(new_browser())
    other.submit("accounts.enter_code", {"code": codes[0]})
    other.open(PAGE)


def test_t17_an_answer_counts_once_in_any_browser_with_any_cookie(browser, new_browser, key):
    first = answer(browser, key)
    with browser.client.session_transaction() as session:
        kept = dict(session)
    browser.submit("accounts.enter_passkey", {"credential": first})
    thief = new_browser()
    with thief.client.session_transaction() as session:
        session.update(kept)
    thief.submit("accounts.enter_passkey", {"credential": first}, status=409)
    thief.open(PAGE, status=303)


def test_t17_a_challenge_is_bound_to_the_browser_that_was_given_it(browser, new_browser, key):
    stolen = answer(browser, key)
    other = new_browser()
    asked(other, "accounts.ask_passkey")
    other.submit("accounts.enter_passkey", {"credential": stolen}, status=409)
    other.open(PAGE, status=303)


def test_t17_a_challenge_is_given_up_with_the_first_try_and_after_five_minutes(browser, key):
    with time_machine.travel(NOW, tick=False) as clock:
        options = asked(browser, "accounts.ask_passkey")
        browser.submit("accounts.enter_passkey", {"credential": "{}"}, status=409)
        browser.submit("accounts.enter_passkey", {"credential": key.answer(options)}, status=409)
        late = answer(browser, key)
        clock.shift(timedelta(minutes=6))
        browser.submit("accounts.enter_passkey", {"credential": late}, status=409)
        enter(browser, key)


def test_a_challenge_for_one_thing_is_not_answered_for_another(browser, key):
    signed_in(browser)
    for ask, enter_by in (("ask_passkey", "enter_second_passkey"), ("ask_second_passkey", "enter_passkey")):
        options = asked(browser, f"accounts.{ask}")
        browser.submit(f"accounts.{enter_by}", {"credential": key.answer(options)}, status=409)


@pytest.mark.parametrize(
    "lie",
    [
        {"origin": "https://folgetermin.example.evil.example"},
        {"origin": "http://folgetermin.example"},
        {"verifies": False},
        {"id": b"a key that nobody knows here"},
        {"handle": b"somebody else"},
        {"secret": Key().secret},
    ],
    ids=lambda lie: next(iter(lie)),
)
def test_what_is_odd_is_not_believed(browser, key, lie):
    vars(key).update(lie)
    enter(browser, key, status=409).open(PAGE, status=303)


def test_an_address_in_the_request_changes_nothing(app, browser, key):
    """Name and origin come from the settings alone, whatever Host says."""
    key.origin = "https://evil.example"
    headers = {"Host": "evil.example"}
    options = browser.open("accounts.ask_passkey", headers=headers).get_json()
    assert options["rpId"] == "folgetermin.example"
    browser.submit("accounts.enter_passkey", {"credential": key.answer(options)}, status=409)


def test_a_counter_that_goes_back_betrays_a_copy(browser, key):
    key.count = 7
    enter(browser, key)
    browser.submit("accounts.sign_out")
    for count in (7, 3):
        key.count = count
        enter(browser, key, status=409)
    key.count = 8
    enter(browser, key)


def test_every_passkey_and_every_wrong_answer_is_written_down_by_number_only(browser, nora, told):
    key = make(signed_in(browser), Key())
    browser.submit("accounts.sign_out")
    replayed = answer(browser, key)
    browser.submit("accounts.enter_passkey", {"credential": replayed})
    browser.submit("accounts.sign_out")
    browser.submit("accounts.enter_passkey", {"credential": replayed}, status=409)
    enter(browser, Key(), status=409)
    key.count = 1
    enter(browser, key)
    browser.submit("accounts.sign_out")
    enter(browser, key, status=409)
    signed_in(browser)
    asked(browser, "accounts.ask_second_passkey")
    browser.submit("accounts.enter_second_passkey", {"credential": "{}"}, status=409)
    said = [(one["event"], one["account"], one.get("way")) for one in told() if "event" in one]
    assert said == [
        ("signed-in", nora.id, "password"), ("passkey-made", nora.id, None), ("signed-out", nora.id, None),
        ("passkey-taken", nora.id, None), ("signed-in", nora.id, "passkey"), ("signed-out", nora.id, None),
        ("passkey-not-asked", "unknown", None), ("passkey-wrong", "unknown", None),
        ("passkey-taken", nora.id, None), ("signed-in", nora.id, "passkey"), ("signed-out", nora.id, None),
        ("passkey-wrong", nora.id, None), ("passkey-wrong", nora.id, None),
    ]  # fmt: skip


def test_nobody_passes_the_second_step_with_a_passkey_of_another_account(browser, new_browser, in_house, key):
    with in_house():
        an_account(Role.COLLEAGUE, email="otto@agentur.example", password=GOOD)
    ottos = make(signed_in(new_browser(), "otto@agentur.example"), Key())
    signed_in(browser)
    options = asked(browser, "accounts.ask_second_passkey")
    browser.submit("accounts.enter_second_passkey", {"credential": ottos.answer(options)}, status=409)
    browser.open(PAGE, status=303)


def test_a_removed_passkey_opens_nothing_and_nobody_removes_anothers(browser, new_browser, in_house, key):
    with in_house():
        stranger = an_account()
        number = db.session.query(Passkey).one().id
    for endpoint in ("accounts.remove_passkey", "accounts.rename_passkey"):
        new_browser().sign_in(stranger).open(endpoint, passkey_id=number, status=404)
        new_browser().sign_in(stranger).submit(endpoint, {"name": "meins"}, passkey_id=number, status=404)
    enter(browser, key).submit("accounts.remove_passkey", passkey_id=number)
    enter(new_browser(), key, status=409).open(PAGE, status=303)
    with in_house():
        assert db.session.query(RecoveryCode).count() == 0, "the last factor takes its codes with it"


def test_a_closed_account_has_no_passkey(browser, in_house, key, nora):
    with in_house():
        db.session.merge(nora).active = False
    enter(browser, key, status=409)


def test_making_and_removing_asks_who_it_is_when_the_sign_in_was_a_while_ago(browser, in_house, nora, told):
    with time_machine.travel(NOW, tick=False) as clock:
        signed_in(browser)
        clock.shift(timedelta(minutes=16))
        browser.open("accounts.new_passkey")
        assert 'name="password"' in browser.html
        make(browser, Key(), status=409)
        fields = {"name": "Laptop", "password": GOOD}
        answer = Key().make(asked(browser, "accounts.ask_new_passkey"))
        browser.submit("accounts.new_passkey", fields | {"credential": answer}, status=200)
        with in_house():
            number = db.session.query(Passkey).one().id
        browser.submit("accounts.remove_passkey", {"password": "geraten"}, passkey_id=number, status=409)
        browser.submit("accounts.remove_passkey", {"password": GOOD}, passkey_id=number)
    said = [one["event"] for one in told() if "event" in one]
    assert said == ["signed-in", "password-wrong", "passkey-made", "password-wrong", "passkey-removed"]


def test_each_passkey_has_a_name_of_its_own_and_another_when_wished(browser, in_house, nora):
    make(signed_in(browser), Key(), "Laptop")
    make(browser, Key(), "laptop", status=409)
    make(browser, Key(), "Schlüssel", status=303)
    with in_house():
        numbers = [one.id for one in db.session.query(Passkey).order_by(Passkey.id)]
        assert len({one.handle for one in db.session.query(Passkey)}) == 1
    browser.submit("accounts.rename_passkey", {"name": "Laptop"}, passkey_id=numbers[1], status=409)
    browser.submit("accounts.rename_passkey", {"name": "Blauer Schlüssel"}, passkey_id=numbers[1])
    assert browser.sees("Blauer Schlüssel")


def test_the_same_device_is_not_taken_twice(browser, nora):
    key = make(signed_in(browser), Key())
    make(browser, key, "Noch einmal", status=409)


@pytest.mark.parametrize(
    "said", ["", "{", "[]", "null", "[" * 5000, '{"id":1}', "ÿ\ud800".encode("utf-8", "replace")]
)
def test_nonsense_is_no_answer(browser, nora, said):
    asked(browser, "accounts.ask_passkey")
    browser.submit("accounts.enter_passkey", {"credential": said}, status=422 if said == "" else 409)
    signed_in(browser)
    asked(browser, "accounts.ask_new_passkey")
    fields = {"name": "Laptop", "credential": said}
    browser.submit("accounts.new_passkey", fields, status=422 if said == "" else 409)


def test_what_was_answered_is_forgotten_when_it_has_expired(browser, in_house, key):
    with time_machine.travel(NOW, tick=False) as clock:
        enter(browser, key)
        clock.shift(timedelta(minutes=30))
        enter(browser, key)
    with in_house():
        assert (
            db.session.query(SpentChallenge)
            .filter(SpentChallenge.expires_at < NOW + timedelta(minutes=25))
            .count()
            == 0
        )


class TestWhereBrowsersAllowNone:
    @pytest.fixture
    def settings(self):
        return {"BASE_URL": "http://127.0.0.1:8000"}

    def test_the_pages_say_so_and_the_password_goes_on_working(self, browser, nora):
        browser.open("accounts.sign_in")
        assert not browser.sees("Passkey")
        browser.open("accounts.ask_passkey", status=404)
        signed_in(browser).open("accounts.new_passkey")
        assert browser.sees("unter der Adresse dieses Servers")
