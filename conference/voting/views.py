"""Pages for moderators (plan, open, close, result) and for guests (the ballot)."""

from flask import current_app, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from ..conferences.models import Conference
from ..conferences.queries import conference_here
from ..core.discretion import FEW
from ..kit import access, clock, forms, pages
from ..kit.db import found
from ..kit.layout import belongs
from . import bp, operations, queries
from .forms import PREFIX, BallotForm, VoteForm, ballot_form
from .models import Vote, VoteSubject

belongs("voting.show_votes", "voting.new_vote", "voting.show_vote")

# -- moderators -------------------------------------------------------


@bp.get("/conferences/<slug>/votes")
@access.organisers
def show_votes(slug: str) -> ResponseReturnValue:
    """All votes; of those not closed only how many have voted."""
    conference = conference_here(access.account(), slug)
    return pages.show(
        "voting/show_votes.html",
        conference=conference,
        votes=queries.votes_of(conference),
        voted=queries.voted_counts(conference),
    )


@bp.route("/conferences/<slug>/votes/new", methods=["GET", "POST"])
@access.organisers
def new_vote(slug: str) -> ResponseReturnValue:
    """Plan a vote."""
    conference = conference_here(access.account(), slug)
    suggested = {subject: operations.dots_for(conference, subject) for subject in VoteSubject}
    form = VoteForm() if request.method == "POST" else VoteForm(data=_suggestion(conference, suggested))
    form.offer_subjects()
    if forms.submitted(form):
        with pages.refusals(form):
            vote = operations.create_vote(
                conference,
                form.title.data,
                form.chosen_subject,
                form.dots.data,
                form.per_option.data,
                hides_few=bool(form.hides_few.data),
                at=clock.now(),
            )
            return pages.done("voting.show_vote", _("The vote has been planned."), slug=slug, vote_id=vote.id)
    return pages.show("voting/new_vote.html", form=form, conference=conference, suggested=suggested)


def _suggestion(conference: Conference, suggested: dict[VoteSubject, int]) -> dict[str, object]:
    has_clusters = bool(queries.possible_options(conference, VoteSubject.CLUSTERS))
    subject = VoteSubject.CLUSTERS if has_clusters else VoteSubject.IDEAS
    dots = suggested[subject]
    return {"subject": subject.value, "dots": dots, "per_option": (dots + 1) // 2}


@bp.get("/conferences/<slug>/votes/<int:vote_id>")
@access.organisers
def show_vote(slug: str, vote_id: int) -> ResponseReturnValue:
    """A vote: what will stand on the paper, how many have voted, and after the close the frozen result."""
    conference = conference_here(access.account(), slug)
    vote = found(queries.vote_of(conference, vote_id))
    planned = vote.opened_at is None
    on_clusters = vote.subject is VoteSubject.CLUSTERS
    turnout = queries.turnout_of(vote, conference)
    return pages.show(
        "voting/show_vote.html",
        conference=conference,
        vote=vote,
        options=queries.possible_options(conference, vote.subject) if planned else queries.options_of(vote),
        loose=queries.loose_ideas(conference) if planned and on_clusters else [],
        turnout=turnout,
        would_hide=vote.hides_few and turnout.voted < FEW,
        can_decide="actions.new_decision" in current_app.view_functions,
        can_act="actions.new_action" in current_app.view_functions,
    )


@bp.post("/conferences/<slug>/votes/<int:vote_id>/opening")
@access.organisers
def open_vote(slug: str, vote_id: int) -> ResponseReturnValue:
    """Let people vote."""
    vote = _vote_here(slug, vote_id)
    operations.open_vote(vote, at=clock.now())
    return pages.done("voting.show_vote", _("The vote is open."), slug=slug, vote_id=vote_id)


@bp.post("/conferences/<slug>/votes/<int:vote_id>/closure")
@access.organisers
def close_vote(slug: str, vote_id: int) -> ResponseReturnValue:
    """End the vote and count."""
    operations.close_vote(_vote_here(slug, vote_id), at=clock.now())
    return pages.done("voting.show_vote", _("The vote is closed and counted."), slug=slug, vote_id=vote_id)


@bp.post("/conferences/<slug>/votes/<int:vote_id>/removal")
@access.organisers
def remove_vote(slug: str, vote_id: int) -> ResponseReturnValue:
    """Throw a planned vote away."""
    operations.remove_vote(_vote_here(slug, vote_id))
    return pages.done("voting.show_votes", _("The vote has been removed."), slug=slug)


def _vote_here(slug: str, vote_id: int) -> Vote:
    return found(queries.vote_of(conference_here(access.account(), slug), vote_id))


# -- guests -----------------------------------------------------------


@bp.get("/my/votes")
@access.guest
def my_votes() -> ResponseReturnValue:
    """The votes of a guest's conference."""
    link = access.link()
    return pages.show(
        "voting/my_votes.html",
        event=link.conference,
        votes=queries.votes_for_guest(link.conference, link.contact_id),
        may_vote=link.contact_id in queries.entitled_ids(link.conference),
    )


@bp.route("/my/votes/<int:vote_id>", methods=["GET", "POST"])
@access.guest
def cast_ballot(vote_id: int) -> ResponseReturnValue:
    """Give the dots, once."""
    link = access.link()
    vote = _opened_vote(vote_id)
    form = ballot_form(vote, queries.options_of(vote))
    is_over = vote.closed_at is not None or queries.has_voted(vote, link.contact_id)
    # Who comes too late learns that, whatever stands on the paper.
    if (is_over and request.method == "POST") or forms.submitted(form):
        with pages.refusals(form):
            operations.cast(vote, link.contact_id, form.choices(), at=clock.now())
            return pages.done("voting.show_thanks", vote_id=vote_id)
    return _ballot_page(vote, form)


def _opened_vote(vote_id: int) -> Vote:
    vote = found(queries.vote_of(access.link().conference, vote_id))
    return found(vote if vote.opened_at is not None else None)


def _ballot_page(vote: Vote, form: BallotForm) -> ResponseReturnValue:
    link = access.link()
    return pages.show(
        "voting/cast_ballot.html",
        form=form,
        vote=vote,
        event=link.conference,
        prefix=PREFIX,
        has_voted=queries.has_voted(vote, link.contact_id),
        may_vote=link.contact_id in queries.entitled_ids(link.conference),
    )


@bp.get("/my/votes/<int:vote_id>/thanks")
@access.guest
def show_thanks(vote_id: int) -> ResponseReturnValue:
    """The ballot is in the box."""
    link = access.link()
    vote = _opened_vote(vote_id)
    found(vote if queries.has_voted(vote, link.contact_id) else None)
    return pages.show("voting/show_thanks.html", vote=vote, event=link.conference)
