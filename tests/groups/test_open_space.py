"""Open Space: concerns, groups and free choice, on the marketplace and on the personal page."""

import threading
from datetime import UTC, datetime, timedelta

import pytest

from conference.conferences import operations as conferences
from conference.conferences.queries import conference_by_slug, rooms_of
from conference.groups import editions, forming, method_queries, methods, open_space, operations, queries
from conference.groups.models import Concern, Group, Method, Seat
from conference.kit import unit
from conference.kit.db import db
from conference.kit.errors import Refused
from conference.registrations import operations as registrations

from ..bad_input import BAD_LINES
from ..builders import NOW, a_conference, a_participant, a_small_day, an_item

SLUG = "june-2023"
OVER = datetime(2023, 6, 6, 12, 0, tzinfo=UTC)


@pytest.fixture
def settings():
    """The clock stands before the rounds, while personal links are valid."""
    return {"CLOCK_START": datetime(2023, 6, 6, 7, 0, tzinfo=UTC)}


@pytest.fixture
def market(in_house, organiser):
    """An Open Space with four people and a small room; gives their links."""
    with in_house():
        june = a_small_day(organiser, people=0, rounds=2, capacity=2)
        methods.choose_method(june, Method.OPEN_SPACE, None, 0)
        return [a_participant(june) for _ in range(4)]


@pytest.fixture
def guest(new_browser, market):
    return new_browser().enter(market[0])


def june():
    found = conference_by_slug(SLUG)
    assert found is not None
    return found


def a_group(in_house, title="Kinderbetreuung", number=1, room=True):
    with in_house():
        concern = open_space.propose(june(), title, "", None, at=NOW)
        return open_space.place(june(), concern.id, number, rooms_of(june())[0].id if room else None).id


def seats(in_house):
    with in_house():
        return {(seat.contact_id, seat.group_id) for seat in db.session.query(Seat)}


def test_a_concern_becomes_a_group_and_everybody_chooses(guest, staff, market, in_house):
    guest.open("groups.my_groups")
    words = {"title": "Kinderbetreuung im Kurs", "sentence": "Ein Modell, das Eltern hilft."}
    for _twice in range(2):
        guest.submit("groups.propose_concern", words)
    assert guest.sees("Ihr Anliegen steht auf dem Marktplatz.")
    staff.open("groups.show_market", slug=SLUG)
    assert staff.sees("Anliegen (1)") and staff.sees("Ein Modell, das Eltern hilft.")
    with in_house():
        concern, room = db.session.query(Concern).one().id, rooms_of(june())[0].id
    for _twice in range(2):
        staff.submit("groups.place_concern", {"round": "1", "room": room}, slug=SLUG, concern_id=concern)
    assert staff.sees("A: Kinderbetreuung im Kurs")
    guest.open("groups.my_groups")
    with in_house():
        group = db.session.query(Group).one()
    guest.submit("groups.choose_group", {"group": group.id})
    assert guest.sees("Runde 1: Sie sind in Gruppe A.") and guest.sees("Sie sind hier")
    other = a_group(in_house, "Fahrtkosten", room=False)
    guest.submit("groups.choose_group", {"group": other})
    assert seats(in_house) == {(market[0].contact_id, other)}
    guest.submit("groups.leave_group", {}, round_id=group.round_id)
    assert seats(in_house) == set()


def test_the_last_place_is_given_once(app, in_house, market):
    group = a_group(in_house)
    with in_house():
        open_space.choose(june(), group, market[0].contact_id, at=NOW)
    errors, gate = [], threading.Barrier(2)

    def go(link):
        with app.app_context():
            gate.wait()
            try:
                with unit.writing():
                    open_space.choose(june(), group, link.contact_id, at=NOW)
            except Refused as error:
                errors.append(error)
            finally:
                db.session.remove()

    threads = [threading.Thread(target=go, args=[link]) for link in market[1:3]]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(errors) == 1
    assert len(seats(in_house)) == 2


def test_a_full_group_says_so_and_groups_of_one_room_share_its_seats(guest, in_house, market):
    group, beside = a_group(in_house), a_group(in_house, "Fahrtkosten")
    with in_house():
        open_space.choose(june(), group, market[1].contact_id, at=NOW)
        open_space.choose(june(), beside, market[2].contact_id, at=NOW)
    guest.submit("groups.choose_group", {"group": group}, status=409)
    assert guest.sees("„Kinderbetreuung“ ist voll: Der Raum hat 2 Plätze.") and guest.sees("voll")


def test_nobody_chooses_after_the_round_or_without_a_part_in_it(in_house, market):
    group = a_group(in_house)
    with in_house():
        with pytest.raises(Refused, match="Runde 1 ist zu Ende"):
            open_space.choose(june(), group, market[0].contact_id, at=OVER)
        with pytest.raises(Refused, match="Liste der Teilnehmenden"):
            open_space.choose(june(), group, 999_999, at=NOW)
        methods.choose_method(june(), Method.CHANCE, 3, 1)
        with pytest.raises(Refused, match="nicht frei gewählt"):
            open_space.choose(june(), group, market[0].contact_id, at=NOW)


def test_foreign_and_odd_choices_lead_nowhere(guest, staff, in_house, organiser, market):
    group = a_group(in_house)
    with in_house():
        other = a_conference(organiser, slug="anders")
        methods.choose_method(other, Method.OPEN_SPACE, None, 0)
        from conference.agenda.models import ItemKind

        an_item(other, "Runde", "10:00", 45, kind=ItemKind.BREAKOUT)
        concern = open_space.propose(other, "Fremd", "", None, at=NOW)
        foreign = open_space.place(other, concern.id, 1, None)
    guest.submit("groups.choose_group", {"group": foreign.id}, status=404)
    guest.submit("groups.choose_group", {"group": "x"}, status=422)
    guest.submit("groups.leave_group", {}, round_id=foreign.round_id, status=404)
    guest.submit("groups.withdraw_concern", {}, concern_id=concern.id, status=404)
    staff.submit("groups.close_group", {}, slug=SLUG, group_id=foreign.id, status=404)
    staff.submit("groups.place_concern", {"round": "9", "room": "x"}, slug=SLUG, concern_id=1, status=422)
    assert group and seats(in_house) == set()


def test_own_concerns_only_are_taken_back(guest, in_house, market):
    with in_house():
        theirs = open_space.propose(june(), "Fahrtkosten", "", market[1].contact_id, at=NOW).id
        mine = open_space.propose(june(), "Sprache", "", market[0].contact_id, at=NOW).id
    guest.submit("groups.withdraw_concern", {}, concern_id=theirs, status=404)
    guest.submit("groups.withdraw_concern", {}, concern_id=mine)
    with in_house():
        assert [concern.title for concern in method_queries.concerns_of(june())] == ["Fahrtkosten"]


@pytest.mark.parametrize("title", ["", "x" * 121, *BAD_LINES], ids=lambda text: ascii(text)[:20])
def test_a_concern_without_a_good_title_is_asked_again(guest, title):
    guest.submit("groups.propose_concern", {"title": title, "sentence": "Bleibt das?"}, status=422)
    assert guest.value_of("sentence").strip() == "Bleibt das?"


def test_one_person_proposes_five_and_no_more(in_house, market):
    with in_house():
        for number in range(open_space.MOST_OF_ONE):
            open_space.propose(june(), f"Anliegen {number}", "", market[0].contact_id, at=NOW)
        with pytest.raises(Refused, match="schon 5 Anliegen"):
            open_space.propose(june(), "Noch eins", "", market[0].contact_id, at=NOW)


def test_concerns_are_merged_and_separated(staff, guest, in_house, market):
    with in_house():
        one, two = (open_space.propose(june(), title, "", None, at=NOW).id for title in ("Bus", "Bahn"))
    staff.submit("groups.merge_concern", {"into": two}, slug=SLUG, concern_id=one)
    assert staff.sees("Bus → Bahn")
    staff.submit("groups.merge_concern", {"into": one}, slug=SLUG, concern_id=two, status=422)
    staff.submit("groups.remove_concern", {}, slug=SLUG, concern_id=two, status=409)
    guest.open("groups.my_groups")
    assert guest.sees("zusammen mit: Bus")
    staff.submit("groups.merge_concern", {"into": ""}, slug=SLUG, concern_id=one)
    staff.submit("groups.remove_concern", {}, slug=SLUG, concern_id=one)
    page = staff.response.get_data(as_text=True)
    assert "Bus" not in page.partition('class="timeline')[0], "only the history still knows it"


def test_a_group_is_closed_and_its_people_choose_anew(staff, in_house, market):
    group = a_group(in_house)
    with in_house():
        concern = db.session.query(Concern).one().id
        open_space.choose(june(), group, market[0].contact_id, at=NOW)
    staff.submit("groups.remove_concern", {}, slug=SLUG, concern_id=concern, status=409)
    staff.submit("groups.close_group", {}, slug=SLUG, group_id=group)
    assert staff.sees("Gruppe A ist geschlossen.") and staff.sees("Kinderbetreuung wartet")
    assert seats(in_house) == set()


def test_staff_seats_a_walk_in_and_cannot_undo_what_people_chose_since(staff, in_house, market):
    group = a_group(in_house)
    with in_house():
        late = registrations.add_walk_in(june(), "Helga", "Nordmann", "Nachbarkreis", "", at=NOW)
        round_ = queries.rounds_of(june())[0]
        open_space.choose(june(), group, market[0].contact_id, at=NOW)
    data = {"person": late.id, "group": group, "version": round_.version, "step": "move"}
    staff.submit("groups.move_seat", data, slug=SLUG, round_id=round_.id)
    assert len(seats(in_house)) == 2
    with in_house():
        assert queries.last_change(june()) is not None
        open_space.leave(june(), round_.id, market[0].contact_id, at=NOW)
        assert queries.last_change(june()) is None


def test_nothing_is_formed_or_published(staff, in_house, organiser, market):
    a_group(in_house)
    staff.open("groups.show_groups", slug=SLUG)
    assert staff.sees("nichts muss veröffentlicht werden")
    assert not staff.sees("Gruppen neu bilden")
    staff.submit("groups.form_groups", {"tables": "2"}, slug=SLUG, status=409)
    staff.submit("groups.publish_groups", {"version": "0"}, slug=SLUG, status=409)
    staff.open("overview.show_conference", slug=SLUG)
    assert not staff.sees("noch nicht veröffentlicht")


def test_what_waits_to_be_formed_is_thrown_away_when_the_choice_becomes_free(app, in_house, organiser):
    with in_house():
        day = a_small_day(organiser, people=4)
        forming.ask(day, 2, organiser, at=NOW)
        methods.choose_method(day, Method.OPEN_SPACE, None, 0)
    with app.app_context():
        forming.work(lambda: NOW + timedelta(minutes=1))
    assert seats(in_house) == set()


def test_groups_that_were_formed_before_can_be_chosen(guest, in_house, market):
    with in_house():
        methods.choose_method(june(), Method.CHANCE, 2, 1)
        operations.form_groups(june(), 2, None, at=NOW, iterations=50)
        methods.choose_method(june(), Method.OPEN_SPACE, None, 2)
        conferences.add_room(june(), "Saal", 40)
    guest.open("groups.my_groups")
    assert guest.sees("Diese Gruppe verlassen")


def test_what_was_chosen_stands_on_the_wall_and_on_paper_without_being_published(in_house, market, staff):
    a_group(in_house)
    staff.open("/conferences/june-2023/groups/wall?round=1")
    assert staff.sees("Kinderbetreuung") and staff.sees("Wie die Teilnehmenden gewählt haben")
    staff.open("/conferences/june-2023/groups/papers")
    assert staff.sees("Gedruckt wird, was sie bis jetzt gewählt haben.") and "draft=1" not in staff.html
    with in_house():
        edition = editions.edition_of(june())
        assert not edition.is_draft and edition.rounds[0].tables[0].topic == "Kinderbetreuung"
