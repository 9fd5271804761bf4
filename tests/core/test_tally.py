from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conference.core.tally import OptionResult, check_ballot, suggested_dots, tally

OPTIONS = [11, 12, 13]


@pytest.mark.parametrize(
    "choices",
    [{}, {11: 0}, {11: 1}, {11: 3}, {11: 2, 12: 3}, {11: 2, 12: 2, 13: 1}, {11: 0, 12: 0, 13: 0}],
)
def test_a_ballot_within_budget_and_maximum_is_good(choices: dict[int, int]) -> None:
    assert check_ballot(choices, OPTIONS, budget=5, maximum=3) == []


@pytest.mark.parametrize(
    ("choices", "codes"),
    [
        ({99: 1}, ["foreign_option"]),
        ({99: 0}, ["foreign_option"]),
        ({"11": 1}, ["foreign_option"]),
        ({11: 1.5}, ["fractional"]),
        ({11: 1.0}, ["fractional"]),
        ({11: "1"}, ["fractional"]),
        ({11: None}, ["fractional"]),
        ({11: True}, ["fractional"]),
        ({11: float("nan")}, ["fractional"]),
        ({11: float("inf")}, ["fractional"]),
        ({11: -1}, ["negative"]),
        ({11: 4}, ["over_maximum"]),
        ({11: 3, 12: 3}, ["over_budget"]),
        ({11: 10**30}, ["over_maximum", "over_budget"]),
        ({11: 3, 12: 3, 13: -1}, ["negative", "over_budget"]),
        ({11: 3, 12: 3, 13: -3}, ["negative", "over_budget"]),
        (
            {99: -1, 11: 9, 12: 0.5},
            ["foreign_option", "fractional", "negative", "over_maximum", "over_budget"],
        ),
    ],
)
def test_every_fault_of_a_ballot_is_named_once(choices: dict[Any, Any], codes: list[str]) -> None:
    assert check_ballot(choices, OPTIONS, budget=5, maximum=3) == codes


def test_dots_and_voters_are_counted_per_option() -> None:
    ballots = [{"a": 3, "b": 1}, {"a": 1, "c": 0}, {"b": 2}]
    assert tally(ballots, ["c", "b", "a", "d"]) == [
        OptionResult("a", dots=4, voters=2, rank=1),
        OptionResult("b", dots=3, voters=2, rank=2),
        OptionResult("c", dots=0, voters=0, rank=3),
        OptionResult("d", dots=0, voters=0, rank=3),
    ]


@pytest.mark.parametrize(
    ("dots", "ranks"),
    [
        ([5, 3, 3, 1], [1, 2, 2, 4]),
        ([2, 2, 2], [1, 1, 1]),
        ([0, 0], [1, 1]),
        ([4, 3, 2], [1, 2, 3]),
        ([4, 4, 3, 3, 3, 1], [1, 1, 3, 3, 3, 6]),
        ([], []),
    ],
)
def test_equal_dots_share_a_rank(dots: list[int], ranks: list[int]) -> None:
    ballot = dict(enumerate(dots))
    assert [result.rank for result in tally([ballot], list(ballot))] == ranks


def test_without_ballots_all_options_share_the_first_rank() -> None:
    assert tally([], ["a", "b"]) == [OptionResult("a", 0, 0, 1), OptionResult("b", 0, 0, 1)]


def test_ties_keep_the_order_of_the_ballot_paper() -> None:
    assert [result.option for result in tally([{1: 1, 2: 1, 3: 1}], [3, 1, 2])] == [3, 1, 2]


def test_an_option_that_was_not_on_the_paper_is_an_error_in_the_programme() -> None:
    with pytest.raises(ValueError, match="99"):
        tally([{99: 1}], OPTIONS)


BALLOTS = st.lists(st.dictionaries(st.sampled_from("abcdef"), st.integers(0, 5), max_size=6), max_size=40)


@given(BALLOTS, st.randoms())
def test_no_dot_is_lost_and_the_order_of_ballots_does_not_matter(
    ballots: list[dict[str, int]], random: Any
) -> None:
    results = tally(ballots, "abcdef")
    assert sum(result.dots for result in results) == sum(sum(ballot.values()) for ballot in ballots)
    assert [result.dots for result in results] == sorted((result.dots for result in results), reverse=True)
    assert all(result.voters <= len(ballots) for result in results)
    shuffled = list(ballots)
    random.shuffle(shuffled)
    assert tally(shuffled, "abcdef") == results


@pytest.mark.parametrize(
    ("options", "people", "dots"),
    [
        (10, 9, 5),
        (10, 38, 2),
        (12, 38, 2),
        (20, 38, 5),
        (34, 38, 15),
        (33, 38, 14),
        (5, 10, 1),
        (5, 9, 2),
        (2, 1, 1),
        (3, 1, 3),
        (1, 5, 1),
        (0, 5, 1),
        (10, 0, 1),
        (10, 1, 45),
    ],
)
def test_the_suggested_number_of_dots(options: int, people: int, dots: int) -> None:
    assert suggested_dots(options, people) == dots


@given(st.integers(0, 500), st.integers(1, 500))
def test_the_suggestion_is_the_smallest_number_that_covers_all_pairs(options: int, people: int) -> None:
    dots = suggested_dots(options, people)
    pairs = options * (options - 1) // 2
    assert dots >= 1
    assert dots * people >= pairs
    assert dots == 1 or (dots - 1) * people < pairs
