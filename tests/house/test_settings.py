"""Settings: unsafe or mistyped ones are refused in one line, and what they promise is kept."""

import secrets

import pytest

from conference import config
from conference.accounts.models import Role
from conference.accounts.operations import create_account
from conference.kit.db import db

from ..builders import NOW

PRODUCTION = {"FOLGETERMIN_PRODUCTION": "1", "FOLGETERMIN_BASE_URL": "https://folgetermin.example"}


def refusal(folder, **environment):
    with pytest.raises(config.UnsafeSettings) as caught:
        config.read(environment, {}, folder)
    assert len(str(caught.value).splitlines()) == 1
    return str(caught.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PRODUCTION", "ja"),
        ("DEMO", "2"),
        ("SECRET_KEY", "too short"),
        ("BASE_URL", "folgetermin.example"),
        ("BASE_URL", "https://"),
        ("BASE_URL", "javascript:alert(1)"),
        ("BASE_URL", "https://folgetermin.example:port"),
        ("BASE_URL", "https://[::1"),
        ("DATABASE_URL", "postgres"),
        ("DATABASE_URL", "postgres://a@b/c"),
        ("QUEUE_URL", "localhost:6379"),
        ("LANGUAGE", "fr"),
        ("MAIL_SECURITY", "ssl"),
        ("MAIL_PORT", "0"),
        ("MAIL_PORT", "70000"),
        ("MAIL_PER_MINUTE", "-1"),
        ("TRUSTED_PROXIES", "one"),
        ("TRUSTED_PROXIES", "-1"),
        ("BASE_URL", "https://nora:pw@folgetermin.example"),
        ("BASE_URL", "https://folgetermin.example/?a=b"),
        ("LOG_FORMAT", "xml"),
        ("METRICS_TOKEN", "too short"),
        ("BACKUP_DIR", "backups"),
        ("BACKUP_DAYS", "0"),
        ("BACKUP_HOUR", "24"),
        ("DISK_RESERVE", "much"),
    ],
)
def test_a_mistyped_setting_is_named_and_never_quietly_something_else(tmp_path, name, value):
    assert f"FOLGETERMIN_{name} " in refusal(tmp_path, **{f"FOLGETERMIN_{name}": value})


@pytest.mark.parametrize(
    "over",
    [
        {"FOLGETERMIN_DEMO": "1"},
        {"FOLGETERMIN_BASE_URL": "http://folgetermin.example"},
        {"FOLGETERMIN_MAIL_SERVER": "mail.konferenz.example", "FOLGETERMIN_MAIL_PASSWORD": "x"},
        {
            "FOLGETERMIN_IMAP_SERVER": "m.example",
            "FOLGETERMIN_IMAP_PASSWORD": "x",
            "FOLGETERMIN_IMAP_SECURITY": "none",
        },
        {"FLASK_DEBUG": "1"},
        {"FLASK_DEBUG": "True"},
        {"FOLGETERMIN_SECRET_KEY": "a" * 64},
        {"FOLGETERMIN_SECRET_KEY": "1234567890" * 4},
        {"FOLGETERMIN_SECRET_KEY": "please-change-me-before-you-go-live-0815"},
        {"FOLGETERMIN_OLD_SECRET_KEYS": "a secret for tests only, 32 characters and more"},
    ],
    ids=str,
)
def test_t29_production_refuses_what_would_be_unsafe(tmp_path, over):
    refusal(tmp_path, **PRODUCTION | over)


def test_production_needs_its_own_address_to_be_set(tmp_path):
    assert "FOLGETERMIN_BASE_URL" in refusal(tmp_path, FOLGETERMIN_PRODUCTION="1")


@pytest.mark.parametrize(
    "over",
    [
        {"MAIL_SERVER": "mail.konferenz.example", "MAIL_SECURITY": "starttls", "MAIL_PASSWORD": "x"},
        {"MAIL_SERVER": "127.0.0.1", "MAIL_PASSWORD": "x"},
        {"MAIL_SERVER": "relay.konferenz.example"},
    ],
    ids=str,
)
def test_production_takes_mail_servers_to_which_no_password_goes_in_the_clear(tmp_path, over):
    config.read(PRODUCTION | {f"FOLGETERMIN_{name}": value for name, value in over.items()}, {}, tmp_path)


def test_random_keys_and_keys_of_our_own_are_good_enough_for_production(tmp_path):
    config.read(PRODUCTION, {}, tmp_path)
    for number in range(50):
        for key in (secrets.token_urlsafe(48), secrets.token_hex(32)):
            read = config.read(PRODUCTION | {"FOLGETERMIN_SECRET_KEY": key}, {}, tmp_path)
            assert (number, read["SECRET_KEY"]) == (number, key)


def test_production_refuses_the_folder_of_a_demo(tmp_path):
    (tmp_path / "demo-clock").write_text("0\n")
    assert "holds a demo" in refusal(tmp_path, **PRODUCTION)


def test_an_own_secret_is_kept_and_for_its_owner_only(tmp_path):
    first = config.read({}, {}, tmp_path)["SECRET_KEY"]
    assert len(first) >= 32
    assert config.read({}, {}, tmp_path)["SECRET_KEY"] == first
    assert (tmp_path / "secret-key").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["secret-key"]


def token_in(client):
    """The token of the form on the sign-in page."""
    page = client.get("/sign-in").get_data(as_text=True)
    return page.split('name="csrf_token"')[1].split('value="')[1].split('"')[0]


class TestBehindAProxy:
    """With TLS at the proxy."""

    @pytest.fixture
    def settings(self):
        return {"TRUSTED_PROXIES": 1}

    def test_forms_work_although_no_page_sends_a_referer(self, app, in_house):
        with in_house():
            create_account("nora@agentur.example", "Nora", Role.ORGANISER, "ein langes Kennwort 23", at=NOW)
        client = app.test_client()
        client.environ_base |= {"HTTP_X_FORWARDED_PROTO": "https"}
        token = token_in(client)
        words = {"csrf_token": token, "email": "nora@agentur.example", "password": "ein langes Kennwort 23"}
        assert client.post("/sign-in", data=words).status_code == 303


def test_whoever_became_a_person_of_the_demo_is_nobody_without_demo_mode(app, in_house):
    with in_house():
        create_account("nora@agentur.example", "Nora", Role.ORGANISER, None, at=NOW)
    app.config["DEMO"] = True
    client = app.test_client()
    token = token_in(client)
    assert client.post("/persona/organiser", data={"csrf_token": token}).status_code == 303
    assert client.get("/").status_code == 200
    app.config["DEMO"] = False
    assert client.get("/").location.startswith("/sign-in")
    token = token_in(client)
    for person in ("organiser", "participant", "leadership"):
        assert client.post(f"/persona/{person}", data={"csrf_token": token}).status_code == 404
    assert client.get("/outbox").status_code == 404
    words = {"csrf_token": token, "email": "nora@agentur.example", "password": ""}
    assert client.post("/sign-in", data=words).status_code == 422
    with app.app_context():
        db.session.remove()
