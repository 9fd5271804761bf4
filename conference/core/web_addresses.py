"""Addresses on the web, as settings and other servers name them."""

from urllib.parse import SplitResult, urlsplit

THIS_MACHINE = {"127.0.0.1", "::1", "localhost"}


def parsed(address: str) -> SplitResult | None:
    """The parts of an address; None where it is none, or names an impossible port."""
    try:
        parts = urlsplit(address)
        return parts if parts.port is None or parts.port else None
    except ValueError:
        return None


def is_safe_address(address: str) -> bool:
    """True for https, and for http on this machine: nobody else may hear what is said there."""
    parts = parsed(address)
    if parts is None or not parts.hostname:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in THIS_MACHINE)
