"""Seats and the waiting list."""

import threading

import pytest

from conference.conferences.models import Conference
from conference.invitations.models import Reply
from conference.invitations.queries import invitation_for
from conference.kit import unit
from conference.kit.db import db
from conference.kit.errors import Refused, Stale
from conference.outbox.models import Mail
from conference.registrations import operations, queries
from conference.registrations.models import Consent, ConsentKind, Presence, Registration, Standing

from ..builders import NOW, a_conference, a_contact, an_answer, an_invitation


def standings(conference):
    return [r.standing for r in sorted(queries.registrations_of(conference), key=lambda r: r.registered_at)]


def accepted(conference, number, at=NOW):
    """So many people accept, one after the other."""
    invitations = [an_invitation(conference) for _ in range(number)]
    return [operations.accept(invitation, an_answer(), at=at) for invitation in invitations]


def test_a_yes_takes_a_seat_and_sends_one_confirmation_with_a_calendar_entry(house):
    invitation = an_invitation(a_conference(seats=2))
    registration = operations.accept(invitation, an_answer(name="Ada Muster"), at=NOW)
    assert (registration.standing, registration.name, invitation.reply) == (
        Standing.CONFIRMED,
        "Ada Muster",
        Reply.ACCEPTED,
    )
    mails = db.session.query(Mail).filter_by(kind="registered").all()
    assert [(mail.recipient_address, mail.calendar_method) for mail in mails] == [
        (invitation.contact.email, "REQUEST")
    ]


def test_a_yes_sent_twice_counts_once(house):
    conference = a_conference(seats=2)
    invitation = an_invitation(conference)
    first = operations.accept(invitation, an_answer(), at=NOW)
    again = operations.accept(invitation, an_answer(), at=NOW)
    assert first.id == again.id
    assert queries.seat_counts(conference).confirmed == 1
    assert db.session.query(Mail).filter_by(kind="registered").count() == 1


def test_who_comes_after_the_last_seat_waits_in_order(house):
    conference = a_conference(seats=2)
    people = accepted(conference, 5)
    assert [p.standing for p in people] == [Standing.CONFIRMED] * 2 + [Standing.WAITING] * 3
    assert [queries.place_in_line(p) for p in people[2:]] == [1, 2, 3]


def test_a_withdrawal_lets_the_first_of_the_line_move_up_and_tells_them(house):
    conference = a_conference(seats=2)
    people = accepted(conference, 4)
    operations.withdraw(people[0], at=NOW)
    assert [p.standing for p in people] == [
        Standing.WITHDRAWN,
        Standing.CONFIRMED,
        Standing.CONFIRMED,
        Standing.WAITING,
    ]
    assert queries.place_in_line(people[3]) == 1
    subjects = [
        m.subject for m in db.session.query(Mail).filter_by(recipient_address=people[2].contact.email)
    ]
    assert any("jetzt einen Platz" in subject for subject in subjects)


def test_a_withdrawal_takes_the_entry_out_of_the_calendar(house):
    conference = a_conference(seats=2)
    invitation = an_invitation(conference, sent=True)
    registration = operations.accept(invitation, an_answer(), at=NOW)
    operations.withdraw(registration, at=NOW)
    methods = [
        m.calendar_method
        for m in db.session.query(Mail)
        .filter_by(recipient_address=invitation.contact.email)
        .order_by(Mail.id)
    ]
    assert methods[-1] == "CANCEL"
    assert invitation.reply is Reply.DECLINED


def test_a_second_withdrawal_changes_nothing(house):
    conference = a_conference(seats=1)
    people = accepted(conference, 2)
    operations.withdraw(people[0], at=NOW)
    operations.withdraw(people[0], at=NOW)
    assert queries.seat_counts(conference).confirmed == 1


def test_who_returns_goes_to_the_end_of_the_line(house):
    conference = a_conference(seats=1)
    first, second, third = accepted(conference, 3)
    operations.withdraw(first, at=NOW)
    again = operations.accept(invitation_for(conference, first.contact_id), an_answer(), at=NOW)
    assert second.standing is Standing.CONFIRMED
    assert [queries.place_in_line(third), queries.place_in_line(again)] == [1, 2]


def test_nobody_overtakes_the_line_when_a_seat_is_free(house):
    conference = a_conference(seats=1)
    _first, waiting = accepted(conference, 2)
    conference.seats = 2
    newcomer = operations.accept(an_invitation(conference), an_answer(), at=NOW)
    assert (waiting.standing, newcomer.standing) == (Standing.WAITING, Standing.WAITING)
    assert [p.id for p in operations.move_up(conference, at=NOW)] == [waiting.id]


def test_after_the_answer_by_day_nobody_can_accept_but_everybody_withdraw(house):
    conference = a_conference(seats=2)
    registration = accepted(conference, 1)[0]
    late = conference.answers_close_at
    with pytest.raises(Refused):
        operations.accept(an_invitation(conference), an_answer(), at=late)
    operations.withdraw(registration, at=late)
    assert registration.standing is Standing.WITHDRAWN


def test_the_last_second_of_the_answer_by_day_counts(house):
    from datetime import timedelta

    conference = a_conference()
    almost = conference.answers_close_at - timedelta(seconds=1)
    assert operations.accept(an_invitation(conference), an_answer(), at=almost).standing is Standing.CONFIRMED


def test_a_decline_after_a_yes_gives_the_seat_on(house):
    conference = a_conference(seats=1)
    first, second = accepted(conference, 2)
    operations.decline(invitation_for(conference, first.contact_id), "krank", at=NOW)
    assert (first.standing, second.standing) == (Standing.WITHDRAWN, Standing.CONFIRMED)


def test_a_change_keeps_the_seat_and_refuses_a_stale_form(house):
    conference = a_conference()
    registration = accepted(conference, 1)[0]
    operations.change(registration, an_answer(diet="vegan"), registration.version, at=NOW)
    assert (registration.diet, registration.version) == ("vegan", 2)
    with pytest.raises(Stale):
        operations.change(registration, an_answer(diet="halal"), 1, at=NOW)
    assert registration.diet == "vegan"


def test_consents_are_separate_kept_with_their_words_and_withdrawable(house):
    conference = a_conference()
    invitation = an_invitation(conference)
    registration = operations.accept(invitation, an_answer(consents={ConsentKind.PHOTO}), at=NOW)
    operations.change(registration, an_answer(consents={ConsentKind.LIST}), registration.version, at=NOW)
    kept = {c.kind: (c.withdrawn_at is None, bool(c.wording)) for c in db.session.query(Consent)}
    assert kept == {ConsentKind.PHOTO: (False, True), ConsentKind.LIST: (True, True)}


def test_wishes_of_another_conference_are_left_out(house):
    from conference.conferences.operations import add_topic

    here, there = a_conference(), a_conference(slug="other")
    mine, foreign = add_topic(here, "Kurskalender"), add_topic(there, "Anderes")
    registration = operations.accept(
        an_invitation(here), an_answer(wishes=(foreign.id, mine.id, mine.id)), at=NOW
    )
    assert queries.wishes_of_person(registration) == [mine.id]


def test_attendance_is_recorded_and_never_taken_from_the_answer(house):
    conference = a_conference()
    registration = accepted(conference, 1)[0]
    assert queries.attendance_of(conference) == {}
    operations.record_attendance(conference, registration.contact_id, Presence.EXCUSED, at=NOW)
    assert [a.presence for a in queries.attendance_of(conference).values()] == [Presence.EXCUSED]
    assert queries.participants(conference) == []


def test_two_at_the_door_who_record_the_same_leave_one_row_with_the_earliest_arrival(house):
    from datetime import timedelta

    conference = a_conference()
    registration = accepted(conference, 1)[0]
    operations.record_attendance(conference, registration.contact_id, Presence.PRESENT, at=NOW)
    operations.record_attendance(
        conference, registration.contact_id, Presence.PRESENT, at=NOW + timedelta(minutes=5)
    )
    assert [a.arrived_at for a in queries.attendance_of(conference).values()] == [NOW]


def test_a_walk_in_is_present_and_added_once(house):
    conference = a_conference()
    one = operations.add_walk_in(conference, "Ada", "Neu", "Neues Haus", "", at=NOW)
    two = operations.add_walk_in(conference, "Ada", "Neu", "Neues Haus", "", at=NOW)
    assert one.id == two.id
    assert [(a.walk_in, a.presence) for a in queries.attendance_of(conference).values()] == [
        (True, Presence.PRESENT)
    ]
    assert [contact.id for contact in queries.participants(conference)] == [one.id]


def test_somebody_known_who_walks_in_stays_the_same_person(house):
    conference = a_conference()
    known = a_contact(email="ada@haus.example")
    assert (
        operations.add_walk_in(conference, "Ada", "Muster", "Haus", "ADA@haus.example", at=NOW).id == known.id
    )


@pytest.mark.parametrize("replays", [1, 3])
def test_many_at_once_never_sell_a_seat_twice(app, in_house, replays):
    with in_house():
        conference = a_conference(seats=5)
        ids = [an_invitation(conference).id for _ in range(12)]
        conference_id = conference.id
    start, errors = threading.Barrier(12 * replays), []

    def answer(invitation_id):
        from conference.invitations.models import Invitation

        start.wait()
        try:
            with app.app_context(), unit.writing():
                operations.accept(db.session.get(Invitation, invitation_id), an_answer(), at=NOW)
        except Exception as error:  # noqa: BLE001 - collected, so that the test can name it
            errors.append(repr(error))

    threads = [threading.Thread(target=answer, args=(number,)) for number in ids for _ in range(replays)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    with in_house():
        conference = db.session.get(Conference, conference_id)
        counts = queries.seat_counts(conference)
        line = [r.queue_number for r in queries.waiting_line(conference)]
        assert (counts.confirmed, counts.waiting, line) == (5, 7, list(range(1, 8)))
        assert db.session.query(Registration).count() == 12
        assert db.session.query(Mail).filter_by(kind="registered").count() == 12


def with_seats(conference, seats):
    """Change the number of seats as the page of key facts does."""
    from dataclasses import replace

    from conference.conferences.operations import change_conference

    from ..builders import JUNE

    return change_conference(conference, replace(JUNE, seats=seats), conference.version, at=NOW)


def test_more_seats_let_the_line_move_up_at_once_in_order_with_a_letter_each(house):
    conference = a_conference(seats=1)
    people = accepted(conference, 4)
    with_seats(conference, 3)
    assert [p.standing for p in people] == [Standing.CONFIRMED] * 3 + [Standing.WAITING]
    for person, letters in zip(people, (1, 2, 2, 1), strict=True):
        address = person.contact.email
        mails = db.session.query(Mail).filter_by(kind="registered", recipient_address=address)
        assert mails.count() == letters
    assert operations.move_up(conference, at=NOW) == []


def test_there_cannot_be_fewer_seats_than_are_taken(house):
    conference = a_conference(seats=3)
    accepted(conference, 2)
    with pytest.raises(Refused):
        with_seats(conference, 1)


def test_seats_can_go_down_to_those_that_are_taken(house):
    conference = a_conference(seats=3)
    accepted(conference, 2)
    assert with_seats(conference, 2).seats == 2
    assert accepted(conference, 1)[0].standing is Standing.WAITING


def test_nobody_moves_up_once_the_conference_has_begun(house):
    conference = a_conference(seats=1)
    accepted(conference, 2)
    with pytest.raises(Refused):
        operations.move_up(conference, at=conference.starts_at)


def last_entry(person):
    """The newest calendar entry that a person got: METHOD, SEQUENCE, STATUS, PARTSTAT."""
    from icalendar import Calendar

    mails = db.session.query(Mail).filter_by(recipient_address=person.email).order_by(Mail.id)
    newest = [mail for mail in mails if mail.calendar][-1]
    calendar = Calendar.from_ical(newest.calendar)
    event = calendar.walk("VEVENT")[0]
    return (
        str(calendar["METHOD"]),
        int(event["SEQUENCE"]),
        str(event["STATUS"]),
        event["ATTENDEE"].params["PARTSTAT"],
    )


def test_the_calendar_follows_yes_no_and_yes_again(house):
    invitation = an_invitation(a_conference(), sent=True)
    registration = operations.accept(invitation, an_answer(), at=NOW)
    assert last_entry(invitation.contact) == ("REQUEST", 0, "CONFIRMED", "ACCEPTED")
    operations.withdraw(registration, at=NOW)
    assert last_entry(invitation.contact) == ("CANCEL", 1, "CANCELLED", "DECLINED")
    operations.accept_as_known(invitation, at=NOW)
    assert last_entry(invitation.contact) == ("REQUEST", 2, "CONFIRMED", "ACCEPTED")


def test_who_got_an_entry_only_with_the_confirmation_loses_it_with_the_withdrawal(house):
    invitation = an_invitation(a_conference())
    registration = operations.accept_as_known(invitation, at=NOW, by_staff=True)
    operations.withdraw(registration, at=NOW)
    assert last_entry(invitation.contact)[:2] == ("CANCEL", 1)


def test_who_has_no_entry_is_not_told_that_it_is_removed(house):
    conference = a_conference(seats=1)
    accepted(conference, 1)
    waiting = an_invitation(conference)
    operations.withdraw(operations.accept(waiting, an_answer(), at=NOW), at=NOW)
    letter = db.session.query(Mail).filter_by(kind="declined").one()
    assert (letter.calendar_method, "Kalender" in letter.text) == (None, False)


def test_a_no_after_the_answer_by_day_promises_no_way_back_by_link(house):
    conference = a_conference()
    registration = accepted(conference, 1)[0]
    operations.withdraw(registration, at=conference.answers_close_at)
    letter = db.session.query(Mail).filter_by(kind="declined").one()
    assert "schreiben Sie uns bitte" in letter.text and "26.05.2023" not in letter.text
