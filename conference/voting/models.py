"""Votes, options, who has voted, ballots without a person."""

from datetime import datetime
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import JSON, ForeignKey, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from ..ideas.models import Cluster, Idea
from ..kit.db import Choice, Model


class VoteSubject(Choice):
    """What the dots are put on."""

    CLUSTERS = "clusters", _l("Clusters")
    IDEAS = "ideas", _l("Ideas")


class Vote(Model):
    """A vote with dots. No numbers are shown before it closes; closing freezes `result`.

    `hides_few`: with fewer than `core.discretion.FEW` ballots the dots are shown to nobody, because they could say who gave them.
    """

    id: Mapped[int] = mapped_column(primary_key=True)
    conference_id: Mapped[int] = mapped_column(ForeignKey("conference.id"), index=True)
    title: Mapped[str]
    subject: Mapped[VoteSubject]
    dots: Mapped[int]
    per_option: Mapped[int]
    created_at: Mapped[datetime]
    opened_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    result: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    hides_few: Mapped[bool] = mapped_column(default=False)
    version: Mapped[int] = mapped_column(default=1)


class VoteOption(Model):
    """One thing to put dots on, in the words that the voters saw."""

    id: Mapped[int] = mapped_column(primary_key=True)
    vote_id: Mapped[int] = mapped_column(ForeignKey("vote.id"), index=True)
    cluster_id: Mapped[int | None] = mapped_column(ForeignKey("cluster.id"))
    idea_id: Mapped[int | None] = mapped_column(ForeignKey("idea.id"))
    wording: Mapped[str] = mapped_column(Text)
    position: Mapped[int]

    cluster: Mapped[Cluster | None] = relationship()
    idea: Mapped[Idea | None] = relationship()


class Voter(Model):
    """A person has voted: the row is unique and taken in the ballot's transaction. It knows nothing of the ballot.

    It has no number either: the order in which people voted is nobody's business.
    """

    __table_args__ = {"sqlite_with_rowid": False}  # noqa: RUF012 - a hidden row number would tell the order

    vote_id: Mapped[int] = mapped_column(ForeignKey("vote.id"), primary_key=True)
    contact_id: Mapped[int] = mapped_column(ForeignKey("contact.id"), primary_key=True, index=True)


class Ballot(Model):
    """A paper in the box: dots by option id. The id is random; no person, no time, no order in which papers came.

    With each new paper all of the vote are laid down anew (`operations.cast`), so that no row is as old as a voter's.
    """

    __table_args__ = {"sqlite_with_rowid": False}  # noqa: RUF012 - a hidden row number would count the papers

    id: Mapped[str] = mapped_column(primary_key=True)
    vote_id: Mapped[int] = mapped_column(ForeignKey("vote.id"), index=True)
    choices: Mapped[dict[str, int]] = mapped_column(JSON)
