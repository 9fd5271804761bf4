"""The sending page: who gets what, one page before it goes, progress and errors after."""

from dataclasses import replace
from datetime import time, timedelta

import pytest

from conference.conferences.operations import change_conference
from conference.conferences.queries import conference_by_slug
from conference.invitations import operations
from conference.invitations.models import Invitation, Reply
from conference.kit.db import db
from conference.outbox.models import Mail, MailState

from ..builders import JUNE, NOW, conference_form
from .conftest import SLUG

INVITATIONS, REMINDERS, UPDATES = (
    f"invitations.send_{what}" for what in ("invitations", "reminders", "updates")
)


def kinds(app):
    with app.app_context():
        return sorted(db.session.scalars(db.select(Mail.kind)))


def test_an_empty_list_leads_to_the_import(staff):
    staff.open("invitations.show_mailing", slug=SLUG)
    assert f"/conferences/{SLUG}/guests/import" in staff.links()


def test_the_page_says_how_many_get_what(staff, guests):
    guests(3)
    guests(2, sent=True)
    guests(email="")
    staff.open("invitations.show_mailing", slug=SLUG)
    for words in (
        "6 Personen auf der Gästeliste",
        "2 eingeladen",
        "Alle 3 Personen einladen",
        "2 Personen erinnern",
    ):
        assert staff.sees(words)
    assert staff.sees("1 Person hat keine E-Mail-Adresse und bekommt kein Schreiben: Ada Muster")


def test_the_page_before_names_the_number_and_the_people_and_sends_nothing(app, staff, guests):
    guests(3)
    staff.open(INVITATIONS, slug=SLUG)
    assert staff.sees("3 Einladungen sind bereit zum Versand") and staff.sees(
        "Empfängerinnen und Empfänger (3)"
    )
    assert kinds(app) == []


def test_after_yes_everybody_is_invited_once(app, staff, guests):
    people = guests(3)
    ids = ",".join(str(person.id) for person in people)
    staff.submit(INVITATIONS, {"guests": ids, "confirmed": "1"}, slug=SLUG)
    assert staff.sees("3 Schreiben liegen im Postausgang") and staff.sees("0 von 3 versendet")
    staff.submit(INVITATIONS, {"guests": ids, "confirmed": "1"}, slug=SLUG)
    assert staff.sees("nichts wurde doppelt versendet")
    assert kinds(app) == ["invitation"] * 3


def test_some_can_be_chosen(app, staff, guests):
    first, second, _left = guests(3)
    answer = staff.submit(INVITATIONS, {"guests": [str(first.id), str(second.id)]}, status=200, slug=SLUG)
    assert staff.sees("2 Einladungen sind bereit zum Versand")
    assert kinds(app) == []
    assert set(staff.value_of("guests").split(",")) == {str(first.id), str(second.id)}
    staff.submit(INVITATIONS, {"guests": staff.value_of("guests"), "confirmed": "1"}, slug=SLUG)
    assert kinds(app) == ["invitation"] * 2
    assert answer.status_code == 200


@pytest.mark.parametrize(
    "sent", [{}, {"guests": ""}, {"guests": "x,;-1"}, {"guests": "999", "confirmed": "1"}]
)
def test_a_choice_of_nobody_is_an_error(app, staff, guests, sent):
    guests(2)
    staff.submit(INVITATIONS, sent, status=422, slug=SLUG)
    assert staff.sees("Bitte wählen Sie mindestens eine Person")
    assert kinds(app) == []


def test_reminders_are_sent_after_yes_and_not_twice(app, staff, in_house, guests):
    _silent, answered = guests(2, sent=True)
    with in_house():
        operations.note_reply(db.session.merge(answered), Reply.ACCEPTED, at=NOW)
    staff.open(REMINDERS, slug=SLUG)
    assert staff.sees("1 Erinnerung ist bereit zum Versand")
    staff.submit(REMINDERS, slug=SLUG)
    assert staff.sees("1 Schreiben liegt im Postausgang")
    staff.submit(REMINDERS, slug=SLUG)
    assert staff.sees("nichts wurde doppelt versendet")
    assert kinds(app) == ["invitation", "invitation", "reminder"]
    staff.open("invitations.show_mailing", slug=SLUG)
    assert staff.sees("Alle ohne Antwort wurden in den letzten 24 Stunden erinnert")


def test_a_moved_conference_offers_to_tell_it(app, staff, in_house, guests):
    guests(2, sent=True)
    staff.open("invitations.show_mailing", slug=SLUG)
    assert not staff.sees("Änderung von Zeit oder Ort mitteilen")
    with in_house():
        change_conference(conference_by_slug(SLUG), replace(JUNE, begin=time(10, 0)), None, at=NOW)
    staff.open("invitations.show_mailing", slug=SLUG)
    assert staff.sees("2 Personen haben einen alten Eintrag im Kalender")
    staff.open(UPDATES, slug=SLUG)
    assert staff.sees("2 Schreiben zur Änderung sind bereit zum Versand")
    for _press in range(2):
        staff.submit(UPDATES, slug=SLUG)
    assert kinds(app) == ["invitation", "invitation", "update", "update"]


@pytest.mark.parametrize(
    ("change", "asks"),
    [({"venue": "Kreishaus"}, True), ({"day": "2023-06-07"}, True), ({"title": "Neu"}, False)],
)
def test_after_a_move_the_organiser_is_asked_whether_guests_are_told(app, staff, guests, change, asks):
    guests(sent=True)
    letters = len(kinds(app))
    staff.submit("conferences.edit_conference", conference_form(version="1", **change), slug=SLUG)
    assert staff.sees("1 Schreiben zur Änderung") == asks
    assert staff.sees("Die Eckdaten wurden gespeichert")
    assert len(kinds(app)) == letters


def test_a_move_before_anybody_was_invited_asks_nothing(staff, guests):
    guests()
    staff.submit("conferences.edit_conference", conference_form(version="1", venue="Kreishaus"), slug=SLUG)
    assert staff.sees("Die Eckdaten wurden gespeichert") and not staff.sees("Schreiben zur Änderung")


def test_after_the_last_day_to_answer_nothing_is_offered_or_sent(app, staff, guests):
    guests(2, sent=True)
    [late] = guests()
    app.config["CLOCK_START"] = NOW + timedelta(days=30)
    staff.open("invitations.show_mailing", slug=SLUG)
    assert staff.sees("Die Antwortfrist ist am 26.05.2023 abgelaufen")
    assert not [
        link for link in staff.links() if link.endswith(("/mailing/invitations", "/mailing/reminders"))
    ]
    staff.submit(INVITATIONS, {"guests": str(late.id), "confirmed": "1"}, status=409, slug=SLUG)
    staff.submit(REMINDERS, status=409, slug=SLUG)
    assert kinds(app) == ["invitation", "invitation"]


def test_letters_that_did_not_arrive_are_named_with_their_reason(staff, in_house, guests):
    guests(1, sent=True, email="wrong@traeger.example")
    guests(1, sent=True)
    with in_house():
        mail = db.session.query(Mail).filter_by(recipient_address="wrong@traeger.example").one()
        mail.state, mail.error = MailState.FAILED, "550 5.1.1 User unknown"
    staff.open("invitations.show_mailing", slug=SLUG)
    assert staff.sees("wrong@traeger.example") and staff.sees("550 5.1.1 User unknown")
    assert f"/conferences/{SLUG}/outbox/{mail.id}" in staff.links()


def test_without_a_mail_server_the_page_says_so(staff, guests):
    guests()
    staff.open("invitations.show_mailing", slug=SLUG)
    assert staff.sees("Es ist kein Mailserver eingerichtet")


def test_a_tester_who_changes_an_id_reaches_nobody_else(app, staff, in_house, organiser, guests):
    from ..builders import a_conference, a_series, an_invitation

    with in_house():
        stranger = an_invitation(a_conference(series=a_series(organiser), slug="other"))
    [guest] = guests()
    staff.submit(INVITATIONS, {"guests": f"{guest.id},{stranger.id}", "confirmed": "1"}, slug=SLUG)
    with app.app_context():
        assert [row.sent_at is not None for row in db.session.query(Invitation).order_by(Invitation.id)] == [
            False,
            True,
        ]
