"""Answering, changing and withdrawing by the personal link; attendance and papers for staff."""

import pytest

from conference.invitations.models import Reply
from conference.kit import links
from conference.kit.db import db
from conference.registrations import queries
from conference.registrations.models import Attendance, Registration

from ..bad_input import BAD_LINE_IDS, BAD_LINES, BLANKS, HARMLESS, LEGITIMATE_NAMES
from ..builders import a_conference, a_contact, a_personal_link, an_invitation

YES = {
    "reply": "accepted",
    "name": "Ada Muster",
    "diet": "",
    "access_needs": "",
    "first_wish": "",
    "second_wish": "",
    "third_wish": "",
}


@pytest.fixture
def ada(in_house, organiser):
    """Ada is invited to June; gives her invitation, with the token in `.token`."""
    with in_house():
        conference = a_conference(organiser, seats=2)
        invitation = an_invitation(conference, a_contact(first_name="Ada", last_name="Muster"), sent=True)
        token = links.token_of(a_personal_link(invitation).nonce)
    invitation.token = token
    return invitation


def fresh(invitation):
    """The invitation as it is stored now."""
    from conference.invitations.models import Invitation

    return db.session.get(Invitation, invitation.id)


def count(in_house, model):
    with in_house():
        return db.session.query(model).count()


@pytest.fixture(autouse=True)
def in_may(monkeypatch):
    """The clock of the views stands in May 2023, when answers are taken."""
    from ..builders import NOW

    monkeypatch.setattr("conference.kit.clock.now", lambda: NOW)


def test_opening_the_link_changes_nothing_and_prefills_the_name(browser, in_house, ada):
    with in_house():
        before = {table.name: db.session.execute(table.select()).all() for table in db.metadata.sorted_tables}
    for _ in range(3):
        browser.open(f"/invitation/{ada.token}")
        browser.client.head(f"/invitation/{ada.token}")
    assert browser.value_of("name") == "Ada Muster"
    with in_house():
        after = {table.name: db.session.execute(table.select()).all() for table in db.metadata.sorted_tables}
    assert before == after


def test_consents_are_never_ticked_before(browser, ada):
    browser.open(f"/invitation/{ada.token}")
    assert browser.value_of("photo") is None
    assert browser.value_of("name_list") is None


def test_a_yes_leads_to_the_own_page_without_the_token_in_the_address(browser, ada):
    browser.submit(f"/invitation/{ada.token}", YES)
    assert browser.response.request.path == "/my"
    assert browser.sees("Sie haben einen Platz")


def test_a_no_is_noted_with_its_reason(browser, in_house, ada):
    browser.submit(f"/invitation/{ada.token}", {"reply": "declined", "no-reason": "Urlaub"})
    with in_house():
        invitation = fresh(ada)
        assert (invitation.reply, invitation.decline_reason) == (Reply.DECLINED, "Urlaub")


def test_an_answered_link_shows_no_name_and_leads_in_by_post(browser, new_browser, ada):
    browser.submit(f"/invitation/{ada.token}", YES)
    other = new_browser()
    other.open(f"/invitation/{ada.token}")
    assert not other.sees("Ada") and other.sees("beantwortet")
    other.submit(f"/invitation/{ada.token}/visit")
    assert other.sees("Ada Muster")


def test_a_guest_changes_and_withdraws_by_the_same_link(browser, new_browser, in_house, ada):
    browser.submit(f"/invitation/{ada.token}", YES)
    later = new_browser()
    later.submit(f"/invitation/{ada.token}/visit")
    later.submit("registrations.change_registration", YES | {"diet": "vegan", "version": "1"})
    assert later.value_of("diet") == "vegan"
    later.submit("registrations.withdraw")
    assert later.sees("Sie nehmen nicht teil")
    with in_house():
        assert fresh(ada).reply is Reply.DECLINED


def test_a_stale_change_is_refused_with_both_texts(browser, ada):
    browser.submit(f"/invitation/{ada.token}", YES)
    browser.submit("registrations.change_registration", YES | {"diet": "vegan", "version": "1"})
    browser.submit("registrations.change_registration", YES | {"diet": "halal", "version": "1"}, status=409)
    assert browser.sees("vegan") and browser.value_of("diet") == "halal"


@pytest.mark.parametrize("answer", [YES, {"reply": "declined"}])
def test_an_answer_sent_twice_counts_once(browser, in_house, ada, answer):
    browser.submit(f"/invitation/{ada.token}", answer)
    browser.submit(f"/invitation/{ada.token}", answer)
    assert count(in_house, Registration) == (1 if answer is YES else 0)


@pytest.mark.parametrize("token", ["x", "A" * 43, "../../etc", "a%00b", "ä", "x" * 5000])
def test_a_forged_link_reveals_nothing(browser, ada, token):
    answer = browser.client.get(f"/invitation/{token}")
    assert answer.status_code in (400, 404)
    assert b"Ada" not in answer.data


def test_a_revoked_or_expired_link_is_not_found(browser, in_house, ada):
    from datetime import timedelta

    from conference.invitations.models import PersonalLink

    from ..builders import NOW

    for column, value in (("revoked_at", NOW), ("expires_at", NOW - timedelta(days=1))):
        with in_house():
            link = db.session.query(PersonalLink).order_by(PersonalLink.id.desc()).first()
            old = getattr(link, column)
            setattr(link, column, value)
        browser.open(f"/invitation/{ada.token}", status=404)
        browser.submit(f"/invitation/{ada.token}", YES, status=404)
        with in_house():
            setattr(db.session.query(PersonalLink).order_by(PersonalLink.id.desc()).first(), column, old)


def test_a_link_for_actions_opens_no_registration(browser, in_house, ada):
    with in_house():
        token = links.token_of(a_personal_link(fresh(ada), "action").nonce)
    browser.open(f"/invitation/{token}", status=404)


@pytest.mark.parametrize("field", ["name", "diet", "access_needs"])
@pytest.mark.parametrize("bad", BAD_LINES, ids=BAD_LINE_IDS)
def test_bad_text_is_refused_with_the_input_kept(browser, in_house, ada, field, bad):
    browser.submit(f"/invitation/{ada.token}", YES | {"diet": "vegan", field: bad}, status=422)
    assert browser.sees("Es gibt ein Problem")
    if field != "diet":
        assert browser.value_of("diet") == "vegan"
    assert count(in_house, Registration) == 0


@pytest.mark.parametrize("blank", BLANKS)
def test_a_name_is_needed(browser, in_house, ada, blank):
    browser.submit(f"/invitation/{ada.token}", YES | {"name": blank}, status=422)
    assert count(in_house, Registration) == 0


@pytest.mark.parametrize("values", [{"first_wish": "999"}, {"first_wish": "x"}, {"reply": "perhaps"}])
def test_answers_that_were_not_offered_are_refused(browser, in_house, ada, values):
    browser.submit(f"/invitation/{ada.token}", YES | values, status=422)
    assert count(in_house, Registration) == 0


@pytest.mark.parametrize("name", HARMLESS + LEGITIMATE_NAMES)
def test_names_are_kept_as_they_are(browser, ada, name):
    browser.submit(f"/invitation/{ada.token}", YES | {"name": name})
    assert browser.value_of("name") == name


@pytest.mark.parametrize("bad", BAD_LINES, ids=BAD_LINE_IDS)
def test_a_bad_reason_is_refused(browser, in_house, ada, bad):
    browser.submit(f"/invitation/{ada.token}", {"reply": "declined", "no-reason": bad}, status=422)
    with in_house():
        assert fresh(ada).reply is Reply.OPEN


def test_without_a_link_there_is_no_own_page(browser):
    for path in ("/my", "/my/groups", "/my/votes"):
        browser.open(path, status=404)


def test_the_waiting_list_is_shown_with_the_place(browser, new_browser, in_house, organiser, ada):
    with in_house():
        conference = fresh(ada).conference
        conference.seats = 1
        other = an_invitation(conference)
        token = links.token_of(a_personal_link(other).nonce)
    browser.submit(f"/invitation/{token}", YES)
    ada_browser = new_browser()
    ada_browser.open(f"/invitation/{ada.token}")
    assert ada_browser.sees("Zurzeit sind alle Plätze vergeben")
    ada_browser.submit(f"/invitation/{ada.token}", YES)
    assert ada_browser.sees("Platz 1 der Warteliste")


# -- staff ------------------------------------------------------------


def test_attendance_stores_only_what_was_changed(browser, in_house, organiser, ada):
    browser.sign_in(organiser).open("registrations.show_attendance", slug="june-2023")
    number = ada.contact_id
    browser.submit(
        "registrations.show_attendance",
        {f"was-{number}": "", f"presence-{number}": "present"},
        slug="june-2023",
    )
    assert browser.value_of(f"presence-{number}") == "present"
    browser.submit(
        "registrations.show_attendance", {f"was-{number}": "", f"presence-{number}": ""}, slug="june-2023"
    )
    assert count(in_house, Attendance) == 1


@pytest.mark.parametrize(
    "data", [{"presence-999": "present"}, {"presence-x": "present"}, {"presence-1": "maybe"}]
)
def test_attendance_of_strangers_or_unknown_kinds_is_refused(browser, in_house, organiser, ada, data):
    browser.sign_in(organiser).submit("registrations.show_attendance", data, slug="june-2023", status=422)
    assert count(in_house, Attendance) == 0


@pytest.mark.parametrize("field", ["first_name", "last_name", "organisation"])
@pytest.mark.parametrize("bad", BAD_LINES, ids=BAD_LINE_IDS)
def test_a_bad_walk_in_is_refused_with_the_input_kept(browser, in_house, organiser, ada, field, bad):
    data = {"first_name": "Ada", "last_name": "Neu", "organisation": "Haus", "email": ""} | {field: bad}
    browser.sign_in(organiser).submit("registrations.add_walk_in", data, slug="june-2023", status=422)
    assert count(in_house, Attendance) == 0


def test_an_answer_by_telephone_is_noted(browser, in_house, organiser, ada):
    browser.sign_in(organiser)
    browser.submit(
        "registrations.note_reply_by_phone", {"reply": "accepted"}, slug="june-2023", invitation_id=ada.id
    )
    with in_house():
        assert queries.seat_counts(fresh(ada).conference).confirmed == 1


def test_the_export_holds_no_formula(browser, new_browser, in_house, organiser, ada):
    guest = new_browser()
    guest.submit(
        f"/invitation/{ada.token}", YES | {"name": '=HYPERLINK("http://boese.example")', "diet": "@cmd"}
    )
    text = (
        browser.sign_in(organiser)
        .open("registrations.export_registrations", slug="june-2023")
        .get_data()
        .decode("utf-8-sig")
    )
    cells = [cell for line in text.splitlines() for cell in line.split(";")]
    assert not [cell for cell in cells if cell.strip('"').startswith(("=", "@", "+"))]


@pytest.mark.parametrize("endpoint", ["signature_list", "badges"])
def test_papers_come_as_tagged_pdf(browser, new_browser, organiser, ada, endpoint):
    import io

    import pypdf

    new_browser().submit(f"/invitation/{ada.token}", YES)
    answer = browser.sign_in(organiser).open(f"registrations.{endpoint}", slug="june-2023")
    reader = pypdf.PdfReader(io.BytesIO(answer.data))
    assert answer.mimetype == "application/pdf"
    assert reader.trailer["/Root"]["/MarkInfo"]["/Marked"]
    assert "Muster" in "".join(page.extract_text() for page in reader.pages)


@pytest.mark.parametrize("people", [1, 3, 30])
@pytest.mark.parametrize("endpoint", ["show_registrations", "show_attendance"])
def test_f23_lists_run_a_constant_number_of_queries(
    browser, in_house, organiser, ada, count_queries, people, endpoint
):
    from conference.registrations import operations

    from ..builders import NOW, an_answer

    with in_house():
        conference = fresh(ada).conference
        conference.seats = 60
        for _ in range(people):
            operations.accept(an_invitation(conference), an_answer(), at=NOW)
    browser.sign_in(organiser)
    with count_queries() as seen:
        browser.open(f"registrations.{endpoint}", slug="june-2023")
    expected = {"show_registrations": 11, "show_attendance": 7}[endpoint]
    assert len([s for s in seen if s.startswith("SELECT")]) == expected


# -- answers that come late, twice, or from an old page ---------------


def at(monkeypatch, moment):
    """Let the clock of the views show another moment."""
    monkeypatch.setattr("conference.kit.clock.now", lambda: moment)


def test_the_page_says_for_whom_the_invitation_is_until_it_is_answered(browser, new_browser, ada):
    browser.open(f"/invitation/{ada.token}")
    assert browser.sees("Diese Einladung ist für Ada Muster")
    browser.submit(f"/invitation/{ada.token}", YES)
    other = new_browser()
    other.submit(f"/invitation/{ada.token}", YES | {"name": ""}, status=422)
    assert not other.sees("Ada")


@pytest.mark.parametrize("reply", [None, "", "yes"])
def test_without_a_clear_answer_nobody_is_registered(browser, in_house, ada, reply):
    fields = {key: value for key, value in (YES | {"reply": reply}).items() if value is not None}
    browser.submit(f"/invitation/{ada.token}", fields, status=422)
    assert browser.sees("Es gibt ein Problem")
    assert count(in_house, Registration) == 0


def test_an_old_form_sent_again_does_not_overwrite_later_changes(browser, in_house, ada):
    browser.submit(f"/invitation/{ada.token}", YES | {"diet": "vegan", "photo": "y"})
    browser.submit("registrations.change_registration", YES | {"diet": "halal", "version": "1"})
    browser.submit(f"/invitation/{ada.token}", YES | {"diet": "vegan", "photo": "y"}, status=409)
    assert browser.sees("inzwischen beantwortet") and browser.sees("Meine Anmeldung öffnen")
    assert browser.value_of("diet") == "vegan"
    browser.open("registrations.my_page")
    assert (browser.value_of("diet"), browser.value_of("photo")) == ("halal", None)


def test_an_old_yes_sent_again_after_a_withdrawal_registers_nobody(browser, in_house, ada):
    browser.submit(f"/invitation/{ada.token}", YES)
    browser.submit("registrations.withdraw")
    browser.submit(f"/invitation/{ada.token}", YES, status=409)
    with in_house():
        assert fresh(ada).reply is Reply.DECLINED


def test_an_old_no_sent_after_a_yes_takes_no_seat_away(browser, in_house, ada):
    browser.submit(f"/invitation/{ada.token}", YES)
    browser.submit(f"/invitation/{ada.token}", {"reply": "declined"}, status=409)
    with in_house():
        assert fresh(ada).reply is Reply.ACCEPTED


def test_who_returns_finds_the_own_details_but_no_consents(browser, ada):
    browser.submit(f"/invitation/{ada.token}", YES | {"diet": "vegan", "access_needs": "Rampe", "photo": "y"})
    browser.submit("registrations.withdraw")
    browser.submit("registrations.register_again")
    assert browser.sees("Sie haben einen Platz")
    assert [browser.value_of(name) for name in ("diet", "access_needs", "photo")] == ["vegan", "Rampe", None]


def test_after_the_answer_by_day_one_can_still_say_no(browser, in_house, ada, monkeypatch):
    with in_house():
        late = fresh(ada).conference.answers_close_at
    at(monkeypatch, late)
    browser.open(f"/invitation/{ada.token}")
    assert not browser.sees("Ja, ich nehme teil") and browser.sees("Nein, ich nehme nicht teil")
    browser.submit(f"/invitation/{ada.token}", YES, status=409)
    browser.submit(f"/invitation/{ada.token}", {"reply": "declined", "no-reason": ""})
    assert browser.sees("Sie nehmen nicht teil") and not browser.sees("Doch teilnehmen")
    with in_house():
        assert fresh(ada).reply is Reply.DECLINED


def test_once_the_conference_has_begun_only_consents_can_be_changed(browser, in_house, ada, monkeypatch):
    browser.submit(f"/invitation/{ada.token}", YES | {"diet": "vegan", "photo": "y"})
    with in_house():
        begin = fresh(ada).conference.starts_at
    at(monkeypatch, begin)
    browser.open("registrations.my_page")
    assert browser.sees("vegan") and browser.value_of("diet") is None and browser.value_of("photo") == "y"
    browser.submit("registrations.change_registration", YES | {"version": "1"}, status=409)
    browser.submit("registrations.withdraw", status=409)
    browser.submit(f"/invitation/{ada.token}", YES | {"diet": "halal"}, status=409)
    browser.submit("registrations.change_consents", {"version": "1", "name_list": "y"})
    assert (browser.value_of("photo"), browser.value_of("name_list")) == (None, "y")
    browser.submit("registrations.change_consents", {"version": "1", "photo": "y"}, status=409)
    browser.open("registrations.my_page")
    assert browser.value_of("photo") is None


def test_a_stale_change_tells_both_states_in_words(browser, in_house, ada):
    from conference.conferences.operations import add_topic

    with in_house():
        topics = [add_topic(fresh(ada).conference, title).id for title in ("Planung", "Familie")]
    browser.submit(f"/invitation/{ada.token}", YES | {"first_wish": str(topics[0]), "name_list": "y"})
    browser.submit("registrations.change_registration", YES | {"diet": "vegan", "version": "1"})
    wish = {"first_wish": str(topics[1]), "photo": "y", "version": "1"}
    browser.submit("registrations.change_registration", YES | wish, status=409)
    assert browser.sees("Wünsche: Familie Einwilligungen: Fotos") and browser.sees("Essen: vegan")


def test_a_change_is_confirmed_by_mail_and_the_same_again_is_not(browser, in_house, ada):
    from conference.outbox.models import Mail

    browser.submit(f"/invitation/{ada.token}", YES)
    for _ in range(2):
        browser.submit("registrations.change_registration", YES | {"diet": "vegan", "version": "1"})
    with in_house():
        letters = [mail for mail in db.session.query(Mail) if mail.kind == "changed"]
        assert [mail.recipient_address for mail in letters] == [fresh(ada).contact.email]
        assert "vegan" not in letters[0].text


# -- staff: telephone, door, papers -----------------------------------


def by_phone(browser, ada, reply, **over):
    where = {"slug": "june-2023", "invitation_id": ada.id} | over
    return browser.submit("registrations.note_reply_by_phone", {"reply": reply}, **where)


def test_the_page_of_a_guest_offers_to_note_an_answer_by_telephone(browser, organiser, ada):
    browser.sign_in(organiser).open("invitations.show_guest", slug="june-2023", invitation_id=ada.id)
    assert browser.sees("Die Antwort kam telefonisch?")
    by_phone(browser, ada, "accepted")
    assert browser.sees("zugesagt")
    by_phone(browser, ada, "declined")
    assert browser.sees("abgesagt")


def test_a_yes_by_telephone_leaves_what_the_guest_has_told(browser, new_browser, in_house, organiser, ada):
    guest = new_browser()
    guest.submit(f"/invitation/{ada.token}", YES | {"diet": "vegan", "photo": "y"})
    by_phone(browser.sign_in(organiser), ada, "accepted")
    guest.open("registrations.my_page")
    assert (guest.value_of("diet"), guest.value_of("photo")) == ("vegan", "y")


def test_a_late_answer_is_noted_for_the_guest_until_the_conference_begins(
    browser, in_house, organiser, ada, monkeypatch
):
    with in_house():
        conference = fresh(ada).conference
        late, begin = conference.answers_close_at, conference.starts_at
    at(monkeypatch, late)
    by_phone(browser.sign_in(organiser), ada, "accepted")
    at(monkeypatch, begin)
    by_phone(browser, ada, "declined", status=409)
    with in_house():
        assert fresh(ada).reply is Reply.ACCEPTED


def test_two_at_the_door_who_record_different_things_are_told(browser, new_browser, in_house, organiser, ada):
    number = ada.contact_id
    one, two = browser.sign_in(organiser), new_browser().sign_in(organiser)
    record = {f"was-{number}": "", f"presence-{number}": "present"}
    one.submit("registrations.show_attendance", record, slug="june-2023")
    two.submit("registrations.show_attendance", record, slug="june-2023")
    excused = record | {f"presence-{number}": "excused"}
    two.submit("registrations.show_attendance", excused, slug="june-2023", status=409)
    assert two.sees("Jemand anderes hat inzwischen etwas anderes erfasst: Ada Muster")
    assert (two.value_of(f"was-{number}"), two.value_of(f"presence-{number}")) == ("present", "excused")
    with in_house():
        assert [a.presence.value for a in db.session.query(Attendance)] == ["present"]


def test_an_endless_number_is_refused_at_the_door(browser, in_house, organiser, ada):
    data = {"presence-" + "9" * 5000: "present"}
    browser.sign_in(organiser).submit("registrations.show_attendance", data, slug="june-2023", status=422)


def test_who_is_on_the_list_and_entered_as_walk_in_is_the_same_person(browser, in_house, organiser, ada):
    with in_house():
        organisation = fresh(ada).contact.provider.name
    data = {"first_name": "ada", "last_name": "Muster", "organisation": organisation, "email": ""}
    browser.sign_in(organiser).submit("registrations.add_walk_in", data, slug="june-2023")
    assert browser.sees("wurde hinzugefügt und ist anwesend")
    browser.submit("registrations.add_walk_in", data, slug="june-2023")
    assert browser.sees("war schon eingetragen") and not browser.sees("wurde hinzugefügt")
    with in_house():
        assert [(a.contact_id, a.walk_in) for a in db.session.query(Attendance)] == [(ada.contact_id, False)]


def test_papers_carry_the_name_that_a_guest_gave(browser, new_browser, in_house, organiser, ada):
    import io

    import pypdf

    from conference.registrations import operations

    from ..builders import NOW, an_answer

    new_browser().submit(f"/invitation/{ada.token}", YES | {"name": "Ada Ärmel"})
    with in_house():
        other = an_invitation(fresh(ada).conference, a_contact(first_name="Bo", last_name="Lang"))
        operations.accept(other, an_answer(name="Bo Lang"), at=NOW)
    answer = browser.sign_in(organiser).open("registrations.signature_list", slug="june-2023")
    text = "".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(answer.data)).pages)
    assert 0 < text.index("Ada Ärmel") < text.index("Bo Lang") and "Ada Muster" not in text


def test_an_empty_list_says_so(browser, in_house, organiser, ada):
    import io

    import pypdf

    browser.sign_in(organiser)
    for endpoint in ("signature_list", "badges"):
        answer = browser.open(f"registrations.{endpoint}", slug="june-2023")
        text = "".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(answer.data)).pages)
        assert "Noch ist niemand angemeldet" in text


@pytest.mark.parametrize("answer", [YES, {"reply": "declined"}])
def test_the_same_form_pressed_twice_leads_twice_to_the_own_page(browser, in_house, ada, answer):
    fields = {"csrf_token": browser.csrf_token()} | answer
    answers = [browser.client.post(f"/invitation/{ada.token}", data=fields) for _ in range(2)]
    assert [(a.status_code, a.headers.get("Location")) for a in answers] == [(303, "/my")] * 2


@pytest.mark.parametrize("sent", ["%ED%A0%80", "%FF%FE", "Ada%80Muster"])
def test_bytes_that_are_no_text_are_refused(browser, in_house, ada, sent):
    body = f"csrf_token={browser.csrf_token()}&reply=accepted&diet=vegan&name={sent}"
    form = "application/x-www-form-urlencoded"
    answer = browser.client.post(f"/invitation/{ada.token}", data=body, content_type=form)
    assert answer.status_code == 422 and "vegan" in answer.text
    assert count(in_house, Registration) == 0


def test_from_a_refused_form_the_other_language_leads_to_a_page(browser, ada):
    browser.submit(f"/invitation/{ada.token}", YES)
    browser.submit("registrations.change_registration", YES | {"name": "", "version": "1"}, status=422)
    assert "/language/en?next=/my" in browser.links()
    browser.submit(f"/invitation/{ada.token}/none", status=404)
    assert f"/language/en?next=/invitation/{ada.token}" in browser.links()
