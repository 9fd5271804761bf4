"""Organisations and people."""

import pytest
from sqlalchemy import true

from conference.kit.db import db
from conference.providers import operations, queries
from conference.providers.models import Contact, Provider

from ..bad_input import BAD_LINE_IDS, BAD_LINES, HARMLESS, LEGITIMATE_NAMES
from ..builders import NOW, a_contact, an_account


@pytest.fixture
def ada(in_house):
    with in_house():
        return a_contact(
            organisation="Bildungshaus Löhne", last_name="von der Heide", email="ada@bh-loehne.example"
        )


def contact_form(**over):
    return {
        "organisation": "Bildungshaus Löhne", "salutation": "none", "title": "", "first_name": "Ada", "last_name": "von der Heide",
        "email": "ada@bh-loehne.example", "function": "", "side": "provider", "team": "", "version": "1",
    } | over  # fmt: skip


def test_an_organisation_is_kept_once_whatever_its_capitals(house):
    first, new = operations.keep_provider("Bildungshaus Löhne", None, None, at=NOW)
    second, again = operations.keep_provider("BILDUNGSHAUS  LÖHNE", None, None, at=NOW)
    assert (new, again, first.id) == (True, False, second.id)


def test_a_person_is_kept_once_whatever_the_capitals_of_the_address(house):
    first = a_contact(email="ada@bh-loehne.example")
    provider, _new = operations.keep_provider("Anderes Haus", None, None, at=NOW)
    second, new = operations.keep_contact(provider, at=NOW, last_name="M", email="ADA@BH-LOEHNE.EXAMPLE")
    assert (second.id, new) == (first.id, False)


def test_people_without_address_are_different_people(house):
    a_contact(email="", last_name="Eins", organisation="X")
    a_contact(email="", last_name="Zwei", organisation="X")
    assert len(queries.contacts_of(queries.provider_by_name("X"), true())) == 2


def test_people_stand_in_german_order(house):
    for name in ("Öztürk", "von der Heide", "Adam", "Ächter", "Zimmer"):
        a_contact(organisation="X", last_name=name)
    names = [contact.last_name for contact in queries.contacts_of(queries.provider_by_name("X"), true())]
    assert sorted(names) == sorted(["Öztürk", "von der Heide", "Adam", "Ächter", "Zimmer"])
    assert names[0] in ("Adam", "Ächter") and names[-1] == "Zimmer"


def test_an_organiser_corrects_a_person(browser, in_house, ada):
    with in_house():
        account = an_account()
    browser.sign_in(account).open("providers.edit_contact", contact_id=ada.id)
    browser.submit(
        "providers.edit_contact",
        contact_form(organisation="Neues Haus", email="Ada@Neu.Example"),
        contact_id=ada.id,
    )
    with in_house():
        changed = db.session.get(Contact, ada.id)
        assert (changed.provider.name, changed.email, changed.version) == ("Neues Haus", "Ada@neu.example", 2)


@pytest.mark.parametrize("field", ["organisation", "last_name", "first_name", "function"])
@pytest.mark.parametrize("bad", BAD_LINES, ids=BAD_LINE_IDS)
def test_bad_text_changes_nobody(browser, in_house, ada, field, bad):
    with in_house():
        account = an_account()
    browser.sign_in(account)
    browser.submit("providers.edit_contact", contact_form(**{field: bad}), status=422, contact_id=ada.id)
    assert browser.value_of("email") == "ada@bh-loehne.example"
    with in_house():
        assert db.session.get(Contact, ada.id).version == 1
        assert db.session.query(Provider).count() == 1


@pytest.mark.parametrize(
    "address", ["", "nobody", "a@b", "a b@c.example", "a@c.example\nBcc: d@e.example", "ada@@c.example"]
)
def test_a_bad_address_changes_nobody(browser, in_house, ada, address):
    with in_house():
        account = an_account()
    browser.sign_in(account).submit(
        "providers.edit_contact", contact_form(email=address), status=422, contact_id=ada.id
    )


@pytest.mark.parametrize("name", HARMLESS + LEGITIMATE_NAMES)
def test_names_are_kept_as_they_are(browser, in_house, ada, name):
    with in_house():
        account = an_account()
    browser.sign_in(account).submit(
        "providers.edit_contact", contact_form(last_name=name[:80]), contact_id=ada.id
    )
    assert browser.value_of("last_name") == name[:80]


def test_a_stale_form_changes_nobody(browser, in_house, ada):
    with in_house():
        account = an_account()
    browser.sign_in(account)
    browser.submit("providers.edit_contact", contact_form(last_name="Eins"), contact_id=ada.id)
    browser.submit("providers.edit_contact", contact_form(last_name="Zwei"), status=409, contact_id=ada.id)
    with in_house():
        assert db.session.get(Contact, ada.id).last_name == "Eins"


def test_an_address_of_somebody_else_is_refused(browser, in_house, ada):
    with in_house():
        account, other = an_account(), a_contact()
    browser.sign_in(account).submit(
        "providers.edit_contact", contact_form(email=other.email), status=409, contact_id=ada.id
    )


@pytest.mark.parametrize("number", [1, 3, 30])
def test_the_list_runs_a_constant_number_of_queries(browser, in_house, count_queries, number):
    with in_house():
        account = an_account()
        for _ in range(number):
            a_contact()
    browser.sign_in(account)
    with count_queries() as seen:
        browser.open("providers.show_providers")
    assert len([s for s in seen if s.startswith("SELECT")]) == 3


def test_the_form_shows_the_salutation_and_side_that_are_stored(browser, in_house):
    from conference.providers.models import Salutation, Side

    with in_house():
        account, person = an_account(), a_contact(salutation=Salutation.MR, side=Side.AGENCY)
    browser.sign_in(account).open("providers.edit_contact", contact_id=person.id)
    assert (browser.value_of("salutation"), browser.value_of("side")) == ("mr", "agency")
