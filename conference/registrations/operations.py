"""Answering, changing, withdrawing; attendance. Seats are taken and given in `seats`, under the lock of the conference's row."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from flask_babel import gettext as _
from sqlalchemy import delete, or_, select

from ..conferences.models import Conference
from ..conferences.queries import topics_of
from ..core.text import comparison_key
from ..invitations import operations as invitations
from ..invitations.models import Invitation, LetterKind, Reply
from ..invitations.queries import invitation_for, retention_words, words_to_send
from ..kit.db import db, found, one_locked
from ..kit.errors import Refused, check_version
from ..providers import operations as providers
from ..providers.models import Contact
from . import letters, queries, seats
from .models import Attendance, Channel, Consent, ConsentKind, Notice, Presence, Registration, Standing, Wish
from .seats import fresh as _fresh_registration
from .seats import locked as _locked
from .seats import move_up


@dataclass(frozen=True)
class Answer:
    """What a person tells with a yes. Consents are those ticked; wishes are topic ids, first choice first."""

    name: str
    diet: str
    access_needs: str
    consents: frozenset[ConsentKind]
    wishes: tuple[int, ...]


def consent_wording(kind: ConsentKind, conference: Conference) -> str:
    """The exact words that a person agrees to; stored with the consent."""
    if kind is ConsentKind.PHOTO:
        return _(
            "I agree that photos in which I can be recognised are published by %(host)s. This is voluntary, "
            "has no disadvantage for me, and I can withdraw it here at any time.",
            host=conference.series.host,
        )
    if kind is ConsentKind.FUTURE:
        return _(
            "%(host)s may keep my details after the conference to invite me to further conferences. I can withdraw this "
            "here at any time.",
            host=conference.series.host,
        )
    return _("My name and my organisation may be on the participant list that all participants get.")


def notice_text(conference: Conference) -> str:
    """The words of the first letter, and in it the notice of Article 14 GDPR, as they are now; nobody's name is in them."""
    body = words_to_send(conference, LetterKind.INVITATION).body
    return body.replace("{retention}", retention_words(conference.language))


def notice_version(conference: Conference) -> str:
    """Which words these are: number of the letter and digest, which other periods change too."""
    number = words_to_send(conference, LetterKind.INVITATION).version
    return f"{number}-{hashlib.sha256(notice_text(conference).encode()).hexdigest()[:12]}"


def _keep_notice(conference: Conference, at: datetime) -> str:
    """Keep the words that are in force, so that they can be read when they have changed; gives their version."""
    version = notice_version(conference)
    known = select(Notice.id).where(Notice.conference_id == conference.id, Notice.version == version)
    with db.session.no_autoflush:
        if db.session.scalar(known) is None:
            text = notice_text(conference)
            db.session.add(Notice(conference_id=conference.id, version=version, text=text, since=at))
    return version


class AlreadyAnswered(Refused):
    """The invitation was answered meanwhile, and differently: the page leads to the registration."""

    def __init__(self) -> None:
        super().__init__(
            _(
                "This invitation has been answered meanwhile. Please open your registration to see or change it."
            )
        )


def accept(
    invitation: Invitation, answer: Answer, *, at: datetime, is_first: bool = False, by_staff: bool = False
) -> Registration:
    """Take a seat, or the end of the waiting list when there is none. Sent twice, it counts once.

    `is_first`: the form was opened before there was any answer. `by_staff`: noted for the person, also after the answer-by
    day. Raises AlreadyAnswered when another answer is in, Refused after the answer-by day or the beginning.
    """
    conference, invitation = _fresh_invitation(invitation)
    registration = _fresh_registration(conference, invitation.contact_id)
    if registration is not None and registration.standing is not Standing.WITHDRAWN:
        if not _says(registration, answer):
            raise AlreadyAnswered
        return registration
    if is_first and invitation.reply is not Reply.OPEN:
        raise AlreadyAnswered
    (_check_not_begun if by_staff else _check_open)(conference, at)
    seats.make_way(conference, at=at)
    notice = _keep_notice(conference, at)
    if registration is None:
        registration = Registration(conference=conference, contact=invitation.contact, name=answer.name)
        db.session.add(registration)
    else:
        registration.version += 1
    registration.registered_at, registration.withdrawn_at = at, None
    registration.notice_version = notice
    seats.take(conference, registration, invitation.contact)
    _store(registration, answer, at)
    invitations.note_reply(invitation, Reply.ACCEPTED, at=at)
    letters.confirm(registration, invitation, at)
    return registration


def accept_as_known(invitation: Invitation, *, at: datetime, by_staff: bool = False) -> Registration:
    """A yes without a form (by telephone, or after a no), with what the person told before; consents must be given anew.

    Who is registered stays as they are; by telephone, who is offered a seat takes it. Raises Refused as in `accept`.
    """
    conference, invitation = _fresh_invitation(invitation)
    registration = _fresh_registration(conference, invitation.contact_id)
    if registration is not None and registration.standing is not Standing.WITHDRAWN:
        offer = queries.open_offer_of(registration) if by_staff else None
        return seats.accept_offer(registration, offer.id, at=at) if offer else registration
    known = Answer(invitation.contact.name, "", "", frozenset(), ())
    if registration is not None:
        known = _answer_of(registration)
    return accept(invitation, known, at=at, by_staff=by_staff)


def change(registration: Registration, answer: Answer, version: int | None, *, at: datetime) -> Registration:
    """Change name, needs, consents or wishes; the seat stays, and the person is told by mail.

    Raises Stale when it was changed elsewhere, Refused once the conference has begun.
    """
    conference = _locked(registration.conference)
    registration = found(_fresh_registration(conference, registration.contact_id))
    if _says(registration, answer) and registration.standing is not Standing.WITHDRAWN:
        return registration
    theirs = _told(_answer_of(registration), conference)
    check_version(version, registration.version, mine=_told(answer, conference), theirs=theirs)
    if at >= conference.starts_at:
        raise Refused(_("The conference has begun; your registration can no longer be changed here."))
    if registration.standing is Standing.WITHDRAWN:
        raise Refused(_("You have withdrawn. Answer the invitation again to take part."))
    _store(registration, answer, at)
    registration.version += 1
    invitation = found(invitation_for(conference, registration.contact_id))
    letters.tell_change(registration, invitation, at)
    return registration


def change_consents(
    registration: Registration, ticked: frozenset[ConsentKind], version: int | None, *, at: datetime
) -> Registration:
    """Give or withdraw consents alone: that is possible at any time, also after the conference. Raises Stale."""
    conference = _locked(registration.conference)
    registration = found(_fresh_registration(conference, registration.contact_id))
    known = _answer_of(registration)
    if known.consents == ticked:
        return registration
    mine = _told(replace(known, consents=ticked), conference)
    check_version(version, registration.version, mine=mine, theirs=_told(known, conference))
    _store_consents(registration, ticked, at)
    registration.version += 1
    return registration


def withdraw_consent(registration: Registration, kind: ConsentKind, *, at: datetime) -> None:
    """Withdraw one consent: always possible, whatever else was changed meanwhile. The second time changes nothing."""
    conference = _locked(registration.conference)
    registration = found(_fresh_registration(conference, registration.contact_id))
    valid = frozenset(queries.valid_consents(registration))
    if kind in valid:
        _store_consents(registration, valid - {kind}, at)
        registration.version += 1


def decline(invitation: Invitation, reason: str, *, at: datetime, is_first: bool = False) -> None:
    """Say no; a seat that the person had is given on. A second no changes nothing.

    `is_first`: the form was opened before there was any answer. Raises AlreadyAnswered when a yes came in meanwhile.
    """
    conference, invitation = _fresh_invitation(invitation)
    registration = _fresh_registration(conference, invitation.contact_id)
    if registration is not None and registration.standing is not Standing.WITHDRAWN:
        if is_first:
            raise AlreadyAnswered
        withdraw(registration, at=at, reason=reason)
    elif invitation.reply is not Reply.DECLINED:
        _check_not_begun(conference, at)
        invitations.note_reply(invitation, Reply.DECLINED, at=at, reason=reason)
        letters.cancel_entry(invitation, f"declined:{invitation.id}:{invitation.version}", at)


def withdraw(registration: Registration, *, at: datetime, reason: str = "") -> None:
    """Give the seat back; the first on the waiting list moves up in the same transaction."""
    conference = _locked(registration.conference)
    registration = found(_fresh_registration(conference, registration.contact_id))
    if registration.standing is Standing.WITHDRAWN:
        return
    _check_not_begun(conference, at)
    seats.give_up(registration, at=at)
    _store_consents(registration, frozenset(), at)
    _conference, invitation = _fresh_invitation(found(invitation_for(conference, registration.contact_id)))
    invitations.note_reply(invitation, Reply.DECLINED, at=at, reason=reason)
    letters.cancel_entry(invitation, f"withdrawn:{registration.id}:{registration.version}", at)
    move_up(conference, at=at)


def decline_offer(registration: Registration, offer_id: int, *, at: datetime) -> None:
    """Turn the seat down, and take no part: it goes to the next in line. A second time gives the same answer.

    Raises as `seats.accept_offer`.
    """
    conference = _locked(registration.conference)
    registration = found(_fresh_registration(conference, registration.contact_id))
    if seats.check_declinable(registration, offer_id, at=at):
        withdraw(registration, at=at)


def free_seat(registration: Registration, *, at: datetime) -> None:
    """Give the seat on without a letter, because the person is being erased; the first on the waiting list moves up."""
    conference = _locked(registration.conference)
    registration = found(_fresh_registration(conference, registration.contact_id))
    if registration.standing is Standing.WITHDRAWN:
        return
    seats.give_up(registration, at=at)
    if at < conference.starts_at:
        move_up(conference, at=at)


# What was read before the lock may be out of date: these read it again.
def _fresh_invitation(invitation: Invitation) -> tuple[Conference, Invitation]:
    conference = _locked(invitation.conference)
    return conference, found(one_locked(select(Invitation).where(Invitation.id == invitation.id)))


def _check_open(conference: Conference, at: datetime) -> None:
    if at >= conference.answers_close_at:
        raise Refused(
            _("The time to answer is over. Please write to %(address)s.", address=conference.organiser_email)
        )


def _check_not_begun(conference: Conference, at: datetime) -> None:
    if at >= conference.starts_at:
        raise Refused(
            _("The conference has begun. Please write to %(address)s.", address=conference.organiser_email)
        )


def _store(registration: Registration, answer: Answer, at: datetime) -> None:
    registration.name, registration.diet, registration.access_needs = (
        answer.name,
        answer.diet,
        answer.access_needs,
    )
    _store_consents(registration, answer.consents, at)
    _store_wishes(registration, answer.wishes)


def _store_consents(registration: Registration, ticked: frozenset[ConsentKind], at: datetime) -> None:
    valid = queries.valid_consents(registration)
    for kind, consent in valid.items():
        if kind not in ticked:
            consent.withdrawn_at, consent.withdrawn_by = at, Channel.PAGE
    for kind in sorted(ticked - set(valid), key=lambda kind: str(kind.value)):
        wording = consent_wording(kind, registration.conference)
        version = hashlib.sha256(wording.encode()).hexdigest()[:12]
        db.session.add(
            Consent(
                registration_id=registration.id,
                kind=kind,
                wording=wording,
                text_version=version,
                channel=Channel.PAGE,
                name=registration.name if kind is ConsentKind.PHOTO else "",
                given_at=at,
            )
        )


def _store_wishes(registration: Registration, wished: Iterable[int]) -> None:
    ids = _known_wishes(registration.conference, wished)
    if ids == queries.wishes_of_person(registration):
        return
    db.session.execute(delete(Wish).where(Wish.registration_id == registration.id))
    for rank, topic_id in enumerate(ids, 1):
        db.session.add(Wish(registration_id=registration.id, topic_id=topic_id, rank=rank))


def _known_wishes(conference: Conference, wished: Iterable[int]) -> list[int]:
    known = {topic.id for topic in topics_of(conference)}
    return list(dict.fromkeys(topic_id for topic_id in wished if topic_id in known))


def _answer_of(registration: Registration) -> Answer:
    return Answer(
        name=registration.name,
        diet=registration.diet,
        access_needs=registration.access_needs,
        consents=frozenset(queries.valid_consents(registration)),
        wishes=tuple(queries.wishes_of_person(registration)),
    )


def _says(registration: Registration, answer: Answer) -> bool:
    wishes = tuple(_known_wishes(registration.conference, answer.wishes))
    return replace(answer, wishes=wishes) == _answer_of(registration)


def _told(answer: Answer, conference: Conference) -> str:
    titles = {topic.id: topic.title for topic in topics_of(conference)}
    parts = [
        (_("Name"), answer.name),
        (_("Food"), answer.diet),
        (_("Needs"), answer.access_needs),
        (_("Wishes"), ", ".join(titles[topic_id] for topic_id in answer.wishes if topic_id in titles)),
        (_("Consents"), ", ".join(str(kind.label) for kind in ConsentKind if kind in answer.consents)),
    ]
    return "\n".join(f"{label}: {text or '–'}" for label, text in parts)


# -- on the day -------------------------------------------------------


def record_attendance(
    conference: Conference,
    contact_id: int,
    presence: Presence,
    *,
    at: datetime,
    arrived_at: datetime | None = None,
    left_at: datetime | None = None,
) -> Attendance:
    """Record who was there. Two people at the door who record the same leave one row; the earliest arrival stays."""
    _locked(conference)
    query = select(Attendance).where(
        Attendance.conference_id == conference.id, Attendance.contact_id == contact_id
    )
    attendance = db.session.scalar(query)
    if attendance is None:
        attendance = Attendance(
            conference_id=conference.id, contact_id=contact_id, presence=presence, recorded_at=at
        )
        db.session.add(attendance)
    elif attendance.presence is not presence:
        attendance.presence = presence
        attendance.recorded_at = at
        attendance.version = (attendance.version or 1) + 1
    if presence is Presence.PRESENT:
        attendance.arrived_at = attendance.arrived_at or arrived_at or at
        attendance.left_at = left_at or attendance.left_at
    else:
        attendance.arrived_at = attendance.left_at = None
    db.session.flush()  # lists in the same transaction must show it
    return attendance


def record_changes(
    conference: Conference,
    seen: Mapping[int, Presence | None],
    wanted: Mapping[int, Presence | None],
    *,
    at: datetime,
) -> int:
    """Record a whole list by contact id, None for not recorded; only what differs from what was seen. Gives how many.

    Raises Refused, with the names, where somebody else has recorded something different meanwhile: nothing is written then.
    """
    _locked(conference)
    stored = queries.attendance_of(conference)
    now = {contact_id: attendance.presence for contact_id, attendance in stored.items()}
    changed = {key: presence for key, presence in wanted.items() if seen.get(key) is not presence}
    crossed = [key for key in changed if now.get(key) not in (seen.get(key), changed[key])]
    if crossed:
        people = db.session.scalars(select(Contact).where(Contact.id.in_(crossed)))
        names = ", ".join(contact.name for contact in sorted(people, key=lambda contact: contact.sort_key))
        raise Refused(_("Somebody else has recorded something different meanwhile: %(names)s.", names=names))
    for contact_id, presence in changed.items():
        if presence is None:
            clear_attendance(conference, contact_id)
        elif now.get(contact_id) is not presence:
            record_attendance(conference, contact_id, presence, at=at)
    return len(changed)


def clear_attendance(conference: Conference, contact_id: int) -> None:
    """Take a record back: the person counts as not recorded again."""
    _locked(conference)
    db.session.execute(
        delete(Attendance).where(
            Attendance.conference_id == conference.id, Attendance.contact_id == contact_id
        )
    )


def add_walk_in(
    conference: Conference, first_name: str, last_name: str, provider_name: str, email: str, *, at: datetime
) -> Contact:
    """Somebody who came without being on the list: known by the address, else a new person; present from now on."""
    _locked(conference)
    provider, _new = providers.keep_provider(provider_name, None, None, at=at)
    contact = _same_walk_in(conference, provider.id, first_name, last_name) if not email else None
    if contact is None:
        contact, _new = providers.keep_contact(
            provider, at=at, first_name=first_name, last_name=last_name, email=email
        )
    attendance = record_attendance(conference, contact.id, Presence.PRESENT, at=at)
    attendance.walk_in = invitation_for(conference, contact.id) is None
    return contact


def _same_walk_in(
    conference: Conference, provider_id: int, first_name: str, last_name: str
) -> Contact | None:
    """The person of this name and organisation who is on the list, or was added before."""
    invited = select(Invitation.contact_id).where(Invitation.conference_id == conference.id)
    recorded = select(Attendance.contact_id).where(Attendance.conference_id == conference.id)
    query = (
        select(Contact)
        .where(Contact.provider_id == provider_id, or_(Contact.id.in_(invited), Contact.id.in_(recorded)))
        .order_by(Contact.id)
    )
    wanted = comparison_key(f"{first_name} {last_name}")
    namesakes = (
        contact
        for contact in db.session.scalars(query)
        if comparison_key(f"{contact.first_name} {contact.last_name}") == wanted
    )
    return next(namesakes, None)
