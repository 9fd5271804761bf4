"""The demo, loaded once by its own command and copied for whoever needs it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def flask():
    """Run a command as people do: `flask(folder, "demo", "--reset")`; gives the finished process."""

    def run(folder, *words, demo=False, **over):
        clean = {key: value for key, value in os.environ.items() if not key.startswith("FOLGETERMIN_")}
        settings = {"FOLGETERMIN_INSTANCE": str(folder), "FOLGETERMIN_DEMO": "1" if demo else "0"}
        command = [
            sys.executable,
            "-m",
            "flask",
            "--app",
            "wsgi",
            *(word if isinstance(word, bytes) else str(word) for word in words),
        ]
        return subprocess.run(
            command, cwd=ROOT, env=clean | settings | over, capture_output=True, text=True, check=False
        )

    return run


@pytest.fixture(scope="session")
def loaded_demo(tmp_path_factory, flask):
    """The folder of a demo; only to be copied."""
    folder = tmp_path_factory.mktemp("demo") / "instance"
    done = flask(folder, "demo", demo=True)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    return folder


@pytest.fixture
def demo_folder(loaded_demo, tmp_path):
    """A demo of one's own."""
    return shutil.copytree(loaded_demo, tmp_path / "demo")
