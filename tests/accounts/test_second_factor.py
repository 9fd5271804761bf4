"""REQ-29: whoever may change things must show more than a password; before that no page of staff opens."""

import pyotp
import pytest

from conference.accounts import operations
from conference.accounts.models import Role, Way
from conference.conferences.operations import give_role
from conference.kit import clock
from conference.kit.db import db

from ..authenticator import Key
from ..builders import NOW, a_conference, a_series, an_account

GOOD = "correct horse battery"


def signed_in(browser, account, target=""):
    browser.submit("accounts.sign_in", {"email": account.email, "password": GOOD, "next": target})
    return browser


def is_held(browser):
    return browser.open("/account", status=None).status_code == 303


def someone(in_house, role):
    with in_house():
        return an_account(role, email="nora@agentur.example", password=GOOD)


def set_up_app(browser):
    browser.open("accounts.begin_second_factor")
    with browser.client.session_transaction() as session, browser.app.app_context():
        secret = operations.secret_of(session["factor"])
        code = pyotp.TOTP(secret).at(clock.now())
    return browser.submit("accounts.begin_second_factor", {"code": code}, status=200)


@pytest.mark.parametrize("role", [Role.ADMIN, Role.ORGANISER])
def test_req29_nothing_opens_before_a_second_factor_is_set_up(browser, in_house, role):
    signed_in(browser, someone(in_house, role), "/series/new")
    assert browser.response.status_code == 303
    for page in ("/", "/series/new", "/account", "/providers"):
        assert browser.open(page, status=303).headers["Location"] == "/account/second-factor/needed"
    answer = browser.client.post("/series/new", data={"csrf_token": browser.csrf_token(), "title": "Neu"})
    assert answer.headers["Location"] == "/account/second-factor/needed"
    browser.open("accounts.need_factor")
    assert "/account/second-factor" in browser.links()
    assert "/account/passkeys/new" in browser.links()


def test_req29_an_app_opens_the_page_that_was_asked_for(browser, in_house):
    signed_in(browser, someone(in_house, Role.ORGANISER), "/series/new?x=1")
    set_up_app(browser)
    assert "/series/new?x=1" in browser.links()
    browser.open("/series/new?x=1")
    assert browser.open("accounts.need_factor", status=303).headers["Location"] == "/account"


def test_req29_a_passkey_does_too_and_gives_recovery_codes(browser, in_house):
    signed_in(browser, someone(in_house, Role.ORGANISER), "/series/new")
    answer = Key().make(browser.open("accounts.ask_new_passkey").get_json())
    browser.submit("accounts.new_passkey", {"name": "Laptop", "credential": answer}, status=200)
    assert "/series/new" in browser.links()
    browser.open("/series/new")


def test_one_can_sign_out_instead(browser, in_house):
    signed_in(browser, someone(in_house, Role.ADMIN)).submit("accounts.sign_out")
    browser.open("accounts.need_factor", status=303)


def test_req29_a_role_that_is_given_later_counts_with_the_next_request(browser, in_house):
    nora = someone(in_house, Role.COLLEAGUE)
    signed_in(browser, nora).open("/account")
    with in_house():
        conference = a_conference(None, a_series())
        give_role(db.session.merge(nora), Role.DOOR, conference, by=None, at=NOW)
    browser.open("/account")
    with in_house():
        give_role(db.session.merge(nora), Role.ORGANISER, conference, by=None, at=NOW)
    browser.open("/account", status=303)


def test_req29_without_the_last_factor_one_is_held_back_again(browser, in_house):
    nora = someone(in_house, Role.ORGANISER)
    set_up_app(signed_in(browser, nora))
    codes = [node.text for node in browser.page.iter("{http://www.w3.org/1999/xhtml}code")]
    browser.submit("accounts.sign_out")
    signed_in(browser, nora).submit("accounts.enter_code", {"code": codes[0]})
    browser.open("/series/new")
    browser.submit("accounts.end_second_factor", {"code": codes[1]})
    browser.open("/series/new", status=303)


class TestEverybody:
    @pytest.fixture
    def settings(self):
        return {"SECOND_FACTOR": "everyone"}

    def test_the_operator_may_want_it_of_everybody(self, browser, in_house):
        assert is_held(signed_in(browser, someone(in_house, Role.COLLEAGUE)))


class TestNobody:
    @pytest.fixture
    def settings(self):
        return {"SECOND_FACTOR": "nobody"}

    def test_the_operator_may_leave_it_to_people(self, browser, in_house):
        assert not is_held(signed_in(browser, someone(in_house, Role.ADMIN)))


class TestDemo:
    @pytest.fixture
    def settings(self):
        return {"DEMO": True}

    def test_the_people_of_the_demo_come_in_with_one_click(self, browser, in_house):
        with in_house():
            an_account(Role.ORGANISER, password=None)
        browser.submit("accounts.become", name="organiser")
        browser.open("/series/new")


def test_a_session_of_the_demos_people_opens_nothing_outside_the_demo(browser, in_house):
    with in_house():
        account = an_account(Role.ORGANISER, password=None)
        now = clock.now()
        token = operations.begin_session(account, "", way=Way.PERSONA, factor_shown=True, at=now)
    with browser.client.session_transaction() as session:
        session.update(account=token, seen=int(now.timestamp()))
    browser.open("/series/new", status=303)
    assert "/sign-in" in browser.response.headers["Location"]
