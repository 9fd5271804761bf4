"""What needs attention appears, and goes away by doing it."""

from datetime import UTC, date, datetime, time, timedelta

import pytest

from conference.actions import operations as actions
from conference.actions.models import ActionStatus
from conference.agenda import operations as agenda
from conference.agenda.models import ItemKind
from conference.agenda.queries import warnings_of
from conference.conferences import operations as conferences
from conference.core.lifecycle import needs
from conference.groups import operations as groups
from conference.groups.queries import groups_of, rounds_of
from conference.ideas import operations as ideas
from conference.invitations import operations as invitations
from conference.kit.db import db
from conference.outbox.models import MailState
from conference.overview import queries
from conference.registrations import operations as registrations
from conference.registrations.models import Presence
from conference.registrations.queries import seat_counts
from conference.voting import operations as voting
from conference.voting.models import VoteSubject

from ..builders import NOW, a_conference, a_contact, a_mail, an_account, an_answer, an_invitation, some_ideas

MORNING = datetime(2023, 6, 6, 8, 0, tzinfo=UTC)
NEXT_DAY = datetime(2023, 6, 7, 8, 0, tzinfo=UTC)


@pytest.fixture
def organiser(house):
    return an_account()


@pytest.fixture
def june(organiser):
    return a_conference(organiser)


def asked(conference, at=NOW):
    """What needs a hand, with the number."""
    return {need.code: need.count for need in needs(queries.life_of(conference, at))}


def an_item(conference, kind=ItemKind.PLENARY, clock=time(9, 30), minutes=45, title="Begrüßung", room=None):
    fields = agenda.ItemFields(
        kind, title, "", date(2023, 6, 6), clock, timedelta(minutes=minutes), room, "", False
    )
    return agenda.add_item(conference, fields, at=NOW)


def a_guest(conference, answered=True, **over):
    invitation = an_invitation(conference, sent=True, **over)
    if answered:
        registrations.accept(invitation, an_answer(), at=NOW)
    return invitation


def seated(conference, organiser, people=4):
    """A breakout item with people who come."""
    an_item(conference, ItemKind.BREAKOUT, title="Runde 1")
    for _number in range(people):
        a_guest(conference)
    groups.prepare_rounds(conference)
    groups.form_groups(conference, 2, organiser, at=NOW, iterations=5)


def test_the_agenda_is_asked_for_until_it_has_an_item(june):
    assert asked(june)["no_agenda"] == 1
    an_item(june)
    assert "no_agenda" not in asked(june)


def test_guests_are_asked_for_until_somebody_is_on_the_list_and_then_letters(june):
    assert asked(june)["no_guests"] == 1
    invitation = an_invitation(june)
    assert "no_guests" not in asked(june)
    assert asked(june)["letters_unsent"] == 1
    invitations.send_invitations(june, [invitation], at=NOW)
    assert "letters_unsent" not in asked(june)


def test_old_entries_in_calendars_are_counted_until_the_change_is_told(june):
    from dataclasses import replace

    from conference.conferences.operations import change_conference

    from ..builders import JUNE

    guests = [an_invitation(june) for _number in range(3)]
    invitations.send_invitations(june, guests[:2], at=NOW)
    assert "calendars_outdated" not in asked(june)
    change_conference(june, replace(JUNE, venue="Kreishaus"), None, at=NOW)
    assert asked(june)["calendars_outdated"] == 2
    invitations.send_updates(june, at=NOW)
    assert "calendars_outdated" not in asked(june)


def test_missing_answers_are_counted_until_people_answer(june):
    guests = [a_guest(june, answered=False) for _number in range(2)]
    assert asked(june)["answers_missing"] == 2
    registrations.accept(guests[0], an_answer(), at=NOW)
    registrations.decline(guests[1], "Urlaub", at=NOW)
    assert "answers_missing" not in asked(june)


def test_failed_letters_are_counted_until_they_are_tried_again(june):
    mail = a_mail(about=june.slug)
    a_mail(about="other")
    mail.state = MailState.FAILED
    assert asked(june)["mails_failed"] == 1
    mail.state = MailState.QUEUED
    assert "mails_failed" not in asked(june)


def test_agenda_warnings_appear_and_go(june):
    hall, chamber = conferences.add_room(june, "Saal", 60), conferences.add_room(june, "Kammer", 1)
    db.session.flush()
    an_item(june, room=hall.id)
    in_the_hall = asked(june).get("agenda_warnings", 0)
    narrow = an_item(june, clock=time(10, 15), title="Vortrag", room=chamber.id)
    assert asked(june)["agenda_warnings"] > in_the_hall
    agenda.remove_item(narrow, at=NOW)
    assert asked(june).get("agenda_warnings", 0) == in_the_hall


def test_breakout_items_want_groups_then_a_release_then_a_newer_one(june, organiser):
    an_item(june, ItemKind.BREAKOUT, title="Runde 1")
    assert "groups_missing" not in asked(june), "nobody has registered yet"
    for _number in range(4):
        a_guest(june)
    assert asked(june)["groups_missing"] == 1
    groups.prepare_rounds(june)
    groups.form_groups(june, 2, organiser, at=NOW, iterations=5)
    assert "groups_missing" not in asked(june)
    assert asked(june)["groups_unpublished"] == 1
    groups.publish(june, organiser, at=NOW)
    assert not {"groups_unpublished", "groups_changed"} & asked(june).keys()
    groups.change_group(june, groups_of(rounds_of(june)[0])[0], None, None, "Wie fangen wir an?")
    assert asked(june)["groups_changed"] == 1
    groups.publish(june, organiser, at=NOW)
    assert "groups_changed" not in asked(june)


def test_a_moved_person_makes_the_published_groups_old(june, organiser):
    seated(june, organiser)
    groups.publish(june, organiser, at=NOW)
    round_ = rounds_of(june)[0]
    one, other = groups_of(round_)
    seat = next(seat for plan in groups.queries.plan_of(june) for seat in plan.groups[0].seats)
    groups.move_seat(
        june,
        round_.id,
        seat.contact_id,
        other.id if seat.group_id == one.id else one.id,
        round_.version,
        at=NOW,
    )
    assert asked(june)["groups_changed"] == 1


def test_tables_want_codes_shortly_before_the_day(june, organiser):
    seated(june, organiser)
    assert "tables_without_code" not in asked(june)
    assert asked(june, MORNING)["tables_without_code"] == 2
    ideas.points_for(june)
    assert "tables_without_code" not in asked(june, MORNING)


def test_attendance_is_asked_for_on_the_day_and_after(june):
    guests = [a_guest(june) for _number in range(2)]
    assert "attendance_unrecorded" not in asked(june)
    assert asked(june, MORNING)["attendance_unrecorded"] == 2
    registrations.record_attendance(june, guests[0].contact_id, Presence.PRESENT, at=MORNING)
    assert asked(june, NEXT_DAY)["attendance_unrecorded"] == 1
    registrations.record_attendance(june, guests[1].contact_id, Presence.ABSENT, at=MORNING)
    assert "attendance_unrecorded" not in asked(june, NEXT_DAY)


def test_loose_ideas_and_an_open_collection_are_asked_for_after_the_day(june):
    idea = some_ideas(june, "Ein Kalender mit allen Kursen")[0]
    assert {"ideas_loose": 1, "collection_open": 1}.items() <= asked(june, NEXT_DAY).items()
    ideas.put_into(idea, ideas.make_cluster(june, "Kurskalender"), idea.version)
    ideas.close_collection(june, at=NEXT_DAY)
    assert not {"ideas_loose", "collection_open"} & asked(june, NEXT_DAY).keys()


def test_a_vote_is_asked_for_until_it_is_closed(june):
    guest = a_guest(june)
    registrations.record_attendance(june, guest.contact_id, Presence.PRESENT, at=MORNING)
    for number, idea in enumerate(some_ideas(june, "Kalender", "Sprechstunde")):
        ideas.put_into(idea, ideas.make_cluster(june, f"Bündel {number}"), idea.version)
    vote = voting.create_vote(june, "Was zuerst?", VoteSubject.CLUSTERS, 3, 2, at=MORNING)
    db.session.flush()
    assert asked(june, NEXT_DAY)["votes_unopened"] == 1
    voting.open_vote(vote, at=MORNING)
    assert asked(june, NEXT_DAY)["votes_open"] == 1
    voting.close_vote(vote, at=MORNING)
    assert not {"votes_unopened", "votes_open"} & asked(june, NEXT_DAY).keys()


def test_decisions_want_an_action_and_actions_a_report(june):
    contact = a_guest(june).contact
    decision = actions.decide(june, "Wir führen einen Kalender.", "im Konsens", actions.Source(), at=MORNING)
    assert asked(june, NEXT_DAY)["decisions_without_action"] == 1
    fields = actions.ActionFields(
        "Kalender bauen", "", contact.id, "", date(2023, 7, 14), decision_id=decision.id
    )
    action = actions.create_action(june, fields, at=MORNING)
    assert "decisions_without_action" not in asked(june, NEXT_DAY)
    assert "actions_silent" not in asked(june, NEXT_DAY), "the next day is too early to ask"
    later = MORNING + timedelta(days=20)
    assert asked(june, later)["actions_silent"] == 1
    actions.report(
        action,
        ActionStatus.IN_PROGRESS,
        action.due_on,
        "Vorlage steht.",
        "Ada Muster",
        action.version,
        at=later,
    )
    assert "actions_silent" not in asked(june, later)
    assert asked(june, MORNING + timedelta(days=60))["actions_overdue"] == 1
    actions.report(
        action, ActionStatus.DONE, action.due_on, "Er steht.", "Ada Muster", action.version, at=later
    )
    assert "actions_overdue" not in asked(june, MORNING + timedelta(days=60))


def test_an_action_is_overdue_from_the_day_after_its_date_on_the_conferences_own_calendar(june):
    fields = actions.ActionFields("Kalender bauen", "", a_guest(june).contact_id, "", date(2023, 7, 14))
    actions.create_action(june, fields, at=MORNING)
    last_minute = datetime(2023, 7, 14, 21, 59, tzinfo=UTC)
    assert "actions_overdue" not in asked(june, last_minute)
    assert asked(june, last_minute + timedelta(minutes=1))["actions_overdue"] == 1


def test_the_follow_up_is_asked_for_until_it_is_planned(june, organiser):
    assert asked(june, NEXT_DAY)["follow_up_missing"] == 1
    fields = agenda.FollowUpFields(
        "Bildungsträgerkonferenz August 2023", "august-2023", date(2023, 8, 22), date(2023, 8, 11)
    )
    agenda.plan_follow_up(june, fields, organiser, at=NEXT_DAY)
    db.session.flush()
    assert "follow_up_missing" not in asked(june, NEXT_DAY)


def test_another_conferences_records_are_not_counted(june, organiser):
    other = a_conference(organiser, slug="other", title="Andere Konferenz")
    a_guest(other, answered=False)
    some_ideas(other, "Woanders gedacht")
    assert asked(june) == {"no_agenda": 1, "no_guests": 1}
    assert asked(june, NEXT_DAY) == {"minutes_unreleased": 1, "follow_up_missing": 1}


def test_the_counts_agree_with_the_rooms_own_queries(june):
    for number in range(3):
        a_guest(june, answered=number > 0)
    a_contact()
    facts = queries.life_of(june, NOW)
    seats = seat_counts(june)
    assert (facts.confirmed, facts.waiting, facts.free_seats) == (seats.confirmed, seats.waiting, seats.free)
    an_item(june, clock=time(18, 0))
    assert queries.life_of(june, NOW).agenda_warnings == len(warnings_of(june)) > 0
    assert (facts.invited, facts.accepted, facts.unanswered) == (3, 2, 1)
