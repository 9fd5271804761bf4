"""The database: declarative base, column types, SQLite pragmas, row locks."""

import enum
import fcntl
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import DateTime, Dialect, Enum, Integer, MetaData, Select, String, event, func, select, text
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.orm import DeclarativeBase, registry
from sqlalchemy.types import TypeDecorator

from . import clock
from .dates import DEFAULT_ZONE
from .errors import Missing

T = TypeVar("T")
writing_mode: ContextVar[bool] = ContextVar("writing_mode", default=False)
deadline: ContextVar[float | None] = ContextVar("deadline", default=None)
"""Until when (monotonic clock) a writer may wait for its turn, with everything that it waits for."""
AT_ONCE = 1000
MIGRATING = 20161005
"""Our number of PostgreSQL's advisory lock for migrations."""
# Nobody waits longer for a lock, nothing runs longer, and who falls silent in a transaction loses it.
POSTGRESQL_LIMITS = {
    "lock_timeout": "3s",
    "statement_timeout": "15s",
    "idle_in_transaction_session_timeout": "30s",
}

NAMES = {
    "ix": "ix_%(column_0_label)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


class Moment(TypeDecorator[datetime]):
    """An instant: aware in Python, UTC in the database."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment needs a time zone")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Seconds(TypeDecorator[timedelta]):
    """A duration, stored as whole seconds so that both databases order and sum it alike."""

    impl = Integer
    cache_ok = True

    def process_bind_param(self, value: timedelta | None, dialect: Dialect) -> int | None:
        return None if value is None else int(value.total_seconds())

    def process_result_value(self, value: int | None, dialect: Dialect) -> timedelta | None:
        return None if value is None else timedelta(seconds=value)


class Zone(TypeDecorator[str]):
    """The name of a time zone. One that this machine does not know must not block the list that it stands in."""

    impl = String
    cache_ok = True

    def process_result_value(self, value: str | None, dialect: Dialect) -> str | None:
        return value if value is None or _is_zone(value) else DEFAULT_ZONE


@lru_cache(maxsize=64)
def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


class Choice(enum.Enum):
    """A closed set of values: the database holds the value, the screen shows the label."""

    label: Any

    def __new__(cls, value: str, label: Any = "") -> Self:
        member = object.__new__(cls)
        member._value_ = value
        member.label = label
        return member

    @classmethod
    def choices(cls) -> list[tuple[str, Any]]:
        return [(member.value, member.label) for member in cls]

    @classmethod
    def unknown(cls, value: str) -> Self:
        """Stands for what another version has stored: it is none of ours, and is shown as it is."""
        known: dict[tuple[type[Choice], str], Any] = _unknown
        if (cls, value) not in known:
            member = object.__new__(cls)
            member._name_, member._value_, member.label = f"unknown {value}", value, value
            known[cls, value] = member
        found: Self = known[cls, value]
        return found


_unknown: dict[tuple[type[Choice], str], Any] = {}


def _values(choice: type[Choice]) -> list[str]:
    return [member.value for member in choice]


class Choices(Enum):
    """A choice as text. One row with a value that nobody knows must not block the list that it stands in."""

    def _resolve_for_python_type(self, python_type: type[Any], _matched: Any, _flattened: Any) -> "Choices":
        return Choices(
            python_type, native_enum=False, length=40, values_callable=_values, create_constraint=False
        )

    def _object_value_for_elem(self, elem: str) -> Any:
        try:
            return super()._object_value_for_elem(elem)
        except LookupError:
            choice: Any = self.enum_class
            return choice.unknown(elem)


class Base(DeclarativeBase):
    """Base of every table. Metadata and type map sit on the registry: on the base itself Flask-SQLAlchemy refuses them."""

    registry = registry(
        metadata=MetaData(naming_convention=NAMES),
        type_annotation_map={
            datetime: Moment,
            timedelta: Seconds,
            str: String,
            Choice: Choices(Choice),
        },
    )


NEVER_AGAIN = {"sqlite_autoincrement": True}
"""For tables whose ids stand elsewhere – in cookies, in the purposes of letters, in the record – and whose rows may be deleted.

SQLite would give the id of the newest row to the next one after that was deleted; PostgreSQL never does.
"""

db = SQLAlchemy(model_class=Base, session_options={"expire_on_commit": False})

if TYPE_CHECKING:
    Model = Base
else:
    Model = db.Model


def one_locked(query: Select[T]) -> T | None:
    """The row of the query, locked until the transaction ends (SQLite writers are alone anyway)."""
    return db.session.scalars(query.with_for_update().execution_options(populate_existing=True)).one_or_none()


def found(thing: T | None) -> T:
    """The thing itself, or Missing (404) when there is none."""
    if thing is None:
        raise Missing
    return thing


def portions(values: Iterable[T]) -> Iterator[list[T]]:
    """The values in lists that fit into one statement: databases take only so many."""
    rest = iter(values)
    while some := list(islice(rest, AT_ONCE)):
        yield some


def next_number(column: Any, *conditions: Any) -> int:
    """The next free number of a column among the rows that meet the conditions; call it under a lock."""
    return (db.session.scalar(select(func.max(column)).where(*conditions)) or 0) + 1


def init(app: Flask) -> None:
    """Bind the database and its migrations to the app."""
    db.init_app(app)
    # Only commands need Alembic, whose import takes a fifth of a second.
    if "flask_migrate" in sys.modules:
        prepare_migrations(app)
    with app.app_context():
        _listen(db.engine, app.config["DATABASE_PATIENCE"])


def prepare_migrations(app: Flask) -> None:
    """Let Flask-Migrate know app and database; doing it twice does no harm."""
    from flask_migrate import Migrate  # Imports Alembic and the dialects of every database.

    Migrate(app, db, directory=str(app.config["MIGRATIONS"]), render_as_batch=True, compare_type=True)


@contextmanager
def migrating(app: Flask) -> Iterator[Connection]:
    """A connection in a transaction in which the schema is changed: one process at a time, whole or not at all.

    Who comes second waits, and finds nothing left to do.
    """
    with Path(app.instance_path, "migrating.lock").open("a") as file, db.engine.connect() as connection:
        fcntl.flock(file, fcntl.LOCK_EX)
        token = writing_mode.set(True)
        try:
            with _foreign_keys_asleep(connection), connection.begin():
                without_limits(connection)
                if connection.dialect.name == "postgresql":  # its other servers may be on other machines
                    connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": MIGRATING})
                yield connection
                _refuse_orphans(connection)
        finally:
            writing_mode.reset(token)


@contextmanager
def _foreign_keys_asleep(connection: Connection) -> Iterator[None]:
    """SQLite changes a table by making it anew; dropping the old one would take along what refers to it."""
    if connection.dialect.name != "sqlite":
        yield
        return
    raw: Any = connection.connection.driver_connection
    raw.execute("PRAGMA foreign_keys=OFF").close()
    try:
        yield
    finally:
        raw.execute("PRAGMA foreign_keys=ON").close()


def _refuse_orphans(connection: Connection) -> None:
    if connection.dialect.name == "sqlite":
        orphan = connection.exec_driver_sql("PRAGMA foreign_key_check").first()
        if orphan is not None:
            raise RuntimeError(f"after the migration a row of {orphan[0]} refers to nothing in {orphan[2]}")


def without_limits(connection: Connection) -> None:
    """Let this transaction take its time: migrations, backups and restores do on a large database (PostgreSQL)."""
    if connection.dialect.name == "postgresql":
        for name in POSTGRESQL_LIMITS:
            connection.exec_driver_sql(f"SET LOCAL {name} = 0")


def _listen(engine: Engine, patience: int) -> None:
    if engine.dialect.name == "postgresql":
        event.listen(engine, "connect", _limit)
        event.listen(engine, "begin", _look_at_clock)
        return

    def connected(raw: Any, _record: Any) -> None:
        _on_connect(raw, patience)

    def begun(connection: Connection) -> None:
        _on_begin(connection, patience)

    event.listen(engine, "connect", connected)
    event.listen(engine, "begin", begun)


def _limit(raw: Any, _record: Any) -> None:
    was, raw.autocommit = raw.autocommit, True
    settings = ", ".join(
        f"set_config('{name}', '{value}', false)" for name, value in POSTGRESQL_LIMITS.items()
    )
    raw.execute(f"SELECT {settings}")
    raw.autocommit = was


def _look_at_clock(connection: Connection) -> None:
    """Leases and deadlines of processes on several machines are measured with one clock."""
    raw: Any = connection.connection.driver_connection
    # A line that broke is told by the statement that asks for something.
    with suppress(connection.dialect.loaded_dbapi.Error):
        clock.follow(lambda: float(raw.execute("SELECT extract(epoch FROM clock_timestamp())").fetchone()[0]))


def _on_connect(dbapi_connection: Any, patience: int) -> None:
    # The driver's own deferred BEGIN makes read-then-write fail at once with "database is locked".
    dbapi_connection.isolation_level = None
    cursor = dbapi_connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout={patience * 1000}")
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.execute("PRAGMA foreign_keys=ON")
    # What is deleted is overwritten: it must not lie about in the file.
    cursor.execute("PRAGMA secure_delete=ON")
    cursor.close()


def keep_to_ourselves(file: Path) -> None:
    """A file with people's data is open to nobody else on this machine; SQLite's log beside it gets the same rights."""
    file.touch(mode=0o600)
    rights = file.stat().st_mode
    if rights & 0o077:
        file.chmod(rights & 0o700)


def forget_log() -> None:
    """Empty SQLite's write-ahead log, in which older states of rows still stand; while somebody reads, at the next time."""
    if db.engine.dialect.name != "sqlite":
        return
    raw = db.engine.raw_connection()
    try:
        cursor = raw.cursor()
        cursor.execute("PRAGMA busy_timeout=500")  # the next transaction sets its own
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        cursor.close()
    finally:
        raw.close()


def _on_begin(connection: Connection, patience: int) -> None:
    until = deadline.get()
    left = patience if until is None else max(0.0, until - time.monotonic())
    raw: Any = connection.connection.driver_connection
    raw.execute(f"PRAGMA busy_timeout={int(left * 1000)}").close()
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writing_mode.get() else "BEGIN")
