"""A real server with two processes, as in production: many copies of one ballot or idea at the same moment."""

import threading
import urllib.error
import urllib.parse
import urllib.request
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest

from conference.kit.db import db
from conference.voting import queries
from conference.voting.models import Ballot, Voter

from ..browser import Browser
from ..servers import serving
from .conftest import OPENED


class NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_args):
        return None


@pytest.fixture
def address(app, in_house):
    """Two processes with eight threads each on the database of this test."""
    with in_house():
        db.session.commit()
    with serving(app, DEMO="1") as port:
        yield f"http://127.0.0.1:{port}"


def visitor(app, link=None):
    """Cookie and CSRF token of somebody; with a link the guest who came by it."""
    browser = Browser(app)
    if link is not None:
        browser.enter(link)
    token = browser.csrf_token()
    return {"Cookie": f"folgetermin={browser.client.get_cookie('folgetermin').value}"}, token


def at_once(copies, send):
    """What each of so many senders got, all let go at the same moment."""
    barrier = threading.Barrier(copies)

    def one(number):
        barrier.wait()
        return send(number)

    with ThreadPoolExecutor(copies) as pool:
        return list(pool.map(one, range(copies)))


def post(url, fields, headers):
    opener = urllib.request.build_opener(NoRedirect)
    request = urllib.request.Request(url, urllib.parse.urlencode(fields).encode(), headers)
    try:
        answer = opener.open(request)
    except urllib.error.HTTPError as error:
        answer = error
    with answer:
        return answer.status, answer.headers.get("Location"), answer.read().decode()


@pytest.mark.parametrize("copies", [50, 200])
def test_of_many_copies_of_one_ballot_exactly_one_counts(
    app, in_house, people, vote, ballot, address, copies
):
    headers, token = visitor(app, people[0])
    fields = ballot(Papier=2, Zeit=1) | {"csrf_token": token}
    answers = at_once(copies, lambda _number: post(f"{address}/my/votes/{vote.id}", fields, headers))
    assert Counter(status for status, _to, _page in answers) == {303: 1, 409: copies - 1}
    assert all("Sie haben bereits abgestimmt" in page for status, _to, page in answers if status == 409)
    with in_house():
        assert (db.session.query(Ballot).count(), db.session.query(Voter).count()) == (1, 1)


def test_everybody_votes_while_the_vote_is_being_closed_and_the_result_holds_exactly_who_got_through(
    app, in_house, people, vote, ballot, address, organiser
):
    voters = [visitor(app, link) for link in people]
    closer = Browser(app).sign_in(organiser)
    closing = {"Cookie": f"folgetermin={closer.client.get_cookie('folgetermin').value}"}
    token = closer.csrf_token()
    closing["Cookie"] = f"folgetermin={closer.client.get_cookie('folgetermin').value}"

    def send(number):
        if number == len(voters):
            url = f"{address}/conferences/june-2023/votes/{vote.id}/closure"
            return post(url, {"csrf_token": token}, closing)
        headers, own = voters[number]
        return post(f"{address}/my/votes/{vote.id}", ballot(Papier=1) | {"csrf_token": own}, headers)

    *ballots, closed = at_once(len(voters) + 1, send)
    assert closed[0] == 303
    assert {status for status, _to, _page in ballots} <= {303, 409}
    with in_house():
        result = queries.vote_of(db.session.merge(vote_conference(vote)), vote.id).result
    counted = sum(status == 303 for status, _to, _page in ballots)
    assert result["voted"] == counted
    assert sum(row["dots"] for row in result["rows"]) == counted


def vote_conference(vote):
    from conference.conferences.models import Conference

    return db.session.get(Conference, vote.conference_id)


def test_of_many_copies_of_one_idea_exactly_one_is_stored_and_all_learn_its_number(
    app, in_house, june, address
):
    from conference.ideas.operations import open_collection
    from conference.ideas.queries import ideas_of, point_of

    with in_house():
        open_collection(db.session.merge(june), at=OPENED)
        code, before = point_of(june, "").code, len(ideas_of(june))
    headers, token = visitor(app)
    fields = {"csrf_token": token, "text": "Kein Kurs ohne Praktikum", "client_id": str(uuid4())}
    answers = at_once(50, lambda _number: post(f"{address}/ideas/{code}", fields, headers))
    assert {(status, to) for status, to, _page in answers} == {(303, f"/ideas/{code}/received/{before + 1}")}
    with in_house():
        assert len(ideas_of(june)) == before + 1


def test_three_hundred_phones_at_once_hand_in_three_hundred_ideas(app, in_house, june, address):
    from conference.ideas.operations import open_collection
    from conference.ideas.queries import ideas_of, point_of

    with in_house():
        open_collection(db.session.merge(june), at=OPENED)
        code, before = point_of(june, "").code, len(ideas_of(june))
    phones = [visitor(app) for _number in range(300)]

    def send(number):
        headers, token = phones[number]
        fields = {"csrf_token": token, "text": f"Idee {number}", "client_id": str(uuid4())}
        return post(f"{address}/ideas/{code}", fields, headers)

    with ThreadPoolExecutor(60) as pool:
        answers = list(pool.map(send, range(300)))
    assert Counter(status for status, _to, _page in answers) == {303: 300}
    with in_house():
        numbers = [idea.number for idea in ideas_of(june)]
    assert numbers == list(range(1, before + 301))
