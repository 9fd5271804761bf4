"""What is sent twice counts once: a form carries a key, and the same key gets the same answer.

A button pressed twice, a proxy that repeats, an answer that was lost on its way: the second copy finds the row of the first
one and is led to the same page. The row holds digests and where the first answer led, nothing of what was sent. Ballots have
no key: a digest of a paper beside a person would lead from one to the other.
"""

import hashlib
import re
import secrets
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import wraps
from typing import Any, TypeVar

from flask import Flask, abort, current_app, flash, g, make_response, redirect, request, session
from flask_babel import gettext as _
from sqlalchemy import delete, select, text
from sqlalchemy.orm import Mapped, mapped_column
from werkzeug.wrappers import Response

from . import access, clock, jobs, unit
from .db import Model, db

F = TypeVar("F", bound=Callable[..., Any])

FIELD = "once_key"
KEPT = timedelta(days=2)
GOOD = re.compile(r"[A-Za-z0-9_-]{16,64}")


class SentForm(Model):
    """A form that was sent and taken: who sent what where, as a digest; `content` is a digest too, `location` the answer."""

    digest: Mapped[str] = mapped_column(primary_key=True)
    content: Mapped[str]
    location: Mapped[str]
    at: Mapped[datetime] = mapped_column(index=True)


def new_key() -> str:
    """A key for a form that is shown now."""
    return secrets.token_urlsafe(18)


def counted_once(view: F) -> F:
    """Mark a view whose forms carry a key: the same content is answered as the first time, other content is 422.

    A view that shows its form again finds in the form why (`kit.forms.Form`); others end with the error page.
    """

    @wraps(view)
    def answer(*args: Any, **kwargs: Any) -> Any:
        digest = _digest()
        if digest is None:
            return view(*args, **kwargs)
        if getattr(current_app.view_functions[str(request.endpoint)], "own_transactions", False):
            return _in_own_transactions(view, digest, *args, **kwargs)
        known = _known(digest)
        if known is not None:
            return _again(known, view, *args, **kwargs)
        response = make_response(view(*args, **kwargs))
        if response.status_code == 303:
            _note(digest, response)
        return response

    return answer  # type: ignore[return-value]


def _in_own_transactions(view: F, digest: str, *args: Any, **kwargs: Any) -> Any:
    """The view notes its answer itself, by `note`, in the transaction in which it does its work."""
    # Copies wait here for the first one, instead of all doing the slow work at the same time; other forms hardly ever do.
    with unit.in_turn(f"once-{digest[:2]}"):
        with unit.reading():
            known = db.session.get(SentForm, digest)
            found = (known.content, known.location) if known is not None else None
        if found is None:
            return view(*args, **kwargs)
    if found[0] != _content():
        abort(422)
    return _led_to(found[1])


def note(response: Response) -> Response:
    """Keep the answer, in the writing transaction of a view that has transactions of its own."""
    digest = _digest()
    if digest is not None:
        _note(digest, response)
    return response


def _again(known: SentForm, view: F, *args: Any, **kwargs: Any) -> Any:
    if known.content == _content():
        return _led_to(known.location)
    g.sent_before = True
    response = make_response(view(*args, **kwargs))
    if response.status_code < 400:
        abort(422)  # the view has no form that could say it; what it did is rolled back
    return response


def _led_to(location: str) -> Response:
    flash(_("This was sent more than once; it counts once."), "success")
    return redirect(location, 303)


def was_sent_before() -> bool:
    """Whether this form was sent with other content under the same key: for the form itself."""
    return bool(g.get("sent_before", False))


def _digest() -> str | None:
    key = request.form.get(FIELD, "") if request.method == "POST" else ""
    if not GOOD.fullmatch(key):
        return None
    visitor = access.visitor()
    who = f"account {visitor.account.id}" if visitor.account is not None else ""
    who += f" guest {visitor.guest.id}" if visitor.guest is not None else ""
    # A personal link in the address says who it is; somebody with nothing has at least a session.
    who = (
        "link" if "token" in (request.view_args or {}) else who or f"session {session.get('csrf_token', '')}"
    )
    return hashlib.sha256("\n".join((who, request.path, key)).encode()).hexdigest()


def _content() -> str:
    fields = sorted(
        (name, value)
        for name, values in request.form.lists()
        if name not in (FIELD, "csrf_token")
        for value in values
    )
    return hashlib.sha256(repr(fields).encode("utf-8", "surrogatepass")).hexdigest()


def _known(digest: str) -> SentForm | None:
    if db.engine.dialect.name == "postgresql":
        # Two copies at the same moment: the second one waits for the first to be stored. SQLite's writers are alone anyway.
        number = int(digest[:15], 16)
        db.session.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": number})
    return db.session.scalar(select(SentForm).where(SentForm.digest == digest))


def _note(digest: str, response: Response) -> None:
    location = response.headers.get("Location", "")
    db.session.add(SentForm(digest=digest, content=_content(), location=location, at=clock.now()))
    db.session.flush()


def forget_old(*, at: datetime) -> int:
    """Forget keys of forms that nobody sends any more. Returns how many."""
    done = db.session.execute(delete(SentForm).where(SentForm.at < at - KEPT))
    return int(done.rowcount)  # type: ignore[attr-defined]


def init(app: Flask) -> None:
    """Let templates make keys, and the worker forget old ones."""
    app.jinja_env.globals["once_key"] = new_key
    jobs.every_minute(app, "sent-forms", _forget)


def _forget() -> None:
    at = clock.now()
    with unit.reading():
        if (
            db.session.scalars(select(SentForm.digest).where(SentForm.at < at - KEPT).limit(1)).first()
            is None
        ):
            return
    with unit.writing():
        forget_old(at=at)
