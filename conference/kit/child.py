"""Processes of their own for what strangers sent: nothing of ours goes in, and they cannot take the house with them.

Few run at once, whatever asks for them: so many that their memory together stays far below what the unit may have (`deploy/`).
"""

import fcntl
import os
import resource
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

NICENESS = 5
AT_ONCE = 2
"""Over all processes of an instance folder."""
BY_THE_CLOCK = 1.5
"""A child may compute for so many seconds, and by the clock half as many more: the machine may be busy."""


def run(module: str, source: bytes, *, seconds: int, megabytes: int) -> "subprocess.CompletedProcess[bytes]":
    """Run `python -m module SECONDS MEGABYTES` with these bytes on its stdin. Raises subprocess.TimeoutExpired.

    Waits for its turn as long as for the database; then Unavailable is raised, which is a page with 503. The module is named
    as seen from the folder `conference` ("kit.pdf_child") and limits itself with `limit`.
    """
    command = [sys.executable, "-P", "-m", module, str(seconds), str(megabytes)]
    with _turn():
        return subprocess.run(
            command,
            input=source,
            capture_output=True,
            timeout=seconds * BY_THE_CLOCK,
            env=_environment(),
            check=False,
        )


_here = threading.BoundedSemaphore(AT_ONCE)


@contextmanager
def _turn() -> Iterator[None]:
    """One of the places; given back also when this process dies. Without an app (on the command line) nobody waits."""
    from flask import current_app, has_app_context  # The child itself has no Flask.

    if not has_app_context():
        yield
        return
    until = time.monotonic() + float(current_app.config["DATABASE_PATIENCE"])
    try:
        files = [
            Path(current_app.instance_path, f"child-{number}.lock").open("a")  # noqa: SIM115 - closed below
            for number in range(AT_ONCE)
        ]
    except OSError:  # A folder that cannot be written to keeps nobody from reading papers.
        with _within_this_process(until):
            yield
        return
    try:
        _wait_for_one(files, until)
        yield
    finally:
        for file in files:
            file.close()


def _wait_for_one(files: Sequence[IO[str]], until: float) -> None:
    while True:
        for file in files:
            try:
                return fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
        if time.monotonic() > until:
            raise _no_turn()
        time.sleep(0.05)


@contextmanager
def _within_this_process(until: float) -> Iterator[None]:
    if not _here.acquire(timeout=max(0, until - time.monotonic())):
        raise _no_turn()
    try:
        yield
    finally:
        _here.release()


def _no_turn() -> Exception:
    from .outage import Unavailable

    return Unavailable("other PDFs and lists are still being made")


def _environment() -> dict[str, str]:
    # Nothing of ours goes in: no key, no database address, and with `kit` as the top package neither Flask nor a room.
    kept = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH") if name in os.environ}
    return kept | {
        "PYTHONPATH": str(Path(__file__).parents[1]),
        "LANG": "C.UTF-8",
        "TZ": "UTC",
        "PYTHONDONTWRITEBYTECODE": "1",
    }


def limit(seconds: int, megabytes: int) -> None:
    """Called by the child before it looks at anything: so much time and memory, no files, a lower rank."""
    memory = megabytes * 1024 * 1024
    os.nice(NICENESS)
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    # The soft limit says why (SIGXCPU), the hard one would look like any other kill.
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
