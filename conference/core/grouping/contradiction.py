"""Rules that cannot all be kept: the proof, and a smallest set of rules that carries it.

What counting shows is looked for first (`sketch`), then what a flow shows or a bounded complete search. Of the rules that
fail, a smallest set is found by halving (QuickXplain), and every rule left in it is tried once more by all means: without
it the rest can be kept, or at least nothing proves that it cannot. Where hundreds of rules are needed for a contradiction,
that would take too long; then the set may hold more than it must, and says so.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from .compiled import Compiled, compile_problem
from .feasible import Answer, find
from .fewest import NEW, fewest_moves
from .flow import CLOSED, Numbers
from .model import Contradiction, EachGroupHas, Problem, Rule
from .sketch import Sketcher
from .writing import rule_to_json

STEPS = 20_000
"""How long the complete search looks for a proof; about a quarter of a second."""
NODES = 100
"""So many flows are tried before, and some more for each rule."""
MOST_NODES = 600

WORK = 8_000_000
"""So much is spent on making the set small; about five seconds."""

Test = Callable[[Sequence[Rule]], bool]
"""True if it is proven that these rules cannot all be kept."""


def refuse_obvious(problem: Problem) -> None:
    """Raise Contradiction where counting shows one: quick enough to be asked first."""
    if _wrong_size(problem) or Sketcher(problem).is_wrong(problem.rules):
        found = contradiction(problem)
        if found:
            raise found


def contradiction(problem: Problem, facts: Sequence[Rule] = ()) -> Contradiction | None:
    """A proven contradiction with its smallest set of rules, or None where nothing is proven.

    `facts` hold whatever the rules say, and are never to blame.
    """
    wrong_size = _wrong_size(problem)
    if wrong_size:
        return wrong_size
    sketcher, work = Sketcher(problem), _Work(problem)

    def at_a_glance(rules: Sequence[Rule]) -> bool:
        work.left -= work.glance
        return sketcher.is_wrong([*facts, *rules])

    def by_all_means(rules: Sequence[Rule]) -> bool:
        work.left -= work.search
        return _is_impossible(problem, [*facts, *rules])

    for test in (at_a_glance, by_all_means):
        if test(problem.rules):
            # A set found at a glance may hold a smaller one that only the search can see.
            core = _quick_explain(list(dict.fromkeys(problem.rules)), test, work)
            core = _without_needless(core, by_all_means, work)
            return _of_rules(problem, facts, core, is_smallest=not work.is_done)
    return None


class _Work:
    """What may still be spent, in a unit that is the same on every machine, and what a test costs."""

    def __init__(self, problem: Problem) -> None:
        seats = len(problem.people) * problem.rounds
        self.left = WORK
        self.glance, self.search = 10 * seats, 40_000 + seats * len(problem.groups) // 2

    @property
    def is_done(self) -> bool:
        return self.left < 0


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


def _of_rules(
    problem: Problem, facts: Sequence[Rule], rules: Sequence[Rule], *, is_smallest: bool
) -> Contradiction:
    """The rules' own fault, or only together with the sizes of the groups."""
    is_own_fault = _is_impossible(_with_free_sizes(problem), [*facts, *rules])
    listed = "; ".join(_describe(rule) for rule in rules)
    subject = "These rules cannot all be kept" if len(rules) > 1 else "This rule cannot be kept"
    doubt = "" if is_smallest else " (perhaps not all of them are needed for that)"
    text = f"{subject}{'' if is_own_fault else ' with groups of these sizes'}{doubt}: {listed}."
    return Contradiction(tuple(rules), text, "rules" if is_own_fault else "sizes", is_smallest=is_smallest)


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


def _quick_explain(rules: list[Rule], test: Test, work: _Work) -> list[Rule]:
    """A smallest set that still fails the test (Junker 2004): few tests where few of many rules are to blame."""

    def explain(kept: list[Rule], is_new: bool, suspects: list[Rule]) -> list[Rule]:
        if is_new and test(kept):
            return []
        if len(suspects) == 1 or work.is_done:
            return suspects
        half = len(suspects) // 2
        second = explain(kept + suspects[:half], True, suspects[half:])
        first = explain(kept + second, bool(second), suspects[:half])
        return first + second

    return explain([], False, rules) if rules else []


def _without_needless(rules: list[Rule], test: Test, work: _Work) -> list[Rule]:
    for index in reversed(range(len(rules))):
        others = rules[:index] + rules[index + 1 :]
        if work.is_done:
            break
        if test(others):
            rules = others
    return rules


def _is_impossible(problem: Problem, rules: Sequence[Rule]) -> bool:
    """Proven by counting, by flows with some branching, or by the complete search; False where seats are found."""
    if Sketcher(problem).is_wrong(rules):
        return True
    compiled = compile_problem(replace(problem, rules=tuple(rules)), rules)
    before = tuple(np.full(compiled.people, NEW, dtype=np.int64) for _ in compiled.rounds)
    flows = fewest_moves(compiled, before, _spread(compiled), min(MOST_NODES, NODES + 6 * len(rules)))
    if flows.least is None or flows.wheres is not None:
        return flows.least is None
    return find(compiled, STEPS)[0] is Answer.IMPOSSIBLE


def _spread(compiled: Compiled) -> list[Numbers]:
    """Seats taken one after the other, apart from foes and where there is room, are free, any other costs a little."""
    costs = []
    for one in compiled.rounds:
        extra = np.ones((compiled.people, compiled.groups), dtype=np.int64)
        allowed = np.array(one.allowed, dtype=bool).reshape(len(one.units), compiled.groups)
        least, most = np.array(one.counters[0].least), np.array(one.counters[0].most)
        count = np.zeros_like(most)
        where = [-1] * len(one.units)
        for unit in sorted(
            range(len(one.units)), key=lambda unit: -len(one.units[unit]) - len(one.apart[unit])
        ):
            size = len(one.units[unit])
            price = (count >= least) * most.max() + count
            price[~allowed[unit] | (count + size > most)] = CLOSED
            price[[where[foe] for foe in one.apart[unit] if where[foe] >= 0]] = CLOSED
            group = int(price.argmin()) if compiled.groups else -1
            if group >= 0 and price[group] < CLOSED:
                where[unit] = group
                count[group] += size
                extra[list(one.units[unit]), group] = 0
        costs.append(extra)
    return costs
