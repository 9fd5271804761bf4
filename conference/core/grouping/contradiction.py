"""Rules that cannot all be kept: the proof, and a smallest set of rules that carries it."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from .compiled import Compiled, Round, compile_problem
from .feasible import Answer, find
from .model import Contradiction, EachGroupHas, Problem, Rule
from .writing import rule_to_json

STEPS = 20_000
"""How long the complete search looks for a proof; about a quarter of a second."""

Test = Callable[[Sequence[Rule]], bool]
"""True if it is proven that these rules cannot all be kept."""


def contradiction(problem: Problem, facts: Sequence[Rule] = ()) -> Contradiction | None:
    """A proven contradiction with its smallest set of rules, or None where nothing is proven.

    `facts` hold whatever the rules say, and are never to blame.
    """
    wrong_size = _wrong_size(problem)
    if wrong_size:
        return wrong_size

    def at_a_glance(rules: Sequence[Rule]) -> bool:
        return _is_obvious(compile_problem(problem, [*facts, *rules]))

    def by_search(rules: Sequence[Rule]) -> bool:
        return _is_impossible(problem, [*facts, *rules])

    for test in (at_a_glance, by_search):
        if test(problem.rules):
            # A set found at a glance may hold a smaller one that only the search can see.
            return _of_rules(
                problem, facts, _without_needless(_quick_explain(list(problem.rules), test), by_search)
            )
    return None


def _wrong_size(problem: Problem) -> Contradiction | None:
    """Too few or too many people for the seats of some round: no rule is to blame."""
    for number in range(1, problem.rounds + 1):
        people = sum(person.is_there(number) for person in problem.people)
        sizes = [group.size(number) for group in problem.groups]
        seats, needed = sum(most for _, most in sizes), sum(least for least, _ in sizes)
        if people > seats:
            text = f"Round {number}: {people} people, but only {seats} seats."
            return Contradiction((), text, "seats", round=number, people=people, seats=seats)
        if people < needed:
            text = f"Round {number}: the groups need at least {needed} people, but only {people} are there."
            return Contradiction((), text, "people", round=number, people=people, needed=needed)
    return None


def _of_rules(problem: Problem, facts: Sequence[Rule], rules: Sequence[Rule]) -> Contradiction:
    """The rules' own fault, or only together with the sizes of the groups."""
    is_own_fault = _is_impossible(_with_free_sizes(problem), [*facts, *rules])
    listed = "; ".join(_describe(rule) for rule in rules)
    subject = "These rules cannot all be kept" if len(rules) > 1 else "This rule cannot be kept"
    text = f"{subject}{'' if is_own_fault else ' with groups of these sizes'}: {listed}."
    return Contradiction(tuple(rules), text, "rules" if is_own_fault else "sizes")


def _with_free_sizes(problem: Problem) -> Problem:
    everybody = len(problem.people)
    groups = [
        replace(
            group,
            min=0,
            max=everybody if group.max else 0,
            overrides={round: (0, everybody if most else 0) for round, (_, most) in group.overrides.items()},
        )
        for group in problem.groups
    ]
    return replace(problem, groups=tuple(groups))


def _describe(rule: Rule) -> str:
    parts = rule_to_json(rule)
    rounds = f" (rounds {', '.join(map(str, parts['rounds']))})" if "rounds" in parts else ""
    if isinstance(rule, EachGroupHas):
        limits = " ".join(f"{key} {parts[key]}" for key in ("min", "max") if key in parts)
        return f"each group has {limits} {rule.attribute} {rule.value}{rounds}"
    people = parts.get("people") or [parts[key] for key in ("person", "group") if key in parts]
    return f"{parts['rule'].replace('_', ' ')} {', '.join(people)}{rounds}"


def _quick_explain(rules: list[Rule], test: Test) -> list[Rule]:
    """A smallest set that still fails the test (Junker 2004): few tests where few of many rules are to blame."""

    def explain(kept: list[Rule], is_new: bool, suspects: list[Rule]) -> list[Rule]:
        if is_new and test(kept):
            return []
        if len(suspects) == 1:
            return suspects
        half = len(suspects) // 2
        second = explain(kept + suspects[:half], True, suspects[half:])
        first = explain(kept + second, bool(second), suspects[:half])
        return first + second

    return explain([], False, rules) if rules else []


def _without_needless(rules: list[Rule], test: Test) -> list[Rule]:
    for index in reversed(range(len(rules))):
        others = rules[:index] + rules[index + 1 :]
        if test(others):
            rules = others
    return rules


def _is_impossible(problem: Problem, rules: Sequence[Rule]) -> bool:
    compiled = compile_problem(problem, rules)
    return _is_obvious(compiled) or find(compiled, STEPS)[0] is Answer.IMPOSSIBLE


def _is_obvious(compiled: Compiled) -> bool:
    return any(_is_obviously_wrong(one) for one in compiled.rounds)


def _is_obviously_wrong(one: Round) -> bool:
    return one.clash or _has_homeless(one) or _has_overfull(one) or _cannot_fill(one)


def _has_homeless(one: Round) -> bool:
    """People who must sit together but fit into no group that all of them may take."""
    most = one.counters[0].most
    return any(
        not any(free and size <= most[group] for group, free in enumerate(row))
        for size, row in zip(one.counters[0].part, one.allowed, strict=True)
    )


def _has_overfull(one: Round) -> bool:
    """More of something is tied to a group than it may have, or than all groups may have."""
    return any(
        sum(counter.part) > sum(counter.most)
        or any(_tied_to(one, counter.part, group) > counter.most[group] for group in one.open)
        for counter in one.counters
    )


def _cannot_fill(one: Round) -> bool:
    """Fewer of something can come to a group than it needs, or than all groups need."""
    return any(
        sum(counter.part) < sum(counter.least)
        or any(_open_to(one, counter.part, group) < counter.least[group] for group in one.open)
        for counter in one.counters
    )


def _tied_to(one: Round, part: Sequence[int], group: int) -> int:
    return sum(count for count, row in zip(part, one.allowed, strict=True) if row[group] and sum(row) == 1)


def _open_to(one: Round, part: Sequence[int], group: int) -> int:
    return sum(count for count, row in zip(part, one.allowed, strict=True) if row[group])
