"""The time of the rounds: staff start and extend it, everybody sees it; and the seating on the projector."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from flask import request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from ..conferences.models import Conference
from ..conferences.queries import conference_here
from ..core import countdown, paging
from ..core.countdown import Countdown
from ..kit import access, clock, dates, forms, pages
from ..kit.db import found
from ..kit.layout import belongs
from . import bp, editions, queries, timer
from .forms import StartForm, StepForm
from .models import Round

belongs("groups.show_groups", "groups.show_time")

CARDS_IN_A_ROW, LINES_OF_A_PAGE, LINES_OF_NAMES = 5, 21, 3 * 18
"""What a projector of 1,920 by 1,080 points shows in letters that are read from eight metres."""
SIGNS_ON_A_CARD, SIGNS_IN_A_LIST = 17, 24
SECONDS_OF_A_PAGE = 12


# -- staff ------------------------------------------------------------


@bp.get("/conferences/<slug>/groups/time")
@access.organisers
def show_time(slug: str) -> ResponseReturnValue:
    """The running round with its buttons, and every round that can be started."""
    return _time_page(conference_here(access.account(), slug))


def _time_page(
    conference: Conference, form: Any = None, sent: StartForm | None = None, round_id: int | None = None
) -> ResponseReturnValue:
    """The page; with a form that was refused, and with minutes as they were typed for a round."""
    at = clock.now()
    known = {one.round_id: one for one in timer.countdowns(conference)}
    rounds = [r for r in queries.rounds_of(conference) if r.agenda_item is not None or r.id in known]
    return pages.show(
        "groups/show_time.html",
        form=form,
        conference=conference,
        is_another_day=dates.local(at, conference.zone).date() != conference.day,
        time=timer.shown(countdown.current(known.values(), at), at),
        rounds=[
            {
                "round": r,
                "time": timer.shown(known[r.id], at),
                "start": _start_form(r, known[r.id], sent if r.id == round_id else None),
            }
            for r in rounds
        ],
    )


def _start_form(round_: Round, one: Countdown, sent: StartForm | None) -> StartForm:
    form = sent or StartForm(formdata=None)
    if sent is None:
        form.minutes.data = timer.planned_length(round_) // timedelta(minutes=1) or 1
    form.version.data, form.version.raw_data = one.version, None
    # One such form for each round stands on the page.
    form.minutes.id = form.minutes.label.field_id = f"minutes-{round_.number}"
    form.version.id = f"version-{round_.number}"
    return form


@bp.post("/conferences/<slug>/rounds/<int:round_id>/timer")
@access.organisers
def start_round(slug: str, round_id: int) -> ResponseReturnValue:
    """Let a round begin now."""
    conference, form = conference_here(access.account(), slug), StartForm()
    found(queries.round_of(conference, round_id))
    if forms.submitted(form):
        with pages.refusals(form):
            now = timer.start(
                conference, round_id, form.minutes.data, form.started_from, access.account(), at=clock.now()
            )
            return _done(conference, _("Round %(number)d has begun.", number=now.number), now)
    return _time_page(conference_here(access.account(), slug), form, form, round_id)


@bp.post("/conferences/<slug>/rounds/<int:round_id>/timer/extension")
@access.organisers
def extend_round(slug: str, round_id: int) -> ResponseReturnValue:
    """Five minutes more."""
    return _step(slug, round_id, timer.extend, _("Round %(number)d has five minutes more."))


@bp.post("/conferences/<slug>/rounds/<int:round_id>/timer/pause")
@access.organisers
def pause_round(slug: str, round_id: int) -> ResponseReturnValue:
    """Stop the time."""
    return _step(slug, round_id, timer.pause, _("Round %(number)d is paused."))


@bp.post("/conferences/<slug>/rounds/<int:round_id>/timer/resumption")
@access.organisers
def resume_round(slug: str, round_id: int) -> ResponseReturnValue:
    """Let the time go on."""
    return _step(slug, round_id, timer.resume, _("Round %(number)d goes on."))


@bp.post("/conferences/<slug>/rounds/<int:round_id>/timer/closure")
@access.organisers
def end_round(slug: str, round_id: int) -> ResponseReturnValue:
    """End the round before its time."""
    return _step(slug, round_id, timer.end, _("Round %(number)d is over."))


def _step(slug: str, round_id: int, operation: Callable[..., Countdown], message: str) -> ResponseReturnValue:
    conference, form = conference_here(access.account(), slug), StepForm()
    found(queries.round_of(conference, round_id))
    if forms.submitted(form):
        with pages.refusals(form):
            now = operation(conference, round_id, form.started_from, access.account(), at=clock.now())
            return _done(conference, message % {"number": now.number}, now)
    return _time_page(conference_here(access.account(), slug), form)


def _done(conference: Conference, message: str, now: Countdown) -> ResponseReturnValue:
    """Back to where the button was, with the end as it is now; the wall says it itself."""
    view = request.form.get("back", "")
    if view in WALL_VIEWS:
        return pages.done("groups.show_seating_wall", slug=conference.slug, view=WALL_VIEWS[view])
    if now.state(clock.now()) == countdown.RUNNING:
        end = _("It ends at %(time)s.", time=dates.show_time(now.ends_at, conference.zone))
        message = f"{message} {end}"
    return pages.done("groups.show_time", message, slug=conference.slug)


# -- everybody --------------------------------------------------------


@bp.get("/my/groups/time")
@access.guest
def show_my_time() -> ResponseReturnValue:
    """The time of the round on a participant's phone, large; the page of the groups renews its own clock from here."""
    conference = access.link().conference
    return pages.show(
        "groups/show_my_time.html", event=conference, time=timer.time_shown(conference, clock.now())
    )


# -- the projector ----------------------------------------------------

WALL_VIEWS = {"tables": None, "names": "names"}


@bp.get("/conferences/<slug>/groups/wall")
@access.organisers
def show_seating_wall(slug: str) -> ResponseReturnValue:
    """The published seating of the round that runs or comes next, and its time; changes by itself, page by page."""
    conference, at = conference_here(access.account(), slug), clock.now()
    edition = editions.published_edition(conference)
    now = timer.current(conference, at)
    state = _wall_state()
    round_ = _round_on_the_wall(edition, now, at, state["round"])
    leaves = _leaves(round_, state["view"]) if round_ else []
    page = _page_now(len(leaves), at, state)
    return pages.show(
        "groups/show_seating_wall.html",
        conference=conference,
        edition=edition,
        round=round_,
        leaf=leaves[page - 1] if leaves else [],
        page=page,
        pages=len(leaves),
        time=timer.shown(now, at),
        wall_size=int(state["size"] or 3),
        wall_url=_address_of(state),
        view=state["view"],
        held=state["page"],
    )


def _wall_state() -> dict[str, Any]:
    """How the wall is shown; what is no proper value counts as not said."""
    asked = {name: request.args.get(name, "") for name in ("size", "view", "page", "round")}
    small = {name: int(v) for name, v in asked.items() if v.isascii() and v.isdigit() and 0 < len(v) < 4}
    return {
        "size": asked["size"] if asked["size"] in {"1", "2", "3", "4", "5"} else None,
        "view": "names" if asked["view"] == "names" else None,
        "page": small.get("page") or None,
        "round": small.get("round") or None,
    }


def _address_of(state: dict[str, Any]) -> Callable[..., str]:
    """Builds addresses of the wall that keep how it is shown."""

    def wall_url(**change: Any) -> str:
        values: dict[str, Any] = {**(request.view_args or {}), **state, **change}
        return url_for("groups.show_seating_wall", **values)

    return wall_url


def _round_on_the_wall(
    edition: editions.Edition | None, now: Countdown | None, at: datetime, asked: int | None
) -> editions.RoundOfTables | None:
    """The round that was asked for, else the one that runs; once it is over the next one, after the last one the last."""
    rounds = {one.number: one for one in edition.rounds} if edition else {}
    if not rounds:
        return None
    if asked in rounds:
        return rounds[asked]
    number = now.number if now else 0
    if now is not None and now.state(at) == countdown.OVER:
        number += 1
    later = [n for n in sorted(rounds) if n >= number]
    return rounds[later[0] if later else max(rounds)]


def _leaves(round_: editions.RoundOfTables, view: str | None) -> list[list[Any]]:
    """What stands on each page: cards of tables, or rows of people with their table."""
    if view == "names":
        rows: list[tuple[editions.Person, editions.Table | None]] = [
            (person, table) for table in round_.tables for person in table.people
        ]
        rows += [(person, None) for person in round_.unseated]
        rows.sort(key=lambda row: (row[0].sort_key, row[0].id))
        heights = [_lines(person.listed, SIGNS_IN_A_LIST) + 1 for person, _table in rows]
        return paging.pages_by_height(rows, heights, LINES_OF_NAMES)
    return _cards(round_)


def _cards(round_: editions.RoundOfTables) -> list[list[Any]]:
    """Cards on pages; a table with very many people goes on on a second card."""
    cards, heights = [], []
    for table in round_.tables:
        lines = [_lines(person.name, SIGNS_ON_A_CARD) + 1 for person in table.people]
        parts = paging.pages_by_height(
            list(zip(table.people, lines, strict=True)), lines, LINES_OF_A_PAGE - 3
        )
        for number, part in enumerate(parts or [[]]):
            people = [person for person, _height in part]
            cards.append({"table": table, "people": people, "goes_on": number > 0})
            heights.append(3 + sum(height for _person, height in part))
    return paging.pages_of_cards(cards, heights, CARDS_IN_A_ROW, LINES_OF_A_PAGE)


def _lines(name: str, signs: int) -> int:
    return max(1, -(-len(name) // signs))


def _page_now(count: int, at: datetime, state: dict[str, Any]) -> int:
    """The page by the clock, so that the wall turns pages by itself; paused, or asked for, that one."""
    if not count:
        return 1
    if state["page"]:
        return min(int(state["page"]), count)
    return int(at.timestamp()) // SECONDS_OF_A_PAGE % count + 1
