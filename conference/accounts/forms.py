"""Signing in."""

from flask_babel import lazy_gettext as _l
from wtforms import HiddenField, PasswordField
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
