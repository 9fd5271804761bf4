"""What the organisers say about the groups: the method, the order of the goals, the rules."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from flask_babel import gettext as _
from sqlalchemy import select

from ..accounts.models import Account
from ..conferences.models import Conference
from ..kit.db import db, found, one_locked
from ..kit.errors import Refused, check_version
from ..providers.models import Contact
from ..registrations.queries import participant_ids, participants
from . import method_queries
from .models import Aim, GroupsRule, GroupsSetting, Method, RuleKind, RulePerson

MOST_RULES = 200
AT_LEAST_TWO = (RuleKind.TOGETHER, RuleKind.APART)


def _locked(conference: Conference) -> GroupsSetting:
    """The row of the setting under the conference's lock; made if there is none. A new one has version 0."""
    found(one_locked(select(Conference).where(Conference.id == conference.id)))
    row = method_queries.setting_row(conference)
    if row is None:
        row = GroupsSetting(conference_id=conference.id, method=Method.WORKING_GROUPS, version=0)
        db.session.add(row)
    return row


def _saved(row: GroupsSetting) -> None:
    row.version += 1
    db.session.flush()


def choose_method(
    conference: Conference, method: Method, tables: int | None, version: int | None
) -> GroupsSetting:
    """Choose how groups are formed, and at how many tables. Another method brings its own goals and their order.

    Raises Stale when somebody else has changed the setting meanwhile.
    """
    row = _locked(conference)
    same = (row.method, row.tables) == (method, tables)
    if same and row.version > 0:
        return row
    check_version(version, row.version)
    if row.method is not method:
        row.method, row.aims, row.spread = method, None, None
    row.tables = tables
    _saved(row)
    return row


def remember_tables(conference: Conference, tables: int) -> None:
    """Keep the number of tables with which the groups were formed last."""
    row = _locked(conference)
    if row.tables != tables:
        row.tables = tables
        _saved(row)


def change_aim(conference: Conference, aim: Aim, step: str, version: int | None) -> None:
    """Move a goal "up" or "down", leave it "out" or take it "in" (at the end); "own" brings the method's order back.

    Raises Stale when somebody else has changed the order meanwhile.
    """
    row = _locked(conference)
    check_version(version, row.version)
    aims = list(method_queries.AIMS[row.method] if row.aims is None else map(Aim, row.aims))
    row.aims = None if step == "own" else [one.value for one in _moved(aims, aim, step)]
    _saved(row)


def _moved(aims: list[Aim], aim: Aim, step: str) -> list[Aim]:
    if step == "in" and aim not in aims:
        return [*aims, aim]
    if aim not in aims:
        return aims
    place = aims.index(aim)
    rest = [one for one in aims if one is not aim]
    if step == "out":
        return rest
    place = max(0, place + {"up": -1, "down": 1}.get(step, 0))
    return [*rest[:place], aim, *rest[place:]]


def switch_spread(conference: Conference, on: bool) -> None:
    """Keep the automatic rule for agency people and teams, or do without it."""
    row = _locked(conference)
    if row.spread is not on:
        row.spread = on
        _saved(row)


# -- rules ----------------------------------------------------------------


@dataclass(frozen=True)
class NewRule:
    """A rule as it was said. `table`, `round` and `trait` (attribute, value) only where the kind asks for them."""

    kind: RuleKind
    people: tuple[int, ...] = ()
    table: str = ""
    round: int | None = None
    trait: tuple[str, str] = ("", "")


def add_rule(conference: Conference, new: NewRule, account: Account | None, *, at: datetime) -> GroupsRule:
    """Add a rule. Said twice it is there once. Raises Refused for people who take no part, or named twice.

    Whether rules contradict each other is found out when groups are formed.
    """
    _locked(conference)
    _refuse_people(conference, new)
    rules = method_queries.rules_of(conference)
    for rule in rules:
        if _says(rule) == (new.kind, frozenset(new.people), new.table, new.round, new.trait):
            return rule
    if len(rules) >= MOST_RULES:
        raise Refused(_("There are %(num)d rules already. Please remove some first.", num=MOST_RULES))
    rule = GroupsRule(
        conference_id=conference.id,
        kind=new.kind,
        table=new.table,
        round=new.round,
        attribute=new.trait[0],
        value=new.trait[1],
        account_id=account.id if account else None,
        added_at=at,
    )
    rule.people = [RulePerson(contact_id=person, position=place) for place, person in enumerate(new.people)]
    db.session.add(rule)
    db.session.flush()  # its number is its name on the page
    return rule


def _says(rule: GroupsRule) -> tuple[object, ...]:
    people = frozenset(one.contact_id for one in rule.people)
    return rule.kind, people, rule.table, rule.round, (rule.attribute, rule.value)


def _refuse_people(conference: Conference, new: NewRule) -> None:
    if len(set(new.people)) < len(new.people):
        raise Refused(_("The same person is named twice."))
    if new.kind in AT_LEAST_TWO and len(new.people) < 2:
        raise Refused(_("This rule needs at least two people."))
    if not set(new.people) <= participant_ids(conference):
        raise Refused(_("This person takes no part in the conference."))
    if new.kind is RuleKind.HOST:
        hosts = method_queries.hosts_of(conference)
        for person in new.people:
            if hosts.get(person, new.table) != new.table:
                raise Refused(
                    _("This person hosts table %(table)s already; nobody can host two.", table=hosts[person])
                )


def remove_rule(conference: Conference, rule_id: int) -> None:
    """Take a rule away. Raises Missing when there is no such rule here."""
    _locked(conference)
    db.session.delete(found(method_queries.rule_of(conference, rule_id)))
    db.session.flush()


def name_hosts(conference: Conference, tables: int, account: Account | None, *, at: datetime) -> int:
    """Give every table that has no host one, each from another organisation as far as possible; gives how many.

    Raises Refused when there are too few people.
    """
    _locked(conference)
    hosts, people = method_queries.hosts_of(conference), participants(conference)
    present = {contact.id for contact in people}
    taken = {table for contact_id, table in hosts.items() if contact_id in present}
    bare = [name for name in method_queries.table_names(tables) if name not in taken]
    chosen = _one_of_each_house([contact for contact in people if contact.id not in hosts])
    if len(chosen) < len(bare):
        raise Refused(_("There are too few people for a host at each of %(num)d tables.", num=tables))
    for name, contact in zip(bare, chosen, strict=False):
        add_rule(conference, NewRule(RuleKind.HOST, (contact.id,), name), account, at=at)
    return len(bare)


def _one_of_each_house(people: Sequence[Contact]) -> list[Contact]:
    """The people in such an order that those of one organisation come late after each other."""
    turn: dict[int, int] = {}
    rows = []
    for contact in people:
        turn[contact.provider_id] = turn.get(contact.provider_id, 0) + 1
        rows.append((turn[contact.provider_id], contact.sort_key, contact.id, contact))
    return [contact for _turn, _key, _id, contact in sorted(rows, key=lambda row: row[:3])]
