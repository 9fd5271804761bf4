"""Addresses: absolute ones come from FOLGETERMIN_BASE_URL, never from the Host header; numbers in paths fit a column."""

from typing import Any

from flask import Flask, current_app
from werkzeug.routing import IntegerConverter, Map


def absolute(endpoint: str, **values: Any) -> str:
    """The public address of a page; works without a request."""
    adapter = current_app.url_map.bind("base.invalid")
    return str(current_app.config["BASE_URL"]).rstrip("/") + adapter.build(endpoint, values)


class RowNumber(IntegerConverter):
    """`<int:…>` in a path: a number that no row can have is not found, instead of an error of the database."""

    def __init__(self, url_map: Map) -> None:
        super().__init__(url_map, max=2**31 - 1)


def init(app: Flask) -> None:
    """Before any route is registered."""
    app.url_map.converters["int"] = RowNumber
