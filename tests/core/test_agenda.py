"""What the buttons of the agenda do to its times, and what a follow-up conference takes over."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from conference.core import agenda
from conference.core.agenda import BadTime, Slot
from conference.core.agenda_titles import renamed

BERLIN = "Europe/Berlin"
JUNE, AUGUST, DECEMBER = date(2023, 6, 6), date(2023, 8, 22), date(2023, 12, 5)
SPRING = date(2023, 3, 26)


def at(clock, day=JUNE):
    return datetime.combine(day, time.fromisoformat(clock), ZoneInfo(BERLIN)).astimezone(UTC)


def slot(number, clock, minutes, **over):
    return Slot(number, at(clock), timedelta(minutes=minutes), **over)


def shown(slots, day=JUNE):
    """{id: "09:30–09:45"} in the order of the agenda."""
    zone = ZoneInfo(BERLIN)
    return {
        s.id: f"{s.starts_at.astimezone(zone):%H:%M}–{s.ends_at.astimezone(zone):%H:%M}"
        for s in agenda.in_order(slots)
    }


def after(slots, times):
    return [replace(s, starts_at=times.get(s.id, s.starts_at)) for s in slots]


JUNE_AGENDA = [
    slot(1, "09:00", 30, kind="break"),
    slot(2, "09:30", 15),
    slot(3, "09:45", 30, kind="talk"),
    slot(4, "10:15", 30, kind="talk"),
    slot(5, "10:45", 20, kind="talk"),
    slot(6, "11:05", 15, kind="break"),
    slot(7, "11:20", 45, kind="breakout"),
    slot(8, "12:05", 45, kind="break"),
    slot(9, "12:50", 45, kind="breakout"),
    slot(10, "13:35", 40),
    slot(11, "14:15", 30),
    slot(12, "14:45", 15),
]


@st.composite
def agendas(draw, most=8, kinds=("plenary", "break", "breakout")):
    """Items from 08:00 to 20:00, with gaps and overlaps as they come."""
    count = draw(st.integers(1, most))
    return [
        Slot(
            number,
            at("08:00") + timedelta(minutes=draw(st.integers(0, 660))),
            timedelta(minutes=draw(st.integers(1, 60))),
            kind=draw(st.sampled_from(kinds)),
        )
        for number in range(1, count + 1)
    ]


# -- placing ----------------------------------------------------------


def test_an_item_is_placed_at_the_time_on_the_wall():
    assert agenda.placed(JUNE, time(9, 30), timedelta(minutes=15), BERLIN) == datetime(
        2023, 6, 6, 7, 30, tzinfo=UTC
    )


def test_an_item_may_end_at_midnight_but_not_after_it():
    assert agenda.placed(JUNE, time(23, 0), timedelta(hours=1), BERLIN) == at("23:00")
    with pytest.raises(BadTime) as error:
        agenda.placed(JUNE, time(23, 0), timedelta(minutes=61), BERLIN)
    assert error.value.code == "midnight"


def test_a_time_that_the_clocks_jump_over_is_no_time():
    with pytest.raises(BadTime) as error:
        agenda.placed(SPRING, time(2, 30), timedelta(minutes=30), BERLIN)
    assert error.value.code == "gap"


def test_an_item_over_the_clock_change_lasts_as_long_as_it_says():
    begin = agenda.placed(SPRING, time(1, 30), timedelta(hours=1), BERLIN)
    assert (begin + timedelta(hours=1)).astimezone(ZoneInfo(BERLIN)).time() == time(3, 30)


def test_the_day_of_the_clock_change_has_its_own_midnight():
    assert agenda.placed(SPRING, time(22, 0), timedelta(hours=2), BERLIN)
    with pytest.raises(BadTime):
        agenda.placed(SPRING, time(22, 0), timedelta(minutes=121), BERLIN)


# -- moving -----------------------------------------------------------


def test_moving_up_changes_places_and_keeps_durations():
    times = agenda.moved(JUNE_AGENDA, 4, "up")
    assert shown(after([JUNE_AGENDA[2], JUNE_AGENDA[3]], times)) == {4: "09:45–10:15", 3: "10:15–10:45"}


def test_items_of_different_length_change_places_without_a_new_gap():
    times = agenda.moved(JUNE_AGENDA, 2, "down")
    assert shown(after(JUNE_AGENDA[1:3], times)) == {3: "09:30–10:00", 2: "10:00–10:15"}


def test_the_free_time_between_two_items_stays_between_them():
    items = [slot(1, "09:00", 30), slot(2, "09:40", 60)]
    assert shown(after(items, agenda.moved(items, 2, "up"))) == {2: "09:00–10:00", 1: "10:10–10:40"}


def test_parallel_items_move_together():
    items = [slot(1, "09:00", 30), slot(2, "09:30", 60), slot(3, "09:30", 45), slot(4, "10:30", 30)]
    assert shown(after(items, agenda.moved(items, 3, "up"))) == {
        2: "09:00–10:00",
        3: "09:00–09:45",
        1: "10:00–10:30",
        4: "10:30–11:00",
    }


def test_what_lasts_all_day_for_the_team_does_not_bind_the_programme():
    items = [slot(1, "08:00", 600, internal=True), slot(2, "09:00", 30), slot(3, "09:30", 30)]
    assert agenda.moved(items, 3, "up") == {2: at("09:30"), 3: at("09:00")}


@pytest.mark.parametrize(("item_id", "direction"), [(1, "up"), (12, "down")])
def test_the_first_item_cannot_move_up_and_the_last_not_down(item_id, direction):
    with pytest.raises(BadTime) as error:
        agenda.moved(JUNE_AGENDA, item_id, direction)
    assert error.value.code == "edge"
    assert agenda.movable(JUNE_AGENDA, direction) == {s.id for s in JUNE_AGENDA} - {item_id}


@given(agendas(), st.data())
def test_the_opposite_move_puts_everything_back(items, data):
    up = sorted(agenda.movable(items, "up"))
    assume(up)
    item_id = data.draw(st.sampled_from(up))
    there = after(items, agenda.moved(items, item_id, "up"))
    back = after(there, agenda.moved(there, item_id, "down"))
    assert back == items


def overlapping(items):
    return {(a.id, b.id) for a in items for b in items if a.id < b.id and a.overlaps(b)}


@given(agendas(), st.data())
def test_moving_makes_no_new_overlap_and_keeps_the_whole_span(items, data):
    down = sorted(agenda.movable(items, "down"))
    assume(down)
    there = after(items, agenda.moved(items, data.draw(st.sampled_from(down)), "down"))
    assert overlapping(there) == overlapping(items)
    assert min(s.starts_at for s in there) == min(s.starts_at for s in items)
    assert max(s.ends_at for s in there) == max(s.ends_at for s in items)
    assert agenda.covered(there) == agenda.covered(items)


@given(agendas())
def test_blocks_hold_every_item_once_and_do_not_overlap(items):
    row = agenda.blocks(items)
    assert sorted(s.id for block in row for s in block) == sorted(s.id for s in items)
    assert all(agenda.end_of(a) <= b[0].starts_at for a, b in pairwise(row))


# -- shifting, closing gaps -------------------------------------------


def test_everything_from_a_moment_on_is_shifted():
    items = [slot(1, "09:00", 30), slot(2, "09:30", 30), slot(3, "11:00", 30, internal=True)]
    assert agenda.shifted(items, at("09:30"), timedelta(minutes=10)) == {2: at("09:40"), 3: at("11:10")}


def test_closing_gaps_lets_everything_follow_from_an_item_on():
    items = [
        slot(1, "09:00", 20),
        slot(2, "09:30", 30),
        slot(3, "10:30", 30),
        slot(4, "11:00", 15),
        slot(5, "13:00", 15),
    ]
    assert shown(after(items, agenda.without_gaps(items, 2))) == {
        1: "09:00–09:20",
        2: "09:30–10:00",
        3: "10:00–10:30",
        4: "10:30–10:45",
        5: "10:45–11:00",
    }


def test_without_gaps_nothing_changes():
    assert agenda.without_gaps(JUNE_AGENDA, 1) == {}


@given(agendas())
def test_after_closing_the_gaps_there_are_none_and_the_order_is_the_same(items):
    first = agenda.in_order(items)[0].id
    there = after(items, agenda.without_gaps(items, first))
    assert agenda.free_before(there) == {}
    assert [s.starts_at for s in agenda.in_order(there)] == [
        s.starts_at for s in after(agenda.in_order(items), {s.id: s.starts_at for s in there})
    ]
    assert agenda.without_gaps(there, first) == {}


def test_free_time_stands_before_the_item_that_ends_it():
    items = [slot(1, "09:00", 30), slot(2, "09:45", 15), slot(3, "09:50", 60), slot(4, "10:50", 10)]
    assert agenda.free_before(items) == {2: timedelta(minutes=15)}


def test_overlaps_are_counted_once_and_only_inside_the_conference():
    items = [
        slot(1, "09:00", 60),
        slot(2, "09:30", 60),
        slot(3, "11:00", 30),
        slot(4, "08:00", 600, internal=True),
    ]
    assert agenda.covered(items) == timedelta(minutes=120)
    assert agenda.covered(items, at("09:30"), at("11:15")) == timedelta(minutes=75)


# -- the follow-up conference -----------------------------------------


def test_times_on_the_wall_stay_over_the_clock_change():
    [moved] = agenda.on_day([slot(1, "09:30", 15)], BERLIN, DECEMBER)
    assert moved.starts_at == datetime(2023, 12, 5, 8, 30, tzinfo=UTC)


def test_a_time_that_is_jumped_over_becomes_the_one_shown_instead():
    [moved] = agenda.on_day([slot(1, "02:30", 15)], BERLIN, SPRING)
    assert moved.starts_at.astimezone(ZoneInfo(BERLIN)).time() == time(3, 30)


@given(agendas(), st.dates(date(2020, 1, 1), date(2030, 1, 1)))
def test_on_any_other_day_the_clocks_show_the_same(items, day):
    assert shown(agenda.on_day(items, BERLIN, day)) == shown(items)


def review(minutes=15):
    return Slot(0, at("00:00"), timedelta(minutes=minutes), kind="review")


def test_the_review_opens_the_june_agenda_and_two_breaks_give_way():
    opened = agenda.opened_with(review(), JUNE_AGENDA, at("09:30"), at("23:59"))
    assert shown(opened) == {
        1: "09:00–09:30",
        0: "09:30–09:45",
        2: "09:45–10:00",
        3: "10:00–10:30",
        4: "10:30–11:00",
        5: "11:00–11:20",
        6: "11:20–11:30",  # 15 minutes give 5
        7: "11:30–12:15",
        8: "12:15–12:50",  # 45 minutes give 10, all that is still needed
        9: "12:50–13:35",
        10: "13:35–14:15",
        11: "14:15–14:45",
        12: "14:45–15:00",
    }


def test_free_time_is_used_up_before_a_break_gives_way():
    items = [slot(1, "09:30", 30), slot(2, "10:20", 30, kind="break"), slot(3, "10:50", 10)]
    opened = agenda.opened_with(review(), items, at("09:30"), at("23:59"))
    assert shown(opened) == {0: "09:30–09:45", 1: "09:45–10:15", 2: "10:20–10:50", 3: "10:50–11:00"}


def test_an_earlier_review_leaves_its_time_to_the_new_one():
    items = [slot(1, "09:30", 20, kind="review"), slot(2, "09:50", 30)]
    assert shown(agenda.opened_with(review(20), items, at("09:30"), at("23:59"))) == {
        0: "09:30–09:50",
        2: "09:50–10:20",
    }


def test_where_the_day_is_full_nothing_moves():
    items = [slot(1, "09:30", 10), slot(2, "09:40", 860)]
    opened = agenda.opened_with(review(), items, at("09:30"), at("23:59") + timedelta(minutes=1))
    assert shown(opened)[1] == "09:30–09:40"
    assert shown(opened)[2] == "09:40–00:00"


def test_an_empty_agenda_opens_with_the_review_alone():
    assert shown(agenda.opened_with(review(), [], at("09:30"), at("23:59"))) == {0: "09:30–09:45"}


@given(agendas(), st.integers(5, 60))
def test_nothing_overlaps_the_review_nothing_comes_earlier_and_only_breaks_shrink(items, minutes):
    begin = at("09:30")
    opened = agenda.opened_with(review(minutes), items, begin, at("23:59"))
    opening = next(s for s in opened if s.id == 0)
    before = {s.id: s for s in items}
    assert opening.starts_at == begin
    for s in opened:
        if s.id == 0:
            continue
        assert s.starts_at >= before[s.id].starts_at
        if before[s.id].starts_at >= begin:
            assert not s.overlaps(opening)
        assert s.duration == before[s.id].duration or (
            s.kind == "break" and s.duration * 3 >= before[s.id].duration * 2
        )
    assert overlapping([s for s in opened if s.id]) <= overlapping(items)
    assert len(opened) == len(items) + 1


# -- names ------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "language", "expected"),
    [
        ("Bildungsträgerkonferenz Juni 2023", "de", "Bildungsträgerkonferenz August 2023"),
        ("june-2023", "de", "august-2023"),
        ("juni-2023", "de", "august-2023"),
        ("June meeting", "en", "August meeting"),
        ("Treffen 2023", "de", "Treffen 2023"),
        ("Junikonferenz", "de", "Junikonferenz"),
        ("Treffen", "de", "Treffen"),
    ],
)
def test_month_and_year_in_a_name_go_on(text, language, expected):
    assert renamed(text, JUNE, AUGUST, language) == expected


def test_the_year_goes_on_over_new_year():
    assert (
        renamed("Treffen November 2023", date(2023, 11, 7), date(2024, 1, 23), "de") == "Treffen Januar 2024"
    )


def test_march_is_known_in_addresses_too():
    assert renamed("maerz-2023", date(2023, 3, 7), date(2023, 5, 23), "de") == "mai-2023"
