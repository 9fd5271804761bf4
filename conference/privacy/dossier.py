"""All that is stored of one person (Article 15 GDPR): plain data for a file to read by machine, the same in words."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from flask import get_template_attribute
from flask_babel import gettext as _
from sqlalchemy import and_, false, or_, select
from sqlalchemy.engine import Connection

from ..actions.models import Action, Report
from ..conferences.models import Conference, Topic
from ..core import letters, mentions
from ..core.text import comparison_key
from ..groups.models import Concern, Group, GroupsRule, Round, RulePerson, Seat
from ..ideas.models import Idea
from ..inbox.models import InboundMail
from ..invitations.models import ImportedRow, Invitation, ListImport, PersonalLink
from ..invitations.queries import NOTICE
from ..kit.audit import AuditEntry
from ..kit.db import db, found
from ..minutes.models import Release
from ..outbox import operations as outbox
from ..outbox.models import DeadAddress, Mail
from ..providers.models import Contact, FormerDetails
from ..record import words
from ..registrations.models import Attendance, Consent, Notice, Registration, SeatOffer, Wish
from ..sheets.models import SheetState
from ..voting.models import Vote, Voter
from . import naming
from .models import AccessLink, Feedback, PrivacyRequest

TOLD = {
    "contact": "person", "former_details": "former_details",
    "invitation": "invitations", "registration": "registrations", "consent": "registrations",
    "attendance": "attendance", "personal_link": "personal_links", "access_link": "access_links", "seat": "groups",
    "rule_person": "rules", "concern": "concerns", "sheet_state": "results_sheets", "voter": "votes",
    "action": "actions", "privacy_request": "requests", "imported_row": "imports",
}  # fmt: skip
"""In which part of the answer a table stands that refers to a person; a test holds that none is missing."""
LEFT_OUT = {
    "id": "the number of a row", "version": "counts changes", "position": "an order on a page",
    "email_key": "the address once more, for comparing",
    "calendar_uid": "a sign of the calendar entry", "calendar_sequence": "counts calendar entries",
    "entry_state": "what the calendar knows", "partstat": "the answer once more, for calendars",
    "first_message_id": "a sign of a letter", "nonce": "a secret that opens the page", "token_hash": "checks a secret",
    "submission": "a sign against sending twice",
}  # fmt: skip
"""Columns that are not told, with the reason. Numbers that lead to other rows (…_id) are told as names."""
PART_OF = (
    "round_id", "group_id", "sheet_id", "vote_id", "action_id", "rule_id", "registration_id", "invitation_id", "grant_id",
    "agenda_item_id", "list_import_id",
)  # fmt: skip
"""What a row without a number of a conference is a part of; a test holds that none of them is forgotten."""
OWN = {
    "contact",
    "consent",
    "registration",
    "access_link",
    "privacy_request",
    "feedback",
    "notice",
    "statement",
    "mail",
    "groups_release",
}
"""Tables that are told of in parts of their own, or that hold other people's things."""


Within = frozenset[int] | None
"""The conferences of which somebody is told; None: of all, and of what belongs to none."""


def of_person(contact: Contact, at: datetime, within: Within = None) -> dict[str, Any]:
    """All that is stored of a person, as plain data (Article 15); `within` some conferences only, and then it says so."""
    mine = contact.id
    connection = db.session.connection()
    person = naming.person(connection, mine)
    letters_to = _letters_to(connection, person, within)
    return _told(within) | {
        "made_at": at.isoformat(),
        "person": _row(contact) | {"organisation": contact.provider.name},
        "former_details": _rows(FormerDetails, mine, within),
        "invitations": _rows(Invitation, mine, within),
        "registrations": [_registration(one) for one in _all(Registration, mine, within)],
        "notices": _notices(mine, within),
        "attendance": _rows(Attendance, mine, within),
        "personal_links": _rows(PersonalLink, mine, within),
        "access_links": _rows(AccessLink, mine, within),
        "imports": _imports(mine, within),
        "groups": _groups(mine, within),
        "rules": _rules(mine, within),
        "concerns": _rows(Concern, mine, within),
        "results_sheets": _rows(SheetState, mine, within),
        "ideas": _ideas(person, within),
        "votes": [{"vote": title, "has_voted": True} for title in _votes(mine, within)],
        "actions": [_action(one) for one in _actions(mine, within)],
        "minutes": _passages(person, within),
        "texts": _texts(person, within),
        "mails": _mails(letters_to),
        "inbox": _inbox(contact, person, letters_to, within),
        "feedback": _feedback(person, within),
        "requests": _rows(PrivacyRequest, mine, within),
        "record": _record(mine, within),
    }


def _told(within: Within) -> dict[str, Any]:
    """Of which conferences is told, where it is not of all."""
    if within is None:
        return {}
    query = select(Conference.title).where(Conference.id.in_(within)).order_by(Conference.id)
    return {"only_of_the_conferences": list(db.session.scalars(query))}


def _of(query: Any, table: Any, within: Within) -> Any:
    """The same query for the rows of these conferences: by the number of theirs, or of what they are a part of."""
    return query if within is None else query.where(_lies_in(table, within))


def _lies_in(table: Any, within: frozenset[int]) -> Any:
    """Whether a row belongs to one of the conferences. What belongs to none does not."""
    if table.name == "conference":
        return table.c.id.in_(within)
    if "conference_id" in table.c:
        return table.c.conference_id.in_(within)
    for name in PART_OF:
        if name in table.c:
            whole = next(iter(table.c[name].foreign_keys)).column.table
            return table.c[name].in_(select(whole.c.id).where(_lies_in(whole, within)))
    return false()


def recipients() -> list[str]:
    """To whom the data go, in words."""
    return [
        _("The staff of the agency who prepare, hold and evaluate the conference."),
        _("Who sits at your table: your name and your organisation."),
        _("All participants: your name and your organisation on the list, if you have agreed."),
        _("Who was there or excused: the released minutes, which name who was present."),
        _("Nobody in other countries, and no advertisers."),
    ]


def _all(model: Any, contact_id: int, within: Within) -> list[Any]:
    query = select(model).where(model.contact_id == contact_id).order_by(model.id)
    return list(db.session.scalars(_of(query, model.__table__, within)))


def _rows(model: Any, contact_id: int, within: Within) -> list[dict[str, Any]]:
    return [_row(one) for one in _all(model, contact_id, within)]


def _row(thing: Any) -> dict[str, Any]:
    """Its columns, and the conference by its title."""
    names = (each.key for each in thing.__mapper__.column_attrs)
    told = {name: _plain(getattr(thing, name)) for name in names if not is_left_out(name)}
    conference_id = getattr(thing, "conference_id", None)
    if conference_id is None:
        return told
    conference = db.session.get(Conference, conference_id)
    return {"conference": conference.title if conference else ""} | told


def is_left_out(column: str) -> bool:
    """Whether a column is not told as it is."""
    return column in LEFT_OUT or column.endswith("_id")


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, str | int | float | bool | list | dict):
        return value
    return value.isoformat() if hasattr(value, "isoformat") else str(getattr(value, "value", value))


def _registration(registration: Registration) -> dict[str, Any]:
    consents = db.session.scalars(select(Consent).where(Consent.registration_id == registration.id))
    wishes = select(Topic.title).join(Wish).where(Wish.registration_id == registration.id).order_by(Wish.rank)
    offers = db.session.scalars(select(SeatOffer).where(SeatOffer.registration_id == registration.id))
    return _row(registration) | {
        "offers": [_row(one) for one in offers],
        "consents": [_row(one) for one in consents],
        "wishes": list(db.session.scalars(wishes)),
    }


def _notices(contact_id: int, within: Within) -> list[dict[str, Any]]:
    """The words that were in force when the person registered."""
    query = (
        select(Notice)
        .join(
            Registration,
            and_(
                Registration.conference_id == Notice.conference_id,
                Registration.notice_version == Notice.version,
            ),
        )
        .where(Registration.contact_id == contact_id)
        .order_by(Notice.id)
    )
    return [
        _row(one) | {"version": one.version, "text": notice_words(one)}
        for one in db.session.scalars(_of(query, Notice.__table__, within))
    ]


class _Values(dict[str, str]):
    """What a notice may name; of anything else in the letter only a mark is left."""

    def __missing__(self, name: str) -> str:
        return "…"


def notice_words(notice: Notice) -> str:
    """The notice of Article 14 GDPR out of the kept letter, filled in: from where it begins to the end of the letter."""
    paragraphs = notice.text.split("\n\n")
    start = next((at for at, one in enumerate(paragraphs) if NOTICE.search(one)), 0)
    conference = found(db.session.get(Conference, notice.conference_id))
    values = _Values(
        conference=conference.title,
        series=conference.series.title,
        place=conference.place,
        organiser=conference.organiser_name,
        organiser_email=conference.organiser_email,
        organiser_phone=conference.organiser_phone,
    )
    return letters.fill("\n\n".join(paragraphs[start:]), values).strip()


def _imports(contact_id: int, within: Within) -> list[dict[str, Any]]:
    query = (
        select(ListImport.filename, ListImport.created_at, ImportedRow.line)
        .join(ListImport, ImportedRow.list_import_id == ListImport.id)
        .where(ImportedRow.contact_id == contact_id)
        .order_by(ImportedRow.id)
    )
    found = db.session.execute(_of(query, ListImport.__table__, within))
    return [_named(row) for row in found.mappings()]


def _named(row: Mapping[Any, Any]) -> dict[str, Any]:
    return {str(key): _plain(value) for key, value in row.items()}


def _groups(contact_id: int, within: Within) -> list[dict[str, Any]]:
    query = (
        select(Conference.title.label("conference"), Round.number.label("round"), Group.name.label("group"), Seat.pinned)
        .join(Group, Seat.group_id == Group.id)
        .join(Round, Group.round_id == Round.id)
        .join(Conference, Round.conference_id == Conference.id)
        .where(Seat.contact_id == contact_id)
        .order_by(Round.id)
    )  # fmt: skip
    return [_named(row) for row in db.session.execute(_of(query, Round.__table__, within)).mappings()]


def _rules(contact_id: int, within: Within) -> list[dict[str, Any]]:
    query = select(GroupsRule).join(RulePerson, RulePerson.rule_id == GroupsRule.id)
    query = query.where(RulePerson.contact_id == contact_id).order_by(GroupsRule.id)
    return [_row(rule) for rule in db.session.scalars(_of(query, GroupsRule.__table__, within))]


def _votes(contact_id: int, within: Within) -> list[str]:
    query = select(Vote.title).join(Voter, Voter.vote_id == Vote.id).where(Voter.contact_id == contact_id)
    return list(db.session.scalars(_of(query.order_by(Vote.id), Vote.__table__, within)))


def _actions(contact_id: int, within: Within) -> Iterable[Action]:
    query = select(Action).where(Action.responsible_id == contact_id).order_by(Action.id)
    return list(db.session.scalars(_of(query, Action.__table__, within)))


def _action(action: Action) -> dict[str, Any]:
    reports = db.session.scalars(select(Report).where(Report.action_id == action.id).order_by(Report.number))
    return _row(action) | {"reports": [_row(one) for one in reports]}


def _ideas(person: naming.Person, within: Within) -> list[dict[str, Any]]:
    """Ideas are stored without their authors; what can be found are those that name the person."""
    query = select(Idea).order_by(Idea.id)
    return [
        {"number": one.number, "text": one.text, "created_at": one.created_at.isoformat()}
        for one in db.session.scalars(_of(query, Idea.__table__, within))
        if _lines(person, one.conference_id, [one.text, one.typed])
    ]


def _lines(person: naming.Person, conference_id: int | None, value: Any) -> list[str]:
    """The lines in which the person is named, and nobody else of the same name."""
    finder = person.finder(conference_id)
    return [] if finder is None else mentions.lines_in(value, finder)


def _passages(person: naming.Person, within: Within) -> list[dict[str, Any]]:
    passages = []
    for release in db.session.scalars(_of(select(Release).order_by(Release.id), Release.__table__, within)):
        lines = _lines(person, release.conference_id, release.text)
        if lines:
            told = {"number": release.number, "released_at": release.released_at.isoformat(), "lines": lines}
            passages.append(_row_of_conference(release.conference_id) | told)
    return passages


def _row_of_conference(conference_id: int) -> dict[str, Any]:
    conference = db.session.get(Conference, conference_id)
    return {"conference": conference.title if conference else ""}


def _texts(person: naming.Person, within: Within) -> list[dict[str, Any]]:
    """Lines of any table in which the person is named, beside their own rows and the minutes."""
    found: dict[tuple[str, str], list[str]] = {}
    for table, columns, is_free in naming.typed_columns():
        if table.name in OWN | {"idea"}:
            continue
        query = select(naming.place_of(table), *columns).where(is_free)
        for row in db.session.execute(_of(query, table, within)):
            for column, value in zip(columns, row[1:], strict=True):
                lines = _lines(person, row[0], value)
                if lines:
                    found.setdefault((table.name, column.name), []).extend(lines)
    return [
        {"kind": table, "column": column, "lines": list(dict.fromkeys(lines))}
        for (table, column), lines in found.items()
    ]


def _letters_to(connection: Connection, person: naming.Person, within: Within) -> list[int]:
    """Letters know the conference by its slug."""
    slugs = select(Conference.slug).where(Conference.id.in_(within or ()))
    about = None if within is None else set(db.session.scalars(select(Mail.id).where(Mail.about.in_(slugs))))
    return [
        number
        for number, _state, one in outbox.envelopes(connection)
        if person.has_letter(one) and (about is None or number in about)
    ]


def _mails(theirs: list[int]) -> list[dict[str, Any]]:
    names = ("subject", "kind", "state", "created_at", "sent_at")
    return [
        {name: _plain(getattr(mail, name)) for name in names}
        for mail in db.session.scalars(select(Mail).where(Mail.id.in_(theirs)).order_by(Mail.id))
    ]


def _inbox(
    contact: Contact, person: naming.Person, theirs: list[int], within: Within
) -> list[dict[str, Any]]:
    invitations = select(Invitation.id).where(Invitation.contact_id == contact.id)
    invitations = _of(invitations, Invitation.__table__, within)
    answers = or_(InboundMail.invitation_id.in_(invitations), InboundMail.mail_id.in_(theirs))
    query = select(InboundMail).where(answers).order_by(InboundMail.id)
    found = [
        {"read_at": one.read_at.isoformat(), "outcome": one.outcome.value}
        for one in db.session.scalars(query)
    ]
    dead = select(DeadAddress).order_by(DeadAddress.id)
    return found + [
        {"since": one.since.isoformat(), "reason": one.reason}
        for one in db.session.scalars(dead)
        if person.has_address(one.address_key)
    ]


def _feedback(person: naming.Person, within: Within) -> list[dict[str, Any]]:
    if within is not None:
        return []
    reports = db.session.scalars(select(Feedback).where(Feedback.email != "").order_by(Feedback.id))
    return [_row(one) for one in reports if person.has_address(comparison_key(one.email))]


def _record(contact_id: int, within: Within) -> list[dict[str, Any]]:
    query = select(AuditEntry).where(
        or_(
            AuditEntry.contact_id == contact_id,
            and_(AuditEntry.actor == "contact", AuditEntry.actor_id == contact_id),
        )
    )
    return [
        {"at": one.at.isoformat(), "verb": one.verb, "kind": one.kind, "via": one.via}
        for one in db.session.scalars(_of(query, AuditEntry.__table__, within).order_by(AuditEntry.number))
    ]


# -- for people to read ------------------------------------------------


def sections(content: Mapping[str, Any], zone: str) -> list[tuple[str, list[list[tuple[str, Any]]]]]:
    """The same in words: titles, and under each its things as pairs of label and value."""
    titles = (
        (_("Earlier names and addresses"), "former_details", "former_details"),
        (_("Invitations"), "invitations", "invitation"),
        (_("Registrations and consents"), "registrations", "registration"),
        (_("Notice on data protection"), "notices", "notice"),
        (_("Attendance"), "attendance", "attendance"),
        (_("Personal links"), "personal_links", "personal_link"),
        (_("Links to your data"), "access_links", "access_link"),
        (_("Taken over from lists"), "imports", "list_import"),
        (_("Groups"), "groups", "seat"),
        (_("Rules for the groups"), "rules", "groups_rule"),
        (_("Concerns"), "concerns", "concern"),
        (_("Results sheets"), "results_sheets", "sheet_state"),
        (_("Ideas that name you"), "ideas", "idea"),
        (_("Votes"), "votes", "voter"),
        (_("Actions"), "actions", "action"),
        (_("Minutes"), "minutes", "release"),
        (_("Other texts that name you"), "texts", ""),
        (_("Letters"), "mails", "mail"),
        (_("Answers by e-mail"), "inbox", "inbound_mail"),
        (_("Reports of barriers"), "feedback", "feedback"),
        (_("Requests"), "requests", "privacy_request"),
        (_("Record of changes"), "record", ""),
    )
    found = []
    for title, part, table in titles:
        things = [_pairs(one, table, zone) for one in content[part]]
        if all(len(thing) == 1 for thing in things):
            things = [[pair for thing in things for pair in thing]]  # one table is easier to read
        found += [(title, things)] if content[part] else []
    return found


PARTS = {"consents": "consent", "reports": "report", "offers": "seat_offer"}
DIGESTS = {("registration", "notice_version"), ("consent", "text_version"), ("notice", "version")}
"""For programs: a digest of words that stand in the answer themselves, with their date."""


def _pairs(thing: Mapping[str, Any], table: str, zone: str) -> list[tuple[str, Any]]:
    if set(thing) == {"kind", "column", "lines"}:
        return [(f"{words.kind_of(thing['kind'])}: {words.column_of(thing['column'])}", thing["lines"])]
    if set(thing) == {"at", "verb", "kind", "via"}:
        said = f"{words.kind_of(thing['kind'])}: {words.VERBS[thing['verb']]}"
        return [(words.value_of("audit_entry", "at", thing["at"], zone), said)]
    return [
        (words.column_of(key), _said(key, value, table, zone))
        for key, value in thing.items()
        if value not in (None, "", []) and (table, key) not in DIGESTS
    ]


def _said(key: str, value: Any, table: str, zone: str) -> Any:
    if key in PARTS:
        return [
            "; ".join(f"{label}: {said}" for label, said in _pairs(one, PARTS[key], zone)) for one in value
        ]
    if (table, key) == ("mail", "kind"):
        return str(get_template_attribute("outbox/_words.html", "kind_label")(value)).strip()
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    return value if isinstance(value, list) else words.value_of(table, key, value, zone)


def person_in_words(content: Mapping[str, Any], zone: str) -> list[tuple[str, Any]]:
    """The master data, label and value."""
    return _pairs(content["person"], "contact", zone)
