"""An erasure is exact: nothing of anybody else is changed, whatever they are called and wherever they stand (REQ-24)."""

from datetime import date, timedelta

import pytest
from sqlalchemy import select

from conference.accounts.models import Role
from conference.agenda import operations as agenda
from conference.agenda.models import Note
from conference.conferences.queries import conference_by_slug
from conference.ideas.models import Idea
from conference.invitations import operations as invitations
from conference.kit import unit
from conference.kit.db import db
from conference.outbox import operations as outbox
from conference.outbox.models import DeadAddress, Mail, MailState
from conference.people import operations as people
from conference.people.models import LinkUse
from conference.privacy import dossier, naming, operations
from conference.privacy.models import Outcome, RequestKind
from conference.providers import operations as providers
from conference.providers.models import Contact, Salutation
from conference.registrations import operations as registrations

from ..builders import (
    NOW,
    a_conference,
    a_contact,
    an_account,
    an_answer,
    an_invitation,
    some_ideas,
)
from .test_privacy import agenda_item, traces

MS, MR = Salutation.MS, Salutation.MR
LATER = {"slug": "august", "title": "August", "day": date(2024, 6, 6), "answer_by": date(2024, 5, 1)}


@pytest.fixture
def settings():
    return {"CLOCK_START": NOW}


def everything(without=frozenset()):
    """Every row of every table as it is, but those of some people."""
    with unit.reading():
        return {
            (table.name, tuple(row[key.name] for key in table.primary_key)): dict(row)
            for table in db.metadata.sorted_tables
            for row in db.session.execute(select(table)).mappings()
            if row.get("contact_id") not in without and not (table.name == "contact" and row["id"] in without)
        }


def erased(slug, contact_id, at=NOW):
    account = an_account(Role.ADMIN)
    asked = operations.ask(
        conference_by_slug(slug), db.session.get(Contact, contact_id), RequestKind.ERASURE, "", at=at
    )
    operations.decide(asked, Outcome.GRANTED, "Dem Wunsch entsprochen.", account, at=at)


def guest(conference, first, last, **over):
    invitation = an_invitation(conference, contact=a_contact(first_name=first, last_name=last, **over))
    registrations.accept(invitation, an_answer(name=f"{first} {last}"), at=NOW)
    return invitation.contact


OURS = {"audit_entry", "audit_text", "privacy_request", "erasure", "retention_run"}


def changed(before, after):
    """What differs, beside what says that somebody was erased, and their own letters."""
    return {
        key: (before[key], after.get(key))
        for key in before
        if key[0] not in OURS and before[key] != after.get(key)
    }


def test_req24_an_erasure_changes_nothing_of_namesakes_accounts_organisations_and_organisers(app, in_house):
    with in_house():
        account = an_account(name="Anna Müller", email="anna.mueller@agentur.example")
        june = a_conference(account, organiser_name="Frau Müller", organiser_email="mueller@agentur.example")
        august = a_conference(account, june.series, **LATER, organiser_email="poststelle@agentur.example")
        gone = [
            guest(
                june, "Anna", "Müller", salutation=MS, email="a@x.example", organisation="Dr. Müller Akademie"
            ).id,
            guest(june, "Anna", "Peter", email="anna@x.example").id,
            guest(june, "Lena", "Post", salutation=MS, email="lena@x.example").id,
        ]
        guest(august, "Anna", "Müller", salutation=MS, email="anna.mueller@y.example")
        guest(june, "Eva", "Müller", salutation=MS, email="mueller@y.example")
        guest(august, "Peter", "Schmidtke", salutation=MR, email="peter.schmidtke@y.example")
        guest(august, "Ina", "Peters", salutation=MS, email="xanna@x.example")
        some_ideas(june, "Frau Müller und Eva Müller", "Peter Schmidtke, Frau Peters", "Die Post kommt")
        some_ideas(august, "Anna Müller (Tel. 05221 985123), a.mueller@y.example")
        invitations.send_invitations(august, [], at=NOW)
    with app.app_context():
        before = everything(without=frozenset(gone))
        letters = {
            key
            for key in before
            if key[0] == "mail"
            and before[key]["recipient_address"] in ("a@x.example", "anna@x.example", "lena@x.example")
        }
    assert letters
    with in_house():
        for number in gone:
            erased(june.slug, number, at=june.ends_at + timedelta(days=1))
    with app.app_context():
        found = changed(before, everything(without=frozenset(gone)))
    assert set(found) == letters


def test_req24_the_night_changes_nothing_of_namesakes(app, in_house):
    with in_house():
        account = an_account(name="Anna Müller")
        june = a_conference(account, organiser_name="Frau Müller")
        august = a_conference(account, june.series, **LATER)
        silent = a_contact(
            first_name="Anna", last_name="Müller", email="a@x.example", organisation="Dr. Müller Akademie"
        )
        an_invitation(june, contact=silent)
        guest(august, "Anna", "Müller", salutation=MS, email="twin@y.example")
        some_ideas(august, "Anna Müller bringt den Kalender mit.")
        gone = frozenset({silent.id})
    with app.app_context():
        before = everything(without=gone)
    with in_house():
        operations.run_retention(at=june.ends_at + timedelta(days=40))
        person = db.session.get(Contact, silent.id)
        assert person is None or person.last_name.startswith("P-")
    with app.app_context():
        after = everything(without=gone)
    assert {key[0] for key in changed(before, after)} <= {"mail"}
    assert [
        key
        for key in changed(before, after)
        if before[key]["recipient_address"] != after[key]["recipient_address"]
    ] == []


def test_req24_where_only_one_of_a_name_is_known_texts_forget_and_tell_of_that_one(app, in_house):
    with in_house():
        account = an_account()
        june = a_conference(account)
        august = a_conference(account, june.series, **LATER)
        anna = guest(june, "Anna", "Müller", salutation=MS)
        eva = guest(august, "Eva", "Müller", salutation=MS)
        words = "Frau Müller (Tel. 05221 985123) übernimmt den Kalender."
        for conference in (june, august):
            agenda.save_note(
                agenda_item(conference, f"{conference.slug}@x.example"), words, 0, account, at=NOW
            )
        for contact in (anna, eva):
            told = dossier.of_person(contact, NOW)["texts"]
            assert [one["lines"] for one in told if one["kind"] == "note"] == [[words]]
        number, slug = anna.id, june.slug
    with in_house():
        erased(slug, number)
    with app.app_context(), unit.reading():
        first, second = db.session.scalars(select(Note.text).order_by(Note.id))
    assert first.startswith("P-") and "985123" not in first and second == words


def test_req24_a_letter_that_waits_for_a_namesake_stays_as_it_is(app, in_house):
    with in_house():
        june = a_conference()
        anna = an_invitation(june, contact=a_contact(first_name="Anna", last_name="Müller", salutation=MS))
        eva = an_invitation(june, contact=a_contact(first_name="Eva", last_name="Müller", salutation=MS))
        invitations.send_invitations(june, [anna, eva], at=NOW)
        theirs = db.session.scalars(select(Mail).where(Mail.recipient_address == eva.contact.email)).one()
        before, number, slug = theirs.text, anna.contact_id, june.slug
        assert "Sehr geehrte Frau Müller" in before
    with in_house():
        erased(slug, number)
        assert db.session.get(Mail, theirs.id).text == before


def test_req24_earlier_names_and_addresses_are_told_and_erased_too(app, in_house):
    with in_house():
        account = an_account()
        june = a_conference(account)
        kim = an_invitation(
            june, contact=a_contact(first_name="Kim", last_name="Altenhagen", email="info@alt.example")
        )
        invitations.send_invitations(june, [kim], at=NOW)
        some_ideas(june, "Frau Altenhagen schlägt einen Kalender vor; info@alt.example")
        outbox.mark_bounced(
            db.session.scalars(select(Mail)).one(), "5.1.1 no such user info@alt.example", at=NOW
        )
        fields = providers.ContactFields("Altenhagen", "kim@neu.example", "Kim")
        providers.correct_contact(kim.contact, kim.contact.provider, fields, None, account, at=NOW)
        assert db.session.scalar(select(DeadAddress)) is None, "nobody has it any more"
        assert len(db.session.scalars(select(Mail)).all()) == 1, "where nobody is nobody is told"
        correction = {"title": "", "first_name": "Kim", "last_name": "Neuberg", "function": ""}
        operations.rectify(june, kim.contact, **correction, version=None, at=NOW)
        told = dossier.of_person(kim.contact, NOW)
        former = {(one["last_name"], one["email"]) for one in told["former_details"]}
        assert former == {("Altenhagen", "info@alt.example"), ("Altenhagen", "kim@neu.example")}
        assert {one["kind"] for one in told["mails"]} == {"invitation", "privacy_corrected"}
        assert len(told["ideas"]) == 1
        number, slug = kim.contact_id, june.slug
    with in_house():
        erased(slug, number, at=june.ends_at + timedelta(days=1))
        for mail in db.session.scalars(select(Mail)):
            mail.state = MailState.SENT
        operations.forget_told()
    assert traces(app, ("Kim", "Altenhagen", "Neuberg", "@alt.example", "@neu.example")) == []


def test_req24_whoever_has_the_address_now_keeps_their_letters(app, in_house):
    with in_house():
        account = an_account(email="staff@agentur.example", name="Kim Alt")
        june = a_conference(account)
        kim = an_invitation(
            june, contact=a_contact(first_name="Kim", last_name="Alt", email="info@haus.example")
        )
        invitations.send_invitations(june, [kim], at=NOW)
        fields = providers.ContactFields("Alt", "staff@agentur.example", "Kim")
        providers.correct_contact(kim.contact, kim.contact.provider, fields, None, account, at=NOW)
        lena = an_invitation(
            june, contact=a_contact(first_name="Lena", last_name="Neu", email="info@haus.example")
        )
        some_ideas(june, "Mehr unter info@haus.example")
        invitations.send_invitations(june, [lena], at=NOW)
        people.send_link(account, LinkUse.RENEWAL, at=NOW)
        number, slug = kim.contact_id, june.slug
        letters = {mail.id: mail.recipient_name for mail in db.session.scalars(select(Mail))}
        assert sorted(letters.values()) == ["Kim Alt", "Kim Alt", "Lena Neu"]
    with in_house():
        erased(slug, number)
        left = [mail for mail in db.session.scalars(select(Mail)) if mail.id in letters and mail.text]
        assert [(mail.recipient_name, mail.purpose[:7]) for mail in left] == [
            ("Lena Neu", left[0].purpose[:7]),
            ("Kim Alt", "account"),
        ]
        idea = db.session.scalars(select(Idea.text)).one()
        assert idea == "Mehr unter info@haus.example", "it is hers now"


def test_every_column_with_letters_says_whether_people_are_looked_for_in_it():
    known = {(table, column) for table, columns in naming.TYPED.items() for column in columns.split()}
    kept = {
        (table, column)
        for table, reasons in naming.KEPT.items()
        for columns in reasons.values()
        for column in columns.split()
    }
    assert not known & kept
    there = {
        (table.name, column.name)
        for table in db.metadata.sorted_tables
        for column in naming.text_columns(table)
    }
    assert there == known | kept, "say in privacy/naming.py whether anybody may be named there"
