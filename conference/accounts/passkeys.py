"""Passkeys (WebAuthn): making one, naming it, taking it away, and believing what a device answers.

The public address of the house is the only name that counts (`FOLGETERMIN_BASE_URL`): a passkey that was made here answers
nowhere else, and what was answered elsewhere is not believed here.
"""

import hashlib
import hmac
import ipaddress
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from flask import current_app
from flask_babel import gettext as _
from sqlalchemy import delete, select

from ..kit import logs
from ..kit.db import db, found, one_locked
from ..kit.errors import Refused
from ..kit.links import hash_of
from . import operations, queries
from .models import Account, Passkey, SpentChallenge

if TYPE_CHECKING:
    from webauthn.helpers.structs import PublicKeyCredentialDescriptor

LASTS = timedelta(minutes=5)
MOST = 20
LONGEST_ANSWER = 20_000


@dataclass(frozen=True)
class Place:
    """For whom a passkey is: the name (without port) and the origin of the house."""

    name: str
    origin: str


def place() -> Place | None:
    """Where passkeys of this house hold; None where browsers allow none: under a bare number, or without TLS."""
    parts = urlsplit(current_app.config["BASE_URL"])
    name = parts.hostname or ""
    try:
        ipaddress.ip_address(name)
    except ValueError:
        is_safe = parts.scheme == "https" or name == "localhost" or name.endswith(".localhost")
        return Place(name, f"{parts.scheme}://{parts.netloc}") if name and is_safe else None
    return None


def new_challenge() -> str:
    """256 random bits that a device must sign."""
    return secrets.token_urlsafe(32)


def _bytes(text: str) -> bytes:
    from webauthn import base64url_to_bytes

    return base64url_to_bytes(text)


def _text(content: bytes) -> str:
    from webauthn.helpers import bytes_to_base64url

    return bytes_to_base64url(content)


def _here() -> Place:
    here = place()
    if here is None:
        raise Refused(_("Passkeys cannot be used under the address of this server."))
    return here


def _descriptors(account: Account) -> "list[PublicKeyCredentialDescriptor]":
    from webauthn.helpers.structs import PublicKeyCredentialDescriptor

    return [
        PublicKeyCredentialDescriptor(id=_bytes(one.credential_id)) for one in queries.passkeys_of(account)
    ]


def options_to_make(account: Account, challenge: str) -> str:
    """What the browser must know to make a passkey, as JSON: one that names its account and checks who holds it."""
    import webauthn
    from webauthn.helpers import structs

    options = webauthn.generate_registration_options(
        rp_id=_here().name,
        rp_name="Folgetermin",
        user_id=_bytes(_handle_of(account)),
        user_name=account.email,
        user_display_name=account.name,
        challenge=_bytes(challenge),
        timeout=int(LASTS.total_seconds() * 1000),
        exclude_credentials=_descriptors(account),
        authenticator_selection=structs.AuthenticatorSelectionCriteria(
            resident_key=structs.ResidentKeyRequirement.PREFERRED,
            user_verification=structs.UserVerificationRequirement.PREFERRED,
        ),
    )
    return webauthn.options_to_json(options)


def _handle_of(account: Account) -> str:
    """How devices call the account: as its other passkeys do.

    Before the first it is made from the secret key, so that looking at the page stores nothing; then it is kept.
    """
    known = queries.passkeys_of(account)
    if known:
        return known[0].handle
    key = current_app.config["SECRET_KEY"].encode()
    words = f"passkey:{account.id}:{account.created_at.isoformat()}".encode()
    return _text(hmac.new(key, words, hashlib.sha256).digest())


def options_to_answer(challenge: str, account: Account | None) -> str:
    """What the browser must know to let a passkey answer, as JSON.

    Without an account any passkey of this house may, and whoever holds it must show that it is theirs.
    """
    import webauthn
    from webauthn.helpers.structs import UserVerificationRequirement

    wanted = (
        UserVerificationRequirement.REQUIRED if account is None else UserVerificationRequirement.PREFERRED
    )
    options = webauthn.generate_authentication_options(
        rp_id=_here().name,
        challenge=_bytes(challenge),
        timeout=int(LASTS.total_seconds() * 1000),
        allow_credentials=[] if account is None else _descriptors(account),
        user_verification=wanted,
    )
    return webauthn.options_to_json(options)


def register(account: Account, name: str, answer: str, challenge: str, *, at: datetime) -> Passkey:
    """Keep a new passkey. Raises Refused when the answer does not belong to this challenge, house and account."""
    account = found(one_locked(select(Account).where(Account.id == account.id)))
    known = queries.passkeys_of(account)
    if len(known) >= MOST:
        raise Refused(_("There are %(num)d passkeys already. Please remove one first.", num=MOST))
    _must_be_free_name(known, name)
    verified = _registered(answer, challenge)
    credential_id = _text(verified.credential_id)
    if queries.passkey_by_credential(credential_id) is not None:
        raise Refused(_("This passkey is known already."))
    _spend(challenge, at)
    passkey = Passkey(
        account_id=account.id,
        name=name,
        credential_id=credential_id,
        handle=_handle_of(account),
        public_key=verified.credential_public_key,
        sign_count=verified.sign_count,
        created_at=at,
    )
    db.session.add(passkey)
    db.session.flush()
    logs.note("passkey-made", account=account.id)
    return passkey


def _registered(answer: str, challenge: str) -> Any:
    import webauthn

    here = _here()
    with operations.unbelievable(
        _("This passkey could not be taken. Please try again, or take another device.")
    ):
        return webauthn.verify_registration_response(
            credential=answer[:LONGEST_ANSWER],
            expected_challenge=_bytes(challenge),
            expected_rp_id=here.name,
            expected_origin=here.origin,
        )


def take(answer: str, challenge: str, account: Account | None, *, at: datetime) -> Account:
    """The account whose passkey has answered, once. Given an account (the second step), it must be one of its own.

    Raises Refused for everything else, without saying which; the log says of whose passkey.
    """
    facts: dict[str, object] = {"account": "unknown" if account is None else account.id}
    try:
        owner = _owner(answer, challenge, account, facts, at)
    except Refused:
        logs.note("passkey-wrong", failed=True, **facts)
        raise
    logs.note("passkey-taken", account=owner.id)
    return owner


def _owner(
    answer: str, challenge: str, account: Account | None, facts: dict[str, object], at: datetime
) -> Account:
    """Whose passkey it is; `facts` gets to know the account as soon as the answer names it."""
    failed = _("This passkey was not accepted. Please try again, or sign in with your password.")
    with operations.unbelievable(failed):
        from webauthn.helpers import parse_authentication_credential_json

        said = parse_authentication_credential_json(answer[:LONGEST_ANSWER])
        passkey = queries.passkey_by_credential(_text(said.raw_id))
    if passkey is None or not passkey.account.active:
        raise Refused(failed)
    if account is not None and passkey.account_id != account.id:
        raise Refused(failed)
    facts["account"] = passkey.account_id
    if account is None and _text(said.response.user_handle or b"") not in {"", passkey.handle}:
        raise Refused(failed)
    passkey = found(one_locked(select(Passkey).where(Passkey.id == passkey.id)))
    with operations.unbelievable(failed):
        passkey.sign_count = _new_count(passkey, answer, challenge, alone=account is None)
    passkey.last_used_at = at
    _spend(challenge, at)
    return passkey.account


def _new_count(passkey: Passkey, answer: str, challenge: str, *, alone: bool) -> int:
    import webauthn

    here = _here()
    verified = webauthn.verify_authentication_response(
        credential=answer[:LONGEST_ANSWER],
        expected_challenge=_bytes(challenge),
        expected_rp_id=here.name,
        expected_origin=here.origin,
        credential_public_key=passkey.public_key,
        credential_current_sign_count=passkey.sign_count,
        require_user_verification=alone,
    )
    return verified.new_sign_count


def _spend(challenge: str, at: datetime) -> None:
    """The same challenge never counts again. Two that try at once meet at the unique hash."""
    db.session.execute(delete(SpentChallenge).where(SpentChallenge.expires_at <= at))
    spent = hash_of(f"challenge:{challenge}")
    if db.session.scalar(select(SpentChallenge.id).where(SpentChallenge.challenge_hash == spent)) is not None:
        raise Refused(_("This page was open for too long. Please try again."))
    # Longer than the challenge itself lasts, whatever the clocks of two servers say.
    db.session.add(SpentChallenge(challenge_hash=spent, expires_at=at + 4 * LASTS))
    db.session.flush()


def rename(passkey: Passkey, name: str) -> None:
    """Another name. Raises Refused when another passkey of the account has it."""
    _must_be_free_name([one for one in queries.passkeys_of(passkey.account) if one.id != passkey.id], name)
    passkey.name = name


def _must_be_free_name(others: list[Passkey], name: str) -> None:
    if any(one.name.casefold() == name.casefold() for one in others):
        raise Refused(_("Another passkey has this name already."))


def remove(passkey: Passkey) -> None:
    """The passkey opens nothing more. With the last second factor its recovery codes go too."""
    account = passkey.account
    db.session.delete(passkey)
    db.session.flush()
    logs.note("passkey-removed", account=account.id)
    operations.note_factors(account)
