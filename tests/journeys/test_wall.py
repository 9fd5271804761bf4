"""The wall on the projector and phones on a bad network, in a real browser."""

import pytest
from playwright.sync_api import expect

from .conftest import PHONE, answered, become

PROJECTOR = {"width": 1920, "height": 1080}
JUNE = "/conferences/june-2023"
SMALL = """() => [...document.querySelectorAll('main *')]
  .filter(e => e.offsetParent && !e.closest('.visually-hidden') && [...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim()))
  .filter(e => parseFloat(getComputedStyle(e).fontSize) < 28)
  .map(e => e.className + ': ' + e.textContent.trim())"""


@pytest.fixture
def moderator(server, visit):
    """Somebody signed in who has opened the collection, in front of the projector."""

    def arrive(**how):
        page = visit(PROJECTOR, **how)
        become(page, server, "organiser")
        page.goto(f"{server.address}{JUNE}/ideas")
        with answered(page):
            page.locator("main form[action$='/ideas/opening'] button").click()
        page.goto(f"{server.address}{JUNE}/wall")
        return page

    return arrive


def hand_in(page, words):
    page.locator("textarea").fill(words)
    page.locator("main form button[type=submit]").click()


@pytest.fixture
def phone(server, visit):
    def open_form(wall):
        page = visit(PHONE)
        page.goto(f"{server.address}/ideas/{wall.locator('.qr__code strong').inner_text()}")
        page.wait_for_function("() => document.querySelector('[data-queue-status]')")
        page.wait_for_load_state("networkidle")
        return page

    return open_form


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_everything_on_the_wall_can_be_read_from_afar_and_the_way_in_is_in_sight(moderator, dark):
    wall = moderator(dark=dark)
    for address in (wall.url, f"{wall.url}?view=clusters", f"{wall.url}?size=1"):
        wall.goto(address)
        assert wall.evaluate(SMALL) == []
        wall.mouse.wheel(0, 2000)
        for part in (".qr__picture", ".qr__code"):
            box = wall.locator(part).bounding_box()
            assert box["y"] >= 0 and box["y"] + box["height"] <= PROJECTOR["height"], part
        assert wall.locator(".qr__picture").bounding_box()["width"] >= 300


def test_a_new_idea_is_announced_and_a_hidden_one_vanishes_from_the_page(moderator, phone):
    wall = moderator()
    hand_in(phone(wall), "Fahrdienst am Abend")
    expect(wall.locator("#wall-ideas")).to_contain_text("Fahrdienst am Abend")
    expect(wall.locator("[data-part=announce]")).to_have_text("Eine neue Idee")
    desk = wall.context.new_page()
    desk.goto(wall.url.replace("/wall", "/ideas?words=Fahrdienst+am+Abend"))
    desk.locator("main form[action*='/hiding'] button").click()
    expect(wall.locator("#wall-ideas")).not_to_contain_text("Fahrdienst am Abend")
    assert "Fahrdienst am Abend" not in wall.content()


def test_f19_the_wall_survives_a_lost_network_and_a_moderator_who_is_signed_out(moderator):
    wall = moderator()
    status = wall.locator(".wall__connection")
    shown = wall.locator("#wall-ideas").inner_text()
    wall.context.set_offline(True)
    expect(status).to_contain_text("Keine Verbindung")
    wall.context.set_offline(False)
    expect(status).to_have_text("")
    wall.context.clear_cookies()
    expect(status).to_contain_text("Sie sind nicht mehr angemeldet")
    assert wall.locator("#wall-ideas").inner_text() == shown


def test_f18_an_idea_whose_answer_is_lost_twice_is_one_idea(moderator, phone):
    wall = moderator()
    page = phone(wall)
    lost = []

    def lose(route):
        if route.request.method == "POST" and len(lost) < 2:
            lost.append(route.fetch(max_redirects=0).status)
            route.abort()
        else:
            route.continue_()

    page.route("**/ideas/*", lose)
    hand_in(page, "Antwort ging verloren")
    status = page.locator("[data-queue-status]")
    expect(status).to_contain_text("Noch nicht gesendete Ideen: 1")
    for _attempt in range(2):
        page.evaluate("window.dispatchEvent(new Event('online'))")
        page.wait_for_timeout(500)
    expect(status).to_contain_text("Alles ist gesendet")
    assert lost == [303, 303]
    wall.goto(wall.url)
    assert wall.get_by_text("Antwort ging verloren", exact=True).count() == 1
