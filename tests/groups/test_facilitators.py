"""Facilitators: they work at the groups that were given to them, and find nothing of the others (T07)."""

import io
from datetime import timedelta

import pytest
from pypdf import PdfReader

from conference.accounts.models import Role
from conference.conferences.models import Grant
from conference.conferences.operations import give_role
from conference.conferences.queries import conference_by_slug
from conference.groups import operations as groups
from conference.groups.queries import plan_of
from conference.ideas import operations as ideas
from conference.kit.audit import AuditEntry
from conference.kit.db import db
from conference.people import operations as people
from conference.people.models import Facilitation
from conference.registrations.models import Presence
from conference.registrations.operations import record_attendance
from conference.sheets.queries import states_of, tables_of

from ..builders import NOW, a_participant, a_sheet, a_small_day, an_account

SLUG = "june-2023"
PAGES = (
    "groups.show_groups",
    "sheets.show_sheets",
    "sheets.show_wall",
    "ideas.show_ideas",
    "overview.show_papers",
)
PAPERS = ("seating_page", "facilitator_sheets", "name_cards", "table_signs", "door_sheets")


@pytest.fixture
def settings():
    return {"CLOCK_START": NOW}


@pytest.fixture
def june(in_house, organiser):
    """Six people at tables A and B in two rounds, with an idea and a sheet of each group."""
    with in_house():
        june = a_small_day(organiser, people=6, rounds=2, capacity=6)
        groups.form_groups(june, 2, organiser, at=NOW, iterations=50)
        ideas.open_collection(june, at=NOW)
        points = {point.table: point for point in ideas.points_for(june)}
        for plan in plan_of(june):
            number = plan.round.number
            for table in "AB":
                words = f"Einfall {table}{number}"
                ideas.hand_in(points[table], words, words, plan.round.id, at=NOW)
        ideas.hand_in(points[""], "Einfall im Plenum", "plenary", None, at=NOW)
        for one in tables_of(june):
            for table in one.tables:
                a_sheet(june, table, f"Ergebnis {table.name}{one.round.number}")
        return june


@pytest.fixture
def facilitator(in_house, june):
    with in_house():
        account = an_account(Role.COLLEAGUE)
        give_role(account, Role.MODERATOR, db.session.merge(june), by=None, at=NOW)
        return account


def grant_of(account):
    return db.session.query(Grant).filter_by(account_id=account.id).one()


def assign(in_house, account, organiser, table="A", number=0):
    with in_house():
        june = conference_by_slug(SLUG)
        people.assign_group(june, grant_of(account), table, number, db.session.merge(organiser), at=NOW)


def seated(in_house):
    """Round number and table → names."""
    with in_house():
        return {
            (plan.round.number, group.group.name): {seat.contact.name for seat in group.seats}
            for plan in plan_of(conference_by_slug(SLUG))
            for group in plan.groups
        }


def things(in_house):
    """The ids behind the addresses, by round number and table."""
    with in_house():
        june = conference_by_slug(SLUG)
        states, found = states_of(june), {}
        for plan in plan_of(june):
            for group in plan.groups:
                name, round_id = group.group.name, plan.round.id
                found[plan.round.number, name] = {
                    "group": group.group.id,
                    "round": round_id,
                    "sheet": states[round_id, name].sheet_id,
                    "idea": next(
                        idea.id
                        for idea in db.session.query(ideas.Idea)
                        if (idea.round_id, idea.table) == (round_id, name)
                    ),
                    "people": [seat.contact_id for seat in group.seats],
                }
        return found


def everything_read(browser):
    """The words of all pages and files that somebody comes to from the start page."""
    words, waiting, seen = [], ["/", f"/conferences/{SLUG}"], set()
    while waiting:
        path = waiting.pop()
        answer = browser.open(path)
        if answer.mimetype == "application/pdf":
            words += [page.extract_text() for page in PdfReader(io.BytesIO(answer.data)).pages]
            continue
        words.append(browser.html)
        inside = {link.split("#")[0] for link in browser.links() if link.startswith(f"/conferences/{SLUG}")}
        waiting += inside - seen
        seen |= inside
    assert len(seen) > 13
    return "\n".join(words)


def test_t07_a_facilitator_reads_the_own_group_and_no_other_on_any_page_or_paper(
    in_house, browser, organiser, june, facilitator
):
    assign(in_house, facilitator, organiser, "A", 1)
    with in_house():
        groups.publish(conference_by_slug(SLUG), organiser, at=NOW)
    names = seated(in_house)
    words = everything_read(browser.sign_in(facilitator))
    for name in names[1, "A"]:
        assert name in words
    for name in names[1, "B"]:
        assert name not in words
    assert "Ergebnis A1" in words and "Einfall A1" in words
    for other in ("A2", "B1", "B2", "im Plenum"):
        assert f"Ergebnis {other}" not in words and f"Einfall {other}" not in words


def test_t07_a_facilitator_gets_no_paper_that_would_be_of_all_groups(
    in_house, browser, organiser, june, facilitator
):
    assign(in_house, facilitator, organiser, "A", 1)
    browser.sign_in(facilitator).open("overview.show_papers", slug=SLUG)
    assert not browser.sees("Alle Runden und Tische")
    links = browser.links()
    for paper in PAPERS:
        is_theirs = paper not in {"seating_page", "name_cards"}
        assert (browser.path(f"overview.{paper}", slug=SLUG) in links) is is_theirs
        browser.open(f"overview.{paper}", slug=SLUG, status=200 if is_theirs else 404)


def test_the_overview_and_the_start_lead_a_facilitator_to_the_own_groups(
    in_house, browser, organiser, june, facilitator
):
    assign(in_house, facilitator, organiser, "A", 1)
    round_id = things(in_house)[1, "A"]["round"]
    browser.sign_in(facilitator).open("/")
    assert browser.path("groups.show_groups", slug=SLUG) in browser.links()
    browser.open("overview.show_conference", slug=SLUG)
    assert (
        browser.sees("Runde 1, ") and browser.sees("Raum ") and not browser.sees("Gerade ist nichts zu tun")
    )
    own = browser.path("sheets.edit_sheet", slug=SLUG, round_id=round_id, name="A")
    assert {link for link in browser.links() if "/sheets/" in link} == {own}
    browser.open("minutes.show_minutes", slug=SLUG)
    assert not browser.sees("friert")


def test_the_facilitator_sheet_names_who_facilitates_now(in_house, browser, organiser, june, facilitator):
    assign(in_house, facilitator, organiser, "A", 1)
    browser.sign_in(organiser)

    def sheets():
        answer = browser.open("overview.facilitator_sheets", slug=SLUG)
        pages = [page.extract_text() for page in PdfReader(io.BytesIO(answer.data)).pages]
        return [facilitator.name in words for words in pages]

    assert sheets() == [True, False, False, False]
    with in_house():
        grant_of(facilitator).expires_at = NOW - timedelta(seconds=1)
    assert not any(sheets())


def test_t07_what_is_of_another_group_is_not_found_for_a_facilitator(
    in_house, browser, organiser, june, facilitator
):
    assign(in_house, facilitator, organiser)
    browser.sign_in(facilitator)
    base = f"/conferences/{SLUG}"
    for (_number, table), of in things(in_house).items():
        own = table == "A"
        sheet = f"{base}/rounds/{of['round']}/sheets/{table}"
        for path in (f"{base}/groups/{of['group']}", f"{base}/ideas/{of['idea']}", sheet):
            browser.open(path, status=200 if own else 404)
            done = 422 if "/sheets/" in path else 303
            browser.submit(path, {"client_id": "0"}, status=done if own else 404)
        for path in (f"{base}/ideas/{of['idea']}/hiding", f"{base}/ideas/{of['idea']}/showing"):
            browser.submit(path, status=303 if own else 404)
        taken = {"result": "1", "version": "1"}
        browser.submit(f"{base}/sheets/{of['sheet']}/ideas", taken, status=303 if own else 404)
        browser.submit(f"{base}/sheets/{of['sheet']}/reopening", {"version": "1"}, status=303 if own else 404)
    wall = browser.open("sheets.show_wall", slug=SLUG, round=1, table="B").get_data(as_text=True)
    assert "Ergebnis B1" not in wall


def test_t07_a_facilitator_moves_only_people_of_the_own_groups_and_those_without_one(
    in_house, browser, organiser, june, facilitator
):
    assign(in_house, facilitator, organiser)
    with in_house():
        latecomer = a_participant(conference_by_slug(SLUG)).contact_id
    of = things(in_house)
    own, other = of[1, "A"], of[1, "B"]
    browser.sign_in(facilitator)

    def move(person, group, status, step="move", **more):
        with in_house():
            version = str(plan_of(conference_by_slug(SLUG))[0].round.version)
        data = {"person": str(person), "group": str(group), "step": step, "version": version} | more
        browser.submit("groups.move_seat", data, status=status, slug=SLUG, round_id=own["round"])

    move(other["people"][0], own["group"], 404)
    move(other["people"][0], "", 404)
    move(other["people"][0], "", 404, "pin")
    move(own["people"][0], other["group"], 404)
    move(own["people"][0], "", 404, "swap", other=str(other["people"][0]))
    before = seated(in_house)
    move(latecomer, own["group"], 303)
    move(own["people"][0], "", 303, "pin")
    move(own["people"][0], "", 303)
    after = seated(in_house)
    assert after[1, "B"] == before[1, "B"] and len(after[1, "A"]) == len(before[1, "A"])
    assert browser.sees("Ohne Gruppe")


def test_t07_a_facilitator_without_groups_sees_none_and_is_told_so(
    in_house, browser, organiser, june, facilitator
):
    browser.sign_in(facilitator)
    for page in PAGES:
        browser.open(page, slug=SLUG)
        assert page == "sheets.show_wall" or browser.sees("noch keine Gruppe"), page
        assert "Muster" not in browser.html and "Ergebnis A" not in browser.html
    for paper in PAPERS:
        browser.open(f"overview.{paper}", slug=SLUG, status=404)


def test_t17_groups_go_with_the_role_at_the_next_request(in_house, browser, organiser, june, facilitator):
    sheet = {"slug": SLUG, "round_id": things(in_house)[1, "A"]["round"], "name": "A"}
    browser.sign_in(facilitator)

    def opens(status):
        browser.open("sheets.edit_sheet", **sheet, status=status)

    opens(404)
    assign(in_house, facilitator, organiser)
    opens(200)
    with in_house():
        grant_of(facilitator).expires_at = NOW - timedelta(seconds=1)
    opens(404)
    with in_house():
        grant = grant_of(facilitator)
        grant.expires_at = None
        by = db.session.merge(organiser)
        people.change_grant(conference_by_slug(SLUG), grant, Role.DOOR, None, 1, by, at=NOW)
        people.change_grant(conference_by_slug(SLUG), grant, Role.MODERATOR, None, 2, by, at=NOW)
    opens(404)
    assign(in_house, facilitator, organiser)
    opens(200)
    with in_house():
        people.remove_grant(conference_by_slug(SLUG), grant_of(facilitator), db.session.merge(organiser))
        give_role(db.session.merge(facilitator), Role.MODERATOR, conference_by_slug(SLUG), by=None, at=NOW)
    opens(404)
    with in_house():
        assert db.session.query(Facilitation).count() == 0
        kept = db.session.query(AuditEntry).filter_by(kind="facilitation").order_by(AuditEntry.number)
        assert [entry.verb for entry in kept] == ["created", "deleted"] * 2


def test_a_facilitator_keeps_the_table_when_groups_are_formed_anew(
    in_house, browser, organiser, june, facilitator
):
    assign(in_house, facilitator, organiser, "B")
    someone = things(in_house)[1, "A"]["people"][0]
    with in_house():
        june = conference_by_slug(SLUG)
        record_attendance(june, someone, Presence.ABSENT, at=NOW)
        groups.form_groups(june, 2, organiser, at=NOW, iterations=50)
    browser.sign_in(facilitator).open("groups.show_groups", slug=SLUG)
    names = seated(in_house)
    assert all(browser.sees(name) for name in names[1, "B"])
    assert not any(browser.sees(name) for name in names[1, "A"] - names[2, "B"])
    with in_house():
        groups.form_groups(conference_by_slug(SLUG), 1, organiser, at=NOW, iterations=50)
    browser.open("groups.show_groups", slug=SLUG)
    assert browser.sees("noch nicht gebildet")


def test_an_organiser_gives_groups_to_facilitators_on_a_page(
    in_house, browser, new_browser, organiser, june, facilitator
):
    with in_house():
        second = an_account(Role.COLLEAGUE, name="Zoe Zweite")
        give_role(second, Role.MODERATOR, conference_by_slug(SLUG).series, by=None, at=NOW)
        leader = an_account(Role.COLLEAGUE, name="Leo Leitung")
        give_role(leader, Role.LEADERSHIP, conference_by_slug(SLUG), by=None, at=NOW)
        ids = {account.name: str(grant_of(account).id) for account in (facilitator, second, leader)}
    staff = browser.sign_in(organiser)
    staff.open("people.show_people", slug=SLUG)
    assert f"/conferences/{SLUG}/groups/facilitators" in staff.links() and staff.sees("noch keine")

    def give(name, table, number="", status=303):
        data = {"grant": ids.get(name, name), "table": table, "round": number}
        staff.submit("groups.show_facilitators", data, status=status, slug=SLUG)

    give(facilitator.name, "A")
    give(facilitator.name, "A")
    give(facilitator.name, "B", "2")
    give("Zoe Zweite", "A")
    for wrong in (("Leo Leitung", "A"), ("", "A"), (facilitator.name, "Z"), (facilitator.name, "A", "9")):
        give(*wrong, status=422)
    with in_house():
        rows = sorted((one.table, one.round) for one in db.session.query(Facilitation))
    assert rows == [("A", 0), ("A", 0), ("B", 2)]
    assert staff.sees("B") and staff.sees("Zoe Zweite")
    with in_house():
        mine = db.session.query(Facilitation).filter_by(round=2).one().id
    for other in (new_browser().sign_in(facilitator), new_browser().sign_in(leader)):
        other.open("groups.show_facilitators", slug=SLUG, status=404)
        other.submit("groups.release_group", slug=SLUG, facilitation_id=mine, status=404)
    staff.submit("groups.release_group", slug=SLUG, facilitation_id=mine)
    with in_house():
        assert db.session.query(Facilitation).filter_by(round=2).count() == 0
