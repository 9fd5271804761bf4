"""Letters with placeholders: what is refused, what is filled in."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conference.core.letters import PLACEHOLDERS, Problem, fill, problems_of

from ..bad_input import HARMLESS

GOOD = "{greeting}\n\nwir laden Sie ein.\n{link}\n"
TOKEN = "kJ3nX0vYq8cLr5tPz1wBd7fHs2mGa9eQuR4oIiNyTxM"


def test_a_letter_with_known_placeholders_and_the_link_is_good():
    assert problems_of("Einladung: {conference}", GOOD) == []


@pytest.mark.parametrize(
    ("subject", "body", "expected"),
    [
        ("x", "{greting}\n{link}", [Problem("body", "unknown", 1, "greting")]),
        ("x", "a\nb {a.__class__} {link}", [Problem("body", "unknown", 2, "a.__class__")]),
        ("x", "{link}\n{0}{}", [Problem("body", "unknown", 2, "0"), Problem("body", "unknown", 2, "")]),
        ("x", "{ link }", [Problem("body", "unknown", 1, " link "), Problem("body", "link_missing")]),
        ("x", "{link}\n{greeting", [Problem("body", "brace", 2)]),
        ("x", "{link}\n{{ 7*7 }}", [Problem("body", "unknown", 2, " 7*7 "), Problem("body", "brace", 2)]),
        ("x", "no link", [Problem("body", "link_missing")]),
        ("{nobody}", GOOD, [Problem("subject", "unknown", 1, "nobody")]),
        ("{link}", GOOD, [Problem("subject", "link_in_subject", 1)]),
        ("x", f"{{link}}\nhttps://folgetermin.example/invitation/{TOKEN}", [Problem("body", "secret", 2)]),
        ("x", f"folgetermin.example/action/{TOKEN}\n{{link}}", [Problem("body", "secret", 1)]),
        ("x", f"{{link}}\n~link-{'0' * 64}~", [Problem("body", "secret", 2)]),
        ("x", "{link}\nHTTPS://FOLGETERMIN.EXAMPLE/invitation/abc", [Problem("body", "secret", 2)]),
        ("x", "https://folgetermin.example/invitation/{link}", [Problem("body", "secret", 1)]),
    ],
)
def test_t16_a_letter_that_would_misfire_is_named_with_its_line(subject, body, expected):
    assert problems_of(subject, body) == expected


def test_t16_values_are_put_in_once_and_never_read_again():
    values = dict.fromkeys(PLACEHOLDERS, "{link}") | {"link": "SECRET"}
    assert fill("{first_name} {organisation}", values) == "{link} {link}"


@pytest.mark.parametrize("name", [*HARMLESS, "\\1 \\g<0>", "{a.__class__}", "%(name)s"])
def test_t16_odd_values_stand_in_the_letter_as_they_are(name):
    assert fill("Guten Tag {last_name},", {"last_name": name}) == f"Guten Tag {name},"


def test_a_line_of_nothing_but_empty_placeholders_is_left_out():
    values = {"organiser": "Nora", "organiser_phone": ""}
    assert fill("{organiser}\n{organiser_phone}\n\nEnde", values) == "Nora\n\nEnde"


def test_blank_lines_and_lines_with_words_stay():
    assert fill("a\n\n  \nTelefon {organiser_phone}", {"organiser_phone": ""}) == "a\n\n  \nTelefon "


@given(st.text(alphabet="{}ab \nlink", max_size=40))
def test_every_letter_that_is_not_refused_can_be_filled(body):
    if not problems_of("x", body):
        assert "{" not in fill(body, dict.fromkeys(PLACEHOLDERS, "v"))
