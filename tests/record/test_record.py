"""The record: whole, in the same transaction, without gaps or forks, and silent about people (T28)."""

import json
import threading

import pytest
from sqlalchemy import inspect, select, text

from conference import recording
from conference.accounts.models import Role
from conference.conferences.models import Conference
from conference.conferences.operations import add_topic
from conference.conferences.queries import conference_by_slug
from conference.ideas.operations import points_for
from conference.invitations import operations as invitations
from conference.invitations.models import Invitation
from conference.kit import audit, clock, links, unit
from conference.kit.audit import AuditEntry, AuditText
from conference.kit.db import db
from conference.kit.errors import Refused
from conference.people import operations as people
from conference.people.models import AccountLink, LinkUse
from conference.providers.models import Contact
from conference.record import operations, queries

from ..builders import (
    NOW,
    a_conference,
    a_contact,
    a_participant,
    a_passkey,
    an_account,
    conference_form,
    some_ideas,
)


@pytest.fixture
def settings():
    """The clock stands at the time of the invitations, so that personal links are valid."""
    return {"CLOCK_START": NOW}


def entries(**wanted):
    with unit.reading():
        return list(db.session.scalars(select(AuditEntry).filter_by(**wanted).order_by(AuditEntry.number)))


def state(app):
    with unit.reading():
        return operations.verify(app)


def past_the_triggers(statement, table="audit_entry"):
    """Somebody with all rights on the database takes the triggers away first."""
    with db.engine.begin() as connection:
        if connection.dialect.name == "sqlite":
            for verb in ("UPDATE", "DELETE"):
                connection.execute(text(f"DROP TRIGGER IF EXISTS {table}_frozen_{verb}"))
            connection.execute(text(statement))
        else:
            connection.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER ALL"))
            connection.execute(text(statement))
            connection.execute(text(f"ALTER TABLE {table} ENABLE TRIGGER ALL"))


def test_every_table_is_decided_about(app):
    tables = {table.name for table in db.metadata.sorted_tables}
    decided = set(recording.TABLES) | set(recording.NOT_RECORDED)
    assert tables == decided, "Say in conference/recording.py what of the table goes into the record."
    for name, rule in recording.TABLES.items():
        named = rule.texts | rule.secrets | rule.left_out | ({rule.parent[0]} if rule.parent else set())
        known = {column.name for column in db.metadata.tables[name].columns}
        assert named <= known, f"{name} has no {named - known}"


def test_t28_a_change_is_recorded_with_before_and_after_and_who_did_it(app, in_house, browser):
    with in_house():
        account = an_account(Role.ADMIN, name="Nora Beispiel")
        conference = a_conference()
    browser.sign_in(account)
    edit = browser.path("conferences.edit_conference", slug=conference.slug)
    browser.open(edit)
    browser.submit(edit, conference_form(seats="61", venue="Rathaus") | {"version": "1"})
    with app.app_context():
        row = entries(kind="conference", verb="changed")[0]
        assert (row.actor, row.actor_id, row.via) == ("account", account.id, "conferences.edit_conference")
        assert (row.object_id, row.conference_id) == (str(conference.id), conference.id)
        assert json.loads(row.changes)["seats"] == [60, 61]
        with unit.reading():
            [entry] = [
                one for one in queries.history_of("conference", conference.id) if one["number"] == row.number
            ]
            assert "Agentur für Arbeit → Rathaus" in entry["text"] and "60 → 61" in entry["text"]
    browser.open(edit)
    assert browser.sees("Verlauf: 2 Änderungen") and browser.sees("Plätze: 60 → 61")
    browser.open(browser.path("record.show_record", kind="conference"))
    assert browser.sees("60 → 61") and browser.sees("Nora Beispiel")
    browser.open(browser.path("record.check_record"))
    assert browser.sees("Der Verlauf ist vollständig")


def test_t28_the_record_says_to_whose_account_it_happened_and_who_chose_a_password(
    app, in_house, browser, new_browser
):
    with in_house():
        admin, other = an_account(Role.ADMIN), an_account(name="Vera Vorsitz")
        a_passkey(other)
        people.send_link(other, LinkUse.WELCOME, at=clock.now(), title="Folgetermin", by=admin)
        [nonce] = db.session.scalars(select(AccountLink.nonce))
        path = f"/password/{links.token_of(nonce)}"
    stranger = new_browser()
    stranger.open(path)
    stranger.submit(path, {"password": "sieben Kraniche ziehen", "again": "sieben Kraniche ziehen"})
    with in_house():
        people.drop_second_factor(db.session.merge(other), db.session.merge(admin), at=clock.now())
    browser.sign_in(admin).open(f"/accounts/{other.id}")
    assert browser.sees("Passkey: entfernt (Vera Vorsitz)"), "in the history of that account"
    browser.open("/record")
    assert browser.sees("Passkey: entfernt ( Vera Vorsitz )") or browser.sees(
        "Passkey: entfernt (Vera Vorsitz"
    )
    assert f'href="/accounts/{other.id}"' in browser.html
    assert not browser.sees("jemand aus dem Teilnehmerkreis")
    assert "Bis" in browser.text.split("Filtern")[0]


def test_t28_rolled_back_is_not_recorded(app):
    with app.app_context():
        with pytest.raises(Refused), unit.writing():  # noqa: PT012
            an_account()
            raise Refused("planned")
        assert entries() == []
        with unit.writing():
            with pytest.raises(RuntimeError), db.session.begin_nested():  # noqa: PT012
                an_account()
                raise RuntimeError("planned")
            a_contact()
        assert {entry.kind for entry in entries()} == {"provider", "contact"}


def test_t28_the_database_refuses_to_change_the_record(app, in_house):
    with in_house():
        a_conference()
    with app.app_context():
        for statement in (
            "UPDATE audit_entry SET actor = 'account'",
            "DELETE FROM audit_entry",
            "UPDATE audit_text SET after = 'x'",
        ):
            with pytest.raises(Exception, match="frozen"), db.engine.begin() as connection:
                connection.execute(text(statement))


def test_t28_no_table_that_is_frozen_can_be_emptied_at_one_go(app, in_house):
    """TRUNCATE asks no trigger of rows; SQLite, which has no such statement, asks for each row of a whole DELETE."""
    with in_house():
        a_conference()
    with app.app_context():
        before = len(entries())
        is_sqlite = db.engine.dialect.name == "sqlite"
        for table in ["audit_entry"] if is_sqlite else ["audit_entry", "audit_text", "release", "erasure"]:
            statement = f"DELETE FROM {table}" if is_sqlite else f"TRUNCATE {table} CASCADE"
            with pytest.raises(Exception, match="frozen"), db.engine.begin() as connection:
                connection.execute(text(statement))
        assert len(entries()) == before > 0


@pytest.mark.parametrize(
    ("statement", "table", "number"),
    [
        ("UPDATE audit_entry SET actor_id = 99 WHERE number = 3", "audit_entry", 3),
        ("UPDATE audit_entry SET verb = 'deleted' WHERE number = 2", "audit_entry", 2),
        ("DELETE FROM audit_entry WHERE number = 2", "audit_entry", 2),
        ("DELETE FROM audit_entry WHERE number = 1", "audit_entry", 1),
        ("UPDATE audit_text SET after = 'x' WHERE number = 4", "audit_text", 4),
    ],
)
def test_t28_a_row_changed_past_the_triggers_is_named(app, in_house, statement, table, number):
    with in_house():
        a_conference()
    with app.app_context():
        whole = state(app)
        assert whole.broken is None and whole.rows >= 4 and whole.texts
        past_the_triggers(statement, table)
        assert state(app).broken.number == number
        said = app.test_cli_runner().invoke(args=["audit", "verify"])
        assert said.exit_code == 1 and f"Row {number} " in said.output


def test_the_record_comes_as_a_file_with_every_row_and_text(app, in_house, monkeypatch):
    with in_house():
        a_conference()
        a_conference(slug="august-2023")
    monkeypatch.setattr(queries, "PORTION", 3)

    def written(*words):
        said = app.test_cli_runner().invoke(args=["audit", "export", *words])
        return said.exit_code, [json.loads(line) for line in said.output.splitlines() if line.startswith("{")]

    with app.app_context():
        code, rows = written()
        stored = entries()
        assert code == 0
        assert [(row["number"], row["digest"]) for row in rows] == [
            (one.number, one.digest) for one in stored
        ]
        assert sum(len(row["texts"]) for row in rows) == state(app).texts > 0
        ours = conference_by_slug("august-2023").id
        assert [row["number"] for row in written("--conference", "august-2023")[1]] == [
            one.number for one in stored if one.conference_id == ours
        ]
        assert written("--since", "2999-01-01") == (0, [])
        assert written("--conference", "none")[0] == 1


def test_t28_rows_cut_off_at_the_end_are_missed(app, in_house):
    with in_house():
        a_conference()
    with app.app_context():
        last = entries()[-1].number
        assert operations.keep_head(app, at=NOW)
        assert not operations.keep_head(app, at=NOW)
        past_the_triggers(f"DELETE FROM audit_entry WHERE number = {last}")
        past_the_triggers(f"DELETE FROM audit_text WHERE number = {last}", "audit_text")
        assert state(app).broken.number == last
        operations.note_restored(app, last - 1, at=NOW)
        assert state(app).broken is None


def test_t28_whoever_has_not_the_key_can_write_no_row(app, in_house):
    with in_house():
        a_conference()
    with app.app_context():
        row = {column.key: getattr(entries()[-1], column.key) for column in inspect(AuditEntry).column_attrs}
        row |= {"number": row["number"] + 1, "at": NOW}
        row["digest"] = audit._seal("a guessed key", row["digest"], row)
        with unit.writing():
            db.session.add(AuditEntry(**row))
        assert state(app).broken.number == row["number"]
        app.config["SECRET_KEY"], old = "another secret key of 32 characters", app.config["SECRET_KEY"]
        try:
            assert "secret key" in state(app).broken.why
        finally:
            app.config["SECRET_KEY"] = old


def test_t28_many_writers_at_once_leave_no_gap_and_no_fork(app, in_house):
    with in_house():
        slug = a_conference().slug
    gate, troubles = threading.Barrier(8), []

    def write(number):
        try:
            with app.app_context():
                gate.wait()
                for turn in range(5):
                    with unit.writing():
                        conference = db.session.scalar(select(Conference).where(Conference.slug == slug))
                        add_topic(conference, f"Thema {number}-{turn}") if number % 2 else an_account()
        except Exception as error:  # noqa: BLE001 - told below
            troubles.append(error)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(8)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert not troubles
    with app.app_context():
        numbers = [entry.number for entry in entries()]
        assert numbers == list(range(1, len(numbers) + 1))
        assert state(app).broken is None
        assert len(entries(kind="topic")) == 20


def test_t28_many_at_once_are_one_row(app, in_house):
    with in_house():
        conference = a_conference()
        people = [a_contact() for _number in range(30)]
        invitations.invite_all(conference, people, at=NOW)
        guest = conference.id, people[7].id
    with app.app_context():
        [row] = entries(kind="invitation")
        assert json.loads(row.changes)["*"]["count"] == 30 and row.conference_id == guest[0]
        with unit.reading():
            query = select(Invitation.id).where(Invitation.contact_id == guest[1])
            found = queries.history_of(
                "invitation", db.session.scalar(query), contact_id=guest[1], conference_id=guest[0]
            )
            assert len(found) == 2, "the row of many invitations, and that of many contacts"
            assert len(queries.history_of("invitation", 9999)) == 0


def test_t28_secrets_and_names_are_not_in_the_record(app, in_house):
    with in_house():
        conference = a_conference()
        link = a_participant(
            conference, first_name="Frieda", last_name="Wunderlich", email="wunderlich@traeger.example"
        )
        contact = link.contact
        nonce, account = link.nonce, an_account(email="verborgen@agentur.example", name="Vera Borgen")
        account.session_key = "a very secret session key"
    with in_house():
        found = db.session.get(Contact, contact.id)
        found.last_name = "Wunderlich-Sommer"
    with app.app_context():
        with unit.reading():
            rows = [
                " ".join(str(value) for value in row)
                for table in ("audit_entry", "audit_text")
                for row in db.session.execute(text(f"SELECT * FROM {table}"))
            ]
        told = "\n".join(rows)
        for word in (
            "Frieda",
            "Wunderlich",
            "wunderlich@",
            nonce,
            "Vera Borgen",
            "verborgen@",
            "very secret",
        ):
            assert word not in told
        [renamed] = entries(kind="contact", verb="changed")
        assert json.loads(renamed.changes) == {"last_name": {"hidden": "personal"}}
        with unit.reading():
            assert "Folgetermin" in queries.history_of("contact", contact.id)[0]["who"]


def test_t25_who_hands_in_an_idea_is_not_recorded(app, in_house, browser):
    with in_house():
        conference = a_conference()
        link = a_participant(conference)
        some_ideas(conference, "Ein erster Gedanke")
        code = points_for(conference)[0].code
    browser.enter(link).open(f"/ideas/{code}")
    client_id = browser.value_of("client_id")
    browser.submit(f"/ideas/{code}", {"text": "Noch ein Gedanke", "client_id": client_id})
    with app.app_context():
        idea = entries(kind="idea")[-1]
        assert (idea.via, idea.actor, idea.actor_id, idea.contact_id) == (
            "ideas.hand_in_idea",
            "guest",
            None,
            None,
        )


def test_t28_texts_can_be_deleted_and_the_chain_stays_whole(app, in_house):
    with in_house():
        a_conference()
    with app.app_context():
        with unit.writing():
            numbers = set(db.session.scalars(select(AuditText.number)))
            assert audit.forget_texts(db.session.connection(), numbers) > 0
        found = state(app)
        assert found.broken is None and found.texts == 0
        assert app.test_cli_runner().invoke(args=["audit", "verify"]).exit_code == 0
        assert clock.now()
