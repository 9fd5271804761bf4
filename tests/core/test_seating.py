"""Table sizes: even, and within the rooms."""

import doctest
import itertools

from hypothesis import given
from hypothesis import strategies as st

from conference.core import grouping, seating
from conference.core.seating import even_sizes

CAPACITIES = st.lists(st.none() | st.integers(0, 9), min_size=1, max_size=4)


def test_the_examples_of_the_docstring_hold():
    assert doctest.testmod(seating).failed == 0


@given(st.integers(0, 30), CAPACITIES)
def test_nobody_is_left_standing_unless_the_rooms_are_too_small_together(people, capacities):
    sizes = even_sizes(people, capacities)
    if None not in capacities and sum(capacities) < people:
        assert sizes is None
    else:
        assert sum(low for low, _high in sizes) <= people <= sum(high for _low, high in sizes)


@given(st.integers(0, 30), CAPACITIES)
def test_no_room_gets_more_people_than_it_has_seats(people, capacities):
    for (low, high), capacity in zip(even_sizes(people, capacities) or [], capacities, strict=False):
        assert 0 <= low <= high
        assert capacity is None or high <= capacity


@given(st.integers(0, 16), CAPACITIES)
def test_no_other_sizes_would_be_more_even(people, capacities):
    def spread(limits):
        ranges = (range(low, high + 1) for low, high in limits)
        return {sum(n * n for n in sizes) for sizes in itertools.product(*ranges) if sum(sizes) == people}

    sizes = even_sizes(people, capacities)
    possible = spread((0, people if capacity is None else capacity) for capacity in capacities)
    if sizes is None:
        assert possible == set()
    else:
        assert spread(sizes) == {min(possible)}


@given(st.integers(0, 30), st.integers(1, 6))
def test_without_limits_the_sizes_are_those_of_the_grouping_format(people, tables):
    groups = [grouping.Group(str(number), 0, 0) for number in range(tables)]
    even = grouping.even_groups(groups, [grouping.Person(str(number)) for number in range(people)], 1)
    assert even_sizes(people, [None] * tables) == [(group.min, group.max) for group in even]
