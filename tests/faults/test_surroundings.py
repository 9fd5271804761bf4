"""Poor surroundings: read-only folders, no home, no locale, another zone, closed rights (F22, F24, REQ-33)."""

import os
import re
import secrets
import socket
import subprocess
import sys
from email import message_from_bytes, policy

import pytest

from conference import create_app

from .. import smtp
from ..conftest import SETTINGS
from ..servers import ROOT, answers, process, settings_of, wait_until, web
from ..upkeep.test_health import prepared
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


def links_to(place, post):
    """Where the letters that have arrived lead to, of what is at this place."""
    letters = [message_from_bytes(one.content, policy=policy.default) for one in list(post.messages)]
    texts = [letter.get_body(("plain",)).get_content() for letter in letters]
    return [path for text in texts for path in re.findall(rf"{re.escape(place)}(/\S+)", text)]


def has_ipv6():
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            return True
    except OSError:
        return False


@pytest.mark.skipif(not has_ipv6(), reason="this machine has no loopback of IPv6")
def test_f24_with_ipv6_alone_links_letters_and_health_work(house_of, log):
    folder, app, tokens = house_of(1)
    prepared(app)
    with smtp.running("::1") as post:
        over = {"MAIL_SERVER": post.host, "MAIL_PORT": post.port}
        with (
            web(folder, log, host="::1", **over) as server,
            process(
                ["tests.faults.worker"],
                settings_of(folder, BASE_URL=f"http://[::1]:{server.port}", **over),
                log,
            ),
        ):
            assert not answers(server.port), "it listens elsewhere too"
            guest = Guest(server.port, tokens[0])
            guest.host = "::1"
            assert guest.look().say_yes().status == 303
            place = f"http://[::1]:{server.port}"
            wait_until(lambda: links_to(place, post))
            assert guest.call("GET", links_to(place, post)[0]).status == 200
            assert guest.call("GET", "/healthz").status == 200
            assert guest.call("GET", "/metrics").status == 200, "from this very machine"
            wait_until(lambda: '"alive":1,' in guest.call("GET", "/readyz").page)
    assert "Traceback" not in log.read_text()


@pytest.mark.parametrize("spelt", ["[::1]", "[0:0:0:0:0:0:0:1]"])
def test_f24_production_answers_under_an_address_of_ipv6_and_under_no_other(tmp_path, spelt):
    over = {"PRODUCTION": True, "BASE_URL": f"https://{spelt}", "INSTANCE": tmp_path}
    client = create_app(SETTINGS | over | {"SECRET_KEY": secrets.token_urlsafe(48)}).test_client()
    for host, status in {
        "[::1]": 200,
        "[::1]:8443": 200,
        "[::2]": 400,
        "[::1": 400,
        "127.0.0.1": 400,
    }.items():
        assert client.get("/sign-in", headers={"Host": host}).status_code == status, host
    named = create_app(
        SETTINGS | over | {"SECRET_KEY": secrets.token_urlsafe(48), "BASE_URL": "https://a.example"}
    )
    assert named.test_client().get("/healthz", headers={"Host": "[::1]:8001"}).status_code == 200
    assert named.test_client().get("/sign-in", headers={"Host": "[::1]:8001"}).status_code == 400


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
