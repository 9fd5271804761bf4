"""What the tests of the guest list share: an organiser, the June conference, people on its list."""

from datetime import timedelta

import pytest

from conference.invitations import operations
from conference.invitations.models import Invitation
from conference.kit.db import db

from ..builders import NOW, a_conference, an_invitation

SLUG = "june-2023"
HOUR = timedelta(hours=1)


@pytest.fixture
def settings():
    return {"CLOCK_START": NOW}


@pytest.fixture
def june(in_house, organiser):
    with in_house():
        return a_conference(organiser)


@pytest.fixture
def staff(browser, organiser, june):
    return browser.sign_in(organiser)


@pytest.fixture
def guests(in_house, june):
    """Put people on the list; with sent=True their invitations are queued."""

    def add(number=1, *, sent=False, **over):
        with in_house():
            conference = db.session.merge(june)
            people = [an_invitation(conference, **over) for _number in range(number)]
            if sent:
                operations.send_invitations(conference, people, at=NOW)
            for person in people:
                assert person.contact.provider.name
            return people

    return add


@pytest.fixture
def again(app):
    """A row as the database has it now, with person and conference."""

    def read(row):
        with app.app_context():
            found = db.session.get(type(row), row.id)
            if isinstance(found, Invitation):
                assert found.contact.provider.name and found.conference.series.title
            db.session.expunge_all()
            return found

    return read
