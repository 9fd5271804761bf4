"""Fixtures for all tests: a fresh database per test, an app, a browser, a query counter."""

import gc
import logging
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import hypothesis
import psycopg
import pytest
from flask import Flask
from sqlalchemy import event

from conference import create_app
from conference.kit import clock, logs, unit
from conference.kit.db import db

from .apps import Apps
from .browser import Browser
from .builders import an_account


def _own_database(url: str | None) -> str | None:
    """Each test process works on a database of its own."""
    worker = os.environ.get("PYTEST_XDIST_WORKER")
    if url is None or worker is None:
        return url
    base, name = url.rsplit("/", 1)
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        if (
            connection.execute(
                "SELECT 1 FROM pg_database WHERE datname = %s", [f"{name}_{worker}"]
            ).fetchone()
            is None
        ):
            connection.execute(f'CREATE DATABASE "{name}_{worker}"')
    return f"{base}/{name}_{worker}"


# A busy machine is no fault of the code: no example has to be ready within a time.
hypothesis.settings.register_profile("house", deadline=None)
hypothesis.settings.load_profile("house")
SERVER = _own_database(os.environ.get("FOLGETERMIN_TEST_DATABASE_URL"))
SETTINGS = {
    "TESTING": True,
    "SECRET_KEY": "a secret for tests only, 32 characters and more",
    "BASE_URL": "https://folgetermin.example",
    "RATELIMIT_ENABLED": False,
    "MAIL_HOLD_SECONDS": 0,
    "SESSION_COOKIE_SECURE": False,
    "SESSION_COOKIE_NAME": "folgetermin",
}


REACH_THE_SERVER = {"app", "garden"}
"""The fixtures that work on the server of FOLGETERMIN_TEST_DATABASE_URL; a test that goes there by itself is marked `postgres`."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """With a server, leave out what never gets there: it is the same test as on SQLite."""
    if SERVER is None:
        return
    away = [item for item in items if not _reaches_the_server(item)]
    config.hook.pytest_deselected(items=away)
    items[:] = [item for item in items if _reaches_the_server(item)]


def pytest_collection_finish() -> None:
    """Thousands of tests and all modules stay until the end: Python need not look through them again and again for garbage."""
    gc.collect()
    gc.freeze()


def _reaches_the_server(item: pytest.Item) -> bool:
    fixtures = set(getattr(item, "fixturenames", ()))
    return bool(REACH_THE_SERVER & fixtures) or item.get_closest_marker("postgres") is not None


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with all tables, copied for each test."""
    folder = tmp_path_factory.mktemp("empty")
    app = create_app(SETTINGS | {"INSTANCE": folder})
    with app.app_context():
        db.create_all()
        db.session.remove()
        db.engine.dispose()
    return folder / "folgetermin.db"


@pytest.fixture(autouse=True)
def steady_hands(monkeypatch: pytest.MonkeyPatch) -> None:
    """A test that travels in time lets it pass; nobody sets the clock."""
    monkeypatch.setattr(clock, "JUMP", float("inf"))
    monkeypatch.setattr(clock, "NOTICEABLE", float("inf"))  # the database does not travel along


@pytest.fixture
def settings() -> dict[str, Any]:
    """Override in a module to change settings for its tests."""
    return {}


@pytest.fixture(scope="session")
def apps(tmp_path_factory: pytest.TempPathFactory) -> Apps:
    """The apps of this process, which are used again and again."""
    return Apps(tmp_path_factory.mktemp("apps"))


@pytest.fixture
def app(apps: Apps, settings: dict[str, Any], request: pytest.FixtureRequest) -> Iterator[Flask]:
    """An app on an empty database of its own: SQLite, or PostgreSQL when FOLGETERMIN_TEST_DATABASE_URL is set."""
    overrides = SETTINGS | ({"DATABASE_URL": SERVER} if SERVER else {}) | settings
    empty = None if SERVER else request.getfixturevalue("empty_database")  # makes an app: before ours
    made = apps.take(overrides)
    if SERVER:
        _empty_server(made)
    else:
        shutil.copy(str(empty), Path(made.instance_path, "folgetermin.db"))
    yield made
    apps.give_back(made, overrides)


@pytest.fixture
def told(
    app: Flask, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> Callable[[], list[dict[str, Any]]]:
    """What was written down of requests and of who came in, as facts."""
    for logger in (logs.security, logs.access):
        monkeypatch.setattr(logger, "propagate", True)
        caplog.set_level(logging.INFO, logger=logger.name)
    return lambda: [record.facts for record in caplog.records if hasattr(record, "facts")]


def _empty_server(app: Flask) -> None:
    with app.app_context():
        if not _prepared:
            db.drop_all()
            db.create_all()
            _prepared.append(True)
        tables = [f'DELETE FROM "{table.name}"' for table in reversed(db.metadata.sorted_tables)]
        # What is frozen cannot be deleted, unless its triggers sleep.
        asleep, awake = ("SET LOCAL session_replication_role = " + role for role in ("replica", "origin"))
        tables = [asleep, "TRUNCATE release, erasure, audit_entry, audit_text", awake, *tables]
        # Deleting a few rows and setting the counters back takes a tenth of the time of TRUNCATE.
        reset = "SELECT setval(oid::regclass, 1, false) FROM pg_class WHERE relkind = 'S'"
        with db.engine.begin() as connection:
            connection.exec_driver_sql("; ".join([*tables, reset]))


_prepared: list[bool] = []


@pytest.fixture
def house(app: Flask) -> Iterator[Flask]:
    """An app context with an open writing transaction, for tests of operations and queries. Not with `browser`."""
    with app.app_context(), unit.writing(commit=False):
        yield app


@pytest.fixture
def in_house(app: Flask) -> Callable[[], Any]:
    """`with in_house():` opens a writing transaction that is committed at the end: to prepare data for a browser."""

    @contextmanager
    def enter() -> Iterator[Flask]:
        with app.app_context(), unit.writing():
            yield app

    return enter


@pytest.fixture
def organiser(in_house: Callable[[], Any]) -> Any:
    """An organiser, who does not work on anything yet."""
    with in_house():
        return an_account()


@pytest.fixture
def browser(app: Flask) -> Browser:
    """A browser with empty cookies."""
    return Browser(app)


@pytest.fixture
def new_browser(app: Flask) -> Callable[[], Browser]:
    """Further browsers: other people."""
    return lambda: Browser(app)


@pytest.fixture
def count_queries(app: Flask) -> Callable[[], Any]:
    """`with count_queries() as seen:` collects the SQL statements; len(seen) is their number."""

    @contextmanager
    def counting() -> Iterator[list[str]]:
        seen: list[str] = []

        def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
            seen.append(statement)

        with app.app_context():
            engine = db.engine
        event.listen(engine, "before_cursor_execute", note)
        try:
            yield seen
        finally:
            event.remove(engine, "before_cursor_execute", note)

    return counting
