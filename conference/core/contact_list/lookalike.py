"""Is this organisation another spelling of one that we know, or that stands elsewhere in the list?"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from ..similarity import similarity, trigrams
from ..text import comparison_key, plain_letters

# The names together share at least WHOLE of their trigrams, and where each side has words of its own, those resemble each
# other by WORD. So typing errors, Bünde/Buende and legal forms are found, and sister schools in two towns are not.
WHOLE, WORD = 0.50, 0.40
# About a second; in longer lists only names that are equal in plain letters are found.
MOST_COMPARISONS = 300_000

_LEGAL_FORM = re.compile(r"\b(?:e ?v|g ?gmbh|gmbh|mbh|ug|g?ag|kg|ohg|gbr|e ?g|co|haftungsbeschraenkt)\b")
_ROMAN = frozenset(("i", "ii", "iii", "iv", "v", "vi"))
_SMALL = re.compile(r"\b(?:fuer|d(?:er|ie|as|es|em|en)|i[mn]|a[mn]|zu[mr]?|und|vo[nm]|for|the|of|and)\b")


@dataclass(frozen=True)
class _Name:
    """An organisation's name in the forms in which it is compared."""

    text: str

    @cached_property
    def plain(self) -> str:
        words = re.sub(r"[\W_]+", " ", plain_letters(self.text).replace("&", " und ")).strip()
        return " ".join(_LEGAL_FORM.sub(" ", words).split()) or words

    @cached_property
    def letters(self) -> str:
        return self.plain.replace(" ", "")

    @cached_property
    def words(self) -> frozenset[str]:
        return frozenset(_SMALL.sub(" ", self.plain).split())

    @cached_property
    def numbers(self) -> frozenset[str]:
        return frozenset(word for word in self.plain.split() if word in _ROMAN or any(map(str.isdigit, word)))

    @cached_property
    def trigrams(self) -> frozenset[str]:
        return trigrams(self.plain)

    def likeness(self, other: "_Name") -> float:
        """From 0 to 1; 0 when the two are different organisations for all that their names say."""
        if self.letters == other.letters:
            return float(bool(self.letters))
        if self.numbers != other.numbers:
            return 0.0
        shared = len(self.trigrams & other.trigrams)
        whole = shared / max(1, len(self.trigrams) + len(other.trigrams) - shared)
        if whole < WHOLE or not _resemble(self.words - other.words, other.words - self.words):
            return 0.0
        return whole


def _resemble(own: frozenset[str], others: frozenset[str]) -> bool:
    """True when each word on the side that has fewer of its own is like one on the other side."""
    fewer, more = sorted((own, others), key=len)
    return all(any(similarity(word, candidate) >= WORD for candidate in more) for word in fewer)


def lookalike(a: str, b: str) -> bool:
    """True when an organiser should be asked whether the two names mean one organisation."""
    return _Name(a).likeness(_Name(b)) > 0


def spelling_questions(names: Sequence[str], known: Iterable[str]) -> dict[str, str]:
    """For each doubtful name (by its comparison key) the name that it may mean.

    `names` are those of the rows, with repetitions: among spellings in one list the commoner, then the earlier one is taken
    for right. A name that is known exactly is never doubted.
    """
    settled = {comparison_key(name): _Name(name) for name in known}
    first = {comparison_key(name): name for name in reversed(names)}
    new = [key for key, _count in Counter(map(comparison_key, names)).most_common() if key not in settled]
    exact_only = len(new) * (len(settled) + len(new)) > MOST_COMPARISONS
    questions: dict[str, str] = {}
    for key in new:
        meant = _meant(_Name(first[key]), list(settled.values()), exact_only)
        if meant:
            questions[key] = meant
        else:
            settled[key] = _Name(first[key])
    return questions


def _meant(name: _Name, candidates: Sequence[_Name], exact_only: bool) -> str:
    if exact_only:
        return next((other.text for other in candidates if other.letters == name.letters), "")
    best = max(candidates, key=name.likeness, default=None)
    return best.text if best and name.likeness(best) > 0 else ""
