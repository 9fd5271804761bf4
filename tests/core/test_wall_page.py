"""How the wall page is laid out: on one sheet while letters stay large enough, else by letters on several."""

import pytest

from conference.core.paging import even_pages, pages_of_cards
from conference.core.wall_page import PlanRow, layout


def hall(people, tables, rounds, name="Maximiliane Musterfrau"):
    names = [f"{name} {number}" for number in range(people)]
    rows = [
        PlanRow("Raum 1 · Planung", [("", names[table::tables])] * min(4, rounds)) for table in range(tables)
    ]
    return [rows] * -(-rounds // 4), [(one, "Bildungswerk Ravensberg") for one in names], rounds


@pytest.mark.parametrize(
    ("people", "tables", "rounds", "paper", "sheets"),
    [(0, 0, 0, "a4", 1), (8, 2, 2, "a4", 1), (40, 5, 3, "a3", 1), (50, 7, 2, "a3", 1), (400, 40, 3, "a3", 5)],
)
def test_forty_people_stand_on_one_sheet_and_four_hundred_on_sheets_by_letters(
    people, tables, rounds, paper, sheets
):
    made = layout(*hall(people, tables, rounds))
    assert (made.paper, max(1, len(made.ends))) == (paper, sheets)
    assert list(made.ends) == sorted(set(made.ends)) and (not made.ends or made.ends[-1] == people)


def test_the_fewer_people_the_larger_the_letters():
    sizes = ["small", "dense", "normal", "wide", "huge"]
    made = [sizes.index(layout(*hall(people, 5, 2)).density) for people in (60, 50, 40, 30)]
    assert made == sorted(made) and made[0] < made[-1]


def test_long_names_take_more_room():
    assert layout(*hall(40, 5, 3, name="Freifrau von und zu " * 4)).ends


def test_nobody_is_left_out_of_pages():
    for count in (0, 1, 26, 27, 28, 100):
        pages = even_pages(range(count), 27)
        assert [one for page in pages for one in page] == list(range(count))
        assert len(pages) == -(-count // 27) and len({len(page) for page in pages}) <= 2
    cards = pages_of_cards(list(range(26)), [9] * 26, 5, 21)
    assert [one for page in cards for one in page] == list(range(26)) and [len(page) for page in cards] == [
        10,
        10,
        6,
    ]
