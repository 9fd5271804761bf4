"""Draft, release, PDF."""

from flask import Response, abort, current_app, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from ..agenda.queries import current_notes, items_of
from ..conferences.queries import conference_here
from ..kit import access, clock, forms, once, pages, unit
from ..kit.db import found
from ..kit.errors import Refused
from ..kit.pdf import PdfFailed, render_in_child
from ..sheets.queries import counts_of
from . import bp, operations, queries
from .forms import FrameForm
from .models import Minutes

WHY_NO_PDF = {
    "too_large": _l("The minutes are too large for a PDF. Please shorten the notes."),
    "too_long": _l("Making the PDF took too long. Please try again in a minute."),
    "too_much_memory": _l("The PDF needed more memory than there is. Please shorten the notes."),
    "failed": _l("The PDF could not be made. Please try again."),
}


@bp.route("/conferences/<slug>/minutes", methods=["GET", "POST"])
@access.readers_of_releases
def show_minutes(slug: str) -> ResponseReturnValue:
    """The draft as it stands, what is missing, and the releases. Leadership and facilitators see releases only."""
    conference = conference_here(access.account(), slug)
    may_write = access.visitor().may(*access.RECORDING)
    if request.method == "POST" and not may_write:
        abort(404)
    frame = queries.frame_of(conference)
    form = FrameForm(obj=frame) if frame is not None else FrameForm()
    if forms.submitted(form):
        with pages.refusals(form):
            operations.save_frame(
                conference,
                chair=form.chair.data or "",
                moderator=form.moderator.data or "",
                minute_taker=form.minute_taker.data or "",
                summary=form.summary.data or "",
                version=form.started_from,
                at=clock.now(),
            )
            return pages.done("minutes.show_minutes", _("The details have been saved."), slug=slug)
    # After a refused save the transaction was rolled back: the frame is read again.
    frame = queries.frame_of(conference)
    draft = queries.draft_counts(conference)
    return pages.show(
        "minutes/show_minutes.html",
        form=form if may_write else None,
        conference=conference,
        frame=frame,
        draft=draft,
        missing=_missing(frame, draft),
        sheets=counts_of(conference),
        releases=queries.releases_of(conference),
        items=items_of(conference),
        notes=current_notes(conference) if may_write else {},
        may_write=may_write,
        with_names=access.visitor().reads_names,
    )


def _missing(frame: Minutes | None, draft: queries.DraftCounts) -> str:
    chair, minute_taker = (frame.chair, frame.minute_taker) if frame is not None else ("", "")
    try:
        operations.check_ready(chair, minute_taker, draft.present + draft.guests)
    except Refused as refusal:
        return refusal.message
    return ""


@bp.get("/conferences/<slug>/minutes/draft.pdf")
@access.minute_takers
@unit.own_transactions
def draft_pdf(slug: str) -> ResponseReturnValue:
    """The draft as PDF, marked as such on each page."""
    with unit.reading():
        conference = conference_here(access.account(), slug)
        html = operations.html_of(queries.compile_draft(conference, at=clock.now()))
        name = f"protokoll-{conference.slug}-entwurf.pdf"
    return pages.file(_rendered(html), "application/pdf", name, inline=True)


def _rendered(html: str) -> bytes:
    try:
        return render_in_child(html)
    except PdfFailed as error:
        current_app.logger.error("no PDF of the minutes: %s", error)
        raise Refused(str(WHY_NO_PDF.get(error.reason, WHY_NO_PDF["failed"]))) from error


@bp.post("/conferences/<slug>/minutes/release")
@access.organisers
@unit.own_transactions
@once.counted_once
def release_minutes(slug: str) -> ResponseReturnValue:
    """Freeze text and PDF; what says the same as the newest release is not frozen again.

    The PDF is made outside any transaction; what changed meanwhile stops the release.
    """
    at = clock.now()
    with unit.reading():
        account = access.account()
        conference = conference_here(account, slug)
        draft = queries.compile_draft(conference, at=at)
        operations.check_releasable(draft)
        newest = queries.latest_release(conference)
        if newest is not None and operations.says_the_same(newest, draft, conference.zone):
            message = _("Version %(number)d is released; nothing has changed since.", number=newest.number)
            return pages.done("minutes.show_minutes", message, slug=slug)
        document = operations.as_released(
            draft, number=draft.version, released_by=account.name, at=at, zone=conference.zone
        )
        html = operations.html_of(document)
    pdf = _rendered(html)
    with unit.writing():
        account = access.account()
        operations.release(conference_here(account, slug), document, pdf, account, at=at)
        message = _("The minutes have been released and frozen.")
        return once.note(pages.done("minutes.show_minutes", message, slug=slug))


@bp.get("/conferences/<slug>/minutes/<int:number>.pdf")
@access.readers_of_releases
@unit.own_transactions
def released_pdf(slug: str, number: int) -> Response:
    """A released PDF, the same bytes for ever; for who reads no names, made anew without them."""
    with unit.reading():
        conference = conference_here(access.account(), slug)
        release = found(queries.release_of(conference, number))
        name = f"protokoll-{conference.slug}-{release.number}"
        if access.visitor().reads_names:
            return pages.file(release.pdf, "application/pdf", f"{name}.pdf", inline=True)
        html = operations.html_of(queries.without_names(conference, release), nameless=True)
    return pages.file(_rendered(html), "application/pdf", f"{name}-ohne-namen.pdf", inline=True)


@bp.get("/conferences/<slug>/minutes/<int:number>.txt")
@access.readers_of_releases
def released_text(slug: str, number: int) -> Response:
    """The frozen plain text of a release; for who reads no names, without them."""
    conference = conference_here(access.account(), slug)
    release = found(queries.release_of(conference, number))
    text, name = release.text, f"protokoll-{conference.slug}-{release.number}"
    if not access.visitor().reads_names:
        text = operations.text_without_names(queries.without_names(conference, release))
        name += "-ohne-namen"
    return pages.file(text.encode(), "text/plain; charset=utf-8", f"{name}.txt", inline=True)


@bp.post("/conferences/<slug>/minutes/<int:number>/letters")
@access.organisers
def mail_release(slug: str, number: int) -> ResponseReturnValue:
    """Send a release to those who were there."""
    conference = conference_here(access.account(), slug)
    operations.mail_release(found(queries.release_of(conference, number)), at=clock.now())
    return pages.done("minutes.show_minutes", _("The letters are in the outbox."), slug=slug)
