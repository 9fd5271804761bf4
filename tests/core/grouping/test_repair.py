"""Repair: every rule kept, and no seating that keeps them has fewer moves."""

from dataclasses import replace
from itertools import product
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conference.core.grouping import (
    Apart,
    BadProblem,
    Colleagues,
    Contradiction,
    EachGroupHas,
    Fixed,
    Group,
    NotIn,
    Person,
    Problem,
    Repeats,
    Stays,
    Together,
    evaluate,
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


def least_moves(problem, before):
    """By trying every seating of each round, and joining rounds where those who stay are in one group."""
    steady = [rule for rule in problem.rules if isinstance(rule, Stays)]
    reached = {(None,) * len(steady): 0}
    for number in range(1, problem.rounds + 1):
        ways = {}
        for seating in all_seatings(_one_round(problem, number)):
            where = {person: group for group, people in seating[0].items() for person in people}
            kept = tuple(where.get(rule.person) if _speaks(rule, number) else None for rule in steady)
            ways[kept] = min(ways.get(kept, 99), moves_between((before[number - 1],), seating))
        joined = {}
        for (groups, moves), (kept, more) in product(reached.items(), ways.items()):
            if all(None in pair or pair[0] == pair[1] for pair in zip(groups, kept, strict=True)):
                both = tuple(one or other for one, other in zip(groups, kept, strict=True))
                joined[both] = min(joined.get(both, 99), moves + more)
        reached = joined
    return min(reached.values(), default=None)


def _speaks(rule, number):
    return rule.rounds is None or number in rule.rounds


def _one_round(problem, number):
    groups = tuple(
        replace(one, min=one.size(number)[0], max=one.size(number)[1], overrides={}) for one in problem.groups
    )
    people = tuple(replace(one, rounds=None) for one in problem.people if one.is_there(number))
    rules = [rule for rule in problem.rules if _speaks(rule, number) and not isinstance(rule, Stays)]
    there = {one.id for one in people}
    kept = []
    for rule in rules:
        if isinstance(rule, Together | Apart):
            left = tuple(person for person in rule.people if person in there)
            kept += [replace(rule, people=left, rounds=None)] if len(left) > 1 else []
        elif isinstance(rule, EachGroupHas) or rule.person in there:
            kept.append(replace(rule, rounds=None))
    return Problem(1, groups, people, tuple(kept))


@settings(deadline=None, max_examples=60, derandomize=True)
@given(problems(most_people=5, most_groups=3, most_rounds=2), st.integers(0, 1000))
def test_no_seating_has_fewer_moves(problem, seed):
    random = Random(seed)
    names = [group.id for group in problem.groups] + ["gone"]
    before = tuple(_published(problem, random, names) for _ in range(problem.rounds))
    least = least_moves(problem, before)
    try:
        found = repair(problem, before)
    except Contradiction:
        assert least is None
        return
    assert violations(problem, found.solution.seating) == ()
    assert moves_between(before, found.solution.seating) == len(found.moves)
    assert (len(found.moves), found.is_minimal) == (least, True)


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


def a_hall(people, tables, rules=(), rounds=1):
    return Problem(
        rounds, tuple(Group(str(n), 8, 11) for n in range(tables)), people, tuple(rules), goals=(Repeats(),)
    )


def guest(number):
    kind = "agency" if number % 7 == 0 else "provider"
    return Person(f"p{number}", attributes={"side": kind, "first": "yes" if number % 3 else "no"})


def test_a_thousand_people_with_every_kind_of_rule_move_no_more_than_they_must():
    """Table 99 is lost: its ten must move. Three are pinned elsewhere, and of five pairs somebody must give way."""
    guests = tuple(guest(number) for number in range(1000))
    published = tuple(
        {
            str(table): tuple(f"p{(table + row * shift) % 100 + row * 100}" for row in range(10))
            for table in range(100)
        }
        for shift in (0, 1)
    )
    lost = {person for seats in published for person in seats["99"]}
    gone = {f"p{number}" for number in range(0, 1000, 37)} - lost
    tied = [Together((f"p{n}", f"p{n + 100}"), frozenset({1})) for n in range(40, 60)]
    rules = [
        *(rule for rule in tied if not gone & set(rule.people)),
        *(Apart((f"p{n}", f"p{n + 100}"), frozenset({1})) for n in (20, 21, 23, 24, 25)),
        *(Fixed(f"p{n}", "7", frozenset({1})) for n in (231, 332, 334)),
        *(NotIn(f"p{n}", str(n % 100), frozenset({2})) for n in (9, 10)),
        Stays("p5"),
        EachGroupHas("side", "agency", 1, 4),
        EachGroupHas("first", "yes", 3, 10),
    ]
    people = (
        *(one for one in guests if one.id not in gone),
        *(guest(number) for number in range(2000, 2010)),
    )
    found = repair(a_hall(people, 99, rules, rounds=2), published)
    assert violations(a_hall(people, 99, rules, rounds=2), found.solution.seating) == ()
    assert found.is_minimal
    assert len(found.moves) == 20 + 5 + 3 + 2 + 1


def test_rounds_that_are_over_stay_as_they_were():
    groups = (Group("A", 0, 3), Group("B", 0, 3), Group("C", 0, 3, overrides={2: (0, 0)}))
    people = tuple(Person(f"p{number}") for number in range(6))
    rules = (Apart(("p0", "p1")), Fixed("p4", "A"), Stays("p2"))
    problem = Problem(2, groups, people, rules, goals=(Repeats(),))
    published = (
        {"A": ("p0", "p1"), "C": ("p2",), "Z": ("p3", "gone")},
        {"A": ("p0", "p1"), "B": ("p2", "p4")},
    )
    with pytest.raises(Contradiction) as refused:
        repair(problem, published, over={1})
    assert refused.value.rules == (Stays("p2"),)
    found = repair(replace(problem, rules=rules[:2]), published, over=(1,))
    assert found.solution.seating[0] == published[0]
    assert [(move.person, move.round, move.to_group) for move in found.moves] == [
        ("p1", 2, "B"),
        ("p4", 2, "A"),
    ] or [move.person for move in found.moves] == ["p0", "p4"]
    assert found.is_minimal
    assert found.solution.goals[0].value >= found.solution.goals[0].bound


SIX = (
    {"A": ("p0", "p1", "p2"), "B": ("p3", "p4", "p5")},
    {"A": ("p0", "p3", "p4"), "B": ("p1", "p2", "p5")},
    {"A": ("p0", "p1", "p5"), "B": ("p2", "p3", "p4")},
)


def six(*rules, people=range(6), least=2, most=4):
    groups = (Group("A", least, most), Group("B", least, most))
    return Problem(3, groups, tuple(Person(f"p{number}") for number in people), rules, goals=(Repeats(),))


def test_who_shared_a_table_in_a_round_that_is_over_has_met():
    found = repair(six(), SIX, over={1})
    assert (found.moves, found.solution.seating) == ((), SIX)
    assert found.solution.goals[0].value == evaluate(six(), SIX)[0].value == 5


def test_rules_speak_of_later_rounds_only_and_who_stays_stays_where_they_were():
    rules = (
        Together(("p0", "p3"), frozenset({1, 2})),
        Together(("p0", "p3", "p1"), frozenset({1})),
        Stays("p4"),
    )
    after = repair(six(*rules), SIX, over={1}).solution.seating
    assert after[0] == SIX[0]
    assert "p4" in after[1]["B"] and "p4" in after[2]["B"]
    assert any({"p0", "p3"} <= set(people) for people in after[1].values())


def test_who_comes_and_who_is_gone_is_seen_in_later_rounds_only():
    repaired = repair(six(people=(*range(5), 7), least=3, most=3), SIX, over={1})
    after = repaired.solution.seating
    assert (repaired.moves, after[0]) == ((), SIX[0])
    assert set(after[1]["B"]) == {"p1", "p2", "p7"}
    assert set(after[2]["A"]) == {"p0", "p1", "p7"}


def test_of_the_repairs_with_the_fewest_moves_the_best_is_taken():
    """One of table A must leave. Anybody could, but only p2 finds no colleague at B."""
    homes = ["x", "y", "z", "x", "y"]
    people = tuple(Person(f"p{number}", organisation=home) for number, home in enumerate(homes))
    problem = Problem(1, (Group("A", 0, 2), Group("B", 0, 3)), people, goals=(Colleagues(),))
    found = repair(problem, a_seating("012 34"))
    assert [move.person for move in found.moves] == ["p2"]
    assert found.solution.goals[0].value == 0


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
