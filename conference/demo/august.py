"""August: planned from June, invited, some have answered."""

from datetime import date, timedelta

from ..agenda import operations as agenda
from ..conferences.models import Conference
from ..conferences.queries import conference_by_slug
from ..invitations import operations as invitations
from ..invitations.queries import guest_list
from ..kit import unit
from ..registrations import operations as registrations
from .june import at, deliver, june, organiser

SLUG = "august-2023"


def plan() -> None:
    """Plan the follow-up conference on the day after June: its minutes name the next appointment."""
    with unit.writing():
        _plan()


def invite() -> None:
    """Invite, take the first answers."""
    for step in (_guests, _invite, _answers):
        with unit.writing():
            step()
    deliver()


def _august() -> Conference:
    found = conference_by_slug(SLUG)
    assert found is not None
    return found


def _plan() -> None:
    fields = agenda.FollowUpFields(
        title="Bildungsträgerkonferenz August 2023",
        slug=SLUG,
        day=date(2023, 8, 22),
        answer_by=date(2023, 8, 11),
    )
    agenda.plan_follow_up(june(), fields, organiser(), at=at("2023-06-07", "08:30"))


def _guests() -> None:
    august = _august()
    for invitation in guest_list(june()):
        invitations.invite(august, invitation.contact, at=at("2023-06-28", "10:00"))


def _invite() -> None:
    august = _august()
    invitations.send_invitations(august, guest_list(august), at=at("2023-06-29", "08:30"))


def _answers() -> None:
    for number, invitation in enumerate(guest_list(_august())):
        moment = at("2023-06-29", "10:00") + timedelta(hours=3 * number)
        if number % 3 == 0 and moment < at("2023-07-03", "07:00"):
            answer = registrations.Answer(
                name=invitation.contact.name, diet="", access_needs="", consents=frozenset(), wishes=()
            )
            registrations.accept(invitation, answer, at=moment)
        elif number == 7:
            registrations.decline(invitation, "Urlaub", at=moment)
