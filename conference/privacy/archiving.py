"""Offering a conference's records to the archive (section 5 BArchG): the package, and where the offer stands.

Released minutes are kept until the archive has taken them over or has said that they are not worth archiving; the database
itself refuses to delete them before.
"""

import hashlib
import html
import io
import json
import zipfile
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import delete, select

from ..accounts.models import Account
from ..conferences.models import Conference
from ..kit.db import db, one_locked
from ..kit.errors import Refused
from ..minutes.models import Release
from .models import ArchiveState, ArchiveStep

FREE = (ArchiveState.HANDED_OVER, ArchiveState.UNWORTHY)
"""With these the released minutes may be deleted when their time is over."""
LATER = {
    None: (ArchiveState.OFFERED,),
    ArchiveState.OFFERED: (ArchiveState.HANDED_OVER, ArchiveState.UNWORTHY),
    ArchiveState.HANDED_OVER: (),
    ArchiveState.UNWORTHY: (ArchiveState.OFFERED,),
}


def is_final(state: ArchiveState) -> bool:
    """Whether nothing can follow, so that it is asked for twice."""
    return not LATER[state]


WHEN = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True)
class Offer:
    """A conference with released minutes, and where its offer stands."""

    conference: Conference
    releases: list[Release]
    steps: list[ArchiveStep]

    @property
    def state(self) -> ArchiveState | None:
        """None: not offered yet."""
        return self.steps[0].state if self.steps else None

    @property
    def next_states(self) -> tuple[ArchiveState, ...]:
        """What can be noted now."""
        return LATER[self.state]


def offers() -> list[Offer]:
    """Every conference with released minutes, or whose minutes were handed over, the oldest first."""
    releases: dict[int, list[Release]] = {}
    for release in db.session.scalars(select(Release).order_by(Release.conference_id, Release.number)):
        releases.setdefault(release.conference_id, []).append(release)
    steps = _steps()
    ids = set(releases) | set(steps)
    conferences = db.session.scalars(
        select(Conference).where(Conference.id.in_(ids)).order_by(Conference.ends_at, Conference.id)
    )
    return [Offer(one, releases.get(one.id, []), steps.get(one.id, [])) for one in conferences]


def _steps(*conditions: Any) -> dict[int, list[ArchiveStep]]:
    found: dict[int, list[ArchiveStep]] = {}
    for step in db.session.scalars(select(ArchiveStep).where(*conditions).order_by(ArchiveStep.id.desc())):
        found.setdefault(step.conference_id, []).append(step)
    return found


def offer_of(conference: Conference) -> Offer:
    """The released minutes of one conference, and where the offer stands."""
    query = select(Release).where(Release.conference_id == conference.id).order_by(Release.number)
    steps = _steps(ArchiveStep.conference_id == conference.id).get(conference.id, [])
    return Offer(conference, list(db.session.scalars(query)), steps)


def note(
    conference: Conference, state: ArchiveState, words: str, seen: int, account: Account, *, at: datetime
) -> ArchiveStep:
    """Note that the records were offered, handed over, or are not worth archiving. `seen`: the number of steps on the screen.

    Sent twice it counts once. Raises Refused out of order, or without anything to offer.
    """
    one_locked(select(Conference).where(Conference.id == conference.id))
    offer = offer_of(conference)
    if offer.state is state and len(offer.steps) == seen + 1:
        return offer.steps[0]
    if len(offer.steps) != seen or state not in offer.next_states:
        raise Refused(_("Somebody has noted something else meanwhile. Please look at the state once more."))
    if not offer.releases:
        raise Refused(_("There are no released minutes to offer."))
    step = ArchiveStep(
        conference_id=conference.id, state=state, note=words, account_id=account.id, noted_at=at
    )
    db.session.add(step)
    db.session.flush()
    return step


def old_releases(before: datetime) -> Any:
    """The statement that deletes released minutes whose time is over, where the archive has them or has declined them."""
    newest = {conference_id: steps[0].state for conference_id, steps in _steps().items()}
    free = [conference_id for conference_id, state in newest.items() if state in FREE]
    return delete(Release).where(Release.conference_id.in_(free), Release.released_at <= before)


# -- the package -------------------------------------------------------


def package(offer: Offer, at: datetime) -> bytes:
    """A ZIP: each released PDF and its plain text, metadata as XML and JSON, and the hash of every file.

    The same minutes give the same bytes but for the day on which they were packed.
    """
    files = {}
    for release in offer.releases:
        name = f"protokoll-{release.number}"
        files[f"{name}.pdf"] = release.pdf
        files[f"{name}.txt"] = release.text.encode()
        files[f"{name}.json"] = _json(release.document)
    facts = _facts(offer, files, at)
    files["metadata.json"] = _json(facts)
    files["metadata.xml"] = _xml(facts)
    sums = "".join(f"{_digest(content)}  {name}\n" for name, content in sorted(files.items()))
    files["SHA256SUMS"] = sums.encode()
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in sorted(files.items()):
            archive.writestr(zipfile.ZipInfo(f"{offer.conference.slug}/{name}", WHEN), content)
    return packed.getvalue()


def _json(content: Any) -> bytes:
    return json.dumps(content, ensure_ascii=False, indent=2, sort_keys=True).encode()


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _facts(offer: Offer, files: dict[str, bytes], at: datetime) -> dict[str, Any]:
    conference = offer.conference
    return {
        "format": "folgetermin-archive-offer 1",
        "packed_on": at.date().isoformat(),
        "creator": conference.series.host,
        "series": conference.series.title,
        "title": conference.title,
        "identifier": conference.slug,
        "begin": conference.starts_at.isoformat(),
        "end": conference.ends_at.isoformat(),
        "place": conference.place,
        "language": conference.language,
        "releases": [
            {
                "number": release.number,
                "released_at": release.released_at.isoformat(),
                "released_by": release.released_by,
                "sha256_of_pdf": release.sha256,
            }
            for release in offer.releases
        ],
        "files": [
            {"name": name, "bytes": len(content), "sha256": _digest(content)}
            for name, content in files.items()
        ],
    }


def _xml(facts: dict[str, Any]) -> bytes:
    """The same facts for a records system: Dublin Core where it has a word, else our own."""
    core = {"creator": "creator", "title": "title", "identifier": "identifier", "language": "language"}
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        '<aussonderung xmlns="urn:folgetermin:archive-offer:1" xmlns:dc="http://purl.org/dc/elements/1.1/">',
    ]
    lines += [f"  <dc:{core[key]}>{html.escape(str(facts[key]))}</dc:{core[key]}>" for key in core]
    lines += [f"  <dc:date>{html.escape(facts['begin'])}</dc:date>", "  <dc:type>Protokoll</dc:type>"]
    plain = ("format", "packed_on", "series", "begin", "end", "place")
    lines += [f"  <{key}>{html.escape(str(facts[key]))}</{key}>" for key in plain]
    for kind, rows in (("release", facts["releases"]), ("file", facts["files"])):
        for row in rows:
            inside = "".join(f"<{key}>{html.escape(str(value))}</{key}>" for key, value in row.items())
            lines.append(f"  <{kind}>{inside}</{kind}>")
    return "\n".join([*lines, "</aussonderung>", ""]).encode()
