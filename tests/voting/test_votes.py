"""Planning, opening, closing; what is shown when; what is frozen."""

import json
import re

import pytest

from conference.ideas import operations as ideas
from conference.ideas.queries import clusters_of, idea_by_number
from conference.kit.db import db
from conference.kit.errors import Refused
from conference.voting import operations, queries
from conference.voting.models import Ballot, Vote, Voter, VoteSubject

from ..bad_input import BAD_LINES, BLANKS
from ..builders import NOW, a_conference, a_participant, an_account, some_ideas
from .conftest import OPENED

HERE = {"slug": "june-2023"}


@pytest.fixture
def staff(browser, organiser):
    return browser.sign_in(organiser)


def form(**over):
    return {"title": "Womit fangen wir an?", "subject": "clusters", "dots": "4", "per_option": "2"} | over


def cast_all(in_house, vote, people, *papers):
    with in_house():
        for person, dots in zip(people, papers, strict=False):
            operations.cast(vote, person.contact_id, dots, at=OPENED)


def test_a_vote_is_planned_opened_and_closed(staff, june, people):
    staff.open("voting.show_votes", **HERE)
    assert staff.sees("Noch keine Abstimmungen")
    staff.submit("voting.new_vote", form(), **HERE)
    assert staff.sees("Die Abstimmung ist geplant")
    assert staff.sees("Eine Idee ist in keinem Bündel und kann keine Punkte bekommen.") and staff.sees(
        "Noch ohne Bündel"
    )
    staff.submit("voting.open_vote", **HERE, vote_id=1)
    assert staff.sees("0 von 5 Personen haben abgestimmt")
    staff.submit("voting.close_vote", **HERE, vote_id=1)
    assert staff.sees("Die Abstimmung ist geschlossen und ausgezählt")


def test_the_number_of_dots_is_proposed_from_options_and_people(staff, june, people):
    staff.open("voting.new_vote", **HERE)
    assert (staff.value_of("subject"), staff.value_of("dots"), staff.value_of("per_option")) == (
        "clusters",
        "1",
        "1",
    )
    assert staff.sees("Bündel: 1; Ideen: 2.")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *(("title", bad) for bad in [*BAD_LINES, *BLANKS, "zwei\nZeilen"]), ("subject", ""), ("subject", "people"), ("dots", "0"),
        ("dots", "-1"), ("dots", "101"), ("dots", "1.5"), ("dots", ""), ("dots", "viele"), ("per_option", "0"), ("per_option", "5"),
    ],
)  # fmt: skip
def test_a_bad_plan_is_refused_with_the_input_kept(staff, in_house, june, field, value):
    staff.submit("voting.new_vote", form(**{field: value}), status=422, **HERE)
    assert staff.sees("Es gibt ein Problem")
    with in_house():
        assert queries.votes_of(june) == []


def test_a_plan_sent_twice_is_one_vote(staff, in_house, june):
    staff.submit("voting.new_vote", form(), **HERE)
    staff.submit("voting.new_vote", form(), status=409, **HERE)
    with in_house():
        assert len(queries.votes_of(june)) == 1


def test_a_vote_without_options_is_not_opened(staff, in_house, organiser):
    with in_house():
        a_conference(organiser, slug="empty")
    staff.submit("voting.new_vote", form(), slug="empty")
    assert staff.sees("Es gibt noch nichts abzustimmen")
    staff.submit("voting.open_vote", status=409, slug="empty", vote_id=1)


def test_opening_and_closing_twice_changes_nothing(staff, in_house, june, vote, people):
    staff.submit("voting.open_vote", **HERE, vote_id=vote.id)
    with in_house():
        assert len(queries.options_of(vote)) == 3
        assert db.session.get(Vote, vote.id).opened_at == OPENED
    staff.submit("voting.close_vote", **HERE, vote_id=vote.id)
    with in_house():
        closed = db.session.get(Vote, vote.id)
    staff.submit("voting.close_vote", **HERE, vote_id=vote.id)
    staff.submit("voting.open_vote", status=409, **HERE, vote_id=vote.id)
    with in_house():
        again = db.session.get(Vote, vote.id)
        assert (again.closed_at, again.result) == (closed.closed_at, closed.result)


def test_a_planned_vote_is_removed_and_an_opened_one_stays(staff, in_house, june, vote):
    staff.submit("voting.remove_vote", status=409, **HERE, vote_id=vote.id)
    staff.submit("voting.new_vote", form(title="Andere Frage"), **HERE)
    staff.submit("voting.remove_vote", **HERE, vote_id=vote.id + 1)
    with in_house():
        assert [one.id for one in queries.votes_of(june)] == [vote.id]


def test_a_vote_that_was_never_opened_cannot_be_closed(staff, june):
    staff.submit("voting.new_vote", form(), **HERE)
    staff.submit("voting.close_vote", status=409, **HERE, vote_id=1)


def test_before_the_close_only_the_turnout_is_shown(
    staff, in_house, june, vote, people, options, new_browser
):
    papers = {options["Papier"]: 2, options["Geräte"]: 1}
    cast_all(in_house, vote, people, papers, papers, papers)
    staff.open("voting.show_vote", **HERE, vote_id=vote.id)
    assert staff.sees("3 von 5 Personen haben abgestimmt")
    with_votes = page_of(staff)
    for browser in (new_browser().sign_in(an_admin(in_house)), staff):
        browser.open("voting.show_vote", **HERE, vote_id=vote.id)
        assert not any(trace in page_of(browser) for trace in ("<table", "chart", "Rang"))
    cast_all(in_house, vote, people[3:], {options["Zeit"]: 2})
    staff.open("voting.show_vote", **HERE, vote_id=vote.id)
    assert page_of(staff) == with_votes.replace("3 von 5", "4 von 5").replace(
        'value="3"', 'value="4"'
    ).replace("3 Stimmzettel", "4 Stimmzettel")


def an_admin(in_house):
    from conference.accounts.models import Role

    with in_house():
        return an_account(Role.ADMIN)


def page_of(browser):
    """The part of the page that is about the vote, without the tokens of forms."""
    page = browser.html[browser.html.index('<div class="conference__page">') : browser.html.index("</main")]
    return re.sub(r'name="csrf_token" value="[^"]*"', "", page)


def test_two_boxes_with_the_same_turnout_look_the_same_until_closed(
    staff, in_house, june, vote, people, options
):
    seen = []
    for dots in ({options["Papier"]: 2}, {options["Zeit"]: 2, options["Geräte"]: 2}):
        with in_house():
            db.session.query(Ballot).delete()
            db.session.query(Voter).delete()
            operations.cast(vote, people[0].contact_id, dots, at=OPENED)
        for endpoint, values in (("show_vote", {"vote_id": vote.id}), ("show_votes", {})):
            staff.open(f"voting.{endpoint}", **HERE, **values)
            seen.append(page_of(staff))
    assert seen[:2] == seen[2:]


def test_the_result_counts_dots_and_people_and_ties_share_a_rank(
    staff, in_house, june, vote, people, options
):
    paper, devices, time = (options[words] for words in ("Papier", "Geräte", "Zeit"))
    cast_all(in_house, vote, people, {paper: 2, devices: 1}, {devices: 1, paper: 1}, {time: 2, devices: 1})
    staff.submit("voting.close_vote", **HERE, vote_id=vote.id)
    with in_house():
        result = db.session.get(Vote, vote.id).result
        headings = {cluster.heading: cluster.id for cluster in clusters_of(june)}
    rows = [
        (row["rank"], row["wording"], row["dots"], row["voters"], row["option"], row["cluster"])
        for row in result["rows"]
    ]
    assert (result["entitled"], result["voted"]) == (5, 3)
    assert rows == [
        (1, "Papier", 3, 2, paper, headings["Papier"]),
        (1, "Geräte", 3, 3, devices, headings["Geräte"]),
        (3, "Zeit", 2, 1, time, headings["Zeit"]),
    ]
    assert staff.sees("3 von 5 Personen haben abgestimmt.")
    for words in ("1 Papier 3 2", "1 Geräte 3 3", "3 Zeit 2 1"):
        assert staff.sees(words)


def test_the_result_leads_to_a_decision_and_an_action(staff, in_house, june, vote, people, options):
    cast_all(in_house, vote, people, {options["Papier"]: 2})
    staff.submit("voting.close_vote", **HERE, vote_id=vote.id)
    with in_house():
        first = clusters_of(june)[0].id
    assert f"/conferences/june-2023/decisions/new?cluster={first}" in staff.links()
    assert f"/conferences/june-2023/actions/new?cluster={first}" in staff.links()


def test_whatever_happens_later_the_result_stays_the_same(staff, in_house, june, vote, people, options):
    cast_all(in_house, vote, people, {options["Papier"]: 2}, {options["Zeit"]: 1})
    with in_house():
        operations.close_vote(vote, at=OPENED)
        before = json.dumps(db.session.get(Vote, vote.id).result)
    page = staff.open("voting.show_vote", **HERE, vote_id=vote.id).get_data(as_text=True)
    with in_house():
        cluster = clusters_of(june)[0]
        ideas.rename_cluster(june, cluster, "Ganz anders", cluster.version)
        ideas.put_into(idea_by_number(june, 1), None, 2)
        ideas.make_cluster(june, "Später")
        some_ideas(june, "Viel später")
        a_participant(june)
    with in_house():
        operations.close_vote(vote, at=NOW)
        assert json.dumps(db.session.get(Vote, vote.id).result) == before
    again = staff.open("voting.show_vote", **HERE, vote_id=vote.id).get_data(as_text=True)
    main = slice(page.index("<main"), page.index("</main"))
    assert again[again.index("<main") : again.index("</main")] == page[main]


def test_words_are_frozen_when_the_vote_is_opened(staff, in_house, june, vote, people):
    with in_house():
        cluster = clusters_of(june)[0]
        ideas.rename_cluster(june, cluster, "Ganz anders", cluster.version)
        ideas.make_cluster(june, "Zu spät")
    staff.open("voting.show_vote", **HERE, vote_id=vote.id)
    assert staff.sees("Papier") and not staff.sees("Ganz anders") and not staff.sees("Zu spät")


def test_ideas_can_be_voted_on_and_hidden_ones_are_left_out(in_house, june, people):
    with in_house():
        ideas.hide(idea_by_number(june, 2), at=NOW)
        vote = operations.create_vote(june, "Ideen", VoteSubject.IDEAS, 3, 3, at=NOW)
        operations.open_vote(vote, at=NOW)
        assert [option.wording for option in queries.options_of(vote)] == [
            "Weniger Formulare",
            "Mehr Zeit",
            "Noch ohne Bündel",
        ]


def test_after_the_close_no_ballot_leads_to_a_person(in_house, june, vote, people, options):
    cast_all(in_house, vote, people, *({options["Papier"]: 1 + n % 2} for n in range(5)))
    with in_house():
        before = {ballot.id: ballot.choices for ballot in queries.ballots_in(vote)}
        operations.close_vote(vote, at=OPENED)
        after = {ballot.id: ballot.choices for ballot in queries.ballots_in(vote)}
    assert not set(before) & set(after)
    assert sorted(map(str, before.values())) == sorted(map(str, after.values()))


def test_who_may_vote(in_house, organiser):
    from conference.invitations.operations import invite
    from conference.registrations import operations as registrations
    from conference.registrations.models import Presence
    from conference.registrations.operations import Answer

    from ..builders import a_contact

    with in_house():
        conference = a_conference(organiser, slug="who", seats=1)
        people = [a_contact() for _number in range(3)]
        for person in people[:2]:
            answer = Answer(name=person.name, diet="", access_needs="", consents=frozenset(), wishes=())
            registrations.accept(invite(conference, person, at=NOW), answer, at=NOW)
        assert queries.entitled_ids(conference) == {people[0].id}, (
            "before the day: who has a seat, not who waits"
        )
        registrations.record_attendance(conference, people[1].id, Presence.EXCUSED, at=OPENED)
        assert queries.entitled_ids(conference) == {people[0].id}, (
            "an excuse noted ahead shuts nobody else out"
        )
        registrations.record_attendance(conference, people[1].id, Presence.PRESENT, at=OPENED)
        assert queries.entitled_ids(conference) == {people[0].id, people[1].id}, (
            "the first who is marked as present shuts out nobody who has a seat"
        )
        registrations.record_attendance(conference, people[2].id, Presence.PRESENT, at=OPENED)
        registrations.record_attendance(conference, people[0].id, Presence.EXCUSED, at=OPENED)
        assert queries.entitled_ids(conference) == {people[1].id}, (
            "on the day: who is there, if the person has a personal link"
        )


def test_one_option_cannot_get_more_dots_than_a_person_has(in_house, june):
    with in_house(), pytest.raises(Refused):
        operations.create_vote(june, "Zu viel", VoteSubject.CLUSTERS, 2, 3, at=NOW)


def test_strangers_find_no_vote_of_another_conference(browser, in_house, june, vote):
    with in_house():
        stranger = an_account()
        a_conference(stranger, slug="other")
    browser.sign_in(stranger)
    browser.open("voting.show_votes", status=404, **HERE)
    browser.open("voting.show_vote", status=404, slug="other", vote_id=vote.id)
    for endpoint in ("open_vote", "close_vote", "remove_vote"):
        browser.submit(f"voting.{endpoint}", status=404, slug="other", vote_id=vote.id)


@pytest.mark.parametrize("number", [1, 3, 30])
def test_the_list_of_votes_runs_a_constant_number_of_queries(
    staff, in_house, june, people, count_queries, number
):
    with in_house():
        for n in range(number):
            vote = operations.create_vote(june, f"Frage {n}", VoteSubject.CLUSTERS, 3, 2, at=NOW)
            operations.open_vote(vote, at=NOW)
            option = queries.options_of(vote)[0].id
            for person in people[: n % 5]:
                operations.cast(vote, person.contact_id, {option: 1}, at=OPENED)
    with count_queries() as seen:
        staff.open("voting.show_votes", **HERE)
    assert len([s for s in seen if s.startswith("SELECT")]) == 5
