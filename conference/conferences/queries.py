"""Series, conferences and their parts, always seen through the account."""

from sqlalchemy import Select, func, select
from sqlalchemy.orm import joinedload

from ..accounts.models import Account, Role
from ..kit.db import db, found
from .models import Conference, Membership, Room, Series, Topic


def _visible(account: Account) -> Select[Conference]:
    query = select(Conference).options(joinedload(Conference.series))
    if account.role is Role.ADMIN:
        return query
    mine = select(Membership.series_id).where(Membership.account_id == account.id)
    return query.where(Conference.series_id.in_(mine))


def conference_here(account: Account, slug: str) -> Conference:
    """The conference with this slug among those that the account may see; Missing (404) otherwise."""
    return found(db.session.scalar(_visible(account).where(Conference.slug == slug)))


def conferences_of(account: Account) -> list[Conference]:
    """All conferences that the account may see, newest first."""
    return list(db.session.scalars(_visible(account).order_by(Conference.starts_at.desc(), Conference.id)))


def all_series_of(account: Account) -> list[Series]:
    """All series that the account may see, by title."""
    query = select(Series).order_by(Series.title)
    if account.role is not Role.ADMIN:
        query = query.join(Membership).where(Membership.account_id == account.id)
    return list(db.session.scalars(query))


def series_here(account: Account, slug: str) -> Series:
    """The series with this slug among those that the account may see; Missing (404) otherwise."""
    return found(next((series for series in all_series_of(account) if series.slug == slug), None))


def conference_by_slug(slug: str) -> Conference | None:
    """For public pages and commands, where nobody is signed in."""
    query = select(Conference).options(joinedload(Conference.series)).where(Conference.slug == slug)
    return db.session.scalar(query)


def rooms_of(conference: Conference) -> list[Room]:
    query = select(Room).where(Room.conference_id == conference.id).order_by(Room.position, Room.id)
    return list(db.session.scalars(query))


def room_of(conference: Conference, room_id: int) -> Room | None:
    return db.session.scalar(select(Room).where(Room.conference_id == conference.id, Room.id == room_id))


def topics_of(conference: Conference) -> list[Topic]:
    query = select(Topic).where(Topic.conference_id == conference.id).order_by(Topic.position, Topic.id)
    return list(db.session.scalars(query))


def topic_of(conference: Conference, topic_id: int) -> Topic | None:
    return db.session.scalar(select(Topic).where(Topic.conference_id == conference.id, Topic.id == topic_id))


def follower_of(conference: Conference) -> Conference | None:
    """The conference that was planned from this one."""
    query = select(Conference).where(Conference.previous_id == conference.id).order_by(Conference.id)
    return db.session.scalars(query.limit(1)).first()


def earlier_ids(conference: Conference) -> list[int]:
    """Ids of all conferences before this one in its chain, nearest first."""
    chain = (
        select(Conference.previous_id.label("id"), func.coalesce(1, 1).label("step"))
        .where(Conference.id == conference.id)
        .cte("chain", recursive=True)
    )
    chain = chain.union_all(
        select(Conference.previous_id, chain.c.step + 1).where(
            Conference.id == chain.c.id, chain.c.step < 100
        )
    )
    query = select(chain.c.id).where(chain.c.id.is_not(None)).order_by(chain.c.step)
    return [identity for identity in db.session.scalars(query) if identity is not None]


def slugs() -> set[str]:
    """All conference slugs in use."""
    return set(db.session.scalars(select(Conference.slug)))


def series_slugs() -> set[str]:
    """All series slugs in use."""
    return set(db.session.scalars(select(Series.slug)))
