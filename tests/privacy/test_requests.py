"""Asking for something about one's data: nothing is chosen beforehand, and what is open can be taken back."""

import pytest

from conference.kit import unit
from conference.kit.db import db
from conference.outbox.models import Mail, MailState
from conference.privacy import operations
from conference.privacy.models import Outcome, PrivacyRequest, RequestKind

from ..builders import NOW, a_conference, a_participant, an_account


@pytest.fixture
def settings():
    """The clock stands at the time of the invitations."""
    return {"CLOCK_START": NOW}


def test_nothing_is_asked_for_that_nobody_chose(in_house, app, browser):
    with in_house():
        link = a_participant(a_conference(an_account()))
    browser.enter(link).open("/my/data")
    assert browser.value_of("kind") is None
    browser.submit("/my/data/requests", {"words": "Wozu brauchen Sie das?"}, status=422)
    assert browser.sees("Bitte wählen Sie etwas aus.") and browser.sees("Wozu brauchen Sie das?")
    browser.submit("/my/data/requests", {"kind": "objection", "words": "Wozu brauchen Sie das?"})
    assert browser.sees("Notiert: Widerspruch (Artikel 21).")


def test_an_open_request_is_taken_back_by_the_person_alone(in_house, app, browser, new_browser):
    with in_house():
        account = an_account()
        conference = a_conference(account)
        link, other = a_participant(conference), a_participant(conference)
    browser.enter(link).open("/my/data")
    browser.submit("/my/data/requests", {"kind": "erasure"})
    with app.app_context(), unit.reading():
        number = db.session.query(PrivacyRequest.id).scalar()
    path = f"/my/data/requests/{number}/withdrawal"
    stranger = new_browser().enter(other)
    stranger.open("/my/data")
    stranger.submit(path, status=404)
    staff = new_browser().sign_in(account)
    staff.open(f"/requests/{number}")
    assert "<details" in staff.html.split("Jetzt endgültig löschen")[0], "erasing asks first"
    staff.submit(f"/requests/{number}", {"outcome": "withdrawn", "reason": "x"}, status=422)
    browser.submit(path)
    assert browser.sees("Zurückgezogen: Löschung (Artikel 17).") and browser.sees("zurückgezogen")
    staff.submit(f"/requests/{number}", {"outcome": "granted", "reason": "Bitte"}, status=409)
    with app.app_context(), unit.reading():
        kept = db.session.get(PrivacyRequest, number)
        assert (kept.kind, kept.outcome) == (RequestKind.ERASURE, Outcome.WITHDRAWN)
        assert kept.contact.email, "nobody was erased"


def test_req24_a_granted_erasure_tells_the_reason_and_keeps_it_without_the_name(in_house):
    with in_house():
        account = an_account()
        conference = a_conference(account)
        for name in ("Anna", "Eva"):
            contact = a_participant(conference, first_name=name, last_name="Koch").contact
            asked = operations.ask(conference, contact, RequestKind.ERASURE, "", at=NOW)
            reason = f"Frau Koch ({contact.email}) nimmt nicht teil; {name} bat darum, {name} Koch auch."
            operations.decide(asked, Outcome.GRANTED, reason, account, at=NOW)
            told = db.session.query(Mail).filter(Mail.purpose == f"privacy-decided:{asked.id}").one()
            assert reason in told.text and told.recipient_address
            kept = db.session.get(PrivacyRequest, asked.id).reason
            assert kept.startswith("P-") and kept.endswith(" auch.") and "nimmt nicht teil; P-" in kept
            assert not {"Koch", name, "@"} & set(kept.replace("@", " @ ").replace(",", " ").split())
    with in_house():
        for mail in db.session.query(Mail):
            mail.state = MailState.SENT
        operations.forget_told()
        assert not db.session.query(Mail).filter(Mail.text.contains("Koch")).count()


def test_staff_see_the_day_and_the_right_reasons_and_a_refusal_opens_with_the_salutation(
    in_house, app, new_browser
):
    with in_house():
        account = an_account()
        conference = a_conference(account)
        contact = a_participant(conference).contact
        asked = operations.ask(conference, contact, RequestKind.OBJECTION, "", at=NOW)
        other = operations.ask(conference, contact, RequestKind.ERASURE, "", at=NOW.replace(month=1, day=31))
        assert (other.due_on.month, other.due_on.day) == (2, 28), "there is no 31 February"
        number, due, greeting = asked.id, asked.due_on, contact.greeting("de")
    staff = new_browser().sign_in(account)
    staff.open("/requests")
    assert staff.sees(f"{due:%d.%m.%Y}")
    staff.open(f"/requests/{number}")
    assert staff.sees("zwingende") and not staff.sees("Die Unterlagen werden noch")
    staff.submit(f"/requests/{number}", {"outcome": "refused", "reason": "Das brauchen wir noch."})
    with app.app_context(), unit.reading():
        assert (
            db.session.query(Mail.text).filter(Mail.kind == "privacy-answered").scalar().startswith(greeting)
        )
    with in_house():
        db.session.query(Mail).update({"recipient_name": "", "recipient_address": "", "subject": ""})
    staff.open(f"/conferences/{conference.slug}/outbox")
    assert staff.sees("gelöscht")
