"""Told to stop (a deploy): what is being answered is answered, what is being sent is sent once, and the next one goes on (F21)."""

import asyncio
import signal
import sqlite3
import threading
from collections import Counter
from contextlib import closing
from email import message_from_bytes

from .. import smtp
from ..servers import process, settings_of, wait_until, web
from .running import Guest

smtp_server = smtp.smtp_server


def test_f21_a_request_on_its_way_is_answered_and_the_worker_loses_and_doubles_nothing(
    house_of, log, smtp_server
):
    folder, _app, tokens = house_of(6)
    answers, begun = [], threading.Event()
    with web(folder, log) as server:
        guest = Guest(server.port, tokens[0]).look()
        with closing(sqlite3.connect(folder / "folgetermin.db", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")

            def come():
                begun.set()
                answers.append(guest.say_yes().status)

            one = threading.Thread(target=come)
            one.start()
            begun.wait()
            wait_until(lambda: is_waiting(folder))
            server.send_signal(signal.SIGTERM)
            assert not answers
            other.rollback()
        one.join()
        assert (answers, server.wait()) == ([303], 0)

    take = smtp_server.handle_DATA

    async def slowly(session_of, session, envelope):
        await asyncio.sleep(0.1)
        return await take(session_of, session, envelope)

    smtp_server.handle_DATA = slowly
    over = {"MAIL_SERVER": smtp_server.host, "MAIL_PORT": smtp_server.port}
    settings = settings_of(folder, **over)
    with process(["tests.faults.worker"], settings, log) as worker:
        wait_until(lambda: smtp_server.messages)
        worker.send_signal(signal.SIGTERM)
        assert worker.wait() == 0
    assert on_their_way(folder) == 0, "taken and left lying, for as long as the lease holds"
    with process(["tests.faults.worker"], settings, log), web(folder, log, **over) as server:
        assert Guest(server.port, tokens[1]).look().say_yes().status == 303
        wait_until(lambda: len(arrived(smtp_server)) == len(tokens) + 2)
    assert set(arrived(smtp_server).values()) == {1}
    assert "Traceback" not in log.read_text()


def is_waiting(folder):
    """Whether the request has got as far as to wait for the database: it has the turn to write."""
    import fcntl

    with (folder / "write.lock").open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def on_their_way(folder):
    with closing(sqlite3.connect(folder / "folgetermin.db")) as database:
        return database.execute("SELECT count(*) FROM mail WHERE state = 'sending'").fetchone()[0]


def arrived(server):
    return Counter(str(message_from_bytes(one.content)["Message-ID"]) for one in list(server.messages))
