"""A browser without a screen: opens pages, submits forms, and checks the hygiene of every page that it loads."""

from collections import Counter
from typing import Any
from urllib.parse import urlsplit

import html5lib
from flask import Flask, url_for
from werkzeug.test import Client, TestResponse

XHTML = "{http://www.w3.org/1999/xhtml}"


class Browser:
    """Wraps the test client. Every HTML answer must be clean, else the test fails with what to mend."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        self.client: Client = app.test_client()
        self.response: TestResponse | None = None
        self.page: Any = None

    # -- moving about -------------------------------------------------

    def path(self, endpoint: str, **values: Any) -> str:
        """A path as it is, or the path of an endpoint."""
        if endpoint.startswith("/"):
            return endpoint
        with self.app.test_request_context():
            return url_for(endpoint, **values)

    def open(
        self, endpoint: str, *, status: int = 200, headers: dict[str, str] | None = None, **values: Any
    ) -> TestResponse:
        """GET a page and check it. Follows no redirect."""
        return self._took(self.client.get(self.path(endpoint, **values), headers=headers), status)

    def submit(
        self, endpoint: str, data: dict[str, Any] | None = None, *, status: int = 303, **values: Any
    ) -> TestResponse:
        """POST a form with a valid CSRF token, as a page would. 303 is followed once and the page behind it checked."""
        fields = {"csrf_token": self.csrf_token()} | (data or {})
        answer = self.client.post(self.path(endpoint, **values), data=fields)
        self._took(answer, status)
        if answer.status_code == 303:
            target = urlsplit(answer.headers["Location"])
            return self._took(
                self.client.get(target.path + ("?" + target.query if target.query else "")), None
            )
        return answer

    def csrf_token(self) -> str:
        """A token of this browser's session."""
        with self.app.test_request_context(), self.client.session_transaction() as session:
            from flask import g
            from flask import session as inner
            from flask_wtf.csrf import generate_csrf

            if "csrf_token" in session:
                inner["csrf_token"] = session["csrf_token"]
            g.pop("csrf_token", None)
            token: str = generate_csrf()
            session["csrf_token"] = inner["csrf_token"]
        return token

    def sign_in(self, account: Any) -> "Browser":
        """Become a member of staff."""
        from .builders import a_session

        with self.client.session_transaction() as session:
            session.update(a_session(self.app, account))
        return self

    def enter(self, link: Any) -> "Browser":
        """Become the guest of a personal link, as after the exchange."""
        from .builders import a_visit

        with self.client.session_transaction() as session:
            session.update(a_visit(link.id))
        return self

    # -- looking ------------------------------------------------------

    @property
    def text(self) -> str:
        """The visible words of the page, blanks collapsed."""
        assert self.page is not None, "no HTML page is open"
        body = self.page.find(f"{XHTML}body")
        skip = {f"{XHTML}script", f"{XHTML}style", f"{XHTML}template"}

        def words(node: Any) -> str:
            if node.tag in skip:
                return node.tail or ""
            return (node.text or "") + "".join(words(child) for child in node) + " " + (node.tail or "")

        return " ".join(words(body).split())

    def sees(self, text: str) -> bool:
        """True when the words are on the page."""
        return " ".join(text.split()) in self.text

    @property
    def html(self) -> str:
        assert self.response is not None
        return self.response.get_data(as_text=True)

    def value_of(self, name: str) -> str | None:
        """What a field holds on the page."""
        for node in self.page.iter():
            if node.get("name") != name:
                continue
            if node.tag == f"{XHTML}textarea":
                return node.text or ""
            if node.tag == f"{XHTML}select":
                chosen = [o for o in node.iter(f"{XHTML}option") if o.get("selected") is not None]
                return chosen[0].get("value") if chosen else None
            if node.get("type") in ("checkbox", "radio") and node.get("checked") is None:
                continue
            return node.get("value")
        return None

    def links(self) -> list[str]:
        """All link targets of the page."""
        return [node.get("href") for node in self.page.iter(f"{XHTML}a") if node.get("href")]

    # -- hygiene ------------------------------------------------------

    def _took(self, answer: TestResponse, status: int | None) -> TestResponse:
        self.response = answer
        if status is not None:
            assert answer.status_code == status, (
                f"{answer.request.path}: {answer.status_code}, not {status}\n{_excerpt(answer)}"
            )
        assert answer.status_code < 500 or status == answer.status_code, f"{answer.request.path} crashed"
        self.page = None
        if answer.mimetype == "text/html" and answer.status_code not in (301, 302, 303, 304, 307, 308):
            self.page = _parse(answer)
            problems = hygiene(self.page, answer)
            assert not problems, f"{answer.request.path} is not clean:\n- " + "\n- ".join(problems)
        return answer


def _excerpt(answer: TestResponse) -> str:
    return answer.get_data(as_text=True)[:1500]


def _parse(answer: TestResponse) -> Any:
    parser = html5lib.HTMLParser(namespaceHTMLElements=True)
    tree = parser.parse(answer.get_data(as_text=True))
    errors = [str(error[1]) for error in parser.errors if error[1] != "non-void-element-with-trailing-slash"]
    assert not errors, f"{answer.request.path}: the HTML is not valid: {errors[:5]}"
    return tree


def hygiene(page: Any, answer: TestResponse) -> list[str]:
    """What is wrong with a page, each as a sentence that says what to do."""
    nodes = list(page.iter())
    return [
        *_head_problems(page, nodes),
        *_id_problems(nodes),
        *_inline_problems(nodes),
        *_form_problems(nodes),
        *_header_problems(answer),
    ]


def _of(nodes: list[Any], *names: str) -> list[Any]:
    wanted = {f"{XHTML}{name}" for name in names}
    return [node for node in nodes if node.tag in wanted]


def _head_problems(page: Any, nodes: list[Any]) -> list[str]:
    problems = []
    titles = _of(nodes, "title")
    if not titles or not (titles[0].text or "").strip(" –"):
        problems.append("give the page a title (block title or heading)")
    if page.get("lang") not in ("de", "en"):
        problems.append("set lang=de or lang=en on <html>")
    if len(_of(nodes, "h1")) != 1:
        problems.append(f"have exactly one h1 (found {len(_of(nodes, 'h1'))})")
    if len(_of(nodes, "main")) != 1:
        problems.append("have exactly one <main>")
    return problems


def _id_problems(nodes: list[Any]) -> list[str]:
    ids = Counter(node.get("id") for node in nodes if isinstance(node.tag, str) and node.get("id"))
    problems = [f"id={name!r} is used {count} times" for name, count in ids.items() if count > 1]
    for node in nodes:
        if not isinstance(node.tag, str):
            continue
        for attribute in ("aria-describedby", "aria-labelledby", "for"):
            for name in (node.get(attribute) or "").split():
                if name not in ids:
                    problems.append(f"{attribute}={name!r} points to no element")
        href = node.get("href") or ""
        if href.startswith("#") and len(href) > 1 and href[1:] not in ids:
            problems.append(f"href={href!r} points to no element")
    return problems


def _inline_problems(nodes: list[Any]) -> list[str]:
    problems = []
    for node in nodes:
        if not isinstance(node.tag, str):
            continue
        if node.get("style") is not None:
            problems.append(f"move style={node.get('style')!r} into a stylesheet")
        problems.extend(f"move {name} into a module" for name in node.attrib if name.startswith("on"))
    problems.extend(
        "move the inline script into a module" for node in _of(nodes, "script") if not node.get("src")
    )
    problems.extend("move the <style> element into a stylesheet" for _node in _of(nodes, "style"))
    for node in _of(nodes, "script", "img", "link"):
        source = node.get("src") or node.get("href") or ""
        if "//" in source and node.get("rel") != "canonical":
            problems.append(f"load {source!r} from our own host")
    return problems


def _form_problems(nodes: list[Any]) -> list[str]:
    problems = []
    labelled = {node.get("for") for node in _of(nodes, "label")}
    for node in _of(nodes, "form"):
        method = (node.get("method") or "get").lower()
        names = {child.get("name") for child in node.iter() if isinstance(child.tag, str)}
        if method == "post" and "csrf_token" not in names:
            problems.append(f"put csrf_token into the form to {node.get('action')!r}")
        if method == "get" and "csrf_token" in names:
            problems.append("take csrf_token out of the GET form: it would stand in the address")
    for node in _of(nodes, "input", "select", "textarea"):
        if node.get("type") in ("hidden", "submit", "button"):
            continue
        if node.get("id") not in labelled and not node.get("aria-label") and not node.get("aria-labelledby"):
            problems.append(f"label the field {node.get('name')!r}")
    for node in _of(nodes, "button", "a"):
        words = "".join(node.itertext()).strip()
        if not words and not node.get("aria-label"):
            problems.append(f"give the {node.tag.removeprefix(XHTML)} {node.get('href') or ''} a name")
    return problems


def _header_problems(answer: TestResponse) -> list[str]:
    policy = answer.headers.get("Content-Security-Policy", "")
    problems = []
    if "default-src 'none'" not in policy or "unsafe" in policy:
        problems.append("send the house's Content-Security-Policy")
    if answer.headers.get("X-Content-Type-Options") != "nosniff":
        problems.append("send X-Content-Type-Options: nosniff")
    return problems
