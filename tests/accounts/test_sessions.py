"""Sessions of staff, the second factor, and what an account does for itself."""

import base64
import hmac
from datetime import timedelta

import pyotp
import pytest
import time_machine

from conference.accounts import operations, queries
from conference.accounts.models import RecoveryCode, Role, StaffSession
from conference.kit.db import db
from conference.kit.errors import Refused
from conference.outbox.models import Mail
from tests.builders import NOW, an_account

from .conftest import GOOD

PAGE = "accounts.show_own"


def signed_in(browser, nora):
    browser.submit("accounts.sign_in", {"email": nora.email, "password": GOOD})
    return browser


def cookie(browser):
    with browser.client.session_transaction() as session:
        return dict(session)


def test_t17_signing_in_gives_a_new_session_and_the_database_holds_no_token(browser, in_house, nora):
    with browser.client.session_transaction() as session:
        session["left"] = "by whoever sat here before"
    first = cookie(signed_in(browser, nora))
    assert "left" not in first
    second = cookie(signed_in(browser, nora))
    assert first["account"] != second["account"]
    with in_house():
        assert first["account"] not in {row.token_hash for row in db.session.query(StaffSession)}


def test_t17_an_old_cookie_opens_nothing_after_signing_out(browser, new_browser, nora):
    kept = cookie(signed_in(browser, nora))
    browser.submit("accounts.sign_out")
    thief = new_browser()
    with thief.client.session_transaction() as session:
        session.update(kept)
    thief.open(PAGE, status=303)


@pytest.mark.parametrize(("quiet", "status"), [(29, 200), (31, 303)])
def test_t17_half_an_hour_without_a_request_ends_a_session(browser, nora, quiet, status):
    with time_machine.travel(NOW, tick=False) as clock:
        signed_in(browser, nora)
        clock.shift(timedelta(minutes=20))
        browser.open(PAGE)
        clock.shift(timedelta(minutes=quiet))
        browser.open(PAGE, status=status)


def test_t17_eight_hours_end_a_session_however_busy(browser, nora):
    with time_machine.travel(NOW, tick=False) as clock:
        signed_in(browser, nora)
        for _ in range(23):
            clock.shift(timedelta(minutes=20))
            browser.open(PAGE)
        clock.shift(timedelta(minutes=20))
        browser.open(PAGE, status=303)


def test_t17_a_new_password_signs_out_every_other_browser(browser, new_browser, nora):
    other = signed_in(new_browser(), nora)
    signed_in(browser, nora)
    words = {"current": GOOD, "password": "ganz andere Wörter", "again": "ganz andere Wörter"}
    browser.submit("accounts.show_own", words | {"current": "falsch geraten"}, status=409)
    browser.submit("accounts.show_own", words)
    browser.open(PAGE)
    other.open(PAGE, status=303)


def test_t17_another_role_in_the_house_ends_all_sessions(browser, in_house, nora):
    from conference.people.operations import change_account

    signed_in(browser, nora).open(PAGE)
    with in_house():
        change_account(db.session.merge(nora), "Nora", Role.ORGANISER, at=operations_now())
    answer = browser.open(PAGE, status=303)
    assert answer.headers["Location"].startswith("/sign-in"), (
        "not to a second factor, for which the session lives"
    )


def operations_now():
    from conference.kit import clock

    return clock.now()


def test_a_browser_is_signed_out_from_another_one_and_nobody_elses(browser, new_browser, in_house, nora):
    other = signed_in(new_browser(), nora)
    signed_in(browser, nora)
    with in_house():
        stranger = an_account()
        first = min(row.id for row in db.session.query(StaffSession).filter_by(account_id=nora.id))
    new_browser().sign_in(stranger).submit("accounts.end_session", session_id=first, status=404)
    other.open(PAGE)
    browser.submit("accounts.end_session", session_id=first)
    other.open(PAGE, status=303)
    third = signed_in(new_browser(), nora)
    browser.submit("accounts.end_other_sessions")
    third.open(PAGE, status=303)
    browser.open(PAGE)


def test_t17_a_cookie_is_signed_with_sha_256_and_nothing_else_is_believed(browser, nora):
    signed_in(browser, nora).open(PAGE)
    content, moment, _seal = browser.client.get_cookie("folgetermin").value.rsplit(".", 2)
    key = browser.app.secret_key.encode()
    for digest, status in (("sha1", 303), ("sha256", 200)):
        own = hmac.new(key, b"cookie-session", digest).digest()
        seal = hmac.new(own, f"{content}.{moment}".encode(), digest).digest()
        forged = base64.urlsafe_b64encode(seal).rstrip(b"=").decode()
        browser.client.set_cookie("folgetermin", f"{content}.{moment}.{forged}")
        browser.open(PAGE, status=status)


# -- the second factor ------------------------------------------------


@pytest.fixture
def guarded(browser, in_house, nora):
    """Nora with a second factor: her secret, and her recovery codes as the page showed them."""
    with time_machine.travel(NOW, tick=False):
        signed_in(browser, nora).open("accounts.begin_second_factor")
        secret = operations_secret(browser)
        browser.submit("accounts.begin_second_factor", {"code": "000000"}, status=409)
        browser.submit("accounts.begin_second_factor", {"code": pyotp.TOTP(secret).at(NOW)}, status=200)
        codes = [node.text for node in browser.page.iter("{http://www.w3.org/1999/xhtml}code")]
        browser.submit("accounts.sign_out")
    return secret, codes


def operations_secret(browser):
    with browser.app.app_context():
        return operations.secret_of(cookie(browser)["factor"])


def test_the_password_alone_opens_nothing(browser, nora, guarded):
    secret, codes = guarded
    assert len(set(codes)) == 10
    # A plain hash is enough for them: 25 of 32 signs are 125 bits.
    assert {len(code.replace("-", "")) for code in codes} == {25} and len(operations.SIGNS) == 32
    at = NOW + timedelta(minutes=2)
    with time_machine.travel(at, tick=False):
        signed_in(browser, nora)
        browser.open(PAGE, status=303)
        browser.submit("accounts.enter_code", {"code": "123456"}, status=422)
        browser.submit("accounts.enter_code", {"code": pyotp.TOTP(secret).at(at)})
        browser.open(PAGE)


def test_an_app_goes_on_working_after_the_key_has_changed(app, browser, nora, guarded, monkeypatch):
    secret, _codes = guarded
    former, at = app.config["SECRET_KEY"], NOW + timedelta(minutes=2)
    monkeypatch.setitem(app.config, "SECRET_KEY", "another key for tests only, of 32 characters and more")
    with time_machine.travel(at, tick=False):
        signed_in(browser, nora)
        browser.submit("accounts.enter_code", {"code": pyotp.TOTP(secret).at(at)}, status=422)
        monkeypatch.setitem(app.config, "SECRET_KEY_FALLBACKS", [former])
        browser.submit("accounts.enter_code", {"code": pyotp.TOTP(secret).at(at)})
        browser.open(PAGE)


def test_no_code_is_taken_twice(browser, new_browser, nora, guarded):
    secret, codes = guarded
    at = NOW + timedelta(minutes=2)
    with time_machine.travel(at, tick=False):
        for code in (pyotp.TOTP(secret).at(at), codes[3].lower()):
            signed_in(browser, nora)
            browser.submit("accounts.enter_code", {"code": code})
            browser.open(PAGE)
            again = signed_in(new_browser(), nora)
            again.submit("accounts.enter_code", {"code": code}, status=422)


def test_the_second_step_waits_ten_minutes(browser, nora, guarded):
    _secret, codes = guarded
    with time_machine.travel(NOW, tick=False) as clock:
        signed_in(browser, nora)
        clock.shift(timedelta(minutes=11))
        browser.submit("accounts.enter_code", {"code": codes[0]})
        browser.open(PAGE, status=303)


def test_new_codes_and_the_end_of_the_factor_ask_for_a_code(browser, in_house, nora, guarded):
    _secret, codes = guarded
    signed_in(browser, nora)
    browser.submit("accounts.enter_code", {"code": codes[0]})
    for page in ("accounts.renew_codes", "accounts.end_second_factor"):
        answer = browser.open(page)  # says first what will happen
        assert "Wiederherstellungscodes" in answer.text and "error-summary" not in answer.text
        browser.open("accounts.show_own")
        assert browser.path(page) in browser.links()
    browser.submit("accounts.renew_codes", {"code": "falsch"}, status=422)
    browser.submit("accounts.renew_codes", {"code": codes[1]}, status=200)
    fresh = [node.text for node in browser.page.iter("{http://www.w3.org/1999/xhtml}code")]
    browser.submit("accounts.end_second_factor", {"code": codes[2]}, status=422)
    browser.submit("accounts.end_second_factor", {"code": fresh[0]})
    with in_house():
        assert db.session.query(RecoveryCode).count() == 0
    signed_in(browser, nora).open(PAGE)


def test_a_stolen_database_has_neither_secret_nor_codes(in_house, nora, guarded):
    secret, codes = guarded
    with in_house():
        account = db.session.merge(nora, load=True)
        db.session.refresh(account)
        stored = {account.totp_nonce, *(row.code_hash for row in db.session.query(RecoveryCode))}
    assert not stored & {secret, *codes}


def test_an_administrator_helps_who_has_lost_everything(browser, new_browser, in_house, nora, guarded):
    with in_house():
        chief = an_account(Role.ADMIN)
    page = browser.sign_in(chief).open("people.show_account", account_id=nora.id).text
    for endpoint in ("people.drop_second_factor", "people.close_account"):
        before = page.split(browser.path(endpoint, account_id=nora.id))[0]
        assert before.count("<details") > before.count("</details"), "the button stands behind a question"
    browser.submit("people.drop_second_factor", account_id=nora.id)
    browser.submit("people.drop_second_factor", account_id=nora.id)
    with in_house():
        (letter,) = db.session.query(Mail).filter_by(kind="factor_removed").all()
        assert letter.recipient_address == nora.email and "zweiten Faktor" in letter.text
    signed_in(new_browser(), nora).open(PAGE)


def test_the_factor_is_not_set_up_twice(house):
    account = an_account()
    account.totp_nonce = "a"
    with pytest.raises(Refused):
        operations.begin_second_factor(account, "b", "123456", at=NOW, but="")
    assert queries.codes_left(account) == 0
