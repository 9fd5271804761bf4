"""What a mail in our mailbox is: a letter that came back, an answer by calendar, something automatic, or words of a person.

Anybody can write to a mailbox: whatever comes, this answers with one of those or "unreadable", and never takes long.
"""

import email
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from email import policy
from email.message import Message
from email.utils import getaddresses
from typing import Any, Literal

LARGEST = 2 * 1024 * 1024
MOST_PARTS = 60
MOST_BOUNDARIES = 60
LONGEST_NOTE = 500
CALENDAR_TYPES = {"text/calendar", "application/ics"}
IDENTIFIER = re.compile(rb"^message-id:\s*(<[^>\s]{1,500}>)", re.IGNORECASE | re.MULTILINE)

Kind = Literal["bounce", "reply", "automatic", "words", "unreadable"]


@dataclass(frozen=True)
class Bounce:
    """One recipient whom a letter did not reach: which letter (its Message-ID), who, and what the server said."""

    message_id: str
    recipient: str
    answer: str


@dataclass(frozen=True)
class CalendarReply:
    """One guest's answer by calendar. `sender` is who the mail is from, `stamp` when the answer was given, in UTC."""

    uid: str
    sequence: int
    attendee: str
    sender: str
    partstat: str
    stamp: datetime | None
    comment: str


@dataclass(frozen=True)
class Incoming:
    """A mail as it was understood."""

    kind: Kind
    bounces: tuple[Bounce, ...] = ()
    reply: CalendarReply | None = None


UNREADABLE = Incoming("unreadable")


def read_mail(raw: bytes) -> Incoming:
    """Say what a mail is. Never raises, whatever the bytes are."""
    if len(raw) > LARGEST or raw.lower().count(b"boundary=") > MOST_BOUNDARIES:
        return UNREADABLE
    try:
        # The old policy decodes nothing by itself, and so cannot stumble over a header or a character set.
        message = email.message_from_bytes(raw, policy=policy.compat32)
        parts = list(_parts(message))
        return _understood(message, parts) if len(parts) <= MOST_PARTS else UNREADABLE
    except Exception:  # noqa: BLE001 - nobody may stop the mailbox with a mail that is no mail
        return UNREADABLE


def _parts(message: Message) -> Iterator[Message]:
    for number, part in enumerate(message.walk()):
        yield part
        if number > MOST_PARTS:
            return


def _understood(message: Message, parts: list[Message]) -> Incoming:
    if (
        message.get_content_type() == "multipart/report"
        and "delivery-status" in str(message["Content-Type"]).lower()
    ):
        return Incoming("bounce", tuple(_bounces(parts)))
    for part in parts:
        if part.get_content_type() in CALENDAR_TYPES:
            reply = _reply(part, message)
            if reply is not None:
                return Incoming("reply", reply=reply)
    return Incoming("automatic" if _is_automatic(message) else "words")


def _is_automatic(message: Message) -> bool:
    said = str(message.get("Auto-Submitted", "no")).split(";")[0].strip().lower()
    speaks = said != "no" or str(message.get("Return-Path", "")).strip() == "<>"
    return (
        speaks
        or "X-Autoreply" in message
        or str(message.get("Precedence", "")).strip().lower() in {"auto_reply", "bulk", "junk"}
    )


def _bounces(parts: list[Message]) -> Iterator[Bounce]:
    identifier = _returned(parts)
    for part in parts:
        if part.get_content_type() != "message/delivery-status":
            continue
        blocks = part.get_payload()
        for block in blocks if isinstance(blocks, list) else []:
            if not isinstance(block, Message) or str(block.get("Action", "")).strip().lower() != "failed":
                continue
            to = str(block.get("Original-Recipient") or block.get("Final-Recipient") or "")
            yield Bounce(identifier, to.rpartition(";")[2].strip().strip("<>"), _answer(block))


def _answer(block: Message) -> str:
    status = str(block.get("Status", "")).split("(")[0].strip()
    said = " ".join(str(block.get("Diagnostic-Code", "")).partition(";")[2].split())
    answer = said if status and status in said else f"{status} {said}".strip()
    return answer[:LONGEST_NOTE]


def _returned(parts: list[Message]) -> str:
    """The Message-ID of the letter that came back, which is in the report, whole or only its head."""
    for part in parts:
        if part.get_content_type() in {"message/rfc822", "text/rfc822-headers", "message/rfc822-headers"}:
            found = IDENTIFIER.search(_bytes_of(part))
            if found:
                return found.group(1).decode("ascii", "replace")
    return ""


def _bytes_of(part: Message) -> bytes:
    inner = part.get_payload()
    if isinstance(inner, list):
        first = inner[0] if inner else None
        return first.as_bytes() if isinstance(first, Message) else b""
    decoded = part.get_payload(decode=True)
    return decoded if isinstance(decoded, bytes) else str(inner).encode("utf-8", "replace")


def _reply(part: Message, message: Message) -> CalendarReply | None:
    """The answer in this part, or None when it is none: an invitation, something damaged, several events."""
    from icalendar import Calendar  # See calendar.py: not at every start.

    try:
        calendar: Any = Calendar.from_ical(_bytes_of(part))
        if str(calendar.get("METHOD", "")).upper() != "REPLY":
            return None
        [event] = calendar.walk("VEVENT")
        attendee = event["ATTENDEE"]
        if isinstance(attendee, list):
            [attendee] = attendee
        return CalendarReply(
            uid=str(event["UID"]),
            sequence=int(event.get("SEQUENCE", 0)),
            attendee=re.sub("^mailto:", "", str(attendee), flags=re.IGNORECASE).strip(),
            sender=_sender(message),
            partstat=str(attendee.params.get("PARTSTAT", "")).upper(),
            stamp=_moment(event["DTSTAMP"].dt) if "DTSTAMP" in event else None,
            comment=_comment(event),
        )
    except (KeyError, ValueError, TypeError, AttributeError, IndexError):
        return None


def _sender(message: Message) -> str:
    """The one address that the mail is from; "" where there are several or none."""
    addresses = {
        address.lower()
        for _name, address in getaddresses([str(value) for value in message.get_all("From", [])])
    }
    return addresses.pop() if len(addresses) == 1 else ""


def _moment(value: datetime | date) -> datetime | None:
    if not isinstance(value, datetime) or value.tzinfo is None:
        return None
    return value.astimezone(UTC)


def _comment(event: Any) -> str:
    comment = event.get("COMMENT", "")
    return str(comment[0] if isinstance(comment, list) and comment else comment)
