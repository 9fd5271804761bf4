"""Wall clocks and moments, above all in the two nights in which the clocks change."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conference.core.walltime import (
    NoSuchTime,
    UnknownZone,
    end_of_day,
    is_ambiguous,
    same_wall_clock,
    to_local,
    to_utc,
)

BERLIN = "Europe/Berlin"


def test_half_past_nine_in_june_is_half_past_seven_in_utc():
    assert to_utc(date(2023, 6, 6), time(9, 30), BERLIN) == datetime(2023, 6, 6, 7, 30, tzinfo=UTC)


def test_half_past_nine_in_winter_is_half_past_eight_in_utc():
    assert to_utc(date(2023, 12, 5), time(9, 30), BERLIN) == datetime(2023, 12, 5, 8, 30, tzinfo=UTC)


def test_a_stored_moment_is_in_utc():
    assert to_utc(date(2023, 6, 6), time(9, 30), BERLIN).tzinfo is UTC


@pytest.mark.parametrize("clock", [time(2, 0), time(2, 30), time(2, 59, 59)])
def test_the_hour_that_the_clocks_jump_over_in_spring_is_refused(clock):
    with pytest.raises(NoSuchTime) as refusal:
        to_utc(date(2023, 3, 26), clock, BERLIN)
    assert refusal.value.code == "gap"


@pytest.mark.parametrize(("clock", "hour"), [(time(1, 59), 0), (time(3, 0), 1)])
def test_the_minutes_beside_the_jump_exist(clock, hour):
    assert to_utc(date(2023, 3, 26), clock, BERLIN).hour == hour


def test_the_hour_that_comes_twice_in_autumn_is_taken_the_first_time_and_reported():
    night = date(2023, 10, 29)
    assert to_utc(night, time(2, 30), BERLIN) == datetime(2023, 10, 29, 0, 30, tzinfo=UTC)
    assert is_ambiguous(night, time(2, 30), BERLIN)


@pytest.mark.parametrize(
    ("day", "clock"),
    [
        (date(2023, 10, 29), time(1, 59)),
        (date(2023, 10, 29), time(3, 0)),
        (date(2023, 3, 26), time(2, 30)),
        (date(2023, 6, 6), time(9, 30)),
    ],
)
def test_no_other_time_is_reported_as_ambiguous(day, clock):
    assert not is_ambiguous(day, clock, BERLIN)


def test_a_moment_is_shown_on_the_clocks_of_the_conference():
    shown = to_local(datetime(2023, 8, 22, 7, 30, tzinfo=UTC), BERLIN)
    assert shown.replace(tzinfo=None) == datetime(2023, 8, 22, 9, 30)


def test_a_naive_moment_is_a_programming_error():
    with pytest.raises(ValueError, match="time zone"):
        to_local(datetime(2023, 6, 6, 9, 30), BERLIN)


@pytest.mark.parametrize(
    "name", ["", "Europe", "Europe/Herford", "../../etc/passwd", "/etc/passwd", "Europe\0Berlin"]
)
def test_a_name_that_is_no_zone_is_refused_clearly(name):
    with pytest.raises(UnknownZone):
        to_utc(date(2023, 6, 6), time(9, 30), name)


def test_the_end_of_a_day_is_the_next_local_midnight():
    assert end_of_day(date(2023, 5, 26), BERLIN) == datetime(2023, 5, 26, 22, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("day", "hours"), [(date(2023, 3, 26), 23), (date(2023, 6, 6), 24), (date(2023, 10, 29), 25)]
)
def test_a_day_is_as_long_as_its_clocks_make_it(day, hours):
    assert end_of_day(day, BERLIN) - end_of_day(day - timedelta(days=1), BERLIN) == timedelta(hours=hours)


def test_where_midnight_itself_is_jumped_over_the_day_ends_with_the_jump():
    end = end_of_day(date(2023, 4, 27), "Africa/Cairo")
    assert to_local(end, "Africa/Cairo").replace(tzinfo=None) == datetime(2023, 4, 28, 1, 0)
    assert to_local(end - timedelta(microseconds=1), "Africa/Cairo").date() == date(2023, 4, 27)


def test_the_same_time_on_the_wall_survives_the_change_of_clocks():
    june = to_utc(date(2023, 6, 6), time(9, 30), BERLIN)
    assert same_wall_clock(june, BERLIN, date(2023, 12, 5)) == datetime(2023, 12, 5, 8, 30, tzinfo=UTC)


def test_a_copied_time_that_falls_into_the_jump_is_refused():
    night_shift = to_utc(date(2023, 3, 19), time(2, 30), BERLIN)
    with pytest.raises(NoSuchTime):
        same_wall_clock(night_shift, BERLIN, date(2023, 3, 26))


@pytest.mark.parametrize(
    "ask", [lambda day: to_utc(day, time(), BERLIN), lambda day: end_of_day(day, BERLIN)]
)
@pytest.mark.parametrize("day", [date.min, date.max])
def test_a_typing_error_in_the_year_ends_in_an_answer_not_in_a_crash(ask, day):
    try:
        assert ask(day).tzinfo is UTC
    except NoSuchTime as refusal:
        assert refusal.code == "range"


@given(
    day=st.dates(date(1990, 1, 1), date(2060, 12, 31)),
    clock=st.times(),
    zone=st.sampled_from(
        [BERLIN, "America/New_York", "Australia/Lord_Howe", "Africa/Cairo", "Asia/Kathmandu"]
    ),
)
def test_every_time_comes_back_as_it_went_or_is_refused(day, clock, zone):
    try:
        shown = to_local(to_utc(day, clock, zone), zone)
    except NoSuchTime:
        return
    assert shown.replace(tzinfo=None, fold=0) == datetime.combine(day, clock)


@given(day=st.dates(date(1990, 1, 1), date(2060, 12, 31)))
def test_no_moment_lies_between_two_days(day):
    end = end_of_day(day, BERLIN)
    assert to_local(end, BERLIN).date() == day + timedelta(days=1)
    assert to_local(end - timedelta(microseconds=1), BERLIN).date() == day
