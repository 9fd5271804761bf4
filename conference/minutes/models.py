"""The draft's own words, and frozen releases."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from ..accounts.models import Account
from ..kit.db import Model
from ..kit.frozen import freeze


class Minutes(Model):
    """What minutes need beside the records of the other rooms; the draft itself is compiled anew each time."""

    id: Mapped[int] = mapped_column(primary_key=True)
    conference_id: Mapped[int] = mapped_column(ForeignKey("conference.id"), unique=True)
    chair: Mapped[str] = mapped_column(default="")
    moderator: Mapped[str] = mapped_column(default="")
    minute_taker: Mapped[str] = mapped_column(default="")
    summary: Mapped[str] = mapped_column(Text, default="")
    version: Mapped[int] = mapped_column(default=1)
    updated_at: Mapped[datetime]


class Release(Model):
    """Released minutes: text and PDF frozen, with the hash of the PDF.

    The database refuses to change one, and to delete one before the archive has it or has declined it
    (`archive_step`, which privacy keeps).
    """

    __table_args__ = (UniqueConstraint("conference_id", "number"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    conference_id: Mapped[int] = mapped_column(ForeignKey("conference.id"))
    number: Mapped[int]
    document: Mapped[dict[str, Any]] = mapped_column(JSON)
    text: Mapped[str] = mapped_column(Text)
    pdf: Mapped[bytes]
    sha256: Mapped[str]
    account_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"))
    released_by: Mapped[str]
    released_at: Mapped[datetime]

    account: Mapped[Account | None] = relationship()


KEPT = (
    "COALESCE((SELECT state FROM archive_step WHERE conference_id = OLD.conference_id ORDER BY id DESC LIMIT 1), '')"
    " NOT IN ('handed_over', 'unworthy')"
)
freeze(Release.__table__, kept_while=KEPT)  # type: ignore[arg-type]
