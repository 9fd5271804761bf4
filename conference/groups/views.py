"""Pages for groups: form, look, move, publish; and what a participant sees."""

import hashlib
import json
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from flask import Response, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import format_decimal, get_locale
from flask_babel import gettext as _

from ..conferences.models import Conference
from ..conferences.queries import conference_here, rooms_of, topics_of
from ..core import grouping
from ..kit import access, clock, forms, pages
from ..kit.db import found
from ..kit.layout import belongs
from ..providers.queries import contact_by_id
from ..registrations.queries import participants
from . import bp, forming, operations, queries
from .forms import FormingForm, GroupForm, MoveForm
from .models import Forming, FormingState

belongs("groups.show_groups", "groups.edit_group", "groups.show_forming")

PATIENCE = timedelta(seconds=30)
"""After that the page says that no worker has come."""


@bp.get("/conferences/<slug>/groups")
@access.moderators
def show_groups(slug: str) -> ResponseReturnValue:
    """Who sits where in which round, and how good that is."""
    return _page(conference_here(access.account(), slug), FormingForm())


def _page(
    conference: Conference, form: FormingForm, move: MoveForm | None = None, round_id: int | None = None
) -> ResponseReturnValue:
    """The page with the forming form as it was sent, or with a move of a round that was not done."""
    people = participants(conference)
    plans = queries.plan_of(conference)
    if not form.is_submitted() or move is not None:
        tables = len({group.group.name for plan in plans for group in plan.groups})
        form.tables.data = tables or max(1, round(len(people) / 7))
    release = queries.latest_release(conference)
    newest = queries.newest_forming(conference)
    present = {person.id for person in people}
    seated = {plan.round.id: plan.seated_ids for plan in plans}
    return pages.show(
        "groups/show_groups.html",
        form=form,
        move=move,
        move_round=round_id,
        conference=conference,
        people=people,
        plans=plans,
        unseated={round_id: [p for p in people if p.id not in ids] for round_id, ids in seated.items()},
        gone={round_id: ids - present for round_id, ids in seated.items()},
        scores=_scores(queries.latest_forming(conference), plans),
        newest=newest,
        trouble=_trouble(newest),
        release=release,
        changed=release is None or release.plan != queries.plan_as_published(conference, plans),
    )


def _scores(formed: Forming | None, plans: list[queries.RoundPlan]) -> list[dict[str, Any]]:
    """The goals as the groups stand now, after all moves by hand, with their proven bounds."""
    if formed is None:
        return []
    known = {person["id"] for person in formed.problem["people"]}
    seating = [
        {
            group.group.name: tuple(
                str(seat.contact_id) for seat in group.seats if str(seat.contact_id) in known
            )
            for group in plan.groups
        }
        for plan in plans
    ]
    if len(seating) != formed.problem["rounds"]:
        return []
    return [_score(score) for score in _judged(json.dumps(formed.problem), json.dumps(seating))]


@lru_cache(maxsize=32)
def _judged(problem: str, seating: str) -> tuple[grouping.GoalScore, ...]:
    # Proving the bounds again costs as much as the page; nothing changes between two moves.
    return grouping.evaluate(grouping.parse_problem(json.loads(problem)), tuple(json.loads(seating)))


def _score(score: grouping.GoalScore) -> dict[str, Any]:
    """One line of the table; of wishes it shows the sum over all people."""
    value, bound = (
        number[1] if isinstance(number, tuple) else number for number in (score.value, score.bound)
    )
    gap = 0 if value is None or bound is None else value - bound
    return {
        "goal": score.goal,
        "value": format_decimal(value, "#,##0.#"),
        "bound": "–" if bound is None else format_decimal(bound, "#,##0.#"),
        "gap": format_decimal(gap, "#,##0.#"),
        "is_best": score.value == score.bound,
        "is_close": bound is not None and gap <= bound / 20,
    }


@bp.post("/conferences/<slug>/groups/forming")
@access.organisers
def form_groups(slug: str) -> ResponseReturnValue:
    """Ask the worker to form all rounds anew."""
    account = access.account()
    conference, form = conference_here(account, slug), FormingForm()
    if forms.submitted(form):
        with pages.refusals(form):
            asked = forming.ask(conference, form.tables.data, account, at=clock.now())
            return pages.done("groups.show_forming", slug=slug, forming_id=asked.id)
    return _page(conference_here(access.account(), slug), form)


@bp.get("/conferences/<slug>/groups/forming/<int:forming_id>")
@access.moderators
def show_forming(slug: str, forming_id: int) -> ResponseReturnValue:
    """How far the worker is, renewing itself; why nothing came out, in words; once done it leads to the groups."""
    conference = conference_here(access.account(), slug)
    asked = found(queries.forming_of(conference, forming_id))
    is_late = asked.state is FormingState.WAITING and clock.now() - asked.asked_at > PATIENCE
    response = pages.show(
        "groups/show_forming.html",
        conference=conference,
        forming=asked,
        percent=100 * asked.steps_done // max(1, asked.steps_planned),
        is_late=is_late,
        trouble=_trouble(asked),
    )
    if "HX-Request" not in request.headers:
        return response
    if asked.state is FormingState.DONE:
        response.headers["HX-Redirect"] = url_for("groups.show_groups", slug=slug)
    return _renewed(response, asked, is_late)


def _renewed(response: Response, asked: Forming, is_late: bool) -> Response:
    """304 while nothing has happened; the mark is made of facts, because the page around them holds forms."""
    facts = (asked.id, asked.state.value, asked.steps_done, asked.cancelled_at, is_late, get_locale())
    response.set_etag(hashlib.sha256(repr(facts).encode()).hexdigest()[:32])
    response.headers["Cache-Control"] = "private, no-cache"
    response.vary.update(("HX-Request", "Cookie"))
    return response.make_conditional(request)  # type: ignore[return-value]


def _trouble(asked: Forming | None) -> str | None:
    if asked is None or asked.trouble is None:
        return None
    return operations.words_for(asked.trouble, grouping.parse_problem(asked.problem))


@bp.post("/conferences/<slug>/groups/forming/<int:forming_id>/cancellation")
@access.organisers
def cancel_forming(slug: str, forming_id: int) -> ResponseReturnValue:
    """Stop the search; the best found so far is kept."""
    asked = found(queries.forming_of(conference_here(access.account(), slug), forming_id))
    forming.cancel(asked, at=clock.now())
    return pages.done("groups.show_forming", slug=slug, forming_id=forming_id)


@bp.post("/conferences/<slug>/rounds/<int:round_id>/seats")
@access.moderators
def move_seat(slug: str, round_id: int) -> ResponseReturnValue:
    """Move, pin or release one person by hand."""
    conference = conference_here(access.account(), slug)
    number = found(queries.round_of(conference, round_id)).number
    move, overview = MoveForm(), FormingForm(formdata=None)
    if not forms.submitted(move):
        overview.form_errors.append(
            _("Please choose a person.") if move.person.errors else _("Please choose a group.")
        )
        return _page(conference, overview, move, round_id)
    with pages.refusals(overview):
        message = _moved(conference, round_id, number, move)
        return pages.done("groups.show_groups", message, slug=slug, _anchor=f"round-{number}")
    return _page(conference, overview, move, round_id)


def _moved(conference: Conference, round_id: int, number: int, move: MoveForm) -> str:
    contact = found(contact_by_id(move.person.data))
    step = request.form.get("step")
    if step in ("pin", "unpin"):
        operations.pin(conference, round_id, contact.id, step == "pin")
        if step == "pin":
            return _("%(name)s stays when groups are formed anew.", name=contact.name)
        return _("%(name)s may be moved again.", name=contact.name)
    group = operations.move_seat(conference, round_id, contact.id, move.group.data, move.started_from)
    if group is None:
        return _("%(name)s has no group in round %(number)d now.", name=contact.name, number=number)
    return _(
        "%(name)s sits in group %(group)s now (round %(number)d).",
        name=contact.name,
        group=group.name,
        number=number,
    )


@bp.route("/conferences/<slug>/groups/<int:group_id>", methods=["GET", "POST"])
@access.moderators
def edit_group(slug: str, group_id: int) -> ResponseReturnValue:
    """Topic, room and focus question of a group."""
    conference = conference_here(access.account(), slug)
    group = found(queries.group_of(conference, group_id))
    form = GroupForm(obj=group)
    form.topic_id.offer((topic.id, topic.title) for topic in topics_of(conference))
    form.room_id.offer(
        (room.id, _("%(name)s (%(num)d seats)", name=room.name, num=room.capacity))
        for room in rooms_of(conference)
    )
    if forms.submitted(form):
        with pages.refusals(form):
            topic = int(form.topic_id.data) if form.topic_id.data else None
            room = int(form.room_id.data) if form.room_id.data else None
            operations.change_group(conference, group, topic, room, form.focus_question.data or "")
            return pages.done("groups.show_groups", _("The group has been saved."), slug=slug)
    return pages.show("groups/edit_group.html", form=form, conference=conference, group=group)


@bp.post("/conferences/<slug>/groups/release")
@access.organisers
def publish_groups(slug: str) -> ResponseReturnValue:
    """Show the groups to participants."""
    conference = conference_here(access.account(), slug)
    account = access.account()
    release = operations.publish(conference, account, at=clock.now())
    message = _("Version %(number)d of the groups is what participants see now.", number=release.number)
    return pages.done("groups.show_groups", message, slug=slug)


@bp.get("/my/groups")
@access.guest
def my_groups() -> ResponseReturnValue:
    """A participant's own groups, as published."""
    link = access.link()
    entries = [_with_times(entry) for entry in queries.published_for(link.conference, link.contact_id)]
    is_published = queries.latest_release(link.conference) is not None
    return pages.show(
        "groups/my_groups.html", event=link.conference, entries=entries, is_published=is_published
    )


def _with_times(entry: dict[str, Any]) -> dict[str, Any]:
    times = {
        key: datetime.fromisoformat(entry[key]) if entry[key] else None for key in ("starts_at", "ends_at")
    }
    return entry | times
