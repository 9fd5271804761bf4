"""What is asked of a colleague, an account, a new password."""

from collections.abc import Iterable
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import PasswordField, ValidationError
from wtforms.validators import DataRequired

from ..kit.forms import PLEASE, Day, EmailLine, Form, Line, Pick, Tick, VersionedForm

LEADERSHIP = "leadership"
NAMES = _l("Leadership: may read the names of participants in results and minutes")


def of_leadership_only(form: Form, field: Tick) -> None:
    """Every role that runs the day reads names anyway; the leave is never dropped without a word."""
    if field.data and form["role"].data not in (None, LEADERSHIP):
        raise ValidationError(
            _("This is for the role Leadership only: take the tick away, or choose that role.")
        )


class ColleagueForm(Form):
    """Invite somebody to work on a series or a conference; no role is chosen beforehand."""

    name = Line(_l("Name"), required=True, max_length=160)
    email = EmailLine(_l("E-mail address"), required=True, max_length=254)
    role = Pick(_l("Role"), blank=_l("Please choose"), validators=[DataRequired(PLEASE)])
    until = Day(_l("Until"), required=False, description=_l("The role ends with this day; empty: it stays."))
    with_names = Tick(NAMES, validators=[of_leadership_only])

    def offer(self, roles: Iterable[Any]) -> "ColleagueForm":
        """The roles that can be given here."""
        self.role.offer((role.value, role.label) for role in roles)
        return self


class GrantForm(VersionedForm):
    """Change the role of a colleague, or how long it holds."""

    role = Pick(_l("Role"))
    until = Day(_l("Until"), required=False, description=_l("The role ends with this day; empty: it stays."))
    with_names = Tick(NAMES, validators=[of_leadership_only])

    def offer(self, roles: Iterable[Any]) -> "GrantForm":
        """The roles that can be given here."""
        self.role.offer((role.value, role.label) for role in roles)
        return self


class AccountForm(Form):
    """A new account of the house."""

    name = Line(_l("Name"), required=True, max_length=160)
    email = EmailLine(_l("E-mail address"), required=True, max_length=254)
    role = Pick(_l("Role in the house"))

    def offer(self, roles: Iterable[Any]) -> "AccountForm":
        """The roles of the house."""
        self.role.offer((role.value, role.label) for role in roles)
        return self


class HouseRoleForm(Form):
    """Name and role of an account."""

    name = Line(_l("Name"), required=True, max_length=160)
    role = Pick(_l("Role in the house"))

    def offer(self, roles: Iterable[Any]) -> "HouseRoleForm":
        """The roles of the house."""
        self.role.offer((role.value, role.label) for role in roles)
        return self


class AskForm(Form):
    """Ask for a link to choose a new password."""

    email = EmailLine(
        _l("E-mail address"), required=True, max_length=254, render_kw={"autocomplete": "username"}
    )


class NewPasswordForm(Form):
    """Choose a password, twice, because it is not shown."""

    password = PasswordField(
        _l("New password"), validators=[DataRequired(PLEASE)], render_kw={"autocomplete": "new-password"}
    )
    again = PasswordField(
        _l("New password once more"),
        validators=[DataRequired(PLEASE)],
        render_kw={"autocomplete": "new-password"},
    )

    def validate_again(self, field: PasswordField) -> None:
        """Both must be the same."""
        if field.data != self.password.data:
            raise ValidationError(_("The two passwords are different."))
