"""The calendar entry of an invitation: one UID for life, a sequence that grows with what matters."""

from dataclasses import replace
from datetime import time

import pytest

from conference.conferences.operations import change_conference
from conference.core.calendar_reading import read
from conference.invitations import operations, queries
from conference.invitations.models import Reply
from conference.kit.db import db
from conference.outbox.models import Mail

from ..builders import JUNE, NOW, a_conference, an_account, an_invitation
from .conftest import HOUR


@pytest.fixture
def june(house):
    return a_conference(an_account())


@pytest.fixture
def guest(june):
    return an_invitation(june, first_name="Ada", last_name="Müller", email="ada@traeger.example")


def entry(guest, method="REQUEST", partstat="NEEDS-ACTION"):
    return read(operations.calendar_of(guest, method=method, partstat=partstat, at=NOW))


def move(june, **over):
    change_conference(june, replace(JUNE, **over), None, at=NOW + HOUR)
    db.session.flush()


def letters(kind):
    return list(db.session.scalars(db.select(Mail).where(Mail.kind == kind).order_by(Mail.id)))


def test_the_first_entry_invites(guest):
    seen = entry(guest)
    assert (seen.method, seen.sequence, seen.status, seen.partstat, seen.asks) == (
        "REQUEST",
        0,
        "CONFIRMED",
        "NEEDS-ACTION",
        False,
    )
    assert (seen.title, seen.place) == (
        "Bildungsträgerkonferenz Juni 2023",
        "Agentur für Arbeit, Musterstraße 1, 32049 Herford",
    )
    assert (f"{seen.starts_at:%d.%m.%Y %H:%M %Z}", f"{seen.ends_at:%H:%M}") == (
        "06.06.2023 09:30 CEST",
        "15:00",
    )
    assert (seen.organiser, seen.attendee) == ("konferenz@folgetermin.example", "ada@traeger.example")


def test_the_uid_is_its_own_and_stays(june, guest):
    other = an_invitation(june)
    first = entry(guest).uid
    move(june, begin=time(10, 0))
    assert {
        entry(guest).uid,
        entry(guest, "CANCEL", "DECLINED").uid,
        entry(guest, partstat="ACCEPTED").uid,
    } == {first}
    assert entry(other).uid != first
    assert first.startswith("june-2023.") and first.endswith("@folgetermin.example")


def test_no_secret_is_in_the_entry(guest):
    link = operations.personal_link(
        guest.conference, guest.contact, operations.LinkPurpose.INVITATION, at=NOW
    )
    content = operations.calendar_of(guest, method="REQUEST", partstat="NEEDS-ACTION", at=NOW).decode()
    assert "/invitation/" not in content and link.nonce not in content and "~link" not in content
    assert "/programme/june-2023" in content


def test_an_answer_or_a_new_title_does_not_raise_the_sequence(june, guest):
    entry(guest)
    move(june, title="Ein anderer Titel")
    assert entry(guest, partstat="ACCEPTED").sequence == 0


@pytest.mark.parametrize(
    "change", [{"begin": time(10, 0)}, {"venue": "Rathaus"}, {"address": "Rathausplatz 1"}]
)
def test_time_and_place_raise_it_by_one(june, guest, change):
    entry(guest)
    move(june, **change)
    assert [entry(guest).sequence, entry(guest).sequence] == [1, 1]


def test_two_moves_between_two_mails_are_one_step(june, guest):
    entry(guest)
    move(june, begin=time(10, 0))
    move(june, begin=time(10, 30))
    assert entry(guest).sequence == 1


def test_who_is_invited_after_a_move_begins_at_zero(june):
    move(june, begin=time(10, 0))
    assert entry(an_invitation(june)).sequence == 0


def test_cancelling_and_coming_back_raise_it_each_time(guest):
    entry(guest)
    cancelled = entry(guest, "CANCEL", "DECLINED")
    assert (cancelled.method, cancelled.status, cancelled.sequence) == ("CANCEL", "CANCELLED", 1)
    assert entry(guest, partstat="ACCEPTED").sequence == 2
    assert entry(guest, "CANCEL", "DECLINED").sequence == 3


def test_a_move_is_told_to_those_whose_calendar_is_wrong(june, guest):
    declined, accepted, uninvited = an_invitation(june), an_invitation(june), an_invitation(june)
    operations.send_invitations(june, [guest, declined, accepted], at=NOW)
    operations.note_reply(declined, Reply.DECLINED, at=NOW, reason="Urlaub")
    operations.note_reply(accepted, Reply.ACCEPTED, at=NOW)
    entry(accepted, partstat="ACCEPTED")
    assert queries.outdated(queries.guest_list(june), june) == []
    move(june, begin=time(10, 0))
    operations.send_updates(june, at=NOW + HOUR)
    sent = {mail.recipient_address: read(mail.calendar) for mail in letters("update")}
    assert {address: (seen.sequence, seen.partstat) for address, seen in sent.items()} == {
        guest.contact.email: (1, "NEEDS-ACTION"),
        accepted.contact.email: (1, "ACCEPTED"),
    }
    assert uninvited.contact.email not in sent
    assert {f"{seen.starts_at:%H:%M}" for seen in sent.values()} == {"10:00"}


def test_a_move_is_told_once(june, guest):
    operations.send_invitations(june, [guest], at=NOW)
    move(june, begin=time(10, 0))
    operations.send_updates(june, at=NOW + HOUR)
    operations.send_updates(june, at=NOW + 2 * HOUR)
    assert len(letters("update")) == 1
    move(june, begin=time(11, 0))
    operations.send_updates(june, at=NOW + 3 * HOUR)
    assert [read(mail.calendar).sequence for mail in letters("update")] == [1, 2]


def test_the_letter_about_a_move_says_the_new_time_and_answers_the_first_letter(june, guest):
    operations.send_invitations(june, [guest], at=NOW)
    move(june, begin=time(10, 0), venue="Rathaus")
    operations.send_updates(june, at=NOW + HOUR)
    [mail] = letters("update")
    assert "Dienstag, 06.06.2023, 10:00–15:00 Uhr" in mail.text
    assert "Rathaus, Musterstraße 1, 32049 Herford" in mail.text
    assert mail.in_reply_to == letters("invitation")[0].message_id
    assert "/invitation/~link-" in mail.text
