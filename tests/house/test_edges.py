"""The edges of every route: headers word for word, whose requests count, how large they may be, and whose name is believed."""

import re
from email import message_from_bytes, policy
from io import BytesIO
from pathlib import Path

import pytest

from conference.invitations import operations as invitations
from conference.kit import unit
from conference.kit.db import db
from conference.outbox.models import Mail
from conference.outbox.operations import letter_of

from ..builders import NOW, a_conference, an_account, an_invitation

LITERALLY = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; img-src 'self' data:; "
        "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; object-src 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "X-Robots-Tag": "noindex",
}
# Nobody's data is in these; they may be asked for again with what was got before. All else is kept nowhere.
KEPT = {
    "static": "no-cache",
    "agenda.show_programme": "public, max-age=60",
    "agenda.programme_feed": "private, max-age=900",
    "ideas.show_wall": "private, max-age=0",
    "sheets.show_wall": "private, max-age=0",
}


@pytest.fixture
def june(in_house):
    with in_house():
        account = an_account()
        june = a_conference(account)
        guest = an_invitation(june)
        invitations.send_invitations(june, [guest], at=NOW)
        return account, guest


def addresses(app, methods):
    """Each route with something that stands for what it asks, by endpoint and method."""
    adapter = app.url_map.bind("localhost")
    for rule in app.url_map.iter_rules():
        values = {name: _value(name, rule) for name in rule.arguments} | (rule.defaults or {})
        for method in sorted(rule.methods & methods):
            yield rule.endpoint, method, adapter.build(rule.endpoint, values, method=method)


def _value(name, rule):
    if rule.endpoint == "static":
        return "css/mail.css"
    known = {"slug": "june-2023", "token": "x" * 43, "kind": "invitation", "language": "de", "theme": "dark"}
    if name in known:
        return known[name]
    converter = type(rule._converters[name]).__name__
    return 1 if converter in {"Number", "IntegerConverter"} else "A"


def missing(answer):
    return {
        name: answer.headers.get_all(name)
        for name, value in LITERALLY.items()
        if answer.headers.get_all(name) != [value]
    }


def test_t10_t31_every_answer_of_every_route_carries_the_headers_word_for_word(app, june, browser):
    """As staff and as a stranger; PDFs, which take long, only as a stranger."""
    staff, stranger = browser.sign_in(june[0]).client, app.test_client()
    wrong, statuses, kept = [], set(), {}
    for endpoint, method, path in addresses(app, {"GET", "POST"}):
        who = stranger if method == "POST" or "pdf" in path or "pdf" in endpoint else staff
        answer = who.open(path, method=method)
        statuses.add(answer.status_code)
        if missing(answer):
            wrong.append((method, path, answer.status_code, missing(answer)))
        if answer.mimetype.startswith("text/") and "charset=" not in answer.content_type:
            wrong.append((method, path, answer.status_code, answer.content_type))
        if answer.headers["Cache-Control"] != "no-store":
            kept[endpoint] = answer.headers["Cache-Control"]
        answer.close()
    assert not wrong
    assert {200, 303, 400, 404} <= statuses, "pages, redirects and errors were among them"
    assert kept == KEPT, "Let what may be personal say no-store, or name it here with its reason."


def test_t03_no_get_of_any_route_changes_a_row(app, june, browser):
    """Files too: they are views with transactions of their own."""
    staff, kinds = browser.sign_in(june[0]).client, set()
    before = rows_of(app)
    for _endpoint, _method, path in addresses(app, {"GET"}):
        answer = staff.get(path)
        if answer.status_code == 200:
            kinds.add(answer.mimetype)
        answer.close()
        assert rows_of(app) == before, f"GET {path} writes"
    assert {"text/html", "text/csv", "application/pdf", "text/calendar"} <= kinds


def rows_of(app):
    with app.app_context(), db.engine.connect() as connection:
        return {table.name: connection.execute(table.select()).all() for table in db.metadata.sorted_tables}


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/no-such-page", 404),
        ("PATCH", "/sign-in", 405),
        ("GET", "/sign-in?%00", 400),
        ("GET", "/static/none", 404),
    ],
)
def test_t10_errors_carry_them_too(app, method, path, status):
    answer = app.test_client().open(path, method=method)
    assert (answer.status_code, missing(answer)) == (status, {})


def test_t10_hsts_where_the_line_is_encrypted_and_only_there(app):
    client = app.test_client()
    assert (
        client.get("/sign-in", base_url="https://localhost").headers.get("Strict-Transport-Security")
        == "max-age=31536000"
    )
    assert "Strict-Transport-Security" not in client.get("/sign-in").headers
    app.config["PRODUCTION"] = True  # TLS may end at a proxy that tells us nothing of it
    assert client.get("/sign-in").headers.get("Strict-Transport-Security") == "max-age=31536000"


FOREIGN = [
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Origin": "https://folgetermin.example.evil.example"},
    {"Origin": "http://folgetermin.example"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Origin": "null", "Sec-Fetch-Site": "cross-site"},
    {"Origin": "https://folgetermin.example", "Sec-Fetch-Site": "cross-site"},
    {"Origin": "https://evil.example", "Sec-Fetch-Site": "same-origin"},
]
OURS = [
    {},
    {"Origin": "https://folgetermin.example"},
    {"Origin": "http://localhost"},
    {"Origin": "null", "Sec-Fetch-Site": "same-origin"},
    {"Origin": "https://folgetermin.example", "Sec-Fetch-Site": "same-origin"},
    {"Sec-Fetch-Site": "none"},
]


def unsafe(app):
    return [
        (endpoint, method, path)
        for endpoint, method, path in addresses(app, {"POST", "PUT", "PATCH", "DELETE"})
        if not getattr(app.view_functions[endpoint], "from_mail_programs", False)
    ]


@pytest.mark.parametrize("headers", FOREIGN)
def test_t08_no_foreign_page_changes_anything(app, june, browser, headers):
    staff = browser.sign_in(june[0])
    token = {"csrf_token": staff.csrf_token()}
    routes = unsafe(app)
    assert len(routes) > 100
    let_in = [
        path
        for _endpoint, method, path in routes
        if staff.client.open(path, method=method, headers=headers, data=token).status_code != 403
    ]
    assert not let_in


def test_t08_without_the_form_token_nothing_is_changed(app, june, browser):
    staff = browser.sign_in(june[0])
    for data in ({}, {"csrf_token": "x"}):
        let_in = [
            path
            for _endpoint, method, path in unsafe(app)
            if staff.client.open(path, method=method, data=data).status_code not in (400, 404)
        ]
        assert not let_in


@pytest.mark.parametrize("headers", OURS)
def test_t08_our_own_pages_are_let_in(browser, headers):
    fields = {"csrf_token": browser.csrf_token(), "email": "a@agentur.example", "password": "x"}
    assert browser.client.post("/sign-in", data=fields, headers=headers).status_code in (200, 422)


BODIES = {
    "100,000 keys": (b"a=1" + b"&a=1" * 100_000, "application/x-www-form-urlencoded"),
    "3,000 keys": (b"a=1" + b"&a=1" * 3000, "application/x-www-form-urlencoded"),
    "one large field": (b"a=" + b"x" * 600_000, "application/x-www-form-urlencoded"),
    "deep JSON": (b"[" * 200_000, "application/json"),
    "a list": (b"[]", "application/json"),
    "half a surrogate": (b'"\\ud800"', "application/json"),
    "NaN": (b'{"a": NaN}', "application/json"),
    "parts": (
        b"".join(b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n' for _n in range(4000))
        + b"--b--\r\n",
        "multipart/form-data; boundary=b",
    ),
    "broken parts": (b"--b\r\nContent-Dis", "multipart/form-data; boundary=b"),
}


@pytest.mark.parametrize("name", BODIES)
def test_t22_no_body_brings_a_route_down(app, june, browser, name):
    staff = browser.sign_in(june[0])
    body, kind = BODIES[name]
    headers = {"X-CSRFToken": staff.csrf_token()}
    odd = {}
    for endpoint, method, path in addresses(app, {"POST"}):
        if endpoint == "accounts.sign_out":
            continue
        status = staff.client.open(
            path, method=method, data=body, content_type=kind, headers=headers
        ).status_code
        if status >= 500:
            odd[path] = status
    assert not odd
    large = name in {"100,000 keys", "3,000 keys", "one large field", "parts"}
    answer = staff.client.post("/sign-in", data=body, content_type=kind, headers=headers)
    assert (
        answer.status_code == 413 if large else 400 <= answer.status_code < 500 or answer.status_code == 200
    )


HOSTS = [
    {"Host": "evil.example"},
    {"X-Forwarded-Host": "evil.example"},
    {"Forwarded": "host=evil.example"},
    {"X-Original-Host": "evil.example", "X-Forwarded-Proto": "https"},
]


@pytest.mark.parametrize("headers", HOSTS)
def test_t12_nobody_believes_the_host_of_a_request(app, june, browser, headers):
    account, guest = june
    staff = browser.sign_in(account)
    token_field, slug = staff.csrf_token(), "june-2023"
    cookie = staff.client.get_cookie("folgetermin").value
    staff.client = app.test_client(use_cookies=False)  # which would keep its cookies from a foreign host
    headers = headers | {"Cookie": f"folgetermin={cookie}"}
    with app.app_context():
        link = db.session.query(invitations.PersonalLink).first()
        token = invitations.links.token_of(link.nonce)
        db.session.rollback()
    answers = [
        staff.client.post(
            f"/conferences/{slug}/outbox/test", data={"csrf_token": token_field}, headers=headers
        ),
        staff.client.post(
            f"/conferences/{slug}/guests/{guest.id}/link/renewal",
            data={"csrf_token": token_field, "link": "1"},
            headers=headers,
        ),
        app.test_client().get(f"/programme/{slug}", headers=headers),
        app.test_client().get(f"/invitation/{token}", headers=headers),
        *(
            app.test_client().get(path, headers=headers)
            for _e, _m, path in addresses(app, {"GET"})
            if path.endswith(".ics")
        ),
    ]
    for answer in answers:
        assert "evil.example" not in answer.headers.get("Location", "") + answer.get_data(as_text=True)
    with app.app_context(), unit.reading():
        letters = [letter_of(mail, at=NOW) for mail in db.session.query(Mail)]
    assert len(letters) == 3, "invitation, test letter and new link"
    for letter in letters:
        found = re.findall(r"https?://[^\s\"<>]+", letter.text + letter.html)
        assert "evil.example" not in letter.text + letter.html + letter.message_id
        assert all(address.startswith("https://folgetermin.example") for address in found)


def test_t21_every_letter_is_read_again_before_it_leaves(app, in_house):
    """What a stranger reads in the bytes is one recipient and the headers that were meant, whatever names people have."""
    from conference.kit.mail import build_message

    trick = "=?utf-8?q?a=0D=0ABcc:_x@evil.example?="
    with in_house():
        june = a_conference(an_account(), title=trick)
        guest = an_invitation(june, first_name=trick, last_name='Müller, "Eva" <x@evil.example>')
        invitations.send_invitations(june, [guest], at=NOW)
    with app.app_context(), unit.reading():
        [letter] = [letter_of(mail, at=NOW) for mail in db.session.query(Mail)]
    message = message_from_bytes(build_message(letter), policy=policy.default)
    assert [address.addr_spec for address in message["To"].addresses] == [letter.recipient.address]
    assert {"bcc", "cc"}.isdisjoint(name.lower() for name in message)
    assert message["Auto-Submitted"] == "auto-generated"


def test_t21_what_cleaning_has_missed_is_stopped_by_the_second_look(monkeypatch):
    """The library of today makes a header of this subject; should the cleaning ever fail, the letter does not leave."""
    from conference.kit.mail import message

    letter = message.Letter(
        message_id="<1@folgetermin.example>",
        sender=message.Mailbox("Agentur", "post@folgetermin.example"),
        recipient=message.Mailbox("Ada Muster", "ada@traeger.example"),
        subject="=?utf-8?q?a=0ABcc:_x@evil.example?=",
        text="Guten Tag",
        sent_at=NOW,
    )
    assert b"evil.example" in message.build_message(letter), "as a subject that is read as it was typed"
    monkeypatch.setattr(message, "header_text", str)
    with pytest.raises(message.UnsafeMessage):
        message.build_message(letter)


UPLOADS = [
    ("bild.svg", b'<svg xmlns="http://www.w3.org/2000/svg"><script>CANARY</script></svg>'),
    ("liste.csv", b"\x89PNG\r\n\x1a\nCANARY"),
    ("liste.xlsx", b"%PDF-1.7 CANARY"),
    ("../../liste.csv", b"<html><script>CANARY</script></html>"),
    ("liste.csv\x00.png", b"\xff\xd8\xff\xe0CANARY"),
]


@pytest.mark.parametrize("page", ["guests/import", "ideas/import"])
@pytest.mark.parametrize(("name", "content"), UPLOADS)
def test_t14_no_file_of_strangers_is_kept_or_served(app, june, browser, page, name, content):
    """Lists are read by what they are; everything else is refused with a reason, and nothing of it lies anywhere afterwards."""
    staff = browser.sign_in(june[0])
    fields = {"csrf_token": staff.csrf_token(), "file": (BytesIO(content), name)}
    answer = staff.client.post(f"/conferences/june-2023/{page}", data=fields)
    assert answer.status_code == 422
    assert b"CANARY" not in answer.data
    kept = [
        path
        for path in Path(app.instance_path).rglob("*")
        if path.is_file() and b"CANARY" in path.read_bytes()
    ]
    assert kept == []
