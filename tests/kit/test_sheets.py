"""Workbooks of strangers are read in a process of their own, which cannot take the house with it (T15)."""

import io
import resource
import zipfile

import openpyxl
import pytest

from conference.core.contact_list import BadTable, read_sheets
from conference.kit import sheets


def a_workbook(change=lambda _sheet: None):
    book = openpyxl.Workbook()
    for row in (("Organisation", "Nachname", "E-Mail"), ("Müller & Söhne", "d’Angelo", "a@traeger.example")):
        book.active.append(row)
    change(book.active)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def with_sheet(xml):
    """The same workbook with another first sheet."""
    out = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(a_workbook())) as old,
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for name in old.namelist():
            new.writestr(name, xml if name == "xl/worksheets/sheet1.xml" else old.read(name))
    return out.getvalue()


HEAD = '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
TAIL = "</sheetData></worksheet>"
BOMBS = {
    "far away": a_workbook(lambda sheet: sheet.cell(1048576, 16384, "x")),
    "60 MB of rows": with_sheet(HEAD + '<row r="1"><c r="A1"><v>1</v></c></row>' * 1_400_000 + TAIL),
    "deep": with_sheet(HEAD + "<row>" * 500_000 + TAIL),
    "entities": with_sheet('<!DOCTYPE x [<!ENTITY a "' + "b" * 1000 + '">]>' + HEAD + TAIL),
    "cut off": a_workbook()[:2000],
    "no workbook": b"PK\x03\x04" + b"\0" * 1000,
}


def test_t15_the_child_reads_what_the_house_would_read():
    data = a_workbook()
    assert sheets.in_child(data)(data) == read_sheets(data)


@pytest.mark.parametrize("name", BOMBS)
def test_t15_a_bomb_is_refused_and_costs_the_house_nothing(name):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    reader = sheets.in_child(BOMBS[name])
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50 * 1024
    with pytest.raises(BadTable):
        reader(b"")


@pytest.mark.parametrize("limits", [{"megabytes": 1}, {"seconds": 0}])
def test_t15_a_child_without_memory_or_time_is_given_up(limits):
    """What is read with the usual limits is not with these."""
    good = a_workbook(lambda sheet: [sheet.append(["Müller", "Ada", "x" * 100]) for _row in range(3000)])
    assert sheets.in_child(good)(good)
    with pytest.raises(BadTable):
        sheets.in_child(good, **limits)(b"")


def test_t15_only_workbooks_start_a_process(monkeypatch):
    monkeypatch.setattr(sheets.child, "run", None)
    with pytest.raises(BadTable, match="damaged"):
        sheets.in_child(b"Organisation;Nachname\n")(b"")


def test_t15_an_upload_of_a_bomb_is_an_error_in_words(browser, in_house):
    from ..builders import a_conference, an_account

    with in_house():
        account = an_account()
        a_conference(account)
    browser.sign_in(account)
    bomb = (io.BytesIO(BOMBS["60 MB of rows"]), "liste.xlsx")
    browser.open("invitations.import_guests", slug="june-2023")
    browser.submit("invitations.import_guests", {"file": bomb}, status=422, slug="june-2023")
    assert browser.sees("Die Arbeitsmappe ist ausgepackt zu groß.")
