"""Sends forms with bad input and notes what the database did."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote_from_bytes

from flask import Flask
from sqlalchemy import event
from werkzeug.test import TestResponse

from conference.kit.db import db

from .crawl import Form

WRITES = ("INSERT", "UPDATE", "DELETE")
Pairs = list[tuple[str, bytes]]


@dataclass
class Record:
    """What one request wrote: committed statements with their values. Nothing of it stays."""

    pending: list[Any] = field(default_factory=list)
    committed: list[Any] = field(default_factory=list)


@contextlib.contextmanager
def nothing_stays(app: Flask) -> Iterator[Record]:
    """Every commit is noted and then rolled back, so that each request meets the same database."""
    record = Record()

    def before(_connection: Any, _cursor: Any, statement: str, values: Any, *_rest: Any) -> None:
        if statement.lstrip().upper().startswith(WRITES):
            record.pending.append((statement, values))

    def forget(_connection: Any) -> None:
        record.pending.clear()

    def commit() -> None:
        db.session.flush()
        record.committed += record.pending
        db.session.rollback()

    with app.app_context():
        engine = db.engine
        kept = db.session.commit
    event.listen(engine, "before_cursor_execute", before)
    event.listen(engine, "rollback", forget)
    db.session.commit = commit  # type: ignore[method-assign]
    try:
        yield record
    finally:
        db.session.commit = kept  # type: ignore[method-assign]
        event.remove(engine, "before_cursor_execute", before)
        event.remove(engine, "rollback", forget)


def encoded(pairs: Pairs) -> bytes:
    """The pairs as a browser writes them, whatever the bytes are."""
    return b"&".join(
        quote_from_bytes(name.encode()).encode() + b"=" + quote_from_bytes(value).encode()
        for name, value in pairs
    )


def in_parts(pairs: Pairs) -> bytes:
    """The pairs as multipart/form-data."""
    parts = [
        b'--b\r\nContent-Disposition: form-data; name="' + name.encode() + b'"\r\n\r\n' + value + b"\r\n"
        for name, value in pairs
    ]
    return b"".join(parts) + b"--b--\r\n"


def send(form: Form, pairs: Pairs, *, multipart: bool = False) -> TestResponse:
    """Send a form as its visitor, who is afterwards signed in as before."""
    if form.method == "GET":
        return form.client.get(form.action, query_string=encoded(pairs).decode())
    body, kind = (encoded(pairs), "application/x-www-form-urlencoded")
    if multipart:
        body, kind = in_parts(pairs), "multipart/form-data; boundary=b"
    return post(form, body, kind)


def post(form: Form, body: bytes, content_type: str) -> TestResponse:
    """Send any bytes to where a form goes."""
    answer = form.client.post(form.action, data=body, content_type=content_type)
    if "Set-Cookie" in answer.headers:
        with form.client.session_transaction() as session:
            session.clear()
            session.update(form.session)
    return answer


WORDS = {"email": "neu@traeger.example", "date": "2023-06-07", "time": "10:00", "number": "2"}
BY_NAME = {
    "organiser_email": "neu@traeger.example", "email": "neu@traeger.example", "slug": "neu-2023", "answer_by": "2023-06-05",
    "begin": "09:00", "end": "15:00", "subject": "ideas",
}  # fmt: skip


def filled(form: Form) -> Pairs:
    """What a person might send: what is there stays, empty fields get a fitting word, of choices the last."""
    pairs: Pairs = []
    for control in form.fields:
        values = [value for value in control.values if value != ""]
        if not values and control.kind in ("select", "radio", "checkbox") and any(control.offered):
            values = [[value for value in control.offered if value][-1]]
        if not values and control.is_typed:
            values = [BY_NAME.get(control.name, WORDS.get(control.kind, "Neues Wort"))]
        pairs += [(control.name, value.encode()) for value in values or control.values]
    return pairs


def spoilt(pairs: Pairs, name: str, value: bytes) -> Pairs:
    """The same with one field spoilt, at its place."""
    out = [(key, value if key == name else kept) for key, kept in pairs]
    return out if any(key == name for key, _ in pairs) else [*out, (name, value)]
