"""Counts for the start page and the life page, in one query for any number of conferences; and what the page of results needs."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import String, bindparam, exists, func, literal_column, select, union_all
from sqlalchemy.orm import joinedload
from sqlalchemy.sql.elements import BindParameter, ColumnElement

from ..actions.models import ENDED, Action, Decision, Report
from ..actions.queries import actions_before, actions_of, decisions_of, latest_reports
from ..agenda.models import AgendaItem, ItemKind
from ..agenda.queries import slots_of
from ..conferences.models import Conference, Room, Topic
from ..core.agenda_warnings import Frame, warnings
from ..core.lifecycle import Facts
from ..groups.models import Concern, Group, GroupsRelease, GroupsSetting, Method, Round, Seat
from ..groups.queries import is_live
from ..groups.queries import latest_release as latest_groups
from ..ideas.models import CapturePoint, Cluster, Collection, Idea
from ..ideas.queries import clusters_of, ideas_of
from ..invitations.models import Invitation, Reply
from ..kit.dates import local
from ..kit.db import Moment, db
from ..minutes.models import Release
from ..outbox.models import Mail, MailState
from ..outbox.queries import LATE, WAITING
from ..providers.models import Contact
from ..registrations.models import Attendance, Presence, Registration, SeatOffer, Standing
from ..voting.models import Vote
from ..voting.queries import votes_of

IDS: BindParameter[int] = bindparam("ids", expanding=True)
SILENT_BEFORE = bindparam("silent_before", type_=Moment())
SILENCE = timedelta(days=14)
AT_ONCE = 500  # ids in one statement: each count carries them all, and SQLite allows 32,766 parameters


def _count(what: str, conference_id: Any, *conditions: ColumnElement[bool]) -> Any:
    name = literal_column(f"'{what}'", String).label("what")
    counted = select(name, conference_id.label("conference_id"), func.count().label("number"))
    return counted.where(conference_id.in_(IDS), *conditions).group_by(conference_id)


_SEATED_ROUND = exists().where(Round.agenda_item_id == AgendaItem.id, Group.round_id == Round.id)
_RECORDED = exists().where(
    Attendance.conference_id == Registration.conference_id, Attendance.contact_id == Registration.contact_id
)
_HAS_CODE = exists().where(
    CapturePoint.conference_id == Round.conference_id, CapturePoint.table == Group.name
)
_REPORTED = exists().where(Report.action_id == Action.id, Report.number > 1)
_IS_LIVE = exists().where(
    GroupsSetting.conference_id == Round.conference_id, GroupsSetting.method == Method.OPEN_SPACE
)
_UNANSWERED = Invitation.reply == Reply.OPEN

# One statement made once: SQLAlchemy then remembers how to say it, and the database is asked once.
COUNTS = union_all(
    _count("items", AgendaItem.conference_id),
    _count("breakouts", AgendaItem.conference_id, AgendaItem.kind == ItemKind.BREAKOUT),
    _count(
        "breakouts_without_groups",
        AgendaItem.conference_id,
        AgendaItem.kind == ItemKind.BREAKOUT,
        ~_SEATED_ROUND,
    ),
    _count("invited", Invitation.conference_id),
    _count("unsent", Invitation.conference_id, Invitation.sent_at.is_(None), _UNANSWERED),
    _count("unanswered", Invitation.conference_id, Invitation.sent_at.is_not(None), _UNANSWERED),
    _count(
        "outdated",
        Conference.id,
        Invitation.conference_id == Conference.id,
        Invitation.entry_state != Conference.calendar_sequence,
        Invitation.reply != Reply.DECLINED,
    ),
    _count("accepted", Invitation.conference_id, Invitation.reply == Reply.ACCEPTED),
    _count("declined", Invitation.conference_id, Invitation.reply == Reply.DECLINED),
    _count(
        "failed_mails",
        Conference.id,
        Mail.about == Conference.slug,
        Mail.state.in_((MailState.FAILED, MailState.BOUNCED)),
    ),
    _count(
        "late_mails",
        Conference.id,
        Mail.about == Conference.slug,
        Mail.state.in_(WAITING),
        Mail.created_at <= bindparam("late_before"),
    ),
    _count("confirmed", Registration.conference_id, Registration.standing == Standing.CONFIRMED),
    _count("waiting", Registration.conference_id, Registration.standing == Standing.WAITING),
    _count("offered", SeatOffer.conference_id, SeatOffer.ended_at.is_(None)),
    _count("unrecorded", Registration.conference_id, Registration.standing == Standing.CONFIRMED, ~_RECORDED),
    _count("present", Attendance.conference_id, Attendance.presence == Presence.PRESENT),
    _count("groups", Round.conference_id, Group.round_id == Round.id, ~_IS_LIVE),
    _count("group_releases", GroupsRelease.conference_id),
    _count("tables_without_code", Round.conference_id, Group.round_id == Round.id, ~_HAS_CODE),
    _count("ideas", Idea.conference_id, Idea.hidden_at.is_(None)),
    _count("loose_ideas", Idea.conference_id, Idea.hidden_at.is_(None), Idea.cluster_id.is_(None)),
    _count("clusters", Cluster.conference_id),
    _count("collecting", Collection.conference_id, Collection.closed_at.is_(None)),
    _count("votes_unopened", Vote.conference_id, Vote.opened_at.is_(None), Vote.closed_at.is_(None)),
    _count("votes_open", Vote.conference_id, Vote.opened_at.is_not(None), Vote.closed_at.is_(None)),
    _count("votes_closed", Vote.conference_id, Vote.closed_at.is_not(None)),
    _count("decisions", Decision.conference_id),
    _count(
        "decisions_without_action", Decision.conference_id, ~exists().where(Action.decision_id == Decision.id)
    ),
    _count("actions", Action.conference_id),
    _count(
        "silent",
        Action.conference_id,
        Action.status.not_in(ENDED),
        Action.created_at < SILENT_BEFORE,
        ~_REPORTED,
    ),
    _count("releases", Release.conference_id),
    _count("followers", Conference.previous_id),
)
UNFINISHED = (
    select(Action.conference_id, Action.due_on, func.count())
    .where(Action.conference_id.in_(IDS), Action.status.not_in(ENDED))
    .group_by(Action.conference_id, Action.due_on)
)


def facts_of(conferences: Sequence[Conference], at: datetime) -> dict[int, Facts]:
    """Where each conference stands, by id: three queries for all of them.

    Without what only the life page asks for: whether groups have changed since their publication.
    """
    counts: dict[int, Counter[str]] = {conference.id: Counter() for conference in conferences}
    due: dict[int, list[tuple[date, int]]] = defaultdict(list)
    ids = list(counts)
    for start in range(0, len(ids), AT_ONCE):
        some = {"ids": ids[start : start + AT_ONCE]}
        for what, conference_id, number in db.session.execute(
            COUNTS, some | {"silent_before": at - SILENCE, "late_before": at - LATE}
        ):
            counts[conference_id][what] = number
        for conference_id, due_on, number in db.session.execute(UNFINISHED, some):
            due[conference_id].append((due_on, number))
    for conference, number in _agenda_warnings([c for c in conferences if c.ends_at > at], counts):
        counts[conference.id]["agenda_warnings"] = number
    return {c.id: _facts(c, counts[c.id], due[c.id], at) for c in conferences}


def _agenda_warnings(
    conferences: Sequence[Conference], counts: dict[int, Counter[str]]
) -> Iterator[tuple[Conference, int]]:
    query = (
        select(AgendaItem).options(joinedload(AgendaItem.room)).order_by(AgendaItem.starts_at, AgendaItem.id)
    )
    items: dict[int, list[AgendaItem]] = defaultdict(list)
    for item in db.session.scalars(query.where(AgendaItem.conference_id.in_([c.id for c in conferences]))):
        items[item.conference_id].append(item)
    for c in conferences:
        frame = Frame(c.starts_at, c.ends_at, c.day, c.zone, counts[c.id]["confirmed"] or c.seats)
        yield c, len(warnings(slots_of(items[c.id]), frame)) if c.id in items else 0


def _facts(conference: Conference, counts: Counter[str], due: list[tuple[date, int]], at: datetime) -> Facts:
    today = local(at, conference.zone).date()
    return Facts(
        day=conference.day,
        today=today,
        answer_by=conference.answer_by,
        over=at > conference.ends_at,
        seats=conference.seats,
        open_actions=sum(number for _due_on, number in due),
        overdue=sum(number for due_on, number in due if due_on < today),
        **counts,
    )


def life_of(conference: Conference, at: datetime) -> Facts:
    """Where one conference stands, with everything."""
    facts = facts_of([conference], at)[conference.id]
    changed = facts.group_releases > 0 and not facts.over and _groups_changed(conference)
    return replace(facts, groups_changed=int(changed))


def _groups_changed(conference: Conference) -> bool:
    release = None if is_live(conference) else latest_groups(conference)
    return release is not None and _as_published(release) != _as_they_are(conference)


def _as_published(release: GroupsRelease) -> dict[tuple[int, str], tuple[str, str, str, frozenset[int]]]:
    return {
        (entry["round"], entry["group"]): (
            entry["topic"], entry["focus_question"], entry["room"], frozenset(entry["contact_ids"]),
        )
        for entry in release.plan
    }  # fmt: skip


def _as_they_are(conference: Conference) -> dict[tuple[int, str], tuple[str, str, str, frozenset[int]]]:
    seats: dict[int, set[int]] = defaultdict(set)
    taken = select(Seat.group_id, Seat.contact_id).join(Round, Round.id == Seat.round_id)
    taken = taken.join(Contact, Contact.id == Seat.contact_id).where(Contact.restricted_at.is_(None))
    for group_id, contact_id in db.session.execute(taken.where(Round.conference_id == conference.id)):
        seats[group_id].add(contact_id)
    query = (
        select(
            Group.id,
            Round.number,
            Group.name,
            func.coalesce(Concern.title, Topic.title),
            Group.focus_question,
            Room.name,
        )
        .join(Round, Round.id == Group.round_id)
        .outerjoin(Concern, Concern.id == Group.concern_id)
        .join(AgendaItem, AgendaItem.id == Round.agenda_item_id)
        .outerjoin(Topic, Topic.id == Group.topic_id)
        .outerjoin(Room, Room.id == Group.room_id)
        .where(Round.conference_id == conference.id, AgendaItem.kind == ItemKind.BREAKOUT)
    )
    return {
        (number, name): (topic or "", question, room or "", frozenset(seats[group_id]))
        for group_id, number, name, topic, question, room in db.session.execute(query)
    }


# -- what became of it ------------------------------------------------


@dataclass(frozen=True)
class Step:
    """An action with what is known of it: the newest words, and whether its date has passed."""

    action: Action
    overdue: bool
    result: str


@dataclass(frozen=True)
class Thread:
    """One thread: from a cluster, a single idea or an agenda item to decisions and actions. Without both: no answer yet."""

    heading: str
    ideas: Sequence[Idea] = ()
    cluster: Cluster | None = None
    dots: int | None = None
    rank: int | None = None
    decisions: Sequence[Decision] = ()
    steps: Sequence[Step] = ()

    @property
    def answered(self) -> bool:
        """True when something was decided or begun."""
        return bool(self.decisions or self.steps)


@dataclass(frozen=True)
class Outcome:
    """Everything on leadership's page, read in one go. `states` counts actions; an overdue one counts only as overdue."""

    threads: Sequence[Thread]
    singles: Sequence[Thread]
    others: Sequence[Thread]
    earlier: Sequence[Step]
    states: Counter[str]
    organisations: int

    @property
    def all_threads(self) -> list[Thread]:
        """Clusters by their rank, then single ideas, then what came from neither."""
        return [*self.threads, *self.singles, *self.others]

    @property
    def steps(self) -> list[Step]:
        """The actions of all threads, each once."""
        return [step for thread in self.all_threads for step in thread.steps]

    @property
    def decisions(self) -> int:
        """How many decisions there are."""
        return sum(len(thread.decisions) for thread in self.all_threads)

    @property
    def ideas(self) -> int:
        """How many ideas there are."""
        return sum(len(thread.ideas) for thread in self.all_threads)

    @property
    def ideas_without_answer(self) -> int:
        """Ideas from which nothing has followed yet."""
        return sum(len(thread.ideas) for thread in self.all_threads if not thread.answered)


def outcome_of(conference: Conference, at: datetime) -> Outcome:
    """What became of the conference, with a constant number of queries."""
    today = local(at, conference.zone).date()
    actions, earlier = actions_of(conference), actions_before(conference)
    words = latest_reports([*actions, *earlier])

    def step(action: Action) -> Step:
        return Step(action, action.is_overdue(today), words[action.id].text if action.id in words else "")

    threads, singles, others = _threads(conference, [step(action) for action in actions])
    return Outcome(
        threads=threads,
        singles=singles,
        others=others,
        earlier=[step(action) for action in earlier],
        states=Counter("overdue" if a.is_overdue(today) else str(a.status.value) for a in actions),
        organisations=_organisations(conference),
    )


def _threads(
    conference: Conference, steps: Sequence[Step]
) -> tuple[list[Thread], list[Thread], list[Thread]]:
    ideas, decisions, dots = ideas_of(conference), decisions_of(conference), _dots(conference)
    cluster_of_idea = {idea.id: idea.cluster_id for idea in ideas}
    begins = {decision.id: _beginning(decision, cluster_of_idea) for decision in decisions}
    led_to: dict[tuple[str, int], list[Decision]] = defaultdict(list)
    for decision in decisions:
        led_to[begins[decision.id]].append(decision)
    done: dict[tuple[str, int], list[Step]] = defaultdict(list)
    for step in steps:
        done[_beginning_of_action(step.action, begins, cluster_of_idea)].append(step)

    def thread(kind: str, id_: int, heading: str, members: list[Idea], **more: Any) -> Thread:
        key = kind, id_
        return Thread(heading, members, decisions=led_to.pop(key, []), steps=done.pop(key, []), **more)

    threads = []
    for cluster in clusters_of(conference):
        members = [idea for idea in ideas if idea.cluster_id == cluster.id]
        given, rank = dots.get(cluster.id, (None, None))
        threads.append(
            thread("cluster", cluster.id, cluster.heading, members, cluster=cluster, dots=given, rank=rank)
        )
    singles = [thread("idea", idea.id, idea.text, [idea]) for idea in ideas if idea.cluster_id is None]
    others = [
        Thread("", decisions=led_to.get(key, []), steps=done.get(key, [])) for key in {**led_to, **done}
    ]
    threads.sort(key=lambda thread: (thread.rank or 10_000, thread.cluster.number if thread.cluster else 0))
    return threads, singles, others


def _beginning(thing: Decision | Action, cluster_of_idea: dict[int, int | None]) -> tuple[str, int]:
    """Where a decision or action belongs: its cluster, the cluster of its idea, the idea itself, or only itself."""
    idea_id = thing.idea_id
    cluster_id = thing.cluster_id or (cluster_of_idea.get(idea_id) if idea_id else None)
    if cluster_id is not None:
        return "cluster", cluster_id
    if idea_id is not None:
        return "idea", idea_id
    return ("agenda", thing.agenda_item_id) if thing.agenda_item_id else ("alone", 0)


def _beginning_of_action(
    action: Action, begins: dict[int, tuple[str, int]], cluster_of_idea: dict[int, int | None]
) -> tuple[str, int]:
    """The decision leads: an action that carries it out stands in the same thread."""
    return begins[action.decision_id] if action.decision_id in begins else _beginning(action, cluster_of_idea)


def _dots(conference: Conference) -> dict[int, tuple[int, int]]:
    """Dots and rank by cluster id, from the newest closed vote that had the cluster."""
    dots: dict[int, tuple[int, int]] = {}
    closed = [vote for vote in votes_of(conference) if vote.result is not None and vote.closed_at is not None]
    for vote in sorted(closed, key=lambda vote: (vote.closed_at, vote.id)):
        rows = vote.result["rows"] if vote.result else []
        dots |= {row["cluster"]: (row["dots"], row["rank"]) for row in rows if row.get("cluster") is not None}
    return dots


def _organisations(conference: Conference) -> int:
    query = (
        select(func.count(Contact.provider_id.distinct()))
        .join(Attendance, Attendance.contact_id == Contact.id)
        .where(Attendance.conference_id == conference.id, Attendance.presence == Presence.PRESENT)
    )
    return db.session.scalar(query) or 0
