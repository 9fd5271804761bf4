"""T19: each guest counts for themselves: nobody is turned away for who sits behind the same address, and nobody fills the outbox."""

import pytest
from sqlalchemy import func, select

from conference.kit.db import db
from conference.outbox.models import Mail
from conference.registrations import operations as registrations

from ..browser import Browser
from ..builders import NOW, a_conference, a_personal_link, an_answer, an_invitation


@pytest.fixture
def settings(settings):
    return settings | {"RATELIMIT_ENABLED": True, "CLOCK_START": NOW}


def post(browser, path, **fields):
    data = {"csrf_token": browser.csrf_token()} | fields
    return browser.client.post(path, data=data).status_code


def letters(in_house, kind):
    with in_house():
        return db.session.scalar(select(func.count(Mail.id)).where(Mail.kind == kind))


def test_t19_a_whole_agency_behind_one_address_asks_for_its_data(app, in_house):
    with in_house():
        june = a_conference()
        links = [a_personal_link(an_invitation(june, sent=True)) for _ in range(30)]
    assert {post(Browser(app).enter(link), "/my/data/link") for link in links} == {303}
    assert letters(in_house, "privacy-access") == 30


def test_t19_one_guest_does_not_fill_the_outbox_and_keeps_nobody_from_anything(app, in_house):
    with in_house():
        june = a_conference()
        guests = [an_invitation(june, sent=True) for _ in range(2)]
        links = [a_personal_link(guest) for guest in guests]
        for guest in guests:
            registrations.accept(guest, an_answer(name=guest.contact.name), at=NOW)
    one, other = (Browser(app).enter(link) for link in links)
    assert post(one, "/my/registration", version="1", name="") == 422, "what is wrong counts nothing"
    answers = [
        post(one, "/my/registration", version=str(number + 1), name="Ada Muster", diet=f"x{number}")
        for number in range(20)
    ]
    assert answers == [303] * 12 + [429] * 8
    assert {post(one, path) for path in ("/my/withdrawal", "/my/return", "/my/data/link")} == {429}
    assert letters(in_house, "changed") == 12
    assert post(other, "/my/registration", version="1", name="Ada Muster", diet="vegan") == 303


def test_t19_who_gives_and_takes_back_consents_for_ever_has_to_wait(app, in_house):
    with in_house():
        guest = an_invitation(a_conference(), sent=True)
        link = a_personal_link(guest)
        registrations.accept(guest, an_answer(name=guest.contact.name), at=NOW)
    browser = Browser(app).enter(link)
    assert [post(browser, "/my/consents/photo/withdrawal") for _ in range(62)] == [303] * 60 + [429] * 2
