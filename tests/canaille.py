"""A real sign-in service on loopback: Canaille (MIT), with its people in memory, in a process and libraries of its own.

It logs people in with a password, asks for their consent, wants PKCE, a nonce, the client's secret and the way back that was
registered.
"""

import socket
import subprocess
import sys
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[1]
PEOPLE = {"nora": "nora@agentur.example", "otto": "otto@agentur.example"}
CLIENT, SECRET = "folgetermin", "nur für Tests, aber lang genug"


@contextmanager
def running(way_back: str) -> Iterator[str]:
    """The address of a service that sends people back there."""
    python = ROOT / ".venv" / "sign-in-service" / "bin" / "python"
    assert python.exists(), "Install the sign-in service of the tests: tools/setup.sh checks (make does it)."
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    command = [python, "-m", "tests.canaille", way_back]
    with subprocess.Popen(command, cwd=ROOT, text=True, **pipes) as service:
        yield service.stdout.readline().strip()
        service.stdin.close()


def main(way_back: str) -> None:
    """Serve until the parent is gone; the first line that is written is the address."""
    warnings.simplefilter("ignore")
    from canaille import create_app
    from joserfc.jwk import RSAKey
    from werkzeug.serving import make_server

    listening = socket.create_server(("127.0.0.1", 0))
    host = f"127.0.0.1:{listening.getsockname()[1]}"
    key = RSAKey.generate_key(2048, auto_kid=True)
    app = create_app(
        {
            "SECRET_KEY": "only for tests",
            "SERVER_NAME": host,
            "PREFERRED_URL_SCHEME": "http",
            "CANAILLE": {"DATABASE": "memory", "LANGUAGE": "en"},
            "CANAILLE_OIDC": {"ACTIVE_JWKS": [key.as_dict(private=True)], "REQUIRE_NONCE": True},
        }
    )
    # Nobody can register there or change their address, so that all of them are verified.
    app.config["CANAILLE_OIDC"]["USERINFO_MAPPING"]["EMAIL_VERIFIED"] = "true"
    with app.app_context():
        _fill(way_back)
    server = make_server("127.0.0.1", 0, app, threaded=True, fd=listening.fileno())
    threading.Thread(target=_end_with_parent, daemon=True).start()
    sys.stdout.write(f"http://{host}\n")
    sys.stdout.flush()
    server.serve_forever()


def _end_with_parent() -> None:
    sys.stdin.read()
    import os

    os._exit(0)


def _fill(way_back: str) -> None:
    from canaille.app import models
    from canaille.backends import Backend

    client = models.Client(
        client_id=CLIENT,
        client_secret=SECRET,
        client_name="Folgetermin",
        client_uri=way_back,
        redirect_uris=[way_back],
        grant_types=["authorization_code"],
        response_types=["code"],
        scope=["openid", "email", "profile"],
        token_endpoint_auth_method="client_secret_basic",
    )
    Backend.instance.save(client)
    client.audience = [client]
    Backend.instance.save(client)
    for name, address in PEOPLE.items():
        words = {
            "given_name": name.title(),
            "family_name": "Beispiel",
            "formatted_name": f"{name.title()} Beispiel",
        }
        Backend.instance.save(models.User(user_name=name, password=name, emails=[address], **words))


if __name__ == "__main__":
    main(sys.argv[1])
