"""A ballot and the release of minutes, with every statement and file failing once, in turn (F20)."""

import hashlib

import pytest

from conference.kit.db import db
from conference.minutes import views
from conference.minutes.models import Minutes, Release
from conference.outbox.models import Mail
from conference.voting import operations as voting
from conference.voting.models import Ballot, Voter, VoteSubject
from conference.voting.queries import options_of

from ..builders import NOW, a_conference, a_participant, some_ideas
from ..minutes.conftest import EVENING, a_day, write_frame
from ..voting.conftest import OPENED
from .faulty import FILES, chain_holds, through

GOOD, OUT = 303, (503, 507)
KINDS = pytest.mark.parametrize("kind", ["statement", "file"])


class TestVote:
    @pytest.fixture
    def settings(self):
        return {"CLOCK_START": OPENED}

    @KINDS
    def test_f20_vote(self, app, in_house, new_browser, faults, kind):
        with in_house():
            june = a_conference()
            some_ideas(june, "Mehr Zeit", "Weniger Formulare")
            vote = voting.open_vote(
                voting.create_vote(june, "Was?", VoteSubject.IDEAS, 4, 2, at=NOW), at=OPENED
            )
            option = options_of(vote)[0].id

        def once():
            armed = faults.rest()
            with in_house():
                link = a_participant(june)
            voter = new_browser().enter(link)
            fields = {"csrf_token": voter.csrf_token(), f"option-{option}": "2"}

            def cast():
                return voter.client.post(f"/my/votes/{vote.id}", data=fields).status_code

            before = self.counted(in_house, vote)
            faults.left = armed
            status = cast()
            faults.rest()
            assert status == GOOD or status in OUT
            assert self.counted(in_house, vote) == before + (status == GOOD), "said and done are two things"
            assert cast() == (409 if status == GOOD else GOOD), "one ballot for each, and one that counts"
            assert self.counted(in_house, vote) == before + 1

        assert through(faults, kind, once) >= (10 if kind == "statement" else FILES)
        chain_holds(app)

    @staticmethod
    def counted(in_house, vote):
        """How many have voted, after looking whether there are as many ballots."""
        with in_house():
            voters = db.session.query(Voter).filter_by(vote_id=vote.id).count()
            assert voters == db.session.query(Ballot).filter_by(vote_id=vote.id).count(), "half a ballot"
            return voters


class TestRelease:
    @pytest.fixture
    def settings(self):
        return {"CLOCK_START": EVENING}

    @KINDS
    def test_f20_release_minutes(self, app, in_house, browser, organiser, faults, monkeypatch, kind):
        # Rendering knows neither database nor files of ours; that it may fail is held by tests/minutes and tests/kit.
        monkeypatch.setattr(views, "render_in_child", lambda html: hashlib.sha256(html.encode()).digest())
        with in_house():
            june = a_day(organiser).june
            write_frame(june)
        browser.sign_in(organiser)
        fields = {"csrf_token": browser.csrf_token()}
        page = "/conferences/june-2023/minutes"

        def post(what):
            return browser.client.post(f"{page}/{what}", data=fields).status_code

        def once():
            armed = faults.rest()
            with in_house():
                db.session.query(Minutes).one().summary = f"Der {armed}. Anlauf."
            before = len(self.releases(in_house))
            faults.left = armed
            statuses = [post("release")]
            if before:
                statuses.append(post(f"{before}/letters"))
            faults.rest()
            assert set(statuses) <= {GOOD, *OUT}
            assert len(self.releases(in_house)) == before + (statuses[0] == GOOD)
            assert [post("release"), post(f"{before + 1}/letters")] == [GOOD, GOOD]
            assert [post("release"), post(f"{before + 1}/letters")] == [GOOD, GOOD]
            assert self.releases(in_house) == list(range(1, before + 2)), "one release, not two"
            self.letters_fit(in_house)

        assert through(faults, kind, once) >= (20 if kind == "statement" else FILES)
        chain_holds(app)

    @staticmethod
    def releases(in_house):
        with in_house():
            found = db.session.query(Release).order_by(Release.id).all()
            assert all(one.sha256 == hashlib.sha256(one.pdf).hexdigest() for one in found)
            return [one.number for one in found]

    @staticmethod
    def letters_fit(in_house):
        """Whoever gets a release gets it once, and those of one release are all there or none is."""
        with in_house():
            purposes = [mail.purpose for mail in db.session.query(Mail).filter_by(kind="minutes")]
        assert len(purposes) == len(set(purposes))
        by_release = {}
        for purpose in purposes:
            by_release.setdefault(purpose.split(":")[1], []).append(purpose)
        assert len({len(group) for group in by_release.values()}) == 1, "half a mailing"
