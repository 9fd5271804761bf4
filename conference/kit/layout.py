"""What every page gets: language, theme, visitor, the demo's banner; and the switches for the first two."""

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

from flask import Blueprint, Flask, abort, current_app, redirect, request, url_for
from flask_babel import lazy_gettext as _l
from markupsafe import Markup
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response

from ..core.text import safe_next
from . import access, clock, language

THEMES = ("auto", "light", "dark")
YEAR = 365 * 24 * 3600
FOOTER = [
    (_l("Privacy"), "overview.privacy"),
    (_l("Accessibility"), "overview.accessibility"),
    (_l("Report a barrier"), "privacy.give_feedback"),
    (_l("Imprint"), "overview.imprint"),
]
bp = Blueprint("layout", __name__)

# Pages that are no item of the navigation themselves, and the item that they belong to.
BELONGS: dict[str, str] = {}


def belongs(item: str, *endpoints: str) -> None:
    """Say which further pages light up an item of the navigation."""
    BELONGS.update(dict.fromkeys(endpoints, item))


@bp.get("/language/<code>")
@access.public
def choose_language(code: str) -> Response:
    """Remember the language in a cookie and go back."""
    return _remember("lang", code, tuple(language.LANGUAGES))


@bp.get("/theme/<name>")
@access.public
def choose_theme(name: str) -> Response:
    """Remember light or dark in a cookie and go back."""
    return _remember("theme", name, THEMES)


def _remember(cookie: str, value: str, allowed: tuple[str, ...]) -> Response:
    if value not in allowed:
        abort(404)
    response = redirect(safe_next(request.args.get("next", ""), "/"), 303)
    secure = current_app.config["SESSION_COOKIE_SECURE"]
    name = language.remembered_as(cookie)
    response.set_cookie(name, value, max_age=YEAR, httponly=True, samesite="Lax", secure=secure)
    return response


def asset(path: str) -> str:
    """The address of a static file with its version."""
    versions = current_app.extensions.setdefault("asset_versions", {})
    if path not in versions or current_app.debug:
        file = Path(current_app.static_folder or "", path)
        versions[path] = f"{int(file.stat().st_mtime):x}" if file.exists() else "0"
    return _asset(path, versions[path], request.script_root if request else None)


@lru_cache(maxsize=256)
def _asset(path: str, version: str, _root: str | None) -> str:
    return url_for("static", filename=path, v=version)


@lru_cache(maxsize=256)
def _address(endpoint: str, _root: str) -> str:
    return url_for(endpoint)


def remembered(macro: Callable[..., Markup]) -> Callable[..., Markup]:
    """A macro that depends on nothing but its arguments, drawn once for each of them: icons and badges stand in every row.

    Arguments of different types are told apart, or a text with signs of HTML would be taken for one that is safe.
    """
    return lru_cache(maxsize=1024, typed=True)(macro)


def current_path() -> str:
    """Where the language and theme links lead back to: this page, or the nearest one above an address that only takes forms."""
    if request.method in {"GET", "HEAD"}:
        return request.full_path.rstrip("?")
    path = request.path
    while path and not _can_be_opened(path):
        path = path.rpartition("/")[0]
    return path or "/"


def _can_be_opened(path: str) -> bool:
    adapter = current_app.create_url_adapter(request)
    try:
        return adapter is not None and bool(adapter.match(path, method="GET"))
    except HTTPException:
        return False


def _context() -> dict[str, Any]:
    if not request:
        return {"lang": language.current()}
    shifted = clock.is_shifted()
    return {
        "lang": language.current(),
        "languages": language.LANGUAGES,
        "theme": request.cookies.get(language.remembered_as("theme"), "auto"),
        "visitor": _visitor(),
        "demo_banner": clock.now() if shifted else None,
        "current_path": current_path(),
        "footer_links": [(label, _address(endpoint, request.script_root)) for label, endpoint in FOOTER],
        "nav_items": current_app.extensions["main_navigation"](_visitor()),
        "house_items": current_app.extensions["house_navigation"](_visitor()),
        "sign_out_url": _address("accounts.sign_out", request.script_root),
        "may_open": _may_open,
        "account_links": [(_l("My account"), _address("accounts.show_own", request.script_root))],
        "DEMO": current_app.config["DEMO"],
    }


def _visitor() -> access.Visitor:
    # An error page must come up even when the database is the error.
    try:
        return access.visitor()
    except Exception:  # noqa: BLE001 - whatever is broken, the error page must come up
        return access.Visitor()


def _may_open(endpoint: str) -> bool:
    """For templates: no link or button leads to a door that is closed to the visitor here."""
    return access.opens(endpoint, _visitor().roles)


def init(app: Flask) -> None:
    """Register the switches and the context of every page."""
    app.register_blueprint(bp)
    app.context_processor(_context)
    app.jinja_env.globals.update(asset=asset, Markup=Markup, remembered=remembered)
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True
    app.jinja_env.autoescape = True
