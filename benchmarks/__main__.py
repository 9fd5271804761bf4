"""Pages, start and PDF of the June conference against the yardstick, printed as tables."""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from .servers import ROOT, Running, serving

TIMES = 200
ROUNDS = 3
PUBLIC = ["/programme/june-2023", "/programme/june-2023.ics", "/sign-in", "/ideas"]
PAGES = [
    "/", *(f"/conferences/june-2023{path}" for path in (
        "", "/edit", "/rooms", "/agenda", "/guests", "/mailing", "/registrations", "/groups", "/attendance", "/ideas", "/clusters",
        "/wall", "/votes", "/votes/1", "/decisions", "/actions", "/actions/1", "/minutes", "/results",
    )), "/conferences/august-2023", "/conferences/august-2023/review",
]  # fmt: skip


def median_cpu(running: Running, path: str, cookie: str = "", times: int = TIMES) -> tuple[float, int]:
    """Median of several rounds: these machines are noisy."""
    rounds = [running.ask(path, times, cookie) for _ in range(ROUNDS)]
    return statistics.median(cpu for cpu, _size in rounds), rounds[0][1]


def pages(environment: dict[str, str], yardstick: dict[str, str]) -> None:
    """CPU time per request as a multiple of the yardstick's."""
    with serving("benchmarks.yardstick:app", "/", yardstick) as bare:
        unit, _size = median_cpu(bare, "/", times=1000)
        bare_start = bare.first_page
        print(
            f"\nyardstick: bare Flask + Jinja + 1 ORM query, {unit:.2f} ms CPU a request, first page after {bare_start:.2f} s\n"
        )
        print(f"{'page':44} {'ms CPU':>7} {'ratio':>6} {'KB':>6}  limit")
        with serving("wsgi:app", "/sign-in", environment) as ours:
            for path in PUBLIC:
                row(path, *median_cpu(ours, path), unit, 3 if path.startswith("/programme/") else 10)
            cookie = ours.become("organiser")
            for path in PAGES:
                row(path, *median_cpu(ours, path, cookie), unit, 10)
            again, _size = median_cpu(bare, "/", times=1000)
            print(f"\nyardstick once more at the end: {again:.2f} ms")
            print(
                f"start to first page: {ours.first_page:.2f} s, {ours.first_page / bare_start:.1f} × the bare app's (limit 3)"
            )


def row(path: str, cpu: float, size: int, unit: float, limit: float) -> None:
    """One line of the table."""
    mark = "" if cpu / unit <= limit else "  over"
    print(f"{path:44} {cpu:7.2f} {cpu / unit:6.1f} {size / 1024:6.1f}  {limit:g}{mark}")


PDF = """
import sys, time
from conference import create_app
from conference.conferences.queries import conference_by_slug
from conference.kit import clock, pdf
from conference.minutes import operations, queries
import weasyprint
app = create_app()
with app.app_context():
    html = operations.html_of(queries.compile_draft(conference_by_slug("june-2023"), at=clock.now()))
    css = pdf.STYLES.read_text()
    prepared = pdf.pdf_text.prepared(html)
    pdf.render(html)
    def own():
        weasyprint.HTML(string=prepared).write_pdf(pdf_variant="pdf/ua-1", stylesheets=[weasyprint.CSS(string=css)])
    def ours():
        pdf.render(html)
    times = {own: [], ours: []}
    for _ in range(5):
        for call in (own, ours):
            began = time.process_time(); call(); times[call].append(time.process_time() - began)
    print(sorted(times[own])[2], sorted(times[ours])[2])
"""


def minutes(environment: dict[str, str]) -> None:
    """The minutes of June: our pipeline against WeasyPrint alone on the same HTML and style sheet."""
    done = subprocess.run(
        [sys.executable, "-c", PDF],
        cwd=ROOT,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=True,
    )
    own, ours = map(float, done.stdout.split()[-2:])
    print(
        f"\nminutes as PDF: WeasyPrint alone {own:.2f} s, ours {ours:.2f} s, {ours / own:.2f} × (limit 1.2)"
    )


BARE = """
import sys
import weasyprint
html, css, out = sys.argv[1:]
weasyprint.HTML(filename=html).write_pdf(out, pdf_variant="pdf/ua-1", stylesheets=[weasyprint.CSS(filename=css)])
"""
DRAFT = """
import sys
from conference import create_app
from conference.conferences.queries import conference_by_slug
from conference.kit import clock, pdf
from conference.kit.db import db
from conference.minutes import operations, queries
from conference.minutes.models import Release
from sqlalchemy import delete, text
app = create_app()
with app.app_context():
    june = conference_by_slug("june-2023")
    # Releases are frozen for everybody else; this database lives as long as the measurement.
    db.session.execute(text("DROP TRIGGER IF EXISTS release_frozen_DELETE"))
    db.session.execute(delete(Release).where(Release.conference_id == june.id))
    db.session.commit()
    html = operations.html_of(queries.compile_draft(june, at=clock.now()))
    open(sys.argv[1], "w").write(pdf.pdf_text.prepared(html))
    open(sys.argv[2], "w").write(pdf.STYLES.read_text())
"""


def command(environment: dict[str, str], folder: Path) -> None:
    """The whole command for minutes that are not released, start included, against a bare script with the same HTML and CSS."""
    html, css, out = (str(folder / name) for name in ("bare.html", "bare.css", "out.pdf"))
    subprocess.run(
        [sys.executable, "-c", DRAFT, html, css], cwd=ROOT, env=os.environ | environment, check=True
    )
    bare = [sys.executable, "-c", BARE, html, css, out]
    ours = [sys.executable, "-m", "flask", "--app", "wsgi", "minutes-pdf", "june-2023", out]
    times: dict[str, list[float]] = {"bare": [], "ours": []}
    for _ in range(5):
        for name, words in (("bare", bare), ("ours", ours)):
            began = time.monotonic()
            subprocess.run(words, cwd=ROOT, env=os.environ | environment, capture_output=True, check=True)
            times[name].append(time.monotonic() - began)
    alone, whole = (statistics.median(times[name]) for name in ("bare", "ours"))
    print(
        f"flask minutes-pdf: bare script {alone:.2f} s, ours {whole:.2f} s, {whole / alone:.2f} × (limit 1.2)"
    )


def main() -> None:
    """Load the demo into a folder of its own and measure."""
    with tempfile.TemporaryDirectory() as folder:
        environment = {"FOLGETERMIN_INSTANCE": folder, "FOLGETERMIN_DEMO": "1"}
        yardstick = {"YARDSTICK_DATABASE": f"sqlite:///{Path(folder) / 'yardstick.db'}"}
        began = time.monotonic()
        subprocess.run(
            [sys.executable, "-m", "flask", "--app", "wsgi", "demo"],
            cwd=ROOT,
            env=os.environ | environment,
            check=True,
        )
        print(f"(demo loaded in {time.monotonic() - began:.1f} s)")
        pages(environment, yardstick)
        minutes(environment)
        command(environment, Path(folder))


if __name__ == "__main__":
    main()
