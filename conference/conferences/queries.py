"""Series, conferences and their parts, always seen through the account."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Select, Subquery, and_, func, or_, select
from sqlalchemy.orm import joinedload

from ..accounts.models import Account, Role
from ..kit.db import db, found
from .models import Conference, Grant, Room, Series, Topic

ADMIN, NAMES = Role.ADMIN.value, "names"
"""What `kit.access` calls them."""


@dataclass(frozen=True)
class Powers:
    """What an account is where: the one answer to who may do what, for one moment."""

    house: Role
    grants: tuple[tuple[Role, int | None, int | None], ...] = ()

    @property
    def reaches_everything(self) -> bool:
        """Administrators need no grant."""
        return self.house is Role.ADMIN

    def at(self, conference_id: int, series_id: int) -> frozenset[str]:
        """The roles in a conference, by a grant on it, on its series or on everything."""
        return self._of(
            lambda series, own: own == conference_id or (own is None and series in (None, series_id))
        )

    def over(self, series_id: int) -> frozenset[str]:
        """The roles in a whole series; a role in one of its conferences is none here."""
        return self._of(lambda series, own: own is None and series in (None, series_id))

    def outside(self) -> frozenset[str]:
        """The roles on pages that belong to no conference: the one in the house, and those for whole series.

        Who administers a series is an organiser there: accounts, record and operation are for those of the whole house.
        """
        roles = self._of(lambda _series, own: own is None) | {self.house.value}
        if self.reaches_everything or ADMIN not in roles:
            return roles
        return roles - {ADMIN} | {Role.ORGANISER.value}

    def _of(self, counts: Callable[[int | None, int | None], bool]) -> frozenset[str]:
        if self.reaches_everything:
            return frozenset({Role.ADMIN.value})
        return frozenset(role.value for role, series, own in self.grants if counts(series, own))


def valid_grants(account: Account) -> Select[Grant]:
    # Who was not asked for at a certain moment has only what never ends.
    at: datetime | None = getattr(account, "asked_at", None)
    lasting = Grant.expires_at.is_(None)
    return select(Grant).where(
        Grant.account_id == account.id, lasting if at is None else or_(lasting, Grant.expires_at > at)
    )


def powers_of(account: Account) -> Powers:
    """All roles that the account has now."""
    if account.role is Role.ADMIN:
        return Powers(account.role)
    grants = db.session.scalars(valid_grants(account))
    return Powers(account.role, tuple((grant.role, grant.series_id, grant.conference_id) for grant in grants))


def roles_here(account: Account, slug: str | None, series_slug: str | None) -> frozenset[str]:
    """The roles at an address: in its conference, in its series, or where it names neither; with the leave to read names.

    One query.
    """
    if account.role is Role.ADMIN:
        return frozenset({Role.ADMIN.value})
    if slug is None and series_slug is None:
        return powers_of(account).outside()
    mine = valid_grants(account).subquery()
    if slug is not None:
        query = select(mine.c.role, mine.c.with_names).join(
            Conference, and_(Conference.slug == slug, _reaches(mine))
        )
    else:
        reaches = or_(_is_for_all(mine), mine.c.series_id == Series.id)
        query = select(mine.c.role, mine.c.with_names).join(Series, and_(Series.slug == series_slug, reaches))
    rows = db.session.execute(query).all()
    named = {NAMES} if any(with_names for _role, with_names in rows) else set()
    return frozenset({role.value for role, _with_names in rows} | named)


def _is_for_all(grants: Subquery) -> ColumnElement[bool]:
    return and_(grants.c.series_id.is_(None), grants.c.conference_id.is_(None))


def _reaches(grants: Subquery) -> ColumnElement[bool]:
    """Of grants beside conferences: the grant counts in the conference."""
    in_series, here = grants.c.series_id == Conference.series_id, grants.c.conference_id == Conference.id
    return or_(_is_for_all(grants), in_series, here)


def _is_reached(grants: Select[Grant]) -> ColumnElement[bool]:
    """Of a conference: one of the grants counts in it."""
    mine = grants.subquery()
    return select(mine.c.id).where(_reaches(mine)).correlate(Conference).exists()


def _visible(account: Account) -> Select[Conference]:
    query = select(Conference).options(joinedload(Conference.series))
    if account.role is Role.ADMIN:
        return query
    return query.where(_is_reached(valid_grants(account)))


def organised_ids(account: Account) -> Select[int]:
    """The ids of the conferences that the account organises."""
    return select(Conference.id).where(
        _is_reached(valid_grants(account).where(Grant.role.in_((Role.ADMIN, Role.ORGANISER))))
    )


def organises_anything(account: Account) -> bool:
    """True when the account organises some conference or series now."""
    mine = valid_grants(account).where(Grant.role.in_((Role.ADMIN, Role.ORGANISER)))
    return bool(db.session.scalar(select(mine.exists())))


def conference_here(account: Account, slug: str) -> Conference:
    """The conference with this slug among those that the account may see; Missing (404) otherwise."""
    return found(db.session.scalar(_visible(account).where(Conference.slug == slug)))


def conferences_of(account: Account) -> list[Conference]:
    """All conferences that the account may see, newest first."""
    return list(db.session.scalars(_visible(account).order_by(Conference.starts_at.desc(), Conference.id)))


def all_series_of(account: Account) -> list[Series]:
    """All series in which the account has a role or may see a conference, by title."""
    query = select(Series).order_by(Series.title, Series.id)
    if account.role is not Role.ADMIN:
        mine = valid_grants(account).subquery()
        within = select(Conference.series_id).where(Conference.id == mine.c.conference_id).scalar_subquery()
        reaches = or_(
            _is_for_all(mine),
            mine.c.series_id == Series.id,
            within == Series.id,
        )
        query = query.where(select(mine.c.id).where(reaches).correlate(Series).exists())
    return list(db.session.scalars(query))


def series_here(account: Account, slug: str) -> Series:
    """The series with this slug among those that the account works on as a whole; Missing (404) otherwise."""
    series = found(db.session.scalar(select(Series).where(Series.slug == slug)))
    return found(series if powers_of(account).over(series.id) else None)


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
