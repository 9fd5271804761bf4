"""The import of a guest list: look first, store only what the organiser confirms, undo afterwards."""

import hashlib
import json
import zlib
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import defer

from ..accounts.models import Account
from ..conferences.models import Conference
from ..core import contact_list
from ..core.contact_list import GoodRow, ListCheck, Problem, Row, SheetReader, Table, read_sheets
from ..kit.db import db, found, one_locked
from ..kit.errors import Refused
from ..providers import operations as providers
from ..providers.models import Contact, Salutation, Side
from ..providers.queries import address_book, contacts_by_id, provider_names
from .import_words import field_name, reason_of, table_problem
from .models import ImportedRow, ImportState, ListImport, Reply
from .operations import invite_all, lock
from .queries import guest_list, invitations_by_id, still_invited

SAME, NEW, LEAVE = "same", "new", "leave"
UPLOAD_LASTS = timedelta(days=7)


class Changed(Refused):
    """The preview that was confirmed is out of date."""


def read(data: bytes, filename: str, reader: SheetReader = read_sheets) -> Table:
    """The table in an uploaded file. Raises Refused in words when it cannot be read.

    `reader` opens workbooks: what a stranger sends is read in a process of its own (kit.sheets), once.
    """
    try:
        return contact_list.read_table(data, filename, reader)
    except contact_list.BadTable as error:
        raise Refused(table_problem(error)) from error


def check(conference: Conference, table: Table, mapping: Mapping[str, int]) -> ListCheck:
    """The verdict on a list for this conference: people who are on its guest list already are named."""
    known = {str(i.contact.email_key): i.contact.name for i in guest_list(conference) if i.contact.email_key}
    return contact_list.check_rows(table, mapping, known, provider_names(), address_book(known))


def upload(
    conference: Conference, account: Account | None, filename: str, table: Table, *, at: datetime
) -> ListImport:
    """Keep what stands in the file, never the file, until it is confirmed or thrown away. No person is stored."""
    draft = ListImport(
        conference_id=conference.id,
        account_id=account.id if account else None,
        filename=filename,
        content=_packed(table),
        mapping=contact_list.guess_mapping(table.header),
        created_at=at,
    )
    db.session.add(draft)
    db.session.flush()  # the preview's address needs the id
    return draft


def _packed(table: Table) -> bytes:
    rows = [[row.line, row.cells] for row in table.rows]
    return zlib.compress(json.dumps(vars(table) | {"rows": rows}).encode())


def table_of(draft: ListImport) -> Table:
    """What stood in the file. Raises Refused when the import is over, or was kept by another version."""
    try:
        kept = json.loads(zlib.decompress(draft.content or b""))
        rows = tuple(Row(line, tuple(cells)) for line, cells in kept["rows"])
        return Table(**kept | {"header": tuple(kept["header"]), "rows": rows})
    except (zlib.error, ValueError, TypeError, KeyError) as error:
        raise Refused(_("This import is over. Please upload the file again.")) from error


def remap(draft: ListImport, mapping: dict[str, int]) -> None:
    """Say which column holds what. Raises Refused when a needed field has no column, or the import is over."""
    draft = _locked(draft)
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


def _locked(draft: ListImport) -> ListImport:
    return found(one_locked(select(ListImport).where(ListImport.id == draft.id)))


def _check_draft(draft: ListImport) -> None:
    if draft.state is not ImportState.DRAFT or draft.content is None:
        raise Refused(_("This import is over. Please upload the file again."))


def sight_of(verdict: ListCheck) -> str:
    """A short sign for what a preview shows: another one when other people would be taken or asked about."""
    shown = [(row.line, row.email_key, row.organisation) for row in (*verdict.good, *verdict.asked)]
    asked = [(problem.line, problem.detail) for problem in verdict.questions]
    return hashlib.sha256(repr((shown, asked)).encode()).hexdigest()[:32]


def confirm(draft: ListImport, answers: Mapping[int, str], *, at: datetime, seen: str | None = None) -> int:
    """Store the good rows and those that the organiser decided (line → same, new or leave). Returns how many people.

    Sent twice it stores once; the file is forgotten. `seen` is the `sight_of` the preview that was confirmed: Changed is raised
    when it would look different now, because somebody else has added people or named other columns.
    """
    draft = _locked(draft)
    if draft.state is ImportState.CONFIRMED:
        return len(_rows_of(draft))
    _check_draft(draft)
    lock(draft.conference)
    verdict = check(draft.conference, table_of(draft), draft.mapping)
    if seen is not None and seen != sight_of(verdict):
        raise Changed(
            _(
                "The guest list or the address book has changed since you looked, so nobody has been stored yet. "
                "Please check the list once more."
            )
        )
    rows = chosen_rows(verdict, answers)
    _store(draft, rows, at)
    draft.state, draft.closed_at, draft.content = ImportState.CONFIRMED, at, None
    return len(rows)


def _rows_of(done: ListImport) -> list[ImportedRow]:
    return list(db.session.scalars(select(ImportedRow).where(ImportedRow.list_import_id == done.id)))


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


def _store(draft: ListImport, rows: Sequence[GoodRow], at: datetime) -> None:
    kept = providers.keep_all([_entry(row) for row in rows], at=at)
    made = invite_all(draft.conference, [one.contact for one in kept], at=at)
    db.session.add_all(
        ImportedRow(
            list_import_id=draft.id,
            line=row.line,
            invitation_id=made[one.contact.id].id if one.contact.id in made else None,
            contact_id=one.contact.id if one.is_new_contact else None,
            provider_id=one.contact.provider_id if one.is_new_provider else None,
        )
        for row, one in zip(rows, kept, strict=True)
    )


def _entry(row: GoodRow) -> providers.Entry:
    person = providers.ContactFields(
        salutation=Salutation(row.salutation),
        title=row.title,
        first_name=row.first_name,
        last_name=row.last_name,
        email=row.email,
        function=row.function,
        side=Side(row.side),
        team=row.team,
    )
    return providers.Entry(row.organisation, row.postcode, row.city, person)


def throw_away(draft: ListImport, *, at: datetime) -> None:
    """Forget an upload without storing anybody. Raises Refused when it was taken over meanwhile."""
    draft = _locked(draft)
    if draft.state is ImportState.CONFIRMED:
        raise Refused(_("This list has been taken over already. You can undo that."))
    if draft.state is ImportState.DRAFT:
        draft.state, draft.closed_at, draft.content = ImportState.UNDONE, at, None


def old_uploads(at: datetime) -> list[ListImport]:
    """Lists that nobody has confirmed or thrown away in time."""
    query = select(ListImport).where(
        ListImport.state == ImportState.DRAFT, ListImport.created_at <= at - UPLOAD_LASTS
    )
    return list(db.session.scalars(query.options(defer(ListImport.content))))


def forget_old_uploads(*, at: datetime) -> int:
    """Throw them away. Returns how many."""
    drafts = old_uploads(at)
    for draft in drafts:
        throw_away(draft, at=at)
    return len(drafts)


def undo(done: ListImport, *, at: datetime) -> tuple[int, int]:
    """Take an import back: (people removed, people kept because they were invited or are used elsewhere).

    A second time changes nothing and removes nobody. Raises Refused when it was never confirmed.
    """
    done = _locked(done)
    if done.state is ImportState.DRAFT:
        raise Refused(_("Only an import that was taken over can be undone."))
    rows = _rows_of(done)
    if done.state is ImportState.UNDONE:
        return 0, len(rows)
    lock(done.conference)  # or a mailing could write to them meanwhile
    removed = _take_back(rows)
    _forget_unused(rows)
    done.state, done.closed_at = ImportState.UNDONE, at
    return removed, len(rows) - removed


def _take_back(rows: list[ImportedRow]) -> int:
    invitations = invitations_by_id(row.invitation_id for row in rows if row.invitation_id)
    untouched = [one for one in invitations if one.sent_at is None and one.reply is Reply.OPEN]
    for invitation in untouched:
        db.session.delete(invitation)
    db.session.flush()  # people can only be forgotten after their invitations
    return len(untouched)


def _forget_unused(rows: list[ImportedRow]) -> None:
    invited = still_invited(row.contact_id for row in rows if row.contact_id)
    people = contacts_by_id(
        row.contact_id for row in rows if row.contact_id and row.contact_id not in invited
    )
    if not _forget(people):
        for contact in people:
            _forget([contact])
    providers.forget_unused(row.provider_id for row in rows if row.provider_id)


def _forget(people: Sequence[Contact]) -> bool:
    """False when one of them is used elsewhere (a walk-in, an action): then all of them stay in the address book."""
    try:
        with db.session.begin_nested():
            providers.forget_contacts(people)
    except IntegrityError:
        for contact in people:
            db.session.refresh(contact)
        return False
    return True


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
        draft = upload(conference, None, filename, table, at=at)
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
