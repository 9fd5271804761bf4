"""Schedules in which nobody meets twice: each is counted, none is believed."""

import numpy as np
import pytest

from conference.core.grouping.designs import design, repeats
from conference.core.grouping.fields import Field, prime_power

# Rounds without a repeat that the literature knows (Miller, Valkov, Abel 2026; OEIS A107431), up to 8 where not noted.
KNOWN = {
    (2, 2): 3, (3, 2): 5, (3, 3): 4, (4, 2): 7, (4, 3): 4, (4, 4): 5,
    (5, 2): 8, (5, 3): 7, (5, 4): 5, (5, 5): 6, (6, 2): 8, (6, 3): 8, (6, 4): 7, (6, 5): 6, (6, 6): 3,
    (7, 2): 8, (7, 3): 10, (7, 4): 9, (7, 5): 7, (7, 6): 7, (7, 7): 8,
    (8, 2): 8, (8, 3): 8, (8, 4): 10, (8, 5): 8, (8, 6): 8, (8, 7): 8, (8, 8): 8,
    (9, 2): 8, (9, 3): 13, (9, 4): 8, (9, 5): 8, (9, 6): 8, (9, 7): 8, (9, 8): 8, (9, 9): 8,
    (10, 2): 8, (10, 3): 8, (10, 4): 8, (10, 5): 8, (10, 6): 7, (10, 7): 7, (10, 8): 5, (10, 9): 5, (10, 10): 4,
    (13, 13): 14,
}  # fmt: skip
EVERYDAY = [(12, 10, 4), (13, 11, 5), (40, 10, 3), (100, 10, 3), (100, 10, 8), (12, 4, 5), (15, 4, 4)]


def check(tables, size, rounds):
    found = design(tables, size, rounds)
    assert found is not None
    assert found.schedule.shape == (rounds, tables * size)
    for one in found.schedule:
        assert np.bincount(one, minlength=tables).tolist() == [size] * tables
    return found


@pytest.mark.parametrize(("shape", "most"), KNOWN.items())
def test_nobody_meets_twice_for_as_many_rounds_as_the_literature_knows(shape, most):
    for rounds in range(1, most + 1):
        assert repeats(check(*shape, rounds).schedule) == 0


@pytest.mark.parametrize(("tables", "size", "rounds"), EVERYDAY)
def test_everyday_sizes_have_a_schedule(tables, size, rounds):
    assert repeats(check(tables, size, rounds).schedule) == 0


@pytest.mark.parametrize(("tables", "size", "rounds"), [(12, 10, 4), (7, 5, 7), (10, 6, 7), (5, 8, 3)])
def test_a_rank_never_meets_itself(tables, size, rounds):
    found = check(tables, size, rounds)
    assert found.ranks
    for one in found.schedule:
        for rank in one.reshape(size, tables):
            assert len(set(rank.tolist())) == tables


@pytest.mark.parametrize(
    ("tables", "size", "rounds", "least"), [(5, 8, 3, 30), (5, 8, 2, 15), (4, 6, 3, 16), (3, 7, 2, 15)]
)
def test_more_seats_than_tables_repeat_no_more_than_they_must(tables, size, rounds, least):
    assert repeats(check(tables, size, rounds).schedule) == least


def test_what_cannot_be_is_not_offered():
    assert design(1, 5, 2) is None
    assert design(6, 6, 4) is None


@pytest.mark.parametrize("order", [2, 3, 4, 5, 7, 8, 9, 16, 25, 27])
def test_a_field_is_a_field(order):
    field, numbers = Field(order), range(order)
    for one in numbers:
        assert sorted(field.add(one, other) for other in numbers) == list(numbers)
        assert field.multiply(one, 0) == 0
        if one:
            assert sorted(field.multiply(one, other) for other in numbers) == list(numbers)
    for a in list(numbers)[:5]:
        for b in list(numbers)[:5]:
            for c in numbers:
                apart = field.add(field.multiply(a, c), field.multiply(b, c))
                assert field.multiply(field.add(a, b), c) == apart


def test_what_is_no_prime_power_has_no_field():
    assert prime_power(12) is None
    assert prime_power(1) is None
    with pytest.raises(ValueError, match="no prime power"):
        Field(6)
