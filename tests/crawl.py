"""Finds every form of the product by walking its pages as the people who use it: a new form is found by itself."""

import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urljoin, urlsplit

from flask import Flask
from lxml import html
from werkzeug.exceptions import HTTPException
from werkzeug.test import Client

TYPED = {"text", "email", "search", "tel", "url", "password", "number", "date", "time"}
SIDE_DOORS = ("/language/", "/theme/", "/static/")
FILES = (".pdf", ".csv", ".ics", ".txt", ".zip")


@dataclass
class Field:
    """A control of a form: its name, its kind (`text`, `textarea`, `select`, `hidden`, …) and what a browser would send."""

    name: str
    kind: str
    values: list[str] = field(default_factory=list)
    offered: list[str] = field(default_factory=list)

    @property
    def is_typed(self) -> bool:
        """True where a person types words, numbers or dates."""
        return self.kind in TYPED or self.kind == "textarea"


@dataclass
class Form:
    """A form as a page shows it."""

    client: Client
    page: str
    action: str
    endpoint: str
    method: str
    encoding: str
    fields: list[Field]
    session: dict[str, Any] = field(default_factory=dict)

    @property
    def shape(self) -> tuple[Any, ...]:
        """Equal for forms that ask the same, whoever they are about."""
        names = {(re.sub(r"\d+", "0", f.name), f.kind) for f in self.fields}
        return (self.endpoint, self.method, frozenset(names))

    def pairs(self) -> list[tuple[str, str]]:
        """What a browser sends when nobody touches anything."""
        return [(f.name, value) for f in self.fields for value in f.values]


def forms_on(page: Any, client: Client, path: str, app: Flask) -> Iterator[Form]:
    """The forms of a parsed page, whose tags have no namespace."""
    for node in page.iter("form"):
        action = urlsplit(urljoin(f"http://localhost{path}", node.get("action") or path))
        method = (node.get("method") or "get").upper()
        endpoint = endpoint_of(app, action.path, method)
        if endpoint is None:
            continue
        target = action.path + (f"?{action.query}" if action.query else "")
        fields = list(_fields(page, node))
        encoding = node.get("enctype") or "application/x-www-form-urlencoded"
        yield Form(client, path, target, endpoint, method, encoding, fields)


def endpoint_of(app: Flask, path: str, method: str) -> str | None:
    """The endpoint behind a path, or None."""
    try:
        return str(app.url_map.bind("localhost").match(path, method=method)[0])
    except HTTPException:
        return None


def _fields(page: Any, form: Any) -> Iterator[Field]:
    found: dict[str, Field] = {}
    inside = list(form.iter())
    outside = [node for node in page.iter() if form.get("id") and node.get("form") == form.get("id")]
    for node in inside + outside:
        name = node.get("name")
        if not name or not isinstance(node.tag, str):
            continue
        tag = node.tag
        kind = {"input": node.get("type") or "text", "button": "button"}.get(tag, tag)
        values, offered = _values(node, tag, kind), _offered(node, tag, kind)
        if name in found and kind in ("radio", "checkbox", "button"):
            found[name].values += values if kind != "button" else []
            found[name].offered += offered
        elif tag in ("input", "select", "textarea", "button"):
            found.setdefault(name, Field(name, kind, values, offered))
    yield from found.values()


def _values(node: Any, tag: str, kind: str) -> list[str]:
    if tag == "textarea":
        return [(node.text or "").removeprefix("\r").removeprefix("\n")]
    if tag == "select":
        options = list(node.iter("option"))
        chosen = [o for o in options if o.get("selected") is not None] or options[:1]
        return [o.get("value", "".join(o.itertext())) for o in chosen]
    if kind in ("radio", "checkbox"):
        return [node.get("value", "on")] if node.get("checked") is not None else []
    if kind in ("file", "image", "reset"):
        return []
    return [node.get("value") or ""]


def _offered(node: Any, tag: str, kind: str) -> list[str]:
    if tag == "select":
        return [option.get("value", "".join(option.itertext())) for option in node.iter("option")]
    return [node.get("value", "on")] if kind in ("radio", "checkbox") else []


def walk(app: Flask, client: Client, starts: list[str], per_route: int = 3) -> tuple[list[Form], set[str]]:
    """Follow the links from the starts, a few pages of each route; gives the forms and the paths that answered."""
    forms: list[Form] = []
    waiting, seen, visits = deque(starts), set(starts), dict[tuple[str, str], int]()
    while waiting:
        path = waiting.popleft()
        answer = client.get(path)
        assert answer.status_code < 500, f"{path} answers {answer.status_code}"
        if answer.status_code in (302, 303):
            follow(app, answer.headers["Location"], path, waiting, seen, visits, per_route)
        if answer.status_code != 200 or answer.mimetype != "text/html":
            continue
        # Ten times as fast as html5lib; and that our pages are valid is seen elsewhere.
        page = html.document_fromstring(answer.get_data())
        forms += forms_on(page, client, path, app)
        for link in page.iter("a"):
            follow(app, link.get("href") or "", path, waiting, seen, visits, per_route)
    with client.session_transaction() as session:
        for form in forms:
            form.session = dict(session)
    return forms, seen


def follow(app: Flask, href: str, base: str, waiting: Any, seen: Any, visits: Any, per_route: int) -> None:
    """Remember where a link leads, if it is a page of ours of which not enough were seen."""
    target = urlsplit(urljoin(f"http://localhost{base}", href))
    endpoint = endpoint_of(app, target.path, "GET")
    if (
        target.netloc != "localhost"
        or endpoint is None
        or target.path.startswith(SIDE_DOORS)
        or target.path.endswith(FILES)
    ):
        return
    path = target.path + (f"?{target.query}" if target.query else "")
    slug = next((part for part in target.path.split("/") if "-20" in part), "")
    if path in seen or visits.get((endpoint, slug), 0) >= per_route:
        return
    visits[endpoint, slug] = visits.get((endpoint, slug), 0) + 1
    seen.add(path)
    waiting.append(path)
