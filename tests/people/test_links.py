"""One-time links: the same answer for every address, spent once, by POST only, and not for long."""

from datetime import timedelta

import pytest

from conference.accounts.models import Account
from conference.accounts.operations import authenticate
from conference.kit import links
from conference.kit.db import db
from conference.outbox.models import Mail
from conference.people import operations, queries
from conference.people.models import AccountLink, LinkUse
from tests.builders import NOW, an_account

GOOD = "correct horse battery"
NEW = {"password": "ganz andere Wörter jetzt", "again": "ganz andere Wörter jetzt"}


@pytest.fixture
def settings():
    return {"CLOCK_START": NOW}


@pytest.fixture
def nora(in_house):
    with in_house():
        return an_account(email="nora@agentur.example", password=GOOD)


def token(in_house):
    with in_house():
        newest = db.session.query(AccountLink).order_by(AccountLink.id.desc()).first()
        return links.token_of(newest.nonce)


def test_t06_every_address_gets_the_same_answer_and_only_the_right_one_a_letter(
    browser, new_browser, in_house, nora
):
    def answer(address):
        one = new_browser()
        one.submit("people.ask_for_link", {"email": address})
        return one.text

    assert answer("nora@agentur.example") == answer("nobody@agentur.example")
    with in_house():
        assert [mail.recipient_address for mail in db.session.query(Mail)] == ["nora@agentur.example"]
        # What takes time is the same for both: a row each, and a letter that is written and, for nobody, taken back.
        assert db.session.query(AccountLink).count() == 2


def test_t06_both_addresses_cost_the_same_statements(browser, count_queries, nora):
    def cost(address):
        with count_queries() as seen:
            browser.submit("people.ask_for_link", {"email": address})
        return sum(statement.startswith(("INSERT", "UPDATE", "SAVEPOINT")) for statement in seen)

    assert cost("nobody@agentur.example") == cost("nora@agentur.example")


def test_t02_the_database_holds_no_token(browser, in_house, nora):
    browser.submit("people.ask_for_link", {"email": nora.email})
    secret = token(in_house)
    with in_house():
        link, mail = db.session.query(AccountLink).one(), db.session.query(Mail).one()
        assert link.token_hash == links.hash_of(secret)
        assert secret not in mail.text + link.nonce + link.token_hash


def test_t03_looking_spends_nothing_and_using_spends_all(browser, new_browser, in_house, nora):
    browser.submit("people.ask_for_link", {"email": nora.email})
    first = token(in_house)
    browser.submit("people.ask_for_link", {"email": nora.email})
    second = token(in_house)
    for _ in range(3):
        browser.open("people.choose_password", token=second)
        browser.client.head(f"/password/{second}")
    signed_in = new_browser().sign_in(nora)
    signed_in.open("/")
    browser.submit("people.choose_password", NEW, token=second)
    for old in (first, second):
        browser.submit("people.choose_password", NEW, token=old, status=404)
    signed_in.open("/", status=303)
    with in_house():
        assert authenticate(nora.email, GOOD) is None
        assert authenticate(nora.email, NEW["password"]) is not None


@pytest.mark.parametrize(("use", "life"), list(operations.HOW_LONG.items()))
def test_t02_a_link_ends(house, use, life):
    account = an_account()
    operations.send_link(account, use, at=NOW)
    secret = links.token_of(db.session.query(AccountLink).one().nonce)
    assert queries.link_behind(secret, NOW + life - timedelta(seconds=1)) is not None
    assert queries.link_behind(secret, NOW + life) is None


def test_a_poor_password_comes_back_with_a_reason(browser, in_house, nora):
    browser.submit("people.ask_for_link", {"email": nora.email})
    secret = token(in_house)
    browser.submit(
        "people.choose_password",
        {"password": "aaaaaaaaaaaaaaa", "again": "aaaaaaaaaaaaaaa"},
        token=secret,
        status=409,
    )
    browser.submit("people.choose_password", NEW | {"again": "anders"}, token=secret, status=422)
    browser.submit("people.choose_password", NEW, token=secret)


def test_a_link_that_opens_nothing_leads_to_a_new_one_and_says_not_why(browser, in_house, nora):
    browser.submit("people.ask_for_link", {"email": nora.email})
    used = token(in_house)
    browser.submit("people.choose_password", NEW, token=used)
    texts = set()
    for secret in (used, "x" * len(used)):
        page = browser.open("people.choose_password", token=secret, status=404).text
        assert "zwei Tage" in page and browser.path("people.ask_for_link") in browser.links()
        texts.add(page.replace(secret, ""))
        browser.submit("people.choose_password", NEW, token=secret, status=404)
    assert len(texts) == 1


def test_a_closed_account_gets_no_letter_and_its_links_open_nothing(house):
    account = an_account()
    operations.send_link(account, LinkUse.WELCOME, at=NOW)
    secret = links.token_of(db.session.query(AccountLink).one().nonce)
    account.active = False
    db.session.flush()
    assert queries.link_behind(secret, NOW) is None
    operations.ask_for_link(account.email, at=NOW)
    assert db.session.query(Mail).count() == 1
    assert db.session.query(Account).count() == 1


def test_nobody_is_buried_in_letters(house):
    account = an_account()
    for _ in range(9):
        operations.ask_for_link(account.email, at=NOW)
    assert db.session.query(Mail).count() == operations.LINKS_AT_ONCE


def test_old_links_are_forgotten(house):
    operations.ask_for_link("nobody@agentur.example", at=NOW)
    assert operations.forget_old_links(at=NOW) == 0
    assert operations.forget_old_links(at=NOW + timedelta(days=3)) == 1
