"""Where a conference stands: its phase, what needs a hand now, what is done. Counts in, codes out; rooms make the words."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

PREPARE, INVITE, RUN, FOLLOW_UP = "prepare", "invite", "run", "follow_up"
PHASES = (PREPARE, INVITE, RUN, FOLLOW_UP)
URGENCY = {"bad": 0, "warn": 1, "info": 2}
WEEK, FORTNIGHT = timedelta(days=7), timedelta(days=14)


@dataclass(frozen=True)
class Facts:
    """Counts of one conference at one moment. `today` and `day` are dates on the conference's own calendar.

    `unanswered` were sent a letter and said nothing; `outdated` have an old time or place in their calendars;
    `unrecorded` have a seat but no attendance; `silent` are unfinished
    actions of which nobody has reported anything for a while; `loose_ideas` are in no cluster.
    """

    day: date
    today: date
    answer_by: date
    over: bool
    seats: int = 0
    items: int = 0
    agenda_warnings: int = 0
    breakouts: int = 0
    breakouts_without_groups: int = 0
    invited: int = 0
    unsent: int = 0
    unanswered: int = 0
    outdated: int = 0
    accepted: int = 0
    declined: int = 0
    failed_mails: int = 0
    late_mails: int = 0
    confirmed: int = 0
    waiting: int = 0
    offered: int = 0
    unrecorded: int = 0
    present: int = 0
    groups: int = 0
    group_releases: int = 0
    groups_changed: int = 0
    tables_without_code: int = 0
    ideas: int = 0
    loose_ideas: int = 0
    clusters: int = 0
    collecting: int = 0
    votes_unopened: int = 0
    votes_open: int = 0
    votes_closed: int = 0
    decisions: int = 0
    decisions_without_action: int = 0
    actions: int = 0
    open_actions: int = 0
    overdue: int = 0
    silent: int = 0
    releases: int = 0
    followers: int = 0

    @property
    def phase(self) -> str:
        """One of PHASES: prepare until the first letter is sent, then invite, run on the day, follow_up when it is over."""
        if self.over or self.today > self.day:
            return FOLLOW_UP
        if self.today == self.day:
            return RUN
        return INVITE if self.invited > self.unsent else PREPARE

    @property
    def free_seats(self) -> int:
        """Seats that nobody has; never below 0."""
        return max(0, self.seats - self.confirmed - self.offered)

    @property
    def days_left(self) -> timedelta:
        """Until the day; negative afterwards."""
        return self.day - self.today


@dataclass(frozen=True)
class Need:
    """Something that needs a hand: what (a code), how many, how urgent ('bad', 'warn' or 'info')."""

    code: str
    count: int
    tone: str


def needs(facts: Facts) -> list[Need]:
    """What needs a hand now, the most urgent first; a need without a count is left out.

    >>> facts = Facts(day=date(2023, 6, 6), today=date(2023, 5, 2), answer_by=date(2023, 5, 26), over=False)
    >>> [need.code for need in needs(facts)]
    ['no_agenda', 'no_guests']
    """
    rules = [_always, _afterwards] if facts.phase == FOLLOW_UP else [_always, _beforehand, _seating]
    if facts.phase == RUN:
        rules.append(_on_the_day)
    found = [need for rule in rules for need in rule(facts) if need.count > 0]
    return sorted(found, key=lambda need: URGENCY[need.tone])


def _always(facts: Facts) -> Iterator[Need]:
    yield Need("mails_failed", facts.failed_mails, "bad")
    yield Need("mails_late", facts.late_mails, "bad")
    yield Need("actions_overdue", facts.overdue, "bad")


def _beforehand(facts: Facts) -> Iterator[Need]:
    yield Need("no_agenda", int(facts.items == 0), "bad" if facts.phase == RUN else "warn")
    yield Need("agenda_warnings", facts.agenda_warnings, "warn")
    yield Need("no_guests", int(facts.invited == 0), "warn")
    yield Need("calendars_outdated", facts.outdated, "bad")
    if facts.phase == RUN:
        return
    soon = facts.answer_by - facts.today <= FORTNIGHT
    yield Need("letters_unsent", facts.unsent, "warn" if soon or facts.phase == INVITE else "info")
    yield Need("answers_missing", facts.unanswered, _tone_of_answers(facts))
    yield Need("seats_for_waiting", facts.waiting - facts.offered if facts.free_seats else 0, "warn")


def _tone_of_answers(facts: Facts) -> str:
    if facts.today > facts.answer_by:
        return "bad"
    return "warn" if facts.answer_by - facts.today <= WEEK else "info"


def _seating(facts: Facts) -> Iterator[Need]:
    near = "bad" if facts.phase == RUN else "warn" if facts.days_left <= WEEK else "info"
    yield Need("groups_missing", facts.breakouts_without_groups if facts.confirmed else 0, near)
    yield Need("groups_unpublished", int(facts.groups > 0 and not facts.group_releases), near)
    yield Need("groups_changed", facts.groups_changed, "warn")
    yield Need("tables_without_code", facts.tables_without_code if facts.days_left <= WEEK else 0, "warn")


def _on_the_day(facts: Facts) -> Iterator[Need]:
    yield Need("attendance_unrecorded", facts.unrecorded, "warn")
    yield Need("votes_open", facts.votes_open, "info")
    yield Need("votes_unopened", facts.votes_unopened, "info")
    yield Need("ideas_loose", facts.loose_ideas, "info")
    yield Need("decisions_without_action", facts.decisions_without_action, "info")


def _afterwards(facts: Facts) -> Iterator[Need]:
    yield Need("attendance_unrecorded", facts.unrecorded, "bad")
    yield Need("votes_open", facts.votes_open, "bad")
    yield Need("votes_unopened", facts.votes_unopened, "warn")
    yield Need("collection_open", facts.collecting, "warn")
    if not facts.releases:
        yield Need("ideas_loose", facts.loose_ideas, "warn")
        yield Need("minutes_unreleased", 1, "bad" if -facts.days_left > FORTNIGHT else "warn")
    yield Need("decisions_without_action", facts.decisions_without_action, "warn")
    yield Need("actions_silent", facts.silent, "info")
    yield Need("follow_up_missing", int(not facts.followers), "info")


def steps(facts: Facts) -> list[tuple[str, str]]:
    """The way of a conference as (code, 'done', 'current' or 'todo'); the first open one is the current one."""
    done = {
        "agenda": facts.items > 0,
        "guests": facts.invited > 0,
        "letters": facts.invited > facts.unsent,
        "groups": facts.group_releases > 0,
        "attendance": facts.present > 0,
        "ideas": facts.clusters > 0,
        "vote": facts.votes_closed > 0,
        "decisions": facts.decisions + facts.actions > 0,
        "minutes": facts.releases > 0,
        "follow_up": facts.followers > 0,
    }
    first = next((code for code, is_done in done.items() if not is_done), None)
    return [
        (code, "done" if is_done else "current" if code == first else "todo")
        for code, is_done in done.items()
    ]
