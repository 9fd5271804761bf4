"""Sign-in and sign-out."""

from flask import abort, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from ..core.text import safe_next
from ..kit import access, forms, pages
from ..kit.limits import guessing, limiter, may_guess
from . import bp, operations, queries
from .forms import SignInForm
from .models import Role

PERSONAS = {"organiser": Role.ORGANISER, "leadership": Role.LEADERSHIP}


@bp.route("/sign-in", methods=["GET", "POST"])
@access.public
@limiter.limit("60 per 10 minutes", methods=["POST"])
def sign_in() -> ResponseReturnValue:
    """Sign in with address and password; in demo mode with one click as one of three people."""
    form = SignInForm()
    if request.method == "GET":
        form.next.data = request.args.get("next", "")
    if forms.submitted(form):
        if not may_guess("sign-in", form.email.data or ""):
            form.form_errors.append(_("That was too often wrong. Please wait ten minutes."))
            return pages.show("accounts/sign_in.html", form=form, status=429)
        account = operations.authenticate(form.email.data, form.password.data)
        if account is not None:
            access.sign_in(account.session_key)
            return redirect(safe_next(form.next.data or "", url_for("overview.start")), 303)
        guessing("sign-in", form.email.data or "")
        form.form_errors.append(_("This address and password do not fit together."))
    return pages.show("accounts/sign_in.html", form=form)


@bp.post("/persona/<name>")
@access.demonstration
def become(name: str) -> ResponseReturnValue:
    """Demo mode: one click makes the visitor one of the demo's staff."""
    if name not in PERSONAS:
        abort(404)
    account = queries.first_account_of(PERSONAS[name])
    if account is None:
        abort(404)
    access.sign_in(account.session_key)
    return redirect(url_for("overview.start"), 303)


@bp.post("/sign-out")
@access.public
def sign_out() -> ResponseReturnValue:
    """End the session in this browser."""
    access.leave()
    response = redirect(url_for("accounts.sign_in"), 303)
    response.headers["Clear-Site-Data"] = '"cache"'
    return response
