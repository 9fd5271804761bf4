"""Seatings made by hand: what is wrong with them, and what a move would break."""

import pytest

from conference.core.grouping import (
    Apart,
    EachGroupHas,
    Fixed,
    Group,
    NotIn,
    Person,
    Rule,
    Stays,
    Together,
    Violation,
    check_move,
    moved,
    violations,
)

from .cases import a_problem, a_seating


def test_a_seating_that_keeps_everything_has_no_violation() -> None:
    problem = a_problem(people=4, rules=(Together(("p0", "p1")), Apart(("p1", "p2")), Fixed("p3", "B")))
    assert violations(problem, a_seating("01 23")) == ()


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (Together(("p0", "p1", "p2")), Violation("together", 1, people=("p0", "p1", "p2"))),
        (Apart(("p2", "p3")), Violation("apart", 1, people=("p2", "p3"))),
        (Fixed("p0", "B"), Violation("fixed", 1, "B", ("p0",))),
        (NotIn("p0", "A"), Violation("not_in", 1, "A", ("p0",))),
        (EachGroupHas("side", "x", 1), Violation("too_few", 1, "B", ())),
        (EachGroupHas("side", "x", max=1), Violation("too_many", 1, "A", ("p0", "p1"))),
    ],
)
def test_a_broken_rule_is_named_with_its_round_and_people(rule: Rule, expected: Violation) -> None:
    people = tuple(Person(f"p{index}", attributes={"side": "x" if index < 2 else None}) for index in range(4))
    problem = a_problem(people=4, rules=(rule,))
    found = violations(type(problem)(1, problem.groups, people, problem.rules), a_seating("01 23"))
    assert found == (Violation(expected.code, expected.round, expected.group, expected.people, rule),)


def test_a_rule_for_one_round_is_broken_only_there() -> None:
    rule = Together(("p0", "p1"), frozenset({2}))
    problem = a_problem(people=2, rounds=2, rules=(rule,))
    assert violations(problem, a_seating("0 1", "01 -")) == ()
    assert violations(problem, a_seating("01 -", "0 1")) == (
        Violation("together", 2, people=("p0", "p1"), rule=rule),
    )


def test_who_stays_may_not_change_the_group() -> None:
    problem = a_problem(people=2, rounds=2, rules=(Stays("p0"), Stays("p1")))
    assert violations(problem, a_seating("01 -", "0 1")) == (
        Violation("stays", people=("p1",), rule=Stays("p1")),
    )


def test_groups_too_full_and_too_empty() -> None:
    problem = a_problem(people=4, groups=(Group("A", 0, 2), Group("B", 2, 4)))
    assert violations(problem, a_seating("012 3")) == (
        Violation("too_many", 1, "A", ("p0", "p1", "p2")),
        Violation("too_few", 1, "B", ("p3",)),
    )


def test_people_without_a_seat_with_two_or_in_spite_of_being_away() -> None:
    people = (Person("p0"), Person("p1"), Person("p2", rounds=frozenset()))
    problem = a_problem(people=3)
    problem = type(problem)(1, problem.groups, people)
    assert violations(problem, a_seating("12 19")) == (
        Violation("missing", 1, people=("p0",)),
        Violation("twice", 1, people=("p1",)),
        Violation("not_there", 1, people=("p2",)),
        Violation("unknown", 1, people=("p9",)),
    )


def test_a_group_that_nobody_knows() -> None:
    assert violations(a_problem(people=1), ({"A": ("p0",), "Z": ()},)) == (Violation("unknown", 1, "Z"),)


def test_a_move_leaves_the_other_rounds_and_people_alone() -> None:
    seating = moved(a_seating("01 23", "01 23"), "p0", 2, "B")
    assert seating == a_seating("01 23", "1 230")


def test_a_good_move_is_fine_even_if_the_seating_has_faults_elsewhere() -> None:
    problem = a_problem(people=4, rules=(Fixed("p3", "A"),))
    assert check_move(problem, a_seating("01 23"), "p0", 1, "B") == ()


def test_a_bad_move_is_told_by_what_it_breaks() -> None:
    rule = Apart(("p0", "p3"))
    problem = a_problem(people=4, groups=(Group("A", 2, 4), Group("B", 0, 4)), rules=(rule, Fixed("p2", "A")))
    assert check_move(problem, a_seating("01 23"), "p0", 1, "B") == (
        Violation("too_few", 1, "A", ("p1",)),
        Violation("apart", 1, people=("p0", "p3"), rule=rule),
    )


def test_a_move_out_of_a_crowded_group_is_fine_even_if_it_stays_crowded() -> None:
    problem = a_problem(people=5, groups=(Group("A", 0, 2), Group("B", 0, 4)))
    assert check_move(problem, a_seating("0123 4"), "p0", 1, "B") == ()


def test_a_move_into_a_crowded_group_makes_it_worse() -> None:
    problem = a_problem(people=5, groups=(Group("A", 0, 2), Group("B", 0, 4)))
    crowded = Violation("too_many", 1, "A", ("p0", "p1", "p2", "p3"))
    assert check_move(problem, a_seating("012 34"), "p3", 1, "A") == (crowded,)


def test_who_has_no_seat_yet_can_be_given_one() -> None:
    problem = a_problem(people=3, groups=(Group("A", 0, 2), Group("B", 0, 2)))
    assert check_move(problem, a_seating("01 -"), "p2", 1, "B") == ()
    assert [violation.code for violation in check_move(problem, a_seating("01 -"), "p2", 1, "A")] == [
        "too_many"
    ]
