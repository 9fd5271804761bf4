"""Making accounts and checking passwords."""

import base64
import hashlib
import hmac
import secrets
import unicodedata
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import cache
from string import ascii_uppercase, digits

import pyotp
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from flask import current_app
from flask_babel import gettext as _
from sqlalchemy import delete, select, update

from ..core.passwords import weakness
from ..core.text import canonical_email, comparison_key
from ..kit import logs
from ..kit.db import db, found, one_locked
from ..kit.errors import Refused
from ..kit.links import hash_of
from . import queries
from .models import Account, RecoveryCode, Role, StaffSession, Way
from .queries import account_by_email

SHORTEST, LONGEST = 12, 1024
FEWEST_DIFFERENT = 5
OURS = ("Folgetermin", "Konferenz", "Agentur")
"""Words of this place, of which no password is made."""
LONGEST_SESSION = timedelta(hours=8)
FRESH = timedelta(minutes=15)
SIGNS = "".join(sorted(set(ascii_uppercase + digits) - set("IO01")))
_hasher = PasswordHasher()


@cache
def _dummy() -> str:
    """Checked when the address is unknown, so that the answer takes as long as for a known one.

    Made before the first check of any password, not at import: a hash costs a tenth of a second of every start.
    """
    return _hasher.hash("no account has this password")


def create_account(email: str, name: str, role: Role, password: str | None, *, at: datetime) -> Account:
    """A new account; without a password nobody can sign in by one (the demo's personas).

    Raises Refused when the address is taken or the password is not acceptable.
    """
    address, _key = canonical_email(email)
    if account_by_email(address) is not None:
        raise Refused(_("There is already an account with this address."))
    account = Account(
        email=address,
        email_key=comparison_key(address),
        name=name,
        role=role,
        password_hash=None if password is None else hash_password(password, (name, address)),
        created_at=at,
    )
    db.session.add(account)
    return account


def hash_password(password: str, about: Iterable[str]) -> str:
    """Argon2id hash of an acceptable password, else Refused. `about` are words of the person that it must not be made of."""
    if len(password) < SHORTEST:
        raise Refused(_("Please choose a password of at least %(num)d characters.", num=SHORTEST))
    if len(password) > LONGEST:
        raise Refused(_("Please choose a password of at most %(num)d characters.", num=LONGEST))
    why = weakness(password, [*about, *OURS, current_app.config["OPERATOR"]])
    if why == "common":
        raise Refused(
            _(
                "Very many people use this password, or one like it; it is tried first. Please choose another one."
            )
        )
    if why == "context":
        raise Refused(
            _(
                "This password is made of your name, your address or the name of this product. Please choose another one."
            )
        )
    if why is not None or len(set(password.casefold())) < FEWEST_DIFFERENT:
        raise Refused(_("This password is too easy to guess. Please choose another one."))
    return _hasher.hash(_plain(password))


def _plain(password: str) -> str:
    """The same letters in the same signs, whatever keyboard they were typed on."""
    return unicodedata.normalize("NFC", password)


def authenticate(email: str, password: str) -> Account | None:
    """The account, when address and password fit; takes the same time when they do not."""
    nobody = _dummy()
    account = account_by_email(email)
    stored = account.password_hash if account is not None and account.active else None
    fits = _verify(stored or nobody, password)
    if not fits or account is None or stored is None:
        logs.note("password-wrong", failed=True, account=account.id if account is not None else "unknown")
        return None
    if _hasher.check_needs_rehash(stored):
        account.password_hash = _hasher.hash(_plain(password))
    return account


def _verify(stored: str, password: str) -> bool:
    # What is longer than any password of ours costs no more, and is never right.
    is_possible = len(password) <= LONGEST
    try:
        return _hasher.verify(stored, _plain(password).encode("utf-8", "replace") if is_possible else b"")
    except (VerificationError, InvalidHashError):
        return False


def begin_session(
    account: Account, device: str, *, way: Way = Way.PASSWORD, factor_shown: bool = False, at: datetime
) -> str:
    """Sign in one browser; gives the token for its cookie. Sessions that are over are forgotten on the way."""
    account.last_sign_in_at, account.reminded_at = at, None
    db.session.execute(
        delete(StaffSession).where(StaffSession.account_id == account.id, StaffSession.ends_at <= at)
    )
    token = secrets.token_urlsafe(32)
    db.session.add(
        StaffSession(
            account_id=account.id,
            token_hash=hash_of(token),
            device=safe_line(device)[:120],
            way=way,
            factor_shown=factor_shown,
            begun_at=at,
            ends_at=at + LONGEST_SESSION,
        )
    )
    db.session.flush()
    logs.note("signed-in", account=account.id, way=way.value, second_factor=factor_shown)
    return token


def safe_line(text: str) -> str:
    """What a browser says of itself, without signs that no page may hold."""
    return "".join(sign for sign in text if sign.isprintable())


def end_session(token: str) -> None:
    """Sign out one browser."""
    own = StaffSession.token_hash == hash_of(token)
    account_id = db.session.scalar(select(StaffSession.account_id).where(own))
    if account_id is not None:
        db.session.execute(delete(StaffSession).where(own))
        logs.note("signed-out", account=account_id)


def end_one_of(account: Account, session_id: int) -> None:
    """Sign out one of the account's own browsers. Raises Missing when it is none of them."""
    own = select(StaffSession).where(StaffSession.id == session_id, StaffSession.account_id == account.id)
    db.session.delete(found(db.session.scalar(own)))


def end_sessions(account: Account, *, at: datetime, but: str = "") -> None:
    """End all sessions of the account, but for the one with this token."""
    query = delete(StaffSession).where(StaffSession.account_id == account.id, StaffSession.begun_at <= at)
    db.session.execute(query.where(StaffSession.token_hash != hash_of(but)))


class WrongPassword(Refused):
    """It is not the present password: somebody may be trying it out."""

    def __init__(self) -> None:
        super().__init__(_("The present password is not right."))


def change_password(account: Account, current: str, new: str, *, at: datetime, but: str) -> None:
    """Another password; every other browser is signed out. Raises Refused for a wrong or a poor one."""
    if not _verify(account.password_hash or _dummy(), current) or account.password_hash is None:
        logs.note("password-wrong", failed=True, account=account.id)
        raise WrongPassword
    account.password_hash = hash_password(new, (account.name, account.email))
    end_sessions(account, at=at, but=but)
    logs.note("password-changed", account=account.id)


def must_be_oneself(account: Account, password: str, token: str, *, at: datetime) -> None:
    """Raises Refused unless this browser has signed in within a quarter of an hour, or the password is right."""
    if is_fresh(token, at):
        return
    stored = account.password_hash
    if not _verify(stored or _dummy(), password) or stored is None:
        logs.note("password-wrong", failed=True, account=account.id)
        raise WrongPassword


def is_fresh(token: str, at: datetime) -> bool:
    """True when this browser has just signed in."""
    session = queries.session_by_token(token)
    return session is not None and timedelta(0) <= at - session.begun_at <= FRESH


@contextmanager
def unbelievable(words: str) -> Iterator[None]:
    """What a device or a service says is read by libraries; whatever they stumble over is refused with these words."""
    from webauthn.helpers.exceptions import WebAuthnException

    try:
        yield
    except (WebAuthnException, ValueError, TypeError, LookupError, OverflowError, RecursionError) as error:
        current_app.logger.warning("a passkey was not believed: %s", type(error).__name__)
        raise Refused(words) from error


# -- the second factor ------------------------------------------------


def secret_of(nonce: str) -> str:
    """The secret that belongs to a nonce, as authenticator apps read it."""
    return _secret_by(current_app.config["SECRET_KEY"], nonce)


def _secret_by(key: str, nonce: str) -> str:
    digest = hmac.new(key.encode(), b"second-factor:" + nonce.encode(), hashlib.sha256).digest()
    return base64.b32encode(digest[:20]).decode()


def _step_of(nonce: str, code: str, at: datetime) -> int | None:
    """The time step for which the code is right: the present one or a neighbour.

    An app that was set up under an earlier SECRET_KEY goes on working as long as that key is named as an old one.
    """
    keys = [current_app.config["SECRET_KEY"], *current_app.config["SECRET_KEY_FALLBACKS"]]
    makers = [pyotp.TOTP(_secret_by(key, nonce)) for key in keys]
    now = int(at.timestamp()) // makers[0].interval
    given = "".join(code.split()).encode()
    fits = [
        step
        for maker in makers
        for step in (now - 1, now, now + 1)
        if hmac.compare_digest(maker.generate_otp(step).encode(), given)
    ]
    return max(fits, default=None)


def begin_second_factor(account: Account, nonce: str, code: str, *, at: datetime, but: str) -> list[str]:
    """Ask for a code at every sign-in from now on; gives the recovery codes, which are shown once.

    Every other browser is signed out. Raises Refused for a wrong code, and when there is a second factor already.
    """
    if account.totp_nonce is not None:
        raise Refused(_("There is a second factor already. Please remove it first."))
    step = _step_of(nonce, code, at)
    if step is None:
        raise Refused(
            _("This code is not right. Please wait for the next one, and look at the clock of your device.")
        )
    account.totp_nonce, account.totp_step = nonce, step
    end_sessions(account, at=at, but=but)
    logs.note("second-factor-begun", account=account.id)
    return renew_recovery_codes(account)


def renew_recovery_codes(account: Account) -> list[str]:
    """Ten new codes of 125 random bits, so that a plain hash is enough; the earlier ones open nothing more."""
    db.session.execute(delete(RecoveryCode).where(RecoveryCode.account_id == account.id))
    codes = [
        "-".join("".join(secrets.choice(SIGNS) for _sign in range(5)) for _part in range(5))
        for _code in range(10)
    ]
    db.session.add_all(
        RecoveryCode(account_id=account.id, code_hash=_hash_of_code(account, code)) for code in codes
    )
    return codes


def _hash_of_code(account: Account, code: str) -> str:
    plain = "".join(sign for sign in code.upper() if sign.isalnum())
    return hash_of(f"recovery:{account.id}:{plain}")


def take_code(account: Account, code: str, *, at: datetime) -> bool:
    """True when the code of the app or a recovery code is right; neither is taken twice."""
    account = one_locked(select(Account).where(Account.id == account.id)) or account
    step = None if account.totp_nonce is None else _step_of(account.totp_nonce, code, at)
    if step is not None and step > account.totp_step:
        account.totp_step = step
        logs.note("code-taken", account=account.id)
        return True
    used = db.session.execute(
        delete(RecoveryCode).where(
            RecoveryCode.account_id == account.id, RecoveryCode.code_hash == _hash_of_code(account, code)
        )
    )
    is_good = bool(used.rowcount)  # type: ignore[attr-defined]
    logs.note("recovery-code-taken" if is_good else "code-wrong", failed=not is_good, account=account.id)
    return is_good


def end_second_factor(account: Account) -> None:
    """Ask for no code of an app any more."""
    account.totp_nonce, account.totp_step = None, 0
    logs.note("second-factor-ended", account=account.id)
    note_factors(account)


def end_all_factors(account: Account) -> None:
    """For somebody who has lost everything: neither app nor passkey is asked for."""
    for passkey in queries.passkeys_of(account):
        db.session.delete(passkey)  # one by one, so that the record says whose it was
    db.session.flush()
    end_second_factor(account)


def note_factors(account: Account) -> None:
    """With the last second factor the recovery codes go, and no session counts as guarded by what is no longer there."""
    db.session.flush()
    if queries.has_second_factor(account):
        return
    db.session.execute(delete(RecoveryCode).where(RecoveryCode.account_id == account.id))
    own = StaffSession.way.in_([Way.PASSWORD, Way.PASSKEY])
    gone = update(StaffSession).where(StaffSession.account_id == account.id, own).values(factor_shown=False)
    db.session.execute(gone.execution_options(synchronize_session=False))
