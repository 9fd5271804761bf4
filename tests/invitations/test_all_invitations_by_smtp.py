"""The real list, all the way: imported, invited, sent over SMTP, read again as the recipients' programs read it."""

import re
from email import message_from_bytes, policy
from pathlib import Path

import pytest
from html5lib import parse

from conference.core.calendar_reading import read
from conference.invitations import imports, operations, queries
from conference.kit.db import db
from conference.outbox.operations import Drained, drain

from .. import smtp
from ..builders import NOW
from .conftest import SLUG

smtp_server = smtp.smtp_server
LIST = Path(__file__).parents[1] / "data" / "einladungsliste.csv"
ADDRESS = re.compile(r"https://folgetermin\.example/invitation/([A-Za-z0-9_-]{43})")


@pytest.fixture
def settings(smtp_server):
    return {"MAIL_SERVER": smtp_server.host, "MAIL_PORT": smtp_server.port, "CLOCK_START": NOW}


@pytest.fixture
def received(app, in_house, june, smtp_server):
    """The messages of all invitations, by recipient."""
    with in_house():
        conference = db.session.merge(june)
        imports.import_file(conference, LIST.read_bytes(), LIST.name, dry_run=False, at=NOW)
        operations.send_invitations(conference, queries.guest_list(conference), at=NOW)
    with app.app_context():
        assert drain(lambda: NOW) == Drained(sent=38)
    return {
        envelope.rcpt_tos[0]: message_from_bytes(envelope.content, policy=policy.default)
        for envelope in smtp_server.messages
    }


def test_all_38_people_get_their_own_letter(app, received, smtp_server):
    assert [len(envelope.rcpt_tos) for envelope in smtp_server.messages] == [1] * 38
    with app.app_context():
        from conference.conferences.queries import conference_by_slug

        guests = queries.guest_list(conference_by_slug(SLUG))
        assert sorted(received) == sorted(guest.contact.email for guest in guests)
        for guest in guests:
            message = received[guest.contact.email]
            assert str(message["To"].addresses[0].display_name) == guest.contact.name
            text = message.get_body(("plain",)).get_content()
            assert text.startswith(guest.contact.greeting("de"))
            [token] = set(ADDRESS.findall(text))
            assert queries.link_by_token(token, NOW).contact_id == guest.contact_id


def test_every_letter_has_the_shape_that_calendars_understand(received):
    shapes = {tuple(part.get_content_type() for part in message.walk()) for message in received.values()}
    assert shapes == {
        (
            "multipart/mixed",
            "multipart/alternative",
            "text/plain",
            "text/html",
            "text/calendar",
            "application/ics",
        )
    }
    for address, message in received.items():
        parts = list(message.walk())
        assert parts[4].get_param("method") == "REQUEST" and not parts[4].is_attachment()
        assert parts[4].get_payload(decode=True) == parts[5].get_payload(decode=True)
        seen = read(parts[4].get_payload(decode=True))
        assert (seen.attendee, seen.organiser, seen.sequence) == (address, "konferenz@folgetermin.example", 0)


def test_text_and_html_say_the_same_and_hold_the_same_link(received):
    for message in received.values():
        plain, html = (message.get_body((kind,)).get_content() for kind in ("plain", "html"))
        words = "".join(parse(html, namespaceHTMLElements=False).find("body/main").itertext())
        assert "".join(plain.split()) in "".join(words.replace("Einladung beantworten", "").split())
        assert set(ADDRESS.findall(html)) == set(ADDRESS.findall(plain))


def test_every_letter_has_its_own_uid_link_and_message_id(received):
    identifiers = [message["Message-ID"] for message in received.values()]
    uids = [read(list(message.walk())[4].get_payload(decode=True)).uid for message in received.values()]
    tokens = [
        ADDRESS.search(message.get_body(("plain",)).get_content()).group(1) for message in received.values()
    ]
    assert [len(set(values)) for values in (identifiers, uids, tokens)] == [38, 38, 38]


def test_no_token_is_in_the_database(app, received):
    tokens = [
        ADDRESS.search(message.get_body(("plain",)).get_content()).group(1) for message in received.values()
    ]
    with app.app_context():
        dump = str([list(db.session.execute(table.select())) for table in db.metadata.sorted_tables])
    assert [token for token in tokens if token in dump] == []


def test_a_second_press_and_a_second_run_send_nothing_more(app, in_house, received, smtp_server):
    from conference.conferences.queries import conference_by_slug

    with in_house():
        conference = conference_by_slug(SLUG)
        operations.send_invitations(conference, queries.guest_list(conference), at=NOW)
    with app.app_context():
        assert drain(lambda: NOW) == Drained()
    assert len(smtp_server.messages) == 38
