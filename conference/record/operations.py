"""Checking the record, and keeping its head outside of the database, so that rows cut off at the end are missed."""

import hashlib
import hmac
import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from flask import Flask, current_app
from sqlalchemy import select
from sqlalchemy.engine import Connection

from ..kit import audit, unit
from ..kit.audit import AuditEntry, Broken
from ..kit.db import db

HEADS = "audit-heads.jsonl"
EACH = timedelta(days=1)


@dataclass(frozen=True)
class State:
    """How the record is: rows that hold, texts that are kept, and the first row that does not hold."""

    rows: int
    texts: int
    broken: Broken | None


def verify(app: Flask) -> State:
    """Check every row against the one before, every text against its row, and the chain against the heads kept outside."""
    connection = db.session.connection()
    rows, texts, broken = audit.verify(connection, _keys())
    return State(rows, texts, broken or _missed(app))


def _keys() -> list[str]:
    return [current_app.config["SECRET_KEY"], *current_app.config["SECRET_KEY_FALLBACKS"]]


def keep_head(app: Flask, *, at: datetime) -> bool:
    """Once a day, note outside of the database how long the chain is and where it ends. True when something was noted."""
    known = _heads(app)
    if known and datetime.fromisoformat(known[-1]["at"]) > at - EACH:
        return False
    with unit.reading():
        number, digest = audit.head(db.session.connection())
    if number == 0 or (known and known[-1]["number"] == number):
        return False
    _note(app, {"at": at.isoformat(), "number": number, "digest": digest})
    return True


def after_restore(app: Flask, connection: Connection, _is_erased: Callable[[str], bool], at: datetime) -> int:
    """What a restore calls with the database that it brings back; nobody is erased here."""
    note_restored(app, audit.head(connection)[0], at=at)
    return 0


def note_restored(app: Flask, number: int, *, at: datetime) -> None:
    """After a restore the chain is as short as it was in the backup: heads noted before say nothing any more."""
    _note(app, {"at": at.isoformat(), "number": number, "digest": "restored"})


def _note(app: Flask, line: dict[str, Any]) -> None:
    line["mac"] = _mac(current_app.config["SECRET_KEY"], line)
    path = Path(app.instance_path, HEADS)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "a") as file:
        file.write(json.dumps(line) + "\n")


def _mac(key: str, line: dict[str, Any]) -> str:
    content = json.dumps([line["at"], line["number"], line["digest"]])
    return hmac.new(key.encode(), f"audit head:{content}".encode(), hashlib.sha256).hexdigest()


def _heads(app: Flask) -> list[dict[str, Any]]:
    """The lines that we wrote; others, and one that a power cut has cut off, say nothing."""
    try:
        lines = Path(app.instance_path, HEADS).read_text(encoding="utf-8", errors="replace").splitlines()
    except FileNotFoundError:
        return []
    found = []
    for words in lines:
        try:
            line = json.loads(words)
            if any(hmac.compare_digest(_mac(key, line), line["mac"]) for key in _keys()):
                found.append(line)
        except (ValueError, TypeError, KeyError):
            continue
    return found


def _missed(app: Flask) -> Broken | None:
    heads = _heads(app)
    restored = [place for place, line in enumerate(heads) if line["digest"] == "restored"]
    for line in heads[restored[-1] + 1 if restored else 0 :]:
        digest = db.session.scalar(select(AuditEntry.digest).where(AuditEntry.number == line["number"]))
        if digest != line["digest"]:
            return Broken(
                line["number"],
                f"on {line['at'][:10]} the record had this row with another seal, or has lost it",
            )
    return None
