"""Where people may be named, and who else is called so: what an erasure may change, and what an answer to a person may tell.

Texts that somebody typed are in `TYPED`; all other columns with letters in them are in `KEPT`, with the reason why no text of
a person is looked for there. A test holds that none is missing. In the texts of a conference where a person is known, only
who is known there too can be meant by the same name; elsewhere anybody can, and the last name alone means nobody.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import JSON, String, Table, and_, null, select, true
from sqlalchemy.engine import Connection
from sqlalchemy.sql.sqltypes import Enum

from ..accounts.models import Account
from ..actions.models import Action, Report
from ..agenda.models import AgendaItem
from ..conferences.models import Conference, Room, Series, Topic
from ..core import mentions
from ..core.mentions import Called, Finder, Names, Others
from ..core.salutation import full_name
from ..core.text import comparison_key
from ..invitations.models import Invitation
from ..kit.audit import AuditEntry
from ..kit.db import db
from ..minutes.models import Minutes
from ..outbox.models import Mail
from ..outbox.operations import Envelope
from ..providers.models import Contact, FormerDetails, Provider, Salutation
from ..registrations.models import Attendance, Consent, Registration

TYPED = {
    "action": "title description supporters",
    "agenda_item": "title description person",
    "archive_step": "note",
    "breakout_group": "name focus_question",
    "cancelled_entry": "title",
    "capture_point": "table",
    "cluster": "heading",
    "concern": "title sentence",
    "conference": "title focus_question",
    "contact": "function team",
    "dead_address": "reason",
    "decision": "wording manner",
    "enclosure": "name",
    "facilitation": "table",
    "feedback": "text",
    "forming": "problem setting best result trouble",
    "group_sheet": "table",
    "groups_release": "plan",
    "groups_rule": "table attribute value",
    "idea": "text typed table",
    "invitation": "decline_reason",
    "letter": "subject body",
    "list_import": "filename",
    "mail": "subject text error",
    "minutes": "chair moderator minute_taker summary",
    "note": "text",
    "notice": "text",
    "privacy_request": "words reason",
    "provider_limit": "reason",
    "registration": "diet access_needs",
    "report": "text author",
    "round_timer": "last_step",
    "seat_rules": "reason",
    "seating_change": "about before",
    "sheet_idea": "result",
    "sheet_state": "question results open_points proposal writer",
    "topic": "title",
    "vote": "title result",
    "vote_option": "wording",
}
"""Table → columns in which anybody may have been named by somebody."""
_OWN = "name or address of somebody: theirs goes with them"
_ACCOUNT, _SIGN, _THING = "of an account", "a sign of the program's", "what a thing is called"
KEPT = {
    "access_link": {_SIGN: "token_hash"},
    "account": {_ACCOUNT: "email email_key name password_hash totp_nonce"},
    "account_link": {_SIGN: "nonce token_hash"},
    "action_reminder": {_SIGN: "kind"},
    "agenda_item": {_SIGN: "uid"},
    "audit_entry": {"holds references only": "actor via verb kind object_id parent_kind parent_id changes key digest"},
    "audit_text": {"is deleted where it names the person": "column salt before after"},
    "ballot": {_SIGN: "choices"},
    "cancelled_entry": {_SIGN: "uid"},
    "capture_point": {_SIGN: "code"},
    "conference": {
        _THING: "venue address",
        _SIGN: "slug language",
        "of who invites": "organiser_name organiser_email organiser_phone",
    },
    "consent": {_OWN: "name", "words of the house": "wording text_version"},
    "contact": {_OWN: "title first_name last_name email email_key"},
    "dead_address": {_OWN: "address_key"},
    "ended_visit": {_SIGN: "visit_hash"},
    "enclosure": {_SIGN: "sha256 media_type"},
    "erasure": {"holds digests only": "kind digest key"},
    "feedback": {_OWN: "email", _SIGN: "page"},
    "former_details": {_OWN: "first_name last_name email"},
    "groups_setting": {_SIGN: "aims"},
    "idea": {_SIGN: "submission"},
    "inbound_mail": {_SIGN: "digest about"},
    "invitation": {_SIGN: "calendar_uid partstat first_message_id"},
    "list_import": {_SIGN: "mapping"},
    "mail": {
        _OWN: "recipient_name recipient_address",
        "of who invites": "reply_to_name reply_to_address",
        _SIGN: "purpose kind about batch language button_label button_url unsubscribe_url message_id in_reply_to calendar_method",
    },
    "notice": {_SIGN: "version"},
    "passkey": {_ACCOUNT: "name credential_id handle"},
    "personal_link": {_SIGN: "nonce token_hash"},
    "provider": {_THING: "name name_key postcode city"},
    "recovery_code": {_SIGN: "code_hash"},
    "registration": {_OWN: "name", _SIGN: "notice_version"},
    "release": {"released minutes are records": "document text sha256 released_by"},
    "retention_run": {_SIGN: "counts failed"},
    "room": {_THING: "name"},
    "seating_change": {_SIGN: "kind"},
    "sent_form": {"digests only": "content location"},
    "series": {_THING: "title host", _SIGN: "slug"},
    "sheet_state": {_SIGN: "submission"},
    "sign_in_identity": {_ACCOUNT: "issuer subject"},
    "spent_challenge": {_SIGN: "challenge_hash"},
    "staff_session": {_ACCOUNT: "token_hash device"},
    "statement": {"the operator's own words to everybody": "page language text"},
}  # fmt: skip
"""Table → why no text of a person is looked for → columns."""
PSEUDONYM = "P-______"
"""How an erased person is called, for LIKE."""
NO_WHOLE = {"contact", "account", "provider", "mail", "enclosure"}
"""What a row may refer to without being a part of it."""


@dataclass(frozen=True)
class _Bearer:
    """Somebody else of a like name. `contact_id` None: known everywhere; else in some conferences."""

    called: Called
    contact_id: int | None = None
    conference_id: int | None = None


@dataclass
class Person:
    """A person as texts may name them, with everybody who is called alike; read before anything of theirs is changed.

    `keys`: all addresses that they have or had, in their comparison form; those that are `shared` are somebody else's by now, or
    a member of staff's. `said`: all their names, as letters are addressed.
    """

    names: Names
    keys: frozenset[str]
    shared: frozenset[str]
    said: frozenset[str]
    conferences: frozenset[int]
    bearers: list[_Bearer]
    places: dict[int, frozenset[int]]
    others: Others
    _finders: dict[tuple[tuple[Called, ...], bool], Finder | None] = field(default_factory=dict)

    def finder(self, conference_id: int | None) -> Finder | None:
        """What finds the person, and nobody else, in the texts of a conference (None: of no conference in particular)."""
        here: list[Called] = []
        elsewhere: list[Called] = []
        for one in self.bearers:
            (here if self._may_be_meant(one, conference_id) else elsewhere).append(one.called)
        is_known = conference_id in self.conferences
        key = (tuple(here), is_known)
        if key not in self._finders:
            others = replace(self.others, people=tuple(here), elsewhere=tuple(elsewhere))
            self._finders[key] = _finder(self.names, others, is_known)
        return self._finders[key]

    def has_letter(self, envelope: Envelope) -> bool:
        """Whether a letter went to this person, not to whoever has the address now."""
        if envelope.key not in self.shared:
            return envelope.key in self.keys
        is_named = comparison_key(envelope.name) in self.said
        return envelope.key in self.keys and not envelope.is_of_account and is_named

    def has_address(self, key: str) -> bool:
        """Whether an address is this person's and nobody else's."""
        return key in self.keys and key not in self.shared

    def _may_be_meant(self, one: _Bearer, conference_id: int | None) -> bool:
        if conference_id not in self.conferences:
            return True
        if one.contact_id is not None:
            return conference_id in self.places.get(one.contact_id, frozenset())
        return one.conference_id in (None, conference_id)


def _finder(names: Names, others: Others, is_known: bool) -> Finder | None:
    lasts = tuple(one.last for one in names.called)
    if is_known and not others.words:
        return mentions.finder_of(names, others)
    plain = mentions.finder_of(names, replace(others, words=lasts))
    if not is_known:
        return plain
    # A title with the name in it is about the person, unless it says nothing but the word.
    words = tuple(text for text in others.words if plain is None or not plain.search(text))
    return mentions.finder_of(names, replace(others, words=words))


def person(connection: Connection, contact_id: int) -> Person:
    """Read how a person is called, where they are known, and who else is called alike."""
    names = names_of(connection, contact_id)
    lasts = [one.last for one in names.called if one.last.strip()]
    bearers = [
        one
        for one in _everybody_else(connection, contact_id, names)
        if any(mentions.is_near(f"{one.called.first} {one.called.last}", last) for last in lasts)
    ]
    ids = {one.contact_id for one in bearers if one.contact_id is not None} | {contact_id}
    places = _places(connection, ids)
    emails = tuple(_addresses(connection, contact_id))
    theirs = {comparison_key(email) for email in emails}
    keys = frozenset(comparison_key(email) for email in names.emails)
    names = replace(names, emails=tuple(one for one in names.emails if comparison_key(one) not in theirs))
    others = Others(
        things=_near(connection, lasts, _things()),
        words=_near(connection, lasts, [Conference.title, Topic.title, Conference.focus_question]),
        emails=emails,
    )
    said = frozenset(comparison_key(name) for name in _addressed(connection, contact_id))
    return Person(
        names, keys, keys & theirs, said, places.get(contact_id, frozenset()), bearers, places, others
    )


def names_of(connection: Connection, contact_id: int) -> Names:
    """As what a person may stand in texts."""
    row = connection.execute(
        select(Contact.first_name, Contact.last_name, Contact.email, Contact.salutation).where(
            Contact.id == contact_id
        )
    ).one()
    salutation = _salutation(row.salutation)
    called, emails = [Called(row.last_name, row.first_name, salutation)], [row.email]
    before = select(FormerDetails.first_name, FormerDetails.last_name, FormerDetails.email)
    for first, last, email in connection.execute(before.where(FormerDetails.contact_id == contact_id)):
        called.append(Called(last, first, salutation))
        emails.append(email)
    given = connection.scalars(select(Registration.name).where(Registration.contact_id == contact_id))
    signed = connection.scalars(
        select(Consent.name)
        .join(Registration, Consent.registration_id == Registration.id)
        .where(Registration.contact_id == contact_id)
    )
    called += [mentions.called_of(name, in_full=True) for name in [*given, *signed] if name]
    return Names(tuple(dict.fromkeys(called)), tuple(dict.fromkeys(email for email in emails if email)))


def _addressed(connection: Connection, contact_id: int) -> Iterator[str]:
    """The names that letters to a person may bear."""
    now = select(Contact.title, Contact.first_name, Contact.last_name).where(Contact.id == contact_id)
    title, first, last = connection.execute(now).one()
    before = select(FormerDetails.first_name, FormerDetails.last_name)
    for one, other in [
        (first, last),
        *connection.execute(before.where(FormerDetails.contact_id == contact_id)),
    ]:
        yield full_name(title, one, other)
        yield full_name("", one, other)
    yield from connection.scalars(select(Registration.name).where(Registration.contact_id == contact_id))


def _salutation(value: Salutation) -> str:
    return "" if value is Salutation.NONE else str(value.value)


def typed_columns() -> Iterator[tuple[Table, list[Any], Any]]:
    """The tables with texts that somebody typed, these columns of theirs, and in which rows they are nobody's own."""
    for table in db.metadata.sorted_tables:
        names = TYPED.get(table.name, "").split()
        if table.name == "sheet_state":
            # Who wrote a results sheet stands there by name.
            names.remove("writer")
            yield table, [table.c.writer], and_(table.c.contact_id.is_(None), table.c.account_id.is_(None))
        if names:
            yield table, [table.c[name] for name in names], true()


def text_columns(table: Table) -> list[Any]:
    """The columns with letters in them, other than choices and keys."""
    return [
        column
        for column in table.columns
        if isinstance(column.type, String | JSON)
        and not isinstance(column.type, Enum)
        and not column.primary_key
        and not column.foreign_keys
    ]


def conference_of(table: Table) -> Any:
    """To which conference a row belongs, as an expression; None where rows belong to none."""
    if table.name == "conference":
        return table.c.id
    if "conference_id" in table.c:
        return table.c.conference_id
    if table.name == "mail":
        return select(Conference.id).where(Conference.slug == Mail.about).scalar_subquery()
    if table.name == "audit_text":
        return select(AuditEntry.conference_id).where(AuditEntry.number == table.c.number).scalar_subquery()
    for column in table.columns:
        for key in column.foreign_keys:
            whole = key.column.table
            inner = None if whole.name in NO_WHOLE or whole is table else conference_of(whole)
            if inner is not None:
                return select(inner).where(key.column == column).scalar_subquery()
    return None


def place_of(table: Table) -> Any:
    """The same for a query over the rows of a table."""
    place = conference_of(table)
    return null() if place is None else place


# -- everybody else -----------------------------------------------------


def _everybody_else(connection: Connection, contact_id: int, names: Names) -> Iterator[_Bearer]:
    people = select(Contact.id, Contact.first_name, Contact.last_name, Contact.salutation)
    for row in connection.execute(
        people.where(Contact.id != contact_id, Contact.last_name.not_like(PSEUDONYM))
    ):
        yield _Bearer(Called(row.last_name, row.first_name, _salutation(row.salutation)), row.id)
    former = select(FormerDetails.contact_id, FormerDetails.first_name, FormerDetails.last_name)
    for other, first, last in connection.execute(former.where(FormerDetails.contact_id != contact_id)):
        yield _Bearer(Called(last, first), other)
    given = select(Registration.name, Registration.contact_id)
    for name, other in connection.execute(given.where(Registration.contact_id != contact_id)):
        yield _Bearer(mentions.called_of(name), other)
    for query in (select(Account.name), select(Conference.organiser_name)):
        for name in connection.scalars(query):
            yield _Bearer(mentions.called_of(name))
    yield from _written(connection, names)


def _written(connection: Connection, names: Names) -> Iterator[_Bearer]:
    """People who are known only because somebody wrote down who speaks, leads or reports; not the person in question."""
    item, minutes = AgendaItem, Minutes
    columns: list[tuple[Any, Any]] = [
        (item.person, item.conference_id),
        *(
            (column, minutes.conference_id)
            for column in (minutes.chair, minutes.moderator, minutes.minute_taker)
        ),
        (Action.supporters, Action.conference_id),
    ]
    queries = [select(column, conference).where(column != "") for column, conference in columns]
    queries.append(
        select(Report.author, Action.conference_id).join(Action, Report.action_id == Action.id).distinct()
    )
    for query in queries:
        for text, conference_id in connection.execute(query):
            for name in mentions.people_in(text):
                called = mentions.called_of(name)
                if called.first and not any(mentions.may_be(called, one) for one in names.called):
                    yield _Bearer(called, conference_id=conference_id)


def _places(connection: Connection, ids: set[int]) -> dict[int, frozenset[int]]:
    """In which conferences people are known."""
    found: dict[int, set[int]] = {}
    for column, model in (
        (Invitation.contact_id, Invitation),
        (Registration.contact_id, Registration),
        (Attendance.contact_id, Attendance),
        (Action.responsible_id, Action),
    ):
        rows = connection.execute(select(column, model.conference_id).where(column.in_(ids)))
        for contact_id, conference_id in rows:
            found.setdefault(contact_id, set()).add(conference_id)
    return {contact_id: frozenset(places) for contact_id, places in found.items()}


def _things() -> list[Any]:
    return [Provider.name, Series.title, Series.host, Conference.venue, Conference.address, Room.name]


def _near(connection: Connection, lasts: list[str], columns: list[Any]) -> tuple[str, ...]:
    return tuple(
        dict.fromkeys(
            text
            for column in columns
            for text in connection.scalars(select(column))
            if text and any(mentions.bears(text, last) for last in lasts)
        )
    )


def _addresses(connection: Connection, contact_id: int) -> Iterator[str]:
    """The addresses of everybody else."""
    contacts = select(Contact.email).where(Contact.id != contact_id, Contact.email.is_not(None))
    for query in (contacts, select(Account.email), select(Conference.organiser_email)):
        yield from (str(email) for email in connection.scalars(query) if email)
