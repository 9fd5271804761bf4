"""What a group problem and its solution are made of. Rounds count from 1; ids are strings."""

from collections.abc import Mapping
from dataclasses import dataclass, field

Seating = tuple[Mapping[str, tuple[str, ...]], ...]
"""For each round: group id → ids of the people who sit there."""

Number = int | float
Value = Number | tuple[int, int]
"""A goal's value: one number, but for wishes the pair (worst person's total, sum)."""


@dataclass(frozen=True)
class Group:
    """A table with its least and most seats; `overrides` maps a round to other (min, max), (0, 0): it does not meet."""

    id: str
    min: int
    max: int
    topic: str | None = None
    overrides: Mapping[int, tuple[int, int]] = field(default_factory=dict)

    def size(self, round: int) -> tuple[int, int]:
        """Least and most seats in this round."""
        return self.overrides.get(round, (self.min, self.max))

    def meets(self, round: int) -> bool:
        """False where an override closes the group in this round."""
        return self.size(round)[1] > 0


@dataclass(frozen=True)
class Person:
    """Somebody to be seated; `rounds` None means: there in every round."""

    id: str
    organisation: str | None = None
    attributes: Mapping[str, str | None] = field(default_factory=dict)
    wishes: tuple[str, ...] = ()
    rounds: frozenset[int] | None = None

    def is_there(self, round: int) -> bool:
        """True when the person takes part in this round."""
        return self.rounds is None or round in self.rounds

    def wish_cost(self, group: Group) -> int:
        """Position of the group or its topic among the wishes; the number of wishes if it is not there."""
        places = (place for place, wish in enumerate(self.wishes) if wish in (group.id, group.topic))
        return next(places, len(self.wishes))


@dataclass(frozen=True)
class Together:
    """At one table in each round in which they are there."""

    people: tuple[str, ...]
    rounds: frozenset[int] | None = None


@dataclass(frozen=True)
class Apart:
    """No two of them at one table."""

    people: tuple[str, ...]
    rounds: frozenset[int] | None = None


@dataclass(frozen=True)
class Fixed:
    """This person sits in this group."""

    person: str
    group: str
    rounds: frozenset[int] | None = None


@dataclass(frozen=True)
class NotIn:
    """This person does not sit in this group."""

    person: str
    group: str
    rounds: frozenset[int] | None = None


@dataclass(frozen=True)
class EachGroupHas:
    """Every group that meets has `min` to `max` people with this value; None: no limit on that side."""

    attribute: str
    value: str
    min: int | None = None
    max: int | None = None
    rounds: frozenset[int] | None = None


@dataclass(frozen=True)
class Stays:
    """The same group in all rounds."""

    person: str
    rounds: frozenset[int] | None = None


Rule = Together | Apart | Fixed | NotIn | EachGroupHas | Stays


@dataclass(frozen=True)
class Colleagues:
    """Few pairs of one organisation at a table; people with all attributes of `except_` do not count."""

    except_: Mapping[str, str] = field(default_factory=dict)

    def counts(self, person: Person) -> bool:
        """True when this person's colleagues are looked at."""
        alike = all(person.attributes.get(key) == value for key, value in self.except_.items())
        return person.organisation is not None and not (self.except_ and alike)


@dataclass(frozen=True)
class Repeats:
    """Few meetings of people who have met before."""


@dataclass(frozen=True)
class Balance:
    """Every value of these attributes spread evenly over the groups; a missing value counts for nothing."""

    attributes: tuple[str, ...]


@dataclass(frozen=True)
class Wishes:
    """Everybody near the top of the own list: first the worst off, then the sum."""


@dataclass(frozen=True)
class Diversity:
    """A large sum of the values of the pairs (person, person, value) that share a table."""

    pairs: tuple[tuple[str, str, float], ...]


Goal = Colleagues | Repeats | Balance | Wishes | Diversity


@dataclass(frozen=True)
class Problem:
    """Who sits where in which round: hard `rules`, then `goals`, the most important first."""

    rounds: int
    groups: tuple[Group, ...]
    people: tuple[Person, ...]
    rules: tuple[Rule, ...] = ()
    met: frozenset[frozenset[str]] = frozenset()
    goals: tuple[Goal, ...] = ()


@dataclass(frozen=True)
class GoalScore:
    """How good a seating is for one goal. `bound` is proven: nothing better exists; None: not known."""

    goal: str
    value: Value
    bound: Value | None


@dataclass(frozen=True)
class Violation:
    """A hard rule or size that a seating breaks.

    `code`: "missing", "twice", "not_there", "unknown", "too_few", "too_many" or a rule's name; "too_few" and "too_many"
    with a `rule` speak of the people whom the rule counts, without one of the seats.
    """

    code: str
    round: int | None = None
    group: str | None = None
    people: tuple[str, ...] = ()
    rule: Rule | None = None


@dataclass(frozen=True)
class Solution:
    """A seating that keeps every rule. `status`: "optimal" where every value equals its bound, else "feasible".

    `seconds` is filled in by a caller who has a clock.
    """

    seating: Seating
    goals: tuple[GoalScore, ...]
    status: str
    seed: int
    iterations: int
    seconds: float | None = None


class BadProblem(ValueError):
    """The problem cannot be read. `path` says where, as in "people[3].wishes[0]"."""

    def __init__(self, path: str, message: str) -> None:
        super().__init__(f"{path}: {message}" if path else message)
        self.path = path
        self.message = message


class Contradiction(Exception):
    """Proven: no seating keeps these rules; without any one of them the rest could be kept, unless `is_smallest` is False.

    `code`: "seats" (facts: round, people, seats), "people" (facts: round, people, needed), "rules" (they contradict each
    other or cannot be met by these people) or "sizes" (they cannot be kept with groups of these sizes).
    """

    def __init__(
        self,
        rules: tuple[Rule, ...],
        text: str,
        code: str = "rules",
        *,
        is_smallest: bool = True,
        **facts: int,
    ) -> None:
        super().__init__(text)
        self.rules = rules
        self.text = text
        self.code = code
        self.is_smallest = is_smallest
        self.facts = facts


class NotFound(Exception):
    """No seating that keeps all rules was found, nor a proof that there is none. `violations`: of the best try."""

    def __init__(self, violations: tuple[Violation, ...]) -> None:
        super().__init__(
            "No seating was found that keeps all rules; try again with more iterations or fewer rules."
        )
        self.violations = violations


def applies(rule: Rule, round: int) -> bool:
    """True if the rule speaks of this round."""
    return rule.rounds is None or round in rule.rounds


RULE_NAMES: dict[type[Rule], str] = {
    Together: "together",
    Apart: "apart",
    Fixed: "fixed",
    NotIn: "not_in",
    EachGroupHas: "each_group_has",
    Stays: "stays",
}
GOAL_NAMES: dict[type[Goal], str] = {
    Colleagues: "colleagues",
    Repeats: "repeats",
    Balance: "balance",
    Wishes: "wishes",
    Diversity: "diversity",
}
