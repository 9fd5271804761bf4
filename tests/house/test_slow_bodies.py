"""T22: who sends a request byte by byte keeps nobody waiting, with gunicorn and nginx configured as in deploy/."""

import importlib.util
import os
import shutil
import socket
import ssl
import subprocess
from contextlib import ExitStack
from http.client import HTTPResponse

import pytest

from ..servers import ROOT, answers, free_port, process, settings_of, wait_until

SLOW, FEW = 60, 40
# So that the test need not open 400 lines, and a slow machine does not cut them.
HERE = {
    "senders 400;": f"senders {FEW};",
    "client_header_timeout 15s;": "client_header_timeout 600s;",
    "client_body_timeout 30s;": "client_body_timeout 600s;",
}
HEAD = "POST /sign-in HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/x-www-form-urlencoded\r\n"
BODY = "email=nobody%40agentur.example"
ASKS = b"GET /sign-in HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"
TOO_LONG = 60
"""Seconds without an answer that are none any more: whoever is kept out would wait for ever."""


def production():
    """How `make smoke-production` sets nginx up."""
    spec = importlib.util.spec_from_file_location("smoke_production", ROOT / "tools" / "smoke_production.py")
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    return tool


@pytest.fixture
def port(app, tmp_path):
    """One web process and nginx before it, which is as patient as a slow machine needs it."""
    inner, outer = free_port(), free_port()
    (tmp_path / "nginx-temp").mkdir()
    key = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=127.0.0.1"]  # fmt: skip
    files = ["-keyout", str(tmp_path / "privkey.pem"), "-out", str(tmp_path / "fullchain.pem")]
    subprocess.run([*key, *files], check=True, capture_output=True)
    config = production().nginx_here(tmp_path, outer, [inner, inner])
    for there, here in HERE.items():
        assert config.count(there) == 1
        config = config.replace(there, here)
    (tmp_path / "nginx.conf").write_text(config)
    environment = settings_of(app.instance_path, BASE_URL=f"https://127.0.0.1:{outer}", TRUSTED_PROXIES=1)
    words = ["gunicorn", "--config", "deploy/gunicorn.conf.py", "--bind", f"127.0.0.1:{inner}"]
    program = shutil.which("nginx", path=os.environ["PATH"] + ":/usr/sbin:/usr/local/sbin")
    with process(words, environment, tmp_path / "web.log"):
        wait_until(lambda: answers(inner))
        before = [program, "-e", str(tmp_path / "start.log"), "-c", str(tmp_path / "nginx.conf")]
        with subprocess.Popen(before) as nginx:
            wait_until(lambda: answers(outer) or nginx.poll() is not None)
            yield outer
            nginx.terminate()


def line_to(port, lines):
    """A line to nginx as a browser has one."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    plain = socket.create_connection(("127.0.0.1", port), timeout=TOO_LONG)
    return lines.enter_context(context.wrap_socket(plain))


def answer_on(line):
    answer = HTTPResponse(line)
    answer.begin()
    answer.read()
    return answer.status


def test_t22_who_sends_a_body_byte_by_byte_keeps_nobody_waiting(port):
    head = f"{HEAD}Content-Length: {len(BODY)}\r\n\r\n".encode()
    with ExitStack() as lines:
        slow = [line_to(port, lines) for _number in range(FEW)]
        slower = [line_to(port, lines) for _number in range(SLOW - FEW)]
        for number, letter in enumerate(BODY[:5]):
            for line in slow:
                line.sendall((head if number == 0 else b"") + letter.encode())
            for line in slower:  # these never come to the end of their head
                line.sendall(HEAD[number].encode())
            for _visitor in range(3):
                visitor = line_to(port, lines)
                visitor.sendall(ASKS)
                assert answer_on(visitor) == 200
        # Too many bodies from one address are refused at once, and only bodies.
        surplus = line_to(port, lines)
        surplus.sendall(head + b"e")
        assert answer_on(surplus) == 429
        # Who was only slow is answered like everybody; without the form token of a page that is a refusal.
        for line in slow[:2]:
            line.sendall(BODY[5:].encode())
            assert answer_on(line) == 400
