"""Writing a group's sheet, handing it in, opening it again, taking a result over as an idea."""

from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4

from flask_babel import gettext as _
from sqlalchemy import delete, select

from ..accounts.models import Account
from ..conferences.models import Conference
from ..core.sheets import Sheet, as_text
from ..groups.models import Round
from ..ideas.models import Idea
from ..ideas.operations import take_over as take_over_idea
from ..kit.db import db, found, one_locked
from ..kit.errors import Refused, Stale, check_version
from . import queries
from .models import GroupSheet, SheetClosure, SheetIdea, SheetState


@dataclass(frozen=True)
class Writer:
    """Who writes: an account, a participant by personal link, or somebody at the table, perhaps with a name."""

    account: Account | None = None
    contact_id: int | None = None
    name: str = ""


def _locked(conference: Conference) -> Conference:
    return found(one_locked(select(Conference).where(Conference.id == conference.id)))


def save(
    conference: Conference,
    round_: Round,
    table: str,
    content: Sheet,
    writer: Writer,
    *,
    hand_in: bool = False,
    version: int | None,
    submission: str,
    at: datetime,
) -> SheetState:
    """Keep a table's sheet, or hand it in; gives the state that counts now.

    The same submission again, or the same text again, is no new state. Raises Stale with both texts when somebody else
    has saved meanwhile, Refused when the tables can write no more; staff may correct what was handed in.
    """
    conference = _locked(conference)
    sheet = one_locked(select(GroupSheet).where(GroupSheet.round_id == round_.id, GroupSheet.table == table))
    newest = queries.newest_state(sheet) if sheet is not None else None
    finished = hand_in or (writer.account is not None and newest is not None and newest.handed_in)
    known = queries.state_by_submission(sheet, submission) if sheet is not None else None
    if newest is not None and _says(newest, content, finished):
        return newest
    if known is not None and newest is not None:
        if _says(known, content, hand_in or known.handed_in):
            return newest  # sent once more, and others have gone on since
        if known.number == newest.number:
            # The person went back to the page and wrote on: nobody came between.
            version, submission = newest.number, str(uuid4())
    _check(conference, content, newest, writer, version)
    if sheet is None:
        sheet = GroupSheet(conference_id=conference.id, round_id=round_.id, table=table)
        db.session.add(sheet)
        db.session.flush()  # the state needs its id
    return _add(sheet, content, writer, finished, submission, at)


def _says(state: SheetState, content: Sheet, handed_in: bool) -> bool:
    return state.content == content and state.handed_in == handed_in


def _check(
    conference: Conference, content: Sheet, newest: SheetState | None, writer: Writer, version: int | None
) -> None:
    if writer.account is None and queries.closure_of(conference) is not None:
        raise Refused(
            _("Results sheets are not being taken any more. Please give your text to the moderators.")
        )
    number = newest.number if newest is not None else 0
    theirs = in_words(newest.content) if newest is not None else ""
    if writer.account is None and newest is not None and newest.handed_in:
        message = _("This sheet has been handed in meanwhile. Please give your text to the moderators.")
        raise Stale(in_words(content), theirs, version=number, message=message)
    check_version(version, number, mine=in_words(content), theirs=theirs)


def in_words(content: Sheet) -> str:
    """The sheet as text, for two states beside each other."""
    words = {
        "question": _("Question"),
        "results": _("Results"),
        "open_points": _("Open points"),
        "proposal": _("Proposal for action"),
    }
    return as_text(content, words)


def _add(
    sheet: GroupSheet, content: Sheet, writer: Writer, handed_in: bool, submission: str, at: datetime
) -> SheetState:
    state = SheetState(
        sheet=sheet,
        number=sheet.version + 1,
        question=content.question,
        results=list(content.results),
        open_points=content.open_points,
        proposal=content.proposal,
        handed_in=handed_in,
        writer=writer.name,
        contact_id=writer.contact_id,
        account_id=writer.account.id if writer.account is not None else None,
        submission=submission,
        saved_at=at,
    )
    sheet.version = state.number
    db.session.add(state)
    db.session.flush()  # lists in the same transaction must show it
    return state


def _fresh(sheet: GroupSheet) -> GroupSheet:
    # Everything that writes sheets waits at the conference: two at once would take the same number.
    one_locked(select(Conference).where(Conference.id == sheet.conference_id))
    return found(one_locked(select(GroupSheet).where(GroupSheet.id == sheet.id)))


def reopen(sheet: GroupSheet, version: int | None, account: Account, *, at: datetime) -> None:
    """Let the table write again; a sheet that is open stays so. Raises Stale when it was changed meanwhile."""
    sheet = _fresh(sheet)
    newest = found(queries.newest_state(sheet))
    if not newest.handed_in:
        return
    check_version(version, sheet.version)
    _add(sheet, newest.content, Writer(account), False, str(uuid4()), at)


def take_over(sheet: GroupSheet, number: int, version: int | None, *, at: datetime) -> Idea:
    """Make an idea of a result (1 is the first); a result that has become one already stays that one.

    Raises Stale when the sheet was changed since the person looked, Refused when there is no such result or it is too
    short for an idea.
    """
    sheet = _fresh(sheet)
    newest = found(queries.newest_state(sheet))
    check_version(version, sheet.version)
    if not 1 <= number <= len(newest.results):
        raise Refused(_("There is no such result on this sheet."))
    result = newest.results[number - 1]
    known = queries.idea_from(sheet, result)
    if known is not None:
        return known.idea
    conference = found(db.session.get(Conference, sheet.conference_id))
    idea = take_over_idea(conference, result, f"sheet-{uuid4()}", sheet.round_id, sheet.table, at=at)
    db.session.add(SheetIdea(sheet_id=sheet.id, idea=idea, result=result))
    db.session.flush()  # lists in the same transaction must show it
    return idea


def close(conference: Conference, account: Account, *, at: datetime) -> None:
    """Let the tables write no more; staff still can. Closing twice changes nothing."""
    conference = _locked(conference)
    if queries.closure_of(conference) is None:
        db.session.add(SheetClosure(conference_id=conference.id, account_id=account.id, closed_at=at))


def open_again(conference: Conference) -> None:
    """Let the tables write again."""
    conference = _locked(conference)
    db.session.execute(delete(SheetClosure).where(SheetClosure.conference_id == conference.id))
