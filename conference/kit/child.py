"""Processes of their own for what strangers sent: nothing of ours goes in, and they cannot take the house with them."""

import os
import resource
import subprocess
import sys
from pathlib import Path

NICENESS = 5


def run(module: str, source: bytes, *, seconds: int, megabytes: int) -> "subprocess.CompletedProcess[bytes]":
    """Run `python -m module SECONDS MEGABYTES` with these bytes on its stdin. Raises subprocess.TimeoutExpired.

    The module is named as seen from the folder `conference` ("kit.pdf_child") and limits itself with `limit`.
    """
    command = [sys.executable, "-P", "-m", module, str(seconds), str(megabytes)]
    return subprocess.run(
        command, input=source, capture_output=True, timeout=seconds, env=_environment(), check=False
    )


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
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
