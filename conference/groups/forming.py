"""Forming as a job: a row is asked for, a worker seeks the seating with no transaction open, and the seats follow.

The row is the truth. A worker takes it on a lease and renews it while it works; one that dies loses it, and the next
one begins anew. Only the worker that took the row last may write into it.
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from flask import current_app
from flask_babel import gettext as _
from sqlalchemy import and_, or_, select
from sqlalchemy.exc import OperationalError

from ..accounts.models import Account
from ..conferences.models import Conference
from ..core import grouping
from ..kit import jobs, unit
from ..kit.db import db, found, one_locked
from ..kit.errors import Refused
from . import queries
from .models import Forming, FormingKind, FormingState
from .operations import prepare_rounds, seat_everybody, steps_for
from .tasks import Task, task_of, trouble_of

LEASE = timedelta(minutes=2)
BEAT = timedelta(seconds=1)
ATTEMPTS = 3

Now = Callable[[], datetime]


# -- asking -----------------------------------------------------------


def ask(
    conference: Conference, tables: int, account: Account | None, *, around: bool = False, at: datetime
) -> Forming:
    """Ask the worker to form all rounds anew. Asked twice by the same person, it is done once.

    With `around`, everybody who was moved by hand since the last forming stays there and is pinned. Raises Refused when
    somebody else is at it, there is no breakout item or the rooms are too small.
    """
    _conference_locked(conference.id)
    active = queries.active_forming(conference)
    if active is not None and active.kind is FormingKind.REPAIR:
        db.session.delete(active)  # nothing is left to be repaired when all is formed anew
    elif active is not None:
        if active.account == account and (active.tables, active.setting.get("around")) == (tables, around):
            return active
        raise Refused(
            _(
                "Groups are being formed right now. Wait until they are there, or stop it, and then form them anew."
            )
        )
    rounds = prepare_rounds(conference)
    held = queries.moved_by_hand(conference) if around else set()
    task = task_of(conference, tables, len(rounds), held=held)
    forming = Forming(
        conference=conference,
        account=account,
        asked_at=at,
        seed=1 if task.problem.goals else 1 + secrets.randbelow(2**31 - 1),  # chance falls anew each time
        tables=tables,
        problem=grouping.problem_to_json(task.problem),
        setting=task.setting | {"around": around},
        steps_planned=steps_for(task.problem),
    )
    db.session.add(forming)
    db.session.flush()  # the answer leads to it
    app = current_app._get_current_object()  # type: ignore[attr-defined]
    unit.after_commit("groups", lambda: jobs.wake(app, "groups"))
    return forming


def cancel(forming: Forming, *, at: datetime) -> None:
    """Stop it: what waits ends at once, what runs ends soon with the best found so far. A second time changes nothing."""
    forming = found(one_locked(select(Forming).where(Forming.id == forming.id)))
    if not forming.is_active:
        return
    forming.cancelled_at = forming.cancelled_at or at
    if forming.state is FormingState.WAITING or _is_lost(forming, at):
        forming.state, forming.ended_at, forming.lease_until = FormingState.STOPPED, at, None


def _is_lost(forming: Forming, at: datetime) -> bool:
    return forming.lease_until is None or forming.lease_until <= at


def _conference_locked(conference_id: int) -> Conference:
    return found(one_locked(select(Conference).where(Conference.id == conference_id)))


# -- working ----------------------------------------------------------


def work(now: Now) -> int:
    """Do what waits, one after the other; gives how many. Safe to run twice at once, and to be killed.

    Opens its own short transactions: never call it inside one.
    """
    count = 0
    while (taken := _claim(now())) is not None:
        _do(taken, now)
        count += 1
    return count


@dataclass(frozen=True)
class _Taken:
    """A forming on its lease; `attempt` is the worker's right to write."""

    forming_id: int
    conference_id: int
    attempt: int
    kind: FormingKind
    problem: dict[str, Any]
    setting: dict[str, Any]
    seed: int
    steps: int


def _claim(at: datetime) -> _Taken | None:
    was_lost = and_(Forming.state == FormingState.RUNNING, Forming.lease_until <= at)
    query = (
        select(Forming)
        .where(or_(Forming.state == FormingState.WAITING, was_lost))
        .order_by(Forming.id)
        .limit(1)
        .with_for_update(skip_locked=True, of=Forming)
    )
    with unit.writing():
        while (forming := db.session.scalars(query).first()) is not None:
            if forming.attempts < ATTEMPTS:
                return _taken(forming, at)
            _end(forming, FormingState.FAILED, at)
            forming.trouble = {"code": "given_up"}
            db.session.flush()  # the next look must not find it again
    return None


def _taken(forming: Forming, at: datetime) -> _Taken:
    forming.state, forming.lease_until, forming.steps_done = FormingState.RUNNING, at + LEASE, 0
    forming.best = None
    forming.attempts += 1
    return _Taken(
        forming.id,
        forming.conference_id,
        forming.attempts,
        forming.kind,
        forming.problem,
        forming.setting,
        forming.seed,
        forming.steps_planned,
    )


def _do(taken: _Taken, now: Now) -> None:
    """Do one, with no transaction open while it is thought about."""
    (_mend if taken.kind is FormingKind.REPAIR else _form)(taken, now)


def _mend(taken: _Taken, now: Now) -> None:
    """Seek the fewest moves in the rounds that have not begun, and note them as a proposal."""
    try:
        problem, begun = grouping.parse_problem(taken.problem), taken.setting["begun"]
        seats = grouping.published_seating({"rounds": taken.setting["seats"]})
        repaired = grouping.repair(problem, seats, seed=taken.seed, over=begun)
    except (grouping.Contradiction, grouping.NotFound) as error:
        _fail(taken, trouble_of(error, problem), now())
    except Exception as error:  # as in _form
        current_app.logger.exception("repair %s has crashed", taken.forming_id)
        _fail(taken, trouble_of(error, grouping.Problem(0, (), ())), now())
    else:
        solution = grouping.to_json(repaired.solution)
        moves = grouping.repair_to_json(repaired)
        _propose(taken, solution | {"moves": moves, "is_minimal": repaired.is_minimal}, now())


def _propose(taken: _Taken, result: dict[str, Any], at: datetime) -> None:
    with unit.writing():
        forming = _mine(taken)
        if forming is not None:
            _end(forming, FormingState.FOUND, at)
            forming.steps_done, forming.result = forming.steps_planned, result


def _form(taken: _Taken, now: Now) -> None:
    """Seek a seating with no transaction open, and note what came out."""
    watch = _Watch(taken, now)
    try:
        problem = grouping.parse_problem(taken.problem)
        solution = grouping.solve(
            problem,
            seed=taken.seed,
            iterations=taken.steps,
            deadline=lambda: watch.is_over,
            on_progress=watch.note,
        )
    except (grouping.Contradiction, grouping.NotFound) as error:
        _fail(taken, trouble_of(error, problem), now())
    except Exception as error:  # one problem that breaks the search must not stop the worker
        current_app.logger.exception("forming %s has crashed", taken.forming_id)
        _fail(taken, trouble_of(error, grouping.Problem(0, (), ())), now())
    else:
        _finish(taken, Task.kept(problem, taken.setting), solution, now())


class _Watch:
    """Writes down how far the search is, about once a second, renews the lease, and hears when it shall stop."""

    def __init__(self, taken: _Taken, now: Now) -> None:
        self.taken, self.now = taken, now
        self.is_over = False
        self.next: datetime | None = None

    def note(self, progress: grouping.Progress) -> None:
        at = self.now()
        if self.is_over or (self.next is not None and at < self.next):
            return
        self.next = at + BEAT
        try:
            self._write(progress, at)
        except OperationalError:
            current_app.logger.warning("progress of forming %s could not be noted", self.taken.forming_id)

    def _write(self, progress: grouping.Progress, at: datetime) -> None:
        with unit.writing():
            forming = _mine(self.taken)
            if forming is None or forming.cancelled_at is not None:
                self.is_over = True
                return
            forming.steps_done, forming.steps_planned = progress.done, progress.planned
            forming.best = [grouping.score_to_json(score) for score in progress.goals] or None
            forming.lease_until = at + LEASE


def _mine(taken: _Taken) -> Forming | None:
    """The row, locked, if this worker still has it."""
    return one_locked(
        select(Forming).where(
            Forming.id == taken.forming_id,
            Forming.state == FormingState.RUNNING,
            Forming.attempts == taken.attempt,
        )
    )


def _fail(taken: _Taken, trouble: dict[str, Any], at: datetime) -> None:
    with unit.writing():
        forming = _mine(taken)
        if forming is not None:
            _end(forming, FormingState.FAILED, at)
            forming.trouble = trouble


def _finish(taken: _Taken, task: Task, solution: grouping.Solution, at: datetime) -> None:
    with unit.writing():
        conference = _conference_locked(taken.conference_id)
        forming = _mine(taken)
        if forming is None:
            return
        forming.steps_done = solution.iterations
        if queries.state_of(conference) != task.state:
            _end(forming, FormingState.FAILED, at)
            forming.trouble = {"code": "changed"}
            return
        seat_everybody(conference, task, solution, forming.account, at=at)
        _end(forming, FormingState.DONE, at)
        forming.result = grouping.to_json(solution)


def _end(forming: Forming, state: FormingState, at: datetime) -> None:
    forming.state, forming.ended_at, forming.lease_until = state, at, None
