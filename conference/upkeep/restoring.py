"""Bringing a backup back: checked first, beside what is there, and put in its place in one step.

What was there stays beside it. Schemas of older versions are brought up; what was erased since is erased again; letters
that have gone out since are known; and nothing leaves until an administrator confirms.
"""

import contextlib
import os
import shutil
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from flask import Flask
from sqlalchemy import MetaData, create_engine, event, func, inspect, select, text
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import DatabaseError

from ..kit import archive, presence
from ..kit.db import db, keep_to_ourselves, prepare_migrations, without_limits
from ..outbox import operations as outbox
from . import backups, erasures

STAMP = "%Y%m%d-%H%M%S"
APPLICATION = "folgetermin"
WORKSHOP = ".restore-"


class RestoreRefused(RuntimeError):
    """Nothing was changed; the message is one line that says why."""


@dataclass
class Report:
    """What a restore did."""

    manifest: dict[str, Any]
    kept: str | None = None
    erased: int = 0
    known_as_sent: int = 0
    warnings: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Known:
    """What the database that is replaced knows and the backup cannot: what has been sent, what was erased."""

    sent: Mapping[str, Any]
    erasures: list[erasures.Line]
    is_readable: bool = True


def check(app: Flask, path: Path) -> dict[str, Any]:
    """The manifest of a backup that could be restored here. Raises RestoreRefused; changes nothing."""
    try:
        return backups.verify(app, path)
    except archive.Damaged as error:
        raise RestoreRefused(f"{path} cannot be restored: {error}.") from error
    except OSError as error:
        raise RestoreRefused(f"{path} cannot be read: {error.strerror or error}.") from error


def restore(app: Flask, path: Path, *, at: datetime) -> Report:
    """Put the backup in the place of what is there. Raises RestoreRefused; then nothing was changed."""
    report = Report(check(app, path))
    try:
        with presence.alone(app), _files_at_hand(app, path, report) as files:
            if db.engine.dialect.name == "sqlite":
                _restore_sqlite(app, path, report, at)
            else:
                _restore_postgresql(app, path, report, at)
            _put_files_in_place(app, files, at)
    except presence.Busy:
        raise RestoreRefused(
            "Folgetermin is running here; please stop web server and worker first, then restore."
        ) from None
    except archive.Damaged as error:
        raise RestoreRefused(f"{path} cannot be restored: {error}.") from error
    except OSError as error:
        raise RestoreRefused(f"There is no room or right to restore: {error.strerror or error}.") from error
    return report


def _lines(app: Flask, known: Known) -> list[erasures.Line]:
    """All that was erased, as file and table say. Raises RestoreRefused when nobody can read some of it any more."""
    lines = [*erasures.in_file(Path(app.instance_path)), *known.erasures]
    lost = erasures.under_lost_keys(lines)
    if lost:
        raise RestoreRefused(
            f"{lost} erasures were noted under another secret key; without it erased people would come back. "
            "Please name that key in FOLGETERMIN_OLD_SECRET_KEYS."
        )
    return lines


def _finish(app: Flask, connection: Connection, report: Report, known: Known, at: datetime) -> None:
    """Bring the restored tables up to date and make them safe to use."""
    _migrate(app, connection, "head")
    report.erased = erasures.apply(app, connection, _lines(app, known), at=at)
    report.known_as_sent = outbox.mark_sent(connection, known.sent)
    outbox.hold_on(connection, at=at)
    if not known.is_readable:
        report.warnings.append("What was there could not be read: letters sent since the backup are unknown.")
    if report.manifest.get("key") != erasures.key_name():
        report.warnings.append(
            "The backup was made under another secret key: personal links in letters that wait must be renewed."
        )


def _migrate(app: Flask, connection: Connection, revision: str) -> None:
    from alembic import command

    prepare_migrations(app)
    config = app.extensions["migrate"].migrate.get_config()
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


def _known(connection: Connection) -> Known:
    tables = set(inspect(connection).get_table_names())
    sent = outbox.sent_by_message_id(connection) if "mail" in tables else {}
    return Known(sent, erasures.in_table(connection) if "erasure" in tables else [])


# -- SQLite -----------------------------------------------------------


def _restore_sqlite(app: Flask, path: Path, report: Report, at: datetime) -> None:
    current = Path(str(db.engine.url.database)).resolve()
    db.session.remove()
    db.engine.dispose()
    with _workshop(current.parent) as shop:
        fresh = shop / "fresh.db"
        archive.unpack(path, backups.SQLITE_PART, fresh, report.manifest["parts"][backups.SQLITE_PART])
        known = _known_of_file(current)
        with _engine(fresh) as engine, engine.begin() as connection:
            _finish(app, connection, report, known, at)
        if backups.look_into(fresh)["schema"] is None:
            raise archive.Damaged("its database has no schema")
        _like(current.parent, fresh)
        _sync(fresh)
        report.kept = _swap(current, fresh, at)


@contextmanager
def _engine(path: Path) -> Iterator[Engine]:
    engine = create_engine(f"sqlite:///{path}")
    event.listen(engine, "connect", lambda raw, _record: raw.execute("PRAGMA foreign_keys=ON").close())
    event.listen(engine, "connect", lambda raw, _record: raw.execute("PRAGMA secure_delete=ON").close())
    try:
        yield engine
    finally:
        engine.dispose()


def _known_of_file(current: Path) -> Known:
    """What the present database knows, and its write-ahead log brought into it."""
    if not current.exists():
        return Known({}, [])
    try:
        with closing(sqlite3.connect(current, timeout=15)) as raw:
            raw.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        with _engine(current) as engine, engine.connect() as connection:
            return _known(connection)
    except (sqlite3.DatabaseError, DatabaseError, ValueError):
        return Known({}, [], is_readable=False)


def _swap(current: Path, fresh: Path, at: datetime) -> str | None:
    """The new file takes the name of the old one in one step; the old one keeps a name of its own."""
    kept = None
    if current.exists():
        kept = _free(current.with_name(f"{current.stem}-before-restore-{_stamp(at)}{current.suffix}"))
        keep_to_ourselves(current)
        os.link(current, kept)
        # Only a damaged database still has these; beside the new one they would spoil it.
        for ending in ("-wal", "-shm"):
            beside = current.with_name(current.name + ending)
            if beside.exists():
                keep_to_ourselves(beside)
                beside.rename(kept.with_name(kept.name + ending))
    fresh.replace(current)
    archive.sync_folder(current.parent)
    return str(kept) if kept else None


def _stamp(at: datetime) -> str:
    return at.astimezone(UTC).strftime(STAMP)


def _free(wanted: Path) -> Path:
    names = [
        wanted,
        *(wanted.with_name(f"{wanted.stem}-{number}{wanted.suffix}") for number in range(2, 1000)),
    ]
    return next(name for name in names if not name.exists())


def _like(folder: Path, file: Path) -> None:
    """Whoever restores as root restores for the service, whose folder it is."""
    if os.geteuid() == 0:
        owner = folder.stat()
        os.chown(file, owner.st_uid, owner.st_gid)


def _sync(file: Path) -> None:
    with file.open("rb") as opened:
        os.fsync(opened.fileno())


@contextmanager
def _workshop(folder: Path) -> Iterator[Path]:
    """A folder for half-made things, gone afterwards."""
    shop = Path(mkdtemp(dir=folder, prefix=WORKSHOP))
    try:
        yield shop
    finally:
        shutil.rmtree(shop, ignore_errors=True)


# -- PostgreSQL -------------------------------------------------------


def _restore_postgresql(app: Flask, path: Path, report: Report, at: datetime) -> None:
    """One transaction: what was there moves into a schema of its own, the tables are made anew and filled."""
    db.session.remove()
    db.engine.dispose()
    try:
        with _workshop(Path(app.instance_path)) as shop, db.engine.begin() as connection:
            without_limits(connection)
            connection.exec_driver_sql("SET LOCAL lock_timeout = '5s'")
            _refuse_company(connection)
            known = _known(connection)
            report.kept = _move_away(connection, at)
            _migrate(app, connection, report.manifest["schema"])
            _fill(connection, path, report.manifest, shop)
            _finish(app, connection, report, known, at)
    except DatabaseError as error:
        reason = str(error.orig).strip().splitlines()[0]
        raise RestoreRefused(f"PostgreSQL refused, nothing was changed: {reason}") from error
    finally:
        db.engine.dispose()


def _refuse_company(connection: Connection) -> None:
    """Servers on other machines hold no lock in our folder, but connections to the database."""
    others = connection.scalar(
        text(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
            "AND application_name = :ours AND pid <> pg_backend_pid()"
        ),
        {"ours": APPLICATION},
    )
    if others:
        raise presence.Busy


def _move_away(connection: Connection, at: datetime) -> str | None:
    tables = inspect(connection).get_table_names()
    if not tables:
        return None
    number = connection.scalar(
        text("SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'before_restore_%'")
    )
    schema = f"before_restore_{at.astimezone(UTC):%Y%m%d_%H%M%S}_{int(number or 0) + 1}"
    connection.exec_driver_sql(f"CREATE SCHEMA {schema}")
    for table in tables:
        connection.exec_driver_sql(f"ALTER TABLE {backups.quoted(connection, table)} SET SCHEMA {schema}")
    return f"schema {schema}"


def _fill(connection: Connection, path: Path, manifest: dict[str, Any], shop: Path) -> None:
    tables = MetaData()
    tables.reflect(connection)
    for table in tables.sorted_tables:
        if table.name == "alembic_version" or table.name not in manifest["columns"]:
            continue
        name = f"{backups.TABLES}{table.name}"
        target = shop / "table"
        archive.unpack(path, name, target, manifest["parts"][name])
        _copy_in(connection, table.name, manifest["columns"][table.name], target)
        target.unlink()
        count = connection.scalar(select(func.count()).select_from(table))
        if count != manifest["rows"][table.name]:
            raise archive.Damaged(f"table {table.name} could not be filled")
    for counter, value in manifest["counters"].items():
        connection.execute(
            text("SELECT setval(quote_ident(:counter)::regclass, :value)"),
            {"counter": counter, "value": value},
        )


def _copy_in(connection: Connection, table: str, columns: list[str], source: Path) -> None:
    statement = (
        f"COPY {backups.quoted(connection, table)} ({backups.quoted(connection, *columns)}) FROM STDIN"
    )
    raw: Any = connection.connection.driver_connection
    with raw.cursor() as cursor, source.open("rb") as file, cursor.copy(statement) as copy:
        while piece := file.read(archive.PORTION):
            copy.write(piece)


# -- files beside the database ----------------------------------------


@contextmanager
def _files_at_hand(app: Flask, path: Path, report: Report) -> Iterator[Path]:
    """The files of the backup in a folder beside their place: nothing more than two names is missing when the database is there.

    We are alone here, so what lies about was left by a restore that was killed: it holds people's data, and goes.
    """
    instance = Path(app.instance_path)
    for left in instance.glob(f"{WORKSHOP}*"):
        shutil.rmtree(left, ignore_errors=True)
    parts = report.manifest["parts"]
    with _workshop(instance) as shop:
        for name in (name for name in parts if name.split("/")[0] in backups.BESIDE):
            target = shop / name
            target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            archive.unpack(path, name, target, parts[name])
            _like(instance, target)
        yield shop


def _put_files_in_place(app: Flask, shop: Path, at: datetime) -> None:
    instance = Path(app.instance_path)
    for folder in backups.BESIDE:
        if (instance / folder).exists():
            (instance / folder).rename(_free(instance / f"{folder}-before-restore-{_stamp(at)}"))
        if (shop / folder).exists():
            (shop / folder).rename(instance / folder)
    with contextlib.suppress(FileNotFoundError):
        archive.sync_folder(instance)
