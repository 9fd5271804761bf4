"""The way from HTML to a PDF: bounded, without reach, the same bytes each time."""

import fcntl
import hashlib
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import ClassVar

import pikepdf
import pytest

from conference.kit import child, pdf
from conference.kit.outage import Unavailable
from conference.kit.pdf import PdfFailed, harmless, render, render_in_child
from tests.kit.pdf_pages import FRAME, ROOT, failures, opened, text

PAGE = FRAME % "<h1>Titel</h1><p>Wir treffen uns um 17 Uhr – „ẞ§€→“.</p>"
SECRET = "the-secret-of-the-canary"


def test_a_page_becomes_an_accessible_and_archivable_pdf():
    assert failures(render(PAGE)) == []


def test_quotes_and_signs_come_out_as_they_went_in(tmp_path):
    assert "Wir treffen uns um 17 Uhr – „ẞ§€→“." in text(render(PAGE), tmp_path).replace("\u00a0", " ")


def test_the_file_knows_title_author_language_and_days():
    head = '<title>Titel</title><meta name="author" content="Kim Vogt"><meta name="dcterms.created" content="2023-06-06">'
    pdf = opened(render(PAGE.replace("<title>Titel</title>", head)))
    record = pdf.Root.Metadata.read_bytes().decode()
    assert (str(pdf.docinfo["/Title"]), str(pdf.docinfo["/Author"])) == ("Titel", "Kim Vogt")
    assert str(pdf.docinfo["/CreationDate"]) == "D:20230606"
    assert "<rdf:li>de-DE</rdf:li>" in record
    assert "<pdfuaid:part>1</pdfuaid:part>" in record and 'pdfaid:part="2"' in record


def test_only_bundled_fonts_are_used_and_each_is_embedded():
    pdf = opened(
        render(
            FRAME
            % "<h1>T</h1><p style='font-family: Arial, DejaVu Sans, serif'>Text <em>schräg</em> 😀 مريم</p>"
        )
    )
    dictionaries = [one for one in pdf.objects if isinstance(one, pikepdf.Dictionary)]
    fonts = [one for one in dictionaries if one.get("/Type") == "/FontDescriptor"]
    names = {str(one.FontName).split("+")[1] for one in fonts}
    assert {name.split("-")[0] for name in names} == {"IBM", "Noto"}
    assert all("/FontFile2" in one or "/FontFile3" in one for one in fonts)


def _digest_elsewhere(folder: Path, **environment: str) -> str:
    code = (
        "import sys, hashlib; from conference.kit.pdf import render;"
        "print(hashlib.sha256(render(sys.stdin.read())).hexdigest())"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], input=PAGE, capture_output=True, text=True, check=True, cwd=folder,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "PYTHONUTF8": "1", **environment},
    )  # fmt: skip
    return done.stdout.strip()


def test_the_same_page_gives_the_same_bytes_in_other_circumstances(tmp_path):
    here = hashlib.sha256(render(PAGE)).hexdigest()
    assert hashlib.sha256(render(PAGE)).hexdigest() == here
    assert _digest_elsewhere(tmp_path, TZ="Asia/Tokyo", PYTHONHASHSEED="1", LANG="de_DE.UTF-8") == here
    assert _digest_elsewhere(ROOT, TZ="America/New_York", PYTHONHASHSEED="2", HOME=str(tmp_path)) == here


def test_another_page_has_another_identifier():
    first, second = opened(render(PAGE)), opened(render(PAGE.replace("Titel", "Anderer")))
    assert first.trailer.ID[0] != second.trailer.ID[0]


class _Canary(BaseHTTPRequestHandler):
    seen: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        self.seen.append(self.path)
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_args: object) -> None:
        pass


@pytest.fixture
def canary() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), _Canary)
    _Canary.seen.clear()
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def _unpacked(stream: pikepdf.Stream) -> bytes:
    try:
        return stream.read_bytes()
    except pikepdf.PdfError:
        return b""


VECTORS = [
    '<img src="{u}" alt="x">',
    '<img srcset="{u} 2x" alt="x">',
    '<embed src="{u}">',
    '<object data="{u}"></object>',
    '<iframe src="{u}"></iframe>',
    '<script src="{u}"></script>',
    '<video poster="{u}"></video>',
    '<link rel="stylesheet" href="{u}">',
    '<link rel="attachment" href="{u}">',
    '<a rel="attachment" href="{u}">x</a>',
    '<base href="{u}/"><img src="x.png" alt="x">',
    "<style>@import url({u});</style>",
    '<style>@font-face {{ font-family: F; src: url("{u}"); }} p {{ font-family: F }}</style>',
    '<style>body {{ background: url("{u}") }}</style>',
    '<style>@page {{ background: url("{u}") }}</style>',
    '<p style="background: url({u})">x</p>',
    '<ul style="list-style-image: url({u})"><li>x</li></ul>',
    '<p style="content: url({u})">x</p>',
    '<style>p::before {{ content: url("{u}") }}</style>',
    '<style>p {{ border-image: url("{u}") 1; mask: url("{u}") }}</style>',
    '<svg xmlns="http://www.w3.org/2000/svg"><title>t</title><image href="{u}" width="9" height="9"/></svg>',
    '<svg xmlns="http://www.w3.org/2000/svg"><title>t</title><use href="{u}#x"/></svg>',
    '<img alt=x src=\'data:image/svg+xml,<svg xmlns="http://www.w3.org/2000/svg"><image href="{u}"/></svg>\'>',
    '<meta http-equiv="refresh" content="0; url={u}">',
    '<form action="{u}"><input name="a"></form>',
    "<!DOCTYPE x [<!ENTITY e SYSTEM '{u}'>]>&e;",
]


@pytest.mark.parametrize("vector", VECTORS)
def test_t13_t20_nothing_is_fetched_from_the_network_or_the_disk(vector, canary, tmp_path):
    secret = tmp_path / "secret.txt"
    secret.write_text(SECRET)
    for address in (canary + "/x.png", secret.as_uri()):
        pdf = opened(render(PAGE.replace("</body>", vector.format(u=address) + "</body>")))
        assert "/EmbeddedFiles" not in pdf.Root.get("/Names", {})
        streams = [one for one in pdf.objects if isinstance(one, pikepdf.Stream)]
        assert [one for one in streams if SECRET.encode() in _unpacked(one)] == []
    assert _Canary.seen == []


def test_the_canary_would_sing(canary):
    from weasyprint import HTML

    HTML(string=PAGE.replace("</body>", VECTORS[0].format(u=canary + "/x.png") + "</body>")).write_pdf()
    assert _Canary.seen == ["/x.png"]


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        ("data:image/svg+xml,%3Csvg%3E%3C/svg%3E", True),
        ("data:image/svg+xml," + "x" * 4000, False),
        ("data:image/svg+xml,%3Csvg%3E%3Cuse href='#a'/%3E%3C/svg%3E", False),
        ("data:image/svg+xml,%3C!DOCTYPE x%3E", False),
        ("data:image/png;base64,AAAA", False),
        ("data:text/css,p{}", False),
        ("file:///etc/passwd", False),
        ("https://x.example/", False),
    ],
)
def test_only_a_small_drawing_without_references_is_let_in(url, allowed):
    assert harmless(url) is allowed


def test_the_child_makes_the_same_file():
    assert render_in_child(PAGE) == render(PAGE)


def test_the_web_process_never_loads_weasyprint():
    code = (
        "import sys; from conference.kit.pdf import render_in_child;"
        f"assert render_in_child({PAGE!r}).startswith(b'%PDF'); print('weasyprint' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.strip() == "False"


def test_t13_the_child_knows_no_secret_of_ours(monkeypatch):
    from conference.kit.child import _environment

    monkeypatch.setenv("FOLGETERMIN_SECRET_KEY", SECRET)
    assert sorted(_environment()) == ["LANG", "PATH", "PYTHONDONTWRITEBYTECODE", "PYTHONPATH", "TZ"]


def test_t13_a_page_that_takes_too_long_is_given_up():
    # A quarter of a minute of work: without a limit a PDF comes of it.
    slow = FRAME % ("<div style='display:flex'>" * 10 + "x")
    with pytest.raises(PdfFailed) as failed:
        render_in_child(slow, seconds=2)
    assert failed.value.reason == "too_long"


def test_t13_a_page_that_takes_too_much_memory_is_given_up():
    with pytest.raises(PdfFailed) as failed:
        render_in_child(FRAME % ("<p>Wort</p>" * 40_000), megabytes=200)
    assert failed.value.reason == "too_much_memory"


def test_t13_a_paper_of_very_many_pages_is_given_up(monkeypatch):
    monkeypatch.setattr(pdf, "MOST_PAGES", 2)
    with pytest.raises(PdfFailed, match="too_large: 3 pages"):
        render(FRAME % ("<p style='break-after: page'>Wort</p>" * 2 + "Wort"))
    assert (pdf.SECONDS, pdf.MEGABYTES) == (30, 512)


def test_t13_only_so_many_children_run_at_once_and_who_waits_too_long_comes_again(app, monkeypatch):
    """The places are files, so that they count over all processes; they are taken here as another process takes them."""
    app.config["DATABASE_PATIENCE"] = 0.2
    monkeypatch.setattr(child, "BY_THE_CLOCK", 10)
    with app.app_context():
        assert render_in_child(PAGE).startswith(b"%PDF")
        with ExitStack() as taken:
            for number in range(child.AT_ONCE):
                file = taken.enter_context(Path(app.instance_path, f"child-{number}.lock").open("a"))
                fcntl.flock(file, fcntl.LOCK_EX)
            with pytest.raises(Unavailable):
                render_in_child(PAGE)
            fcntl.flock(file, fcntl.LOCK_UN)
            assert render_in_child(PAGE).startswith(b"%PDF")


def test_t13_a_folder_that_cannot_be_written_to_keeps_nobody_from_reading_papers(app, monkeypatch):
    with app.app_context(), monkeypatch.context() as there:
        there.setattr(app, "instance_path", "/proc/none")
        assert render_in_child(PAGE).startswith(b"%PDF")


def test_a_page_that_is_too_large_is_not_even_tried():
    with pytest.raises(PdfFailed) as failed:
        render_in_child("x" * 9_000_000)
    assert failed.value.reason == "too_large"


def test_f13_a_page_that_breaks_the_child_says_why_to_the_log():
    with pytest.raises(PdfFailed) as failed:
        render_in_child(FRAME % ("<div>" * 400))
    assert failed.value.reason == "failed"
    assert "RecursionError" in failed.value.detail


def test_f13_after_a_failure_the_next_page_works():
    with pytest.raises(PdfFailed):
        render_in_child(FRAME % ("<div>" * 400))
    assert render_in_child(PAGE).startswith(b"%PDF-1.7")
