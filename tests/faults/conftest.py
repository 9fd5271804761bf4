"""Data that a real server of the test works on."""

import pytest

from . import cluster, faulty
from .running import a_house


@pytest.fixture
def log(tmp_path):
    """Where the processes of a test write."""
    return tmp_path / "log"


@pytest.fixture
def house_of(empty_database, tmp_path):
    """`house_of(people)`: an SQLite house with an invited crowd, as (folder, app, tokens)."""

    def build(people, folder=None):
        folder = folder or tmp_path / "instance"
        app, tokens = a_house(folder, empty_database, people)
        return folder, app, tokens

    return build


@pytest.fixture
def faults(app, monkeypatch):
    """Lets the n-th step of something fail, see `faulty`."""
    with faulty.wired(app, monkeypatch) as made:
        yield made


@pytest.fixture(scope="session")
def cluster_of_ours():
    """A PostgreSQL server that tests may kill, see `cluster`."""
    with cluster.running() as made:
        yield made
