"""Staff accounts."""

from datetime import datetime
from typing import TYPE_CHECKING

from flask_babel import lazy_gettext as _l
from sqlalchemy import BigInteger, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from ..kit.db import Choice, Model


class Role(Choice):
    """What somebody may do, in the house or (by a grant) in a series or conference; guests have no account."""

    ADMIN = "admin", _l("Administration")
    ORGANISER = "organiser", _l("Organisation")
    MODERATOR = "moderator", _l("Facilitation")
    MINUTE_TAKER = "minute_taker", _l("Minute taker")
    DOOR = "door", _l("Door")
    LEADERSHIP = "leadership", _l("Leadership")
    COLLEAGUE = "colleague", _l("No role in the house")


class Way(Choice):
    """How somebody came in."""

    PASSWORD = "password", _l("Password")  # pragma: allowlist secret
    PASSKEY = "passkey", _l("Passkey")
    SERVICE = "service", _l("Sign-in service")
    PERSONA = "persona", _l("Demo")


class Account(Model):
    """A member of staff.

    `role` is the one in the house: administrators reach everything; with the others it opens the pages that belong to
    no conference. Into a series or conference only a grant leads. `totp_nonce` is there when a code is asked for at
    sign-in; the secret is made from it and from SECRET_KEY, so that a stolen database has none. `totp_step` is the time
    step of the last code that was taken: none is taken twice.

    Whoever does not sign in for a year is reminded (`reminded_at`), then the account is closed (`closed_at`), and later
    name and address are forgotten (`forgotten_at`); the row stays, because records refer to it.
    """

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str]
    email_key: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    role: Mapped[Role]
    password_hash: Mapped[str | None]
    totp_nonce: Mapped[str | None]
    totp_step: Mapped[int] = mapped_column(default=0)
    active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime]
    last_sign_in_at: Mapped[datetime | None]
    reminded_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    reopened_at: Mapped[datetime | None]
    forgotten_at: Mapped[datetime | None]

    if TYPE_CHECKING:
        asked_at: datetime | None
        is_guarded: bool
    # Set when a request names the account, never stored: the moment for which roles are looked up, and whether more than
    # a password stands before the account or stood before its session.
    asked_at = None
    is_guarded = False


class StaffSession(Model):
    """A browser in which an account is signed in. The cookie holds a token of which the row has only the hash.

    `factor_shown` says that more than a password was asked for when it began.
    """

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"), index=True)
    token_hash: Mapped[str] = mapped_column(unique=True)
    device: Mapped[str] = mapped_column(default="")
    way: Mapped[Way] = mapped_column(default=Way.PASSWORD)
    factor_shown: Mapped[bool] = mapped_column(default=False)
    begun_at: Mapped[datetime]
    ends_at: Mapped[datetime]

    account: Mapped[Account] = relationship()


class RecoveryCode(Model):
    """One way in without the device that makes codes; used once."""

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"), index=True)
    code_hash: Mapped[str] = mapped_column(unique=True)


class Passkey(Model):
    """A key pair of which a device or security key holds the secret half (WebAuthn).

    `sign_count` only grows where the device counts: a lower one betrays a copy. `handle` is how the device calls the account;
    it is random, says nothing about anybody, and is the same for all passkeys of an account.
    """

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"), index=True)
    name: Mapped[str]
    credential_id: Mapped[str] = mapped_column(unique=True)
    handle: Mapped[str]
    public_key: Mapped[bytes]
    sign_count: Mapped[int] = mapped_column(BigInteger)
    created_at: Mapped[datetime]
    last_used_at: Mapped[datetime | None]

    account: Mapped[Account] = relationship()


class SpentChallenge(Model):
    """A challenge that a passkey has answered: the same answer is not taken a second time. Forgotten when it has expired."""

    id: Mapped[int] = mapped_column(primary_key=True)
    challenge_hash: Mapped[str] = mapped_column(unique=True)
    expires_at: Mapped[datetime] = mapped_column(index=True)


class SignInIdentity(Model):
    """Who an account is at the sign-in service (OpenID Connect): known by its number there, whatever the address."""

    __table_args__ = (UniqueConstraint("issuer", "subject"), UniqueConstraint("account_id", "issuer"))

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"), index=True)
    issuer: Mapped[str]
    subject: Mapped[str]
    linked_at: Mapped[datetime]

    account: Mapped[Account] = relationship()
