"""Answering, changing and withdrawing by the personal link; attendance and papers for staff."""

import pytest

from conference.invitations.models import Reply
from conference.kit import links
from conference.kit.db import db
from conference.registrations import queries
from conference.registrations.models import Attendance, Registration

from ..bad_input import BAD_LINE_IDS, BAD_LINES, BLANKS, HARMLESS, LEGITIMATE_NAMES
from ..builders import a_conference, a_contact, a_personal_link, an_account, an_invitation

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
def organiser(in_house):
    with in_house():
        return an_account()


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
    assert ada_browser.sees("Platz 1.")


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
def test_lists_run_a_constant_number_of_queries(
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
    expected = {"show_registrations": 7, "show_attendance": 4}[endpoint]
    assert len([s for s in seen if s.startswith("SELECT")]) == expected
