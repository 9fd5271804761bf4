"""The process that makes one PDF: HTML on stdin, PDF on stdout, limits on time, memory, files and processes.

Run as `python -m kit.pdf_child SECONDS MEGABYTES` with the folder `conference` as PYTHONPATH: importing `conference` itself
would cost a second and bring the whole house into a process that should know nothing.
"""

import sys

from .child import limit
from .pdf import render


def main(seconds: int, megabytes: int) -> None:
    """Read HTML, write the PDF at once or not at all."""
    limit(seconds, megabytes)
    html = sys.stdin.buffer.read().decode("utf-8")
    sys.stdout.buffer.write(render(html))


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
