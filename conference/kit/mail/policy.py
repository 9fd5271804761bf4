"""How headers are written: the standard library's way, but for those that it breaks.

Folding turns a long Message-ID or List-Unsubscribe into encoded words that no program undoes (cpython 85725), and loses
spaces and quotes in long subjects and names. So mailboxes and subjects are written here, and identifiers never folded.
"""

import base64
import re
from email.headerregistry import Address
from email.policy import EmailPolicy
from typing import Any

IDENTIFIERS = {
    "message-id",
    "in-reply-to",
    "references",
    "list-unsubscribe",
    "list-unsubscribe-post",
    "list-id",
}
MAILBOXES = {"from", "to", "reply-to"}
ATOMS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~ -]*")
# With the 12 characters of its frame and the name of the header an encoded word must fit into a line of 76.
WORD_BYTES = 39
# So that a line stays below 78 characters.
PLAIN = 62


class HeaderPolicy(EmailPolicy):
    """CRLF line ends, ASCII only, no line that a reader could take for two."""

    def fold(self, name: str, value: Any) -> str:
        """One header as it goes over the wire."""
        kind = name.lower()
        if kind in IDENTIFIERS:
            written = str(value)
        elif kind in MAILBOXES:
            written = ", ".join(_mailbox(address) for address in value.addresses)
        elif kind == "subject":
            written = _subject(str(value))
        else:
            return str(super().fold(name, value))
        return f"{name}: {written}\r\n"

    def fold_binary(self, name: str, value: Any) -> bytes:
        """The same as bytes. Raises UnicodeEncodeError where an identifier is not ASCII."""
        return self.fold(name, value).encode("ascii")


WIRE = HeaderPolicy(linesep="\r\n", cte_type="7bit")


def _mailbox(address: Address) -> str:
    if not address.display_name:
        return address.addr_spec
    phrase = _phrase(address.display_name)
    gap = " " if len(phrase) + len(address.addr_spec) <= PLAIN else "\r\n "
    return f"{phrase}{gap}<{address.addr_spec}>"


def _phrase(name: str) -> str:
    if not name.isascii() or len(name) > PLAIN:
        return _words(name)
    return name if ATOMS.fullmatch(name) else '"' + re.sub(r'(["\\])', r"\\\1", name) + '"'


def _subject(text: str) -> str:
    return text if text.isascii() and len(text) <= PLAIN and "=?" not in text else _words(text)


def _words(text: str) -> str:
    """RFC 2047 encoded words, one for each line; no character is cut in two."""
    pieces, piece = [], b""
    for sign in text:
        encoded = sign.encode("utf-8", "replace")
        if len(piece) + len(encoded) > WORD_BYTES:
            pieces.append(piece)
            piece = b""
        piece += encoded
    return "\r\n ".join(f"=?utf-8?b?{base64.b64encode(piece).decode()}?=" for piece in [*pieces, piece])
