"""Who is on the list, what they answered, whose link it is, what the letters say."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from flask import current_app
from sqlalchemy import Select, exists, func, select
from sqlalchemy.orm import joinedload

from ..conferences.models import Conference
from ..kit.db import db, portions
from ..kit.links import hash_of
from ..providers.models import Contact
from .models import EndedVisit, Invitation, Letter, LetterKind, LinkPurpose, PersonalLink, Reply

# Nobody gets two reminders within a day, however often the button is pressed.
BETWEEN_REMINDERS = timedelta(hours=24)


@dataclass(frozen=True)
class LetterWords:
    """Subject and body with placeholders; version 0 are the words that come with the house."""

    subject: str
    body: str
    version: int


# -- the guest list ---------------------------------------------------


def _invitations() -> Select[Invitation]:
    return select(Invitation).options(
        joinedload(Invitation.contact).joinedload(Contact.provider),
        joinedload(Invitation.conference).joinedload(Conference.series),
    )


def invitation_ids(conference: Conference) -> dict[int, int]:
    """Ids of the invitations by contact id, for links to the page of a guest."""
    query = select(Invitation.contact_id, Invitation.id).where(Invitation.conference_id == conference.id)
    return {contact_id: invitation_id for contact_id, invitation_id in db.session.execute(query)}  # noqa: C416 - rows, not pairs


def guest_list(conference: Conference) -> list[Invitation]:
    """Everybody on the list with person and organisation, in German order."""
    # Without the conference, which is at hand: joining it to each row costs more than the people.
    query = select(Invitation).options(joinedload(Invitation.contact).joinedload(Contact.provider))
    found = db.session.scalars(query.where(Invitation.conference_id == conference.id))
    return sorted(found, key=lambda invitation: invitation.contact.sort_key)


def invitation_of(conference: Conference, invitation_id: int) -> Invitation | None:
    return db.session.scalar(
        _invitations().where(Invitation.conference_id == conference.id, Invitation.id == invitation_id)
    )


def invitation_for(conference: Conference, contact_id: int) -> Invitation | None:
    """The invitation of a person to a conference."""
    return db.session.scalar(
        _invitations().where(Invitation.conference_id == conference.id, Invitation.contact_id == contact_id)
    )


def invited_ids(conference: Conference) -> set[int]:
    """The ids of the people on the list."""
    query = select(Invitation.contact_id).where(Invitation.conference_id == conference.id)
    return set(db.session.scalars(query))


def invitations_by_id(ids: Iterable[int]) -> list[Invitation]:
    """These invitations, as the database has them now."""
    query = select(Invitation).execution_options(populate_existing=True)
    return [
        invitation
        for some in portions(ids)
        for invitation in db.session.scalars(query.where(Invitation.id.in_(some)))
    ]


def still_invited(contact_ids: Iterable[int]) -> set[int]:
    """Those of these people who are on the list of any conference."""
    query = select(Invitation.contact_id)
    return {
        contact_id
        for some in portions(contact_ids)
        for contact_id in db.session.scalars(query.where(Invitation.contact_id.in_(some)))
    }


def reply_counts(conference: Conference) -> dict[Reply, int]:
    """How many people on the list gave which answer; every answer is in it."""
    query = (
        select(Invitation.reply, func.count(Invitation.id))
        .where(Invitation.conference_id == conference.id)
        .group_by(Invitation.reply)
    )
    return dict.fromkeys(Reply, 0) | dict(db.session.execute(query).all())


def newest_unanswered() -> Invitation | None:
    """An invitation that was sent, of the newest conference; there one without an answer comes first. For the demo."""
    query = (
        _invitations()
        .join(Conference, Conference.id == Invitation.conference_id)
        .where(Invitation.sent_at.is_not(None))
        .order_by(Conference.starts_at.desc(), (Invitation.reply != Reply.OPEN).asc(), Invitation.id)
    )
    return db.session.scalars(query.limit(1)).first()


# -- who gets a letter ------------------------------------------------


def not_invited(guests: Iterable[Invitation]) -> list[Invitation]:
    """Those who can be written to and have not been."""
    return [guest for guest in guests if guest.sent_at is None and _may_be_written_to(guest)]


def _may_be_written_to(guest: Invitation) -> bool:
    return guest.contact.may_be_written_to


def without_address(guests: Iterable[Invitation]) -> list[Invitation]:
    """Those who cannot be written to."""
    return [guest for guest in guests if not guest.contact.email]


def to_remind(guests: Iterable[Invitation], at: datetime) -> list[Invitation]:
    """Invited people without an answer who got no reminder within a day."""
    return [guest for guest in guests if _may_be_reminded(guest, at)]


def _may_be_reminded(guest: Invitation, at: datetime) -> bool:
    is_asked = guest.sent_at is not None and guest.reply is Reply.OPEN and _may_be_written_to(guest)
    is_asked = is_asked and guest.no_reminders_at is None
    return is_asked and (guest.reminded_at is None or guest.reminded_at <= at - BETWEEN_REMINDERS)


def outdated(guests: Iterable[Invitation], conference: Conference) -> list[Invitation]:
    """Those whose calendar entry tells an old time or place; who declined has none."""
    return [
        guest
        for guest in guests
        if guest.entry_state is not None
        and guest.entry_state != conference.calendar_sequence
        and guest.reply is not Reply.DECLINED
        and _may_be_written_to(guest)
    ]


# -- personal links ---------------------------------------------------


def _valid_links(at: datetime) -> Select[PersonalLink]:
    return (
        select(PersonalLink)
        .options(
            joinedload(PersonalLink.conference).joinedload(Conference.series),
            joinedload(PersonalLink.contact).joinedload(Contact.provider),
        )
        .where(PersonalLink.revoked_at.is_(None), PersonalLink.expires_at > at)
    )


def link_by_session(link_id: int, visit: str, at: datetime) -> PersonalLink | None:
    """The link behind a guest's cookie, while it is valid and nobody has left with this cookie."""
    is_over = exists().where(EndedVisit.link_id == PersonalLink.id, EndedVisit.visit_hash == hash_of(visit))
    return db.session.scalar(_valid_links(at).where(PersonalLink.id == link_id, ~is_over))


def link_by_token(token: str, at: datetime) -> PersonalLink | None:
    """The link with this token, while it is valid; only hashes are compared."""
    return db.session.scalar(_valid_links(at).where(PersonalLink.token_hash == hash_of(token)))


def links_of(
    conference: Conference, contact_id: int, at: datetime, purpose: LinkPurpose | None = None
) -> list[PersonalLink]:
    """The valid links of a person in a conference, newest first."""
    query = _valid_links(at).where(
        PersonalLink.conference_id == conference.id, PersonalLink.contact_id == contact_id
    )
    if purpose is not None:
        query = query.where(PersonalLink.purpose == purpose)
    return list(db.session.scalars(query.order_by(PersonalLink.id.desc())))


# -- letters ----------------------------------------------------------


def letter_of(conference: Conference, kind: LetterKind) -> Letter | None:
    """The letter that organisers have written; None while they use the house's words."""
    return db.session.scalar(select(Letter).where(Letter.conference_id == conference.id, Letter.kind == kind))


def words_of(conference: Conference, kind: LetterKind) -> LetterWords:
    """What a letter says now."""
    letter = letter_of(conference, kind)
    if letter is None:
        return _house_words(kind, conference.language)
    return LetterWords(letter.subject, letter.body, letter.version)


NOTICE = re.compile(r"\{retention\}|\bArt(?:ikel|icle|\.)\s*14\b")


def words_to_send(conference: Conference, kind: LetterKind) -> LetterWords:
    """What a letter says when it leaves."""
    return with_notice(words_of(conference, kind), kind, conference.language)


def with_notice(words: LetterWords, kind: LetterKind, language: str) -> LetterWords:
    """In an invitation always the notice of Article 14 GDPR: the house's, where the organisers wrote none."""
    if kind is not LetterKind.INVITATION or NOTICE.search(words.body):
        return words
    notice = _house_words(kind, language).body.rsplit("\n\n", 1)[1]
    return replace(words, body=f"{words.body.rstrip()}\n\n{notice}")


def retention_words(language: str) -> str:
    """How long data are kept, in a sentence of that language; privacy, downstream, knows it."""
    known = current_app.extensions.get("retention_words")
    return str(known(language)) if known else ""


def _house_words(kind: LetterKind, language: str) -> LetterWords:
    """The words in templates/mail/letters: the subject in the first line, then the body. Read as they stand, not rendered."""
    environment = current_app.jinja_env
    name = f"mail/letters/{kind.value}_{'de' if language.startswith('de') else 'en'}.txt"
    assert environment.loader is not None
    source, _path, _fresh = environment.loader.get_source(environment, name)
    subject, _blank, body = source.partition("\n")
    return LetterWords(subject.strip(), body.strip(), 0)
