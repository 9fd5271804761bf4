"""Settings: defaults, then environment FOLGETERMIN_*, then what a test passes."""

import contextlib
import os
import re
import secrets
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from importlib.util import find_spec
from pathlib import Path
from tempfile import mkstemp
from typing import Any

from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from .core.web_addresses import is_safe_address, parsed

HERE = Path(__file__).parent
APPLICATION = "folgetermin"
"""How PostgreSQL lists our connections."""
FLAGS = ("DEMO", "PRODUCTION")
TEXTS = (
    "SECRET_KEY", "OLD_SECRET_KEYS", "BASE_URL", "DATABASE_URL", "QUEUE_URL", "LANGUAGE", "OPERATOR",
    "LOG_FORMAT", "METRICS_TOKEN", "BACKUP_DIR", "SECURITY_CONTACT", "SECURITY_EXPIRES", "SECOND_FACTOR",
    "OIDC_ISSUER", "OIDC_CLIENT_ID", "OIDC_CLIENT_SECRET", "OIDC_NAME", "OIDC_CLAIM", "OIDC_SECOND_FACTOR",
    "MAIL_SERVER", "MAIL_SECURITY", "MAIL_USERNAME", "MAIL_PASSWORD", "MAIL_SENDER", "MAIL_SENDER_NAME",
    "IMAP_SERVER", "IMAP_SECURITY", "IMAP_USERNAME", "IMAP_PASSWORD", "IMAP_FOLDER", "IMAP_DONE_FOLDER",
)  # fmt: skip
NUMBERS = {
    "MAIL_PORT": (1, 65535), "MAIL_PER_MINUTE": (1, 100_000), "MAIL_HOLD_SECONDS": (0, 3600),
    "MAIL_TIMEOUT": (1, 50), "IMAP_PORT": (1, 65535), "MAIL_TEXT_DAYS": (0, 365), "TRUSTED_PROXIES": (0, 9),
    "BACKUP_DAYS": (1, 3650), "BACKUP_HOUR": (0, 23), "DISK_RESERVE": (1, 1_000_000),
    "DATABASE_PATIENCE": (1, 50),
}  # fmt: skip
ON, OFF = {"1", "true", "yes", "on"}, {"0", "false", "no", "off", ""}
CHOICES = {
    "LANGUAGE": ("de", "en"),
    "MAIL_SECURITY": ("none", "starttls", "tls"),
    "IMAP_SECURITY": ("none", "starttls", "tls"),
    "LOG_FORMAT": ("text", "json"),
    "SECOND_FACTOR": ("organisers", "everyone", "nobody"),
    "OIDC_SECOND_FACTOR": ("here", "service"),
}
# Words of examples and placeholders; of a random key none of them is ever a part.
GUESSABLE = (
    "change", "secret", "password", "passwort", "kennwort", "geheim", "example", "beispiel", "default", "insecure",
    "folgetermin", "replace", "12345678", "abcdefgh", "qwertz", "qwerty",
)  # fmt: skip
FEWEST_SIGNS = 10
HOW_TO_MAKE_A_KEY = "python3 -c 'import secrets; print(secrets.token_urlsafe(48))'"
DEMO_START = "2023-07-03T09:00:00+02:00"


class UnsafeSettings(SystemExit):
    """The settings would make the product unsafe; the message is one line that says what to set."""


def defaults() -> dict[str, Any]:
    """What holds when nothing is configured: SQLite and a queue file in instance/."""
    return {
        "DEMO": False,
        "PRODUCTION": False,
        "SECRET_KEY": "",
        "OLD_SECRET_KEYS": "",
        "BASE_URL": "http://127.0.0.1:8000",
        "DATABASE_URL": "",
        "QUEUE_URL": "",
        "LANGUAGE": "de",
        "OPERATOR": "",
        "SECURITY_CONTACT": "",
        "SECURITY_EXPIRES": "",
        "CLOCK_START": None,
        "MAIL_SERVER": "",
        "MAIL_PORT": 25,
        "MAIL_SECURITY": "none",
        "MAIL_USERNAME": "",
        "MAIL_PASSWORD": "",
        "MAIL_SENDER": "konferenz@folgetermin.example",
        "MAIL_SENDER_NAME": "Folgetermin",
        "MAIL_PER_MINUTE": 120,
        "MAIL_HOLD_SECONDS": 60,
        "MAIL_TIMEOUT": 30,
        "MAIL_TEXT_DAYS": 7,
        "IMAP_SERVER": "",
        "IMAP_PORT": 993,
        "IMAP_SECURITY": "tls",
        "IMAP_USERNAME": "",
        "IMAP_PASSWORD": "",
        "IMAP_FOLDER": "INBOX",
        "IMAP_DONE_FOLDER": "",
        "TRUSTED_PROXIES": 0,
        "LOG_FORMAT": "text",
        "METRICS_TOKEN": "",
        "SECOND_FACTOR": "organisers",
        "OIDC_ISSUER": "",
        "OIDC_CLIENT_ID": "",
        "OIDC_CLIENT_SECRET": "",
        "OIDC_NAME": "",
        "OIDC_CLAIM": "",
        "OIDC_SECOND_FACTOR": "here",
        "BACKUP_DIR": "",
        "BACKUP_DAYS": 30,
        "BACKUP_HOUR": 2,
        "DISK_RESERVE": 200,
        "DATABASE_PATIENCE": 15,
        "MIGRATIONS": HERE / "migrations",
        "TRANSLATIONS": HERE / "translations",
        "MAX_CONTENT_LENGTH": 256 * 1024,
        "MAX_FORM_MEMORY_SIZE": 256 * 1024,
        "MAX_FORM_PARTS": 2500,
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "SESSION_COOKIE_NAME": "folgetermin",
        "PERMANENT_SESSION_LIFETIME": timedelta(hours=12),
        "WTF_CSRF_TIME_LIMIT": None,  # It ends with the session; a clock that was set back must not end it before.
        "WTF_CSRF_SSL_STRICT": False,  # It wants a Referer, which our own Referrer-Policy keeps back; the token is enough.
        "RATELIMIT_STORAGE_URI": "memory://",
        "SEND_FILE_MAX_AGE_DEFAULT": None,
    }


def read(environment: Mapping[str, str], overrides: Mapping[str, Any], instance: Path) -> dict[str, Any]:
    """All settings together.

    Raises UnsafeSettings where production would be unsafe.
    """
    settings = defaults() | _from(environment) | dict(overrides)
    if settings["DEMO"] and settings["CLOCK_START"] is None:
        settings["CLOCK_START"] = datetime.fromisoformat(DEMO_START)
    settings["SECRET_KEY"] = settings["SECRET_KEY"] or _own_secret(instance)
    settings["SQLALCHEMY_DATABASE_URI"] = (
        settings["DATABASE_URL"] or f"sqlite:///{instance / 'folgetermin.db'}"
    )
    sqlite = settings["SQLALCHEMY_DATABASE_URI"].startswith("sqlite")
    settings["WRITE_LOCK"] = instance / "write.lock" if sqlite else None
    settings["SECRET_KEY_FALLBACKS"] = _words(settings["OLD_SECRET_KEYS"])
    settings["SQLALCHEMY_ENGINE_OPTIONS"] = _engine_options(sqlite)
    settings["SESSION_COOKIE_SECURE"] = settings["BASE_URL"].startswith("https://")
    if settings["SESSION_COOKIE_SECURE"] and "SESSION_COOKIE_NAME" not in overrides:
        # No other host, and no page without TLS, can set a cookie of such a name.
        settings["SESSION_COOKIE_NAME"] = f"__Host-{settings['SESSION_COOKIE_NAME']}"
    _refuse_unsafe(settings)
    if settings["PRODUCTION"]:
        _refuse_for_production(settings, environment, instance)
    return settings


def _words(text: str) -> list[str]:
    return [word for word in (part.strip() for part in text.split(",")) if word]


def _engine_options(sqlite: bool) -> dict[str, Any]:
    # The values of a statement that failed are people's data; they have no business in a log.
    options: dict[str, Any] = {"pool_pre_ping": not sqlite, "hide_parameters": True}
    if not sqlite:
        options["pool_timeout"] = 10
        options["connect_args"] = {"application_name": APPLICATION, "connect_timeout": 5}
    return options


def _from(environment: Mapping[str, str]) -> dict[str, Any]:
    found = {name: environment.get(f"FOLGETERMIN_{name}") for name in (*FLAGS, *TEXTS, *NUMBERS)}
    given = {name: value for name, value in found.items() if value is not None}
    return {name: _typed(name, value) for name, value in given.items()}


def _typed(name: str, value: str) -> Any:
    if name in FLAGS:
        return _flag(name, value.strip().lower())
    if name in NUMBERS:
        return _number(name, value)
    text = value.strip()
    if name in CHOICES and text not in CHOICES[name]:
        raise UnsafeSettings(f"FOLGETERMIN_{name} must be one of {', '.join(CHOICES[name])}, not {value!r}.")
    return text


def _flag(name: str, value: str) -> bool:
    if value not in ON | OFF:
        # A word that means "on" to whoever wrote it must not quietly mean "off".
        raise UnsafeSettings(f"FOLGETERMIN_{name} must be 1 or 0, not {value!r}.")
    return value in ON


def _number(name: str, value: str) -> int:
    least, most = NUMBERS[name]
    try:
        number = int(value)
    except ValueError:
        raise UnsafeSettings(f"FOLGETERMIN_{name} must be a whole number, not {value!r}.") from None
    if not least <= number <= most:
        raise UnsafeSettings(f"FOLGETERMIN_{name} must be from {least} to {most}, not {number}.")
    return number


def _own_secret(instance: Path) -> str:
    path = instance / "secret-key"
    try:
        if not path.exists():
            _keep_secret(path)
        return path.read_text().strip()
    except OSError as error:
        raise UnsafeSettings(
            f"{path} cannot be read or made: {error.strerror}. Perhaps another account of this machine made it."
        ) from None


def _keep_secret(path: Path) -> None:
    """Write a new secret at once or not at all: another process may begin at the same moment."""
    descriptor, draft = mkstemp(dir=path.parent)
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_urlsafe(48))
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)
    finally:
        Path(draft).unlink()


def _refuse_unsafe(settings: Mapping[str, Any]) -> None:
    if len(settings["SECRET_KEY"]) < 32:
        raise UnsafeSettings(
            f"FOLGETERMIN_SECRET_KEY must have at least 32 characters ({HOW_TO_MAKE_A_KEY})."
        )
    _check_addresses(settings)
    if settings["METRICS_TOKEN"] and len(settings["METRICS_TOKEN"]) < 24:
        raise UnsafeSettings("FOLGETERMIN_METRICS_TOKEN must have at least 24 characters.")
    _check_backups(settings["BACKUP_DIR"])
    _check_security_contact(settings["SECURITY_CONTACT"], settings["SECURITY_EXPIRES"])
    _check_service(settings)


def _check_service(settings: Mapping[str, Any]) -> None:
    """The sign-in service: all of it or nothing, and never without TLS except on this machine."""
    issuer = settings["OIDC_ISSUER"]
    if not issuer and not settings["OIDC_CLIENT_ID"] and not settings["OIDC_CLIENT_SECRET"]:
        return
    if not (issuer and settings["OIDC_CLIENT_ID"] and settings["OIDC_CLIENT_SECRET"]):
        raise UnsafeSettings(
            "FOLGETERMIN_OIDC_ISSUER, _CLIENT_ID and _CLIENT_SECRET are set together or not at all."
        )
    address = parsed(issuer)
    if (
        address is None
        or not is_safe_address(issuer)
        or address.query
        or address.fragment
        or "@" in address.netloc
    ):
        raise UnsafeSettings("FOLGETERMIN_OIDC_ISSUER must be an https:// address without query or fragment.")
    claim = settings["OIDC_CLAIM"]
    if claim and not all(part.strip() for part in claim.partition("=")):
        raise UnsafeSettings("FOLGETERMIN_OIDC_CLAIM must look like groups=folgetermin.")


def _check_backups(folder: str) -> None:
    if folder and not Path(folder).is_absolute():
        raise UnsafeSettings("FOLGETERMIN_BACKUP_DIR must be a whole path that begins with /.")


def _check_security_contact(contact: str, expires: str) -> None:
    """What stands in security.txt must be read by programs (RFC 9116)."""
    if contact and not re.fullmatch(r"(mailto:[^\s@]+@[^\s@]+|https://\S+|tel:\+?[\d-]+)", contact):
        raise UnsafeSettings("FOLGETERMIN_SECURITY_CONTACT must begin with mailto:, https:// or tel:.")
    try:
        _ = expires and date.fromisoformat(expires)
    except ValueError:
        raise UnsafeSettings("FOLGETERMIN_SECURITY_EXPIRES must be a day such as 2027-06-30.") from None


def missing_in_security_txt(settings: Mapping[str, Any], today: date) -> str:
    """Why nobody who finds a weakness learns from security.txt whom to tell; empty when all is well."""
    if not settings["SECURITY_CONTACT"] or not settings["SECURITY_EXPIRES"]:
        return "FOLGETERMIN_SECURITY_CONTACT and FOLGETERMIN_SECURITY_EXPIRES are not set: there is no security.txt."
    if date.fromisoformat(settings["SECURITY_EXPIRES"]) < today:
        return "FOLGETERMIN_SECURITY_EXPIRES is over: nobody trusts security.txt any more. Look at the contact and renew the day."
    return ""


def _refuse_for_production(
    settings: Mapping[str, Any], environment: Mapping[str, str], instance: Path
) -> None:
    if settings["DEMO"]:
        raise UnsafeSettings("FOLGETERMIN_DEMO and FOLGETERMIN_PRODUCTION cannot be on together.")
    if settings.get("DEBUG") or environment.get("FLASK_DEBUG", "0").strip().lower() not in OFF:
        raise UnsafeSettings(
            "Debug mode shows code and settings to everybody; in production FLASK_DEBUG must be off."
        )
    if not settings["BASE_URL"].startswith("https://"):
        raise UnsafeSettings("In production FOLGETERMIN_BASE_URL must be the public https:// address.")
    for kind in ("MAIL", "IMAP"):
        if (
            settings[f"{kind}_SECURITY"] == "none"
            and settings[f"{kind}_PASSWORD"]
            and not _is_here(settings, kind)
        ):
            raise UnsafeSettings(
                f"In production FOLGETERMIN_{kind}_SECURITY must be starttls or tls: a password would be sent in the clear."
            )
    for name, key in [("SECRET_KEY", settings["SECRET_KEY"])] + [
        ("OLD_SECRET_KEYS", key) for key in settings["SECRET_KEY_FALLBACKS"]
    ]:
        if _is_guessable(key):
            raise UnsafeSettings(
                f"FOLGETERMIN_{name} can be guessed; make a random one ({HOW_TO_MAKE_A_KEY})."
            )
    if (instance / "demo-clock").exists():
        raise UnsafeSettings(
            f"{instance} holds a demo; production needs a folder of its own (FOLGETERMIN_INSTANCE)."
        )


def _is_here(settings: Mapping[str, Any], kind: str) -> bool:
    return settings[f"{kind}_SERVER"] in {"", "localhost", "127.0.0.1", "::1"}


def _is_guessable(key: str) -> bool:
    plain = key.lower()
    return len(set(key)) < FEWEST_SIGNS or any(word in plain for word in GUESSABLE)


def _check_addresses(settings: Mapping[str, Any]) -> None:
    address = parsed(settings["BASE_URL"])
    if address is None or address.scheme not in {"http", "https"} or not address.hostname:
        raise UnsafeSettings("FOLGETERMIN_BASE_URL must be an address that begins with https:// or http://.")
    if address.query or address.fragment or "@" in address.netloc:
        raise UnsafeSettings("FOLGETERMIN_BASE_URL must hold no name, query or fragment, only host and path.")
    try:
        make_url(settings["SQLALCHEMY_DATABASE_URI"]).get_dialect()
    except (ArgumentError, ImportError) as error:
        raise UnsafeSettings(
            "FOLGETERMIN_DATABASE_URL must look like "
            f"postgresql+psycopg://name:password@host/database ({error})."  # pragma: allowlist secret
        ) from None
    if settings["QUEUE_URL"]:
        _check_queue(settings["QUEUE_URL"])


def _check_queue(address: str) -> None:
    if not address.startswith(("redis://", "rediss://", "unix://")):
        raise UnsafeSettings("FOLGETERMIN_QUEUE_URL must begin with redis://, rediss:// or unix://.")
    if find_spec("redis") is None:
        raise UnsafeSettings("FOLGETERMIN_QUEUE_URL needs one more library: .venv/bin/pip install redis")
