"""A small world in which every form of the product is on some page: two conferences, people in every state, staff, guests."""

from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

from flask import Flask
from werkzeug.test import Client

from conference.accounts.models import Role
from conference.accounts.queries import first_account_of
from conference.actions import operations as actions
from conference.agenda import operations as agenda
from conference.agenda.models import ItemKind
from conference.conferences import operations as conferences
from conference.conferences.queries import conference_by_slug
from conference.groups import forming, methods, open_space, repairing, timer
from conference.groups import operations as groups
from conference.groups.models import FormingState, Method, RuleKind
from conference.groups.queries import groups_of, plan_of, rounds_of
from conference.ideas import operations as ideas
from conference.invitations import imports
from conference.invitations import operations as invitations
from conference.invitations.models import LinkPurpose
from conference.kit import links, unit
from conference.kit.db import db
from conference.minutes import operations as minutes
from conference.minutes import queries as drafts
from conference.outbox import operations as outbox
from conference.outbox.models import MailState
from conference.people import operations as people
from conference.people.models import AccountLink
from conference.privacy import operations as privacy
from conference.privacy.models import AccessLink, RequestKind
from conference.registrations import operations as registrations
from conference.registrations import seats
from conference.registrations.models import ConsentKind, Presence
from conference.registrations.queries import participants, registrations_of
from conference.sheets import operations as sheets
from conference.sheets import queries as sheet_queries
from conference.voting import operations as voting
from conference.voting.models import VoteSubject

from .builders import (
    JUNE,
    NOW,
    a_conference,
    a_contact,
    a_participant,
    a_passkey,
    a_personal_link,
    a_series,
    a_session,
    a_sheet,
    a_visit,
    an_account,
    an_action,
    an_answer,
    an_invitation,
    an_item,
    some_ideas,
)

LIST = Path(__file__).parent / "data" / "einladungsliste.csv"
PAST = datetime(2023, 3, 7, 8, 0, tzinfo=UTC)
COMING, OVER, EMPTY, OPEN = "june-2023", "march-2023", "september-2023", "october-2023"
OFFERS = "november-2023"


@dataclass
class World:
    """Who walks about, and where each one starts."""

    app: Flask
    visitors: dict[str, Client] = field(default_factory=dict)
    starts: dict[str, list[str]] = field(default_factory=dict)
    open_guest: int = 0
    failed_mail: int = 0
    being_formed: int = 0
    limited: int = 0
    privacy: list[str] = field(default_factory=list)

    def add(self, name: str, starts: list[str], **session: Any) -> None:
        """A visitor with this session."""
        client = self.app.test_client()
        with client.session_transaction() as kept:
            kept.update(session | (a_visit(session["guest"]) if "guest" in session else {}))
        self.visitors[name], self.starts[name] = client, starts


def build(app: Flask) -> World:
    """Fill the empty database by the operations that people use."""
    world = World(app)
    with app.app_context(), app.test_request_context(), unit.writing():
        organiser = an_account()
        leadership = an_account(Role.LEADERSHIP)
        admin = an_account(Role.ADMIN)
        series = a_series(organiser)
        conferences.add_member(series, leadership)
        _over(world, series, organiser)
        _coming(world, series, organiser)
        empty = {
            "slug": EMPTY,
            "day": date(2023, 9, 5),
            "answer_by": date(2023, 8, 25),
            "title": "Leere Konferenz",
        }
        later = conferences.create_conference(series, replace(JUNE, **empty), at=NOW)
        sheets.close(later, organiser, at=NOW)
        _open_space(world, series)
        _offers(world, series)
        world.add("nobody", ["/", "/sign-in", "/ideas", "/outbox", "/patterns", f"/programme/{COMING}"])
        starts = [
            "/",
            "/series/new",
            f"/conferences/{COMING}/mailing/updates",
            f"/conferences/{COMING}/groups/method",
            f"/conferences/{COMING}/groups/rules?kind=apart",
            f"/conferences/{COMING}/groups/rules?kind=at",
            f"/conferences/{COMING}/guests/{world.open_guest}",
            f"/conferences/{COMING}/outbox/{world.failed_mail}",
            f"/conferences/{OVER}/groups/time",
            f"/conferences/{OFFERS}/seats/{world.limited}",
        ]
        starts += world.privacy
        world.add("organiser", starts, **a_session(app, organiser))
        world.add("leadership", ["/"], **a_session(app, leadership))
        world.add("facilitator", ["/"], **a_session(app, _facilitator(organiser)))
        starts = _house(world, series, organiser)
        outbox.hold(at=NOW)
        world.add(
            "administration",
            ["/upkeep", "/inbox", "/feedback", f"/conferences/{OVER}/archive", *starts],
            **a_session(app, admin),
        )
    return world


def _facilitator(organiser: Any) -> Any:
    """Somebody who leads table A of the conference that comes."""
    june, account = conference_by_slug(COMING), an_account(Role.COLLEAGUE)
    grant = conferences.give_role(account, Role.MODERATOR, june, by=organiser, at=NOW)
    people.assign_group(june, grant, "A", 0, organiser, at=NOW)
    return account


def _house(world: World, series: Any, organiser: Any) -> list[str]:
    """A closed account, and a colleague who has not chosen a password yet."""
    closed = an_account()
    people.close_account(closed, at=NOW)
    june = conference_by_slug(COMING)
    for place in (series, june):
        address = f"neu.{type(place).__name__.lower()}@agentur.example"
        people.invite_colleague(place, address, "Neu Beispiel", Role.DOOR, None, organiser, at=NOW)
    link = db.session.query(AccountLink).order_by(AccountLink.id.desc()).first()
    world.add("newcomer", ["/password", f"/password/{links.token_of(link.nonce)}"])
    guarded = an_account(Role.COLLEAGUE)
    guarded.totp_nonce = links.new_nonce()
    passkey = a_passkey(guarded)
    own = [
        f"/account/passkeys/{passkey.id}",
        f"/account/passkeys/{passkey.id}/removal",
        "/account/recovery-codes",
        "/account/second-factor/removal",
    ]
    world.add("guarded", ["/account", *own], **a_session(world.app, guarded))
    world.add("half", ["/sign-in/code"], half=[guarded.id, int(NOW.timestamp())], way="password")
    return [
        "/accounts",
        f"/accounts/{guarded.id}",
        f"/accounts/{closed.id}",
        f"/series/{series.slug}/people",
    ]


def _over(world: World, series: Any, organiser: Any) -> None:
    day = {
        "day": date(2023, 3, 7),
        "answer_by": date(2023, 3, 1),
        "slug": OVER,
        "title": "Bildungsträgerkonferenz März 2023",
    }
    past = conferences.create_conference(series, replace(JUNE, **day), at=PAST)
    present = a_participant(past)
    veteran = an_invitation(past)
    registrations.accept(veteran, an_answer(name=veteran.contact.name), at=PAST - timedelta(days=14))
    world.add("veteran", ["/my"], guest=a_personal_link(veteran).id)
    item = an_item(past, "Vortrag")
    agenda.save_note(item, "Wir beginnen.", 0, None, at=PAST)
    idea = some_ideas(past, "Ein gemeinsamer Kalender", "Mehr Kaffee")[0]
    cluster = ideas.make_cluster(past, "Kalender")
    ideas.put_into(idea, cluster, idea.version)
    vote = voting.create_vote(past, "Womit beginnen wir?", VoteSubject.CLUSTERS, 3, 3, at=PAST)
    voting.open_vote(vote, at=PAST)
    voting.close_vote(vote, at=PAST)
    ideas.close_collection(past, at=PAST)
    an_item(past, "Runde", "13:00", 45, kind=ItemKind.BREAKOUT)
    asked = forming.ask(past, 1, organiser, at=PAST)
    world.being_formed = asked.id
    timer.start(past, rounds_of(past)[0].id, 480, 0, organiser, at=NOW)
    source = actions.Source("cluster", cluster.id)
    decision = actions.decide(past, "Es gibt einen Kalender.", "im Konsens", source, at=PAST)
    action = an_action(past, responsible=present.contact, decision_id=decision.id, at=PAST)
    link = invitations.personal_link(past, present.contact, LinkPurpose.ACTION, at=NOW)
    world.add("responsible", [f"/action/{links.token_of(link.nonce)}"])
    frame = {"chair": "Vera Vorsitz", "moderator": "", "minute_taker": "Nora Beispiel", "summary": ""}
    minutes.save_frame(past, **frame, version=None, at=PAST)
    draft = drafts.compile_draft(past, at=NOW)
    document = minutes.as_released(draft, number=1, released_by=organiser.name, at=NOW, zone=past.zone)
    minutes.release(past, document, b"%PDF-1.7", organiser, at=NOW)
    assert action.id


def _coming(world: World, series: Any, organiser: Any) -> None:
    june = a_conference(organiser, series, seats=3, answer_by=date(2023, 6, 5))
    rooms = [conferences.add_room(june, name, 10) for name in ("Raum 1", "Raum 2")]
    topics = [conferences.add_topic(june, title) for title in ("Planung", "Familie", "Betriebe")]
    an_item(june, "Ankommen", room_id=rooms[0].id, person="Vera Vorsitz")
    an_item(june, "Runde 1", "10:00", 45, kind=ItemKind.BREAKOUT)
    an_item(june, "Runde 2", "11:00", 45, kind=ItemKind.BREAKOUT)
    lost = an_item(june, "Runde 3", "12:00", 45, kind=ItemKind.BREAKOUT)
    _guests(world, june, [topic.id for topic in topics])
    groups.form_groups(june, 2, organiser, at=NOW, iterations=100)
    agenda.remove_item(lost, at=NOW)
    tables = plan_of(june)[0]
    groups.pin(june, tables.round.id, tables.groups[0].seats[0].contact_id, True, at=NOW)
    timer.start(june, tables.round.id, 45, 0, organiser, at=NOW)
    timer.pause(june, tables.round.id, 1, organiser, at=NOW)
    groups.publish(june, organiser, at=NOW)
    moved = tables.groups[1].seats[0]
    groups.move_seat(june, tables.round.id, moved.contact_id, None, None, at=NOW)
    methods.choose_method(june, Method.WORLD_CAFE, 2, 0)
    pair = tuple(person.id for person in participants(june)[:2])
    methods.add_rule(june, methods.NewRule(RuleKind.APART, pair), organiser, at=NOW)
    _day(world, june)
    _sheets(world, june)
    _lists(june, organiser)
    _mails(world, june)
    _privacy(world, june)
    # After the letters: now they must be told of it; and items lie on a day that is no longer that of the conference.
    fields = replace(JUNE, day=date(2023, 6, 7), begin=time(9, 0), seats=9, answer_by=date(2023, 6, 5))
    conferences.change_conference(june, fields, june.version, at=NOW + timedelta(minutes=5))
    _proposed(june, organiser)


def _proposed(june: Any, organiser: Any) -> None:
    """A repair that waits to be taken over: somebody is to be pinned where they sit."""
    db.session.flush()
    first = plan_of(june)[1].groups[0]
    pin = (2, first.seats[0].contact_id, first.group.name)
    row = repairing.ask(june, organiser, repairing.Wanted(pins=(pin,)), at=NOW)
    row.state = FormingState.FOUND
    row.result = {"rounds": row.setting["seats"], "moves": [], "is_minimal": True}


def _open_space(world: World, series: Any) -> None:
    fields = {"slug": OPEN, "day": date(2023, 10, 5), "answer_by": date(2023, 9, 25), "title": "Freie Wahl"}
    free = conferences.create_conference(series, replace(JUNE, **fields), at=NOW)
    room = conferences.add_room(free, "Saal", 10)
    an_item(free, "Runde", "10:00", 45, kind=ItemKind.BREAKOUT)
    methods.choose_method(free, Method.OPEN_SPACE, None, 0)
    link = a_participant(free)
    titles = ("Kinderbetreuung", "Fahrtkosten", "Sprache", "Bus", "Bahn")
    placed, beside, mine, bus, train = (
        open_space.propose(free, title, "", link.contact_id, at=NOW) for title in titles
    )
    for concern in (placed, beside):
        group = open_space.place(free, concern.id, 1, room.id)
    open_space.choose(free, group.id, link.contact_id, at=NOW)
    open_space.merge(free, bus.id, train.id)
    assert mine.id
    world.add("free", ["/my/groups"], guest=link.id)


def _offers(world: World, series: Any) -> None:
    """Somebody has an offer, somebody has let two pass, and one organisation has a limit of its own."""
    fields = {
        "slug": OFFERS,
        "day": date(2023, 11, 7),
        "answer_by": date(2023, 10, 25),
        "title": "Plätze",
        "seats": 2,
    }
    june = conferences.create_conference(series, replace(JUNE, **fields), at=NOW)
    seats.set_rules(june, seats.Rules(4, 336), 0, at=NOW)
    first, second, silent, *more = [an_invitation(june, sent=True) for _ in range(5)]
    for guest in (first, second, silent):
        registrations.accept(guest, an_answer(name=guest.contact.name), at=NOW - timedelta(days=40))
    registrations.decline(first, "", at=NOW - timedelta(days=35))
    for days in (20, 5):
        seats.settle(june, at=NOW - timedelta(days=days))
    for guest in more:
        registrations.accept(guest, an_answer(name=guest.contact.name), at=NOW)
    registrations.decline(second, "", at=NOW)
    offered = a_personal_link(more[1])
    world.add("offered", ["/my", f"/invitation/{links.token_of(offered.nonce)}"], guest=offered.id)
    world.limited = more[0].contact.provider_id
    seats.set_exception(june, more[0].contact.provider, 1, "richtet aus", 0, at=NOW)
    conferences.change_conference(june, replace(JUNE, **fields | {"seats": 3}), june.version, at=NOW)


def _guests(world: World, june: Any, topics: list[int]) -> None:
    people = [an_invitation(june, sent=True) for _ in range(7)]
    an_invitation(june)  # not invited yet
    opened, declined, *answered = people
    world.open_guest = opened.id
    world.add("invited", [f"/invitation/{links.token_of(a_personal_link(opened).nonce)}"])
    registrations.decline(declined, "Urlaub", at=NOW)
    world.add(
        "declined",
        ["/my", f"/invitation/{links.token_of(a_personal_link(declined).nonce)}"],
        guest=a_personal_link(declined).id,
    )
    for guest in answered:
        answer = an_answer(
            name=guest.contact.name, wishes=tuple(topics[:2]), consents=frozenset({ConsentKind.LIST})
        )
        registrations.accept(guest, answer, at=NOW)
    privacy.ask(june, answered[0].contact, RequestKind.OBJECTION, "", at=NOW)
    a_personal_link(answered[0], "calendar")
    world.add(
        "registered", ["/my", "/my/data", "/my/groups", "/my/votes"], guest=a_personal_link(answered[0]).id
    )
    for guest in answered[:3]:
        registrations.record_attendance(june, guest.contact_id, Presence.PRESENT, at=NOW)


def _day(world: World, june: Any) -> None:
    first, second, third = some_ideas(june, "Ein Kalender", "Mehr Kaffee", "Ein Stammtisch")
    ideas.put_into(first, ideas.make_cluster(june, "Austausch"), first.version)
    ideas.make_cluster(june, "Verpflegung")
    ideas.hide(third, at=NOW)
    assert second.id
    code = ideas.points_for(june)[0].code
    world.add("thinker", [f"/ideas/{code}"])
    voting.open_vote(voting.create_vote(june, "Was zuerst?", VoteSubject.CLUSTERS, 3, 2, at=NOW), at=NOW)
    voting.create_vote(june, "Was danach?", VoteSubject.IDEAS, 3, 2, at=NOW)
    actions.decide(june, "Wir treffen uns wieder.", "", actions.Source("", None), at=NOW)
    an_action(june, responsible=a_contact(), at=NOW)


def _sheets(world: World, june: Any) -> None:
    first, second = sheet_queries.tables_of(june)
    for table, hand_in in ((first.tables[0], True), (second.tables[0], False)):
        a_sheet(june, table, "Ein Kalender", "Kurse am Vormittag", hand_in=hand_in)
    # Changed since: there is something to publish.
    last = second.tables[-1].group
    groups.change_group(june, last, last.topic_id, last.room_id, "Was hilft?")
    codes = {point.table: point.code for point in ideas.points_for(june)}
    table = first.tables[1].name
    world.add("scribe", [f"/ideas/{codes[table]}", f"/sheets/{codes[table]}/1"])


def _lists(june: Any, organiser: Any) -> None:
    for upload in range(2):
        head, *rows = LIST.read_bytes().splitlines(keepends=True)
        content = head + b"".join(rows[3 * upload : 3 * upload + 3])
        draft = imports.upload(june, organiser, LIST.name, imports.read(content, LIST.name), at=NOW)
        if upload == 0:
            imports.confirm(draft, {}, at=NOW)


def _privacy(world: World, june: Any) -> None:
    asker, restricted = an_invitation(june), an_invitation(june)
    asked = privacy.ask(june, asker.contact, RequestKind.ERASURE, "Bitte.", at=NOW)
    privacy.restrict(restricted.contact, at=NOW)
    report = privacy.give_feedback("/my", "Der Kontrast ist gering.", "", at=NOW)
    nonce = links.new_nonce()
    link = AccessLink(
        contact_id=asker.contact_id,
        conference_id=june.id,
        token_hash=links.hash_of(links.token_of(nonce)),
        created_at=NOW,
        expires_at=NOW + timedelta(days=300),
    )
    db.session.add(link)
    db.session.flush()
    world.add("asker", [f"/data/{links.token_of(nonce)}"])
    world.privacy = [f"/requests/{asked.id}", f"/conferences/{june.slug}/guests/{restricted.id}"]
    assert report.id


def _mails(world: World, june: Any) -> None:
    values = {
        "kind": "invitation",
        "about": june.slug,
        "language": "de",
        "subject": "Einladung",
        "text": "Guten Tag,\n\nbis bald.\n",
    }
    for purpose, state in (("test:queued", MailState.QUEUED), ("test:failed", MailState.FAILED)):
        mail = outbox.queue(
            outbox.NewMail(purpose=purpose, recipient=("Ada Muster", "ada@traeger.example"), **values), at=NOW
        )
        mail.state = state
    db.session.flush()
    world.failed_mail = mail.id


@dataclass
class Elsewhere:
    """A conference of another series, which nobody of the world works on."""

    conference_id: int
    ids: dict[str, set[int]]
    """The numbers of its things, by table."""


def elsewhere(app: Flask) -> Elsewhere:
    """One of each thing that a form could name, in a conference of other people."""
    with app.app_context(), app.test_request_context(), unit.writing():
        organiser, other = an_account(), an_account(Role.COLLEAGUE)
        away = a_conference(organiser, a_series(organiser, title="Fremde Reihe"), slug="foreign", seats=1)
        conferences.give_role(other, Role.MODERATOR, away, by=organiser, at=NOW)
        room, topic = conferences.add_room(away, "Fremder Raum", 10), conferences.add_topic(away, "Fremdes")
        an_item(away, "Runde", "10:00", 45, kind=ItemKind.BREAKOUT, room_id=room.id)
        methods.choose_method(away, Method.OPEN_SPACE, None, 0)
        guest = a_participant(away)
        concern = open_space.propose(away, "Fremdes Anliegen", "", guest.contact_id, at=NOW)
        group = open_space.place(away, concern.id, 1, room.id)
        open_space.choose(away, group.id, guest.contact_id, at=NOW)
        idea = some_ideas(away, "Fremde Idee")[0]
        ideas.put_into(idea, ideas.make_cluster(away, "Fremdes Bündel"), idea.version)
        voting.open_vote(voting.create_vote(away, "Was zuerst?", VoteSubject.IDEAS, 3, 2, at=NOW), at=NOW)
        actions.decide(away, "Fremder Beschluss.", "", actions.Source("idea", idea.id), at=NOW)
        an_action(away, responsible=guest.contact, at=NOW)
        seats.set_rules(away, seats.Rules(4, 336), 0, at=NOW)
        for _ in range(2):
            invited = an_invitation(away, sent=True)
            answer = an_answer(name=invited.contact.name, wishes=(topic.id,))
            registrations.accept(invited, answer, at=NOW - timedelta(days=5))
        registrations.withdraw(registrations_of(away)[0], at=NOW - timedelta(days=4))
        seats.settle(away, at=NOW)
        db.session.flush()
        return Elsewhere(away.id, _things_of(away.id))


def _things_of(conference_id: int) -> dict[str, set[int]]:
    """The numbers of all that hangs on the conference, and of the people who are on its list."""
    found: dict[str, set[int]] = {"conference": {conference_id}}
    for table in db.metadata.sorted_tables:
        keys = [key for key in table.foreign_keys if key.column.table.name in found]
        if keys and "id" in table.c and table.name != "conference":
            parents = [key.parent.in_(found[key.column.table.name]) for key in keys]
            found[table.name] = set(db.session.scalars(db.select(table.c.id).where(db.or_(*parents))))
    guests = db.metadata.tables["invitation"]
    on_list = db.select(guests.c.contact_id).where(guests.c.conference_id == conference_id)
    return found | {"contact": set(db.session.scalars(on_list))}


def grow(app: Flask) -> None:
    """More of everything that pages list, in the conference that comes."""
    with app.app_context(), app.test_request_context(), unit.writing():
        june = conference_by_slug(COMING)
        assert june is not None
        topics = [conferences.add_topic(june, f"Thema {number}") for number in range(3)]
        for number in range(3):
            conferences.add_room(june, f"Saal {number}", 10)
            a_series(first_account_of(Role.ORGANISER), title=f"Weitere Reihe {number}")
            item = an_item(june, f"Vortrag {number}", f"{13 + number}:00", person="Vera Vorsitz")
            agenda.save_note(item, "Notiz.", 0, None, at=NOW)
            guest = an_invitation(june, sent=True)
            registrations.accept(
                guest, an_answer(name=guest.contact.name, wishes=(topics[number].id,)), at=NOW
            )
            registrations.record_attendance(june, guest.contact_id, Presence.PRESENT, at=NOW)
            idea = some_ideas(june, f"Einfall {number}")[0]
            ideas.put_into(idea, ideas.make_cluster(june, f"Bündel {number}"), idea.version)
            source = actions.Source("idea", idea.id)
            decision = actions.decide(june, f"Beschluss {number}.", "", source, at=NOW)
            an_action(june, f"Maßnahme {number}", responsible=guest.contact, decision_id=decision.id, at=NOW)
            voting.create_vote(june, f"Frage {number}?", VoteSubject.IDEAS, 3, 2, at=NOW)
        for table in groups_of(rounds_of(june)[0])[:1]:
            for person in participants(june)[-3:]:
                groups.move_seat(june, table.round_id, person.id, table.id, None, at=NOW)
