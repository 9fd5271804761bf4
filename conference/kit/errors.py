"""What can go wrong on purpose, and the pages that say so."""

import sqlite3
from http import HTTPStatus

from flask import Flask, current_app, g, render_template, request
from flask.globals import request_ctx
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import IntegrityError, SQLAlchemyError
from werkzeug.exceptions import HTTPException, InternalServerError

from . import access, language, logs, outage
from .pdf import PdfFailed


class Refused(Exception):
    """A rule of the house forbids it; the message is a translated sentence for the person."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = str(message)


class Missing(LookupError):
    """The thing does not exist, or not for this person: 404."""


class Stale(Refused):
    """Somebody saved another version meanwhile: carries both texts for the comparison page."""

    def __init__(self, mine: str, theirs: str, *, version: int, message: str | None = None) -> None:
        super().__init__(message or _("Somebody else has changed this meanwhile. Nothing of yours is lost."))
        self.mine, self.theirs, self.version = mine, theirs, version


def check_version(sent: int | None, current: int, *, mine: str = "", theirs: str = "") -> None:
    """Raise Stale when a form started from another version than the current one."""
    if sent is not None and sent != current:
        raise Stale(mine, theirs, version=current)


def init(app: Flask) -> None:
    """Register the error pages."""
    app.register_error_handler(Refused, _refused)
    app.register_error_handler(Missing, _missing)
    app.register_error_handler(IntegrityError, _raced)
    for kind in (SQLAlchemyError, sqlite3.Error, OSError, outage.Unavailable):
        app.register_error_handler(kind, _unavailable)
    app.register_error_handler(PdfFailed, _no_pdf)
    app.register_error_handler(CSRFError, _expired_form)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(Exception, _crashed)


def _refused(error: Refused) -> ResponseReturnValue:
    return render_template("errors/refused.html", reason=error.message, status=409), 409


def _missing(_error: Missing) -> ResponseReturnValue:
    return _page(HTTPStatus.NOT_FOUND), 404


def _raced(error: IntegrityError) -> ResponseReturnValue:
    current_app.logger.warning("two writers met: %s", type(error.orig).__name__)
    reason = _("Somebody else was faster, or this was sent twice. Please look at the current state.")
    return render_template("errors/refused.html", reason=reason, status=409), 409


def _unavailable(error: Exception) -> ResponseReturnValue:
    """Something is away for a while: 503 or 507, with what was sent on the page. What is no outage is a fault of ours."""
    found = outage.judged(error)
    if found is None:
        return _crashed(error)
    where = request.url_rule.rule if request.url_rule is not None else "-"
    current_app.logger.error("unavailable at %s %s: %s", request.method, where, found.reason)
    # Who asks is in the database as well; the page asks it nothing.
    g.visitor = access.Visitor()
    headers = {"Retry-After": str(found.seconds)}
    answer = outage.plain(found)
    if answer is not None:
        return answer[0], found.status, headers | {"Content-Type": answer[1]}
    return _page(found.status, kept=outage.kept()), found.status, headers


def _no_pdf(error: PdfFailed) -> ResponseReturnValue:
    current_app.logger.error("no PDF at %s: %s", request.endpoint, error)
    reason = _("The PDF could not be made (%(reason)s). Please try again.", reason=error.reason)
    return render_template("errors/refused.html", reason=reason, status=409), 409


def _expired_form(error: CSRFError) -> ResponseReturnValue:
    reason = _(
        "This form was open for too long or was opened in another window. Go back, load the page again and send it once more."
    )
    return render_template("errors/400.html", reason=reason, status=400), 400


def _http(error: HTTPException) -> ResponseReturnValue:
    if error.code is None or error.code < 400:
        return error
    if request_ctx.url_adapter is None:
        return _without_addresses(error.code), error.code
    response = error.get_response()
    headers = {key: value for key, value in response.headers if key in {"Allow", "Retry-After"}}
    return _page(HTTPStatus(error.code)), error.code, headers


def _without_addresses(code: int) -> str:
    """The page for a host that is not ours (TRUSTED_HOSTS): no address can be made there, so it has no frame of the house."""
    template = current_app.jinja_env.get_template("errors/foreign_host.html")
    return template.render(lang=language.current(), status=code)


def _crashed(error: Exception) -> ResponseReturnValue:
    current_app.logger.error("incident %s at %s", logs.request_id(), request.endpoint, exc_info=error)
    if current_app.testing and current_app.config.get("PROPAGATE_EXCEPTIONS") is not False:
        raise InternalServerError(original_exception=error) from error
    return _page(HTTPStatus.INTERNAL_SERVER_ERROR), 500


def _page(status: HTTPStatus, **context: object) -> str:
    names = [f"errors/{status.value}.html", f"errors/{status.value // 100}xx.html", "errors/500.html"]
    template = current_app.jinja_env.select_template(names)
    # What stands on the page is what stands in the log and in the answer's X-Request-Id.
    return render_template(template, status=status.value, incident=logs.request_id(), **context)
