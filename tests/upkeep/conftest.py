"""Commands as people run them."""

from ..house.conftest import flask, zygote  # noqa: F401 - a fixture
