"""The guest list in the browser."""

import pytest

from conference.accounts.models import Role
from conference.conferences.operations import add_member
from conference.invitations import operations
from conference.invitations.models import EndedVisit, Invitation, LinkPurpose, PersonalLink, Reply
from conference.kit import links
from conference.kit.db import db
from conference.outbox.models import Mail, MailState
from conference.privacy.operations import run_retention
from conference.providers.models import Contact

from ..bad_input import BAD_LINE_IDS, BAD_LINES, BLANKS, HARMLESS, LEGITIMATE_NAMES
from ..builders import NOW, a_conference, a_contact, a_series, an_account, an_invitation
from .conftest import SLUG


def a_person(**over):
    values = {
        "organisation": "Bildungshaus Herford", "salutation": "ms", "title": "Dr.", "first_name": "Ada",
        "last_name": "Müller", "email": "ada@traeger.example", "function": "Leitung", "side": "provider", "team": "",
    }  # fmt: skip
    return values | over


def count(app, model):
    with app.app_context():
        return db.session.query(model).count()


def test_an_empty_list_leads_to_the_import(staff):
    staff.open("invitations.show_guests", slug=SLUG)
    assert staff.sees("Auf der Gästeliste steht niemand")
    assert f"/conferences/{SLUG}/guests/import" in staff.links()


def test_everybody_is_listed_with_organisation_answer_and_letters(staff, in_house, guests):
    [ada] = guests(sent=True, last_name="Müller", organisation="Bildungshaus Herford")
    [_kim] = guests(last_name="Özdemir")
    with in_house():
        operations.note_reply(db.session.merge(ada), Reply.ACCEPTED, at=NOW)
    staff.open("invitations.show_guests", slug=SLUG)
    for words in (
        "Ada Müller",
        "Bildungshaus Herford",
        "zugesagt",
        "eingeladen am 02.05.2023",
        "noch nicht eingeladen",
    ):
        assert staff.sees(words)
    assert staff.sees("Alle 2") and staff.sees("Noch nicht eingeladen 1") and staff.sees("Zugesagt 1")


@pytest.mark.parametrize(
    ("reply", "seen"),
    [("", {"Neu", "Offen", "Zusage", "Absage"}), ("new", {"Neu"}), ("open", {"Offen"}), ("accepted", {"Zusage"}),
     ("declined", {"Absage"}), ("nonsense", {"Neu", "Offen", "Zusage", "Absage"})],
)  # fmt: skip
def test_the_list_can_be_narrowed_by_answer(staff, in_house, guests, reply, seen):
    guests(last_name="Neu")
    guests(sent=True, last_name="Offen")
    for name, answer in (("Zusage", Reply.ACCEPTED), ("Absage", Reply.DECLINED)):
        [guest] = guests(sent=True, last_name=name)
        with in_house():
            operations.note_reply(db.session.merge(guest), answer, at=NOW)
    staff.open(f"/conferences/{SLUG}/guests?reply={reply}")
    assert {name for name in ("Neu", "Offen", "Zusage", "Absage") if staff.sees(f"Ada {name}")} == seen


def test_a_letter_that_failed_is_marked_and_a_corrected_address_is_not(app, staff, in_house, guests):
    [guest] = guests(sent=True, email="wrong@traeger.example")
    with in_house():
        mail = db.session.query(Mail).one()
        mail.state, mail.error = MailState.FAILED, "550 5.1.1 User unknown"
    staff.open("invitations.show_guests", slug=SLUG)
    assert staff.sees("E-Mail fehlgeschlagen")
    staff.open("invitations.show_guest", slug=SLUG, invitation_id=guest.id)
    assert staff.sees("550 5.1.1 User unknown")
    staff.submit(
        "invitations.edit_guest",
        a_person(email="right@traeger.example", version="1"),
        slug=SLUG,
        invitation_id=guest.id,
    )
    assert staff.sees("right@traeger.example")
    staff.open("invitations.show_guests", slug=SLUG)
    assert not staff.sees("E-Mail fehlgeschlagen")


def test_a_person_is_put_on_the_list(app, staff):
    staff.submit("invitations.new_guest", a_person(), slug=SLUG)
    assert staff.sees("Dr. Ada Müller steht auf der Gästeliste")
    assert (count(app, Invitation), count(app, Mail)) == (1, 0)


def test_a_person_sent_twice_is_there_once(app, staff):
    staff.submit("invitations.new_guest", a_person(), slug=SLUG)
    staff.submit("invitations.new_guest", a_person(), status=409, slug=SLUG)
    assert staff.sees("steht schon auf der Gästeliste")
    assert staff.value_of("last_name") == "Müller"
    assert (count(app, Invitation), count(app, Contact)) == (1, 1)


def test_a_known_address_puts_the_known_person_on_the_list(app, staff, in_house):
    with in_house():
        a_contact(
            first_name="Kim", last_name="Özdemir", email="kim@traeger.example", organisation="Werkstatt"
        )
    staff.submit("invitations.new_guest", a_person(email="KIM@traeger.example"), slug=SLUG)
    assert staff.sees("Diese Adresse gehört zu Kim Özdemir, Werkstatt")
    assert count(app, Contact) == 1


@pytest.mark.parametrize("bad", BAD_LINES, ids=BAD_LINE_IDS)
@pytest.mark.parametrize("field", ["organisation", "first_name", "last_name", "email"])
def test_bad_text_is_refused_with_the_input_kept(app, staff, field, bad):
    staff.submit("invitations.new_guest", a_person(**{field: bad}), status=422, slug=SLUG)
    assert staff.sees("Es gibt ein Problem")
    kept = "organisation" if field != "organisation" else "last_name"
    assert staff.value_of(kept) == a_person()[kept]
    assert (count(app, Contact), count(app, Invitation)) == (0, 0)


@pytest.mark.parametrize(
    ("field", "value"),
    [("email", "nobody"), ("email", "a@b\r\nBcc: c@d.example"), ("salutation", "lord"), ("side", "dark"),
     *[(field, blank) for field in ("organisation", "last_name", "email") for blank in BLANKS]],
)  # fmt: skip
def test_wrong_values_are_refused(app, staff, field, value):
    staff.submit("invitations.new_guest", a_person(**{field: value}), status=422, slug=SLUG)
    assert count(app, Contact) == 0


@pytest.mark.parametrize("name", HARMLESS + LEGITIMATE_NAMES)
def test_odd_but_good_names_are_kept_in_list_and_letter(app, staff, name):
    name = name[:60]
    staff.submit("invitations.new_guest", a_person(last_name=name, title="", salutation="none"), slug=SLUG)
    assert staff.sees(name)
    with app.app_context():
        guest = db.session.query(Invitation).one()
    staff.submit("invitations.send_to_guest", {"wave": "0"}, slug=SLUG, invitation_id=guest.id)
    with app.app_context():
        assert db.session.query(Mail).one().text.startswith(f"Guten Tag Ada {name},")


def test_a_stale_correction_is_refused_with_both_texts(app, staff, guests):
    [guest] = guests(email="first@traeger.example")
    form = a_person(email="second@traeger.example", version="1")
    staff.submit("invitations.edit_guest", form, slug=SLUG, invitation_id=guest.id)
    staff.submit(
        "invitations.edit_guest",
        form | {"email": "third@traeger.example"},
        status=409,
        slug=SLUG,
        invitation_id=guest.id,
    )
    assert staff.sees("second@traeger.example") and staff.sees("third@traeger.example")


@pytest.mark.parametrize("bad", BAD_LINES, ids=BAD_LINE_IDS)
def test_a_bad_correction_changes_nothing(staff, again, guests, bad):
    [guest] = guests(last_name="Müller")
    staff.submit(
        "invitations.edit_guest",
        a_person(last_name=bad, version="1"),
        status=422,
        slug=SLUG,
        invitation_id=guest.id,
    )
    assert again(guest).contact.last_name == "Müller"


def test_an_address_of_somebody_else_is_refused(staff, guests):
    guests(email="taken@traeger.example")
    [guest] = guests()
    staff.submit(
        "invitations.edit_guest", a_person(email="taken@traeger.example", version="1"), status=409, slug=SLUG,
        invitation_id=guest.id,
    )  # fmt: skip


def test_who_was_not_invited_can_be_taken_off(app, staff, guests):
    [guest] = guests(last_name="Müller")
    staff.submit("invitations.remove_guest", slug=SLUG, invitation_id=guest.id)
    assert staff.sees("Ada Müller steht nicht mehr auf der Gästeliste")
    assert (count(app, Invitation), count(app, Contact)) == (0, 1)


def test_who_was_invited_stays(app, staff, guests):
    [guest] = guests(sent=True)
    staff.submit("invitations.remove_guest", status=409, slug=SLUG, invitation_id=guest.id)
    assert count(app, Invitation) == 1


def test_one_person_is_invited_from_their_page_once(app, staff, again, guests):
    [guest] = guests()
    for _press in range(2):
        staff.submit("invitations.send_to_guest", {"wave": "0"}, slug=SLUG, invitation_id=guest.id)
    assert count(app, Mail) == 1
    assert again(guest).wave == 1
    staff.submit("invitations.send_to_guest", {"wave": "1"}, slug=SLUG, invitation_id=guest.id)
    assert count(app, Mail) == 2


@pytest.mark.parametrize("wave", ["", "x", "-1", "9" * 30, "²"])
def test_an_odd_number_of_letters_sends_nothing(app, staff, guests, wave):
    [guest] = guests()
    staff.submit("invitations.send_to_guest", {"wave": wave}, slug=SLUG, invitation_id=guest.id)
    assert count(app, Mail) == 0


def token_of(app):
    with app.app_context():
        return links.token_of(db.session.query(PersonalLink).order_by(PersonalLink.id.desc()).first().nonce)


def test_a_renewed_link_replaces_the_old_one(app, staff, new_browser, guests):
    [guest] = guests(sent=True)
    old = token_of(app)
    new_browser().open(f"/invitation/{old}")
    staff.open("invitations.show_guest", slug=SLUG, invitation_id=guest.id)
    seen = staff.value_of("link")
    for _press in range(2):
        staff.submit("invitations.renew_link", {"link": seen}, slug=SLUG, invitation_id=guest.id)
    assert token_of(app) != old
    new_browser().open(f"/invitation/{old}", status=404)
    new_browser().open(f"/invitation/{token_of(app)}")
    assert count(app, PersonalLink) == 2


def test_a_blocked_link_leads_nowhere_and_its_browser_is_out(app, staff, new_browser, guests):
    [guest] = guests(sent=True)
    token = token_of(app)
    with app.app_context():
        link = db.session.query(PersonalLink).one()
    visitor = new_browser().enter(link)
    visitor.open("registrations.my_page")
    staff.submit("invitations.revoke_link", slug=SLUG, invitation_id=guest.id)
    assert staff.sees("Der persönliche Link ist gesperrt")
    new_browser().open(f"/invitation/{token}", status=404)
    visitor.open("registrations.my_page", status=404)


def kept_of(visitor):
    """The cookie as it is now, for somebody who copies it."""
    with visitor.client.session_transaction() as session:
        return dict(session)


@pytest.mark.parametrize("way_out", ["signing out", "entering again", "signing in"])
def test_t17_a_copied_cookie_of_a_guest_opens_nothing_after_it_was_left(
    app, new_browser, in_house, guests, way_out
):
    guests(sent=True)
    token = token_of(app)
    phone, tablet, thief = new_browser(), new_browser(), new_browser()
    for device in (phone, tablet):
        device.submit("registrations.visit", token=token)
    copy = kept_of(phone)
    with thief.client.session_transaction() as session:
        session.update(copy)
    thief.open("registrations.my_page")
    if way_out == "signing out":
        for _press in range(2):
            phone.submit("accounts.sign_out")
    elif way_out == "entering again":
        phone.submit("registrations.visit", token=token)
    else:
        with in_house():
            email = an_account(password="gestern war es wärmer").email  # pragma: allowlist secret
        phone.submit("accounts.sign_in", {"email": email, "password": "gestern war es wärmer"})
    thief.open("registrations.my_page", status=404)
    thief.open("privacy.my_data", status=404)
    # Keeping the cookie fresh on open pages, or sending half of it, helps nothing.
    thief.open("accounts.sign_in")
    with thief.client.session_transaction() as session:
        del session["visit"]
    thief.open("registrations.my_page", status=404)
    # The person's other device stays in, and the link goes on opening.
    tablet.open("registrations.my_page")
    new_browser().submit("registrations.visit", token=token)


def test_t17_leaving_leaves_a_hash_that_goes_with_the_link_and_coming_leaves_nothing(
    app, new_browser, in_house, guests
):
    guests(sent=True)
    visitor = new_browser()
    visitor.submit("registrations.visit", token=token_of(app))
    visitor.open("registrations.my_page")
    assert count(app, EndedVisit) == 0
    secret = kept_of(visitor)["visit"]
    visitor.submit("accounts.sign_out")
    with in_house():
        [row] = db.session.query(EndedVisit)
        assert row.visit_hash != secret and len(secret) >= 22
        db.session.query(PersonalLink).update({"revoked_at": NOW})
        run_retention(at=NOW)
    assert count(app, EndedVisit) == 0


def test_moderators_find_no_list_of_guests(new_browser, in_house, june, guests):
    [guest] = guests(last_name="Müller")
    with in_house():
        moderator = an_account(role=Role.MODERATOR)
        add_member(db.session.merge(june).series, moderator)
    visitor = new_browser().sign_in(moderator)
    letters = ("show_mailing", "send_invitations", "send_reminders", "send_updates")
    for endpoint in ("show_guests", "new_guest", *letters):
        visitor.open(f"invitations.{endpoint}", status=404, slug=SLUG)
    visitor.open("invitations.edit_letter", status=404, slug=SLUG, kind="invitation")
    visitor.open("invitations.show_guest", status=404, slug=SLUG, invitation_id=guest.id)


def test_guests_of_another_conference_are_not_found(staff, new_browser, in_house, organiser, guests):
    with in_house():
        other = a_conference(series=a_series(organiser), slug="other")
        stranger = an_invitation(other)
        outsider = an_account()
    values = {"slug": SLUG, "invitation_id": stranger.id}
    for endpoint in ("show_guest", "edit_guest"):
        staff.open(f"invitations.{endpoint}", status=404, **values)
    for endpoint in ("remove_guest", "send_to_guest", "renew_link", "revoke_link", "edit_guest"):
        staff.submit(f"invitations.{endpoint}", a_person(version="1"), status=404, **values)
    visitor = new_browser().sign_in(outsider)
    visitor.open("invitations.show_guests", status=404, slug=SLUG)
    visitor.open("invitations.show_mailing", status=404, slug=SLUG)


@pytest.mark.parametrize("people", [1, 3, 30])
def test_f23_lists_run_a_constant_number_of_queries(staff, guests, count_queries, people):
    guests(people, sent=True)
    counts = {}
    for endpoint in ("show_guests", "show_mailing"):
        with count_queries() as seen:
            staff.open(f"invitations.{endpoint}", slug=SLUG)
        counts[endpoint] = len([statement for statement in seen if statement.startswith("SELECT")])
    assert counts == {"show_guests": 6, "show_mailing": 7}


def test_looking_writes_nothing(staff, guests, count_queries):
    [guest] = guests(sent=True)
    guests(2)
    with count_queries() as seen:
        staff.open("invitations.show_guests", slug=SLUG)
        staff.open("invitations.show_guest", slug=SLUG, invitation_id=guest.id)
        staff.open("invitations.edit_guest", slug=SLUG, invitation_id=guest.id)
        staff.open("invitations.show_mailing", slug=SLUG)
        for endpoint in ("send_invitations", "send_reminders", "send_updates"):
            staff.open(f"invitations.{endpoint}", slug=SLUG)
        for kind in ("invitation", "reminder"):
            staff.open("invitations.edit_letter", slug=SLUG, kind=kind)
    assert [statement for statement in seen if statement.startswith(("INSERT", "UPDATE", "DELETE"))] == []


# -- the demo's participant -------------------------------------------


def test_one_click_makes_the_visitor_a_participant_of_the_newest_conference(
    app, browser, in_house, organiser, june, guests
):
    app.config["DEMO"] = True
    guests(sent=True)
    with in_house():
        august = a_conference(
            series=a_series(organiser), slug="august-2023", title="August", day=NOW.date().replace(month=8)
        )
        answered, silent = an_invitation(august), an_invitation(august)
        operations.send_invitations(august, [answered, silent], at=NOW)
        operations.note_reply(answered, Reply.ACCEPTED, at=NOW)
    browser.submit("/persona/participant")
    assert browser.sees("August")
    token = browser.response.request.path.rsplit("/", 1)[1]
    with app.app_context():
        from conference.invitations.queries import link_by_token

        assert link_by_token(token, NOW).contact_id == silent.contact_id


def test_without_invitations_there_is_no_participant(app, browser, june):
    app.config["DEMO"] = True
    browser.submit("/persona/participant", status=404)


def test_outside_the_demo_nobody_becomes_a_participant(browser, guests):
    guests(sent=True)
    browser.submit("/persona/participant", status=404)


def test_links_for_actions_are_their_own(app, staff, in_house, guests):
    [guest] = guests(sent=True)
    with in_house():
        row = db.session.merge(guest)
        link = operations.personal_link(row.conference, row.contact, LinkPurpose.ACTION, at=NOW)
    with app.app_context():
        staff.open(f"/invitation/{links.token_of(link.nonce)}", status=404)
