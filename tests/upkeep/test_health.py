"""Monitoring: lives, can work, figures; who may see them, and that nobody's words are among them."""

import os
import re
from datetime import timedelta
from functools import wraps
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.engine import make_url

from conference import create_app
from conference.accounts.models import Role
from conference.kit import clock, jobs, soundness, unit
from conference.kit.db import db
from conference.outbox import operations as outbox
from conference.privacy.models import RetentionRun
from conference.upkeep import operations

from ..builders import NOW, a_mail, an_account
from ..conftest import SETTINGS

TOKEN = "Zw3kQx8vT1uJp5nR7bYd2LsH"


def prepared(app):
    """Say that the tables have the newest schema, as `prepare` does."""
    head, _known = soundness.revisions(app.config["MIGRATIONS"])
    stamp(app, head)


def stamp(app, revision):
    with app.app_context(), db.engine.begin() as connection:
        connection.execute(text("CREATE TABLE IF NOT EXISTS alembic_version (version_num VARCHAR(32))"))
        connection.execute(text("DELETE FROM alembic_version"))
        if revision:
            connection.execute(text("INSERT INTO alembic_version VALUES (:found)"), {"found": revision})


@pytest.fixture
def ready(app):
    """A house in which everything works: newest schema, a worker."""
    prepared(app)
    with app.app_context():
        operations.beat(at=clock.now())
    yield app
    with app.app_context(), db.engine.begin() as connection:
        connection.execute(text("DROP TABLE alembic_version"))


def readiness(app):
    answer = app.test_client().get("/readyz")
    wrong = {name for name, check in answer.json["checks"].items() if not check["ok"]}
    assert answer.status_code == (503 if wrong else 200)
    assert answer.json["status"] == ("unavailable" if wrong else "ok")
    return wrong


def test_a_house_in_order_is_ready(ready):
    assert readiness(ready) == set()
    assert ready.test_client().get("/healthz").json == {"status": "ok"}


def test_a_process_lives_without_its_database(tmp_path):
    app = create_app(SETTINGS | {"INSTANCE": tmp_path, "DATABASE_URL": "sqlite:////proc/none/none.db"})
    client = app.test_client()
    assert client.get("/healthz").status_code == 200
    assert readiness(app) == {"database"}
    assert 'folgetermin_check_good{check="database"} 0' in client.get("/metrics").text


@pytest.fixture
def without_rights():
    """Somebody to whom no file of ours is open, where the tests run as root; the rest of the process goes on as it was."""
    if os.geteuid():
        yield lambda path: path.chmod(0o500)
        return
    yield lambda _path: os.seteuid(65534)
    os.seteuid(0)


def test_a_database_in_which_nothing_can_be_stored_is_noticed(ready, without_rights):
    if make_url(ready.config["SQLALCHEMY_DATABASE_URI"]).get_backend_name() != "sqlite":
        with ready.app_context(), db.engine.connect() as connection:
            connection.exec_driver_sql("SET default_transaction_read_only = on")
            connection.commit()
    else:
        assert readiness(ready) == set()
        without_rights(Path(ready.instance_path))
    assert "database" in readiness(ready)
    with ready.app_context():
        db.engine.dispose()  # that connection would refuse whatever comes next


@pytest.mark.parametrize("revision", ["", "ffff0000ffff"], ids=["missing", "unknown"])
def test_another_schema_is_not_ready(ready, revision):
    stamp(ready, revision)
    assert readiness(ready) == {"schema"}


def test_a_night_that_threw_nothing_away_for_long_is_noticed(ready):
    def a_night(hours, failed=""):
        with ready.app_context(), unit.writing():
            when = clock.now() - timedelta(hours=hours)
            db.session.add(RetentionRun(ran_at=when, counts={}, failed=failed))

    a_night(37)
    a_night(2, failed="guests")
    assert readiness(ready) == {"retention"}
    a_night(1)
    assert readiness(ready) == set()
    assert "folgetermin_retention_age_seconds 36" in ready.test_client().get("/metrics").text


def test_a_worker_that_was_not_seen_for_minutes_is_gone(ready):
    with ready.app_context():
        operations.beat(at=clock.now() - timedelta(minutes=3))
    assert readiness(ready) == {"worker"}
    with ready.app_context():
        operations.beat(at=clock.now())
        operations.bid_farewell()
    assert readiness(ready) == {"worker"}


def test_a_due_letter_that_no_worker_takes_is_noticed(ready, in_house):
    ready.config["MAIL_SERVER"] = "127.0.0.1"
    with in_house():
        a_mail()
    assert readiness(ready) == {"queue"}
    with in_house():
        outbox.hold(at=NOW)
    assert readiness(ready) == set()


def test_the_page_says_why_letters_wait(ready, browser, in_house):
    with in_house():
        chief = an_account(Role.ADMIN)
    browser.sign_in(chief)
    assert "kein Mailserver eingestellt ist" in browser.open("upkeep.show_upkeep").text
    ready.config["MAIL_SERVER"] = "127.0.0.1"
    assert "wartet, weil" not in browser.open("upkeep.show_upkeep").text
    browser.submit("upkeep.pause_letters")
    assert "der Versand angehalten ist" in browser.open("upkeep.show_upkeep").text


def test_a_disk_that_is_nearly_full_is_noticed(ready):
    ready.config["DISK_RESERVE"] = 10**9
    assert readiness(ready) == {"disk"}


def test_figures_are_well_formed_and_hold_nobodys_words(ready, in_house):
    with in_house():
        mail = a_mail()
        account = an_account()
        words = [mail.recipient_address, mail.recipient_name, account.email, account.name, mail.message_id]
    client = ready.test_client()
    answer = client.get("/metrics")
    assert answer.content_type == "text/plain; version=0.0.4; charset=utf-8"
    line = re.compile(
        r"# (HELP|TYPE) folgetermin_\w+ .+|folgetermin_\w+(\{(\w+=\"[^\"]*\",?)+\})? -?[0-9.e+]+"
    )
    assert all(line.fullmatch(one) for one in answer.text.splitlines())
    assert 'folgetermin_letters{state="queued"} 1' in answer.text
    assert "folgetermin_workers 1" in answer.text
    both = answer.text + client.get("/readyz").text
    assert [word for word in words if word in both] == []


def figure(app, name):
    text = app.test_client().get("/metrics").text
    return float(re.search(rf"^{name} ([0-9.e+]+)$", text, re.MULTILINE)[1])


def test_what_an_operator_alarms_on_is_counted(ready, browser, monkeypatch):
    names = ("server_errors_total", "wrong_links", "failed_sign_ins_total")
    before = {name: figure(ready, f"folgetermin_{name}") for name in names}
    browser.open("accounts.sign_in")
    browser.submit("accounts.sign_in", {"email": "a@agentur.example", "password": "falsch"}, status=422)
    assert ready.test_client().get("/invitation/" + "x" * 43).status_code == 404
    alive = ready.view_functions["upkeep.show_health"]
    monkeypatch.setitem(ready.view_functions, "upkeep.show_health", wraps(alive)(lambda: ("", 503)))
    ready.test_client().get("/healthz")
    assert {name: figure(ready, f"folgetermin_{name}") - before[name] for name in names} == dict.fromkeys(
        names, 1
    )


def test_a_job_that_fails_is_counted_by_its_worker(ready):
    def broken():
        raise ValueError("not today")

    before = figure(ready, "folgetermin_jobs_failed")
    jobs.every_minute(ready, "broken", broken)
    worker = jobs.queue(ready)
    jobs.wake(ready, "broken")
    worker.execute(worker.dequeue())
    with ready.app_context():
        operations.beat(at=clock.now())
    assert figure(ready, "folgetermin_jobs_failed") == before + 1


@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded", "Via"])
def test_what_came_through_an_unknown_proxy_is_not_from_here(ready, header):
    assert ready.test_client().get("/metrics", headers={header: "127.0.0.1"}).status_code == 404


class TestBehindAProxy:
    @pytest.fixture
    def settings(self):
        return {"TRUSTED_PROXIES": 1, "METRICS_TOKEN": TOKEN}

    def ask(self, app, path, **headers):
        return app.test_client().get(path, headers={"X-Forwarded-For": "203.0.113.7"} | headers)

    def test_strangers_see_no_figures(self, ready):
        assert self.ask(ready, "/metrics").status_code == 404
        assert self.ask(ready, "/metrics", Authorization="Bearer " + TOKEN[:-1]).status_code == 404
        assert self.ask(ready, "/metrics", Authorization="Bearer ü").status_code == 404
        assert self.ask(ready, "/readyz").json == {"status": "ok"}
        assert self.ask(ready, "/healthz").json == {"status": "ok"}

    def test_the_token_opens_them(self, ready):
        answer = self.ask(ready, "/metrics", Authorization=f"Bearer {TOKEN}")
        assert answer.status_code == 200 and TOKEN not in answer.text


def test_monitoring_needs_not_know_our_name_and_nothing_else_may(tmp_path):
    production = {"PRODUCTION": True, "SECRET_KEY": "uX3vB7nQ9kR2mT5wY8zA1cD4fG6hJ0lP"}
    app = create_app(SETTINGS | production | {"INSTANCE": tmp_path})
    client = app.test_client()
    for path, status in {"/healthz": 200, "/readyz": 503, "/metrics": 200, "/sign-in": 400}.items():
        assert client.get(path, base_url="http://127.0.0.1:8001").status_code == status
    assert client.get("/healthz", base_url="http://boese.example").status_code == 400


def test_an_administrator_confirms_that_letters_may_leave(app, in_house, browser):
    prepared(app)
    with in_house():
        admin = an_account(Role.ADMIN)
        organiser = an_account()
        outbox.hold(at=NOW)
    browser.sign_in(organiser)
    browser.open("/upkeep", status=404)
    browser.submit("/upkeep/letters/release", status=404)
    browser.sign_in(admin)
    assert "Nachrichten werden zurückgehalten" in browser.open("/upkeep").text
    assert "zurückgehalten" not in browser.submit("/upkeep/letters/release").text
    browser.submit("/upkeep/letters/release")  # pressed twice


def test_held_letters_do_not_leave(app, in_house, monkeypatch):
    app.config["DEMO"] = True
    with in_house():
        a_mail()
        outbox.hold(at=NOW)
    with app.app_context():
        assert outbox.drain(clock.now).sent == 0
    with in_house():
        assert outbox.release(None, at=NOW)
        assert not outbox.release(None, at=NOW)
    with app.app_context():
        assert outbox.drain(clock.now).sent == 1
