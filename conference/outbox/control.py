"""What organisers do with letters that wait: stop a mailing, let it go after all, try again, send one to themselves."""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from flask import Flask, current_app
from flask_babel import force_locale
from flask_babel import gettext as _
from sqlalchemy import delete, or_, select, update

from ..accounts.models import Account
from ..kit import unit
from ..kit.db import db
from ..kit.errors import Refused
from .models import Enclosure, Mail, MailState
from .operations import NewMail, queue, retry

WAITS = (MailState.QUEUED, MailState.DEFERRED)
AT_ONCE = 200

TakeBack = Callable[[Iterable[Mail], datetime], None]


def when_taken_back(app: Flask, kind: str, take_back: TakeBack) -> None:
    """Tell the outbox who makes undone what belonged to letters of this kind, so that they can be sent anew."""
    app.extensions.setdefault("mail_taken_back", {})[kind] = take_back


def stop_mailing(slug: str, batch: str, *, at: datetime) -> int:
    """Stop those letters of a mailing that have not left; returns how many.

    Where a room can make them undone they are taken back and can be written anew, else they wait for `resume_mailing`.
    Raises Refused when all have left.
    """
    mails = _of(slug, batch, WAITS)
    if not mails:
        raise Refused(_("All letters of this mailing have left already."))
    by_kind: dict[str, list[Mail]] = {}
    for mail in mails:
        by_kind.setdefault(mail.kind, []).append(mail)
    for kind, letters in by_kind.items():
        _stop(kind, letters, at)
    return len(mails)


def stop_letters_to(address: str, *, at: datetime) -> int:
    """Stop for good what a conference still has to say to an address; returns how many letters.

    What the person has asked for (an answer about their data, a new link) still goes out, and so do letters of the house to
    an account.
    """
    query = select(Mail).where(
        Mail.recipient_address == address,
        Mail.about.is_not(None),
        Mail.state.in_((*WAITS, MailState.FAILED, MailState.CANCELLED)),
        Mail.kind.not_like("privacy%"),
        Mail.kind != "new_link",
    )
    locked = query.order_by(Mail.id).with_for_update(of=Mail).execution_options(populate_existing=True)
    mails = list(db.session.scalars(locked))
    undo: dict[str, TakeBack] = current_app.extensions.get("mail_taken_back", {})
    for mail in mails:
        was_waiting = mail.state in WAITS
        mail.state, mail.lease_until = MailState.WITHDRAWN, None
        if was_waiting and mail.kind in undo:
            undo[mail.kind]([mail], at)
    return len(mails)


def _stop(kind: str, letters: list[Mail], at: datetime) -> None:
    undo: TakeBack | None = current_app.extensions.get("mail_taken_back", {}).get(kind)
    for mail in letters:
        mail.state = MailState.CANCELLED if undo is None else MailState.WITHDRAWN
        mail.lease_until = None
    if undo is not None:
        undo(letters, at)


def resume_mailing(slug: str, batch: str, *, at: datetime) -> int:
    """Send what was stopped of a mailing, and try again what failed; returns how many."""
    return _retry(_of(slug, batch, (MailState.CANCELLED, MailState.FAILED, MailState.DEFERRED)), at)


def retry_all(slug: str, *, at: datetime) -> int:
    """Try every letter about a conference again that failed or is put off; returns how many."""
    return _retry(_of(slug, None, (MailState.FAILED, MailState.DEFERRED)), at)


def _retry(mails: list[Mail], at: datetime) -> int:
    tried = [mail for mail in mails if mail.forgotten_at is None]
    for mail in tried:
        retry(mail, at=at)
    return len(tried)


def _of(slug: str, batch: str | None, states: Iterable[MailState]) -> list[Mail]:
    """Letters in these states, locked; a worker that takes some of them meanwhile goes first."""
    query = select(Mail).where(Mail.about == slug, Mail.state.in_(tuple(states))).order_by(Mail.id)
    if batch is not None:
        query = query.where(Mail.batch == batch)
    return list(db.session.scalars(query.with_for_update(of=Mail).execution_options(populate_existing=True)))


def send_test(account: Account, about: str | None, language: str, *, at: datetime) -> Mail:
    """A letter to oneself that proves the way: our settings, the mail server, the own mailbox."""
    with force_locale(language):
        subject = _("Test letter of Folgetermin")
        text = _(
            "Good day %(name)s,\n\nthis is the test letter that you asked for. It came the same way as invitations do: "
            "if you can read it, the way is open.\n\nPlease look whether it was in your inbox or with the unwanted mail, "
            "and from whom it seems to come.",
            name=account.name,
        )
    new = NewMail(
        purpose=f"test:{account.id}:{at.isoformat()}",
        kind="test",
        about=about,
        language=language,
        recipient=(account.name, account.email),
        subject=subject,
        text=text + "\n",
    )
    return queue(new, at=at)


def forget_texts(*, at: datetime) -> int:
    """Delete the words of letters some days after they were delivered or given up (MAIL_TEXT_DAYS); returns how many.

    What it was, to whom, about what and when it left stays. Own transactions; safe to repeat.
    """
    if current_app.config["DEMO"]:
        return 0
    before = at - timedelta(days=_days_kept())
    number = 0
    while ids := _old(before):
        with unit.writing():
            values: dict[str, object] = {
                "text": "",
                "button_label": None,
                "button_url": None,
                "unsubscribe_url": None,
            }
            values |= {"calendar": None, "calendar_method": None, "enclosure_id": None, "forgotten_at": at}
            db.session.execute(
                update(Mail).where(Mail.id.in_(ids), Mail.forgotten_at.is_(None)).values(values)
            )
        number += len(ids)
    if number:
        with unit.writing():
            used = select(Mail.enclosure_id).where(Mail.enclosure_id.is_not(None))
            db.session.execute(delete(Enclosure).where(Enclosure.id.not_in(used)))
    return number


def _days_kept() -> int:
    """How long words are kept; privacy, downstream, knows what administrators have said."""
    known = current_app.extensions.get("letters_kept")
    return int(known() if known else current_app.config["MAIL_TEXT_DAYS"])


def _old(before: datetime) -> list[int]:
    is_out = Mail.state.in_((MailState.SENT, MailState.BOUNCED)) & (Mail.sent_at < before)
    is_over = Mail.state.in_((MailState.FAILED, MailState.CANCELLED, MailState.WITHDRAWN)) & (
        Mail.due_at < before
    )
    query = select(Mail.id).where(Mail.forgotten_at.is_(None), or_(is_out, is_over)).limit(AT_ONCE)
    with unit.reading():
        return list(db.session.scalars(query))
