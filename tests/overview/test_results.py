"""Leadership's page: idea, dots, decision, action, state and result in one thread."""

from datetime import UTC, date, datetime, timedelta

import pytest

from conference.accounts.models import Role
from conference.actions import operations as actions
from conference.actions.models import ActionStatus
from conference.agenda import operations as agenda
from conference.conferences import operations as conferences
from conference.conferences.models import Grant
from conference.conferences.queries import conference_by_slug
from conference.ideas import operations as ideas
from conference.ideas.queries import idea_by_number
from conference.kit.db import db
from conference.overview import queries
from conference.registrations import operations as registrations
from conference.voting import operations as voting
from conference.voting.models import VoteSubject
from conference.voting.queries import options_of

from ..builders import (
    NOW,
    a_conference,
    a_participant,
    a_series,
    an_account,
    an_answer,
    an_invitation,
    some_ideas,
)

MORNING = datetime(2023, 6, 6, 8, 0, tzinfo=UTC)
JULY = datetime(2023, 7, 3, 8, 0, tzinfo=UTC)


@pytest.fixture
def settings():
    return {"CLOCK_START": JULY}


@pytest.fixture
def leader(in_house):
    with in_house():
        return an_account(Role.LEADERSHIP)


@pytest.fixture
def june(in_house, leader, organiser):
    """Two clusters, one voted up, decided, carried out by an organisation; one idea on its own."""
    with in_house():
        series = a_series(organiser)
        db.session.flush()
        conferences.add_member(series, leader)
        conference = a_conference(organiser, series)
        person = a_participant(conference, last_name="Geheim", organisation="Lernwerkstatt Enger")
        calendar, _office = _clusters(conference)
        _vote(conference, person.contact_id, calendar)
        decision = actions.decide(
            conference,
            "Wir führen einen Kalender.",
            "im Konsens",
            actions.Source("cluster", calendar.id),
            at=MORNING,
        )
        fields = actions.ActionFields(
            "Tabelle starten", "", person.contact_id, "", date(2023, 6, 30), decision_id=decision.id
        )
        action = actions.create_action(conference, fields, at=MORNING)
        actions.report(
            action,
            ActionStatus.DONE,
            action.due_on,
            "84 Kurse stehen online.",
            "Ada Geheim",
            action.version,
            at=JULY,
        )
        return conference


def _clusters(conference):
    found = some_ideas(
        conference,
        "Ein Kalender mit allen Kursen",
        "Kalender als Abo",
        "Monatliche Sprechstunde",
        "Mehr Kaffee",
    )
    calendar, office = (
        ideas.make_cluster(conference, "Kurskalender"),
        ideas.make_cluster(conference, "Sprechstunde"),
    )
    db.session.flush()
    for idea, cluster in zip(found, (calendar, calendar, office), strict=False):
        ideas.put_into(idea, cluster, idea.version)
    return calendar, office


def _vote(conference, contact_id, cluster):
    vote = voting.create_vote(conference, "Was zuerst?", VoteSubject.CLUSTERS, 3, 3, at=MORNING)
    db.session.flush()
    voting.open_vote(vote, at=MORNING)
    option = next(option for option in options_of(vote) if option.cluster_id == cluster.id)
    voting.cast(vote, contact_id, {option.id: 3}, at=MORNING)
    voting.close_vote(vote, at=MORNING)


def chain(outcome):
    """The threads as plain words."""
    return [
        (
            thread.heading, len(thread.ideas), thread.dots, thread.rank,
            [decision.wording for decision in thread.decisions],
            [(step.action.title, step.action.status, step.overdue, step.result) for step in thread.steps],
        )
        for thread in outcome.all_threads
    ]  # fmt: skip


def test_the_chain_leads_from_the_cluster_by_dots_and_decision_to_action_and_result(in_house, june):
    with in_house():
        outcome = queries.outcome_of(conference_by_slug("june-2023"), JULY)
        assert chain(outcome) == [
            (
                "Kurskalender", 2, 3, 1, ["Wir führen einen Kalender."],
                [("Tabelle starten", ActionStatus.DONE, False, "84 Kurse stehen online.")],
            ),
            ("Sprechstunde", 1, 0, 2, [], []),
            ("Mehr Kaffee", 1, None, None, [], []),
        ]  # fmt: skip
        assert (outcome.ideas, outcome.ideas_without_answer, outcome.decisions) == (4, 2, 1)


def test_an_action_from_an_idea_stands_with_the_ideas_cluster(in_house, june):
    with in_house():
        conference = conference_by_slug("june-2023")
        person = a_participant(conference)
        office = idea_by_number(conference, 3)
        fields = actions.ActionFields(
            "Termin finden", "", person.contact_id, "", date(2023, 6, 20), actions.Source("idea", office.id)
        )
        actions.create_action(conference, fields, at=MORNING)
        outcome = queries.outcome_of(conference, JULY)
        assert chain(outcome)[1] == (
            "Sprechstunde",
            1,
            0,
            2,
            [],
            [("Termin finden", ActionStatus.OPEN, True, "")],
        )
        assert outcome.states == {"done": 1, "overdue": 1}
        assert outcome.ideas_without_answer == 1


def test_decisions_and_actions_without_a_cluster_are_not_lost(in_house, june):
    with in_house():
        conference = conference_by_slug("june-2023")
        decision = actions.decide(conference, "Wir treffen uns im August.", "", actions.Source(), at=MORNING)
        person = a_participant(conference)
        fields = actions.ActionFields(
            "Saal buchen", "", person.contact_id, "", date(2023, 7, 31), decision_id=decision.id
        )
        actions.create_action(conference, fields, at=MORNING)
        free = actions.ActionFields("Danke sagen", "", person.contact_id, "", date(2023, 7, 31))
        actions.create_action(conference, free, at=MORNING)
        outcome = queries.outcome_of(conference, JULY)
        assert len(outcome.steps) == 3
        assert [
            (d.wording, s.action.title) for t in outcome.others for d in t.decisions for s in t.steps[:1]
        ] == [("Wir treffen uns im August.", "Saal buchen")]


def test_the_page_shows_the_chain_and_names_organisations_but_nobody(browser, leader, june):
    browser.sign_in(leader).open("/conferences/june-2023/results")
    for words in (
        "Kurskalender",
        "Rang 1",
        "Wir führen einen Kalender.",
        "Tabelle starten",
        "erledigt",
        "84 Kurse stehen online.",
    ):
        assert browser.sees(words), words
    assert browser.sees("Lernwerkstatt Enger")
    assert not browser.sees("Geheim")
    assert browser.sees("2 Ideen haben noch keine Antwort.")


@pytest.mark.parametrize("language", ["de", "en"])
def test_the_page_is_clean_in_both_languages_with_and_without_results(
    browser, in_house, organiser, june, language
):
    with in_house():
        a_conference(organiser, a_series(organiser, title="Andere Reihe"), slug="empty", title="Leer")
    browser.client.set_cookie("lang", language)
    browser.sign_in(organiser)
    browser.open("/conferences/june-2023/results")
    browser.open("/conferences/empty/results")
    assert browser.sees({"de": "Noch keine Ergebnisse", "en": "No results yet"}[language])


def test_the_follow_up_conference_shows_the_earlier_actions_as_they_stand_now(
    browser, in_house, organiser, june
):
    with in_house():
        fields = agenda.FollowUpFields(
            "Bildungsträgerkonferenz August 2023", "august-2023", date(2023, 8, 22), date(2023, 8, 11)
        )
        agenda.plan_follow_up(conference_by_slug("june-2023"), fields, organiser, at=JULY)
    browser.sign_in(organiser).open("/conferences/august-2023/results")
    assert browser.sees("Maßnahmen früherer Konferenzen") and browser.sees("84 Kurse stehen online.")


def test_the_table_has_one_row_per_thread_and_nothing_in_it_runs(browser, in_house, organiser, june):
    with in_house():
        ideas.make_cluster(conference_by_slug("june-2023"), '=HYPERLINK("http://boese.example")')
    answer = browser.sign_in(organiser).open("/conferences/june-2023/results.csv")
    lines = answer.get_data(as_text=True).removeprefix("\ufeff").split("\r\n")
    assert lines[:3] == [
        "Thema;Ideen;Punkte;Rang;Beschluss;Maßnahme;Organisation;Bis wann;Stand;Ergebnis",
        "Kurskalender;2;3;1;Wir führen einen Kalender.;Tabelle starten;Lernwerkstatt Enger;30.06.2023;erledigt;84 Kurse stehen online.",
        "Sprechstunde;1;0;2;;;;;;",
    ]
    assert not any(
        cell.lstrip('"').startswith(("=", "+", "-", "@")) for line in lines for cell in line.split(";")
    )
    assert "HYPERLINK" in lines[3]


def test_the_page_asks_the_database_the_same_number_of_times_for_any_number_of_threads(
    browser, in_house, organiser, june, count_queries
):
    browser.sign_in(organiser)
    asked = []
    for number in (1, 3, 30):
        with in_house():
            conference = conference_by_slug("june-2023")
            person = a_participant(conference)
            for step in range(number):
                cluster = ideas.make_cluster(conference, f"Bündel {number}-{step}")
                db.session.flush()
                source = actions.Source("cluster", cluster.id)
                due = date(2023, 7, 14) + timedelta(days=step)
                actions.create_action(
                    conference,
                    actions.ActionFields(f"Tun {number}-{step}", "", person.contact_id, "", due, source),
                    at=MORNING,
                )
        with count_queries() as seen:
            browser.open("/conferences/june-2023/results")
        asked.append(len(seen))
    assert asked[0] == asked[1] == asked[2]


@pytest.mark.parametrize("number", [4, 5])
def test_req24_few_people_are_no_number_to_who_knows_no_names(
    browser, new_browser, in_house, leader, organiser, june, number
):
    with in_house():
        conference = conference_by_slug("june-2023")
        for _person in range(number - 1):
            a_participant(conference)
        conference.seats = 6
        for _person in range(6 + number):
            registrations.accept(an_invitation(conference), an_answer(), at=NOW)
    pages = ("/", "/conferences/june-2023", "/conferences/june-2023/results")
    for path in pages:
        browser.sign_in(leader).open(path)
        assert browser.sees("weniger als 5") == (number < 5), path
    browser.open(pages[0])
    assert browser.sees("weniger als 5 Personen warten" if number < 5 else "5 Personen warten")
    browser.open(pages[2])
    assert browser.sees(f"Anwesend {'weniger als 5' if number < 5 else 5}")
    # Who works with people, or may read their names, is told.
    staff = new_browser().sign_in(organiser)
    for path in pages:
        staff.open(path)
        assert not staff.sees("weniger als 5"), path
    staff.open(pages[0])
    assert staff.sees(f"{number} Personen warten")
    with in_house():
        grant = db.session.query(Grant).filter_by(account_id=leader.id).one()
        grant.with_names = True
    browser.open(pages[2])
    assert browser.sees(f"Anwesend {number}")
