"""One message, built and read again by others: structure, headers, and nothing smuggled in."""

import re
from dataclasses import replace
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.utils import getaddresses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conference.core.calendar import Attendee, Entry, Mailbox, invitation
from conference.kit.mail import Letter, UnsafeMessage, build_message, check_message

SENT_AT = datetime(2023, 4, 18, 8, 15, 30, tzinfo=UTC)
OFFICE = Mailbox("Agentur für Arbeit Herford", "konferenz@agentur.example")
GUEST = Mailbox("Dr. Anke Brinkmann", "anke.brinkmann@bw-ravensberg.example")
ENTRY = Entry(
    uid="1.9f8e7d6c5b4a@folgetermin.example",
    sequence=0,
    title="Bildungsträgerkonferenz",
    starts_at=datetime(2023, 6, 6, 7, 30, tzinfo=UTC),
    ends_at=datetime(2023, 6, 6, 13, 0, tzinfo=UTC),
    zone="Europe/Berlin",
    location="Großer Saal",
    description="",
    url="",
    status="CONFIRMED",
    updated_at=SENT_AT,
)
CALENDAR = invitation(
    ENTRY, method="REQUEST", organiser=OFFICE, attendee=Attendee(GUEST.name, GUEST.address), stamp=SENT_AT
)
LETTER = Letter(
    message_id="<k1.a7Bq2@folgetermin.example>",
    sender=OFFICE,
    recipient=GUEST,
    reply_to=Mailbox("Konferenzbüro", "buero@agentur.example"),
    subject="Einladung zur Bildungsträgerkonferenz am 06.06.2023",
    text="Sehr geehrte Frau Dr. Brinkmann,\n\nbitte antworten Sie bis 26.05.2023.\n",
    html="<!doctype html><html lang=de><title>x</title><p>Größe = 1</p></html>\n",
    sent_at=SENT_AT,
)
INJECTION = "=?utf-8?q?a=0ABcc:_x@evil.test?="
HOSTILE = [
    INJECTION,
    f"Konferenz {INJECTION}",
    "=?utf-8?b?" + "QmNjOiB4QGV2aWwudGVzdA==" + "?=",
    "a\r\nBcc: x@evil.test",
    "a\nBcc: x@evil.test",
    "a\rBcc: x@evil.test",
    "a\u2028Bcc: x@evil.test",
    "a\x85Bcc: x@evil.test",
    "\x00\x07a\x1b[2J",
    "a\u202egro.live",
    "lone \ud800 surrogate",
    "x@evil.test",
    "x@evil.test, y@evil.test",
    'Müller, "Eva" <x@evil.test>',
    "<x@evil.test>",
    '"',
    "\\",
    'a" <x@evil.test>, "b',
    "(comment) a; b: c",
    "👩‍👩‍👧‍👦 " * 20,
    "Straße " * 40,
    "word " * 100,
    "x" * 5000,
    "d’Angelo",
    "Agentur: Team A, Herford",
]
HEADERS = sorted(
    ["From", "To", "Reply-To", "Subject", "Date", "Message-ID", "Content-Language", "Auto-Submitted",
     "X-Auto-Response-Suppress", "MIME-Version", "Content-Type"]
)  # fmt: skip


def read(letter):
    return message_from_bytes(build_message(letter), policy=policy.default)


def shape(part):
    """The tree of media types."""
    if not part.is_multipart():
        return part.get_content_type()
    return {part.get_content_type(): [shape(inner) for inner in part.iter_parts()]}


def leaf(message, kind):
    [part] = [part for part in message.walk() if part.get_content_type() == kind]
    return part


def test_a_letter_with_calendar_has_exactly_this_structure():
    letter = replace(
        LETTER, calendar=CALENDAR, attachments=[("Tagesordnung.pdf", "application/pdf", b"%PDF-1.7")]
    )
    assert shape(read(letter)) == {
        "multipart/mixed": [
            {"multipart/alternative": ["text/plain", "text/html", "text/calendar"]},
            "application/ics",
            "application/pdf",
        ]
    }


def test_a_letter_without_calendar_is_a_plain_alternative():
    assert shape(read(LETTER)) == {"multipart/alternative": ["text/plain", "text/html"]}


def test_a_letter_without_html_is_one_text():
    assert shape(read(replace(LETTER, html=""))) == "text/plain"


def test_a_letter_with_a_file_keeps_the_alternative_together():
    letter = replace(LETTER, attachments=[("Protokoll.pdf", "application/pdf", b"%PDF-1.7")])
    assert shape(read(letter)) == {
        "multipart/mixed": [{"multipart/alternative": ["text/plain", "text/html"]}, "application/pdf"]
    }


def test_the_calendar_part_is_what_outlook_takes_for_an_invitation():
    part = leaf(read(replace(LETTER, calendar=CALENDAR)), "text/calendar")
    assert part["Content-Type"].params == {"method": "REQUEST", "charset": "utf-8"}
    assert part["Content-Transfer-Encoding"] == "base64"
    assert part["Content-Disposition"] is None
    assert part.get_payload(decode=True) == CALENDAR


@pytest.mark.parametrize(("method", "name"), [("REQUEST", "einladung.ics"), ("CANCEL", "absage.ics")])
def test_the_calendar_comes_a_second_time_as_a_file(method, name):
    calendar = CALENDAR.replace(b"METHOD:REQUEST", f"METHOD:{method}".encode())
    part = leaf(read(replace(LETTER, calendar=calendar, calendar_method=method)), "application/ics")
    assert part.get_filename() == name
    assert part["Content-Disposition"].content_disposition == "attachment"
    assert part.get_payload(decode=True) == calendar


def test_a_method_that_differs_from_the_file_is_refused():
    with pytest.raises(UnsafeMessage, match="calendar"):
        build_message(replace(LETTER, calendar=CALENDAR, calendar_method="CANCEL"))


def test_t37_the_headers_are_exactly_these():
    letter = replace(
        LETTER,
        in_reply_to="k1.first@folgetermin.example",
        list_unsubscribe="https://folgetermin.example/u/abcdefghijklmnopqrstuv",
        is_bulk=True,
    )
    raw = build_message(letter)
    headers = dict(message_from_bytes(raw, policy=policy.default).items())
    assert headers.pop("Content-Type").startswith("multipart/alternative; boundary=")
    assert headers == {
        "From": "Agentur für Arbeit Herford <konferenz@agentur.example>",
        "To": '"Dr. Anke Brinkmann" <anke.brinkmann@bw-ravensberg.example>',
        "Reply-To": "Konferenzbüro <buero@agentur.example>",
        "Subject": "Einladung zur Bildungsträgerkonferenz am 06.06.2023",
        "Date": "Tue, 18 Apr 2023 08:15:30 +0000",
        "Message-ID": "<k1.a7Bq2@folgetermin.example>",
        "In-Reply-To": "<k1.first@folgetermin.example>",
        "References": "<k1.first@folgetermin.example>",
        "Content-Language": "de",
        "Auto-Submitted": "auto-generated",
        "X-Auto-Response-Suppress": "OOF, AutoReply",
        "Precedence": "bulk",
        "List-Unsubscribe": "<https://folgetermin.example/u/abcdefghijklmnopqrstuv>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        "MIME-Version": "1.0",
    }


def test_a_letter_from_a_person_does_not_say_that_a_machine_wrote_it():
    names = read(replace(LETTER, auto_submitted=False)).keys()
    assert [name for name in names if name.startswith(("Auto", "X-"))] == []


def test_a_letter_without_a_team_mailbox_has_no_reply_to():
    assert "Reply-To" not in read(replace(LETTER, reply_to=None))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("message_id", "x" * 300 + "@folgetermin.example"),
        ("in_reply_to", "x" * 300 + "@folgetermin.example"),
        ("list_unsubscribe", "https://folgetermin.example/u/" + "x" * 300),
    ],
)
def test_a_long_identifier_stays_in_one_piece(field, value):
    raw = build_message(replace(LETTER, **{field: value}))
    assert f": <{value}>\r\n".encode() in raw
    assert b"=?utf-8?q?" not in raw.split(b"\r\n\r\n")[0]


@pytest.mark.parametrize("field", ["message_id", "in_reply_to", "list_unsubscribe"])
@pytest.mark.parametrize(
    "value",
    ["a b@x.example", "a\r\nBcc: x@evil.test", "ä@x.example", f"{INJECTION}@x", "a@x>, <b@x", "x" * 1000 + "@x", "<>",
     "https://x.example/\u202e", "https://x.example/a>, <mailto:x@evil.test"],
)  # fmt: skip
def test_t21_an_identifier_that_is_not_plain_is_refused(field, value):
    with pytest.raises(UnsafeMessage, match="identifier"):
        build_message(replace(LETTER, **{field: value}))


@pytest.mark.parametrize("text", HOSTILE)
def test_t21_a_hostile_subject_stays_a_subject(text):
    message = read(replace(LETTER, subject=text))
    assert sorted(message.keys()) == HEADERS
    assert message["To"].addresses[0].addr_spec == GUEST.address
    assert message["Bcc"] is None


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("field", ["sender", "recipient", "reply_to"])
def test_t21_a_hostile_name_brings_no_address_of_its_own(text, field):
    mailbox = replace(getattr(LETTER, field), name=text)
    raw = build_message(replace(LETTER, **{field: mailbox}))
    message = message_from_bytes(raw, policy=policy.default)
    assert sorted(message.keys()) == HEADERS
    header = {"sender": "From", "recipient": "To", "reply_to": "Reply-To"}[field]
    assert [address.addr_spec for address in message[header].addresses] == [mailbox.address]
    old_way = message_from_bytes(raw, policy=policy.compat32)
    assert [address for _, address in getaddresses(old_way.get_all(header))] == [mailbox.address]


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Dr. Anke Brinkmann", "Dr. Anke Brinkmann"),
        ("d’Angelo, Ö.", "d’Angelo, Ö."),
        ("O'Brien", "O'Brien"),
        ("Müller-Lüdenscheidt", "Müller-Lüdenscheidt"),
        ("Agentur: Team A, Herford", "Agentur: Team A, Herford"),
        ('Eva "Evi" Müller', "Eva Evi Müller"),
        ("李小龍", "李小龍"),
        ("🎓 Schule 🎓", "🎓 Schule 🎓"),
        ("", ""),
    ],
)
def test_a_name_arrives_as_it_is_written(name, shown):
    [address] = read(replace(LETTER, recipient=Mailbox(name, GUEST.address)))["To"].addresses
    assert address.display_name == shown


@pytest.mark.parametrize(
    "subject",
    [
        "Kurz",
        "Ä" * 150,
        "🎓" * 120,
        "word " * 38 + "end",
        "x" * 200,
        "Änderung: Ort, Zeit & „Raum“ für alle " * 5,
    ],
)
def test_a_subject_arrives_as_it_is_written(subject):
    raw = build_message(replace(LETTER, subject=subject.strip()))
    assert message_from_bytes(raw, policy=policy.default)["Subject"] == subject.strip()
    head = raw.split(b"\r\n\r\n")[0]
    assert max(map(len, head.split(b"\r\n"))) <= 78


@pytest.mark.parametrize(
    "address",
    ["", "anke", "a@", "@b.example", "a b@c.example", "a@b.example, x@evil.test", "a@b.example\r\nBcc: x@evil.test",
     "<a@b.example>", '"a b"@c.example', "ä@b.example", "a..b@c.example", "a@b..example", "a@-b.example",
     "a@b.example.", "a@[127.0.0.1]", f"{INJECTION}@b.example", "a@b@c.example,", "a" * 65 + "@b.example",
     "a@" + "b" * 64 + ".example"],
)  # fmt: skip
def test_t21_an_address_that_is_none_is_refused(address):
    with pytest.raises(UnsafeMessage, match="address"):
        build_message(replace(LETTER, recipient=Mailbox("Gast", address)))


@pytest.mark.parametrize(
    ("address", "wire"),
    [
        ("o'brien+konferenz@bt.example", "o'brien+konferenz@bt.example"),
        ("eva@münchen.example", "eva@xn--mnchen-3ya.example"),
        ("eva@straße.example", "eva@xn--strae-oqa.example"),
        (" Eva@BT.example ", "Eva@bt.example"),
    ],
)
def test_an_unusual_address_is_written_as_mail_servers_take_it(address, wire):
    [written] = read(replace(LETTER, recipient=Mailbox("", address)))["To"].addresses
    assert written.addr_spec == wire


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ä" * 10_000,
        "Zeile\n" * 2_000,
        "From me\n.\n..\nEnd = of = line \n",
        "a\r\nb\rc\u2028d",
        "\x00\x1b control \ud800",
        "ohne Ende",
        "--===============1==\nContent-Type: text/html\n\n<b>x</b>",
    ],
)
def test_any_text_travels_in_short_ascii_lines(text):
    raw = build_message(replace(LETTER, text=text, html=text and f"<p>{text}</p>"))
    assert raw.isascii()
    assert max(map(len, raw.split(b"\r\n"))) <= 78
    assert re.findall(rb"(?<!\r)\n|\r(?!\n)", raw) == []


def test_the_words_of_a_letter_arrive_unchanged():
    text = "Größe = 1\n\n  eingerückt\tTab\n.\nFrom hier 👩‍👩‍👧‍👦\n"
    message = read(replace(LETTER, text=text, html=f"<p>{text}</p>\n"))
    assert leaf(message, "text/plain").get_content() == text.replace("\n", "\r\n")
    assert leaf(message, "text/html").get_content() == f"<p>{text}</p>\n".replace("\n", "\r\n")


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("Tagesordnung.pdf", "Tagesordnung.pdf"),
        ("Übersicht Maßnahmen.pdf", "Übersicht Maßnahmen.pdf"),
        ("../../etc/passwd", "_.._etc_passwd"),
        ('a"\r\nX-Evil: 1.pdf', "a_ X-Evil_ 1.pdf"),
        (f"{INJECTION}.pdf", "= _utf-8_q_a=0ABcc__x@evil.test_=.pdf"),
        ("x" * 300 + ".pdf", "x" * 100),
        ("", "anlage"),
    ],
)
def test_the_name_of_a_file_is_only_a_name(given, shown):
    message = read(replace(LETTER, attachments=[(given, "application/pdf", b"%PDF")]))
    assert leaf(message, "application/pdf").get_filename() == shown
    assert message["X-Evil"] is None


@pytest.mark.parametrize(
    "kind", ["message/rfc822", "multipart/mixed", "pdf", "a/b/c", "application/pdf\r\nX: y", ""]
)
def test_a_file_of_a_kind_that_could_hold_headers_is_refused(kind):
    with pytest.raises(UnsafeMessage, match="attachment"):
        build_message(replace(LETTER, attachments=[("a", kind, b"x")]))


def test_a_language_that_is_none_is_refused():
    with pytest.raises(UnsafeMessage, match="Content-Language"):
        build_message(replace(LETTER, language="de\r\nBcc: x@evil.test"))


@pytest.mark.parametrize(
    ("place", "old", "new"),
    [
        ("header set", b"MIME-Version: 1.0\r\n", b"MIME-Version: 1.0\r\nBcc: x@evil.test\r\n"),
        ("header set", b"Content-Language: de\r\n", b""),
        ("To", b"<anke.brinkmann@bw-ravensberg.example>", b"<x@evil.test>"),
        ("To", b"<anke.brinkmann@", b"<x@evil.test>, <anke.brinkmann@"),
        ("From", b"<konferenz@agentur.example>", b"<konferenz@evil.test>"),
        ("Subject", b"Subject: ", b"Subject: Re: "),
        ("Message-ID", b"<k1.a7Bq2@folgetermin.example>", b"=?utf-8?q?=3Ck1=2Ea7Bq2?="),
        ("structure", b"text/html", b"text/calendar"),
        ("text", b"26.05.2023", b"27.05.2023"),
        ("part", b"quoted-printable", b"8bit"),
        ("line ends", b"Content-Language: de\r\n", b"Content-Language: de\n"),
        ("line length", b"Content-Language: de\r\n", b"Content-Language: " + b"de-" * 400 + b"\r\n"),
        ("8bit", b"bitte", "bütte".encode()),
    ],
)
def test_t21_a_message_that_differs_from_its_letter_is_stopped(place, old, new):
    raw = build_message(LETTER)
    check_message(raw, LETTER)
    assert old in raw
    with pytest.raises(UnsafeMessage, match=place):
        check_message(raw.replace(old, new), LETTER)


@given(text=st.text(max_size=250), address=st.emails())
def test_t21_no_text_at_all_makes_an_unsafe_message(text, address):
    letter = replace(
        LETTER,
        subject=text,
        text=text,
        html=text + " ",
        sender=Mailbox(text, OFFICE.address),
        recipient=Mailbox(text, address),
    )
    try:
        message = read(letter)
    except UnsafeMessage as refusal:
        assert str(refusal) == "address"
        return
    assert len(message["To"].addresses) == 1
    assert sorted(message.keys()) == HEADERS
