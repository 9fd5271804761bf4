"""F06, F07: a web process is killed (SIGKILL) between the commit and the answer, or between what is done and its letter."""

import http.client
import secrets
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from conference.ideas import operations as ideas
from conference.invitations.models import Reply
from conference.kit import links
from conference.kit.db import db
from conference.minutes import operations as minutes
from conference.minutes.models import Release
from conference.outbox import operations as outbox
from conference.outbox.models import Mail, MailState
from conference.registrations import operations
from conference.registrations.models import Attendance, Presence, Registration, SeatOffer, Standing
from conference.registrations.seats import Rules, set_rules
from conference.voting import operations as voting
from conference.voting.models import Ballot, Voter, VoteSubject

from .. import smtp
from ..browser import Browser
from ..builders import NOW, a_conference, a_personal_link, an_answer, an_invitation
from ..servers import Guest, serving
from .test_once import visitor

smtp_server = smtp.smtp_server
SOON = (datetime.now(UTC) + timedelta(days=60)).date()


@pytest.fixture
def settings(smtp_server):
    return {"MAIL_SERVER": smtp_server.host, "MAIL_PORT": smtp_server.port}


@pytest.fixture
def port(app):
    with serving(app, "tests.killed:app") as number:
        yield number


@pytest.fixture
def june(in_house, organiser):
    with in_house():
        return a_conference(organiser, seats=1, day=SOON, answer_by=SOON - timedelta(days=10))


@pytest.fixture
def killed(app):
    """Send a form while the process that takes it is killed; there is no answer."""

    def send(who, path, fields, when):
        bomb = Path(app.instance_path, when)
        bomb.touch()
        with pytest.raises((ConnectionError, http.client.HTTPException)):
            who.call("POST", path, fields)
        assert not bomb.exists()

    return send


def again(who, path, fields):
    """The same form once more; the server may still be starting a process in place of the killed one."""
    for _attempt in range(50):
        try:
            return who.call("POST", path, fields)
        except (ConnectionError, http.client.HTTPException):
            time.sleep(0.1)
    raise AssertionError("nobody answers")


def guest_of(in_house, port, june):
    """Somebody who is invited, in front of the page; gives them and their invitation."""
    with in_house():
        invitation = an_invitation(db.session.merge(june), sent=True)
        token = links.token_of(a_personal_link(invitation).nonce)
    return Guest(port, token).look(), invitation


YES = {"reply": "accepted", "name": "Ada Muster"}


def test_f06_killed_after_the_commit_everything_is_there_and_sent_again_is_answered_as_once(
    app, in_house, port, organiser, june, killed, smtp_server
):
    """Register, take an offer, check somebody in, vote, release minutes: each answer is lost on its way."""
    guest, invitation = guest_of(in_house, port, june)
    killed(guest, guest.link, YES, "kill-after-commit")
    assert again(guest, guest.link, YES) == (303, "/my")
    # The seat goes back and to the next one, who takes the offer.
    other, second = guest_of(in_house, port, june)
    with in_house():
        conference, at = db.session.merge(june), datetime.now(UTC)
        set_rules(conference, Rules(None, 48), 0, at=at)
        operations.accept(second, an_answer(), at=at)
        operations.withdraw(
            db.session.query(Registration).filter_by(contact_id=invitation.contact_id).one(), at=at
        )
        offer = db.session.query(SeatOffer).one().id
    other.enter()
    take = {"offer": str(offer), "reply": "accepted"}
    killed(other, "/my/offer", take, "kill-after-commit")
    assert again(other, "/my/offer", take) == (303, "/my")
    staff = visitor(app, port, Browser(app).sign_in(organiser))
    here = "/conferences/june-2023"
    walk_in = {"last_name": "Neu", "organisation": "Haus", "once_key": secrets.token_urlsafe(18)}
    killed(staff, f"{here}/attendance/walk-ins", walk_in, "kill-after-commit")
    assert again(staff, f"{here}/attendance/walk-ins", walk_in) == (303, f"{here}/attendance")
    with in_house():
        conference = db.session.merge(june)
        operations.record_attendance(conference, second.contact_id, Presence.PRESENT, at=NOW)
        ideas.make_cluster(conference, "Papier")
        vote = voting.create_vote(conference, "Was?", VoteSubject.CLUSTERS, 2, 2, at=NOW)
        voting.open_vote(vote, at=NOW)
        frame = {"chair": "Vera Vorsitz", "moderator": "", "minute_taker": "Nora", "summary": ""}
        minutes.save_frame(conference, **frame, version=None, at=NOW)
        from conference.voting.queries import options_of

        paper = {f"option-{options_of(vote)[0].id}": "2"}
    killed(other, f"/my/votes/{vote.id}", paper, "kill-after-commit")
    assert again(other, f"/my/votes/{vote.id}", paper)[0] == 409  # a second ballot, and it is said so
    release = {"once_key": secrets.token_urlsafe(18)}
    killed(staff, f"{here}/minutes/release", release, "kill-after-commit")
    assert again(staff, f"{here}/minutes/release", release) == (303, f"{here}/minutes")
    with in_house():
        assert (db.session.query(Ballot).count(), db.session.query(Voter).count()) == (1, 1)
        assert db.session.query(Release).count() == 1
        assert [one.contact.last_name for one in db.session.query(Attendance).filter_by(walk_in=True)] == [
            "Neu"
        ]
        registration = db.session.query(Registration).filter_by(contact_id=second.contact_id).one()
        assert registration.standing is Standing.CONFIRMED
        kinds = [
            mail.kind for mail in db.session.query(Mail).filter_by(recipient_address=second.contact.email)
        ]
        assert (kinds.count("registered"), kinds.count("seat_offer")) == (2, 1)
    with app.app_context():
        waiting = db.session.query(Mail).filter_by(state=MailState.QUEUED).count()
        db.session.rollback()
        # Those of a mailing wait a minute, in which it can be stopped.
        outbox.drain(lambda: datetime.now(UTC) + timedelta(minutes=5))
    assert len(smtp_server.messages) == waiting > 0


def test_f07_killed_between_the_seat_and_its_letter_neither_exists(in_house, port, june, killed):
    guest, invitation = guest_of(in_house, port, june)
    with in_house():
        letters = db.session.query(Mail).count()
    killed(guest, guest.link, YES, "kill-before-letter")
    with in_house():
        assert (db.session.query(Registration).count(), db.session.query(Mail).count()) == (0, letters)
        assert db.session.merge(invitation).reply is Reply.OPEN
    assert again(guest, guest.link, YES) == (303, "/my")
    with in_house():
        assert db.session.query(Registration).one().standing is Standing.CONFIRMED
        assert db.session.query(Mail).filter_by(kind="registered").count() == 1
