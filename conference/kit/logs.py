"""What is written down about requests and mishaps: with the request's number, without tokens, addresses or query strings.

FOLGETERMIN_LOG_FORMAT=json writes one JSON object a line, one line for each request too; otherwise lines for people.
Times are UTC. What is told by `note` is who came in and who did not: docs/security.md lists it.
"""

import json
import logging
import re
import secrets
import sys
import threading
import time
from contextlib import suppress
from datetime import UTC, datetime
from types import TracebackType
from typing import Any

from flask import Flask, Response, current_app, g, has_request_context, request
from sqlalchemy import inspect

HEADER = "X-Request-Id"
GIVEN = re.compile(r"[A-Za-z0-9-]{8,64}")
TOKEN = re.compile(r"[A-Za-z0-9_-]{32,}")
HEXADECIMAL = re.compile(r"[0-9a-f]{40,}")
MASKS = (
    (re.compile(r"(://)[^/\s@]{1,200}@"), r"\1…@"),
    (re.compile(r"[^\s@<>\"'(),;:=/]{1,64}@[^\s@<>\"'(),;:/]{1,255}"), "…@…"),
    (re.compile(r"(/[^\s?\"'<>]{0,300})\?[^\s\"'<>]+"), r"\1?…"),
    (re.compile(r"(?<![\d.])(?!127\.0\.0\.1|0\.0\.0\.0)\d{1,3}(?:\.\d{1,3}){3}(?![\d.])"), "…"),
    (re.compile(r"(?<![\w:])(?:[0-9A-Fa-f]{1,4}:){3,7}(?::|[0-9A-Fa-f]{1,4})[0-9A-Fa-f:]*"), "…"),
)
DETAIL = re.compile(r"^(DETAIL|CONTEXT|\[parameters):?.*$", re.MULTILINE)
LONGEST = 16_000
PIECE_AT_END, PIECE_AT_BEGIN = r"(?<!\S)\S{1,300}\Z|\S{300}\Z", r"\A\S{1,300}"
QUIET = frozenset({"static", "upkeep.show_health", "upkeep.show_readiness", "upkeep.show_metrics"})
"""Asked so often that a good answer is no news."""

REFUSALS = frozenset({400, 403, 404, 405, 409, 413, 422, 429})
"""Answers to what should not have been asked: only these say by whom, or a log would tell who has written what, and when."""
BREAKS = re.compile("[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029]")

OURS = "conference"
access = logging.getLogger(f"{OURS}.access")
security = logging.getLogger(f"{OURS}.security")


def masked(text: str) -> str:
    """The text without what opens a door or names a person: tokens, addresses, query strings, values of rows."""
    if len(text) > LONGEST:
        # The end of a trace says what happened, its beginning where.
        begin, end = text[: LONGEST // 4], text[-LONGEST * 3 // 4 :]
        # Half a token would not be known as one.
        text = f"{re.sub(PIECE_AT_END, '', begin)} … {re.sub(PIECE_AT_BEGIN, '', end)}"
    text = DETAIL.sub(r"\1 …", text)
    for pattern, instead in MASKS:
        text = pattern.sub(instead, text)
    return TOKEN.sub(lambda match: "…" if _is_token(match.group()) else match.group(), text)


def _is_token(word: str) -> bool:
    """Random signs, not a long name: all kinds are in it, or nothing but hexadecimal digits."""
    kinds = (any(map(str.islower, word)), any(map(str.isupper, word)), any(map(str.isdigit, word)))
    return all(kinds) or HEXADECIMAL.search(word) is not None


def request_id() -> str:
    """The number of this request: what a trusted proxy calls it, else our own; "" outside any request."""
    if not has_request_context():
        return ""
    if "request_id" not in g:
        given = request.headers.get(HEADER, "") if current_app.config["TRUSTED_PROXIES"] else ""
        g.request_id = given if GIVEN.fullmatch(given) else secrets.token_hex(6)
    return str(g.request_id)


def note(event: str, *, failed: bool = False, **facts: Any) -> None:
    """Write down what concerns security: the kind of event, and ids only, never an address, a name or what was typed."""
    words = " ".join(f"{name}={value}" for name, value in facts.items())
    level = logging.WARNING if failed else logging.INFO
    security.log(level, "%s", f"{event} {words}".strip(), extra={"facts": {"event": event, **facts}})


class Lines(logging.Formatter):
    """Lines for people. Nobody can write one by what they type: a message is one line, what follows of it is indented."""

    def format(self, record: logging.LogRecord) -> str:
        number = getattr(record, "request_id", "") or request_id()
        return masked(super().format(record)) + (f" [{number}]" if number else "")

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:  # noqa: N802 - the name is given
        return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802
        return BREAKS.sub(" ", super().formatMessage(record))

    def formatException(self, ei: Any) -> str:  # noqa: N802
        return "\n".join("  " + BREAKS.sub(" ", line) for line in super().formatException(ei).split("\n"))


class Json(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        entry: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": masked(record.getMessage()),
            "process": record.process,
        }
        number = getattr(record, "request_id", "") or request_id()
        if number:
            entry["request_id"] = number
        entry |= getattr(record, "facts", {})
        if record.exc_info:
            entry["trace"] = masked(self.formatException(record.exc_info))
        return json.dumps(entry, ensure_ascii=False)


class Written(logging.StreamHandler[Any]):
    """Writes to the errors' stream. Of a line that cannot be written only the kind is told: Python would print all of it."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802
        with suppress(OSError, ValueError):
            self.stream.write(f"a line of {record.name} could not be written: {sys.exc_info()[0]}\n")


class OfOthers(Written):
    """What libraries tell, Huey of a task that failed above all: they know nothing of what must not be written down."""

    def filter(self, record: logging.LogRecord) -> bool:
        return record.name.partition(".")[0] != OURS and bool(super().filter(record))


def init(app: Flask) -> None:
    """Number every request, and write logs in the configured format."""
    app.before_request(_begin)
    app.after_request(_end)
    is_json = app.config["LOG_FORMAT"] == "json"
    text = "[%(asctime)s] %(levelname)s in %(module)s: %(message)s"
    formatter = Json() if is_json else Lines(text)
    handler, others = Written(sys.stderr), OfOthers(sys.stderr)
    handler.setFormatter(formatter)
    others.setFormatter(formatter)
    app.logger.handlers[:] = [handler]
    root = logging.getLogger()
    root.handlers[:] = [*(one for one in root.handlers if not isinstance(one, OfOthers)), others]
    access.handlers[:] = [handler] if is_json else []
    access.setLevel(logging.INFO if is_json else logging.CRITICAL)
    security.handlers[:] = [handler]
    security.setLevel(logging.INFO)
    access.propagate = security.propagate = False
    # In the worker process of gunicorn, which has set up its own: a broken request must not write its address there.
    for other in logging.getLogger("gunicorn.error").handlers:
        other.setFormatter(formatter)


def mask_last_words() -> None:
    """What ends the process, or one of its threads, is written down as everything else is."""

    def tell(kind: type[BaseException], error: BaseException | None, trace: TracebackType | None) -> None:
        if error is not None and not issubclass(kind, KeyboardInterrupt):
            logging.getLogger(OURS).critical("not expected: %s", kind.__name__, exc_info=(kind, error, trace))

    sys.excepthook = tell
    threading.excepthook = lambda met: tell(met.exc_type, met.exc_value, met.exc_traceback)


def _begin() -> None:
    g.began = time.perf_counter()


def _end(response: Response) -> Response:
    response.headers[HEADER] = request_id()
    if access.isEnabledFor(logging.INFO) and not (request.endpoint in QUIET and response.status_code < 400):
        access.info(
            "%s %s %s", request.method, _route(), response.status_code, extra={"facts": _facts(response)}
        )
    return response


def _route() -> str:
    """The pattern of the address, which holds no token; what is no address of ours may be a mistyped token."""
    return request.url_rule.rule if request.url_rule is not None else "-"


def _facts(response: Response) -> dict[str, Any]:
    took = time.perf_counter() - g.began if "began" in g else 0
    facts = {
        "method": request.method,
        "route": _route(),
        "status": response.status_code,
        "milliseconds": round(took * 1000, 1),
        "bytes": response.calculate_content_length(),
    }
    return facts | ({"by": _by()} if response.status_code in REFUSALS else {})


def _by() -> str:
    """Who was refused: a member of staff by number, a guest or a stranger by no more than that."""
    visitor = g.get("visitor")
    if visitor is None or (visitor.account is None and visitor.guest is None):
        return "nobody"
    # The key, not the column: the transaction is over, and nobody asks the database for a line in a log.
    return "guest" if visitor.account is None else f"account {inspect(visitor.account).identity[0]}"
