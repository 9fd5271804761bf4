"""Who forms the groups."""

import pytest

from ..builders import an_account


@pytest.fixture
def organiser(in_house):
    """The organiser of the conference."""
    with in_house():
        return an_account()


@pytest.fixture
def staff(browser, organiser):
    """A browser in which the organiser has signed in."""
    return browser.sign_in(organiser)
