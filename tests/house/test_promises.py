"""The house's promises. Each failure says what to do."""

import ast
import re
from pathlib import Path

import pytest
from flask import abort
from werkzeug.exceptions import NotFound
from werkzeug.routing import IntegerConverter

from conference.kit import access, forms, pages, unit
from conference.kit.db import db

from ..builders import an_account

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "conference"
ROOM_FILES = {"__init__.py", "models.py", "forms.py", "queries.py", "operations.py", "views.py"}
# A second subject of a room that has outgrown one file; each is named with its reason in docs/decisions.md.
FURTHER_FILES = {
    "accounts": {"passkeys.py", "passkey_views.py", "identities.py", "service_views.py"},
    "invitations": {"imports.py", "import_forms.py", "import_views.py", "import_words.py"},
    "groups": {
        "tasks.py",
        "forming.py",
        "advising.py",
        "methods.py",
        "method_forms.py",
        "method_queries.py",
        "method_views.py",
        "open_space.py",
        "open_space_forms.py",
        "open_space_views.py",
        "facilitator_views.py",
        "timer.py",
        "time_views.py",
        "editions.py",
        "door.py",
        "repairing.py",
        "repair_views.py",
        "standing.py",
        "personal_calendar.py",
        "calendar_views.py",
    },
    "registrations": {"letters.py", "seats.py", "seat_views.py"},
    "overview": {"papers.py"},
    "people": {"unused.py"},
    "actions": {"letters.py"},
    "outbox": {"control.py"},
    "record": {"words.py"},
    "privacy": {"archiving.py", "erasing.py", "naming.py", "dossier.py"},
    "upkeep": {"metrics.py", "backups.py", "restoring.py", "erasures.py", "leftovers.py"},
}


def sources(pattern="**/*.py"):
    return [path for path in sorted(PACKAGE.glob(pattern)) if "migrations" not in path.parts]


def tree_of(path):
    return ast.parse(path.read_text())


def where(path, node):
    return f"{path.relative_to(ROOT)}:{node.lineno}"


@pytest.fixture
def writer(app):
    """A route that writes an account and then ends as its path says."""

    def write(end):
        an_account(email=f"{end}@agentur.example")
        if end == "crash":
            raise RuntimeError("planned")
        if end == "refused":
            raise pages.Refused("planned")
        if end == "missing":
            abort(404)
        return end, 422 if end == "invalid" else 200

    app.config["PROPAGATE_EXCEPTIONS"] = False
    app.config["WTF_CSRF_ENABLED"] = False
    app.view_functions["write"] = access.public(write)
    app.url_map.add(app.url_rule_class("/write/<end>", endpoint="write", methods=["GET", "POST"]))
    return app


def accounts_in(app):
    from conference.accounts.models import Account

    with app.app_context():
        return db.session.query(Account).count()


def test_1_a_good_end_commits(writer):
    assert writer.test_client().post("/write/good").status_code == 200
    assert accounts_in(writer) == 1


@pytest.mark.parametrize(
    ("end", "status"), [("crash", 500), ("refused", 409), ("missing", 404), ("invalid", 422)]
)
def test_1_a_bad_end_rolls_back(writer, end, status):
    assert writer.test_client().post(f"/write/{end}").status_code == status
    assert accounts_in(writer) == 0, "Let kit.unit roll back whenever the status is 400 or more."


def test_1_an_error_while_committing_reaches_the_error_page(writer, monkeypatch):
    def broken():
        raise RuntimeError("planned")

    with writer.app_context():
        monkeypatch.setattr(db.session(), "commit", broken)
        monkeypatch.setattr(db.session.registry(), "commit", broken)
    monkeypatch.setattr(unit.db.session, "commit", broken)
    answer = writer.test_client().post("/write/good")
    assert answer.status_code == 500
    assert b"<h1" in answer.data, "Commit inside the dispatch, so that the error pages still apply."


@pytest.mark.parametrize("method", ["get", "head"])
def test_2_a_get_never_writes(writer, method):
    assert getattr(writer.test_client(), method)("/write/good").status_code == 200
    assert accounts_in(writer) == 0, "Let kit.unit roll back every GET, HEAD and OPTIONS."


def test_2_no_get_opens_a_writing_transaction(app):
    """A view with transactions of its own could write on a GET; who reads and writes is asked twice by its addresses."""
    guilty = sorted(
        rule.endpoint
        for rule in app.url_map.iter_rules()
        if rule.methods & {"GET"} and not rule.methods & {"POST"} and _names(app, rule) & {"writing"}
    )
    assert not guilty, f"Write on a POST only; a mail scanner opens every link: {guilty}"


def _names(app, rule):
    view = app.view_functions[rule.endpoint]
    while hasattr(view, "__wrapped__"):
        view = view.__wrapped__
    return set(view.__code__.co_names)


def test_2_writers_on_sqlite_begin_immediately(app, count_queries):
    with app.app_context():
        if db.engine.dialect.name != "sqlite":
            assert app.config["WRITE_LOCK"] is None
            return
        with unit.writing():
            raw = db.session.connection().connection.dbapi_connection
            assert raw.in_transaction
            other = db.engine.raw_connection()
            other.dbapi_connection.execute("PRAGMA busy_timeout=1")
            with pytest.raises(Exception, match="locked"):
                other.dbapi_connection.execute("BEGIN IMMEDIATE")
            other.close()


def test_4_only_the_outbox_and_the_kit_talk_to_mail_servers():
    guilty = [
        where(path, node)
        for path in sources()
        if "kit" not in path.parts
        for node in ast.walk(tree_of(path))
        if isinstance(node, (ast.Import, ast.ImportFrom)) and "smtplib" in ast.dump(node)
    ]
    assert not guilty, f"Queue a letter with outbox.operations.queue instead of talking SMTP: {guilty}"


def test_4_weasyprint_is_imported_only_where_pdfs_are_made():
    allowed = {"pdf.py", "pdf_child.py", "pdf_tags.py", "pdf_tree.py", "pdf_text.py"}
    guilty = [
        where(path, node)
        for path in sources()
        if path.name not in allowed
        for node in ast.walk(tree_of(path))
        if isinstance(node, (ast.Import, ast.ImportFrom)) and "weasyprint" in ast.dump(node)
    ]
    assert not guilty, f"Use kit.pdf.render_in_child; the web process must not load WeasyPrint: {guilty}"


def test_4_the_web_process_does_not_load_weasyprint():
    import subprocess
    import sys

    code = (
        "import sys; from conference import create_app; create_app(); sys.exit('weasyprint' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=False)
    assert done.returncode == 0, "Import WeasyPrint inside the functions of kit.pdf only."


@pytest.mark.parametrize("work", ["pdf", "mail"])
def test_4_slow_work_is_refused_while_a_transaction_is_open(app, work):
    from conference.kit.mail import smtp
    from conference.kit.pdf import render_in_child

    postman = smtp.Postman(smtp.SmtpSettings("127.0.0.1", 9))
    do = {"pdf": lambda: render_in_child("<p>"), "mail": lambda: postman.send(None)}[work]
    with app.app_context(), unit.writing(commit=False):
        an_account()
        with pytest.raises(RuntimeError, match="own_transactions"):
            do()


def test_5_every_route_has_an_access_mark(app):
    with app.app_context():
        bare = sorted(
            f"{rule.endpoint} ({rule.rule})"
            for rule in app.url_map.iter_rules()
            if access.rule_of(rule.endpoint) is None
        )
    assert not bare, f"Put a mark of kit.access directly under the route of: {bare}"


def test_5_a_route_without_a_mark_is_closed(app):
    app.view_functions["bare"] = lambda: "open"
    app.url_map.add(app.url_rule_class("/bare", endpoint="bare"))
    assert app.test_client().get("/bare").status_code == 404


def test_5_urls_are_kebab_case_nouns_with_typed_parameters(app):
    import re

    good = re.compile(
        r"(/|/[a-z][a-z0-9-]*|/<(int:)?[a-z_]+>|/<path:filename>|\.(ics|pdf|csv|xlsx|svg|txt|zip)|<int:number>)+"
    )
    said = {"/.well-known/security.txt"}  # RFC 9116 says so
    odd = [r.rule for r in app.url_map.iter_rules() if not good.fullmatch(r.rule) and r.rule not in said]
    assert not odd, f"Write addresses as kebab-case nouns: {odd}"
    untyped = [r.rule for r in app.url_map.iter_rules() if re.search(r"<[a-z_]+_id>", r.rule)]
    assert not untyped, f"Give the id a type, <int:…_id>: {untyped}"


@pytest.mark.parametrize("number", [2**31, 2**63, 10**30])
def test_5_a_number_that_no_row_can_have_is_not_found(app, number):
    client, answers = app.test_client(), {}
    for rule in app.url_map.iter_rules():
        numbers = [name for name, kind in rule._converters.items() if isinstance(kind, IntegerConverter)]
        if numbers and "GET" in rule.methods:
            path = re.sub(r"<int:[^>]+>", str(number), rule.rule)
            answers[rule.endpoint] = client.get(re.sub(r"<[^>]+>", "x", path)).status_code
    assert len(answers) > 20
    assert set(answers.values()) == {404}


def test_5_a_number_that_no_column_holds_is_not_found(app):
    """Route it as <int:…>, which is bounded; a greater number fails in both databases."""
    adapter = app.url_map.bind("base.invalid")
    numbered = [rule for rule in app.url_map.iter_rules() if "<int:" in rule.rule]
    assert numbered
    for rule in numbered:
        path = re.sub("<int:[^>]*>", str(2**31), rule.rule)
        path = re.sub("<[^>]*>", "x", path)
        with pytest.raises(NotFound):
            adapter.match(path, method=next(iter(rule.methods)))


def test_6_refused_and_stale_come_back_with_the_input(app):
    from conference.kit.errors import Stale

    with app.test_request_context("/", method="POST", data={"a": "b"}):
        form = forms.VersionedForm(meta={"csrf": False})
        with pages.refusals(form):
            raise Stale("mine", "theirs", version=4)
        assert pages.status_of(form) == 409
        assert (form.refused.mine, form.refused.theirs, form.version.data) == ("mine", "theirs", 4)


def test_7_only_views_jobs_and_commands_look_at_the_clock():
    allowed_files = {
        "views.py",
        "import_views.py",
        "method_views.py",
        "open_space_views.py",
        "facilitator_views.py",
        "repair_views.py",
        "time_views.py",
        "calendar_views.py",
        "seat_views.py",
        "papers.py",
        "once.py",
        "passkey_views.py",
        "service_views.py",
        "clock.py",
        "audit.py",
        "guesses.py",
        "tries.py",
        "cli.py",
        "demo.py",
        "layout.py",
        "__init__.py",
        "serving.py",
    }
    guilty = []
    for path in sources():
        if path.name in allowed_files:
            continue
        for node in ast.walk(tree_of(path)):
            if (
                isinstance(node, ast.Attribute)
                and node.attr in {"now", "utcnow", "today", "time", "time_ns", "current_timestamp"}
                and _is_clock(node)
            ) or _imports_the_clock(node):
                guilty.append(where(path, node))
    assert not guilty, f"Take `at: datetime` as an argument instead of looking at the clock: {guilty}"


def _is_clock(node):
    """`clock.now`, `datetime.now`, `datetime.datetime.now`, `time.time`, `func.now`; not `item.starts_at.time`."""
    clocks = {"datetime", "date", "clock", "time", "func"}
    owner = node.value
    if isinstance(owner, ast.Attribute) and isinstance(owner.value, ast.Name):
        return owner.value.id in {"datetime", "dt"} and owner.attr in clocks
    return (
        isinstance(owner, ast.Name) and owner.id in clocks and (owner.id, node.attr) != ("datetime", "time")
    )


def _imports_the_clock(node):
    if not isinstance(node, ast.ImportFrom):
        return False
    names = {alias.name for alias in node.names}
    of_the_house = (node.module or "").split(".")[-1] == "clock" and "now" in names
    return of_the_house or (node.module == "time" and bool(names & {"time", "time_ns"}))


def test_8_the_policy_allows_nothing_inline(app):
    policy = app.test_client().get("/sign-in").headers["Content-Security-Policy"]
    assert "unsafe" not in policy and "nonce" not in policy and policy.startswith("default-src 'none'")


def test_8_templates_hold_no_inline_script_or_style():
    import re

    bad = re.compile(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\s(on[a-z]+|hx-on\S*)=|javascript:")
    guilty = []
    for path in sorted((ROOT / "templates").rglob("*.html")):
        if path.parts[-2] in {"pdf", "mail"}:
            continue
        for number, line in enumerate(path.read_text().splitlines(), 1):
            if bad.search(line):
                guilty.append(f"{path.relative_to(ROOT)}:{number}")
    assert not guilty, f"Move script and style into static/: {guilty}"


def test_1_rooms_commit_nothing_themselves():
    guilty = [
        where(path, node)
        for path in sources()
        if "kit" not in path.parts
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.Attribute) and node.attr in {"commit", "rollback"}
    ]
    assert not guilty, f"Leave commit and rollback to kit.unit: {guilty}"


def test_rooms_are_flat_and_have_only_the_five_kinds_of_file(app):
    from conference import ROOMS

    odd = [
        str(path.relative_to(ROOT))
        for room in ROOMS
        for path in (PACKAGE / room).iterdir()
        if path.name not in ROOM_FILES | {"__pycache__"} | FURTHER_FILES.get(room, set())
    ]
    assert not odd, (
        f"A room has models, forms, queries, operations and views; put the rest into core or kit: {odd}"
    )


def test_the_river_flows_one_way():
    """`make check` holds the same with import-linter; this one says what to do."""
    from conference import ROOMS

    guilty = []
    for path in sources():
        room = path.relative_to(PACKAGE).parts[0]
        downstream = set(ROOMS[ROOMS.index(room) + 1 :]) if room in ROOMS else set()
        if room in ("kit", "core"):
            downstream = set(ROOMS)
        for node in ast.walk(tree_of(path)):
            if isinstance(node, ast.ImportFrom) and node.level == len(path.relative_to(PACKAGE).parts):
                names = [node.module.split(".")[0]] if node.module else [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("conference."):
                names = [node.module.split(".")[1]]
            else:
                continue
            guilty += [f"{where(path, node)} imports {name}" for name in names if name in downstream]
    assert not guilty, (
        f"A room looks upstream only; let the lower room ask the upper one, or do it in overview: {guilty}"
    )


def test_the_core_is_pure():
    forbidden = {"flask", "sqlalchemy", "wtforms", "werkzeug", "flask_babel"}
    guilty = []
    for path in sources("core/**/*.py"):
        for node in ast.walk(tree_of(path)):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
                if node.level > (1 if path.parent.name == "core" else 2):
                    guilty.append(where(path, node))
            guilty.extend(where(path, node) for name in names if name.split(".")[0] in forbidden)
    assert not guilty, f"Keep Flask, the database and our own rooms out of core: {guilty}"


def test_core_and_operations_have_docstrings():
    bare = []
    for path in [*sources("core/**/*.py"), *sources("*/operations.py"), *sources("*/imports.py")]:
        for node in ast.walk(tree_of(path)):
            is_public = isinstance(node, (ast.FunctionDef, ast.ClassDef)) and not node.name.startswith("_")
            if is_public and not _inside(path, node) and ast.get_docstring(node) is None:
                bare.append(f"{where(path, node)} {node.name}")
    assert not bare, f"Say in a docstring what it does, its shapes and errors: {bare}"


def _inside(path, wanted):
    """True for functions inside functions, and methods of private classes."""
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.FunctionDef) and any(
            child is not node and getattr(child, "lineno", 0) == wanted.lineno for child in ast.walk(node)
        ):
            return True
        if (
            isinstance(node, ast.ClassDef)
            and node.name != wanted.name
            and any(
                getattr(child, "lineno", 0) == wanted.lineno and isinstance(child, ast.FunctionDef)
                for child in node.body
            )
        ):
            return node.name.startswith("_")
    return False


def test_the_readme_names_every_room(app):
    from conference import ROOMS

    readme = (ROOT / "README.md").read_text()
    missing = [room for room in ROOMS if f"`{room}/`" not in readme]
    assert not missing, f"Add these rooms to the map in README.md: {missing}"


def test_t30_vendored_files_are_unmodified():
    import hashlib
    import re

    listed = dict(
        re.findall(
            r"\|\s*`?([\w./-]+)`?\s*\|[^|\n]*?`?([0-9a-f]{64})`?",
            (ROOT / "static/vendor/VENDOR.md").read_text(),
        )
    )
    seen = set()
    for name, expected in listed.items():
        path = next(
            p for p in (ROOT / "static/vendor" / name, ROOT / name, ROOT / "static" / name) if p.exists()
        )
        seen.add(path)
        assert hashlib.sha256(path.read_bytes()).hexdigest() == expected, f"{name} differs from VENDOR.md"
    there = [
        path
        for folder in ("static/vendor", "static/fonts", "tests/vendor")
        for path in (ROOT / folder).rglob("*")
    ]
    words = re.compile(r"LICENSE|OFL|VENDOR\.md")
    unlisted = [path for path in there if path.is_file() and path not in seen and not words.search(path.name)]
    assert not unlisted, "List every vendored file with its sha256 in static/vendor/VENDOR.md."


def test_no_machine_path_or_registry_host_is_in_the_tree():
    import re
    import subprocess

    bad = re.compile(
        r"(?<![\w./])/(work|root|home/[a-z]+)/|pypi-more|registry\.npmjs\.org|files\.pythonhosted"
    )
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split("\n")
    guilty = []
    for name in listed:
        path = ROOT / name
        if (
            path.suffix in {".py", ".md", ".toml", ".sh", ".txt", ".html", ".js", ".css", ""}
            and path.is_file()
        ):
            if path == Path(__file__) or "vendor" in path.parts:
                continue
            for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1):
                if bad.search(line):
                    guilty.append(f"{name}:{number}")
    assert not guilty, f"Take machine paths and registry hosts out: {guilty}"
