"""A name for the next conference, made from the name of the last one."""

import re
from datetime import date

from babel.dates import get_month_names

LANGUAGES = ("de", "en")


def renamed(text: str, old: date, new: date, language: str) -> str:
    """The text with month and year of `old` replaced by those of `new`: "Treffen Juni 2023" → "Treffen August 2023".

    Understands German and English months as words, also small and as in addresses ("maerz"). Without any the text stays.
    """
    for code in sorted(LANGUAGES, key=lambda code: code != language):
        for before, after in _spellings(code, old.month, new.month):
            text, hits = re.subn(rf"(?<![^\W_]){before}(?![^\W_])", after, text)
            if hits:
                return _with_year(text, old, new)
    return _with_year(text, old, new)


def _spellings(language: str, old: int, new: int) -> list[tuple[str, str]]:
    names = get_month_names("wide", locale=language)
    before, after = names[old], names[new]
    plain = [name.lower().replace("ä", "ae") for name in (before, after)]
    return [(before, after), (before.lower(), after.lower()), (plain[0], plain[1])]


def _with_year(text: str, old: date, new: date) -> str:
    return re.sub(rf"(?<!\d){old.year}(?!\d)", str(new.year), text)
