"""The process that reads one workbook: its bytes on stdin, JSON on stdout, limits on time, memory and files.

Run as `python -m kit.sheet_child SECONDS MEGABYTES`; see `child.py`. What reads is pure and found by its name from here.
"""

import json
import sys
from importlib import import_module
from typing import Any

from .child import limit


def main(seconds: int, megabytes: int) -> None:
    """Read the sheets, or say why they cannot be read; all of it at once or nothing."""
    lists: Any = import_module("core.contact_list")
    limit(seconds, megabytes)
    said: dict[str, Any] = {}
    try:
        sheets = lists.read_sheets(sys.stdin.buffer.read())
        said["sheets"] = [[name, [[row.line, row.cells] for row in rows]] for name, rows in sheets]
    except lists.BadTable as error:
        said["bad"] = [error.code, error.detail]
    sys.stdout.buffer.write(json.dumps(said).encode())


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
