"""Guessing passwords is slow, and locks nobody else out."""

import pytest

from ..browser import Browser
from ..builders import an_account


@pytest.fixture
def settings(settings):
    return settings | {"RATELIMIT_ENABLED": True}


def tries(app, email, password, address):
    browser = Browser(app)
    fields = {"csrf_token": browser.csrf_token(), "email": email, "password": password}
    return browser.client.post(
        "/sign-in", data=fields, environ_overrides={"REMOTE_ADDR": address}
    ).status_code


def test_t18_who_guesses_a_password_is_slowed_and_the_right_person_elsewhere_is_not(app, in_house):
    with in_house():
        an_account(email="nora@agentur.example", password="richtig und lang genug 7")
    answers = [tries(app, "nora@agentur.example", f"falsch {number}", "192.0.2.1") for number in range(14)]
    assert answers[:10] == [422] * 10
    assert set(answers[10:]) == {429}
    assert tries(app, "NORA@agentur.example", "richtig und lang genug 7", "192.0.2.1") == 429, (
        "the same account"
    )
    assert tries(app, "other@agentur.example", "falsch", "192.0.2.1") == 422, "another account"
    assert tries(app, "nora@agentur.example", "richtig und lang genug 7", "192.0.2.77") == 303
