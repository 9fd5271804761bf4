"""The time of a round on the projector, on a phone whose clock is wrong, and for who listens."""

import re

from playwright.sync_api import expect

from .conftest import PHONE, become, violations

PROJECTOR = {"width": 1920, "height": 1080}
GROUPS = "/conferences/june-2023/groups"
WRONG = "{ const right = Date.now; Date.now = () => right() + 2 * 3600 * 1000; }"
SMALL = """() => [...document.querySelectorAll('main *')]
  .filter(e => e.offsetParent && !e.closest('.visually-hidden') && [...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim()))
  .filter(e => parseFloat(getComputedStyle(e).fontSize) < 28).map(e => e.className + ': ' + e.textContent.trim())"""


def signed_in(server, page):
    become(page, server, "organiser")
    return page


def minutes_left(page):
    return int(page.locator(".countdown__left").inner_text().split(":")[0])


def test_one_end_for_the_desk_the_projector_and_a_phone_with_a_wrong_clock_and_what_is_said(server, visit):
    desk, wall, phone = signed_in(server, visit()), signed_in(server, visit(PROJECTOR)), visit(PHONE)
    desk.goto(f"{server.address}{GROUPS}/time")
    desk.locator("form[action$='/timer'] input[name=minutes]").first.fill("10")
    desk.get_by_role("button", name="Runde 1 starten").click()
    wall.goto(f"{server.address}{GROUPS}/wall")
    phone.add_init_script(WRONG)
    signed_in(server, phone).goto(f"{server.address}{GROUPS}/time")
    for page in (desk, wall, phone):
        expect(page.locator(".countdown__left")).to_be_visible()
        assert minutes_left(page) in (9, 10)
    assert wall.evaluate(SMALL) == []
    assert wall.evaluate("document.documentElement.scrollHeight <= innerHeight + 2")
    # With the keyboard, and the focus stays although the region renews itself.
    desk.locator("#extend-round").focus()
    desk.keyboard.press("Enter")
    for page in (desk, wall, phone):
        expect(page.locator(".countdown__left")).to_have_text(re.compile(r"1[34]:\d\d"))
    desk.locator("#pause-round").focus()
    with desk.expect_response(lambda answer: answer.url.endswith("/groups/time")):
        pass
    desk.wait_for_timeout(300)
    assert desk.evaluate("document.activeElement.id") == "pause-round"
    wall.locator("#end-round").click()
    expect(wall.locator("#seating-wall")).to_contain_text("zu Ende")
    expect(wall.locator("#wall-title")).to_contain_text("Runde 2")
    assert [violations(page) for page in (desk, wall, phone)] == [[], [], []]
    five_minutes_one_minute_and_the_end_are_said_and_nothing_else(server, desk)


def five_minutes_one_minute_and_the_end_are_said_and_nothing_else(server, page):
    page.goto(f"{server.address}{GROUPS}/time")
    page.locator("form[action$='/timer'] input[name=minutes]").first.fill("10")
    page.clock.install()
    page.get_by_role("button", name="Runde 1 starten").click()
    said = page.locator("[data-countdown-status]")
    expect(page.locator(".countdown__left")).to_be_visible()
    page.route(
        "**/groups/time", lambda route: route.abort()
    )  # what the server says now would set the clock right again
    for minutes, words in (
        (4, ""),
        (1.2, "Runde 1: noch 5 Minuten."),
        (3, "Runde 1: noch 5 Minuten."),
        (1, "Runde 1: noch 1 Minute."),
        (1.5, "Runde 1 ist zu Ende."),
    ):
        page.clock.fast_forward(int(minutes * 60_000))
        page.clock.run_for(2_000)
        expect(said).to_have_text(words)
    expect(page.locator(".countdown__left")).to_have_text("Die Zeit ist um")
