"""The minutes as one value: everything that the PDF, the plain text and a frozen release say.

Days and times are those on the wall of the conference's own zone. Texts that end in `_markdown` are Markdown,
all others plain. Tuples are shown in the order in which they come; the caller sorts. Codes (`kind`, `status`)
are those of the database: the template and `plain_text` turn them into words.
"""

import json
from dataclasses import dataclass
from datetime import date, time
from typing import Any

from .minutes_text import plain_text
from .plain import BadShape, from_plain, to_plain

__all__ = ["MinutesDocument", "from_json", "plain_text", "to_json"]

FORMAT = "folgetermin-minutes-1"


@dataclass(frozen=True)
class PersonLine:
    """Somebody on the attendance list; `arrived` and `left` only where they differ from begin and end."""

    name: str
    organisation: str = ""
    function: str = ""
    arrived: time | None = None
    left: time | None = None


@dataclass(frozen=True)
class Attendance:
    """Who was there, as recorded at the door, never taken from the registrations."""

    present: tuple[PersonLine, ...] = ()
    excused: tuple[PersonLine, ...] = ()
    absent: tuple[PersonLine, ...] = ()
    guests: tuple[PersonLine, ...] = ()


@dataclass(frozen=True)
class DecisionLine:
    """A decision in its exact wording; `how` is a sentence such as "im Konsens" or "21 Ja, 3 Nein, 2 Enthaltungen".

    `actions` are the numbers of those that carry it out.
    """

    number: str
    wording: str
    how: str = ""
    source: str = ""
    actions: tuple[str, ...] = ()


@dataclass(frozen=True)
class ActionLine:
    """An action: exactly one responsible. `status` is open, in_progress, done, postponed or dropped.

    It came from a decision (its number) or, without one, from `source`.
    """

    number: str
    title: str
    responsible: str
    supporters: tuple[str, ...] = ()
    due_on: date | None = None
    status: str = "open"
    source: str = ""
    decision: str = ""
    organisation: str = ""


@dataclass(frozen=True)
class TopicMinutes:
    """One line of the agenda and what came of it. `number` is empty for breaks; `kind` is plenary, talk, breakout or break.

    `decisions` and `actions` are numbers of lines of the whole document: each stands there once.
    """

    title: str
    number: str = ""
    begin: time | None = None
    kind: str = "plenary"
    person: str = ""
    subject: str = ""
    discussion_markdown: str = ""
    result_markdown: str = ""
    open_points_markdown: str = ""
    decisions: tuple[str, ...] = ()
    actions: tuple[str, ...] = ()


@dataclass(frozen=True)
class GroupResults:
    """A group's results sheet as it was handed in."""

    question: str = ""
    results: tuple[str, ...] = ()
    open_points: str = ""
    proposal: str = ""


@dataclass(frozen=True)
class GroupTable:
    """A breakout group of one round: who sat there, what it handed in (None: nothing yet), and which ideas came of it."""

    name: str
    topic: str = ""
    room: str = ""
    people: tuple[str, ...] = ()
    ideas: tuple[str, ...] = ()
    sheet: GroupResults | None = None


@dataclass(frozen=True)
class GroupRound:
    """A breakout round; `topic` is the number of its agenda item."""

    number: int
    begin: time | None = None
    end: time | None = None
    topic: str = ""
    tables: tuple[GroupTable, ...] = ()


@dataclass(frozen=True)
class ClusterLine:
    """Ideas that belong together; `dots` is None where nobody voted on it."""

    number: int
    heading: str
    ideas: tuple[str, ...] = ()
    dots: int | None = None


@dataclass(frozen=True)
class VoteRow:
    """A place in the result: `voters` gave it at least one of the `dots`."""

    rank: int
    wording: str
    dots: int
    voters: int


@dataclass(frozen=True)
class VoteResult:
    """A closed vote: each of the `entitled` had `dots` to give, `voted` of them did."""

    title: str
    dots: int
    entitled: int
    voted: int
    rows: tuple[VoteRow, ...] = ()


@dataclass(frozen=True)
class Appointment:
    """When the next conference is, and what stands on it already."""

    day: date
    begin: time | None = None
    end: time | None = None
    place: str = ""
    note: str = ""


@dataclass(frozen=True)
class MinutesDocument:
    """A whole *Ergebnisprotokoll*. `released_on` and `released_by` are set exactly when `released` is true.

    `earlier` are the actions of the conferences before, as they stand now; their `source` is the conference. They are shown
    where the agenda asks what became of them. The `function` of a signature is a code: chair or minute_taker.
    """

    series_title: str
    conference_title: str
    number: int
    day: date
    language: str = "de"
    released: bool = False
    version: int = 1
    released_on: date | None = None
    released_by: str = ""
    focus_question: str = ""
    host: str = ""
    place: str = ""
    begin: time | None = None
    end: time | None = None
    chair: str = ""
    moderator: str = ""
    minute_taker: str = ""
    summary_markdown: str = ""
    attendance: Attendance = Attendance()
    agenda: tuple[TopicMinutes, ...] = ()
    rounds: tuple[GroupRound, ...] = ()
    clusters: tuple[ClusterLine, ...] = ()
    parked: tuple[str, ...] = ()
    votes: tuple[VoteResult, ...] = ()
    decisions: tuple[DecisionLine, ...] = ()
    actions: tuple[ActionLine, ...] = ()
    earlier: tuple[ActionLine, ...] = ()
    next_appointment: Appointment | None = None
    attachments: tuple[str, ...] = ()
    distribution: tuple[str, ...] = ()
    signatures: tuple[PersonLine, ...] = ()

    @property
    def ideas(self) -> int:
        """How many ideas there are: those of the groups, or, with what the plenary added, those of clusters and parked items."""
        groups = sum(len(table.ideas) for one in self.rounds for table in one.tables)
        return max(groups, sum(len(cluster.ideas) for cluster in self.clusters) + len(self.parked))


def to_json(document: MinutesDocument) -> str:
    """The document as JSON text, the same bytes for the same document: what a release freezes."""
    return json.dumps({"format": FORMAT, **to_plain(document)}, ensure_ascii=False, sort_keys=True, indent=1)


def from_json(text: str) -> MinutesDocument:
    """The document that `to_json` wrote. Raises BadShape (a ValueError) for anything else."""
    try:
        plain: Any = json.loads(text)
    except ValueError:
        raise BadShape("", "not JSON") from None
    if not isinstance(plain, dict) or plain.pop("format", None) != FORMAT:
        raise BadShape("format", f"{FORMAT} expected")
    document: MinutesDocument = from_plain(MinutesDocument, plain)
    return document
