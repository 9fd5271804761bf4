"""Guest list, letters, mailings; the demo's participant."""

from flask import abort, current_app, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext

from ..conferences.models import Conference
from ..conferences.queries import conference_here
from ..core.letters import PLACEHOLDERS
from ..kit import access, clock, forms, links, pages
from ..kit.db import db, found
from ..kit.errors import Missing, Refused
from ..kit.layout import belongs
from ..kit.limits import limiter
from ..kit.mail import html_fragment
from ..outbox import queries as outbox
from ..outbox.operations import sender
from ..outbox.queries import delivery
from ..providers import operations as providers
from ..providers.forms import ContactForm
from ..providers.queries import contacts_by_key, provider_names
from . import bp, operations, queries
from .forms import LetterForm
from .models import Invitation, LetterKind, LinkPurpose, Reply
from .queries import LetterWords

belongs(
    "invitations.show_guests", "invitations.show_guest", "invitations.new_guest", "invitations.edit_guest"
)
belongs(
    "invitations.show_mailing",
    "invitations.send_invitations",
    "invitations.send_reminders",
    "invitations.send_updates",
)

MEANINGS = {
    "greeting": _l("salutation with name, for example “Dear Ms Brinkmann,”"),
    "first_name": _l("first name"),
    "last_name": _l("last name"),
    "organisation": _l("name of the organisation"),
    "series": _l("title of the series"),
    "conference": _l("title of the conference"),
    "focus_question": _l("focus question"),
    "date": _l("weekday and date"),
    "time": _l("begin and end"),
    "place": _l("venue and address"),
    "answer_by": _l("last day to answer"),
    "organiser": _l("contact person"),
    "organiser_email": _l("e-mail address for questions"),
    "organiser_phone": _l("telephone for questions"),
    "link": _l("the person's own link; must be in the text"),
    "retention": _l("how long data are kept, in a sentence"),
}
HIDDEN = "…"


def _here(slug: str) -> Conference:
    return conference_here(access.account(), slug)


def _guest(conference: Conference, invitation_id: int) -> Invitation:
    return found(queries.invitation_of(conference, invitation_id))


# -- the guest list ---------------------------------------------------


@bp.get("/conferences/<slug>/guests")
@access.organisers
def show_guests(slug: str) -> ResponseReturnValue:
    """Everybody on the list: organisation, answer, letters, trouble with mail."""
    conference = _here(slug)
    everybody = queries.guest_list(conference)
    chosen = request.args.get("reply", "")
    groups = {
        "": everybody,
        "new": [guest for guest in everybody if guest.sent_at is None],
        **{
            reply.value: [g for g in everybody if g.reply is reply and (g.sent_at or g.replied_at)]
            for reply in Reply
        },
    }
    return pages.show(
        "invitations/show_guests.html",
        conference=conference,
        everybody=everybody,
        groups=groups,
        chosen=chosen if chosen in groups else "",
        part=pages.part_of(groups.get(chosen, everybody), _words),
        problems=outbox.problems_about(slug),
        in_line=current_app.extensions["standings_in_line"](conference),
    )


def _words(guest: Invitation) -> str:
    """By what somebody on the list is looked for."""
    contact = guest.contact
    return f"{contact.name} {contact.provider.name} {contact.email or ''} {contact.function} {contact.team}"


@bp.get("/conferences/<slug>/guests/<int:invitation_id>")
@access.organisers
def show_guest(slug: str, invitation_id: int) -> ResponseReturnValue:
    """One person on the list: answer, letters, personal link."""
    conference = _here(slug)
    guest = _guest(conference, invitation_id)
    valid = queries.links_of(conference, guest.contact_id, clock.now(), LinkPurpose.INVITATION)
    place = current_app.extensions["place_of_guest"](conference, guest.contact_id)
    return pages.show(
        "invitations/show_guest.html",
        conference=conference,
        guest=guest,
        link=valid[0] if valid else None,
        mails=outbox.mails_to(slug, guest.contact.email) if guest.contact.email else [],
        problem=outbox.problems_about(slug).get(guest.contact.email or ""),
        is_open=clock.now() < conference.answers_close_at,
        place=place,
        offer=place.offer if place and place.offer and place.offer.is_open(clock.now()) else None,
    )


@bp.route("/conferences/<slug>/guests/new", methods=["GET", "POST"])
@access.organisers
def new_guest(slug: str) -> ResponseReturnValue:
    """Put one more person on the list."""
    conference = _here(slug)
    form = ContactForm()
    form.offer_choices()
    if forms.submitted(form):
        with pages.refusals(form):
            guest, is_known = _added(conference, form)
            message = _("%(name)s is on the guest list.", name=guest.contact.name)
            if is_known:
                message = _(
                    "This address belongs to %(name)s, %(organisation)s, who is on the guest list now.",
                    name=guest.contact.name,
                    organisation=guest.contact.provider.name,
                )
            return pages.done("invitations.show_guests", message, slug=slug)
    return pages.show("invitations/new_guest.html", form=form, conference=conference, names=provider_names())


def _added(conference: Conference, form: ContactForm) -> tuple[Invitation, bool]:
    """The new entry on the list, and whether the person was in the address book already."""
    at, fields = clock.now(), form.fields()
    known = contacts_by_key([fields.email.lower()]).get(fields.email.lower())
    if known is not None and queries.invitation_for(conference, known.id) is not None:
        raise Refused(_("%(name)s is on the guest list already.", name=known.name))
    if known is not None:
        return operations.invite(conference, known, at=at), True
    provider, _new = providers.keep_provider(form.organisation.data, None, None, at=at)
    contact, _new = providers.keep_contact(provider, at=at, **vars(fields))
    return operations.invite(conference, contact, at=at), False


@bp.route("/conferences/<slug>/guests/<int:invitation_id>/edit", methods=["GET", "POST"])
@access.organisers
def edit_guest(slug: str, invitation_id: int) -> ResponseReturnValue:
    """Correct a person, for example an address that mail does not reach."""
    conference = _here(slug)
    guest = _guest(conference, invitation_id)
    contact = guest.contact
    form = ContactForm(obj=contact)
    if request.method == "GET":
        form.organisation.data, form.version.data = contact.provider.name, contact.version
    form.offer_choices()
    if forms.submitted(form):
        with pages.refusals(form):
            provider, _new = providers.keep_provider(form.organisation.data, None, None, at=clock.now())
            waits = providers.correct_contact(
                contact, provider, form.fields(), form.started_from, access.account(), at=clock.now()
            )
            return pages.done(
                "invitations.show_guest",
                providers.saved(waits),
                slug=slug,
                invitation_id=invitation_id,
            )
    return pages.show(
        "invitations/edit_guest.html", form=form, conference=conference, guest=guest, names=provider_names()
    )


@bp.post("/conferences/<slug>/guests/<int:invitation_id>/removal")
@access.organisers
def remove_guest(slug: str, invitation_id: int) -> ResponseReturnValue:
    """Take a person off the list who was not invited yet."""
    guest = _guest(_here(slug), invitation_id)
    name = guest.contact.name
    operations.strike_off(guest)
    return pages.done("invitations.show_guests", _("%(name)s is off the guest list.", name=name), slug=slug)


@bp.post("/conferences/<slug>/guests/<int:invitation_id>/letter")
@access.organisers
def send_to_guest(slug: str, invitation_id: int) -> ResponseReturnValue:
    """Send the invitation to one person, for the first time or again."""
    guest = _guest(_here(slug), invitation_id)
    operations.send_again(guest, _number("wave"), at=clock.now())
    message = _("The invitation is in the outbox.")
    return pages.done("invitations.show_guest", message, slug=slug, invitation_id=invitation_id)


@bp.post("/conferences/<slug>/guests/<int:invitation_id>/link/revocation")
@access.organisers
def revoke_link(slug: str, invitation_id: int) -> ResponseReturnValue:
    """Block a person's links."""
    operations.revoke_links(_guest(_here(slug), invitation_id), at=clock.now())
    message = _("The personal link is blocked.")
    return pages.done("invitations.show_guest", message, slug=slug, invitation_id=invitation_id)


@bp.post("/conferences/<slug>/guests/<int:invitation_id>/link/renewal")
@access.organisers
def renew_link(slug: str, invitation_id: int) -> ResponseReturnValue:
    """Block a person's links and mail a new one."""
    operations.renew_link(_guest(_here(slug), invitation_id), _number("link"), at=clock.now())
    message = _("The old link is blocked; a new one is in the outbox.")
    return pages.done("invitations.show_guest", message, slug=slug, invitation_id=invitation_id)


def _number(name: str) -> int:
    text = request.form.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else -1


# -- letters ----------------------------------------------------------


@bp.route("/conferences/<slug>/letters/<kind>", methods=["GET", "POST"])
@access.organisers
def edit_letter(slug: str, kind: str) -> ResponseReturnValue:
    """The words of a letter, and how it looks to a real recipient; looking at unsaved words stores nothing."""
    conference, letter_kind = _here(slug), _kind(kind)
    guests = queries.guest_list(conference)
    form = _letter_form(queries.words_of(conference, letter_kind), guests)
    is_good = forms.submitted(form)
    if is_good and "preview" not in request.form:
        with pages.refusals(form):
            operations.save_letter(
                conference, letter_kind, form.subject.data, form.body.data, form.started_from, at=clock.now()
            )
            return pages.done(
                "invitations.edit_letter",
                _("The letter has been saved."),
                slug=slug,
                kind=kind,
                **{"as": form.recipient.data or None},
            )
    return pages.show(
        "invitations/edit_letter.html",
        form=form,
        conference=conference,
        kind=letter_kind,
        kinds=LetterKind,
        guests=guests,
        placeholders=[(name, MEANINGS[name]) for name in PLACEHOLDERS],
        preview=_preview(form, guests, letter_kind) if is_good or request.method == "GET" else None,
        is_saved=request.method == "GET",
        sender=sender(),
    )


def _kind(value: str) -> LetterKind:
    try:
        return LetterKind(value)
    except ValueError:
        abort(404)


def _letter_form(words: LetterWords, guests: list[Invitation]) -> LetterForm:
    if request.method == "GET":
        chosen = request.args.get("as", str(guests[0].id) if guests else "")
        form = LetterForm(data={**vars(words), "recipient": chosen})
    else:
        form = LetterForm()
    form.recipient.offer(
        (guest.id, f"{guest.contact.name}, {guest.contact.provider.name}") for guest in guests
    )
    if not guests:
        form.recipient.data = None  # the field is not on the page then
    return form


def _preview(form: LetterForm, guests: list[Invitation], kind: LetterKind) -> dict[str, object] | None:
    """The letter as one guest would get it; the link in it is hidden."""
    guest = next((guest for guest in guests if str(guest.id) == form.recipient.data), None)
    if guest is None:
        return None
    typed = LetterWords(form.subject.data or "", form.body.data or "", 0)
    words = queries.with_notice(typed, kind, guest.conference.language)
    address = operations.address_of(LinkPurpose.INVITATION, HIDDEN)
    subject, text = operations.compose(guest, words, address)
    return {"guest": guest, "subject": subject, "text": text, "html": html_fragment(text, base_url="")}


# -- mailings ---------------------------------------------------------


@bp.get("/conferences/<slug>/mailing")
@access.organisers
def show_mailing(slug: str) -> ResponseReturnValue:
    """Who would get what, how far mailings have come, and what went wrong."""
    conference, at = _here(slug), clock.now()
    guests = queries.guest_list(conference)
    waiting = queries.not_invited(guests)
    return pages.show(
        "invitations/show_mailing.html",
        conference=conference,
        guests=guests,
        waiting=waiting,
        part=pages.part_of(waiting, _words),
        invited=[guest for guest in guests if guest.sent_at is not None],
        unanswered=[guest for guest in guests if guest.sent_at is not None and guest.reply is Reply.OPEN],
        remindable=queries.to_remind(guests, at),
        outdated=queries.outdated(guests, conference),
        no_address=queries.without_address(guests),
        is_open=at < conference.answers_close_at,
        is_over=at >= conference.ends_at,
        batches=outbox.batches_about(slug),
        problems=outbox.problems_about(slug),
        delivery=delivery(),
    )


@bp.route("/conferences/<slug>/mailing/invitations", methods=["GET", "POST"])
@access.organisers
def send_invitations(slug: str) -> ResponseReturnValue:
    """The page before the mailing, with the number of letters; then the mailing itself."""
    conference = _here(slug)
    guests = queries.guest_list(conference)
    chosen = _chosen(guests)
    if request.method == "POST" and not chosen:
        form = forms.Form()
        form.form_errors.append(_("Please choose at least one person."))
        return pages.show(
            "invitations/send_invitations.html", form=form, conference=conference, chosen=[], status=422
        )
    if request.method == "POST" and "confirmed" in request.form:
        batch = operations.send_invitations(conference, chosen, at=clock.now())
        return pages.done("invitations.show_mailing", _queued(batch), slug=slug)
    return pages.show(
        "invitations/send_invitations.html", conference=conference, chosen=queries.not_invited(chosen)
    )


def _chosen(guests: list[Invitation]) -> list[Invitation]:
    """Everybody not invited yet; or those whose boxes were ticked, or who stood on the page before the mailing."""
    if request.method == "GET":
        return queries.not_invited(guests)
    sent = {part for value in request.form.getlist("guests") for part in value.split(",")}
    return [guest for guest in guests if str(guest.id) in sent]


def _queued(batch: str) -> str:
    number = outbox.progress(batch).total
    if not number:
        return _("There was nobody left to write to; nothing was sent twice.")
    return ngettext("%(num)d letter is in the outbox.", "%(num)d letters are in the outbox.", number)


@bp.route("/conferences/<slug>/mailing/reminders", methods=["GET", "POST"])
@access.organisers
def send_reminders(slug: str) -> ResponseReturnValue:
    """The page before the reminder, with the number of letters; then the reminder itself."""
    conference, at = _here(slug), clock.now()
    chosen = queries.to_remind(queries.guest_list(conference), at)
    if request.method == "POST":
        batch = operations.send_reminders(conference, at=at)
        return pages.done("invitations.show_mailing", _queued(batch), slug=slug)
    return pages.show("invitations/send_reminders.html", conference=conference, chosen=chosen)


@bp.route("/conferences/<slug>/mailing/updates", methods=["GET", "POST"])
@access.organisers
def send_updates(slug: str) -> ResponseReturnValue:
    """The page before telling a change of time or place; then the mailing itself."""
    conference = _here(slug)
    chosen = queries.outdated(queries.guest_list(conference), conference)
    if request.method == "POST":
        batch = operations.send_updates(conference, at=clock.now())
        return pages.done("invitations.show_mailing", _queued(batch), slug=slug)
    return pages.show("invitations/send_updates.html", conference=conference, chosen=chosen)


# -- the demo ---------------------------------------------------------


@bp.post("/persona/participant")
@access.demonstration
def become_participant() -> ResponseReturnValue:
    """Demo mode: one click opens an invitation as its recipient."""
    guest = found(queries.newest_unanswered())
    link = operations.personal_link(guest.conference, guest.contact, LinkPurpose.INVITATION, at=clock.now())
    return redirect(url_for("registrations.answer_invitation", token=links.token_of(link.nonce)), 303)


# -- the end of reminders ---------------------------------------------


@bp.route("/reminders/<token>", methods=["GET", "POST"])
@access.public
@access.from_mail_programs
@limiter.limit("3000 per 10 minutes")
def end_reminders(token: str) -> ResponseReturnValue:
    """Where List-Unsubscribe leads: a POST ends the reminders (RFC 8058), looking changes nothing."""
    link = queries.link_by_token(token, clock.now())
    if link is None or link.purpose is not LinkPurpose.REMINDERS:
        raise Missing
    invitation = found(queries.invitation_for(link.conference, link.contact_id))
    if request.method == "POST":
        operations.end_reminders(invitation, at=clock.now())
        db.session.flush()
    return pages.show(
        "invitations/end_reminders.html", event=link.conference, invitation=invitation, token=token
    )
