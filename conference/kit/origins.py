"""Who may ask for a change: pages of our own. Browsers say where a request comes from; a foreign page gets 403 (T08).

The form token of Flask-WTF is asked for as well. Programs that are no browser say nothing, and have the token alone.
"""

from urllib.parse import urlsplit

from flask import Flask, abort, current_app, request

from .unit import SAFE_METHODS

OURS = {"same-origin", "none"}


def init(app: Flask) -> None:
    """Look at each request before anything else does."""
    app.before_request(_check)


def _check() -> None:
    view = current_app.view_functions.get(request.endpoint or "")
    if request.method in SAFE_METHODS or getattr(view, "from_mail_programs", False):
        return
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None and site not in OURS:
        abort(403)
    origin = request.headers.get("Origin")
    if origin is not None and not _is_ours(origin, site):
        abort(403)


def _is_ours(origin: str, site: str | None) -> bool:
    base = str(current_app.config["BASE_URL"])
    if origin == "null":
        # Our own Referrer-Policy makes browsers write this for our own forms too. Where it is safe to believe them they
        # say more; without TLS they do not, and the form token has to be enough.
        return site == "same-origin" or (site is None and base.startswith("http://"))
    return origin in {_origin_of(base), f"{request.scheme}://{request.host}"}


def _origin_of(address: str) -> str:
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}"
