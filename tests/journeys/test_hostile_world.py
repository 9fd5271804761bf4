"""Every text that people can type is a script, and everybody looks at every page: nothing runs, nothing is fetched (T09)."""

import itertools
import re
import threading
from collections import deque
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect
from werkzeug.serving import make_server

from conference import create_app
from conference.accounts.models import Role
from conference.accounts.queries import first_account_of
from conference.conferences.queries import conference_by_slug
from conference.kit import unit
from conference.kit.db import Model, db
from conference.minutes import operations as minutes
from conference.minutes import queries as drafts

from .. import conftest, world
from ..bad_input import SCRIPTS
from ..builders import NOW
from ..crawl import endpoint_of, follow
from .conftest import WATCH

# What holds words of people. All else is made by us, or is not kept as words.
TYPED = {
    "Account": ["name"], "Action": ["title", "description", "supporters"], "AgendaItem": ["title", "description", "person"],
    "Cluster": ["heading"], "Concern": ["title", "sentence"], "Consent": ["wording"],
    "Conference": ["title", "focus_question", "venue", "address", "organiser_name", "organiser_phone"],
    "Contact": ["title", "first_name", "last_name", "function", "team"], "DeadAddress": ["reason"],
    "Decision": ["wording", "manner"], "Enclosure": ["name"], "Feedback": ["page", "text", "email"], "Group": ["focus_question"],
    "GroupsRule": ["value"], "Idea": ["text", "typed"], "Invitation": ["decline_reason"], "Letter": ["subject", "body"],
    "ListImport": ["filename"], "Mail": ["recipient_name", "reply_to_name", "subject", "text", "error"],
    "Minutes": ["chair", "moderator", "minute_taker", "summary"], "Note": ["text"], "PrivacyRequest": ["words", "reason"],
    "Provider": ["name", "postcode", "city"], "Registration": ["name", "diet", "access_needs"], "Report": ["text", "author"],
    "Room": ["name"], "Series": ["title", "host"], "SheetState": ["question", "results", "open_points", "proposal", "writer"],
    "StaffSession": ["device"], "Statement": ["text"], "Topic": ["title"], "Vote": ["title"], "VoteOption": ["wording"],
}  # fmt: skip
# Breaks out of whatever it stands in; before or after each of our classes.
OUT_OF_ALL = "'\"></textarea></title></option><img src=x onerror=window.__xss=1>"
SHORT = 300
VISITORS = [
    "organiser", "administration", "leadership", "registered", "declined", "invited", "veteran", "free", "responsible", "asker",
    "thinker", "scribe", "nobody", "newcomer",
]  # fmt: skip

# Whatever of it were in the page as markup would be here: no page of ours has anything of the kind.
LIVING = """() => {
  const found = window.__xss === undefined ? [] : ['a script ran'];
  for (const node of document.querySelectorAll('*')) {
    for (const {name, value} of node.attributes) {
      if (name.startsWith('on') || name.includes('hx-on') || name === 'srcdoc') found.push(node.tagName + ' ' + name);
      if (['href', 'src', 'action', 'formaction', 'data', 'xlink:href'].includes(name) && /^[\\s\\u0000-\\u001f]*(java|vb)script:|^data:text/i.test(value))
        found.push(node.tagName + ' ' + name + '=' + value.slice(0, 60));
      if (['hx-get', 'hx-post', 'data-hx-post', 'hx-vals', 'data-hx-get'].includes(name) && !value.startsWith('/')) found.push(name + '=' + value);
    }
    if (['IFRAME', 'OBJECT', 'EMBED', 'BASE', 'MATH', 'TEMPLATE', 'MARQUEE'].includes(node.tagName)) found.push(node.tagName);
    if (node.tagName === 'SCRIPT' && !new URL(node.src, location).pathname.startsWith('/static/')) found.push('a script of theirs');
    if (node.tagName === 'META' && node.httpEquiv === 'refresh') found.push('refresh');
  }
  const isSound = document.body instanceof HTMLBodyElement && document.documentElement instanceof HTMLHtmlElement
    && typeof document.getElementById === 'function' && (!window.htmx || typeof window.htmx.process === 'function');
  return found.concat(isSound ? [] : ['a name of the document was taken'], window.__violations);
}"""


class House:
    """The served world and who may look at what."""

    def __init__(self, app, address):
        self.app, self.address = app, address
        self.world = world.build(app)
        with app.app_context(), app.test_request_context(), unit.writing():
            poison()


def poison():
    """Put a script into every field. What is recorded of it is as hostile as the thing itself."""
    scripts = itertools.cycle(
        (text + OUT_OF_ALL if re.match(r"\w+:", text) else OUT_OF_ALL + text)[:SHORT] for text in SCRIPTS
    )
    mapped = {mapper.class_.__name__: mapper.class_ for mapper in Model.registry.mappers}
    for name, columns in TYPED.items():
        for row in db.session.scalars(db.select(mapped[name])):
            for column in columns:
                assert column in mapped[name].__table__.columns
                text = next(scripts)
                setattr(row, column, [text, next(scripts)] if column == "results" else text)
    db.session.flush()
    past = conference_by_slug(world.OVER)
    draft = drafts.compile_draft(past, at=NOW)
    document = minutes.as_released(draft, number=2, released_by=next(scripts), at=NOW, zone=past.zone)
    minutes.release(past, document, b"%PDF-1.7", first_account_of(Role.ORGANISER), at=NOW)


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    settings = {"INSTANCE": tmp_path_factory.mktemp("hostile"), "DEMO": True, "CLOCK_START": NOW}
    app = create_app(conftest.SETTINGS | settings | {"BASE_URL": "http://localhost"})
    with app.app_context():
        db.create_all()
    http = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=http.serve_forever, daemon=True)
    thread.start()
    yield House(app, f"http://127.0.0.1:{http.server_port}")
    http.shutdown()
    thread.join()
    with app.app_context():
        db.session.remove()
        db.engine.dispose()


def as_visitor(chromium, hostile, name, notes):
    """A browser of this visitor, and everything that it does of its own accord."""
    context = chromium.new_context(locale="de-DE", accept_downloads=True)
    context.add_init_script(WATCH)
    cookie = hostile.world.visitors[name].get_cookie("folgetermin")
    if cookie:
        context.add_cookies([{"name": "folgetermin", "value": cookie.value, "url": hostile.address}])
    page = context.new_page()
    page.set_default_timeout(30_000)
    # How it looks is looked at elsewhere, and takes most of the time.
    page.route(re.compile(r"\.(css|woff2)$"), lambda route: route.abort())
    page.on("dialog", lambda dialog: (notes.append(f"a dialog: {dialog.message}"), dialog.dismiss()))
    page.on("popup", lambda other: notes.append(f"a window: {other.url}"))
    page.on("pageerror", lambda error: notes.append(f"an error of our scripts: {error}"))
    ours = urlsplit(hostile.address).netloc
    page.on(
        "request",
        lambda asked: (
            notes.append(f"fetches {asked.url}")
            if urlsplit(asked.url).scheme in ("http", "https") and urlsplit(asked.url).netloc != ours
            else None
        ),
    )
    return context, page


def walked(hostile, page, name, seen):
    """Open one page of each route that this visitor finds and nobody before has seen; gives each with its answer."""
    starts = hostile.world.starts[name]
    waiting, paths, visits = deque(starts), set(starts), {}
    while waiting:
        path = waiting.popleft()
        endpoint = endpoint_of(hostile.app, path.split("?")[0], "GET")
        if endpoint in seen:
            continue
        answer = page.goto(hostile.address + path)
        assert answer.status < 500, path
        if "text/html" in answer.headers.get("content-type", ""):
            seen.add(endpoint)
            yield path, answer
            for link in page.evaluate("[...document.links].map(link => link.getAttribute('href'))"):
                follow(hostile.app, link, path, waiting, paths, visits, 1)


def test_t09_req09_nothing_that_was_typed_ever_runs(chromium, hostile):
    """Whoever looks, at whatever page: staff find all rooms, guests what is theirs."""
    wrong, seen, looked_at, shown = [], set(), 0, 0
    for name in VISITORS:
        notes = []
        context, page = as_visitor(chromium, hostile, name, notes)
        for path, answer in walked(hostile, page, name, seen):
            looked_at += 1
            shown += "__xss" in answer.text()
            wrong += [f"{name} at {path}: {problem}" for problem in [*page.evaluate(LIVING), *notes]]
            notes.clear()
        context.close()
    assert not wrong, "\n".join(wrong)
    assert looked_at > 90 and shown > looked_at * 0.6, (
        f"scripts on {shown} of {looked_at} pages: what was looked at?"
    )


def test_t09_req09_parts_that_renew_themselves_bring_nothing_to_life(chromium, hostile):
    """On the projector and beside it: after htmx has fetched and put in a part of the page, all is as it was."""
    notes, pages = [], []
    for end in ("wall", "wall?view=clusters", "groups/wall", "sheets/wall", "groups/time"):
        context, page = as_visitor(chromium, hostile, "organiser", notes)
        page.goto(f"{hostile.address}/conferences/{world.COMING}/{end}")
        assert page.locator("[hx-get][hx-trigger]").count(), end
        page.evaluate(
            "document.body.addEventListener('htmx:afterSettle', () => document.body.dataset.settled = 'yes')"
        )
        pages.append((context, page))
    for context, page in pages:
        expect(page.locator("body[data-settled]")).to_be_attached(timeout=60_000)
        assert page.evaluate(LIVING) + notes == []
        context.close()
