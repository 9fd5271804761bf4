"""What is stored of a person is told completely (REQ-24): by reflection over every column that refers to somebody."""

import io
import json
import re
import subprocess
import zipfile

import pytest
from flask_babel import force_locale
from sqlalchemy import select

from conference.accounts.models import Role
from conference.accounts.queries import first_account_of
from conference.conferences.queries import conference_by_slug
from conference.invitations.models import Invitation
from conference.kit import unit
from conference.kit.db import db
from conference.outbox.models import Mail
from conference.privacy import dossier
from conference.providers.models import Contact
from conference.record import words
from conference.registrations.models import OfferEnd, Registration, SeatOffer

from .. import world
from ..builders import NOW, a_session
from .test_traces import EMAIL, built, of_people  # noqa: F401 - a fixture


@pytest.fixture
def settings():
    return {"CLOCK_START": NOW}


@pytest.fixture
def told(built):  # noqa: F811
    app, person, _log = built
    with app.app_context(), app.test_request_context(), unit.reading():
        contact = db.session.get(Contact, person)
        yield app, contact, dossier.of_person(contact, NOW)


def test_every_column_that_refers_to_a_person_is_told_or_left_out_with_a_reason(told):
    _app, _contact, content = told
    tables = {column.table for column in of_people()} | {
        db.metadata.tables[one] for one in ("contact", "consent")
    }
    unknown = {table.name for table in tables} - set(dossier.TOLD)
    assert not unknown, f"tell of these tables in privacy/dossier.py: {unknown}"
    by_name = {"imported_row", "seat", "voter", "rule_person"}  # told by what they lead to
    for table in tables:
        part = content[dossier.TOLD[table.name]]
        assert part, f"{table.name} is told of nowhere"
        said = (
            part if isinstance(part, dict) else part[0]["consents"][0] if table.name == "consent" else part[0]
        )
        missing = {
            column.name
            for column in table.columns
            if not dossier.is_left_out(column.name) and column.name not in said
        }
        assert table.name in by_name or not missing, f"{table.name} leaves out {missing}"
    assert all(dossier.LEFT_OUT.values())


def test_everything_of_the_handbook_is_in_it_and_no_secret(told):
    _app, _contact, content = told
    assert content["person"]["email"] == EMAIL and content["person"]["organisation"]
    assert [one["kind"] for one in content["registrations"][0]["consents"]] == ["future", "list", "photo"]
    assert content["notices"][0]["version"] == content["registrations"][0]["notice_version"]
    assert any("Wunderlich" in one["text"] for one in content["ideas"])
    assert content["votes"] == [{"vote": "Womit beginnen wir?", "has_voted": True}]
    assert content["actions"][0]["reports"] and content["mails"] and content["record"] and content["feedback"]
    assert {"note", "decision", "agenda_item"} <= {one["kind"] for one in content["texts"]}
    everything = json.dumps(content)
    for link in db.session.execute(select(db.metadata.tables["personal_link"])).mappings():
        assert link["nonce"] not in everything and link["token_hash"] not in everything
    assert {"Nora Beispiel", "Vera Vorsitz"}.isdisjoint(everything), "nobody else"


def test_every_detail_has_a_name_in_words(told):
    _app, _contact, content = told
    zone = "Europe/Berlin"
    nameless = words.column_of("no such column")
    pairs = [pair for _title, things in dossier.sections(content, zone) for thing in things for pair in thing]
    pairs += dossier.person_in_words(content, zone)
    assert len(pairs) > 60
    assert [pair for pair in pairs if nameless in str(pair)] == []


def test_no_value_is_a_code_or_a_python_repr(told):
    _app, contact, content = told
    registration = db.session.scalars(
        select(Registration).where(Registration.contact_id == contact.id)
    ).first()
    offer = {"conference_id": registration.conference_id, "registration_id": registration.id, "made_at": NOW}
    db.session.add(SeatOffer(**offer, expires_at=NOW, ended_at=NOW, outcome=OfferEnd.EXPIRED))
    kinds = (
        "seat_offer",
        "seat_offer_ended",
        "actions_assigned",
        "changed",
        "privacy-answered",
        "address_changed",
    )
    mail = content["mails"][0]
    content["mails"] += [mail | {"kind": one} for one in kinds]
    content["registrations"] = [dossier._registration(registration)]
    with force_locale("de"):
        found = dossier.sections(content, "Europe/Berlin")
        pairs = [pair for _title, things in found for thing in things for pair in thing]
        pairs += dossier.person_in_words(content, "Europe/Berlin")
    said = [
        part for pair in pairs for part in (pair[0], *(pair[1] if isinstance(pair[1], list) else pair[1:]))
    ]
    assert any("Ausgang" in one or "nicht rechtzeitig" in one for one in said), "the offer is told"
    code = re.compile(
        r"[{}]|\[\'|[a-z]+_[a-z]|weitere Angabe|\b[0-9a-f]{12}\b|^[a-z]+-[a-z]+$|^(invitation|registered|changed)$"
    )
    assert [one for one in said if code.search(one)] == []


def test_staff_get_the_same_as_zip_with_a_readable_pdf(built, tmp_path):  # noqa: F811
    app, person, _log = built
    with app.app_context(), unit.reading():
        june = conference_by_slug(world.COMING)
        number = db.session.scalar(
            select(Invitation.id).where(Invitation.contact_id == person, Invitation.conference_id == june.id)
        )
        session_of = a_session(app, first_account_of(Role.ORGANISER))
    client = app.test_client()
    with client.session_transaction() as session:
        session.update(session_of)
    page = client.get(f"/conferences/{world.COMING}/guests/{number}").get_data(as_text=True)
    token = page.split('name="csrf_token" value="')[1].split('"')[0]
    answer = client.post(f"/conferences/{world.COMING}/guests/{number}/data", data={"csrf_token": token})
    with zipfile.ZipFile(io.BytesIO(answer.data)) as archive:
        content, pdf = json.loads(archive.read("data.json")), archive.read("data.pdf")
    assert content["retention"] and content["recipients"] and content["person"]["email"] == EMAIL
    said = subprocess.run(
        ["pdftotext", "-layout", "-", "-"], input=pdf, capture_output=True, check=True
    ).stdout.decode()
    for expected in (
        EMAIL,
        "Wer sie erhält",
        "Wie lange",
        "hat einen Platz",
        "Womit beginnen wir?",
        "Teilnahmeliste",
    ):
        assert expected in said, expected
    path = tmp_path / "data.pdf"
    path.write_bytes(pdf)
    tags = subprocess.run(["pdfinfo", "-struct", str(path)], capture_output=True, check=True).stdout.decode()
    assert "Table" in tags and "H1" in tags
    with app.app_context(), unit.reading():
        assert db.session.scalar(select(Mail.id).where(Mail.kind == "privacy-access"))
