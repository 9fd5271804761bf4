"""The way through a conference: prepare → invite → run → follow up, and the rooms on it."""

from functools import lru_cache
from typing import Any

from flask import Flask, current_app, request, url_for
from flask_babel import lazy_gettext as _l

from .kit import access, language
from .kit.dates import show_day
from .kit.layout import BELONGS

ORGANISERS = ("admin", "organiser")
PATH: list[tuple[Any, list[tuple[Any, str, dict[str, Any]]]]] = [
    (
        _l("Prepare"),
        [
            (_l("Key facts"), "conferences.edit_conference", {}),
            (_l("Rooms"), "conferences.show_rooms", {}),
            (_l("Topics"), "conferences.show_topics", {}),
            (_l("Agenda"), "agenda.show_agenda", {}),
            (_l("People"), "people.show_people", {}),
        ],
    ),
    (
        _l("Invite"),
        [
            (_l("Guest list"), "invitations.show_guests", {}),
            (_l("Letters"), "invitations.edit_letter", {"kind": "invitation"}),
            (_l("Sending"), "invitations.show_mailing", {}),
            (_l("Registrations"), "registrations.show_registrations", {}),
            (_l("Outbox"), "outbox.show_outbox", {}),
        ],
    ),
    (
        _l("Run"),
        [
            (_l("Groups"), "groups.show_groups", {}),
            (_l("Attendance"), "registrations.show_attendance", {}),
            (_l("Ideas"), "ideas.show_ideas", {}),
            (_l("Group results"), "sheets.show_sheets", {}),
            (_l("Votes"), "voting.show_votes", {}),
        ],
    ),
    (
        _l("Follow up"),
        [
            (_l("Decisions"), "actions.show_decisions", {}),
            (_l("Actions"), "actions.show_actions", {}),
            (_l("Minutes"), "minutes.show_minutes", {}),
            (_l("Results"), "overview.show_results", {}),
            (_l("Follow-up conference"), "agenda.plan_follow_up", {}),
        ],
    ),
]


def steps_of(slug: str, roles: frozenset[str]) -> list[dict[str, Any]]:
    """The stepper: phases with the rooms that the roles may enter; the current one by the request's endpoint."""
    here = BELONGS.get(request.endpoint or "", request.endpoint)
    steps = []
    for label, rooms in _rooms_of(slug, roles, language.current(), request.script_root):
        items = [{"label": name, "url": url, "current": endpoint == here} for name, endpoint, url in rooms]
        steps.append(
            {
                "label": label,
                "url": items[0]["url"],
                "current": any(i["current"] for i in items),
                "rooms": items,
            }
        )
    return steps


@lru_cache(maxsize=512)
def _rooms_of(
    slug: str, roles: frozenset[str], _language: str, _root: str
) -> list[tuple[str, list[tuple[str, str, str]]]]:
    # Twenty addresses and names, the same on every page of a conference.
    phases = []
    for label, rooms in PATH:
        items = [
            (str(name), endpoint, url_for(endpoint, slug=slug, **values))
            for name, endpoint, values in rooms
            if access.opens(endpoint, roles)
        ]
        if items:
            phases.append((str(label), items))
    return phases


def conference_context(conference: Any) -> dict[str, Any]:
    """What the layout of conference pages needs."""
    if access.visitor().account is None:
        return {}
    overview = url_for("overview.show_conference", slug=conference.slug)
    return {
        "conference_label": conference.title,
        "conference_facts": f"{show_day(conference.starts_at, conference.zone)} · {conference.venue}",
        "conference_url": overview,
        "overview_item": {
            "label": _l("Overview"),
            "url": overview,
            "current": request.endpoint == "overview.show_conference",
        },
        "steps": steps_of(conference.slug, access.visitor().roles),
    }


def main_navigation(visitor: access.Visitor) -> list[tuple[Any, str, bool]]:
    """The main areas for staff."""
    if visitor.account is None or visitor.is_held:
        return []
    items = [(_l("Conferences"), "overview.start")]
    if visitor.account.role.value in ORGANISERS or visitor.may(*ORGANISERS):
        items.append((_l("Providers"), "providers.show_providers"))
        items.append((_l("Privacy requests"), "privacy.show_requests"))
    if current_app.config["DEMO"]:
        items.append((_l("Mailbox of the demo"), "outbox.show_mailbox"))
    return _linked(items)


def house_navigation(visitor: access.Visitor) -> list[tuple[Any, str, bool]]:
    """What administrators of the house look after: one menu, because few need it and it is long."""
    if visitor.account is None or visitor.is_held or visitor.account.role.value != access.ADMIN:
        return []
    items = [(_l("Accounts"), "people.show_accounts"), (_l("Operation"), "upkeep.show_upkeep")]
    if current_app.config["IMAP_SERVER"]:
        items.append((_l("Inbox"), "inbox.show_inbox"))
    items.append((_l("Record"), "record.show_record"))
    items.append((_l("Retention"), "privacy.show_retention"))
    items.append((_l("Archive"), "privacy.show_archive"))
    return _linked(items)


def _linked(items: list[tuple[Any, str]]) -> list[tuple[Any, str, bool]]:
    return [(label, url_for(endpoint), request.endpoint == endpoint) for label, endpoint in items]


def init(app: Flask) -> None:
    """Hand the navigation to the kit, which knows no room."""
    app.extensions["conference_context"] = conference_context
    app.extensions["main_navigation"] = main_navigation
    app.extensions["house_navigation"] = house_navigation
