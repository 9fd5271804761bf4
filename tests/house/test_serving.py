"""`flask serve` as people start it: a real process with real children."""

import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.request
from contextlib import closing
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def children_of(pid):
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def has_handler(pid, number):
    """Whether the process catches the signal itself."""
    status = Path(f"/proc/{pid}/status").read_text()
    caught = next(line.split()[1] for line in status.splitlines() if line.startswith("SigCgt"))
    return bool(int(caught, 16) >> (number - 1) & 1)


class Serve:
    """A running `flask serve`."""

    def __init__(self, folder, instance, port=None, demo=False, **over):
        self.port = port or free_port()
        self.log = folder / f"serve-{self.port}-{time.monotonic_ns()}.log"
        clean = {key: value for key, value in os.environ.items() if not key.startswith("FOLGETERMIN_")}
        settings = {
            "FOLGETERMIN_INSTANCE": str(instance),
            "PORT": str(self.port),
            "FOLGETERMIN_DEMO": "1" if demo else "0",
        }
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "flask", "--app", "wsgi", "serve"],
                cwd=ROOT, env=clean | settings | over, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip

    @property
    def output(self):
        return self.log.read_text()

    def children(self):
        try:
            ids = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
            return {int(pid): Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ") for pid in ids}
        except OSError:
            return {}

    def until(self, reached):
        while not reached():
            assert self.process.poll() is None, self.output
            time.sleep(0.05)
        return self

    def ready(self):
        return self.until(lambda: "is ready" in self.output)

    def stop(self, number=signal.SIGINT):
        self.process.send_signal(number)
        return self.process.wait()


@pytest.fixture
def serve(tmp_path):
    """Start a server; whatever still runs at the end is stopped."""
    started = []

    def start(instance=tmp_path / "instance", **over):
        started.append(Serve(tmp_path, instance, **over))
        return started[-1]

    yield start
    for one in started:
        if one.process.poll() is None:
            one.stop(signal.SIGTERM)


def fetch(port, path="/"):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}") as answer:
        return answer.status, answer.read().decode()


def slugs(instance):
    with closing(sqlite3.connect(instance / "folgetermin.db")) as database:
        return [slug for (slug,) in database.execute("SELECT slug FROM conference ORDER BY id")]


def test_the_demo_starts_answers_stops_and_keeps_its_data(serve, tmp_path):
    instance = tmp_path / "instance"
    first = serve(demo=True).ready()
    assert fetch(first.port, "/sign-in")[0] == 200
    assert sorted("gunicorn" if "gunicorn" in words else "worker" for words in first.children().values()) == [
        "gunicorn",
        "worker",
    ]
    children = list(first.children())
    assert first.stop() == 0
    assert [alive(pid) for pid in children] == [False, False]
    assert first.output.splitlines() == [
        "The demo is loaded: June 2023 finished, August 2023 being prepared.",
        "",
        f"  Folgetermin is ready:  http://127.0.0.1:{first.port}",
        "  Ctrl-C stops it.",
        "",
    ]
    assert slugs(instance) == ["june-2023", "august-2023"]
    with closing(sqlite3.connect(instance / "folgetermin.db")) as database:
        [links] = database.execute("SELECT min(button_url), max(button_url) FROM mail").fetchall()
        assert all(link.startswith(f"http://127.0.0.1:{first.port}/") for link in links)
        letters = " ".join(text for (text,) in database.execute("SELECT text FROM mail"))
        assert f"http://127.0.0.1:{first.port}/" in letters and "127.0.0.1:8000" not in letters
        database.execute("UPDATE conference SET venue = 'Rathaus' WHERE slug = 'august-2023'")
        database.commit()
    second = serve(demo=True).ready()
    assert second.output.startswith("The demo is already loaded; its data are kept.\n")
    assert "Rathaus" in fetch(second.port, "/programme/august-2023")[1]
    assert second.stop() == 0


@pytest.mark.parametrize(
    "number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda number: number.name
)
def test_each_signal_stops_both_quietly(serve, number):
    running = serve().ready()
    children = list(running.children())
    assert running.stop(number) == 0
    assert [alive(pid) for pid in children] == [False, False]
    assert (
        running.output
        == f"\n  Folgetermin is ready:  http://127.0.0.1:{running.port}\n  Ctrl-C stops it.\n\n"
    )


def test_in_production_the_name_is_shown_that_is_answered(serve):
    production = {"FOLGETERMIN_PRODUCTION": "1", "FOLGETERMIN_BASE_URL": "https://konferenz.example"}
    running = serve(**production).ready()
    assert "is ready:  https://konferenz.example\n" in running.output
    assert running.stop() == 0


def test_a_signal_that_comes_before_the_server_answers_is_not_lost(serve):
    running = serve()
    running.until(lambda: len(running.children()) == 2)
    children = list(running.children())
    assert running.stop() == 0
    assert [alive(pid) for pid in children] == [False, False]
    assert "Traceback" not in running.output


def test_nothing_is_left_when_the_command_itself_is_killed(serve):
    running = serve().ready()
    everybody = {*running.children(), *(pid for child in running.children() for pid in children_of(child))}
    assert len(everybody) == 3
    running.stop(signal.SIGKILL)
    while any(alive(pid) for pid in everybody):
        time.sleep(0.05)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", running.port))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP], ids=lambda number: number.name)
def test_a_worker_of_its_own_ends_when_it_is_told_to(tmp_path, flask, number):
    assert flask(tmp_path, "prepare").returncode == 0
    settings = {"FOLGETERMIN_INSTANCE": str(tmp_path), "FOLGETERMIN_DEMO": "0"}
    words = [sys.executable, "-m", "flask", "--app", "wsgi", "worker"]
    worker = subprocess.Popen(words, cwd=ROOT, env=os.environ | settings, stderr=subprocess.PIPE, text=True)
    caught = signal.SIGHUP.value
    while not has_handler(worker.pid, caught):
        assert worker.poll() is None
        time.sleep(0.05)
    worker.send_signal(number)
    assert (worker.communicate()[1], worker.returncode) == ("", 0)


def test_impatient_people_may_press_twice(serve):
    running = serve().ready()
    running.process.send_signal(signal.SIGINT)
    assert running.stop() == 0
    assert "Traceback" not in running.output


@pytest.mark.parametrize("name", ["gunicorn", "worker"])
def test_when_one_child_dies_the_other_is_stopped_and_the_command_fails(serve, name):
    running = serve().ready()
    children = running.children()
    victim = next(pid for pid, words in children.items() if name in words)
    os.kill(victim, signal.SIGKILL)
    assert running.process.wait() == 1
    assert [alive(pid) for pid in children] == [False, False]
    assert running.output.endswith(
        "Error: Web server or worker has ended unexpectedly; see the lines above.\n"
    )
    assert "Traceback" not in running.output


def test_a_busy_port_is_one_clear_line(serve, tmp_path):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        refused = serve(port=port)
        assert refused.process.wait() == 1
    assert (
        refused.output
        == f"Error: Port {port} is taken by another program. Choose another one: flask --app wsgi serve --port 9000\n"
    )
    assert not (tmp_path / "instance" / "folgetermin.db").exists()


@pytest.mark.parametrize("port", ["0", "70000", "-1", "abc", "80.0", "٨٠٨٠"])
def test_a_port_that_does_not_exist_is_one_clear_line(serve, tmp_path, port):
    refused = serve(port=port)
    assert refused.process.wait() == 1
    assert refused.output == (
        f"Error: The port must be a number from 1 to 65535, not “{port}”. Choose another one: flask --app wsgi serve --port 9000\n"
    )
    assert not (tmp_path / "instance" / "folgetermin.db").exists()


def test_a_folder_that_cannot_be_made_is_one_clear_line(serve, tmp_path):
    (tmp_path / "file").write_text("not a folder")
    refused = serve(tmp_path / "file" / "instance")
    assert refused.process.wait() == 1
    assert refused.output == f"The folder {tmp_path / 'file' / 'instance'} cannot be made: Not a directory.\n"


def test_a_file_in_place_of_the_folder_is_one_clear_line(serve, tmp_path):
    (tmp_path / "instance").write_text("not a folder")
    refused = serve()
    assert refused.process.wait() == 1
    assert len(refused.output.splitlines()) == 1
    assert str(tmp_path / "instance") in refused.output


def test_a_folder_in_which_nothing_can_be_written_is_one_clear_line(serve):
    refused = serve("/proc/sys/kernel")  # not even root can make a file there
    assert refused.process.wait() == 1
    assert refused.output.startswith("The folder /proc/sys/kernel is read-only or full; ")
    assert len(refused.output.splitlines()) == 1


def test_the_demo_never_mixes_with_real_data(serve, tmp_path):
    running = serve().ready()
    running.stop()
    with closing(sqlite3.connect(tmp_path / "instance" / "folgetermin.db")) as database:
        columns = [row[1] for row in database.execute("PRAGMA table_info(series)")]
        values = {
            "id": 1,
            "slug": "echt",
            "title": "Echte Reihe",
            "host": "Amt",
            "created_at": "2023-01-01 00:00:00",
        }
        database.execute(
            f"INSERT INTO series ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})",
            [values.get(c, "") for c in columns],
        )
        database.commit()
    refused = serve(demo=True)
    assert refused.process.wait() == 1
    assert refused.output == "Error: This database holds other conferences; the demo needs an empty one.\n"


def test_a_load_that_was_killed_begins_again(serve, tmp_path):
    instance = tmp_path / "instance"
    first = serve(demo=True)
    first.until(lambda: (instance / "folgetermin.db").exists() and is_half(instance))
    first.stop(signal.SIGKILL)
    assert is_half(instance)
    second = serve(demo=True).ready()
    assert second.output.startswith("The demo is loaded: June 2023 finished, August 2023 being prepared.\n")
    assert slugs(instance) == ["june-2023", "august-2023"]
    assert second.stop() == 0


def is_half(instance):
    try:
        return slugs(instance) == ["june-2023"]
    except sqlite3.OperationalError:
        return False


def test_two_that_start_at_once_load_one_demo(serve, tmp_path):
    both = [serve(demo=True), serve(demo=True)]
    assert sorted(one.ready().output.splitlines()[0] for one in both) == [
        "The demo is already loaded; its data are kept.",
        "The demo is loaded: June 2023 finished, August 2023 being prepared.",
    ]
    assert [one.stop() for one in both] == [0, 0]
    assert slugs(tmp_path / "instance") == ["june-2023", "august-2023"]
