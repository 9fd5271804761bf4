"""Who may come in. Every view carries a mark; a view without one is closed.

`public` – anybody. `staff(*roles)` – a signed-in account with one of the roles.
`guest` – a person who came by a personal link (exchanged by POST for the session cookie).
What a visitor may not see is 404; a staff page without sign-in leads to the sign-in page.
The roles are those at the place that the address names (its conference, its series, or neither); they are read anew with
every request, so that a role which was taken away or has ended opens nothing more.
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from flask import Flask, abort, current_app, g, redirect, request, session, url_for
from werkzeug.wrappers import Response

from . import clock, logs

MINUTE = 60
IDLE = 30 * MINUTE
HALF = 10 * MINUTE
F = TypeVar("F", bound=Callable[..., Any])

ADMIN, ORGANISER, MODERATOR, LEADERSHIP = "admin", "organiser", "moderator", "leadership"
MINUTE_TAKER, DOOR, COLLEAGUE = "minute_taker", "door", "colleague"
EVERY_ROLE = (ADMIN, ORGANISER, MODERATOR, MINUTE_TAKER, DOOR, LEADERSHIP)
RECORDING = (ADMIN, ORGANISER, MINUTE_TAKER)
CHECKING_IN = (ADMIN, ORGANISER, DOOR)
READING = (ADMIN, ORGANISER, MINUTE_TAKER, LEADERSHIP)
RUNNING = (ADMIN, ORGANISER, MODERATOR, MINUTE_TAKER)
RELEASED = (ADMIN, ORGANISER, MODERATOR, MINUTE_TAKER, LEADERSHIP)
NAMES = "names"
"""No role but a leave, beside leadership: to read the names of participants in results (see `Grant.with_names`)."""


@dataclass(frozen=True)
class Rule:
    """What a view asks of its visitor."""

    kind: str
    roles: tuple[str, ...] = ()


@dataclass
class Visitor:
    """Who is asking: a staff account with its roles at this address, a guest with a personal link, both or nobody."""

    account: Any = None
    guest: Any = None
    roles: frozenset[str] = frozenset()
    is_held: bool = False
    """Signed in, but nothing opens before a second factor is set up."""

    def may(self, *roles: str) -> bool:
        """True when the account has one of the roles here."""
        return not self.roles.isdisjoint(roles)

    @property
    def works_at_all_tables(self) -> bool:
        """True for those to whom the whole conference is open; a facilitator has the groups that were given to them."""
        return self.may(ADMIN, ORGANISER)

    @property
    def reads_names(self) -> bool:
        """False for leadership that was not given leave: it reads of organisations, never of persons."""
        return self.may(NAMES, *RUNNING)


def counts_exactly(roles: frozenset[str]) -> bool:
    """True for those who work with people or read their names; to others a small number of people could point at some of them."""
    return not roles.isdisjoint((NAMES, DOOR, *RUNNING))


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
    """Open to organisers and facilitators. The view itself keeps facilitators to the groups that they were given."""
    return _mark(Rule("staff", (ADMIN, ORGANISER, MODERATOR)))(view)


def runners(view: F) -> F:
    """Open to those who must know how the day runs."""
    return _mark(Rule("staff", RUNNING))(view)


def minute_takers(view: F) -> F:
    """Open to those who write down what is said and decided."""
    return _mark(Rule("staff", RECORDING))(view)


def door(view: F) -> F:
    """Open to those who check people in."""
    return _mark(Rule("staff", CHECKING_IN))(view)


def readers(view: F) -> F:
    """Open to those who read what came of it; not to the door, and not to facilitators, who have their own groups."""
    return _mark(Rule("staff", READING))(view)


def readers_of_releases(view: F) -> F:
    """Open to those who read what was released: everybody but the door."""
    return _mark(Rule("staff", RELEASED))(view)


def administrators(view: F) -> F:
    """Open to administrators of the house."""
    return _mark(Rule("staff", (ADMIN,)))(view)


def signed_in(view: F) -> F:
    """Open to every account, for what is its own; a role is not asked for."""
    return _mark(Rule("staff", (*EVERY_ROLE, COLLEAGUE)))(view)


def before_second_factor(view: F) -> F:
    """Open already to who must set up a second factor before anything else."""
    view.before_second_factor = True  # type: ignore[attr-defined]
    return view


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
    view = current_app.view_functions[request.endpoint]
    if rule.kind == "staff" and not getattr(view, "before_second_factor", False):
        return held_back()
    return None


def held_back() -> Response | None:
    """Lead a visitor who must set up a second factor first to the page that says so; it remembers where they wanted to go."""
    if not visitor().is_held:
        return None
    if request.method in {"GET", "HEAD"}:
        session["target"] = request.full_path.rstrip("?")
    return redirect(url_for("accounts.need_factor"), 303)


def target() -> str:
    """Where somebody wanted to go who was held back; asked once."""
    return str(session.pop("target", ""))


def _is_open(rule: Rule) -> bool:
    config = current_app.config
    if rule.kind == "public":
        return True
    if rule.kind == "guest":
        return visitor().guest is not None
    if rule.kind == "staff":
        return visitor().account is not None and visitor().may(*rule.roles)
    if rule.kind == "developer":
        return bool(config["DEMO"] or current_app.debug or current_app.testing)
    return rule.kind == "demo" and bool(config["DEMO"])


def visitor() -> Visitor:
    """Who is asking, read once per request."""
    if "visitor" not in g:
        loaders = current_app.extensions["access"]
        account = loaders["account"](session["account"]) if "account" in session else None
        roles = frozenset() if account is None else loaders["roles"](account, request.view_args or {})
        came = _visit()
        g.visitor = Visitor(
            account=account,
            guest=None if came is None else loaders["guest"](*came),
            roles=roles,
            is_held=account is not None and loaders["is_held"](account),
        )
    found: Visitor = g.visitor
    return found


def _visit() -> tuple[int, str] | None:
    """The personal link by which a guest came, and the secret of this browser's visit; one without the other opens nothing."""
    return (session["guest"], session["visit"]) if "guest" in session and "visit" in session else None


def account() -> Any:
    """The signed-in account; only in staff views."""
    return visitor().account


def handed_out(what: str, conference_id: int, contact_id: int | None = None) -> None:
    """Write down that a file with people's data goes to who is signed in: which list of which conference, or about whom.

    In the log, not in the record: a GET writes nothing to the database, and reading goes on when nothing can be written.
    """
    about: dict[str, Any] = {} if contact_id is None else {"contact": contact_id}
    logs.note("handed-out", what=what, conference=conference_id, account=account().id, **about)


def link() -> Any:
    """The guest's personal link; only in guest views."""
    return visitor().guest


def sign_in(token: str, seen: float) -> None:
    """Begin a staff session under a fresh cookie; a guest session in the same browser ends."""
    _fresh_session()
    session.update(account=token, seen=int(seen))


def token() -> str:
    """The token of the staff session in this browser."""
    return str(session.get("account", ""))


def half_sign_in(account_id: int, seen: float, way: str) -> None:
    """The first step was right, the second is still to come: nobody is signed in."""
    _fresh_session()
    session.update(half=[account_id, int(seen)], way=way)


def half_signed_in(now: float) -> int | None:
    """The account whose second step is to come, for ten minutes."""
    account_id, since = session.get("half", (None, 0))
    return account_id if account_id is not None and 0 <= int(now) - since < HALF else None


def way() -> str:
    """How the first step was made."""
    return str(session.get("way", ""))


def is_idle(now: float) -> bool:
    """True when nothing was asked for so long that the staff session is over. The cookie knows, so that no GET writes."""
    seen = int(session.get("seen", 0))
    return int(now) - seen - clock.leapt_since(seen) > IDLE


def note_seen(now: float) -> None:
    """Staff who go on working stay signed in; once a minute is enough."""
    known = g.get("visitor")
    if known is not None and known.account is not None and int(now) - int(session.get("seen", 0)) > MINUTE:
        session["seen"] = int(now)


def enter_as_guest(link_id: int) -> None:
    """Begin a guest session, after the personal link was exchanged by POST.

    The form token stays: a button pressed twice, or another open page of the same link, must not end at an error.
    """
    kept = {key: session[key] for key in ("account", "seen", "csrf_token") if key in session}
    _fresh_session()
    session.update(kept, guest=link_id, visit=secrets.token_urlsafe(16))


def leave() -> None:
    """End the session."""
    _fresh_session()


def _fresh_session() -> None:
    """Nothing of the old session is left here, and a guest's is over for whoever holds a copy of its cookie."""
    if left := _visit():
        current_app.extensions["access"]["leave"](*left)
    session.clear()
    g.pop("visitor", None)


def opens(endpoint: str, roles: frozenset[str]) -> bool:
    """True when somebody with these roles may open the page: for navigation, so that nobody is led to a closed door."""
    rule = rule_of(endpoint)
    return rule is not None and (rule.kind == "public" or not roles.isdisjoint(rule.roles))


def init(
    app: Flask,
    *,
    account: Callable[[str], Any],
    guest: Callable[[int, str], Any],
    leave: Callable[[int, str], None],
    roles: Callable[[Any, dict[str, Any]], frozenset[str]],
    is_held: Callable[[Any], bool],
) -> None:
    """Register who knows accounts, their roles, personal links and visits that are over; the kit itself knows no room."""
    app.extensions["access"] = {
        "account": account,
        "guest": guest,
        "leave": leave,
        "roles": roles,
        "is_held": is_held,
    }
    setattr(app.view_functions["static"], "access_rule", Rule("public"))  # noqa: B010
