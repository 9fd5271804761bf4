"""One's own data, requests and their decisions, retention, the house's statements, feedback on barriers."""

import io
import json
import zipfile
from typing import Any

from flask import render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import force_locale
from flask_babel import gettext as _

from ..conferences.models import Conference
from ..conferences.queries import conference_here
from ..invitations.queries import invitation_of
from ..kit import access, clock, forms, language, pages, unit
from ..kit.db import found
from ..kit.errors import Missing
from ..kit.limits import acts_of_one_guest, answers_of_one_guest, limiter, per_token
from ..kit.pdf import render_in_child
from ..providers.models import Contact
from ..registrations.queries import registration_of
from . import archiving, bp, dossier, operations, queries
from .forms import ArchiveForm, DecisionForm, FeedbackForm, NameForm, RequestForm, StatementForm, periods_form
from .models import ASKED, ArchiveState, Outcome, PrivacyRequest, RequestKind

TITLES = {
    "privacy": "overview.privacy",
    "accessibility": "overview.accessibility",
    "imprint": "overview.imprint",
}

# -- guests ---------------------------------------------------------------


@bp.get("/my/data")
@access.guest
def my_data() -> ResponseReturnValue:
    """What one can ask for, put right, and take along."""
    return _my_data(_name_form(), RequestForm())


def _name_form() -> NameForm:
    contact = access.link().contact
    return NameForm() if request.method == "POST" else NameForm(data=vars(contact))


def _my_data(name: NameForm, asking: RequestForm) -> ResponseReturnValue:
    contact = access.link().contact
    form = asking if asking.errors or asking.form_errors else name
    return pages.show(
        "privacy/my_data.html",
        form=form,
        name=name,
        asking=asking,
        event=access.link().conference,
        contact=contact,
        requests=queries.requests_of(contact.id),
        notice=queries.notice_for(registration_of(access.link().conference, contact.id)),
    )


@bp.post("/my/data/name")
@access.guest
@acts_of_one_guest
def correct_name() -> ResponseReturnValue:
    """Put name and function right (Article 16), also after the conference."""
    form = _name_form()
    if forms.submitted(form):
        with pages.refusals(form):
            operations.rectify(
                access.link().conference,
                access.link().contact,
                title=form.title.data or "",
                first_name=form.first_name.data or "",
                last_name=str(form.last_name.data),
                function=form.function.data or "",
                version=form.started_from,
                at=clock.now(),
            )
            return pages.done("privacy.my_data", _("Your details have been saved."))
    return _my_data(form, RequestForm(formdata=None))


@bp.post("/my/data/requests")
@access.guest
@answers_of_one_guest
def ask() -> ResponseReturnValue:
    """Ask for erasure or restriction, or object; staff decide."""
    form = RequestForm()
    if forms.submitted(form):
        with pages.refusals(form):
            link = access.link()
            kind = RequestKind(form.kind.data)
            operations.ask(link.conference, link.contact, kind, form.words.data or "", at=clock.now())
            message = _("Noted: %(what)s. You get an answer within one month.", what=kind.label)
            return pages.done("privacy.my_data", message)
    return _my_data(NameForm(formdata=None, data=vars(access.link().contact)), form)


@bp.post("/my/data/requests/<int:request_id>/withdrawal")
@access.guest
@answers_of_one_guest
def withdraw_request(request_id: int) -> ResponseReturnValue:
    """Take back what is not decided yet."""
    asked = found(queries.own_request(access.link().contact_id, request_id))
    operations.withdraw_request(asked, at=clock.now())
    return pages.done("privacy.my_data", _("Withdrawn: %(what)s.", what=asked.kind.label))


@bp.post("/my/data/link")
@access.guest
@acts_of_one_guest
def ask_for_link() -> ResponseReturnValue:
    """A fresh link to all data, to the known address."""
    link = access.link()
    operations.send_access_link(link.conference, link.contact, at=clock.now())
    message = _("A link is on its way to your e-mail address. It is valid for 15 minutes.")
    return pages.done("privacy.my_data", message)


@bp.get("/my/data/notice")
@access.guest
def my_notice() -> ResponseReturnValue:
    """The notice as it was when the person registered, whatever it says today."""
    link = access.link()
    notice = found(queries.notice_for(registration_of(link.conference, link.contact_id)))
    words = dossier.notice_words(notice)
    return pages.show("privacy/my_notice.html", notice=notice, words=words, event=link.conference)


@bp.get("/data/<token>")
@access.public
@limiter.limit("60 per 10 minutes", key_func=per_token)
def open_access(token: str) -> ResponseReturnValue:
    """The fresh link. Looking changes nothing and shows no name; a press of the button brings the file."""
    found(queries.access_by_token(token, clock.now()))
    return pages.show("privacy/open_access.html", token=token)


@bp.post("/data/<token>")
@access.public
@limiter.limit("60 per 10 minutes", key_func=per_token)
@unit.own_transactions
def fetch_data(token: str) -> ResponseReturnValue:
    """Everything about the person as ZIP."""
    with unit.reading():
        link = found(queries.access_by_token(token, clock.now()))
        content, html = _dossier(link.contact, link.conference)
    return _as_zip(content, html)


def _dossier(
    contact: Contact, conference: Conference, within: dossier.Within = None
) -> tuple[dict[str, Any], str]:
    content = dossier.of_person(contact, clock.now(), within)
    days = queries.periods(operations.CLASSES)
    with force_locale(conference.language):
        content["recipients"] = dossier.recipients()
        content["retention"] = [
            {"what": str(one.label), "from": str(one.start), "days": days[one.name], "then": str(one.action)}
            for one in operations.CLASSES
        ]
        html = render_template(
            "pdf/dossier.html",
            language=conference.language,
            created=clock.now().date(),
            content=content,
            person=dossier.person_in_words(content, conference.zone),
            sections=dossier.sections(content, conference.zone),
            name=contact.name,
        )
    return content, html


def _as_zip(content: dict[str, Any], html: str) -> ResponseReturnValue:
    pdf = render_in_child(html)
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("data.json", json.dumps(content, ensure_ascii=False, indent=2))
        archive.writestr("data.pdf", pdf)
    return pages.file(file.getvalue(), "application/zip", "folgetermin-data.zip")


# -- staff -----------------------------------------------------------------


@bp.get("/requests")
@access.organisers
def show_requests() -> ResponseReturnValue:
    """What people have asked for, open requests first."""
    requests = queries.requests_for(access.account())
    people = {one.contact_id for one in requests if one.contact_id and not one.outcome}
    elsewhere = queries.known_elsewhere(access.account(), people)
    return pages.show("privacy/show_requests.html", requests=requests, elsewhere=elsewhere)


def _request(request_id: int) -> PrivacyRequest:
    return found(queries.request_for(access.account(), request_id))


@bp.route("/requests/<int:request_id>", methods=["GET", "POST"])
@access.organisers
def decide(request_id: int) -> ResponseReturnValue:
    """Grant or refuse, with a reason."""
    asked = _request(request_id)
    form = DecisionForm()
    if forms.submitted(form):
        with pages.refusals(form):
            outcome = Outcome(form.outcome.data)
            operations.decide(asked, outcome, str(form.reason.data), access.account(), at=clock.now())
            return pages.done("privacy.show_requests", _("The decision has been carried out."))
        asked = _request(request_id)
    elsewhere = queries.known_elsewhere(access.account(), [asked.contact_id] if asked.contact_id else [])
    return pages.show("privacy/decide.html", form=form, asked=asked, is_elsewhere=bool(elsewhere))


@bp.post("/conferences/<slug>/guests/<int:invitation_id>/data")
@access.organisers
@unit.own_transactions
def guest_data(slug: str, invitation_id: int) -> ResponseReturnValue:
    """Everything about a guest, for staff who answer a request by letter: of the conferences that they organise."""
    with unit.reading():
        conference = conference_here(access.account(), slug)
        invitation = found(invitation_of(conference, invitation_id))
        within = queries.only_own(access.account(), invitation.contact_id)
        content, html = _dossier(invitation.contact, conference, within)
        access.handed_out("all-data", conference.id, invitation.contact_id)
    return _as_zip(content, html)


@bp.post("/conferences/<slug>/guests/<int:invitation_id>/request")
@access.organisers
def ask_for_guest(slug: str, invitation_id: int) -> ResponseReturnValue:
    """Note a request that came by telephone or letter; it is decided like any other."""
    conference = conference_here(access.account(), slug)
    invitation = found(invitation_of(conference, invitation_id))
    kind = next((one for one in ASKED if one.value == request.form.get("kind")), None)
    if kind is None:
        raise Missing
    noted = operations.ask(conference, invitation.contact, kind, "", at=clock.now())
    message = _("The request has been noted.")
    if queries.request_for(access.account(), noted.id) is None:
        # The same was asked for in a conference of others, and is open there.
        return pages.done("invitations.show_guest", message, slug=slug, invitation_id=invitation_id)
    return pages.done("privacy.decide", message, request_id=noted.id)


@bp.post("/conferences/<slug>/guests/<int:invitation_id>/restriction")
@access.organisers
def lift_restriction(slug: str, invitation_id: int) -> ResponseReturnValue:
    """Use the data of a person again."""
    conference = conference_here(access.account(), slug)
    invitation = found(invitation_of(conference, invitation_id))
    operations.lift_restriction(invitation.contact, access.account())
    return pages.done(
        "invitations.show_guest", _("The data may be used again."), slug=slug, invitation_id=invitation_id
    )


@bp.route("/retention", methods=["GET", "POST"])
@access.staff(access.ADMIN)
def show_retention() -> ResponseReturnValue:
    """How long what is kept, and what the nights have thrown away."""
    form = periods_form({one.name: one.label for one in operations.CLASSES})()
    days = queries.periods(operations.CLASSES)
    if request.method == "GET":
        for name, number in days.items():
            form[name].data = number
    if forms.submitted(form):
        with pages.refusals(form):
            operations.set_periods({name: form[name].data for name in days})
            return pages.done("privacy.show_retention", _("The periods have been saved."))
    return pages.show(
        "privacy/show_retention.html",
        form=form,
        classes=operations.CLASSES,
        runs=queries.runs(),
        languages=language.LANGUAGES,
    )


@bp.get("/retention/preview")
@access.staff(access.ADMIN)
def preview_retention() -> ResponseReturnValue:
    """What tonight would throw away, counted only."""
    counts = operations.preview(at=clock.now())
    return pages.show("privacy/preview_retention.html", classes=operations.CLASSES, counts=counts)


@bp.route("/statements/<page>/<code>", methods=["GET", "POST"])
@access.staff(access.ADMIN)
def edit_statement(page: str, code: str) -> ResponseReturnValue:
    """The operator's own words for a page of the house; looking at unsaved words stores nothing."""
    if page not in queries.PAGES or code not in language.LANGUAGES:
        raise Missing
    current = queries.statement(page, code)
    number = current.number if current else 0
    known = {"text": current.text if current else "", "version": number}
    form = StatementForm() if request.method == "POST" else StatementForm(data=known)
    is_good = forms.submitted(form)
    if is_good and "preview" not in request.form:
        with pages.refusals(form):
            operations.save_statement(
                page, code, form.text.data or "", form.started_from, access.account(), at=clock.now()
            )
            return pages.done(TITLES[page], _("The text has been saved."))
    with force_locale(code):
        preview = queries.in_html(form.text.data or "") if is_good and not form.errors else None
    return pages.show(
        "privacy/edit_statement.html",
        form=form,
        page=page,
        code=code,
        current=current,
        preview=preview,
        versions=queries.versions_of(page, code),
        languages=language.LANGUAGES,
    )


@bp.get("/statements/<page>/<code>/<int:number>")
@access.staff(access.ADMIN)
def show_statement(page: str, code: str, number: int) -> ResponseReturnValue:
    """A version as it stood there, by whom and since when."""
    version = found(queries.version_of(page, code, number))
    return pages.show(
        "privacy/show_statement.html",
        version=version,
        words=queries.in_html(version.text),
        languages=language.LANGUAGES,
    )


@bp.get("/archive")
@access.staff(access.ADMIN)
def show_archive() -> ResponseReturnValue:
    """Which released minutes were offered to the archive, and which still have to be."""
    return pages.show("privacy/show_archive.html", offers=archiving.offers())


def _offer(slug: str) -> archiving.Offer:
    return archiving.offer_of(conference_here(access.account(), slug))


@bp.route("/conferences/<slug>/archive", methods=["GET", "POST"])
@access.staff(access.ADMIN)
def offer_to_archive(slug: str) -> ResponseReturnValue:
    """The offer of one conference: what is in it, where it stands, what happens next."""
    offer = _offer(slug)
    form = ArchiveForm() if request.method == "POST" else ArchiveForm(data={"version": len(offer.steps)})
    if forms.submitted(form):
        with pages.refusals(form):
            state, words = ArchiveState(form.state.data), form.note.data or ""
            seen = -1 if form.started_from is None else form.started_from
            archiving.note(offer.conference, state, words, seen, access.account(), at=clock.now())
            return pages.done("privacy.offer_to_archive", _("Noted."), slug=slug)
    last = [one for one in offer.next_states if archiving.is_final(one)]
    return pages.show("privacy/offer_to_archive.html", form=form, offer=offer, last=last)


@bp.get("/conferences/<slug>/archive.zip")
@access.staff(access.ADMIN)
def archive_package(slug: str) -> ResponseReturnValue:
    """Everything for the archive in one file, with the hash of each part."""
    offer = _offer(slug)
    if not offer.releases:
        raise Missing
    access.handed_out("archive", offer.conference.id)
    content = archiving.package(offer, clock.now())
    return pages.file(content, "application/zip", f"archiv-{slug}.zip")


@bp.get("/conferences/<slug>/notices")
@access.organisers
def show_notices(slug: str) -> ResponseReturnValue:
    """The words of the notice of Article 14 GDPR that were in force, version by version."""
    conference = conference_here(access.account(), slug)
    return pages.show(
        "privacy/show_notices.html",
        conference=conference,
        notices=[(one, dossier.notice_words(one)) for one in queries.notices_of(conference.id)],
    )


@bp.route("/accessibility/feedback", methods=["GET", "POST"])
@access.public
@limiter.limit("300 per hour", methods=["POST"])
def give_feedback() -> ResponseReturnValue:
    """Tell of a barrier; an address is asked for only for an answer."""
    form = FeedbackForm()
    if forms.submitted(form):
        with pages.refusals(form):
            operations.give_feedback(
                form.page.data or "", str(form.text.data), form.email.data or "", at=clock.now()
            )
            return pages.done("overview.accessibility", _("Thank you. We read every report."))
    return pages.show("privacy/give_feedback.html", form=form)


@bp.get("/feedback")
@access.staff(access.ADMIN)
def show_feedback() -> ResponseReturnValue:
    """Reports of barriers, unanswered ones first."""
    return pages.show("privacy/show_feedback.html", reports=queries.all_feedback())


@bp.post("/feedback/<int:feedback_id>/answer")
@access.staff(access.ADMIN)
def mark_answered(feedback_id: int) -> ResponseReturnValue:
    """Note that a report has been answered."""
    operations.mark_answered(found(queries.feedback_by_id(feedback_id)), access.account(), at=clock.now())
    return pages.done("privacy.show_feedback", _("Noted as answered."))
