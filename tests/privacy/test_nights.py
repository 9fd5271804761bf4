"""The night's work when something is in its way: a row that cannot be read, a second worker, a database that is away."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select, text

from conference.kit import outage, unit
from conference.kit.db import db
from conference.privacy import operations, queries
from conference.privacy.models import RetentionRun
from conference.providers.models import Contact
from conference.registrations import operations as registrations
from conference.registrations.models import Registration
from conference.voting.models import Vote, VoteSubject

from ..builders import NOW, a_conference, a_contact, an_answer, an_invitation, some_ideas

LATER = NOW + timedelta(days=400)
HOUR = timedelta(hours=1)


@pytest.fixture
def people(in_house):
    """Three people of a conference that is long over."""
    with in_house():
        june = a_conference()
        guests = [
            an_invitation(june, contact=a_contact(last_name=name))
            for name in ("Ahlers", "Brandlhuber", "Czerny")
        ]
        registrations.accept(guests[0], an_answer(name="Ada Ahlers", diet="vegan"), at=NOW)
        some_ideas(june, "Frau Brandlhuber fragen")
        db.session.add(
            Vote(
                conference_id=june.id,
                title="Was?",
                subject=VoteSubject.IDEAS,
                dots=1,
                per_option=1,
                created_at=NOW,
            )
        )
        return [guest.contact_id for guest in guests]


def run(app, at=LATER):
    with app.app_context():
        return operations.run_retention(at=at)


def keep(app, at):
    with app.app_context():
        return operations.keep_schedule(at=at)


def last_names(app):
    with app.app_context(), unit.reading():
        return dict(db.session.execute(select(Contact.id, Contact.last_name)).all())


def spoil(in_house, statement):
    with in_house():
        db.session.execute(text(statement))


def test_f25_bad_json_keeps_nobody_from_being_erased(app, people, in_house):
    # PostgreSQL takes nothing that is no JSON.
    with app.app_context():
        is_sqlite = db.engine.dialect.name == "sqlite"
    bad = "{kaputt, Frau Brandlhuber" if is_sqlite else '"Frau Brandlhuber"'
    spoil(in_house, f"UPDATE vote SET result = '{bad}'")
    assert run(app).failed == ""
    assert "Brandlhuber" not in last_names(app).values()
    with app.app_context(), unit.reading():
        assert "Brandlhuber" not in str(db.session.scalar(text("SELECT result FROM vote")))


def test_f25_a_person_who_cannot_be_read_keeps_nobody_else(app, people, in_house, caplog):
    spoil(in_house, f"UPDATE contact SET created_at = 'infinity' WHERE id = {people[1]}")
    night = run(app)
    assert night.failed == "guests,people"
    assert [one for one in caplog.records if one.exc_info and "guests" in one.getMessage()]
    assert "Ahlers" not in last_names(app).values() and last_names(app)[people[1]] == "Brandlhuber"
    with app.app_context(), unit.reading():
        assert db.session.scalar(select(Registration.diet)) == ""
        assert db.session.scalar(select(func.count(RetentionRun.id))) == 1


def test_f25_what_failed_is_tried_again_not_before_an_hour_and_monitoring_says_so(
    app, people, in_house, browser
):
    def state(at):
        with app.app_context(), unit.reading():
            is_good, figures = queries.retention_state(at)
            return is_good, figures["failed"]

    spoil(in_house, f"UPDATE contact SET created_at = 'infinity' WHERE id = {people[1]}")
    night = datetime(2024, 9, 3, 3, 0, tzinfo=UTC)
    assert [keep(app, night + minutes * HOUR / 60) for minutes in (0, 1, 59, 61)] == [
        True,
        False,
        False,
        True,
    ]
    assert state(night + 35 * HOUR) == (True, ["guests", "people"])
    assert state(night + 37 * HOUR) == (False, ["guests", "people"])
    spoil(in_house, f"UPDATE contact SET created_at = '2023-05-02 08:00:00' WHERE id = {people[1]}")
    assert [keep(app, night + hours * HOUR) for hours in (37, 38, 50)] == [True, False, True]
    assert state(night + 51 * HOUR) == (True, [])
    assert all(name.startswith("P-") for name in last_names(app).values())


def test_a_night_that_meets_an_outage_ends_and_is_no_good_one(app, people, monkeypatch):
    def away(*_what, **_more):
        raise outage.Unavailable("another process keeps the turn to write")

    monkeypatch.setattr(operations, "erase", away)
    night = run(app)
    assert night.failed == "guests" and set(night.counts.values()) == {0, 1}, "only what came before"


def test_between_two_people_others_get_their_turn(app, people, monkeypatch):
    """Each is erased in a transaction of its own: what was done for one is there while the next one is still waiting."""
    seen = []

    def erase(contact, **more):
        with ThreadPoolExecutor(1) as pool:
            seen.append(pool.submit(last_names, app).result())
        return real(contact, **more)

    real = operations.erase
    monkeypatch.setattr(operations, "erase", erase)
    assert run(app).failed == ""
    named = [[name for name in names.values() if not name.startswith("P-")] for names in seen]
    assert [len(names) for names in named] == [3, 2, 1]


def test_looking_at_what_would_go_erases_nobody(app, people, monkeypatch, count_queries):
    monkeypatch.setattr(operations, "erase", None)
    with app.app_context(), unit.reading(), count_queries() as seen:
        counts = operations.preview(at=LATER)
    assert counts["guests"] == 2 and counts["people"] == 1 and counts["needs"] == 1
    assert not [one for one in seen if one.split()[0] in {"UPDATE", "DELETE", "INSERT", "SAVEPOINT"}]


def test_f17_of_two_workers_one_does_the_nights_work(app, people, monkeypatch):
    real, other = operations.run_retention, []

    def begun(*, at):
        monkeypatch.setattr(operations, "run_retention", real)
        with ThreadPoolExecutor(1) as pool:
            other.append(pool.submit(keep, app, at).result())
        return real(at=at)

    monkeypatch.setattr(operations, "run_retention", begun)
    assert keep(app, LATER) and other == [False]
    with app.app_context(), unit.reading():
        assert db.session.scalar(select(func.count(RetentionRun.id))) == 1


def test_f17_a_worker_on_another_machine_with_the_same_database_counts_too(
    app, people, monkeypatch, tmp_path
):
    with app.app_context():
        is_another_house = db.engine.dialect.name == "sqlite"
        with monkeypatch.context() as patch:
            patch.setattr(app, "instance_path", str(tmp_path))
            there = unit.alone("retention")
            assert there.__enter__()
        assert keep(app, LATER) is is_another_house
        there.__exit__(None, None, None)
        assert keep(app, LATER) is not is_another_house, "and not longer than it lasts"
