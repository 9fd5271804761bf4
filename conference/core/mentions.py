"""Finding a person in texts that somebody typed, and putting a pseudonym there.

Found are the full name in either order, the initial with the last name, the last name behind Mr, Ms or a title, and the
addresses, whatever the letters' size and however umlauts are written. The last name alone is found only on request: it may be
a word of the language, or somebody else's. A telephone number right behind the name goes with it.
"""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

HONORIFICS = {
    "ms": r"Frau|Fr\.|Ms\.?|Mrs\.?|Miss|Kollegin",
    "mr": r"Herrn?|Hr\.|Mr\.?|Kollegen?",
}
TITLE = r"(?:Prof(?:essor(?:in)?)?\.?|Dr\.?|Dipl\.-\w+\.?|M\.\s?A\.)"
GENITIVE = r"(?:['’]s|s|['’])?"
PHONE = r"(?:\+\s?\d|\(?\b0\d)[\d\s()/-]{4,}\d"
BETWEEN = r"[^\n\d+]{0,60}?"
SHORTEST = 4
VARIANTS = (
    ("ä", "ae"), ("ö", "oe"), ("ü", "ue"), ("ß", "ss"), ("Ä", "Ae"), ("Ö", "Oe"), ("Ü", "Ue"),
)  # fmt: skip
# Last names that are words of everyday German: alone they say nothing of a person.
WORDS = frozenset(
    """
    Adler Anders Arzt Bach Bauer Baum Baumann Beck Becker Berg Berger Blume Bock Böttcher Brand Braun Burg Busch
    Decker Engel Ernst Fink Fischer Förster Frank Franke Freitag Freund Fried Friedrich Frost Fuchs Gärtner Glaser
    Graf Groß Hahn Hammer Hase Heinrich Herbst Herr Herzog Hirsch Hoffmann Hofmann Horn Huber Hut Jäger Jahn Jung
    Kaiser Kaufmann Keller Klein Koch Kohl Köhler König Kraft Krämer Kranz Krause Kraus Krebs Krieger Krüger Kühn
    Kunst Kurz Lamm Lang Lange Lehmann Lehrer Löffler Ludwig Maler Martin Maurer Mayer Meier Meister Messer
    Metzger Meyer Montag Müller Münch Nagel Neu Neumann Otto Peters Pfeffer Pfeiffer Pfarrer Quelle Rabe Reich
    Reiter Richter Ritter Rose Roth Salz Sauer Schäfer Schatz Schiller Schild Schlosser Schmid Schmidt Schmied
    Schmitt Schneider Schreiber Schröder Schubert Schulte Schulz Schulze Schuster Schütz Schwarz Seidel Simon
    Sommer Sonntag Stahl Stark Stein Stern Sturm Thomas Vogel Vogt Vogler Voß Wagner Walter Wald Weber Wegner Weiß
    Werner Wild Winkler Winter Wirth Wolf Wolff Ziegler Zimmer Zimmermann Zoll
    """.split()  # noqa: SIM905 - a table to read
)


@dataclass(frozen=True)
class Names:
    """As what a person may stand in texts.

    `others`: names that were given elsewhere; `alone`: nobody else bears the last name; else `salutation` (ms, mr) says
    which of them is meant.
    """

    first: str
    last: str
    others: tuple[str, ...] = ()
    emails: tuple[str, ...] = ()
    alone: bool = False
    salutation: str = ""


def is_a_word(last: str) -> bool:
    """Whether a last name alone would say nothing of a person."""
    return len(last) < SHORTEST or not last[:1].isupper() or last in WORDS


def pattern_of(names: Names) -> re.Pattern[str] | None:
    """What finds the person; None when there is nothing by which to find them."""
    parts = [re.escape(email) for email in names.emails if email]
    # What says most comes first, so that nothing of a name is left behind its beginning.
    parts += [_words(other) for other in sorted(names.others, key=len, reverse=True) if " " in other]
    if names.last.strip():
        parts += _by_last_name(names)
    if not parts:
        return None
    return re.compile(rf"(?<![\w@])(?:{'|'.join(parts)}){GENITIVE}(?!\w)", re.IGNORECASE)


def _by_last_name(names: Names) -> list[str]:
    last = _words(names.last)
    found = [_mailbox(names.last)] if names.alone and not is_a_word(names.last) else []
    firsts = [names.first, *names.first.split()] if names.first.strip() else []
    for first in dict.fromkeys(firsts):
        given = _words(first)
        initial = re.escape(first[0])
        found += [
            rf"{given}\s+(?:[\w.-]+\s+)?{last}",
            rf"{last},?\s*,\s*(?:{TITLE}\s*)*{given}",
            rf"{last}\s+{given}",
            rf"{initial}\.\s*{last}",
            rf"{last},\s*{initial}\.",
        ]
    said = HONORIFICS.get("" if names.alone else names.salutation) or "|".join(HONORIFICS.values())
    address = rf"(?:(?:{said})\s+(?:{TITLE}\s*)*|(?:{TITLE}\s*)+)"
    given = rf"(?:(?:{'|'.join(_words(first) for first in firsts)})\s+)?" if firsts else ""
    found.append(rf"{address}{given}{last}")
    if names.alone and not is_a_word(names.last):
        found.append(rf"(?-i:{last}|{_words(names.last.upper())})")
    return found


def _words(name: str) -> str:
    return r"\s+".join(_letters(word) for word in name.split())


def _letters(word: str) -> str:
    pattern = "".join(_letter(one) for one in _marked(unicodedata.normalize("NFC", word)))
    return pattern.replace("-", r"[\s-]") if "-" in word else pattern


def _marked(word: str) -> list[str]:
    """The letters, an umlaut that is written with two of them taken as one."""
    found, place = [], 0
    pairs = {pair for _one, pair in VARIANTS}
    while place < len(word):
        size = 2 if word[place : place + 2] in pairs else 1
        found.append(word[place : place + size])
        place += size
    return found


def _letter(sign: str) -> str:
    for one, pair in VARIANTS:
        if sign in (one, pair):
            forms = {one, unicodedata.normalize("NFD", one), pair}
            return f"(?:{'|'.join(sorted(forms))})"
    decomposed = unicodedata.normalize("NFD", sign)
    plain = re.escape(sign) if sign != "-" else "-"
    return plain if decomposed == sign else f"(?:{plain}|{decomposed})"


def _mailbox(last: str) -> str:
    """An address with the last name in it."""
    word = last.casefold()
    for one, pair in VARIANTS:
        word = word.replace(one.casefold(), pair.casefold())
    plain = re.sub(r"[^a-z0-9]", "", unicodedata.normalize("NFD", word))
    return rf"[\w.+-]*{plain}[\w.+-]*@[\w.-]+\w"


def forget(value: Any, pattern: re.Pattern[str], pseudonym: str) -> Any:
    """The same text, list or dict with the pseudonym where the person stood; other values as they are."""
    if isinstance(value, str):
        if not pattern.search(value):
            return value
        called = re.compile(rf"({pattern.pattern})({BETWEEN}){PHONE}", pattern.flags)
        value = called.sub(lambda match: f"{match.group(1)}{match.group(2)}…", value)
        return pattern.sub(pseudonym, value)
    if isinstance(value, list):
        return [forget(one, pattern, pseudonym) for one in value]
    if isinstance(value, dict):
        return {
            forget(key, pattern, pseudonym): forget(one, pattern, pseudonym) for key, one in value.items()
        }
    return value


def lines_with(text: str, pattern: re.Pattern[str]) -> list[str]:
    """The lines of a text in which the person stands."""
    return [line.strip() for line in text.splitlines() if pattern.search(line)]


def lines_in(value: Any, pattern: re.Pattern[str]) -> list[str]:
    """The lines in a text, list or dict in which the person stands."""
    if isinstance(value, str):
        return lines_with(value, pattern)
    within: Iterable[Any] = (
        value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    )
    return [line for one in within for line in lines_in(one, pattern)]
