"""Signs of life of the workers."""

import os
import secrets
import socket
from datetime import datetime, timedelta

from sqlalchemy import delete

from ..kit import counts, jobs, unit
from ..kit.db import db
from .models import Heartbeat

FORGOTTEN = timedelta(days=1)
_names: dict[int, str] = {}


def _name() -> str:
    """This process; a process that was copied from it has a name of its own."""
    process = os.getpid()
    if process not in _names:
        _names[process] = f"{socket.gethostname()[:40]}-{process}-{secrets.token_hex(4)}"
    return _names[process]


def beat(*, at: datetime) -> None:
    """Say that this worker is alive. Own transaction."""
    failed = counts.number(jobs.FAILED)
    with unit.writing():
        mine = db.session.get(Heartbeat, _name())
        if mine is None:
            db.session.execute(delete(Heartbeat).where(Heartbeat.beat_at < at - FORGOTTEN))
            db.session.add(Heartbeat(worker=_name(), beat_at=at, failed_jobs=failed))
        else:
            mine.beat_at, mine.failed_jobs = at, failed


def bid_farewell() -> None:
    """This worker ends in good order: nobody shall wait for it. Own transaction."""
    with unit.writing():
        db.session.execute(delete(Heartbeat).where(Heartbeat.worker == _name()))
