"""A release freezes document, text and PDF; nothing changes or deletes it; each attendee gets it once."""

import hashlib
import json
import threading

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from conference import minutes as room
from conference.accounts.models import Role
from conference.actions import operations as actions
from conference.actions.models import ActionStatus
from conference.actions.queries import action_of
from conference.core.minutes import from_json
from conference.ideas import operations as ideas
from conference.ideas.models import Idea
from conference.kit import once, unit
from conference.kit.db import db
from conference.kit.errors import Refused
from conference.minutes import operations, queries, views
from conference.minutes.models import Minutes, Release
from conference.outbox.models import Enclosure, Mail
from conference.providers.models import Contact

from ..bad_input import BAD_LINE_IDS, BAD_LINES, HARMLESS
from ..builders import an_account
from .conftest import EVENING, FRAME, a_day, write_frame

PAGE = "/conferences/june-2023/minutes"


def released(day, account=None, pdf=b"%PDF-1.7 test"):
    """A release as the view makes it, with any bytes as PDF."""
    account = account or an_account()
    draft = queries.compile_draft(day.june, at=EVENING)
    document = operations.as_released(draft, number=draft.version, released_by=account.name, at=EVENING)
    return operations.release(day.june, document, pdf, account, at=EVENING)


def frozen(release):
    return json.dumps(release.document), release.text, release.pdf, release.sha256, release.released_by


@pytest.fixture
def june(in_house, organiser):
    """A day that is ready to be released; gives all its parts."""
    with in_house():
        day = a_day(organiser)
        write_frame(day.june)
    return day


@pytest.fixture
def staff(browser, organiser):
    return browser.sign_in(organiser)


@pytest.fixture
def quick_pdf(monkeypatch):
    """Rendering takes seconds; where only the transaction counts, the HTML's hash stands for the PDF."""
    monkeypatch.setattr(
        views, "render_in_child", lambda html: b"%PDF " + hashlib.sha256(html.encode()).digest()
    )


def stored(in_house, model=Release):
    with in_house():
        return db.session.query(model).order_by(model.id).all()


# -- operations -----------------------------------------------------------


def test_a_release_holds_document_text_pdf_and_hash(day):
    write_frame(day.june)
    release = released(day)
    assert (release.number, release.pdf) == (1, b"%PDF-1.7 test")
    assert release.sha256 == hashlib.sha256(b"%PDF-1.7 test").hexdigest()
    document = from_json(json.dumps(release.document))
    assert (document.released, document.version, document.released_by) == (True, 1, release.released_by)
    assert "Es gibt einen Kalender." in release.text and "Entwurf" not in release.text


def test_later_changes_leave_a_release_as_it_is(day):
    write_frame(day.june)
    release = released(day)
    before = frozen(release)
    ideas.change_idea(day.idea, "Etwas anderes", 2, at=EVENING)
    actions.report(day.action, ActionStatus.DONE, day.action.due_on, "fertig", "Ada", 1, at=EVENING)
    day.present.last_name = "Neumann"
    write_frame(day.june, version=1, chair="Anders")
    db.session.flush()
    db.session.expire_all()
    assert frozen(queries.release_of(day.june, 1)) == before
    assert queries.compile_draft(day.june, at=EVENING).version == 2


def test_a_correction_makes_the_next_version(day):
    write_frame(day.june)
    first, second = released(day), released(day, pdf=b"%PDF zwei")
    assert [entry.number for entry in queries.releases_of(day.june)] == [2, 1]
    assert (first.pdf, second.pdf) == (b"%PDF-1.7 test", b"%PDF zwei")
    assert queries.latest_release(day.june) is second


def test_what_changed_while_the_pdf_was_made_stops_the_release(day):
    write_frame(day.june)
    account = an_account()
    draft = queries.compile_draft(day.june, at=EVENING)
    document = operations.as_released(draft, number=1, released_by=account.name, at=EVENING)
    actions.report(day.action, ActionStatus.DONE, day.action.due_on, "fertig", "Ada", 1, at=EVENING)
    with pytest.raises(Refused):
        operations.release(day.june, document, b"%PDF", account, at=EVENING)
    assert db.session.query(Release).count() == 0


@pytest.mark.parametrize("over", [{"chair": ""}, {"minute_taker": ""}])
def test_nothing_is_released_without_chair_and_minute_taker(day, over):
    write_frame(day.june, **over)
    with pytest.raises(Refused):
        released(day)


@pytest.mark.parametrize("statement", ["UPDATE release SET text = 'anders'", "DELETE FROM release"])
def test_the_database_itself_refuses_to_change_or_delete_a_release(day, statement):
    write_frame(day.june)
    before = frozen(released(day))
    with pytest.raises(DBAPIError), db.session.begin_nested():
        db.session.execute(text(statement))
    db.session.expire_all()
    assert frozen(queries.release_of(day.june, 1)) == before


def test_the_letter_goes_to_who_was_there_or_excused_once_with_the_pdf(day):
    write_frame(day.june)
    release = released(day)
    for _time in range(2):
        operations.mail_release(release, at=EVENING)
    mails = db.session.query(Mail).filter_by(kind="minutes").all()
    assert sorted(mail.recipient_address for mail in mails) == sorted([day.present.email, day.excused.email])
    assert {(mail.enclosure.content, mail.enclosure.media_type, mail.enclosure.name) for mail in mails} == {
        (release.pdf, "application/pdf", "protokoll-june-2023-1.pdf")
    }
    assert release.sha256 in mails[0].text and db.session.query(Enclosure).count() == 1


# -- pages ------------------------------------------------------------------


def test_the_page_counts_as_the_document_does(staff, june):
    staff.open(PAGE)
    assert staff.sees("Anwesend 1 und 1 Gast") and staff.sees("Ideen 2") and staff.sees("Beschlüsse 1")


def test_releasing_freezes_and_the_release_is_served_byte_by_byte(staff, in_house, june, quick_pdf):
    staff.submit("minutes.release_minutes", slug="june-2023")
    release = stored(in_house)[0]
    assert staff.sees(release.sha256)
    answer = staff.client.get(f"{PAGE}/1.pdf")
    assert (answer.data, answer.mimetype) == (release.pdf, "application/pdf")
    assert staff.client.get(f"{PAGE}/1.txt").get_data(as_text=True) == release.text


def test_f09_a_release_waits_for_its_own_first_copy_only_and_not_without_end(
    app, staff, june, quick_pdf, monkeypatch
):
    monkeypatch.setattr(once, "_digest", lambda: "ab" * 32)
    monkeypatch.setitem(app.config, "DATABASE_PATIENCE", 0)
    fields = {"once_key": "a-key-of-sixteen-signs"}
    with app.app_context(), unit.in_turn("once-ab"):
        answer = staff.submit("minutes.release_minutes", fields, slug="june-2023", status=503)
        assert answer.headers["Retry-After"] and fields["once_key"] in answer.text
    with app.app_context(), unit.in_turn("once-cd"):
        staff.submit("minutes.release_minutes", fields, slug="june-2023")


def test_changes_by_the_pages_leave_the_served_release_byte_identical(staff, in_house, june, quick_pdf):
    staff.submit("minutes.release_minutes", slug="june-2023")
    before = [staff.client.get(f"{PAGE}/1.{kind}").data for kind in ("pdf", "txt")]
    with in_house():
        action = action_of(june.june, june.action.id)
        actions.report(action, ActionStatus.DROPPED, action.due_on, "geht nicht", "Ada", 1, at=EVENING)
        db.session.get(Contact, june.present.id).last_name = "Neumann"
        ideas.change_idea(db.session.get(Idea, june.idea.id), "Anders", 2, at=EVENING)
    staff.submit(PAGE, FRAME | {"chair": "Neu", "version": "1"})
    assert [staff.client.get(f"{PAGE}/1.{kind}").data for kind in ("pdf", "txt")] == before


def test_no_route_changes_or_deletes_a_release(app):
    rules = [rule for rule in app.url_map.iter_rules() if rule.endpoint.startswith(f"{room.bp.name}.")]
    writing = sorted(rule.endpoint for rule in rules if rule.methods & {"POST", "PUT", "PATCH", "DELETE"})
    assert writing == ["minutes.mail_release", "minutes.release_minutes", "minutes.show_minutes"]


def test_no_request_changes_a_release(staff, in_house, june, quick_pdf):
    staff.submit("minutes.release_minutes", slug="june-2023")
    before = [frozen(entry) for entry in stored(in_house)]
    for path in ("1.pdf", "1.txt", "1", "draft.pdf"):
        for method in ("post", "put", "patch", "delete"):
            answer = getattr(staff.client, method)(
                f"{PAGE}/{path}", data={"csrf_token": staff.csrf_token(), "text": "x"}
            )
            assert answer.status_code in (400, 404, 405)
    assert [frozen(entry) for entry in stored(in_house)] == before


def test_a_release_that_lacks_something_is_refused(staff, in_house, june, quick_pdf):
    staff.submit(PAGE, FRAME | {"chair": "", "version": "1"})
    assert staff.sees("Leitung und Protokoll")
    staff.submit("minutes.release_minutes", slug="june-2023", status=409)
    assert stored(in_house) == []


def test_a_change_while_the_pdf_is_rendered_is_refused(staff, app, in_house, june, monkeypatch):
    def slowly(_html):
        with in_house():
            actions.decide(june.june, "Noch etwas", "", actions.Source(), at=EVENING)
        return b"%PDF"

    monkeypatch.setattr(views, "render_in_child", slowly)
    staff.submit("minutes.release_minutes", slug="june-2023", status=409)
    assert stored(in_house) == []


def test_a_pdf_that_fails_releases_nothing(staff, in_house, june, monkeypatch):
    def fail(_html):
        raise views.PdfFailed("too_long")

    monkeypatch.setattr(views, "render_in_child", fail)
    staff.submit("minutes.release_minutes", slug="june-2023", status=409)
    assert "too_long" not in staff.text
    staff.open("minutes.draft_pdf", slug="june-2023", status=409)
    assert stored(in_house) == []


def test_releasing_at_the_same_moment_leaves_one_whole_version(
    in_house, new_browser, organiser, june, monkeypatch
):
    """Both have rendered version 1 before either writes: one is frozen, the other is refused."""
    meeting = threading.Barrier(2)

    def together(html):
        meeting.wait(timeout=60)
        return b"%PDF " + hashlib.sha256(html.encode()).digest()

    monkeypatch.setattr(views, "render_in_child", together)
    people = [new_browser().sign_in(organiser) for _person in range(2)]
    tokens = [person.csrf_token() for person in people]
    codes = []

    def send(number):
        answer = people[number].client.post(f"{PAGE}/release", data={"csrf_token": tokens[number]})
        codes.append(answer.status_code)

    threads = [threading.Thread(target=send, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    releases = stored(in_house)
    assert (sorted(codes), [entry.number for entry in releases]) == ([303, 409], [1])
    assert (releases[0].sha256, releases[0].document["version"]) == (
        hashlib.sha256(releases[0].pdf).hexdigest(),
        1,
    )


def test_releasing_twice_without_a_change_between_makes_one_version(staff, in_house, june, quick_pdf):
    for _time in range(2):
        staff.submit("minutes.release_minutes", slug="june-2023")
    assert staff.sees("Fassung 1 ist freigegeben; seitdem hat sich nichts geändert.")
    assert [entry.number for entry in stored(in_house)] == [1]


def test_releasing_again_after_a_change_makes_the_next_version(staff, in_house, june, quick_pdf):
    staff.submit("minutes.release_minutes", slug="june-2023")
    staff.submit(PAGE, FRAME | {"chair": "Neu", "version": "1"})
    staff.submit("minutes.release_minutes", slug="june-2023")
    assert [(entry.number, entry.document["version"]) for entry in stored(in_house)] == [(1, 1), (2, 2)]


def test_sending_twice_sends_each_letter_once(staff, in_house, june, quick_pdf):
    staff.submit("minutes.release_minutes", slug="june-2023")
    for _time in range(2):
        staff.submit("minutes.mail_release", slug="june-2023", number=1)
    assert len([mail for mail in stored(in_house, Mail) if mail.kind == "minutes"]) == 2
    staff.submit("minutes.mail_release", slug="june-2023", number=2, status=404)


@pytest.mark.parametrize("bad", BAD_LINES, ids=BAD_LINE_IDS)
@pytest.mark.parametrize("field", ["chair", "moderator", "minute_taker", "summary"])
def test_bad_input_for_the_frame_comes_back(staff, in_house, june, field, bad):
    staff.submit(PAGE, FRAME | {"version": "1", field: bad}, status=422)
    assert staff.value_of(field)
    assert stored(in_house, Minutes)[0].version == 1


@pytest.mark.parametrize("text", HARMLESS)
def test_odd_words_in_the_frame_are_shown_as_they_are(staff, june, text):
    staff.submit(PAGE, FRAME | {"version": "1", "chair": text, "summary": text})
    assert (staff.value_of("chair"), staff.value_of("summary")) == (text, text)


def test_a_stale_frame_shows_both_texts_and_can_then_be_saved(staff, in_house, june):
    staff.submit(PAGE, FRAME | {"version": "1", "summary": "Erste"})
    staff.submit(PAGE, FRAME | {"version": "1", "summary": "Zweite"}, status=409)
    assert staff.sees("Erste") and staff.value_of("summary") == "Zweite"
    staff.submit(PAGE, FRAME | {"version": staff.value_of("version"), "summary": "Zweite"})
    assert stored(in_house, Minutes)[0].summary == "Zweite"


def test_a_stale_frame_shows_everything_that_differs(staff, june):
    staff.submit(PAGE, FRAME | {"version": "1", "chair": "Erste Leitung"})
    staff.submit(PAGE, FRAME | {"version": "1", "chair": "Zweite Leitung"}, status=409)
    assert staff.sees("Erste Leitung") and staff.sees("Zweite Leitung")


def test_the_same_frame_sent_twice_is_no_conflict(staff, in_house, june):
    for _time in range(2):
        staff.submit(PAGE, FRAME | {"version": "1", "summary": "Erste"})
    assert stored(in_house, Minutes)[0].version == 2


def test_leadership_sees_releases_and_nothing_of_the_draft(staff, new_browser, in_house, june, quick_pdf):
    from conference.conferences.models import Grant

    with in_house():
        chief = an_account(Role.LEADERSHIP)
        db.session.add(
            Grant(
                series_id=june.june.series_id,
                account_id=chief.id,
                role=chief.role,
                since=june.june.created_at,
            )
        )
    reader = new_browser().sign_in(chief)
    reader.open(PAGE)
    assert not reader.sees("Vera Vorsitz") and not reader.sees("Begrüßung") and "draft.pdf" not in reader.html
    staff.submit("minutes.release_minutes", slug="june-2023")
    reader.open(PAGE)
    assert f"{PAGE}/1.pdf" in reader.links()
    assert reader.client.get(f"{PAGE}/1.pdf").status_code == 200
    reader.open(f"{PAGE}/draft.pdf", status=404)
    for path in (PAGE, f"{PAGE}/release", f"{PAGE}/1/letters"):
        reader.submit(path, FRAME | {"version": "1"}, status=404)
    letters = [mail for mail in stored(in_house, Mail) if mail.kind == "minutes"]
    assert (len(stored(in_house)), letters, stored(in_house, Minutes)[0].version) == (1, [], 1)


def test_strangers_and_unknown_numbers_are_not_found(staff, new_browser, in_house, june, quick_pdf):
    staff.submit("minutes.release_minutes", slug="june-2023")
    for name in ("2.pdf", "0.pdf", "x.pdf", "2.txt"):
        staff.open(f"{PAGE}/{name}", status=404)
    with in_house():
        stranger = new_browser().sign_in(an_account())
    for name in ("", "/draft.pdf", "/1.pdf", "/1.txt"):
        stranger.open(PAGE + name, status=404)
