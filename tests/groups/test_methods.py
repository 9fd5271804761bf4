"""Methods, goals and rules in the organisers' words, from the page to the seats."""

from datetime import UTC, datetime

import pytest

from conference.groups import forming, method_queries, methods, operations, queries, tasks
from conference.groups.methods import NewRule
from conference.groups.models import Aim, Forming, GroupsRule, Method, RuleKind
from conference.kit.db import db
from conference.kit.errors import Refused, Stale
from conference.providers.models import Side
from conference.registrations import operations as registrations
from conference.registrations.models import Presence
from conference.registrations.queries import participants

from ..builders import NOW, a_conference, a_contact, a_participant, a_small_day, an_account

SLUG = "june-2023"


@pytest.fixture
def settings():
    """The clock stands on the day of the conference, while personal links are valid."""
    return {"CLOCK_START": datetime(2023, 6, 6, 9, 30, tzinfo=UTC)}


@pytest.fixture
def day(house):
    """Twelve people from as many organisations, two rounds."""
    return a_small_day(people=12, rounds=2)


@pytest.fixture
def shown(in_house, organiser):
    """The same, to be looked at in a browser; gives the ids of the people."""
    with in_house():
        return [contact.id for contact in participants(a_small_day(organiser, people=12, rounds=2))]


def rule(conference, kind, *people, **over):
    new = NewRule(kind, tuple(people), over.get("table", ""), over.get("round"), over.get("trait", ("", "")))
    return methods.add_rule(conference, new, None, at=NOW)


def form(conference, tables=3):
    operations.form_groups(conference, tables, None, at=NOW, iterations=300)
    return [
        {group.group.name: {seat.contact_id for seat in group.seats} for group in plan.groups}
        for plan in queries.plan_of(conference)
    ]


def table_of(seats, person):
    return next((name for name, people in seats.items() if person in people), None)


def work(app):
    with app.app_context():
        forming.work(lambda: NOW)


# -- rules ----------------------------------------------------------------


def test_every_kind_of_rule_is_kept(day):
    one, two, three, four, five, six, *_rest = [contact.id for contact in participants(day)]
    rule(day, RuleKind.TOGETHER, one, two)
    rule(day, RuleKind.APART, one, three, round=2)
    rule(day, RuleKind.HOST, four, table="B")
    rule(day, RuleKind.AT, five, table="C", round=2)
    rule(day, RuleKind.NOT_AT, five, table="A")
    rule(day, RuleKind.ABSENT, six, round=1)
    rule(day, RuleKind.EVERYWHERE, trait=("side", Side.PROVIDER.value))
    first, second = form(day)
    for seats in (first, second):
        assert table_of(seats, one) == table_of(seats, two)
        assert table_of(seats, four) == "B"
        assert table_of(seats, five) != "A"
    assert table_of(second, one) != table_of(second, three)
    assert table_of(second, five) == "C"
    assert (table_of(first, six), bool(table_of(second, six))) == (None, True)
    assert sorted(map(len, first.values())) == [3, 4, 4]


def test_rules_do_not_pin_anybody(day):
    person = participants(day)[0].id
    at = rule(day, RuleKind.AT, person, table="C", round=1)
    form(day)
    assert not [s for plan in queries.plan_of(day) for g in plan.groups for s in g.seats if s.pinned]
    methods.remove_rule(day, at.id)
    assert tasks.task_of(day, 3, 2).problem.rules == ()


def test_a_team_at_every_table_that_is_too_small_is_named(day):
    for contact in participants(day)[:2]:
        contact.team = "Reha"
    rule(day, RuleKind.EVERYWHERE, trait=("team", "Reha"))
    with pytest.raises(
        Refused, match="An jedem Tisch sitzt in allen Runden mindestens eine Person aus „Reha“"
    ):
        form(day)


def test_one_of_a_function_sits_at_every_table(day):
    leads = participants(day)[:3]
    for contact in leads:
        contact.function = "Leitung"
    rule(day, RuleKind.EVERYWHERE, trait=("function", "Leitung"))
    assert {table_of(form(day)[1], contact.id) for contact in leads} == set("ABC")


def test_everybody_apart_from_everybody_is_told_at_once(day):
    people = [contact.id for contact in participants(day)]
    rule(day, RuleKind.APART, *people)
    with pytest.raises(Refused, match=r"sitzen in allen Runden nicht zusammen\."):
        form(day)
    assert all(len(table) == 1 for table in form(day, 12)[0].values())


def test_who_has_left_is_ignored_and_shown_as_such(staff, in_house, shown):
    with in_house():
        june = queries_conference()
        rule(june, RuleKind.TOGETHER, shown[0], shown[1])
        rule(june, RuleKind.HOST, shown[0], table="A")
        registrations.record_attendance(june, shown[0], Presence.ABSENT, at=NOW)
        assert not [source for source in tasks.task_of(june, 3, 2).sources if source.isdigit()]
    staff.open("groups.show_rules", slug=SLUG)
    assert staff.text.count("nimmt nicht mehr teil") == 2


def queries_conference():
    from conference.conferences.queries import conference_by_slug

    found = conference_by_slug(SLUG)
    assert found is not None
    return found


def test_the_even_spread_can_be_switched_off(staff, in_house, shown):
    with in_house():
        june = queries_conference()
        for contact in participants(june)[:4]:
            contact.side, contact.team = Side.AGENCY, "Reha"
        low_high = {(r.min, r.max) for r in tasks.task_of(june, 3, 2).problem.rules}
        assert low_high == {(1, 2)}
    staff.submit("groups.switch_spread", {"step": "off"}, slug=SLUG)
    assert staff.sees("Die automatische Regel gilt nicht mehr.")
    with in_house():
        assert tasks.task_of(queries_conference(), 3, 2).problem.rules == ()


def test_the_even_spread_leaves_room_for_who_sits_together(day):
    people = participants(day)[:4]
    for contact in people:
        contact.side = Side.AGENCY
    rule(day, RuleKind.TOGETHER, *(contact.id for contact in people[:3]))
    assert table_of(form(day)[0], people[0].id) == table_of(form(day)[0], people[2].id)


def test_a_rule_is_added_on_the_page_as_a_sentence_and_removed(staff, in_house, shown):
    staff.open("groups.show_rules", slug=SLUG, kind="apart")
    assert staff.sees("Diese Personen sitzen nicht zusammen") and staff.value_of("kind") == "apart"
    data = {"kind": "apart", "person_1": shown[0], "person_2": shown[1], "round": "2"}
    for _twice in range(2):
        staff.submit("groups.add_rule", data, slug=SLUG)
    assert staff.sees("sitzen in Runde 2 nicht zusammen.")
    with in_house():
        (stored,) = method_queries.rules_of(queries_conference())
    staff.submit("groups.remove_rule", {}, slug=SLUG, rule_id=stored.id)
    assert staff.sees("Sie haben noch keine eigenen Regeln.")


@pytest.mark.parametrize(
    "data",
    [
        {"kind": "together", "person_1": "{0}"},
        {"kind": "together", "person_1": "{0}", "person_2": "{0}"},
        {"kind": "apart", "person_1": "{0}", "person_2": "999999"},
        {"kind": "apart", "person_1": "{0}", "person_2": "x"},
        {"kind": "host", "person_1": "{0}"},
        {"kind": "host", "person_1": "{0}", "table": "ZZ"},
        {"kind": "at", "person_1": "{0}", "table": "A", "round": "9"},
        {"kind": "absent", "person_1": "{0}"},
        {"kind": "everywhere", "trait": "team:Gibt es nicht"},
        {"kind": "sonst was"},
        {},
    ],
)
def test_what_is_no_rule_is_asked_again(staff, in_house, shown, data):
    filled = {key: value.format(shown[0]) for key, value in data.items()}
    staff.submit("groups.add_rule", filled, slug=SLUG, status=422)
    assert staff.sees("Es gibt ein Problem")
    if "person_1" in data:
        assert staff.value_of("person_1") == str(shown[0])
    with in_house():
        assert db.session.query(GroupsRule).count() == 0


def test_strangers_and_second_tables_are_refused(day):
    person = participants(day)[0].id
    with pytest.raises(Refused, match="nimmt nicht"):
        rule(day, RuleKind.AT, a_contact().id, table="A")
    rule(day, RuleKind.HOST, person, table="A")
    with pytest.raises(Refused, match="moderiert schon Tisch A"):
        rule(day, RuleKind.HOST, person, table="B")


def test_a_rule_of_another_conference_is_not_there(staff, in_house, shown, organiser):
    with in_house():
        other = a_conference(organiser, slug="anders")
        person = a_participant(other).contact_id
        foreign = rule(other, RuleKind.AT, person, table="A").id
    staff.submit("groups.remove_rule", {}, slug=SLUG, rule_id=foreign, status=404)
    data = {"kind": "not_at", "person_1": person, "table": "A"}
    staff.submit("groups.add_rule", data, slug=SLUG, status=422)


def test_a_moderator_cannot_set_the_rules(new_browser, in_house, shown):
    from conference.accounts.models import Role
    from conference.conferences import operations as conferences

    with in_house():
        moderator = an_account(Role.MODERATOR)
        conferences.add_member(queries_conference().series, moderator)
    browser = new_browser().sign_in(moderator)
    browser.open("groups.show_groups", slug=SLUG)
    browser.open("groups.show_rules", slug=SLUG, status=404)
    browser.submit("groups.choose_method", {"method": "chance", "tables": "3"}, slug=SLUG, status=404)


def test_contradictions_are_named_with_the_way_to_the_rules(staff, app, in_house, shown):
    with in_house():
        june = queries_conference()
        numbers = [rule(june, kind, *shown[:2]).id for kind in (RuleKind.TOGETHER, RuleKind.APART)]
    staff.submit("groups.form_groups", {"tables": "3"}, slug=SLUG)
    work(app)
    staff.open("groups.show_groups", slug=SLUG)
    assert staff.sees("sitzen in allen Runden zusammen.") and staff.sees(
        "sitzen in allen Runden nicht zusammen."
    )
    for number in numbers:
        assert f"/conferences/{SLUG}/groups/rules#rule-{number}" in staff.links()


def test_a_failure_is_no_longer_told_once_its_rules_are_gone(staff, app, in_house, shown):
    with in_house():
        june = queries_conference()
        first, _second = (rule(june, kind, *shown[:2]).id for kind in (RuleKind.TOGETHER, RuleKind.APART))
    staff.submit("groups.form_groups", {"tables": "3"}, slug=SLUG)
    work(app)
    staff.open("groups.show_groups", slug=SLUG)
    assert staff.sees("konnten nicht gebildet werden")
    staff.submit("groups.remove_rule", {}, slug=SLUG, rule_id=first)
    staff.open("groups.show_groups", slug=SLUG)
    assert not staff.sees("konnten nicht gebildet werden")


def test_a_rule_for_a_table_that_there_is_not_is_named(staff, in_house, shown):
    with in_house():
        rule(queries_conference(), RuleKind.HOST, shown[0], table="E")
    staff.submit("groups.form_groups", {"tables": "3"}, slug=SLUG, status=409)
    assert staff.sees("moderiert Tisch E") and staff.value_of("tables") == "3"


def test_a_rule_that_comes_while_groups_are_formed_is_not_passed_over(staff, app, in_house, shown):
    staff.submit("groups.form_groups", {"tables": "3"}, slug=SLUG)
    with in_house():
        rule(queries_conference(), RuleKind.TOGETHER, *shown[:2])
    work(app)
    with in_house():
        assert db.session.query(Forming).one().trouble == {"code": "changed"}


def test_a_move_that_breaks_a_rule_says_so_and_the_board_shows_it(staff, in_house, shown):
    with in_house():
        june = queries_conference()
        rule(june, RuleKind.HOST, shown[0], table="A")
        operations.form_groups(june, 3, None, at=NOW, iterations=100)
        plan = queries.plan_of(june)[0]
        target = next(g.group.id for g in plan.groups if g.group.name == "B")
    staff.open("groups.show_groups", slug=SLUG)
    assert staff.text.count("Tischmoderation") == 2
    data = {"person": shown[0], "group": target, "version": plan.round.version, "step": "move"}
    staff.submit("groups.move_seat", data, slug=SLUG, round_id=plan.round.id)
    assert staff.sees("Das verletzt eine Regel: In Runde 1 nicht eingehalten:")
    assert staff.text.count("sitzt in allen Runden an Tisch A.") == 2


# -- methods and goals ----------------------------------------------------


@pytest.mark.parametrize(
    ("method", "goals"),
    [
        (Method.WORKING_GROUPS, ["Colleagues", "Repeats", "Balance"]),
        (Method.WORLD_CAFE, ["Repeats", "Colleagues", "Balance"]),
        (Method.CHANCE, []),
        (Method.WISHES, ["Colleagues", "Repeats", "Balance"]),
    ],
)
def test_each_method_has_goals_of_its_own(day, method, goals):
    methods.choose_method(day, method, 3, 0)
    problem = tasks.task_of(day, 3, 2).problem
    assert [type(goal).__name__ for goal in problem.goals] == goals


def test_chance_falls_anew_each_time_and_keeps_the_rules(day):
    organiser = an_account()
    methods.choose_method(day, Method.CHANCE, 3, 0)
    host = participants(day)[0].id
    rule(day, RuleKind.HOST, host, table="B")
    asked = forming.ask(day, 3, organiser, at=NOW)
    first = asked.seed
    forming.cancel(asked, at=NOW)
    assert forming.ask(day, 3, organiser, at=NOW).seed != first
    assert all(table_of(seats, host) == "B" for seats in form(day))


def test_the_goals_are_put_into_another_order_by_buttons(staff, in_house, shown):
    staff.open("groups.choose_method", slug=SLUG)
    press = {"aim": "repeats", "step": "up", "version": "0"}
    staff.submit("groups.change_aim", press, slug=SLUG)
    staff.submit("groups.change_aim", press, slug=SLUG, status=409)
    staff.submit("groups.change_aim", {"aim": "balance", "step": "out", "version": "1"}, slug=SLUG)
    with in_house():
        assert method_queries.setting_of(queries_conference()).aims == (
            Aim.REPEATS,
            Aim.COLLEAGUES,
            Aim.WISHES,
        )
    staff.submit("groups.change_aim", {"aim": "balance", "step": "own", "version": "2"}, slug=SLUG)
    staff.submit("groups.change_aim", {"aim": "x", "step": "up", "version": "3"}, slug=SLUG, status=422)
    with in_house():
        assert not method_queries.setting_of(queries_conference()).has_own_order


def test_the_method_is_chosen_and_the_groups_formed_with_one_button(staff, app, in_house, shown):
    data = {"method": "world_cafe", "tables": "3", "version": "0", "step": "form"}
    staff.submit("groups.choose_method", data, slug=SLUG)
    work(app)
    staff.open("groups.show_groups", slug=SLUG)
    assert staff.sees("Methode: World Café.") and staff.sees("Gruppe C")
    staff.open("groups.choose_method", slug=SLUG)
    assert staff.sees("3 Tische haben noch keine Tischmoderation: A, B, C")
    staff.submit("groups.name_hosts", {}, slug=SLUG)
    assert all(staff.sees(f"moderiert Tisch {name}") for name in "ABC")


@pytest.mark.parametrize("over", [{"method": "sonst"}, {"tables": ""}, {"tables": "0"}, {"tables": "zwei"}])
def test_a_method_that_is_none_is_asked_again(staff, shown, over):
    data = {"method": "chance", "tables": "3", "version": "0"} | over
    staff.submit("groups.choose_method", data, slug=SLUG, status=422)


def test_of_two_organisers_one_is_told_that_the_method_has_changed(day):
    methods.choose_method(day, Method.CHANCE, 3, 0)
    methods.choose_method(day, Method.CHANCE, 3, 0)
    with pytest.raises(Stale):
        methods.choose_method(day, Method.WISHES, 3, 0)


def test_the_advice_stands_on_the_page_before_anything_is_formed(staff, shown):
    staff.open("groups.choose_method", slug=SLUG)
    assert staff.sees("Was die Zahl der Tische zulässt")
    assert staff.sees("niemand muss sich zweimal treffen (bewiesen)")


@pytest.mark.parametrize("people", [0, 1])
def test_nobody_or_one_person_is_no_reason_to_fail(staff, in_house, organiser, people):
    with in_house():
        a_small_day(organiser, people=people)
    for page in ("groups.choose_method", "groups.show_rules", "groups.show_market"):
        staff.open(page, slug=SLUG)
    staff.open("groups.show_rules", slug=SLUG, kind="together")


def test_tables_beyond_the_alphabet_have_numbers_in_their_order():
    assert method_queries.table_names(3) == ["A", "B", "C"]
    many = method_queries.table_names(120)
    assert (many[0], many[-1]) == ("001", "120")
    assert many == sorted(many)


def test_hosts_are_marked_on_the_personal_page(new_browser, in_house, organiser):
    with in_house():
        june = a_small_day(organiser, people=5)
        link = a_participant(june)
        rule(june, RuleKind.HOST, link.contact_id, table="A")
        operations.form_groups(june, 2, None, at=NOW, iterations=50)
        operations.publish(june, organiser, at=NOW)
    guest = new_browser().enter(link)
    guest.open("groups.my_groups")
    assert guest.sees("Sie übernehmen die Tischmoderation")
