"""Commands: thin, each calls an operation. Exit code 0 only on success; errors go to stderr."""

import json
import logging
import sys
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from functools import wraps
from pathlib import Path
from typing import Any, NoReturn

import click
from flask import Flask, current_app
from flask.cli import ScriptInfo, with_appcontext
from flask_babel import force_locale
from sqlalchemy.exc import DatabaseError, DataError, IntegrityError

from .kit import clock, db, jobs, language, presence, soundness, unit
from .kit.errors import Refused

WHERE_IT_IS = "Is it running, and does FOLGETERMIN_DATABASE_URL lead to it?"


def fail(message: str) -> NoReturn:
    """One clear line on stderr, exit code 1."""
    raise click.ClickException(message)


class Command(click.Command):
    """A command that says in one line when a word is no text, or the database cannot be used."""

    def invoke(self, ctx: click.Context) -> Any:
        for name, value in ctx.params.items():
            if isinstance(value, str) and value != value.encode("utf-8", "replace").decode():
                fail(f"{name.upper()} is no valid text (UTF-8).")
        try:
            return super().invoke(ctx)
        except (DataError, IntegrityError):  # a mistake of ours, which a trace helps to find
            raise
        except DatabaseError as error:
            reason = str(error.orig).strip().splitlines()[0].rstrip(".")
            if getattr(error.orig, "sqlstate", "") is None:  # no server has answered
                fail(f"The database cannot be reached: {reason}. {WHERE_IT_IS}")
            fail(f"The database cannot be used: {reason}. To prepare it: flask --app wsgi prepare")


class Migrations(click.Command):
    """Flask-Migrate's commands (`flask db …`), imported only when asked for: no web process needs Alembic."""

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        from flask_migrate.cli import db as commands

        assert parent is not None, "it is a command of flask"
        db.prepare_migrations(parent.ensure_object(ScriptInfo).load_app())
        context: click.Context = commands.make_context(info_name, args, parent, **extra)
        return context


def with_database(command: Callable[..., Any]) -> Callable[..., Any]:
    """Run a command inside the app, on a database that this version knows and that is safe where it has to be."""

    @with_appcontext
    @wraps(command)
    def checked(*words: Any, **options: Any) -> Any:
        soundness.check(_app())
        presence.enter(_app())  # whoever restores waits until this command has ended
        return command(*words, **options)

    return checked


def _conference(slug: str) -> Any:
    from .conferences.queries import conference_by_slug

    conference = conference_by_slug(slug)
    if conference is None:
        fail(f"There is no conference “{slug}”.")
    return conference


def _write(path: Path, content: bytes) -> None:
    if str(path) == "-":
        sys.stdout.buffer.write(content)
        return
    try:
        path.write_bytes(content)
    except OSError as error:
        fail(f"{path} cannot be written: {error.strerror}.")


@click.command(cls=Command)
@click.argument("slug", metavar="CONFERENCE")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--dry-run", is_flag=True, help="Check only, store nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@with_database
def import_contacts(slug: str, file: Path, dry_run: bool, as_json: bool) -> None:
    """Take the people of an Excel or CSV list onto the guest list of CONFERENCE."""
    from .invitations import imports

    try:
        data = file.read_bytes()
    except OSError as error:
        fail(f"{file} cannot be read: {error.strerror}.")
    with force_locale("en"):
        try:
            with unit.writing(commit=not dry_run):
                outcome = imports.import_file(
                    _conference(slug), data, file.name, dry_run=dry_run, at=clock.now()
                )
        except Refused as refusal:
            fail(refusal.message)
        if as_json:
            # Scripts read what was not taken; a row with a warning was.
            del outcome["warnings"]
        click.echo(json.dumps(outcome, ensure_ascii=False) if as_json else imports.as_text(outcome))


@click.command(cls=Command)
@click.argument("slug", metavar="CONFERENCE")
@click.argument("out", type=click.Path(path_type=Path))
@with_database
def minutes_pdf(slug: str, out: Path) -> None:
    """Write the minutes of CONFERENCE as PDF: the newest release, else the draft."""
    from .minutes import operations

    with unit.reading():
        ready, html = operations.pdf_or_html(_conference(slug), at=clock.now())
    if ready is None:
        from .kit.pdf import render

        ready = render(html)
    _write(out, ready)


@click.command(cls=Command)
@click.argument("slug", metavar="CONFERENCE")
@click.argument("out", type=click.Path(path_type=Path))
@with_database
def calendar(slug: str, out: Path) -> None:
    """Write the public programme of CONFERENCE as a calendar file."""
    from .agenda.queries import feed_of

    with unit.reading():
        content = feed_of(_conference(slug), at=clock.now())
    _write(out, content)


@click.command(cls=Command)
@with_database
def send_mail() -> None:
    """Send what waits in the outbox, once. Fails when a letter could not be sent."""
    from .outbox import operations, queries

    with unit.reading():
        delivery, waiting = queries.delivery(), queries.waiting_count()
    if waiting and delivery == "nowhere":
        fail(f"No mail server is set (FOLGETERMIN_MAIL_SERVER); letters that wait: {waiting}.")
    if waiting and delivery == "held":
        fail(
            f"Letters are held until somebody confirms (flask --app wsgi release-letters); that wait: {waiting}."
        )
    current_app.logger.setLevel(logging.ERROR)  # one line below says it for all letters
    result = operations.drain(clock.now)
    click.echo(f"sent {result.sent}, will be tried again {result.deferred}, failed {result.failed}")
    if result.deferred or result.failed:
        with unit.reading():
            fail(f"Not every letter was sent. The last reason: {queries.last_error()}")


@click.command(cls=Command)
@click.option(
    "--to",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    help="Where to; else FOLGETERMIN_BACKUP_DIR, else backups/ beside the data.",
)
@with_database
def backup(folder: Path | None) -> None:
    """Write one verified file with database and uploads, while people go on working."""
    from .upkeep import backups

    standard = current_app.config["BACKUP_DIR"] or Path(current_app.instance_path, "backups")
    try:
        made, manifest = backups.make(_app(), Path(folder or standard), at=clock.now())
    except backups.BackupFailed as error:
        fail(str(error))
    click.echo(f"{made.path}\n{_described(manifest)}, {made.size} bytes")


def _described(manifest: dict[str, Any]) -> str:
    rows = sum(manifest["rows"].values())
    files = sum(1 for name in manifest["parts"] if name.startswith("uploads/"))
    return f"made {manifest['made_at']}, schema {manifest['schema']}, {rows} rows, {files} uploads"


def _app() -> Flask:
    return current_app._get_current_object()  # type: ignore[attr-defined]


@click.command(cls=Command)
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--verify", is_flag=True, help="Check only whether it could be restored here; change nothing.")
@with_appcontext
def restore(file: Path, verify: bool) -> None:
    """Put a backup in the place of what is there, which is kept beside. Web server and worker must be stopped.

    Letters are held afterwards until somebody confirms: flask --app wsgi release-letters.
    """
    from .upkeep import restoring

    logging.getLogger("alembic").setLevel(logging.WARNING)
    try:
        if verify:
            click.echo(
                f"{file} is whole and can be restored here\n{_described(restoring.check(_app(), file))}"
            )
            return
        report = restoring.restore(_app(), file, at=clock.now())
    except restoring.RestoreRefused as refusal:
        fail(str(refusal))
    click.echo(f"restored: {_described(report.manifest)}")
    click.echo(f"what was there is kept: {report.kept or 'there was nothing'}")
    click.echo(
        f"erased again: {report.erased}; letters known to have been sent since: {report.known_as_sent}"
    )
    for warning in report.warnings:
        click.echo(f"Note: {warning}")
    click.echo("Letters are held. When all is as it must be: flask --app wsgi release-letters")


@click.command(cls=Command)
@with_database
def release_letters() -> None:
    """Let letters leave again that are held since a backup was restored."""
    from .outbox import operations

    with unit.writing():
        was_held = operations.release(None, at=clock.now())
    click.echo("Letters leave again." if was_held else "No letters are held.")


@click.command(cls=Command)
@with_database
def worker() -> None:
    """Send mails and do what is due, until Ctrl-C or SIGTERM."""
    jobs.work(current_app)


@click.command(cls=Command)
@click.option("--email", prompt=True)
@click.option("--name", prompt=True)
@click.option(
    "--password", envvar="FOLGETERMIN_ADMIN_PASSWORD", prompt=True, hide_input=True, confirmation_prompt=True
)
@with_database
def create_admin(email: str, name: str, password: str) -> None:
    """Make the first account, an administrator."""
    from .accounts import operations
    from .accounts.models import Role
    from .core.text import BadText, canonical_email, clean_text

    with force_locale("en"):
        try:
            address, _key = canonical_email(email)
            known_as = clean_text(name)
            if not known_as:
                fail("Please give a name.")
            with unit.writing():
                operations.create_account(address, known_as, Role.ADMIN, password, at=clock.now())
        except BadText as error:
            fail(f"Please check address and name ({error.code}).")
        except Refused as refusal:
            fail(refusal.message)
    click.echo(f"{address} can sign in now.")


@click.command(cls=Command)
@click.argument("problem", type=click.Path(path_type=Path), metavar="PROBLEM.json")
@click.option(
    "--seed", type=click.IntRange(0), default=1, show_default=True, help="The same seed, the same plan."
)
@click.option("--seconds", type=click.FloatRange(0), help="Stop after so long, even if more could be found.")
@click.option(
    "--iterations", type=click.IntRange(0), help="Stop after so many steps; the default suits the size."
)
@click.option(
    "--repair",
    type=click.Path(path_type=Path),
    metavar="PUBLISHED.json",
    help="An earlier output: move as few as possible.",
)
def groups_solve(
    problem: Path, seed: int, seconds: float | None, iterations: int | None, repair: Path | None
) -> None:
    """Seat the people of PROBLEM.json; writes the result as JSON. Needs no database.

    Exit code 0: solved; 3: the rules contradict each other (reasons in JSON); 2: bad input (line and field on stderr).
    """
    from . import groups_file

    sys.exit(groups_file.solve(problem, seed, seconds, iterations, repair))


@click.command(cls=Command)
@with_database
def prepare() -> None:
    """Bring the database to the newest schema; makes it when there is none."""
    _prepare()


def _prepare() -> None:
    from flask_migrate import upgrade  # Imports Alembic, which no web process needs.

    db.prepare_migrations(current_app)
    logging.getLogger("alembic").setLevel(logging.WARNING)
    url = db.db.engine.url
    if url.get_backend_name() == "sqlite" and url.database not in {None, "", ":memory:"}:
        with suppress(OSError):  # what cannot be made is said in one line by the database
            db.keep_to_ourselves(Path(str(url.database)))
    upgrade()


@click.command(cls=Command)
@click.option(
    "--reset", is_flag=True, help="Throw the demo's data away first. Refused for a database that is no demo."
)
@with_database
def demo(reset: bool) -> None:
    """Load the demo: the June conference, finished, and August, being prepared."""
    from . import demo as loader

    try:
        click.echo(loader.open_or_load(current_app, _prepare, afresh=reset))
    except Refused as refusal:
        fail(refusal.message)


@click.command(cls=Command)
@click.option("--port", envvar="PORT", default="8000", show_default=True)
@click.option("--host", default="127.0.0.1", show_default=True)
@with_database
def serve(port: str, host: str) -> None:
    """Start web server and worker together; in demo mode with the demo loaded. Ctrl-C stops both."""
    from . import serving

    serving.run(current_app, host, port, _prepare)


@click.command(cls=Command)
@with_appcontext
def translations_check() -> None:
    """Fail when the German catalogue lacks a message, or says the same in two ways."""
    root, folder = Path(current_app.root_path).parent, Path(current_app.config["TRANSLATIONS"])
    missing, twofold = language.untranslated(root, folder), language.contradictory(folder)
    for line in twofold:
        click.echo(line, err=True)
    if twofold:
        fail(f"{len(twofold)} messages have two German translations: only the first would be shown")
    for line in missing:
        click.echo(line, err=True)
    if missing:
        fail(
            f"{len(missing)} messages have no German translation: add them to conference/translations/de/<room>.po"
        )
    click.echo("every message is translated")


@click.command(cls=Command)
@click.option("--dry-run", is_flag=True, help="Say only what would be thrown away; nothing is.")
@with_database
def retention(dry_run: bool) -> None:
    """Throw away data whose time is over. Twice changes nothing more."""
    from .privacy import operations

    with force_locale("en"):
        counts, failed = _preview() if dry_run else _throw_away()
        click.echo("would be thrown away:" if dry_run else "thrown away:")
        for one in operations.CLASSES:
            click.echo(f"  {counts[one.name]:6d}  {one.label}")
    if failed:
        fail("some of it could not be thrown away, see the log: " + failed)


def _preview() -> tuple[dict[str, int], str]:
    from .privacy import operations

    with unit.reading():
        return operations.preview(at=clock.now()), ""


def _throw_away() -> tuple[dict[str, int], str]:
    from .privacy import operations

    with unit.alone("retention") as is_alone:
        if not is_alone:
            fail("a worker is at it just now")
        run = operations.run_retention(at=clock.now())
        return run.counts, run.failed


@click.group()
def audit() -> None:
    """The record of all changes."""


@audit.command(cls=Command)
@with_database
def verify() -> None:
    """Check that the record is whole and as it was written. Exit code 1 names the first row that is not."""
    from .record import operations

    with unit.reading():
        state = operations.verify(_app())
    if state.broken is not None:
        fail(f"Row {state.broken.number} of the record does not hold: {state.broken.why}.")
    click.echo(f"The record is whole: {state.rows} rows, {state.texts} texts kept beside them.")


@audit.command(cls=Command)
@click.option(
    "--conference", "slug", default="", help="Only what is of the conference with this address part."
)
@click.option("--since", type=click.DateTime(["%Y-%m-%d"]), help="Only from this day on (UTC).")
@with_database
def export(slug: str, since: datetime | None) -> None:
    """Write the record to standard output, one JSON object a line. It names people: keep it as you keep the database."""
    from .conferences.queries import conference_by_slug
    from .record import queries

    with unit.reading():
        number = None
        if slug:
            conference = conference_by_slug(slug)
            if conference is None:
                fail(f"There is no conference {slug}.")
            number = conference.id
        moment = since.replace(tzinfo=UTC) if since else None
        for row in queries.rows_for_a_file(queries.Filter(conference_id=number, since=moment)):
            click.echo(json.dumps(row, ensure_ascii=False))


migrations = Migrations("db", help="Write and run migrations of the database.")
COMMANDS: tuple[click.Command, ...] = (
    import_contacts, minutes_pdf, calendar, send_mail, backup, restore, release_letters, worker, create_admin, groups_solve,
    prepare, demo, serve, translations_check, retention, audit, migrations,
)  # fmt: skip


def init(app: Flask) -> None:
    """Register the commands."""
    for command in COMMANDS:
        app.cli.add_command(command)
