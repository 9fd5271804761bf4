"""Keeping the house running: is all well, backups, what was erased stays erased."""

from pathlib import Path

from flask import Blueprint, Flask

from ..kit import clock, jobs, unit
from ..kit.db import db

bp = Blueprint("upkeep", __name__)

from ..outbox import operations as outbox  # noqa: E402
from . import backups, erasures, operations, views  # noqa: E402, F401 - the views register themselves on the blueprint

BEAT = 20.0


def init(app: Flask) -> None:
    """Let each worker say that it is there, make the backups that are due, and keep the file of what was erased."""
    jobs.all_the_time(app, _beat, BEAT, _bid_farewell)
    jobs.every_minute(app, "backups", lambda: backups.keep_schedule(app, at=clock.now()))
    jobs.every_minute(app, "erasures", lambda: _keep_erasures(app))
    # The outbox lies upstream and knows nothing of erasures.
    erasures.on(app, erasures.ADDRESS, outbox.erase)


def _beat() -> None:
    operations.beat(at=clock.now())


def _bid_farewell() -> None:
    operations.bid_farewell()


def _keep_erasures(app: Flask) -> None:
    with unit.reading():
        lines = erasures.in_table(db.session.connection())
    erasures.keep_file(Path(app.instance_path), lines)
