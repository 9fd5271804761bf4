"""One-time links for accounts."""

from datetime import datetime

from flask_babel import lazy_gettext as _l
from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from ..accounts.models import Account
from ..conferences.models import Grant
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


class Facilitation(Model):
    """A facilitator's group: a table of a conference in one round or (`round` 0) in every round.

    Known by table and number of the round, not by the group: forming the groups anew throws groups away, and the people at
    a table change, but not who leads it. It hangs on the role by which somebody facilitates and ends with it.
    """

    __table_args__ = (UniqueConstraint("grant_id", "conference_id", "table", "round"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    grant_id: Mapped[int] = mapped_column(ForeignKey("role_grant.id", ondelete="CASCADE"), index=True)
    conference_id: Mapped[int] = mapped_column(ForeignKey("conference.id"), index=True)
    table: Mapped[str]
    round: Mapped[int] = mapped_column(default=0)
    assigned_by_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"))
    assigned_at: Mapped[datetime]

    grant: Mapped[Grant] = relationship()
