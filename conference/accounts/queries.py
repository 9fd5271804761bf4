"""Who has an account."""

from datetime import datetime

from sqlalchemy import func, select

from ..core.text import comparison_key
from ..kit.db import db
from ..kit.links import hash_of
from .models import Account, RecoveryCode, Role, StaffSession


def account_by_session(token: str, at: datetime) -> Account | None:
    """The active account of a session that still runs."""
    query = select(Account).join(StaffSession, StaffSession.account_id == Account.id)
    running = (StaffSession.token_hash == hash_of(token), StaffSession.ends_at > at)
    return db.session.scalar(query.where(*running, Account.active))


def sessions_of(account: Account, at: datetime) -> list[StaffSession]:
    """The browsers in which the account is signed in, the newest first."""
    query = select(StaffSession).where(StaffSession.account_id == account.id, StaffSession.ends_at > at)
    return list(db.session.scalars(query.order_by(StaffSession.begun_at.desc(), StaffSession.id.desc())))


def codes_left(account: Account) -> int:
    """How many recovery codes were not used yet."""
    query = select(func.count(RecoveryCode.id)).where(RecoveryCode.account_id == account.id)
    return db.session.scalar(query) or 0


def account_by_id(account_id: int) -> Account | None:
    return db.session.get(Account, account_id)


def account_by_email(address: str) -> Account | None:
    """The account with this address, whatever its capitals."""
    return db.session.scalar(select(Account).where(Account.email_key == comparison_key(address)))


def first_account_of(role: Role) -> Account | None:
    """The oldest active account with the role: the demo's personas."""
    query = select(Account).where(Account.role == role, Account.active).order_by(Account.id)
    return db.session.scalars(query.limit(1)).first()


def all_accounts() -> list[Account]:
    """Every account, by name."""
    return list(db.session.scalars(select(Account).order_by(Account.name, Account.id)))
