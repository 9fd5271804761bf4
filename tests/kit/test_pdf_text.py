"""Only drawable characters reach a PDF, set as German wants it."""

import pytest

from conference.kit.pdf_text import prepared, replaced_characters
from tests.bad_input import LEGITIMATE_NAMES

NBSP, HYPHEN, BREAK = "\u00a0", "\u2011", "\u200b"


@pytest.mark.parametrize(
    ("text", "replaced"),
    [
        ("Müller-Lüdenscheidt „ẞ§€→✓☐“ 😀", ()),
        ("中文 und ไทย", tuple(sorted("中文ไทย"))),
        ("\ue000 privat", ("\ue000",)),
        ("A\u0000\u202e\u2066B\ud800", ()),
        ("", ()),
    ],
)
def test_characters_without_a_glyph_are_named(text, replaced):
    assert replaced_characters(text) == replaced


@pytest.mark.parametrize("name", LEGITIMATE_NAMES)
def test_names_of_people_can_be_drawn(name):
    assert replaced_characters(name) == ()


@pytest.mark.parametrize(
    ("typed", "drawn"),
    [
        ("中文", "\ufffd\ufffd"),
        ("a\u0000b\u0007c", "abc"),
        ("Rechnung\u202egpj.exe", "Rechnunggpj.exe"),
        ("zwei\u2028Zeilen", "zwei\nZeilen"),
        ("u\u0308ber", "über"),
        ("e" + "\u0301" * 50, "é" + "\u0301" * 4),
        ("Nord\u2010Süd", "Nord-Süd"),
        ("\ud83d kaputt", " kaputt"),
    ],
)
def test_other_characters_are_made_harmless(typed, drawn):
    assert prepared(typed) == drawn


@pytest.mark.parametrize(
    ("typed", "together"),
    [
        ("Frauen & Beruf e. V.", f"Frauen & Beruf e.{NBSP}V."),
        ("z. B. morgen", f"z.{NBSP}B. morgen"),
        ("i. d. R.", f"i.{NBSP}d.{NBSP}R."),
        ("§ 82 SGB III", f"§{NBSP}82 SGB III"),
        ("§§ 81, 82", f"§§{NBSP}81, 82"),
        ("Prof. Dr. Niemöller", f"Prof.{NBSP}Dr.{NBSP}Niemöller"),
        ("Frau Tiemann", f"Frau{NBSP}Tiemann"),
        ("um 17 Uhr", f"um 17{NBSP}Uhr"),
        ("150 Euro, 20 %", f"150{NBSP}Euro, 20{NBSP}%"),
        ("am 6. Juni", f"am 6.{NBSP}Juni"),
        ("TOP 3 und Gruppe A", f"TOP{NBSP}3 und Gruppe{NBSP}A"),
        ("Träger und -sprecher", f"Träger und {HYPHEN}sprecher"),
        ("Eine Frau und ein Mann - so", "Eine Frau und ein Mann - so"),
    ],
)
def test_what_belongs_together_stays_on_one_line(typed, together):
    assert prepared(f"<p>{typed}</p>") == f"<p>{together}</p>"


def test_a_word_without_end_may_break_after_40_characters():
    assert prepared("<p>" + "x" * 57 + "</p>") == f"<p>{'x' * 40}{BREAK}{'x' * 10}{BREAK}{'x' * 7}</p>"


def test_ordinary_words_and_spaces_get_no_break():
    text = "<p>" + "Bildungsträgerkonferenz " * 20 + "</p>"
    assert prepared(text) == text


def test_an_escaped_character_counts_as_one_and_is_not_cut():
    assert prepared("<p>" + "&amp;" * 50 + "</p>") == f"<p>{'&amp;' * 40}{BREAK}{'&amp;' * 10}</p>"


def test_a_family_of_emoji_is_not_torn_apart():
    family = "👩🏽\u200d💻"
    drawn = prepared("<p>" + family * 30 + "</p>")
    assert drawn.replace(BREAK, "") == "<p>" + family * 30 + "</p>"
    assert all(part.endswith(family) for part in drawn.removesuffix("</p>").split(BREAK))


def test_names_from_right_to_left_do_not_turn_their_neighbours():
    assert prepared("<td>مريم الفارسي, Akademie</td>") == "<td>\u2068مريم الفارسي\u2069, Akademie</td>"


def test_tags_styles_and_titles_are_left_alone():
    html = '<title>§ 82</title><style>a { content: "z. B." }</style><p title="§ 82">§ 82</p>'
    assert (
        prepared(html)
        == f'<title>§ 82</title><style>a {{ content: "z. B." }}</style><p title="§ 82">§{NBSP}82</p>'
    )


@pytest.mark.parametrize("row", ["\u200d", "\ufe0f\u200d", "&a;", "a\u0301", "👩\u200d"])
def test_t23_long_rows_of_joiners_and_marks_take_no_time(row):
    """Two thousand in a row; before, sixty were enough to keep a process busy for years."""
    assert prepared(f"<p>{row * 2000} {row * 30}</p>")
