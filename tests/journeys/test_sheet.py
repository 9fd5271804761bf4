"""A results sheet on a phone with bad Wi-Fi: what was typed survives, and meets what others have saved."""

from playwright.sync_api import expect

from conference.conferences.queries import conference_by_slug
from conference.ideas.queries import point_of

from .conftest import PHONE, violations


def test_what_was_typed_without_network_meets_what_was_saved_meanwhile(server, visit):
    with server.app.app_context():
        code = point_of(conference_by_slug("june-2023"), "D").code
    sheet = f"{server.address}/sheets/{code}/2"
    lost, other = visit(PHONE), visit(PHONE)
    lost.goto(sheet)
    lost.get_by_label("Ergebnis 1").fill("Von mir, ohne Netz")
    lost.get_by_label("Frage").fill("Eine bessere Frage")

    other.goto(sheet)
    other.get_by_label("Ergebnis 1").fill("Von der Nachbarin")
    other.get_by_role("button", name="Speichern, später weiter").click()
    expect(other.get_by_text("Gespeichert.")).to_be_visible()

    lost.goto(sheet)
    expect(lost.locator("[data-draft-status]")).to_have_text(
        "Das hatten Sie eingegeben. Es ist noch nicht gespeichert."
    )
    expect(lost.get_by_label("Ergebnis 1")).to_have_value("Von mir, ohne Netz")
    expect(lost.get_by_label("Frage")).to_have_value("Eine bessere Frage")
    lost.get_by_role("button", name="Abgeben", exact=True).click()
    expect(lost.locator(".compare")).to_contain_text("Von der Nachbarin")
    lost.wait_for_load_state()
    lost.get_by_label("Ergebnis 2").fill("Von der Nachbarin")
    lost.get_by_role("button", name="Abgeben", exact=True).click()
    expect(lost.get_by_text("Das hat Ihre Gruppe abgegeben")).to_be_visible()
    lost.wait_for_function("() => Object.keys(localStorage).every(key => !key.startsWith('draft:'))")
    assert lost.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
    assert not violations(lost) and not violations(other)
