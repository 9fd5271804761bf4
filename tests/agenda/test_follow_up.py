"""The follow-up conference: planned from the one before, with nobody in it yet."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import func, select

from conference.accounts.models import Role
from conference.agenda import operations, queries
from conference.agenda.models import AgendaItem, ItemKind, Note
from conference.agenda.operations import AlreadyPlanned, FollowUpFields
from conference.conferences.models import Conference
from conference.conferences.operations import add_member, add_room, add_topic
from conference.conferences.queries import conference_by_slug, rooms_of, topics_of
from conference.invitations.models import Letter, LetterKind
from conference.kit.db import db
from conference.kit.errors import Refused

from ..bad_input import BAD_LINE_IDS, BAD_LINES, BLANKS
from ..builders import NOW, a_conference, an_account, an_item

LATER = NOW + timedelta(days=60)
SLUG = "june-2023"
ROOMS = [("Saal", 60), ("Foyer", 60), ("Raum A", 10)]
AGENDA = [
    ("09:00", 30, "break", "Ankommen und Kaffee", "", "Foyer"),
    ("09:30", 15, "plenary", "Begrüßung", "Ada Beispiel", "Saal"),
    ("09:45", 30, "talk", "mein NOW", "Meike Beispiel", "Saal"),
    ("10:15", 30, "talk", "Bürgergeld", "", "Saal"),
    ("10:45", 20, "talk", "Maßnahmen", "", "Saal"),
    ("11:05", 15, "break", "Pause", "", "Foyer"),
    ("11:20", 45, "breakout", "Runde 1", "", None),
    ("12:05", 45, "break", "Mittagessen", "", "Foyer"),
    ("12:50", 45, "breakout", "Runde 2", "", None),
    ("13:35", 85, "plenary", "Ergebnisse", "", "Saal"),
]


def june_with_everything(account=None):
    """The June conference with rooms, topics, a letter and its whole agenda."""
    conference = a_conference(account)
    rooms = {name: add_room(conference, name, seats).id for name, seats in ROOMS}
    for title in ("Gemeinsame Kursplanung", "Digitale Wege"):
        add_topic(conference, title)
    for clock, minutes, kind, title, person, room in AGENDA:
        an_item(
            conference, title, clock, minutes, kind=ItemKind(kind), person=person, room_id=rooms.get(room)
        )
    letter = Letter(
        conference_id=conference.id,
        kind=LetterKind.INVITATION,
        subject="Einladung",
        body="Guten Tag {name}",
        version=4,
        updated_at=NOW,
    )
    db.session.add(letter)
    db.session.flush()
    return conference


def planned(conference, **over):
    values = {
        "title": "Bildungsträgerkonferenz August 2023",
        "slug": "august-2023",
        "day": date(2023, 8, 22),
        "answer_by": date(2023, 8, 11),
    }
    return operations.plan_follow_up(conference, FollowUpFields(**(values | over)), an_account(), at=LATER)


def shown(conference):
    zone = ZoneInfo(conference.zone)
    return [
        (f"{item.starts_at.astimezone(zone):%H:%M}", int(item.duration.total_seconds() // 60), item.title)
        for item in queries.items_of(conference)
    ]


# -- what is taken over -----------------------------------------------


def test_key_facts_are_taken_over_and_linked(house):
    june = june_with_everything()
    august = planned(june)
    assert (august.previous_id, august.series_id, august.number, august.slug) == (
        june.id,
        june.series_id,
        2,
        "august-2023",
    )
    assert (august.starts_at, august.ends_at) == (
        datetime(2023, 8, 22, 7, 30, tzinfo=UTC),
        datetime(2023, 8, 22, 13, 0, tzinfo=UTC),
    )
    same = (
        "focus_question",
        "venue",
        "address",
        "seats",
        "organiser_name",
        "organiser_email",
        "organiser_phone",
        "zone",
        "language",
    )
    assert {name: getattr(august, name) for name in same} == {name: getattr(june, name) for name in same}
    assert (august.title, august.answer_by, august.created_at) == (
        "Bildungsträgerkonferenz August 2023",
        date(2023, 8, 11),
        LATER,
    )


def test_rooms_topics_and_letters_are_taken_over(house):
    august = planned(june_with_everything())
    assert [(room.name, room.capacity) for room in rooms_of(august)] == ROOMS
    assert [topic.title for topic in topics_of(august)] == ["Gemeinsame Kursplanung", "Digitale Wege"]
    [letter] = db.session.scalars(select(Letter).where(Letter.conference_id == august.id))
    assert (letter.kind, letter.subject, letter.body, letter.version) == (
        LetterKind.INVITATION,
        "Einladung",
        "Guten Tag {name}",
        1,
    )


def test_the_agenda_opens_with_the_review_and_ends_on_time(house):
    august = planned(june_with_everything())
    assert shown(august) == [
        ("09:00", 30, "Ankommen und Kaffee"),
        ("09:30", 15, "Was aus den Maßnahmen vom 06.06.2023 geworden ist"),
        ("09:45", 15, "Begrüßung"),
        ("10:00", 30, "mein NOW"),
        ("10:30", 30, "Bürgergeld"),
        ("11:00", 20, "Maßnahmen"),
        ("11:20", 10, "Pause"),
        ("11:30", 45, "Runde 1"),
        ("12:15", 35, "Mittagessen"),
        ("12:50", 45, "Runde 2"),
        ("13:35", 85, "Ergebnisse"),
    ]
    review = queries.items_of(august)[1]
    assert (review.kind, review.room.name, review.room.conference_id) == (ItemKind.REVIEW, "Saal", august.id)
    assert queries.warnings_of(august) == []


def test_rooms_of_items_are_those_of_the_new_conference_and_nobody_leads_yet(house):
    june = june_with_everything()
    august = planned(june)
    items = queries.items_of(august)
    assert {item.room.conference_id for item in items if item.room} == {august.id}
    assert {item.person for item in items} == {""}
    assert {item.uid for item in items}.isdisjoint({item.uid for item in queries.items_of(june)})


def test_clock_times_stay_over_the_change_to_winter_time(house):
    december = planned(june_with_everything(), day=date(2023, 12, 5), answer_by=None, slug="december")
    assert december.starts_at == datetime(2023, 12, 5, 8, 30, tzinfo=UTC)
    assert shown(december)[0] == ("09:00", 30, "Ankommen und Kaffee")
    assert queries.warnings_of(december) == []


def test_an_english_conference_gets_an_english_review(house):
    june = june_with_everything()
    june.language = "en"
    assert shown(planned(june))[1][2] == "What became of the actions of 06.06.2023"


def test_without_a_day_to_answer_by_it_is_as_far_ahead_as_last_time(house):
    assert planned(june_with_everything(), answer_by=None).answer_by == date(2023, 8, 11)


def test_without_a_day_to_answer_by_it_is_never_in_the_past(house):
    soon = planned(june_with_everything(), day=LATER.date() + timedelta(days=4), answer_by=None)
    assert soon.answer_by == LATER.date()


def test_the_third_conference_has_one_review_and_it_is_of_the_second(house):
    august = planned(june_with_everything())
    november = planned(august, day=date(2023, 11, 7), slug="november-2023", answer_by=None)
    reviews = [item for item in queries.items_of(november) if item.kind is ItemKind.REVIEW]
    assert [item.title for item in reviews] == ["Was aus den Maßnahmen vom 22.08.2023 geworden ist"]
    assert [row[:2] for row in shown(november)] == [row[:2] for row in shown(august)]


def test_no_person_no_answer_no_note_is_taken_over(house):
    from conference.invitations.models import Invitation
    from conference.registrations.models import Registration

    from ..builders import a_contact

    june = june_with_everything()
    from conference.invitations.operations import invite

    invite(june, a_contact(), at=NOW)
    operations.save_note(queries.items_of(june)[0], "Alle da.", 0, None, at=NOW)
    august = planned(june)
    for model in (Invitation, Registration):
        assert db.session.scalar(select(func.count()).where(model.conference_id == august.id)) == 0
    notes = select(func.count(Note.id)).join(AgendaItem).where(AgendaItem.conference_id == august.id)
    assert db.session.scalar(notes) == 0


# -- what is refused --------------------------------------------------


@pytest.mark.parametrize("day", [date(2023, 6, 6), date(2023, 6, 5), date(2022, 8, 22)])
def test_it_must_be_after_the_conference(house, day):
    june = june_with_everything()
    with pytest.raises(Refused):
        planned(june, day=day, answer_by=None)
    assert db.session.scalar(select(func.count(Conference.id))) == 1


def test_a_second_one_is_planned_only_on_purpose(house):
    june = june_with_everything()
    planned(june)
    with pytest.raises(AlreadyPlanned) as error:
        planned(june, day=date(2023, 9, 5), slug="september", answer_by=None)
    assert (error.value.slug, error.value.title) == ("august-2023", "Bildungsträgerkonferenz August 2023")
    assert planned(june, day=date(2023, 9, 5), slug="september", answer_by=None, another=True).number == 3


def test_two_conferences_of_a_series_are_not_on_one_day(house):
    june = june_with_everything()
    planned(june)
    with pytest.raises(Refused):
        planned(june, slug="other", another=True)


# -- in the browser ---------------------------------------------------


@pytest.fixture
def june(in_house, organiser):
    with in_house():
        return june_with_everything(organiser)


@pytest.fixture
def signed_in(browser, organiser):
    return browser.sign_in(organiser)


def follow_up_form(**over):
    values = {
        "title": "Bildungsträgerkonferenz August 2023",
        "slug": "august-2023",
        "day": "2023-08-22",
        "answer_by": "2023-08-11",
    }
    return values | over


def conferences(in_house):
    with in_house():
        return db.session.scalar(select(func.count(Conference.id)))


def test_the_form_suggests_the_name_and_leaves_the_day_to_the_organiser(signed_in, june):
    signed_in.open("agenda.plan_follow_up", slug=SLUG)
    fields = [signed_in.value_of(name) or "" for name in ("title", "slug", "day", "answer_by")]
    assert fields == ["Bildungsträgerkonferenz August 2023", "august-2023", "", ""]
    assert signed_in.sees("Wenn leer: 11 Tage vorher, wie beim letzten Mal.")


def test_an_organiser_plans_the_follow_up(signed_in, in_house, june):
    signed_in.submit("agenda.plan_follow_up", follow_up_form(), slug=SLUG)
    assert signed_in.sees("„Bildungsträgerkonferenz August 2023“ ist geplant.")
    assert signed_in.sees("Was aus den Maßnahmen vom 06.06.2023 geworden ist")
    assert "/conferences/august-2023/review" in signed_in.links()
    signed_in.open("agenda.show_programme", slug="august-2023")
    assert signed_in.sees("Was aus den Maßnahmen vom 06.06.2023 geworden ist")


def test_sent_twice_it_is_planned_once_and_the_second_time_leads_there(signed_in, in_house, june):
    signed_in.submit("agenda.plan_follow_up", follow_up_form(), slug=SLUG)
    signed_in.submit("agenda.plan_follow_up", follow_up_form(), status=409, slug=SLUG)
    assert signed_in.sees("Die Folgekonferenz ist schon geplant")
    assert "/conferences/august-2023" in signed_in.links()
    assert conferences(in_house) == 2
    again = follow_up_form(day="2023-09-05", answer_by="", slug="september", another="y")
    signed_in.submit("agenda.plan_follow_up", again, slug=SLUG)
    assert conferences(in_house) == 3


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("day", ""), ("day", "2023-06-06"), ("day", "2022-08-22"), ("day", "soon"), ("day", "2023-02-30"), ("day", "9999-12-31"),
        ("slug", "june-2023"), ("slug", "June 2023"), ("title", ""), ("title", BLANKS[2]), ("title", "x" * 161),
        ("answer_by", "2023-08-23"), ("answer_by", "never"),
    ],
)  # fmt: skip
def test_wrong_values_are_refused_at_their_field_and_nothing_is_made(signed_in, in_house, june, field, value):
    signed_in.submit("agenda.plan_follow_up", follow_up_form(**{field: value}), status=422, slug=SLUG)
    assert any(node.get("id") == f"{field}-error" for node in signed_in.page.iter())
    assert conferences(in_house) == 1


@pytest.mark.parametrize("field", ["title", "slug"])
@pytest.mark.parametrize("bad", BAD_LINES, ids=BAD_LINE_IDS)
def test_bad_text_is_refused_with_the_input_kept(signed_in, in_house, june, field, bad):
    signed_in.submit("agenda.plan_follow_up", follow_up_form(**{field: bad}), status=422, slug=SLUG)
    assert signed_in.value_of("day") == "2023-08-22"
    assert conferences(in_house) == 1


def test_a_day_on_which_the_beginning_does_not_exist_is_refused(signed_in, in_house, organiser):
    from datetime import time

    with in_house():
        a_conference(
            organiser,
            slug="night",
            begin=time(2, 30),
            end=time(5, 0),
            day=date(2023, 1, 10),
            answer_by=date(2023, 1, 1),
        )
    night = follow_up_form(day="2023-03-26", answer_by="", slug="gap")
    signed_in.submit("agenda.plan_follow_up", night, status=409, slug="night")
    assert conferences(in_house) == 1


def test_moderators_plan_nothing(browser, in_house, june):
    with in_house():
        moderator = an_account(Role.MODERATOR)
        add_member(db.session.merge(june).series, moderator)
    browser.sign_in(moderator).open("agenda.plan_follow_up", status=404, slug=SLUG)
    browser.submit("agenda.plan_follow_up", follow_up_form(), status=404, slug=SLUG)
    assert conferences(in_house) == 1


def test_the_planner_works_on_the_series(in_house, june):
    with in_house():
        admin = an_account(Role.ADMIN)
        august = operations.plan_follow_up(
            db.session.merge(june), FollowUpFields("August", "", date(2023, 8, 22)), admin, at=LATER
        )
        assert august.slug == "august"
        assert conference_by_slug("august") is august


def test_two_organisers_at_the_same_moment_plan_one_conference(app, in_house, organiser, june):
    from concurrent.futures import ThreadPoolExecutor

    from conference.accounts.models import Account
    from conference.kit import unit

    def plan(number):
        fields = FollowUpFields("August", f"august-{number}", date(2023, 8, 21 + number))
        with app.app_context(), unit.writing():
            try:
                account = db.session.get(Account, organiser.id)
                return operations.plan_follow_up(
                    db.session.get(Conference, june.id), fields, account, at=LATER
                ).slug
            except AlreadyPlanned as refused:
                return f"there is {refused.slug}"

    with ThreadPoolExecutor(2) as pool:
        answers = sorted(pool.map(plan, (1, 2)))
    assert answers in (["august-1", "there is august-1"], ["august-2", "there is august-2"])
    assert conferences(in_house) == 2
