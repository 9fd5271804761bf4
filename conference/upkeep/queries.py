"""Is all well: database, schema, workers, queue, disk. What is looked at holds no word of anybody's."""

import os
import shutil
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from flask import Flask
from sqlalchemy import select, text

from ..kit import outage, soundness, unit
from ..kit.db import db
from ..outbox import queries as outbox
from . import backups
from .models import Heartbeat

ALIVE = timedelta(minutes=2)
"""A worker that has not been seen for so long is gone; it says something every 20 seconds."""
PATIENCE = timedelta(minutes=10)
"""So long a letter that is due may wait for a worker to take it."""
MEGABYTE = 1024 * 1024


@dataclass(frozen=True)
class Check:
    """One thing that is looked at: whether it is as it must be, and figures."""

    name: str
    is_good: bool
    figures: dict[str, Any]


def checks(app: Flask, at: datetime) -> list[Check]:
    """Everything that must be so for this house to work. Without a database the rest of it is not asked."""
    found = [_disk(app), *_backup(app, at)]
    try:
        with unit.reading():
            found = [_database(app), _schema(app), *found]
            # What follows asks tables that only the current schema is sure to have.
            if found[1].is_good:
                found += [_worker(at), _queue(at), _retention(app, at)]
    except outage.AWAY:
        found = [Check("database", False, {}), _disk(app), *_backup(app, at)]
    return found


def _database(app: Flask) -> Check:
    db.session.execute(text("SELECT 1"))
    is_good = _can_be_written() and not soundness.unsound(app)
    return Check("database", is_good, {"kind": db.engine.dialect.name})


def _can_be_written() -> bool:
    """Whether something could be stored; nothing is written for it, and nobody is waited for."""
    if db.engine.dialect.name == "postgresql":
        return db.session.scalar(text("SHOW transaction_read_only")) == "off"
    if db.engine.url.database in {None, "", ":memory:"}:
        return True
    path = Path(str(db.engine.url.database))
    # SQLite makes its log beside the file.
    return _is_open_to_us(path) and _is_open_to_us(path.parent)


def _is_open_to_us(path: Path) -> bool:
    """Rights and mount; `os.access` asks for the rights that a write would have."""
    return os.access(path, os.W_OK, effective_ids=os.access in os.supports_effective_ids)


def _schema(app: Flask) -> Check:
    schema = soundness.schema(app, db.session.connection())
    figures = {"state": schema.state, "found": schema.found, "newest": schema.head}
    return Check("schema", schema.state == "current", figures)


def _worker(at: datetime) -> Check:
    rows = db.session.execute(select(Heartbeat.beat_at, Heartbeat.failed_jobs)).all()
    seen = sorted((at - beat).total_seconds() for beat, _failed in rows)
    alive = [age for age in seen if age <= ALIVE.total_seconds()]
    figures = {
        "alive": len(alive),
        "age_seconds": round(seen[0], 1) if seen else None,
        "failed_jobs": sum(failed for _beat, failed in rows),
    }
    return Check("worker", bool(alive), figures)


def _queue(at: datetime) -> Check:
    """Letters by state, and whether one that is due lies about: then no worker takes any."""
    waits = outbox.longest_wait(at)
    figures = {
        "letters": outbox.counts(),
        "overdue_seconds": round(waits.total_seconds(), 1),
        "delivery": outbox.delivery(),
    }
    return Check("queue", waits <= PATIENCE or outbox.delivery() in {"nowhere", "held"}, figures)


def _retention(app: Flask, at: datetime) -> Check:
    """Whether what is over is thrown away; privacy, downstream, knows."""
    is_good, figures = app.extensions["retention_state"](at)
    return Check("retention", is_good, figures)


def _disk(app: Flask) -> Check:
    """The folder of the data, and that of the backups where there is one."""
    reserve = app.config["DISK_RESERVE"]
    folders = {"data": app.instance_path, "backups": app.config["BACKUP_DIR"]}
    free = {name: _free_megabytes(Path(path)) for name, path in folders.items() if path}
    is_good = all(megabytes is not None and megabytes >= reserve for megabytes in free.values())
    return Check("disk", is_good, {"free_megabytes": free, "reserve_megabytes": reserve})


def _backup(app: Flask, at: datetime) -> list[Check]:
    """The newest backup of the schedule, where there is one."""
    if not app.config["BACKUP_DIR"]:
        return []
    last, failed = backups.latest(app), backups.trouble(app)
    figures: dict[str, Any] = {
        "last": None,
        "age_seconds": None,
        "bytes": None,
        "failed_at": failed and failed["at"],
    }
    if last is not None:
        age = (at - last.made_at).total_seconds()
        figures |= {"last": last.made_at.isoformat(), "age_seconds": round(age), "bytes": last.size}
    return [
        Check("backup", last is not None and at - last.made_at <= backups.LATE and failed is None, figures)
    ]


def _free_megabytes(folder: Path) -> int | None:
    try:
        left = os.statvfs(folder)
        # A disk without room for names takes no file either.
        return 0 if left.f_files and not left.f_favail else shutil.disk_usage(folder).free // MEGABYTE
    except OSError:
        return None


def database_bytes(app: Flask) -> dict[str, int]:
    """How large the database is, and on SQLite the log beside it, which grows while a reader never ends."""
    if db.engine.dialect.name == "postgresql":
        return {"database": int(db.session.scalar(text("SELECT pg_database_size(current_database())")) or 0)}
    path = Path(str(db.engine.url.database))
    files = {"database": path, "log": path.with_name(path.name + "-wal")}
    return {name: file.stat().st_size for name, file in files.items() if file.exists()}
