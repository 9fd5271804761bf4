"""T07: every route, every role, the own and a foreign conference; and things of one conference under another's address.

`tests/access_matrix.csv` says what must come out. A route without a row, or a row without a route, is red.
"""

import re
from dataclasses import dataclass

import pytest
from flask import session
from sqlalchemy import func, select
from werkzeug.exceptions import NotFound

from conference.accounts.models import Role
from conference.conferences import operations as conferences
from conference.conferences.queries import conference_by_slug
from conference.kit.db import db
from conference.people.operations import GIVEN_IN_PLACES, GIVEN_IN_SERIES

from .. import access_matrix as matrix
from .. import world
from ..builders import NOW, a_conference, a_series, a_session, an_account
from ..fuzz import nothing_stays

OTHER_THINGS = {
    "item_id": "agenda_item",
    "group_id": "breakout_group",
    "rule_id": "groups_rule",
    "import_id": "list_import",
    "sheet_id": "group_sheet",
    "grant_id": "role_grant",
}


@pytest.fixture
def settings():
    return {"CLOCK_START": NOW, "WTF_CSRF_ENABLED": False, "PROPAGATE_EXCEPTIONS": False}


@dataclass
class House:
    """The world, and the session of each kind of person."""

    app: object
    sessions: dict
    organiser: object
    series: str


@pytest.fixture
def house_of_all(app, in_house):
    made = world.build(app)
    with in_house():
        series = conference_by_slug(world.COMING).series
        people = {"admin": an_account(Role.ADMIN), "colleague": an_account(Role.COLLEAGUE)}
        for role in GIVEN_IN_PLACES:
            people[role.value] = an_account(Role.COLLEAGUE)
            conferences.give_role(people[role.value], role, series, by=None, at=NOW)
        people["series_admin"] = an_account(Role.COLLEAGUE)
        conferences.give_role(people["series_admin"], Role.ADMIN, series, by=None, at=NOW)
        people["stranger"] = an_account(Role.COLLEAGUE)
        elsewhere = a_series(title="Fremde Reihe")
        a_conference(None, elsewhere, slug="foreign")
        for role in GIVEN_IN_SERIES:
            conferences.give_role(people["stranger"], role, elsewhere, by=None, at=NOW)
        sessions = {who: a_session(app, account) for who, account in people.items()}
    with made.visitors["registered"].session_transaction() as guest:
        sessions |= {"nobody": {}, "guest": dict(guest)}
    made.add("of both", [], **sessions["organiser"])
    return House(app, sessions, made.visitors["of both"], series.slug)


def address(path, house, **over):
    values = {"slug": world.COMING, "series_slug": house.series} | over
    return re.sub(r"<(?:\w+:)?(\w+)>", lambda found: str(values.get(found.group(1), 1)), path)


def test_every_route_is_in_the_matrix_and_nothing_else(app):
    rows, routes = matrix.read(), matrix.routes(app)
    hint = "Run .venv/bin/python -m tests.access_matrix and think about each question mark of: "
    assert sorted(set(routes) ^ set(rows)) == [], hint
    wrong = [path for path, row in rows.items() if set(row["methods"].split()) != routes[path]]
    assert not wrong, f"Other methods than in the matrix: {wrong}"
    allowed = {who: {"yes", "no", "in"} for who in matrix.WHO} | {"foreign": {"no", "-"}}
    unread = [path for path, row in rows.items() if any(row[who] not in allowed[who] for who in allowed)]
    assert not unread, hint + str(unread)
    open_to_strangers = [
        path for path, row in rows.items() if matrix.in_a_place(path) and row["foreign"] != "no"
    ]
    assert not open_to_strangers


def test_t07_the_door_opens_for_whom_the_matrix_says_and_for_nobody_from_elsewhere(house_of_all):
    app = house_of_all.app
    for endpoint, view in list(app.view_functions.items()):
        app.view_functions[endpoint] = _opened(view.access_rule)
    wrong = []
    for path, row in matrix.read().items():
        target = address(path, house_of_all)
        for method in row["methods"].split():
            said = row | {"series_admin": matrix.of_series_admin(path, row)}
            for who in (*matrix.WHO, "series_admin"):
                got = _came(house_of_all, who, target, method)
                wanted = "no" if said[who] == "in" and method != "GET" else said[who]
                if got != wanted:
                    wrong.append(f"{method} {path} as {who}: {got}, not {wanted}")
        if row["foreign"] == "no":
            for method in (*row["methods"].split(), "OPTIONS"):
                got = _came(house_of_all, "stranger", target, method)
                if got != "no":
                    wrong.append(f"{method} {path} from elsewhere: {got}, not no")
    assert not wrong, "\n".join(wrong)


def _opened(rule):
    def view(**_values):
        return "opened"

    view.access_rule = rule
    return view


def _came(house, who, target, method):
    """How far somebody comes: through the dispatch of the house, without the pages that say no."""
    with house.app.test_request_context(target, method=method):
        session.update(house.sessions[who])
        try:
            answer = house.app.make_response(house.app.dispatch_request())
        except NotFound:
            return "no"
    if answer.status_code == 303 and "/sign-in" in answer.headers["Location"]:
        return "in"
    return {200: "yes"}.get(answer.status_code, str(answer.status_code))


def test_t07_a_thing_of_one_conference_is_not_found_under_the_address_of_another(house_of_all):
    """By an organiser of both, so that only looking things up through the conference keeps them apart."""
    organiser, wrong, tried = house_of_all.organiser, [], 0
    with house_of_all.app.app_context():
        ids = {name: _ids(table) for name, table in _tables(house_of_all.app).items()}
    with nothing_stays(house_of_all.app):
        for path, row in matrix.read().items():
            names = [name for name in re.findall(r"<int:(\w+)>", path) if name in ids]
            if not path.startswith("/conferences/<slug>/") or not names:
                continue
            for method in row["methods"].split():
                for number in ids[names[0]]:
                    here = {"slug": world.EMPTY, names[0]: number}
                    status = organiser.open(address(path, house_of_all, **here), method=method).status_code
                    tried += 1
                    if status != 404:
                        wrong.append(f"{method} {path} with {here}: {status}")
    assert tried > 100
    assert not wrong, "Look it up through the conference:\n" + "\n".join(wrong)


def _tables(app):
    """The table behind each number of an address that names a thing."""
    paths = [path for path in matrix.routes(app) if path.startswith("/conferences/<slug>/")]
    names = {name for path in paths for name in re.findall(r"<int:(\w+_id)>", path)}
    known = {name: OTHER_THINGS.get(name, name.removesuffix("_id")) for name in names}
    return {name: db.metadata.tables[table] for name, table in known.items()}


def _ids(table):
    """The first and the last of a kind; all of them lie in conferences that have something."""
    first, last = db.session.execute(select(func.min(table.c.id), func.max(table.c.id))).one()
    assert first is not None, f"The world has no {table.name}."
    return sorted({first, last})


def test_the_page_of_rules_shows_what_the_marks_say(app, in_house, browser):
    with in_house():
        chief = an_account(Role.ADMIN)
    browser.sign_in(chief).open("people.show_rules")
    for path in matrix.routes(app):
        if not path.startswith("/static"):
            assert browser.sees(path)
