"""Forming, moving, pinning and publishing on the pages; what participants see."""

import threading
from datetime import UTC, datetime

import pytest

from conference.agenda.models import ItemKind
from conference.agenda.queries import items_of
from conference.conferences import operations as conferences
from conference.groups import forming, operations, queries
from conference.groups.models import Forming, Group, GroupsRelease, Round, Seat
from conference.kit import unit
from conference.kit.db import db
from conference.kit.errors import Refused, Stale
from conference.registrations import operations as registrations
from conference.registrations.models import Presence

from ..bad_input import BAD_LINES
from ..builders import (
    NOW,
    a_conference,
    a_contact,
    a_participant,
    a_small_day,
    an_account,
    an_invitation,
    an_item,
    june_with_people,
)


@pytest.fixture
def settings():
    """The clock stands on the day of the conference, while personal links are valid."""
    return {"CLOCK_START": datetime(2023, 6, 6, 9, 30, tzinfo=UTC)}


@pytest.fixture
def day(in_house, organiser):
    """Six people at two tables with four seats each, in one round."""
    with in_house():
        conference = a_small_day(organiser, capacity=4)
        operations.form_groups(conference, 2, organiser, at=NOW)
        return conference


class Plan:
    """What is stored now: the first round, its groups, who sits where."""

    def __init__(self, conference):
        plan = queries.plan_of(conference)[0]
        self.round, self.version = plan.round.id, plan.round.version
        self.ids = {g.group.name: g.group.id for g in plan.groups}
        self.tables = {g.group.name: [s.contact_id for s in g.seats] for g in plan.groups}
        self.pinned = [s.contact_id for g in plan.groups for s in g.seats if s.pinned]
        self.names = {s.contact_id: s.contact.name for g in plan.groups for s in g.seats}


@pytest.fixture
def stored(in_house, day):
    def look():
        with in_house():
            return Plan(day)

    return look


@pytest.fixture
def move(staff, stored):
    """Press a button under the seating, as the page would."""

    def press(person, group=None, step="move", status=303, version=None, **over):
        plan = stored()
        data = {
            "person": person,
            "group": group or "",
            "version": plan.version if version is None else version,
            "step": step,
        }
        return staff.submit(
            "groups.move_seat", data | over, slug="june-2023", round_id=plan.round, status=status
        )

    return press


def form(browser, tables, status=303):
    """Press the button, let the worker do what waits, and look at the groups."""
    answer = browser.submit("groups.form_groups", {"tables": tables}, slug="june-2023", status=status)
    if status == 303:
        with browser.app.app_context():
            forming.work(lambda: NOW)
        browser.open("groups.show_groups", slug="june-2023")
    return answer


# -- forming ------------------------------------------------------------


def test_the_button_forms_june(staff, in_house, organiser, monkeypatch):
    with in_house():
        june = june_with_people(organiser)
    monkeypatch.setattr(operations, "MOST_ITERATIONS", 500)
    form(staff, "5")
    assert staff.sees("38 Personen nehmen teil.")
    with in_house():
        assert len(queries.plan_of(june)[0].groups) == 5
        assert db.session.query(Seat).count() == 76
        assert db.session.query(Forming).one().account_id == organiser.id


@pytest.mark.parametrize(
    ("facts", "tables", "words"),
    [
        ({"people": 3}, "4", "Es sind nur 3 Personen zu verteilen."),
        ({"people": 9, "capacity": 4}, "2", "Die Räume haben zu wenige Plätze für 9 Personen an 2 Tischen."),
        ({"people": 6, "rounds": 0}, "2", "Die Tagesordnung hat noch keine Arbeitsgruppen."),
        ({"people": 0}, "2", "Noch hat niemand zugesagt, und niemand ist da."),
    ],
)
def test_what_cannot_be_formed_is_said_and_the_number_stays(staff, in_house, organiser, facts, tables, words):
    with in_house():
        a_small_day(organiser, **facts)
    form(staff, tables, status=409)
    assert staff.sees(words)
    if facts["people"]:
        assert staff.value_of("tables") == tables
    with in_house():
        assert db.session.query(Group).count() == 0


@pytest.mark.parametrize(
    "tables",
    ["", "0", "-2", "201", "viele", "2.5", "99999999999", *BAD_LINES],
    ids=lambda text: ascii(text)[:20],
)
def test_a_number_of_tables_that_is_none_is_asked_again(staff, in_house, organiser, tables):
    with in_house():
        a_small_day(organiser)
    form(staff, tables, status=422)
    with in_house():
        assert db.session.query(Round).count() == 0


def test_forming_twice_leaves_one_plan(staff, in_house, day):
    form(staff, "2")
    form(staff, "2")
    with in_house():
        assert db.session.query(Seat).count() == 6
        assert db.session.query(Group).count() == 2


def test_another_conference_is_not_there(new_browser, in_house, day):
    with in_house():
        stranger = an_account()
    browser = new_browser().sign_in(stranger)
    browser.open("groups.show_groups", slug="june-2023", status=404)
    form(browser, "2", status=404)
    browser.submit("groups.publish_groups", {}, slug="june-2023", status=404)


# -- moving ---------------------------------------------------------------


def test_a_person_moves_to_another_group(staff, move, stored):
    before = stored()
    person = before.tables["A"][0]
    move(person, before.ids["B"])
    assert staff.sees(f"{before.names[person]} sitzt jetzt in Gruppe B (Runde 1).")
    after = stored()
    assert sorted(after.tables["B"]) == sorted([*before.tables["B"], person])
    assert after.tables["A"] == before.tables["A"][1:]
    assert after.version == before.version + 1


def test_a_person_leaves_their_group_and_comes_back(staff, move, stored):
    before = stored()
    person = before.tables["A"][0]
    move(person)
    assert staff.sees(f"{before.names[person]} hat jetzt in Runde 1 keine Gruppe.")
    assert staff.sees("Ohne Gruppe (1)")
    move(person, before.ids["A"])
    assert stored().tables == before.tables


def test_a_full_room_takes_nobody_more_and_keeps_the_choice(staff, move, stored):
    plan = stored()
    first, second = plan.tables["A"][:2]
    move(first, plan.ids["B"])
    move(second, plan.ids["B"], status=409)
    assert staff.sees("Der Raum der Gruppe B ist voll (4 Plätze).")
    assert (staff.value_of("person"), staff.value_of("group")) == (str(second), str(plan.ids["B"]))
    assert stored().tables["A"] == plan.tables["A"][1:]


def test_moving_within_a_full_room_is_no_move(move, stored):
    plan = stored()
    move(plan.tables["A"][0], plan.ids["B"])
    person = stored().tables["B"][0]
    move(person, plan.ids["B"])
    assert len(stored().tables["B"]) == 4


def test_who_looks_at_an_old_plan_is_told(staff, move, stored):
    plan = stored()
    first, second = plan.tables["A"][:2]
    move(first, plan.ids["B"], version=plan.version)
    move(second, plan.ids["B"], version=plan.version, status=409)
    assert staff.sees("Jemand anderes hat das inzwischen geändert")
    assert stored().tables["A"] == plan.tables["A"][1:]
    seating = staff.response.text.partition('<form class="seating"')[2]
    assert f'name="version" value="{plan.version + 1}"' in seating


def test_a_move_sent_twice_happens_once(move, stored):
    plan = stored()
    person = plan.tables["A"][0]
    move(person, plan.ids["B"], version=plan.version)
    move(person, plan.ids["B"], version=plan.version, status=409)
    assert stored().tables["B"].count(person) == 1


@pytest.mark.parametrize("version", ["", "x", "0", "-1"])
def test_without_a_version_nothing_moves(move, stored, version):
    plan = stored()
    move(plan.tables["A"][0], plan.ids["B"], version=version, status=409)
    assert stored().tables == plan.tables


@pytest.mark.parametrize(
    "person", ["", "x", "0", "99999999999", *BAD_LINES], ids=lambda text: ascii(text)[:20]
)
def test_without_a_person_nothing_moves(staff, move, stored, person):
    plan = stored()
    move(person, plan.ids["B"], status=422)
    assert staff.sees("Bitte wählen Sie eine Person.")
    assert stored().tables == plan.tables


def test_a_group_that_is_none_is_asked_again(staff, move, stored):
    plan = stored()
    move(plan.tables["A"][0], "x", status=422)
    assert staff.sees("Bitte wählen Sie eine Gruppe.")


def test_people_without_a_part_get_no_seat_and_are_not_named(staff, in_house, day, move, stored):
    with in_house():
        invited, stranger = an_invitation(day, last_name="Unbekannt").contact, a_contact()
    plan = stored()
    for group in (plan.ids["B"], ""):
        move(invited.id, group, status=409)
        assert staff.sees("Diese Person nimmt nicht an der Konferenz teil.")
        assert not staff.sees("Unbekannt")
    for nobody_here in (stranger.id, 999):
        move(nobody_here, plan.ids["B"], status=404)
    assert stored().tables == plan.tables


def test_ids_of_another_round_or_conference_lead_nowhere(staff, in_house, organiser, day, move, stored):
    with in_house():
        other = a_conference(organiser, slug="anders")
        rounds = [Round(conference_id=day.id, number=2), Round(conference_id=other.id, number=1)]
        db.session.add_all(rounds)
        db.session.flush()
        groups = [Group(round_id=round_.id, name="A") for round_ in rounds]
        db.session.add_all(groups)
        db.session.flush()
        second, foreign = (group.id for group in groups)
        foreign_round = rounds[1].id
    plan = stored()
    person = plan.tables["A"][0]
    move(person, second, status=409)
    assert staff.sees("Diese Gruppe gehört zu einer anderen Runde.")
    move(person, foreign, status=404)
    move(person, 99_999, status=404)
    data = {"person": person, "group": foreign, "version": 1, "step": "move"}
    staff.submit("groups.move_seat", data, slug="june-2023", round_id=foreign_round, status=404)
    staff.submit("groups.move_seat", data, slug="june-2023", round_id=99_999, status=404)
    staff.open("groups.edit_group", slug="june-2023", group_id=foreign, status=404)
    assert stored().tables == plan.tables


def test_who_comes_late_is_offered_and_placed(staff, in_house, day, move, stored):
    with in_house():
        late = registrations.add_walk_in(
            db.session.get(type(day), day.id), "Helga", "Nordmann", "Nachbarkreis", "", at=NOW
        )
    staff.open("groups.show_groups", slug="june-2023")
    assert staff.sees("Ohne Gruppe (1) Helga Nordmann Nachbarkreis")
    move(late.id, stored().ids["A"])
    assert late.id in stored().tables["A"]
    assert not staff.sees("Ohne Gruppe")


def test_who_is_not_there_is_marked_at_the_table(staff, in_house, day, stored):
    person = stored().tables["A"][0]
    with in_house():
        registrations.record_attendance(db.session.get(type(day), day.id), person, Presence.ABSENT, at=NOW)
    staff.open("groups.show_groups", slug="june-2023")
    assert staff.text.count("nicht da") == 1


def test_pins_are_set_shown_and_taken_away(staff, move, stored):
    person = stored().tables["A"][0]
    move(person, step="pin")
    assert staff.sees("behält den Platz")
    assert stored().pinned == [person]
    move(person, step="unpin")
    assert stored().pinned == []


def test_nobody_is_pinned_without_a_seat(staff, move, stored):
    person = stored().tables["A"][0]
    move(person)
    move(person, step="pin", status=409)
    assert staff.sees("Nur wer in einer Gruppe sitzt")


def race(app, *steps):
    """Do the steps at the same time, each in its own transaction; gives the errors."""
    errors, gate = [], threading.Barrier(len(steps))

    def run(step):
        with app.app_context():
            gate.wait()
            try:
                with unit.writing():
                    step()
            except Refused as error:
                errors.append(type(error))
            finally:
                db.session.remove()

    threads = [threading.Thread(target=run, args=[step]) for step in steps]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return errors


def test_the_last_seat_of_a_room_is_given_once(app, day, stored):
    plan = stored()
    steps = [
        lambda person=person: operations.move_seat(day, plan.round, person, plan.ids["B"], None, at=NOW)
        for person in plan.tables["A"][:2]
    ]
    assert race(app, *steps) == [Refused]
    assert len(stored().tables["B"]) == 4


def test_of_two_moves_at_once_the_second_is_stale(app, day, stored):
    plan = stored()
    person, other = plan.tables["A"][0], plan.tables["B"][0]
    errors = race(
        app,
        lambda: operations.move_seat(day, plan.round, person, plan.ids["B"], plan.version, at=NOW),
        lambda: operations.move_seat(day, plan.round, other, plan.ids["A"], plan.version, at=NOW),
    )
    assert errors == [Stale]


# -- a group's own facts -----------------------------------------------------


@pytest.fixture
def group(stored):
    return stored().ids["A"]


def edit(browser, group, status=303, **over):
    data = {"topic_id": "", "room_id": "", "focus_question": ""} | over
    return browser.submit("groups.edit_group", data, slug="june-2023", group_id=group, status=status)


def test_a_group_gets_topic_room_and_question(staff, in_house, day, group):
    with in_house():
        conference = db.session.get(type(day), day.id)
        topic = conferences.add_topic(conference, "Familie")
        room = conferences.add_room(conference, "Saal", 40)
    edit(staff, group, topic_id=str(topic.id), room_id=str(room.id), focus_question="Was hilft Eltern?")
    assert staff.sees("Familie · Saal")
    staff.open("groups.edit_group", slug="june-2023", group_id=group)
    assert (staff.value_of("topic_id"), staff.value_of("room_id")) == (str(topic.id), str(room.id))
    assert staff.value_of("focus_question").strip() == "Was hilft Eltern?"


def test_a_room_with_too_few_seats_is_refused_and_the_input_stays(staff, in_house, day, group):
    with in_house():
        room = conferences.add_room(db.session.get(type(day), day.id), "Kammer", 1)
    edit(staff, group, room_id=str(room.id), focus_question="Bleibt das?", status=409)
    assert staff.sees("Kammer hat nur 1 Platz.")
    assert (staff.value_of("room_id"), staff.value_of("focus_question").strip()) == (
        str(room.id),
        "Bleibt das?",
    )


@pytest.mark.parametrize("field", ["topic_id", "room_id"])
@pytest.mark.parametrize("value", ["99999", "x"])
def test_what_was_not_offered_is_not_taken(staff, group, field, value):
    edit(staff, group, status=422, **{field: value})


@pytest.mark.parametrize("text", [text for text in BAD_LINES if text.strip() and "\n" not in text], ids=ascii)
def test_a_bad_question_is_asked_again(staff, in_house, group, text):
    edit(staff, group, focus_question=text, status=422)
    with in_house():
        assert db.session.get(Group, group).focus_question == ""


# -- publishing ------------------------------------------------------------


def publish(browser, status=303, version=0):
    data = {"version": version}
    return browser.submit("groups.publish_groups", data, slug="june-2023", status=status)


@pytest.fixture
def guest(new_browser, in_house, day):
    """A participant at table A."""
    with in_house():
        link = a_participant(db.session.get(type(day), day.id), first_name="Ada", last_name="Zeit")
    return new_browser().enter(link), link


def test_before_publication_participants_see_that_nothing_is_there_yet(guest):
    browser, _link = guest
    browser.open("groups.my_groups")
    assert browser.sees("Die Arbeitsgruppen sind noch nicht veröffentlicht")


def test_participants_see_the_release_and_later_moves_only_after_the_next_one(staff, guest, move, stored):
    browser, link = guest
    plan = stored()
    move(link.contact_id, plan.ids["A"])
    publish(staff)
    assert staff.sees("Teilnehmende sehen jetzt Fassung 1 der Arbeitsgruppen.")
    browser.open("groups.my_groups")
    assert browser.sees("Runde 1: Gruppe A")
    assert all(browser.sees(plan.names[person]) for person in plan.tables["A"])
    move(link.contact_id, plan.ids["B"])
    assert staff.sees("seitdem geändert")
    browser.open("groups.my_groups")
    assert browser.sees("Runde 1: Gruppe A")
    publish(staff, version=1)
    assert not staff.sees("seitdem geändert")
    browser.open("groups.my_groups")
    assert browser.sees("Runde 1: Gruppe B")
    assert not browser.sees("Gruppe A")


def test_a_late_arrival_without_a_group_is_told_whom_to_ask(staff, guest):
    browser, _link = guest
    publish(staff)
    browser.open("groups.my_groups")
    assert browser.sees("Sie haben noch keine Gruppe")


def test_publishing_twice_makes_one_version(staff, in_house, day):
    publish(staff)
    publish(staff)
    with in_house():
        assert [release.number for release in db.session.query(GroupsRelease)] == [1]


def test_publishing_twice_at_once_makes_one_version(app, in_house, day, organiser):
    assert race(app, *[lambda: operations.publish(day, organiser, at=NOW)] * 3) == []
    with in_house():
        assert db.session.query(GroupsRelease).count() == 1


def test_an_empty_plan_cannot_be_published(staff, in_house, organiser):
    with in_house():
        a_small_day(organiser)
    publish(staff, status=409)
    assert staff.sees("Noch niemand hat einen Platz.")


def test_the_times_on_the_page_are_those_of_the_conference(staff, guest, in_house, day, move, stored):
    browser, link = guest
    move(link.contact_id, stored().ids["A"])
    publish(staff)
    browser.open("groups.my_groups")
    with in_house():
        assert items_of(day)[0].starts_at.hour == 8
    assert browser.sees("10:00")


def test_without_a_link_there_are_no_groups_to_see(new_browser, day):
    new_browser().open("groups.my_groups", status=404)


def test_the_page_asks_the_database_no_more_often_for_thirty_people_than_for_three(
    staff, in_house, organiser, count_queries
):
    def queries_for(people):
        slug = f"tag-{people}"
        with in_house():
            conference = a_conference(organiser, slug=slug)
            an_item(conference, "Runde", "10:00", 45, kind=ItemKind.BREAKOUT)
            for _ in range(people):
                a_participant(conference)
            operations.form_groups(conference, 1, organiser, at=NOW)
        with count_queries() as seen:
            staff.open("groups.show_groups", slug=slug)
        return len(seen)

    # Its history shows so few lines that with many people none of them names one.
    assert queries_for(30) <= queries_for(3) == queries_for(1)


def test_the_table_of_goals_speaks_of_the_groups_as_they_stand_now(
    staff, in_house, organiser, day, move, stored
):
    with in_house():
        colleague = a_participant(db.session.get(type(day), day.id), organisation="Haus Eins")
        other = a_participant(db.session.get(type(day), day.id), organisation="Haus Eins")
    form(staff, "2")
    assert staff.sees("Kolleginnen und Kollegen an einem Tisch (Paare) 0 0 nachweislich bestmöglich")
    plan = stored()
    table = next(name for name, people in plan.tables.items() if colleague.contact_id in people)
    free = next(person for person in plan.tables[table] if person != colleague.contact_id)
    move(free)
    move(other.contact_id, plan.ids[table])
    assert staff.sees("Kolleginnen und Kollegen an einem Tisch (Paare) 1 0 höchstens 1 über dem Bestwert")


def test_what_hurts_is_said_with_names_and_what_moves_by_hand_have_broken(
    staff, in_house, organiser, day, move, stored
):
    with in_house():
        conference = db.session.get(type(day), day.id)
        pair = [
            a_participant(conference, organisation="Haus Eins", last_name=name) for name in ("Adam", "Berg")
        ]
    form(staff, "2")
    assert staff.sees("Bessere Gruppen gibt es nicht")
    assert staff.sees("Jeder Tisch hat 4 Personen.")
    plan = stored()
    table = next(name for name, people in plan.tables.items() if pair[0].contact_id in people)
    free = next(person for person in plan.tables[table] if person != pair[0].contact_id)
    move(free)
    move(pair[1].contact_id, plan.ids[table])
    assert staff.sees("Ada Adam, Ada Berg: Runde 1, Gruppe " + table)
    other = "B" if table == "A" else "A"
    assert staff.sees(f"Runde 1, Gruppe {other}: weniger Personen als geplant (3).")


def test_each_table_says_who_sits_there_by_side(staff, in_house, day):
    staff.open("groups.show_groups", slug="june-2023")
    assert staff.text.count("3 Bildungsträger") == 2


def test_who_meets_again_is_named_with_the_rounds(staff, in_house, organiser):
    with in_house():
        a_small_day(organiser, people=2, rounds=2)
    form(staff, "1")
    assert staff.sees("Wer sich wiedersieht (1)")
    assert staff.sees("Runden 1, 2")
    assert staff.sees("nachweislich bestmöglich")
