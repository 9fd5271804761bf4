"""By a real sign-in service in a real Chromium: there and back, past our own policy; and with nothing but a button where scripts are off."""

import pytest
from playwright.sync_api import expect

from conference.accounts.models import Role
from conference.accounts.operations import create_account
from conference.kit import clock, unit

from .. import canaille
from .conftest import DESKTOP, PHONE


@pytest.fixture
def house(server):
    """The server with a sign-in service beside it, and a colleague whom both know."""
    with canaille.running(f"{server.address}/sign-in/service/return") as issuer:
        server.app.config.update(
            OIDC_ISSUER=issuer,
            OIDC_CLIENT_ID=canaille.CLIENT,
            OIDC_CLIENT_SECRET=canaille.SECRET,
            OIDC_NAME="Mit dem Hauskonto",
        )
        with server.app.app_context(), unit.writing():
            create_account(canaille.PEOPLE["nora"], "Nora Beispiel", Role.COLLEAGUE, None, at=clock.now())
        yield server


@pytest.mark.parametrize("javascript", [True, False])
def test_req29_there_and_back_again(house, visit, javascript):
    page = visit(DESKTOP if javascript else PHONE, javascript=javascript)
    page.goto(f"{house.address}/account")
    page.locator("a", has_text="Mit dem Hauskonto").click()
    page.locator("#login").fill("nora")
    page.locator("#loginform button[type=submit]").first.click()
    page.locator("#password").fill("nora")
    page.locator("#passwordform button[type=submit]").first.click()
    page.wait_for_selector("#accept, #main")
    if page.locator("#accept").count():
        page.locator("#accept").click()
    if not javascript:
        expect(page.locator("h1")).to_have_text("Sie werden eingeloggt")
        page.locator("main button[type=submit]").click()
    expect(page).to_have_url(f"{house.address}/account")
    expect(page.locator("#service-title")).to_be_visible()
