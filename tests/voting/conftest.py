"""A June conference with clusters, and people who are there."""

from datetime import UTC, datetime

import pytest

from ..builders import NOW, a_conference, a_participant, some_ideas

OPENED = datetime(2023, 6, 6, 9, 0, tzinfo=UTC)


@pytest.fixture
def settings():
    return {"CLOCK_START": datetime(2023, 6, 6, 12, 30, tzinfo=UTC)}


@pytest.fixture
def june(in_house, organiser):
    """Three clusters and one idea in none of them."""
    from conference.ideas import operations as ideas

    with in_house():
        conference = a_conference(organiser)
        for text, heading in (
            ("Weniger Formulare", "Papier"),
            ("Laptops leihen", "Geräte"),
            ("Mehr Zeit", "Zeit"),
        ):
            ideas.put_into(some_ideas(conference, text)[0], ideas.make_cluster(conference, heading), 1)
        some_ideas(conference, "Noch ohne Bündel")
        return conference


@pytest.fixture
def people(in_house, june):
    """Personal links of five present people."""
    with in_house():
        return [a_participant(june) for _number in range(5)]


@pytest.fixture
def vote(in_house, june, people):
    """An open vote on the clusters: four dots, at most two on one."""
    from conference.voting import operations
    from conference.voting.models import VoteSubject

    with in_house():
        planned = operations.create_vote(june, "Womit fangen wir an?", VoteSubject.CLUSTERS, 4, 2, at=NOW)
        return operations.open_vote(planned, at=OPENED)


@pytest.fixture
def options(in_house, vote):
    """Option ids by their words."""
    from conference.voting.queries import options_of

    with in_house():
        return {option.wording: option.id for option in options_of(vote)}


@pytest.fixture
def ballot(options):
    """The fields of a paper, from dots by words."""

    def fill(**dots):
        return {f"option-{options[wording]}": str(value) for wording, value in dots.items()}

    return fill
