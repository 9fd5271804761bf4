"""Votes with dots: planned, opened with frozen options, closed with a frozen result; one secret ballot a person."""

import secrets
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy import delete, insert, select

from ..conferences.models import Conference
from ..core.discretion import FEW
from ..core.tally import OptionResult, check_ballot, suggested_dots, tally
from ..kit.db import db, found, one_locked
from ..kit.errors import Refused
from . import queries
from .models import Ballot, Vote, VoteOption, Voter, VoteSubject

MOST_DOTS = 100


class BadBallot(Refused):
    """A ballot that breaks the rules of the vote; nothing of it was counted."""


def dots_for(conference: Conference, subject: VoteSubject) -> int:
    """How many dots a person should have, from the number of options and of people; never more than a form takes."""
    options, people = queries.possible_options(conference, subject), queries.entitled_ids(conference)
    return min(MOST_DOTS, suggested_dots(len(options), len(people)))


def create_vote(
    conference: Conference,
    title: str,
    subject: VoteSubject,
    dots: int,
    per_option: int,
    *,
    at: datetime,
    hides_few: bool = False,
) -> Vote:
    """Plan a vote. Raises Refused when an option could get more dots than a person has, or the same one is planned already."""
    one_locked(select(Conference).where(Conference.id == conference.id))
    if per_option > dots:
        raise Refused(_("One option cannot get more dots than a person has."))
    if any(vote.title == title and vote.opened_at is None for vote in queries.votes_of(conference)):
        raise Refused(_("A vote with this title is already planned."))
    vote = Vote(
        conference_id=conference.id,
        title=title,
        subject=subject,
        dots=dots,
        per_option=per_option,
        hides_few=hides_few,
        created_at=at,
    )
    db.session.add(vote)
    db.session.flush()  # the page of the vote needs the id
    return vote


def remove_vote(vote: Vote) -> None:
    """Throw a planned vote away. Raises Refused once it was opened."""
    vote = _locked(vote)
    if vote.opened_at is not None:
        raise Refused(_("This vote has been opened; it stays as it is."))
    db.session.delete(vote)


def _locked(vote: Vote) -> Vote:
    return found(one_locked(select(Vote).where(Vote.id == vote.id)))


def open_vote(vote: Vote, *, at: datetime) -> Vote:
    """Freeze the options in their present words and let people vote; opening an open vote changes nothing.

    Raises Refused when there is nothing to vote on, or the vote is closed.
    """
    vote = _locked(vote)
    if vote.closed_at is not None:
        raise Refused(_("This vote is closed."))
    if vote.opened_at is not None:
        return vote
    conference = found(db.session.get(Conference, vote.conference_id))
    options = queries.possible_options(conference, vote.subject)
    if not options:
        raise Refused(_("There is nothing to vote on yet. Please make clusters or collect ideas first."))
    for option in options:
        option.vote_id = vote.id
        db.session.add(option)
    vote.opened_at = at
    vote.version += 1
    db.session.flush()  # ballots refer to the options
    return vote


def cast(vote: Vote, contact_id: int, choices: Mapping[int, int], *, at: datetime) -> None:
    """Put one ballot (dots by option id) into the box; who has voted is noted apart from it.

    Raises Refused for a vote that is not open, who may not vote, and a second ballot; BadBallot for dots that break the rules.
    `at` is not stored: a time would lead from the ballot to the person. So would the age of rows and their order on the
    disk, by which a database tells what was written together: all ballots are laid down anew with this one.
    """
    vote = _locked(vote)
    _check_open(vote, at)
    conference = found(db.session.get(Conference, vote.conference_id))
    if queries.has_voted(vote, contact_id):
        raise Refused(_("You have already voted."))
    if contact_id not in queries.entitled_ids(conference):
        raise Refused(_("You are not on the list of people who may vote. Please ask the moderators."))
    given = {option_id: dots for option_id, dots in choices.items() if dots != 0}
    problems = ballot_problems(vote, given, queries.options_of(vote))
    if problems:
        raise BadBallot(" ".join(problems))
    db.session.add(Voter(vote_id=vote.id, contact_id=contact_id))
    db.session.flush()  # a second ballot must fail here, not after the answer
    # In the order of the paper, not in that in which somebody thought of them.
    _lay_down(vote, {str(key): given[key] for key in sorted(given)})


def _check_open(vote: Vote, at: datetime) -> None:
    if vote.closed_at is not None:
        raise Refused(_("This vote is closed."))
    if vote.opened_at is None or at < vote.opened_at:
        raise Refused(_("This vote is not open yet."))


def ballot_problems(vote: Vote, given: Mapping[int, object], options: list[VoteOption]) -> list[str]:
    """What is wrong with a ballot, as sentences; an empty list is a good ballot."""
    codes = check_ballot(given, {option.id for option in options}, vote.dots, vote.per_option)
    if not given:
        codes = [*codes, "empty"]
    sentences: dict[str, str] = {
        "foreign_option": _("This ballot names something that is not on the paper."),
        "fractional": _("Please give whole dots."),
        "negative": _("Please give no negative dots."),
        "over_maximum": ngettext(
            "At most %(num)d dot on one option, please.",
            "At most %(num)d dots on one option, please.",
            vote.per_option,
        ),
        "over_budget": ngettext(
            "You have only %(num)d dot in all.", "You have only %(num)d dots in all.", vote.dots
        ),
        "empty": _("Please give at least one dot."),
    }
    return [sentences[code] for code in codes]


def close_vote(vote: Vote, *, at: datetime) -> Vote:
    """End the vote, count once and freeze the result with its words; closing a closed vote changes nothing.

    Raises Refused when the vote was never opened.
    """
    vote = _locked(vote)
    if vote.closed_at is not None:
        return vote
    if vote.opened_at is None:
        raise Refused(_("This vote is not open yet."))
    vote.result = _counted(vote)
    vote.closed_at = at
    vote.version += 1
    if vote.result.get("few"):
        db.session.execute(delete(Ballot).where(Ballot.vote_id == vote.id))
    else:
        _lay_down(vote)
    return vote


def _counted(vote: Vote) -> dict[str, Any]:
    conference = found(db.session.get(Conference, vote.conference_id))
    options = {option.id: option for option in queries.options_of(vote)}
    papers = [{int(key): dots for key, dots in ballot.choices.items()} for ballot in queries.ballots_in(vote)]
    turnout = queries.turnout_of(vote, conference)
    if vote.hides_few and len(papers) < FEW:
        return {"entitled": turnout.entitled, "voted": turnout.voted, "rows": [], "few": True}
    rows = [_row(options[line.option], line) for line in tally(papers, list(options))]
    return {"entitled": turnout.entitled, "voted": turnout.voted, "rows": rows}


def _row(option: VoteOption, line: OptionResult[int]) -> dict[str, Any]:
    return {
        "option": option.id,
        "cluster": option.cluster_id,
        "idea": option.idea_id,
        "wording": option.wording,
        "dots": line.dots,
        "voters": line.voters,
        "rank": line.rank,
    }


def _lay_down(vote: Vote, *new: dict[str, int]) -> None:
    """All papers of the vote, and new ones, as fresh rows in the order of new random ids: no row leads to anybody."""
    papers = [*db.session.scalars(select(Ballot.choices).where(Ballot.vote_id == vote.id)), *new]
    if not papers:
        return
    db.session.execute(
        delete(Ballot).where(Ballot.vote_id == vote.id).execution_options(synchronize_session="fetch")
    )
    fresh = sorted((secrets.token_hex(16), number) for number in range(len(papers)))
    db.session.execute(
        insert(Ballot), [{"id": id_, "vote_id": vote.id, "choices": papers[number]} for id_, number in fresh]
    )
