"""Who asked for what, and what is kept how long."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from flask import current_app
from markupsafe import Markup
from sqlalchemy import ColumnElement, Select, and_, func, or_, select, true
from sqlalchemy.orm import joinedload

from ..accounts.models import Account, Role
from ..actions.models import Action
from ..conferences.models import Conference
from ..conferences.queries import organised_ids
from ..invitations.models import Invitation, PersonalLink
from ..kit import language, links
from ..kit.db import db, portions
from ..kit.markdown import to_html
from ..providers.models import Contact
from ..registrations.models import Attendance, Notice, Registration
from .models import (
    AccessLink,
    Feedback,
    PrivacyRequest,
    RequestKind,
    RetentionPeriod,
    RetentionRun,
    Statement,
)

LATE = timedelta(hours=36)


def periods(classes: Iterable[Any]) -> dict[str, int]:
    """Days by class: the operator's, else the setting's, else the default."""
    chosen = {"letters": int(current_app.config["MAIL_TEXT_DAYS"])}
    chosen |= {period.name: period.days for period in db.session.scalars(select(RetentionPeriod))}
    return {one.name: chosen.get(one.name, one.days) for one in classes}


def runs() -> list[RetentionRun]:
    """The last nights, newest first."""
    return list(db.session.scalars(select(RetentionRun).order_by(RetentionRun.id.desc()).limit(30)))


def last_run(*, is_good: bool = False) -> Any:
    """When the last run was, and what failed in it; or the last one in which nothing failed. What it threw away is not read."""
    query = select(RetentionRun.ran_at, RetentionRun.failed).order_by(RetentionRun.id.desc()).limit(1)
    return db.session.execute(query.where(RetentionRun.failed == "") if is_good else query).one_or_none()


def first_run() -> datetime | None:
    """When the first run was."""
    return db.session.scalar(select(func.min(RetentionRun.ran_at)))


def retention_state(at: datetime) -> tuple[bool, dict[str, Any]]:
    """Whether what is over is thrown away, and figures: the last run in which nothing failed must not be long ago."""
    last, good = last_run(), last_run(is_good=True)
    since = good.ran_at if good is not None else first_run()
    figures: dict[str, Any] = {"last": None, "age_seconds": None, "failed": []}
    if good is not None:
        figures |= {"last": good.ran_at.isoformat(), "age_seconds": round((at - good.ran_at).total_seconds())}
    if last is not None and last.failed:
        figures["failed"] = last.failed.split(",")
    return since is None or at - since <= LATE, figures


def open_request(contact_id: int, kind: RequestKind) -> PrivacyRequest | None:
    query = select(PrivacyRequest).where(
        PrivacyRequest.contact_id == contact_id, PrivacyRequest.kind == kind, PrivacyRequest.outcome.is_(None)
    )
    return db.session.scalars(query).first()


def requests_of(contact_id: int) -> list[PrivacyRequest]:
    query = select(PrivacyRequest).where(PrivacyRequest.contact_id == contact_id)
    return list(db.session.scalars(query.order_by(PrivacyRequest.id.desc())))


def own_request(contact_id: int, request_id: int) -> PrivacyRequest | None:
    query = select(PrivacyRequest).where(
        PrivacyRequest.id == request_id, PrivacyRequest.contact_id == contact_id
    )
    return db.session.scalar(query)


def requests_for(account: Account) -> list[PrivacyRequest]:
    """What the account may decide: open ones first, the oldest of them on top."""
    query = (
        select(PrivacyRequest)
        .options(joinedload(PrivacyRequest.contact), joinedload(PrivacyRequest.conference))
        .where(PrivacyRequest.conference_id.in_(_conferences_of(account)))
        .order_by(PrivacyRequest.outcome.is_not(None), PrivacyRequest.asked_at)
    )
    return list(db.session.scalars(query))


def request_for(account: Account, request_id: int) -> PrivacyRequest | None:
    query = select(PrivacyRequest).where(
        PrivacyRequest.id == request_id, PrivacyRequest.conference_id.in_(_conferences_of(account))
    )
    return db.session.scalar(query)


def _conferences_of(account: Account) -> Any:
    if account.role is Role.ADMIN:
        return select(Conference.id)
    return organised_ids(account)


# -- where a person is known ------------------------------------------


def _places() -> list[Select[Any]]:
    """Pairs of person and conference: by what a conference knows somebody."""
    rooms: list[Any] = [Invitation, Registration, Attendance, PersonalLink]
    known = [select(one.contact_id.label("contact_id"), one.conference_id) for one in rooms]
    owners = select(Action.responsible_id.label("contact_id"), Action.conference_id)
    return [*known, owners.where(Action.responsible_id.is_not(None))]


def seen_by(account: Account) -> ColumnElement[bool]:
    """Of people: who is known in a conference that the account organises, or in none."""
    if account.role is Role.ADMIN:
        return true()
    own = _conferences_of(account)
    here = [_people(one).where(one.selected_columns.conference_id.in_(own)) for one in _places()]
    return or_(
        *(Contact.id.in_(some) for some in here),
        and_(*(Contact.id.not_in(_people(one)) for one in _places())),
    )


def _people(places: Select[Any]) -> Select[Any]:
    return places.with_only_columns(places.selected_columns.contact_id)


def known_elsewhere(account: Account, contact_ids: Iterable[int]) -> set[int]:
    """Those of the people who are known in a conference, too, that the account does not organise."""
    if account.role is Role.ADMIN:
        return set()
    own = _conferences_of(account)
    return {
        contact_id
        for some in portions(contact_ids)
        for one in _places()
        for contact_id in db.session.scalars(
            _people(one).where(
                one.selected_columns.contact_id.in_(some), one.selected_columns.conference_id.not_in(own)
            )
        )
    }


def is_known_elsewhere(account: Account, contact_id: int) -> bool:
    """Whether somebody else, too, works with this person: what holds everywhere is then decided for the whole house."""
    return bool(known_elsewhere(account, [contact_id]))


def only_own(account: Account, contact_id: int) -> frozenset[int] | None:
    """The conferences of which the account is told about the person; None: of all, because it organises all of theirs."""
    if not is_known_elsewhere(account, contact_id):
        return None
    return frozenset(db.session.scalars(_conferences_of(account)))


def common_conference(account: Account, contact_id: int) -> Conference | None:
    """The latest conference that the account organises and that knows the person."""
    here = [
        Conference.id.in_(
            one.with_only_columns(one.selected_columns.conference_id).where(
                one.selected_columns.contact_id == contact_id
            )
        )
        for one in _places()
    ]
    query = select(Conference).where(and_(Conference.id.in_(_conferences_of(account)), or_(*here)))
    return db.session.scalars(query.order_by(Conference.starts_at.desc(), Conference.id).limit(1)).first()


def access_by_token(token: str, at: datetime) -> AccessLink | None:
    query = select(AccessLink).where(
        AccessLink.token_hash == links.hash_of(token), AccessLink.expires_at > at
    )
    return db.session.scalar(query)


def statement(page: str, language: str) -> Statement | None:
    """The newest words of the operator on a page."""
    query = select(Statement).where(Statement.page == page, Statement.language == language)
    return db.session.scalars(query.order_by(Statement.number.desc()).limit(1)).first()


PAGES = ("privacy", "accessibility", "imprint")


def versions_of(page: str, code: str) -> list[Statement]:
    """All words that ever stood on a page, newest first."""
    query = select(Statement).where(Statement.page == page, Statement.language == code)
    return list(db.session.scalars(query.order_by(Statement.number.desc())))


def version_of(page: str, code: str, number: int) -> Statement | None:
    query = select(Statement).where(
        Statement.page == page, Statement.language == code, Statement.number == number
    )
    return db.session.scalar(query)


def own_statement(page: str) -> Markup | None:
    """The operator's words on a page in the language of the screen; None: the house's own text stands."""
    words = statement(page, language.current())
    return in_html(words.text) if words is not None and words.text else None


def in_html(text: str) -> Markup:
    """Words of the operator as they look; {periods} becomes the list of the periods that hold, with blank lines around it."""
    periods = current_app.extensions["periods_list"]()
    return to_html(text.replace("{periods}", f"\n\n{periods}\n\n"), headings=True)


def notices_of(conference_id: int) -> list[Notice]:
    """The words of the notice that were in force for anybody who registered, newest first."""
    query = select(Notice).where(Notice.conference_id == conference_id).order_by(Notice.id.desc())
    return list(db.session.scalars(query))


def notice_for(registration: Registration | None) -> Notice | None:
    """The words that were in force when somebody registered."""
    if registration is None:
        return None
    return db.session.scalar(
        select(Notice).where(
            Notice.conference_id == registration.conference_id, Notice.version == registration.notice_version
        )
    )


def all_feedback() -> list[Feedback]:
    return list(db.session.scalars(select(Feedback).order_by(Feedback.answered_at.is_not(None), Feedback.id)))


def feedback_by_id(feedback_id: int) -> Feedback | None:
    return db.session.get(Feedback, feedback_id)
