"""Who has an account."""

from sqlalchemy import select

from ..core.text import comparison_key
from ..kit.db import db
from .models import Account, Role


def account_by_session(key: str) -> Account | None:
    """The active account that a session cookie names."""
    return db.session.scalar(select(Account).where(Account.session_key == key, Account.active))


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
