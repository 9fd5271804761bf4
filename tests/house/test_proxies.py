"""What stands in front: proxies are believed when they are configured, other hosts are refused in production."""

import pytest
from flask import request

from conference import create_app
from conference.kit import access

SAID = {"X-Forwarded-For": "203.0.113.7", "X-Forwarded-Proto": "https", "X-Forwarded-Host": "boese.example"}
PRODUCTION = {
    "PRODUCTION": True,
    "BASE_URL": "https://konferenz.example",
    "SECRET_KEY": "uX3vB7nQ9kR2mT5wY8zA1cD4fG6hJ0lP",
}


@pytest.fixture
def seen(tmp_path):
    """What the app believes of a request that came with these settings, as (address, scheme, host)."""

    def ask(**settings):
        app = create_app({"INSTANCE": tmp_path, "TESTING": True, **settings})
        app.view_functions["seen"] = access.public(
            lambda: f"{request.remote_addr} {request.scheme} {request.host}"
        )
        app.url_map.add(app.url_rule_class("/seen", endpoint="seen"))
        return app.test_client().get("/seen", headers=SAID, base_url="http://konferenz.example").text

    return ask


def test_without_a_configured_proxy_nothing_forwarded_is_believed(seen):
    assert seen() == "127.0.0.1 http konferenz.example"


def test_a_configured_proxy_says_who_asks_and_how_but_never_where(seen):
    assert seen(TRUSTED_PROXIES=1) == "203.0.113.7 https konferenz.example"


def test_production_answers_to_its_own_name_only(tmp_path):
    client = create_app({"INSTANCE": tmp_path, "TESTING": True, **PRODUCTION}).test_client()
    assert client.get("/sign-in", base_url="https://konferenz.example").status_code == 200
    refused = client.get("/sign-in", base_url="https://boese.example")
    assert refused.status_code == 400
    assert "boese" not in refused.text and "<h1" in refused.text
