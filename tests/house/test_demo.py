"""The demo: true to the scenario, loaded by operations, in its own time, all or nothing."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import DateTime

import conference.demo as loader
from conference import create_app
from conference.actions import queries as action_queries
from conference.actions.models import ActionStatus
from conference.agenda.models import ItemKind
from conference.agenda.queries import items_of
from conference.conferences.models import Conference, Series
from conference.conferences.queries import conference_by_slug, follower_of
from conference.demo import august, words
from conference.groups import queries as group_queries
from conference.ideas import queries as idea_queries
from conference.invitations.models import Reply
from conference.invitations.queries import guest_list, reply_counts
from conference.kit import unit
from conference.kit.db import Moment, db
from conference.kit.errors import Refused
from conference.minutes.queries import latest_release
from conference.outbox.models import Mail, MailState
from conference.registrations import queries as registration_queries
from conference.voting.queries import votes_of

from ..builders import a_conference
from ..conftest import SETTINGS

MONDAY = datetime(2023, 7, 3, 7, 0, tzinfo=UTC)
FUTURE = {"starts_at", "ends_at", "expires_at"}


def app_of(folder, **over):
    own_secret = {"SECRET_KEY": ""}  # links were made with the secret that lies in the folder
    return create_app(SETTINGS | own_secret | {"INSTANCE": folder, "DEMO": True} | over)


@pytest.fixture
def demo(demo_folder):
    """The demo, open for reading."""
    app = app_of(demo_folder)
    with app.app_context(), unit.reading():
        yield app
    with app.app_context():
        db.session.remove()
        db.engine.dispose()


def june():
    return conference_by_slug("june-2023")


def test_june_has_the_38_people_of_the_list_and_their_answers(demo):
    assert len(guest_list(june())) == 38
    counts = reply_counts(june())
    assert (counts[Reply.ACCEPTED], counts[Reply.DECLINED]) == (35, 2)
    assert sum(counts.values()) == 38


def test_june_was_worked_through_to_the_end(demo):
    people = len(registration_queries.participants(june()))
    plans = group_queries.plan_of(june())
    assert [len(plan.groups) for plan in plans] == [5, 5]
    assert all(sum(len(group.seats) for group in plan.groups) >= people - 1 for plan in plans)
    assert group_queries.latest_release(june()).number == 1
    assert len(idea_queries.ideas_of(june())) == 34
    assert {cluster.heading for cluster in idea_queries.clusters_of(june())} == set(words.CLUSTERS)
    (vote,) = votes_of(june())
    assert vote.closed_at is not None
    assert (
        sum(row["dots"] for row in vote.result["rows"])
        <= 5 * vote.result["voted"]
        <= 5 * vote.result["entitled"]
    )
    assert len(action_queries.decisions_of(june())) == 3
    assert latest_release(june()).number == 1


def test_every_idea_lies_in_a_cluster_but_the_one_that_became_august(demo):
    alone = [idea.text for idea in idea_queries.ideas_of(june()) if idea.cluster_id is None]
    assert alone == ["Nächstes Treffen im August: jeder Träger berichtet fünf Minuten"]


def test_the_six_actions_are_in_every_state(demo):
    actions = action_queries.actions_of(june())
    assert len(actions) == 6
    assert {action.status for action in actions} == set(ActionStatus)


def test_nothing_is_overdue_on_monday_by_accident(demo):
    ended = {ActionStatus.DONE, ActionStatus.DROPPED}
    due = [
        (a.title, a.due_on)
        for a in action_queries.actions_of(june())
        if a.status not in ended and a.due_on < date(2023, 7, 3)
    ]
    assert due == []


def test_nobody_who_works_on_an_action_was_absent(demo):
    there = {contact.id for contact in registration_queries.participants(june())}
    assert [a.title for a in action_queries.actions_of(june()) if a.responsible_id not in there] == []


def test_august_follows_june_and_takes_answers(demo):
    following = conference_by_slug("august-2023")
    assert follower_of(june()).id == following.id
    assert following.answer_by > date(2023, 7, 3)
    assert len(guest_list(following)) == 38
    counts = reply_counts(following)
    assert counts[Reply.ACCEPTED] > 3
    assert counts[Reply.DECLINED] == 1
    assert group_queries.rounds_of(following) == []
    assert votes_of(following) == []


def test_august_opens_with_what_became_of_june(demo):
    following = conference_by_slug("august-2023")
    reviews = [item for item in items_of(following) if item.kind is ItemKind.REVIEW]
    assert len(reviews) == 1
    titles = {action.title for action in action_queries.open_actions_before(following)}
    assert titles == {
        entry["title"]
        for entry in words.ACTIONS
        if not entry["reports"] or entry["reports"][-1][1] not in ("done", "dropped")
    }


def test_an_invitation_to_august_can_be_answered(demo_folder):
    from conference.invitations.models import LinkPurpose
    from conference.invitations.operations import personal_link
    from conference.kit import links

    from ..browser import Browser

    app = app_of(demo_folder)
    with app.app_context(), unit.writing():
        following = conference_by_slug("august-2023")
        waiting = next(one for one in guest_list(following) if one.reply is Reply.OPEN)
        link = personal_link(following, waiting.contact, LinkPurpose.INVITATION, at=MONDAY)
        token = links.token_of(link.nonce)
        name = waiting.contact.name
    browser = Browser(app)
    answer = {
        "reply": "accepted",
        "name": name,
        "diet": "",
        "access_needs": "",
        "first_wish": "",
        "second_wish": "",
        "third_wish": "",
    }
    browser.submit(f"/invitation/{token}", answer)
    assert browser.response.request.path == "/my"
    browser.open("groups.my_groups")
    assert browser.sees("noch nicht veröffentlicht")


def test_no_letter_waits_and_none_has_failed(demo):
    assert {mail.state for mail in db.session.query(Mail)} == {MailState.SENT}


def test_everything_happened_before_that_monday_morning_by_the_demos_clock(demo):
    late = []
    for table in db.metadata.sorted_tables:
        moments = [
            column
            for column in table.c
            if isinstance(column.type, Moment | DateTime) and column.name not in FUTURE
        ]
        for row in db.session.execute(db.select(*moments)) if moments else ():
            late += [
                (table.name, column.name, value)
                for column, value in zip(moments, row, strict=True)
                if value and not datetime(2023, 4, 1, tzinfo=UTC) <= value <= MONDAY
            ]
    assert late == []


def test_the_demo_is_loaded_by_operations_only():
    sources = Path(loader.__file__).parent.glob("*.py")
    assert [
        path.name for path in sources if "db.session.add" in path.read_text() or "insert(" in path.read_text()
    ] == []


# -- loading ---------------------------------------------------------------


def test_a_second_load_keeps_what_is_there(flask, demo_folder):
    app = app_of(demo_folder)
    with app.app_context(), unit.writing():
        conference_by_slug("august-2023").venue = "Rathaus"
    done = flask(demo_folder, "demo", demo=True)
    assert (done.returncode, done.stdout, done.stderr) == (
        0,
        "The demo is already loaded; its data are kept.\n",
        "",
    )
    with app.app_context(), unit.reading():
        assert conference_by_slug("august-2023").venue == "Rathaus"


def test_a_reset_starts_afresh(flask, demo_folder):
    app = app_of(demo_folder)
    with app.app_context(), unit.writing():
        conference_by_slug("august-2023").venue = "Rathaus"
    done = flask(demo_folder, "demo", "--reset", demo=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "The demo is loaded: June 2023 finished, August 2023 being prepared.\n"
    with app.app_context(), unit.reading():
        assert conference_by_slug("august-2023").venue == "Agentur für Arbeit Herford"


def test_a_reset_is_refused_where_no_demo_was_loaded(flask, tmp_path):
    flask(tmp_path, "prepare")
    done = flask(tmp_path, "demo", "--reset")
    assert done.returncode == 1
    assert (
        done.stderr
        == "Error: This is no demo database (the demo was never loaded here); nothing was deleted.\n"
    )


def test_a_reset_never_drops_a_database_that_is_no_demo_even_beside_a_demos_marker(app):
    Path(app.instance_path, "demo-clock").write_text("0\n")
    with app.app_context():
        with unit.writing():
            a_conference(slug="echt")
        with pytest.raises(Refused):
            loader.reset(app)
        with unit.reading():
            assert conference_by_slug("echt") is not None


def test_the_demo_is_refused_beside_other_series(app):
    with app.app_context():
        with unit.writing():
            a_conference(slug="echt")
        with pytest.raises(Refused, match="holds other conferences"):
            loader.load(app)
        with unit.reading():
            assert db.session.query(Series).count() == 1
    assert not Path(app.instance_path, "demo-clock").exists()


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_a_crash_half_way_leaves_nothing_and_the_next_load_is_whole(app, monkeypatch, error):
    def crash():
        raise error

    monkeypatch.setattr(loader.june, "hold", quick_june)
    with app.app_context():
        monkeypatch.setattr(august, "plan", crash)
        with pytest.raises(error):
            loader.load(app)
        assert not Path(app.instance_path, "demo-clock").exists()
        db.create_all()
        with unit.reading():
            assert db.session.query(Conference).count() == 0
        for part, step in ((august, "plan"), (loader.june, "conclude"), (august, "invite")):
            monkeypatch.setattr(part, step, lambda: None)
        assert loader.load(app).startswith("The demo is loaded")


def quick_june():
    """The first steps of June."""
    for step in (loader.june._staff, loader.june._conference):
        with unit.writing():
            step()


def test_the_demos_clock_starts_on_monday_when_it_is_loaded(app):
    from conference.kit import clock

    app.config["CLOCK_START"] = MONDAY
    with app.app_context():
        clock.anchor(app)
        assert abs(clock.now() - MONDAY) < timedelta(hours=1)
