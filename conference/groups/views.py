"""Pages for groups: form, look, move, publish; and what a participant sees."""

import hashlib
import json
from collections import Counter
from datetime import timedelta
from functools import lru_cache
from typing import Any

from flask import Response, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import format_decimal, get_locale, ngettext
from flask_babel import gettext as _

from ..conferences.models import Conference
from ..conferences.queries import conference_here, rooms_of, topics_of
from ..core import grouping
from ..core.mixing import Judgement, judge
from ..core.seating import seat_changes
from ..invitations.models import LinkPurpose
from ..invitations.operations import address_of
from ..invitations.queries import invitation_for, links_of
from ..kit import access, clock, forms, once, pages
from ..kit.db import found
from ..kit.errors import Refused
from ..kit.layout import belongs
from ..kit.links import is_ours, token_of
from ..providers.models import Contact, Side
from ..providers.queries import contact_by_id
from ..registrations.queries import participant_ids, participants
from . import (
    bp,
    facilitator_views,
    forming,
    method_queries,
    methods,
    open_space_views,
    operations,
    queries,
    repairing,
    tasks,
    timer,
)
from .forms import FormingForm, GroupForm, MoveForm, ReleaseForm, UndoForm
from .method_views import rule_links
from .models import Forming, FormingKind, FormingState, Group, GroupsRule, Method
from .standing import Situation, situation_of

belongs("groups.show_groups", "groups.edit_group", "groups.show_forming", "groups.publish_groups")

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
    reach = facilitator_views.reach_here(conference)
    if not reach.everywhere:
        return facilitator_views.own_page(conference, reach, form, move, round_id)
    people = participants(conference)
    plans = queries.plan_of(conference)
    setting, rules = method_queries.setting_of(conference), method_queries.rules_of(conference)
    if not form.is_submitted() or move is not None:
        tables = len(_tables(plans))
        usual = method_queries.tables_for(setting.method, len(people), len(topics_of(conference)))
        form.tables.data = setting.tables or tables or usual
    release = queries.latest_release(conference)
    newest = queries.newest_forming(conference)
    formed = queries.latest_forming(conference)
    judgement = _judgement(formed, plans, rules)
    present = {person.id for person in people}
    situation = situation_of(conference, plans, people, clock.now(), rules)
    hosts, is_cafe = method_queries.hosts_of(conference, rules), setting.method is Method.WORLD_CAFE
    seated = {plan.round.id: plan.seated_ids for plan in plans}
    return pages.show(
        "groups/show_groups.html",
        form=form,
        move=move,
        move_round=round_id,
        conference=conference,
        setting=setting,
        hosts=hosts,
        rules=len(rules),
        away=tasks.absences(rules, len(plans)),
        people=people,
        plans=plans,
        unseated={round_id: [p for p in people if p.id not in ids] for round_id, ids in seated.items()},
        gone={round_id: ids - present for round_id, ids in seated.items()},
        quality=_quality(judgement, plans) if judgement else None,
        mix={g.group.id: _mix(g) for plan in plans for g in plan.groups},
        newest=newest,
        last=_last_change(conference),
        by_hand=len(queries.moved_by_hand(conference, formed, plans)) if formed else 0,
        trouble=_trouble(newest) if _still_holds(newest, rules) else None,
        bare=method_queries.without_host(_tables(plans) if is_cafe else [], hosts, people),
        situation=situation,
        line=_line(conference, plans, people, situation),
        release=release,
        changed=release is None or release.plan != queries.plan_as_published(conference, plans, rules),
    )


def _tables(plans: list[queries.RoundPlan]) -> list[str]:
    return sorted({group.group.name for plan in plans for group in plan.groups})


def _still_holds(newest: Forming | None, rules: list[GroupsRule]) -> bool:
    """True while what stood in the way may still stand there: the rules are those of then."""
    if newest is None or newest.kind is not FormingKind.FORMING:
        return False
    return newest.setting.get("rules", []) == [rule.id for rule in rules]


def _line(
    conference: Conference, plans: list[queries.RoundPlan], people: list[Contact], situation: Situation
) -> str | None:
    """Who is missing, who has come, and how many moves would mend it; None when everything fits."""
    row, now = queries.newest_repair(conference), repairing.Now(plans, people, situation)
    return repairing.line_of(row, now) if situation.needs_repair else None


def _judgement(
    formed: Forming | None, plans: list[queries.RoundPlan], rules: list[GroupsRule]
) -> Judgement | None:
    """The groups as they stand now, after all moves by hand, measured by the problem for which they were formed.

    The rules are those of now: one that was added since may be broken.
    """
    if formed is None:
        return None
    known = {person["id"] for person in formed.problem["people"]}
    tables = {group["id"] for group in formed.problem["groups"]}
    seating = [
        {
            group.group.name: tuple(
                str(seat.contact_id) for seat in group.seats if str(seat.contact_id) in known
            )
            for group in plan.groups
            if group.group.name in tables
        }
        for plan in plans
        if plan.groups
    ]
    if len(seating) != formed.problem["rounds"]:
        return None
    problem = tasks.as_of_now(formed.problem, formed.setting.get("sources", []), rules)
    return _judged(json.dumps(problem), json.dumps(seating), json.dumps(_proven(formed, problem)))


def _proven(formed: Forming, problem: dict[str, Any]) -> list[Any] | None:
    """The bounds that were proven when the groups were formed, while they are those of the problem as it is now."""
    if formed.result is None or formed.kind is not FormingKind.FORMING:
        return None
    then, now = grouping.parse_problem(formed.problem), grouping.parse_problem(problem)
    is_same = set(then.rules) == set(now.rules) and _rounds_of(then) == _rounds_of(now)
    return [goal["bound"] for goal in formed.result["goals"]] if is_same else None


def _rounds_of(problem: grouping.Problem) -> list[list[bool]]:
    return [[person.is_there(n + 1) for n in range(problem.rounds)] for person in problem.people]


@lru_cache(maxsize=32)
def _judged(problem: str, seating: str, proven: str) -> Judgement:
    # Counting it all again costs as much as the page; nothing changes between two moves.
    parsed, bounds = grouping.parse_problem(json.loads(problem)), json.loads(proven)
    known = [tuple(bound) if isinstance(bound, list) else bound for bound in bounds or ()]
    return judge(parsed, tuple(json.loads(seating)), known or grouping.bounds_at_once(parsed))


def _quality(judgement: Judgement, plans: list[queries.RoundPlan]) -> dict[str, Any]:
    """What the page says about the groups: goals, sizes, and person by person what hurts."""
    names = _names(plans)
    sizes = [len(group.seats) for plan in plans for group in plan.groups]
    scores = [_score(score) for score in judgement.scores]
    return {
        "scores": scores,
        "is_best": all(score["is_best"] for score in scores),
        "best": sum(score["is_best"] for score in scores),
        "sizes": (min(sizes, default=0), max(sizes, default=0)),
        "again": [([names.get(one, "?") for one in pair.people], pair) for pair in judgement.again],
        "beside": [([names.get(one, "?") for one in found.people], found) for found in judgement.beside],
        "granted": judgement.granted,
        "broken": tasks.broken_in_words(judgement.broken, names),
    }


def _mix(group: queries.GroupPlan) -> list[tuple[str, int, str]]:
    """How many of each side sit at a table: words, number, colour."""
    count = Counter(seat.contact.side for seat in group.seats)
    tones = {Side.PROVIDER: "accent", Side.AGENCY: "warn"}
    return [(str(side.label), count[side], tones[side]) for side in Side if count[side]]


def _score(score: grouping.GoalScore) -> dict[str, Any]:
    """One line of the table; of wishes it shows the sum over all people."""
    value, bound = (
        number[1] if isinstance(number, tuple) else number for number in (score.value, score.bound)
    )
    gap = 0 if value is None or bound is None else value - bound
    return {
        "goal": score.goal,
        "number": value,
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
            around = request.form.get("around") == "1"
            methods.remember_tables(conference, form.tables.data)
            asked = forming.ask(conference, form.tables.data, account, around=around, at=clock.now())
            return pages.done("groups.show_forming", slug=slug, forming_id=asked.id)
    return _page(conference_here(access.account(), slug), form)


@bp.get("/conferences/<slug>/groups/forming/<int:forming_id>")
@access.organisers
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
        best=_best_so_far(asked),
        is_late=is_late,
        trouble=_trouble(asked),
    )
    if asked.kind is FormingKind.REPAIR:
        return redirect(url_for("groups.show_repair", slug=slug), 303)
    if "HX-Request" not in request.headers:
        return response
    if asked.state is FormingState.DONE:
        flash(_("The groups have been formed."), "success")
        response.headers["HX-Redirect"] = url_for("groups.show_groups", slug=slug)
    elif not asked.is_active:
        response.headers["HX-Refresh"] = "true"
    return _renewed(response, asked, is_late)


def _renewed(response: Response, asked: Forming, is_late: bool) -> Response:
    """304 while nothing has happened; the mark is made of facts, because the page around them holds forms."""
    facts = (
        asked.id,
        asked.state.value,
        asked.steps_done,
        asked.best,
        asked.cancelled_at,
        is_late,
        get_locale(),
    )
    response.set_etag(hashlib.sha256(repr(facts).encode()).hexdigest()[:32])
    response.headers["Cache-Control"] = "private, no-cache"
    response.vary.update(("HX-Request", "Cookie"))
    return response.make_conditional(request)  # type: ignore[return-value]


def _best_so_far(asked: Forming) -> list[tuple[str, str]]:
    """Goal by goal how good the best groups are that have been found until now, and how good they could be."""
    words = []
    for one in asked.best or ():
        value, bound = (tuple(n) if isinstance(n, list) else n for n in (one["value"], one["bound"]))
        score = _score(grouping.GoalScore(one["goal"], value, bound))
        said = _("%(value)s – proven best") if score["is_best"] else _("%(value)s, at best %(bound)s")
        words.append((_goal_name(one["goal"]), said % {"value": score["value"], "bound": score["bound"]}))
    return words


def _trouble(asked: Forming | None) -> dict[str, Any] | None:
    """Why nothing came out, in words, and where the rules are that it names."""
    if asked is None or asked.trouble is None:
        return None
    sources = asked.setting.get("sources", [])
    return {
        "text": operations.words_for(asked.trouble, grouping.parse_problem(asked.problem), sources),
        "links": rule_links(
            asked.conference, [sources[number] for number in asked.trouble.get("rules", ()) if sources]
        ),
    }


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
    """Move, pin or release one person by hand; facilitators at the groups that they were given."""
    conference = conference_here(access.account(), slug)
    round_ = found(queries.round_of(conference, round_id))
    number = round_.number
    move, overview = MoveForm(), FormingForm(formdata=None)
    if not forms.submitted(move):
        overview.form_errors.append(
            _("Please choose a person.") if move.person.errors else _("Please choose a group.")
        )
        return _page(conference, overview, move, round_id)
    facilitator_views.check_move(conference, round_, move)
    with pages.refusals(overview):
        message = _moved(conference, round_id, number, move)
        return pages.done("groups.show_groups", message, slug=slug, _anchor=f"round-{number}")
    return _page(conference, overview, move, round_id)


def _moved(conference: Conference, round_id: int, number: int, move: MoveForm) -> str:
    """Do what the button says; gives the sentence about it, with what it did to the goals."""
    contact = _person(conference, round_id, move.person.data)
    account, at = access.account(), clock.now()
    step = request.form.get("step")
    if step in ("pin", "unpin"):
        operations.pin(conference, round_id, contact.id, step == "pin", account, at=at)
        if step == "pin":
            return _("%(name)s stays when groups are formed anew.", name=contact.name)
        return _("%(name)s may be moved again.", name=contact.name)
    # What a move does to the whole is for those who see the whole.
    sees_all = access.visitor().works_at_all_tables
    before = _standing(conference) if sees_all else ({}, [])
    if step == "swap":
        done = _swapped(conference, round_id, contact, move, number)
    else:
        group = operations.move_seat(
            conference, round_id, contact.id, move.group.data, move.started_from, account, at=at
        )
        done = _sits(contact, group, number)
    after = _standing(conference) if sees_all else before
    return " ".join([done, *_newly_broken(before, after), *_differences(before[0], after[0])])


def _swapped(conference: Conference, round_id: int, contact: Contact, move: MoveForm, number: int) -> str:
    if move.other.data is None:
        raise Refused(_("Please choose with whom to change places."))
    other, account = _person(conference, round_id, move.other.data), access.account()
    groups = operations.swap_seats(
        conference, round_id, contact.id, other.id, move.started_from, account, at=clock.now()
    )
    return f"{_sits(contact, groups[0], number)} {_sits(other, groups[1], number)}"


def _person(conference: Conference, round_id: int, contact_id: int) -> Contact:
    """Somebody of this conference; who is known elsewhere only is as unknown here as nobody. Raises Missing."""
    is_here = (
        queries.seat_of(round_id, contact_id) is not None
        or invitation_for(conference, contact_id) is not None
        or contact_id in participant_ids(conference)
    )
    return found(contact_by_id(contact_id) if is_here else None)


def _sits(contact: Contact, group: Group | None, number: int) -> str:
    if group is None:
        return _("%(name)s has no group in round %(number)d now.", name=contact.name, number=number)
    return _(
        "%(name)s sits in group %(group)s now (round %(number)d).",
        name=contact.name,
        group=group.name,
        number=number,
    )


Standing = tuple[dict[str, tuple[Any, str]], list[str]]


def _standing(conference: Conference) -> Standing:
    """How good the groups are for each goal, and which rules they break, in words."""
    plans = queries.plan_of(conference)
    rules = method_queries.rules_of(conference)
    judgement = _judgement(queries.latest_forming(conference), plans, rules)
    if judgement is None:
        return {}, []
    scores = [_score(score) for score in judgement.scores]
    broken = tasks.broken_in_words([one for one in judgement.broken if one.rule], _names(plans))
    return {score["goal"]: (score["number"], score["value"]) for score in scores}, broken


def _names(plans: list[queries.RoundPlan]) -> dict[str, str]:
    seats = [seat for plan in plans for group in plan.groups for seat in group.seats]
    return {
        str(seat.contact_id): seat.contact.provider.name if seat.contact.is_restricted else seat.contact.name
        for seat in seats
    }


def _newly_broken(before: Standing, after: Standing) -> list[str]:
    """What a move has broken: it was done, but nobody should find out later."""
    broken = [sentence for sentence in after[1] if sentence not in before[1]]
    return [_("This breaks a rule: %(rules)s", rules=" ".join(broken))] if broken else []


def _differences(before: dict[str, tuple[Any, str]], after: dict[str, tuple[Any, str]]) -> list[str]:
    """What a move did to each goal: for all goals of a conference less is better."""
    said = []
    for goal, (now, shown) in after.items():
        was, shown_before = before.get(goal, (now, shown))
        facts = {"goal": _goal_name(goal), "before": shown_before, "after": shown}
        if now > was:
            said.append(_("%(goal)s: %(before)s → %(after)s, worse.", **facts))
        elif now < was:
            said.append(_("%(goal)s: %(before)s → %(after)s, better.", **facts))
    return said


def _goal_name(goal: str) -> str:
    names = {
        "colleagues": _("Colleagues at one table"),
        "repeats": _("Who meets again"),
        "balance": _("Uneven spread of sides and teams"),
        "wishes": _("Distance from the wishes"),
    }
    return names.get(goal, goal)


@bp.post("/conferences/<slug>/groups/undo")
@access.organisers
def undo_change(slug: str) -> ResponseReturnValue:
    """Take the last change of the seating back."""
    conference, form = conference_here(access.account(), slug), UndoForm()
    overview = FormingForm(formdata=None)
    with pages.refusals(overview):
        operations.undo(conference, form.started_from)
        message = _("The last change has been taken back.")
        return pages.done("groups.show_groups", message, slug=slug, _anchor="board")
    return _page(conference, overview, MoveForm(formdata=None))


def _last_change(conference: Conference) -> dict[str, Any] | None:
    """What the undo button would take back, in words."""
    change = queries.last_change(conference)
    if change is None:
        return None
    names = queries.names_in(change.about[key] for key in ("contact", "other") if key in change.about)
    who = " ⇄ ".join(names.values())
    words = {
        "move": _("Moved: %(who)s", who=who),
        "swap": _("Changed places: %(who)s", who=who),
        "pin": _("Pinned: %(who)s", who=who),
        "unpin": _("Unpinned: %(who)s", who=who),
        "repair": _("Moves of the repair"),
        "clearance": _("Groups of a round taken away"),
    }
    return {"id": change.id, "words": words.get(change.kind, _("Groups formed")), "at": change.changed_at}


@bp.route("/conferences/<slug>/groups/<int:group_id>", methods=["GET", "POST"])
@access.moderators
def edit_group(slug: str, group_id: int) -> ResponseReturnValue:
    """Topic, room and focus question of a group; of their own for facilitators."""
    conference = conference_here(access.account(), slug)
    group = facilitator_views.own_group(conference, group_id)
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
    item = group.round.agenda_item
    is_to_come = queries.is_held(item) and item is not None and item.starts_at > clock.now()
    may_close = is_to_come and access.visitor().works_at_all_tables
    return pages.show(
        "groups/edit_group.html", form=form, conference=conference, group=group, may_close=may_close
    )


@bp.route("/conferences/<slug>/groups/release", methods=["GET", "POST"])
@access.organisers
@once.counted_once
def publish_groups(slug: str) -> ResponseReturnValue:
    """What differs from the published version, person by person; publish it, and tell whom it concerns."""
    account = access.account()
    conference, form, at = conference_here(account, slug), ReleaseForm(), clock.now()
    if forms.submitted(form):
        with pages.refusals(form):
            release = operations.publish(conference, account, form.started_from, at=at)
            told = operations.tell(conference, release, at=at) if form.tell.data else 0
            message = _(
                "Version %(number)d of the groups is what participants see now.", number=release.number
            )
            letters = ngettext("%(num)d letter goes out.", "%(num)d letters go out.", told)
            return pages.done(
                "groups.show_groups", f"{message} {letters}" if form.tell.data else message, slug=slug
            )
    return _release_page(conference_here(access.account(), slug), form)


def _release_page(conference: Conference, form: ReleaseForm) -> ResponseReturnValue:
    plans, people = queries.plan_of(conference), participants(conference)
    rules = method_queries.rules_of(conference)
    situation = situation_of(conference, plans, people, clock.now(), rules)
    newest, plan = queries.latest_release(conference), queries.plan_as_published(conference, plans, rules)
    before = newest.plan if newest else []
    if not form.is_submitted():
        form.version.data = newest.number if newest else 0
        form.tell.data = clock.now() < conference.ends_at
    changes = seat_changes(before, plan)
    return pages.show(
        "groups/publish_groups.html",
        form=form,
        conference=conference,
        newest=newest,
        releases=queries.releases_of(conference),
        changes=changes if newest else [],
        seats=sum(len(entry["contact_ids"]) for entry in plan),
        is_changed=newest is None or before != plan,
        names=queries.names_in({change.contact_id for change in changes}),
        told=len(queries.touched(conference, before, plan)),
        situation=situation,
        line=_line(conference, plans, people, situation),
        plans=plans,
    )


@bp.get("/my/groups")
@access.guest
def my_groups() -> ResponseReturnValue:
    """A participant's own groups: as published, or (in an Open Space) to be chosen."""
    link = access.link()
    if method_queries.setting_of(link.conference).is_live:
        return open_space_views.my_market()
    entries = [
        entry | operations.times_of(entry)
        for entry in queries.published_for(link.conference, link.contact_id)
    ]
    is_published = queries.latest_release(link.conference) is not None
    calendars = [
        one
        for one in links_of(link.conference, link.contact_id, clock.now(), LinkPurpose.CALENDAR)
        if is_ours(one.nonce, one.token_hash)
    ]
    return pages.show(
        "groups/my_groups.html",
        event=link.conference,
        entries=entries,
        is_published=is_published,
        me=link.contact_id,
        time=timer.time_shown(link.conference, clock.now()),
        calendar=address_of(LinkPurpose.CALENDAR, token_of(calendars[0].nonce)) if calendars else None,
        takes_part=queries.takes_part(link.conference, link.contact_id),
    )
