"""The demo's June minutes as files: the command line, and PDFs that everybody can read."""

from io import BytesIO

import pypdf
import pytest

from conference import create_app, demo
from conference.conferences.queries import conference_by_slug
from conference.kit import clock
from conference.kit.db import db
from conference.kit.pdf import render
from conference.minutes import operations, queries
from tests.kit.pdf_pages import failures, kinds, opened, text

from ..builders import a_conference

DRAFT = "Entwurf – nicht freigegeben"
SECRET = "a secret for these tests, 32 characters and more"


@pytest.fixture(scope="module")
def june(tmp_path_factory):
    """An app on the demo's data; only looked at."""
    app = create_app(
        {"INSTANCE": tmp_path_factory.mktemp("demo"), "DEMO": True, "SECRET_KEY": SECRET, "TESTING": True}
    )
    with app.app_context():
        db.create_all()
        demo.load(app)
        db.session.remove()
    yield app
    with app.app_context():
        db.engine.dispose()


@pytest.fixture(scope="module")
def draft(june):
    """The PDF of the draft as it is after the release, with what was reported since."""
    with june.app_context():
        return render(
            operations.html_of(queries.compile_draft(conference_by_slug("june-2023"), at=clock.now()))
        )


@pytest.fixture(scope="module")
def release(june):
    with june.app_context():
        return queries.latest_release(conference_by_slug("june-2023"))


def run(app, *arguments):
    return app.test_cli_runner().invoke(args=["minutes-pdf", *map(str, arguments)])


def titles_in(outline):
    """All titles of the bookmarks, in order."""
    return [
        title
        for entry in outline
        for title in (titles_in(entry) if isinstance(entry, list) else [entry.title])
    ]


def test_the_draft_and_the_release_keep_the_standards(draft, release):
    assert (failures(draft), failures(release.pdf)) == ([], [])


def test_the_draft_is_tagged_titled_german_and_has_bookmarks(draft):
    root = opened(draft).Root
    assert (str(root.Lang), bool(root.MarkInfo.Marked), bool(root.ViewerPreferences.DisplayDocTitle)) == (
        "de-DE",
        True,
        True,
    )
    assert {"H1", "H2", "Table", "TH", "TD", "L", "LI"} <= set(kinds(draft))
    reader = pypdf.PdfReader(BytesIO(draft))
    assert "Bildungsträgerkonferenz" in reader.metadata.title and DRAFT in reader.metadata.title
    bookmarks = titles_in(reader.outline)
    wanted = ["Anwesenheit", "Tagesordnung", "Beschlüsse", "Maßnahmenplan"]
    assert [title for title in bookmarks if title in wanted] == wanted


def test_each_page_says_which_of_how_many_and_whether_it_is_a_draft(draft, release, tmp_path):
    for pdf, marked in ((draft, True), (release.pdf, False)):
        pages = text(pdf, tmp_path).split("\f")[:-1]
        assert len(pages) > 1
        for number, page in enumerate(pages, 1):
            assert f"Seite {number} von {len(pages)}" in page
            assert (DRAFT in page) is marked


def test_the_june_minutes_hold_the_day(release, tmp_path):
    words = " ".join(text(release.pdf, tmp_path).split())
    assert [
        part in words
        for part in ("Anwesend (", "Vormittagskurse für Eltern", "Verena Tiemann", "Maßnahmenplan")
    ] == [True] * 4


def test_the_command_writes_the_very_bytes_of_the_release(june, release, tmp_path):
    out = tmp_path / "out.pdf"
    assert run(june, "june-2023", out).exit_code == 0
    assert out.read_bytes() == release.pdf


def test_the_command_writes_the_draft_of_what_is_not_released(app, in_house, tmp_path):
    with in_house():
        a_conference()
    out = tmp_path / "out.pdf"
    assert run(app, "june-2023", out).exit_code == 0
    assert failures(out.read_bytes()) == []
    assert DRAFT in text(out.read_bytes(), tmp_path)


def test_the_command_says_in_one_line_what_went_wrong(app, in_house, tmp_path):
    with in_house():
        a_conference()
    for arguments in (
        ("nowhere", tmp_path / "out.pdf"),
        ("june-2023", tmp_path / "no folder" / "out.pdf"),
        ("june-2023", tmp_path),
    ):
        done = run(app, *arguments)
        assert (done.exit_code, done.stdout, len(done.stderr.strip().splitlines())) == (1, "", 1)
    assert not list(tmp_path.glob("*.pdf"))
