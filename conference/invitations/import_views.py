"""Pages of the import: upload, preview with every bad row named, confirm, undo."""

from pathlib import Path

from flask import request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy import select

from ..conferences.models import Conference
from ..conferences.queries import conference_here
from ..core.contact_list import missing_fields
from ..core.text import clean_text
from ..kit import access, clock, forms, pages, sheets, unit
from ..kit.db import db, found
from ..kit.errors import Refused
from ..kit.layout import belongs
from . import bp, imports
from .import_forms import MappingForm, UploadForm
from .import_words import field_name, reason_of
from .models import ImportState, ListImport

belongs("invitations.show_guests", "invitations.import_guests", "invitations.show_import")
EXAMPLE = Path(__file__).parent.parent / "demo" / "einladungsliste_excel_export.csv"


def _imports_of(conference: Conference) -> list[ListImport]:
    query = select(ListImport).where(ListImport.conference_id == conference.id).order_by(ListImport.id.desc())
    return list(db.session.scalars(query))


def _import_of(conference: Conference, import_id: int) -> ListImport:
    query = select(ListImport).where(ListImport.conference_id == conference.id, ListImport.id == import_id)
    return found(db.session.scalar(query))


@bp.route("/conferences/<slug>/guests/import", methods=["GET", "POST"])
@access.organisers
@forms.accepts_bytes(6 * forms.MEGABYTE)
@unit.own_transactions
def import_guests(slug: str) -> ResponseReturnValue:
    """Upload a list. It is read outside any transaction; nobody is stored yet."""
    conference = conference_here(access.account(), slug)
    form = UploadForm()
    if forms.submitted(form):
        filename = _safe_name(form.file.data.filename)
        data = form.file.data.read()
        with unit.reading():
            conference_here(access.account(), slug)
        with pages.refusals(form):
            table = imports.read(data, filename, sheets.in_child(data))
            with unit.writing():
                account = access.account()
                draft = imports.upload(
                    conference_here(account, slug), account, filename, table, at=clock.now()
                )
            return pages.done("invitations.show_import", slug=slug, import_id=draft.id)
        form.form_errors, form.file.errors = [], list(form.form_errors)
        form.refused = None
    conference = conference_here(access.account(), slug)
    return pages.show(
        "invitations/import_guests.html",
        form=form,
        conference=conference,
        imports=_imports_of(conference),
        status=422 if form.errors else 200,
    )


def _safe_name(name: str | None) -> str:
    try:
        return clean_text(Path(name or "").name, max_length=120) or "liste"
    except ValueError:
        return "liste"


@bp.get("/conferences/<slug>/guests/example.csv")
@access.demonstration
def example_list(slug: str) -> ResponseReturnValue:
    """Demo mode: the list as a German Excel exports it, with all its faults, to try the import."""
    conference = conference_here(access.account(), slug) if access.account() else None
    if conference is None:
        raise Refused(_("Please sign in first."))
    return pages.file(EXAMPLE.read_bytes(), "text/csv; charset=windows-1252", "einladungsliste.csv")


@bp.get("/conferences/<slug>/guests/import/<int:import_id>")
@access.organisers
def show_import(slug: str, import_id: int) -> ResponseReturnValue:
    """The preview: what would be stored, and every problem with line, field and reason."""
    conference = conference_here(access.account(), slug)
    return _preview(conference, _import_of(conference, import_id), None)


def _preview(
    conference: Conference, draft: ListImport, form: MappingForm | None, refusal: Refused | None = None
) -> ResponseReturnValue:
    if draft.state is not ImportState.DRAFT or draft.content is None:
        return pages.show("invitations/show_import.html", conference=conference, draft=draft, verdict=None)
    table = imports.table_of(draft)
    if form is None:
        form = MappingForm(formdata=None, data=dict(draft.mapping))
        form.offer_columns(table.header)
    missing = [field_name(name) for name in missing_fields(draft.mapping)]
    verdict = None if missing else imports.check(conference, table, draft.mapping)
    return pages.show(
        "invitations/show_import.html",
        form=form,
        conference=conference,
        draft=draft,
        sheet=table,
        verdict=verdict,
        seen=imports.sight_of(verdict) if verdict else "",
        refusal=refusal,
        status=409 if refusal else None,
        missing=missing,
        questions={problem.line: problem for problem in verdict.questions} if verdict else {},
        field_name=field_name,
        reason_of=reason_of,
    )


@bp.post("/conferences/<slug>/guests/import/<int:import_id>/columns")
@access.organisers
def map_columns(slug: str, import_id: int) -> ResponseReturnValue:
    """Say which column holds what."""
    conference = conference_here(access.account(), slug)
    draft = _import_of(conference, import_id)
    form = MappingForm()
    form.offer_columns(imports.table_of(draft).header)
    if forms.submitted(form):
        with pages.refusals(form):
            imports.remap(draft, form.mapping())
            return pages.done(
                "invitations.show_import", _("The columns have been set."), slug=slug, import_id=import_id
            )
    return _preview(conference, _import_of(conference, import_id), form)


@bp.post("/conferences/<slug>/guests/import/<int:import_id>/confirmation")
@access.organisers
def confirm_import(slug: str, import_id: int) -> ResponseReturnValue:
    """Store the good rows and those that were decided."""
    conference = conference_here(access.account(), slug)
    draft = _import_of(conference, import_id)
    answers = {
        int(key.removeprefix("row-")): value
        for key, value in request.form.items()
        if key.startswith("row-") and key[4:].isascii() and key[4:].isdigit() and len(key) < 12
    }
    try:
        number = imports.confirm(draft, answers, at=clock.now(), seen=request.form.get("seen"))
    except imports.Changed as refusal:
        return _preview(conference, draft, None, refusal)
    message = ngettext(
        "%(num)d person is on the guest list now.", "%(num)d people are on the guest list now.", number
    )
    return pages.done("invitations.show_guests", message, slug=slug)


@bp.post("/conferences/<slug>/guests/import/<int:import_id>/cancellation")
@access.organisers
def cancel_import(slug: str, import_id: int) -> ResponseReturnValue:
    """Throw the upload away."""
    conference = conference_here(access.account(), slug)
    imports.throw_away(_import_of(conference, import_id), at=clock.now())
    return pages.done(
        "invitations.import_guests", _("The upload has been thrown away; nobody was stored."), slug=slug
    )


@bp.post("/conferences/<slug>/guests/import/<int:import_id>/undo")
@access.organisers
def undo_import(slug: str, import_id: int) -> ResponseReturnValue:
    """Take an import back."""
    conference = conference_here(access.account(), slug)
    removed, kept = imports.undo(_import_of(conference, import_id), at=clock.now())
    message = _("The import has been undone: %(removed)d removed, %(kept)d kept.", removed=removed, kept=kept)
    if not removed:
        message = _("Nobody was left to be removed: who has been invited or is used elsewhere stays.")
    return pages.done("invitations.import_guests", message, slug=slug)
