"""Two tables in two rounds, published, with a code at each table."""

from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from conference.agenda.queries import breakout_items
from conference.conferences.queries import conference_by_slug
from conference.groups import operations as groups
from conference.groups.models import Seat
from conference.groups.queries import groups_of
from conference.ideas import operations as ideas
from conference.invitations import operations as invitations
from conference.invitations.models import LinkPurpose
from conference.kit.db import db
from conference.registrations.queries import participants
from conference.sheets import queries
from conference.sheets.models import SheetState

from ..builders import NOW, a_small_day, a_table_plan


@pytest.fixture
def settings():
    return {"CLOCK_START": datetime(2023, 6, 6, 8, 30, tzinfo=UTC)}


@pytest.fixture
def day(in_house, organiser):
    """The first round is on; one person sits at table A, in both rounds."""
    with in_house():
        conference = a_small_day(organiser, people=1, rounds=2)
        rounds = a_table_plan(conference, tables="AB")
        [person] = participants(conference)
        for round_, item in zip(rounds, breakout_items(conference), strict=True):
            round_.agenda_item = item
            group = groups_of(round_)[0]
            db.session.add(Seat(round_id=round_.id, group_id=group.id, contact_id=person.id))
        groups.publish(conference, organiser, at=NOW)
        codes = {point.table: point.code for point in ideas.points_for(conference)}
        link = invitations.personal_link(conference, person, LinkPurpose.INVITATION, at=NOW)
        return SimpleNamespace(
            slug=conference.slug, code=codes["A"], codes=codes, link=link, name=person.name
        )


@pytest.fixture
def june(day):
    """`june()` reads the conference anew, inside `in_house`."""
    return lambda: conference_by_slug(day.slug)


@pytest.fixture
def at_table(browser, day):
    """`at_table({...})` opens the sheet of table A in the first round, writes into it and presses a button."""

    def write(fields, step="save", *, status=303, who=browser, **over):
        where = {"code": day.code, "number": 1}
        who.open("sheets.fill_sheet", **where)
        sent = seen(who) | {"step": step} | fields | over
        return who.submit("sheets.fill_sheet", sent, status=status, **where)

    return write


def seen(browser):
    """The hidden fields of the sheet that is open."""
    return {name: browser.value_of(name) for name in ("version", "client_id")}


@pytest.fixture
def states(in_house):
    """All saved states as (number, results, handed in, by)."""

    def look():
        with in_house():
            rows = db.session.query(SheetState).order_by(SheetState.sheet_id, SheetState.number)
            return [(row.number, row.results, row.handed_in, row.by) for row in rows]

    return look


@pytest.fixture
def tables(in_house, june):
    """The tables of the first round by name."""

    def look():
        with in_house():
            return {table.name: table for table in queries.tables_of(june())[0].tables}

    return look
