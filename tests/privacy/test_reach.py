"""T07: who organises one series reads and decides nothing about people of others, though both know the same person."""

import io
import json
import zipfile

import pytest
from sqlalchemy import select

from conference.accounts.models import Role
from conference.conferences import operations as conferences
from conference.invitations import operations as invitations
from conference.kit.db import db
from conference.privacy import dossier, naming, operations
from conference.privacy.models import Outcome, PrivacyRequest, RequestKind
from conference.providers.models import Contact
from conference.registrations import operations as registrations
from conference.registrations.models import Registration

from ..builders import (
    NOW,
    a_conference,
    a_contact,
    a_series,
    an_account,
    an_action,
    an_answer,
    an_invitation,
)

FORM = {
    "organisation": "Haus Kim", "salutation": "none", "title": "", "first_name": "Kim", "last_name": "Brandl",
    "email": "kim@haus.example", "function": "Leitung", "side": "provider", "team": "", "version": "1",
}  # fmt: skip


@pytest.fixture
def settings():
    return {"CLOCK_START": NOW}


@pytest.fixture
def both(in_house):
    """Kim is known in A and in B, Toni in B only; Alex organises A."""
    with in_house():
        alex = an_account(Role.COLLEAGUE, name="Alex Reihe")
        house_a = a_series(an_account(), title="A")
        a, b = a_conference(None, house_a, slug="conf-a", title="Konferenz A"), _b()
        conferences.give_role(alex, Role.ORGANISER, house_a, by=None, at=NOW)
        kim = a_contact(
            organisation="Haus Kim",
            first_name="Kim",
            last_name="Brandl",
            email="kim@haus.example",
            function="",
        )
        for conference, diet in ((a, "ohne Nüsse"), (b, "glutenfrei")):
            guest = an_invitation(conference, contact=kim)
            registrations.accept(guest, an_answer(name="Kim Brandl", diet=diet), at=NOW)
            an_action(conference, title=f"Kim Brandl fragen, in {conference.title}", at=NOW)
        toni = an_invitation(
            b, contact=a_contact(organisation="Haus Kim", first_name="Toni", last_name="Nur")
        )
        return {
            "alex": alex, "kim": kim.id, "toni": toni.contact_id, "provider": kim.provider_id,
            "guest": invitations.invite(a, kim, at=NOW).id, "chief": an_account(Role.ADMIN),
        }  # fmt: skip


def _b():
    return a_conference(None, a_series(an_account(), title="B"), slug="conf-b", title="Konferenz B")


def requests(in_house):
    with in_house():
        return [(one.kind, one.words, one.outcome) for one in db.session.scalars(select(PrivacyRequest))]


def data_of(browser, both):
    path = f"/conferences/conf-a/guests/{both['guest']}/data"
    answer = browser.client.post(path, data={"csrf_token": browser.csrf_token()})
    assert answer.status_code == 200
    file = zipfile.ZipFile(io.BytesIO(answer.data))
    return json.loads(file.read("data.json"))


def test_t07_the_address_book_shows_the_people_of_ones_own_conferences(browser, both):
    browser.sign_in(both["alex"])
    browser.open(f"/contacts/{both['toni']}", status=404)
    browser.submit(f"/contacts/{both['toni']}", FORM, status=404)
    browser.open(f"/contacts/{both['kim']}")
    browser.open(f"/providers/{both['provider']}")
    assert browser.sees("Kim Brandl") and not browser.sees("Toni")
    browser.sign_in(both["chief"]).open(f"/providers/{both['provider']}")
    assert browser.sees("Toni Nur")


def test_t07_the_file_about_a_guest_tells_of_ones_own_conferences_and_says_so(browser, both):
    told = data_of(browser.sign_in(both["alex"]), both)
    assert told["only_of_the_conferences"] == ["Konferenz A"]
    assert (
        [one["diet"] for one in told["registrations"]] == ["ohne Nüsse"] and told["texts"] and told["record"]
    )
    everything = json.dumps(told, ensure_ascii=False)
    assert "glutenfrei" not in everything and "Konferenz B" not in everything
    told = data_of(browser.sign_in(both["chief"]), both)
    assert len(told["registrations"]) == 2 and "only_of_the_conferences" not in told


def test_t07_every_table_with_words_belongs_to_a_conference_or_to_none(app):
    """So that no part of somebody else's conference comes into the file by a table that nobody thought of."""
    of_none = {
        "account", "account_link", "audit_text", "contact", "dead_address", "ended_visit", "enclosure", "erasure", "feedback", "hold",
        "former_details", "mail", "passkey", "provider", "recovery_code", "retention_run", "sent_form", "series", "sign_in_identity",
        "spent_challenge", "staff_session", "statement",
    }  # fmt: skip
    tables = [one for one in db.metadata.sorted_tables if naming.text_columns(one)]
    lost = {one.name for one in tables if str(dossier._lies_in(one, frozenset({1}))) == "false"}
    assert lost <= of_none


def test_t07_erasure_and_restriction_of_who_is_known_elsewhere_are_for_an_administrator(
    browser, in_house, both
):
    browser.sign_in(both["alex"])
    for kind in ("erasure", "restriction"):
        browser.submit(f"/conferences/conf-a/guests/{both['guest']}/request", {"kind": kind})
        assert browser.sees("Darüber entscheidet die Verwaltung des Hauses") and not browser.sees(
            "Begründung"
        )
        path = browser.response.request.path
        for outcome in ("granted", "refused"):
            browser.submit(path, {"outcome": outcome, "reason": "Bitte"}, status=409)
    browser.open("/requests")
    assert browser.sees("die Verwaltung des Hauses entscheidet")
    with in_house():
        operations.restrict(db.session.get(Contact, both["kim"]), at=NOW)
    browser.submit(f"/conferences/conf-a/guests/{both['guest']}/restriction", status=409)
    assert {outcome for _kind, _words, outcome in requests(in_house)} == {None}
    with in_house():
        assert len(db.session.scalars(select(Registration)).all()) == 2
    browser.sign_in(both["chief"])
    browser.submit(f"/conferences/conf-a/guests/{both['guest']}/restriction")
    browser.submit("/requests/1", {"outcome": "granted", "reason": "Bitte"})
    with in_house():
        assert db.session.get(PrivacyRequest, 1).outcome is Outcome.GRANTED
        assert not db.session.scalars(select(Registration)).all()


def test_t07_a_new_address_of_who_is_known_elsewhere_waits_for_an_administrator(browser, in_house, both):
    browser.sign_in(both["alex"])
    new = {"email": "kim@neu.example"}
    browser.submit(f"/contacts/{both['kim']}", FORM | new)
    assert browser.sees("die Verwaltung des Hauses entscheidet darüber")
    browser.submit(f"/conferences/conf-a/guests/{both['guest']}/edit", FORM | new | {"version": "2"})
    assert requests(in_house) == [(RequestKind.RECTIFICATION, "kim@neu.example", None)]
    with in_house():
        kim = db.session.get(Contact, both["kim"])
        assert (kim.email, kim.function) == ("kim@haus.example", "Leitung")
    browser.submit("/requests/1", {"outcome": "granted", "reason": "Bitte"}, status=409)
    browser.sign_in(both["chief"]).open("/requests/1")
    assert browser.sees("kim@neu.example")
    browser.submit("/requests/1", {"outcome": "granted", "reason": "Die alte gilt nicht mehr."})
    with in_house():
        assert db.session.get(Contact, both["kim"]).email == "kim@neu.example"


def test_t07_nobody_asks_to_read_the_same_request_in_a_conference_of_others(browser, in_house, both):
    """It is one request while it is open; who notes it again stays on the page of the guest."""
    with in_house():
        from conference.conferences.queries import conference_by_slug

        operations.ask(
            conference_by_slug("conf-b"),
            db.session.get(Contact, both["kim"]),
            RequestKind.ERASURE,
            "privat",
            at=NOW,
        )
    browser.sign_in(both["alex"])
    browser.submit(f"/conferences/conf-a/guests/{both['guest']}/request", {"kind": "erasure"})
    assert browser.sees("Kim Brandl") and not browser.sees("privat")
