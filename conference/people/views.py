"""Pages for colleagues, accounts, rules and passwords."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from flask import current_app, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from ..accounts.models import Account, Role
from ..accounts.queries import account_by_id, has_second_factor, identities_of
from ..conferences.models import Conference, Grant, Series
from ..conferences.queries import conference_here, series_here
from ..kit import access, clock, dates, forms, pages
from ..kit.db import found
from ..kit.layout import belongs
from ..kit.limits import limiter
from ..outbox import queries as outbox
from . import bp, operations, queries
from .forms import AccountForm, AskForm, ColleagueForm, GrantForm, HouseRoleForm, NewPasswordForm
from .models import LinkUse

belongs("people.show_people", "people.edit_grant")
belongs("people.show_accounts", "people.new_account", "people.show_account", "people.show_rules")


@dataclass(frozen=True)
class Here:
    """The series or conference of the address, and how to name it in others."""

    place: Series | Conference
    address: dict[str, str]

    @property
    def context(self) -> dict[str, Any]:
        """What the templates need."""
        if isinstance(self.place, Conference):
            return {"conference": self.place, "place": self.place, "address": self.address}
        return {"place": self.place, "address": self.address}


def _here(slug: str | None, series_slug: str | None) -> Here:
    if slug is not None:
        return Here(conference_here(access.account(), slug), {"slug": slug})
    return Here(series_here(access.account(), series_slug or ""), {"series_slug": series_slug or ""})


# -- colleagues of a place --------------------------------------------


@bp.route("/conferences/<slug>/people", methods=["GET", "POST"])
@bp.route("/series/<series_slug>/people", methods=["GET", "POST"])
@access.organisers
def show_people(slug: str | None = None, series_slug: str | None = None) -> ResponseReturnValue:
    """Who works here, and a form to invite one more."""
    here = _here(slug, series_slug)
    form = ColleagueForm().offer(_roles_to_give(here))
    if forms.submitted(form):
        with pages.refusals(form):
            role = Role(form.role.data)
            is_again = operations.invite_colleague(
                here.place,
                form.email.data,
                form.name.data,
                role,
                form.until.data,
                access.account(),
                at=clock.now(),
                with_names=form.with_names.data,
            )
            waits = outbox.why_waiting()
            name = form.name.data
            message = (
                f"{_('%(name)s can work here now.', name=name)} {waits}"
                if waits
                else _("%(name)s can work here now; a message is on its way.", name=name)
            )
            if is_again:
                message = f"{message} {_('The link of the earlier letter opens nothing any more.')}"
            return pages.done("people.show_people", message, **here.address)
        here = _here(slug, series_slug)
    at = clock.now()
    return pages.show(
        "people/show_people.html",
        form=form,
        grants=queries.grants_on(here.place),
        above=queries.grants_above(here.place, at),
        groups=_groups_of(here),
        at=at,
        **here.context,
    )


def _groups_of(here: Here) -> dict[int, list[str]]:
    """The tables of each facilitator, by the role on which they hang."""
    groups: dict[int, list[str]] = {}
    for one in queries.facilitations_of(here.place) if isinstance(here.place, Conference) else ():
        if one.table not in groups.setdefault(one.grant_id, []):
            groups[one.grant_id].append(one.table)
    return groups


def _roles_to_give(here: Here) -> tuple[Role, ...]:
    return operations.roles_to_give(here.place, by_administrator=access.visitor().may(access.ADMIN))


def _grant(here: Here, grant_id: int) -> Grant:
    return found(queries.grant_on(here.place, grant_id))


@bp.route("/conferences/<slug>/people/<int:grant_id>", methods=["GET", "POST"])
@bp.route("/series/<series_slug>/people/<int:grant_id>", methods=["GET", "POST"])
@access.organisers
def edit_grant(grant_id: int, slug: str | None = None, series_slug: str | None = None) -> ResponseReturnValue:
    """Another role for a colleague, another last day, another leave to read names."""
    here = _here(slug, series_slug)
    grant = _grant(here, grant_id)
    form = GrantForm().offer(_roles_to_give(here))
    if request.method == "GET":
        form.role.data, form.until.data = grant.role.value, _last_day(here, grant)
        form.with_names.data = grant.with_names
    if forms.submitted(form):
        with pages.refusals(form):
            role, by, at = Role(form.role.data), access.account(), clock.now()
            operations.change_grant(
                here.place,
                grant,
                role,
                form.until.data,
                form.started_from,
                by,
                at=at,
                with_names=form.with_names.data,
            )
            return pages.done("people.show_people", _("The role has been saved."), **here.address)
        here = _here(slug, series_slug)
        grant = _grant(here, grant_id)
    return pages.show("people/edit_grant.html", form=form, grant=grant, **here.context)


def _last_day(here: Here, grant: Grant) -> date | None:
    if grant.expires_at is None:
        return None
    zone = here.place.zone if isinstance(here.place, Conference) else None
    return dates.local(grant.expires_at - timedelta(microseconds=1), zone).date()


@bp.post("/conferences/<slug>/people/<int:grant_id>/removal")
@bp.post("/series/<series_slug>/people/<int:grant_id>/removal")
@access.organisers
def remove_grant(
    grant_id: int, slug: str | None = None, series_slug: str | None = None
) -> ResponseReturnValue:
    """Take a role away."""
    here = _here(slug, series_slug)
    operations.remove_grant(here.place, _grant(here, grant_id), access.account())
    return pages.done("people.show_people", _("The role has been taken away."), **here.address)


# -- accounts of the house --------------------------------------------


@bp.get("/accounts")
@access.administrators
def show_accounts() -> ResponseReturnValue:
    """Every account of the house."""
    return pages.show("people/show_accounts.html", accounts=queries.accounts())


@bp.route("/accounts/new", methods=["GET", "POST"])
@access.administrators
def new_account() -> ResponseReturnValue:
    """Open an account; the person chooses the password."""
    form = AccountForm().offer(operations.OF_THE_HOUSE)
    if request.method == "GET":
        form.role.data = Role.ORGANISER.value
    if forms.submitted(form):
        with pages.refusals(form):
            operations.open_account(
                form.email.data, form.name.data, Role(form.role.data), access.account(), at=clock.now()
            )
            waits = outbox.why_waiting()
            message = (
                f"{_('The account is open.')} {waits}"
                if waits
                else _("The account is open; a link to choose a password is on its way.")
            )
            return pages.done("people.show_accounts", message)
    return pages.show("people/new_account.html", form=form)


def _account(account_id: int) -> Account:
    account = found(account_by_id(account_id))
    return found(account if account.forgotten_at is None else None)


@bp.route("/accounts/<int:account_id>", methods=["GET", "POST"])
@access.administrators
def show_account(account_id: int) -> ResponseReturnValue:
    """One account: its name, its role in the house, and where it works."""
    account = _account(account_id)
    form = HouseRoleForm().offer(_house_roles(account))
    if request.method == "GET":
        form.name.data, form.role.data = account.name, account.role.value
    if forms.submitted(form):
        with pages.refusals(form):
            operations.change_account(account, form.name.data, Role(form.role.data), at=clock.now())
            return pages.done("people.show_account", _("The account has been saved."), account_id=account_id)
        account = _account(account_id)
    return pages.show(
        "people/show_account.html",
        form=form,
        account=account,
        places=queries.places_of(account),
        has_factor=has_second_factor(account),
        identities=identities_of(account),
        at=clock.now(),
    )


def _house_roles(account: Account) -> tuple[Role, ...]:
    known = operations.OF_THE_HOUSE
    return known if account.role in known else (*known, account.role)


@bp.post("/accounts/<int:account_id>/closure")
@access.administrators
def close_account(account_id: int) -> ResponseReturnValue:
    """Nobody signs in with it any more."""
    operations.close_account(_account(account_id), at=clock.now())
    return pages.done("people.show_account", _("The account is closed."), account_id=account_id)


@bp.post("/accounts/<int:account_id>/reopening")
@access.administrators
def reopen_account(account_id: int) -> ResponseReturnValue:
    """Let somebody sign in again."""
    operations.reopen_account(_account(account_id), at=clock.now())
    return pages.done("people.show_account", _("The account is open again."), account_id=account_id)


@bp.post("/accounts/<int:account_id>/second-factor/removal")
@access.administrators
def drop_second_factor(account_id: int) -> ResponseReturnValue:
    """For somebody who has lost device and recovery codes."""
    operations.drop_second_factor(_account(account_id), access.account(), at=clock.now())
    return pages.done("people.show_account", _("The second factor has been removed."), account_id=account_id)


@bp.post("/accounts/<int:account_id>/identity/removal")
@access.administrators
def unlink_account(account_id: int) -> ResponseReturnValue:
    """The sign-in service may name somebody else for this account, or the person under another number."""
    operations.unlink(_account(account_id), at=clock.now())
    return pages.done(
        "people.show_account", _("The link to the sign-in service is removed."), account_id=account_id
    )


@bp.post("/accounts/<int:account_id>/link")
@access.administrators
def send_link(account_id: int) -> ResponseReturnValue:
    """Mail a one-time link to choose a password."""
    operations.send_link(
        _account(account_id), LinkUse.WELCOME, at=clock.now(), title="Folgetermin", by=access.account()
    )
    message = outbox.why_waiting() or _("A link is on its way.")
    return pages.done("people.show_account", message, account_id=account_id)


@bp.get("/accounts/rules")
@access.administrators
def show_rules() -> ResponseReturnValue:
    """Who may open what: read from the marks on the views, so that it is what holds."""
    rows = [
        {
            "area": rule.endpoint.split(".")[0],
            "path": rule.rule,
            "methods": sorted(set(rule.methods or ()) - {"HEAD", "OPTIONS"}),
            "what": (current_app.view_functions[rule.endpoint].__doc__ or "").split("\n")[0],
            "rule": mark,
        }
        for rule in current_app.url_map.iter_rules()
        if (mark := access.rule_of(rule.endpoint)) is not None and rule.endpoint != "static"
    ]
    rows.sort(key=lambda row: (row["area"], row["path"]))
    return pages.show("people/show_rules.html", rows=rows, roles=[Role(name) for name in access.EVERY_ROLE])


# -- passwords --------------------------------------------------------


@bp.route("/password", methods=["GET", "POST"])
@access.public
@limiter.limit("30 per 10 minutes", methods=["POST"])
def ask_for_link() -> ResponseReturnValue:
    """Ask for a link to choose a new password; the answer is the same for every address."""
    form = AskForm()
    if forms.submitted(form):
        operations.ask_for_link(form.email.data, at=clock.now())
        message = _(
            "If there is an account with this address, a link is on its way. It works for 30 minutes."
        )
        return pages.done("accounts.sign_in", message)
    return pages.show("people/ask_for_link.html", form=form)


@bp.route("/password/<token>", methods=["GET", "POST"])
@access.public
@limiter.limit("120 per 10 minutes", methods=["POST"])
def choose_password(token: str) -> ResponseReturnValue:
    """Choose a password by a one-time link. Looking at the page spends nothing."""
    link, form = queries.link_behind(token, clock.now()), NewPasswordForm()
    if link is not None and forms.submitted(form):
        with pages.refusals(form):
            operations.choose_password(link, form.password.data, at=clock.now())
            access.leave()
            message = _("The password has been saved. Please sign in with it.")
            return pages.done("accounts.sign_in", message)
        link = queries.link_behind(token, clock.now())
    if link is None:
        # The same words for a link that was used, is over or never was: nobody learns which.
        return pages.show("people/dead_link.html", status=404)
    return pages.show("people/choose_password.html", form=form, link=link, token=token)
