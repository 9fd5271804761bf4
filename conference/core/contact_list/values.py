"""One cell of a guest list: the value as it is stored, and what is to be said about it."""

import re
import unicodedata
from dataclasses import dataclass

from ..text import (
    REORDERING,
    BadText,
    canonical_email,
    clean_text,
    comparison_key,
    is_noncharacter,
    starts_formula,
)
from .fields import LONGEST, LONGEST_OTHER, REQUIRED, Severity

LONGEST_SHOWN = 80

_SALUTATIONS = (
    dict.fromkeys(("frau", "fr", "ms", "mrs", "miss", "f", "w", "weiblich"), "ms")
    | dict.fromkeys(("herr", "herrn", "hr", "mr", "m", "männlich"), "mr")
    | dict.fromkeys(
        ("", "divers", "d", "x", "mx", "keine", "keine angabe", "k. a", "ohne", "none", "neutral"), "none"
    )
)
_SIDES = dict.fromkeys(
    ("agentur", "agentur für arbeit", "arbeitsagentur", "agency", "aa"), "agency"
) | dict.fromkeys(("", "bildungsträger", "träger", "anbieter", "provider", "training provider"), "provider")


@dataclass(frozen=True)
class Finding:
    """Something to say about a cell or row, in the words of `Problem`."""

    code: str
    severity: Severity = "error"
    detail: str = ""


@dataclass(frozen=True)
class Checked:
    """The value to store, and at most one finding; after an error the value means nothing."""

    value: str
    finding: Finding | None = None


def check_cell(field: str, raw: str) -> Checked:
    """The cell of one field. Line ends and runs of spaces become one space; a lone dash is how people write "none"."""
    text = " ".join(raw.split())
    if text and (starts_formula(text) or raw[0] in "\t\r") and not re.fullmatch("[-–—]+", text):
        return Checked("", Finding("formula"))
    limit = LONGEST.get(field, LONGEST_OTHER)
    try:
        text = clean_text(re.sub("^[-–—]+$", "", text), max_length=limit)
    except BadText as error:
        if error.code != "blank":
            return Checked("", _refused(error, limit))
        text = ""
    if not text and field in REQUIRED:
        return Checked("", Finding("missing"))
    return _of_kind(field, text)


def _refused(error: BadText, limit: int) -> Finding:
    return (
        Finding("too_long", detail=str(limit))
        if error.code == "too_long"
        else Finding("bad_text", detail=error.code)
    )


def _of_kind(field: str, text: str) -> Checked:
    if field == "email":
        return _email(text)
    if field == "salutation":
        return _salutation(text)
    if field == "side":
        return _side(text)
    return _postcode(text) if field == "postcode" else Checked(text)


def _email(text: str) -> Checked:
    try:
        stored, _key = canonical_email(text)
    except BadText:
        return Checked("", Finding("invalid_email"))
    return Checked(stored, Finding("email_lowercased", "warning", stored) if text.isupper() else None)


def _salutation(text: str) -> Checked:
    """Known words whole; "Frau Dr." by its first word, with a warning."""
    words = comparison_key(text).rstrip(".")
    if words in _SALUTATIONS:
        return Checked(_SALUTATIONS[words])
    value = _SALUTATIONS.get(words.split()[0].rstrip("."), "none")
    return Checked(value, Finding("unknown_salutation", "warning", value))


def _side(text: str) -> Checked:
    words = comparison_key(text)
    if words in _SIDES:
        return Checked(_SIDES[words])
    return Checked("provider", Finding("unknown_side", "warning", "provider"))


def _postcode(text: str) -> Checked:
    """Five digits. Spreadsheets lose the zeros in front ("1067", "1067.0", "1067,0" for 01067); other countries' codes stay."""
    digits = re.fullmatch(r"(?:DE?[- ]?)?([0-9]{4,5})(?:[.,]0+)?", text)
    if not text or (digits and len(digits[1]) == 5):
        return Checked(digits[1] if digits else "")
    if digits:
        padded = digits[1].zfill(5)
        return Checked(padded, Finding("postcode_padded", "warning", padded))
    return Checked(text, Finding("unusual_postcode", "warning"))


def shown(raw: str) -> str:
    """The cell fit for a page: at most 80 characters, what cannot be printed as replacement characters."""
    text = "".join(_printable(character) for character in raw.strip()[: LONGEST_SHOWN + 1])
    return text if len(text) <= LONGEST_SHOWN else text[: LONGEST_SHOWN - 1] + "…"


def _printable(character: str) -> str:
    if character.isspace():
        return " "
    category = unicodedata.category(character)
    unprintable = category in ("Cc", "Cs") or (category == "Cn" and is_noncharacter(character))
    return "\ufffd" if unprintable or character in REORDERING else character
