"""Staff accounts, roles and sign-in."""

from flask import Blueprint

bp = Blueprint("accounts", __name__)

from . import passkey_views, service_views, views  # noqa: E402, F401 - the views register themselves on the blueprint
