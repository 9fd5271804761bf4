"""Signing in and out."""

import pytest
from argon2 import PasswordHasher, Type, extract_parameters

from conference import create_app
from conference.accounts import operations
from conference.accounts.models import Account, Role
from conference.kit.db import db
from conference.kit.errors import Refused

from ..builders import NOW, an_account
from ..conftest import SETTINGS
from .conftest import GOOD


@pytest.mark.parametrize("address", ["nora@agentur.example", " NORA@Agentur.example "])
def test_the_right_password_lets_in(browser, nora, address):
    browser.submit("accounts.sign_in", {"email": address, "password": GOOD})
    assert browser.response.request.path == "/"
    assert browser.sees(nora.name)


@pytest.mark.parametrize(
    ("address", "password"),
    [
        ("nora@agentur.example", "wrong password"),
        ("nobody@agentur.example", GOOD),
        ("nora@agentur.example", "x" * 5000),
    ],
)
def test_a_wrong_one_does_not_and_the_address_is_kept(browser, nora, address, password):
    browser.submit("accounts.sign_in", {"email": address, "password": password}, status=422)
    assert browser.value_of("email") == address
    assert browser.value_of("password") in (None, "")


def test_unknown_address_and_wrong_password_look_the_same(new_browser, nora, monkeypatch):
    """The same words, after the same work: one password is compared, at the same cost."""
    verify, compared = PasswordHasher.verify, []

    def watched(hasher, stored, password):
        compared.append(extract_parameters(stored))
        return verify(hasher, stored, password)

    monkeypatch.setattr(PasswordHasher, "verify", watched)

    def seen(address):
        compared.clear()
        one = new_browser()
        one.submit("accounts.sign_in", {"email": address, "password": "wrong password"}, status=422)
        return one.text, [*compared]

    known, unknown = seen("nora@agentur.example"), seen("nobody@agentur.example")
    assert known == unknown
    assert len(known[1]) == 1


def test_signing_out_closes_the_door(browser, nora):
    browser.submit("accounts.sign_in", {"email": nora.email, "password": GOOD})
    left = browser.client.post("/sign-out", data={"csrf_token": browser.csrf_token()})
    # The next person at the same device finds no page of ours and no draft.
    assert left.headers["Clear-Site-Data"] == '"cache", "storage"'
    browser.open("conferences.new_series", status=303)


def test_an_ended_session_key_closes_every_browser(browser, in_house, nora):
    from conference.kit.db import db

    browser.sign_in(nora)
    with in_house():
        operations.end_sessions(db.session.merge(nora), at=NOW)
    browser.open("conferences.new_series", status=303)


def test_next_leads_to_the_page_that_was_asked_for(browser, nora):
    data = {"email": nora.email, "password": GOOD, "next": "/account"}
    browser.submit("accounts.sign_in", data)
    assert browser.response.request.path == "/account"


@pytest.mark.parametrize("target", ["//evil.example", "https://evil.example/", "\\\\evil.example"])
def test_next_never_leads_away(browser, nora, target):
    answer = browser.client.post(
        "/sign-in",
        data={"csrf_token": browser.csrf_token(), "email": nora.email, "password": GOOD, "next": target},
    )
    assert answer.headers["Location"] == "/"


def test_a_post_without_a_token_is_refused(browser, nora):
    answer = browser.client.post("/sign-in", data={"email": nora.email, "password": GOOD})
    assert answer.status_code == 400


def test_personas_exist_only_in_demo_mode(browser, nora):
    browser.submit("accounts.become", name="organiser", status=404)
    browser.open("accounts.sign_in")
    assert not browser.sees("Probieren Sie es aus als")


@pytest.mark.parametrize("role", [Role.LEADERSHIP, Role.MODERATOR])
def test_only_organisers_begin_a_series(browser, in_house, role):
    with in_house():
        account = an_account(role)
    browser.sign_in(account).open("conferences.new_series", status=404)


def test_two_accounts_with_one_address_are_refused(house):
    an_account(email="a@agentur.example")
    with pytest.raises(Refused):
        an_account(email="A@AGENTUR.EXAMPLE")


@pytest.mark.parametrize("password", ["", "short", "x" * 11, "x" * 1025])
def test_poor_passwords_are_refused(house, password):
    with pytest.raises(Refused):
        operations.create_account("a@agentur.example", "A", Role.ADMIN, password, at=NOW)


@pytest.mark.parametrize(
    "password",
    [
        "1qaz2wsx3edc4rfv", "QWERTYqwerty", "123456789987654321", "Folgetermin2026!", "Konferenz Juni 2023",
        "Passwort123456!", "nora.example-2026", "Nora Beispiel 1980", "AgenturAgentur",
    ],
)  # fmt: skip
def test_t18_passwords_that_are_guessed_first_are_refused(house, password):
    """Those of published leaks, and words of ours, of the own name and address with a few signs around them."""
    with pytest.raises(Refused):
        operations.hash_password(password, ("Nora Beispiel", "nora.beispiel@agentur.example"))


@pytest.mark.parametrize(
    "password", ["vier gute Wörter hier", "ein langes Kennwort 23", "x7Kw!p2Lq9Zt", "日本語" * 4 + "例えば"]
)
def test_other_passwords_of_any_signs_are_taken_as_they_are(house, password):
    account = an_account(email="a@agentur.example", password=password)
    assert operations.authenticate("a@agentur.example", password) is account
    assert operations.authenticate("a@agentur.example", password + " ") is None
    assert operations.authenticate("a@agentur.example", password.upper() + "x") is None


def test_nothing_of_a_password_is_cut_off(house):
    longest = "langes Wort " * 85 + "1234"
    assert len(longest) == operations.LONGEST
    an_account(email="a@agentur.example", password=longest)
    assert operations.authenticate("a@agentur.example", longest) is not None
    assert operations.authenticate("a@agentur.example", longest + "x") is None
    assert operations.authenticate("a@agentur.example", longest[:-1]) is None


def test_a_hash_of_older_settings_is_made_anew_at_the_next_sign_in(house):
    account = an_account(email="a@agentur.example", password=None)
    account.password_hash = weak = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(GOOD)
    assert operations.authenticate("a@agentur.example", GOOD) is account
    assert account.password_hash != weak
    assert operations.authenticate("a@agentur.example", GOOD) is account


def test_req29_a_password_is_kept_as_an_argon2id_hash_that_costs_enough(house):
    """What OWASP asks for at least: 19 MiB and two rounds."""
    kept = extract_parameters(an_account(email="a@agentur.example", password=GOOD).password_hash)
    assert kept.type is Type.ID
    assert (kept.memory_cost >= 19 * 1024, kept.time_cost >= 2) == (True, True)


def test_an_account_without_a_password_cannot_sign_in(house):
    an_account(email="a@agentur.example", password=None)
    assert operations.authenticate("a@agentur.example", "") is None


def test_create_admin_makes_the_first_account(app, in_house):
    runner = app.test_cli_runner()
    arguments = ["create-admin", "--email", "chef@agentur.example", "--name", "Nora", "--password", GOOD]
    assert runner.invoke(args=arguments).exit_code == 0
    again = runner.invoke(args=arguments)
    assert again.exit_code == 1
    with in_house():
        from conference.kit.db import db

        assert [a.role for a in db.session.query(Account)] == [Role.ADMIN]


def test_no_account_exists_by_default(tmp_path):
    """Neither a migration nor the command that a new house begins with makes one."""
    app = create_app(SETTINGS | {"INSTANCE": tmp_path})
    assert app.test_cli_runner().invoke(args=["prepare"]).exit_code == 0
    with app.app_context():
        assert db.session.query(Account).count() == 0
        db.session.remove()
        db.engine.dispose()
