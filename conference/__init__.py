"""Folgetermin: one unbroken thread from the invitation to what became of it."""

import os
from collections.abc import Mapping
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

import click
from flask import Flask, Response, abort, current_app, request
from flask.typing import ResponseReturnValue
from flask_wtf import CSRFProtect

from . import config, navigation, recording
from .kit import (
    access,
    addresses,
    bodies,
    clock,
    dates,
    db,
    errors,
    guesses,
    headers,
    jobs,
    language,
    layout,
    limits,
    logs,
    once,
    origins,
    presence,
    sessions,
    soundness,
    tries,
    unit,
)

ROOMS = (
    "accounts",
    "outbox",
    "upkeep",
    "providers",
    "conferences",
    "people",
    "invitations",
    "registrations",
    "inbox",
    "agenda",
    "groups",
    "ideas",
    "sheets",
    "voting",
    "actions",
    "minutes",
    "overview",
    "record",
    "privacy",
)
ROOT = Path(__file__).parent.parent
csrf = CSRFProtect()


class House(Flask):
    """A Flask whose dispatch is one transaction, after the check at the door."""

    request_class = bodies.Body
    session_interface = sessions.Sessions()

    def dispatch_request(self) -> ResponseReturnValue:
        def enter() -> ResponseReturnValue:
            return access.check() or super(House, self).dispatch_request()

        return unit.run(enter)


def create_app(overrides: Mapping[str, Any] | None = None) -> Flask:
    """The app, wired: settings, kit, rooms in river order, commands.

    Raises UnsafeSettings or Unsound (a SystemExit with one clear line) for settings or a database that would be unsafe.
    """
    overrides = dict(overrides or {})
    instance = Path(
        overrides.pop("INSTANCE", os.environ.get("FOLGETERMIN_INSTANCE", ROOT / "instance"))
    ).resolve()
    _prepare_instance(instance)
    app = House(
        __name__,
        instance_path=str(instance),
        template_folder=str(ROOT / "templates"),
        static_folder=str(ROOT / "static"),
    )
    app.config.from_mapping(config.read(os.environ, overrides, instance))
    _wire_kit(app)
    _wire_rooms(app)
    # Commands look for themselves: one that restores must not be kept out by what it is called for.
    is_server = click.get_current_context(silent=True) is None
    if is_server and app.config["PRODUCTION"]:
        _warn(app)
    if is_server and not app.testing:
        presence.enter(app)
        soundness.check_if_reachable(app)
    return app


def _warn(app: Flask) -> None:
    """Of what is no reason not to start."""
    with app.app_context():
        lacking = config.missing_in_security_txt(app.config, clock.now().date())
    if lacking:
        app.logger.warning(lacking)
    if not app.config["MAIL_SERVER"]:
        app.logger.warning("FOLGETERMIN_MAIL_SERVER is not set: letters are written and wait, none leaves.")


def _prepare_instance(instance: Path) -> None:
    try:
        instance.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise config.UnsafeSettings(f"The folder {instance} cannot be made: {error.strerror}.") from None
    try:
        # Rights alone do not tell: the disk may be read-only or full.
        with TemporaryFile(dir=instance) as probe:
            probe.write(b"x" * 4096)
            probe.flush()
    except OSError as error:
        raise config.UnsafeSettings(
            f"The folder {instance} is read-only or full; Folgetermin keeps its data there ({error.strerror})."
        ) from None


def _wire_kit(app: Flask) -> None:
    logs.init(app)
    addresses.init(app)
    app.before_request(_limit_body)
    origins.init(app)
    csrf.init_app(app)
    limits.init(app)
    guesses.init(app)
    db.init(app)
    language.init(app)
    dates.init(app)
    errors.init(app)
    headers.init(app)
    jobs.init(app)
    tries.init(app)
    once.init(app)
    layout.init(app)
    recording.init(app)
    navigation.init(app)


def _wire_rooms(app: Flask) -> None:
    for name in ROOMS:
        if find_spec(f".{name}.models", __name__) is not None:
            import_module(f".{name}.models", __name__)
    for name in ROOMS:
        room = import_module(f".{name}", __name__)
        if hasattr(room, "init"):
            room.init(app)
        if hasattr(room, "bp"):
            app.register_blueprint(room.bp)
    for view in app.view_functions.values():
        if getattr(view, "from_mail_programs", False):
            csrf.exempt(view)
    from . import cli

    app.after_request(_note_seen)
    access.init(app, account=_account, guest=_guest, leave=_leave, roles=_roles, is_held=_is_held)
    cli.init(app)


def _account(token: str) -> object:
    from .accounts.queries import account_by_session

    at = clock.now()
    if access.is_idle(at.timestamp()):
        return None
    # Outside demo mode whoever became one of the demo's people is nobody again.
    return account_by_session(token, at, demo=current_app.config["DEMO"])


def _note_seen(response: Response) -> Response:
    access.note_seen(clock.now().timestamp())
    return response


def _roles(account: Any, values: dict[str, Any]) -> frozenset[str]:
    from .conferences.queries import roles_here

    return roles_here(account, values.get("slug"), values.get("series_slug"))


def _is_held(account: Any) -> bool:
    """True while a second factor is wanted of the account and nothing but a password stands before it."""
    from .accounts.models import Role
    from .conferences.queries import organises_anything

    wanted = current_app.config["SECOND_FACTOR"]
    if wanted == "nobody" or account.is_guarded:
        return False
    return wanted == "everyone" or account.role in {Role.ADMIN, Role.ORGANISER} or organises_anything(account)


def _guest(link_id: int, visit: str) -> object:
    from .invitations.queries import link_by_session

    return link_by_session(link_id, visit, clock.now())


def _leave(link_id: int, visit: str) -> None:
    from .invitations.operations import end_visit

    end_visit(link_id, visit)


def _limit_body() -> Response | None:
    view = request.endpoint and request.endpoint in _views() and _views()[request.endpoint]
    limit = getattr(view, "max_content_length", None)
    if limit is not None:
        request.max_content_length = limit
    if request.is_json and not getattr(view, "takes_json", False):
        # Forms would read it, and a deep list takes all of Python's patience.
        abort(400)
    if "\x00" in request.full_path or "%00" in request.full_path:
        abort(400)
    return None


def _views() -> dict[str, Any]:
    return current_app.view_functions
