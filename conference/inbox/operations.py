"""Reading the mailbox: each mail once. What was understood is committed first, then the mail gets its mark."""

import hashlib
from collections.abc import Callable
from datetime import datetime

from flask import current_app
from flask_babel import force_locale
from sqlalchemy import select

from ..core.mail_reading import LARGEST, Bounce, CalendarReply, Incoming, read_mail
from ..core.text import BadText, clean_text, comparison_key
from ..invitations.models import Invitation
from ..kit import outage, unit
from ..kit.db import db, one_locked
from ..kit.errors import Refused
from ..kit.mail import Found, ImapFailed, ImapSettings, Letterbox
from ..outbox.models import Mail, MailState
from ..outbox.operations import mark_bounced
from ..registrations import operations as registrations
from . import queries
from .models import InboundMail, Outcome

STOPPED = (MailState.CANCELLED, MailState.WITHDRAWN)
LONGEST_REASON = 500
ENOUGH = 2
"""So many mails that met an outage end the round: one may be about a row that is locked, two say that more is away."""


def is_configured() -> bool:
    """Whether there is a mailbox that we read."""
    return bool(current_app.config["IMAP_SERVER"])


def look(now: Callable[[], datetime]) -> int:
    """Read what is new in the mailbox; returns how many mails. Own transactions; safe to be killed and to run twice.

    Of several workers one reads. A mail that met an outage keeps its place, and is read again the next time; the outage is
    raised at the end.
    """
    if not is_configured():
        return 0
    with unit.alone("inbox") as is_alone:
        return _look(now) if is_alone else 0


def _look(now: Callable[[], datetime]) -> int:
    number, troubles = 0, list[Exception]()
    try:
        with Letterbox(_settings(), LARGEST) as box:
            for found in box.new():
                try:
                    number += _read_once(found, now())
                except Exception as error:  # noqa: BLE001 - only outages come this far, and they are raised below
                    troubles.append(error)
                    if len(troubles) == ENOUGH:
                        break
                else:
                    box.mark(found)
    except ImapFailed as error:
        current_app.logger.warning("the mailbox cannot be read: %s", error)
    if troubles:
        raise troubles[0]
    return number


def _settings() -> ImapSettings:
    config = current_app.config
    return ImapSettings(
        host=config["IMAP_SERVER"],
        port=config["IMAP_PORT"],
        security=config["IMAP_SECURITY"],
        username=config["IMAP_USERNAME"],
        password=config["IMAP_PASSWORD"],
        folder=config["IMAP_FOLDER"],
        done_folder=config["IMAP_DONE_FOLDER"],
    )


def _read_once(found: Found, at: datetime) -> bool:
    content = found.content
    digest = hashlib.sha256(found.name.encode() if content is None else content).hexdigest()
    incoming = Incoming("unreadable") if content is None else read_mail(content)
    try:
        with unit.writing():
            return take(incoming, digest, at=at) is not None
    except Exception as error:  # one mail that cannot be taken must not keep all others waiting
        if outage.judged(error) is not None:
            raise  # the mail is not to blame: what it says would be lost
        current_app.logger.exception("a mail could not be taken")
        with unit.writing():
            return _note(digest, Outcome.UNREADABLE, at) is not None


def take(incoming: Incoming, digest: str, *, at: datetime) -> InboundMail | None:
    """Do what a mail says, once: None when it was taken before."""
    if queries.is_known(digest):
        return None
    if incoming.kind == "bounce":
        return _take_bounces(incoming.bounces, digest, at)
    if incoming.reply is not None:
        return _take_reply(incoming.reply, digest, at)
    return _note(digest, Outcome(incoming.kind), at)


def _note(
    digest: str,
    outcome: Outcome,
    at: datetime,
    *,
    mail: Mail | None = None,
    invitation: Invitation | None = None,
) -> InboundMail | None:
    if queries.is_known(digest):
        return None
    about = mail.about if mail else invitation.conference.slug if invitation else None
    row = InboundMail(
        digest=digest,
        read_at=at,
        outcome=outcome,
        about=about,
        mail_id=mail.id if mail else None,
        invitation_id=invitation.id if invitation else None,
    )
    db.session.add(row)
    db.session.flush()
    return row


def _take_bounces(bounces: tuple[Bounce, ...], digest: str, at: datetime) -> InboundMail | None:
    letters = [letter for bounce in bounces if (letter := _came_back(bounce, at)) is not None]
    if not letters:
        return _note(digest, Outcome.AUTOMATIC, at)
    return _note(digest, Outcome.BOUNCED, at, mail=letters[0])


def _came_back(bounce: Bounce, at: datetime) -> Mail | None:
    """Mark the letter and, when it does not exist, its address. Only who had the letter knows its Message-ID."""
    mail = one_locked(select(Mail).where(Mail.message_id == bounce.message_id))
    if mail is None or mail.state in STOPPED:
        return None
    if comparison_key(mail.recipient_address) != comparison_key(bounce.recipient):
        return None
    mark_bounced(mail, bounce.answer, at=at)
    return mail


def _take_reply(reply: CalendarReply, digest: str, at: datetime) -> InboundMail | None:
    invitation = db.session.scalar(select(Invitation).where(Invitation.calendar_uid == reply.uid))
    if invitation is None or not _is_from_the_guest(reply, invitation):
        return _note(digest, Outcome.FOREIGN, at)
    return _note(digest, _answered(reply, invitation, at), at, invitation=invitation)


def _is_from_the_guest(reply: CalendarReply, invitation: Invitation) -> bool:
    """A forwarded invitation is answered by somebody else: that is no answer of the person who was invited."""
    key = comparison_key(invitation.contact.email or "")
    return bool(key) and comparison_key(reply.attendee) == key == comparison_key(reply.sender)


def _answered(reply: CalendarReply, invitation: Invitation, at: datetime) -> Outcome:
    if reply.sequence != invitation.calendar_sequence or _is_older(reply, invitation):
        return Outcome.OUTDATED
    with force_locale(invitation.conference.language):
        try:
            with db.session.begin_nested():
                return _done(reply, invitation, at)
        except Refused:
            return Outcome.REFUSED


def _done(reply: CalendarReply, invitation: Invitation, at: datetime) -> Outcome:
    if reply.partstat == "ACCEPTED":
        registrations.accept_as_known(invitation, at=at)
        return Outcome.ACCEPTED
    if reply.partstat == "DECLINED":
        registrations.decline(invitation, _reason(reply.comment), at=at)
        return Outcome.DECLINED
    return Outcome.TENTATIVE if reply.partstat == "TENTATIVE" else Outcome.FOREIGN


def _is_older(reply: CalendarReply, invitation: Invitation) -> bool:
    """An answer by the personal link that was given later counts."""
    given = invitation.replied_at
    return given is not None and (reply.stamp is None or reply.stamp < given.replace(microsecond=0))


def _reason(comment: str) -> str:
    try:
        return clean_text(comment[:LONGEST_REASON], multiline=True, max_length=LONGEST_REASON)
    except BadText:
        return ""
