"""Released minutes are offered to the archive, and only then deleted (REQ-24; section 5 BArchG)."""

import hashlib
import io
import json
import zipfile
from datetime import timedelta
from xml.etree import ElementTree

import pytest
from sqlalchemy import delete, func, select, text
from sqlalchemy.exc import DatabaseError

from conference.accounts.models import Role
from conference.kit import unit
from conference.kit.audit import AuditEntry
from conference.kit.db import db
from conference.minutes import operations as minutes
from conference.minutes import queries as drafts
from conference.minutes.models import Release
from conference.privacy import operations
from conference.privacy.models import ArchiveStep

from ..builders import NOW, a_conference, a_participant, an_account

LATE = NOW + timedelta(days=3700)


@pytest.fixture
def settings():
    return {"CLOCK_START": NOW}


@pytest.fixture
def admin(in_house):
    with in_house():
        admin = an_account(Role.ADMIN)
        conference = a_conference(admin, title="Konferenz <Juni> & Co")
        a_participant(conference)
        minutes.save_frame(
            conference,
            chair="Vera Vorsitz",
            moderator="",
            minute_taker="Nora",
            summary="",
            version=None,
            at=NOW,
        )
        draft = drafts.compile_draft(conference, at=NOW)
        document = minutes.as_released(draft, number=1, released_by="Nora", at=NOW, zone=conference.zone)
        minutes.release(conference, document, b"%PDF-1.7 minutes", admin, at=NOW)
        return admin


def night(in_house, at=LATE):
    with in_house():
        run = operations.run_retention(at=at)
        assert not run.failed, "it tried what it may not"
        return run.counts["minutes"]


def note(browser, state, version, status=303):
    return browser.submit(
        "/conferences/june-2023/archive",
        {"state": state, "note": "Az. 4711", "version": version},
        status=status,
    )


def test_t27_minutes_are_kept_until_the_archive_has_spoken_and_then_go(admin, app, in_house, browser):
    browser.sign_in(admin).open("/archive")
    assert browser.sees("noch nicht angeboten")
    assert night(in_house) == 0
    note(browser, "handed_over", "0", status=409)  # not before it was offered
    note(browser, "offered", "0")
    note(browser, "offered", "0")  # sent twice it counts once
    assert browser.sees("angeboten") and night(in_house) == 0
    browser.open("/conferences/june-2023/archive")
    final = browser.html.split('value="handed_over"')[0]
    assert final.count("<details") > final.count("</details>"), "what is final is asked for twice"
    note(browser, "", "1", status=422)
    assert browser.sees("Bitte wählen Sie etwas aus.") and browser.sees("Vermerk")
    assert browser.value_of("note") == "Az. 4711"
    note(browser, "unworthy", "0", status=409)  # somebody else has noted something meanwhile
    note(browser, "unworthy", "1")
    assert night(in_house, NOW + timedelta(days=3600)) == 0, "its time is not over"
    assert night(in_house) == 1 and night(in_house) == 0
    browser.open("/conferences/june-2023/archive")
    assert browser.sees("keine Archivwürdigkeit") and browser.sees("Az. 4711")
    browser.open("/conferences/june-2023/archive.zip", status=404)
    with app.app_context(), unit.reading():
        assert db.session.scalar(select(func.count(ArchiveStep.id))) == 2
        kinds = set(db.session.scalars(select(AuditEntry.kind).where(AuditEntry.verb == "deleted")))
        assert "release" in kinds and db.session.scalar(
            select(func.count(AuditEntry.number)).where(AuditEntry.kind == "archive_step")
        ) == 2  # fmt: skip


@pytest.mark.parametrize("state", ["", "offered"])
def test_t27_the_database_itself_refuses_to_delete_them_before(admin, app, in_house, browser, state):
    if state:
        note(browser.sign_in(admin), state, "0")
    with app.app_context(), pytest.raises(DatabaseError, match="frozen"), db.engine.begin() as connection:
        connection.execute(delete(Release))
    with app.app_context(), pytest.raises(DatabaseError, match="frozen"), db.engine.begin() as connection:
        connection.execute(text("UPDATE release SET released_by = 'x'"))


def test_the_package_holds_everything_and_its_hashes_are_right(admin, browser):
    answer = browser.sign_in(admin).client.get("/conferences/june-2023/archive.zip")
    with zipfile.ZipFile(io.BytesIO(answer.data)) as archive:
        files = {name.split("/", 1)[1]: archive.read(name) for name in archive.namelist()}
    assert {
        "protokoll-1.pdf",
        "protokoll-1.txt",
        "protokoll-1.json",
        "metadata.json",
        "metadata.xml",
        "SHA256SUMS",
    } == set(files)
    sums = dict(reversed(line.split("  ")) for line in files["SHA256SUMS"].decode().splitlines())
    assert sums == {n: hashlib.sha256(c).hexdigest() for n, c in files.items() if n != "SHA256SUMS"}
    facts = json.loads(files["metadata.json"])
    assert facts["releases"][0]["sha256_of_pdf"] == sums["protokoll-1.pdf"]
    root = ElementTree.fromstring(files["metadata.xml"])
    assert "Konferenz <Juni> & Co" in [node.text for node in root] and len(root.findall("{*}file")) == len(
        facts["files"]
    )
