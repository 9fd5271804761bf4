"""Links in letters: programs that open them change nothing, and where they lead nobody learns the link."""

import re
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.request import Request, urlopen

import pytest

from conference.accounts.models import Account
from conference.conferences.queries import conference_by_slug
from conference.invitations import operations as invitations
from conference.invitations.models import Reply
from conference.invitations.queries import guest_list
from conference.kit import clock, unit
from conference.kit.db import db
from conference.outbox.models import Mail
from conference.outbox.operations import letter_of
from conference.people import operations as people
from conference.privacy import operations as privacy

from .conftest import PHONE

PATH = re.compile(r"http://127\.0\.0\.1:\d+(/[^\s<>\"')]+)")
SCANNERS = [
    ("HEAD", {}),
    ("GET", {}),
    ("GET", {"Sec-Purpose": "prefetch"}),
    ("GET", {"User-Agent": "Mozilla/5.0 (compatible; mail scanner)"}),
]


@pytest.fixture
def mailed(server):
    """The address of each kind of link that is mailed, by its first part."""
    with server.app.app_context(), unit.writing():
        now = clock.now()
        august = conference_by_slug("august-2023")
        waiting = [guest for guest in guest_list(august) if guest.reply is Reply.OPEN]
        invitations.send_reminders(august, at=now)
        privacy.send_access_link(august, waiting[0].contact, at=now)
        people.ask_for_link(str(db.session.scalars(db.select(Account.email)).first()), at=now)
    with server.app.app_context():
        letters = [letter_of(mail, at=clock.now()) for mail in db.session.scalars(db.select(Mail))]
        found = [path for one in letters for path in PATH.findall(f"{one.text} {one.list_unsubscribe}")]
    return {path.split("/")[1]: server.address + path for path in found}


def everything(server):
    with server.app.app_context():
        return {
            table.name: [tuple(row) for row in db.session.execute(table.select())]
            for table in db.metadata.sorted_tables
        }


def test_t03_whoever_opens_a_mailed_link_without_pressing_anything_changes_nothing(server, visit, mailed):
    assert {"invitation", "action", "reminders", "data", "password"} <= set(mailed)
    before = everything(server)
    for url in mailed.values():
        for method, headers in SCANNERS:
            with urlopen(Request(url, method=method, headers=headers)) as answer:
                assert answer.status == 200
        page = visit()
        page.goto(url)
        page.wait_for_load_state("networkidle")
        page.wait_for_timeout(1_000)  # a script that presses by itself would have done it by now
        assert page.url == url
    assert everything(server) == before
    guest = visit(PHONE)
    guest.goto(mailed["invitation"])
    with guest.expect_navigation():
        guest.locator("main form button[type=submit]").first.click()
    assert "/invitation/" not in guest.url
    assert everything(server) != before, "the link is still good after all that"


def test_t01_where_a_guest_goes_next_nobody_learns_the_link(visit, mailed):
    """A link to another host, pressed on the page whose address holds the token."""
    heard = []

    class Listener(BaseHTTPRequestHandler):
        def do_GET(self):
            heard.append((self.path, self.headers.get("Referer")))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_words):
            pass

    with HTTPServer(("127.0.0.1", 0), Listener) as listener:
        threading.Thread(target=listener.serve_forever, daemon=True).start()
        page = visit(PHONE)
        page.goto(mailed["invitation"])
        page.evaluate(
            """address => { const link = document.createElement("a"); link.href = address; link.textContent = "away"; link.id = "away";
            document.querySelector("main").prepend(link); }""",
            f"http://localhost:{listener.server_port}/away",
        )
        with page.expect_request("**/away"):
            page.locator("#away").click()
        page.wait_for_timeout(300)
        listener.shutdown()
    assert heard == [("/away", None)]
