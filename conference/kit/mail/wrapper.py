"""The HTML of a letter, made from its text: the same words in the same order, so that both can never differ.

Blank lines part paragraphs, lines stay lines, lines that begin with "- " are a list. Addresses below our own BASE_URL
become links that show the address; foreign ones stay text, so that nobody can send links to others in our name.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from flask import current_app, render_template
from markupsafe import Markup

from .message import header_text, plain_text

Button = tuple[str, str]

ADDRESS = re.compile(r"(https?://[^\s<>\"]+)")
SENTENCE_END = ".,;:!?)'“”’…"


@dataclass(frozen=True)
class Piece:
    """Words, and where they lead; "" is nowhere."""

    text: str
    url: str = ""


@dataclass(frozen=True)
class Block:
    """What stands together: `kind` "lines", "list" or "button"; one entry of pieces for each line or list item."""

    kind: str
    lines: list[list[Piece]]


def html_from_text(
    text: str,
    *,
    subject: str,
    language: str,
    button: Button | None = None,
    preheader: str = "",
    base_url: str | None = None,
) -> str:
    """The letter as a whole HTML document with its looks in it; nothing is fetched from anywhere.

    `button` (label, url) stands after the paragraph that spells its address out, or at the end. `base_url` is the
    setting BASE_URL unless given. Raises ValueError for a button that leads to no web page.
    """
    return render_template(
        "mail/_wrapper.html",
        subject=header_text(subject),
        language=language,
        preheader=preheader,
        looks=_looks(),
        blocks=_blocks(text, button, base_url),
    )


def html_fragment(text: str, *, button: Button | None = None, base_url: str | None = None) -> Markup:
    """The letter as a part of a page that links mail.css itself; it has no heading."""
    return Markup(render_template("mail/_letter.html", blocks=_blocks(text, button, base_url)))


def _looks() -> Markup:
    """mail.css as it stands in the file: our own words, which are no markup."""
    css = Path(current_app.static_folder or "", "css", "mail.css").read_text(encoding="utf-8")
    return Markup(css.replace("</", ""))


def _blocks(text: str, button: Button | None, base_url: str | None) -> list[Block]:
    base = current_app.config.get("BASE_URL", "") if base_url is None else base_url
    paragraphs = re.split(r"\n\s*\n", plain_text(text).strip("\n"))
    blocks, waiting = [], button
    for paragraph in paragraphs:
        blocks += _paragraph(paragraph, base)
        if waiting and waiting[1] in paragraph:
            blocks.append(_button(waiting))
            waiting = None
    return blocks + ([_button(waiting)] if waiting else [])


def _button(button: Button) -> Block:
    label, url = button
    if not url.startswith(("https://", "http://")):
        raise ValueError("a button needs an http address")
    return Block("button", [[Piece(label, url)]])


def _paragraph(paragraph: str, base: str) -> list[Block]:
    blocks: list[Block] = []
    for line in paragraph.split("\n"):
        kind = "list" if line.startswith("- ") else "lines"
        continues = line.startswith("  ") and blocks and blocks[-1].kind == "list"
        pieces = _pieces(line.removeprefix("- ").strip(), base)
        if continues:
            blocks[-1].lines[-1].extend([Piece(" "), *pieces])
        elif blocks and blocks[-1].kind == kind:
            blocks[-1].lines.append(pieces)
        elif line.strip():
            blocks.append(Block(kind, [pieces]))
    return blocks


def _pieces(line: str, base: str) -> list[Piece]:
    pieces = []
    for part in ADDRESS.split(line):
        address = part.rstrip(SENTENCE_END) if ADDRESS.fullmatch(part) else ""
        if address and _is_ours(address, base):
            pieces.append(Piece(address, address))
            part = part.removeprefix(address)
        pieces.append(Piece(part))
    return [piece for piece in pieces if piece.text]


def _is_ours(address: str, base: str) -> bool:
    ours = urlsplit(base.rstrip("/"))
    try:
        theirs = urlsplit(address)
    except ValueError:
        return False
    is_below = theirs.path == ours.path or theirs.path.startswith(ours.path + "/")
    return bool(ours.netloc) and (theirs.scheme, theirs.netloc) == (ours.scheme, ours.netloc) and is_below
