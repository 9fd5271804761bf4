"""The import of the two real lists, in all the ways it is used."""

import io
import json
from pathlib import Path

import openpyxl
import pytest

from conference.invitations import imports
from conference.invitations.models import ImportState, Invitation, ListImport
from conference.kit.db import db
from conference.kit.errors import Refused
from conference.providers.models import Contact, Provider

from ..builders import NOW, a_conference, an_account

DATA = Path(__file__).parents[1] / "data"
CLEAN = (DATA / "einladungsliste.csv").read_bytes()
EXCEL = (DATA / "einladungsliste_excel_export.csv").read_bytes()


@pytest.fixture
def organiser(in_house):
    with in_house():
        account = an_account()
        a_conference(account)
        return account


def counts(in_house):
    with in_house():
        return tuple(db.session.query(model).count() for model in (Contact, Provider, Invitation))


def upload(browser, data=EXCEL, name="liste.csv", status=303):
    return browser.submit(
        "invitations.import_guests", {"file": (io.BytesIO(data), name)}, slug="june-2023", status=status
    )


def workbook():
    book = openpyxl.Workbook()
    for line in CLEAN.decode("utf-8-sig").splitlines():
        book.active.append([int(cell) if cell.isdigit() else cell for cell in line.split(";")])
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def test_the_clean_list_is_taken_whole(house):
    outcome = imports.import_file(a_conference(), CLEAN, "einladungsliste.csv", dry_run=False, at=NOW)
    assert {key: outcome[key] for key in ("rows", "good", "imported", "problems")} == {
        "rows": 38, "good": 38, "imported": 38, "problems": [],
    }  # fmt: skip
    assert db.session.query(Provider).count() == 19


def test_the_excel_list_gives_38_people_once_each_and_names_every_bad_row(house):
    outcome = imports.import_file(
        a_conference(), EXCEL, "einladungsliste_excel_export.csv", dry_run=False, at=NOW
    )
    assert (outcome["good"], outcome["imported"]) == (38, 38)
    assert len({problem["line"] for problem in outcome["problems"]}) == 8
    assert all(problem["reason"] for problem in outcome["problems"])
    assert db.session.query(Contact).count() == 38


def test_the_other_spelling_is_offered_for_confirmation(house):
    outcome = imports.import_file(a_conference(), EXCEL, "x.csv", dry_run=True, at=NOW)
    asked = [problem for problem in outcome["problems"] if "Technikzentrum Bünde" in problem["reason"]]
    assert [problem["field"] for problem in asked] == ["organisation"]


def test_a_workbook_gives_the_same_people_with_their_postcodes(house):
    outcome = imports.import_file(a_conference(), workbook(), "liste.xlsx", dry_run=False, at=NOW)
    assert outcome["imported"] == 38
    assert db.session.query(Provider).filter_by(name="Frauen & Beruf e. V.").one().postcode == "01067"


def test_a_dry_run_stores_nobody(house):
    imports.import_file(a_conference(), CLEAN, "x.csv", dry_run=True, at=NOW)
    assert db.session.query(Contact).count() == 0


def test_the_same_list_again_changes_nothing(house):
    conference = a_conference()
    imports.import_file(conference, CLEAN, "x.csv", dry_run=False, at=NOW)
    again = imports.import_file(conference, CLEAN, "x.csv", dry_run=False, at=NOW)
    assert (again["imported"], len(again["problems"])) == (0, 38)
    assert db.session.query(Invitation).count() == 38


def test_people_of_another_conference_are_invited_as_the_same_people(house):
    imports.import_file(a_conference(), CLEAN, "x.csv", dry_run=False, at=NOW)
    outcome = imports.import_file(a_conference(slug="august-2023"), CLEAN, "x.csv", dry_run=False, at=NOW)
    assert outcome["imported"] == 38
    assert (db.session.query(Contact).count(), db.session.query(Invitation).count()) == (38, 76)


def test_the_preview_stores_nobody_and_names_every_row(browser, in_house, organiser):
    browser.sign_in(organiser)
    upload(browser)
    assert counts(in_house) == (0, 0, 0)
    assert browser.sees("Technikzentrum Bünde") and browser.sees("ist keine E-Mail-Adresse")
    assert browser.sees("Die Zelle enthält eine Formel")


def test_confirming_stores_the_good_rows_once(browser, in_house, organiser):
    browser.sign_in(organiser)
    upload(browser)
    browser.submit("invitations.confirm_import", slug="june-2023", import_id=1)
    assert counts(in_house) == (38, 19, 38)
    browser.submit("invitations.confirm_import", slug="june-2023", import_id=1)
    assert browser.sees("38 Personen stehen jetzt")
    assert counts(in_house) == (38, 19, 38)


def test_a_preview_that_is_out_of_date_is_shown_again(browser, in_house, organiser):
    from conference.conferences.queries import conference_by_slug

    browser.sign_in(organiser)
    upload(browser)
    seen = browser.value_of("seen")
    with in_house():
        imports.import_file(conference_by_slug("june-2023"), CLEAN, "andere.csv", dry_run=False, at=NOW)
    before = counts(in_house)
    browser.submit("invitations.confirm_import", {"seen": seen}, slug="june-2023", import_id=1, status=409)
    assert browser.sees("Bitte sehen Sie noch einmal hin")
    assert browser.value_of("seen") not in {"", seen}
    assert counts(in_house) == before


def test_of_a_list_that_was_taken_over_nothing_is_thrown_away(browser, in_house, organiser):
    browser.sign_in(organiser)
    upload(browser)
    browser.submit("invitations.confirm_import", slug="june-2023", import_id=1)
    browser.submit("invitations.cancel_import", slug="june-2023", import_id=1, status=409)
    with in_house():
        assert db.session.get(ListImport, 1).state is ImportState.CONFIRMED


@pytest.mark.parametrize(
    ("answer", "expected"),
    [("same", (39, 19, 39)), ("new", (39, 20, 39)), ("leave", (38, 19, 38)), ("x", (38, 19, 38))],
)
def test_the_organiser_decides_on_the_other_spelling(browser, in_house, organiser, answer, expected):
    import re

    browser.sign_in(organiser)
    upload(browser)
    line = re.search(r'name="row-(\d+)"', browser.html).group(1)
    browser.submit("invitations.confirm_import", {f"row-{line}": answer}, slug="june-2023", import_id=1)
    assert counts(in_house) == expected


def test_an_import_can_be_undone(browser, in_house, organiser):
    browser.sign_in(organiser)
    upload(browser)
    browser.submit("invitations.confirm_import", slug="june-2023", import_id=1)
    browser.submit("invitations.undo_import", slug="june-2023", import_id=1)
    assert counts(in_house) == (0, 0, 0)
    browser.submit("invitations.undo_import", slug="june-2023", import_id=1)
    assert browser.sees("Es war niemand mehr zu entfernen")


def test_undoing_keeps_who_is_used_elsewhere(in_house, organiser):
    from conference.conferences.queries import conference_by_slug
    from conference.registrations.models import Presence
    from conference.registrations.operations import record_attendance

    with in_house():
        imports.import_file(conference_by_slug("june-2023"), CLEAN, "x.csv", dry_run=False, at=NOW)
    with in_house():
        person = db.session.query(Contact).first()
        record_attendance(conference_by_slug("june-2023"), person.id, Presence.PRESENT, at=NOW)
    with in_house():
        assert imports.undo(db.session.get(ListImport, 1), at=NOW)[0] >= 37
    assert counts(in_house)[:2] == (1, 1)


@pytest.mark.parametrize("rows", [3, 300])
def test_a_long_list_asks_the_database_no_more_than_a_short_one(house, count_queries, rows):
    conference = a_conference()
    people = "".join(f"Haus {n};Muster;p{n}@haus.example\n" for n in range(rows))
    with count_queries() as seen:
        outcome = imports.import_file(
            conference, f"Organisation;Nachname;E-Mail\n{people}".encode(), "x.csv", dry_run=False, at=NOW
        )
        assert imports.undo(db.session.query(ListImport).one(), at=NOW) == (rows, 0)
    assert outcome["imported"] == rows
    assert len([statement for statement in seen if statement.startswith("SELECT")]) <= 30
    assert db.session.query(Contact).count() == db.session.query(Provider).count() == 0


def test_undoing_keeps_who_was_invited_already(browser, in_house, organiser):
    from conference.conferences.queries import conference_by_slug
    from conference.invitations.operations import send_invitations
    from conference.invitations.queries import guest_list

    browser.sign_in(organiser)
    upload(browser)
    browser.submit("invitations.confirm_import", slug="june-2023", import_id=1)
    with in_house():
        june = conference_by_slug("june-2023")
        send_invitations(june, guest_list(june)[:1], at=NOW)
    browser.submit("invitations.undo_import", slug="june-2023", import_id=1)
    assert counts(in_house) == (1, 1, 1)


def test_throwing_away_forgets_the_file(browser, in_house, organiser):
    browser.sign_in(organiser)
    upload(browser)
    browser.submit("invitations.cancel_import", slug="june-2023", import_id=1)
    with in_house():
        draft = db.session.get(ListImport, 1)
        assert (draft.state, draft.content) == (ImportState.UNDONE, None)
    browser.submit("invitations.confirm_import", slug="june-2023", import_id=1, status=409)
    assert counts(in_house) == (0, 0, 0)


def test_t22_a_workbook_is_opened_once_and_never_again_in_the_house(
    browser, in_house, organiser, monkeypatch
):
    """The child reads the upload; preview, columns and confirmation work on what it has read."""
    browser.sign_in(organiser)
    file = workbook()
    upload(browser, file, "liste.xlsx")
    with in_house():
        draft = db.session.get(ListImport, 1)
        kept, mapping = draft.content, {name: str(at) for name, at in draft.mapping.items()}
    assert not kept.startswith(b"PK") and file not in kept, "the file itself is not stored"

    def opened(*_args):
        raise AssertionError("the house opens the file of a stranger")

    monkeypatch.setattr(imports.contact_list, "read_table", opened)
    browser.open("invitations.show_import", slug="june-2023", import_id=1)
    browser.submit("invitations.map_columns", mapping, slug="june-2023", import_id=1)
    browser.submit("invitations.confirm_import", slug="june-2023", import_id=1)
    assert counts(in_house)[0] > 0


def test_an_upload_that_nobody_confirms_is_forgotten_after_a_week(app, browser, in_house, organiser):
    from datetime import timedelta

    from conference.invitations import forget_old_uploads

    app.config["CLOCK_START"] = NOW
    browser.sign_in(organiser)
    upload(browser)
    upload(browser)

    def forgotten():
        with app.app_context():
            return forget_old_uploads()

    assert forgotten() == 0
    with in_house():
        db.session.get(ListImport, 1).created_at -= timedelta(days=7)
    assert forgotten() == 1
    with in_house():
        first, second = (db.session.get(ListImport, number) for number in (1, 2))
        assert (first.state, first.content) == (ImportState.UNDONE, None)
        assert second.state is ImportState.DRAFT and second.content
    browser.open("invitations.show_import", slug="june-2023", import_id=1)
    assert browser.sees("Dieser Import ist abgeschlossen")
    browser.submit("invitations.confirm_import", slug="june-2023", import_id=1, status=409)


def test_a_list_of_which_nobody_can_be_taken_offers_no_button(browser, organiser):
    browser.sign_in(organiser)
    upload(browser, b"Organisation;Nachname;E-Mail\nHaus;Muster;kaputt\n")
    assert browser.sees("Niemand kann übernommen werden")
    assert "/confirmation" not in browser.html


def test_columns_can_be_named_by_hand(browser, in_house, organiser):
    browser.sign_in(organiser)
    upload(browser, b"Organisation;Wer;Nachname;E-Mail\nHaus;Ada;Muster;ada@haus.example\n")
    columns = dict.fromkeys(("salutation", "title", "function", "side", "team", "postcode", "city"), "")
    columns |= {"organisation": "0", "first_name": "1", "last_name": "2", "email": "3"}
    browser.submit("invitations.map_columns", columns, slug="june-2023", import_id=1)
    browser.submit("invitations.confirm_import", slug="june-2023", import_id=1)
    with in_house():
        assert db.session.query(Contact).one().first_name == "Ada"


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (b"", "leer.csv"), (b"   \n", "leer.csv"), (b"%PDF-1.7 ...", "x.csv"), (b"PK\x03\x04kaputt", "x.xlsx"), (b"\x00\x01\x02\x03" * 50, "x.csv"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 600, "alt.xls"),
        (b"a;b\n" * 20_000, "lang.csv"), (b'Organisation;Nachname;E-Mail\n"offen;x;y\n', "x.csv"),
    ],
)  # fmt: skip
def test_files_that_are_no_list_get_a_clear_error(browser, in_house, organiser, data, name):
    browser.sign_in(organiser)
    upload(browser, data, name, status=422)
    assert browser.sees("Es gibt ein Problem")
    with in_house():
        assert db.session.query(ListImport).count() == 0


def test_a_form_without_a_file_gets_a_clear_error(browser, organiser):
    browser.sign_in(organiser).submit("invitations.import_guests", {}, slug="june-2023", status=422)
    assert browser.sees("Bitte wählen Sie eine Datei")


def test_a_file_above_the_limit_is_413(browser, organiser):
    browser.sign_in(organiser)
    upload(browser, b"x" * (7 * 1024 * 1024), status=413)


def test_an_import_of_another_conference_is_not_found(browser, new_browser, in_house, organiser):
    browser.sign_in(organiser)
    upload(browser)
    with in_house():
        stranger = an_account()
        a_conference(stranger, slug="other")
    other = new_browser().sign_in(stranger)
    other.open("invitations.show_import", slug="other", import_id=1, status=404)
    other.submit("invitations.confirm_import", slug="other", import_id=1, status=404)


# -- the command ------------------------------------------------------


def run(app, *arguments):
    return app.test_cli_runner().invoke(args=["import-contacts", *map(str, arguments)])


def test_the_command_prints_json(app, organiser):
    result = run(app, "june-2023", DATA / "einladungsliste_excel_export.csv", "--json")
    outcome = json.loads(result.stdout)
    assert (result.exit_code, outcome["good"], outcome["imported"]) == (0, 38, 38)
    assert set(outcome["problems"][0]) == {"line", "field", "reason"}


def test_the_command_can_only_look(app, in_house, organiser):
    result = run(app, "june-2023", DATA / "einladungsliste.csv", "--dry-run", "--json")
    assert (result.exit_code, json.loads(result.stdout)["imported"]) == (0, 0)
    assert counts(in_house) == (0, 0, 0)


@pytest.mark.parametrize(
    "arguments",
    [("nowhere", DATA / "einladungsliste.csv"), ("june-2023", "/nowhere.csv"), ("june-2023", DATA)],
)
def test_the_command_fails_with_one_line_on_stderr(app, organiser, arguments):
    result = run(app, *arguments)
    assert result.exit_code == 1
    assert len(result.stderr.strip().splitlines()) == 1


def test_an_unreadable_file_is_refused(house):
    with pytest.raises(Refused):
        imports.import_file(a_conference(), b"", "x.csv", dry_run=True, at=NOW)


def test_the_preview_says_how_many_rows_the_file_has(browser, organiser):
    browser.sign_in(organiser)
    upload(browser, CLEAN)
    assert browser.sees("38 Zeilen")


def test_two_organisers_with_the_same_list_at_once_store_everybody_once(app, in_house, organiser):
    from threading import Barrier, Thread

    from conference.conferences.queries import conference_by_slug
    from conference.kit import unit

    with in_house():
        a_conference(organiser, slug="august-2023")
    start, outcomes = Barrier(2), []

    def take_over(slug, data):
        with app.app_context():
            start.wait()
            with unit.writing():
                outcome = imports.import_file(conference_by_slug(slug), data, "x.csv", dry_run=False, at=NOW)
            outcomes.append(outcome["imported"])

    backwards = b"\n".join([CLEAN.splitlines()[0], *reversed(CLEAN.splitlines()[1:])])
    threads = [
        Thread(target=take_over, args=("june-2023", CLEAN)),
        Thread(target=take_over, args=("august-2023", backwards)),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes == [38, 38]
    assert counts(in_house) == (38, 19, 76)
