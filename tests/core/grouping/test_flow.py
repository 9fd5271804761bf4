"""The cheapest assignment within limits, against every assignment there is."""

from itertools import product

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from conference.core.grouping.flow import CLOSED, assign

COSTS = st.sampled_from([0, 1, 2, 3, 5, CLOSED])


@st.composite
def cases(draw):
    people, groups = draw(st.integers(0, 6)), draw(st.integers(1, 4))
    rows = draw(st.lists(st.lists(COSTS, min_size=groups, max_size=groups), min_size=people, max_size=people))
    least = draw(st.lists(st.integers(0, 2), min_size=groups, max_size=groups))
    more = draw(st.lists(st.integers(0, 3), min_size=groups, max_size=groups))
    costs = np.array(rows, dtype=np.int64).reshape(people, groups)
    return costs, np.array(least), np.array(least) + np.array(more)


def best_of_all(costs, least, most):
    people, groups = costs.shape
    sums = [
        sum(int(costs[person, group]) for person, group in enumerate(seats))
        for seats in product(range(groups), repeat=people)
        if all(least[g] <= seats.count(g) <= most[g] for g in range(groups))
    ]
    return min((total for total in sums if total < CLOSED), default=None)


def test_an_overfull_group_that_is_mended_opens_no_way_round_in_circles():
    costs = np.array([[CLOSED, 2, 5], [5, 1, 5], [1, 0, CLOSED], [2, 1, 3]], dtype=np.int64)
    least, most = np.array([1, 0, 0]), np.array([3, 1, 2])
    found = assign(costs, least, most)
    assert int(costs[np.arange(4), found].sum()) == best_of_all(costs, least, most)


@given(cases())
def test_no_assignment_is_cheaper(case):
    costs, least, most = case
    found = assign(costs, least, most)
    best = best_of_all(costs, least, most)
    if found is None:
        assert best is None
        return
    counts = np.bincount(found, minlength=costs.shape[1])
    assert (least <= counts).all() and (counts <= most).all()
    assert int(costs[np.arange(len(found)), found].sum()) == best
