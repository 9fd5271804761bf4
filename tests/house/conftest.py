"""The demo, loaded once by its own command and copied for whoever needs it; a garden: a small world and its forms."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from conference import create_app
from conference.kit.db import db

from .. import conftest, world
from ..builders import NOW
from ..crawl import walk
from ..zygote import Zygote

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def zygote(tmp_path_factory):
    """A process that becomes one command after the other, see `tests/zygote.py`."""
    process = Zygote(tmp_path_factory.mktemp("zygote"))
    yield process
    process.stop()


def settings_of(folder, demo, over):
    clean = {key: value for key, value in os.environ.items() if not key.startswith("FOLGETERMIN_")}
    return clean | {"FOLGETERMIN_INSTANCE": str(folder), "FOLGETERMIN_DEMO": "1" if demo else "0"} | over


@pytest.fixture(scope="session")
def flask(zygote):
    """Run a command as people do: `flask(folder, "demo", "--reset")`; gives the finished process."""

    def run(folder, *words, demo=False, **over):
        texts = [os.fsdecode(word) if isinstance(word, bytes) else str(word) for word in words]
        return zygote.run(texts, settings_of(folder, demo, over))

    return run


@pytest.fixture(scope="session")
def started_flask():
    """The same in a Python that has just been started."""

    def run(folder, *words, demo=False):
        command = [sys.executable, "-m", "flask", "--app", "wsgi", *words]
        settings = settings_of(folder, demo, {})
        return subprocess.run(command, cwd=ROOT, env=settings, capture_output=True, text=True, check=False)

    return run


@pytest.fixture(scope="session")
def loaded_demo(tmp_path_factory, started_flask):
    """The folder of a demo; only to be copied."""
    folder = tmp_path_factory.mktemp("demo") / "instance"
    done = started_flask(folder, "demo", demo=True)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    return folder


@pytest.fixture
def demo_folder(loaded_demo, tmp_path):
    """A demo of one's own."""
    return shutil.copytree(loaded_demo, tmp_path / "demo")


class Garden:
    """The world with its forms, and a note of what each request writes."""

    def __init__(self, app):
        self.app = app
        self.world = world.build(app)
        self.forms, self.paths = {}, {}
        for name, client in self.world.visitors.items():
            found, paths = walk(app, client, self.world.starts[name], per_route=2)
            self.paths[name] = sorted(paths)
            for form in found:
                self.forms.setdefault(form.shape, form)
        self.elsewhere = world.elsewhere(app)

    def of(self, room):
        return [form for form in self.forms.values() if form.endpoint.split(".")[0] == room]


@pytest.fixture(scope="module")
def garden(tmp_path_factory, request):
    folder = tmp_path_factory.mktemp("garden")
    settings = {"INSTANCE": folder, "DEMO": True, "CLOCK_START": NOW, "PROPAGATE_EXCEPTIONS": False}
    if conftest.SERVER:
        settings["DATABASE_URL"] = conftest.SERVER
    app = create_app(conftest.SETTINGS | settings | {"BASE_URL": "http://localhost"})
    with app.app_context():
        db.drop_all()
        db.create_all()
    yield Garden(app)
    with app.app_context():
        db.session.remove()
        db.engine.dispose()
