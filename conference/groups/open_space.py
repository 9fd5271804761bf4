"""Open Space: participants propose concerns, organisers give them a round and a room, everybody chooses freely.

Nothing is published: what is chosen holds at once. Every choice is made under the lock of its round.
"""

from datetime import datetime

from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy import delete, func, select

from ..conferences.models import Conference
from ..conferences.queries import room_of
from ..core.text import comparison_key
from ..kit.db import db, found, one_locked
from ..kit.errors import Refused
from ..registrations.queries import participant_ids
from . import method_queries, queries
from .models import Concern, Group, Round, Seat, SeatingChange
from .operations import prepare_rounds

MOST_OF_ONE = 5
MOST_CONCERNS = 300


def _locked(conference: Conference) -> None:
    found(one_locked(select(Conference).where(Conference.id == conference.id)))


def _refuse_unless_live(conference: Conference) -> None:
    if not method_queries.setting_of(conference).is_live:
        raise Refused(_("Groups are not chosen freely at this conference."))


def _refuse_strangers(conference: Conference, contact_id: int) -> None:
    if contact_id not in participant_ids(conference):
        raise Refused(_("You are not on the list of people who are here. Please ask at the reception."))


# -- concerns -------------------------------------------------------------


def propose(
    conference: Conference, title: str, sentence: str, contact_id: int | None, *, at: datetime
) -> Concern:
    """Put a concern on the marketplace; sent twice by the same person it lies there once.

    Without a contact it was written down by staff. Raises Refused for who takes no part, and beyond five of one person.
    """
    _locked(conference)
    _refuse_unless_live(conference)
    if contact_id is not None:
        _refuse_strangers(conference, contact_id)
    concerns = method_queries.concerns_of(conference)
    mine = [concern for concern in concerns if concern.contact_id == contact_id]
    for concern in mine:
        if comparison_key(concern.title) == comparison_key(title):
            return concern
    if contact_id is not None and len(mine) >= MOST_OF_ONE:
        raise Refused(_("You have proposed %(num)d concerns already.", num=MOST_OF_ONE))
    if len(concerns) >= MOST_CONCERNS:
        raise Refused(_("There are so many concerns already that none can be added."))
    concern = Concern(
        conference_id=conference.id, title=title, sentence=sentence, contact_id=contact_id, proposed_at=at
    )
    db.session.add(concern)
    db.session.flush()
    return concern


def withdraw(conference: Conference, concern_id: int, contact_id: int | None = None) -> None:
    """Take a concern off the marketplace. With a contact only an own one; somebody else's is Missing.

    Raises Refused when it has a group, or others were merged into it.
    """
    _locked(conference)
    concern = found(method_queries.concern_of(conference, concern_id))
    if contact_id is not None and concern.contact_id != contact_id:
        found(None)
    _refuse_placed(conference, concern)
    if method_queries.merged_titles(method_queries.concerns_of(conference)).get(concern.id):
        raise Refused(_("Other concerns were merged into this one. Please separate them first."))
    db.session.delete(concern)
    db.session.flush()


def _refuse_placed(conference: Conference, concern: Concern) -> None:
    if concern.id in method_queries.placed_ids(conference):
        raise Refused(
            _("“%(title)s” has a group already. Please close the group first.", title=concern.title)
        )


def merge(conference: Conference, concern_id: int, into_id: int | None) -> Concern:
    """Let a concern be worked on in another one; without another it stands for itself again.

    Raises Refused when it has a group already, or would be merged into itself or into one that is merged.
    """
    _locked(conference)
    concern = found(method_queries.concern_of(conference, concern_id))
    if into_id is None:
        concern.merged_into = None
        return concern
    into = found(method_queries.concern_of(conference, into_id))
    _refuse_placed(conference, concern)
    merged = method_queries.merged_titles(method_queries.concerns_of(conference))
    if into is concern or into.merged_into_id is not None or merged.get(concern.id):
        raise Refused(_("Please choose another concern that stands for itself."))
    concern.merged_into = into
    db.session.flush()
    return concern


# -- groups ---------------------------------------------------------------


def place(conference: Conference, concern_id: int, number: int, room_id: int | None) -> Group:
    """Give a concern a group in a round, and a room; sent twice it is one group.

    Raises Refused when there is no such round in the agenda, or the concern is merged.
    """
    _locked(conference)
    _refuse_unless_live(conference)
    concern = found(method_queries.concern_of(conference, concern_id))
    if concern.merged_into_id is not None:
        raise Refused(_("This concern is worked on in another one. Please separate them first."))
    room = found(room_of(conference, room_id)) if room_id is not None else None
    rounds = {round_.number: round_ for round_ in prepare_rounds(conference)}
    if number not in rounds:
        raise Refused(_("The agenda has no round %(number)d any more.", number=number))
    groups = queries.groups_of(rounds[number])
    for group in groups:
        if group.concern_id == concern.id:
            group.room = room
            return group
    taken = {group.name for group in groups}
    before = db.session.scalars(
        select(Group.name).join(Round, Round.id == Group.round_id).where(Group.concern_id == concern.id)
    ).first()
    name = before if before and before not in taken else method_queries.free_name(sorted(taken))
    group = Group(round_id=rounds[number].id, name=name, concern=concern, room=room)
    db.session.add(group)
    rounds[number].version += 1
    db.session.flush()
    return group


def close(conference: Conference, group_id: int) -> Group:
    """Close a group: its concern goes back to the marketplace, its people choose anew. Gives what is no more there."""
    _locked(conference)
    group = found(queries.group_of(conference, group_id))
    _refuse_unless_live(conference)
    round_ = _round_locked(conference, group.round_id)
    _forget_changes(conference)
    db.session.execute(delete(Seat).where(Seat.group_id == group.id))
    db.session.delete(group)
    round_.version += 1
    db.session.flush()
    return group


def _round_locked(conference: Conference, round_id: int) -> Round:
    return found(one_locked(select(Round).where(Round.id == round_id, Round.conference_id == conference.id)))


def _forget_changes(conference: Conference) -> None:
    """What people chose since then must not be undone by taking an older move back."""
    db.session.execute(delete(SeatingChange).where(SeatingChange.conference_id == conference.id))


def choose(conference: Conference, group_id: int, contact_id: int, *, at: datetime) -> Group:
    """Go into a group, and out of the one where this person was in the round. Raises Refused when it is full or over."""
    group = found(queries.group_of(conference, group_id))
    round_ = _round_locked(conference, group.round_id)
    _refuse_choice(conference, round_, contact_id, at)
    seat = queries.seat_of(round_.id, contact_id)
    if seat is not None and seat.group_id == group.id:
        return group
    if group.room is not None and _in_room(group) >= group.room.capacity:
        raise Refused(
            ngettext(
                "“%(title)s” is full: the room has %(num)d seat. Please choose another group.",
                "“%(title)s” is full: the room has %(num)d seats. Please choose another group.",
                group.room.capacity,
                title=group.subject or group.name,
            )
        )
    _forget_changes(conference)
    if seat is None:
        db.session.add(Seat(round_id=round_.id, group_id=group.id, contact_id=contact_id))
    else:
        seat.group, seat.pinned = group, False
    db.session.flush()
    return group


def leave(conference: Conference, round_id: int, contact_id: int, *, at: datetime) -> None:
    """Go out of the group of a round; who is in none stays in none."""
    round_ = _round_locked(conference, round_id)
    _refuse_choice(conference, round_, contact_id, at)
    seat = queries.seat_of(round_.id, contact_id)
    if seat is not None:
        _forget_changes(conference)
        db.session.delete(seat)
        db.session.flush()


def _refuse_choice(conference: Conference, round_: Round, contact_id: int, at: datetime) -> None:
    _refuse_unless_live(conference)
    _refuse_strangers(conference, contact_id)
    item = round_.agenda_item
    if item is None or item.ends_at <= at:
        raise Refused(_("Round %(number)d is over.", number=round_.number))


def _in_room(group: Group) -> int:
    """How many sit in the room of the group in its round: groups may share one."""
    query = (
        select(func.count(Seat.id))
        .join(Group, Group.id == Seat.group_id)
        .where(Group.round_id == group.round_id, Group.room_id == group.room_id)
    )
    return db.session.scalar(query) or 0
