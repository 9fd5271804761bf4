"""What leadership, minute takers and the door come to read: no more of people than their work needs (T07)."""

import io
import re

import pytest
from pypdf import PdfReader

from conference.accounts.models import Role
from conference.actions import operations as actions
from conference.actions.models import ActionStatus
from conference.agenda import operations as agenda
from conference.agenda.queries import items_of, note_of
from conference.conferences.models import Grant
from conference.conferences.operations import give_role
from conference.conferences.queries import conference_by_slug
from conference.kit.audit import AuditEntry
from conference.kit.db import db
from conference.minutes import operations as minutes
from conference.minutes import queries as drafts
from conference.minutes.models import Release
from conference.people import operations as people
from conference.providers.models import Contact
from conference.registrations import operations as registrations
from conference.registrations.queries import participants

from .. import access_matrix as matrix
from .. import world
from ..builders import NOW, an_account, an_action, an_answer, an_invitation, some_ideas

PHONE, ADDRESS = "05221 000-4711", "ganz.privat@traeger.example"
DIET, NEEDS = "isst keine Nüsse", "braucht eine Rampe"


@pytest.fixture
def settings():
    return {"CLOCK_START": NOW}


@pytest.fixture
def small_world(app, in_house):
    """The world, in which people are named in every text that leadership may come to read; and somebody of leadership."""
    world.build(app)
    with in_house():
        for slug in (world.OVER, world.COMING):
            conference = conference_by_slug(slug)
            one = participants(conference)[0]
            words = f"Frau {one.last_name} ({ADDRESS}, {PHONE}) fragt {one.name}"
            idea = some_ideas(conference, f"Idee: {words}")[0]
            for item in items_of(conference):
                note = note_of(item)
                agenda.save_note(item, f"Notiz: {words}", note.number if note else 0, None, at=NOW)
            source = actions.Source("idea", idea.id)
            decision = actions.decide(conference, f"Beschluss: {words}", "", source, at=NOW)
            action = an_action(
                conference,
                f"Maßnahme: {words}",
                responsible=one,
                supporters=one.name,
                decision_id=decision.id,
                at=NOW,
            )
            report = {"status": ActionStatus.OPEN, "due_on": action.due_on, "text": f"Bericht: {words}"}
            actions.report(action, **report, author=one.name, version=action.version, at=NOW)
        guest = an_invitation(conference_by_slug(world.COMING))
        answer = an_answer(name=guest.contact.name, diet=DIET, access_needs=NEEDS)
        registrations.accept(guest, answer, at=NOW)
        past = conference_by_slug(world.OVER)
        draft = drafts.compile_draft(past, at=NOW)
        document = minutes.as_released(draft, number=2, released_by="Nora Beispiel", at=NOW, zone=past.zone)
        minutes.release(past, document, b"%PDF-1.7", an_account(), at=NOW)
        follower = conference_by_slug(world.COMING)
        follower.previous_id = past.id
        leader = an_account(Role.COLLEAGUE, name="Leo Leitung")
        give_role(leader, Role.LEADERSHIP, past.series, by=None, at=NOW)
        return leader


def pages_of(role):
    """Every address in a place that the matrix opens to a role."""
    return {
        path: row
        for path, row in matrix.read().items()
        if row[role] == "yes" and matrix.in_a_place(path) and "GET" in row["methods"]
    }


def words_of(answer):
    if answer.mimetype == "application/pdf" and len(answer.data) > 100:
        return " ".join(
            " ".join(page.extract_text() for page in PdfReader(io.BytesIO(answer.data)).pages).split()
        )
    return answer.get_data(as_text=True)


def everything_read(browser, role):
    """The words of all these pages and files in every conference, and of all pages to which they lead, none of them closed."""
    read, waiting = {}, [("/", True)]
    for path in pages_of(role):
        for slug in (world.OVER, world.COMING, world.EMPTY):
            waiting.append((re.sub(r"<(\w+:)?\w+>", "2", path.replace("<slug>", slug)), False))
    while waiting:
        path, is_link = waiting.pop()
        path = path.split("#")[0]
        if path in read or path.startswith(("/theme", "/language", "/static", "/programme")):
            continue
        answer = browser.client.get(path)
        assert answer.status_code == 200 or (answer.status_code == 404 and not is_link), path
        if answer.status_code == 404:
            continue
        read[path] = words_of(answer)
        if answer.mimetype == "text/html":
            browser.open(path)
            waiting += [(link, True) for link in browser.links() if link.startswith("/")]
    return read


def personal(in_house):
    """What may not be read by everybody: names and surnames; addresses, numbers and what people need."""
    with in_house():
        people = db.session.query(Contact).all()
        names = {person.name for person in people} | {person.last_name for person in people}
        return names, {person.email for person in people if person.email} | {ADDRESS, PHONE, DIET, NEEDS}


def test_t07_leadership_reads_no_personal_data(in_house, browser, small_world):
    secrets = set.union(*personal(in_house))
    read = everything_read(browser.sign_in(small_world), "leadership")
    assert "Maßnahme" in read[f"/conferences/{world.OVER}/minutes/2.pdf"]
    found = {path: sorted(secret for secret in secrets if secret in words) for path, words in read.items()}
    assert {path: told for path, told in found.items() if told} == {}
    review = read[f"/conferences/{world.COMING}/review"]
    assert "Bericht: Bildungshaus" in review and "Maßnahme: Bildungshaus" in review
    assert "Organisationen an ihrer Stelle" in read[f"/conferences/{world.OVER}/minutes"]


def secrets_in(read, secrets):
    return {path for path, words in read.items() for secret in secrets if secret in words}


def colleague(in_house, role):
    with in_house():
        account = an_account(Role.COLLEAGUE, name="Kim Kollege")
        give_role(account, role, conference_by_slug(world.COMING), by=None, at=NOW)
        return account


def test_t07_the_door_reads_names_and_organisations_and_nothing_else(in_house, browser, small_world):
    assert set(pages_of("door")) == {
        f"/conferences/<slug>{page}"
        for page in ("", "/attendance", "/attendance/signature-list.pdf", "/badges.pdf")
    }
    names, more = personal(in_house)
    read = everything_read(browser.sign_in(colleague(in_house, Role.DOOR)), "door")
    inside = f"/conferences/{world.COMING}"
    assert {path for path in read if path.startswith("/conferences/")} == {
        f"{inside}{page}" for page in ("", "/attendance", "/attendance/signature-list.pdf", "/badges.pdf")
    }
    assert secrets_in(read, more) == set()
    assert f"{inside}/attendance" in secrets_in(read, names) and inside not in secrets_in(read, names)


def test_t07_who_takes_the_minutes_reads_no_addresses_and_needs(in_house, browser, small_world):
    closed = ("guests", "registrations", "groups", "sheets", "ideas", "attendance", "outbox", "people")
    assert not {f"/conferences/<slug>/{page}" for page in closed} & set(pages_of("minute_taker"))
    _names, more = personal(in_house)
    read = everything_read(browser.sign_in(colleague(in_house, Role.MINUTE_TAKER)), "minute_taker")
    assert secrets_in(read, more - {ADDRESS, PHONE}) == set()
    assert f"/conferences/{world.COMING}/minutes/draft.pdf" in read


def test_leadership_reads_names_with_leave_which_is_recorded(in_house, browser, organiser, small_world):
    over = {"slug": world.OVER, "number": 2}
    browser.sign_in(small_world)
    with in_house():
        release = db.session.query(Release).filter_by(number=2).one()
        kept, frozen = release.text, release.pdf
        grant = db.session.query(Grant).filter_by(account_id=small_world.id).one()
        place, by = conference_by_slug(world.OVER).series, db.session.merge(organiser)
        give_role(by, Role.ORGANISER, place, by=None, at=NOW)
        grant_id, slug = grant.id, place.slug
    assert browser.open("minutes.released_text", **over).get_data(as_text=True) != kept
    staff = type(browser)(browser.app).sign_in(organiser)
    where = {"series_slug": slug, "grant_id": grant_id}
    staff.open("people.edit_grant", **where)
    assert staff.value_of("with_names") is None
    data = {"role": "leadership", "until": "", "version": "1", "with_names": "y"}
    staff.submit("people.edit_grant", data, **where)
    assert staff.sees("liest Namen")
    assert browser.open("minutes.released_text", **over).get_data(as_text=True) == kept
    assert browser.open("minutes.released_pdf", **over).data == frozen
    assert browser.open("actions.show_review", slug=world.COMING) and browser.sees("Muster")
    with in_house():
        last = db.session.query(AuditEntry).filter_by(kind="role_grant", verb="changed")
        assert "with_names" in last.order_by(AuditEntry.number.desc()).first().changes
    staff.submit("people.edit_grant", {"role": "leadership", "until": "", "version": "2"}, **where)
    assert browser.open("minutes.released_text", **over).get_data(as_text=True) != kept


def test_only_leadership_gets_the_leave_and_it_goes_with_the_role(in_house, organiser, small_world):
    with in_house():
        past = conference_by_slug(world.OVER)
        grant, by = (
            db.session.query(Grant).filter_by(account_id=small_world.id).one(),
            db.session.merge(organiser),
        )
        change = {"at": NOW, "with_names": True}
        people.change_grant(past.series, grant, Role.LEADERSHIP, None, 1, by, **change)
        assert grant.with_names
        people.change_grant(past.series, grant, Role.DOOR, None, 2, by, **change)
        assert not grant.with_names
