"""Which facilitator has which groups: who organises gives them, who facilitates sees them and no others."""

from dataclasses import replace
from typing import Any

from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from ..conferences.models import Conference, Grant
from ..conferences.queries import conference_here
from ..kit import access, clock, forms, pages
from ..kit.db import found
from ..kit.errors import Missing
from ..kit.layout import belongs
from ..people import operations as people
from ..people.queries import (
    Reach,
    facilitation_of,
    facilitations_of,
    facilitators_of,
    reach_of,
)
from ..registrations.queries import participant_ids, participants
from . import bp, method_queries, queries, tasks
from .forms import AssignForm, FormingForm, MoveForm
from .models import Group, Round

belongs("groups.show_groups", "groups.show_facilitators")


# -- organisers -----------------------------------------------------------


@bp.route("/conferences/<slug>/groups/facilitators", methods=["GET", "POST"])
@access.organisers
def show_facilitators(slug: str) -> ResponseReturnValue:
    """Who facilitates which group, and a form to give one more."""
    conference, at = conference_here(access.account(), slug), clock.now()
    grants = _one_each(facilitators_of(conference, at))
    rounds = queries.rounds_of(conference)
    form = AssignForm()
    form.grant.offer((key, grant.account.name) for key, grant in grants.items())
    form.table.offer((name, _("Group %(name)s", name=name)) for name in queries.table_names(conference))
    form.round.offer((str(one.number), _("Round %(number)d", number=one.number)) for one in rounds)
    if forms.submitted(form):
        with pages.refusals(form):
            grant, number = grants[form.grant.data], int(form.round.data or 0)
            people.assign_group(conference, grant, form.table.data, number, access.account(), at=at)
            message = _(
                "%(name)s facilitates group %(group)s.", name=grant.account.name, group=form.table.data
            )
            return pages.done("groups.show_facilitators", message, slug=slug)
        conference = conference_here(access.account(), slug)
    given = facilitations_of(conference)
    led = {(one.round, one.table) for one in given}
    groups = [
        (plan.round.number, group.group.name) for plan in queries.plan_of(conference) for group in plan.groups
    ]
    return pages.show(
        "groups/show_facilitators.html",
        form=form,
        conference=conference,
        given=given,
        at=at,
        has_facilitators=bool(grants),
        tables=set(queries.table_names(conference)),
        without=sorted({name for number, name in groups if not led & {(0, name), (number, name)}}),
    )


def _one_each(grants: list[Grant]) -> dict[str, Grant]:
    """Who facilitates by two roles is offered once, by the one that holds longer."""
    longest: dict[int, Grant] = {}
    for grant in grants:
        known = longest.get(grant.account_id)
        if known is None or (
            known.expires_at and (not grant.expires_at or grant.expires_at > known.expires_at)
        ):
            longest[grant.account_id] = grant
    return {str(grant.id): grant for grant in longest.values()}


@bp.post("/conferences/<slug>/groups/facilitators/<int:facilitation_id>/removal")
@access.organisers
def release_group(slug: str, facilitation_id: int) -> ResponseReturnValue:
    """Take a group from a facilitator."""
    conference = conference_here(access.account(), slug)
    people.release_group(found(facilitation_of(conference, facilitation_id)))
    return pages.done("groups.show_facilitators", _("The group has been taken away."), slug=slug)


# -- facilitators ---------------------------------------------------------


def reach_here(conference: Conference) -> Reach:
    """Which groups the visitor reaches."""
    return reach_of(access.account(), conference, everywhere=access.visitor().works_at_all_tables)


def own_group(conference: Conference, group_id: int) -> Group:
    """A group that the visitor reaches; Missing (404) otherwise."""
    group = found(queries.group_of(conference, group_id))
    if not reach_here(conference).covers(group.round.number, group.name):
        raise Missing
    return group


def own_plans(plans: list[queries.RoundPlan], reach: Reach) -> list[queries.RoundPlan]:
    """The rounds with the groups that somebody reaches."""
    return [
        replace(plan, groups=[g for g in plan.groups if reach.covers(plan.round.number, g.group.name)])
        for plan in plans
    ]


def check_move(conference: Conference, round_: Round, move: MoveForm) -> None:
    """Missing (404) unless people and target are the visitor's: at the own groups, or at none yet."""
    reach = reach_here(conference)
    if reach.everywhere:
        return
    there = participant_ids(conference)
    for contact_id in (one for one in (move.person.data, move.other.data) if one is not None):
        seat = queries.seat_of(round_.id, contact_id)
        is_free = seat is None and contact_id in there
        if not is_free and (seat is None or not reach.covers(round_.number, seat.group.name)):
            raise Missing
    if move.group.data is not None:
        own_group(conference, move.group.data)


def own_page(
    conference: Conference, reach: Reach, form: FormingForm, move: MoveForm | None, round_id: int | None
) -> ResponseReturnValue:
    """The own groups, to be looked at and to be put right by hand; nothing of the others."""
    everyone = participants(conference)
    plans = queries.plan_of(conference)
    rules = method_queries.rules_of(conference)
    seated = {plan.round.id: plan.seated_ids for plan in plans}
    own, present = own_plans(plans, reach), {person.id for person in everyone}
    at_own = {plan.round.id: plan.seated_ids for plan in own}
    context: dict[str, Any] = {
        "unseated": {key: [p for p in everyone if p.id not in ids] for key, ids in seated.items()},
        "gone": {key: ids - present for key, ids in at_own.items()},
        "away": tasks.absences(rules, len(plans)),
        "hosts": method_queries.hosts_of(conference, rules),
    }
    return pages.show(
        "groups/show_own_groups.html",
        form=form,
        move=move,
        move_round=round_id,
        conference=conference,
        release=queries.latest_release(conference),
        is_live=queries.is_live(conference),
        plans=own,
        given=sorted({table for _number, table in reach.given}),
        mix={},
        **context,
    )
