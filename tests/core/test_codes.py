"""Codes as people type them."""

import pytest

from conference.core.codes import ALPHABET, LENGTH, MISREAD, readings


@pytest.mark.parametrize(
    "typed", ["NFQTC9", "nfqtc9", " nfq tc9 ", "NFQ-TC9", "ＮＦＱＴＣ９", "n.f.q.t.c.9", "\u200bNFQTC9"]
)
def test_letters_blanks_and_dashes_do_not_matter(typed: str) -> None:
    assert readings(typed) == ["NFQTC9"]


@pytest.mark.parametrize("typed", ["NFOTC9", "nf0tc9", "nfotc9"])
def test_a_sign_that_no_code_holds_is_read_as_what_looks_like_it(typed: str) -> None:
    assert "NFQTC9" in readings(typed)


def test_o_and_zero_are_the_same_and_so_are_i_and_one_where_letters_are_meant() -> None:
    assert readings("OOHHHH") == readings("00HHHH")
    assert {"JHHHHH"} <= set(readings("IHHHHH")) & set(readings("1HHHHH")) & set(readings("lHHHHH"))


def test_every_reading_is_a_possible_code() -> None:
    assert not set(MISREAD) & set(ALPHABET)
    for code in readings("O0I1LU"):
        assert len(code) == LENGTH
        assert set(code) <= set(ALPHABET)


@pytest.mark.parametrize(
    "typed", ["", "ABC", "NFQTC9X", "😀😀😀😀😀😀", "ß" * 6, "\ud800NFQTC9"[:4], "x" * 10_000]
)
def test_what_cannot_be_a_code_has_no_reading(typed: str) -> None:
    assert readings(typed) == []
