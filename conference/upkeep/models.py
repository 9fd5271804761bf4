"""Signs of life, and what was erased."""

from datetime import datetime

from sqlalchemy import Table, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from ..kit.db import Model
from ..kit.frozen import freeze


class Heartbeat(Model):
    """A worker that runs, or ran: when it was last seen. `worker` is host, process and a random part.

    `failed_jobs` is how many of its jobs have failed since it began.
    """

    worker: Mapped[str] = mapped_column(primary_key=True)
    beat_at: Mapped[datetime]
    failed_jobs: Mapped[int] = mapped_column(default=0)


class Erasure(Model):
    """Somebody was erased: kind and keyed hash of the value by which they were known, and which key it was. Never changed."""

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str]
    digest: Mapped[str]
    key: Mapped[str]
    erased_at: Mapped[datetime]

    __table_args__ = (UniqueConstraint("kind", "digest"),)


if isinstance(Erasure.__table__, Table):
    freeze(Erasure.__table__)
