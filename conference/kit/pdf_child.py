"""The process that makes one PDF: HTML on stdin, PDF on stdout, limits on time, memory, files and processes.

Run as `python -m kit.pdf_child SECONDS MEGABYTES` with the folder `conference` as PYTHONPATH: importing `conference` itself
would cost a second and bring the whole house into a process that should know nothing.
"""

import os
import resource
import sys

from .pdf import render

NICENESS = 5


def main(seconds: int, megabytes: int) -> None:
    """Read HTML, write the PDF at once or not at all."""
    _limit(seconds, megabytes)
    html = sys.stdin.buffer.read().decode("utf-8")
    sys.stdout.buffer.write(render(html))


def _limit(seconds: int, megabytes: int) -> None:
    memory = megabytes * 1024 * 1024
    os.nice(NICENESS)
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
