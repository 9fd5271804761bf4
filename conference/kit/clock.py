"""The only clock. Views, jobs and commands look at it; operations receive `at`."""

import time
from datetime import UTC, datetime
from pathlib import Path

from flask import Flask, current_app

ANCHOR = "demo-clock"


def now() -> datetime:
    """The current instant in UTC; in demo mode shifted so that it ticks from the demo's own Monday morning."""
    shown: datetime | None = current_app.config["CLOCK_START"]
    if shown is None:
        return datetime.now(UTC)
    return shown + (datetime.now(UTC) - _anchored(current_app))


def is_shifted() -> bool:
    """True in demo mode: pages then carry the quiet banner."""
    return current_app.config["CLOCK_START"] is not None


def anchor(app: Flask) -> None:
    """Let the demo clock start now; called when the demo is loaded."""
    Path(app.instance_path, ANCHOR).write_text(f"{time.time():.0f}\n")


def _anchored(app: Flask) -> datetime:
    path = Path(app.instance_path, ANCHOR)
    try:
        # Another process may load the demo afresh while this one runs.
        written = path.stat().st_mtime_ns
    except OSError:
        written = 0
    known: tuple[int, datetime] | None = app.extensions.get("clock_anchor")
    if known is None or known[0] != written:
        known = app.extensions["clock_anchor"] = written, _read_anchor(path)
    return known[1]


def _read_anchor(path: Path) -> datetime:
    try:
        return datetime.fromtimestamp(float(path.read_text()), UTC)
    except (OSError, ValueError, OverflowError):
        return datetime.now(UTC)
