"""Anything that people, organisers and the clock do with seats, in any order: what must always hold is checked each time."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from conference.conferences.models import Conference
from conference.conferences.operations import change_conference
from conference.kit import clock, links, unit
from conference.kit.db import db
from conference.kit.errors import Refused
from conference.outbox.models import Mail
from conference.privacy.erasing import erase
from conference.providers.models import Contact
from conference.registrations import queries, seats, settle_seats
from conference.registrations.models import OfferEnd, Registration, SeatOffer, Standing

from ..builders import JUNE, NOW, a_conference, a_contact, a_personal_link, a_series, a_visit, an_invitation
from ..states import walk

PEOPLE, ORGANISATIONS = 7, 3
somebody = st.integers(0, PEOPLE - 1)


@pytest.fixture
def settings():
    return {"WTF_CSRF_ENABLED": False}


@pytest.fixture
def machine(app, monkeypatch):
    """A machine on the app of this test; each walk has a conference and people of its own."""
    walks = iter(range(10_000))

    class Here(Seats):
        def __init__(self):
            super().__init__()
            self.app, self.walk = app, next(walks)
            monkeypatch.setattr(clock, "now", lambda: self.at)

    return Here


class Seats(RuleBasedStateMachine):
    """Seven people of three organisations, a conference with few seats."""

    @initialize(
        capacity=st.integers(1, 4),
        limit=st.none() | st.integers(1, 2),
        hours=st.sampled_from([None, 24, 24]),
        arriving=st.permutations(range(PEOPLE)),
    )
    def begin(self, capacity, limit, hours, arriving):
        self.at, self.forms, self.gone = NOW, [], set()
        self.browsers = [self.app.test_client() for _ in range(PEOPLE)]
        self.letters = Counter()
        with self.app.app_context(), unit.writing():
            series = db.session.get(type(a_series()), 1) if self.walk else a_series()
            conference = a_conference(series=series, slug=f"walk-{self.walk}", seats=capacity)
            seats.set_rules(conference, seats.Rules(limit, hours), 0, at=NOW)
            guests = [
                an_invitation(conference, a_contact(organisation=f"Haus {number % ORGANISATIONS}"))
                for number in range(PEOPLE)
            ]
            made = [a_personal_link(guest) for guest in guests]
            self.id = conference.id
            self.contacts = [guest.contact_id for guest in guests]
            self.tokens = [links.token_of(link.nonce) for link in made]
        for browser, link in zip(self.browsers, made, strict=True):
            with browser.session_transaction() as session:
                session.update(a_visit(link.id))
        self.before = self.after = self.look()
        for who in arriving[:-1]:
            self.accept(who, "Ada")
            self.no_rule_is_broken()

    # -- what people do -----------------------------------------------

    def post(self, who, path, **fields):
        answer = self.browsers[who].post(path, data=fields)
        assert answer.status_code in (303, 404, 409), (path, answer.status_code)
        return answer

    @rule(who=somebody, name=st.sampled_from(["Ada", "Eva"]))
    def accept(self, who, name):
        form = (who, f"/invitation/{self.tokens[who]}", {"reply": "accepted", "name": name})
        self.forms.append(form)
        self.post(who, form[1], **form[2])

    @rule(number=st.integers(0, 5))
    def send_the_same_form_again(self, number):
        if self.forms:
            who, path, fields = self.forms[number % len(self.forms)]
            was, letters = self.look(), self.count_letters()
            first = self.post(who, path, **fields)
            now = self.look()
            if was.get(who) != now.get(who):
                return  # it was refused before, or is a yes after everything was over: then it is a first one
            assert self.count_letters() == letters
            again = self.post(who, path, **fields)
            assert (again.status_code, again.headers.get("Location")) == (
                first.status_code,
                first.headers.get("Location"),
            )
            assert (self.look(), self.count_letters()) == (now, letters)

    @rule(who=somebody)
    def decline(self, who):
        self.post(who, f"/invitation/{self.tokens[who]}", reply="declined")

    @rule(who=somebody)
    def withdraw(self, who):
        self.post(who, "/my/withdrawal")

    @rule(who=somebody)
    def come_back(self, who):
        self.post(who, "/my/return")

    @rule(
        number=st.integers(0, 9),
        reply=st.sampled_from(["accepted", "accepted", "declined"]),
        is_open=st.booleans(),
    )
    def answer_an_offer(self, number, reply, is_open):
        with self.app.app_context():
            query = db.session.query(SeatOffer.id, Registration.contact_id).join(Registration)
            query = query.filter(SeatOffer.conference_id == self.id).order_by(SeatOffer.id)
            known = query.filter(
                SeatOffer.ended_at.is_(None) if is_open else SeatOffer.ended_at.is_not(None)
            ).all()
        if not known:
            return
        offer, contact = known[number % len(known)]
        who, form = self.contacts.index(contact), {"offer": str(offer), "reply": reply}
        first = self.post(who, "/my/offer", **form)
        state, letters = self.look(), self.count_letters()
        if first.status_code == 303:
            assert self.post(who, "/my/offer", **form).status_code == 303
            assert (self.look(), self.count_letters()) == (state, letters)

    @rule(who=somebody)
    def be_erased(self, who):
        with self.app.app_context(), unit.writing():
            contact = db.session.get(Contact, self.contacts[who])
            if contact is not None and len(self.gone) < 2:
                erase(contact, at=self.at, remember=False)
                self.gone.add(who)

    # -- what organisers do -------------------------------------------

    @rule(number=st.integers(1, 6))
    def change_the_number_of_seats(self, number):
        with self.app.app_context(), self.allowed(), unit.writing():
            conference = db.session.get(Conference, self.id)
            change_conference(conference, replace(JUNE, seats=number), conference.version, at=self.at)

    @rule(limit=st.none() | st.integers(1, 3), hours=st.none() | st.just(24))
    def change_the_rules(self, limit, hours):
        with self.app.app_context(), unit.writing():
            conference = db.session.get(Conference, self.id)
            version = queries.rules_of(conference).version
            seats.set_rules(conference, seats.Rules(limit, hours, "So ist es."), version, at=self.at)

    @rule(number=st.integers(0, ORGANISATIONS - 1), limit=st.none() | st.integers(0, 2))
    def make_an_exception(self, number, limit):
        with self.app.app_context(), unit.writing():
            conference = db.session.get(Conference, self.id)
            here = [
                one for one in queries.provider_seats(conference) if one.provider.name == f"Haus {number}"
            ]
            if here and here[0].exception is None:
                seats.set_exception(conference, here[0].provider, limit, "So ist es.", 0, at=self.at)
            elif here:
                seats.remove_exception(conference, here[0].provider.id, at=self.at)

    @rule(hours=st.sampled_from([1, 18, 25]), job=st.booleans())
    def time_goes_by(self, hours, job):
        self.at += timedelta(hours=hours)
        if job:
            self.settle()

    def settle(self):
        with self.app.app_context():
            settle_seats()
            assert settle_seats() == 0

    class allowed:
        def __enter__(self):
            return self

        def __exit__(self, kind, *_rest):
            return kind is not None and issubclass(kind, Refused)

    # -- what must always hold ----------------------------------------

    def look(self):
        """Who has a seat, who waits with which number, who has which offer."""
        with self.app.app_context():
            query = db.session.query(Registration).filter_by(conference_id=self.id)
            offers = queries.open_offers(db.session.get(Conference, self.id))
            return {
                self.contacts.index(one.contact_id): (
                    one.standing,
                    one.queue_number,
                    offers[one.id].id if one.id in offers else None,
                )
                for one in query
            }

    def count_letters(self):
        with self.app.app_context():
            about = f"walk-{self.walk}"
            return Counter(kind for (kind,) in db.session.query(Mail.kind).filter_by(about=about))

    @invariant()
    def no_rule_is_broken(self):
        if not hasattr(self, "id"):
            return
        self.before, self.after = self.after, self.look()
        with self.app.app_context():
            conference = db.session.get(Conference, self.id)
            self.seats_are_not_sold_twice(conference)
            self.the_line_is_in_order()
            self.nobody_was_overtaken(conference)
            self.everybody_got_one_letter(conference)

    def seats_are_not_sold_twice(self, conference):
        counts = queries.seat_counts(conference)
        states = [state for state, _number, _offer in self.after.values()]
        held = sum(offer is not None for _state, _number, offer in self.after.values())
        assert (counts.confirmed, counts.offered) == (states.count(Standing.CONFIRMED), held)
        assert counts.confirmed + held <= conference.seats
        had, has = self.by_organisation(self.before), self.by_organisation(self.after)
        for organisation, number in has.items():
            limit = self.limit_of(conference, organisation)
            # Only who had more already, when the limit was lowered, may have more; never more than before.
            assert limit is None or number <= max(limit, had[organisation]), (organisation, number, limit)

    def by_organisation(self, people):
        return Counter(
            who % ORGANISATIONS
            for who, (state, _number, offer) in people.items()
            if state is Standing.CONFIRMED or offer is not None
        )

    def limit_of(self, conference, organisation):
        limits = queries.limits_of(conference)
        here = [one.provider_id for one in queries.exceptions_of(conference).values()
                if one.provider.name == f"Haus {organisation}"]  # fmt: skip
        return limits.exceptions[here[0]] if here else limits.default

    def the_line_is_in_order(self):
        numbers = [number for state, number, _offer in self.after.values() if state is Standing.WAITING]
        assert None not in numbers and len(set(numbers)) == len(numbers)
        for state, number, offer in self.after.values():
            assert state is Standing.WAITING or (number is None and offer is None)

    def nobody_was_overtaken(self, conference):
        """Who was served stood before everybody who still waits, has no offer, answers offers and has room now."""
        line = {
            who: number for who, (state, number, _offer) in self.before.items() if state is Standing.WAITING
        }
        served = [
            who
            for who in line
            if who in self.after
            and (
                self.after[who][0] is Standing.CONFIRMED or self.after[who][2] != self.before[who][2] is None
            )
        ]
        allotment = queries.allotment_of(conference)
        silent = {
            self.contacts.index(one.contact_id)
            for one in queries.waiting_line(conference)
            if one.id in queries.silent_ids(conference)
        }
        people = {self.contacts.index(one.contact_id): one for one in queries.waiting_line(conference)}
        for who, one in people.items():
            waits = who in line and self.after[who][1] == line[who] and self.after[who][2] is None
            if not waits or who in silent or allotment.is_full_for(one.contact):
                continue
            assert all(line[other] < line[who] for other in served if self.before[other][2] is None), (
                who,
                served,
            )

    def everybody_got_one_letter(self, conference):
        """One letter for each offer and each seat or place in line, and none that belongs to nothing."""
        offers = db.session.query(SeatOffer).filter_by(conference_id=self.id).all()
        purposes = Counter(mail.purpose for mail in db.session.query(Mail).filter_by(about=conference.slug))
        assert set(purposes.values()) <= {1}
        assert all(purposes[f"seat-offer:{offer.id}"] == 1 for offer in offers)
        ended = [
            offer for offer in offers if offer.outcome is OfferEnd.EXPIRED and offer.ended_at >= offer.until
        ]
        assert all(purposes[f"seat-offer-ended:{offer.id}"] <= 1 for offer in ended)
        for who, (state, _number, _offer) in self.after.items():
            was = self.before.get(who)
            if was is not None and was[0] is state:
                continue
            kind = "declined" if state is Standing.WITHDRAWN else "registered"
            self.letters[who, kind] += 1
        for who in self.after.keys() - self.gone:
            registration = (
                db.session.query(Registration)
                .filter_by(conference_id=self.id, contact_id=self.contacts[who])
                .one()
            )
            sent = sum(purpose.startswith(f"registered:{registration.id}:") for purpose in purposes)
            assert sent == self.letters[who, "registered"], (who, sent)
            sent = sum(purpose.startswith(f"withdrawn:{registration.id}:") for purpose in purposes)
            assert sent == self.letters[who, "declined"], (who, sent)

    def teardown(self):
        if hasattr(self, "id"):
            self.settle()
            self.no_rule_is_broken()


def test_f02_t36_seats_hold_in_every_order_of_events(machine):
    walk(machine, walks=14, steps=20)
