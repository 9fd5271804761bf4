"""Repair on the day: who is missing, who has come, the fewest moves, and what nobody may touch any more."""

from datetime import UTC, datetime

import pytest

from conference.agenda import operations as agenda
from conference.agenda.queries import breakout_items
from conference.conferences import operations as conferences
from conference.conferences.models import Conference
from conference.groups import forming, methods, operations, queries, repairing, timer
from conference.groups.models import Forming, FormingState, RuleKind, Seat
from conference.invitations.queries import invitation_for
from conference.kit.db import db
from conference.registrations import operations as registrations
from conference.registrations.models import Presence

from ..builders import NOW, a_participant, a_small_day, an_account, an_answer, an_invitation

AT = datetime(2023, 6, 6, 7, 45, tzinfo=UTC)
"""Quarter to ten in Herford: the rounds begin at ten and at eleven."""


@pytest.fixture
def settings():
    return {"CLOCK_START": AT}


@pytest.fixture
def day(in_house, organiser):
    """Twelve people at three tables in each of two rounds, published."""
    with in_house():
        conference = a_small_day(organiser, people=12, rounds=2)
        operations.form_groups(conference, 3, organiser, at=NOW, iterations=5)
        operations.publish(conference, organiser, at=NOW)
        return conference


@pytest.fixture
def june(in_house, day):
    """Do something in the house with the conference."""

    def do(what):
        with in_house():
            return what(db.session.get(Conference, day.id))

    return do


@pytest.fixture
def seats(june):
    """Round by round: table → names in order; what stands."""

    def look():
        def read(conference):
            plans = queries.plan_of(conference)
            return [{g.group.name: [s.contact_id for s in g.seats] for g in p.groups} for p in plans]

        return june(read)

    return look


@pytest.fixture
def work(app):
    def run(at=AT):
        with app.app_context():
            repairing.propose(at)
            return forming.work(lambda: at)

    return run


@pytest.fixture
def miss(june):
    """These people are recorded as absent."""

    def record(*contact_ids, presence=Presence.ABSENT):
        for contact_id in contact_ids:
            june(lambda c, i=contact_id: registrations.record_attendance(c, i, presence, at=AT))

    return record


@pytest.fixture
def come(june):
    """Somebody comes without invitation; gives the id."""

    def add(name="Nordmann"):
        return june(lambda c: registrations.add_walk_in(c, "Helga", name, "Nachbarkreis", "", at=AT).id)

    return add


@pytest.fixture
def page(staff, day):
    def look():
        staff.open("groups.show_repair", slug="june-2023")
        return staff

    return look


def ask(staff, status=303, **fields):
    return staff.submit("groups.ask_for_repair", fields, slug="june-2023", status=status)


def take(staff, status=303, version=None):
    version = staff.value_of("version") if version is None else version
    return staff.submit("groups.apply_repair", {"version": version}, slug="june-2023", status=status)


def sizes(round_):
    return sorted(len(people) for people in round_.values())


def test_who_is_missing_and_who_has_come_is_said_in_one_line_with_the_moves(
    staff, page, work, seats, miss, come
):
    before = seats()
    gone = before[0]["A"][:3]
    miss(*gone)
    late = [come("Nordmann"), come("Südmann")]
    staff.open("groups.show_groups", slug="june-2023")
    assert staff.sees("3 fehlen, 2 sind dazugekommen")
    work()
    staff.open("groups.show_groups", slug="june-2023")
    line = next(word for word in ("niemand zieht um", "1 Umzug", "2 Umzüge", "3 Umzüge") if staff.sees(word))
    assert staff.sees(f"3 fehlen, 2 sind dazugekommen: {line}")
    page()
    assert staff.sees("Helga Nordmann")
    take(staff)
    assert staff.sees("Die Umzüge sind übernommen.")
    after = seats()
    for number, round_ in enumerate(after):
        assert sizes(round_) == [3, 4, 4]
        there = {person for people in round_.values() for person in people}
        assert set(late) <= there
        assert not set(gone) & there
        moved = [
            p for table, people in before[number].items() for p in people if p in there - set(round_[table])
        ]
        assert len(moved) <= 2
    assert sum(
        p not in after[n][table]
        for n, round_ in enumerate(before)
        for table, people in round_.items()
        for p in people
        if p not in gone
    ) == (0 if line == "niemand zieht um" else int(line.split()[0]))


def test_taking_over_is_one_change_that_can_be_undone(staff, page, work, seats, miss):
    before = seats()
    miss(before[0]["A"][0], before[0]["A"][1])
    work()
    page()
    take(staff)
    assert staff.sees("Rückgängig")
    assert seats() != before
    staff.open("groups.show_groups", slug="june-2023")
    assert not staff.sees("weicht von der Bildung ab")
    staff.submit("groups.undo_change", {"version": staff.value_of("version")}, slug="june-2023")
    assert seats() == before
    assert staff.sees("2 fehlen")


def test_taken_over_twice_it_happens_once_and_on_old_facts_never(staff, page, work, seats, miss, come):
    before = seats()
    miss(before[0]["A"][0])
    work()
    page()
    version = staff.value_of("version")
    come()
    take(staff, status=409, version=version)
    assert staff.sees("haben sich geändert, seit das berechnet wurde")
    assert seats() == before
    work()
    page()
    version = staff.value_of("version")
    take(staff, version=version)
    after = seats()
    take(staff, version=version)
    assert seats() == after
    take(staff, status=409, version="7")


def test_a_proposal_that_nobody_saw_is_not_applied(staff, page, work, seats, miss):
    before = seats()
    miss(before[0]["A"][0])
    work()
    page()
    for version in ("", "x", "-1", "0", "9" * 30):
        take(staff, status=409, version=version)
    assert seats() == before


def test_a_move_by_hand_makes_the_proposal_old(staff, page, work, seats, miss, june):
    before = seats()
    miss(before[0]["A"][0])
    work()
    page()
    version = staff.value_of("version")
    person = before[0]["B"][0]

    def move(conference):
        plan = queries.plan_of(conference)[0]
        target = next(g.group for g in plan.groups if g.group.name == "C")
        operations.move_seat(conference, plan.round.id, person, target.id, None, at=AT)

    june(move)
    take(staff, status=409, version=version)
    page()
    assert staff.sees("Umzüge berechnen")


def test_a_round_that_staff_have_started_early_is_not_touched(page, staff, work, seats, miss, come, june):
    june(lambda c: timer.start(c, queries.rounds_of(c)[0].id, 30, 0, None, at=NOW))
    before = seats()
    miss(before[0]["A"][0])
    come()
    work(AT)
    page()
    assert staff.sees("Runde 1 ist vorbei oder läuft gerade und bleibt, wie sie ist.")
    take(staff)
    assert seats()[0] == before[0] and seats()[1] != before[1]


def test_rounds_that_run_or_are_over_are_never_touched(app, staff, page, work, seats, miss, come):
    running = datetime(2023, 6, 6, 8, 10, tzinfo=UTC)
    before = seats()
    miss(before[0]["A"][0], before[1]["A"][0])
    late = come()
    app.config["CLOCK_START"] = running
    work(running)
    page()
    assert staff.sees("Runde 1 ist vorbei oder läuft gerade und bleibt, wie sie ist.")
    take(staff)
    after = seats()
    assert after[0] == before[0]
    assert late in {person for people in after[1].values() for person in people}
    app.config["CLOCK_START"] = datetime(2023, 6, 6, 12, 0, tzinfo=UTC)
    page()
    assert staff.sees("Es ist keine Runde übrig")
    ask(staff, status=409)


def test_who_met_in_a_round_that_is_over_does_not_meet_again_without_need(june, work, come):
    """The newcomer of round 2 takes the free seat; the others keep theirs."""
    running = datetime(2023, 6, 6, 8, 10, tzinfo=UTC)
    come()
    work(running)
    row = june(lambda c: queries.newest_repair(c).result)
    assert row["moves"] == []
    assert row["is_minimal"]


def test_a_table_is_closed_and_its_people_are_spread(staff, page, work, seats, june):
    before = seats()
    pinned = before[0]["C"][0]
    june(lambda c: operations.pin(c, queries.rounds_of(c)[0].id, pinned, True, at=AT))
    ask(staff, closed="C")
    assert staff.sees("Der Hintergrunddienst sucht die wenigsten Umzüge")
    work()
    page()
    assert staff.sees("1 Tisch fällt weg: 8 Umzüge")
    assert staff.sees("Bewiesen: Mit weniger Umzügen würde eine Regel verletzt.")
    take(staff)
    for number, round_ in enumerate(seats()):
        assert sorted(round_) == ["A", "B"]
        assert sizes(round_) == [6, 6]
        assert set(before[number]["A"]) <= set(round_["A"])
    staff.open("groups.show_groups", slug="june-2023")
    staff.submit("groups.undo_change", {"version": staff.value_of("version")}, slug="june-2023")
    assert seats() == before


NONSENSE = [
    ({"closed": ["A", "B", "C"]}, 409, "Mindestens ein Tisch muss offen bleiben."),
    ({"closed": ["Z"]}, 422, "eine der angebotenen Antworten"),
    ({"pin": "1:x:A"}, 422, "eine der angebotenen Antworten"),
    ({"pin": "1:99999999:A"}, 409, "nimmt nicht an der Konferenz teil"),
    ({"pin": "9:1:A"}, 409, "Gruppe A trifft sich in Runde 9 nicht."),
    ({"person": "99999999", "table": "A"}, 422, "eine der angebotenen Antworten"),
    ({"table": "A"}, 422, "Bitte wählen Sie beides"),
]


def test_what_makes_no_sense_is_explained_and_nothing_is_asked(staff, day, in_house):
    for fields, status, words in NONSENSE:
        ask(staff, status=status, **fields)
        assert staff.sees(words), fields
    with in_house():
        assert db.session.query(Forming).filter(Forming.state == FormingState.WAITING).count() == 0


def test_somebody_must_sit_elsewhere(staff, page, work, seats, in_house):
    before = seats()
    person = before[1]["A"][0]
    ask(staff, person=str(person), table="B", round="2")
    work()
    page()
    take(staff)
    after = seats()
    assert after[0] == before[0]
    assert person in after[1]["B"]
    assert sizes(after[1]) == [4, 4, 4]
    with in_house():
        assert db.session.query(Seat).filter(Seat.contact_id == person, Seat.pinned).count() == 1


def test_a_room_that_has_become_too_small(staff, page, work, seats, june):
    def shrink(conference):
        room = conferences.add_room(conference, "Kammer", 4)
        for plan in queries.plan_of(conference):
            operations.change_group(conference, plan.groups[0].group, None, room.id, "")
        conferences.change_room(conference, room, "Kammer", 2)

    june(shrink)
    staff.open("groups.publish_groups", slug="june-2023")
    assert staff.sees("2 Räume sind zu klein")
    assert staff.sees("Runde 1, Gruppe A: 4 Personen, aber der Raum hat nur 2 Plätze.")
    work()
    page()
    take(staff)
    assert [len(round_["A"]) for round_ in seats()] == [2, 2]
    assert [sizes(round_) for round_ in seats()] == [[2, 5, 5], [2, 5, 5]]


def test_when_no_repair_keeps_the_rules_the_page_says_which(staff, page, work, seats, june):
    people = sorted(person for table in ("B", "C") for person in seats()[0][table])[:5]
    names = june(lambda _c: queries.names_in(people))
    ask(staff, pin=[f"1:{person}:A" for person in people])
    work()
    page()
    assert staff.sees("Die Gruppen konnten nicht nachgebessert werden")
    for name in names.values():
        assert staff.sees(name)
    assert staff.sees("sitzt in Runde 1 fest in Gruppe A")


def test_the_organisers_rules_are_kept_and_who_is_away_in_a_round_loses_that_seat(
    staff, page, work, seats, june
):
    before = seats()
    one, other, away = before[0]["A"][0], before[0]["A"][1], before[1]["B"][0]

    def rule(conference):
        methods.add_rule(conference, methods.NewRule(RuleKind.APART, (one, other)), None, at=AT)
        methods.add_rule(conference, methods.NewRule(RuleKind.ABSENT, (away,), round=2), None, at=AT)

    june(rule)
    page()
    assert staff.sees("(in dieser Runde nicht da)")
    ask(staff)
    work()
    page()
    take(staff)
    after = seats()
    assert not any({one, other} <= set(people) for round_ in after for people in round_.values())
    assert away not in {person for people in after[1].values() for person in people}
    assert staff.sees("Alle haben einen Platz")


def test_too_few_seats_in_all_rooms_are_said_in_numbers(staff, page, work, june, seats):
    def shrink(conference):
        room = conferences.add_room(conference, "Kammer", 4)
        for plan in queries.plan_of(conference):
            for group in plan.groups:
                operations.change_group(conference, group.group, None, room.id, "")
        conferences.change_room(conference, room, "Kammer", 3)

    june(shrink)
    before = seats()
    work()
    page()
    assert staff.sees("Runde 1 hat 12 Personen, aber nur 9 Plätze.")
    assert seats() == before


def test_a_pin_and_a_table_larger_by_hand_stay(june, work, seats, miss):
    """What somebody did on purpose is not mended away."""

    def move(conference):
        plan = queries.plan_of(conference)[0]
        target = next(g.group for g in plan.groups if g.group.name == "A")
        person = next(g for g in plan.groups if g.group.name == "B").seats[0].contact_id
        operations.move_seat(conference, plan.round.id, person, target.id, None, at=AT)
        operations.pin(conference, plan.round.id, person, True, at=AT)

    june(move)
    miss(seats()[0]["C"][0])
    work()
    assert june(lambda c: [m for m in queries.newest_repair(c).result["moves"] if m["round"] == 1]) == []


def test_asked_twice_it_is_worked_out_once_and_old_proposals_are_forgotten(
    staff, in_house, work, seats, miss
):
    ask(staff)
    ask(staff)
    with in_house():
        assert db.session.query(Forming).filter(Forming.state == FormingState.WAITING).count() == 1
    work()
    miss(seats()[0]["A"][0])
    work()
    work()
    with in_house():
        assert [row.state for row in db.session.query(Forming).order_by(Forming.id)] == [
            FormingState.DONE,
            FormingState.FOUND,
        ]


def test_forming_anew_and_repair_do_not_get_into_each_others_way(staff, in_house, app, day):
    ask(staff)
    staff.submit("groups.form_groups", {"tables": "3"}, slug="june-2023")
    ask(staff, status=409)
    assert staff.sees("Gerade werden Gruppen gebildet")
    with app.app_context():
        forming.work(lambda: AT)
    ask(staff)
    with in_house():
        assert db.session.query(Forming).filter(Forming.state == FormingState.DONE).count() == 2


def test_nobody_is_left(page, work, seats, miss, june):
    people = {person for round_ in seats() for table in round_.values() for person in table}
    miss(*people)
    work()
    assert page().sees("12 fehlen: niemand zieht um")
    assert june(lambda c: queries.newest_repair(c).result["moves"]) == []


def test_the_worker_asks_by_itself_only_where_published_groups_do_not_fit(in_house, work, miss, seats, day):
    work()
    with in_house():
        assert queries.newest_repair(day) is None
    miss(seats()[0]["A"][0])
    assert work() == 1
    assert work() == 0


def test_before_the_day_a_decline_and_a_promotion_are_seen(in_house, organiser, browser):
    with in_house():
        conference = a_small_day(organiser, people=0, rounds=1)
        conference.seats = 4
        for number in range(5):
            invitation = an_invitation(conference, last_name=f"Muster{number}")
            registrations.accept(invitation, an_answer(name=invitation.contact.name), at=NOW)
        operations.form_groups(conference, 2, organiser, at=NOW, iterations=5)
        operations.publish(conference, organiser, at=NOW)
        first = queries.plan_of(conference)[0].groups[0].seats[0].contact
        registrations.decline(invitation_for(conference, first.id), "", at=NOW)
        gone, promoted = first.name, invitation.contact.name
    staff = browser.sign_in(organiser)
    for endpoint in ("groups.show_groups", "groups.publish_groups"):
        staff.open(endpoint, slug="june-2023")
        assert staff.sees("1 fehlt, 1 ohne Platz")
    assert staff.sees(f"{gone} (nimmt nicht mehr teil)")
    assert staff.sees(f"{promoted} (zugesagt, Runde 1)")


# -- the agenda changes -------------------------------------------------


def test_a_round_without_an_agenda_item_is_named_and_hidden_from_participants(
    staff, new_browser, june, seats
):
    person = seats()[0]["A"][0]
    guest = new_browser().enter(june(lambda c: _link(c, person)))
    guest.open("groups.my_groups")
    assert guest.sees("Runde 1: Gruppe A")
    june(lambda c: agenda.remove_item(breakout_items(c)[0], at=AT))
    guest.open("groups.my_groups")
    assert not guest.sees("Runde 1")
    assert guest.sees("Runde 2")
    for endpoint in ("groups.show_groups", "groups.publish_groups"):
        staff.open(endpoint, slug="june-2023")
        assert staff.sees("Runde 1 steht nicht mehr in der Tagesordnung")
    round_id = june(lambda c: queries.rounds_of(c)[0].id)
    for _twice in range(2):
        staff.submit("groups.clear_round", slug="june-2023", round_id=round_id)
        assert seats()[0] == {}
    assert not staff.sees("Runde 1 steht nicht mehr")
    staff.submit("groups.undo_change", {"version": staff.value_of("version")}, slug="june-2023")
    assert len(seats()[0]) == 3
    live = june(lambda c: queries.rounds_of(c)[1].id)
    staff.submit("groups.clear_round", slug="june-2023", round_id=live, status=409)


def _link(conference, contact_id):
    from conference.invitations.models import LinkPurpose
    from conference.invitations.operations import personal_link
    from conference.providers.queries import contact_by_id

    link = personal_link(conference, contact_by_id(contact_id), LinkPurpose.INVITATION, at=NOW)
    db.session.flush()
    return link


def test_a_round_that_moves_is_shown_at_its_new_time(new_browser, june, seats):
    person = seats()[0]["A"][0]
    guest = new_browser().enter(june(lambda c: _link(c, person)))
    guest.open("groups.my_groups")
    assert guest.sees("10:00–10:45")

    def delay(conference):
        item = breakout_items(conference)[0]
        item.starts_at = item.starts_at.replace(minute=10)

    june(delay)
    guest.open("groups.my_groups")
    assert guest.sees("10:10–10:55")


def test_who_withdrew_is_counted_but_not_named_and_sees_nobody(new_browser, june, seats, miss):
    table = seats()[0]["A"]
    names = june(lambda _c: queries.names_in(table))
    guest = new_browser().enter(june(lambda c: _link(c, table[0])))
    miss(table[1], presence=Presence.EXCUSED)
    guest.open("groups.my_groups")
    assert not guest.sees(names[str(table[1])])
    assert guest.sees(names[str(table[2])])
    assert guest.sees("1 Person, die hier eingeplant war, kommt nicht.")
    gone = new_browser().enter(june(lambda c: _link(c, table[1])))
    gone.open("groups.my_groups")
    assert not gone.sees(names[str(table[2])])
    assert gone.sees("Sie nehmen zurzeit nicht teil")


# -- at the door --------------------------------------------------------


def test_the_door_sees_tables_at_once_and_for_a_walk_in_what_is_proposed(staff, work, come, seats):
    come()
    staff.open("registrations.show_attendance", slug="june-2023")

    assert staff.sees("Runde 1, 10:00 Uhr: Gruppe A")
    assert staff.sees("noch keine Gruppe")
    assert staff.sees("Gruppen: 1 ist dazugekommen")
    work()
    staff.open("registrations.show_attendance", slug="june-2023")
    assert staff.sees("Gruppen: 1 ist dazugekommen: niemand zieht um")
    assert staff.sees("(vorgeschlagen)")
    staff.open("groups.show_repair", slug="june-2023")
    take(staff)
    staff.open("registrations.show_attendance", slug="june-2023")
    assert staff.sees("(noch nicht veröffentlicht)")
    assert not staff.sees("Gruppen: 1")


def test_strangers_find_no_repair(new_browser, in_house, day):
    with in_house():
        stranger = an_account()
    browser = new_browser().sign_in(stranger)
    browser.open("groups.show_repair", slug="june-2023", status=404)
    ask(browser, status=404)
    take(browser, status=404, version="1")


def test_the_pages_ask_as_often_with_more_missing(staff, count_queries, miss, come, seats):
    def asked():
        with count_queries() as counted:
            staff.open("groups.show_repair", slug="june-2023")
            staff.open("registrations.show_attendance", slug="june-2023")
        return len(counted)

    before = seats()
    miss(before[0]["A"][0])
    come("Eins")
    first = asked()
    miss(before[0]["A"][1], before[0]["B"][0])
    come("Zwei")
    assert asked() == first


def test_people_without_an_address_are_to_be_told_in_person(page, work, come, june):
    come()
    june(lambda c: a_participant(c, last_name="Neumann"))
    work()
    browser = page()
    assert browser.sees("kann 1 Person eine Nachricht bekommen")
    assert browser.sees("persönlich Bescheid zu geben: Helga Nordmann")
