"""Backups: whole or not at all, of one moment, checked before they are trusted, and nothing erased or sent comes back."""

import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import threading
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, insert, select, text

from conference import create_app
from conference.kit import archive, soundness
from conference.kit.db import db
from conference.outbox import operations as outbox
from conference.outbox import queries as letters
from conference.outbox.models import Hold, Mail, MailState
from conference.providers.models import Contact
from conference.upkeep import backups, erasures, queries, restoring
from conference.upkeep.models import Heartbeat

from ..builders import NOW, a_contact, a_mail
from ..conftest import SERVER, SETTINGS
from .test_health import prepared, stamp

ROOT = Path(__file__).parents[2]


@pytest.fixture
def here(apps, app):
    """An app context on a prepared database; on a server nothing of a restore stays behind."""
    apps.rest()
    prepared(app)
    with app.app_context():
        yield app
        db.session.remove()
        db.engine.dispose()
        if db.engine.dialect.name == "postgresql":
            with db.engine.begin() as connection:
                names = connection.scalars(
                    text("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'before_restore_%'")
                ).all()
                for name in names:
                    connection.exec_driver_sql(f"DROP SCHEMA {name} CASCADE")
                connection.exec_driver_sql("DROP TABLE alembic_version")


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "backups"


def rows(thing):
    with db.engine.connect() as connection:
        return connection.scalar(select(func.count()).select_from(thing))


def everything():
    """All rows of all tables, but for what says when a restore was."""
    with db.engine.connect() as connection:
        return {
            table.name: [tuple(row) for row in connection.execute(select(table).order_by(*table.primary_key))]
            for table in db.metadata.sorted_tables
            if table.name != "hold"
        }


def test_fifteen_backups_while_somebody_writes_each_show_one_moment(here, folder):
    """The writer adds to two tables in one transaction: no backup has one row without the other."""
    is_over, written = threading.Event(), []

    def write():
        with here.app_context():
            while not is_over.is_set():
                number = len(written)
                with db.engine.begin() as connection:
                    if db.engine.dialect.name == "sqlite":
                        connection.exec_driver_sql("PRAGMA busy_timeout=15000")
                    connection.execute(insert(Heartbeat).values(worker=f"w{number}", beat_at=NOW))
                    connection.execute(insert(Hold).values(since=NOW))
                written.append(number)
                is_over.wait(0.002)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        made = [backups.make(here, folder, at=NOW + timedelta(seconds=s)) for s in range(15)]
    finally:
        is_over.set()
        writer.join()
    counts = [manifest["rows"] for _backup, manifest in made]
    assert all(count["heartbeat"] == count["hold"] for count in counts)
    assert [count["hold"] for count in counts] == sorted(count["hold"] for count in counts)
    assert 0 < counts[-1]["hold"] <= len(written)
    assert sorted(path.name for path in folder.iterdir()) == [backup.path.name for backup, _manifest in made]
    assert all(backup.path.stat().st_mode & 0o777 == 0o600 for backup, _manifest in made)


@pytest.fixture
def backup(here, folder):
    with here.app_context():
        db.session.remove()
    return backups.make(here, folder, at=NOW)[0].path


def refusal(app, path):
    before = everything()
    with pytest.raises(restoring.RestoreRefused) as caught:
        restoring.restore(app, path, at=NOW)
    assert len(str(caught.value).splitlines()) == 1
    assert everything() == before and not list(Path(app.instance_path).glob("*before-restore*"))
    return str(caught.value)


def test_every_changed_byte_and_every_cut_is_noticed(here, backup):
    whole = backup.read_bytes()
    assert restoring.check(here, backup)["product"] == "folgetermin"
    places = sorted({*range(0, len(whole), len(whole) // 40), *range(len(whole) - 100, len(whole), 7)})
    for place in places:
        backup.write_bytes(whole[:place] + bytes([whole[place] ^ 0x10]) + whole[place + 1 :])
        with pytest.raises(archive.Damaged):
            archive.read(backup)
        backup.write_bytes(whole[:place])
        with pytest.raises(archive.Damaged):
            archive.read(backup)
    for content in (whole[:-1], whole[: len(whole) // 2], b"", whole + b"x", b"x" + whole):
        backup.write_bytes(content)
        assert "cannot be restored" in refusal(here, backup)


def changed(backup, name="changed.zip", **over):
    """The same backup with another manifest: sound, but not for us."""
    with zipfile.ZipFile(backup) as file:
        manifest = json.loads(file.read("manifest.json"))
        parts = {}
        for number, part in enumerate(manifest["parts"]):
            parts[part] = backup.parent / f"part-{number}"
            parts[part].write_bytes(file.read(part))
    archive.write(backup.with_name(name), manifest | over, parts)
    return backup.with_name(name)


@pytest.mark.parametrize(
    ("over", "reason"),
    [
        ({"product": "pretix"}, "no backup of Folgetermin"),
        ({"format": 2}, "newer version"),
        ({"schema": "ffff0000"}, "newer than this version"),
        ({"schema": None}, "newer than this version"),
        ({"database": "mysql"}, "made on mysql"),
        ({"rows": {"account": 7}}, "its database is missing|other rows"),
        ({"rows": None}, "its database is missing|other rows"),
    ],
    ids=str,
)
def test_what_is_not_for_us_is_refused(here, backup, over, reason):
    assert re.search(reason, refusal(here, changed(backup, **over)))


def test_files_of_other_products_are_refused(here, tmp_path):
    for name, content in {
        "a.zip": b"",
        "b.zip": b"SQLite format 3\0" * 99,
        "c.zip": b"-- PostgreSQL dump\n",
    }.items():
        (tmp_path / name).write_bytes(content)
        assert "cannot be restored" in refusal(here, tmp_path / name)
    with zipfile.ZipFile(tmp_path / "d.zip", "w") as other:
        other.writestr("manifest.json", '{"parts": {}}')
    assert "cannot be restored" in refusal(here, tmp_path / "d.zip")
    assert "cannot be read" in refusal(here, tmp_path / "missing.zip")


@pytest.mark.parametrize(
    "name", ["../escaped", "/etc/escaped", "uploads/../../escaped", "uploads//x", "uploads\\x"]
)
def test_no_part_leads_out_of_the_folder(tmp_path, name):
    (tmp_path / "part").write_text("x")
    archive.write(tmp_path / "a.zip", {"product": "folgetermin"}, {name: tmp_path / "part"})
    with pytest.raises(archive.Damaged):
        archive.read(tmp_path / "a.zip")


def test_a_restore_brings_everything_back_and_keeps_what_was_there(here, in_house, folder):
    instance = Path(here.instance_path)
    (instance / "uploads").mkdir()
    (instance / "uploads" / "plan.pdf").write_bytes(b"%PDF old")
    with in_house():
        gone, stays = a_contact(email="geht@traeger.example"), a_contact()
        for contact in (gone, stays):
            a_mail(recipient=(contact.last_name, contact.email))
    before = everything()
    path = backups.make(here, folder, at=NOW)[0].path
    # Since then: a letter has gone out, a person was erased, one is new, an upload has changed.
    with in_house():
        mail = db.session.scalars(select(Mail).where(Mail.recipient_address == stays.email)).one()
        mail.state, mail.sent_at = MailState.SENT, NOW
        erasures.note(erasures.ADDRESS, gone.email_key, at=NOW)
        erasures.note(erasures.ADDRESS, gone.email_key, at=NOW)
        a_contact(last_name="Später")
    (instance / "uploads" / "plan.pdf").write_bytes(b"%PDF new")
    assert len(erasures.in_file(instance)) == 1 and "geht" not in (instance / erasures.FILE).read_text()

    for file in instance.glob("folgetermin.db"):
        file.chmod(0o644)
    report = restoring.restore(here, path, at=NOW)
    assert (report.erased, report.known_as_sent) == (2, 1) and report.warnings == []
    assert {file.stat().st_mode & 0o077 for file in instance.glob("folgetermin*.db")} <= {0}
    assert (instance / "uploads" / "plan.pdf").read_bytes() == b"%PDF old"
    (older,) = instance.glob("uploads-before-restore-*")
    assert (older / "plan.pdf").read_bytes() == b"%PDF new"
    after = everything()
    assert {name for name in before if before[name] != after[name]} == {"contact", "mail", "erasure"}
    assert "geht@" not in str(after) and "Später" not in str(after)
    assert len(after["contact"]) == 2 and len(after["erasure"]) == 1
    states = {row[0]: row for row in after["mail"]}
    assert len(states) == 2
    with here.app_context():
        assert letters.delivery() == "held"
        assert queries.checks(here, NOW)[1].is_good
    assert kept_rows(report.kept) == 3

    # Once more changes nothing, and new rows get new numbers.
    restoring.restore(here, path, at=NOW)
    assert everything() == after
    with in_house():
        assert a_contact().id not in {row[0] for row in after["contact"]}


def kept_rows(kept):
    if kept.startswith("schema "):
        with db.engine.connect() as connection:
            return connection.exec_driver_sql(
                f"SELECT count(*) FROM {kept.removeprefix('schema ')}.contact"
            ).scalar()
    return sqlite3.connect(kept).execute("SELECT count(*) FROM contact").fetchone()[0]


def test_erasures_under_an_unknown_key_stop_a_restore(here, in_house, backup):
    key = here.config["SECRET_KEY"]
    with in_house():
        erasures.note(erasures.ADDRESS, "geht@traeger.example", at=NOW)
    here.config["SECRET_KEY"] = "another key, 32 characters and some more"
    assert "FOLGETERMIN_OLD_SECRET_KEYS" in refusal(here, backup)
    here.config["SECRET_KEY_FALLBACKS"] = [key]
    report = restoring.restore(here, backup, at=NOW)
    assert "another secret key" in report.warnings[0]


def test_the_list_of_erasures_survives_a_cut_line_and_catches_up(here, in_house):
    instance = Path(here.instance_path)
    with in_house():
        erasures.note(erasures.ADDRESS, "a@traeger.example", at=NOW)
    (instance / erasures.FILE).write_text('{"kind": "addr')
    with db.engine.connect() as connection:
        lines = erasures.in_table(connection)
    assert erasures.keep_file(instance, lines) == 1
    assert erasures.keep_file(instance, lines) == 0
    assert erasures.in_file(instance) == lines


@pytest.mark.parametrize("statement", ["UPDATE erasure SET kind = 'x'", "DELETE FROM erasure"])
def test_an_erasure_cannot_be_changed(here, in_house, statement):
    with in_house():
        erasures.note(erasures.ADDRESS, "a@traeger.example", at=NOW)
    with pytest.raises(Exception, match="frozen"), db.engine.begin() as connection:
        connection.exec_driver_sql(statement)


def test_a_backup_of_an_older_schema_is_brought_up(here, backup, tmp_path):
    newer = shutil.copytree(ROOT / "conference" / "migrations", tmp_path / "migrations")
    (newer / "versions" / "0002_more.py").write_text(
        "import sqlalchemy as sa\nfrom alembic import op\n\nrevision = '0002'\ndown_revision = '0001'\n\n\n"
        "def upgrade():\n    op.create_table('more', sa.Column('id', sa.Integer(), primary_key=True))\n\n\n"
        "def downgrade():\n    op.drop_table('more')\n"
    )
    here.config["MIGRATIONS"] = newer
    here.extensions.pop("migrate", None)
    stamp(here, "0002")
    restoring.restore(here, backup, at=NOW)
    with db.engine.begin() as connection:
        assert soundness.schema(here, connection).state == "current"
        connection.exec_driver_sql("DROP TABLE more")


def test_a_damaged_database_can_be_replaced(here, backup):
    path = Path(here.instance_path, "folgetermin.db")
    if db.engine.dialect.name == "sqlite":
        db.session.remove()
        db.engine.dispose()
        path.write_bytes(b"broken" * 1000)
        path.with_name(path.name + "-wal").write_bytes(b"rest")
        report = restoring.restore(here, backup, at=NOW)
        assert "could not be read" in report.warnings[0]
        assert Path(report.kept).read_bytes().startswith(b"broken")
    assert rows(Contact) == 0


def test_nothing_is_restored_under_a_running_server(here, backup):
    settings = os.environ | {"FOLGETERMIN_INSTANCE": here.instance_path}
    words = [sys.executable, "-c", "from wsgi import app; print('up', flush=True); input()"]
    with subprocess.Popen(words, cwd=ROOT, env=settings, stdin=-1, stdout=-1, stderr=-1, text=True) as server:
        assert server.stdout.readline() == "up\n"
        assert "is running here" in refusal(here, backup)
        server.communicate("\n")
    restoring.restore(here, backup, at=NOW)


def test_a_server_elsewhere_is_seen_by_its_connection(here, backup):
    if not SERVER:
        assert db.engine.dialect.name == "sqlite"  # has no elsewhere
        return
    other = create_app(SETTINGS | {"INSTANCE": backup.parent / "other", "DATABASE_URL": SERVER})
    with other.app_context():
        with db.engine.connect() as connection:
            connection.execute(text("SELECT 1"))
            with here.app_context():
                assert "is running here" in refusal(here, backup)
        db.engine.dispose()


def no_space(*_words, **_more):
    raise OSError(28, "No space left on device")


def test_a_killed_backup_leaves_nothing_that_looks_like_one(here, folder, monkeypatch):
    folder.mkdir()
    (folder / ".folgetermin-999999999-x").mkdir()
    monkeypatch.setattr(archive, "_seal", no_space)
    with pytest.raises(backups.BackupFailed, match="No space left on device"):
        backups.make(here, folder, at=NOW)
    assert list(folder.iterdir()) == []


def test_a_restore_that_fails_half_way_changes_nothing(here, backup, monkeypatch):
    monkeypatch.setattr(outbox, "hold_on", no_space)
    assert "No space left on device" in refusal(here, backup)
    assert not list(Path(here.instance_path).glob(".restore-*"))


class TestOnSchedule:
    @pytest.fixture
    def settings(self, folder):
        return {"BACKUP_DIR": str(folder), "BACKUP_DAYS": 3}

    def test_one_each_night_and_the_old_ones_go(self, here, folder):
        night = datetime(2023, 5, 2, 0, 0, tzinfo=UTC)  # two o'clock in Germany
        (folder).mkdir()
        (folder / "folgetermin-wichtig.zip").write_text("of somebody else")
        made = [backups.keep_schedule(here, at=night + timedelta(hours=hour)) for hour in range(0, 6 * 24, 8)]
        assert [one is not None for one in made] == [True, False, False] * 6
        assert [b.made_at.day for b in backups.all_in(folder)] == [4, 5, 6, 7]
        assert (folder / "folgetermin-wichtig.zip").exists()
        (check,) = [c for c in queries.checks(here, night + timedelta(days=6)) if c.name == "backup"]
        assert check.is_good and check.figures["bytes"] > 0
        late = queries.checks(here, night + timedelta(days=7))
        assert [c.name for c in late if c.name == "backup" and not c.is_good] == ["backup"]

    def test_a_failure_is_noticed_and_tried_again_after_an_hour(self, here, folder):
        folder.write_text("no folder")
        assert backups.keep_schedule(here, at=NOW) is None
        assert "File exists" in backups.trouble(here)["reason"]
        assert not backups.is_due(here, NOW + timedelta(minutes=59))
        folder.unlink()
        assert backups.keep_schedule(here, at=NOW + timedelta(hours=1)) is not None
        assert backups.trouble(here) is None

    def test_two_workers_make_one(self, here, folder):
        both = []

        def keep():
            with here.app_context():
                both.append(backups.keep_schedule(here, at=NOW))

        threads = [threading.Thread(target=keep) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len([one for one in both if one]) == 1 and len(backups.all_in(folder)) == 1

    def test_the_newest_backup_is_never_thrown_away(self, here, folder):
        backups.keep_schedule(here, at=NOW)
        assert backups.rotate(folder, NOW + timedelta(days=99)) == 0

    def test_a_clock_that_was_wrong_does_not_stop_the_schedule(self, here, folder):
        backups.keep_schedule(here, at=NOW + timedelta(days=400))
        assert backups.keep_schedule(here, at=NOW) is not None


def test_the_hour_of_the_night_holds_on_days_with_23_and_25_hours():
    spring = datetime(2027, 3, 28, 12, tzinfo=UTC)
    autumn = datetime(2027, 10, 31, 12, tzinfo=UTC)
    assert backups.slot_before(spring, 3) == datetime(2027, 3, 28, 1, tzinfo=UTC)
    assert backups.slot_before(autumn, 2) == datetime(2027, 10, 31, 0, tzinfo=UTC)
    assert backups.slot_before(datetime(2027, 10, 31, 0, 30, tzinfo=UTC), 5) == datetime(
        2027, 10, 30, 3, tzinfo=UTC
    )


def test_commands_make_check_and_bring_back(flask, tmp_path):
    instance = tmp_path / "instance"
    assert flask(instance, "backup").stderr.startswith("Error: There is no database yet")
    assert flask(instance, "prepare").returncode == 0
    made = flask(instance, "backup", "--to", tmp_path / "to")
    assert made.returncode == 0, made.stderr
    path = made.stdout.splitlines()[0]
    checked = flask(instance, "restore", "--verify", path)
    assert (checked.returncode, checked.stdout.splitlines()[0]) == (
        0,
        f"{path} is whole and can be restored here",
    )
    done = flask(instance, "restore", path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "Letters are held" in done.stdout
    assert flask(instance, "release-letters").stdout == "Letters leave again.\n"
    Path(path).write_bytes(Path(path).read_bytes()[:-7])
    for words in (["--verify", path], [path]):
        refused = flask(instance, "restore", *words)
        assert (refused.returncode, refused.stdout) == (1, "")
        assert refused.stderr == f"Error: {path} cannot be restored: it is cut off, or no backup at all.\n"
