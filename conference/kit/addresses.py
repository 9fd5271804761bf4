"""Absolute addresses for letters and files: from FOLGETERMIN_BASE_URL, never from the Host header. Numbers in addresses."""

from typing import Any

from flask import Flask, current_app
from werkzeug.routing import IntegerConverter, Map

GREATEST = 2**31 - 1


class Number(IntegerConverter):
    """`<int:…>` in a route: no greater than what a column holds, or both databases would fail where nothing can be found."""

    def __init__(self, url_map: Map) -> None:
        super().__init__(url_map, max=GREATEST)


def init(app: Flask) -> None:
    """Let every numbered address of the app be bounded; before the rooms add their routes."""
    app.url_map.converters["int"] = Number


def absolute(endpoint: str, **values: Any) -> str:
    """The public address of a page; works without a request."""
    adapter = current_app.url_map.bind("base.invalid")
    return str(current_app.config["BASE_URL"]).rstrip("/") + adapter.build(endpoint, values)
