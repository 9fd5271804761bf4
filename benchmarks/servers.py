"""Starting a server, asking it, reading its processor time."""

import http.client
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
TICK = os.sysconf("SC_CLK_TCK")


@dataclass
class Running:
    """A gunicorn with one worker."""

    port: int
    master: int
    first_page: float

    def worker(self) -> int:
        """The process that answers."""
        children = Path(f"/proc/{self.master}/task/{self.master}/children").read_text().split()
        return int(children[0])

    def cpu(self) -> float:
        """Seconds of processor time that the worker has used."""
        fields = Path(f"/proc/{self.worker()}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICK

    def ask(self, path: str, times: int, cookie: str = "") -> tuple[float, int]:
        """(CPU milliseconds per request, bytes of the body)."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port)
        headers = {"Cookie": cookie} if cookie else {}
        size = self._once(connection, path, headers)
        before = self.cpu()
        for _ in range(times):
            self._once(connection, path, headers)
        return (self.cpu() - before) / times * 1000, size

    def _once(self, connection: http.client.HTTPConnection, path: str, headers: dict[str, str]) -> int:
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        body = answer.read()
        if answer.status != 200:
            raise SystemExit(f"{path} answered {answer.status}")
        return len(body)

    def become(self, persona: str) -> str:
        """A session cookie for one of the demo's people."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port)
        connection.request("GET", "/sign-in")
        answer = connection.getresponse()
        page, cookie = answer.read().decode(), answer.getheader("Set-Cookie", "").split(";")[0]
        token = re.search(r'name="csrf_token" value="([^"]+)"', page)
        assert token
        body = f"csrf_token={token.group(1)}"
        headers = {"Cookie": cookie, "Content-Type": "application/x-www-form-urlencoded"}
        connection.request("POST", f"/persona/{persona}", body, headers)
        answer = connection.getresponse()
        answer.read()
        return answer.getheader("Set-Cookie", "").split(";")[0]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def serving(module: str, path: str, environment: dict[str, str]) -> Iterator[Running]:
    """Start gunicorn with one worker and wait for the first page; `first_page` is that wait in seconds."""
    port = free_port()
    command = [sys.executable, "-m", "gunicorn", module, "--bind", f"127.0.0.1:{port}", "--workers", "1", "--threads", "2",
               "--worker-class", "gthread", "--log-level", "error"]  # fmt: skip
    began = time.monotonic()
    process = subprocess.Popen(command, cwd=ROOT, env=os.environ | environment)
    try:
        _wait(port, path)
        yield Running(port, process.pid, time.monotonic() - began)
    finally:
        process.terminate()
        process.wait(20)


def _wait(port: int, path: str) -> None:
    for _ in range(600):
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
            connection.request("GET", path)
            if connection.getresponse().status == 200:
                return
        except OSError:
            time.sleep(0.02)
    raise SystemExit("the server did not start")
