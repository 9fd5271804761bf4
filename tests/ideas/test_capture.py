"""Handing in ideas at the tables: without account, without name, exactly once."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from sqlalchemy import inspect, text

from conference.ideas import operations, queries
from conference.ideas.models import Idea
from conference.kit.db import db

from ..bad_input import BAD_LINE_IDS, BAD_LINES, BLANKS, HARMLESS, LEGITIMATE_NAMES
from ..browser import Browser
from ..builders import a_conference, an_account, some_ideas


def sent(browser, code, words="Kein Kurs ohne Praktikum", *, status=303, **over):
    browser.open("ideas.hand_in_idea", code=code)
    fields = {"text": words, "client_id": browser.value_of("client_id")} | over
    rounds = browser.value_of("round_id")
    if rounds and "round_id" not in over:
        fields["round_id"] = rounds
    return browser.submit("ideas.hand_in_idea", fields, status=status, code=code)


def test_an_idea_is_handed_in_by_the_code_of_a_table(browser, open_june, code_of, ideas):
    browser.open("ideas.enter_code")
    browser.submit("ideas.enter_code", {"code": code_of("B")})
    assert browser.sees("Tisch B") and browser.sees(open_june.title)
    assert browser.sees("Bitte keine Daten von Kundinnen und Kunden eintragen")
    sent(browser, code_of("B"), "Kinderbetreuung im Haus 😀")
    assert browser.sees("Idee Nr. 1 ist angekommen")
    [idea] = ideas()
    assert (idea.number, idea.text, idea.typed, idea.table, idea.round.number) == (
        1,
        "Kinderbetreuung im Haus 😀",
        "Kinderbetreuung im Haus 😀",
        "B",
        1,
    )


def test_an_idea_of_the_plenary_belongs_to_no_round(browser, open_june, code_of, ideas):
    sent(browser, code_of())
    [idea] = ideas()
    assert (idea.table, idea.round_id) == ("", None)


@pytest.mark.parametrize(
    "typed", [str.lower, lambda code: f" {code[:3]} {code[3:]} ", lambda code: f"{code[:3]}-{code[3:]}"]
)
def test_a_code_may_be_typed_as_people_type(browser, open_june, code_of, typed):
    answer = browser.client.post(
        "/ideas", data={"csrf_token": browser.csrf_token(), "code": typed(code_of("A"))}
    )
    assert answer.headers["Location"] == f"/ideas/{code_of('A')}"


def test_a_misread_sign_is_understood_where_one_code_fits_only(browser, in_house, open_june):
    with in_house():
        first, second = queries.points_of(open_june)[:2]
        first.code, second.code = "Q3CCCC", "DDCCCC"
    for typed in ("o3cccc", "03 CCCC"):
        assert browser.submit("ideas.enter_code", {"code": typed}).status_code == 200
        assert browser.sees("Plenum")
    with in_house():
        first, second = queries.points_of(open_june)[:2]
        first.code, second.code = "QDCCCC", "DQCCCC"
    browser.submit("ideas.enter_code", {"code": "00CCCC"}, status=422)
    assert browser.value_of("code") == "00CCCC"


def test_only_rounds_with_a_group_at_the_table_are_offered(browser, in_house, open_june, code_of, ideas):
    from conference.groups.queries import groups_of, rounds_of

    with in_house():
        first, second = rounds_of(open_june)
        db.session.delete(next(group for group in groups_of(second) if group.name == "E"))
    browser.open("ideas.hand_in_idea", code=code_of("E"))
    assert browser.value_of("round_id") == str(first.id)
    sent(browser, code_of("E"), round_id=str(second.id), status=422)
    sent(browser, code_of("D"), round_id=str(second.id))
    assert [(idea.table, idea.round_id) for idea in ideas()] == [("D", second.id)]


@pytest.mark.parametrize("bad", ["AAAAAA", "", "x" * 21, "\u202eABC", "A\x00"])
def test_an_unknown_code_is_explained_with_the_input_kept(browser, open_june, bad):
    browser.submit("ideas.enter_code", {"code": bad}, status=422)
    assert browser.sees("Es gibt ein Problem")


def test_an_unknown_address_asks_for_the_code(browser, open_june):
    browser.open("/ideas/XXXXXX", status=404)
    assert browser.sees("Diese Adresse kennen wir nicht")
    assert browser.value_of("code") == ""


def test_codes_are_unique_and_never_change(house):
    conference = a_conference()
    first = {point.table: point.code for point in operations.points_for(conference)}
    assert list(first) == [""]
    from ..builders import a_table_plan

    a_table_plan(conference, rounds=2, tables="ABC")
    again = {point.table: point.code for point in operations.points_for(conference)}
    assert list(again) == ["", "A", "B", "C"]
    assert again[""] == first[""]
    assert all(len(code) == 6 and set(code) <= set(operations.ALPHABET) for code in again.values())
    assert len(set(again.values())) == 4


def test_a_code_that_is_taken_is_drawn_again(house, monkeypatch):
    from ..builders import a_table_plan

    monkeypatch.setattr(operations, "ALPHABET", "CDFGHJ")
    monkeypatch.setattr(operations, "CODE_LENGTH", 1)
    conference = a_conference()
    a_table_plan(conference, tables="ABCDE")
    assert {point.code for point in operations.points_for(conference)} == set("CDFGHJ")


@pytest.mark.parametrize(
    ("hour", "expected"),
    [(8, "1"), (9, "1"), (10, "1"), (11, "2"), (14, "2")],
    ids=["before", "first", "pause", "second", "after"],
)
def test_the_round_that_has_begun_last_is_chosen_already(
    app, browser, in_house, open_june, code_of, hour, expected
):
    from datetime import timedelta

    from conference.agenda.models import AgendaItem, ItemKind
    from conference.groups.queries import rounds_of

    with in_house():
        for round_ in rounds_of(open_june):
            begin = datetime(2023, 6, 6, 9 if round_.number == 1 else 11, tzinfo=UTC)
            round_.agenda_item = AgendaItem(
                conference_id=open_june.id, kind=ItemKind.BREAKOUT, title="Gruppen", starts_at=begin,
                duration=timedelta(minutes=45), uid=f"u{round_.number}", updated_at=begin,
            )  # fmt: skip
        numbers = {str(round_.id): str(round_.number) for round_ in rounds_of(open_june)}
    app.config["CLOCK_START"] = datetime(2023, 6, 6, hour, 5, tzinfo=UTC)
    browser.open("ideas.hand_in_idea", code=code_of("A"))
    assert numbers[browser.value_of("round_id")] == expected


def test_the_question_of_the_group_stands_above_the_form(browser, in_house, open_june, code_of):
    from conference.groups.queries import groups_of, rounds_of

    with in_house():
        groups_of(rounds_of(open_june)[0])[1].focus_question = "Was brauchen Eltern?"
    browser.open("ideas.hand_in_idea", code=code_of("B"))
    assert browser.sees("Was brauchen Eltern?")
    browser.open("ideas.hand_in_idea", code=code_of("A"))
    assert browser.sees(open_june.focus_question)


@pytest.mark.parametrize(
    "bad",
    [*BAD_LINES, *BLANKS, "ab", " a ", "👩‍👩‍👧‍👦", "Kurs \ufffd", "x" * 501],
    ids=[*BAD_LINE_IDS, *"0123", "two", "one", "family", "lost-letter", "501"],
)
def test_bad_text_is_refused_with_the_input_kept(browser, open_june, code_of, ideas, bad):
    sent(browser, code_of("A"), bad, status=422)
    assert browser.sees("Es gibt ein Problem")
    assert browser.value_of("client_id")
    assert ideas() == []


@pytest.mark.parametrize(
    "words", [*HARMLESS, *LEGITIMATE_NAMES, "abc", "😀😀😀", "👩‍👩‍👧‍👦" * 100, "x" * 500, "zwei\nZeilen"]
)
def test_odd_but_good_ideas_are_kept_as_they_are(browser, open_june, code_of, ideas, words):
    sent(browser, code_of("A"), words)
    assert [idea.text for idea in ideas()] == [words]


@pytest.mark.parametrize("round_id", ["", "999", "x", "1 OR 1=1"])
def test_a_round_that_does_not_exist_is_refused(browser, open_june, code_of, ideas, round_id):
    sent(browser, code_of("A"), "Kein Kurs ohne Praktikum", status=422, round_id=round_id)
    assert browser.value_of("text") == "Kein Kurs ohne Praktikum"
    assert ideas() == []


@pytest.mark.parametrize("bad", ["", "x", "1' OR '1'='1", "x" * 5000])
def test_a_page_without_a_good_submission_gets_a_fresh_one(browser, open_june, code_of, ideas, bad):
    sent(browser, code_of(), "Kein Kurs ohne Praktikum", status=422, client_id=bad)
    assert browser.value_of("text") == "Kein Kurs ohne Praktikum"
    fresh = browser.value_of("client_id")
    browser.submit(
        "ideas.hand_in_idea", {"text": "Kein Kurs ohne Praktikum", "client_id": fresh}, code=code_of()
    )
    assert len(ideas()) == 1


def test_the_same_submission_sent_twice_is_one_idea_with_one_number(browser, open_june, code_of, ideas):
    submission = str(uuid4())
    for _time in range(2):
        sent(browser, code_of(), client_id=submission)
        assert browser.sees("Idee Nr. 1 ist angekommen")
    assert len(ideas()) == 1


def test_the_same_submission_with_other_words_asks_and_loses_nothing(browser, open_june, code_of, ideas):
    submission = str(uuid4())
    sent(browser, code_of(), "Erste Idee", client_id=submission)
    sent(browser, code_of(), "Zweite Idee", client_id=submission, status=409)
    assert browser.sees("Von dieser Seite kam schon Idee Nr. 1")
    fields = {name: browser.value_of(name) for name in ("text", "client_id")}
    browser.submit("ideas.hand_in_idea", fields, code=code_of())
    assert [idea.text for idea in ideas()] == ["Erste Idee", "Zweite Idee"]


def test_thirty_copies_of_one_submission_at_once_are_one_idea(app, open_june, code_of, ideas):
    code, submission = code_of(), str(uuid4())
    browsers = [Browser(app) for _number in range(30)]
    tokens = [browser.csrf_token() for browser in browsers]

    def send(number):
        fields = {"csrf_token": tokens[number], "text": "Nur einmal", "client_id": submission}
        answer = browsers[number].client.post(f"/ideas/{code}", data=fields)
        return answer.status_code, answer.headers.get("Location")

    with ThreadPoolExecutor(30) as pool:
        answers = set(pool.map(send, range(30)))
    assert answers == {(303, f"/ideas/{code}/received/1")}
    assert len(ideas()) == 1


def test_a_closed_collection_refuses_and_keeps_the_text(browser, in_house, open_june, code_of, ideas):
    code = code_of()
    browser.open("ideas.hand_in_idea", code=code)
    submission = browser.value_of("client_id")
    with in_house():
        operations.close_collection(open_june, at=datetime(2023, 6, 6, 12, tzinfo=UTC))
    browser.submit("ideas.hand_in_idea", {"text": "Zu spät", "client_id": submission}, status=409, code=code)
    assert browser.sees("Zurzeit werden keine Ideen gesammelt")
    assert browser.value_of("text") == "Zu spät"
    browser.submit("ideas.hand_in_idea", {"text": "zu", "client_id": submission}, status=422, code=code)
    assert browser.value_of("text") == "zu"
    assert ideas() == []
    browser.open("ideas.hand_in_idea", code=code)
    assert browser.value_of("text") is None


def test_an_idea_whose_answer_was_lost_is_confirmed_also_after_closing(
    browser, in_house, open_june, code_of, ideas
):
    submission = str(uuid4())
    sent(browser, code_of(), client_id=submission)
    with in_house():
        operations.close_collection(open_june, at=datetime(2023, 6, 6, 12, tzinfo=UTC))
    fields = {"text": "Kein Kurs ohne Praktikum", "client_id": submission}
    browser.submit("ideas.hand_in_idea", fields, code=code_of())
    assert browser.sees("Idee Nr. 1 ist angekommen")


def test_nothing_is_collected_before_an_organiser_has_opened(browser, in_house, june, code_of, ideas):
    with in_house():
        operations.points_for(june)
    browser.open("ideas.hand_in_idea", code=code_of())
    assert browser.sees("Zurzeit werden keine Ideen gesammelt")
    fields = {"text": "Zu früh", "client_id": str(uuid4())}
    browser.submit("ideas.hand_in_idea", fields, status=409, code=code_of())
    assert ideas() == []


def test_nothing_of_the_author_is_stored(app, in_house, browser, open_june, code_of, organiser):
    browser.sign_in(organiser)
    browser.client.environ_base |= {"REMOTE_ADDR": "198.51.100.7", "HTTP_USER_AGENT": "Telefon 7"}
    sent(browser, code_of())
    with in_house():
        columns = {column["name"] for column in inspect(db.session.connection()).get_columns("idea")}
        row = db.session.execute(text("SELECT * FROM idea")).mappings().one()
    assert columns == {
        "id", "conference_id", "number", "text", "typed", "submission", "round_id", "table", "cluster_id", "created_at",
        "hidden_at", "edited_at", "version",
    }  # fmt: skip
    assert not any(
        trace in str(dict(row)) for trace in ("198.51.100.7", "Telefon", organiser.email, organiser.name)
    )


def test_no_time_finer_than_the_day_is_stored(house):
    conference = a_conference()
    some_ideas(conference, "Eine Idee")
    stored = db.session.query(Idea).one().created_at
    assert stored == datetime(2023, 5, 1, 22, tzinfo=UTC), "midnight of 2 May in Berlin"


def test_the_number_page_shows_only_ideas_of_its_own_conference(
    browser, in_house, open_june, code_of, organiser
):
    with in_house():
        other = a_conference(an_account(), slug="other")
        some_ideas(other, "Eins", "Zwei")
    sent(browser, code_of())
    browser.open("ideas.show_received", code=code_of(), number=1)
    browser.open("ideas.show_received", status=404, code=code_of(), number=2)
    browser.open("ideas.show_received", status=404, code="XXXXXX", number=1)


def test_a_round_of_another_conference_is_not_found(house):
    from conference.kit.errors import Missing

    from ..builders import a_table_plan

    here, there = a_conference(slug="here"), a_conference(slug="there")
    foreign = a_table_plan(there)[0]
    operations.open_collection(here, at=datetime(2023, 6, 6, tzinfo=UTC))
    with pytest.raises(Missing):
        operations.hand_in(
            queries.point_of(here, ""), "Fremd", str(uuid4()), foreign.id, at=datetime(2023, 6, 6, tzinfo=UTC)
        )
