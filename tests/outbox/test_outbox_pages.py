"""The outbox in the browser."""

import pytest

from conference.kit import links
from conference.kit.db import db
from conference.outbox.models import Mail, MailState

from ..bad_input import HARMLESS
from ..builders import NOW, a_conference, a_mail, a_series, an_account, an_invitation
from .test_sending import NONCE, URL, an_entry

SLUG = "june-2023"


@pytest.fixture
def settings():
    return {"CLOCK_START": NOW}


@pytest.fixture
def june(in_house, organiser):
    with in_house():
        return a_conference(organiser)


@pytest.fixture
def staff(browser, organiser, june):
    return browser.sign_in(organiser)


@pytest.fixture
def mail(in_house, june):
    """Queue a letter; `state` and other columns as given."""

    def make(**over):
        columns = {name: over.pop(name) for name in ("state", "error", "sent_at") if name in over}
        with in_house():
            made = a_mail(**over)
            for name, value in columns.items():
                setattr(made, name, value)
            return made

    return make


def state_of(app, mail):
    with app.app_context():
        return db.session.get(Mail, mail.id).state


def test_an_empty_outbox_leads_to_the_sending_page(staff):
    staff.open("outbox.show_outbox", slug=SLUG)
    assert staff.sees("Noch keine Schreiben")
    assert f"/conferences/{SLUG}/mailing" in staff.links()


def test_letters_are_listed_with_their_state(staff, mail):
    mail(recipient=("Ada Müller", "ada@traeger.example"))
    mail(
        recipient=("Kim Özdemir", "kim@traeger.example"),
        state=MailState.FAILED,
        error="550 5.1.1 User unknown",
    )
    staff.open("outbox.show_outbox", slug=SLUG)
    assert staff.sees("Ada Müller") and staff.sees("wartet")
    assert staff.sees("fehlgeschlagen") and staff.sees("550 5.1.1 User unknown")


def test_the_list_can_be_narrowed_to_a_state(staff, mail):
    mail(recipient=("Ada Müller", "ada@traeger.example"))
    mail(recipient=("Kim Özdemir", "kim@traeger.example"), state=MailState.FAILED)
    staff.open(f"/conferences/{SLUG}/outbox?state=failed")
    assert staff.sees("Kim Özdemir") and not staff.sees("Ada Müller")


@pytest.mark.parametrize(
    "query", ["state=nonsense", "page=0", "page=-1", "page=x", "page=99999", "page=²", "state=%FF&page="]
)
def test_odd_filters_show_a_page_all_the_same(staff, mail, query):
    mail()
    staff.open(f"/conferences/{SLUG}/outbox?{query}")


def test_long_lists_come_in_pages(staff, in_house, june):
    with in_house():
        for number in range(60):
            a_mail(recipient=(f"Person {number:03}", f"person{number}@traeger.example"))
    staff.open("outbox.show_outbox", slug=SLUG)
    assert staff.sees("Person 059") and not staff.sees("Person 009")
    staff.open(f"/conferences/{SLUG}/outbox?page=2")
    assert staff.sees("Person 009") and not staff.sees("Person 059")


def test_a_mailing_under_way_renews_its_progress_and_stops_at_the_end(app, staff, mail):
    from conference.kit import unit

    mail(batch="b", state=MailState.SENT)
    letter = mail(batch="b")
    staff.open("outbox.show_outbox", slug=SLUG)
    assert staff.sees("1 von 2 versendet")
    assert 'hx-trigger="every 3s"' in staff.html
    with app.app_context(), unit.writing():
        db.session.get(Mail, letter.id).state = MailState.SENT
    staff.open("outbox.show_outbox", slug=SLUG)
    assert staff.sees("2 von 2 versendet")
    assert "hx-trigger" not in staff.html


def test_without_a_mail_server_the_page_says_so(app, staff, mail):
    mail()
    staff.open("outbox.show_outbox", slug=SLUG)
    assert staff.sees("Es ist kein Mailserver eingerichtet")
    app.config["MAIL_SERVER"] = "mail.agentur.example"
    staff.open("outbox.show_outbox", slug=SLUG)
    assert not staff.sees("Es ist kein Mailserver eingerichtet")


def test_a_letter_is_shown_as_its_recipient_sees_it_but_for_the_link(app, staff, mail):
    letter = mail(
        recipient=("Ada Müller", "ada@traeger.example"),
        subject="Einladung: Konferenz",
        text=f"Guten Tag Ada Müller,\n\nIhr Link:\n{URL}\n",
        button=("Einladung beantworten", URL),
        reply_to=("Nora Beispiel", "konferenz@agentur.example"),
    )
    staff.open("outbox.show_mail", slug=SLUG, mail_id=letter.id)
    for words in (
        "Einladung: Konferenz",
        "Ada Müller <ada@traeger.example>",
        "Guten Tag Ada Müller,",
        "Nora Beispiel",
    ):
        assert staff.sees(words)
    assert staff.sees("https://folgetermin.example/invitation/…")
    with app.app_context():
        assert links.token_of(NONCE) not in staff.html
    assert NONCE not in staff.html
    assert not [link for link in staff.links() if "/invitation/" in link]


def test_the_headers_are_shown_as_a_mail_program_reads_them(staff, mail):
    letter = mail(
        recipient=("Ada Müller", "ada@traeger.example"),
        subject="Einladung: =?utf-8?q?a=0ABcc:_x@boese.example?=",
        reply_to=("Nora Beispiel", "konferenz@agentur.example"),
        calendar=an_entry(),
        calendar_method="REQUEST",
    )
    staff.open("outbox.show_mail", slug=SLUG, mail_id=letter.id)
    for line in (
        "To: Ada Müller <ada@traeger.example>",
        "Reply-To: Nora Beispiel <konferenz@agentur.example>",
        f"Message-ID: {letter.message_id}",
        "Auto-Submitted: auto-generated",
        "Content-Language: de",
        "Content-Type: multipart/mixed",
        "Subject: Einladung: = ?utf-8?q?a=0ABcc:_x@boese.example?=",
    ):
        assert staff.sees(line)


def test_a_letter_that_cannot_be_written_still_has_a_page(staff, mail):
    letter = mail(recipient=("Ada", "=?utf-8?q?x?=@traeger.example"))
    staff.open("outbox.show_mail", slug=SLUG, mail_id=letter.id)
    assert not staff.sees("Kopfzeilen der Nachricht")


def test_the_calendar_entry_can_be_read_and_downloaded(staff, mail):
    letter = mail(calendar=an_entry(), calendar_method="REQUEST")
    staff.open("outbox.show_mail", slug=SLUG, mail_id=letter.id)
    assert staff.sees("Einladung zu einem Termin")
    assert staff.sees("02.05.2023, 10:00 Uhr") and staff.sees("Herford") and staff.sees("ada@traeger.example")
    answer = staff.open("outbox.download_entry", slug=SLUG, mail_id=letter.id)
    assert answer.get_data() == an_entry()
    assert "attachment" in answer.headers["Content-Disposition"]


def test_an_enclosure_can_be_downloaded(app, staff, in_house, june):
    from conference.outbox.operations import enclose

    with in_house():
        letter = a_mail(enclosure=enclose("protokoll.pdf", "application/pdf", b"%PDF-1.7 x"))
        assert enclose("anders.pdf", "application/pdf", b"%PDF-1.7 x").id == letter.enclosure_id
    staff.open("outbox.show_mail", slug=SLUG, mail_id=letter.id)
    assert staff.sees("protokoll.pdf")
    answer = staff.open("outbox.download_enclosure", slug=SLUG, mail_id=letter.id)
    assert (answer.get_data(), answer.mimetype) == (b"%PDF-1.7 x", "application/pdf")


@pytest.mark.parametrize("what", ["download_entry", "download_enclosure"])
def test_a_letter_without_files_has_none_to_download(staff, mail, what):
    staff.open(f"outbox.{what}", status=404, slug=SLUG, mail_id=mail().id)


def test_a_failed_letter_can_be_tried_again(app, staff, mail):
    letter = mail(state=MailState.FAILED, error="550 5.1.1 User unknown")
    staff.submit("outbox.retry_mail", slug=SLUG, mail_id=letter.id)
    assert staff.sees("Das Schreiben wird noch einmal versendet")
    staff.submit("outbox.retry_mail", slug=SLUG, mail_id=letter.id)
    assert state_of(app, letter) is MailState.QUEUED


def test_a_waiting_letter_can_be_stopped(app, staff, mail):
    letter = mail()
    staff.submit("outbox.cancel_mail", slug=SLUG, mail_id=letter.id)
    staff.submit("outbox.cancel_mail", slug=SLUG, mail_id=letter.id)
    assert state_of(app, letter) is MailState.CANCELLED


@pytest.mark.parametrize("noun", ["retry_mail", "cancel_mail"])
def test_a_sent_letter_can_be_neither_stopped_nor_sent_again(app, staff, mail, noun):
    letter = mail(state=MailState.SENT, sent_at=NOW)
    staff.submit(f"outbox.{noun}", status=409, slug=SLUG, mail_id=letter.id)
    assert state_of(app, letter) is MailState.SENT


def test_a_letter_on_its_way_cannot_be_stopped(app, in_house, june):
    from conference.kit.errors import Refused
    from conference.outbox import operations

    with in_house():
        letter = a_mail()
        letter.state, letter.lease_until = MailState.SENDING, NOW + operations.LEASE
        with pytest.raises(Refused):
            operations.cancel(letter, at=NOW)
        operations.cancel(letter, at=NOW + operations.LEASE)
        assert letter.state is MailState.CANCELLED


@pytest.mark.parametrize("text", HARMLESS)
def test_words_in_letters_are_shown_and_never_run(staff, mail, text):
    letter = mail(
        subject=f"A {text}", text=f"Guten Tag,\n\n{text}\n", recipient=(f"Ada {text}", "ada@traeger.example")
    )
    staff.open("outbox.show_mail", slug=SLUG, mail_id=letter.id)
    assert staff.sees(text)
    staff.open("outbox.show_outbox", slug=SLUG)
    assert staff.sees(text)


def test_letters_of_other_conferences_are_not_found(staff, in_house, organiser, mail):
    letter = mail(about="other")
    staff.open("outbox.show_mail", status=404, slug=SLUG, mail_id=letter.id)
    staff.open("outbox.show_outbox", status=404, slug="other")
    with in_house():
        a_conference(series=a_series(organiser), slug="other")
    staff.open("outbox.show_mail", slug="other", mail_id=letter.id)
    staff.submit("outbox.cancel_mail", status=404, slug=SLUG, mail_id=letter.id)


def test_strangers_and_moderators_see_no_outbox(new_browser, in_house, june, mail):
    from conference.accounts.models import Role
    from conference.conferences.operations import add_member

    letter = mail()
    with in_house():
        stranger, moderator = an_account(), an_account(role=Role.MODERATOR)
        add_member(db.session.merge(june).series, moderator)
    for account in (stranger, moderator):
        visitor = new_browser().sign_in(account)
        visitor.open("outbox.show_outbox", status=404, slug=SLUG)
        visitor.open("outbox.show_mail", status=404, slug=SLUG, mail_id=letter.id)
        visitor.submit("outbox.cancel_mail", status=404, slug=SLUG, mail_id=letter.id)
    new_browser().open("outbox.show_outbox", status=303, slug=SLUG)


@pytest.mark.parametrize("letters", [1, 3, 30])
def test_the_outbox_runs_a_constant_number_of_queries(staff, in_house, june, count_queries, letters):
    with in_house():
        for _number in range(letters):
            a_mail(batch="b")
    with count_queries() as seen:
        staff.open("outbox.show_outbox", slug=SLUG)
    assert len([statement for statement in seen if statement.startswith("SELECT")]) == 8


def test_looking_writes_nothing(staff, mail, count_queries):
    letter = mail(calendar=an_entry(), calendar_method="REQUEST", button=("Antworten", URL))
    with count_queries() as seen:
        staff.open("outbox.show_outbox", slug=SLUG)
        staff.open("outbox.show_mail", slug=SLUG, mail_id=letter.id)
        staff.open("outbox.download_entry", slug=SLUG, mail_id=letter.id)
    assert [statement for statement in seen if statement.startswith(("INSERT", "UPDATE", "DELETE"))] == []


# -- the demo's mailbox -----------------------------------------------


@pytest.fixture
def demo(app, june):
    app.config.update(DEMO=True, CLOCK_START=NOW)


def test_in_the_demo_anybody_reads_the_mailbox_and_its_links_work(app, browser, in_house, june, demo):
    from conference.invitations import operations as invitations

    with in_house():
        conference = db.session.merge(june)
        guest = an_invitation(conference, first_name="Ada", last_name="Müller")
        invitations.send_invitations(conference, [guest], at=NOW)
    browser.open("/outbox")
    assert browser.sees("Ada Müller")
    [letter] = [link for link in browser.links() if link.startswith("/outbox/")]
    browser.open(letter)
    address = next(link for link in browser.links() if "/invitation/" in link)
    browser.open(address.removeprefix("https://folgetermin.example"))
    assert browser.sees("Bildungsträgerkonferenz Juni 2023")
    browser.open(f"{letter}/entry.ics")


def test_the_demos_links_lead_to_this_server_whatever_address_it_had_before(app, browser, mail, demo):
    url = URL.replace("https://folgetermin.example", "http://127.0.0.1:8000")
    letter = mail(text=f"Ihr Link:\n{url}\n", button=("Antworten", url))
    browser.open("outbox.show_demo_mail", mail_id=letter.id)
    found = [link for link in browser.links() if "/invitation/" in link]
    assert found
    assert all(link.startswith("https://folgetermin.example/invitation/") for link in found)
    assert not browser.sees("127.0.0.1")


def test_the_mailbox_can_be_narrowed_to_one_person(browser, mail, demo):
    mail(recipient=("Ada Müller", "ada@traeger.example"))
    mail(recipient=("Kim Özdemir", "kim@traeger.example"), about=None)
    browser.open("/outbox?to=kim@traeger.example")
    assert browser.sees("Kim Özdemir") and not browser.sees("Ada Müller")
    browser.open("/outbox?to=nobody")
    assert browser.sees("Keine Schreiben")


def test_outside_the_demo_there_is_no_mailbox(browser, staff, mail):
    letter = mail(calendar=an_entry(), calendar_method="REQUEST")
    for path in (
        "/outbox",
        f"/outbox/{letter.id}",
        f"/outbox/{letter.id}/entry.ics",
        f"/outbox/{letter.id}/enclosure",
    ):
        staff.open(path, status=404)
