"""Leadership's page as it comes out of the printer."""

import io

from pypdf import PdfReader

from .conftest import become


def test_what_became_of_june_fits_on_one_sheet_of_paper(shared_server, visit):
    page = visit()
    become(page, shared_server, "leadership")
    page.goto(shared_server.address + "/conferences/june-2023/results")
    sheets = PdfReader(io.BytesIO(page.pdf(format="A4", prefer_css_page_size=True)))
    words = " ".join(sheets.pages[0].extract_text().split())
    assert len(sheets.pages) == 1, "Tighten the print rules in static/css/overview.css."
    assert "Was daraus geworden ist" in words and "Ideen außerhalb der Bündel" in words
    for idea in (
        "Kein Kurs ohne Praktikum",
        "Regionale Weiterbildungsmesse im Herbst",
        "Fahrdienst aus den Randgemeinden",
    ):
        assert idea in words, "The chain begins with the words of each idea."
