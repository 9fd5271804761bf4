"""A group's results sheet as a value: what a table hands in, and how two states of it are shown beside each other."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

MOST_RESULTS = 5
"""More are a list of ideas, not a result: the group has to choose."""
USUAL_RESULTS = 3
"""Fewer are taken, with a hint."""


@dataclass(frozen=True)
class Sheet:
    """The question that the group worked on, its results in their order, what stayed open, and what it proposes to do."""

    question: str = ""
    results: tuple[str, ...] = ()
    open_points: str = ""
    proposal: str = ""

    @property
    def is_blank(self) -> bool:
        """True while there is nothing but perhaps the question, which the page writes by itself."""
        return not (self.results or self.open_points or self.proposal)

    @property
    def has_few_results(self) -> bool:
        """True when there are results, but fewer than usual."""
        return 0 < len(self.results) < USUAL_RESULTS


def sheet_of(question: str, results: Iterable[str], open_points: str, proposal: str) -> Sheet:
    """The sheet from what was typed: results without the empty lines between them.

    >>> sheet_of("Was hilft?", ["Ein Kalender", "", "Kurse am Vormittag"], "", "").results
    ('Ein Kalender', 'Kurse am Vormittag')
    """
    return Sheet(question, tuple(result for result in results if result), open_points, proposal)


def as_text(sheet: Sheet, words: Mapping[str, str]) -> str:
    """The sheet as plain text, part by part; `words` names the parts: question, results, open_points, proposal."""
    results = "\n".join(f"{number}. {result}" for number, result in enumerate(sheet.results, 1))
    parts = {
        "question": sheet.question,
        "results": results,
        "open_points": sheet.open_points,
        "proposal": sheet.proposal,
    }
    return "\n\n".join(f"{words[key]}:\n{text}" for key, text in parts.items() if text)
