"""A PostgreSQL server of one's own, which may be killed; what it confirms is on the disk."""

import os
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path
from shutil import which
from tempfile import TemporaryDirectory

import psycopg

from .running import quiet_port

DEBIAN = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
PROGRAMS = (DEBIAN[-1] if DEBIAN else Path(which("initdb") or "/none").resolve()).parent

ATTEMPTS = 100


class Cluster:
    """Its folder, port and address."""

    def __init__(self, folder):
        self.folder, self.port = folder, quiet_port()
        self.data = folder / "data"

    def database(self, name):
        """A new database; gives its address."""
        self.run("createdb", "-h", "127.0.0.1", "-p", self.port, "-U", "folgetermin", name)
        return self.address(name)

    def address(self, name):
        return f"postgresql+psycopg://folgetermin@127.0.0.1:{self.port}/{name}"

    def run(self, program, *words, check=True):
        # PostgreSQL refuses to run as root.
        us = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        command = [*us, str(PROGRAMS / program), *map(str, words)]
        return subprocess.run(command, cwd=self.folder, check=check, capture_output=True, text=True)

    def stop(self):
        """As in a power cut: nobody is said goodbye to."""
        self.run("pg_ctl", "-D", self.data, "-m", "immediate", "-w", "stop", check=False)

    def start(self):
        """Again and again: what is left of the one before may still be going."""
        log = self.folder / "server.log"
        for _attempt in range(ATTEMPTS):
            if self.run("pg_ctl", "-D", self.data, "-l", log, "-w", "start", check=False).returncode == 0:
                return
            time.sleep(0.2)
        raise RuntimeError(f"The server does not start: {log.read_text()[-1000:]}")

    def restart(self):
        self.stop()
        self.start()

    def connect(self, name="folgetermin"):
        """A connection of the administrator's own."""
        return psycopg.connect(self.address(name).replace("+psycopg", ""), autocommit=True)

    def ask(self, statement):
        """The rows of a statement of the administrator's own."""
        with self.connect() as connection:
            found = connection.execute(statement)
            return found.fetchall() if found.description else []


@contextmanager
def running():
    """A cluster while the block runs. Not below pytest's folders: each pytest that starts closes those to others."""
    with TemporaryDirectory(prefix="folgetermin-cluster-", ignore_cleanup_errors=True) as name:
        yield from _running(Path(name))


def _running(folder):
    made = Cluster(folder)
    if os.geteuid() == 0:
        subprocess.run(["chown", "postgres", folder], check=True)
    made.run("initdb", "-D", made.data, "-U", "folgetermin", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync")  # fmt: skip
    with (made.data / "postgresql.conf").open("a") as settings:
        settings.write(
            f"port = {made.port}\nunix_socket_directories = '{folder}'\nlisten_addresses = '127.0.0.1'\n"
        )
    try:
        made.start()
        yield made
    finally:
        made.stop()
