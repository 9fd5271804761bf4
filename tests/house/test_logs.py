"""Logs: each request has one number on the page, in the answer and in the log; no token, address or query string."""

import json
import logging
import re
import sys

import pytest

from conference import create_app
from conference.accounts.models import Role
from conference.kit import access, jobs, logs, outage

from ..builders import an_account

GOOD, OTHER = "correct horse battery", "ganz andere Wörter jetzt"
TOKEN = "kU8_x-3Zb0YqLr5TnV7wJcD2fG4hS6mP9aE1iOuXyQs"
HARMLESS = [
    "the backup folgetermin-20261125-020000.zip holds 41 tables",
    "incident 3f9ac1 at registrations.show_invitation_of_a_person_who_came_back",
    "port 8000 of 127.0.0.1 is taken, version 3.1.3, 12:30:45",
]


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        (f"GET /invitation/{TOKEN} failed", TOKEN),
        (f"~link-{'0a1b2c3d' * 8}~ cannot be revealed", "0a1b2c3d0a1b"),
        ("550 no mailbox <ada.muster@traeger.example>", "ada"),
        ("/sign-in?next=/series&email=x", "next="),
        ("connect to postgresql://folgetermin:geheim@db/x", "geheim"),
        ("from 203.0.113.7 and 2001:db8:1:2::7", "203.0"),
        ("from 203.0.113.7 and 2001:db8:1:2::7", "2001"),
        ("duplicate key\nDETAIL:  Key (name)=(Ada Muster) already exists.", "Muster"),
    ],
)
def test_what_must_not_be_written_down_is_masked(text, secret):
    assert secret not in logs.masked(text)


@pytest.mark.parametrize("text", HARMLESS)
def test_what_helps_stays(text):
    assert logs.masked(text) == text


def test_masking_long_lines_takes_no_longer_than_they_are():
    for piece in ("a@", "a" * 64, "1.", "a:", "/?", "/", "://"):
        assert len(logs.masked(piece * 20_000)) <= logs.LONGEST + 3


@pytest.fixture
def logged(tmp_path, capfd):
    """Ask an app that crashes at /crash and writes JSON; gives the answer and what was written."""

    def ask(path="/crash", headers=None, **settings):
        app = create_app({"INSTANCE": tmp_path, "LOG_FORMAT": "json", **settings})
        app.config["PROPAGATE_EXCEPTIONS"] = False

        def crash(token=""):
            raise ValueError(f"no luck with {TOKEN} of ada@traeger.example")

        app.view_functions["crash"] = access.public(crash)
        app.url_map.add(app.url_rule_class("/crash", endpoint="crash"))
        app.url_map.add(app.url_rule_class("/crash/<token>", endpoint="crash"))
        capfd.readouterr()
        answer = app.test_client().get(path, headers=headers)
        return answer, capfd.readouterr().err

    yield ask
    logging.getLogger("conference.access").handlers[:] = []
    logging.getLogger("conference").handlers[:] = []


def test_t33_a_crash_has_one_number_everywhere_and_gives_nothing_away(logged):
    answer, written = logged(f"/crash/{TOKEN}?name=Ada")
    number = answer.headers["X-Request-Id"]
    assert re.fullmatch("[0-9a-f]{12}", number)
    assert f">{number}<" in answer.text
    entries = [json.loads(line) for line in written.splitlines()]
    assert [entry["request_id"] for entry in entries] == [number, number]
    assert entries[0]["message"] == f"incident {number} at crash" and "ValueError" in entries[0]["trace"]
    assert (entries[1]["method"], entries[1]["route"], entries[1]["status"]) == ("GET", "/crash/<token>", 500)
    assert [word for word in (TOKEN, "ada@", "name=", "127.0.0.1") if word in written] == []


def test_an_address_that_is_none_of_ours_is_not_written_down(logged):
    assert TOKEN not in logged(f"/invitatoin/{TOKEN}")[1]
    assert json.loads(logged(f"/{TOKEN}")[1])["route"] == "-"


def test_what_monitoring_asks_each_second_is_no_news(logged):
    assert logged("/healthz")[1] == ""


@pytest.mark.parametrize(
    ("proxies", "given", "is_kept"),
    [
        (1, "0123456789abcdef0123456789abcdef", True),
        (1, "kurz", False),
        (1, "x" * 65, False),
        (1, 'ein"<b>"Trick-aus-Zeichen', False),
        (0, "0123456789abcdef0123456789abcdef", False),
    ],
)
def test_only_a_trusted_proxy_gives_numbers(logged, proxies, given, is_kept):
    answer, written = logged(headers={"X-Request-Id": given}, TRUSTED_PROXIES=proxies)
    assert (answer.headers["X-Request-Id"] == given) is is_kept
    assert (given in written) is is_kept


@pytest.mark.parametrize("path", ["/sign-in", "/static/none.css", "/nowhere", "/healthz"])
def test_every_answer_carries_a_number_of_its_own(app, path):
    client = app.test_client()
    assert len({client.get(path).headers["X-Request-Id"] for _ in range(3)}) == 3


class TestWhoComesIn:
    """What an operator can read of sign-ins and refusals."""

    def test_every_way_in_and_every_failure_is_written_down_by_number_only(
        self, app, in_house, browser, told
    ):
        with in_house():
            nora = an_account(Role.COLLEAGUE, email="nora@agentur.example", password=GOOD)
        browser.submit(
            "accounts.sign_in", {"email": "nora@agentur.example", "password": "falsch geraten"}, status=422
        )
        browser.submit(
            "accounts.sign_in", {"email": "wer@agentur.example", "password": "falsch geraten"}, status=422
        )
        browser.submit("accounts.sign_in", {"email": "nora@agentur.example", "password": GOOD})
        new = {"current": "daneben", "password": OTHER, "again": OTHER}
        browser.submit("accounts.show_own", new, status=409)
        browser.submit("accounts.show_own", new | {"current": GOOD})
        browser.submit("accounts.sign_out")
        events = [(one["event"], one.get("account")) for one in told() if "event" in one]
        assert events == [
            ("password-wrong", nora.id), ("password-wrong", "unknown"), ("signed-in", nora.id),
            ("password-wrong", nora.id), ("password-changed", nora.id), ("signed-out", nora.id),
        ]  # fmt: skip
        assert not [word for word in ("nora", "falsch", GOOD, OTHER, "daneben") if word in str(told())]

    def test_a_refusal_says_who_was_refused_and_nothing_else_does(self, app, in_house, browser, told):
        with in_house():
            nora = an_account(Role.COLLEAGUE)
        app.test_client().get("/nowhere")
        browser.sign_in(nora).open("conferences.new_series", status=404)
        browser.client.post("/account", headers={"Origin": "https://evil.example"})
        browser.submit("accounts.show_own", {"current": "x"}, status=422)
        browser.open("accounts.show_own")
        seen = [(one["status"], one.get("by")) for one in told() if "status" in one]
        her = f"account {nora.id}"
        assert seen == [(404, "nobody"), (404, her), (403, her), (422, her), (200, None)]


@pytest.fixture
def told_by_worker(tmp_path, capfd):
    """Let the worker do a job that fails; gives what was written, and what is left in its queue."""

    def fail(job):
        app = create_app({"INSTANCE": tmp_path, "LOG_FORMAT": "json"})
        jobs.every_minute(app, "probe", job)
        queue = jobs.queue(app)
        capfd.readouterr()
        jobs.wake(app, "probe")
        queue.execute(queue.dequeue())
        left = b"".join(file.read_bytes() for file in tmp_path.glob("queue.db*"))
        return capfd.readouterr().err, left.decode("latin-1")

    yield fail
    for name in ("", "conference", "conference.access", "conference.security"):
        logger = logging.getLogger(name)
        logger.handlers[:] = [one for one in logger.handlers if not isinstance(one, logs.Written)]


def test_t01_a_job_that_fails_tells_its_way_and_nobodys_token_or_address(told_by_worker):
    def job():
        raise ValueError(f"no luck with {TOKEN} of ada@traeger.example")

    written, left = told_by_worker(job)
    [entry] = [json.loads(line) for line in written.splitlines()]
    assert (entry["logger"], entry["level"]) == ("huey", "error") and "in job" in entry["trace"]
    for text in (written, left):
        assert TOKEN not in text and "ada@" not in text


def test_t01_of_a_line_that_cannot_be_written_only_the_kind_is_told(capfd):
    mistaken = logging.LogRecord(
        "probe", logging.ERROR, "a.py", 1, "%d letters", ("ada@traeger.example",), None
    )
    logs.Written(sys.stderr).handle(mistaken)
    written = capfd.readouterr().err
    assert "probe" in written and "TypeError" in written and "ada@" not in written


def test_a_database_that_is_away_is_one_line_for_each_job(told_by_worker):
    def job():
        raise outage.Unavailable("another process keeps the turn to write")

    [entry] = [json.loads(line) for line in told_by_worker(job)[0].splitlines()]
    assert entry["message"] == "probe could not be done: another process keeps the turn to write"
    assert "trace" not in entry


def test_nobody_writes_a_line_of_the_log_by_what_they_type():
    forged = "x\n[2026-01-01T00:00:00+00:00] INFO in logs: signed-in account=1\r\x1b[2J\u2028y"
    lines = logs.Lines("[%(asctime)s] %(levelname)s in %(module)s: %(message)s")
    record = logging.LogRecord("a", logging.ERROR, "a.py", 1, "no luck with %s", (forged,), None)
    try:
        raise ValueError(forged)
    except ValueError as error:
        record.exc_info = (type(error), error, error.__traceback__)
    record.created = 1_795_000_000.5
    first, *rest = lines.format(record).split("\n")
    assert first.startswith("[2026-11-18T11:06:40.500+00:00] ERROR in a: no luck with x [2026")
    assert rest and all(line.startswith("  ") for line in rest)
    assert not set("\r\x1b\u2028") & set("".join(rest) + first)
