"""Migrations and restores that are killed, doubled and taken back: the old or the new database, whole (F14, F16)."""

import hashlib
import os
import signal
import sys
import time
from collections import Counter
from datetime import timedelta
from pathlib import Path
from shutil import copytree

import pytest
from flask_migrate import downgrade, upgrade
from sqlalchemy import func, insert, inspect, select, text

from conference import create_app
from conference.kit import links, soundness, unit
from conference.kit.db import db
from conference.providers.models import Contact
from conference.registrations.models import Registration
from conference.upkeep import backups, restoring

from ..builders import NOW, a_conference, a_contact, a_personal_link, an_invitation, june_with_people
from ..conftest import SERVER, SETTINGS
from ..house.test_migrations import SERVERS
from ..servers import ROOT, process, settings_of, wait_until, web
from ..upkeep.test_health import prepared
from .running import SOON, Guest

MANY = 10_000
SECOND = """
import os
import time
from pathlib import Path

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
HERE = Path({folder!r})


def upgrade():
    op.create_table("more", sa.Column("id", sa.Integer(), primary_key=True))
    with (HERE / "began").open("a") as file:
        file.write("began")
    while (HERE / "wait").exists():
        time.sleep(0.01)
    for table in ("contact", "registration"):
        with op.batch_alter_table(table) as batch:
            batch.add_column(sa.Column("nick", sa.String(), nullable=False, server_default="none"))


def downgrade():
    for table in ("registration", "contact"):
        with op.batch_alter_table(table) as batch:
            batch.drop_column("nick")
    op.drop_table("more")
"""


@pytest.fixture(params=SERVERS)
def old(request, tmp_path):
    """A house with people at schema 0001, whose newest is 0002; the folder of marks of that migration."""
    is_server = request.param == "postgresql"
    folder = copytree(ROOT / "conference" / "migrations", tmp_path / "migrations")
    (folder / "versions" / "0002_more.py").write_text(SECOND.format(folder=str(tmp_path)))
    over = {
        "DATABASE_URL": SERVER if is_server else "",
        "MIGRATIONS": folder,
        "INSTANCE": tmp_path / "instance",
    }
    app = create_app(SETTINGS | over)
    with app.app_context():
        clean()
        upgrade(revision="0001")
        with unit.writing():
            june_with_people()
        db.session.remove()
        db.engine.dispose()
        yield app, tmp_path
        clean()
        if is_server:
            db.create_all()  # the other tests find their tables
        db.session.remove()
        db.engine.dispose()


def clean():
    db.session.remove()
    db.drop_all()
    with db.engine.begin() as connection:
        for name in ("more", "alembic_version"):
            connection.execute(text(f"DROP TABLE IF EXISTS {name}"))


def in_child(app, work):
    """Do it in a process of its own; gives its number. Nothing of it survives SIGKILL."""
    with app.app_context():
        db.session.remove()
        db.engine.dispose()
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        with app.app_context():
            work()
        code = 0
    finally:
        os._exit(code)


def end_of(child):
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def schema(app):
    with app.app_context():
        with db.engine.connect() as connection:
            found = soundness.schema(app, connection).found
            has_more = inspect(connection).has_table("more")
            nicks = "nick" in {column["name"] for column in inspect(connection).get_columns("contact")}
        db.engine.dispose()
    assert has_more == nicks == (found == "0002"), "half a migration"
    return found


def counts():
    return [db.session.scalar(select(func.count(model.id))) for model in (Contact, Registration)]


def many_more(number):
    """So many people more who have a seat, each like the first one."""
    person, seat = (dict(db.session.execute(select(model.__table__)).mappings().first()) for model in (Contact, Registration))  # fmt: skip
    new = {"email": None, "id": None} | {"last_name": "Muster"}
    people = [person | new | {"email_key": f"guest-{one}@haus.example"} for one in range(number)]
    for one in (*people, seat):
        del one["id"]
    ids = db.session.scalars(insert(Contact).returning(Contact.id), people).all()
    db.session.execute(insert(Registration), [seat | {"contact_id": one} for one in ids])


def rows():
    """Everything that was in the old columns of people and registrations."""
    found = [
        db.session.execute(select(model.__table__).order_by("id")).all() for model in (Contact, Registration)
    ]
    return hashlib.sha256(repr(found).encode()).hexdigest()


def test_f14_up_down_up_keeps_every_row_of_ten_thousand(old):
    app, _marks = old
    with app.app_context():
        with unit.writing():
            many_more(MANY)
        before, numbers = rows(), counts()
        assert min(numbers) >= MANY
        for step in (upgrade, lambda: downgrade(revision="0001"), upgrade):
            db.session.remove()
            step()
            assert (rows(), counts()) == (before, numbers)
            orphans = select(func.count(Registration.id)).where(
                Registration.contact_id.not_in(select(Contact.id))
            )
            assert db.session.scalar(orphans) == 0
    assert schema(app) == "0002"


def test_f15_an_older_process_works_on_while_a_newer_migrates_and_does_not_start_again(old, tmp_path):
    newer, _marks = old
    folder, log, over = Path(newer.instance_path), tmp_path / "log", {}
    over["DATABASE_URL"] = newer.config["DATABASE_URL"]
    with newer.app_context():
        with unit.writing():
            soon = a_conference(slug="soon", seats=1000, day=SOON, answer_by=SOON - timedelta(days=10))
            invited = [an_invitation(soon, sent=True) for _number in range(2)]
            tokens = [links.token_of(a_personal_link(one).nonce) for one in invited]
        before = counts()[1]
        db.session.remove()
        db.engine.dispose()
    with web(folder, log, **over) as server:
        early, late = [Guest(server.port, token).look() for token in tokens]
        assert early.say_yes().status == 303
        assert end_of(in_child(newer, upgrade)) == 0
        assert schema(newer) == "0002"
        assert late.say_yes().status == 303
        assert "schema" in late.call("GET", "/readyz").page
    with newer.app_context():
        assert counts()[1] == before + 2
    log.write_text("")
    with process(["gunicorn", "wsgi:app", "--check-config"], settings_of(folder, **over), log) as child:
        assert child.wait() != 0
    assert "schema 0002, which this version does not know" in log.read_text()
    assert "Traceback" not in log.read_text()


def test_f14_killed_in_the_middle_it_begins_anew(old):
    app, marks = old
    (marks / "wait").touch()
    child = in_child(app, upgrade)
    wait_until((marks / "began").exists)
    os.kill(child, signal.SIGKILL)
    assert end_of(child) == -signal.SIGKILL
    (marks / "wait").unlink()
    assert schema(app) == "0001"
    assert end_of(in_child(app, upgrade)) == 0
    assert schema(app) == "0002"


def test_f14_of_two_that_start_at_once_one_migrates_and_both_go_on(old):
    app, marks = old
    (marks / "wait").touch()
    first = in_child(app, upgrade)
    wait_until((marks / "began").exists)
    second = in_child(app, upgrade)
    time.sleep(1)  # long enough to come as far as the lock; a slow machine only makes the test weaker
    waits = os.waitpid(second, os.WNOHANG) == (0, 0)
    (marks / "wait").unlink()
    assert end_of(first) == 0
    assert waits
    assert end_of(second) == 0
    assert (marks / "began").read_text() == "began", "both have migrated"
    assert schema(app) == "0002"


# -- a restore ---------------------------------------------------------

TOUCHES = {"os.rename", "os.link", "os.remove", "os.mkdir", "os.rmdir", "os.chown", "sqlite3.connect"}
"""What a process does to files, as Python's own audit names it; and opening one to write."""
STEP = 15 if SERVER else 1
"""With a server there is a file for each table; not every one of them is another case."""


@pytest.fixture
def backed_up(app, apps, in_house, tmp_path):
    """A backup of two people, made before a third came; and how many rows each of both states has."""
    apps.rest()
    uploads = Path(app.instance_path, "uploads")
    uploads.mkdir()
    (uploads / "alt.txt").write_text("old")
    with in_house():
        june_with_people()
    prepared(app)
    with app.app_context():
        db.session.remove()
        db.engine.dispose()
        backup = backups.make(app, tmp_path / "backups", at=NOW)[0].path
    then = state(app)
    with in_house():
        a_contact()
    yield app, backup, then, state(app)
    with app.app_context(), db.engine.begin() as connection:
        connection.execute(text("DROP TABLE IF EXISTS alembic_version"))


def state(app):
    with app.app_context():
        found = counts()
        if db.engine.dialect.name == "sqlite":
            with db.engine.connect() as connection:
                assert connection.scalar(text("PRAGMA integrity_check")) == "ok"
        db.session.remove()
        db.engine.dispose()
    return found


def killed_at(app, backup, number):
    """Restore in a process that is killed as it touches files for the n-th time; False when it came to its end before."""

    def work():
        seen = Counter()

        def watch(event, arguments):
            writes = event == "open" and isinstance(arguments[1], str) and set(arguments[1]) & set("wax+")
            if event in TOUCHES or writes:
                seen["touched"] += 1
                if seen["touched"] == number:
                    os.kill(os.getpid(), signal.SIGKILL)

        sys.addaudithook(watch)
        restoring.restore(app, backup, at=NOW)

    code = end_of(in_child(app, work))
    assert code in (0, -signal.SIGKILL)
    return code != 0


def test_f14_a_restore_that_is_killed_leaves_the_old_or_the_new_database_whole(backed_up):
    app, backup, then, now = backed_up
    assert then != now
    outcomes, number = [], 1
    while killed_at(app, backup, number):
        outcomes.append(state(app))
        number += STEP
        if outcomes[-1] == then:
            break
    assert outcomes[:-1] == [now] * (len(outcomes) - 1) and len(outcomes) > 5
    assert end_of(in_child(app, lambda: restoring.restore(app, backup, at=NOW))) == 0
    assert state(app) == then
    assert Path(app.instance_path, "uploads", "alt.txt").read_text() == "old"
    assert not list(Path(app.instance_path).glob(".restore-*"))
