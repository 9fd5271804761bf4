"""The handbook's retention table line by line: how long, from when, and what is left (REQ-24)."""

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from conference.actions.models import Action, ActionStatus, Report
from conference.conferences.models import Conference
from conference.groups.models import Concern
from conference.inbox.models import InboundMail
from conference.inbox.models import Outcome as InboxOutcome
from conference.invitations.models import PersonalLink
from conference.kit.db import db
from conference.outbox import control
from conference.outbox.models import Enclosure, MailState
from conference.privacy import operations
from conference.privacy.models import Outcome, PrivacyRequest, RequestKind
from conference.providers.models import Contact
from conference.registrations import operations as registrations
from conference.registrations.models import Attendance, Consent, ConsentKind, Registration
from conference.voting.models import Ballot, Vote, Voter, VoteSubject

from ..builders import (
    NOW,
    a_conference,
    a_contact,
    a_mail,
    a_participant,
    a_session,
    an_account,
    an_action,
    an_answer,
    an_invitation,
)

# What the handbook says, class by class, in days. An edit here is an edit of the law as we read it.
HANDBOOK = {
    "needs": 3, "guests": 28, "times": 28, "people": 182, "authors": 182, "ballots": 0, "voters": 182, "actions": 365,
    "consents": 1096, "letters": 7, "envelopes": 182, "links": 0, "uploads": 7, "record": 365, "inbox": 182,
    "requests": 1096, "minutes": 3653, "feedback": 182, "accounts": 365, "closed_accounts": 90,
}  # fmt: skip


def test_the_defaults_are_those_of_the_handbook(house):
    assert {one.name: one.days for one in operations.CLASSES} == HANDBOOK
    from conference.privacy import queries

    assert queries.periods(operations.CLASSES) == HANDBOOK
    operations.set_periods(HANDBOOK | {"letters": 30})
    assert queries.periods(operations.CLASSES)["letters"] == 30 == operations.letters_kept()


def with_needs():
    conference = a_conference()
    guest = an_invitation(conference)
    registration = registrations.accept(guest, an_answer(name="Ada Alt", diet="vegan"), at=NOW)
    return conference.ends_at, lambda: registration.diet == ""


def with_times():
    conference = a_conference()
    link = a_participant(conference)
    there = db.session.scalars(select(Attendance).where(Attendance.contact_id == link.contact_id)).one()
    there.arrived_at = NOW
    return conference.ends_at, lambda: there.arrived_at is None


def with_authors():
    conference = a_conference()
    link = a_participant(conference)
    concern = Concern(conference_id=conference.id, title="Bus", contact_id=link.contact_id, proposed_at=NOW)
    db.session.add(concern)
    return conference.ends_at, lambda: concern.contact_id is None and concern.title == "Bus"


def with_proof():
    conference = a_conference()
    guest = an_invitation(conference)
    consents = frozenset({ConsentKind.PHOTO, ConsentKind.LIST})
    registrations.accept(guest, an_answer(name="Ada Alt", consents=consents), at=NOW)
    db.session.flush()
    # The contact data go long before; the proof keeps the name under which it was given.
    operations.run_retention(at=conference.ends_at + timedelta(days=200))
    proof = db.session.scalars(select(Consent)).one()
    assert (proof.kind, proof.name) == (ConsentKind.PHOTO, "Ada Alt")
    assert db.session.scalars(select(Registration.name)).one().startswith("P-")
    return conference.ends_at, lambda: not db.session.scalars(select(Consent)).all()


def a_closed_vote():
    conference = a_conference()
    link = a_participant(conference)
    vote = Vote(conference_id=conference.id, title="Was zuerst?", subject=VoteSubject.IDEAS, dots=1, per_option=1, created_at=NOW)  # fmt: skip
    vote.closed_at, vote.result = NOW, {"ballots": 1}
    db.session.add(vote)
    db.session.flush()
    paper = Ballot(id="a" * 32, vote_id=vote.id, choices={"1": 1})
    db.session.add_all([paper, Voter(vote_id=vote.id, contact_id=link.contact_id)])
    db.session.flush()
    return vote


def with_ballots():
    vote = a_closed_vote()
    return NOW, lambda: not db.session.scalars(select(Ballot.id)).all() and vote.result == {"ballots": 1}


def with_voters():
    a_closed_vote()
    return NOW, lambda: not db.session.scalars(select(Voter.contact_id)).all()


def with_actions():
    """Somebody who is still needed for a later conference: of the old action only the organisation is left."""
    conference = a_conference()
    contact = a_contact(first_name="Ada", last_name="Alt", organisation="Bildungshaus Alt")
    action = an_action(conference, responsible=contact, supporters="Bea Bald", at=NOW)
    action.status = ActionStatus.DONE
    closed = NOW + timedelta(days=40)
    db.session.execute(update(Report).where(Report.action_id == action.id).values(reported_at=closed))
    later = a_conference(slug="later")
    an_invitation(later, contact=contact)
    far = closed + timedelta(days=900)
    db.session.execute(update(Conference).where(Conference.id == later.id).values(ends_at=far))

    def is_done():
        responsible = db.session.scalars(
            select(Contact).join(Action, Action.responsible_id == Contact.id)
        ).one()
        named = db.session.get(Contact, contact.id)
        return responsible.name.startswith("P-") and responsible.provider_id == contact.provider_id and named.first_name == "Ada"  # fmt: skip

    return closed, is_done


def a_delivered_mail(state=MailState.SENT):
    mail = a_mail()
    mail.state, mail.sent_at = state, mail.created_at
    return mail


def with_letters():
    mail = a_delivered_mail()
    return NOW, lambda: mail.text == "" and mail.recipient_address != ""


def with_envelopes():
    mail = a_delivered_mail(MailState.BOUNCED)
    return NOW, lambda: mail.recipient_address == mail.recipient_name == mail.subject == ""


def with_links():
    conference = a_conference()
    link = a_participant(conference)
    db.session.execute(update(PersonalLink).values(expires_at=NOW))
    assert link.id
    return NOW, lambda: not db.session.scalars(select(PersonalLink.id)).all()


def with_inbox():
    db.session.add(InboundMail(digest="0" * 64, read_at=NOW, outcome=InboxOutcome.WORDS))
    return NOW, lambda: not db.session.scalars(select(InboundMail.id)).all()


def with_requests():
    account = an_account()
    conference = a_conference(account)
    link = a_participant(conference)
    asked = operations.ask(conference, link.contact, RequestKind.OBJECTION, "Bitte.", at=NOW)
    operations.decide(asked, Outcome.REFUSED, "Nein.", account, at=NOW)
    return NOW, lambda: not db.session.scalars(select(PrivacyRequest.id)).all()


def with_feedback():
    account = an_account()
    report = operations.give_feedback("/my", "Kontrast", "ada@traeger.example", at=NOW)
    operations.mark_answered(report, account, at=NOW)
    # Where nobody notes an answer, the report's own day counts.
    other = operations.give_feedback("/my", "Schrift", "bea@traeger.example", at=NOW)
    return NOW, lambda: report.email == other.email == "" and report.text == "Kontrast"


def with_left_over():
    contact = a_contact(first_name="Ada", last_name="Alt")
    contact.created_at = NOW
    return NOW, lambda: db.session.get(Contact, contact.id) is None


def with_nobodys_address():
    conference = a_conference()
    contact = a_contact(first_name="", last_name="Ohneadresse")
    contact.email = contact.email_key = None
    registrations.record_attendance(conference, contact.id, registrations.Presence.PRESENT, at=NOW)
    return conference.ends_at, lambda: contact.last_name.startswith("P-")


LINES = {
    "needs": with_needs, "times": with_times, "authors": with_authors, "consents": with_proof, "ballots": with_ballots,
    "voters": with_voters, "actions": with_actions, "letters": with_letters, "envelopes": with_envelopes,
    "links": with_links, "inbox": with_inbox, "requests": with_requests, "feedback": with_feedback,
    "guests": with_left_over, "people": with_nobodys_address,
}  # fmt: skip


@pytest.mark.parametrize("name", LINES)
def test_each_line_of_the_schedule_at_its_hour_and_not_before(house, name):
    start, is_done = LINES[name]()
    db.session.flush()
    end = start + timedelta(days=HANDBOOK[name])
    hour = timedelta(hours=1)
    assert operations.run_retention(at=end - hour).counts[name] == 0 or name == "links"
    db.session.expire_all()
    assert not is_done()
    counts = operations.run_retention(at=end + hour).counts
    assert counts[name] >= 1 or (name == "authors" and counts["people"] >= 1), "of a person at the same hour"
    db.session.expire_all()
    assert is_done()
    assert operations.run_retention(at=end + hour).counts[name] == 0


def test_who_is_signed_in_no_more_leaves_no_session(app, in_house):
    from conference.accounts.models import StaffSession

    with in_house():
        a_session(app, an_account())
        db.session.execute(update(StaffSession).values(ends_at=NOW))
    with in_house():
        operations.run_retention(at=NOW + timedelta(minutes=1))
        assert not db.session.scalars(select(StaffSession.id)).all()


def test_the_outbox_keeps_words_as_long_as_the_schedule_says(app, in_house):
    with in_house():
        a_delivered_mail()
        operations.set_periods(HANDBOOK | {"letters": 30})
        assert not db.session.scalars(select(Enclosure.id)).all()
    with app.app_context():
        assert control.forget_texts(at=NOW + timedelta(days=29)) == 0
        assert control.forget_texts(at=NOW + timedelta(days=31)) == 1


def test_the_document_for_data_protection_officers_has_the_same_table(app):
    from pathlib import Path

    from flask_babel import force_locale

    text = (Path(__file__).parents[2] / "docs" / "datenschutz.md").read_text()
    with app.test_request_context(), force_locale("de"):
        for one in operations.CLASSES:
            assert f"| {one.label} | {one.start} | {one.days} | {one.action} |" in text.splitlines()
        assert f"| Erstellung | {app.config['BACKUP_DAYS']} |" in text
    commands = {
        line.split("--app wsgi ")[1].split("`")[0].split()[0]
        for line in text.splitlines()
        if "--app wsgi " in line
    }
    assert commands <= set(app.cli.commands) and {"audit", "backup", "retention"} <= commands


def test_logs_are_thrown_away_when_the_schedule_says():
    from pathlib import Path

    deploy = Path(__file__).parents[2] / "deploy"
    assert {"daily", "rotate 7", "maxage 7"} <= {
        line.strip() for line in (deploy / "logrotate" / "folgetermin").read_text().splitlines()
    }
    assert "MaxRetentionSec=90day" in (deploy / "journald" / "folgetermin.conf").read_text()
