"""Queueing letters inside the transaction, sending them after it.

A letter is sent at least once, and once as a rule: `drain` takes rows on a lease, commits, sends with no transaction
open, and notes each result by itself. A worker that dies loses its lease; the next one sends the same Message-ID again.
"""

import hashlib
import re
import secrets
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol
from urllib.parse import urlsplit

from flask import current_app, render_template
from flask_babel import force_locale
from flask_babel import gettext as _
from sqlalchemy import and_, delete, false, func, insert, or_, select, text, update
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import joinedload

from ..accounts.models import Account
from ..core.mail_answers import is_dead
from ..core.text import comparison_key
from ..kit import clock, jobs, links, unit
from ..kit.db import db, found, one_locked
from ..kit.errors import Refused
from ..kit.mail import (
    Letter,
    Mailbox,
    Postman,
    SendFailed,
    SmtpSettings,
    UnsafeMessage,
    build_message,
    html_from_text,
)
from . import queries
from .models import DeadAddress, Enclosure, Hold, HoldReason, Mail, MailState

MINUTE = timedelta(minutes=1)
LEASE = 2 * MINUTE
# A letter is begun only while this much of the lease is left: one send waits 30 seconds for an answer.
MARGIN = MINUTE
AT_ONCE = 20
LONGEST_WAIT = timedelta(hours=4)
# With waits of 1, 2, 4 … minutes and then 4 hours, so many attempts take three days.
ATTEMPTS = 25
# A letter at which workers have died so often is taken alone, so that it harms no other.
SUSPECT = 2
THROTTLE = 20161007
"""Our number of PostgreSQL's advisory lock for MAIL_PER_MINUTE."""
# These have left the house.
OUT = (MailState.SENT, MailState.BOUNCED)


@dataclass(frozen=True)
class NewMail:
    """A letter to one person, as rooms hand it in.

    `purpose` is its unique key, `about` the slug of the conference, `batch` the mailing. `recipient` and `reply_to` are
    (name, address), `button` is (label, url). Personal links are marks (kit.links). The text is the source of the HTML.
    `unsubscribe_url` takes a POST that ends letters of this kind (RFC 8058). A mailing waits a while before it leaves.
    """

    purpose: str
    kind: str
    about: str | None
    language: str
    recipient: tuple[str, str]
    subject: str
    text: str
    batch: str | None = None
    button: tuple[str, str] | None = None
    reply_to: tuple[str, str] | None = None
    calendar: bytes | None = None
    calendar_method: str | None = None
    in_reply_to: str | None = None
    enclosure: Enclosure | None = None
    unsubscribe_url: str | None = None


def worded(template: str, language: str, **context: object) -> tuple[str, str]:
    """Subject (one line) and text of a letter, from `mail/TEMPLATE_subject.txt` and `mail/TEMPLATE.txt`, in this language."""
    with force_locale(language):
        subject = render_template(f"mail/{template}_subject.txt", **context)
        text = render_template(f"mail/{template}.txt", **context)
    return " ".join(subject.split()), text.strip() + "\n"


@dataclass(frozen=True)
class Drained:
    """What became of the letters that were tried."""

    sent: int = 0
    deferred: int = 0
    failed: int = 0


class Carrier(Protocol):
    """Whoever takes letters away: the mail server, or the demo's mailbox."""

    def send(self, letter: Letter) -> None:
        """Take the letter. Raises SendFailed."""


@dataclass(frozen=True)
class _Taken:
    """A letter on its lease; `problem` instead of a letter when it cannot be built."""

    mail_id: int
    lease: datetime
    letter: Letter | None
    problem: str = ""


class _DemoMailbox:
    """In demo mode nothing leaves the machine: a letter that could be sent counts as sent."""

    def send(self, letter: Letter) -> None:
        try:
            build_message(letter)
        except UnsafeMessage as error:
            raise SendFailed(True, 0, f"not sent: unsafe {error}") from error


# -- queueing ---------------------------------------------------------


def queue(new: NewMail, *, at: datetime) -> Mail:
    """Put a letter into the outbox, once for its purpose; after the commit the worker is woken.

    The address of the button is spelled out in the text if the text lacks it: many people read only that.
    """
    mail = _by_purpose(new.purpose)
    if mail is not None:
        return mail
    mail = _row(new, at)
    db.session.flush()  # an error of other rows must not look like a second letter below
    try:
        with db.session.begin_nested():
            db.session.add(mail)
    except IntegrityError:
        return found(_by_purpose(new.purpose))
    _wake((mail.due_at - at).total_seconds())
    return mail


def _wake(seconds: float = 0) -> None:
    app = current_app._get_current_object()  # type: ignore[attr-defined]
    # What leaves at once and what waits are two calls.
    unit.after_commit(f"mail {seconds:.0f}", lambda: jobs.wake(app, "mail", seconds))


def hold_time() -> timedelta:
    """How long a mailing waits before it leaves, so that it can be stopped (MAIL_HOLD_SECONDS)."""
    return timedelta(seconds=int(current_app.config["MAIL_HOLD_SECONDS"]))


def _by_purpose(purpose: str) -> Mail | None:
    return db.session.scalar(select(Mail).where(Mail.purpose == purpose))


def _row(new: NewMail, at: datetime) -> Mail:
    reply_to = new.reply_to or (None, None)
    button = new.button or (None, None)
    return Mail(
        purpose=new.purpose,
        kind=new.kind,
        about=new.about,
        batch=new.batch,
        language=new.language,
        recipient_name=new.recipient[0],
        recipient_address=new.recipient[1],
        reply_to_name=reply_to[0],
        reply_to_address=reply_to[1],
        subject=new.subject,
        text=_spelled_out(new),
        button_label=button[0],
        button_url=button[1],
        message_id=f"<{secrets.token_hex(16)}@{mail_host()}>",
        in_reply_to=new.in_reply_to,
        calendar=new.calendar,
        calendar_method=new.calendar_method,
        enclosure=new.enclosure,
        unsubscribe_url=new.unsubscribe_url,
        created_at=at,
        due_at=at + hold_time() if new.batch else at,
    )


def _spelled_out(new: NewMail) -> str:
    if new.button is None or new.button[1] in new.text:
        return new.text
    label, url = new.button
    return f"{new.text.rstrip()}\n\n{label}:\n{url}\n"


def mail_host() -> str:
    """The host of BASE_URL, for identifiers that leave the house."""
    host = urlsplit(str(current_app.config["BASE_URL"])).hostname or ""
    return host if re.fullmatch(r"[A-Za-z0-9.-]{1,200}", host) else "localhost"


def enclose(name: str, media_type: str, content: bytes) -> Enclosure:
    """A file for letters; the same content is kept once."""
    digest = hashlib.sha256(content).hexdigest()
    query = select(Enclosure).where(Enclosure.sha256 == digest)
    enclosure = db.session.scalar(query)
    if enclosure is not None:
        return enclosure
    enclosure = Enclosure(sha256=digest, name=name, media_type=media_type, content=content)
    db.session.flush()  # an error of other rows must not look like the same file below
    try:
        with db.session.begin_nested():
            db.session.add(enclosure)
    except IntegrityError:
        return found(db.session.scalar(query))
    return enclosure


def cancel(mail: Mail, *, at: datetime) -> None:
    """Stop a letter that has not gone out. A second time changes nothing. Raises Refused when it is out or on its way."""
    mail = locked(mail)
    if mail.state in OUT or _is_on_its_way(mail, at):
        raise Refused(_("This letter is already on its way and cannot be stopped."))
    if mail.state is MailState.WITHDRAWN:
        return
    mail.state, mail.lease_until = MailState.CANCELLED, None


def retry(mail: Mail, *, at: datetime) -> None:
    """Try a failed, cancelled or put off letter again, now. One that waits anyway is left alone.

    Whoever asks says that the address is good. Raises Refused for a letter that was sent, taken back, or whose words are gone.
    """
    mail = locked(mail)
    if mail.state in OUT:
        raise Refused(_("This letter has been sent; it is not sent a second time."))
    if mail.state is MailState.WITHDRAWN:
        raise Refused(_("This letter was taken back. Please send a new one."))
    if mail.forgotten_at is not None:
        raise Refused(_("The words of this letter have been deleted. Please send a new one."))
    if mail.state is MailState.QUEUED or mail.state is MailState.SENDING:
        return
    mail.state, mail.due_at, mail.attempts, mail.error = MailState.QUEUED, at, 0, None
    revive(mail.recipient_address)
    _wake()


def mark_bounced(mail: Mail, answer: str, *, at: datetime) -> None:
    """A server says that the letter did not reach its mailbox; where there is no such mailbox nothing more goes there."""
    mail.state, mail.error, mail.lease_until = MailState.BOUNCED, answer or "5.0.0", None
    mail.sent_at = mail.sent_at or at
    _forget_links(mail)
    if is_dead(mail.error):
        bury(mail, mail.error, at=at)


def bury(mail: Mail, reason: str, *, at: datetime) -> None:
    """Send nothing more to the address of this letter, until somebody tries again or the address is corrected."""
    key = comparison_key(mail.recipient_address)
    if db.session.scalar(select(DeadAddress.id).where(DeadAddress.address_key == key)) is None:
        db.session.add(DeadAddress(address_key=key, since=at, reason=reason, mail_id=mail.id))


def revive(address: str) -> bool:
    """Let letters go to this address again; says whether it was known as dead."""
    dead = delete(DeadAddress).where(DeadAddress.address_key == comparison_key(address))
    done = db.session.execute(dead)
    return int(done.rowcount) > 0  # type: ignore[attr-defined]


def locked(mail: Mail) -> Mail:
    """The letter as it is now; nobody changes it meanwhile."""
    return found(one_locked(select(Mail).where(Mail.id == mail.id)))


def _is_on_its_way(mail: Mail, at: datetime) -> bool:
    return mail.state is MailState.SENDING and mail.lease_until is not None and mail.lease_until > at


# -- holding ----------------------------------------------------------


def hold(*, at: datetime) -> None:
    """Let nothing leave until somebody confirms."""
    if queries.current_hold() is None:
        db.session.add(Hold(since=at))
        db.session.flush()


def release(account: Account | None, *, at: datetime) -> bool:
    """Let letters leave again; says whether they were held. `account` confirms, None is the command line."""
    held = one_locked(select(Hold).where(Hold.released_at.is_(None)))
    if held is None:
        return False
    held.released_at, held.released_by_id = at, account.id if account else None
    _wake()
    return True


def pause(*, at: datetime) -> None:
    """Let nothing leave until an administrator says so; what waits keeps its place. A second time changes nothing."""
    if queries.current_hold() is None:
        db.session.add(Hold(since=at, reason=HoldReason.PAUSE))
        db.session.flush()


def hold_on(connection: Connection, *, at: datetime) -> None:
    """`hold` on a bare connection: after a restore no session is open."""
    table = Hold.__table__
    if connection.scalar(select(func.count(table.c.id)).where(table.c.released_at.is_(None))) == 0:
        connection.execute(insert(Hold).values(since=at))


def sent_by_message_id(connection: Connection) -> dict[str, datetime]:
    """When each letter has gone out."""
    rows = connection.execute(select(Mail.message_id, Mail.sent_at).where(Mail.state.in_(OUT)))
    return {message_id: sent_at for message_id, sent_at in rows if sent_at is not None}


def mark_sent(connection: Connection, sent: Mapping[str, datetime]) -> int:
    """Let a restored outbox know which of its letters have gone out since; returns how many it did not know of."""
    columns = (Mail.id, Mail.message_id, Mail.text, Mail.button_url)
    waiting = connection.execute(select(*columns).where(Mail.state.not_in(OUT))).all()
    news = [row for row in waiting if row.message_id in sent]
    for row in news:
        values = {
            "state": MailState.SENT,
            "sent_at": sent[row.message_id],
            "error": None,
            "lease_until": None,
        }
        values |= _without_links(row.text, row.button_url)
        connection.execute(update(Mail).where(Mail.id == row.id).values(values))
    return len(news)


def erase(connection: Connection, is_erased: Callable[[str], bool], at: datetime) -> int:
    """Blank the letters to erased addresses, which are asked for in their comparison form; what waited never leaves."""
    return erase_letters(connection, lambda letter: is_erased(letter.key), at) + forget_dead(
        connection, is_erased
    )


@dataclass(frozen=True)
class Envelope:
    """To whom a letter goes: the address in its comparison form, and the name. `purpose` says what it is about."""

    key: str
    name: str
    purpose: str

    @property
    def is_of_account(self) -> bool:
        """Whether it goes to somebody as a member of staff, whatever else they are."""
        return self.purpose.startswith(("account:", "test:"))


def envelopes(connection: Connection) -> Iterator[tuple[int, MailState, Envelope]]:
    """Number, state and recipient of each letter that still says to whom it goes."""
    columns = (Mail.id, Mail.state, Mail.recipient_address, Mail.recipient_name, Mail.purpose)
    for mail_id, state, address, name, purpose in connection.execute(
        select(*columns).where(Mail.recipient_address != "").order_by(Mail.id)
    ).all():
        yield mail_id, state, Envelope(comparison_key(address), name, purpose)


def erase_letters(connection: Connection, is_theirs: Callable[[Envelope], bool], at: datetime) -> int:
    """Blank the letters to somebody; what waited never leaves. Returns how many."""
    found = 0
    for mail_id, state, envelope in envelopes(connection):
        if not is_theirs(envelope):
            continue
        blank: dict[str, object] = {
            "recipient_name": "",
            "recipient_address": "",
            "subject": "",
            "text": "",
            "calendar": None,
        }
        blank |= {
            "button_label": None,
            "button_url": None,
            "unsubscribe_url": None,
            "error": None,
            "lease_until": None,
            "forgotten_at": at,
        }
        after = state if state in OUT else MailState.CANCELLED
        connection.execute(update(Mail).where(Mail.id == mail_id).values(**blank, state=after))
        found += 1
    return found


def forget_dead(connection: Connection, is_erased: Callable[[str], bool]) -> int:
    """Forget of erased addresses that they do not exist. Returns how many."""
    found = 0
    for row_id, key in connection.execute(select(DeadAddress.id, DeadAddress.address_key)).all():
        if is_erased(key):
            connection.execute(delete(DeadAddress).where(DeadAddress.id == row_id))
            found += 1
    return found


# -- sending ----------------------------------------------------------


def sender() -> Mailbox:
    """From whom all letters come; the organiser of the calendar entries too."""
    return Mailbox(str(current_app.config["MAIL_SENDER_NAME"]), str(current_app.config["MAIL_SENDER"]))


def per_minute() -> int | None:
    """How many letters may go in a minute (MAIL_PER_MINUTE), of all workers together; None is any number."""
    with unit.reading():
        return int(current_app.config["MAIL_PER_MINUTE"]) if queries.delivery() == "server" else None


def drain(now: Callable[[], datetime], limit: int | None = None) -> Drained:
    """Send what is due, at most `limit` letters in a minute and in this run. Safe to run twice at once, and to be killed.

    Opens its own short transactions: never call it inside one. Without a mail server, outside demo mode, letters wait;
    while they are held, too.
    """
    counts: Counter[MailState] = Counter()
    with unit.reading():
        delivery = queries.delivery()
    if delivery in {"demo", "server"}:
        with _carrier(delivery) as carrier:
            while taken := _claim(now(), limit, counts.total()):
                if not _send_all(carrier, taken, now, counts):
                    break
    return Drained(counts[MailState.SENT], counts[MailState.DEFERRED], counts[MailState.FAILED])


def deliver_demo_mail(at: datetime) -> None:
    """Hand over, in the demo's story, each letter at the time it was written. Own transaction, like `drain`."""
    with unit.writing():
        waiting = Mail.state.in_((MailState.QUEUED, MailState.DEFERRED))
        values = {"state": MailState.SENT, "sent_at": Mail.created_at, "error": None, "attempts": 1}
        db.session.execute(update(Mail).where(waiting, Mail.due_at <= at).values(values))


def _carrier(delivery: str) -> AbstractContextManager[Carrier]:
    config = current_app.config
    if delivery == "demo":
        return nullcontext(_DemoMailbox())
    settings = SmtpSettings(
        host=config["MAIL_SERVER"],
        port=config["MAIL_PORT"],
        security=config["MAIL_SECURITY"],
        username=config["MAIL_USERNAME"],
        password=config["MAIL_PASSWORD"],
        timeout=config["MAIL_TIMEOUT"],
    )
    return Postman(settings)


def _room(at: datetime, limit: int | None, tried: int) -> int:
    """How many letters may be taken now. Others who take some wait until ours are taken, and count them."""
    if limit is None:
        return AT_ONCE
    if db.engine.dialect.name == "postgresql":  # SQLite's writers are alone anyway
        db.session.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": THROTTLE})
    is_out = Mail.sent_at > at - MINUTE
    is_going = and_(Mail.state == MailState.SENDING, Mail.lease_until > at)
    recent = db.session.scalar(select(func.count(Mail.id)).where(or_(is_out, is_going))) or 0
    return max(0, min(AT_ONCE, limit - recent, limit - tried))


def _claim(at: datetime, limit: int | None = None, tried: int = 0) -> list[_Taken]:
    """Take due letters on a lease, commit, and build them: after this nothing of the database is needed."""
    is_due = and_(Mail.state.in_((MailState.QUEUED, MailState.DEFERRED)), Mail.due_at <= at)
    was_lost = and_(Mail.state == MailState.SENDING, Mail.lease_until <= at)
    if not clock.is_settled(LEASE.total_seconds()):
        # The clock was set forward: whoever has a letter on a lease may be sending it just now.
        was_lost = and_(was_lost, false())
    query = (
        select(Mail)
        .options(joinedload(Mail.enclosure))
        .where(or_(is_due, was_lost))
        .order_by(Mail.due_at, Mail.id)
        .with_for_update(skip_locked=True, of=Mail)
    )
    with unit.writing():
        room = _room(at, limit, tried)
        mails = _together(list(db.session.scalars(query.limit(room)))) if room else []
        dead = _dead([mail.recipient_address for mail in mails])
        for mail in mails:
            mail.state, mail.lease_until, mail.attempts = MailState.SENDING, at + LEASE, mail.attempts + 1
    return [_built(mail, at, dead.get(comparison_key(mail.recipient_address))) for mail in mails]


def _together(mails: list[Mail]) -> list[Mail]:
    """Those that may share a lease: a letter at which workers died is alone with it."""
    for place, mail in enumerate(mails):
        if mail.state is MailState.SENDING and mail.attempts >= SUSPECT:
            return mails[: place or 1]
    return mails


def _dead(addresses: list[str]) -> dict[str, str]:
    keys = [comparison_key(address) for address in addresses]
    rows = db.session.execute(
        select(DeadAddress.address_key, DeadAddress.reason).where(DeadAddress.address_key.in_(keys))
    )
    return dict(rows.all())


def _built(mail: Mail, at: datetime, dead: str | None) -> _Taken:
    if dead is not None:
        return _Taken(mail.id, at + LEASE, None, dead)
    if mail.attempts > ATTEMPTS:
        return _Taken(mail.id, at + LEASE, None, "given up: the sending stopped each time")
    try:
        return _Taken(mail.id, at + LEASE, letter_of(mail, at=at))
    except Exception as error:  # one letter that cannot be written must not stop all others
        current_app.logger.exception("letter %s cannot be written", mail.id)
        return _Taken(mail.id, at + LEASE, None, f"cannot be written: {type(error).__name__}")


def letter_of(mail: Mail, *, at: datetime) -> Letter:
    """The letter as it leaves, with its personal link in it. Asks nothing of the database."""
    text = links.reveal(mail.text)
    button = None
    if mail.button_label and mail.button_url:
        button = (mail.button_label, links.reveal(mail.button_url))
    enclosed = mail.enclosure
    letter = Letter(
        message_id=mail.message_id,
        sender=sender(),
        recipient=Mailbox(mail.recipient_name, mail.recipient_address),
        subject=mail.subject,
        text=text,
        html=html_from_text(text, subject=mail.subject, language=mail.language, button=button),
        language=mail.language,
        sent_at=at,
        in_reply_to=mail.in_reply_to or "",
        list_unsubscribe=links.reveal(mail.unsubscribe_url or ""),
        is_bulk=mail.batch is not None,
        calendar=mail.calendar,
        calendar_method="CANCEL" if mail.calendar_method == "CANCEL" else "REQUEST",
        attachments=[(enclosed.name, enclosed.media_type, enclosed.content)] if enclosed else [],
    )
    if mail.reply_to_address:
        letter = replace(letter, reply_to=Mailbox(mail.reply_to_name or "", mail.reply_to_address))
    return letter


def _send_all(
    carrier: Carrier, taken: list[_Taken], now: Callable[[], datetime], counts: Counter[MailState]
) -> bool:
    """Send one after the other. False when nothing more goes: letters are held, or the server itself is the trouble.

    Held letters wait as before; after trouble with the server they are put off, and told why.
    """
    for place, item in enumerate(taken):
        is_held = _is_held()
        if is_held or now() > item.lease - MARGIN:
            _give_back(taken[place:])
            return not is_held
        if not _is_ours(item):
            continue
        failure = _try(carrier, item)
        counts[_note(item, failure, now())] += 1
        if failure is not None and failure.concerns_server:
            for rest in taken[place + 1 :]:
                counts[_note(rest, SendFailed(False, failure.code, failure.reason), now())] += 1
            return False
    return True


def _is_held() -> bool:
    with unit.reading():
        return queries.current_hold() is not None


def _is_ours(item: _Taken) -> bool:
    """False when something happened to the letter since it was taken: the person was erased, or another worker has it."""
    lease = (Mail.id == item.mail_id, Mail.state == MailState.SENDING, Mail.lease_until == item.lease)
    with unit.reading():
        return db.session.scalar(select(Mail.id).where(*lease)) is not None


def _try(carrier: Carrier, item: _Taken) -> SendFailed | None:
    if item.letter is None:
        return SendFailed(True, 0, item.problem)
    try:
        carrier.send(item.letter)
    except SendFailed as failure:
        return failure
    except Exception as error:  # one letter that cannot be written must not stop all others
        current_app.logger.exception("letter %s cannot be written", item.mail_id)
        return SendFailed(True, 0, f"cannot be written: {type(error).__name__}")
    return None


def _give_back(items: list[_Taken]) -> None:
    with unit.writing():
        for item in items:
            mail = one_locked(select(Mail).where(Mail.id == item.mail_id, Mail.state == MailState.SENDING))
            if mail is not None and mail.lease_until == item.lease:
                mail.state, mail.lease_until, mail.attempts = MailState.QUEUED, None, mail.attempts - 1


def _note(item: _Taken, failure: SendFailed | None, at: datetime) -> MailState:
    """Write down what became of a letter, in a transaction of its own."""
    with unit.writing():
        mail = one_locked(select(Mail).where(Mail.id == item.mail_id))
        if mail is None:
            return MailState.CANCELLED
        if failure is None:
            mail.state, mail.sent_at, mail.error, mail.lease_until = MailState.SENT, at, None, None
            _forget_links(mail)
        elif mail.state is MailState.SENDING and mail.lease_until == item.lease:
            _put_off(mail, failure, at)
        state = mail.state
    if failure is not None:
        current_app.logger.warning("letter %s: %s, code %s", item.mail_id, state.value, failure.code)
    return state


def _forget_links(mail: Mail) -> None:
    """What was delivered opens no door from here any more. In the demo the outbox is the mailbox."""
    if current_app.config["DEMO"]:
        return
    for name, value in _without_links(mail.text, mail.button_url).items():
        setattr(mail, name, value)


def _without_links(text: str, button_url: str | None) -> dict[str, str | None]:
    return {
        "text": links.conceal(text),
        "button_url": button_url and links.conceal(button_url),
        "unsubscribe_url": None,
    }


def _put_off(mail: Mail, failure: SendFailed, at: datetime) -> None:
    gives_up = failure.permanent or mail.attempts >= ATTEMPTS
    mail.state = MailState.FAILED if gives_up else MailState.DEFERRED
    mail.error = f"{failure.code} {failure.reason}" if failure.code else failure.reason
    mail.lease_until = None
    mail.due_at = at + wait_after(mail.attempts)
    if failure.permanent and is_dead(mail.error):
        bury(mail, mail.error, at=at)


def wait_after(attempts: int) -> timedelta:
    """How long to wait after so many attempts: 1, 2, 4 … minutes, at most four hours."""
    return min(MINUTE * 2 ** min(attempts - 1, 12), LONGEST_WAIT)
