"""The wall: what came in, renewed without a form, hidden ideas never."""

import pytest

from conference.ideas import operations

from ..builders import NOW, some_ideas

WALL = "/conferences/june-2023/wall"


@pytest.fixture
def staff(browser, organiser):
    return browser.sign_in(organiser)


@pytest.fixture
def two(in_house, open_june):
    with in_house():
        return some_ideas(open_june, "Weniger Formulare") + some_ideas(open_june, "Mehr Zeit", table="A")


def test_the_wall_shows_question_newest_idea_first_count_and_way_in(staff, open_june, two, code_of):
    staff.open(WALL)
    assert staff.sees(open_june.focus_question)
    assert staff.text.index("Mehr Zeit") < staff.text.index("Weniger Formulare")
    assert 'data-count="2"' in staff.html and staff.sees("2 Ideen")
    assert staff.sees(code_of()) and f"https://folgetermin.example/ideas/{code_of()}" in staff.links()


def test_t34_a_hidden_idea_is_gone_at_the_next_renewal(staff, in_house, two):
    with in_house():
        operations.hide(two[0], at=NOW)
    staff.open(WALL)
    assert not staff.sees("Weniger Formulare") and staff.sees("Mehr Zeit")
    assert 'data-count="1"' in staff.html


def test_f19_an_unchanged_wall_is_answered_with_304_and_a_changed_one_is_not(staff, in_house, open_june, two):
    etag = staff.open(WALL).headers["ETag"]
    assert staff.open(WALL, headers={"If-None-Match": etag}, status=304).data == b""
    with in_house():
        some_ideas(open_june, "Ganz neu")
    staff.open(WALL, headers={"If-None-Match": etag})
    assert staff.sees("Ganz neu")


def test_the_wall_renews_itself_every_four_seconds_until_it_is_paused(staff, two):
    staff.open(WALL)
    assert 'hx-trigger="every 4s"' in staff.html and "<form" not in staff.html and "csrf" not in staff.html
    staff.open(WALL + "?paused=1")
    assert "hx-get" not in staff.html and staff.sees("angehalten") and staff.sees("Weiterlaufen")


def test_clusters_are_shown_when_there_are_some(staff, in_house, open_june, two):
    staff.open(WALL + "?view=clusters")
    assert not staff.sees("In keinem Bündel")
    with in_house():
        operations.put_into(two[0], operations.make_cluster(open_june, "Papier"), 1)
    staff.open(WALL)
    assert WALL + "?view=clusters" in staff.links()
    staff.open(WALL + "?view=clusters")
    assert staff.sees("Papier") and staff.sees("In keinem Bündel")
    assert 'hx-get="/conferences/june-2023/wall?view=clusters"' in staff.html


def test_the_wall_of_one_table_shows_its_ideas_and_its_code(staff, two, code_of):
    staff.open(WALL + "?table=A")
    assert staff.sees("Mehr Zeit") and not staff.sees("Weniger Formulare")
    assert staff.sees(code_of("A"))


@pytest.mark.parametrize(
    "query", ["?table=%22%3E%3Cscript%3E", "?size=99", "?size=x", "?view=x&paused=x", "?table=" + "x" * 3000]
)
def test_odd_addresses_of_the_wall_do_no_harm(staff, two, query):
    staff.open(WALL + query)


def test_a_wall_without_ideas_and_codes_says_what_comes(staff, june):
    staff.open(WALL)
    assert staff.sees("Hier steht gleich die erste Idee")
    assert staff.sees("Der Code erscheint hier")
