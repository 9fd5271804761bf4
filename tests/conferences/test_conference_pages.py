"""Series, key facts, rooms and topics in the browser."""

import pytest

from conference.conferences import queries
from conference.conferences.models import Conference, Room

from ..bad_input import BAD_LINE_IDS, BAD_LINES, BLANKS, HARMLESS, LEGITIMATE_NAMES
from ..builders import a_conference, a_series, an_account, conference_form


@pytest.fixture
def june(in_house, organiser):
    with in_house():
        return a_conference(organiser)


def stored(in_house, model):
    from conference.kit.db import db

    with in_house():
        return db.session.query(model).count()


def test_an_organiser_begins_a_series_and_plans_a_conference(browser, in_house, organiser):
    browser.sign_in(organiser)
    browser.submit(
        "conferences.new_series", {"title": "Bildungsträgerkonferenz", "host": "Agentur für Arbeit"}
    )
    assert browser.sees("Die Reihe wurde angelegt") or browser.sees("Konferenzreihe")
    browser.submit(
        "conferences.new_conference",
        conference_form(slug="june-2023"),
        series_slug="bildungstraegerkonferenz",
    )
    with in_house():
        june = queries.conference_by_slug("june-2023")
        assert (june.title, june.number, june.starts_at.isoformat()) == (
            "Bildungsträgerkonferenz Juni 2023",
            1,
            "2023-06-06T07:30:00+00:00",
        )


@pytest.mark.parametrize("bad", BAD_LINES, ids=BAD_LINE_IDS)
@pytest.mark.parametrize("field", ["title", "focus_question", "venue", "organiser_name"])
def test_bad_text_is_refused_with_the_input_kept(browser, in_house, organiser, june, field, bad):
    browser.sign_in(organiser)
    browser.submit(
        "conferences.edit_conference",
        conference_form(version="1", **{field: bad}),
        status=422,
        slug="june-2023",
    )
    assert browser.sees("Es gibt ein Problem")
    assert browser.value_of("address") == "Musterstraße 1, 32049 Herford"
    with in_house():
        assert queries.conference_by_slug("june-2023").version == 1


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("title", ""), ("title", "\u200b"), ("day", "2023-02-30"), ("day", "31.06.2023"), ("day", "soon"), ("day", "0001-01-01"),
        ("day", ""), ("begin", "25:00"), ("begin", ""), ("begin", "9 Uhr"), ("seats", "0"), ("seats", "-3"), ("seats", "many"),
        ("seats", "9" * 30), ("seats", "1e3"), ("zone", "Mars/Olympus"), ("organiser_email", "nobody"), ("answer_by", "2023-13-01"),
        ("title", "two\nlines"), ("organiser_email", "a@b\r\nBcc: c@d.example"),
    ],
)  # fmt: skip
def test_wrong_values_are_refused_with_the_input_kept(browser, in_house, organiser, june, field, value):
    browser.sign_in(organiser)
    browser.submit(
        "conferences.edit_conference",
        conference_form(version="1", **{field: value}),
        status=422,
        slug="june-2023",
    )
    with in_house():
        assert queries.conference_by_slug("june-2023").version == 1


def test_a_time_that_the_clock_change_skips_is_refused(browser, organiser, june):
    browser.sign_in(organiser)
    gap = conference_form(version="1", day="2023-03-26", begin="02:30", end="15:00", answer_by="2023-03-01")
    browser.submit("conferences.edit_conference", gap, status=422, slug="june-2023")
    assert browser.value_of("begin") == "02:30"
    assert "#begin" in browser.links()


def test_an_end_before_the_beginning_is_refused(browser, organiser, june):
    browser.sign_in(organiser)
    browser.submit(
        "conferences.edit_conference", conference_form(version="1", end="08:00"), status=422, slug="june-2023"
    )
    assert "#end" in browser.links()


def test_an_answer_by_date_after_the_conference_is_refused(browser, organiser, june):
    browser.sign_in(organiser)
    late = conference_form(version="1", answer_by="2023-06-07")
    browser.submit("conferences.edit_conference", late, status=422, slug="june-2023")
    assert "#answer_by" in browser.links()


@pytest.mark.parametrize("seats", ["--5", "-", "5-", "٥"])
def test_odd_numbers_are_refused_in_our_own_words(browser, organiser, june, seats):
    browser.sign_in(organiser)
    browser.submit(
        "conferences.edit_conference", conference_form(version="1", seats=seats), status=422, slug="june-2023"
    )
    assert browser.sees("Bitte schreiben Sie eine ganze Zahl")


def test_a_stale_form_is_refused_with_both_texts(browser, in_house, organiser, june):
    browser.sign_in(organiser)
    browser.submit(
        "conferences.edit_conference", conference_form(version="1", title="Erste"), slug="june-2023"
    )
    browser.submit(
        "conferences.edit_conference",
        conference_form(version="1", title="Zweite"),
        status=409,
        slug="june-2023",
    )
    assert browser.sees("Erste") and browser.sees("Zweite")
    with in_house():
        assert queries.conference_by_slug("june-2023").title == "Erste"


@pytest.mark.parametrize("version", ["", "x", "99"])
def test_a_form_without_a_good_version_overwrites_nothing(browser, in_house, organiser, june, version):
    browser.sign_in(organiser)
    browser.submit(
        "conferences.edit_conference",
        conference_form(version=version, title="Neu"),
        status=409,
        slug="june-2023",
    )
    with in_house():
        assert queries.conference_by_slug("june-2023").title != "Neu"


@pytest.mark.parametrize("name", HARMLESS + LEGITIMATE_NAMES)
def test_odd_but_good_names_are_kept_as_they_are(browser, in_house, organiser, june, name):
    browser.sign_in(organiser)
    browser.submit("conferences.new_room", {"name": name, "capacity": "12"}, slug="june-2023")
    assert browser.sees(name)


def test_a_room_sent_twice_is_there_once(browser, in_house, organiser, june):
    browser.sign_in(organiser)
    browser.submit("conferences.new_room", {"name": "Raum A", "capacity": "12"}, slug="june-2023")
    browser.submit("conferences.new_room", {"name": "Raum A", "capacity": "12"}, status=409, slug="june-2023")
    assert stored(in_house, Room) == 1


@pytest.mark.parametrize("blank", BLANKS)
def test_a_topic_needs_words(browser, organiser, june, blank):
    browser.sign_in(organiser)
    browser.submit("conferences.new_topic", {"title": blank}, status=422, slug="june-2023")


def test_strangers_do_not_find_a_conference_of_others(browser, in_house, june):
    with in_house():
        stranger = an_account()
    browser.sign_in(stranger)
    for endpoint in ("edit_conference", "show_rooms", "show_topics", "new_room"):
        browser.open(f"conferences.{endpoint}", status=404, slug="june-2023")


def test_a_room_of_another_conference_is_not_found(browser, in_house, organiser, june):
    with in_house():
        series = a_series(organiser, title="Andere Reihe")
        a_conference(series=series, slug="other")
    browser.sign_in(organiser)
    browser.submit("conferences.new_room", {"name": "Raum A", "capacity": "12"}, slug="other")
    browser.open("conferences.edit_room", status=404, slug="june-2023", room_id=1)
    browser.submit("conferences.remove_room", status=404, slug="june-2023", room_id=1)


def test_without_an_account_the_way_leads_to_the_sign_in_page(browser, june):
    answer = browser.open("conferences.show_rooms", status=303, slug="june-2023")
    assert answer.headers["Location"] == "/sign-in?next=/conferences/june-2023/rooms"


@pytest.mark.parametrize("rooms", [1, 3, 30])
def test_the_list_of_rooms_runs_a_constant_number_of_queries(
    browser, in_house, organiser, june, count_queries, rooms
):
    from conference.conferences.operations import add_room
    from conference.kit.db import db

    with in_house():
        conference = db.session.merge(june)
        for number in range(rooms):
            add_room(conference, f"Raum {number}", 12)
    browser.sign_in(organiser)
    with count_queries() as seen:
        browser.open("conferences.show_rooms", slug="june-2023")
    assert len([s for s in seen if s.startswith("SELECT")]) == 7


def test_two_conferences_of_a_series_are_numbered(in_house, organiser):
    with in_house():
        series = a_series(organiser)
        numbers = [a_conference(series=series, slug=f"c{n}").number for n in range(3)]
    assert numbers == [1, 2, 3]
    assert stored(in_house, Conference) == 3
