"""T33: what is our fault is one page with a number, in every room; paths, queries and keys stay in the log."""

import re

import pytest
from sqlalchemy.exc import ProgrammingError

from conference import ROOMS
from conference.accounts.models import Role

from ..builders import NOW, a_conference, a_participant, a_session, a_visit, an_account

SECRETS = (
    "/srv/folgetermin",
    "SELECT ",
    "password_hash",
    "ada@traeger.example",
    "Traceback",
    "a secret for tests only",
)
FAULTS = {
    "path": lambda key: ValueError(f"no luck in /srv/folgetermin/conference/kit/unit.py with {key}"),
    "query": lambda _key: ProgrammingError(
        "SELECT password_hash FROM account WHERE email = ?",
        ("ada@traeger.example",),
        Exception("no such column"),
    ),
}


@pytest.fixture
def settings():
    return {"CLOCK_START": NOW, "WTF_CSRF_ENABLED": False, "PROPAGATE_EXCEPTIONS": False}


@pytest.fixture
def everybody(app, in_house):
    """One browser that opens every door: an administrator, who came by a personal link too."""
    with in_house():
        link = a_participant(a_conference(an_account()))
        session = a_session(app, an_account(Role.ADMIN)) | a_visit(link.id)
    client = app.test_client()
    with client.session_transaction() as kept:
        kept.update(session)
    return client


def views_of(app):
    """The first address with GET and the first with POST of each room."""
    adapter, found = app.url_map.bind("localhost"), {}
    for rule in app.url_map.iter_rules():
        room = rule.endpoint.partition(".")[0]
        for method in sorted({"GET", "POST"} & rule.methods) if room in ROOMS else ():
            values = {name: _value(name, rule) for name in rule.arguments} | (rule.defaults or {})
            address = adapter.build(rule.endpoint, values, method=method)
            found.setdefault((room, method), (rule.endpoint, address))
    return found


def _value(name, rule):
    known = {"slug": "june-2023", "series_slug": "bildungstraegerkonferenz"}
    is_number = type(rule._converters[name]).__name__ in {"Number", "IntegerConverter"}
    return known.get(name, 1 if is_number else "A")


def test_t33_a_crash_in_any_room_tells_its_number_and_nothing_else(app, everybody, monkeypatch):
    views = views_of(app)
    assert {room for room, _method in views} == {room for room in ROOMS if room in app.blueprints}
    wrong = []
    for (room, method), (endpoint, address) in views.items():
        for name, fault in FAULTS.items():
            monkeypatch.setitem(app.view_functions, endpoint, breaking(app, endpoint, fault))
            answer = everybody.open(address, method=method)
            number = answer.headers["X-Request-Id"]
            told = [word for word in SECRETS if word in answer.text + str(answer.headers)]
            if answer.status_code != 500 or told or not re.search(rf"\b{number}\b", answer.text):
                wrong.append(f"{method} {address} ({room}), {name}: {answer.status_code}, {told}")
    assert not wrong, "\n".join(wrong)


def breaking(app, endpoint, fault):
    """The view with its mark, at whose end something is wrong."""
    kept = app.view_functions[endpoint]

    def view(**_values):
        raise fault(app.config["SECRET_KEY"])

    view.access_rule = kept.access_rule
    return view
