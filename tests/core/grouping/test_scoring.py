"""Goals counted by hand, and bounds that nothing beats."""

from collections.abc import Sequence

import pytest
from hypothesis import given, settings

from conference.core.grouping import (
    Apart,
    Balance,
    Colleagues,
    Diversity,
    GoalScore,
    Group,
    Person,
    Problem,
    Repeats,
    Together,
    Wishes,
    bound,
    evaluate,
    status,
)
from conference.core.grouping.compiled import Seats, compile_problem, seating_of
from conference.core.grouping.feasible import Answer, find
from conference.core.grouping.objective import objective

from .cases import a_long_june, a_problem, a_scenario, a_seating, all_seatings, problems, rank


def people(*organisations: str | None) -> tuple[Person, ...]:
    return tuple(Person(f"p{index}", name, {"side": name}) for index, name in enumerate(organisations))


def values(problem: Problem, *rounds: str) -> list[object]:
    return [score.value for score in evaluate(problem, a_seating(*rounds))]


def test_colleagues_are_pairs_of_one_organisation_over_all_rounds() -> None:
    problem = a_problem(rounds=2, goals=(Colleagues(),), people=6)
    problem = Problem(2, problem.groups, people("x", "x", "x", "y", None, None), goals=problem.goals)
    assert values(problem, "012 345", "01 2345") == [3 + 1]


def test_colleagues_with_an_excepted_attribute_do_not_count() -> None:
    problem = Problem(1, a_problem().groups, people("x", "x", "y", "y"), goals=(Colleagues({"side": "x"}),))
    assert values(problem, "01 23") == [1]


def test_repeats_count_every_meeting_but_the_first() -> None:
    problem = a_problem(people=4, rounds=3, goals=(Repeats(),))
    assert values(problem, "01 23", "01 23", "012 3") == [2 + 1]


def test_a_pair_that_met_before_repeats_with_its_first_meeting() -> None:
    problem = a_problem(
        people=4, goals=(Repeats(),), met=frozenset({frozenset({"p0", "p1"}), frozenset({"p0", "p3"})})
    )
    assert values(problem, "01 23") == [1]


def test_balance_sums_squared_deviations_from_the_even_share() -> None:
    problem = Problem(1, a_problem().groups, people("x", "x", "x", "y", None), goals=(Balance(("side",)),))
    assert values(problem, "012 34") == [2 * 1.5**2 + 2 * 0.5**2]


def test_balance_leaves_out_groups_that_do_not_meet() -> None:
    groups = (Group("A", 0, 4), Group("B", 0, 4), Group("C", 0, 4, overrides={1: (0, 0)}))
    problem = Problem(1, groups, people("x", "x"), goals=(Balance(("side",)),))
    assert values(problem, "0 1 -") == [0]


def test_wishes_are_the_worst_total_and_the_sum() -> None:
    groups = (Group("A", 0, 4, "red"), Group("B", 0, 4, "blue"), Group("C", 0, 4))
    persons = (Person("p0", wishes=("B", "red")), Person("p1", wishes=("red",)), Person("p2"))
    problem = Problem(2, groups, persons, goals=(Wishes(),))
    assert values(problem, "01 2 -", "- 1 02") == [(3, 1 + 2 + 0 + 1)]


def test_diversity_sums_the_pairs_at_a_table() -> None:
    pairs = (("p0", "p1", 3), ("p2", "p1", 5), ("p2", "p3", -1))
    assert values(a_problem(people=4, rounds=2, goals=(Diversity(pairs),)), "01 23", "012 3") == [
        3 - 1 + 3 + 5
    ]


def test_a_status_is_optimal_only_if_every_bound_is_reached() -> None:
    assert status([GoalScore("repeats", 3, 3), GoalScore("wishes", (1, 2), (1, 2))]) == "optimal"
    assert status([GoalScore("repeats", 3, 3), GoalScore("wishes", (1, 2), (1, 1))]) == "feasible"
    assert status([GoalScore("diversity", 3, None)]) == "feasible"


def test_three_colleagues_at_two_tables_cannot_all_be_kept_apart() -> None:
    problem = Problem(2, a_problem().groups, people("x", "x", "x", "y"))
    assert bound(problem, Colleagues()) == 2


def test_colleagues_whom_a_rule_ties_together_meet_in_any_case() -> None:
    problem = Problem(2, a_problem().groups, people("x", "x", "y"), (Together(("p0", "p1"), frozenset({2})),))
    assert bound(problem, Colleagues()) == 1


@pytest.mark.parametrize(("rounds", "least"), [(1, 0), (2, 13), (3, 26), (4, 39)])
def test_tables_of_more_people_than_tables_share_pairs_from_round_to_round(rounds: int, least: int) -> None:
    assert bound(a_long_june(rounds), Repeats()) == least


def test_eight_rounds_are_too_many_for_fifteen_girls() -> None:
    kirkman = a_scenario("kirkman")
    assert bound(kirkman, Repeats()) == 0
    assert bound(Problem(8, kirkman.groups, kirkman.people), Repeats()) == 15


def test_people_tied_together_repeat_whatever_else_happens() -> None:
    problem = a_problem(
        people=12, groups=6, rounds=3, rules=(Together(("p0", "p1", "p2")), Apart(("p0", "p5")))
    )
    assert bound(problem, Repeats()) == 3 * 2


@settings(deadline=None, max_examples=60)
@given(problems(most_people=5, most_groups=2, most_rounds=2))
def test_no_seating_beats_a_bound(problem: Problem) -> None:
    for seating in all_seatings(problem):
        for score in evaluate(problem, seating):
            assert score.bound is not None
            if score.goal == "diversity":
                assert score.value <= score.bound
            else:
                assert score.value >= score.bound


def backwards(number: int, unit: int, groups: Sequence[int], seats: Seats) -> Sequence[int]:
    return groups[::-1]


@settings(deadline=None, max_examples=100)
@given(problems())
def test_the_search_ranks_seatings_as_the_plain_count_does(problem: Problem) -> None:
    compiled = compile_problem(problem, ())
    goals = objective(compiled)
    answer, one = find(compiled, 1000)
    if answer is Answer.FOUND:
        other = find(compiled, 1000, backwards)[1]
        plain = [rank(evaluate(problem, seating_of(compiled, seats))) for seats in (one, other)]
        quick = [goals.key(seats) for seats in (one, other)]
        assert (plain[0] < plain[1], plain[0] == plain[1]) == (quick[0] < quick[1], quick[0] == quick[1])
