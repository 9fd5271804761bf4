"""Contradictions are named by a smallest set of rules."""

from dataclasses import replace

import pytest

from conference.core.grouping import (
    Apart,
    Contradiction,
    EachGroupHas,
    Fixed,
    Group,
    NotIn,
    Person,
    Problem,
    Rule,
    Stays,
    Together,
    contradiction_to_json,
    solve,
)

from .cases import a_file, a_problem, a_scenario

BYSTANDERS = (Apart(("p4", "p5")), NotIn("p4", "A"), Stays("p5"), EachGroupHas("side", "x", 0, 6))


def refused(problem: Problem) -> Contradiction:
    with pytest.raises(Contradiction) as caught:
        solve(problem)
    return caught.value


def blamed(*rules: Rule, **over: object) -> tuple[Rule, ...]:
    return refused(a_problem(rules=(*rules, *BYSTANDERS), **over)).rules


def test_three_tied_people_at_tables_for_two_need_no_third_rule_to_contradict() -> None:
    contradiction = refused(a_scenario("contradiction"))
    assert contradiction_to_json(contradiction) == {
        "status": "contradiction",
        "rules": a_file("contradiction")["rules"][:2],
        "text": "These rules cannot all be kept with groups of these sizes: together a, b; together b, c.",
    }
    assert contradiction.code == "sizes"


def test_with_larger_tables_the_gap_between_the_tied_people_is_to_blame() -> None:
    scenario = a_scenario("contradiction")
    groups = (Group("1", 1, 3), Group("2", 1, 3))
    contradiction = refused(replace(scenario, groups=groups))
    assert contradiction.rules == scenario.rules[:3]
    assert contradiction.text == "These rules cannot all be kept: together a, b; together b, c; apart a, c."
    assert contradiction.code == "rules"


def test_two_groups_at_once() -> None:
    rules = (Fixed("p0", "A"), Fixed("p0", "B", frozenset({1})))
    assert blamed(*rules) == rules


def test_tied_to_somebody_who_may_not_come() -> None:
    rules = (Together(("p0", "p1")), Fixed("p0", "A"), NotIn("p1", "A"))
    assert blamed(*rules) == rules


def test_a_group_that_does_not_meet() -> None:
    groups = (Group("A", 0, 6, overrides={2: (0, 0)}), Group("B", 0, 6))
    assert blamed(Fixed("p0", "A"), groups=groups, rounds=2) == (Fixed("p0", "A"),)


def test_a_bunch_larger_than_every_table() -> None:
    rules = (Together(("p0", "p1", "p2")), Together(("p2", "p3")))
    assert blamed(*rules, groups=(Group("A", 0, 3), Group("B", 0, 3))) == rules


def test_more_people_tied_to_a_table_than_it_has_seats() -> None:
    groups = (Group("A", 0, 2), Group("B", 0, 6))
    rules = (Fixed("p0", "A"), Fixed("p1", "A"), Fixed("p2", "A"))
    assert blamed(*rules, groups=groups) == rules


def test_too_few_people_of_a_kind_for_all_tables() -> None:
    people = tuple(Person(f"p{index}", attributes={"side": "x" if index == 0 else "y"}) for index in range(6))
    rule = EachGroupHas("side", "x", 1)
    problem = Problem(1, a_problem().groups, people, (*BYSTANDERS, rule))
    assert refused(problem).rules == (rule,)
    assert refused(problem).text == "This rule cannot be kept: each group has min 1 side x."


def test_a_table_left_by_too_many() -> None:
    groups = (Group("A", 3, 6), Group("B", 0, 6))
    rules = tuple(NotIn(f"p{index}", "A") for index in range(3))
    assert blamed(*rules, groups=groups) == (*rules, NotIn("p4", "A"))


def test_more_enemies_than_tables() -> None:
    rules = (Apart(("p0", "p1", "p2")), Apart(("p0", "p3")), Apart(("p1", "p3")), Apart(("p2", "p3")))
    assert blamed(*rules, groups=3) == rules


def test_staying_where_another_round_forbids_it() -> None:
    rules = (Fixed("p0", "A", frozenset({1})), NotIn("p0", "A", frozenset({2})), Stays("p0"))
    assert blamed(*rules, rounds=2) == rules


def test_bunches_that_do_not_fill_the_tables() -> None:
    groups = (Group("A", 3, 3), Group("B", 3, 3))
    rules = (Together(("p0", "p1")), Together(("p2", "p3")), Together(("p4", "p5")))
    assert refused(a_problem(groups=groups, rules=rules)).rules == rules


def test_too_few_seats_are_no_rule_s_fault() -> None:
    contradiction = refused(
        a_problem(people=6, groups=(Group("A", 1, 3), Group("B", 1, 2)), rules=BYSTANDERS)
    )
    assert (contradiction.rules, contradiction.code) == ((), "seats")
    assert contradiction.facts == {"round": 1, "people": 6, "seats": 5}


def test_too_few_people_are_no_rule_s_fault() -> None:
    contradiction = refused(a_problem(people=6, groups=(Group("A", 4, 6), Group("B", 4, 6)), rounds=2))
    assert (contradiction.rules, contradiction.code) == ((), "people")
    assert contradiction.facts == {"round": 1, "people": 6, "needed": 8}


def test_a_round_in_which_nobody_is_there_needs_people_too() -> None:
    people = (Person("p0", rounds=frozenset({1})),)
    assert refused(Problem(2, (Group("A", 1, 1),), people)).facts == {"round": 2, "people": 0, "needed": 1}


def test_more_people_than_seats_in_the_few_groups_that_they_may_take() -> None:
    """No search can try all of this; a flow sees it at once."""
    groups = tuple(Group(name, 0, 9) for name in "ABC")
    rules = tuple(NotIn(f"p{number}", "C") for number in range(19))
    assert blamed(*rules, people=25, groups=groups) == rules


def test_people_apart_with_too_few_groups_open_to_them() -> None:
    closed = tuple(NotIn(f"p{number}", group) for number in range(3) for group in "CD")
    apart = Apart(("p0", "p1", "p2"))
    assert set(blamed(*closed, apart, people=12, groups=4)) == {*closed, apart}


def test_the_same_rule_twice_is_named_once() -> None:
    assert blamed(Fixed("p0", "A"), Fixed("p0", "A"), NotIn("p0", "A")) == (
        Fixed("p0", "A"),
        NotIn("p0", "A"),
    )


def test_everybody_apart_from_everybody() -> None:
    rule = Apart(tuple(f"p{number}" for number in range(6)))
    assert blamed(rule, groups=5) == (rule,)


def test_among_hundreds_of_people_and_rules_the_few_that_conflict_are_found() -> None:
    people = 300
    others = [Apart((f"p{number}", f"p{number + 1}")) for number in range(20, 280)]
    chain = [Together(("p0", "p1")), Together(("p1", "p2")), Stays("p2"), Fixed("p0", "A", frozenset({1}))]
    rules = (*others[:90], *chain[:2], *others[90:], *chain[2:], NotIn("p1", "A", frozenset({2})))
    found = refused(a_problem(people=people, groups=26, rounds=2, rules=rules))
    assert set(found.rules) == {*chain, NotIn("p1", "A", frozenset({2}))}
    assert found.is_smallest


def test_a_set_that_is_too_large_to_be_made_small_says_so() -> None:
    groups = (Group("A", 0, 999), Group("B", 0, 999), Group("C", 0, 9))
    rules = tuple(NotIn(f"p{number}", group) for number in range(400) for group in "AB")
    found = refused(a_problem(people=400, groups=groups, rules=rules, rounds=2))
    assert found.is_smallest == (len(found.rules) == 20)
    assert ("perhaps" in found.text) != found.is_smallest
