"""One letter by e-mail: built, checked, sent. Knows nothing of rooms.

`message` makes the bytes and reads them again before they leave, `policy` writes their headers, `smtp` sends them,
`wrapper` makes the HTML of a letter from its text. Only `wrapper` needs Flask.
"""

from ...core.calendar import Mailbox
from .imap import Found, ImapFailed, ImapSettings, Letterbox
from .message import Letter, UnsafeMessage, build_message, check_message, headers_as_read
from .smtp import Postman, SendFailed, SmtpSettings
from .wrapper import html_fragment, html_from_text

__all__ = [
    "Found",
    "ImapFailed",
    "ImapSettings",
    "Letter",
    "Letterbox",
    "Mailbox",
    "Postman",
    "SendFailed",
    "SmtpSettings",
    "UnsafeMessage",
    "build_message",
    "check_message",
    "headers_as_read",
    "html_fragment",
    "html_from_text",
]
