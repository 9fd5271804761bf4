"""Forming as a job: asked for on the page, done by the worker, safe to run twice, to be stopped and to be killed."""

import threading
from datetime import UTC, datetime, timedelta

import pytest

from conference.conferences.models import Conference
from conference.core import grouping
from conference.groups import forming, operations, queries
from conference.groups.models import Forming, FormingState, Group, Seat
from conference.kit import jobs, unit
from conference.kit.db import db
from conference.kit.errors import Refused

from ..builders import NOW, a_small_day, an_account, june_with_people


class Clock:
    """A clock that the test turns; each look at it takes a second, so that progress is noted each time."""

    def __init__(self):
        self.time = NOW

    def __call__(self):
        self.time += timedelta(seconds=1)
        return self.time


@pytest.fixture
def settings():
    return {"CLOCK_START": datetime(2023, 6, 1, 9, 30, tzinfo=UTC)}


@pytest.fixture
def day(in_house, organiser):
    """Twelve people, one round, nothing formed yet."""
    with in_house():
        return a_small_day(organiser, people=12)


@pytest.fixture
def asked(in_house, day, organiser):
    """Somebody has pressed the button; gives the id."""
    with in_house():
        return forming.ask(db.session.get(Conference, day.id), 3, organiser, at=NOW).id


@pytest.fixture
def work(app):
    def run(now=lambda: NOW):
        with app.app_context():
            return forming.work(now)

    return run


@pytest.fixture
def row(app):
    """The row as it is stored now."""

    def look(forming_id):
        with app.app_context(), unit.reading():
            found = db.session.get(Forming, forming_id)
            db.session.expunge(found)
            return found

    return look


def seats(app):
    with app.app_context(), unit.reading():
        return db.session.query(Seat).count()


def page(staff, asked, **options):
    return staff.open("groups.show_forming", slug="june-2023", forming_id=asked, **options)


def test_the_button_only_asks_and_the_worker_forms(staff, app, day, work):
    staff.submit("groups.form_groups", {"tables": "3"}, slug="june-2023")
    assert staff.sees("Wartet auf den Hintergrunddienst")
    assert staff.sees("12 Personen, 3 Tische, 1 Runde.")
    assert seats(app) == 0
    assert jobs.queue(app).pending_count() == 1
    worker = jobs.queue(app)
    worker.execute(worker.dequeue())
    assert seats(app) == 12
    staff.open("groups.show_groups", slug="june-2023")
    assert staff.sees("Gruppe C")


def test_while_it_waits_the_groups_page_leads_to_it(staff, asked, work):
    staff.open("groups.show_groups", slug="june-2023")
    assert staff.sees("Gerade werden Gruppen gebildet")
    work()
    staff.open("groups.show_groups", slug="june-2023")
    assert not staff.sees("Gerade werden Gruppen gebildet")


def test_pressed_twice_it_is_asked_for_once(staff, app, day):
    for _ in range(2):
        staff.submit("groups.form_groups", {"tables": "3"}, slug="june-2023")
    with app.app_context(), unit.reading():
        assert db.session.query(Forming).count() == 1


def test_two_organisers_at_once_do_not_form_two_plans(app, day, organiser, in_house):
    with in_house():
        other = an_account()
    refused, gate = [], threading.Barrier(2)

    def press(account):
        with app.app_context():
            gate.wait()
            try:
                with unit.writing():
                    forming.ask(db.session.get(Conference, day.id), 3, db.session.merge(account), at=NOW)
            except Refused as error:
                refused.append(error.message)
            finally:
                db.session.remove()

    threads = [threading.Thread(target=press, args=[account]) for account in (organiser, other)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(refused) == 1
    with app.app_context(), unit.reading():
        assert db.session.query(Forming).count() == 1


def test_another_number_of_tables_meanwhile_is_refused_in_words_and_kept(staff, asked):
    staff.submit("groups.form_groups", {"tables": "2"}, slug="june-2023", status=409)
    assert staff.sees("Gerade werden Gruppen gebildet. Warten Sie, bis sie da sind")
    assert staff.value_of("tables") == "2"


def test_two_workers_at_once_form_once(app, asked, row):
    done, gate = [], threading.Barrier(2)

    def run():
        with app.app_context():
            gate.wait()
            done.append(forming.work(lambda: NOW))
            db.session.remove()

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(done) == [0, 1]
    assert (row(asked).state, row(asked).attempts) == (FormingState.DONE, 1)


def test_a_second_run_changes_nothing(app, asked, work, row):
    assert work() == 1
    version = row(asked).ended_at
    assert work(lambda: NOW + timedelta(hours=1)) == 0
    assert row(asked).ended_at == version


class Killed(BaseException):
    """The worker is gone in the middle of its work."""


def die(*_args, **_options):
    raise Killed


def test_what_a_dead_worker_left_is_taken_up_when_its_lease_has_run_out(app, asked, work, row, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(grouping, "solve", die)
        with pytest.raises(Killed):
            work()
    assert row(asked).state is FormingState.RUNNING
    assert work(lambda: NOW + timedelta(seconds=30)) == 0
    assert work(lambda: NOW + forming.LEASE) == 1
    assert (row(asked).state, row(asked).attempts) == (FormingState.DONE, 2)
    assert seats(app) == 12


def test_what_kills_each_worker_is_given_up_and_said(staff, asked, work, row, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(grouping, "solve", die)
        for number in range(forming.ATTEMPTS):
            with pytest.raises(Killed):
                work(lambda number=number: NOW + number * forming.LEASE)
    work(lambda: NOW + timedelta(hours=1))
    assert row(asked).state is FormingState.FAILED
    page(staff, asked)
    assert staff.sees("Die Arbeit ist mehrmals abgebrochen")


def test_a_worker_that_was_only_slow_does_not_overwrite_its_successor(app, asked, row):
    with app.app_context():
        slow = forming._claim(NOW)
        fresh = forming._claim(NOW + forming.LEASE)
        assert (slow.attempt, fresh.attempt) == (1, 2)
        forming._do(slow, lambda: NOW)
        assert row(asked).state is FormingState.RUNNING
        forming._do(fresh, lambda: NOW)
    assert row(asked).state is FormingState.DONE


def test_progress_and_lease_are_renewed_while_it_works(in_house, app, organiser, row, monkeypatch):
    with in_house():
        asked = forming.ask(june_with_people(organiser), 5, organiser, at=NOW).id
    seen, best = [], []

    class Watched(forming._Watch):
        def note(self, progress):
            super().note(progress)
            seen.append((row(asked).steps_done, row(asked).lease_until))
            best.append([one["goal"] for one in row(asked).best or ()])

    monkeypatch.setattr(forming, "_Watch", Watched)
    monkeypatch.setattr(operations, "MOST_ITERATIONS", 200)
    with app.app_context():
        forming.work(Clock())
    steps = [done for done, _lease in seen]
    assert steps == sorted(steps)
    assert seen[-1][1] > seen[0][1] or len(seen) == 1
    assert best[-1] == ["colleagues", "repeats", "balance", "wishes"]
    assert not best[0], "while the bounds are counted there are no groups yet"


def test_the_page_shows_how_good_the_best_groups_so_far_are(staff, app, in_house, asked):
    with app.app_context():
        taken = forming._claim(NOW)
        goals = (grouping.GoalScore("repeats", 30, 28), grouping.GoalScore("wishes", (1, 9), (1, 9)))
        forming._Watch(taken, lambda: NOW).note(grouping.Progress(50, 100, goals))
    page(staff, asked)
    assert staff.sees("Die besten Gruppen bisher")
    assert staff.sees("30, bestenfalls 28")
    assert staff.sees("9 – nachweislich das Beste")
    assert staff.sees("50 %")


def test_stopped_while_it_waits_nothing_is_formed(staff, app, asked, work, row):
    staff.submit("groups.cancel_forming", {}, slug="june-2023", forming_id=asked)
    assert staff.sees("Angehalten, bevor es begann")
    assert work() == 0
    assert seats(app) == 0
    staff.submit("groups.form_groups", {"tables": "2"}, slug="june-2023")
    assert staff.sees("Wartet auf den Hintergrunddienst")


def test_stopped_while_it_runs_the_best_so_far_is_kept(in_house, app, organiser, row, monkeypatch):
    with in_house():
        asked = forming.ask(june_with_people(organiser), 5, organiser, at=NOW).id

    def solve(problem, *, on_progress, deadline, **options):
        with unit.writing():
            forming.cancel(db.session.get(Forming, asked), at=NOW)
        on_progress(grouping.Progress(0, 100))
        assert deadline()
        return solve_really(problem, on_progress=on_progress, deadline=deadline, **options)

    solve_really = grouping.solve
    monkeypatch.setattr(grouping, "solve", solve)
    with app.app_context():
        forming.work(Clock())
    stopped = row(asked)
    assert (stopped.state, stopped.steps_done) == (FormingState.DONE, 0)
    assert seats(app) == 76


def test_stopping_twice_or_when_it_is_done_changes_nothing(staff, asked, work, row):
    work()
    for _ in range(2):
        staff.submit("groups.cancel_forming", {}, slug="june-2023", forming_id=asked)
    assert staff.sees("Die Arbeitsgruppen wurden gebildet.")
    assert row(asked).cancelled_at is None


def test_rules_that_contradict_each_other_are_named_with_people(staff, in_house, app, day, organiser, work):
    with in_house():
        conference = db.session.get(Conference, day.id)
        operations.form_groups(conference, 3, organiser, at=NOW, iterations=5)
        plan = queries.plan_of(conference)[0]
        crowd = [seat for group in plan.groups for seat in group.seats][:5]
        for seat in crowd:
            seat.group, seat.pinned = plan.groups[0].group, True
        name = crowd[0].contact.name
    staff.submit("groups.form_groups", {"tables": "3"}, slug="june-2023")
    work()
    staff.open("groups.show_groups", slug="june-2023")
    assert staff.sees("Die Gruppen konnten nicht gebildet werden")
    assert staff.sees(f"{name} sitzt in Runde 1 fest in Gruppe A.")
    assert seats(app) == 12


def test_who_moves_somebody_meanwhile_is_not_overruled(staff, in_house, app, day, organiser, row, work):
    with in_house():
        conference = db.session.get(Conference, day.id)
        operations.form_groups(conference, 3, organiser, at=NOW, iterations=5)
        asked = forming.ask(conference, 3, organiser, at=NOW).id
        plan = queries.plan_of(conference)[0]
        moved = plan.groups[0].seats[0].contact_id
        operations.move_seat(conference, plan.round.id, moved, plan.groups[1].group.id, None, at=NOW)
    work()
    assert row(asked).state is FormingState.FAILED
    page(staff, asked)
    assert staff.sees("haben sich inzwischen geändert")
    with in_house():
        group = db.session.query(Group).join(Seat).filter(Seat.contact_id == moved).one()
        assert group.name == "B"


def test_what_breaks_the_search_is_said_and_the_next_one_is_done(
    staff, in_house, app, asked, work, row, monkeypatch
):
    def crash(*_args, **_options):
        raise ZeroDivisionError

    with monkeypatch.context() as patch:
        patch.setattr(grouping, "solve", crash)
        assert work() == 1
    page(staff, asked)
    assert staff.sees("Beim Bilden der Gruppen ist etwas schiefgegangen")
    staff.submit("groups.form_groups", {"tables": "3"}, slug="june-2023")
    assert work() == 1
    assert seats(app) == 12


def test_the_page_says_when_no_worker_comes(staff, asked):
    page(staff, asked)
    assert staff.sees("Bisher arbeitet niemand daran")


def test_renewals_are_answered_briefly_while_nothing_happens_and_lead_on_when_it_is_done(staff, asked, work):
    first = page(staff, asked, headers={"HX-Request": "true"})
    again = {"HX-Request": "true", "If-None-Match": first.headers["ETag"]}
    page(staff, asked, headers=again, status=304)
    page(staff, asked, headers={"If-None-Match": first.headers["ETag"]})
    work()
    done = page(staff, asked, headers=again)
    assert done.headers["HX-Redirect"] == "/conferences/june-2023/groups"


def test_a_forming_of_another_conference_is_not_there(new_browser, in_house, asked):
    with in_house():
        stranger = an_account()
    browser = new_browser().sign_in(stranger)
    page(browser, asked, status=404)
    browser.submit("groups.cancel_forming", {}, slug="june-2023", forming_id=asked, status=404)
