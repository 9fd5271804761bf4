"""The board in a real browser: June's groups formed, changed, taken back and published without a mouse; and with one."""

import re
from datetime import UTC, datetime

import pytest

from conference.groups import forming
from conference.kit import clock

from .conftest import DESKTOP, PHONE, answered, become, violations

JUNE = "/conferences/june-2023/groups"
MORNING = datetime(2023, 6, 6, 7, 55, tzinfo=UTC)
"""The day itself, before the first round."""


@pytest.fixture
def page(server, visit):
    """The organiser on June's board."""
    page = visit(DESKTOP)
    become(page, server, "organiser")
    page.goto(server.address + JUNE)
    awake(page)
    return page


def awake(page):
    """Wait until the board listens to keys: its script arrives after the page."""
    page.locator("#board-says").wait_for(state="attached")


def form(page):
    return page.locator("form.seating").first


def members(page, number):
    page.wait_for_load_state()  # a page that is still arriving has half of its people
    group = form(page).locator("fieldset[data-group]").nth(number)
    return group.locator(".seating__person [dir=auto]:first-child").all_inner_texts()


def press(page, *keys):
    for key in keys:
        page.keyboard.press(key)


def press_button(page, name):
    """Reach a button as somebody without a mouse does."""
    _enter(page, page.get_by_role("button", name=name).first)


def press_link(page, name):
    """Reach a link as somebody without a mouse does."""
    _enter(page, page.get_by_role("link", name=name))


def _enter(page, what):
    what.focus()
    with answered(page):
        page.keyboard.press("Enter")


def says(page, words):
    page.locator("#board-says", has_text=words).wait_for(state="attached")


def has_focus(page, id):
    page.wait_for_function("id => document.activeElement.id === id", arg=id)


def test_people_are_moved_by_keyboard_alone_and_the_change_is_taken_back(page):
    before = [members(page, 0), members(page, 1)]
    form(page).locator("input[name=person]").first.focus()
    press(page, "Enter")
    says(page, "aufgenommen")
    press(page, "ArrowRight")
    says(page, "Gruppe B, ")
    press(page, "Escape")
    says(page, "Abgebrochen")
    assert [members(page, 0), members(page, 1)] == before
    press(page, "ArrowDown", "ArrowUp", "Enter", "ArrowRight", "Enter")
    says(page, "sitzt jetzt in Gruppe B (Runde 1).")
    moved = before[0][0]
    assert moved not in members(page, 0)
    assert moved in members(page, 1)
    assert page.evaluate("document.activeElement.closest('label').innerText").startswith(moved)
    press_button(page, "Rückgängig")
    page.get_by_text("Die letzte Änderung wurde zurückgenommen.").wait_for()
    assert [members(page, 0), members(page, 1)] == before
    assert not violations(page)


def test_arrows_go_from_person_to_person_and_from_group_to_group(page):
    names = members(page, 0), members(page, 1)
    form(page).locator("input[name=person]").first.focus()
    focused = "document.activeElement.closest('label').innerText"
    press(page, "ArrowDown")
    assert page.evaluate(focused).startswith(names[0][1])
    press(page, "ArrowRight")
    assert page.evaluate(focused).startswith(names[1][1])
    press(page, "ArrowLeft", "ArrowUp", "ArrowUp")
    assert page.evaluate(focused).startswith(names[0][0])


def test_a_person_is_dragged_to_another_group(page):
    moved = members(page, 0)[0]
    person = form(page).locator(".seating__person").first
    target = form(page).locator("fieldset[data-group]").nth(1).locator("legend")
    person.scroll_into_view_if_needed()
    start, end = person.bounding_box(), target.bounding_box()
    page.mouse.move(start["x"] + 80, start["y"] + 10)
    page.mouse.down()
    page.mouse.move(end["x"] + 40, end["y"] + 60, steps=8)
    assert page.locator(".seating__ghost").inner_text() == moved
    page.mouse.up()
    says(page, "sitzt jetzt in Gruppe B (Runde 1).")
    assert moved in members(page, 1)
    assert not page.locator(".seating__ghost").count()
    assert not violations(page)


def test_a_full_room_is_explained_where_it_was_tried(page):
    capacity = 0
    while not page.locator(".error-summary").count():
        form(page).locator("input[name=person]").first.focus()
        press(page, "Enter", "ArrowRight")
        says(page, "Gruppe B, ")
        # What was said of the person before must not be taken for what is said of this one.
        page.locator("#board-says").evaluate("said => { said.textContent = '' }")
        press(page, "Enter")
        page.locator("#board-says", has_text="sitzt jetzt").or_(
            page.locator(".error-summary")
        ).first.wait_for(state="attached")
        capacity += 1
        assert capacity < 12
    assert "ist voll" in page.locator(".error-summary").inner_text()


def test_the_groups_are_formed_changed_published_and_repaired_without_a_mouse(page, server):
    server.app.config["CLOCK_START"] = MORNING
    page.reload()
    press_button(page, "Gruppen neu bilden")
    page.locator("#forming").wait_for()
    with server.app.app_context():
        forming.work(clock.now)
    page.wait_for_url("**/groups")
    awake(page)
    form(page).locator("input[name=person]").first.focus()
    press(page, "Enter", "ArrowRight", "Enter")
    says(page, "sitzt jetzt in Gruppe B (Runde 1).")
    press_button(page, "Den Rest um meine Änderungen herum verbessern")
    page.locator("#forming").wait_for()
    with server.app.app_context():
        forming.work(clock.now)
    page.wait_for_url("**/groups")
    press_link(page, "Veröffentlichen")
    page.locator("#changes").wait_for()
    press_button(page, "Fassung 2 veröffentlichen")
    page.get_by_text("Teilnehmende sehen jetzt Fassung 2").wait_for()
    _two_stay_away(page)
    seats = _repaired(page, server)
    press_button(page, "Rückgängig")
    page.get_by_text("Die letzte Änderung wurde zurückgenommen.").wait_for()
    has_focus(page, "board")
    assert [members(page, number) for number in range(5)] != seats
    press_link(page, "Ansehen, wer umziehen würde")
    assert _repaired(page, server) == seats
    page.go_back()
    press_link(page, "Veröffentlichen und Betroffene benachrichtigen")
    press_button(page, "Fassung 3 veröffentlichen")
    page.get_by_text("Teilnehmende sehen jetzt Fassung 3").wait_for()
    assert not violations(page)


def _two_stay_away(page):
    """Two people of the first table are recorded as absent, by typing, and the notice leads to the repair."""
    names = members(page, 0)[:2]
    press_link(page, "Anwesenheit")
    for name in names:
        page.get_by_label(f"Anwesenheit von {name}").focus()
        page.keyboard.type("abwesend")
    press_button(page, "Anwesenheit speichern")
    page.get_by_text("2 Einträge wurden gespeichert.").wait_for()
    _enter(page, page.locator("#door a"))


def _repaired(page, server):
    """Work the moves out and take them over; gives the seats of the first round."""
    press_button(page, "Umzüge berechnen")
    page.get_by_text("Der Hintergrunddienst sucht die wenigsten Umzüge").wait_for()
    has_focus(page, "proposal-title")
    with server.app.app_context():
        forming.work(clock.now)
    page.locator("#apply").wait_for()
    has_focus(page, "proposal-title")
    assert page.locator("#line[role=status]", has_text=re.compile("fehlen.*: (niemand|[0-9]+ Umz)")).count()
    press_button(page, "Umzüge übernehmen")
    page.locator(".flashes[role=status]", has_text="Die Umzüge sind übernommen.").wait_for()
    has_focus(page, "proposal-title")
    press_link(page, "Zu den Arbeitsgruppen")
    page.wait_for_url("**/groups")
    return [members(page, number) for number in range(5)]


def test_without_javascript_everything_is_a_button(server, visit):
    page = visit(PHONE, javascript=False)
    become(page, server, "organiser")
    page.goto(server.address + JUNE)
    assert not page.get_by_text("Mit der Maus").is_visible()
    one, other = members(page, 0)[0], members(page, 1)[0]
    form(page).locator("input[name=person]").first.check()
    form(page).locator("select[name=other]").select_option(label=other)
    with page.expect_navigation():
        form(page).get_by_role("button", name="Tauschen").click()
    assert one in members(page, 1)
    assert other in members(page, 0)
