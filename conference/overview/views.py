"""The start page, a conference's life page, leadership's page, and the house's own statements."""

from collections.abc import Callable
from typing import Any

from flask import Response, current_app, redirect, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from ..actions.queries import reader_of
from ..conferences.models import Conference
from ..conferences.queries import all_series_of, conference_here, conferences_of, follower_of, powers_of
from ..core import lifecycle
from ..core.csv_out import to_csv
from ..core.discretion import FEW
from ..groups.models import Group, Round
from ..groups.queries import plan_of
from ..kit import access, clock, dates, guesses, pages
from ..kit.addresses import absolute
from ..kit.errors import Missing
from ..kit.qr import qr_svg
from ..people.queries import reach_of
from ..sheets.queries import counts_of
from . import bp, forms, queries

# Where a need is met; the first page that the role may open. Who can open none is not troubled with it.
NEED_PAGES: dict[str, tuple[str, ...]] = {
    "mails_failed": ("outbox.show_outbox",),
    "mails_late": ("outbox.show_outbox",),
    "no_agenda": ("agenda.show_agenda",),
    "agenda_warnings": ("agenda.show_agenda",),
    "no_guests": ("invitations.import_guests",),
    "calendars_outdated": ("invitations.send_updates",),
    "letters_unsent": ("invitations.show_mailing",),
    "answers_missing": ("invitations.show_mailing",),
    "seats_for_waiting": ("registrations.show_registrations",),
    "groups_missing": ("groups.show_groups",),
    "groups_unpublished": ("groups.show_groups",),
    "groups_changed": ("groups.show_groups",),
    "tables_without_code": ("ideas.show_ideas",),
    "attendance_unrecorded": ("registrations.show_attendance",),
    "votes_open": ("voting.show_votes",),
    "votes_unopened": ("voting.show_votes",),
    "collection_open": ("ideas.show_ideas",),
    "ideas_loose": ("ideas.show_ideas",),
    "decisions_without_action": ("actions.show_decisions",),
    "actions_overdue": ("actions.show_actions", "overview.show_results"),
    "actions_silent": ("actions.show_actions", "overview.show_results"),
    "minutes_unreleased": ("minutes.show_minutes",),
    "follow_up_missing": ("agenda.plan_follow_up",),
}


OF_ALL_GROUPS = {"groups.show_groups", "ideas.show_ideas"}


def _may_open(endpoint: str) -> bool:
    return access.opens(endpoint, access.visitor().roles)


def _needs(conference: Conference, facts: lifecycle.Facts, roles: frozenset[str]) -> list[dict[str, Any]]:
    found = []
    for need in lifecycle.needs(facts):
        page = next((endpoint for endpoint in NEED_PAGES[need.code] if access.opens(endpoint, roles)), None)
        # On these pages a facilitator sees the own groups only, and can meet no need of the whole.
        is_theirs = page not in OF_ALL_GROUPS or not roles.isdisjoint((access.ADMIN, access.ORGANISER))
        if page is not None and is_theirs:
            found.append({"need": need, "url": url_for(page, slug=conference.slug)})
    return found


@bp.get("/")
@access.public
def start() -> ResponseReturnValue:
    """All conferences of the account; guests are led to the sign-in page."""
    account = access.visitor().account
    if account is None:
        return redirect(url_for("accounts.sign_in"), 303)
    held = access.held_back()
    if held is not None:
        return held
    conferences = conferences_of(account)
    facts = queries.facts_of(conferences, clock.now())
    powers = powers_of(account)
    cards = [
        {
            "conference": c,
            "facts": facts[c.id],
            "people": _number_of_people(powers.at(c.id, c.series_id)),
            "is_facilitator": _facilitates_only(powers.at(c.id, c.series_id)),
            "next": next(iter(_needs(c, facts[c.id], powers.at(c.id, c.series_id))), None),
        }
        for c in conferences
    ]
    all_series = all_series_of(account)
    return pages.show(
        "overview/start.html",
        cards=cards,
        all_series=all_series,
        may_begin=_may_open("conferences.new_series"),
        is_guessed=account.role.value == access.ADMIN and guesses.seen(current_app).is_alarming,
        planned_here={
            s.id for s in all_series if access.opens("conferences.new_conference", powers.over(s.id))
        },
        administered={s.id for s in all_series if access.opens("conferences.edit_series", powers.over(s.id))},
    )


@bp.get("/conferences/<slug>")
@access.staff()
def show_conference(slug: str) -> ResponseReturnValue:
    """A conference's life: what needs attention now comes first."""
    conference = conference_here(access.account(), slug)
    facts = queries.life_of(conference, clock.now())
    follower = follower_of(conference) if facts.followers else None
    return pages.show(
        "overview/show_conference.html",
        conference=conference,
        facts=facts,
        people=_number_of_people(access.visitor().roles),
        needs=_needs(conference, facts, access.visitor().roles),
        way=lifecycle.steps(facts),
        follower=follower,
        seen=_seen(conference.previous, follower),
        is_facilitator=_facilitates_only(access.visitor().roles),
        own_groups=_own_groups(conference),
    )


def _number_of_people(roles: frozenset[str]) -> Callable[[int], str]:
    """How many people are told to somebody with these roles: a few are "fewer than 5" to who knows no names."""
    is_exact = access.counts_exactly(roles)

    def told(number: int) -> str:
        return _("fewer than %(number)d", number=FEW) if not is_exact and 0 < number < FEW else str(number)

    return told


def _facilitates_only(roles: frozenset[str]) -> bool:
    return access.MODERATOR in roles and roles.isdisjoint((access.ADMIN, access.ORGANISER))


def _own_groups(conference: Conference) -> list[tuple[Round, Group]]:
    """What a facilitator was given, round by round; nothing for anybody else."""
    if not _facilitates_only(access.visitor().roles):
        return []
    reach = reach_of(access.account(), conference, everywhere=False)
    return [
        (plan.round, own.group)
        for plan in plan_of(conference)
        for own in plan.groups
        if reach.covers(plan.round.number, own.group.name)
    ]


def _seen(*others: Conference | None) -> set[int]:
    """Which conferences before and after this one the account may enter."""
    known = [other for other in others if other is not None]
    powers = powers_of(access.account()) if known else None
    return {other.id for other in known if powers is not None and powers.at(other.id, other.series_id)}


@bp.get("/conferences/<slug>/results")
@access.readers
def show_results(slug: str) -> ResponseReturnValue:
    """What became of it, on one sheet of paper: by topic and organisation, never by person.

    Who reads no names reads the texts without them.
    """
    conference = conference_here(access.account(), slug)
    at = clock.now()
    return pages.show(
        "overview/show_results.html",
        conference=conference,
        at=at,
        facts=queries.facts_of([conference], at)[conference.id],
        outcome=queries.outcome_of(conference, at),
        sheets=counts_of(conference),
        people=_number_of_people(access.visitor().roles),
        with_names=access.visitor().reads_names,
        read=reader_of(conference, with_names=access.visitor().reads_names),
    )


@bp.get("/conferences/<slug>/results.csv")
@access.readers
def results_table(slug: str) -> ResponseReturnValue:
    """The same threads for a spreadsheet: one row per decision and action."""
    conference = conference_here(access.account(), slug)
    outcome = queries.outcome_of(conference, clock.now())
    header = [
        _("Topic"), _("Ideas"), _("Dots"), _("Rank"), _("Decision"), _("Action"), _("Organisation"), _("Until"), _("State"),
        _("Result"),
    ]  # fmt: skip
    read = reader_of(conference, with_names=access.visitor().reads_names)
    rows = [row for thread in outcome.all_threads for row in _rows(thread, read)]
    return pages.file(to_csv(header, rows), "text/csv; charset=utf-8", f"{conference.slug}-results.csv")


def _rows(thread: queries.Thread, read: Callable[[str], str]) -> list[list[object]]:
    start: list[object] = [read(thread.heading), len(thread.ideas), _blank(thread.dots), _blank(thread.rank)]
    rows: list[list[object]] = []
    for decision in thread.decisions:
        carried_out = [_cells(step, read) for step in thread.steps if step.action.decision_id == decision.id]
        rows += [[*start, read(decision.wording), *cells] for cells in carried_out or [_cells(None, read)]]
    known = {decision.id for decision in thread.decisions}
    others = [step for step in thread.steps if step.action.decision_id not in known]
    rows += [[*start, "", *_cells(step, read)] for step in others]
    return rows or [[*start, "", *_cells(None, read)]]


def _blank(number: int | None) -> object:
    return "" if number is None else number


def _cells(step: queries.Step | None, read: Callable[[str], str]) -> list[object]:
    if step is None:
        return [""] * 5
    action = step.action
    state = f"{action.status.label}, {_('overdue')}" if step.overdue else str(action.status.label)
    return [
        read(action.title),
        action.responsible.provider.name,
        dates.show_date(action.due_on),
        state,
        read(step.result),
    ]


# -- the house's own pages ---------------------------------------------


@bp.get("/privacy")
@access.public
def privacy() -> ResponseReturnValue:
    """What is stored of whom, and why."""
    return pages.show("overview/privacy.html", operator=_operator())


@bp.get("/accessibility")
@access.public
def accessibility() -> ResponseReturnValue:
    """The accessibility statement."""
    return pages.show("overview/accessibility.html", operator=_operator())


@bp.get("/imprint")
@access.public
def imprint() -> ResponseReturnValue:
    """Who runs this installation."""
    return pages.show("overview/imprint.html", operator=_operator())


@bp.get("/.well-known/security.txt")
@access.public
def security_contact() -> ResponseReturnValue:
    """Whom to tell of a weakness, for programs and people (RFC 9116)."""
    contact, expires = current_app.config["SECURITY_CONTACT"], current_app.config["SECURITY_EXPIRES"]
    if not contact or not expires:
        raise Missing
    lines = [
        f"Contact: {contact}",
        f"Expires: {expires}T23:59:59Z",
        "Preferred-Languages: de, en",
        f"Canonical: {absolute('overview.security_contact')}",
    ]
    return Response("\n".join([*lines, ""]), mimetype="text/plain")


def _operator() -> str:
    return str(current_app.config.get("OPERATOR") or "")


@bp.get("/patterns")
@access.developers
def show_patterns() -> ResponseReturnValue:
    """Every part in every state; for developers only."""
    form, broken = forms.pattern_forms()
    code = qr_svg("https://folgetermin.example/i/7")
    return pages.show("patterns/index.html", form=form, broken_form=broken, qr_svg=code, status=200)
