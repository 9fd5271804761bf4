"""Sign-in and sign-out, and what an account does for itself: password, sessions, second factor."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from urllib.parse import quote

from flask import abort, current_app, redirect, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from ..core.text import safe_next
from ..kit import access, clock, forms, pages
from ..kit.errors import Refused
from ..kit.limits import guessing, limiter, may_guess, too_many
from ..kit.links import hash_of, new_nonce
from ..kit.qr import qr_svg
from . import bp, operations, passkeys, queries
from .forms import ChangePasswordForm, CodeForm, FactorForm, SignInForm
from .models import Account, Role, Way

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
            return show_sign_in(form, status=429)
        account = operations.authenticate(form.email.data, form.password.data)
        if account is not None:
            return first_step(account, Way.PASSWORD, form.next.data or "")
        guessing("sign-in", form.email.data or "")
        form.form_errors.append(_("This address and password do not fit together."))
    return show_sign_in(form)


def show_sign_in(form: SignInForm, status: int | None = None) -> ResponseReturnValue:
    """The sign-in page with every way in that there is."""
    return pages.show(
        "accounts/sign_in.html",
        form=form,
        status=status,
        has_passkeys=passkeys.place() is not None,
        service=current_app.config["OIDC_ISSUER"]
        and (current_app.config["OIDC_NAME"] or _("Sign-in service")),
    )


def first_step(account: Account, way: Way, target: str) -> ResponseReturnValue:
    """Let somebody in, or ask for the second factor first where there is one."""
    if queries.has_second_factor(account):
        access.half_sign_in(account.id, clock.now().timestamp(), way.value)
        return redirect(url_for("accounts.enter_code", next=target), 303)
    return enter(account, way, target)


def enter(account: Account, way: Way, target: str, *, factor_shown: bool = False) -> ResponseReturnValue:
    """Sign this browser in and lead on."""
    at = clock.now()
    token = operations.begin_session(account, _device(), way=way, factor_shown=factor_shown, at=at)
    access.sign_in(token, at.timestamp())
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
    """The second step: a passkey, a code of the app, or a recovery code."""
    account = half_way()
    if account is None:
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
            return enter(account, Way(access.way()), form.next.data or "", factor_shown=True)
        else:
            form.form_errors.append(_("This code is not right, or was used already."))
    return show_second_step(account, form)


def half_way() -> Account | None:
    """Whose second step is to come, if they may come in at all."""
    account_id = access.half_signed_in(clock.now().timestamp())
    account = None if account_id is None else queries.account_by_id(account_id)
    is_right = account is not None and account.active and queries.has_second_factor(account)
    return account if is_right and access.way() in {way.value for way in Way} else None


def show_second_step(account: Account, form: CodeForm) -> ResponseReturnValue:
    """The page of the second step, with what the account has set up."""
    has_passkeys = passkeys.place() is not None and bool(queries.passkeys_of(account))
    return pages.show("accounts/enter_code.html", form=form, account=account, has_passkeys=has_passkeys)


@bp.post("/persona/<name>")
@access.demonstration
def become(name: str) -> ResponseReturnValue:
    """Demo mode: one click makes the visitor one of the demo's staff."""
    if name not in PERSONAS:
        abort(404)
    account = queries.first_account_of(PERSONAS[name])
    if account is None:
        abort(404)
    return enter(account, Way.PERSONA, "", factor_shown=True)


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
    is_slowed = False
    if forms.submitted(form):
        is_slowed = not may_guess("oneself", account.email)
        if is_slowed:
            form.form_errors.append(_("That was too often wrong. Please wait ten minutes."))
        else:
            with pages.refusals(form), guessed(account):
                operations.change_password(
                    account, form.current.data, form.password.data, at=at, but=access.token()
                )
                return pages.done(
                    "accounts.show_own", _("The password has been saved; other browsers are signed out.")
                )
    return pages.show(
        "accounts/show_own.html",
        form=form,
        status=429 if is_slowed else None,
        account=account,
        sessions=queries.sessions_of(account, at),
        this=hash_of(access.token()),
        codes=queries.codes_left(account),
        passkeys=queries.passkeys_of(account),
        has_passkeys=passkeys.place() is not None,
        identities=queries.identities_of(account),
    )


@contextmanager
def guessed(account: Account) -> Iterator[None]:
    """Count a wrong password of who is signed in already: the browser may have been left open to others."""
    try:
        yield
    except operations.WrongPassword:
        guessing("oneself", account.email)
        raise


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
@access.before_second_factor
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
            return pages.show("accounts/show_codes.html", codes=codes, target=_after_factor())
    secret = operations.secret_of(nonce)
    address = f"otpauth://totp/Folgetermin:{quote(account.email)}?secret={secret}&issuer=Folgetermin"
    return pages.show(
        "accounts/begin_second_factor.html", form=form, secret=secret, svg=qr_svg(address), account=account
    )


@bp.get("/account/second-factor/needed")
@access.signed_in
@access.before_second_factor
def need_factor() -> ResponseReturnValue:
    """Say why nothing opens before a second factor is set up, and how to do it."""
    if not access.visitor().is_held:
        return redirect(_after_factor(), 303)
    return pages.show("accounts/need_factor.html", has_passkeys=passkeys.place() is not None)


def _after_factor() -> str:
    return safe_next(access.target(), url_for("accounts.show_own"))


@bp.route("/account/second-factor/removal", methods=["GET", "POST"])
@access.signed_in
def end_second_factor() -> ResponseReturnValue:
    """Ask for no code any more; a code shows that it is oneself."""
    return _with_code(_removed)


@bp.route("/account/recovery-codes", methods=["GET", "POST"])
@access.signed_in
def renew_codes() -> ResponseReturnValue:
    """Ten new recovery codes; a code shows that it is oneself."""
    return _with_code(_renewed)


def _removed(account: Account) -> ResponseReturnValue:
    operations.end_second_factor(account)
    return pages.done("accounts.show_own", _("The second factor has been removed."))


def _renewed(account: Account) -> ResponseReturnValue:
    return pages.show("accounts/show_codes.html", codes=operations.renew_recovery_codes(account), target="")


def _with_code(do: Callable[[Account], ResponseReturnValue]) -> ResponseReturnValue:
    """Say what will happen and ask for a code; do it when the code is right."""
    account, form = access.account(), FactorForm()
    if not queries.has_second_factor(account):
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
    return pages.show(
        "accounts/confirm_code.html",
        form=form,
        action=request.path,
        account=account,
        is_removal=do is _removed,
        others=queries.passkeys_of(account),
    )
