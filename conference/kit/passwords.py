"""Passwords that are guessed first: those of published leaks, and words that everybody here knows.

`passwords.bin` holds the first 40 bits of SHA-256 of 43,940 passwords in order, small letters; `tools/leaked_passwords.py`
makes it. They are those of at least 12 signs among the million most used ones of Mark Burnett's ten million leaked passwords
(public domain). Nobody is asked over the network.
"""

import hashlib
import re
from bisect import bisect_left
from functools import cache
from pathlib import Path

FILE = Path(__file__).with_suffix(".bin")
SIZE = 5
OURS = (
    "folgetermin", "konferenz", "conference", "agentur", "arbeitsagentur", "jobcenter", "passwort", "password", "kennwort",
    "geheim", "willkommen", "welcome", "administrator", "admin", "organisation", "moderation", "anmeldung", "sommer", "winter",
    "fruehling", "frühling", "herbst", "januar", "februar", "märz", "april", "juni", "juli", "august", "september", "oktober",
    "november", "dezember", "qwertz", "qwerty", "123456", "abcdef",
)  # fmt: skip
"""Words that say nothing of the person who chooses them. What is left of a password without them must still be a password."""
LEFT = 8
SHORTEST_WORD = 3


def digest_of(password: str) -> bytes:
    """What the file holds of a password."""
    return hashlib.sha256(password.casefold().encode("utf-8", "replace")).digest()[:SIZE]


@cache
def _leaked() -> bytes:
    return FILE.read_bytes()


class _Records:
    """The digests in the file, as a sequence that can be searched."""

    def __len__(self) -> int:
        return len(_leaked()) // SIZE

    def __getitem__(self, place: int) -> bytes:
        return _leaked()[place * SIZE : (place + 1) * SIZE]


def was_leaked(password: str) -> bool:
    """True for a password that stands in published lists, whatever its capitals."""
    records, digest = _Records(), digest_of(password)
    place = bisect_left(records, digest)
    return place < len(records) and records[place] == digest


def is_known_here(password: str, about: tuple[str, ...] = ()) -> bool:
    """True when little is left of it without words of ours, and of whom it is about: names, addresses."""
    known = rest = password.casefold()
    named = {word for text in about for word in re.split(r"[\W_]+", text.casefold())}
    words = {word for word in named if len(word) >= SHORTEST_WORD} | set(OURS)
    for word in sorted(words, key=len, reverse=True):
        rest = rest.replace(word, " ")
    return rest != known and len("".join(rest.split())) < LEFT
