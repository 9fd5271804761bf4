"""Wrong tries at somebody's secret, counted for all processes of this machine together: else two would allow twice as many.

A small SQLite file beside the database, because a GET (a wrong link) may write no row of ours, and because the memory of
Flask-Limiter is that of one process. Only who tries leaves something there: a keyed hash and a number, until its time is over.
Where the file cannot be used, the process counts for itself.
"""

import hashlib
import hmac
import os
import sqlite3
import time
from contextlib import closing, suppress
from pathlib import Path

from flask import Flask, current_app
from flask_limiter import Limiter
from limits import RateLimitItem

from . import jobs

FILE = "wrong-tries"
PATIENCE = 2
"""Seconds that a try waits for another one to be counted."""
TABLE = "CREATE TABLE IF NOT EXISTS tries (what TEXT PRIMARY KEY, number INTEGER NOT NULL, ends_at REAL NOT NULL) WITHOUT ROWID"
# A window that is over begins anew; so does one that ends later than it could, after a clock was set back.
COUNT = """
INSERT INTO tries VALUES (:what, 1, :ends_at) ON CONFLICT (what) DO UPDATE SET
  number = CASE WHEN ends_at BETWEEN :now AND :ends_at THEN number + 1 ELSE 1 END,
  ends_at = CASE WHEN ends_at BETWEEN :now AND :ends_at THEN ends_at ELSE :ends_at END
RETURNING number
"""
FORGET = "DELETE FROM tries WHERE ends_at < ?"
LOOK = "SELECT number FROM tries WHERE what = :what AND ends_at BETWEEN :now AND :ends_at"


def one_more(limiter: Limiter, limit: RateLimitItem, *key: str) -> bool:
    """Count one more; whether it is still within the limit."""
    try:
        with closing(_opened()) as file:
            file.execute("BEGIN IMMEDIATE")
            file.execute(TABLE)
            [number] = file.execute(COUNT, _asked(limit, key)).fetchone()
            file.execute(FORGET, [time.time()])
            file.execute("COMMIT")
    except (OSError, sqlite3.Error):
        return limiter.limiter.hit(limit, *key)
    return bool(number <= limit.amount)


def is_one_left(limiter: Limiter, limit: RateLimitItem, *key: str) -> bool:
    """Whether another one would be within the limit; counts nothing and writes nothing."""
    found = None
    with suppress(OSError, sqlite3.Error):
        if _file().exists():
            with closing(_opened()) as file:
                found = file.execute(LOOK, _asked(limit, key)).fetchone()
    # What the process had to count for itself counts too.
    return (found is None or found[0] < limit.amount) and limiter.limiter.test(limit, *key)


def init(app: Flask) -> None:
    """Forget in the worker what is over; `jobs` must be there."""
    jobs.every_minute(app, "wrong tries", forget)


def forget() -> int:
    """Throw away what is over, also where nobody is wrong any more. Returns how many."""
    with suppress(OSError, sqlite3.Error):
        if _file().exists():
            with closing(_opened()) as file:
                return file.execute(FORGET, [time.time()]).rowcount
    return 0


def _file() -> Path:
    return Path(current_app.instance_path, FILE)


def _opened() -> sqlite3.Connection:
    # Nobody else's, whatever the mask of the process is.
    os.close(os.open(_file(), os.O_CREAT | os.O_RDWR, 0o600))
    file = sqlite3.connect(_file(), timeout=PATIENCE, isolation_level=None)
    file.execute("PRAGMA synchronous=OFF")  # a number that a loss of power takes is no loss
    return file


def _asked(limit: RateLimitItem, key: tuple[str, ...]) -> dict[str, object]:
    now = time.time()
    secret = current_app.config["SECRET_KEY"].encode()
    words = "\0".join((str(limit), *key)).encode("utf-8", "replace")
    what = hmac.new(secret, b"wrong-try:" + words, hashlib.sha256).hexdigest()
    return {"what": what, "now": now, "ends_at": now + limit.get_expiry()}
