"""Phases and needs from counts alone."""

from dataclasses import replace
from datetime import date

import pytest

from conference.core.lifecycle import FOLLOW_UP, INVITE, PREPARE, RUN, URGENCY, Facts, needs, steps

MAY = Facts(day=date(2023, 6, 6), today=date(2023, 5, 2), answer_by=date(2023, 5, 26), over=False, seats=60)
BUSY = replace(
    MAY,
    items=12, agenda_warnings=1, breakouts=2, breakouts_without_groups=2, invited=38, unsent=3, unanswered=6, failed_mails=2,
    confirmed=29, waiting=1, unrecorded=29, groups=5, groups_changed=1, tables_without_code=5, ideas=34, loose_ideas=4,
    collecting=1, votes_unopened=1, votes_open=1, decisions=3, decisions_without_action=1, actions=6, open_actions=4, overdue=1,
    silent=2,
)  # fmt: skip


def codes(facts):
    return [need.code for need in needs(facts)]


@pytest.mark.parametrize(
    ("changes", "phase"),
    [
        ({}, PREPARE),
        ({"invited": 38, "unsent": 38}, PREPARE),
        ({"invited": 38, "unsent": 37}, INVITE),
        ({"today": date(2023, 6, 6)}, RUN),
        ({"today": date(2023, 6, 6), "over": True}, FOLLOW_UP),
        ({"today": date(2023, 6, 7)}, FOLLOW_UP),
    ],
)
def test_the_phase_follows_from_dates_and_letters(changes, phase):
    assert replace(MAY, **changes).phase == phase


def test_a_new_conference_needs_an_agenda_and_guests():
    assert codes(MAY) == ["no_agenda", "no_guests"]


def test_the_most_urgent_comes_first_in_every_phase():
    for today, over in ((date(2023, 5, 2), False), (date(2023, 6, 6), False), (date(2023, 6, 20), True)):
        tones = [URGENCY[need.tone] for need in needs(replace(BUSY, today=today, over=over))]
        assert tones == sorted(tones)
        assert tones[0] == URGENCY["bad"]


def test_after_the_day_nobody_is_troubled_with_what_is_too_late():
    too_late = {
        "no_agenda",
        "agenda_warnings",
        "no_guests",
        "calendars_outdated",
        "letters_unsent",
        "answers_missing",
        "groups_missing",
        "groups_changed",
    }
    assert not too_late & set(codes(replace(BUSY, today=date(2023, 6, 7), over=True)))


def test_before_the_day_nobody_is_troubled_with_what_comes_later():
    later = {"minutes_unreleased", "follow_up_missing", "attendance_unrecorded", "ideas_loose", "votes_open"}
    assert not later & set(codes(BUSY))


@pytest.mark.parametrize(
    ("today", "tone"), [(date(2023, 5, 2), "info"), (date(2023, 5, 20), "warn"), (date(2023, 5, 27), "bad")]
)
def test_missing_answers_become_urgent_towards_their_date(today, tone):
    need = next(need for need in needs(replace(BUSY, today=today)) if need.code == "answers_missing")
    assert (need.count, need.tone) == (6, tone)


def test_waiting_people_are_a_need_only_while_seats_are_free():
    assert "seats_for_waiting" in codes(BUSY)
    assert "seats_for_waiting" not in codes(replace(BUSY, seats=29))


def test_parked_ideas_are_no_need_once_the_minutes_are_released():
    june = replace(BUSY, today=date(2023, 6, 8), over=True)
    assert {"ideas_loose", "minutes_unreleased"} <= set(codes(june))
    assert not {"ideas_loose", "minutes_unreleased"} & set(codes(replace(june, releases=1)))


def test_the_first_open_step_is_the_current_one():
    assert [state for _code, state in steps(replace(MAY, items=3, invited=4, unsent=4))][:4] == [
        "done",
        "done",
        "current",
        "todo",
    ]
    done = replace(
        BUSY, unsent=0, group_releases=1, present=30, clusters=8, votes_closed=1, releases=1, followers=1,
    )  # fmt: skip
    assert {state for _code, state in steps(done)} == {"done"}
