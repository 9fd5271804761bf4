"""Rounds that have begun are history; the rest can still be changed."""

from conference.core.grouping import Fixed, Group, Person, Problem, Stays, Together, repair
from conference.core.mending import later_only, merged

SEATS = (
    {"A": ("p0", "p1", "p2"), "B": ("p3", "p4", "p5")},
    {"A": ("p0", "p3", "p4"), "B": ("p1", "p2", "p5")},
    {"A": ("p0", "p1", "p5"), "B": ("p2", "p3", "p4")},
)


def problem(*rules, people=range(6), **over):
    sizes = {"min": 2, "max": 4} | over
    return Problem(
        rounds=3,
        groups=(Group("A", **sizes), Group("B", **sizes)),
        people=tuple(Person(f"p{number}") for number in people),
        rules=rules,
    )


def test_who_shared_a_table_has_met_and_nobody_sits_in_a_round_that_has_begun():
    later = later_only(problem(), SEATS, {1})
    assert frozenset(("p0", "p1")) in later.met
    assert frozenset(("p0", "p3")) not in later.met
    assert not any(person.is_there(1) for person in later.people)
    assert not any(group.meets(1) for group in later.groups)


def test_rules_speak_of_later_rounds_only_and_who_stays_stays_where_they_were():
    rules = (Together(("p0", "p3"), frozenset({1, 2})), Together(("p0", "p1"), frozenset({1})), Stays("p4"))
    later = later_only(problem(*rules), SEATS, {1})
    assert later.rules == (
        Together(("p0", "p3"), frozenset({2})),
        Fixed("p4", "B", frozenset({2, 3})),
    )


def test_who_stays_finds_another_table_when_theirs_is_closed_later():
    closed = problem(Stays("p4"))
    closed = Problem(
        3, (closed.groups[0], Group("B", 0, 0, overrides={1: (2, 4)})), closed.people, closed.rules
    )
    assert later_only(closed, SEATS, {1}).rules == (Stays("p4", frozenset({2, 3})),)


def test_a_repair_leaves_rounds_that_have_begun_as_they_are():
    now = problem(people=(*range(5), 7), min=3, max=3)
    repaired = repair(later_only(now, SEATS, {1}), SEATS)
    after = merged(now, SEATS, repaired.solution.seating, {1})
    assert repaired.moves == ()
    assert after[0] == {"A": ("p0", "p1", "p2"), "B": ("p3", "p4")}
    assert set(after[1]["B"]) == {"p1", "p2", "p7"}
    assert set(after[2]["A"]) == {"p0", "p1", "p7"}
