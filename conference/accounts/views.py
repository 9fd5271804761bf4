"""Sign-in and sign-out, and what an account does for itself: password, sessions, second factor."""

from collections.abc import Callable
from urllib.parse import quote

from flask import abort, redirect, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from ..core.text import safe_next
from ..kit import access, clock, forms, pages
from ..kit.errors import Refused
from ..kit.limits import guessing, limiter, may_guess, too_many
from ..kit.links import hash_of, new_nonce
from ..kit.qr import qr_svg
from . import bp, operations, queries
from .forms import ChangePasswordForm, CodeForm, FactorForm, SignInForm
from .models import Account, Role

CODES = "20 per hour"
BROWSERS = (("Firefox", "Firefox"), ("Edg", "Edge"), ("Chrom", "Chrome"), ("Safari", "Safari"))
SYSTEMS = (
    ("Windows", "Windows"),
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Mac OS", "macOS"),
    ("Linux", "Linux"),
)
PERSONAS = {
    "organiser": Role.ORGANISER,
    "facilitator": Role.MODERATOR,
    "leadership": Role.LEADERSHIP,
}


@bp.route("/sign-in", methods=["GET", "POST"])
@access.public
@limiter.limit("60 per 10 minutes", methods=["POST"])
def sign_in() -> ResponseReturnValue:
    """Sign in with address and password; in demo mode with one click as one of the demo's people."""
    form = SignInForm()
    if request.method == "GET":
        form.next.data = request.args.get("next", "")
    if forms.submitted(form):
        if not may_guess("sign-in", form.email.data or ""):
            form.form_errors.append(_("That was too often wrong. Please wait ten minutes."))
            return pages.show("accounts/sign_in.html", form=form, status=429)
        account = operations.authenticate(form.email.data, form.password.data)
        if account is not None and account.totp_nonce is not None:
            access.half_sign_in(account.id, clock.now().timestamp())
            return redirect(url_for("accounts.enter_code", next=form.next.data or ""), 303)
        if account is not None:
            return _enter(account, form.next.data or "")
        guessing("sign-in", form.email.data or "")
        form.form_errors.append(_("This address and password do not fit together."))
    return pages.show("accounts/sign_in.html", form=form)


def _enter(account: Account, target: str) -> ResponseReturnValue:
    at = clock.now()
    access.sign_in(operations.begin_session(account, _device(), at=at), at.timestamp())
    return redirect(safe_next(target, url_for("overview.start")), 303)


def _device() -> str:
    """Which browser on what, in two words, for the list of sessions; nothing that tells machines apart."""
    said = request.headers.get("User-Agent", "")
    found = [next((name for sign, name in kinds if sign in said), "") for kinds in (BROWSERS, SYSTEMS)]
    return ", ".join(name for name in found if name)


@bp.route("/sign-in/code", methods=["GET", "POST"])
@access.public
@limiter.limit("60 per 10 minutes", methods=["POST"])
def enter_code() -> ResponseReturnValue:
    """The second step: a code of the app, or a recovery code."""
    account_id = access.half_signed_in(clock.now().timestamp())
    account = None if account_id is None else queries.account_by_id(account_id)
    if account is None or not account.active or account.totp_nonce is None:
        return redirect(url_for("accounts.sign_in"), 303)
    form = CodeForm()
    if request.method == "GET":
        form.next.data = request.args.get("next", "")
    if forms.submitted(form):
        if too_many("code", CODES, str(account.id)):
            form.form_errors.append(
                _("Too many codes were tried. Please wait an hour, or ask an administrator.")
            )
        elif operations.take_code(account, form.code.data or "", at=clock.now()):
            return _enter(account, form.next.data or "")
        else:
            form.form_errors.append(_("This code is not right, or was used already."))
    return pages.show("accounts/enter_code.html", form=form)


@bp.post("/persona/<name>")
@access.demonstration
def become(name: str) -> ResponseReturnValue:
    """Demo mode: one click makes the visitor one of the demo's staff."""
    if name not in PERSONAS:
        abort(404)
    account = queries.first_account_of(PERSONAS[name])
    if account is None:
        abort(404)
    return _enter(account, "")


@bp.post("/sign-out")
@access.public
def sign_out() -> ResponseReturnValue:
    """End the session in this browser."""
    operations.end_session(access.token())
    access.leave()
    response = redirect(url_for("accounts.sign_in"), 303)
    # The next person at this device finds neither pages nor drafts.
    response.headers["Clear-Site-Data"] = '"cache", "storage"'
    return response


# -- the own account --------------------------------------------------


@bp.route("/account", methods=["GET", "POST"])
@access.signed_in
def show_own() -> ResponseReturnValue:
    """The own account: a new password, the browsers that are signed in, the second factor."""
    account, form, at = access.account(), ChangePasswordForm(), clock.now()
    if forms.submitted(form):
        with pages.refusals(form):
            operations.change_password(
                account, form.current.data, form.password.data, at=at, but=access.token()
            )
            return pages.done(
                "accounts.show_own", _("The password has been saved; other browsers are signed out.")
            )
    return pages.show(
        "accounts/show_own.html",
        form=form,
        account=account,
        sessions=queries.sessions_of(account, at),
        this=hash_of(access.token()),
        codes=queries.codes_left(account),
    )


@bp.post("/account/sessions/<int:session_id>/closure")
@access.signed_in
def end_session(session_id: int) -> ResponseReturnValue:
    """Sign out one browser."""
    operations.end_one_of(access.account(), session_id)
    return pages.done("accounts.show_own", _("This browser is signed out."))


@bp.post("/account/sessions/closure")
@access.signed_in
def end_other_sessions() -> ResponseReturnValue:
    """Sign out every browser but this one."""
    operations.end_sessions(access.account(), at=clock.now(), but=access.token())
    return pages.done("accounts.show_own", _("All other browsers are signed out."))


@bp.route("/account/second-factor", methods=["GET", "POST"])
@access.signed_in
def begin_second_factor() -> ResponseReturnValue:
    """Scan a code, type what the app shows; then the recovery codes are shown, once."""
    account, form = access.account(), FactorForm()
    # The nonce waits in the signed cookie: looking at the page stores nothing.
    nonce = session.setdefault("factor", new_nonce())
    if forms.submitted(form):
        with pages.refusals(form):
            codes = operations.begin_second_factor(
                account, nonce, form.code.data or "", at=clock.now(), but=access.token()
            )
            session.pop("factor")
            return pages.show("accounts/show_codes.html", codes=codes)
    secret = operations.secret_of(nonce)
    address = f"otpauth://totp/Folgetermin:{quote(account.email)}?secret={secret}&issuer=Folgetermin"
    return pages.show(
        "accounts/begin_second_factor.html", form=form, secret=secret, svg=qr_svg(address), account=account
    )


@bp.post("/account/second-factor/removal")
@access.signed_in
def end_second_factor() -> ResponseReturnValue:
    """Ask for no code any more; a code shows that it is oneself."""
    return _with_code(_removed)


@bp.post("/account/recovery-codes")
@access.signed_in
def renew_codes() -> ResponseReturnValue:
    """Ten new recovery codes; a code shows that it is oneself."""
    return _with_code(_renewed)


def _removed(account: Account) -> ResponseReturnValue:
    operations.end_second_factor(account)
    return pages.done("accounts.show_own", _("The second factor has been removed."))


def _renewed(account: Account) -> ResponseReturnValue:
    return pages.show("accounts/show_codes.html", codes=operations.renew_recovery_codes(account))


def _with_code(do: Callable[[Account], ResponseReturnValue]) -> ResponseReturnValue:
    account, form = access.account(), FactorForm()
    if account.totp_nonce is None:
        raise Refused(_("There is no second factor."))
    if forms.submitted(form):
        if too_many("code", CODES, str(account.id)):
            form.form_errors.append(
                _("Too many codes were tried. Please wait an hour, or ask an administrator.")
            )
        elif operations.take_code(account, form.code.data or "", at=clock.now()):
            return do(account)
        else:
            form.form_errors.append(_("This code is not right, or was used already."))
    return pages.show("accounts/confirm_code.html", form=form, action=request.path)
