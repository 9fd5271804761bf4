"""The demo: the June conference, finished, and August, being prepared. Loaded by the operations that people use."""

import fcntl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from flask import Flask
from flask_babel import force_locale
from sqlalchemy import func, inspect, select

from ..conferences.models import Conference, Series
from ..conferences.queries import conference_by_slug
from ..kit import audit, clock, jobs, unit
from ..kit.db import db
from ..kit.errors import Refused
from . import august, june

LOADING = "demo-loading"
"""A file that is not empty from the first row to the last: what a killed load leaves behind is known by it."""


def open_or_load(app: Flask, prepare: Callable[[], None], *, afresh: bool = False) -> str:
    """Bring the schema up to date and load the demo unless it is there, or `afresh`. Returns a sentence to show.

    One at a time; a load that was killed half-way begins again. Raises Refused in production, and like load and reset.
    """
    if app.config["PRODUCTION"]:
        raise Refused("The demo is never loaded in production (FOLGETERMIN_PRODUCTION is on).")
    with _alone(app) as loading:
        if afresh or (loading.read_text() and _marker(app).exists()):
            reset(app)
        prepare()
        return load(app)


@contextmanager
def _alone(app: Flask) -> Iterator[Path]:
    with _loading(app).open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield _loading(app)


def load(app: Flask) -> str:
    """Load both conferences, unless they are there already. Returns a sentence for the command line.

    Raises Refused when the database holds other series: a demo never mixes with real data.
    """
    with unit.reading():
        if conference_by_slug(june.SLUG) is not None:
            return "The demo is already loaded; its data are kept."
        if db.session.scalar(select(func.count(Series.id))):
            raise Refused("This database holds other conferences; the demo needs an empty one.")
    clock.anchor(app)
    _loading(app).write_text("loading\n")
    try:
        with force_locale("de"), audit.as_of(_start(app)):
            june.hold()
            august.plan()
            june.conclude()
            august.invite()
    except BaseException:
        # Half a demo would look like a whole one at the next start.
        reset(app)
        raise
    _loading(app).write_text("")
    return "The demo is loaded: June 2023 finished, August 2023 being prepared."


def _start(app: Flask) -> datetime:
    """The demo's own Monday morning, or now outside of demo mode."""
    start: datetime | None = app.config["CLOCK_START"]
    return start or clock.now()


def reset(app: Flask) -> None:
    """Throw the demo's data away. Raises Refused when the database is not that of a demo."""
    if not _marker(app).exists() or not _is_demo():
        raise Refused("This is no demo database (the demo was never loaded here); nothing was deleted.")
    _drop_everything()
    jobs.queue(app).flush()
    _marker(app).unlink()


def _marker(app: Flask) -> Path:
    return Path(app.instance_path, clock.ANCHOR)


def _loading(app: Flask) -> Path:
    return Path(app.instance_path, LOADING)


def _is_demo() -> bool:
    """The marker lies in a folder, the database may be elsewhere: only a demo, whole or half, or an empty one may go."""
    with unit.reading():
        if not inspect(db.engine).has_table("conference"):
            return True
        slugs = set(db.session.scalars(select(Conference.slug)))
        return june.SLUG in slugs or not slugs


def _drop_everything() -> None:
    db.session.remove()
    with unit.writing():
        connection = db.session.connection()
        for table in reversed(db.metadata.sorted_tables):
            table.drop(connection, checkfirst=True)
        connection.exec_driver_sql("DROP TABLE IF EXISTS alembic_version")
