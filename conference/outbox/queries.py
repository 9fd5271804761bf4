"""What waits, what was sent, what went wrong."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta

from flask import current_app
from flask_babel import gettext as _
from sqlalchemy import Select, func, select
from sqlalchemy.orm import defer, joinedload

from ..kit.db import db
from .models import Hold, HoldReason, Mail, MailState

WAITING = (MailState.QUEUED, MailState.SENDING, MailState.DEFERRED)
PAGE = 50


@dataclass(frozen=True)
class Progress:
    """How far a mailing has come; stopped letters do not count in `total`."""

    waiting: int
    sent: int
    failed: int
    total: int
    stopped: int = 0
    can_resume: bool = False

    @property
    def is_running(self) -> bool:
        """True while letters wait."""
        return self.waiting > 0


@dataclass(frozen=True)
class Batch:
    """A mailing: what kind of letter, when it was queued, how far it has come."""

    name: str
    kind: str
    queued_at: datetime
    progress: Progress
    leaves_at: datetime


def _light() -> Select[Mail]:
    """Mails without their words and files, for lists; newest first."""
    return (
        select(Mail)
        .options(defer(Mail.text), defer(Mail.calendar))
        .order_by(Mail.created_at.desc(), Mail.id.desc())
    )


def mails_about(slug: str, *, state: MailState | None = None, page: int = 1) -> list[Mail]:
    """One page of the letters about a conference, newest first."""
    query = _light().where(Mail.about == slug)
    if state is not None:
        query = query.where(Mail.state == state)
    return list(db.session.scalars(query.limit(PAGE).offset((page - 1) * PAGE)))


def mail_about(slug: str, mail_id: int) -> Mail | None:
    """A letter about a conference, with its enclosure."""
    query = select(Mail).options(joinedload(Mail.enclosure)).where(Mail.about == slug, Mail.id == mail_id)
    return db.session.scalar(query)


def mails_to(slug: str, address: str) -> list[Mail]:
    """All letters about a conference to one address, newest first."""
    return list(db.session.scalars(_light().where(Mail.about == slug, Mail.recipient_address == address)))


def counts_about(slug: str) -> dict[MailState, int]:
    """Letters about a conference by state, in the order of states; only those that occur."""
    query = select(Mail.state, func.count(Mail.id)).where(Mail.about == slug).group_by(Mail.state)
    counts = dict(db.session.execute(query).all())
    return {state: counts[state] for state in MailState if state in counts}


def waiting_count() -> int:
    """How many letters wait, about whatever."""
    return db.session.scalar(select(func.count(Mail.id)).where(Mail.state.in_(WAITING))) or 0


def counts() -> dict[str, int]:
    """All letters by state."""
    query = select(Mail.state, func.count(Mail.id)).group_by(Mail.state)
    found = dict(db.session.execute(query).all())
    return {state.value: found.get(state, 0) for state in MailState}


def longest_wait(at: datetime) -> timedelta:
    """How long the letter waits that should have been tried first; nothing when none is due."""
    waiting = Mail.state.in_((MailState.QUEUED, MailState.DEFERRED))
    due = db.session.scalar(select(func.min(Mail.due_at)).where(waiting, Mail.due_at <= at))
    return timedelta() if due is None else at - due


def current_hold() -> Hold | None:
    """The hold because of which nothing leaves, or None."""
    query = select(Hold).where(Hold.released_at.is_(None)).order_by(Hold.id.desc()).limit(1)
    return db.session.scalar(query)


def delivery() -> str:
    """Where letters go: "server", "demo" (to the pages of the outbox) or "nowhere"; while nothing leaves "held" or "paused"."""
    hold = current_hold()
    if hold is not None:
        return "held" if hold.reason is HoldReason.RESTORE else "paused"
    if current_app.config["DEMO"]:
        return "demo"
    return "server" if current_app.config["MAIL_SERVER"] else "nowhere"


def why_waiting() -> str:
    """Why a letter that was just written does not leave; "" where it does."""
    words = {
        "held": _("The message waits, because sending is held."),
        "paused": _("The message waits, because sending is held."),
        "nowhere": _("The message waits, because no mail server is set."),
    }
    return words.get(delivery(), "")


LATE = timedelta(hours=1)


def late_about(slug: str, at: datetime) -> list[Mail]:
    """Letters about a conference that should have left an hour ago, the oldest first."""
    query = _light().where(Mail.about == slug, Mail.state.in_(WAITING), Mail.created_at <= at - LATE)
    return list(db.session.scalars(query.order_by(None).order_by(Mail.created_at, Mail.id).limit(PAGE)))


def last_error() -> str:
    """Why the letter that was tried last did not go out; empty when there is none."""
    failed = Mail.state.in_((MailState.DEFERRED, MailState.FAILED))
    return (
        db.session.scalar(
            select(Mail.error).where(failed).order_by(Mail.due_at.desc(), Mail.id.desc()).limit(1)
        )
        or ""
    )


def all_mails(*, to: str = "", page: int = 1) -> list[Mail]:
    """One page of all letters, or of those to one address, newest first: the mailbox of the demo."""
    query = _light() if not to else _light().where(Mail.recipient_address == to)
    return list(db.session.scalars(query.limit(PAGE).offset((page - 1) * PAGE)))


def all_count(*, to: str = "") -> int:
    """How many letters there are, or how many to one address."""
    query = select(func.count(Mail.id))
    return db.session.scalar(query if not to else query.where(Mail.recipient_address == to)) or 0


def mail_by_id(mail_id: int) -> Mail | None:
    """Any letter, with its enclosure; for the demo's mailbox."""
    return db.session.scalar(select(Mail).options(joinedload(Mail.enclosure)).where(Mail.id == mail_id))


def progress(batch: str) -> Progress:
    """How far a mailing has come."""
    query = select(Mail.state, func.count(Mail.id)).where(Mail.batch == batch).group_by(Mail.state)
    return _progress(dict(db.session.execute(query).all()))


def _progress(counts: dict[MailState, int]) -> Progress:
    waiting = sum(counts.get(state, 0) for state in WAITING)
    sent = counts.get(MailState.SENT, 0)
    failed = counts.get(MailState.FAILED, 0) + counts.get(MailState.BOUNCED, 0)
    resting = counts.get(MailState.CANCELLED, 0)
    stopped = resting + counts.get(MailState.WITHDRAWN, 0)
    return Progress(waiting, sent, failed, waiting + sent + failed, stopped, resting > 0)


def batch_about(slug: str, batch: str) -> str | None:
    """The name of a mailing, when it is one of this conference."""
    return db.session.scalar(select(Mail.batch).where(Mail.about == slug, Mail.batch == batch).limit(1))


def batches_about(slug: str) -> list[Batch]:
    """The mailings of a conference that are under way or stopped, and always the newest one; newest first."""
    query = (
        select(
            Mail.batch,
            Mail.state,
            func.min(Mail.kind),
            func.min(Mail.created_at),
            func.min(Mail.due_at),
            func.count(Mail.id),
        )
        .where(Mail.about == slug, Mail.batch.is_not(None))
        .group_by(Mail.batch, Mail.state)
    )
    counts: dict[str, dict[MailState, int]] = defaultdict(dict)
    begun: dict[str, tuple[datetime, str]] = {}
    leaving: dict[str, datetime] = {}
    for batch, state, kind, queued_at, due_at, number in db.session.execute(query):
        name = str(batch)
        counts[name][state] = number
        leaving[name] = min(leaving.get(name, due_at), due_at)
        begun[name] = min(begun.get(name, (queued_at, kind)), (queued_at, kind))
    batches = [
        Batch(name, begun[name][1], begun[name][0], _progress(counts[name]), leaving[name]) for name in counts
    ]
    batches.sort(key=lambda batch: (batch.queued_at, batch.name), reverse=True)
    return [
        batch
        for number, batch in enumerate(batches)
        if number == 0 or batch.progress.is_running or batch.progress.can_resume
    ]


def problems_about(slug: str) -> dict[str, Mail]:
    """Addresses whose newest letter about a conference failed or is put off, with that letter."""
    stopped = (MailState.CANCELLED, MailState.WITHDRAWN)
    query = _light().where(Mail.about == slug, Mail.state.not_in(stopped), Mail.kind != "test")
    newest: dict[str, Mail] = {}
    for mail in db.session.scalars(query):
        newest.setdefault(mail.recipient_address, mail)
    bad = (MailState.FAILED, MailState.DEFERRED, MailState.BOUNCED)
    return {address: mail for address, mail in newest.items() if mail.state in bad}


def was_written_to(address: str) -> bool:
    """Whether a letter has reached this address."""
    query = select(Mail.id).where(Mail.recipient_address == address, Mail.state == MailState.SENT)
    return db.session.scalars(query.limit(1)).first() is not None
