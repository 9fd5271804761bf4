"""One request, one transaction: a good end commits, a bad end rolls back; writers take turns."""

import fcntl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, TypeVar

from flask import Response, current_app, g, has_app_context, make_response, request, session
from flask.typing import ResponseReturnValue
from sqlalchemy import text
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError

from . import outage
from .db import db, deadline, writing_mode

F = TypeVar("F", bound=Callable[..., Any])

ALONE = 20161006
"""Our space of PostgreSQL's advisory locks for `alone` and `in_turn`."""
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})

_turn = threading.Lock()


def is_writing() -> bool:
    """True inside a writing transaction; SQLite then begins with BEGIN IMMEDIATE."""
    return writing_mode.get()


def own_transactions(view: F) -> F:
    """Mark a view that opens its own short transactions, because it renders a PDF or waits for something between them."""
    view.own_transactions = True  # type: ignore[attr-defined]
    return view


def run(dispatch: Callable[[], ResponseReturnValue]) -> Response:
    """Answer the current request inside its transaction."""
    view = current_app.view_functions.get(request.endpoint or "")
    if request.method in SAFE_METHODS or getattr(view, "own_transactions", False):
        return _run_reading(dispatch)
    return _run_writing(dispatch)


def _run_writing(dispatch: Callable[[], ResponseReturnValue]) -> Response:
    """Answer, and once more from the beginning when PostgreSQL has taken everything back because somebody else was first."""
    until, before = time.monotonic() + _patience(), dict(session)
    while True:
        try:
            with writing(commit=False, until=until) as end:
                response = make_response(dispatch())
                end(response.status_code < 400)
            return response
        except DBAPIError as error:
            if not outage.is_lost_race(error) or time.monotonic() >= until or request.files:
                raise
        g.pop("visitor", None)
        if dict(session) != before:
            session.clear()
            session.update(before)


def _patience() -> float:
    return float(current_app.config["DATABASE_PATIENCE"])


def _run_reading(dispatch: Callable[[], ResponseReturnValue]) -> Response:
    try:
        return make_response(dispatch())
    finally:
        db.session.rollback()


@contextmanager
def writing(commit: bool = True, *, until: float | None = None) -> Iterator[Callable[[bool], None]]:
    """A writing transaction. It commits at the end, unless an exception passes or `end(False)` was called.

    With commit=False the caller must call `end(True)` to commit. Who is not let in within DATABASE_PATIENCE (or `until`,
    on the monotonic clock) gets Unavailable or the database's own error.
    """
    if writing_mode.get():
        raise RuntimeError("a writing transaction is already open")
    outcome = {"good": commit}

    def end(good: bool) -> None:
        outcome["good"] = good

    db.session.rollback()
    until = time.monotonic() + _patience() if until is None else until
    with _one_writer(until):
        token, waits = writing_mode.set(True), deadline.set(until)
        try:
            yield end
            if outcome["good"]:
                db.session.commit()
            else:
                db.session.rollback()
        except BaseException:
            db.session.rollback()
            raise
        finally:
            writing_mode.reset(token)
            deadline.reset(waits)
    calls = db.session.info.pop("after_commit", {})
    if outcome["good"]:
        _do(calls)


@contextmanager
def reading() -> Iterator[None]:
    """A reading transaction that is closed at the end, so that slow work after it holds nothing open."""
    try:
        yield
    finally:
        db.session.rollback()


def tried(what: str, work: Callable[[], int]) -> int:
    """Do one of many things, in transactions of its own: when it cannot be done that is told, and the others get their turn.

    Raises what is an outage, which all the others would meet too, but for a race that was lost to somebody else.
    """
    try:
        return work()
    except Exception as error:
        found = outage.judged(error)
        if found is None:
            current_app.logger.exception("%s could not be done", what)
        elif outage.is_lost_race(error):
            current_app.logger.error("%s could not be done: %s", what, found.reason)
        else:
            raise
        return 0


def must_be_closed(doing: str) -> None:
    """Raise RuntimeError while a transaction is open: slow or outside work would hold locks for as long as it takes."""
    if has_app_context() and db.session.registry.has() and db.session().in_transaction():
        raise RuntimeError(
            f"A transaction is open while {doing}. Mark the view with @unit.own_transactions, read inside "
            "`with unit.reading()`, do the work, then write inside `with unit.writing()`."
        )


def after_commit(key: str, call: Callable[[], None]) -> None:
    """Do this once after the current transaction has been committed; a failure there cannot undo the commit."""
    db.session.info.setdefault("after_commit", {})[key] = call


def _do(calls: dict[str, Callable[[], None]]) -> None:
    for call in calls.values():
        try:
            call()
        except Exception as error:
            found = outage.judged(error)
            if found is None:
                current_app.logger.exception("work after the commit failed; the schedule repeats it")
            else:
                current_app.logger.error(
                    "work after the commit failed; the schedule repeats it: %s", found.reason
                )


@contextmanager
def alone(name: str) -> Iterator[bool]:
    """For work of several transactions that only one process may do at a time: False when somebody does it now.

    Held are a file, for the processes of this machine, and on PostgreSQL, which others may use, its own lock of a session.
    """
    with _lock_file(name).open("a") as file, _session_of_its_own() as session:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield session is None or _has_lock(session, name)


@contextmanager
def in_turn(name: str) -> Iterator[None]:
    """The same for work that everybody may do, one after the other. Who waits longer than DATABASE_PATIENCE gets an outage."""
    until = time.monotonic() + _patience()
    # The file first: of all who wait on this machine, only one holds a connection meanwhile.
    with _locked(_lock_file(name), until), _session_of_its_own() as session:
        if session is not None:
            _wait_for_lock(session, name, until)
        yield


def _lock_file(name: str) -> Path:
    folder = Path(current_app.instance_path, "locks")
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder / name


@contextmanager
def _session_of_its_own() -> Iterator[Connection | None]:
    """A connection that holds a lock and no transaction; closed, not kept, or the lock would stay with it."""
    if db.engine.dialect.name != "postgresql":
        yield None
        return
    with db.engine.connect() as connection:
        try:
            yield connection.execution_options(isolation_level="AUTOCOMMIT")
        finally:
            connection.invalidate()


def _has_lock(session: Connection, name: str) -> bool:
    query = text("SELECT pg_try_advisory_lock(:space, hashtext(:name))")
    return bool(session.scalar(query, {"space": ALONE, "name": name}))


def _wait_for_lock(session: Connection, name: str, until: float) -> None:
    left = max(1, int((until - time.monotonic()) * 1000))
    session.exec_driver_sql(f"SET lock_timeout = {left}")
    session.exec_driver_sql("SET statement_timeout = 0")
    session.execute(text("SELECT pg_advisory_lock(:space, hashtext(:name))"), {"space": ALONE, "name": name})


@contextmanager
def _one_writer(until: float) -> Iterator[None]:
    # SQLite's busy handler lets writers overtake each other in growing sleeps; taking turns before
    # BEGIN IMMEDIATE cuts the 99th percentile by ten (measured in the handbook).
    path: Path | None = current_app.config["WRITE_LOCK"]
    if path is None:
        yield
        return
    if not _turn.acquire(timeout=max(0.0, until - time.monotonic())):
        raise outage.Unavailable("the turn to write did not come in time")
    try:
        file = _locked(path, until)
        try:
            yield
        finally:
            file.close()
    finally:
        _turn.release()


def _locked(path: Path, until: float) -> IO[str]:
    """The file, locked against other processes. Raises Unavailable when they keep it beyond the time."""
    file = path.open("a")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return _Waiting(file).until(until)
    except BaseException:
        file.close()
        raise
    return file


class _Waiting:
    """Waits for the lock in the queue of the system, which knows no time limit: so a thread waits, and may be left."""

    def __init__(self, file: IO[str]) -> None:
        self.file = file
        self.has_it, self.is_left, self.one = threading.Event(), False, threading.Lock()

    def until(self, moment: float) -> IO[str]:
        threading.Thread(target=self._wait, daemon=True).start()
        self.has_it.wait(max(0.0, moment - time.monotonic()))
        with self.one:
            if self.has_it.is_set():
                return self.file
            self.is_left = True
        raise outage.Unavailable("another process keeps the turn to write")

    def _wait(self) -> None:
        fcntl.flock(self.file, fcntl.LOCK_EX)
        with self.one:
            self.has_it.set()
            if self.is_left:
                self.file.close()
