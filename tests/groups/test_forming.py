"""Forming the groups of the June conference: 38 people, two rounds, five tables."""

from collections import Counter
from itertools import combinations

import pytest

from conference.agenda.models import ItemKind
from conference.agenda.operations import FollowUpFields, plan_follow_up, remove_item
from conference.agenda.queries import breakout_items
from conference.conferences import operations as conferences
from conference.conferences.queries import rooms_of, topics_of
from conference.core import grouping
from conference.groups import operations, queries, tasks
from conference.kit.db import db
from conference.kit.errors import Refused
from conference.providers.models import Side
from conference.registrations import operations as registrations
from conference.registrations.models import Presence
from conference.registrations.queries import participants

from ..builders import NOW, a_conference, a_participant, a_small_day, an_account, an_item, june_with_people

FEW = 2_000
"""Enough steps for June to keep colleagues apart; the pages take more."""


@pytest.fixture
def june(house):
    return june_with_people()


def form(conference, tables=5, **options):
    return operations.form_groups(conference, tables, None, at=NOW, **({"iterations": FEW} | options))


def seated(conference):
    """Per round: group name -> people."""
    return [
        {g.group.name: [s.contact for s in g.seats] for g in plan.groups}
        for plan in queries.plan_of(conference)
    ]


def seats(conference):
    return [
        {name: [c.id for c in people] for name, people in tables.items()} for tables in seated(conference)
    ]


def tables_of(conference):
    return [people for tables in seated(conference) for people in tables.values()]


def find(conference, last_name):
    return next(c for c in participants(conference) if c.last_name == last_name)


def pin_at(conference, round_id, contact, group):
    """Move a person to a group of the round by hand, and pin them there."""
    plan = next(plan for plan in queries.plan_of(conference) if plan.round.id == round_id)
    target = next(g.group for g in plan.groups if g.group.name == group)
    operations.move_seat(conference, round_id, contact.id, target.id, plan.round.version, at=NOW)
    operations.pin(conference, round_id, contact.id, True, at=NOW)


def test_june_keeps_every_promise(june):
    form(june)
    everybody = {contact.id for contact in participants(june)}
    assert len(everybody) == 38
    for tables in seated(june):
        assert sorted(tables) == list("ABCDE")
        assert sorted(len(people) for people in tables.values()) == [7, 7, 8, 8, 8]
        assert {contact.id for people in tables.values() for contact in people} == everybody


def test_no_two_of_one_provider_share_a_table(june):
    form(june)
    for people in tables_of(june):
        providers = Counter(contact.provider_id for contact in people if contact.side is Side.PROVIDER)
        assert max(providers.values()) == 1


def test_agency_people_sit_at_every_table_and_each_team_is_spread(june):
    form(june)
    agency = [contact for contact in participants(june) if contact.side is Side.AGENCY]
    teams = Counter(contact.team for contact in agency if contact.team)
    for people in tables_of(june):
        there = [contact for contact in people if contact.side is Side.AGENCY]
        assert len(agency) // 5 <= len(there) <= -(-len(agency) // 5)
        assert there
        for team, count in teams.items():
            assert sum(contact.team == team for contact in there) <= -(-count // 5)


def test_few_meet_twice(june):
    form(june)
    pairs = [
        {frozenset(pair) for people in tables.values() for pair in combinations([c.id for c in people], 2)}
        for tables in seated(june)
    ]
    goals = {goal["goal"]: goal for goal in queries.latest_forming(june).result["goals"]}
    assert goals["repeats"]["value"] == len(pairs[0] & pairs[1])
    assert goals["repeats"]["bound"] <= goals["repeats"]["value"] <= goals["repeats"]["bound"] + 4


def test_the_same_press_gives_the_same_groups(june):
    form(june)
    first = seats(june)
    form(june)
    assert seats(june) == first


def test_another_seed_gives_other_groups(june):
    form(june)
    first = seats(june)
    form(june, seed=2)
    assert seats(june) != first


def test_nobody_waits_for_more_steps_than_are_of_use(june):
    task = tasks.task_of(june, 5, len(operations.prepare_rounds(june)))
    assert operations.steps_for(task.problem) <= operations.MOST_ITERATIONS


def test_groups_get_topics_and_the_free_rooms_in_order(june):
    form(june)
    groups = queries.groups_of(queries.rounds_of(june)[0])
    assert [group.topic for group in groups] == topics_of(june)
    assert [group.room for group in groups] == rooms_of(june)


def test_a_room_of_another_item_is_not_taken(june):
    an_item(june, "Pause", "11:05", 15, kind=ItemKind.BREAK, room_id=rooms_of(june)[0].id)
    form(june, 4)
    groups = queries.groups_of(queries.rounds_of(june)[0])
    assert [group.room.name for group in groups] == ["Raum B", "Raum D", "Raum C", "Raum E"]


def test_rooms_never_hold_more_than_their_seats(june):
    form(june, 4)
    for plan in queries.plan_of(june):
        assert sum(len(group.seats) for group in plan.groups) == 38
        assert all(len(group.seats) <= group.group.room.capacity for group in plan.groups)


def test_a_room_chosen_by_hand_counts_when_groups_are_formed_anew(june):
    form(june)
    small = conferences.add_room(june, "Kammer", 8)
    group = next(g for g in queries.groups_of(queries.rounds_of(june)[1]) if g.name == "D")
    operations.change_group(june, group, None, small.id, "Was hilft?")
    small.capacity = 4
    form(june)
    first, second = (({name: len(people) for name, people in tables.items()}) for tables in seated(june))
    assert sorted(first.values()) == [7, 7, 8, 8, 8]
    assert second["D"] == 4
    assert (group.focus_question, group.room_id) == ("Was hilft?", small.id)


def test_fewer_tables_take_the_last_groups_away(june):
    form(june)
    form(june, 4)
    assert [sorted(tables) for tables in seated(june)] == [list("ABCD")] * 2
    assert queries.table_names(june) == list("ABCD")


@pytest.mark.parametrize("tables", [0, -1, 39, 201])
def test_impossible_numbers_of_tables_are_refused_in_words(june, tables):
    with pytest.raises(Refused, match=r"Tische|Personen"):
        form(june, tables)


def test_too_many_tables_for_the_people_are_refused(house):
    with pytest.raises(Refused, match="Es sind nur 3 Personen zu verteilen"):
        form(a_small_day(people=3), 4)


def test_rooms_that_are_too_small_are_refused(house):
    with pytest.raises(Refused, match="zu wenige Plätze für 9 Personen an 2 Tischen"):
        form(a_small_day(people=9, capacity=4), 2)


def test_without_breakout_items_nothing_is_formed(house):
    conference = a_small_day(rounds=0)
    with pytest.raises(Refused, match="noch keine Arbeitsgruppen"):
        form(conference, 2)
    assert queries.rounds_of(conference) == []


def test_without_people_nothing_is_formed(house):
    with pytest.raises(Refused, match="niemand"):
        form(a_small_day(people=0), 1)


def test_absent_people_are_not_seated_and_walk_ins_are(june):
    absent, excused = participants(june)[:2]
    registrations.record_attendance(june, absent.id, Presence.ABSENT, at=NOW)
    registrations.record_attendance(june, excused.id, Presence.EXCUSED, at=NOW)
    guest = registrations.add_walk_in(june, "Helga", "Nordmann", "Volkshochschule Nachbarkreis", "", at=NOW)
    form(june)
    for tables in seated(june):
        there = {contact.id for people in tables.values() for contact in people}
        assert (absent.id in there, excused.id in there, guest.id in there) == (False, False, True)
        assert len(there) == 37


def test_a_removed_round_loses_its_groups(june):
    form(june)
    remove_item(breakout_items(june)[1], at=NOW)
    form(june)
    assert [len(tables) for tables in seated(june)] == [5, 0]
    assert all(entry["round"] == 1 for entry in queries.plan_as_published(june))


def test_an_added_round_is_formed_with_the_others(house):
    conference = a_small_day(people=8)
    form(conference, 2)
    an_item(conference, "Runde 2", "14:00", 45, kind=ItemKind.BREAKOUT)
    form(conference, 2)
    assert [sorted(map(len, tables.values())) for tables in seated(conference)] == [[4, 4], [4, 4]]


# -- pins -------------------------------------------------------------


def test_pinned_people_stay_where_they_are_and_stay_pinned(june):
    form(june)
    round_ = queries.rounds_of(june)[0]
    brinkmann, agency = participants(june)[3], next(c for c in participants(june) if c.side is Side.AGENCY)
    pin_at(june, round_.id, brinkmann, "C")
    where = queries.seat_of(round_.id, agency.id).group.name
    operations.pin(june, round_.id, agency.id, True, at=NOW)
    form(june, seed=3)
    assert queries.seat_of(round_.id, brinkmann.id).group.name == "C"
    assert queries.seat_of(round_.id, agency.id).group.name == where
    pinned = [
        (s.contact_id, plan.round.number)
        for plan in queries.plan_of(june)
        for g in plan.groups
        for s in g.seats
        if s.pinned
    ]
    assert sorted(pinned) == sorted([(brinkmann.id, 1), (agency.id, 1)])


def test_a_pin_ends_with_its_group(house):
    conference = a_small_day(people=9)
    form(conference, 3)
    round_ = queries.rounds_of(conference)[0]
    contact = participants(conference)[0]
    pin_at(conference, round_.id, contact, "C")
    form(conference, 2)
    assert [s.pinned for g in queries.plan_of(conference)[0].groups for s in g.seats] == [False] * 9


def test_pins_that_cannot_be_kept_are_named_with_the_people(house):
    conference = a_small_day(people=4)
    form(conference, 2)
    round_ = queries.rounds_of(conference)[0]
    for contact in participants(conference)[:3]:
        pin_at(conference, round_.id, contact, "A")
    with pytest.raises(Refused) as refused:
        form(conference, 2)
    names = [contact.name for contact in participants(conference)[:3]]
    sentences = " ".join(f"{name} sitzt in Runde 1 fest in Gruppe A." for name in names)
    assert refused.value.message == f"Mit Tischen dieser Größe lässt sich das nicht einhalten: {sentences}"


def test_the_even_spread_gives_way_to_pins(june):
    form(june)
    round_ = queries.rounds_of(june)[0]
    agency = [contact for contact in participants(june) if contact.side is Side.AGENCY]
    crowd = agency[: -(-len(agency) // 5) + 1]
    for contact in crowd:
        pin_at(june, round_.id, contact, "D")
    form(june)
    assert {contact.id for contact in crowd} <= set(seats(june)[0]["D"])


# -- while the search runs ---------------------------------------------


def store(conference, task, solution):
    return operations.seat_everybody(conference, task, solution, at=NOW)


@pytest.fixture
def searched(house):
    """Groups that are there, and new ones that were sought but not stored."""
    conference = a_small_day(people=6)
    form(conference, 2)
    task = tasks.task_of(conference, 2, 1)
    return conference, task, grouping.solve(task.problem, seed=9, iterations=100)


def test_a_solution_is_stored_when_nothing_has_changed(searched):
    conference, task, solution = searched
    store(conference, task, solution)
    assert seats(conference) == [
        {
            name: [c.id for c in participants(conference) if str(c.id) in people]
            for name, people in solution.seating[0].items()
        }
    ]


def test_a_move_while_the_search_runs_is_not_lost(searched):
    conference, task, solution = searched
    round_ = queries.rounds_of(conference)[0]
    operations.move_seat(conference, round_.id, participants(conference)[0].id, None, round_.version, at=NOW)
    with pytest.raises(Refused, match="inzwischen geändert"):
        store(conference, task, solution)


def test_a_pin_while_the_search_runs_is_not_lost(searched):
    conference, task, solution = searched
    operations.pin(
        conference, queries.rounds_of(conference)[0].id, participants(conference)[0].id, True, at=NOW
    )
    with pytest.raises(Refused, match="inzwischen geändert"):
        store(conference, task, solution)


def test_the_second_of_two_presses_at_once_is_refused(searched):
    conference, task, solution = searched
    store(conference, task, solution)
    with pytest.raises(Refused, match="inzwischen geändert"):
        store(conference, task, solution)


# -- over several conferences -------------------------------------------


def test_who_met_in_june_is_kept_apart_in_august(house):
    account = an_account()
    june = a_small_day(account, people=4)
    form(june, 2)
    fields = FollowUpFields(
        title="August", slug="august-2023", day=june.day.replace(month=8), answer_by=june.day.replace(month=7)
    )
    august = plan_follow_up(june, fields, account, at=NOW)
    for contact in participants(june):
        registrations.record_attendance(august, contact.id, Presence.PRESENT, at=NOW)
    form(august, 2)
    before = {frozenset(people) for people in seats(june)[0].values()}
    assert queries.met_before(august) == before
    assert before.isdisjoint(frozenset(people) for people in seats(august)[0].values())
    assert queries.met_before(june) == set()


# -- what was kept -------------------------------------------------------


def test_each_press_keeps_the_problem_and_what_came_out(house):
    conference = a_small_day(people=6)
    account = an_account()
    forming = operations.form_groups(conference, 2, account, at=NOW)
    assert (forming.account_id, forming.asked_at) == (account.id, NOW)
    assert forming.problem["people"] == [
        {
            "id": str(c.id),
            "organisation": c.provider.name,
            "attributes": {"side": "provider", "team": None, "function": None},
            "wishes": [],
        }
        for c in participants(conference)
    ]
    assert sorted(goal["goal"] for goal in forming.result["goals"]) == ["balance", "colleagues", "repeats"]


def test_the_number_of_queries_does_not_grow_with_the_people(house, count_queries):
    def queries_for(people):
        conference = a_conference(slug=f"tag-{people}")
        an_item(conference, "Runde", "10:00", 45, kind=ItemKind.BREAKOUT)
        for _ in range(people):
            a_participant(conference)
        form(conference, 1)
        db.session.flush()
        with count_queries() as seen:
            queries.plan_of(conference)
            queries.plan_as_published(conference)
        return len(seen)

    assert queries_for(1) == queries_for(3) == queries_for(30)
