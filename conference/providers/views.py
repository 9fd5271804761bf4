"""The address book: organisations and their people."""

from typing import Any

from flask import current_app, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from ..kit import access, clock, forms, pages
from ..kit.db import found
from . import bp, operations, queries
from .forms import ContactForm, ProviderForm


def _seen() -> Any:
    """The people of the conferences that the account organises; others are not found."""
    return current_app.extensions["people_seen_by"](access.account())


@bp.get("/providers")
@access.organisers
def show_providers() -> ResponseReturnValue:
    """All organisations."""
    return pages.show("providers/show_providers.html", rows=queries.providers_with_counts(_seen()))


@bp.route("/providers/<int:provider_id>", methods=["GET", "POST"])
@access.organisers
def edit_provider(provider_id: int) -> ResponseReturnValue:
    """An organisation with its people; its name and town can be corrected."""
    provider = found(queries.provider_by_id(provider_id))
    form = ProviderForm(obj=provider)
    if forms.submitted(form):
        with pages.refusals(form):
            operations.change_provider(provider, form.name.data, form.postcode.data, form.city.data)
            return pages.done(
                "providers.edit_provider", _("The organisation has been saved."), provider_id=provider_id
            )
    people = queries.contacts_of(provider, _seen())
    return pages.show("providers/edit_provider.html", form=form, provider=provider, people=people)


@bp.route("/contacts/<int:contact_id>", methods=["GET", "POST"])
@access.organisers
def edit_contact(contact_id: int) -> ResponseReturnValue:
    """Correct a person: a new address, another organisation."""
    contact = found(queries.contact_seen(contact_id, _seen()))
    form = ContactForm(obj=contact)
    if request.method == "GET":
        form.organisation.data, form.version.data = contact.provider.name, contact.version
    form.offer_choices()
    if forms.submitted(form):
        with pages.refusals(form):
            provider, _new = operations.keep_provider(form.organisation.data, None, None, at=clock.now())
            waits = operations.correct_contact(
                contact, provider, form.fields(), form.started_from, access.account(), at=clock.now()
            )
            return pages.done("providers.edit_contact", operations.saved(waits), contact_id=contact_id)
    return pages.show(
        "providers/edit_contact.html", form=form, contact=contact, names=queries.provider_names()
    )
