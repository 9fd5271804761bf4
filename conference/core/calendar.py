"""Calendar files: invitations by mail (iTIP), subscribed feeds and single downloads; plain data in, bytes out.

What each rule here answers to is in RFC 5545, 5546, 6047 and 7986, and in what Outlook, Google and Thunderbird do:

- Times stand in the zone of the conference with a static VTIMEZONE of two RRULEs, because Outlook ignores RDATE and
  ical.js reads only its first one. The block holds for every zone that keeps Central European time since 27.10.1996.
  Times of all other zones are written in UTC: exact everywhere, and nothing to derive from the machine's zone files.
- An invitation names one guest only. Its METHOD must equal the one in the mail's Content-Type.
- A feed has no METHOD (PUBLISH would need an ORGANIZER), no UID of its own, and as DTSTAMP the time of the last change:
  the same entries give the same bytes, so that a strong ETag can be made of them.
- No alarm, and never a secret: people pass these files on. `url` is the public page, `uid` a random identifier.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Literal
from urllib.parse import quote

from .walltime import to_local

if TYPE_CHECKING:
    from icalendar import Calendar, Event, vCalAddress

Method = Literal["REQUEST", "CANCEL"]
Status = Literal["CONFIRMED", "TENTATIVE", "CANCELLED"]
Partstat = Literal["NEEDS-ACTION", "ACCEPTED", "DECLINED", "TENTATIVE"]

PRODUCT = "-//Folgetermin//Folgetermin//DE"
CENTRAL_EUROPEAN = frozenset(
    f"Europe/{city}"
    for city in (
        "Amsterdam", "Berlin", "Brussels", "Budapest", "Busingen", "Copenhagen", "Luxembourg", "Madrid", "Oslo",
        "Paris", "Prague", "Rome", "Stockholm", "Vaduz", "Vienna", "Warsaw", "Zurich",
    )
)  # fmt: skip
BERLIN = "Europe/Berlin"
# No X-LIC-LOCATION: dateutil's reader stops at it.
VTIMEZONE = (
    "BEGIN:VTIMEZONE\r\nTZID:{zone}\r\n"
    "BEGIN:DAYLIGHT\r\nTZOFFSETFROM:+0100\r\nTZOFFSETTO:+0200\r\nTZNAME:CEST\r\n"
    "DTSTART:19700329T020000\r\nRRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU\r\nEND:DAYLIGHT\r\n"
    "BEGIN:STANDARD\r\nTZOFFSETFROM:+0200\r\nTZOFFSETTO:+0100\r\nTZNAME:CET\r\n"
    "DTSTART:19701025T030000\r\nRRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU\r\nEND:STANDARD\r\n"
    "END:VTIMEZONE\r\n"
)
# Readers disagree about these in a CN, whatever the RFCs say: some cut it there, some undo an escape that is none.
UNSAFE_IN_NAMES = re.compile(r'["^;:\\]')


class BrokenRule(ValueError):
    """The data would make a file that calendars misread; `code` says which rule it breaks."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True)
class Mailbox:
    """A mail address with the name that belongs to it."""

    name: str
    address: str


@dataclass(frozen=True)
class Attendee:
    """The one guest of an invitation, with the answer that we already know.

    `rsvp` is False where nobody reads the replies.
    """

    name: str
    address: str
    partstat: Partstat = "NEEDS-ACTION"
    rsvp: bool = True


@dataclass(frozen=True)
class Entry:
    """One calendar entry. `uid` stays for life; `sequence` is 0 at first and grows with time, place and status.

    `starts_at` and `ends_at` are aware datetimes, shown in `zone` (an IANA name); or both are dates: then the entry
    lasts whole days, `ends_at` is the last of them and nobody's time is blocked. `updated_at` is the last change.
    Raises BrokenRule: mixed_times, naive_time, ends_before_start. Writing it raises UnknownZone for such a zone.
    """

    uid: str
    sequence: int
    title: str
    starts_at: datetime | date
    ends_at: datetime | date
    zone: str
    location: str
    description: str
    url: str
    status: Status
    updated_at: datetime

    def __post_init__(self) -> None:
        if isinstance(self.starts_at, datetime) != isinstance(self.ends_at, datetime):
            raise BrokenRule("mixed_times")
        moments = (self.starts_at, self.ends_at, self.updated_at)
        if any(isinstance(moment, datetime) and moment.tzinfo is None for moment in moments):
            raise BrokenRule("naive_time")
        if self.ends_at < self.starts_at:
            raise BrokenRule("ends_before_start")

    @property
    def is_all_day(self) -> bool:
        """True where it lasts whole days."""
        return not isinstance(self.starts_at, datetime)


def invitation(
    entry: Entry, *, method: Method, organiser: Mailbox, attendee: Attendee, stamp: datetime
) -> bytes:
    """The calendar part of a mail: REQUEST invites or updates, CANCEL takes back. `stamp` is when this mail is made.

    The organiser's address must be the one in the mail's From. Raises BrokenRule: cancelled_request (calendars keep
    such an entry and ring for it: send CANCEL), cancel_without_sequence (0 was the invitation itself), naive_time.
    """
    if stamp.tzinfo is None:
        raise BrokenRule("naive_time")
    if method == "REQUEST" and entry.status == "CANCELLED":
        raise BrokenRule("cancelled_request")
    if method == "CANCEL" and entry.sequence < 1:
        raise BrokenRule("cancel_without_sequence")
    event = _event(entry, stamp=stamp, status="CANCELLED" if method == "CANCEL" else entry.status)
    event.add("ORGANIZER", _person(organiser.name, organiser.address))
    event.add("ATTENDEE", _guest(attendee, asks=method == "REQUEST" and attendee.rsvp))
    return _bytes(_calendar(method=method), [entry], [event])


def feed(name: str, entries: Iterable[Entry], *, refresh: timedelta = timedelta(hours=1)) -> bytes:
    """A calendar to subscribe to: the same entries in any order give the same bytes.

    Cancelled entries stay in it with STATUS:CANCELLED (give them for 30 days, or some calendars keep them for ever).
    Raises BrokenRule: same_uid_twice.
    """
    ordered = sorted(entries, key=lambda entry: entry.uid)
    if len({entry.uid for entry in ordered}) < len(ordered):
        raise BrokenRule("same_uid_twice")
    import icalendar  # Here and below: its hundred modules would slow every start, and few pages write a calendar.

    calendar = _calendar()
    # Calendar.new(name=…) writes both of them without escapes.
    calendar["NAME"] = calendar["X-WR-CALNAME"] = icalendar.vText(_line(name))
    calendar.add("REFRESH-INTERVAL", refresh, parameters={"VALUE": "DURATION"})
    calendar.add("X-PUBLISHED-TTL", icalendar.vDuration(refresh))
    return _bytes(calendar, ordered, [_published(entry) for entry in ordered])


def single(entry: Entry) -> bytes:
    """One entry as a file to download: no guest, no METHOD, the same bytes until it changes."""
    return _bytes(_calendar(), [entry], [_published(entry)])


def _published(entry: Entry) -> "Event":
    return _event(entry, stamp=entry.updated_at, status=entry.status)


def _calendar(*, method: Method | None = None) -> "Calendar":
    import icalendar

    calendar = icalendar.Calendar.new(prodid=PRODUCT, calscale="GREGORIAN", method=method)
    # icalendar gives each calendar a random UID: it changes every ETag, and vdirsyncer loses events over it.
    calendar.pop("UID", None)
    return calendar


def _event(entry: Entry, *, stamp: datetime, status: Status) -> "Event":
    import icalendar
    from icalendar.enums import STATUS, TRANSP

    return icalendar.Event.new(
        uid=_line(entry.uid),
        sequence=entry.sequence,
        stamp=stamp.astimezone(UTC),
        last_modified=entry.updated_at.astimezone(UTC),
        start=_written(entry.starts_at, entry.zone),
        end=_end(entry),
        summary=_line(entry.title),
        location=_line(entry.location, joined_by=", ") or None,
        description=_text(entry.description) or None,
        url=_url(entry.url) or None,
        status=STATUS(status),
        transparency=TRANSP.TRANSPARENT if entry.is_all_day else TRANSP.OPAQUE,
    )


def _end(entry: Entry) -> datetime | date | None:
    if entry.is_all_day:
        return entry.ends_at + timedelta(days=1)
    # An end that is no later than the start is forbidden; without one the entry is just that moment.
    return _written(entry.ends_at, entry.zone) if entry.ends_at > entry.starts_at else None


def _written(when: datetime | date, zone: str) -> datetime | date:
    if not isinstance(when, datetime):
        return when
    shown = to_local(when, zone)
    # The second 02:30 of an autumn night can only be told in UTC.
    return shown if zone in CENTRAL_EUROPEAN and not shown.fold else when.astimezone(UTC)


def _guest(attendee: Attendee, *, asks: bool) -> "vCalAddress":
    guest = _person(attendee.name, attendee.address)
    guest.params["CUTYPE"] = "INDIVIDUAL"
    guest.params["ROLE"] = "REQ-PARTICIPANT"
    guest.params["PARTSTAT"] = attendee.partstat
    guest.params["RSVP"] = "TRUE" if asks else "FALSE"
    return guest


def _person(name: str, address: str) -> "vCalAddress":
    import icalendar

    person = icalendar.vCalAddress(
        "mailto:" + quote(_line(address).replace(" ", ""), safe="@!$&'*+-/=^_`{|}~.[]:,;()")
    )
    person.params["CN"] = " ".join(UNSAFE_IN_NAMES.sub(" ", _line(name)).split()) or _line(address)
    return person


def _bytes(calendar: "Calendar", entries: Sequence[Entry], events: "Sequence[Event]") -> bytes:
    import icalendar

    zones = {entry.zone for entry in entries if not entry.is_all_day} & CENTRAL_EUROPEAN
    # A calendar must hold at least one component: the zone serves where nothing is planned yet.
    for zone in sorted(zones or ({BERLIN} if not entries else set())):
        calendar.add_component(icalendar.Timezone.from_ical(VTIMEZONE.format(zone=zone)))
    for event in events:
        calendar.add_component(event)
    written: bytes = calendar.to_ical()
    return written


def _text(value: str) -> str:
    """Without the control characters, which the format forbids and icalendar lets through; lines end in LF."""
    value = value.replace("\r\n", "\n").replace("\r", "\n").replace("\u2028", "\n").replace("\u2029", "\n")
    return "".join(
        sign for sign in value if sign in "\n\t" or unicodedata.category(sign) not in {"Cc", "Cs"}
    ).strip()


def _line(value: str, *, joined_by: str = " ") -> str:
    lines = (" ".join(line.split()) for line in _text(value).split("\n"))
    return joined_by.join(line for line in lines if line)


def _url(value: str) -> str:
    return quote("".join(_text(value).split()), safe="%:/?#[]@!$&'()*+,;=~")
