"""Which texts say nearly the same? A suggestion for people, never a decision."""

import re
from collections.abc import Collection, Hashable, Sequence
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


def similar_to_each(
    asked: Collection[Id],
    texts: Sequence[tuple[Id, str]],
    threshold: float = THRESHOLD,
    limit: int = LIMIT,
) -> dict[Id, list[Similar[Id]]]:
    """For each text asked about at most `limit` others that score at least `threshold`, best first, ties in the given order.

    Texts without any are left out. Threshold as in handbook/outcomes O5: it found 6 of 7 duplicates in 12 pairs; it sees
    letters, not meaning. The trigrams of a text become the bits of one number: a thousand texts take less than a second.
    """
    places: dict[str, int] = {}
    bits = [sum(1 << places.setdefault(part, len(places)) for part in trigrams(text)) for _id, text in texts]
    counts = [number.bit_count() for number in bits]
    found = {}
    for at, (id_, text) in enumerate(texts):
        if id_ not in asked:
            continue
        scored = _scores(at, bits, counts, threshold)
        best = sorted(scored, key=lambda entry: -entry[0])[:limit]
        if best:
            found[id_] = [
                Similar(*texts[n], score, differs_by_negation(text, texts[n][1])) for score, n in best
            ]
    return found


def _scores(at: int, bits: list[int], counts: list[int], threshold: float) -> list[tuple[float, int]]:
    own, size = bits[at], counts[at]
    scores = []
    for number, (other, count) in enumerate(zip(bits, counts, strict=True)):
        shared = (own & other).bit_count()
        if shared and number != at:
            score = shared / (size + count - shared)
            if score >= threshold:
                scores.append((score, number))
    return scores


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
