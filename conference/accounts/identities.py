"""Whose account it is whom the sign-in service names."""

from datetime import datetime
from typing import Any, NoReturn

from flask import current_app
from flask_babel import gettext as _
from sqlalchemy import select

from ..core.text import BadText, canonical_email
from ..kit import logs
from ..kit.db import db, one_locked
from ..kit.errors import Refused
from ..kit.oidc import Person, value_of
from . import queries
from .models import Account, SignInIdentity


def account_of(person: Person, *, at: datetime) -> Account:
    """The account of a person: the one that is linked, else the one with the verified address, which is linked from now on.

    Nobody gets an account or a role here that an administrator or organiser has not given. Raises Refused.
    """
    if not _is_wanted(person.claims, current_app.config["OIDC_CLAIM"]):
        _refuse("not-released", _("The sign-in service does not release your account for Folgetermin."))
    linked = queries.identity(person.issuer, person.subject)
    account = linked.account if linked is not None else _linked_now(person, at)
    if not account.active:
        _refuse("closed", _("Your account here is closed. Please ask an administrator."), account)
    return account


def _refuse(why: str, words: str, account: Account | None = None) -> NoReturn:
    logs.note("service-refused", failed=True, account="unknown" if account is None else account.id, why=why)
    raise Refused(words)


def _linked_now(person: Person, at: datetime) -> Account:
    if not person.email_verified:
        _refuse(
            "address-not-verified",
            _(
                "The sign-in service has not verified your e-mail address; without that we cannot tell who you are."
            ),
        )
    account = _with_address(person.email)
    if account is None or not account.active:
        _refuse(
            "no-account",
            _(
                "There is no account here for your address. Please ask whoever organises the conference to invite you."
            ),
            account,
        )
    one_locked(select(Account).where(Account.id == account.id))
    if any(one.issuer == person.issuer for one in queries.identities_of(account)):
        # The address has come to somebody else at the service; the account has not.
        _refuse(
            "linked-otherwise",
            _(
                "The account with your address belongs to somebody else at the sign-in service. Please ask an administrator."
            ),
            account,
        )
    db.session.add(
        SignInIdentity(account=account, issuer=person.issuer, subject=person.subject, linked_at=at)
    )
    db.session.flush()
    logs.note("service-linked", account=account.id)
    return account


def _with_address(address: str) -> Account | None:
    try:
        return queries.account_by_email(canonical_email(address)[0])
    except (BadText, ValueError):
        return None


def _is_wanted(claims: dict[str, Any], wish: str) -> bool:
    """True when the claim has the value, or is a list that holds it."""
    if not wish:
        return True
    name, _equals, value = (part.strip() for part in wish.partition("="))
    found = value_of(claims, name)
    return value in ([str(one) for one in found] if isinstance(found, list) else [str(found)])


def unlink(account: Account) -> None:
    """The next sign-in by the service is matched by address again."""
    of_account = select(SignInIdentity).where(SignInIdentity.account_id == account.id)
    for identity in db.session.scalars(of_account):
        db.session.delete(identity)  # one by one, so that the record says whose it was
    db.session.flush()
    logs.note("service-unlinked", account=account.id)
