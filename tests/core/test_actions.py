"""When an action needs a reminder."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conference.core.actions import reminder_kind

DUE = date(2023, 7, 14)
MADE = date(2023, 6, 6)


@pytest.mark.parametrize(
    ("days", "kind"),
    [
        (-8, None),
        (-7, "week"),
        (-1, "week"),
        (0, "day"),
        (1, "overdue-0"),
        (7, "overdue-0"),
        (8, "overdue-1"),
        (15, "overdue-2"),
    ],
)
def test_each_reminder_has_its_days(days, kind):
    assert reminder_kind(DUE, DUE + timedelta(days=days), made_on=MADE) == kind


@pytest.mark.parametrize("days", [-7, -1, 0])
def test_nobody_is_reminded_on_the_day_on_which_the_action_was_made(days):
    today = DUE + timedelta(days=days)
    assert reminder_kind(DUE, today, made_on=today) is None


@given(st.integers(min_value=-400, max_value=400), st.integers(min_value=0, max_value=30))
def test_a_day_without_a_run_loses_nothing(start, missed):
    """Whatever was due on a day is still due on the next, or a later kind has begun."""
    order = [None, "week", "day"] + [f"overdue-{week}" for week in range(120)]
    first, later = (
        reminder_kind(DUE, DUE + timedelta(days=days), made_on=date(2000, 1, 1))
        for days in (start, start + missed)
    )
    assert order.index(later) >= order.index(first)


@given(st.integers(min_value=-30, max_value=400))
def test_while_overdue_there_is_one_kind_for_seven_days(day):
    kinds = [reminder_kind(DUE, DUE + timedelta(days=day + step), made_on=MADE) for step in range(8)]
    if day > 0:
        assert len(set(kinds)) == 2
