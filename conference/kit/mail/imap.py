"""A look into a mailbox: what is new, and a mark on what was read. Nothing is deleted."""

import contextlib
import imaplib
import re
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal, Self

from ..unit import must_be_closed

MARK = "FolgeterminRead"
AT_ONCE = 50
WAIT = 30
SIZE = re.compile(rb"RFC822\.SIZE (\d+)")
SAFE_FOLDER = re.compile(r'[^"\\\x00-\x1f\x7f-\uffff]{1,200}')


class ImapFailed(Exception):
    """The mailbox cannot be read; the text is one line for the administrator."""


@dataclass(frozen=True)
class ImapSettings:
    """How to reach the mailbox. `done_folder` is where mails go that were read; "" leaves them where they are."""

    host: str
    port: int = 993
    security: Literal["none", "starttls", "tls"] = "tls"
    username: str = ""
    password: str = ""
    folder: str = "INBOX"
    done_folder: str = ""


@dataclass(frozen=True)
class Found:
    """A mail in the mailbox. `name` is its own for ever; `content` is None where it is too large to be read."""

    uid: str
    name: str
    content: bytes | None


class Letterbox:
    """An open mailbox. Mails keep their look: what was read gets a mark that people do not see, and stays unread for them."""

    def __init__(self, settings: ImapSettings, largest: int) -> None:
        self.settings, self.largest = settings, largest
        self._validity = ""
        self._has_marks = False

    def __enter__(self) -> Self:
        must_be_closed("a mailbox is read")
        try:
            self._line = self._open()
            self._line.login(self.settings.username, self.settings.password)
            self._select()
        except (OSError, imaplib.IMAP4.error) as error:
            raise ImapFailed(str(error) or type(error).__name__) from error
        return self

    def __exit__(self, *_what: object) -> None:
        with contextlib.suppress(OSError, imaplib.IMAP4.error):
            self._line.logout()

    def _open(self) -> imaplib.IMAP4:
        settings = self.settings
        if settings.security == "tls":
            context = ssl.create_default_context()
            return imaplib.IMAP4_SSL(settings.host, settings.port, ssl_context=context, timeout=WAIT)
        line = imaplib.IMAP4(settings.host, settings.port, timeout=WAIT)
        if settings.security == "starttls":
            line.starttls(ssl.create_default_context())
        return line

    def _select(self) -> None:
        self._ask(self._line.select(_quoted(self.settings.folder)))
        self._validity = _first(self._line.response("UIDVALIDITY"))
        allowed = _first(self._line.response("PERMANENTFLAGS"))
        self._has_marks = "\\*" in allowed or MARK in allowed

    def new(self) -> Iterator[Found]:
        """Mails without our mark, the oldest first; not more than a few at once. Raises ImapFailed."""
        try:
            criterion = f"UNKEYWORD {MARK}" if self._has_marks else "UNSEEN"
            [numbers] = self._ask(self._line.uid("SEARCH", criterion)) or [b""]
            for number in (numbers or b"").split()[:AT_ONCE]:
                yield self._fetched(number.decode("ascii"))
        except (OSError, imaplib.IMAP4.error) as error:
            raise ImapFailed(str(error) or type(error).__name__) from error

    def _fetched(self, uid: str) -> Found:
        name = f"{self.settings.folder}:{self._validity}:{uid}"
        told = self._ask(self._line.uid("FETCH", uid, "(RFC822.SIZE)"))
        size = SIZE.search(told[0] if told and isinstance(told[0], bytes) else b"")
        if size is None or int(size.group(1)) > self.largest:
            return Found(uid, name, None)
        answer = self._ask(self._line.uid("FETCH", uid, "(BODY.PEEK[])"))
        bodies = [part[1] for part in answer if isinstance(part, tuple)]
        return Found(uid, name, bodies[0] if bodies else None)

    def mark(self, found: Found) -> None:
        """Say that this mail was read; with a folder for such mails it goes there. Raises ImapFailed."""
        try:
            self._ask(
                self._line.uid(
                    "STORE", found.uid, "+FLAGS", f"({MARK if self._has_marks else chr(92) + 'Seen'})"
                )
            )
            if self.settings.done_folder and "MOVE" in self._line.capabilities:
                self._ask(self._line.uid("MOVE", found.uid, _quoted(self.settings.done_folder)))
        except (OSError, imaplib.IMAP4.error) as error:
            raise ImapFailed(str(error) or type(error).__name__) from error

    def _ask(self, answer: tuple[str, list[Any]]) -> list[Any]:
        status, data = answer
        if status != "OK":
            raise ImapFailed(str(data[0]) if data else status)
        return data


def _quoted(folder: str) -> str:
    if SAFE_FOLDER.fullmatch(folder) is None:
        raise ImapFailed("the name of a folder has signs that no folder has")
    return f'"{folder}"'


def _first(answer: tuple[str, list[Any]]) -> str:
    data = answer[1][0] if answer[1] else None
    return data.decode("ascii", "replace") if isinstance(data, bytes) else ""
