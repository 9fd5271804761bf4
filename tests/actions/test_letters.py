"""Letters with the personal link, and reminders: each exactly once."""

import threading
from datetime import UTC, date, datetime, timedelta

import pytest
from flask import current_app

from conference.actions import letters, operations, send_due_reminders
from conference.actions.models import ActionReminder, ActionStatus
from conference.kit import unit
from conference.kit.db import db
from conference.outbox.control import stop_mailing
from conference.outbox.models import Mail, MailState

from ..builders import a_conference, a_contact, an_account, an_action

DUE = date(2023, 7, 14)
NOON = datetime(2023, 7, 14, 10, 0, tzinfo=UTC)


def on(days, hours=0):
    """Noon so many days after the due date."""
    return NOON + timedelta(days=days, hours=hours)


def mails():
    return db.session.query(Mail).order_by(Mail.id).all()


def kinds():
    return [
        (entry.action_id, entry.kind)
        for entry in db.session.query(ActionReminder).order_by(ActionReminder.id)
    ]


def finish(action, status=ActionStatus.DONE):
    operations.report(action, status, action.due_on, "fertig", "Ada", action.version, at=NOON)


def test_the_letters_of_an_action_are_a_week_before_on_the_day_and_weekly_while_overdue(house):
    an_action(a_conference())
    sent = [day for day in range(-10, 20) if letters.remind(now=on(day))]
    assert sent == [-7, 0, 1, 8, 15]


def test_the_job_run_twice_sends_once(house):
    an_action(a_conference())
    assert [letters.remind(now=on(0, hours)) for hours in (0, 0, 1, 5)] == [1, 0, 0, 0]
    assert len(mails()) == 1


def test_after_missed_days_what_is_due_comes_once(house):
    action = an_action(a_conference())
    assert [letters.remind(now=on(day)) for day in (-5, -4, 3, 4)] == [1, 0, 1, 0]
    assert kinds() == [(action.id, "week"), (action.id, "overdue-0")]


def test_one_letter_a_day_holds_all_actions_of_a_person(house):
    account = an_account()
    june, other = a_conference(account), a_conference(account, slug="other", title="Werkstatt Juli")
    ada, ben = a_contact(), a_contact()
    for conference, person, title in (
        (june, ada, "Eins"),
        (june, ada, "Zwei"),
        (other, ada, "Drei"),
        (june, ben, "Vier"),
    ):
        an_action(conference, title, responsible=person)
    assert letters.remind(now=on(0)) == 2
    text = next(mail.text for mail in mails() if mail.recipient_address == ada.email)
    assert [title in text for title in ("Eins", "Zwei", "Drei", "Vier", "Werkstatt Juli: https://")] == [
        True
    ] * 3 + [False, True]


def test_what_becomes_due_after_the_letter_of_the_day_is_not_lost(house):
    conference, ada = a_conference(), a_contact()
    an_action(conference, "Eins", responsible=ada)
    assert letters.remind(now=on(0)) == 1
    second = an_action(conference, "Zwei", responsible=ada)
    assert letters.remind(now=on(0, 2)) == 0
    assert letters.remind(now=on(1)) == 1
    assert (second.id, "overdue-0") in kinds()


def test_a_moved_date_begins_anew(house):
    action = an_action(a_conference())
    letters.remind(now=on(0))
    operations.report(action, ActionStatus.POSTPONED, DUE + timedelta(days=10), "Urlaub", "Ada", 1, at=on(0))
    assert [day for day in range(1, 13) if letters.remind(now=on(day))] == [3, 10, 11]


@pytest.mark.parametrize("status", [ActionStatus.DONE, ActionStatus.DROPPED])
def test_what_is_finished_is_not_reminded_of(house, status):
    finish(an_action(a_conference()), status)
    assert letters.remind(now=on(3)) == 0


def test_a_person_without_address_is_left_out(house):
    an_action(a_conference(), responsible=a_contact(email=""))
    assert letters.remind(now=on(0)) == 0


def test_the_day_is_that_of_the_conference(house):
    an_action(a_conference())
    before_midnight_in_berlin = datetime(2023, 7, 6, 21, 59, tzinfo=UTC)
    assert letters.remind(now=before_midnight_in_berlin) == 0
    assert letters.remind(now=before_midnight_in_berlin + timedelta(minutes=1)) == 1


def test_the_job_in_parallel_sends_once(app, in_house, monkeypatch):
    monkeypatch.setattr("conference.kit.clock.now", lambda: NOON)
    with in_house():
        conference = a_conference()
        for _number in range(3):
            an_action(conference)
    start = threading.Barrier(4)
    failures = []

    def job():
        with app.app_context():
            start.wait()
            try:
                send_due_reminders()
            except Exception as error:  # noqa: BLE001 - whatever it is, the test must name it
                failures.append(error)

    threads = [threading.Thread(target=job) for _number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with in_house():
        assert (failures, len(mails()), len(kinds())) == ([], 3, 3)


def test_f25_an_action_that_cannot_be_read_keeps_nobody_from_being_reminded(app, in_house, monkeypatch):
    monkeypatch.setattr("conference.kit.clock.now", lambda: NOON)
    with in_house():
        conference = a_conference()
        bad, good = (an_action(conference, responsible=a_contact()) for _number in range(2))
    with in_house():
        db.session.execute(db.text("UPDATE action SET due_on = 'infinity' WHERE id = :id"), {"id": bad.id})
    with app.app_context():
        assert [send_due_reminders(), send_due_reminders()] == [1, 0]
    with in_house():
        assert kinds() == [(good.id, "day")]


def test_without_anything_due_the_job_takes_no_write_lock(app, in_house, monkeypatch):
    monkeypatch.setattr("conference.kit.clock.now", lambda: NOON)
    with in_house():
        an_action(a_conference(), due_on=date(2023, 12, 1))

    def refuse(*_args, **_kwargs):
        raise AssertionError("the write lock was taken")

    monkeypatch.setattr(unit, "writing", refuse)
    with app.app_context():
        assert send_due_reminders() == 0


def test_the_first_letter_goes_out_once_and_names_only_what_is_new(house):
    conference, ada = a_conference(), a_contact()
    first = an_action(conference, "Eins", responsible=ada)
    assert [letters.notify_responsible(conference, at=NOON) for _time in range(2)] == [1, 0]
    an_action(conference, "Zwei", responsible=ada)
    finish(first)
    assert [letters.notify_responsible(conference, at=on(1)) for _time in range(2)] == [1, 0]
    assert [("Eins" in mail.text, "Zwei" in mail.text) for mail in mails()] == [(True, False), (False, True)]


def test_the_first_letters_wait_and_can_be_stopped_until_they_leave(house):
    current_app.config["MAIL_HOLD_SECONDS"] = 60
    conference = a_conference()
    an_action(conference)
    letters.notify_responsible(conference, at=NOON)
    [mail] = mails()
    assert mail.due_at == NOON + timedelta(seconds=60)
    assert stop_mailing(conference.slug, str(mail.batch), at=NOON) == 1
    assert mail.state is MailState.CANCELLED


def test_who_takes_over_an_action_is_written_to(house):
    conference, ben = a_conference(), a_contact()
    action = an_action(conference)
    letters.notify_responsible(conference, at=NOON)
    fields = operations.ActionFields(action.title, "", ben.id, "", action.due_on)
    operations.change_action(conference, action, fields, 1, at=NOON)
    assert letters.notify_responsible(conference, at=NOON) == 1
    assert mails()[-1].recipient_address == ben.email


def test_the_first_letter_does_not_count_as_the_reminder_of_the_day(house):
    conference = a_conference()
    an_action(conference)
    letters.notify_responsible(conference, at=on(0))
    assert letters.remind(now=on(0)) == 1


def test_the_letter_holds_no_token_only_its_mark(house):
    conference = a_conference()
    an_action(conference)
    letters.notify_responsible(conference, at=NOON)
    mail = mails()[0]
    assert "/action/~link-" in mail.button_url
    assert "<" not in mail.text and "&amp;" not in mail.text
