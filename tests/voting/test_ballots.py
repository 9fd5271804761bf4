"""The personal ballot: once, secret, within its dots."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import inspect

from conference.kit.db import db
from conference.voting import operations, queries
from conference.voting.models import Ballot, Voter

from ..browser import Browser
from ..builders import a_conference, a_contact, a_participant
from .conftest import OPENED


@pytest.fixture
def box(in_house, vote):
    """What lies in the box, and how many have voted."""

    def look():
        with in_house():
            papers = sorted((dict(paper.choices) for paper in queries.ballots_in(vote)), key=str)
            return papers, len(queries.voter_ids(vote))

    return look


@pytest.fixture
def guest(browser, people):
    return browser.enter(people[0])


def test_a_ballot_is_given_once_and_thanked_for(guest, vote, options, ballot, box):
    guest.open("voting.my_votes")
    assert guest.sees("Womit fangen wir an?") and f"/my/votes/{vote.id}" in guest.links()
    guest.open("voting.cast_ballot", vote_id=vote.id)
    assert guest.sees("Geben Sie Ihre 4 Punkte dem, was Ihnen am wichtigsten ist.")
    guest.submit("voting.cast_ballot", ballot(Papier=2, Geräte=1, Zeit=0), vote_id=vote.id)
    assert guest.sees("Vielen Dank, Ihr Stimmzettel ist in der Urne")
    assert box() == ([{str(options["Papier"]): 2, str(options["Geräte"]): 1}], 1)
    guest.open("voting.my_votes")
    assert guest.sees("Sie haben abgestimmt") and f"/my/votes/{vote.id}" not in guest.links()


def test_a_second_ballot_is_refused(guest, vote, options, ballot, box):
    guest.submit("voting.cast_ballot", ballot(Papier=2), vote_id=vote.id)
    for dots in ({"Zeit": 2}, {"Papier": 2}, {"Zeit": 99}, {}):
        guest.submit("voting.cast_ballot", ballot(**dots), status=409, vote_id=vote.id)
        assert guest.sees("Sie haben bereits abgestimmt")
    assert box() == ([{str(options["Papier"]): 2}], 1)


def test_thirty_copies_of_one_ballot_at_once_count_once(app, people, vote, options, ballot, box):
    browsers = [Browser(app).enter(people[0]) for _number in range(30)]
    tokens = [browser.csrf_token() for browser in browsers]

    def send(number):
        fields = {"csrf_token": tokens[number]} | ballot(Papier=2)
        return browsers[number].client.post(f"/my/votes/{vote.id}", data=fields).status_code

    with ThreadPoolExecutor(30) as pool:
        answers = sorted(pool.map(send, range(30)))
    assert answers == [303] + [409] * 29
    assert box() == ([{str(options["Papier"]): 2}], 1)


def test_many_people_at_once_all_count(app, people, vote, options, ballot, box):
    browsers = [Browser(app).enter(person) for person in people]
    tokens = [browser.csrf_token() for browser in browsers]

    def send(number):
        fields = {"csrf_token": tokens[number]} | ballot(Papier=1)
        return browsers[number].client.post(f"/my/votes/{vote.id}", data=fields).status_code

    with ThreadPoolExecutor(5) as pool:
        assert list(pool.map(send, range(5))) == [303] * 5
    assert box() == ([{str(options["Papier"]): 1}] * 5, 5)


@pytest.mark.parametrize(
    "dots",
    [
        {"Papier": "-1"}, {"Papier": "-1", "Zeit": "2"}, {"Papier": "1.5"}, {"Papier": "1,5"}, {"Papier": "3"}, {"Papier": "9" * 30},
        {"Papier": "2", "Geräte": "2", "Zeit": "1"}, {"Papier": "zwei"}, {"Papier": "1e0"}, {"Papier": "\x00"}, {"Papier": "²"},
        {"Papier": "--1"}, {"Papier": "1-"}, {"Papier": "+1"}, {"Papier": "１"}, {"Papier": "nan"}, {"Papier": "0x1"}, {"Papier": "\ufffd"},
        {"Papier": "0"}, {"Papier": ""}, {},
    ],
    ids=str,
)  # fmt: skip
def test_a_ballot_that_breaks_the_rules_is_not_counted(guest, vote, ballot, box, dots):
    guest.submit("voting.cast_ballot", ballot(**dots), status=422, vote_id=vote.id)
    assert guest.sees("Es gibt ein Problem")
    assert box() == ([], 0)
    guest.submit("voting.cast_ballot", ballot(Papier=1), vote_id=vote.id)
    assert box()[1] == 1


def test_the_dots_are_still_there_after_a_mistake(guest, vote, options, ballot):
    guest.submit("voting.cast_ballot", ballot(Papier=2, Geräte=2, Zeit=1), status=422, vote_id=vote.id)
    assert guest.sees("Sie haben insgesamt nur 4 Punkte.")
    assert [guest.value_of(f"option-{options[words]}") for words in ("Papier", "Geräte", "Zeit")] == [
        "2",
        "2",
        "1",
    ]


@pytest.mark.parametrize("name", ["option-999999", "option-x", "option--1", "option-"])
def test_options_of_another_paper_are_refused(guest, vote, ballot, box, name):
    guest.submit("voting.cast_ballot", ballot(Papier=1) | {name: "1"}, status=422, vote_id=vote.id)
    assert guest.sees("nicht zur Wahl steht")
    assert box() == ([], 0)


def test_the_operation_refuses_what_no_form_has_checked(in_house, vote, people, options, box):
    paper = options["Papier"]
    with in_house():
        for dots in (
            {paper: -1},
            {paper: 3},
            {paper: 1.5},
            {999: 1},
            {},
            dict.fromkeys(options.values(), 2),
            {paper: True},
        ):
            with pytest.raises(operations.BadBallot):
                operations.cast(vote, people[0].contact_id, dots, at=OPENED)
    assert box() == ([], 0)


def test_a_closed_vote_takes_no_ballot(guest, in_house, vote, ballot, box):
    with in_house():
        operations.close_vote(vote, at=OPENED)
    guest.submit("voting.cast_ballot", ballot(Papier=1), status=409, vote_id=vote.id)
    assert guest.sees("Diese Abstimmung ist geschlossen")
    assert box() == ([], 0)
    guest.open("voting.cast_ballot", vote_id=vote.id)
    assert "<form" not in guest.html[guest.html.index("<main") :]


def test_guests_see_the_frozen_result_as_soon_as_the_vote_is_closed(
    guest, in_house, vote, ballot, new_browser, people
):
    guest.submit("voting.cast_ballot", ballot(Papier=2, Zeit=1), vote_id=vote.id)
    guest.open("voting.cast_ballot", vote_id=vote.id)
    assert guest.sees("Ihr Stimmzettel ist in der Urne") and '<svg class="chart' not in guest.html
    with in_house():
        operations.close_vote(vote, at=OPENED)
    for browser in (guest, new_browser().enter(people[1])):
        browser.open("voting.my_votes")
        assert f"/my/votes/{vote.id}" in browser.links()
        browser.open("voting.cast_ballot", vote_id=vote.id)
        assert browser.sees("1 von 5 Personen haben abgestimmt") and browser.sees("Punkte je")
        assert browser.html.index("Papier") < browser.html.index("Zeit") < browser.html.index("Geräte")


def test_no_message_of_the_machine_is_shown_for_what_is_no_number(guest, vote, ballot):
    guest.submit("voting.cast_ballot", ballot(Papier="--1"), status=422, vote_id=vote.id)
    assert guest.sees("Bitte schreiben Sie eine ganze Zahl") and not guest.sees("invalid literal")


def test_a_vote_that_is_only_planned_is_not_found(guest, in_house, june):
    from conference.voting.models import VoteSubject

    with in_house():
        planned = operations.create_vote(june, "Geplant", VoteSubject.CLUSTERS, 3, 2, at=OPENED)
    guest.open("voting.my_votes")
    assert guest.sees("Noch keine Abstimmung") and not guest.sees("Geplant")
    guest.open("voting.cast_ballot", status=404, vote_id=planned.id)
    guest.submit("voting.cast_ballot", status=404, vote_id=planned.id)


def test_who_is_not_there_may_not_vote(browser, in_house, june, vote, ballot, box):
    from conference.invitations.models import LinkPurpose
    from conference.invitations.operations import invite, personal_link

    with in_house():
        absent = a_contact()
        invite(june, absent, at=OPENED)
        link = personal_link(june, absent, LinkPurpose.INVITATION, at=OPENED)
    browser.enter(link)
    browser.open("voting.cast_ballot", vote_id=vote.id)
    assert browser.sees("Sie stehen nicht auf der Liste der Stimmberechtigten")
    browser.submit("voting.cast_ballot", ballot(Papier=1), status=409, vote_id=vote.id)
    assert box() == ([], 0)


def test_a_guest_of_another_conference_finds_no_vote(browser, in_house, organiser, vote, ballot, box):
    with in_house():
        stranger = a_participant(a_conference(organiser, slug="other"))
    browser.enter(stranger)
    browser.open("voting.cast_ballot", status=404, vote_id=vote.id)
    browser.submit("voting.cast_ballot", ballot(Papier=1), status=404, vote_id=vote.id)
    browser.open("voting.show_thanks", status=404, vote_id=vote.id)
    assert box() == ([], 0)


def test_without_a_personal_link_there_is_no_ballot(browser, organiser, vote, ballot, box):
    for someone in (browser, browser.sign_in(organiser)):
        someone.open("voting.my_votes", status=404)
        someone.submit("voting.cast_ballot", ballot(Papier=1), status=404, vote_id=vote.id)
    assert box() == ([], 0)


def test_thanks_are_only_for_who_has_voted(guest, vote):
    guest.open("voting.show_thanks", status=404, vote_id=vote.id)


def test_a_ballot_holds_no_person_no_time_and_no_order(app, in_house, vote, people, options):
    with in_house():
        for person in people:
            operations.cast(vote, person.contact_id, {options["Zeit"]: 1}, at=OPENED)
        papers = queries.ballots_in(vote)
        columns = {
            table: {c["name"] for c in inspect(db.session.connection()).get_columns(table)}
            for table in ("ballot", "voter")
        }
    assert columns == {"ballot": {"id", "vote_id", "choices"}, "voter": {"vote_id", "contact_id"}}
    assert all(len(paper.id) == 32 and set(paper.id) <= set("0123456789abcdef") for paper in papers)
    assert Ballot.__table__.dialect_options["sqlite"]["with_rowid"] is False


def test_no_route_changes_or_removes_a_ballot(app, guest, organiser, new_browser, vote, ballot, box):
    guest.submit("voting.cast_ballot", ballot(Papier=1), vote_id=vote.id)
    before = box()
    staff = new_browser().sign_in(organiser)
    for method in ("put", "patch", "delete"):
        for path in (f"/my/votes/{vote.id}", f"/conferences/june-2023/votes/{vote.id}"):
            assert getattr(guest.client, method)(path).status_code == 405
    staff.submit("voting.remove_vote", status=409, slug="june-2023", vote_id=vote.id)
    staff.submit("voting.open_vote", slug="june-2023", vote_id=vote.id)
    assert box() == before


def test_the_voter_row_is_unique_in_the_database(in_house, vote, people):
    from sqlalchemy.exc import IntegrityError

    with in_house():
        db.session.add_all([Voter(vote_id=vote.id, contact_id=people[0].contact_id) for _twice in range(2)])
        with pytest.raises(IntegrityError):
            db.session.flush()
        db.session.rollback()
