"""Results sheets, their saved states, and which result has become which idea."""

from datetime import datetime

from sqlalchemy import JSON, ForeignKey, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from ..accounts.models import Account
from ..conferences.models import Conference
from ..core.sheets import Sheet
from ..groups.models import Round
from ..ideas.models import Idea
from ..kit.db import Model
from ..providers.models import Contact


class GroupSheet(Model):
    """The results sheet of one table in one round. What it says is its newest state, whose number is `version`.

    Known by round and table, not by the group: forming the groups anew throws groups away, and no sheet with them.
    """

    __table_args__ = (UniqueConstraint("round_id", "table"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    conference_id: Mapped[int] = mapped_column(ForeignKey("conference.id"), index=True)
    round_id: Mapped[int] = mapped_column(ForeignKey("round.id"))
    table: Mapped[str]
    version: Mapped[int] = mapped_column(default=0)

    conference: Mapped[Conference] = relationship()
    round: Mapped[Round] = relationship()


class SheetState(Model):
    """A sheet as somebody saved it; states are added, never changed, so that no text is lost.

    Whoever saved it is an account, a participant, or somebody at the table who may have left a name. `submission` is made
    by the sender: the same one twice is the same state.
    """

    __table_args__ = (UniqueConstraint("sheet_id", "number"), UniqueConstraint("sheet_id", "submission"))

    id: Mapped[int] = mapped_column(primary_key=True)
    sheet_id: Mapped[int] = mapped_column(ForeignKey("group_sheet.id", ondelete="CASCADE"))
    number: Mapped[int]
    question: Mapped[str] = mapped_column(Text)
    results: Mapped[list[str]] = mapped_column(JSON)
    open_points: Mapped[str] = mapped_column(Text)
    proposal: Mapped[str] = mapped_column(Text)
    handed_in: Mapped[bool]
    writer: Mapped[str] = mapped_column(default="")
    contact_id: Mapped[int | None] = mapped_column(ForeignKey("contact.id"), index=True)
    account_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"))
    submission: Mapped[str]
    saved_at: Mapped[datetime]

    sheet: Mapped[GroupSheet] = relationship()
    contact: Mapped[Contact | None] = relationship()
    account: Mapped[Account | None] = relationship()

    @property
    def content(self) -> Sheet:
        """What it says."""
        return Sheet(self.question, tuple(self.results), self.open_points, self.proposal)

    @property
    def by(self) -> str:
        """Who saved it; empty for somebody at the table without a name."""
        if self.account is not None:
            return self.account.name
        return self.contact.name if self.contact is not None else self.writer


class SheetIdea(Model):
    """A result that was taken over as an idea, in the words that it had then."""

    __table_args__ = (UniqueConstraint("sheet_id", "idea_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    sheet_id: Mapped[int] = mapped_column(ForeignKey("group_sheet.id", ondelete="CASCADE"))
    idea_id: Mapped[int] = mapped_column(ForeignKey("idea.id"), index=True)
    result: Mapped[str] = mapped_column(Text)

    idea: Mapped[Idea] = relationship()


class SheetClosure(Model):
    """The tables can write no more: closed by whom and when. Without this record they can."""

    id: Mapped[int] = mapped_column(primary_key=True)
    conference_id: Mapped[int] = mapped_column(ForeignKey("conference.id"), unique=True)
    account_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"))
    closed_at: Mapped[datetime]
