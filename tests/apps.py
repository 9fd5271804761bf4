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


class Apps:
    """The apps of a test process that wait for the next test with their settings, the oldest first."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.made = 0
        self.waiting: dict[str, Flask] = {}
        self.as_made: dict[Flask, tuple[Any, ...]] = {}
        self.extensions: dict[Flask, dict[str, Any]] = {}

    def take(self, settings: Mapping[str, Any]) -> Flask:
        """An app with these settings and an instance folder without files; nobody else has it."""
        app = self.waiting.pop(repr(settings), None) or self._make(settings)
        # Flask-Limiter is one for the process and does as the app says that was made last.
        limiter.enabled = app.config["RATELIMIT_ENABLED"]
        return app

    def _make(self, settings: Mapping[str, Any]) -> Flask:
        self.made += 1
        app = create_app({**settings, "INSTANCE": self.folder / str(self.made)})
        with app.app_context():
            if db.engine.dialect.name == "sqlite":
                event.listen(db.engine, "connect", _let_the_disk_take_its_time)
        self.as_made[app], self.extensions[app] = _looks(app), dict(app.extensions)
        return app

    def give_back(self, app: Flask, settings: Mapping[str, Any]) -> None:
        """Keep the app for the next test with these settings, if it is still as it was made."""
        with app.app_context():
            db.session.remove()
            if db.engine.dialect.name == "sqlite":
                db.engine.dispose()
        if _looks(app) != self.as_made[app] or app.config["RATELIMIT_ENABLED"]:
            self._forget(app)
            return
        self._refresh(app)
        self.waiting[repr(settings)] = app
        if len(self.waiting) > AT_MOST:
            self._forget(self.waiting.pop(next(iter(self.waiting))))

    def _refresh(self, app: Flask) -> None:
        app.extensions.clear()
        app.extensions.update(self.extensions[app])
        app.extensions["work"].huey = None
        folder = Path(app.instance_path)
        shutil.rmtree(folder)
        folder.mkdir()

    def _forget(self, app: Flask) -> None:
        del self.as_made[app], self.extensions[app]
        with app.app_context():
            db.engine.dispose()


def _looks(app: Flask) -> tuple[Any, ...]:
    rules = [rule.rule for rule in app.url_map.iter_rules()]
    hooks = [*app.before_request_funcs.get(None, []), *app.after_request_funcs.get(None, [])]
    return dict(app.config), dict(app.view_functions), rules, hooks, dict(app.jinja_env.globals)


def _let_the_disk_take_its_time(connection: Any, _record: Any) -> None:
    # No test pulls the plug: what is written must be seen by all, but need not outlive the machine.
    connection.execute("PRAGMA synchronous=OFF")
