"""A real server with two processes on the database of a test, and guests who use it from outside, all at the same moment."""

import os
import re
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlencode

from .conftest import SERVER, SETTINGS

ROOT = Path(__file__).parents[1]


@contextmanager
def serving(app, what="wsgi:app", **further):
    """Gunicorn with two processes of eight threads each; gives their port. `further` are settings by their names."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        number = probe.getsockname()[1]
    clean = {key: value for key, value in os.environ.items() if not key.startswith("FOLGETERMIN_")}
    settings = {
        "FOLGETERMIN_INSTANCE": app.instance_path,
        "FOLGETERMIN_SECRET_KEY": SETTINGS["SECRET_KEY"],
        "FOLGETERMIN_BASE_URL": f"http://127.0.0.1:{number}",
        "FOLGETERMIN_DATABASE_URL": SERVER or "",
    } | {f"FOLGETERMIN_{name}": value for name, value in further.items()}
    command = [sys.executable, "-m", "gunicorn", what, "--bind", f"127.0.0.1:{number}", "--workers", "2",
               "--threads", "8", "--worker-class", "gthread", "--log-level", "warning"]  # fmt: skip
    process = subprocess.Popen(command, cwd=ROOT, env=clean | settings)
    while not _answers(number):
        assert process.poll() is None, "gunicorn has not started"
        time.sleep(0.1)
    try:
        yield number
    finally:
        process.terminate()
        process.wait()


def _answers(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


class Guest:
    """Somebody with a personal link and a browser of their own."""

    def __init__(self, port, token):
        self.port, self.link, self.cookie = port, f"/invitation/{token}", ""
        self.csrf = ""

    def call(self, method, path, fields=None):
        """One request on a connection of its own; gives status and Location. Remembers cookie and CSRF token."""
        connection = HTTPConnection("127.0.0.1", self.port)
        body = urlencode({"csrf_token": self.csrf} | (fields or {})) if method == "POST" else None
        headers = {"Cookie": self.cookie, "Content-Type": "application/x-www-form-urlencoded"}
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        page = answer.read().decode()
        cookies = re.search(r"folgetermin=[^;]+", answer.headers.get("Set-Cookie") or "")
        connection.close()
        if cookies:
            self.cookie = cookies[0]
        token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page)
        if token:
            self.csrf = token[1]
        return answer.status, answer.headers.get("Location")

    def look(self):
        self.call("GET", self.link)
        return self

    def enter(self):
        self.look().call("POST", f"{self.link}/visit")
        self.call("GET", "/my")
        return self


def all_at_once(calls):
    """Do all of it at the same moment; gives the answers."""
    start, answers = threading.Barrier(len(calls)), []

    def run(call):
        start.wait()
        answers.append(call())

    threads = [threading.Thread(target=run, args=(call,)) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers
