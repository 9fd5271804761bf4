"""Rate limits: against guessing generous per address, because a whole agency may sit behind one; against flooding per device."""

import hashlib

from flask import Flask, Response, request, session
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from limits import parse

from . import tries

limiter = Limiter(get_remote_address, default_limits=[])


def _own() -> str:
    """A guest's personal link, by the signed cookie: each person behind an address counts for themselves."""
    return f"link {session['guest']}" if "guest" in session else get_remote_address()


def _has_acted(response: Response) -> bool:
    return response.status_code < 400


acts_of_one_guest = limiter.shared_limit(
    "12 per hour", scope="acts", key_func=_own, methods=["POST"], deduct_when=_has_acted
)
"""On what a guest sends and a letter follows: nobody makes the house write dozens of letters. What was refused counts nothing."""
answers_of_one_guest = limiter.shared_limit(
    "60 per hour", scope="answers", key_func=_own, methods=["POST"], deduct_when=_has_acted
)
"""On what else a guest sends and rows are kept of."""


def per_token() -> str:
    """A secret in the address counts for itself; who tries out many is slowed elsewhere (`kit.guesses`)."""
    return _digest(str((request.view_args or {}).get("token", "")))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()


def init(app: Flask) -> None:
    """Set up Flask-Limiter with its memory (or the configured storage)."""
    limiter.init_app(app)


def guessing(what: str, who: str, limit: str = "10 per 10 minutes") -> int:
    """Count one more wrong guess at somebody's secret from this address: 0, or the seconds to wait beyond the limit.

    Whoever comes from elsewhere is not slowed: nobody can lock somebody else out.
    """
    if not limiter.enabled:
        return 0
    item = parse(limit)
    key = _digest(who.strip().casefold())
    return 0 if tries.one_more(limiter, item, what, key, get_remote_address()) else item.get_expiry()


def may_guess(what: str, who: str, limit: str = "10 per 10 minutes") -> bool:
    """Whether this address may still guess; counts nothing."""
    key = _digest(who.strip().casefold())
    return not limiter.enabled or tries.is_one_left(limiter, parse(limit), what, key, get_remote_address())


def too_fast(what: str, *, device: str, address: str) -> int:
    """Count one more of `what` for this device and its address: 0, or the seconds to wait beyond a limit ("30 per minute").

    A device is known by its session. Who throws the session away each time is one of many behind the address.
    """
    if not limiter.enabled:
        return 0
    secret = session.get("csrf_token")
    keys = [(address, get_remote_address())]
    if secret is not None:
        keys.insert(0, (device, hashlib.sha256(str(secret).encode()).hexdigest()))
    for limit, key in keys:
        item = parse(limit)
        if not limiter.limiter.hit(item, what, key):
            return item.get_expiry()
    return 0


def too_many(what: str, limit: str, key: str) -> bool:
    """Count one more of `what` for this key, wherever it comes from: True beyond the limit ("20 per hour")."""
    return bool(limiter.enabled) and not tries.one_more(limiter, parse(limit), what, key)
