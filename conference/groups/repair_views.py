"""Pages for repair: what does not fit any more, who would move, and one button that does it."""

import hashlib
from collections.abc import Sequence

from flask import Response, request
from flask.typing import ResponseReturnValue
from flask_babel import get_locale
from flask_babel import gettext as _

from ..conferences.models import Conference
from ..conferences.queries import conference_here
from ..core import grouping
from ..kit import access, clock, forms, pages
from ..kit.db import found
from ..kit.layout import belongs
from . import bp, operations, queries, repairing
from .forms import RepairForm, UndoForm
from .models import Forming
from .repairing import Now, Wanted

belongs("groups.show_groups", "groups.show_repair", "groups.ask_for_repair", "groups.apply_repair")


@bp.get("/conferences/<slug>/groups/repair")
@access.organisers
def show_repair(slug: str) -> ResponseReturnValue:
    """Who is missing, who has come, and the fewest moves that mend it; renewing itself while the worker is at it."""
    conference = conference_here(access.account(), slug)
    now, row = repairing.now_of(conference, clock.now()), queries.newest_repair(conference)
    form = _form(now)
    response = _page(conference, form, now, row)
    if "HX-Request" not in request.headers:
        return response
    facts = (row.id if row else 0, row.state.value if row else "", now.situation.mark, get_locale())
    response.set_etag(hashlib.sha256(repr(facts).encode()).hexdigest()[:32])
    response.headers["Cache-Control"] = "private, no-cache"
    response.vary.update(("HX-Request", "Cookie"))
    return response.make_conditional(request)


def _form(now: Now) -> RepairForm:
    form = RepairForm()
    form.person.offer((person.id, f"{person.name}, {person.provider.name}") for person in now.people)
    form.table.offer((name, _("Group %(name)s", name=name)) for name in _tables(now))
    form.round.offer(
        (plan.round.number, _("Round %(number)d", number=plan.round.number)) for plan in now.coming
    )
    return form


def _tables(now: Now) -> list[str]:
    return sorted({group.group.name for plan in now.coming for group in plan.groups})


def _page(
    conference: Conference, form: RepairForm, now: Now, row: Forming | None, wanted: Wanted | None = None
) -> Response:
    proposal = repairing.proposal_of(row, now)
    fits = row is not None and row.setting["mark"] == now.situation.mark
    if wanted is None:
        open_row = row is not None and row.state.value not in ("done", "stopped")
        wanted = Wanted.kept(row.setting) if row is not None and open_row else Wanted()
    names = {str(person.id): person.name for person in now.people}
    return pages.show(
        "groups/show_repair.html",
        form=form,
        conference=conference,
        situation=now.situation,
        line=repairing.line_of(row, now),
        row=row,
        fits=fits,
        proposal=proposal,
        trouble=_trouble(row) if fits else None,
        wanted=wanted,
        tables=_tables(now),
        names=names,
        rooms=_rooms(now),
        last=_undoable(conference, row),
        letters=[contact for contact in proposal.told if contact.email] if proposal else [],
        in_person=[contact for contact in proposal.told if not contact.email] if proposal else [],
    )


def _rooms(now: Now) -> dict[tuple[int, str], str]:
    return {
        (plan.round.number, group.group.name): group.group.room.name
        for plan in now.coming
        for group in plan.groups
        if group.group.room
    }


def _trouble(row: Forming | None) -> str | None:
    if row is None or row.trouble is None:
        return None
    return operations.words_for(row.trouble, grouping.parse_problem(row.problem), row.setting["sources"])


def _undoable(conference: Conference, row: Forming | None) -> int | None:
    """The change that undoing would take back, while it is still this repair."""
    change = queries.last_change(conference)
    if change is None or row is None or change.about.get("repair") != row.id:
        return None
    return change.id


@bp.post("/conferences/<slug>/groups/repair")
@access.organisers
def ask_for_repair(slug: str) -> ResponseReturnValue:
    """Ask the worker for the fewest moves, also with tables closed and people who must sit elsewhere."""
    conference = conference_here(access.account(), slug)
    now = repairing.now_of(conference, clock.now())
    form = _form(now)
    wanted = _wanted(form, now)
    if forms.submitted(form):
        with pages.refusals(form):
            repairing.ask(conference, access.account(), wanted, at=clock.now())
            return pages.done("groups.show_repair", slug=slug, _anchor="proposal-title")
    conference = conference_here(access.account(), slug)
    now = repairing.now_of(conference, clock.now())
    return _page(conference, form, now, queries.newest_repair(conference), wanted)


def _wanted(form: RepairForm, now: Now) -> Wanted:
    """What the form says; what it does not offer becomes an error of the form."""
    tables = _tables(now)
    closed = tuple(dict.fromkeys(request.form.getlist("closed")))
    pins = [_pin(text) for text in dict.fromkeys(request.form.getlist("pin"))]
    if not set(closed) <= set(tables) or None in pins:
        form.form_errors.append(_("Please choose one of the offered answers."))
        return Wanted()
    if bool(form.person.data) != bool(form.table.data):
        form.form_errors.append(_("Please choose both, the person and the group."))
    elif form.person.data and str(form.person.data).isdecimal():
        pins += _pinned(form, now.coming)
    last = {pin[:2]: pin for pin in pins if pin is not None}  # who is pinned anew is pinned there only
    return Wanted(closed, tuple(last.values()))


def _pin(text: str) -> repairing.Pin | None:
    parts = text.split(":")
    numbers = [int(part) for part in parts[:2] if part.isascii() and part.isdecimal() and len(part) < 10]
    return (numbers[0], numbers[1], parts[2]) if len(numbers) == 2 and len(parts) == 3 else None


def _pinned(form: RepairForm, coming: Sequence[queries.RoundPlan]) -> list[repairing.Pin]:
    wanted = str(form.round.data or "")
    return [
        (plan.round.number, int(form.person.data), str(form.table.data))
        for plan in coming
        if wanted in ("", str(plan.round.number))
        and form.table.data in {group.group.name for group in plan.groups}
    ]


@bp.post("/conferences/<slug>/groups/repair/application")
@access.organisers
def apply_repair(slug: str) -> ResponseReturnValue:
    """Move everybody as proposed."""
    account, at = access.account(), clock.now()
    conference, sent = conference_here(account, slug), UndoForm()
    form = _form(repairing.now_of(conference, at))
    if forms.submitted(sent):
        with pages.refusals(form):
            repairing.apply(conference, sent.started_from, account, at=at)
            return pages.done("groups.show_repair", _done(), slug=slug, _anchor="proposal-title")
    conference = conference_here(access.account(), slug)
    now = repairing.now_of(conference, at)
    return _page(conference, form, now, queries.newest_repair(conference))


def _done() -> str:
    return _("The moves have been taken over. Participants see them once you publish.")


@bp.post("/conferences/<slug>/rounds/<int:round_id>/clearance")
@access.organisers
def clear_round(slug: str, round_id: int) -> ResponseReturnValue:
    """Take the groups of a round away that the agenda no longer has."""
    account = access.account()
    conference = conference_here(account, slug)
    number = found(queries.round_of(conference, round_id)).number
    repairing.clear_round(conference, round_id, account, at=clock.now())
    message = _("The groups of round %(number)d have been taken away.", number=number)
    return pages.done("groups.show_groups", message, slug=slug)
