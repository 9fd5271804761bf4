"""Signing in by a sign-in service: with a real one (Canaille), and with one that lies in every way that we must notice."""

import hmac
import json
import re
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urljoin, urlsplit

import pytest
import requests
from joserfc import jwt
from joserfc.jwk import RSAKey

from conference.accounts.models import Role, SignInIdentity, StaffSession
from conference.kit.db import db
from conference.people import operations as people

from .. import canaille
from ..authenticator import text
from ..builders import an_account

BASE = "https://folgetermin.example"
WAY_BACK = f"{BASE}/sign-in/service/return"
PAGE = "accounts.show_own"


@pytest.fixture
def nora(in_house):
    with in_house():
        return an_account(Role.COLLEAGUE, email="nora@agentur.example", password=None)


def asked(browser, target=""):
    """Where the browser is sent, as the parts of the query."""
    answer = browser.open("accounts.ask_service", next=target, status=303)
    return answer.headers["Location"], {
        k: v[0] for k, v in parse_qs(urlsplit(answer.headers["Location"]).query).items()
    }


def arrive(browser, way_back, status=303):
    """Come back: look at the page, press its button."""
    address = urlsplit(way_back)
    browser.open(f"{address.path}?{address.query}")
    fields = {name: browser.value_of(name) or "" for name in ("code", "state", "iss")}
    browser.submit("accounts.return_from_service", fields, status=status)
    return browser


def identities(in_house):
    with in_house():
        return [(row.account_id, row.issuer, row.subject) for row in db.session.query(SignInIdentity)]


# -- a real service ---------------------------------------------------------


@pytest.fixture(scope="module")
def real():
    """The address of a running Canaille."""
    with canaille.running(WAY_BACK) as address:
        yield address


def log_in(address, name):
    """What a person does at the service: name, password, consent. Gives where it sends them back to."""
    person = requests.Session()
    page = person.get(address, timeout=20)
    while True:
        token = re.search(r'name="csrf_token"[^>]*value="([^"]*)"', page.text)
        fields = {
            "login": name,
            "password": name,
            "answer": "accept",
            "csrf_token": token[1] if token else "",
        }
        page = person.post(page.url, data=fields, allow_redirects=False, timeout=20)
        while page.is_redirect:
            there = urljoin(page.url, page.headers["Location"])
            if there.startswith(BASE):
                return there
            page = person.get(there, allow_redirects=False, timeout=20)


class TestRealService:
    @pytest.fixture
    def settings(self, real):
        return {"OIDC_ISSUER": real, "OIDC_CLIENT_ID": canaille.CLIENT, "OIDC_CLIENT_SECRET": canaille.SECRET}

    def test_req29_a_verified_address_opens_the_account_that_is_there(self, browser, in_house, nora, real):
        browser.open("accounts.sign_in", next="/account")
        assert "/sign-in/service?next=/account" in browser.links()
        address, query = asked(browser, "/account")
        assert (query["code_challenge_method"], query["redirect_uri"]) == ("S256", WAY_BACK)
        arrive(browser, log_in(address, "nora"))
        assert browser.response.request.path == "/account"
        assert browser.sees("Login-Dienst")
        assert identities(in_house) == [(nora.id, real, "nora")]
        with in_house():
            db.session.merge(nora).email_key = "umbenannt@agentur.example"
        browser.submit("accounts.sign_out")
        arrive(browser, log_in(asked(browser)[0], "nora")).open(PAGE)

    def test_req29_who_has_no_account_gets_none(self, browser, in_house, nora):
        arrive(browser, log_in(asked(browser)[0], "otto"), status=403)
        assert browser.sees("gibt es hier kein Benutzerkonto")
        assert identities(in_house) == []
        browser.open(PAGE, status=303)

    def test_req29_an_open_invitation_is_enough(self, browser, in_house):
        with in_house():
            by = an_account(Role.ADMIN)
            people.open_account("otto@agentur.example", "Otto", Role.COLLEAGUE, by, at=by.created_at)
        arrive(browser, log_in(asked(browser)[0], "otto")).open(PAGE)

    def test_what_came_back_is_used_once(self, browser, new_browser, nora):
        way_back = log_in(asked(browser)[0], "nora")
        with browser.client.session_transaction() as session:
            kept = dict(session)
        arrive(browser, way_back)
        thief = new_browser()
        with thief.client.session_transaction() as session:
            session.update(kept)
        arrive(thief, way_back, status=502).open(PAGE, status=303)

    def test_t17_an_answer_for_another_browser_is_not_taken(self, browser, new_browser, nora):
        back = log_in(asked(browser)[0], "nora")
        way_back = urlsplit(back)
        victim = new_browser()
        asked(victim)
        victim.open(f"{way_back.path}?{way_back.query}", status=403)
        query = {k: v[0] for k, v in parse_qs(way_back.query).items()}
        victim.submit("accounts.return_from_service", query, status=403)
        victim.open(PAGE, status=303)
        arrive(browser, back).open(PAGE)

    def test_a_closed_account_stays_closed(self, browser, in_house, nora):
        arrive(browser, log_in(asked(browser)[0], "nora"))
        browser.submit("accounts.sign_out")
        with in_house():
            db.session.merge(nora).active = False
        arrive(browser, log_in(asked(browser)[0], "nora"), status=403).open(PAGE, status=303)


class TestWrongSecret:
    @pytest.fixture
    def settings(self, real):
        return {"OIDC_ISSUER": real, "OIDC_CLIENT_ID": canaille.CLIENT, "OIDC_CLIENT_SECRET": "ein anderes"}

    def test_the_page_says_that_it_did_not_work(self, browser, nora):
        arrive(browser, log_in(asked(browser)[0], "nora"), status=502)
        assert browser.sees("nicht trauen")


# -- a service that lies ----------------------------------------------------

KEY, STRANGER = RSAKey.generate_key(2048, {"kid": "1"}), RSAKey.generate_key(2048, {"kid": "1"})


@dataclass
class Liar:
    """A service whose every answer a test may bend."""

    address: str = ""
    nonce: str = ""
    claims: dict[str, Any] = field(default_factory=dict)
    told: dict[str, Any] | None = None
    key: Any = field(default_factory=lambda: KEY)
    header: dict[str, Any] = field(default_factory=lambda: {"alg": "RS256", "kid": "1"})
    metadata: dict[str, Any] = field(default_factory=dict)
    status: int = 200
    elsewhere: str = ""
    length: int = 0
    asked: list[str] = field(default_factory=list)

    def token(self) -> str:
        now = int(time.time())
        claims = {
            "iss": self.address,
            "sub": "s-1",
            "aud": "us",
            "iat": now,
            "exp": now + 300,
            "nonce": self.nonce,
        }
        claims |= {"email": "nora@agentur.example", "email_verified": True} | self.claims
        claims = {name: value for name, value in claims.items() if value is not None}
        algorithms = [self.header["alg"]]
        return jwt.encode(self.header, claims, self.key, algorithms=algorithms)

    def answer(self, path: str) -> dict[str, Any]:
        a = self.address
        return {
            "/.well-known/openid-configuration": {
                "issuer": a,
                "authorization_endpoint": f"{a}/authorize",
                "token_endpoint": f"{a}/token",
                "userinfo_endpoint": f"{a}/userinfo",
                "jwks_uri": f"{a}/keys",
            }
            | self.metadata,
            "/keys": {"keys": [KEY.as_dict(private=False)]},
            "/token": {"access_token": "a", "token_type": "Bearer"}
            | ({"id_token": self.token()} if path == "/token" else {}),
            "/userinfo": self.told or {"sub": "s-1"},
        }[path]


@pytest.fixture(scope="module")
def lying_server():
    class Handler(BaseHTTPRequestHandler):
        liar = Liar()

        def do_GET(self):
            self.liar.asked.append(self.path)
            if self.liar.elsewhere:
                self.send_response(302)
                self.send_header("Location", self.liar.elsewhere)
                self.end_headers()
                return
            content = json.dumps(self.liar.answer(self.path)).encode() + b" " * self.liar.length
            self.send_response(self.liar.status)
            self.end_headers()
            self.wfile.write(content)

        do_POST = do_GET

        def log_message(self, *_args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()


@pytest.fixture
def liar(lying_server):
    made = Liar(address=f"http://127.0.0.1:{lying_server.server_port}")
    lying_server.RequestHandlerClass.liar = made
    return made


class TestLyingService:
    @pytest.fixture
    def settings(self, lying_server):
        address = f"http://127.0.0.1:{lying_server.server_port}"
        return {"OIDC_ISSUER": address, "OIDC_CLIENT_ID": "us", "OIDC_CLIENT_SECRET": "geheim"}

    def come_back(self, browser, liar, status=303, **over):
        _address, query = asked(browser)
        liar.nonce = liar.nonce or query["nonce"]
        words = {"code": "c", "state": query["state"]} | over
        return arrive(browser, f"{WAY_BACK}?" + "&".join(f"{k}={v}" for k, v in words.items()), status)

    def test_who_tells_the_truth_gets_in(self, browser, nora, liar):
        self.come_back(browser, liar).open(PAGE)

    @pytest.mark.parametrize(
        "lie",
        [
            {"claims": {"iss": "https://elsewhere.example"}},
            {"claims": {"aud": "somebody else"}},
            {"claims": {"aud": "somebody else", "azp": "us"}},
            {"claims": {"aud": ["us", "others"], "azp": "others"}},
            {"claims": {"aud": ["us", "others"]}},
            {"claims": {"exp": int(time.time()) - 120}},
            {"claims": {"exp": None}},
            {"claims": {"iat": int(time.time()) + 3600, "nbf": int(time.time()) + 3600}},
            {"claims": {"sub": None}},
            {"claims": {"sub": ""}},
            {"claims": {"sub": ["s-1"]}},
            {"claims": {"at_hash": "not the hash of the access token"}},
            {"nonce": "of another sign-in"},
            {"claims": {"nonce": None}},
            {"key": STRANGER},
            {"header": {"alg": "RS256", "kid": "2"}},
        ],
        ids=lambda lie: "-".join([*lie, *lie.get("claims", {})]),
    )
    def test_req29_a_token_that_is_not_right_in_everything_opens_nothing(
        self, browser, in_house, nora, liar, lie
    ):
        vars(liar).update(lie)
        self.come_back(browser, liar, status=502).open(PAGE, status=303)
        assert identities(in_house) == []

    @pytest.mark.parametrize("algorithm", ["none", "HS256"])
    def test_req29_a_token_without_a_key_of_the_service_opens_nothing(self, browser, nora, liar, algorithm):
        """Unsigned, or "signed" with the public key, which everybody may read, as a shared secret."""
        honest = liar.token

        def forged():
            head = text(json.dumps({"alg": algorithm, "kid": "1"}).encode())
            said = f"{head}.{honest().split('.')[1]}"
            seal = hmac.new(KEY.as_pem(private=False), said.encode(), "sha256").digest()
            return f"{said}.{text(seal) if algorithm == 'HS256' else ''}"

        liar.token = forged
        self.come_back(browser, liar, status=502).open(PAGE, status=303)

    @pytest.mark.parametrize("verified", [False, None, "false", "yes", 1, 0])
    def test_req29_an_address_that_nobody_has_verified_opens_nothing(
        self, browser, in_house, nora, liar, verified
    ):
        liar.claims = {"email_verified": verified}
        if verified == 1:
            liar.claims = {"email_verified": "1"}
        self.come_back(browser, liar, status=403).open(PAGE, status=303)
        assert identities(in_house) == []

    def test_an_address_is_taken_with_its_own_word_that_it_is_verified(self, browser, nora, liar):
        """Never the address of the one answer with the verification of the other."""
        liar.claims = {"email_verified": None}
        liar.told = {"sub": "s-1", "email": "other@agentur.example", "email_verified": True}
        self.come_back(browser, liar, status=403)

    def test_userinfo_tells_what_the_token_does_not(self, browser, nora, liar):
        liar.claims = {"email": None, "email_verified": None}
        liar.told = {"sub": "s-1", "email": "NORA@agentur.example", "email_verified": True}
        self.come_back(browser, liar).open(PAGE)

    def test_userinfo_of_somebody_else_is_not_believed(self, browser, nora, liar):
        liar.claims = {"email": None}
        liar.told = {"sub": "s-2", "email": "nora@agentur.example", "email_verified": True}
        self.come_back(browser, liar, status=502)

    def test_req29_an_address_that_came_to_somebody_else_does_not_bring_the_account(
        self, browser, in_house, nora, liar
    ):
        self.come_back(browser, liar)
        browser.submit("accounts.sign_out")
        liar.nonce, liar.claims = "", {"sub": "s-2"}
        self.come_back(browser, liar, status=403).open(PAGE, status=303)
        with in_house():
            chief = an_account(Role.ADMIN)
        browser.sign_in(chief).submit("people.unlink_account", account_id=nora.id)
        browser.submit("accounts.sign_out")
        liar.nonce = ""
        self.come_back(browser, liar).open(PAGE)

    def test_every_answer_is_written_down_by_number_and_reason_only(
        self, browser, in_house, nora, liar, told
    ):
        self.come_back(browser, liar)
        browser.submit("accounts.sign_out")
        for nonce, claims, status in (
            ("", {"sub": "s-2"}, 403),
            ("", {"sub": "s-3", "email": "wer@agentur.example"}, 403),
            ("", {"sub": "s-4", "email_verified": False}, 403),
            ("of another sign-in", {}, 502),
        ):
            liar.nonce, liar.claims = nonce, claims
            self.come_back(browser, liar, status)
        browser.open("accounts.return_from_service", status=403, code="c", state="tampered")
        with in_house():
            db.session.merge(nora).active = False
        liar.nonce = ""
        self.come_back(browser, liar, 403)
        said = [
            (one["event"], one.get("account"), one.get("why", one.get("way")))
            for one in told()
            if "event" in one
        ]
        assert said == [
            ("service-linked", nora.id, None), ("signed-in", nora.id, "service"), ("signed-out", nora.id, None),
            ("service-refused", nora.id, "linked-otherwise"), ("service-refused", "unknown", "no-account"),
            ("service-refused", "unknown", "address-not-verified"), ("service-wrong", None, "answer"),
            ("service-wrong", None, "state"), ("service-refused", nora.id, "closed"),
        ]  # fmt: skip
        assert "agentur" not in str(told())
        assert "s-2" not in str(told())

    @pytest.mark.parametrize(
        "over", [{"state": "tampered"}, {"state": ""}, {"iss": "https://elsewhere.example"}]
    )
    def test_t17_another_state_or_sender_is_refused(self, browser, nora, liar, over):
        _address, query = asked(browser)
        words = {"code": "c", "state": query["state"]} | over
        browser.open("accounts.return_from_service", status=403, **words)
        browser.submit("accounts.return_from_service", words, status=403)
        assert "/token" not in liar.asked

    def test_looking_at_the_way_back_uses_nothing(self, browser, nora, liar):
        _address, query = asked(browser)
        browser.open("accounts.return_from_service", code="c", state=query["state"])
        assert "/token" not in liar.asked

    def test_who_says_no_at_the_service_reads_so(self, browser, nora, liar):
        _address, query = asked(browser)
        browser.open("accounts.return_from_service", status=403, error="access_denied", state=query["state"])
        assert browser.sees("nicht geklappt")

    def test_t17_a_link_on_a_foreign_page_begins_no_sign_in(self, browser, liar):
        answer = browser.open("accounts.ask_service", status=303, headers={"Sec-Fetch-Site": "cross-site"})
        assert answer.headers["Location"] == browser.path("accounts.sign_in")
        with browser.client.session_transaction() as session:
            assert "service" not in session

    @pytest.mark.parametrize("target", ["//evil.example", "https://evil.example/"])
    def test_t11_nobody_is_led_away(self, browser, nora, liar, target):
        _address, query = asked(browser, target)
        liar.nonce = query["nonce"]
        fields = {"csrf_token": browser.csrf_token(), "code": "c", "state": query["state"]}
        answer = browser.client.post(browser.path("accounts.return_from_service"), data=fields)
        assert (answer.status_code, answer.headers["Location"]) == (303, "/")

    @pytest.mark.parametrize(
        ("trouble", "status"),
        [
            ({"status": 500}, 503),
            ({"status": 404}, 502),
            ({"elsewhere": "http://127.0.0.1:9/"}, 502),
            ({"length": 300_000}, 502),
            ({"metadata": {"issuer": "https://elsewhere.example"}}, 502),
            ({"metadata": {"token_endpoint": "http://service.example/token"}}, 502),
            ({"metadata": {"authorization_endpoint": "javascript:alert(1)"}}, 502),
        ],
        ids=str,
    )
    def test_t20_trouble_is_a_page_and_the_password_goes_on_working(
        self, browser, liar, in_house, trouble, status
    ):
        vars(liar).update(trouble)
        browser.open("accounts.ask_service", status=status)
        assert "/sign-in" in browser.links()
        with in_house():
            an_account(Role.COLLEAGUE, email="otto@agentur.example", password="correct horse battery")
        browser.submit(
            "accounts.sign_in", {"email": "otto@agentur.example", "password": "correct horse battery"}
        )
        browser.open(PAGE)

    def test_the_second_factor_is_asked_for_here_too(self, browser, in_house, liar):
        with in_house():
            an_account(
                Role.COLLEAGUE, email="nora@agentur.example", password=None
            ).totp_nonce = "there is one"
        self.come_back(browser, liar)
        assert browser.response.request.path == "/sign-in/code"
        browser.open(PAGE, status=303)


class TestClaim:
    @pytest.fixture
    def settings(self, lying_server):
        address = f"http://127.0.0.1:{lying_server.server_port}"
        return {"OIDC_ISSUER": address, "OIDC_CLIENT_ID": "us", "OIDC_CLIENT_SECRET": "geheim",
                "OIDC_CLAIM": "realm_access.roles=konferenz", "OIDC_SECOND_FACTOR": "service"}  # fmt: skip

    @pytest.mark.parametrize(
        ("claims", "status"),
        [
            ({"realm_access": {"roles": ["andere", "konferenz"]}}, 303),
            ({"realm_access.roles": "konferenz"}, 303),
            ({"realm_access": {"roles": ["konferenzen"]}}, 403),
            ({"realm_access": {"roles": "konferenz und mehr"}}, 403),
            ({}, 403),
        ],
    )
    def test_only_whom_the_service_releases_comes_in(self, browser, in_house, liar, claims, status):
        with in_house():
            an_account(Role.ORGANISER, email="nora@agentur.example", password=None)
        liar.claims = claims
        TestLyingService().come_back(browser, liar, status)
        browser.open("/series/new", status=200 if status == 303 else 303)
        with in_house():
            assert db.session.query(StaffSession).filter_by(factor_shown=True).count() == (status == 303)


class TestNobodyThere:
    @pytest.fixture
    def settings(self):
        return {"OIDC_ISSUER": "http://127.0.0.1:9", "OIDC_CLIENT_ID": "us", "OIDC_CLIENT_SECRET": "geheim"}

    def test_a_service_that_is_down_is_a_page(self, browser):
        assert browser.open("accounts.ask_service", status=503).headers["Retry-After"]
        assert browser.sees("antwortet zurzeit nicht")


def test_without_settings_there_is_no_such_way_in(browser):
    browser.open("accounts.sign_in")
    assert not browser.sees("Login-Dienst")
    browser.open("accounts.ask_service", status=404)
    browser.open("accounts.return_from_service", status=404, code="c", state="s")
