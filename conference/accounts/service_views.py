"""Signing in by the sign-in service of the agency (OpenID Connect)."""

from typing import Any

from flask import abort, current_app, redirect, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from ..kit import access, clock, forms, logs, oidc, pages, unit
from ..kit.errors import Refused
from ..kit.limits import limiter
from . import bp, identities
from .forms import ServiceForm
from .models import Way
from .views import enter, first_step

LASTS = 600


@bp.get("/sign-in/service")
@access.public
@limiter.limit("120 per 10 minutes")
def ask_service() -> ResponseReturnValue:
    """Send the browser to the sign-in service; the cookie keeps what the answer must fit."""
    if not oidc.is_configured(current_app):
        abort(404)
    if request.headers.get("Sec-Fetch-Site") in {"cross-site", "same-site"}:
        # A link on a foreign page signs nobody in; a person chooses the way in here.
        return redirect(url_for("accounts.sign_in"), 303)
    try:
        address, begun = oidc.begin(_way_back())
    except oidc.ServiceFailed as failure:
        return _failed(failure)
    kept = [begun.state, begun.nonce, begun.verifier]
    session["service"] = [*kept, request.args.get("next", "")[:1000], int(clock.now().timestamp())]
    return redirect(address, 303)


def _way_back() -> str:
    return pages.absolute("accounts.return_from_service")


def _kept() -> tuple[oidc.Begun | None, str]:
    """What this browser has asked, and where it wanted to go."""
    kept = session.get("service")
    if kept is None or not 0 <= int(clock.now().timestamp()) - kept[4] <= LASTS:
        return None, ""
    return oidc.Begun(*kept[:3]), str(kept[3])


@bp.route("/sign-in/service/return", methods=["GET", "POST"])
@access.public
@limiter.limit("120 per 10 minutes")
@unit.own_transactions
def return_from_service() -> ResponseReturnValue:
    """Back from the service. A GET only shows a button, which a script presses; with the POST the answer is used, once."""
    if not oidc.is_configured(current_app):
        abort(404)
    form = ServiceForm(formdata=request.form if request.method == "POST" else request.args, meta=_meta())
    if request.method == "POST" and not forms.submitted(form):
        return _wrong("incomplete", _("The answer of the sign-in service is not complete. Please try again."))
    begun, target = _kept()
    if not oidc.is_same_state(begun, form.state.data or ""):
        return _wrong(
            "state",
            _("This answer does not belong to a sign-in that was begun in this browser. Please try again."),
        )
    if form.iss.data and form.iss.data != current_app.config["OIDC_ISSUER"]:
        return _wrong("issuer", _("This answer does not come from our sign-in service."))
    if request.args.get("error"):
        session.pop("service", None)
        return _wrong("denied", _("You were not signed in at the sign-in service."))
    if request.method == "GET":
        return pages.show("accounts/return_from_service.html", form=form)
    assert begun is not None
    return _arrived(form.code.data or "", begun, target)


def _meta() -> dict[str, Any]:
    return {"csrf": request.method == "POST"}


def _arrived(code: str, begun: oidc.Begun, target: str) -> ResponseReturnValue:
    # Given up whatever comes of it: the same answer is not used again from this browser, nor by the service.
    session.pop("service", None)
    try:
        person = oidc.person_behind(code, begun, _way_back())
    except oidc.ServiceFailed as failure:
        if not isinstance(failure, oidc.NotAnswering):
            logs.note("service-wrong", failed=True, why="answer")
        return _failed(failure)
    try:
        with unit.writing():
            account = identities.account_of(person, at=clock.now())
            if current_app.config["OIDC_SECOND_FACTOR"] == "service":
                return enter(account, Way.SERVICE, target, factor_shown=True)
            return first_step(account, Way.SERVICE, target)
    except Refused as refusal:
        return _page(refusal.message, 403)


def _failed(failure: oidc.ServiceFailed) -> ResponseReturnValue:
    current_app.logger.error("sign-in service: %s", failure)
    if isinstance(failure, oidc.NotAnswering):
        words = _("The sign-in service does not answer at the moment. Please try again in a few minutes.")
        return _page(words, 503)
    return _page(_("The sign-in service gave an answer that cannot be trusted. You were not signed in."), 502)


def _wrong(why: str, words: str) -> ResponseReturnValue:
    logs.note("service-wrong", failed=True, why=why)
    return _page(words, 403)


def _page(words: str, status: int) -> ResponseReturnValue:
    answer = pages.show("accounts/service_failed.html", reason=words, status=status)
    if status == 503:
        answer.headers["Retry-After"] = "60"
    return answer
