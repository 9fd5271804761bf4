"""A problem from its JSON form: every key known, every type right, or BadProblem with the path."""

from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import replace
from typing import Any, TypeVar

from .checking import MOST_GROUPS, MOST_ROUNDS, check, check_known, check_size
from .model import (
    Apart,
    BadProblem,
    Balance,
    Colleagues,
    Diversity,
    EachGroupHas,
    Fixed,
    Goal,
    Group,
    NotIn,
    Person,
    Problem,
    Repeats,
    Rule,
    Stays,
    Together,
    Wishes,
)

T = TypeVar("T")


def parse_problem(json_obj: object) -> Problem:
    """The problem in this decoded JSON. Raises BadProblem."""
    top = _object(json_obj, "", {"rounds", "groups", "people"}, {"rules", "met", "goals"})
    rounds = _whole(top["rounds"], "rounds")
    if not 1 <= rounds <= MOST_ROUNDS:
        raise BadProblem("rounds", f"must be 1 to {MOST_ROUNDS}, not {rounds}")
    people = tuple(_each(top["people"], "people", _person))
    problem = Problem(
        rounds=rounds,
        groups=_groups(top["groups"], people, rounds),
        people=people,
        rules=tuple(_each(top.get("rules", []), "rules", _rule)),
        met=_met(top.get("met", []), {person.id for person in people}),
        goals=tuple(_each(top.get("goals", []), "goals", _goal)),
    )
    check(problem)
    return problem


def even_groups(groups: Sequence[Group], people: Sequence[Person], rounds: int) -> tuple[Group, ...]:
    """The same groups with sizes that differ by at most one in each round; a group overridden with 0/0 stays closed."""
    sizes = {round: _even_size(groups, people, round) for round in range(1, rounds + 1)}
    return tuple(
        replace(group, min=sizes[1][0], max=sizes[1][1], overrides=_even_overrides(group, sizes))
        for group in groups
    )


def _even_size(groups: Sequence[Group], people: Sequence[Person], round: int) -> tuple[int, int]:
    there = sum(person.is_there(round) for person in people)
    meeting = sum(group.overrides.get(round) != (0, 0) for group in groups)
    return (there // meeting, -(-there // meeting)) if meeting else (0, 0)


def _even_overrides(group: Group, sizes: Mapping[int, tuple[int, int]]) -> dict[int, tuple[int, int]]:
    closed = {round: (0, 0) for round, size in group.overrides.items() if size == (0, 0)}
    return {round: size for round, size in sizes.items() if size != sizes[1]} | closed


def _groups(value: object, people: Sequence[Person], rounds: int) -> tuple[Group, ...]:
    if isinstance(value, list):
        return tuple(_each(value, "groups", _group))
    parts = _object(value, "groups", {"count"}, {"min", "max"})
    count = _whole(parts["count"], "groups.count")
    if not 1 <= count <= MOST_GROUPS:
        raise BadProblem("groups.count", f"must be 1 to {MOST_GROUPS}, not {count}")
    if "min" in parts or "max" in parts:
        least, most = _size(_object(value, "groups", {"count", "min", "max"}), "groups")
        return tuple(Group(str(number + 1), least, most) for number in range(count))
    return even_groups([Group(str(number + 1), 0, 0) for number in range(count)], people, rounds)


def _group(value: object, path: str) -> Group:
    parts = _object(value, path, {"id", "min", "max"}, {"topic", "overrides"})
    least, most = _size(parts, path)
    return Group(
        id=_text(parts["id"], f"{path}.id"),
        min=least,
        max=most,
        topic=_optional_text(parts.get("topic"), f"{path}.topic"),
        overrides=_overrides(parts.get("overrides", {}), f"{path}.overrides", (least, most)),
    )


def _size(parts: Mapping[str, Any], path: str, usual: tuple[int, int] = (0, 0)) -> tuple[int, int]:
    size = (
        _whole(parts.get("min", usual[0]), f"{path}.min"),
        _whole(parts.get("max", usual[1]), f"{path}.max"),
    )
    check_size(path, size)
    return size


def _overrides(value: object, path: str, usual: tuple[int, int]) -> dict[int, tuple[int, int]]:
    sizes = {}
    for key, size in _mapping(value, path).items():
        if not (key.isascii() and key.isdigit() and len(key) <= 4 and str(int(key)) == key):
            raise BadProblem(f"{path}.{key}", "the number of a round needed")
        sizes[int(key)] = _size(_object(size, f"{path}.{key}", set(), {"min", "max"}), f"{path}.{key}", usual)
    return sizes


def _person(value: object, path: str) -> Person:
    parts = _object(value, path, {"id"}, {"organisation", "attributes", "wishes", "rounds"})
    attributes = _mapping(parts.get("attributes", {}), f"{path}.attributes")
    return Person(
        id=_text(parts["id"], f"{path}.id"),
        organisation=_optional_text(parts.get("organisation"), f"{path}.organisation"),
        attributes={
            key: _optional_text(text, f"{path}.attributes.{key}") for key, text in attributes.items()
        },
        wishes=_texts(parts.get("wishes", []), f"{path}.wishes"),
        rounds=_rounds(parts, path),
    )


def _rounds(parts: Mapping[str, Any], path: str) -> frozenset[int] | None:
    return frozenset(_each(parts["rounds"], f"{path}.rounds", _whole)) if "rounds" in parts else None


def _people_rule(make: type[Together] | type[Apart]) -> Callable[[object, str], Rule]:
    def read(value: object, path: str) -> Rule:
        parts = _object(value, path, {"rule", "people"}, {"rounds"})
        return make(_texts(parts["people"], f"{path}.people"), _rounds(parts, path))

    return read


def _place_rule(make: type[Fixed] | type[NotIn]) -> Callable[[object, str], Rule]:
    def read(value: object, path: str) -> Rule:
        parts = _object(value, path, {"rule", "person", "group"}, {"rounds"})
        person, group = _text(parts["person"], f"{path}.person"), _text(parts["group"], f"{path}.group")
        return make(person, group, _rounds(parts, path))

    return read


def _each_group_has(value: object, path: str) -> Rule:
    parts = _object(value, path, {"rule", "attribute", "value"}, {"min", "max", "rounds"})
    return EachGroupHas(
        attribute=_text(parts["attribute"], f"{path}.attribute"),
        value=_text(parts["value"], f"{path}.value"),
        min=_whole(parts["min"], f"{path}.min") if "min" in parts else None,
        max=_whole(parts["max"], f"{path}.max") if "max" in parts else None,
        rounds=_rounds(parts, path),
    )


def _stays(value: object, path: str) -> Rule:
    parts = _object(value, path, {"rule", "person"}, {"rounds"})
    return Stays(_text(parts["person"], f"{path}.person"), _rounds(parts, path))


RULES: dict[str, Callable[[object, str], Rule]] = {
    "together": _people_rule(Together),
    "apart": _people_rule(Apart),
    "fixed": _place_rule(Fixed),
    "not_in": _place_rule(NotIn),
    "each_group_has": _each_group_has,
    "stays": _stays,
}


def _rule(value: object, path: str) -> Rule:
    return RULES[_kind(value, path, "rule", RULES)](value, path)


def _colleagues(value: object, path: str) -> Goal:
    parts = _object(value, path, {"goal"}, {"except"})
    excepted = _mapping(parts.get("except", {}), f"{path}.except")
    return Colleagues({key: _text(text, f"{path}.except.{key}") for key, text in excepted.items()})


def _repeats(value: object, path: str) -> Goal:
    _object(value, path, {"goal"})
    return Repeats()


def _balance(value: object, path: str) -> Goal:
    parts = _object(value, path, {"goal", "attributes"})
    return Balance(_texts(parts["attributes"], f"{path}.attributes"))


def _wishes(value: object, path: str) -> Goal:
    _object(value, path, {"goal"})
    return Wishes()


def _diversity(value: object, path: str) -> Goal:
    parts = _object(value, path, {"goal", "pairs"})
    return Diversity(tuple(_each(parts["pairs"], f"{path}.pairs", _pair_value)))


GOALS: dict[str, Callable[[object, str], Goal]] = {
    "colleagues": _colleagues,
    "repeats": _repeats,
    "balance": _balance,
    "wishes": _wishes,
    "diversity": _diversity,
}


def _goal(value: object, path: str) -> Goal:
    return GOALS[_kind(value, path, "goal", GOALS)](value, path)


def _kind(value: object, path: str, key: str, known: Mapping[str, object]) -> str:
    parts = _mapping(value, path)
    if key not in parts:
        raise BadProblem(f"{path}.{key}", "missing")
    kind = _text(parts[key], f"{path}.{key}")
    if kind not in known:
        raise BadProblem(f"{path}.{key}", f"unknown {key} {kind!r}")
    return kind


def _pair_value(value: object, path: str) -> tuple[str, str, float]:
    if not isinstance(value, list) or len(value) != 3:
        raise BadProblem(path, "two people and a number needed")
    number = value[2]
    if isinstance(number, bool) or not isinstance(number, int | float):
        raise BadProblem(f"{path}[2]", "a number needed")
    return _text(value[0], f"{path}[0]"), _text(value[1], f"{path}[1]"), number


def _met(value: object, people: Set[str]) -> frozenset[frozenset[str]]:
    pairs = _each(value, "met", _texts)
    for index, pair in enumerate(pairs):
        if len(pair) != 2 or pair[0] == pair[1]:
            raise BadProblem(f"met[{index}]", "two different people needed")
        check_known(pair, f"met[{index}]", people, "person")
    return frozenset(map(frozenset, pairs))


def _each(value: object, path: str, read: Callable[[object, str], T]) -> list[T]:
    if not isinstance(value, list):
        raise BadProblem(path, "a list needed")
    return [read(item, f"{path}[{index}]") for index, item in enumerate(value)]


def _object(value: object, path: str, needed: Set[str], also: Set[str] = frozenset()) -> dict[str, Any]:
    parts = _mapping(value, path)
    for key in parts:
        if key not in needed and key not in also:
            raise BadProblem(f"{path}.{key}" if path else key, "unknown key")
    for key in sorted(needed):
        if key not in parts:
            raise BadProblem(f"{path}.{key}" if path else key, "missing")
    return parts


def _mapping(value: object, path: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise BadProblem(path, "an object needed")
    for key in value:
        check_letters(key, path)
    return value


def _texts(value: object, path: str) -> tuple[str, ...]:
    return tuple(_each(value, path, _text))


def _text(value: object, path: str) -> str:
    if not isinstance(value, str) or not value:
        raise BadProblem(path, "a text needed")
    check_letters(value, path)
    return value


def check_letters(text: str, path: str) -> None:
    """Refuse halves of characters, which JSON can name but no output can hold."""
    if not text.isascii() and any("\ud800" <= letter <= "\udfff" for letter in text):
        raise BadProblem(path, "half a character (a lone surrogate) is no text")


def _optional_text(value: object, path: str) -> str | None:
    if value is not None and not isinstance(value, str):
        raise BadProblem(path, "a text or null needed")
    check_letters(value or "", path)
    return value


def _whole(value: object, path: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise BadProblem(path, "a whole number needed")
    return value
