"""The record as a whole, for administrators."""

from datetime import timedelta
from typing import Any

from flask import current_app, request, url_for
from flask.typing import ResponseReturnValue

from ..accounts.queries import all_accounts
from ..conferences.queries import conferences_of
from ..core.walltime import end_of_day
from ..kit import access, pages
from ..kit.dates import DEFAULT_ZONE
from ..kit.errors import Missing
from . import bp, operations, queries, words
from .forms import FilterForm

SIZE = 50


@bp.get("/record")
@access.staff(access.ADMIN)
def show_record() -> ResponseReturnValue:
    """Who changed what and when, newest first."""
    form = FilterForm(formdata=request.args, meta={"csrf": False})
    form.kind.offer(
        sorted(((kind, words.kind_of(kind)) for kind in queries.kinds()), key=lambda pair: pair[1])
    )
    form.conference.offer((one.id, one.title) for one in conferences_of(access.account()))
    form.account.offer((one.id, one.name) for one in all_accounts())
    wanted = _filter(form) if form.validate() else queries.Filter()
    page = _page()
    entries, total = queries.entries_of(wanted, page, SIZE)
    last = max(1, -(-total // SIZE))
    if page > last:
        raise Missing
    return pages.show(
        "record/show_record.html",
        form=form,
        entries=entries,
        total=total,
        page=page,
        pages=last,
        address=_address,
    )


def _filter(form: FilterForm) -> queries.Filter:
    since, until = form.since.data, form.until.data
    return queries.Filter(
        kind=form.kind.data or "",
        conference_id=int(form.conference.data) if form.conference.data else None,
        account_id=int(form.account.data) if form.account.data else None,
        since=end_of_day(since - timedelta(days=1), DEFAULT_ZONE) if since else None,
        until=end_of_day(until, DEFAULT_ZONE) if until else None,
    )


def _page() -> int:
    number = request.args.get("page", "1")
    if not (number.isascii() and number.isdigit() and 0 < len(number) < 8 and int(number)):
        raise Missing
    return int(number)


def _address(page: int) -> str:
    asked: dict[str, Any] = {name: value for name, value in request.args.items() if name != "page"}
    return url_for("record.show_record", **asked, page=page)


@bp.get("/record/check")
@access.staff(access.ADMIN)
def check_record() -> ResponseReturnValue:
    """Whether the record is whole and as it was written."""
    app = current_app._get_current_object()  # type: ignore[attr-defined]
    return pages.show("record/check_record.html", state=operations.verify(app))
