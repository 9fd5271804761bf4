"""What is left beside the data after restores and backups by hand."""

from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import text

from conference.kit.db import db
from conference.upkeep import leftovers

AT = datetime(2026, 3, 31, 12, 0, tzinfo=UTC)
OLD = [
    "folgetermin-before-restore-20260228-115959.db", "folgetermin-before-restore-20260228-115959.db-wal",
    "folgetermin-before-restore-20260201-020000-2.db", "uploads-before-restore-20260201-020000/scan.png",
    "backups/folgetermin-20260201T020000Z.zip",
]  # fmt: skip
KEPT = [
    "folgetermin-before-restore-20260301-120001.db", "uploads-before-restore-20260330-020000/scan.png",
    "folgetermin-before-restore-99999999-020000.db", "notes-before-restore-20260201.txt",
    "backups/folgetermin-20260202T020000Z.zip", "backups/folgetermin-before.zip",
]  # fmt: skip


def test_t38_what_restores_and_backups_by_hand_left_goes_when_its_time_is_over(app):
    folder = Path(app.instance_path)
    for name in [*OLD, *KEPT]:
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).touch()
    with app.app_context():
        gone = leftovers.throw_away(app, at=AT)
        again = leftovers.throw_away(app, at=AT)
    assert [name for name in [*OLD, *KEPT] if (folder / name).exists()] == KEPT
    assert not (folder / "uploads-before-restore-20260201-020000").exists()
    assert (gone, again) == (len(OLD), 0)
    for name in KEPT:
        (folder / name).unlink()


def test_t38_schemas_too(app):
    names = ["before_restore_20260201_020000_1", "before_restore_20260330_020000_2", "before_restore_of_mine"]
    with app.app_context():
        if_there = db.engine.dialect.name == "postgresql"
        with db.engine.begin() as connection:
            for name in names if if_there else ():
                connection.execute(text(f"CREATE SCHEMA {name} CREATE TABLE mail (id INTEGER)"))
        assert leftovers.throw_away(app, at=AT) == int(if_there)
        with db.engine.begin() as connection:
            for name in names[1:] if if_there else ():
                connection.execute(text(f"DROP SCHEMA {name} CASCADE"))
