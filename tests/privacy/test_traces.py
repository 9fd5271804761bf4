"""Nothing of a person is left: every text column of every table, every file, the log, every page and file for staff (REQ-24, T38).

By reflection over the schema: every column where somebody may have been named is planted with the name; that none is missing
holds `test_namesakes.py`.
"""

import io
import json
import logging
import re
import subprocess
import zipfile
from datetime import date, timedelta
from itertools import product
from pathlib import Path

import pytest
from sqlalchemy import JSON, Enum, LargeBinary, String, insert, select, update

from conference.accounts.models import Role
from conference.accounts.queries import first_account_of
from conference.actions import operations as actions
from conference.agenda import operations as agenda
from conference.conferences.queries import conference_by_slug
from conference.groups import methods, open_space
from conference.groups import operations as groups
from conference.groups.models import RuleKind
from conference.groups.queries import plan_of
from conference.invitations import operations as invitations
from conference.invitations.models import ImportedRow, LinkPurpose
from conference.kit import unit
from conference.kit.db import Moment, Seconds, db, forget_log
from conference.minutes import operations as minutes
from conference.outbox.models import Mail, MailState
from conference.overview.queries import facts_of, outcome_of
from conference.privacy import naming, operations
from conference.privacy.models import Outcome, RequestKind
from conference.providers.models import Contact
from conference.providers.operations import ContactFields, correct_contact
from conference.record import operations as record
from conference.registrations import operations as registrations
from conference.registrations.models import ConsentKind, Presence, Registration
from conference.sheets import queries as sheet_queries
from conference.upkeep import backups, restoring
from conference.voting.models import Vote, Voter

from .. import world
from ..builders import NOW, a_contact, a_session, a_sheet, an_action, an_answer, an_item, some_ideas
from ..upkeep.test_backups import here  # noqa: F401 - a fixture

EMAIL, PHONE = "wunderlich@traeger.example", "05221 471147"
SAID = f"Frieda Wunderlich (auch: Wunderlich, Frieda; Frau Dr. Wunderlich), Tel. {PHONE}, {EMAIL}. "
PATTERN = re.compile(r"frieda|wunderlich|471147", re.IGNORECASE)


@pytest.fixture
def settings():
    return {"CLOCK_START": NOW}


@pytest.fixture
def built(app):
    """The small world, and in it somebody who has done everything that a person can do."""
    log = logging.getLogger()
    kept = io.StringIO()
    handler = logging.StreamHandler(kept)
    handler.setFormatter(logging.Formatter("%(name)s %(message)s %(args)s"))
    log.addHandler(handler)
    try:
        world.build(app)
        with app.app_context(), app.test_request_context(), unit.writing():
            person = frieda()
        yield app, person, kept
    finally:
        log.removeHandler(handler)


def frieda():
    """Invited, registered, present, seated, at work, in letters and in other people's words; gives her number."""
    june, account = conference_by_slug(world.COMING), first_account_of(Role.ORGANISER)
    contact = a_contact(first_name="Frieda", last_name="Altwunderlich", email="frieda@frueher.example")
    fields = ContactFields("Wunderlich", EMAIL, "Frieda", function="Leitung Frieda Wunderlich")
    correct_contact(contact, contact.provider, fields, None, account, at=NOW)
    invitation = invitations.invite(june, contact, at=NOW)
    invitations.send_invitations(june, [invitation], at=NOW)
    answer = an_answer(name="Frieda Wunderlich", diet="vegan, fragt Frieda", consents=frozenset(ConsentKind))
    registrations.accept(invitation, answer, at=NOW)
    registrations.record_attendance(june, contact.id, Presence.PRESENT, at=NOW)
    for purpose in LinkPurpose:
        invitations.personal_link(june, contact, purpose, at=NOW)
    board = plan_of(june)[0]
    groups.move_seat(june, board.round.id, contact.id, board.groups[0].group.id, None, at=NOW)
    methods.add_rule(
        june, methods.NewRule(RuleKind.HOST, (contact.id,), board.groups[0].group.name), account, at=NOW
    )
    free = conference_by_slug(world.OPEN)
    invitations.invite(free, contact, at=NOW)
    registrations.record_attendance(free, contact.id, Presence.PRESENT, at=NOW)
    open_space.propose(free, "Wunderlichs Anliegen", SAID, contact.id, at=NOW)
    sheet = sheet_queries.tables_of(june)[1].tables[0]
    a_sheet(june, sheet, SAID, open_points=SAID)
    state = sheet_queries.tables_of(june)[1].tables[0].state
    state.contact_id = contact.id
    db.session.add(Voter(vote_id=db.session.scalars(select(Vote.id)).first(), contact_id=contact.id))
    action = an_action(june, responsible=contact, description=SAID, supporters="Frieda Wunderlich", at=NOW)
    decision = actions.decide(june, SAID, "", actions.Source("", None), at=NOW)
    item = an_item(june, "Vortrag", "09:50", person="Frieda Wunderlich", description=SAID)
    agenda.save_note(item, SAID, 0, account, at=NOW)
    agenda.save_note(item, SAID + "mehr", 1, account, at=NOW)
    some_ideas(june, SAID, "Wunderlichs Vorschlag", "Frau Altwunderlich, frieda@frueher.example")
    operations.ask(june, contact, RequestKind.ERASURE, SAID, at=NOW)
    operations.send_access_link(june, contact, at=NOW)
    operations.give_feedback("/my", SAID, EMAIL, at=NOW)
    minutes.save_frame(
        june, chair="Frieda Wunderlich", moderator="", minute_taker="", summary=SAID, version=None, at=NOW
    )
    row = {"list_import_id": 1, "contact_id": contact.id, "line": 7}
    db.session.execute(insert(ImportedRow).values(row))
    assert action.id and decision.id
    return contact.id


def some_row(table):
    """A row in a table that the world leaves empty; what it needs is read from its columns."""
    values = {
        column.name: some_value(column)
        for column in table.columns
        if not column.nullable and (not column.primary_key or isinstance(column.type, String))
    }
    db.session.execute(insert(table).values(values))


def some_value(column):
    for key in column.foreign_keys:
        return db.session.scalar(select(key.column).limit(1))
    if isinstance(column.type, Enum):
        return next(iter(column.type.enum_class))
    if isinstance(column.type, JSON):
        return {}
    if isinstance(column.type, LargeBinary):
        return b"x"
    for kind, value in ((Moment, NOW), (Seconds, timedelta(minutes=1))):
        if isinstance(column.type, kind):
            return value
    return {str: "x", int: 1, bool: False, date: NOW.date()}[column.type.python_type]


def planted():
    """Write the name into every column where somebody may have typed it."""
    for table, columns, is_free in naming.typed_columns():
        keys = list(table.primary_key.columns)
        some = select(*keys, *columns).where(is_free).limit(1)
        row = db.session.execute(some).first()
        if row is None:
            some_row(table)
            row = db.session.execute(some).one()
        this = [key == value for key, value in zip(keys, row, strict=False)]
        values = {
            column.name: with_name(column, value)
            for column, value in zip(columns, row[len(keys) :], strict=True)
        }
        if values:
            db.session.execute(update(table).where(*this).values(values))


def with_name(column, value):
    if not isinstance(column.type, JSON):
        return f"{value or ''} {SAID}"
    if isinstance(value, list):
        return [*value, SAID, {"deep": [SAID]}]
    return {**(value or {}), "planted": {SAID: [SAID]}}


def traces(app, log=None, without=("release",)):
    """Where something of her still is: tables, files of the instance (the database's own pages too), the log."""
    found = []
    with app.app_context(), unit.reading():
        for table in db.metadata.sorted_tables:
            for row in db.session.execute(select(table)).mappings() if table.name not in without else ():
                for column, value in row.items():
                    said = value.decode("utf-8", "replace") if isinstance(value, bytes) else repr(value)
                    said += (
                        "" if isinstance(value, str | bytes) else json.dumps(str(value), ensure_ascii=False)
                    )
                    if PATTERN.search(said):
                        found.append(f"{table.name}.{column}")
    with app.app_context():
        forget_log()
    for path in Path(app.instance_path).rglob("*"):
        if path.is_file() and PATTERN.search(path.read_bytes().decode("utf-8", "replace")):
            found.append(path.name)
    if log is not None and PATTERN.search(log.getvalue()):
        found.append("the log")
    return found


def write(app, what):
    with app.app_context(), app.test_request_context(), unit.writing():
        return what()


def erased(app, person, at):
    """What an organiser does with her request, and what the worker does then."""

    def decide():
        contact = db.session.get(Contact, person)
        account = first_account_of(Role.ORGANISER)
        asked = operations.ask(conference_by_slug(world.COMING), contact, RequestKind.ERASURE, SAID, at=at)
        operations.decide(asked, Outcome.GRANTED, f"{SAID} bat darum.", account, at=at)

    write(app, decide)
    write(app, delivered)
    write(app, operations.forget_told)


def delivered():
    for mail in db.session.scalars(select(Mail).where(Mail.state == MailState.QUEUED)):
        mail.state, mail.sent_at = MailState.SENT, mail.created_at


def after():
    return NOW + timedelta(days=60)


def test_t38_after_an_erasure_no_table_no_file_and_no_log_knows_the_person(built):
    app, person, log = built
    write(app, planted)
    assert len(set(traces(app))) > 60, "the test would prove nothing"
    with app.app_context(), unit.reading():
        alone = [
            f"{column.table.name}.{column.name}"
            for column in of_people()
            if not db.session.execute(select(column).where(column == person).limit(1)).first()
        ]
    assert alone == [], "let her stand where a new table can refer to a person"
    erased(app, person, after())
    assert traces(app, log) == []
    with app.app_context(), unit.reading():
        assert record.verify(app).broken is None, "the chain is whole"


def of_people():
    for table in db.metadata.sorted_tables:
        for column in table.columns:
            if any(key.column.table.name == "contact" for key in column.foreign_keys):
                yield column


def test_t38_when_every_time_is_over_nobody_is_known_any_more(built):
    app, person, log = built
    write(app, planted)

    def all_is_done():
        delivered()
        later = after() + timedelta(days=200)
        for mail in db.session.scalars(select(Mail)):
            mail.state, mail.sent_at = MailState.SENT, mail.created_at
        for action in db.session.scalars(
            select(actions.Action).where(actions.Action.responsible_id == person)
        ):
            action.status = actions.ActionStatus.DONE
        # Who agreed to be invited again is kept until that is taken back.
        for registration in db.session.scalars(select(Registration).where(Registration.contact_id == person)):
            registrations.change_consents(
                registration, frozenset({ConsentKind.PHOTO}), registration.version, at=later
            )

    write(app, all_is_done)
    statistics = write(app, counts)
    write(app, lambda: operations.run_retention(at=after() + timedelta(days=500)))
    left = set(traces(app, log))
    assert left == {"consent.name"} | ({"folgetermin.db"} & left), (
        "only the proof for photos has a longer time"
    )
    end = after() + timedelta(days=5000)
    write(app, lambda: operations.run_retention(at=end))
    assert traces(app, log) == []
    assert write(app, counts) == statistics, "numbers stay as they were"
    again = write(app, lambda: operations.run_retention(at=end).counts)
    assert {name: number for name, number in again.items() if number} == {}


def counts():
    conferences = [conference_by_slug(slug) for slug in (world.COMING, world.OVER, world.OPEN)]
    facts = facts_of(conferences, after())
    return [(facts[one.id], outcome_of(one, after()).organisations) for one in conferences]


def test_t38_a_backup_that_knows_the_person_is_restored_without_them(here, built, tmp_path):  # noqa: F811
    app, person, _log = built
    walk_in = write(app, lambda: without_address(app))
    path = write_backup(app, tmp_path)
    erased(app, person, after())
    write(app, lambda: operations.erase(db.session.get(Contact, walk_in), at=after()))
    restoring.restore(app, path, at=after())
    assert traces(app) == []
    with app.app_context(), unit.reading():
        assert db.session.get(Contact, walk_in).last_name.startswith("P-")
        assert record.verify(app).broken is None
    with zipfile.ZipFile(path) as archive:
        assert archive.namelist()


def without_address(app):
    june = conference_by_slug(world.COMING)
    contact = a_contact(first_name="Frieda", last_name="Wunderlich-Ohneadresse")
    contact.email = contact.email_key = None
    registrations.record_attendance(june, contact.id, Presence.PRESENT, at=NOW)
    return contact.id


def write_backup(app, folder):
    with app.app_context():
        return backups.make(app, folder, at=NOW)[0].path


TABLES_OF = {
    "invitation_id": "invitation", "contact_id": "contact", "action_id": "action", "decision_id": "decision",
    "item_id": "agenda_item", "idea_id": "idea", "mail_id": "mail", "request_id": "privacy_request",
    "group_id": "breakout_group", "round_id": "round", "cluster_id": "cluster", "vote_id": "vote", "import_id": "list_import",
    "provider_id": "provider", "room_id": "room", "topic_id": "topic", "account_id": "account", "forming_id": "forming",
    "grant_id": "role_grant",
}  # fmt: skip
SAME_PLAN = ("door-sheets", "facilitator-sheets", "table-signs", "name-cards")
"""Papers that are made of the same plan as the seating, which is looked at."""


def test_t38_no_page_and_no_file_for_staff_names_them(built):
    app, person, _log = built
    with app.app_context(), unit.reading():
        signed_in = a_session(app, first_account_of(Role.ADMIN))
        everywhere = list(addresses(app, person))
    client = app.test_client()
    with client.session_transaction() as session:
        session.update(signed_in)
    some = {"registrations.export_registrations", "registrations.signature_list", "invitations.show_guest"}
    assert len(named(client, (one for one in everywhere if one[0] in some))) >= 3, (
        "the test would prove nothing"
    )
    erased(app, person, after())
    assert named(client, everywhere) == []


def addresses(app, person):
    """Each page and file that can be asked for, about her where it is about somebody."""
    adapter = app.url_map.bind("localhost")
    known = {
        "slug": world.COMING,
        "series_slug": "bildungstraegerkonferenz",
        "token": "x" * 43,
        "kind": "invitation",
    }
    known |= {"name": "A", "code": "de", "page": "privacy", "theme": "dark", "number": 1, "batch": "x"}
    for rule in app.url_map.iter_rules():
        if (
            "GET" not in rule.methods
            or rule.endpoint == "static"
            or any(one in rule.rule for one in SAME_PLAN)
        ):
            continue
        values = {
            name: ids_of(name, person) if name not in known else [known[name]] for name in rule.arguments
        }
        for chosen in product(*values.values()):
            yield rule.endpoint, adapter.build(rule.endpoint, dict(zip(values, chosen, strict=True)))


def ids_of(argument, person):
    """Rows that are about her or name her, or else any."""
    if argument not in TABLES_OF:
        return [1]
    rows = db.session.execute(select(db.metadata.tables[TABLES_OF[argument]])).mappings()
    return [row["id"] for row in rows if row.get("contact_id") == person or PATTERN.search(str(dict(row)))][
        :2
    ] or [1]


def named(client, somewhere):
    """Where an answer says anything of her."""
    found = []
    for endpoint, path in somewhere:
        answer = client.get(path)
        if answer.status_code == 200 and PATTERN.search(words(answer)):
            found.append(f"{endpoint} {path}")
        answer.close()
    return found


def words(answer):
    if answer.mimetype == "application/pdf":
        done = subprocess.run(["pdftotext", "-", "-"], input=answer.data, capture_output=True, check=True)
        return done.stdout.decode()
    return answer.get_data().decode("utf-8", "replace")
