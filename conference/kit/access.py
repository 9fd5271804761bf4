"""Who may come in. Every view carries a mark; a view without one is closed.

`public` – anybody. `staff(*roles)` – a signed-in account with one of the roles.
`guest` – a person who came by a personal link (exchanged by POST for the session cookie).
What a visitor may not see is 404; a staff page without sign-in leads to the sign-in page.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from flask import Flask, abort, current_app, g, redirect, request, session, url_for
from werkzeug.wrappers import Response

F = TypeVar("F", bound=Callable[..., Any])

ADMIN, ORGANISER, MODERATOR, LEADERSHIP = "admin", "organiser", "moderator", "leadership"
EVERY_ROLE = (ADMIN, ORGANISER, MODERATOR, LEADERSHIP)


@dataclass(frozen=True)
class Rule:
    """What a view asks of its visitor."""

    kind: str
    roles: tuple[str, ...] = ()


@dataclass
class Visitor:
    """Who is asking: a staff account, a guest with a personal link, both or nobody."""

    account: Any = None
    guest: Any = None


def _mark(rule: Rule) -> Callable[[F], F]:
    def mark(view: F) -> F:
        view.access_rule = rule  # type: ignore[attr-defined]
        return view

    return mark


def public(view: F) -> F:
    """Open to anybody."""
    return _mark(Rule("public"))(view)


def from_mail_programs(view: F) -> F:
    """Takes a POST without our form token and from anywhere: mail programs press a button of a letter (RFC 8058).

    The address itself must hold a secret that is good for nothing but this.
    """
    view.from_mail_programs = True  # type: ignore[attr-defined]
    return view


def guest(view: F) -> F:
    """Open to a guest with a valid personal link."""
    return _mark(Rule("guest"))(view)


def staff(*roles: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Open to signed-in accounts with one of the roles (none named: every role)."""
    return _mark(Rule("staff", roles or EVERY_ROLE))


def organisers(view: F) -> F:
    """Open to organisers and administrators."""
    return _mark(Rule("staff", (ADMIN, ORGANISER)))(view)


def moderators(view: F) -> F:
    """Open to organisers, moderators and administrators: everybody who works on the day."""
    return _mark(Rule("staff", (ADMIN, ORGANISER, MODERATOR)))(view)


def developers(view: F) -> F:
    """Open to anybody in debug, demo and test mode, closed in production."""
    return _mark(Rule("developer"))(view)


def demonstration(view: F) -> F:
    """Open to anybody in demo mode only."""
    return _mark(Rule("demo"))(view)


def rule_of(endpoint: str) -> Rule | None:
    """The mark of an endpoint, for the check and for the test that names unmarked routes."""
    view = current_app.view_functions.get(endpoint)
    return getattr(view, "access_rule", None)


def check() -> Response | None:
    """Let the visitor pass (None), send them to the sign-in page, or answer 404."""
    if request.endpoint is None:
        return None
    rule = rule_of(request.endpoint)
    if rule is None or not _is_open(rule):
        if (
            rule is not None
            and rule.kind == "staff"
            and visitor().account is None
            and request.method in {"GET", "HEAD"}
        ):
            return redirect(url_for("accounts.sign_in", next=request.full_path.rstrip("?")), 303)
        abort(404)
    return None


def _is_open(rule: Rule) -> bool:
    config = current_app.config
    if rule.kind == "public":
        return True
    if rule.kind == "guest":
        return visitor().guest is not None
    if rule.kind == "staff":
        account = visitor().account
        return account is not None and account.role.value in rule.roles
    if rule.kind == "developer":
        return bool(config["DEMO"] or current_app.debug or current_app.testing)
    return rule.kind == "demo" and bool(config["DEMO"])


def visitor() -> Visitor:
    """Who is asking, read once per request."""
    if "visitor" not in g:
        loaders = current_app.extensions["access"]
        g.visitor = Visitor(
            account=loaders["account"](session["account"]) if "account" in session else None,
            guest=loaders["guest"](session["guest"]) if "guest" in session else None,
        )
    found: Visitor = g.visitor
    return found


def account() -> Any:
    """The signed-in account; only in staff views."""
    return visitor().account


def link() -> Any:
    """The guest's personal link; only in guest views."""
    return visitor().guest


def sign_in(session_key: str) -> None:
    """Begin a staff session under a fresh cookie; a guest session in the same browser ends."""
    _fresh_session()
    session["account"] = session_key


def enter_as_guest(link_id: int) -> None:
    """Begin a guest session, after the personal link was exchanged by POST.

    The form token stays: a button pressed twice, or another open page of the same link, must not end at an error.
    """
    kept = {key: session[key] for key in ("account", "csrf_token") if key in session}
    _fresh_session()
    session.update(kept, guest=link_id)


def leave() -> None:
    """End the session."""
    _fresh_session()


def _fresh_session() -> None:
    session.clear()
    g.pop("visitor", None)


def init(app: Flask, *, account: Callable[[str], Any], guest: Callable[[int], Any]) -> None:
    """Register the loaders of accounts and personal links; the kit itself knows no room."""
    app.extensions["access"] = {"account": account, "guest": guest}
    setattr(app.view_functions["static"], "access_rule", Rule("public"))  # noqa: B010
