"""Settings: defaults, then environment FOLGETERMIN_*, then what a test passes."""

import os
import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

HERE = Path(__file__).parent
FLAGS = ("DEMO", "PRODUCTION")
TEXTS = (
    "SECRET_KEY", "BASE_URL", "DATABASE_URL", "QUEUE_URL", "LANGUAGE", "OPERATOR",
    "MAIL_SERVER", "MAIL_SECURITY", "MAIL_USERNAME", "MAIL_PASSWORD", "MAIL_SENDER", "MAIL_SENDER_NAME",
)  # fmt: skip
NUMBERS = ("MAIL_PORT", "MAIL_PER_MINUTE", "TRUSTED_PROXIES")
DEMO_START = "2023-07-03T09:00:00+02:00"


class UnsafeSettings(SystemExit):
    """The settings would make the product unsafe; the message is one line that says what to set."""


def defaults() -> dict[str, Any]:
    """What holds when nothing is configured: SQLite and a queue file in instance/."""
    return {
        "DEMO": False,
        "PRODUCTION": False,
        "SECRET_KEY": "",
        "BASE_URL": "http://127.0.0.1:8000",
        "DATABASE_URL": "",
        "QUEUE_URL": "",
        "LANGUAGE": "de",
        "OPERATOR": "",
        "CLOCK_START": None,
        "MAIL_SERVER": "",
        "MAIL_PORT": 25,
        "MAIL_SECURITY": "none",
        "MAIL_USERNAME": "",
        "MAIL_PASSWORD": "",
        "MAIL_SENDER": "konferenz@folgetermin.example",
        "MAIL_SENDER_NAME": "Folgetermin",
        "MAIL_PER_MINUTE": 120,
        "TRUSTED_PROXIES": 0,
        "MIGRATIONS": HERE / "migrations",
        "TRANSLATIONS": HERE / "translations",
        "MAX_CONTENT_LENGTH": 256 * 1024,
        "MAX_FORM_MEMORY_SIZE": 256 * 1024,
        "MAX_FORM_PARTS": 2500,
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "SESSION_COOKIE_NAME": "folgetermin",
        "PERMANENT_SESSION_LIFETIME": timedelta(hours=12),
        "WTF_CSRF_TIME_LIMIT": 12 * 3600,
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
    settings["SQLALCHEMY_ENGINE_OPTIONS"] = {"pool_pre_ping": not sqlite}
    settings["SESSION_COOKIE_SECURE"] = settings["BASE_URL"].startswith("https://")
    _refuse_unsafe(settings)
    return settings


def _from(environment: Mapping[str, str]) -> dict[str, Any]:
    found = {name: environment.get(f"FOLGETERMIN_{name}") for name in FLAGS + TEXTS + NUMBERS}
    given = {name: value for name, value in found.items() if value is not None}
    return {name: _typed(name, value) for name, value in given.items()}


def _typed(name: str, value: str) -> Any:
    if name in FLAGS:
        return value.strip().lower() in {"1", "true", "yes", "on"}
    if name in NUMBERS:
        try:
            return int(value)
        except ValueError:
            raise UnsafeSettings(f"FOLGETERMIN_{name} must be a whole number, not {value!r}.") from None
    return value.strip()


def _own_secret(instance: Path) -> str:
    path = instance / "secret-key"
    if not path.exists():
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_urlsafe(48))
    return path.read_text().strip()


def _refuse_unsafe(settings: Mapping[str, Any]) -> None:
    if len(settings["SECRET_KEY"]) < 32:
        make = "python -c 'import secrets; print(secrets.token_urlsafe(48))'"
        raise UnsafeSettings(f"FOLGETERMIN_SECRET_KEY must have at least 32 characters ({make}).")
    if urlsplit(settings["BASE_URL"]).scheme not in {"http", "https"}:
        raise UnsafeSettings("FOLGETERMIN_BASE_URL must begin with https:// or http://.")
    if settings["PRODUCTION"] and settings["DEMO"]:
        raise UnsafeSettings("FOLGETERMIN_DEMO and FOLGETERMIN_PRODUCTION cannot be on together.")
    if settings["PRODUCTION"] and not settings["BASE_URL"].startswith("https://"):
        raise UnsafeSettings("In production FOLGETERMIN_BASE_URL must be the public https:// address.")
