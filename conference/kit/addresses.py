"""Absolute addresses for letters and files: from FOLGETERMIN_BASE_URL, never from the Host header."""

from typing import Any

from flask import current_app


def absolute(endpoint: str, **values: Any) -> str:
    """The public address of a page; works without a request."""
    adapter = current_app.url_map.bind("base.invalid")
    return str(current_app.config["BASE_URL"]).rstrip("/") + adapter.build(endpoint, values)
