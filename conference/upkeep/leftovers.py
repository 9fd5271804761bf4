"""What backups by hand and restores leave beside the data goes when its time is over: it still knows who was erased since."""

import re
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

from flask import Flask
from sqlalchemy import text

from ..kit.db import db, without_limits
from . import backups

FILE = re.compile(r".+-before-restore-(\d{8}-\d{6})(?:-\d+)?(?:\..+)?")
SCHEMA = re.compile(r"before_restore_(\d{8}_\d{6})_\d+")


def throw_away(app: Flask, *, at: datetime) -> int:
    """Delete what is older than BACKUP_DAYS; of backups made by hand the newest stays. Returns how many things went."""
    before = at - timedelta(days=app.config["BACKUP_DAYS"])
    count = backups.rotate(Path(app.instance_path, "backups"), before)
    if db.engine.dialect.name == "postgresql":
        return count + _drop_schemas(before) + _delete_files(Path(app.instance_path), before)
    folders = {Path(app.instance_path).resolve(), Path(str(db.engine.url.database)).resolve().parent}
    return count + sum(_delete_files(folder, before) for folder in folders)


def _is_old(stamp: str, pattern: str, before: datetime) -> bool:
    try:
        return datetime.strptime(stamp, pattern).replace(tzinfo=UTC) < before
    except ValueError:
        return False


def _delete_files(folder: Path, before: datetime) -> int:
    found = [(path, FILE.fullmatch(path.name)) for path in folder.glob("*-before-restore-*")]
    old = [path for path, match in found if match and _is_old(match[1], "%Y%m%d-%H%M%S", before)]
    for path in old:
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    return len(old)


def _drop_schemas(before: datetime) -> int:
    with db.engine.begin() as connection:
        names = connection.scalars(
            text("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'before_restore_%'")
        )
        found = [SCHEMA.fullmatch(name) for name in names]
        old = [match[0] for match in found if match and _is_old(match[1], "%Y%m%d_%H%M%S", before)]
        for name in old:
            without_limits(connection)
            connection.exec_driver_sql(f"DROP SCHEMA {name} CASCADE")
    return len(old)
