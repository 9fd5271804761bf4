"""Taking ideas, sorting them into clusters, opening and closing the collection. Ideas are anonymous: no author, no address."""

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from flask_babel import gettext as _
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from ..conferences.models import Conference
from ..core.codes import ALPHABET
from ..core.codes import LENGTH as CODE_LENGTH
from ..core.contact_list import SheetReader, read_sheets
from ..core.idea_list import LONGEST, SHORTEST, IdeaProblem, read_ideas
from ..core.text import comparison_key, length_of
from ..groups.queries import round_of, rounds_of, tables_by_round
from ..kit.db import db, found, next_number, one_locked
from ..kit.errors import Refused, Stale
from . import queries
from .models import CapturePoint, Cluster, Collection, Idea


@dataclass(frozen=True)
class RowProblem:
    """A row of a file that was not understood, and why; `line` is the line in the file."""

    line: int
    message: str


@dataclass(frozen=True)
class IdeaImport:
    """What came of a file: how many ideas are new, how many were there already; with problems nothing is taken."""

    imported: int = 0
    known: int = 0
    problems: tuple[RowProblem, ...] = ()


def _locked(conference: Conference) -> Conference:
    return found(one_locked(select(Conference).where(Conference.id == conference.id)))


# -- where ideas come in ----------------------------------------------


def points_for(conference: Conference) -> list[CapturePoint]:
    """The capture points of the plenary and of every table; missing ones are made, known codes never change."""
    _locked(conference)
    for table in queries.tables_without_code(conference):
        db.session.add(CapturePoint(conference_id=conference.id, table=table, code=_free_code()))
        db.session.flush()  # the next code must differ from this one
    return queries.points_of(conference)


def _free_code() -> str:
    while True:
        code = "".join(secrets.choice(ALPHABET) for _place in range(CODE_LENGTH))
        if not queries.is_code_taken(code):
            return code


def open_collection(conference: Conference, *, at: datetime) -> Collection:
    """Take ideas from now on; opening an open collection changes nothing."""
    points_for(conference)
    collection = queries.collection_of(conference)
    if collection is None:
        collection = Collection(conference_id=conference.id, opened_at=at)
        db.session.add(collection)
    elif collection.closed_at is not None:
        collection.opened_at, collection.closed_at = at, None
        collection.version += 1
    db.session.flush()  # ideas of the same transaction must find it open
    return collection


def close_collection(conference: Conference, *, at: datetime) -> None:
    """Take no more ideas; closing a closed collection changes nothing."""
    _locked(conference)
    collection = queries.collection_of(conference)
    if collection is not None and collection.closed_at is None:
        collection.closed_at = at
        collection.version += 1


# -- ideas ------------------------------------------------------------


def hand_in(point: CapturePoint, text: str, submission: str, round_id: int | None, *, at: datetime) -> Idea:
    """Take an idea. The same submission again is the same idea, also after closing: its answer may have been lost.

    Raises Refused when the collection is not open, or when the submission has already become an idea with another text.
    """
    conference = _locked(queries.conference_at(point))
    known = queries.idea_by_submission(conference, submission)
    if known is not None:
        return _same(known, text)
    if not queries.is_open(conference):
        raise Refused(_("Ideas are not being collected at the moment. Your text is still here."))
    if round_id is not None:
        found(round_of(conference, round_id))
    return _add(conference, text, submission, round_id, point.table, at)


def take_over(
    conference: Conference, text: str, submission: str, round_id: int | None, table: str, *, at: datetime
) -> Idea:
    """Make an idea of what a group has found, also when the collection is closed: staff do it.

    Raises Refused when the text is too short or too long for an idea.
    """
    conference = _locked(conference)
    if not SHORTEST <= length_of(text) <= LONGEST:
        raise Refused(
            _("An idea has %(shortest)d to %(longest)d characters.", shortest=SHORTEST, longest=LONGEST)
        )
    return _add(conference, text, submission, round_id, table, at)


def _same(known: Idea, text: str) -> Idea:
    if known.typed != text:
        raise Refused(
            _(
                "Idea no. %(number)d has already come from this page. Send once more to hand in this text as a further idea.",
                number=known.number,
            )
        )
    return known


def _add(
    conference: Conference, text: str, submission: str, round_id: int | None, table: str, at: datetime
) -> Idea:
    idea = Idea(
        conference_id=conference.id,
        number=next_number(Idea.number, Idea.conference_id == conference.id),
        text=text,
        typed=text,
        submission=submission,
        round_id=round_id,
        table=table,
        created_at=_day_of(at, conference),
    )
    db.session.add(idea)
    db.session.flush()  # the number is told to the person, and the next idea counts from it
    return idea


def _day_of(at: datetime, conference: Conference) -> datetime:
    # Anonymous means: no time finer than the day, or the minute would name who sat there typing.
    local = at.astimezone(ZoneInfo(conference.zone))
    return local.replace(hour=0, minute=0, second=0, microsecond=0).astimezone(UTC)


def _fresh(idea: Idea) -> Idea:
    return found(one_locked(select(Idea).where(Idea.id == idea.id)))


def change_idea(idea: Idea, text: str, version: int | None, *, at: datetime) -> Idea:
    """Correct the words; what was typed stays in `typed`. Raises Stale when somebody else changed the idea."""
    idea = _fresh(idea)
    if version != idea.version:
        raise Stale(text, idea.text, version=idea.version)
    if text != idea.text:
        idea.text, idea.edited_at = text, at
        idea.version += 1
    return idea


def hide(idea: Idea, *, at: datetime) -> None:
    """Take an idea from the wall and from what is public; it stays for the moderators."""
    idea = _fresh(idea)
    idea.hidden_at = idea.hidden_at or at


def unhide(idea: Idea) -> None:
    """Show a hidden idea again."""
    _fresh(idea).hidden_at = None


# -- clusters ---------------------------------------------------------


def make_cluster(conference: Conference, heading: str) -> Cluster:
    """A new cluster with the next number. Raises Refused when there is one with this heading."""
    _locked(conference)
    _refuse_known(conference, heading)
    number = next_number(Cluster.number, Cluster.conference_id == conference.id)
    cluster = Cluster(conference_id=conference.id, number=number, heading=heading)
    db.session.add(cluster)
    db.session.flush()  # ideas refer to the id
    return cluster


def rename_cluster(conference: Conference, cluster: Cluster, heading: str, version: int | None) -> None:
    """Give a cluster another heading. Raises Stale when somebody else did, Refused when the heading is taken."""
    _locked(conference)
    cluster = found(one_locked(select(Cluster).where(Cluster.id == cluster.id)))
    if version != cluster.version:
        raise Stale(heading, cluster.heading, version=cluster.version)
    _refuse_known(conference, heading, except_id=cluster.id)
    if heading != cluster.heading:
        cluster.heading = heading
        cluster.version += 1


def _refuse_known(conference: Conference, heading: str, except_id: int | None = None) -> None:
    others = [cluster for cluster in queries.clusters_of(conference) if cluster.id != except_id]
    if any(comparison_key(cluster.heading) == comparison_key(heading) for cluster in others):
        raise Refused(_("There is already a cluster “%(heading)s”.", heading=heading))


def dissolve_cluster(conference: Conference, cluster: Cluster) -> None:
    """Remove a cluster; its ideas are without one again.

    Raises Refused when a vote, a decision or an action refers to it. Those rooms lie downstream, so the database says it.
    """
    _locked(conference)
    _move_all(cluster, None)
    _remove(cluster)


def merge_clusters(conference: Conference, cluster: Cluster, into: Cluster) -> int:
    """Put all ideas of a cluster into another one and remove the first; the ideas keep their words. Answers how many moved.

    Raises Refused for the cluster itself, and when a vote, a decision or an action refers to the one that would go.
    """
    _locked(conference)
    if cluster.id == into.id:
        raise Refused(_("Please choose another cluster than this one."))
    moved = _move_all(cluster, into.id)
    _remove(cluster)
    return moved


def _move_all(cluster: Cluster, to: int | None) -> int:
    move = update(Idea).where(Idea.cluster_id == cluster.id).values(cluster_id=to, version=Idea.version + 1)
    return int(db.session.execute(move).rowcount)  # type: ignore[attr-defined]


def _remove(cluster: Cluster) -> None:
    db.session.delete(cluster)
    try:
        db.session.flush()  # a cluster that is referred to must be refused here
    except IntegrityError as error:
        raise Refused(
            _("A vote, a decision or an action refers to this cluster. It stays as it is.")
        ) from error


def put_into(idea: Idea, cluster: Cluster | None, version: int | None) -> Idea:
    """Put an idea into a cluster, or (None) take it out. Where it already is, nothing changes.

    Raises Stale, with the place where it is now, when somebody else has moved it meanwhile.
    """
    idea = _fresh(idea)
    if idea.cluster_id == (None if cluster is None else cluster.id):
        return idea
    if cluster is not None and cluster.conference_id != idea.conference_id:
        raise Refused(_("This cluster belongs to another conference."))
    if version != idea.version:
        now = found(db.session.get(Cluster, idea.cluster_id)) if idea.cluster_id is not None else None
        raise Stale(_place(cluster), _place(now), version=idea.version, message=_moved(idea, now))
    idea.cluster = cluster
    idea.version += 1
    return idea


def _moved(idea: Idea, now: Cluster | None) -> str:
    return _(
        "Somebody else has changed idea no. %(number)d meanwhile. It is now here: %(place)s.",
        number=idea.number,
        place=_place(now),
    )


def _place(cluster: Cluster | None) -> str:
    return _("in no cluster") if cluster is None else cluster.heading


# -- files ------------------------------------------------------------


def import_ideas(
    conference: Conference, data: bytes, filename: str, *, at: datetime, sheets: SheetReader = read_sheets
) -> IdeaImport:
    """Take the ideas of a file with the columns Runde, Gruppe, Idee; with one bad row nothing is taken.

    `sheets` opens workbooks: those of strangers were read in a process of their own before (kit.sheets).

    A file taken twice adds nothing: each row is known by its round, table, text and how often it stood there before.
    """
    conference = _locked(conference)
    rounds = {round_.number: round_.id for round_ in rounds_of(conference)}
    read = read_ideas(data, filename, tables_by_round(conference), sheets)
    if read.problems:
        return IdeaImport(
            problems=tuple(RowProblem(problem.line, _explained(problem)) for problem in read.problems)
        )
    known = {idea.submission for idea in queries.ideas_of(conference, hidden=True)}
    fresh = [line for line in read.lines if line.key not in known]
    for line in fresh:
        round_id = None if line.round is None else rounds[line.round]
        _add(conference, line.text, line.key, round_id, line.table, at)
    return IdeaImport(len(fresh), len(read.lines) - len(fresh))


def _explained(problem: IdeaProblem) -> str:
    sentences: dict[str, str] = {
        "empty": _("The file is empty."),
        "too_big": _("The file is too big."),
        "unreadable": _("This file cannot be read. Please save it as CSV or XLSX."),
        "no_column": _("There is no column “Idee”."),
        "nothing": _("There is no idea in this file."),
        "unknown_round": _("There is no round “%(name)s”.", name=problem.value),
        "unknown_table": _("There is no table “%(name)s”.", name=problem.value),
        "not_in_round": _("There is no table “%(name)s” in this round.", name=problem.value),
        "too_many_cells": _(
            "“%(name)s” stands in a column without a heading. A text with a separator in it needs quotes around it.",
            name=problem.value,
        ),
        "too_long": _("The idea is longer than %(longest)d characters.", longest=LONGEST),
        "too_short": _("The idea is missing or shorter than %(shortest)d characters.", shortest=SHORTEST),
        "bad_text": _("The idea holds characters that cannot be stored."),
    }
    return sentences[problem.code]
