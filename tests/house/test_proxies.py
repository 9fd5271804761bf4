"""What stands in front: proxies are believed when they are configured, other hosts are refused in production."""

import pytest
from flask import request

from conference import create_app
from conference.kit import access, headers, layout

THREE = ("__Host-folgetermin", "__Host-lang", "__Host-theme")
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


def test_a_foreign_name_is_refused_from_the_first_request_on(tmp_path, caplog):
    client = create_app({"INSTANCE": tmp_path, **PRODUCTION}).test_client()
    caplog.clear()
    for path in ("/sign-in", "/static/css/main.css", "/nowhere"):
        for method in ("GET", "POST"):
            for remembered in (layout._asset, layout._address):
                remembered.cache_clear()  # what an earlier page has made
            refused = client.open(path, method=method, base_url="https://boese.example")
            assert refused.status_code == 400 and refused.mimetype == "text/html"
            assert "Diese Anfrage haben wir nicht verstanden" in refused.text and "boese" not in refused.text
            assert set(headers.ALWAYS) <= set(refused.headers.keys())
            assert "Cache-Control" in refused.headers and "X-Request-Id" in refused.headers
    assert [record for record in caplog.records if record.exc_info] == []


def test_t17_by_https_no_other_host_can_set_a_cookie_of_ours(tmp_path):
    """Browsers take a name that begins with __Host- only from this host, by TLS, for every path."""
    client = create_app({"INSTANCE": tmp_path, "TESTING": True, **PRODUCTION}).test_client()
    base = "https://konferenz.example"
    client.get("/sign-in", base_url=base)
    client.get("/theme/dark", base_url=base)
    client.get("/language/en", base_url=base)
    cookies = {name: client.get_cookie(name, "konferenz.example") for name in THREE}
    for cookie in cookies.values():
        assert (cookie.secure, cookie.http_only, cookie.path) == (True, True, "/")
        assert cookie.origin_only and cookie.same_site == "Lax"
    page = client.get("/sign-in", base_url=base).text
    assert 'lang="en"' in page and 'data-kern-theme="dark"' in page


def test_without_tls_cookies_have_names_that_browsers_take(tmp_path):
    client = create_app({"INSTANCE": tmp_path, "TESTING": True}).test_client()
    client.get("/sign-in")
    assert client.get_cookie("folgetermin") and not client.get_cookie("__Host-folgetermin")
