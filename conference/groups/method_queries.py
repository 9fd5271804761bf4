"""How a conference forms its groups: its method, its goals in their order, its rules; what lies on its marketplace."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import joinedload, selectinload

from ..conferences.models import Conference
from ..kit.db import db
from ..providers.models import Contact
from .models import Aim, Concern, Group, GroupsRule, GroupsSetting, Method, Round, RuleKind, RulePerson

AIMS: dict[Method, tuple[Aim, ...]] = {
    Method.WORKING_GROUPS: (Aim.COLLEAGUES, Aim.REPEATS, Aim.BALANCE, Aim.WISHES),
    Method.WORLD_CAFE: (Aim.REPEATS, Aim.COLLEAGUES, Aim.BALANCE),
    Method.OPEN_SPACE: (),
    Method.CHANCE: (),
    Method.WISHES: (Aim.WISHES, Aim.COLLEAGUES, Aim.REPEATS, Aim.BALANCE),
}
"""The goals of each method, the most important first."""
AT_A_TABLE = {Method.WORLD_CAFE: (4, 5, 6)}
"""Least, usual and most people at a table; others take seven or so."""
MOST_TABLES = 200
LETTERS = 26


@dataclass(frozen=True)
class Setting:
    """How the groups of a conference are formed; `has_own_order`: the goals are not those that the method brings."""

    method: Method
    tables: int | None
    aims: tuple[Aim, ...]
    spread: bool
    version: int
    has_own_order: bool

    @property
    def is_live(self) -> bool:
        """True where participants choose their groups themselves, so that nothing is formed or published."""
        return self.method is Method.OPEN_SPACE


def setting_of(conference: Conference) -> Setting:
    """The setting with what the method brings where nobody has said anything else."""
    row = setting_row(conference) or GroupsSetting(method=Method.WORKING_GROUPS, version=0)
    usual = AIMS[row.method]
    aims = usual if row.aims is None else tuple(Aim(name) for name in row.aims)
    spread = row.method is not Method.CHANCE if row.spread is None else row.spread
    return Setting(row.method, row.tables, aims, spread, row.version, aims != usual)


def setting_row(conference: Conference) -> GroupsSetting | None:
    """What was stored of it."""
    return db.session.scalar(select(GroupsSetting).where(GroupsSetting.conference_id == conference.id))


def table_names(count: int) -> list[str]:
    """A, B, C …; beyond the alphabet numbers of equal length, so that they stand in their order everywhere."""
    if count <= LETTERS:
        return [chr(ord("A") + number) for number in range(count)]
    return [f"{number:0{len(str(count))}d}" for number in range(1, count + 1)]


def tables_for(method: Method, people: int, topics: int) -> int:
    """So many tables suit a method: a topic each for wishes, four to six people in a World Café, else about seven."""
    if method is Method.WISHES and topics:
        return max(1, min(topics, people, MOST_TABLES))
    usual = AT_A_TABLE.get(method, (0, 7, 0))[1]
    return max(1, min(round(people / usual), MOST_TABLES))


def rules_of(conference: Conference) -> list[GroupsRule]:
    """The organisers' rules with their people, in the order in which they were added."""
    query = (
        select(GroupsRule)
        .options(selectinload(GroupsRule.people).joinedload(RulePerson.contact).joinedload(Contact.provider))
        .where(GroupsRule.conference_id == conference.id)
        .order_by(GroupsRule.id)
    )
    return list(db.session.scalars(query))


def rule_of(conference: Conference, rule_id: int) -> GroupsRule | None:
    """One rule of this conference."""
    query = select(GroupsRule).where(GroupsRule.conference_id == conference.id, GroupsRule.id == rule_id)
    return db.session.scalar(query)


def hosts_of(conference: Conference, rules: Sequence[GroupsRule] | None = None) -> dict[int, str]:
    """Contact id → the table that this person hosts. Give the rules where they are at hand."""
    return {
        person.contact_id: rule.table
        for rule in (rules_of(conference) if rules is None else rules)
        if rule.kind is RuleKind.HOST
        for person in rule.people
    }


def without_host(tables: Iterable[str], hosts: Mapping[int, str], people: Iterable[Contact]) -> list[str]:
    """Those of the tables that nobody of these people hosts."""
    present = {person.id for person in people}
    hosted = {table for contact_id, table in hosts.items() if contact_id in present}
    return [table for table in tables if table not in hosted]


def marks_of(conference: Conference) -> list[tuple[object, ...]]:
    """What must not change while groups are being formed: the setting, and which rules there are."""
    rules = select(GroupsRule.id).where(GroupsRule.conference_id == conference.id).order_by(GroupsRule.id)
    row = setting_row(conference)
    facts = (row.method.value, row.aims, row.spread) if row else (Method.WORKING_GROUPS.value, None, None)
    return [facts, *((rule_id,) for rule_id in db.session.scalars(rules))]


# -- Open Space -----------------------------------------------------------


def concerns_of(conference: Conference) -> list[Concern]:
    """Everything that was proposed, with who did it, in the order in which it came."""
    query = (
        select(Concern)
        .options(joinedload(Concern.contact).joinedload(Contact.provider), joinedload(Concern.merged_into))
        .where(Concern.conference_id == conference.id)
        .order_by(Concern.id)
    )
    return list(db.session.scalars(query))


def concern_of(conference: Conference, concern_id: int) -> Concern | None:
    """One concern of this conference."""
    return db.session.scalar(
        select(Concern).where(Concern.conference_id == conference.id, Concern.id == concern_id)
    )


def placed_ids(conference: Conference) -> set[int]:
    """The concerns that have a group in some round."""
    query = select(Group.concern_id).join(Round, Round.id == Group.round_id)
    placed = query.where(Round.conference_id == conference.id, Group.concern_id.is_not(None))
    return {concern_id for concern_id in db.session.scalars(placed) if concern_id is not None}


def merged_titles(concerns: Iterable[Concern]) -> dict[int, list[str]]:
    """For each concern the titles of those that were merged into it."""
    titles: dict[int, list[str]] = {}
    for concern in concerns:
        if concern.merged_into_id is not None:
            titles.setdefault(concern.merged_into_id, []).append(concern.title)
    return titles


def free_name(taken: Sequence[str]) -> str:
    """The first name that no group of the round has."""
    for count in (LETTERS, MOST_TABLES):
        for name in table_names(count):
            if name not in taken:
                return name
    return f"{len(taken) + 1}"
