"""The time of a round: by the agenda, started, extended, paused and ended; who sees it where; the seating on the wall."""

import re
from datetime import UTC, datetime, timedelta

import pytest

from conference.conferences.models import Conference
from conference.groups import operations, queries, timer
from conference.groups.models import GroupsRelease, RoundTimer
from conference.ideas import operations as ideas
from conference.kit.db import db
from conference.kit.errors import Refused, Stale

from ..builders import NOW, a_conference, a_participant, a_small_day, an_account

TEN = datetime(2023, 6, 6, 8, 0, tzinfo=UTC)  # 10:00 in Herford, when the first round begins
PAGE = "/conferences/june-2023/groups/time"
WALL = "/conferences/june-2023/groups/wall"


@pytest.fixture(autouse=True)
def clock(monkeypatch):
    """`clock(minutes)`: so long after the first round's planned beginning it is now; it stands still."""

    def stands_at(minutes):
        monkeypatch.setattr("conference.kit.clock.now", lambda: TEN + timedelta(minutes=minutes))

    stands_at(0)
    return stands_at


@pytest.fixture
def day(in_house, organiser):
    """Two rounds, 10:00 and 11:00, each of 45 minutes, and nobody there."""
    with in_house():
        conference = a_small_day(organiser, people=0, rounds=2)
        operations.prepare_rounds(conference)
        return conference


@pytest.fixture
def seated(in_house, day, organiser):
    """Four people at two tables."""
    with in_house():
        conference = db.session.get(Conference, day.id)
        for _ in range(4):
            a_participant(conference)
        operations.form_groups(conference, 2, organiser, at=NOW, iterations=20)


@pytest.fixture
def rounds(in_house, day):
    with in_house():
        return [round_.id for round_ in queries.rounds_of(db.session.get(Conference, day.id))]


@pytest.fixture
def staff(browser, organiser, day):
    return browser.sign_in(organiser)


@pytest.fixture
def do(in_house, day, rounds, organiser):
    """`do(timer.extend, 1, version=0, after=10)`: one step on a round by the organiser, so many minutes after ten."""

    def step(operation, number, *more, version, after, account=organiser):
        with in_house():
            conference = db.session.get(Conference, day.id)
            at = TEN + timedelta(minutes=after)
            return operation(conference, rounds[number - 1], *more, version, account, at=at)

    return step


def minutes(countdown):
    """Begin and end in minutes after ten."""
    return [(moment - TEN) / timedelta(minutes=1) for moment in (countdown.starts_at, countdown.ends_at)]


# -- operations -------------------------------------------------------


def test_started_late_a_round_ends_later_and_another_one_ends_by_it(do, in_house, day):
    assert minutes(do(timer.start, 1, 45, version=0, after=7)) == [7, 52]
    assert minutes(do(timer.start, 2, 30, version=0, after=40)) == [40, 70]
    with in_house():
        first, second = timer.countdowns(db.session.get(Conference, day.id))
        assert minutes(first) == [7, 40]
        assert timer.current(db.session.get(Conference, day.id), TEN + timedelta(minutes=41)) == second


def test_five_minutes_more_start_from_the_agenda_and_after_the_end_from_now(do):
    assert minutes(do(timer.extend, 1, version=0, after=44)) == [0, 50]
    assert minutes(do(timer.extend, 1, version=1, after=48)) == [0, 55]
    assert minutes(do(timer.extend, 1, version=2, after=70)) == [0, 75]


def test_a_pause_moves_the_end_by_its_length_also_when_it_is_extended_meanwhile(do):
    do(timer.pause, 1, version=0, after=20)
    do(timer.extend, 1, version=1, after=40)
    assert minutes(do(timer.resume, 1, version=2, after=60)) == [0, 90]


def test_ended_early_a_round_can_go_on_again(do):
    assert minutes(do(timer.end, 1, version=0, after=30)) == [0, 30]
    assert minutes(do(timer.extend, 1, version=1, after=31)) == [0, 36]
    do(timer.pause, 1, version=2, after=32)
    assert minutes(do(timer.end, 1, version=3, after=33)) == [0, 33]


def test_a_button_pressed_twice_counts_once_and_another_person_is_told_the_new_end(do, in_house):
    with in_house():
        other = an_account()
    first = do(timer.extend, 1, version=0, after=40)
    assert do(timer.extend, 1, version=0, after=40) == first
    with pytest.raises(Stale, match="10:50"):
        do(timer.extend, 1, version=0, after=40, account=other)
    with pytest.raises(Stale):
        do(timer.end, 1, version=0, after=40)  # the same person, but another button on an old page
    assert minutes(do(timer.extend, 1, version=1, after=41, account=other)) == [0, 55]


def test_what_makes_no_sense_is_refused(do, in_house):
    def refused(operation, version, after):
        with pytest.raises(Refused) as refusal:
            do(operation, 1, version=version, after=after)
        assert not isinstance(refusal.value, Stale)

    for operation, after in (
        (timer.extend, -1),
        (timer.end, -1),
        (timer.end, 46),
        (timer.pause, 46),
        (timer.resume, 5),
    ):
        refused(operation, 0, after)
    with in_house():
        assert db.session.query(RoundTimer).count() == 0
    do(timer.pause, 1, version=0, after=1)
    refused(timer.pause, 1, 5)


def test_a_round_is_started_once_and_never_longer_than_half_a_day(do):
    do(timer.start, 1, 480, version=0, after=0)
    with pytest.raises(Refused, match="läuft schon"):
        do(timer.start, 1, 45, version=1, after=1)
    for version in range(1, 1 + 240 // 5):
        do(timer.extend, 1, version=version, after=1)
    with pytest.raises(Refused, match="zwölf Stunden"):
        do(timer.extend, 1, version=1 + 240 // 5, after=1)


def test_a_round_of_another_conference_is_not_found(staff, in_house, rounds):
    with in_house():
        other = an_account()
        a_conference(other, slug="july-2023")
    staff.sign_in(other)
    for path in ("timer", "timer/extension", "timer/pause", "timer/resumption", "timer/closure"):
        staff.submit(
            f"/conferences/july-2023/rounds/{rounds[0]}/{path}", {"version": 0, "minutes": 5}, status=404
        )


# -- pages ------------------------------------------------------------


def step(staff, round_id, path="", version=0, status=303, **data):
    return staff.submit(
        f"/conferences/june-2023/rounds/{round_id}/timer{path}", {"version": version} | data, status=status
    )


def test_staff_see_the_running_round_and_change_it(staff, rounds, clock):
    clock(10)
    staff.open(PAGE)
    assert staff.sees("Runde 1 läuft bis 10:45 Uhr.")
    step(staff, rounds[0], "/extension")
    assert staff.sees("Runde 1 dauert fünf Minuten länger. Sie endet um 10:50 Uhr.")
    step(staff, rounds[0], "/pause", version=1)
    assert staff.sees("Runde 1 ist angehalten. Danach bleiben 40:00 Minuten.")
    clock(20)
    step(staff, rounds[0], "/resumption", version=2)
    assert staff.sees("Runde 1 läuft bis 11:00 Uhr.")
    step(staff, rounds[0], "/closure", version=3)
    assert staff.sees("Runde 1 ist seit 10:20 Uhr zu Ende.")


def test_a_start_takes_the_minutes_and_keeps_what_was_typed_wrongly(staff, rounds, clock):
    clock(-90)
    staff.open(PAGE)
    assert staff.sees("Runde 1 beginnt um 10:00 Uhr.") and staff.value_of("minutes") == "45"
    step(staff, rounds[0], minutes="0", status=422)
    assert staff.value_of("minutes") == "0" and staff.sees("Bitte schreiben Sie eine Zahl von 1 bis 480.")
    step(staff, rounds[0], minutes="20")
    assert staff.sees("Runde 1 hat begonnen. Sie endet um 08:50 Uhr.")
    step(staff, rounds[0], minutes="20", version="x", status=409)
    assert staff.sees("Jemand anderes war schneller: Runde 1 endet jetzt um 08:50 Uhr.")


def test_the_second_of_two_people_gets_409_with_the_new_end_and_fresh_buttons(
    staff, new_browser, in_house, organiser, rounds, day, clock
):
    clock(40)
    with in_house():
        from conference.conferences import operations as conferences

        colleague = an_account()
        conferences.add_member(db.session.get(Conference, day.id).series, colleague)
    other = new_browser().sign_in(colleague)
    step(staff, rounds[0], "/extension")
    step(other, rounds[0], "/extension", status=409)
    assert other.sees("Runde 1 endet jetzt um 10:50 Uhr.") and other.value_of("version") == "1"
    step(staff, rounds[0], "/extension")  # a double click
    assert staff.sees("Sie endet um 10:50 Uhr.")


def test_a_button_on_the_wall_leads_back_to_the_wall_and_nowhere_else(staff, rounds, clock):
    clock(40)
    step(staff, rounds[0], "/extension", back="names")
    assert "view=names" in staff.response.request.full_path
    step(staff, rounds[0], "/extension", version=1, back="https://evil.example")
    assert staff.response.request.path == PAGE


def test_t34_leadership_and_strangers_see_neither_time_nor_wall(browser, in_house, day, new_browser):
    from conference.accounts.models import Role

    with in_house():
        leader = an_account(Role.LEADERSHIP)
    for path in (PAGE, WALL):
        new_browser().sign_in(leader).open(path, status=404)
        browser.open(path, status=303)
    browser.open("/my/groups/time", status=404)


def test_participants_see_the_same_end_on_their_page_and_at_their_table(
    browser, in_house, day, seated, do, clock, new_browser
):
    clock(10)
    do(timer.extend, 1, version=0, after=10)
    with in_house():
        conference = db.session.get(Conference, day.id)
        link = a_participant(conference)
        ideas.open_collection(conference, at=NOW)
        codes = {point.table: point.code for point in ideas.points_for(conference)}
    browser.enter(link)
    table = new_browser()
    for one, path in (
        (browser, "/my/groups"), (browser, "/my/groups/time"), (table, f"/ideas/{codes['A']}"), (table, f"/ideas/{codes['A']}/time"),
    ):  # fmt: skip
        one.open(path)
        assert one.sees("Runde 1 läuft bis 10:50 Uhr."), path
        assert 'role="timer"' in one.html and "data-ends=" in one.html
    table.open(f"/ideas/{codes['']}")  # the plenary is no table
    assert "data-ends=" not in table.html
    table.open("/ideas/XXXX-XX/time", status=404)


def test_the_clock_goes_by_the_servers_own_time_and_shows_without_script_only_the_end(staff, clock):
    clock(40)
    staff.open(PAGE)
    facts = dict(re.findall(r'data-(ends|now)="(\d+)"', staff.html))
    assert int(facts["ends"]) - int(facts["now"]) == 300_000
    assert re.search(r"data-end=[^>]* hidden>", staff.html)
    staff.open(PAGE, headers={"HX-Request": "true"})
    assert not re.search(r"data-end=[^>]* hidden>", staff.html)
    assert staff.response.headers["Cache-Control"] == "no-store"


def test_long_before_and_after_the_day_nothing_asks_again(staff, clock):
    for after, words in (
        (-60 * 24 * 3, "Runde 1: Dienstag, 06.06.2023, 10:00 Uhr"),
        (60 * 24 * 3, "Runde 2 war am Dienstag, 06.06.2023."),
    ):
        clock(after)
        staff.open(PAGE)
        assert staff.sees(words) and "hx-get" not in staff.html and "5 Minuten mehr" not in staff.text


def test_without_rounds_the_page_says_where_they_come_from(browser, in_house, organiser):
    with in_house():
        a_conference(organiser)
    browser.sign_in(organiser).open(PAGE)
    assert browser.sees("Noch hat keine Runde eine Zeit")


# -- the wall ---------------------------------------------------------


@pytest.fixture
def published(in_house, day, seated, organiser):
    def publish():
        with in_house():
            return operations.publish(db.session.get(Conference, day.id), organiser, at=NOW).number

    return publish


def heading(staff):
    return re.search(r'id="wall-title">(Runde \d+|Arbeitsgruppen)', staff.html)[1]


def test_the_wall_says_when_the_groups_are_not_published(staff, seated):
    staff.open(WALL)
    assert (
        staff.sees("Die Arbeitsgruppen sind noch nicht veröffentlicht.") and "Bildungshaus" not in staff.text
    )


def test_the_wall_follows_the_rounds_and_shows_what_is_published(
    staff, published, clock, in_house, day, do, rounds
):
    published()
    for after, shown in (
        (-60, "Runde 1"),
        (10, "Runde 1"),
        (46, "Runde 2"),
        (70, "Runde 2"),
        (300, "Runde 2"),
    ):
        clock(after)
        staff.open(WALL)
        assert heading(staff) == shown, after
    clock(50)
    do(timer.extend, 1, version=0, after=50)
    staff.open(WALL)
    assert heading(staff) == "Runde 1" and staff.sees("Fassung 1 vom")
    with in_house():
        conference = db.session.get(Conference, day.id)
        seat = queries.plan_of(conference)[0].groups[0].seats[0]
        name, where = seat.contact.name, seat.round_id
        operations.move_seat(conference, where, seat.contact_id, None, None, at=NOW)
    staff.open(WALL)
    assert staff.sees(name)
    published()
    staff.open(WALL)
    assert not staff.sees(name) or staff.sees("1 Person hat noch keine Gruppe")
    assert staff.sees("Fassung 2 vom")
    staff.open(WALL + "?view=names&round=1")
    assert staff.sees("noch keine Gruppe")


def test_the_wall_shows_names_and_organisations_and_nothing_else_of_people(
    staff, in_house, day, seated, organiser
):
    with in_house():
        conference = db.session.get(Conference, day.id)
        link = a_participant(conference, first_name="Zoë", last_name="W" * 80, organisation="O" * 90)
        person = link.contact
        table = queries.plan_of(conference)[0].groups[0].group
        operations.move_seat(conference, table.round_id, person.id, table.id, None, at=NOW)
        operations.publish(conference, organiser, at=NOW)
    for view in ("", "?view=names"):
        staff.open(WALL + view)
        assert staff.sees("W" * 80) and "@" not in staff.text


def test_many_people_are_shown_page_by_page_and_everybody_is_on_one(
    staff, in_house, day, seated, organiser, clock
):
    with in_house():
        conference = db.session.get(Conference, day.id)
        people = [f"Gast {number:03d}" for number in range(60)]
        plan = queries.plan_as_published(conference)
        plan[0]["contact_ids"] = list(range(9000, 9060))
        plan[0]["people"] = people
        db.session.add(GroupsRelease(conference_id=conference.id, number=1, released_at=NOW, plan=plan))
    for view in ("?", "?view=names&"):
        staff.open(WALL + view)
        count = int(re.search(r"Seite \d+ von (\d+)", staff.text)[1])
        assert count > 1
        seen = []
        for page in range(1, count + 1):
            staff.open(f"{WALL}{view}page={page}")
            seen += re.findall(r"Gast \d{3}", staff.text)
        assert sorted(set(seen)) == people and len(seen) == 60
        turned = set()
        for second in range(0, 12 * count, 12):
            clock(second / 60)
            staff.open(WALL + view)
            turned.add(re.search(r"Seite (\d+) von", staff.text)[1])
        assert len(turned) == count


def test_odd_addresses_show_a_proper_wall(staff, published):
    published()
    for odd in ("page=0", "page=-1", "page=9999999", "page=٣", "round=77", "size=9", "view=x", "page=99"):
        staff.open(f"{WALL}?{odd}")
        assert staff.sees("Fassung 1 vom"), odd


def test_the_wall_and_the_time_ask_the_database_no_more_often_for_more_people(
    staff, published, count_queries, in_house, day
):
    published()
    seen = {}
    for path in (WALL, WALL + "?view=names", PAGE):
        with count_queries() as statements:
            staff.open(path)
        seen[path] = len(statements)
    with in_house():
        conference = db.session.get(Conference, day.id)
        table = queries.plan_of(conference)[0].groups[0].group
        for _ in range(3):
            person = a_participant(conference).contact
            operations.move_seat(conference, table.round_id, person.id, table.id, None, at=NOW)
    published()
    for path, before in seen.items():
        with count_queries() as statements:
            staff.open(path)
        assert len(statements) <= before, path
    assert max(seen.values()) <= 12, seen
