"""Reading the record: the history of one thing, and pages of all of it. Names are looked up now, never stored."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy import ColumnElement, and_, func, or_, select

from ..accounts.models import Account
from ..conferences.models import Conference
from ..kit.audit import AuditEntry, AuditText, is_among
from ..kit.dates import show_datetime
from ..kit.db import db
from ..providers.models import Contact
from . import words

AT_MOST = 100
PORTION = 500
PEOPLE = ("contact_id", "responsible_id")
ACCOUNTS = ("account_id", "granted_by_id", "assigned_by_id", "released_by_id", "closed_by_id")
OF_STAFF = ("people.", "accounts.")
"""Pages that only staff have, signed in or by a link of their own."""
LONGEST = 300


@dataclass(frozen=True)
class Filter:
    """What of the record is asked for; empty is everything."""

    kind: str = ""
    conference_id: int | None = None
    account_id: int | None = None
    since: datetime | None = None
    until: datetime | None = None


def history_of(kind: str, object_id: int | str, **also: int) -> list[dict[str, Any]]:
    """What happened to one thing and its parts, newest first, as entries of a timeline.

    `also`: contact_id and conference_id add everything about that person there.
    """
    key = str(object_id)
    chosen = [
        and_(AuditEntry.kind == kind, AuditEntry.object_id == key),
        and_(AuditEntry.parent_kind == kind, AuditEntry.parent_id == key),
        and_(AuditEntry.kind == kind, AuditEntry.object_id.is_(None)),
    ]
    if also:
        person = AuditEntry.contact_id == also["contact_id"]
        here = or_(AuditEntry.conference_id == also["conference_id"], AuditEntry.conference_id.is_(None))
        chosen.append(and_(person, here))
        chosen.append(and_(AuditEntry.kind == "contact", AuditEntry.object_id.is_(None)))
    found = db.session.scalars(select(AuditEntry).where(or_(*chosen)).order_by(AuditEntry.number.desc()))
    mine = {kind: key} | ({"contact": str(also["contact_id"])} if also else {})
    entries = [entry for entry in found if _is_about(entry, mine)][:AT_MOST]
    return described(entries)


def history_here(conference_id: int | None, *kinds: str) -> list[dict[str, Any]]:
    """What happened to things of these kinds in a conference (None: anywhere), newest first."""
    query = select(AuditEntry).where(AuditEntry.kind.in_(kinds))
    if conference_id is not None:
        query = query.where(AuditEntry.conference_id == conference_id)
    return described(list(db.session.scalars(query.order_by(AuditEntry.number.desc()).limit(AT_MOST))))


def history_of_rounds(round_ids: list[int]) -> list[dict[str, Any]]:
    """What happened to the breakout rounds of a conference: rounds, groups, seats and what was published."""
    if not round_ids:
        return []
    ids = [str(one) for one in round_ids]
    query = select(AuditEntry).where(
        or_(
            and_(AuditEntry.kind == "round", AuditEntry.object_id.in_(ids)),
            and_(AuditEntry.parent_kind == "round", AuditEntry.parent_id.in_(ids)),
        )
    )
    return described(list(db.session.scalars(query.order_by(AuditEntry.number.desc()).limit(AT_MOST))))


def _is_about(entry: AuditEntry, mine: dict[str, str]) -> bool:
    """Whether a row of many is also about one of these."""
    if entry.object_id is not None or entry.kind not in mine:
        return True
    return is_among(mine[entry.kind], json.loads(entry.changes).get("*", {}).get("ids", ""))


def entries_of(wanted: Filter, page: int, size: int) -> tuple[list[dict[str, Any]], int]:
    """One page of the record, newest first, and how many rows there are."""
    conditions = _conditions(wanted)
    total = db.session.scalar(select(func.count(AuditEntry.number)).where(*conditions)) or 0
    query = select(AuditEntry).where(*conditions).order_by(AuditEntry.number.desc())
    rows = list(db.session.scalars(query.limit(size).offset((page - 1) * size)))
    return described(rows), total


def rows_for_a_file(wanted: Filter) -> Iterator[dict[str, Any]]:
    """Every row as it is sealed, oldest first, with the texts that are still kept beside it: plain data, moments in ISO 8601."""
    last = 0
    query = select(AuditEntry).where(*_conditions(wanted)).order_by(AuditEntry.number).limit(PORTION)
    while entries := list(db.session.scalars(query.where(AuditEntry.number > last))):
        texts: dict[int, dict[str, Any]] = {entry.number: {} for entry in entries}
        for (number, column), text in _texts(entries).items():
            texts[number][column] = {"before": text.before, "after": text.after}
        for entry in entries:
            row = {column.name: getattr(entry, column.name) for column in AuditEntry.__table__.columns}
            yield row | {
                "at": entry.at.isoformat(),
                "changes": json.loads(entry.changes),
                "texts": texts[entry.number],
            }
        last = entries[-1].number


def _conditions(wanted: Filter) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if wanted.kind:
        found.append(AuditEntry.kind == wanted.kind)
    if wanted.conference_id:
        found.append(AuditEntry.conference_id == wanted.conference_id)
    if wanted.account_id:
        found += [AuditEntry.actor == "account", AuditEntry.actor_id == wanted.account_id]
    if wanted.since:
        found.append(AuditEntry.at >= wanted.since)
    if wanted.until:
        found.append(AuditEntry.at < wanted.until)
    return found


def described(entries: list[AuditEntry]) -> list[dict[str, Any]]:
    """Rows in words: number, when, iso, title, who, text (a line per detail), about (the account that it happened to)."""
    if not entries:
        return []
    changes = {entry.number: json.loads(entry.changes) for entry in entries}
    accounts, people = _names(entries, changes)
    texts = _texts(entries)
    zones = _zones(entries)
    found = []
    for entry in entries:
        zone = zones.get(entry.conference_id)
        lines = _lines(entry, changes[entry.number], texts, (accounts, people), zone)
        about = _account_of(entry, changes[entry.number])
        found.append(
            {
                "number": entry.number,
                "when": show_datetime(entry.at, zone),
                "iso": entry.at.isoformat(),
                "title": _title(entry, changes[entry.number]),
                "who": _who(entry, accounts, people),
                "about": {"id": about, "name": accounts[about]} if about in accounts else None,
                "lines": lines,
                "text": " · ".join(lines),
            }
        )
    return found


def _zones(entries: list[AuditEntry]) -> dict[int | None, str]:
    ids = {entry.conference_id for entry in entries if entry.conference_id}
    if not ids:
        return {}
    rows = db.session.execute(select(Conference.id, Conference.zone).where(Conference.id.in_(ids)))
    return {row.id: row.zone for row in rows}


def _names(
    entries: list[AuditEntry], changes: dict[int, dict[str, Any]]
) -> tuple[dict[int, str], dict[int, str]]:
    accounts = {entry.actor_id for entry in entries if entry.actor == "account"}
    people = {entry.actor_id for entry in entries if entry.actor == "contact"}
    about = {_account_of(entry, changes[entry.number]) for entry in entries}
    accounts |= about - {None}
    for details in changes.values():
        for name in ACCOUNTS:
            if isinstance(details.get(name), list):
                accounts |= {one for one in details[name] if isinstance(one, int)}
        for name in PEOPLE:
            if isinstance(details.get(name), list):
                people |= {one for one in details[name] if isinstance(one, int)}
    return _called(Account, accounts), _called(Contact, people)


def _called(model: Any, ids: set[Any]) -> dict[int, str]:
    """Names by id; most histories name only one kind of people, and nobody is asked for nobody."""
    if not ids:
        return {}
    return {one.id: one.name for one in db.session.scalars(select(model).where(model.id.in_(ids)))}


def _account_of(entry: AuditEntry, changes: dict[str, Any]) -> int | None:
    """The account of staff that a row is about."""
    if entry.kind == "account" and entry.object_id:
        return int(entry.object_id)
    if entry.parent_kind == "account" and entry.parent_id:
        return int(entry.parent_id)
    if entry.kind == "role_grant" and isinstance(changes.get("account_id"), list):
        return next((one for one in reversed(changes["account_id"]) if isinstance(one, int)), None)
    return None


def _texts(entries: Iterable[AuditEntry]) -> dict[tuple[int, str], AuditText]:
    numbers = [entry.number for entry in entries]
    found = db.session.scalars(select(AuditText).where(AuditText.number.in_(numbers)))
    return {(one.number, one.column): one for one in found}


def _who(entry: AuditEntry, accounts: dict[int, str], people: dict[int, str]) -> str:
    if entry.actor == "system":
        return _("Folgetermin itself")
    if entry.actor == "account":
        return accounts.get(entry.actor_id or 0, _("an account that is gone"))
    if entry.actor == "contact":
        return people.get(entry.actor_id or 0, _("a person whose data were deleted"))
    if entry.via.startswith(OF_STAFF):
        about = int(entry.object_id) if entry.kind == "account" and entry.object_id else 0
        return accounts.get(about, _("staff, not signed in"))
    return _("a participant")


def _title(entry: AuditEntry, changes: dict[str, Any]) -> str:
    kind, verb = words.kind_of(entry.kind), words.VERBS[entry.verb]
    if "*" in changes:
        number = changes["*"]["count"]
        return ngettext(
            "%(kind)s: %(num)d %(verb)s", "%(kind)s: %(num)d %(verb)s", number, kind=kind, verb=verb
        )
    return f"{kind}: {verb}"


def _lines(
    entry: AuditEntry,
    changes: dict[str, Any],
    texts: dict[tuple[int, str], AuditText],
    names: tuple[dict[int, str], dict[int, str]],
    zone: str | None,
) -> list[str]:
    lines = []
    for name, change in changes.items():
        if name == "*":
            continue
        label = words.column_of(name, entry.kind)
        if isinstance(change, list):
            before, after = (_value(entry.kind, name, value, names, zone) for value in change)
        elif "text" in change and (entry.number, name) in texts:
            kept = texts[entry.number, name]
            before, after = _short(kept.before), _short(kept.after)
        else:
            lines.append(_("%(what)s: changed", what=label) if entry.verb == "changed" else label)
            continue
        lines.append(_arrow(entry.verb, label, before, after))
    return lines


def _arrow(verb: str, label: str, before: str, after: str) -> str:
    if verb == "created":
        return f"{label}: {after}"
    return f"{label}: {before}" if verb == "deleted" else f"{label}: {before} → {after}"


def _value(
    kind: str, name: str, value: Any, names: tuple[dict[int, str], dict[int, str]], zone: str | None
) -> str:
    accounts, people = names
    if name in ACCOUNTS and isinstance(value, int):
        return accounts.get(value, _("an account that is gone"))
    if name in PEOPLE and isinstance(value, int):
        return people.get(value, _("a person whose data were deleted"))
    return words.value_of(kind, name, value, zone)


def _short(value: str | None) -> str:
    if not value:
        return "–"
    return value if len(value) <= LONGEST else f"{value[:LONGEST]} …"


def kinds() -> list[str]:
    """Of which tables there are rows."""
    return list(db.session.scalars(select(AuditEntry.kind).distinct().order_by(AuditEntry.kind)))
