"""Accounts that nobody uses (section 8 of the handbook): told, closed, forgotten; never the last administrator."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from conference.accounts import operations as accounts
from conference.accounts.models import Account, Role, SignInIdentity
from conference.conferences.models import Grant
from conference.invitations import operations as invitations
from conference.kit.db import db
from conference.outbox import operations as outbox
from conference.outbox.models import DeadAddress, Mail
from conference.people import operations as people
from conference.people import unused
from conference.people.models import LinkUse
from conference.privacy.operations import run_retention

from ..builders import NOW, a_conference, a_contact, a_series, an_account, an_invitation

DAY = timedelta(days=1)


def after(days):
    return run_retention(at=NOW + days * DAY).counts


def letters():
    return [
        (one.recipient_address, one.subject)
        for one in db.session.scalars(select(Mail))
        if one.kind == "unused"
    ]


@pytest.fixture
def chief(house):
    """An administrator who was here yesterday, whatever day it is."""
    account = an_account(Role.ADMIN)
    account.last_sign_in_at = NOW + 3000 * DAY
    return account


def test_signing_in_is_written_down(house, chief):
    accounts.begin_session(chief, "", at=NOW)
    assert chief.last_sign_in_at == NOW


def test_an_unused_account_is_told_closed_and_forgotten_each_in_its_time(house, chief):
    account = an_account(Role.ORGANISER, email="vera@agentur.example", name="Vera Vergessen")
    series = a_series(account)
    accounts.begin_session(account, "", at=NOW)
    accounts.renew_recovery_codes(account)
    db.session.add(
        SignInIdentity(account=account, issuer="https://login.example", subject="vera", linked_at=NOW)
    )
    assert after(330)["accounts"] == 0
    assert letters() == []
    assert after(336)["accounts"] == 0
    assert letters() == [("vera@agentur.example", "Ihr Benutzerkonto wird bald geschlossen")]
    assert after(364)["accounts"] == 0
    assert account.active
    assert after(367)["accounts"] == 1
    assert not account.active
    assert len(letters()) == 1, "told once"
    assert after(367 + 89)["closed_accounts"] == 0
    assert after(367 + 91)["closed_accounts"] == 1
    assert "Vera" not in account.name
    assert "vera" not in account.email
    assert db.session.scalars(select(SignInIdentity)).all() == []
    assert db.session.scalars(select(Grant).where(Grant.account_id == account.id)).all() == []
    assert series.id
    assert (after(367 + 91)["accounts"], after(367 + 91)["closed_accounts"]) == (0, 0), (
        "twice changes nothing"
    )


def test_who_signs_in_after_the_letter_keeps_the_account_and_is_told_anew_a_year_later(house, chief):
    account = an_account()
    after(340)
    accounts.begin_session(account, "", at=NOW + 341 * DAY)
    assert after(400)["accounts"] == 0
    assert account.active
    after(341 + 340)
    assert len(letters()) == 2


def test_nobody_is_closed_without_a_month_to_answer_even_if_no_night_ran_for_years(house, chief):
    an_account()
    assert after(900)["accounts"] == 0
    assert after(929)["accounts"] == 0
    assert after(931)["accounts"] == 1


def test_a_reopened_account_has_a_year_again(house, chief):
    account = an_account()
    people.close_account(account, at=NOW)
    people.reopen_account(account, at=NOW + 80 * DAY)
    assert after(400)["closed_accounts"] == 0
    assert account.active
    assert letters() == []


def test_the_last_administrator_is_never_closed_and_it_is_the_one_who_was_here_last(house):
    never, first, last = (an_account(Role.ADMIN) for _number in range(3))
    accounts.begin_session(last, "", at=NOW + 3 * DAY)
    accounts.begin_session(first, "", at=NOW + 2 * DAY)
    after(340)
    assert after(400)["accounts"] == 2
    assert [one.active for one in (never, first, last)] == [False, False, True]
    assert after(1000)["accounts"] == 0
    assert [one.id for one in db.session.scalars(select(Account).where(Account.active))] == [last.id]


def test_a_dry_run_says_who_and_does_nothing(app, in_house):
    with in_house():
        an_account(Role.ADMIN).last_sign_in_at = NOW + 3000 * DAY
        account = an_account()
        account.reminded_at = NOW
    said = app.test_cli_runner().invoke(args=["retention", "--dry-run"]).output
    assert "     1  Staff accounts that nobody uses" in said
    with in_house():
        assert db.session.merge(account).active


def test_what_is_forgotten_is_on_no_page(browser, in_house):
    with in_house():
        chief, old = an_account(Role.ADMIN), an_account()
        people.close_account(old, at=NOW)
        run_retention(at=NOW + 100 * DAY)
        number = old.id
        db.session.refresh(chief)
    browser.sign_in(chief).open("people.show_accounts")
    page = browser.response.get_data(as_text=True)
    assert "Gelöschtes Benutzerkonto" not in page.partition('class="timeline')[0]
    browser.open("people.show_account", account_id=number, status=404)
    browser.submit("people.reopen_account", account_id=number, status=404)


def test_req24_of_a_forgotten_account_no_letter_and_no_dead_address_is_left(house, chief):
    account = an_account(Role.ORGANISER, email="vera@agentur.example", name="Vera Vergessen")
    both = an_account(Role.ORGANISER, email="otto@agentur.example", name="Otto Beides")
    people.send_link(account, LinkUse.RENEWAL, at=NOW)
    people.send_link(both, LinkUse.RENEWAL, at=NOW)
    guest = an_invitation(
        a_conference(chief),
        contact=a_contact(first_name="Otto", last_name="Beides", email="otto@agentur.example"),
    )
    invitations.send_invitations(guest.conference, [guest], at=NOW)
    outbox.mark_bounced(db.session.scalars(select(Mail)).first(), "5.1.1 vera@agentur.example", at=NOW)
    for one in (account, both):
        people.close_account(one, at=NOW)
    assert unused.forget_closed(NOW, NOW + DAY) == 2
    assert db.session.scalar(select(DeadAddress)) is None
    left = [
        (mail.recipient_name, mail.recipient_address, mail.kind) for mail in db.session.scalars(select(Mail))
    ]
    assert [one for one in left if one[1]] == [("Otto Beides", "otto@agentur.example", "invitation")]
    assert "vera" not in str(left).lower()
