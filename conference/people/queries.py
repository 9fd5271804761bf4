"""Colleagues of a place, who facilitates which groups, accounts of the house."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import joinedload

from ..accounts.models import Account, Role
from ..conferences.models import Conference, Grant, Series
from ..conferences.queries import valid_grants
from ..kit.db import db
from ..kit.links import hash_of
from .models import AccountLink, Facilitation


def grants_on(place: Series | Conference) -> list[Grant]:
    """The roles that were given in exactly this place, by name; those that have ended too."""
    query = select(Grant).join(Grant.account).options(joinedload(Grant.account)).where(_exactly(place))
    return list(db.session.scalars(query.order_by(Account.name, Grant.id)))


def grants_above(place: Series | Conference, at: datetime) -> list[Grant]:
    """The roles that reach a place from above: from its series or from everything."""
    above: ColumnElement[bool] = Grant.series_id.is_(None) & Grant.conference_id.is_(None)
    if isinstance(place, Conference):
        above = or_(above, Grant.series_id == place.series_id)
    query = select(Grant).join(Grant.account).options(joinedload(Grant.account)).where(above)
    query = query.where(or_(Grant.expires_at.is_(None), Grant.expires_at > at))
    return list(db.session.scalars(query.order_by(Account.name, Grant.id)))


def grant_on(place: Series | Conference, grant_id: int) -> Grant | None:
    return db.session.scalar(select(Grant).where(Grant.id == grant_id, _exactly(place)))


def _exactly(place: Series | Conference) -> ColumnElement[bool]:
    return Grant.conference_id == place.id if isinstance(place, Conference) else Grant.series_id == place.id


# -- who facilitates which groups -------------------------------------


@dataclass(frozen=True)
class Reach:
    """At which tables somebody works: at all, or at those that were given to them as (round or 0, table)."""

    everywhere: bool = False
    given: frozenset[tuple[int, str]] = frozenset()

    def covers(self, number: int | None, table: str) -> bool:
        """True for a table in the round of this number; without a round only for who has the table in all."""
        return self.everywhere or not self.given.isdisjoint({(0, table), (number or 0, table)})

    def covers_some(self, table: str) -> bool:
        """True for a table in some round."""
        return self.everywhere or any(name == table for _number, name in self.given)


def reach_of(account: Account, conference: Conference, *, everywhere: bool) -> Reach:
    """What an account reaches of the groups: everything for who organises, otherwise what its valid roles were given."""
    if everywhere:
        return Reach(everywhere=True)
    mine = valid_grants(account).where(Grant.role == Role.MODERATOR, _reaches(conference)).subquery()
    query = (
        select(Facilitation.round, Facilitation.table)
        .join(mine, mine.c.id == Facilitation.grant_id)
        .where(Facilitation.conference_id == conference.id)
    )
    return Reach(given=frozenset((number, table) for number, table in db.session.execute(query)))


def _reaches(conference: Conference) -> ColumnElement[bool]:
    everything = Grant.series_id.is_(None) & Grant.conference_id.is_(None)
    return or_(everything, Grant.series_id == conference.series_id, Grant.conference_id == conference.id)


def facilitators_of(conference: Conference, at: datetime) -> list[Grant]:
    """The roles by which somebody facilitates here now, by name."""
    query = (
        select(Grant)
        .join(Grant.account)
        .options(joinedload(Grant.account))
        .where(Grant.role == Role.MODERATOR, _reaches(conference), Account.active)
        .where(or_(Grant.expires_at.is_(None), Grant.expires_at > at))
    )
    return list(db.session.scalars(query.order_by(Account.name, Grant.id)))


def facilitations_of(conference: Conference) -> list[Facilitation]:
    """Who was given which table in which round; those of roles that have ended too."""
    query = (
        select(Facilitation)
        .join(Facilitation.grant)
        .join(Grant.account)
        .options(joinedload(Facilitation.grant).joinedload(Grant.account))
        .where(Facilitation.conference_id == conference.id)
    )
    order = (func.length(Facilitation.table), Facilitation.table, Facilitation.round, Account.name)
    return list(db.session.scalars(query.order_by(*order, Facilitation.id)))


def facilitator_names(conference: Conference, at: datetime) -> Callable[[int, str], tuple[str, ...]]:
    """Who facilitates a table in the round of a number, by name: asked once for all tables; no roles that have ended."""
    valid = {grant.id for grant in facilitators_of(conference, at)}
    given = [one for one in facilitations_of(conference) if one.grant_id in valid]

    def names(number: int, table: str) -> tuple[str, ...]:
        found = {one.grant.account.name for one in given if one.table == table and one.round in (0, number)}
        return tuple(sorted(found))

    return names


def facilitation_of(conference: Conference, facilitation_id: int) -> Facilitation | None:
    return db.session.scalar(
        select(Facilitation).where(
            Facilitation.id == facilitation_id, Facilitation.conference_id == conference.id
        )
    )


def facilitations_by(grant: Grant) -> list[Facilitation]:
    """The tables that hang on a role, in all conferences that it reaches."""
    return list(db.session.scalars(select(Facilitation).where(Facilitation.grant_id == grant.id)))


# -- accounts of the house --------------------------------------------


def accounts() -> list[Account]:
    """All accounts of the house, those that are closed last; not those without a name."""
    known = select(Account).where(Account.forgotten_at.is_(None))
    return list(db.session.scalars(known.order_by(Account.active.desc(), Account.name, Account.id)))


def places_of(account: Account) -> list[tuple[Grant, Series | None, Conference | None]]:
    """Every role of an account with the place that it is for."""
    query = (
        select(Grant, Series, Conference)
        .outerjoin(Series, Grant.series_id == Series.id)
        .outerjoin(Conference, Grant.conference_id == Conference.id)
        .where(Grant.account_id == account.id)
        .order_by(Grant.id)
    )
    return [(grant, series, conference) for grant, series, conference in db.session.execute(query)]


def number_of_administrators() -> int:
    """How many can still reach everything."""
    query = select(func.count(Account.id)).where(Account.role == Role.ADMIN, Account.active)
    return db.session.scalar(query) or 0


def link_behind(token: str, at: datetime) -> AccountLink | None:
    """The one-time link with this token, if it still opens something."""
    query = (
        select(AccountLink)
        .join(AccountLink.account)
        .where(
            AccountLink.token_hash == hash_of(token),
            AccountLink.used_at.is_(None),
            AccountLink.expires_at > at,
            Account.active,
        )
    )
    return db.session.scalar(query)


def links_waiting(account: Account, at: datetime) -> int:
    """How many links of the account could still be used."""
    query = select(func.count(AccountLink.id)).where(
        AccountLink.account_id == account.id, AccountLink.used_at.is_(None), AccountLink.expires_at > at
    )
    return db.session.scalar(query) or 0


def links_ended(at: datetime) -> int:
    """How many links open nothing any more because their time is over."""
    return db.session.scalar(select(func.count(AccountLink.id)).where(AccountLink.expires_at <= at)) or 0
