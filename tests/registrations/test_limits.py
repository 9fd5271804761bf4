"""How many seats one organisation gets: taken under the same lock as the capacity, respected by the waiting list."""

import threading

import pytest

from conference.conferences.models import Conference
from conference.invitations.models import Invitation
from conference.invitations.queries import invitation_for
from conference.kit import links, unit
from conference.kit.db import db
from conference.kit.errors import Stale
from conference.outbox.models import Mail
from conference.providers.models import Side
from conference.registrations import operations, queries, seats
from conference.registrations.models import Registration, Standing

from ..builders import NOW, a_conference, a_contact, a_personal_link, an_answer, an_invitation


@pytest.fixture
def settings():
    return {"CLOCK_START": NOW}


A, B = "Bildungshaus A", "Bildungshaus B"


def limited(limit=1, capacity=4, hours=None):
    conference = a_conference(seats=capacity)
    seats.set_rules(conference, seats.Rules(limit, hours), 0, at=NOW)
    return conference


def yes(conference, *organisations, **over):
    return [
        operations.accept(
            an_invitation(conference, a_contact(organisation=name, **over)), an_answer(), at=NOW
        )
        for name in organisations
    ]


def seated(people):
    return [person.standing is Standing.CONFIRMED for person in people]


def letters_to(person):
    return [
        mail.text
        for mail in db.session.query(Mail).filter_by(recipient_address=person.contact.email).order_by(Mail.id)
    ]


def test_t36_an_organisation_gets_no_more_seats_than_its_limit_and_the_others_learn_why_they_wait(house):
    conference = limited(2)
    people = yes(conference, A, A, A, B)
    assert seated(people) == [True, True, False, True]
    assert "Ihre Organisation hat ihre Plätze vergeben" in letters_to(people[2])[0]
    assert queries.place_in_line(people[2]) == 1


def test_t36_another_address_of_the_same_person_takes_no_further_seat(house):
    conference = limited(1)
    people = yes(conference, A, email="ada@traeger.example") + yes(
        conference, A, email="ada+2@traeger.example"
    )
    assert seated(people) == [True, False]


def test_f02_the_waiting_list_passes_over_who_has_no_room_and_keeps_their_place(house):
    conference = limited(1, capacity=2)
    people = yes(conference, A, B, A, B, "Bildungshaus C")
    assert seated(people) == [True, True, False, False, False]
    operations.withdraw(people[1], at=NOW)
    assert seated(people) == [True, False, False, True, False]
    assert [queries.place_in_line(people[2]), queries.place_in_line(people[4])] == [1, 2]
    operations.withdraw(people[0], at=NOW)
    assert people[2].standing is Standing.CONFIRMED


def test_f02_who_waits_for_their_own_organisation_does_not_keep_others_from_free_seats(house):
    conference = limited(1)
    people = yes(conference, A, A, B)
    assert seated(people) == [True, False, True]


def test_the_agency_itself_has_no_limit_unless_it_is_given_one(house):
    conference = limited(1)
    people = yes(conference, A, A, side=Side.AGENCY)
    assert seated(people) == [True, True]
    seats.set_exception(conference, people[0].contact.provider, 2, "Raum", 0, at=NOW)
    assert seated(yes(conference, A, side=Side.AGENCY)) == [False]


def test_an_exception_lets_who_waits_move_up_at_once_and_ends_with_no_seat_lost(house):
    conference = limited(1)
    people = yes(conference, A, A, A)
    provider = people[0].contact.provider
    seats.set_exception(conference, provider, 2, "richtet aus", 0, at=NOW)
    assert seated(people) == [True, True, False]
    seats.set_exception(conference, provider, None, "richtet aus", 1, at=NOW)
    assert seated(people) == [True] * 3
    seats.remove_exception(conference, provider.id, at=NOW)
    seats.remove_exception(conference, provider.id, at=NOW)
    assert seated(people) == [True] * 3 and seated(yes(conference, A)) == [False]


def test_a_limit_below_what_somebody_has_needs_a_reason_and_takes_no_seat(house):
    conference = limited(3)
    yes(conference, A, A, A)
    with pytest.raises(seats.NeedsReason, match=rf"{A} \(3\)"):
        seats.set_rules(conference, seats.Rules(2, None), 1, at=NOW)
    db.session.rollback()


def test_with_a_reason_the_limit_is_lower_and_nobody_loses_a_seat(house):
    conference = limited(3)
    people = yes(conference, A, A, A)
    rules = seats.set_rules(conference, seats.Rules(2, None, "Der Saal ist kleiner."), 1, at=NOW)
    assert (rules.per_provider, rules.reason, seated(people)) == (2, "Der Saal ist kleiner.", [True] * 3)
    operations.withdraw(people[0], at=NOW)
    assert seated(yes(conference, A)) == [False]
    [here] = [one for one in queries.provider_seats(conference) if one.provider.name == A]
    assert (here.confirmed, here.waiting, here.limit, here.is_above) == (2, 1, 2, False)


def test_two_who_change_the_rules_see_each_other(house):
    conference = limited(3)
    seats.set_rules(conference, seats.Rules(2, None), 1, at=NOW)
    assert seats.set_rules(conference, seats.Rules(2, None), 1, at=NOW).version == 2
    with pytest.raises(Stale):
        seats.set_rules(conference, seats.Rules(5, None), 1, at=NOW)


def test_somebody_who_changes_the_organisation_makes_room(house):
    from conference.providers import operations as providers

    conference = limited(1)
    first, second = yes(conference, A, A)
    contact = first.contact
    fields = {name: getattr(contact, name) for name in providers.ContactFields.__dataclass_fields__}
    other, _new = providers.keep_provider(B, None, None, at=NOW)
    providers.change_contact(contact, other, providers.ContactFields(**fields), contact.version)
    assert queries.conference_to_settle(conference.id, NOW) is conference
    seats.settle(conference, at=NOW)
    assert seated([first, second]) == [True, True]


def test_f01_at_the_last_seat_of_an_organisation_exactly_one_of_many_gets_it(app, in_house):
    with in_house():
        conference = limited(1, capacity=20)
        ids = [an_invitation(conference, a_contact(organisation=A)).id for _ in range(10)]
        conference_id = conference.id
    start, errors = threading.Barrier(20), []

    def answer(invitation_id):
        start.wait()
        try:
            with app.app_context(), unit.writing():
                operations.accept(db.session.get(Invitation, invitation_id), an_answer(), at=NOW)
        except Exception as error:  # noqa: BLE001 - collected, so that the test can name it
            errors.append(repr(error))

    threads = [threading.Thread(target=answer, args=(number,)) for number in ids for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    with in_house():
        counts = queries.seat_counts(db.session.get(Conference, conference_id))
        line = [
            one.queue_number for one in db.session.query(Registration).filter_by(standing=Standing.WAITING)
        ]
        assert (counts.confirmed, sorted(line)) == (1, list(range(1, 10)))
        assert db.session.query(Mail).filter_by(kind="registered").count() == 10


# -- pages ------------------------------------------------------------


@pytest.fixture
def june(in_house, organiser):
    with in_house():
        conference = a_conference(organiser, seats=3)
        yes(conference, A, A)
        return conference


def form_of(browser, **over):
    fields = {"per_provider": "", "way": "at_once", "offer_hours": "", "reason": ""} | over
    return {"version": browser.value_of("version"), **fields}


def test_organisers_set_limits_and_see_every_organisation(browser, organiser, june, in_house):
    browser.sign_in(organiser)
    browser.open("registrations.show_seats", slug="june-2023")
    assert browser.value_of("offer_hours") == "48"
    browser.submit(
        "registrations.show_seats", form_of(browser, per_provider="1"), status=409, slug="june-2023"
    )
    assert f"{A} (2)" in browser.text and browser.value_of("per_provider") == "1"
    sent = form_of(browser, per_provider="1", reason="Der Saal ist kleiner.")
    browser.submit("registrations.show_seats", sent, slug="june-2023")
    assert "hat mehr" in browser.text and "Der Saal ist kleiner." in browser.text
    with in_house():
        provider = queries.provider_seats(db.session.merge(june))[0].provider.id
    browser.open("registrations.edit_limit", slug="june-2023", provider_id=provider)
    assert "(freiwillig)" not in browser.text
    where = {"slug": "june-2023", "provider_id": provider}
    browser.submit(
        "registrations.edit_limit",
        {"kind": "own", "seats": "", "reason": "x", "version": "0"},
        status=422,
        **where,
    )
    browser.submit(
        "registrations.edit_limit",
        {"kind": "own", "seats": "4", "reason": "richtet aus", "version": "0"},
        **where,
    )
    assert "Ausnahme: richtet aus" in browser.text


@pytest.mark.parametrize(
    "bad", [{"per_provider": "0"}, {"per_provider": "x"}, {"way": "offer"}, {"way": "never"}]
)
def test_rules_that_make_no_sense_are_named_at_their_field(browser, organiser, june, bad):
    browser.sign_in(organiser)
    browser.open("registrations.show_seats", slug="june-2023")
    browser.submit("registrations.show_seats", form_of(browser, **bad), status=422, slug="june-2023")


def test_a_guest_learns_before_the_yes_and_on_the_own_page_that_the_organisation_has_its_seats(
    browser, in_house, june
):
    with in_house():
        conference = db.session.merge(june)
        seats.set_rules(conference, seats.Rules(2, None), 0, at=NOW)
        guest = an_invitation(conference, a_contact(organisation=A))
        token = links.token_of(a_personal_link(guest).nonce)
    browser.open("registrations.answer_invitation", token=token)
    assert "Ihre Organisation hat ihre Plätze vergeben." in browser.text
    browser.submit(
        "registrations.answer_invitation", {"reply": "accepted", "name": "Ada Muster"}, token=token
    )
    assert "Ihre Organisation hat ihre Plätze vergeben" in browser.text
    with in_house():
        invitation = invitation_for(db.session.merge(june), guest.contact_id)
        assert invitation.reply.value == "accepted"
