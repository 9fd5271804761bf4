"""Which texts say nearly the same? A suggestion for people, never a decision."""

import re
from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Generic, TypeVar

from .text import comparison_key

Id = TypeVar("Id", bound=Hashable)

THRESHOLD = 0.30
LIMIT = 5

# "Kein Kurs ohne Praktikum" and "Kurs ohne Praktikum" share 83 % of their trigrams and ask for the opposite.
_NEGATION = re.compile(
    r"\b(?:kein\w*|nicht|nichts|nie|niemals|niemand\w*|nirgend\w*|ohne|weder|keinesfalls|keineswegs"
    r"|no|not|never|none|nobody|nothing|neither|nor|without|cannot|\w+n['’]t)\b"
)


@dataclass(frozen=True)
class Similar(Generic[Id]):
    """A text like the one asked about. `score` is from 0 to 1; `negated`: one of the two may say the opposite."""

    id: Id
    text: str
    score: float
    negated: bool


def similar(
    text: str, others: Iterable[tuple[Id, str]], threshold: float = THRESHOLD, limit: int = LIMIT
) -> list[Similar[Id]]:
    """At most `limit` of the others that score at least `threshold`, best first, ties in the given order.

    Threshold as in handbook/outcomes O5: it found 6 of 7 duplicates in 12 pairs. It sees letters, not meaning.
    """
    own = trigrams(text)
    scored = [(_jaccard(own, trigrams(other)), id_, other) for id_, other in others]
    close = sorted((entry for entry in scored if entry[0] >= threshold), key=lambda entry: -entry[0])
    return [
        Similar(id_, other, score, differs_by_negation(text, other)) for score, id_, other in close[:limit]
    ]


def similarity(a: str, b: str) -> float:
    """Shared trigrams of all trigrams (Jaccard), from 0 to 1; 1.0 for texts that differ in case, ß/ss or order of words only."""
    return _jaccard(trigrams(a), trigrams(b))


@lru_cache(maxsize=4096)
def trigrams(text: str) -> frozenset[str]:
    """Groups of three characters, word by word, each word with two spaces before and one behind (as PostgreSQL's pg_trgm)."""
    words = re.sub(r"[\W_]+", " ", comparison_key(text)).split()
    return frozenset(
        padded[at : at + 3] for padded in (f"  {word} " for word in words) for at in range(len(padded) - 2)
    )


def _jaccard(a: frozenset[str], b: frozenset[str]) -> float:
    if not a or not b:
        return 0.0
    shared = len(a & b)
    return shared / (len(a) + len(b) - shared)


def differs_by_negation(a: str, b: str) -> bool:
    """True when the two hold different numbers of words such as kein, nicht, ohne: then never treat them as the same."""
    return _negations(a) != _negations(b)


def _negations(text: str) -> int:
    return len(_NEGATION.findall(comparison_key(text)))
