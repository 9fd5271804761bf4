"""A registration and its letter, with every statement, file and mail command failing once, in turn (F20)."""

from collections import Counter
from datetime import timedelta
from email import message_from_bytes

import pytest
from sqlalchemy.exc import OperationalError

from conference.conferences.models import Conference
from conference.invitations.models import Invitation, Reply
from conference.kit import links
from conference.kit.db import db
from conference.outbox import operations as outbox
from conference.outbox.models import Mail, MailState
from conference.registrations.models import Registration, Standing

from .. import smtp
from ..builders import NOW, a_conference, a_personal_link, an_invitation
from .faulty import FILES, chain_holds, through

SEATS = 15
smtp_server = smtp.smtp_server


@pytest.fixture
def settings(smtp_server):
    return {"MAIL_SERVER": smtp_server.host, "MAIL_PORT": smtp_server.port, "CLOCK_START": NOW}


@pytest.fixture
def door(app, in_house, new_browser, faults):
    """`door()` gives the way of one more through it; from some time on there are no seats any more."""
    with in_house():
        conference_id = a_conference(seats=SEATS).id

    def somebody():
        armed = faults.rest()
        with in_house():
            invitation = an_invitation(db.session.get(Conference, conference_id))
            token = links.token_of(a_personal_link(invitation).nonce)
            address = invitation.contact.email
        browser = new_browser()
        fields = {
            "csrf_token": browser.csrf_token(),
            "reply": "accepted",
            "name": "Ada Muster",
            "diet": "ohne Nüsse",
        }
        faults.left = armed

        def say_yes():
            return browser.client.post(f"/invitation/{token}", data=fields)

        return say_yes, address, invitation.id

    return somebody


def standing_of(in_house, invitation_id, address):
    """The registration of somebody (None: there is none), after looking whether everything fits together."""
    with in_house():
        invitation = db.session.get(Invitation, invitation_id)
        found = db.session.scalars(
            db.select(Registration).where(Registration.contact_id == invitation.contact_id)
        ).all()
        letters = db.session.scalars(
            db.select(Mail).where(Mail.recipient_address == address, Mail.kind == "registered")
        ).all()
        assert len(found) == len(letters) == (1 if invitation.reply is Reply.ACCEPTED else 0), (
            "half a registration"
        )
        standings = Counter(db.session.scalars(db.select(Registration.standing)))
        assert standings[Standing.CONFIRMED] == min(SEATS, standings.total())
        return found[0].standing if found else None


@pytest.mark.parametrize("kind", ["statement", "file"])
def test_f20_register(app, in_house, faults, door, kind):
    def once():
        say_yes, address, invitation_id = door()
        status = say_yes().status_code
        faults.rest()
        assert status in (303, 503, 507)
        found = standing_of(in_house, invitation_id, address)
        assert (found is not None) == (status == 303), "said and done are two things"
        assert say_yes().status_code == 303
        assert standing_of(in_house, invitation_id, address) is not None

    steps = through(faults, kind, once)
    assert steps > (20 if kind == "statement" else 0)
    chain_holds(app)


SAID = [
    ("rcpt", "451 4.3.0 later"),
    ("data", "452 4.3.1 full"),
    ("rcpt", smtp.DISCONNECT),
    ("data", smtp.DISCONNECT),
]


@pytest.mark.parametrize("kind", ["statement", "file", "smtp"])
def test_f20_the_letter_of_a_registration(app, in_house, faults, door, smtp_server, kind):
    """What fails as the worker sends: the letter arrives; twice at most where its arrival could not be noted."""
    at = [NOW]

    def send():
        with app.app_context():
            try:
                outbox.drain(lambda: at[0])
            except (OperationalError, OSError):
                db.session.rollback()
            db.session.remove()

    def once():
        left = faults.rest()
        say_yes, address, _invitation_id = door()
        assert say_yes().status_code == 303
        at[0] += timedelta(hours=1)
        if kind == "smtp" and left <= len(SAID):
            when, answer = SAID[left - 1]
            getattr(smtp_server, f"{when}_answers").append(answer)
            faults.has_struck = True
        faults.left = left
        send()
        faults.rest()
        at[0] += timedelta(hours=5)
        send()
        arrived = [
            str(message_from_bytes(one.content)["Message-ID"])
            for one in smtp_server.messages
            if one.rcpt_tos == [address]
        ]
        assert 1 <= len(arrived) <= 2 and len(set(arrived)) == 1
        with in_house():
            states = set(db.session.scalars(db.select(Mail.state)))
        assert states == {MailState.SENT}

    assert through(faults, kind, once) >= {"statement": 6, "file": FILES, "smtp": 4}[kind]
