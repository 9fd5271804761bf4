"""What a calendar file says, for people who look at it before it leaves."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any


@dataclass(frozen=True)
class CalendarPart:
    """The one entry of an invitation by mail. Times are aware; dates for whole days (the last day included is not told)."""

    method: str
    uid: str
    sequence: int
    title: str
    starts_at: datetime | date
    ends_at: datetime | date | None
    place: str
    status: str
    organiser: str
    attendee: str
    partstat: str
    asks: bool


def read(content: bytes) -> CalendarPart:
    """The entry in the file. Raises ValueError when there is none to be read."""
    from icalendar import Calendar  # See calendar.py: not at every start.

    try:
        calendar = Calendar.from_ical(content)
        [event] = calendar.walk("VEVENT")
        return _part(calendar, event)
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        raise ValueError("no calendar entry") from error


def _part(calendar: Any, event: Any) -> CalendarPart:
    attendee = event["ATTENDEE"]
    return CalendarPart(
        method=str(calendar.get("METHOD", "")),
        uid=str(event["UID"]),
        sequence=int(event.get("SEQUENCE", 0)),
        title=str(event.get("SUMMARY", "")),
        starts_at=event["DTSTART"].dt,
        ends_at=event["DTEND"].dt if "DTEND" in event else None,
        place=str(event.get("LOCATION", "")),
        status=str(event.get("STATUS", "")),
        organiser=_address(str(event.get("ORGANIZER", ""))),
        attendee=_address(str(attendee)),
        partstat=str(attendee.params.get("PARTSTAT", "")),
        asks=str(attendee.params.get("RSVP", "")).upper() == "TRUE",
    )


def _address(value: str) -> str:
    return value[7:] if value.lower().startswith("mailto:") else value
