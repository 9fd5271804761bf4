"""Both changes of the clocks in 2027, on machines in other zones: what is stored, shown, closed and reminded of (F11, REQ-15)."""

import os
import time as system_time
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import icalendar
import pytest

from conference.actions import letters
from conference.agenda.models import AgendaItem
from conference.agenda.queries import feed_of
from conference.conferences.models import Conference
from conference.core.walltime import is_ambiguous
from conference.kit.db import db
from conference.outbox.models import Mail
from conference.registrations import operations as registrations

from ..builders import a_conference, a_participant, an_action, an_answer, an_invitation, item_form

SPRING, AUTUMN = date(2027, 3, 28), date(2027, 10, 31)
ZONE = "Europe/Berlin"


@pytest.fixture(autouse=True, params=["UTC", "America/New_York"])
def machine(request, monkeypatch):
    """The zone of the machine, which must not matter."""
    before = os.environ.get("TZ")
    monkeypatch.setenv("TZ", request.param)
    system_time.tzset()
    yield
    if before is None:
        monkeypatch.delenv("TZ")
    else:
        monkeypatch.setenv("TZ", before)
    system_time.tzset()


@pytest.fixture
def settings():
    return {"CLOCK_START": datetime(2027, 1, 11, 9, tzinfo=UTC)}


def night_of(in_house, organiser, day, **over):
    """A conference through the night in which the clocks are changed."""
    with in_house():
        return a_conference(
            organiser, slug="night", day=day, begin=time(0, 30), end=time(6, 0), answer_by=day, **over
        )


def test_f11_a_time_in_the_gap_is_refused_with_the_input_kept(in_house, browser, organiser):
    night_of(in_house, organiser, SPRING)
    browser.sign_in(organiser)
    for clock, status in (("01:45", 303), ("02:30", 422), ("03:15", 303)):
        browser.submit("agenda.new_item", item_form(clock=clock, duration="15"), slug="night", status=status)
        if status == 422:
            assert (browser.value_of("clock"), browser.value_of("title")) == ("02:30", "mein NOW")
    with in_house():
        starts = [item.starts_at for item in db.session.query(AgendaItem).order_by(AgendaItem.starts_at)]
    assert starts == [datetime(2027, 3, 28, 0, 45, tzinfo=UTC), datetime(2027, 3, 28, 1, 15, tzinfo=UTC)]
    browser.open("agenda.show_agenda", slug="night")
    assert browser.sees("01:45") and browser.sees("03:15")


def test_f11_the_hour_that_comes_twice_is_decided_and_the_calendar_says_the_same(
    in_house, browser, organiser
):
    night_of(in_house, organiser, AUTUMN)
    assert is_ambiguous(AUTUMN, time(2, 30), ZONE)
    browser.sign_in(organiser)
    for clock in ("02:30", "03:30"):
        browser.submit("agenda.new_item", item_form(clock=clock, duration="30"), slug="night")
    with in_house():
        feed = icalendar.Calendar.from_ical(feed_of(db.session.query(Conference).one()))
        stored = [item.starts_at for item in db.session.query(AgendaItem).order_by(AgendaItem.starts_at)]
    assert stored == [datetime(2027, 10, 31, 0, 30, tzinfo=UTC), datetime(2027, 10, 31, 2, 30, tzinfo=UTC)]
    assert sorted(event.start.astimezone(UTC) for event in feed.walk("VEVENT")) == stored


@pytest.mark.parametrize(("day", "last"), [(SPRING, 22), (AUTUMN, 23)])
def test_f11_a_deadline_ends_with_the_day_of_the_conference(in_house, organiser, day, last):
    with in_house():
        june = a_conference(organiser, day=day + timedelta(days=9), answer_by=day)
        end = datetime(day.year, day.month, day.day, last, 0, tzinfo=UTC)
        registrations.accept(an_invitation(june), an_answer(), at=end - timedelta(seconds=1))
        late = an_invitation(june)
        with pytest.raises(registrations.Refused):
            registrations.accept(late, an_answer(), at=end)


@pytest.mark.parametrize("day", [SPRING, AUTUMN])
def test_f11_reminders_go_once_on_days_of_23_and_25_hours(in_house, organiser, day):
    with in_house():
        june = a_conference(organiser, day=day - timedelta(days=30), answer_by=day - timedelta(days=40))
        contact = a_participant(june).contact
        made = datetime(day.year, day.month, 1, tzinfo=UTC) - timedelta(days=5)
        an_action(june, responsible=contact, due_on=day, at=made)
        moment = datetime(day.year, day.month, day.day, tzinfo=UTC) - timedelta(hours=6)
        for step in range(40):  # every hour, from the day before to the day after
            letters.remind(now=moment + timedelta(hours=step))
        sent = db.session.query(Mail).filter_by(kind="actions_due").order_by(Mail.created_at).all()
        days = [mail.created_at.astimezone(ZoneInfo(ZONE)).date() for mail in sent]
    assert len(days) == len(set(days)), "two on one day"
    assert day in days
