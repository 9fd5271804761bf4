"""The import of a guest list: look first, store only what the organiser confirms, undo afterwards."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from ..accounts.models import Account
from ..conferences.models import Conference
from ..core import contact_list
from ..core.contact_list import GoodRow, ListCheck, Problem, Table
from ..kit.db import db, found, one_locked
from ..kit.errors import Refused
from ..providers import operations as providers
from ..providers.models import Contact, Provider, Salutation, Side
from ..providers.queries import provider_names
from .import_words import field_name, reason_of, table_problem
from .models import ImportedRow, ImportState, Invitation, ListImport, Reply
from .operations import invite
from .queries import guest_list, invitation_for

SAME, NEW, LEAVE = "same", "new", "leave"


def read(data: bytes, filename: str) -> Table:
    """The table in an uploaded file. Raises Refused in words when it cannot be read."""
    try:
        return contact_list.read_table(data, filename)
    except contact_list.BadTable as error:
        raise Refused(table_problem(error)) from error


def check(conference: Conference, table: Table, mapping: Mapping[str, int]) -> ListCheck:
    """The verdict on a list for this conference: people who are on its guest list already are named."""
    known = {str(i.contact.email_key): i.contact.name for i in guest_list(conference) if i.contact.email_key}
    return contact_list.check_rows(table, mapping, known, provider_names())


def upload(
    conference: Conference, account: Account | None, data: bytes, filename: str, table: Table, *, at: datetime
) -> ListImport:
    """Keep the file until it is confirmed or thrown away. No person is stored."""
    draft = ListImport(
        conference_id=conference.id,
        account_id=account.id if account else None,
        filename=filename,
        content=data,
        mapping=contact_list.guess_mapping(table.header),
        created_at=at,
    )
    db.session.add(draft)
    db.session.flush()  # the preview's address needs the id
    return draft


def remap(draft: ListImport, mapping: dict[str, int]) -> None:
    """Say which column holds what. Raises Refused when a needed field has no column, or the import is over."""
    _check_draft(draft)
    missing = contact_list.missing_fields(mapping)
    if missing:
        raise Refused(
            _(
                "Please choose a column for: %(fields)s.",
                fields=", ".join(field_name(name) for name in missing),
            )
        )
    draft.mapping = mapping


def _check_draft(draft: ListImport) -> None:
    if draft.state is not ImportState.DRAFT or draft.content is None:
        raise Refused(_("This import is over. Please upload the file again."))


def confirm(draft: ListImport, answers: Mapping[int, str], *, at: datetime) -> int:
    """Store the good rows and those that the organiser decided (line → same, new or leave). Returns how many people.

    Sent twice it stores once; the file is forgotten.
    """
    draft = found(one_locked(select(ListImport).where(ListImport.id == draft.id)))
    _check_draft(draft)
    table = read(draft.content or b"", draft.filename)
    verdict = check(draft.conference, table, draft.mapping)
    rows = chosen_rows(verdict, answers)
    for row in rows:
        _store(draft, row, at)
    draft.state, draft.closed_at, draft.content = ImportState.CONFIRMED, at, None
    return len(rows)


def chosen_rows(verdict: ListCheck, answers: Mapping[int, str]) -> list[GoodRow]:
    """The good rows and the decided ones, by line; 'same' takes over the other spelling of the organisation."""
    spelling = {problem.line: problem.detail for problem in verdict.questions}
    rows = list(verdict.good)
    for row in verdict.asked:
        answer = answers.get(row.line, LEAVE)
        if answer == SAME:
            rows.append(_renamed(row, spelling[row.line]))
        elif answer == NEW:
            rows.append(row)
    return sorted(rows, key=lambda row: row.line)


def _renamed(row: GoodRow, organisation: str) -> GoodRow:
    return GoodRow(**{**vars(row), "organisation": organisation})


def _store(draft: ListImport, row: GoodRow, at: datetime) -> None:
    provider, new_provider = providers.keep_provider(row.organisation, row.postcode, row.city, at=at)
    contact, new_contact = providers.keep_contact(
        provider,
        at=at,
        salutation=Salutation(row.salutation),
        title=row.title,
        first_name=row.first_name,
        last_name=row.last_name,
        email=row.email,
        function=row.function,
        side=Side(row.side),
        team=row.team,
    )
    is_new = invitation_for(draft.conference, contact.id) is None
    invitation = invite(draft.conference, contact, at=at)
    db.session.flush()  # the undo list needs the ids
    made = ImportedRow(
        list_import_id=draft.id,
        line=row.line,
        invitation_id=invitation.id if is_new else None,
        contact_id=contact.id if new_contact else None,
        provider_id=provider.id if new_provider else None,
    )
    db.session.add(made)


def throw_away(draft: ListImport, *, at: datetime) -> None:
    """Forget an upload without storing anybody."""
    if draft.state is ImportState.DRAFT:
        draft.state, draft.closed_at, draft.content = ImportState.UNDONE, at, None


def undo(done: ListImport, *, at: datetime) -> tuple[int, int]:
    """Take an import back: (people removed, people kept because they were invited or are used elsewhere).

    Raises Refused when it was not confirmed, or was undone before.
    """
    done = found(one_locked(select(ListImport).where(ListImport.id == done.id)))
    if done.state is not ImportState.CONFIRMED:
        raise Refused(_("Only an import that was taken over can be undone."))
    rows = list(db.session.scalars(select(ImportedRow).where(ImportedRow.list_import_id == done.id)))
    removed = sum(_take_back(row) for row in rows)
    _forget_unused(rows)
    done.state, done.closed_at = ImportState.UNDONE, at
    return removed, len(rows) - removed


def _take_back(row: ImportedRow) -> bool:
    invitation = db.session.get(Invitation, row.invitation_id) if row.invitation_id else None
    if invitation is None or invitation.sent_at is not None or invitation.reply is not Reply.OPEN:
        return False
    db.session.delete(invitation)
    db.session.flush()  # the person can only be forgotten after the invitation
    return True


def _forget_unused(rows: list[ImportedRow]) -> None:
    people = [
        contact for row in rows if row.contact_id and (contact := db.session.get(Contact, row.contact_id))
    ]
    organisations = [
        item for row in rows if row.provider_id and (item := db.session.get(Provider, row.provider_id))
    ]
    for contact in people:
        if not _invitations_of(contact):
            _forget(contact)
    for organisation in organisations:
        providers.forget_provider(organisation)


def _invitations_of(contact: Contact) -> int:
    return (
        db.session.scalar(select(func.count(Invitation.id)).where(Invitation.contact_id == contact.id)) or 0
    )


def _forget(contact: Contact) -> None:
    try:
        with db.session.begin_nested():
            providers.forget_contact(contact)
    except IntegrityError:
        # Somebody who is used elsewhere (a walk-in, an action) stays in the address book.
        db.session.refresh(contact)


def import_file(
    conference: Conference, data: bytes, filename: str, *, dry_run: bool, at: datetime
) -> dict[str, Any]:
    """For commands: check and, unless dry_run, store the good rows. Rows with a question are left out and named.

    Returns {"rows", "good", "imported", "problems": [{"line", "field", "reason"}], "warnings": […]}.
    Raises Refused when the file cannot be read or a needed column is missing.
    """
    table = read(data, filename)
    mapping = contact_list.guess_mapping(table.header)
    missing = contact_list.missing_fields(mapping)
    if missing:
        raise Refused(
            _(
                "The file has no column for: %(fields)s.",
                fields=", ".join(field_name(name) for name in missing),
            )
        )
    verdict = check(conference, table, mapping)
    imported = 0
    if not dry_run:
        draft = upload(conference, None, data, filename, table, at=at)
        imported = confirm(draft, {}, at=at)
    return {
        "rows": len(table.rows),
        "good": len(verdict.good),
        "imported": imported,
        "problems": [_plain(p) for p in verdict.problems if p.severity != "warning"],
        "warnings": [_plain(p) for p in verdict.problems if p.severity == "warning"],
    }


def _plain(problem: Problem) -> dict[str, object]:
    return {"line": problem.line, "field": problem.field, "reason": reason_of(problem)}


def as_text(outcome: dict[str, Any]) -> str:
    """The outcome for people at a terminal."""
    lines = [f"{outcome['rows']} rows, {outcome['good']} good, {outcome['imported']} imported"]
    for kind in ("problems", "warnings"):
        for problem in outcome[kind]:
            field = f" {problem['field']}:" if problem["field"] else ""
            lines.append(f"line {problem['line']}:{field} {problem['reason']}")
    return "\n".join(lines)
