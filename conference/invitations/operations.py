"""Inviting, reminding, telling changes; personal links, calendar entries, the words of letters.

Whatever sends letters works under the lock of the conference's row and leaves out who has been written to: sent twice or
raced, everybody gets one.
"""

import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import cast

from flask import current_app
from flask_babel import force_locale
from flask_babel import gettext as _
from sqlalchemy import select

from ..conferences.models import Conference
from ..core import calendar, letters
from ..core.calendar import Attendee, Entry, Method, Partstat
from ..kit import links
from ..kit.addresses import absolute
from ..kit.dates import show_clock, show_day, show_time
from ..kit.db import db, found, one_locked
from ..kit.errors import Refused, check_version
from ..outbox.models import Mail
from ..outbox.operations import NewMail, mail_host, queue, sender, worded
from ..providers.models import Contact
from . import queries
from .models import EndedVisit, Invitation, Letter, LetterKind, LinkPurpose, PersonalLink, Reply
from .queries import LetterWords

LINK_LASTS = timedelta(days=365)
PAGES = {
    LinkPurpose.INVITATION: "registrations.answer_invitation",
    LinkPurpose.ACTION: "actions.report_by_link",
    LinkPurpose.CALENDAR: "groups.personal_feed",
    LinkPurpose.REMINDERS: "invitations.end_reminders",
}


def lock(conference: Conference) -> Conference:
    """The conference as it is now; whoever writes to its guest list waits here for the others."""
    return found(one_locked(select(Conference).where(Conference.id == conference.id)))


# -- the guest list ---------------------------------------------------


def invite(conference: Conference, contact: Contact, *, at: datetime) -> Invitation:
    """Put a person on the guest list; who is on it stays as they are. Nothing is sent yet."""
    conference = lock(conference)
    known = queries.invitation_for(conference, contact.id)
    return known or invite_all(conference, [contact], at=at)[contact.id]


def invite_all(conference: Conference, contacts: Iterable[Contact], *, at: datetime) -> dict[int, Invitation]:
    """Put people on the guest list who are not on it; gives the new invitations by the id of the person."""
    conference = lock(conference)
    known = queries.invited_ids(conference)
    made = {
        contact.id: Invitation(
            conference=conference,
            contact=contact,
            reply=Reply.OPEN,
            calendar_uid=f"{conference.slug}.{secrets.token_hex(16)}@{mail_host()}",
            calendar_sequence=0,
            created_at=at,
        )
        for contact in contacts
        if contact.id not in known
    }
    db.session.add_all(made.values())
    db.session.flush()  # letters and imports refer to the ids
    return made


def strike_off(invitation: Invitation) -> None:
    """Take a person off the list who was not invited yet. Raises Refused once a letter is out or an answer is in."""
    lock(invitation.conference)
    if invitation.sent_at is not None or invitation.reply is not Reply.OPEN:
        raise Refused(
            _("%(name)s has been invited already and stays on the list.", name=invitation.contact.name)
        )
    db.session.delete(invitation)


def note_reply(invitation: Invitation, reply: Reply, *, at: datetime, reason: str = "") -> None:
    """Write down what a person answered; the reason is that of a no."""
    invitation.reply, invitation.replied_at = reply, at
    invitation.decline_reason = reason if reply is Reply.DECLINED else ""
    invitation.version += 1


# -- personal links ---------------------------------------------------


def personal_link(
    conference: Conference, contact: Contact, purpose: LinkPurpose, *, at: datetime
) -> PersonalLink:
    """The person's valid link for the purpose, or a new one. It lasts until twelve months after the conference.

    A link that was made under an earlier secret key goes on opening, but its token cannot be written into a letter again.
    """
    expires_at = max(conference.ends_at, at) + LINK_LASTS
    valid = [
        link
        for link in queries.links_of(conference, contact.id, at, purpose)
        if links.is_ours(link.nonce, link.token_hash)
    ]
    if valid:
        valid[0].expires_at = max(valid[0].expires_at, conference.ends_at + LINK_LASTS)
        return valid[0]
    nonce = links.new_nonce()
    link = PersonalLink(
        conference=conference,
        contact=contact,
        purpose=purpose,
        nonce=nonce,
        token_hash=links.hash_of(links.token_of(nonce)),
        created_at=at,
        expires_at=expires_at,
    )
    db.session.add(link)
    db.session.flush()  # a second letter in the same transaction must find it
    return link


def renew_purpose(
    conference: Conference, contact: Contact, purpose: LinkPurpose, *, at: datetime
) -> PersonalLink:
    """Another link for this purpose alone; the old ones die at once."""
    conference = lock(conference)
    for link in queries.links_of(conference, contact.id, at, purpose):
        link.revoked_at = at
    db.session.flush()  # a new link must not find the old one
    return personal_link(conference, contact, purpose, at=at)


def link_url(link: PersonalLink) -> str:
    """The link's address with the mark that becomes the token when the letter leaves."""
    return address_of(link.purpose, links.mark_of(link.nonce))


def address_of(purpose: LinkPurpose, token: str) -> str:
    """The address of a personal page with this token, mark or placeholder as it stands, never percent-encoded."""
    stand_in = "0" * 43
    return absolute(PAGES[purpose], token=stand_in).replace(stand_in, token)


def revoke_links(invitation: Invitation, *, at: datetime) -> None:
    """Block all links of a person in this conference at once; browsers that came by them are out too."""
    for link in queries.links_of(invitation.conference, invitation.contact_id, at):
        link.revoked_at = at
    db.session.flush()  # a new link must not find the old one


def end_visit(link_id: int, visit: str) -> None:
    """Sign out one browser that came by a link; the person's other devices stay in. A second time changes nothing."""
    if one_locked(select(PersonalLink).where(PersonalLink.id == link_id)) is None:
        return
    left = links.hash_of(visit)
    known = select(EndedVisit.id).where(EndedVisit.link_id == link_id, EndedVisit.visit_hash == left)
    if db.session.scalar(known) is None:
        db.session.add(EndedVisit(link_id=link_id, visit_hash=left))
        db.session.flush()


def renew_link(invitation: Invitation, seen: int, *, at: datetime) -> PersonalLink:
    """Block the old links and mail a new one. `seen` is the id of the link that the person at the screen saw, 0 for none.

    Sent twice, the second time finds another link than it saw and changes nothing. Raises Refused without an address.
    """
    conference, contact = lock(invitation.conference), invitation.contact
    if not contact.email:
        raise Refused(_("%(name)s has no e-mail address.", name=contact.name))
    now = queries.links_of(conference, contact.id, at, LinkPurpose.INVITATION)
    if now and now[0].id != seen:
        return now[0]
    revoke_links(invitation, at=at)
    link = personal_link(conference, contact, LinkPurpose.INVITATION, at=at)
    _send_template("new_link", f"new-link:{link.id}", invitation, link, at)
    return link


# -- the words of letters ---------------------------------------------


def save_letter(
    conference: Conference, kind: LetterKind, subject: str, body: str, version: int | None, *, at: datetime
) -> Letter:
    """Keep the organiser's words.

    Raises Stale when somebody else changed them, Refused for words that would misfire (core.letters.problems_of).
    """
    conference = lock(conference)
    current = queries.words_of(conference, kind)
    check_version(
        version, current.version, mine=f"{subject}\n\n{body}", theirs=f"{current.subject}\n\n{current.body}"
    )
    problems = letters.problems_of(subject, body)
    if problems or not subject.strip():
        raise Refused(_("This letter cannot be sent as it stands: please look at its placeholders."))
    letter = queries.letter_of(conference, kind)
    if letter is None:
        letter = Letter(conference_id=conference.id, kind=kind, version=0)
        db.session.add(letter)
    letter.subject, letter.body, letter.updated_at = subject, body, at
    letter.version += 1
    return letter


def compose(invitation: Invitation, words: LetterWords, link: str) -> tuple[str, str]:
    """Subject and text for one person, in the language of the conference."""
    with force_locale(invitation.conference.language):
        values = _values(invitation, link)
    return " ".join(letters.fill(words.subject, values).split()), letters.fill(
        words.body, values
    ).strip() + "\n"


def _values(invitation: Invitation, link: str) -> dict[str, str]:
    conference, contact = invitation.conference, invitation.contact
    begin, end = (
        show_clock(conference.starts_at, conference.zone),
        show_time(conference.ends_at, conference.zone),
    )
    return {
        "greeting": contact.greeting(conference.language),
        "first_name": contact.first_name,
        "last_name": contact.last_name,
        "organisation": contact.provider.name,
        "series": conference.series.title,
        "conference": conference.title,
        "focus_question": conference.focus_question,
        "date": show_day(conference.starts_at, conference.zone),
        "time": f"{begin}–{end}",
        "place": conference.place,
        "answer_by": show_day(conference.answer_by),
        "organiser": conference.organiser_name,
        "organiser_email": conference.organiser_email,
        "organiser_phone": conference.organiser_phone,
        "link": link,
        "retention": queries.retention_words(conference.language),
    }


# -- mailings ---------------------------------------------------------


def send_invitations(conference: Conference, invitations: Iterable[Invitation], *, at: datetime) -> str:
    """Invite those of them who were not invited yet and have an address. Returns the name of the mailing.

    Raises Refused once the time to answer is over.
    """
    conference = lock(conference)
    _check_open(conference, at)
    words, batch = (
        queries.words_to_send(conference, LetterKind.INVITATION),
        _new_batch("invitation", conference),
    )
    for invitation in queries.not_invited(_fresh(conference, invitations)):
        _write_invitation(invitation, words, batch, at)
    return batch


def send_again(invitation: Invitation, wave: int, *, at: datetime) -> None:
    """Send one person the invitation once more, for example to a corrected address.

    `wave` is the number of letters that the person at the screen saw; sent twice, the second time changes nothing.
    Raises Refused when an answer is in, the time is over, or there is no address.
    """
    conference = lock(invitation.conference)
    [invitation] = _fresh(conference, [invitation])
    if invitation.wave != wave:
        return
    _check_open(conference, at)
    if invitation.reply is not Reply.OPEN:
        raise Refused(_("%(name)s has answered already.", name=invitation.contact.name))
    if not invitation.contact.email:
        raise Refused(_("%(name)s has no e-mail address.", name=invitation.contact.name))
    if invitation.contact.is_restricted:
        raise Refused(_("The use of the data of %(name)s is restricted.", name=invitation.contact.name))
    _write_invitation(invitation, queries.words_to_send(conference, LetterKind.INVITATION), None, at)


def send_reminders(conference: Conference, *, at: datetime) -> str:
    """Remind those who were invited and have not answered; nobody twice within a day. Returns the name of the mailing.

    Raises Refused once the time to answer is over.
    """
    conference = lock(conference)
    _check_open(conference, at)
    words, batch = queries.words_of(conference, LetterKind.REMINDER), _new_batch("reminder", conference)
    for invitation in queries.to_remind(_fresh(conference, queries.guest_list(conference)), at):
        invitation.wave += 1
        invitation.reminded_at = at
        _write(invitation, LetterKind.REMINDER, words, batch, at)
    return batch


def send_updates(conference: Conference, *, at: datetime) -> str:
    """Tell a moved conference to everybody whose calendar holds the old entry. Returns the name of the mailing.

    Raises Refused once the conference is over.
    """
    conference = lock(conference)
    if at >= conference.ends_at:
        raise Refused(_("The conference is over."))
    batch = _new_batch("update", conference)
    for invitation in queries.outdated(_fresh(conference, queries.guest_list(conference)), conference):
        link = personal_link(conference, invitation.contact, LinkPurpose.INVITATION, at=at)
        entry = calendar_of(invitation, method="REQUEST", partstat=invitation.partstat, at=at)
        purpose = f"update:{invitation.id}:{invitation.calendar_sequence}"
        _send_template("update", purpose, invitation, link, at, batch=batch, entry=entry)
    return batch


def end_reminders(invitation: Invitation, *, at: datetime) -> None:
    """The person wants no more reminders of this invitation. A second time changes nothing."""
    invitation.no_reminders_at = invitation.no_reminders_at or at


def take_back(mails: Iterable[Mail], at: datetime) -> None:
    """Make undone what belonged to letters that were stopped before they left: they can be written and sent anew."""
    for mail in mails:
        kind, number, *_rest = mail.purpose.split(":")
        invitation = db.session.get(Invitation, int(number), populate_existing=True)
        if invitation is None:
            continue
        if kind == "invitation" and invitation.first_message_id == mail.message_id:
            invitation.sent_at, invitation.first_message_id, invitation.entry_state = None, None, None
        elif kind == "reminder":
            invitation.reminded_at = None
        elif kind == "update":
            # The person's calendar still holds the old entry, whatever that was.
            invitation.entry_state = invitation.conference.calendar_sequence - 1
        invitation.version += 1


def _check_open(conference: Conference, at: datetime) -> None:
    if at >= conference.answers_close_at:
        day = show_day(conference.answer_by)
        raise Refused(
            _(
                "The time to answer was over on %(day)s. Please change the date in the key facts first.",
                day=day,
            )
        )


def _new_batch(kind: str, conference: Conference) -> str:
    return f"{kind}-{conference.slug}-{secrets.token_hex(4)}"


def _fresh(conference: Conference, invitations: Iterable[Invitation]) -> list[Invitation]:
    """The rows as they are now, under the lock: what was read before it may be out of date."""
    ids = [invitation.id for invitation in invitations]
    db.session.flush()  # rows are read over what is in memory
    query = select(Invitation).where(Invitation.conference_id == conference.id, Invitation.id.in_(ids))
    rows = db.session.scalars(query.order_by(Invitation.id).execution_options(populate_existing=True))
    return list(rows)


def _write_invitation(invitation: Invitation, words: LetterWords, batch: str | None, at: datetime) -> None:
    invitation.wave += 1
    entry = calendar_of(invitation, method="REQUEST", partstat=invitation.partstat, at=at)
    mail = _write(invitation, LetterKind.INVITATION, words, batch, at, entry)
    invitation.sent_at = invitation.sent_at or at
    invitation.first_message_id = invitation.first_message_id or mail.message_id


def _write(
    invitation: Invitation,
    kind: LetterKind,
    words: LetterWords,
    batch: str | None,
    at: datetime,
    entry: bytes | None = None,
) -> Mail:
    link = personal_link(invitation.conference, invitation.contact, LinkPurpose.INVITATION, at=at)
    subject, text = compose(invitation, words, link_url(link))
    purpose = f"{kind.value}:{invitation.id}:{invitation.wave}"
    return _queue(str(kind.value), purpose, invitation, link, subject, text, at, batch=batch, entry=entry)


def _send_template(
    kind: str,
    purpose: str,
    invitation: Invitation,
    link: PersonalLink,
    at: datetime,
    *,
    batch: str | None = None,
    entry: bytes | None = None,
) -> None:
    context = {
        "conference": invitation.conference,
        "contact": invitation.contact,
        "accepted": invitation.reply is Reply.ACCEPTED,
        "link": link_url(link),
    }
    subject, text = worded(kind, invitation.conference.language, **context)
    _queue(
        kind,
        purpose,
        invitation,
        link,
        subject,
        text,
        at,
        batch=batch,
        entry=entry,
    )


def _queue(
    kind: str,
    purpose: str,
    invitation: Invitation,
    link: PersonalLink,
    subject: str,
    text: str,
    at: datetime,
    *,
    batch: str | None,
    entry: bytes | None,
) -> Mail:
    conference, contact = invitation.conference, invitation.contact
    unsubscribe_url = None
    if kind == "reminder":
        unsubscribe_url = link_url(personal_link(conference, contact, LinkPurpose.REMINDERS, at=at))
    with force_locale(conference.language):
        label = _("Answer the invitation") if invitation.reply is Reply.OPEN else _("Open my registration")
    new = NewMail(
        purpose=purpose,
        kind=kind,
        about=conference.slug,
        batch=batch,
        language=conference.language,
        recipient=(contact.name, str(contact.email)),
        subject=subject,
        text=text,
        button=(label, link_url(link)),
        reply_to=(conference.organiser_name, conference.organiser_email),
        calendar=entry,
        calendar_method="REQUEST" if entry else None,
        in_reply_to=invitation.first_message_id,
        unsubscribe_url=unsubscribe_url,
    )
    return queue(new, at=at)


# -- the calendar entry -----------------------------------------------


def calendar_of(invitation: Invitation, *, method: str, partstat: str, at: datetime) -> bytes:
    """The person's calendar entry for a mail that is made now.

    `method` is REQUEST or CANCEL, `partstat` the answer that we know. The sequence grows by one when time or place have
    changed since the last mail, with each CANCEL, and when the entry comes back after one (RFC 5546).
    """
    conference = invitation.conference
    invitation.calendar_sequence = _next_sequence(invitation, method)
    invitation.entry_state = None if method == "CANCEL" else conference.calendar_sequence
    invitation.partstat = partstat
    # Where no mailbox is read, nobody reads replies by calendar: the personal link is the only way to answer.
    asks = bool(current_app.config["IMAP_SERVER"])
    contact = invitation.contact
    attendee = Attendee(contact.name, contact.email or "", cast("Partstat", partstat), rsvp=asks)
    return calendar.invitation(
        _entry(invitation), method=cast("Method", method), organiser=sender(), attendee=attendee, stamp=at
    )


def _next_sequence(invitation: Invitation, method: str) -> int:
    sequence = invitation.calendar_sequence
    if method == "CANCEL":
        return sequence + 1
    if invitation.entry_state is None:
        return sequence + 1 if sequence else 0
    return sequence + (invitation.entry_state != invitation.conference.calendar_sequence)


def _entry(invitation: Invitation) -> Entry:
    conference = invitation.conference
    with force_locale(conference.language):
        answer = _("Your personal link to answer or withdraw is in the invitation that you got by e-mail.")
    return Entry(
        uid=invitation.calendar_uid,
        sequence=invitation.calendar_sequence,
        title=conference.title,
        starts_at=conference.starts_at,
        ends_at=conference.ends_at,
        zone=conference.zone,
        location=conference.place,
        description=f"{conference.focus_question}\n\n{answer}".strip(),
        url=absolute("agenda.show_programme", slug=conference.slug),
        status="CONFIRMED",
        updated_at=conference.updated_at,
    )
