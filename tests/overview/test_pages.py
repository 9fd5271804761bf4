"""Start, life page, leadership's page, paper and statements in the browser."""

import io
from datetime import UTC, date, datetime, time, timedelta

import pytest
from pypdf import PdfReader

from conference.accounts.models import Role
from conference.agenda import operations as agenda
from conference.agenda.models import ItemKind
from conference.conferences import operations as conferences
from conference.conferences.queries import conference_by_slug
from conference.groups import operations as groups
from conference.ideas import operations as ideas
from conference.kit import access
from conference.kit.db import db
from conference.overview import queries
from conference.overview.views import NEED_PAGES
from conference.registrations import operations as registrations

from ..builders import NOW, a_conference, a_series, an_account, an_answer, an_invitation

CLOSED_TO_LEADERSHIP = {
    "/edit", "/rooms", "/topics", "/agenda", "/guests", "/guests/import", "/letters/invitation", "/mailing", "/registrations",
    "/outbox", "/groups", "/groups/papers", "/groups/door-sheets.pdf", "/attendance", "/ideas", "/votes", "/decisions", "/actions", "/follow-up",
}  # fmt: skip


@pytest.fixture
def settings():
    return {"CLOCK_START": NOW}


@pytest.fixture
def leader(in_house):
    with in_house():
        return an_account(Role.LEADERSHIP)


@pytest.fixture
def june(in_house, organiser, leader):
    with in_house():
        series = a_series(organiser)
        db.session.flush()
        conferences.add_member(series, leader)
        return a_conference(organiser, series)


def with_guests(number):
    conference = conference_by_slug("june-2023")
    for _number in range(number):
        registrations.accept(an_invitation(conference, sent=True), an_answer(), at=NOW)
    an_invitation(conference)


@pytest.fixture(params=["de", "en"])
def language(request, browser):
    browser.client.set_cookie("lang", request.param)
    return request.param


# -- start -------------------------------------------------------------


def test_a_guest_is_led_to_the_sign_in_page(browser):
    assert browser.open("/", status=303).headers["Location"] == "/sign-in"


def test_an_organiser_without_a_series_is_told_the_next_step(browser, organiser, language):
    browser.sign_in(organiser).open("/")
    assert "/series/new" in browser.links()


def test_leadership_without_a_series_is_told_whom_to_ask(browser, leader):
    browser.sign_in(leader).open("/")
    assert browser.sees("Noch keine Konferenz für Sie")
    assert "/series/new" not in browser.links()


def test_a_series_without_a_conference_offers_the_first_one(browser, in_house, organiser):
    with in_house():
        a_series(organiser)
    browser.sign_in(organiser).open("/")
    assert "/series/bildungstraegerkonferenz/conferences/new" in browser.links()
    assert browser.sees("Noch keine Konferenz")


def test_a_card_says_day_phase_numbers_and_the_next_step(browser, in_house, organiser, june, language):
    with in_house():
        with_guests(2)
    browser.sign_in(organiser).open("/")
    words = {
        "de": [
            "Dienstag, 06.06.2023",
            "Einladen",
            "2 von 3 Eingeladenen haben zugesagt",
            "Es gibt noch keine Tagesordnung",
        ],
        "en": ["Tuesday, 06.06.2023", "Invite", "2 of 3 invited have accepted", "There is no agenda yet"],
    }[language]
    assert [word for word in words if not browser.sees(word)] == []
    assert "/conferences/june-2023/agenda" in browser.links()


def test_other_peoples_conferences_are_not_on_the_start_page(browser, in_house, june):
    with in_house():
        stranger = an_account()
    browser.sign_in(stranger).open("/")
    assert not browser.sees("Bildungsträgerkonferenz Juni 2023")


def test_the_start_page_asks_the_database_the_same_number_of_times_for_any_number_of_conferences(
    browser, in_house, organiser, count_queries
):
    browser.sign_in(organiser)
    asked = []
    with in_house():
        series = a_series(organiser)
    for total in (1, 3, 30):
        with in_house():
            for number in range(len(asked) and (1, 3, 30)[len(asked) - 1], total):
                a_conference(organiser, series, slug=f"c-{number}", title=f"Konferenz {number}")
        with count_queries() as seen:
            browser.open("/")
        asked.append(len(seen))
    assert asked[0] == asked[1] == asked[2]
    assert asked[0] <= 9


# -- life page ---------------------------------------------------------


def test_the_life_page_is_clean_in_both_languages_from_empty_to_full(
    browser, in_house, organiser, june, language
):
    browser.sign_in(organiser).open("/conferences/june-2023")
    with in_house():
        with_guests(3)
    browser.open("/conferences/june-2023")
    assert browser.sees("Wie können Arbeitsagentur und Bildungsträger sich noch besser vernetzen?")


def test_every_need_leads_to_a_page_of_the_house(app):
    with app.app_context():
        unknown = {page for pages in NEED_PAGES.values() for page in pages if access.rule_of(page) is None}
    assert unknown == set()


@pytest.mark.parametrize("path", ["", "/results", "/minutes"])
def test_leadership_sees_no_link_that_is_closed_to_it(browser, in_house, leader, june, path):
    with in_house():
        with_guests(3)
    browser.sign_in(leader).open(f"/conferences/june-2023{path}")
    own = {
        link.removeprefix("/conferences/june-2023")
        for link in browser.links()
        if link.startswith("/conferences/june-2023")
    }
    assert own & CLOSED_TO_LEADERSHIP == set()
    for link in own:
        assert browser.client.get(f"/conferences/june-2023{link}").status_code == 200


@pytest.mark.parametrize("path", sorted(CLOSED_TO_LEADERSHIP))
def test_what_is_closed_to_leadership_is_not_found_even_when_typed(browser, leader, june, path):
    browser.sign_in(leader).open(f"/conferences/june-2023{path}", status=404)


@pytest.mark.parametrize("path", ["", "/results", "/results.csv", "/groups/door-sheets.pdf"])
def test_a_stranger_finds_nothing_and_a_guest_is_asked_to_sign_in(browser, new_browser, in_house, june, path):
    with in_house():
        stranger = an_account()
    browser.sign_in(stranger).open(f"/conferences/june-2023{path}", status=404)
    new_browser().open(f"/conferences/june-2023{path}", status=303)


def test_the_life_page_asks_the_database_the_same_number_of_times_for_any_number_of_guests(
    browser, in_house, organiser, june, count_queries
):
    browser.sign_in(organiser)
    asked = []
    for number in (1, 2, 27):
        with in_house():
            with_guests(number)
        with count_queries() as seen:
            browser.open("/conferences/june-2023")
        asked.append(len(seen))
    assert asked[0] == asked[1] == asked[2]
    assert asked[0] <= 25


# -- door sheets -------------------------------------------------------


@pytest.fixture
def tables(in_house, organiser, june):
    with in_house():
        conference = conference_by_slug("june-2023")
        fields = agenda.ItemFields(
            ItemKind.BREAKOUT,
            "Runde 1",
            "",
            date(2023, 6, 6),
            time(11, 20),
            timedelta(minutes=45),
            None,
            "",
            False,
        )
        agenda.add_item(conference, fields, at=NOW)
        db.session.flush()
        with_guests(4)
        groups.prepare_rounds(conference)
        groups.form_groups(conference, 2, organiser, at=NOW, iterations=5)


def words_of(answer):
    assert answer.mimetype == "application/pdf"
    reader = PdfReader(io.BytesIO(answer.data))
    return len(reader.pages), " ".join(" ".join(page.extract_text() for page in reader.pages).split())


def test_each_table_gets_a_door_sheet_with_its_times_and_its_code(browser, in_house, organiser, tables):
    with in_house():
        codes = [point.code for point in ideas.points_for(conference_by_slug("june-2023")) if point.table]
    pages, words = words_of(browser.sign_in(organiser).open("/conferences/june-2023/groups/door-sheets.pdf"))
    assert pages == 2
    assert "Entwurf vom 02.05.2023" in words
    assert [code for code in codes if code not in words] == []
    assert "11:20–12:05" in words


def test_door_sheets_without_codes_come_without_them_and_looking_makes_none(
    browser, in_house, organiser, tables
):
    pages, words = words_of(browser.sign_in(organiser).open("/conferences/june-2023/groups/door-sheets.pdf"))
    assert (pages, "Ideen abgeben" in words) == (2, False)
    with in_house():
        assert queries.life_of(conference_by_slug("june-2023"), NOW).tables_without_code == 2


def test_a_conference_without_groups_has_a_sheet_that_says_so(browser, organiser, june):
    pages, _words = words_of(browser.sign_in(organiser).open("/conferences/june-2023/groups/door-sheets.pdf"))
    assert pages == 1


# -- the house's own pages ---------------------------------------------


@pytest.mark.parametrize("path", ["/privacy", "/accessibility", "/imprint", "/patterns"])
def test_the_houses_own_pages_are_clean_and_open_to_anybody(browser, language, path):
    browser.open(path)
    assert browser.page.get("lang") == language


def test_the_privacy_page_names_the_legal_basis_and_the_only_cookies(browser):
    browser.open("/privacy")
    assert browser.sees("Artikel 6 Absatz 1 Buchstabe e DSGVO in Verbindung mit § 3 BDSG")
    assert browser.sees("Es gibt drei")


def test_the_accessibility_statement_names_the_arbitration_board_and_what_is_untested(browser):
    browser.open("/accessibility")
    assert browser.sees("Schlichtungsstelle nach § 16 BGG")
    assert browser.sees("Was nicht geprüft ist")


def test_the_imprint_asks_for_the_operator_until_it_is_set(browser, app):
    browser.open("/imprint")
    assert browser.sees("FOLGETERMIN_OPERATOR")
    app.config["OPERATOR"] = "Agentur für Arbeit Herford, Hansastraße 33, 32049 Herford"
    browser.open("/imprint")
    assert browser.sees("Hansastraße 33") and not browser.sees("FOLGETERMIN_OPERATOR")


def test_the_page_of_patterns_shows_a_good_form_and_one_with_every_error(browser):
    browser.open("/patterns")
    assert browser.value_of("name") == "Ada Muster"
    assert browser.sees("Bitte schreiben Sie ein Datum, das es gibt")
    assert browser.sees("Name: Bitte füllen Sie dieses Feld aus.")


def test_the_process_answers_for_its_health(browser):
    assert browser.open("/healthz").get_json() == {"status": "ok"}


def test_the_demo_clock_of_these_tests_stands_in_may(app):
    from conference.kit import clock

    with app.app_context():
        assert clock.now() - datetime(2023, 5, 2, 8, 0, tzinfo=UTC) < timedelta(hours=1)
