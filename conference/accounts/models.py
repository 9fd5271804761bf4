"""Staff accounts."""

from datetime import datetime

from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Mapped, mapped_column

from ..kit.db import Choice, Model


class Role(Choice):
    """What an account may do; guests have no account."""

    ADMIN = "admin", _l("Administration")
    ORGANISER = "organiser", _l("Organisation")
    MODERATOR = "moderator", _l("Facilitation")
    LEADERSHIP = "leadership", _l("Leadership")


class Account(Model):
    """A member of staff. `session_key` is what a session cookie holds: renewing it ends all sessions."""

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str]
    email_key: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    role: Mapped[Role]
    password_hash: Mapped[str | None]
    session_key: Mapped[str] = mapped_column(unique=True)
    active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime]
