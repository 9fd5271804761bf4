"""F03: what is sent many times at the same moment counts once and is answered as the first: two real processes."""

import secrets
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from conference.agenda.models import ItemKind
from conference.conferences.models import Conference
from conference.groups import operations as groups
from conference.groups.models import GroupsRelease
from conference.kit import links, once
from conference.kit.db import db
from conference.minutes import operations as minutes
from conference.minutes.models import Release
from conference.outbox.models import Mail
from conference.registrations import operations, queries, seats
from conference.registrations.models import Attendance, Presence, SeatOffer, Standing

from ..browser import Browser
from ..builders import NOW, a_conference, a_participant, a_personal_link, an_answer, an_invitation, an_item
from ..servers import Guest, all_at_once, serving

COPIES = 20
SOON = (datetime.now(UTC) + timedelta(days=60)).date()


@pytest.fixture
def port(app):
    with serving(app) as number:
        yield number


@pytest.fixture
def conference(in_house, organiser):
    with in_house():
        return a_conference(organiser, seats=1, day=SOON, answer_by=SOON - timedelta(days=10))


def visitor(app, port, browser):
    """The same person in front of the real server."""
    guest = Guest(port, "")
    guest.csrf = browser.csrf_token()
    guest.cookie = f"folgetermin={browser.client.get_cookie('folgetermin').value}"
    return guest


def many(guest, path, fields, key):
    """Copies of one form at the same moment; gives each answer and how often it came."""
    cookie, csrf = guest.cookie, guest.csrf

    def send():
        copy = Guest(guest.port, "")
        copy.cookie, copy.csrf = cookie, csrf
        return copy.call("POST", path, {**fields, "once_key": key})

    return Counter(all_at_once([send] * COPIES))


def test_f03_twenty_copies_are_one_row_one_letter_and_one_answer(app, in_house, port, organiser, conference):
    """Walk-in, check-in, published groups, released minutes and the offer of a seat, one after the other."""
    here = f"/conferences/{conference.slug}"
    with in_house():
        june = db.session.merge(conference)
        seats.set_rules(june, seats.Rules(None, 48), 0, at=datetime.now(UTC))
        at = datetime.now(UTC)
        first, second = [operations.accept(an_invitation(june, sent=True), an_answer(), at=at) for _ in "12"]
        operations.withdraw(first, at=at)
        [offer] = db.session.query(SeatOffer)
        link = a_personal_link(an_invitation(june, second.contact))
        token, person = links.token_of(link.nonce), second.contact_id
        an_item(june, "Runde", "10:00", 45, kind=ItemKind.BREAKOUT)
        for _ in range(2):
            a_participant(june)
        groups.form_groups(june, 1, db.session.merge(organiser), at=NOW, iterations=20)
        frame = {"chair": "Vera Vorsitz", "moderator": "", "minute_taker": "Nora", "summary": ""}
        minutes.save_frame(june, **frame, version=None, at=NOW)
    staff = visitor(app, port, Browser(app).sign_in(organiser))
    walk_in = {"first_name": "Ada", "last_name": "Neu", "organisation": "Haus"}
    forms = [
        (f"{here}/attendance/walk-ins", walk_in, f"{here}/attendance"),
        (f"{here}/attendance", {f"was-{person}": "", f"presence-{person}": "present"}, f"{here}/attendance"),
        (f"{here}/groups/release", {"version": "0", "tell": "y"}, f"{here}/groups"),
        (f"{here}/minutes/release", {}, f"{here}/minutes"),
    ]
    keys = [secrets.token_urlsafe(18) for _ in forms]
    for (path, fields, answer), key in zip(forms, keys, strict=True):
        assert many(staff, path, fields, key) == {(303, answer): COPIES}, path
    guest = Guest(port, token).enter()
    fields = {"offer": str(offer.id), "reply": "accepted"}
    assert many(guest, "/my/offer", fields, secrets.token_urlsafe(18)) == {(303, "/my"): COPIES}
    with in_house():
        june = db.session.merge(conference)
        there = {(one.contact.last_name, one.presence) for one in db.session.query(Attendance)}
        assert ("Neu", Presence.PRESENT) in there and len(there) == 4
        assert db.session.query(GroupsRelease).count() == db.session.query(Release).count() == 1
        assert queries.registration_of(june, person).standing is Standing.CONFIRMED
        letters = Counter((mail.kind, mail.recipient_address) for mail in db.session.query(Mail))
        assert letters["seat_offer", second.contact.email] == 1
        assert letters["registered", second.contact.email] == 2  # the place in line, and the seat
        assert [number for (kind, _to), number in letters.items() if kind == "groups"] == [1, 1]
    for (path, fields, _answer), key in zip(forms, keys, strict=True):
        status, _to = staff.call("POST", path, {**fields, "last_name": "Anders", "once_key": key})
        assert status == 422, path


# -- one process ------------------------------------------------------

KEY = "a-key-of-sixteen-signs"


@pytest.fixture
def door(browser, organiser, conference):
    return browser.sign_in(organiser)


def come(door, conference, status=303, key=KEY, **over):
    fields = {"first_name": "Ada", "last_name": "Neu", "organisation": "Haus", "once_key": key} | over
    return door.submit("registrations.add_walk_in", fields, status=status, slug=conference.slug)


def people(in_house):
    with in_house():
        return sorted(one.contact.last_name for one in db.session.query(Attendance))


def test_f03_the_form_carries_a_key_and_each_page_another(door, conference):
    keys = set()
    for _look in range(2):
        door.open("registrations.show_attendance", slug=conference.slug)
        keys.add(door.value_of("once_key"))
    assert len(keys) == 2 and all(once.GOOD.fullmatch(key) for key in keys)


def test_f03_a_second_copy_says_so(door, in_house, conference):
    come(door, conference)
    come(door, conference)
    assert "es zählt einmal" in door.text and people(in_house) == ["Neu"]


def test_f03_other_content_under_the_same_key_is_422_with_the_input_and_a_new_key(door, in_house, conference):
    come(door, conference)
    come(door, conference, status=422, last_name="Anders")
    assert "schon mit anderem Inhalt gesendet" in door.text and people(in_house) == ["Neu"]
    assert door.value_of("last_name") == "Anders" and KEY not in door.html
    come(door, conference, last_name="Anders", key="another-key-of-the-page")
    assert people(in_house) == ["Anders", "Neu"]


def test_f03_what_was_refused_may_be_corrected_under_its_key(door, in_house, conference):
    come(door, conference, status=422, last_name="")
    come(door, conference)
    assert people(in_house) == ["Neu"]


def test_f03_a_key_is_good_for_one_person_and_one_form(door, in_house, conference, new_browser):
    from ..builders import an_account

    with in_house():
        other = an_account()
        from conference.conferences.operations import add_member

        add_member(db.session.merge(conference).series, other)
    come(door, conference)
    come(new_browser().sign_in(other), conference, last_name="Anders")
    assert people(in_house) == ["Anders", "Neu"]


@pytest.mark.parametrize("key", ["", "short", "x" * 65, "with blanks and more than 16", "ä" * 20])
def test_what_is_no_key_counts_as_none(door, in_house, conference, key):
    come(door, conference, key=key)
    come(door, conference, key=key, last_name="Anders")
    assert people(in_house) == ["Anders", "Neu"]


def test_keys_are_forgotten_after_two_days_and_hold_nothing_that_was_sent(door, app, in_house, conference):
    come(door, conference)
    with in_house():
        [row] = db.session.query(once.SentForm)
        assert "Neu" not in str(vars(row)) and KEY not in str(vars(row))
        assert once.forget_old(at=row.at + timedelta(days=1)) == 0
        assert once.forget_old(at=row.at + timedelta(days=3)) == 1
    with app.app_context():
        assert db.session.get(Conference, conference.id) is not None
