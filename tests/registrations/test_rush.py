"""Everybody at once, through a real server with two processes: seats, waiting list and letters come out right."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from conference.conferences.models import Conference
from conference.kit import links
from conference.kit.db import db
from conference.outbox.models import Mail
from conference.registrations import queries
from conference.registrations.models import Registration, Standing

from ..builders import a_conference, a_personal_link, an_invitation
from ..servers import Guest, all_at_once, serving

SEATS, PEOPLE, REPLAYS = 50, 200, 20
FEW, SOME = 12, 24
SOON = (datetime.now(UTC) + timedelta(days=60)).date()


@pytest.fixture
def port(app):
    """Gunicorn with two processes on the database of the test; gives its port."""
    with serving(app) as number:
        yield number


def yes(guest, number):
    return lambda: guest.call("POST", guest.link, {"reply": "accepted", "name": f"Ada Muster {number}"})


def withdrawal(guest):
    return lambda: guest.call("POST", "/my/withdrawal")


def invited(in_house, conference_id, number):
    """So many more invited people; gives their tokens."""
    with in_house():
        conference = db.session.get(Conference, conference_id)
        people = [an_invitation(conference, sent=True) for _ in range(number)]
        return [links.token_of(a_personal_link(person).nonce) for person in people]


def standings(in_house, conference_id):
    with in_house():
        conference = db.session.get(Conference, conference_id)
        counts = queries.seat_counts(conference)
        return counts.confirmed, [(r.contact_id, r.queue_number) for r in queries.waiting_line(conference)]


def letters(in_house, kind):
    """How many letters of a kind each person got."""
    with in_house():
        return Counter(mail.recipient_address for mail in db.session.query(Mail).filter_by(kind=kind))


@pytest.fixture
def conference_id(in_house):
    return _conference(in_house, SEATS)


def _conference(in_house, seats):
    with in_house():
        return a_conference(seats=seats, day=SOON, answer_by=SOON - timedelta(days=10)).id


def rush(port, in_house, conference_id, people, replays):
    """Everybody says yes at the same moment, some of them twice; what went wrong, in words."""
    guests = [Guest(port, token).look() for token in invited(in_house, conference_id, people)]
    calls = [yes(guest, number) for number, guest in enumerate(guests)]
    answers = Counter(all_at_once(calls + calls[:replays]))
    confirmed, line = standings(in_house, conference_id)
    with in_house():
        seats = db.session.get(Conference, conference_id).seats
    told = letters(in_house, "registered")
    found = {
        f"answers {answers}": answers == {(303, "/my"): people + replays},
        f"{confirmed} seats of {seats}": confirmed == seats,
        f"line {line}": [number for _person, number in line] == list(range(1, people - seats + 1)),
        f"letters {told}": len(told) == people and set(told.values()) == {1},
    }
    return [words for words, is_right in found.items() if not is_right]


def test_f01_a_rush_for_the_seats(port, in_house, conference_id):
    assert rush(port, in_house, conference_id, PEOPLE, REPLAYS) == []


def test_f01_without_the_lock_the_rush_goes_wrong(app, in_house):
    """The test above can fail: the same product without its locks sells seats twice, or falls over."""
    with serving(app, "tests.unlocked:app") as port:
        assert rush(port, in_house, _conference(in_house, FEW), SOME, SOME)


def test_f02_withdrawals_while_newcomers_press_yes_keep_the_order_of_the_line(port, in_house):
    conference_id = _conference(in_house, FEW)
    tokens = invited(in_house, conference_id, FEW + 8)
    for number, token in enumerate(tokens):
        yes(Guest(port, token).look(), number)()
    _confirmed, line = standings(in_house, conference_id)
    leaving = [Guest(port, token).enter() for token in tokens[:5]]
    newcomers = [Guest(port, token).look() for token in invited(in_house, conference_id, 6)]
    calls = [withdrawal(guest) for guest in leaving for _ in range(2)]
    calls += [yes(guest, number) for number, guest in enumerate(newcomers) for _ in range(2)]
    assert Counter(all_at_once(calls)) == {(303, "/my"): len(calls)}
    confirmed, now = standings(in_house, conference_id)
    assert confirmed == FEW
    assert [person for person, _number in now[:3]] == [person for person, _number in line[5:]]
    assert len(now) == 3 + 6
    assert set(letters(in_house, "declined").values()) == {1}
    assert sorted(letters(in_house, "registered").values()) == [1] * (FEW + 3 + 6) + [2] * 5
    with in_house():
        left = db.session.query(Registration).filter_by(standing=Standing.WITHDRAWN)
        assert [registration.version for registration in left] == [2] * 5


def test_of_two_changes_from_the_same_page_one_counts_and_one_is_told(port, in_house, conference_id):
    guests = [Guest(port, token) for token in invited(in_house, conference_id, 6)]
    for number, guest in enumerate(guests):
        yes(guest.look(), number)()
        guest.call("GET", "/my")

    def change(guest, diet):
        fields = {"version": "1", "name": "Ada Muster", "diet": diet}
        return lambda: (guest.cookie, *guest.call("POST", "/my/registration", fields))

    answers = all_at_once([change(guest, diet) for guest in guests for diet in ("vegan", "halal")])
    assert Counter(status for _cookie, status, _location in answers) == {303: 6, 409: 6}
    with in_house():
        assert {registration.version for registration in db.session.query(Registration)} == {2}
