"""Whether the database may be used: its schema is known to this version, and what it confirms survives a power cut."""

import re
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from flask import Flask, request
from sqlalchemy import inspect, text
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DatabaseError

from . import outage
from .db import db

REVISION = re.compile(r"^(down_revision|revision)\b[^=\n]*=\s*(.+)$", re.MULTILINE)
NAME = re.compile(r"[\"']([^\"']+)[\"']")
SAFE_COMMITS = {"on", "local", "remote_write", "remote_apply"}
AGAIN = 5.0
"""Seconds after which a database that could not be used, or must not be, is looked at again."""
ALIVE = {"static", "upkeep.show_health", "upkeep.show_readiness", "upkeep.show_metrics"}
"""These say themselves what is wrong."""
UNSOUND = "unsound database"
FULL = 2
"""SQLite's name for `synchronous=FULL`."""


class Unsound(SystemExit):
    """The database must not be used; the message is one line that says why and what to do."""


@dataclass(frozen=True)
class Schema:
    """The schema of a database beside what this version knows."""

    found: str | None
    head: str
    known: frozenset[str]

    @property
    def state(self) -> str:
        """Either "current", "older" or "missing" (for both there is `prepare`), or "unknown": a newer version made it."""
        if self.found is None:
            return "missing"
        if self.found == self.head:
            return "current"
        return "older" if self.found in self.known else "unknown"


@lru_cache(maxsize=4)
def revisions(folder: Path) -> tuple[str, frozenset[str]]:
    """The newest schema and all that this version knows, read without Alembic, which no web process imports."""
    known: set[str] = set()
    passed: set[str] = set()
    for path in (folder / "versions").glob("*.py"):
        for kind, value in REVISION.findall(path.read_text(encoding="utf-8")):
            (known if kind == "revision" else passed).update(NAME.findall(value))
    (head,) = known - passed
    return head, frozenset(known)


def schema(app: Flask, connection: Connection) -> Schema:
    """The schema of the connected database."""
    found = None
    if inspect(connection).has_table("alembic_version"):
        found = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return Schema(found, *revisions(Path(app.config["MIGRATIONS"])))


def weaknesses(connection: Connection) -> list[str]:
    """Why what this database confirms could be gone after a power cut; nothing when it is safe."""
    if connection.dialect.name == "sqlite":
        return _of_sqlite(connection)
    return _of_postgresql(connection)


def _of_sqlite(connection: Connection) -> list[str]:
    found = []
    journal = connection.exec_driver_sql("PRAGMA journal_mode").scalar()
    if journal != "wal":
        found.append(
            f"SQLite keeps no write-ahead log (journal_mode={journal}); it needs a file on a local disk"
        )
    if int(connection.exec_driver_sql("PRAGMA synchronous").scalar() or 0) < FULL:
        found.append("SQLite does not wait for the disk (synchronous is below FULL)")
    return found


def _of_postgresql(connection: Connection) -> list[str]:
    def is_set(name: str, safe: Iterable[str]) -> bool:
        return str(connection.exec_driver_sql(f"SHOW {name}").scalar()) in safe

    wanted = {"fsync": {"on"}, "full_page_writes": {"on"}, "synchronous_commit": SAFE_COMMITS}
    return [f"PostgreSQL runs with {name}=off" for name, safe in wanted.items() if not is_set(name, safe)]


def check(app: Flask) -> str:
    """Refuse a database that this version does not know, and in production one that could lose what it has confirmed.

    Returns the state of the schema. Raises Unsound, and DatabaseError for what cannot be reached or is no database.
    """
    if _is_unmade(app):
        return "missing"
    with app.app_context():
        try:
            with db.engine.connect() as connection:
                found, weak = schema(app, connection), weaknesses(connection)
        finally:
            # A process that is copied afterwards must not share a connection with its copies.
            db.engine.dispose()
    if found.state == "unknown":
        raise Unsound(
            f"The database has the schema {found.found}, which this version does not know (it knows {found.head}). "
            "Install the version that made it, or restore an older backup."
        )
    if weak and app.config["PRODUCTION"]:
        raise Unsound(f"Not safe for production: {'; '.join(weak)}.")
    return found.state


def check_if_reachable(app: Flask) -> None:
    """`check` for a server that starts: while the database cannot be used, pages say so, and it starts all the same.

    Then it is checked as soon as it can be used, and until it is found sound nobody gets a page.
    """
    if not _is_found_sound(app):
        app.before_request_funcs.setdefault(None, []).insert(0, _Later(app))


def _is_found_sound(app: Flask) -> bool:
    try:
        state = check(app)
    except DatabaseError as error:
        app.logger.error("the database cannot be used yet: %s", error.orig)
        return False
    if state != "current":
        app.logger.warning("the schema of the database is %s; to prepare it: flask --app wsgi prepare", state)
    return True


class _Later:
    """Checks before a request what could not be checked when the server started, until it could."""

    def __init__(self, app: Flask) -> None:
        self.app, self.one = app, threading.Lock()
        self.asked_at: float | None = None
        app.extensions[UNSOUND] = "the database cannot be used yet"

    def __call__(self) -> None:
        if not unsound(self.app) or request.endpoint in ALIVE:
            return
        with self.one:
            is_time = self.asked_at is None or time.monotonic() - self.asked_at >= AGAIN
            if is_time and unsound(self.app):
                self._ask()
        if reason := unsound(self.app):
            raise outage.Unavailable(reason)

    def _ask(self) -> None:
        try:
            if _is_found_sound(self.app):
                del self.app.extensions[UNSOUND]
        except Unsound as error:
            self.app.extensions[UNSOUND] = str(error)
            self.app.logger.error("%s", error)
        self.asked_at = time.monotonic()


def unsound(app: Flask) -> str:
    """Why this server must not use its database; nothing when it may."""
    return str(app.extensions.get(UNSOUND, ""))


def _is_unmade(app: Flask) -> bool:
    """True where looking would make the file."""
    with app.app_context():
        url = db.engine.url
    return url.get_backend_name() == "sqlite" and bool(url.database) and not Path(str(url.database)).exists()
