"""The record: who changed what and when, as rows that are only ever added, each sealed onto the one before.

Rooms do nothing for it. Session events see what is written; as the transaction commits, the rows of the record are written
in it, under a lock, so that numbers have no gaps and the chain never forks. What of a table is recorded says a list that
`init` is given: numbers, dates and choices as they are; texts beside the chain, which seals only a salted digest of them, so
that they can be deleted and the chain stays whole; of personal data and secrets only that they changed. People are
references (ids), never names.
"""

import hashlib
import hmac
import json
import secrets
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

import click
from flask import Flask, current_app, has_app_context, has_request_context, request
from sqlalchemy import (
    JSON,
    Enum,
    Index,
    LargeBinary,
    String,
    Table,
    Text,
    delete,
    event,
    insert,
    inspect,
    select,
    text,
)
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Mapped, ORMExecuteState, Session, SessionTransaction, attributes, mapped_column
from sqlalchemy.orm.base import PassiveFlag

from . import access, clock
from .db import Model, db, portions
from .frozen import freeze

JOURNAL, MARKS = "audit_journal", "audit_marks"
MANY = 20
"""So many new things of one kind in one transaction are one row with their number and ids."""
LOCK = 20161004
START = "0" * 64
ALWAYS_LEFT_OUT = frozenset({"id", "version", "updated_at", "created_at", "conference_id"})


class AuditEntry(Model):
    """One change, sealed: `digest` is keyed and covers everything here and the digest of the row before.

    `actor` is account, contact (a personal link), guest (a participant who is not known, or must not be) or system.
    `kind` is the table, `changes` canonical JSON. `parent_*` is what it is a part of, `contact_id` whom it is about.
    """

    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[datetime] = mapped_column(index=True)
    actor: Mapped[str]
    actor_id: Mapped[int | None]
    via: Mapped[str]
    verb: Mapped[str]
    kind: Mapped[str]
    object_id: Mapped[str | None]
    parent_kind: Mapped[str | None]
    parent_id: Mapped[str | None]
    conference_id: Mapped[int | None] = mapped_column(index=True)
    contact_id: Mapped[int | None] = mapped_column(index=True)
    changes: Mapped[str] = mapped_column(Text)
    key: Mapped[str]
    digest: Mapped[str]

    __table_args__ = (
        Index("ix_audit_entry_object", "kind", "object_id"),
        Index("ix_audit_entry_parent", "parent_kind", "parent_id"),
    )


class AuditText(Model):
    """A text before and after a change. It may be deleted (then the record says only that it changed), never altered."""

    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(index=True)
    column: Mapped[str]
    salt: Mapped[str]
    before: Mapped[str | None] = mapped_column(Text)
    after: Mapped[str | None] = mapped_column(Text)


if isinstance(AuditEntry.__table__, Table) and isinstance(AuditText.__table__, Table):
    freeze(AuditEntry.__table__)
    freeze(AuditText.__table__, deletable=True)


@dataclass(frozen=True)
class Recorded:
    """What of a table is recorded. Texts that are named nowhere count as personal.

    `parent`: the column that says what a row is a part of, and the table of that. `anonymous`: the row knows no person,
    so the record must not know one either. `left_out`: what is no news.
    """

    texts: frozenset[str] = frozenset()
    secrets: frozenset[str] = frozenset()
    left_out: frozenset[str] = frozenset()
    parent: tuple[str, str] | None = None
    anonymous: bool = False


@dataclass
class Change:
    """What happened to one row within a transaction. `values`: column → before and after."""

    verb: str
    kind: str
    object_id: str | None
    values: dict[str, tuple[Any, Any]] = field(default_factory=dict)
    parent: tuple[str, str] | None = None
    conference_id: int | None = None
    contact_id: int | None = None
    count: int | None = None
    ids: str = ""


@dataclass(frozen=True)
class Broken:
    """The first row that is not what was written, and why."""

    number: int
    why: str


_as_of: ContextVar[datetime | None] = ContextVar("audit_as_of", default=None)


@contextmanager
def as_of(moment: datetime) -> Iterator[None]:
    """Let what happens inside have happened then: for the demo, which is loaded at one go."""
    token = _as_of.set(moment)
    try:
        yield
    finally:
        _as_of.reset(token)


# -- what happens -------------------------------------------------------


def _rule(table: str) -> Recorded | None:
    found = current_app.extensions.get("audit")
    if found is None:
        return None
    rules, unrecorded = found
    return None if table in unrecorded else rules.get(table, Recorded())


def _after_flush(session: Session, _context: Any) -> None:
    if not has_app_context() or "audit" not in current_app.extensions:
        return
    journal: list[Change] = session.info.setdefault(JOURNAL, [])
    for thing in session.new:
        journal.extend(_noted(thing, "created"))
    for thing in session.dirty:
        journal.extend(change for change in _noted(thing, "changed") if change.values)
    for thing in session.deleted:
        journal.extend(_noted(thing, "deleted"))


def _noted(thing: Any, verb: str) -> Iterator[Change]:
    state = inspect(thing)
    table = state.mapper.local_table.name
    rule = _rule(table)
    if rule is None:
        return
    values = {}
    for name, kind in _columns(table, state.mapper, rule).items():
        before, after = _before_and_after(state, name, verb)
        if before != after and (verb == "changed" or (before or after) not in ("", None)):
            values[name] = _shown(kind, before, after)
    yield Change(verb, table, _identity(state), values, *_places(thing, table, rule))


def _identity(state: Any) -> str:
    key = state.identity or state.mapper.primary_key_from_instance(state.obj())
    return "-".join(str(part) for part in key)


def _before_and_after(state: Any, name: str, verb: str) -> tuple[Any, Any]:
    if verb == "changed":
        history = attributes.get_history(state.obj(), name, PassiveFlag.PASSIVE_NO_INITIALIZE)
        if not history.has_changes():
            return None, None
        return (history.deleted or [None])[0], (history.added or [None])[0]
    value = state.dict.get(name)
    return (None, value) if verb == "created" else (value, None)


def _places(thing: Any, table: str, rule: Recorded) -> tuple[tuple[str, str] | None, int | None, int | None]:
    parent = None
    if rule.parent is not None and getattr(thing, rule.parent[0], None) is not None:
        parent = rule.parent[1], str(getattr(thing, rule.parent[0]))
    conference = thing.id if table == "conference" else getattr(thing, "conference_id", None)
    contact = None
    if not rule.anonymous:
        contact = thing.id if table == "contact" else getattr(thing, "contact_id", None)
    return parent, conference, contact


_seen: dict[str, dict[str, str]] = {}


def _columns(table: str, mapper: Any, rule: Recorded) -> dict[str, str]:
    """Attribute → plain, text, personal or secret."""
    if table not in _seen:
        left_out = ALWAYS_LEFT_OUT | rule.left_out
        columns = {
            attribute.key: _treatment(attribute.key, attribute.columns[0].type, rule)
            for attribute in mapper.column_attrs
        }
        _seen[table] = {name: kind for name, kind in columns.items() if name not in left_out}
    return _seen[table]


def _treatment(name: str, kind: Any, rule: Recorded) -> str:
    if name in rule.secrets:
        return "secret"
    if name in rule.texts:
        return "text"
    hides = isinstance(kind, String | JSON | LargeBinary) and not isinstance(kind, Enum)
    return "personal" if hides else "plain"


def _shown(kind: str, before: Any, after: Any) -> tuple[Any, Any]:
    if kind in ("personal", "secret"):
        return _Hidden(kind), None
    if kind == "text":
        return _Beside(None if before is None else str(before), None if after is None else str(after)), None
    return _plain(before), _plain(after)


@dataclass(frozen=True)
class _Hidden:
    kind: str


@dataclass(frozen=True)
class _Beside:
    before: str | None
    after: str | None


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, timedelta):
        return int(value.total_seconds())
    return getattr(value, "value", value)  # a Choice is what the database holds


def _on_execute(state: ORMExecuteState) -> Any:
    """Statements that touch many rows at once are one row of the record, with their number."""
    if not (state.is_update or state.is_delete) or state.bind_mapper is None:
        return None
    if not has_app_context() or "audit" not in current_app.extensions:
        return None
    result: Any = state.invoke_statement()
    _note_bulk(state, result.rowcount)
    return result


def _note_bulk(state: ORMExecuteState, count: int) -> None:
    mapper: Any = state.bind_mapper
    table = mapper.local_table.name
    rule = _rule(table)
    if rule is None or count < 1:
        return
    verb = "changed" if state.is_update else "deleted"
    statement: Any = state.statement
    names = {column.key for column in statement._values or ()} if state.is_update else set()
    known = _columns(table, mapper, rule)
    values: dict[str, tuple[Any, Any]] = {
        name: (_Hidden("many"), None) for name in sorted(names) if name in known
    }
    if verb == "changed" and not values:
        return
    journal: list[Change] = state.session.info.setdefault(JOURNAL, [])
    journal.append(Change(verb, table, None, values, count=count))


def _began(session: Session, transaction: SessionTransaction) -> None:
    if transaction.nested:
        session.info.setdefault(MARKS, {})[transaction] = len(session.info.get(JOURNAL, ()))


def _rolled_back(session: Session, transaction: SessionTransaction) -> None:
    journal = session.info.get(JOURNAL)
    if journal is not None:
        del journal[session.info.get(MARKS, {}).pop(transaction, 0) if transaction.nested else 0 :]


def _before_commit(session: Session) -> None:
    if session.in_nested_transaction():
        return
    session.flush()
    journal = session.info.pop(JOURNAL, None)
    session.info.pop(MARKS, None)
    if journal:
        _write(session.connection(), list(_summed_up(_merged(journal))))


def _merged(journal: list[Change]) -> list[Change]:
    """One change per row: made and changed is made, made and deleted is nothing."""
    found: dict[tuple[str, str | None, int], Change] = {}
    for place, change in enumerate(journal):
        key = (change.kind, change.object_id, place if change.object_id is None else -1)
        known = found.get(key)
        if known is None:
            found[key] = change
        elif change.verb == "deleted" and known.verb == "created":
            del found[key]
        else:
            found[key] = _joined(known, change)
    return [change for change in found.values() if change.verb != "changed" or change.values or change.count]


def _joined(first: Change, second: Change) -> Change:
    if second.verb == "deleted":
        return second
    for name, (before, after) in second.values.items():
        old = first.values.get(name)
        if old is None or isinstance(before, _Hidden):
            first.values[name] = (before, after)
        elif isinstance(before, _Beside) and isinstance(old[0], _Beside):
            first.values[name] = (_Beside(old[0].before, before.after), None)
        else:
            first.values[name] = (old[0], after)
    return first


def _summed_up(changes: list[Change]) -> Iterator[Change]:
    groups: dict[tuple[str, str], list[Change]] = {}
    for change in changes:
        if change.object_id is not None:
            groups.setdefault((change.verb, change.kind), []).append(change)
    many = {key: group for key, group in groups.items() if len(group) > MANY}
    for change in changes:
        group = many.get((change.verb, change.kind))
        if group is None or change.object_id is None:
            yield change
        elif group[0] is change:
            yield _sum(group)


def _sum(group: list[Change]) -> Change:
    first = group[0]
    conferences = {change.conference_id for change in group}
    parents = {change.parent for change in group}
    names = sorted({name for change in group for name in change.values}) if first.verb == "changed" else []
    return Change(
        first.verb,
        first.kind,
        None,
        {name: (_Hidden("many"), None) for name in names},
        parent=parents.pop() if len(parents) == 1 else None,
        conference_id=conferences.pop() if len(conferences) == 1 else None,
        count=len(group),
        ids=_ranges(int(one) for one in (change.object_id or "" for change in group) if one.isdigit()),
    )


def _ranges(ids: Iterable[int]) -> str:
    """'3-7 9': which ids, in few signs."""
    parts: list[list[int]] = []
    for number in sorted(ids):
        if parts and number == parts[-1][1] + 1:
            parts[-1][1] = number
        else:
            parts.append([number, number])
    return " ".join(str(a) if a == b else f"{a}-{b}" for a, b in parts)


def is_among(number: str, ranges: str) -> bool:
    """Whether an id is one of those that a row of many names."""
    if not number.isdigit():
        return False
    pairs = (part.partition("-") for part in ranges.split())
    return any(int(low) <= int(number) <= int(high or low) for low, _dash, high in pairs)


# -- the chain ----------------------------------------------------------


def _write(connection: Connection, changes: list[Change]) -> None:
    if not changes:
        return
    at = _as_of.get() or clock.now()
    actor, actor_id, via = _actor()
    conference_id = _conference_of(changes)
    if connection.dialect.name == "postgresql":
        # Taken last and held for these few statements only: SQLite's writers are alone anyway.
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
    number, digest = head(connection)
    key = current_app.config["SECRET_KEY"]
    rows, texts = [], []
    for change in changes:
        number += 1
        who = (actor, actor_id)
        rule = _rule(change.kind)
        if rule is not None and rule.anonymous and actor in ("contact", "guest"):
            who = ("guest", None)
        content, beside = _content(key, change, number)
        row = {
            "number": number, "at": at, "actor": who[0], "actor_id": who[1], "via": via, "verb": change.verb,
            "kind": change.kind, "object_id": change.object_id,
            "parent_kind": change.parent[0] if change.parent else None,
            "parent_id": change.parent[1] if change.parent else None,
            "conference_id": change.conference_id or conference_id, "contact_id": change.contact_id,
            "changes": content, "key": key_name(key),
        }  # fmt: skip
        digest = _seal(key, digest, row)
        rows.append(row | {"digest": digest})
        texts += beside
    for some in portions(rows):
        connection.execute(insert(AuditEntry), some)
    for some in portions(texts):
        connection.execute(insert(AuditText), some)


def _content(key: str, change: Change, number: int) -> tuple[str, list[dict[str, Any]]]:
    content: dict[str, Any] = {}
    beside = []
    for name, (before, after) in change.values.items():
        if isinstance(before, _Hidden):
            content[name] = {"hidden": before.kind}
        elif isinstance(before, _Beside):
            salt = secrets.token_hex(16)
            content[name] = {"text": _text_digest(key, salt, before.before, before.after)}
            beside.append(
                {
                    "number": number,
                    "column": name,
                    "salt": salt,
                    "before": before.before,
                    "after": before.after,
                }
            )
        else:
            content[name] = [before, after]
    if change.count is not None:
        content["*"] = {"count": change.count, "ids": change.ids}
    return json.dumps(content, ensure_ascii=False, sort_keys=True), beside


def key_name(key: str) -> str:
    """By which a key is told from others, without telling anything of it."""
    return _hmac(key, b"name")[:16]


def _hmac(key: str, content: bytes) -> str:
    # A key of its own, so that nothing else that is made with the secret key can be taken for a seal.
    own = hmac.new(key.encode(), b"audit chain", hashlib.sha256).digest()
    return hmac.new(own, content, hashlib.sha256).hexdigest()


def _text_digest(key: str, salt: str, before: str | None, after: str | None) -> str:
    return _hmac(key, json.dumps(["text", salt, before, after]).encode())


SEALED = (
    "number", "at", "actor", "actor_id", "via", "verb", "kind", "object_id", "parent_kind", "parent_id", "conference_id",
    "contact_id", "changes", "key",
)  # fmt: skip


def _seal(key: str, before: str, row: Mapping[str, Any]) -> str:
    values = [_plain(row[name]) for name in SEALED]
    return _hmac(key, json.dumps([before, *values]).encode())


def _conference_of(changes: list[Change]) -> int | None:
    """Of which conference the transaction is, for rows that know it only by what they are a part of."""
    found = {change.conference_id for change in changes if change.conference_id is not None}
    return found.pop() if len(found) == 1 else None


def _actor() -> tuple[str, int | None, str]:
    if not has_request_context():
        context = click.get_current_context(silent=True)
        return "system", None, (context.info_name if context else None) or "worker"
    via = request.endpoint or ""
    visitor = access.visitor()
    rule = access.rule_of(via)
    by_link = rule is not None and (rule.kind == "guest" or "token" in (request.view_args or {}))
    if visitor.account is not None and not by_link:
        return "account", visitor.account.id, via
    if visitor.guest is not None:
        return "contact", visitor.guest.contact_id, via
    return "guest", None, via


def verify(connection: Connection, keys: Iterable[str]) -> tuple[int, int, Broken | None]:
    """How many rows hold, how many texts are there, and the first row that does not hold (None: all do)."""
    known = {key_name(key): key for key in keys}
    texts = connection.execute(select(AuditText).order_by(AuditText.number)).mappings()
    beside: dict[int, list[Mapping[Any, Any]]] = {}
    for row in texts:
        beside.setdefault(row["number"], []).append(dict(row))
    before, count, read = START, 0, 0
    rows = connection.execution_options(yield_per=1000).execute(
        select(AuditEntry).order_by(AuditEntry.number)
    )
    for entry in rows.mappings():
        kept = beside.pop(entry["number"], [])
        why = _fault(entry, count + 1, before, known, kept)
        if why:
            return count, read, Broken(min(entry["number"], count + 1), why)
        count, before, read = count + 1, entry["digest"], read + len(kept)
    if beside:
        return count, read, Broken(min(beside), "there is a text for a row that is not there")
    return count, read, None


def _fault(
    entry: Mapping[Any, Any],
    number: int,
    before: str,
    keys: Mapping[str, str],
    texts: list[Mapping[Any, Any]],
) -> str:
    if entry["number"] != number:
        return "this row is missing"
    key = keys.get(entry["key"])
    if key is None:
        return "it was sealed with a secret key that is not known here"
    if not hmac.compare_digest(_seal(key, before, entry), entry["digest"]):
        return "it is not what was written, or the row before it is not"
    content = json.loads(entry["changes"])
    for one in texts:
        sealed = content.get(one["column"], {})
        found = _text_digest(key, one["salt"], one["before"], one["after"])
        if not isinstance(sealed, dict) or not hmac.compare_digest(found, str(sealed.get("text", ""))):
            return f"its text “{one['column']}” is not what was written"
    return ""


def head(connection: Connection) -> tuple[int, str]:
    """Number and digest of the newest row: 0 and zeros when there is none."""
    query = select(AuditEntry.number, AuditEntry.digest).order_by(AuditEntry.number.desc()).limit(1)
    found = connection.execute(query).first()
    return (found.number, found.digest) if found else (0, START)


def forget_texts(connection: Connection, numbers: Iterable[int]) -> int:
    """Delete the texts beside these rows; the chain stays whole. Returns how many."""
    return sum(
        connection.execute(delete(AuditText).where(AuditText.number.in_(some))).rowcount
        for some in portions(numbers)
    )


def init(app: Flask, rules: Mapping[str, Recorded], unrecorded: Iterable[str]) -> None:
    """Record from now on what these rules say."""
    app.extensions["audit"] = (rules, frozenset(unrecorded))


event.listen(db.session, "after_flush", _after_flush)
event.listen(db.session, "do_orm_execute", _on_execute)
event.listen(db.session, "after_transaction_create", _began)
event.listen(db.session, "after_soft_rollback", _rolled_back)
event.listen(db.session, "before_commit", _before_commit)
