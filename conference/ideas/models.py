"""Capture points, ideas, clusters."""

from datetime import datetime

from sqlalchemy import ForeignKey, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from ..groups.models import Round
from ..kit.db import Model


class CapturePoint(Model):
    """Where ideas come in: a table (for all rounds) or the plenary (`table` empty). The code is on the door sheet."""

    __table_args__ = (UniqueConstraint("conference_id", "table"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    conference_id: Mapped[int] = mapped_column(ForeignKey("conference.id"))
    table: Mapped[str]
    code: Mapped[str] = mapped_column(unique=True)


class Collection(Model):
    """Whether ideas are taken: opened by an organiser, closed by one. `closed_at` empty means open."""

    id: Mapped[int] = mapped_column(primary_key=True)
    conference_id: Mapped[int] = mapped_column(ForeignKey("conference.id"), unique=True)
    opened_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(default=1)


class Cluster(Model):
    """A bundle of ideas with number and heading."""

    __table_args__ = (UniqueConstraint("conference_id", "number"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    conference_id: Mapped[int] = mapped_column(ForeignKey("conference.id"))
    number: Mapped[int]
    heading: Mapped[str]
    version: Mapped[int] = mapped_column(default=1)


class Idea(Model):
    """One thought, as it was typed. `submission` is made by the sender: the same one twice is the same idea."""

    __table_args__ = (
        UniqueConstraint("conference_id", "number"),
        UniqueConstraint("conference_id", "submission"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    conference_id: Mapped[int] = mapped_column(ForeignKey("conference.id"))
    number: Mapped[int]
    text: Mapped[str] = mapped_column(Text)
    typed: Mapped[str] = mapped_column(Text)
    submission: Mapped[str]
    round_id: Mapped[int | None] = mapped_column(ForeignKey("round.id"))
    table: Mapped[str] = mapped_column(default="")
    cluster_id: Mapped[int | None] = mapped_column(ForeignKey("cluster.id"), index=True)
    created_at: Mapped[datetime]
    hidden_at: Mapped[datetime | None]
    edited_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(default=1)

    round: Mapped[Round | None] = relationship()
    cluster: Mapped[Cluster | None] = relationship()
