"""The draft: compiled from what the rooms hold, and nothing else."""

from datetime import UTC, date, datetime, time

import pytest

from conference.actions import operations as actions
from conference.actions.models import ActionStatus
from conference.agenda.operations import FollowUpFields, plan_follow_up
from conference.core.minutes import (
    ActionLine,
    ClusterLine,
    DecisionLine,
    PersonLine,
    VoteResult,
    VoteRow,
    plain_text,
    to_json,
)
from conference.groups.models import Group, Seat
from conference.ideas import operations as ideas
from conference.kit.db import db
from conference.kit.errors import Refused, Stale
from conference.minutes import operations, queries
from conference.registrations import operations as registrations
from conference.registrations.models import Presence

from ..builders import NOW, a_conference, a_table_plan, an_account, an_action
from .conftest import EVENING, MORNING, write_frame


def draft_of(day):
    return queries.compile_draft(day.june, at=EVENING)


def names(lines):
    return [line.name for line in lines]


def test_attendance_is_what_was_recorded_never_what_was_answered(day):
    found = draft_of(day).attendance
    assert [names(found.present), names(found.excused), names(found.absent), names(found.guests)] == [
        ["Ada Anwesend"], ["Eva Entschuldigt"], ["Abel Abwesend"], ["Gundula Gast"],
    ]  # fmt: skip


def test_who_only_registered_stands_nowhere(day):
    write_frame(day.june)
    assert "Nur Angemeldet" not in to_json(draft_of(day))


def test_late_and_early_people_have_their_times(day):
    late, early = datetime(2023, 6, 6, 8, 15, tzinfo=UTC), datetime(2023, 6, 6, 11, 0, tzinfo=UTC)
    registrations.record_attendance(
        day.june, day.excused.id, Presence.PRESENT, at=MORNING, arrived_at=late, left_at=early
    )
    person = next(line for line in draft_of(day).attendance.present if line.name == "Eva Entschuldigt")
    assert (person.arrived, person.left) == (time(10, 15), time(13, 0))


def test_notes_are_markdown_at_their_item_and_breaks_have_no_number(day):
    agenda = draft_of(day).agenda
    assert [(topic.number, topic.title, topic.result_markdown) for topic in agenda] == [
        ("1", "Begrüßung", "Wir **beginnen** mit <b>Dank</b>."), ("", "Kaffee", ""),
    ]  # fmt: skip
    html = operations.html_of(draft_of(day))
    assert "<strong>beginnen</strong>" in html and "<b>Dank</b>" not in html


def test_internal_items_their_notes_and_titles_never_appear(day):
    source = actions.Source("agenda", day.internal.id)
    actions.decide(day.june, "Ein Beschluss", "", source, at=EVENING)
    an_action(day.june, "Eine Maßnahme", source=source)
    document = draft_of(day)
    for text in (to_json(document), plain_text(document), operations.html_of(document)):
        assert "Geheimes Vorgespräch" not in text and "bleibt unter uns" not in text
        assert "Ein Beschluss" not in text and "Eine Maßnahme" not in text
    counts = queries.draft_counts(day.june)
    assert (counts.decisions, counts.actions) == (len(document.decisions), len(document.actions)) == (1, 1)


def test_what_came_from_an_internal_decision_stays_internal_too(day):
    decision = actions.decide(
        day.june, "Ein Beschluss", "", actions.Source("agenda", day.internal.id), at=EVENING
    )
    an_action(day.june, "Eine Maßnahme", source=actions.Source("decision", decision.id))
    assert "Eine Maßnahme" not in to_json(draft_of(day))
    assert queries.draft_counts(day.june).actions == 1


def test_the_text_of_a_hidden_idea_is_no_reason_either(day):
    actions.decide(day.june, "Ein Beschluss", "", actions.Source("idea", day.parked.id), at=EVENING)
    ideas.hide(day.parked, at=EVENING)
    assert "Mehr Kaffee" not in to_json(draft_of(day))


def test_a_group_lists_who_was_there_and_not_who_only_had_a_seat(day):
    [first] = a_table_plan(day.june, rounds=1, tables="A")
    group = db.session.query(Group).one()
    for person in (day.present, day.excused, day.absent):
        db.session.add(Seat(round_id=first.id, group_id=group.id, contact_id=person.id))
    db.session.flush()
    [table] = [table for one in draft_of(day).rounds for table in one.tables]
    assert table.people == ("Ada Anwesend",)


def test_the_distribution_list_names_the_organisations_of_those_who_get_the_letter(day):
    readers = queries.readers_of(day.june)
    assert sorted(entry.contact.name for entry in readers) == [
        "Ada Anwesend",
        "Eva Entschuldigt",
        "Gundula Gast",
    ]
    assert set(draft_of(day).distribution) == {entry.contact.provider.name for entry in readers}


def test_the_follow_up_lists_the_earlier_actions_as_they_stand(day):
    fields = FollowUpFields("Bildungsträgerkonferenz August", "august-2023", date(2023, 8, 8))
    august = plan_follow_up(day.june, fields, an_account(), at=NOW)
    actions.report(day.action, ActionStatus.IN_PROGRESS, day.action.due_on, "läuft", "Ada", 1, at=EVENING)
    [earlier] = queries.compile_draft(august, at=EVENING).earlier
    assert (earlier.title, earlier.status, earlier.source) == (
        "Tabelle aufsetzen",
        "in_progress",
        day.june.title,
    )


def test_clusters_hold_their_ideas_and_dots_and_the_rest_is_parked(day):
    document = draft_of(day)
    assert document.clusters == (ClusterLine(1, "Kalender", ("Ein gemeinsamer Kalender",), 3),)
    assert document.parked == ("Mehr Kaffee",)


def test_a_hidden_idea_does_not_appear(day):
    ideas.hide(day.parked, at=EVENING)
    assert "Mehr Kaffee" not in to_json(draft_of(day))


def test_a_closed_vote_stands_with_its_turnout(day):
    rows = (VoteRow(1, "Kalender", 3, 1),)
    assert draft_of(day).votes == (VoteResult("Womit beginnen wir?", 3, 2, 1, rows),)


def test_decisions_and_actions_name_where_they_came_from(day):
    document = draft_of(day)
    assert document.decisions == (
        DecisionLine("1", "Es gibt einen Kalender.", "im Konsens", "Kalender", ("1",)),
    )
    due = date(2023, 7, 14)
    assert document.actions == (
        ActionLine("1", "Tabelle aufsetzen", "Ada Anwesend", ("Ben", "Cem"), due, "open", "", "1", "Haus A"),
    )


def test_what_came_from_an_agenda_item_stands_there(day):
    source = actions.Source("agenda", day.item.id)
    actions.decide(day.june, "Ein Beschluss", "", source, at=EVENING)
    an_action(day.june, "Eine Maßnahme", source=source)
    topic = draft_of(day).agenda[0]
    assert (topic.decisions, topic.actions) == (("2",), ("2",))


def test_the_next_conference_is_the_next_appointment(day):
    fields = FollowUpFields("Bildungsträgerkonferenz August", "august-2023", date(2023, 8, 8))
    plan_follow_up(day.june, fields, an_account(), at=NOW)
    appointment = draft_of(day).next_appointment
    assert (appointment.day, appointment.begin, appointment.note) == (
        date(2023, 8, 8),
        time(9, 30),
        fields.title,
    )


def test_the_frame_names_people_and_the_day(day):
    write_frame(day.june)
    document = draft_of(day)
    assert (document.chair, document.moderator, document.minute_taker) == (
        "Vera Vorsitz",
        "Max Mitte",
        "Nora Beispiel",
    )
    assert document.summary_markdown == "Ein **guter** Tag."
    assert document.signatures == (
        PersonLine("Vera Vorsitz", function="chair"), PersonLine("Nora Beispiel", function="minute_taker"),
    )  # fmt: skip


def test_an_empty_conference_has_a_draft_too(house):
    document = queries.compile_draft(a_conference(), at=EVENING)
    assert (document.released, document.version, document.agenda, document.chair) == (False, 1, (), "")
    assert "Entwurf – nicht freigegeben" in plain_text(document)


def test_a_stale_frame_is_refused_with_both_texts(day):
    write_frame(day.june, version=0)
    write_frame(day.june, version=1, summary="Erste")
    with pytest.raises(Stale) as stale:
        write_frame(day.june, version=1, summary="Zweite")
    assert "Zweite" in stale.value.mine and "Erste" in stale.value.theirs


def test_two_who_write_the_first_frame_do_not_overwrite_each_other(day):
    write_frame(day.june, version=0)
    with pytest.raises(Stale):
        write_frame(day.june, version=0, summary="Anders")


@pytest.mark.parametrize("lacking", ["chair", "minute_taker"])
def test_a_release_needs_chair_and_minute_taker(day, lacking):
    write_frame(day.june, **{lacking: ""})
    with pytest.raises(Refused):
        operations.check_releasable(draft_of(day))


def test_a_release_needs_somebody_present(day):
    write_frame(day.june)
    operations.check_releasable(draft_of(day))
    for person in (day.present, day.guest):
        registrations.record_attendance(day.june, person.id, Presence.ABSENT, at=EVENING)
    with pytest.raises(Refused):
        operations.check_releasable(draft_of(day))


@pytest.mark.parametrize("number", [1, 3, 30])
def test_the_draft_takes_the_same_number_of_queries(day, count_queries, number):
    for place in range(number):
        actions.decide(day.june, f"Beschluss {place}", "", actions.Source(), at=EVENING)
        an_action(day.june, f"Maßnahme {place}")
    with count_queries() as seen:
        draft_of(day)
    assert len(seen) <= 25
