"""What came."""

from sqlalchemy import select

from ..kit.db import db
from .models import InboundMail

NEWEST = 100


def newest() -> list[InboundMail]:
    """What came last, newest first."""
    return list(db.session.scalars(select(InboundMail).order_by(InboundMail.id.desc()).limit(NEWEST)))


def is_known(digest: str) -> bool:
    """Whether this mail was read before."""
    return db.session.scalar(select(InboundMail.id).where(InboundMail.digest == digest)) is not None
