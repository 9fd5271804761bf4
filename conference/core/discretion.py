"""Texts without the people in them: names become organisations, addresses and telephone numbers three dots.

For those who read results and need no persons. What a text says of somebody without a name stays; a surname that is also a
word is taken for the name where it stands alone with a capital letter, because a name too many is worse than a word too few.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any

from .minutes import ActionLine, MinutesDocument, PersonLine

NOBODY = "–"
HIDDEN = "…"
FEW = 5
"""A smaller number of people could point at some of them: it is told only to those who know who they are."""
SHORTEST = 3
"""A surname shorter than this is only taken for one beside a first name or a form of address."""

_BEFORE = r"(?:(?:Frau|Herrn|Herr|Mrs|Mr|Ms|Dr|Prof)\.?\s+)"
_ADDRESS = re.compile(r"[^\s@<>()\[\],;:]{1,64}@[^\s@<>()\[\],;:]{1,190}\.[a-z]{2,24}", re.IGNORECASE)
_PHONE = re.compile(r"(?<!\w)(?<!\d[.:-])(?:\+\d|00?[1-9])(?:[ /()–-]{0,3}\d){5,16}(?!\w|[.:-]\d)")
_NEVER_PEOPLE = frozenset(
    [
        "series_title",
        "conference_title",
        "host",
        "place",
        "room",
        "language",
        "kind",
        "status",
        "number",
        "function",
        "organisation",
        "distribution",
    ]
)


@dataclass(frozen=True)
class Named:
    """A person of whom nothing is to be read but the organisation."""

    first: str
    last: str
    organisation: str


class Discretion:
    """Takes the people out of texts: `discretion("Frau Muster ruft an")` is "Bildungshaus ruft an"."""

    def __init__(self, people: Iterable[Named]) -> None:
        known = [person for person in people if person.last.strip()]
        self._by_last: dict[str, dict[str, str]] = defaultdict(dict)
        for person in known:
            first = " ".join(person.first.split()).casefold()
            self._by_last[_key(person.last)].setdefault(first, person.organisation)
        self._pattern = _pattern(known) if known else None

    def __call__(self, text: str) -> str:
        """The text without names, e-mail addresses and telephone numbers."""
        text = _PHONE.sub(HIDDEN, _ADDRESS.sub(HIDDEN, text))
        return self._pattern.sub(self._instead, text) if self._pattern else text

    def _instead(self, found: re.Match[str]) -> str:
        last = found["full_last"] or found["before_last"] or found["listed_last"] or found["last"]
        first = " ".join((found["first"] or found["listed_first"] or "").split()).casefold()
        known = self._by_last[_key(last)]
        if first in known:
            return known[first] or NOBODY
        return " / ".join(sorted(set(known.values()) - {""})) or NOBODY


def _key(last: str) -> str:
    return " ".join(last.split()).casefold()


def _pattern(people: Sequence[Named]) -> re.Pattern[str]:
    lasts = {" ".join(person.last.split()) for person in people}
    first, last = _any(" ".join(person.first.split()) for person in people), _any(lasts)
    alone = _any({one for one in lasts if len(one) >= SHORTEST and one[:1].isupper()})
    genitive = r"(?:s|['’]s?)?(?!\w)"
    return re.compile(
        rf"(?<!\w){_BEFORE}*(?:"
        rf"(?i:(?P<first>{first})\s+(?P<full_last>{last}){genitive})"
        rf"|(?i:(?P<listed_last>{last}),\s*(?P<listed_first>{first})(?!\w))"
        rf"|(?P<last>{alone}){genitive})"
        rf"|(?<!\w){_BEFORE}+(?i:(?P<before_last>{last}){genitive})"
    )


def _any(words: Iterable[str]) -> str:
    listed = sorted({word for word in words if word}, key=lambda word: (-len(word), word))
    return "|".join(re.sub(r"\\?\s+", r"\\s+", re.escape(word)) for word in listed) or r"(?!)"


def without_names(document: MinutesDocument, people: Iterable[Named]) -> MinutesDocument:
    """The minutes for those who read no names: organisations where people stood, in lists, at tables, in actions and in texts.

    Whom the document itself names counts too: it may be older than what is known of the people now.
    """
    attendance = document.attendance
    lines = [*attendance.present, *attendance.excused, *attendance.absent, *attendance.guests]
    actions = [*document.actions, *document.earlier]
    at_home = {line.name: line.organisation for line in lines}
    at_home |= {action.responsible: action.organisation for action in actions if action.organisation}
    seated = {name for one in document.rounds for table in one.tables for name in table.people}
    known = {name: at_home.get(name, "") for name in {*at_home, *seated}}
    discretion = Discretion([*people, *(_named(name, at) for name, at in known.items() if name)])
    hidden: MinutesDocument = _through(discretion, document)
    rounds = tuple(
        replace(
            one,
            tables=tuple(
                replace(new, people=tuple(sorted(at_home.get(name) or NOBODY for name in old.people)))
                for old, new in zip(was.tables, one.tables, strict=True)
            ),
        )
        for was, one in zip(document.rounds, hidden.rounds, strict=True)
    )
    return replace(
        hidden,
        rounds=rounds,
        attendance=replace(
            attendance,
            **{
                field.name: tuple(
                    sorted((_line(one) for one in getattr(attendance, field.name)), key=_by_name)
                )
                for field in fields(attendance)
            },
        ),
        actions=_actions(document.actions, hidden.actions),
        earlier=_actions(document.earlier, hidden.earlier),
    )


def _named(name: str, organisation: str) -> Named:
    words = [word for word in name.split() if word.rstrip(".") not in ("Dr", "Prof")]
    return Named(" ".join(words[:-1]), words[-1] if words else "", organisation)


def _line(line: PersonLine) -> PersonLine:
    return PersonLine(name=line.organisation or NOBODY)


def _by_name(line: PersonLine) -> str:
    return line.name


def _actions(before: tuple[ActionLine, ...], hidden: tuple[ActionLine, ...]) -> tuple[ActionLine, ...]:
    return tuple(
        replace(new, responsible=old.organisation or new.responsible, organisation="")
        for old, new in zip(before, hidden, strict=True)
    )


def _through(discretion: Discretion, value: Any, name: str = "") -> Any:
    """Every text in a value without people, but for those that are never about any."""
    if isinstance(value, str):
        return value if name in _NEVER_PEOPLE else discretion(value)
    if isinstance(value, tuple):
        return tuple(_through(discretion, one, name) for one in value)
    if is_dataclass(value) and not isinstance(value, type):
        changes = {
            field.name: _through(discretion, getattr(value, field.name), field.name)
            for field in fields(value)
        }
        return replace(value, **changes)
    return value
