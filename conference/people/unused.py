"""Accounts that nobody uses: a reminder, then closed, then without name and address. Never the last administrator."""

from contextlib import suppress
from datetime import datetime, timedelta

from flask import current_app
from flask_babel import force_locale
from flask_babel import gettext as _
from sqlalchemy import ColumnElement, Select, and_, delete, func, or_, select

from ..accounts import identities
from ..accounts import operations as accounts
from ..accounts.models import Account, Role
from ..conferences.models import Grant
from ..core.text import comparison_key
from ..kit.db import db
from ..kit.errors import Refused
from ..outbox import operations as outbox
from ..providers.models import Contact
from . import operations, queries
from .models import AccountLink

NOTICE = timedelta(days=30)


def _unused_since(before: datetime) -> ColumnElement[bool]:
    """Not signed in, opened or reopened since then."""
    never, not_again = Account.last_sign_in_at.is_(None), Account.reopened_at.is_(None)
    return and_(
        Account.active,
        Account.created_at <= before,
        or_(never, Account.last_sign_in_at <= before),
        or_(not_again, Account.reopened_at <= before),
    )


def _to_close(before: datetime, at: datetime) -> Select[Account]:
    return select(Account).where(_unused_since(before), Account.reminded_at <= at - NOTICE)


def count_unused(before: datetime, at: datetime) -> int:
    """How many `close_unused` would close, but for the last administrator."""
    return db.session.scalar(select(func.count()).select_from(_to_close(before, at).subquery())) or 0


def close_unused(before: datetime, at: datetime) -> int:
    """Close what nobody has used since then, a month after its owner was told; remind the next ones. Returns how many closed.

    Who has never been here goes first, so that the administrator who stays is the one who was here last.
    """
    order = (Account.last_sign_in_at.is_not(None), Account.last_sign_in_at, Account.id)
    closed = 0
    for account in db.session.scalars(_to_close(before, at).order_by(*order)).all():
        with suppress(Refused):
            operations.close_account(account, at=at)
            closed += 1
            db.session.flush()
    _remind(before + NOTICE, at)
    return closed


def _remind(before: datetime, at: datetime) -> None:
    untold = Account.reminded_at.is_(None)
    for account in db.session.scalars(select(Account).where(_unused_since(before), untold)).all():
        if account.role is Role.ADMIN and queries.number_of_administrators() < 2:
            continue
        account.reminded_at = at
        operations.tell(
            account, "unused", f"unused:{account.id}:{at.timestamp():.0f}", at, closes=at + NOTICE
        )
    db.session.flush()


def _closed_before(before: datetime) -> ColumnElement[bool]:
    return and_(Account.active.is_(False), Account.closed_at <= before, Account.forgotten_at.is_(None))


def count_closed(before: datetime, _at: datetime) -> int:
    """How many `forget_closed` would forget."""
    return db.session.scalar(select(func.count(Account.id)).where(_closed_before(before))) or 0


def forget_closed(before: datetime, at: datetime) -> int:
    """Take name, address and everything that signs in from accounts that were closed before. Returns how many.

    The row stays, without saying whose it was: records say which account did what.
    """
    old = db.session.scalars(select(Account).where(_closed_before(before))).all()
    for account in old:
        _forget(account, at)
    db.session.flush()
    return len(old)


def _forget_letters(account: Account, at: datetime) -> None:
    """Letters of the house to the account, and where nobody else has the address, everything that went there."""
    connection, key = db.session.connection(), account.email_key
    is_anothers = db.session.scalar(select(Contact.id).where(Contact.email_key == key)) is not None
    outbox.erase_letters(
        connection, lambda one: one.key == key and (one.is_of_account or not is_anothers), at
    )
    if not is_anothers:
        outbox.forget_dead(connection, lambda other: other == key)
    db.session.expire_all()


def _forget(account: Account, at: datetime) -> None:
    _forget_letters(account, at)
    accounts.end_sessions(account, at=at)
    accounts.end_all_factors(account)
    identities.unlink(account)
    db.session.execute(delete(AccountLink).where(AccountLink.account_id == account.id))
    db.session.execute(delete(Grant).where(Grant.account_id == account.id))
    with force_locale(current_app.config["LANGUAGE"]):
        account.name = _("Deleted account %(num)d", num=account.id)
    account.email = f"account-{account.id}@deleted.invalid"
    account.email_key = comparison_key(account.email)
    account.password_hash, account.role, account.forgotten_at = None, Role.COLLEAGUE, at
