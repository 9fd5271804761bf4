"""A June conference with a record of every kind."""

from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from conference.actions import operations as actions
from conference.agenda import operations as agenda
from conference.agenda.models import ItemKind
from conference.ideas import operations as ideas
from conference.minutes import operations
from conference.registrations import operations as registrations
from conference.registrations.models import Presence
from conference.voting import operations as voting
from conference.voting.models import VoteSubject
from conference.voting.queries import options_of

from ..builders import (
    NOW,
    a_conference,
    a_contact,
    a_participant,
    an_account,
    an_action,
    an_answer,
    an_invitation,
    an_item,
    some_ideas,
)

MORNING = datetime(2023, 6, 6, 7, 30, tzinfo=UTC)
EVENING = datetime(2023, 6, 7, 9, 0, tzinfo=UTC)
FRAME = {
    "chair": "Vera Vorsitz",
    "moderator": "Max Mitte",
    "minute_taker": "Nora Beispiel",
    "summary": "Ein **guter** Tag.",
}


def a_day(account=None):
    """The day with people, notes, ideas, a vote, a decision and an action; the frame is not written yet."""
    june = a_conference(account or an_account())
    day = SimpleNamespace(june=june)
    _people(day)
    _agenda(day)
    _results(day)
    return day


def _people(day):
    june = day.june
    day.present = a_participant(june, first_name="Ada", last_name="Anwesend", organisation="Haus A").contact
    day.excused, day.absent = (
        an_invitation(june, a_contact(first_name=first, last_name=last)).contact
        for first, last in (("Eva", "Entschuldigt"), ("Abel", "Abwesend"))
    )
    registrations.accept(an_invitation(june, day.absent), an_answer(), at=NOW)
    registrations.record_attendance(june, day.excused.id, Presence.EXCUSED, at=MORNING)
    registrations.record_attendance(june, day.absent.id, Presence.ABSENT, at=MORNING)
    day.only_registered = an_invitation(june, a_contact(first_name="Nur", last_name="Angemeldet")).contact
    registrations.accept(an_invitation(june, day.only_registered), an_answer(), at=NOW)
    day.guest = registrations.add_walk_in(june, "Gundula", "Gast", "Haus G", None, at=MORNING)


def _agenda(day):
    day.item = an_item(day.june, "Begrüßung", person="Vera Vorsitz")
    day.pause = an_item(day.june, "Kaffee", "10:00", kind=ItemKind.BREAK)
    day.internal = an_item(day.june, "Geheimes Vorgespräch", "09:45", internal=True)
    agenda.save_note(day.item, "Wir **beginnen** mit <b>Dank</b>.", 0, None, at=EVENING)
    agenda.save_note(day.internal, "Das bleibt unter uns.", 0, None, at=EVENING)


def _results(day):
    june = day.june
    day.idea, day.parked = some_ideas(june, "Ein gemeinsamer Kalender", "Mehr Kaffee")
    day.cluster = ideas.make_cluster(june, "Kalender")
    ideas.put_into(day.idea, day.cluster, 1)
    day.vote = voting.create_vote(june, "Womit beginnen wir?", VoteSubject.CLUSTERS, 3, 3, at=NOW)
    voting.open_vote(day.vote, at=NOW)
    voting.cast(day.vote, day.present.id, {options_of(day.vote)[0].id: 3}, at=MORNING)
    voting.close_vote(day.vote, at=EVENING)
    source = actions.Source("cluster", day.cluster.id)
    day.decision = actions.decide(june, "Es gibt einen Kalender.", "im Konsens", source, at=EVENING)
    day.action = an_action(
        june, "Tabelle aufsetzen", responsible=day.present, supporters="Ben, Cem", decision_id=day.decision.id
    )


def write_frame(june, version=None, **over):
    """Name chair and minute taker."""
    return operations.save_frame(june, **(FRAME | over), version=version, at=EVENING)


@pytest.fixture
def day(house):
    """A day inside the open transaction of `house`."""
    return a_day()
