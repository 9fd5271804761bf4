"""Everything that is recorded has a page on which staff read its history; statements on many rows are recorded too."""

import re
from pathlib import Path

from sqlalchemy import delete, select, update

from conference.conferences.models import Room
from conference.kit import unit
from conference.kit.audit import AuditEntry
from conference.kit.db import db
from conference.recording import TABLES

from .. import world

TEMPLATES = Path(__file__).parents[2] / "templates"
WITH_THE_PERSON = {"registration", "consent", "attendance", "personal_link"}
"""On the page of the invitation, which shows everything about the person there."""
WITH_THE_ROUNDS = {"round", "breakout_group", "seat", "round_timer"}


def shown():
    """The kinds that some page asks the record for."""
    found = set()
    for path in TEMPLATES.rglob("*.html"):
        for call in re.findall(r"history_(?:of|here)\(([^)]*)\)", path.read_text()):
            found |= set(re.findall(r'"(\w+)"', call))
    return found


def test_every_kind_of_object_has_a_page_with_its_history():
    kinds = shown() | WITH_THE_PERSON | WITH_THE_ROUNDS
    without = {
        table
        for table, rule in TABLES.items()
        if table not in kinds and (rule.parent or ("", ""))[1] not in kinds
    }
    assert not without, f"show the history of these on a page of theirs (record_of): {without}"


def test_the_pages_show_it(app):
    built = world.build(app)
    admin = built.visitors["administration"]
    with app.app_context(), unit.reading():
        tables = db.metadata.tables
        vote, cluster, provider = (
            db.session.scalar(select(tables[name].c.id).where(*where))
            for name, where in (
                ("vote", [tables["vote"].c.conference_id == 2]),
                ("cluster", [tables["cluster"].c.conference_id == 2]),
                ("provider", []),
            )
        )
    base = f"/conferences/{world.COMING}"
    pages = [
        f"{base}/rooms", f"{base}/topics", f"{base}/ideas/codes", f"{base}/sheets", f"{base}/groups/rules",
        f"{base}/votes/{vote}", f"{base}/clusters/{cluster}", f"/providers/{provider}", "/accounts", "/upkeep",
        f"/conferences/{world.OVER}/minutes", f"{base}/groups/release", "/feedback",
    ]  # fmt: skip
    without = [
        page for page in pages if "Verlauf" not in admin.get(page).get_data(as_text=True).split("<main", 1)[1]
    ]
    assert without == []


def test_t28_a_statement_that_changes_many_rows_is_recorded(app, in_house):
    with in_house():
        from ..builders import a_conference

        conference = a_conference()
        db.session.add_all(
            [Room(conference_id=conference.id, name=f"Raum {n}", capacity=5, position=n) for n in range(3)]
        )
    with in_house():
        db.session.execute(update(Room).values(capacity=9))
    with in_house():
        db.session.execute(delete(Room).where(Room.position > 0))
    with app.app_context(), unit.reading():
        rows = db.session.execute(
            select(AuditEntry.verb, AuditEntry.changes).where(
                AuditEntry.kind == "room", AuditEntry.object_id.is_(None)
            )
        ).all()
    assert [verb for verb, _changes in rows] == ["changed", "deleted"]
    assert '"count":3' in rows[0].changes.replace(" ", "") and '"count":2' in rows[1].changes.replace(" ", "")
