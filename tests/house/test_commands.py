"""The commands: what they write, their exit codes, one clear line on stderr when something is wrong."""

import json
import shutil
from pathlib import Path

import pytest
from pypdf import PdfReader

from conference import create_app
from conference.accounts.models import Account, Role
from conference.accounts.operations import authenticate
from conference.kit import unit
from conference.kit.db import db

from ..conftest import SETTINGS

LIST = Path(__file__).parents[1] / "data" / "einladungsliste.csv"


@pytest.fixture(scope="module")
def folder(tmp_path_factory, loaded_demo):
    """One copy of the demo for the commands that only look."""
    return shutil.copytree(loaded_demo, tmp_path_factory.mktemp("commands") / "demo")


@pytest.fixture(scope="module")
def prepared(tmp_path_factory, started_flask):
    """An empty database, only to be copied."""
    folder = tmp_path_factory.mktemp("prepared") / "instance"
    done = started_flask(folder, "prepare")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    return folder


@pytest.fixture
def empty(prepared, tmp_path):
    return shutil.copytree(prepared, tmp_path / "instance")


def outcome(done):
    return done.returncode, done.stdout, done.stderr


def test_what_prepare_makes_is_nobody_elses(flask, prepared, empty):
    assert (prepared / "folgetermin.db").stat().st_mode & 0o777 == 0o600
    (empty / "folgetermin.db").chmod(0o644)  # an earlier version has made it
    assert outcome(flask(empty, "prepare")) == (0, "", "")
    assert (empty / "folgetermin.db").stat().st_mode & 0o777 == 0o600


def test_prepare_may_be_repeated(flask, empty):
    assert outcome(flask(empty, "prepare")) == (0, "", "")


def test_calendar_writes_the_public_programme(flask, folder, tmp_path):
    target = tmp_path / "june.ics"
    assert outcome(flask(folder, "calendar", "june-2023", target, demo=True)) == (0, "", "")
    assert target.read_bytes().startswith(b"BEGIN:VCALENDAR\r\n")
    assert target.read_bytes().count(b"BEGIN:VEVENT") >= 10


@pytest.mark.parametrize(("slug", "first_page"), [("june-2023", "Protokoll"), ("august-2023", "Entwurf")])
def test_minutes_pdf_writes_the_release_or_else_the_draft(flask, folder, tmp_path, slug, first_page):
    target = tmp_path / "minutes.pdf"
    assert outcome(flask(folder, "minutes-pdf", slug, target, demo=True)) == (0, "", "")
    assert first_page.casefold() in PdfReader(target).pages[0].extract_text().casefold()


@pytest.mark.parametrize("command", ["calendar", "minutes-pdf"])
def test_an_unknown_conference_is_named(flask, folder, tmp_path, command):
    done = flask(folder, command, "juni", tmp_path / "out", demo=True)
    assert outcome(done) == (1, "", "Error: There is no conference “juni”.\n")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("command", ["calendar", "minutes-pdf"])
def test_a_path_that_cannot_be_written_is_named(flask, folder, tmp_path, command):
    target = tmp_path / "missing" / "out"
    done = flask(folder, command, "june-2023", target, demo=True)
    assert outcome(done) == (1, "", f"Error: {target} cannot be written: No such file or directory.\n")
    done = flask(folder, command, "june-2023", tmp_path, demo=True)
    assert outcome(done) == (1, "", f"Error: {tmp_path} cannot be written: Is a directory.\n")


def test_import_contacts_checks_takes_and_says_so_in_json(flask, empty):
    from ..builders import a_conference

    app = create_app(SETTINGS | {"INSTANCE": empty})
    with app.app_context(), unit.writing():
        a_conference()
    for words, good, imported in ((["--dry-run"], 38, 0), ([], 38, 38), ([], 0, 0)):
        done = flask(empty, "import-contacts", "june-2023", LIST, "--json", *words)
        assert (done.returncode, done.stderr) == (0, "")
        answer = json.loads(done.stdout)
        named = answer.pop("problems")
        assert answer == {"rows": 38, "good": good, "imported": imported}
        assert [problem["line"] for problem in named] == ([] if good else list(range(2, 40)))


def test_import_contacts_names_every_row_that_it_does_not_take(flask, empty):
    from ..builders import a_conference

    with create_app(SETTINGS | {"INSTANCE": empty}).app_context(), unit.writing():
        a_conference()
    raw = LIST.with_name("einladungsliste_excel_export.csv")
    words = flask(empty, "import-contacts", "june-2023", raw, "--dry-run").stdout
    assert words.startswith("46 rows, 38 good, 0 imported\nline 8: email: ")
    assert "line 45: postcode: The postcode 1067 lost its leading zero" in words
    done = flask(empty, "import-contacts", "june-2023", raw, "--json")
    answer = json.loads(done.stdout)
    assert (done.returncode, done.stderr) == (0, "")
    assert (answer["rows"], answer["good"], answer["imported"]) == (46, 38, 38)
    assert [problem["line"] for problem in answer["problems"]] == [8, 41, 42, 43, 44, 45, 46, 47]
    assert all(set(problem) == {"line", "field", "reason"} for problem in answer["problems"])


def test_import_contacts_names_what_is_wrong(flask, folder, tmp_path):
    (tmp_path / "leer.csv").write_text("")
    missing = tmp_path / "fehlt.csv"
    done = flask(folder, "import-contacts", "august-2023", missing, demo=True)
    assert outcome(done) == (1, "", f"Error: {missing} cannot be read: No such file or directory.\n")
    done = flask(folder, "import-contacts", "juni", LIST, demo=True)
    assert outcome(done) == (1, "", "Error: There is no conference “juni”.\n")
    done = flask(folder, "import-contacts", "august-2023", tmp_path / "leer.csv", demo=True)
    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (1, "", 1)


def test_a_dash_stands_for_the_standard_output(flask, folder):
    done = flask(folder, "calendar", "june-2023", "-", demo=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("BEGIN:VCALENDAR")


def test_send_mail_fails_while_letters_wait_and_no_server_is_set(flask, empty):
    from ..builders import a_mail

    assert outcome(flask(empty, "send-mail")) == (0, "sent 0, will be tried again 0, failed 0\n", "")
    with create_app(SETTINGS | {"INSTANCE": empty}).app_context(), unit.writing():
        a_mail()
    line = "Error: No mail server is set (FOLGETERMIN_MAIL_SERVER); letters that wait: 1.\n"
    assert outcome(flask(empty, "send-mail")) == (1, "", line)


def test_send_mail_counts_what_it_sent(flask, folder):
    assert outcome(flask(folder, "send-mail", demo=True)) == (
        0,
        "sent 0, will be tried again 0, failed 0\n",
        "",
    )


def test_send_mail_fails_when_the_server_cannot_be_reached(flask, empty):
    from ..builders import a_mail

    app = create_app(SETTINGS | {"INSTANCE": empty})
    with app.app_context(), unit.writing():
        a_mail()
    done = flask(empty, "send-mail", FOLGETERMIN_MAIL_SERVER="127.0.0.1", FOLGETERMIN_MAIL_PORT="1")
    assert (done.returncode, done.stdout) == (1, "sent 0, will be tried again 1, failed 0\n")
    assert done.stderr.startswith("Error: Not every letter was sent. The last reason: ")
    assert "refused" in done.stderr and len(done.stderr.splitlines()) == 1


ADMIN = (
    "create-admin",
    "--email",
    "Leitung@Agentur.example",
    "--name",
    "Nora Beispiel",
    "--password",
    "ein langes Kennwort 23",
)


def test_create_admin_makes_an_account_that_can_sign_in(flask, empty):
    done = flask(empty, *ADMIN)
    assert (done.returncode, done.stderr) == (0, "")
    app = create_app(SETTINGS | {"INSTANCE": empty})
    with app.app_context(), unit.reading():
        account = db.session.query(Account).one()
        assert (account.role, account.name) == (Role.ADMIN, "Nora Beispiel")
        assert authenticate("leitung@agentur.example", "ein langes Kennwort 23").id == account.id


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--email", "keine Adresse"),
        ("--email", ""),
        ("--name", "  "),
        ("--name", "a\u202eb"),
        ("--password", "kurz"),
        ("--password", "abababababab"),
        ("--password", b"ein langes Kennwort \xff"),
    ],
    ids=["no-address", "no-email", "blank-name", "bidi-name", "short-password", "two-letters", "no-text"],
)
def test_create_admin_refuses_what_the_pages_would_refuse(flask, empty, option, value):
    words = list(ADMIN)
    words[words.index(option) + 1] = value
    done = flask(empty, *words)
    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (1, "", 1), done.stderr
    assert done.stderr.startswith("Error: ")


def test_create_admin_takes_the_password_from_the_environment(flask, empty):
    words = ADMIN[:-2]
    done = flask(empty, *words, FOLGETERMIN_ADMIN_PASSWORD=ADMIN[-1])
    assert outcome(done) == (0, "Leitung@agentur.example can sign in now.\n", "")


def test_create_admin_refuses_a_taken_address(flask, empty):
    assert flask(empty, *ADMIN).returncode == 0
    done = flask(empty, *ADMIN)
    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (1, "", 1)


def test_translations_check_finds_every_message_in_the_catalogue(flask, empty):
    done = flask(empty, "translations-check")
    assert outcome(done) == (0, "every message is translated\n", "")


def test_a_database_that_is_none_is_one_clear_line(flask, tmp_path):
    (tmp_path / "folgetermin.db").write_bytes(b"this is no database, whatever its name says" * 100)
    for words in (("prepare",), ("calendar", "june-2023", tmp_path / "out.ics")):
        done = flask(tmp_path, *words)
        assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (1, "", 1), done.stderr
        assert done.stderr.startswith("Error: The database cannot be used: file is not a database.")


def test_a_wrong_setting_is_one_clear_line(flask, empty):
    done = flask(empty, "prepare", FOLGETERMIN_MAIL_PORT="viele")
    assert outcome(done) == (1, "", "FOLGETERMIN_MAIL_PORT must be a whole number, not 'viele'.\n")


def test_the_demo_is_never_loaded_in_production(flask, empty):
    done = flask(
        empty, "demo", FOLGETERMIN_PRODUCTION="1", FOLGETERMIN_BASE_URL="https://folgetermin.example"
    )
    assert outcome(done) == (
        1,
        "",
        "Error: The demo is never loaded in production (FOLGETERMIN_PRODUCTION is on).\n",
    )


def test_a_command_on_an_unprepared_database_says_what_to_do(flask, tmp_path):
    done = flask(tmp_path / "neu", "calendar", "june-2023", tmp_path / "out.ics")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "Error: The database cannot be used: no such table: conference. To prepare it: flask --app wsgi prepare\n"
    )


def test_a_server_of_the_database_that_does_not_answer_is_not_to_be_prepared(flask, empty):
    url = "postgresql+psycopg://folgetermin@127.0.0.1:1/folgetermin"
    done = flask(empty, "prepare", FOLGETERMIN_DATABASE_URL=url)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("Error: The database cannot be reached: ") and done.stderr.count("\n") == 1
    assert "FOLGETERMIN_DATABASE_URL" in done.stderr and "prepare" not in done.stderr


@pytest.mark.parametrize(
    "command",
    [
        "import-contacts",
        "minutes-pdf",
        "calendar",
        "send-mail",
        "worker",
        "create-admin",
        "prepare",
        "demo",
        "serve",
        "translations-check",
    ],
)
def test_every_command_explains_itself(command):
    from click.testing import CliRunner

    from conference import cli

    found = next(one for one in cli.COMMANDS if one.name == command)
    answer = CliRunner().invoke(found, ["--help"])
    assert answer.exit_code == 0
    assert found.help.split(".")[0].split("\n")[0] in answer.output
