"""What a seating means for people."""

from conference.core.grouping import Colleagues, Group, Person, Problem, Repeats, Wishes
from conference.core.mixing import Again, Beside, Granted, judge

PEOPLE = tuple(
    Person(name, organisation=house, attributes={"side": side}, wishes=wishes)
    for name, house, side, wishes in [
        ("ada", "Haus", "provider", ("Familie", "Planung")),
        ("bob", "Haus", "provider", ("Planung",)),
        ("cem", "Amt", "agency", ()),
        ("dia", "Amt", "agency", ("Familie",)),
    ]
)
GROUPS = (Group("A", 2, 2, topic="Planung"), Group("B", 2, 2, topic="Familie"))
GOALS = (Colleagues(except_={"side": "agency"}), Repeats(), Wishes())
PROBLEM = Problem(2, GROUPS, PEOPLE, (), frozenset({frozenset({"ada", "cem"})}), GOALS)


def test_colleagues_at_a_table_are_named_but_not_those_who_do_not_count():
    seating = ({"A": ("ada", "bob"), "B": ("cem", "dia")}, {"A": ("ada", "cem"), "B": ("bob", "dia")})
    assert judge(PROBLEM, seating).beside == (Beside(1, "A", ("ada", "bob")),)


def test_who_meets_again_is_named_with_the_rounds_and_with_earlier_conferences():
    same = {"A": ("bob", "ada"), "B": ("cem", "dia")}
    assert judge(PROBLEM, (same, same)).again == (
        Again(("ada", "bob"), (1, 2), False),
        Again(("cem", "dia"), (1, 2), False),
    )
    other = ({"A": ("ada", "cem"), "B": ("bob", "dia")}, {"A": ("ada", "dia"), "B": ("bob", "cem")})
    assert judge(PROBLEM, other).again == (Again(("ada", "cem"), (1,), True),)


def test_the_numbers_of_the_lists_are_those_of_the_goals():
    seating = ({"A": ("ada", "bob"), "B": ("cem", "dia")}, {"A": ("ada", "cem"), "B": ("bob", "dia")})
    judgement = judge(PROBLEM, seating)
    values = {score.goal: score.value for score in judgement.scores}
    assert values["colleagues"] == len(judgement.beside)
    assert values["repeats"] == len(judgement.again)


def test_wishes_are_counted_by_rank_for_those_who_had_some():
    seating = ({"A": ("ada", "bob"), "B": ("cem", "dia")}, {"A": ("cem", "dia"), "B": ("ada", "bob")})
    assert judge(PROBLEM, seating).granted == (Granted(1, 3), Granted(2, 1), Granted(None, 2))


def test_rules_that_a_seating_breaks_are_there():
    seating = ({"A": ("ada", "bob", "cem"), "B": ("dia",)},) * 2
    assert {violation.code for violation in judge(PROBLEM, seating).broken} == {"too_many", "too_few"}
