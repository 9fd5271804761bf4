"""Who has an account."""

from datetime import datetime

from sqlalchemy import ColumnElement, func, or_, select

from ..core.text import comparison_key
from ..kit.db import db
from ..kit.links import hash_of
from .models import Account, Passkey, RecoveryCode, Role, SignInIdentity, StaffSession, Way


def account_by_session(token: str, at: datetime, *, demo: bool) -> Account | None:
    """The active account of a session that still runs; sessions of the demo's people only in the demo."""
    query = select(Account, or_(StaffSession.factor_shown, _has_factor())).join(
        StaffSession, StaffSession.account_id == Account.id
    )
    running = (StaffSession.token_hash == hash_of(token), StaffSession.ends_at > at, Account.active)
    query = query.where(*running)
    if not demo:
        query = query.where(StaffSession.way != Way.PERSONA)
    row = db.session.execute(query).first()
    if row is None:
        return None
    account, is_guarded = row
    account.asked_at, account.is_guarded = at, bool(is_guarded)
    return account


def _has_factor() -> ColumnElement[bool]:
    return or_(
        Account.totp_nonce.is_not(None),
        select(Passkey.id).where(Passkey.account_id == Account.id).correlate(Account).exists(),
    )


def has_second_factor(account: Account) -> bool:
    """True when an app or a passkey is set up."""
    return bool(db.session.scalar(select(_has_factor()).where(Account.id == account.id)))


def session_by_token(token: str) -> StaffSession | None:
    return db.session.scalar(select(StaffSession).where(StaffSession.token_hash == hash_of(token)))


def passkeys_of(account: Account) -> list[Passkey]:
    """The passkeys of an account, the oldest first."""
    query = select(Passkey).where(Passkey.account_id == account.id)
    return list(db.session.scalars(query.order_by(Passkey.id)))


def passkey_of(account: Account, passkey_id: int) -> Passkey | None:
    query = select(Passkey).where(Passkey.id == passkey_id, Passkey.account_id == account.id)
    return db.session.scalar(query)


def passkey_by_credential(credential_id: str) -> Passkey | None:
    return db.session.scalar(select(Passkey).where(Passkey.credential_id == credential_id))


def identity(issuer: str, subject: str) -> SignInIdentity | None:
    """Who somebody is whom the sign-in service calls so."""
    query = select(SignInIdentity).where(SignInIdentity.issuer == issuer, SignInIdentity.subject == subject)
    return db.session.scalar(query)


def identities_of(account: Account) -> list[SignInIdentity]:
    """How sign-in services know the account."""
    query = select(SignInIdentity).where(SignInIdentity.account_id == account.id)
    return list(db.session.scalars(query.order_by(SignInIdentity.id)))


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
