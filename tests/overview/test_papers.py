"""The groups on paper, with real people: which version it is, who is on it, who may fetch it."""

import io

import pytest
from pypdf import PdfReader

from conference.accounts.models import Role
from conference.conferences import operations as conferences
from conference.conferences.queries import conference_by_slug
from conference.groups import editions, operations, queries
from conference.ideas import operations as ideas
from conference.kit.db import db
from conference.overview import papers

from ..builders import NOW, a_small_day, an_account

BASE = "/conferences/june-2023/groups"
FILES = ["seating.pdf", "facilitator-sheets.pdf", "name-cards.pdf", "table-signs.pdf", "door-sheets.pdf"]


@pytest.fixture
def settings():
    return {"CLOCK_START": NOW}


@pytest.fixture
def june(in_house, organiser):
    """Five people at two tables in two rounds, formed, not published."""
    with in_house():
        conference = a_small_day(organiser, people=5, rounds=2, capacity=4)
        operations.form_groups(conference, 2, organiser, at=NOW, iterations=20)
        return conference


@pytest.fixture
def staff(browser, organiser, june):
    return browser.sign_in(organiser)


def change(in_house, what):
    with in_house():
        conference = conference_by_slug("june-2023")
        if what == "publish":
            operations.publish(conference, None, at=NOW)
        else:
            plan = queries.plan_of(conference)[0]
            seat = plan.groups[0].seats[0]
            operations.move_seat(conference, plan.round.id, seat.contact_id, None, None, at=NOW)
            return seat.contact.name
    return ""


def words_of(answer):
    assert answer.mimetype == "application/pdf"
    reader = PdfReader(io.BytesIO(answer.data))
    return len(reader.pages), " ".join(" ".join(page.extract_text() for page in reader.pages).split())


def test_the_wall_page_is_the_published_version_and_a_draft_only_when_asked(staff, in_house):
    change(in_house, "publish")
    published = staff.open(f"{BASE}/seating.pdf")
    _pages, words = words_of(published)
    assert "Fassung 1 vom 02.05.2023, 10:00 Uhr" in words and "Entwurf" not in words
    assert "seating-v1.pdf" in published.headers["Content-Disposition"]
    name = change(in_house, "move")
    assert staff.open(f"{BASE}/seating.pdf").data == published.data  # the same version, the same bytes
    _pages, words = words_of(staff.open(f"{BASE}/seating.pdf?draft=1"))
    assert (
        "nach Fassung 1" in words
        and f"Ohne Gruppe in Runde 1: {name.split()[1]} {name.split()[2]}, Ada" in words
    )


def test_a_facilitator_gets_a_sheet_for_each_group_and_round_with_the_code_of_the_table(staff, in_house):
    with in_house():
        codes = [point.code for point in ideas.points_for(conference_by_slug("june-2023")) if point.table]
    answer = staff.open(f"{BASE}/facilitator-sheets.pdf?round=2")
    assert "facilitator-sheets-draft.pdf" in answer.headers["Content-Disposition"]
    pages, words = words_of(answer)
    assert pages == 2 and "Runde 2, 11:00–11:45 Uhr" in words and "Runde 1" not in words
    for expected in [
        *codes,
        "Raum 1",
        "Offene Punkte",
        "Ergebnis 5",
        "Moderation",
        "Entwurf vom 02.05.2023, 10:00 Uhr, nicht veröffentlicht",
    ]:
        assert expected in words, expected


def test_every_paper_holds_everybody_who_takes_part(house):
    """What the templates are given, for a draft in which one person has no seat."""
    conference = a_small_day(people=5, rounds=2, capacity=4)
    operations.form_groups(conference, 2, None, at=NOW, iterations=20)
    plan = queries.plan_of(conference)[1]
    lost = plan.groups[0].seats[0].contact
    operations.move_seat(conference, plan.round.id, lost.id, None, None, at=NOW)
    edition = editions.edition_of(conference)
    assert edition.is_draft and len(edition.people) == 5
    assert [person.id for person in edition.rounds[1].unseated] == [lost.id]
    seating = papers._seating(conference, edition)
    listed = {person["name"]: person["places"] for leaf in seating["leaves"] for person in leaf}
    assert len(listed) == 5 and listed[f"{lost.last_name}, {lost.first_name}"][1] == "–"
    cards = papers._name_cards(conference, edition)["cards"]
    assert {card["name"]: len(card["places"]) for card in cards}[lost.name] == 1
    with house.test_request_context():
        assert len(papers._facilitator_sheets(conference, edition)["sheets"]) == 4


def test_who_hosts_a_table_stands_on_its_sheets(house):
    conference = a_small_day(people=2)
    operations.form_groups(conference, 1, None, at=NOW, iterations=5)
    release = operations.publish(conference, None, at=NOW)
    release.plan = [
        entry | {"hosts": {str(entry["contact_ids"][0]): entry["people"][0]}} for entry in release.plan
    ]
    db.session.flush()
    edition = editions.edition_of(conference)
    host = edition.rounds[0].tables[0].people[0].name
    assert papers._door_sheets(conference, edition)["sheets"][0]["hosts"] == [host]
    with house.test_request_context():
        assert papers._facilitator_sheets(conference, edition)["sheets"][0]["table"].hosts == (host,)


def test_a_name_that_was_corrected_since_stands_corrected_and_who_was_deleted_as_published(house):
    conference = a_small_day(people=2)
    operations.form_groups(conference, 1, None, at=NOW, iterations=5)
    release = operations.publish(conference, None, at=NOW)
    release.plan = [entry | {"contact_ids": [*entry["contact_ids"], 999_999], "people": [*entry["people"], "Kim Gast, Verein"]} for entry in release.plan]  # fmt: skip
    db.session.flush()
    names = [person.name for person in editions.edition_of(conference).people]
    assert "Kim Gast, Verein" in names and len(names) == 3


def test_the_page_of_papers_leads_to_each_and_says_what_is_printed(staff, in_house):
    staff.open("/conferences/june-2023/groups")
    assert f"{BASE}/papers" in staff.links() and f"{BASE}/time" in staff.links()
    staff.open(f"{BASE}/papers")
    assert {f"{BASE}/{name}" for name in FILES} <= set(staff.links())
    assert staff.sees("Auf jedem Blatt steht „Entwurf“.") and staff.sees("Die Tische haben noch keine Codes")
    change(in_house, "publish")
    staff.open(f"{BASE}/papers")
    assert staff.sees("Gedruckt wird die veröffentlichte Fassung 1") and "draft=1" not in staff.html
    change(in_house, "move")
    staff.open(f"{BASE}/papers")
    assert (
        staff.sees("Die Gruppen wurden seitdem geändert") and f"{BASE}/seating.pdf?draft=1" in staff.links()
    )


def test_without_groups_the_page_says_so(browser, in_house, organiser):
    with in_house():
        a_small_day(organiser, people=0)
    browser.sign_in(organiser).open(f"{BASE}/papers")
    assert browser.sees("Noch keine Arbeitsgruppen")


def test_papers_are_for_those_who_work_on_the_day(new_browser, in_house, june):
    with in_house():
        leader, stranger = an_account(Role.LEADERSHIP), an_account()
        conferences.add_member(conference_by_slug("june-2023").series, leader)
    for name in ["papers", *FILES]:
        for account in (leader, stranger):
            new_browser().sign_in(account).open(f"{BASE}/{name}", status=404)
        new_browser().open(f"{BASE}/{name}", status=303)
