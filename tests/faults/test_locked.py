"""A database that somebody else keeps locked: short is waited for, long is a page that keeps what was sent (F09)."""

import fcntl
import sqlite3
import threading
import time
from contextlib import closing

import pytest

from conference.kit.db import db
from conference.registrations.models import Registration

from ..servers import all_at_once, web
from .running import Guest, a_house, is_outage, keeps_input


@pytest.fixture(scope="module")
def place(tmp_path_factory, empty_database):
    """A server whose patience is one second."""
    folder = tmp_path_factory.mktemp("locked")
    app, tokens = a_house(folder / "instance", empty_database, 24)
    log = folder / "log"
    with web(folder / "instance", log, DATABASE_PATIENCE=1) as server:
        yield folder / "instance", app, [Guest(server.port, token) for token in tokens], log


@pytest.fixture
def here(place):
    """The server, with eight guests whom nobody has met."""
    folder, app, guests, log = place
    fresh = [guests.pop().look() for _number in range(8)]
    return folder, app, fresh, log


def registered(app):
    with app.app_context():
        return sorted(db.session.scalars(db.select(Registration.contact_id)))


def foreign(folder):
    """Another program that has opened the database, as an administrator's own would."""
    raw = sqlite3.connect(folder / "folgetermin.db", isolation_level=None, check_same_thread=False)
    raw.execute("BEGIN IMMEDIATE")
    return closing(raw)


def test_f09_a_short_lock_is_waited_for_and_a_long_one_is_said_with_the_input_kept(here):
    folder, app, guests, log = here
    with foreign(folder) as raw:
        ending = threading.Timer(0.4, raw.rollback)
        ending.start()
        assert guests[0].say_yes().status == 303
        ending.join()
    before = registered(app)
    with foreign(folder):
        begun = time.monotonic()
        late = all_at_once([guest.say_yes for guest in guests[1:4]])
        took = time.monotonic() - begun
        assert all(is_outage(one) and keeps_input(one) for one in late)
        assert took < 2 * 1.0 + 0.9, (
            "who waits behind somebody who waits has no longer patience than the others"
        )
        assert guests[4].call("GET").status == 200, "reading goes on"
        english = guests[4].call(
            "POST", fields={"reply": "accepted", "name": "A"}, Cookie=guests[4].cookie + "; lang=en"
        )
        assert "Just a moment, please" in english.page and 'lang="en"' in english.page
        for_programs = guests[5].call("POST", fields={"reply": "x"}, Accept="application/json")
        assert is_outage(for_programs) and for_programs.headers["Content-Type"] == "application/problem+json"
    assert registered(app) == before, "nothing of what was not confirmed is there"
    for guest, page in zip(guests[1:4], late, strict=True):
        assert guest.call("POST", fields=page.fields()).status == 303, "the page's own button works"
        assert guest.call("POST", fields=page.fields()).status == 303, "and twice is once"
    assert len(registered(app)) == len(before) + 3
    lines = log.read_text().splitlines()
    assert [line for line in lines if "Traceback" in line] == []
    assert len([line for line in lines if "unavailable at POST" in line]) == 5, "one line each"


def test_f09_a_process_that_was_stopped_in_its_turn_keeps_the_others_only_so_long(here):
    folder, app, guests, _log = here
    before = registered(app)
    with (folder / "write.lock").open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        assert all(is_outage(one) for one in all_at_once([guest.say_yes for guest in guests[:3]]))
    assert [answer.status for answer in all_at_once([guest.say_yes for guest in guests])] == [303] * 8
    assert len(registered(app)) == len(before) + 8


def test_f09_a_reader_that_never_ends_lets_the_log_grow_and_the_figures_say_so(here):
    folder, _app, guests, _log = here
    with closing(sqlite3.connect(folder / "folgetermin.db", isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM contact").fetchone()
        before = log_size(guests[0])
        for guest in guests[:4]:
            assert guest.say_yes().status == 303
        assert log_size(guests[0]) > before
    assert log_size(guests[0]) == (folder / "folgetermin.db-wal").stat().st_size


def log_size(guest):
    figures = guest.call("GET", "/metrics").page
    return int(next(line for line in figures.splitlines() if 'part="log"' in line).split()[1])
