"""Which passwords are easily guessed: common ones and their usual disguises, runs on the keyboard, words of the context."""

import re
import unicodedata
from collections.abc import Iterable
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Literal

LISTS = [Path(__file__).with_name(name) for name in ("common_passwords.txt", "common_passwords_de.txt")]
RUNS = (
    "abcdefghijklmnopqrstuvwxyz", "01234567890", "1234567890ß", "qwertzuiopü", "qwertyuiop", "asdfghjklöä", "yxcvbnm", "zxcvbnm",
    "1qaz2wsx3edc4rfv5tgb6zhn7ujm", "1qay2wsx3edc4rfv5tgb6yhn",  # pragma: allowlist secret
    "qawsedrftgzhujikolp", "1q2w3e4r5t6z7u8i9o0p", "1q2w3e4r5t6y7u8i9o0p",  # pragma: allowlist secret
    "qazwsxedcrfvtgbyhnujm", "qaywsxedcrfvtgbzhnujm",
)  # fmt: skip
SHORTEST_RUN, SHORTEST_WORD, ENOUGH = 4, 3, 8
LEET = str.maketrans("013457@$!", "oleastasi")
YEAR = re.compile(r"(?<!\d)(19|20)\d\d(?!\d)")
EDGES = re.compile(r"^[^a-zäöüß]+|[^a-zäöüß]+$")

Weakness = Literal["common", "simple", "context"]


def weakness(password: str, about: Iterable[str] = ()) -> Weakness | None:
    """Why a password is easily guessed, or None. `about` are words that belong to the person and the house."""
    plain = unicodedata.normalize("NFKC", password).casefold()
    if any(word in _common() for word in _disguises(plain)):
        return "common"
    if _left(plain) < ENOUGH:
        return "simple"
    known = {part for text in about for part in _words(text)}
    return "context" if known and _left(_without(plain, known)) < ENOUGH else None


@cache
def _common() -> frozenset[str]:
    lines = [line for file in LISTS for line in file.read_text(encoding="utf-8").splitlines()]
    return frozenset(line for line in lines if line and not line.startswith("#"))


def _disguises(plain: str) -> set[str]:
    """The word itself, without what was put before and behind it, with digits read as letters, said once instead of often."""
    forms = {plain, "".join(plain.split()), EDGES.sub("", plain), EDGES.sub("", plain.translate(LEET))}
    forms |= {EDGES.sub("", form.translate(LEET)) for form in set(forms)}
    return {_once(form) for form in forms} | forms - {""}


def _once(text: str) -> str:
    """`abcabcabc` is `abc`."""
    period = (text + text).find(text, 1)
    return text[:period] if text else text


def _left(plain: str) -> int:
    """How many signs are left without runs, years and repetitions: what somebody who guesses must still find out."""
    rest = YEAR.sub("", _without_runs(_once(plain)))
    signs = [sign for sign in rest if sign.isalnum()]
    return sum(1 for before, sign in pairwise(["", *signs]) if before != sign)


def _without_runs(plain: str) -> str:
    kept, at = [], 0
    while at < len(plain):
        length = _run_at(plain, at)
        if length < SHORTEST_RUN:
            kept.append(plain[at])
            length = 1
        at += length
    return "".join(kept)


def _run_at(plain: str, at: int) -> int:
    longest = 0
    for run in RUNS:
        for row in (run, run[::-1]):
            length = SHORTEST_RUN
            while plain[at : at + length] in row and at + length <= len(plain):
                longest = max(longest, length)
                length += 1
    return longest


def _words(text: str) -> list[str]:
    parts = re.split(r"[^\w]+|_", unicodedata.normalize("NFKC", text).casefold())
    return [part for part in parts if len(part) >= SHORTEST_WORD]


def _without(plain: str, known: set[str]) -> str:
    for word in sorted(known, key=len, reverse=True):
        plain = plain.replace(word, " ")
    return plain
