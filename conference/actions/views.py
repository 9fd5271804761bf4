"""Pages for decisions, actions, reports; the responsible person reports by a personal link."""

from collections import defaultdict
from datetime import date
from typing import Any

from flask import request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext

from ..agenda.queries import items_of
from ..conferences.models import Conference
from ..conferences.queries import conference_here, powers_of
from ..ideas.models import Cluster, Idea
from ..ideas.queries import clusters_of, ideas_of
from ..invitations.models import LinkPurpose, PersonalLink
from ..invitations.queries import guest_list, link_by_token
from ..kit import access, clock, dates, forms, pages
from ..kit.db import found
from ..kit.errors import Missing
from ..kit.layout import belongs
from ..kit.limits import limiter
from ..registrations.queries import attendance_of
from . import bp, letters, operations, queries
from .forms import ActionForm, DecisionForm, ReportForm
from .models import ENDED, Action, ActionStatus, Decision

belongs("actions.show_decisions", "actions.new_decision", "actions.edit_decision")
belongs("actions.show_actions", "actions.new_action", "actions.edit_action", "actions.show_action")


def today_at(conference: Conference) -> date:
    """Today on the conference's own calendar."""
    return dates.local(clock.now(), conference.zone).date()


def _sources(conference: Conference) -> list[tuple[str, str]]:
    clusters = [(f"cluster-{cluster.id}", _cluster_words(cluster)) for cluster in clusters_of(conference)]
    ideas = [(f"idea-{idea.id}", _idea_words(idea)) for idea in ideas_of(conference)]
    items = [(f"agenda-{item.id}", _("Agenda: %(title)s", title=item.title)) for item in items_of(conference)]
    return clusters + ideas + items


def _decisions(conference: Conference) -> list[tuple[str, str]]:
    return [
        (
            f"decision-{decision.id}",
            _("Decision %(number)d: %(wording)s", number=decision.number, wording=decision.wording[:80]),
        )
        for decision in queries.decisions_of(conference)
    ]


def _cluster_words(cluster: Cluster) -> str:
    return str(_("Cluster %(number)d: %(heading)s", number=cluster.number, heading=cluster.heading))


def _idea_words(idea: Idea) -> str:
    return str(_("Idea %(number)d: %(text)s", number=idea.number, text=idea.text[:80]))


def _asked_source() -> str | None:
    for kind in ("decision", "cluster", "idea", "agenda"):
        if kind in request.args:
            return f"{kind}-{request.args[kind]}"
    return None


@bp.get("/conferences/<slug>/decisions")
@access.minute_takers
def show_decisions(slug: str) -> ResponseReturnValue:
    """All decisions in their exact words."""
    conference = conference_here(access.account(), slug)
    carried_out: dict[int | None, list[Action]] = defaultdict(list)
    for action in queries.actions_of(conference):
        carried_out[action.decision_id].append(action)
    return pages.show(
        "actions/show_decisions.html",
        conference=conference,
        decisions=queries.decisions_of(conference),
        carried_out=carried_out,
    )


@bp.route("/conferences/<slug>/decisions/new", methods=["GET", "POST"])
@access.minute_takers
def new_decision(slug: str) -> ResponseReturnValue:
    """Record a decision, made from an idea, a cluster or an agenda item."""
    conference = conference_here(access.account(), slug)
    form = DecisionForm() if request.method == "POST" else DecisionForm(data={"source": _asked_source()})
    form.source.offer(_sources(conference))
    if forms.submitted(form):
        with pages.refusals(form):
            operations.decide(
                conference, form.wording.data, form.manner.data or "", form.chosen_source(), at=clock.now()
            )
            return pages.done("actions.show_decisions", _("The decision has been recorded."), slug=slug)
    return pages.show("actions/new_decision.html", form=form, conference=conference)


@bp.route("/conferences/<slug>/decisions/<int:decision_id>", methods=["GET", "POST"])
@access.minute_takers
def edit_decision(slug: str, decision_id: int) -> ResponseReturnValue:
    """Correct the words of a decision."""
    conference = conference_here(access.account(), slug)
    decision = found(queries.decision_of(conference, decision_id))
    form = DecisionForm() if request.method == "POST" else DecisionForm(data=_with_source(decision))
    form.source.offer(_sources_for(conference, decision))
    if forms.submitted(form):
        with pages.refusals(form):
            operations.change_decision(
                decision, form.wording.data, form.manner.data or "", form.started_from, _sent_source(form)
            )
            return pages.done("actions.show_decisions", _("The decision has been saved."), slug=slug)
    return pages.show("actions/edit_decision.html", form=form, conference=conference, decision=decision)


@bp.get("/conferences/<slug>/actions")
@access.minute_takers
def show_actions(slug: str) -> ResponseReturnValue:
    """Who does what until when, and how far it is."""
    conference = conference_here(access.account(), slug)
    actions = queries.actions_of(conference)
    return pages.show(
        "actions/show_actions.html",
        conference=conference,
        actions=actions,
        latest=queries.latest_reports(actions),
        today=today_at(conference),
    )


@bp.get("/conferences/<slug>/review")
@access.readers
def show_review(slug: str) -> ResponseReturnValue:
    """What became of the earlier conferences' actions: the records themselves, live; without names where they are not read."""
    conference = conference_here(access.account(), slug)
    actions, powers = queries.actions_before(conference), powers_of(access.account())
    earlier = {action.conference_id: action.conference for action in actions}
    return pages.show(
        "actions/show_review.html",
        conference=conference,
        reached={
            one.id
            for one in earlier.values()
            if access.opens("actions.show_action", powers.at(one.id, one.series_id))
        },
        open_actions=[action for action in actions if action.status not in ENDED],
        ended=[action for action in actions if action.status in ENDED],
        latest=queries.latest_reports(actions),
        today=today_at(conference),
        with_names=access.visitor().reads_names,
        read=queries.reader_of(conference, with_names=access.visitor().reads_names),
    )


def _action_form(conference: Conference, action: Action | None = None) -> ActionForm:
    data = {"source": _asked_source()} if action is None else _with_source(action)
    form = ActionForm() if request.method == "POST" else ActionForm(data=data)
    form.source.offer(_decisions(conference) + _sources_for(conference, action))
    people = _people(conference)
    if action is not None and action.responsible not in people:
        people.append(action.responsible)
    form.responsible_id.offer((c.id, f"{c.name}, {c.provider.name}") for c in people)
    return form


def _sent_source(form: DecisionForm) -> operations.Source | None:
    """A form without this field says nothing about the source: it stays."""
    return form.chosen_source() if form.source.name in request.form else None


def _with_source(thing: Action | Decision) -> dict[str, Any]:
    return vars(thing) | {"source": _value_of(operations.source_of(thing))}


def _sources_for(conference: Conference, thing: Action | Decision | None) -> list[tuple[str, str]]:
    """What may be chosen; an idea that is hidden meanwhile stays with what was made from it."""
    choices = _sources(conference)
    if thing is not None and thing.idea is not None and f"idea-{thing.idea.id}" not in dict(choices):
        choices.append((f"idea-{thing.idea.id}", _idea_words(thing.idea)))
    return choices


def _value_of(source: operations.Source) -> str | None:
    return None if source.kind is None else f"{source.kind}-{source.id}"


def _people(conference: Conference) -> list[Any]:
    people = {invitation.contact_id: invitation.contact for invitation in guest_list(conference)}
    people |= {contact_id: attendance.contact for contact_id, attendance in attendance_of(conference).items()}
    there = [contact for contact in people.values() if not contact.is_restricted]
    return sorted(there, key=lambda contact: contact.sort_key)


@bp.route("/conferences/<slug>/actions/new", methods=["GET", "POST"])
@access.minute_takers
def new_action(slug: str) -> ResponseReturnValue:
    """Make an action, from an idea, cluster, agenda item or decision."""
    conference = conference_here(access.account(), slug)
    form = _action_form(conference)
    if forms.submitted(form):
        with pages.refusals(form):
            operations.create_action(conference, form.fields(), at=clock.now())
            return pages.done("actions.show_actions", _("The action has been recorded."), slug=slug)
    return pages.show("actions/new_action.html", form=form, conference=conference)


@bp.route("/conferences/<slug>/actions/<int:action_id>/edit", methods=["GET", "POST"])
@access.minute_takers
def edit_action(slug: str, action_id: int) -> ResponseReturnValue:
    """Correct an action."""
    conference = conference_here(access.account(), slug)
    action = found(queries.action_of(conference, action_id))
    form = _action_form(conference, action)
    if forms.submitted(form):
        with pages.refusals(form):
            operations.change_action(conference, action, form.fields(), form.started_from, at=clock.now())
            return pages.done(
                "actions.show_action", _("The action has been saved."), slug=slug, action_id=action_id
            )
    return pages.show("actions/edit_action.html", form=form, conference=conference, action=action)


@bp.route("/conferences/<slug>/actions/<int:action_id>", methods=["GET", "POST"])
@access.minute_takers
def show_action(slug: str, action_id: int) -> ResponseReturnValue:
    """An action with its dated history; staff may report on behalf of the responsible person."""
    conference = conference_here(access.account(), slug)
    action = found(queries.action_of(conference, action_id))
    form = _report_form(action)
    if forms.submitted(form):
        with pages.refusals(form):
            _report(action, form, access.account().name)
            return pages.done(
                "actions.show_action", _("The report has been noted."), slug=slug, action_id=action_id
            )
    return pages.show(
        "actions/show_action.html",
        form=form,
        conference=conference,
        action=action,
        history=queries.history_of(action),
        today=today_at(conference),
    )


def _report_form(action: Action) -> ReportForm:
    data = {"status": action.status.value, "due_on": action.due_on, "version": action.version}
    form = ReportForm() if request.method == "POST" else ReportForm(data=data)
    form.offer_statuses()
    return form


def _report(action: Action, form: ReportForm, author: str) -> None:
    status = ActionStatus(form.status.data)
    operations.report(
        action, status, form.due_on.data, form.text.data or "", author, form.started_from, at=clock.now()
    )


@bp.post("/conferences/<slug>/actions/letters")
@access.organisers
def notify_responsible(slug: str) -> ResponseReturnValue:
    """Write to everybody responsible with their personal link."""
    conference = conference_here(access.account(), slug)
    written = letters.notify_responsible(conference, at=clock.now())
    if not written:
        message = _("There was nobody left to write to; nothing was sent twice.")
        return pages.done("actions.show_actions", message, slug=slug)
    message = ngettext("%(num)d letter is in the outbox.", "%(num)d letters are in the outbox.", written)
    return pages.done("outbox.show_outbox", message, slug=slug)


@bp.app_template_global()
def what_followed(conference: Conference, kind: str, source_id: int) -> queries.Followed:
    """For the pages of ideas, clusters and agenda items: what was made from them."""
    return queries.what_followed(conference, kind, source_id)


# -- the responsible person --------------------------------------------


def _link(token: str) -> PersonalLink:
    link = link_by_token(token, clock.now())
    if link is None or link.purpose is not LinkPurpose.ACTION:
        raise Missing
    return link


@bp.route("/action/<token>", methods=["GET", "POST"])
@access.public
@limiter.limit("3000 per 10 minutes")
def report_by_link(token: str) -> ResponseReturnValue:
    """The responsible person's own actions. Looking changes nothing; a POST adds a dated report."""
    link = _link(token)
    actions = queries.actions_for(link.conference, link.contact_id)
    chosen = _chosen(actions)
    form = _report_form(chosen) if chosen is not None else None
    if chosen is not None and form is not None and forms.submitted(form):
        with pages.refusals(form):
            _report(chosen, form, link.contact.name)
            return pages.done(
                "actions.report_by_link", _("Thank you, your report has been noted."), token=token
            )
    return pages.show(
        "actions/report_by_link.html",
        form=form,
        event=link.conference,
        person=link.contact,
        actions=actions,
        chosen=chosen,
        histories=queries.histories(actions),
        today=today_at(link.conference),
        token=token,
    )


def _chosen(actions: list[Action]) -> Action | None:
    asked = request.values.get("action", "")
    if request.method == "GET" and not asked and len(actions) == 1:
        return actions[0]
    chosen = next((action for action in actions if str(action.id) == asked), None)
    if chosen is None and (asked or request.method == "POST"):
        raise Missing
    return chosen
