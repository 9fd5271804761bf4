"""Pages for the people at a table (by its code, or by their personal page), for staff, and for the projector."""

from dataclasses import dataclass
from typing import Any

from flask import Response, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from ..conferences.models import Conference
from ..conferences.queries import conference_here
from ..core.sheets import Sheet
from ..groups.models import Round
from ..ideas import queries as ideas
from ..ideas.models import CapturePoint
from ..kit import access, clock, forms, pages
from ..kit.db import found
from ..kit.errors import Missing
from ..kit.layout import belongs
from ..kit.limits import too_fast
from ..people.queries import Reach, reach_of
from . import bp, operations, queries
from .forms import ReopenForm, SheetForm, TakeOverForm
from .models import GroupSheet, SheetState

belongs("sheets.show_sheets", "sheets.edit_sheet")

MOST_OF_ONE_DEVICE = "30 per minute"
MOST_OF_ONE_ADDRESS = "1500 per minute"


@dataclass(frozen=True)
class Way:
    """How a guest came to a sheet, and to which rounds the same way leads."""

    endpoint: str
    values: dict[str, str]
    rounds: list[int]


# -- at the tables ----------------------------------------------------


@bp.get("/sheets/<code>")
@access.public
def find_sheet(code: str) -> ResponseReturnValue:
    """From the code of a table to its sheet of the round that is on now."""
    point, _conference, rounds = _place(code)
    now = found(ideas.current_round(rounds, clock.now()))
    return redirect(url_for("sheets.fill_sheet", code=point.code, number=now.number), 303)


@bp.route("/sheets/<code>/<int:number>", methods=["GET", "POST"])
@access.public
def fill_sheet(code: str, number: int) -> ResponseReturnValue:
    """The sheet of a table, for anybody who sits at it: no account, a name only if they like."""
    point, conference, rounds = _place(code)
    round_ = found(next((one for one in rounds if one.number == number), None))
    table = found(queries.table_of(conference, round_.id, point.table))
    way = Way("sheets.fill_sheet", {"code": point.code}, [one.number for one in rounds])
    return _guest_page(conference, table, SheetForm(), way)


def _place(code: str) -> tuple[CapturePoint, Conference, list[Round]]:
    point = found(ideas.point_by_code(code))
    conference = ideas.conference_at(point)
    rounds = ideas.rounds_for(point, conference)
    if not rounds:
        raise Missing
    return point, conference, rounds


@bp.route("/my/groups/<int:number>/sheet", methods=["GET", "POST"])
@access.guest
def my_sheet(number: int) -> ResponseReturnValue:
    """The sheet of a participant's own group, as published."""
    link = access.link()
    own = queries.own_tables(link.conference, link.contact_id)
    table = found(next((one for one in own if one.round.number == number), None))
    form = SheetForm()
    del form.writer
    way = Way("sheets.my_sheet", {}, [one.round.number for one in own])
    return _guest_page(link.conference, table, form, way, contact_id=link.contact_id)


def _guest_page(
    conference: Conference,
    table: queries.Table,
    form: SheetForm,
    way: Way,
    contact_id: int | None = None,
) -> ResponseReturnValue:
    round_id = table.round.id
    if request.method == "GET":
        form.begin(*_stored(conference, table))
    elif forms.submitted(form):
        wait = _seconds_to_wait(table, form)
        if wait:
            return _slowed_down(conference, table, form, way, wait)
        name = form.writer.data if "writer" in form else ""
        with pages.refusals(form):
            state = _saved(conference, table, form, operations.Writer(contact_id=contact_id, name=name or ""))
            return pages.done(way.endpoint, _said(state), number=table.round.number, **way.values)
        # The transaction was rolled back: what others have saved is read again.
        table = found(queries.table_of(conference, round_id, table.name))
    return _shown(conference, table, form, way)


def _saved(
    conference: Conference, table: queries.Table, form: SheetForm, writer: operations.Writer
) -> SheetState:
    return operations.save(
        conference,
        table.round,
        table.name,
        form.content,
        writer,
        hand_in=form.wants_to_hand_in,
        version=form.started_from,
        submission=form.client_id.data,
        at=clock.now(),
    )


def _question(conference: Conference, table: queries.Table) -> str:
    own = table.group.focus_question if table.group is not None else ""
    return own or table.topic or conference.focus_question


def _stored(conference: Conference, table: queries.Table) -> tuple[Sheet, int]:
    if table.state is None:
        return Sheet(_question(conference, table)), 0
    return table.state.content, table.state.number


def _seconds_to_wait(table: queries.Table, form: SheetForm) -> int:
    # What is only sent again is no flood.
    known = table.state and queries.state_by_submission(table.state.sheet, form.client_id.data)
    return 0 if known else too_fast("sheets", device=MOST_OF_ONE_DEVICE, address=MOST_OF_ONE_ADDRESS)


def _slowed_down(
    conference: Conference, table: queries.Table, form: SheetForm, way: Way, wait: int
) -> ResponseReturnValue:
    form.form_errors.append(_("That was very often at once. Please send it again in a minute."))
    response = _shown(conference, table, form, way, status=429)
    response.headers["Retry-After"] = str(wait)
    return response


def _said(state: SheetState) -> str:
    """What happened, with a hint where a sheet is thinner than usual."""
    if not state.handed_in:
        return _("Saved. The sheet still has to be handed in when you are finished.")
    if state.content.has_few_results:
        return _("Handed in. Usual are three to five results; the moderators can open the sheet again.")
    return _("Handed in. Thank you!")


def _shown(
    conference: Conference, table: queries.Table, form: SheetForm, way: Way, status: int | None = None
) -> Response:
    return pages.show(
        "sheets/fill_sheet.html",
        form=form,
        status=status,
        event=conference,
        table=table,
        closed=queries.closure_of(conference),
        way=way,
    )


# -- staff ------------------------------------------------------------


def _reach(conference: Conference) -> Reach:
    """Which tables the visitor reaches: all, or a facilitator's own."""
    return reach_of(access.account(), conference, everywhere=access.visitor().works_at_all_tables)


def _own_sheet(conference: Conference, sheet_id: int) -> GroupSheet:
    sheet = found(queries.sheet_of(conference, sheet_id))
    if not _reach(conference).covers(sheet.round.number, sheet.table):
        raise Missing
    return sheet


def _own_table(conference: Conference, round_id: int, name: str) -> queries.Table:
    table = found(queries.table_of(conference, round_id, name))
    if not _reach(conference).covers(table.round.number, name):
        raise Missing
    return table


@bp.get("/conferences/<slug>/sheets")
@access.moderators
def show_sheets(slug: str) -> ResponseReturnValue:
    """What every group of every round has found, and which sheets are missing; a facilitator's own groups."""
    return _list(conference_here(access.account(), slug))


def _list(conference: Conference, form: Any = None) -> ResponseReturnValue:
    reach = _reach(conference)
    return pages.show(
        "sheets/show_sheets.html",
        form=form,
        conference=conference,
        reach=reach,
        rounds=queries.within(queries.tables_of(conference), reach),
        ideas=queries.ideas_from(conference),
        closed=queries.closure_of(conference),
        codes={point.table: point.code for point in ideas.points_of(conference)},
    )


@bp.route("/conferences/<slug>/rounds/<int:round_id>/sheets/<name>", methods=["GET", "POST"])
@access.moderators
def edit_sheet(slug: str, round_id: int, name: str) -> ResponseReturnValue:
    """Write or correct a group's sheet for it; every earlier state stays."""
    account = access.account()
    conference = conference_here(account, slug)
    table = _own_table(conference, round_id, name)
    form = SheetForm()
    del form.writer
    if request.method == "GET":
        form.begin(*_stored(conference, table))
    elif forms.submitted(form):
        with pages.refusals(form):
            state = _saved(conference, table, form, operations.Writer(account))
            return pages.done("sheets.show_sheets", _said(state), slug=slug, _anchor=_anchor(table))
        conference = conference_here(access.account(), slug)
        table = _own_table(conference, round_id, name)
    history = queries.history_of(table.state.sheet) if table.state is not None else []
    return pages.show(
        "sheets/edit_sheet.html", form=form, conference=conference, table=table, history=history
    )


def _anchor(table: queries.Table) -> str:
    return f"sheet-{table.round.number}-{table.name}"


@bp.post("/conferences/<slug>/sheets/<int:sheet_id>/reopening")
@access.moderators
def reopen_sheet(slug: str, sheet_id: int) -> ResponseReturnValue:
    """Let the table write again."""
    account = access.account()
    conference, form = conference_here(account, slug), ReopenForm()
    sheet = _own_sheet(conference, sheet_id)
    with pages.refusals(form):
        operations.reopen(sheet, form.started_from, account, at=clock.now())
        return pages.done("sheets.show_sheets", _("The table can write again."), slug=slug)
    return _list(conference_here(access.account(), slug), form)


@bp.post("/conferences/<slug>/sheets/<int:sheet_id>/ideas")
@access.moderators
def take_over(slug: str, sheet_id: int) -> ResponseReturnValue:
    """Make an idea of one result."""
    conference, form = conference_here(access.account(), slug), TakeOverForm()
    sheet = _own_sheet(conference, sheet_id)
    if forms.submitted(form):
        with pages.refusals(form):
            idea = operations.take_over(sheet, form.result.data, form.started_from, at=clock.now())
            message = _("The result is idea no. %(number)d now.", number=idea.number)
            return pages.done("sheets.show_sheets", message, slug=slug)
    if form.result.errors:
        # The number is no field of the page: the words stand above it, not beside it.
        form.form_errors, form.result.errors = [*form.result.errors], ()
    return _list(conference_here(access.account(), slug), form)


@bp.post("/conferences/<slug>/sheets/closure")
@access.organisers
def close_sheets(slug: str) -> ResponseReturnValue:
    """Take no more sheets from the tables."""
    account = access.account()
    operations.close(conference_here(account, slug), account, at=clock.now())
    return pages.done("sheets.show_sheets", _("The tables can write no more sheets."), slug=slug)


@bp.post("/conferences/<slug>/sheets/opening")
@access.organisers
def open_sheets(slug: str) -> ResponseReturnValue:
    """Take sheets from the tables again."""
    operations.open_again(conference_here(access.account(), slug))
    return pages.done("sheets.show_sheets", _("The tables can write their sheets."), slug=slug)


# -- the projector ----------------------------------------------------


@bp.get("/conferences/<slug>/sheets/wall")
@access.moderators
def show_wall(slug: str) -> ResponseReturnValue:
    """For the plenary: who has handed in, or one group's sheet large. No form, so that an unchanged wall is answered with 304."""
    conference = conference_here(access.account(), slug)
    rounds = queries.within(queries.tables_of(conference), _reach(conference))
    chosen = _chosen(rounds)
    size = request.args.get("size", "")
    response = pages.show(
        "sheets/show_wall.html",
        conference=conference,
        rounds=rounds,
        chosen=chosen,
        ways=_ways(rounds, chosen),
        wall_size=int(size) if size in {"1", "2", "3", "4", "5"} else 3,
    )
    return pages.polled(response)


def _chosen(rounds: list[queries.RoundTables]) -> queries.Table | None:
    asked = request.args.get("round", ""), request.args.get("table", "")
    every = [table for one in rounds for table in one.tables]
    return next((table for table in every if (str(table.round.number), table.name) == asked), None)


def _ways(rounds: list[queries.RoundTables], chosen: queries.Table | None) -> dict[str, queries.Table]:
    """The groups before and after the one that is shown, in the order of the plenary."""
    every = [table for one in rounds for table in one.tables]
    if chosen is None:
        return {"next": every[0]} if every else {}
    here = every.index(chosen)
    ways = {"previous": every[here - 1]} if here else {}
    return ways | ({"next": every[here + 1]} if here + 1 < len(every) else {})
