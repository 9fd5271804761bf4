"""Personal links: 256 secret bits that the database never holds.

The row of a link keeps a random nonce and SHA-256 of the token; the token itself is HMAC-SHA256(SECRET_KEY, nonce) and is
made anew whenever a mail is sent. So one link stays the same in invitation, reminder and confirmation, and a stolen
database or backup opens no door. Letters hold a mark in place of the token until the moment of sending.
"""

import base64
import hashlib
import hmac
import re
import secrets

from flask import current_app

MARK = re.compile(r"~link-([0-9a-f]{64})~")
STORED = re.compile(r"https?://[^/\s]+(/[a-z]+/~link-)")


def new_nonce() -> str:
    """256 random bits as 64 hexadecimal digits."""
    return secrets.token_hex(32)


def token_of(nonce: str) -> str:
    """The token that belongs to a nonce: 43 characters of base64url."""
    key = current_app.config["SECRET_KEY"].encode()
    digest = hmac.new(key, b"personal-link:" + nonce.encode(), hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def hash_of(token: str) -> str:
    """What the database compares: SHA-256 of the token in hexadecimal."""
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


def is_ours(nonce: str, token_hash: str) -> bool:
    """Whether the token can still be made: after a change of the secret key it is another one, which opens nothing."""
    return hmac.compare_digest(hash_of(token_of(nonce)), token_hash)


def mark_of(nonce: str) -> str:
    """The mark that stands for the token in a stored letter."""
    return f"~link-{nonce}~"


def reveal(text: str) -> str:
    """Replace every mark by its token: only when a mail is sent or shown in demo mode."""
    return MARK.sub(lambda match: token_of(match.group(1)), text)


def led_here(text: str) -> str:
    """Stored personal links lead to this server, whatever address it had when the letter was written: for the demo."""
    base = str(current_app.config["BASE_URL"]).rstrip("/")
    return STORED.sub(lambda match: base + match.group(1), text)


def conceal(text: str) -> str:
    """Replace every mark by dots, for staff who look at a letter that belongs to somebody else."""
    return MARK.sub("…", text)
