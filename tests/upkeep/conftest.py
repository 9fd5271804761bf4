"""Commands as people run them."""

from ..house.conftest import flask  # noqa: F401 - a fixture
