"""Text at the edge: cleaned once on the way in, defused on the way out (header, address bar, spreadsheet)."""

import re
import unicodedata

# Characters that reorder what a reader sees ("gpj.exe" for "exe.jpg"). The marks LRM, RLM and ALM stay: they only settle
# the place of a neighbouring sign, and Arabic and Hebrew keyboards write them.
REORDERING = frozenset(map(chr, (*range(0x202A, 0x202F), *range(0x2066, 0x206A))))
BIDI_CONTROLS = REORDERING | frozenset("\u200e\u200f\u061c")
BYTE_ORDER_MARK = "\ufeff"
REPLACEMENT = "\ufffd"
"""What is left of bytes that were no text, or of a character that was refused before."""
# Letters and symbols by category, yet nothing to see: Hangul fillers, the empty Braille pattern.
INVISIBLE = frozenset("\u115f\u1160\u3164\uffa0\u2800")
# Trimmed: white space, and the invisible dirt of pasted text, which within a word may part syllables. ZWJ and ZWNJ stay.
EDGES = " \t\n\u00a0\u1680\u202f\u205f\u3000" + "".join(map(chr, range(0x2000, 0x200C))) + "\u2060\u00ad"
FORMULA_STARTS = frozenset("=+-@＝＋－＠")

# One picture for the eye, several code points: flags, keycaps, families joined by ZWJ, skin colours, flags by tags.
_PICTURE = "[\u00a9\u00ae\u203c-\u3299\U0001f000-\U0001faff]\ufe0f?[\U0001f3fb-\U0001f3ff]?"
_EMOJI = re.compile(
    "[\U0001f1e6-\U0001f1ff]{2}|[0-9#*]\ufe0f?\u20e3"
    f"|{_PICTURE}(?:\u200d{_PICTURE}){{0,6}}(?:[\U000e0020-\U000e007e]{{1,6}}\U000e007f)?"
)

LONGEST_EMAIL = 254
LONGEST_HEADER = 200


class BadText(ValueError):
    """A text that is not stored. `code`: surrogate (also what was no text), control, bidi, newline, too_long, blank or email."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def clean_text(value: str, *, multiline: bool = False, max_length: int = 200) -> str:
    """The text as it is stored: NFC, LF, trimmed, without byte order marks. "" and white space give "".

    `max_length` counts characters (`length_of`) after cleaning. Raises BadText: `surrogate` (also the sign put in place of one),
    `control` (NUL, ESC, noncharacters …), `bidi`, `newline` (also for a tab; only when not multiline), `too_long`, `blank`
    (something is there, nothing can be seen).
    """
    _refuse_bad_characters(value)
    text = _normalised(value, multiline)
    if not multiline and ("\n" in text or "\t" in text):
        raise BadText("newline")
    if length_of(text) > max_length:
        raise BadText("too_long")
    if text and is_blank(text):
        raise BadText("blank")
    return text


def length_of(text: str) -> int:
    """How many characters a reader counts: an emoji is one, whatever it is composed of."""
    return len(_EMOJI.sub("x", text))


def _normalised(value: str, multiline: bool) -> str:
    text = value.replace("\r\n", "\n").replace("\r", "\n").replace(BYTE_ORDER_MARK, "")
    # Zl and Zp come from desktop publishing and slides, where they part words.
    text = re.sub("[\u2028\u2029]", "\n" if multiline else " ", text)
    return unicodedata.normalize("NFC", text.strip(EDGES))


def _refuse_bad_characters(text: str) -> None:
    for character in text:
        if character in REORDERING:
            raise BadText("bidi")
        if character == REPLACEMENT or unicodedata.category(character) == "Cs":
            raise BadText("surrogate")
        is_control = unicodedata.category(character) == "Cc" and character not in "\n\r\t"
        if is_control or is_noncharacter(character):
            raise BadText("control")


def is_noncharacter(character: str) -> bool:
    """True for U+FDD0…U+FDEF and the last two of each plane.

    Not for all of category Cn: that also holds this year's emoji, which Python's tables do not know yet.
    """
    code = ord(character)
    return code & 0xFFFE == 0xFFFE or 0xFDD0 <= code <= 0xFDEF


def is_blank(text: str) -> bool:
    """True when no letter, number, punctuation or symbol can be seen."""
    return not any(_is_visible(character) for character in text)


def _is_visible(character: str) -> bool:
    category = unicodedata.category(character)
    if category == "Cn":
        return not is_noncharacter(character) and not 0xE0000 <= ord(character) <= 0xE0FFF
    return (category[0] in "LNPS" and character not in INVISIBLE) or category == "Co"


def comparison_key(text: str) -> str:
    """What two spellings of the same text share: NFKC, casefold (ß = ss), no format characters, single spaces."""
    visible = "".join(c for c in text if unicodedata.category(c) != "Cf")
    folded = unicodedata.normalize("NFKC", visible).casefold()
    return " ".join(unicodedata.normalize("NFKC", folded).split())


_LETTERS = str.maketrans(
    {"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "æ": "ae", "œ": "oe"}
    | {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "ı": "i", "þ": "th", "’": "'"}
)


def plain_letters(text: str) -> str:
    """Small letters without marks, the German way: ä = ae, ß = ss (DIN 5007-2), é = e, ş = s. Other scripts stay."""
    folded = unicodedata.normalize("NFC", comparison_key(text)).translate(_LETTERS)
    return "".join(c for c in unicodedata.normalize("NFKD", folded) if not unicodedata.combining(c))


def safe_header(value: str) -> str:
    """The value for a mail header: one line, no encoded word, at most 200 characters.

    Python 3.11 makes a real second header of "=?utf-8?q?a=0ABcc:…?=", so the opening "=?" is broken.
    """
    spaced = "".join(_in_header(character) for character in value)
    return " ".join(spaced.replace("=?", "= ?").split())[:LONGEST_HEADER].rstrip()


def _in_header(character: str) -> str:
    category = unicodedata.category(character)
    if category == "Cs":
        return "\ufffd"
    return " " if category in ("Cc", "Zl", "Zp") or character in BIDI_CONTROLS else character


def safe_next(url: str | None, default: str) -> str:
    """`url` when it is a path on this site ("/x", not "//x"), else `default`. Whatever a browser may read otherwise is out."""
    if not url or url[0] != "/" or url.startswith("//"):
        return default
    if "\\" in url or any(c.isspace() or unicodedata.category(c) in ("Cc", "Cs") for c in url):
        return default
    return url


def csv_cell(value: object) -> str:
    """The value as text that no spreadsheet runs: a leading = + - @ (also full-width) gets an apostrophe before it.

    None is "". Numbers are numbers, also negative ones. Control characters go, a tab becomes a space, line ends LF.
    """
    if value is None:
        return ""
    if not isinstance(value, str):
        return csv_cell(str(value)) if not isinstance(value, int | float) else str(value)
    text = "".join(_in_cell(c) for c in value.replace("\r\n", "\n").replace("\r", "\n"))
    return "'" + text if starts_formula(text) or text[:1] == "\n" or value[:1] == "\t" else text


def _in_cell(character: str) -> str:
    if character in "\n\t":
        return "\n" if character == "\n" else " "
    category = unicodedata.category(character)
    if category == "Cs":
        return "\ufffd"
    return "" if category == "Cc" else character


def starts_formula(text: str) -> bool:
    """True when a spreadsheet would take the cell for a formula: the first visible character is = + - or @."""
    first = next((c for c in text if not c.isspace() and unicodedata.category(c) not in ("Cf", "Cc")), "")
    return first in FORMULA_STARTS


def canonical_email(address: str) -> tuple[str, str]:
    """The address as stored, and the key by which it is found. Raises BadText (`email` when it is no address).

    The local part must be ASCII, since most servers take no other; the domain is kept in its ASCII form (xn--…). Letters of the
    local part stay as typed unless all are capitals. The key is all lower case: nobody has two boxes that differ in case only.
    """
    from email_validator import (  # Its patterns take long to build; a start needs none.
        EmailNotValidError,
        validate_email,
    )

    text = clean_text(address, max_length=LONGEST_EMAIL)
    try:
        # "test environment" lets names below .test through, which rehearsals use.
        found = validate_email(
            text, check_deliverability=False, allow_smtputf8=False, test_environment=True, strict=True
        )
    except EmailNotValidError as error:
        raise BadText("email") from error
    domain = (found.ascii_domain or "").lower()
    if "." not in domain or domain.rsplit(".", 1)[1].isdigit():
        raise BadText("email")
    if "=?" in found.local_part:  # the opening of an encoded word, which no header may hold
        raise BadText("email")
    local = found.local_part.lower() if text.isupper() else found.local_part
    stored = f"{local}@{domain}"
    return stored, stored.lower()
