"""Pages for seats: offers that guests answer, and how organisers want seats to be given."""

from flask import abort, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from ..conferences.queries import conference_here
from ..kit import access, clock, forms, once, pages
from ..kit.db import found
from ..kit.layout import belongs
from ..kit.limits import limiter
from . import bp, operations, queries, seats
from .forms import LimitForm, SeatRulesForm
from .models import Registration, SeatRules
from .views import answered_page, enter, invitation_behind, offer_sent

belongs("registrations.show_registrations", "registrations.show_seats", "registrations.edit_limit")

# -- guests -----------------------------------------------------------


@bp.post("/invitation/<token>/offer")
@access.public
@limiter.limit("3000 per 10 minutes")
@once.counted_once
def answer_offer_by_link(token: str) -> ResponseReturnValue:
    """Take or turn down the seat that is held, straight from the letter: two taps."""
    link, _invitation = invitation_behind(token)
    form = forms.Form()
    if forms.submitted(form):
        with pages.refusals(form):
            registration = found(queries.registration_of(link.conference, link.contact_id))
            return enter(link, _answer(registration))
    return answered_page(token, link, form)


@bp.post("/my/offer")
@access.guest
@once.counted_once
def answer_offer() -> ResponseReturnValue:
    """Take or turn down the seat that is held, on the own page."""
    link = access.link()
    registration = found(queries.registration_of(link.conference, link.contact_id))
    return pages.done("registrations.my_page", _answer(registration))


def _answer(registration: Registration) -> str:
    offer_id, at = offer_sent(), clock.now()
    if request.form.get("reply") == "accepted":
        seats.accept_offer(registration, offer_id, at=at)
        return _("Thank you. The seat is yours; a confirmation is on its way.")
    if request.form.get("reply") != "declined":
        abort(422)
    operations.decline_offer(registration, offer_id, at=at)
    return _("Thank you for telling us. You do not take part.")


# -- organisers -------------------------------------------------------


@bp.route("/conferences/<slug>/seats", methods=["GET", "POST"])
@access.organisers
def show_seats(slug: str) -> ResponseReturnValue:
    """How seats are given, and how many each organisation has."""
    conference = conference_here(access.account(), slug)
    stored = queries.rules_of(conference)
    form = SeatRulesForm() if request.method == "POST" else SeatRulesForm(data=_rules(stored))
    form.offer_ways()
    if forms.submitted(form):
        with pages.refusals(form):
            seats.set_rules(conference, form.rules(), form.started_from, at=clock.now())
            return pages.done(
                "registrations.show_seats", _("It has been saved how seats are given."), slug=slug
            )
    conference = conference_here(access.account(), slug)
    return pages.show(
        "registrations/show_seats.html",
        form=form,
        conference=conference,
        rules=queries.rules_of(conference),
        counts=queries.seat_counts(conference),
        organisations=queries.provider_seats(conference),
    )


def _rules(stored: SeatRules | None) -> dict[str, object]:
    if stored is None:
        return {"version": 0, "way": "at_once", "offer_hours": seats.USUAL_OFFER}
    return {
        "version": stored.version,
        "per_provider": stored.per_provider,
        "way": "offer" if stored.offer_hours else "at_once",
        "offer_hours": stored.offer_hours or seats.USUAL_OFFER,
    }


@bp.route("/conferences/<slug>/seats/<int:provider_id>", methods=["GET", "POST"])
@access.organisers
def edit_limit(slug: str, provider_id: int) -> ResponseReturnValue:
    """Another limit for one organisation."""
    conference = conference_here(access.account(), slug)
    provider = found(queries.provider_here(conference, provider_id))
    stored = queries.exceptions_of(conference).get(provider_id)
    form = LimitForm() if request.method == "POST" else LimitForm(data={"version": 0, "kind": "own"})
    if request.method == "GET" and stored is not None:
        form.version.data, form.reason.data = stored.version, stored.reason
        form.kind.data, form.seats.data = "none" if stored.seats is None else "own", stored.seats
    form.offer_kinds()
    if forms.submitted(form):
        with pages.refusals(form):
            seats.set_exception(
                conference, provider, form.limit, form.reason.data, form.started_from, at=clock.now()
            )
            return pages.done("registrations.show_seats", _("The limit has been saved."), slug=slug)
    conference = conference_here(access.account(), slug)
    return pages.show(
        "registrations/edit_limit.html",
        form=form,
        conference=conference,
        here=found(
            next((one for one in queries.provider_seats(conference) if one.provider.id == provider_id), None)
        ),
    )


@bp.post("/conferences/<slug>/seats/<int:provider_id>/removal")
@access.organisers
def remove_limit(slug: str, provider_id: int) -> ResponseReturnValue:
    """Let the limit for all hold for this organisation again."""
    conference = conference_here(access.account(), slug)
    provider = found(queries.provider_here(conference, provider_id))
    seats.remove_exception(conference, provider.id, at=clock.now())
    return pages.done("registrations.show_seats", _("The limit for all holds again."), slug=slug)


@bp.post("/conferences/<slug>/registrations/<int:registration_id>/offer")
@access.organisers
@once.counted_once
def offer_again(slug: str, registration_id: int) -> ResponseReturnValue:
    """Offer a free seat to somebody who has let offers pass."""
    conference = conference_here(access.account(), slug)
    registration = found(queries.registration_here(conference, registration_id))
    seats.offer_again(registration, at=clock.now())
    message = _("%(name)s has an offer now.", name=registration.name)
    return pages.done("registrations.show_registrations", message, slug=slug)
