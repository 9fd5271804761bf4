"""Votes, who may vote, who has voted. Dots are read only by `closing`, never before."""

from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import joinedload

from ..conferences.models import Conference
from ..ideas.models import Idea
from ..ideas.queries import clusters_of, ideas_of
from ..invitations.queries import invited_ids
from ..kit.db import db
from ..registrations.queries import participant_ids
from .models import Ballot, Vote, VoteOption, Voter, VoteSubject


@dataclass(frozen=True)
class Turnout:
    """How many people may vote and how many have; never what they chose."""

    entitled: int
    voted: int


def votes_of(conference: Conference) -> list[Vote]:
    """All votes, oldest first."""
    return list(db.session.scalars(select(Vote).where(Vote.conference_id == conference.id).order_by(Vote.id)))


def vote_of(conference: Conference, vote_id: int) -> Vote | None:
    return db.session.scalar(select(Vote).where(Vote.conference_id == conference.id, Vote.id == vote_id))


def options_of(vote: Vote) -> list[VoteOption]:
    """What there is to vote on, in the order of the paper."""
    query = (
        select(VoteOption)
        .options(joinedload(VoteOption.cluster), joinedload(VoteOption.idea))
        .where(VoteOption.vote_id == vote.id)
        .order_by(VoteOption.position)
    )
    return list(db.session.scalars(query))


def possible_options(conference: Conference, subject: VoteSubject) -> list[VoteOption]:
    """What would stand on the paper if the vote were opened now; rows that are not stored yet."""
    if subject is VoteSubject.CLUSTERS:
        clusters = enumerate(clusters_of(conference), 1)
        return [
            VoteOption(cluster_id=cluster.id, wording=cluster.heading, position=at)
            for at, cluster in clusters
        ]
    ideas = enumerate(ideas_of(conference), 1)
    return [VoteOption(idea_id=idea.id, wording=idea.text, position=at) for at, idea in ideas]


def loose_ideas(conference: Conference) -> list[Idea]:
    """Visible ideas in no cluster: nobody could vote for them in a vote on clusters."""
    return [idea for idea in ideas_of(conference) if idea.cluster_id is None]


def entitled_ids(conference: Conference) -> set[int]:
    """Contact ids of who may vote: who is present or has a seat, without those recorded as not there.

    Who came without an invitation has no personal link, could not vote, and is not counted.
    """
    return participant_ids(conference) & invited_ids(conference)


def voter_ids(vote: Vote) -> set[int]:
    """Contact ids of who has voted."""
    return set(db.session.scalars(select(Voter.contact_id).where(Voter.vote_id == vote.id)))


def has_voted(vote: Vote, contact_id: int) -> bool:
    """True when the person's ballot is in the box."""
    query = select(Voter.vote_id).where(Voter.vote_id == vote.id, Voter.contact_id == contact_id)
    return db.session.scalar(query) is not None


def turnout_of(vote: Vote, conference: Conference) -> Turnout:
    """The frozen turnout of a closed vote, the present one of an open vote."""
    if vote.result is not None:
        return Turnout(vote.result["entitled"], vote.result["voted"])
    voters = voter_ids(vote)
    return Turnout(len(entitled_ids(conference) | voters), len(voters))


def ballots_in(vote: Vote) -> list[Ballot]:
    """The ballots, for counting them at the close."""
    return list(db.session.scalars(select(Ballot).where(Ballot.vote_id == vote.id).order_by(Ballot.id)))


def voted_counts(conference: Conference) -> dict[int, int]:
    """How many have voted, by vote id, in one query."""
    query = (
        select(Voter.vote_id, func.count(Voter.contact_id).label("voted"))
        .join(Vote, Vote.id == Voter.vote_id)
        .where(Vote.conference_id == conference.id)
        .group_by(Voter.vote_id)
    )
    return {row.vote_id: row.voted for row in db.session.execute(query)}


def votes_for_guest(conference: Conference, contact_id: int) -> list[tuple[Vote, bool]]:
    """Every vote that was opened, with whether this person has voted, in two queries."""
    voted = select(Voter.vote_id).join(Vote, Vote.id == Voter.vote_id)
    mine = set(
        db.session.scalars(voted.where(Vote.conference_id == conference.id, Voter.contact_id == contact_id))
    )
    return [(vote, vote.id in mine) for vote in votes_of(conference) if vote.opened_at is not None]
