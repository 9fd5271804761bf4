"""Roles in places: given, changed, ended, taken away; accounts of the house; nobody locks everybody out."""

from datetime import date, timedelta

import pytest

from conference.accounts.models import Account, Role
from conference.conferences.models import Grant
from conference.conferences.operations import give_role
from conference.conferences.queries import conference_by_slug, conference_here, conferences_of, powers_of
from conference.core.walltime import end_of_day
from conference.kit.db import db
from conference.kit.errors import Missing, Refused, Stale
from conference.outbox import operations as outbox
from conference.outbox.models import Mail
from conference.people import operations
from tests.builders import NOW, a_conference, a_series, an_account, an_item

PLACE = {"slug": "june-2023"}


@pytest.fixture
def settings():
    return {"CLOCK_START": NOW}


@pytest.fixture
def cast(in_house):
    """An organiser with a conference, a second conference of the same series, and one of strangers."""
    with in_house():
        organiser, stranger = an_account(), an_account()
        series = a_series(organiser)
        june = a_conference(organiser, series)
        a_conference(organiser, series, slug="august-2023", title="August")
        a_conference(stranger, a_series(stranger, title="Fremde Reihe"), slug="foreign")
        return {"organiser": organiser, "stranger": stranger, "series": series, "june": june}


def colleague(in_house, cast, role, place="june", **over):
    with in_house():
        account = an_account(Role.COLLEAGUE)
        give_role(account, role, db.session.merge(cast[place]), by=cast["organiser"], at=NOW, **over)
    return account


def test_t07_a_role_in_one_conference_opens_no_other(in_house, browser, cast):
    browser.sign_in(colleague(in_house, cast, Role.ORGANISER))
    browser.open("conferences.show_rooms", slug="june-2023")
    for foreign in ("august-2023", "foreign"):
        browser.open("conferences.show_rooms", slug=foreign, status=404)
        browser.submit("conferences.new_room", {"name": "R", "capacity": "5"}, slug=foreign, status=404)
    browser.open("/")
    assert browser.sees("Juni 2023") and not browser.sees("August")
    browser.open("people.show_people", series_slug=cast["series"].slug, status=404)
    browser.open("conferences.new_conference", series_slug=cast["series"].slug, status=404)


@pytest.mark.parametrize(
    ("role", "opened", "closed"),
    [
        (Role.DOOR, "registrations.show_attendance", "overview.show_results"),
        (Role.DOOR, "overview.show_conference", "invitations.show_guests"),
        (Role.MINUTE_TAKER, "minutes.show_minutes", "invitations.show_guests"),
        (Role.MINUTE_TAKER, "actions.new_action", "registrations.show_registrations"),
        (Role.LEADERSHIP, "overview.show_results", "registrations.show_registrations"),
        (Role.MODERATOR, "groups.show_groups", "people.show_people"),
    ],
)
def test_t07_a_role_opens_its_own_pages_only_and_the_way_leads_to_no_closed_door(
    in_house, browser, cast, role, opened, closed
):
    browser.sign_in(colleague(in_house, cast, role))
    browser.open(closed, **PLACE, status=404)
    browser.open(opened, **PLACE)
    assert browser.path(closed, **PLACE) not in browser.links()
    inside = {link for link in browser.links() if link.startswith("/conferences/june-2023")}
    for link in inside:
        browser.open(link)


def test_t17_a_role_that_ends_or_is_taken_away_opens_nothing_with_the_next_request(in_house, browser, cast):
    account = colleague(in_house, cast, Role.DOOR, expires_at=NOW + timedelta(days=365 * 100))
    browser.sign_in(account).open("registrations.show_attendance", **PLACE)
    with in_house():
        db.session.query(Grant).filter_by(account_id=account.id).one().expires_at = NOW - timedelta(seconds=1)
    browser.open("registrations.show_attendance", **PLACE, status=404)
    browser.open("/")
    assert not browser.sees("Juni 2023")
    with in_house():
        grant = db.session.query(Grant).filter_by(account_id=account.id).one()
        grant.expires_at = None
        june = db.session.merge(cast["june"])
        operations.remove_grant(june, grant, db.session.merge(cast["organiser"]))
    browser.open("registrations.show_attendance", **PLACE, status=404)


def test_what_ends_counts_only_for_who_is_asked_at_a_moment(house):
    account = an_account(Role.COLLEAGUE)
    june = a_conference()
    give_role(account, Role.DOOR, june, by=None, at=NOW, expires_at=NOW + timedelta(hours=1))
    with pytest.raises(Missing):
        conference_here(account, june.slug)
    account.asked_at = NOW
    assert conference_here(account, june.slug) is june
    assert powers_of(account).at(june.id, june.series_id) == {"door"}
    account.asked_at = NOW + timedelta(hours=1)
    assert conferences_of(account) == []


def test_a_grant_on_everything_reaches_every_conference(house):
    account = an_account(Role.COLLEAGUE)
    give_role(account, Role.LEADERSHIP, None, by=None, at=NOW)
    june = a_conference()
    assert conferences_of(account) == [june]
    assert powers_of(account).at(june.id, june.series_id) == {"leadership"}


def test_a_colleague_is_invited_by_mail_chooses_a_password_and_works_here(
    browser, new_browser, in_house, cast
):
    data = {"name": "Kim Neu", "email": "kim@agentur.example", "role": "door", "until": ""}
    browser.sign_in(cast["organiser"]).submit("people.show_people", data, **PLACE)
    assert browser.sees("kim@agentur.example")
    with in_house():
        from conference.kit.links import token_of
        from conference.people.queries import AccountLink

        mail = db.session.query(Mail).one()
        assert mail.recipient_address == "kim@agentur.example" and "~link-" in mail.text
        token = token_of(db.session.query(AccountLink).one().nonce)
    kim = new_browser()
    kim.open("people.choose_password", token=token)
    words = {"password": "vier gute Wörter hier", "again": "vier gute Wörter hier"}
    kim.submit("people.choose_password", words, token=token)
    kim.open("people.choose_password", token=token, status=404)
    kim.submit("accounts.sign_in", {"email": "kim@agentur.example", "password": "vier gute Wörter hier"})
    kim.open("registrations.show_attendance", **PLACE)
    kim.open("conferences.new_series", status=404)


def test_who_has_an_account_gets_the_role_and_a_letter_without_a_link(in_house, cast):
    with in_house():
        other = an_account(email="da@agentur.example")
        june, by = db.session.merge(cast["june"]), db.session.merge(cast["organiser"])
        operations.invite_colleague(june, other.email, "Egal", Role.DOOR, None, by, at=NOW)
        assert "~link-" not in db.session.query(Mail).one().text
        assert powers_of(other).at(june.id, june.series_id) == {"door"}


def test_the_end_of_a_role_is_shown_as_its_last_day(browser, in_house, cast):
    with in_house():
        account, chief = an_account(Role.COLLEAGUE), an_account(Role.ADMIN)
        end = end_of_day(date(2023, 7, 5), "America/New_York")
        june = db.session.merge(cast["june"])
        june.zone = "America/New_York"
        grant = give_role(account, Role.DOOR, june, by=None, at=NOW, expires_at=end)
    browser.sign_in(cast["organiser"]).open("people.show_people", **PLACE)
    assert browser.sees("bis einschließlich 05.07.2023") and not browser.sees("06.07.2023")
    browser.open("people.edit_grant", grant_id=grant.id, **PLACE)
    assert browser.value_of("until") == "2023-07-05"
    browser.sign_in(chief).open("people.show_account", account_id=account.id)
    assert browser.sees("bis einschließlich 05.07.2023")


def test_who_invites_chooses_a_role_and_is_told_what_a_second_letter_ends(browser, in_house, cast):
    browser.sign_in(cast["organiser"]).open("people.show_people", **PLACE)
    assert not browser.value_of("role")
    data = {"name": "Kim Neu", "email": "kim@agentur.example", "until": "2023-07-05"}
    names = {"role": "moderator", "with_names": "y"}
    for wrong in ({}, {"role": ""}, names):
        browser.submit("people.show_people", data | wrong, status=422, **PLACE)
    assert browser.sees("nur für die Rolle Leitung") and browser.value_of("role") == "moderator"
    browser.submit("people.show_people", data | {"role": "moderator"}, **PLACE)
    assert not browser.sees("öffnet nichts mehr")
    browser.submit("people.show_people", data | {"role": "leadership", "with_names": "y"}, **PLACE)
    assert browser.sees("Der Link aus dem früheren Schreiben öffnet nichts mehr")
    with in_house():
        first, second = (mail.text for mail in db.session.query(Mail).order_by(Mail.id))
        grants = db.session.query(Grant).join(Grant.account).filter_by(email="kim@agentur.example")
        grant = grants.filter(Grant.role == Role.MODERATOR).one().id
    for text, role in ((first, "Moderation"), (second, "Leitung")):
        assert f"Ihre Rolle: {role}. Die Rolle gilt bis einschließlich 05.07.2023." in text
    assert "öffnet nichts mehr" in second and "öffnet nichts mehr" not in first
    change = {"role": "moderator", "until": "", "version": "1", "with_names": "y"}
    browser.submit("people.edit_grant", change, status=422, grant_id=grant, **PLACE)


def test_the_grant_of_another_place_is_not_found(browser, in_house, cast):
    with in_house():
        grant = give_role(an_account(), Role.DOOR, db.session.merge(cast["series"]), by=None, at=NOW)
    browser.sign_in(cast["organiser"])
    browser.open("people.edit_grant", grant_id=grant.id, **PLACE, status=404)
    browser.submit("people.remove_grant", grant_id=grant.id, slug="foreign", status=404)
    browser.open("people.edit_grant", grant_id=grant.id, series_slug=cast["series"].slug)


def test_nobody_takes_the_organisation_from_themselves(house):
    organiser = an_account()
    series = a_series(organiser)
    grant = db.session.query(Grant).one()
    with pytest.raises(Refused):
        operations.remove_grant(series, grant, organiser)
    with pytest.raises(Refused):
        operations.change_grant(series, grant, Role.DOOR, None, grant.version, organiser, at=NOW)
    with pytest.raises(Stale):
        operations.change_grant(series, grant, Role.ORGANISER, None, 7, organiser, at=NOW)


def test_administrators_are_not_made_by_inviting(house):
    organiser = an_account()
    with pytest.raises(Refused):
        operations.invite_colleague(
            a_series(organiser), "x@agentur.example", "X", Role.ADMIN, None, organiser, at=NOW
        )


def test_the_last_administrator_stays(browser, in_house):
    with in_house():
        first, second = an_account(Role.ADMIN), an_account(Role.ADMIN)
    browser.sign_in(first).submit("people.close_account", account_id=second.id)
    browser.submit("people.close_account", account_id=first.id, status=409)
    browser.submit("people.show_account", {"name": "A", "role": "organiser"}, account_id=first.id, status=409)
    with in_house():
        assert db.session.get(Account, first.id).role is Role.ADMIN


@pytest.mark.parametrize(
    ("server", "is_held", "why"),
    [
        ("", False, "wartet, weil kein Mailserver eingestellt ist"),
        ("mail.example", True, "wartet, weil der Versand angehalten ist"),
        ("mail.example", False, "unterwegs"),
    ],
)
def test_no_letter_is_called_on_its_way_that_cannot_leave(app, browser, in_house, server, is_held, why):
    app.config["MAIL_SERVER"] = server
    with in_house():
        chief, other = an_account(Role.ADMIN), an_account()
        if is_held:
            outbox.pause(at=NOW)
    browser.sign_in(chief)
    new = {"name": "Nora", "email": "nora@agentur.example", "role": "colleague"}
    assert why in browser.submit("people.new_account", new).text
    assert why in browser.submit("people.send_link", account_id=other.id).text


def test_closing_an_account_ends_its_sessions(browser, new_browser, in_house, cast):
    with in_house():
        chief = an_account(Role.ADMIN)
    worker = new_browser().sign_in(cast["organiser"])
    worker.open("conferences.show_rooms", **PLACE)
    browser.sign_in(chief).submit("people.close_account", account_id=cast["organiser"].id)
    worker.open("conferences.show_rooms", **PLACE, status=303)
    browser.submit("people.reopen_account", account_id=cast["organiser"].id)
    worker.open("conferences.show_rooms", **PLACE, status=303)


def test_only_administrators_see_accounts_and_rules(browser, new_browser, in_house, cast):
    browser.sign_in(cast["organiser"])
    for endpoint in ("people.show_accounts", "people.new_account", "people.show_rules"):
        browser.open(endpoint, status=404)
    with in_house():
        chief = an_account(Role.ADMIN)
    new_browser().sign_in(chief).open("people.show_rules")


def test_who_works_on_one_conference_plans_the_next_and_sees_no_other(in_house, browser, cast):
    from datetime import date

    from conference.agenda.operations import FollowUpFields, plan_follow_up

    account = colleague(in_house, cast, Role.ORGANISER)
    with in_house():
        an_item(db.session.merge(cast["june"]))
        account = db.session.merge(account)
        fields = FollowUpFields("Oktober", "october-2023", date(2023, 10, 10))
        plan_follow_up(db.session.merge(cast["june"]), fields, account, at=NOW)
    browser.sign_in(account).open("conferences.show_rooms", slug="october-2023")
    browser.open("conferences.show_rooms", slug="august-2023", status=404)


# -- administrators of a series -----------------------------------------


def test_t07_an_administrator_of_a_series_reaches_it_whole_and_nothing_of_the_house(in_house, browser, cast):
    account = colleague(in_house, cast, Role.ADMIN, "series")
    with in_house():
        series, other = (conference_by_slug(slug).series.slug for slug in ("june-2023", "foreign"))
    browser.sign_in(account).open("/")
    assert browser.path("conferences.edit_series", series_slug=series) in browser.links()
    data = {"title": "Neue Reihe", "host": "Agentur", "version": "1"}
    browser.submit("conferences.edit_series", data, series_slug=series)
    browser.submit("conferences.edit_series", data | {"title": "Noch neuer"}, series_slug=series, status=409)
    browser.submit("conferences.edit_series", data | {"title": ""}, series_slug=series, status=422)
    for slug in ("june-2023", "august-2023"):
        browser.open("people.show_people", slug=slug)
        browser.open("conferences.edit_conference", slug=slug)
    browser.open("conferences.edit_series", series_slug=other, status=404)
    browser.open("people.show_people", series_slug=other, status=404)
    browser.open("people.show_people", slug="foreign", status=404)
    for page in ("people.show_accounts", "people.new_account", "upkeep.show_upkeep", "record.show_record"):
        browser.open(page, status=404)
    browser.submit("people.close_account", account_id=account.id, status=404)
    browser.open("conferences.show_rooms", slug="june-2023")
    assert not {"/accounts", "/upkeep", "/record", "/retention"} & set(browser.links())


def test_only_administrators_make_administrators_of_a_series_and_only_of_a_whole_one(
    in_house, browser, new_browser, cast
):
    chief, staff = browser.sign_in(colleague(in_house, cast, Role.ADMIN, "series")), new_browser()
    staff.sign_in(cast["organiser"])
    with in_house():
        series = {"series_slug": conference_by_slug("june-2023").series.slug}
    new = {"name": "Neu Beispiel", "email": "neu@agentur.example", "role": "admin", "until": ""}
    staff.submit("people.show_people", new, **series, status=422)
    chief.submit("people.show_people", new, slug="june-2023", status=422)
    chief.submit("people.show_people", new, **series)
    with in_house():
        made = db.session.query(Grant).filter_by(role=Role.ADMIN).order_by(Grant.id.desc()).first()
        assert (made.account.role, made.account.email) == (Role.COLLEAGUE, "neu@agentur.example")
        grant = {"grant_id": made.id}
        organiser, place = db.session.merge(cast["organiser"]), db.session.merge(cast["series"])
        with pytest.raises(Refused):
            operations.invite_colleague(place, "x@agentur.example", "X", Role.ADMIN, None, organiser, at=NOW)
        with pytest.raises(Refused):
            give_role(organiser, Role.ADMIN, db.session.merge(cast["june"]), by=None, at=NOW)
    change = {"role": "door", "until": "", "version": "1"}
    staff.submit("people.edit_grant", change, **series, **grant, status=409)
    staff.submit("people.remove_grant", **series, **grant, status=409)
    chief.submit("people.edit_grant", change, **series, **grant)
    chief.submit("people.remove_grant", **series, **grant)


def test_administrators_of_a_series_do_not_count_as_administrators_of_the_house(in_house, cast):
    colleague(in_house, cast, Role.ADMIN, "series")
    with in_house():
        last = an_account(Role.ADMIN)
        with pytest.raises(Refused):
            operations.close_account(last, at=NOW)
        with pytest.raises(Refused):
            operations.change_account(last, "Egal", Role.ORGANISER, at=NOW)
