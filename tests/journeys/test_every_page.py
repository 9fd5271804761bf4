"""Every page of the route list, in both themes: axe finds nothing, the policy stops nothing, nothing scrolls sideways.

And from everywhere but a projector the statement about barriers and the way to report one are a link away.
"""

from pathlib import Path

import pyotp
import pytest

from conference.accounts.models import Role
from conference.accounts.operations import create_account
from conference.kit import clock, unit

from .conftest import DESKTOP, become, violations

AXE = (Path(__file__).parents[1] / "vendor" / "axe.min.js").read_text()
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
NARROW = {"width": 320, "height": 640}
ALL = f"() => axe.run(document, {{runOnly: {TAGS}, resultTypes: ['violations']}})"
COLOURS = "() => axe.run(document, {runOnly: {type: 'rule', values: ['color-contrast', 'link-in-text-block']}, resultTypes: ['violations']})"
CONFERENCES = "june-2023", "august-2023"
ABOUT_BARRIERS = """() => document.body.classList.contains('wall')
    || ['/accessibility', '/accessibility/feedback'].every(path => document.querySelector(`footer a[href="${path}"]`))"""

PUBLIC = [
    "/sign-in",
    "/programme/june-2023",
    "/ideas",
    "/privacy",
    "/accessibility",
    "/imprint",
    "/nowhere",
    "/password",
    "/accessibility/feedback",
    "/patterns",
]
ORGANISER = [
    "/", "/series/new", "/series/bildungstraegerkonferenz/conferences/new", "/providers", "/providers/1", "/contacts/1",
    *(f"/conferences/{slug}{path}" for slug in CONFERENCES for path in (
        "", "/edit", "/rooms", "/rooms/new", "/topics", "/topics/new", "/agenda", "/agenda/new", "/guests", "/guests/import",
        "/letters/invitation", "/letters/reminder", "/mailing", "/registrations", "/outbox", "/groups", "/attendance", "/ideas",
        "/clusters", "/votes", "/votes/new", "/decisions", "/decisions/new", "/actions", "/actions/new", "/minutes", "/results",
        "/review", "/follow-up", "/wall", "/groups/time", "/groups/wall", "/groups/papers",
        "/groups/facilitators",
        "/sheets", "/seats", "/seats/1",
    )),
    "/conferences/june-2023/rooms/1", "/conferences/june-2023/topics/1", "/conferences/june-2023/agenda/1",
    "/conferences/june-2023/agenda/2/note", "/conferences/june-2023/votes/1", "/conferences/june-2023/decisions/1",
    "/conferences/june-2023/actions/1", "/conferences/june-2023/actions/1/edit", "/conferences/june-2023/groups/1",
    "/conferences/june-2023/groups/release", "/conferences/june-2023/groups/forming/1",
    "/conferences/june-2023/groups/method", "/conferences/june-2023/groups/rules?kind=apart", "/conferences/august-2023/groups/market",
    "/conferences/june-2023/sheets/wall", "/conferences/june-2023/rounds/1/sheets/A", "/conferences/august-2023/groups/repair",
    "/account", "/account/second-factor", "/requests", "/conferences/august-2023/people", "/series/bildungstraegerkonferenz/people",
    "/outbox", "/outbox/1", "/conferences/june-2023/outbox/1", "/conferences/june-2023/agenda/2/note/1", "/conferences/june-2023/agenda/2/removal",
    "/conferences/june-2023/agenda/2/times", "/conferences/june-2023/clusters/1", "/conferences/june-2023/ideas/1",
    "/conferences/june-2023/ideas/import", "/conferences/june-2023/ideas/codes", "/conferences/august-2023/guests/1",
    "/conferences/august-2023/guests/39", "/conferences/august-2023/guests/39/edit", "/conferences/august-2023/guests/new",
    "/conferences/august-2023/mailing/invitations", "/conferences/august-2023/mailing/reminders",
    "/conferences/august-2023/mailing/updates", "/conferences/june-2023/notices",
]  # fmt: skip
ADMINISTRATION = [
    "/accounts", "/accounts/new", "/accounts/1", "/accounts/rules", "/upkeep", "/inbox", "/record", "/record/check",
    "/retention", "/retention/preview", "/statements/privacy/de", "/feedback", "/series/bildungstraegerkonferenz/edit",
    "/archive", "/conferences/june-2023/archive", "/account", "/account/second-factor",
]  # fmt: skip
LEADERSHIP = [
    "/",
    "/conferences/june-2023",
    "/conferences/june-2023/results",
    "/conferences/june-2023/minutes",
    "/conferences/august-2023/review",
]
FACILITATOR = [
    f"/conferences/june-2023{page}"
    for page in ("", "/agenda", "/groups", "/sheets", "/ideas", "/groups/papers")
]
GUEST = [
    "/my",
    "/my/groups",
    "/my/groups/time",
    "/my/groups/1/sheet",
    "/my/data",
    "/my/data/notice",
    "/my/participants",
    "/my/votes",
]


def check(page, address):
    """Open one page, look at it wide and narrow, light and dark, and say what is wrong with it."""
    page.set_viewport_size(DESKTOP)
    answer = page.goto(address)
    assert answer.status < 500, address
    wrong = [f"policy: {text}" for text in violations(page)]  # before axe, which adds styles of its own
    page.evaluate(AXE)
    for name, size in ("wide", DESKTOP), ("narrow", NARROW):
        page.set_viewport_size(size)
        wrong += [f"{name}, {problem}" for problem in found_by_axe(page)]
        sideways = page.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        if sideways > 0:
            wrong.append(f"{name}, scrolls sideways by {sideways} px")
    if not page.evaluate(ABOUT_BARRIERS):
        wrong.append("no link to the statement about barriers, or none to report one")
    return [f"{address.split('/', 3)[-1]}: {text}" for text in wrong]


def found_by_axe(page):
    """All rules in the light, and those about colours in the dark, where nothing else is different."""
    found = []
    for theme, rules in ("dark", COLOURS), ("light", ALL):
        page.emulate_media(color_scheme=theme)
        found += [(theme, violation) for violation in page.evaluate(rules)["violations"]]
    return [
        f"{theme}: {v['id']}: {v['help']} – {v['nodes'][0]['target']} {v['nodes'][0]['html'][:160]}"
        for theme, v in found
    ]


def sweep(page, server, paths):
    """All problems of all pages together, so that one run names them all."""
    problems = []
    for path in paths:
        problems += check(page, server.address + path)
    assert not problems, "\n".join(problems)


def test_pages_for_everybody_are_clean(shared_server, visit):
    sweep(visit(), shared_server, PUBLIC)


@pytest.mark.parametrize("half", [0, 1])
def test_pages_for_organisers_are_clean(shared_server, visit, half):
    page = visit()
    become(page, shared_server, "organiser")
    sweep(page, shared_server, ORGANISER[half::2])


def test_large_text_scrolls_nothing_sideways(shared_server, visit):
    page = visit()
    become(page, shared_server, "organiser")
    wide = []
    for path in "", "/agenda", "/attendance", "/groups", "/outbox", "/votes/1", "/results":
        page.goto(f"{shared_server.address}/conferences/june-2023{path}")
        page.evaluate("document.documentElement.style.setProperty('font-size', '200%')")
        if page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"):
            wide.append(path)
    assert not wide, f"With text at 200 % these pages scroll sideways: {wide}"


def test_a_stacked_row_keeps_each_cell_in_one_column(shared_server, visit):
    page = visit({"width": 360, "height": 740})
    become(page, shared_server, "organiser")
    page.goto(f"{shared_server.address}/conferences/june-2023/guests")
    cell = page.locator("main td[data-label]:has(.cell-note)").first
    left = cell.evaluate(
        "cell => { const r = document.createRange(); r.selectNodeContents(cell.firstChild); return r.getBoundingClientRect().left }"
    )
    assert left == cell.locator(".cell-note").bounding_box()["x"]


def test_the_current_room_stands_in_sight_of_a_low_screen(shared_server, visit):
    page = visit({"width": 1280, "height": 700})
    become(page, shared_server, "organiser")
    page.goto(f"{shared_server.address}/conferences/june-2023/follow-up")
    page.wait_for_function("() => document.querySelector('.conference__path').scrollTop > 0")
    box = page.locator(".path-nav--wide .path__room[aria-current]").bounding_box()
    frame = page.locator(".conference__path").bounding_box()
    assert box["y"] + box["height"] <= frame["y"] + frame["height"]


def test_pages_for_facilitators_are_clean(shared_server, visit):
    page = visit()
    become(page, shared_server, "facilitator")
    sweep(page, shared_server, FACILITATOR)


def test_pages_for_leadership_are_clean(shared_server, visit):
    page = visit()
    become(page, shared_server, "leadership")
    sweep(page, shared_server, LEADERSHIP)


def test_pages_for_administrators_are_clean(shared_server, visit):
    """Nobody in the demo administers the house; somebody comes who does."""
    email, password = "verwaltung@agentur.example", "lang genug und gut 7"
    with shared_server.app.app_context(), unit.writing():
        create_account(email, "Vera Verwaltung", Role.ADMIN, password, at=clock.now())
    page = visit()
    page.goto(shared_server.address + "/sign-in")
    page.fill("input[name=email]", email)
    page.fill("input[name=password]", password)
    page.press("input[name=password]", "Enter")
    page.wait_for_url(shared_server.address + "/account/second-factor/needed")
    sweep(
        page,
        shared_server,
        ["/account/second-factor/needed", "/account/passkeys/new", "/account/second-factor"],
    )
    with shared_server.app.app_context():
        page.fill("input[name=code]", pyotp.TOTP(page.locator("main code").inner_text()).at(clock.now()))
    page.press("input[name=code]", "Enter")
    page.wait_for_selector("main li code")
    sweep(page, shared_server, ADMINISTRATION)


def test_pages_for_guests_are_clean(shared_server, visit):
    page = visit()
    token = shared_server.token_for("june-2023", "ewa.kowalczyk@akademie-wittekind.example")
    open_token = shared_server.token_for("august-2023", shared_server.unanswered("august-2023"))
    sweep(page, shared_server, [f"/invitation/{token}", f"/invitation/{open_token}"])
    page.goto(f"{shared_server.address}/invitation/{token}")
    page.click("main button.button--primary")
    sweep(page, shared_server, GUEST)
    action = shared_server.token_for("june-2023", "zeynep.aydin@bh-loehne.example", "action")
    sweep(page, shared_server, [f"/action/{action}"])


def test_every_get_page_is_in_the_route_list(app):
    """A page without an entry is red: add its address above."""
    from werkzeug.exceptions import HTTPException

    listed = {*PUBLIC, *ORGANISER, *LEADERSHIP, *GUEST, *ADMINISTRATION, "/password/x", "/sign-in/code", "/account/second-factor/needed", "/account/passkeys/new", "/account/passkeys/1", "/account/passkeys/1/removal", "/account/recovery-codes", "/account/second-factor/removal", "/sign-in/service/return", "/reminders/x", "/data/x", "/requests/1", "/conferences/x/people/1", "/invitation/x", "/action/x", "/ideas/ABC234", "/ideas/ABC234/received/1", "/ideas/ABC234/time", "/sheets/ABC234", "/sheets/ABC234/1", "/my/votes/1", "/my/votes/1/thanks",
              "/statements/privacy/de/1", "/conferences/x/guests/import/1", "/conferences/x/guests/1"}  # fmt: skip
    adapter = app.url_map.bind("base.invalid")
    seen = set()
    for path in listed:
        try:
            endpoint, _values = adapter.match(path.partition("?")[0], method="GET")
            seen.add(endpoint)
        except HTTPException:
            continue
    no_page = {
        "static",
        "layout.choose_language",
        "layout.choose_theme",
        "upkeep.show_health",
        "upkeep.show_metrics",
        "upkeep.show_readiness",
    }
    no_page |= {
        "accounts.ask_passkey",
        "accounts.ask_second_passkey",
        "accounts.ask_new_passkey",
        "accounts.ask_service",
    }
    no_page |= {"outbox.download_enclosure", "outbox.download_demo_enclosure"}
    files = {rule.endpoint for rule in app.url_map.iter_rules() if "." in rule.rule.split("/")[-1]}
    pages = {rule.endpoint for rule in app.url_map.iter_rules() if "GET" in (rule.methods or set())}
    missing = sorted(pages - seen - no_page - files)
    assert not missing, f"Add an address to tests/journeys/test_every_page.py for: {missing}"
