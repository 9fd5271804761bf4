"""Throwing away whose time is over, requests and their decisions, links to one's own data, the house's statements."""

import secrets
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from flask import current_app
from flask_babel import force_locale, ngettext
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import and_, delete, func, or_, select, update

from ..accounts.models import Account, StaffSession
from ..actions.models import ENDED, Action, Report
from ..conferences.models import Conference
from ..conferences.operations import letter
from ..groups.models import Concern
from ..inbox.models import InboundMail
from ..invitations.models import Invitation, ListImport, PersonalLink
from ..kit import audit, links, outage, unit
from ..kit.addresses import absolute
from ..kit.audit import AuditEntry, AuditText
from ..kit.dates import DEFAULT_ZONE
from ..kit.db import db, forget_log, found, next_number, one_locked
from ..kit.errors import Refused, check_version
from ..outbox import control
from ..outbox.models import Mail, MailState
from ..outbox.operations import NewMail, queue
from ..people.models import AccountLink
from ..people.unused import close_unused, count_closed, count_unused, forget_closed
from ..providers.models import Contact
from ..providers.operations import readdress
from ..registrations.models import Attendance, Consent, ConsentKind, Registration, SeatOffer, Standing
from ..sheets.models import GroupSheet, SheetState
from ..voting.models import Ballot, Vote, Voter
from . import archiving, naming, queries
from .erasing import erase, new_pseudonym
from .models import (
    AccessLink,
    Feedback,
    Outcome,
    PrivacyRequest,
    RequestKind,
    RetentionPeriod,
    RetentionRun,
    Statement,
)

LINK_LASTS = timedelta(minutes=15)
ERASED_LETTER = "privacy-decided"
HOUR = 3
MONTHS = {30: 1, 31: 1, 60: 2, 61: 2, 90: 3, 91: 3, 92: 3, 182: 6, 183: 6, 274: 9, 365: 12, 366: 12, 548: 18}
AFTER_ACTION = timedelta(days=30)
PAUSE = timedelta(hours=1)
OVER = (
    MailState.SENT,
    MailState.FAILED,
    MailState.CANCELLED,
    MailState.WITHDRAWN,
    MailState.BOUNCED,
)


Over = Callable[[datetime, datetime], list[Any]]
"""Gets the moment up to which time is over, and now; gives statements or queries."""


@dataclass(frozen=True)
class Special:
    """What no statement alone can do: how it is done, and how it is counted without doing it. Both get what `Over` gets."""

    do: Callable[[datetime, datetime], int]
    count: Callable[[datetime, datetime], int]


@dataclass(frozen=True)
class DataClass:
    """Data that are thrown away together: what it is, from when its days count, how many, what happens.

    `people` finds whoever is to be erased, `rows` are the statements that change or delete the rest.
    """

    name: str
    label: Any
    start: Any
    days: int
    action: Any
    rows: Over | None = None
    people: Over | None = None
    special: Special | None = None


# -- what is thrown away -----------------------------------------------


def _ended(before: datetime) -> Any:
    return select(Conference.id).where(Conference.ends_at <= before)


def _guests(before: datetime, _at: datetime) -> list[Any]:
    """People who declined or did not answer and were not there, or whom nothing knows; not who agreed to be invited again."""
    took_part = _took_part()
    later = select(Invitation.contact_id).join(Conference).where(Conference.ends_at > before)
    guests = select(Contact.id).where(
        Contact.id.in_(select(Invitation.contact_id).where(Invitation.conference_id.in_(_ended(before)))),
        Contact.id.not_in(later),
        Contact.id.not_in(took_part),
        *_is_named(),
    )
    left_over = select(Contact.id).where(
        Contact.created_at <= before, *(Contact.id.not_in(ids) for ids in _known()), *_is_named()
    )
    return [guests, left_over]


def _known() -> list[Any]:
    """By what a conference or an action knows a person."""
    known: list[Any] = [select(model.contact_id) for model in (Invitation, Registration, Attendance)]
    return [*known, select(Action.responsible_id)]


def _is_named() -> tuple[Any, ...]:
    """Not a pseudonym yet, and no consent to be invited again."""
    agreed = select(Registration.contact_id).join(Consent, Consent.registration_id == Registration.id)
    keeps = agreed.where(Consent.kind == ConsentKind.FUTURE, Consent.withdrawn_at.is_(None))
    return _has_name(), Contact.id.not_in(keeps)


def _has_name() -> Any:
    return or_(Contact.email.is_not(None), Contact.last_name.not_like(naming.PSEUDONYM))


def _took_part() -> Any:
    registered = select(Registration.contact_id).where(Registration.standing == Standing.CONFIRMED)
    return registered.union(select(Attendance.contact_id), select(Action.responsible_id))


def _people(before: datetime, at: datetime) -> list[Any]:
    """Who took part: not while a later conference or an action that is open, or closed for less than a month, needs them."""
    needed = select(Action.responsible_id).where(
        or_(
            Action.status.not_in(ENDED),
            Action.id.in_(
                select(Report.action_id).where(
                    Report.reported_at > at - AFTER_ACTION, Report.status.in_(ENDED)
                )
            ),
        )
    )
    recent = select(Conference.id).where(Conference.ends_at > before)
    in_use = [
        select(model.contact_id).where(model.conference_id.in_(recent))
        for model in (Invitation, Registration, Attendance)
    ]
    known = select(Invitation.contact_id).union(
        select(Registration.contact_id), select(Attendance.contact_id), select(Action.responsible_id)
    )
    query = select(Contact.id).where(
        Contact.id.in_(known),
        Contact.id.not_in(needed),
        *(Contact.id.not_in(some) for some in in_use),
        *_is_named(),
    )
    return [query]


def _needs(before: datetime, _at: datetime) -> list[Any]:
    has = or_(Registration.diet != "", Registration.access_needs != "")
    here = and_(Registration.conference_id.in_(_ended(before)), has)
    return [update(Registration).where(here).values(diet="", access_needs="")]


def _times(before: datetime, _at: datetime) -> list[Any]:
    ended = _ended(before)
    timed = or_(Attendance.arrived_at.is_not(None), Attendance.left_at.is_not(None))
    times = update(Attendance).where(Attendance.conference_id.in_(ended), timed)
    waiting = update(Registration).where(
        Registration.conference_id.in_(ended), Registration.queue_number.is_not(None)
    )
    return [
        delete(SeatOffer).where(SeatOffer.conference_id.in_(ended)),
        times.values(arrived_at=None, left_at=None),
        waiting.values(queue_number=None),
    ]


def _photo_consents(before: datetime, _at: datetime) -> list[Any]:
    ended = select(Registration.id).where(Registration.conference_id.in_(_ended(before)))
    return [delete(Consent).where(Consent.registration_id.in_(ended))]


def _authors(before: datetime, _at: datetime) -> list[Any]:
    ended = _ended(before)
    concerns = update(Concern).where(Concern.conference_id.in_(ended), Concern.contact_id.is_not(None))
    sheets = select(GroupSheet.id).where(GroupSheet.conference_id.in_(ended))
    known = or_(SheetState.contact_id.is_not(None), SheetState.writer != "")
    states = update(SheetState).where(SheetState.sheet_id.in_(sheets), known)
    return [concerns.values(contact_id=None), states.values(contact_id=None, writer="")]


def _closed_votes(before: datetime) -> Any:
    return select(Vote.id).where(Vote.closed_at <= before)


def _ballots(before: datetime, _at: datetime) -> list[Any]:
    return [delete(Ballot).where(Ballot.vote_id.in_(_closed_votes(before)))]


def _voters(before: datetime, _at: datetime) -> list[Any]:
    return [delete(Voter).where(Voter.vote_id.in_(_closed_votes(before)))]


def _old_actions(before: datetime) -> Any:
    newest = (
        select(Report.action_id).group_by(Report.action_id).having(func.max(Report.reported_at) <= before)
    )
    return select(Action.id).where(Action.status.in_(ENDED), Action.id.in_(newest))


def _owners(before: datetime, _at: datetime) -> list[Any]:
    """Who was responsible for nothing but old actions; who is still needed elsewhere keeps the name, see `_stand_in`."""
    over = _old_actions(before)
    later = select(Invitation.contact_id).join(Conference).where(Conference.ends_at > before)
    query = select(Contact.id).where(
        Contact.id.in_(select(Action.responsible_id).where(Action.id.in_(over))),
        Contact.id.not_in(select(Action.responsible_id).where(Action.id.not_in(over))),
        Contact.id.not_in(later),
        *_is_named(),
    )
    return [query]


def _of_actions(before: datetime, _at: datetime) -> list[Any]:
    over = _old_actions(before)
    others = update(Action).where(Action.id.in_(over), Action.supporters != "")
    authors = update(Report).where(Report.action_id.in_(over), Report.author != "")
    return [others.values(supporters=""), authors.values(author="")]


def _named_actions(before: datetime) -> Any:
    return select(Action).join(Action.responsible).where(Action.id.in_(_old_actions(before)), _has_name())


def _stand_in(before: datetime, at: datetime) -> int:
    """Who is still needed elsewhere: of their old actions only the organisation is left."""
    actions = list(db.session.scalars(_named_actions(before).order_by(Action.id)))
    for action in actions:
        action.responsible = Contact(
            provider_id=action.responsible.provider_id,
            last_name=new_pseudonym(),
            side=action.responsible.side,
            created_at=at,
        )
        action.version += 1
    db.session.flush()
    return len(actions)


def _count_stand_ins(before: datetime, at: datetime) -> int:
    (owners,) = _owners(before, at)
    return _number(_named_actions(before).where(Action.responsible_id.not_in(owners)).subquery())


def _letters(before: datetime, _at: datetime) -> list[Any]:
    blank = {"text": "", "calendar": None, "button_url": None, "button_label": None}
    done = and_(
        Mail.state.in_(OVER),
        Mail.created_at <= before,
        func.coalesce(Mail.sent_at, Mail.created_at) <= before,
    )
    return [update(Mail).where(done, Mail.text != "").values(blank)]


def _envelopes(before: datetime, _at: datetime) -> list[Any]:
    blank = {"recipient_name": "", "recipient_address": "", "subject": "", "error": None}
    done = and_(Mail.state.in_(OVER), func.coalesce(Mail.sent_at, Mail.created_at) <= before)
    return [update(Mail).where(done, Mail.recipient_address != "").values(blank)]


def _links(before: datetime, _at: datetime) -> list[Any]:
    dead = delete(PersonalLink).where(
        or_(PersonalLink.expires_at <= before, PersonalLink.revoked_at <= before)
    )
    return [
        dead,
        delete(AccessLink).where(AccessLink.expires_at <= before),
        delete(StaffSession).where(StaffSession.ends_at <= before),
        delete(AccountLink).where(AccountLink.expires_at <= before),
    ]


def _uploads(before: datetime, _at: datetime) -> list[Any]:
    old = update(ListImport).where(ListImport.content.is_not(None), ListImport.created_at <= before)
    return [old.values(content=None)]


def _old_entries(before: datetime) -> Any:
    return select(AuditEntry.number).where(
        AuditEntry.at <= before,
        or_(AuditEntry.conference_id.is_(None), AuditEntry.conference_id.in_(_ended(before))),
    )


def _forget_record(before: datetime, _at: datetime) -> int:
    return audit.forget_texts(db.session.connection(), set(db.session.scalars(_old_entries(before))))


def _count_record(before: datetime, _at: datetime) -> int:
    return _number(select(AuditText.number).where(AuditText.number.in_(_old_entries(before))).subquery())


def _requests(before: datetime, _at: datetime) -> list[Any]:
    return [delete(PrivacyRequest).where(PrivacyRequest.decided_at <= before)]


def _inbox(before: datetime, _at: datetime) -> list[Any]:
    return [delete(InboundMail).where(InboundMail.read_at <= before)]


def _minutes(before: datetime, _at: datetime) -> list[Any]:
    return [archiving.old_releases(before)]


def _feedback(before: datetime, _at: datetime) -> list[Any]:
    noted = func.coalesce(Feedback.answered_at, Feedback.sent_at)
    return [update(Feedback).where(noted <= before, Feedback.email != "").values(email="")]


def _number(rows: Any, *conditions: Any) -> int:
    return db.session.scalar(select(func.count()).select_from(rows).where(*conditions)) or 0


END, DELIVERY = _l("end of the conference"), _l("delivery")
DELETE, FORGET = _l("delete"), _l("replace the name by a pseudonym")
CLASSES = (
    DataClass("needs", _l("Food and needs"), END, 3, DELETE, _needs),
    DataClass("guests", _l("Invited people who declined or did not answer"), END, 28, DELETE, people=_guests),
    DataClass("times", _l("Waiting list, times of arriving and leaving"), END, 28, DELETE, _times),
    DataClass(
        "people",
        _l("Contact data of who was registered or there (not while an action of theirs is open)"),
        END,
        182,
        FORGET,
        people=_people,
    ),
    DataClass("authors", _l("Who proposed a concern or wrote a results sheet"), END, 182, DELETE, _authors),
    DataClass(
        "ballots",
        _l("Single ballots (the result stays)"),
        _l("closing of the vote"),
        0,
        DELETE,
        _ballots,
    ),
    DataClass("voters", _l("Who has voted"), _l("closing of the vote"), 182, DELETE, _voters),
    DataClass(
        "actions",
        _l("Who was responsible for an action"),
        _l("closing of the action"),
        365,
        _l("leave only the organisation"),
        _of_actions,
        _owners,
        Special(_stand_in, _count_stand_ins),
    ),
    DataClass("consents", _l("Consents to photos, as proof"), END, 1096, DELETE, _photo_consents),
    DataClass("letters", _l("Text of letters"), DELIVERY, 7, DELETE, _letters),
    DataClass("envelopes", _l("Recipient and subject of letters"), DELIVERY, 182, DELETE, _envelopes),
    DataClass("links", _l("Links and sessions"), _l("expiry"), 0, DELETE, _links),
    DataClass("uploads", _l("Uploaded lists that were not taken over"), _l("upload"), 7, DELETE, _uploads),
    DataClass(
        "record",
        _l("Texts beside the record of changes"),
        END,
        365,
        DELETE,
        special=Special(_forget_record, _count_record),
    ),
    DataClass("inbox", _l("What came by e-mail (without its words)"), _l("arrival"), 182, DELETE, _inbox),
    DataClass(
        "requests",
        _l("Requests about data, and their decisions"),
        _l("the decision"),
        1096,
        DELETE,
        _requests,
    ),
    DataClass(
        "minutes",
        _l("Released minutes, once the archive has them or has declined them"),
        _l("release"),
        3653,
        DELETE,
        _minutes,
    ),
    DataClass(
        "feedback",
        _l("Address of who has told us of a barrier"),
        _l("answer, or the report where none is noted"),
        182,
        DELETE,
        _feedback,
    ),
    DataClass(
        "accounts",
        _l("Staff accounts that nobody uses (never the last administrator)"),
        _l("last sign-in"),
        365,
        _l("close; a letter a month before says so"),
        special=Special(close_unused, count_unused),
    ),
    DataClass(
        "closed_accounts",
        _l("Closed staff accounts"),
        _l("closing"),
        90,
        FORGET,
        special=Special(forget_closed, count_closed),
    ),
)


def letters_kept() -> int:
    """For how many days the words of letters are kept, for the outbox, which deletes them."""
    with unit.reading():
        return queries.periods(CLASSES)["letters"]


def period_words(days: int) -> str:
    """A number of days as people say it: weeks, months and years where they are whole."""
    if days in MONTHS:
        return ngettext("%(num)d month", "%(num)d months", MONTHS[days])
    years = round(days / 365.25)
    if years and abs(days - years * 365.25) <= 1:
        return ngettext("%(num)d year", "%(num)d years", years)
    if days and days % 7 == 0 and days < 100:
        return ngettext("%(num)d week", "%(num)d weeks", days // 7)
    return ngettext("%(num)d day", "%(num)d days", days)


def retention_words(code: str) -> str:
    """How long data are kept, in a sentence for the notice of Article 14 GDPR, from the periods that hold."""
    days = queries.periods(CLASSES)
    with force_locale(code):
        return str(
            _(
                "If you decline or do not answer, we delete your data %(guests)s after the conference, otherwise %(people)s "
                "after it; the released minutes are kept under the rules for official records.",
                guests=period_words(days["guests"]),
                people=period_words(days["people"]),
            )
        )


def kept_for() -> list[tuple[Any, str, Any, Any]]:
    """What is kept how long, from when, and what happens then: for the page on privacy."""
    days = queries.periods(CLASSES)
    return [(one.label, period_words(days[one.name]), one.start, one.action) for one in CLASSES]


def periods_list() -> str:
    """The same as a list in light Markdown, for the operator's own words."""
    return "\n".join(f"- {label}: {period} ({start})" for label, period, start, _action in kept_for())


def run_retention(*, at: datetime) -> RetentionRun:
    """Throw away whose time is over, and write down how much. Twice changes nothing more.

    One transaction for each class and each person, so that everybody else gets a turn; inside an open one, savepoints. What
    cannot be thrown away stays as it is, is counted as failed, and keeps nothing else from going.
    """
    night = _Night(at)
    with _piece():
        days = queries.periods(CLASSES)
    try:
        for one in CLASSES:
            night.throw_away(one, at - timedelta(days=days[one.name]))
    except _Away:
        pass  # it is noted, and tried again later
    with _piece():
        run = RetentionRun(ran_at=at, counts=night.counts, failed=",".join(sorted(night.failed)))
        db.session.add(run)
        db.session.flush()
        unit.after_commit("forget-log", forget_log)
    return run


@contextmanager
def _piece() -> Iterator[None]:
    with db.session.begin_nested() if unit.is_writing() else unit.writing():
        db.session.expire_all()
        yield


class _Away(Exception):
    """Database or disk cannot be used for the time being: everything that is left would only wait for it too."""


class _Night:
    """One run: what was thrown away of each class, and how many pieces of it were not."""

    def __init__(self, at: datetime) -> None:
        self.at = at
        self.counts = {one.name: 0 for one in CLASSES}
        self.failed: Counter[str] = Counter()

    def throw_away(self, one: DataClass, before: datetime) -> None:
        """One class up to its moment."""
        for query in one.people(before, self.at) if one.people else ():
            ids: list[int] = []
            self._do(one, partial(_find, query, ids))
            for contact_id in ids:
                self._do(one, partial(_erase_one, query, contact_id, self.at))
        if one.special:
            self._do(one, partial(one.special.do, before, self.at))
        if one.rows:
            self._do(one, partial(_change_all, one.rows, before, self.at))

    def _do(self, one: DataClass, work: Callable[[], int]) -> None:
        try:
            with _piece():
                number = work()
        except Exception as error:  # noqa: BLE001 - a row that cannot be read must not keep all others
            self._note(one, error)
        else:
            self.counts[one.name] += number

    def _note(self, one: DataClass, error: Exception) -> None:
        self.failed[one.name] += 1
        away = outage.judged(error)
        if away is not None:
            current_app.logger.error("retention of %s: %s", one.name, away.reason)
            if not outage.is_lost_race(error):
                raise _Away from error
        elif self.failed[one.name] == 1:
            current_app.logger.error("retention of %s failed", one.name, exc_info=error)


def _find(query: Any, ids: list[int]) -> int:
    ids += db.session.scalars(query.order_by(Contact.id))
    return 0


def _erase_one(query: Any, contact_id: int, at: datetime) -> int:
    """Somebody may need the person since they were found: it is asked once more."""
    if db.session.scalar(query.where(Contact.id == contact_id)) is None:
        return 0
    # By its time, not by request: what a restored backup brings back, the next night throws away again.
    erase(found(db.session.get(Contact, contact_id)), at=at, remember=False)
    return 1


def _change_all(rows: Over, before: datetime, at: datetime) -> int:
    return sum(_changed(statement) for statement in rows(before, at))


def _changed(statement: Any) -> int:
    db.session.flush()
    done = db.session.execute(statement.execution_options(synchronize_session=False))
    db.session.expire_all()
    return int(done.rowcount)  # type: ignore[attr-defined]


def preview(*, at: datetime) -> dict[str, int]:
    """How much the next run would throw away of each class, counted without doing it. Who goes is counted once.

    What goes along with somebody is counted with its own class too, when its time is over.
    """
    days = queries.periods(CLASSES)
    counts, gone = {}, set[int]()
    for one in CLASSES:
        before = at - timedelta(days=days[one.name])
        ids = {
            id_
            for query in (one.people(before, at) if one.people else ())
            for id_ in db.session.scalars(query)
        }
        rows = one.rows(before, at) if one.rows else ()
        counts[one.name] = (
            len(ids - gone)
            + sum(_number(statement.table, statement.whereclause) for statement in rows)
            + (one.special.count(before, at) if one.special else 0)
        )
        gone |= ids
    return counts


def keep_schedule(*, at: datetime) -> bool:
    """Run once a night; blank at once the letters that told somebody of their erasure. True when the night's run was made.

    Of several workers one does it. What failed is tried again, not before an hour has passed.
    """
    with unit.reading():
        is_due = _is_due(at)
        has_told = bool(db.session.scalar(select(func.count(Mail.id)).where(*_told())))
    if has_told:
        with unit.writing():
            forget_told()
    if not is_due:
        return False
    with unit.alone("retention") as is_alone:
        if not is_alone:
            return False
        with unit.reading():
            is_due = _is_due(at)
        if is_due:
            current_app.extensions["retention_begun"] = at
            run_retention(at=at)
            del current_app.extensions["retention_begun"]
        return is_due


def _is_due(at: datetime) -> bool:
    local = at.astimezone(ZoneInfo(DEFAULT_ZONE))
    tonight = local.replace(hour=HOUR, minute=0, second=0, microsecond=0)
    if local < tonight:
        tonight -= timedelta(days=1)
    last = queries.last_run()
    if last is not None and last.ran_at >= tonight and not last.failed:
        return False
    # Whatever it was that failed, it is not over in a minute. A run that could not even be written down counts too.
    tries = [
        last.ran_at if last is not None and last.failed else None,
        current_app.extensions.get("retention_begun"),
    ]
    return not any(one is not None and timedelta() <= at - one < PAUSE for one in tries)


def _told() -> tuple[Any, ...]:
    return Mail.kind == ERASED_LETTER, Mail.state.in_(OVER), Mail.recipient_address != ""


def forget_told() -> int:
    """Blank the letters about a decision that have reached whom they were for, or never will."""
    blank = {"recipient_name": "", "recipient_address": "", "subject": "", "text": "", "error": None}
    return _changed(update(Mail).where(*_told()).values(blank))


def set_periods(days: dict[str, int]) -> None:
    """Keep the operator's periods where they differ from the defaults."""
    known = {period.name: period for period in db.session.scalars(select(RetentionPeriod))}
    holds = queries.periods(CLASSES)
    for name, wanted in days.items():
        if name in known:
            known[name].days = wanted
        elif wanted != holds[name]:
            db.session.add(RetentionPeriod(name=name, days=wanted))
    db.session.flush()


# -- requests ------------------------------------------------------------


def ask(
    conference: Conference, contact: Contact, kind: RequestKind, words: str, *, at: datetime
) -> PrivacyRequest:
    """Somebody asks for erasure, restriction, or objects. Asked twice while it is open, it is one request."""
    one_locked(select(Contact).where(Contact.id == contact.id))
    waiting = queries.open_request(contact.id, kind)
    if waiting is not None:
        waiting.words = words or waiting.words
        return waiting
    request = PrivacyRequest(conference=conference, contact=contact, kind=kind, words=words, asked_at=at)
    db.session.add(request)
    db.session.flush()
    return request


def decide(
    request: PrivacyRequest, outcome: Outcome, reason: str, account: Account, *, at: datetime
) -> PrivacyRequest:
    """Grant or refuse, with the reason that the person is told. What is granted happens at once.

    Raises Refused when it is decided already, or when the person is known in conferences, too, that the account does not
    organise.
    """
    request = found(one_locked(select(PrivacyRequest).where(PrivacyRequest.id == request.id)))
    _check_open(request)
    # Locked, so that no conference of others comes to know the person between the look and the deed.
    contact = found(one_locked(select(Contact).where(Contact.id == request.contact_id)))
    _check_reach(account, contact)
    address = (contact.name, contact.email or "")
    request.outcome, request.reason, request.decided_at, request.account_id = outcome, reason, at, account.id
    # Written while the reason is as it was given; of who is erased it is kept without their name.
    told = _letter(request, address)
    if outcome is Outcome.GRANTED:
        _do(request, contact, account, at)
    if request.kind is RequestKind.RECTIFICATION:
        told = replace(told, recipient=(contact.name, contact.email or ""))
    if told.recipient[1]:
        queue(told, at=at)
    db.session.flush()
    return request


def _check_reach(account: Account, contact: Contact) -> None:
    if queries.is_known_elsewhere(account, contact.id):
        raise Refused(
            _(
                "%(name)s is known in other conferences, too, which you do not organise. An administrator of the house "
                "decides this.",
                name=contact.name,
            )
        )


def note_address(contact: Contact, address: str, account: Account, *, at: datetime) -> None:
    """A new address of somebody who is known elsewhere, too, waits for an administrator of the house."""
    conference = found(queries.common_conference(account, contact.id))
    ask(conference, contact, RequestKind.RECTIFICATION, address, at=at)


def _check_open(request: PrivacyRequest) -> None:
    if request.outcome is Outcome.WITHDRAWN:
        raise Refused(_("This request has been withdrawn by the person."))
    if request.outcome is not None:
        raise Refused(_("This request has been decided already."))


def withdraw_request(request: PrivacyRequest, *, at: datetime) -> None:
    """The person takes an open request back; twice changes nothing more. Raises Refused when it is decided already."""
    request = found(one_locked(select(PrivacyRequest).where(PrivacyRequest.id == request.id)))
    if request.outcome is Outcome.WITHDRAWN:
        return
    _check_open(request)
    request.outcome, request.decided_at = Outcome.WITHDRAWN, at
    db.session.flush()


def _do(request: PrivacyRequest, contact: Contact, account: Account, at: datetime) -> None:
    if request.kind is RequestKind.RESTRICTION:
        restrict(contact, at=at)
        return
    if request.kind is RequestKind.RECTIFICATION:
        readdress(contact, request.words, account, at=at)
        return
    db.session.flush()
    erase(contact, at=at)


def _letter(request: PrivacyRequest, address: tuple[str, str]) -> NewMail:
    conference = request.conference
    erased = request.outcome is Outcome.GRANTED and request.kind.erases
    return letter(
        conference,
        "privacy_decided",
        ("", address[1]) if erased else address,
        purpose=f"privacy-decided:{request.id}",
        context={"request": request, "erased": erased},
        kind=ERASED_LETTER if erased else "privacy-answered",
    )


def restrict(contact: Contact, *, at: datetime) -> None:
    """Keep the data, use them no more: no letters, not in exports, lists and papers. Letters that have not left are stopped."""
    contact.restricted_at = contact.restricted_at or at
    if contact.email:
        control.stop_letters_to(contact.email, at=at)


def lift_restriction(contact: Contact, account: Account) -> None:
    """Use the data again. Raises Refused when the person is known in conferences, too, that the account does not organise."""
    _check_reach(account, contact)
    contact.restricted_at = None


def rectify(
    conference: Conference,
    contact: Contact,
    *,
    title: str,
    first_name: str,
    last_name: str,
    function: str,
    version: int | None,
    at: datetime,
) -> None:
    """Put right what people know best themselves, in their registrations too; the person is told by mail.

    Raises Stale when staff changed it meanwhile.
    """
    contact = found(one_locked(select(Contact).where(Contact.id == contact.id)))
    new = f"{title} {first_name} {last_name}, {function}"
    old = f"{contact.title} {contact.first_name} {contact.last_name}, {contact.function}"
    check_version(version, contact.version, mine=new.strip(), theirs=old.strip())
    before = contact.name
    contact.title, contact.first_name, contact.last_name, contact.function = (
        title,
        first_name,
        last_name,
        function,
    )
    contact.version += 1
    for registration in db.session.scalars(select(Registration).where(Registration.contact_id == contact.id)):
        if registration.name == before:
            registration.name = contact.name
            registration.version += 1
    if contact.email and new.strip() != old.strip():
        told = letter(
            conference,
            "privacy_corrected",
            (contact.name, contact.email),
            purpose=f"privacy-corrected:{contact.id}:{contact.version}",
            context={"contact": contact},
        )
        queue(told, at=at)


# -- access ----------------------------------------------------------------


def send_access_link(conference: Conference, contact: Contact, *, at: datetime) -> None:
    """Mail a fresh link of 15 minutes to the known address; older ones die. Raises Refused without an address."""
    contact = found(one_locked(select(Contact).where(Contact.id == contact.id)))
    if not contact.email:
        raise Refused(_("There is no e-mail address to which the link could go."))
    db.session.execute(delete(AccessLink).where(AccessLink.contact_id == contact.id))
    nonce = links.new_nonce()
    link = AccessLink(
        contact_id=contact.id,
        conference_id=conference.id,
        token_hash=links.hash_of(links.token_of(nonce)),
        created_at=at,
        expires_at=at + LINK_LASTS,
    )
    db.session.add(link)
    db.session.flush()
    new = letter(
        conference,
        "privacy_access",
        (contact.name, contact.email),
        purpose=f"privacy-access:{secrets.token_hex(8)}",
        context={"contact": contact},
        kind="privacy-access",
        button=(_l("Get my data"), absolute("privacy.open_access", token=links.mark_of(nonce))),
    )
    queue(new, at=at)


# -- statements and feedback ---------------------------------------------


def save_statement(
    page: str, language: str, text: str, version: int | None, account: Account, *, at: datetime
) -> Statement:
    """Keep the operator's words as a new version; empty words bring the house's own back. Raises Stale."""
    current = queries.statement(page, language)
    number = current.number if current else 0
    check_version(version, number, mine=text, theirs=current.text if current else "")
    here = (Statement.page == page, Statement.language == language)
    saved = Statement(
        page=page,
        language=language,
        number=next_number(Statement.number, *here),
        text=text,
        account_id=account.id,
        saved_at=at,
    )
    db.session.add(saved)
    db.session.flush()
    return saved


def give_feedback(page: str, text: str, email: str, *, at: datetime) -> Feedback:
    """Somebody tells of a barrier."""
    feedback = Feedback(page=page, text=text, email=email, sent_at=at)
    db.session.add(feedback)
    db.session.flush()
    return feedback


def mark_answered(feedback: Feedback, account: Account, *, at: datetime) -> None:
    """Somebody has answered; the second time changes nothing."""
    if feedback.answered_at is None:
        feedback.answered_at, feedback.account_id = at, account.id
