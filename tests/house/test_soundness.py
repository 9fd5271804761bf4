"""Starts: a database that this version does not know, or that could forget what it confirmed, is not used."""

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import create_engine, event

from conference import create_app
from conference.kit import presence, soundness

from ..conftest import SERVER

ROOT = Path(__file__).parents[2]
PRODUCTION = {"PRODUCTION": True, "BASE_URL": "https://folgetermin.example"}


@pytest.fixture
def folder(tmp_path, flask):
    assert flask(tmp_path / "instance", "prepare").returncode == 0
    return tmp_path / "instance"


def sql(folder, statement):
    with closing(sqlite3.connect(folder / "folgetermin.db")) as database:
        database.execute(statement)
        database.commit()


def test_revisions_are_read_without_alembic(tmp_path):
    (tmp_path / "versions").mkdir()
    for name, words in {
        "a.py": "revision = '1'\ndown_revision = None\n",
        "b.py": 'revision: str = "2"\ndown_revision: str | None = "1"\n',
    }.items():
        (tmp_path / "versions" / name).write_text(words)
    assert soundness.revisions(tmp_path) == ("2", frozenset("12"))
    states = {None: "missing", "1": "older", "2": "current", "3": "unknown"}
    assert {found: soundness.Schema(found, "2", frozenset("12")).state for found in states} == states


def test_f15_a_newer_schema_is_refused_by_servers_and_commands(folder, flask):
    sql(folder, "UPDATE alembic_version SET version_num = 'f00d'")
    for command in ("prepare", "worker", "send-mail"):
        done = flask(folder, command)
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr.startswith("The database has the schema f00d, which this version does not know")
        assert len(done.stderr.splitlines()) == 1
    with pytest.raises(soundness.Unsound, match="f00d"):
        create_app({"INSTANCE": folder})


def test_f15_a_web_server_with_a_newer_schema_does_not_start(folder):
    sql(folder, "UPDATE alembic_version SET version_num = 'f00d'")
    words = [sys.executable, "-m", "gunicorn", "wsgi:app", "--bind", "127.0.0.1:0", "--no-control-socket"]
    settings = os.environ | {"FOLGETERMIN_INSTANCE": str(folder)}
    done = subprocess.run(words, cwd=ROOT, env=settings, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "The database has the schema f00d" in done.stderr and "Traceback" not in done.stderr


def test_a_server_starts_although_its_database_is_away(tmp_path, caplog):
    create_app({"INSTANCE": tmp_path, "DATABASE_URL": "postgresql+psycopg://nobody@127.0.0.1:1/none"})
    assert "the database cannot be used yet" in caplog.text


def test_f15_what_could_not_be_checked_at_the_start_is_checked_before_anybody_gets_a_page(
    folder, caplog, monkeypatch
):
    monkeypatch.setattr(soundness, "AGAIN", 0)
    file, away = folder / "folgetermin.db", folder / "away"
    file.rename(away)
    file.write_bytes(b"no database at all, " * 100)
    client = create_app({"INSTANCE": folder}).test_client()
    assert client.get("/sign-in").status_code == 503 and client.get("/healthz").status_code == 200
    away.rename(file)
    sql(folder, "UPDATE alembic_version SET version_num = 'f00d'")
    assert client.get("/sign-in").status_code == 503
    assert "The database has the schema f00d" in caplog.text
    checks = client.get("/readyz").json["checks"]
    assert not checks["database"]["ok"] and not checks["schema"]["ok"]
    head, _known = soundness.revisions(ROOT / "conference/migrations")
    sql(folder, f"UPDATE alembic_version SET version_num = '{head}'")
    assert client.get("/sign-in").status_code == 200
    assert client.get("/readyz").json["checks"]["database"]["ok"]


def test_production_refuses_a_database_in_memory(tmp_path):
    with pytest.raises(soundness.Unsound, match="write-ahead log"):
        create_app({"INSTANCE": tmp_path, "DATABASE_URL": "sqlite://"} | PRODUCTION)
    create_app({"INSTANCE": tmp_path, "DATABASE_URL": "sqlite://"})


@pytest.mark.parametrize(
    ("pragma", "reason"),
    [("synchronous=NORMAL", "below FULL"), ("journal_mode=DELETE", "journal_mode=delete")],
)
def test_weak_settings_of_sqlite_are_named(tmp_path, pragma, reason):
    engine = create_engine(f"sqlite:///{tmp_path}/x.db")
    event.listen(engine, "connect", lambda raw, _record: raw.execute(f"PRAGMA {pragma}").close())
    with engine.connect() as connection:
        assert any(reason in weakness for weakness in soundness.weaknesses(connection))
    engine.dispose()


def test_a_house_of_ours_is_safe(folder):
    app = create_app({"INSTANCE": folder} | PRODUCTION)
    assert soundness.check(app) == "current"


@pytest.mark.postgres
@pytest.mark.skipif(
    not SERVER, reason="FOLGETERMIN_TEST_DATABASE_URL is not set; tools/with_postgres.sh sets it"
)
def test_weak_settings_of_postgresql_are_named_and_refused_in_production(tmp_path):
    # The server of the tests waits for no disk.
    with pytest.raises(soundness.Unsound, match="fsync=off; PostgreSQL runs with full_page_writes=off"):
        create_app({"INSTANCE": tmp_path, "DATABASE_URL": SERVER} | PRODUCTION)


def test_two_servers_share_a_folder_and_a_restore_wants_it_alone(tmp_path):
    one, two = (create_app({"INSTANCE": tmp_path, "TESTING": True}) for _ in range(2))
    presence.enter(one)
    presence.enter(two)
    with pytest.raises(presence.Busy), presence.alone(two):
        pass
    for app in (one, two):
        app.extensions.pop("presence")[1].close()
    with presence.alone(two), pytest.raises(soundness.Unsound, match="being restored"):
        presence.enter(one)
