import csv
from itertools import combinations
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conference.core.contact_list.lookalike import lookalike, spelling_questions
from conference.core.text import comparison_key

LIST = Path(__file__).parents[1] / "data" / "einladungsliste.csv"

ALIKE = [
    ("Technikzentrum Buende", "Technikzentrum Bünde"),
    ("Technikzentrum Bunde", "Technikzentrum Bünde"),
    ("TECHNIKZENTRUM BÜNDE", "Technikzentrum Bünde"),
    ("Technik-Zentrum Bünde", "Technikzentrum Bünde"),
    ("Bünde Technikzentrum", "Technikzentrum Bünde"),
    ("Institut Weiterbildung Hiddenhausen", "Institut für Weiterbildung Hiddenhausen"),
    ("Volkshochschule Kreis", "Volkshochschule im Kreis"),
    ("Handwerksbildung Herfort", "Handwerksbildung Herford"),
    ("Frauen und Beruf e.V.", "Frauen & Beruf e. V."),
    ("Frauen & Beruf", "Frauen & Beruf e. V."),
    ("Bildungswerk Ravensburg", "Bildungswerk Ravensberg"),
    ("Agentur für Arbeit Herford", "Agentur für Arbeit"),
    ("Bildungshaus Lohne", "Bildungshaus Löhne"),
    ("Lernwerkstat Enger", "Lernwerkstatt Enger"),
    ("Gastroakademie Rödinghausen", "Gastro-Akademie Rödinghausen"),
    ("Berufskolleg Werretal", "Berufskolleg am Werretal"),
    ("Akademie Witekind", "Akademie Wittekind"),
    ("Digitalschule OWL gGmbH", "Digitalschule OWL"),
    ("Sprachschule Else GmbH & Co. KG", "Sprachschule Else"),
    ("Fahrschule u. Verkehr Nordwest", "Fahrschule & Verkehr Nordwest"),
]
DIFFERENT = [
    ("Bildungswerk Ravensberg", "Bildungshaus Löhne"),
    ("Akademie Wittekind", "Gastro-Akademie Rödinghausen"),
    ("Volkshochschule Herford", "Volkshochschule Minden"),
    ("Berufskolleg I", "Berufskolleg II"),
    ("Schule 1", "Schule 2"),
    ("Gemeinnützige Gesellschaft für berufliche Bildung Herford", "Gemeinnützige Gesellschaft für berufliche Bildung Minden"),
    ("Kolping Bildungswerk Paderborn", "Kolping Bildungswerk Bielefeld"),
    ("Sprachschule Else", "Sprachschule Ems"),
    ("Lernwerkstatt Enger", "Jugendwerkstatt Spenge"),
    ("Pflegeschule Widukind", "Pflegeschule Wittekind"),
    ("Agentur für Arbeit Herford", "Agentur für Arbeit Minden"),
    ("AWO Herford", "AWG Herford"),
    ("e. V.", "GmbH"),
    ("😀", "👍"),
    ("", "!"),
]  # fmt: skip


@pytest.mark.parametrize(("one", "other"), ALIKE)
def test_spellings_of_one_organisation_are_asked_about(one: str, other: str) -> None:
    assert lookalike(one, other)
    assert lookalike(other, one)


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_related_names_are_left_alone(one: str, other: str) -> None:
    assert not lookalike(one, other)
    assert not lookalike(other, one)


def test_no_two_organisations_of_the_real_list_look_alike() -> None:
    with LIST.open(encoding="utf-8-sig", newline="") as file:
        names = sorted({row["Organisation"] for row in csv.DictReader(file, delimiter=";")})
    assert len(names) == 19
    assert [pair for pair in combinations(names, 2) if lookalike(*pair)] == []


BUENDE, PLAIN = "Technikzentrum Bünde", "Technikzentrum Buende"


@pytest.mark.parametrize(
    ("names", "known", "questions"),
    [
        ([], [], {}),
        ([BUENDE], [], {}),
        ([BUENDE], [BUENDE], {}),
        (["TECHNIKZENTRUM  BÜNDE"], [BUENDE], {}),
        ([PLAIN], [BUENDE], {PLAIN: BUENDE}),
        ([PLAIN, PLAIN, BUENDE], [BUENDE], {PLAIN: BUENDE}),
        ([PLAIN, BUENDE, BUENDE], [], {PLAIN: BUENDE}),
        ([PLAIN, BUENDE], [], {BUENDE: PLAIN}),
        ([BUENDE, PLAIN], [], {PLAIN: BUENDE}),
        ([PLAIN], [BUENDE, PLAIN], {}),
        (
            [PLAIN, "Technikzentrum Bunde", BUENDE, BUENDE],
            [],
            {PLAIN: BUENDE, "Technikzentrum Bunde": BUENDE},
        ),
        ([PLAIN], ["Technikzentrum Bunde", BUENDE], {PLAIN: BUENDE}),
        (["Bildungswerk Ravensberg", "Bildungshaus Löhne"], [BUENDE], {}),
    ],
)
def test_the_commoner_or_known_spelling_is_proposed(
    names: list[str], known: list[str], questions: dict[str, str]
) -> None:
    assert spelling_questions(names, known) == {
        comparison_key(name): meant for name, meant in questions.items()
    }


def test_in_a_very_long_list_only_equal_letters_are_compared() -> None:
    names = [f"Schule{'abcdefghij'[n % 10]}{n}" for n in range(1_000)]
    questions = spelling_questions(
        [*names, "Technikzentrum Bünde", "Technik-Zentrum Buende", "Technikzentrum Bunde"], []
    )
    assert questions == {"technik-zentrum buende": "Technikzentrum Bünde"}


@given(st.lists(st.sampled_from([name for pair in ALIKE for name in pair]), max_size=12))
def test_a_question_never_proposes_a_name_that_is_itself_in_question(names: list[str]) -> None:
    questions = spelling_questions(names, [])
    assert not {comparison_key(meant) for meant in questions.values()} & questions.keys()


@given(st.text(max_size=30), st.text(max_size=30))
def test_any_two_names_can_be_compared_in_both_directions(one: str, other: str) -> None:
    assert lookalike(one, other) == lookalike(other, one)
