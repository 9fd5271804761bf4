import csv
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conference.core.similarity import Similar, differs_by_negation, similar_to_each, similarity, trigrams

IDEAS = Path(__file__).parents[1] / "data" / "ideen.csv"


def ideas() -> list[tuple[int, str]]:
    with IDEAS.open(encoding="utf-8-sig", newline="") as file:
        return [
            (number, row["Idee"]) for number, row in enumerate(csv.DictReader(file, delimiter=";"), start=1)
        ]


def similar(text: str, others: Iterable[tuple[int, str]], **options: Any) -> list[Similar[int]]:
    return similar_to_each({0}, [(0, text), *others], **options).get(0, [])


def test_trigrams_are_taken_word_by_word() -> None:
    assert trigrams("Ein Ei!") == {"  e", " ei", "ein", "in ", "ei "}


@pytest.mark.parametrize("text", ["", " ", "!?", "😀", "–"])
def test_a_text_without_letters_is_like_nothing(text: str) -> None:
    assert similarity(text, "Kurskalender") == 0.0
    assert similarity(text, text) == 0.0


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Straße", "STRASSE"),
        ("Größere Räume", "gro\u0308ßere ra\u0308ume"),
        ("Weniger Formulare", "weniger  Formulare!"),
        ("Weniger Formulare", "Formulare: weniger"),
        ("Ｋurs", "Kurs"),
        ("Kurs\u00adkalender", "Kurskalender"),
    ],
)
def test_case_marks_and_the_order_of_words_do_not_count(one: str, other: str) -> None:
    assert similarity(one, other) == 1.0


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Kinderbetreuung im Haus während der Kurse", "Betreuungsangebot für Kinder während der Kurszeiten"),
        ("Mehr Teilzeitkurse", "Teilzeitkurse ausbauen"),
        ("Gemeinsamer Kurskalender", "Kurskalender gemeinsam führen"),
        ("Laptops zum Ausleihen", "Laptops ausleihen"),
        ("Kein Kurs ohne Praktikum", "Kurs ohne Praktikum"),
    ],
)
def test_close_texts_reach_the_threshold(one: str, other: str) -> None:
    assert similarity(one, other) >= 0.30


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Fahrdienst aus den Randgemeinden", "Coaching auch nach Kursende"),
        ("Regionale Weiterbildungsmesse im Herbst", "Merkblatt zum Weiterbildungsgeld in einfacher Sprache"),
        ("Dozentenpool über alle Träger", "Leihgeräte für Teilnehmende ohne eigenen Rechner"),
    ],
)
def test_texts_about_other_things_stay_below_the_threshold(one: str, other: str) -> None:
    assert similarity(one, other) < 0.30


def test_of_the_real_ideas_only_the_two_on_child_care_are_alike() -> None:
    found = {
        (number, other.id)
        for number, text in ideas()
        for other in similar(text, [entry for entry in ideas() if entry[0] != number])
    }
    assert found == {(7, 8), (8, 7)}


def test_a_new_idea_finds_the_old_one() -> None:
    assert similar("Kinderbetreuung während der Kurse", ideas()) == [
        Similar(7, "Kinderbetreuung im Haus während der Kurse", pytest.approx(0.8, abs=0.02), negated=False),
        Similar(
            8,
            "Betreuungsangebot für Kinder während der Kurszeiten",
            pytest.approx(0.5, abs=0.05),
            negated=False,
        ),
    ]


def test_the_best_five_come_first_and_ties_keep_their_order() -> None:
    others = [(number, "Weniger Formulare") for number in range(1, 8)]
    others.insert(3, (99, "Weniger Formulare bitte"))
    assert [found.id for found in similar("Weniger Formulare", others)] == [1, 2, 3, 4, 5]
    assert [found.id for found in similar("Weniger Formulare bitte", others, limit=2)] == [99, 1]
    assert [found.id for found in similar("Weniger Formulare bitte", others, threshold=0.9)] == [99]
    assert similar("Weniger Formulare", []) == []


def test_a_negation_is_shown_beside_the_suggestion() -> None:
    [found] = similar("Kein Kurs ohne Praktikum", [("b", "Kurs ohne Praktikum")])
    assert (found.id, found.negated) == ("b", True)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Kein Kurs ohne Praktikum", "Kurs ohne Praktikum"),
        ("Kurse ohne Praktikum", "Kurse mit Praktikum"),
        ("Keine Kurse am Freitag", "Kurse am Freitag"),
        ("Kurse nicht kürzen", "Kurse kürzen"),
        ("Nie wieder Papier", "Wieder Papier"),
        ("NICHT kürzen", "kürzen"),
        ("Niemanden ausschließen", "Alle ausschließen"),
        ("Do not shorten courses", "Shorten courses"),
        ("Don’t shorten courses", "Shorten courses"),
        ("Courses without exams", "Courses with exams"),
    ],
)
def test_a_negation_on_one_side_is_noticed(one: str, other: str) -> None:
    assert differs_by_negation(one, other)
    assert differs_by_negation(other, one)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Kein Kurs ohne Praktikum", "Kein Lehrgang ohne Praktikum"),
        ("Kurse nicht kürzen", "Keine Kurse kürzen"),
        ("Weniger Formulare", "Mehr Formulare"),
        ("Keim und Nichte", "Wohnen und Notizen"),
        ("", ""),
    ],
)
def test_equal_numbers_of_negations_are_no_difference(one: str, other: str) -> None:
    assert not differs_by_negation(one, other)


@given(st.text(max_size=60), st.text(max_size=60))
def test_similarity_is_the_same_in_both_directions(one: str, other: str) -> None:
    score = similarity(one, other)
    assert 0.0 <= score <= 1.0
    assert score == similarity(other, one)


@given(st.text(min_size=1, max_size=60))
def test_a_text_is_entirely_like_itself_when_it_has_letters(text: str) -> None:
    assert similarity(text, text) == (1.0 if trigrams(text) else 0.0)


def test_each_text_asked_about_gets_what_is_like_it_among_all_others() -> None:
    texts = [
        (1, "Laptops ausleihen"),
        (2, "Laptops zum Ausleihen"),
        (3, "Weniger Formulare"),
        (4, "Laptops ausleihen"),
    ]
    found = similar_to_each({1, 3, 4}, texts)
    assert {id_: [hint.id for hint in hints] for id_, hints in found.items()} == {1: [4, 2], 4: [1, 2]}
    assert found[1][1].score == similarity(texts[0][1], texts[1][1])


def test_nothing_is_like_anything_in_an_empty_list() -> None:
    assert similar_to_each(set(), []) == {}
