"""Who uses the data of this folder: servers and workers share a lock, a restore wants it alone.

The lock is the system's own and ends with the process, however it ends.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from flask import Flask

from .soundness import Unsound

NAME = "in-use.lock"


class Busy(RuntimeError):
    """Somebody else uses the data."""


def enter(app: Flask) -> None:
    """Say that this process uses the data, until it ends. Raises Unsound while a restore is under way."""
    held: tuple[int, IO[str]] | None = app.extensions.get("presence")
    if held is not None:
        return
    file = _open(app)
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        file.close()
        raise Unsound("A backup is being restored here; please start again when it has ended.") from None
    app.extensions["presence"] = os.getpid(), file


@contextmanager
def alone(app: Flask) -> Iterator[None]:
    """Use the data alone. Raises Busy while a server or worker runs here, or another restore."""
    with _open(app) as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise Busy from None
        yield


def _open(app: Flask) -> IO[str]:
    return Path(app.instance_path, NAME).open("a", encoding="utf-8")
