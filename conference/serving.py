"""`flask serve`: web server and worker as two children of one command, stopped together."""

import ctypes
import errno
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import click
from flask import Flask

from .kit.errors import Refused

Child = subprocess.Popen[bytes]
STOP = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
PATIENCE = 15
"""Seconds in which a request that is being answered may end."""
HINT = "Choose another one: flask --app wsgi serve --port 9000"
HINT_DEMO = "Choose another one: PORT=9000 make demo"
DEATH_SIGNAL = 1
"""PR_SET_PDEATHSIG of Linux."""


def run(app: Flask, host: str, asked_port: str, prepare: Callable[[], None]) -> None:
    """Prepare, start both, wait, stop both.

    Raises ClickException (one line) when the port is taken, the demo cannot be loaded, or a child ends by itself.
    """
    hint = HINT_DEMO if app.config["DEMO"] else HINT
    port = _port(asked_port, hint)
    _refuse_busy(host, port, hint)
    address = f"http://{_shown(host)}:{port}"
    environment = os.environ | {"FOLGETERMIN_BASE_URL": os.environ.get("FOLGETERMIN_BASE_URL", address)}
    app.config["BASE_URL"] = environment["FOLGETERMIN_BASE_URL"]  # stands in the letters of the demo
    if app.config["DEMO"]:
        _load_demo(app, prepare)
    else:
        prepare()
    _refuse_busy(host, port, hint)  # again: loading takes long enough for somebody else to come
    received = _listen()
    children: list[Child] = []
    try:
        for command in _commands(host, port):
            children.append(_start(command, environment))
        if _until(lambda: bool(received), lambda: _answers(host, port), children):
            shown = (
                app.config["BASE_URL"] if app.config["PRODUCTION"] else address
            )  # no other name is answered
            click.echo(f"\n  Folgetermin is ready:  {shown}\n  Ctrl-C stops it.\n")
            sys.stdout.flush()
            _until(lambda: bool(received), lambda: False, children)
    finally:
        _stop(children)
    if not received:
        raise click.ClickException("Web server or worker has ended unexpectedly; see the lines above.")


def _port(asked: str, hint: str) -> int:
    """The port as a number. Raises ClickException for one that cannot stand in an address."""
    digits = asked.strip()
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 5 and 1 <= int(digits) <= 65535):
        raise click.ClickException(f"The port must be a number from 1 to 65535, not “{asked}”. {hint}")
    return int(digits)


def _load_demo(app: Flask, prepare: Callable[[], None]) -> None:
    from . import demo

    try:
        click.echo(demo.open_or_load(app, prepare))
    except Refused as refusal:
        raise click.ClickException(refusal.message) from None


def _listen() -> list[int]:
    """Collect the signals that ask to stop. Set before the children start, so that none is lost or kills us alone."""
    received: list[int] = []
    for number in STOP:
        signal.signal(number, lambda signum, _frame: received.append(signum))
    return received


def _until(is_asked: Callable[[], bool], is_reached: Callable[[], bool], children: Sequence[Child]) -> bool:
    """Wait for something; False when we were asked to stop, or a child has ended, before that."""
    while not is_asked() and all(child.poll() is None for child in children):
        if is_reached():
            return True
        time.sleep(0.1)
    return False


def _answers(host: str, port: int) -> bool:
    try:
        socket.create_connection((_shown(host).strip("[]"), port), timeout=1).close()
    except OSError:
        return False
    return True


def _stop(children: Sequence[Child]) -> None:
    for child in children:
        child.terminate()
    for child in children:
        try:
            child.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


def _shown(host: str) -> str:
    """The host as it stands in an address; 'every interface' is none that a browser could open."""
    known = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}  # noqa: S104 - read here, not bound
    return known.get(host, f"[{host}]" if ":" in host else host)


def _refuse_busy(host: str, port: int, hint: str) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            is_taken = error.errno == errno.EADDRINUSE
            reason = "is taken by another program" if is_taken else f"cannot be used ({error.strerror})"
            raise click.ClickException(f"Port {port} {reason}. {hint}") from None


def _commands(host: str, port: int) -> list[list[str]]:
    bind = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    web = ["-m", "gunicorn", "wsgi:app", "--bind", bind, "--workers", "1", "--threads", "8",
           "--worker-class", "gthread", "--log-level", "warning", "--no-control-socket", "--graceful-timeout", "10"]  # fmt: skip
    return [[sys.executable, *web], [sys.executable, "-m", "flask", "--app", "wsgi", "worker"]]


def _start(command: list[str], environment: dict[str, str]) -> Child:
    # A session of its own: Ctrl-C reaches only the parent, which stops both in order.
    root = Path(__file__).parent.parent
    return subprocess.Popen(
        command,
        env=environment,
        cwd=root,
        start_new_session=True,
        preexec_fn=_ending_with_parent(),  # noqa: PLW1509 - no threads here
    )


def _ending_with_parent() -> Callable[[], object] | None:
    """Where the system can: a child is stopped when its parent is killed so hard that it cannot say goodbye."""
    if not sys.platform.startswith("linux"):
        return None
    control = ctypes.CDLL(None).prctl
    return lambda: control(DEATH_SIGNAL, signal.SIGTERM)
