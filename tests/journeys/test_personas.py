"""The whole thread in a real browser: an Excel list goes in, released minutes come out, the follow-up opens with what became of it."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from conference.groups import forming
from conference.kit import clock
from conference.outbox.operations import drain

from .conftest import DESKTOP, PHONE, violations

LIST = Path(__file__).parents[1] / "data" / "einladungsliste_excel_export.csv"
HERE = "/conferences/herbst-2023"


class Walk:
    """A person at a page: fills forms by the names of their fields, and never sees an error page."""

    def __init__(self, page, server):
        self.page, self.server = page, server

    def go(self, path):
        answer = self.page.goto(path if path.startswith("http") else self.server.address + path)
        assert answer.status == 200, f"{path}: {answer.status}"
        return self

    def fill(self, **fields):
        for name, value in fields.items():
            field = self.page.locator(f"main [name='{name}']").first
            tag = field.evaluate("e => e.tagName")
            if tag == "SELECT":
                field.select_option(value)
            else:
                field.fill(value)
        return self

    def press(self, action, label=None):
        """Press the submit button of the form with this action (a suffix of it); a question before it is opened first."""
        form = self.page.locator(f"main form[action$='{action}']:not([method=get])").first
        question = form.locator("xpath=ancestor::details[not(@open)]")
        if question.count():
            question.locator("summary").first.click()
        button = (
            form.get_by_role("button", name=label) if label else form.locator("button[type=submit]").first
        )
        button.click()
        self.page.wait_for_load_state()
        assert not self.page.locator(".error-summary").count(), self.page.locator(
            ".error-summary"
        ).inner_text()
        return self

    def sees(self, text):
        return text in self.page.locator("main").inner_text()


@pytest.fixture
def organiser(server, visit):
    """The organiser at a desk."""
    walk = Walk(visit(DESKTOP), server).go("/sign-in")
    return walk.press("/persona/organiser")


def deliver(server):
    """What the worker does."""
    with server.app.app_context():
        drain(clock.now)


def link_in_mail(walk, recipient):
    """The personal link in the newest letter to a person, as the outbox shows it."""
    walk.go("/outbox")
    row = walk.page.locator("main tr", has_text=recipient).first
    row.locator("td a").first.click()
    walk.page.wait_for_load_state()
    found = re.search(r"http://[\d.:]+/(invitation|action)/[\w-]{43}", walk.page.content())
    assert found, f"no link in the letter to {recipient}"
    return found.group(0)


def plan(walk):
    walk.go("/series/new").fill(title="Herbstreihe", host="Agentur für Arbeit").press("/series/new")
    walk.fill(
        title="Herbstkonferenz", slug="herbst-2023", focus_question="Was hilft?", day="2023-09-12", begin="09:30", end="15:00",
        answer_by="2023-09-01", venue="Agentur", seats="60", organiser_name="Nora Wiegand", organiser_email="nora@agentur.example",
    ).press("/conferences/new")  # fmt: skip
    for name, capacity in (("Saal", "60"), ("Raum A", "10"), ("Raum B", "10")):
        walk.go(f"{HERE}/rooms/new").fill(name=name, capacity=capacity).press("/rooms/new")
    walk.go(f"{HERE}/topics/new").fill(title="Kurskalender").press("/topics/new")
    for start, kind, title in (
        ("09:30", "plenary", "Begrüßung"),
        ("10:00", "breakout", "Runde 1"),
        ("11:00", "breakout", "Runde 2"),
    ):
        walk.go(f"{HERE}/agenda/new").fill(kind=kind, title=title, clock=start).press("/agenda/new")
    assert walk.go(f"{HERE}/agenda").sees("Runde 2")


def invite(walk, server):
    walk.go(f"{HERE}/guests/import")
    walk.page.set_input_files("main input[type=file]", LIST)
    walk.press("/guests/import")
    assert walk.sees("Technikzentrum Bünde") and walk.sees("Zeile")
    walk.page.locator("input[value=same]").first.check()
    walk.press("/confirmation")
    assert walk.sees("39")
    walk.go(f"{HERE}/mailing/invitations").press("/mailing/invitations")
    deliver(server)
    walk.go(f"{HERE}/outbox")


def answer(walk, server, visit, recipient, javascript):
    """A guest accepts on a phone: open the link, tap once."""
    link = link_in_mail(walk, recipient)
    guest = Walk(visit(PHONE, javascript=javascript), server).go(link)
    guest.press(link.split("/", 3)[-1])
    assert guest.sees("Sie haben einen Platz")
    assert "/invitation/" not in guest.page.url
    return guest


def attend(walk, people=12):
    walk.go(f"{HERE}/attendance")
    fields = walk.page.locator("main select[name^=presence-]")
    for number in range(people):
        fields.nth(number).select_option("present")
    walk.page.locator("main tr", has_text="Ewa Kowalczyk").locator("select").select_option("present")
    walk.press("/attendance")
    assert walk.sees("Anwesend")


def form_groups(walk):
    walk.go(f"{HERE}/groups").fill(tables="2").press("/groups/forming")
    assert walk.page.locator("#forming").count()
    with walk.server.app.app_context():
        forming.work(clock.now)
    walk.page.wait_for_url(f"**{HERE}/groups")  # the page of the forming goes there by itself
    assert walk.sees("Gruppe A") and walk.sees("Gruppe B")
    form = walk.page.locator("form.seating").first
    form.locator("input[type=radio]").first.check()
    form.locator("select[name=group]").select_option(label="Gruppe B")
    form.get_by_role("button", name="Verschieben").click()
    walk.page.locator(".flashes", has_text="sitzt jetzt in Gruppe B").wait_for()
    walk.go(f"{HERE}/groups/release").press("/groups/release")


def hand_in(walk, server, visit, javascript):
    walk.go(f"{HERE}/ideas")
    if walk.page.locator("form[action$='/ideas/opening']").count():
        walk.press("/ideas/opening")
    walk.go(f"{HERE}/ideas/codes")
    address = re.search(r"/ideas/([A-Z0-9]{6})\b", walk.page.content())
    assert address
    phone = Walk(visit(PHONE, javascript=javascript), server)
    for text in (
        "Ein gemeinsamer Kurskalender für alle",
        "Monatliche Sprechstunde der Agentur",
        "Fahrdienst aus den Randgemeinden",
    ):
        phone.go(f"/ideas/{address.group(1)}").fill(text=text).press(f"/ideas/{address.group(1)}")
        phone.page.get_by_text("angekommen").first.wait_for()
    assert walk.go(f"{HERE}/wall").sees("Fahrdienst")


def cluster(walk):
    walk.go(f"{HERE}/clusters")
    for box in walk.page.locator("main input[type=checkbox]").all():
        box.check()
    walk.fill(heading="Besser vernetzt").press("/clusters/placements")
    assert walk.sees("Besser vernetzt")


def vote(walk, guest):
    walk.go(f"{HERE}/votes/new").fill(title="Was zuerst?", dots="2", per_option="2").press("/votes/new")
    walk.press("/opening")
    guest.go("/my/votes")
    guest.page.locator("main a[href*='/my/votes/']").first.click()
    guest.page.wait_for_load_state()
    guest.page.locator("main input[type=number]").first.fill("2")
    guest.page.locator("main form button[type=submit]").first.click()
    guest.page.wait_for_load_state()
    walk.go(f"{HERE}/votes")
    walk.page.locator("main a[href*='/votes/']").get_by_text("Was zuerst?").click()
    walk.page.wait_for_load_state()
    walk.press("/closure")
    assert walk.sees("Besser vernetzt")


def conclude(walk, server, visit):
    walk.go(f"{HERE}/decisions/new").fill(
        wording="Wir führen einen Kurskalender ein.", manner="im Konsens"
    ).press("/decisions/new")
    walk.go(f"{HERE}/actions/new").fill(title="Kalender anlegen", due_on="2023-10-01")
    walk.page.locator("main [name=responsible_id]").select_option(index=3)
    chosen = walk.page.locator("main [name=responsible_id] option:checked").inner_text().split(",")[0]
    walk.press("/actions/new").press("/actions/letters")
    deliver(server)
    link = link_in_mail(walk, chosen)
    guest = (
        Walk(visit(PHONE), server)
        .go(link)
        .fill(status="in_progress", text="Die Vorlage steht.")
        .press(link.split("/", 3)[-1])
    )
    assert guest.sees("in Arbeit")


def release(walk):
    walk.go(f"{HERE}/minutes")
    walk.page.locator("main a[href$='/note']").first.click()
    walk.page.wait_for_load_state()
    walk.fill(text="Alle waren da.")
    walk.page.locator("main form button[type=submit]").first.click()
    walk.go(f"{HERE}/minutes").fill(chair="Verena Tiemann", minute_taker="Nora Wiegand").press("/minutes")
    walk.press("/minutes/release")
    assert walk.sees("SHA-256")
    pdf = walk.page.request.get(f"{walk.server.address}{HERE}/minutes/1.pdf")
    assert pdf.body().startswith(b"%PDF")


def follow_up(walk):
    walk.go(f"{HERE}/follow-up").fill(
        title="Winterkonferenz", slug="winter-2023", day="2023-12-05", answer_by="2023-11-24"
    )
    walk.press("/follow-up")
    assert walk.go("/conferences/winter-2023/agenda").sees("Runde 2")
    assert walk.go("/conferences/winter-2023/review").sees("Kalender anlegen")
    assert walk.sees("Die Vorlage steht.")
    assert not walk.go("/conferences/winter-2023/registrations").sees("Müller-Lüdenscheidt")


@pytest.mark.parametrize("javascript", [True, False], ids=["with-javascript", "without-javascript"])
def test_the_whole_thread_from_the_excel_list_to_the_follow_up(server, visit, organiser, javascript):
    plan(organiser)
    invite(organiser, server)
    guest = answer(organiser, server, visit, "Ewa Kowalczyk", javascript)
    attend(organiser)
    form_groups(organiser)
    guest.go("/my/groups")
    assert guest.sees("An Ihrem Tisch")
    hand_in(organiser, server, visit, javascript)
    cluster(organiser)
    vote(organiser, guest)
    conclude(organiser, server, visit)
    release(organiser)
    follow_up(organiser)
    assert violations(organiser.page) == []


def test_a_guest_changes_the_answer_and_withdraws_on_the_phone_without_javascript(server, visit):
    token = server.token_for("august-2023", server.unanswered("august-2023"))
    guest = Walk(visit(PHONE, javascript=False), server).go(f"/invitation/{token}")
    guest.page.locator("main summary").first.click()
    guest.fill(diet="vegetarisch").press(f"/invitation/{token}")
    assert guest.sees("Sie haben einen Platz")
    other = Walk(visit(PHONE, javascript=False), server).go(f"/invitation/{token}").press("/visit")
    assert other.page.locator("[name=diet]").input_value() == "vegetarisch"
    other.press("/my/withdrawal")
    assert other.sees("Sie nehmen nicht teil")


def test_leadership_reads_minutes_and_results_and_nothing_else(server, visit):
    walk = Walk(visit(DESKTOP), server).go("/sign-in").press("/persona/leadership")
    walk.go("/conferences/june-2023/results")
    assert walk.sees("Gemeinsamer Kurskalender") and walk.sees("erledigt")
    walk.go("/conferences/june-2023/minutes")
    assert walk.sees("Sie lesen das Protokoll ohne Namen") and not walk.sees("Entwurf ansehen")
    for path in ("guests", "registrations", "outbox", "edit", "groups", "attendance"):
        assert walk.page.goto(f"{server.address}/conferences/june-2023/{path}").status == 404


def test_the_results_print_on_one_page(server, visit, tmp_path):
    import pypdf

    walk = (
        Walk(visit(DESKTOP), server)
        .go("/sign-in")
        .press("/persona/leadership")
        .go("/conferences/june-2023/results")
    )
    walk.page.pdf(path=tmp_path / "results.pdf", format="A4", print_background=True)
    assert len(pypdf.PdfReader(tmp_path / "results.pdf").pages) == 1


def test_f18_an_idea_typed_without_network_arrives_once_when_it_is_back(server, visit, organiser):
    organiser.go("/conferences/june-2023/ideas").press("/ideas/opening")
    organiser.go("/conferences/june-2023/ideas/codes")
    code = re.search(r"/ideas/([A-Z0-9]{6})\b", organiser.page.content()).group(1)
    phone = Walk(visit(PHONE), server).go(f"/ideas/{code}")
    status = phone.page.locator("[data-queue-status]")
    status.wait_for(state="attached")
    phone.page.wait_for_load_state("networkidle")
    phone.fill(text="Offline gedacht, später gesendet")
    phone.page.context.set_offline(True)
    phone.page.locator("main form button[type=submit]").first.click()
    expect(status).to_contain_text("Noch nicht gesendete Ideen: 1")
    phone.page.context.set_offline(False)
    expect(status).to_contain_text("Alles ist gesendet")
    organiser.go("/conferences/june-2023/ideas")
    assert organiser.page.get_by_text("Offline gedacht, später gesendet", exact=True).count() == 1
