"""What the agenda warns of, and of what it does not."""

from datetime import timedelta

import pytest
from hypothesis import given

from conference.core.agenda_warnings import AgendaWarning, Frame, people_of, warnings

from .test_agenda import BERLIN, JUNE, JUNE_AGENDA, agendas, at, slot

FRAME = Frame(at("09:30"), at("15:00"), JUNE, BERLIN, people=38)


def codes(items, frame=FRAME):
    return [(w.code, w.item_id, w.other_id) for w in warnings(items, frame)]


def test_the_june_agenda_is_fine():
    assert codes(JUNE_AGENDA) == []


def test_back_to_back_in_one_room_is_no_clash():
    assert codes([slot(1, "10:00", 60, room=1), slot(2, "11:00", 60, room=1)]) == []


def test_equal_starts_in_one_room_are_a_clash():
    assert codes([slot(1, "10:00", 60, room=1), slot(2, "10:00", 30, room=1)]) == [("room_taken", 2, 1)]


def test_a_minute_in_one_room_is_a_clash():
    assert codes([slot(1, "10:00", 61, room=1), slot(2, "11:00", 30, room=1)]) == [("room_taken", 2, 1)]


def test_two_items_at_the_same_time_in_two_rooms_are_told_of():
    assert codes([slot(1, "10:00", 60, room=1), slot(2, "10:30", 60, room=2)]) == [("at_the_same_time", 2, 1)]


def test_what_the_team_does_meanwhile_disturbs_nobody():
    assert codes([slot(1, "10:00", 60, room=1), slot(2, "10:30", 60, room=2, internal=True)]) == []


def test_but_a_room_is_taken_for_the_team_too():
    assert codes([slot(1, "10:00", 60, room=1), slot(2, "10:30", 60, room=1, internal=True)]) == [
        ("room_taken", 2, 1)
    ]


@pytest.mark.parametrize(
    "person", ["Ada Beispiel", "ADA  BEISPIEL", "Tim Test, Ada Beispiel", "Tim Test und Ada Beispiel"]
)
def test_one_person_cannot_be_in_two_places(person):
    items = [slot(1, "10:00", 60, person="Ada Beispiel", room=1), slot(2, "10:30", 60, person=person, room=2)]
    assert codes(items) == [("person_twice", 2, 1)]


def test_two_people_of_one_agency_are_two_people():
    assert people_of("Ada Beispiel, BA") == {"ada beispiel"}
    assert people_of("BA") == {"ba"}
    assert people_of("") == frozenset()


def test_a_room_too_small_is_told_with_both_numbers():
    [warning] = warnings([slot(1, "10:00", 30, room=1, capacity=30)], FRAME)
    assert warning == AgendaWarning("room_too_small", 1, seats=30, people=38)


@pytest.mark.parametrize("kind", ["breakout", "break"])
def test_groups_and_breaks_may_be_in_small_rooms(kind):
    assert codes([slot(1, "10:00", 30, kind=kind, room=1, capacity=8)]) == []


def test_a_room_with_just_enough_seats_is_large_enough():
    assert codes([slot(1, "10:00", 30, room=1, capacity=38)]) == []


def test_coffee_on_arrival_comes_before_the_beginning_and_nothing_else():
    assert codes([slot(1, "09:00", 30, kind="break"), slot(2, "09:29", 1)]) == [
        ("at_the_same_time", 2, 1),
        ("before_begin", 2, None),
    ]


def test_the_end_of_the_conference_is_the_end_for_all():
    assert codes([slot(1, "14:45", 15), slot(2, "15:00", 5, kind="break")]) == [("after_end", 2, None)]


def test_the_team_sets_up_before_and_clears_away_after():
    assert codes([slot(1, "08:00", 60, internal=True), slot(2, "15:00", 60, internal=True)]) == []


def test_an_item_on_another_day_is_told_of_once():
    late = slot(1, "10:00", 30)
    other = type(late)(2, late.starts_at + timedelta(days=1), late.duration)
    assert codes([late, other]) == [("other_day", 2, None)]


@given(agendas())
def test_the_order_in_which_items_are_given_does_not_matter(items):
    assert warnings(items, FRAME) == warnings(list(reversed(items)), FRAME)


@given(agendas())
def test_every_overlap_is_told_of_once(items):
    pairs = {frozenset((a.id, b.id)) for a in items for b in items if a.id != b.id and a.overlaps(b)}
    found = [frozenset((w.item_id, w.other_id)) for w in warnings(items, FRAME) if w.other_id is not None]
    assert sorted(map(sorted, found)) == sorted(map(sorted, pairs))
