"""Pages for the agenda, its notes, the public programme and the follow-up conference."""

from datetime import date, timedelta
from typing import Any

from flask import Response, current_app, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext

from ..conferences.models import Conference
from ..conferences.queries import conference_by_slug, conference_here, follower_of, rooms_of, slugs
from ..core import agenda as core
from ..core.agenda_titles import renamed
from ..core.agenda_warnings import OTHER_DAY
from ..kit import access, clock, forms, language, layout, pages
from ..kit.dates import local, show_time
from ..kit.db import found
from ..kit.markdown import to_html
from . import bp, operations, queries
from .forms import DelayForm, FollowUpForm, ItemForm, MoveForm, NoteForm
from .models import AgendaItem

# The distance of the first two conferences: time enough to do something, not enough to forget it.
NEXT_TIME = timedelta(weeks=11)
HALF_HOUR = 30

layout.belongs(
    "agenda.show_agenda",
    "agenda.new_item", "agenda.edit_item", "agenda.remove_item", "agenda.move_item", "agenda.delay_item", "agenda.show_times",
    "agenda.close_gaps", "agenda.move_to_day", "agenda.edit_note", "agenda.show_note",
)  # fmt: skip


@bp.get("/conferences/<slug>/agenda")
@access.runners
def show_agenda(slug: str) -> ResponseReturnValue:
    """The timetable with its warnings and, for organisers, the buttons to move things."""
    return _timetable(conference_here(access.account(), slug))


def _timetable(conference: Conference, form: forms.Form | None = None) -> Response:
    items = queries.items_of(conference)
    slots = queries.slots_of(items)
    warnings = queries.warnings_of(conference, items)
    filled = core.covered(slots, conference.starts_at, conference.ends_at)
    return pages.show(
        "agenda/show_agenda.html",
        form=form,
        conference=conference,
        items={item.id: item for item in items},
        warnings=warnings,
        astray=any(warning.code == OTHER_DAY for warning in warnings),
        gaps=core.free_before(slots),
        movable={"up": core.movable(slots, "up"), "down": core.movable(slots, "down")},
        notes=queries.current_notes(conference),
        planned=core.covered(slots),
        free=conference.ends_at - conference.starts_at - filled,
        moved=request.args.get("moved", type=int),
        by=request.args.get("by"),
        organises=access.visitor().may(access.ADMIN, access.ORGANISER),
    )


def _item(slug: str, item_id: int) -> tuple[Conference, AgendaItem]:
    conference = conference_here(access.account(), slug)
    return conference, found(queries.item_of(conference, item_id))


@bp.route("/conferences/<slug>/agenda/new", methods=["GET", "POST"])
@access.organisers
def new_item(slug: str) -> ResponseReturnValue:
    """Add an item; the form begins where the last one ends."""
    conference = conference_here(access.account(), slug)
    form = ItemForm() if request.method == "POST" else ItemForm(data=_next_slot(conference))
    form.place(conference, rooms_of(conference))
    if forms.submitted(form):
        with pages.refusals(form):
            item = operations.add_item(conference, form.fields(), at=clock.now())
            return pages.done(
                "agenda.show_agenda",
                _("“%(title)s” has been added.", title=item.title),
                slug=slug,
                moved=item.id,
            )
    return pages.show("agenda/new_item.html", form=form, conference=conference)


def _next_slot(conference: Conference) -> dict[str, object]:
    public = queries.items_of(conference, internal=False)
    begin = max([item.ends_at for item in public], default=conference.starts_at)
    begin = begin if local(begin, conference.zone).date() == conference.day else conference.starts_at
    room = public[-1].room_id if public else None
    return {
        "clock": local(begin, conference.zone).time(),
        "duration": HALF_HOUR,
        "kind": "plenary",
        "room": room,
    }


@bp.route("/conferences/<slug>/agenda/<int:item_id>", methods=["GET", "POST"])
@access.organisers
def edit_item(slug: str, item_id: int) -> ResponseReturnValue:
    """Change an item."""
    conference, item = _item(slug, item_id)
    form = ItemForm() if request.method == "POST" else ItemForm(data=_facts(item))
    form.place(conference, rooms_of(conference))
    if forms.submitted(form):
        with pages.refusals(form):
            operations.change_item(
                item, form.fields(), form.started_from, at=clock.now(), follow=form.follow.data
            )
            return pages.done(
                "agenda.show_agenda",
                _("“%(title)s” has been saved.", title=item.title),
                slug=slug,
                moved=item_id,
            )
    return pages.show("agenda/edit_item.html", form=form, conference=conference, item=item)


def _facts(item: AgendaItem) -> dict[str, Any]:
    return vars(item) | {
        "clock": local(item.starts_at, item.conference.zone).time(),
        "duration": int(item.duration.total_seconds() // 60),
        "room": item.room_id,
        "kind": item.kind.value,
    }


@bp.route("/conferences/<slug>/agenda/<int:item_id>/removal", methods=["GET", "POST"])
@access.organisers
def remove_item(slug: str, item_id: int) -> ResponseReturnValue:
    """Ask, then take an item off the agenda."""
    conference, item = _item(slug, item_id)
    form = forms.Form()
    if forms.submitted(form):
        title = item.title
        with pages.refusals(form):
            operations.remove_item(item, at=clock.now())
            return pages.done(
                "agenda.show_agenda", _("“%(title)s” has been removed.", title=title), slug=slug
            )
    written = queries.note_of(item)
    return pages.show("agenda/remove_item.html", form=form, conference=conference, item=item, written=written)


@bp.post("/conferences/<slug>/agenda/<int:item_id>/position")
@access.organisers
def move_item(slug: str, item_id: int) -> ResponseReturnValue:
    """Let an item change places with the one before or after it."""
    conference, item = _item(slug, item_id)
    form = MoveForm()
    form.offer_directions()
    if forms.submitted(form):
        with pages.refusals(form):
            direction: core.Direction = "up" if form.direction.data == "up" else "down"
            other = operations.move_item(item, direction, at=clock.now(), version=form.started_from)
            words = _words_of_move(item, other, direction, conference.zone)
            return pages.done("agenda.show_agenda", words, slug=slug, moved=item_id, by=direction)
    return _timetable(conference, form)


def _words_of_move(item: AgendaItem, other: AgendaItem | None, direction: str, zone: str) -> str:
    values = {
        "title": item.title,
        "other": other.title if other else "",
        "time": show_time(item.starts_at, zone),
    }
    if other is None:
        return str(_("“%(title)s” now begins at %(time)s.", **values))
    if direction == "up":
        return str(_("“%(title)s” now comes before “%(other)s” and begins at %(time)s.", **values))
    return str(_("“%(title)s” now comes after “%(other)s” and begins at %(time)s.", **values))


@bp.post("/conferences/<slug>/agenda/<int:item_id>/beginning")
@access.organisers
def delay_item(slug: str, item_id: int) -> ResponseReturnValue:
    """Begin an item some minutes later or earlier."""
    conference, item = _item(slug, item_id)
    form = DelayForm()
    if forms.submitted(form):
        with pages.refusals(form):
            operations.delay_item(item, form.by, at=clock.now(), version=form.started_from)
            words = _words_of_move(item, None, "", conference.zone)
            by = "earlier" if form.minutes.data < 0 else "later"
            return pages.done("agenda.show_agenda", words, slug=slug, moved=item_id, by=by)
    return _timetable(conference, form)


@bp.route("/conferences/<slug>/agenda/<int:item_id>/times", methods=["GET", "POST"])
@access.organisers
def show_times(slug: str, item_id: int) -> ResponseReturnValue:
    """Move everything from an item on, or see what closing the gaps would do."""
    conference, item = _item(slug, item_id)
    form = (
        DelayForm() if request.method == "POST" else DelayForm(data={"minutes": 5, "version": item.version})
    )
    if forms.submitted(form):
        with pages.refusals(form):
            operations.delay_item(item, form.by, at=clock.now(), version=form.started_from, following=True)
            words = _(
                "“%(title)s” and everything after it: new times from %(time)s.",
                title=item.title,
                time=_begin(item),
            )
            return pages.done("agenda.show_agenda", words, slug=slug, moved=item_id)
    items = queries.items_of(conference)
    times = core.without_gaps(queries.slots_of(items), item_id)
    return pages.show(
        "agenda/show_times.html", form=form, conference=conference, item=item, items=items, times=times
    )


def _begin(item: AgendaItem) -> str:
    return show_time(item.starts_at, item.conference.zone)


@bp.post("/conferences/<slug>/agenda/<int:item_id>/gap-closure")
@access.organisers
def close_gaps(slug: str, item_id: int) -> ResponseReturnValue:
    """Let everything after an item follow without gaps."""
    _conference, item = _item(slug, item_id)
    count = operations.close_gaps(item, at=clock.now())
    words = ngettext("%(num)d item has a new time.", "%(num)d items have new times.", count)
    return pages.done("agenda.show_agenda", words, slug=slug, moved=item_id)


@bp.post("/conferences/<slug>/agenda/day")
@access.organisers
def move_to_day(slug: str) -> ResponseReturnValue:
    """Bring the items to the day to which the conference was moved."""
    count = operations.move_to_day(conference_here(access.account(), slug), at=clock.now())
    words = ngettext("%(num)d item has a new time.", "%(num)d items have new times.", count)
    return pages.done("agenda.show_agenda", words, slug=slug)


@bp.route("/conferences/<slug>/agenda/<int:item_id>/note", methods=["GET", "POST"])
@access.minute_takers
def edit_note(slug: str, item_id: int) -> ResponseReturnValue:
    """Write the note on an item. A stale one comes back with both texts; sent again, it then counts."""
    conference, item = _item(slug, item_id)
    states = queries.notes_of(item)
    current = states[0] if states else None
    data = {"text": current.text if current else "", "version": current.number if current else 0}
    form = NoteForm() if request.method == "POST" else NoteForm(data=data)
    if forms.submitted(form):
        with pages.refusals(form):
            operations.save_note(
                item, form.text.data or "", form.started_from, access.account(), at=clock.now()
            )
            return pages.done("agenda.edit_note", _("The note has been saved."), slug=slug, item_id=item_id)
        states = queries.notes_of(item)
    html = to_html(states[0].text) if states else None
    return pages.show(
        "agenda/edit_note.html", form=form, conference=conference, item=item, states=states, html=html
    )


@bp.get("/conferences/<slug>/agenda/<int:item_id>/note/<int:number>")
@access.minute_takers
def show_note(slug: str, item_id: int, number: int) -> ResponseReturnValue:
    """An earlier state of a note."""
    conference, item = _item(slug, item_id)
    note = found(queries.note_of(item, number))
    return pages.show(
        "agenda/show_note.html", conference=conference, item=item, note=note, html=to_html(note.text)
    )


@bp.get("/programme/<slug>")
@access.public
def show_programme(slug: str) -> ResponseReturnValue:
    """The public programme: nothing about the visitor in it, so that browsers and proxies may keep it for a minute."""
    programme = found(queries.programme_of(slug))
    feed = pages.absolute("agenda.programme_feed", slug=slug)
    # Not by render_template: its context asks who is visiting, which costs a session and the account.
    html = current_app.jinja_env.get_template("agenda/show_programme.html").render(
        programme=programme,
        file=url_for("agenda.programme_feed", slug=slug),
        subscription="webcal://" + feed.split("://", 1)[1],
        lang=language.current(),
        theme=request.cookies.get(language.remembered_as("theme"), "auto"),
        current_path=layout.current_path(),
        footer_links=[(label, url_for(endpoint)) for label, endpoint in layout.FOOTER],
        get_flashed_messages=lambda **_options: (),
    )
    response = Response(html)
    response.vary.update(("Cookie", "Accept-Language"))
    return pages.cacheable(response, seconds=60)


@bp.get("/programme/<slug>.ics")
@access.public
def programme_feed(slug: str) -> ResponseReturnValue:
    """The public programme for calendars, which come again every few hours."""
    conference = found(conference_by_slug(slug))
    content = queries.feed_of(conference, at=clock.now())
    response = pages.file(content, "text/calendar; charset=utf-8", f"{conference.slug}.ics", inline=True)
    return pages.cacheable(response, seconds=900, public=False)


@bp.route("/conferences/<slug>/follow-up", methods=["GET", "POST"])
@access.organisers
def plan_follow_up(slug: str) -> ResponseReturnValue:
    """Plan the next conference from this one."""
    conference = conference_here(access.account(), slug)
    form = FollowUpForm() if request.method == "POST" else FollowUpForm(data=_suggestion(conference))
    form.after(conference, queries.days_in_use(conference), slugs())
    follower = follower_of(conference)
    if request.method == "POST" and follower is not None and not form.another.data:
        # Before all else: a form sent twice would otherwise only hear that day and short name are taken, by itself.
        with pages.refusals(form):
            raise operations.AlreadyPlanned(follower)
    elif forms.submitted(form):
        with pages.refusals(form):
            planned = operations.plan_follow_up(conference, form.fields(), access.account(), at=clock.now())
            words = _("“%(title)s” is planned. Please look through the agenda.", title=planned.title)
            return pages.done("agenda.show_agenda", words, slug=planned.slug)
    return pages.show("agenda/plan_follow_up.html", form=form, conference=conference, follower=follower)


def _suggestion(conference: Conference) -> dict[str, object]:
    next_day: date = conference.day + NEXT_TIME
    spelt = [
        renamed(text, conference.day, next_day, conference.language)
        for text in (conference.title, conference.slug)
    ]
    return {"title": spelt[0], "slug": spelt[1] if spelt[1] != conference.slug else ""}
