"""Signing in, and the own account."""

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import HiddenField, PasswordField, ValidationError
from wtforms.validators import DataRequired

from ..kit.forms import PLEASE, Form, Line


class SignInForm(Form):
    """Address and password; pasting is allowed, of course."""

    email = Line(
        _l("E-mail address"),
        required=True,
        max_length=254,
        render_kw={"autocomplete": "username", "inputmode": "email"},
    )
    password = PasswordField(
        _l("Password"), validators=[DataRequired(PLEASE)], render_kw={"autocomplete": "current-password"}
    )
    next = HiddenField()


class FactorForm(Form):
    """A code of the app, or a recovery code."""

    code = Line(
        _l("Code"),
        required=True,
        max_length=40,
        render_kw={"autocomplete": "one-time-code", "inputmode": "text", "autocapitalize": "characters"},
    )


class CodeForm(FactorForm):
    """The second step of signing in."""

    next = HiddenField()


class ChangePasswordForm(Form):
    """Another password, by somebody who knows the present one."""

    current = PasswordField(
        _l("Present password"),
        validators=[DataRequired(PLEASE)],
        render_kw={"autocomplete": "current-password"},
    )
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
