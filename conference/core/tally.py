"""Dots on a ballot: which ballots count, and what they add up to."""

from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

Option = TypeVar("Option", bound=Hashable)


@dataclass(frozen=True)
class OptionResult(Generic[Option]):
    """What one option got. Equal numbers of dots share a rank and the next rank is left out: 1, 2, 2, 4."""

    option: Option
    dots: int
    voters: int
    rank: int


def check_ballot(
    choices: Mapping[Option, object], options: Collection[Option], budget: int, maximum: int
) -> list[str]:
    """What is wrong with the dots per option, as codes in this order; an empty list is a good ballot.

    `foreign_option`, `fractional` (no whole number), `negative`, `over_maximum` (on one option), `over_budget` (in all).
    A ballot with fewer dots than the budget, or with none, is good.
    """
    dots = [value for value in choices.values() if type(value) is int]  # True is no number of dots
    wrong = {
        "foreign_option": any(option not in options for option in choices),
        "fractional": len(dots) < len(choices),
        "negative": any(value < 0 for value in dots),
        "over_maximum": any(value > maximum for value in dots),
        # A negative number must not buy dots elsewhere.
        "over_budget": sum(value for value in dots if value > 0) > budget,
    }
    return [code for code, is_wrong in wrong.items() if is_wrong]


def tally(ballots: Iterable[Mapping[Option, int]], options: Sequence[Option]) -> list[OptionResult[Option]]:
    """The result of every option, best first, ties in the order of `options`; `voters` gave it at least one dot.

    The ballots must have passed `check_ballot`. Raises ValueError for an option that was not on the paper.
    """
    dots = dict.fromkeys(options, 0)
    voters = dict.fromkeys(options, 0)
    for ballot in ballots:
        for option, given in ballot.items():
            if option not in dots:
                raise ValueError(f"the option {option!r} was not on the ballot")
            dots[option] += given
            voters[option] += given > 0
    ranked = sorted(options, key=lambda option: -dots[option])
    return [
        OptionResult(option, dots[option], voters[option], _rank(dots[option], dots)) for option in ranked
    ]


def _rank(own: int, dots: Mapping[Option, int]) -> int:
    return 1 + sum(other > own for other in dots.values())


def suggested_dots(options: int, people: int) -> int:
    """Dots per person that give a clear order: ⌈a(a−1)/(2n)⌉ for a options and n people, at least 1.

    The rule of the Mehrpunktfrage: so many dots in all as there are pairs of options to compare, shared among the people
    (handbook/outcomes, section 4 and O10). It is a proposal: for few people it is generous. Without people the answer is 1.
    """
    if people < 1:
        return 1
    pairs = options * (options - 1) // 2
    return max(1, -(-pairs // people))
