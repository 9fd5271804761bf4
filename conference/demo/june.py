"""June, from the first key fact to the released minutes."""

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select

from ..accounts import operations as accounts
from ..accounts.models import Account, Role
from ..actions import letters
from ..actions import operations as actions
from ..actions import queries as action_queries
from ..actions.models import Action, ActionStatus, Decision
from ..agenda import operations as agenda
from ..agenda import queries as agenda_queries
from ..agenda.models import ItemKind
from ..conferences import operations as conferences
from ..conferences.models import Conference
from ..conferences.queries import conference_by_slug, rooms_of, topics_of
from ..core.sheets import Sheet
from ..groups import methods
from ..groups import operations as groups
from ..groups import queries as group_queries
from ..groups.models import RuleKind
from ..ideas import operations as ideas
from ..ideas import queries as idea_queries
from ..invitations import imports
from ..invitations import operations as invitations
from ..invitations.models import Invitation
from ..invitations.queries import guest_list
from ..kit import pdf, unit
from ..kit.db import db
from ..minutes import operations as minutes
from ..minutes import queries as minutes_queries
from ..outbox import operations as outbox
from ..people import operations as people
from ..people.queries import facilitators_of
from ..registrations import operations as registrations
from ..registrations.models import ConsentKind, Presence
from ..sheets import operations as sheets
from ..sheets import queries as sheet_queries
from ..voting import operations as voting
from ..voting.models import VoteSubject
from ..voting.queries import entitled_ids, options_of
from . import words

SLUG = "june-2023"
FOLDER = Path(__file__).parent
BERLIN = ZoneInfo("Europe/Berlin")
DAY = date(2023, 6, 6)


def at(day: str, clock: str) -> datetime:
    """A moment on German clocks."""
    return datetime.combine(date.fromisoformat(day), time.fromisoformat(clock), BERLIN).astimezone(UTC)


def hold() -> None:
    """Carry June from the first key fact to the notes of the day, step by step, each in its own transaction."""
    _do(
        _staff, _conference, _agenda, _guests, _invite, _answers, _form_groups, _attendance, _ideas, _sheets, _vote, _results,
        _notes, _frame,
    )  # fmt: skip


def conclude() -> None:
    """Release the minutes, write to the responsible, take their reports."""
    _release()
    _do(_write_to_responsible, _reports)
    deliver()


def _do(*steps: Callable[[], object]) -> None:
    for step in steps:
        with unit.writing():
            step()


def june() -> Conference:
    """The conference, read anew in each step."""
    found = conference_by_slug(SLUG)
    assert found is not None
    return found


def organiser() -> Account:
    """The demo's organiser."""
    return db.session.scalars(select(Account).where(Account.role == Role.ORGANISER)).one()


def deliver() -> None:
    """Empty the outbox: in demo mode the outbox page is the mailbox."""
    outbox.deliver_demo_mail(at("2023-07-03", "08:00"))


def _staff() -> None:
    moment = at("2023-04-03", "09:00")
    accounts.create_account("nora.wiegand@agentur.example", "Nora Wiegand", Role.ORGANISER, None, at=moment)
    accounts.create_account(
        "verena.tiemann@agentur.example", "Verena Tiemann", Role.LEADERSHIP, None, at=moment
    )
    accounts.create_account("mira.lohmann@agentur.example", "Mira Lohmann", Role.MODERATOR, None, at=moment)


def _conference() -> None:
    moment = at("2023-04-03", "09:15")
    series = conferences.create_series(
        organiser(), "Bildungsträgerkonferenz", "Agentur für Arbeit Herford", at=moment
    )
    conferences.add_member(
        series, db.session.scalars(select(Account).where(Account.role == Role.LEADERSHIP)).one()
    )
    facilitator = db.session.scalars(select(Account).where(Account.role == Role.MODERATOR)).one()
    conferences.give_role(facilitator, Role.MODERATOR, series, by=organiser(), at=moment)
    fields = conferences.ConferenceFields(
        title="Bildungsträgerkonferenz Juni 2023",
        slug=SLUG,
        focus_question=words.FOCUS_QUESTION,
        day=DAY,
        begin=time(9, 30),
        end=time(15, 0),
        answer_by=date(2023, 5, 26),
        venue="Agentur für Arbeit Herford",
        address="Hansastraße 33, 32049 Herford",
        seats=60,
        organiser_name="Nora Wiegand",
        organiser_email="konferenz@agentur.example",
        organiser_phone="05221 000-123",
    )
    conference = conferences.create_conference(series, fields, at=moment)
    for name, capacity in words.ROOMS:
        conferences.add_room(conference, name, capacity)
    for title in words.TOPICS:
        conferences.add_topic(conference, title)


def _agenda() -> None:
    conference = june()
    rooms = {room.name: room.id for room in rooms_of(conference)}
    for clock, length, kind, title, person, room in words.AGENDA:
        fields = agenda.ItemFields(
            kind=ItemKind(kind),
            title=title,
            description="",
            day=DAY,
            clock=time.fromisoformat(clock),
            duration=timedelta(minutes=length),
            room_id=rooms.get(room or ""),
            person=person,
            internal=False,
        )
        agenda.add_item(conference, fields, at=at("2023-04-17", "10:00"))


def _guests() -> None:
    data = (FOLDER / "einladungsliste.csv").read_bytes()
    imports.import_file(june(), data, "einladungsliste.csv", dry_run=False, at=at("2023-04-24", "09:00"))


def _invite() -> None:
    conference = june()
    invitations.send_invitations(conference, guest_list(conference), at=at("2023-05-02", "08:30"))


def _answers() -> None:
    conference = june()
    topics = topics_of(conference)
    for number, invitation in enumerate(guest_list(conference)):
        moment = at("2023-05-03", "09:00") + timedelta(hours=7 * number)
        email = invitation.contact.email or ""
        if email in words.DECLINED:
            registrations.decline(invitation, "Terminüberschneidung", at=moment)
        elif email not in words.SILENT:
            registrations.accept(invitation, _answer(invitation, number, topics), at=moment)


def _answer(invitation: Invitation, number: int, topics: list[Any]) -> registrations.Answer:
    email = invitation.contact.email or ""
    wished = tuple(topics[(number + shift) % len(topics)].id for shift in range(number % 3))
    consents = {ConsentKind.LIST} | ({ConsentKind.PHOTO} if number % 3 else set())
    return registrations.Answer(
        name=invitation.contact.name,
        diet=words.DIETS.get(email, ""),
        access_needs=words.ACCESS.get(email, ""),
        consents=frozenset(consents),
        wishes=wished,
    )


def _form_groups() -> None:
    conference = june()
    guests = {invitation.contact.email: invitation.contact_id for invitation in guest_list(conference)}
    for kind, emails, table in words.GROUP_RULES:
        rule = methods.NewRule(RuleKind(kind), tuple(guests[email] for email in emails), table)
        methods.add_rule(conference, rule, organiser(), at=at("2023-06-02", "10:45"))
    groups.prepare_rounds(conference)
    groups.form_groups(conference, 5, organiser(), at=at("2023-06-02", "11:00"))
    groups.publish(conference, organiser(), at=at("2023-06-05", "15:00"))
    moment = at("2023-06-05", "15:10")
    for grant in facilitators_of(conference, moment):
        for table, number in words.FACILITATED:
            people.assign_group(conference, grant, table, number, organiser(), at=moment)


def _attendance() -> None:
    conference = june()
    for number, invitation in enumerate(guest_list(conference)):
        email = invitation.contact.email
        presence = Presence.PRESENT
        if email in words.EXCUSED:
            presence = Presence.EXCUSED
        elif email in words.ABSENT:
            presence = Presence.ABSENT
        arrived = (
            at("2023-06-06", "09:05") + timedelta(minutes=number % 20)
            if presence is Presence.PRESENT
            else None
        )
        registrations.record_attendance(
            conference, invitation.contact_id, presence, at=at("2023-06-06", "09:40"), arrived_at=arrived
        )
    registrations.add_walk_in(
        conference, "Helga", "Nordmann", "Kreisvolkshochschule Nachbarkreis", "", at=at("2023-06-06", "09:50")
    )


def _ideas() -> None:
    conference = june()
    ideas.points_for(conference)
    ideas.open_collection(conference, at=at("2023-06-06", "11:20"))
    ideas.import_ideas(
        conference, (FOLDER / "ideen.csv").read_bytes(), "ideen.csv", at=at("2023-06-06", "13:30")
    )
    for heading, beginnings in words.CLUSTERS.items():
        cluster = ideas.make_cluster(conference, heading)
        for idea in idea_queries.ideas_of(conference):
            if any(idea.text.startswith(beginning) for beginning in beginnings):
                ideas.put_into(idea, cluster, idea.version)
    ideas.close_collection(conference, at=at("2023-06-06", "14:10"))


def _sheets() -> None:
    conference = june()
    ends = {1: "12:00", 2: "13:31"}
    seated = {
        (plan.round.number, group.group.name): group.seats[0].contact_id
        for plan in group_queries.plan_of(conference)
        for group in plan.groups
    }
    for one in sheet_queries.tables_of(conference):
        for number, table in enumerate(one.tables):
            if (one.round.number, table.name) not in words.SHEETS:
                continue
            question, results, open_points, proposal = words.SHEETS[one.round.number, table.name]
            moment = at("2023-06-06", ends[one.round.number]) + timedelta(seconds=50 * number)
            sheets.save(
                conference,
                one.round,
                table.name,
                Sheet(question, tuple(results), open_points, proposal),
                sheets.Writer(contact_id=seated[one.round.number, table.name] if number % 2 else None),
                hand_in=True,
                version=0,
                submission=f"demo-{one.round.number}-{table.name}",
                at=moment,
            )


def _vote() -> None:
    conference = june()
    vote = voting.create_vote(
        conference,
        "Welche Bündel gehen wir zuerst an?",
        VoteSubject.CLUSTERS,
        5,
        2,
        at=at("2023-06-06", "14:15"),
    )
    voting.open_vote(vote, at=at("2023-06-06", "14:16"))
    by_heading = {option.cluster.heading: option.id for option in options_of(vote) if option.cluster}
    for number, contact_id in enumerate(sorted(entitled_ids(conference))):
        if number % 16 != 15:
            voting.cast(
                vote,
                contact_id,
                _dots(number, by_heading),
                at=at("2023-06-06", "14:20") + timedelta(seconds=number),
            )
    voting.close_vote(vote, at=at("2023-06-06", "14:30"))


def _dots(number: int, by_heading: dict[str, int]) -> dict[int, int]:
    liked = words.PREFERENCES
    chosen: dict[int, int] = {}
    for step, dots in enumerate((2, 2, 1)):
        option = by_heading[liked[(number * 3 + step * 4 + number // 4) % len(liked)]]
        if option not in chosen:
            chosen[option] = dots
    return chosen


def _results() -> None:
    conference = june()
    clusters = {cluster.heading: cluster.id for cluster in idea_queries.clusters_of(conference)}
    people = {invitation.contact.email: invitation.contact_id for invitation in guest_list(conference)}
    decided: list[Decision] = []
    for wording, manner, (kind, heading) in words.DECISIONS:
        source = actions.Source(kind, clusters[heading])
        decided.append(actions.decide(conference, wording, manner, source, at=at("2023-06-06", "14:40")))
    for entry in words.ACTIONS:
        fields = actions.ActionFields(
            title=entry["title"],
            description=entry["description"],
            responsible_id=people[entry["responsible"]],
            supporters=entry["supporters"],
            due_on=date.fromisoformat(entry["due"]),
            source=actions.Source(entry["source"][0], clusters[entry["source"][1]]),
            decision_id=decided[entry["decision"] - 1].id if entry["decision"] else None,
        )
        actions.create_action(conference, fields, at=at("2023-06-06", "14:42"))


def _write_to_responsible() -> None:
    letters.notify_responsible(june(), at=at("2023-06-08", "11:30"))


def _reports() -> None:
    by_title: dict[str, Action] = {action.title: action for action in action_queries.actions_of(june())}
    for entry in words.ACTIONS:
        action = by_title[entry["title"]]
        for day, status, text in entry["reports"]:
            actions.report(
                action,
                ActionStatus(status),
                action.due_on,
                text,
                action.responsible.name,
                action.version,
                at=at(day, "10:00"),
            )


def _notes() -> None:
    for item in agenda_queries.items_of(june()):
        if item.title in words.NOTES:
            agenda.save_note(item, words.NOTES[item.title], 0, organiser(), at=at("2023-06-07", "09:00"))


def _frame() -> None:
    minutes.save_frame(
        june(),
        chair="Verena Tiemann",
        moderator="Holger Kasten",
        minute_taker="Nora Wiegand",
        summary=(
            "34 Ideen aus zwei Runden und dem Plenum, acht Bündel, eine Abstimmung: Am wichtigsten sind ein gemeinsamer "
            "Kurskalender, Kurse für Eltern und feste Wege zwischen Agentur und Trägern. Sechs Maßnahmen sind vereinbart."
        ),
        version=None,
        at=at("2023-06-07", "09:30"),
    )


def _release() -> None:
    moment = at("2023-06-08", "11:00")
    with unit.reading():
        document = minutes_queries.compile_draft(june(), at=moment)
        released = minutes.as_released(document, number=1, released_by="Verena Tiemann", at=moment)
        html = minutes.html_of(released)
    content = pdf.render(html)
    with unit.writing():
        release = minutes.release(june(), released, content, organiser(), at=moment)
        minutes.mail_release(release, at=moment + timedelta(minutes=5))
