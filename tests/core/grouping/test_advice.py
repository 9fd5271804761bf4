"""Advice before forming: what it promises is counted on a schedule, what it denies is tried on tiny cases."""

import numpy as np
import pytest

from conference.core.grouping import (
    Colleagues,
    Group,
    Outlook,
    Person,
    Problem,
    Repeats,
    advise,
    bound,
    evaluate,
    even_groups,
    sensible_tables,
    solve,
)
from conference.core.grouping.designs import design, repeats

from .cases import all_seatings


def one(people, rounds, tables, **more):
    (advice,) = advise(people, rounds, [tables], **more)
    return advice


def test_the_june_conference():
    advice = one(40, 3, 5, organisations=[2] * 10 + [5, 5])
    assert (advice.sizes, advice.missing_seats) == ((8,) * 5, 0)
    assert (advice.now.outlook, advice.now.least, advice.now.reachable) == (Outlook.IMPOSSIBLE, 30, 30)
    assert (advice.one_more.rounds, advice.one_more.least) == (4, 45)
    assert (advice.rounds_known, advice.rounds_at_most) == (1, 1)
    assert advice.keeps_colleagues_apart
    assert one(40, 3, 4, organisations=[5, 5]).least_colleagues == 6
    assert [found.now.outlook.value for found in advise(40, 3, range(6, 9))] == ["impossible"] + [
        "possible"
    ] * 2


@pytest.mark.parametrize(
    ("people", "tables", "known", "at_most"),
    [
        (15, 5, 7, 7),  # Kirkman's girls
        (32, 8, 10, 10),
        (12, 4, 4, 4),
        (20, 5, 5, 5),
        (36, 6, 3, 3),
        (49, 7, 8, 8),
        (10, 5, 9, 9),
        (14, 5, 7, 7),
        (12, 1, 1, 1),
    ],
)
def test_famous_shapes(people, tables, known, at_most):
    advice = one(people, 2, tables)
    assert (advice.rounds_known, advice.rounds_at_most) == (known, at_most)


@pytest.mark.parametrize(
    ("people", "tables"),
    [(40, 7), (40, 9), (63, 12), (84, 14), (100, 10), (54, 18), (47, 12), (46, 5), (23, 6)],
)
def test_a_schedule_stands_behind_every_promise(people, tables):
    for rounds in range(1, 14):
        advice = one(people, rounds, tables)
        assert advice.now.least <= (least := advice.now.reachable or 0) or advice.now.reachable is None
        assert (advice.now.outlook is Outlook.POSSIBLE) == (
            rounds <= advice.rounds_known <= advice.rounds_at_most
        )
        if advice.now.reachable is not None and advice.now.outlook is not Outlook.POSSIBLE:
            found = design(tables, advice.sizes[0], rounds)
            assert found is not None
            schedule = found.schedule[:, :people]
            assert repeats(schedule) == least
            assert {tuple(sorted(np.bincount(row), reverse=True)) for row in schedule} == {advice.sizes}


@pytest.mark.parametrize(("people", "tables", "rounds"), [(28, 8, 8), (45, 12, 11), (21, 7, 10), (34, 6, 3)])
def test_what_is_called_possible_is_formed(people, tables, rounds):
    guests = tuple(Person(f"p{number}") for number in range(people))
    groups = even_groups([Group(str(number), 0, 0) for number in range(tables)], guests, rounds)
    solution = solve(Problem(rounds, groups, guests, goals=(Repeats(),)))
    possible = one(people, rounds, tables).now.outlook is Outlook.POSSIBLE
    assert solution.goals[0].value == 0 if possible else rounds > one(people, rounds, tables).rounds_known


@pytest.mark.parametrize(("people", "tables", "rounds"), [(40, 5, 4), (11, 3, 4), (12, 4, 6), (120, 12, 12)])
def test_the_bounds_are_those_of_the_result(people, tables, rounds):
    guests = tuple(Person(f"p{number}") for number in range(people))
    groups = even_groups([Group(str(number), 0, 0) for number in range(tables)], guests, rounds)
    advice = one(people, rounds, tables)
    assert advice.now.least == max(bound(Problem(rounds, groups, guests), Repeats()), advice.now.least > 0)


def test_colleagues_at_uneven_tables_can_be_kept_apart_exactly_where_advice_says_so():
    for staff in ((3,), (3, 2), (2, 2, 2), (3, 3), (4, 1), (2, 2)):
        for rooms in ((4, 1, 1), (3, 2, 1), (2, 2, 2)):
            homes = [name for name, count in enumerate(staff) for _ in range(count)]
            people = tuple(
                Person(f"p{place}", str(homes[place]) if place < len(homes) else None) for place in range(6)
            )
            groups = tuple(Group(str(place), seats, seats) for place, seats in enumerate(rooms))
            problem = Problem(1, groups, people, goals=(Colleagues(),))
            best = min(evaluate(problem, seating)[0].value for seating in all_seatings(problem))
            advice = one(6, 1, 3, organisations=staff, rooms=rooms)
            assert advice.sizes == rooms
            assert advice.least_colleagues <= best
            assert advice.keeps_colleagues_apart == (best == 0)


def test_rooms_limit_the_sizes_or_are_too_small():
    assert one(20, 2, 3, rooms=[5, 30, None]).sizes == (8, 7, 5)
    assert one(20, 2, 3, rooms=[5, 6, 5, 5, 6]).missing_seats == 3
    assert one(20, 2, 4, rooms=[5, 30]).sizes == (5,) * 4


def test_only_numbers_of_tables_that_leave_nobody_alone_are_looked_at():
    assert [advice.tables for advice in advise(6, 2, range(-1, 9))] == [1, 2, 3]
    assert advise(1, 2) == advise(0, 2) == ()
    assert (sensible_tables(40), sensible_tables(2), sensible_tables(600)) == (
        range(4, 14),
        range(1, 2),
        range(50, 201),
    )
    assert advise(2000, 8, organisations=[4] * 500)[0].tables == 167
