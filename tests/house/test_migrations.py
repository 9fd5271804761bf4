"""The migrations: equal to the models, and reversible with the demo's rows in the tables."""

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from flask_migrate import downgrade, upgrade
from sqlalchemy import inspect, text

from conference import create_app
from conference import demo as loader
from conference.conferences.models import Conference
from conference.kit import unit
from conference.kit.db import db

from ..conftest import SERVER, SETTINGS

SERVERS = [
    "sqlite",
    pytest.param(
        "postgresql",
        marks=[
            pytest.mark.postgres,
            pytest.mark.skipif(
                not SERVER, reason="FOLGETERMIN_TEST_DATABASE_URL is not set; tools/with_postgres.sh sets it"
            ),
        ],
    ),
]


@pytest.fixture(params=SERVERS)
def empty_app(request, tmp_path):
    """An app whose database has no tables."""
    url = {"DATABASE_URL": SERVER} if request.param == "postgresql" else {"DATABASE_URL": ""}
    made = create_app(SETTINGS | {"INSTANCE": tmp_path / "instance", "DEMO": True} | url)
    with made.app_context():
        drop_all()
        yield made
        drop_all()
        if request.param == "postgresql":
            db.create_all()  # the other tests find their tables
        db.session.remove()
        db.engine.dispose()


def drop_all():
    db.session.remove()
    db.drop_all()
    with db.engine.begin() as connection:
        connection.execute(text("DROP TABLE IF EXISTS alembic_version"))


def tables():
    return sorted(set(inspect(db.engine).get_table_names()) - {"alembic_version"})


def differences():
    with db.engine.connect() as connection:
        options = {"compare_type": True, "render_as_batch": True}
        return compare_metadata(MigrationContext.configure(connection, opts=options), db.metadata)


def test_an_upgraded_database_has_what_the_models_say(empty_app):
    upgrade()
    assert tables() == sorted(table.name for table in db.metadata.sorted_tables)
    assert differences() == []


def test_upgrading_twice_changes_nothing(empty_app):
    upgrade()
    upgrade()
    assert differences() == []


def test_down_takes_everything_away_and_up_brings_it_back(empty_app):
    upgrade()
    loader.load(empty_app)
    with unit.reading():
        assert db.session.query(Conference).count() == 2
    downgrade(revision="base")
    assert tables() == []
    upgrade()
    assert differences() == []
    with unit.reading():
        assert db.session.query(Conference).count() == 0


def test_check_says_that_no_migration_is_missing(flask, tmp_path):
    assert flask(tmp_path, "prepare").returncode == 0
    done = flask(tmp_path, "db", "check")
    assert (done.returncode, done.stdout.strip().splitlines()[-1:]) == (
        0,
        ["No new upgrade operations detected."],
    ), done.stderr
