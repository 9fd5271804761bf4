"""HTML of ours to PDFs that everybody can read: tagged, PDF/UA-1, same bytes for same HTML, without any reach.

WeasyPrint is imported by `render` only, that is in the child process or on the command line, never in the web process.
"""

import gc
import os
import signal
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from . import child, pdf_text
from .pdf_text import replaced_characters

__all__ = ["PdfFailed", "render", "render_in_child", "replaced_characters"]

ROOT = Path(__file__).parents[2]
STYLES = ROOT / "static" / "css" / "pdf.css"
FONTS_CONF = Path(__file__).with_name("pdf_fonts.conf")
PAGES_WITHOUT_CONTENTS = 2
WITHOUT_CONTENTS = "[data-from-pages] { display: none }"
DATA_LIMIT = 4_000
HTML_LIMIT = 8_000_000
SECONDS, MEGABYTES, MOST_PAGES = 30, 512, 500
"""What one PDF may cost. 2,500 people to sign in take 18 s and 384 MB; longer lists come in parts."""
# How Python, the C library and glib say it.
OUT_OF_MEMORY = (
    "MemoryError",
    "Cannot allocate memory",
    "Resource temporarily unavailable",
    "failed to allocate",
)


class PdfFailed(Exception):
    """No PDF came of it. `reason` is "too_large", "too_long", "too_much_memory" or "failed"; `detail` is for the log."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason, self.detail = reason, detail


def render(html: str, *, stylesheets: Sequence[str] | None = None) -> bytes:
    """The PDF of a whole HTML document, PDF/UA-1 and PDF/A-2a. `stylesheets` are CSS texts, by default ours.

    What stands under `data-from-pages` (the contents) is left out of documents of one or two pages.
    """
    prepared = pdf_text.prepared(html)
    styles = [STYLES.read_text(encoding="utf-8")] if stylesheets is None else list(stylesheets)
    identifier = sha256("\0".join([prepared, *styles]).encode()).hexdigest()[:32]
    weasyprint = _weasyprint()
    from . import pdf_claims, pdf_tags  # Imports WeasyPrint.

    with _without_collection(), pdf_tags.own_tags():
        document = _laid_out(weasyprint, prepared, styles)
        if len(document.pages) > MOST_PAGES:
            raise PdfFailed("too_large", f"{len(document.pages)} pages")
        pdf_claims.claim_both(document.metadata)
        pdf: bytes = document.write_pdf(pdf_variant="pdf/a-2a", pdf_identifier=identifier)
    return pdf


def render_in_child(html: str, *, seconds: int = SECONDS, megabytes: int = MEGABYTES) -> bytes:
    """The PDF, made in a process of its own that cannot take the house with it. Raises PdfFailed."""
    from .unit import must_be_closed  # The child has neither Flask nor a database.

    must_be_closed("a PDF is rendered")
    source = html.encode("utf-8", "ignore")
    if len(source) > HTML_LIMIT:
        raise PdfFailed("too_large", f"{len(source)} bytes of HTML")
    try:
        done = child.run("kit.pdf_child", source, seconds=seconds, megabytes=megabytes)
    except subprocess.TimeoutExpired:
        raise PdfFailed("too_long", f"more than {seconds} s") from None
    return _checked(done)


def _checked(done: "subprocess.CompletedProcess[bytes]") -> bytes:
    if done.returncode == 0 and done.stdout.startswith(b"%PDF-") and done.stdout.rstrip().endswith(b"%%EOF"):
        return done.stdout
    detail = done.stderr.decode("utf-8", "replace").strip()[-500:]
    if done.returncode == -signal.SIGXCPU:
        raise PdfFailed("too_long", detail)
    if done.returncode == -signal.SIGKILL or any(words in detail for words in OUT_OF_MEMORY):
        raise PdfFailed("too_much_memory", detail)
    if "PdfFailed: too_large" in detail:
        raise PdfFailed("too_large", detail)
    raise PdfFailed("failed", detail or f"exit status {done.returncode}")


def _laid_out(weasyprint: Any, html: str, styles: Sequence[str]) -> Any:
    source = weasyprint.HTML(string=html, url_fetcher=_fetcher(weasyprint))

    def attempt(*texts: str) -> Any:
        return source.render(stylesheets=[weasyprint.CSS(string=text) for text in texts])

    document = attempt(*styles)
    if len(document.pages) <= PAGES_WITHOUT_CONTENTS and "data-from-pages" in html:
        document = attempt(*styles, WITHOUT_CONTENTS)
    return document


@contextmanager
def _without_collection() -> Iterator[None]:
    """Looking for cycles among the boxes costs a sixth of the time and finds nothing to free before the end."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _weasyprint() -> Any:
    if not pdf_text.font_files():
        raise RuntimeError(f"No fonts in {pdf_text.FONTS}")
    # Before the first import, or the fonts of the machine decide how a page looks.
    os.environ["FONTCONFIG_FILE"] = str(FONTS_CONF)
    os.environ.setdefault("SOURCE_DATE_EPOCH", "0")
    import weasyprint

    if not 70 <= int(weasyprint.__version__.split(".")[0]) < 71:
        raise RuntimeError(f"WeasyPrint 70 is needed, {weasyprint.__version__} is installed")
    return weasyprint


def _fetcher(weasyprint: Any) -> Any:
    class NoReach(weasyprint.urls.URLFetcher):
        """Refuses every address but a small inline drawing without references: our watermark."""

        def fetch(self, url: str, headers: Any = None) -> Any:
            if not harmless(url):
                raise ValueError("refused")
            return super().fetch(url, headers)

    return NoReach(allowed_protocols=["data"], allow_redirects=False)


def harmless(url: str) -> bool:
    """Whether the address is an inline drawing that can neither grow nor refer to anything."""
    drawing = unquote(url)
    refers = any(word in drawing.lower() for word in ("href", "<use", "<image", "<!", "url(", "@import"))
    return url.startswith("data:image/svg+xml,") and len(url) <= DATA_LIMIT and not refers
