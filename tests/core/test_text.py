import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conference.core.text import (
    BadText,
    clean_text,
    comparison_key,
    is_blank,
    length_of,
    plain_letters,
    safe_header,
    safe_next,
)
from tests.bad_input import HARMLESS, LEGITIMATE_NAMES

NAMES = [
    *LEGITIMATE_NAMES,
    "Deniz Yılmaz",
    "Nguyễn Thị",
    "Müller-Lüdenscheidt",
    "Frauen & Beruf e. V.",
    "Prof. Dr. h. c.",
    "שלום כהן",
    "محمد‌رضا",  # a Persian name with ZWNJ
    "李小龙",
    "ไทย",
    "🏴󠁧󠁢󠁥󠁮󠁧󠁿",
    "👩‍👩‍👧‍👦",
    "👍🏽",
    "❤️",
    "مريم\u200f 2023",  # right-to-left mark: typed by keyboards, moves nothing
    "\U0001fae8",  # an emoji younger than Python 3.11's tables
]
INTERNATIONAL = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=60)
ANYTHING = st.text(st.characters(codec=None, exclude_categories=()), max_size=60)


def refusal(text: str, **options: bool | int) -> str:
    with pytest.raises(BadText) as refused:
        clean_text(text, **options)  # type: ignore[arg-type]
    return refused.value.code


@pytest.mark.parametrize("name", NAMES)
def test_a_legitimate_name_passes_unchanged(name: str) -> None:
    assert clean_text(name) == name


@pytest.mark.parametrize("text", HARMLESS)
def test_odd_but_harmless_text_passes_unchanged(text: str) -> None:
    assert clean_text(text) == text


@pytest.mark.parametrize("code", [*range(0x09), 0x0B, 0x0C, *range(0x0E, 0x20), *range(0x7F, 0xA0)])
@pytest.mark.parametrize("multiline", [False, True])
@pytest.mark.parametrize("shape", ["{}", "{}Anke", "An{}ke", "Anke{}"])
def test_a_control_character_is_refused_wherever_it_stands(code: int, multiline: bool, shape: str) -> None:
    assert refusal(shape.format(chr(code)), multiline=multiline) == "control"


@pytest.mark.parametrize("code", [0xFDD0, 0xFDEF, 0xFFFE, 0xFFFF, 0x1FFFE, 0x1FFFF, 0x10FFFF])
def test_a_noncharacter_is_refused(code: int) -> None:
    assert refusal(f"a{chr(code)}b") == "control"


@pytest.mark.parametrize("code", [*range(0x202A, 0x202F), *range(0x2066, 0x206A)])
def test_what_changes_the_reading_direction_is_refused(code: int) -> None:
    assert refusal(f"Rechnung{chr(code)}gpj.exe") == "bidi"


@pytest.mark.parametrize("code", [0xD800, 0xDBFF, 0xDC00, 0xDFFF])
def test_a_lone_surrogate_is_refused(code: int) -> None:
    assert refusal(f"a{chr(code)}b") == "surrogate"


def test_what_could_not_be_decoded_is_refused():
    assert refusal("Ada \ufffd Muster") == "surrogate"


@pytest.mark.parametrize(
    "text", ["Anke\nBrinkmann", "Anke\r\nBrinkmann", "Anke\rBrinkmann", "Anke\tBrinkmann"]
)
def test_a_single_line_has_no_line_end_and_no_tab(text: str) -> None:
    assert refusal(text) == "newline"


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("a\r\nb", "a\nb"),
        ("a\rb", "a\nb"),
        ("a\n\nb", "a\n\nb"),
        ("a\tb", "a\tb"),
        ("\n a \n", "a"),
        ("a\u2028b\u2029c", "a\nb\nc"),
    ],
)
def test_several_lines_keep_their_line_ends_as_lf(typed: str, stored: str) -> None:
    assert clean_text(typed, multiline=True) == stored


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("  Anke  ", "Anke"),
        ("Anke\n", "Anke"),
        ("\tAnke\r\n", "Anke"),
        ("\u00a0Anke\u3000", "Anke"),
        ("\ufeffAnke", "Anke"),
        ("An\ufeffke", "Anke"),
        ("\u200bAnke\u200b \u2060", "Anke"),
        ("Anke\u2028Brinkmann", "Anke Brinkmann"),
        ("Mu\u0308ller", "Müller"),
        ("a\ufeff\u0308", "ä"),
        ("Anke  Brinkmann", "Anke  Brinkmann"),
    ],
)
def test_harmless_dirt_is_put_right_silently(typed: str, stored: str) -> None:
    assert clean_text(typed) == stored


@pytest.mark.parametrize("text", ["", " ", "\n", "\r\n\t", "\u00a0\u3000", "\u200b", "\ufeff", "\u00ad"])
def test_white_space_is_nothing(text: str) -> None:
    assert clean_text(text) == ""


@pytest.mark.parametrize(
    "text", ["\u200d", "\u200c\u200d", "\u200e", "\u3164", "\u2800", "\U000e0067", "\u0308", "\ufe0f"]
)
def test_text_of_which_nothing_can_be_seen_is_refused(text: str) -> None:
    assert refusal(text) == "blank"
    assert is_blank(text)


@pytest.mark.parametrize("text", ["a", "7", "?", "€", "😀", "ا", "李", "\U0001fae8", "\ue000"])
def test_one_visible_character_is_not_blank(text: str) -> None:
    assert not is_blank(text)


def test_the_length_counts_what_is_stored() -> None:
    assert clean_text("  " + "ä" * 20 + "\r\n", max_length=20) == "ä" * 20
    assert clean_text("a\u0308" * 20, max_length=20) == "ä" * 20
    assert refusal("ä" * 21, max_length=20) == "too_long"
    assert refusal("x" * 10_000) == "too_long"


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("", 0), ("abc", 3), ("😀", 1), ("😀😀😀", 3), ("👩‍👩‍👧‍👦", 1), ("👩🏽‍💻", 1), ("❤️", 1), ("🇩🇪🇫🇷", 2), ("🏴󠁧󠁢󠁥󠁮󠁧󠁿", 1), ("1️⃣2", 2),
        ("👨🏽‍❤️‍💋‍👨🏿!", 2), ("日本", 2), ("می‌خواهم", 8), ("e\u0323\u0323", 3), ("a\u200db", 3),
    ],
)  # fmt: skip
def test_an_emoji_is_one_character_whatever_it_is_composed_of(text: str, length: int) -> None:
    assert length_of(text) == length


def test_the_limit_counts_emoji_as_people_do() -> None:
    assert clean_text("👩‍👩‍👧‍👦" * 20, max_length=20) == "👩‍👩‍👧‍👦" * 20
    assert refusal("👩‍👩‍👧‍👦" * 21, max_length=20) == "too_long"
    assert refusal("a" + "\u0323" * 500) == "too_long"
    assert refusal("👩" + "\u200d👩" * 5000) == "too_long"


def test_the_sign_for_a_lost_letter_is_refused_like_the_surrogate_it_stands_for() -> None:
    sent = "Kurs \ud800".encode("utf-8", "surrogatepass").decode("utf-8", "replace")
    assert refusal(sent) == "surrogate"


def test_a_long_run_of_mixed_blanks_is_trimmed_in_one_go() -> None:
    assert clean_text(" \u200b" * 200_000 + "a") == "a"


@given(ANYTHING, st.booleans())
def test_clean_text_returns_storable_text_or_says_why_not(text: str, multiline: bool) -> None:
    try:
        stored = clean_text(text, multiline=multiline)
    except BadText as error:
        assert error.code in {"surrogate", "control", "bidi", "newline", "too_long", "blank"}
        return
    assert stored.encode().decode() == stored
    assert clean_text(stored, multiline=multiline) == stored
    assert unicodedata.is_normalized("NFC", stored)
    assert stored == stored.strip()
    assert "\x00" not in stored
    assert "\r" not in stored
    assert not (stored and is_blank(stored))


@given(st.text(st.characters(categories=("L", "N", "P", "S", "Zs", "M")), max_size=60))
def test_letters_numbers_and_signs_survive_apart_from_their_normal_form(text: str) -> None:
    if not text.strip() or is_blank(text):
        return
    assert clean_text(text) == unicodedata.normalize("NFC", text.strip()).strip()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Straße", "STRASSE"),
        ("Groß", "gross"),
        ("Müller", "MU\u0308LLER"),
        ("Anke  Brinkmann ", "anke brinkmann"),
        ("Ad\u200bmin", "Admin"),
        ("So\u00adft", "soft"),
        ("Ｆｕｌｌ", "full"),
        ("ﬁt", "FIT"),
        ("a\u00a0b", "a b"),
        ("Ωmega", "ωMEGA"),
    ],
)
def test_spellings_of_the_same_text_share_a_key(one: str, other: str) -> None:
    assert comparison_key(one) == comparison_key(other)


@pytest.mark.parametrize(
    ("one", "other"), [("Müller", "Mueller"), ("Müller", "Muller"), ("Anke", "Anke B."), ("a b", "ab")]
)
def test_different_texts_have_different_keys(one: str, other: str) -> None:
    assert comparison_key(one) != comparison_key(other)


@given(INTERNATIONAL)
def test_a_key_is_its_own_key(text: str) -> None:
    assert comparison_key(comparison_key(text)) == comparison_key(text)


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("Müller-Lüdenscheidt", "mueller-luedenscheidt"),
        ("Mu\u0308ller", "mueller"),
        ("Groß", "gross"),
        ("GROẞ", "gross"),
        ("Yılmaz", "yilmaz"),
        ("İnci", "inci"),
        ("Świętosław", "swietoslaw"),
        ("Nguyễn Thị Hồng", "nguyen thi hong"),
        ("d’Angelo", "d'angelo"),
        ("Ærø", "aero"),
        ("Оксана", "оксана"),
    ],
)
def test_plain_letters_are_small_and_without_marks(text: str, plain: str) -> None:
    assert plain_letters(text) == plain


@pytest.mark.parametrize(
    ("value", "header"),
    [
        ("Einladung zum 06.06.2023", "Einladung zum 06.06.2023"),
        ("Grüße 😀", "Grüße 😀"),
        ("a\r\nBcc: x@boese.example", "a Bcc: x@boese.example"),
        ("a\nb", "a b"),
        ("a\x00b", "a b"),
        ("a\u2028b\u2029c\u0085d", "a b c d"),
        ("=?utf-8?q?a=0ABcc:_x@boese.example?=", "= ?utf-8?q?a=0ABcc:_x@boese.example?="),
        ("==??", "== ??"),
        ("=\r\n?utf-8?q?x?=", "= ?utf-8?q?x?="),
        ("a\u202eb\u200ec", "a b c"),
        ("a\ud800b", "a\ufffdb"),
        ("  viel   Platz ", "viel Platz"),
        ("", ""),
    ],
)
def test_a_header_value_is_one_harmless_line(value: str, header: str) -> None:
    assert safe_header(value) == header


@given(ANYTHING)
def test_a_header_value_never_holds_a_line_end_or_an_encoded_word(text: str) -> None:
    header = safe_header(text)
    assert len(header) <= 200
    assert "=?" not in header
    assert not any(unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") for c in header)
    assert safe_header(header) == header


def test_a_header_value_is_cut_after_200_characters() -> None:
    assert safe_header("x" * 500) == "x" * 200
    assert safe_header("x" * 199 + "=?" + "y" * 50) == "x" * 199 + "="


@pytest.mark.parametrize(
    "url", ["/", "/x", "/conferences/june-2023/guests?page=2&q=a%20b#top", "/ideen/ä", "/a//b", "/a:b@c"]
)
def test_a_path_on_this_site_is_followed(url: str) -> None:
    assert safe_next(url, "/start") == url


@pytest.mark.parametrize(
    "url",
    [
        None, "", "x", "//boese.example", "///boese.example", "/\\boese.example", "\\\\boese.example", "/x\\y",
        "https://boese.example", "https:boese.example", "HTTP://boese.example/", "javascript:alert(1)", "data:text/html,x",
        " /x", "/ /boese.example", "/\t/boese.example", "/\n/boese.example", "/x\r\nSet-Cookie: a=b", "/\x00/boese.example",
        "/x\u2028y", "/\u00a0x", "/\x7fx", "/\ud800", "?next=/x", "#x", "./x", "../x", "mailto:a@boese.example", "\x01/x",
    ],
)  # fmt: skip
def test_everything_else_leads_to_the_default(url: str | None) -> None:
    assert safe_next(url, "/start") == "/start"


@given(ANYTHING)
def test_a_followed_address_is_a_path_without_host(url: str) -> None:
    found = safe_next(url, "/start")
    assert found == "/start" or (found == url and url[0] == "/" and url[1:2] not in ("/", "\\"))


def test_every_single_character_is_either_stored_or_refused() -> None:
    for code in range(0, sys.maxunicode + 1, 97):
        try:
            clean_text(f"a{chr(code)}b").encode()
        except BadText:
            continue
