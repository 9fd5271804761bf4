"""The pages of decisions and actions for staff, and the page behind the personal link."""

from datetime import UTC, date, datetime, timedelta

import pytest

from conference.accounts.models import Role
from conference.actions import letters, operations, queries
from conference.actions.models import Action, ActionStatus, Decision, Report
from conference.actions.operations import Source
from conference.agenda.operations import FollowUpFields, plan_follow_up
from conference.ideas import operations as ideas
from conference.invitations.models import PersonalLink
from conference.kit import links
from conference.kit.db import db
from conference.outbox.models import Mail

from ..bad_input import BAD_LINE_IDS, BAD_LINES, BLANKS, HARMLESS
from ..builders import (
    NOW,
    a_conference,
    a_contact,
    a_personal_link,
    an_account,
    an_action,
    an_invitation,
    an_item,
    some_ideas,
)
from ..builders import action_form as form

JULY = datetime(2023, 7, 20, 8, 0, tzinfo=UTC)
DUE = date(2023, 7, 14)
REPORT = {"status": "in_progress", "due_on": "2023-07-14", "text": "läuft", "version": "1"}


@pytest.fixture(autouse=True)
def in_july(monkeypatch):
    """The clock of the views stands a week after the due date."""
    monkeypatch.setattr("conference.kit.clock.now", lambda: JULY)


@pytest.fixture
def june(in_house, organiser):
    with in_house():
        return a_conference(organiser)


@pytest.fixture
def ada(in_house, june):
    """Ada is on the guest list; she has an action. Gives her invitation, with `.action_id` and `.token`."""
    with in_house():
        invitation = an_invitation(june, a_contact(first_name="Ada", last_name="Muster"))
        action = an_action(june, responsible=invitation.contact)
        invitation.action_id = action.id
        invitation.token = links.token_of(a_personal_link(invitation, "action").nonce)
    return invitation


@pytest.fixture
def staff(browser, organiser):
    return browser.sign_in(organiser)


def rows(in_house, model):
    with in_house():
        return db.session.query(model).order_by(model.id).all()


def everything():
    return {table.name: db.session.execute(table.select()).all() for table in db.metadata.sorted_tables}


def a_colleague(in_house, june, role):
    """Another account on the series of the conference."""
    from conference.conferences.models import Grant

    with in_house():
        account = an_account(role)
        db.session.add(Grant(series_id=june.series_id, account_id=account.id, role=account.role, since=NOW))
    return account


# -- staff -------------------------------------------------------------


@pytest.mark.parametrize("kind", ["idea", "cluster", "agenda", "decision"])
def test_a_button_elsewhere_opens_the_form_with_the_source_chosen(staff, in_house, june, kind):
    with in_house():
        made = {
            "idea": lambda: some_ideas(june, "Kalender")[0],
            "cluster": lambda: ideas.make_cluster(june, "Kalender"),
            "agenda": lambda: an_item(june),
            "decision": lambda: operations.decide(june, "Ja", "", Source(), at=NOW),
        }[kind]()
        number = made.id
    staff.open(f"/conferences/june-2023/actions/new?{kind}={number}")
    assert staff.value_of("source") == f"{kind}-{number}"


def test_a_decision_and_from_it_an_action_are_recorded(staff, in_house, june, ada):
    with in_house():
        cluster = ideas.make_cluster(june, "Kalender").id
    staff.open("actions.new_decision", slug="june-2023", cluster=cluster)
    sent = {"wording": "Es gibt einen Kalender.", "manner": "im Konsens", "source": staff.value_of("source")}
    staff.submit("/conferences/june-2023/decisions/new", sent)
    assert staff.sees("Es gibt einen Kalender.") and staff.sees("Kalender")
    decision = rows(in_house, Decision)[0]
    sent = form(title="Anbieter fragen", responsible_id=ada.contact_id, source=f"decision-{decision.id}")
    staff.submit("/conferences/june-2023/actions/new", sent)
    assert staff.sees("Anbieter fragen") and staff.sees("Ada Muster")
    assert rows(in_house, Action)[-1].decision_id == decision.id


@pytest.mark.parametrize("kind", ["idea", "cluster", "agenda"])
def test_idea_cluster_and_agenda_item_lead_to_what_was_made_of_them_and_back(staff, in_house, june, kind):
    with in_house():
        made = {
            "idea": lambda: some_ideas(june, "Kalender")[0],
            "cluster": lambda: ideas.make_cluster(june, "Kalender"),
            "agenda": lambda: an_item(june),
        }[kind]()
        decision = operations.decide(june, "Es gibt einen Kalender.", "", Source(kind, made.id), at=NOW)
        action = an_action(june, "Tabelle aufsetzen", source=Source("decision", decision.id))
    page = {
        "idea": f"/conferences/june-2023/ideas/{made.id}",
        "cluster": f"/conferences/june-2023/clusters/{made.id}",
        "agenda": f"/conferences/june-2023/agenda/{made.id}/note",
    }[kind]
    staff.open(page)
    assert staff.sees("Es gibt einen Kalender.") and staff.sees("Tabelle aufsetzen")
    assert f"/conferences/june-2023/actions/{action.id}" in staff.links()
    staff.open("actions.show_decisions", slug="june-2023")
    assert {page, f"/conferences/june-2023/actions/{action.id}"} <= set(staff.links())


def test_a_form_sent_twice_counts_once(staff, in_house, ada):
    sent = form(title="Neu", responsible_id=ada.contact_id)
    staff.submit("/conferences/june-2023/actions/new", sent)
    staff.submit("/conferences/june-2023/actions/new", sent, status=409)
    assert [action.title for action in rows(in_house, Action)] == ["Kurskalender aufsetzen", "Neu"]


@pytest.mark.parametrize(
    "over", [{"responsible_id": ""}, {"responsible_id": "999"}, {"due_on": ""}, {"due_on": "31.02.2023"}]
)
@pytest.mark.parametrize("page", ["new", "1/edit"])
def test_without_one_responsible_person_and_a_date_there_is_no_action(staff, in_house, ada, page, over):
    sent = form(title="Neu", responsible_id=ada.contact_id, version="1") | over
    staff.submit(f"/conferences/june-2023/actions/{page}", sent, status=422)
    assert staff.value_of("title") == "Neu"
    assert [action.title for action in rows(in_house, Action)] == ["Kurskalender aufsetzen"]


def test_a_date_before_the_conference_is_refused_with_the_input_kept(staff, in_house, ada):
    sent = form(title="Neu", responsible_id=ada.contact_id, due_on="2023-06-05")
    staff.submit("/conferences/june-2023/actions/new", sent, status=409)
    assert (staff.value_of("title"), staff.value_of("due_on")) == ("Neu", "2023-06-05")
    assert len(rows(in_house, Action)) == 1


@pytest.mark.parametrize("bad", BAD_LINES, ids=BAD_LINE_IDS)
@pytest.mark.parametrize("field", ["title", "description", "supporters"])
def test_bad_input_for_an_action_comes_back(staff, in_house, ada, field, bad):
    sent = form(responsible_id=ada.contact_id, version="1") | {field: bad}
    for page in ("new", f"{ada.action_id}/edit"):
        staff.submit(f"/conferences/june-2023/actions/{page}", sent, status=422)
        assert staff.value_of(field)
    assert [action.version for action in rows(in_house, Action)] == [1]


@pytest.mark.parametrize("bad", BAD_LINES, ids=BAD_LINE_IDS)
@pytest.mark.parametrize("field", ["wording", "manner"])
def test_bad_input_for_a_decision_comes_back(staff, in_house, june, field, bad):
    with in_house():
        number = operations.decide(june, "Ja", "", Source(), at=NOW).id
    sent = {"wording": "Nein", "manner": "", "source": "", "version": "1"} | {field: bad}
    for page in ("new", str(number)):
        staff.submit(f"/conferences/june-2023/decisions/{page}", sent, status=422)
        assert staff.value_of(field)
    assert [decision.wording for decision in rows(in_house, Decision)] == ["Ja"]


@pytest.mark.parametrize("blank", BLANKS)
def test_a_decision_and_an_action_need_words(staff, in_house, ada, blank):
    staff.submit(
        "/conferences/june-2023/decisions/new", {"wording": blank, "manner": "", "source": ""}, status=422
    )
    staff.submit(
        "/conferences/june-2023/actions/new", form(title=blank, responsible_id=ada.contact_id), status=422
    )
    assert (rows(in_house, Decision), len(rows(in_house, Action))) == ([], 1)


@pytest.mark.parametrize("text", HARMLESS)
def test_odd_words_are_shown_as_they_are(staff, in_house, june, ada, text):
    staff.submit("/conferences/june-2023/decisions/new", {"wording": text, "manner": text, "source": ""})
    assert staff.sees(text)
    staff.submit(
        "/conferences/june-2023/actions/new",
        form(title=text, description=text, supporters=text, responsible_id=ada.contact_id),
    )
    staff.open("actions.show_action", slug="june-2023", action_id=rows(in_house, Action)[-1].id)
    assert staff.sees(text)


@pytest.mark.parametrize("source", ["idea-999", "robot-1", "idea", "idea-x", "-"])
def test_a_forged_source_is_refused(staff, in_house, ada, source):
    staff.submit(
        "/conferences/june-2023/actions/new",
        form(title="Neu", responsible_id=ada.contact_id, source=source),
        status=422,
    )
    assert len(rows(in_house, Action)) == 1


def test_things_of_another_conference_are_not_found(staff, in_house, organiser, ada):
    with in_house():
        other = a_conference(organiser, slug="other")
        decision = operations.decide(other, "Ja", "", Source(), at=NOW).id
    staff.open(f"/conferences/other/actions/{ada.action_id}", status=404)
    staff.open(f"/conferences/other/actions/{ada.action_id}/edit", status=404)
    staff.submit(f"/conferences/other/actions/{ada.action_id}", REPORT, status=404)
    staff.open(f"/conferences/june-2023/decisions/{decision}", status=404)
    assert len(rows(in_house, Report)) == 1


def test_the_action_page_shows_the_dated_history_and_takes_a_report(staff, ada):
    staff.open("actions.show_action", slug="june-2023", action_id=ada.action_id)
    assert staff.sees("überfällig")
    assert [staff.value_of(name) for name in ("version", "status", "due_on")] == ["1", "open", "2023-07-14"]
    staff.submit(f"/conferences/june-2023/actions/{ada.action_id}", REPORT)
    assert staff.sees("läuft") and staff.sees("20.07.2023, 10:00 Uhr")


def test_a_stale_report_shows_both_texts_and_can_then_be_sent(staff, in_house, ada):
    path = f"/conferences/june-2023/actions/{ada.action_id}"
    staff.submit(path, REPORT)
    staff.submit(path, REPORT | {"text": "hängt"}, status=409)
    assert staff.sees("läuft") and staff.value_of("text") == "hängt" and staff.value_of("version") == "2"
    staff.submit(path, REPORT | {"text": "hängt", "version": staff.value_of("version")})
    assert [report.text for report in rows(in_house, Report)] == ["", "läuft", "hängt"]


def test_a_stale_correction_shows_both_titles(staff, in_house, ada):
    path = f"/conferences/june-2023/actions/{ada.action_id}/edit"
    staff.submit(path, form(title="Erste", responsible_id=ada.contact_id, version="1"))
    staff.submit(path, form(title="Zweite", responsible_id=ada.contact_id, version="1"), status=409)
    assert staff.sees("Erste") and staff.value_of("title") == "Zweite"


def test_a_report_without_its_version_overwrites_nothing(staff, in_house, ada):
    staff.submit(f"/conferences/june-2023/actions/{ada.action_id}", REPORT | {"version": "x"}, status=409)
    assert len(rows(in_house, Report)) == 1


def test_an_action_from_an_idea_that_was_hidden_later_keeps_its_link(staff, in_house, june, ada):
    with in_house():
        idea = some_ideas(june, "Kalender")[0]
        action = an_action(june, "Neu", source=Source("idea", idea.id)).id
        ideas.hide(idea, at=NOW)
    staff.open("actions.edit_action", slug="june-2023", action_id=action)
    sent = form(
        title="Neuer",
        responsible_id=staff.value_of("responsible_id"),
        source=staff.value_of("source"),
        version="1",
    )
    staff.submit(f"/conferences/june-2023/actions/{action}/edit", sent)
    assert (rows(in_house, Action)[-1].title, rows(in_house, Action)[-1].idea_id) == ("Neuer", idea.id)


def test_sending_the_links_twice_sends_each_letter_once(staff, in_house, ada):
    staff.submit("actions.notify_responsible", slug="june-2023")
    staff.submit("actions.notify_responsible", slug="june-2023")
    assert [mail.recipient_address for mail in rows(in_house, Mail)] == [ada.contact.email]


@pytest.mark.parametrize("number", [1, 3, 30])
def test_the_lists_take_the_same_number_of_queries(staff, in_house, june, organiser, count_queries, number):
    with in_house():
        for place in range(number):
            operations.decide(june, f"Beschluss {place}", "", Source(), at=NOW)
            an_action(june, f"Maßnahme {place}")
        plan_follow_up(june, FollowUpFields("August", "august-2023", date(2023, 8, 8)), organiser, at=NOW)
    for path, most in (
        ("/conferences/june-2023/actions", 12),
        ("/conferences/june-2023/decisions", 12),
        ("/conferences/august-2023/review", 12),
    ):
        staff.open(path)
        with count_queries() as seen:
            staff.open(path)
        assert len(seen) <= most, path


# -- who may ------------------------------------------------------------

WRITING = [
    "/conferences/june-2023/decisions/new",
    "/conferences/june-2023/actions/new",
    "/conferences/june-2023/actions/1",
    "/conferences/june-2023/actions/1/edit",
    "/conferences/june-2023/actions/letters",
]


def test_the_review_of_the_follow_up_shows_the_june_actions_live(staff, in_house, june, organiser, ada):
    with in_house():
        plan_follow_up(june, FollowUpFields("August", "august-2023", date(2023, 8, 8)), organiser, at=NOW)
    staff.open("actions.show_review", slug="august-2023")
    assert staff.sees("Kurskalender aufsetzen") and staff.sees("überfällig")
    staff.submit(
        f"/conferences/june-2023/actions/{ada.action_id}",
        REPORT | {"status": "done", "text": "Steht im Netz"},
    )
    staff.open("actions.show_review", slug="august-2023")
    assert staff.sees("Steht im Netz") and not staff.sees("überfällig")
    assert len(rows(in_house, Action)) == 1


def test_leadership_reads_the_review_and_writes_nothing(browser, in_house, june, organiser, ada):
    with in_house():
        plan_follow_up(june, FollowUpFields("August", "august-2023", date(2023, 8, 8)), organiser, at=NOW)
    browser.sign_in(a_colleague(in_house, june, Role.LEADERSHIP))
    browser.open("actions.show_review", slug="august-2023")
    assert browser.sees("Kurskalender aufsetzen")
    assert not [link for link in browser.links() if "/actions" in link]
    for path in WRITING:
        browser.submit(path, REPORT | form(responsible_id=ada.contact_id), status=404)
    assert len(rows(in_house, Report)) == 1


def test_a_minute_taker_records_but_sends_no_letters(browser, in_house, june, ada):
    browser.sign_in(a_colleague(in_house, june, Role.MINUTE_TAKER))
    browser.submit("/conferences/june-2023/decisions/new", {"wording": "Ja", "manner": "", "source": ""})
    browser.submit("actions.notify_responsible", slug="june-2023", status=404)
    assert rows(in_house, Mail) == []


def test_a_stranger_finds_nothing(browser, in_house, june, ada):
    with in_house():
        stranger = an_account()
    browser.sign_in(stranger)
    for path in [*WRITING[:4], "/conferences/june-2023/actions", "/conferences/june-2023/review"]:
        browser.open(path, status=404)


# -- the responsible person ----------------------------------------------


def test_opening_the_link_changes_nothing(browser, in_house, ada):
    with in_house():
        before = everything()
    browser.open(f"/action/{ada.token}")
    browser.client.head(f"/action/{ada.token}")
    browser.open(f"/action/{ada.token}?action={ada.action_id}")
    assert browser.sees("Kurskalender aufsetzen")
    with in_house():
        assert everything() == before


def test_a_report_by_link_carries_the_persons_name(browser, in_house, ada):
    browser.submit(
        f"/action/{ada.token}", REPORT | {"action": ada.action_id, "status": "done", "text": "Steht im Netz"}
    )
    assert browser.sees("Steht im Netz")
    report = rows(in_house, Report)[-1]
    assert (report.status, report.author, report.reported_at) == (ActionStatus.DONE, "Ada Muster", JULY)


def test_a_report_by_link_sent_twice_counts_once(browser, in_house, ada):
    for _time in range(2):
        browser.submit(f"/action/{ada.token}", REPORT | {"action": ada.action_id})
    assert len(rows(in_house, Report)) == 2


def test_a_stale_report_by_link_shows_both_texts(browser, ada):
    browser.submit(f"/action/{ada.token}", REPORT | {"action": ada.action_id})
    browser.submit(f"/action/{ada.token}", REPORT | {"action": ada.action_id, "text": "hängt"}, status=409)
    assert browser.sees("läuft") and browser.value_of("text") == "hängt"


@pytest.mark.parametrize("over", [{"status": "postponed"}, {"status": "dropped"}, {"due_on": "2023-08-01"}])
def test_the_link_page_asks_for_a_reason(browser, in_house, ada, over):
    browser.submit(f"/action/{ada.token}", REPORT | {"action": ada.action_id, "text": ""} | over, status=409)
    assert len(rows(in_house, Report)) == 1


@pytest.mark.parametrize(
    "over", [{"status": "gone"}, {"status": ""}, {"due_on": ""}, {"due_on": "1999-01-01"}]
)
def test_the_link_page_refuses_what_it_does_not_know(browser, in_house, ada, over):
    browser.submit(f"/action/{ada.token}", REPORT | {"action": ada.action_id} | over, status=422)
    assert len(rows(in_house, Report)) == 1


@pytest.mark.parametrize("bad", BAD_LINES, ids=BAD_LINE_IDS)
def test_bad_words_on_the_link_page_come_back(browser, staff, in_house, ada, bad):
    browser.submit(f"/action/{ada.token}", REPORT | {"action": ada.action_id, "text": bad}, status=422)
    assert browser.value_of("text")
    staff.submit(f"/conferences/june-2023/actions/{ada.action_id}", REPORT | {"text": bad}, status=422)
    assert len(rows(in_house, Report)) == 1


@pytest.mark.parametrize("token", ["x", "A" * 43, "a%00b", "ä", "x" * 5000])
def test_a_forged_link_reveals_nothing(browser, ada, token):
    answer = browser.client.get(f"/action/{token}")
    assert answer.status_code in (400, 404)
    assert b"Ada" not in answer.data


@pytest.mark.parametrize(("column", "value"), [("revoked_at", NOW), ("expires_at", NOW)])
def test_a_revoked_or_expired_link_is_not_found(browser, in_house, ada, column, value):
    with in_house():
        for link in db.session.query(PersonalLink):
            setattr(link, column, value)
    browser.open(f"/action/{ada.token}", status=404)
    browser.submit(f"/action/{ada.token}", REPORT | {"action": ada.action_id}, status=404)
    assert len(rows(in_house, Report)) == 1


def test_an_invitation_opens_no_action(browser, in_house, ada):
    with in_house():
        invitation = db.session.get(type(ada), ada.id)
        token = links.token_of(a_personal_link(invitation).nonce)
    browser.open(f"/action/{token}", status=404)


@pytest.mark.parametrize("number", ["2", "999", "x", "", "1 OR 1=1"])
def test_the_action_of_somebody_else_is_not_found(browser, in_house, june, ada, number):
    with in_house():
        assert an_action(june, "Fremd").id == 2
    browser.submit(f"/action/{ada.token}", REPORT | {"action": number}, status=404)
    if number:
        browser.open(f"/action/{ada.token}?action={number.replace(' ', '+')}", status=404)
    assert not rows(in_house, Report)[2:]


def test_the_action_of_the_person_at_another_conference_is_not_found(browser, in_house, organiser, ada):
    with in_house():
        other = a_conference(organiser, slug="other")
        contact = db.session.get(type(ada.contact), ada.contact_id)
        foreign = an_action(other, "Woanders", responsible=contact).id
    browser.submit(f"/action/{ada.token}", REPORT | {"action": foreign}, status=404)


def test_of_several_actions_one_is_chosen_first(browser, in_house, june, ada):
    with in_house():
        contact = db.session.get(type(ada.contact), ada.contact_id)
        second = an_action(june, "Zweite", responsible=contact).id
    browser.open(f"/action/{ada.token}")
    assert browser.value_of("status") is None
    browser.open(f"/action/{ada.token}?action={second}")
    assert (browser.value_of("status"), browser.value_of("action")) == ("open", str(second))


def test_the_link_in_the_letter_opens_the_page(browser, in_house, ada):
    with in_house():
        june = db.session.get(type(ada), ada.id).conference
        letters.notify_responsible(june, at=JULY - timedelta(days=30))
        url = links.reveal(db.session.query(Mail).one().button_url)
    assert url == f"https://folgetermin.example/action/{ada.token}"
    browser.open(url.removeprefix("https://folgetermin.example"))
    assert browser.sees("Ada Muster")


def test_an_ended_action_asks_nobody_anything_more(browser, in_house, ada):
    browser.submit(f"/action/{ada.token}", REPORT | {"action": ada.action_id, "status": "done"})
    with in_house():
        action = db.session.get(Action, ada.action_id)
        assert (action.is_overdue(JULY.date()), queries.open_actions_before(action.conference)) == (False, [])
