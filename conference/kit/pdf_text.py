"""Text for PDFs: only characters that the bundled fonts can draw, in German typography.

One character without a glyph makes the whole file unreadable for a screen reader, and WeasyPrint only logs it.
"""

import re
import unicodedata
from collections.abc import Iterable
from functools import cache
from pathlib import Path

FONTS = Path(__file__).parents[2] / "static" / "fonts" / "pdf"
REPLACEMENT = "\ufffd"

NBSP, NB_HYPHEN, BREAK_HERE = "\u00a0", "\u2011", "\u200b"
ISOLATE, END_ISOLATE = "\u2068", "\u2069"
# Joiners, variation selectors, break marks and isolates shape text without being drawn.
_SHAPING = frozenset("\t\n\r\u00ad\u200b\u200c\u200d\u2060\ufe0e\ufe0f" + ISOLATE + END_ISOLATE)
_MARKS_IN_A_ROW = 4
_UNBROKEN = 40
# After that more often: WeasyPrint lays out the whole rest again for each line that it cannot end at a break mark.
_THEN_EVERY = 10

_TAGS = re.compile(
    r"(<(?:style|title|script)\b.*?</(?:style|title|script)>|<[^>]*>)", re.DOTALL | re.IGNORECASE
)
_RTL = "\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc"
_RIGHT_TO_LEFT = re.compile(f"[{_RTL}]+(?:[ .,'’\\-]*[{_RTL}]+)*")
# One sign as people count it: with its accents, variation and what a joiner ties to it.
# Atomic: else a row of sixty joiners could be parted into signs in more ways than anybody can try.
_SIGN = (
    r"(?>(?:&[A-Za-z0-9#]{1,8};|[^\s&\u200b\u00ad])"
    r"(?:[\u0300-\u036f\ufe0e\ufe0f\U0001f3fb-\U0001f3ff]|\u200d\S)*)"
)
_ONE_SIGN = re.compile(_SIGN)
_LONG = re.compile(f"(?:{_SIGN}){{{_UNBROKEN + 1},}}")
_MONTHS = "Januar|Februar|März|April|Mai|Juni|Juli|August|September|Oktober|November|Dezember"
_KEEP_TOGETHER = [
    (re.compile(pattern), replacement)
    for pattern, replacement in (
        (r"\b([A-Za-zÄÖÜäöü]\.) (?=[A-Za-zÄÖÜäöü]\.)", rf"\1{NBSP}"),
        (
            r"(§§?|\b(?:Nr\.|Art\.|Abs\.|Ziff\.|TOP|Seite|Anlage|Runde|Raum|Gruppe)) (?=[\dA-Z]\w{0,3}\b)",
            rf"\1{NBSP}",
        ),
        (r"\b(Dr\.|Prof\.|Frau|Herrn?) (?=[A-ZÄÖÜ])", rf"\1{NBSP}"),
        (r"(?<=\d) (?=(?:Uhr|Euro|Min\.|Punkte?|Prozent)\b|[%€])", NBSP),
        (rf"(?<=\d\.) (?=(?:{_MONTHS})\b)", NBSP),
        (r"(?<= )-(?=[a-zäöüß]{2})", NB_HYPHEN),
    )
]


def replaced_characters(text: str) -> tuple[str, ...]:
    """The characters of the text that no bundled font has: they become U+FFFD in the PDF. Each once, sorted."""
    return tuple(sorted(c for c in set(unicodedata.normalize("NFC", text)) if _drawn_as(c) == REPLACEMENT))


def prepared(html: str) -> str:
    """The HTML with drawable characters only, non-breaking where German wants it, breakable where a word never ends.

    The HTML must be our own: attribute values carry `>` escaped, as Jinja writes it.
    """
    parts = _TAGS.split(drawable(html))
    parts[::2] = (_typeset(part) if part else part for part in parts[::2])
    return "".join(parts)


def drawable(text: str) -> str:
    """The text in NFC, without controls, bidi overrides and heaps of marks, with U+FFFD for what no font has."""
    text = unicodedata.normalize("NFC", text)
    changes = {ord(c): new for c in set(text) if (new := _drawn_as(c)) != c}
    return _without_heaps(text.translate(changes) if changes else text)


def _without_heaps(text: str) -> str:
    marks = "".join(c for c in set(text) if unicodedata.category(c) in {"Mn", "Me"})
    if not marks:
        return text
    return re.sub(f"([{marks}]{{{_MARKS_IN_A_ROW}}})[{marks}]+", r"\1", text)


def _typeset(text: str) -> str:
    for pattern, replacement in _KEEP_TOGETHER:
        text = pattern.sub(replacement, text)
    text = _LONG.sub(_breakable, text)
    return _RIGHT_TO_LEFT.sub(lambda found: f"{ISOLATE}{found[0]}{END_ISOLATE}", text)


def _breakable(word: re.Match[str]) -> str:
    signs = _ONE_SIGN.findall(word[0])
    starts = range(_UNBROKEN, len(signs), _THEN_EVERY)
    parts = [signs[:_UNBROKEN], *(signs[start : start + _THEN_EVERY] for start in starts)]
    return BREAK_HERE.join("".join(part) for part in parts)


@cache
def _drawn_as(character: str) -> str:
    if character in _SHAPING or (character.isascii() and character.isprintable()):
        return character
    kind = unicodedata.category(character)
    if kind in {"Zl", "Zp"}:
        return "\n"
    if kind in {"Cc", "Cf", "Cs"}:
        return ""
    if character == "\u2010":
        # Typed hyphens: U+2010 is what WeasyPrint draws where it hyphenates, and readers drop that one.
        return "-"
    # What a private-use character means nobody can read out.
    drawn = kind != "Co" and ord(character) in coverage()
    return character if drawn else REPLACEMENT


@cache
def coverage() -> frozenset[int]:
    """The code points that at least one bundled font can draw."""
    return frozenset(point for path in font_files() for point in _points(path))


def font_files() -> list[Path]:
    """The bundled fonts, in a fixed order."""
    return sorted(FONTS.glob("*.ttf"))


def _points(path: Path) -> Iterable[int]:
    # fontTools costs 50 ms to import; a process that makes no PDF should not pay it.
    from fontTools.ttLib import TTFont

    with TTFont(path, lazy=True) as font:
        return list(font.getBestCmap())
