"""One-time links for accounts."""

from datetime import datetime

from flask_babel import lazy_gettext as _l
from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column, relationship

from ..accounts.models import Account
from ..kit.db import Choice, Model


class LinkUse(Choice):
    """What a one-time link is for."""

    WELCOME = "welcome", _l("Invitation to the house")
    RENEWAL = "renewal", _l("New password")


class AccountLink(Model):
    """A one-time link to choose a password. Without an account it answers an address that nobody has, and opens nothing."""

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"), index=True)
    use: Mapped[LinkUse]
    nonce: Mapped[str] = mapped_column(unique=True)
    token_hash: Mapped[str] = mapped_column(unique=True)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]

    account: Mapped[Account | None] = relationship()
