"""Addresses: absolute ones come from FOLGETERMIN_BASE_URL, never from the Host header; numbers in them are plain and small."""

from typing import Any
from urllib.parse import urlsplit

from flask import Flask, current_app
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.routing import IntegerConverter

from .bodies import host_of


class Number(IntegerConverter):
    """`<int:…>`: Arabic digits of the ASCII kind, one spelling each, and no number that a database column cannot hold."""

    regex = "(?:0|[1-9][0-9]{0,8})"


def init(app: Flask) -> None:
    """Read numbers strictly; believe what proxies say only as far as FOLGETERMIN_TRUSTED_PROXIES goes."""
    app.url_map.converters["int"] = Number
    proxies = app.config["TRUSTED_PROXIES"]
    if proxies:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=proxies, x_proto=proxies, x_host=0)  # type: ignore[method-assign]
    if app.config["PRODUCTION"]:
        app.config["TRUSTED_HOSTS"] = [host_of(str(urlsplit(app.config["BASE_URL"]).hostname))]


def absolute(endpoint: str, **values: Any) -> str:
    """The public address of a page; works without a request."""
    adapter = current_app.url_map.bind("base.invalid")
    return str(current_app.config["BASE_URL"]).rstrip("/") + adapter.build(endpoint, values)
