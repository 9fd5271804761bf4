"""Answering, seats and waiting list, attendance. Seats are counted and taken under the lock of the conference's row."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from flask import render_template
from flask_babel import force_locale
from flask_babel import gettext as _
from sqlalchemy import delete, func, select

from ..conferences.models import Conference
from ..conferences.queries import topics_of
from ..invitations import operations as invitations
from ..invitations.models import Invitation, LinkPurpose, Reply
from ..invitations.queries import invitation_for
from ..kit.db import db, found, next_number, one_locked
from ..kit.errors import Refused, check_version
from ..outbox.operations import NewMail, queue
from ..providers import operations as providers
from ..providers.models import Contact
from . import queries
from .models import Attendance, Consent, ConsentKind, Presence, Registration, Standing, Wish


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
    return _("My name and my organisation may be on the participant list that all participants get.")


def accept(invitation: Invitation, answer: Answer, *, at: datetime) -> Registration:
    """Take a seat, or the end of the waiting list when there is none. Sent twice, it counts once.

    Raises Refused after the answer-by day.
    """
    conference = _locked(invitation.conference)
    registration = queries.registration_of(conference, invitation.contact_id)
    if registration is not None and registration.standing is not Standing.WITHDRAWN:
        return _amended(registration, answer, at=at)
    _check_open(conference, at)
    if registration is None:
        registration = Registration(conference=conference, contact=invitation.contact, name=answer.name)
        db.session.add(registration)
    else:
        registration.version += 1
    registration.registered_at, registration.withdrawn_at = at, None
    _take_seat(conference, registration)
    _store(registration, answer, at)
    invitations.note_reply(invitation, Reply.ACCEPTED, at=at)
    _confirm(registration, invitation, at)
    return registration


def change(registration: Registration, answer: Answer, version: int | None, *, at: datetime) -> Registration:
    """Change name, needs, consents or wishes; the seat stays.

    Raises Stale when it was changed elsewhere, Refused once the conference has begun.
    """
    conference = _locked(registration.conference)
    check_version(version, registration.version, mine=_summary(answer), theirs=_summary_of(registration))
    if at >= conference.starts_at:
        raise Refused(_("The conference has begun; your registration can no longer be changed here."))
    if registration.standing is Standing.WITHDRAWN:
        raise Refused(_("You have withdrawn. Answer the invitation again to take part."))
    return _amended(registration, answer, at=at)


def decline(invitation: Invitation, reason: str, *, at: datetime) -> None:
    """Say no; a seat that the person had is given on. A second no changes nothing."""
    conference = _locked(invitation.conference)
    registration = queries.registration_of(conference, invitation.contact_id)
    if registration is not None and registration.standing is not Standing.WITHDRAWN:
        withdraw(registration, at=at, reason=reason)
    elif invitation.reply is not Reply.DECLINED:
        _check_not_begun(conference, at)
        invitations.note_reply(invitation, Reply.DECLINED, at=at, reason=reason)
        _cancel_entry(invitation, f"declined:{invitation.id}:{invitation.version}", at)


def withdraw(registration: Registration, *, at: datetime, reason: str = "") -> None:
    """Give the seat back; the first on the waiting list moves up in the same transaction."""
    conference = _locked(registration.conference)
    if registration.standing is Standing.WITHDRAWN:
        return
    _check_not_begun(conference, at)
    registration.standing, registration.withdrawn_at, registration.queue_number = Standing.WITHDRAWN, at, None
    registration.version += 1
    _store_consents(registration, frozenset(), at)
    invitation = found(invitation_for(conference, registration.contact_id))
    invitations.note_reply(invitation, Reply.DECLINED, at=at, reason=reason)
    _cancel_entry(invitation, f"withdrawn:{registration.id}:{registration.version}", at)
    db.session.flush()  # the freed seat must count for who moves up
    move_up(conference, at=at)


def move_up(conference: Conference, *, at: datetime) -> list[Registration]:
    """Give free seats to the waiting list in its order; each who moves up gets a letter."""
    conference = _locked(conference)
    free = queries.seat_counts(conference).free
    moved = queries.waiting_line(conference)[:free]
    for registration in moved:
        registration.standing, registration.queue_number = Standing.CONFIRMED, None
        registration.version += 1
        _confirm(registration, found(invitation_for(conference, registration.contact_id)), at, moved_up=True)
    db.session.flush()  # counts follow in the same transaction
    return moved


def _locked(conference: Conference) -> Conference:
    return found(one_locked(select(Conference).where(Conference.id == conference.id)))


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


def _amended(registration: Registration, answer: Answer, *, at: datetime) -> Registration:
    before = _summary_of(registration)
    _store(registration, answer, at)
    if _summary_of(registration) != before:
        registration.version += 1
    return registration


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
            consent.withdrawn_at = at
    for kind in sorted(ticked - set(valid), key=lambda kind: str(kind.value)):
        wording = consent_wording(kind, registration.conference)
        db.session.add(Consent(registration_id=registration.id, kind=kind, wording=wording, given_at=at))


def _store_wishes(registration: Registration, wished: Iterable[int]) -> None:
    known = {topic.id for topic in topics_of(registration.conference)}
    ids = list(dict.fromkeys(topic_id for topic_id in wished if topic_id in known))
    if ids == queries.wishes_of_person(registration):
        return
    db.session.execute(delete(Wish).where(Wish.registration_id == registration.id))
    for rank, topic_id in enumerate(ids, 1):
        db.session.add(Wish(registration_id=registration.id, topic_id=topic_id, rank=rank))


def _summary(answer: Answer) -> str:
    return "\n".join([answer.name, answer.diet, answer.access_needs])


def _summary_of(registration: Registration) -> str:
    consents = ",".join(sorted(str(kind.value) for kind in queries.valid_consents(registration)))
    wishes = ",".join(map(str, queries.wishes_of_person(registration)))
    return "\n".join(
        [registration.name, registration.diet, registration.access_needs, consents, wishes]
    ).rstrip("\n,")


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
    if invitation.sent_at is not None:
        calendar = invitations.calendar_of(invitation, method="CANCEL", partstat="DECLINED", at=at)
    _send("declined", purpose, invitation, at, calendar, "CANCEL" if calendar else None)


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
    with force_locale(conference.language):
        subject = render_template(f"mail/{kind}_subject.txt", conference=conference, **context)
        text = render_template(f"mail/{kind}.txt", conference=conference, contact=contact, **context)
        button = (_("Open my registration"), invitations.link_url(link))
    queue(
        NewMail(
            purpose=purpose,
            kind=kind,
            about=conference.slug,
            language=conference.language,
            recipient=(contact.name, contact.email),
            subject=" ".join(subject.split()),
            text=text.strip() + "\n",
            button=button,
            reply_to=(conference.organiser_name, conference.organiser_email),
            calendar=calendar,
            calendar_method=method,
            in_reply_to=invitation.first_message_id,
        ),
        at=at,
    )


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
    query = (
        select(Contact)
        .join(Attendance, Attendance.contact_id == Contact.id)
        .where(
            Attendance.conference_id == conference.id,
            Contact.provider_id == provider_id,
            func.trim(Contact.first_name) == first_name,
            Contact.last_name == last_name,
        )
    )
    return db.session.scalars(query.limit(1)).first()
