"""Apps for tests: making one takes longer than most tests, so each is handed out again, as fresh as on the first day.

What an app has learnt – its templates, its compiled statements – stays. What a test could notice does not: instance
folder, clock, queue. An app whose settings, routes, hooks or templates' globals a test has changed is not
used again.
"""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from flask import Flask
from sqlalchemy import event

from conference import create_app
from conference.kit.db import db
from conference.kit.limits import limiter

AT_MOST = 4
READ_WHEN_USED = ("CLOCK_START", "MAIL_SERVER", "MAIL_PORT", "MAIL_HOLD_SECONDS", "MAIL_TIMEOUT")
"""Settings that an app looks up each time: one app serves for all their values."""


class Apps:
    """The apps of a test process that wait for the next test with their settings, the oldest first."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.made = 0
        self.waiting: dict[str, Flask] = {}
        self.as_taken: dict[Flask, tuple[Any, ...]] = {}
        self.extensions: dict[Flask, dict[str, Any]] = {}
        self.usual: dict[Flask, dict[str, Any]] = {}

    def take(self, settings: Mapping[str, Any]) -> Flask:
        """An app with these settings and an instance folder without files; nobody else has it."""
        needed, late = _parts(settings)
        app = self.waiting.pop(repr(needed), None) or self._make(needed)
        app.config.update(self.usual[app] | late)
        # Flask-Limiter is one for the process and does as the app says that was made last.
        limiter.enabled = app.config["RATELIMIT_ENABLED"]
        self.as_taken[app] = _looks(app)
        return app

    def _make(self, settings: Mapping[str, Any]) -> Flask:
        self.made += 1
        app = create_app({**settings, "INSTANCE": self.folder / str(self.made)})
        with app.app_context():
            if db.engine.dialect.name == "sqlite":
                event.listen(db.engine, "connect", _let_the_disk_take_its_time)
        self.extensions[app] = dict(app.extensions)
        self.usual[app] = {name: app.config[name] for name in READ_WHEN_USED}
        return app

    def give_back(self, app: Flask, settings: Mapping[str, Any]) -> None:
        """Keep the app for the next test with these settings, if it still is as it was taken."""
        with app.app_context():
            db.session.remove()
            if db.engine.dialect.name == "sqlite":
                db.engine.dispose()
        if _looks(app) != self.as_taken.pop(app) or app.config["RATELIMIT_ENABLED"]:
            self._forget(app)
            return
        self._refresh(app)
        self.waiting[repr(_parts(settings)[0])] = app
        if len(self.waiting) > AT_MOST:
            self._forget(self.waiting.pop(next(iter(self.waiting))))

    def rest(self) -> None:
        """Close the connections of the apps that wait: to a server they look like somebody who is at work."""
        for app in self.waiting.values():
            with app.app_context():
                db.engine.dispose()

    def _refresh(self, app: Flask) -> None:
        app.extensions.clear()
        app.extensions.update(self.extensions[app])
        app.extensions["work"].huey = None
        folder = Path(app.instance_path)
        shutil.rmtree(folder)
        folder.mkdir()

    def _forget(self, app: Flask) -> None:
        del self.extensions[app], self.usual[app]
        with app.app_context():
            db.engine.dispose()


def _parts(settings: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """What an app is made with, and what it is told when it is taken."""
    late = {name: settings[name] for name in READ_WHEN_USED if name in settings}
    return {name: value for name, value in settings.items() if name not in late}, late


def _looks(app: Flask) -> tuple[Any, ...]:
    rules = [rule.rule for rule in app.url_map.iter_rules()]
    hooks = [*app.before_request_funcs.get(None, []), *app.after_request_funcs.get(None, [])]
    return dict(app.config), dict(app.view_functions), rules, hooks, dict(app.jinja_env.globals)


def _let_the_disk_take_its_time(connection: Any, _record: Any) -> None:
    # No test pulls the plug: what is written must be seen by all, but need not outlive the machine.
    connection.execute("PRAGMA synchronous=OFF")
