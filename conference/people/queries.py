"""Colleagues of a place, accounts of the house."""

from datetime import datetime

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import joinedload

from ..accounts.models import Account, Role
from ..conferences.models import Conference, Grant, Series
from ..kit.db import db
from ..kit.links import hash_of
from .models import AccountLink


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
