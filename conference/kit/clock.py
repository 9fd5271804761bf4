"""The only clock. Views, jobs and commands look at it; operations receive `at`.

Clocks are set while we run, and those of several machines differ. On PostgreSQL all processes follow the clock of the
server (`follow`); a jump is seen beside the system's steady clock, so that nobody is thought idle, and nobody's work
abandoned, only because the hands were moved.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from flask import Flask, current_app

ANCHOR = "demo-clock"


JUMP = 30.0
"""Seconds by which the hands must have been moved to count; clocks that are corrected little by little never do."""
NOTICEABLE = 2.0


@dataclass
class _Hands:
    """What this process knows of its clock: wall minus steady time, how far the server's is ahead, and the jumps."""

    difference: float
    ahead: float = 0.0
    asked_at: float | None = None
    jumps: list[tuple[float, float, float]] | None = None


_hands = _Hands(time.time() - time.monotonic())


def now() -> datetime:
    """The current instant in UTC; in demo mode shifted so that it ticks from the demo's own Monday morning."""
    shown: datetime | None = current_app.config["CLOCK_START"]
    if shown is None:
        return _wall()
    begun = _anchored(current_app)  # first: nothing is before the beginning
    return shown + (_wall() - begun)


def _wall() -> datetime:
    steady = time.monotonic()
    moved = time.time() - steady - _hands.difference
    if abs(moved) > JUMP:
        before = steady + _hands.difference
        _hands.difference += moved
        _hands.jumps = [*(_hands.jumps or [])[-9:], (steady, before, moved)]
    return datetime.now(UTC) + timedelta(seconds=_hands.ahead)


def follow(ask: Callable[[], float], seconds: float = 10) -> None:
    """Follow the server's clock, which `ask` tells (seconds since 1970), unless that was done just now.

    A difference of less than two seconds is the way to the server.
    """
    steady = time.monotonic()
    if _hands.asked_at is not None and steady - _hands.asked_at < seconds:
        return
    _hands.asked_at = steady
    begun = time.time()
    ahead = ask() - (begun + time.time()) / 2
    _hands.ahead = ahead if abs(ahead) > NOTICEABLE else 0.0


def leapt_since(moment: float) -> float:
    """How many seconds of those since then (seconds since 1970) nobody has lived through: the hands were moved forward."""
    return sum(moved for _at, before, moved in _hands.jumps or [] if moved > 0 and moment <= before)


def is_settled(seconds: float) -> bool:
    """False for so many seconds after the hands were moved: what seems over may be going on."""
    jumps = _hands.jumps or []
    return not jumps or time.monotonic() - jumps[-1][0] > seconds


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
        return _wall()
