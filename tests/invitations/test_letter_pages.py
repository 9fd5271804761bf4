"""The words of letters in the browser: what would misfire is refused, and the preview is what people get."""

import pytest

from conference.invitations import operations, queries
from conference.invitations.models import Letter, LetterKind
from conference.kit.db import db
from conference.kit.errors import Refused, Stale
from conference.outbox.models import Mail

from ..bad_input import BAD_LINE_IDS, BAD_LINES, HARMLESS
from ..builders import NOW, a_conference, an_account
from .conftest import SLUG

GOOD = "{greeting}\n\nbitte antworten Sie:\n{link}\n"
TOKEN = "kJ3nX0vYq8cLr5tPz1wBd7fHs2mGa9eQuR4oIiNyTxM"


def a_form(**over):
    return {"subject": "Einladung", "body": GOOD, "version": "0", "recipient": ""} | over


def letters(app):
    with app.app_context():
        return db.session.query(Letter).all()


@pytest.fixture
def letter(staff):
    """Send the form of the invitation's words."""

    def submit(status=303, **over):
        return staff.submit(
            "invitations.edit_letter", a_form(**over), status=status, slug=SLUG, kind="invitation"
        )

    return submit


@pytest.mark.parametrize("kind", ["invitation", "reminder"])
@pytest.mark.parametrize("language", ["de", "en"])
def test_the_words_that_come_with_the_house_are_good(house, kind, language):
    june = a_conference(an_account(), language=language)
    words = queries.words_of(june, LetterKind(kind))
    assert operations.save_letter(june, LetterKind(kind), words.subject, words.body, 0, at=NOW).version == 1


@pytest.mark.parametrize("kind", ["invitation", "reminder"])
def test_the_page_opens_with_the_words_that_hold_now(staff, kind):
    staff.open("invitations.edit_letter", slug=SLUG, kind=kind)
    assert "{link}" in staff.value_of("body")
    assert staff.value_of("version") == "0"


def test_saved_words_are_what_people_get(app, staff, letter, guests):
    [guest] = guests(first_name="Ada", last_name="Müller")
    letter(subject="Für {last_name}", body="Hallo {first_name} von {organisation}\n{link}")
    assert staff.sees("Das Schreiben wurde gespeichert")
    staff.submit("invitations.send_to_guest", {"wave": "0"}, slug=SLUG, invitation_id=guest.id)
    with app.app_context():
        mail = db.session.query(Mail).one()
    assert mail.subject == "Für Müller"
    assert mail.text.startswith(
        f"Hallo Ada von {guest.contact.provider.name}\nhttps://folgetermin.example/invitation/~link-"
    )


@pytest.mark.parametrize(
    ("over", "sentence"),
    [
        ({"body": "a\n{greting}\n{link}"}, "Zeile 2: Einen Platzhalter {greting} gibt es nicht"),
        ({"body": "{a.__class__} {link}"}, "Zeile 1: Einen Platzhalter {a.__class__} gibt es nicht"),
        ({"body": "{{ 7*7 }} {link}"}, "Zeile 1: Einen Platzhalter { 7*7 } gibt es nicht"),
        ({"body": "ohne Link"}, "Der Platzhalter {link} fehlt"),
        ({"body": "{link}\n{"}, "Zeile 2: Hier steht eine geschweifte Klammer allein"),
        (
            {"body": f"{{link}}\nhttps://folgetermin.example/invitation/{TOKEN}"},
            "Zeile 2: Das ist der Link einer einzelnen Person",
        ),
        ({"subject": "{nobody}"}, "Zeile 1: Einen Platzhalter {nobody} gibt es nicht"),
        ({"subject": "Hier {link}"}, "Der persönliche Link darf nicht im Betreff stehen"),
        ({"body": ""}, "Bitte füllen Sie dieses Feld aus"),
        ({"subject": " "}, "Bitte füllen Sie dieses Feld aus"),
        ({"subject": "zwei\nZeilen"}, "eine Zeile"),
    ],
)
def test_t16_words_that_would_misfire_are_refused_with_the_place(app, staff, letter, over, sentence):
    letter(status=422, **over)
    assert staff.sees("Es gibt ein Problem")
    assert sentence.lower() in staff.text.lower(), staff.text
    for name in ("subject", "body"):
        assert " ".join(staff.value_of(name).split()) == " ".join(a_form(**over)[name].split())
    assert letters(app) == []


@pytest.mark.parametrize("bad", BAD_LINES, ids=BAD_LINE_IDS)
@pytest.mark.parametrize("field", ["subject", "body"])
def test_bad_text_is_refused_and_nothing_written(app, staff, letter, field, bad):
    bad = bad * 2 if len(bad) > 1000 else bad
    letter(status=422, **{field: bad + " {link}" if field == "body" else bad})
    assert staff.sees("Es gibt ein Problem")
    assert letters(app) == []


@pytest.mark.parametrize("words", [words for words in HARMLESS if "{" not in words])
def test_odd_words_are_kept_and_shown_and_never_run(app, staff, letter, guests, words):
    guests()
    letter(subject=f"A {words}", body=f"{words}\n{{link}}")
    assert letters(app)[0].body == f"{words}\n{{link}}"
    staff.open("invitations.edit_letter", slug=SLUG, kind="invitation")
    assert staff.sees(words)


def test_a_stale_letter_is_refused_with_both_texts(app, staff, letter):
    letter(body=f"Erste {GOOD}")
    letter(status=409, body=f"Zweite {GOOD}")
    assert staff.sees("Erste") and staff.sees("Zweite")
    assert letters(app)[0].body.startswith("Erste")


@pytest.mark.parametrize("version", ["", "x", "99"])
def test_a_form_without_a_good_version_overwrites_nothing(app, letter, version):
    letter(status=409, version=version)
    assert letters(app) == []


def test_an_unknown_letter_is_not_found(staff):
    staff.open("invitations.edit_letter", status=404, slug=SLUG, kind="farewell")


def test_the_operation_refuses_what_the_form_refuses(house):
    june = a_conference(an_account())
    with pytest.raises(Refused):
        operations.save_letter(june, LetterKind.INVITATION, "x", "{a.__class__}{link}", 0, at=NOW)
    with pytest.raises(Stale):
        operations.save_letter(june, LetterKind.INVITATION, "x", GOOD, 3, at=NOW)


def test_a_recipient_who_is_not_on_the_list_is_refused(app, staff, letter, guests):
    guests()
    letter(status=422, recipient="999")
    assert staff.sees("Es gibt ein Problem")
    assert letters(app) == []


# -- preview ----------------------------------------------------------


def test_the_preview_shows_a_real_recipients_letter(staff, guests):
    guests(last_name="Müller")
    [kim] = guests(first_name="Kim", last_name="Özdemir", email="kim@traeger.example")
    staff.open(f"/conferences/{SLUG}/letters/invitation?as={kim.id}")
    assert staff.sees("Kim Özdemir <kim@traeger.example>")
    assert staff.sees("Guten Tag Kim Özdemir,") and not staff.sees("Guten Tag Ada Müller,")
    assert staff.sees("https://folgetermin.example/invitation/…")
    assert staff.value_of("recipient") == str(kim.id)


def test_without_a_choice_it_is_the_first_on_the_list(staff, guests):
    guests(last_name="Zander")
    guests(last_name="Abel")
    staff.open("invitations.edit_letter", slug=SLUG, kind="reminder")
    assert staff.sees("Guten Tag Ada Abel,")


@pytest.mark.parametrize("wish", ["999", "x", "", "-1", "%F0", "9" * 40])
def test_an_odd_wish_shows_the_page_without_preview(staff, guests, wish):
    guests(last_name="Müller")
    staff.open(f"/conferences/{SLUG}/letters/invitation?as={wish}")
    assert not staff.sees("Guten Tag Ada Müller,")


def test_without_guests_the_page_says_when_there_will_be_one(staff):
    staff.open("invitations.edit_letter", slug=SLUG, kind="invitation")
    assert staff.sees("Sobald jemand auf der Gästeliste steht")


def test_unsaved_words_can_be_looked_at_and_stay_unsaved(app, staff, letter, guests):
    [guest] = guests(first_name="Ada", last_name="Müller")
    letter(status=200, body="Hallo {first_name}!\n{link}", recipient=str(guest.id), preview="1")
    assert staff.sees("Hallo Ada!") and staff.sees("noch nicht gespeichert")
    assert staff.value_of("body").strip() == "Hallo {first_name}!\n{link}"
    assert letters(app) == []


def test_a_wrong_text_has_no_preview(app, staff, letter, guests):
    [guest] = guests()
    letter(status=422, body="Hallo {x}", recipient=str(guest.id), preview="1")
    assert letters(app) == []


@pytest.mark.parametrize("name", HARMLESS)
def test_names_in_the_preview_are_words_only(staff, guests, name):
    guests(last_name=name)
    staff.open("invitations.edit_letter", slug=SLUG, kind="invitation")
    assert staff.sees(f"Guten Tag Ada {name},")
