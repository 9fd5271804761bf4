"""Who tries out personal links (T05): slowed by address, and an alarm for the house when many are wrong at once.

A right link always opens: its 256 bits cannot be guessed, and a whole agency may sit behind one address. What is limited is being
wrong. The count is kept in a small file beside the database, because several processes share it and no GET writes a row.
"""

import fcntl
import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO

from flask import Flask, Response, current_app, render_template, request
from flask_limiter.util import get_remote_address
from limits import parse

from . import tries
from .limits import limiter

BY_ADDRESS = "20 per 10 minutes"
WINDOW = 600
ALARM = 200
"""So many wrong links within the window, from wherever, are no typing errors."""
REMEMBERED = 24 * 3600
FILE = "wrong-links"


@dataclass(frozen=True)
class Guesses:
    """Wrong links: in the window that runs, when it began, in all, and when there were too many at last."""

    recent: int = 0
    since: float = 0
    total: int = 0
    alarmed_at: float = 0

    @property
    def is_alarming(self) -> bool:
        """True for a day after an alarm."""
        return bool(self.alarmed_at) and time.time() - self.alarmed_at < REMEMBERED


def init(app: Flask) -> None:
    """Look at every answer."""
    app.after_request(_note)


def _note(response: Response) -> Response:
    if response.status_code != 404 or "token" not in (request.view_args or {}):
        return response
    _count(current_app, time.time())
    if limiter.enabled and not tries.one_more(limiter, parse(BY_ADDRESS), "links", get_remote_address()):
        response.status_code = 429
        response.headers["Retry-After"] = str(WINDOW)
        response.set_data(render_template("errors/429.html", status=429))
    return response


def seen(app: Flask) -> Guesses:
    """What was counted. Nothing, where the file cannot be read."""
    try:
        with _file(app).open() as file:
            return _read(file)
    except OSError:
        return Guesses()


def _file(app: Flask) -> Path:
    return Path(app.instance_path, FILE)


def _read(file: IO[str]) -> Guesses:
    try:
        return Guesses(**json.load(file))
    except (ValueError, TypeError):
        return Guesses()


def _count(app: Flask, now: float) -> None:
    try:
        with _file(app).open("a+") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            file.seek(0)
            before = _read(file)
            after = _one_more(before, now)
            file.seek(0)
            file.truncate()
            json.dump(asdict(after), file)
    except OSError:
        return
    if after.alarmed_at == now:
        app.logger.error(
            "somebody guesses personal links: %d wrong ones within ten minutes; none of them opened anything",
            after.recent,
        )


def _one_more(before: Guesses, now: float) -> Guesses:
    fresh = not 0 <= now - before.since < WINDOW
    recent, since = (1, now) if fresh else (before.recent + 1, before.since)
    # Once in a window: an alarm that repeats itself with each try would fill the log.
    return Guesses(recent, since, before.total + 1, now if recent == ALARM else before.alarmed_at)
