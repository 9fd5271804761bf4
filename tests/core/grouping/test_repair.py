"""Repair: every rule kept, and no seating that keeps them has fewer moves."""

from dataclasses import replace
from random import Random

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from conference.core.grouping import (
    BadProblem,
    Colleagues,
    Contradiction,
    Group,
    NotFound,
    Person,
    Problem,
    Repeats,
    even_groups,
    published_seating,
    repair,
    solve,
    violations,
)

from .cases import a_problem, a_scenario, a_seating, all_seatings, problems


def moves_between(before, after):
    was = [{person: group for group, people in seats.items() for person in people} for seats in before]
    now = [{person: group for group, people in seats.items() for person in people} for seats in after]
    return sum(
        now[number].get(person, group) != group
        for number, seats in enumerate(was[: len(now)])
        for person, group in seats.items()
    )


@settings(deadline=None, max_examples=150)
@given(problems(most_people=5, most_groups=3, most_rounds=2), st.integers(0, 1000))
def test_no_seating_has_fewer_moves(problem, seed):
    random = Random(seed)
    names = [group.id for group in problem.groups] + ["gone"]
    before = tuple(_published(problem, random, names) for _ in range(problem.rounds))
    least = min((moves_between(before, seating) for seating in all_seatings(problem)), default=None)
    try:
        found = repair(problem, before)
    except Contradiction:
        assert least is None
        return
    except NotFound:
        assume(False)
    assert violations(problem, found.solution.seating) == ()
    assert moves_between(before, found.solution.seating) == len(found.moves)
    assert len(found.moves) == least if found.is_minimal else len(found.moves) >= least


def _published(problem, random, names):
    seats = {name: [] for name in names}
    for person in problem.people:
        if random.random() < 0.8:
            seats[random.choice(names)].append(person.id)
    return {name: tuple(people) for name, people in seats.items()}


def test_nothing_has_changed_and_nobody_moves():
    june = a_scenario("june")
    published = solve(june).seating
    found = repair(june, published)
    assert (found.moves, found.is_minimal) == ((), True)
    assert [dict(one) for one in found.solution.seating] == [
        {group: tuple(sorted(people, key=_order(june))) for group, people in one.items()} for one in published
    ]


def _order(problem):
    places = {person.id: index for index, person in enumerate(problem.people)}
    return places.__getitem__


def test_who_comes_late_takes_a_free_seat_away_from_colleagues():
    groups = (Group("A", 2, 3), Group("B", 2, 3))
    people = tuple(Person(f"p{n}", organisation=("x" if n in (0, 4) else None)) for n in range(5))
    problem = Problem(1, groups, people, goals=(Colleagues(), Repeats()))
    found = repair(problem, a_seating("01 23"))
    assert found.moves == ()
    assert found.solution.seating[0]["B"] == ("p2", "p3", "p4")


def test_a_room_is_lost():
    problem = a_problem(people=4, groups=(Group("A", 0, 4),))
    found = repair(problem, a_seating("01 23"))
    assert [(move.person, move.from_group, move.to_group) for move in found.moves] == [
        ("p2", "B", "A"),
        ("p3", "B", "A"),
    ]


def test_a_thousand_people_with_gaps_and_newcomers_move_no_more_than_they_must():
    def hall(people):
        names = [Group(str(number), 0, 0) for number in range(100)]
        return Problem(1, even_groups(names, people, 1), people, goals=(Repeats(),))

    guests = tuple(Person(f"p{number}") for number in range(1000))
    published = solve(hall(guests)).seating
    gone = set(Random(1).sample(range(1000), 30))
    left = tuple(one for number, one in enumerate(guests) if number not in gone)
    later = hall((*left, *(Person(f"n{number}") for number in range(10))))
    found = repair(later, published)
    assert found.is_minimal
    assert violations(later, found.solution.seating) == ()
    counts = [sum(one.id in published[0][name] for one in left) for name in published[0]]
    needed = max(
        sum(max(0, 9 - count) for count in counts) - 10, sum(max(0, count - 10) for count in counts), 0
    )
    assert len(found.moves) == needed


@pytest.mark.parametrize(
    ("published", "path"),
    [
        ([], "published"),
        ({"rounds": 3}, "published"),
        ({"rounds": [[]]}, "published.rounds[0]"),
        ({"rounds": [{"A": ["p1", "p1"]}]}, "published.rounds[0].A"),
        ({"rounds": [{"A": ["p1"], "B": ["p1"]}]}, "published.rounds[0].B"),
        ({"rounds": [{"A": [1]}]}, "published.rounds[0].A"),
    ],
)
def test_what_is_no_published_seating_is_refused(published, path):
    with pytest.raises(BadProblem) as refused:
        published_seating(published)
    assert refused.value.path == path


def test_rules_that_cannot_be_kept_are_named():
    problem = replace(a_scenario("contradiction"))
    with pytest.raises(Contradiction):
        repair(problem, a_seating("01 23"))
