"""Which column is which, from the words in the header row."""

import re
from collections.abc import Iterable, Mapping, Sequence

from ..text import plain_letters
from .fields import FIELDS, REQUIRED

# In the order of trust: an earlier word wins when two columns could be the same field.
SYNONYMS: dict[str, tuple[str, ...]] = {
    "organisation": (
        "organisation", "bildungstraeger", "traeger", "einrichtung", "institution", "firma", "firmenname", "unternehmen",
        "organization", "company", "provider", "bildungsanbieter", "anbieter", "verein", "arbeitgeber", "dienststelle",
    ),
    "salutation": ("anrede", "salutation"),
    "title": ("titel", "akademischertitel", "akadtitel", "title"),
    "first_name": ("vorname", "vornamen", "rufname", "firstname", "givenname", "forename"),
    "last_name": ("nachname", "familienname", "zuname", "lastname", "surname", "familyname", "name", "ansprechpartner",
                  "ansprechpartnerin", "ansprechperson"),
    "email": ("email", "emailadresse", "mail", "mailadresse", "epost", "emailaddress", "mailaddress"),
    "function": ("funktion", "position", "rolle", "role", "function", "jobtitle", "stellung", "taetigkeit", "aufgabe"),
    "side": ("seite", "side"),
    "team": ("team", "abteilung", "bereich", "department", "referat"),
    "postcode": ("plz", "postleitzahl", "postcode", "zip", "zipcode", "postalcode"),
    "city": ("ort", "stadt", "city", "town", "wohnort", "gemeinde"),
}  # fmt: skip


def guess_mapping(header: Sequence[str]) -> dict[str, int]:
    """The column of each recognised field, each column at most once: {"organisation": 0, "email": 5}.

    A heading that is a known word wins over one that only holds it ("E-Mail-Adresse (dienstlich)").
    """
    found: dict[str, int] = {}
    for headings in ([[_squeezed(cell)] for cell in header], [_words(cell) for cell in header]):
        for field in FIELDS:
            if (
                field not in found
                and (column := _best(headings, SYNONYMS[field], set(found.values()))) is not None
            ):
                found[field] = column
    return {field: found[field] for field in FIELDS if field in found}


def missing_fields(mapping: Mapping[str, int]) -> tuple[str, ...]:
    """The required fields that no column is chosen for."""
    return tuple(field for field in REQUIRED if field not in mapping)


def _best(headings: Sequence[Sequence[str]], synonyms: Iterable[str], taken: set[int]) -> int | None:
    for synonym in synonyms:
        for column, words in enumerate(headings):
            if column not in taken and synonym in words:
                return column
    return None


def _squeezed(heading: str) -> str:
    """A heading as one word: "E-Mail: *" → "email"."""
    return re.sub(r"[\W_]+", "", plain_letters(heading))


def _words(heading: str) -> list[str]:
    """The words of a heading: "Name der Einrichtung / E-Mail" → name, der, einrichtung, email."""
    return [_squeezed(word) for word in re.split(r"[^\w-]+|_", plain_letters(heading)) if word]
