"""Which table has handed in what, and which one nothing yet."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Select, and_, case, exists, func, select
from sqlalchemy.orm import contains_eager, joinedload

from ..agenda.models import AgendaItem, ItemKind
from ..conferences.models import Conference
from ..groups.models import Group, Round
from ..groups.queries import is_held, published_for, rounds_of
from ..kit.db import db
from ..people.queries import Reach
from .models import GroupSheet, SheetClosure, SheetIdea, SheetState


@dataclass(frozen=True)
class Table:
    """A table of a round: its group (None once it was dissolved) and the newest state of its sheet, if there is one."""

    round: Round
    name: str
    group: Group | None
    state: SheetState | None

    @property
    def is_handed_in(self) -> bool:
        """True when the group has finished its sheet."""
        return self.state is not None and self.state.handed_in

    @property
    def topic(self) -> str:
        """What the group worked on, if it was given a topic."""
        return self.group.topic.title if self.group is not None and self.group.topic is not None else ""

    @property
    def room(self) -> str:
        """Where it sat."""
        return self.group.room.name if self.group is not None and self.group.room is not None else ""


@dataclass(frozen=True)
class RoundTables:
    """A round with all its tables, by name."""

    round: Round
    tables: Sequence[Table]

    @property
    def handed_in(self) -> int:
        """How many have handed in."""
        return sum(table.is_handed_in for table in self.tables)

    @property
    def missing(self) -> list[Table]:
        """Those that have not."""
        return [table for table in self.tables if not table.is_handed_in]


def _newest() -> Select[SheetState]:
    return (
        select(SheetState)
        .join(
            GroupSheet,
            and_(GroupSheet.id == SheetState.sheet_id, GroupSheet.version == SheetState.number),
        )
        .options(
            contains_eager(SheetState.sheet), joinedload(SheetState.account), joinedload(SheetState.contact)
        )
    )


def states_of(conference: Conference) -> dict[tuple[int, str], SheetState]:
    """The newest state of every sheet by round and table, in one query."""
    query = _newest().where(GroupSheet.conference_id == conference.id)
    return {(state.sheet.round_id, state.sheet.table): state for state in db.session.scalars(query)}


def handed_in(conference: Conference) -> dict[tuple[int, str], SheetState]:
    """The finished sheets by round and table: what the minutes and the plenary may see."""
    return {place: state for place, state in states_of(conference).items() if state.handed_in}


def tables_of(conference: Conference) -> list[RoundTables]:
    """Every table of every round of the agenda, also those without a sheet, in a constant number of queries.

    Of a round that the agenda no longer has only the sheets that were written are left.
    """
    rounds, states = rounds_of(conference), states_of(conference)
    held = [round_.id for round_ in rounds if is_held(round_.agenda_item)]
    query = (
        select(Group).options(joinedload(Group.room), joinedload(Group.topic)).where(Group.round_id.in_(held))
    )
    groups = {(group.round_id, group.name): group for group in db.session.scalars(query)}
    names: dict[int, set[str]] = defaultdict(set)
    for round_id, name in [*groups, *states]:
        names[round_id].add(name)
    return [
        RoundTables(
            round_,
            [
                Table(round_, name, groups.get((round_.id, name)), states.get((round_.id, name)))
                for name in sorted(names[round_.id])
            ],
        )
        for round_ in rounds
        if names[round_.id]
    ]


@dataclass(frozen=True)
class SheetCounts:
    """How many groups there are, over all rounds, and how many of them have handed in."""

    groups: int
    handed_in: int

    @property
    def missing(self) -> int:
        """How many have not."""
        return self.groups - self.handed_in


def counts_of(conference: Conference) -> SheetCounts:
    """The numbers, without the sheets: one query."""
    done = and_(
        GroupSheet.round_id == Group.round_id,
        GroupSheet.table == Group.name,
        SheetState.sheet_id == GroupSheet.id,
        SheetState.number == GroupSheet.version,
        SheetState.handed_in,
    )
    query = (
        select(func.count(), func.coalesce(func.sum(case((exists().where(done), 1), else_=0)), 0))
        .select_from(Group)
        .join(Round, Round.id == Group.round_id)
        .join(AgendaItem, AgendaItem.id == Round.agenda_item_id)
        .where(Round.conference_id == conference.id, AgendaItem.kind == ItemKind.BREAKOUT)
    )
    return SheetCounts(*db.session.execute(query).one())


def within(rounds: Sequence[RoundTables], reach: Reach) -> list[RoundTables]:
    """Of these tables those that somebody reaches; rounds without one are left out."""
    own = [
        replace(one, tables=[table for table in one.tables if reach.covers(one.round.number, table.name)])
        for one in rounds
    ]
    return [one for one in own if one.tables]


def table_of(conference: Conference, round_id: int, name: str) -> Table | None:
    """One table of one round, if it has a group there, or had one and a sheet."""
    round_ = db.session.scalar(
        select(Round)
        .options(joinedload(Round.agenda_item))
        .where(Round.conference_id == conference.id, Round.id == round_id)
    )
    if round_ is None:
        return None
    group = db.session.scalar(
        select(Group)
        .options(joinedload(Group.room), joinedload(Group.topic))
        .where(Group.round_id == round_id, Group.name == name)
    )
    state = state_at(round_id, name)
    return Table(round_, name, group, state) if group is not None or state is not None else None


def state_at(round_id: int, name: str) -> SheetState | None:
    """The newest state of a table's sheet."""
    return db.session.scalar(_newest().where(GroupSheet.round_id == round_id, GroupSheet.table == name))


def own_tables(conference: Conference, contact_id: int) -> list[Table]:
    """The tables at which a participant sits by the published groups, in order of the rounds."""
    own = {(entry["round"], entry["group"]) for entry in published_for(conference, contact_id)}
    return [
        table
        for one in (tables_of(conference) if own else [])
        for table in one.tables
        if (one.round.number, table.name) in own
    ]


def sheet_of(conference: Conference, sheet_id: int) -> GroupSheet | None:
    return db.session.scalar(
        select(GroupSheet)
        .options(joinedload(GroupSheet.round))
        .where(GroupSheet.conference_id == conference.id, GroupSheet.id == sheet_id)
    )


def newest_state(sheet: GroupSheet) -> SheetState | None:
    """What a sheet says now."""
    return db.session.scalar(_newest().where(GroupSheet.id == sheet.id))


def state_by_submission(sheet: GroupSheet, submission: str) -> SheetState | None:
    """The state that this submission has already become."""
    return db.session.scalar(
        select(SheetState).where(SheetState.sheet_id == sheet.id, SheetState.submission == submission)
    )


def history_of(sheet: GroupSheet) -> list[SheetState]:
    """All saved states with who saved them, newest first."""
    query = (
        select(SheetState)
        .options(joinedload(SheetState.account), joinedload(SheetState.contact))
        .where(SheetState.sheet_id == sheet.id)
        .order_by(SheetState.number.desc())
    )
    return list(db.session.scalars(query))


def ideas_from(conference: Conference) -> dict[tuple[int, str], SheetIdea]:
    """Which result of which sheet has become an idea, by sheet and words."""
    query = (
        select(SheetIdea)
        .join(GroupSheet, GroupSheet.id == SheetIdea.sheet_id)
        .options(joinedload(SheetIdea.idea))
        .where(GroupSheet.conference_id == conference.id)
    )
    return {(link.sheet_id, link.result): link for link in db.session.scalars(query)}


def idea_from(sheet: GroupSheet, result: str) -> SheetIdea | None:
    """The idea that a result has become, looked up by its words."""
    query = select(SheetIdea).options(joinedload(SheetIdea.idea)).where(SheetIdea.sheet_id == sheet.id)
    return next((link for link in db.session.scalars(query) if link.result == result), None)


def closure_of(conference: Conference) -> SheetClosure | None:
    """Set while the tables can write no more."""
    return db.session.scalar(select(SheetClosure).where(SheetClosure.conference_id == conference.id))
