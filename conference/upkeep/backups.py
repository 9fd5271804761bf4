"""Backups: one verified file with the database and the files beside it, taken while people go on writing."""

import fcntl
import json
import os
import re
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import mkdtemp
from typing import Any
from zoneinfo import ZoneInfo

from flask import Flask
from sqlalchemy import inspect
from sqlalchemy.engine import Connection

from ..kit import archive, clock, soundness
from ..kit.dates import DEFAULT_ZONE
from ..kit.db import db, without_limits
from . import erasures

PRODUCT, FORMAT = "folgetermin", 1
NAME = re.compile(r"folgetermin-(\d{8}T\d{6})Z(?:-\d+)?\.zip")
STAMP = "%Y%m%dT%H%M%S"
SQLITE_PART = "database.sqlite3"
TABLES = "tables/"
BESIDE = ("uploads",)
"""Folders in instance/ that hold what people have handed in."""
TROUBLE = "backup-trouble.json"
LOCK = ".folgetermin-backup.lock"
PAUSE = timedelta(hours=1)
LATE = timedelta(hours=36)


class BackupFailed(RuntimeError):
    """No backup was made; the message is one line that says why."""


@dataclass(frozen=True)
class Backup:
    """A backup in its folder."""

    path: Path
    made_at: datetime

    @property
    def size(self) -> int:
        return self.path.stat().st_size


# -- making -----------------------------------------------------------


def make(app: Flask, folder: Path, *, at: datetime) -> tuple[Backup, dict[str, Any]]:
    """Write a backup into the folder, read it again as a restore would, and give it with its manifest.

    People may go on writing: it shows one moment. Raises BackupFailed, and DatabaseError; then no file is left.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with _workshop(folder) as shop:
            manifest, parts = _collect(app, shop, at)
            path = _free_name(folder, at)
            archive.write(path, manifest, parts)
        try:
            described = verify(app, path)
        except (archive.Damaged, OSError):
            path.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise BackupFailed(f"{folder} cannot take a backup: {error.strerror or error}.") from error
    except archive.Damaged as error:
        raise BackupFailed(f"The backup could not be read again: {error}.") from error
    return Backup(path, at), described


@contextmanager
def _workshop(folder: Path) -> Iterator[Path]:
    """A folder for half-made things on the same disk, gone afterwards; and so is what a killed process left there."""
    for left in folder.glob(".folgetermin-*"):
        if left.is_dir() and not _is_alive(left.name):
            shutil.rmtree(left, ignore_errors=True)
    shop = Path(mkdtemp(dir=folder, prefix=f".folgetermin-{os.getpid()}-"))
    try:
        yield shop
    finally:
        shutil.rmtree(shop, ignore_errors=True)


def _is_alive(name: str) -> bool:
    process = name.split("-")[1]
    return process.isdigit() and Path(f"/proc/{process}").exists()


def _free_name(folder: Path, at: datetime) -> Path:
    stem = f"folgetermin-{at.astimezone(UTC).strftime(STAMP)}Z"
    names = [f"{stem}.zip", *(f"{stem}-{number}.zip" for number in range(2, 1000))]
    return next(folder / name for name in names if not (folder / name).exists())


def _collect(app: Flask, shop: Path, at: datetime) -> tuple[dict[str, Any], dict[str, Path]]:
    instance = Path(app.instance_path)
    manifest: dict[str, Any] = {
        "product": PRODUCT,
        "format": FORMAT,
        "made_at": at.astimezone(UTC).isoformat(),
        "database": db.engine.dialect.name,
        "demo": (instance / clock.ANCHOR).exists(),
        "key": erasures.key_name(),
    }
    take = _take_sqlite if db.engine.dialect.name == "sqlite" else _take_postgresql
    facts, parts = take(shop)
    manifest |= facts
    if manifest["schema"] is None:
        raise BackupFailed("There is no database yet; to prepare it: flask --app wsgi prepare")
    manifest["known"] = sorted(soundness.revisions(Path(app.config["MIGRATIONS"]))[1])
    for name in BESIDE:
        files = sorted(
            path for path in (instance / name).rglob("*") if path.is_file() and not path.is_symlink()
        )
        parts |= {path.relative_to(instance).as_posix(): path for path in files}
    return manifest, parts


def _take_sqlite(shop: Path) -> tuple[dict[str, Any], dict[str, Path]]:
    source, target = Path(str(db.engine.url.database)), shop / SQLITE_PART
    if not source.exists():
        return {"schema": None}, {}
    with closing(sqlite3.connect(source, timeout=15)) as origin, closing(sqlite3.connect(target)) as copy:
        origin.backup(copy)  # all pages in one step: one moment, and no writer waits
        copy.execute("PRAGMA journal_mode=DELETE")
    target.chmod(0o600)
    return look_into(target), {SQLITE_PART: target}


def look_into(path: Path) -> dict[str, Any]:
    """Schema and rows of an SQLite file that is sound. Raises Damaged."""
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True)) as database:
            if database.execute("PRAGMA integrity_check").fetchall() != [("ok",)]:
                raise archive.Damaged("its database is damaged")
            if database.execute("PRAGMA foreign_key_check").fetchone() is not None:
                raise archive.Damaged("its database has rows that refer to nothing")
            names = [
                name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
            ]
            rows = {
                name: database.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0]  # noqa: S608 - a name of a table
                for name in sorted(names)
                if not name.startswith("sqlite_")
            }
            found = None
            if "alembic_version" in names:
                found = next(
                    (row[0] for row in database.execute("SELECT version_num FROM alembic_version")), None
                )
    except sqlite3.DatabaseError as error:
        raise archive.Damaged(f"its database cannot be read ({error})") from error
    return {"schema": found, "rows": rows}


def _take_postgresql(shop: Path) -> tuple[dict[str, Any], dict[str, Path]]:
    """All tables as they were at one moment, in PostgreSQL's own text form, which every later version reads."""
    (shop / TABLES).mkdir()
    with db.engine.connect() as connection:
        connection = connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        without_limits(connection)
        tables = sorted(inspect(connection).get_table_names())
        columns = {name: _columns(connection, name) for name in tables}
        rows, parts = {}, {}
        for name in tables:
            parts[f"{TABLES}{name}"] = path = shop / TABLES / name
            rows[name] = _copy_out(connection, name, columns[name], path)
        found = None
        if "alembic_version" in tables:
            found = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
        counters = connection.exec_driver_sql(
            "SELECT sequencename, last_value FROM pg_sequences WHERE schemaname = current_schema()"
        )
        facts = {
            "schema": found,
            "rows": rows,
            "columns": columns,
            "counters": {n: v for n, v in counters if v},
        }
    return facts, parts


def _columns(connection: Connection, table: str) -> list[str]:
    return [column["name"] for column in inspect(connection).get_columns(table) if not column.get("computed")]


def quoted(connection: Connection, *names: str) -> str:
    """Names as they stand in a statement."""
    quote = connection.dialect.identifier_preparer.quote_identifier
    return ", ".join(quote(name) for name in names)


def _copy_out(connection: Connection, table: str, columns: list[str], path: Path) -> int:
    """Write the rows into the file and count them: a row is a line, whatever is in it."""
    statement = f"COPY {quoted(connection, table)} ({quoted(connection, *columns)}) TO STDOUT"
    raw: Any = connection.connection.driver_connection
    count = 0
    with raw.cursor() as cursor, path.open("xb") as file, cursor.copy(statement) as copy:
        for piece in copy:
            count += bytes(piece).count(b"\n")
            file.write(piece)
    return count


# -- verifying --------------------------------------------------------


def verify(app: Flask, path: Path) -> dict[str, Any]:
    """The manifest of a backup that could be restored here: whole, ours, of our kind of database and not newer than we are.

    Raises Damaged for what cannot be restored here, and OSError.
    """
    manifest = archive.read(path)
    _refuse_foreign(app, manifest)
    rows = manifest.get("rows")
    instance = Path(app.instance_path)
    with _workshop(path.parent if os.access(path.parent, os.W_OK) else instance) as shop:
        for number, (name, described) in enumerate(manifest["parts"].items()):
            target = shop / str(number)
            archive.unpack(path, name, target, described)
            if name == SQLITE_PART and look_into(target) != {"schema": manifest["schema"], "rows": rows}:
                raise archive.Damaged("its database holds other rows than it says")
            if name.startswith(TABLES) and _lines(target) != (rows or {}).get(name.removeprefix(TABLES)):
                raise archive.Damaged(f"{name} holds other rows than it says")
            target.unlink()
    return manifest


def _lines(path: Path) -> int:
    with path.open("rb") as file:
        return sum(piece.count(b"\n") for piece in iter(lambda: file.read(archive.PORTION), b""))


def _refuse_foreign(app: Flask, manifest: dict[str, Any]) -> None:
    if manifest.get("product") != PRODUCT:
        raise archive.Damaged("it is no backup of Folgetermin")
    if manifest.get("format") != FORMAT:
        raise archive.Damaged("a newer version of Folgetermin wrote it; install that one first")
    here = db.engine.dialect.name
    if manifest.get("database") != here:
        raise archive.Damaged(f"it was made on {manifest.get('database')}, and this installation uses {here}")
    if manifest.get("schema") not in soundness.revisions(Path(app.config["MIGRATIONS"]))[1]:
        raise archive.Damaged(
            f"its schema {manifest.get('schema')} is newer than this version of Folgetermin; install that one first"
        )
    if manifest.get("demo") and app.config["PRODUCTION"]:
        raise archive.Damaged("it is the backup of a demo, and this is a production")
    wanted = {SQLITE_PART} if here == "sqlite" else {f"{TABLES}{name}" for name in manifest.get("rows") or {}}
    if not wanted <= set(manifest["parts"]):
        raise archive.Damaged("its database is missing")


# -- on schedule ------------------------------------------------------


def all_in(folder: Path) -> list[Backup]:
    """The backups in a folder, oldest first; other files are none of our business."""
    found = []
    for path in folder.glob("folgetermin-*.zip"):
        match = NAME.fullmatch(path.name)
        if match:
            found.append(Backup(path, datetime.strptime(match[1], STAMP).replace(tzinfo=UTC)))
    return sorted(found, key=lambda backup: (backup.made_at, backup.path.name))


def latest(app: Flask) -> Backup | None:
    """The newest backup of the schedule."""
    folder = app.config["BACKUP_DIR"]
    found = all_in(Path(folder)) if folder else []
    return found[-1] if found else None


def trouble(app: Flask) -> dict[str, str] | None:
    """Why the last try failed and when; None when it did not."""
    try:
        known = json.loads(_trouble(app).read_text())
    except (OSError, ValueError):
        return None
    return known if isinstance(known, dict) and {"at", "reason"} <= set(known) else None


def _trouble(app: Flask) -> Path:
    return Path(app.instance_path, TROUBLE)


def slot_before(at: datetime, hour: int) -> datetime:
    """When the last backup of the schedule was due."""
    local = at.astimezone(ZoneInfo(DEFAULT_ZONE))
    slot = local.replace(hour=hour, minute=0, second=0, microsecond=0, fold=0)
    if slot > local:
        slot = (slot - timedelta(days=1)).replace(hour=hour)
    return slot.astimezone(UTC)


def is_due(app: Flask, at: datetime) -> bool:
    """Whether the schedule asks for a backup now; after a failure not before an hour has passed."""
    if not app.config["BACKUP_DIR"]:
        return False
    failed = trouble(app)
    if failed is not None and timedelta() <= at - datetime.fromisoformat(failed["at"]) < PAUSE:
        return False
    newest = latest(app)
    # One from the future is left from a clock that was wrong; it says nothing of today.
    return newest is None or not slot_before(at, app.config["BACKUP_HOUR"]) <= newest.made_at <= at + PAUSE


def keep_schedule(app: Flask, *, at: datetime) -> Backup | None:
    """Make the backup that is due, and throw away what is older than BACKUP_DAYS. Two at once make one.

    A failure is written down for monitoring and tried again in an hour.
    """
    if not is_due(app, at):
        return None
    folder = Path(app.config["BACKUP_DIR"])
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with _first(folder) as is_first:
            if not is_first or not is_due(app, at):
                return None
            made, _manifest = make(app, folder, at=at)
            rotate(folder, made.made_at - timedelta(days=app.config["BACKUP_DAYS"]))
    except Exception as error:  # noqa: BLE001 - whatever it is, monitoring must hear of it
        reason = str(error) if isinstance(error, (BackupFailed, OSError)) else type(error).__name__
        app.logger.error("no backup was made: %s", reason)
        _trouble(app).write_text(json.dumps({"at": at.isoformat(), "reason": reason}))
        return None
    _trouble(app).unlink(missing_ok=True)
    return made


@contextmanager
def _first(folder: Path) -> Iterator[bool]:
    with (folder / LOCK).open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            yield False
            return
        yield True


def rotate(folder: Path, before: datetime) -> int:
    """Delete backups made before, but never the newest; returns how many."""
    old = [backup for backup in all_in(folder)[:-1] if backup.made_at < before]
    for backup in old:
        backup.path.unlink(missing_ok=True)
    return len(old)
