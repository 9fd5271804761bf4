"""Somebody with a password."""

import pytest

from conference.accounts.models import Role

from ..builders import an_account

GOOD = "correct horse battery"


@pytest.fixture
def nora(in_house):
    with in_house():
        return an_account(Role.COLLEAGUE, email="nora@agentur.example", password=GOOD)
