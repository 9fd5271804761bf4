"""What was erased stays erased, also when an older backup comes back.

Each erasure is a line that says neither who nor what: kind, time, and a keyed hash of the value by which the person is
known (kind ADDRESS: an address in its comparison form). It stands in the table and in a file beside the database, which
no restore replaces. Rooms tell by `on` how to find and erase what such a hash stands for; `note` adds a line.
"""

import hashlib
import hmac
import json
import os
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import IO

from flask import Flask, current_app
from sqlalchemy import insert, select
from sqlalchemy.engine import Connection

from ..kit import unit
from ..kit.db import db
from .models import Erasure

FILE = "erasures.jsonl"
ADDRESS = "address"
Eraser = Callable[[Connection, Callable[[str], bool], datetime], int]


@dataclass(frozen=True)
class Line:
    """One erasure: kind, keyed hash, the key's name, time."""

    kind: str
    digest: str
    key: str
    at: str


def on(app: Flask, kind: str, eraser: Eraser) -> None:
    """Say how to erase: `eraser(connection, is_erased, at)` erases all whose value `is_erased`, and returns how many.

    It works on a bare connection at the newest schema, because after a restore no session is open. Twice changes nothing.
    """
    app.extensions.setdefault("erasers", {}).setdefault(kind, []).append(eraser)


def _keys() -> list[str]:
    return [current_app.config["SECRET_KEY"], *current_app.config["SECRET_KEY_FALLBACKS"]]


def key_name(key: str | None = None) -> str:
    """By which a key is told from others, without telling anything of it."""
    return _digest(key or _keys()[0], "name", "")[:16]


def _digest(key: str, kind: str, value: str) -> str:
    return hmac.new(key.encode(), f"erasure:{kind}:{value}".encode(), hashlib.sha256).hexdigest()


def note(kind: str, value: str, *, at: datetime) -> None:
    """Remember that what is known by this value was erased; inside the transaction that erases it. Twice is once."""
    line = Line(kind, _digest(_keys()[0], kind, value), key_name(), at.isoformat())
    known = select(Erasure.id).where(Erasure.kind == kind, Erasure.digest == line.digest)
    if db.session.scalar(known) is None:
        db.session.add(Erasure(kind=kind, digest=line.digest, key=line.key, erased_at=at))
        db.session.flush()
    folder = Path(current_app.instance_path)
    unit.after_commit(f"erasure-{line.digest}", lambda: _append(folder, [line]))


def _append(folder: Path, lines: Iterable[Line]) -> None:
    text = "".join(json.dumps(asdict(line)) + "\n" for line in lines)
    descriptor = os.open(folder / FILE, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
    with os.fdopen(descriptor, "a+b") as file:
        if file.seek(0, os.SEEK_END) and _last_byte(file) != b"\n":
            file.write(b"\n")  # a power cut has cut the last line off
        file.write(text.encode())
        file.flush()
        os.fsync(file.fileno())


def _last_byte(file: IO[bytes]) -> bytes:
    file.seek(-1, os.SEEK_END)
    return file.read(1)


def in_file(folder: Path) -> list[Line]:
    """The lines of the file; one that a power cut has cut off is left out, the table has it."""
    try:
        text = (folder / FILE).read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return []
    found = []
    for words in text.splitlines():
        try:
            found.append(Line(**json.loads(words)))
        except (ValueError, TypeError):
            continue
    return found


def in_table(connection: Connection) -> list[Line]:
    """The lines of the table."""
    rows = connection.execute(
        select(Erasure.kind, Erasure.digest, Erasure.key, Erasure.erased_at).order_by(Erasure.id)
    )
    return [Line(kind, digest, key, at.isoformat()) for kind, digest, key, at in rows]


def keep_file(folder: Path, lines: Iterable[Line]) -> int:
    """Add to the file what it lacks; returns how many lines."""
    known = {(line.kind, line.digest) for line in in_file(folder)}
    missing = [line for line in lines if (line.kind, line.digest) not in known]
    if missing:
        _append(folder, missing)
    return len(missing)


def under_lost_keys(lines: Iterable[Line]) -> int:
    """How many lines nobody can read any more, because their key is neither ours nor an old one that we know."""
    names = {key_name(key) for key in _keys()}
    return sum(line.key not in names for line in lines)


def apply(app: Flask, connection: Connection, lines: Iterable[Line], *, at: datetime) -> int:
    """Erase again what these lines say, and bring them into the table. Returns how much was erased."""
    lines = list(lines)
    known = {(line.kind, line.digest) for line in in_table(connection)}
    for line in lines:
        if (line.kind, line.digest) not in known:
            known.add((line.kind, line.digest))
            values = {"kind": line.kind, "digest": line.digest, "key": line.key}
            connection.execute(insert(Erasure).values(**values, erased_at=datetime.fromisoformat(line.at)))
    count = 0
    for kind, erasers in app.extensions.get("erasers", {}).items():
        is_erased = _matcher(kind, lines)
        count += sum(eraser(connection, is_erased, at) for eraser in erasers)
    return count


def _matcher(kind: str, lines: Iterable[Line]) -> Callable[[str], bool]:
    digests = {line.digest for line in lines if line.kind == kind}
    keys = _keys() if digests else []
    return lambda value: any(_digest(key, kind, value) in digests for key in keys)
