"""The file format: read strictly, written back the same."""

import copy
import json
from typing import Any

import pytest
from hypothesis import given, settings

from conference.core.grouping import (
    Apart,
    BadProblem,
    Balance,
    Colleagues,
    Diversity,
    EachGroupHas,
    Fixed,
    Group,
    NotIn,
    Person,
    Problem,
    Repeats,
    Solution,
    Stays,
    Together,
    Wishes,
    evaluate,
    parse_problem,
    problem_to_json,
    solve,
    to_json,
)

from .cases import a_file, a_seating, problems

FULL: dict[str, Any] = {
    "rounds": 2,
    "groups": [
        {"id": "A", "min": 1, "max": 2, "topic": "Care", "overrides": {"2": {"min": 0, "max": 0}}},
        {"id": "B", "min": 1, "max": 3},
    ],
    "people": [
        {
            "id": "p1",
            "organisation": "o",
            "attributes": {"side": "x", "team": None},
            "wishes": ["B", "Care"],
            "rounds": [1],
        },
        {"id": "p2"},
        {"id": "p3", "organisation": None, "attributes": {}, "wishes": []},
    ],
    "rules": [
        {"rule": "together", "people": ["p1", "p2"]},
        {"rule": "apart", "people": ["p2", "p3"], "rounds": [1]},
        {"rule": "fixed", "person": "p1", "group": "A"},
        {"rule": "not_in", "person": "p3", "group": "A"},
        {"rule": "each_group_has", "attribute": "side", "value": "x", "min": 0, "max": 2},
        {"rule": "stays", "person": "p3"},
    ],
    "met": [["p1", "p3"]],
    "goals": [
        {"goal": "colleagues", "except": {"side": "x"}},
        {"goal": "repeats"},
        {"goal": "balance", "attributes": ["side", "team"]},
        {"goal": "wishes"},
        {"goal": "diversity", "pairs": [["p1", "p2", 3.5]]},
    ],
}


def changed(path: str, value: Any) -> dict[str, Any]:
    """FULL with another value at a path like "people.0.id"."""
    problem = copy.deepcopy(FULL)
    *way, last = path.split(".")
    place: Any = problem
    for step in way:
        place = place[int(step) if isinstance(place, list) else step]
    place[int(last) if isinstance(place, list) else last] = value
    return problem


def test_every_part_of_the_format_is_read() -> None:
    assert parse_problem(FULL) == Problem(
        rounds=2,
        groups=(Group("A", 1, 2, "Care", {2: (0, 0)}), Group("B", 1, 3)),
        people=(
            Person("p1", "o", {"side": "x", "team": None}, ("B", "Care"), frozenset({1})),
            Person("p2"),
            Person("p3"),
        ),
        rules=(
            Together(("p1", "p2")),
            Apart(("p2", "p3"), frozenset({1})),
            Fixed("p1", "A"),
            NotIn("p3", "A"),
            EachGroupHas("side", "x", 0, 2),
            Stays("p3"),
        ),
        met=frozenset({frozenset({"p1", "p3"})}),
        goals=(
            Colleagues({"side": "x"}),
            Repeats(),
            Balance(("side", "team")),
            Wishes(),
            Diversity((("p1", "p2", 3.5),)),
        ),
    )


def test_a_count_of_groups_takes_even_sizes_of_those_who_are_there() -> None:
    people = [{"id": f"p{index}", "rounds": [1, 2] if index else [1]} for index in range(7)]
    problem = parse_problem({"rounds": 2, "groups": {"count": 3}, "people": people})
    assert problem.groups == tuple(Group(name, 2, 3, None, {2: (2, 2)}) for name in "123")


def test_a_count_of_groups_may_have_sizes() -> None:
    problem = parse_problem({"rounds": 1, "groups": {"count": 2, "min": 0, "max": 4}, "people": []})
    assert problem.groups == (Group("1", 0, 4), Group("2", 0, 4))


BAD: list[tuple[str, Any, str]] = [
    ("rounds", 0, "rounds"),
    ("rounds", 10**9, "rounds"),
    ("rounds", True, "rounds"),
    ("rounds", "2", "rounds"),
    ("colour", 1, "colour"),
    ("groups", [], "groups"),
    ("groups", "AB", "groups"),
    ("groups", {"min": 1, "max": 2}, "groups.count"),
    ("groups", {"count": 2, "min": 1}, "groups.max"),
    ("groups", {"count": 2, "size": 1}, "groups.size"),
    ("groups", {"count": 0}, "groups.count"),
    ("groups", {"count": 10**9}, "groups.count"),
    ("groups.0.colour", 1, "groups[0].colour"),
    ("groups.0.id", "", "groups[0].id"),
    ("groups.0.id", "B", "groups[1]"),
    ("groups.0.min", -1, "groups[0].min"),
    ("groups.0.min", 1.5, "groups[0].min"),
    ("groups.0.max", 0, "groups[0].max"),
    ("groups.0.topic", 3, "groups[0].topic"),
    ("groups.0.overrides", [], "groups[0].overrides"),
    ("groups.0.overrides", {"3": {"min": 0, "max": 1}}, "groups[0].overrides"),
    ("groups.0.overrides", {"x": {"min": 0, "max": 1}}, "groups[0].overrides.x"),
    ("groups.0.overrides", {"02": {"min": 0, "max": 1}}, "groups[0].overrides.02"),
    ("groups.0.overrides", {"²": {"min": 0, "max": 1}}, "groups[0].overrides.²"),
    ("groups.0.overrides.2.max", -1, "groups[0].overrides.2.max"),
    ("groups.0.overrides.2.size", 1, "groups[0].overrides.2.size"),
    ("people", {}, "people"),
    ("people.1", "p2", "people[1]"),
    ("people.1.id", 2, "people[1].id"),
    ("people.1.id", "p1", "people[1]"),
    ("people.1.name", "x", "people[1].name"),
    ("people.0.organisation", 1, "people[0].organisation"),
    ("people.0.attributes.side", 1, "people[0].attributes.side"),
    ("people.0.wishes", "B", "people[0].wishes"),
    ("people.0.wishes.1", "C", "people[0].wishes[1]"),
    ("people.0.wishes.1", "B", "people[0].wishes[1]"),
    ("people.0.rounds", [0], "people[0].rounds"),
    ("people.0.rounds", None, "people[0].rounds"),
    ("people.0.rounds", ["1"], "people[0].rounds[0]"),
    ("rules.0.rule", "beside", "rules[0].rule"),
    ("rules.0.rule", [], "rules[0].rule"),
    ("rules.0.people", ["p1"], "rules[0].people"),
    ("rules.0.people", ["p1", "p9"], "rules[0].people[1]"),
    ("rules.0.people", ["p1", "p1"], "rules[0].people[1]"),
    ("rules.0.person", "p1", "rules[0].person"),
    ("rules.1.rounds", [3], "rules[1].rounds"),
    ("rules.2.person", "p9", "rules[2].person"),
    ("rules.2.group", "Care", "rules[2].group"),
    ("rules.4.min", -1, "rules[4].min"),
    ("rules.4.min", 3, "rules[4].max"),
    ("rules.4.max", None, "rules[4].max"),
    ("rules.4.value", None, "rules[4].value"),
    ("rules.5.group", "A", "rules[5].group"),
    ("met.0", ["p1"], "met[0]"),
    ("met.0", ["p1", "p1"], "met[0]"),
    ("met.0", ["p1", "p9"], "met[0][1]"),
    ("goals.0.goal", "happiness", "goals[0].goal"),
    ("goals.0.except.side", None, "goals[0].except.side"),
    ("goals.1.weight", 2, "goals[1].weight"),
    ("goals.2.attributes", [], "goals[2].attributes"),
    ("goals.4.pairs.0", ["p1", "p2"], "goals[4].pairs[0]"),
    ("goals.4.pairs.0.1", "p9", "goals[4].pairs[0][1]"),
    ("goals.4.pairs.0.1", "p1", "goals[4].pairs[0]"),
    ("goals.4.pairs.0.2", float("nan"), "goals[4].pairs[0][2]"),
    ("goals.4.pairs.0.2", "3", "goals[4].pairs[0][2]"),
]


@pytest.mark.parametrize(("path", "value", "named"), BAD)
def test_bad_input_is_named_by_its_path(path: str, value: Any, named: str) -> None:
    with pytest.raises(BadProblem) as caught:
        parse_problem(changed(path, value))
    assert caught.value.path == named


@pytest.mark.parametrize("missing", ["rounds", "groups", "people"])
def test_what_must_be_there_is_missed(missing: str) -> None:
    with pytest.raises(BadProblem) as caught:
        parse_problem({key: value for key, value in FULL.items() if key != missing})
    assert str(caught.value) == f"{missing}: missing"


@pytest.mark.parametrize("value", [None, [], "{}", 3])
def test_a_problem_is_an_object(value: Any) -> None:
    with pytest.raises(BadProblem):
        parse_problem(value)


def test_more_people_and_rounds_than_the_memory_holds_are_refused() -> None:
    people = [{"id": f"p{index}"} for index in range(1500)]
    with pytest.raises(BadProblem) as caught:
        parse_problem({"rounds": 20, "groups": {"count": 3}, "people": people})
    assert str(caught.value) == "rounds: 20 rounds are too many for 1500 people"


def test_a_problem_made_in_code_is_checked_as_well() -> None:
    with pytest.raises(BadProblem) as caught:
        solve(Problem(1, (Group("A", 0, 1),), (Person("p1"),), (Fixed("p1", "B"),)))
    assert (caught.value.path, caught.value.message) == ("rules[0].group", "unknown group 'B'")


@pytest.mark.parametrize("name", ["june", "kirkman", "contradiction"])
def test_a_scenario_comes_back_the_same(name: str) -> None:
    problem = parse_problem(a_file(name))
    assert parse_problem(json.loads(json.dumps(problem_to_json(problem)))) == problem


@settings(deadline=None, max_examples=100)
@given(problems())
def test_every_problem_comes_back_the_same(problem: Problem) -> None:
    assert parse_problem(json.loads(json.dumps(problem_to_json(problem)))) == problem


def test_a_solution_is_written_as_the_format_says() -> None:
    problem = parse_problem({"rounds": 1, "groups": {"count": 2}, "people": [{"id": "p0"}, {"id": "p1"}]})
    wishes = Problem(1, problem.groups, problem.people, goals=(Repeats(), Wishes()))
    seating = ({"1": ("p0",), "2": ("p1",)},)
    solution = Solution(seating, evaluate(wishes, seating), "optimal", 1, 12, 0.5)
    assert json.loads(json.dumps(to_json(solution))) == {
        "status": "optimal",
        "seed": 1,
        "iterations": 12,
        "seconds": 0.5,
        "rounds": [{"1": ["p0"], "2": ["p1"]}],
        "goals": [
            {"goal": "repeats", "value": 0, "bound": 0},
            {"goal": "wishes", "value": [0, 0], "bound": [0, 0]},
        ],
    }


def test_without_a_clock_no_seconds_are_written() -> None:
    assert "seconds" not in to_json(Solution(a_seating("0"), (), "optimal", 1, 0))
