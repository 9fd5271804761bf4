"""PostgreSQL that is restarted, locked, read-only or away: a page that keeps what was sent, and nothing confirmed is lost (F08)."""

import threading
import time
from contextlib import ExitStack, suppress

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import TimeoutError as NoConnection

from conference.conferences.models import Conference
from conference.kit import links, unit
from conference.kit.db import POSTGRESQL_LIMITS, db, without_limits

from ..browser import Browser
from ..builders import a_personal_link, an_invitation
from ..servers import all_at_once, wait_until, web
from .running import WORDS, Answer, Guest, a_house, is_outage, keeps_input

PEOPLE, CROWD = 48, 40


@pytest.fixture(scope="module")
def place(tmp_path_factory, cluster_of_ours):
    """A server on a cluster of its own; gives both, the app, guests, and the log."""
    folder = tmp_path_factory.mktemp("postgresql")
    log = folder / "log"
    url = cluster_of_ours.database("folgetermin")
    app, tokens = a_house(folder / "instance", None, PEOPLE, DATABASE_URL=url)
    with web(folder / "instance", log, DATABASE_URL=url, DATABASE_PATIENCE=4) as server:
        yield cluster_of_ours, app, [Guest(server.port, token) for token in tokens], log
    with app.app_context():
        db.engine.dispose()


@pytest.fixture
def here(place):
    """The same, with eight guests whom nobody has met."""
    database, app, guests, log = place
    return database, app, [guests.pop().look() for _number in range(8)], log


def registered(database):
    return {contact for (contact,) in database.ask("SELECT contact_id FROM registration")}


def test_f08_each_connection_has_limits_and_long_work_has_none(here):
    _database, app, _guests, _log = here
    with app.app_context():
        with db.engine.connect() as connection:
            for name, value in POSTGRESQL_LIMITS.items():
                assert connection.scalar(text(f"SHOW {name}")) == value
            without_limits(connection)
            assert {connection.scalar(text(f"SHOW {name}")) for name in POSTGRESQL_LIMITS} == {"0"}
        db.engine.dispose()


def test_f08_restarted_at_once_again_and_again_nothing_confirmed_is_lost(here):
    database, app, guests, log = here
    before = len(registered(database))
    waiting, statuses = more_guests(app, guests[0].port, CROWD), []

    def come():
        while waiting:
            guest, status = waiting.pop(), None
            while status != 303:
                answer = guest.call("GET")
                if answer.status == 200:
                    answer = guest.say_yes()
                status = answer.status
                statuses.append(status)
                if status != 303 and is_outage(answer):
                    time.sleep(0.3)  # as people do, who read the page

    crowd = [threading.Thread(target=come) for _number in range(4)]
    for one in crowd:
        one.start()
    for part in (3, 2, 1):
        wait_until(lambda part=part: len(waiting) <= CROWD * part / 4 or not all(map(is_alive, crowd)))
        database.restart()
    for one in crowd:
        one.join()
    assert statuses.count(303) == CROWD
    assert set(statuses) <= {303, 503}
    assert len(registered(database)) == before + CROWD
    assert database.ask("SELECT count(*) FROM mail WHERE kind = 'registered'") == [(before + CROWD,)]
    assert "Traceback" not in log.read_text()


def is_alive(thread):
    return thread.is_alive()


def more_guests(app, port, number):
    with app.app_context(), unit.writing():
        june = db.session.scalars(db.select(Conference)).one()
        invited = [an_invitation(june, sent=True) for _ in range(number)]
        return [Guest(port, links.token_of(a_personal_link(one).nonce)) for one in invited]


def test_f08_a_row_that_somebody_keeps_is_waited_for_and_then_said(here):
    database, _app, guests, log = here
    with database.connect() as other:
        other.autocommit = False
        other.execute("SELECT 1 FROM conference FOR UPDATE")
        ending = threading.Timer(3.5, other.rollback)  # longer than lock_timeout: the second try gets it
        ending.start()
        assert guests[0].say_yes().status == 303
        ending.join()
        other.execute("SELECT 1 FROM conference FOR UPDATE")
        late = all_at_once([guest.say_yes for guest in guests[1:4]])
        assert all(is_outage(one) and keeps_input(one) for one in late)
        assert guests[4].call("GET").status == 200, "reading goes on"
    assert [
        guest.call("POST", fields=page.fields()).status for guest, page in zip(guests[1:4], late, strict=True)
    ] == [303] * 3
    assert "Traceback" not in log.read_text()


def test_f08_when_all_connections_are_taken_it_is_said_with_the_input_kept_and_the_next_request_works(here):
    database, _app, guests, log = here
    database.restart()  # the server of the product has to come anew
    others = []
    with suppress(psycopg.OperationalError):
        while True:
            others.append(database.connect())
    late = guests[0].say_yes()
    assert is_outage(late) and keeps_input(late)
    assert is_outage(guests[1].call("GET"))
    for one in others:
        one.close()
    assert guests[1].call("GET").status == 200
    assert guests[0].call("POST", fields=late.fields()).status == 303
    assert "Traceback" not in log.read_text()


def test_f08_a_pool_that_is_full_is_said_with_the_input_kept_and_the_next_request_works(here, monkeypatch):
    _database, app, guests, _log = here
    browser, guest = Browser(app), guests[0]
    yes = {"reply": "accepted", "name": "Ada Muster", "diet": WORDS, "csrf_token": browser.csrf_token()}
    with app.app_context(), ExitStack() as others:
        pool = db.engine.pool
        monkeypatch.setattr(pool, "_timeout", 0.1)  # seconds; the product waits for ten
        with suppress(NoConnection):
            while True:
                others.enter_context(db.engine.connect())
        answer = browser.client.post(guest.link, data=yes)
        late = Answer(answer.status_code, answer.headers, answer.text)
        assert is_outage(late) and keeps_input(late)
    again = browser.client.post(guest.link, data=late.fields() | {"csrf_token": yes["csrf_token"]})
    assert again.status_code == 303


def test_f08_a_database_that_only_reads_and_one_that_is_gone(here):
    database, _app, guests, log = here
    database.ask("ALTER SYSTEM SET default_transaction_read_only = on")
    database.ask("SELECT pg_reload_conf()")
    answer = None
    while answer is None or answer.status == 303:  # the server hears of it in its own time
        answer = guests.pop().say_yes()
    assert is_outage(answer) and keeps_input(answer)
    assert guests[0].call("GET").status == 200
    database.stop()
    gone = guests[0].say_yes()
    assert is_outage(gone) and keeps_input(gone)
    looked = guests[0].call("GET")
    assert is_outage(looked) and "Noch einmal versuchen" in looked.page
    feed = guests[0].call("GET", "/programme/soon.ics", Accept="text/calendar")
    assert is_outage(feed) and feed.headers["Content-Type"].startswith("text/plain") and "<" not in feed.page
    assert guests[0].call("GET", "/healthz").status == 200
    assert guests[0].call("GET", "/readyz").status == 503
    database.start()
    database.ask("ALTER SYSTEM RESET default_transaction_read_only")
    database.ask("SELECT pg_reload_conf()")
    wait_until(lambda: guests[0].call("POST", fields=gone.fields()).status == 303)
    assert "Traceback" not in log.read_text()
