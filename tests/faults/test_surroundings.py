"""Poor surroundings: read-only folders, no home, no locale, another zone, closed rights (F22, F24, REQ-33)."""

import os
import subprocess
import sys

from ..servers import ROOT, settings_of, web
from .running import Guest, is_outage, keeps_input

UNPRIVILEGED = ["setpriv", "--inh-caps=-all", "--bounding-set=-all"] if os.geteuid() == 0 else []
"""Root that may no longer do what rights forbid."""
POOR = {"LANG": "C", "LC_ALL": "C", "TZ": "America/New_York", "HOME": "/proc", "PATH": "/usr/bin:/bin"}


def test_f22_a_folder_that_became_read_only_is_said_and_reading_goes_on(house_of, log):
    folder, _app, tokens = house_of(3)
    with web(folder, log, before=UNPRIVILEGED) as server:
        first, second, third = [Guest(server.port, token).look() for token in tokens]
        assert first.say_yes().status == 303
        files = [folder / "folgetermin.db", folder / "write.lock", folder / "folgetermin.db-wal", folder]
        rights = [(path, path.stat().st_mode) for path in files if path.exists()]
        for path, mode in rights:
            path.chmod(mode & ~0o222)
        answer = second.say_yes()
        assert is_outage(answer) and keeps_input(answer)
        assert third.call("GET").status == 200
        for path, mode in reversed(rights):
            path.chmod(mode)
        assert second.call("POST", fields=answer.fields()).status == 303
    assert "Traceback" not in log.read_text()


def test_f24_nothing_but_a_folder_is_needed_to_start_and_its_files_are_nobody_elses(house_of, log):
    folder, _app, tokens = house_of(1)
    poor = ["env", "-i", *(f"{name}={value}" for name, value in POOR.items())]
    ours = [
        f"{name}={value}" for name, value in settings_of(folder).items() if name.startswith("FOLGETERMIN_")
    ]
    umask = ["sh", "-c", 'umask 077; exec "$@"', "sh"]
    with web(folder, log, before=[*umask, *poor, *ours]) as server:
        guest = Guest(server.port, tokens[0])
        page = guest.call("GET")
        assert "Bildungsträgerkonferenz" in page.page and guest.say_yes().status == 303
        mine = guest.call("GET", "/my")
        assert mine.status == 200 and "09:30" in mine.page, "the conference's own clocks, not the machine's"
    assert (folder / "in-use.lock").stat().st_mode & 0o077 == 0
    assert "Traceback" not in log.read_text()


PART = [
    "tests/core/test_walltime.py",
    "tests/core/test_calendar.py",
    "tests/core/test_csv_out.py",
    "tests/minutes/test_draft.py",
]


def test_req_33_a_part_of_the_suite_is_green_in_poor_surroundings(tmp_path):
    """What knows of time, words and files; the whole suite would take too long here."""
    words = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "--basetemp",
        str(tmp_path / "t"),
        *PART,
    ]
    done = subprocess.run(
        ["sh", "-c", 'umask 077; exec "$@"', "sh", *words],
        cwd=ROOT,
        env=POOR,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]
