"""Colleagues and their roles, groups of facilitators, accounts of the house, one-time links."""

from contextlib import suppress
from datetime import date, datetime, timedelta

from flask import current_app
from flask_babel import gettext as _
from sqlalchemy import select, update

from ..accounts import identities
from ..accounts import operations as accounts
from ..accounts.models import Account, Role
from ..accounts.queries import account_by_email, has_second_factor
from ..conferences.models import Conference, Grant, Series
from ..conferences.operations import give_role
from ..conferences.queries import powers_of
from ..core.walltime import end_of_day
from ..kit import links, logs
from ..kit.addresses import absolute
from ..kit.dates import DEFAULT_ZONE
from ..kit.db import db, one_locked
from ..kit.errors import Refused, check_version
from ..outbox import operations as outbox
from . import queries
from .models import AccountLink, Facilitation, LinkUse

GIVEN_IN_PLACES = (Role.ORGANISER, Role.MODERATOR, Role.MINUTE_TAKER, Role.DOOR, Role.LEADERSHIP)
GIVEN_IN_SERIES = (Role.ADMIN, *GIVEN_IN_PLACES)
OF_THE_HOUSE = (Role.ADMIN, Role.ORGANISER, Role.COLLEAGUE)
HOW_LONG = {LinkUse.WELCOME: timedelta(days=2), LinkUse.RENEWAL: timedelta(minutes=30)}
LINKS_AT_ONCE = 3

Place = Series | Conference


def roles_to_give(place: Place, *, by_administrator: bool) -> tuple[Role, ...]:
    """What may be given here: administrators of a series are made by administrators only."""
    return GIVEN_IN_SERIES if isinstance(place, Series) and by_administrator else GIVEN_IN_PLACES


def _end(place: Place | None, until: date | None, at: datetime) -> datetime | None:
    if until is None:
        return None
    end = end_of_day(until, place.zone if isinstance(place, Conference) else DEFAULT_ZONE)
    if end <= at:
        raise Refused(_("The last day must not be over already."))
    return end


def invite_colleague(
    place: Place,
    email: str,
    name: str,
    role: Role,
    until: date | None,
    by: Account,
    *,
    at: datetime,
    with_names: bool = False,
) -> bool:
    """Give a role to a colleague and say so by mail; who has no account yet gets one with a one-time link.

    Returns True when that ended an earlier link which could still have been used.
    `with_names` lets leadership read the names of participants. Raises Refused for a closed account, for administrators
    (who need no role), for a role that `by` may not give here, and for a last day that is over.
    """
    end = _end(place, until, at)
    _may_give(place, role, by)
    account = account_by_email(email)
    if account is None:
        account = accounts.create_account(email, name, Role.COLLEAGUE, None, at=at)
        db.session.flush()
    elif not account.active:
        raise Refused(_("The account with this address is closed. Please ask an administrator."))
    elif account.role is Role.ADMIN:
        raise Refused(_("Administrators reach everything already."))
    grant = give_role(account, role, place, by=by, at=at, expires_at=end)
    grant.with_names = with_names and role is Role.LEADERSHIP
    told: dict[str, object] = {"title": place.title, "by": by, "role": role, "until": until}
    if account.password_hash is None:
        return send_link(account, LinkUse.WELCOME, at=at, **told)
    tell(account, "role", f"role:{grant.id}:{at.timestamp():.6f}", at, **told)
    return False


def change_grant(
    place: Place,
    grant: Grant,
    role: Role,
    until: date | None,
    version: int | None,
    by: Account,
    *,
    at: datetime,
    with_names: bool = False,
) -> None:
    """Another role for a colleague, another last day, or (leadership) another leave to read names.

    Who facilitates no more has no groups more. Raises Stale when somebody else changed it, Refused where people would lock
    themselves out, and for administrators of a series unless `by` is one.
    """
    _lock(place)
    check_version(version, grant.version, mine=str(role.label), theirs=str(grant.role.label))
    end = _end(place, until, at)
    if role is not grant.role or end is not None:
        _not_oneself(grant, by)
    for one in (role, grant.role):
        _may_give(place, one, by)
    if role is not grant.role and _holds(place, grant.account_id, role):
        raise Refused(_("%(name)s has this role already.", name=grant.account.name))
    if role is not Role.MODERATOR:
        _forget_groups(grant)
    grant.role, grant.expires_at, grant.granted_by_id = role, end, by.id
    grant.with_names = with_names and role is Role.LEADERSHIP
    grant.version += 1


def remove_grant(place: Place, grant: Grant, by: Account) -> None:
    """Take a role away, with the groups that hang on it; it opens nothing more from the next request on.

    Raises Refused for one's own organising, and for administrators of a series unless `by` is one.
    """
    _lock(place)
    _not_oneself(grant, by)
    _may_give(place, grant.role, by)
    _forget_groups(grant)
    db.session.delete(grant)


def _may_give(place: Place, role: Role, by: Account) -> None:
    if role not in roles_to_give(place, by_administrator=_administers(place, by)):
        raise Refused(_("This role cannot be given here."))


def _administers(place: Place, account: Account) -> bool:
    series_id = place.series_id if isinstance(place, Conference) else place.id
    return Role.ADMIN.value in powers_of(account).over(series_id)


def _forget_groups(grant: Grant) -> None:
    # One by one, so that the record has each.
    for facilitation in queries.facilitations_by(grant):
        db.session.delete(facilitation)
    db.session.flush()


def _holds(place: Place, account_id: int, role: Role) -> bool:
    return any(grant.account_id == account_id and grant.role is role for grant in queries.grants_on(place))


def _lock(place: Place) -> None:
    one_locked(select(type(place)).where(type(place).id == place.id))


def _not_oneself(grant: Grant, by: Account) -> None:
    if grant.account_id == by.id and grant.role in (Role.ADMIN, Role.ORGANISER):
        raise Refused(_("Nobody takes the organisation from themselves. Please ask a colleague."))


# -- groups of facilitators -------------------------------------------


def assign_group(
    conference: Conference, grant: Grant, table: str, number: int, by: Account, *, at: datetime
) -> Facilitation:
    """Give a facilitator a table in the round of this number, or (0) in every round; a second time changes nothing.

    The view says which tables and rounds there are. Raises Refused when the person facilitates no more.
    """
    _lock(conference)
    if grant.id not in {one.id for one in queries.facilitators_of(conference, at)}:
        raise Refused(_("This person does not facilitate here any more."))
    for known in queries.facilitations_by(grant):
        if (known.conference_id, known.table, known.round) == (conference.id, table, number):
            return known
    made = Facilitation(
        grant_id=grant.id,
        conference_id=conference.id,
        table=table,
        round=number,
        assigned_by_id=by.id,
        assigned_at=at,
    )
    db.session.add(made)
    db.session.flush()  # lists in the same transaction must show it
    return made


def release_group(facilitation: Facilitation) -> None:
    """Take a table from a facilitator; it opens nothing more from the next request on."""
    db.session.delete(facilitation)


# -- accounts of the house --------------------------------------------


def open_account(email: str, name: str, role: Role, by: Account, *, at: datetime) -> Account:
    """A new account; the person chooses a password by a one-time link. Raises Refused when the address is taken."""
    account = accounts.create_account(email, name, _of_the_house(role), None, at=at)
    db.session.flush()
    send_link(account, LinkUse.WELCOME, at=at, title="Folgetermin", by=by)
    return account


def change_account(account: Account, name: str, role: Role, *, at: datetime) -> None:
    """Another name, another role in the house; a new role ends all sessions. Raises Refused for the last administrator."""
    account = _locked(account)
    if role is not account.role:
        _not_the_last(account)
        account.role = _of_the_house(role)
        accounts.end_sessions(account, at=at)
    account.name = name


def close_account(account: Account, *, at: datetime) -> None:
    """Nobody signs in with it any more, all sessions end, its links open nothing. Raises Refused for the last administrator."""
    account = _locked(account)
    _not_the_last(account)
    account.active, account.closed_at = False, at
    accounts.end_sessions(account, at=at)
    _spend_links(account, at)


def drop_second_factor(account: Account, by: Account, *, at: datetime) -> None:
    """For somebody who has lost device and recovery codes: the next sign-in asks for the password only.

    The owner gets a letter, unless there was nothing to remove.
    """
    account = _locked(account)
    if not has_second_factor(account):
        return
    accounts.end_all_factors(account)
    accounts.end_sessions(account, at=at)
    tell(account, "factor_removed", f"factor:{account.id}:{at.timestamp():.6f}", at, by=by)


def unlink(account: Account, *, at: datetime) -> None:
    """Forget how the sign-in service knows the account; its sessions end."""
    identities.unlink(account)
    accounts.end_sessions(account, at=at)


def reopen_account(account: Account, *, at: datetime) -> None:
    """Let somebody sign in again."""
    account.active, account.reopened_at, account.closed_at, account.reminded_at = True, at, None, None


def _of_the_house(role: Role) -> Role:
    if role not in OF_THE_HOUSE:
        raise Refused(_("This role cannot be given here."))
    return role


def _locked(account: Account) -> Account:
    # All administrators are locked: two who close each other's account at once must not both succeed.
    query = (
        select(Account).where((Account.role == Role.ADMIN) | (Account.id == account.id)).order_by(Account.id)
    )
    rows = db.session.scalars(query.with_for_update().execution_options(populate_existing=True)).all()
    return next(row for row in rows if row.id == account.id)


def _not_the_last(account: Account) -> None:
    if account.role is Role.ADMIN and account.active and queries.number_of_administrators() < 2:
        raise Refused(_("This is the last administrator. Please make somebody else administrator first."))


# -- one-time links ---------------------------------------------------


def ask_for_link(email: str, *, at: datetime) -> None:
    """Send a link for a new password, if there is such an account. An unknown address does the same work and leaves no letter."""
    account = account_by_email(email)
    nobody = Account(id=0, name="", email="niemand@folgetermin.example", active=True)
    known = account is not None and account.active and queries.links_waiting(account, at) < LINKS_AT_ONCE
    who = account if account is not None and known else nobody
    link = _new_link(account if known else None, LinkUse.RENEWAL, at)
    with suppress(_TakenBack), db.session.begin_nested():
        _send(who, link, at=at)
        db.session.flush()
        if not known:
            raise _TakenBack


class _TakenBack(Exception):
    """The letter to nobody is taken back."""


def send_link(account: Account, use: LinkUse, *, at: datetime, **told: object) -> bool:
    """Mail a one-time link; the earlier ones open nothing more, and the letter says so. Returns whether there were any."""
    is_again = queries.links_waiting(account, at) > 0
    _spend_links(account, at)
    _send(account, _new_link(account, use, at), at=at, is_again=is_again, **told)
    return is_again


def _new_link(account: Account | None, use: LinkUse, at: datetime) -> AccountLink:
    nonce = links.new_nonce()
    link = AccountLink(
        account_id=None if account is None else account.id,
        use=use,
        nonce=nonce,
        token_hash=links.hash_of(links.token_of(nonce)),
        created_at=at,
        expires_at=at + HOW_LONG[use],
    )
    db.session.add(link)
    db.session.flush()
    return link


def _send(account: Account, link: AccountLink, *, at: datetime, **told: object) -> None:
    url = absolute("people.choose_password", token=links.mark_of(link.nonce))
    kind = str(link.use.value)
    tell(account, kind, f"{kind}:{link.id}", at, url=url, **told)


def tell(account: Account, kind: str, purpose: str, at: datetime, **context: object) -> None:
    """Queue a letter to somebody about their account, in the language of the house."""
    language = current_app.config["LANGUAGE"]
    context |= {"account": account, "home": absolute("accounts.sign_in")}
    subject, text = outbox.worded(kind, language, **context)
    outbox.queue(
        outbox.NewMail(
            purpose=f"account:{purpose}",
            kind=kind,
            about=None,
            language=language,
            recipient=(account.name, account.email),
            subject=subject,
            text=text,
        ),
        at=at,
    )


def choose_password(link: AccountLink, password: str, *, at: datetime) -> Account:
    """Set the password by a one-time link, which is spent with all others; all sessions end.

    Raises Refused for a poor password, and for a link that somebody else has just used.
    """
    account = link.account
    assert account is not None
    hashed = accounts.hash_password(password, (account.name, account.email))
    spent = db.session.execute(
        update(AccountLink)
        .where(AccountLink.id == link.id, AccountLink.used_at.is_(None))
        .values(used_at=at)
        .execution_options(synchronize_session=False)
    )
    if spent.rowcount != 1:  # type: ignore[attr-defined]
        raise Refused(_("This link has been used already."))
    account.password_hash = hashed
    logs.note("password-changed", account=account.id, by="link")
    _spend_links(account, at)
    accounts.end_sessions(account, at=at)
    return account


def _spend_links(account: Account, at: datetime) -> None:
    db.session.execute(
        update(AccountLink)
        .where(AccountLink.account_id == account.id, AccountLink.used_at.is_(None))
        .values(used_at=at)
        .execution_options(synchronize_session=False)
    )


def forget_old_links(*, at: datetime) -> int:
    """Delete links that open nothing any more. Returns how many."""
    old = db.session.scalars(select(AccountLink).where(AccountLink.expires_at <= at)).all()
    for link in old:
        db.session.delete(link)
    return len(old)
