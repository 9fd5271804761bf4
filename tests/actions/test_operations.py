"""Decisions, actions and their dated history."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from conference.actions import operations, queries
from conference.actions.models import Action, ActionStatus, Decision, Report
from conference.actions.operations import ActionFields, Source
from conference.agenda.operations import FollowUpFields, plan_follow_up
from conference.ideas import operations as ideas
from conference.kit.db import db
from conference.kit.errors import Refused, Stale

from ..builders import NOW, a_conference, a_contact, an_account, an_action, an_item, some_ideas

LATER = datetime(2023, 6, 20, 8, 0, tzinfo=UTC)
DUE = date(2023, 7, 14)


def origin(conference, kind):
    """Something of the conference that a decision or action may come from."""
    if kind == "idea":
        return some_ideas(conference, "Ein gemeinsamer Kalender")[0]
    if kind == "cluster":
        return ideas.make_cluster(conference, "Kalender")
    if kind == "agenda":
        return an_item(conference)
    return operations.decide(conference, "Wir machen es.", "", Source(), at=NOW)


def linked(thing):
    """The names of the links that are set, with their ids."""
    links = {name: getattr(thing, name, None) for name in operations.LINKS}
    return {name: number for name, number in links.items() if number is not None}


def fields_of(action, **over):
    """What is stored, as a form would send it."""
    fields = ActionFields(
        action.title,
        action.description,
        action.responsible_id,
        action.supporters,
        action.due_on,
        operations.source_of(action),
    )
    return replace(fields, **over)


def told(
    action, status=ActionStatus.IN_PROGRESS, due_on=DUE, text="", author="Ada Muster", version=1, at=LATER
):
    return operations.report(action, status, due_on, text, author, version, at=at)


COLUMNS = {"idea": "idea_id", "cluster": "cluster_id", "agenda": "agenda_item_id", "decision": "decision_id"}


@pytest.mark.parametrize("kind", ["idea", "cluster", "agenda"])
def test_a_decision_keeps_the_link_to_where_it_came_from(house, kind):
    conference = a_conference()
    thing = origin(conference, kind)
    decision = operations.decide(
        conference, "Es gibt einen Kalender.", "im Konsens", Source(kind, thing.id), at=NOW
    )
    assert linked(decision) == {COLUMNS[kind]: thing.id}


@pytest.mark.parametrize("kind", ["idea", "cluster", "agenda", "decision"])
def test_an_action_keeps_the_link_to_where_it_came_from(house, kind):
    conference = a_conference()
    thing = origin(conference, kind)
    action = an_action(conference, source=Source(kind, thing.id))
    assert linked(action) == {COLUMNS[kind]: thing.id}
    assert operations.source_of(action) == Source(kind, thing.id)


@pytest.mark.parametrize("kind", ["idea", "cluster", "agenda", "decision"])
def test_a_source_of_another_conference_is_refused(house, kind):
    account = an_account()
    conference, other = a_conference(account), a_conference(account, slug="other")
    foreign = Source(kind, origin(other, kind).id)
    with pytest.raises(Refused):
        an_action(conference, source=foreign)
    with pytest.raises(Refused):
        operations.decide(conference, "Nein", "", foreign, at=NOW)
    assert db.session.query(Action).count() == 0


def test_a_decision_of_another_conference_is_refused(house):
    account = an_account()
    conference, other = a_conference(account), a_conference(account, slug="other")
    with pytest.raises(Refused):
        an_action(conference, decision_id=origin(other, "decision").id)


def test_numbers_run_per_conference(house):
    account = an_account()
    conference, other = a_conference(account), a_conference(account, slug="other")
    made = [an_action(conference, "A"), an_action(other, "B"), an_action(conference, "C")]
    assert [action.number for action in made] == [1, 1, 2]


def test_an_unknown_person_cannot_be_responsible(house):
    conference = a_conference()
    with pytest.raises(Refused):
        operations.create_action(conference, ActionFields("A", "", 999, "", DUE), at=NOW)


def test_a_date_before_the_conference_is_refused_and_its_own_day_is_not(house):
    conference = a_conference()
    with pytest.raises(Refused):
        an_action(conference, due_on=conference.day - timedelta(days=1))
    assert an_action(conference, due_on=conference.day).due_on == conference.day


def test_the_same_action_sent_twice_counts_once(house):
    conference, ada = a_conference(), a_contact()
    an_action(conference, responsible=ada)
    with pytest.raises(Refused):
        an_action(conference, responsible=ada)
    assert len(queries.actions_of(conference)) == 1


def test_the_same_decision_sent_twice_counts_once(house):
    conference = a_conference()
    origin(conference, "decision")
    with pytest.raises(Refused):
        origin(conference, "decision")
    assert db.session.query(Decision).count() == 1


def test_a_new_action_begins_its_history_with_open(house):
    action = an_action(a_conference())
    assert [(entry.number, entry.status, entry.due_on) for entry in queries.history_of(action)] == [
        (1, ActionStatus.OPEN, DUE)
    ]


def test_every_change_of_status_leaves_a_dated_entry(house):
    action = an_action(a_conference())
    told(action)
    told(action, ActionStatus.DONE, text="Steht im Netz", version=2, at=LATER + timedelta(days=1))
    newest_first = [(entry.status, entry.text, entry.reported_at) for entry in queries.history_of(action)]
    assert newest_first == [
        (ActionStatus.DONE, "Steht im Netz", LATER + timedelta(days=1)),
        (ActionStatus.IN_PROGRESS, "", LATER),
        (ActionStatus.OPEN, "", action.created_at),
    ]
    assert action.status is ActionStatus.DONE


@pytest.mark.parametrize(
    ("status", "due_on"),
    [
        (ActionStatus.POSTPONED, DUE),
        (ActionStatus.DROPPED, DUE),
        (ActionStatus.OPEN, DUE + timedelta(days=7)),
    ],
)
def test_postponing_dropping_and_a_new_date_need_a_reason(house, status, due_on):
    action = an_action(a_conference())
    with pytest.raises(Refused):
        told(action, status, due_on)
    assert (action.status, action.due_on, db.session.query(Report).count()) == (ActionStatus.OPEN, DUE, 1)
    told(action, status, due_on, "Die Halle ist belegt")
    assert (action.status, action.due_on) == (status, due_on)


def test_a_date_cannot_move_before_the_conference(house):
    action = an_action(a_conference())
    with pytest.raises(Refused):
        told(action, due_on=date(2023, 6, 5), text="warum nicht")


def test_a_stale_report_carries_both_texts_and_writes_nothing(house):
    action = an_action(a_conference())
    told(action, text="Erste Fassung")
    with pytest.raises(Stale) as stale:
        told(action, ActionStatus.DONE, text="Zweite Fassung", author="Ben Probe")
    assert (stale.value.mine, "Erste Fassung" in stale.value.theirs) == ("Zweite Fassung", True)
    assert action.status is ActionStatus.IN_PROGRESS


def test_the_same_report_sent_twice_counts_once(house):
    action = an_action(a_conference())
    first, again = told(action, text="läuft"), told(action, text="läuft")
    assert first.id == again.id
    assert len(queries.history_of(action)) == 2


@pytest.mark.parametrize(
    ("status", "today", "overdue"),
    [
        (ActionStatus.OPEN, DUE, False),
        (ActionStatus.OPEN, DUE + timedelta(days=1), True),
        (ActionStatus.POSTPONED, DUE + timedelta(days=1), True),
        (ActionStatus.DONE, DUE + timedelta(days=1), False),
        (ActionStatus.DROPPED, DUE + timedelta(days=1), False),
    ],
)
def test_overdue_is_computed_from_date_and_status(house, status, today, overdue):
    action = an_action(a_conference())
    told(action, status, text="darum")
    assert action.is_overdue(today) is overdue


def test_a_correction_keeps_decision_and_cluster(house):
    conference = a_conference()
    cluster, decision = origin(conference, "cluster"), origin(conference, "decision")
    action = an_action(conference, source=Source("cluster", cluster.id), decision_id=decision.id)
    operations.change_action(conference, action, fields_of(action, title="Neu"), 1, at=LATER)
    assert action.title == "Neu"
    assert linked(action) == {"decision_id": decision.id, "cluster_id": cluster.id}


def test_a_correction_cannot_move_the_date(house):
    conference = a_conference()
    action = an_action(conference)
    with pytest.raises(Refused):
        operations.change_action(
            conference, action, fields_of(action, due_on=DUE + timedelta(days=1)), 1, at=LATER
        )
    assert action.due_on == DUE


def test_a_new_responsible_person_stands_in_the_history(house):
    conference, ben = a_conference(), a_contact(first_name="Ben", last_name="Probe")
    action = an_action(conference)
    operations.change_action(conference, action, fields_of(action, responsible_id=ben.id), 1, at=LATER)
    assert action.responsible is ben
    assert "Ben Probe" in queries.history_of(action)[0].text


def test_a_stale_correction_is_refused_and_the_same_correction_is_not(house):
    conference = a_conference()
    action = an_action(conference)
    operations.change_action(conference, action, fields_of(action, title="Neu"), 1, at=LATER)
    operations.change_action(conference, action, fields_of(action, title="Neu"), 1, at=LATER)
    with pytest.raises(Stale):
        operations.change_action(conference, action, fields_of(action, title="Anders"), 1, at=LATER)
    assert (action.title, action.version) == ("Neu", 2)


def test_a_stale_correction_of_a_decision_carries_both_texts(house):
    decision = origin(a_conference(), "decision")
    operations.change_decision(decision, "Erste", "", 1)
    operations.change_decision(decision, "Erste", "", 1)
    with pytest.raises(Stale) as stale:
        operations.change_decision(decision, "Zweite", "", 1)
    assert (stale.value.mine, stale.value.theirs, decision.version) == ("Zweite", "Erste", 2)


def test_what_a_decision_was_made_from_can_be_corrected(house):
    conference = a_conference()
    decision = operations.decide(conference, "Ja", "", Source(), at=NOW)
    cluster = ideas.make_cluster(conference, "Kalender")
    operations.change_decision(decision, "Ja", "", 1, Source("cluster", cluster.id))
    assert (decision.cluster_id, decision.version) == (cluster.id, 2)
    foreign = ideas.make_cluster(a_conference(slug="other"), "Fremd")
    with pytest.raises(Refused):
        operations.change_decision(decision, "Ja", "", 2, Source("cluster", foreign.id))
    operations.change_decision(decision, "Ja!", "", 2)
    assert decision.cluster_id == cluster.id


def test_a_source_knows_what_followed_from_it(house):
    conference = a_conference()
    cluster, other = (ideas.make_cluster(conference, heading) for heading in ("Kalender", "Kurse"))
    source = Source("cluster", cluster.id)
    decision = operations.decide(conference, "Ja", "", source, at=NOW)
    direct = an_action(conference, "Unmittelbar", source=source)
    through = an_action(conference, "Aus dem Beschluss", source=Source("decision", decision.id))
    found = queries.what_followed(conference, "cluster", cluster.id)
    assert (found.decisions, found.actions) == ([decision], [direct, through])
    assert queries.what_followed(conference, "cluster", other.id) == queries.Followed([], [])


def test_the_follow_up_sees_the_records_themselves_across_the_chain(house):
    account = an_account()
    june = a_conference(account)
    action = an_action(june)
    august = plan_follow_up(june, FollowUpFields("August", "august-2023", date(2023, 8, 8)), account, at=NOW)
    october = plan_follow_up(
        august, FollowUpFields("Oktober", "october-2023", date(2023, 10, 10)), account, at=NOW
    )
    assert [queries.open_actions_before(one) for one in (june, august, october)] == [[], [action], [action]]
    told(action, ActionStatus.DONE)
    assert queries.open_actions_before(october) == []
    assert db.session.query(Action).count() == 1
