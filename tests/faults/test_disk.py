"""A disk that is really full: what was confirmed is there, the rest is said, and it goes on when there is room again (F10)."""

import os
import resource
import sqlite3
import subprocess
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from conference.accounts.models import Account
from conference.kit import unit
from conference.kit.db import db

from ..builders import an_account
from ..minutes.conftest import a_day, write_frame
from ..servers import web
from .running import Guest, a_house, is_outage, keeps_input, signed_in

SIZE = 16
RELEASE = "/conferences/june-2023/minutes/release"
IMPORT = "/conferences/june-2023/guests/import"


class Tmpfs:
    """A small disk of its own."""

    words = "Dafür ist gerade kein Platz"

    def __init__(self, folder):
        self.filler = folder / "filler"

    def fill(self, _process):
        with self.filler.open("wb", buffering=0) as file:
            for size in (1 << 16, 512, 1):
                try:
                    while file.write(b"x" * size):
                        pass
                except OSError:
                    continue

    def free(self, _process):
        self.filler.unlink()


class Limit:
    """Where nobody may mount one: no file of the process may grow."""

    words = "Einen Moment bitte"

    def fill(self, process):
        for pid in family(process.pid):
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (1, resource.RLIM_INFINITY))

    def free(self, process):
        for pid in family(process.pid):
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)


def family(pid):
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *map(int, children)]


@contextmanager
def small_disk(folder):
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={SIZE}m", "folgetermin", str(folder)]
    if os.geteuid() or subprocess.run(mount, check=False, capture_output=True).returncode:
        yield Limit()
        return
    try:
        yield Tmpfs(folder)
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.fixture
def place(tmp_path, empty_database):
    """A house on a small disk, whose log and whose temporary files have no room either."""
    folder = tmp_path / "disk"
    with small_disk(folder) as disk:
        app, tokens = a_house(folder / "instance", empty_database, 6)
        with app.app_context():
            with unit.writing():
                staff = an_account()
                write_frame(a_day(staff).june)
            db.session.remove()
            db.engine.dispose()
        log = Path("/dev/full")
        with web(folder / "instance", log, environment={"TMPDIR": str(folder)}) as server:
            guests = [Guest(server.port, token).look() for token in tokens]
            organiser = signed_in(app, db_account(app, staff.id), server.port)
            assert organiser.call("GET", IMPORT).status == 200
            yield disk, server, guests, organiser, folder / "instance" / "folgetermin.db"


def db_account(app, number):
    with app.app_context():
        return db.session.get(Account, number)


def counts(path):
    with closing(sqlite3.connect(path)) as database:
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        return [
            database.execute(f"SELECT count(*) FROM {name}").fetchone()[0]
            for name in ("registration", "release", "list_import")
        ]


def test_f10_a_full_disk_takes_nothing_loses_nothing_and_recovers(place):
    disk, server, guests, organiser, path = place
    before = counts(path)
    assert guests[0].say_yes().status == 303
    disk.fill(server)
    late = [guest.say_yes() for guest in guests[1:4]]
    assert {answer.status for answer in late} <= {507, 503}
    assert all(is_outage(answer, answer.status) and keeps_input(answer) for answer in late)
    assert disk.words in late[0].page
    upload = organiser.send_file(IMPORT, "liste.csv", b"Vorname;Nachname\n" + b"Ada;Muster\n" * 100_000)
    assert is_outage(upload, upload.status) and upload.status in (503, 507)
    release = organiser.call("POST", RELEASE)
    assert is_outage(release, release.status) and release.status in (503, 507)
    assert [guests[4].call("GET").status, organiser.call("GET", IMPORT).status] == [200, 200], (
        "reading goes on"
    )
    disk.free(server)
    assert [
        guest.call("POST", fields=page.fields()).status for guest, page in zip(guests[1:4], late, strict=True)
    ] == [303] * 3
    assert organiser.call("POST", RELEASE).status == 303
    assert (
        organiser.send_file(
            IMPORT, "liste.csv", b"Vorname;Nachname;E-Mail\nAda;Muster;a@traeger.example\n"
        ).status
        == 303
    )
    assert counts(path) == [before[0] + 4, 1, 1]
