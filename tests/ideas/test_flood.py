"""A whole hall behind one address is welcome; one device that floods has to wait."""

from uuid import uuid4

import pytest

from ..browser import Browser


@pytest.fixture
def settings(settings):
    return settings | {"RATELIMIT_ENABLED": True}


def post_idea(browser, code, words, submission=None):
    fields = {"csrf_token": browser.csrf_token(), "text": words, "client_id": submission or str(uuid4())}
    return browser.client.post(f"/ideas/{code}", data=fields)


def test_t19_three_hundred_phones_behind_one_address_are_never_turned_away(app, open_june, code_of, ideas):
    code = code_of()
    answers = [post_idea(Browser(app), code, f"Idee {number}") for number in range(300)]
    assert {answer.status_code for answer in answers} == {303}
    assert [idea.number for idea in ideas()] == list(range(1, 301))


def test_t35_a_device_that_floods_has_to_wait_with_its_text_kept_and_others_have_not(
    app, open_june, code_of, ideas
):
    code, flooder = code_of(), Browser(app)
    answers = [post_idea(flooder, code, f"Idee {number}").status_code for number in range(100)]
    assert answers == [303] * 30 + [429] * 70
    fields = {"text": "Noch eine", "client_id": str(uuid4())}
    answer = flooder.submit("ideas.hand_in_idea", fields, status=429, code=code)
    assert answer.headers["Retry-After"] == "60"
    assert flooder.value_of("text") == "Noch eine"
    assert flooder.value_of("client_id") == fields["client_id"]
    assert flooder.sees("Das waren sehr viele Ideen auf einmal")
    assert post_idea(Browser(app), code, "Weniger Formulare").status_code == 303
    assert len(ideas()) == 31


def test_what_is_only_sent_again_is_no_flood(app, open_june, code_of, ideas):
    code, submission, phone = code_of(), str(uuid4()), Browser(app)
    answers = [post_idea(phone, code, "Kein Kurs ohne Praktikum", submission) for _number in range(60)]
    assert {answer.headers["Location"] for answer in answers} == {f"/ideas/{code}/received/1"}
    assert len(ideas()) == 1
