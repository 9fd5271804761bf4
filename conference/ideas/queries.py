"""Ideas, clusters and the points where ideas come in."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from ..conferences.models import Conference
from ..core.codes import readings
from ..core.similarity import Similar, similar_to_each
from ..core.text import comparison_key
from ..groups.models import Group, Round
from ..groups.queries import rounds_of, table_names, tables_by_round
from ..kit.db import db
from .models import CapturePoint, Cluster, Collection, Idea


@dataclass(frozen=True)
class Heap:
    """Ideas that belong together: a cluster (None: not yet in one) or what one table found in one round."""

    ideas: Sequence[Idea]
    cluster: Cluster | None = None
    round: Round | None = None
    table: str = ""


@dataclass(frozen=True)
class Filter:
    """What of the list is asked for. `show` is all, loose (in no cluster) or hidden."""

    show: str = "all"
    words: str = ""
    table: str | None = None

    def lets_through(self, idea: Idea) -> bool:
        """True when the idea belongs on the filtered list."""
        if self.show == "hidden" and idea.hidden_at is None:
            return False
        if self.show == "loose" and (idea.cluster_id is not None or idea.hidden_at is not None):
            return False
        if self.table is not None and idea.table != self.table:
            return False
        return comparison_key(self.words) in comparison_key(idea.text)


def ideas_of(conference: Conference, hidden: bool = False) -> list[Idea]:
    """All ideas by number, with round and cluster; hidden ones only on request."""
    query = (
        select(Idea)
        .options(joinedload(Idea.round), joinedload(Idea.cluster))
        .where(Idea.conference_id == conference.id)
        .order_by(Idea.number)
    )
    if not hidden:
        query = query.where(Idea.hidden_at.is_(None))
    return list(db.session.scalars(query))


def idea_of(conference: Conference, idea_id: int) -> Idea | None:
    return db.session.scalar(select(Idea).where(Idea.conference_id == conference.id, Idea.id == idea_id))


def idea_by_number(conference: Conference, number: int) -> Idea | None:
    return db.session.scalar(select(Idea).where(Idea.conference_id == conference.id, Idea.number == number))


def idea_by_submission(conference: Conference, submission: str) -> Idea | None:
    """The idea that this submission has already become."""
    query = select(Idea).where(Idea.conference_id == conference.id, Idea.submission == submission)
    return db.session.scalar(query)


def clusters_of(conference: Conference) -> list[Cluster]:
    query = select(Cluster).where(Cluster.conference_id == conference.id).order_by(Cluster.number)
    return list(db.session.scalars(query))


def cluster_of(conference: Conference, cluster_id: int) -> Cluster | None:
    return db.session.scalar(
        select(Cluster).where(Cluster.conference_id == conference.id, Cluster.id == cluster_id)
    )


def ideas_in(cluster: Cluster) -> list[Idea]:
    """The ideas of a cluster by number, hidden ones too."""
    return list(db.session.scalars(select(Idea).where(Idea.cluster_id == cluster.id).order_by(Idea.number)))


def by_cluster(conference: Conference) -> list[Heap]:
    """All visible ideas: those without a cluster first, then every cluster, also an empty one. Two queries."""
    return heaps_by_cluster(ideas_of(conference), clusters_of(conference))


def heaps_by_cluster(ideas: Iterable[Idea], clusters: Iterable[Cluster]) -> list[Heap]:
    """The ideas sorted into their clusters, those without a cluster first."""
    heaps: dict[int | None, list[Idea]] = {None: []} | {cluster.id: [] for cluster in clusters}
    for idea in ideas:
        heaps[idea.cluster_id].append(idea)
    known = {cluster.id: cluster for cluster in clusters}
    return [Heap(found, cluster=known.get(id_) if id_ is not None else None) for id_, found in heaps.items()]


def heaps_by_table(ideas: Iterable[Idea]) -> list[Heap]:
    """The ideas by round and table, the plenary's last."""
    heaps: dict[tuple[int, str], list[Idea]] = {}
    for idea in ideas:
        number = idea.round.number if idea.round else 0
        heaps.setdefault((number or 10_000, idea.table), []).append(idea)
    return [
        Heap(found, round=found[0].round, table=table) for (_number, table), found in sorted(heaps.items())
    ]


def likenesses(ideas: Sequence[Idea]) -> dict[int, list[Similar[int]]]:
    """For each idea without a cluster those that read nearly the same, at most five; a hint for people only."""
    loose = {idea.id for idea in ideas if idea.cluster_id is None}
    return similar_to_each(loose, [(idea.id, idea.text) for idea in ideas])


def points_of(conference: Conference) -> list[CapturePoint]:
    """The capture points, the plenary first, then the tables."""
    query = (
        select(CapturePoint).where(CapturePoint.conference_id == conference.id).order_by(CapturePoint.table)
    )
    return list(db.session.scalars(query))


def point_of(conference: Conference, table: str) -> CapturePoint | None:
    query = select(CapturePoint).where(
        CapturePoint.conference_id == conference.id, CapturePoint.table == table
    )
    return db.session.scalar(query)


def point_by_code(code: str) -> CapturePoint | None:
    """The point that a code leads to, however it was typed; None also when it may stand for several."""
    meant = db.session.scalars(select(CapturePoint).where(CapturePoint.code.in_(readings(code)))).all()
    return meant[0] if len(meant) == 1 else None


def is_code_taken(code: str) -> bool:
    """True when a point has exactly this code."""
    return db.session.scalar(select(CapturePoint.id).where(CapturePoint.code == code)) is not None


def conference_at(point: CapturePoint) -> Conference:
    """The conference that a capture point belongs to."""
    return db.session.scalars(select(Conference).where(Conference.id == point.conference_id)).one()


def tables_without_code(conference: Conference) -> list[str]:
    """Names of tables that came after the codes were made; "" when even the plenary has none."""
    known = {point.table for point in points_of(conference)}
    return [table for table in ["", *table_names(conference)] if table not in known]


def collection_of(conference: Conference) -> Collection | None:
    """The collection, once it has been opened."""
    return db.session.scalar(select(Collection).where(Collection.conference_id == conference.id))


def is_open(conference: Conference) -> bool:
    """True while ideas are taken."""
    collection = collection_of(conference)
    return collection is not None and collection.closed_at is None


def current_round(rounds: Sequence[Round], at: datetime) -> Round | None:
    """The round that has begun last by the agenda; before the first one the first."""
    begun = [r for r in rounds if r.agenda_item is not None and r.agenda_item.starts_at <= at]
    if begun:
        return max(begun, key=lambda r: (r.agenda_item.starts_at if r.agenda_item else at, r.number))
    return rounds[0] if rounds else None


def rounds_for(point: CapturePoint, conference: Conference) -> list[Round]:
    """The rounds to choose from at a point: those in which its table has a group; none in the plenary."""
    if not point.table:
        return []
    tables = tables_by_round(conference)
    return [round_ for round_ in rounds_of(conference) if point.table in tables[round_.number]]


def focus_question_at(point: CapturePoint, conference: Conference, round_: Round | None) -> str:
    """The question of the group at this table in this round, else the question of the conference."""
    if round_ is None or not point.table:
        return conference.focus_question
    query = select(Group.focus_question).where(Group.round_id == round_.id, Group.name == point.table)
    return db.session.scalar(query) or conference.focus_question
