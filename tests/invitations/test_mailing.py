"""Inviting and reminding: everybody once, nobody twice."""

import threading
from datetime import timedelta

import pytest

from conference.core.calendar_reading import read
from conference.invitations import operations, queries
from conference.invitations.models import Invitation, LinkPurpose, PersonalLink, Reply
from conference.kit import links
from conference.kit.db import db
from conference.kit.errors import Refused
from conference.outbox.models import Mail
from conference.outbox.queries import progress

from ..builders import NOW, a_conference, a_contact, an_account, an_invitation
from .conftest import HOUR, SLUG

DAY = timedelta(days=1)


@pytest.fixture
def june(house):
    return a_conference(an_account())


def mails(kind=None):
    query = db.select(Mail).order_by(Mail.id)
    return list(db.session.scalars(query if kind is None else query.where(Mail.kind == kind)))


def test_the_guest_list_holds_a_person_once(june):
    contact = a_contact()
    first = operations.invite(june, contact, at=NOW)
    assert operations.invite(june, contact, at=NOW + DAY) is first
    assert queries.guest_list(june) == [first]


def test_the_guest_list_is_in_german_order(june):
    for name in ("Zander", "von der Heide", "Öztürk", "Oster", "Ähnlich"):
        an_invitation(june, last_name=name)
    assert [guest.contact.last_name for guest in queries.guest_list(june)] == [
        "Ähnlich", "von der Heide", "Öztürk", "Oster", "Zander",
    ]  # fmt: skip


def test_an_invitation_is_one_letter_with_link_entry_and_the_organiser_to_answer(june):
    guest = an_invitation(
        june, first_name="Ada", last_name="Müller", email="ada@traeger.example", organisation="Haus"
    )
    batch = operations.send_invitations(june, [guest], at=NOW)
    [mail] = mails()
    [link] = db.session.scalars(db.select(PersonalLink))
    assert (mail.kind, mail.purpose, mail.about, mail.batch, mail.language) == (
        "invitation", f"invitation:{guest.id}:1", SLUG, batch, "de",
    )  # fmt: skip
    assert (mail.recipient_name, mail.recipient_address) == ("Ada Müller", "ada@traeger.example")
    assert (mail.reply_to_name, mail.reply_to_address) == ("Nora Beispiel", "konferenz@agentur.example")
    assert mail.subject == "Einladung: Bildungsträgerkonferenz Juni 2023, Dienstag, 06.06.2023"
    assert (mail.button_label, mail.button_url) == ("Einladung beantworten", operations.link_url(link))
    assert operations.link_url(link) in mail.text
    assert (mail.calendar_method, read(mail.calendar).attendee) == ("REQUEST", "ada@traeger.example")
    assert (guest.sent_at, guest.wave, guest.first_message_id) == (NOW, 1, mail.message_id)
    assert mail.enclosure is None and mail.in_reply_to is None


def test_its_first_lines_say_when_where_and_by_when_to_answer(june):
    guest = an_invitation(june, first_name="Ada", last_name="Müller")
    operations.send_invitations(june, [guest], at=NOW)
    assert mails()[0].text.split("\n")[:7] == [
        "Guten Tag Ada Müller,",
        "",
        "wir laden Sie herzlich ein zur Veranstaltung „Bildungsträgerkonferenz Juni 2023“.",
        "",
        "Wann: Dienstag, 06.06.2023, 09:30–15:00 Uhr",
        "Wo: Agentur für Arbeit, Musterstraße 1, 32049 Herford",
        "Antwort: bitte bis Freitag, 26.05.2023",
    ]


def test_it_tells_where_the_data_come_from_and_what_rights_there_are(june):
    operations.send_invitations(june, [an_invitation(june)], at=NOW)
    text = mails()[0].text
    for words in (
        "Artikel 14 DSGVO",
        "Anbieterliste der Agentur",
        "Artikel 6 Absatz 1 Buchstabe e",
        "Artikel 21 DSGVO",
        "BfDI",
    ):
        assert words in text


def test_an_english_conference_writes_english(house):
    june = a_conference(an_account(), language="en")
    operations.send_invitations(june, [an_invitation(june, first_name="Ada", last_name="Müller")], at=NOW)
    [mail] = mails()
    assert mail.subject == "Invitation: Bildungsträgerkonferenz Juni 2023, Tuesday, 06.06.2023"
    assert mail.text.startswith("Dear Ada Müller,\n\nWe invite you")
    assert mail.button_label == "Answer the invitation"


def test_sending_twice_writes_once(june):
    guests = [an_invitation(june) for _number in range(3)]
    first = operations.send_invitations(june, guests, at=NOW)
    second = operations.send_invitations(june, guests, at=NOW + HOUR)
    assert (progress(first).total, progress(second).total, len(mails())) == (3, 0, 3)
    assert {guest.sent_at for guest in guests} == {NOW}


def test_only_the_chosen_ones_of_this_conference_are_written_to(house):
    account = an_account()
    june, other = a_conference(account), a_conference(account, slug="other", title="Andere")
    chosen, left, stranger = an_invitation(june), an_invitation(june), an_invitation(other)
    operations.send_invitations(june, [chosen, stranger], at=NOW)
    assert [mail.recipient_address for mail in mails()] == [chosen.contact.email]
    assert (left.sent_at, stranger.sent_at) == (None, None)


def test_who_has_no_address_gets_no_letter(june):
    guest = an_invitation(june, email="")
    assert operations.send_invitations(june, [guest], at=NOW)
    assert (mails(), guest.sent_at) == ([], None)


def test_after_the_last_day_to_answer_nobody_is_invited_or_reminded(june):
    guest = an_invitation(june)
    late = june.answers_close_at
    operations.send_invitations(june, [guest], at=late - timedelta(seconds=1))
    for send in (
        lambda: operations.send_invitations(june, [guest], at=late),
        lambda: operations.send_reminders(june, at=late),
        lambda: operations.send_again(guest, 1, at=late),
    ):
        with pytest.raises(Refused):
            send()
    assert len(mails()) == 1


def test_reminders_go_to_those_who_were_invited_and_are_silent(june):
    silent, accepted, declined, uninvited = (an_invitation(june) for _number in range(4))
    operations.send_invitations(june, [silent, accepted, declined], at=NOW)
    operations.note_reply(accepted, Reply.ACCEPTED, at=NOW)
    operations.note_reply(declined, Reply.DECLINED, at=NOW)
    operations.send_reminders(june, at=NOW + DAY)
    [mail] = mails("reminder")
    assert mail.recipient_address == silent.contact.email
    assert mail.purpose == f"reminder:{silent.id}:2"
    assert mail.in_reply_to == silent.first_message_id
    assert (silent.reminded_at, silent.wave) == (NOW + DAY, 2)
    assert uninvited.wave == 0


def test_a_reminder_carries_the_same_link_as_the_invitation(june):
    guest = an_invitation(june)
    operations.send_invitations(june, [guest], at=NOW)
    operations.send_reminders(june, at=NOW + DAY)
    assert mails("invitation")[0].button_url == mails("reminder")[0].button_url


def test_nobody_is_reminded_twice_within_a_day(june):
    operations.send_invitations(june, [an_invitation(june) for _number in range(3)], at=NOW)
    sizes = [progress(operations.send_reminders(june, at=NOW + n * HOUR)).total for n in (1, 1, 24, 25, 26)]
    assert sizes == [3, 0, 0, 3, 0]


def test_an_answer_is_noted_with_time_and_reason(june):
    guest = an_invitation(june)
    operations.note_reply(guest, Reply.DECLINED, at=NOW, reason="Urlaub")
    assert (guest.reply, guest.replied_at, guest.decline_reason) == (Reply.DECLINED, NOW, "Urlaub")
    operations.note_reply(guest, Reply.ACCEPTED, at=NOW + DAY, reason="x")
    assert (guest.reply, guest.decline_reason) == (Reply.ACCEPTED, "")


def test_answers_are_counted(june):
    for reply in (Reply.ACCEPTED, Reply.ACCEPTED, Reply.DECLINED):
        operations.note_reply(an_invitation(june), reply, at=NOW)
    an_invitation(june)
    assert queries.reply_counts(june) == {Reply.OPEN: 1, Reply.ACCEPTED: 2, Reply.DECLINED: 1}


def test_an_invitation_goes_again_to_a_corrected_address_once(june):
    from conference.providers.operations import ContactFields, change_contact

    guest = an_invitation(june, email="wrong@traeger.example")
    operations.send_invitations(june, [guest], at=NOW)
    change_contact(
        guest.contact, guest.contact.provider, ContactFields("Muster", "right@traeger.example"), None
    )
    for _press in range(2):
        operations.send_again(guest, 1, at=NOW + HOUR)
    assert [(mail.recipient_address, mail.purpose) for mail in mails()] == [
        ("wrong@traeger.example", f"invitation:{guest.id}:1"),
        ("right@traeger.example", f"invitation:{guest.id}:2"),
    ]
    assert read(mails()[1].calendar).attendee == "right@traeger.example"
    assert (guest.sent_at, guest.first_message_id) == (NOW, mails()[0].message_id)


def test_who_has_answered_is_not_invited_again(june):
    guest = an_invitation(june)
    operations.send_invitations(june, [guest], at=NOW)
    operations.note_reply(guest, Reply.DECLINED, at=NOW)
    with pytest.raises(Refused, match="hat schon geantwortet"):
        operations.send_again(guest, 1, at=NOW)


def test_a_new_link_blocks_the_old_one_and_is_mailed_once(june):
    guest = an_invitation(june)
    operations.send_invitations(june, [guest], at=NOW)
    old = operations.personal_link(june, guest.contact, LinkPurpose.INVITATION, at=NOW)
    new = operations.renew_link(guest, old.id, at=NOW + HOUR)
    assert operations.renew_link(guest, old.id, at=NOW + HOUR) is new
    assert queries.link_by_token(links.token_of(old.nonce), NOW + HOUR) is None
    [mail] = mails("new_link")
    assert operations.link_url(new) in mail.text
    assert old.nonce not in mail.text


def test_only_who_was_not_invited_can_be_struck_off(june):
    fresh, invited, answered = (an_invitation(june) for _number in range(3))
    operations.send_invitations(june, [invited], at=NOW)
    operations.note_reply(answered, Reply.ACCEPTED, at=NOW)
    operations.strike_off(fresh)
    for guest in (invited, answered):
        with pytest.raises(Refused):
            operations.strike_off(guest)
    assert set(queries.guest_list(june)) == {invited, answered}


def test_two_clicks_at_the_same_moment_invite_once(app, in_house):
    with in_house():
        june = a_conference(an_account())
        for _number in range(10):
            an_invitation(june)
    barrier, failures = threading.Barrier(4), []

    def click():
        from conference.conferences.queries import conference_by_slug
        from conference.kit import unit

        try:
            with app.app_context():
                with unit.reading():
                    ids = [guest.id for guest in queries.guest_list(conference_by_slug(SLUG))]
                barrier.wait()
                with unit.writing():
                    chosen = [db.session.get(Invitation, identity) for identity in ids]
                    operations.send_invitations(conference_by_slug(SLUG), chosen, at=NOW)
        except Exception as error:  # noqa: BLE001 - told by the assertion below
            failures.append(error)

    threads = [threading.Thread(target=click) for _number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with app.app_context():
        assert failures == []
        assert len(mails()) == 10
        assert db.session.query(PersonalLink).count() == 10
