"""T07: what is of one guest, tried by another: in the same conference and in another one, at every address that guests have.

The addresses and forms are those that the pages of the guest show; a new route for guests is red until it has a row here.
"""

import io
import re
import zipfile
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from sqlalchemy import select

from conference.conferences.queries import conference_by_slug
from conference.invitations.models import LinkPurpose, PersonalLink
from conference.kit import links
from conference.kit.db import db
from conference.privacy.models import AccessLink, PrivacyRequest
from conference.registrations import operations as registrations
from conference.registrations.models import Presence, Registration

from .. import access_matrix as matrix
from .. import world
from ..builders import NOW, a_conference, a_personal_link, a_visit, an_action, an_answer, an_invitation
from ..crawl import endpoint_of, walk
from ..fuzz import encoded, filled, nothing_stays

# What another guest gets at an address with the numbers and the form of somebody: in the same conference, in another one.
# OWN: the address names nothing of anybody, and shows or changes what is the sender's own. SHARED: it is the conference's.
OWN, SHARED, NOT_FOUND = "own", "shared", "not found"
ROWS = {
    "/action/<token>": (NOT_FOUND, NOT_FOUND),
    "/calendar/<token>.ics": (OWN, OWN),
    "/data/<token>": (OWN, OWN),
    "/invitation/<token>": (OWN, OWN),
    "/invitation/<token>/offer": (NOT_FOUND, NOT_FOUND),
    "/invitation/<token>/visit": (OWN, OWN),
    "/my": (OWN, OWN),
    "/my/calendar": (OWN, OWN),
    "/my/calendar.ics": (OWN, OWN),
    "/my/calendar/renewal": (OWN, OWN),
    "/my/consents": (OWN, OWN),
    "/my/consents/<kind>/withdrawal": (OWN, OWN),
    "/my/data": (OWN, OWN),
    "/my/data/link": (OWN, OWN),
    "/my/data/name": (OWN, OWN),
    "/my/data/notice": (OWN, OWN),
    "/my/data/requests": (OWN, OWN),
    "/my/data/requests/<int:request_id>/withdrawal": (NOT_FOUND, NOT_FOUND),
    "/my/groups": (OWN, OWN),
    "/my/groups/<int:number>/sheet": (OWN, OWN),
    "/my/groups/choice": (SHARED, NOT_FOUND),
    "/my/groups/concerns": (OWN, OWN),
    "/my/groups/concerns/<int:concern_id>/withdrawal": (NOT_FOUND, NOT_FOUND),
    "/my/groups/rounds/<int:round_id>/leaving": (SHARED, NOT_FOUND),
    "/my/groups/time": (SHARED, OWN),
    "/my/offer": (NOT_FOUND, NOT_FOUND),
    "/my/participants": (SHARED, OWN),
    "/my/registration": (OWN, OWN),
    "/my/return": (OWN, OWN),
    "/my/votes": (SHARED, OWN),
    "/my/votes/<int:vote_id>": (SHARED, NOT_FOUND),
    "/my/votes/<int:vote_id>/thanks": (NOT_FOUND, NOT_FOUND),
    "/my/withdrawal": (OWN, OWN),
    "/reminders/<token>": (OWN, OWN),
}
# A link for staff.
NOBODYS = {"/password/<token>"}
VERBS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
PURPOSES = {
    "calendar": LinkPurpose.CALENDAR,
    "action": LinkPurpose.ACTION,
    "reminders": LinkPurpose.REMINDERS,
    "invitation": LinkPurpose.INVITATION,
}


@pytest.fixture
def settings():
    return {"CLOCK_START": NOW, "WTF_CSRF_ENABLED": False, "PROPAGATE_EXCEPTIONS": False}


@dataclass
class Guest:
    """Somebody with a cookie and with a link of each kind."""

    client: object
    contact_id: int
    conference_id: int
    tokens: dict
    marks: set = field(default_factory=set)
    """What nobody else may read."""


def test_t07_every_route_for_guests_has_a_row(app):
    rules = [
        (rule.rule, app.view_functions[rule.endpoint].access_rule.kind) for rule in app.url_map.iter_rules()
    ]
    routes = {path for path, kind in rules if kind == "guest" or (kind == "public" and "<token>" in path)}
    assert {path for path in routes if path not in NOBODYS} == ROWS.keys()


def _guest(app, conference, contact):
    """A guest as they are, with whatever links they lack, and with something that nobody else may know."""
    tokens = {
        name: links.token_of(_link(conference, contact, purpose).nonce) for name, purpose in PURPOSES.items()
    }
    nonce = links.new_nonce()
    tokens["data"] = links.token_of(nonce)
    values = {"contact_id": contact.id, "conference_id": conference.id, "created_at": NOW}
    db.session.add(
        AccessLink(**values, token_hash=links.hash_of(tokens["data"]), expires_at=NOW + timedelta(days=300))
    )
    mark = f"Geheim-{contact.id}-{conference.id}."
    for kind, column in ((Registration, "diet"), (PrivacyRequest, "words")):
        for row in db.session.scalars(
            select(kind).where(kind.contact_id == contact.id, kind.conference_id == conference.id)
        ):
            setattr(row, column, mark)
    client = app.test_client()
    with client.session_transaction() as kept:
        kept.update(a_visit(_link(conference, contact, LinkPurpose.INVITATION).id))
    return Guest(client, contact.id, conference.id, tokens, {mark, contact.email, *tokens.values()})


def _link(conference, contact, purpose):
    query = select(PersonalLink).where(
        PersonalLink.conference_id == conference.id,
        PersonalLink.contact_id == contact.id,
        PersonalLink.purpose == purpose,
    )
    found = db.session.scalars(query.order_by(PersonalLink.id.desc())).first()
    return found or a_personal_link(an_invitation(conference, contact), purpose.value)


@pytest.fixture
def guests(app, in_house):
    """The guests of the world with where each one starts; in each conference one more; and one of another series."""
    made, away = world.build(app), world.elsewhere(app)
    with in_house():
        known = {}
        for name, client in made.visitors.items():
            with client.session_transaction() as kept:
                link = db.session.get(PersonalLink, kept["guest"]) if "guest" in kept else None
            token = made.starts[name][0].rpartition("/")[2]
            for kind in (PersonalLink, AccessLink) if link is None else ():
                link = link or db.session.scalar(select(kind).where(kind.token_hash == links.hash_of(token)))
            if link is not None:
                known[name] = (link.conference, link.contact)
        others = {}
        for conference in {conference for conference, _contact in known.values()} | {
            conference_by_slug("foreign")
        }:
            invited = an_invitation(conference)
            early = conference.starts_at - timedelta(days=60)
            registrations.accept(invited, an_answer(name=invited.contact.name), at=early)
            registrations.record_attendance(conference, invited.contact_id, Presence.PRESENT, at=NOW)
            late = conference.starts_at.date() + timedelta(days=30)
            an_action(conference, responsible=invited.contact, due_on=late, at=NOW)
            others[conference.id] = _guest(app, conference, invited.contact)
        victims = {name: (_guest(app, *them), made.starts[name]) for name, them in known.items()}
    return victims, others, others[away.conference_id]


class Watch:
    """What each commit does to rows of a person or of a conference."""

    def __init__(self, record):
        self.record, self.rows, self.touched = record, {}, []
        self.tables = db.metadata.tables
        for name in self.tables:
            self.rows[name] = self.now(name)
        self.inner, db.session.commit = db.session.commit, self.commit

    def now(self, name):
        table = self.tables[name]
        keys = [column.name for column in table.primary_key]
        rows = [dict(row) for row in db.session.execute(select(table)).mappings()]
        return {tuple(row[key] for key in keys): row for row in rows}

    def commit(self):
        db.session.flush()
        words = r'^\s*(?:INSERT INTO|UPDATE|DELETE FROM) "?(\w+)'
        written = {re.match(words, statement)[1] for statement, _values in self.record.pending}
        seen = {name: self.now(name) for name in written}
        for name, rows in seen.items():
            before = self.rows[name]
            for key in before.keys() | rows.keys():
                if before.get(key) != rows.get(key):
                    owners = set()
                    for row in filter(None, (before.get(key), rows.get(key))):
                        self.climb(name, row, self.rows | seen, owners)
                    self.touched.append((name, owners))
        self.inner()

    def climb(self, name, row, rows, owners):
        """All on which a row hangs: its person and its conference are among them."""
        if "id" in row and (name, row["id"]) not in owners:
            owners.add((name, row["id"]))
        for foreign in self.tables[name].foreign_keys:
            if (name, foreign.parent.name) == ("breakout_group", "concern_id"):
                continue  # a seat in a group is not of the person who proposed the group
            parent, number = foreign.column.table.name, row[foreign.parent.name]
            above = rows[parent].get((number,)) or self.rows[parent].get((number,))
            if number is not None and above is not None and (parent, number) not in owners:
                owners.add((parent, number))
                self.climb(parent, above, rows, owners)


def tries(app, victim, starts):
    """The addresses and forms that a guest has, as (rule, method, address, pairs)."""
    starts = [*starts, *(f"/{purpose}/{victim.tokens[purpose]}" for purpose in ("action", "reminders"))]
    forms, paths = walk(app, victim.client, starts, per_route=2)
    paths |= {f"{path}/thanks" for path in paths if re.fullmatch(r"/my/votes/\d+", path)}
    rules = {rule.endpoint: rule for rule in app.url_map.iter_rules() if rule.rule in ROWS}
    found = {}
    for path in sorted(paths):
        rule = rules.get(endpoint_of(app, path.partition("?")[0], "GET"))
        if rule is not None:
            found[rule.rule, "GET", path] = []
    for form in forms:
        if form.endpoint in rules and form.method == "POST":
            pairs = [(name, b"" if value.decode() in victim.marks else value) for name, value in filled(form)]
            found[rules[form.endpoint].rule, "POST", form.action] = pairs
    for purpose, token in victim.tokens.items():
        path = f"/{purpose}/{token}" + (".ics" if purpose == "calendar" else "")
        rule = next(rule for rule in ROWS if rule.startswith(f"/{purpose}/<token>"))
        found.setdefault((rule, "GET", path), [])
    for rule in rules.values():
        known = {path for name, _method, path in found if name == rule.rule}
        for path in known if "<int:" in rule.rule else {rule.rule} if "<" not in rule.rule else ():
            for method in VERBS if "<int:" in rule.rule else rule.methods & {"GET", "POST"}:
                found.setdefault((rule.rule, method, path), [])
    return [(*key, pairs) for key, pairs in found.items()]


def turned(path, victim, other):
    """The address with the other guest's own secret in place of the victim's."""
    for purpose in victim.tokens:
        path = re.sub(rf"^/{purpose}/[\w-]{{43}}", f"/{purpose}/{other.tokens[purpose]}", path)
    return path


def words_of(answer):
    if answer.mimetype == "application/zip":
        return zipfile.ZipFile(io.BytesIO(answer.data)).read("data.json").decode()
    return answer.get_data(as_text=True) + str(answer.headers)


def test_t07_what_is_of_one_guest_is_neither_seen_nor_changed_by_another(app, guests):
    victims, others, stranger = guests
    wrong, seen, tried, methods = [], set(), set(), matrix.routes(app)
    with nothing_stays(app) as record:
        with app.app_context():
            watch = Watch(record)
        for victim, starts in victims.values():
            for rule, method, path, pairs in tries(app, victim, starts):
                if method == "GET":
                    text = words_of(victim.client.get(path))
                    seen |= {mark for mark in victim.marks if mark in text}
                for row, other in zip(ROWS[rule], (others[victim.conference_id], stranger), strict=True):
                    watch.touched.clear()
                    answer = send(other, method, turned(path, victim, other), pairs)
                    if method == "GET" and "<token>" in rule:
                        row = OWN  # the link is the other's, and nothing else is asked for
                    if method not in methods[rule] or (not pairs and "<" not in rule):
                        row = OWN  # nothing is there for anybody, or nothing of anybody was asked for
                    tried |= {(rule, method), (rule, row)}
                    problem = judged(answer, row, victim, other, watch)
                    who = "another conference" if other is stranger else "the same conference"
                    wrong += [f"{method} {path} ({rule}) from {who}: {problem}"] if problem else []
    assert not wrong, "\n".join(sorted(set(wrong)))
    assert {(rule, method) for rule in ROWS for method in methods[rule]} <= tried
    assert {(rule, NOT_FOUND) for rule in ROWS if NOT_FOUND in ROWS[rule]} <= tried
    assert len(seen) > len(victims)


def send(other, method, path, pairs):
    with other.client.session_transaction() as kept:
        before = dict(kept)
    answer = other.client.open(
        path, method=method, data=encoded(pairs), content_type="application/x-www-form-urlencoded"
    )
    with other.client.session_transaction() as kept:
        kept.clear()
        kept.update(before)
    return answer


def judged(answer, row, victim, other, watch):
    words = words_of(answer)
    told = [mark for mark in victim.marks if mark in words]
    theirs = {("contact", victim.contact_id)}
    if victim.conference_id != other.conference_id:
        theirs.add(("conference", victim.conference_id))
    touched = sorted({name for name, owners in watch.touched if owners & theirs})
    if told or touched or answer.status_code >= 500:
        return f"{answer.status_code}, tells {told}, touches {touched}"
    return f"{answer.status_code}, not 404" if row == NOT_FOUND and answer.status_code != 404 else ""


def test_t07_a_link_opens_what_it_was_made_for_and_nothing_else(app, in_house):
    with in_house():
        june, wrong = a_conference(), []
        guest = _guest(app, june, an_invitation(june).contact)
    for mine, token in guest.tokens.items():
        for rule in (rule for rule in ROWS if "<token>" in rule and not rule.startswith(f"/{mine}/")):
            for method in ("GET", "POST"):
                status = app.test_client().open(rule.replace("<token>", token), method=method).status_code
                if status not in (404, 405):
                    wrong.append(f"{method} {rule} with the link for {mine}: {status}")
    assert not wrong, "\n".join(sorted(set(wrong)))
