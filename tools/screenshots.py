"""Pictures for README and user guide: `.venv/bin/python tools/screenshots.py ADDRESS` with a demo running there."""

import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

OUT = Path(__file__).parent.parent / "docs" / "img"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
]
DESKTOP, PHONE = {"width": 1280, "height": 860}, {"width": 360, "height": 740}
STAFF = {
    "conference": "/conferences/august-2023",
    "results": "/conferences/june-2023/results",
    "agenda": "/conferences/june-2023/agenda",
    "groups": "/conferences/june-2023/groups",
}


def become(page: Page, address: str, persona: str) -> None:
    """Sign in with one click."""
    page.goto(address + "/sign-in")
    page.click(f"form[action='/persona/{persona}'] button")


def shoot(page: Page, name: str) -> None:
    """One picture, once the fonts are there."""
    page.wait_for_load_state("networkidle")
    page.evaluate("document.fonts.ready")
    page.screenshot(path=OUT / f"{name}.png")


def staff(page: Page, address: str) -> None:
    """The organiser's pages, and the preview of an import."""
    become(page, address, "organiser")
    for name, path in STAFF.items():
        page.goto(address + path)
        shoot(page, name)
    page.goto(address + "/series/bildungstraegerkonferenz/conferences/new")
    facts = {
        "title": "Herbstkonferenz",
        "slug": "herbst",
        "focus_question": "Was hilft?",
        "day": "2023-11-14",
        "begin": "09:30",
    }
    for name, value in (
        facts | {"end": "15:00", "answer_by": "2023-11-01", "venue": "Agentur", "seats": "60"}
    ).items():
        page.fill(f"main [name={name}]", value)
    page.click("main form button[type=submit]")
    page.goto(address + "/conferences/herbst/guests/import")
    example = Path(__file__).parent.parent / "conference" / "demo" / "einladungsliste_excel_export.csv"
    page.set_input_files("input[type=file]", example)
    page.click("main form button[type=submit]")
    shoot(page, "import")


def guest(page: Page, address: str) -> None:
    """An invitation and an idea on a phone."""
    become(page, address, "participant")
    shoot(page, "invitation")


def idea(page: Page, phone: Page, address: str) -> None:
    """The form behind a table's code."""
    page.goto(address + "/conferences/june-2023/ideas")
    opening = page.locator("form[action$='/ideas/opening'] button")
    if opening.count():
        opening.click()
    page.goto(address + "/conferences/june-2023/ideas/codes")
    code = re.search(r"/ideas/([A-Z0-9]{6})\b", page.content())
    assert code
    phone.goto(f"{address}/ideas/{code.group(1)}")
    shoot(phone, "idea")


def minutes(page: Page, address: str) -> None:
    """The first page of the released minutes."""
    answer = page.request.get(address + "/conferences/june-2023/minutes/1.pdf")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "minutes.pdf"
        path.write_bytes(answer.body())
        subprocess.run(
            ["pdftoppm", "-r", "60", "-png", "-l", "1", "-singlefile", path, OUT / "minutes"], check=True
        )


def main(address: str) -> None:
    """Take them all."""
    OUT.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        page = browser.new_context(viewport=DESKTOP, locale="de-DE").new_page()
        phone = browser.new_context(viewport=PHONE, locale="de-DE").new_page()
        staff(page, address)
        guest(phone, address)
        idea(page, phone, address)
        minutes(page, address)
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1].rstrip("/"))
