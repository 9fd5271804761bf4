"""Short names for addresses in the browser."""

import re
from collections.abc import Container

from .text import plain_letters

LONGEST = 60


def slugify(text: str, *, max_length: int = LONGEST) -> str:
    """The text as part of an address: "Jahrestreffen für Träger" → "jahrestreffen-fuer-traeger".

    "x" when no Latin letter or digit is left.
    """
    plain = plain_letters(text).replace("'", "").encode("ascii", "ignore").decode()
    return _shortened(re.sub(r"[^a-z0-9]+", "-", plain).strip("-"), max_length) or "x"


def _shortened(slug: str, length: int) -> str:
    """At most `length` characters, cut between two words unless that would lose more than half."""
    if len(slug) <= length:
        return slug
    cut = slug[:length]
    if slug[length] != "-" and cut.rfind("-") >= length // 2:
        cut = cut[: cut.rfind("-")]
    return cut.strip("-")


def unique_slug(slug: str, taken: Container[str], *, max_length: int = LONGEST) -> str:
    """The slug, or with the first free number behind it: "juni-2", "juni-3" … never longer than `max_length`."""
    free, number = slug, 2
    while free in taken:
        ending = f"-{number}"
        free, number = slug[: max_length - len(ending)].rstrip("-") + ending, number + 1
    return free
