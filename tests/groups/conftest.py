"""Who forms the groups."""

import pytest


@pytest.fixture
def staff(browser, organiser):
    """A browser in which the organiser has signed in."""
    return browser.sign_in(organiser)
