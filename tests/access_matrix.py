"""Who may open which route: a table in `access_matrix.csv` that people review, and that a test holds.

One row for each address. `yes`: the door opens. `no`: not found. `in`: a GET leads to the sign-in page, anything else is not
found. `foreign` says the same of somebody with any role elsewhere: `no` for every address in a series or conference,
`-` where the address names none. Who administers a series has no column: `of_series_admin` says how it follows. A new route is written down by

    .venv/bin/python -m tests.access_matrix

which puts question marks into its row; they are red until somebody has thought about each.
"""

import csv
from pathlib import Path
from typing import Any

from flask import Flask

TABLE = Path(__file__).with_suffix(".csv")
STAFF = ("colleague", "door", "minute_taker", "moderator", "leadership", "organiser", "admin")
WHO = ("nobody", "guest", *STAFF)
COLUMNS = ("path", "methods", *WHO, "foreign")


def read() -> dict[str, dict[str, str]]:
    """The rows by address."""
    with TABLE.open(newline="") as file:
        return {row["path"]: row for row in csv.DictReader(file)}


def routes(app: Flask) -> dict[str, set[str]]:
    """Every address with its methods."""
    found: dict[str, set[str]] = {}
    for rule in app.url_map.iter_rules():
        found.setdefault(rule.rule, set()).update((rule.methods or set()) - {"HEAD", "OPTIONS"})
    return found


def in_a_place(path: str) -> bool:
    """True when staff reach the address through a series or a conference."""
    return path.startswith(("/conferences/<slug>", "/series/<series_slug>"))


def of_series_admin(path: str, row: dict[str, str]) -> str:
    """The administrator of a series: in it as an administrator of the house, outside as an organiser of the series."""
    return row["admin"] if in_a_place(path) else row["organiser"]


def write(rows: dict[str, dict[str, Any]]) -> None:
    """Keep the table in the order of the addresses."""
    with TABLE.open("w", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows[path] for path in sorted(rows))


def main() -> None:
    """Add what is missing, with question marks; drop what is gone."""
    from conference import create_app

    known = read() if TABLE.exists() else {}
    unknown = dict.fromkeys((*WHO, "foreign"), "?")
    rows = {}
    for path, methods in routes(create_app()).items():
        rows[path] = known.get(path, {"path": path, **unknown}) | {"methods": " ".join(sorted(methods))}
    write(rows)


if __name__ == "__main__":
    main()
