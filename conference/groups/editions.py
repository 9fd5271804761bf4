"""The plan as it is shown and printed: which version it is, its rounds and tables, and people with name and organisation only."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from ..conferences.models import Conference
from ..kit.db import db, portions
from ..providers.models import Contact
from ..registrations.queries import participants
from . import queries
from .method_queries import rules_of
from .models import GroupsRelease
from .tasks import absences


@dataclass(frozen=True)
class Person:
    """Who sits at a table: what may be read by anybody in the room. `listed` begins with the last name, for lists by name."""

    id: int
    name: str
    listed: str
    organisation: str
    sort_key: tuple[str, str]


@dataclass(frozen=True)
class Table:
    """A group of one round; `hosts` are those of its people who stay at it through all rounds."""

    name: str
    topic: str
    room: str
    focus_question: str
    people: Sequence[Person]
    hosts: Sequence[str] = ()


@dataclass(frozen=True)
class RoundOfTables:
    """A round with its tables; `unseated` are those who take part and have no table."""

    number: int
    starts_at: datetime | None
    ends_at: datetime | None
    tables: Sequence[Table]
    unseated: Sequence[Person] = ()


@dataclass(frozen=True)
class Edition:
    """A plan with its name: the published version it is, or (a draft) the one it follows and the moment of the last change."""

    rounds: Sequence[RoundOfTables]
    number: int
    at: datetime | None
    is_draft: bool

    @property
    def people(self) -> list[Person]:
        """Everybody in any round, in German order."""
        known = {p.id: p for r in self.rounds for t in r.tables for p in t.people}
        known |= {p.id: p for r in self.rounds for p in r.unseated}
        return sorted(known.values(), key=lambda person: (person.sort_key, person.id))

    def only(self, covers: Callable[[int, str], bool]) -> "Edition":
        """The same with only the tables (by number of the round and name) that may be seen, and nobody who sits elsewhere."""
        rounds = [
            replace(
                one, tables=[table for table in one.tables if covers(one.number, table.name)], unseated=()
            )
            for one in self.rounds
        ]
        return replace(self, rounds=[one for one in rounds if one.tables])

    def places_of(self) -> dict[int, dict[int, Table]]:
        """For each person the table by number of the round."""
        places: dict[int, dict[int, Table]] = {}
        for one in self.rounds:
            for table in one.tables:
                for person in table.people:
                    places.setdefault(person.id, {})[one.number] = table
        return places


def edition_of(conference: Conference, *, draft: bool = False) -> Edition:
    """The published plan; with `draft`, before any publication, or where people choose themselves, the one that stands now."""
    if queries.is_live(conference):
        return _live(conference)
    release = queries.latest_release(conference)
    if release is not None and not draft:
        return _edition(conference, release.plan, release, is_draft=False)
    plan = queries.plan_as_published(conference)
    is_draft = release is None or release.plan != plan
    return _edition(conference, plan, release, is_draft=is_draft)


def published_edition(conference: Conference) -> Edition | None:
    """The published plan for the room; None before any publication. Where people choose themselves, what stands is public."""
    if queries.is_live(conference):
        return _live(conference)
    release = queries.latest_release(conference)
    return _edition(conference, release.plan, release, is_draft=False) if release else None


def _live(conference: Conference) -> Edition:
    return _edition(conference, queries.plan_as_published(conference), None, is_draft=False)


def _edition(
    conference: Conference, plan: list[dict[str, Any]], release: GroupsRelease | None, *, is_draft: bool
) -> Edition:
    contacts = _contacts(entry["contact_ids"] for entry in plan)
    plan = _without(plan, {contact.id for contact in contacts if contact.is_restricted})
    known = {contact.id: _person(contact) for contact in contacts}
    everybody = [_person(contact) for contact in participants(conference)]
    numbers = sorted({entry["round"] for entry in plan})
    away = absences(rules_of(conference), max(numbers, default=0))
    rounds = [_round([e for e in plan if e["round"] == n], known, everybody, away) for n in numbers]
    at = _last_change(conference) if is_draft else release.released_at if release else None
    return Edition(rounds, release.number if release else 0, at, is_draft)


def _without(plan: list[dict[str, Any]], hidden: set[int]) -> list[dict[str, Any]]:
    """A published version is frozen; who asked since that nothing is done with their data is printed no more."""
    shown = []
    for entry in plan:
        people = [
            pair for pair in zip(entry["contact_ids"], entry["people"], strict=True) if pair[0] not in hidden
        ]
        shown.append(
            entry | {"contact_ids": [one for one, _name in people], "people": [name for _one, name in people]}
        )
    return shown


def _round(
    entries: list[dict[str, Any]],
    known: dict[int, Person],
    everybody: Sequence[Person],
    away: dict[int, set[int]],
) -> RoundOfTables:
    seated = {contact_id for entry in entries for contact_id in entry["contact_ids"]}
    first = entries[0]
    starts_at, ends_at = (
        datetime.fromisoformat(first[key]) if first[key] else None for key in ("starts_at", "ends_at")
    )
    tables = [_table(entry, known) for entry in sorted(entries, key=lambda e: (len(e["group"]), e["group"]))]
    number = first["round"]
    unseated = [
        person for person in everybody if person.id not in seated and number not in away.get(person.id, ())
    ]
    return RoundOfTables(number, starts_at, ends_at, tables, unseated)


def _table(entry: dict[str, Any], known: dict[int, Person]) -> Table:
    # A name that is frozen in the version stands in where the person has been deleted since.
    people = [
        known.get(contact_id) or Person(contact_id, text, text, "", (text, ""))
        for contact_id, text in zip(entry["contact_ids"], entry["people"], strict=True)
    ]
    people.sort(key=lambda person: (person.sort_key, person.id))
    return Table(
        entry["group"],
        entry["topic"],
        entry["room"],
        entry["focus_question"],
        people,
        tuple(person.name for person in people if str(person.id) in entry.get("hosts", {})),
    )


def _contacts(groups: Iterable[Iterable[int]]) -> list[Contact]:
    ids = sorted({contact_id for group in groups for contact_id in group})
    query = select(Contact).options(joinedload(Contact.provider))
    return [one for some in portions(ids) for one in db.session.scalars(query.where(Contact.id.in_(some)))]


def _person(contact: Contact) -> Person:
    first = " ".join(part for part in (contact.title, contact.first_name) if part)
    listed = f"{contact.last_name}, {first}" if first else contact.last_name
    return Person(contact.id, contact.name, listed, contact.provider.name, contact.sort_key)


def _last_change(conference: Conference) -> datetime | None:
    """When the draft was changed last: the same draft always carries the same time."""
    change, formed = queries.last_change(conference), queries.latest_forming(conference)
    moments = [change.changed_at if change else None, formed.ended_at if formed else None]
    return max((moment for moment in moments if moment), default=None)
