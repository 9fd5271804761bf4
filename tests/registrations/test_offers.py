"""Free seats that are offered with a deadline: held, taken or turned down with two taps, given on when time is over."""

from datetime import timedelta

import pytest

from conference.invitations.models import Reply
from conference.invitations.queries import invitation_for
from conference.kit import clock, links
from conference.kit.db import db
from conference.kit.errors import Missing, Refused
from conference.outbox.models import Mail
from conference.privacy.erasing import erase
from conference.registrations import operations, queries, seats, settle_seats
from conference.registrations.models import OfferEnd, Registration, SeatOffer, Standing

from ..builders import NOW, a_conference, a_personal_link, an_answer, an_invitation

HOUR = timedelta(hours=1)


@pytest.fixture
def settings():
    return {"CLOCK_START": NOW}


def full(capacity=1, waiting=2, hours=48, per_provider=None, **more):
    """A conference that makes offers, with all seats taken and people waiting; gives it and everybody in order."""
    conference = a_conference(seats=capacity, **more)
    seats.set_rules(conference, seats.Rules(per_provider, hours), 0, at=NOW)
    guests = [an_invitation(conference, sent=True) for _ in range(capacity + waiting)]
    return conference, [operations.accept(guest, an_answer(), at=NOW - HOUR) for guest in guests]


def offered(capacity=1, waiting=2, **over):
    """The same after the first has withdrawn."""
    conference, people = full(capacity, waiting, **over)
    operations.withdraw(people[0], at=NOW)
    return conference, people[1:]


def to_settle(at):
    found = [queries.conference_to_settle(one, at) for one in queries.ids_to_look_at(at)]
    return [one for one in found if one is not None]


def offers(person):
    query = db.session.query(SeatOffer).filter_by(registration_id=person.id).order_by(SeatOffer.id)
    return query.all()


def letters(person, kind):
    return (
        db.session.query(Mail)
        .filter_by(kind=kind, recipient_address=person.contact.email)
        .order_by(Mail.id)
        .all()
    )


def numbers(conference):
    counts = queries.seat_counts(conference)
    return counts.confirmed, counts.offered, counts.waiting, counts.free


def test_f02_a_free_seat_is_offered_held_and_told_in_one_transaction(house):
    conference, (first, second) = offered()
    [offer] = offers(first)
    assert (first.standing, offer.until, numbers(conference)) == (
        Standing.WAITING,
        NOW + 48 * HOUR,
        (0, 1, 1, 0),
    )
    [letter] = letters(first, "seat_offer")
    assert "04.05.2023" in letter.text and letter.button_label == "Platz annehmen oder ablehnen"
    assert letters(second, "seat_offer") == []
    newcomer = operations.accept(an_invitation(conference), an_answer(), at=NOW)
    assert newcomer.standing is Standing.WAITING
    assert seats.move_up(conference, at=NOW) == []


def test_f03_an_offer_taken_twice_gives_the_same_answer_and_one_letter(house):
    conference, (first, _second) = offered()
    [offer] = offers(first)
    for _press in range(3):
        assert seats.accept_offer(first, offer.id, at=NOW + HOUR).standing is Standing.CONFIRMED
    assert (numbers(conference), offer.outcome) == ((1, 0, 1, 0), OfferEnd.ACCEPTED)
    subjects = [letter.subject for letter in letters(first, "registered")]
    assert sum("jetzt einen Platz" in subject for subject in subjects) == 1
    assert letters(first, "registered")[-1].calendar_method == "REQUEST"


def test_f02_an_offer_turned_down_goes_to_the_next_at_once_and_a_second_no_changes_nothing(house):
    conference, (first, second) = offered()
    [offer] = offers(first)
    for _press in range(2):
        operations.decline_offer(first, offer.id, at=NOW + HOUR)
    assert (first.standing, offer.outcome) == (Standing.WITHDRAWN, OfferEnd.DECLINED)
    assert invitation_for(conference, first.contact_id).reply is Reply.DECLINED
    assert len(offers(second)) == 1 and len(letters(first, "declined")) == 1


def test_f02_when_the_time_is_over_the_offer_goes_to_the_next_and_the_person_to_the_end(house):
    conference, (first, second) = offered()
    [offer] = offers(first)
    late = NOW + 48 * HOUR
    assert to_settle(late - timedelta(seconds=1)) == [conference]  # the reminder
    seats.settle(conference, at=late)
    assert (offer.outcome, offer.ended_at) == (OfferEnd.EXPIRED, late)
    assert [queries.place_in_line(one) for one in (second, first)] == [1, 2]
    assert len(offers(second)) == 1 and len(letters(first, "seat_offer_ended")) == 1
    assert to_settle(late) == []


def test_f02_who_waits_alone_reads_that_the_offer_has_ended_and_is_offered_the_seat_once_more(house):
    conference, (alone,) = offered(waiting=1)
    late = NOW + 48 * HOUR
    seats.settle(conference, at=late)
    [ended], [_first, again] = letters(alone, "seat_offer_ended"), letters(alone, "seat_offer")
    assert "weitergegeben" not in ended.subject + ended.text and "abgelaufen" in ended.text
    assert "noch einmal" in again.text and "frei geworden" not in again.text
    with pytest.raises(Refused, match="noch einmal ein Platz"):
        seats.accept_offer(alone, offers(alone)[0].id, at=late)
    seats.accept_offer(alone, offers(alone)[1].id, at=late)
    with pytest.raises(Refused, match="Sie haben inzwischen einen Platz"):
        seats.accept_offer(alone, offers(alone)[0].id, at=late)


def test_f02_letters_of_offers_that_end_together_tell_the_places_that_hold(house):
    conference, people = full(capacity=2, waiting=3)
    for person in people[:2]:
        operations.withdraw(person, at=NOW)
    seats.settle(conference, at=NOW + 48 * HOUR)
    for person in people[2:4]:
        [ended] = letters(person, "seat_offer_ended")
        assert f"auf Platz {queries.place_in_line(person)}" in ended.text


@pytest.mark.parametrize("settled", [False, True])
def test_f02_who_takes_it_too_late_reads_why_stays_on_the_list_and_takes_nobody_elses_seat(house, settled):
    conference, (first, _second) = offered()
    [offer] = offers(first)
    late = NOW + 48 * HOUR
    if settled:
        seats.settle(conference, at=late)
    for answer in (seats.accept_offer, operations.decline_offer):
        with pytest.raises(Refused, match=r"04.05.2023.*Sie bleiben auf der Warteliste"):
            answer(first, offer.id, at=late)
    assert first.standing is Standing.WAITING


def test_f02_a_used_offer_does_not_come_back_to_life(house):
    conference, (first, _second) = offered()
    [offer] = offers(first)
    seats.accept_offer(first, offer.id, at=NOW)
    operations.withdraw(first, at=NOW)
    with pytest.raises(Refused, match="zurückgegeben"):
        seats.accept_offer(first, offer.id, at=NOW)
    again = operations.accept(invitation_for(conference, first.contact_id), an_answer(), at=NOW + HOUR)
    with pytest.raises(Refused):
        seats.accept_offer(again, offer.id, at=NOW + HOUR)
    assert again.standing is Standing.WAITING


def test_an_offer_to_somebody_else_is_not_found(house):
    _conference, (first, second) = offered()
    with pytest.raises(Missing):
        seats.accept_offer(second, offers(first)[0].id, at=NOW)


def test_a_seat_that_becomes_free_during_offers_is_offered_to_the_next_without_an_offer(house):
    conference, people = full(capacity=2, waiting=3)
    operations.withdraw(people[0], at=NOW)
    operations.withdraw(people[1], at=NOW)
    assert [len(offers(person)) for person in people] == [0, 0, 1, 1, 0]
    operations.withdraw(people[2], at=NOW)
    assert [len(offers(person)) for person in people] == [0, 0, 1, 1, 1]
    assert numbers(conference) == (0, 2, 0, 0)


def test_who_is_next_with_an_offer_past_its_time_does_not_keep_a_newcomer_from_order(house):
    conference, (first, second) = offered()
    newcomer = operations.accept(an_invitation(conference), an_answer(), at=NOW + 49 * HOUR)
    assert [len(offers(person)) for person in (first, second, newcomer)] == [1, 1, 0]
    assert offers(first)[0].outcome is OfferEnd.EXPIRED and newcomer.standing is Standing.WAITING


def test_no_offer_lasts_beyond_the_beginning_also_where_that_is_moved(house):
    conference, (first,) = offered(hours=336, waiting=1)
    [offer] = offers(first)
    assert offer.until == NOW + 336 * HOUR
    conference.starts_at = NOW + 24 * HOUR
    assert offer.until == conference.starts_at
    with pytest.raises(Refused, match="begonnen"):
        seats.accept_offer(first, offer.id, at=conference.starts_at)
    seats.settle(conference, at=conference.starts_at)
    assert offer.outcome is OfferEnd.EXPIRED and letters(first, "seat_offer_ended") == []


def test_an_offer_shortly_before_the_beginning_ends_with_it(house):
    conference, people = full()
    operations.withdraw(people[0], at=conference.starts_at - HOUR)
    assert offers(people[1])[0].expires_at == conference.starts_at


def test_seats_that_are_offered_count_as_promised_when_there_are_to_be_fewer(house):
    conference, people = full(capacity=2, waiting=1)
    operations.withdraw(people[0], at=NOW)
    conference.seats = 1
    with pytest.raises(Refused, match="oder ein Angebot"):
        seats.follow(conference, 2, at=NOW)


def test_who_does_not_answer_twice_is_passed_over_until_an_organiser_offers_again(house):
    conference, (silent,) = offered(waiting=1)
    for round_ in (1, 2):
        seats.settle(conference, at=NOW + 50 * round_ * HOUR)
    at = NOW + 101 * HOUR
    assert [one.outcome for one in offers(silent)] == [OfferEnd.EXPIRED] * 2
    assert numbers(conference) == (0, 0, 1, 1) and to_settle(at) == []
    assert operations.accept(an_invitation(conference), an_answer(), at=at).standing is Standing.CONFIRMED
    with pytest.raises(Refused, match="kein Platz frei"):
        seats.offer_again(silent, at=at)
    conference.seats = 2
    assert seats.offer_again(silent, at=at).id == seats.offer_again(silent, at=at).id
    assert len(letters(silent, "seat_offer")) == 3


def test_the_one_reminder_comes_when_a_quarter_of_the_time_is_left(house):
    conference, (first, _second) = offered()
    for hours in (35, 36, 37):
        seats.settle(conference, at=NOW + hours * HOUR)
    assert [("noch immer" in letter.text) for letter in letters(first, "seat_offer")] == [False, True]


def test_a_short_offer_has_no_reminder(house):
    conference, (first, _second) = offered(hours=4)
    seats.settle(conference, at=NOW + 3.9 * HOUR)
    assert len(letters(first, "seat_offer")) == 1


def test_who_has_no_address_gets_the_seat_at_once(house):
    _conference, people = full(waiting=1)
    people[1].contact.email = None
    operations.withdraw(people[0], at=NOW)
    assert people[1].standing is Standing.CONFIRMED


def test_the_limit_of_an_organisation_holds_for_offers_too(house):
    _conference, people = full(capacity=2, waiting=2, per_provider=1)
    people[2].contact.provider = people[1].contact.provider
    db.session.flush()
    operations.withdraw(people[0], at=NOW)
    assert [len(offers(person)) for person in people] == [0, 0, 0, 1]


def test_by_telephone_an_organiser_takes_the_offer_for_the_person(house):
    conference, (first, _second) = offered()
    operations.accept_as_known(invitation_for(conference, first.contact_id), at=NOW, by_staff=True)
    assert (first.standing, offers(first)[0].outcome) == (Standing.CONFIRMED, OfferEnd.ACCEPTED)


def test_erasing_somebody_with_an_offer_gives_the_seat_on_and_leaves_no_trace(house):
    _conference, (first, second) = offered()
    erase(first.contact, at=NOW)
    assert len(offers(second)) == 1 and db.session.query(SeatOffer).count() == 1
    assert db.session.query(Registration).count() == 2


def test_without_offers_who_waits_moves_up_at_once_as_ever(house):
    conference, (first, second) = offered()
    seats.set_rules(conference, seats.Rules(None, None), 1, at=NOW)
    operations.withdraw(first, at=NOW)
    assert second.standing is Standing.CONFIRMED


def test_the_follow_up_conference_gives_its_seats_in_the_same_way(house):
    conference, _people = full(per_provider=3)
    other = a_conference(slug="other")
    seats.copy_rules(conference, other)
    db.session.flush()
    rules = queries.rules_of(other)
    assert (rules.per_provider, rules.offer_hours, rules.version) == (3, 48, 1)


# -- pages ------------------------------------------------------------


@pytest.fixture
def guest(in_house):
    """Somebody with an offer: the token of the personal link, the link itself, the id of the offer."""
    with in_house():
        conference, (first, _second) = offered()
        link = a_personal_link(invitation_for(conference, first.contact_id))
        return links.token_of(link.nonce), link, offers(first)[0].id


def heading(browser):
    [title] = [one for one in browser.page.iter() if one.tag.endswith("}h1")]
    return "".join(title.itertext()).strip()


def standing(in_house, link):
    with in_house():
        return db.session.query(Registration).filter_by(contact_id=link.contact_id).one().standing


def test_two_taps_from_the_letter_take_the_seat_and_looking_takes_nothing(browser, in_house, guest):
    token, link, offer = guest
    browser.open("registrations.answer_invitation", token=token)
    assert "Donnerstag, 04.05.2023" in browser.text and link.contact.last_name not in browser.text
    assert heading(browser) == "Ein Platz ist für Sie frei gehalten" and ".." not in browser.text
    assert standing(in_house, link) is Standing.WAITING
    fields = {"offer": browser.value_of("offer"), "reply": "accepted"}
    assert fields["offer"] == str(offer)
    browser.submit("registrations.answer_offer_by_link", fields, token=token)
    assert "Der Platz gehört Ihnen" in browser.text and "Sie haben einen Platz." in browser.text
    browser.submit("registrations.answer_offer_by_link", fields, token=token)
    assert "Der Platz gehört Ihnen" in browser.text


def test_on_the_own_page_the_seat_can_be_turned_down(browser, in_house, guest):
    _token, link, offer = guest
    browser.enter(link).open("registrations.my_page")
    assert browser.text.count("04.05.2023") == browser.text.count("Ein Platz ist für Sie frei gehalten") == 1
    browser.submit("registrations.answer_offer", {"offer": str(offer), "reply": "declined"})
    assert standing(in_house, link) is Standing.WITHDRAWN


def test_withdrawing_asks_first_and_needs_no_javascript(browser, in_house, guest):
    _token, link, _offer = guest
    browser.enter(link).open("registrations.my_page")
    question = next(
        one
        for one in browser.page.iter()
        if one.tag.endswith("details") and "absagen?" in "".join(one.itertext())
    )
    [form] = [one for one in question.iter() if one.tag.endswith("form")]
    assert form.get("action") == "/my/withdrawal"
    assert sum(one.get("action") == "/my/withdrawal" for one in browser.page.iter()) == 1


@pytest.mark.parametrize("fields", [{"reply": "maybe"}, {"reply": ""}, {}])
def test_an_answer_that_nobody_offered_changes_nothing(browser, in_house, guest, fields):
    token, link, offer = guest
    browser.submit(
        "registrations.answer_offer_by_link", {"offer": str(offer), **fields}, status=422, token=token
    )
    assert standing(in_house, link) is Standing.WAITING


@pytest.mark.parametrize("offer", ["", "x", "²", "99999999999", "77"])
def test_an_offer_that_is_none_is_not_found(browser, in_house, guest, offer):
    token, link, _offer = guest
    fields = {"offer": offer, "reply": "accepted"}
    browser.submit("registrations.answer_offer_by_link", fields, status=404, token=token)
    browser.enter(link).submit("registrations.answer_offer", fields, status=404)


def test_f25_one_conference_that_cannot_be_settled_keeps_no_other_waiting(app, in_house, monkeypatch):
    with in_house():
        conference, _waiting = offered()
        offered(series=conference.series, slug="other")
        first = conference.id
    with in_house():
        db.session.execute(
            db.text("UPDATE conference SET ends_at = 'infinity' WHERE id = :id"), {"id": first}
        )
    monkeypatch.setattr(clock, "now", lambda: NOW + 49 * HOUR)
    with app.app_context():
        assert (settle_seats(), settle_seats()) == (1, 0)


def test_too_late_is_a_page_that_says_so_and_the_job_gives_the_seat_on(
    app, browser, in_house, guest, monkeypatch
):
    token, link, offer = guest
    monkeypatch.setattr(clock, "now", lambda: NOW + 49 * HOUR)
    browser.open("registrations.answer_invitation", token=token)
    assert "Ja, ich nehme den Platz" not in browser.text
    assert heading(browser) == "Das Angebot eines Platzes ist abgelaufen"
    fields = {"offer": str(offer), "reply": "accepted"}
    browser.submit("registrations.answer_offer_by_link", fields, status=409, token=token)
    assert "Sie bleiben auf der Warteliste" in browser.text
    with app.app_context():
        assert (settle_seats(), settle_seats()) == (1, 0)
    browser.enter(link).open("registrations.my_page")
    assert "Platz 2 der Warteliste." in browser.text and "dieses Angebot ist abgelaufen" in browser.text
    with in_house():
        assert db.session.query(SeatOffer).filter_by(ended_at=None).count() == 1


def test_where_seats_are_offered_nothing_promises_that_people_move_up_by_themselves(browser, in_house):
    with in_house():
        conference, (_first, second) = offered()
        new = a_personal_link(an_invitation(conference, sent=True))
        waits, token = (
            a_personal_link(invitation_for(conference, second.contact_id)),
            links.token_of(new.nonce),
        )
        [letter] = letters(second, "registered")
        assert "bieten wir ihn Ihnen" in letter.text and "rücken Sie nach" not in letter.text
    browser.open("registrations.answer_invitation", token=token)
    assert "bieten wir ihn Ihnen" in browser.text and "rücken nach" not in browser.text
    browser.enter(waits).open("registrations.my_page")
    assert "bieten wir ihn Ihnen" in browser.text and "rücken nach" not in browser.text


def test_who_has_let_offers_pass_reads_one_thing_about_what_comes(browser, in_house):
    with in_house():
        conference, (silent,) = offered(waiting=1)
        for round_ in (1, 2):
            seats.settle(conference, at=NOW + 50 * round_ * HOUR)
        link = a_personal_link(invitation_for(conference, silent.contact_id))
    browser.enter(link).open("registrations.my_page")
    assert "von selbst keine weiteren" in browser.text
    assert "rücken nach" not in browser.text and "bieten wir ihn Ihnen" not in browser.text


def test_organisers_see_who_has_an_offer_until_when(browser, organiser, in_house):
    with in_house():
        conference, (first, _second) = offered()
        from conference.conferences.operations import add_member

        add_member(conference.series, db.session.merge(organiser))
        guest = invitation_for(conference, first.contact_id).id
    browser.sign_in(organiser).open("registrations.show_registrations", slug="june-2023")
    assert "hat ein Angebot bis Donnerstag, 04.05.2023" in browser.text
    assert browser.text.count("hat ein Angebot") == 2 and browser.text.count("auf der Warteliste") == 1
    assert f"/conferences/june-2023/guests/{guest}" in browser.links()


def test_who_waits_and_who_has_an_offer_is_said_in_the_same_words_everywhere(browser, organiser, in_house):
    with in_house():
        conference, _people = offered()
        from conference.conferences.operations import add_member

        add_member(conference.series, db.session.merge(organiser))
    browser.sign_in(organiser)
    for page in ("invitations.show_guests", "registrations.show_attendance"):
        browser.open(page, slug="june-2023")
        assert browser.text.count("hat ein Angebot") == browser.text.count("auf der Warteliste") == 1, page
    for page, slug in (("overview.show_conference", {"slug": "june-2023"}), ("overview.start", {})):
        browser.open(page, **slug)
        assert "1 Person wartet, 1 Person hat ein Angebot" in browser.text, page


def test_somebody_who_takes_the_offer_by_telephone_is_served_on_the_page_of_the_guest(
    browser, organiser, in_house
):
    with in_house():
        conference, (first, second) = offered()
        from conference.conferences.operations import add_member

        add_member(conference.series, db.session.merge(organiser))
        guest, waits = (invitation_for(conference, one.contact_id).id for one in (first, second))
        offer, contact_id = str(offers(first)[0].id), first.contact_id
    browser.sign_in(organiser).open("invitations.show_guest", slug="june-2023", invitation_id=waits)
    assert "Platz 2" in browser.text and "Nimmt den angebotenen Platz" not in browser.text
    browser.open("invitations.show_guest", slug="june-2023", invitation_id=guest)
    assert "frei gehalten bis Donnerstag, 04.05.2023" in browser.text and "Platz 1" in browser.text
    assert "Nimmt den angebotenen Platz" in browser.text and browser.value_of("offer") == offer
    fields = {"reply": "accepted", "offer": offer}
    browser.submit("registrations.note_reply_by_phone", fields, slug="june-2023", invitation_id=guest)
    assert "angebotenen Platz" not in browser.text and "Platz 1" not in browser.text
    with in_house():
        one = db.session.query(Registration).filter_by(contact_id=contact_id).one()
        assert one.standing is Standing.CONFIRMED


def test_f02_the_next_one_after_an_erasure_gets_their_letter_and_nobody_their_page(browser, in_house):
    """The newest row of a table is deleted with a person: its id must not become somebody else's."""
    with in_house():
        conference = a_conference()
        gone = an_invitation(conference)
        operations.accept(gone, an_answer(), at=NOW)
        browser.enter(a_personal_link(gone))
        erase(gone.contact, at=NOW)
        newcomer = operations.accept(an_invitation(conference), an_answer(), at=NOW)
        assert len(letters(newcomer, "registered")) == 1
    browser.open("registrations.my_page", status=404)
