"""Papers that cannot be made: a page that says so, wherever they are asked for."""

from conference.kit import pdf

from ..builders import a_small_day, an_account

PAPERS = [
    "badges.pdf", "attendance/signature-list.pdf", "groups/door-sheets.pdf", "groups/seating.pdf", "groups/facilitator-sheets.pdf",
    "groups/name-cards.pdf", "groups/table-signs.pdf",
]  # fmt: skip


def test_f13_a_paper_that_cannot_be_made_is_said_on_a_page(browser, in_house, monkeypatch):
    with in_house():
        organiser = an_account()
        a_small_day(organiser)
    monkeypatch.setattr(pdf, "HTML_LIMIT", 0)
    browser.sign_in(organiser)
    for path in PAPERS:
        browser.open(f"/conferences/june-2023/{path}", status=409)
        assert "PDF" in browser.text, path
