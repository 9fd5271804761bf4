"""Making accounts and checking passwords."""

import base64
import hashlib
import hmac
import secrets
from datetime import datetime, timedelta
from functools import cache
from string import ascii_uppercase, digits

import pyotp
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from flask import current_app
from flask_babel import gettext as _
from sqlalchemy import delete, select

from ..core.text import canonical_email, comparison_key
from ..kit import logs, passwords
from ..kit.db import db, found, one_locked
from ..kit.errors import Refused
from ..kit.links import hash_of
from .models import Account, RecoveryCode, Role, StaffSession
from .queries import account_by_email

SHORTEST, LONGEST = 12, 1024
FEWEST_DIFFERENT = 5
LONGEST_SESSION = timedelta(hours=8)
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
        password_hash=None if password is None else hash_password(password, email, name),
        created_at=at,
    )
    db.session.add(account)
    return account


def hash_password(password: str, *about: str) -> str:
    """Argon2id hash of an acceptable password, else Refused; `about` are name and address of whom it belongs to."""
    if not SHORTEST <= len(password) <= LONGEST:
        raise Refused(_("Please choose a password of at least %(num)d characters.", num=SHORTEST))
    if len(set(password.casefold())) < FEWEST_DIFFERENT:
        raise Refused(_("This password is too easy to guess. Please choose another one."))
    if passwords.was_leaked(password):
        raise Refused(_("This password stands in lists of stolen passwords. Please choose another one."))
    if passwords.is_known_here(password, about):
        raise Refused(
            _("This password consists of words that others guess first. Please choose another one.")
        )
    return _hasher.hash(password)


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
        account.password_hash = _hasher.hash(password)
    return account


def _verify(stored: str, password: str) -> bool:
    # What is longer than any password of ours costs no more, and is never right.
    said = password.encode("utf-8", "replace") if len(password) <= LONGEST else b""
    try:
        return _hasher.verify(stored, said)
    except (VerificationError, InvalidHashError):
        return False


def begin_session(account: Account, device: str, *, at: datetime) -> str:
    """Sign in one browser; gives the token for its cookie. Sessions that are over are forgotten on the way."""
    db.session.execute(
        delete(StaffSession).where(StaffSession.account_id == account.id, StaffSession.ends_at <= at)
    )
    token = secrets.token_urlsafe(32)
    db.session.add(
        StaffSession(
            account_id=account.id,
            token_hash=hash_of(token),
            device=safe_line(device)[:120],
            begun_at=at,
            ends_at=at + LONGEST_SESSION,
        )
    )
    db.session.flush()
    logs.note("signed-in", account=account.id, second_factor=account.totp_nonce is not None)
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


def change_password(account: Account, current: str, new: str, *, at: datetime, but: str) -> None:
    """Another password; every other browser is signed out. Raises Refused for a wrong or a poor one."""
    if not _verify(account.password_hash or _dummy(), current) or account.password_hash is None:
        logs.note("password-wrong", failed=True, account=account.id)
        raise Refused(_("The present password is not right."))
    account.password_hash = hash_password(new, account.email, account.name)
    end_sessions(account, at=at, but=but)
    logs.note("password-changed", account=account.id)


# -- the second factor ------------------------------------------------


def secret_of(nonce: str) -> str:
    """The secret that belongs to a nonce, as authenticator apps read it."""
    key = current_app.config["SECRET_KEY"].encode()
    digest = hmac.new(key, b"second-factor:" + nonce.encode(), hashlib.sha256).digest()
    return base64.b32encode(digest[:20]).decode()


def _step_of(nonce: str, code: str, at: datetime) -> int | None:
    """The time step for which the code is right: the present one or a neighbour."""
    maker = pyotp.TOTP(secret_of(nonce))
    now = int(at.timestamp()) // maker.interval
    given = "".join(code.split()).encode()
    fits = [
        step
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
    """Ask for no code any more; the recovery codes go too."""
    account.totp_nonce, account.totp_step = None, 0
    logs.note("second-factor-ended", account=account.id)
    db.session.execute(delete(RecoveryCode).where(RecoveryCode.account_id == account.id))
