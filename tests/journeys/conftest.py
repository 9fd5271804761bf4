"""A real server on the demo's data and a real Chromium.

`SLOW=0.8 pytest tests/journeys` lets each answer take up to 0.8 s: what a journey took for granted shows.
"""

import os
import random
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright
from werkzeug.serving import make_server

from conference import create_app, demo
from conference.kit import links
from conference.kit.db import db

FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip
DESKTOP = {"width": 1280, "height": 900}
PHONE = {"width": 360, "height": 740}
PATIENCE = 30_000
expect.set_options(timeout=PATIENCE)
WATCH = """
window.__violations = [];
document.addEventListener('securitypolicyviolation', event => window.__violations.push(event.violatedDirective + ' ' + event.blockedURI));
"""
UNANSWERED = """() => {
  const root = document.documentElement;
  root.dataset.unanswered = '';
  const settled = event => event.detail?.requestConfig.verb === 'get' || delete root.dataset.unanswered;
  for (const name of ['htmx:afterSettle', 'part:load']) document.addEventListener(name, settled);
}"""
SECRET = "a secret for journeys only, 32 characters and more"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything in this folder needs a browser."""
    for item in items:
        if "journeys" in item.path.parts:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def demo_instance(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An instance folder with the demo loaded; copied for each server."""
    folder = tmp_path_factory.mktemp("demo")
    app = create_app({"INSTANCE": folder, "DEMO": True, "SECRET_KEY": SECRET})
    with app.app_context():
        db.create_all()
        demo.load(app)
        db.session.remove()
        db.engine.dispose()
    return folder


class Server:
    """A running Folgetermin."""

    def __init__(self, app: Flask, address: str) -> None:
        self.app, self.address = app, address

    def unanswered(self, slug: str) -> str:
        """The address of somebody who has not answered yet."""
        from conference.conferences.queries import conference_by_slug
        from conference.invitations.models import Reply
        from conference.invitations.queries import guest_list

        with self.app.app_context():
            guests = guest_list(conference_by_slug(slug))
            return next(str(guest.contact.email) for guest in guests if guest.reply is Reply.OPEN)

    def token_for(self, slug: str, email: str, purpose: str = "invitation") -> str:
        """The token in the mail of a person."""
        from conference.conferences.queries import conference_by_slug
        from conference.invitations.models import LinkPurpose
        from conference.invitations.operations import personal_link
        from conference.kit import clock, unit
        from conference.providers.queries import contacts_by_key

        with self.app.app_context(), unit.writing():
            contact = contacts_by_key([email])[email]
            link = personal_link(conference_by_slug(slug), contact, LinkPurpose(purpose), at=clock.now())
            return links.token_of(link.nonce)


@pytest.fixture
def server(demo_instance: Path, tmp_path: Path) -> Iterator[Server]:
    """A server of its own on a copy of the demo."""
    yield from _serve(demo_instance, tmp_path / "instance")


@pytest.fixture(scope="module")
def shared_server(demo_instance: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for tests that only look."""
    yield from _serve(demo_instance, tmp_path_factory.mktemp("shared") / "instance")


def _serve(source: Path, instance: Path) -> Iterator[Server]:
    shutil.copytree(source, instance)
    app = create_app({"INSTANCE": instance, "DEMO": True, "SECRET_KEY": SECRET})
    http = make_server("127.0.0.1", 0, _slow(app), threaded=True)
    app.config["BASE_URL"] = f"http://127.0.0.1:{http.server_port}"
    thread = threading.Thread(target=http.serve_forever, daemon=True)
    thread.start()
    yield Server(app, app.config["BASE_URL"])
    http.shutdown()
    thread.join()
    with app.app_context():
        db.engine.dispose()


def _slow(app: Flask) -> Callable[..., Any]:
    longest = float(os.environ.get("SLOW", "0"))

    def answer(environ: Any, start_response: Any) -> Any:
        time.sleep(random.uniform(0, longest))
        return app(environ, start_response)

    return answer


@contextmanager
def answered(page: Page) -> Iterator[None]:
    """What is sent inside is answered before the test goes on: by another page, or by a part put into this one."""
    page.evaluate(UNANSWERED)
    yield
    page.locator("html[data-unanswered]").wait_for(state="detached")
    page.wait_for_load_state()


def become(page: Page, server: Server, name: str) -> None:
    """Sign in as a persona of the demo."""
    page.goto(f"{server.address}/sign-in")
    with answered(page):
        page.locator(f"form[action='/persona/{name}'] button").click()


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """Debian's Chromium."""
    path = shutil.which("chromium")
    assert path, "Install Chromium: apt-get install chromium (make test does it)."
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def visit(chromium: Browser) -> Iterator[Callable[..., Page]]:
    """`visit(width=…, dark=…, javascript=…, lang=…)` opens a page of a new person; violations fail the test."""
    contexts: list[BrowserContext] = []

    def open_page(
        size: dict[str, int] = DESKTOP, *, dark: bool = False, javascript: bool = True, lang: str = "de-DE"
    ) -> Page:
        context = chromium.new_context(
            viewport=size,  # type: ignore[arg-type]
            color_scheme="dark" if dark else "light",
            java_script_enabled=javascript,
            locale=lang,
            accept_downloads=True,
        )
        context.add_init_script(WATCH)
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        page.on("pageerror", lambda error: errors.append(str(error)))
        contexts.append(context)
        return page

    errors: list[str] = []
    yield open_page
    for context in contexts:
        context.close()
    assert not errors, f"scripts failed: {errors}"


def violations(page: Page) -> list[Any]:
    """What the page's security policy had to stop."""
    found: list[Any] = page.evaluate("window.__violations || []")
    return found
