"""Problems, rules, solutions and contradictions in their JSON form (plain dicts and lists)."""

from collections.abc import Mapping
from typing import Any

from .model import (
    GOAL_NAMES,
    RULE_NAMES,
    Apart,
    Balance,
    Colleagues,
    Contradiction,
    Diversity,
    EachGroupHas,
    Fixed,
    Goal,
    GoalScore,
    Group,
    NotIn,
    Person,
    Problem,
    Rule,
    Solution,
    Together,
)


def to_json(solution: Solution) -> dict[str, Any]:
    """The output of `groups-solve`; `seconds` only where the caller has measured them."""
    seconds = {} if solution.seconds is None else {"seconds": solution.seconds}
    return {
        "status": solution.status,
        "seed": solution.seed,
        "iterations": solution.iterations,
        **seconds,
        "rounds": [{group: list(people) for group, people in seats.items()} for seats in solution.seating],
        "goals": [score_to_json(score) for score in solution.goals],
    }


def score_to_json(score: GoalScore) -> dict[str, Any]:
    """One goal's line; wishes have [worst, sum] as value and bound."""
    return {"goal": score.goal, "value": _plain(score.value), "bound": _plain(score.bound)}


def contradiction_to_json(contradiction: Contradiction) -> dict[str, Any]:
    """The output of `groups-solve` where the rules cannot be kept."""
    rules = [rule_to_json(rule) for rule in contradiction.rules]
    return {"status": "contradiction", "rules": rules, "text": contradiction.text}


def problem_to_json(problem: Problem) -> dict[str, Any]:
    """The input that `parse_problem` reads back into an equal problem."""
    return {
        "rounds": problem.rounds,
        "groups": [_group(group) for group in problem.groups],
        "people": [_person(person) for person in problem.people],
        "rules": [rule_to_json(rule) for rule in problem.rules],
        "met": sorted(sorted(pair) for pair in problem.met),
        "goals": [_goal(goal) for goal in problem.goals],
    }


def rule_to_json(rule: Rule) -> dict[str, Any]:
    """One rule as it stands in the file."""
    rounds = {} if rule.rounds is None else {"rounds": sorted(rule.rounds)}
    return {"rule": RULE_NAMES[type(rule)], **_rule_parts(rule), **rounds}


def _rule_parts(rule: Rule) -> dict[str, Any]:
    if isinstance(rule, Together | Apart):
        return {"people": list(rule.people)}
    if isinstance(rule, Fixed | NotIn):
        return {"person": rule.person, "group": rule.group}
    if isinstance(rule, EachGroupHas):
        return {
            "attribute": rule.attribute,
            "value": rule.value,
            **_given({"min": rule.min, "max": rule.max}),
        }
    return {"person": rule.person}


def _goal(goal: Goal) -> dict[str, Any]:
    return {"goal": GOAL_NAMES[type(goal)], **_goal_parts(goal)}


def _goal_parts(goal: Goal) -> dict[str, Any]:
    if isinstance(goal, Colleagues):
        return {"except": dict(goal.except_)} if goal.except_ else {}
    if isinstance(goal, Balance):
        return {"attributes": list(goal.attributes)}
    if isinstance(goal, Diversity):
        return {"pairs": [list(pair) for pair in goal.pairs]}
    return {}


def _group(group: Group) -> dict[str, Any]:
    overrides = {
        str(round): {"min": least, "max": most} for round, (least, most) in sorted(group.overrides.items())
    }
    extra = _given({"topic": group.topic, "overrides": overrides or None})
    return {"id": group.id, "min": group.min, "max": group.max, **extra}


def _person(person: Person) -> dict[str, Any]:
    return {
        "id": person.id,
        "organisation": person.organisation,
        "attributes": dict(person.attributes),
        "wishes": list(person.wishes),
        **_given({"rounds": None if person.rounds is None else sorted(person.rounds)}),
    }


def _given(parts: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in parts.items() if value is not None}


def _plain(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value
