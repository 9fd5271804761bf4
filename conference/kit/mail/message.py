"""A letter as the bytes of a message, and the look at those bytes before they leave.

Values that people typed end in headers: Python 3.11 makes a real `Bcc:` of the subject "=?utf-8?q?a=0ABcc:_x@y?=", and
a name with a quote can carry an address of its own. So names and subjects are cleaned, addresses and identifiers are
refused when they are not plain, and `check_message` reads the result as a stranger would.
"""

import re
import unicodedata
from dataclasses import dataclass, field
from datetime import datetime
from email import message_from_bytes, policy
from email.headerregistry import Address
from email.message import EmailMessage

import idna

from ...core.calendar import Mailbox, Method
from ...core.text import safe_header
from .policy import WIRE

Attachment = tuple[str, str, bytes]

LONGEST_LINE = 998
LOCAL_PART = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
MESSAGE_ID = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,450}@[A-Za-z0-9.-]{1,450}")
WEB_ADDRESS = re.compile(r"https?://[!-;=?-~]{1,900}")
LANGUAGE = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*")
MEDIA_TYPE = re.compile(r"(application|audio|font|image|text|video)/[A-Za-z0-9.+-]+")
CALENDAR_FILES = {"REQUEST": "einladung.ics", "CANCEL": "absage.ics"}
BODY_ENCODINGS = {"quoted-printable", "base64"}


class UnsafeMessage(ValueError):
    """The letter cannot become a message that says what it should to whom it should; the text names the place."""


@dataclass(frozen=True, kw_only=True)
class Letter:
    """Everything about one message to one person.

    `message_id` and `in_reply_to` with or without angle brackets, `list_unsubscribe` an https URL; "" is none.
    `attachments` are (name, media type, content). `is_bulk` is one of many alike. `envelope_from` is where bounces go; ""
    is the sender's address.
    """

    message_id: str
    sender: Mailbox
    recipient: Mailbox
    subject: str
    text: str
    sent_at: datetime
    reply_to: Mailbox | None = None
    html: str = ""
    language: str = "de"
    in_reply_to: str = ""
    auto_submitted: bool = True
    list_unsubscribe: str = ""
    calendar: bytes | None = None
    calendar_method: Method = "REQUEST"
    attachments: list[Attachment] = field(default_factory=list)
    is_bulk: bool = False
    envelope_from: str = ""


def build_message(letter: Letter) -> bytes:
    """The message as it goes over the wire, checked. Raises UnsafeMessage."""
    message = _body(letter)
    for name, value in _headers(letter).items():
        message[name] = value
    raw = message.as_bytes()
    check_message(raw, letter)
    return raw


def headers_as_read(letter: Letter) -> list[tuple[str, str]]:
    """The headers of the message, in its order, as a mail program reads them. Raises UnsafeMessage."""
    message = message_from_bytes(build_message(letter), policy=policy.default)
    return [(name, str(value)) for name, value in message.items()]


def check_message(raw: bytes, letter: Letter) -> None:
    """Read the bytes as a stranger would and compare with the letter. Raises UnsafeMessage."""
    _check_lines(raw)
    message = message_from_bytes(raw, policy=policy.default)
    expected = [*_headers(letter), "MIME-Version", "Content-Type"]
    if not message.is_multipart():
        expected.append("Content-Transfer-Encoding")
    _require(sorted(map(str.lower, message.keys())) == sorted(map(str.lower, expected)), "header set")
    _check_mailbox(message, "From", letter.sender)
    _check_mailbox(message, "To", letter.recipient)
    if letter.reply_to:
        _check_mailbox(message, "Reply-To", letter.reply_to)
    _require(str(message["Subject"]) == header_text(letter.subject), "Subject")
    as_written = message_from_bytes(raw, policy=policy.compat32)
    for name, meant in _headers(letter).items():
        if isinstance(meant, str) and name != "Subject":
            _require(as_written[name] == meant and "=?" not in meant, name)
    _check_parts(message, letter)


def address_of(mailbox: Mailbox) -> str:
    """The address as a mail server takes it: an ASCII local part and the domain in its ASCII form.

    Raises UnsafeMessage.
    """
    local, _, domain = mailbox.address.strip().rpartition("@")
    _require(not domain.endswith("."), "address")
    _require(LOCAL_PART.fullmatch(local) is not None and len(local) <= 64 and "=?" not in local, "address")
    try:
        return f"{local}@{idna.encode(domain, uts46=True).decode('ascii')}"
    except UnicodeError:
        raise UnsafeMessage("address") from None


def plain_text(text: str) -> str:
    """The text without signs that no mail may hold; lines end in LF."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\u2028", "\n").replace("\u2029", "\n")
    return "".join(sign for sign in text if sign in "\n\t" or unicodedata.category(sign) not in {"Cc", "Cs"})


def header_text(value: str) -> str:
    """The value as one harmless line."""
    return safe_header(plain_text(value)).strip()


def _headers(letter: Letter) -> dict[str, object]:
    headers: dict[str, object] = {
        "From": _mailbox(letter.sender),
        "To": _mailbox(letter.recipient),
        "Subject": header_text(letter.subject),
        "Date": letter.sent_at,
        "Message-ID": _identifier(MESSAGE_ID, letter.message_id),
        "Content-Language": _matching(LANGUAGE, letter.language, "Content-Language"),
    }
    if letter.reply_to:
        headers["Reply-To"] = _mailbox(letter.reply_to)
    if letter.in_reply_to:
        headers["In-Reply-To"] = headers["References"] = _identifier(MESSAGE_ID, letter.in_reply_to)
    if letter.auto_submitted:
        headers |= {"Auto-Submitted": "auto-generated", "X-Auto-Response-Suppress": "OOF, AutoReply"}
    if letter.is_bulk:
        headers["Precedence"] = "bulk"
    if letter.list_unsubscribe:
        headers["List-Unsubscribe"] = _identifier(WEB_ADDRESS, letter.list_unsubscribe)
        headers["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    return headers


def _body(letter: Letter) -> EmailMessage:
    message = EmailMessage(policy=WIRE)
    message.set_content(plain_text(letter.text), cte="quoted-printable")
    if letter.html:
        message.add_alternative(plain_text(letter.html), subtype="html", cte="quoted-printable")
    if letter.calendar is not None:
        # Base64 keeps the file's own line ends. Without Content-Disposition, or Outlook sees a file and no invitation.
        params = {"method": letter.calendar_method, "charset": "utf-8"}
        message.add_alternative(letter.calendar, maintype="text", subtype="calendar", params=params)
    for name, kind, content in _attachments(letter):
        maintype, subtype = kind.split("/")
        message.add_attachment(content, maintype=maintype, subtype=subtype, filename=name)
    return message


def _attachments(letter: Letter) -> list[Attachment]:
    copies: list[Attachment] = []
    if letter.calendar is not None:
        copies.append((CALENDAR_FILES[letter.calendar_method], "application/ics", letter.calendar))
    return copies + [
        (_file_name(name), _matching(MEDIA_TYPE, kind, "attachment"), content)
        for name, kind, content in letter.attachments
    ]


def _mailbox(mailbox: Mailbox) -> Address:
    # Quotes and backslashes mean something in this place; readers disagree about what.
    name = re.sub(r'["\\]', " ", header_text(mailbox.name))
    return Address(display_name=" ".join(name.split()), addr_spec=address_of(mailbox))


def _identifier(pattern: re.Pattern[str], value: str) -> str:
    bare = value.removeprefix("<").removesuffix(">")
    _require("=?" not in bare, "identifier")
    return f"<{_matching(pattern, bare, 'identifier')}>"


def _file_name(name: str) -> str:
    return re.sub(r'[/\\:*?"<>|]', "_", header_text(name)).lstrip(".")[-100:] or "anlage"


def _matching(pattern: re.Pattern[str], value: str, place: str) -> str:
    _require(pattern.fullmatch(value) is not None, place)
    return value


def _check_lines(raw: bytes) -> None:
    lines = raw.split(b"\r\n")
    _require(all(b"\r" not in line and b"\n" not in line for line in lines), "line ends")
    _require(max(map(len, lines)) <= LONGEST_LINE, "line length")
    _require(raw.isascii(), "8bit")


def _check_mailbox(message: EmailMessage, name: str, mailbox: Mailbox) -> None:
    addresses = [address.addr_spec for address in message[name].addresses]
    _require(addresses == [address_of(mailbox)], name)


def _check_parts(message: EmailMessage, letter: Letter) -> None:
    parts = [part for part in message.walk() if not part.is_multipart()]
    _require([part.get_content_type() for part in parts] == _expected_types(letter), "structure")
    for part in parts:
        _require(part["Content-Transfer-Encoding"] in BODY_ENCODINGS and not part.defects, "part")
    _check_words(parts[0], letter.text, "text")
    if letter.html:
        _check_words(parts[1], letter.html, "html")
    if letter.calendar is None:
        return
    [calendar] = [
        part for part in parts if part.get_content_type() == "text/calendar" and not part.is_attachment()
    ]
    method = f"METHOD:{letter.calendar_method}\r\n".encode()
    _require(calendar.get_payload(decode=True) == letter.calendar and method in letter.calendar, "calendar")
    _require(calendar.get_param("method") == letter.calendar_method, "calendar method")


def _expected_types(letter: Letter) -> list[str]:
    types = ["text/plain"] + (["text/html"] if letter.html else [])
    types += ["text/calendar"] if letter.calendar is not None else []
    return types + [kind.lower() for _, kind, _ in _attachments(letter)]


def _check_words(part: EmailMessage, text: str, place: str) -> None:
    meant = plain_text(text)
    read = part.get_content().replace("\r\n", "\n")
    _require(read == (meant if meant.endswith("\n") else meant + "\n"), place)


def _require(holds: bool, place: str) -> None:
    if not holds:
        raise UnsafeMessage(place)
