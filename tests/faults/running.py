"""A real server in a process of its own, and people who use it from outside."""

import html
import random
import re
import time
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection

from conference import create_app
from conference.kit import links, unit
from conference.kit.db import db

from .. import servers
from ..builders import a_conference, a_personal_link, a_session, an_invitation
from ..conftest import SETTINGS
from ..servers import answers

SOON = (datetime.now(UTC) + timedelta(days=60)).date()
WORDS = "Grüße an alle – „bitte“ <b>ohne</b> Nüsse & Äpfel"


def quiet_port():
    """One that stays free while nobody listens: the system gives those below 32768 to no outgoing connection."""
    while True:
        port = random.randrange(20000, 32000)
        if not answers(port):
            return port


class Answer:
    """What came back."""

    def __init__(self, status, headers, page):
        self.status, self.headers, self.page = status, headers, page

    @property
    def text(self):
        return html.unescape(self.page)

    def fields(self):
        """The hidden fields that a page would send again, apart from the form token."""
        form = self.page[self.page.index("<form", self.page.index("<main")) :]
        pairs = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', form)
        return {name: html.unescape(value) for name, value in pairs if name != "csrf_token"}


class Guest(servers.Guest):
    """Looks closely at what comes back, and sends files."""

    def call(self, method, path=None, fields=None, **headers):
        return Answer(*self.exchange(method, path or self.link, fields, **headers))

    def send_file(self, path, name, content):
        """One upload, as a browser's form sends it."""
        mark = "a-line-between-the-parts"
        parts = [
            f'--{mark}\r\nContent-Disposition: form-data; name="csrf_token"\r\n\r\n{self.csrf}\r\n'.encode()
        ]
        head = f'--{mark}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'
        body = b"".join([*parts, head.encode(), content, f"\r\n--{mark}--\r\n".encode()])
        kind = {"Cookie": self.cookie, "Content-Type": f"multipart/form-data; boundary={mark}"}
        connection = HTTPConnection("127.0.0.1", self.port)
        connection.request("POST", path, body, kind)
        answer = connection.getresponse()
        found = Answer(answer.status, answer.headers, answer.read().decode())
        connection.close()
        return found

    def look(self):
        assert self.call("GET").status == 200
        return self

    def say_yes(self, diet=WORDS):
        return self.call("POST", fields={"reply": "accepted", "name": "Ada Muster", "diet": diet})


def signed_in(app, account, port):
    """Somebody of the staff, whose session began elsewhere."""
    person = Guest(port, "none")
    held = a_session(app, account) | {"seen": int(time.time())}
    signer = app.session_interface.get_signing_serializer(app)
    person.cookie = f"{app.config['SESSION_COOKIE_NAME']}={signer.dumps(held)}"
    with app.app_context():
        db.session.remove()
        db.engine.dispose()
    return person


def a_house(folder, empty, people, **over):
    """Data in this folder with an invited crowd; gives the app, whose connections are closed, and the tokens."""
    folder.mkdir(exist_ok=True)
    if empty is not None:
        (folder / "folgetermin.db").write_bytes(empty.read_bytes())
    app = create_app(SETTINGS | {"INSTANCE": folder} | over)
    with app.app_context():
        if empty is None:
            db.create_all()
        with unit.writing():
            june = a_conference(slug="soon", seats=1000, day=SOON, answer_by=SOON - timedelta(days=10))
            invited = [an_invitation(june, sent=True) for _ in range(people)]
            tokens = [links.token_of(a_personal_link(one).nonce) for one in invited]
        db.session.remove()
        db.engine.dispose()
    return app, tokens


def is_outage(answer, status=503):
    """A page for people: what is away, when to come again, and nothing of how we are made."""
    assert answer.status == status, (answer.status, answer.page[:2000])
    assert int(answer.headers["Retry-After"]) > 0
    assert (
        "Traceback" not in answer.page
        and "sqlite" not in answer.page.lower()
        and "psycopg" not in answer.page
    )
    return True


def keeps_input(answer, diet=WORDS):
    """What was sent stands on the page, readable and ready to be sent again."""
    assert answer.fields() == {"reply": "accepted", "name": "Ada Muster", "diet": diet}
    assert answer.text.count(diet) == 2, "once to be read, once to be sent"
    assert "<b>ohne</b>" not in answer.page
    return True
