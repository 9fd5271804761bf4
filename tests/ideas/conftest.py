"""A June conference on its day, with five tables and two rounds."""

from datetime import UTC, datetime

import pytest

from ..builders import a_conference, a_table_plan


@pytest.fixture
def settings():
    return {"CLOCK_START": datetime(2023, 6, 6, 9, 30, tzinfo=UTC)}


@pytest.fixture
def june(in_house, organiser):
    with in_house():
        conference = a_conference(organiser)
        a_table_plan(conference)
        return conference


@pytest.fixture
def open_june(in_house, june):
    from conference.ideas.operations import open_collection
    from conference.kit.db import db

    with in_house():
        open_collection(db.session.merge(june), at=datetime(2023, 6, 6, 9, 0, tzinfo=UTC))
    return june


@pytest.fixture
def code_of(in_house, june):
    """The code of a table; the plenary has the name ""."""
    from conference.ideas.queries import point_of

    def look(table=""):
        with in_house():
            return point_of(june, table).code

    return look


@pytest.fixture
def ideas(in_house, june):
    """All ideas as they are stored now, hidden ones too."""
    from conference.ideas.queries import ideas_of

    def look():
        with in_house():
            return ideas_of(june, hidden=True)

    return look
