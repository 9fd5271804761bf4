"""The time of a round: started, paused, extended or ended by staff; by the agenda while nobody has done so."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import select

from ..accounts.models import Account
from ..conferences.models import Conference
from ..core import countdown
from ..core.countdown import Countdown
from ..kit.dates import show_time
from ..kit.db import db, found, one_locked
from ..kit.errors import Refused, Stale
from . import queries
from .models import Round, RoundTimer

MORE = timedelta(minutes=5)
LONGEST = timedelta(hours=12)
NEAR = timedelta(hours=16)
"""Only around a round's day its time is worth asking for again and again."""
USUAL = timedelta(minutes=45)
"""The length of a round whose agenda item is gone."""
START, EXTEND, PAUSE, RESUME, END = "start", "extend", "pause", "resume", "end"


def countdowns(conference: Conference) -> list[Countdown]:
    """The time of every round that has one, in two queries."""
    rounds = queries.rounds_of(conference)
    timers = db.session.scalars(select(RoundTimer).where(RoundTimer.round_id.in_([r.id for r in rounds])))
    set_ones = {timer.round_id: timer for timer in timers}
    return [one for r in rounds if (one := _countdown(r, set_ones.get(r.id)))]


def current(conference: Conference, at: datetime) -> Countdown | None:
    """The time of the round that people are in, or will be next."""
    return countdown.current(countdowns(conference), at)


def time_shown(conference: Conference, at: datetime) -> dict[str, Any] | None:
    """The current round's time as pages show it (`groups/_time.html`); None when no round has one."""
    return shown(current(conference, at), at)


def shown(one: Countdown | None, at: datetime) -> dict[str, Any] | None:
    """One round's time as facts for a template. Instants go to the script as milliseconds, beside the server's own now."""
    if one is None:
        return None
    return {
        "round": one.number,
        "round_id": one.round_id,
        "version": one.version,
        "state": one.state(at),
        "is_set": one.is_set,
        "starts_at": one.starts_at,
        "ends_at": one.ends_at,
        "is_near": abs(one.starts_at - at) < NEAR,
        "left": countdown.as_clock(one.left(at)),
        "ends_ms": round(one.ends_at.timestamp() * 1000),
        "now_ms": round(at.timestamp() * 1000),
    }


def planned_length(round_: Round) -> timedelta:
    """How long a round is meant to be."""
    item = round_.agenda_item
    return item.ends_at - item.starts_at if item else USUAL


def _countdown(round_: Round, timer: RoundTimer | None) -> Countdown | None:
    if timer is not None:
        return Countdown(
            round_.number, timer.started_at, timer.ends_at, timer.paused_at, True, round_.id, timer.version
        )
    item = round_.agenda_item
    return Countdown(round_.number, item.starts_at, item.ends_at, round_id=round_.id) if item else None


def start(
    conference: Conference,
    round_id: int,
    minutes: int,
    version: int | None,
    account: Account | None,
    *,
    at: datetime,
) -> Countdown:
    """Let a round begin now. Another one that was started and still runs ends by that. Raises Refused while it runs already."""

    def begin(timer: RoundTimer) -> None:
        if timer.version and Countdown(0, timer.started_at, timer.ends_at, timer.paused_at).state(at) in (
            countdown.RUNNING,
            countdown.PAUSED,
        ):
            raise Refused(_("This round is running already."))
        timer.started_at, timer.ends_at, timer.paused_at = at, at + timedelta(minutes=minutes), None
        _end_others(conference, round_id, at)

    return _changed(conference, round_id, START, version, account, begin)


def extend(
    conference: Conference, round_id: int, version: int | None, account: Account | None, *, at: datetime
) -> Countdown:
    """Five minutes more; a round that is over goes on for five minutes from now. Raises Refused before it begins."""

    def more(timer: RoundTimer) -> None:
        _must_have_begun(timer, at)
        # A paused round has not run on: its end moves with the pause.
        end = timer.ends_at if timer.paused_at is not None else max(timer.ends_at, at)
        if end + MORE - timer.started_at > LONGEST:
            raise Refused(_("A round takes twelve hours at most."))
        timer.ends_at = end + MORE

    return _changed(conference, round_id, EXTEND, version, account, more)


def pause(
    conference: Conference, round_id: int, version: int | None, account: Account | None, *, at: datetime
) -> Countdown:
    """Stop the time; what is left is kept. Raises Refused unless the round runs."""

    def stop(timer: RoundTimer) -> None:
        if Countdown(0, timer.started_at, timer.ends_at, timer.paused_at).state(at) != countdown.RUNNING:
            raise Refused(_("Only a round that is running can be paused."))
        timer.paused_at = at

    return _changed(conference, round_id, PAUSE, version, account, stop)


def resume(
    conference: Conference, round_id: int, version: int | None, account: Account | None, *, at: datetime
) -> Countdown:
    """Let the time go on; the end moves by the length of the pause. Raises Refused unless it is paused."""

    def go_on(timer: RoundTimer) -> None:
        if timer.paused_at is None:
            raise Refused(_("This round is not paused."))
        timer.ends_at += at - timer.paused_at
        timer.paused_at = None

    return _changed(conference, round_id, RESUME, version, account, go_on)


def end(
    conference: Conference, round_id: int, version: int | None, account: Account | None, *, at: datetime
) -> Countdown:
    """End a round now. Raises Refused when it has not begun or is over."""

    def close(timer: RoundTimer) -> None:
        _must_have_begun(timer, at)
        if timer.paused_at is None and timer.ends_at <= at:
            raise Refused(_("This round is over already."))
        timer.ends_at, timer.paused_at = at, None

    return _changed(conference, round_id, END, version, account, close)


def _must_have_begun(timer: RoundTimer, at: datetime) -> None:
    if at < timer.started_at:
        raise Refused(_("This round has not begun yet."))


def _changed(
    conference: Conference,
    round_id: int,
    step: str,
    version: int | None,
    account: Account | None,
    change: Callable[[RoundTimer], None],
) -> Countdown:
    """Do one step on the time as it stands. Pressed twice by the same person it is one step; raises Stale for anybody else.

    The conference is locked: two people who press at once come one after the other, also where no row exists yet.
    """
    found(one_locked(select(Conference).where(Conference.id == conference.id)))
    round_ = found(queries.round_of(conference, round_id))
    query = select(RoundTimer).where(RoundTimer.round_id == round_.id)
    timer = one_locked(query) or _planned(round_, step)
    who = account.id if account else None
    if version != timer.version:
        if version == timer.version - 1 and (timer.last_step, timer.account_id) == (step, who):
            return _as_shown(round_, timer)
        raise Stale("", "", version=timer.version, message=_meanwhile(conference, round_, timer))
    change(timer)
    timer.version, timer.last_step, timer.account_id = timer.version + 1, step, who
    db.session.add(timer)
    db.session.flush()  # lists in the same transaction must show it
    return _as_shown(round_, timer)


def _planned(round_: Round, step: str) -> RoundTimer:
    """The time by the agenda, not stored yet."""
    item = round_.agenda_item
    if item is None and step != START:
        raise Refused(_("This round has not begun yet."))
    begins = datetime.min.replace(tzinfo=UTC) if item is None else item.starts_at
    return RoundTimer(
        round_id=round_.id,
        started_at=begins,
        ends_at=item.ends_at if item else begins,
        last_step="",
        version=0,
    )


def _as_shown(round_: Round, timer: RoundTimer) -> Countdown:
    return found(_countdown(round_, timer))


def _meanwhile(conference: Conference, round_: Round, timer: RoundTimer) -> str:
    if timer.paused_at is not None:
        return _("Somebody else was faster: round %(number)d is paused now.", number=round_.number)
    return _(
        "Somebody else was faster: round %(number)d ends at %(time)s now.",
        number=round_.number,
        time=show_time(timer.ends_at, conference.zone),
    )


def _end_others(conference: Conference, round_id: int, at: datetime) -> None:
    query = (
        select(RoundTimer)
        .join(Round, Round.id == RoundTimer.round_id)
        .where(Round.conference_id == conference.id, Round.id != round_id)
    )
    for timer in db.session.scalars(query):
        if timer.paused_at is not None or timer.ends_at > at:
            timer.ends_at, timer.paused_at = at, None
            timer.version += 1
            timer.last_step = END
