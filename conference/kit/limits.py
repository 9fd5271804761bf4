"""Rate limits: against guessing generous per address, because a whole agency may sit behind one; against flooding per device."""

import hashlib

from flask import Flask, session
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from limits import parse

from . import tries

limiter = Limiter(get_remote_address, default_limits=[])


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
    key = hashlib.sha256(who.strip().casefold().encode("utf-8", "replace")).hexdigest()
    return 0 if tries.one_more(limiter, item, what, key, get_remote_address()) else item.get_expiry()


def may_guess(what: str, who: str, limit: str = "10 per 10 minutes") -> bool:
    """Whether this address may still guess; counts nothing."""
    key = hashlib.sha256(who.strip().casefold().encode("utf-8", "replace")).hexdigest()
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
