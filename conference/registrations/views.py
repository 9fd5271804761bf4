"""Pages for guests (answer, change, withdraw) and for staff (list, attendance, papers)."""

from typing import Any

from flask import abort, current_app, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import force_locale, ngettext
from flask_babel import gettext as _

from ..conferences.models import Conference
from ..conferences.queries import conference_here, topics_of
from ..core.csv_out import to_csv
from ..invitations.models import Invitation, LinkPurpose, PersonalLink, Reply
from ..invitations.queries import guest_list, invitation_for, invitation_ids, invitation_of, link_by_token
from ..kit import access, clock, forms, once, pages, unit
from ..kit.db import found
from ..kit.errors import Missing
from ..kit.limits import acts_of_one_guest, answers_of_one_guest, limiter
from ..kit.pdf import render_in_child
from ..providers.models import Contact
from . import bp, operations, queries, seats
from .forms import AnswerForm, ConsentsForm, DeclineForm, RegistrationForm, WalkInForm
from .models import ConsentKind, Presence, Registration, Standing

# -- guests -----------------------------------------------------------


def invitation_behind(token: str) -> tuple[PersonalLink, Invitation]:
    """The personal link with this token and its invitation. Raises Missing."""
    link = link_by_token(token, clock.now())
    if link is None or link.purpose is not LinkPurpose.INVITATION:
        raise Missing
    return link, found(invitation_for(link.conference, link.contact_id))


def _initials(contact: Contact) -> str:
    """Enough for its owner, and nobody's name for others: A. M."""
    return " ".join(f"{name[:1]}." for name in (contact.first_name, contact.last_name) if name)


@bp.route("/invitation/<token>", methods=["GET", "POST"])
@access.public
@limiter.limit("3000 per 10 minutes")
def answer_invitation(token: str) -> ResponseReturnValue:
    """The personal link. Looking changes nothing; an answered one shows no name, only the way in."""
    link, invitation = invitation_behind(token)
    if request.method == "GET" and invitation.reply is not Reply.OPEN:
        return answered_page(token, link)
    form, no = _answer_forms(link, invitation)
    if request.method == "POST" and request.form.get("reply") == "declined":
        return _declined(token, link, invitation, form, no)
    if request.method == "POST" and request.form.get("reply") != "accepted":
        form.form_errors.append(_("Please choose one of the offered answers."))
    if forms.submitted(form):
        with pages.refusals(form):
            registration = operations.accept(invitation, form.answer(), at=clock.now(), is_first=True)
            return enter(link, _thanks(registration))
    return _answer_page(token, invitation, form, no)


def answered_page(token: str, link: PersonalLink, form: forms.Form | None = None) -> ResponseReturnValue:
    """An answered link: no name, only the way in, and the seat that is held for whoever has it."""
    registration = queries.registration_of(link.conference, link.contact_id)
    is_waiting = registration is not None and registration.standing is Standing.WAITING
    offer = queries.last_offer_of(registration) if registration is not None and is_waiting else None
    is_open = offer is not None and offer.is_open(clock.now())
    return pages.show(
        "registrations/answered.html",
        form=form,
        token=token,
        event=link.conference,
        initials=_initials(link.contact),
        offer=offer if is_open else None,
        ended=None if is_open or clock.now() >= link.conference.starts_at else offer,
    )


def _answer_forms(link: PersonalLink, invitation: Invitation) -> tuple[AnswerForm, DeclineForm]:
    form = AnswerForm() if request.method == "POST" else AnswerForm(data={"name": invitation.contact.name})
    form.offer_topics(topics_of(link.conference))
    return form, DeclineForm(prefix="no")


def _answer_page(
    token: str, invitation: Invitation, form: AnswerForm, no: DeclineForm
) -> ResponseReturnValue:
    event, now = invitation.conference, clock.now()
    return pages.show(
        "registrations/answer_invitation.html",
        form=form,
        no=no,
        status=pages.status_of(no) if no.refused else max(pages.status_of(form), pages.status_of(no)),
        token=token,
        event=event,
        contact=invitation.contact if invitation.reply is Reply.OPEN else None,
        outlook=queries.outlook(event, invitation.contact),
        offers=queries.gets_offers(event, invitation.contact),
        begun=now >= event.starts_at,
        closed=now >= event.answers_close_at,
        answered=any(isinstance(f.refused, operations.AlreadyAnswered) for f in (form, no)),
        wording={kind.value: operations.consent_wording(kind, event) for kind in ConsentKind},
    )


def _declined(
    token: str, link: PersonalLink, invitation: Invitation, form: AnswerForm, no: DeclineForm
) -> ResponseReturnValue:
    if forms.submitted(no):
        with pages.refusals(no):
            operations.decline(invitation, no.reason.data or "", at=clock.now(), is_first=True)
            return enter(link, _("Thank you for telling us. You do not take part."))
    form.form_errors.extend(no.form_errors)
    return _answer_page(token, invitation, form, no)


def _thanks(registration: Registration) -> str:
    if registration.standing is Standing.CONFIRMED:
        return _("Thank you. Your seat is reserved; a confirmation is on its way.")
    if queries.allotment_of(registration.conference).is_full_for(registration.contact):
        return _("Thank you. Your organisation has given away its seats; you are on the waiting list.")
    return _("Thank you. All seats are taken; you are on the waiting list.")


def enter(link: PersonalLink, message: str | None) -> ResponseReturnValue:
    """On to the own page, by a cookie instead of the link."""
    access.enter_as_guest(link.id)
    return pages.done("registrations.my_page", message)


@bp.post("/invitation/<token>/visit")
@access.public
@limiter.limit("3000 per 10 minutes")
def visit(token: str) -> ResponseReturnValue:
    """Exchange the personal link for a cookie, so that the token leaves the address bar."""
    link, _invitation = invitation_behind(token)
    return enter(link, None)


@bp.get("/my")
@access.guest
def my_page() -> ResponseReturnValue:
    """A guest's own page."""
    conference, registration, invitation = _mine()
    form: RegistrationForm | ConsentsForm | None = None
    if registration is not None and registration.standing is not Standing.WITHDRAWN:
        begun = clock.now() >= conference.starts_at
        form = _consents_form(registration) if begun else _registration_form(registration, conference)
    return _my_page(conference, registration, invitation, form)


def _mine() -> tuple[Conference, Registration | None, Invitation]:
    link = access.link()
    invitation = found(invitation_for(link.conference, link.contact_id))
    return link.conference, queries.registration_of(link.conference, link.contact_id), invitation


def _registration_form(registration: Registration, conference: Conference) -> RegistrationForm:
    if request.method == "POST":
        form = RegistrationForm()
    else:
        wished = [*queries.wishes_of_person(registration), None, None, None]
        consents = _consents(registration)
        wishes = dict(zip(("first_wish", "second_wish", "third_wish"), wished, strict=False))
        form = RegistrationForm(data=vars(registration) | wishes | consents)
    form.offer_topics(topics_of(conference))
    return form


def _consents(registration: Registration) -> dict[str, bool]:
    valid = queries.valid_consents(registration)
    return {
        "photo": ConsentKind.PHOTO in valid,
        "name_list": ConsentKind.LIST in valid,
        "future": ConsentKind.FUTURE in valid,
    }


def _consents_form(registration: Registration) -> ConsentsForm:
    if request.method == "POST":
        return ConsentsForm()
    return ConsentsForm(data={"version": registration.version} | _consents(registration))


def _my_page(
    conference: Conference,
    registration: Registration | None,
    invitation: Invitation,
    form: RegistrationForm | ConsentsForm | None,
) -> ResponseReturnValue:
    waiting = registration if registration and registration.standing is Standing.WAITING else None
    allotment = queries.allotment_of(conference) if waiting else None
    offer = queries.last_offer_of(waiting) if waiting else None
    offers = queries.gets_offers(conference, waiting.contact) if waiting else False
    return pages.show(
        "registrations/my_page.html",
        form=form,
        offer=offer,
        offer_open=offer is not None and offer.is_open(clock.now()),
        offers=offers,
        offer_last=offers and waiting is not None and waiting.id in queries.silent_ids(conference),
        organisation_full=allotment is not None
        and waiting is not None
        and allotment.is_full_for(waiting.contact),
        event=conference,
        registration=registration,
        invitation=invitation,
        place_in_line=queries.place_in_line(waiting) if waiting else None,
        begun=clock.now() >= conference.starts_at,
        closed=clock.now() >= conference.answers_close_at,
        wording={kind.value: operations.consent_wording(kind, conference) for kind in ConsentKind},
        given=queries.valid_consents(registration) if registration else {},
        takes_part=invitation.contact_id in queries.participant_ids(conference),
    )


@bp.post("/my/registration")
@access.guest
@acts_of_one_guest
def change_registration() -> ResponseReturnValue:
    """Change name, needs, wishes or consents."""
    conference, registration, invitation = _mine()
    registration = found(registration)
    form = _registration_form(registration, conference)
    if forms.submitted(form):
        with pages.refusals(form):
            operations.change(registration, form.answer(), form.started_from, at=clock.now())
            return pages.done("registrations.my_page", _("Your details have been saved."))
    return _my_page(conference, registration, invitation, form)


@bp.post("/my/consents")
@access.guest
@answers_of_one_guest
def change_consents() -> ResponseReturnValue:
    """Give or withdraw consents, also after the conference."""
    conference, registration, invitation = _mine()
    registration = found(registration)
    form = _consents_form(registration)
    if forms.submitted(form):
        with pages.refusals(form):
            operations.change_consents(registration, form.ticked, form.started_from, at=clock.now())
            return pages.done("registrations.my_page", _("Your consents have been saved."))
    return _my_page(conference, registration, invitation, form)


@bp.post("/my/consents/<kind>/withdrawal")
@access.guest
@answers_of_one_guest
def withdraw_consent(kind: str) -> ResponseReturnValue:
    """Withdraw one consent with one press; it acts at once."""
    _conference, registration, _invitation = _mine()
    withdrawn = next((one for one in ConsentKind if one.value == kind), None)
    if withdrawn is None:
        raise Missing
    operations.withdraw_consent(found(registration), withdrawn, at=clock.now())
    return pages.done("registrations.my_page", _("Your consent has been withdrawn."))


@bp.get("/my/participants")
@access.guest
def my_participants() -> ResponseReturnValue:
    """The list of participants that all of them get: who has agreed. Only for who takes part."""
    conference, _registration, _invitation = _mine()
    contact = access.link().contact
    if contact.id not in queries.participant_ids(conference):
        raise Missing
    named, others = queries.list_for_participants(conference)
    return pages.show(
        "registrations/my_participants.html",
        event=conference,
        named=named,
        others=others,
        reader=contact.name,
        opened_at=clock.now(),
    )


@bp.post("/my/withdrawal")
@access.guest
@acts_of_one_guest
def withdraw() -> ResponseReturnValue:
    """Give the seat, or the place on the waiting list, back."""
    _conference, registration, _invitation = _mine()
    operations.withdraw(found(registration), at=clock.now())
    return pages.done("registrations.my_page", _("You have withdrawn and do not take part."))


@bp.post("/my/return")
@access.guest
@acts_of_one_guest
def register_again() -> ResponseReturnValue:
    """Accept after all, with what is known already."""
    _conference, _registration, invitation = _mine()
    registration = operations.accept_as_known(invitation, at=clock.now())
    again = _("Your consents ended when you withdrew; you can give them again below.")
    return pages.done("registrations.my_page", f"{_thanks(registration)} {again}")


def offer_sent() -> int:
    """The number of the offer that is answered; 0, which is none, for what is no number."""
    text = request.form.get("offer", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


# -- staff ------------------------------------------------------------


def _words(one: Registration) -> str:
    """By what somebody who is registered is looked for."""
    return f"{one.name} {one.contact.name} {one.contact.provider.name} {one.contact.email or ''}"


@bp.get("/conferences/<slug>/registrations")
@access.organisers
def show_registrations(slug: str) -> ResponseReturnValue:
    """Who has a seat, who waits, what they need; but for those whose data are restricted."""
    conference = conference_here(access.account(), slug)
    everybody = queries.registrations_of(conference)
    line = [one for one in queries.waiting_line(conference) if not one.contact.is_restricted]
    counts = queries.seat_counts(conference)
    allotment = queries.allotment_of(conference, counts)
    listed = [one for one in everybody if not one.contact.is_restricted]
    return pages.show(
        "registrations/show_registrations.html",
        conference=conference,
        registrations=listed,
        part=pages.part_of(listed, _words),
        line_part=pages.part_of(list(enumerate(line, 1)), lambda pair: _words(pair[1]), name="line"),
        restricted=sum(one.contact.is_restricted for one in everybody),
        guests=invitation_ids(conference),
        line=line,
        counts=counts,
        offers=queries.open_offers(conference) if line else {},
        silent=queries.silent_ids(conference) if line else set(),
        full={one.id for one in line if allotment.is_full_for(one.contact)},
        may_give=access.visitor().may(access.ADMIN, access.ORGANISER),
        begun=clock.now() >= conference.starts_at,
        wishes=queries.wishes_of(conference),
        consents=queries.consents_of(conference),
    )


@bp.get("/conferences/<slug>/registrations.csv")
@access.organisers
def export_registrations(slug: str) -> ResponseReturnValue:
    """The list for Excel; no cell can be a formula. That it was fetched is in the log."""
    conference = conference_here(access.account(), slug)
    access.handed_out("registrations", conference.id)
    wishes, line = queries.wishes_of(conference), queries.standings_in_line(conference)
    head = [
        _("Name"),
        _("Organisation"),
        _("E-mail address"),
        _("Standing"),
        _("Food"),
        _("Needs"),
        _("Wishes"),
    ]
    rows = [
        [
            registration.name,
            registration.contact.provider.name,
            registration.contact.email or "",
            str(line.get(registration.contact_id, registration.standing.label)),
            registration.diet,
            registration.access_needs,
            ", ".join(topic.title for topic in wishes.get(registration.contact_id, [])),
        ]
        for registration in queries.registrations_of(conference)
        if not registration.contact.is_restricted
    ]
    return pages.file(to_csv(head, rows), "text/csv; charset=utf-8", f"{slug}-registrations.csv")


@bp.post("/conferences/<slug>/guests/<int:invitation_id>/reply")
@access.organisers
def note_reply_by_phone(slug: str, invitation_id: int) -> ResponseReturnValue:
    """Note an answer that came by telephone."""
    conference = conference_here(access.account(), slug)
    invitation = found(invitation_of(conference, invitation_id))
    if request.form.get("reply") == "accepted" and "offer" in request.form:
        registration = found(queries.registration_of(conference, invitation.contact_id))
        seats.accept_offer(registration, offer_sent(), at=clock.now())
    elif request.form.get("reply") == "accepted":
        operations.accept_as_known(invitation, at=clock.now(), by_staff=True)
    elif request.form.get("reply") == "declined":
        operations.decline(invitation, _("by telephone"), at=clock.now())
    else:
        abort(422)
    message = _("The answer of %(name)s has been noted.", name=invitation.contact.name)
    return pages.done("invitations.show_guest", message, slug=slug, invitation_id=invitation_id)


@bp.route("/conferences/<slug>/attendance", methods=["GET", "POST"])
@access.door
@once.counted_once
def show_attendance(slug: str) -> ResponseReturnValue:
    """Record who is there. Nothing is taken from the answers; only what was changed on the form is stored."""
    conference = conference_here(access.account(), slug)
    if request.method == "GET":
        return _attendance_page(conference, WalkInForm())
    seen, wanted = _sent_presences(conference)
    form = forms.Form()
    with pages.refusals(form):
        count = operations.record_changes(conference, seen, wanted, at=clock.now())
        message = ngettext("%(num)d entry has been saved.", "%(num)d entries have been saved.", count)
        here = {name: request.args[name] for name in ("page", "q") if request.args.get(name)}
        return pages.done("registrations.show_attendance", message, slug=slug, **here)
    return _attendance_page(conference, WalkInForm(), form, wanted)


Presences = dict[int, Presence | None]


def _sent_presences(conference: Conference) -> tuple[Presences, Presences]:
    known = {str(row["contact"].id): row["contact"].id for row in _attendance_rows(conference)}
    values: dict[str, Presence | None] = {str(presence.value): presence for presence in Presence} | {"": None}
    sent: dict[str, Presences] = {"was": {}, "presence": {}}
    for key, value in request.form.items():
        kind, _dash, number = key.partition("-")
        if kind not in sent:
            continue
        if number not in known or value not in values:
            abort(422)
        sent[kind][known[number]] = values[value]
    return sent["was"], sent["presence"]


def _attendance_rows(conference: Conference) -> list[dict[str, Any]]:
    attendance = queries.attendance_of(conference)
    people: dict[int, tuple[Contact, Reply | None]] = {
        i.contact_id: (i.contact, i.reply) for i in guest_list(conference)
    }
    people |= {a.contact_id: (a.contact, None) for a in attendance.values() if a.contact_id not in people}
    line = queries.standings_in_line(conference)
    rows = [
        {
            "contact": contact,
            "reply": reply,
            "in_line": line.get(contact_id),
            "attendance": attendance.get(contact_id),
        }
        for contact_id, (contact, reply) in people.items()
    ]
    return sorted(rows, key=lambda row: row["contact"].sort_key)


def _attendance_page(
    conference: Conference, form: WalkInForm, sent: forms.Form | None = None, wanted: Presences | None = None
) -> ResponseReturnValue:
    rows = [row for row in _attendance_rows(conference) if not row["contact"].is_restricted]
    totals = {
        presence: sum(1 for r in rows if r["attendance"] and r["attendance"].presence is presence)
        for presence in Presence
    }
    return pages.show(
        "registrations/show_attendance.html",
        form=sent or form,
        walk_in=form,
        wanted=wanted or {},
        conference=conference,
        part=pages.part_of(rows, _words_of_row),
        papers=-(-sum(map(_is_expected, rows)) // PRINTED),
        totals=totals,
        presences=list(Presence),
        door=current_app.extensions["tables_at_door"](conference, clock.now()),
    )


def _words_of_row(row: dict[str, Any]) -> str:
    contact: Contact = row["contact"]
    return f"{contact.name} {contact.provider.name}"


def _is_expected(row: dict[str, Any]) -> bool:
    has_seat = row["reply"] is Reply.ACCEPTED and not row["in_line"]
    return has_seat or (row["attendance"] is not None and row["attendance"].presence is Presence.PRESENT)


@bp.post("/conferences/<slug>/attendance/walk-ins")
@access.door
@once.counted_once
def add_walk_in(slug: str) -> ResponseReturnValue:
    """Add somebody who came without being on the list."""
    conference = conference_here(access.account(), slug)
    form = WalkInForm()
    if forms.submitted(form):
        with pages.refusals(form):
            before = queries.present_ids(conference)
            contact = operations.add_walk_in(
                conference,
                form.first_name.data or "",
                form.last_name.data,
                form.organisation.data,
                form.email.data or "",
                at=clock.now(),
            )
            message = _("%(name)s has been added and is present.", name=contact.name)
            if contact.id in before:
                message = _("%(name)s was entered already and is present.", name=contact.name)
            return pages.done("registrations.show_attendance", message, slug=slug)
    return _attendance_page(conference, form)


@bp.get("/conferences/<slug>/attendance/signature-list.pdf")
@access.door
@unit.own_transactions
def signature_list(slug: str) -> ResponseReturnValue:
    """The list to sign at the door."""
    with unit.reading():
        conference = conference_here(access.account(), slug)
        html = _paper("pdf/signature_list.html", conference, spare=5)
        access.handed_out("signature-list", conference.id)
    return pages.file(render_in_child(html), "application/pdf", f"{slug}-signature-list.pdf", inline=True)


@bp.get("/conferences/<slug>/badges.pdf")
@access.door
@unit.own_transactions
def badges(slug: str) -> ResponseReturnValue:
    """Name badges for everybody who is expected."""
    with unit.reading():
        conference = conference_here(access.account(), slug)
        html = _paper("pdf/badges.html", conference)
        access.handed_out("badges", conference.id)
    return pages.file(render_in_child(html), "application/pdf", f"{slug}-badges.pdf", inline=True)


PRINTED = 1000
"""So many people are in one paper: more would take longer than a PDF may."""


def _people_to_print(conference: Conference) -> list[dict[str, object]]:
    """Those of the part that is asked for; one too far is the last."""
    consents = queries.consents_of(conference)
    everybody = queries.named_participants(conference)
    part = min(max(1, request.args.get("part", 1, type=int)), max(1, -(-len(everybody) // PRINTED)))
    return [
        {
            "name": name,
            "organisation": contact.provider.name,
            "no_photo": ConsentKind.PHOTO not in consents.get(contact.id, set()),
        }
        for name, contact in everybody[(part - 1) * PRINTED : part * PRINTED]
    ]


def _paper(template: str, conference: Conference, **context: object) -> str:
    people = _people_to_print(conference)
    with force_locale(conference.language):
        return render_template(
            template,
            language=conference.language,
            conference_title=conference.title,
            place=conference.place,
            day=conference.day,
            people=people,
            **context,
        )
