"""What is away for a while: database, disk, lock. Which mishaps are of that kind, what to tell whom, and for how long.

Such a mishap is nobody's mistake: the page says so with 503 (or 507 for a full disk), asks to come again, and holds what was
sent. Everything else is a fault of ours (500).
"""

import errno
import json
import re
import sqlite3
from dataclasses import dataclass
from http import HTTPStatus

from flask import request
from flask_babel import gettext as _
from sqlalchemy.exc import DatabaseError, DBAPIError, InterfaceError, PendingRollbackError
from sqlalchemy.exc import TimeoutError as NoConnection

SOON, LATER = 5, 60
"""Seconds after which it makes sense to come again: for a lock, and for a full disk that somebody has to look after."""
AWAY = (DatabaseError, InterfaceError, PendingRollbackError, NoConnection)
"""How a database shows that it cannot be used, also where nobody sends an answer (workers, monitoring)."""
FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
CLOSED = {
    errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO, errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ESTALE,
    errno.ENOLCK,
}  # fmt: skip
# SQLite's primary result codes (the lowest byte of the extended ones).
LITE_FULL = {sqlite3.SQLITE_FULL}
LITE_AWAY = {
    sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_PROTOCOL, sqlite3.SQLITE_NOMEM, sqlite3.SQLITE_PERM, sqlite3.SQLITE_AUTH,
}  # fmt: skip
# PostgreSQL's classes: connection, resources, operator's doing, system; and single ones: read-only, no longer or not yet
# there, rolled back because others were faster.
STATES_AWAY = re.compile(r"08...|53...|55P03|57...|58...|25006|25P0[23]|40...|42P01|42703|3D000|28...")
STATES_FULL = {"53100"}
STATES_LOST_RACE = {"40001", "40P01", "55P03"}
UNPREPARED = re.compile(r"no such (?:table|column)")
PASSWORDS = re.compile(
    r".*(?:password|passwort|kennwort|passcode).*|current|again|code|totp.*|recovery.*", re.IGNORECASE
)
OURS = {"csrf_token"}
READABLE = re.compile(r"\s|[^\x00-\x7f]|[A-Z@]")
"""Words of people; what looks otherwise (accepted, 2, on) is mostly the value of a button or a choice."""


class Unavailable(Exception):
    """Something of ours cannot be had in time; the message is for the log."""


@dataclass(frozen=True)
class Outage:
    """What to answer: status, seconds to wait, and one line for the log."""

    status: HTTPStatus
    seconds: int
    reason: str


def judged(error: BaseException) -> Outage | None:
    """What kind of outage it is; None for what is no outage."""
    if isinstance(error, Unavailable | NoConnection | PendingRollbackError):
        return _soon(str(error))
    if isinstance(error, DBAPIError) and error.orig is not None:
        return judged(error.orig)
    if isinstance(error, OSError):
        return _of_system(error)
    if isinstance(error, sqlite3.Error):
        return _of_sqlite(error)
    state = getattr(error, "sqlstate", None)
    if isinstance(state, str):
        return _of_postgresql(error, state)
    # A driver that could not connect, or lost the line, has no code of the server.
    return _soon(str(error)) if type(error).__name__ == "OperationalError" else None


def is_lost_race(error: BaseException) -> bool:
    """True when the server has rolled everything back because somebody else was first: the same again may well succeed."""
    return isinstance(error, DBAPIError) and getattr(error.orig, "sqlstate", None) in STATES_LOST_RACE


def _soon(reason: str) -> Outage:
    return Outage(HTTPStatus.SERVICE_UNAVAILABLE, SOON, _line(reason))


def _full(reason: str) -> Outage:
    return Outage(HTTPStatus.INSUFFICIENT_STORAGE, LATER, _line(reason))


def _line(words: str) -> str:
    return (words.strip().splitlines() or ["unavailable"])[0]


def _of_system(error: OSError) -> Outage | None:
    if error.errno in FULL:
        return _full(error.strerror or "no room")
    return _soon(error.strerror or "closed") if error.errno in CLOSED else None


def _of_sqlite(error: sqlite3.Error) -> Outage | None:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code in LITE_FULL:
        return _full(str(error))
    if code in LITE_AWAY or UNPREPARED.match(str(error)):
        return _soon(str(error))
    return None


def _of_postgresql(error: BaseException, state: str) -> Outage | None:
    if state in STATES_FULL:
        return _full(str(error))
    return _soon(str(error)) if STATES_AWAY.fullmatch(state) else None


# -- what was sent -----------------------------------------------------


@dataclass(frozen=True)
class Kept:
    """What a person has sent, to be sent once more: fields as they came, texts among them to be read, fields of files."""

    address: str
    fields: tuple[tuple[str, str], ...]
    files: tuple[str, ...]
    texts: tuple[str, ...]


def kept() -> Kept | None:
    """What this request brought; None where there is nothing to send again, or a password that must not stand in a page."""
    # A body that was not read to its end may be what did not fit on the disk.
    if request.method != "POST" or request.url_rule is None or "form" not in vars(request):
        return None
    fields = tuple((name, value) for name, value in request.form.items(multi=True) if name not in OURS)
    files = tuple(dict.fromkeys(request.files))
    if any(PASSWORDS.fullmatch(name) for name, _value in fields):
        return None
    texts = tuple(value for name, value in fields if _is_readable(name, value))
    return Kept(request.full_path.rstrip("?"), fields, files, texts)


def _is_readable(name: str, value: str) -> bool:
    is_number_of_ours = name == "version" or name.endswith("_id")
    return not is_number_of_ours and READABLE.search(value) is not None


# -- answers for programs ----------------------------------------------


def plain(outage: Outage) -> tuple[str, str] | None:
    """The answer as (body, media type) for who reads no page: JSON, or a sentence in place of a feed or a file."""
    wants = request.accept_mimetypes
    words = _("The service is not available right now. Please try again in a moment.")
    if wants.best_match(["text/html", "application/json"]) == "application/json":
        return json.dumps({"status": outage.status.value, "detail": words}), "application/problem+json"
    if _is_file() and "text/html" not in {kind for kind, _quality in wants}:
        return words + "\n", "text/plain; charset=utf-8"
    return None


def _is_file() -> bool:
    """Whether the address is that of a file or a feed, which no browser shows as a page."""
    return re.search(r"\.(ics|csv|pdf|txt|json|xlsx|png)$", request.path) is not None
