"""Signing in with a passkey, as the only step or as the second; making, naming and removing one's passkeys."""

from collections.abc import Callable
from typing import Any

from flask import Response, current_app, redirect, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from ..core.text import safe_next
from ..kit import access, clock, forms, logs, pages
from ..kit.db import found
from ..kit.errors import Refused
from ..kit.limits import limiter, may_guess
from . import bp, operations, passkeys, queries
from .forms import CodeForm, NewPasskeyForm, OneselfForm, PasskeyForm, PasskeyNameForm, SignInForm
from .models import Account, Passkey, Way
from .views import enter, guessed, half_way, show_second_step, show_sign_in

ALONE, SECOND, NEW = "alone", "second", "new"


def _ask(purpose: str, account: Account | None) -> str:
    """A challenge for this browser and this purpose; looking stores nothing but a cookie."""
    challenge = passkeys.new_challenge()
    owner = None if account is None else account.id
    session["challenge"] = [challenge, purpose, owner, int(clock.now().timestamp())]
    return challenge


def _asked(purpose: str, account: Account | None) -> str:
    """The challenge that this browser was given for this; it is given up whatever comes of it. Raises Refused."""
    challenge, what, owner, since = session.pop("challenge", ("", "", None, 0))
    late = not 0 <= int(clock.now().timestamp()) - since <= passkeys.LASTS.total_seconds()
    if what != purpose or late or owner != (None if account is None else account.id):
        logs.note("passkey-not-asked", failed=True, account="unknown" if account is None else account.id)
        raise Refused(_("This page was open for too long. Please try again."))
    return str(challenge)


def _json(text: str) -> Response:
    return current_app.response_class(text, mimetype="application/json")


# -- signing in -----------------------------------------------------------


@bp.get("/sign-in/passkey")
@access.public
def ask_passkey() -> ResponseReturnValue:
    """What the browser needs to let any passkey of this house answer."""
    found(passkeys.place())
    return _json(passkeys.options_to_answer(_ask(ALONE, None), None))


@bp.post("/sign-in/passkey")
@access.public
@limiter.limit("60 per 10 minutes")
def enter_passkey() -> ResponseReturnValue:
    """Sign in with a passkey alone: whoever holds it has shown the device that it is theirs."""
    form = PasskeyForm()
    if forms.submitted(form):
        with pages.refusals(form):
            account = passkeys.take(form.credential.data, _asked(ALONE, None), None, at=clock.now())
            return enter(account, Way.PASSKEY, form.next.data or "", factor_shown=True)
    other = SignInForm(formdata=None)
    other.next.data = form.next.data
    return _again(form, other, show_sign_in)


def _again(form: PasskeyForm, other: Any, show: Callable[[Any], ResponseReturnValue]) -> ResponseReturnValue:
    other.refused = form.refused
    other.form_errors.extend([*form.form_errors, *form.credential.errors])
    return show(other)


@bp.get("/sign-in/code/passkey")
@access.public
def ask_second_passkey() -> ResponseReturnValue:
    """What the browser needs to let one of the account's passkeys answer."""
    account = found(half_way())
    found(passkeys.place())
    return _json(passkeys.options_to_answer(_ask(SECOND, account), account))


@bp.post("/sign-in/code/passkey")
@access.public
@limiter.limit("60 per 10 minutes")
def enter_second_passkey() -> ResponseReturnValue:
    """The second step with a passkey instead of a code."""
    account = half_way()
    if account is None:
        return redirect(url_for("accounts.sign_in"), 303)
    form = PasskeyForm()
    if forms.submitted(form):
        with pages.refusals(form):
            way = Way(access.way())
            passkeys.take(form.credential.data, _asked(SECOND, account), account, at=clock.now())
            return enter(account, way, form.next.data or "", factor_shown=True)
        account = found(half_way())
    other = CodeForm(formdata=None)
    other.next.data = form.next.data
    return _again(form, other, lambda again: show_second_step(account, again))


# -- one's own passkeys ---------------------------------------------------


@bp.get("/account/passkeys/challenge")
@access.signed_in
@access.before_second_factor
def ask_new_passkey() -> ResponseReturnValue:
    """What the browser needs to make a passkey for this account."""
    account = access.account()
    found(passkeys.place())
    return _json(passkeys.options_to_make(account, _ask(NEW, account)))


@bp.route("/account/passkeys/new", methods=["GET", "POST"])
@access.signed_in
@access.before_second_factor
def new_passkey() -> ResponseReturnValue:
    """Make a passkey and give it a name; with the first second factor come the recovery codes, shown once."""
    account, form, at = access.account(), NewPasskeyForm(), clock.now()
    if forms.submitted(form):
        with pages.refusals(form):
            _must_be_oneself(account, form.password.data)
            passkeys.register(account, form.name.data, form.credential.data, _asked(NEW, account), at=at)
            return _made(account)
    return pages.show(
        "accounts/new_passkey.html",
        form=form,
        has_passkeys=passkeys.place() is not None,
        is_fresh=operations.is_fresh(access.token(), at),
        account=account,
    )


def _made(account: Account) -> ResponseReturnValue:
    target = safe_next(access.target(), url_for("accounts.show_own"))
    operations.end_sessions(account, at=clock.now(), but=access.token())
    if queries.codes_left(account):
        return redirect(target, 303)
    codes = operations.renew_recovery_codes(account)
    return pages.show("accounts/show_codes.html", codes=codes, target=target)


def _must_be_oneself(account: Account, password: str | None) -> None:
    if not may_guess("oneself", account.email):
        raise Refused(_("That was too often wrong. Please wait ten minutes."))
    with guessed(account):
        operations.must_be_oneself(account, password or "", access.token(), at=clock.now())


def _own(passkey_id: int) -> Passkey:
    return found(queries.passkey_of(access.account(), passkey_id))


@bp.route("/account/passkeys/<int:passkey_id>", methods=["GET", "POST"])
@access.signed_in
def rename_passkey(passkey_id: int) -> ResponseReturnValue:
    """Give a passkey another name."""
    passkey, form = _own(passkey_id), PasskeyNameForm()
    if request.method == "GET":
        form.name.data = passkey.name
    if forms.submitted(form):
        with pages.refusals(form):
            passkeys.rename(passkey, form.name.data)
            return pages.done("accounts.show_own", _("The name has been saved."))
        passkey = _own(passkey_id)
    return pages.show("accounts/rename_passkey.html", form=form, passkey=passkey)


@bp.route("/account/passkeys/<int:passkey_id>/removal", methods=["GET", "POST"])
@access.signed_in
def remove_passkey(passkey_id: int) -> ResponseReturnValue:
    """Take a passkey away, after a question; whoever signed in a while ago shows with the password that it is they."""
    passkey, form = _own(passkey_id), OneselfForm()
    if forms.submitted(form):
        with pages.refusals(form):
            _must_be_oneself(access.account(), form.password.data)
            passkeys.remove(passkey)
            return pages.done("accounts.show_own", _("The passkey has been removed."))
        passkey = _own(passkey_id)
    return pages.show(
        "accounts/remove_passkey.html",
        form=form,
        passkey=passkey,
        account=access.account(),
        is_fresh=operations.is_fresh(access.token(), clock.now()),
    )
