"""The board: swapping, undoing, improving the rest around what was moved by hand."""

from datetime import UTC, datetime

import pytest

from conference.conferences.models import Conference
from conference.groups import forming, operations, queries
from conference.groups.models import Seat, SeatingChange
from conference.kit.db import db
from conference.kit.errors import Refused, Stale

from ..builders import NOW, a_conference, a_small_day


@pytest.fixture
def settings():
    return {"CLOCK_START": datetime(2023, 6, 6, 9, 30, tzinfo=UTC)}


@pytest.fixture
def day(in_house, organiser):
    """Nine people at three tables in each of two rounds."""
    with in_house():
        conference = a_small_day(organiser, people=9, rounds=2)
        operations.form_groups(conference, 3, organiser, at=NOW, iterations=50)
        return conference


@pytest.fixture
def board(in_house, day):
    """The seats now: per round number the tables with contact ids; and everything needed to change them."""

    def look():
        with in_house():
            plans = queries.plan_of(db.session.get(Conference, day.id))
            change = queries.last_change(day)
            return {
                "rounds": [p.round.id for p in plans],
                "versions": [p.round.version for p in plans],
                "ids": [{g.group.name: g.group.id for g in p.groups} for p in plans],
                "seats": [
                    {g.group.name: sorted(s.contact_id for s in g.seats) for g in p.groups} for p in plans
                ],
                "pinned": {
                    (p.round.number, s.contact_id)
                    for p in plans
                    for g in p.groups
                    for s in g.seats
                    if s.pinned
                },
                "names": {s.contact_id: s.contact.name for p in plans for g in p.groups for s in g.seats},
                "last": change.id if change else None,
            }

    return look


@pytest.fixture
def press(staff, board):
    def send(person, step, status=303, number=0, **over):
        now = board()
        data = {"person": person, "version": now["versions"][number], "step": step, "group": "", "other": ""}
        return staff.submit(
            "groups.move_seat", data | over, slug="june-2023", round_id=now["rounds"][number], status=status
        )

    return send


@pytest.fixture
def undo(staff, board):
    def send(status=303, version=None):
        data = {"version": board()["last"] if version is None else version}
        return staff.submit("groups.undo_change", data, slug="june-2023", status=status)

    return send


def test_two_people_change_places(staff, board, press):
    before = board()
    one, other = before["seats"][0]["A"][0], before["seats"][0]["B"][0]
    press(one, "swap", other=other)
    assert staff.sees(f"{before['names'][one]} sitzt jetzt in Gruppe B (Runde 1).")
    assert staff.sees(f"{before['names'][other]} sitzt jetzt in Gruppe A (Runde 1).")
    after = board()
    assert other in after["seats"][0]["A"] and one in after["seats"][0]["B"]
    assert after["seats"][1] == before["seats"][1]


@pytest.mark.parametrize(
    ("choose", "status", "words"),
    [
        (lambda _seats: "", 409, "Bitte wählen Sie, mit wem der Platz getauscht wird."),
        (lambda seats: seats["A"][1], 409, "Beide sitzen schon in derselben Gruppe."),
        (lambda seats: seats["A"][0], 409, "Beide sitzen schon in derselben Gruppe."),
        (lambda _seats: 999_999, 404, "Diese Seite gibt es nicht"),
        (lambda _seats: "x", 422, "Es gibt ein Problem"),
    ],
    ids=["nobody", "same-group", "themselves", "unknown", "word"],
)
def test_an_impossible_swap_changes_nothing_and_is_explained(staff, board, press, choose, status, words):
    before = board()
    press(before["seats"][0]["A"][0], "swap", other=choose(before["seats"][0]), status=status)
    if status == 409:
        assert staff.sees(words)
    assert board()["seats"] == before["seats"]


def test_a_swap_on_an_old_plan_is_refused(board, press):
    before = board()
    one, other, third = before["seats"][0]["A"][0], before["seats"][0]["B"][0], before["seats"][0]["C"][0]
    press(one, "swap", other=other)
    press(third, "swap", other=other, version=before["versions"][0], status=409)
    assert third in board()["seats"][0]["C"]


def test_changes_are_taken_back_one_after_the_other_also_after_a_reload(staff, board, press, undo):
    stages = [board()]
    seats = stages[0]["seats"][0]
    press(seats["A"][0], "move", group=stages[0]["ids"][0]["B"])
    stages.append(board())
    press(seats["A"][1], "swap", other=seats["C"][0])
    stages.append(board())
    press(seats["A"][2], "pin")
    assert board()["pinned"] == {(1, seats["A"][2])}
    staff.open("groups.show_groups", slug="june-2023")
    assert staff.sees("Letzte Änderung: Festgehalten: " + stages[0]["names"][seats["A"][2]])
    undo()
    assert (board()["seats"], board()["pinned"]) == (stages[2]["seats"], set())
    undo()
    assert board()["seats"] == stages[1]["seats"]
    undo()
    assert board()["seats"] == stages[0]["seats"]
    assert staff.sees("Die letzte Änderung wurde zurückgenommen.")


def test_forming_anew_can_be_taken_back_with_its_tables(staff, app, board, undo, in_house, day):
    before = board()
    staff.submit("groups.form_groups", {"tables": "2"}, slug="june-2023")
    with app.app_context():
        forming.work(lambda: NOW)
    assert sorted(board()["seats"][0]) == ["A", "B"]
    undo()
    assert board()["seats"] == before["seats"]


def test_an_undo_sent_twice_takes_back_one_change(board, press, undo):
    first = board()
    press(first["seats"][0]["A"][0], "move", group=first["ids"][0]["B"])
    between = board()
    press(first["seats"][0]["A"][1], "move", group=first["ids"][0]["B"])
    last = board()["last"]
    undo(version=last)
    undo(version=last, status=409)
    assert board()["seats"] == between["seats"]


@pytest.mark.parametrize("version", ["", "x", "0", "-1", "99999999999999999999"])
def test_an_undo_without_a_known_change_does_nothing(board, undo, version):
    before = board()
    undo(version=version, status=409)
    assert board()["seats"] == before["seats"]


def test_a_move_to_the_own_group_is_no_change(board, press):
    before = board()
    person = before["seats"][0]["A"][0]
    press(person, "move", group=before["ids"][0]["A"])
    assert (board()["last"], board()["versions"]) == (before["last"], before["versions"])


def test_only_the_last_changes_are_kept(in_house, day, board):
    now = board()
    person = now["seats"][0]["A"][0]
    with in_house():
        conference = db.session.get(Conference, day.id)
        for number in range(operations.MOST_UNDONE + 5):
            operations.pin(conference, now["rounds"][0], person, number % 2 == 0, at=NOW)
        assert db.session.query(SeatingChange).count() == operations.MOST_UNDONE


def test_undo_stays_within_the_conference(in_house, day, organiser, board, press):
    press(board()["seats"][0]["A"][0], "pin")
    with in_house():
        other = a_conference(organiser, slug="anders")
        with pytest.raises(Refused):
            operations.undo(other, queries.last_change(day).id)
        with pytest.raises(Stale):
            operations.undo(db.session.get(Conference, day.id), -1)


def test_the_rest_is_improved_around_what_was_moved(staff, app, board, press):
    before = board()
    person = before["seats"][0]["A"][0]
    press(person, "move", group=before["ids"][0]["B"])
    assert staff.sees("1 Platz weicht von der Bildung ab.")
    staff.submit("groups.form_groups", {"tables": "3", "around": "1"}, slug="june-2023")
    with app.app_context():
        forming.work(lambda: NOW)
    after = board()
    assert person in after["seats"][0]["B"]
    assert after["pinned"] == {(1, person)}
    assert {len(people) for people in after["seats"][0].values()} == {3}
    staff.open("groups.show_groups", slug="june-2023")
    assert not staff.sees("Den Rest um meine Änderungen herum verbessern")


def test_a_move_says_what_it_does_to_the_goals(staff, in_house, board, press):
    before = board()
    pairs = [(one, name) for one in before["seats"][0]["A"] for name in "BC"]
    person, table = pairs[0]
    press(person, "move", group=before["ids"][0][table])
    assert staff.sees("→")


def test_people_who_are_gone_do_not_come_back_by_undo(in_house, day, board, press, undo):
    before = board()
    press(before["seats"][0]["A"][0], "pin")
    with in_house():
        change = queries.last_change(day)
        plan = [dict(one) for one in change.before]
        plan[0]["groups"][0]["seats"].append([999_999, False])
        change.before = plan
    undo()
    with in_house():
        assert db.session.query(Seat).filter(Seat.contact_id == 999_999).count() == 0
