"""Figures for Prometheus, in its text format. Figures only: no name, address or word of anybody is in them."""

import platform
from collections.abc import Iterator
from datetime import datetime
from importlib.metadata import version
from typing import Any

from flask import Flask

from ..kit import counts, guesses, outage, unit
from . import queries

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"
MEGABYTE = 1024 * 1024
CRASHED, NOT_SIGNED_IN = "server errors", "failed sign-ins"
SINCE_START = {
    "folgetermin_server_errors_total": (CRASHED, "Answers with a status of 500 and above, of this process."),
    "folgetermin_failed_sign_ins_total": (NOT_SIGNED_IN, "Sign-ins that this process refused."),
}
Samples = list[tuple[dict[str, str], float]]


def page(app: Flask, at: datetime) -> str:
    """All figures as text."""
    checks = {check.name: check for check in queries.checks(app, at)}
    families = [_build(app), _checks(checks), *_of_checks(checks), *_wrong_links(app)]
    if checks["database"].is_good:
        families += _sizes(app)
    text = "".join(_family(*family) for family in families if family[2])
    for name, (what, meaning) in SINCE_START.items():
        text += _family(name, meaning, [({}, float(counts.number(what)))], "counter")
    return text


def _build(app: Flask) -> tuple[str, str, Samples]:
    labels = {"python": platform.python_version(), "flask": version("flask")}
    return "folgetermin_info", "What runs.", [(labels, 1)]


def _checks(checks: dict[str, queries.Check]) -> tuple[str, str, Samples]:
    samples: Samples = [({"check": name}, float(check.is_good)) for name, check in checks.items()]
    return "folgetermin_check_good", "1 where all is well, as on /readyz.", samples


def _of_checks(checks: dict[str, queries.Check]) -> Iterator[tuple[str, str, Samples]]:
    free = checks["disk"].figures["free_megabytes"]
    disk: Samples = [({"folder": name}, left * MEGABYTE) for name, left in free.items() if left is not None]
    yield "folgetermin_disk_free_bytes", "Room that is left.", disk
    if "backup" in checks and checks["backup"].figures["last"]:
        last = checks["backup"].figures
        yield (
            "folgetermin_backup_age_seconds",
            "How old the newest backup is.",
            [({}, last["age_seconds"])],
        )
        yield "folgetermin_backup_bytes", "Size of the newest backup.", [({}, last["bytes"])]
    if "worker" in checks:
        seen = checks["worker"].figures
        yield "folgetermin_workers", "Workers that are alive.", [({}, seen["alive"])]
        failed: Samples = [({}, float(seen["failed_jobs"]))]
        yield "folgetermin_jobs_failed", "Jobs that failed, of the workers that are known.", failed
        if seen["age_seconds"] is not None:
            yield "folgetermin_worker_age_seconds", "When one was last seen.", [({}, seen["age_seconds"])]
    if "retention" in checks and checks["retention"].figures["last"]:
        age: Samples = [({}, checks["retention"].figures["age_seconds"])]
        yield "folgetermin_retention_age_seconds", "When all that was over was last thrown away.", age
    if "queue" in checks:
        waiting: dict[str, Any] = checks["queue"].figures
        letters: Samples = [({"state": state}, number) for state, number in waiting["letters"].items()]
        yield "folgetermin_letters", "Letters in the outbox by state.", letters
        late: Samples = [({}, waiting["overdue_seconds"])]
        yield (
            "folgetermin_letters_overdue_seconds",
            "How long the letter that is due longest has waited.",
            late,
        )
        held: Samples = [({}, float(waiting["delivery"] == "held"))]
        yield "folgetermin_letters_held", "1 while nothing leaves until somebody confirms.", held


def _wrong_links(app: Flask) -> Iterator[tuple[str, str, Samples]]:
    seen = guesses.seen(app)
    yield (
        "folgetermin_wrong_links",
        "Personal links that were tried and do not exist, in all.",
        [({}, seen.total)],
    )
    alarm = float(seen.is_alarming)
    yield "folgetermin_wrong_links_alarm", "1 for a day after very many within ten minutes.", [({}, alarm)]


def _sizes(app: Flask) -> list[tuple[str, str, Samples]]:
    try:
        with unit.reading():
            sizes = queries.database_bytes(app)
    except (*outage.AWAY, OSError):
        return []
    return [
        (
            "folgetermin_database_bytes",
            "Size of the database.",
            [({"part": name}, size) for name, size in sizes.items()],
        )
    ]


def _family(name: str, meaning: str, samples: Samples, kind: str = "gauge") -> str:
    lines = [f"# HELP {name} {meaning}", f"# TYPE {name} {kind}"]
    lines += [f"{name}{_labels(labels)} {value:.15g}" for labels, value in samples]
    return "\n".join(lines) + "\n"


def _labels(labels: dict[str, str]) -> str:
    pairs = [f'{name}="{_escaped(value)}"' for name, value in labels.items()]
    return "{" + ",".join(pairs) + "}" if pairs else ""


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
