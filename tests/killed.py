"""The product with a hook that kills its process, as a loss of power would. Served by gunicorn as `tests.killed:app`.

A file in instance/ says when: `kill-after-commit` once something is stored and nobody has heard of it yet,
`kill-before-letter` when what is done stands in the transaction and its letter does not. It is used up by the one process.
"""

import os
import signal
from pathlib import Path

from sqlalchemy import event

from conference.kit.db import db
from conference.kit.unit import is_writing
from conference.outbox.models import Mail
from wsgi import app


def _die(when: str) -> None:
    try:
        Path(app.instance_path, when).unlink()
    except FileNotFoundError:
        return
    os.kill(os.getpid(), signal.SIGKILL)


@event.listens_for(db.session, "after_commit")
def _after_commit(_session: object) -> None:
    if is_writing():
        _die("kill-after-commit")


@event.listens_for(Mail, "before_insert")
def _before_letter(*_words: object) -> None:
    _die("kill-before-letter")
