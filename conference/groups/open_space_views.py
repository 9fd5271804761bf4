"""The marketplace of an Open Space: for organisers, and on the personal page."""

from collections import Counter
from typing import Any

from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from ..agenda.queries import breakout_items
from ..conferences.models import Conference
from ..conferences.queries import conference_here, rooms_of
from ..kit import access, clock, forms, pages
from ..kit.db import found
from ..kit.layout import belongs
from ..registrations.queries import participant_ids
from . import bp, method_queries, open_space, queries
from .models import Concern
from .open_space_forms import ChoiceForm, ConcernForm, MergeForm, PlaceForm

belongs(
    "groups.show_groups",
    "groups.show_market",
    "groups.add_concern",
    "groups.place_concern",
    "groups.merge_concern",
)

# -- organisers -----------------------------------------------------------


@bp.get("/conferences/<slug>/groups/market")
@access.organisers
def show_market(slug: str) -> ResponseReturnValue:
    """All concerns: which wait, which have a group, which are merged."""
    return _market_page(conference_here(access.account(), slug), ConcernForm())


def _market_page(
    conference: Conference,
    form: ConcernForm,
    sent: PlaceForm | MergeForm | None = None,
    sent_for: int | None = None,
) -> ResponseReturnValue:
    concerns = method_queries.concerns_of(conference)
    standing = _standing(concerns)
    groups = [(plan, group) for plan in queries.plan_of(conference) for group in plan.groups]
    offers, rounds = _offers(conference)
    rows = []
    for concern in standing:
        mine = sent if sent_for == concern.id else None
        place = mine if isinstance(mine, PlaceForm) else _place_form(offers, fresh=True)
        merge = mine if isinstance(mine, MergeForm) else _merge_form(concern, standing, fresh=True)
        rows.append({"concern": concern, "place": place, "merge": merge})
    return pages.show(
        "groups/show_market.html",
        form=form,
        conference=conference,
        is_live=method_queries.setting_of(conference).is_live,
        rounds=rounds,
        waiting=rows,
        merged=[concern for concern in concerns if concern.merged_into_id is not None],
        together=method_queries.merged_titles(concerns),
        groups=groups,
        placed=Counter(group.group.concern_id for _plan, group in groups),
    )


def _standing(concerns: list[Concern]) -> list[Concern]:
    return [concern for concern in concerns if concern.merged_into_id is None]


Offers = dict[str, list[tuple[Any, str]]]


def _offers(conference: Conference) -> tuple[Offers, int]:
    """Rounds and rooms that can be chosen, read once for all concerns; and how many rounds there are."""
    rounds = len(breakout_items(conference))
    numbers = [(str(number), _("Round %(number)d", number=number)) for number in range(1, rounds + 1)]
    rooms = [
        (room.id, _("%(name)s (%(num)d seats)", name=room.name, num=room.capacity))
        for room in rooms_of(conference)
    ]
    return {"round": numbers, "room": rooms}, rounds


def _place_form(offers: Offers, *, fresh: bool = False) -> PlaceForm:
    form = PlaceForm(formdata=None) if fresh else PlaceForm()
    form.round.offer(offers["round"])
    form.room.offer(offers["room"])
    return form


def _merge_form(concern: Concern, standing: list[Concern], *, fresh: bool = False) -> MergeForm:
    form = MergeForm(formdata=None) if fresh else MergeForm()
    form.into.offer((other.id, other.title) for other in standing if other is not concern)
    return form


@bp.post("/conferences/<slug>/groups/concerns")
@access.organisers
def add_concern(slug: str) -> ResponseReturnValue:
    """Write a concern down for somebody who has said it."""
    conference, form = conference_here(access.account(), slug), ConcernForm()
    if forms.submitted(form):
        with pages.refusals(form):
            open_space.propose(conference, form.title.data, form.sentence.data or "", None, at=clock.now())
            return pages.done("groups.show_market", _("The concern is on the marketplace."), slug=slug)
    return _market_page(conference_here(access.account(), slug), form)


@bp.post("/conferences/<slug>/groups/concerns/<int:concern_id>/place")
@access.organisers
def place_concern(slug: str, concern_id: int) -> ResponseReturnValue:
    """Give a concern a group in a round."""
    conference = conference_here(access.account(), slug)
    found(method_queries.concern_of(conference, concern_id))
    form, page = _place_form(_offers(conference)[0]), ConcernForm(formdata=None)
    if forms.submitted(form):
        with pages.refusals(page):
            room = int(form.room.data) if form.room.data else None
            group = open_space.place(conference, concern_id, int(form.round.data), room)
            message = _("“%(title)s” is group %(group)s now.", title=group.subject, group=group.name)
            return pages.done("groups.show_market", message, slug=slug, _anchor="groups")
    else:
        page.form_errors.append(_("Please choose a round and a room that exist."))
    return _market_page(conference_here(access.account(), slug), page, form, concern_id)


@bp.post("/conferences/<slug>/groups/concerns/<int:concern_id>/merger")
@access.organisers
def merge_concern(slug: str, concern_id: int) -> ResponseReturnValue:
    """Let a concern be worked on together with another one, or for itself again."""
    conference = conference_here(access.account(), slug)
    concern = found(method_queries.concern_of(conference, concern_id))
    form = _merge_form(concern, _standing(method_queries.concerns_of(conference)))
    page = ConcernForm(formdata=None)
    if forms.submitted(form):
        with pages.refusals(page):
            into = int(form.into.data) if form.into.data else None
            open_space.merge(conference, concern_id, into)
            message = (
                _("The concerns are worked on together.") if into else _("The concern stands for itself.")
            )
            return pages.done("groups.show_market", message, slug=slug)
    else:
        page.form_errors.append(_("Please choose another concern that stands for itself."))
    return _market_page(conference_here(access.account(), slug), page, form, concern_id)


@bp.post("/conferences/<slug>/groups/concerns/<int:concern_id>/removal")
@access.organisers
def remove_concern(slug: str, concern_id: int) -> ResponseReturnValue:
    """Take a concern off the marketplace."""
    conference, page = conference_here(access.account(), slug), ConcernForm(formdata=None)
    with pages.refusals(page):
        open_space.withdraw(conference, concern_id)
        return pages.done("groups.show_market", _("The concern has been removed."), slug=slug)
    return _market_page(conference_here(access.account(), slug), page)


@bp.post("/conferences/<slug>/groups/<int:group_id>/closure")
@access.organisers
def close_group(slug: str, group_id: int) -> ResponseReturnValue:
    """Close a group; its people choose anew."""
    conference, page = conference_here(access.account(), slug), ConcernForm(formdata=None)
    with pages.refusals(page):
        group = open_space.close(conference, group_id)
        message = _("Group %(name)s is closed. Its people can choose another one.", name=group.name)
        return pages.done("groups.show_market", message, slug=slug)
    return _market_page(conference_here(access.account(), slug), page)


# -- participants ---------------------------------------------------------


def my_market(form: ConcernForm | None = None) -> ResponseReturnValue:
    """The rounds with their groups, the own choice, and what lies on the marketplace."""
    link, at = access.link(), clock.now()
    conference, me = link.conference, link.contact_id
    concerns = method_queries.concerns_of(conference)
    placed = method_queries.placed_ids(conference)
    return pages.show(
        "groups/my_market.html",
        form=form or ConcernForm(formdata=None),
        event=conference,
        may_choose=me in participant_ids(conference),
        rounds=[_my_round(plan, me, at) for plan in queries.plan_of(conference) if plan.round.agenda_item],
        hosts=method_queries.hosts_of(conference),
        waiting=[concern for concern in _standing(concerns) if concern.id not in placed],
        together=method_queries.merged_titles(concerns),
        me=me,
    )


def _my_round(plan: queries.RoundPlan, me: int, at: Any) -> dict[str, Any]:
    """One round as a participant sees it: where the own seat is, and which groups still have room."""
    in_room = Counter(group.group.room_id for group in plan.groups for _seat in group.seats)
    mine = next((group for group in plan.groups if any(seat.contact_id == me for seat in group.seats)), None)
    return {
        "round": plan.round,
        "item": plan.round.agenda_item,
        "is_over": plan.round.agenda_item is None or plan.round.agenda_item.ends_at <= at,
        "mine": mine,
        "groups": [
            {
                "group": group.group,
                "seats": group.seats,
                "is_mine": group is mine,
                "left": max(0, group.group.room.capacity - in_room[group.group.room_id])
                if group.group.room
                else None,
            }
            for group in plan.groups
        ],
    }


@bp.post("/my/groups/concerns")
@access.guest
def propose_concern() -> ResponseReturnValue:
    """Put an own concern on the marketplace."""
    link, form = access.link(), ConcernForm()
    if forms.submitted(form):
        with pages.refusals(form):
            open_space.propose(
                link.conference, form.title.data, form.sentence.data or "", link.contact_id, at=clock.now()
            )
            return pages.done("groups.my_groups", _("Your concern is on the marketplace."), _anchor="market")
    return my_market(form)


@bp.post("/my/groups/concerns/<int:concern_id>/withdrawal")
@access.guest
def withdraw_concern(concern_id: int) -> ResponseReturnValue:
    """Take an own concern back, as long as it has no group."""
    link, form = access.link(), ConcernForm(formdata=None)
    with pages.refusals(form):
        open_space.withdraw(link.conference, concern_id, link.contact_id)
        return pages.done("groups.my_groups", _("Your concern has been taken back."), _anchor="market")
    return my_market(form)


@bp.post("/my/groups/choice")
@access.guest
def choose_group() -> ResponseReturnValue:
    """Go into a group."""
    link, choice, form = access.link(), ChoiceForm(), ConcernForm(formdata=None)
    if not forms.submitted(choice):
        form.form_errors.append(_("Please choose a group."))
        return my_market(form)
    with pages.refusals(form):
        group = open_space.choose(link.conference, choice.group.data, link.contact_id, at=clock.now())
        number = group.round.number
        message = _("Round %(number)d: you are in group %(group)s.", number=number, group=group.name)
        return pages.done("groups.my_groups", message, _anchor=f"round-{number}")
    return my_market(form)


@bp.post("/my/groups/rounds/<int:round_id>/leaving")
@access.guest
def leave_group(round_id: int) -> ResponseReturnValue:
    """Go out of the group of a round."""
    link, form = access.link(), ConcernForm(formdata=None)
    number = found(queries.round_of(link.conference, round_id)).number
    with pages.refusals(form):
        open_space.leave(link.conference, round_id, link.contact_id, at=clock.now())
        message = _("Round %(number)d: you are in no group now.", number=number)
        return pages.done("groups.my_groups", message, _anchor=f"round-{number}")
    return my_market(form)
