"""How long a round still runs, whatever clocks show."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from conference.core.countdown import Countdown, as_clock, current

NOON = datetime(2023, 6, 6, 10, 0, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")


def minutes(number):
    return timedelta(minutes=number)


def planned(number, begin, length=45, **over):
    return Countdown(number, NOON + minutes(begin), NOON + minutes(begin + length), **over)


@pytest.mark.parametrize(
    ("after", "state", "left"),
    [(-1, "coming", 45), (0, "running", 45), (44, "running", 1), (45, "over", 0), (600, "over", 0)],
)
def test_a_round_by_the_agenda(after, state, left):
    one, at = planned(1, 0), NOON + minutes(after)
    assert (one.state(at), one.left(at)) == (state, minutes(left))


def test_a_pause_stops_the_time_however_long_it_lasts():
    one = planned(1, 0, paused_at=NOON + minutes(20))
    assert (one.state(NOON + minutes(300)), one.left(NOON + minutes(300))) == ("paused", minutes(25))


@pytest.mark.parametrize(
    ("at", "rounds", "expected"),
    [
        (10, [planned(1, 0), planned(2, 60)], 1),
        (50, [planned(1, 0), planned(2, 60)], 1),  # just over: people look for it
        (56, [planned(1, 0), planned(2, 60)], 2),
        (62, [planned(1, 0, is_set=True, length=70), planned(2, 60)], 1),  # extended into the next one's time
        (30, [planned(1, 0), planned(2, 20, is_set=True)], 2),  # started before its time
        (-600, [planned(1, 0), planned(2, 60)], 1),
        (600, [planned(1, 0), planned(2, 60)], 2),
        (61, [planned(1, 0, is_set=True, length=59), planned(2, 60)], 2),
    ],
)
def test_what_was_set_on_the_day_goes_before_what_was_planned(at, rounds, expected):
    assert current(rounds, NOON + minutes(at)).number == expected
    assert current(reversed(rounds), NOON + minutes(at)).number == expected


def test_no_round_has_no_time():
    assert current([], NOON) is None


@pytest.mark.parametrize(("day", "hours"), [((2023, 3, 26), 1), ((2023, 10, 29), 3)])
def test_a_round_over_the_change_of_the_clocks_lasts_as_long_as_it_lasts(day, hours):
    """From half past one to half past three by the clock on the wall."""
    begin, end = (datetime(*day, hour, 30, tzinfo=BERLIN) for hour in (1, 3))
    one = Countdown(1, begin.astimezone(UTC), end.astimezone(UTC))
    assert one.left(begin.astimezone(UTC)) == timedelta(hours=hours)


def test_a_begun_second_counts_and_the_clock_never_shows_less_than_nothing():
    assert [as_clock(timedelta(seconds=s)) for s in (0, 0.2, 59.9, 60, 3600)] == [
        "0:00",
        "0:01",
        "1:00",
        "1:00",
        "1:00:00",
    ]
