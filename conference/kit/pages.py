"""Answers: whole pages, redirects, files; absolute addresses that never depend on the Host header."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from flask import Response, current_app, flash, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from ..core.text import comparison_key
from . import addresses
from .db import db
from .errors import Refused, Stale

absolute = addresses.absolute
T = TypeVar("T")
MANY = 200
"""So many rows stand on one page of a list; forms over them stay within the limits on fields."""
LONGEST_SEARCH = 100


@dataclass(frozen=True)
class Part(Generic[T]):
    """One page of a long list: its rows, the number of the page and of all pages, how many fit, how many there are."""

    items: list[T]
    page: int
    pages: int
    fitting: int
    total: int
    sought: str

    @property
    def before(self) -> int | None:
        """The page before this one."""
        return self.page - 1 if self.page > 1 else None

    @property
    def after(self) -> int | None:
        """The page behind this one."""
        return self.page + 1 if self.page < self.pages else None


def part_of(items: Sequence[T], words: Callable[[T], str], *, name: str = "page") -> Part[T]:
    """The page of a list that the address asks for (`name`), of what has each word of its `q`; a page too far is the last."""
    sought = request.args.get("q", "")[:LONGEST_SEARCH].strip()
    wanted = comparison_key(sought).split()
    fitting = [one for one in items if all(word in comparison_key(words(one)) for word in wanted)]
    pages = max(1, -(-len(fitting) // MANY))
    page = min(max(1, _whole(request.args.get(name, ""))), pages)
    shown = fitting[(page - 1) * MANY : page * MANY]
    return Part(shown, page, pages, len(fitting), len(items), sought)


def _whole(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 1


def show(template: str, *, form: Any = None, status: int | None = None, **context: Any) -> Response:
    """Render a whole page. With a form the status follows from it: 409 refused, 422 invalid, else 200."""
    if status is None:
        status = status_of(form)
    if "conference" in context:
        context |= current_app.extensions["conference_context"](context["conference"])
    return make_response(
        render_template(template, form=form, has_errors=status in (409, 422, 429), **context), status
    )


def status_of(form: Any) -> int:
    """409 when a rule refused the form, 422 when its input is wrong, else 200."""
    if form is None:
        return 200
    if getattr(form, "refused", None) is not None:
        return 409
    return 422 if form.errors or form.form_errors else 200


@contextmanager
def refusals(form: Any) -> Iterator[None]:
    """Turn Refused into an error of the form, so that the page comes back with the words and the input.

    The transaction is rolled back here, before the page is rendered. A Stale error is kept in `form.refused` with
    both texts for the comparison (`_parts/compare.html`).
    """
    try:
        yield
    except Refused as refusal:
        db.session.rollback()
        form.refused = refusal
        form.form_errors.append(refusal.message)
        if isinstance(refusal, Stale) and hasattr(form, "version"):
            form.version.data = refusal.version
            form.version.raw_data = None


def done(endpoint: str, message: str | None = None, **values: Any) -> BaseResponse:
    """Redirect (303) after a good POST, with a sentence of what happened."""
    if message is not None:
        flash(message, "success")
    return redirect(url_for(endpoint, **values), 303)


def file(content: bytes, media_type: str, name: str, *, inline: bool = False) -> Response:
    """A file to save (or, inline, to look at). The name must be made by us, never by the person."""
    response = Response(content, content_type=media_type)
    response.headers.set("Content-Disposition", "inline" if inline else "attachment", filename=name)
    return response


def cacheable(response: Response, *, seconds: int, public: bool = True) -> Response:
    """A strong ETag of the content and 304 for who has it already. Only for answers without any personal part."""
    response.headers["Cache-Control"] = f"{'public' if public else 'private'}, max-age={seconds}"
    response.set_etag(hashlib.sha256(response.get_data()).hexdigest()[:32])
    answer: Response = response.make_conditional(request)  # type: ignore[assignment]
    return answer


def polled(response: Response) -> Response:
    """For pages that renew themselves: 304 while nothing has changed. The page must hold no form (CSRF tokens differ)."""
    return cacheable(response, seconds=0, public=False)
