"""The way to the mail server: one connection for a batch, and plain answers when something fails."""

import contextlib
import re
import smtplib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Literal, Self

from ...core.calendar import Mailbox
from ...core.text import safe_header
from ..unit import must_be_closed
from .message import Letter, UnsafeMessage, address_of, build_message

# Not about this letter but about us: not signed in, or refused by policy.
ABOUT_US = re.compile(r"5\.7\.\d")


@dataclass(frozen=True)
class SmtpSettings:
    """How to reach the mail server; `security` "none" is for a server on the same machine.

    `timeout` is how many seconds one answer may take, `deadline` one letter with all that belongs to it.
    """

    host: str
    port: int = 25
    security: Literal["none", "starttls", "tls"] = "none"
    username: str = ""
    password: str = ""
    timeout: float = 30
    deadline: float = 50


class SendFailed(Exception):
    """The server did not take the letter.

    `permanent`: trying again is useless. `code`: the SMTP code, 0 without an answer. `reason`: one line, the server's
    own words. `concerns_server`: probably every other letter fails as well, so stop and tell somebody.
    """

    def __init__(self, permanent: bool, code: int, reason: str, *, concerns_server: bool = False) -> None:
        super().__init__(f"{code} {reason}")
        self.permanent, self.code, self.reason, self.concerns_server = (
            permanent,
            code,
            reason,
            concerns_server,
        )


class _Plain(smtplib.SMTP):
    """A client that is known from before its first word with the server."""

    def __init__(self, note: Callable[[smtplib.SMTP], None], *args: Any, **options: Any) -> None:
        note(self)
        super().__init__(*args, **options)


class _Secure(smtplib.SMTP_SSL):
    """The same on a line that is encrypted from the beginning."""

    def __init__(self, note: Callable[[smtplib.SMTP], None], *args: Any, **options: Any) -> None:
        note(self)
        super().__init__(*args, **options)


class Postman:
    """Sends letters over one connection, which is opened with the first letter and again when it broke."""

    def __init__(self, settings: SmtpSettings) -> None:
        self.settings = settings
        self._client: smtplib.SMTP | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._hang_up()

    def send(self, letter: Letter) -> None:
        """Hand the letter to the server. Raises SendFailed; after it the next letter can be sent as usual."""
        must_be_closed("a mail server is spoken to")
        try:
            raw = build_message(letter)
            bounces_to = address_of(Mailbox("", letter.envelope_from or letter.sender.address))
        except UnsafeMessage as error:
            raise SendFailed(True, 0, f"not sent: unsafe {error}") from error
        with self._in_time():
            self._hand_over(self._connected(), bounces_to, address_of(letter.recipient), raw)

    @contextlib.contextmanager
    def _in_time(self) -> Iterator[None]:
        """Cut the line when a server answers byte by byte: each byte would begin the wait anew, beyond any lease."""
        clock = threading.Timer(self.settings.deadline, self._cut)
        clock.daemon = True
        clock.start()
        try:
            yield
        finally:
            clock.cancel()

    def _cut(self) -> None:
        line = self._client and self._client.sock
        if line:
            with contextlib.suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)

    def _hand_over(self, client: smtplib.SMTP, bounces_to: str, recipient: str, raw: bytes) -> None:
        try:
            client.sendmail(bounces_to, [recipient], raw)
        except smtplib.SMTPRecipientsRefused as error:
            [(code, answer)] = error.recipients.values()
            raise _refused(code, answer) from error
        except smtplib.SMTPSenderRefused as error:
            raise _refused(error.smtp_code, error.smtp_error, about_us=True) from error
        except smtplib.SMTPResponseException as error:
            raise _refused(error.smtp_code, error.smtp_error) from error
        except OSError as error:
            self._hang_up()
            raise SendFailed(False, 0, _line(error)) from error

    def _connected(self) -> smtplib.SMTP:
        if self._client and self._is_alive(self._client):
            return self._client
        self._hang_up()
        try:
            self._client = self._open()
            self._sign_in(self._client)
        except (OSError, UnicodeError) as error:
            self._hang_up()
            code = error.smtp_code if isinstance(error, smtplib.SMTPResponseException) else 0
            raise SendFailed(False, code, _line(error), concerns_server=True) from error
        return self._client

    def _open(self) -> smtplib.SMTP:
        settings = self.settings
        if not settings.host:
            raise OSError("no mail server is set")
        if settings.security == "tls":
            context = ssl.create_default_context()
            return _Secure(
                self._note, settings.host, settings.port, timeout=settings.timeout, context=context
            )
        return _Plain(self._note, settings.host, settings.port, timeout=settings.timeout)

    def _note(self, client: smtplib.SMTP) -> None:
        self._client = client

    def _sign_in(self, client: smtplib.SMTP) -> None:
        if self.settings.security == "starttls":
            client.starttls(context=ssl.create_default_context())
        if self.settings.username:
            client.login(self.settings.username, self.settings.password)

    def _is_alive(self, client: smtplib.SMTP) -> bool:
        try:
            return client.noop()[0] == 250
        except OSError:
            return False

    def _hang_up(self) -> None:
        if self._client:
            with contextlib.suppress(OSError):
                self._client.quit()
            self._client.close()
        self._client = None


def _refused(code: int, answer: bytes | str, *, about_us: bool = False) -> SendFailed:
    reason = _line(answer)
    is_final = 500 <= code < 600
    is_ours = is_final and (about_us or code in {530, 535} or ABOUT_US.search(reason) is not None)
    return SendFailed(is_final and not about_us, code, reason, concerns_server=is_ours)


def _line(said: object) -> str:
    if isinstance(said, smtplib.SMTPResponseException):
        said = said.smtp_error
    words = said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)
    return safe_header(words) or type(said).__name__
