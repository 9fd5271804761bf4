"""Personal links: secret, lasting, revocable, and looking changes nothing."""

import re
from datetime import timedelta

import pytest

from conference.invitations import operations, queries
from conference.invitations.models import LinkPurpose, PersonalLink
from conference.kit import links
from conference.kit.db import db

from ..builders import NOW, a_conference, an_account, an_invitation

BOTH = list(LinkPurpose)


@pytest.fixture
def guest(house):
    return an_invitation(a_conference(an_account()))


def a_link(guest, purpose=LinkPurpose.INVITATION, at=NOW):
    return operations.personal_link(guest.conference, guest.contact, purpose, at=at)


@pytest.mark.parametrize("purpose", BOTH)
def test_the_token_opens_the_link_and_is_nowhere_in_the_database(guest, purpose):
    link = a_link(guest, purpose)
    token = links.token_of(link.nonce)
    assert queries.link_by_token(token, NOW) is link
    assert len(token) == 43
    assert token not in str([str(value) for value in vars(link).values()])


def test_one_link_serves_all_letters(guest):
    assert a_link(guest) is a_link(guest, at=NOW + timedelta(days=30))
    assert a_link(guest, LinkPurpose.ACTION) is not a_link(guest)


def test_after_a_change_of_the_key_letters_carry_a_link_that_opens_and_the_old_one_goes_on(
    guest, app, monkeypatch
):
    old = a_link(guest)
    token = links.token_of(old.nonce)
    monkeypatch.setitem(app.config, "SECRET_KEY", "another secret of at least 32 characters, made later")
    new = a_link(guest)
    assert queries.link_by_token(links.token_of(new.nonce), NOW) is new
    assert queries.link_by_token(token, NOW) is old
    assert a_link(guest) is new


@pytest.mark.parametrize("wrong", ["", "x", "ä" * 43, "~link-" + "0" * 64 + "~", "a" * 10_000, "\ud800"])
def test_a_wrong_token_opens_nothing(guest, wrong):
    a_link(guest)
    assert queries.link_by_token(wrong, NOW) is None


def test_neither_hash_nor_nonce_is_a_token(guest):
    link = a_link(guest)
    assert queries.link_by_token(link.token_hash, NOW) is None
    assert queries.link_by_token(link.nonce, NOW) is None


def test_a_link_lasts_until_twelve_months_after_the_conference(guest):
    link = a_link(guest)
    last = guest.conference.ends_at + timedelta(days=365)
    token = links.token_of(link.nonce)
    assert queries.link_by_token(token, last - timedelta(seconds=1)) is link
    assert queries.link_by_token(token, last) is None
    assert queries.link_by_session(link.id, "", last - timedelta(seconds=1)) is link
    assert queries.link_by_session(link.id, "", last) is None


def test_a_link_lasts_longer_when_the_conference_moves(guest):
    link = a_link(guest)
    guest.conference.ends_at += timedelta(days=90)
    assert a_link(guest).expires_at == guest.conference.ends_at + timedelta(days=365)
    assert a_link(guest) is link


def test_revoked_links_open_nothing_by_token_or_cookie(guest):
    old = [a_link(guest, purpose) for purpose in BOTH]
    operations.revoke_links(guest, at=NOW)
    for link in old:
        assert queries.link_by_token(links.token_of(link.nonce), NOW) is None
        assert queries.link_by_session(link.id, "", NOW) is None
    assert a_link(guest) not in old


@pytest.mark.parametrize(
    ("purpose", "path"), [(LinkPurpose.INVITATION, "invitation"), (LinkPurpose.ACTION, "action")]
)
def test_the_address_carries_the_mark_unchanged(guest, purpose, path):
    link = a_link(guest, purpose)
    address = operations.link_url(link)
    assert address == f"https://folgetermin.example/{path}/~link-{link.nonce}~"
    assert links.reveal(address) == f"https://folgetermin.example/{path}/{links.token_of(link.nonce)}"


def test_no_two_people_have_the_same_link(house):
    june = a_conference(an_account())
    tokens = {links.token_of(a_link(an_invitation(june)).nonce) for _number in range(20)}
    assert len(tokens) == 20
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{43}", token) for token in tokens)


def everything(app):
    with app.app_context():
        tables = db.metadata.sorted_tables
        return {table.name: [tuple(row) for row in db.session.execute(table.select())] for table in tables}


@pytest.mark.parametrize("method", ["get", "head"])
def test_opening_a_link_changes_nothing(app, in_house, method):
    app.config["CLOCK_START"] = NOW
    with in_house():
        guest = an_invitation(a_conference(an_account()))
        operations.send_invitations(guest.conference, [guest], at=NOW)
        token = links.token_of(db.session.scalars(db.select(PersonalLink)).one().nonce)
    before = everything(app)
    client = app.test_client()
    for headers in ({}, {"Sec-Purpose": "prefetch"}, {"User-Agent": "Mozilla/5.0 (scanner)"}):
        assert getattr(client, method)(f"/invitation/{token}", headers=headers).status_code == 200
    assert everything(app) == before
