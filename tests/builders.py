"""Things for tests, made by the same operations that people use. Add yours at the end."""

import itertools
from dataclasses import replace
from datetime import UTC, date, datetime, time
from typing import Any

from conference.accounts import operations as accounts
from conference.accounts.models import Account, Passkey, Role, SignInIdentity
from conference.conferences import operations as conferences
from conference.conferences.models import Conference, Series

FOR_EVER = datetime(2099, 1, 1, tzinfo=UTC)
NOW = datetime(2023, 5, 2, 8, 0, tzinfo=UTC)
_count = itertools.count(1)


def an_account(role: Role = Role.ORGANISER, **over: Any) -> Account:
    """A member of staff; an organiser if nothing else is said. Without `password` nobody knows it, and no time is lost by hashing."""
    number = next(_count)
    values: dict[str, Any] = {
        "email": f"staff{number}@agentur.example",
        "name": f"Nora Beispiel {number}",
        "password": None,
    }
    account = accounts.create_account(**(values | over), role=role, at=NOW)
    if "password" not in over:
        account.password_hash = "no hash of any password"
    from conference.kit.db import db

    db.session.flush()
    return account


def a_passkey(account: Account) -> Passkey:
    """A passkey that no device holds, and a link with a sign-in service that nobody runs."""
    from conference.kit.db import db

    number = next(_count)
    passkey = Passkey(
        account=account, name="Laptop", credential_id=f"Y3JlZGVudGlhbC{number}", handle="aGFuZGxl"
    )
    passkey.public_key, passkey.sign_count, passkey.created_at = b"no key", 0, NOW
    service = {"issuer": "https://login.example", "subject": f"somebody-{number}", "linked_at": NOW}
    db.session.add_all([passkey, SignInIdentity(account=account, **service)])
    db.session.flush()
    return passkey


def a_series(account: Account | None = None, **over: Any) -> Series:
    """A series, with the account working on it."""
    values = {"title": "Bildungsträgerkonferenz", "host": "Agentur für Arbeit"} | over
    return conferences.create_series(account or an_account(), **values, at=NOW)


JUNE = conferences.ConferenceFields(
    title="Bildungsträgerkonferenz Juni 2023",
    slug="june-2023",
    focus_question="Wie können Arbeitsagentur und Bildungsträger sich noch besser vernetzen?",
    day=date(2023, 6, 6),
    begin=time(9, 30),
    end=time(15, 0),
    answer_by=date(2023, 5, 26),
    venue="Agentur für Arbeit",
    address="Musterstraße 1, 32049 Herford",
    seats=60,
    organiser_name="Nora Beispiel",
    organiser_email="konferenz@agentur.example",
)


def a_conference(account: Account | None = None, series: Series | None = None, **over: Any) -> Conference:
    """The June conference; the account (a new organiser if none is given) works on it."""
    series = series or a_series(account)
    return conferences.create_conference(series, replace(JUNE, **over), at=NOW)


def conference_form(**over: Any) -> dict[str, Any]:
    """The fields of the key facts form, as a browser sends them."""
    values = {
        "title": JUNE.title, "focus_question": JUNE.focus_question, "day": "2023-06-06", "begin": "09:30", "end": "15:00",
        "zone": "Europe/Berlin", "answer_by": "2023-05-26", "venue": JUNE.venue, "address": JUNE.address, "seats": "60",
        "organiser_name": JUNE.organiser_name, "organiser_email": JUNE.organiser_email, "organiser_phone": "",
    }  # fmt: skip
    return values | over


def a_contact(**over: Any) -> Any:
    """A person at a training provider."""
    from conference.providers import operations as providers

    number = next(_count)
    organisation = over.pop("organisation", f"Bildungshaus {number}")
    values = {
        "first_name": "Ada",
        "last_name": f"Muster {number}",
        "email": f"person{number}@traeger.example",
    } | over
    provider, _new = providers.keep_provider(organisation, "32049", "Herford", at=NOW)
    return providers.keep_contact(provider, at=NOW, **values)[0]


def a_table_plan(conference: Conference, rounds: int = 2, tables: str = "ABCDE") -> list[Any]:
    """Rounds with a group at each table, without people."""
    from conference.groups.models import Group, Round
    from conference.kit.db import db

    made = [Round(conference_id=conference.id, number=number) for number in range(1, rounds + 1)]
    db.session.add_all(made)
    db.session.flush()
    db.session.add_all([Group(round_id=round_.id, name=name) for round_ in made for name in tables])
    db.session.flush()
    return made


def some_ideas(conference: Conference, *texts: str, table: str = "") -> list[Any]:
    """Ideas handed in at a table or (without one) in the plenary, while the collection is open."""
    from conference.ideas import operations as ideas

    ideas.open_collection(conference, at=NOW)
    point = next(point for point in ideas.points_for(conference) if point.table == table)
    return [ideas.hand_in(point, text, f"test-{next(_count)}", None, at=NOW) for text in texts]


def a_participant(conference: Conference, **over: Any) -> Any:
    """A present person with a personal link; gives the link."""
    from conference.invitations import operations as invitations
    from conference.invitations.models import LinkPurpose
    from conference.registrations import operations as registrations
    from conference.registrations.models import Presence

    contact = a_contact(**over)
    invitations.invite(conference, contact, at=NOW)
    registrations.record_attendance(conference, contact.id, Presence.PRESENT, at=NOW)
    link = invitations.personal_link(conference, contact, LinkPurpose.INVITATION, at=NOW)
    from conference.kit.db import db

    db.session.flush()
    return link


def an_invitation(conference: Any, contact: Any = None, *, sent: bool = False, **over: Any) -> Any:
    """A person on the guest list; with sent=True the letter has been queued."""
    from conference.invitations import operations as invitations

    invitation = invitations.invite(conference, contact or a_contact(**over), at=NOW)
    if sent:
        invitations.send_invitations(conference, [invitation], at=NOW)
    return invitation


def an_answer(**over: Any) -> Any:
    """A yes without further wishes."""
    from conference.registrations.operations import Answer

    values: dict[str, Any] = {
        "name": "Ada Muster",
        "diet": "",
        "access_needs": "",
        "consents": frozenset(),
        "wishes": (),
    } | over
    return Answer(**(values | {"consents": frozenset(values["consents"])}))


def a_personal_link(invitation: Any, purpose: str = "invitation") -> Any:
    """The personal link of an invited person; `kit.links.token_of(link.nonce)` is its token."""
    from conference.invitations.models import LinkPurpose
    from conference.invitations.operations import personal_link

    return personal_link(invitation.conference, invitation.contact, LinkPurpose(purpose), at=NOW)


def a_mail(**over: Any) -> Any:
    """A letter in the outbox."""
    from conference.outbox import operations as outbox

    number = next(_count)
    values: dict[str, Any] = {
        "purpose": f"test:{number}", "kind": "invitation", "about": "june-2023", "language": "de",
        "recipient": (f"Ada Muster {number}", f"ada{number}@traeger.example"), "subject": "Einladung",
        "text": "Guten Tag Ada Muster,\n\nwir laden Sie ein.\n",
    }  # fmt: skip
    return outbox.queue(outbox.NewMail(**(values | over)), at=NOW)


def an_item(
    conference: Conference, title: str = "Begrüßung", clock: str = "09:30", minutes: int = 15, **over: Any
) -> Any:
    """An agenda item of the conference; over: kind, room_id, person, internal, description."""
    from datetime import timedelta

    from conference.agenda import operations as agenda
    from conference.agenda.models import ItemKind

    values: dict[str, Any] = {
        "kind": ItemKind.PLENARY,
        "description": "",
        "room_id": None,
        "person": "",
        "internal": False,
    }
    fields = agenda.ItemFields(
        title=title,
        day=conference.day,
        clock=time.fromisoformat(clock),
        duration=timedelta(minutes=minutes),
        **(values | over),
    )
    return agenda.add_item(conference, fields, at=NOW)


def item_form(**over: Any) -> dict[str, Any]:
    """The fields of the agenda item form, as a browser sends them."""
    values = {
        "kind": "talk",
        "title": "mein NOW",
        "clock": "09:45",
        "duration": "30",
        "room": "",
        "person": "",
        "description": "",
    }
    return values | over


def an_action(conference: Conference, title: str = "Kurskalender aufsetzen", **over: Any) -> Any:
    """An action due on 14 July; over: responsible (a contact), due_on, source, decision_id, description, supporters, at."""
    from conference.actions import operations as actions

    responsible = over.pop("responsible", None) or a_contact()
    moment = over.pop("at", datetime(2023, 6, 6, 12, 40, tzinfo=UTC))
    values: dict[str, Any] = {"description": "", "supporters": "", "due_on": date(2023, 7, 14)} | over
    fields = actions.ActionFields(title=title, responsible_id=responsible.id, **values)
    return actions.create_action(conference, fields, at=moment)


def action_form(**over: Any) -> dict[str, Any]:
    """The fields of the action form, as a browser sends them; give responsible_id."""
    values = {
        "title": "Kurskalender aufsetzen",
        "description": "",
        "supporters": "",
        "due_on": "2023-07-14",
        "source": "",
    }
    return values | over


def june_with_people(account: Account | None = None) -> Conference:
    """June with the 38 people of the real list, who all accept, two breakout rounds, five topics and five small rooms."""
    from pathlib import Path

    from conference.agenda.models import ItemKind
    from conference.invitations import imports
    from conference.invitations.queries import guest_list
    from conference.registrations import operations as registrations

    conference = a_conference(account)
    for name, capacity in [("Raum A", 10), ("Raum B", 10), ("Raum C", 8), ("Raum D", 12), ("Raum E", 8)]:
        conferences.add_room(conference, name, capacity)
    topics = [
        conferences.add_topic(conference, title)
        for title in ("Planung", "Familie", "Betriebe", "mein NOW", "Begleitung")
    ]
    an_item(conference, "Runde 1", "11:20", 45, kind=ItemKind.BREAKOUT)
    an_item(conference, "Runde 2", "12:50", 45, kind=ItemKind.BREAKOUT)
    path = Path(__file__).parent / "data" / "einladungsliste.csv"
    imports.import_file(conference, path.read_bytes(), path.name, dry_run=False, at=NOW)
    for number, invitation in enumerate(guest_list(conference)):
        wishes = tuple(topics[(number + shift) % 5].id for shift in range(number % 3))
        registrations.accept(invitation, an_answer(name=invitation.contact.name, wishes=wishes), at=NOW)
    return conference


def a_small_day(
    account: Account | None = None, people: int = 6, rounds: int = 1, capacity: int | None = None
) -> Conference:
    """A conference with so many present people of as many providers, and breakout rounds; rooms only with a capacity."""
    from conference.agenda.models import ItemKind

    conference = a_conference(account)
    for number in range(rounds):
        an_item(conference, f"Runde {number + 1}", f"{10 + number}:00", 45, kind=ItemKind.BREAKOUT)
    for name in ("Raum 1", "Raum 2") if capacity else ():
        conferences.add_room(conference, name, capacity)
    for _ in range(people):
        a_participant(conference)
    return conference


def a_sheet(conference: Conference, table: Any, *results: str, hand_in: bool = True, **over: Any) -> Any:
    """The results sheet of a table (of `sheets.queries.tables_of`), written at the table; gives its state."""
    from conference.core.sheets import Sheet
    from conference.sheets import operations as sheets

    values: dict[str, Any] = {"question": "Was hilft?", "open_points": "", "proposal": ""} | over
    content = Sheet(values["question"], results, values["open_points"], values["proposal"])
    number = table.state.number if table.state else 0
    writer = sheets.Writer()
    return sheets.save(
        conference, table.round, table.name, content, writer,
        hand_in=hand_in, version=number, submission=f"test-{next(_count)}", at=NOW,
    )  # fmt: skip


def a_session(app: Any, account: Account) -> dict[str, Any]:
    """What the cookie of somebody holds who is signed in with a second factor, whatever a test does with the clock."""
    from conference.accounts.models import StaffSession
    from conference.kit import unit
    from conference.kit.db import db
    from conference.kit.links import hash_of

    token = f"session-of-a-test-{next(_count)}"
    values = {"account_id": account.id, "token_hash": hash_of(token), "begun_at": NOW, "ends_at": FOR_EVER}
    values["factor_shown"] = True
    if unit.is_writing():
        db.session.add(StaffSession(**values))
        db.session.flush()
    else:
        with app.app_context(), unit.writing():
            db.session.add(StaffSession(**values))
    return {"account": token, "seen": int(FOR_EVER.timestamp())}


def a_visit(link_id: int) -> dict[str, Any]:
    """What the cookie of a guest holds after the exchange of a personal link."""
    return {"guest": link_id, "visit": f"visit-of-a-test-{next(_count)}"}
