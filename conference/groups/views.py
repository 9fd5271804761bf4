"""Pages for groups: form, look, move, publish; and what a participant sees."""

import json
from datetime import datetime
from functools import lru_cache
from typing import Any

from flask import request
from flask.typing import ResponseReturnValue
from flask_babel import format_decimal
from flask_babel import gettext as _

from ..conferences.models import Conference
from ..conferences.queries import conference_here, rooms_of, topics_of
from ..core import grouping
from ..kit import access, clock, forms, pages, unit
from ..kit.db import found
from ..kit.layout import belongs
from ..providers.queries import contact_by_id
from ..registrations.queries import participants
from . import bp, operations, queries, tasks
from .forms import FormingForm, GroupForm, MoveForm
from .models import Forming

belongs("groups.show_groups", "groups.edit_group")


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
        release=release,
        changed=release is None or release.plan != queries.plan_as_published(conference, plans),
    )


def _scores(forming: Forming | None, plans: list[queries.RoundPlan]) -> list[dict[str, Any]]:
    """The goals as the groups stand now, after all moves by hand, with their proven bounds."""
    if forming is None:
        return []
    known = {person["id"] for person in forming.problem["people"]}
    seating = [
        {
            group.group.name: tuple(
                str(seat.contact_id) for seat in group.seats if str(seat.contact_id) in known
            )
            for group in plan.groups
        }
        for plan in plans
    ]
    if len(seating) != forming.problem["rounds"]:
        return []
    return [_score(score) for score in _judged(json.dumps(forming.problem), json.dumps(seating))]


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
@unit.own_transactions
def form_groups(slug: str) -> ResponseReturnValue:
    """Form all rounds anew. The search runs outside any transaction."""
    form = FormingForm()
    if forms.submitted(form):
        with pages.refusals(form):
            with unit.writing():
                rounds = len(operations.prepare_rounds(conference_here(access.account(), slug)))
            with unit.reading():
                task = tasks.task_of(conference_here(access.account(), slug), form.tables.data, rounds)
            solution = operations.solve(task)
            with unit.writing():
                account = access.account()
                operations.store(conference_here(account, slug), task, solution, account, at=clock.now())
            return pages.done("groups.show_groups", _("The groups have been formed."), slug=slug)
    return _page(conference_here(access.account(), slug), form)


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
