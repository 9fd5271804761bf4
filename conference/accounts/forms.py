"""Signing in, and the own account."""

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import HiddenField, PasswordField, ValidationError
from wtforms.validators import DataRequired, Length

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


class ServiceForm(Form):
    """What the sign-in service sent back with the browser."""

    code = HiddenField(validators=[Length(max=4000)])
    state = HiddenField(validators=[DataRequired(), Length(max=200)])
    iss = HiddenField(validators=[Length(max=500)])


class PasskeyForm(Form):
    """What a passkey has answered: the script of the page fills it in."""

    credential = HiddenField()
    next = HiddenField()

    def validate_credential(self, field: HiddenField) -> None:
        """Without the script there is no answer."""
        if not field.data:
            raise ValidationError(_("No passkey has answered. Passkeys need JavaScript in this browser."))


class NewPasskeyForm(PasskeyForm):
    """A name for a new passkey; the password where the sign-in was a while ago."""

    name = Line(_l("Name of the passkey"), required=True, max_length=80)
    password = PasswordField(
        _l("Present password"), render_kw={"autocomplete": "current-password", "required": True}
    )


class PasskeyNameForm(Form):
    """Another name for a passkey."""

    name = Line(_l("Name of the passkey"), required=True, max_length=80)


class OneselfForm(Form):
    """Before something that would help a stranger: the password, where the sign-in was a while ago."""

    password = PasswordField(
        _l("Present password"), render_kw={"autocomplete": "current-password", "required": True}
    )


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
