"""The demo: the June conference, finished, and August, being prepared. Loaded by the operations that people use."""

from pathlib import Path

from flask import Flask
from flask_babel import force_locale
from sqlalchemy import func, inspect, select

from ..conferences.models import Conference, Series
from ..conferences.queries import conference_by_slug
from ..kit import clock, unit
from ..kit.db import db
from ..kit.errors import Refused
from . import august, june


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
    try:
        with force_locale("de"):
            june.hold()
            august.plan()
            june.conclude()
            august.invite()
    except BaseException:
        # Half a demo would look like a whole one at the next start.
        reset(app)
        raise
    return "The demo is loaded: June 2023 finished, August 2023 being prepared."


def reset(app: Flask) -> None:
    """Throw the demo's data away. Raises Refused when the database is not that of a demo."""
    marker = Path(app.instance_path, clock.ANCHOR)
    if not marker.exists() or not _is_demo():
        raise Refused("This is no demo database (the demo was never loaded here); nothing was deleted.")
    _drop_everything()
    for name in ("queue.db", "queue.db-wal", "queue.db-shm"):
        Path(app.instance_path, name).unlink(missing_ok=True)
    marker.unlink()


def _is_demo() -> bool:
    """The marker lies in a folder, the database may be elsewhere: only a demo, whole or half, or an empty one may go."""
    with unit.reading():
        if not inspect(db.engine).has_table("conference"):
            return True
        slugs = set(db.session.scalars(select(Conference.slug)))
        return june.SLUG in slugs or not slugs


def _drop_everything() -> None:
    db.session.remove()
    with db.engine.begin() as connection:
        tables = [*db.metadata.sorted_tables]
        for table in reversed(tables):
            table.drop(connection, checkfirst=True)
        connection.exec_driver_sql("DROP TABLE IF EXISTS alembic_version")
