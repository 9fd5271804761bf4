"""Opening, voting, sending again, changing rights, closing, in any order: each counts once, nothing counts too late."""

from collections import Counter
from datetime import timedelta

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from conference.conferences.models import Conference, Series
from conference.ideas import operations as ideas
from conference.kit import clock, unit
from conference.kit.db import db
from conference.registrations import operations as registrations
from conference.registrations.models import Presence
from conference.voting import operations, queries
from conference.voting.models import Vote, Voter, VoteSubject

from ..builders import NOW, a_conference, a_participant, a_series, a_visit
from ..states import walk

PEOPLE, OPTIONS, DOTS, MOST = 5, 3, 4, 2
somebody = st.integers(0, PEOPLE - 1)
good = [[1, 0, 0], [2, 2, 0], [0, 1, 1], [1, 2, 1], [0, 0, 2]]
papers = st.sampled_from([*good, *good, [3, 0, 0], [2, 2, 1], [0, 0, 0]])


@pytest.fixture
def settings():
    return {"WTF_CSRF_ENABLED": False}


@pytest.fixture
def machine(app, monkeypatch):
    """A machine on the app of this test; each walk has a conference and people of its own."""
    walks = iter(range(10_000))
    monkeypatch.setattr(clock, "now", lambda: NOW + timedelta(days=1))

    class Here(Votes):
        def __init__(self):
            super().__init__()
            self.app, self.walk = app, next(walks)

    return Here


class Votes(RuleBasedStateMachine):
    """Five people, three options, one vote."""

    @initialize(is_open=st.sampled_from([True, True, False]))
    def begin(self, is_open):
        self.state, self.cast, self.result = "planned", {}, None
        self.may = set(range(PEOPLE))
        with self.app.app_context(), unit.writing():
            series = db.session.get(Series, 1) if self.walk else a_series()
            conference = a_conference(series=series, slug=f"votes-{self.walk}")
            for number in range(OPTIONS):
                ideas.make_cluster(conference, f"Bündel {number}")
            made = [a_participant(conference) for _ in range(PEOPLE)]
            vote = operations.create_vote(conference, "Was?", VoteSubject.CLUSTERS, DOTS, MOST, at=NOW)
            self.conference, self.vote = conference.id, vote.id
            self.contacts = [link.contact_id for link in made]
        self.browsers = [self.app.test_client() for _ in made]
        for browser, link in zip(self.browsers, made, strict=True):
            with browser.session_transaction() as session:
                session.update(a_visit(link.id))
        if is_open:
            self.open()

    def options(self):
        with self.app.app_context():
            return [option.id for option in queries.options_of(db.session.get(Vote, self.vote))]

    def send(self, who, paper):
        fields = {f"option-{key}": str(dots) for key, dots in zip(self.options(), paper, strict=False)}
        return self.browsers[who].post(f"/my/votes/{self.vote}", data=fields).status_code

    @rule(who=somebody, paper=papers)
    def vote_once(self, who, paper):
        expected = 303
        if self.state == "planned":
            expected = 404
        elif self.state == "closed" or who in self.cast:
            expected = 409
        elif not 0 < sum(paper) <= DOTS or max(paper) > MOST:
            expected = 422
        elif who not in self.may:
            expected = 409
        assert self.send(who, paper) == expected
        if expected == 303:
            self.cast[who] = paper

    @rule(number=st.integers(0, PEOPLE - 1))
    def send_again(self, number):
        if self.cast:
            who = sorted(self.cast)[number % len(self.cast)]
            assert self.send(who, self.cast[who]) == 409

    @rule(number=st.integers(0, PEOPLE - 1), paper=papers)
    def send_another_paper(self, number, paper):
        if self.cast:
            assert self.send(sorted(self.cast)[number % len(self.cast)], paper) == 409

    @rule()
    def open(self):
        with self.app.app_context(), unit.writing():
            vote = db.session.get(Vote, self.vote)
            if self.state != "closed":
                operations.open_vote(vote, at=NOW)
                self.state = "open"

    @rule(really=st.sampled_from([False, False, True]))
    def close(self, really):
        if self.state == "planned" or not really:
            return
        with self.app.app_context(), unit.writing():
            operations.close_vote(db.session.get(Vote, self.vote), at=NOW)
        self.state = "closed"

    @rule(who=somebody, presence=st.sampled_from([Presence.PRESENT, Presence.ABSENT, Presence.EXCUSED]))
    def change_who_may_vote(self, who, presence):
        with self.app.app_context(), unit.writing():
            conference = db.session.get(Conference, self.conference)
            registrations.record_attendance(conference, self.contacts[who], presence, at=NOW)
        (self.may.add if presence is Presence.PRESENT else self.may.discard)(who)

    @rule()
    def somebody_walks_in(self):
        """Present, but without a personal link: no vote, and not counted among those who may."""
        with self.app.app_context(), unit.writing():
            conference = db.session.get(Conference, self.conference)
            registrations.add_walk_in(conference, "Ada", "Neu", "Neues Haus", "", at=NOW)

    @invariant()
    def what_is_in_the_box_is_what_was_cast(self):
        if not hasattr(self, "vote"):
            return
        with self.app.app_context():
            vote, options = db.session.get(Vote, self.vote), self.options()
            box = Counter(tuple(sorted(ballot.choices.items())) for ballot in queries.ballots_in(vote))
            voters = sorted(one.contact_id for one in db.session.query(Voter).filter_by(vote_id=vote.id))
            entitled = queries.entitled_ids(db.session.get(Conference, self.conference))
            result = vote.result
        named = [
            {str(key): dots for key, dots in zip(options, paper, strict=True) if dots}
            for paper in self.cast.values()
        ]
        assert box == Counter(tuple(sorted(paper.items())) for paper in named)
        assert voters == sorted(self.contacts[who] for who in self.cast)
        assert entitled == {self.contacts[who] for who in self.may}
        assert (result is not None) == (self.state == "closed")
        if result is None:
            return
        self.result = self.result or result
        assert result == self.result, "a closed vote changes no more"
        dots = {row["option"]: (row["dots"], row["voters"]) for row in result["rows"]}
        assert result["voted"] == len(self.cast)
        for place, option in enumerate(options):
            given = [paper[place] for paper in self.cast.values() if paper[place]]
            assert dots[option] == (sum(given), len(given))

    def teardown(self):
        """Whatever happened: at the end everybody who votes tries twice, and some only after the close."""
        if not hasattr(self, "vote"):
            return
        for really in (False, True):
            self.close(really)
            for who in range(PEOPLE if really else PEOPLE - 2):  # two come too late, if they have not voted
                self.vote_once(who, [1, 0, 0])
                self.vote_once(who, [0, 0, 1])
            self.what_is_in_the_box_is_what_was_cast()


def test_f03_t25_every_ballot_counts_once_in_every_order_of_events(machine):
    walk(machine, walks=8, steps=15)
