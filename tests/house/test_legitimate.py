"""Legitimate values pass unchanged (classes `legit-*`): by form to page, letter, calendar, export, paper and to who asks for their data.

What is undone before comparing is what each place does on purpose: the apostrophe before a formula in an export, the blank in
place of a quote in the name of a mailbox, and what typesetting puts into a PDF. No font of ours draws Chinese, so papers have U+FFFD.
"""

import csv
import io
import json
import re
import subprocess
import zipfile
from email import message_from_bytes, policy
from email.header import decode_header, make_header
from email.utils import parseaddr

import html5lib
import icalendar
import pytest

from conference.core.text import starts_formula
from conference.invitations.models import Invitation, LinkPurpose, PersonalLink
from conference.kit import links, unit
from conference.kit.db import db
from conference.kit.mail import build_message
from conference.kit.pdf import replaced_characters
from conference.outbox.models import Mail
from conference.outbox.operations import letter_of
from conference.providers.models import Contact

from ..builders import NOW, a_series, conference_form

NAMES = [
    "O'Brien-Müller", "d'Arc", "Şükrü Öztürk", "Nguyễn Thị Hoa", "李小龍", "Ada 👩🏽‍💻", "می‌خواهم", "Müller & Söhne GmbH", "=IHK=", "<3 Ideen",
    'Anna "Anni" Kür', "50 % + 1", "Null", "'s-Gravenhage", "{name} & Co", "-Nord/Süd", "Hubertus " + "Wolfeschlegelsteinhausen" * 2 + " zu Ahn",
]  # fmt: skip
ORGANISATIONS = [f"{name} e. V." for name in NAMES]
TITLE = '„Zukunft“: 50 % + 1 & <3 Ideen, =IHK=, O\'Brien-Müller; 李小龍 👩🏽‍💻 می‌خواهم "jetzt" – für alle, die an der Bildungsträgerkonferenz des Landes teilnehmen wollen!'
VENUE = 'Haus "Şükrü", Saal 3; Müller & Söhne <Hof>'


@pytest.fixture
def settings():
    return {"CLOCK_START": NOW}


def everybody_registers(app, browser, new_browser, in_house, organiser):
    """Everybody on the list and registered, by the forms that people use."""
    with in_house():
        series = a_series(organiser)
    browser.sign_in(organiser).submit(
        "conferences.new_conference", conference_form(title=TITLE, venue=VENUE), series_slug=series.slug
    )
    with in_house():
        from conference.conferences.models import Conference

        slug = db.session.query(Conference).one().slug
    for number, (name, organisation) in enumerate(zip(NAMES, ORGANISATIONS, strict=True)):
        person = {"organisation": organisation, "first_name": "Jo", "last_name": name, "email": f"p{number}@traeger.example", "side": "provider"}  # fmt: skip
        browser.submit("invitations.new_guest", person, slug=slug)
    browser.open("invitations.show_mailing", slug=slug)
    with in_house():
        from conference.conferences.queries import conference_by_slug
        from conference.invitations import operations, queries

        conference = conference_by_slug(slug)
        operations.send_invitations(conference, queries.guest_list(conference), at=NOW)
    with app.app_context():
        tokens = [
            links.token_of(link.nonce)
            for link in db.session.query(PersonalLink)
            .filter_by(purpose=LinkPurpose.INVITATION)
            .order_by(PersonalLink.id)
        ]
    for token, name in zip(tokens, NAMES, strict=True):
        guest = new_browser()
        guest.submit(
            f"/invitation/{token}",
            {"reply": "accepted", "name": f"Jo {name}", "diet": name, "access_needs": ""},
        )
        assert guest.value_of("name") == f"Jo {name}" and guest.value_of("diet") == name
        assert guest.sees(TITLE)
    return slug


def words(html):
    tree = html5lib.parse(html, namespaceHTMLElements=False)
    return " ".join(" ".join(tree.itertext()).split())


def in_a_mailbox(name):
    """Readers disagree about quotes in names, so that letters and calendars have a blank there."""
    return " ".join(re.sub(r'["\\^;:]', " ", name).split())


def named(header):
    """The name of the one mailbox in a header, as RFC 2047 has it: what parts two encoded words is no space."""
    return parseaddr(str(make_header(decode_header(re.sub(r"\r\n *(?==\?)", " ", header)))))[0]


def undone(cell):
    """A cell as it was before the export defused it."""
    return cell[1:] if cell[:1] == "'" and starts_formula(cell[1:]) else cell


def on_paper(text):
    """What counts in the text of a PDF: lines end anywhere, and shaping leaves marks of its own."""
    return re.sub("[\\s\u00ad\u200b\u2060\u2066-\u2069\u202a-\u202e]", "", text).replace("\u2011", "-")


class Lost:
    """What did not come out as it went in, by place."""

    def __init__(self):
        self.lines = []

    def unless(self, place, value, found):
        if value not in found:
            self.lines.append(f"{place}: {value}")


def test_req13_legitimate_values_come_out_everywhere_as_they_went_in(
    app, browser, new_browser, in_house, organiser
):
    people = everybody_registers(app, browser, new_browser, in_house, organiser)
    lost = Lost()
    browser.open("invitations.show_guests", slug=people)
    for name, organisation in zip(NAMES, ORGANISATIONS, strict=True):
        lost.unless("guest list", f"Jo {name}", browser.text)
        lost.unless("guest list", organisation, browser.text)
    with app.app_context(), unit.reading():
        mails = db.session.query(Mail).order_by(Mail.id).all()
        assert len(mails) == 2 * len(NAMES)
        for mail in mails:
            read_letter(lost, mail, build_message(letter_of(mail, at=NOW)))
    read_export(lost, browser.open("registrations.export_registrations", slug=people).data)
    for paper in ("signature_list", "badges"):
        read_paper(lost, paper, browser.open(f"registrations.{paper}", slug=people).data)
    read_own_data(lost, app, browser, people)
    assert not lost.lines, "\n".join(lost.lines)


def read_letter(lost, mail, raw):
    name = NAMES[int(re.match(r"p(\d+)@", mail.recipient_address)[1])]
    message = message_from_bytes(raw, policy=policy.default)
    plain = message.get_body(("plain",)).get_content()
    to = named(message_from_bytes(raw, policy=policy.compat32)["To"])
    lost.unless(f"{mail.kind}, to", in_a_mailbox(f"Jo {name}"), [to])
    lost.unless(f"{mail.kind}, subject", TITLE, message["Subject"])
    lost.unless(f"{mail.kind}, text", TITLE, " ".join(plain.split()))
    lost.unless(f"{mail.kind}, text", name, plain)
    lost.unless(f"{mail.kind}, html", TITLE, words(message.get_body(("html",)).get_content()))
    if mail.calendar:
        [event] = icalendar.Calendar.from_ical(mail.calendar).walk("VEVENT")
        lost.unless("calendar, title", TITLE, [str(event["SUMMARY"])])
        lost.unless("calendar, place", VENUE, str(event["LOCATION"]))
        lost.unless("calendar, guest", in_a_mailbox(f"Jo {name}"), [event["ATTENDEE"].params["CN"]])


def read_export(lost, data):
    rows = csv.reader(io.StringIO(data.decode("utf-8-sig")), delimiter=";")
    cells = {undone(cell) for row in rows for cell in row}
    for name, organisation in zip(NAMES, ORGANISATIONS, strict=True):
        for value in (f"Jo {name}", name, organisation):
            lost.unless("export", value, cells)


def read_paper(lost, paper, pdf):
    printed = subprocess.run(["pdftotext", "-raw", "-", "-"], input=pdf, capture_output=True, check=True)
    said = on_paper(printed.stdout.decode())
    for name in NAMES:
        if replaced_characters(name):
            continue
        for part in name.split("\u200c"):  # which shapes its neighbours and is not drawn
            lost.unless(paper, on_paper(part), said)


def read_own_data(lost, app, browser, slug):
    with app.app_context():
        query = db.session.query(Invitation.id, Contact.last_name).join(Contact)
        numbers = {name: number for number, name in query}
    for name in (NAMES[6], NAMES[9]):
        answer = browser.submit("privacy.guest_data", slug=slug, invitation_id=numbers[name], status=200)
        with zipfile.ZipFile(io.BytesIO(answer.data)) as archive:
            told = json.loads(archive.read("data.json"))
        lost.unless("own data", name, [told["person"]["last_name"]])
        lost.unless("own data", ORGANISATIONS[NAMES.index(name)], [told["person"]["organisation"]])
        lost.unless("own data", name, [told["registrations"][0]["diet"]])
