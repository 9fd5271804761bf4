"""Staff accounts."""

from datetime import datetime
from typing import TYPE_CHECKING

from flask_babel import lazy_gettext as _l
from sqlalchemy import ForeignKey
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


class Account(Model):
    """A member of staff.

    `role` is the one in the house: administrators reach everything; with the others it opens the pages that belong to
    no conference. Into a series or conference only a grant leads. `totp_nonce` is there when a code is asked for at
    sign-in; the secret is made from it and from SECRET_KEY, so that a stolen database has none. `totp_step` is the time
    step of the last code that was taken: none is taken twice.
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

    if TYPE_CHECKING:
        asked_at: datetime | None
    # The moment for which roles are looked up; set when a request names the account, never stored.
    asked_at = None


class StaffSession(Model):
    """A browser in which an account is signed in. The cookie holds a token of which the row has only the hash."""

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"), index=True)
    token_hash: Mapped[str] = mapped_column(unique=True)
    device: Mapped[str] = mapped_column(default="")
    begun_at: Mapped[datetime]
    ends_at: Mapped[datetime]

    account: Mapped[Account] = relationship()


class RecoveryCode(Model):
    """One way in without the device that makes codes; used once."""

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"), index=True)
    code_hash: Mapped[str] = mapped_column(unique=True)
