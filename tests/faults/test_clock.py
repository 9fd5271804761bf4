"""Clocks that jump, and clocks of several machines that differ: nobody is thought idle, no letter goes twice (F12)."""

from collections import Counter
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from email import message_from_bytes

import pytest

from conference.kit import clock, unit
from conference.kit.db import db
from conference.outbox import operations as outbox
from conference.outbox.models import Mail, MailState

from .. import smtp
from ..builders import NOW, a_mail, an_account
from ..servers import process, settings_of, wait_until, web
from .running import Guest, a_house, signed_in

smtp_server = smtp.smtp_server
OTHER = "tests.faults.other_clock"


@pytest.fixture
def hands(tmp_path):
    """`hands(name, seconds)`: sets the clock of a process; gives the words that begin its command."""

    def move(name, seconds):
        file = tmp_path / name
        draft = file.with_suffix(".new")
        draft.write_text(str(seconds))
        draft.replace(file)
        return [OTHER, str(file)]

    return move


def worker(folder, log, over, begin=()):
    return process([*begin, "tests.faults.worker"], settings_of(folder, **over), log)


def arrived(server):
    return Counter(str(message_from_bytes(one.content)["Message-ID"]) for one in list(server.messages))


def with_staff(app):
    with app.app_context():
        with unit.writing():
            account = an_account()
        db.session.remove()
        db.engine.dispose()
    return account


def test_f12_the_hands_are_moved_while_people_and_worker_are_at_work(
    tmp_path, empty_database, log, smtp_server, hands
):
    folder = tmp_path / "instance"
    app, tokens = a_house(folder, empty_database, 6)
    account = with_staff(app)
    over = {"MAIL_SERVER": smtp_server.host, "MAIL_PORT": smtp_server.port}
    begin = hands("clock", 0)
    with web(folder, log, begin=begin, **over) as server, worker(folder, log, over, begin):
        guests = [Guest(server.port, token) for token in tokens]
        staff = signed_in(app, account, server.port)
        sent = len(tokens)  # the invitations
        for moved in (0, 3600, 0):
            hands("clock", moved)
            assert staff.call("GET", "/account").status == 200, "signed out by the clock"
            for guest in (guests.pop(), guests.pop()):
                assert guest.look().say_yes().status == 303
                assert guest.call("GET", "/my").status == 200
            sent += 2
            if moved == 0:  # what was written an hour ahead is late, not lost: see below
                wait_until(lambda at_least=sent - 2: arrived(smtp_server).total() >= at_least)
    assert set(arrived(smtp_server).values()) == {1}
    assert "Traceback" not in log.read_text()


def test_f12_after_a_jump_nobody_takes_what_another_may_be_sending(app, in_house, smtp_server, monkeypatch):
    app.config.update(MAIL_SERVER=smtp_server.host, MAIL_PORT=smtp_server.port)
    with in_house():
        taken = a_mail()
        taken.state, taken.lease_until = MailState.SENDING, NOW + outbox.LEASE
    later = NOW + timedelta(hours=1)
    monkeypatch.setattr(clock, "JUMP", 30.0)
    monkeypatch.setattr(clock, "_hands", clock._Hands(clock._hands.difference - 3600))
    with app.app_context():
        clock.now()  # sees that the hands stand an hour further than it thought
        assert outbox.drain(lambda: later).sent == 0
        monkeypatch.setattr(clock, "_hands", clock._Hands(clock._hands.difference))
        assert outbox.drain(lambda: later).sent == 1
        db.session.remove()


def test_f12_machines_whose_clocks_differ_follow_that_of_the_database(
    tmp_path, cluster_of_ours, log, smtp_server, hands
):
    folder = tmp_path / "instance"
    database = cluster_of_ours.database("clock")
    over = {"DATABASE_URL": database}
    app, tokens = a_house(folder, None, 4, **over)
    account = with_staff(app)
    over |= {"MAIL_SERVER": smtp_server.host, "MAIL_PORT": smtp_server.port}
    with ExitStack() as stack:
        server = stack.enter_context(web(folder, log, begin=hands("web", 3600), **over))
        for token in tokens:
            assert Guest(server.port, token).look().say_yes().status == 303
        assert signed_in(app, account, server.port).call("GET", "/account").status == 200
        stack.enter_context(worker(folder, log, over, hands("worker", -3600)))
        # Without the server's clock these letters would be two hours from due.
        wait_until(lambda: len(arrived(smtp_server)) == 2 * len(tokens))
    assert set(arrived(smtp_server).values()) == {1}
    with app.app_context():
        times = db.session.scalars(db.select(Mail.created_at).where(Mail.kind == "registered")).all()
        assert max(abs(datetime.now(UTC) - at) for at in times) < timedelta(minutes=30)
        db.session.remove()
        db.engine.dispose()
