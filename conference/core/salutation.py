"""Names and salutations, as German and English letters write them. Nobody's gender is guessed from a first name."""

import re
from functools import lru_cache

from .text import plain_letters

# German nobility particles stand behind the first name and do not count for the order (Heide, Peter von der). With a capital
# they are part of the name (Auf der Heide), as foreign ones always are (El Amrani, d'Angelo).
_OPENING = frozenset(("von", "vom", "zu", "zum", "zur"))
_PARTICLES = _OPENING | {"und", "der", "den", "dem", "auf"}
_ENGLISH = {"ms": "Ms", "mr": "Mr"}


@lru_cache(maxsize=8_192)  # lists name the same people again and again
def full_name(title: str, first_name: str, last_name: str) -> str:
    """Title, first and last name: "Dr. Anke Brinkmann"."""
    return _joined(title, first_name, last_name)


def salutation_line(language: str, salutation: str, title: str, first_name: str, last_name: str) -> str:
    """The first line of a letter, with its comma. `salutation` is "ms", "mr" or anything else for none.

    German ("de", "de-AT" …), otherwise English. Without a last name the line addresses nobody in particular, or the first name.
    """
    title, first_name, last_name = title.strip(), first_name.strip(), last_name.strip()
    if language.lower().startswith("de"):
        return _german(salutation, title, first_name, last_name)
    return _english(salutation, title, first_name, last_name)


def _german(salutation: str, title: str, first_name: str, last_name: str) -> str:
    if not (first_name or last_name):
        return "Sehr geehrte Damen und Herren,"
    if last_name and salutation == "ms":
        return _joined("Sehr geehrte Frau", title, last_name) + ","
    if last_name and salutation == "mr":
        return _joined("Sehr geehrter Herr", title, last_name) + ","
    return _joined("Guten Tag", title, first_name, last_name) + ","


def _english(salutation: str, title: str, first_name: str, last_name: str) -> str:
    if not (first_name or last_name):
        return "Dear Sir or Madam,"
    rank = _english_rank(title)
    if not last_name or salutation not in _ENGLISH:
        return _joined("Dear", rank, first_name, last_name) + ","
    # In English a doctor is never "Ms Dr".
    return _joined("Dear", rank or _ENGLISH[salutation], last_name) + ","


def _english_rank(title: str) -> str:
    if re.search(r"\bprof", title, re.IGNORECASE):
        return "Professor"
    return "Dr" if re.search(r"\bdr\b", title, re.IGNORECASE) else ""


def list_name(title: str, first_name: str, last_name: str) -> str:
    """The name as it stands in a list ordered by `sort_key`: "Brinkmann, Dr. Anke", "Heide, Peter von der"."""
    particles, rest = _split_particles(last_name)
    behind = _joined(title, first_name, particles)
    return f"{rest}, {behind}" if behind else rest


@lru_cache(maxsize=16384)
def sort_key(last_name: str, first_name: str) -> tuple[str, str]:
    """German order of names (DIN 5007-2: ä as ae, ß as ss), without particles such as "von der", hyphens as spaces.

    Remembered: the same lists are ordered on every page.
    """
    return (_ordered(_split_particles(last_name)[1]), _ordered(first_name))


def _ordered(name: str) -> str:
    return " ".join(re.sub(r"[-‐‑–]", " ", plain_letters(name)).replace("'", "").replace(".", " ").split())


def _split_particles(last_name: str) -> tuple[str, str]:
    words = last_name.split()
    count = 0
    if words and words[0] in _OPENING:
        while count < len(words) - 1 and words[count] in _PARTICLES:
            count += 1
    return " ".join(words[:count]), " ".join(words[count:])


def _joined(*parts: str) -> str:
    return " ".join(part.strip() for part in parts if part.strip())
