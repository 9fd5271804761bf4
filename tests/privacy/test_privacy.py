"""Privacy by machine: erasure leaves nothing, retention keeps its periods, access shows everything (REQ-24, T28, T38)."""

import io
import json
import re
import zipfile
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from conference.accounts.models import Role
from conference.actions.models import Action, ActionStatus
from conference.agenda import operations as agenda
from conference.invitations import operations as invitations
from conference.invitations.models import Invitation
from conference.kit import unit
from conference.kit.db import db
from conference.kit.errors import Refused
from conference.outbox.models import Mail, MailState
from conference.privacy import operations
from conference.privacy.models import Outcome, PrivacyRequest, RequestKind, RetentionRun
from conference.providers.models import Contact
from conference.record import operations as record
from conference.registrations import operations as registrations
from conference.registrations.models import Consent, ConsentKind, Registration, Standing
from conference.upkeep.models import Erasure

from ..builders import (
    NOW,
    a_conference,
    a_contact,
    a_participant,
    an_account,
    an_action,
    an_answer,
    an_invitation,
    some_ideas,
)

NAMES = ("Frieda", "Wunderlich", "wunderlich@traeger.example")
FRIEDA = {"first_name": "Frieda", "last_name": "Wunderlich", "email": "wunderlich@traeger.example"}


@pytest.fixture
def settings():
    """The clock stands at the time of the invitations."""
    return {"CLOCK_START": NOW}


def traces(app, words=NAMES, without=("release",)):
    """Where words still are: every table and column, bytes and JSON included, every file of the instance, the log."""
    pattern = re.compile("|".join(re.escape(word) for word in words), re.IGNORECASE)
    found = []
    with app.app_context(), unit.reading():
        for table in db.metadata.sorted_tables:
            if table.name in without:
                continue
            for row in db.session.execute(select(table)).mappings():
                for column, value in row.items():
                    said = value.decode("utf-8", "replace") if isinstance(value, bytes) else repr(value)
                    if pattern.search(said):
                        found.append(f"{table.name}.{column}: {said[:80]}")
    for path in Path(app.instance_path).rglob("*"):
        # Freed pages of SQLite's file are no longer data; secure_delete is the operator's choice.
        is_database = path.name.startswith("folgetermin.db")
        if (
            path.is_file()
            and not is_database
            and pattern.search(path.read_bytes().decode("utf-8", "replace"))
        ):
            found.append(path.name)
    return found


def everywhere(conference, link, account):
    """Let somebody stand wherever a person can stand."""
    contact = link.contact
    an_action(conference, responsible=contact, at=NOW)
    [idea, *_more] = some_ideas(conference, "Frieda Wunderlich hat einen Kalender vorgeschlagen")
    item = agenda_item(conference)
    agenda.save_note(
        item,
        "Frau Wunderlich berichtet. Wunderlich, Frieda; mehr: wunderlich@traeger.example",
        0,
        account,
        at=NOW,
    )
    invitations.send_again(invitation_of(conference, contact), 0, at=NOW)
    assert idea.id


def agenda_item(conference, uid="talk@folgetermin.example"):
    from conference.agenda.models import AgendaItem, ItemKind

    item = AgendaItem(
        conference_id=conference.id, kind=ItemKind.TALK, title="Kurse", starts_at=conference.starts_at,
        duration=timedelta(minutes=30), person="Frieda Wunderlich", uid=uid, updated_at=NOW,
    )  # fmt: skip
    db.session.add(item)
    db.session.flush()
    return item


def invitation_of(conference, contact):
    from conference.invitations.queries import invitation_for

    return invitation_for(conference, contact.id)


def granted(conference, contact, account, at, kind=RequestKind.ERASURE):
    asked = operations.ask(conference, contact, kind, "Bitte, Frieda Wunderlich", at=at)
    return operations.decide(asked, Outcome.GRANTED, "Frieda Wunderlich bat darum.", account, at=at)


def deliver_everything():
    for mail in db.session.scalars(select(Mail)):
        mail.state, mail.sent_at = MailState.SENT, mail.created_at


def test_whoever_is_erased_after_a_conference_is_nowhere_any_more(app, in_house):
    with in_house():
        account = an_account()
        conference = a_conference(account)
        link = a_participant(conference, **FRIEDA)
        everywhere(conference, link, account)
        other = a_participant(conference)
        ids = conference.id, link.contact_id, account.id, other.contact_id
    assert len(traces(app)) > 8, "the test would prove nothing"
    after = conference.ends_at + timedelta(days=1)
    with in_house():
        granted(
            db.session.merge(conference), db.session.get(Contact, ids[1]), db.session.merge(account), after
        )
    with in_house():
        deliver_everything()
        operations.forget_told()
    assert traces(app) == []
    with app.app_context(), unit.reading():
        assert db.session.get(Contact, ids[3]).last_name.startswith("Muster")
        assert db.session.get(Contact, ids[1]).last_name.startswith("P-")
        assert db.session.scalar(select(func.count(Action.id))) == 1, "actions stay"
        assert db.session.scalar(select(func.count(Erasure.id))) == 2, "by address, and by number"
        assert record.verify(app).broken is None, "erasure keeps the chain whole"
    assert "wunderlich" not in (Path(app.instance_path) / "erasures.jsonl").read_text().lower()


def test_before_a_conference_everything_goes_and_the_seat_goes_to_who_waits(app, in_house):
    with in_house():
        account = an_account()
        conference = a_conference(account, seats=1)
        first, second = (an_invitation(conference, contact=a_contact(**some)) for some in (FRIEDA, {}))
        for guest in (first, second):
            registrations.accept(guest, an_answer(name=guest.contact.name), at=NOW)
        waiting, gone = second.contact_id, first.contact_id
        granted(conference, first.contact, account, NOW)
    with in_house():
        deliver_everything()
        operations.forget_told()
        assert db.session.get(Contact, gone) is None
        [registration] = db.session.scalars(select(Registration))
        assert (registration.contact_id, registration.standing) == (waiting, Standing.CONFIRMED)
        assert db.session.scalar(select(func.count(Invitation.id))) == 1
    assert traces(app) == []


def test_a_decision_is_made_once_and_a_refusal_changes_nothing(house):
    account = an_account()
    conference = a_conference(account)
    link = a_participant(conference, **FRIEDA)
    asked = operations.ask(conference, link.contact, RequestKind.ERASURE, "", at=NOW)
    assert operations.ask(conference, link.contact, RequestKind.ERASURE, "noch einmal", at=NOW).id == asked.id
    operations.decide(asked, Outcome.REFUSED, "Das Protokoll steht noch aus.", account, at=NOW)
    assert link.contact.last_name == "Wunderlich"
    with pytest.raises(Refused):
        operations.decide(asked, Outcome.GRANTED, "Doch.", account, at=NOW)
    mail = db.session.scalars(select(Mail).where(Mail.kind == "privacy-answered")).one()
    assert "Das Protokoll steht noch aus." in mail.text


def test_whose_data_are_restricted_gets_no_mailing_and_is_in_no_export(app, in_house, browser):
    with in_house():
        account = an_account()
        conference = a_conference(account)
        guest = an_invitation(conference, contact=a_contact(**FRIEDA))
        other = an_invitation(conference, contact=a_contact())
        registrations.accept(other, an_answer(name="Otto Other"), at=NOW)
        granted(conference, guest.contact, account, NOW, RequestKind.RESTRICTION)
        invitations.send_invitations(conference, [guest], at=NOW)
        assert guest.sent_at is None
        registrations.accept(guest, an_answer(name="Frieda Wunderlich"), at=NOW)
    browser.sign_in(account)
    table = browser.client.get(f"/conferences/{conference.slug}/registrations.csv").get_data(as_text=True)
    assert "Otto Other" in table and "Wunderlich" not in table


AFTER = {"needs": 3, "guests": 28, "people": 182, "letters": 7, "envelopes": 182}


def test_retention_throws_away_each_class_when_its_time_is_over_and_not_before(app, in_house):
    with in_house():
        conference = a_conference()
        present = an_invitation(conference, contact=a_contact(**FRIEDA))
        registrations.accept(present, an_answer(name="Frieda Wunderlich", diet="vegan"), at=NOW)
        silent = an_invitation(conference, contact=a_contact(first_name="Silke", last_name="Silent"))
        busy = an_invitation(conference, contact=a_contact(first_name="Bodo", last_name="Busy"))
        registrations.accept(busy, an_answer(name="Bodo Busy"), at=NOW)
        an_action(conference, responsible=busy.contact, at=NOW)
        deliver_everything()
        end, ids = conference.ends_at, (present.contact_id, silent.contact_id, busy.contact_id)

    def state(days):
        with in_house():
            operations.run_retention(at=end + timedelta(days=days))
        with app.app_context(), unit.reading():
            people = [db.session.get(Contact, one) for one in ids]
            diet = db.session.scalar(select(Registration.diet).where(Registration.contact_id == ids[0]))
            return diet, [person and person.last_name[:2] for person in people]

    assert state(2.9) == ("vegan", ["Wu", "Si", "Bu"])
    assert state(3.1) == ("", ["Wu", "Si", "Bu"])
    assert state(27.9) == ("", ["Wu", "Si", "Bu"])
    assert state(28.1)[1] in (["Wu", None, "Bu"], ["Wu", "P-", "Bu"])
    assert state(181)[1][0] == "Wu"
    after = state(183)[1]
    assert (after[0], after[2]) == ("P-", "Bu"), "who has an open action stays"
    with in_house():
        action = db.session.scalars(select(Action)).one()
        action.status = ActionStatus.DONE
    assert state(400)[1][2] == "P-"
    assert traces(app, (*NAMES, "Silent", "Busy")) == []
    with in_house():
        before = db.session.scalar(select(func.count(RetentionRun.id)))
        counts = operations.run_retention(at=end + timedelta(days=400)).counts
        assert set(counts.values()) == {0} and before, "twice changes nothing"


def test_a_dry_run_says_the_same_and_changes_nothing(app, in_house):
    with in_house():
        conference = a_conference()
        an_invitation(conference, contact=a_contact(**FRIEDA))
    app.config["CLOCK_START"] = NOW + timedelta(days=1000)
    said = app.test_cli_runner().invoke(args=["retention", "--dry-run"])
    assert said.exit_code == 0 and re.search(r"1  Invited people", said.output)
    assert traces(app)
    done = app.test_cli_runner().invoke(args=["retention"])
    assert done.output.splitlines()[1:] == said.output.splitlines()[1:]
    assert traces(app) == []


def test_the_night_runs_once(app, in_house):
    with app.app_context():
        night = NOW.replace(hour=2)
        assert operations.keep_schedule(at=night)
        assert not operations.keep_schedule(at=night + timedelta(hours=1))
        assert operations.keep_schedule(at=night + timedelta(days=1))


def test_who_agreed_to_further_invitations_is_kept(house):
    conference = a_conference()
    guest = an_invitation(conference, contact=a_contact(**FRIEDA))
    answer = an_answer(name="Frieda Wunderlich", consents=frozenset({ConsentKind.FUTURE}))
    registration = registrations.accept(guest, answer, at=NOW)
    later = conference.ends_at + timedelta(days=300)
    operations.run_retention(at=later)
    assert guest.contact.last_name == "Wunderlich"
    registrations.change_consents(registration, frozenset(), registration.version, at=later)
    operations.run_retention(at=later)
    assert db.session.get(Contact, guest.contact_id).last_name.startswith("P-")


def test_a_consent_is_a_row_with_version_time_and_channel(house):
    conference = a_conference()
    guest = an_invitation(conference)
    answer = an_answer(name="Ada", consents=frozenset({ConsentKind.PHOTO}))
    registration = registrations.accept(guest, answer, at=NOW)
    later = NOW + timedelta(days=1)
    registrations.change_consents(registration, frozenset(), registration.version, at=later)
    registrations.change_consents(
        registration, frozenset({ConsentKind.PHOTO}), registration.version, at=later
    )
    first, second = db.session.scalars(select(Consent).order_by(Consent.id))
    assert (first.given_at, first.withdrawn_at, first.withdrawn_by.value) == (NOW, later, "page")
    assert (
        second.withdrawn_at is None
        and second.text_version == first.text_version
        and len(first.text_version) == 12
    )
    assert registration.notice_version == registrations.notice_version(conference)


def test_the_fresh_link_brings_everything_and_dies_after_15_minutes(app, in_house, browser):
    with in_house():
        account = an_account()
        conference = a_conference(account)
        link = a_participant(conference, **FRIEDA)
        an_action(conference, responsible=link.contact, at=NOW)
    browser.enter(link).open("/my/data")
    browser.submit("/my/data/link")
    from conference.kit import clock, links

    with app.app_context(), unit.reading():
        mail = db.session.scalars(select(Mail).where(Mail.kind == "privacy-access")).one()
        address = links.reveal(mail.button_url)
        assert mail.recipient_address == FRIEDA["email"]
    path = "/" + address.split("/", 3)[3]
    other = app.test_client()
    looked = other.get(path)
    assert looked.status_code == 200 and b"Wunderlich" not in looked.data
    browser.client.get(path)
    brought = browser.client.post(path, data={"csrf_token": browser.csrf_token()})
    assert brought.status_code == 200
    with zipfile.ZipFile(io.BytesIO(brought.data)) as archive:
        told = json.loads(archive.read("data.json"))
        assert archive.read("data.pdf").startswith(b"%PDF")
    assert told["person"]["last_name"] == "Wunderlich" and len(told["actions"]) == 1 and told["retention"]
    assert "nonce" not in json.dumps(told) and "token_hash" not in json.dumps(told)
    with in_house():
        from conference.privacy.queries import access_by_token

        token = path.rsplit("/", 1)[1]
        assert access_by_token(token, clock.now() + timedelta(minutes=14)) is not None
        assert access_by_token(token, clock.now() + timedelta(minutes=16)) is None


def test_the_way_from_the_personal_page_to_the_decision(app, in_house, browser, new_browser):
    with in_house():
        account, stranger = an_account(), an_account()
        conference = a_conference(account)
        link = a_participant(conference, **FRIEDA)
        a_conference(stranger, slug="other")
    browser.enter(link).open("/my/data")
    browser.submit(
        "/my/data/name", {"last_name": "Wunderlich-Sommer", "first_name": "Frieda", "version": "1"}
    )
    assert browser.sees("Ihre Angaben")
    browser.submit("/my/data/name", {"last_name": "Sommer", "version": "1"}, status=409)
    browser.submit("/my/data/requests", {"kind": "nonsense"}, status=422)
    browser.submit("/my/data/requests", {"kind": "erasure", "words": "Bitte löschen"})
    with app.app_context(), unit.reading():
        number = db.session.scalars(select(PrivacyRequest.id)).one()
    new_browser().sign_in(stranger).open(f"/requests/{number}", status=404)
    staff = new_browser().sign_in(account)
    staff.open("/requests")
    assert staff.sees("Wunderlich-Sommer")
    staff.submit(f"/requests/{number}", {"outcome": "granted", "reason": ""}, status=422)
    staff.submit(f"/requests/{number}", {"outcome": "granted", "reason": "Dem Wunsch entsprochen."})
    assert staff.sees("eine Person, deren Daten gelöscht sind") or staff.sees("P-")
    browser.open("/my/data", status=404)


def test_statements_are_edited_and_barriers_reported(app, in_house, browser, new_browser):
    with in_house():
        admin = an_account(Role.ADMIN)
    browser.open("/privacy")
    assert browser.sees("Barriere melden")
    staff = new_browser().sign_in(admin)
    staff.open("/statements/imprint/de")
    staff.submit("/statements/imprint/de", {"text": "Agentur **Herford** <script>x</script>", "version": "0"})
    assert staff.sees("Agentur Herford")
    staff.submit("/statements/imprint/de", {"text": "anders", "version": "0"}, status=409)
    staff.open("/statements/other/de", status=404)
    browser.submit("/accessibility/feedback", {"text": ""}, status=422)
    browser.submit("/accessibility/feedback", {"text": "Der Kontrast ist zu gering.", "page": "/my"})
    staff.open("/feedback")
    assert staff.sees("Der Kontrast ist zu gering.")
    staff.submit("/feedback/1/answer")
    assert staff.sees("beantwortet")
    staff.open("/retention")
    staff.open("/retention/preview")
