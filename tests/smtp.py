"""A real mail server on this machine: takes letters, or refuses them as a test tells it."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import Envelope

DISCONNECT = "disconnect"


@dataclass
class Sink:
    """`messages` are the envelopes as they came (mail_from, rcpt_tos, content).

    `rcpt_answers` and `data_answers` are used up one for each RCPT or DATA: an SMTP answer such as "451 4.3.0 later",
    None to take it, or DISCONNECT.
    """

    host: str = "127.0.0.1"
    port: int = 0
    messages: list[Envelope] = field(default_factory=list)
    rcpt_answers: list[str | None] = field(default_factory=list)
    data_answers: list[str | None] = field(default_factory=list)
    connections: int = 0
    _open: Any = None

    async def handle_EHLO(
        self, server: Any, session: Any, envelope: Any, hostname: str, responses: list[str]
    ) -> Any:
        self.connections += 1
        self._open = server
        session.host_name = hostname
        return responses

    async def handle_RCPT(
        self, server: Any, session: Any, envelope: Any, address: str, options: list[str]
    ) -> str:
        answer = self._next(self.rcpt_answers, server)
        if answer is None:
            envelope.rcpt_tos.append(address)
        return answer or "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Envelope) -> str:
        answer = self._next(self.data_answers, server)
        if answer is None:
            self.messages.append(envelope)
        return answer or "250 OK"

    def hang_up(self) -> None:
        """Break the last connection, as a server does that was idle for too long."""
        self._open.loop.call_soon_threadsafe(self._open.transport.abort)

    def _next(self, answers: list[str | None], server: Any) -> str | None:
        answer = answers.pop(0) if answers else None
        if answer == DISCONNECT:
            server.transport.abort()
        return answer


@contextmanager
def running(host: str = "127.0.0.1", **settings: Any) -> Iterator[Sink]:
    """A server while the block runs; settings are those of aiosmtpd's SMTP."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.bind((host, 0))
        sink = Sink(host=host, port=probe.getsockname()[1])
    controller = Controller(sink, hostname=sink.host, port=sink.port, **settings)
    controller.start()
    try:
        yield sink
    finally:
        controller.stop()


@pytest.fixture
def smtp_server() -> Iterator[Sink]:
    """A server for one test."""
    with running() as sink:
        yield sink
