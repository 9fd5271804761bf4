"""Making accounts and checking passwords."""

import secrets
from datetime import datetime
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from flask_babel import gettext as _

from ..core.text import canonical_email, comparison_key
from ..kit.db import db
from ..kit.errors import Refused
from .models import Account, Role
from .queries import account_by_email

SHORTEST, LONGEST = 12, 1024
FEWEST_DIFFERENT = 5
_hasher = PasswordHasher()


@cache
def _dummy() -> str:
    """Checked when the address is unknown, so that the answer takes as long as for a known one.

    Made before the first check of any password, not at import: a hash costs a tenth of a second of every start.
    """
    return _hasher.hash("no account has this password")


def create_account(email: str, name: str, role: Role, password: str | None, *, at: datetime) -> Account:
    """A new account; without a password nobody can sign in by one (the demo's personas).

    Raises Refused when the address is taken or the password is not acceptable.
    """
    address, _key = canonical_email(email)
    if account_by_email(address) is not None:
        raise Refused(_("There is already an account with this address."))
    account = Account(
        email=address,
        email_key=comparison_key(address),
        name=name,
        role=role,
        password_hash=None if password is None else hash_password(password),
        session_key=secrets.token_urlsafe(32),
        created_at=at,
    )
    db.session.add(account)
    return account


def hash_password(password: str) -> str:
    """Argon2id hash of an acceptable password, else Refused."""
    if not SHORTEST <= len(password) <= LONGEST:
        raise Refused(_("Please choose a password of at least %(num)d characters.", num=SHORTEST))
    if len(set(password.casefold())) < FEWEST_DIFFERENT:
        raise Refused(_("This password is too easy to guess. Please choose another one."))
    return _hasher.hash(password)


def authenticate(email: str, password: str) -> Account | None:
    """The account, when address and password fit; takes the same time when they do not."""
    nobody = _dummy()
    account = account_by_email(email)
    stored = account.password_hash if account is not None and account.active else None
    fits = _verify(stored or nobody, password[:LONGEST])
    return account if fits and stored is not None else None


def _verify(stored: str, password: str) -> bool:
    try:
        return _hasher.verify(stored, password.encode("utf-8", "replace"))
    except (VerificationError, InvalidHashError):
        return False


def end_sessions(account: Account, *, at: datetime) -> None:
    """End all sessions of the account."""
    account.session_key = secrets.token_urlsafe(32)
