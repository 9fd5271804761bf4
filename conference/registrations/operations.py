"""Answering, seats and waiting list, attendance. Seats are counted and taken under the lock of the conference's row."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext
from sqlalchemy import delete, or_, select

from ..conferences.models import Conference
from ..conferences.operations import letter
from ..conferences.queries import topics_of
from ..core.text import comparison_key
from ..invitations import operations as invitations
from ..invitations.models import Invitation, LetterKind, LinkPurpose, Reply
from ..invitations.queries import invitation_for, retention_words, words_to_send
from ..kit.db import db, found, next_number, one_locked
from ..kit.errors import Refused, check_version
from ..outbox.operations import queue
from ..providers import operations as providers
from ..providers.models import Contact
from . import queries
from .models import Attendance, Channel, Consent, ConsentKind, Notice, Presence, Registration, Standing, Wish


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


def follow_seats(conference: Conference, before: int, *, at: datetime) -> None:
    """After the number of seats was changed: more seats let the waiting list move up.

    Raises Refused when people would lose a seat that they have been promised.
    """
    taken = queries.seat_counts(conference).confirmed
    if conference.seats < min(before, taken):
        reason = ngettext(
            "%(num)d person has a seat already; there cannot be fewer seats than that.",
            "%(num)d people have a seat already; there cannot be fewer seats than that.",
            taken,
        )
        raise Refused(reason)
    if conference.seats > before and at < conference.starts_at:
        move_up(conference, at=at)


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
    notice = _keep_notice(conference, at)
    if registration is None:
        registration = Registration(conference=conference, contact=invitation.contact, name=answer.name)
        db.session.add(registration)
    else:
        registration.version += 1
    registration.registered_at, registration.withdrawn_at = at, None
    registration.notice_version = notice
    _take_seat(conference, registration)
    _store(registration, answer, at)
    invitations.note_reply(invitation, Reply.ACCEPTED, at=at)
    _confirm(registration, invitation, at)
    return registration


def accept_as_known(invitation: Invitation, *, at: datetime, by_staff: bool = False) -> Registration:
    """A yes without a form (by telephone, or after a no), with what the person told before; consents must be given anew.

    Who is registered stays as they are. Raises Refused as in `accept`.
    """
    conference, invitation = _fresh_invitation(invitation)
    registration = _fresh_registration(conference, invitation.contact_id)
    if registration is not None and registration.standing is not Standing.WITHDRAWN:
        return registration
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
    _send("changed", f"changed:{registration.id}:{registration.version}", invitation, at, None, None)
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
        _cancel_entry(invitation, f"declined:{invitation.id}:{invitation.version}", at)


def withdraw(registration: Registration, *, at: datetime, reason: str = "") -> None:
    """Give the seat back; the first on the waiting list moves up in the same transaction."""
    conference = _locked(registration.conference)
    registration = found(_fresh_registration(conference, registration.contact_id))
    if registration.standing is Standing.WITHDRAWN:
        return
    _check_not_begun(conference, at)
    registration.standing, registration.withdrawn_at, registration.queue_number = Standing.WITHDRAWN, at, None
    registration.version += 1
    _store_consents(registration, frozenset(), at)
    _conference, invitation = _fresh_invitation(found(invitation_for(conference, registration.contact_id)))
    invitations.note_reply(invitation, Reply.DECLINED, at=at, reason=reason)
    _cancel_entry(invitation, f"withdrawn:{registration.id}:{registration.version}", at)
    db.session.flush()  # the freed seat must count for who moves up
    move_up(conference, at=at)


def free_seat(registration: Registration, *, at: datetime) -> None:
    """Give the seat on without a letter, because the person is being erased; the first on the waiting list moves up."""
    conference = _locked(registration.conference)
    registration = found(_fresh_registration(conference, registration.contact_id))
    if registration.standing is Standing.WITHDRAWN:
        return
    registration.standing, registration.withdrawn_at, registration.queue_number = Standing.WITHDRAWN, at, None
    registration.version += 1
    db.session.flush()  # the freed seat must count for who moves up
    if at < conference.starts_at:
        move_up(conference, at=at)


def move_up(conference: Conference, *, at: datetime) -> list[Registration]:
    """Give free seats to the waiting list in its order; each who moves up gets a letter.

    Raises Refused once the conference has begun.
    """
    conference = _locked(conference)
    if at >= conference.starts_at:
        raise Refused(_("The conference has begun; nobody moves up any more."))
    free = queries.seat_counts(conference).free
    # Whoever asked that nothing is done with their data keeps the place in line, and hears nothing.
    line = [one for one in queries.waiting_line(conference) if not one.contact.is_restricted]
    moved = line[:free]
    for registration in moved:
        registration.standing, registration.queue_number = Standing.CONFIRMED, None
        registration.version += 1
        _confirm(registration, found(invitation_for(conference, registration.contact_id)), at, moved_up=True)
    db.session.flush()  # counts follow in the same transaction
    return moved


def _locked(conference: Conference) -> Conference:
    return found(one_locked(select(Conference).where(Conference.id == conference.id)))


# What was read before the lock may be out of date: these read it again.
def _fresh_invitation(invitation: Invitation) -> tuple[Conference, Invitation]:
    conference = _locked(invitation.conference)
    return conference, found(one_locked(select(Invitation).where(Invitation.id == invitation.id)))


def _fresh_registration(conference: Conference, contact_id: int) -> Registration | None:
    query = select(Registration).where(
        Registration.conference_id == conference.id, Registration.contact_id == contact_id
    )
    return one_locked(query)


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


def _take_seat(conference: Conference, registration: Registration) -> None:
    counts = queries.seat_counts(conference) if registration.id else _counts_without_new(conference)
    if counts.free and not counts.waiting:
        registration.standing, registration.queue_number = Standing.CONFIRMED, None
    else:
        registration.standing = Standing.WAITING
        with db.session.no_autoflush:
            last = next_number(Registration.queue_number, Registration.conference_id == conference.id)
        registration.queue_number = last
    db.session.flush()  # consents and wishes need the id


def _counts_without_new(conference: Conference) -> queries.SeatCounts:
    # The new row has no standing yet, so it must not be flushed before the seats are counted.
    with db.session.no_autoflush:
        return queries.seat_counts(conference)


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


# -- letters ----------------------------------------------------------


def _confirm(
    registration: Registration, invitation: Invitation, at: datetime, *, moved_up: bool = False
) -> None:
    has_seat = registration.standing is Standing.CONFIRMED
    calendar = (
        invitations.calendar_of(invitation, method="REQUEST", partstat="ACCEPTED", at=at)
        if has_seat
        else None
    )
    context = {
        "place_in_line": None if has_seat else queries.place_in_line(registration),
        "moved_up": moved_up,
    }
    purpose = f"registered:{registration.id}:{registration.version}"
    _send("registered", purpose, invitation, at, calendar, "REQUEST" if has_seat else None, **context)


def _cancel_entry(invitation: Invitation, purpose: str, at: datetime) -> None:
    calendar = None
    if invitation.entry_state is not None:
        calendar = invitations.calendar_of(invitation, method="CANCEL", partstat="DECLINED", at=at)
    may_return = at < invitation.conference.answers_close_at
    method = "CANCEL" if calendar else None
    _send(
        "declined", purpose, invitation, at, calendar, method, had_entry=bool(calendar), may_return=may_return
    )


def _send(
    kind: str,
    purpose: str,
    invitation: Invitation,
    at: datetime,
    calendar: bytes | None,
    method: str | None,
    **context: object,
) -> None:
    conference, contact = invitation.conference, invitation.contact
    if not contact.email:
        return
    link = invitations.personal_link(conference, contact, LinkPurpose.INVITATION, at=at)
    new = letter(
        conference,
        kind,
        (contact.name, contact.email),
        purpose=purpose,
        context={"contact": contact, **context},
        button=(_l("Open my registration"), invitations.link_url(link)),
        calendar=calendar,
        calendar_method=method,
        in_reply_to=invitation.first_message_id,
    )
    queue(new, at=at)


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
