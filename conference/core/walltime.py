"""Times on the wall and moments in UTC: what stands on a programme, and what is stored.

Zones are IANA names ("Europe/Berlin"). Stored moments are aware datetimes in UTC; a naive one is a programming error.
"""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo


class UnknownZone(ValueError):
    """The name is no IANA time zone."""


class NoSuchTime(ValueError):
    """A time that no clock shows. `code`: "gap" (the clocks jump over it in spring) or "range" (year 1 or 9999)."""

    def __init__(self, code: str, day: date, clock: time, zone: str) -> None:
        super().__init__(f"{day} {clock:%H:%M} does not exist in {zone} ({code})")
        self.code = code
        self.day, self.clock, self.zone = day, clock, zone


def zone_of(name: str) -> ZoneInfo:
    """The zone with this name. Raises UnknownZone, also for names that are folders or lead out of the database."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise UnknownZone(name) from None


def to_utc(day: date, clock: time, zone: str) -> datetime:
    """The moment at which the zone's clocks show this time; the first of two where `is_ambiguous`.

    Raises NoSuchTime, UnknownZone.
    """
    wall = _wall(day, clock, zone)
    try:
        exists = _exists(wall)
    except OverflowError:
        raise NoSuchTime("range", day, clock, zone) from None
    if not exists:
        raise NoSuchTime("gap", day, clock, zone)
    return wall.astimezone(UTC)


def is_ambiguous(day: date, clock: time, zone: str) -> bool:
    """True where the clocks show this time twice: the hour that comes again in autumn. Raises UnknownZone."""
    first = _wall(day, clock, zone)
    second = first.replace(fold=1)
    return first.utcoffset() != second.utcoffset() and _exists(first)


def to_local(moment: datetime, zone: str) -> datetime:
    """The moment on the clocks of the zone. Raises ValueError for a naive moment, UnknownZone."""
    if moment.tzinfo is None:
        raise ValueError("a moment needs a time zone")
    return moment.astimezone(zone_of(zone))


def end_of_day(day: date, zone: str) -> datetime:
    """The exclusive end of a day in UTC: the first moment of the next local day. Raises NoSuchTime, UnknownZone."""
    try:
        midnight = _wall(day + timedelta(days=1), time(), zone)
        # Where the clocks jump over midnight itself, the offset of before the jump gives just the moment of the jump.
        return midnight.astimezone(UTC)
    except OverflowError:
        raise NoSuchTime("range", day, time.max, zone) from None


def same_wall_clock(moment: datetime, zone: str, new_day: date) -> datetime:
    """The same time on the wall on another day, as UTC: 09:30 stays 09:30, in summer as in winter.

    Raises NoSuchTime, UnknownZone; ValueError for a naive moment.
    """
    return to_utc(new_day, to_local(moment, zone).time(), zone)


def _wall(day: date, clock: time, zone: str) -> datetime:
    return datetime.combine(day, clock.replace(tzinfo=None, fold=0)).replace(tzinfo=zone_of(zone))


def _exists(wall: datetime) -> bool:
    shown = wall.astimezone(UTC).astimezone(wall.tzinfo)
    return shown.replace(tzinfo=None, fold=0) == wall.replace(tzinfo=None, fold=0)
