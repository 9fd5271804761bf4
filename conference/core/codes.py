"""Short codes that people read from a sign and type: which code may have been meant?"""

import unicodedata
from itertools import product

# No vowels (no words arise), nothing that looks like another sign or sounds like it on the telephone.
ALPHABET = "CDFGHJKMNPQRTVWXY34679"
LENGTH = 6
# Signs that stand in no code, and what they are most often misread from.
MISREAD = {
    "O": "QD",
    "0": "QD",
    "I": "JT",
    "L": "JT",
    "1": "7J",
    "U": "V",
    "2": "7",
    "Z": "7",
    "8": "3",
    "B": "3",
}


def readings(typed: str) -> list[str]:
    """The codes that a typed one may stand for, as typed first; small or wide letters, blanks and dashes do not matter.

    A sign that no code holds is read as those that look like it. Empty when it cannot be a code.
    """
    wide = unicodedata.normalize("NFKC", typed[:40]).upper()
    signs = [character for character in wide if character.isascii() and character.isalnum()]
    if len(signs) != LENGTH:
        return []
    return ["".join(reading) for reading in product(*((MISREAD.get(sign, sign)) for sign in signs))]
