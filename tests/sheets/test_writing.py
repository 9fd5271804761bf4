"""A group's sheet: written at the table or by staff, counted once, never lost."""

from concurrent.futures import ThreadPoolExecutor

from conference.groups import operations as groups
from conference.kit.db import db

from ..browser import Browser
from ..builders import a_conference, a_participant, a_table_plan, an_account
from .conftest import seen

THREE = {"result_1": "Ein Kalender", "result_3": "Kurse am Vormittag", "result_5": "Eine Ansprechperson"}
HERE = "sheets.fill_sheet"


def test_a_table_saves_and_hands_in_by_its_code(browser, day, at_table, states):
    browser.open("ideas.hand_in_idea", code=day.code)
    assert f"/sheets/{day.code}/1" in browser.links()
    browser.open("sheets.find_sheet", code=day.code.lower(), status=303)
    at_table(THREE, writer="Ada")
    assert (
        browser.sees("noch ab, wenn Sie fertig sind") and browser.value_of("result_2") == "Kurse am Vormittag"
    )
    at_table({"result_1": "Ein Kalender", "open_points": "Wer pflegt ihn?"}, "hand_in")
    assert browser.sees("Üblich sind drei bis fünf") and browser.value_of("result_1") is None
    assert states() == [
        (1, ["Ein Kalender", "Kurse am Vormittag", "Eine Ansprechperson"], False, "Ada"),
        (2, ["Ein Kalender"], True, ""),
    ]


def test_the_question_of_the_group_stands_there_already(browser, in_house, day, june, tables):
    group = tables()["A"].group
    with in_house():
        groups.change_group(june(), db.session.merge(group), None, None, "Was hilft Eltern?")
    browser.open(HERE, code=day.code, number=1)
    assert browser.value_of("question") == "Was hilft Eltern?"


def test_the_same_form_again_is_one_state_whatever_happened_since(
    browser, new_browser, day, at_table, states
):
    browser.open(HERE, code=day.code, number=1)
    first = seen(browser) | THREE
    browser.submit(HERE, first, code=day.code, number=1)
    browser.submit(HERE, first, code=day.code, number=1)
    at_table({"result_1": "Ganz anders"}, who=new_browser())
    browser.submit(HERE, first, code=day.code, number=1)
    assert [number for number, *_rest in states()] == [1, 2]
    assert browser.value_of("result_1") == "Ganz anders"


def test_who_goes_back_and_writes_on_is_not_told_of_somebody_else(browser, day, states):
    browser.open(HERE, code=day.code, number=1)
    first = seen(browser) | THREE
    browser.submit(HERE, first, code=day.code, number=1)
    browser.submit(HERE, first | {"result_1": "Zwei Kalender"}, code=day.code, number=1)
    browser.submit(
        HERE, first | {"result_1": "Zwei Kalender", "step": "hand_in"}, status=409, code=day.code, number=1
    )
    assert [number for number, *_rest in states()] == [1, 2]


def test_two_at_one_table_lose_nothing(browser, new_browser, day, at_table, states):
    browser.open(HERE, code=day.code, number=1)
    late = seen(browser) | {"result_1": "<b>Mein</b> Text"}
    at_table({"result_1": "<i>Dein</i> Text"}, who=new_browser())
    browser.submit(HERE, late, status=409, code=day.code, number=1)
    assert browser.sees("<b>Mein</b> Text") and browser.sees("<i>Dein</i> Text")
    assert browser.value_of("result_1") == "<b>Mein</b> Text"
    both = seen(browser) | {"result_1": "Mein Text", "result_2": "Dein Text"}
    browser.submit(HERE, both, code=day.code, number=1)
    assert [results for _number, results, *_rest in states()] == [
        ["<i>Dein</i> Text"],
        ["Mein Text", "Dein Text"],
    ]


def test_eight_phones_at_once_make_one_first_state(app, day, states):
    def send(_number):
        phone = Browser(app)
        phone.open(HERE, code=day.code, number=1)
        form = seen(phone) | {
            "result_1": f"Von Telefon {_number}",
            "version": "0",
            "csrf_token": phone.csrf_token(),
        }
        return phone.client.post(f"/sheets/{day.code}/1", data=form).status_code

    with ThreadPoolExecutor(8) as phones:
        answers = sorted(phones.map(send, range(8)))
    assert answers == [303] + [409] * 7
    assert len(states()) == 1


def test_what_is_no_sheet_comes_back_as_it_was_typed(browser, at_table, states):
    for fields, step, words in [
        ({}, "save", "mindestens ein Ergebnis"),
        ({"open_points": "Nur dies"}, "hand_in", "bevor Sie das Blatt abgeben"),
        (THREE | {"result_6": "Zu viel"}, "save", "höchstens 5 Ergebnisse"),
        (THREE | {"result_1": "x" * 501}, "hand_in", "höchstens 500 Zeichen"),
        (THREE | {"client_id": "keine"}, "save", "noch einmal"),
    ]:
        at_table(fields, step, status=422)
        assert browser.sees(words)
        for name in fields.keys() - {"client_id", "result_6"}:
            assert browser.value_of(name) == fields[name]
    at_table(THREE | {"version": "keine"}, "hand_in", status=409)
    assert browser.value_of("result_1") == "Ein Kalender"
    assert states() == []


def test_what_is_handed_in_is_for_staff_to_open_again(
    browser, new_browser, day, organiser, at_table, tables, states
):
    browser.open(HERE, code=day.code, number=1)
    late = seen(browser) | {"result_1": "Zu spät", "step": "hand_in"}
    at_table(THREE, "hand_in", who=new_browser())
    browser.submit(HERE, late, status=409, code=day.code, number=1)
    assert browser.sees("Zu spät") and browser.sees("Ein Kalender") and browser.sees("inzwischen abgegeben")
    staff, table = new_browser().sign_in(organiser), tables()["A"]
    where = {"slug": day.slug, "round_id": table.round.id, "name": "A"}
    staff.open("sheets.edit_sheet", **where)
    staff.submit("sheets.edit_sheet", seen(staff) | {"result_1": "Berichtigt", "step": "save"}, **where)
    assert tables()["A"].is_handed_in
    sheet = {"slug": day.slug, "sheet_id": tables()["A"].state.sheet_id}
    staff.submit("sheets.reopen_sheet", {"version": "1"}, status=409, **sheet)
    staff.submit("sheets.reopen_sheet", {"version": "2"}, **sheet)
    staff.submit("sheets.reopen_sheet", {"version": "2"}, **sheet)
    at_table(THREE, "hand_in")
    assert [(number, done, by) for number, _results, done, by in states()] == [
        (1, True, ""),
        (2, True, organiser.name),
        (3, False, organiser.name),
        (4, True, ""),
    ]
    staff.open("sheets.edit_sheet", **where)
    for words in ("abgegeben", "berichtigt", "wieder geöffnet", organiser.name):
        assert staff.sees(words)


def test_closed_the_tables_write_no_more_but_staff_do(
    browser, new_browser, day, organiser, at_table, states, tables
):
    staff = new_browser().sign_in(organiser)
    browser.open(HERE, code=day.code, number=1)
    late = seen(browser) | THREE
    staff.open("sheets.show_sheets", slug=day.slug)
    staff.submit("sheets.close_sheets", slug=day.slug)
    staff.submit("sheets.close_sheets", slug=day.slug)
    browser.submit(HERE, late, status=409, code=day.code, number=1)
    assert browser.value_of("result_1") == "Ein Kalender"
    browser.open(HERE, code=day.code, number=1)
    assert browser.value_of("result_1") is None
    where = {"slug": day.slug, "round_id": tables()["A"].round.id, "name": "A"}
    staff.open("sheets.edit_sheet", **where)
    staff.submit("sheets.edit_sheet", seen(staff) | THREE | {"step": "hand_in"}, **where)
    staff.submit("sheets.open_sheets", slug=day.slug)
    assert len(states()) == 1


def test_a_participant_writes_the_sheet_of_the_own_published_group(browser, day, states):
    browser.enter(day.link).open("groups.my_groups")
    assert "/my/groups/2/sheet" in browser.links()
    browser.open("sheets.my_sheet", number=2)
    assert browser.sees("Tisch A")
    browser.submit("sheets.my_sheet", seen(browser) | THREE | {"step": "hand_in"}, number=2)
    assert states()[0][2:] == (True, day.name)
    browser.open("sheets.my_sheet", number=3, status=404)


def test_without_a_published_seat_there_is_no_sheet(browser, in_house):
    with in_house():
        conference = a_conference(an_account())
        a_table_plan(conference)
        link = a_participant(conference)
    browser.enter(link).open("sheets.my_sheet", number=1, status=404)


def test_codes_and_ids_of_others_lead_nowhere(browser, in_house, day, at_table, tables):
    at_table(THREE, "hand_in")
    browser.open(HERE, code=day.codes[""], number=1, status=404)
    browser.open(HERE, code="CCCCCC", number=1, status=404)
    browser.open(HERE, code=day.code, number=3, status=404)
    with in_house():
        stranger = an_account()
        other = a_conference(stranger, slug="other-2023")
    browser.sign_in(stranger)
    table = tables()["A"]
    browser.open("sheets.edit_sheet", slug=other.slug, round_id=table.round.id, name="A", status=404)
    for action in ("reopen_sheet", "take_over"):
        form = {"version": "1", "result": "1"}
        browser.submit(f"sheets.{action}", form, status=404, slug=other.slug, sheet_id=table.state.sheet_id)
    browser.open("sheets.show_sheets", slug=day.slug, status=404)
