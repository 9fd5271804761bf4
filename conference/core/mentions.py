"""Finding a person in texts that somebody typed, and putting a pseudonym there.

Found are the full name in either order, the initial with the last name, the last name behind Mr, Ms or a title, and the
addresses, whatever the letters' size and however umlauts are written. The last name alone may be a word of the language. What
may as well mean somebody else of the same name is not found: who else there is says `Others`. A telephone number right
behind the name goes with it.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from .text import plain_letters

HONORIFICS = {
    "ms": r"Frau|Fr\.|Ms\.?|Mrs\.?|Miss|Kollegin",
    "mr": r"Herrn?|Hr\.|Mr\.?|Kollegen?",
}
TITLE = r"(?:Prof(?:essor(?:in)?)?\.?|Dr\.?|Dipl\.-\w+\.?|M\.\s?A\.)"
GENITIVE, WITHOUT_S = r"(?:['’]s|s|['’])?", r"(?:['’]s|['’])?"
PHONE = r"(?:\+\s?\d|\(?\b0\d)[\d\s()/-]{4,}\d"
TOGETHER = r"\b(?:und|sowie|oder|and|or|Frau|Herrn?|Ms|Mr)\b"
BETWEEN = rf"(?:(?!{TOGETHER})[^\n\d+;&]){{0,60}}?"
SHORTEST = 4
VARIANTS = (
    ("ä", "ae"), ("ö", "oe"), ("ü", "ue"), ("ß", "ss"), ("Ä", "Ae"), ("Ö", "Oe"), ("Ü", "Ue"),
)  # fmt: skip
# Last names that are words of everyday German: alone they say nothing of a person.
WORDS = frozenset(
    """
    Abel Albrecht Arnold Beil Bein Berndt Biene Birne Blatt Blum Boden Bogen Brett Brot Bruch Brücke Brunnen Brunner Buch
    Bund Burger Dank Dorn Eckert Eich Eiche Eis Ende Falk Falke Fell Fels Feld Feldmann Feuer Frei Gast Geiger Geist Glas
    Glück Gold Götz Grimm Grün Grund Gut Günther Haas Haase Hafen Hagen Halm Hand Hardt Hartmann Haus Heide Heil Heim Held
    Hell Hermann Herrmann Herz Heuer Hof Holz Honig Hund Jahr Jakob Jakobs Karl Kamm Kamp Kappel Kern Kirch Kirsch
    Kirsche Knopf Kopf Kolb Korb Korn Kreis Kreuz Krone Kuhn Kurth Lampe Land Laub Leicht Licht Linde Linder Linke
    Löwe Lorenz Luft Mann Mark Markt Marx Mauer Maus Meer Mehl Michel Mohr Moll Mond Moser Nacht Ort Otte Paul Pauli Peter
    Petersen Pfeil Post Rad Rath Rau Recht Reh Reis Renner Riedel Riese Ring Rot Rücker Ruf Sack Sand Sander Schaf Schell
    Scherer Schiff Schilling Schlag Schlegel Schloss Schmitz Schnell Schramm Schwan Seiler Siegel Singer Spiegel
    Spieß Spring Staub Steg Steiner Stock Stolz Strauß Strauch Strom Tag Tanz Teich Thiel Tisch Ton Träger Ulrich Unger
    Urban Veit Vetter Völker Vorbeck Wahl Walther Wand Weiler Weise Wein Weide Welt Wendt Wenig Wessel Wetter Wiese
    Wilhelm Wind Wirt Witt Zander Zeit Zeller Zorn Zucker
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


MIDDLE = r"(?:(?-i:[A-ZÄÖÜÉ])[\w.-]*|von|van|vom|zu|de|der|den)"
# Nothing of a longer word, of a double name, or of somebody's address.
BEFORE = r"(?<![\w@])(?<!\w[.-])"
AFTER = r"(?!\w|-\w|[\w.+-]*@)"
# "die Quelle" is no person, "der Wunderlich-Vorschlag" is hers.
NO_ARTICLE = "".join(
    rf"(?<!\b{one} )" for one in ("der", "die", "das", "den", "dem", "des", "ein", "eine", "einer", "einen", "einem", "zur",
                                  "zum", "im", "am", "vom", "beim", "Der", "Die", "Das", "Ein", "Eine", "Im", "Am", "Zur")
)  # fmt: skip
# "Müller, Anna Horn" are two people.
NO_NAME = r"(?![^\S\n]+(?-i:[A-ZÄÖÜÉ]))"
BESIDE = r"(?!\w|[\w.+-]*@)"
NOBODY = re.compile(r"(?!)")


@dataclass(frozen=True)
class Called:
    """One name of a person. `salutation` is ms, mr or anything else; `in_full`: only the whole of it counts."""

    last: str
    first: str = ""
    salutation: str = ""
    in_full: bool = False


@dataclass(frozen=True)
class Names:
    """As what a person may stand in texts: the names that they have or had, and their addresses."""

    called: tuple[Called, ...]
    emails: tuple[str, ...] = ()


@dataclass(frozen=True)
class Others:
    """Who and what else bears names.

    `people` may be meant, those who are `elsewhere` only by their full name. `things` are called like people, and stay as they
    are called; `words`: texts in which the last name is a word like any other; `emails` are somebody else's.
    """

    people: tuple[Called, ...] = ()
    elsewhere: tuple[Called, ...] = ()
    things: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    emails: tuple[str, ...] = ()


@dataclass(frozen=True)
class Finder:
    """Finds one person in texts; what is `kept` is somebody else's, although it looks like theirs.

    `hints`: small letters of which at least one stands in every text that names the person; most texts are put aside by them.
    """

    pattern: re.Pattern[str]
    kept: bool = False
    hints: tuple[str, ...] = ()

    def search(self, text: str) -> bool:
        """Whether the person stands in the text."""
        return next(self._matches(text), None) is not None

    def may_be_in(self, text: str) -> bool:
        """False where a look shows that the person is not in the text, be it JSON as it is stored."""
        if not self.hints:
            return True
        small = text.lower()
        return any(hint in small for hint in self.hints)

    def _matches(self, text: str) -> Iterator[re.Match[str]]:
        if not self.may_be_in(text):
            return
        for match in self.pattern.finditer(text):
            if not self.kept or match["kept"] is None:
                yield match

    def replaced(self, text: str, pseudonym: str) -> str:
        """The text with the pseudonym where the person stood, and without the number right behind."""
        matches = list(self._matches(text))
        if not matches:
            return text
        for match in reversed(matches):
            called = _NUMBER.match(text, match.end())
            if called:
                text = f"{text[: called.start('number')]}…{text[called.end() :]}"
        parts, place = [], 0
        for match in self._matches(text):
            parts += [text[place : match.start()], pseudonym]
            place = match.end()
        return "".join([*parts, text[place:]])


def is_a_word(last: str) -> bool:
    """Whether a last name alone would say nothing of a person."""
    return len(last) < SHORTEST or not last[:1].isupper() or last in WORDS


def called_of(name: str, *, in_full: bool = False) -> Called:
    """A name that was written as a whole, taken apart: "Frau Dr. Anke Brinkmann" is Ms, Anke, Brinkmann."""
    salutation, rest = "", " ".join(re.sub(r"\([^)]*\)", " ", name).split())
    while match := _FORE.match(rest):
        salutation = salutation or ("" if match["title"] else _salutation_of(match.group()))
        rest = rest[match.end() :]
    if "," in rest:
        last, _comma, first = rest.partition(",")
    else:
        first, _space, last = rest.rpartition(" ")
    return Called(last.strip(), first.strip(), salutation, in_full)


def _salutation_of(word: str) -> str:
    return next(
        (key for key, said in HONORIFICS.items() if re.match(rf"(?:{said})\s", word, re.IGNORECASE)), ""
    )


def bears(name: str, last: str) -> bool:
    """Whether a last name stands in a name, in a double name too."""
    return _is_in(_parts(last), _parts(name))


def people_in(text: str) -> list[str]:
    """The names in a line that names several people: "Anke Brinkmann, Uwe Horn und Eva Koch"."""
    return [name.strip() for name in re.split(r"[;,/&+\n]|\b(?:und|sowie|and)\b", text) if name.strip()]


def may_be(one: Called, other: Called) -> bool:
    """Whether two names may be one person's: the same last name, and first names of which one contains the other."""
    first, second = set(_parts(one.first)), set(_parts(other.first))
    return _parts(one.last) == _parts(other.last) and (first <= second or second <= first)


def is_near(name: str, last: str) -> bool:
    """Whether a name can matter to who bears this last name: it has the name, or one that begins like it."""
    key = _parts(last)
    return bool(key) and any(part.startswith(key[0]) for part in _parts(name))


def finder_of(names: Names, others: Others | None = None) -> Finder | None:
    """What finds the person and nobody else; None when there is nothing by which to find them."""
    others = others or Others()
    parts, guesses = [_address(email) for email in names.emails if email], []
    # What says most comes first, so that nothing of a name is left behind its beginning.
    ordered = sorted(names.called, key=lambda one: (len(one.last), len(one.first)), reverse=True)
    claims = [_Claim(one, others) for one in ordered if one.last.strip()]
    for claim in claims:
        guesses += claim.mailboxes()
    parts += [rf"(?<![\w.+@-])(?:{'|'.join(guesses)})@[\w.-]+\w"] if guesses else []
    parts += _bounded([form for claim in claims for form in claim.forms()], AFTER)
    parts += _bounded([form for claim in claims for form in claim.alone()], BESIDE)
    if not parts:
        return None
    kept = _kept(names, others, [name for claim in claims for name in claim.namesakes()], guesses)
    ours = "|".join(parts)
    pattern = rf"(?P<kept>{kept})|(?:{ours})" if kept else ours
    return Finder(_compiled(pattern), bool(kept), _hints(names))


def _hints(names: Names) -> tuple[str, ...]:
    """Of each last name and address a piece that is written in one way only; nothing where one has none."""
    lasts = (unicodedata.normalize("NFC", one.last).lower() for one in names.called if one.last.strip())
    pieces = [max(re.split(r"ae|oe|ue|ss|[^a-rt-z]", last), key=len) for last in lasts]
    pieces += [email.lower() for email in names.emails]
    return tuple(dict.fromkeys(pieces)) if all(pieces) else ()


def any_word_of(names: Names) -> Finder | None:
    """What finds every word of a person's names, for a text that is about nobody else."""
    full = finder_of(names)
    words = {word for one in names.called for word in f"{one.first} {one.last}".split() if len(word) > 1}
    if full is None or not words:
        return full
    alone = "|".join(_words(word) for word in sorted(words, key=len, reverse=True))
    return Finder(_compiled(rf"{full.pattern.pattern}|(?<!\w)(?:{alone}){GENITIVE}(?!\w)"))


@lru_cache(maxsize=256)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)


def _bounded(forms: list[str], after: str) -> list[str]:
    return [rf"{BEFORE}(?:{'|'.join(dict.fromkeys(forms))}){after}"] if forms else []


def _address(email: str) -> str:
    return rf"(?<![\w.+@-]){re.escape(email)}(?![\w@-]|\.\w)"


def _kept(names: Names, others: Others, namesakes: list[str], guesses: list[str]) -> str:
    """What is called like the person: others of the name, things, and addresses of others that look like theirs."""
    lasts = [one.last for one in names.called if one.last.strip()]
    things = {thing for thing in others.things for last in lasts if bears(thing, last)} | set(namesakes)
    looks = re.compile(rf"(?:{'|'.join(guesses)})@.*", re.IGNORECASE) if guesses else NOBODY
    theirs = {email for email in others.emails if looks.fullmatch(email)}
    found = [rf"(?<!\w){_words(thing)}(?!\w)" for thing in sorted(things, key=len, reverse=True)]
    return "|".join([*found, *(_address(email) for email in sorted(theirs))])


class _Claim:
    """Which forms of a name mean the person and nobody else."""

    def __init__(self, called: Called, others: Others) -> None:
        self.called, self.last = called, _words(called.last)
        key = _parts(called.last)
        everybody = [*others.people, *others.elsewhere]
        self.same = [one for one in others.people if _bears_all(one, called.last)]
        self.elsewhere = [one for one in others.elsewhere if _bears_all(one, called.last)]
        things = any(_is_in(key, _parts(thing)) for thing in others.things)
        words = any(_is_in(key, _tokens(text)) for text in others.words)
        is_first = any(_is_in(key, _parts(one.first)) for one in everybody)
        self.is_alone = not (self.same or things or words or is_first)
        self.is_part = any(_is_in(key, _parts(one.last)) for one in everybody)
        self.may_have_title = not self.same and not things
        # "Frau Peters" may be another one, not what belongs to Ms Peter.
        longer = (*key[:-1], key[-1] + "s") if key else ()
        is_longer = any(_is_in(longer, _parts(one.last)) for one in everybody)
        self.end = WITHOUT_S if is_longer else GENITIVE
        firsts = dict.fromkeys([called.first, *([] if called.in_full else called.first.split())])
        self.firsts = [one for one in firsts if one and not self._is_anothers(one)]

    def namesakes(self) -> list[str]:
        """The full names of others who have the same last name and another first name."""
        known = [*self.same, *self.elsewhere]
        return [f"{one.first} {one.last}" for one in known if one.first and not self._has_ours(one)]

    def _has_ours(self, one: Called) -> bool:
        return set(_parts(self.called.first)) <= set(_parts(one.first))

    def _is_anothers(self, first: str) -> bool:
        wanted = set(_parts(first))
        return any(wanted <= set(_parts(f"{one.first} {one.last}")) for one in self.same)

    def forms(self) -> list[str]:
        found = [form for first in self.firsts for form in self._in_full(_words(first))]
        if not self.called.in_full:
            for initial in self._initials():
                found += [rf"{initial}\.\s*{self.last}{self.end}", rf"{self.last},\s*{initial}\.{NO_NAME}"]
        found = [rf"(?:{_ANY_FORE}\s*)*(?:{'|'.join(found)})"] if found else []
        return found if self.called.in_full else [*found, *self._addressed()]

    def _in_full(self, first: str) -> list[str]:
        return [
            rf"{first}\s+(?:{MIDDLE}\s+)?{self.last}{self.end}",
            rf"{self.last}\s*,\s*(?:{TITLE}\s*)*{first}{GENITIVE}{NO_NAME}",
            rf"{self.last}[^\S\n]+{first}{GENITIVE}{NO_NAME}",
        ]

    def _addressed(self) -> list[str]:
        said = "|".join(HONORIFICS[one] for one in self._salutations())
        found = [rf"(?:{said})\s+(?:{TITLE}\s*)*{self.last}{self.end}"] if said else []
        return [*found, rf"(?:{TITLE}\s*)+{self.last}{self.end}"] if self.may_have_title else found

    def alone(self) -> list[str]:
        if not self.is_alone or self.called.in_full or is_a_word(self.called.last):
            return []
        last, end = self.last, self.end
        found = rf"{NO_ARTICLE}{last}{end}|{_words(self.called.last.upper())}{end}"
        # Beside a double name only what is none.
        return [rf"(?-i:{found}){AFTER}" if self.is_part else rf"(?-i:{found}|{last}{end}(?=-\w))"]

    def _initials(self) -> list[str]:
        """The first letter, where nobody else of the name has the same."""
        first = self.called.first.strip()[:1]
        taken = {one.first.strip()[:1].casefold() for one in self.same}
        return [re.escape(first)] if first.isalpha() and first.casefold() not in taken else []

    def _salutations(self) -> list[str]:
        if self.is_alone:
            return list(HONORIFICS)
        mine = [self.called.salutation] if self.called.salutation in HONORIFICS else list(HONORIFICS)
        theirs = {one.salutation if one.salutation in HONORIFICS else "" for one in self.same}
        return [one for one in mine if one not in theirs and "" not in theirs]

    def mailboxes(self) -> list[str]:
        """How the part of an address before the @ may be made of the name."""
        last, sep = _mailbox(self.called.last), "[._-]?"
        if not last or self.called.in_full:
            return []
        firsts = [one for one in (_mailbox(first) for first in self.firsts) if one]
        found = [form for one in firsts for form in (rf"{one}{sep}{last}", rf"{last}{sep}{one}")]
        found += [rf"{initial}[._-]{last}" for initial in self._initials()]
        return [*found, last] if self.is_alone and not is_a_word(self.called.last) else found


def _bears_all(one: Called, last: str) -> bool:
    """Whether somebody has this last name, not a double name of which it is a part."""
    if _parts(one.last) == _parts(last):
        return True
    wanted, theirs = _tokens(last), _tokens(f"{one.first} {one.last}")
    return _is_in(wanted, _tokens(one.last)) or theirs[-len(wanted) :] == wanted


@lru_cache(maxsize=65_536)  # everybody's names are looked at for each person
def _tokens(name: str) -> tuple[str, ...]:
    return tuple(re.findall(r"[^\W_]+(?:-[^\W_]+)*", plain_letters(name)))


@lru_cache(maxsize=65_536)
def _parts(name: str) -> tuple[str, ...]:
    return tuple(part for token in _tokens(name) for part in token.split("-"))


def _is_in(some: Sequence[str], all_of: Sequence[str]) -> bool:
    """Whether some words stand one after the other among others."""
    size = len(some)
    return size > 0 and any(some == all_of[at : at + size] for at in range(len(all_of) - size + 1))


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


def _mailbox(name: str) -> str:
    """The letters of a name as addresses have them."""
    return re.sub(r"[^a-z0-9]", "", plain_letters(name))


_ANY_FORE = rf"(?:{'|'.join(HONORIFICS.values())}|{TITLE})"
_FORE = re.compile(
    rf"(?:(?:{'|'.join(HONORIFICS.values())})\s+|(?P<title>{TITLE}(?:(?<=\.)\s*|\s+)))", re.IGNORECASE
)
_NUMBER = re.compile(rf"{BETWEEN}(?P<number>{PHONE})", re.IGNORECASE)


def forget(value: Any, finder: Finder, pseudonym: str) -> Any:
    """The same text, list or dict with the pseudonym where the person stood; other values as they are."""
    if isinstance(value, str):
        return finder.replaced(value, pseudonym)
    if isinstance(value, list):
        return [forget(one, finder, pseudonym) for one in value]
    if isinstance(value, dict):
        return {forget(key, finder, pseudonym): forget(one, finder, pseudonym) for key, one in value.items()}
    return value


def lines_with(text: str, finder: Finder) -> list[str]:
    """The lines of a text in which the person stands."""
    return [line.strip() for line in text.splitlines() if finder.search(line)]


def lines_in(value: Any, finder: Finder) -> list[str]:
    """The lines in a text, list or dict in which the person stands."""
    if isinstance(value, str):
        return lines_with(value, finder)
    within: Iterable[Any] = (
        value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    )
    return [line for one in within for line in lines_in(one, finder)]
