"""Faults from outside, one at a time: events of SQLAlchemy, and patched ways to open a file. Nothing of it is in the product."""

import builtins
import errno
import io
import os
import sqlite3
from contextlib import contextmanager

import psycopg
from sqlalchemy import event
from sqlalchemy.exc import OperationalError

from conference.kit import audit
from conference.kit.db import db

from ..conftest import SERVER, SETTINGS

FILES = 0 if SERVER else 1
"""So many files at least does a flow open to write; with a server it may need none."""
ENOUGH = 200
"""More steps than any of these flows has: a loop that does not end by itself is a mistake."""


class Faults:
    """Lets the n-th step of a kind fail, once."""

    def __init__(self):
        self.kind, self.left, self.has_struck = "", 0, False

    def arm(self, kind, number):
        self.kind, self.left, self.has_struck = kind, number, False

    def rest(self):
        """Let nothing fail; gives what would have."""
        left, self.left = self.left, 0
        return left

    def strikes(self, kind):
        if kind != self.kind or self.left == 0:
            return False
        self.left -= 1
        self.has_struck = self.left == 0
        return self.has_struck


@contextmanager
def wired(app, monkeypatch):
    """Faults in the database of the app and in opening files to write, in this process only."""
    made = Faults()
    with app.app_context():
        engine = db.engine
    error = psycopg.OperationalError("the connection is lost")
    if engine.dialect.name == "sqlite":
        error = sqlite3.OperationalError("disk I/O error")
        error.sqlite_errorcode = sqlite3.SQLITE_IOERR

    def on_statement(_connection, *_rest):
        if made.strikes("statement"):
            raise OperationalError("a statement", {}, error)

    for name in ("before_cursor_execute", "commit"):
        event.listen(engine, name, on_statement)

    def patched(module, name, writes):
        real = getattr(module, name)

        def instead(*words, **named):
            if writes(*words, **named) and made.strikes("file"):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return real(*words, **named)

        monkeypatch.setattr(module, name, instead)

    for module in (builtins, io):
        patched(module, "open", lambda _path, mode="r", *_rest, **_named: bool(set(mode) & set("wax+")))
    patched(os, "open", lambda _path, flags=0, *_rest, **_named: bool(flags & (os.O_WRONLY | os.O_RDWR)))
    patched(sqlite3, "connect", lambda *_words, **_named: True)  # the queue; SQLAlchemy has a way of its own
    yield made
    for name in ("before_cursor_execute", "commit"):
        event.remove(engine, name, on_statement)


def through(faults, kind, once):
    """Do it with its first, second … step failing, until it has so few that none fails; gives how many there are.

    `once(is_over)` goes through the flow for somebody new, and must leave what holds.
    """
    for number in range(1, ENOUGH):
        faults.arm(kind, number)
        once()
        if not faults.has_struck:
            return number - 1
    raise AssertionError("there is no end")


def chain_holds(app):
    with app.app_context():
        with db.engine.connect() as connection:
            assert audit.verify(connection, [SETTINGS["SECRET_KEY"]])[2] is None
        db.session.remove()
