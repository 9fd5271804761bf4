"""How long a round still runs: by what was set on the day, else by the agenda. Zones are a matter of showing it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

COMING, RUNNING, PAUSED, OVER = "coming", "running", "paused", "over"

JUST_OVER = timedelta(minutes=10)
"""So long a round that has ended is still what people look for, unless the next one has begun."""


@dataclass(frozen=True)
class Countdown:
    """One round's time. `is_set`: somebody has started, extended, paused or ended it; else the agenda says when it ends."""

    number: int
    starts_at: datetime
    ends_at: datetime
    paused_at: datetime | None = None
    is_set: bool = False
    round_id: int = 0
    version: int = 0

    def state(self, at: datetime) -> str:
        """coming, running, paused or over.

        >>> from datetime import UTC
        >>> noon = datetime(2023, 6, 6, 12, tzinfo=UTC)
        >>> Countdown(1, noon, noon + timedelta(minutes=45)).state(noon)
        'running'
        >>> Countdown(1, noon, noon + timedelta(minutes=45)).state(noon + timedelta(minutes=45))
        'over'
        """
        if self.paused_at is not None:
            return PAUSED
        if at < self.starts_at:
            return COMING
        return RUNNING if at < self.ends_at else OVER

    def left(self, at: datetime) -> timedelta:
        """What is left of the round; nothing when it is over, all of it before it begins; a pause stops it."""
        counted = max(self.starts_at, self.paused_at if self.paused_at is not None else at)
        return max(timedelta(0), self.ends_at - counted)


def current(countdowns: Iterable[Countdown], at: datetime) -> Countdown | None:
    """The round that people are in, or will be next: what was set on the day goes before what was planned.

    In this order: a round that was started by somebody, one that runs by the agenda, one that has just ended, the next to
    come, the last that was.
    """
    rounds = list(countdowns)
    if not rounds:
        return None
    return min(rounds, key=lambda one: _rank(one, at))


def _rank(one: Countdown, at: datetime) -> tuple[int, timedelta, int]:
    state, begun = one.state(at), at - one.starts_at
    if state in (RUNNING, PAUSED):
        return (0 if one.is_set else 1), begun, one.number
    if state == COMING:
        return 3, -begun, one.number
    since = at - one.ends_at
    return (2 if since < JUST_OVER else 4), since, one.number


def as_clock(left: timedelta) -> str:
    """Minutes and seconds, with hours where there are some; a begun second counts.

    >>> as_clock(timedelta(minutes=5))
    '5:00'
    >>> as_clock(timedelta(hours=1, minutes=2, seconds=3, milliseconds=1))
    '1:02:04'
    """
    seconds = -(-left // timedelta(seconds=1))
    hours, minutes = divmod(seconds // 60, 60)
    return f"{hours}:{minutes:02d}:{seconds % 60:02d}" if hours else f"{minutes}:{seconds % 60:02d}"
