"""Commands as people run them."""

import pytest

from ..house.conftest import flask, zygote  # noqa: F401 - a fixture


@pytest.fixture(autouse=True)
def nobody_else_is_at_work(apps):
    """A restore asks the database server whether somebody else is connected."""
    apps.rest()
