#!/usr/bin/env python3
"""Run the product as in production, on this machine only: PostgreSQL, two web processes, two workers, nginx as in deploy/.

k6 carries a conference from the invitation to the minutes while the web processes are stopped and started in turn.
Everything lies in a folder that is gone afterwards, and every process is stopped, on Ctrl-C too.
"""

import http.server
import json
import os
import re
import secrets
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller

ROOT = Path(__file__).resolve().parent.parent
DEPLOY = ROOT / "deploy"
BIN = Path(sys.executable).parent
GUESTS, IDEAS = 8, 3
PAUSE = 3
LINK = re.compile(r"https://\S+/invitation/[A-Za-z0-9_-]{40,}")
EMAIL = "leitung@agentur.example"


def fail(message: str) -> None:
    """One line, and the end."""
    raise SystemExit(f"Error: {message}")


def program(name: str, package: str, *places: str) -> str:
    """The path of a program, also where Debian hides it."""
    for place in places:
        found = sorted(Path("/").glob(place.lstrip("/")))
        if found:
            return str(found[-1])
    known = shutil.which(name) or shutil.which(name, path="/usr/sbin:/sbin:/usr/local/sbin")
    if known is None:
        fail(f"{name} is missing. Please install: {package}")
    return os.path.realpath(str(known))


def free_port() -> int:
    """A port that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def nginx_here(folder: Path, port: int, instances: list[int]) -> str:
    """The configuration of nginx with the site of deploy/, for the ports and folders of here."""
    site = (DEPLOY / "nginx" / "folgetermin.conf").read_text()
    for there, here in {
        "listen 80;": f"listen 127.0.0.1:{free_port()};",
        "listen [::]:80;": "",
        "listen 443 ssl http2;": f"listen 127.0.0.1:{port} ssl http2;",
        "listen [::]:443 ssl http2;": "",
        "server_name konferenz.example;": "server_name 127.0.0.1;",
        "127.0.0.1:8001": f"127.0.0.1:{instances[0]}",
        "127.0.0.1:8002": f"127.0.0.1:{instances[1]}",
        "/etc/ssl/folgetermin": str(folder),
        "/var/log/nginx": str(folder),
        "/opt/folgetermin/static/": f"{ROOT / 'static'}/",
    }.items():
        if there not in site:
            fail(f"deploy/nginx/folgetermin.conf has no “{there}” any more")
        site = site.replace(there, here)
    temporary = "".join(
        f"{kind}_temp_path {folder / 'nginx-temp'};\n"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    user = "user root;\n" if os.geteuid() == 0 else ""
    return (
        f"{user}daemon off;\nworker_processes 1;\npid {folder / 'nginx.pid'};\nevents {{ worker_connections 512; }}\n"
        f"http {{\ninclude /etc/nginx/mime.types;\ndefault_type application/octet-stream;\n{temporary}{site}\n}}\n"
    )


class PostBox:
    """A mail server and a page that says which invitation has reached whom."""

    def __init__(self) -> None:
        self.links: dict[str, str] = {}
        self.ids: list[str] = []
        self.smtp = Controller(self, hostname="127.0.0.1", port=free_port())
        box = self

        class Page(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = json.dumps(box.links).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_words: object) -> None:
                pass

        self.http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page)

    async def handle_DATA(  # noqa: N802 - the name is given
        self, _server: Any, _session: Any, envelope: Any
    ) -> str:
        letter = message_from_bytes(envelope.content, policy=policy.default)
        self.ids.append(str(letter["Message-ID"]))
        part = letter.get_body(("plain",))
        link = LINK.search(part.get_content()) if part is not None else None
        if link:
            self.links.setdefault(envelope.rcpt_tos[0], link.group())
        return "250 OK"

    def start(self) -> None:
        self.smtp.start()
        threading.Thread(target=self.http.serve_forever, daemon=True).start()

    def stop(self) -> None:
        self.smtp.stop()
        self.http.shutdown()


class Production:
    """All processes of one installation."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port, self.database_port = free_port(), free_port()
        self.base_url = f"https://127.0.0.1:{self.port}"
        self.sockets = [self._socket() for _ in range(2)]
        self.web: list[subprocess.Popen[bytes]] = []
        self.others: list[subprocess.Popen[bytes]] = []
        self.post_box = PostBox()
        self.cluster = folder / "database"
        self.initdb = program("initdb", "postgresql", "/usr/lib/postgresql/*/bin/initdb")
        self.nginx = program("nginx", "nginx-light")
        self.openssl = program("openssl", "openssl")

    def _socket(self) -> socket.socket:
        """What systemd holds for us in production, so that nobody is turned away while an instance restarts."""
        listening = socket.socket()
        listening.bind(("127.0.0.1", 0))
        listening.listen(2048)
        return listening

    # -- parts --------------------------------------------------------

    def environment(self) -> dict[str, str]:
        """As in deploy/environment.example, with what is different here."""
        values = {}
        for line in (DEPLOY / "environment.example").read_text().splitlines():
            if line and not line.startswith("#"):
                name, _equals, value = line.partition("=")
                values[name] = value.strip("'")
        values |= {
            "FOLGETERMIN_BASE_URL": self.base_url,
            "FOLGETERMIN_SECRET_KEY": self.secret,
            "FOLGETERMIN_DATABASE_URL": f"postgresql+psycopg://folgetermin@127.0.0.1:{self.database_port}/folgetermin",
            "FOLGETERMIN_INSTANCE": str(self.folder / "instance"),
            "FOLGETERMIN_BACKUP_DIR": str(self.folder / "backups"),
            "FOLGETERMIN_MAIL_SERVER": "127.0.0.1",
            "FOLGETERMIN_MAIL_PORT": str(self.post_box.smtp.port),
            "FOLGETERMIN_MAIL_SECURITY": "none",
            "FOLGETERMIN_ADMIN_PASSWORD": self.password,
        }
        clean = {name: value for name, value in os.environ.items() if not name.startswith("FOLGETERMIN_")}
        return clean | values

    secret = secrets.token_urlsafe(48)
    password = secrets.token_urlsafe(18)

    def start_database(self) -> None:
        """A server with its default settings: in production nothing less is taken."""
        if os.geteuid() == 0:
            shutil.chown(self.folder, "postgres")
        self._as_server(
            self.initdb,
            "-D",
            str(self.cluster),
            "-U",
            "folgetermin",
            "--auth=trust",
            "--encoding=UTF8",
            "--locale=C.UTF-8",
        )
        options = f"-p {self.database_port} -k '{self.folder}' -c listen_addresses=127.0.0.1"
        self._as_server(
            self._pg("pg_ctl"),
            "-D",
            str(self.cluster),
            "-l",
            str(self.cluster / "log"),
            "-w",
            "-o",
            options,
            "start",
        )
        self._as_server(
            self._pg("createdb"),
            "-h",
            str(self.folder),
            "-p",
            str(self.database_port),
            "-U",
            "folgetermin",
            "folgetermin",
        )

    def _pg(self, name: str) -> str:
        return str(Path(self.initdb).with_name(name))

    def _as_server(self, *words: str) -> None:
        # PostgreSQL refuses to run as root.
        prefix = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        done = subprocess.run(
            [*prefix, *words],
            cwd=self.folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
        if done.returncode:
            fail(f"{Path(words[0]).name}: {done.stderr.strip().splitlines()[-1:] or done.returncode}")

    def command(self, *words: str) -> None:
        """One of our own commands."""
        done = subprocess.run(
            [BIN / "flask", "--app", "wsgi", *words], cwd=ROOT, env=self.environment(), check=False
        )
        if done.returncode:
            fail(f"flask {words[0]} has failed")

    def start_web(self, number: int) -> subprocess.Popen[bytes]:
        """One instance on its socket."""
        descriptor = self.sockets[number].fileno()
        words = [
            str(BIN / "gunicorn"),
            "--config",
            str(DEPLOY / "gunicorn.conf.py"),
            "--bind",
            f"fd://{descriptor}",
        ]
        return self._start(words, f"web-{number}", pass_fds=(descriptor,))

    def _start(self, words: list[str], name: str, **options: Any) -> subprocess.Popen[bytes]:
        with (self.folder / f"{name}.log").open("ab") as log:
            return subprocess.Popen(
                words,
                cwd=ROOT,
                env=self.environment(),
                stdout=log,
                stderr=log,
                start_new_session=True,
                **options,
            )

    def start_nginx(self) -> None:
        """The site of deploy/ with the ports and folders of here, checked by nginx itself."""
        certificate = self.folder / "fullchain.pem"
        key = self.folder / "privkey.pem"
        words = [
            self.openssl,
            "req",
            "-x509",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-days",
            "2",
            "-subj",
            "/CN=127.0.0.1",
        ]
        subprocess.run(
            [*words, "-keyout", str(key), "-out", str(certificate)], check=True, capture_output=True
        )
        config = self.folder / "nginx.conf"
        config.write_text(nginx_here(self.folder, self.port, [one.getsockname()[1] for one in self.sockets]))
        error_log = ["-e", str(self.folder / "nginx-start.log")]
        tested = subprocess.run(
            [self.nginx, *error_log, "-t", "-c", str(config)], capture_output=True, text=True, check=False
        )
        if tested.returncode:
            fail(f"nginx refuses the configuration: {tested.stderr.strip()}")
        print("nginx -t: the configuration is good", flush=True)
        self.others.append(self._start([self.nginx, *error_log, "-c", str(config)], "nginx"))

    # -- all of it ----------------------------------------------------

    def start(self) -> None:
        """Everything, until an instance says that it is ready."""
        (self.folder / "instance").mkdir(mode=0o700)
        (self.folder / "nginx-temp").mkdir()
        self.post_box.start()
        self.start_database()
        self.command("prepare")
        self.command("create-admin", "--email", EMAIL, "--name", "Nora Beispiel")
        self.web = [self.start_web(number) for number in range(2)]
        for number in range(2):
            self.others.append(
                self._start([str(BIN / "flask"), "--app", "wsgi", "worker"], f"worker-{number}")
            )
        self.start_nginx()
        for listening in self.sockets:
            self._until_ready(f"http://127.0.0.1:{listening.getsockname()[1]}/readyz")
        self._until_ready(f"{self.base_url}/healthz")

    def _until_ready(self, url: str) -> None:
        trusting = ssl.create_default_context()
        trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
        last = ""
        for _ in range(1200):
            for process in [*self.web, *self.others]:
                if process.poll() is not None:
                    fail(f"a process has ended by itself:\n{self.logs()}")
            try:
                with urllib.request.urlopen(url, timeout=10, context=trusting) as answer:
                    if answer.status == 200:
                        return
            except OSError as error:
                last = error.read().decode() if hasattr(error, "read") else str(error)
            time.sleep(0.2)
        fail(f"{url} is not ready: {last}\n{self.logs()}")

    def restart(self, number: int) -> None:
        """SIGTERM while people work, and a new process on the same socket."""
        old = self.web[number]
        old.terminate()
        if old.wait(45) != 0:
            fail(f"web instance {number} ended with {old.returncode} after SIGTERM")
        self.web[number] = self.start_web(number)
        self._until_ready(f"http://127.0.0.1:{self.sockets[number].getsockname()[1]}/healthz")

    def logs(self) -> str:
        """The ends of all logs."""
        return "\n".join(
            f"== {path.name}\n{path.read_text(errors='replace')[-1500:]}"
            for path in sorted(self.folder.glob("*.log"))
        )

    def stop(self) -> None:
        """Everything, in order; nothing stays."""
        processes = [*self.others, *self.web]
        for process in processes:
            process.terminate()
        for process in processes:
            try:
                process.wait(45)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        for listening in self.sockets:
            listening.close()
        if (self.cluster / "postmaster.pid").exists():
            self._as_server(self._pg("pg_ctl"), "-D", str(self.cluster), "-m", "immediate", "-w", "stop")
        if self.post_box.smtp._thread is not None:
            self.post_box.stop()


def secrets_in_logs(production: Production) -> list[str]:
    """Files that hold a personal link, an address of a person or the password: there must be none."""
    tokens = [link.rpartition("/")[2] for link in production.post_box.links.values()]
    words = [*tokens, *production.post_box.links, production.password, production.secret, EMAIL]
    found = []
    for path in sorted(production.folder.glob("*.log")):
        text = path.read_text(errors="replace")
        found += [path.name for word in words if word in text]
    return sorted(set(found))


def run(production: Production, k6: str) -> int:
    """The thread under restarts; the exit code of k6, or 1 when something else was not as it must be."""
    began = time.monotonic()
    production.start()
    print(f"everything runs after {time.monotonic() - began:.0f} s: {production.base_url}", flush=True)
    settings = {
        "BASE_URL": production.base_url,
        "POST_BOX": f"http://127.0.0.1:{production.post_box.http.server_address[1]}",
        "EMAIL": EMAIL,
        "PASSWORD": production.password,
        "GUESTS": str(GUESTS),
        "IDEAS": str(IDEAS),
        "K6_NO_USAGE_REPORT": "true",
        "HOME": str(production.folder),
    }
    words = [k6, "run", "--quiet", "--address", "", "--no-color", str(ROOT / "tools" / "smoke" / "thread.js")]
    walker = subprocess.Popen(words, env=os.environ | settings, start_new_session=True)
    production.others.append(walker)
    restarts = 0
    while walker.poll() is None:
        production.restart(restarts % 2)
        restarts += 1
        time.sleep(PAUSE)
    production.others.remove(walker)
    letters = production.post_box.ids
    print(
        f"k6 ended with {walker.returncode}; web processes restarted {restarts} times; {len(letters)} letters",
        flush=True,
    )
    if walker.returncode:
        print(production.logs(), file=sys.stderr)
        return walker.returncode
    if len(letters) != len(set(letters)):
        print("Error: a letter was sent twice", file=sys.stderr)
        return 1
    leaks = secrets_in_logs(production)
    if leaks:
        print(f"Error: links, addresses or passwords stand in {', '.join(leaks)}", file=sys.stderr)
        return 1
    production.command("backup")
    print(f"smoke-production is good after {time.monotonic() - began:.0f} s", flush=True)
    return 0


def main() -> int:
    """Start, walk, stop."""
    k6 = shutil.which("k6", path=f"{BIN}:{os.environ.get('PATH', '')}")
    if k6 is None:
        fail(
            "k6 is missing; it comes with requirements-dev.txt: .venv/bin/pip install -r requirements-dev.txt"
        )
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda signum, _frame: sys.exit(128 + signum))
    folder = Path(tempfile.mkdtemp(prefix="folgetermin-smoke-"))
    production = None
    try:
        production = Production(folder)
        return run(production, str(k6))
    except KeyboardInterrupt:
        return 130
    finally:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)  # stopping is not to be stopped
        if production is not None:
            production.stop()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
