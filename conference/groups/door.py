"""What the people at the door see of the groups: the tables of the rounds to come, and what does not fit any more."""

from dataclasses import dataclass
from datetime import datetime

from ..conferences.models import Conference
from . import queries
from .repairing import Now, line_of, now_of, proposal_of


@dataclass(frozen=True)
class Table:
    """One person's table in one round to come: as published, as it stands, as a repair proposes it."""

    round: int
    starts_at: datetime
    published: str | None
    planned: str | None
    proposed: str | None


@dataclass(frozen=True)
class Door:
    """For a list of people: each one's tables, and the line about all of them (None: everything fits)."""

    tables: dict[int, list[Table]]
    line: str | None


def door_of(conference: Conference, at: datetime) -> Door | None:
    """The notes for the door; None when no round with groups is still to come."""
    plans = queries.plan_of(conference)
    if not plans:
        return None
    now = now_of(conference, at, plans)
    if not now.situation.coming:
        return None
    row = queries.newest_repair(conference)
    proposal = proposal_of(row, now)
    rounds = row.result["rounds"] if proposal is not None and row is not None and row.result else []
    proposed = {
        (number, int(person)): table
        for number, tables in enumerate(rounds, 1)
        for table, people in tables.items()
        for person in people
    }
    line = line_of(row, now) if now.situation.needs_repair else None
    return Door(_tables(conference, now, proposed), line)


def _tables(conference: Conference, now: Now, proposed: dict[tuple[int, int], str]) -> dict[int, list[Table]]:
    release = queries.latest_release(conference)
    published = {
        (entry["item"], contact_id): entry["group"]
        for entry in (release.plan if release else [])
        for contact_id in entry["contact_ids"]
    }
    tables: dict[int, list[Table]] = {}
    for plan in now.coming:
        planned = {seat.contact_id: group.group.name for group in plan.groups for seat in group.seats}
        item = plan.round.agenda_item
        assert item is not None, "only rounds with an item are to come"
        for person in now.people:
            table = Table(
                plan.round.number,
                item.starts_at,
                published.get((item.id, person.id)),
                planned.get(person.id),
                proposed.get((plan.round.number, person.id)),
            )
            tables.setdefault(person.id, []).append(table)
    return tables
