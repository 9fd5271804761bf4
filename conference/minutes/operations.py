"""Writing the frame, releasing, mailing. A release is frozen for ever: nothing here changes or deletes one."""

import hashlib
import json
from dataclasses import replace
from datetime import datetime

from flask import render_template
from flask_babel import force_locale
from flask_babel import gettext as _
from sqlalchemy import select

from ..accounts.models import Account
from ..conferences.models import Conference
from ..conferences.operations import letter
from ..core import minutes as core
from ..kit.dates import local
from ..kit.db import db, found, next_number, one_locked
from ..kit.errors import Refused, check_version
from ..kit.markdown import to_html
from ..outbox.operations import enclose, queue
from . import queries
from .models import Minutes, Release


def save_frame(
    conference: Conference,
    *,
    chair: str,
    moderator: str,
    minute_taker: str,
    summary: str,
    version: int | None,
    at: datetime,
) -> Minutes:
    """Keep what minutes need beside the records; the same again changes nothing.

    Raises Stale when somebody else saved meanwhile.
    """
    one_locked(select(Conference).where(Conference.id == conference.id))
    frame = queries.frame_of(conference)
    words = chair, moderator, minute_taker, summary
    if frame is None:
        frame = Minutes(conference_id=conference.id, version=0, updated_at=at)
        db.session.add(frame)
    else:
        stored = frame.chair, frame.moderator, frame.minute_taker, frame.summary
        if stored == words:
            return frame
        check_version(version, frame.version, mine="\n".join(words), theirs="\n".join(stored))
    frame.chair, frame.moderator, frame.minute_taker, frame.summary = chair, moderator, minute_taker, summary
    frame.version, frame.updated_at = frame.version + 1, at
    db.session.flush()  # the draft is compiled from it in the same transaction
    return frame


def check_releasable(document: core.MinutesDocument) -> None:
    """Raise Refused with what is missing: chair, minute taker, somebody present."""
    people = len(document.attendance.present) + len(document.attendance.guests)
    check_ready(document.chair, document.minute_taker, people)


def check_ready(chair: str, minute_taker: str, people: int) -> None:
    """The same from what is known without compiling the draft."""
    if not chair or not minute_taker:
        raise Refused(_("Please name the chair and the minute taker before you release."))
    if not people:
        raise Refused(_("Please record who was present before you release."))


def as_released(
    document: core.MinutesDocument, *, number: int, released_by: str, at: datetime, zone: str | None = None
) -> core.MinutesDocument:
    """The draft in the words of its release: number, who, and the day in the conference's zone."""
    return replace(
        document, released=True, version=number, released_on=local(at, zone).date(), released_by=released_by
    )


def says_the_same(release: Release | None, draft: core.MinutesDocument, zone: str) -> bool:
    """True when nothing has changed since the release: sent twice, a release is not made twice."""
    if release is None:
        return False
    again = as_released(
        draft, number=release.number, released_by=release.released_by, at=release.released_at, zone=zone
    )
    return bool(json.loads(core.to_json(again)) == release.document)


def html_of(document: core.MinutesDocument, *, nameless: bool = False) -> str:
    """The HTML that becomes the PDF; `nameless` says in it that names were left out."""
    with force_locale(document.language):
        return render_template("pdf/minutes.html", m=document, markdown=to_html, nameless=nameless)


def text_without_names(document: core.MinutesDocument) -> str:
    """The plain text of a document that was made nameless, with a sentence that says so."""
    with force_locale(document.language):
        return f"{_('Version without names: organisations stand where the record names people.')}\n\n{core.plain_text(document)}"


def release(
    conference: Conference, document: core.MinutesDocument, pdf: bytes, account: Account, *, at: datetime
) -> Release:
    """Freeze the document, its plain text and its PDF with the SHA-256 of the PDF.

    The PDF was rendered outside the transaction from `document`; when the records have changed meanwhile, or somebody
    else released, it is refused: what is frozen must be what was looked at.
    """
    one_locked(select(Conference).where(Conference.id == conference.id))
    check_releasable(document)
    number = next_number(Release.number, Release.conference_id == conference.id)
    now = as_released(
        queries.compile_draft(conference, at=at), number=number, released_by=document.released_by, at=at
    )
    if core.to_json(replace(now, released_on=document.released_on)) != core.to_json(document):
        raise Refused(
            _("Something has changed while the minutes were being made. Please look at the draft once more.")
        )
    entry = Release(
        conference_id=conference.id,
        number=number,
        document=json.loads(core.to_json(document)),
        text=core.plain_text(document),
        pdf=pdf,
        sha256=hashlib.sha256(pdf).hexdigest(),
        account_id=account.id,
        released_by=document.released_by,
        released_at=at,
    )
    db.session.add(entry)
    db.session.flush()  # the letters name its number
    return entry


def mail_release(entry: Release, *, at: datetime) -> str:
    """Send the released PDF to everybody who was there, and to those who were excused; each gets it once."""
    conference = found(db.session.get(Conference, entry.conference_id))
    name = f"protokoll-{conference.slug}-{entry.number}.pdf"
    enclosure = enclose(name, "application/pdf", entry.pdf)
    batch = f"minutes-{conference.slug}-{entry.number}"
    for reader in queries.readers_of(conference):
        contact = reader.contact
        if not contact.may_be_written_to:
            continue
        new = letter(
            conference,
            "minutes",
            (contact.name, str(contact.email)),
            purpose=f"minutes:{entry.id}:{contact.id}",
            context={"contact": contact, "release": entry},
            batch=batch,
            enclosure=enclosure,
        )
        queue(new, at=at)
    return batch


def pdf_or_html(conference: Conference, *, at: datetime) -> tuple[bytes | None, str]:
    """For the command line: the newest released PDF, or the HTML of the draft that is still to be rendered."""
    newest = queries.latest_release(conference)
    if newest is not None:
        return newest.pdf, ""
    return None, html_of(queries.compile_draft(conference, at=at))
