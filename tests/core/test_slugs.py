import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conference.core.slugs import slugify, unique_slug


@pytest.mark.parametrize(
    ("text", "slug"),
    [
        ("Bildungsträgerkonferenz Juni 2023", "bildungstraegerkonferenz-juni-2023"),
        ("Bildungstra\u0308ger", "bildungstraeger"),
        ("Größe & Maß", "groesse-mass"),
        ("ÄÖÜ", "aeoeue"),
        ("  Herford – Bünde  ", "herford-buende"),
        ("Café d’Angelo", "cafe-dangelo"),
        ("O'Neill", "oneill"),
        ("Yılmaz / Świętosław", "yilmaz-swietoslaw"),
        ("a_b.c", "a-b-c"),
        ("../../etc/passwd", "etc-passwd"),
        ("<script>", "script"),
        ("２０２３", "2023"),
        ("2023", "2023"),
        ("😀 Juni 😀", "juni"),
        ("", "x"),
        ("???", "x"),
        ("Конференция", "x"),
    ],
)
def test_a_text_becomes_a_short_name(text: str, slug: str) -> None:
    assert slugify(text) == slug


def test_a_long_text_is_cut_between_two_words() -> None:
    assert slugify("Konferenz der Bildungsträger im Kreis Herford mit der Agentur für Arbeit") == (
        "konferenz-der-bildungstraeger-im-kreis-herford-mit-der"
    )


def test_a_word_that_is_too_long_is_cut_within() -> None:
    assert slugify("Donaudampfschifffahrt" * 5) == ("donaudampfschifffahrt" * 5)[:60]
    assert slugify("ab " + "c" * 100) == "ab-" + "c" * 57


@given(st.text(max_size=200))
def test_a_slug_is_short_and_plain_and_its_own_slug(text: str) -> None:
    slug = slugify(text)
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", slug)
    assert len(slug) <= 60
    assert slugify(slug) == slug


@pytest.mark.parametrize(
    ("taken", "free"),
    [
        (set(), "juni"),
        ({"mai"}, "juni"),
        ({"juni"}, "juni-2"),
        ({"juni", "juni-2", "juni-3"}, "juni-4"),
        ({"juni", "juni-3"}, "juni-2"),
    ],
)
def test_a_taken_short_name_gets_the_next_number(taken: set[str], free: str) -> None:
    assert unique_slug("juni", taken) == free


def test_a_numbered_short_name_is_not_longer_than_allowed() -> None:
    assert unique_slug("x" * 60, {"x" * 60}) == "x" * 58 + "-2"
    assert unique_slug("a" * 57 + "-bc", {"a" * 57 + "-bc"}) == "a" * 57 + "-2"
