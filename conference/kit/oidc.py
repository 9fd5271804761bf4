"""Asking a sign-in service who somebody is: OpenID Connect, authorization code with PKCE, as a confidential client.

What goes out and what comes back is checked here; whose account it is, a room knows. Nothing is asked while a transaction is
open, nothing waits for longer than a few seconds, and no answer is read that is not JSON from the address that was meant.
"""

import base64
import hmac
import json
import secrets
import time
from dataclasses import dataclass
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import quote, urlencode
from urllib.request import HTTPRedirectHandler, Request, build_opener

from flask import Flask, current_app

from ..core.web_addresses import is_safe_address
from . import unit

SECONDS, DEADLINE = 5, 10
LONGEST_ANSWER = 256 * 1024
REMEMBERED = 600
RENEWED = 60
LEEWAY = 60
SIGNED_BY = (
    "RS256",
    "RS384",
    "RS512",
    "PS256",
    "PS384",
    "PS512",
    "ES256",
    "ES384",
    "ES512",
    "EdDSA",
    "Ed25519",
)
SCOPE = "openid email profile"


class ServiceFailed(Exception):
    """The service gave no answer, or none that can be believed. The message is for the log, never for the page."""


class NotAnswering(ServiceFailed):
    """The service cannot be reached now; trying again later may help."""


@dataclass(frozen=True)
class Person:
    """Who the service says somebody is."""

    issuer: str
    subject: str
    email: str
    email_verified: bool
    claims: dict[str, Any]


@dataclass(frozen=True)
class Begun:
    """What the browser keeps while its owner is at the service."""

    state: str
    nonce: str
    verifier: str


@dataclass
class _Known:
    """What the service has published of itself, and when it was asked."""

    metadata: dict[str, Any]
    keys: dict[str, Any]
    asked: float


def is_configured(app: Flask) -> bool:
    return bool(app.config["OIDC_ISSUER"])


def begin(way_back: str) -> tuple[str, Begun]:
    """Where to send the browser, and what it must keep; `way_back` is ours. Raises ServiceFailed."""
    from authlib.oauth2.rfc7636 import create_s256_code_challenge

    begun = Begun(secrets.token_urlsafe(32), secrets.token_urlsafe(32), secrets.token_urlsafe(48))
    asked = {
        "response_type": "code",
        "client_id": current_app.config["OIDC_CLIENT_ID"],
        "redirect_uri": way_back,
        "scope": SCOPE,
        "state": begun.state,
        "nonce": begun.nonce,
        "code_challenge": create_s256_code_challenge(begun.verifier).rstrip("="),
        "code_challenge_method": "S256",
    }
    address = _known().metadata["authorization_endpoint"]
    return f"{address}{'&' if '?' in address else '?'}{urlencode(asked)}", begun


def is_same_state(begun: Begun | None, state: str) -> bool:
    """True when the answer belongs to what this browser has asked."""
    return begun is not None and hmac.compare_digest(begun.state.encode(), state.encode("utf-8", "replace"))


def person_behind(code: str, begun: Begun, way_back: str) -> Person:
    """Exchange the code and believe the answer only when everything about it is right. Raises ServiceFailed."""
    from authlib.oauth2.rfc6749.errors import OAuth2Error
    from joserfc.errors import JoseError

    tokens = _exchanged(code, begun.verifier, way_back)
    try:
        claims = _claims_of(tokens, begun.nonce)
    except (JoseError, OAuth2Error, ValueError, TypeError, LookupError) as error:
        raise ServiceFailed(f"the ID token is not right: {type(error).__name__} {error}") from error
    claims = _completed(claims, tokens)
    email = claims.get("email")
    return Person(
        issuer=current_app.config["OIDC_ISSUER"],
        subject=claims["sub"],
        email=email if isinstance(email, str) else "",
        # Some services write the word.
        email_verified=claims.get("email_verified") in (True, "true"),
        claims=claims,
    )


def _exchanged(code: str, verifier: str, way_back: str) -> dict[str, Any]:
    metadata = _known().metadata
    asked = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": way_back,
        "code_verifier": verifier,
    }
    headers = {}
    name, secret = current_app.config["OIDC_CLIENT_ID"], current_app.config["OIDC_CLIENT_SECRET"]
    ways = metadata.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
    if "client_secret_basic" in ways:
        pair = f"{quote(name, safe='')}:{quote(secret, safe='')}".encode()
        headers["Authorization"] = f"Basic {base64.b64encode(pair).decode()}"
    else:
        asked |= {"client_id": name, "client_secret": secret}
    tokens = _fetched(metadata["token_endpoint"], headers, urlencode(asked).encode())
    if not isinstance(tokens.get("id_token"), str):
        raise ServiceFailed("the service gave no ID token")
    return tokens


def _claims_of(tokens: dict[str, Any], nonce: str) -> dict[str, Any]:
    from authlib.oidc.core import CodeIDToken
    from joserfc import jwt

    token = jwt.decode(tokens["id_token"], _key_for(tokens["id_token"]), algorithms=list(SIGNED_BY))
    client = current_app.config["OIDC_CLIENT_ID"]
    claims = CodeIDToken(
        token.claims,
        token.header,
        options={
            "iss": {"essential": True, "value": current_app.config["OIDC_ISSUER"]},
            "aud": {"essential": True, "value": client},
        },
        params={"nonce": nonce, "client_id": client, "access_token": tokens.get("access_token")},
    )
    claims.validate(leeway=LEEWAY)
    if not isinstance(claims["sub"], str) or not 0 < len(claims["sub"]) <= 255:
        raise ValueError("sub")
    return dict(claims)


def _key_for(id_token: str) -> Any:
    """The published key that the token names; asked for anew where it is unknown, because services change their keys."""
    from joserfc.jwk import KeySet

    padded = id_token.partition(".")[0].encode()
    header = json.loads(base64.urlsafe_b64decode(padded + b"=" * (-len(padded) % 4)))
    named = header.get("kid")

    def published(known: _Known) -> list[dict[str, Any]]:
        keys = [key for key in known.keys["keys"] if isinstance(key, dict) and key.get("use", "sig") == "sig"]
        asymmetric = [key for key in keys if key.get("kty") in ("RSA", "EC", "OKP")]
        return [key for key in asymmetric if named is None or key.get("kid") == named]

    known = _known()
    found = published(known)
    if not found and time.monotonic() - known.asked > RENEWED:
        found = published(_known(afresh=True))
    if len(found) != 1:
        raise ValueError("no single key fits the token")
    return KeySet.import_key_set({"keys": found}).keys[0]


def _completed(claims: dict[str, Any], tokens: dict[str, Any]) -> dict[str, Any]:
    """With what only the userinfo address tells; what the signed token says counts more."""
    address = _known().metadata.get("userinfo_endpoint")
    wanted = {"email", "email_verified", current_app.config["OIDC_CLAIM"].partition("=")[0].strip()} - {""}
    is_told = all(value_of(claims, name) is not None for name in wanted)
    if is_told or not address or not isinstance(tokens.get("access_token"), str):
        return claims
    told = _fetched(address, {"Authorization": f"Bearer {tokens['access_token']}"})
    if told.get("sub") != claims["sub"]:
        raise ServiceFailed("userinfo speaks of somebody else")
    # An address and whether it was checked belong together: never one from here and one from there.
    if "email" in claims:
        told.pop("email", None)
        told.pop("email_verified", None)
    return told | claims


def value_of(claims: dict[str, Any], name: str) -> Any:
    """The claim of this name; `a.b` looks into `a` unless there is an `a.b`."""
    if name in claims:
        return claims[name]
    found: Any = claims
    for part in name.split("."):
        found = found.get(part) if isinstance(found, dict) else None
    return found


# -- what the service has published ----------------------------------------


def _known(*, afresh: bool = False) -> _Known:
    store = current_app.extensions.setdefault("oidc", {})
    known: _Known | None = store.get("known")
    if known is None or afresh or time.monotonic() - known.asked > REMEMBERED:
        known = store["known"] = _discovered()
    return known


def _discovered() -> _Known:
    issuer = current_app.config["OIDC_ISSUER"]
    metadata = _fetched(issuer.rstrip("/") + "/.well-known/openid-configuration")
    if metadata.get("issuer") != issuer:
        raise ServiceFailed(
            f"the service calls itself {metadata.get('issuer')!r}, FOLGETERMIN_OIDC_ISSUER says {issuer!r}"
        )
    for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
        if not isinstance(metadata.get(name), str) or not is_safe_address(metadata[name]):
            raise ServiceFailed(f"the service has no {name} with https")
    keys = _fetched(metadata["jwks_uri"])
    if not isinstance(keys.get("keys"), list):
        raise ServiceFailed("the service publishes no keys")
    return _Known(metadata, keys, time.monotonic())


class _NoRedirect(HTTPRedirectHandler):
    """A redirect could lead our secret elsewhere."""

    def redirect_request(self, *args: Any, **kwargs: Any) -> None:
        return None


def _fetched(
    address: str, headers: dict[str, str] | None = None, body: bytes | None = None
) -> dict[str, Any]:
    """The JSON object at an address; with a body it is sent there. Raises NotAnswering, ServiceFailed."""
    unit.must_be_closed("asking the sign-in service")
    if not is_safe_address(address):
        raise ServiceFailed(f"{address!r} is no https address")
    request = Request(address, body, {"Accept": "application/json", **(headers or {})})  # noqa: S310 - checked above
    try:
        with build_opener(_NoRedirect).open(request, timeout=SECONDS) as answer:
            content = _read(answer)
    except HTTPError as error:
        if error.code >= 500 or error.code == 429:
            raise NotAnswering(f"{address} answered {error.code}") from error
        raise ServiceFailed(f"{address} answered {error.code} {_said_why(error)}") from error
    except (URLError, OSError) as error:
        raise NotAnswering(f"{address}: {error}") from error
    try:
        found = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise ServiceFailed(f"{address} gave no JSON") from error
    if not isinstance(found, dict):
        raise ServiceFailed(f"{address} gave no JSON object")
    return found


def _said_why(error: HTTPError) -> str:
    """What OAuth calls the error, for the log; nothing longer, and no line of its own."""
    try:
        said = json.loads(error.read(4000))
        return "".join(
            sign for sign in f"{said['error']}: {said.get('error_description', '')}" if sign.isprintable()
        )[:300]
    except (OSError, ValueError, TypeError, LookupError, AttributeError, RecursionError):
        return ""


def _read(answer: Any) -> bytes:
    end, content = time.monotonic() + DEADLINE, b""
    while part := answer.read1(64 * 1024):
        content += part
        if len(content) > LONGEST_ANSWER:
            raise ServiceFailed("the answer is too long")
        if time.monotonic() > end:
            raise NotAnswering("the answer takes too long")
    return content
