"""What the PDF tests share: our templates as HTML, the verdict of a validator, the tag tree as plain text."""

import re
import subprocess
from collections.abc import Iterator
from functools import cache
from html import unescape
from io import BytesIO
from pathlib import Path
from typing import Any

import page as validator
import pikepdf
from flask import Flask, render_template
from flask_babel import force_locale

from conference.core.minutes import MinutesDocument, from_json
from conference.kit import dates, language
from conference.kit.markdown import to_html

ROOT = Path(__file__).parents[2]
FRAME = '<!doctype html><html lang="de-DE"><head><title>Titel</title></head><body>%s</body></html>'


def june() -> MinutesDocument:
    """The minutes of the June conference."""
    return from_json((ROOT / "tests" / "data" / "minutes-june.json").read_text(encoding="utf-8"))


@cache
def app() -> Flask:
    """An app with our templates, catalogue and filters, without database."""
    made = Flask("pdf", template_folder=str(ROOT / "templates"))
    made.config["TRANSLATIONS"] = ROOT / "conference" / "translations"
    made.config["LANGUAGE"] = "de"
    language.init(made)
    dates.init(made)
    return made


def html(name: str, locale: str = "de", **context: Any) -> str:
    """A template of ours as HTML."""
    with app().test_request_context(), force_locale(locale):
        return render_template(f"pdf/{name}.html", **context)


def minutes_html(document: MinutesDocument) -> str:
    """The minutes as HTML."""
    return html("minutes", document.language, m=document, markdown=to_html)


def failures(pdf: bytes) -> list[tuple[str, str]]:
    """What breaks PDF/UA-1 or PDF/A-2a: nothing, we hope."""
    reports = [validator.validate_pdf_bytes(pdf, profile=profile) for profile in ("ua1", "2a")]
    return [(found.rule_id, found.message) for report in reports for found in report.failures]


@cache
def opened(pdf: bytes) -> pikepdf.Pdf:
    """The file, to look inside; kept open, because its objects die with it."""
    return pikepdf.open(BytesIO(pdf))


def elements(pdf: bytes, *kinds: str) -> list[pikepdf.Object]:
    """The structure elements of these kinds, in reading order."""
    return [element for element in _walk(opened(pdf).Root.StructTreeRoot.K) if str(element.S)[1:] in kinds]


def kinds(pdf: bytes) -> list[str]:
    """The kinds of all structure elements, in reading order."""
    return [str(element.S)[1:] for element in _walk(opened(pdf).Root.StructTreeRoot.K)]


def _walk(kid: pikepdf.Object) -> Iterator[pikepdf.Object]:
    if isinstance(kid, pikepdf.Array):
        for one in kid:
            yield from _walk(one)
    elif isinstance(kid, pikepdf.Dictionary) and "/S" in kid:
        yield kid
        if "/K" in kid:
            yield from _walk(kid.K)


def read_aloud(pdf: bytes) -> list[str]:
    """What a screen reader says: the text of each element that has text of its own, in reading order."""
    file = opened(pdf)
    numbers = {page.objgen: number for number, page in enumerate(file.pages)}
    drawn = [_drawn(page) for page in file.pages]
    said = []
    for element in _walk(file.Root.StructTreeRoot.K):
        places = [_place(kid, element, numbers) for kid in _kids(element)]
        words = "".join(drawn[page].get(mcid, "") + " " for page, mcid in filter(None, places))
        if words.strip():
            said.append(" ".join(words.split()))
    return said


def _kids(element: pikepdf.Object) -> list[Any]:
    kids = element.get("/K", [])
    return list(kids) if isinstance(kids, pikepdf.Array) else [kids]


def _place(kid: Any, element: pikepdf.Object, numbers: dict[Any, int]) -> tuple[int, int] | None:
    if isinstance(kid, int):
        return numbers[element.Pg.objgen], kid
    if isinstance(kid, pikepdf.Dictionary) and kid.get("/Type") == "/MCR":
        return numbers[kid.Pg.objgen], int(kid.MCID)
    return None


def _drawn(page: pikepdf.Page) -> dict[int, str]:
    """The text of each piece of marked content of a page."""
    fonts = {name: _alphabet(font) for name, font in page.Resources.Font.items()}
    found: dict[int, str] = {}
    alphabet: dict[bytes, str] = {}
    here: list[int | None] = []
    for operands, operator in pikepdf.parse_content_stream(page):
        match str(operator):
            case "BDC":
                here.append(int(operands[1].MCID) if "/MCID" in operands[1] else None)
            case "BMC":
                here.append(None)
            case "EMC":
                here.pop()
            case "Tf":
                alphabet = fonts[str(operands[0])]
            case "TJ" if here and here[-1] is not None:
                codes = b"".join(bytes(part) for part in operands[0] if isinstance(part, pikepdf.String))
                text = "".join(alphabet.get(codes[at : at + 2], "") for at in range(0, len(codes), 2))
                found[here[-1]] = found.get(here[-1], "") + text
    return found


def _alphabet(font: pikepdf.Object) -> dict[bytes, str]:
    pairs = re.findall(rb"<([0-9a-f]{4})> <([0-9a-f]+)>", font.ToUnicode.read_bytes())
    return {
        bytes.fromhex(code.decode()): bytes.fromhex(text.decode()).decode("utf-16-be") for code, text in pairs
    }


def text(pdf: bytes, folder: Path) -> str:
    """Everything that is drawn, as text; pages end in a form feed."""
    return _pdftotext(pdf, folder, "-layout")


def words(pdf: bytes, folder: Path) -> list[tuple[int, str, tuple[float, ...]]]:
    """Each drawn word with its page, from 0, and its box in points from the top left: left, top, right, bottom."""
    box = re.compile(r'<word xMin="(.*)" yMin="(.*)" xMax="(.*)" yMax="(.*)">(.*)</word>')
    pages = _pdftotext(pdf, folder, "-bbox").split("<page ")[1:]
    found = [(number, one.groups()) for number, page in enumerate(pages) for one in box.finditer(page)]
    return [(number, unescape(groups[4]), tuple(map(float, groups[:4]))) for number, groups in found]


def _pdftotext(pdf: bytes, folder: Path, *options: str) -> str:
    path = folder / "looked-at.pdf"
    path.write_bytes(pdf)
    done = subprocess.run(["pdftotext", *options, str(path), "-"], capture_output=True, check=True)
    # poppler writes emoji in titles as two halves.
    return done.stdout.decode("utf-8", "replace")
