"""A passkey in a real Chromium, whose devtools play the security key: made, used alone, used as the second step, taken away."""

import pytest
from playwright.sync_api import Page, expect

from conference.accounts.models import Role
from conference.accounts.operations import create_account
from conference.kit import clock, unit

from .conftest import DESKTOP

GOOD = "correct horse battery"
EMAIL = "rita.schluessel@agentur.example"


@pytest.fixture
def house(server):
    """The server under a name, because browsers know no passkeys for bare numbers; and an organiser without a second factor."""
    port = server.address.rsplit(":", 1)[1]
    server.address = server.app.config["BASE_URL"] = f"http://localhost:{port}"
    with server.app.app_context(), unit.writing():
        create_account(EMAIL, "Rita Schlüssel", Role.ORGANISER, GOOD, at=clock.now())
    return server


def key_for(page: Page, *, knows_who: bool = True) -> None:
    """A security key that is always at hand; without `knows_who` its owner fails to show a finger."""
    devtools = page.context.new_cdp_session(page)
    devtools.send("WebAuthn.enable")
    kind = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True}
    kind |= {"isUserVerified": knows_who, "automaticPresenceSimulation": True}
    devtools.send("WebAuthn.addVirtualAuthenticator", {"options": kind})


def sign_in(page: Page, house, target: str = "") -> None:
    page.goto(f"{house.address}/sign-in?next={target}")
    page.locator("[name=email]").fill(EMAIL)
    page.locator("[name=password]").fill(GOOD)
    page.locator("form[action='/sign-in'] button").click()


def sign_out(page: Page) -> None:
    page.locator("details.menu summary").last.click()
    page.locator("form[action='/sign-out'] button.menu__item").click()
    expect(page.locator("[name=password]")).to_be_visible()


def test_req29_a_passkey_from_the_first_sign_in_to_its_end(house, visit):
    page = visit(DESKTOP)
    key_for(page)
    sign_in(page, house, "/series/new")
    expect(page.locator("h1")).to_have_text("Bitte richten Sie einen zweiten Faktor ein")
    page.locator("a[href='/account/passkeys/new']").click()
    page.locator("[name=name]").fill("Mein Laptop")
    page.locator("#passkey button[type=submit]").click()
    expect(page.locator("h1")).to_have_text("Ihre Wiederherstellungscodes")
    page.locator("main a[href='/series/new']").click()
    expect(page).to_have_url(f"{house.address}/series/new")

    sign_out(page)
    page.locator("#passkey button[type=submit]").click()
    expect(page.locator("h1")).to_have_text("Konferenzen")

    sign_out(page)
    sign_in(page, house, "/account")
    page.locator("#passkey button[type=submit]").click()
    expect(page.locator("#passkeys-title")).to_be_visible()
    page.get_by_role("link", name="Entfernen Mein Laptop").click()
    page.locator("main button[type=submit]").click()
    expect(page.locator("h1")).to_have_text("Bitte richten Sie einen zweiten Faktor ein")

    sign_out(page)
    page.locator("#passkey button[type=submit]").click()
    expect(page.locator(".error-summary")).to_contain_text("nicht angenommen")


def test_who_does_not_show_who_they_are_gets_in_by_password_only(house, visit):
    page = visit(DESKTOP)
    key_for(page, knows_who=False)
    page.goto(f"{house.address}/sign-in")
    page.locator("#passkey button[type=submit]").click()
    expect(page.locator("[data-passkey-status]")).to_contain_text("abgebrochen")
    sign_in(page, house)
    expect(page.locator("h1")).to_have_text("Bitte richten Sie einen zweiten Faktor ein")


def test_without_javascript_the_page_says_what_else_there_is(house, visit):
    page = visit(DESKTOP, javascript=False)
    page.goto(f"{house.address}/sign-in")
    expect(page.locator("#passkey-hint")).to_contain_text("JavaScript")
    expect(page.locator("#passkey")).to_be_hidden()
    sign_in(page, house)
    expect(page.locator("a[href='/account/second-factor']")).to_be_visible()
