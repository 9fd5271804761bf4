"""For monitoring: does it live, can it work, figures. For administrators: the same in words."""

import hmac
from ipaddress import ip_address
from typing import Any

from flask import Flask, Response, current_app, jsonify, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from ..kit import access, clock, guesses, pages
from ..kit.errors import Missing
from ..outbox import operations as outbox
from ..outbox import queries as letters
from . import backups, bp, metrics, queries

FORWARDED = ("X-Forwarded-For", "Forwarded", "X-Real-Ip", "Via")


@bp.get("/healthz")
@access.public
def show_health() -> ResponseReturnValue:
    """The process lives and answers; asks nothing else."""
    return jsonify(status="ok")


@bp.get("/readyz")
@access.public
def show_readiness() -> ResponseReturnValue:
    """Everything works that is needed to work: 200, else 503. Who is let in sees what is wrong; the rest only that."""
    checks = queries.checks(_app(), clock.now())
    is_ready = all(check.is_good for check in checks)
    answer: dict[str, Any] = {"status": "ok" if is_ready else "unavailable"}
    if _is_let_in():
        answer |= {"checks": {check.name: {"ok": check.is_good} | check.figures for check in checks}}
    response = jsonify(answer)
    response.status_code = 200 if is_ready else 503
    return response


@bp.get("/metrics")
@access.public
def show_metrics() -> ResponseReturnValue:
    """Figures for Prometheus, for this machine and for whoever has the token."""
    if not _is_let_in():
        raise Missing
    return Response(metrics.page(_app(), clock.now()), content_type=metrics.MEDIA_TYPE)


def _is_let_in() -> bool:
    """With the token, or from this very machine, not through a proxy that we were told nothing of."""
    token, given = str(current_app.config["METRICS_TOKEN"]), request.headers.get("Authorization", "")
    if token and given.startswith("Bearer "):
        return hmac.compare_digest(given.removeprefix("Bearer ").strip().encode(), token.encode())
    return _is_from_here()


def _is_from_here() -> bool:
    try:
        if not ip_address(request.remote_addr or "").is_loopback:
            return False
    except ValueError:
        return False
    return not any(name in request.headers for name in FORWARDED)


def _app() -> Flask:
    return current_app._get_current_object()  # type: ignore[attr-defined]


@bp.get("/upkeep")
@access.staff(access.ADMIN)
def show_upkeep() -> ResponseReturnValue:
    """What an administrator wants to know of the running house, and what only they may confirm."""
    checks = {check.name: check for check in queries.checks(_app(), clock.now())}
    return pages.show(
        "upkeep/show_upkeep.html",
        checks=checks,
        hold=letters.current_hold(),
        waiting=letters.waiting_count(),
        backup=backups.latest(_app()),
        wrong=guesses.seen(_app()),
    )


@bp.post("/upkeep/letters/pause")
@access.staff(access.ADMIN)
def pause_letters() -> ResponseReturnValue:
    """Let nothing leave for the time being."""
    outbox.pause(at=clock.now())
    return pages.done("upkeep.show_upkeep", _("Letters wait until you let them leave again."))


@bp.post("/upkeep/letters/release")
@access.staff(access.ADMIN)
def release_letters() -> ResponseReturnValue:
    """Confirm that letters may leave again after a restore or a pause."""
    outbox.release(access.account(), at=clock.now())
    return pages.done("upkeep.show_upkeep", _("Letters leave again."))
