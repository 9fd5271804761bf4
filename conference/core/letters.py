"""Letters with {placeholders}: checked before they are kept, filled in for one person.

What stands in braces is looked up in a fixed list and put in once. Values are never read again, so nothing that somebody
typed as a name can become a placeholder; there is no format string and no template language here (CVE-2026-2415 was one).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

PLACEHOLDERS = (
    "greeting", "first_name", "last_name", "organisation", "series", "conference", "focus_question", "date", "time",
    "place", "answer_by", "organiser", "organiser_email", "organiser_phone", "link", "retention",
)  # fmt: skip

BRACED = re.compile(r"\{([^{}\n]*)\}")
LONE_BRACE = re.compile(r"[{}]")
# One person's link in everybody's letter: a whole address, a bare path with something like a token, or our own mark.
SOMEBODYS_LINK = re.compile(
    r"(?i:https?)://\S+/(invitation|action)/\S|/(invitation|action)/[\w~-]{16}|~link-"
)

Place = Literal["subject", "body"]


@dataclass(frozen=True)
class Problem:
    """Why a letter must not be kept, and where.

    `code`: unknown (a placeholder that is none; `name` is what stands in the braces), brace (one without its other),
    secret (one person's link in everybody's letter), link_in_subject, link_missing. `line` counts from 1; 0 is nowhere.
    """

    place: Place
    code: str
    line: int = 0
    name: str = ""


def problems_of(subject: str, body: str) -> list[Problem]:
    """Everything that is wrong with a letter, in reading order."""
    found = [*_problems("subject", subject), *_problems("body", body)]
    if "{link}" in subject:
        found.append(Problem("subject", "link_in_subject", 1))
    if "{link}" not in body:
        found.append(Problem("body", "link_missing"))
    return found


def _problems(place: Place, text: str) -> list[Problem]:
    found = []
    for number, line in enumerate(text.split("\n"), 1):
        names = [name for name in BRACED.findall(line) if name not in PLACEHOLDERS]
        found += [Problem(place, "unknown", number, name) for name in names]
        if LONE_BRACE.search(BRACED.sub("", line)):
            found.append(Problem(place, "brace", number))
        if SOMEBODYS_LINK.search(line):
            found.append(Problem(place, "secret", number))
    return found


def fill(text: str, values: Mapping[str, str]) -> str:
    """The text with the values in it. A line of nothing but placeholders that are empty here is left out.

    Raises KeyError for a placeholder without a value.
    """
    lines = []
    for line in text.split("\n"):
        filled = BRACED.sub(lambda match: values[match.group(1)], line)
        if filled.strip() or not BRACED.search(line):
            lines.append(filled)
    return "\n".join(lines)
