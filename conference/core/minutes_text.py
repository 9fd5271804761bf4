"""The minutes as plain text: frozen with a release, hashed, sent where a PDF is not wanted.

The words stand here and not in a catalogue, because a release must read the same after every change of translation.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, time
from textwrap import fill
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .minutes import (
        ActionLine,
        Appointment,
        ClusterLine,
        DecisionLine,
        GroupResults,
        GroupRound,
        MinutesDocument,
        PersonLine,
        TopicMinutes,
        VoteResult,
    )

WIDTH = 78
WORDS = {
    "de": {
        "minutes": "Ergebnisprotokoll", "draft": "Entwurf – nicht freigegeben",
        "released": "Freigegeben am {day} durch {name}", "version": "Fassung",
        "host": "Veranstalter", "day": "Datum", "begin": "Beginn", "end": "Ende", "place": "Ort", "chair": "Leitung",
        "moderator": "Moderation", "minute_taker": "Protokollführung", "focus_question": "Leitfrage",
        "summary": "Der Tag in Kürze",
        "attendance": "Anwesenheit", "present": "Anwesend", "excused": "Entschuldigt", "absent": "Abwesend",
        "guests": "Gäste", "arrived": "ab {time}", "left": "bis {time}", "clock": "{time} Uhr",
        "agenda": "Tagesordnung", "topic": "TOP {number}", "topics": "Zu den Tagesordnungspunkten",
        "subject": "Gegenstand", "discussion": "Diskussion", "result": "Ergebnis", "open_points": "Offene Punkte",
        "decision": "Beschluss", "decisions": "Beschlüsse", "actions": "Maßnahmenplan", "action": "Maßnahme",
        "groups": "Arbeitsgruppen", "round": "Runde {number}", "table": "Gruppe {name}", "people": "Mit",
        "question": "Frage", "results": "Ergebnisse", "proposal": "Vorschlag für eine Maßnahme", "ideas": "Ideen",
        "no_sheet": "Ergebnisblatt nicht abgegeben",
        "earlier": "Frühere Maßnahmen", "carried_out": "umgesetzt durch Maßnahme {numbers}", "decided": "aus Beschluss {number}",
        "clusters": "Ideen nach Bündeln", "dots": "{number} Punkte", "one_dot": "1 Punkt", "parked": "Themenspeicher",
        "vote": "Abstimmung", "turnout": "{voted} von {entitled} Stimmberechtigten, je {dots} Punkte",
        "voters": "{number} Stimmen", "one_voter": "1 Stimme", "responsible": "Verantwortlich", "supporters": "mit",
        "due": "bis {day}", "status": "Status", "next": "Nächster Termin", "attachments": "Anlagen",
        "distribution": "Verteiler", "signatures": "Unterschriften", "none": "Keine Einträge",
        "open": "offen", "in_progress": "in Arbeit", "done": "erledigt", "postponed": "zurückgestellt",
        "dropped": "verworfen",
    },
    "en": {
        "minutes": "Minutes", "draft": "Draft – not released", "released": "Released on {day} by {name}",
        "version": "Version",
        "host": "Host", "day": "Date", "begin": "Begin", "end": "End", "place": "Place", "chair": "Chair",
        "moderator": "Moderator", "minute_taker": "Minute taker", "focus_question": "Focus question",
        "summary": "The day in short",
        "attendance": "Attendance", "present": "Present", "excused": "Excused", "absent": "Absent",
        "guests": "Guests", "arrived": "from {time}", "left": "until {time}", "clock": "{time}",
        "agenda": "Agenda", "topic": "Item {number}", "topics": "On the items", "subject": "Subject",
        "discussion": "Discussion", "result": "Result", "open_points": "Open points",
        "decision": "Decision", "decisions": "Decisions", "actions": "Action plan", "action": "Action",
        "groups": "Groups", "round": "Round {number}", "table": "Group {name}", "people": "With",
        "question": "Question", "results": "Results", "proposal": "Proposal for action", "ideas": "Ideas",
        "no_sheet": "Results sheet not handed in",
        "earlier": "Earlier actions", "carried_out": "carried out by action {numbers}", "decided": "from decision {number}",
        "clusters": "Ideas by cluster", "dots": "{number} dots", "one_dot": "1 dot", "parked": "Parked items",
        "vote": "Vote", "turnout": "{voted} of {entitled} entitled, {dots} dots each",
        "voters": "{number} voters", "one_voter": "1 voter", "responsible": "Responsible", "supporters": "with",
        "due": "by {day}", "status": "Status", "next": "Next appointment", "attachments": "Attachments",
        "distribution": "Distribution", "signatures": "Signatures", "none": "No entries",
        "open": "open", "in_progress": "in progress", "done": "done", "postponed": "postponed", "dropped": "dropped",
    },
}  # fmt: skip


def plain_text(document: MinutesDocument) -> str:
    """The minutes as text of at most 78 columns (longer only for a longer word), ending in one newline.

    German unless the document's language is English. The same document gives the same text.
    """
    return _Text(document).whole()


class _Text:
    def __init__(self, document: MinutesDocument) -> None:
        self.m = document
        self.words = WORDS.get(document.language[:2], WORDS["de"])

    def whole(self) -> str:
        m = self.m
        parts = [
            *self.head(),
            *self.section("summary", markdown_lines(m.summary_markdown), optional=True),
            *self.section("attendance", self.attendance()),
            *self.section("agenda", self.agenda()),
            *self.section("topics", self.topics(), optional=True),
            *(line for vote in m.votes for line in self.vote(vote)),
            *self.section("decisions", (line for one in m.decisions for line in self.decision(one))),
            *self.section("actions", (line for one in m.actions for line in self.action(one))),
            *self.section("next", self.next(m.next_appointment), optional=True),
            *self.section("attachments", bullets(m.attachments), optional=True),
            *self.section("distribution", bullets(m.distribution), optional=True),
            *self.section("signatures", self.signatures(), optional=True),
            *self.section("groups", (line for one in m.rounds for line in self.round(one)), optional=True),
            *self.section("clusters", self.clusters(), optional=True),
        ]
        return "\n".join(parts).rstrip() + "\n"

    def head(self) -> Iterator[str]:
        m, words = self.m, self.words
        title = f"{words['minutes']}: {m.conference_title}"
        yield from (
            wrapped(title),
            "=" * min(len(title), WIDTH),
            f"{m.series_title} · {m.number}",
            self.state(),
            "",
        )
        facts = {
            "host": m.host, "day": shown_day(m.day), "begin": self.clock(m.begin), "end": self.clock(m.end), "place": m.place,
            "chair": m.chair, "moderator": m.moderator, "minute_taker": m.minute_taker,
            "version": str(m.version), "focus_question": m.focus_question,
        }  # fmt: skip
        yield from (wrapped(f"{words[key]}: {value}", "  ") for key, value in facts.items() if value)

    def state(self) -> str:
        if not self.m.released:
            return self.words["draft"]
        day = shown_day(self.m.released_on) if self.m.released_on else ""
        return self.words["released"].format(day=day, name=self.m.released_by)

    def section(self, heading: str, lines: Iterable[str], *, optional: bool = False) -> Iterator[str]:
        found = list(lines)
        if not found and optional:
            return
        title = self.words[heading]
        yield from ("", title, "-" * len(title), *(found or [self.words["none"]]))

    def attendance(self) -> Iterator[str]:
        for group in ("present", "excused", "absent", "guests"):
            people: tuple[PersonLine, ...] = getattr(self.m.attendance, group)
            if people:
                yield f"{self.words[group]} ({len(people)}):"
                yield from self.people(people)

    def people(self, people: Iterable[PersonLine]) -> Iterator[str]:
        for person in people:
            times = [
                self.words[key].format(time=self.clock(value))
                for key, value in (("arrived", person.arrived), ("left", person.left))
                if value
            ]
            yield bullet(", ".join(filter(None, [person.name, person.organisation, person.function, *times])))

    def signatures(self) -> Iterator[str]:
        for person in self.m.signatures:
            yield bullet(", ".join(filter(None, [person.name, self.words.get(person.function)])))

    def agenda(self) -> Iterator[str]:
        for topic in self.m.agenda:
            begin = f"{topic.begin:%H:%M}" if topic.begin else ""
            parts = [
                begin,
                self.topic_number(topic),
                topic.title,
                f"({topic.person})" if topic.person else "",
            ]
            yield wrapped(" ".join(filter(None, parts)), "  ")

    def topics(self) -> Iterator[str]:
        for topic in self.m.agenda:
            if body := list(self.topic_body(topic)):
                yield from ("", wrapped(f"{self.topic_number(topic)} {topic.title}".strip(), "  "), *body)

    def topic_body(self, topic: TopicMinutes) -> Iterator[str]:
        texts = {
            "subject": topic.subject, "discussion": topic.discussion_markdown,
            "result": topic.result_markdown, "open_points": topic.open_points_markdown,
        }  # fmt: skip
        for key, text in texts.items():
            if text.strip():
                yield f"{self.words[key]}:"
                yield from markdown_lines(text, "  ")
        if topic.kind == "review" and self.m.earlier:
            yield f"{self.words['earlier']}:"
            for action in self.m.earlier:
                yield from self.action(action)
        for key, numbers in (("decision", topic.decisions), ("action", topic.actions)):
            if numbers:
                yield f"{self.words[key]}: {', '.join(numbers)}"

    def topic_number(self, topic: TopicMinutes) -> str:
        return self.words["topic"].format(number=topic.number) if topic.number else ""

    def round(self, one: GroupRound) -> Iterator[str]:
        times = "–".join(f"{value:%H:%M}" for value in (one.begin, one.end) if value)
        topic = self.words["topic"].format(number=one.topic) if one.topic else ""
        notes = ", ".join(filter(None, [topic, times]))
        yield from ("", self.words["round"].format(number=one.number) + (f" ({notes})" if notes else ""))
        for table in one.tables:
            head = [self.words["table"].format(name=table.name), table.topic, table.room]
            yield from ("", wrapped(" · ".join(filter(None, head)), "  "))
            if table.people:
                yield wrapped(f"{self.words['people']}: {', '.join(table.people)}", "  ")
            yield from self.sheet(table.sheet)
            if table.ideas:
                yield f"{self.words['ideas']}:"
                yield from bullets(table.ideas)

    def sheet(self, sheet: GroupResults | None) -> Iterator[str]:
        if sheet is None:
            yield self.words["no_sheet"]
            return
        if sheet.question:
            yield wrapped(f"{self.words['question']}: {sheet.question}", "  ")
        if sheet.results:
            yield f"{self.words['results']}:"
            for number, result in enumerate(sheet.results, start=1):
                yield wrapped(f"{number}. {result}", "   ")
        for key, text in (("open_points", sheet.open_points), ("proposal", sheet.proposal)):
            if text:
                yield f"{self.words[key]}:"
                yield from markdown_lines(text, "  ")

    def clusters(self) -> Iterator[str]:
        for cluster in self.m.clusters:
            dots = "" if cluster.dots is None else f" ({self.counted('dots', cluster.dots)})"
            yield from ("", *self.cluster(cluster, dots))
        if self.m.parked:
            yield from ("", self.words["parked"], *bullets(self.m.parked))

    def cluster(self, cluster: ClusterLine, dots: str) -> Iterator[str]:
        yield wrapped(f"{cluster.number}. {cluster.heading}{dots}", "   ")
        yield from bullets(cluster.ideas)

    def vote(self, vote: VoteResult) -> Iterator[str]:
        title = f"{self.words['vote']}: {vote.title}"
        yield from ("", wrapped(title), "-" * min(len(title), WIDTH))
        yield self.words["turnout"].format(voted=vote.voted, entitled=vote.entitled, dots=vote.dots)
        for row in vote.rows:
            counts = f"{self.counted('dots', row.dots)}, {self.counted('voters', row.voters)}"
            yield wrapped(f"{row.rank}. {row.wording}: {counts}", "   ")

    def decision(self, decision: DecisionLine) -> Iterator[str]:
        yield wrapped(f"{decision.number} {decision.wording}", "   ")
        numbers = ", ".join(decision.actions)
        carried_out = self.words["carried_out"].format(numbers=numbers) if numbers else ""
        if notes := ", ".join(filter(None, [decision.how, decision.source, carried_out])):
            yield wrapped(notes, "   ", first="   ")

    def action(self, action: ActionLine) -> Iterator[str]:
        words = self.words
        yield wrapped(f"{action.number} {action.title}", "   ")
        organisation = f" ({action.organisation})" if action.organisation else ""
        who = f"{words['responsible']}: {action.responsible}{organisation}"
        with_whom = f"{words['supporters']} {', '.join(action.supporters)}" if action.supporters else ""
        due = words["due"].format(day=shown_day(action.due_on)) if action.due_on else ""
        status = f"{words['status']}: {words.get(action.status, action.status)}"
        source = words["decided"].format(number=action.decision) if action.decision else action.source
        yield wrapped(", ".join(filter(None, [who, with_whom, due, status, source])), "   ", first="   ")

    def next(self, appointment: Appointment | None) -> Iterator[str]:
        if appointment is None:
            return
        times = "–".join(f"{value:%H:%M}" for value in (appointment.begin, appointment.end) if value)
        clock = self.words["clock"].format(time=times) if times else ""
        parts = [shown_day(appointment.day), clock, appointment.place, appointment.note]
        yield wrapped(", ".join(filter(None, parts)))

    def clock(self, value: time | None) -> str:
        return self.words["clock"].format(time=f"{value:%H:%M}") if value else ""

    def counted(self, key: str, number: int) -> str:
        return self.words["one_" + key[:-1]] if number == 1 else self.words[key].format(number=number)


def shown_day(day: date) -> str:
    """06.06.2023"""
    return f"{day:%d.%m.%Y}"


def wrapped(text: str, indent: str = "", first: str = "") -> str:
    """The text in lines of at most WIDTH, the second and later ones indented; long words stay whole."""
    return fill(
        " ".join(text.split()), WIDTH, initial_indent=first, subsequent_indent=indent,
        break_long_words=False, break_on_hyphens=False,
    )  # fmt: skip


def markdown_lines(text: str, indent: str = "") -> Iterator[str]:
    """Markdown line by line: it is made to be read as it is."""
    return (wrapped(line, indent, first=indent) for line in text.strip().splitlines())


def bullet(text: str) -> str:
    """The text as an item of a list."""
    return wrapped(text, "  ", first="- ")


def bullets(texts: Iterable[str]) -> Iterator[str]:
    """Each text as an item of a list."""
    return (bullet(text) for text in texts)
