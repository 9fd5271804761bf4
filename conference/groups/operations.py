"""Forming groups, moving by hand, publishing."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext
from sqlalchemy import delete, func, select

from ..accounts.models import Account
from ..agenda.queries import breakout_items
from ..conferences.models import Conference, Room, Topic
from ..conferences.operations import letter
from ..conferences.queries import room_of, topics_of
from ..core import grouping
from ..invitations.models import LinkPurpose
from ..invitations.operations import link_url, personal_link
from ..kit.db import db, found, next_number, one_locked
from ..kit.errors import Refused, check_version
from ..outbox.operations import NewMail, queue
from ..providers.models import Contact
from ..registrations.queries import participants
from . import queries
from .models import Forming, FormingState, Group, GroupsRelease, Round, Seat, SeatingChange
from .tasks import Task, Trouble, in_words, people_of, task_of, trouble_of

MOST_ITERATIONS = 20_000
"""Measured with forty people and wishes: more finds nothing better, and it takes two to three seconds."""
MOST_UNDONE = 20
"""So many changes can be taken back."""


def _locked(conference: Conference) -> Conference:
    return found(one_locked(select(Conference).where(Conference.id == conference.id)))


def _round_locked(conference: Conference, round_id: int) -> Round:
    return found(one_locked(select(Round).where(Round.id == round_id, Round.conference_id == conference.id)))


def prepare_rounds(conference: Conference) -> list[Round]:
    """One round for each breakout item of the agenda, in its order; rounds that are there keep their groups.

    A round whose item is gone loses its groups, but stays: ideas may have been collected in it. It is not returned.
    Raises Refused when there is no breakout item.
    """
    _locked(conference)
    items = breakout_items(conference)
    if not items:
        raise Refused(_("The agenda has no breakout groups yet. Add them to the agenda first."))
    known = {round_.number: round_ for round_ in queries.rounds_of(conference)}
    for number, item in enumerate(items, 1):
        if number not in known:
            known[number] = Round(conference_id=conference.id, number=number)
            db.session.add(known[number])
        known[number].agenda_item = item
    for number in set(known) - set(range(1, len(items) + 1)):
        known[number].agenda_item = None
        for group in queries.groups_of(known[number]):
            db.session.delete(group)
    db.session.flush()  # groups refer to the ids
    return [known[number] for number in range(1, len(items) + 1)]


def steps_for(problem: grouping.Problem) -> int:
    """So many steps of the search are worth waiting for."""
    return min(MOST_ITERATIONS, grouping.default_iterations(problem))


def seat_everybody(
    conference: Conference,
    task: Task,
    solution: grouping.Solution,
    account: Account | None = None,
    *,
    at: datetime,
) -> None:
    """Replace the seats of all rounds by the solution; pinned seats are where they were.

    Raises Refused when the groups were changed while the solution was sought.
    """
    if queries.state_of(conference) != task.state:
        raise Refused(in_words({"code": "changed"}, (), {}))
    rounds = queries.rounds_of(conference)[: task.problem.rounds]
    remember(conference, rounds, "forming", {}, account, at=at)
    for round_, seating in zip(rounds, solution.seating, strict=True):
        _seat(round_, seating, task)
        round_.version += 1
    db.session.flush()  # lists in the same transaction must show it


def _seat(round_: Round, seating: Mapping[str, Sequence[str]], task: Task) -> None:
    pinned = task.pinned(round_.number)
    db.session.execute(delete(Seat).where(Seat.round_id == round_.id))
    groups = {group.name: group for group in queries.groups_of(round_)}
    for name in set(groups) - set(task.rooms):
        db.session.delete(groups.pop(name))
    for name, room_id in task.rooms.items():
        if name not in groups:
            groups[name] = Group(round_id=round_.id, name=name, room_id=room_id, topic_id=task.topics[name])
            db.session.add(groups[name])
    db.session.flush()  # seats need the ids
    there = queries.still_there(int(person) for people in seating.values() for person in people)
    for name, people in seating.items():
        for person in (one for one in people if int(one) in there):
            seat = Seat(
                round_id=round_.id, group_id=groups[name].id, contact_id=int(person), pinned=person in pinned
            )
            db.session.add(seat)


def form_groups(
    conference: Conference,
    tables: int,
    account: Account | None,
    *,
    at: datetime,
    seed: int = 1,
    iterations: int | None = None,
) -> Forming:
    """Form and store in one go, for the demo and for tests; pages leave it to the worker (`forming.ask`).

    Raises Refused when there is no breakout item, the rooms are too small or the rules conflict.
    """
    rounds = prepare_rounds(conference)
    task = task_of(conference, tables, len(rounds))
    problem = task.problem
    planned = steps_for(problem) if iterations is None else iterations
    try:
        solution = grouping.solve(problem, seed=seed, iterations=planned)
    except (grouping.Contradiction, grouping.NotFound) as error:
        raise Refused(words_for(trouble_of(error, problem), problem, task.sources)) from error
    seat_everybody(conference, task, solution, account, at=at)
    forming = Forming(
        conference=conference,
        account=account,
        asked_at=at,
        state=FormingState.DONE,
        seed=seed,
        tables=tables,
        problem=grouping.problem_to_json(problem),
        setting=task.setting,
        steps_done=solution.iterations,
        steps_planned=planned,
        ended_at=at,
        result=grouping.to_json(solution),
    )
    db.session.add(forming)
    db.session.flush()  # lists in the same transaction must show it
    return forming


def words_for(trouble: Trouble, problem: grouping.Problem, sources: Sequence[str] = ()) -> str:
    """Why nothing came out, in words with the names of the people whom the rules speak of."""
    numbers = trouble.get("rules", ())
    rules = [problem.rules[number] for number in numbers]
    known = [sources[number] for number in numbers] if sources else []
    return in_words(trouble, rules, queries.names_in(people_of(rules)), known)


def move_seat(
    conference: Conference,
    round_id: int,
    contact_id: int,
    group_id: int | None,
    version: int | None,
    account: Account | None = None,
    *,
    at: datetime,
) -> Group | None:
    """Put a person into another group of the round, or (None) out of it; gives the group.

    Raises Stale when somebody else moved meanwhile, Refused when the room is full or the person takes no part.
    """
    round_ = _round_locked(conference, round_id)
    check_version(version, round_.version)
    seat, group = queries.seat_of(round_.id, contact_id), None
    if seat is None and contact_id not in {contact.id for contact in participants(conference)}:
        raise Refused(_("This person takes no part in the conference."))
    if group_id is not None:
        group = found(queries.group_of(conference, group_id))
        if group.round_id != round_.id:
            raise Refused(_("This group belongs to another round."))
    if (seat.group_id if seat else None) == group_id:
        return group
    remember(conference, [round_], "move", {"contact": contact_id}, account, at=at)
    if group is not None:
        _place(seat, group, contact_id)
    elif seat is not None:
        db.session.delete(seat)
    round_.version += 1
    db.session.flush()  # the room's seats are counted in the next move
    return group


def swap_seats(
    conference: Conference,
    round_id: int,
    contact_id: int,
    other_id: int,
    version: int | None,
    account: Account | None = None,
    *,
    at: datetime,
) -> tuple[Group, Group]:
    """Let two people of one round change seats; gives the new groups of both. Full rooms stay as full as they are.

    Raises Stale when somebody else moved meanwhile, Refused unless both sit in different groups.
    """
    round_ = _round_locked(conference, round_id)
    check_version(version, round_.version)
    one, other = queries.seat_of(round_.id, contact_id), queries.seat_of(round_.id, other_id)
    if one is None or other is None:
        raise Refused(_("Only two people who both sit in a group can change places."))
    if one.group_id == other.group_id:
        raise Refused(_("Both sit in the same group already."))
    remember(conference, [round_], "swap", {"contact": contact_id, "other": other_id}, account, at=at)
    one.group, other.group = other.group, one.group
    round_.version += 1
    db.session.flush()
    return one.group, other.group


def _place(seat: Seat | None, group: Group, contact_id: int) -> None:
    if group.room is not None and _taken(group) >= group.room.capacity:
        full = ngettext(
            "The room of group %(name)s is full (%(num)d seat).",
            "The room of group %(name)s is full (%(num)d seats).",
            group.room.capacity,
            name=group.name,
        )
        raise Refused(full)
    if seat is None:
        db.session.add(Seat(round_id=group.round_id, group_id=group.id, contact_id=contact_id))
    else:
        seat.group = group


def pin(
    conference: Conference,
    round_id: int,
    contact_id: int,
    pinned: bool,
    account: Account | None = None,
    *,
    at: datetime,
) -> None:
    """Keep a person where they sit when groups are formed anew, or let go of them. Raises Refused without a seat."""
    round_ = _round_locked(conference, round_id)
    seat = queries.seat_of(round_.id, contact_id)
    if seat is None:
        raise Refused(_("Only who sits in a group can be pinned there."))
    if seat.pinned != pinned:
        kind = "pin" if pinned else "unpin"
        remember(conference, [round_], kind, {"contact": contact_id}, account, at=at)
    seat.pinned = pinned


# -- undoing ----------------------------------------------------------


def remember(
    conference: Conference,
    rounds: Sequence[Round],
    kind: str,
    about: dict[str, int],
    account: Account | None,
    *,
    at: datetime,
) -> None:
    """Keep what is there before it changes, so that it can be undone; the oldest is forgotten."""
    before = queries.snapshot(conference, [round_.id for round_ in rounds])
    if not any(one["groups"] for one in before):
        return  # nothing that anybody would want back
    numbers = [round_.number for round_ in rounds]
    change = SeatingChange(
        conference_id=conference.id,
        account_id=account.id if account else None,
        changed_at=at,
        kind=kind,
        about=about | {"rounds": numbers},
        before=before,
    )
    db.session.add(change)
    db.session.flush()  # its id tells it from older ones
    newest = (
        select(SeatingChange.id)
        .where(SeatingChange.conference_id == conference.id)
        .order_by(SeatingChange.id.desc())
        .limit(MOST_UNDONE)
    )
    kept = list(db.session.scalars(newest))
    db.session.execute(
        delete(SeatingChange).where(SeatingChange.conference_id == conference.id, SeatingChange.id < kept[-1])
    )


def undo(conference: Conference, change_id: int | None) -> SeatingChange:
    """Take the last change back: who sat where, and who was pinned, before it. Gives the change.

    Raises Refused when there is none, Stale when it is not the last one any more (somebody else changed something, or
    the button was pressed twice).
    """
    _locked(conference)
    change = queries.last_change(conference)
    if change is None:
        raise Refused(_("There is nothing to undo."))
    check_version(change_id, change.id)
    rounds = {round_.id: round_ for round_ in queries.rounds_of(conference)}
    for before in change.before:
        if before["round"] in rounds:
            _restore(rounds[before["round"]], before["groups"])
    if "repair" in change.about:  # it is what stands no longer
        db.session.execute(delete(Forming).where(Forming.id == change.about["repair"]))
    db.session.delete(change)
    db.session.flush()
    return change


def _restore(round_: Round, before: Sequence[Mapping[str, Any]]) -> None:
    groups = {group.name: group for group in queries.groups_of(round_)}
    db.session.execute(delete(Seat).where(Seat.round_id == round_.id))
    for name in set(groups) - {one["name"] for one in before}:
        db.session.delete(groups.pop(name))
    there = queries.still_there(person for one in before for person, _pinned in one["seats"])
    for one in before:
        if one["name"] not in groups:
            groups[one["name"]] = _group_again(round_, one)
        db.session.flush()  # seats need the id
        db.session.add_all(
            Seat(round_id=round_.id, group_id=groups[one["name"]].id, contact_id=person, pinned=pinned)
            for person, pinned in one["seats"]
            if person in there
        )
    round_.version += 1


def _group_again(round_: Round, one: Mapping[str, Any]) -> Group:
    room = db.session.get(Room, one["room"]) if one["room"] else None
    topic = db.session.get(Topic, one["topic"]) if one["topic"] else None
    group = Group(
        round_id=round_.id, name=one["name"], room=room, topic=topic, focus_question=one["question"]
    )
    db.session.add(group)
    return group


def change_group(
    conference: Conference, group: Group, topic_id: int | None, room_id: int | None, question: str
) -> None:
    """Give a group its topic, room and focus question. Raises Refused when the room is too small."""
    _round_locked(conference, group.round_id)
    room = room_of(conference, room_id) if room_id is not None else None
    if room is not None and room.capacity < _taken(group):
        raise Refused(
            ngettext(
                "%(room)s has only %(num)d seat.",
                "%(room)s has only %(num)d seats.",
                room.capacity,
                room=room.name,
            )
        )
    group.topic = next((topic for topic in topics_of(conference) if topic.id == topic_id), None)
    group.room, group.focus_question = room, question


def _taken(group: Group) -> int:
    return db.session.scalar(select(func.count(Seat.id)).where(Seat.group_id == group.id)) or 0


def publish(
    conference: Conference, account: Account | None, version: int | None = None, *, at: datetime
) -> GroupsRelease:
    """Freeze the present plan as what participants see. Without a change there is no new version: two at once make one.

    `version` is the number that was published when the person looked. Raises Stale when somebody else has published
    since, Refused when nobody has a seat.
    """
    _locked(conference)
    if queries.is_live(conference):
        raise Refused(_("In an Open Space nothing is published: participants see their choice at once."))
    plan = queries.plan_as_published(conference)
    if not any(entry["contact_ids"] for entry in plan):
        raise Refused(_("Nobody has a seat yet. Form the groups first."))
    newest = queries.latest_release(conference)
    is_mine = newest is not None and newest.account_id == (account.id if account else None)
    if newest is not None and newest.plan == plan and (version is None or is_mine):
        return newest
    check_version(version, newest.number if newest else 0)
    if newest is not None and newest.plan == plan:
        return newest
    release = GroupsRelease(
        conference_id=conference.id,
        number=next_number(GroupsRelease.number, GroupsRelease.conference_id == conference.id),
        account_id=account.id if account else None,
        released_at=at,
        plan=plan,
    )
    db.session.add(release)
    db.session.flush()  # the number must be taken
    return release


def tell(conference: Conference, release: GroupsRelease, *, at: datetime) -> int:
    """Write to everybody whose table, room or time differs from the version before; once for each version.

    Returns the number of letters.
    """
    people = {contact.id: contact for contact in queries.to_be_told(conference, release)}
    before = queries.release_numbered(conference, release.number - 1)
    for contact in people.values():
        queue(_letter(conference, release, before, contact, at), at=at)
    return len(people)


def _letter(
    conference: Conference,
    release: GroupsRelease,
    before: GroupsRelease | None,
    contact: Contact,
    at: datetime,
) -> NewMail:
    url = link_url(personal_link(conference, contact, LinkPurpose.INVITATION, at=at))
    seats = [entry | times_of(entry) for entry in release.plan if contact.id in entry["contact_ids"]]
    return letter(
        conference,
        "groups",
        (contact.name, str(contact.email)),
        purpose=f"groups:{conference.id}:{release.number}:{contact.id}",
        context={"contact": contact, "seats": seats, "is_first": before is None},
        button=(_l("See my groups"), url),
        batch=f"groups:{conference.id}:{release.number}",
    )


def times_of(entry: Mapping[str, Any]) -> dict[str, datetime | None]:
    """The times of a published seat as moments."""
    return {
        key: datetime.fromisoformat(entry[key]) if entry[key] else None for key in ("starts_at", "ends_at")
    }
