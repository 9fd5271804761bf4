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
    app.extensions.pop("clock_anchor", None)


def _anchored(app: Flask) -> datetime:
    if "clock_anchor" not in app.extensions:
        try:
            seconds = float(Path(app.instance_path, ANCHOR).read_text())
        except (OSError, ValueError):
            seconds = time.time()
        app.extensions["clock_anchor"] = datetime.fromtimestamp(seconds, UTC)
    moment: datetime = app.extensions["clock_anchor"]
    return moment
