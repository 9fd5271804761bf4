"""Keeping the house running: is all well, backups, what was erased stays erased."""

from pathlib import Path

from flask import Blueprint, Flask, Response, request

from ..kit import clock, counts, jobs, unit
from ..kit.db import db

bp = Blueprint("upkeep", __name__)

from ..outbox import operations as outbox  # noqa: E402
from . import backups, erasures, leftovers, metrics, operations, views  # noqa: E402, F401 - the views register themselves on the blueprint

BEAT = 20.0


def init(app: Flask) -> None:
    """Let each worker say that it is there, make the backups that are due, and keep the file of what was erased."""
    jobs.all_the_time(app, _beat, BEAT, _bid_farewell)
    jobs.every_minute(app, "backups", lambda: backups.keep_schedule(app, at=clock.now()))
    jobs.every_minute(app, "leftovers", lambda: leftovers.throw_away(app, at=clock.now()))
    jobs.every_minute(app, "erasures", lambda: _keep_erasures(app))
    # The outbox lies upstream and knows nothing of erasures.
    erasures.on(app, erasures.ADDRESS, outbox.erase)
    app.after_request(_count)


def _count(answer: Response) -> Response:
    """What somebody who watches the house wants to hear of; see metrics.py."""
    status = answer.status_code
    if status >= 500:
        counts.add(metrics.CRASHED)
    if status in (422, 429) and request.method == "POST" and request.path.startswith("/sign-in"):
        counts.add(metrics.NOT_SIGNED_IN)
    return answer


def _beat() -> None:
    operations.beat(at=clock.now())


def _bid_farewell() -> None:
    operations.bid_farewell()


def _keep_erasures(app: Flask) -> None:
    with unit.reading():
        lines = erasures.in_table(db.session.connection())
    erasures.keep_file(Path(app.instance_path), lines)
