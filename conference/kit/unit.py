"""One request, one transaction: a good end commits, a bad end rolls back; writers take turns."""

import fcntl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from flask import Response, current_app, has_app_context, make_response, request
from flask.typing import ResponseReturnValue

from .db import db, writing_mode

F = TypeVar("F", bound=Callable[..., Any])

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
    with writing(commit=False) as end:
        response = make_response(dispatch())
        end(response.status_code < 400)
    return response


def _run_reading(dispatch: Callable[[], ResponseReturnValue]) -> Response:
    try:
        return make_response(dispatch())
    finally:
        db.session.rollback()


@contextmanager
def writing(commit: bool = True) -> Iterator[Callable[[bool], None]]:
    """A writing transaction. It commits at the end, unless an exception passes or `end(False)` was called.

    With commit=False the caller must call `end(True)` to commit.
    """
    if writing_mode.get():
        raise RuntimeError("a writing transaction is already open")
    outcome = {"good": commit}

    def end(good: bool) -> None:
        outcome["good"] = good

    db.session.rollback()
    with _one_writer():
        token = writing_mode.set(True)
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
        except Exception:
            current_app.logger.exception("work after the commit failed; the schedule repeats it")


@contextmanager
def _one_writer() -> Iterator[None]:
    # SQLite's busy handler lets writers overtake each other in growing sleeps; taking turns before
    # BEGIN IMMEDIATE cuts the 99th percentile by ten (measured in the handbook).
    path: Path | None = current_app.config["WRITE_LOCK"]
    if path is None:
        yield
        return
    with _turn, path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
